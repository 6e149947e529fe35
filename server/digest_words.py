"""The words of the mails that say what is new, in the languages of the client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["ALL", "ENGLISH", "Words", "words_in"]

Counted = tuple[str, str]
"""For one, and for more: ``{n}`` is the number."""


@dataclass(frozen=True, slots=True)
class Words:
    language: str
    subject: Counted
    hello: str
    elsewhere: str
    """Where the reader is no member, or nowhere in particular."""
    read: str
    why: str
    change: str
    leave: str
    leave_title: str
    """Of the page on which these mails are ended."""
    leave_ask: str
    leave_do: str
    left: str
    other: Counted
    kinds: Mapping[str, Counted]

    def count(self, kind: str, number: int) -> str:
        return _counted(self.kinds.get(kind, self.other), number)

    def subject_for(self, number: int) -> str:
        return _counted(self.subject, number)


def _counted(words: Counted, number: int) -> str:
    return words[number != 1].replace("{n}", str(number))


ENGLISH: Final = Words(
    language="en",
    subject=("TwinSpace: one new thing for you", "TwinSpace: {n} new things for you"),
    hello="This is new for you in TwinSpace:",
    elsewhere="Beside your TwinSpaces",
    read="See what is new",
    why="You get this mail because you have asked for it.",
    change="Change when it comes",
    leave="No more of these mails",
    leave_title="No more mails",
    leave_ask="Do you want no more mails of what is new in TwinSpace?",
    leave_do="No more mails",
    left="No more mails come. You can turn them on again in TwinSpace, where you see what is new.",
    other=("one new thing", "{n} new things"),
    kinds={
        "held": ("one post of a pupil waits for you", "{n} posts of pupils wait for you"),
        "approved": ("one post of yours is up", "{n} posts of yours are up"),
        "rejected": ("one post of yours was not put up", "{n} posts of yours were not put up"),
        "hidden": ("one post of yours was hidden", "{n} posts of yours were hidden"),
        "mention": ("you are mentioned once", "you are mentioned {n} times"),
        "reply": ("one answer to you", "{n} answers to you"),
        "report": ("somebody asks for help", "{n} calls for help"),
        "report-answered": ("one answer to what you reported", "{n} answers to what you reported"),
        "muted": ("you may not write for now", "you may not write for now"),
        "invitation-accepted": ("one invitation is accepted", "{n} invitations are accepted"),
        "partner-accepted": ("your partner school is here", "{n} partner schools are here"),
        "space-asked": ("one space waits for your approval", "{n} spaces wait for your approval"),
        "space-approved": ("it is approved", "{n} approvals"),
        "space-refused": ("it is not approved yet", "{n} times not approved yet"),
        "join-asked": ("somebody would like to join", "{n} people would like to join"),
        "join-accepted": ("a group is open to you", "{n} groups are open to you"),
        "join-refused": ("a group did not let you in", "{n} groups did not let you in"),
        "contact-asked": (
            "somebody would like to be your contact",
            "{n} people would like to be your contacts",
        ),
        "contact-accepted": ("one new contact", "{n} new contacts"),
        "message": ("somebody has written to you", "{n} people have written to you"),
        "case-opened": (
            "the national office looks into something",
            "the national office looks into {n} things",
        ),
        "case-closed": (
            "the national office has finished looking into something",
            "the national office has finished looking into {n} things",
        ),
        "room-archived": ("one room rests in the archive", "{n} rooms rest in the archive"),
        "floor-asked": (
            "one space would like to be opened wider",
            "{n} spaces would like to be opened wider",
        ),
        "floor-granted": ("one space may be opened wider", "{n} times a space may be opened wider"),
        "floor-refused": ("one space stays as it is", "{n} times a space stays as it is"),
        "floor-taken-back": (
            "one space is as wide as is usual again",
            "{n} spaces are as wide as is usual again",
        ),
        "mute-asked": ("one mute waits for a second teacher", "{n} mutes wait for a second teacher"),
        "mute-confirmed": ("one mute is confirmed", "{n} mutes are confirmed"),
        "mute-refused": ("one mute is not confirmed", "{n} mutes are not confirmed"),
    },
)

SPANISH: Final = Words(
    language="es",
    subject=("TwinSpace: una novedad para ti", "TwinSpace: {n} novedades para ti"),
    hello="Estas son tus novedades en TwinSpace:",
    elsewhere="Aparte de tus TwinSpaces",
    read="Ver las novedades",
    why="Recibes este correo porque lo has pedido.",
    change="Cambiar cuándo llega",
    leave="No recibir más correos como este",
    leave_title="No más correos",
    leave_ask="¿Quieres dejar de recibir correos con las novedades de TwinSpace?",
    leave_do="No más correos",
    left="Ya no llegarán más correos. Puedes volver a activarlos en TwinSpace, donde ves las novedades.",
    other=("una novedad", "{n} novedades"),
    kinds={
        "held": ("un mensaje de alumnado te espera", "{n} mensajes de alumnado te esperan"),
        "approved": ("un mensaje tuyo está publicado", "{n} mensajes tuyos están publicados"),
        "rejected": ("un mensaje tuyo no se publicó", "{n} mensajes tuyos no se publicaron"),
        "hidden": ("un mensaje tuyo se ocultó", "{n} mensajes tuyos se ocultaron"),
        "mention": ("te mencionan una vez", "te mencionan {n} veces"),
        "reply": ("una respuesta para ti", "{n} respuestas para ti"),
        "report": ("alguien pide ayuda", "{n} peticiones de ayuda"),
        "report-answered": ("una respuesta a tu aviso", "{n} respuestas a tus avisos"),
        "muted": ("por ahora no puedes escribir", "por ahora no puedes escribir"),
        "invitation-accepted": ("una invitación aceptada", "{n} invitaciones aceptadas"),
        "partner-accepted": ("tu centro socio ya está aquí", "{n} centros socios ya están aquí"),
        "space-asked": ("un espacio espera tu aprobación", "{n} espacios esperan tu aprobación"),
        "space-approved": ("está aprobado", "{n} aprobaciones"),
        "space-refused": ("aún no está aprobado", "{n} veces aún sin aprobar"),
        "join-asked": ("alguien quiere unirse", "{n} personas quieren unirse"),
        "join-accepted": ("un grupo está abierto para ti", "{n} grupos están abiertos para ti"),
        "join-refused": ("un grupo no te ha admitido", "{n} grupos no te han admitido"),
        "contact-asked": (
            "alguien quiere estar entre tus contactos",
            "{n} personas quieren estar entre tus contactos",
        ),
        "contact-accepted": ("un contacto nuevo", "{n} contactos nuevos"),
        "message": ("alguien te ha escrito", "{n} personas te han escrito"),
        "case-opened": ("el servicio nacional revisa algo", "el servicio nacional revisa {n} cosas"),
        "case-closed": (
            "el servicio nacional ha terminado de revisar algo",
            "el servicio nacional ha terminado de revisar {n} cosas",
        ),
        "room-archived": ("una sala está ahora archivada", "{n} salas están ahora archivadas"),
        "floor-asked": ("un espacio quiere abrirse más", "{n} espacios quieren abrirse más"),
        "floor-granted": ("un espacio se puede abrir más", "{n} veces un espacio se puede abrir más"),
        "floor-refused": ("un espacio se queda como está", "{n} veces un espacio se queda como está"),
        "floor-taken-back": ("un espacio vuelve a lo habitual", "{n} espacios vuelven a lo habitual"),
        "mute-asked": (
            "un silencio espera a una segunda persona",
            "{n} silencios esperan a una segunda persona",
        ),
        "mute-confirmed": ("un silencio está confirmado", "{n} silencios están confirmados"),
        "mute-refused": ("un silencio no se ha confirmado", "{n} silencios no se han confirmado"),
    },
)

PORTUGUESE: Final = Words(
    language="pt",
    subject=("TwinSpace: uma novidade para ti", "TwinSpace: {n} novidades para ti"),
    hello="Estas são as tuas novidades no TwinSpace:",
    elsewhere="Fora dos teus TwinSpaces",
    read="Ver as novidades",
    why="Recebes esta mensagem porque a pediste.",
    change="Mudar quando chega",
    leave="Não receber mais mensagens destas",
    leave_title="Acabaram as mensagens",
    leave_ask="Queres deixar de receber mensagens com as novidades do TwinSpace?",
    leave_do="Não receber mais",
    left="Não chegam mais mensagens. Podes voltar a ativá-las no TwinSpace, onde vês as novidades.",
    other=("uma novidade", "{n} novidades"),
    kinds={
        "held": ("uma mensagem de alunos espera por ti", "{n} mensagens de alunos esperam por ti"),
        "approved": ("uma mensagem tua está publicada", "{n} mensagens tuas estão publicadas"),
        "rejected": ("uma mensagem tua não foi publicada", "{n} mensagens tuas não foram publicadas"),
        "hidden": ("uma mensagem tua foi escondida", "{n} mensagens tuas foram escondidas"),
        "mention": ("mencionam-te uma vez", "mencionam-te {n} vezes"),
        "reply": ("uma resposta para ti", "{n} respostas para ti"),
        "report": ("alguém pede ajuda", "{n} pedidos de ajuda"),
        "report-answered": ("uma resposta ao teu aviso", "{n} respostas aos teus avisos"),
        "muted": ("por agora não podes escrever", "por agora não podes escrever"),
        "invitation-accepted": ("um convite aceite", "{n} convites aceites"),
        "partner-accepted": ("a tua escola parceira já está aqui", "{n} escolas parceiras já estão aqui"),
        "space-asked": ("um espaço espera a tua aprovação", "{n} espaços esperam a tua aprovação"),
        "space-approved": ("está aprovado", "{n} aprovações"),
        "space-refused": ("ainda não está aprovado", "{n} vezes ainda sem aprovação"),
        "join-asked": ("alguém gostaria de entrar", "{n} pessoas gostariam de entrar"),
        "join-accepted": ("um grupo está aberto para ti", "{n} grupos estão abertos para ti"),
        "join-refused": ("um grupo não te aceitou", "{n} grupos não te aceitaram"),
        "contact-asked": (
            "alguém gostaria de ser teu contacto",
            "{n} pessoas gostariam de ser teus contactos",
        ),
        "contact-accepted": ("um contacto novo", "{n} contactos novos"),
        "message": ("alguém te escreveu", "{n} pessoas escreveram-te"),
        "case-opened": ("o serviço nacional analisa algo", "o serviço nacional analisa {n} coisas"),
        "case-closed": (
            "o serviço nacional acabou de analisar algo",
            "o serviço nacional acabou de analisar {n} coisas",
        ),
        "room-archived": ("uma sala está agora arquivada", "{n} salas estão agora arquivadas"),
        "floor-asked": ("um espaço gostaria de abrir mais", "{n} espaços gostariam de abrir mais"),
        "floor-granted": ("um espaço pode abrir mais", "{n} vezes um espaço pode abrir mais"),
        "floor-refused": ("um espaço fica como está", "{n} vezes um espaço fica como está"),
        "floor-taken-back": ("um espaço volta ao habitual", "{n} espaços voltam ao habitual"),
        "mute-asked": (
            "um silêncio espera por uma segunda pessoa",
            "{n} silêncios esperam por uma segunda pessoa",
        ),
        "mute-confirmed": ("um silêncio está confirmado", "{n} silêncios estão confirmados"),
        "mute-refused": ("um silêncio não foi confirmado", "{n} silêncios não foram confirmados"),
    },
)

ALL: Final = {words.language: words for words in (ENGLISH, SPANISH, PORTUGUESE)}


def words_in(languages: Iterable[str]) -> Words:
    """In the first of these languages (tags, best first) that there are words in, else in English."""
    for tag in languages:
        found = ALL.get(tag.lower().partition("-")[0])
        if found is not None:
            return found
    return ENGLISH
