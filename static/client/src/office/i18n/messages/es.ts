import type { Words } from "./en.ts";

const es: Words = {
  "messages.title": "Mensajes",
  "messages.lead": "Lo que os escribís tú y otros docentes. Desaparece a los 90 días.",
  "messages.adults":
    "Los mensajes son para docentes. Para escribir a los tuyos, elige «Preguntar a mi profe» en tu TwinSpace.",
  "messages.none": "Todavía no hay mensajes. Elige un contacto y escribe el primero.",
  "messages.to-contacts": "Mis contactos",
  "messages.you": "Tú: {words}",
  "messages.unread": { one: "{count} mensaje nuevo", other: "{count} mensajes nuevos" },

  "messages.empty": "Aquí aún no hay nada. Escribe el primer mensaje.",
  "messages.older": "Ver los anteriores",
  "messages.more": "Más sobre {name}",
  "messages.mine": "Tú",
  "messages.new": "{name} ha escrito: {words}",
  "messages.label": "Tu mensaje para {name}",
  "messages.placeholder": "Escribe un mensaje",
  "messages.send": "Enviar",
  "messages.send-again": "Enviar otra vez",
  "messages.keys": "Enviar (Ctrl + Intro)",
  "messages.sent": "Enviado.",
  "messages.too-long": {
    one: "Sobra un carácter. Acórtalo un poco.",
    other: "Sobran {count} caracteres. Acórtalo un poco.",
  },
  "messages.kept": "Tus palabras se conservan.",
  "messages.closed":
    "Ahora no puedes escribir a {name}. Se escriben quienes son contactos o comparten un TwinSpace.",

  "messages.remove": "Quitar de mis contactos",
  "messages.block": "Bloquear a esta persona",
  "messages.block-title": "¿Bloquear a {name}?",
  "messages.block-text":
    "Lo que {name} te escriba desde ahora no te llegará nunca, y no verás lo que publique. No se le avisa.",
  "messages.block-do": "Bloquear",
  "messages.blocked": "Has bloqueado a {name}. No te llega nada de lo que escribe.",
  "messages.blocked-said": "{name} está en tu lista de bloqueos.",
  "messages.unblock": "Desbloquear",
  "messages.unblocked": "Ya no bloqueas a {name}.",

  "error.too-many-messages": "Has escrito mucho. Espera un rato y envíalo después.",
  "error.too-many-new": "Hoy has escrito a muchas personas nuevas. Escribe a las siguientes mañana.",
  "error.blocked-by-you": "Has bloqueado a esta persona. Desbloquéala primero.",
};

export default es;
