"""Who wrote what, what the server acknowledged, and what readers were shown: the account a crash is held to.

Every edit is a tag of its own, written into a document once and perhaps erased later by its writer, so a loss
shows in the content itself: a tag that is missing, that is there again after it was erased, or twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pycrdt import Array, Doc, Map, Text

__all__ = ["ARRAY", "MAP", "TEXT", "Act", "Ledger", "Losses", "content", "described", "tags_in"]

TEXT, ARRAY, MAP = "text", "array", "map"
"""Root types; tags lie in brackets in the text, as items of the array, as keys of the map."""

_TAG = re.compile(r"\[([^\[\]]*)\]")


class Act(StrEnum):
    WRITE = "write"
    ERASE = "erase"


def tags_in(doc: Doc[Any]) -> Counter[str]:
    """How often each tag is in a document. What is left of a damaged tag counts as one of its own."""
    text = str(doc.get(TEXT, type=Text))
    found = Counter(_TAG.findall(text))
    if rest := _TAG.sub("", text):
        found[f"damaged:{rest}"] += 1
    found.update(doc.get(ARRAY, type=Array))
    found.update(doc.get(MAP, type=Map).keys())
    return found


def content(doc: Doc[Any]) -> tuple[str, list[str], dict[str, bool]]:
    """All that is in a document, in its order, to compare it with another."""
    array, entries = doc.get(ARRAY, type=Array), doc.get(MAP, type=Map)
    return str(doc.get(TEXT, type=Text)), list(array), dict(entries.items())


@dataclass(slots=True)
class _Tag:
    """One tag's life. "Shown" is to another client than its writer's."""

    done: dict[Act, bool] = field(default_factory=dict)
    """Acts tried, and whether they were acknowledged."""
    shown: set[Act] = field(default_factory=set)


@dataclass(slots=True)
class Losses:
    """What is wrong in a document that was read back."""

    acknowledged: set[tuple[Act, str]] = field(default_factory=set)
    """Acts that had been acknowledged and are undone."""
    shown: set[tuple[Act, str]] = field(default_factory=set)
    """Acts that a reader had been shown and that are undone."""
    strange: set[str] = field(default_factory=set)
    """Tags there twice, damaged, or never written by anybody."""

    def __bool__(self) -> bool:
        return bool(self.acknowledged or self.shown or self.strange)

    def update(self, other: Losses) -> None:
        self.acknowledged |= other.acknowledged
        self.shown |= other.shown
        self.strange |= other.strange


class Ledger:
    """The account of one document."""

    def __init__(self) -> None:
        self._tags: dict[str, _Tag] = {}
        self.acknowledged = 0
        """Acts acknowledged so far."""
        self.shown = 0
        """Acts that some other client has seen, as far as looked at."""

    def tried(self, act: Act, tag: str) -> None:
        """A client has written or erased the tag in its own document."""
        self._tags.setdefault(tag, _Tag()).done[act] = False

    def acknowledge(self, act: Act, tag: str) -> None:
        """The server has said that it has this act."""
        self._tags[tag].done[act] = True
        self.acknowledged += 1

    def show(self, act: Act, tags: Iterable[str]) -> None:
        """A client other than the writer's has these tags before it (WRITE), or has them no more (ERASE)."""
        for tag in tags:
            known = self._tags.get(tag)
            if known is not None and act not in known.shown:
                known.shown.add(act)
                self.shown += 1

    def losses(self, found: Counter[str]) -> Losses:
        """Holds a document's tags to the account.

        An act that was tried and neither acknowledged nor shown may have happened or not.
        """
        losses = Losses()
        for tag, known in self._tags.items():
            undone = Act.ERASE if tag in found else None if Act.ERASE in known.done else Act.WRITE
            if undone is None:
                continue
            if known.done.get(undone):
                losses.acknowledged.add((undone, tag))
            if undone in known.shown:
                losses.shown.add((undone, tag))
        losses.strange = {tag for tag, times in found.items() if times > 1 or tag not in self._tags}
        return losses


def described(losses: Losses, document: str, when: str) -> str:
    """The first of what was lost, in a sentence."""
    parts = []
    for what, lost in (("acknowledged", losses.acknowledged), ("shown", losses.shown)):
        for act, tag in sorted(lost)[:5]:
            parts.append(f"{tag}: its {act} was {what}, and is undone")
    parts += [f"{tag}: twice, damaged or from nowhere" for tag in sorted(losses.strange)[:5]]
    return f"First loss {when}, document {document}: " + "; ".join(parts)
