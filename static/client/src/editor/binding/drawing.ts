import { Fragment, Mark, type Node, type NodeType } from "prosemirror-model";
import * as Y from "yjs";
import { allows, cleanAttributes, LONGEST_TABLE, schema, WIDEST_TABLE } from "../schema.ts";

/**
 * Draws the shared document as ProseMirror nodes. It never throws, never writes and never drops anything for
 * good: what this editor does not know or cannot place (written by a newer client, by a concurrent edit, by
 * somebody hostile) is shown as a stand-in or kept out of sight, and stays in the shared document untouched.
 */
const DEEPEST = 24;
const LONGEST_TEXT = 2000;
/** Stands for one embedded object in the text of a run. */
export const OBJECT = "\uFFFC";
/** Without content these are not shown; every other block gets an empty paragraph to write in. */
const HIDDEN_WHEN_EMPTY = new Set([
  "bullet_list",
  "ordered_list",
  "task_list",
  "table",
  "table_row",
  "blockquote",
]);
const NOT_SHARED = new Set(["doc", "text", "unknown_block", "unknown_inline"]);

// biome-ignore lint/suspicious/noExplicitAny: which events a shared type fires does not matter here.
export type Shared = Y.AbstractType<any>;
export type Parent = Y.XmlFragment | Y.XmlElement;

/** Children of one shared parent, in its order, and what is shown for them. */
export type Slot =
  | { kind: "node"; shared: unknown[]; node: Node }
  /** Neighbouring shared texts, shown as one stretch of inline nodes; the lengths agree. */
  | { kind: "run"; shared: Y.XmlText[]; inline: readonly Node[] }
  | { kind: "hidden"; shared: unknown[] };

export interface Drawn {
  node: Node;
  slots: Slot[];
  /** A stand-in is never looked into and never written. */
  standIn: boolean;
}

export const slotSize = (slot: Slot): number =>
  slot.kind === "node"
    ? slot.node.nodeSize
    : slot.kind === "run"
      ? slot.inline.reduce((size, each) => size + each.nodeSize, 0)
      : 0;

export const isStandIn = (node: Node): boolean =>
  node.type.name === "unknown_block" || node.type.name === "unknown_inline";

export class Drawing {
  private readonly drawn = new Map<unknown, Drawn>();
  private readonly originals = new Map<string, Shared>();

  constructor(readonly root: Y.XmlFragment) {}

  get(type: unknown): Drawn | undefined {
    return this.drawn.get(type);
  }

  set(type: unknown, drawn: Drawn): void {
    this.drawn.set(type, drawn);
  }

  forget(type: unknown): void {
    this.drawn.delete(type);
  }

  forgetAll(): void {
    this.drawn.clear();
  }

  /** The shared type a stand-in stands for. */
  original(standIn: Node): Shared | undefined {
    return this.originals.get(standIn.attrs.key);
  }

  /** The whole page; what has not been forgotten since the last time keeps its nodes. */
  draw(): Node {
    const slots = this.slots(this.root, schema.topNodeType, 0) ?? [];
    const nodes = slots.flatMap((slot) => (slot.kind === "node" ? [slot.node] : []));
    const node = schema.topNodeType.create(null, nodes.length ? nodes : schema.node("paragraph"));
    this.drawn.set(this.root, { node, slots, standIn: false });
    return node;
  }

  /** What to show for the children of `shared`; null when one of them can be shown in no way. */
  private slots(shared: Parent, parent: NodeType, depth: number): Slot[] | null {
    const slots: Slot[] = [];
    for (const child of shared.toArray() as unknown[]) {
      if (child instanceof Y.XmlText && parent.inlineContent) {
        const inline = inlineNodes(child, parent);
        if (inline) {
          const last = slots[slots.length - 1];
          if (last?.kind === "run") slots[slots.length - 1] = joined(last, [child], inline);
          else slots.push({ kind: "run", shared: [child], inline });
          continue;
        }
      }
      const node = this.child(child, parent, depth);
      if (node === undefined) return null;
      slots.push(node ? { kind: "node", shared: [child], node } : { kind: "hidden", shared: [child] });
    }
    return slots;
  }

