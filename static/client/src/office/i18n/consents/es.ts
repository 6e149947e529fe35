import type { Words } from "./en.ts";

const es: Words = {
  "consent.title": "Consentimiento de las familias",
  "consent.lead":
    "Lo que las familias han aceptado por escrito. Solo el profesorado de su centro ve esta lista; los papeles firmados se quedan con usted.",
  "consent.no-pupils": "Aún no hay estudiantes. Cree primero sus tarjetas.",
  "consent.for-what": "¿Para qué?",

  "consent.account": "Cuenta",
  "consent.account-means":
    "El estudiante puede tener una tarjeta y trabajar en un TwinSpace con un nombre inventado.",
  "consent.image": "Imágenes",
  "consent.image-means": "Se pueden usar dentro de un TwinSpace imágenes en las que aparece el estudiante.",
  "consent.voice-video": "Voz y vídeo",
  "consent.voice-video-means":
    "Se pueden usar dentro de un TwinSpace grabaciones en las que se oye o se ve al estudiante.",
  "consent.public-name": "Nombre de pila",
  "consent.public-name-means":
    "El nombre de pila verdadero del estudiante puede aparecer junto a lo que se publica.",
  "consent.publication": "Publicación",
  "consent.publication-means":
    "Lo que hace el estudiante se puede publicar en la web, donde lo puede ver todo el mundo.",

  "consent.given-count": "Han aceptado {count} de {of}.",
  "consent.student": "Estudiante",
  "consent.choose": "Elegir",
  "consent.choose-name": "Elegir a {name}",
  "consent.of": "Consentimiento para {name}",
  "consent.chosen": { one: "Un estudiante elegido.", other: "{count} estudiantes elegidos." },
  "consent.choose-none": "No elegir a nadie",
  "consent.choose-missing": {
    one: "Elegir a quien falta",
    other: "Elegir a los {count} que faltan",
  },
  "consent.choose-first": "Elija primero a algunos estudiantes.",
  "consent.too-many": "Elija como mucho {most} estudiantes a la vez.",

  "consent.state.none": "Sin dar",
  "consent.state.given": "Dado",
  "consent.state.expired": "Terminado",
  "consent.state.withdrawn": "Retirado",
  "consent.state.replaced": "Sustituido",
  "consent.until": "hasta el {day}",
  "consent.ended": "terminó el {day}",
  "consent.from": "dado el {from}",
  "consent.from-to": "dado el {from}, hasta el {to}",
  "consent.by": "anotado por {name}",

  "consent.record": "Dado por escrito …",
  "consent.record-title": "{purpose}: consentimiento dado por escrito",
  "consent.record-text": {
    one: "La familia de este estudiante ha firmado:",
    other: "Las familias de estos {count} estudiantes han firmado:",
  },
  "consent.given-on": "Firmado el",
  "consent.valid-until": "Vale hasta",
  "consent.valid-until-hint": "El último día. Déjelo vacío si vale hasta que se retire.",
  "consent.record-do": "Anotar",
  "consent.recorded": { one: "Anotado para un estudiante.", other: "Anotado para {count} estudiantes." },

  "consent.withdraw": "Retirar",
  "consent.withdraw-title": "{purpose}: ¿retirar el consentimiento para {name}?",
  "consent.withdraw-text":
    "Termina al momento. Lo anotado antes se queda en la lista, para poder mostrarlo más adelante.",
  "consent.withdrawn": "{purpose}: ya no hay consentimiento para {name}.",

  "consent.history": "Todo lo anotado",
  "consent.history-none": "Nada todavía.",
  "consent.noted": "anotado por {name}, {time}",
  "consent.withdrawn-by": "retirado: {name}, {time}",
  "consent.somebody": "alguien que ya no está",

  "error.not-yet-given": "El día de la firma no puede ser posterior a hoy.",
  "error.ends-too-early": "El último día tiene que ser posterior al de la firma.",
};

export default es;
