import { Mark, type Node } from "prosemirror-model";
import * as Y from "yjs";
import { type Drawing, isStandIn, joined, OBJECT, type Parent, type Slot } from "./drawing.ts";

/**
 * Writes an edited node into the shared type it was drawn from, touching only what the person changed: two
 * people in one paragraph do not undo each other, and what is not shown here is not touched.
 */
type Unit = Node | readonly Node[];

const isRun = (unit: Unit): unit is readonly Node[] => Array.isArray(unit);
/** Above this many possible pairs, neighbours are paired one by one from the left. */
const MOST_PAIRS = 2500;
const COMPARED = 2000;

export class Writer {
  /** Something could not be written; the page has to be drawn again from what is shared. */
  incomplete = false;

  constructor(private readonly drawing: Drawing) {}

  /** Makes `shared` hold what `node` shows. Runs inside a transaction of the shared document. */
  write(shared: Parent, node: Node): void {
    const before = this.drawing.get(shared);
    if (!before || before.standIn) {
      this.incomplete = true;
      return;
    }
    this.refuseMarks(node);
    if (shared instanceof Y.XmlElement) writeAttributes(shared, before.node, node);
    const slots = node.isLeaf ? before.slots : this.writeChildren(shared, before.slots, units(node));
    this.drawing.set(shared, { node, slots, standIn: false });
  }

  /** The places of those blocks of a page that would be new in the shared document, or owned as they were not. */
  fresh(shared: Parent, page: Node): Set<number> {
    const places = new Set(page.children.keys());
    const slots = this.drawing.get(shared)?.slots.filter((slot) => slot.kind !== "hidden") ?? [];
    for (const [slot, at] of align(slots, units(page)))
      if (slot.kind === "node" && slot.node.attrs.protected === page.child(at).attrs.protected)
        places.delete(at);
    return places;
  }

  private writeChildren(shared: Parent, slots: Slot[], wanted: Unit[]): Slot[] {
    const shown = slots.filter((slot) => slot.kind !== "hidden");
    const pairs = align(shown, wanted);
    const starts = new Map<Slot, number>();
    let length = 0;
    for (const slot of slots) {
      starts.set(slot, length);
      length += slot.shared.length;
    }
    // From the right, so that the indexes on the left stay true.
    const result: Slot[] = [];
    let next = wanted.length - 1;
    const insertDownTo = (last: number, at: number) => {
      for (; next > last; next--) {
        const slot = this.insert(shared, at, wanted[next] as Unit);
        if (slot) result.push(slot);
      }
    };
    let end = length;
    for (let index = slots.length - 1; index >= 0; index--) {
      const slot = slots[index] as Slot;
      const start = starts.get(slot) as number;
      if (slot.kind === "hidden") {
        result.push(slot);
        end = start;
        continue;
      }
      const partner = pairs.get(slot);
      if (partner !== undefined) {
        insertDownTo(partner, end);
        result.push(this.update(slot, wanted[partner] as Unit));
        next = partner - 1;
      } else if (slot.kind === "run") {
        for (const text of slot.shared) text.delete(0, text.length);
        result.push({ ...slot, inline: [] });
      } else {
        shared.delete(start, 1);
      }
      end = start;
    }
    insertDownTo(-1, 0);
    return merged(result.reverse());
  }

  private update(slot: Slot, unit: Unit): Slot {
    if (slot.kind === "run" && isRun(unit)) {
      this.writeRun(slot.shared, slot.inline, unit);
      return { ...slot, inline: unit };
    }
    const node = unit as Node;
    if (slot.kind === "node" && slot.node !== node && !isStandIn(node))
      this.write(slot.shared[0] as Y.XmlElement, node);
    return { kind: "node", shared: slot.shared, node };
  }

  /** Inserts new shared content; null when it stands for something that cannot be made here. */
  private insert(shared: Parent, at: number, unit: Unit): Slot | null {
    if (isRun(unit)) {
      const text = new Y.XmlText();
      shared.insert(at, [text]);
      this.writeRun([text], [], unit);
      return { kind: "run", shared: [text], inline: unit };
    }
    if (isStandIn(unit)) return this.copy(shared, at, unit);
    this.refuseMarks(unit);
    const element = new Y.XmlElement(unit.type.name);
    shared.insert(at, [element]);
    for (const [key, value] of Object.entries(unit.attrs))
      if (value !== null) element.setAttribute(key, value);
    const slots: Slot[] = [];
    let length = 0;
    for (const child of units(unit)) {
      const slot = this.insert(element, length, child);
      if (!slot) continue;
      slots.push(slot);
      length += 1;
    }
    this.drawing.set(element, { node: unit, slots, standIn: false });
    return { kind: "node", shared: [element], node: unit };
  }

  /** A stand-in that was moved: its original is copied whole. */
  private copy(shared: Parent, at: number, standIn: Node): Slot | null {
    this.incomplete = true;
    const original = this.drawing.original(standIn);
    if (!(original instanceof Y.XmlElement || original instanceof Y.XmlText) || original._item?.deleted)
      return null;
    const twin = original.clone();
    shared.insert(at, [twin]);
    return { kind: "hidden", shared: [twin] };
  }

