import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, wordsOf } from "../src/code.ts";

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

test("accents stay, in one normal form", () => {
  assert.deepEqual(wordsOf("Limón MAÇÃ"), ["limón", "maçã"]);
  assert.deepEqual(wordsOf("limo\u0301n"), ["limón"]);
});

test("nothing and nonsense give no words", () => {
  for (const typed of ["", "  ", "#", "123 %% !!", "%"]) assert.deepEqual(wordsOf(typed), []);
});
