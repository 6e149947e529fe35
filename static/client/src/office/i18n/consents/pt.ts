import type { Words } from "./en.ts";

const pt: Words = {
  "consent.title": "Consentimento das famílias",
  "consent.lead":
    "O que as famílias aceitaram por escrito. Só os professores da sua escola veem esta lista; os papéis assinados ficam consigo.",
  "consent.no-pupils": "Ainda não há alunos. Crie primeiro os cartões deles.",
  "consent.for-what": "Para quê?",

  "consent.account": "Conta",
  "consent.account-means": "O aluno pode ter um cartão e trabalhar num TwinSpace com um nome inventado.",
  "consent.image": "Imagens",
  "consent.image-means": "Imagens em que o aluno aparece podem ser usadas dentro de um TwinSpace.",
  "consent.voice-video": "Voz e vídeo",
  "consent.voice-video-means":
    "Gravações em que o aluno se ouve ou se vê podem ser usadas dentro de um TwinSpace.",
  "consent.public-name": "Nome próprio",
  "consent.public-name-means": "O nome próprio verdadeiro do aluno pode aparecer junto do que se publica.",
  "consent.publication": "Publicação",
  "consent.publication-means": "O que o aluno faz pode ser publicado na web, onde todos o podem ver.",

  "consent.given-count": "Aceitaram {count} de {of}.",
  "consent.student": "Aluno",
  "consent.choose": "Escolher",
  "consent.choose-name": "Escolher {name}",
  "consent.of": "Consentimento para {name}",
  "consent.chosen": { one: "Um aluno escolhido.", other: "{count} alunos escolhidos." },
  "consent.choose-none": "Não escolher ninguém",
  "consent.choose-missing": {
    one: "Escolher quem falta",
    other: "Escolher os {count} que faltam",
  },
  "consent.choose-first": "Escolha primeiro alguns alunos.",
  "consent.too-many": "Escolha no máximo {most} alunos de cada vez.",

  "consent.state.none": "Por dar",
  "consent.state.given": "Dado",
  "consent.state.expired": "Terminado",
  "consent.state.withdrawn": "Retirado",
  "consent.state.replaced": "Substituído",
  "consent.until": "até {day}",
  "consent.ended": "terminou em {day}",
  "consent.from": "dado em {from}",
  "consent.from-to": "dado em {from}, até {to}",
  "consent.by": "anotado por {name}",

  "consent.record": "Dado por escrito …",
  "consent.record-title": "{purpose}: consentimento dado por escrito",
  "consent.record-text": {
    one: "A família deste aluno assinou:",
    other: "As famílias destes {count} alunos assinaram:",
  },
  "consent.given-on": "Assinado em",
  "consent.valid-until": "Vale até",
  "consent.valid-until-hint": "O último dia. Deixe vazio se vale até ser retirado.",
  "consent.record-do": "Anotar",
  "consent.recorded": { one: "Anotado para um aluno.", other: "Anotado para {count} alunos." },

  "consent.withdraw": "Retirar",
  "consent.withdraw-title": "{purpose}: retirar o consentimento para {name}?",
  "consent.withdraw-text":
    "Termina de imediato. O que foi anotado antes fica na lista, para o poder mostrar mais tarde.",
  "consent.withdrawn": "{purpose}: já não há consentimento para {name}.",

  "consent.history": "Tudo o que foi anotado",
  "consent.history-none": "Ainda nada.",
  "consent.noted": "anotado por {name}, {time}",
  "consent.withdrawn-by": "retirado: {name}, {time}",
  "consent.somebody": "alguém que já saiu",

  "error.not-yet-given": "O dia da assinatura não pode ser depois de hoje.",
  "error.ends-too-early": "O último dia tem de ser depois do dia da assinatura.",
};

export default pt;
