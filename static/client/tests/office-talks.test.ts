import assert from "node:assert/strict";
import { test } from "node:test";
import { type Message, merged, NOTHING, newKey, settled, typed } from "../src/office/talks.ts";

const message = (id: string, at: number, key: string | null = null): Message => ({
  id,
  mine: key !== null,
  key,
  body: id,
  at,
});
const ids = (messages: Message[]): string => messages.map(({ id }) => id).join("");

test("messages come once each, in the order they were written", () => {
  const here = [message("a", 1), message("c", 3)];
  assert.equal(ids(merged(here, [message("c", 3), message("d", 4), message("b", 2)])), "abcd");
  assert.equal(ids(merged([], here)), "ac");
  assert.equal(ids(merged(here, [])), "ac");
});

test("the same words keep their key, other words lose it", () => {
  const tried = { words: "Hello", key: "k1", tried: "Hello" };
  assert.deepEqual(typed(tried, "Hello \n"), { words: "Hello \n", key: "k1", tried: "Hello" });
  assert.deepEqual(typed(tried, "Hello!"), { words: "Hello!", key: "", tried: "" });
  assert.deepEqual(typed(NOTHING, "H"), { words: "H", key: "", tried: "" });
  assert.deepEqual(typed(NOTHING, ""), NOTHING);
});

test("what was tried without an answer and has arrived is no draft any more", () => {
  const tried = { words: "Hello", key: "k1", tried: "Hello" };
  assert.equal(settled(tried, [message("a", 1), message("b", 2, "k1")]), NOTHING);
  assert.equal(settled(tried, [message("a", 1, "k2")]), tried);
  const never = { words: "Hello", key: "", tried: "" };
  assert.equal(settled(never, [message("a", 1), message("b", 2, "")]), never);
});

test("keys are such as the server takes, and no two are the same", () => {
  const keys = Array.from({ length: 100 }, newKey);
  for (const key of keys) assert.match(key, /^[A-Za-z0-9_-]{8,64}$/);
  assert.equal(new Set(keys).size, 100);
});
