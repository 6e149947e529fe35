import type { Words } from "./en.ts";

const pt: Words = {
  "messages.title": "Mensagens",
  "messages.lead": "O que troca com outros docentes. Desaparece ao fim de 90 dias.",
  "messages.adults":
    "As mensagens são para professores. Para escreveres aos teus, escolhe «Perguntar ao meu professor» no teu TwinSpace.",
  "messages.none": "Ainda não há mensagens. Escolha um contacto e escreva a primeira.",
  "messages.to-contacts": "Os meus contactos",
  "messages.you": "Eu: {words}",
  "messages.unread": { one: "{count} mensagem nova", other: "{count} mensagens novas" },

  "messages.empty": "Ainda não há nada aqui. Escreva a primeira mensagem.",
  "messages.older": "Ver as anteriores",
  "messages.more": "Mais sobre {name}",
  "messages.mine": "Eu",
  "messages.new": "{name} escreveu: {words}",
  "messages.label": "A sua mensagem para {name}",
  "messages.placeholder": "Escreva uma mensagem",
  "messages.send": "Enviar",
  "messages.send-again": "Enviar outra vez",
  "messages.keys": "Enviar (Ctrl + Enter)",
  "messages.sent": "Enviada.",
  "messages.too-long": {
    one: "Há um carácter a mais. Encurte um pouco.",
    other: "Há {count} caracteres a mais. Encurte um pouco.",
  },
  "messages.kept": "As suas palavras ficam guardadas.",
  "messages.closed":
    "Agora não pode escrever a {name}. Escrevem-se as pessoas que são contactos ou partilham um TwinSpace.",

  "messages.remove": "Tirar dos meus contactos",
  "messages.block": "Bloquear esta pessoa",
  "messages.block-title": "Bloquear {name}?",
  "messages.block-text":
    "O que {name} lhe escrever a partir de agora nunca chega, e deixa de ver o que publicar. A pessoa não é avisada.",
  "messages.block-do": "Bloquear",
  "messages.blocked": "Bloqueou {name}. Nada do que escreve lhe chega.",
  "messages.blocked-said": "{name} está na sua lista de bloqueios.",
  "messages.unblock": "Desbloquear",
  "messages.unblocked": "Já não bloqueia {name}.",

  "error.too-many-messages": "Escreveu muito. Espere um pouco e envie depois.",
  "error.too-many-new": "Hoje escreveu a muitas pessoas novas. Escreva às próximas amanhã.",
  "error.blocked-by-you": "Bloqueou esta pessoa. Desbloqueie-a primeiro.",
};

export default pt;
