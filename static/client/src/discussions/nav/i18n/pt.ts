import type { Words } from "./en.ts";

const pt: Words = {
  "talk.title": "Conversas",
  "talk.new": "Nova conversa",
  "talk.ask": "Perguntar ao meu professor",
  "talk.none": "Aqui ainda não há conversas.",
  "talk.none-start": "Aqui ainda não há conversas. Começa a primeira.",
  "talk.all": { one: "Mostrar mais uma", other: "Mostrar mais {count}" },
  "talk.posts": { one: "Uma mensagem", other: "{count} mensagens" },
  "talk.fresh": "Mensagens novas",
  "talk.pinned": "Fixada",
  "talk.locked": "Bloqueada",
  "talk.private": "Só para ti e para os teus professores",
  "talk.last": "última: {time}",
};

export default pt;
