import { html, nothing } from "lit";
import { registerCatalogue, t } from "../i18n/index.ts";
import { openDialog } from "../ui/dialog.ts";
import type { Slot } from "./binding/drawing.ts";
import type { Block } from "./protection.ts";

/** The words of the question are there. */
const ready = registerCatalogue({
  en: () => import("./i18n/protection/en.ts"),
  es: () => import("./i18n/protection/es.ts"),
  pt: () => import("./i18n/protection/pt.ts"),
});

export interface Asking {
  /** My client id; "" for teachers. */
  me: string;
  mine(client: string): boolean;
  nameOf(client: string): string;
  /** Asks the server who the writers of the page are. */
  learn(): Promise<void>;
}

/** Asks who may change these blocks; gives the places of those that I may protect, and the answer. */
export async function choose(
  blocks: readonly Block[],
  slots: readonly Slot[],
  { me, mine, nameOf, learn }: Asking,
): Promise<{ places: number[]; by: string | null } | undefined> {
  await ready;
  if (me) await learn().catch(() => {});
  const shown = slots.filter(({ kind }) => kind !== "hidden");
  const places: number[] = [];
  let now: string | null = null;
  for (const { node, pos, index } of blocks) {
    const by: string | null = node.attrs.protected;
    const made = shown[index]?.shared[0] as { _item?: { id: { client: number } } } | undefined;
    if (me && !by && !mine(String(made?._item?.id.client))) continue;
    now ??= by;
    places.push(pos);
  }
  const answer = await ask(!places.length, now, me, now ? nameOf(now) : "");
  return answer && { places, by: answer.by };
}

/** `none`: I may protect none of them. `owner` is the name of whom they are protected for now. */
function ask(
  none: boolean,
  now: string | null,
  me: string,
  owner: string,
): Promise<{ by: string | null } | undefined> {
  const choices: [string | null, string][] = [];
  if (!none) choices.push([null, t("editor.protect.everybody")]);
  if (!none && !me) choices.unshift(["teachers", t("editor.protect.teachers")]);
  if (!none && me) choices.unshift([now ?? me, t("editor.protect.me")]);
  if (!me && now && owner) choices.unshift([now, t("editor.protect.owner", { name: owner })]);
  return openDialog<{ by: string | null }>(
    () => t("editor.protect.title"),
    (close) => html`<form
      class="stack"
      @submit=${(event: SubmitEvent) => {
        event.preventDefault();
        const at = new FormData(event.currentTarget as HTMLFormElement).get("by");
        const choice = choices[Number(at)];
        if (choice) close({ by: choice[0] });
      }}
    >
      ${
        choices.length > 1
          ? html`<div class="stack" role="radiogroup" aria-label=${t("editor.protect.title")}>
              ${choices.map(
                ([by, words], index) => html`<label class="check">
                  <input type="radio" name="by" value=${index} ?checked=${by === now} ?autofocus=${by === now} />
                  <span>${words}</span>
                </label>`,
              )}
            </div>`
          : html`<p>${t("editor.protect.not-yours")}</p>`
      }
      <footer class="actions">
        <button class="button" type="button" @click=${() => close()}>${t("dialog.cancel")}</button>
        ${choices.length > 1 ? html`<button class="button primary">${t("editor.protect.save")}</button>` : nothing}
      </footer>
    </form>`,
  );
}
