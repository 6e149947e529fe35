"""A stored document on its way back into memory: the engine gets it at once, and what it says is read later.

The engine takes a fraction of the time that reading takes. But it must not be given what was refused when
its turn came, and an update that had waited for a predecessor may have been: it is in the log all the same.
So of each update it is asked whether it waits; what does not was accepted once, in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from crdt.engine import merge
from crdt.ledger import Ledger
from crdt.limits import STORED, Limits
from crdt.protection import Protection
from crdt.update import read_update

__all__ = ["Lesson", "may_hold_pairs", "study", "together"]

_VAR_UINT: Final = rb"(?:[\x80-\xff]*[\x01-\x7f]|\x00)"
_LETTERS: Final = re.compile(
    rb"\x01(%b)(%b)(%b)(?:(?:\x84(?:%b){2}|\xc4(?:%b){4})\x01[\x00-\x7f])+\x00" % (5 * (_VAR_UINT,))
)
"""Structs of one client id, each a letter beside another item: how many, whose, and from which clock on."""
_PAIR: Final = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")
_MERGED: Final = Limits(merge=50)
_BYTES_TOGETHER: Final = 8192
"""What the engine integrates in about linear time: it joins letters with what came before one by one."""


def may_hold_pairs(update: bytes) -> bool:
    """Whether an update may write surrogate pairs; what looks like one may be a number."""
    return _PAIR.search(update) is not None


def together(updates: Iterable[bytes]) -> Iterator[bytes]:
    """`updates` with neighbours merged that are never refused: letters beside other items, and deletions.

    A letter is as deep as the items beside it and is no long map entry, so it is all one in which order they
    come. Of two with the same id the first counts, which merging would not see to: those of one client id
    have to follow each other. Raises EngineRefused.
    """
    group = _Group()
    for update in updates:
        if group.takes(update):
            continue
        if group.updates:
            yield group.merged()
            group = _Group()
            if group.takes(update):
                continue
        yield update
    if group.updates:
        yield group.merged()


class _Group:
    """Updates to be merged."""

    def __init__(self) -> None:
        self.updates: list[bytes] = []
        self._size = 0
        self._ends: dict[bytes, int] = {}

    def takes(self, update: bytes) -> bool:
        """Takes one in if it goes together with the others."""
        if self._size > _BYTES_TOGETHER:
            return False
        if not update.startswith(b"\x00"):
            letters = _LETTERS.fullmatch(update)
            if letters is None:
                return False
            count, client, clock = letters.groups()
            start = _number(clock)
            if self._ends.get(client, start) != start:
                return False
            self._ends[client] = start + _number(count)
        self.updates.append(update)
        self._size += len(update)
        return True

    def merged(self) -> bytes:
        return merge(self.updates, _MERGED)


def _number(var_uint: bytes) -> int:
    value = 0
    for byte in reversed(var_uint):
        value = value << 7 | byte & 127
    return value


class Lesson(NamedTuple):
    """What restored updates say."""

    known: Ledger
    """Without its engine."""
    protection: Protection
    structs: int


def study(restored: Sequence[bytes], limits: Limits) -> Lesson:
    """Reads what the engine has integrated, in this order. Belongs to no thread.

    Raises Malformed and LimitExceeded for what the log never can have held.
    """
    known, protection, structs = Ledger(limits), Protection(), 0
    for update in restored:
        summary = read_update(update, STORED)
        if known.adds_nothing(summary):
            continue
        structs += summary.structs
        protection.note(update, summary, known)
        known.learn(summary)
    return Lesson(known, protection, structs)
