import { html, nothing, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { moment, registerCatalogue, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { adopt } from "../styles/adopt.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { words as contactWords } from "./contact-asking.ts";
import "./conversation.ts";
import css from "./messages.css";
import { WhileSeen } from "./seen.ts";
import type { ConversationLine, Conversations } from "./talks.ts";

adopt(css);

const loaders = {
  en: () => import("./i18n/messages/en.ts"),
  es: () => import("./i18n/messages/es.ts"),
  pt: () => import("./i18n/messages/pt.ts"),
};

export const words = (): Promise<unknown> => Promise.all([registerCatalogue(loaders), contactWords()]);

/** What teachers write to each other: whom I write with, or with an `item` one conversation. */
class Messages extends View {
  static override properties = { me: { attribute: false }, item: { attribute: false } };

  declare me: Me;
  declare item: string;

  protected override render(): TemplateResult {
    if (this.me.person.kind === "pupil")
      return html`<main id="main" class="narrow" tabindex="-1">
        <h1>${t("messages.title")}</h1>
        <p class="empty">${t("messages.adults")}</p>
      </main>`;
    return this.item
      ? html`${keyed(this.item, html`<ts-conversation .me=${this.me} .person=${this.item}></ts-conversation>`)}`
      : html`<ts-conversations></ts-conversations>`;
  }
}

class ConversationsScreen extends View {
  static override properties = { found: { state: true }, failed: { state: true } };

  declare found: Conversations | undefined;
  declare failed: string;

  constructor() {
    super();
    this.failed = "";
    new WhileSeen(this, () => this.fetch());
  }

  private async fetch(): Promise<void> {
    try {
      this.found = await api.get<Conversations>("/api/me/messages");
      this.failed = "";
    } catch (error) {
      if (!this.found) this.failed = explain(error);
    }
  }

  protected override render(): TemplateResult {
    return html`<main id="main" class="narrow" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list"><li><a href=${path.home}>${t("nav.my-spaces")}</a></li></ol>
      </nav>
      <h1>${t("messages.title")}</h1>
      <p class="lead">${t("messages.lead")}</p>
      ${this.failed ? html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>` : nothing}
      ${this.found ? this.list(this.found.conversations) : this.failed ? nothing : html`<div aria-busy="true"></div>`}
      <p><a class="button" href=${path.office("contacts")}>${icon("me")}${t("messages.to-contacts")}</a></p>
    </main>`;
  }

  private list(lines: ConversationLine[]): TemplateResult {
    if (lines.length === 0) return html`<p class="empty">${t("messages.none")}</p>`;
    return html`<ul class="card talks" role="list">
      ${lines.map(
        ({ partner, last, unread }) => html`<li class=${unread ? "new" : ""}>
          <a href=${path.office(`messages/${partner.person_id}`)}>
            ${avatar(partner.name)}
            <span class="grow">
              <span class="talk-head"
                ><span class="name">${partner.name}</span><span class="quiet">${moment(last.at)}</span></span
              >
              <span class="talk-words">
                <span class="quiet preview" dir="auto">${last.mine ? t("messages.you", { words: last.body }) : last.body}</span>
                ${
                  unread
                    ? html`<span class="waits" aria-hidden="true">${unread}</span
                        ><span class="sr">${t("messages.unread", { count: unread })}</span>`
                    : nothing
                }
              </span>
            </span>
          </a>
        </li>`,
      )}
    </ul>`;
  }
}

customElements.define("ts-conversations", ConversationsScreen);
customElements.define("ts-messages", Messages);
