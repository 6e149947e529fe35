import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { gapCursor } from "prosemirror-gapcursor";
import { type Command, EditorState, Plugin, type PluginView } from "prosemirror-state";
import { tableEditing } from "prosemirror-tables";
import { EditorView } from "prosemirror-view";
import { t } from "../i18n/index.ts";
import { toRelative } from "./binding/positions.ts";
import { Binding, bindingKey, settle } from "./binding/sync.ts";
import { insertImage, linkAt, removeLink, selectedImage, setLink, writeOn } from "./commands.ts";
import { plainText } from "./copies.ts";
import { cursors } from "./cursors.ts";
import { icon } from "./icons.ts";
import { keys, readable, SHORTCUTS } from "./keys.ts";
import { LivePage, type Sentence } from "./live.ts";
import { pasteLink, pasteParser, withoutStyles } from "./paste.ts";
import { type Block, blocks, protection, type Rules, setProtected } from "./protection.ts";
import { Toolbar } from "./toolbar.ts";
import { allowedImage, typedLink } from "./urls.ts";
import { placeholder, views } from "./views.ts";

const HINT_MS = 6000;
const TOOLS_FOLLOW = 80;

/** `<ts-editor>`: one page of text, live. */
export class PageEditor extends LivePage {
  static override properties: PropertyDeclarations = {
    hint: { state: true },
  };

  /** A word on why a key did nothing, for a while. */
  declare hint: string;

  private view: EditorView | null = null;
  private wasFocused = false;
  private toolsTimer: ReturnType<typeof setTimeout> | undefined;
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
    this.hint = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.visualViewport?.addEventListener("resize", this.keyboard);
    window.visualViewport?.addEventListener("scroll", this.keyboard);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.visualViewport?.removeEventListener("resize", this.keyboard);
    window.visualViewport?.removeEventListener("scroll", this.keyboard);
  }

  protected override get shown(): boolean {
    return this.view !== null;
  }

  protected override receiving(): void {
    if (this.view) settle(this.view);
  }

  protected override unmount(): void {
    clearTimeout(this.toolsTimer);
    this.toolsTimer = undefined;
    clearTimeout(this.hintTimer);
    this.hint = "";
    this.view?.destroy();
    this.view = null;
  }

  /** Makes the view as soon as there is something to show: what the device has, or what the server sent. */
  protected override mount(): void {
    if (this.page?.block_owners && !this.owning) this.owning = this.learnToOwn();
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
            dropping(),
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

  protected override followed(): void {
    const { session, view } = this;
    // Its `editable` and attributes are asked again.
    if (session && view && view.editable !== session.writable) {
      const regain = session.writable && this.wasFocused && document.activeElement === document.body;
      view.setProps({ editable: () => session.writable });
      if (regain) view.focus();
      this.requestUpdate();
    }
  }

  private openHelp = async (): Promise<void> => {
    const { showHelp } = await import("./panels.ts");
    void showHelp(Object.entries(SHORTCUTS).map(([id, keys]) => [id, readable(keys)]));
  };

  // What the tools ask for

  private link(now: boolean): boolean {
    return this.asks(now, async (view) => {
      const { askLink } = await import("./dialogs.ts");
      const known = linkAt(view.state);
      const answer = await askLink(typedLink, known?.href ?? null, !known && view.state.selection.empty);
      if (view.isDestroyed) return;
      if (answer?.remove) removeLink(view.state, view.dispatch);
      else if (answer) setLink(answer.href, answer.text)(view.state, view.dispatch);
    });
  }

  private image(now: boolean): boolean {
    return this.asks(now, async (view) => {
      const { askImage } = await import("./dialogs.ts");
      const known = selectedImage(view.state)?.attrs as { src: string; alt: string } | undefined;
      const answer = await askImage(allowedImage, known ?? null);
      if (answer && !view.isDestroyed) insertImage(answer)(view.state, view.dispatch);
    });
  }

  /** Whether something can be asked for where the caret is; does it `now`. */
  private asks(now: boolean, ask: (view: EditorView) => Promise<void>): boolean {
    const { view } = this;
    if (!view?.editable || view.state.selection.$from.parent.type.spec.code) return false;
    if (now) void ask(view).then(() => view.isDestroyed || view.focus());
    return true;
  }

  // Protected blocks

  private hintTimer: ReturnType<typeof setTimeout> | undefined;

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

  protected override writersChanged(): void {
    this.view?.dispatch(this.view.state.tr);
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

  /** Keeps the tools above the keyboard on the screen. */
  private keyboard = (): void => {
    const { visualViewport: seen } = window;
    const hidden = seen ? Math.max(0, innerHeight - seen.height - seen.offsetTop) : 0;
    this.style.setProperty("--keyboard", `${Math.round(hidden)}px`);
  };

  protected override text(): string {
    return this.view ? plainText(this.view.state.doc) : "";
  }

  // Drawing

  protected override render(): TemplateResult {
    const { session, view } = this;
    const writable = session?.writable ?? false;
    return html`<div class="ed-bar ${writable ? "writable" : ""}">
        ${writable && view ? this.toolbar.render(view) : nothing}
        ${this.hint ? html`<p class="ed-hint">${icon("protect")}<span>${this.hint}</span></p>` : nothing}
        ${this.status(
          writable
            ? html`<button class="ed-tool" type="button" aria-haspopup="dialog" aria-label=${t("editor.help.title")} title=${t("editor.help.title")} @click=${this.openHelp}>${icon("help")}</button>`
            : nothing,
        )}
      </div>
      <p class="sr" id="ed-tab">${t("editor.help.tab")}</p>
      ${this.notices()}
      <div class="ed-page" ?hidden=${!session?.open}></div>`;
  }
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

/** Where what is dragged would land; what shows it is loaded when something is dragged. */
function dropping(): Plugin {
  let mark: PluginView | undefined;
  return new Plugin({
    view: (view) => {
      const begin = async () => {
        const { dropMark } = await import("./dropping.ts");
        if (!view.isDestroyed) mark ??= dropMark(view);
      };
      view.dom.addEventListener("dragenter", () => void begin().catch(() => {}), { once: true });
      return {
        update: (now, before) => mark?.update?.(now, before),
        destroy: () => mark?.destroy?.(),
      };
    },
  });
}

/** A tap below the last block goes on writing there. */
function below(view: EditorView, event: MouseEvent): boolean {
  const last = view.dom.lastElementChild?.getBoundingClientRect();
  return view.editable && !!last && event.clientY > last.bottom && writeOn(view.state, view.dispatch);
}
