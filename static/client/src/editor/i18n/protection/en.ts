import type { Catalogue } from "../../../i18n/index.ts";

/** The words of the question who may change a block. */
const en = {
  "editor.protect.title": "Who may change this block?",
  "editor.protect.me": "Only I and the teachers",
  "editor.protect.owner": "Only {name} and the teachers",
  "editor.protect.teachers": "Only teachers",
  "editor.protect.everybody": "Everybody who may write on this page",
  "editor.protect.not-yours": "You can protect only what you began yourself.",
  "editor.protect.save": "Save",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
