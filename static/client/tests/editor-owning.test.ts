import assert from "node:assert/strict";
import { test } from "node:test";
import { lift, setBlockType, splitBlock, wrapIn } from "prosemirror-commands";
import { Fragment, type NodeType, Slice } from "prosemirror-model";
import { type Command, EditorState, type Plugin, TextSelection, type Transaction } from "prosemirror-state";
import * as Y from "yjs";
import { Binding } from "../src/editor/binding/sync.ts";
import { own } from "../src/editor/owning.ts";
import { protection, setProtected } from "../src/editor/protection.ts";
import { schema } from "../src/editor/schema.ts";

/** The editor of a pupil where blocks have owners (or, without, of a teacher), and its views run by hand. */
class Desk {
  state: EditorState;
  readonly doc = new Y.Doc();
  refused = 0;
  private readonly shared: Binding;
  private readonly parts: ReturnType<NonNullable<Plugin["spec"]["view"]>>[];

  constructor(owns: boolean, before?: Y.Doc) {
    if (before) Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(before), "line");
    const closed = (by: string) => owns && by !== this.me;
    this.shared = new Binding(this.doc.getXmlFragment("prosemirror"), () => true);
    const plugins = [
      this.shared.plugin,
      protection({
        closed,
        label: (by) => by,
        refused: () => this.refused++,
        own: (done, old, now) => {
          if (owns) own({ me: this.me, fresh: this.shared.fresh(now.doc), closed }, done, old, now);
        },
      }),
    ];
    this.state = EditorState.create({ doc: this.shared.page, plugins });
    this.parts = plugins.map(({ spec }) => (spec.view as (view: unknown) => (typeof this.parts)[0])(this));
  }

  get me(): string {
    return String(this.doc.clientID);
  }

  get undo(): Y.UndoManager {
    return this.shared.undoManager;
  }

  dispatch = (transaction: Transaction): void => {
    const before = this.state;
    this.state = before.applyTransaction(transaction).state;
    for (const part of this.parts) part.update?.(this as never, before);
  };

  /** Puts the caret into the block of these words. */
  at(words: string, offset = words.length): this {
    let found = -1;
    this.state.doc.descendants((node, pos) => {
      if (node.isTextblock && node.textContent === words) found = pos + 1 + offset;
    });
    this.dispatch(this.state.tr.setSelection(TextSelection.create(this.state.doc, found)));
    return this;
  }

  do(...commands: Command[]): this {
    for (const command of commands) assert.ok(command(this.state, this.dispatch));
    return this;
  }

  type(text: string): this {
    this.dispatch(this.state.tr.insertText(text));
    return this;
  }

  /** Each block with whose it is: "open", "mine", or the client id. */
  get blocks(): string[] {
    const found: string[] = [];
    this.state.doc.forEach(({ textContent, attrs: { protected: by } }) => {
      found.push(`${textContent}: ${by === null ? "open" : by === this.me ? "mine" : by}`);
    });
    return found;
  }
}

function connect(...desks: Desk[]): void {
  for (const from of desks) {
    from.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === "line") return;
      for (const to of desks) if (to !== from) Y.applyUpdate(to.doc, update, "line");
    });
  }
}

/** A teacher's page of these words, and two pupils on it. */
function page(words: string): [Desk, Desk, Desk] {
  const ana = new Desk(false);
  ana.type(words);
  const desks: [Desk, Desk, Desk] = [ana, new Desk(true, ana.doc), new Desk(true, ana.doc)];
  connect(...desks);
  return desks;
}

const heading = setBlockType(schema.nodes.heading as NodeType, { level: 2 });
const quote = wrapIn(schema.nodes.blockquote as NodeType);

test("the first words of an empty page, and every block made after it, are their maker's", () => {
  const [brave, quick] = [new Desk(true), new Desk(true)];
  connect(brave, quick);
  brave.type("One").do(splitBlock).type("Two");
  assert.deepEqual(brave.blocks, ["One: mine", "Two: mine"]);
  assert.deepEqual(quick.blocks, [`One: ${brave.me}`, `Two: ${brave.me}`]);
  quick.at("Two").type("!");
  assert.equal(quick.refused, 1);
  assert.deepEqual(quick.blocks, [`One: ${brave.me}`, `Two: ${brave.me}`]);
});

test("a block is written and protected in one update", () => {
  const brave = new Desk(true);
  const updates: Uint8Array[] = [];
  brave.doc.on("update", (update: Uint8Array) => updates.push(update));
  brave.type("One");
  assert.equal(updates.length, 1);
  const copy = new Y.Doc();
  Y.applyUpdate(copy, updates[0] as Uint8Array);
  assert.equal(
    (copy.getXmlFragment("prosemirror").get(0) as Y.XmlElement).getAttribute("protected"),
    brave.me,
  );
});

