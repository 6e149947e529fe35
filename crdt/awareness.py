"""Awareness (presence) messages as values (y-protocols/awareness.js), sans-I/O.

    varUint n, n x (varUint client, varUint clock, varString JSON state | "null")

A state of None says that the client is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crdt.codec import JsonValue, Reader, Writer, parse_json
from crdt.errors import LimitExceeded, Malformed
from crdt.limits import DEFAULT, Limits

__all__ = ["AwarenessEntry", "decode_awareness", "encode_awareness"]


@dataclass(frozen=True, slots=True)
class AwarenessEntry:
    client: int
    clock: int
    state: Mapping[str, JsonValue] | None
    """The client's presence; None when it has gone."""


def decode_awareness(data: bytes | memoryview, limits: Limits = DEFAULT) -> list[AwarenessEntry]:
    """The entries of one awareness message.

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
        text = reader.var_string()
        if reader.position - where > limits.awareness_state_bytes:
            raise LimitExceeded(
                "awareness_state_bytes", limits.awareness_state_bytes, reader.position - where
            )
        state = parse_json(text, limits, where)
        if state is not None and not isinstance(state, dict):
            raise Malformed("awareness-state", where)
        entries.append(AwarenessEntry(client, clock, state))
    reader.finish()
    return entries


def encode_awareness(entries: Iterable[AwarenessEntry]) -> bytes:
    """One awareness message that carries `entries`."""
    entries = list(entries)
    writer = Writer().var_uint(len(entries))
    for entry in entries:
        writer.var_uint(entry.client).var_uint(entry.clock)
        writer.var_string(json.dumps(entry.state, separators=(",", ":"), ensure_ascii=False, allow_nan=False))
    return bytes(writer)
