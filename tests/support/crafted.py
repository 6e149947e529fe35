"""Bytes that no honest client makes: V1 updates and presence built by hand, each with one thing wrong.

The format is Yjs' UpdateEncoderV1 and lib0's `any` (crdt/update.py describes both).
"""

from __future__ import annotations

import json

from wire import string, uint

__all__ = ["bad_awareness", "bad_state_vectors", "bad_updates", "structs", "text_item"]

NO_DELETES = b"\x00"
GC, ITEM_JSON, ITEM_STRING, ITEM_EMBED, ITEM_FORMAT, ITEM_TYPE, ITEM_ANY = 0, 2, 4, 5, 6, 7, 8
ARRAY, XML_ELEMENT = 0, 3
CLIENT = 77_001


def root(name: str = "text") -> bytes:
    """The parent of an item without neighbours: a shared type by its name."""
    return uint(1) + string(name)


def inside(clock: int, client: int = CLIENT) -> bytes:
    """The parent of an item without neighbours: a type that another item made."""
    return uint(0) + uint(client) + uint(clock)


def structs(*items: bytes, client: int = CLIENT, clock: int = 0, deletes: bytes = NO_DELETES) -> bytes:
    """An update with the items of one client."""
    return uint(1) + uint(len(items)) + uint(client) + uint(clock) + b"".join(items) + deletes


def any_nested(levels: int) -> bytes:
    """[[[...null...]]] as lib0 `any`."""
    return b"\x75\x01" * levels + b"\x7e"


def json_nested(levels: int) -> bytes:
    return string("[" * levels + "]" * levels)


def types_nested(levels: int, kind: bytes) -> bytes:
    """A type in a type in a type, one struct each."""
    first = bytes([ITEM_TYPE]) + root() + kind
    return structs(first, *(bytes([ITEM_TYPE]) + inside(clock) + kind for clock in range(levels - 1)))


def text_item(text: str, name: str = "text") -> bytes:
    return bytes([ITEM_STRING]) + root(name) + string(text)


def bad_updates() -> dict[str, bytes]:
    """Name -> update that has to be refused whole."""
    good = structs(text_item("good"))
    any_item = bytes([ITEM_ANY]) + root("list") + uint(1)
    return {
        "nothing at all": b"",
        "half of an empty update": b"\x00",
        "cut short": good[:-3],
        "trailing byte": good + b"\x00",
        "two updates in a row": good + good,
        # "version two" in a Y.Text, by Yjs' encodeStateAsUpdateV2
        "version 2": bytes.fromhex(
            "000002a74900000104120f7465787476657273696f6e2074776f040b0101000001010000"
        ),
        "2^28 clients in five bytes": b"\x80\x80\x80\x80\x01",
        "2^50 clients": uint(2**50) + b"\x00" * 16,
        "2^28 structs": uint(1) + uint(2**28) + uint(CLIENT) + uint(0) + text_item("x") + NO_DELETES,
        "2^28 deletes": b"\x00" + uint(1) + uint(CLIENT) + uint(2**28) + b"\x00\x01",
        "an integer without an end": b"\xff" * 40,
        "a client id above 2^53": structs(text_item("x"), client=2**60),
        "a clock above 2^31": structs(text_item("x"), clock=2**40),
        "a clock above 2^53": structs(text_item("x"), clock=2**60),
        "deletes half of the number line": b"\x00" + uint(1) + uint(CLIENT) + uint(1) + uint(0) + uint(2**52),
        "a string longer than the update": structs(bytes([ITEM_STRING]) + root() + uint(2**31) + b"x"),
        "a string that is no UTF-8": structs(bytes([ITEM_STRING]) + root() + string(b"\xff\xfe\xfd")),
        "content that does not exist": structs(bytes([31]) + root() + b"\x00"),
        "a type that does not exist": structs(bytes([ITEM_TYPE]) + root() + b"\x40"),
        "any of no kind": structs(any_item + b"\x01"),
        "embedded JSON that is none": structs(bytes([ITEM_EMBED]) + root() + string("{not json")),
        "garbage collected twice the world": structs(bytes([GC]) + uint(2**53)),
        "65 arrays in one another": structs(any_item + any_nested(65)),
        "30000 arrays in one another": structs(any_item + any_nested(30_000)),
        "30000 levels of embedded JSON": structs(bytes([ITEM_EMBED]) + root() + json_nested(30_000)),
        "30000 levels of a format's JSON": structs(
            bytes([ITEM_FORMAT]) + root() + string("bold") + json_nested(30_000)
        ),
        "30000 levels of JSON content": structs(bytes([ITEM_JSON]) + root() + uint(1) + json_nested(30_000)),
        "200 types in one another": types_nested(200, uint(ARRAY)),
        "200 elements in one another": types_nested(200, uint(XML_ELEMENT) + string("p")),
        "a name of 100 kB": structs(bytes([ITEM_STRING]) + root("n" * 100_000) + string("x")),
    }


def bad_awareness() -> dict[str, bytes]:
    """Name -> awareness payload (without its own length) that has to be refused."""

    def entry(state: str | bytes, client: bytes = uint(7), clock: bytes = uint(1)) -> bytes:
        return uint(1) + client + clock + string(state)

    return {
        "nothing at all": b"",
        "cut short": entry("{}")[:-1],
        "trailing byte": entry("{}") + b"\x00",
        "2^28 clients": uint(2**28) + uint(7) + uint(1) + string("{}"),
        "a client twice": uint(2) + (uint(7) + uint(1) + string("{}")) * 2,
        "a client id without an end": entry("{}", client=b"\xff" * 12),
        "a clock without an end": entry("{}", clock=b"\xff" * 12),
        "no JSON": entry("{'word': 1}"),
        "a number": entry("1"),
        "not a number": entry('{"x": NaN}'),
        "no UTF-8": entry(b'{"x": "\xff"}'),
        "30000 levels": entry('{"x":' + "[" * 30_000 + "]" * 30_000 + "}"),
        "65 levels": entry('{"x":' + "[" * 65 + "]" * 65 + "}"),
        "a state of 50 kB": entry(json.dumps({"x": "x" * 50_000})),
        "100 kB altogether": uint(10)
        + b"".join(uint(n) + uint(1) + string(json.dumps({"x": "x" * 10_000})) for n in range(10)),
    }


def bad_state_vectors() -> dict[str, bytes]:
    """Name -> state vector that has to be refused."""
    return {
        "nothing at all": b"",
        "cut short": uint(2) + uint(7) + uint(1) + uint(8),
        "trailing byte": b"\x00\x00",
        "2^28 clients in five bytes": b"\x80\x80\x80\x80\x01",
        "an integer without an end": uint(1) + b"\xff" * 20,
    }
