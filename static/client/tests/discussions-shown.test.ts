import assert from "node:assert/strict";
import { test } from "node:test";
import * as Y from "yjs";
import type { Member, Space } from "../src/api/types.ts";
import { matching, mentioned, People, typedMention } from "../src/discussions/people.ts";
import { readShown } from "../src/discussions/shown.ts";
import type { Thread } from "../src/discussions/types.ts";

const POST = {
  number: 1,
  author: "m1",
  body: "Hello",
  language: "en",
  reply_to: null,
  mentions: ["m2"],
  options: ["a", "b"],
  votes: [["m2"], []],
  reactions: { heart: ["m2"] },
  state: "visible",
  hidden_by: null,
  at: 1000,
  edited_at: null,
  version: 3,
};

function shown(thread: object, posts: Record<string, unknown>, hands: Record<string, unknown> = {}) {
  const doc = new Y.Doc();
  const fill = (name: string, values: object) => {
    const map = doc.getMap(name);
    for (const [key, value] of Object.entries(values)) map.set(key, value);
    return map;
  };
  return readShown(fill("thread", thread), fill("posts", posts), fill("hands", hands));
}

test("a document is read as the server writes it, posts by number, hands by time", () => {
  const found = shown(
    {
      title: "Rivers",
      kind: "chat",
      pinned: true,
      locked: { by: "m9", reason: "Break", until: 99 },
      version: 4,
    },
    {
      p2: { ...POST, number: 2 },
      p1: POST,
      p3: { ...POST, number: 3, state: "hidden", body: "", hidden_by: "m9" },
    },
    { m2: 20, m1: 10 },
  );
  assert.deepEqual(
    found.posts.map(({ id }) => id),
    ["p1", "p2", "p3"],
  );
  assert.deepEqual(found.hands, ["m1", "m2"]);
  assert.deepEqual(found.locked, { by: "m9", reason: "Break", until: 99 });
  assert.equal(found.kind, "chat");
  assert.deepEqual(found.posts[0]?.votes, [["m2"], []]);
  assert.equal(found.posts[2]?.hidden, true);
});

test("a post tells who has set a mark, or without counts only which marks there are", () => {
  const [counted] = shown({}, { p: POST }).posts;
  assert.deepEqual([counted?.marks, counted?.reactions], [["heart"], { heart: ["m2"] }]);
  const { reactions: _, ...rest } = POST;
  const [plain] = shown({}, { p: { ...rest, marks: ["heart", "idea", 7] } }).posts;
  assert.deepEqual([plain?.marks, plain?.reactions], [["heart", "idea"], {}]);
});

test("of a poll without counts it is only known what was chosen, once it is closed", () => {
  const { votes: _, ...rest } = POST;
  const read = (more: object) => {
    const [post] = shown({}, { p: { ...rest, ...more } }).posts;
    return [post?.votes, post?.closed, post?.chosen];
  };
  assert.deepEqual(read({ closed: false, chosen: null }), [null, false, null]);
  assert.deepEqual(read({ closed: true, chosen: [1, 0] }), [null, true, [1, 0]]);
  for (const odd of [[0], [0, 0], [0, 2], ["0", "1"], [0, 1, 2], "01", 7])
    assert.deepEqual(read({ closed: true, chosen: odd }), [null, true, null], JSON.stringify(odd));
  assert.deepEqual(read({ state: "hidden", closed: true, chosen: [1, 0] }), [null, true, null]);
});

test("a stub keeps no word, whatever the document says", () => {
  const [stub] = shown({}, { p: { ...POST, state: "hidden" } }).posts;
  assert.ok(!JSON.stringify(stub).includes("Hello"));
  assert.deepEqual([stub?.options, stub?.mentions, stub?.reactions, stub?.marks], [null, [], {}, []]);
});

