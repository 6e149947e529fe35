import type { Words } from "./en.ts";

const pt: Words = {
  "app.skip": "Saltar para o conteúdo",

  "nav.space": "Este TwinSpace",
  "nav.bottom": "Menu principal",
  "nav.home": "Início",
  "nav.members": "Pessoas",
  "nav.pages": "Páginas",
  "nav.talk": "Conversas",
  "nav.me": "Eu",
  "nav.desk": "Mesa",
  "nav.desk-waits": { one: "Uma coisa à tua espera", other: "{count} coisas à tua espera" },
  "nav.my-spaces": "Os meus TwinSpaces",

  "line.offline": "Sem ligação",
  "line.connecting": "A ligar …",

  "dialog.close": "Fechar",
  "dialog.cancel": "Cancelar",
  "dialog.save": "Guardar",

  "me.open": "língua, aspeto, sair",
  "me.settings": "Língua e aspeto",
  "me.language": "Língua",
  "me.theme": "Aspeto",
  "me.log-out": "Sair",

  "theme.auto": "Como o dispositivo",
  "theme.light": "Claro",
  "theme.dark": "Escuro",

  "log-out.done": "Saíste. Neste dispositivo não fica nada teu.",
  "log-out.unsent-title": "Parte do teu texto só está aqui",
  "log-out.unsent": {
    one: "Há algo por enviar numa página ou numa conversa. Perde-se se saíres agora. Espera até teres ligação, abre-a e confirma que está guardado ou enviado.",
    other:
      "O que escreveste em {count} sítios está por enviar. Perde-se se saíres agora. Espera até teres ligação, abre as páginas e conversas e confirma que está tudo guardado ou enviado.",
  },
  "log-out.anyway": "Sair e perdê-las",

  "bye.logged-out": "A tua sessão foi terminada.",
  "bye.session-expired": "A tua sessão expirou. Entra outra vez: o teu texto está guardado.",

  "lost.title": "Este endereço não existe",
  "lost.text": "O endereço pode ser antigo ou ter um erro.",

  "trouble.title": "Algo não funcionou",
  "trouble.again": "Tentar de novo",

  "gone.title": "Não podes entrar neste TwinSpace",
  "gone.removed":
    "Já não és membro deste TwinSpace. Se achas que é um engano, pergunta à tua professora ou professor.",
  "gone.not-member":
    "Não és membro deste TwinSpace, ou ele não existe. Pede a ligação certa à tua professora ou professor.",

  "error.unreachable": "Não é possível chegar ao servidor. Verifica a ligação e tenta de novo.",
  "error.unknown": "Algo correu mal. Tenta de novo daqui a pouco.",
  "error.said": "O servidor diz: {message}",
  "error.forbidden": "Aqui não podes fazer isso. Um professor deste TwinSpace pode.",
  "error.not-found": "Já não está aqui. Talvez alguém o tenha movido ou retirado.",
  "error.wait-seconds": {
    one: "Demasiadas tentativas. Espera um segundo e tenta de novo.",
    other: "Demasiadas tentativas. Espera {count} segundos e tenta de novo.",
  },
  "error.wait-minutes": {
    one: "Demasiadas tentativas. Espera um minuto e tenta de novo.",
    other: "Demasiadas tentativas. Espera {count} minutos e tenta de novo.",
  },

  "login.title": "Entra",
  "login.lead": "TwinSpace é onde a tua turma e as turmas parceiras trabalham juntas.",
  "login.how": "Como queres entrar?",
  "login.tab-code": "Tenho um cartão",
  "login.tab-password": "Dou aulas",
  "login.code": "As palavras do teu cartão",
  "login.code-hint": "Escreve as {count} palavras. Maiúsculas ou minúsculas, vírgulas, espaços: tudo serve.",
  "login.code-count": "{count} de {of} palavras",
  "login.code-ready": "Estão todas as palavras.",
  "login.code-short": "O teu cartão tem {count} palavras. Aqui há {typed}.",
  "login.wrong-code":
    "Estas palavras não abrem a porta. Vê outra vez o teu cartão, palavra a palavra. Ainda não dá? A tua professora ou professor pode dar-te um cartão novo.",
  "login.wrong-password": "O e-mail e a palavra-passe não coincidem. Verifica os dois e tenta de novo.",
  "login.enter": "Entrar",
  "login.no-card": "Sem cartão, ou perdeste-o? A tua professora ou professor pode dar-te outro num minuto.",
  "login.email": "E-mail",
  "login.password": "Palavra-passe",
  "login.show-password": "Mostrar a palavra-passe",
  "login.both": "Escreve o teu e-mail e a tua palavra-passe.",
  "login.forgotten": "Esqueceste a palavra-passe? Quem administra o teu servidor pode definir outra.",

  "card.title": "É este o teu cartão?",
  "card.and-more": "e mais palavras",
  "card.instead": "Agora está {name} neste dispositivo. O teu cartão troca.",
  "card.yes": "Sim, deixa-me entrar",
  "card.no": "Não, outro cartão",
  "card.wrong": "Este cartão já não funciona. A tua professora ou professor pode dar-te outro.",

  "home.hello": "Olá, {name}",
  "home.none-pupil":
    "Ainda não estás em nenhum TwinSpace. A tua professora ou professor pode juntar-te a um.",
  "home.none-teacher":
    "Ainda não está em nenhum TwinSpace. Comece um, ou peça a quem dirige o seu projeto que o convide.",
  "home.here": "Quem está aqui agora",
  "home.here-count": { one: "Está aqui uma pessoa.", other: "Estão aqui {count} pessoas." },
  "home.nobody": "Agora não está ninguém.",
  "home.you": "tu",

  "role.guest": "Convidado",
  "role.student": "Aluno",
  "role.student-editor": "Aluno editor",
  "role.teacher": "Professor",
  "role.admin": "Professor responsável",

  "pages.new": "Nova página",
  "pages.none": "Aqui ainda não há páginas.",
  "pages.none-create": "Aqui ainda não há páginas. Cria a primeira.",
  "pages.below": { one: "Uma página dentro", other: "{count} páginas dentro" },
  "pages.readers": { one: "Está uma pessoa nesta página", other: "Estão {count} pessoas nesta página" },
  "pages.manage": "O que fazer com «{title}»",
  "pages.rename": "Mudar o título",
  "pages.lock": "Bloquear",
  "pages.unlock": "Desbloquear",

  "see.draft": "Rascunho: quem a escreve, editores e professores",
  "see.staff": "Só os professores",

  "mark.board": "Quadro",
  "mark.locked": "Bloqueada",
  "mark.readonly": "Só para ler",

  "page.whose": "Quem escreveu isto?",
  "page.where": "Estás aqui",
  "page.gone-title": "Esta página não está aqui",
  "page.gone": "Pode estar no lixo ou não estar aberta para ti.",
  "page.back-to": "Voltar a {title}",
  "page.locked": "{name} bloqueou esta página.",
  "page.locked-until": "{name} bloqueou esta página até: {time}.",
  "page.lock-reason": "«{reason}»",
  "page.lock-not-you": "Tu podes escrever aqui.",
  "page.no-editor": "Não foi possível carregar a página. Verifica a ligação e tenta de novo.",

  "reason.readonly": "Podes ler esta página, mas não a podes mudar.",
  "reason.locked": "Esta página está bloqueada. Podes lê-la.",
  "reason.role": "Podes ler esta página. As regras dizem que aqui escrevem outras pessoas.",
  "reason.editors": "Nesta página escrevem os alunos editores e os professores. Podes lê-la.",
  "reason.teachers": "Nesta página escrevem os professores. Podes lê-la.",
  "reason.muted": "Por agora podes ler, mas não escrever. Pergunta à tua professora ou professor.",
  "reason.muted-until": "Podes ler, mas não escrever até: {time}. Pergunta à tua professora ou professor.",
  "reason.outside-hours": "A esta hora a sala está fechada. Podes ler tudo.",
  "reason.supervised": "Aqui podes escrever quando há um professor na sala.",
  "reason.no-teacher": "Neste TwinSpace não há nenhum professor da tua escola: podes ler, mas não escrever.",
  "reason.space-frozen":
    "Os professores puseram este TwinSpace em pausa. Podes ler tudo, e em breve escrever outra vez.",
  "reason.space-closed": "Este TwinSpace terminou. Podes ler tudo.",
  "reason.room-read-only": "Por agora esta sala é só para ler.",
  "reason.room-frozen": "Esta sala está em pausa. Podes ler tudo.",
  "reason.room-archived": "Esta sala está arquivada. Podes ler tudo.",

  "rooms.manage": "Regras da sala {title}",
  "space.unfreeze": "Deixar que todos voltem a escrever",

  "bin.title": "Lixo",

  "members.none": "Ainda não há ninguém desta escola.",
};

export default pt;
