"""Reads the structure of a V1 update without applying it.

Format (yjs/src/utils/encoding.js, structs/Item.js, utils/DeleteSet.js):

    update    structs, then deletes
    structs   varUint clients, each: varUint structs, varUint client, varUint clock, struct after struct
    struct    00 varUint length                         GC: collected, only its length is left
              0A varUint length                         Skip: a gap in this update
              info [origin] [right] [parent] content    Item
    info      80 has origin | 40 has right origin | 20 has key | kind of content
    parent    only without both origins: 01 varString root name, or 00 id; then the key if 20
    deletes   varUint clients, each: varUint client, varUint ranges, each: varUint clock, varUint length

This is the guard in front of the engine: what it accepts the engine and every browser can read, in linear
time. It is one function over local variables on purpose: a keystroke costs about 5 microseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, NamedTuple

from crdt.codec import Reader, parse_json
from crdt.errors import LimitExceeded, Malformed
from crdt.limits import DEFAULT, MAX_SAFE_INTEGER, Limits
from crdt.places import NOWHERE, Link, Places

__all__ = [
    "EMPTY_UPDATE",
    "ClockRange",
    "Section",
    "UpdateSummary",
    "read_sections",
    "read_state_vector",
    "read_update",
]

EMPTY_UPDATE: Final = b"\x00\x00"
"""The update that says nothing."""

_PLAIN_JSON: Final = frozenset({b"null", b"true", b"false", b"{}", b'""'})
_SUBDOCUMENT_OPTIONS: Final = frozenset({"gc", "autoLoad", "meta", "collectionid", "encoding", "shouldLoad"})


class ClockRange(NamedTuple):
    """Clocks `start` to `end` (exclusive) of one client id; a clock counts UTF-16 units and list elements."""

    client: int
    start: int
    end: int


class UpdateSummary(NamedTuple):
    """What an update would do."""

    writes: tuple[ClockRange, ...]
    """Real structs (items and collected ones), joined where they touch; gaps are not writes."""
    deletes: tuple[ClockRange, ...]
    structs: int
    depth: int
    """Levels of values inside one another, or of types as far as this update shows: the larger of both."""
    size: int
    """Bytes."""
    needs: tuple[tuple[int, int], ...]
    """(client, clock): this client's structs before `clock` must be known or come with it."""
    links: tuple[Link, ...]
    """Where the written items hang, as `crdt.places` wants it."""
    types: tuple[tuple[int, int], ...]
    """(client, clock) of each shared type it creates: what other items may hang in."""
    pairs: tuple[tuple[int, int], ...]
    """(client, clock) of the second half of each surrogate pair it writes: where text must not be cut."""
    letters: bool = False
    """It is known to be nothing but a few letters next to others: there is nothing in it to decode."""

    @property
    def is_empty(self) -> bool:
        return not self.writes and not self.deletes


def _long(data: bytes, position: int, value: int) -> tuple[int, int]:
    """The rest of a varUint whose first byte, `value` (128 or more), ends at `position`."""
    start = position - 1
    byte = data[position]
    position += 1
    value = (value & 127) | (byte & 127) << 7
    shift = 14
    while byte > 127:
        if shift > 49:
            raise Malformed("integer-too-large", start)
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
    if value > MAX_SAFE_INTEGER:
        raise Malformed("integer-too-large", start)
    return value, position


def _name(data: bytes, position: int, limits: Limits) -> int:
    """Skips a varString that names something; returns the position behind it."""
    start = position
    size = data[position]
    position += 1
    if size > 127:
        size, position = _long(data, position, size)
    if size > limits.name_bytes:
        raise LimitExceeded("name_bytes", limits.name_bytes, size)
    return _text(data, position, size, start)


def _text(data: bytes, position: int, size: int, start: int) -> int:
    end = position + size
    if end > len(data):
        raise Malformed("unexpected-end", start)
    try:
        data[position:end].decode()
    except UnicodeDecodeError:
        raise Malformed("invalid-utf-8", start) from None
    return end


