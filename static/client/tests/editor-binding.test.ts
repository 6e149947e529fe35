import assert from "node:assert/strict";
import { test } from "node:test";
import { type Node, Slice } from "prosemirror-model";
import { EditorState, type Plugin, TextSelection, type Transaction } from "prosemirror-state";
import { Transform } from "prosemirror-transform";
import { updateYFragment, yXmlFragmentToProseMirrorRootNode } from "y-prosemirror";
import * as Y from "yjs";
import { Drawing } from "../src/editor/binding/drawing.ts";
import { toAbsolute, toRelative } from "../src/editor/binding/positions.ts";
import { Binding, bindingKey } from "../src/editor/binding/sync.ts";
import { Writer } from "../src/editor/binding/writing.ts";
import { schema } from "../src/editor/schema.ts";

/** Random numbers that a failing run can be repeated with (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 4294967296) * below);
  };
}

const WORDS = ["uno", "dois", "three", "😀", "a", "aa", "", "ñandú", "👩‍👩‍👧", " "];

function randomBlock(pick: (below: number) => number, depth = 0): Node {
  const inline = () =>
    Array.from({ length: pick(4) }, () => {
      const word = WORDS[pick(WORDS.length)];
      if (!word) return schema.node("hard_break");
      const marks = [];
      if (pick(3) === 0) marks.push(schema.mark("strong"));
      if (pick(4) === 0) marks.push(schema.mark("link", { href: `https://example.org/${pick(3)}` }));
      return schema.text(word, marks);
    });
  const paragraph = () => schema.node("paragraph", null, inline());
  const inner = () => (depth < 2 ? [randomBlock(pick, depth + 1)] : [paragraph()]);
  switch (pick(9)) {
    case 0:
      return schema.node("heading", { level: 1 + pick(3) }, inline());
    case 1:
      return schema.node("bullet_list", null, [
        schema.node("list_item", null, inner()),
        schema.node("list_item", null, inner()),
      ]);
    case 2:
      return schema.node("task_list", null, [schema.node("task_item", { checked: pick(2) === 0 }, inner())]);
    case 3:
      return schema.node("blockquote", null, inner());
    case 4: {
      const cell = () => schema.node(pick(2) ? "table_cell" : "table_header", null, [paragraph()]);
      return schema.node("table", null, [
        schema.node("table_row", null, [cell(), cell()]),
        schema.node("table_row", null, [cell(), cell()]),
      ]);
    }
    case 5:
      return schema.node("code_block", null, [schema.text("let x = 1")]);
    default:
      return paragraph();
  }
}

/** A random edit as an editor makes them: text typed, taken away, replaced, marked; blocks put in, split, joined. */
function randomEdit(doc: Node, pick: (below: number) => number): Node {
  const transform = new Transform(doc);
  const size = doc.content.size;
  try {
    const [a, b] = [pick(size + 1), pick(size + 1)].sort((x, y) => x - y) as [number, number];
    switch (pick(7)) {
      case 0:
        transform.insert(a, randomBlock(pick));
        break;
      case 1:
        transform.deleteRange(a, Math.min(b, a + 1 + pick(12)));
        break;
      case 2:
        if (doc.resolve(a).parent.isTextblock) transform.split(a);
        break;
      case 3:
        transform.addMark(a, b, schema.mark(pick(2) ? "em" : "strong"));
        break;
      case 4:
        transform.removeMark(a, b);
        break;
      case 5:
        transform.replace(a, Math.min(b, a + 5), Slice.empty);
        break;
      default:
        if (doc.resolve(a).parent.inlineContent) transform.insert(a, schema.text(WORDS[pick(5)] as string));
    }
    transform.doc.check();
    let whole = true;
    transform.doc.descendants((node) => {
      if (node.text && !isWellFormed(node.text)) whole = false;
    });
    return whole ? transform.doc : doc;
  } catch {
    return doc;
  }
}

/** No caret stands in the middle of a character. */
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** The content with blocks that this editor does not show when they are empty left as they are drawn. */
const freshly = (doc: Y.Doc): Node => new Drawing(doc.getXmlFragment("prosemirror")).draw();

