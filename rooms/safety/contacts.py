"""Finds ways to meet elsewhere in a text: e-mail addresses, links, phone numbers, handles, postal addresses.

Every pattern takes time that grows with the text, and no faster: what repeats is bounded, and what a
pattern cannot say in one pass is looked at in Python, where it was found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from rooms.safety.folding import Folded, lowered
from rooms.safety.phones import phones

__all__ = ["contacts", "normal_domain"]

Span = tuple[int, int]

# Domains

_GENERIC: Final = (
    "com net org info biz eu edu gov int mil io app dev me tv cc ai gg xyz online site shop store club chat "
    "link live blog page social space world zone team games fun school education academy tk ml ga cf gq to "
    "ly be fm tt im sh pw ws icu top vip click news email mobi name pro tel cat eus gal bzh scot wales "
    "london berlin paris us ca au nz jp cn br mx ar in id za sbs cfd lol wtf art studio media network "
    "website tech cloud digital"
)
_EUROPE: Final = (
    "ad al at ba be bg by ch cy cz de dk ee es fi fr gr hr hu ie is it je li lt lu lv mc md me mk mt nl no "
    "pl pt ro rs ru se si sk sm tr ua uk va xk am az ge dz eg jo lb ma ps tn gb va su ευ ею рф укр бг срб ελ"
)
_TOP: Final = frozenset((_GENERIC + " " + _EUROPE).split())
_WORD_TOP: Final = "com|net|org|info|eu|io|app|gg|tv|me|de|es|fr|it|pt|pl|nl|uk|co"
"""Those that also count after a dot that is written as a word."""
_SHARED_BY_MANY: Final = (
    "co.uk org.uk ac.uk gov.uk sch.uk me.uk com.pl edu.pl net.pl org.pl com.es edu.es gob.es org.es com.pt "
    "edu.pt gov.pt com.tr edu.tr gov.tr k12.tr org.tr com.ua edu.ua com.gr edu.gr sch.gr com.mt com.cy "
    "com.ro co.rs ac.rs edu.rs com.hr com.mk com.al gouv.fr asso.fr gv.at ac.at co.at or.at edu.it gov.it "
    "github.io gitlab.io netlify.app vercel.app web.app blogspot.com wordpress.com weebly.com wixsite.com "
    "tumblr.com herokuapp.com pages.dev glitch.me repl.co carrd.co com.br com.au co.nz"
)
_SHARED: Final = frozenset(_SHARED_BY_MANY.split())
"""Under these everybody may have a place, so that none of them is one owner's."""


def normal_domain(name: str) -> str:
    """A domain as it is compared, in ASCII; ``""`` for what is none, or is shared by many owners."""
    host = _host(name.strip())
    labels = host.split(".")
    if len(labels) < 2 or host in _SHARED or labels[-1].isdigit():
        return ""
    return host


def _host(name: str) -> str:
    """In lower case and ASCII, or ``""``."""
    name = unicodedata.normalize("NFKC", name)
    name = "".join(char for char in name if unicodedata.category(char) != "Cf").rstrip(".").lower()
    try:
        host = name.encode("idna").decode("ascii").lower() if len(name) < 254 else ""
    except UnicodeError:
        return ""
    return host if re.fullmatch(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,30}", host) else ""


# E-mail

