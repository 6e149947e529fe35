/**
 * The few marks that posts may have: **bold**, *italic*, `code`, lists, quotes and links to the web. The text
 * becomes a tree of plain values, which is drawn without ever being read as HTML. Whatever is not one of
 * these marks stays text. The work grows with the length of the text, whatever the text is.
 */
export type Inline =
  | { kind: "text"; text: string }
  | { kind: "break" }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em"; children: Inline[] }
  | { kind: "link"; href: string; domain: string; text: string };

export type Block =
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "list"; ordered: boolean; start: number; items: Inline[][] }
  | { kind: "quote"; children: Block[] };

/** More than the server takes for one post. */
const LONGEST = 20_000;
const DEEPEST_QUOTE = 3;
const DEEPEST_MARK = 4;
const LONGEST_URL = 2000;

const ITEM = /^ {0,3}(?:[-*•]|(\d{1,4})[.)]) +(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const URL_AHEAD = new RegExp(`https?://[^\\s<>"\`]{1,${LONGEST_URL}}`, "iy");
const NAMED_AHEAD = new RegExp(
  `\\[([^\\[\\]\\n]{1,300})\\]\\((https?://[^\\s()<>]{1,${LONGEST_URL}})\\)`,
  "iy",
);
const WORD = /[\p{L}\p{N}]/u;

/** The blocks of a post's text. */
export function parse(text: string): Block[] {
  return blocks(text.slice(0, LONGEST).replace(/\r\n?/g, "\n").split("\n"), 0);
}

function blocks(lines: readonly string[], depth: number): Block[] {
  const found: Block[] = [];
  let at = 0;
  const taken = (pattern: RegExp): RegExpExecArray[] => {
    const rows: RegExpExecArray[] = [];
    for (; at < lines.length; at++) {
      const row = pattern.exec(lines[at] ?? "");
      if (!row) break;
      rows.push(row);
    }
    return rows;
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (!line.trim()) {
      at++;
    } else if (depth < DEEPEST_QUOTE && QUOTE.test(line)) {
      const inner = taken(QUOTE).map(([, rest]) => rest ?? "");
      found.push({ kind: "quote", children: blocks(inner, depth + 1) });
    } else if (ITEM.test(line)) {
      found.push(listOf(taken(ITEM)));
    } else {
      const first = at;
      while (at < lines.length && isPlain(lines[at] ?? "", depth)) at++;
      found.push({ kind: "paragraph", children: inlines(lines.slice(first, at).join("\n"), 0) });
    }
  }
  return found;
}

const isPlain = (line: string, depth: number): boolean =>
  line.trim() !== "" && !ITEM.test(line) && (depth >= DEEPEST_QUOTE || !QUOTE.test(line));

function listOf(rows: RegExpExecArray[]): Block {
  const first = rows[0]?.[1];
  return {
    kind: "list",
    ordered: first !== undefined,
    start: Number(first ?? 1),
    items: rows.map(([, , rest]) => inlines(rest ?? "", 0)),
  };
}

function inlines(text: string, depth: number): Inline[] {
  const found: Inline[] = [];
  /** Marks that no later character ends: they are not looked for twice. */
  const endless = new Set<string>();
  let plain = "";
  let at = 0;
  const put = (one: Inline, length: number) => {
    if (plain) found.push({ kind: "text", text: plain });
    plain = "";
    found.push(one);
    at += length;
  };
  while (at < text.length) {
    const char = text[at] ?? "";
    if (char === "\n") {
      put({ kind: "break" }, 1);
      continue;
    }
    if (char === "`" && !endless.has("`")) {
      const end = text.indexOf("`", at + 1);
      if (end > at + 1) {
        put({ kind: "code", text: text.slice(at + 1, end) }, end + 1 - at);
        continue;
      }
      if (end < 0) endless.add("`");
    }
    if (char === "*" && depth < DEEPEST_MARK) {
      const mark = text[at + 1] === "*" ? "**" : "*";
      const end = endOf(text, at, mark, endless);
      if (end > 0) {
        const children = inlines(text.slice(at + mark.length, end), depth + 1);
        put({ kind: mark === "**" ? "strong" : "em", children }, end + mark.length - at);
        continue;
      }
    }
    const link = char === "[" ? named(text, at) : /h/i.test(char) ? bare(text, at) : null;
    if (link) {
      put(link.link, link.length);
      continue;
    }
    plain += char;
    at++;
  }
  if (plain) found.push({ kind: "text", text: plain });
  return found;
}

/** Where the mark that stands at `at` ends, or -1 if it begins nothing. */
function endOf(text: string, at: number, mark: "*" | "**", endless: Set<string>): number {
  const inside = at + mark.length;
  if (endless.has(mark) || !/\S/.test(text[inside] ?? " ")) return -1;
  if (mark === "*" && WORD.test(text[at - 1] ?? "")) return -1;
  for (let end = inside + 1; end < text.length; end++) {
    if (text[end] !== "*") continue;
    const double = text[end + 1] === "*";
    if (mark === "*" && double) {
      end++;
      continue;
    }
    if (mark === "**" && !double) continue;
    if (/\s/.test(text[end - 1] ?? "")) continue;
    if (mark === "*" && WORD.test(text[end + 1] ?? "")) continue;
    return end;
  }
  endless.add(mark);
  return -1;
}

function named(text: string, at: number): { link: Inline; length: number } | null {
  NAMED_AHEAD.lastIndex = at;
  const [whole, words, url] = NAMED_AHEAD.exec(text) ?? [];
  const link = whole === undefined ? null : linkTo(url ?? "", words ?? "");
  return link && { link, length: whole?.length ?? 0 };
}

function bare(text: string, at: number): { link: Inline; length: number } | null {
  if (WORD.test(text[at - 1] ?? "")) return null;
  URL_AHEAD.lastIndex = at;
  const [whole] = URL_AHEAD.exec(text) ?? [];
  if (whole === undefined) return null;
  let url = whole.replace(/[.,;:!?'*»”’]+$/, "");
  if (url.endsWith(")") && !url.includes("(")) url = url.slice(0, -1);
  const link = linkTo(url, "");
  return link && { link, length: url.length };
}

/** A link to the web, with the place it leads to; null for everything else that an address can do. */
function linkTo(href: string, words: string): Inline | null {
  let url: URL;
  try {
    url = new URL(href);
  } catch {
    return null;
  }
  const web = url.protocol === "https:" || url.protocol === "http:";
  if (!web || url.username || url.password || !url.hostname) return null;
  return { kind: "link", href: url.href, domain: url.hostname, text: words || shortened(href) };
}

function shortened(href: string): string {
  const text = href.replace(/^https?:\/\//i, "").replace(/\/$/, "");
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** The words alone, on one line: for quotes, for the ear and for lists. */
export function plain(text: string, longest = 140): string {
  const words = parse(text.slice(0, longest * 8))
    .map(wordsOf)
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
  const signs = [...words];
  return signs.length > longest ? `${signs.slice(0, longest - 1).join("")}…` : words;
}

function wordsOf(block: Block): string {
  if (block.kind === "quote") return block.children.map(wordsOf).join(" ");
  if (block.kind === "list") return block.items.map(said).join(", ");
  return said(block.children);
}

const said = (children: readonly Inline[]): string =>
  children
    .map((each) => {
      if (each.kind === "break") return " ";
      return "children" in each ? said(each.children) : each.text;
    })
    .join("");