  /** The node for one child; null when it is not shown, undefined when it has no place in `parent`. */
  private child(shared: unknown, parent: NodeType, depth: number): Node | null | undefined {
    if (!(shared instanceof Y.AbstractType)) return null;
    const known = this.drawn.get(shared);
    if (known) return known.node;
    if (!(shared instanceof Y.XmlElement)) {
      if (shared instanceof Y.XmlText && shared.length === 0) return null;
      return this.standIn(shared, parent);
    }
    const type = schema.nodes[shared.nodeName];
    if (!type || NOT_SHARED.has(type.name) || depth > DEEPEST || !allows(parent.name, type.name)) {
      return this.standIn(shared, parent);
    }
    const slots = type.isLeaf ? [] : this.slots(shared, type, depth + 1);
    if (!slots) return this.standIn(shared, parent);
    const content = Fragment.from(contentOf(slots));
    if (content.childCount === 0 && HIDDEN_WHEN_EMPTY.has(type.name)) return null;
    const given: Record<string, unknown> = shared.getAttributes();
    if (depth) delete given.protected; // means something on blocks of the page only
    const attrs = cleanAttributes(type.name, given);
    const node = type.validContent(content)
      ? type.create(attrs, content)
      : type.createAndFill(attrs, content);
    if (!node || !drawable(node)) return this.standIn(shared, parent);
    this.drawn.set(shared, { node, slots, standIn: false });
    return node;
  }

  private standIn(shared: Shared, parent: NodeType): Node | undefined {
    const name = allows(parent.name, "unknown_block") ? "unknown_block" : "unknown_inline";
    if (!allows(parent.name, name)) return undefined;
    const id = shared._item?.id;
    const key = `${id?.client}:${id?.clock}`;
    this.originals.set(key, shared);
    const node = schema.node(name, { key, text: plainText(shared) });
    this.drawn.set(shared, { node, slots: [], standIn: true });
    return node;
  }
}

/** The nodes of visible slots, one after the other. */
const contentOf = (slots: Slot[]): Node[] =>
  slots.flatMap((slot) => (slot.kind === "node" ? [slot.node] : slot.kind === "run" ? slot.inline : []));

export function joined(run: Slot & { kind: "run" }, shared: Y.XmlText[], inline: readonly Node[]): Slot {
  return { kind: "run", shared: [...run.shared, ...shared], inline: [...run.inline, ...inline] };
}

/** The inline nodes of a shared text, as long as the text itself; null when it holds what has no length here. */
function inlineNodes(text: Y.XmlText, parent: NodeType): Node[] | null {
  const nodes: Node[] = [];
  let length = 0;
  for (const { insert, attributes } of text.toDelta() as { insert: unknown; attributes?: object }[]) {
    if (typeof insert !== "string") nodes.push(schema.node("unknown_inline", { key: "embed" }));
    else if (insert) nodes.push(schema.text(insert, parent.allowedMarks(marks(attributes))));
    length += typeof insert === "string" ? insert.length : 1;
  }
  return length === text.length ? nodes : null;
}

function marks(attributes: object = {}): readonly Mark[] {
  const found: Mark[] = [];
  for (const [name, value] of Object.entries(attributes)) {
    const type = schema.marks[name];
    if (!type || value === null || value === false) continue;
    found.push(type.create(cleanAttributes(name, typeof value === "object" ? value : {})));
  }
  return Mark.setFrom(found);
}

/** Keeps tables to a size that their grid can be worked out for. */
function drawable(node: Node): boolean {
  if (node.type.name !== "table") return true;
  if (node.childCount > LONGEST_TABLE) return false;
  let good = true;
  node.forEach((row) => {
    let width = 0;
    row.forEach((cell) => {
      width += cell.attrs.colspan;
    });
    good &&= width <= WIDEST_TABLE;
  });
  return good;
}

/** The words in a shared type of any kind, up to a limit; without recursion. */
function plainText(type: Shared): string {
  const words: string[] = [];
  const waiting: unknown[] = [type];
  let length = 0;
  while (waiting.length && length < LONGEST_TEXT) {
    const next = waiting.pop();
    if (next instanceof Y.Text) {
      for (const { insert } of next.toDelta()) if (typeof insert === "string") words.push(insert);
      length += words[words.length - 1]?.length ?? 0;
    } else if (next instanceof Y.XmlFragment) {
      waiting.push(...(next.toArray() as unknown[]).slice(0, LONGEST_TEXT).reverse());
    }
  }
  return words.join(" ").trim().slice(0, LONGEST_TEXT);
}
