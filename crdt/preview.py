"""What an undo would take away and bring back, block by block: looked up in the undo itself."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from crdt.clocks import ClockSet
from crdt.history import Deeds, Undo
from crdt.limits import STORED
from crdt.log import HistoryEntry
from crdt.replica import FORMAT, STRING, XML_ELEMENT, Item, Place
from crdt.update import read_update

__all__ = ["Block", "Fate", "Piece", "Preview", "preview"]

MOST_BLOCKS: Final = 40
LONGEST: Final = 1_000
"""Characters of one piece that goes or comes back."""
AROUND: Final = 40
"""Characters of what stays, on either side of what does not."""
CUT: Final = " … "
_BETWEEN_LINES: Final = frozenset({"hard_break"})


class Fate(StrEnum):
    STAYS = "stays"
    GOES = "goes"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Piece:
    fate: Fate
    text: str
    node: str = ""
    """Instead of text: the kind of a thing without words, such as an image."""


@dataclass(frozen=True, slots=True)
class Block:
    """What stands at the top of the document."""

    node: str
    """Such as paragraph or bullet_list."""
    pieces: list[Piece]
    look: bool
    """How something looks changes too: formats, attributes."""
    by_others: int
    """Characters that others have written in it since then; they stay."""

    @property
    def changes(self) -> bool:
        return self.look or any(piece.fate is not Fate.STAYS for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Preview:
    blocks: list[Block]
    more: int
    """How many further blocks change."""
    gone_already: int
    """Characters of the person that others have deleted already."""
    fingerprint: str
    """Of all this, for `crdt.history.undo`; empty when there is nothing to take back."""


def preview(
    snapshot: bytes | None,
    entries: Sequence[HistoryEntry],
    subject: str,
    since: float,
    *,
    undoers: Collection[str] = (),
    until: float = math.inf,
    everything: bool = False,
) -> Preview:
    """What `crdt.history.undo` would do with the same arguments. With ``everything`` whole, also what stays.

    Raises what that raises.
    """
    deeds = Deeds(snapshot, entries, (subject, since, until), undoers)
    made = Undo(deeds, _unused(entries))
    if made.update() is None:
        return Preview([], 0, _gone_already(made), "")
    others = _written_by_others(deeds, entries, subject, since)
    blocks = [block for place in made.roots for block in _Look(made, others).blocks(place)]
    if not everything:
        blocks = [_brief(block) for block in blocks if block.changes]
    shown = blocks if everything else blocks[:MOST_BLOCKS]
    return Preview(shown, len(blocks) - len(shown), _gone_already(made), made.fingerprint)


def _unused(entries: Sequence[HistoryEntry]) -> int:
    """Nothing is written under it."""
    return (
        max(
            (item.client for entry in entries for item in read_update(entry.update, STORED).writes), default=0
        )
        + 1
    )


def _written_by_others(deeds: Deeds, entries: Sequence[HistoryEntry], subject: str, since: float) -> ClockSet:
    found = ClockSet()
    for entry in entries:
        if entry.subject != subject and entry.at >= since:
            for item in read_update(entry.update, STORED).writes:
                for part in list(deeds.written.lacks(item)):
                    found.add(part)
    for client, _ in deeds.undone:
        found = ClockSet(item for item in found if item.client != client)
    return found


def _gone_already(made: Undo) -> int:
    deeds = made.deeds
    return sum(
        len(_words(item.units))
        for item in made.all_items()
        if item.kind == STRING
        and item.range in deeds.written
        and item.range in deeds.removed_by_others
        and item.range not in deeds.put_back
    )


def _words(units: bytes | bytearray) -> str:
    return units.decode("utf-16-le", "replace")


@dataclass(slots=True)
class _Draft:
    pieces: list[tuple[Fate, bytearray, str]] = field(default_factory=list)
    look: bool = False
    by_others: int = 0

    def text(self, fate: Fate, units: bytes) -> None:
        if self.pieces and self.pieces[-1][0] is fate and not self.pieces[-1][2]:
            self.pieces[-1][1].extend(units)
        else:
            self.pieces.append((fate, bytearray(units), ""))

    def line(self, fate: Fate) -> None:
        """What follows stands below what came before."""
        if self.pieces:
            self.text(fate, "\n".encode("utf-16-le"))

    def thing(self, fate: Fate, node: str) -> None:
        self.pieces.append((fate, bytearray(), node))


class _Look:
    """Looks through the undo's own items: what is wanted, what is there."""

    def __init__(self, made: Undo, others: ClockSet) -> None:
        self._made = made
        self._others = others

    def blocks(self, root: Place) -> Iterator[Block]:
        for item in self._made.items(root):
            fate = self._fate(item, root, None)
            if fate is None or not item.counts:
                continue
            draft = _Draft()
            self._item(item, fate, draft, top=True)
            pieces = [Piece(fate, _words(units), node) for fate, units, node in draft.pieces]
            name = item.name if item.type_of == XML_ELEMENT else ""
            if fate is not Fate.STAYS and not pieces:
                pieces = [Piece(fate, "", name)]
            yield Block(name, pieces, draft.look, draft.by_others)

    def _fate(self, item: Item, place: Place, above: Fate | None) -> Fate | None:
        """None: it is not to be seen, neither before nor after."""
        there = item.place is place and not self._made.is_dead(item)
        if above is Fate.GOES:
            return Fate.GOES if there else None
        if above is Fate.BACK:
            return Fate.BACK if item.wanted else None
        if item.wanted:
            return Fate.STAYS if there else Fate.BACK
        return Fate.GOES if there else None

    def _item(self, item: Item, fate: Fate, draft: _Draft, *, top: bool = False) -> None:
        if item.kind == STRING:
            draft.text(fate, item.units)
            if fate is Fate.STAYS:
                range = item.range
                lacking = sum(part.end - part.start for part in self._others.lacks(range))
                draft.by_others += item.length - lacking
        elif item.kind == FORMAT:
            draft.look |= fate is not Fate.STAYS
        elif item.inside is None:
            draft.thing(fate, "")
        else:
            self._inside(item, item.inside, fate, draft, top)

    def _inside(self, item: Item, place: Place, fate: Fate, draft: _Draft, top: bool) -> None:
        seen = [
            (child, its)
            for child in self._made.items(place)
            if (its := self._fate(child, place, fate)) is not None
        ]
        if item.type_of == XML_ELEMENT and not top:
            if item.name in _BETWEEN_LINES:
                draft.line(fate)
                return
            if not seen:
                draft.thing(fate, item.name)
                return
            draft.line(fate)
        for child, its in seen:
            self._item(child, its, draft)
        if fate is Fate.STAYS:
            draft.look |= any(
                self._turns(chain, place.keys.get(key)) for key, chain in self._made.chains(place).items()
            )

    def _turns(self, chain: list[Item], last: Item | None) -> bool:
        """Whether a key comes to mean something else."""
        there = last is not None and not self._made.is_dead(last)
        if there and last is not None and last.wanted:
            return False
        return there or any(item.wanted for item in chain)


def _brief(block: Block) -> Block:
    """The block with as much of what stays as is needed to know where one is."""
    last = len(block.pieces) - 1
    pieces = []
    for index, piece in enumerate(block.pieces):
        text = piece.text
        if piece.fate is not Fate.STAYS:
            text = text if len(text) <= LONGEST else text[:LONGEST] + CUT
        elif len(text) > 2 * AROUND + len(CUT):
            start = "" if index == 0 else text[:AROUND]
            end = "" if index == last else text[-AROUND:]
            text = start + CUT + end
        pieces.append(Piece(piece.fate, text, piece.node))
    return Block(block.node, pieces, block.look, block.by_others)
