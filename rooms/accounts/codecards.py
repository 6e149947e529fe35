"""Code cards: how a pupil without an e-mail address logs in.

A card reads ``brave-otter-lemon-train-cloud``: two words that name the pupil's account (the *selector*,
with a number behind it once a pair is taken), and three that prove it (the *secret*).

The secret is drawn from 1,082^3 = 2^30.2 triples. Alone that is too few against somebody who could try
them at speed, so the secret is never the only thing in the way: it is hashed with argon2id, and
`rooms.accounts.throttle` lets an account be tried 5 times and then 96 times a day at most. Guessing at one
account all day and night for a year succeeds with a chance of 96 * 365 / 2^30.2 = 1 in 36,000; at a
whole school, with the 8,640 wrong tries a day that a school is allowed, of 1 in 400.

Typing is forgiving and costs no strength, since every typed text still stands for one secret only: case,
accents, spaces and hyphens do not matter, four letters of a word are enough, and one slip in a word (a
letter more, less, other, or two swapped) is put right where only one word can be meant.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from rooms.accounts.wordlist import ADJECTIVES, ANIMALS, WORDS

__all__ = ["SECRET_BITS", "Card", "Choose", "Typed", "draw_password", "draw_secret", "draw_selector", "read"]

SECRET_WORDS: Final = 3
SECRET_BITS: Final = SECRET_WORDS * math.log2(len(WORDS))
LONGEST: Final = max(map(len, ADJECTIVES + ANIMALS + WORDS))
MAX_TYPED: Final = 120
"""Characters anybody may type as a card; no card is longer."""

Choose = Callable[[Sequence[str]], str]
"""Picks one of several at random, such as ``secrets.choice``."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card just drawn. The secret is known only now: the records keep its hash."""

    selector: str
    secret: str

    @property
    def code(self) -> str:
        return f"{self.selector}-{self.secret}"


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed, put right. What cannot be a card has a selector that no card has."""

    selector: str
    secret: str


def draw_selector(choose: Choose) -> str:
    """``adjective-animal``. The caller sees to it that it is free, or adds ``-2``, ``-3``, ..."""
    adjective, animal = choose(ADJECTIVES), choose(ANIMALS)
    return f"{adjective}-{animal}" if adjective != animal else draw_selector(choose)


def draw_secret(choose: Choose) -> str:
    """Three words, ``lemon-train-cloud``."""
    return "-".join(choose(WORDS) for _ in range(SECRET_WORDS))


def draw_password(choose: Choose) -> str:
    """Four words, ``lemon-train-cloud-river``: what an adult starts with."""
    return f"{draw_secret(choose)}-{choose(WORDS)}"


def read(text: str) -> Typed:
    """Reads what somebody typed or scanned. Never raises."""
    plain = _plain(text[:MAX_TYPED])
    tokens: list[str] = re.findall(r"[a-z]+|[0-9]+", plain)
    numbers = [token for token in tokens if token.isdigit()]
    letters = [token for token in tokens if not token.isdigit()]
    words = _correct(letters) or _split("".join(letters))
    if words is None or len(numbers) > 1:
        return Typed("? " + " ".join(tokens), plain)
    return Typed("-".join(words[:2] + numbers), "-".join(words[2:]))


_LISTS: Final = (ADJECTIVES, ANIMALS, WORDS, WORDS, WORDS)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _correct(tokens: Sequence[str]) -> list[str] | None:
    if len(tokens) != len(_LISTS):
        return None
    words = [_nearest(token, known) for token, known in zip(tokens, _LISTS, strict=True)]
    found = [word for word in words if word is not None]
    return found if len(found) == len(words) else None


def _split(text: str) -> list[str] | None:
    """The words of a card typed without spaces; None unless it can be read in exactly one way."""
    readings: list[tuple[list[str], str]] = [([], text)]
    for known in _LISTS:
        readings = [
            ([*words, rest[:length]], rest[length:])
            for words, rest in readings
            for length in range(3, min(LONGEST, len(rest)) + 1)
            if _by_prefix(known).get(rest[: min(4, length)]) == rest[:length]
        ]
    whole = [words for words, rest in readings if not rest]
    return whole[0] if len(whole) == 1 else None


@cache
def _by_prefix(known: tuple[str, ...]) -> dict[str, str]:
    return {word[:4]: word for word in known}


def _nearest(token: str, known: tuple[str, ...]) -> str | None:
    prefixes = _by_prefix(known)
    by_prefix = prefixes.get(token[:4])
    if by_prefix == token or (by_prefix and len(token) == 4):
        return by_prefix
    meant = {slip for slip in _slips(token) if prefixes.get(slip[:4]) == slip}
    if len(meant) == 1:
        return meant.pop()
    return by_prefix if not meant or by_prefix in meant else None


def _slips(word: str) -> set[str]:
    """Every text one slip of the finger away (Damerau), in either direction."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    return (
        {a + b[1:] for a, b in halves if b}
        | {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
        | {a + letter + b[1:] for a, b in halves if b for letter in letters}
        | {a + letter + b for a, b in halves for letter in letters}
    )
