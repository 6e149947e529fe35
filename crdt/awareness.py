"""Awareness (presence) messages as values (y-protocols/awareness.js), sans-I/O.

    varUint n, n x (varUint client, varUint clock, varString JSON state | "null")

A state of None says that the client is gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from crdt.codec import JsonValue, Reader, parse_json, var_string, var_uint
from crdt.errors import LimitExceeded, Malformed
from crdt.limits import DEFAULT, Limits

__all__ = [
    "GONE",
    "AwarenessEntry",
    "awareness_messages",
    "decode_awareness",
    "encode_awareness",
    "encode_entry",
    "encode_state",
]

_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class AwarenessEntry:
    client: int
    clock: int
    state: Mapping[str, JsonValue] | None
    """The client's presence; None when it has gone."""
    said: bytes = field(default=b"", compare=False, repr=False)
    """The state's JSON as it came; empty for an entry that did not come."""


def decode_awareness(
    data: bytes | memoryview,
    limits: Limits = DEFAULT,
    known: Callable[[int, bytes], Mapping[str, JsonValue] | None] = lambda client, said: None,
) -> list[AwarenessEntry]:
    """The entries of one awareness message.

    ``known`` gives the state of a client whose JSON has been read before, so that it need not be read again.

    Raises Malformed (also for a client named twice, a state that is neither object nor null, trailing bytes)
    and LimitExceeded (size of the message or of one state, number of clients, nesting).
    """
    if len(data) > limits.awareness_bytes:
        raise LimitExceeded("awareness_bytes", limits.awareness_bytes, len(data))
    reader = Reader(data)
    count = reader.count(each=4)
    if count > limits.clients:
        raise LimitExceeded("clients", limits.clients, count)
    entries: list[AwarenessEntry] = []
    seen: set[int] = set()
    for _ in range(count):
        start = reader.position
        client = reader.var_uint()
        if client in seen:
            raise Malformed("client-twice", start)
        seen.add(client)
        clock = reader.var_uint()
        where = reader.position
        said = reader.var_bytes()
        if reader.position - where > limits.awareness_state_bytes:
            raise LimitExceeded(
                "awareness_state_bytes", limits.awareness_state_bytes, reader.position - where
            )
        state = known(client, said)
        if state is None:
            state = _read_state(said, limits, where)
        entries.append(AwarenessEntry(client, clock, state, said))
    reader.finish()
    return entries


def _read_state(said: bytes, limits: Limits, where: int) -> Mapping[str, JsonValue] | None:
    try:
        text = said.decode()
    except UnicodeDecodeError:
        raise Malformed("invalid-utf-8", where) from None
    state = parse_json(text, limits, where)
    if state is not None and not isinstance(state, dict):
        raise Malformed("awareness-state", where)
    return state


def encode_awareness(entries: Iterable[AwarenessEntry]) -> bytes:
    """One awareness message that carries `entries`."""
    encoded = [encode_entry(entry.client, entry.clock, encode_state(entry.state)) for entry in entries]
    return var_uint(len(encoded)) + b"".join(encoded)


def encode_state(state: Mapping[str, JsonValue] | None) -> bytes:
    """A state as a varString of JSON."""
    return var_string(_to_json(state))


GONE = encode_state(None)
"""The state of a client that has gone."""


def encode_entry(client: int, clock: int, state: bytes) -> bytes:
    """One entry of a message; ``state`` as :func:`encode_state` gives it."""
    return var_uint(client) + var_uint(clock) + state


def awareness_messages(entries: Iterable[bytes], most_bytes: int) -> list[bytes]:
    """Encoded entries as messages, each of so many bytes at most (or of one entry)."""
    messages: list[bytes] = []
    some: list[bytes] = []
    size = 0
    for entry in entries:
        if some and size + len(entry) > most_bytes - 8:
            messages.append(var_uint(len(some)) + b"".join(some))
            some, size = [], 0
        some.append(entry)
        size += len(entry)
    if some:
        messages.append(var_uint(len(some)) + b"".join(some))
    return messages
