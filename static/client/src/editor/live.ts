import type { HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Page } from "../api/types.ts";
import { has, list, moment, t } from "../i18n/index.ts";
import { Localized } from "../i18n/localized.ts";
import { adopt } from "../styles/adopt.ts";
import { saveCopy } from "./copies.ts";
import { icon } from "./icons.ts";
import css from "./live.css";
import { everybody, type Somebody } from "./people.ts";
import { PageSession } from "./session.ts";
import type { EditorState as PageState } from "./state.ts";
import type { Writers } from "./writers.ts";

adopt(css);

const SPOKEN = "twinspace.speak-people";
/** News are gathered for so many ms before they are read out. */
export const GATHER = 2500;
/** States (in JSON) of which nothing is said, and none. */
const QUIET = /^$|^\{"state":"(saved|saving|connecting)"/;
/** So long the page may take to come before it says that it is late. */
const PATIENCE_MS = 8000;

export interface Writer {
  id: string;
  name: string;
  role: string;
  school: string;
  membership: string;
}

/** A sentence of the page, and under which client ids of the shared document its characters were written. */
export interface Sentence {
  text: string;
  clients: string[];
}

/** Whether this device wants to hear what others do. */
export const isSpoken = (): boolean => localStorage.getItem(SPOKEN) !== "no";

/**
 * One open page, live: its line to the server, what is said of it, who is here. What is written on it, and how,
 * is its heirs' affair. Drawn into the page itself, so that its styles and print styles apply.
 */
export abstract class LivePage extends LitElement {
  static override properties: PropertyDeclarations = {
    page: { attribute: false },
    me: { attribute: false },
    socket: { attribute: false },
    spoken: { state: true },
  };

  declare page: Page;
  declare me: Writer;
  declare socket: HocuspocusProviderWebsocket;
  /** The last thing to be read out by screen readers. */
  declare spoken: string;

  protected session: PageSession | null = null;
  private told = "";
  private present = new Map<string, string>();
  private shownPeople = 0;
  private news = { come: new Set<string>(), gone: new Set<string>() };
  private newsTimer: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** The page has been waited for so long that it takes a word. */
  private late = false;

  constructor() {
    super();
    this.spoken = "";
    new Localized(this);
  }

  /** Whether the page is on the screen already. */
  protected abstract get shown(): boolean;
  /** The page as plain text. */
  protected abstract text(): string;
  /** Makes what shows the page, as soon as there is something to show. */
  protected abstract mount(): void;
  /** Takes it away. */
  protected abstract unmount(): void;
  protected receiving(): void {}
  /** The state may have changed. */
  protected followed(): void {}
  protected writersChanged(): void {}

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("beforeunload", this.leave);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("beforeunload", this.leave);
    this.close();
  }

  protected override updated(changed: Map<string, unknown>): void {
    // An update may still be due when the element has just been removed.
    if (!this.isConnected) return;
    if (!this.session && this.page && this.me && this.socket) this.openPage();
    else if (changed.has("page") && changed.get("page")) this.session?.pageChanged(this.page);
    this.mount();
  }

  private openPage(): void {
    this.present.clear();
    this.writers = { whose: {}, names: {} };
    this.late = false;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      this.late = true;
      this.requestUpdate();
    }, PATIENCE_MS);
    this.session = new PageSession(this.page, this.me.id, this.socket, {
      receiving: () => this.receiving(),
      changed: () => this.stateChanged(),
      people: () => this.peopleChanged(),
    });
    this.requestUpdate();
  }

  private close(): void {
    clearTimeout(this.newsTimer);
    this.newsTimer = undefined;
    clearTimeout(this.patience);
    this.unmount();
    this.session?.close();
    this.session = null;
  }

  private stateChanged(): void {
    const { session } = this;
    if (!session) return;
    const { state } = session;
    const key = JSON.stringify(state);
    const news = key !== this.told;
    if (news) {
      const loud = !QUIET.test(key) || !QUIET.test(this.told);
      this.told = key;
      this.dispatchEvent(new CustomEvent("editor-state", { detail: state, bubbles: true }));
      if (loud) this.spoken = `${this.pillWords(state)}. ${this.sentence(state)}`;
    }
    this.followed();
    if (news || !this.shown) this.requestUpdate();
  }

  // People

  private get people(): Somebody[] {
    return this.session ? everybody(this.session.awareness, this.me) : [];
  }

  protected peopleChanged(): void {
    const { people } = this;
    const now = new Map(people.filter((each) => each.id !== this.me.id).map(({ id, name }) => [id, name]));
    const come = [...now].filter(([id]) => !this.present.has(id));
    const gone = [...this.present].filter(([id]) => !now.has(id));
    if (!come.length && !gone.length && people.length === this.shownPeople) return;
    this.present = now;
    this.shownPeople = people.length;
    for (const [, name] of come) if (!this.news.gone.delete(name)) this.news.come.add(name);
    for (const [, name] of gone) if (!this.news.come.delete(name)) this.news.gone.add(name);
    this.tellSoon();
    this.requestUpdate();
  }

  protected tellSoon(): void {
    this.newsTimer ??= setTimeout(() => {
      this.newsTimer = undefined;
      const said = this.takeNews();
      if (said && isSpoken()) this.spoken = said;
    }, GATHER);
  }

  /** What is to be read out, and is read out once. */
  protected takeNews(): string {
    const { come, gone } = this.news;
    this.news = { come: new Set(), gone: new Set() };
    const said = [
      come.size ? t("editor.people.came", { names: list([...come]), count: come.size }) : "",
      gone.size ? t("editor.people.went", { names: list([...gone]), count: gone.size }) : "",
    ];
    return said.filter(Boolean).join(" ");
  }

  private openPeople = async (): Promise<void> => {
    const { showPeople } = await import("./panels.ts");
    void showPeople(
      () => this.people,
      this.me.id,
      isSpoken(),
      (spoken) => localStorage.setItem(SPOKEN, spoken ? "yes" : "no"),
    );
  };

  // Whose is what

  protected writers: Writers = { whose: {}, names: {} };
  /** Client ids that the server was asked about, with those it does not know. */
  private asked = new Set<string>();

  protected get staff(): boolean {
    return this.me.role === "teacher" || this.me.role === "admin";
  }

  protected mine = (client: string): boolean =>
    client === String(this.session?.doc.clientID) || this.writers.whose[client] === this.me.membership;

  protected nameOf = (by: string): string => this.writers.names[this.writers.whose[by] ?? ""] ?? "";

  protected learnWriters(client: string): void {
    if (this.asked.has(client)) return;
    this.asked.add(client);
    void this.fetchWriters().catch(() => this.asked.delete(client));
  }

  protected async fetchWriters(): Promise<void> {
    const { session } = this;
    const writers = await (await import("./writers.ts")).fetchWriters(this.page.id);
    if (session !== this.session) return;
    this.writers = writers;
    this.writersChanged(); // what is drawn rests on it
  }

  // Leaving and losing

  private leave = (event: BeforeUnloadEvent): void => {
    if (this.session?.wouldLose) event.preventDefault();
  };

  private async discard(): Promise<void> {
    const { session } = this;
    this.unmount();
    this.session = null;
    this.told = "";
    await session?.discard();
    this.requestUpdate();
  }

  private copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(this.text());
      this.spoken = t("editor.copy.done");
    } catch {
      saveCopy(this.page.title, this.text());
    }
  };

  // Drawing

  private pillWords({ state, reason }: PageState): string {
    const key = `editor.state.${state}.${reason}`;
    return t(reason && has(key) ? key : `editor.state.${state}`);
  }

  /** The whole sentence behind the pill, "" when the pill says it all. */
  private sentence({ state, reason, note, until }: PageState): string {
    if (state === "saved" || state === "saving" || state === "connecting") return "";
    const why = [`editor.why.${state}.${reason}`, `editor.why.${reason}`, `reason.${reason}`].find(has);
    const said = why ? t(why) : note || t(`editor.why.${state}`);
    const words = why && note && note !== said ? `${said} ${t("editor.note", { note })}` : said;
    return until ? `${words} ${t("editor.until", { time: moment(until) })}` : words;
  }

  /** Whether all is saved, and who is here. */
  protected status(more: TemplateResult | typeof nothing = nothing): TemplateResult {
    const state = this.session?.state;
    return html`<div class="ed-status">
          ${
            state
              ? html`<span class="ed-pill ${state.state}" data-state=${state.state} title=${this.sentence(state) || nothing}>
            ${icon(state.state === "connecting" ? "saving" : state.state)}<span>${this.pillWords(state)}</span></span>`
              : nothing
          }
          ${this.here()}
          ${more}
        </div>`;
  }

  /** What is read out, and what stands between the bar and the page. */
  protected notices(): TemplateResult {
    const { session } = this;
    return html`<p class="sr" role="status" aria-live="polite">${this.spoken}</p>
      ${session ? this.notice(session, session.state) : nothing}
      ${session && !session.open ? this.waiting() : nothing}`;
  }

  private here(): TemplateResult | typeof nothing {
    const count = this.people.length;
    if (!count) return nothing;
    return html`<button class="ed-here" type="button" aria-haspopup="dialog" @click=${this.openPeople}>
      ${icon("people")}<span>${t("editor.people.here", { count })}</span>
    </button>`;
  }

  private waiting(): TemplateResult {
    if (navigator.onLine && !this.late)
      return html`<div class="ed-wait" aria-busy="true"><i></i><i></i><i></i></div>`;
    const words = t(navigator.onLine ? "editor.late" : "editor.absent");
    return html`<p class="note wait" role="status">${icon("offline")}<span>${words}</span></p>`;
  }

  private notice(session: PageSession, state: PageState): TemplateResult | typeof nothing {
    // The frame of the page says who locked it and why, once it has heard of it.
    const said = this.page.lock !== null || this.page.scope !== "read-write";
    if (state.state === "readonly" && !(said && this.page.reason === state.reason)) {
      return html`<div class="note ed-note">${icon("readonly")}<div><p>${this.sentence(state)}</p>${this.again(session)}</div></div>`;
    }
    const serious =
      state.state === "not-saved" || (state.state === "offline" && state.reason === "no-device");
    if (!serious) return nothing;
    return html`<div class="note bad ed-note">
      ${icon("not-saved")}
      <div>
        <p>${this.sentence(state)}</p>
        ${
          session.offersCopy
            ? html`<p>${t("editor.copy.text")}</p>
                <div class="actions start">
                  <button class="button" type="button" @click=${this.copy}>${t("editor.copy.copy")}</button>
                  <button class="button" type="button" @click=${() => saveCopy(this.page.title, this.text())}>${t("editor.copy.file")}</button>
                  <button class="button" type="button" @click=${() => this.discard()}>${t("editor.copy.discard")}</button>
                </div>`
            : nothing
        }
      </div>
    </div>`;
  }

  /** A way on where the line to the page has ended. */
  private again(session: PageSession): TemplateResult | typeof nothing {
    if (session.state.reason === "reload") {
      return html`<button class="button" type="button" @click=${() => this.discard()}>${t("editor.reload")}</button>`;
    }
    return session.ended
      ? html`<button class="button" type="button" @click=${() => session.retry()}>${t("editor.retry")}</button>`
      : nothing;
  }
}
