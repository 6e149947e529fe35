import type { Words } from "./en.ts";

const pt: Words = {
  "editor.link.title": "Juntar uma ligação",
  "editor.link.change": "Mudar a ligação",
  "editor.link.href": "Endereço",
  "editor.link.hint": "Um endereço da Web ou de correio eletrónico.",
  "editor.link.text": "Palavras que se veem",
  "editor.link.add": "Juntar a ligação",
  "editor.link.save": "Guardar a ligação",
  "editor.link.remove": "Tirar a ligação",
  "editor.link.open": "Abrir esta ligação",
  "editor.link.bad": "Uma ligação não pode levar a este endereço. Escreve-o assim: www.example.org.",

  "editor.image.title": "Juntar uma imagem",
  "editor.image.change": "Mudar a imagem",
  "editor.image.src": "Endereço da imagem",
  "editor.image.src-hint": "Começa por https://",
  "editor.image.alt": "O que mostra a imagem?",
  "editor.image.alt-hint": "Para quem não a pode ver. Basta uma frase.",
  "editor.image.decoration": "É só decoração e não precisa de palavras.",
  "editor.image.add": "Juntar a imagem",
  "editor.image.save": "Guardar a imagem",
  "editor.image.bad": "Não é o endereço de uma imagem. Tem de começar por https://",
  "editor.image.no-alt": "Escreve o que a imagem mostra, ou diz que é só decoração.",
};

export default pt;
