import type { Words } from "./en.ts";

const pt: Words = {
  "editor.protect.title": "Quem pode alterar este bloco?",
  "editor.protect.me": "Só eu e os professores",
  "editor.protect.owner": "Só {name} e os professores",
  "editor.protect.teachers": "Só os professores",
  "editor.protect.everybody": "Todos os que podem escrever nesta página",
  "editor.protect.not-yours": "Só podes proteger o que tu começaste.",
  "editor.protect.save": "Guardar",
};

export default pt;