test("what is not as agreed is left out, and breaks nothing", () => {
  for (const bad of [
    null,
    7,
    "x",
    [],
    {},
    { ...POST, number: "1" },
    { ...POST, state: "held" },
    { ...POST, number: Number.NaN },
  ])
    assert.deepEqual(shown({}, { p: bad }).posts, [], JSON.stringify(bad));
  const odd = shown(
    { title: 7, kind: "x", pinned: "yes", locked: "no" },
    {
      p: {
        ...POST,
        body: {},
        mentions: "m",
        options: [1, "a"],
        votes: "x",
        reactions: { heart: 7 },
        at: "now",
      },
    },
    { m: "x" },
  );
  assert.deepEqual(
    [odd.title, odd.kind, odd.pinned, odd.locked, odd.hands],
    ["", "thread", false, null, ["m"]],
  );
  const [post] = odd.posts;
  assert.deepEqual(
    [post?.body, post?.mentions, post?.options, post?.votes, post?.at],
    ["", [], ["a"], null, 0],
  );
  assert.deepEqual(post?.reactions, { heart: [] });
});

const member = (id: string, name: string, role: Member["role"] = "student"): Member => ({
  id,
  person_id: `p-${id}`,
  name,
  kind: role === "student" ? "pupil" : "adult",
  role,
  founder: false,
  school_id: "s1",
  can: { role: false, remove: false, reset_code: false },
});
const SPACE = { schools: [{ id: "s1", name: "Río Ebro", town: "", country: "ES" }] } as unknown as Space;
const MEMBERS = new Map(
  [
    member("m1", "Brave Otter"),
    member("m2", "Élan Heron"),
    member("m3", "Ana Serrano", "teacher"),
    member("m4", "Rui"),
  ].map((each) => [each.id, each]),
);
const THREAD = { kind: "thread", author: "m2" } as Thread;
const room = (audience: "all" | "listed" | "staff", members: string[] = []) => ({
  id: "r",
  title: "",
  kind: "",
  state: "",
  audience,
  members,
});

test("people have names while they are members, and are somebody who left after that", () => {
  const people = new People(SPACE, MEMBERS);
  assert.deepEqual(
    [people.who("m1").name, people.who("m1").school, people.who("m1").pupil, people.who("m3").teacher],
    ["Brave Otter", "Río Ebro", true, true],
  );
  assert.equal(people.who("gone").name, "post.left");
  assert.equal(people.who(null).person, "");
  assert.equal(new People(SPACE, undefined).who("m1").name, "…");
});

test("only those who see a discussion can be mentioned in it", () => {
  const people = new People(SPACE, MEMBERS);
  const ids = (thread: Thread, audience: "all" | "listed" | "staff", listed: string[] = []) =>
    people.readersOf(thread, room(audience, listed), "m1").map(({ id }) => id);
  assert.deepEqual(ids(THREAD, "all"), ["m3", "m2", "m4"]);
  assert.deepEqual(ids(THREAD, "listed", ["m1", "m4"]), ["m3", "m4"]);
  assert.deepEqual(ids(THREAD, "staff"), ["m3", "m2"]);
  assert.deepEqual(ids({ ...THREAD, kind: "ask" }, "all"), ["m3", "m2"]);
});

test("a mention is found while it is typed, by any word of a name, accents or not", () => {
  assert.deepEqual(typedMention("hi @el", 6), { from: 3, typed: "el" });
  assert.deepEqual(typedMention("@", 1), { from: 0, typed: "" });
  assert.deepEqual(typedMention("(@Ana S and more", 7), { from: 1, typed: "Ana S" });
  assert.equal(typedMention("a@b.eu", 6), null);
  assert.equal(typedMention("@ana is here now", 16), null);
  const people = new People(SPACE, MEMBERS).readersOf(THREAD, room("all"), "");
  const names = (typed: string) => matching(people, typed).map(({ name }) => name);
  assert.deepEqual(names("el"), ["Élan Heron"]);
  assert.deepEqual(names("HER"), ["Élan Heron"]);
  assert.deepEqual(names("ana s"), ["Ana Serrano"]);
  assert.deepEqual(names("nobody"), []);
  assert.equal(names("").length, 4);
  const ana = { ...people[0], id: "m5", name: "Ana" } as (typeof people)[0];
  assert.deepEqual(mentioned("Ana Serrano", [ana, ...people]), ["m3"]);
  assert.deepEqual(mentioned("Ana Serrano and Rui, not Brave", people).sort(), ["m3", "m4"]);
});
