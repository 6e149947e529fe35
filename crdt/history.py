"""Who wrote what, and undoing what one of them did; from the log, for a document itself names nobody.

Insertions carry the client id of their writer, deletions carry nobody: they belong to whoever was the first,
in the order of the log, to delete by name. Subjects are strings; who they are, others know.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from crdt.clocks import ClockSet
from crdt.codec import var_string, var_uint
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
) -> bytes | None:
    """The update, under the unused id `client`, that takes back what `subject` did from `since` to `until`.

    What they inserted is deleted, what they deleted of other people's or of earlier text comes back, formats
    and attributes too. Whatever others wrote stays, in what `subject` made around it if need be. None when
    there is nothing to take back.

    `entries` are all that the log still has, in its order; `snapshot` stands for what came before the first
    of them, and may stand for some of them too: only what was collected in it and is in no entry any more
    cannot come back. `undoers` are the subjects whose undoing counts as done; but what others have written
    meanwhile into what it deleted comes back.

    Raises Malformed or LimitExceeded for what the log never can have held.
    """
    deeds = _Deeds(snapshot, entries, (subject, since, until), undoers)
    if not deeds.written and not deeds.removed:
        return None
    return _Undo(deeds, client).update()


class _Deeds:
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


class _Undo:
    """Compares the document as it is with the document as it would be without the deeds."""

    def __init__(self, deeds: _Deeds, client: int) -> None:
        self._deeds = deeds
        self._replica = Replica(deeds.updates, deeds.marked)
        if self._inherit():
            self._replica = Replica(deeds.updates, deeds.marked)
        self._deletes = ClockSet()
        self._writer = _Writer(client)

    def update(self) -> bytes | None:
        for place in self._replica.roots.values():
            self._judge(place)
        for place in self._replica.roots.values():
            self._revise(place)
        return self._writer.update(self._deletes)

    # Copies: what an undo has put back is still whose it was

    def _inherit(self) -> bool:
        """Learns which copies are of what the subject wrote; whether there are any."""
        written = self._deeds.written
        found = False
        for client, named in self._deeds.undone:
            for copy, original in self._copies(client, named):
                if ClockRange(original[0], original[1], original[1] + 1) in written:
                    written.add(ClockRange(copy[0], copy[1], copy[1] + 1))
                    found = True
        return found

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
                originals = _latest(item.left, self._deeds.put_back)
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
        for last in place.keys.values():
            found |= self._judge_key(last, place)
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

    def _judge_key(self, last: Item, place: Place) -> bool:
        """Of what a key ever meant, one is wanted at most: the latest that is not theirs, unless somebody
        else has removed the key after that."""
        item: Item | None = last
        owned = place.owner is not None and self._is_theirs(place.owner)
        while item is not None and self._is_theirs(item) and not self._is_gone(item) and not owned:
            item = item.left
        if item is None or self._is_gone(item) or not item.has_content:
            return False
        item.wanted = True
        if item.inside is not None:
            self._judge(item.inside)
        is_attribute = place.owner is not None and place.owner.type_of == XML_ELEMENT
        return not self._is_theirs(item) and not is_attribute

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
        return item.range in self._deeds.written

    def _is_gone(self, item: Item) -> bool:
        """Whether others have deleted it, or an undo has put a copy in its place."""
        return item.range in self._deeds.removed_by_others or item.range in self._deeds.put_back

    # Revising: what has to change

    def _is_dead(self, item: Item) -> bool:
        return not item.has_content or item.range in self._deeds.deleted

    def _revise(self, place: Place) -> None:
        """Makes a living place what it would be."""
        run: list[Item] = []
        for item in place:
            back = item.wanted and self._is_dead(item)
            if run and not (back and _continues(run[-1], item)):
                self._put_back(run)
                run = []
            if back:
                run.append(item)
            elif not item.wanted:
                self._delete(item)
            elif item.inside is not None:
                self._revise(item.inside)
        if run:
            self._put_back(run)
        for last in place.keys.values():
            self._revise_key(last)

    def _revise_key(self, last: Item) -> None:
        if last.wanted and not self._is_dead(last):
            if last.inside is not None:
                self._revise(last.inside)
            return
        self._delete(last)
        value = next((item for item in _chain(last) if item.wanted), None)
        if value is not None:
            self._copy([value], last.last, None)

    def _put_back(self, run: list[Item]) -> None:
        """Copies neighbours that are deleted to where they were: to the left of what is left of them."""
        left = run[0].left
        self._copy(run, left.last if left is not None else None, run[0].id)

    def _copy(self, run: list[Item], origin: Id | None, right: Id | None, parent: Id | None = None) -> Id:
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
        for run in _runs(item for item in place if item.wanted):
            last = self._copy(run, last, None, parent)
        for last_value in place.keys.values():
            value = next((item for item in _chain(last_value) if item.wanted), None)
            if value is not None:
                self._copy([value], None, None, parent)

    def _delete(self, item: Item) -> None:
        """Deletes an item, and all that still lives in it."""
        if self._is_dead(item):
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


def _continues(one: Item, other: Item) -> bool:
    """Whether two items are text that was written at one go."""
    return one.kind == other.kind == STRING and other.id == (one.client, one.clock + one.length)


def _runs(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Text next to text goes together."""
    run: list[Item] = []
    for item in items:
        if run and not run[-1].kind == item.kind == STRING:
            yield run
            run = []
        run.append(item)
    if run:
        yield run


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
