import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api } from "../api/client.ts";
import type { Page } from "../api/types.ts";
import { has, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";

interface Piece {
  fate: "stays" | "goes" | "back";
  text: string;
  /** Instead of text: the kind of a thing without words. */
  node: string;
}

/** What an undo would do, block by block; `until` and `seen` have just that done. */
interface Preview {
  blocks: { node: string; pieces: Piece[]; look: boolean; by_others: number }[];
  more: number;
  gone_already: number;
  until: number;
  seen: string;
}

const SINCE = ["minutes", "lesson", "today", "time"] as const;

/** The moment meant, in unix seconds; `clock` is a time of today. */
function sinceWhen(choice: string, clock: string): number {
  const now = new Date();
  if (choice === "minutes") return now.getTime() / 1000 - 10 * 60;
  if (choice === "lesson") return now.getTime() / 1000 - 45 * 60;
  const [hours = 0, minutes = 0] = choice === "time" ? clock.split(":").map(Number) : [];
  return now.setHours(hours, minutes, 0, 0) / 1000;
}

/**
 * Asks since when, and on which of the pages if there are several; shows what would go and what would come
 * back, and takes back just that.
 */
export async function undoPerson(id: string, name: string, pages: readonly Page[]): Promise<boolean> {
  let at = "";
  let what = { membership_id: id, since: 0 };
  let view: Preview | undefined;
  const look = async () => {
    view = await api.post<Preview>(`${at}/preview`, what);
  };
  const chosen = await ask(
    { title: t("undo.title", { name }), text: t("undo.text"), fields: choice(pages), submit: t("undo.look") },
    (form) => {
      at = `/api/pages/${form.get("page") ?? pages[0]?.id}/undo`;
      what = { ...what, since: sinceWhen(String(form.get("since")), String(form.get("clock"))) };
      return look();
    },
  );
  if (!chosen) return false;
  let changed = false;
  while (view && view.blocks.length > 0) {
    const { until, seen } = view;
    const before = changed;
    changed = false;
    const done = await ask(
      {
        title: t("undo.preview", { name }),
        fields: preview(view, name, before),
        submit: t("undo.submit"),
        danger: true,
      },
      async () => {
        try {
          await api.post(at, { ...what, until, seen });
        } catch (error) {
          if (!(error instanceof ApiError) || error.code !== "changed-meanwhile") throw error;
          changed = true;
          await look();
        }
      },
    );
    if (!done) return false;
    if (changed) continue;
    announce(t("undo.done", { name }));
    return true;
  }
  announce(t("undo.nothing", { name }));
  return false;
}

const choice = (pages: readonly Page[]): TemplateResult => html`${
  pages.length > 1
    ? html`<div class="field">
        <label for="undo-page">${t("undo.page")}</label>
        <select id="undo-page" name="page">
          ${pages.map((page) => html`<option value=${page.id}>${page.title}</option>`)}
        </select>
      </div>`
    : nothing
}
  <fieldset class="choice rows">
    <legend>${t("undo.since")}</legend>
    ${SINCE.map(
      (each) => html`<label>
        <input type="radio" name="since" value=${each} ?checked=${each === "minutes"} />
        <span>${t(`undo.${each}`)}</span>
      </label>`,
    )}
  </fieldset>
  <div class="field undo-clock">
    <label for="undo-clock">${t("undo.clock")}</label>
    <input id="undo-clock" name="clock" type="time" value="08:00" />
  </div>`;

const preview = (
  { blocks, more, gone_already }: Preview,
  name: string,
  changed: boolean,
): TemplateResult => html`${
  changed ? html`<p class="note wait" role="status">${t("undo.changed")}</p>` : nothing
}
  <p>${t("undo.legend")}</p>
  <ul class="undo-blocks" role="list">
    ${blocks.map(
      (block) => html`<li>
        <p class="undo-block">${block.pieces.map(piece)}</p>
        ${block.look ? html`<p class="quiet">${t("undo.look-too")}</p>` : nothing}
        ${block.by_others ? html`<p class="quiet">${t("undo.by-others", { count: block.by_others })}</p>` : nothing}
      </li>`,
    )}
  </ul>
  ${more ? html`<p class="quiet">${t("undo.more", { count: more })}</p>` : nothing}
  ${gone_already ? html`<p class="quiet">${t("undo.gone-already", { name, count: gone_already })}</p>` : nothing}`;

/** What goes is struck through, what comes back underlined; whoever listens is told. */
function piece({ fate, text, node }: Piece): TemplateResult {
  const key = `undo.node.${node}`;
  const words = text || html`<em>${t(has(key) ? key : "undo.node.other")}</em>`;
  if (fate === "goes") return html`<del><span class="sr">${t("undo.goes")} </span>${words}</del>`;
  if (fate === "back") return html`<ins><span class="sr">${t("undo.back")} </span>${words}</ins>`;
  return html`<span>${words}</span>`;
}
