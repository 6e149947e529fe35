import * as Y from "yjs";
import { type Drawing, type Shared, slotSize } from "./drawing.ts";

/**
 * Positions of the page as positions of the shared document, which stay where they are while others write.
 * A position in a text holds on to the character before it: what others write there goes behind the caret.
 */
export function toRelative(drawing: Drawing, position: number): Y.RelativePosition {
  let type: Shared = drawing.root;
  let rest = position;
  for (;;) {
    let index = 0;
    let inner: Y.XmlElement | null = null;
    for (const slot of drawing.get(type)?.slots ?? []) {
      const size = slotSize(slot);
      if (slot.kind === "run" && rest <= size) {
        for (const text of slot.shared) {
          if (rest <= text.length) return Y.createRelativePositionFromTypeIndex(text, rest, -1);
          rest -= text.length;
        }
      }
      if (slot.kind === "node" && rest < size) {
        const drawn = drawing.get(slot.shared[0]);
        if (rest > 0 && drawn && !drawn.standIn && !slot.node.isLeaf) inner = slot.shared[0] as Y.XmlElement;
        break;
      }
      rest -= size;
      index += slot.shared.length;
    }
    if (!inner) return Y.createRelativePositionFromTypeIndex(type, index);
    type = inner;
    rest -= 1;
  }
}

/** Where a position of the shared document is on the page now; null when its place is gone or not shown. */
export function toAbsolute(drawing: Drawing, relative: Y.RelativePosition): number | null {
  const { doc } = drawing.root;
  const found = doc && Y.createAbsolutePositionFromRelativePosition(relative, doc);
  if (!found) return null;
  const line: Shared[] = [];
  for (let type: Shared | null = found.type; type; type = type.parent) line.unshift(type);
  if (line[0] !== drawing.root) return null;
  let position = 0;
  for (let depth = 0; depth < line.length; depth++) {
    const drawn = drawing.get(line[depth]);
    if (!drawn) return null;
    const next = line[depth + 1];
    let index = 0;
    let inside = false;
    for (const slot of drawn.slots) {
      if (next === undefined ? index >= found.index : (slot.shared as unknown[]).includes(next)) {
        if (slot.kind === "run" && next) {
          for (const text of slot.shared) {
            if (text === next) return position + found.index;
            position += text.length;
          }
        }
        if (next && (slot.kind === "hidden" || drawing.get(next)?.standIn !== false)) return position;
        inside = next !== undefined;
        break;
      }
      position += slotSize(slot);
      index += slot.shared.length;
    }
    if (next === undefined) return position;
    if (!inside) return null;
    position += 1;
  }
  return null;
}

/** A relative position from somebody else's presence; null when it is none. */
export function readRelative(value: unknown): Y.RelativePosition | null {
  if (typeof value !== "object" || value === null) return null;
  const { type, item, tname, assoc } = value as Record<string, unknown>;
  if (tname !== undefined && tname !== null && tname !== "prosemirror") return null;
  if (!(tname || isId(type) || isId(item))) return null;
  if (![type, item].every((id) => id === undefined || id === null || isId(id))) return null;
  return Y.createRelativePositionFromJSON({ type, item, tname, assoc: assoc === -1 ? -1 : 0 });
}

function isId(value: unknown): boolean {
  const { client, clock } = (value ?? {}) as Record<string, unknown>;
  return Number.isSafeInteger(client) && Number.isSafeInteger(clock);
}
