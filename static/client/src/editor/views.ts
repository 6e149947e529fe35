import type { Node } from "prosemirror-model";
import { Plugin } from "prosemirror-state";
import { TableView } from "prosemirror-tables";
import {
  Decoration,
  DecorationSet,
  type EditorView,
  type NodeView,
  type NodeViewConstructor,
} from "prosemirror-view";
import { t } from "../i18n/index.ts";

const NARROWEST_COLUMN = 96;

/** A task with a box to tick, which works for whoever may write. */
class TaskView implements NodeView {
  readonly dom = document.createElement("li");
  readonly contentDOM = document.createElement("div");
  private readonly box = document.createElement("input");

  constructor(
    private node: Node,
    private readonly view: EditorView,
    private readonly place: () => number | undefined,
  ) {
    this.box.type = "checkbox";
    this.box.contentEditable = "false";
    this.box.addEventListener("change", () => this.tick());
    this.dom.append(this.box, this.contentDOM);
    this.update(node);
  }

  update(node: Node): boolean {
    if (node.type !== this.node.type) return false;
    this.node = node;
    const { checked } = node.attrs;
    this.dom.dataset.checked = String(checked);
    this.box.checked = checked;
    this.box.setAttribute("aria-label", t("editor.task", { task: node.textContent.slice(0, 80) }));
    return true;
  }

  private tick(): void {
    const at = this.place();
    const { state, editable } = this.view;
    if (at !== undefined && editable)
      this.view.dispatch(state.tr.setNodeAttribute(at, "checked", this.box.checked));
    this.box.checked = this.node.attrs.checked;
  }

  stopEvent = (event: Event): boolean => event.target === this.box;
  ignoreMutation = (mutation: { target: globalThis.Node }): boolean =>
    !this.contentDOM.contains(mutation.target);
}

/** A table that scrolls by itself where it is wider than the page; a keyboard can scroll it, too. */
class ScrollingTable extends TableView {
  constructor(node: Node) {
    super(node, NARROWEST_COLUMN);
    this.dom.className = "table-scroll";
  }
}

/** The stand-in for content this editor cannot show: what it is, and the words in it. */
function standIn(node: Node): NodeView {
  const inline = node.isInline;
  const dom = document.createElement(inline ? "span" : "div");
  dom.className = "unknown";
  if (inline) dom.title = t("editor.unknown");
  const label = document.createElement(inline ? "span" : "p");
  label.className = inline ? "sr" : "hint";
  label.textContent = t("editor.unknown");
  const words = document.createElement(inline ? "span" : "p");
  words.textContent = node.attrs.text || "…";
  dom.append(label, words);
  return { dom, ignoreMutation: () => true };
}

export const views: Record<string, NodeViewConstructor> = {
  task_item: (node, view, place) => new TaskView(node, view, place),
  table: (node) => new ScrollingTable(node),
  unknown_block: standIn,
  unknown_inline: standIn,
};

/** An invitation in an empty page. */
export const placeholder = (): Plugin =>
  new Plugin({
    props: {
      decorations: ({ doc }) => {
        const first = doc.firstChild;
        if (doc.childCount !== 1 || first?.type.name !== "paragraph" || first.content.size) return null;
        const invitation = { class: "empty-page", "data-placeholder": t("editor.placeholder") };
        return DecorationSet.create(doc, [Decoration.node(0, first.nodeSize, invitation)]);
      },
    },
  });
