"""Every item that a log has told of, in its place and with its content: what the engine has collected, too.

The engine keeps of what is deleted only the length. This is the same list of items as the engine's (YATA, as
in yjs/src/structs/Item.js), made of the raw updates, for looking back. Items are cut beforehand wherever
something refers to them, so that none has to be cut later. It is never served to anybody.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from crdt.clocks import ClockSet
from crdt.codec import Reader, var_string, var_uint
from crdt.limits import STORED
from crdt.update import ClockRange, read_sections

__all__ = [
    "ANY",
    "FORMAT",
    "STRING",
    "TYPE",
    "XML_ELEMENT",
    "XML_TEXT",
    "Id",
    "Item",
    "Place",
    "Replica",
    "read_items",
]

COLLECTED: Final = 0
DELETED: Final = 1
STRING: Final = 4
FORMAT: Final = 6
TYPE: Final = 7
ANY: Final = 8
SKIP: Final = 10

XML_ELEMENT: Final = 3
XML_TEXT: Final = 6

Id = tuple[int, int]
"""(client, clock)."""


class Place:
    """What a shared type holds: its list, and the last item of each of its keys."""

    __slots__ = ("keys", "owner", "start")

    def __init__(self, owner: Item | None = None) -> None:
        self.start: Item | None = None
        self.keys: dict[str, Item] = {}
        self.owner = owner

    def __iter__(self) -> Iterator[Item]:
        item = self.start
        while item is not None:
            yield item
            item = item.right


class Item:
    """One item, or as much of it as nothing cuts apart."""

    __slots__ = (
        "client",
        "clock",
        "inside",
        "key",
        "kind",
        "left",
        "length",
        "origin",
        "parent",
        "place",
        "raw",
        "right",
        "right_origin",
        "root",
        "type_of",
        "units",
        "values",
        "wanted",
    )

    def __init__(self, client: int, clock: int, kind: int, length: int = 1) -> None:
        self.client = client
        self.clock = clock
        self.kind = kind
        self.length = length
        self.origin: Id | None = None
        self.right_origin: Id | None = None
        self.parent: Id | None = None
        """The type it says it is in, if it does not leave that to its neighbours."""
        self.root: str | None = None
        self.key: str | None = None
        self.raw = b""
        """The content as it is written, but for text and values."""
        self.units = b""
        """Text, in UTF-16 (little-endian)."""
        self.values: Sequence[bytes] = ()
        """Each value of a list of them, as it is written."""
        self.type_of = -1
        """The kind of the shared type that it is; -1 for no type."""
        self.inside: Place | None = None
        """What it holds, if it is a shared type."""
        self.place: Place | None = None
        """What holds it; None as long as it cannot be integrated."""
        self.left: Item | None = None
        self.right: Item | None = None
        self.wanted = False
        """For whoever looks through the replica."""

    @property
    def id(self) -> Id:
        return self.client, self.clock

    @property
    def last(self) -> Id:
        return self.client, self.clock + self.length - 1

    @property
    def range(self) -> ClockRange:
        return ClockRange(self.client, self.clock, self.clock + self.length)

    @property
    def has_content(self) -> bool:
        return self.kind not in (COLLECTED, DELETED)

    @property
    def counts(self) -> bool:
        """Whether a reader sees something of it, other than how text looks."""
        return self.has_content and self.kind != FORMAT

    @property
    def content(self) -> bytes:
        """The content as an update writes it."""
        if self.kind == STRING:
            return text_content(self.units)
        if self.kind == ANY:
            return var_uint(len(self.values)) + b"".join(self.values)
        return self.raw

    @property
    def name(self) -> str:
        """The name of an XML element."""
        reader = Reader(self.raw)
        return reader.var_string() if reader.var_uint() == XML_ELEMENT else ""

    def between(self, start: int, end: int) -> Item:
        """The part of it from one offset to another."""
        if start == 0 and end == self.length:
            return self
        part = Item(self.client, self.clock + start, self.kind, end - start)
        part.units = self.units[2 * start : 2 * end]
        part.values = self.values[start:end]
        part.raw = var_uint(end - start) if self.kind == DELETED else self.raw
        part.right_origin = self.right_origin
        if start:
            part.origin = (self.client, self.clock + start - 1)
        else:
            part.origin, part.parent, part.root, part.key = self.origin, self.parent, self.root, self.key
        return part


def text_content(units: bytes) -> bytes:
    """Text as an update writes it; half a surrogate pair becomes U+FFFD, as in Yjs."""
    text = units.decode("utf-16-le", "surrogatepass")
    return var_string(re.sub("[\ud800-\udfff]", "\ufffd", text))


def read_items(update: bytes) -> Iterator[Item]:
    """The items of an update that `crdt.update` has read before, collected ones included."""
    reader = Reader(update)
    for section in read_sections(update, STORED):
        for index, offset in enumerate(section.offsets[:-1]):
            info = update[offset]
            kind = info & 31
            if kind == SKIP:
                continue
            clock = section.clocks[index]
            item = Item(section.client, clock, kind, section.clocks[index + 1] - clock)
            if kind != COLLECTED:
                reader.position = offset + 1
                _read_item(reader, item, info, section.offsets[index + 1])
            yield item


def _read_item(reader: Reader, item: Item, info: int, end: int) -> None:
    if info & 128:
        item.origin = (reader.var_uint(), reader.var_uint())
    if info & 64:
        item.right_origin = (reader.var_uint(), reader.var_uint())
    if not info & 192:
        if reader.var_uint():
            item.root = reader.var_string()
        else:
            item.parent = (reader.var_uint(), reader.var_uint())
        if info & 32:
            item.key = reader.var_string()
    start = reader.position
    if item.kind == STRING:
        item.units = reader.var_string().encode("utf-16-le")
    elif item.kind == ANY:
        values = []
        for _ in range(reader.var_uint()):
            at = reader.position
            reader.any(STORED)
            values.append(_between(reader, at, reader.position))
        item.values = values
    else:
        item.raw = _between(reader, start, end)
        if item.kind == TYPE:
            item.type_of = item.raw[0]
            item.inside = Place(item)


def _between(reader: Reader, start: int, end: int) -> bytes:
    reader.position = start
    return reader.raw(end - start)


class Replica:
    """A document's items as `updates` tell of them, cut at the borders of `marked` and at `borders` too."""

    def __init__(
        self, updates: Iterable[bytes], marked: Iterable[ClockSet] = (), borders: Iterable[Id] = ()
    ) -> None:
        self.roots: dict[str, Place] = {}
        self.clients: dict[int, list[Item]] = {}
        """The items of each client id, without gaps from its first, and in order of their clocks."""
        self.starting: dict[Id, Item] = {}
        self._ending: dict[Id, Item] = {}
        self._take_apart(updates, marked, borders)
        self._integrate_all()

    # Taking apart

    def _take_apart(
        self, updates: Iterable[bytes], marked: Iterable[ClockSet], borders: Iterable[Id]
    ) -> None:
        found: dict[int, list[Item]] = {}
        bare: dict[int, list[Item]] = {}
        known = ClockSet()
        cuts: dict[int, set[int]] = {}
        for update in updates:
            for item in read_items(update):
                if not item.has_content:
                    bare.setdefault(item.client, []).append(item)
                elif item.range not in known:
                    known.add(item.range)
                    found.setdefault(item.client, []).append(item)
                if item.origin is not None:
                    cuts.setdefault(item.origin[0], set()).add(item.origin[1] + 1)
                if item.right_origin is not None:
                    cuts.setdefault(item.right_origin[0], set()).add(item.right_origin[1])
        for clocks in marked:
            for border in clocks:
                cuts.setdefault(border.client, set()).update((border.start, border.end))
        for client, clock in borders:
            cuts.setdefault(client, set()).add(clock)
        for client in found.keys() | bare.keys():
            items = _in_order(found.get(client, []), bare.get(client, []))
            pieces = list(_cut(items, sorted(cuts.get(client, ()))))
            self.clients[client] = pieces
            for piece in pieces:
                self.starting[piece.id] = self._ending[piece.last] = piece

    # Integrating

    def _integrate_all(self) -> None:
        """In an order in which each item comes after those it refers to."""
        taken = dict.fromkeys(self.clients, 0)
        blocked: dict[int, set[int]] = {}
        work = list(self.clients)
        while work:
            client = work.pop()
            items = self.clients[client]
            before = taken[client]
            while taken[client] < len(items):
                item = items[taken[client]]
                missing = self._missing(item, taken)
                if missing is not None:
                    blocked.setdefault(missing, set()).add(client)
                    break
                if item.kind != COLLECTED:
                    self._integrate(item)
                taken[client] += 1
            if taken[client] > before:
                work.extend(blocked.pop(client, ()))
        for client, count in taken.items():
            del self.clients[client][count:]

    def _missing(self, item: Item, taken: dict[int, int]) -> int | None:
        """The client id of which the item still needs something."""
        for id in (item.origin, item.right_origin, item.parent):
            if id is None:
                continue
            items = self.clients.get(id[0])
            if items is None:
                return id[0]
            count = taken[id[0]]
            if not count or items[count - 1].last[1] < id[1]:
                return id[0] if id[0] != item.client else -1
        return None

    def _integrate(self, item: Item) -> None:
        left = self._ending.get(item.origin) if item.origin else None
        right = self.starting.get(item.right_origin) if item.right_origin else None
        if (item.origin and (left is None or left.place is None)) or (
            item.right_origin and (right is None or right.place is None)
        ):
            return  # beside something collected: so is this
        beside = left or right
        if beside is not None:
            place, item.key = beside.place, beside.key
        elif item.parent is not None:
            parent = self.starting.get(item.parent)
            place = parent.inside if parent is not None and parent.place is not None else None
        else:
            place = self.roots.setdefault(item.root or "", Place())
        if place is None:
            return
        item.place = place
        self._link(item, place, self._neighbour(item, place, left, right))

    def _neighbour(self, item: Item, place: Place, left: Item | None, right: Item | None) -> Item | None:
        """What the item stands to the right of, after those who wrote in the same place."""
        other = left.right if left is not None else self._first(place, item.key)
        before: set[Item] = set()
        conflicting: set[Item] = set()
        while other is not None and other is not right:
            before.add(other)
            conflicting.add(other)
            if other.origin == item.origin:
                if other.client < item.client:
                    left = other
                    conflicting.clear()
                elif other.right_origin == item.right_origin:
                    break
            elif other.origin is not None and (beside := self._ending[other.origin]) in before:
                if beside not in conflicting:
                    left = other
                    conflicting.clear()
            else:
                break
            other = other.right
        return left

    def _link(self, item: Item, place: Place, left: Item | None) -> None:
        item.left = left
        item.right = left.right if left is not None else self._first(place, item.key)
        if left is not None:
            left.right = item
        elif item.key is None:
            place.start = item
        if item.right is not None:
            item.right.left = item
        elif item.key is not None:
            place.keys[item.key] = item

    @staticmethod
    def _first(place: Place, key: str | None) -> Item | None:
        if key is None:
            return place.start
        item = place.keys.get(key)
        while item is not None and item.left is not None:
            item = item.left
        return item


def _in_order(found: list[Item], bare: list[Item]) -> list[Item]:
    """The items of one client id without overlaps, and up to the first gap; those with content first."""
    covered = ClockSet()
    items: list[Item] = []
    for item in (*sorted(found, key=lambda item: item.clock), *sorted(bare, key=_by_worth)):
        for part in list(covered.lacks(item.range)):
            items.append(item.between(part.start - item.clock, part.end - item.clock))
        covered.add(item.range)
    items.sort(key=lambda item: item.clock)
    end = 0
    for index, item in enumerate(items):
        if item.clock != end:
            return items[:index]
        end += item.length
    return items


def _by_worth(item: Item) -> tuple[bool, int]:
    return item.kind == COLLECTED, item.clock


def _cut(items: Iterable[Item], cuts: Sequence[int]) -> Iterator[Item]:
    for item in items:
        end = item.clock + item.length
        at = item.clock
        index = bisect_right(cuts, at)
        while index < len(cuts) and cuts[index] < end:
            yield item.between(at - item.clock, cuts[index] - item.clock)
            at = cuts[index]
            index += 1
        yield item.between(at - item.clock, end - item.clock)
