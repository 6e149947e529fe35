import type { Words } from "./en.ts";

const es: Words = {
  "editor.people.title": { one: "{count} persona en esta página", other: "{count} personas en esta página" },
  "editor.people.me": "(tú)",
  "editor.people.speak": "Que mi lector de pantalla diga quién llega y quién se va",
  "editor.help.typed":
    "Al principio de una línea: # hace un título, - una lista, 1. una lista con números, [] una tarea, > una cita.",
  "editor.help.what": "Qué",
  "editor.help.keys": "Teclas",
};

export default es;