test("what is written is what is drawn, for this editor and for y-prosemirror, edit after edit", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const pick = random(seed);
    const doc = new Y.Doc();
    const shared = doc.getXmlFragment("prosemirror");
    const drawing = new Drawing(shared);
    const writer = new Writer(drawing);
    let node = drawing.draw();
    for (let step = 0; step < 40; step++) {
      node = randomEdit(node, pick);
      if (drawing.get(shared)?.node === node) continue;
      doc.transact(() => writer.write(shared, node));
      const why = `seed ${seed}, step ${step}`;
      if (writer.incomplete) {
        writer.incomplete = false;
        drawing.forgetAll();
        node = drawing.draw();
      }
      assert.deepEqual(freshly(doc).toJSON(), node.toJSON(), why);
      const copy = new Y.Doc();
      Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
      const theirs = yXmlFragmentToProseMirrorRootNode(copy.getXmlFragment("prosemirror"), schema);
      assert.deepEqual(theirs.toJSON(), node.toJSON(), `${why}: y-prosemirror`);
    }
  }
});

test("pages written by y-prosemirror are drawn as they were", () => {
  for (let seed = 100; seed <= 140; seed++) {
    const pick = random(seed);
    const doc = new Y.Doc();
    const shared = doc.getXmlFragment("prosemirror");
    const meta = { mapping: new Map(), isOMark: new Map() };
    let node = schema.node("doc", null, [randomBlock(pick)]);
    for (let step = 0; step < 15; step++) {
      updateYFragment(doc, shared, node, meta);
      // y-prosemirror shares no marks of line breaks either.
      node = yXmlFragmentToProseMirrorRootNode(shared, schema);
      assert.deepEqual(freshly(doc).toJSON(), node.toJSON(), `seed ${seed}, step ${step}`);
      node = randomEdit(node, pick);
    }
  }
});

test("an edit touches nothing but what it changed", () => {
  const doc = new Y.Doc();
  const shared = doc.getXmlFragment("prosemirror");
  const drawing = new Drawing(shared);
  const writer = new Writer(drawing);
  drawing.draw();
  const page = (...texts: string[]) =>
    schema.node(
      "doc",
      null,
      texts.map((each) => schema.node("paragraph", null, each ? [schema.text(each)] : [])),
    );
  doc.transact(() => writer.write(shared, page("one", "two", "three")));
  const [one, two, three] = shared.toArray();
  doc.transact(() => writer.write(shared, page("one", "", "two and more", "three")));
  assert.equal(shared.get(0), one);
  assert.equal(shared.get(2), two);
  assert.equal(shared.get(3), three);
  doc.transact(() => writer.write(shared, page("two and more", "three")));
  assert.deepEqual(shared.toArray(), [two, three]);
});

/** An editor without a screen: a state, and the plugin's view part run by hand. */
class Desk {
  state: EditorState;
  readonly binding: Binding;
  private readonly part: ReturnType<NonNullable<Plugin["spec"]["view"]>>;
  writable = true;

  constructor(readonly doc: Y.Doc) {
    this.binding = new Binding(doc.getXmlFragment("prosemirror"), () => this.writable);
    const { plugin } = this.binding;
    this.state = EditorState.create({ doc: this.binding.page, plugins: [plugin] });
    this.part = (plugin.spec.view as (view: unknown) => typeof this.part)(this);
  }

  dispatch = (transaction: Transaction): void => {
    const before = this.state;
    this.state = before.apply(transaction);
    this.part.update?.(this as never, before);
  };

  type(text: string, at: number): void {
    this.dispatch(this.state.tr.insertText(text, at));
  }

  get text(): string {
    return this.state.doc.textBetween(0, this.state.doc.content.size, "|");
  }
}

function connect(...docs: Y.Doc[]): void {
  for (const from of docs) {
    from.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === "line") return;
      for (const to of docs) if (to !== from) Y.applyUpdate(to, update, "line");
    });
  }
}

function twoDesks(text = ""): [Desk, Desk] {
  const [a, b] = [new Y.Doc(), new Y.Doc()];
  const first = new Desk(a);
  if (text) first.type(text, 1);
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a));
  const second = new Desk(b);
  connect(a, b);
  return [first, second];
}

