import { render } from "lit";
import type { Node } from "prosemirror-model";
import { type EditorState, Plugin, TextSelection, type Transaction } from "prosemirror-state";
import { Decoration, DecorationSet, type EditorView } from "prosemirror-view";
import { bindingKey, isRemote } from "./binding/sync.ts";
import { icon } from "./icons.ts";
import { schema } from "./schema.ts";

/**
 * Protected blocks: top-level blocks whose attribute `protected` says who may change them. The server holds
 * that; here nobody writes what it would refuse.
 */
export interface Rules {
  /** Whether a block protected for `by` is closed to me. */
  closed(by: string): boolean;
  label(by: string): string;
  /** I tried to change a closed block. */
  refused(): void;
  /** Where blocks have owners, protects those that I have made. */
  own?(done: readonly Transaction[], before: Node, now: Transaction): void;
}

const SET = "protection";

export interface Block {
  node: Node;
  pos: number;
  index: number;
}

/** The blocks of the page that the selection touches. */
export function blocks({ doc, selection }: EditorState): Block[] {
  const found: Block[] = [];
  doc.forEach((node, pos, index) => {
    if (pos < Math.max(selection.to, selection.from + 1) && pos + node.nodeSize > selection.from)
      found.push({ node, pos, index });
  });
  return found;
}

export const isProtected = (state: EditorState): boolean =>
  blocks(state).some(({ node }) => node.attrs.protected);

/** Protects the blocks at these places, or (with null) takes their protection away. */
export function setProtected({ tr }: EditorState, places: number[], by: string | null): Transaction {
  for (const pos of places)
    if (tr.doc.nodeAt(pos)?.attrs.protected !== undefined) tr.setNodeAttribute(pos, "protected", by);
  return tr.setMeta(SET, true);
}

export function protection(rules: Rules): Plugin {
  const closed = (node: Node | null | undefined) =>
    typeof node?.attrs.protected === "string" && rules.closed(node.attrs.protected);

  /** Enter in a closed block goes on in a new one behind it, or before the first of the page. */
  const enter = ({ state, dispatch }: EditorView, event: KeyboardEvent): boolean => {
    const { $head } = state.selection;
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !$head.depth || !closed($head.node(1)))
      return false;
    const at = $head.pos === 1 && $head.node(1).content.size ? 0 : $head.after(1);
    const tr = state.tr.insert(at, schema.node("paragraph"));
    dispatch(tr.setSelection(TextSelection.create(tr.doc, at + 1)).scrollIntoView());
    return true;
  };

  return new Plugin({
    filterTransaction: (tr, { doc }) => {
      if (!tr.docChanged || isRemote(tr)) return true;
      let fine = true;
      doc.forEach((node, pos) => {
        if (closed(node) && tr.doc.nodeAt(tr.mapping.map(pos, 1)) !== node) fine = false;
      });
      if (!fine) rules.refused();
      return fine;
    },
    // What makes a block anew (as a heading, as a list) leaves it as protected as it was.
    appendTransaction: (done, { doc: before }, { doc, tr }) => {
      if (!done.some((each) => each.docChanged) || done.some((each) => isRemote(each) || each.getMeta(SET)))
        return null;
      before.forEach((node, start) => {
        const by = node.attrs.protected;
        if (!by || node.isLeaf) return;
        let pos = start + 1;
        for (const { mapping } of done) {
          const found = mapping.mapResult(pos, 1);
          if (found.deleted) return;
          pos = found.pos;
        }
        const place = doc.resolve(pos);
        const top = place.depth ? place.before(1) : -1;
        const now = top < 0 ? null : doc.nodeAt(top);
        if (now && now.attrs.protected === null && !doc.textBetween(top, pos))
          tr.setNodeAttribute(top, "protected", by);
      });
      rules.own?.(done, before, tr);
      return tr.docChanged ? tr : null;
    },
    // What I could undo may lie in a block that was closed meanwhile.
    view: () => {
      let open = new Set<unknown>();
      return {
        update: ({ state }) => {
          const binding = bindingKey.getState(state);
          const now = new Set<unknown>();
          let shut = false;
          for (const slot of binding?.drawing.get(binding.shared)?.slots ?? []) {
            const [shared] = slot.shared;
            if (slot.kind !== "node" || !closed(slot.node)) now.add(shared);
            else shut ||= open.has(shared);
          }
          if (shut) binding?.undoManager.clear();
          open = now;
        },
      };
    },
    props: {
      handleKeyDown: enter,
      decorations: ({ doc }) => {
        const found: Decoration[] = [];
        doc.forEach((node, pos) => {
          const by = node.attrs.protected;
          if (!by) return;
          const label = rules.label(by);
          found.push(
            Decoration.node(pos, pos + node.nodeSize, { class: "ed-guarded" }),
            Decoration.widget(pos, () => lock(label), { key: label, side: -1, ignoreSelection: true }),
          );
        });
        return found.length ? DecorationSet.create(doc, found) : null;
      },
    },
  });
}

function lock(label: string): HTMLElement {
  const mark = document.createElement("div");
  mark.className = "ed-lock";
  mark.contentEditable = "false";
  mark.title = label;
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", label);
  render(icon("protect"), mark);
  return mark;
}
