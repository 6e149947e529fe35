import assert from "node:assert/strict";
import { test } from "node:test";
import * as Y from "yjs";
import { addCard, addColumn, arranged, moveCard, moveColumn, plain, remove } from "../src/board/model.ts";
import { between, placeAt } from "../src/board/place.ts";
import { anchor, apply, change, indexOf, wordsOf, writersOf } from "../src/board/text.ts";

/** Small, fast, and the same every time (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const none = (what = "nothing there"): never => {
  throw new Error(what);
};

const isBetween = (before: string, place: string | null, after: string | null) => {
  if (place === null) return none(`nothing between "${before}" and "${after}"`);
  assert.match(place, /^[0-9A-Za-z]+$/);
  assert.ok(before < place && (after === null || place < after), `${before} < ${place} < ${after}`);
};

test("there is a place between any two, before the first and after the last", () => {
  for (const [before, after] of [
    ["", null],
    ["V", null],
    ["z", null],
    ["zzz", null],
    ["zzzz", null],
    ["", "1"],
    ["", "01"],
    ["", "001"],
    ["", "000V"],
    ["V", "W"],
    ["V", "V1"],
    ["V", "V01"],
    ["Vz", "W"],
    ["Vzz", "W1"],
    ["", "z"],
  ] as const) {
    for (const random of [Math.random, () => 0, () => 0.999999])
      isBetween(before, between(before, after, random), after);
  }
});

test("where nothing fits there is no place", () => {
  for (const [before, after] of [
    ["", "0"],
    ["", "000"],
    ["V", "V"],
    ["V", "V0"],
    ["W", "V"],
    ["V1", "V"],
  ] as const)
    assert.equal(between(before, after), null, `${before} ${after}`);
});

test("many random moves keep the order, and places stay short", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = dice(seed);
    const places: string[] = [];
    for (let turn = 0; turn < 1500; turn++) {
      const index = Math.floor(random() * (places.length + 1));
      places.splice(index, 0, placeAt(places, index, random));
      if (places.length > 40) places.splice(Math.floor(random() * places.length), 1);
    }
    assert.deepEqual(places, [...places].sort());
    assert.equal(new Set(places).size, places.length);
    assert.ok(Math.max(...places.map(({ length }) => length)) < 60);
  }
});

test("at one and the same end or gap, thousands of times", () => {
  const last: string[] = [];
  const first: string[] = [];
  const second = ["V", "W"];
  for (let turn = 0; turn < 3000; turn++) {
    last.push(placeAt(last, last.length));
    first.unshift(placeAt(first, 0));
    second.splice(1, 0, placeAt(second, 1));
  }
  for (const places of [last, first, second]) {
    assert.deepEqual(places, [...places].sort());
    assert.equal(new Set(places).size, places.length);
  }
  assert.ok(Math.max(...[...last, ...first].map(({ length }) => length)) <= 5);
  assert.ok(Math.max(...second.map(({ length }) => length)) < 1000);
});

test("among equal neighbours it stands behind all of them", () => {
  const place = placeAt(["A", "V", "V", "V", "X"], 2);
  assert.ok(place > "V" && place < "X");
  assert.ok(placeAt(["0", "0"], 0) > "0");
  assert.ok(placeAt(["z".repeat(1000)], 1) >= "z".repeat(1000));
});

test("the smallest change, at the caret where it could be in several places", () => {
  assert.equal(change("same", "same"), null);
  assert.deepEqual(change("", "abc"), { at: 0, remove: 0, insert: "abc" });
  assert.deepEqual(change("abc", ""), { at: 0, remove: 3, insert: "" });
  assert.deepEqual(change("a river", "a big river", 6), { at: 2, remove: 0, insert: "big " });
  assert.deepEqual(change("aaa", "aaaa", 2), { at: 1, remove: 0, insert: "a" });
  assert.deepEqual(change("aaaa", "aaa", 1), { at: 1, remove: 1, insert: "" });
  assert.deepEqual(change("cat", "cut", 2), { at: 1, remove: 1, insert: "u" });
});

test("a change never cuts a character in two", () => {
  // These share their first or their second half.
  assert.deepEqual(change("x🦦y", "x🦥y"), { at: 1, remove: 2, insert: "🦥" });
  assert.deepEqual(change("🦦", "🧦"), { at: 0, remove: 2, insert: "🧦" });
  const random = dice(7);
  const signs = ["a", "b", "🦦", "🦥", "🧦", "\n", "é"];
  const some = () =>
    Array.from({ length: Math.floor(random() * 8) }, () => signs[Math.floor(random() * signs.length)]).join(
      "",
    );
  const whole = (text: string) => !/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/.test(text);
  for (let turn = 0; turn < 5000; turn++) {
    const [before, after] = [some(), some()];
    const made = change(before, after, Math.floor(random() * (after.length + 1)));
    if (!made) continue;
    const { at, remove: gone, insert } = made;
    assert.equal(before.slice(0, at) + insert + before.slice(at + gone), after);
    for (const part of [before.slice(0, at), before.slice(at, at + gone), insert])
      assert.ok(whole(part), `${before} > ${after}`);
  }
});

function page(): Y.XmlFragment {
  return new Y.Doc().getXmlFragment("prosemirror");
}

function put(
  shared: Y.XmlFragment,
  name: string,
  attributes: Record<string, unknown>,
  words: string,
): Y.XmlElement {
  const made = new Y.XmlElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value as string);
  made.insert(0, [new Y.XmlText(words)]);
  shared.push([made]);
  return made;
}

const shown = (shared: Y.XmlFragment) =>
  arranged(shared).map(({ title, cards }) => [title, cards.map(({ words }) => words)]);

test("a board reads in the order of places, and nothing is left out or shown twice", () => {
  const shared = page();
  put(shared, "card", { column: "aaaaaaaa", place: "V" }, "second");
  put(shared, "column", { id: "bbbbbbbb", place: "W" }, "B");
  put(shared, "column", { id: "aaaaaaaa", place: "U" }, "A");
  put(shared, "card", { column: "aaaaaaaa", place: "A" }, "first");
  put(shared, "card", { column: "gonegone", place: "B" }, "lost");
  put(shared, "card", { place: "A" }, "never had one");
  put(shared, "card", { column: "aaaaaaaa", place: "V" }, "third, by order");
  put(shared, "column", { id: "aaaaaaaa", place: "X" }, "Twin");
  put(shared, "card", { column: "bbbbbbbb" }, "no place");
  assert.deepEqual(shown(shared), [
    ["", ["never had one", "lost"]],
    ["A", ["first", "second", "third, by order"]],
    ["B", ["no place"]],
    ["Twin", []],
  ]);
});

test("whatever attributes hold, the board is drawn", () => {
  const shared = page();
  const odd = [7, null, true, {}, ["x"], "<img>", "", "A".repeat(1001), "ä", "javascript:x"];
  for (const value of odd) {
    put(shared, "column", { id: value, place: value, protected: value }, "c");
    put(shared, "card", { column: value, place: value, color: value, protected: value }, "k");
  }
  const [loose, ...columns] = arranged(shared);
  assert.equal(loose?.cards.length, odd.length);
  assert.equal(columns.length, odd.length);
  for (const { place, color, by } of loose?.cards ?? []) {
    assert.equal(place, "");
    assert.equal(color, "yellow");
    assert.equal(by, "teachers");
  }
  for (const by of ["0", "12", "9007199254740991"]) put(shared, "card", { protected: by }, "mine");
  for (const by of ["01", "-1", "1.5", "12345678901234567", " 1"])
    put(shared, "card", { protected: by }, "theirs");
  const cards = arranged(shared)[0]?.cards.slice(odd.length);
  assert.deepEqual(
    cards?.map(({ by }) => by),
    ["0", "12", "9007199254740991", ...Array(5).fill("teachers")],
  );
});

test("cards and columns are made, moved and removed", () => {
  const shared = page();
  for (const title of ["A", "B", "C"]) addColumn(shared, title, "teachers");
  const find = (title: string) => arranged(shared).find((each) => each.title === title) ?? none(title);
  const card = (words: string) =>
    arranged(shared)
      .flatMap(({ cards }) => cards)
      .find((each) => each.words === words) ?? none(words);
  for (const words of ["1", "2", "3"])
    apply(addCard(shared, find("A"), "blue", "42"), { at: 0, remove: 0, insert: words });
  assert.ok(find("A").cards.every(({ by, color }) => by === "42" && color === "blue"));
  moveCard(card("3"), find("A"), 0);
  moveCard(card("1"), find("B"), 0);
  moveColumn(arranged(shared), find("C"), 0);
  assert.deepEqual(shown(shared), [
    ["", []],
    ["C", []],
    ["A", ["3", "2"]],
    ["B", ["1"]],
  ]);
  remove(shared, find("A").shared ?? none());
  assert.deepEqual(shown(shared)[0], ["", ["3", "2"]]);
  moveCard(card("1"), arranged(shared)[0] ?? none(), 1);
  assert.equal(plain(arranged(shared)), "3\n\n1\n\n2\n\nC\n\nB");
});

test("two who move and write at once end with the same board", () => {
  const [one, two] = [page(), page()];
  const meet = () => {
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const)
      Y.applyUpdate(to.doc as Y.Doc, Y.encodeStateAsUpdate(from.doc as Y.Doc));
  };
  const random = dice(3);
  addColumn(one, "A", "");
  addColumn(one, "B", "");
  meet();
  for (let turn = 0; turn < 200; turn++) {
    for (const shared of [one, two]) {
      const columns = arranged(shared).filter((each) => each.shared);
      const any = columns[Math.floor(random() * columns.length)] ?? none();
      const cards = columns.flatMap((each) => each.cards);
      const card = cards[Math.floor(random() * cards.length)];
      if (!card || random() < 0.2)
        apply(addCard(shared, any, "white", "1"), { at: 0, remove: 0, insert: `card ${turn}` });
      else if (random() < 0.1) remove(shared, card.shared);
      else moveCard(card, any, Math.floor(random() * (any.cards.length + 1)));
    }
    if (random() < 0.3) meet();
  }
  meet();
  assert.deepEqual(shown(one), shown(two));
});

test("words are found and changed however they lie in the element", () => {
  const shared = page();
  const card = put(shared, "card", {}, "one ");
  card.push([new Y.XmlText("two "), new Y.XmlElement("paragraph")]);
  (card.get(2) as Y.XmlElement).insert(0, [new Y.XmlText("three")]);
  (card.get(0) as Y.XmlText).format(0, 2, { strong: {} });
  assert.equal(wordsOf(card), "one two three");
  const before = wordsOf(card);
  for (const [from, gone, insert] of [
    [0, 0, "x"],
    [2, 5, ""],
    [3, 6, "🦦"],
    [8, 0, "!"],
  ] as const) {
    const now = wordsOf(card);
    const at = Math.min(from, now.length);
    apply(card, { at, remove: gone, insert });
    assert.equal(wordsOf(card), now.slice(0, at) + insert + now.slice(at + gone));
  }
  assert.notEqual(wordsOf(card), before);
  const bare = new Y.XmlElement("card");
  shared.push([bare]);
  apply(bare, { at: 0, remove: 0, insert: "new" });
  assert.equal(wordsOf(bare), "new");
  assert.deepEqual(writersOf(bare), [String(shared.doc?.clientID)]);
});

test("a caret stays behind its character while others write", () => {
  const shared = page();
  const card = put(shared, "card", {}, "a river");
  const caret = anchor(card, 2);
  const start = anchor(card, 0);
  apply(card, { at: 0, remove: 0, insert: "here is " });
  assert.equal(indexOf(card, caret), 10);
  apply(card, { at: 10, remove: 0, insert: "big " });
  assert.equal(indexOf(card, caret), 10);
  apply(card, { at: 0, remove: 12, insert: "" });
  assert.equal(indexOf(card, caret), 0);
  assert.equal(indexOf(card, start), 0);
});