  /** Only text has marks in the shared document: a bold line break becomes a plain one again. */
  private refuseMarks(node: Node): void {
    if (node.marks.length) this.incomplete = true;
  }

  private writeRun(texts: Y.XmlText[], before: readonly Node[], after: readonly Node[]): void {
    const [old, wanted] = [stringOf(before), stringOf(after)];
    const { start, removed, added } = difference(old, wanted);
    each(texts, start, removed, (text, from, length) => text.delete(from, length));
    let at = start;
    cut(after, start, start + added.length, (node, length, offset) => {
      const [text, index] = place(texts, at);
      if (node.isText)
        text.insert(index, (node.text as string).slice(offset, offset + length), values(node.marks));
      else this.incomplete = true;
      if (node.isText) at += length;
    });
    if (this.incomplete && at !== start + added.length) return;
    const kept = (from: number, to: number, shift: number) =>
      cut(before, from, to, (node, length, _, position) => {
        cut(after, position + shift, position + shift + length, (twin, part, __, where) => {
          if (Mark.sameSet(node.marks, twin.marks)) return;
          each(texts, where, part, (text, index, size) =>
            text.format(index, size, changes(node.marks, twin.marks)),
          );
        });
      });
    kept(0, start, 0);
    kept(start + removed, old.length, added.length - removed);
  }
}

/** The children of a node; neighbouring inline nodes that live in a shared text are one run. */
function units(node: Node): Unit[] {
  const found: Unit[] = [];
  let run: Node[] | null = null;
  node.forEach((child) => {
    const inText = child.isText || (child.type.name === "unknown_inline" && child.attrs.key === "embed");
    if (!inText) {
      run = null;
      found.push(child);
    } else if (run) {
      run.push(child);
    } else {
      run = [child];
      found.push(run);
    }
  });
  return found;
}

/** Neighbouring runs are one run when they are drawn; so they are here. */
function merged(slots: Slot[]): Slot[] {
  const result: Slot[] = [];
  for (const slot of slots) {
    const last = result[result.length - 1];
    if (slot.kind === "run" && last?.kind === "run")
      result[result.length - 1] = joined(last, slot.shared, slot.inline);
    else result.push(slot);
  }
  return result;
}

function writeAttributes(element: Y.XmlElement, before: Node, after: Node): void {
  for (const [key, value] of Object.entries(after.attrs)) {
    if (JSON.stringify(before.attrs[key]) === JSON.stringify(value)) continue;
    if (value === null) element.removeAttribute(key);
    else element.setAttribute(key, value);
  }
}

// Which slot becomes which unit

function align(slots: Slot[], wanted: Unit[]): Map<Slot, number> {
  const pairs = new Map<Slot, number>();
  let left = 0;
  let right = 0;
  const most = () => Math.min(slots.length, wanted.length) - left - right;
  while (most() > 0 && same(slots[left] as Slot, wanted[left] as Unit)) {
    pairs.set(slots[left] as Slot, left++);
  }
  while (most() > 0) {
    const [slot, unit] = [slots[slots.length - 1 - right] as Slot, wanted.length - 1 - right];
    if (!same(slot, wanted[unit] as Unit)) break;
    pairs.set(slot, unit);
    right++;
  }
  const rest = slots.slice(left, slots.length - right);
  const goals = wanted.slice(left, wanted.length - right);
  for (const [slot, goal] of bestPairs(rest, goals)) pairs.set(rest[slot] as Slot, left + goal);
  return pairs;
}

/** Pairs in order with the greatest likeness in sum (longest-common-subsequence with weights). */
function bestPairs(slots: Slot[], goals: Unit[]): [number, number][] {
  if (slots.length * goals.length > MOST_PAIRS) return pairsFromLeft(slots, goals);
  const width = goals.length + 1;
  const weight = (a: number, b: number) => likeness(slots[a] as Slot, goals[b] as Unit);
  const weights = slots.map((_, a) => goals.map((__, b) => weight(a, b)));
  const best = new Float64Array((slots.length + 1) * width);
  const at = (a: number, b: number) => best[a * width + b] as number;
  for (let a = slots.length - 1; a >= 0; a--) {
    for (let b = goals.length - 1; b >= 0; b--) {
      const together = weights[a]?.[b] ?? 0;
      best[a * width + b] = Math.max(
        at(a + 1, b),
        at(a, b + 1),
        together > 0 ? together + at(a + 1, b + 1) : 0,
      );
    }
  }
  const pairs: [number, number][] = [];
  for (let a = 0, b = 0; a < slots.length && b < goals.length; ) {
    const together = weights[a]?.[b] ?? 0;
    if (together > 0 && at(a, b) === together + at(a + 1, b + 1)) pairs.push([a++, b++]);
    else if (at(a, b) === at(a + 1, b)) a++;
    else b++;
  }
  return pairs;
}