def _json(data: bytes, position: int, limits: Limits) -> tuple[int, int]:
    """Skips a varString of JSON; returns (position behind it, levels)."""
    start = position
    size = data[position]
    position += 1
    if size > 127:
        size, position = _long(data, position, size)
    end = position + size
    if end > len(data):
        raise Malformed("unexpected-end", start)
    text = data[position:end]
    if text in _PLAIN_JSON:
        return end, 0
    return end, _json_levels(text, limits, start)


def _json_levels(text: bytes, limits: Limits, where: int) -> int:
    try:
        value = text.decode()
    except UnicodeDecodeError:
        raise Malformed("invalid-utf-8", where) from None
    parsed = parse_json(value, limits, where)
    if "\\ud" in value or "\\uD" in value:
        try:
            json.dumps(parsed, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise Malformed("lone-surrogate", where) from None  # the engine's parser refuses it
    return min(value.count("[") + value.count("{"), limits.nesting)


def _any(reader: Reader, limits: Limits, depth: int) -> int:
    """Skips one `any` value; returns the deepest level in it. `depth` is the level around it."""
    start = reader.position
    tag = reader.uint8()
    if tag == 119:
        reader.var_string()
    elif tag == 125:
        reader.var_int()
    elif tag == 123:
        reader.raw(8)
    elif tag == 122:
        if abs(int.from_bytes(reader.raw(8), "big", signed=True)) > MAX_SAFE_INTEGER:
            raise Malformed("bigint", start)  # the engine keeps it as a double, rounded
    elif tag == 124:
        reader.raw(4)
    elif tag == 116:
        reader.var_bytes()
    elif tag == 117 or tag == 118:
        depth += 1
        if depth > limits.nesting:
            raise LimitExceeded("nesting", limits.nesting, depth)
        deepest = depth
        for _ in range(reader.count(tag - 116)):
            if tag == 118:
                reader.var_string()
            deepest = max(deepest, _any(reader, limits, depth))
        return deepest
    elif not 120 <= tag <= 127:
        raise Malformed("unknown-value", start)
    return depth


def read_update(data: bytes, limits: Limits = DEFAULT) -> UpdateSummary:
    """What the V1 update `data` writes, deletes, needs and how deep it nests.

    Raises Malformed (with the offset) for everything real writers never write, and LimitExceeded.
    """
    if len(data) > limits.update_bytes:
        raise LimitExceeded("update_bytes", limits.update_bytes, len(data))
    try:
        letters = _read_letters(data, limits)
    except (IndexError, Malformed):
        letters = None  # `_read` finds the same, and says what is wrong first
    if letters is not None:
        return letters
    try:
        return _read(data, limits)
    except IndexError:
        raise Malformed("unexpected-end", len(data)) from None


def _read_letters(data: bytes, limits: Limits) -> UpdateSummary | None:
    """What nearly every update is: a few ASCII letters of one client id, next to others in a text.

    `None` for any other, which `_read` has to look at; the two agree on what both can read.
    """
    if data[:2] != b"\x01\x01":  # one client id, one struct
        return None
    client = data[2]
    position = 3
    if client > 127:
        client, position = _long(data, position, client)
    clock = data[position]
    position += 1
    if clock > 127:
        clock, position = _long(data, position, clock)
    info = data[position]
    position += 1
    if info & 191 != 132:  # a string behind another item, with or without one to its right
        return None
    of_client = data[position]
    position += 1
    if of_client > 127:
        of_client, position = _long(data, position, of_client)
    of_clock = data[position]
    position += 1
    if of_clock > 127:
        of_clock, position = _long(data, position, of_clock)
    right_client, right_clock = NOWHERE, 0
    if info & 64:
        right_client = data[position]
        position += 1
        if right_client > 127:
            right_client, position = _long(data, position, right_client)
        right_clock = data[position]
        position += 1
        if right_clock > 127:
            right_clock, position = _long(data, position, right_clock)
    length = data[position]
    position += 1
    end = position + length
    last = limits.clock - 128
    if not 0 < length < 128 or end + 1 != len(data) or data[end] or clock > last:
        return None
    if of_clock > last or right_clock > last or not data[position:end].isascii():
        return None
    if of_client == client:
        needs: tuple[tuple[int, int], ...] = ()
        if of_clock >= clock:
            return None
    else:
        needs = ((of_client, of_clock + 1),)
    if right_client == client:
        if right_clock >= clock:
            return None
    elif right_client == of_client:
        needs = ((of_client, max(of_clock, right_clock) + 1),)
    elif right_client != NOWHERE:
        needs = (*needs, (right_client, right_clock + 1))
    long = length if length > 1 else 0
    if long or of_client != client or of_clock != clock - 1 or right_client != NOWHERE:
        place = (client, clock, of_client, of_clock, 0, right_client, right_clock, False, long)
        links: tuple[Link, ...] = (tuple.__new__(Link, place),)
    else:
        links = ()
    writes = (tuple.__new__(ClockRange, (client, clock, clock + length)),)
    return tuple.__new__(UpdateSummary, (writes, (), 1, 0, len(data), needs, links, (), (), True))


@dataclass(frozen=True, slots=True)
class Section:
    """The structs of one client id in an update, gaps included."""

    client: int
    clocks: list[int]
    """Where each struct begins, and where the last one ends."""
    offsets: list[int]
    """The same as byte offsets."""


def read_sections(data: bytes, limits: Limits = DEFAULT) -> list[Section]:
    """Where the structs of an update lie; for taking it apart. Raises as `read_update` does."""
    sections: list[Section] = []
    try:
        _read(data, limits, sections)
    except IndexError:
        raise Malformed("unexpected-end", len(data)) from None
    return sections


def _read(data: bytes, limits: Limits, sections: list[Section] | None = None) -> UpdateSummary:
    size = len(data)
    new = tuple.__new__  # a named tuple's own constructor takes three times as long
    max_clock = limits.clock
    max_structs = limits.structs
    writes: list[ClockRange] = []
    deletes: list[ClockRange] = []
    links: list[Link] = []
    needs: dict[int, int] = {}
    types: list[tuple[int, int]] = []
    pairs: list[tuple[int, int]] = []
    structs = depth = 0
    seen: set[int] = set()

    position = 1
    clients = data[0]
    if clients > 127:
        clients, position = _long(data, position, clients)
    if clients * 5 > size - position:
        raise Malformed("count-above-bytes", 0)
    if clients > limits.clients:
        raise LimitExceeded("clients", limits.clients, clients)

    for _ in range(clients):
        start = position
        count = data[position]
        position += 1
        if count > 127:
            count, position = _long(data, position, count)
        client = data[position]
        position += 1
        if client > 127:
            client, position = _long(data, position, client)
        clock = data[position]
        position += 1
        if clock > 127:
            clock, position = _long(data, position, clock)
        if not 0 < count <= (size - position) >> 1:
            raise Malformed("count-above-bytes" if count else "no-structs", start)
        if client in seen:
            raise Malformed("client-twice", start)
        seen.add(client)
        structs += count
        if structs > max_structs:
            raise LimitExceeded("structs", max_structs, structs)
        written_from = clock
        section = Section(client, [], [])

        for _ in range(count):
            here = position
            if sections is not None:
                section.clocks.append(clock)
                section.offsets.append(here)
            info = data[position]
            position += 1
            kind = info & 31

            if kind == 0 or kind == 10:
                if info != kind:
                    raise Malformed("struct-flags", here)
                length = data[position]
                position += 1
                if length > 127:
                    length, position = _long(data, position, length)
                if not 0 < length <= max_clock:
                    raise Malformed("length", here)
                if kind == 10:
                    if clock > written_from:
                        writes.append(ClockRange(client, written_from, clock))
                    written_from = clock + length
                links.append(new(Link, (client, clock, NOWHERE, 0, 0, NOWHERE, 0, False, 0)))
                clock += length
                continue

            of_client = right_client = NOWHERE
            of_clock = right_clock = step = 0
            if info & 192:
                if info & 128:
                    of_client = data[position]
                    position += 1
                    if of_client > 127:
                        of_client, position = _long(data, position, of_client)
                    of_clock = data[position]
                    position += 1
                    if of_clock > 127:
                        of_clock, position = _long(data, position, of_clock)
                    if of_client == client:
                        if of_clock >= clock:
                            raise Malformed("refers-ahead", here)
                    elif of_clock >= max_clock:
                        raise Malformed("clock", here)
                    elif needs.get(of_client, 0) <= of_clock:
                        needs[of_client] = of_clock + 1
                if info & 64:
                    right_client = data[position]
                    position += 1
                    if right_client > 127:
                        right_client, position = _long(data, position, right_client)
                    right_clock = data[position]
                    position += 1
                    if right_clock > 127:
                        right_clock, position = _long(data, position, right_clock)
                    if right_client == client:
                        if right_clock >= clock:
                            raise Malformed("refers-ahead", here)
                    elif right_clock >= max_clock:
                        raise Malformed("clock", here)
                    elif needs.get(right_client, 0) <= right_clock:
                        needs[right_client] = right_clock + 1
            else:
                flag = data[position]
                position += 1
                if flag == 1:
                    position = _name(data, position, limits)
                elif flag == 0:
                    of_client = data[position]
                    position += 1
                    if of_client > 127:
                        of_client, position = _long(data, position, of_client)
                    of_clock = data[position]
                    position += 1
                    if of_clock > 127:
                        of_clock, position = _long(data, position, of_clock)
                    if of_client == client:
                        if of_clock >= clock:
                            raise Malformed("refers-ahead", here)
                    else:
                        if of_clock >= max_clock:
                            raise Malformed("clock", here)
                        if needs.get(of_client, 0) <= of_clock:
                            needs[of_client] = of_clock + 1
                    step = 1
                else:
                    raise Malformed("parent-flag", here)
                if info & 32:
                    position = _name(data, position, limits)

            length = 1
            if kind == 4:  # string
                at = position
                length = data[position]
                position += 1
                if length > 127:
                    length, position = _long(data, position, length)
                end = position + length
                if not length:
                    raise Malformed("length", here)
                if end > size:
                    raise Malformed("unexpected-end", at)
                chunk = data[position:end]
                if not chunk.isascii():
                    try:
                        text = chunk.decode()
                    except UnicodeDecodeError:
                        raise Malformed("invalid-utf-8", at) from None
                    length = len(text)
                    if max(chunk) >= 0xF0:  # beyond the basic plane: two UTF-16 units
                        for index, character in enumerate(text):
                            if character > "\uffff":
                                pairs.append((client, clock + index + length - len(text) + 1))
                                length += 1
                position = end
            elif kind == 1:  # deleted
                length = data[position]
                position += 1
                if length > 127:
                    length, position = _long(data, position, length)
                if not 0 < length <= max_clock:
                    raise Malformed("length", here)
            elif kind == 6:  # format
                position, levels = _json(data, _name(data, position, limits), limits)
                if levels > depth:
                    depth = levels
            elif kind == 7:  # type
                types.append((client, clock))
                type_ref = data[position]
                position += 1
                if type_ref == 3:
                    position = _name(data, position, limits)
                elif type_ref > 6 or type_ref == 5:  # 5, a hook, loses its name in the engine
                    raise Malformed("unknown-type", here)
            elif kind == 8:  # any
                length = data[position]
                position += 1
                if length > 127:
                    length, position = _long(data, position, length)
                if not 0 < length <= size - position:
                    raise Malformed("count-above-bytes" if length else "length", here)
                reader = Reader(data)
                reader.position = position
                for _ in range(length):
                    levels = _any(reader, limits, 0)
                    if levels > depth:
                        depth = levels
                position = reader.position
            elif kind == 5:  # embed
                position, levels = _json(data, position, limits)
                if levels > depth:
                    depth = levels
            elif kind == 3:  # binary
                at = position
                skip = data[position]
                position += 1
                if skip > 127:
                    skip, position = _long(data, position, skip)
                position += skip
                if position > size:
                    raise Malformed("unexpected-end", at)
            elif kind == 9:  # subdocument
                position = _name(data, position, limits)
                reader = Reader(data)
                reader.position = position
                options = reader.any(limits)
                if not isinstance(options, dict) or not _SUBDOCUMENT_OPTIONS.issuperset(options):
                    raise Malformed("subdocument-options", position)
                position = reader.position
            else:  # 2, JSON, which Yjs 13 no longer writes, the engine misreads
                raise Malformed("unknown-content", here)
            keyed = info & 32 != 0
            long = length if length > 1 and kind != 1 else 0
            if of_client != client or of_clock != clock - 1 or step or right_client >= 0 or keyed or long:
                links.append(
                    new(
                        Link,
                        (client, clock, of_client, of_clock, step, right_client, right_clock, keyed, long),
                    )
                )
            clock += length

        if clock > max_clock:
            raise Malformed("clock", start)
        if clock > written_from:
            writes.append(ClockRange(client, written_from, clock))
        if sections is not None:
            section.clocks.append(clock)
            section.offsets.append(position)
            sections.append(section)

    start = position
    clients = data[position]
    position += 1
    if clients > 127:
        clients, position = _long(data, position, clients)
    if clients * 2 > size - position:
        raise Malformed("count-above-bytes", start)
    if clients > limits.clients:
        raise LimitExceeded("clients", limits.clients, clients)
    if clients:
        seen.clear()
        for _ in range(clients):
            start = position
            client = data[position]
            position += 1
            if client > 127:
                client, position = _long(data, position, client)
            count = data[position]
            position += 1
            if count > 127:
                count, position = _long(data, position, count)
            if count * 2 > size - position:
                raise Malformed("count-above-bytes", start)
            if client in seen:
                raise Malformed("client-twice", start)
            seen.add(client)
            if structs + len(deletes) + count > max_structs:
                raise LimitExceeded("structs", max_structs, structs + len(deletes) + count)
            before = 0
            for _ in range(count):
                here = position
                clock = data[position]
                position += 1
                if clock > 127:
                    clock, position = _long(data, position, clock)
                length = data[position]
                position += 1
                if length > 127:
                    length, position = _long(data, position, length)
                if clock < before:
                    raise Malformed("deletes-unsorted", here)
                before = clock + length
                if not length or before > max_clock:
                    raise Malformed("length", here)
                deletes.append(ClockRange(client, clock, before))
    if position != size:
        raise Malformed("trailing-bytes", position)

    if len(types) >= limits.nesting or len(writes) > 1:
        depth = max(depth, Places(limits).add(links)[0])
    return UpdateSummary(
        tuple(writes),
        tuple(deletes),
        structs,
        depth,
        size,
        tuple(needs.items()),
        tuple(links),
        tuple(types),
        tuple(pairs),
    )


def read_state_vector(data: bytes, limits: Limits = DEFAULT) -> dict[int, int]:
    """Client id -> clock (the number of clocks known) of one state vector.

    Raises Malformed (also for a client named twice) and LimitExceeded.
    """
    if len(data) > limits.state_vector_bytes:
        raise LimitExceeded("state_vector_bytes", limits.state_vector_bytes, len(data))
    reader = Reader(data)
    count = reader.count(each=2)
    if count > limits.clients:
        raise LimitExceeded("clients", limits.clients, count)
    vector: dict[int, int] = {}
    for _ in range(count):
        start = reader.position
        client = reader.var_uint()
        clock = reader.var_uint()
        if client in vector:
            raise Malformed("client-twice", start)
        if clock > limits.clock:
            raise Malformed("clock", start)
        vector[client] = clock
    reader.finish()
    return vector
