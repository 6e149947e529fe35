"""What a space's filters find in a text before others read it: ways to meet elsewhere, and listed words.

The words in ``filter_words.json`` are a start, a few mild insults in seven languages; an installation
writes its own into that file, in any language, and the admins of a space add more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from rooms.safety.contacts import contacts, normal_domain
from rooms.safety.folding import fold
from rooms.safety.wordmatch import LONGEST_WORD, Lexicon

__all__ = [
    "CONTACT_KINDS",
    "MOST_DOMAINS",
    "MOST_WORDS",
    "FilterAction",
    "FilterRules",
    "FilterWord",
    "Finding",
    "examine",
    "strictest",
]

CONTACT_KINDS: Final = ("phone", "email", "handle", "link", "address")
MOST_WORDS: Final = 1_000
"""That the admins of a space may add."""
MOST_DOMAINS: Final = 200

_DOMAINS: Final = ("europa.eu", "etwinning.net", "eun.org", "salto-youth.net", "scientix.eu")
"""The Commission's, and those of the programme's own offices: open to links in every space."""


class FilterAction(StrEnum):
    """What becomes of a post in which something is found. Ordered: the last is the strictest."""

    FLAG = "flag"
    """It appears, and teachers are told."""
    HOLD = "hold"
    """It waits for a teacher."""
    BLOCK = "block"
    """It is not taken."""


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    """phone, email, handle, link, address or word."""
    action: FilterAction
    start: int
    end: int
    """``text[start:end]`` of the text as it was given."""


@dataclass(frozen=True, slots=True)
class FilterWord:
    text: str
    """A word or some words; with ``*`` at the end, whatever begins so."""
    action: FilterAction = FilterAction.HOLD
    language: str = ""
    """Whose spelling says which accents count; without one, none do."""


@dataclass(frozen=True, slots=True)
class FilterRules:
    """What is looked for in a space, and what is done about it. ``None``: that is not looked for."""

    phone: FilterAction | None = FilterAction.HOLD
    email: FilterAction | None = FilterAction.HOLD
    handle: FilterAction | None = FilterAction.HOLD
    link: FilterAction | None = FilterAction.HOLD
    address: FilterAction | None = FilterAction.HOLD
    domains: tuple[str, ...] = ()
    """Links to these and what is below them are open, beside those that are open everywhere."""
    words: tuple[FilterWord, ...] = ()
    """Beside those of the installation."""

    @classmethod
    def of(cls, stored: Mapping[str, object]) -> FilterRules:
        """From the space's records. What is unknown or makes no sense is ignored, never what is strict."""
        actions = {
            kind: None if stored[kind] == "off" else _action(stored[kind])
            for kind in CONTACT_KINDS
            if kind in stored
        }
        domains = [normal_domain(each) for each in _list(stored.get("domains")) if isinstance(each, str)]
        words = [_word(each) for each in _list(stored.get("words")) if isinstance(each, Mapping)]
        return cls(
            **actions,
            domains=tuple(dict.fromkeys(each for each in domains if each))[:MOST_DOMAINS],
            words=tuple(each for each in words if each.text.strip())[:MOST_WORDS],
        )

    def to_json(self) -> dict[str, object]:
        return {
            **{kind: self.action(kind) or "off" for kind in CONTACT_KINDS},
            "domains": list(self.domains),
            "words": [
                {"text": each.text, "action": each.action.value, "language": each.language}
                for each in self.words
            ],
        }

    def action(self, kind: str) -> FilterAction | None:
        """What is done about a kind of contact."""
        action: FilterAction | None = getattr(self, kind)
        return action

    def with_pupils(self) -> FilterRules:
        """The same, with ways to meet elsewhere held at least."""
        return replace(
            self,
            phone=_at_least_held(self.phone),
            email=_at_least_held(self.email),
            handle=_at_least_held(self.handle),
            link=_at_least_held(self.link),
            address=_at_least_held(self.address),
        )


def examine(text: str, rules: FilterRules) -> list[Finding]:
    """All that the rules find in a text, in order. The time it takes grows with the text, and no faster."""
    folded = fold(text)
    findings = set()
    for kind, start, end in contacts(text, folded, (*_DOMAINS, *rules.domains)):
        action = rules.action(kind)
        if action is not None:
            findings.add(Finding(kind, action, start, end))
    words, lexicon = _lexicon(rules.words)
    for index, start, end in lexicon.find(folded):
        findings.add(Finding("word", words[index].action, *folded.span(start, end)))
    return sorted(findings, key=lambda each: (each.start, each.end, each.kind, each.action))


def strictest(findings: Iterable[Finding]) -> FilterAction | None:
    """What has to be done about all of them together."""
    return max((each.action for each in findings), key=_strictness, default=None)


def _strictness(action: FilterAction) -> int:
    return list(FilterAction).index(action)


def _at_least_held(action: FilterAction | None) -> FilterAction:
    return FilterAction.HOLD if action is None else max(action, FilterAction.HOLD, key=_strictness)


@lru_cache(maxsize=64)
def _lexicon(words: tuple[FilterWord, ...]) -> tuple[tuple[FilterWord, ...], Lexicon]:
    """The installation's words and these, ready to be looked for."""
    together = (*_installed(), *words)
    return together, Lexicon([(each.text, each.language) for each in together])


@cache
def _installed() -> tuple[FilterWord, ...]:
    listed = json.loads(Path(__file__).with_name("filter_words.json").read_text("utf-8"))
    return tuple(_word(each) for each in listed["words"])


def _word(stored: Mapping[str, object]) -> FilterWord:
    language = stored.get("language")
    return FilterWord(
        str(stored.get("text", ""))[: 4 * LONGEST_WORD],
        _action(stored.get("action")),
        language if isinstance(language, str) else "",
    )


def _action(stored: object) -> FilterAction:
    """What is not one of them is held: the word or kind was listed for a reason."""
    return next((each for each in FilterAction if each == stored), FilterAction.HOLD)


def _list(stored: object) -> list[object]:
    return stored if isinstance(stored, list) else []