function pairsFromLeft(slots: Slot[], goals: Unit[]): [number, number][] {
  const pairs: [number, number][] = [];
  const places = new Map<Unit, number>();
  goals.forEach((goal, index) => {
    places.set(goal, index);
  });
  let next = 0;
  slots.forEach((slot, index) => {
    const known = slot.kind === "node" ? places.get(slot.node) : undefined;
    const goal = known !== undefined && known >= next ? known : next;
    if (goal >= goals.length || likeness(slot, goals[goal] as Unit) <= 0) return;
    pairs.push([index, goal]);
    next = goal + 1;
  });
  return pairs;
}

function same(slot: Slot, unit: Unit): boolean {
  if (slot.kind === "run") {
    return (
      isRun(unit) &&
      slot.inline.length === unit.length &&
      slot.inline.every((node, at) => node.eq(unit[at] as Node))
    );
  }
  if (slot.kind !== "node" || isRun(unit)) return false;
  if (isStandIn(slot.node) || isStandIn(unit)) {
    return slot.node.type === unit.type && slot.node.attrs.key === unit.attrs.key;
  }
  return slot.node === unit;
}

/** How much of a slot a unit would keep: 0 when the one cannot become the other. */
function likeness(slot: Slot, unit: Unit): number {
  if (same(slot, unit)) return 3;
  if (slot.kind === "run") return isRun(unit) ? 0.1 + share(stringOf(slot.inline), stringOf(unit)) : 0;
  if (slot.kind !== "node" || isRun(unit) || slot.node.type !== unit.type) return 0;
  if (isStandIn(unit)) return 0;
  if (slot.node.eq(unit)) return 2.5;
  // What is written into a block does not make it somebody's: a block of theirs is a new one.
  const by = unit.attrs.protected;
  if (by && by !== slot.node.attrs.protected && !slot.node.content.eq(unit.content)) return 0;
  return 0.1 + share(slot.node.textContent, unit.textContent);
}

function share(a: string, b: string): number {
  const [x, y] = [a.slice(0, COMPARED), b.slice(0, COMPARED)];
  const longest = Math.max(x.length, y.length);
  if (longest === 0) return 1;
  const { start, removed } = difference(x, y);
  return (start + (x.length - start - removed)) / longest;
}

// Text

const stringOf = (inline: readonly Node[]): string => inline.map((node) => node.text ?? OBJECT).join("");

const high = (code: number) => code >= 0xd800 && code < 0xdc00;
const low = (code: number) => code >= 0xdc00 && code < 0xe000;

/** The one stretch in which two texts differ. Never cuts a surrogate pair: Yjs would store half a character. */
function difference(old: string, wanted: string): { start: number; removed: number; added: string } {
  const shorter = Math.min(old.length, wanted.length);
  let start = 0;
  while (start < shorter && old[start] === wanted[start]) start++;
  if (start > 0 && high(old.charCodeAt(start - 1))) start--;
  let end = 0;
  while (end < shorter - start && old[old.length - 1 - end] === wanted[wanted.length - 1 - end]) end++;
  if (end > 0 && low(old.charCodeAt(old.length - end))) end--;
  return { start, removed: old.length - start - end, added: wanted.slice(start, wanted.length - end) };
}

/** The text and the index in it at which position `at` of a run lies. */
function place(texts: Y.XmlText[], at: number): [Y.XmlText, number] {
  let rest = at;
  for (const text of texts) {
    if (rest <= text.length) return [text, rest];
    rest -= text.length;
  }
  const last = texts[texts.length - 1] as Y.XmlText;
  return [last, last.length];
}

function each(
  texts: Y.XmlText[],
  from: number,
  length: number,
  act: (text: Y.XmlText, from: number, length: number) => void,
): void {
  let [skip, rest] = [from, length];
  for (const text of texts) {
    const here = Math.min(rest, Math.max(text.length - skip, 0));
    const start = Math.min(skip, text.length);
    skip -= start;
    rest -= here;
    if (here > 0) act(text, start, here);
  }
}

/** The pieces of inline nodes between two positions: node, length of the piece, offset in the node, position. */
function cut(
  nodes: readonly Node[],
  from: number,
  to: number,
  act: (node: Node, length: number, offset: number, position: number) => void,
): void {
  let at = 0;
  for (const node of nodes) {
    const start = Math.max(from, at);
    const end = Math.min(to, at + node.nodeSize);
    if (start < end) act(node, end - start, start - at, start);
    at += node.nodeSize;
  }
}

const values = (marks: readonly Mark[]): Record<string, unknown> =>
  Object.fromEntries(marks.map((mark) => [mark.type.name, mark.attrs]));

function changes(before: readonly Mark[], after: readonly Mark[]): Record<string, unknown> {
  const gone = before.filter((mark) => !mark.type.isInSet(after)).map((mark) => [mark.type.name, null]);
  const made = after.filter((mark) => !mark.isInSet(before)).map((mark) => [mark.type.name, mark.attrs]);
  return Object.fromEntries([...gone, ...made]);
}
