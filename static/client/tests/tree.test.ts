import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "../src/api/types.ts";
import { branch, brothers, type Node, pathTo, places, treeOf } from "../src/pages/tree.ts";

const page = (id: string, parent_id: string | null, order: number, room_id = "r"): Page =>
  ({ id, parent_id, order, room_id, title: id }) as Page;
const shape = (nodes: Node[]): unknown =>
  nodes.map((node) => [node.page.id, ...(shape(node.children) as unknown[])]);

const PAGES = [
  page("b", null, 1),
  page("a", null, 0),
  page("a2", "a", 1),
  page("a1", "a", 0),
  page("x", null, 0, "other"),
  page("a1i", "a1", 0),
];

test("brothers stand in their order, children below their parents, rooms apart", () => {
  assert.deepEqual(shape(treeOf(PAGES, "r")), [["a", ["a1", ["a1i"]], ["a2"]], ["b"]]);
  assert.deepEqual(shape(treeOf(PAGES, "other")), [["x"]]);
});

test("no page is lost: a hidden parent or a circle puts it at the top", () => {
  assert.deepEqual(shape(treeOf([page("a", "hidden", 0)], "r")), [["a"]]);
  assert.deepEqual(shape(treeOf([page("a", "b", 0), page("b", "a", 1)], "r")), [["a"], ["b"]]);
  assert.deepEqual(shape(treeOf([page("a", "a", 0)], "r")), [["a"]]);
});

test("the way to a page leads from the top, and ends in a circle too", () => {
  assert.deepEqual(
    pathTo(PAGES, "a1i").map(({ id }) => id),
    ["a", "a1", "a1i"],
  );
  assert.deepEqual(
    pathTo([page("a", "b", 0), page("b", "a", 0)], "a").map(({ id }) => id),
    ["b", "a"],
  );
  assert.deepEqual(pathTo(PAGES, "none"), []);
});

test("a page can be put anywhere in its room but into its own branch", () => {
  assert.deepEqual([...branch(PAGES, "a1")].sort(), ["a1", "a1i"]);
  assert.deepEqual(
    places(PAGES, page("a1", "a", 0)).map(({ page: { id }, depth }) => [id, depth]),
    [
      ["a", 0],
      ["a2", 1],
      ["b", 0],
    ],
  );
  assert.deepEqual(
    brothers(PAGES, page("a1", "a", 0)).map(({ id }) => id),
    ["a1", "a2"],
  );
});
