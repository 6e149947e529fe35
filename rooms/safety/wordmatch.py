"""Finds listed words in a text, also where they are dressed up.

A word is found whatever its case and accents, unless the accented letter is one of its own in the word's
language (Spanish *ano* is not *año*); with letters of look-alike scripts, digits for letters, repeated
letters, or something between the letters. Only whole words are found: *cons* is not in *conspicuous*.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rooms.safety.folding import Folded, fold, lowered

__all__ = ["LONGEST_WORD", "Lexicon"]

LONGEST_WORD: Final = 40
"""Letters of a listed word."""

_OWN_LETTERS: Final = {
    "bg": "й", "cs": "čďěňřšťůž", "da": "åæø", "de": "äöüß", "es": "ñ", "et": "äõöüšž", "fi": "åäö",
    "hr": "čćđšž", "hu": "öőüű", "is": "áðéíóúýþæö", "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "nb": "åæø",
    "no": "åæø", "pl": "ąćęłńóśźż", "ro": "ăâîșşțţ", "ru": "й", "sk": "äčďľňôšťž", "sl": "čšž",
    "sr": "čćđšžй", "sv": "åäö", "tr": "çğıöşü", "uk": "йї",
}  # fmt: skip
"""Letters that are not a base letter with an accent but another letter, so that words differ by them."""


@dataclass(frozen=True, slots=True)
class _Script:
    """How a character of any script reads in one: what it looks like there."""

    lookalikes: dict[int, str]
    leet: dict[str, str]
    """A digit or symbol, and the letters it may stand for."""

    def read(self, text: str) -> str:
        return lowered(text.translate(self.lookalikes))


def _lookalikes(pairs: str) -> dict[int, str]:
    return {ord(pair[0]): pair[1] for pair in pairs.split()}


_LATIN: Final = _Script(
    _lookalikes(
        "аa вb еe кk мm нh оo рp сc тt уy хx ѕs іi їi јj ԁd ԛq ԝw һh ӏl "
        "АA ВB ЕE КK МM НH ОO РP СC ТT УY ХX ЅS ІI ЇI ЈJ Ԁd Ԛq Ԝw Һh ӀI "
        "αa βb γy εe ηn ιi κk νv οo ρp τt υu χx ωw "
        "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX"
    ),
    {"0": "o", "1": "il", "!": "il", "|": "il", "3": "e", "€": "e", "4": "a", "@": "a", "5": "s", "$": "s",
     "6": "g", "7": "t", "+": "t", "8": "b", "9": "g"},
)  # fmt: skip
_CYRILLIC: Final = _Script(
    _lookalikes(
        "aа bв cс eе hн iі jј kк mм nп oо pр rг sѕ tт uи xх yу "
        "AА BВ CС EЕ HН IІ JЈ KК MМ OО PР SЅ TТ XХ YУ "
        "αа εе ιі κк οо ρр τт υи χх ΑА ΒВ ΕЕ ΗН ΙІ ΚК ΜМ ΟО ΡР ΤТ ΥУ ΧХ"
    ),
    {"0": "о", "@": "а", "3": "зе", "4": "ч", "6": "б", "!": "і", "1": "і"},
)
_GREEK: Final = _Script(
    _lookalikes(
        "aα bβ eε iι kκ nη oο pρ tτ uυ vν wω xχ yγ "
        "AΑ BΒ EΕ ZΖ HΗ IΙ KΚ MΜ NΝ OΟ PΡ TΤ YΥ XΧ "
        "аα еε кκ оο рρ тτ хχ іι АΑ ВΒ ЕΕ НΗ ІΙ КΚ МΜ ОΟ РΡ ТΤ ХΧ"
    ),
    {"0": "ο", "@": "α", "3": "ε", "4": "α", "1": "ι", "!": "ι"},
)
_OTHER: Final = _Script({}, {})

_SCRIPTS: Final = {"LATIN": _LATIN, "CYRILLIC": _CYRILLIC, "GREEK": _GREEK}
_SYMBOLS: Final = "@$!|+€"
_WORD: Final = re.compile(r"[@$€!|+]?[^\W_]+(?:[@$!|+€*.·•'’~^/_-]{1,2}[^\W_]+)*[@$]{0,3}")
"""All that stands between two spaces, without the punctuation around it."""
_PART: Final = re.compile(r"[^\W_]+")
_SPACED: Final = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){2,}")
"""Three or more single letters with something between them."""
_SHORT: Final = 4
"""Letters of a word in which one letter written twice may make another word, as *sono* and *sonno*."""
_LONGEST_READ: Final = 3 * LONGEST_WORD + 1

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Letter:
    letters: str
    """What it may be read as."""
    accented: str
    """With its accent, if it has one."""
    stretched: bool = False
    """It stands there three times or more."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One word of what is listed."""

    key: str
    letters: tuple[_Letter, ...]
    open_end: bool
    own: str
    """The letters that do not lose their accents."""

    def matches(self, read: Sequence[_Letter]) -> bool:
        """Whether this is what is read, with letters of it repeated."""
        longest = len(self.letters)
        reached = {0}
        for letter in read:
            step = set()
            for place in reached:
                if place < longest and self._same(self.letters[place], letter):
                    step.add(place + 1)
                again = place and (letter.stretched or longest > _SHORT)
                if again and self._same(self.letters[place - 1], letter):
                    step.add(place)
            if self.open_end and longest in step:
                return True
            reached = step
            if not reached:
                return False
        return longest in reached

    def _same(self, listed: _Letter, read: _Letter) -> bool:
        mine = listed.accented if listed.accented in self.own else ""
        its = read.accented if read.accented in self.own else ""
        return mine == its and any(letter in listed.letters for letter in read.letters)


