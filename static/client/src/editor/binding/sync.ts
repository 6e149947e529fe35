import type { Node } from "prosemirror-model";
import {
  type EditorState,
  NodeSelection,
  Plugin,
  PluginKey,
  Selection,
  TextSelection,
  type Transaction,
} from "prosemirror-state";
import { CellSelection } from "prosemirror-tables";
import type { EditorView } from "prosemirror-view";
import * as Y from "yjs";
import { Drawing } from "./drawing.ts";
import { toAbsolute, toRelative } from "./positions.ts";
import { Writer } from "./writing.ts";

/**
 * Keeps the editor and the shared document equal. The shared data is what y-prosemirror uses (one XmlElement
 * for a node, XmlText with formats for text and marks), so both can work on one page. Unlike it, drawing never
 * writes or deletes, only a person's own edit is ever written, and nothing while `writable` says no.
 */
export const bindingKey = new PluginKey<Binding>("binding");

interface Place {
  kind: "text" | "node" | "cell" | "all";
  anchor: Y.RelativePosition;
  head: Y.RelativePosition;
}

export class Binding {
  readonly drawing: Drawing;
  readonly undoManager: Y.UndoManager;
  private readonly writer: Writer;
  private view: EditorView | null = null;
  private redrawing = false;
  private doc: Node;
  /** Where the caret is, kept through the edits of others. */
  private place: Place | null = null;

  constructor(
    readonly shared: Y.XmlFragment,
    private readonly writable: () => boolean,
  ) {
    this.drawing = new Drawing(shared);
    this.writer = new Writer(this.drawing);
    this.doc = this.drawing.draw();
    // My own edits only: `this` is the origin of what this editor writes. A block that holds the words of
    // somebody else by now stays, even if it was I who made it.
    this.undoManager = new Y.UndoManager(shared, {
      trackedOrigins: new Set([this]),
      deleteFilter: ({ content }) => !(content instanceof Y.ContentType) || content.type._length === 0,
    });
    this.undoManager.on("stack-item-added", ({ stackItem }) => stackItem.meta.set("place", this.place));
    this.undoManager.on("stack-item-popped", ({ stackItem }) => {
      if (this.view) this.restore(this.view, stackItem.meta.get("place"));
    });
  }

  /** The page as a document for a new editor state. */
  get page(): Node {
    return this.doc;
  }

  /** The places of the blocks that writing this page would make. */
  fresh = (page: Node): Set<number> => this.writer.fresh(this.shared, page);

  get plugin(): Plugin {
    return new Plugin({
      key: bindingKey,
      state: { init: () => this, apply: () => this },
      filterTransaction: (transaction) => !transaction.docChanged || isRemote(transaction) || this.mayWrite(),
      view: (view) => {
        this.attach(view);
        return { update: (_, before) => this.changed(view, before), destroy: () => this.detach() };
      },
    });
  }

  private mayWrite = (): boolean => this.writable() && !this.redrawing;

  private attach(view: EditorView): void {
    this.view = view;
    this.shared.observeDeep(this.observe);
  }

  private detach(): void {
    this.view = null;
    this.shared.unobserveDeep(this.observe);
    this.undoManager.destroy();
  }

  private changed(view: EditorView, before: EditorState): void {
    if (this.redrawing) return;
    const { state } = view;
    if (state.doc !== this.doc) {
      this.doc = state.doc;
      this.shared.doc?.transact(() => this.writer.write(this.shared, state.doc), this);
      if (this.writer.incomplete) {
        this.writer.incomplete = false;
        this.drawing.forgetAll();
        this.redraw(view);
      }
    } else if (state.selection === before.selection) return;
    this.place = this.placeOf(state);
  }

  private observe = (_: unknown, transaction: Y.Transaction): void => {
    if (transaction.origin === this || !this.view) return;
    for (const type of transaction.changedParentTypes.keys()) this.drawing.forget(type);
    this.redraw(this.view);
  };

  /** Brings the view to what is shared now: only the blocks that changed are replaced. */
  private redraw(view: EditorView): void {
    const { state } = view;
    const wanted = this.drawing.draw();
    const [old, now] = [state.doc, wanted];
    let left = 0;
    while (left < old.childCount && left < now.childCount && old.child(left) === now.child(left)) left++;
    let right = 0;
    const most = Math.min(old.childCount, now.childCount) - left;
    while (right < most && old.child(old.childCount - 1 - right) === now.child(now.childCount - 1 - right))
      right++;
    const transaction = state.tr.setMeta(bindingKey, "remote").setMeta("addToHistory", false);
    const [from, to] = [sizeOf(old, left), old.content.size - sizeFromEnd(old, right)];
    const content = now.content.cut(from, now.content.size - sizeFromEnd(now, right));
    if (from !== to || content.size) {
      transaction.replaceWith(from, to, content);
      this.select(transaction, this.place);
    }
    this.redrawing = true;
    try {
      view.dispatch(transaction);
    } finally {
      this.redrawing = false;
    }
    this.doc = view.state.doc;
  }

  private restore(view: EditorView, place: Place | null | undefined): void {
    const transaction = view.state.tr.setMeta(bindingKey, "remote");
    this.select(transaction, place ?? null);
    view.dispatch(transaction.scrollIntoView());
  }

  private placeOf({ selection }: EditorState): Place {
    const relative = (position: number) => toRelative(this.drawing, position);
    if (selection instanceof CellSelection) {
      return {
        kind: "cell",
        anchor: relative(selection.$anchorCell.pos),
        head: relative(selection.$headCell.pos),
      };
    }
    const kind =
      selection instanceof NodeSelection ? "node" : selection instanceof TextSelection ? "text" : "all";
    return { kind, anchor: relative(selection.anchor), head: relative(selection.head) };
  }

  private select(transaction: Transaction, place: Place | null): void {
    if (!place || place.kind === "all") return;
    const { doc } = transaction;
    const absolute = (relative: Y.RelativePosition) => toAbsolute(this.drawing, relative);
    const [anchor, head] = [absolute(place.anchor), absolute(place.head)];
    if (anchor === null || head === null || Math.max(anchor, head) > doc.content.size) return;
    try {
      if (place.kind === "cell") transaction.setSelection(CellSelection.create(doc, anchor, head));
      else if (place.kind === "node") transaction.setSelection(NodeSelection.create(doc, anchor));
      else transaction.setSelection(TextSelection.between(doc.resolve(anchor), doc.resolve(head)));
    } catch {
      transaction.setSelection(Selection.near(doc.resolve(Math.min(head, doc.content.size))));
    }
  }
}

const sizeOf = (node: Node, children: number): number => {
  let size = 0;
  for (let index = 0; index < children; index++) size += node.child(index).nodeSize;
  return size;
};

const sizeFromEnd = (node: Node, children: number): number =>
  node.content.size - sizeOf(node, node.childCount - children);

/** Whether a transaction shows the edit of somebody else (or my own undo), already in the shared document. */
export const isRemote = (transaction: Transaction): boolean => transaction.getMeta(bindingKey) === "remote";

/**
 * Has the view take in what the browser did already but tells of only later, such as a moved caret. Without
 * it, a redraw for somebody else in that moment would put the caret back. Never inside a Yjs transaction: a
 * stroke taken in there would count as somebody else's.
 */
export function settle(view: EditorView): void {
  const { domObserver } = view as unknown as { domObserver: { flush(): void } };
  if (view.hasFocus()) domObserver.flush();
}
