"""A text as the eye reads it: without the disguises that Unicode offers, with the way back."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

__all__ = ["Folded", "fold", "lowered"]

_LETTERS: Final = {
    **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡıøłđðħŧ", "abcdefghijklmnoprstuvwyzagiolddht", strict=True)),
    "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Ħ": "H", "Ŧ": "T",
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ς": "σ",
    "。": ".", "｡": ".", "․": ".", "⁄": "/", "\u2800": " ",
}  # fmt: skip
_UNSEEN: Final = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
_MOST_BASES: Final = 4
"""Some characters stand for a sentence."""
_CIRCLED: Final = ((0x1F150, 0x1F169), (0x1F170, 0x1F189))
"""White letters on black discs and squares, which Unicode does not call letters."""


@dataclass(slots=True)
class Folded:
    """``text[k]`` is what stands in the original from ``starts[k]`` to ``ends[k]``."""

    text: str = ""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    accented: dict[int, str] = field(default_factory=dict)
    """The lower-case letter with its accent, where there is just one accent on it."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` stands in the original; not for an empty piece."""
        return self.starts[start], self.ends[end - 1]


def fold(original: str) -> Folded:
    """Compatibility forms, digits of any script and accents are reduced to their base; case stays."""
    folded = Folded()
    pieces: list[str] = []
    starts, ends = folded.starts, folded.ends
    for at, char in enumerate(original):
        bases, mark = _reduced(char)
        if not bases:
            if mark and ends and ends[-1] == at:
                ends[-1] = at + 1
                last = len(pieces) - 1
                composed = unicodedata.normalize("NFC", pieces[last] + mark).lower()
                if len(composed) == 1 and folded.accented.get(last) is None:
                    folded.accented[last] = composed
                else:
                    folded.accented[last] = ""
            continue
        if mark:
            folded.accented[len(pieces)] = char.lower()
        for base in bases:
            pieces.append(base)
            starts.append(at)
            ends.append(at + 1)
    folded.text = "".join(pieces)
    return folded


def lowered(text: str) -> str:
    """In small letters, character for character."""
    return text.lower().replace("ς", "σ")


@lru_cache(maxsize=8192)
def _reduced(char: str) -> tuple[str, str]:
    """The base characters that one character stands for, and its mark: what is left of it without them."""
    if char in _LETTERS:
        return _LETTERS[char], char if char.isalpha() and not char.isascii() else ""
    for first, last in _CIRCLED:
        if first <= ord(char) <= last:
            return chr(ord("a") + ord(char) - first), ""
    bases, marks = [], []
    for part in unicodedata.normalize("NFKD", char):
        category = unicodedata.category(part)
        if category in ("Mn", "Me"):
            marks.append(part)
        elif part in _UNSEEN or category == "Cf":
            continue
        elif category == "Nd":
            bases.append(str(unicodedata.decimal(part)))
        elif part in "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63":
            bases.append("-")
        elif part.isspace():
            bases.append("\n" if part in "\n\r\v\f\u2028\u2029\x85" else " ")
        else:
            bases.append(_LETTERS.get(part, part))
    return "".join(bases)[:_MOST_BASES], "".join(marks)
