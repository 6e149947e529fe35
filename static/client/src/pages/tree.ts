import type { Page } from "../api/types.ts";

export interface Node {
  page: Page;
  children: Node[];
}

/**
 * The pages of one room as a tree, brothers in their order. A page whose parent cannot be seen stands at the
 * top; no page is ever left out, whatever the parents say.
 */
export function treeOf(pages: readonly Page[], roomId?: string): Node[] {
  const mine = pages.filter((page) => roomId === undefined || page.room_id === roomId);
  const nodes = new Map(mine.map((page) => [page.id, { page, children: [] as Node[] }]));
  const top: Node[] = [];
  for (const node of nodes.values()) {
    const parent = node.page.parent_id === null ? undefined : nodes.get(node.page.parent_id);
    if (parent && !isBelow(nodes, parent.page, node.page.id)) parent.children.push(node);
    else top.push(node);
  }
  const sort = (list: Node[]): Node[] => {
    list.sort((a, b) => a.page.order - b.page.order || (a.page.id < b.page.id ? -1 : 1));
    for (const node of list) sort(node.children);
    return list;
  };
  return sort(top);
}

/** Whether `page` lies below `ancestor` (or is it), going up by parents; circles end the walk. */
function isBelow(nodes: Map<string, Node>, page: Page, ancestor: string): boolean {
  const seen = new Set<string>();
  let at: Page | undefined = page;
  while (at && !seen.has(at.id)) {
    if (at.id === ancestor) return true;
    seen.add(at.id);
    at = at.parent_id === null ? undefined : nodes.get(at.parent_id)?.page;
  }
  return false;
}

/** The pages from the top down to `id`, itself included: the breadcrumbs. */
export function pathTo(pages: readonly Page[], id: string): Page[] {
  const byId = new Map(pages.map((page) => [page.id, page]));
  const found: Page[] = [];
  let at = byId.get(id);
  while (at && !found.includes(at)) {
    found.unshift(at);
    at = at.parent_id === null ? undefined : byId.get(at.parent_id);
  }
  return found;
}

/** The ids of a page and of everything below it. */
export function branch(pages: readonly Page[], id: string): Set<string> {
  const ids = new Set([id]);
  for (let size = 0; size !== ids.size; ) {
    size = ids.size;
    for (const page of pages) if (page.parent_id !== null && ids.has(page.parent_id)) ids.add(page.id);
  }
  return ids;
}

/** The pages beside one (same room, same parent), itself included, in order. */
export function brothers(pages: readonly Page[], page: Page): Page[] {
  return pages
    .filter((other) => other.room_id === page.room_id && other.parent_id === page.parent_id)
    .sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1));
}

/** Where a page may be put: each page of its room with its depth, without its own branch. */
export function places(pages: readonly Page[], page: Page): { page: Page; depth: number }[] {
  const own = branch(pages, page.id);
  const found: { page: Page; depth: number }[] = [];
  const walk = (nodes: Node[], depth: number) => {
    for (const node of nodes) {
      if (own.has(node.page.id)) continue;
      found.push({ page: node.page, depth });
      walk(node.children, depth + 1);
    }
  };
  walk(treeOf(pages, page.room_id), 0);
  return found;
}
