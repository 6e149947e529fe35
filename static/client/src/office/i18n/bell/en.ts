import type { Catalogue } from "../../../i18n/index.ts";

const en = {
  "bell.title": "What is new",
  "bell.unread": { one: "What is new: {count} thing", other: "What is new: {count} things" },
  "bell.heard": { one: "Something is new for you.", other: "{count} things are new for you." },
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
