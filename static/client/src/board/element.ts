import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import * as Y from "yjs";
import { LivePage, type Sentence } from "../editor/live.ts";
import { readSomebody } from "../editor/people.ts";
import { t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { drag } from "./drag.ts";
import { icon } from "./icons.ts";
import {
  addCard,
  addColumn,
  arranged,
  type Card,
  COLORS,
  type Color,
  type Column,
  keyOf,
  LONGEST_CARD,
  LONGEST_TITLE,
  moveCard,
  moveColumn,
  plain,
  remove,
  takesCards,
} from "./model.ts";
import { apply, change, wordsOf, writersOf } from "./text.ts";
import { Typing } from "./typing.ts";

const VIEW = "twinspace.board-view";
const COLOR = "twinspace.card-color";
/** The server may hear of a writer a moment after everybody else. */
const ASK_AGAIN_MS = [1000, 4000, 15_000];

type Look = "board" | "list";
const NARROW = "(max-width: 40rem)";

/** `<ts-board>`: one page of cards in columns, live. */
export class PageBoard extends LivePage {
  static override properties: PropertyDeclarations = {
    editing: { state: true },
    look: { state: true },
  };

  /** Key of the card whose words I am writing, or "". */
  declare editing: string;
  declare look: Look;

  private columns: Column[] = [];
  private dirty = false;
  private undoing: Y.UndoManager | null = null;
  private typing: Typing | null = null;
  /** The card that I have just made: without a word it goes again. */
  private fresh = "";
  /** Key of the card that gets the focus when it is drawn. */
  private focusOn = "";
  private held: Element | null = null;
  private drawing = false;
  private dragging: (() => void) | null = null;
  private open = new Set<string>();
  private done = { added: new Set<string>(), moved: new Set<string>(), changed: new Set<string>(), gone: 0 };
  private asking: ReturnType<typeof setTimeout> | undefined;
  private tries = new Map<string, number>();

  constructor() {
    super();
    this.editing = "";
    const kept = localStorage.getItem(VIEW);
    this.look = kept === "board" || kept === "list" ? kept : matchMedia(NARROW).matches ? "list" : "board";
  }

  protected override get shown(): boolean {
    return this.undoing !== null;
  }

  protected override text(): string {
    return plain(this.columns);
  }

  protected override mount(): void {
    const { session } = this;
    if (!session?.open || this.undoing) return;
    this.undoing = new Y.UndoManager(session.shared, { trackedOrigins: new Set([this]) });
    this.undoing.on("stack-item-added", () => this.requestUpdate());
    session.shared.observeDeep(this.changed);
    void this.recallWriters();
    this.read();
    this.requestUpdate();
  }

  protected override unmount(): void {
    this.dragging?.();
    clearTimeout(this.asking);
    this.asking = undefined;
    this.session?.shared.unobserveDeep(this.changed);
    this.undoing?.destroy();
    this.undoing = this.typing = null;
    this.editing = "";
    this.columns = [];
  }

  protected override receiving(): void {
    this.typing?.hold();
  }

  protected override followed(): void {
    const { session } = this;
    if (!session?.writable) {
      this.dragging?.();
      if (this.editing) this.endEditing();
    }
    if (session?.state.state === "offline") this.tries.clear();
    this.requestUpdate();
  }

  // The shared document

  private changed = (events: Y.YEvent<Y.XmlFragment>[], { local }: Y.Transaction): void => {
    if (!local) for (const event of events) this.note(event);
    this.dirty = true;
    this.requestUpdate();
  };

  /** News of others' cards. */
  private note(event: Y.YEvent<Y.XmlFragment>): void {
    const { target } = event;
    const { added, moved, changed } = this.done;
    if (target === this.session?.shared) {
      for (const { content } of event.changes.added)
        for (const each of content.getContent()) if (isCard(each)) added.add(keyOf(each));
      for (const { content } of event.changes.deleted)
        if ((content as { type?: unknown }).type instanceof Y.XmlElement) this.done.gone++;
    } else {
      let at: unknown = target;
      while (at instanceof Y.AbstractType && at.parent && at.parent !== this.session?.shared) at = at.parent;
      if (!isCard(at) || added.has(keyOf(at))) return;
      const places = event instanceof Y.YXmlEvent && (event.keys.has("place") || event.keys.has("column"));
      (at === target && places ? moved : changed).add(keyOf(at));
    }
    this.tellSoon();
  }

  protected override takeNews(): string {
    const { added, moved, changed, gone } = this.done;
    this.done = { added: new Set(), moved: new Set(), changed: new Set(), gone: 0 };
    const said = [
      super.takeNews(),
      added.size ? t("board.news.added", { count: added.size }) : "",
      moved.size ? t("board.news.moved", { count: moved.size }) : "",
      changed.size ? t("board.news.changed", { count: changed.size }) : "",
      gone ? t("board.news.gone", { count: gone }) : "",
    ];
    return said.filter(Boolean).join(" ");
  }

  private read(): void {
    if (!this.session) return;
    this.dirty = false;
    this.columns = arranged(this.session.shared);
    this.checkOpen();
    if (this.editing && !this.find(this.editing)) {
      this.endEditing();
      announce(t("board.removed"));
    }
  }

  /** What I could undo may have been closed meanwhile. */
  private checkOpen(): void {
    const now = new Set<string>();
    let shut = false;
    for (const { key, by, cards, shared } of this.columns) {
      for (const each of shared ? [{ key, by }, ...cards] : cards) {
        if (!this.closed(each.by)) now.add(each.key);
        else shut ||= this.open.has(each.key);
      }
    }
    if (shut) this.undoing?.clear();
    this.open = now;
  }

  private write(make: () => void): void {
    if (this.session?.writable) this.session.doc.transact(make, this);
  }

  private find(key: string): { card: Card; column: Column; index: number } | undefined {
    if (this.dirty) this.read();
    for (const column of this.columns) {
      const index = column.cards.findIndex((card) => card.key === key);
      const card = column.cards[index];
      if (card) return { card, column, index };
    }
    return undefined;
  }

  // Whose is what

  private closed(by: string): boolean {
    return by !== "" && !this.staff && !this.mine(by);
  }

  private may(by: string): boolean {
    return (this.session?.writable ?? false) && !this.closed(by);
  }

  /** "" as long as nobody knows. */
  private maker(by: string): string {
    if (!by) return "";
    if (this.mine(by)) return this.me.name;
    if (by === "teachers") return t("board.teachers");
    if (!(by in this.writers.whose)) this.askSoon(by);
    return this.nameOf(by) || (by in this.writers.whose ? t("board.left") : "");
  }

  private askSoon(client: string): void {
    const tries = this.tries.get(client) ?? 0;
    if (this.asking || tries >= ASK_AGAIN_MS.length) return;
    this.asking = setTimeout(
      () => {
        this.asking = undefined;
        const unknown = this.columns.flatMap(({ cards }) => cards.map(({ by }) => by));
        for (const by of unknown)
          if (!(by in this.writers.whose)) this.tries.set(by, (this.tries.get(by) ?? 0) + 1);
        void this.fetchWriters().catch(() => {});
      },
      tries ? ASK_AGAIN_MS[tries] : 300,
    );
  }

  /** Without a network this device says whose cards are whose. */
  private async recallWriters(): Promise<void> {
    const { session } = this;
    const { knownWriters } = await import("../editor/writers.ts");
    const known = await knownWriters(this.page.id);
    if (!known || session !== this.session || Object.keys(this.writers.whose).length) return;
    this.writers = known;
    this.requestUpdate();
  }

  protected override writersChanged(): void {
    this.requestUpdate();
  }

  /** Who else is writing in a card. */
  private writersAt(key: string): { name: string; color: string }[] {
    const { session } = this;
    if (!session) return [];
    const found = new Map<string, { name: string; color: string }>();
    for (const [client, state] of session.awareness.getStates()) {
      if (client === session.doc.clientID || (state as { card?: unknown }).card !== key) continue;
      const somebody = readSomebody(client, state);
      if (somebody) found.set(somebody.id, somebody);
    }
    return [...found.values()];
  }

  protected override peopleChanged(): void {
    super.peopleChanged();
    this.requestUpdate();
  }

  /** The words under a point of the window or in the card that has the focus, and who wrote them. */
  sentenceAt(point?: { left: number; top: number }): Sentence | null {
    const at = point ? document.elementFromPoint(point.left, point.top) : document.activeElement;
    const found = this.find(at?.closest<HTMLElement>(".bd-card")?.dataset.card ?? "");
    const words = found?.card.words.replace(/\s+/g, " ");
    return found && words ? { text: words, clients: writersOf(found.card.shared) } : null;
  }

  // Writing

  private edit(key: string): void {
    const found = this.find(key);
    if (!found || this.editing === key) return;
    if (!this.may(found.card.by)) {
      this.refuse(found.card.by);
      return;
    }
    this.editing = key;
    this.session?.awareness.setLocalStateField("card", key);
  }

  private endEditing(focus = false): void {
    const { editing: key, fresh } = this;
    this.typing = null;
    this.editing = "";
    this.fresh = "";
    this.session?.awareness.setLocalStateField("card", null);
    const found = key ? this.find(key) : undefined;
    const { session } = this;
    if (session?.writable && found && key === fresh && !found.card.words) {
      session.doc.transact(() => remove(session.shared, found.card.shared));
      if (focus) this.querySelector<HTMLElement>(`[data-column="${found.column.key}"] .bd-add`)?.focus();
      return;
    }
    this.undoing?.stopCapturing();
    if (focus) this.focusOn = key;
  }

  private blurred = (event: FocusEvent): void => {
    // The window has lost the focus, or the card was only drawn at another place.
    if (this.drawing || !document.hasFocus() || event.target !== this.typing?.field) return;
    this.endEditing();
  };

  private refuse(by: string): void {
    if (!this.session?.writable) return;
    const name = this.nameOf(by);
    this.say(by === "teachers" || !name ? t("board.closed-teachers") : t("board.closed-by", { name }));
  }

  /** Said at once, also if it was said just before. */
  private say(words: string): void {
    announce(words, { heard: true });
  }

  private add(column: Column): void {
    const { session } = this;
    if (!session?.writable) return;
    this.undoing?.stopCapturing();
    const kept = localStorage.getItem(COLOR) as Color;
    const color = COLORS.includes(kept) ? kept : "yellow";
    let made: Y.XmlElement | undefined;
    this.write(() => {
      made = addCard(session.shared, column, color, String(session.doc.clientID));
    });
    if (!made) return;
    const key = keyOf(made);
    this.edit(key);
    this.fresh = key;
  }

  private async addColumn(): Promise<void> {
    const { session } = this;
    const { askTitle } = await import("./dialogs.ts");
    const title = await askTitle("", LONGEST_TITLE);
    if (!title || session !== this.session) return;
    this.undoing?.stopCapturing();
    this.write(() => session && addColumn(session.shared, title, this.staff ? "teachers" : ""));
  }

  private step(back: boolean): void {
    if (!this.session?.writable) return;
    this.typing?.release();
    const done = back ? this.undoing?.undo() : this.undoing?.redo();
    this.say(done ? t(back ? "board.undone" : "board.redone") : t("board.nothing"));
  }

  // Moving

  private move(key: string, columnKey: string, index: number): void {
    const found = this.find(key);
    const column = this.columns.find((each) => each.key === columnKey);
    if (!found || !column || !takesCards(column)) return;
    if (!this.may(found.card.by)) {
      this.refuse(found.card.by);
      return;
    }
    const others = column.cards.filter((card) => card.key !== key);
    const place = Math.max(0, Math.min(index, others.length));
    if (column !== found.column || place !== found.index) {
      this.undoing?.stopCapturing();
      this.write(() => moveCard(found.card, column, place));
      this.undoing?.stopCapturing();
    }
    this.focusOn = key;
    this.requestUpdate();
    this.tellPlace(key);
  }

  private tellPlace(key: string): void {
    const now = this.find(key);
    if (!now) return;
    const place = { count: now.index + 1, of: now.column.cards.length };
    const { shared } = now.column;
    this.say(
      shared
        ? t("board.moved", { column: this.titleOf(now.column), ...place })
        : t("board.moved-loose", place),
    );
  }

  /** With Alt and an arrow. */
  private shift(key: string, arrow: string): void {
    const found = this.find(key);
    if (!found) return;
    const { column, index } = found;
    if (arrow === "ArrowUp" || arrow === "ArrowDown") {
      this.move(key, column.key, index + (arrow === "ArrowUp" ? -1 : 1));
      return;
    }
    const row = this.targets(column);
    const next = row[row.indexOf(column) + (arrow === "ArrowLeft" ? -1 : 1)];
    if (next) this.move(key, next.key, index);
    else this.tellPlace(key);
  }

  private grab(event: PointerEvent, key: string): void {
    const target = event.target as Element;
    const touch = event.pointerType !== "mouse";
    if (event.button !== 0 || this.dragging || this.editing === key || target.closest("button, textarea"))
      return;
    // A finger on the words scrolls the page.
    if (touch && !target.closest(".bd-grip")) return;
    const card = target.closest<HTMLElement>(".bd-card");
    const found = this.find(key);
    if (!card || !found || !this.may(found.card.by)) return;
    if (!touch) event.preventDefault(); // no selecting of text meanwhile
    card.focus({ preventScroll: true });
    const over = () => {
      this.dragging = null;
      removeEventListener("pointerup", over);
    };
    const cancel = drag(event, card, this, (drop) => {
      over();
      if (drop) this.move(key, drop.column, drop.index);
      else this.say(t("board.not-moved"));
    });
    this.dragging = () => {
      over();
      cancel();
    };
    addEventListener("pointerup", over);
    addEventListener("pointercancel", over, { once: true });
  }

  private cardKey = (event: KeyboardEvent, key: string): void => {
    if (event.target !== event.currentTarget) return;
    if (event.altKey && event.key.startsWith("Arrow")) {
      event.preventDefault();
      this.shift(key, event.key);
    } else if (event.key === "Enter" || event.key === "F2") {
      event.preventDefault();
      this.edit(key);
    } else if (event.key === "Delete") this.removeCard(key);
  };

  private fieldKey = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      event.stopPropagation();
      this.endEditing(true);
    }
  };

  private boardKey = (event: KeyboardEvent): void => {
    const letter = event.key.toLowerCase();
    if (event.isComposing || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    if (letter === "z" || letter === "y") {
      event.preventDefault();
      this.step(letter === "z" && !event.shiftKey);
    }
  };

  private removeCard(key: string): void {
    const found = this.find(key);
    if (!found || !this.session) return;
    if (!this.may(found.card.by)) {
      this.refuse(found.card.by);
      return;
    }
    const { column, index } = found;
    const next = column.cards[index + 1] ?? column.cards[index - 1];
    const { shared } = this.session;
    this.undoing?.stopCapturing();
    this.write(() => remove(shared, found.card.shared));
    this.undoing?.stopCapturing();
    this.focusOn = next?.key ?? column.key;
    announce(t("board.card-gone"));
  }

  private async cardMenu(key: string): Promise<void> {
    const found = this.find(key);
    if (!found) return;
    const { askCard, askPlace } = await import("./dialogs.ts");
    const answer = await askCard(found.card, COLORS);
    if (!answer) return;
    if (answer === "write") this.edit(key);
    else if (answer === "remove") this.removeCard(key);
    else if (answer === "move") {
      const now = this.find(key);
      const place =
        now &&
        (await askPlace(this.targets(now.column), now.column, now.index, (each) => this.titleOf(each)));
      if (place) this.move(key, place.column, place.index);
    } else {
      const now = this.find(key);
      localStorage.setItem(COLOR, answer.color);
      if (now && this.may(now.card.by)) this.write(() => now.card.shared.setAttribute("color", answer.color));
      this.focusOn = key;
      this.requestUpdate();
    }
  }

  private async columnMenu(key: string): Promise<void> {
    const current = () => {
      if (this.dirty) this.read();
      return this.columns.find((each) => each.key === key);
    };
    const first = current();
    if (!first?.shared) return;
    const { askColumn, askTitle, sureToRemove } = await import("./dialogs.ts");
    const row = this.columns.filter(({ shared }) => shared);
    const at = row.indexOf(first);
    const answer = await askColumn(this.titleOf(first), at > 0, at < row.length - 1);
    let title: string | undefined;
    if (answer === "rename") title = await askTitle(wordsOf(first.shared), LONGEST_TITLE);
    if (answer === "remove" && first.cards.length && !(await sureToRemove(this.titleOf(first)))) return;
    const column = current();
    const shared = column?.shared;
    if (!answer || !column || !shared || !this.may(column.by)) return;
    const { columns } = this;
    this.undoing?.stopCapturing();
    this.write(() => {
      if (answer === "rename") {
        const made = title && change(wordsOf(shared), title);
        if (made) apply(shared, made);
      } else if (answer === "remove") remove(this.session?.shared as Y.XmlFragment, shared);
      else {
        const places = columns.filter((each) => each.shared);
        moveColumn(columns, column, places.indexOf(column) + (answer === "before" ? -1 : 1));
      }
    });
    this.undoing?.stopCapturing();
    if (answer === "before" || answer === "after") {
      const now = current();
      const places = this.columns.filter((each) => each.shared);
      if (now) this.say(t("board.column-moved", { count: places.indexOf(now) + 1, of: places.length }));
    }
  }

  /** Where a card of this column can go. */
  private targets(from: Column): Column[] {
    return this.columns.filter((each) => takesCards(each) && (each.shared || each === from));
  }

  private titleOf({ shared, title }: Column): string {
    return shared ? title || t("board.untitled") : t("board.loose");
  }

  private setLook(look: Look): void {
    this.look = look;
    localStorage.setItem(VIEW, look);
  }

  // Drawing

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (this.dirty) this.read();
    else this.checkOpen();
  }

  /** What is moved in the page loses the focus, and gets it again. */
  protected override update(changed: PropertyValues): void {
    this.held = this.contains(document.activeElement) ? document.activeElement : null;
    this.drawing = true;
    super.update(changed);
    this.drawing = false;
  }

  protected override updated(changed: Map<string, unknown>): void {
    super.updated(changed);
    if (!this.isConnected) return;
    const { held, focusOn } = this;
    this.held = null;
    this.drawing = true;
    if (held?.isConnected && document.activeElement !== held)
      (held as HTMLElement).focus({ preventScroll: true });
    this.drawing = false;
    this.bindField();
    this.typing?.follow();
    this.grow();
    if (!focusOn) return;
    const place =
      this.querySelector<HTMLElement>(`[data-card="${focusOn}"]`) ??
      this.querySelector<HTMLElement>(`[data-column="${focusOn}"] .bd-add`);
    this.focusOn = "";
    place?.focus();
    place?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private bindField(): void {
    const field = this.querySelector<HTMLTextAreaElement>(".bd-field");
    const found = field && this.find(this.editing);
    if (!field || !found) {
      this.typing = null;
      return;
    }
    if (this.typing?.field === field && this.typing.shared === found.card.shared) return;
    this.typing = new Typing(found.card.shared, field, (make) => this.write(make));
    field.focus({ preventScroll: true });
    this.grow();
    field.closest("li")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private grow = (): void => {
    const field = this.typing?.field;
    if (!field) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  };

  protected override render(): TemplateResult {
    const writable = this.session?.writable ?? false;
    const columns = this.columns.filter(({ shared, cards }) => shared || cards.length);
    return html`<div class="ed-bar bd-bar" @keydown=${this.boardKey}>
        ${this.shown ? this.tools(writable) : nothing}
        ${this.status()}
      </div>
      <p class="sr" id="bd-keys">${t("board.keys")}</p>
      ${this.notices()}
      ${
        !this.shown
          ? nothing
          : columns.length
            ? html`<div class="bd-columns ${this.look}" @keydown=${this.boardKey}>
                ${repeat(
                  columns,
                  ({ key }) => key,
                  (column) => this.column(column, writable),
                )}
              </div>`
            : this.empty(writable)
      }`;
  }

  private tools(writable: boolean): TemplateResult {
    const tool = (sign: "undo" | "redo", usable: boolean, act: () => void) => html`<button
      class="button icon quiet"
      type="button"
      aria-label=${t(`board.${sign}`)}
      title=${t(`board.${sign}`)}
      aria-disabled=${usable ? nothing : "true"}
      @mousedown=${(event: Event) => event.preventDefault()}
      @click=${act}
    >
      ${icon(sign)}
    </button>`;
    const look = (name: Look) => html`<button
      class="button icon quiet"
      type="button"
      aria-pressed=${this.look === name}
      aria-label=${t(`board.look-${name}`)}
      title=${t(`board.look-${name}`)}
      @click=${() => this.setLook(name)}
    >
      ${icon(name)}
    </button>`;
    return html`<div class="bd-tools">
      ${
        writable
          ? html`<button class="button" type="button" aria-haspopup="dialog" aria-label=${t("board.add-column")} @click=${() => this.addColumn()}>${icon("plus")}${t("board.column")}</button>
            ${tool("undo", !!this.undoing?.canUndo(), () => this.step(true))}
            ${tool("redo", !!this.undoing?.canRedo(), () => this.step(false))}`
          : nothing
      }
      <div class="bd-look" role="group" aria-label=${t("board.look")}>${look("board")}${look("list")}</div>
    </div>`;
  }

  private empty(writable: boolean): TemplateResult {
    return html`<div class="empty bd-empty">
      <p>${t(writable ? "board.empty-write" : "board.empty")}</p>
    </div>`;
  }

  private column(column: Column, writable: boolean): TemplateResult {
    const { key, shared, cards } = column;
    const title = this.titleOf(column);
    const id = `bd-title-${key}`;
    return html`<div class="bd-column ${shared ? "" : "loose"}" data-column=${key} ?data-takes=${takesCards(column)}>
      <header class="bd-head">
        <h2 id=${id} class=${shared ? "" : "sr"} dir="auto">${title}</h2>
        ${shared ? html`<span class="quiet bd-count" aria-hidden="true">${cards.length || ""}</span>` : nothing}
        ${
          shared && this.may(column.by)
            ? html`<button class="button icon quiet" type="button" aria-haspopup="dialog"
                aria-label=${t("board.column-more", { title })} @click=${() => this.columnMenu(key)}>${icon("more")}</button>`
            : nothing
        }
      </header>
      <ul role="list" aria-labelledby=${id}>
        ${repeat(
          cards,
          (card) => card.key,
          (card) => html`<li>${this.card(card)}</li>`,
        )}
      </ul>
      ${
        writable && takesCards(column)
          ? html`<button class="button quiet wide start bd-add" type="button" aria-label=${t("board.add-card-to", { title })}
              @click=${() => this.add(column)}>${icon("plus")}${t("board.add-card")}</button>`
          : nothing
      }
    </div>`;
  }

  private card(card: Card): TemplateResult {
    const { key, words, color, by } = card;
    const may = this.may(by);
    const maker = this.maker(by);
    const writing = this.writersAt(key);
    const names = writing.map(({ name }) => name).join(", ");
    const editing = this.editing === key;
    const label = [
      maker ? t("board.card-by", { name: maker }) : t("board.card"),
      names ? t("board.writing", { names }) : "",
    ];
    return html`<div
      class="bd-card ${color} ${may ? "may" : ""} ${names ? "busy" : ""} ${editing ? "editing" : ""}"
      .style=${writing[0] ? `--color: ${writing[0].color}` : ""}
      data-card=${key}
      role="group"
      tabindex="0"
      aria-label=${label.filter(Boolean).join(". ")}
      aria-describedby=${editing ? nothing : `bd-words-${key}${may ? " bd-keys" : ""}`}
      @keydown=${(event: KeyboardEvent) => this.cardKey(event, key)}
      @pointerdown=${(event: PointerEvent) => this.grab(event, key)}
    >
      ${
        editing
          ? html`<textarea
              class="bd-field"
              rows="2"
              dir="auto"
              maxlength=${LONGEST_CARD}
              aria-label=${t("board.words")}
              placeholder=${t("board.placeholder")}
              @input=${this.grow}
              @keydown=${this.fieldKey}
              @blur=${this.blurred}
            ></textarea>`
          : html`<p class="bd-words" id="bd-words-${key}" dir="auto" translate="no" .textContent=${words}
              @click=${() => may && this.edit(key)}></p>`
      }
      <div class="bd-foot">
        ${names ? html`<span class="bd-writing">${t("board.writing", { names })}</span>` : html`<span class="bd-by">${this.lock(by)}<bdi>${maker}</bdi></span>`}
        ${
          editing
            ? html`<button class="button primary" type="button" @mousedown=${(event: Event) => event.preventDefault()} @click=${() => this.endEditing(true)}>${t("board.done")}</button>`
            : may
              ? html`<span class="bd-grip" aria-hidden="true" title=${t("board.grip")}>${icon("grip")}</span>
                <button class="button icon quiet" type="button" aria-haspopup="dialog"
                  aria-label=${t("board.card-more", { words: words.slice(0, 60) || t("board.card") })}
                  @click=${() => this.cardMenu(key)}>${icon("more")}</button>`
              : nothing
        }
      </div>
    </div>`;
  }

  /** Whose card it is, where that keeps me out. */
  private lock(by: string): TemplateResult | typeof nothing {
    if (!this.session?.writable || !this.closed(by)) return nothing;
    if (by !== "teachers" && !(by in this.writers.whose)) return nothing; // it may be mine
    const name = this.nameOf(by);
    const words = by === "teachers" || !name ? t("board.closed-teachers") : t("board.closed-by", { name });
    return html`<span class="bd-lock" role="img" aria-label=${words} title=${words}>${icon("lock")}</span>`;
  }
}

const isCard = (value: unknown): value is Y.XmlElement =>
  value instanceof Y.XmlElement && value.nodeName === "card";
