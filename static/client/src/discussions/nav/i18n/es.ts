import type { Words } from "./en.ts";

const es: Words = {
  "talk.title": "Conversaciones",
  "talk.new": "Nueva conversación",
  "talk.ask": "Preguntar a mi profe",
  "talk.none": "Aquí aún no hay conversaciones.",
  "talk.none-start": "Aquí aún no hay conversaciones. Empieza la primera.",
  "talk.all": { one: "Mostrar una más", other: "Mostrar {count} más" },
  "talk.posts": { one: "Un mensaje", other: "{count} mensajes" },
  "talk.fresh": "Mensajes nuevos",
  "talk.pinned": "Fijada",
  "talk.locked": "Bloqueada",
  "talk.private": "Solo para ti y tus profes",
  "talk.last": "último: {time}",
};

export default es;
