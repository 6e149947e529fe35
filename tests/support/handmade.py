"""V1 updates written by hand, for what no engine would write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crdt.codec import var_string, var_uint

__all__ = ["element", "gc", "item", "skip", "text", "update"]

Id = tuple[int, int]

STRING, TYPE, ANY = 4, 7, 8


def update(
    *sections: tuple[int, int, Sequence[bytes]],
    deleted: Mapping[int, Sequence[tuple[int, int]]] | None = None,
) -> bytes:
    """Sections are (client, clock, structs); deleted is client -> (clock, length)s."""
    out = var_uint(len(sections))
    for client, clock, structs in sections:
        out += var_uint(len(structs)) + var_uint(client) + var_uint(clock) + b"".join(structs)
    out += var_uint(len(deleted or {}))
    for client, ranges in (deleted or {}).items():
        out += var_uint(client) + var_uint(len(ranges))
        out += b"".join(var_uint(clock) + var_uint(length) for clock, length in ranges)
    return out


def gc(length: int) -> bytes:
    return b"\x00" + var_uint(length)


def skip(length: int) -> bytes:
    return b"\x0a" + var_uint(length)


def item(
    kind: int,
    content: bytes,
    *,
    origin: Id | None = None,
    right: Id | None = None,
    parent: str | Id = "text",
    key: str | None = None,
) -> bytes:
    info = kind | (origin is not None) << 7 | (right is not None) << 6 | (key is not None) << 5
    out = bytes((info,))
    for reference in (origin, right):
        if reference is not None:
            out += var_uint(reference[0]) + var_uint(reference[1])
    if origin is None and right is None:
        if isinstance(parent, str):
            out += b"\x01" + var_string(parent)
        else:
            out += b"\x00" + var_uint(parent[0]) + var_uint(parent[1])
        if key is not None:
            out += var_string(key)
    return out + content


def text(characters: str, **place: object) -> bytes:
    return item(STRING, var_string(characters), **place)  # type: ignore[arg-type]


def element(name: str = "p", **place: object) -> bytes:
    return item(TYPE, b"\x03" + var_string(name), **place)  # type: ignore[arg-type]
