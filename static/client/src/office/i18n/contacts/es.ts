import type { Words } from "./en.ts";

const es: Words = {
  "contacts.title": "Contactos",
  "contacts.lead":
    "Colegas a quienes reencontrará cuando termine un TwinSpace. Cada cual ve el nombre y el centro del otro, nada más.",
  "contacts.adults": "Los contactos son para el profesorado. Con los demás te encuentras en tus TwinSpaces.",
  "contacts.mine": "Mis contactos",
  "contacts.none":
    "Aún no hay contactos. Abra las personas de un TwinSpace, elija a un colega y pídale ser su contacto.",
  "contacts.asked-me": "Quieren ser contacto suyo",
  "contacts.i-asked": "Usted ha preguntado a",
  "contacts.asked-at": "preguntado: {time}",
  "contacts.yes": "Sí",
  "contacts.no": "No",
  "contacts.said-yes": "{name} ya es contacto suyo.",
  "contacts.said-no": "Hecho. No se le dice a {name}.",
  "contacts.take-back": "Deshacer",
  "contacts.taken-back": "Ya no pregunta a {name}.",
  "contacts.write": "Escribir",
  "contacts.write-to": "Escribir a {name}",
  "contacts.remove": "Quitar",
  "contacts.remove-title": "¿Quitar a {name} de sus contactos?",
  "contacts.remove-text": "Usted también desaparece de sus contactos. No se le avisa.",
  "contacts.removed": "{name} ya no es contacto suyo.",

  "contacts.ask": "Preguntar",
  "contacts.ask-title": "Pedir a {name} ser su contacto",
  "contacts.ask-text":
    "Si dice que sí, se encontrarán en «Contactos» por nombre y centro, también cuando termine este TwinSpace.",
  "contacts.asked": "Ha preguntado a {name}.",
  "contacts.accept-title": "{name} le ha preguntado",
  "contacts.accept-text":
    "Diga que sí y se encontrarán en «Contactos» por nombre y centro, también cuando termine este TwinSpace.",
  "contacts.already": "{name} ya es contacto suyo.",
  "contacts.asked-already": "Ya ha preguntado a {name}.",

  "error.too-many-unanswered":
    "Demasiadas personas no le han contestado aún. Espere un poco o deshaga alguna petición.",
  "error.blocked-by-you": "Ha bloqueado a esta persona. Desbloquéela primero.",
};

export default es;
