import type { Words } from "./en.ts";

const pt: Words = {
  "contacts.title": "Contactos",
  "contacts.lead":
    "Colegas que reencontra quando um TwinSpace acaba. Cada um vê o nome e a escola do outro, nada mais.",
  "contacts.adults": "Os contactos são para professores. Encontras os outros nos teus TwinSpaces.",
  "contacts.mine": "Os meus contactos",
  "contacts.none":
    "Ainda não há contactos. Abra as pessoas de um TwinSpace, escolha um colega e peça-lhe para ser seu contacto.",
  "contacts.asked-me": "Gostariam de ser seu contacto",
  "contacts.i-asked": "Perguntou a",
  "contacts.asked-at": "perguntado: {time}",
  "contacts.yes": "Sim",
  "contacts.no": "Não",
  "contacts.said-yes": "{name} é agora seu contacto.",
  "contacts.said-no": "Feito. {name} não é informado.",
  "contacts.take-back": "Desfazer",
  "contacts.taken-back": "Já não pergunta a {name}.",
  "contacts.write": "Escrever",
  "contacts.write-to": "Escrever a {name}",
  "contacts.remove": "Retirar",
  "contacts.remove-title": "Retirar {name} dos seus contactos?",
  "contacts.remove-text": "Também desaparece dos contactos dessa pessoa. Ela não é avisada.",
  "contacts.removed": "{name} já não é seu contacto.",

  "contacts.ask": "Perguntar",
  "contacts.ask-title": "Pedir a {name} para ser seu contacto",
  "contacts.ask-text":
    "Se disser que sim, encontram-se em «Contactos» por nome e escola, também quando este TwinSpace acabar.",
  "contacts.asked": "Perguntou a {name}.",
  "contacts.accept-title": "{name} perguntou-lhe",
  "contacts.accept-text":
    "Diga que sim e encontram-se em «Contactos» por nome e escola, também quando este TwinSpace acabar.",
  "contacts.already": "{name} já é seu contacto.",
  "contacts.asked-already": "Já perguntou a {name}.",

  "error.too-many-unanswered":
    "Demasiadas pessoas ainda não lhe responderam. Espere um pouco ou desfaça algum pedido.",
  "error.blocked-by-you": "Bloqueou esta pessoa. Desbloqueie-a primeiro.",
};

export default pt;
