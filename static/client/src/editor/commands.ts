import { chainCommands, lift, setBlockType, toggleMark, wrapIn } from "prosemirror-commands";
import type { Attrs, MarkType, Node, NodeType } from "prosemirror-model";
import { liftListItem, sinkListItem, wrapInList } from "prosemirror-schema-list";
import {
  type Command,
  type EditorState,
  NodeSelection,
  TextSelection,
  type Transaction,
} from "prosemirror-state";
import {
  addColumnAfter,
  addColumnBefore,
  addRowAfter,
  addRowBefore,
  deleteColumn,
  deleteRow,
  deleteTable,
  isInTable,
  toggleHeader,
} from "prosemirror-tables";
import { bindingKey } from "./binding/sync.ts";
import { schema } from "./schema.ts";

const { nodes, marks } = schema;

/** The kinds of a text block, in the order they are offered. */
export const STYLES: { id: string; type: NodeType; attrs?: Attrs }[] = [
  { id: "paragraph", type: nodes.paragraph as NodeType },
  ...[1, 2, 3].map((level) => ({ id: `heading${level}`, type: nodes.heading as NodeType, attrs: { level } })),
  { id: "code", type: nodes.code_block as NodeType },
];

export function setStyle(id: string): Command {
  const style = STYLES.find((each) => each.id === id);
  return style ? setBlockType(style.type, style.attrs) : () => false;
}

/** The style of the block the caret is in; "" when the selection has several or another. */
export function styleOf({ selection }: EditorState): string {
  const { $from, $to } = selection;
  if (!$from.sameParent($to)) return "";
  const { parent } = $from;
  return (
    STYLES.find(({ type, attrs }) => parent.type === type && (!attrs || parent.attrs.level === attrs.level))
      ?.id ?? ""
  );
}

export const mark = (name: string): Command => toggleMark(schema.marks[name] as MarkType);

export function markActive(state: EditorState, name: string): boolean {
  const type = schema.marks[name] as MarkType;
  const { from, to, empty, $from } = state.selection;
  return empty
    ? type.isInSet(state.storedMarks ?? $from.marks()) !== undefined
    : state.doc.rangeHasMark(from, to, type);
}

// Lists and quotes

const LISTS: Record<string, string> = {
  bullet_list: "list_item",
  ordered_list: "list_item",
  task_list: "task_item",
};
const itemType = (list: string): NodeType => nodes[LISTS[list] as string] as NodeType;

function around(
  { selection }: EditorState,
  fits: (node: Node) => boolean,
): { node: Node; pos: number } | null {
  const { $from } = selection;
  for (let depth = $from.depth; depth > 0; depth--) {
    const node = $from.node(depth);
    if (fits(node)) return { node, pos: $from.before(depth) };
  }
  return null;
}

const listAround = (state: EditorState) => around(state, (node) => node.type.name in LISTS);

export const inList = (state: EditorState, name: string): boolean =>
  listAround(state)?.node.type.name === name;

/** Makes the blocks a list of that kind, changes a list of another kind, or takes them out of it. */
export const toggleList =
  (name: string): Command =>
  (state, dispatch) => {
    const found = listAround(state);
    const list = nodes[name] as NodeType;
    if (!found) return wrapInList(list)(state, dispatch);
    if (found.node.type === list) return liftListItem(itemType(name))(state, dispatch);
    if (dispatch) {
      const items: Node[] = [];
      found.node.forEach((child) => {
        items.push(
          child.type.name in schema.nodes && child.isAtom
            ? child
            : itemType(name).create(null, child.content),
        );
      });
      const transaction = state.tr.replaceWith(
        found.pos,
        found.pos + found.node.nodeSize,
        list.create({ protected: found.node.attrs.protected }, items),
      );
      const { anchor, head } = state.selection;
      dispatch(transaction.setSelection(TextSelection.create(transaction.doc, anchor, head)));
    }
    return true;
  };

export const indent: Command = chainCommands(
  sinkListItem(nodes.list_item as NodeType),
  sinkListItem(nodes.task_item as NodeType),
);
export const outdent: Command = chainCommands(
  liftListItem(nodes.list_item as NodeType),
  liftListItem(nodes.task_item as NodeType),
);

export const inQuote = (state: EditorState): boolean =>
  around(state, (node) => node.type === nodes.blockquote) !== null;
export const toggleQuote: Command = (state, dispatch) =>
  inQuote(state) ? lift(state, dispatch) : wrapIn(nodes.blockquote as NodeType)(state, dispatch);

// What is put in

export const insertBreak: Command = (state, dispatch) => {
  if (state.selection.$from.parent.type.spec.code) return false;
  dispatch?.(state.tr.replaceSelectionWith((nodes.hard_break as NodeType).create()).scrollIntoView());
  return true;
};

/** A dividing line, with the caret in the text behind it (an empty paragraph if there is none). */
export const insertRule: Command = (state, dispatch) => {
  dispatch?.(withRule(state.tr).scrollIntoView());
  return true;
};

export function withRule(transaction: Transaction): Transaction {
  const rule = (nodes.horizontal_rule as NodeType).create();
  transaction.replaceSelectionWith(rule);
  const end = transaction.mapping.map(transaction.selection.to);
  let after = -1;
  transaction.doc.nodesBetween(0, Math.min(end + 1, transaction.doc.content.size), (node, pos) => {
    if (node === rule) after = pos + node.nodeSize;
  });
  if (after < 0) return transaction;
  if (!transaction.doc.resolve(after).nodeAfter?.isTextblock) {
    transaction.insert(after, (nodes.paragraph as NodeType).create());
  }
  return transaction.setSelection(TextSelection.create(transaction.doc, after + 1));
}

