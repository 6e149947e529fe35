import { html, type TemplateResult } from "lit";
import type { Card } from "../api/types.ts";
import { CARD_WORDS, wordsOf } from "../code.ts";
import { t } from "../i18n/index.ts";
import { adopt } from "../styles/adopt.ts";
import css from "../styles/cards.css";
import { ask, openDialog } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { brandMark } from "../ui/marks.ts";

adopt(css);

/** Shows new cards, this once: eight to a printed sheet. */
export async function showCards(cards: readonly Card[]): Promise<void> {
  let printed = false;
  const mayClose = async () =>
    printed ||
    ask(
      { title: t("cards.sure"), text: t("cards.sure-text"), submit: t("cards.sure-yes"), danger: true },
      async () => {},
    );
  await openDialog(
    () => t("cards.title", { count: cards.length }),
    (close) => html`<div class="stack">
      <p class="note wait">${icon("warn")}<span>${t("cards.once")}</span></p>
      <div class="actions">
        <button class="button" @click=${async () => (await mayClose()) && close()}>${t("cards.done")}</button>
        <button class="button primary" @click=${() => {
          printed = true;
          print();
        }}>${icon("print")}${t("cards.print")}</button>
      </div>
      ${sheet(cards)}
    </div>`,
    { className: "cards-dialog", mayClose },
  );
}

function sheet(cards: readonly Card[]): TemplateResult {
  return html`<ul class="sheet-of-cards" role="list">
    ${cards.map((card) => {
      const words = wordsOf(card.code);
      return html`<li class="code-card">
        <div class="code-card-head">${brandMark()}<strong>TwinSpace</strong><span class="grow"></span><span class="pseudonym">${card.name}</span></div>
        <div class="code-card-body">
          <img
            class="qr"
            alt=${t("cards.qr", { name: card.name })}
            src=${`data:image/svg+xml,${encodeURIComponent(card.qr_svg)}`}
          />
          <div>
            <p class="how">${t("cards.scan", { host: location.host })}</p>
            <ol class="words">
              ${words.map((word) => html`<li>${word}</li>`)}
            </ol>
          </div>
        </div>
        <p class="name-line">${t("cards.name")}</p>
        <p class="keep">${t("cards.keep", { count: CARD_WORDS })}</p>
      </li>`;
    })}
  </ul>`;
}
