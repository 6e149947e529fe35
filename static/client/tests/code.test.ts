import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, countOf, isWhole, wordsOf } from "../src/code.ts";

const CODE = "brave-otter-lemon-train-cloud";

test("a card's words are understood however they are written", () => {
  for (const typed of [
    "brave otter lemon train cloud",
    "Brave Otter Lemon Train Cloud",
    "  BRAVE,otter;lemon.train/cloud ",
    "brave-otter-lemon-train-cloud",
    "brave – otter – lemon – train – cloud",
    "1. brave\n2. otter\n3. lemon\n4. train\n5. cloud\n",
    "https://twinspace.example/card#brave-otter-lemon-train-cloud",
    "#brave-otter-lemon-train-cloud",
    "#brave%2Dotter%20lemon-train-cloud",
  ]) {
    assert.equal(codeOf(typed), CODE, typed);
  }
});

test("the number behind the second word belongs to the card, the numbers of a list do not", () => {
  assert.equal(codeOf("brave otter 2 lemon train cloud"), "brave-otter-2-lemon-train-cloud");
  assert.equal(codeOf("brave-otter-12-lemon"), "brave-otter-12-lemon");
  assert.equal(codeOf("1 brave, 2 otter, 3 lemon"), "brave-otter-lemon");
  assert.equal(codeOf("my card: 7"), "my-card-7");
  assert.equal(countOf(wordsOf("brave otter 2 lemon")), 3);
});

test("a card is whole with five words, or with their letters in one go", () => {
  assert.ok(isWhole(wordsOf(CODE)));
  assert.ok(isWhole(wordsOf("braveotterlemontraincloud")));
  assert.ok(!isWhole(wordsOf("brave otter lemon train")));
  assert.ok(!isWhole(wordsOf("brave")));
  assert.ok(!isWhole([]));
});

test("accents stay, in one normal form", () => {
  assert.deepEqual(wordsOf("Limón MAÇÃ"), ["limón", "maçã"]);
  assert.deepEqual(wordsOf("limo\u0301n"), ["limón"]);
});

test("nothing and nonsense give no words", () => {
  for (const typed of ["", "  ", "#", "123 %% !!", "%"]) assert.deepEqual(wordsOf(typed), []);
});
