import type { HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { dropCursor } from "prosemirror-dropcursor";
import { gapCursor } from "prosemirror-gapcursor";
import { type Command, EditorState, Plugin } from "prosemirror-state";
import { tableEditing } from "prosemirror-tables";
import { EditorView } from "prosemirror-view";
import type { Page } from "../api/types.ts";
import { has, list, moment, t } from "../i18n/index.ts";
import { Localized } from "../i18n/localized.ts";
import { toRelative } from "./binding/positions.ts";
import { Binding, bindingKey, settle } from "./binding/sync.ts";
import { insertImage, linkAt, removeLink, selectedImage, setLink, writeOn } from "./commands.ts";
import { plainText, saveCopy } from "./copies.ts";
import { cursors } from "./cursors.ts";
import { askImage, askLink } from "./dialogs.ts";
import { icon } from "./icons.ts";
import { keys, readable, SHORTCUTS } from "./keys.ts";
import { pasteLink, pasteParser, withoutStyles } from "./paste.ts";
import { everybody, type Somebody } from "./people.ts";
import type { Writers } from "./protecting.ts";
import { type Block, blocks, protection, type Rules, setProtected } from "./protection.ts";
import { PageSession } from "./session.ts";
import type { EditorState as PageState } from "./state.ts";
import { Toolbar } from "./toolbar.ts";
import { placeholder, views } from "./views.ts";

const HINT_MS = 6000;
const SPOKEN = "twinspace.speak-people";
/** News about people are gathered for so many ms before they are read out. */
const GATHER = 2500;
const TOOLS_FOLLOW = 80;
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

/** `<ts-editor>`: one page, live. Drawn into the page itself, so that its styles and print styles apply. */
export class PageEditor extends LitElement {
  static override properties = {
    document: { attribute: false },
    page: { attribute: false },
    me: { attribute: false },
    socket: { attribute: false },
    spoken: { state: true },
    hint: { state: true },
  };

  declare document: string;
  declare page: Page;
  declare me: Writer;
  declare socket: HocuspocusProviderWebsocket;
  /** The last thing to be read out by screen readers. */
  declare spoken: string;
  /** A word on why a key did nothing, for a while. */
  declare hint: string;

  private session: PageSession | null = null;
  private view: EditorView | null = null;
  private told = "";
  private wasFocused = false;
  private present = new Map<string, string>();
  private news = { come: new Set<string>(), gone: new Set<string>() };
  private newsTimer: ReturnType<typeof setTimeout> | undefined;
  private toolsTimer: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** The page has been waited for so long that it takes a word. */
  private late = false;
  private readonly toolbar = new Toolbar(
    {
      link: (_, dispatch) => this.link(!!dispatch),
      image: (_, dispatch) => this.image(!!dispatch),
      protect: (_, dispatch) => this.protect(!!dispatch),
    },
    () => this.requestUpdate(),
  );

  constructor() {
    super();
    this.spoken = "";
    this.hint = "";
    new Localized(this);
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("beforeunload", this.leave);
    window.visualViewport?.addEventListener("resize", this.keyboard);
    window.visualViewport?.addEventListener("scroll", this.keyboard);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("beforeunload", this.leave);
    window.visualViewport?.removeEventListener("resize", this.keyboard);
    window.visualViewport?.removeEventListener("scroll", this.keyboard);
    this.close();
  }

  protected override updated(changed: Map<string, unknown>): void {
    // An update may still be due when the element has just been removed.
    if (!this.isConnected) return;
    if (changed.has("document") && this.session) this.close();
    if (!this.session && this.page && this.me && this.socket) this.openPage();
    else if (changed.has("page") && changed.get("page")) this.session?.pageChanged(this.page);
    if (this.page?.block_owners && !this.owning) this.owning = this.learnToOwn();
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
      receiving: () => this.view && settle(this.view),
      changed: () => this.stateChanged(),
      people: () => this.peopleChanged(),
    });
    this.requestUpdate();
  }

  private close(): void {
    clearTimeout(this.newsTimer);
    this.newsTimer = undefined;
    clearTimeout(this.toolsTimer);
    this.toolsTimer = undefined;
    clearTimeout(this.patience);
    clearTimeout(this.hintTimer);
    this.view?.destroy();
    this.view = null;
    this.session?.close();
    this.session = null;
  }

  /** Makes the view as soon as there is something to show: what the device has, or what the server sent. */
  private mount(): void {
    const { session } = this;
    const place = this.querySelector<HTMLElement>(".ed-page");
    if (!session?.open || this.view || !place || (this.page.block_owners && !this.own)) return;
    const binding = new Binding(session.shared, () => session.writable);
    const actions = {
      link: ((_, dispatch) => this.link(!!dispatch)) as Command,
      toolbar: ((_, dispatch) => {
        if (dispatch) this.toolbar.focus(this);
        return true;
      }) as Command,
    };
    this.view = new EditorView(
      { mount: place },
      {
        state: EditorState.create({
          doc: binding.page,
          plugins: [
            binding.plugin,
            protection(this.rules), // before the keys: Enter means something else in a closed block
            ...keys(actions),
            cursors(session.awareness, binding),
            tableEditing(),
            gapCursor(),
            dropCursor({ color: false, class: "drop-cursor" }),
            placeholder(),
            new Plugin({ view: () => ({ update: (view, before) => this.moved(view.state, before) }) }),
          ],
        }),
        nodeViews: views,
        editable: () => session.writable,
        attributes: () => this.attributesOfPage(),
        scrollMargin: { top: 120, bottom: 120, left: 8, right: 8 },
        scrollThreshold: { top: 100, bottom: 100, left: 0, right: 0 },
        handleClick: (view, _, event) => this.follow(view, event) || below(view, event),
        transformPastedHTML: withoutStyles,
        clipboardParser: pasteParser,
        handlePaste: (view, event) => pasteLink(view, event),
        handleDOMEvents: { focus: () => this.focused(true), blur: () => this.focused(false) },
      },
    );
    this.requestUpdate();
  }

  /** The tools follow the caret, but not every stroke: working out what fits costs more than typing. */
  private moved(now: EditorState, before: EditorState): void {
    if (
      now.doc === before.doc &&
      now.selection.eq(before.selection) &&
      now.storedMarks === before.storedMarks
    )
      return;
    this.toolsTimer ??= setTimeout(() => {
      this.toolsTimer = undefined;
      this.requestUpdate();
    }, TOOLS_FOLLOW);
  }

  private attributesOfPage(): Record<string, string> {
    // Translated by the browser, the page would be written back in the other language, for everybody.
    const shared = {
      translate: "no",
      "aria-label": t("editor.label", { title: this.page.title }),
    };
    return this.session?.writable
      ? {
          ...shared,
          role: "textbox",
          "aria-multiline": "true",
          "aria-describedby": "ed-tab",
          spellcheck: "true",
        }
      : { ...shared, role: "article", tabindex: "0" };
  }

  private focused(focused: boolean): boolean {
    if (this.session?.writable) this.wasFocused = focused;
    return false;
  }

  private stateChanged(): void {
    const { session, view } = this;
    if (!session) return;
    const { state } = session;
    const key = JSON.stringify(state);
    const news = key !== this.told;
    if (news) {
      const first = !this.told;
      const quiet = (name: string) => name === "saved" || name === "saving" || name === "connecting";
      const before = first ? "saved" : (JSON.parse(this.told) as PageState).state;
      this.told = key;
      this.dispatchEvent(new CustomEvent("editor-state", { detail: state, bubbles: true }));
      if (!quiet(state.state) || !quiet(before))
        this.spoken = `${this.pillWords(state)}. ${this.sentence(state)}`;
    }
    // Its `editable` and attributes are asked again.
    if (view && view.editable !== session.writable) {
      const regain = session.writable && this.wasFocused && document.activeElement === document.body;
      view.setProps({ editable: () => session.writable });
      if (regain) view.focus();
      this.requestUpdate();
    }
    if (news || !view) this.requestUpdate();
  }

  // People

  private get people(): Somebody[] {
    return this.session ? everybody(this.session.awareness, this.me) : [];
  }

  private peopleChanged(): void {
    const { people } = this;
    const now = new Map(people.filter((each) => each.id !== this.me.id).map(({ id, name }) => [id, name]));
    const come = [...now].filter(([id]) => !this.present.has(id));
    const gone = [...this.present].filter(([id]) => !now.has(id));
    if (!come.length && !gone.length && people.length === this.shownPeople) return;
    this.present = now;
    this.shownPeople = people.length;
    for (const [, name] of come) if (!this.news.gone.delete(name)) this.news.come.add(name);
    for (const [, name] of gone) if (!this.news.come.delete(name)) this.news.gone.add(name);
    this.newsTimer ??= setTimeout(() => this.tellNews(), GATHER);
    this.dispatchEvent(new CustomEvent("editor-people", { detail: { people }, bubbles: true }));
    this.requestUpdate();
  }

  private shownPeople = 0;

  private tellNews(): void {
    this.newsTimer = undefined;
    const { come, gone } = this.news;
    this.news = { come: new Set(), gone: new Set() };
    if (localStorage.getItem(SPOKEN) === "no") return;
    const said = [
      come.size ? t("editor.people.came", { names: list([...come]), count: come.size }) : "",
      gone.size ? t("editor.people.went", { names: list([...gone]), count: gone.size }) : "",
    ];
    this.spoken = said.filter(Boolean).join(" ");
  }

  private openPeople = async (): Promise<void> => {
    const { showPeople } = await import("./panels.ts");
    void showPeople(
      () => this.people,
      this.me.id,
      localStorage.getItem(SPOKEN) !== "no",
      (spoken) => localStorage.setItem(SPOKEN, spoken ? "yes" : "no"),
    );
  };

  private openHelp = async (): Promise<void> => {
    const { showHelp } = await import("./panels.ts");
    void showHelp(Object.entries(SHORTCUTS).map(([id, keys]) => [id, readable(keys)]));
  };

  // What the tools ask for

  private link(now: boolean): boolean {
    const { view } = this;
    if (!view?.editable || view.state.selection.$from.parent.type.spec.code) return false;
    if (now) void this.askLink(view);
    return true;
  }

  private async askLink(view: EditorView): Promise<void> {
    const known = linkAt(view.state);
    const answer = await askLink(known?.href ?? null, !known && view.state.selection.empty);
    if (view.isDestroyed) return;
    if (answer?.remove) removeLink(view.state, view.dispatch);
    else if (answer) setLink(answer.href, answer.text)(view.state, view.dispatch);
    view.focus();
  }

  private image(now: boolean): boolean {
    const { view } = this;
    if (!view?.editable || view.state.selection.$from.parent.type.spec.code) return false;
    if (now) void this.askImage(view);
    return true;
  }

  private async askImage(view: EditorView): Promise<void> {
    const known = selectedImage(view.state)?.attrs as { src: string; alt: string } | undefined;
    const answer = await askImage(known ?? null);
    if (view.isDestroyed) return;
    if (answer) insertImage(answer)(view.state, view.dispatch);
    view.focus();
  }

  // Protected blocks

  private writers: Writers = { whose: {}, names: {} };
  /** Client ids that the server was asked about, with those it does not know. */
  private asked = new Set<string>();
  private hintTimer: ReturnType<typeof setTimeout> | undefined;

  private get staff(): boolean {
    return this.me.role === "teacher" || this.me.role === "admin";
  }

  private mine = (client: string): boolean =>
    client === String(this.session?.doc.clientID) || this.writers.whose[client] === this.me.membership;

  private readonly rules: Rules = {
    closed: (by) => !this.staff && !this.mine(by),
    label: (by) => {
      if (this.mine(by)) return t("editor.protect.by-me");
      if (/^\d+$/.test(by) && !(by in this.writers.whose)) this.learnWriters(by);
      const name = this.nameOf(by);
      return name ? t("editor.protect.by", { name }) : t("editor.protect.by-teachers");
    },
    refused: () => {
      this.hint = this.spoken = t("editor.protect.hint");
      clearTimeout(this.hintTimer);
      this.hintTimer = setTimeout(() => {
        this.hint = "";
      }, HINT_MS);
    },
    own: (done, before, now) => {
      const { session, view, page } = this;
      const fresh = page.block_owners && view ? bindingKey.getState(view.state)?.fresh(now.doc) : undefined;
      if (!session || !fresh?.size) return;
      this.own?.({ me: String(session.doc.clientID), fresh, closed: this.rules.closed }, done, before, now);
    },
  };

  private owning: Promise<void> | undefined;
  private own: typeof import("./owning.ts").own | undefined;

  /** Only where blocks have owners is this loaded. Without it, my blocks would be open. */
  private async learnToOwn(): Promise<void> {
    this.own = (await import("./owning.ts").catch(() => undefined))?.own ?? (() => {});
    this.requestUpdate();
  }

  private nameOf = (by: string): string => this.writers.names[this.writers.whose[by] ?? ""] ?? "";

  private learnWriters(client: string): void {
    if (this.asked.has(client)) return;
    this.asked.add(client);
    void this.fetchWriters().catch(() => this.asked.delete(client));
  }

  private async fetchWriters(): Promise<void> {
    const { session } = this;
    const writers = await (await import("./protecting.ts")).fetchWriters(this.page.id);
    if (session !== this.session) return;
    this.writers = writers;
    this.view?.dispatch(this.view.state.tr); // what is drawn rests on it
  }

  private protect(now: boolean): boolean {
    const { view } = this;
    if (!view?.editable) return false;
    const open = blocks(view.state).filter(({ node: { attrs } }) => {
      return attrs.protected !== undefined && !(attrs.protected && this.rules.closed(attrs.protected));
    });
    if (now && open.length) void this.askProtection(view, open);
    return open.length > 0;
  }

  private async askProtection(view: EditorView, open: Block[]): Promise<void> {
    const { choose } = await import("./protecting.ts");
    const { session, staff, mine, nameOf } = this;
    const slots = bindingKey.getState(view.state)?.drawing.get(session?.shared)?.slots ?? [];
    const me = staff ? "" : String(session?.doc.clientID);
    const answer = await choose(open, slots, { me, mine, nameOf, learn: () => this.fetchWriters() });
    if (view.isDestroyed) return;
    if (answer) view.dispatch(setProtected(view.state, answer.places, answer.by));
    view.focus();
  }

  /** While writing, a link is followed with Ctrl or Cmd; a page that is only read has ordinary links. */
  private follow(view: EditorView, event: MouseEvent): boolean {
    const link = (event.target as Element).closest?.("a[href]");
    if (!link || !view.editable || !(event.ctrlKey || event.metaKey)) return false;
    open((link as HTMLAnchorElement).href, "_blank", "noopener,noreferrer");
    return true;
  }

  // Who wrote it

  /** The sentence at a point of the window, or at the caret. */
  sentenceAt(point?: { left: number; top: number }): Sentence | null {
    const { view } = this;
    const binding = view && bindingKey.getState(view.state);
    if (!view || !binding) return null;
    settle(view);
    const at = point ? view.posAtCoords(point)?.pos : this.caret(view);
    if (at === undefined || at > view.state.doc.content.size) return null;
    const place = view.state.doc.resolve(at);
    if (!place.parent.isTextblock) return null;
    const text = place.parent.textBetween(0, place.parent.content.size, undefined, "\uFFFC");
    const [from, to] = sentenceIn(text, place.parentOffset);
    const clients = new Set<string>();
    for (let offset = from; offset < to; offset++) {
      const { item } = toRelative(binding.drawing, place.start() + offset + 1);
      if (item && text[offset]?.trim()) clients.add(String(item.client));
    }
    const words = text.slice(from, to).replaceAll("\uFFFC", "").trim();
    return words ? { text: words, clients: [...clients] } : null;
  }

  /** Where the caret is; on a page that is only read, where somebody has tapped. */
  private caret(view: EditorView): number | undefined {
    if (view.editable) return view.state.selection.head;
    const selection = document.getSelection();
    const node = selection?.anchorNode;
    return node && view.dom.contains(node) ? view.posAtDOM(node, selection.anchorOffset) : undefined;
  }

  // Leaving and losing

  private leave = (event: BeforeUnloadEvent): void => {
    if (this.session?.wouldLose) event.preventDefault();
  };

  /** Keeps the tools above the keyboard on the screen. */
  private keyboard = (): void => {
    const { visualViewport: seen } = window;
    const hidden = seen ? Math.max(0, innerHeight - seen.height - seen.offsetTop) : 0;
    this.style.setProperty("--keyboard", `${Math.round(hidden)}px`);
  };

  private text(): string {
    return this.view ? plainText(this.view.state.doc) : "";
  }

  private async discard(): Promise<void> {
    const { session } = this;
    this.view?.destroy();
    this.view = null;
    this.session = null;
    this.told = "";
    await session?.discard();
    this.requestUpdate();
  }

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

  protected override render(): TemplateResult {
    const { session, view } = this;
    const state = session?.state;
    const writable = session?.writable ?? false;
    return html`<div class="ed-bar ${writable ? "writable" : ""}">
        ${writable && view ? this.toolbar.render(view) : nothing}
        ${this.hint ? html`<p class="ed-hint">${icon("protect")}<span>${this.hint}</span></p>` : nothing}
        <div class="ed-status">
          ${
            state
              ? html`<span class="ed-pill ${state.state}" data-state=${state.state} title=${this.sentence(state) || nothing}>
            ${icon(state.state === "connecting" ? "saving" : state.state)}<span>${this.pillWords(state)}</span></span>`
              : nothing
          }
          ${this.here()}
          ${writable ? html`<button class="ed-tool" type="button" aria-haspopup="dialog" aria-label=${t("editor.help.title")} title=${t("editor.help.title")} @click=${this.openHelp}>${icon("help")}</button>` : nothing}
        </div>
      </div>
      <p class="sr" id="ed-tab">${t("editor.help.tab")}</p>
      <p class="sr" role="status" aria-live="polite">${this.spoken}</p>
      ${state ? this.notice(state) : nothing}
      ${session && !session.open ? this.waiting() : nothing}
      <div class="ed-page" ?hidden=${!session?.open}></div>`;
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

  private notice(state: PageState): TemplateResult | typeof nothing {
    const { session } = this;
    if (!session) return nothing;
    // The frame of the page says who locked it and why, once it has heard of it.
    const said = this.page.lock !== null || this.page.scope !== "read-write";
    if (state.state === "readonly" && !(said && this.page.reason === state.reason)) {
      return html`<div class="note ed-note">${icon("readonly")}<div><p>${this.sentence(state)}</p>${this.again()}</div></div>`;
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
  private again(): TemplateResult | typeof nothing {
    const reason = this.session?.state.reason;
    if (reason === "reload") {
      return html`<button class="button" type="button" @click=${() => this.discard()}>${t("editor.reload")}</button>`;
    }
    return this.session?.ended
      ? html`<button class="button" type="button" @click=${() => this.session?.retry()}>${t("editor.retry")}</button>`
      : nothing;
  }

  private copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(this.text());
      this.spoken = t("editor.copy.done");
    } catch {
      saveCopy(this.page.title, this.text());
    }
  };
}

/** From where to where the sentence goes in which `at` lies. */
function sentenceIn(text: string, at: number): [number, number] {
  let from = 0;
  for (const { index, 0: found } of text.matchAll(/[^.!?…]+[.!?…]*\s*/g)) {
    from = index;
    if (at < index + found.length) return [index, index + found.length];
  }
  return [from, text.length];
}

/** A tap below the last block goes on writing there. */
function below(view: EditorView, event: MouseEvent): boolean {
  const last = view.dom.lastElementChild?.getBoundingClientRect();
  return view.editable && !!last && event.clientY > last.bottom && writeOn(view.state, view.dispatch);
}
