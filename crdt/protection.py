"""Protected blocks: which items lie in one, and whether an update would touch any.

A protected block is a direct child of the page whose attribute `protected` says who may change it: somebody's
client id as decimal text, or `teachers`, as anything else does. For who may not, an update must not

    delete      the block, or anything in it
    write       anything into it, beside or inside of what it holds
    set         the attribute, but to a client id of their own and on a block whose element they wrote

A document in which nobody ever set the attribute pays for one search in the bytes of each update. In others
an index is made at the first question and kept up from then on, whoever writes. It knows of every item where
it lies, in runs, as `crdt.places` does: 0 is the list of the page, 1 is anywhere else, and of block number n
2 n is its inside and 2 n + 1 its attribute `protected`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from crdt.clocks import ClockSet
from crdt.codec import JsonValue, Reader
from crdt.engine import Engine, XmlNode, XmlRun
from crdt.ledger import Ledger
from crdt.limits import STORED
from crdt.nodes import FRAGMENT
from crdt.places import NOWHERE, Link, in_order
from crdt.surgery import reader_at_content
from crdt.update import ClockRange, Section, UpdateSummary, read_sections, read_update

__all__ = ["PROTECTED", "Mine", "Protection", "Verdict"]

PROTECTED: Final = "protected"
"""The attribute's name."""

Mine = Callable[[int], bool]
"""Whether a client id belongs to whoever asks."""

_KEY: Final = PROTECTED.encode()
_PAGE: Final = FRAGMENT.encode()
_EMPTY_VECTOR: Final = b"\x00"
_IN_PAGE: Final = 0
_ELSEWHERE: Final = 1
_DELETED: Final = 1
_FORMAT: Final = 6
_ANY: Final = 8
_SKIP: Final = 10

Id = tuple[int, int]


class Verdict(Enum):
    FREE = "free"
    PROTECTED = "protected"
    EARLY = "early"
    """It rests on something that is not here yet, so nobody can say."""


class Protection:
    """What is protected in one document."""

    def __init__(self) -> None:
        self._possible = False
        """Whether the attribute has ever been set."""
        self._index: _Index | None = None

    def note(self, update: bytes, summary: UpdateSummary, known: Ledger) -> None:
        """The engine has integrated the update, which `known` has not noted yet."""
        if self._index is not None:
            self._index.learn(update, summary, known.clocks)
        elif not self._possible and _KEY in update:
            self._possible = bool(_Look(update).keyed)

    def judge(self, update: bytes, summary: UpdateSummary, known: Ledger, mine: Mine) -> Verdict:
        """Whether a ready update leaves alone what is protected from others than `mine`.

        Raises Malformed("cycle") and EngineRefused.
        """
        if self._index is None:
            if not self._possible and not (_KEY in update and _Look(update).keyed):
                return Verdict.FREE
            self._possible = True
            index = _Index()
            state = known.engine.update_since(_EMPTY_VECTOR)
            index.learn(state, read_update(state, STORED), {})
            self._index = index
        self._index.review(known)
        if self._index.is_touched(update, summary, known, mine):
            return Verdict.PROTECTED
        gone = self._index.deleted_by(summary, known, mine)
        if gone and not (self._index.are_formats(gone) and _looks_the_same(known.engine, update, mine)):
            return Verdict.PROTECTED
        return Verdict.FREE


