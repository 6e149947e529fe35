import type { Words } from "./en.ts";

const pt: Words = {
  "editor.people.title": { one: "{count} pessoa nesta página", other: "{count} pessoas nesta página" },
  "editor.people.me": "(tu)",
  "editor.people.speak": "O meu leitor de ecrã diz quem chega e quem sai",
  "editor.help.typed":
    "No início de uma linha: # faz um título, - uma lista, 1. uma lista com números, [] uma tarefa, > uma citação.",
  "editor.help.what": "O quê",
  "editor.help.keys": "Teclas",
};

export default pt;
