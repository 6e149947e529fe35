import { html, nothing } from "lit";
import { t } from "../i18n/index.ts";
import { ask, openDialog } from "../ui/dialog.ts";
import { type IconName, icon } from "../ui/icons.ts";
import type { Drop } from "./drag.ts";
import type { Card, Color, Column } from "./model.ts";

const item = (sign: IconName, words: string, act: () => void) =>
  html`<li><button class="menu-item" type="button" @click=${act}>${icon(sign)}${words}</button></li>`;

/** What can be done with a card. */
export function askCard(
  card: Card,
  colors: readonly Color[],
): Promise<"write" | "move" | "remove" | { color: Color } | undefined> {
  return openDialog(
    () => t("board.card-title"),
    (close) => html`<ul class="menu" role="list">
        ${item("draft", t("board.write"), () => close("write"))}
        ${item("move", t("board.move"), () => close("move"))}
        ${item("bin", t("board.remove"), () => close("remove"))}
      </ul>
      <div class="bd-colors" role="group" aria-label=${t("board.color")}>
        ${colors.map(
          (color) => html`<button
            class="bd-color ${color}"
            type="button"
            aria-pressed=${card.color === color}
            aria-label=${t(`board.color.${color}`)}
            title=${t(`board.color.${color}`)}
            @click=${() => close({ color })}
          >
            ${card.color === color ? icon("check") : nothing}
          </button>`,
        )}
      </div>`,
    { className: "sheet" },
  );
}

/** Asks where a card shall go: which column, and at which place among the others. */
export function askPlace(
  choices: readonly Column[],
  from: Column,
  index: number,
  titleOf: (column: Column) => string,
): Promise<Drop | undefined> {
  let chosen = from;
  return openDialog<Drop>(
    () => t("board.move"),
    (close, redraw) => {
      const count = chosen.cards.length + (chosen === from ? 0 : 1);
      const place = chosen === from ? index : count - 1;
      return html`<form
        class="stack"
        @submit=${(event: SubmitEvent) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget as HTMLFormElement);
          close({ column: chosen.key, index: Number(form.get("place")) });
        }}
      >
        <div class="field">
          <label for="board-column">${t("board.column")}</label>
          <select
            id="board-column"
            autofocus
            @change=${(event: Event) => {
              chosen = choices[(event.target as HTMLSelectElement).selectedIndex] ?? from;
              redraw();
            }}
          >
            ${choices.map((each) => html`<option ?selected=${each === chosen}>${titleOf(each)}</option>`)}
          </select>
        </div>
        <div class="field">
          <label for="board-place">${t("board.place")}</label>
          <select id="board-place" name="place">
            ${Array.from(
              { length: count },
              (_, at) =>
                html`<option value=${at} .selected=${at === place}>${t("board.place-of", { count: at + 1, of: count })}</option>`,
            )}
          </select>
        </div>
        <footer class="actions">
          <button class="button" type="button" @click=${() => close()}>${t("dialog.cancel")}</button>
          <button class="button primary">${t("board.move-now")}</button>
        </footer>
      </form>`;
    },
  );
}

/** Asks for the title of a new column, or another one for an old one. */
export async function askTitle(now: string, longest: number): Promise<string | undefined> {
  let title = "";
  const done = await ask(
    {
      title: t(now ? "board.rename" : "board.add-column"),
      fields: html`<div class="field">
        <label for="board-title">${t("board.title")}</label>
        <input id="board-title" name="title" .value=${now} maxlength=${longest} required autocomplete="off" autofocus />
      </div>`,
      submit: t(now ? "dialog.save" : "board.add-column-now"),
    },
    async (form) => {
      title = String(form.get("title")).trim();
    },
  );
  return done ? title : undefined;
}

export function askColumn(
  title: string,
  before: boolean,
  after: boolean,
): Promise<"rename" | "before" | "after" | "remove" | undefined> {
  return openDialog(
    () => title,
    (close) => html`<ul class="menu" role="list">
      ${item("draft", t("board.rename"), () => close("rename"))}
      ${before ? item("back", t("board.column-before"), () => close("before")) : nothing}
      ${after ? item("next", t("board.column-after"), () => close("after")) : nothing}
      ${item("bin", t("board.column-remove"), () => close("remove"))}
    </ul>`,
    { className: "sheet" },
  );
}

export const sureToRemove = (title: string): Promise<boolean> =>
  ask(
    {
      title: t("board.column-remove-title", { title }),
      text: t("board.column-remove-text"),
      submit: t("board.column-remove"),
      danger: true,
    },
    async () => {},
  );
