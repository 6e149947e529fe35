import * as Y from "yjs";

/** `remove` characters at `at` make way for `insert`. */
export interface Change {
  at: number;
  remove: number;
  insert: string;
}

/** Whether a pair that is one character would be cut at `at`. */
const cuts = (text: string, at: number): boolean =>
  /[\uD800-\uDBFF]/.test(text[at - 1] ?? "") && /[\uDC00-\uDFFF]/.test(text[at] ?? "");

/**
 * The smallest change that makes `after` of `before`, if there is any. Where it could be at several places, it
 * ends where the caret is: at `caret` of `after`.
 */
export function change(before: string, after: string, caret = after.length): Change | null {
  if (before === after) return null;
  const most = Math.min(before.length, after.length);
  let end = 0;
  while (
    end < Math.min(most, after.length - caret) &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++;
  let at = 0;
  while (at < most - end && before[at] === after[at]) at++;
  while (end < most - at && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  while (cuts(before, at) || cuts(after, at)) at--;
  while (cuts(before, before.length - end) || cuts(after, after.length - end)) end--;
  return { at, remove: before.length - end - at, insert: after.slice(at, after.length - end) };
}

/** A piece of text in the shared document: `words` begin at `from` of `text`. */
interface Piece {
  text: Y.XmlText;
  from: number;
  words: string;
}

/** All text in an element, however deep: whoever is hostile may have put anything there. */
export function pieces(shared: Y.XmlElement, found: Piece[] = []): Piece[] {
  for (const child of shared.toArray()) {
    if (child instanceof Y.XmlElement) pieces(child, found);
    else if (child instanceof Y.XmlText) {
      let from = 0;
      for (const { insert } of child.toDelta() as { insert: unknown }[]) {
        if (typeof insert === "string") found.push({ text: child, from, words: insert });
        from += typeof insert === "string" ? insert.length : 1;
      }
    }
  }
  return found;
}

export const wordsOf = (shared: Y.XmlElement): string =>
  pieces(shared)
    .map(({ words }) => words)
    .join("");

/** Makes the change, counted in the words of the element. Call it in a transaction. */
export function apply(shared: Y.XmlElement, { at, remove, insert }: Change): void {
  const all = pieces(shared);
  let start = 0;
  let target: { text: Y.XmlText; at: number } | undefined;
  const cut: [text: Y.XmlText, at: number, length: number][] = [];
  for (const { text, from, words } of all) {
    const end = start + words.length;
    if (at >= start && at <= end && !target) target = { text, at: from + at - start };
    const first = Math.max(at, start);
    const last = Math.min(at + remove, end);
    if (last > first) cut.push([text, from + first - start, last - first]);
    start = end;
  }
  for (const [text, place, length] of cut.reverse()) text.delete(place, length);
  if (!insert) return;
  if (target) {
    target.text.insert(target.at, insert, {});
    return;
  }
  const text = shared.toArray().find((child): child is Y.XmlText => child instanceof Y.XmlText);
  if (text) text.insert(text.length, insert);
  else shared.push([new Y.XmlText(insert)]);
}

/** A place in the words of an element that stays where it is while others write: behind the same character. */
export function anchor(shared: Y.XmlElement, at: number): Y.RelativePosition | null {
  let start = 0;
  for (const { text, from, words } of pieces(shared)) {
    if (at <= start + words.length) return Y.createRelativePositionFromTypeIndex(text, from + at - start, -1);
    start += words.length;
  }
  return null;
}

export function indexOf(shared: Y.XmlElement, place: Y.RelativePosition | null): number {
  const { doc } = shared;
  const found = place && doc && Y.createAbsolutePositionFromRelativePosition(place, doc);
  if (!found) return 0;
  let start = 0;
  for (const { text, from, words } of pieces(shared)) {
    if (text === found.type && found.index >= from && found.index <= from + words.length)
      return start + found.index - from;
    start += words.length;
  }
  return start;
}

/** Under which client ids the words of an element were written. */
export function writersOf(shared: Y.XmlElement): string[] {
  const clients = new Set<string>();
  for (const text of new Set(pieces(shared).map((piece) => piece.text))) {
    for (let item = text._start; item; item = item.right)
      if (!item.deleted && item.countable) clients.add(String(item.id.client));
  }
  return [...clients];
}
