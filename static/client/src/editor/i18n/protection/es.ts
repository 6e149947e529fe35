import type { Words } from "./en.ts";

const es: Words = {
  "editor.protect.title": "¿Quién puede cambiar este bloque?",
  "editor.protect.me": "Solo yo y los profesores",
  "editor.protect.owner": "Solo {name} y los profesores",
  "editor.protect.teachers": "Solo los profesores",
  "editor.protect.everybody": "Todos los que pueden escribir en esta página",
  "editor.protect.not-yours": "Solo puedes proteger lo que has empezado tú.",
  "editor.protect.save": "Guardar",
};

export default es;