test("two people type in one paragraph, their carets stay with their words", () => {
  const [ana, rui] = twoDesks("hello world");
  ana.dispatch(ana.state.tr.setSelection(TextSelection.create(ana.state.doc, 6)));
  rui.dispatch(rui.state.tr.setSelection(TextSelection.create(rui.state.doc, 6)));
  for (const letter of " dear") ana.dispatch(ana.state.tr.insertText(letter));
  for (const letter of " kind") rui.dispatch(rui.state.tr.insertText(letter));
  assert.equal(ana.text, rui.text);
  assert.match(ana.text, /hello.* world/);
  assert.ok(ana.text.includes(" dear") && ana.text.includes(" kind"));
  const left = ana.state.doc.textBetween(0, ana.state.selection.head);
  assert.ok(left.endsWith(" dear"), left);
});

test("undo takes back my own edits only, and never the words of somebody else", () => {
  const [ana, rui] = twoDesks();
  ana.type("mine", 1);
  rui.type(" and yours", 5);
  rui.type("!", rui.state.doc.content.size - 1);
  ana.binding.undoManager.undo();
  assert.equal(ana.text, " and yours!");
  assert.equal(rui.text, " and yours!");
  ana.binding.undoManager.redo();
  assert.equal(rui.text, "mine and yours!");
  rui.binding.undoManager.undo();
  assert.equal(ana.text, "mine");
});

test("a paragraph of mine stays when somebody else has written in it", () => {
  const [ana, rui] = twoDesks("start");
  ana.binding.undoManager.stopCapturing();
  ana.dispatch(ana.state.tr.insert(ana.state.doc.content.size, schema.node("paragraph")));
  rui.type("by Rui", rui.state.doc.content.size - 1);
  ana.binding.undoManager.undo();
  assert.ok(ana.text.endsWith("by Rui"), ana.text);
});

test("nothing is written while writing is not allowed", () => {
  const [ana, rui] = twoDesks("start");
  ana.writable = false;
  const before = Y.encodeStateVector(ana.doc);
  ana.type("no", 1);
  rui.type("yes ", 1);
  assert.equal(ana.text, "yes start");
  ana.dispatch(ana.state.tr.setSelection(TextSelection.create(ana.state.doc, 2)));
  assert.equal(
    Y.decodeStateVector(Y.encodeStateVector(ana.doc)).get(ana.doc.clientID),
    Y.decodeStateVector(before).get(ana.doc.clientID),
  );
});

/** Puts everything into the shared document that an editor never would. */
function hostile(doc: Y.Doc): void {
  const shared = doc.getXmlFragment("prosemirror");
  const element = (
    name: string,
    attributes: Record<string, unknown> = {},
    ...children: (Y.XmlElement | Y.XmlText)[]
  ) => {
    const made = new Y.XmlElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value as string);
    made.insert(0, children);
    return made;
  };
  const text = (words: string) => new Y.XmlText(words);
  doc.transact(() => {
    const anything = shared as unknown as Y.Array<unknown>;
    shared.insert(shared.length, [
      element("script", {}, text("alert(1)")),
      element("constructor", {}, text("x")),
      element("__proto__", {}, text("x")),
      element("doc", {}, element("paragraph", {}, text("inner doc"))),
      element("text", {}, text("a text element")),
      element("unknown_block", { key: "1:1" }, text("forged")),
      element(
        "paragraph",
        { onclick: "alert(1)", style: "color:red" },
        text("forged attributes"),
        element("svg"),
        element("paragraph", {}, text("nested")),
      ),
      element("heading", { level: "9e99" }, text("too high")),
      element("heading", { level: { toString: "x" } }, text("an object")),
      element("list_item", {}, text("no list")),
      element("table", {}, element("paragraph", {}, text("no row"))),
      element(
        "table",
        {},
        element(
          "table_row",
          {},
          element("table_cell", { colspan: 1e9, rowspan: -3, colwidth: "x" }, element("paragraph")),
        ),
      ),
      element(
        "table",
        {},
        element("table_row", {}, ...Array.from({ length: 200 }, () => element("table_cell"))),
      ),
      element("bullet_list"),
      element("horizontal_rule", {}, text("inside a rule")),
      text("bare text") as never,
    ]);
    const hook = new Y.XmlHook("hook");
    anything.insert(anything.length, [
      hook,
      new Y.Map([["a", 1]]),
      new Y.Array(),
      new Y.Text("plain"),
      42,
      "word",
      { a: 1 },
      null,
      new Uint8Array(2),
    ]);
    const embeds = text("with  embeds");
    shared.insert(0, [element("paragraph", {}, embeds)]);
    embeds.insertEmbed(5, { image: "x" });
    embeds.insertEmbed(0, new Y.XmlElement("script"));
    embeds.format(0, 6, {
      evil: { onload: 1 },
      strong: { style: "x" },
      link: { href: "javascript:alert(1)" },
    });
    let deep = element("blockquote", {}, element("paragraph", {}, text("bottom")));
    for (let level = 0; level < 60; level++) deep = element("blockquote", {}, deep);
    shared.insert(1, [deep]);
  });
}