_AT_WORDS: Final = "at|arroba|arobase|chiocciola|malpa|klammeraffe|snabela|apenstaartje|zavinac|kukac"
_DOT_WORDS: Final = "dot|punto|ponto|point|punkt|kropka|punt|bod|pont|tocka"
_DOT: Final = rf"(?:\s?\.\s?|\s?[(\[{{<]\s?(?:\.|{_DOT_WORDS})\s?[)\]}}>]\s?|\s(?:{_DOT_WORDS})\s)"
_EMAILS: Final = (
    re.compile(r"(?P<at>@)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
    re.compile(
        rf"(?P<at>\s?[(\[{{<]\s?(?:{_AT_WORDS}|@|a)\s?[)\]}}>]\s?)[\w-]{{1,63}}(?:{_DOT}[\w-]{{2,63}}){{1,4}}"
    ),
    re.compile(rf"(?P<at>\s{{0,3}}@\s{{0,3}})[\w-]{{1,63}}(?:{_DOT}(?:{_WORD_TOP})\b){{1,2}}"),
    re.compile(rf"(?P<at>\s(?:{_AT_WORDS})\s)[\w-]{{1,63}}(?:\s(?:{_DOT_WORDS})\s(?:{_WORD_TOP})\b){{1,2}}"),
    re.compile(
        rf"(?P<at>\s(?:{_AT_WORDS})\s)(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|proton|protonmail|gmx|live|web|mail"
        rf"|libero|wp|onet|interia|orange|free|sapo|abv|seznam)\.\w{{2,6}}\b"
    ),
)
_LOCAL: Final = re.compile(r"[\w.+%'-]{1,64}\Z")


def _emails(text: str) -> Iterator[Span]:
    for pattern in _EMAILS:
        for match in pattern.finditer(text):
            start = match.start()
            local = _LOCAL.search(text, max(0, start - 64), start)
            if local:
                yield local.start(), match.end()


# Links

_URL: Final = re.compile(
    r"(?<![a-z0-9])(?:[a-z][a-z0-9+-]{1,20}:/{2,}|(?:tel|sms|mailto|skype|whatsapp|viber|facetime|javascript):(?=\S)|www\d?\.)"
    r"[^\s<>\"]{1,2000}"
)
_BARE: Final = re.compile(
    r"(?<![\w.@-])(?:[\w-]{1,63}\.){1,8}(?P<top>xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-])"
)
_LONG: Final = re.compile(r"(?<=[\w.-])\.(?P<top>com|net|org|eu|io|info)(?![\w.-])")
_SPELT: Final = re.compile(rf"(?<![\w-])[\w-]{{2,63}}{_DOT}(?P<top>{_WORD_TOP})(?![\w-])")
_PATH: Final = re.compile(r"(?::\d{1,5})?/[^\s<>\"]{1,2000}")


def _links(original: str, folded: Folded, text: str, open_to: Sequence[str]) -> Iterator[Span]:
    for match in _URL.finditer(text):
        end = match.start() + len(match.group().rstrip(".,;:!?)]}'\""))
        start, last = folded.span(match.start(), max(end, match.start() + 1))
        if not _is_open(original[start:last], open_to):
            yield match.start(), max(end, match.start() + 1)
    text = _without(text, [match.span() for match in _URL.finditer(text)])
    for match in _BARE.finditer(text):
        start, end = match.span()
        path = _PATH.match(text, end)
        top = match["top"]
        if path is None and (top not in _TOP and not top.startswith("xn--")):
            continue
        if _ends_a_sentence(folded.text[start:end]):
            continue
        first, last = folded.span(start, end)
        if not _is_open(original[first:last], open_to):
            yield start, path.end() if path else end
    for match in _SPELT.finditer(text):
        if "." not in match.group() or " . " in match.group() or "(" in match.group() or "[" in match.group():
            yield match.span()


def _ends_a_sentence(name: str) -> bool:
    """Such as in *We arrived.It was late*: a full stop without a space after it."""
    before, _, last = name.rpartition(".")
    return len(last) == 2 and last[0].isupper() and last[1].islower() and not before.endswith(("www",))


def _is_open(link: str, open_to: Sequence[str]) -> bool:
    """Whether a link surely leads below one of the domains: anything doubtful does not."""
    link = unicodedata.normalize("NFKC", link)
    scheme, found, rest = link.partition("://")
    if not found:
        scheme, rest = "https", link
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if scheme.lower() not in ("http", "https") or any(char in authority for char in "@\\%"):
        return False
    host = _host(re.sub(r":\d{1,5}\Z", "", authority.rstrip(".,;:!?)]}'\"")))
    return any(host == each or host.endswith("." + each) for each in open_to)


# Handles

_SERVICE: Final = (
    r"(?:insta(?:gram)?|ig|snap(?:chat)?|sc|tik\s?tok|discord|dc|whats\s?app|wapp?|telegram|tele|tg|facebook|fb|"
    r"messenger|twitter|roblox|fortnite|minecraft|brawl\s?stars|psn|steam|xbox|epic|viber|signal|skype|kik|"
    r"twitch|youtube|bereal|wechat|vk|bluesky|mastodon|pinterest|reddit|threema|zoom|teams)"
)
_SAID: Final = r"(?:is|its|es|e|est|ist|to|jest|:|=|->|called|se\s?llama|heisst)"
_NAME: Final = r"@?(?P<name>[\w.#-]{3,32})"
_HANDLES: Final = (
    re.compile(r"(?<![\w.@/])@(?P<at>[\w.]{3,40})"),
    re.compile(r"(?<![\w.])(?=[\w.]{0,31}[^\W\d])[\w.]{2,32}#\d{4}(?!\d)"),
    re.compile(rf"(?<!\w){_SERVICE}\s?[:=]\s?{_NAME}"),
    re.compile(
        rf"(?<!\w)(?:my|mi|meu|minha|mon|ma|mein|meine|mio|mia|moj|moje|min|mijn|a)\s{_SERVICE}\s?"
        rf"(?:(?:name|user|username|account|nick|tag|id|usuario|cuenta|conta|compte|konto|profil\w{{0,3}}|nome|nazwa)\s)?"
        rf"{_SAID}\s?{_SAID}?\s?{_NAME}"
    ),
    re.compile(
        r"(?<!\w)(?:(?:add|find|follow|text|dm|message|msg|write|call|hit)\s(?:to\s)?me(?:\sup)?\s(?:on|in|at|via)|"
        r"(?:agrega|busca|sigue|anade|escribe|habla)me\s(?:en|a|al|por)|"
        r"(?:me\s(?:adiciona|segue|procura|chama)|(?:adiciona|segue|procura|chama)-me)\s(?:no|na|em|pelo)|"
        r"(?:ajoute|suis|suivez|retrouve|ecris|contacte)[\s-]moi\s(?:sur|par)|"
        r"(?:adde?|folge?|schreib|finde)\smi(?:ch|r)\s(?:auf|bei|in|uber|per)|"
        r"(?:aggiungi|segui|scrivi|cerca|contatta)mi\s(?:su|in)|"
        r"(?:dodaj|znajdz|obserwuj|napisz\sdo)\smnie\s(?:na|w|przez))"
        rf"\s(?:(?:my|mi|meu|o|mon|mein|il|moj)\s)?{_SERVICE}(?!\w)(?:\s?[:=]?\s?(?:(?:as|como|comme|als|come|jako)\s)?(?P<name>[\w.#-]{{3,32}}))?"
    ),
    re.compile(
        rf"(?<!\w)(?P<sure>[\w.-]{{3,32}})\s(?:on|in|en|no|sur|auf|bei|su|na)\s(?:my\s)?{_SERVICE}(?!\w)"
    ),
)


def _handles(text: str) -> Iterator[Span]:
    for pattern in _HANDLES:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            if "at" in groups and sum(char.isalpha() for char in match["at"]) < 2:
                continue
            if "sure" in groups and not re.search(r"[\d_]", match["sure"].strip(".-")):
                continue
            if "sure" in groups and not re.search(r"[^\W\d_]", match["sure"]):
                continue
            yield match.span()


# Postal addresses

_BEFORE: Final = (
    r"calle|c/|avenida|avda|avd|plaza|paseo|camino|carretera|rua|travessa|praca|largo|estrada|via|viale|piazza|"
    r"corso|vicolo|ul|ulica|aleja|aleje|plac|osiedle|os|strada|str|bulevardul|odos|ulice|namesti|trg|cesta|carrer|"
    r"οδοσ|λεωφοροσ|ул|улица|вул|вулиця|бул"
)
_AFTER: Final = (
    r"strasse|str|weg|platz|gasse|allee|ring|straat|laan|plein|gracht|gatan|vagen|vej|gade|gata|veien|katu|kuja|"
    r"utca|tanav|iela|gatve"
)
_FIRST: Final = (
    r"rue|avenue|av|boulevard|bd|allee|allees|impasse|chemin|quai|place|route|cours|square|faubourg"
)
_LAST: Final = (
    r"street|st|road|rd|avenue|ave|lane|ln|drive|close|court|square|crescent|terrace|gardens|grove|row"
)
_NAMED: Final = r"[^\W\d_][\w'’.-]{0,30}"
_UNIT: Final = (
    r"(?!\s?(?:km|m|cm|mm|kg|min|h|uhr|o'clock|years?|anos|jahre|ans|anni|lat|%|€|euros?"
    r"|[.,:]\d|\d|st\b|nd\b|rd\b|th\b))"
)
_NUMBER: Final = (
    r"(?P<number>(?:,?\s?(?:no?|nr|num|numero|n[ºo°])[.:]?\s?|,?\s)(?<!\d)"
    rf"\d{{1,3}}(?:\s?[a-d](?!\w)|/\d{{1,3}})?(?![\w]){_UNIT})"
)
_HOMES: Final = (
    re.compile(rf"(?<!\w)(?P<word>{_BEFORE})[.\s]{{1,3}}(?P<name>{_NAMED}(?:,?\s{_NAMED}){{0,4}}?){_NUMBER}"),
    re.compile(rf"(?P<word>{_AFTER})\.?{_NUMBER}"),
    re.compile(
        rf"(?<![\w.,])\d{{1,3}}\s?(?:bis|ter|[a-d](?=[\s,]))?,?\s(?P<word>{_FIRST})[.\s]\s?(?P<name>(?:(?:de|du|des|la|le|les)\s){{0,2}}[^\W\d_][\w'’-]{{1,30}})"
    ),
    re.compile(
        rf"(?<![\w.,])\d{{1,4}}[a-d]?,?\s(?P<name>(?:[^\W\d_][\w'’-]{{1,30}}\s){{1,3}}?)(?P<word>{_LAST})(?!\w)"
    ),
)
_LIVES: Final = re.compile(
    r"(?<!\w)(?:live|living|address|vivo|vive|vivimos|direccion|casa|moro|morada|endereco|habite|adresse|wohne|wohnt|"
    r"abito|indirizzo|mieszkam|adres|woon|bor|locuiesc|μενω|живея|живу)(?!\w)"
)
_NAMES_MUCH: Final = "via largo corso place route cours square row close court drive trg cesta os str ring st"
_AMBIGUOUS: Final = frozenset(_NAMES_MUCH.split())
"""Words of which streets are named, and much else."""


def _addresses(folded: Folded, text: str) -> Iterator[Span]:
    before, after, first, last = _HOMES
    for match in before.finditer(text):
        if _is_a_place(folded, text, match, ends=match["word"] not in _AMBIGUOUS):
            yield match.span()
    for match in after.finditer(text):
        start = match.start()
        while start and match.start() - start < 40 and (text[start - 1].isalpha() or text[start - 1] == "-"):
            start -= 1
        if start == match.start() and match["word"] in _APART:
            start = text.rfind(" ", max(0, start - 40), max(0, start - 1)) + 1
        word = text[start : match.start("number")].strip(" .,")
        if len(word) - len(match["word"]) >= 3 and not word.endswith(_NO_STREETS):
            yield start, match.end()
    for match in first.finditer(text):
        if match["word"] not in _AMBIGUOUS or _is_a_place(folded, text, match, ends=False):
            yield match.span()
    for match in last.finditer(text):
        if _is_a_place(folded, text, match, ends=False):
            yield match.span()


_APART: Final = ("utca", "tanav", "iela", "gatve")
"""Those that are words of their own."""
_NO_STREETS: Final = (
    "brigade",
    "unterweg",
    "durchweg",
    "hinweg",
    "keineswegs",
    "during",
    "spring",
    "string",
    "bring",
)


def _is_a_place(folded: Folded, text: str, match: re.Match[str], *, ends: bool) -> bool:
    """Whether a name has a capital letter, or somebody says that they live there, or nothing follows."""
    name = folded.text[match.start("name") : match.end("name")].split()
    small = {
        "de",
        "del",
        "la",
        "las",
        "los",
        "da",
        "do",
        "dos",
        "das",
        "di",
        "della",
        "du",
        "des",
        "le",
        "les",
        "the",
        "of",
    }
    proper = [word for word in name if word.lower() not in small]
    if proper and proper[0][0].isupper():
        return True
    if _LIVES.search(text, max(0, match.start() - 40), match.start()):
        return True
    following = text[match.end() : match.end() + 2].strip(" ")
    return ends and len(proper) < 4 and (not following or following[0] in ".,;!?\n)")


def contacts(original: str, folded: Folded, open_to: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Kinds, and where each stands in the original."""
    text = lowered(folded.text)
    taken: list[Span] = []
    for start, end in _emails(text):
        taken.append((start, end))
        yield "email", *folded.span(start, end)
    rest = _without(text, taken)
    links = list(_links(original, folded, rest, open_to))
    for start, end in links:
        yield "link", *folded.span(start, end)
    rest = _without(rest, [*links, *(match.span() for match in _URL.finditer(rest))])
    for kind, found in (
        ("phone", phones(rest)),
        ("handle", _handles(rest)),
        ("address", _addresses(folded, rest)),
    ):
        for start, end in found:
            yield kind, *folded.span(start, end)


def _without(text: str, spans: Sequence[Span]) -> str:
    """The text with these pieces blotted out, each character for one."""
    pieces, at = [], 0
    for start, end in sorted(spans):
        if end > at:
            start = max(start, at)
            pieces += [text[at:start], "\x00" * (end - start)]
            at = end
    return "".join(pieces) + text[at:]
