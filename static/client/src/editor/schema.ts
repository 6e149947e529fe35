import { type Attrs, type DOMOutputSpec, type MarkSpec, type NodeSpec, Schema } from "prosemirror-model";
import { allowedImage, allowedLink } from "./urls.ts";

/**
 * What a page is made of. The names are shared with every other reader of the document (the server's
 * renderer, other editors); `clean` of ATTRIBUTES turns whatever the shared document holds for an attribute
 * into a value this editor can draw.
 */
const LARGEST_SPAN = 20;
export const WIDEST_TABLE = 60;
export const LONGEST_TABLE = 500;

type Clean = (value: unknown) => unknown;

const text =
  (longest: number): Clean =>
  (value) =>
    typeof value === "string" ? value.slice(0, longest) : "";
const whole =
  (least: number, most: number): Clean =>
  (value) => {
    const number =
      typeof value === "number" || typeof value === "string" ? Math.trunc(Number(value)) : Number.NaN;
    return number >= least && number <= most ? number : least;
  };
const flag: Clean = (value) => value === true || value === "true";
const widths: Clean = (value) =>
  Array.isArray(value) && value.length <= LARGEST_SPAN && value.every((each) => Number.isFinite(each))
    ? value.map((each: number) => Math.min(Math.max(Math.trunc(each), 0), 2000))
    : null;
const title: Clean = (value) => (typeof value === "string" && value ? value.slice(0, 300) : null);

const CELL: Record<string, Clean> = {
  colspan: whole(1, LARGEST_SPAN),
  rowspan: whole(1, LONGEST_TABLE),
  colwidth: widths,
};
const ATTRIBUTES: Record<string, Record<string, Clean>> = {
  heading: { level: whole(1, 3) },
  ordered_list: { order: whole(1, 99999) },
  task_item: { checked: flag },
  image: { src: text(2048), alt: text(1000), title },
  table_cell: CELL,
  table_header: CELL,
  link: { href: text(2048), title },
};

/** The attributes of a node or mark as this editor shows them: its own names only, each with a value that fits. */
export function cleanAttributes(name: string, given: Record<string, unknown>): Attrs {
  const attrs: Record<string, unknown> = {};
  for (const [key, clean] of Object.entries(ATTRIBUTES[name] ?? {})) attrs[key] = clean(given[key]);
  const { colspan, colwidth } = attrs as { colspan?: number; colwidth?: number[] | null };
  if (colwidth && colwidth.length !== colspan) attrs.colwidth = null;
  if (nodes[name]?.attrs?.protected) {
    const { protected: by = null } = given;
    attrs.protected = by === null || typeof by === "string" ? by : "teachers";
  }
  return attrs;
}

const block = "block";
const inlineUnknown = ["span", { class: "unknown" }];

/** Level 1 to 3 of the page is h2 to h4 of the screen: h1 is the title of the page. */
const heading: NodeSpec = {
  group: block,
  content: "inline*",
  attrs: { level: { default: 1 } },
  defining: true,
  parseDOM: [1, 2, 3, 4, 5, 6].map((depth) => ({
    tag: `h${depth}`,
    getAttrs: (dom) => ({ level: Number(dom.dataset.level) || Math.min(depth, 3) }),
  })),
  toDOM: (node) => [`h${node.attrs.level + 1}`, { "data-level": String(node.attrs.level) }, 0],
};

function cell(tag: "td" | "th"): NodeSpec {
  return {
    content: "block+",
    attrs: { colspan: { default: 1 }, rowspan: { default: 1 }, colwidth: { default: null } },
    tableRole: tag === "td" ? "cell" : "header_cell",
    isolating: true,
    parseDOM: [
      {
        tag,
        getAttrs: (dom) =>
          cleanAttributes("table_cell", {
            colspan: dom.getAttribute("colspan"),
            rowspan: dom.getAttribute("rowspan"),
            colwidth: dom.dataset.colwidth?.split(",").map(Number),
          }),
      },
    ],
    toDOM: ({ attrs }) => {
      const shown: Record<string, string> = {};
      if (attrs.colspan !== 1) shown.colspan = String(attrs.colspan);
      if (attrs.rowspan !== 1) shown.rowspan = String(attrs.rowspan);
      if (attrs.colwidth) shown["data-colwidth"] = attrs.colwidth.join(",");
      return [tag, shown, 0];
    },
  };
}

