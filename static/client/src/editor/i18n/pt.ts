import type { Words } from "./en.ts";

const pt: Words = {
  "editor.label": "Texto da página «{title}»",
  "editor.placeholder": "Escreve aqui. Os outros veem logo.",
  "editor.task": "Feito: {task}",
  "editor.unknown": "Esta parte foi feita com outra versão. Fica guardada, mas aqui não se pode mudar.",
  "editor.absent":
    "Estás sem ligação e esta página ainda não está neste dispositivo. Abre quando a rede voltar.",
  "editor.late": "O servidor ainda não responde. Esta página abre sozinha quando ele responder.",
  "editor.note": "Motivo: {note}",
  "editor.until": "Até {time}.",
  "editor.reload": "Carregar a página de novo",
  "editor.retry": "Tentar outra vez",

  "editor.state.connecting": "A ligar …",
  "editor.state.saved": "Guardado",
  "editor.state.saving": "A guardar …",
  "editor.state.offline": "Sem ligação",
  "editor.state.offline.kept": "Sem ligação, guardado neste dispositivo",
  "editor.state.not-saved": "Não guardado",
  "editor.state.readonly": "Só leitura",
  "editor.state.readonly.locked": "Bloqueada",

  "editor.why.offline": "Estás sem ligação.",
  "editor.why.kept":
    "Estás sem ligação. O que escreveste fica neste dispositivo e é enviado quando a rede voltar.",
  "editor.why.nothing-waiting":
    "Estás sem ligação. Podes continuar a escrever: fica neste dispositivo e é enviado quando a rede voltar.",
  "editor.why.offline.no-device":
    "Estás sem ligação e este navegador não consegue guardar o teu texto. Espera pela rede antes de escrever.",
  "editor.why.no-device":
    "Estás sem ligação e este navegador não conseguiu guardar o que escreveste por último. Deixa esta página aberta até a rede voltar, ou guarda uma cópia.",
  "editor.why.not-saved": "O servidor não aceitou o que escreveste por último.",
  "editor.why.not-saved.locked":
    "A página foi bloqueada antes de o que escreveste por último chegar ao servidor.",
  "editor.why.not-saved.protected": "A tua última alteração toca num bloco protegido.",
  "editor.why.not-saved.no-access":
    "Perdeste o acesso a esta página antes de o que escreveste por último chegar ao servidor.",
  "editor.why.readonly": "Podes ler esta página, mas não mudá-la.",
  "editor.why.log":
    "Não guardado, porque o servidor não consegue escrever no disco agora. Deixa esta página aberta: continua sozinha.",
  "editor.why.disk-full":
    "Não guardado, porque o disco do servidor está cheio. Deixa esta página aberta: continua sozinha quando houver espaço.",
  "editor.why.io-error":
    "Não guardado, porque o disco do servidor tem uma falha. Deixa esta página aberta: continua sozinha quando funcionar.",
  "editor.why.no-access": "Já não podes ver esta página.",
  "editor.why.reload": "Esta página foi refeita no servidor. Carrega-a de novo para continuar.",
  "editor.why.logged-out": "Saíste da sessão. Entra outra vez para continuar.",
  "editor.why.session-expired": "A tua sessão terminou. Entra outra vez para continuar.",
  "editor.why.removed": "Já não fazes parte deste TwinSpace.",

  "editor.copy.text": "O teu texto ainda está nesta página. Guarda uma cópia antes de continuar.",
  "editor.copy.copy": "Copiar o texto",
  "editor.copy.file": "Guardar num ficheiro",
  "editor.copy.discard": "Ver a página guardada",
  "editor.copy.done": "O texto está copiado.",

  "editor.people.here": { one: "{count} pessoa aqui", other: "{count} pessoas aqui" },
  "editor.people.came": { one: "{names} está aqui.", other: "{names} estão aqui." },
  "editor.people.went": { one: "{names} saiu.", other: "{names} saíram." },

  "editor.tools": "Ferramentas para escrever",
  "editor.style": "Estilo do texto",
  "editor.style.mixed": "Estilo",
  "editor.style.paragraph": "Texto",
  "editor.style.heading1": "Título",
  "editor.style.heading2": "Subtítulo",
  "editor.style.heading3": "Título pequeno",
  "editor.style.code": "Código",
  "editor.tool.undo": "Desfazer a minha última mudança",
  "editor.tool.redo": "Refazer",
  "editor.tool.strong": "Negrito",
  "editor.tool.em": "Itálico",
  "editor.tool.underline": "Sublinhado",
  "editor.tool.strike": "Riscado",
  "editor.tool.code": "Código na linha",
  "editor.tool.link": "Ligação",
  "editor.tool.bullet_list": "Lista com pontos",
  "editor.tool.ordered_list": "Lista com números",
  "editor.tool.task_list": "Lista de tarefas",
  "editor.tool.outdent": "Mover para a esquerda",
  "editor.tool.indent": "Mover para a direita",
  "editor.tool.quote": "Citação",
  "editor.tool.image": "Imagem",
  "editor.tool.table": "Tabela",
  "editor.tool.rule": "Linha divisória",
  "editor.tool.protect": "Proteger este bloco",
  "editor.tool.row-above": "Nova linha acima",
  "editor.tool.row-below": "Nova linha abaixo",
  "editor.tool.column-before": "Nova coluna antes",
  "editor.tool.column-after": "Nova coluna depois",
  "editor.tool.header-row": "A primeira linha é um cabeçalho",
  "editor.tool.delete-row": "Apagar a linha",
  "editor.tool.delete-column": "Apagar a coluna",
  "editor.tool.delete-table": "Apagar a tabela",
  "editor.tool.toolbar": "Ir para as ferramentas",

  "editor.protect.by": "Protegido por {name}",
  "editor.protect.by-me": "Protegido por ti",
  "editor.protect.by-teachers": "Protegido pelos professores",
  "editor.protect.hint": "Este bloco está protegido. Carrega em Enter para escrever por baixo.",

  "editor.help.title": "Escrever com o teclado",
  "editor.help.tab":
    "Tab move dentro de listas e tabelas. Carrega em Escape e depois em Tab para sair do texto.",
};

export default pt;
