import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { moment, t } from "../i18n/index.ts";
import { NEWS } from "../net.ts";
import { path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { ask, openDialog } from "../ui/dialog.ts";
import { type IconName, icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import { WhileSeen } from "./seen.ts";
import {
  type Conversation,
  type Draft,
  keep,
  kept,
  type Message,
  merged,
  NOTHING,
  newKey,
  settled,
  typed,
  whereabouts,
} from "./talks.ts";

const LONGEST = 4000;
/** Beside the spaces no socket tells of what is new, and somebody waits for the answer here. */
const PAUSE_MS = 6_000;
const MOST_HEARD = 200;

/** What somebody and I write to each other. */
class ConversationScreen extends View {
  static override properties = {
    me: { attribute: false },
    person: { attribute: false },
    talk: { state: true },
    messages: { state: true },
    older: { state: true },
    failed: { state: true },
    draft: { state: true },
    sending: { state: true },
    unsent: { state: true },
  };

  declare me: Me;
  declare person: string;
  declare talk: Conversation | undefined;
  declare messages: Message[];
  /** There are messages before the first one here. */
  declare older: boolean;
  declare failed: string;
  declare draft: Draft;
  declare sending: boolean;
  /** Why the words could not be sent. */
  declare unsent: string;

  /** When the last message was written that a look has found: what I send may overtake others. */
  private heard = 0;
  private fetching = false;
  private again = false;
  /** The reader is at the end, and stays there when something comes. */
  private atEnd = true;

  constructor() {
    super();
    this.messages = [];
    this.older = false;
    this.failed = "";
    this.draft = NOTHING;
    this.sending = false;
    this.unsent = "";
    new WhileSeen(this, () => this.fetch(), PAUSE_MS);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("scroll", this.scrolled, { passive: true });
    this.draft = kept(this.me, this.person);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("scroll", this.scrolled);
  }

  private scrolled = (): void => {
    const { scrollHeight, clientHeight } = document.documentElement;
    this.atEnd = scrollHeight - clientHeight - scrollY < 80;
  };

  private get url(): string {
    return `/api/me/messages/${this.person}`;
  }

  /** One at a time; what is asked for meanwhile is asked once more afterwards. */
  private async fetch(): Promise<void> {
    this.again = this.fetching;
    if (this.fetching) return;
    this.fetching = true;
    try {
      await this.look();
      this.failed = "";
    } catch (error) {
      if (!this.talk || (error instanceof ApiError && (error.status === 403 || error.status === 404)))
        this.failed = explain(error);
    }
    this.fetching = false;
    if (this.again) void this.fetch();
  }

  private async look(): Promise<void> {
    const before = this.talk;
    const talk = await api.get<Conversation>(before ? `${this.url}?after=${this.heard}&most=100` : this.url);
    if (!before) this.older = talk.more;
    else if (talk.more) this.again = true;
    this.heard = talk.messages.at(-1)?.at ?? this.heard;
    this.take(talk.messages);
    this.talk = talk;
    const theirs = talk.messages.filter(({ mine }) => !mine).at(-1);
    if (before && theirs)
      announce(t("messages.new", { name: talk.partner.name, words: theirs.body.slice(0, MOST_HEARD) }), {
        heard: true,
      });
    if (talk.unread > 0 && !document.hidden) await this.seen().catch(() => {});
  }

  private take(messages: readonly Message[]): void {
    this.messages = merged(this.messages, messages);
    const before = this.draft;
    this.draft = settled(before, messages);
    if (this.draft === before) return;
    this.unsent = "";
    keep(this.me, this.person, this.draft);
  }

  private async seen(): Promise<void> {
    const until = this.messages.at(-1)?.at;
    if (until === undefined) return;
    await api.put(`${this.url}/read`, { until });
    dispatchEvent(new Event(NEWS));
  }

  private async fetchOlder(): Promise<void> {
    const [first] = this.messages;
    if (!first) return;
    try {
      const { messages, more } = await api.get<Conversation>(`${this.url}?before=${first.at}`);
      const { scrollHeight } = document.documentElement;
      this.atEnd = false;
      this.messages = merged(messages, this.messages);
      this.older = more;
      await this.updateComplete;
      scrollBy({ top: document.documentElement.scrollHeight - scrollHeight, behavior: "instant" });
    } catch (error) {
      announce(explain(error));
    }
  }

  protected override updated(): void {
    super.updated();
    const field = this.querySelector("textarea");
    if (field) {
      // For browsers that do not let a field grow with its text by themselves.
      field.style.height = "auto";
      field.style.height = `${field.scrollHeight + 2}px`;
    }
    if (this.atEnd) scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  }

  protected override render(): TemplateResult {
    const { talk } = this;
    return html`<main id="main" class="narrow talk" tabindex="-1" aria-busy=${talk || this.failed ? nothing : "true"}>
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list">
          <li><a href=${path.home}>${t("nav.my-spaces")}</a></li>
          <li><a href=${path.office("messages")}>${t("messages.title")}</a></li>
        </ol>
      </nav>
      ${this.failed ? html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>` : nothing}
      ${talk ? this.shown(talk) : nothing}
    </main>`;
  }

  private shown(talk: Conversation): TemplateResult {
    const { partner } = talk;
    return html`<header class="talk-with">
        <h1 class="grow">${partner.name}</h1>
        <button class="button icon quiet" aria-haspopup="dialog" aria-label=${t("messages.more", { name: partner.name })} @click=${this.menu}>
          ${icon("more")}
        </button>
      </header>
      <p class="quiet">${whereabouts(partner)}</p>
      ${this.older ? html`<p><button class="button" @click=${this.fetchOlder}>${t("messages.older")}</button></p>` : nothing}
      ${
        this.messages.length === 0
          ? html`<p class="empty">${t("messages.empty")}</p>`
          : html`<ol class="said" role="list">
              ${this.messages.map((each) => this.message(each, partner.name))}
            </ol>`
      }
      <div class="talk-write">${this.place(talk)}</div>`;
  }

  private message({ mine, body, at }: Message, name: string): TemplateResult {
    return html`<li class=${mine ? "mine" : ""}>
      <span class="sr">${mine ? t("messages.mine") : name}:</span>
      <p dir="auto">${body}</p>
      <time class="quiet" datetime=${new Date(at * 1000).toISOString()}>${moment(at)}</time>
    </li>`;
  }

  /** Where one writes, or why not. */
  private place({ partner: { name }, blocked, can_write }: Conversation): TemplateResult {
    if (blocked)
      return html`<p class="note">
        ${icon("lock")}<span class="grow">${t("messages.blocked", { name })}</span>
        <button class="button" @click=${this.unblock}>${t("messages.unblock")}</button>
      </p>`;
    if (!can_write)
      return html`<p class="note">${icon("lock")}<span>${t("messages.closed", { name })}</span></p>
        ${this.draft.words ? html`<p class="unsent" dir="auto">${this.draft.words}</p>` : nothing}`;
    return html`<form @submit=${this.send} novalidate>
      <label class="sr" for="message">${t("messages.label", { name })}</label>
      <textarea
        id="message"
        rows="1"
        placeholder=${t("messages.placeholder")}
        dir="auto"
        aria-describedby="unsent"
        aria-keyshortcuts="Control+Enter"
        ?readonly=${this.sending}
        .value=${this.draft.words}
        @input=${this.typed}
        @keydown=${this.key}
      ></textarea>
      <button class="button primary" title=${t("messages.keys")} aria-busy=${this.sending}>
        ${t(this.unsent && this.draft.key ? "messages.send-again" : "messages.send")}
      </button>
      <p id="unsent" class="error" role="alert">${this.unsent}</p>
    </form>`;
  }

  private typed = (event: InputEvent): void => {
    this.draft = typed(this.draft, (event.target as HTMLTextAreaElement).value);
    keep(this.me, this.person, this.draft);
  };

  private key = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void this.send(event);
  };

  private send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (this.sending) return;
    const body = this.draft.words.trim();
    const field = this.querySelector("textarea");
    field?.focus();
    if (!body) return;
    const tooMany = [...body].length - LONGEST;
    if (tooMany > 0) {
      this.unsent = t("messages.too-long", { count: tooMany });
      return;
    }
    const key = this.draft.key || newKey();
    this.draft = { words: this.draft.words, key, tried: body };
    keep(this.me, this.person, this.draft);
    this.sending = true;
    this.unsent = "";
    this.atEnd = true;
    try {
      const message = await api.post<Message>(this.url, { key, body });
      this.take([message]);
      announce(t("messages.sent"), { heard: true });
    } catch (error) {
      this.unsent = `${explain(error)} ${t("messages.kept")}`;
    }
    this.sending = false;
    void this.fetch();
  };

  private menu = async (): Promise<void> => {
    const { talk } = this;
    if (!talk) return;
    type Act = "remove" | "block" | "unblock";
    const item = (act: Act, sign: IconName, words: string, close: (value: Act) => void) =>
      html`<li><button class="menu-item" @click=${() => close(act)}>${icon(sign)}${words}</button></li>`;
    const chosen = await openDialog<Act>(
      () => talk.partner.name,
      (close) => html`<ul class="menu" role="list">
        ${talk.contact ? item("remove", "out", t("messages.remove"), close) : nothing}
        ${
          talk.blocked
            ? item("unblock", "unlock", t("messages.unblock"), close)
            : item("block", "lock", t("messages.block"), close)
        }
      </ul>`,
      { className: "sheet" },
    );
    if (chosen === "remove") await this.forget(talk.partner.name);
    if (chosen === "block") await this.block(talk.partner.name);
    if (chosen === "unblock") await this.unblock();
  };

  private async forget(name: string): Promise<void> {
    const done = await ask(
      {
        title: t("contacts.remove-title", { name }),
        text: t("contacts.remove-text"),
        submit: t("contacts.remove"),
        danger: true,
      },
      () => api.delete(`/api/me/contacts/${this.person}`),
    );
    if (!done) return;
    if (this.talk) this.talk = { ...this.talk, contact: false };
    announce(t("contacts.removed", { name }));
    await this.fetch();
  }

  private async block(name: string): Promise<void> {
    const done = await ask(
      {
        title: t("messages.block-title", { name }),
        text: t("messages.block-text", { name }),
        submit: t("messages.block-do"),
        danger: true,
      },
      () => api.put(`/api/me/blocks/${this.person}`, {}),
    );
    if (done) announce(t("messages.blocked-said", { name }), { heard: true });
    await this.fetch();
  }

  private unblock = async (): Promise<void> => {
    try {
      await api.delete(`/api/me/blocks/${this.person}`);
      announce(t("messages.unblocked", { name: this.talk?.partner.name ?? "" }), { heard: true });
    } catch (error) {
      announce(explain(error));
    }
    await this.fetch();
    await this.updateComplete;
    this.querySelector("textarea")?.focus();
  };
}

customElements.define("ts-conversation", ConversationScreen);