test("a hostile page is drawn whole, and reading it writes nothing", () => {
  const doc = new Y.Doc();
  const desk = new Desk(doc);
  desk.type("an honest line", 1);
  const other = new Y.Doc();
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc));
  hostile(other);
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(other), "line");
  desk.state.doc.check();
  assert.ok(desk.text.includes("an honest line"));
  for (let at = 0; at <= desk.state.doc.content.size; at++) {
    const absolute = toAbsolute(desk.binding.drawing, toRelative(desk.binding.drawing, at));
    assert.ok(absolute !== null && absolute >= 0 && absolute <= desk.state.doc.content.size);
  }
  assert.deepEqual(Y.encodeStateAsUpdate(doc), Y.encodeStateAsUpdate(other));
});

test("an honest edit on a hostile page changes the edited words only", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const pick = random(seed);
    const doc = new Y.Doc();
    const desk = new Desk(doc);
    desk.type("an honest line", 1);
    hostile(doc);
    const deleted = () => JSON.stringify([...Y.snapshot(doc).ds.clients]);
    const before = deleted();
    for (let step = 0; step < 10; step++) {
      const positions: number[] = [];
      desk.state.doc.descendants((node, at) => {
        if (node.isTextblock) positions.push(at + 1 + node.content.size);
      });
      desk.type("é", positions[pick(positions.length)] as number);
      desk.state.doc.check();
      assert.deepEqual(freshly(doc).textContent, desk.state.doc.textContent, `seed ${seed}, step ${step}`);
    }
    assert.equal(deleted(), before, `seed ${seed}`);
    assert.equal(desk.state.plugins.length && bindingKey.getState(desk.state), desk.binding);
  }
});

test("three people who edit at random, out of step, end with the same page, valid for all", () => {
  for (let seed = 200; seed < 230; seed++) {
    const pick = random(seed);
    const desks = Array.from({ length: 3 }, () => new Desk(new Y.Doc()));
    const waiting: [Desk, Uint8Array][] = [];
    for (const desk of desks) {
      desk.doc.on("update", (update: Uint8Array, origin: unknown) => {
        if (origin !== "line") for (const to of desks) if (to !== desk) waiting.push([to, update]);
      });
    }
    const deliver = (count: number) => {
      for (let each = 0; each < count && waiting.length; each++) {
        const [[to, update]] = waiting.splice(pick(waiting.length), 1) as [[Desk, Uint8Array]];
        Y.applyUpdate(to.doc, update, "line");
      }
    };
    for (let step = 0; step < 60; step++) {
      const desk = desks[pick(3)] as Desk;
      const wanted = randomEdit(desk.state.doc, pick);
      const transaction = desk.state.tr;
      transaction.replaceWith(0, desk.state.doc.content.size, wanted.content);
      if (wanted !== desk.state.doc) desk.dispatch(transaction);
      desk.state.doc.check();
      deliver(pick(4));
    }
    deliver(Number.POSITIVE_INFINITY);
    const [first, ...others] = desks.map((desk) => JSON.stringify(desk.state.doc.toJSON()));
    for (const other of others) assert.equal(other, first, `seed ${seed}`);
    assert.equal(JSON.stringify(freshly((desks[0] as Desk).doc).toJSON()), first, `seed ${seed}: drawn anew`);
  }
});
