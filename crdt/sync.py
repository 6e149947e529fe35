"""y-protocols sync messages as values (y-protocols/sync.js), sans-I/O.

    SyncStep1  00 varUint8Array(state vector)    "this is what I have"
    SyncStep2  01 varUint8Array(update)          the answer: what you lack
    Update     02 varUint8Array(update)          an edit

The bytes inside are not read here: `crdt.update` does that.
"""

from __future__ import annotations

from dataclasses import dataclass

from crdt.codec import Reader, var_uint
from crdt.errors import Malformed

__all__ = ["SyncMessage", "SyncStep1", "SyncStep2", "SyncUpdate", "decode_sync", "encode_sync", "read_sync"]


@dataclass(frozen=True, slots=True)
class SyncStep1:
    state_vector: bytes


@dataclass(frozen=True, slots=True)
class SyncStep2:
    update: bytes


@dataclass(frozen=True, slots=True)
class SyncUpdate:
    update: bytes


SyncMessage = SyncStep1 | SyncStep2 | SyncUpdate


def read_sync(reader: Reader) -> SyncMessage:
    """The sync message at the reader's position. Raises Malformed."""
    start = reader.position
    kind = reader.var_uint()
    if kind > 2:
        raise Malformed("unknown-sync-message", start)
    payload = reader.var_bytes()
    if kind == 2:
        return SyncUpdate(payload)
    return SyncStep1(payload) if kind == 0 else SyncStep2(payload)


def decode_sync(data: bytes | memoryview) -> SyncMessage:
    """The one sync message in `data`. Raises Malformed, also for trailing bytes."""
    reader = Reader(data)
    message = read_sync(reader)
    reader.finish()
    return message


def encode_sync(message: SyncMessage) -> bytes:
    """The bytes of `message`, without the outer message type of any framing."""
    match message:
        case SyncStep1(payload):
            kind = b"\x00"
        case SyncStep2(payload):
            kind = b"\x01"
        case SyncUpdate(payload):
            kind = b"\x02"
    return kind + var_uint(len(payload)) + payload
