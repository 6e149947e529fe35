import type { Words } from "./en.ts";

const es: Words = {
  "editor.label": "Texto de la página «{title}»",
  "editor.placeholder": "Escribe aquí. Los demás lo ven al momento.",
  "editor.task": "Hecho: {task}",
  "editor.unknown": "Esta parte se hizo con otra versión. Se conserva, pero aquí no se puede cambiar.",
  "editor.absent":
    "No tienes conexión y esta página aún no está en este dispositivo. Se abrirá cuando vuelva la red.",
  "editor.late": "El servidor todavía no responde. Esta página se abrirá sola en cuanto responda.",
  "editor.note": "Motivo: {note}",
  "editor.until": "Hasta {time}.",
  "editor.reload": "Cargar la página de nuevo",
  "editor.retry": "Intentar otra vez",

  "editor.state.connecting": "Conectando …",
  "editor.state.saved": "Guardado",
  "editor.state.saving": "Guardando …",
  "editor.state.offline": "Sin conexión",
  "editor.state.offline.kept": "Sin conexión, guardado en este dispositivo",
  "editor.state.not-saved": "No guardado",
  "editor.state.readonly": "Solo lectura",
  "editor.state.readonly.locked": "Bloqueada",

  "editor.why.offline": "No tienes conexión.",
  "editor.why.kept":
    "No tienes conexión. Lo que has escrito queda en este dispositivo y se enviará cuando vuelva la red.",
  "editor.why.nothing-waiting":
    "No tienes conexión. Puedes seguir escribiendo: queda en este dispositivo y se enviará cuando vuelva la red.",
  "editor.why.offline.no-device":
    "No tienes conexión y este navegador no puede conservar tu texto. Espera a la red antes de escribir.",
  "editor.why.no-device":
    "No tienes conexión y este navegador no ha podido conservar lo último que escribiste. Deja esta página abierta hasta que vuelva la red, o guarda una copia.",
  "editor.why.not-saved": "El servidor no aceptó lo último que escribiste.",
  "editor.why.not-saved.locked":
    "La página se bloqueó antes de que lo último que escribiste llegara al servidor.",
  "editor.why.not-saved.protected": "Tu último cambio toca un bloque protegido.",
  "editor.why.not-saved.no-access":
    "Perdiste el acceso a esta página antes de que lo último que escribiste llegara al servidor.",
  "editor.why.readonly": "Puedes leer esta página, pero no cambiarla.",
  "editor.why.log":
    "No guardado, porque el servidor no puede escribir en su disco ahora. Deja esta página abierta: sigue sola.",
  "editor.why.disk-full":
    "No guardado, porque el disco del servidor está lleno. Deja esta página abierta: sigue sola cuando haya sitio.",
  "editor.why.io-error":
    "No guardado, porque el disco del servidor tiene un fallo. Deja esta página abierta: sigue sola cuando funcione.",
  "editor.why.no-access": "Ya no puedes ver esta página.",
  "editor.why.reload": "Esta página se ha rehecho en el servidor. Cárgala de nuevo para seguir.",
  "editor.why.logged-out": "Has cerrado la sesión. Entra otra vez para seguir.",
  "editor.why.session-expired": "Tu sesión ha terminado. Entra otra vez para seguir.",
  "editor.why.removed": "Ya no formas parte de este TwinSpace.",

  "editor.copy.text": "Tu texto sigue en esta página. Guarda una copia antes de seguir.",
  "editor.copy.copy": "Copiar el texto",
  "editor.copy.file": "Guardar en un archivo",
  "editor.copy.discard": "Ver la página guardada",
  "editor.copy.done": "El texto está copiado.",

  "editor.people.here": { one: "{count} persona aquí", other: "{count} personas aquí" },
  "editor.people.came": { one: "{names} está aquí.", other: "{names} están aquí." },
  "editor.people.went": { one: "{names} se ha ido.", other: "{names} se han ido." },

  "editor.tools": "Herramientas para escribir",
  "editor.style": "Estilo del texto",
  "editor.style.mixed": "Estilo",
  "editor.style.paragraph": "Texto",
  "editor.style.heading1": "Título",
  "editor.style.heading2": "Subtítulo",
  "editor.style.heading3": "Título pequeño",
  "editor.style.code": "Código",
  "editor.tool.undo": "Deshacer mi último cambio",
  "editor.tool.redo": "Rehacer",
  "editor.tool.strong": "Negrita",
  "editor.tool.em": "Cursiva",
  "editor.tool.underline": "Subrayado",
  "editor.tool.strike": "Tachado",
  "editor.tool.code": "Código en la línea",
  "editor.tool.link": "Enlace",
  "editor.tool.bullet_list": "Lista con puntos",
  "editor.tool.ordered_list": "Lista con números",
  "editor.tool.task_list": "Lista de tareas",
  "editor.tool.outdent": "Mover a la izquierda",
  "editor.tool.indent": "Mover a la derecha",
  "editor.tool.quote": "Cita",
  "editor.tool.image": "Imagen",
  "editor.tool.table": "Tabla",
  "editor.tool.rule": "Línea divisoria",
  "editor.tool.protect": "Proteger este bloque",
  "editor.tool.row-above": "Nueva fila encima",
  "editor.tool.row-below": "Nueva fila debajo",
  "editor.tool.column-before": "Nueva columna antes",
  "editor.tool.column-after": "Nueva columna después",
  "editor.tool.header-row": "La primera fila es un encabezado",
  "editor.tool.delete-row": "Borrar la fila",
  "editor.tool.delete-column": "Borrar la columna",
  "editor.tool.delete-table": "Borrar la tabla",
  "editor.tool.toolbar": "Ir a las herramientas",

  "editor.protect.by": "Protegido por {name}",
  "editor.protect.by-me": "Protegido por ti",
  "editor.protect.by-teachers": "Protegido por los profesores",
  "editor.protect.hint": "Este bloque está protegido. Pulsa Intro para escribir debajo.",

  "editor.help.title": "Escribir con el teclado",
  "editor.help.tab": "Tab mueve dentro de listas y tablas. Pulsa Escape y después Tab para salir del texto.",
};

export default es;
