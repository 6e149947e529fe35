import type { Words } from "./en.ts";

const es: Words = {
  "pages.new-below": "Página nueva dentro de «{title}»",
  "pages.title": "Título",
  "pages.create": "Crear la página",
  "pages.created": "La página «{title}» está lista.",
  "pages.add-below": "Página nueva dentro de esta",
  "pages.up": "Subir",
  "pages.down": "Bajar",
  "pages.place": "Ahora es la {count} de {of}.",
  "pages.move": "Mover a otro lugar",
  "pages.put-under": "Ponerla dentro de",
  "pages.top": "Ninguna: arriba del todo",
  "pages.rules": "Quién la ve, quién escribe",
  "pages.saved": "Guardado.",
  "pages.lock-text":
    "Todos pueden leer una página bloqueada, y nadie puede cambiarla hasta que se desbloquee. Verán el motivo.",
  "pages.lock-reason": "¿Por qué? (lo verán todos)",
  "pages.lock-until": "¿Hasta cuándo?",
  "pages.locked": "La página está bloqueada.",
  "pages.unlock-text": "Quien podía escribir antes podrá escribir otra vez.",
  "pages.unlocked": "La página vuelve a estar abierta.",
  "pages.bin": "Tirar a la papelera",
  "pages.bin-title": "¿Tirar «{title}» a la papelera?",
  "pages.bin-text": "Nadie verá más la página ni las que tiene dentro. Se guardan 30 días en la papelera.",
  "pages.binned": "«{title}» está en la papelera.",

  "lock.open": "Hasta que la desbloquee",
  "lock.minutes": { one: "Durante un minuto", other: "Durante {count} minutos" },
  "lock.day": "Durante un día",

  "rules.see": "¿Quién ve esta página?",
  "rules.edit": "¿Quién puede escribir?",

  "see.members": "Todas las personas del TwinSpace",

  "edit.everyone": "Quien la ve",
  "edit.editors": "Estudiantes editores y profesorado",
  "edit.teachers": "Solo el profesorado",

  "members.founder": "fundador",
  "members.make-cards": "Tarjetas para mi clase",
  "members.manage": "Qué hacer con {name}",
  "members.change-role": "Cambiar el papel",
  "members.role-of": "Papel de {name}",
  "members.role-changed": "{name} ahora es: {role}.",
  "members.remove": "Quitar de este TwinSpace",
  "members.remove-name": "Quitar a {name}",
  "members.remove-text":
    "Sale de este TwinSpace ahora mismo, también donde lo tenga abierto. Lo que escribió se queda.",
  "members.removed": "{name} ya no es miembro.",
  "members.new-card": "Tarjeta nueva",
  "members.new-card-for": "Tarjeta nueva para {name}",
  "members.new-card-text":
    "La tarjeta antigua deja de funcionar al momento y se cierra la sesión de quien la usaba.",

  "pupils.make": "Crear tarjetas",
  "pupils.how":
    "Cada estudiante recibe una tarjeta con un código QR y unas palabras. No hace falta correo. Aparecen con un nombre inventado; quién es quién se queda en su papel.",
  "pupils.no-space": "Primero necesita un TwinSpace. Pida a quien dirige su proyecto que le añada.",
  "pupils.space": "¿Para qué TwinSpace?",
  "pupils.names": "¿Qué nombres?",
  "pupils.names-made": "Inventados",
  "pupils.names-own": "Mi propia lista",
  "pupils.names-list": "Nombres, uno por línea",
  "pupils.names-hint": "Use nombres inventados, no reales: los verán otros centros.",
  "pupils.count": "¿Cuántas tarjetas?",
  "pupils.count-wrong": "Pida de 1 a {most} tarjetas cada vez.",
  "pupils.language": "Idioma de los estudiantes",
  "pupils.submit": "Crear las tarjetas",
  "pupils.known": "Estudiantes de mi centro",
  "pupils.none": "Aún no hay estudiantes. Cree sus tarjetas arriba.",

  "cards.title": { one: "Una tarjeta nueva", other: "{count} tarjetas nuevas" },
  "cards.once": "Las palabras solo se ven ahora. Imprima las tarjetas antes de cerrar.",
  "cards.print": "Imprimir",
  "cards.done": "Cerrar",
  "cards.sure": "¿Cerrar sin imprimir?",
  "cards.sure-text": "Nadie podrá ver estas palabras otra vez. Habría que crear tarjetas nuevas.",
  "cards.sure-yes": "Cerrar",
  "cards.qr": "Código QR de {name}",
  "cards.scan": "Escanea el código, o ve a {host} y escribe:",
  "cards.name": "Me llamo:",
  "cards.keep": "Guarda bien esta tarjeta: es tu llave.",
};

export default es;
