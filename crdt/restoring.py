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
_HARMLESS: Final = re.compile(
    rb"\x01\x01((?:%b){2})(?:\x84(?:%b){2}|\xc4(?:%b){4})\x01[\x00-\x7f]\x00|\x00.*" % (3 * (_VAR_UINT,)),
    re.DOTALL,
)
_PAIR: Final = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")
_MERGED: Final = Limits(merge=50)
_MOST_TOGETHER: Final = 1000


def may_hold_pairs(update: bytes) -> bool:
    """Whether an update may write surrogate pairs; what looks like one may be a number."""
    return _PAIR.search(update) is not None


def together(updates: Iterable[bytes]) -> Iterator[bytes]:
    """`updates` with neighbours merged that are never refused: one letter beside another item, or deletions.

    A letter is as deep as the items beside it and is no long map entry, so it is all one in which order they
    come. Of two with the same id the first counts, which merging would not see to. Raises EngineRefused.
    """
    harmless: list[bytes] = []
    letters: set[bytes] = set()
    for update in updates:
        found = _HARMLESS.fullmatch(update)
        letter = found and found[1]
        if harmless and (found is None or letter in letters or len(harmless) == _MOST_TOGETHER):
            yield merge(harmless, _MERGED)
            harmless.clear()
            letters.clear()
        if found is None:
            yield update
            continue
        harmless.append(update)
        if letter:
            letters.add(letter)
    if harmless:
        yield merge(harmless, _MERGED)


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
