import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, path } from "../src/router.ts";

test("every address that we make is understood", () => {
  assert.deepEqual(parse(path.home), { name: "home" });
  assert.deepEqual(parse(path.login), { name: "login" });
  assert.deepEqual(parse("/card"), { name: "card" });
  assert.deepEqual(parse(path.space("Ab_-9")), { name: "space", space: "Ab_-9" });
  assert.deepEqual(parse(path.page("s", "p")), { name: "page", space: "s", page: "p" });
  assert.deepEqual(parse(path.thread("s", "t")), { name: "thread", space: "s", thread: "t" });
  assert.deepEqual(parse(path.members("s")), { name: "members", space: "s" });
  assert.deepEqual(parse(path.cockpit("s")), { name: "cockpit", space: "s" });
  assert.deepEqual(parse(path.settings("s")), { name: "settings", space: "s" });
  assert.deepEqual(parse(path.pupils("s")), { name: "pupils", school: "s" });
  assert.deepEqual(parse(path.office("messages")), { name: "office", screen: "messages", id: "" });
  assert.deepEqual(parse(path.office("messages/p_1-")), { name: "office", screen: "messages", id: "p_1-" });
});

test("a slash at the end is forgiven", () => {
  assert.deepEqual(parse("/spaces/s/"), { name: "space", space: "s" });
});

test("anything else is unknown", () => {
  for (const at of [
    "/spaces",
    "/spaces/",
    "/spaces/a b",
    "/spaces/s/pages",
    "/spaces/s/pages/p/x",
    "/api/me",
    "/login/x",
  ]) {
    assert.deepEqual(parse(at), { name: "unknown" }, at);
  }
});
