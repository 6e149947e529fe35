import type { Words } from "./en.ts";

const es: Words = {
  "app.skip": "Saltar al contenido",

  "nav.space": "Este TwinSpace",
  "nav.bottom": "Menú principal",
  "nav.home": "Inicio",
  "nav.members": "Personas",
  "nav.pages": "Páginas",
  "nav.talk": "Charla",
  "nav.me": "Yo",
  "nav.desk": "Mesa",
  "nav.desk-waits": { one: "Una cosa te espera", other: "{count} cosas te esperan" },
  "nav.my-spaces": "Mis TwinSpaces",

  "line.offline": "Sin conexión",
  "line.connecting": "Conectando …",

  "dialog.close": "Cerrar",
  "dialog.cancel": "Cancelar",
  "dialog.save": "Guardar",

  "me.open": "idioma, aspecto, cerrar sesión",
  "me.settings": "Idioma y aspecto",
  "me.language": "Idioma",
  "me.theme": "Aspecto",
  "me.log-out": "Cerrar sesión",

  "theme.auto": "Como el dispositivo",
  "theme.light": "Claro",
  "theme.dark": "Oscuro",

  "log-out.done": "Has cerrado la sesión. En este dispositivo no queda nada tuyo.",
  "log-out.unsent-title": "Parte de tu texto solo está aquí",
  "log-out.unsent": {
    one: "Algo de una página o de una conversación está sin enviar. Se perderá si cierras la sesión ahora. Espera a tener conexión, ábrela y comprueba que está guardado o enviado.",
    other:
      "Lo que escribiste en {count} sitios está sin enviar. Se perderá si cierras la sesión ahora. Espera a tener conexión, abre las páginas y conversaciones y comprueba que todo está guardado o enviado.",
  },
  "log-out.anyway": "Salir y perderlos",

  "bye.logged-out": "Se ha cerrado tu sesión.",
  "bye.session-expired": "Tu sesión ha caducado. Entra otra vez: tu texto está a salvo.",

  "lost.title": "Esta dirección no existe",
  "lost.text": "Puede que la dirección sea antigua o tenga un error.",

  "trouble.title": "Algo no ha funcionado",
  "trouble.again": "Intentar de nuevo",

  "gone.title": "No puedes entrar en este TwinSpace",
  "gone.removed":
    "Ya no eres miembro de este TwinSpace. Si crees que es un error, pregunta a tu profesora o profesor.",
  "gone.not-member":
    "No eres miembro de este TwinSpace, o no existe. Pide el enlace correcto a tu profesora o profesor.",

  "error.unreachable": "No se puede llegar al servidor. Comprueba la conexión e inténtalo de nuevo.",
  "error.unknown": "Algo ha fallado. Inténtalo de nuevo en un momento.",
  "error.said": "El servidor dice: {message}",
  "error.forbidden": "Aquí no puedes hacer eso. Un profesor de este TwinSpace sí puede.",
  "error.not-found": "Ya no está aquí. Quizá alguien lo ha movido o quitado.",
  "error.wait-seconds": {
    one: "Demasiados intentos. Espera un segundo y prueba otra vez.",
    other: "Demasiados intentos. Espera {count} segundos y prueba otra vez.",
  },
  "error.wait-minutes": {
    one: "Demasiados intentos. Espera un minuto y prueba otra vez.",
    other: "Demasiados intentos. Espera {count} minutos y prueba otra vez.",
  },

  "login.title": "Entra",
  "login.lead": "TwinSpace es donde tu clase y sus clases amigas trabajan juntas.",
  "login.how": "¿Cómo quieres entrar?",
  "login.tab-code": "Tengo una tarjeta",
  "login.tab-password": "Doy clase",
  "login.code": "Las palabras de tu tarjeta",
  "login.code-hint": "Escribe las {count} palabras. Mayúsculas o minúsculas, comas, espacios: todo vale.",
  "login.code-count": "{count} de {of} palabras",
  "login.code-ready": "Están todas las palabras.",
  "login.code-short": "Tu tarjeta tiene {count} palabras. Aquí hay {typed}.",
  "login.wrong-code":
    "Estas palabras no abren la puerta. Mira otra vez tu tarjeta, palabra por palabra. ¿Sigue sin funcionar? Tu profesora o profesor puede darte una tarjeta nueva.",
  "login.wrong-password": "El correo y la contraseña no coinciden. Revisa los dos e inténtalo de nuevo.",
  "login.enter": "Entrar",
  "login.no-card": "¿Sin tarjeta, o la has perdido? Tu profesora o profesor puede darte otra en un minuto.",
  "login.email": "Correo electrónico",
  "login.password": "Contraseña",
  "login.show-password": "Mostrar la contraseña",
  "login.both": "Escribe tu correo y tu contraseña.",
  "login.forgotten": "¿Has olvidado la contraseña? Quien administra tu servidor puede poner otra.",

  "card.title": "¿Es esta tu tarjeta?",
  "card.and-more": "y más palabras",
  "card.instead": "Ahora está {name} en este dispositivo. Tu tarjeta lo cambia.",
  "card.yes": "Sí, déjame entrar",
  "card.no": "No, otra tarjeta",
  "card.wrong": "Esta tarjeta ya no funciona. Tu profesora o profesor puede darte otra.",

  "home.hello": "Hola, {name}",
  "home.none-pupil": "Aún no estás en ningún TwinSpace. Tu profesora o profesor puede añadirte.",
  "home.none-teacher":
    "Aún no está en ningún TwinSpace. Empiece uno o pida a quien dirige su proyecto que le invite.",
  "home.here": "Quién está aquí ahora",
  "home.here-count": { one: "Hay una persona.", other: "Hay {count} personas." },
  "home.nobody": "Ahora no hay nadie.",
  "home.you": "tú",

  "role.guest": "Invitado",
  "role.student": "Estudiante",
  "role.student-editor": "Estudiante editor",
  "role.teacher": "Profesor",
  "role.admin": "Profesor responsable",

  "pages.new": "Página nueva",
  "pages.none": "Aquí aún no hay páginas.",
  "pages.none-create": "Aquí aún no hay páginas. Crea la primera.",
  "pages.below": { one: "Una página dentro", other: "{count} páginas dentro" },
  "pages.readers": { one: "Hay una persona en esta página", other: "Hay {count} personas en esta página" },
  "pages.manage": "Qué hacer con «{title}»",
  "pages.rename": "Cambiar el título",
  "pages.lock": "Bloquear",
  "pages.unlock": "Desbloquear",

  "see.draft": "Borrador: quien la escribe, editores y profesorado",
  "see.staff": "Solo el profesorado",

  "mark.board": "Tablero",
  "mark.locked": "Bloqueada",
  "mark.readonly": "Solo para leer",

  "page.whose": "¿Quién escribió esto?",
  "page.where": "Estás aquí",
  "page.gone-title": "Esta página no está aquí",
  "page.gone": "Puede que esté en la papelera o que no esté abierta para ti.",
  "page.back-to": "Volver a {title}",
  "page.locked": "{name} ha bloqueado esta página.",
  "page.locked-until": "{name} ha bloqueado esta página hasta: {time}.",
  "page.lock-reason": "«{reason}»",
  "page.lock-not-you": "Tú sí puedes escribir aquí.",
  "page.no-editor": "No se ha podido cargar la página. Comprueba la conexión e inténtalo de nuevo.",

  "reason.readonly": "Puedes leer esta página, pero no cambiarla.",
  "reason.locked": "Esta página está bloqueada. Puedes leerla.",
  "reason.role": "Puedes leer esta página. Sus reglas dicen que aquí escriben otras personas.",
  "reason.editors": "En esta página escriben los estudiantes editores y el profesorado. Puedes leerla.",
  "reason.teachers": "En esta página escribe el profesorado. Puedes leerla.",
  "reason.muted": "Por ahora puedes leer, pero no escribir. Pregunta a tu profesora o profesor.",
  "reason.muted-until": "Puedes leer, pero no escribir hasta: {time}. Pregunta a tu profesora o profesor.",
  "reason.outside-hours": "A esta hora la sala está cerrada. Puedes leerlo todo.",
  "reason.supervised": "Aquí puedes escribir cuando hay un profesor en la sala.",
  "reason.no-teacher":
    "En este TwinSpace no hay ningún profesor de tu centro: puedes leer, pero no escribir.",
  "reason.space-frozen":
    "El profesorado ha puesto este TwinSpace en pausa. Puedes leerlo todo, y pronto escribir otra vez.",
  "reason.space-closed": "Este TwinSpace ha terminado. Puedes leerlo todo.",
  "reason.room-read-only": "Por ahora esta sala es solo para leer.",
  "reason.room-frozen": "Esta sala está en pausa. Puedes leerlo todo.",
  "reason.room-archived": "Esta sala está archivada. Puedes leerlo todo.",

  "rooms.manage": "Reglas de la sala {title}",
  "space.unfreeze": "Dejar que todos vuelvan a escribir",

  "bin.title": "Papelera",

  "members.none": "Aún no hay nadie de este centro.",
};

export default es;