test("what is open stays open when it is split, made a heading, quoted or joined", () => {
  const [, brave, quick] = page("For everybody");
  brave.at("For everybody", 4).do(splitBlock);
  assert.deepEqual(brave.blocks, ["For : open", "everybody: open"]);
  brave.do(heading).at("For ").do(quote);
  assert.deepEqual(brave.blocks, ["For : open", "everybody: open"]);
  brave.do(lift);
  quick.at("everybody", 0);
  quick.dispatch(quick.state.tr.join(quick.state.selection.$from.before()));
  assert.deepEqual(quick.blocks, ["For everybody: open"]);
  brave.at("For everybody").do(splitBlock).type("Mine").at("For everybody", 0).do(splitBlock);
  assert.deepEqual(brave.blocks, [": mine", "For everybody: open", "Mine: mine"]);
});

test("what is mine stays mine when it is split, joined, made a heading or taken out of a quote", () => {
  const [, brave] = page("Start");
  brave.at("Start").do(splitBlock).type("OneTwo").at("OneTwo", 3).do(splitBlock);
  assert.deepEqual(brave.blocks, ["Start: open", "One: mine", "Two: mine"]);
  brave.at("Two").do(heading).do(quote).do(splitBlock).type("Three");
  assert.deepEqual(brave.blocks, ["Start: open", "One: mine", "TwoThree: mine"]);
  brave.do(lift);
  assert.deepEqual(brave.blocks, ["Start: open", "One: mine", "Two: mine", "Three: mine"]);
  brave.at("Two", 0).do(lift);
  brave.dispatch(brave.state.tr.join(brave.state.selection.$from.before()));
  assert.deepEqual(brave.blocks, ["Start: open", "OneTwo: mine", "Three: mine"]);
});

test("whatever is pasted is mine, also a copy of what is somebody else's", () => {
  const [ana, brave] = page("Start");
  ana.dispatch(setProtected(ana.state, [0], "teachers"));
  const copied = ana.state.doc.child(0);
  brave.dispatch(
    brave.state.tr.insert(
      brave.state.doc.content.size,
      Fragment.from([copied, schema.node("horizontal_rule")]),
    ),
  );
  assert.deepEqual(brave.blocks, ["Start: teachers", "Start: mine", ": mine"]);
  brave
    .at("Start", 2)
    .dispatch(
      brave.state.tr.replaceSelection(
        new Slice(
          Fragment.from(["x", "y"].map((each) => schema.node("paragraph", null, schema.text(each)))),
          1,
          1,
        ),
      ),
    );
  assert.equal(brave.blocks.filter((each) => each.endsWith("mine")).length, brave.blocks.length - 1);
});

test("a block that I have opened stays open, and what I make after it is mine", () => {
  const [, brave, quick] = page("Start");
  brave.at("Start").do(splitBlock).type("Ours");
  brave.dispatch(setProtected(brave.state, [7], null));
  quick.at("Ours").type(" now");
  brave.at("Ours now").do(heading).at("Ours now", 4).do(splitBlock);
  assert.deepEqual(brave.blocks, ["Start: open", "Ours: open", " now: open"]);
  brave.at(" now").do(splitBlock).type("Mine");
  assert.deepEqual(brave.blocks, ["Start: open", "Ours: open", " now: open", "Mine: mine"]);
});

test("teachers make open blocks, and change those of pupils, which stay theirs", () => {
  const [ana, brave] = page("Start");
  brave.at("Start").do(splitBlock).type("Otters");
  ana.at("Otters").do(heading).type(" swim").at("Otters swim", 6).do(splitBlock);
  assert.deepEqual(brave.blocks, ["Start: open", "Otters: mine", " swim: mine"]);
  ana.at("Start").do(splitBlock).type("By Ana");
  assert.equal(ana.blocks[1], "By Ana: open");
});

test("undone and done again, a block is its maker's; what others make takes no undo away", () => {
  const [, brave, quick] = page("Start");
  brave.undo.stopCapturing();
  brave.at("Start").do(splitBlock).type("Otters");
  quick.at("Start").do(splitBlock).type("Herons");
  brave.undo.undo();
  assert.deepEqual(brave.blocks, ["Start: open", `Herons: ${quick.me}`]);
  brave.undo.redo();
  assert.deepEqual([...brave.blocks].sort(), [`Herons: ${quick.me}`, "Otters: mine", "Start: open"]);
  assert.ok(quick.blocks.includes(`Otters: ${brave.me}`));
});

test("what became closed is not undone by others", () => {
  const [ana, brave] = page("Start");
  brave.at("Start").type(" here");
  ana.dispatch(setProtected(ana.state, [0], "teachers"));
  assert.equal(brave.undo.canUndo(), false);
});

test("an open block that is joined to mine does not make somebody else's block mine", () => {
  const [ana, brave] = page("A long line for everybody on this page");
  brave.at("A long line for everybody on this page", 0).do(splitBlock);
  assert.deepEqual(brave.blocks, [": mine", "A long line for everybody on this page: open"]);
  brave.at("").type("My").at("A long line for everybody on this page", 0);
  const theirs = brave.doc.getXmlFragment("prosemirror").get(1);
  brave.dispatch(brave.state.tr.join(brave.state.selection.$from.before()));
  assert.deepEqual(ana.blocks, [`MyA long line for everybody on this page: ${brave.me}`]);
  assert.notEqual(brave.doc.getXmlFragment("prosemirror").get(0), theirs);
});