@dataclass(frozen=True, slots=True)
class _Entry:
    index: int
    parts: tuple[_Part, ...]


class Lexicon:
    """A list of words, ready to be looked for. ``words`` are pairs of a text and its language, or ``""``."""

    def __init__(self, words: Sequence[tuple[str, str]]) -> None:
        self._lists: dict[str, _List] = {}
        for index, (text, language) in enumerate(words):
            folded = fold(text.strip())
            script = _script_of(folded.text)
            if script not in self._lists:
                self._lists[script] = _List(_SCRIPTS.get(script, _OTHER))
            self._lists[script].add(index, folded, _OWN_LETTERS.get(language.partition("-")[0], ""))

    def find(self, folded: Folded) -> Iterator[tuple[int, int, int]]:
        """Places in the list of words, each with where in ``folded.text`` the word stands."""
        for each in self._lists.values():
            yield from _Search(each, folded).found()


class _List:
    """Those words of a list that are written in one script."""

    def __init__(self, script: _Script) -> None:
        self.script = script
        self.lengths: list[int] = []
        """Of the keys, longest first."""
        self._whole: dict[str, list[_Entry]] = {}
        self._beginnings: dict[str, list[_Entry]] = {}

    def add(self, index: int, folded: Folded, own: str) -> None:
        reading = self.script.read(folded.text)
        parts = []
        for word in re.finditer(r"\S+", reading):
            places = [at for at in range(*word.span()) if reading[at].isalnum()][:LONGEST_WORD]
            if places:
                letters = tuple(self.letter(reading[at], folded.accented.get(at, "")) for at in places)
                key, _ = self.key("".join(reading[at] for at in places))
                parts.append(_Part(key, letters, word.group().endswith("*"), own))
        if parts:
            kept = self._beginnings if parts[0].open_end else self._whole
            kept.setdefault(parts[0].key, []).append(_Entry(index, tuple(parts)))
            self.lengths = sorted({*self.lengths, len(parts[0].key)}, reverse=True)

    def letter(self, char: str, accented: str, stretched: bool = False) -> _Letter:
        return _Letter(char + self.script.leet.get(char, ""), accented, stretched)

    def key(self, letters: str) -> tuple[str, list[int]]:
        """What all readings of a word have in common, and where in it each letter of that begins."""
        if letters.isdigit():
            return letters, list(range(len(letters)))
        key: list[str] = []
        begins: list[int] = []
        for at, char in enumerate(letters):
            char = self.script.leet.get(char, char)[0]
            char = "i" if char == "l" else char
            if not key or key[-1] != char:
                key.append(char)
                begins.append(at)
        return "".join(key), begins

    def entries(self, key: str) -> Iterator[_Entry]:
        """Whatever may begin with a word of this key."""
        yield from self._whole.get(key, ())
        for length in self.lengths if self._beginnings else ():
            if length <= len(key):
                yield from self._beginnings.get(key[:length], ())


