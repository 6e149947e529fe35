import { Plugin, PluginKey } from "prosemirror-state";
import { Decoration, DecorationSet, type EditorView } from "prosemirror-view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { inkOn } from "../ui/marks.ts";
import { readRelative, toAbsolute, toRelative } from "./binding/positions.ts";
import { type Binding, isRemote, settle } from "./binding/sync.ts";
import { readSomebody, type Somebody } from "./people.ts";

/** How often my own caret is told to the others, in ms; and how long a name stays beside a moved caret. */
const TELL_EVERY = 120;
const NAME_STAYS = 2500;
/** Before the others' carets are drawn again, so many times the time passes that it took last time; at most, in ms. */
const REST = 6;
const LONGEST_REST = 1000;

const key = new PluginKey<DecorationSet>("cursors");

/**
 * The carets and selections of the others. Drawn so seldom that typing stays smooth. They are decoration: hidden from
 * assistive technology (the list of people says who is here), and styled through the CSS object model, since
 * the page's policy takes no style attributes.
 */
export function cursors(awareness: Awareness, binding: Binding): Plugin {
  const flags = new Map<number, Flag>();
  return new Plugin<DecorationSet>({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply(transaction, old, _, state) {
        if (transaction.getMeta(key) || isRemote(transaction)) {
          return DecorationSet.create(state.doc, draw(awareness, binding, flags, state.doc.content.size));
        }
        return transaction.docChanged ? old.map(transaction.mapping, transaction.doc) : old;
      },
    },
    props: { decorations: (state) => key.getState(state) },
    view: (view) => new Watch(view, awareness, binding),
  });
}

class Flag {
  readonly dom = document.createElement("span");
  private readonly name = document.createElement("span");
  private timer: ReturnType<typeof setTimeout> | undefined;
  private place = "";

  constructor() {
    this.dom.className = "caret";
    this.dom.setAttribute("aria-hidden", "true");
    this.name.className = "caret-name";
    // Word joiners keep the caret from becoming a place where a line may break.
    this.dom.append("\u2060", this.name, "\u2060");
  }

  show(somebody: Somebody, place: string): void {
    if (this.name.textContent !== somebody.name) this.name.textContent = somebody.name;
    this.dom.style.setProperty("--color", somebody.color);
    this.dom.style.setProperty("--on-color", inkOn(somebody.color));
    if (place === this.place) return;
    this.place = place;
    this.dom.classList.add("named");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.dom.classList.remove("named"), NAME_STAYS);
  }
}

function draw(awareness: Awareness, binding: Binding, flags: Map<number, Flag>, size: number): Decoration[] {
  const decorations: Decoration[] = [];
  const seen = new Set<number>();
  for (const [client, state] of awareness.getStates()) {
    const somebody = client === awareness.clientID ? null : readSomebody(client, state);
    const cursor = (state as { cursor?: { anchor?: unknown; head?: unknown } | null }).cursor;
    const [from, to] = [readRelative(cursor?.anchor), readRelative(cursor?.head)];
    if (!somebody || !from || !to) continue;
    const [anchor, head] = [toAbsolute(binding.drawing, from), toAbsolute(binding.drawing, to)];
    if (anchor === null || head === null || Math.max(anchor, head) > size) continue;
    const flag = flags.get(client) ?? new Flag();
    flags.set(client, flag);
    seen.add(client);
    flag.show(somebody, JSON.stringify(cursor));
    decorations.push(
      Decoration.widget(head, flag.dom, { key: String(client), side: 10, ignoreSelection: true }),
    );
    if (anchor !== head) {
      const style = `--color: ${somebody.color}`;
      decorations.push(
        Decoration.inline(Math.min(anchor, head), Math.max(anchor, head), { class: "theirs", style }),
      );
    }
  }
  for (const client of flags.keys()) if (!seen.has(client)) flags.delete(client);
  return decorations;
}

/** Draws again when somebody moves, and tells the others where my caret is. */
class Watch {
  private drawing: ReturnType<typeof setTimeout> | undefined;
  private pause = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private told: { anchor: Y.RelativePosition; head: Y.RelativePosition } | null = null;

  constructor(
    private readonly view: EditorView,
    private readonly awareness: Awareness,
    private readonly binding: Binding,
  ) {
    awareness.on("change", this.moved);
    view.dom.addEventListener("focusin", this.mine);
    view.dom.addEventListener("focusout", this.mine);
    this.moved();
  }

  update(): void {
    this.mine();
  }

  destroy(): void {
    clearTimeout(this.timer);
    this.awareness.off("change", this.moved);
    this.view.dom.removeEventListener("focusin", this.mine);
    this.view.dom.removeEventListener("focusout", this.mine);
    if (this.awareness.getLocalState()) this.awareness.setLocalStateField("cursor", null);
  }

  private moved = (): void => {
    this.drawing ??= setTimeout(requestAnimationFrame, this.pause, this.draw);
  };

  private draw = (began: number): void => {
    this.drawing = undefined;
    if (this.view.isDestroyed) return;
    settle(this.view);
    this.view.dispatch(this.view.state.tr.setMeta(key, true));
    requestAnimationFrame((painted) => {
      this.pause = Math.min(LONGEST_REST, REST * (painted - began));
    });
  };

  private mine = (): void => {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.tell();
    }, TELL_EVERY);
  };

  private tell(): void {
    const { view, binding } = this;
    const { anchor, head } = view.state.selection;
    const here = view.hasFocus() && view.editable;
    const cursor = here
      ? { anchor: toRelative(binding.drawing, anchor), head: toRelative(binding.drawing, head) }
      : null;
    const same =
      cursor && this.told
        ? Y.compareRelativePositions(cursor.anchor, this.told.anchor) &&
          Y.compareRelativePositions(cursor.head, this.told.head)
        : cursor === this.told;
    if (same || !this.awareness.getLocalState()) return;
    this.told = cursor;
    this.awareness.setLocalStateField("cursor", cursor);
  }
}
