"""Who wrote what, and undoing what one of them did; from the log, for a document itself names nobody.

Insertions carry the client id of their writer, deletions carry nobody: they belong to whoever was the first,
in the order of the log, to delete by name. Subjects are strings; who they are, others know.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from crdt.clocks import ClockSet
from crdt.codec import var_string, var_uint
from crdt.errors import Overtaken
from crdt.limits import STORED
from crdt.log import HistoryEntry
from crdt.replica import (
    COLLECTED,
    STRING,
    XML_ELEMENT,
    Id,
    Item,
    Place,
    Replica,
    read_items,
    text_content,
)
from crdt.update import ClockRange, read_update

__all__ = ["characters", "undo"]

_TEXT_TYPES: Final = frozenset({2, 4, 6})
"""Shared types that show nothing while nothing is in them: text, fragment, XML text."""
_NEVER_EMPTY: Final = frozenset(
    {
        "blockquote",
        "bullet_list",
        "list_item",
        "ordered_list",
        "table",
        "table_cell",
        "table_header",
        "table_row",
        "task_item",
        "task_list",
    }
)
"""Elements that editors remove when no element is in them."""
_MARK: Final = 21_078
"""An undo begins with so many collected clocks, and names among its deletions what it has put back. So the
next undo knows what is back already."""


def characters(updates: Iterable[bytes]) -> dict[int, int]:
    """How many characters of each client id a document shows, given as the updates it consists of."""
    deleted = ClockSet()
    pieces: dict[Id, Item] = {}
    for update in updates:
        for item in read_update(update, STORED).deletes:
            deleted.add(item)
        for piece in read_items(update):
            if piece.kind == STRING:
                pieces[piece.id] = piece
    counts: dict[int, int] = {}
    for piece in pieces.values():
        count = sum(_length(piece, part) for part in deleted.lacks(piece.range))
        if count:
            counts[piece.client] = counts.get(piece.client, 0) + count
    return counts


def _length(piece: Item, part: ClockRange) -> int:
    units = piece.units[2 * (part.start - piece.clock) : 2 * (part.end - piece.clock)]
    return len(units.decode("utf-16-le", "replace"))


def undo(
    snapshot: bytes | None,
    entries: Sequence[HistoryEntry],
    subject: str,
    since: float,
    *,
    client: int,
    undoers: Collection[str] = (),
    until: float = math.inf,
    seen: str | None = None,
) -> bytes | None:
    """The update, under the unused id `client`, that takes back what `subject` did from `since` to `until`.

    What they inserted is deleted, what they deleted of other people's or of earlier text comes back, formats
    and attributes too. Whatever others wrote stays, in what `subject` made around it if need be. None when
    there is nothing to take back.

    `entries` are all that the log still has, in its order; `snapshot` stands for what came before the first
    of them, and may stand for some of them too: only what was collected in it and is in no entry any more
    cannot come back. `undoers` are the subjects whose undoing counts as done; but what others have written
    meanwhile into what it deleted comes back. With `seen`, the fingerprint of a preview, just that is done.

    Raises Overtaken when that would be something else by now, and Malformed or LimitExceeded for what the log
    never can have held.
    """
    made = Undo(Deeds(snapshot, entries, (subject, since, until), undoers), client)
    update = made.update()
    if seen is not None and made.fingerprint != seen:
        raise Overtaken
    return update


class Deeds:
    """What the log says about who wrote and who deleted what."""

    def __init__(
        self,
        snapshot: bytes | None,
        entries: Sequence[HistoryEntry],
        whose: tuple[str, float, float],
        undoers: Collection[str],
    ) -> None:
        subject, since, until = whose
        self.updates = [entry.update for entry in entries] + ([] if snapshot is None else [snapshot])
        self.written = ClockSet()
        """What the subject wrote since then."""
        self.removed = ClockSet()
        """What the subject was the first to delete, since then."""
        self.removed_by_others = ClockSet()
        """What others were the first to delete, or the subject before that."""
        self.put_back = ClockSet()
        """What an undo has put back; its copies count instead."""
        self.deleted = ClockSet()
        self.undone: list[tuple[int, ClockSet]] = []
        """Of each undo the client id it was written under, and all that it has named."""
        known = ClockSet()
        for entry in entries:
            summary = read_update(entry.update, STORED)
            theirs = entry.subject == subject and since <= entry.at <= until
            for item in summary.writes:
                if theirs:
                    for part in list(known.lacks(item)):
                        self.written.add(part)
                known.add(item)
            undoing = entry.subject in undoers and _is_marked(entry.update)
            removed = self.removed if theirs else self.removed_by_others
            for item in summary.deletes:
                if item in self.deleted and not undoing:
                    continue
                new = list(self.deleted.lacks(item))
                for part in new:
                    for rest in list(self.written.lacks(part)) if undoing else [part]:
                        removed.add(rest)
                if undoing:
                    for part in ClockSet(new).lacks(item):
                        self.put_back.add(part)
                self.deleted.add(item)
            if undoing:
                self.undone.append((summary.writes[0].client, ClockSet(summary.deletes)))
        if snapshot is not None:
            for item in read_update(snapshot, STORED).deletes:
                for part in list(self.deleted.lacks(item)):
                    self.removed_by_others.add(part)
                self.deleted.add(item)

    @property
    def marked(self) -> list[ClockSet]:
        return [self.written, self.removed, self.removed_by_others, self.put_back]


def _is_marked(update: bytes) -> bool:
    first = next(read_items(update), None)
    return first is not None and (first.kind, first.clock, first.length) == (COLLECTED, 0, _MARK)


class Undo:
    """Compares the document as it is with the document as it would be without the deeds."""

    def __init__(self, deeds: Deeds, client: int) -> None:
        self.deeds = deeds
        self._replica = Replica(deeds.updates, deeds.marked)
        self._copy_of: dict[Id, Id] = {}
        self._originals: dict[Id, list[Item]] = {}
        """Of each copy of a type that an undo has made, the type itself: what that held beyond what was put
        back belongs into the copy."""
        if deeds.undone:
            self._follow_copies()
        self._deletes = ClockSet()
        self._writer = _Writer(client)

    def update(self) -> bytes | None:
        if not self.deeds.written and not self.deeds.removed:
            return None
        for place in self.roots:
            self._judge(place)
        for place in self.roots:
            self._revise(place)
        return self._writer.update(self._deletes)

    @property
    def roots(self) -> list[Place]:
        return list(self._replica.roots.values())

    def all_items(self) -> Iterator[Item]:
        for items in self._replica.clients.values():
            yield from items

    @property
    def fingerprint(self) -> str:
        """Of all that goes and all that comes back, once the update is made."""
        ranges = sorted((item.client, item.start, item.end) for item in self._deletes)
        return hashlib.sha256(repr(ranges).encode()).hexdigest()[:32]

    # Copies: what an undo has put back is still whose it was

    def _follow_copies(self) -> None:
        deeds = self.deeds
        for client, named in deeds.undone:
            for copy, original in self._copies(client, named):
                self._copy_of[original] = copy
                if ClockRange(original[0], original[1], original[1] + 1) in deeds.written:
                    deeds.written.add(ClockRange(copy[0], copy[1], copy[1] + 1))
        ends = [self._copy_of.get(item.last) for items in self._replica.clients.values() for item in items]
        borders = [(end[0], end[1] + 1) for end in ends if end is not None]
        self._replica = Replica(deeds.updates, deeds.marked, borders)
        for original, copy in self._copy_of.items():
            item = self._replica.starting.get(original)
            if item is not None and item.inside is not None:
                self._originals.setdefault(copy, []).append(item)

    def _copies(self, client: int, named: ClockSet) -> Iterator[tuple[Id, Id]]:
        """(copy, original) of each thing that an undo has put back."""
        starts: dict[Id, int] = {}
        for item in self._replica.clients.get(client, ()):
            if item.place is None or (item.place.owner is not None and item.place.owner.client == client):
                continue
            if item.right_origin is not None:
                of, clock = item.right_origin
                clock += item.clock - starts.setdefault(item.right_origin, item.clock)
                originals = [(of, clock + offset) for offset in range(item.length)]
            else:
                originals = _latest(item.left, self.deeds.put_back)
            yield from self._pairs([item], iter(originals), client, named)

    def _pairs(
        self, copies: Iterable[Item], originals: Iterator[Id], client: int, named: ClockSet
    ) -> Iterator[tuple[Id, Id]]:
        for copy in copies:
            for id, original in zip(_ids(copy), originals, strict=False):
                yield id, original
                source = self._replica.starting.get(original)
                if copy.inside is None or source is None or source.inside is None:
                    continue
                inside = [id for item in source.inside if item.range in named for id in _ids(item)]
                own = (item for item in copy.inside if item.client == client)
                yield from self._pairs(own, iter(inside), client, named)
                for key, last in copy.inside.keys.items():
                    value = _latest(source.inside.keys.get(key), named)
                    own = (item for item in _chain(last) if item.client == client)
                    yield from self._pairs(own, iter(value), client, named)

    # Judging: what would be there

    def _judge(self, place: Place) -> bool:
        """Decides what in a place is wanted; whether others have content there."""
        found = False
        for item in place:
            found |= self._is_wanted(item)
        for original in self._originals_of(place):
            for item in original:
                found |= self._is_wanted(item)
        for chain in self.chains(place).values():
            found |= self._judge_key(chain, place.owner)
        return found

    def _is_wanted(self, item: Item) -> bool:
        """Decides whether an item is wanted; whether it is, or holds, content of others."""
        if not item.has_content or self._is_gone(item):
            return False
        held = item.inside is not None and self._judge(item.inside)
        item.wanted = held or not self._is_theirs(item)
        if item.wanted and item.type_of == XML_ELEMENT:
            self._furnish(item)
        if self._is_theirs(item) or item.type_of in _TEXT_TYPES:
            return held
        return item.counts

    def _judge_key(self, chain: list[Item], owner: Item | None) -> bool:
        """Of what a key ever meant, one is wanted at most: the latest that is not theirs, unless somebody
        else has removed the key after that."""
        owned = owner is not None and self._is_theirs(owner)
        for item in chain:
            if self._is_put_back(item):
                continue
            if self._is_gone(item) or not item.has_content:
                return False
            if self._is_theirs(item) and not owned:
                continue
            item.wanted = True
            if item.inside is not None:
                self._judge(item.inside)
            is_attribute = owner is not None and owner.type_of == XML_ELEMENT
            return not self._is_theirs(item) and not is_attribute
        return False

    def _furnish(self, item: Item) -> None:
        """Leaves one of their elements, without its text, where an element must not be empty."""
        if item.name not in _NEVER_EMPTY or item.inside is None:
            return
        inside = [child for child in item.inside if child.type_of == XML_ELEMENT]
        if any(child.wanted for child in inside):
            return
        for child in inside:
            if self._is_theirs(child) and not self._is_gone(child):
                child.wanted = True
                self._furnish(child)
                return

    def _is_theirs(self, item: Item) -> bool:
        return item.range in self.deeds.written

    def _is_gone(self, item: Item) -> bool:
        """Whether others have deleted it, or an undo has put a copy in its place."""
        return item.range in self.deeds.removed_by_others or self._is_put_back(item)

    def _is_put_back(self, item: Item) -> bool:
        return item.range in self.deeds.put_back

    # What a place holds, and what belongs into it

    def _originals_of(self, place: Place) -> Iterator[Place]:
        """The places of which this one is the copy, or the copy of a copy."""
        for item in self._originals.get(place.owner.id, ()) if place.owner is not None else ():
            if item.inside is not None:
                yield item.inside
                yield from self._originals_of(item.inside)

    def items(self, place: Place) -> list[Item]:
        """The list of a place, and in it what is wanted of the originals and was not put back."""
        items = list(place)
        for original in self._originals_of(place):
            at = 0
            index = {item.last: number for number, item in enumerate(items, 1)}
            behind: list[tuple[int, Item]] = []
            for item in original:
                copy = self._copy_of.get(item.last)
                while copy is not None and copy not in index:
                    copy = self._copy_of.get(copy)
                if copy is not None:
                    at = index[copy]
                elif item.wanted:
                    behind.append((at, item))
            for number, item in reversed(behind):
                items.insert(number, item)
        return items

    def chains(self, place: Place) -> dict[str, list[Item]]:
        """All that each key of a place ever meant, the latest first."""
        chains = {key: list(_chain(last)) for key, last in place.keys.items()}
        for original in self._originals_of(place):
            for key, last in original.keys.items():
                chains.setdefault(key, []).extend(_chain(last))
        return chains

    # Revising: what has to change

    def is_dead(self, item: Item) -> bool:
        return not item.has_content or item.range in self.deeds.deleted

    def _revise(self, place: Place) -> None:
        """Makes a living place what it would be."""
        left: Id | None = None
        items = self.items(place)
        rights = _next_of(items, place)
        missing = [item.wanted and (item.place is not place or self.is_dead(item)) for item in items]
        for index, run in _runs(items, missing):
            first = run[0]
            if missing[index]:  # it goes to the left of what is left of it
                right = rights[index]
                parent = place.owner.id if place.owner is not None else None
                last = self._copy(run, left, right, parent)
                left = run[-1].last if first.place is place else last
                continue
            if not first.wanted:
                self._delete(first)
            elif first.inside is not None:
                self._revise(first.inside)
            left = first.last
        for key, chain in self.chains(place).items():
            self._revise_key(chain, place.keys.get(key), place)

    def _revise_key(self, chain: list[Item], last: Item | None, place: Place) -> None:
        if last is not None and last.wanted and not self.is_dead(last):
            if last.inside is not None:
                self._revise(last.inside)
            return
        if last is not None:
            self._delete(last)
        value = next((item for item in chain if item.wanted), None)
        if value is not None:
            parent = place.owner.id if place.owner is not None else None
            self._copy([value], last.last if last is not None else None, None, parent)

    def _copy(self, run: list[Item], origin: Id | None, right: Id | None, parent: Id | None) -> Id:
        """Writes a copy of the items, all of which is inside too. Returns its last id."""
        for item in run:
            self._deletes.add(item.range)
        first = run[0]
        content = first.content if len(run) == 1 else text_content(b"".join(item.units for item in run))
        length = sum(item.length for item in run)
        last = self._writer.add(first.kind, content, length, origin, right, parent, first.key)
        if first.inside is not None:
            self._copy_inside(first.inside, last)
        return last

    def _copy_inside(self, place: Place, parent: Id) -> None:
        last: Id | None = None
        wanted = [item for item in self.items(place) if item.wanted]
        for kind, group in groupby(wanted, key=lambda item: item.kind):
            items = list(group)
            for run in [items] if kind == STRING else [[item] for item in items]:
                last = self._copy(run, last, None, parent)
        for chain in self.chains(place).values():
            value = next((item for item in chain if item.wanted), None)
            if value is not None:
                self._copy([value], None, None, parent)

    def _delete(self, item: Item) -> None:
        """Deletes an item, and all that still lives in it."""
        if self.is_dead(item):
            return
        self._deletes.add(item.range)
        if item.inside is None:
            return
        for child in item.inside:
            self._delete(child)
        for last in item.inside.keys.values():
            self._delete(last)


def _ids(item: Item) -> list[Id]:
    return [(item.client, item.clock + offset) for offset in range(item.length)]


def _chain(last: Item | None) -> Iterator[Item]:
    """All that a key ever meant, the latest first."""
    while last is not None:
        yield last
        last = last.left


def _latest(last: Item | None, named: ClockSet) -> list[Id]:
    return next((_ids(item) for item in _chain(last) if item.range in named), [])


def _runs(items: list[Item], missing: list[bool]) -> Iterator[tuple[int, list[Item]]]:
    """The items one by one, but missing text together that was written at one go and stands in one place;
    with the number of the first."""
    index = 0
    while index < len(items):
        end = index + 1
        while (
            end < len(items) and missing[end - 1] and missing[end] and _continues(*items[end - 1 : end + 1])
        ):
            end += 1
        yield index, items[index:end]
        index = end


def _continues(one: Item, other: Item) -> bool:
    together = other.id == (one.client, one.clock + one.length)
    return one.kind == other.kind == STRING and one.place is other.place and together


def _next_of(items: list[Item], place: Place) -> list[Id | None]:
    """For each item the id of the first from there on that stands in the place itself."""
    found: list[Id | None] = []
    next: Id | None = None
    for item in reversed(items):
        if item.place is place:
            next = item.id
        found.append(next)
    return found[::-1]


class _Writer:
    """Writes items under one client id."""

    def __init__(self, client: int) -> None:
        self._client = client
        self._clock = _MARK
        self._items: list[bytes] = []

    def add(
        self,
        kind: int,
        content: bytes,
        length: int,
        origin: Id | None,
        right: Id | None,
        parent: Id | None,
        key: str | None,
    ) -> Id:
        """Returns the last id of what was added. Beside a neighbour neither parent nor key are written."""
        info = kind | (origin is not None) << 7 | (right is not None) << 6 | (key is not None) << 5
        parts = [bytes([info])]
        for id in (origin, right):
            if id is not None:
                parts += [var_uint(id[0]), var_uint(id[1])]
        if origin is None and right is None:
            assert parent is not None
            parts += [b"\x00", var_uint(parent[0]), var_uint(parent[1])]
            if key is not None:
                parts.append(var_string(key))
        self._items.append(b"".join((*parts, content)))
        self._clock += length
        return self._client, self._clock - 1

    def update(self, deletes: ClockSet) -> bytes | None:
        ranges: dict[int, list[ClockRange]] = {}
        for item in deletes:
            ranges.setdefault(item.client, []).append(item)
        if not ranges and not self._items:
            return None
        parts = [b"\x01", var_uint(len(self._items) + 1), var_uint(self._client), b"\x00"]
        parts += [bytes([COLLECTED]), var_uint(_MARK), *self._items, var_uint(len(ranges))]
        for client, items in ranges.items():
            parts += [var_uint(client), var_uint(len(items))]
            for item in items:
                parts += [var_uint(item.start), var_uint(item.end - item.start)]
        return b"".join(parts)
