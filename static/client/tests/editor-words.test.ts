import assert from "node:assert/strict";
import { test } from "node:test";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import dialogsEn from "../src/editor/i18n/dialogs/en.ts";
import dialogsEs from "../src/editor/i18n/dialogs/es.ts";
import dialogsPt from "../src/editor/i18n/dialogs/pt.ts";
import en from "../src/editor/i18n/en.ts";
import es from "../src/editor/i18n/es.ts";
import panelsEn from "../src/editor/i18n/panels/en.ts";
import panelsEs from "../src/editor/i18n/panels/es.ts";
import panelsPt from "../src/editor/i18n/panels/pt.ts";
import pt from "../src/editor/i18n/pt.ts";
import { everybody, readSomebody } from "../src/editor/people.ts";
import { allowedImage, allowedLink, typedLink } from "../src/editor/urls.ts";
import type { Message } from "../src/i18n/index.ts";

const parameters = (message: Message): string[] =>
  [...(typeof message === "string" ? message : message.other).matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => name ?? "")
    .sort();

test("every message of the editor is there in every language, with the same parameters", () => {
  const parts: Record<string, Message>[][] = [
    [en, es, pt],
    [dialogsEn, dialogsEs, dialogsPt],
    [panelsEn, panelsEs, panelsPt],
  ];
  for (const [english = {}, ...others] of parts) {
    for (const catalogue of others) {
      assert.deepEqual(Object.keys(catalogue).sort(), Object.keys(english).sort());
      for (const [key, message] of Object.entries(english))
        assert.deepEqual(parameters(catalogue[key] ?? ""), parameters(message), key);
    }
  }
});

const BASE = "https://twinspace.eu/spaces/1";
const BAD = [
  "javascript:alert(1)",
  " java\nscript:alert(1)",
  "JAVASCRIPT:alert(1)",
  "\u0001javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "blob:https://twinspace.eu/x",
  "ftp://example.org",
  "about:blank",
  "https://",
  `https://example.org/${"x".repeat(3000)}`,
  null,
  undefined,
  7,
  {},
  ["https://example.org"],
  { toString: () => "https://example.org" },
];

test("links lead to the web and to mail only", () => {
  for (const bad of BAD) assert.equal(allowedLink(bad, BASE), null, String(bad));
  assert.equal(allowedLink("http://example.org/a b", BASE), "http://example.org/a%20b");
  assert.equal(allowedLink("mailto:ana@school.pt", BASE), "mailto:ana@school.pt");
  assert.equal(allowedLink("/spaces/2", BASE), "https://twinspace.eu/spaces/2");
});

test("images come over https or from this server", () => {
  for (const bad of [
    ...BAD,
    "http://example.org/a.png",
    "mailto:a@b.eu",
    "data:image/svg+xml,<svg/>",
    "https://a:b@example.org/x.png",
  ])
    assert.equal(allowedImage(bad, BASE), null, String(bad));
  assert.equal(allowedImage("https://example.org/a.png", BASE), "https://example.org/a.png");
  assert.equal(allowedImage("/a.png", BASE), "https://twinspace.eu/a.png");
  assert.equal(
    allowedImage("http://localhost:8080/a.png", "http://localhost:8080/"),
    "http://localhost:8080/a.png",
  );
});

test("what people type as an address is understood", () => {
  const understood: [string, string | null][] = [
    ["www.example.org", "https://www.example.org/"],
    ["example.org:8080/x", "https://example.org:8080/x"],
    ["https://example.org", "https://example.org/"],
    ["ana@school.pt", "mailto:ana@school.pt"],
    ["hello", null],
    ["two words.org", null],
    ["javascript:alert(1)", null],
    ["", null],
  ];
  for (const [typed, meant] of understood) assert.equal(typedLink(typed), meant, typed);
});

test("people are who the server says; forged or missing stamps show nobody", () => {
  assert.equal(readSomebody(1, null), null);
  assert.equal(readSomebody(1, { user: "Ana" }), null);
  assert.equal(readSomebody(1, { user: { name: {} } }), null);
  const odd = readSomebody(1, {
    user: { id: 7, name: "x".repeat(500), color: "red;background:url(x)", school: [] },
  });
  assert.equal(odd?.name.length, 60);
  assert.equal(odd?.color, "#6b6b6b");
  assert.equal(odd?.school, "");
});

test("everybody is listed once, I come first", () => {
  const awareness = new Awareness(new Y.Doc());
  const user = (id: string, name: string) => ({ user: { id, name, color: "#112233" } });
  awareness.states.set(1, user("p1", "Zoe"));
  awareness.states.set(2, user("p1", "Zoe"));
  awareness.states.set(3, user("p2", "Ana"));
  awareness.states.set(4, {});
  const me = { id: "me", name: "Rui", role: "student", school: "Porto" };
  assert.deepEqual(
    everybody(awareness, me).map(({ name }) => name),
    ["Rui", "Ana", "Zoe"],
  );
  awareness.destroy();
});
