import type { Node } from "prosemirror-model";
import type { Transaction } from "prosemirror-state";

export interface Making {
  /** My client id. */
  me: string;
  /** The places of the blocks that are new in the shared document. */
  fresh: ReadonlySet<number>;
  /** Whether a block protected for `by` is closed to me. */
  closed(by: string): boolean;
}

/**
 * Protects for me the blocks that I have just made. What is new only because I split, joined or styled a block
 * that is open to everybody has words of it, and stays open.
 */
export function own(
  { me, fresh, closed }: Making,
  done: readonly Transaction[],
  before: Node,
  now: Transaction,
): void {
  const back = done
    .flatMap(({ mapping }) => mapping.maps)
    .reverse()
    .map((map) => map.invert());
  /** Whether what stands here stood in an open block. */
  const wasOpen = (place: number): boolean => {
    let at = place;
    for (const map of back) {
      const { deletedAfter, pos } = map.mapResult(at);
      if (deletedAfter) return false;
      at = pos;
    }
    return before.childAfter(at).node?.attrs.protected === null;
  };
  now.doc.forEach((node, pos, index) => {
    const by = node.attrs.protected;
    if (!fresh.has(index) || by === undefined || (by !== null && !closed(by))) return;
    let open = false;
    node.descendants((child, offset) => {
      for (let at = 0; child.isLeaf && !open && at < child.nodeSize; at++)
        open = wasOpen(pos + 1 + offset + at);
      return !open;
    });
    if (!open) now.setNodeAttribute(pos, "protected", me);
  });
}
