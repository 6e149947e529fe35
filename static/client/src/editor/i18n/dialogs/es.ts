import type { Words } from "./en.ts";

const es: Words = {
  "editor.link.title": "Añadir un enlace",
  "editor.link.change": "Cambiar el enlace",
  "editor.link.href": "Dirección",
  "editor.link.hint": "Una dirección web o de correo.",
  "editor.link.text": "Palabras que se ven",
  "editor.link.add": "Añadir el enlace",
  "editor.link.save": "Guardar el enlace",
  "editor.link.remove": "Quitar el enlace",
  "editor.link.open": "Abrir este enlace",
  "editor.link.bad": "Un enlace no puede llevar a esta dirección. Escríbela así: www.example.org.",

  "editor.image.title": "Añadir una imagen",
  "editor.image.change": "Cambiar la imagen",
  "editor.image.src": "Dirección de la imagen",
  "editor.image.src-hint": "Empieza por https://",
  "editor.image.alt": "¿Qué muestra la imagen?",
  "editor.image.alt-hint": "Para quienes no pueden verla. Basta una frase.",
  "editor.image.decoration": "Es solo un adorno y no necesita palabras.",
  "editor.image.add": "Añadir la imagen",
  "editor.image.save": "Guardar la imagen",
  "editor.image.bad": "No es la dirección de una imagen. Tiene que empezar por https://",
  "editor.image.no-alt": "Escribe qué muestra la imagen, o di que es solo un adorno.",
};

export default es;
