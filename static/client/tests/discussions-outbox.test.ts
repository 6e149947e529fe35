import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, Unreachable } from "../src/api/client.ts";
import { Outbox, type Outgoing, passes, type Shelf } from "../src/discussions/outbox.ts";
import type { Post } from "../src/discussions/types.ts";

/** A shelf that outlives the outbox, as the device does. */
class Memory implements Shelf {
  readonly kept = new Map<string, string>();
  async all(): Promise<Outgoing[]> {
    return [...this.kept.values()].map((each) => JSON.parse(each));
  }
  async put(post: Outgoing): Promise<void> {
    this.kept.set(post.key, JSON.stringify(post));
  }
  async delete(key: string): Promise<void> {
    this.kept.delete(key);
  }
}

/** A server that takes each key once and may be away, or lose its answers. */
class Server {
  readonly taken: string[] = [];
  away = false;
  loses = false;
  refuses: string[] = [];
  calls = 0;
  send = async ({ key, thread, body }: Outgoing): Promise<Post> => {
    this.calls++;
    if (this.away) throw new Unreachable("away");
    if (this.refuses.includes(key)) throw new ApiError(403, "not-allowed", "no", { reason: "muted" });
    if (!this.taken.includes(key)) this.taken.push(key);
    if (this.loses) throw new Unreachable("lost");
    return { id: `p-${key}`, thread_id: thread, body, state: "visible" } as Post;
  };
}

const post = (key: string, at: number, thread = "t"): Outgoing => ({
  key,
  thread,
  at,
  body: key,
  language: null,
  reply_to: null,
  mentions: [],
  options: null,
});

function outbox(shelf: Shelf, server: Server): { box: Outbox; sent: string[] } {
  const sent: string[] = [];
  const box = new Outbox(shelf, server.send, { changed() {}, sent: ({ key }) => sent.push(key) });
  return { box, sent };
}

test("what is written without a line waits, survives, and is sent once and in order", async () => {
  const shelf = new Memory();
  const server = new Server();
  server.away = true;
  const before = outbox(shelf, server);
  for (const [at, key] of ["a", "b", "c"].entries()) await before.box.add(post(key, at));
  assert.deepEqual([...shelf.kept.keys()], ["a", "b", "c"]);
  before.box.close();

  const after = outbox(shelf, server);
  await after.box.start();
  assert.deepEqual(
    after.box.waiting().map(({ key }) => key),
    ["a", "b", "c"],
  );
  server.away = false;
  await Promise.all([after.box.flush(), after.box.flush(), after.box.add(post("d", 9))]);
  assert.deepEqual(server.taken, ["a", "b", "c", "d"]);
  assert.deepEqual(after.sent, ["a", "b", "c", "d"]);
  assert.equal(shelf.kept.size, 0);
  after.box.close();
});

test("a lost answer is asked for again with the same key", async () => {
  const shelf = new Memory();
  const server = new Server();
  server.loses = true;
  const { box, sent } = outbox(shelf, server);
  await box.add(post("a", 1));
  assert.deepEqual(sent, []);
  assert.equal(box.waiting("t").length, 1);
  server.loses = false;
  await box.flush();
  assert.deepEqual(server.taken, ["a"]);
  assert.equal(server.calls, 2);
  assert.deepEqual(sent, ["a"]);
  box.close();
});

test("a refusal stays with its reason, keeps nobody waiting, and is sent again only when asked", async () => {
  const shelf = new Memory();
  const server = new Server();
  server.refuses = ["a"];
  const { box } = outbox(shelf, server);
  await box.add(post("a", 1));
  await box.add(post("b", 2));
  assert.deepEqual(server.taken, ["b"]);
  assert.deepEqual(box.waiting()[0]?.refused, { code: "not-allowed", reason: "muted", kinds: [] });
  assert.ok(shelf.kept.get("a")?.includes("muted"));
  const { calls } = server;
  await box.flush();
  assert.equal(server.calls, calls);
  server.refuses = [];
  await box.again("a");
  assert.deepEqual(server.taken, ["b", "a"]);
  box.close();
});

test("threads are told apart, and a post can be thrown away", async () => {
  const server = new Server();
  server.away = true;
  const shelf = new Memory();
  const { box } = outbox(shelf, server);
  await box.add(post("a", 1, "one"));
  await box.add(post("b", 2, "two"));
  assert.equal(box.waiting("one").length, 1);
  await box.drop("a");
  assert.deepEqual(box.waiting("one"), []);
  assert.deepEqual([...shelf.kept.keys()], ["b"]);
  box.close();
});

test("only what may pass by itself is tried again by itself", () => {
  assert.ok(passes(new Unreachable("x")));
  for (const status of [401, 408, 429, 500, 503])
    assert.ok(passes(new ApiError(status, "x", "")), `${status}`);
  for (const status of [400, 403, 404, 409, 422])
    assert.ok(!passes(new ApiError(status, "x", "")), `${status}`);
  assert.ok(!passes(new TypeError("x")));
});
