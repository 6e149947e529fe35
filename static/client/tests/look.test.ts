import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hash, initials, inkOn } from "../src/ui/marks.ts";

const luminance = (color: string): number => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a: string, b: string): number => {
  const [light = 1, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};

const TEXT = ["ink", "ink-quiet", "brand", "brand-strong", "accent", "ok", "wait", "bad"];
const GROUNDS = ["paper", "surface", "sunken", "brand-tint"];

for (const file of ["tokens", "dark"]) {
  const tokens = Object.fromEntries(
    [...readFileSync(`src/styles/${file}.css`, "utf8").matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(
      (found) => [found[1], found[2]],
    ),
  ) as Record<string, string>;
  const color = (name: string): string => {
    assert.ok(tokens[name], `${file}.css has no --${name}`);
    return tokens[name] ?? "";
  };

  test(`${file}.css: text keeps 4.5:1 on every ground (WCAG 1.4.3)`, () => {
    const pairs = TEXT.flatMap((text) => GROUNDS.map((ground) => [text, ground]));
    pairs.push(["on-brand", "brand"], ["on-brand", "brand-strong"], ["paper", "ink"]);
    for (const state of ["ok", "wait", "bad"]) pairs.push([state, `${state}-tint`]);
    for (const [text = "", ground = ""] of pairs) {
      const ratio = contrast(color(text), color(ground));
      assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
    }
  });

  test(`${file}.css: edges of controls and focus rings keep 3:1 (WCAG 1.4.11)`, () => {
    for (const line of ["edge", "focus"]) {
      for (const ground of GROUNDS) {
        const ratio = contrast(color(line), color(ground));
        assert.ok(ratio >= 3, `${line} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
  });
}

test("initials of a name", () => {
  assert.equal(initials("Brave Otter"), "BO");
  assert.equal(initials("quick-heron"), "QH");
  assert.equal(initials("Ana María Serrano López"), "AL");
  assert.equal(initials("émile"), "É");
  assert.equal(initials(""), "?");
});

test("the letters on any colour keep 4.5:1", () => {
  for (let value = 0; value < 4096; value++) {
    const ground = `#${[8, 4, 0].map((shift) => (((value >> shift) & 15) * 17).toString(16).padStart(2, "0")).join("")}`;
    const ink = inkOn(ground) === "#fff" ? "#ffffff" : "#000000";
    assert.ok(contrast(ground, ink) >= 4.5, ground);
  }
});

test("a mark is the same on every device", () => {
  assert.equal(hash(""), 0x811c9dc5);
  assert.equal(hash("a"), 0xe40c292c);
});