/** A table of three columns, a heading row and two more, with the caret in its first cell. */
export const insertTable: Command = (state, dispatch) => {
  if (isInTable(state)) return false;
  if (dispatch) {
    const row = (type: NodeType) =>
      (nodes.table_row as NodeType).create(
        null,
        [0, 1, 2].map(() => type.createAndFill() as Node),
      );
    const cell = nodes.table_cell as NodeType;
    const table = (nodes.table as NodeType).create(null, [
      row(nodes.table_header as NodeType),
      row(cell),
      row(cell),
    ]);
    const transaction = state.tr.replaceSelectionWith(table);
    const start = transaction.mapping.map(state.selection.from, -1);
    transaction.doc.nodesBetween(Math.max(start - 1, 0), transaction.doc.content.size, (node, pos) => {
      if (node !== table) return true;
      const behind = pos + table.nodeSize;
      if (!transaction.doc.resolve(behind).nodeAfter)
        transaction.insert(behind, (nodes.paragraph as NodeType).create());
      transaction.setSelection(TextSelection.near(transaction.doc.resolve(pos + 3)));
      return false;
    });
    dispatch(transaction.scrollIntoView());
  }
  return true;
};

/** A new paragraph at the end, where the page ends with something one cannot write on behind. */
export const writeOn: Command = ({ doc, tr }, dispatch) => {
  const last = doc.lastChild;
  if (!last?.attrs.protected && (last?.type === nodes.paragraph || last?.type === nodes.heading))
    return false;
  tr.insert(doc.content.size, (nodes.paragraph as NodeType).create());
  dispatch?.(tr.setSelection(TextSelection.create(tr.doc, tr.doc.content.size - 1)).scrollIntoView());
  return true;
};

export const TABLE: [string, Command][] = [
  ["row-above", addRowBefore],
  ["row-below", addRowAfter],
  ["column-before", addColumnBefore],
  ["column-after", addColumnAfter],
  ["header-row", toggleHeader("row")],
  ["delete-row", deleteRow],
  ["delete-column", deleteColumn],
  ["delete-table", deleteTable],
];

export { isInTable };

export const insertImage =
  (attrs: { src: string; alt: string }): Command =>
  (state, dispatch) => {
    const { selection } = state;
    const selected = selectedImage(state);
    if (selected) {
      dispatch?.(state.tr.setNodeMarkup(selection.from, null, { ...selected.attrs, ...attrs }));
      return true;
    }
    dispatch?.(
      state.tr.replaceSelectionWith((nodes.image as NodeType).create(attrs), false).scrollIntoView(),
    );
    return true;
  };

export function selectedImage({ selection }: EditorState): Node | null {
  return selection instanceof NodeSelection && selection.node.type === nodes.image ? selection.node : null;
}

// Links

/** The link at the caret or in the selection: its address and where it begins and ends. */
export function linkAt(state: EditorState): { href: string; from: number; to: number } | null {
  const type = marks.link as MarkType;
  const { $from, from, to, empty } = state.selection;
  if (!empty) {
    let href: string | null = null;
    state.doc.nodesBetween(from, to, (node) => {
      href ??= type.isInSet(node.marks)?.attrs.href ?? null;
    });
    return href === null ? null : { href, from, to };
  }
  const { parent } = $from;
  let found: { href: string; from: number; to: number } | null = null;
  const start = $from.start();
  parent.forEach((node, offset) => {
    const href = type.isInSet(node.marks)?.attrs.href;
    if (href === undefined) return;
    const [left, right] = [start + offset, start + offset + node.nodeSize];
    if (found && found.to === left && found.href === href) found.to = right;
    else if (!found || found.to < from) found = { href, from: left, to: right };
  });
  const link = found as { href: string; from: number; to: number } | null;
  return link && link.from <= from && from <= link.to ? link : null;
}

/** Links the selection, changes the link at the caret, or puts in `text` as a link. */
export const setLink =
  (href: string, text: string): Command =>
  (state, dispatch) => {
    const link = (marks.link as MarkType).create({ href });
    const found = linkAt(state);
    const { from, to, empty } = state.selection;
    if (!dispatch) return true;
    if (found)
      dispatch(state.tr.removeMark(found.from, found.to, link.type).addMark(found.from, found.to, link));
    else if (!empty) dispatch(state.tr.addMark(from, to, link));
    else dispatch(state.tr.replaceSelectionWith(schema.text(text || href, [link]), false).scrollIntoView());
    return true;
  };

export const removeLink: Command = (state, dispatch) => {
  const found = linkAt(state);
  if (!found) return false;
  dispatch?.(state.tr.removeMark(found.from, found.to, marks.link as MarkType));
  return true;
};

// Undo of my own edits

export const undo: Command = (state, dispatch) => {
  const manager = bindingKey.getState(state)?.undoManager;
  if (!manager?.canUndo()) return false;
  if (dispatch) manager.undo();
  return true;
};

export const redo: Command = (state, dispatch) => {
  const manager = bindingKey.getState(state)?.undoManager;
  if (!manager?.canRedo()) return false;
  if (dispatch) manager.redo();
  return true;
};
