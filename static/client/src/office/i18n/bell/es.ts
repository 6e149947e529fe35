import type { Words } from "./en.ts";

const es: Words = {
  "bell.title": "Novedades",
  "bell.unread": { one: "Novedades: {count}", other: "Novedades: {count}" },
  "bell.heard": { one: "Hay una novedad para ti.", other: "Hay {count} novedades para ti." },
};

export default es;
