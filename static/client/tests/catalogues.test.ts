import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import boardEn from "../src/board/i18n/en.ts";
import boardEs from "../src/board/i18n/es.ts";
import boardPt from "../src/board/i18n/pt.ts";
import talkEn from "../src/discussions/i18n/en.ts";
import talkEs from "../src/discussions/i18n/es.ts";
import talkPt from "../src/discussions/i18n/pt.ts";
import navEn from "../src/discussions/nav/i18n/en.ts";
import navEs from "../src/discussions/nav/i18n/es.ts";
import navPt from "../src/discussions/nav/i18n/pt.ts";
import en from "../src/i18n/en.ts";
import es from "../src/i18n/es.ts";
import { type Catalogue, format, LANGUAGES, type Message, pickLanguage } from "../src/i18n/index.ts";
import manageEn from "../src/i18n/manage/en.ts";
import manageEs from "../src/i18n/manage/es.ts";
import managePt from "../src/i18n/manage/pt.ts";
import pt from "../src/i18n/pt.ts";
import bellEn from "../src/office/i18n/bell/en.ts";
import bellEs from "../src/office/i18n/bell/es.ts";
import bellPt from "../src/office/i18n/bell/pt.ts";
import casesEn from "../src/office/i18n/cases/en.ts";
import casesEs from "../src/office/i18n/cases/es.ts";
import casesPt from "../src/office/i18n/cases/pt.ts";
import consentsEn from "../src/office/i18n/consents/en.ts";
import consentsEs from "../src/office/i18n/consents/es.ts";
import consentsPt from "../src/office/i18n/consents/pt.ts";
import contactsEn from "../src/office/i18n/contacts/en.ts";
import contactsEs from "../src/office/i18n/contacts/es.ts";
import contactsPt from "../src/office/i18n/contacts/pt.ts";
import lifeEn from "../src/office/i18n/life/en.ts";
import lifeEs from "../src/office/i18n/life/es.ts";
import lifePt from "../src/office/i18n/life/pt.ts";
import messagesEn from "../src/office/i18n/messages/en.ts";
import messagesEs from "../src/office/i18n/messages/es.ts";
import messagesPt from "../src/office/i18n/messages/pt.ts";
import newsEn from "../src/office/i18n/notifications/en.ts";
import newsEs from "../src/office/i18n/notifications/es.ts";
import newsPt from "../src/office/i18n/notifications/pt.ts";
import proposalsEn from "../src/office/i18n/proposals/en.ts";
import proposalsEs from "../src/office/i18n/proposals/es.ts";
import proposalsPt from "../src/office/i18n/proposals/pt.ts";
import teachEn from "../src/teach/i18n/en.ts";
import teachEs from "../src/teach/i18n/es.ts";
import teachPt from "../src/teach/i18n/pt.ts";
import settingsEn from "../src/teach/i18n/settings/en.ts";
import settingsEs from "../src/teach/i18n/settings/es.ts";
import settingsPt from "../src/teach/i18n/settings/pt.ts";

const CATALOGUES: Record<string, Record<string, Catalogue>> = {
  shell: { en, es, pt },
  bell: { en: bellEn, es: bellEs, pt: bellPt },
  notifications: { en: newsEn, es: newsEs, pt: newsPt },
  manage: { en: manageEn, es: manageEs, pt: managePt },
  "office/proposals": { en: proposalsEn, es: proposalsEs, pt: proposalsPt },
  board: { en: boardEn, es: boardEs, pt: boardPt },
  discussions: { en: talkEn, es: talkEs, pt: talkPt },
  teach: { en: teachEn, es: teachEs, pt: teachPt },
  "teach/settings": { en: settingsEn, es: settingsEs, pt: settingsPt },
  "office/cases": { en: casesEn, es: casesEs, pt: casesPt },
  "office/consents": { en: consentsEn, es: consentsEs, pt: consentsPt },
  "office/contacts": { en: contactsEn, es: contactsEs, pt: contactsPt },
  "office/messages": { en: messagesEn, es: messagesEs, pt: messagesPt },
  "office/life": { en: lifeEn, es: lifeEs, pt: lifePt },
  "discussions/nav": { en: navEn, es: navEs, pt: navPt },
};

const texts = (message: Message): string[] =>
  typeof message === "string" ? [message] : Object.values(message);
const names = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "").sort();
const widest = (message: Message): string[] => names(typeof message === "string" ? message : message.other);

for (const [part, catalogues] of Object.entries(CATALOGUES)) {
  const english = catalogues.en ?? {};

  test(`${part}: every language has every message, and none more`, () => {
    assert.deepEqual(Object.keys(catalogues).sort(), LANGUAGES.map(({ code }) => code).sort());
    for (const [code, catalogue] of Object.entries(catalogues)) {
      assert.deepEqual(Object.keys(catalogue).sort(), Object.keys(english).sort(), code);
    }
  });

  test(`${part}: a message has the same parameters in every language, and is not empty`, () => {
    for (const [code, catalogue] of Object.entries(catalogues)) {
      for (const [key, message] of Object.entries(catalogue)) {
        assert.deepEqual(widest(message), widest(english[key] ?? ""), `${code} ${key}`);
        for (const text of texts(message)) assert.ok(text.trim(), `${code} ${key}`);
        assert.equal(typeof message, typeof english[key], `${code} ${key}`);
      }
    }
  });

  test(`${part}: every number finds its plural form and leaves no brace behind`, () => {
    for (const [code, catalogue] of Object.entries(catalogues)) {
      for (const [key, message] of Object.entries(catalogue)) {
        for (const count of [0, 1, 2, 5, 21, 1_000_000]) {
          const params = Object.fromEntries(widest(message).map((name) => [name, "x"]));
          const text = format(message, { ...params, count }, code);
          assert.ok(text && !/[{}]/.test(text), `${code} ${key}: ${text}`);
        }
      }
    }
  });
}

test("every message that the source asks for exists", () => {
  const known = new Set(Object.values(CATALOGUES).flatMap((part) => Object.keys(part.en ?? {})));
  let asked = 0;
  for (const name of readdirSync("src", { recursive: true })) {
    if (!name.endsWith(".ts") || name.startsWith("editor")) continue;
    for (const [, key] of readFileSync(`src/${name}`, "utf8").matchAll(/\bt\(\s*"([^"]+)"/g)) {
      asked++;
      assert.ok(known.has(key ?? ""), `${name} asks for "${key}"`);
    }
  }
  assert.ok(asked > 100);
});

test("parameters are put in, numbers as the language writes them", () => {
  assert.equal(format("Hello, {name}", { name: "Ana" }, "en"), "Hello, Ana");
  assert.equal(format({ one: "{count} page", other: "{count} pages" }, { count: 1 }, "en"), "1 page");
  assert.equal(
    format({ one: "{count} page", other: "{count} pages" }, { count: 12_345 }, "en"),
    "12,345 pages",
  );
  assert.equal(format("{size} km", { size: 1.5 }, "pt"), "1,5 km");
  assert.equal(format("{name}", { name: "{other}" }, "en"), "{other}");
});

test("the first language that we speak is taken, whatever its region", () => {
  assert.equal(pickLanguage([null, "fr-FR", "pt-BR", "en"]), "pt");
  assert.equal(pickLanguage(["ES"]), "es");
  assert.equal(pickLanguage([undefined, "xx"]), "en");
});