class _Search:
    """The search for the words of one list in one text."""

    def __init__(self, words: _List, folded: Folded) -> None:
        self._words = words
        self._accented = folded.accented
        self._reading = words.script.read(folded.text)
        self._parts = [match.span() for match in _PART.finditer(self._reading)]

    def found(self) -> Iterator[tuple[int, int, int]]:
        following = 0
        for word in _WORD.finditer(self._reading):
            first = following
            while following < len(self._parts) and self._parts[following][1] <= word.end():
                following += 1
                yield from self._part(following - 1)
            if following - first > 1 or word.group()[0] in _SYMBOLS or word.group()[-1] in _SYMBOLS:
                yield from self._whole_word(*word.span(), following)
        for letters in _SPACED.finditer(self._reading):
            yield from self._spaced(*letters.span())

    def _part(self, nth: int) -> Iterator[tuple[int, int, int]]:
        """Letters that stand together, with and without the digits around them."""
        start, end = self._parts[nth]
        part = self._reading[start:end]
        yield from self._at(range(start, end), nth + 1)
        inner = part.strip("0123456789")
        if inner and len(inner) < len(part):
            start += part.index(inner)
            yield from self._at(range(start, start + len(inner)), nth + 1)

    def _whole_word(self, start: int, end: int, following: int) -> Iterator[tuple[int, int, int]]:
        """Letters with something between them, which may stand for letters too."""
        plain = [at for at in range(start, end) if self._reading[at].isalnum()]
        if all(self._reading[at].isdigit() for at in plain):
            return
        dressed = [
            at for at in range(start, end) if self._reading[at].isalnum() or self._reading[at] in _SYMBOLS
        ]
        yield from self._at(plain, following)
        if len(dressed) > len(plain):
            yield from self._at(dressed, following)

    def _at(self, places: Sequence[int], following: int) -> Iterator[tuple[int, int, int]]:
        key, _ = self._words.key("".join(self._reading[at] for at in places))
        for entry in self._words.entries(key):
            end = self._end(entry, places, following)
            if end:
                yield entry.index, places[0], end

    def _end(self, entry: _Entry, places: Sequence[int], following: int) -> int:
        """Where the entry that begins at these places ends, or 0."""
        if not entry.parts[0].matches(self._read(places)):
            return 0
        end = places[-1] + 1
        for nth, part in enumerate(entry.parts[1:], following):
            if nth >= len(self._parts) or not part.matches(self._read(range(*self._parts[nth]))):
                return 0
            end = self._parts[nth][1]
        return end

    def _spaced(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        places = [at for at in range(start, end) if self._reading[at].isalnum()]
        text = "".join(self._reading[at] for at in places)
        if text.isdigit():
            return
        key, begins = self._words.key(text)
        begins.append(len(places))
        at = 0
        while at < len(key):
            at = at + 1
            for length in self._words.lengths:
                if length > len(key) - at + 1:
                    continue
                piece = places[begins[at - 1] : begins[at - 1 + length]]
                entry = self._spaced_entry(key[at - 1 : at - 1 + length], piece)
                if entry:
                    yield entry.index, piece[0], piece[-1] + 1
                    at += length - 1
                    break

    def _spaced_entry(self, key: str, piece: Sequence[int]) -> _Entry | None:
        for entry in self._words.entries(key):
            first = entry.parts[0]
            if len(entry.parts) == 1 and len(first.letters) > 2 and first.matches(self._read(piece)):
                return entry
        return None

    def _read(self, places: Sequence[int]) -> list[_Letter]:
        """What stands there; no more of it than a listed word can be long."""
        read: list[_Letter] = []
        at = 0
        while at < len(places) and len(read) < _LONGEST_READ:
            char = self._reading[places[at]]
            last = at + 1
            while last < len(places) and self._reading[places[last]] == char:
                last += 1
            stretched = last - at > 2
            for place in places[at : min(last, at + 3)]:
                read.append(self._words.letter(char, self._accented.get(place, ""), stretched))
            at = last
        return read


def _script_of(text: str) -> str:
    """The script of the first letter, by its Unicode name."""
    return next((unicodedata.name(char, "LATIN").split()[0] for char in text if char.isalpha()), "LATIN")
