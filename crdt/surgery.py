"""Takes V1 updates apart at the borders of their structs, and rewrites text in them.

All of it trusts `crdt.update`, which has read the same bytes before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crdt.codec import Reader, var_string, var_uint
from crdt.limits import STORED
from crdt.update import ClockRange, Section, UpdateSummary, read_sections

__all__ = ["Split", "collected", "pieces", "reader_at_content", "replace_pairs", "split", "straddling"]

_COLLECTED = 0
_DELETED = 1
_STRING = 4
_SKIP = 10
_REPLACED = "\ufffd\ufffd".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Split:
    """An update in two: what can be integrated now, and what has to wait."""

    ready: bytes | None
    rest: bytes | None
    waits_for: frozenset[int]
    """The client ids of which structs are missing."""


def split(update: bytes, summary: UpdateSummary, known: Mapping[int, int]) -> Split:
    """Splits `update` by what is known already: the clocks of each client id."""
    sections = {section.client: section for section in read_sections(update, STORED)}
    order, clocks, blocked = _integrable(update, sections, known)
    taken = dict.fromkeys(sections, 0)
    for client, _ in order:
        taken[client] += 1

    ready, rest = [], []
    waits_for: set[int] = set()
    for client, section in sections.items():
        count = taken[client]
        ready.append((section, 0, count))
        rest.append((section, count, len(section.clocks) - 1))
    for missing, clients in blocked.items():
        if any(taken[client] < len(sections[client].clocks) - 1 for client in clients):
            waits_for.add(missing)
    deleted, undeleted = [], []
    for item in summary.deletes:
        border = min(max(item.start, clocks.get(item.client, known.get(item.client, 0))), item.end)
        if item.start < border:
            deleted.append(ClockRange(item.client, item.start, border))
        if border < item.end:
            undeleted.append(ClockRange(item.client, border, item.end))
            waits_for.add(item.client)
    return Split(_build(update, ready, deleted), _build(update, rest, undeleted), frozenset(waits_for))


def pieces(update: bytes, summary: UpdateSummary, known: Mapping[int, int], size: int) -> Iterator[bytes]:
    """`update` in updates of at most `size` structs or deletions, each following the one before."""
    sections = {section.client: section for section in read_sections(update, STORED)}
    order, _, _ = _integrable(update, sections, known)
    for start in range(0, len(order), size):
        parts: dict[int, tuple[Section, int, int]] = {}
        for client, index in order[start : start + size]:
            section, first, _ = parts.get(client, (sections[client], index, index))
            parts[client] = section, first, index + 1
        if piece := _build(update, list(parts.values()), ()):
            yield piece
    for start in range(0, len(summary.deletes), size):
        if piece := _build(update, (), summary.deletes[start : start + size]):
            yield piece


def _integrable(
    update: bytes, sections: Mapping[int, Section], known: Mapping[int, int]
) -> tuple[list[tuple[int, int]], dict[int, int], dict[int, set[int]]]:
    """(client, index) of the structs that can be integrated, in an order in which they can; the clocks known
    then; and who is blocked by which missing client id."""
    clocks = {client: known.get(client, 0) for client in sections}
    taken = dict.fromkeys(sections, 0)
    order: list[tuple[int, int]] = []
    blocked: dict[int, set[int]] = {}
    work = list(sections)
    while work:
        client = work.pop()
        section = sections[client]
        before = clocks[client]
        while taken[client] < len(section.clocks) - 1:
            index = taken[client]
            missing = _missing(update, section, index, clocks, known)
            if missing is not None:
                blocked.setdefault(missing, set()).add(client)
                break
            taken[client] += 1
            order.append((client, index))
            if update[section.offsets[index]] != _SKIP:
                clocks[client] = max(clocks[client], section.clocks[index + 1])
        if clocks[client] > before:
            work.extend(blocked.pop(client, ()))
    return order, clocks, blocked


def _missing(
    update: bytes, section: Section, index: int, clocks: Mapping[int, int], known: Mapping[int, int]
) -> int | None:
    """The client id whose structs this struct still needs, if any."""
    offset = section.offsets[index]
    if update[offset] == _SKIP:
        return None
    if section.clocks[index] > clocks[section.client]:
        return section.client
    if update[offset]:
        for client, clock in _references(update, offset):
            if clock >= clocks.get(client, known.get(client, 0)):
                return client
    return None


def _without_gap_at_end(update: bytes, section: Section, count: int) -> int:
    while count and update[section.offsets[count - 1]] == _SKIP:
        count -= 1
    return count


def _without_gap_at_start(update: bytes, section: Section, count: int) -> int:
    while count < len(section.clocks) - 1 and update[section.offsets[count]] == _SKIP:
        count += 1
    return count


def _build(
    update: bytes, parts: Sequence[tuple[Section, int, int]], deletes: Sequence[ClockRange]
) -> bytes | None:
    """An update of whole structs, `start` to `end` of each section, and of deletions."""
    parts = [
        (section, _without_gap_at_start(update, section, start), _without_gap_at_end(update, section, end))
        for section, start, end in parts
    ]
    parts = [part for part in parts if part[1] < part[2]]
    if not parts and not deletes:
        return None
    out = bytearray(var_uint(len(parts)))
    for section, start, end in parts:
        out += var_uint(end - start) + var_uint(section.client) + var_uint(section.clocks[start])
        out += update[section.offsets[start] : section.offsets[end]]
    ranges: dict[int, list[ClockRange]] = {}
    for item in deletes:
        ranges.setdefault(item.client, []).append(item)
    out += var_uint(len(ranges))
    for client, items in ranges.items():
        out += var_uint(client) + var_uint(len(items))
        for item in items:
            out += var_uint(item.start) + var_uint(item.end - item.start)
    return bytes(out)


def collected(update: bytes) -> Iterator[ClockRange]:
    """The structs of an update of which only the length is left: collected, or with deleted content."""
    for section in read_sections(update, STORED):
        for index, offset in enumerate(section.offsets[:-1]):
            kind = update[offset]
            if kind == _COLLECTED or kind & 31 == _DELETED:
                yield ClockRange(section.client, section.clocks[index], section.clocks[index + 1])


def straddling(update: bytes, known: Mapping[int, int]) -> Iterator[ClockRange]:
    """The items of which the beginning is known and the end is new."""
    for section in read_sections(update, STORED):
        border = known.get(section.client, 0)
        index = bisect_left(section.clocks, border) - 1
        if not 0 <= index < len(section.offsets) - 1 or section.clocks[index + 1] <= border:
            continue
        if update[section.offsets[index]] not in (_COLLECTED, _SKIP):
            yield ClockRange(section.client, section.clocks[index], section.clocks[index + 1])


def replace_pairs(update: bytes, pairs: Collection[tuple[int, int]]) -> bytes:
    """`update` with U+FFFD U+FFFD, just as long, for each surrogate pair whose second half is named.

    Yjs does this to a pair that an edit cuts in two (ContentString.splice).
    """
    wanted: dict[int, list[int]] = {}
    for client, clock in sorted(pairs):
        wanted.setdefault(client, []).append(clock)
    out = bytearray()
    copied = 0
    for section in read_sections(update, STORED):
        lows = wanted.get(section.client, ())
        for index, offset in enumerate(section.offsets[:-1]):
            clock, end = section.clocks[index], section.clocks[index + 1]
            inside = lows[bisect_right(lows, clock) : bisect_left(lows, end)]
            if not inside or update[offset] & 31 != _STRING:
                continue
            reader = reader_at_content(update, offset)
            start = reader.position
            units = reader.var_string().encode("utf-16-le")
            for low in inside:
                at = 2 * (low - clock)
                units = units[: at - 2] + _REPLACED + units[at + 2 :]
            out += update[copied:start] + var_string(units.decode("utf-16-le"))
            copied = reader.position
    return bytes(out + update[copied:])


def _references(update: bytes, offset: int) -> Iterator[tuple[int, int]]:
    """The ids that the item at `offset` refers to: its neighbours, or its parent."""
    info = update[offset]
    reader = Reader(update)
    reader.position = offset + 1
    if info & 192:
        for flag in (128, 64):
            if info & flag:
                yield reader.var_uint(), reader.var_uint()
    elif not reader.var_uint():
        yield reader.var_uint(), reader.var_uint()


def reader_at_content(update: bytes, offset: int) -> Reader:
    """Stands where the content of the item at `offset` begins."""
    info = update[offset]
    reader = Reader(update)
    reader.position = offset + 1
    if info & 192:
        for flag in (128, 64):
            if info & flag:
                reader.var_uint()
                reader.var_uint()
    else:
        if reader.var_uint():
            reader.var_string()
        else:
            reader.var_uint()
            reader.var_uint()
        if info & 32:
            reader.var_string()
    return reader
