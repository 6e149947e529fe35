import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, type Inline, parse, plain } from "../src/discussions/markdown.ts";

const text = (words: string): Inline => ({ kind: "text", text: words });
const paragraph = (...children: Inline[]): Block => ({ kind: "paragraph", children });

/** Every value of the tree, however deep. */
function* everything(value: unknown): Generator<Record<string, unknown>> {
  if (Array.isArray(value)) for (const each of value) yield* everything(each);
  else if (value !== null && typeof value === "object") {
    yield value as Record<string, unknown>;
    for (const each of Object.values(value)) yield* everything(each);
  }
}
const links = (words: string) => [...everything(parse(words))].filter(({ kind }) => kind === "link");

test("paragraphs, lines and marks", () => {
  assert.deepEqual(parse("Hello\nthere\n\nYou"), [
    paragraph(text("Hello"), { kind: "break" }, text("there")),
    paragraph(text("You")),
  ]);
  assert.deepEqual(parse("a **b *c* d** `e*f*`"), [
    paragraph(
      text("a "),
      { kind: "strong", children: [text("b "), { kind: "em", children: [text("c")] }, text(" d")] },
      text(" "),
      { kind: "code", text: "e*f*" },
    ),
  ]);
  assert.deepEqual(parse("*a **b***"), [
    paragraph({ kind: "em", children: [text("a "), { kind: "strong", children: [text("b")] }] }),
  ]);
});

test("what only looks like a mark stays as it was typed", () => {
  for (const words of [
    "5 * 3 * 2",
    "5*3*2",
    "**",
    "***",
    "*",
    "a * b",
    "** a**",
    "`",
    "``",
    "*a",
    "# a",
    "[a](b)",
  ])
    assert.deepEqual(parse(words), [paragraph(text(words))], words);
});

test("lists and quotes", () => {
  assert.deepEqual(parse("- a\n- **b**\n\n3. c\n4. d"), [
    {
      kind: "list",
      ordered: false,
      start: 1,
      items: [[text("a")], [{ kind: "strong", children: [text("b")] }]],
    },
    { kind: "list", ordered: true, start: 3, items: [[text("c")], [text("d")]] },
  ]);
  assert.deepEqual(parse("> a\n> > b\nc"), [
    { kind: "quote", children: [paragraph(text("a")), { kind: "quote", children: [paragraph(text("b"))] }] },
    paragraph(text("c")),
  ]);
});

test("links lead to the web and say where", () => {
  assert.deepEqual(parse("see https://example.org/a?b=c."), [
    paragraph(
      text("see "),
      { kind: "link", href: "https://example.org/a?b=c", domain: "example.org", text: "example.org/a?b=c" },
      text("."),
    ),
  ]);
  assert.deepEqual(links("[my bank](https://evil.example/x)"), [
    { kind: "link", href: "https://evil.example/x", domain: "evil.example", text: "my bank" },
  ]);
  assert.equal(links("(https://example.org)")[0]?.href, "https://example.org/");
  assert.equal(
    links("https://en.wikipedia.org/wiki/Ebro_(river)")[0]?.href,
    "https://en.wikipedia.org/wiki/Ebro_(river)",
  );
  assert.equal(links("https://еxample.org")[0]?.domain, "xn--xample-2of.org");
});

test("no other address becomes a link", () => {
  for (const url of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://example.org/x",
    "ftp://example.org",
    "//example.org",
    "https://",
    "https:///",
    "https://bank.example@evil.example/",
    "https://a:b@evil.example/",
    "http:evil.example",
    "https://[",
    "https://exa mple",
  ]) {
    for (const words of [url, `[a](${url})`, `**${url}**`, `> ${url}`, `- [x](${url})`]) {
      for (const link of links(words)) {
        assert.match(String(link.href), /^https?:\/\//, words);
        assert.doesNotMatch(String(link.href), /@/, words);
        assert.equal(new URL(String(link.href)).hostname, link.domain, words);
      }
    }
  }
  assert.deepEqual(links("javascript:alert(1) data:text/html,x //example.org"), []);
  assert.deepEqual(links("[a](javascript:alert('https://example.org'))").length <= 1, true);
});

test("HTML is text like any other", () => {
  for (const words of [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    '"><svg/onload=alert(1)>',
    "<!--",
    "{{alert(1)}}",
  ])
    assert.deepEqual(parse(words), [paragraph(text(words))]);
});

test("deep, endless and huge texts end, and nest no deeper than allowed", () => {
  const depth = (value: unknown): number => {
    if (Array.isArray(value)) return Math.max(0, ...value.map(depth));
    if (value === null || typeof value !== "object") return 0;
    const inner = Math.max(0, ...Object.values(value).map(depth));
    return "kind" in value ? 1 + inner : inner;
  };
  for (const unit of [
    ">",
    "> ",
    "*",
    "**",
    "* a",
    "**a ",
    "*a",
    "[",
    "[a](",
    "[a](https://",
    "https://",
    "`",
    "`a",
    "- ",
    "1. *",
    "\n",
    "*a **b ",
    "a* ",
    "\u0000",
    "\ud800",
  ]) {
    const words = unit.repeat(Math.ceil(200_000 / unit.length));
    const found = parse(words);
    assert.ok(depth(found) <= 12, unit);
    assert.ok([...everything(found)].length <= 20_001, unit);
    assert.ok(plain(words).length <= 400, unit);
  }
});

test("the words alone", () => {
  assert.equal(plain("**Hello** *you*\n> `there`\n\n- a\n- b"), "Hello you there a, b");
  assert.equal([...plain("é".repeat(500), 10)].length, 10);
  assert.equal(plain("[our page](https://example.org)"), "our page");
});