const nodes: Record<string, NodeSpec> = {
  doc: { content: "block+" },
  paragraph: { group: block, content: "inline*", parseDOM: [{ tag: "p" }], toDOM: () => ["p", 0] },
  heading,
  bullet_list: {
    group: block,
    content: "(list_item | unknown_block)+",
    parseDOM: [{ tag: "ul" }],
    toDOM: () => ["ul", 0],
  },
  ordered_list: {
    group: block,
    content: "(list_item | unknown_block)+",
    attrs: { order: { default: 1 } },
    parseDOM: [
      { tag: "ol", getAttrs: (dom) => cleanAttributes("ordered_list", { order: dom.getAttribute("start") }) },
    ],
    toDOM: ({ attrs }) => (attrs.order === 1 ? ["ol", 0] : ["ol", { start: String(attrs.order) }, 0]),
  },
  list_item: { content: "block+", defining: true, parseDOM: [{ tag: "li" }], toDOM: () => ["li", 0] },
  task_list: {
    group: block,
    content: "(task_item | unknown_block)+",
    parseDOM: [{ tag: "ul[data-tasks]", priority: 60 }],
    toDOM: () => ["ul", { "data-tasks": "" }, 0],
  },
  task_item: {
    content: "block+",
    attrs: { checked: { default: false } },
    defining: true,
    parseDOM: [
      {
        tag: "li[data-checked]",
        priority: 60,
        getAttrs: (dom) => ({ checked: dom.dataset.checked === "true" }),
      },
    ],
    toDOM: ({ attrs }) => ["li", { "data-checked": String(attrs.checked) }, 0],
  },
  blockquote: {
    group: block,
    content: "block+",
    defining: true,
    parseDOM: [{ tag: "blockquote" }],
    toDOM: () => ["blockquote", 0],
  },
  code_block: {
    group: block,
    content: "(text | unknown_inline)*",
    marks: "",
    code: true,
    defining: true,
    parseDOM: [{ tag: "pre", preserveWhitespace: "full" }],
    toDOM: () => ["pre", { spellcheck: "false" }, ["code", 0]],
  },
  horizontal_rule: { group: block, parseDOM: [{ tag: "hr" }], toDOM: () => ["hr"] },
  table: {
    group: block,
    content: "table_row+",
    tableRole: "table",
    isolating: true,
    parseDOM: [{ tag: "table" }],
    toDOM: () => ["table", ["tbody", 0]],
  },
  table_row: {
    content: "(table_cell | table_header)+",
    tableRole: "row",
    parseDOM: [{ tag: "tr" }],
    toDOM: () => ["tr", 0],
  },
  table_cell: cell("td"),
  table_header: cell("th"),
  text: { group: "inline" },
  hard_break: {
    group: "inline",
    inline: true,
    selectable: false,
    linebreakReplacement: true,
    parseDOM: [{ tag: "br" }],
    toDOM: () => ["br"],
  },
  image: {
    group: "inline",
    inline: true,
    draggable: true,
    attrs: { src: { default: "" }, alt: { default: "" }, title: { default: null } },
    parseDOM: [
      {
        tag: "img[src]",
        getAttrs: (dom) => {
          const src = allowedImage(dom.getAttribute("src"));
          return (
            src !== null && cleanAttributes("image", { src, alt: dom.getAttribute("alt"), title: dom.title })
          );
        },
      },
    ],
    toDOM: ({ attrs }): DOMOutputSpec => {
      const src = allowedImage(attrs.src);
      if (src === null) return ["span", { class: "image-refused" }, attrs.alt || "?"];
      const shown: Record<string, string> = {
        src,
        alt: attrs.alt,
        loading: "lazy",
        referrerpolicy: "no-referrer",
      };
      if (attrs.title) shown.title = attrs.title;
      return ["img", shown];
    },
  },
  /* Stand-ins for content this editor does not know: never made by a person, never written. `key` names the
     shared type they stand for. */
  unknown_block: {
    group: block,
    atom: true,
    attrs: { key: {}, text: { default: "" } },
    toDOM: ({ attrs }) => ["div", { class: "unknown" }, attrs.text],
  },
  unknown_inline: {
    group: "inline",
    inline: true,
    atom: true,
    attrs: { key: {}, text: { default: "" } },
    toDOM: ({ attrs }) => [...inlineUnknown, attrs.text] as unknown as DOMOutputSpec,
  },
};

/* Who may change a block of the page: `teachers`, or the client id of its owner. Not copied with its text. */
for (const spec of Object.values(nodes))
  if (spec.group === block && !spec.atom) spec.attrs = { ...spec.attrs, protected: { default: null } };

const marks: Record<string, MarkSpec> = {
  link: {
    attrs: { href: { default: "" }, title: { default: null } },
    inclusive: false,
    parseDOM: [
      {
        tag: "a[href]",
        getAttrs: (dom) => {
          const href = allowedLink(dom.getAttribute("href"));
          return href !== null && cleanAttributes("link", { href, title: dom.title });
        },
      },
    ],
    toDOM: ({ attrs }) => {
      const href = allowedLink(attrs.href);
      if (href === null) return ["span", { class: "link-refused" }, 0];
      const shown: Record<string, string> = {
        href,
        rel: "noopener noreferrer nofollow ugc",
        target: "_blank",
      };
      if (attrs.title) shown.title = attrs.title;
      return ["a", shown, 0];
    },
  },
  strong: {
    parseDOM: [
      { tag: "strong" },
      { tag: "b", getAttrs: (dom) => dom.style.fontWeight !== "normal" && null },
      { style: "font-weight", getAttrs: (value) => /^(bold(er)?|[6-9]\d{2})$/.test(value) && null },
    ],
    toDOM: () => ["strong", 0],
  },
  em: {
    parseDOM: [{ tag: "em" }, { tag: "i" }, { style: "font-style=italic" }],
    toDOM: () => ["em", 0],
  },
  underline: { parseDOM: [{ tag: "u" }, { style: "text-decoration=underline" }], toDOM: () => ["u", 0] },
  strike: {
    parseDOM: [{ tag: "s" }, { tag: "del" }, { tag: "strike" }, { style: "text-decoration=line-through" }],
    toDOM: () => ["s", 0],
  },
  code: { code: true, parseDOM: [{ tag: "code" }], toDOM: () => ["code", { spellcheck: "false" }, 0] },
};

export const schema = new Schema({ nodes, marks });

/** Whether a node of type `child` can stand somewhere in a node of type `parent`. */
export function allows(parent: string, child: string): boolean {
  return CHILDREN[parent]?.has(child) ?? false;
}

const CHILDREN = Object.fromEntries(
  Object.values(schema.nodes).map((type) => {
    const found = new Set<string>();
    const seen = [type.contentMatch];
    for (const match of seen) {
      for (let at = 0; at < match.edgeCount; at++) {
        const { type: child, next } = match.edge(at);
        found.add(child.name);
        if (!seen.includes(next)) seen.push(next);
      }
    }
    return [type.name, found];
  }),
);