@dataclass(slots=True)
class _Look:
    """What the links of an update do not say of its structs."""

    update: bytes
    sections: dict[int, Section] = field(init=False)
    keyed: set[Id] = field(init=False, default_factory=set)
    """Those that name the attribute."""
    in_page: set[Id] = field(init=False, default_factory=set)
    """Those that name the page as what they hang in."""
    formats: list[ClockRange] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        update = self.update
        self.sections = {section.client: section for section in read_sections(update, STORED)}
        reader = Reader(update)
        for client, section in self.sections.items():
            for index, offset in enumerate(section.offsets[:-1]):
                info = update[offset]
                kind = info & 31
                if kind == _FORMAT:
                    self.formats.append(ClockRange(client, section.clocks[index], section.clocks[index + 1]))
                if info & 192 or kind in (0, _SKIP):
                    continue
                reader.position = offset + 1
                if reader.var_uint():
                    if reader.var_bytes() == _PAGE and not info & 32:
                        self.in_page.add((client, section.clocks[index]))
                    continue
                reader.var_uint()
                reader.var_uint()
                if info & 32 and reader.var_bytes() == _KEY:
                    self.keyed.add((client, section.clocks[index]))

    def structs(self, client: int, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """(first clock, length, offset) of each struct that reaches into these clocks."""
        section = self.sections[client]
        index = max(bisect_right(section.clocks, start) - 1, 0)
        while index < len(section.clocks) - 1 and section.clocks[index] < end:
            clock = section.clocks[index]
            yield clock, section.clocks[index + 1] - clock, section.offsets[index]
            index += 1

    def owner(self, offset: int) -> int | None:
        """The client id that the value of an attribute names; None for teachers."""
        if self.update[offset] & 31 != _ANY:
            return None
        reader = reader_at_content(self.update, offset)
        if reader.var_uint() != 1:
            return None
        value = reader.any(STORED)
        return _owner(value)


def _owner(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 16:
        return int(value) if value == str(int(value)) else None
    return None


class _Index:
    """Where every item lies, and which blocks are protected."""

    def __init__(self) -> None:
        self._runs: dict[int, tuple[list[int], list[int]]] = {}
        self._blocks: list[Id] = []
        """Number n, from 1, is at n - 1."""
        self._numbers: dict[Id, int] = {}
        self._formats = ClockSet()
        self._flags: dict[Id, tuple[int, int | None]] = {}
        """Of each attribute that may be living its block's number and whose it is."""
        self._marks = ClockSet()
        """The attributes and their blocks: when one is deleted, all are looked at again."""
        self._overwritten = True
        self._stale = True
        self._protected: dict[int, int | None] = {}
        self._heads: dict[int, list[int]] = {}
        """Clocks of the protected blocks themselves, by client id."""

    # Learning

    def learn(self, update: bytes, summary: UpdateSummary, clocks: Mapping[int, int]) -> None:
        """Takes in what an update writes beyond `clocks`."""
        look = _Look(update)
        self._place(summary.links, look, clocks)
        for item in look.formats:
            self._formats.add(item)
        for client, start, end, place in self._new_runs(summary, clocks):
            if place & 1 and place != _ELSEWHERE:
                for clock, length, offset in look.structs(client, start, end):
                    self._flag(client, clock, length, place >> 1, look.owner(offset))
        if not self._stale:
            self._stale = any(list(self._marks.lacks(item)) != [item] for item in summary.deletes)

    def _flag(self, client: int, clock: int, length: int, block: int, owner: int | None) -> None:
        self._overwritten = self._stale = True
        of, at = self._blocks[block - 1]
        self._marks.add(ClockRange(of, at, at + 1))
        if length == 1:  # longer ones are deleted already
            self._flags[client, clock] = block, owner
            self._marks.add(ClockRange(client, clock, clock + 1))

    def _place(self, links: Sequence[Link], look: _Look, clocks: Mapping[int, int]) -> set[int]:
        """Learns where new items lie. Returns the numbers of the blocks they say they have to do with."""
        beside: set[int] = set()
        ordered: Iterable[Link] = links
        if links and links[0].client != links[-1].client:
            ordered = in_order(links)
        for link in ordered:
            if link.clock >= clocks.get(link.client, 0):
                place = self._place_by(link, look, beside)
                starts, places = self._runs.setdefault(link.client, ([], []))
                if not places or places[-1] != place:
                    starts.append(link.clock)
                    places.append(place)
        return beside

    def _forget(self, links: Sequence[Link], clocks: Mapping[int, int], blocks: int) -> None:
        for client in {link.client for link in links}:
            if (run := self._runs.get(client)) is not None:
                keep = bisect_left(run[0], clocks.get(client, 0))
                del run[0][keep:], run[1][keep:]
        for id in self._blocks[blocks:]:
            del self._numbers[id]
        del self._blocks[blocks:]

    def _place_by(self, link: Link, look: _Look, beside: set[int]) -> int:
        client, clock, of_client, of_clock, step, right_client, right_clock, *_ = link
        if of_client == NOWHERE and right_client == NOWHERE:
            return _IN_PAGE if (client, clock) in look.in_page else _ELSEWHERE
        place = self._place_of(of_client, of_clock) if of_client != NOWHERE else _ELSEWHERE
        if step:
            if place == _IN_PAGE:
                place = self._number((of_client, of_clock)) * 2 | ((client, clock) in look.keyed)
            elif place != _ELSEWHERE:
                place &= ~1
        beside.add(place >> 1)
        if right_client != NOWHERE:
            right = self._place_of(right_client, right_clock)
            beside.add(right >> 1)
            if place == _ELSEWHERE:  # what is collected on the left says nothing
                place = right
        return place

    def _place_of(self, client: int, clock: int) -> int:
        run = self._runs.get(client)
        index = bisect_right(run[0], clock) if run is not None else 0
        return run[1][index - 1] if run is not None and index else _ELSEWHERE

    def _number(self, block: Id) -> int:
        number = self._numbers.get(block)
        if number is None:
            self._blocks.append(block)
            number = self._numbers[block] = len(self._blocks)
        return number

    def _new_runs(
        self, summary: UpdateSummary, clocks: Mapping[int, int]
    ) -> Iterator[tuple[int, int, int, int]]:
        """(client, start, end, place) of what the update writes beyond `clocks`."""
        for written in summary.writes:
            start = max(written.start, clocks.get(written.client, 0))
            for run in self._runs_in(written.client, start, written.end):
                yield written.client, *run

    def _runs_in(self, client: int, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        starts, places = self._runs.get(client, ((), ()))
        index = max(bisect_right(starts, start) - 1, 0)
        while index < len(starts) and starts[index] < end:
            until = starts[index + 1] if index + 1 < len(starts) else end
            if start < (border := min(until, end)):
                yield max(starts[index], start), border, places[index]
            index += 1

    # What is protected

    def review(self, known: Ledger) -> None:
        """Looks again which attributes live, if that may have changed."""
        if not self._stale:
            return
        if self._overwritten:
            known.learn_deletions()  # of several values of one attribute, all but the one that counts
        self._overwritten = self._stale = False
        self._protected.clear()
        heads: dict[int, list[int]] = {}
        for id, (number, owner) in tuple(self._flags.items()):
            block = self._blocks[number - 1]
            if any(ClockRange(client, clock, clock + 1) in known.deleted for client, clock in (id, block)):
                del self._flags[id]
                continue
            self._protected[number] = owner
            heads.setdefault(block[0], []).append(block[1])
        self._heads = {client: sorted(clocks) for client, clocks in heads.items()}

    def _is_foreign(self, block: int, mine: Mine) -> bool:
        if block not in self._protected:
            return False
        owner = self._protected[block]
        return owner is None or not mine(owner)

    # What an update would do

    def is_touched(self, update: bytes, summary: UpdateSummary, known: Ledger, mine: Mine) -> bool:
        """Whether the update writes into what is protected from others than `mine`, or protects what they
        may not protect."""
        if not summary.writes:
            return False
        look, blocks = _Look(update), len(self._blocks)
        try:
            beside = self._place(summary.links, look, known.clocks)
            if any(self._is_foreign(block, mine) for block in beside):
                return True
            for client, start, end, place in self._new_runs(summary, known.clocks):
                if self._is_foreign(place >> 1, mine):
                    return True
                if place & 1 and place != _ELSEWHERE:
                    if not mine(self._blocks[(place >> 1) - 1][0]):
                        return True
                    for *_, offset in look.structs(client, start, end):
                        owner = look.owner(offset)
                        if update[offset] & 31 != _DELETED and (owner is None or not mine(owner)):
                            return True
            return False
        finally:
            self._forget(summary.links, known.clocks, blocks)

    def deleted_by(self, summary: UpdateSummary, known: Ledger, mine: Mine) -> list[ClockRange]:
        """What the update deletes that lives and is protected from others than `mine`."""
        if not summary.deletes or not self._protected:
            return []
        foreign = {block for block in self._protected if self._is_foreign(block, mine)}
        found = [
            item
            for deleted in summary.deletes
            for part in known.deleted.lacks(deleted)
            for item in self._of_blocks(part, foreign)
        ]
        if found:
            known.learn_deletions()
        return [part for item in found for part in known.deleted.lacks(item)]

    def _of_blocks(self, item: ClockRange, blocks: set[int]) -> Iterator[ClockRange]:
        client = item.client
        for start, end, place in self._runs_in(client, item.start, item.end):
            if place >> 1 in blocks:
                yield ClockRange(client, start, end)
            elif place == _IN_PAGE and client in self._heads:
                heads = self._heads[client]
                for clock in heads[bisect_left(heads, start) : bisect_left(heads, end)]:
                    if self._numbers[client, clock] in blocks:
                        yield ClockRange(client, clock, clock + 1)

    def are_formats(self, items: Iterable[ClockRange]) -> bool:
        """Whether they only say how text looks. Every Yjs tidies such up where they say nothing new, also in
        text of others."""
        return all(item in self._formats for item in items)


def _looks_the_same(engine: Engine, update: bytes, mine: Mine) -> bool:
    after = Engine(engine.update_since(_EMPTY_VECTOR))
    after.apply(update)
    return _foreign_blocks(engine, mine) == _foreign_blocks(after, mine)


def _foreign_blocks(engine: Engine, mine: Mine) -> list[object]:
    found: list[object] = []
    for node in engine.xml(FRAGMENT):
        if isinstance(node, XmlNode) and PROTECTED in node.attributes:
            owner = _owner(node.attributes[PROTECTED])
            if owner is None or not mine(owner):
                found.append(_shown(node))
    return found


def _shown(node: XmlNode) -> tuple[str, Mapping[str, JsonValue], list[object]]:
    """A node, with neighbouring text of one format in one piece."""
    children: list[object] = []
    last: XmlRun | None = None
    for child in node.children:
        if isinstance(child, XmlNode):
            children.append(_shown(child))
            last = None
            continue
        if last is not None and last.formats == child.formats:
            child = XmlRun(last.text + child.text, child.formats)
            children.pop()
        children.append(child)
        last = child
    return node.name, node.attributes, children
