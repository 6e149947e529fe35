import type { Words } from "./en.ts";

const pt: Words = {
  "bell.title": "Novidades",
  "bell.unread": { one: "Novidades: {count}", other: "Novidades: {count}" },
  "bell.heard": { one: "Há uma novidade para ti.", other: "Há {count} novidades para ti." },
};

export default pt;
