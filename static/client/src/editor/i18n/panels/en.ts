import type { Catalogue } from "../../../i18n/index.ts";

/** The words of who is here, and of the help. */
const en = {
  "editor.people.title": { one: "{count} person on this page", other: "{count} people on this page" },
  "editor.people.me": "(you)",
  "editor.people.speak": "Tell my screen reader who comes and goes",
  "editor.help.typed":
    "At the start of a line: # makes a heading, - a list, 1. a numbered list, [] a task, > a quote.",
  "editor.help.what": "What",
  "editor.help.keys": "Keys",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
