"""What nodes say to each other, as values, and as bytes.

An envelope is `version (1 byte) | tag (16 bytes) | msgpack [node, kind, *fields]`. The tag is a BLAKE2b of
the rest, keyed with a secret of the installation: who merely shares the Redis server can neither forge what a
document holds nor whose presence is whose. A receiver drops what it cannot verify.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgpack

__all__ = [
    "MESSAGE_MAX",
    "Attending",
    "BadEnvelope",
    "Changed",
    "Committed",
    "DocumentMessage",
    "Envelopes",
    "Heads",
    "Hint",
    "Leaving",
    "NodeMessage",
    "PresenceQuery",
    "RemoteState",
    "Spent",
    "States",
    "fitting",
]

VERSION: Final = 1
MESSAGE_MAX: Final = 64 * 1024
"""Bytes of updates one envelope carries; a larger batch travels as a hint, and lives only in the log: Redis
closes a subscriber whose buffer passes 32 MB (lesson 22)."""
ENVELOPE_MAX: Final = 4 * 1024 * 1024
"""Bytes of an envelope; what is longer is not looked at."""
_TAG_BYTES: Final = 16
_HEAD_BYTES: Final = 1 + _TAG_BYTES
_SURROGATES: Final = "surrogatepass"
"""Texts may hold half a pair: JavaScript's do."""


class BadEnvelope(Exception):
    """These bytes are no envelope of this installation, or of another version of the program."""


@dataclass(frozen=True, slots=True)
class Committed:
    """Entries of one document that are in the log now, without a gap between them."""

    document: str
    epoch: int
    first: int
    """The sequence of the first update; the others follow."""
    updates: tuple[bytes, ...]
    """Raw V1 updates as logged."""
    owners: tuple[tuple[int, str], ...]
    """Client ids that write for the first time with these entries, and the subject each belongs to."""

    @property
    def last(self) -> int:
        return self.first + len(self.updates) - 1


@dataclass(frozen=True, slots=True)
class Hint:
    """The document's log has grown up to here; the payload is too large for the bus."""

    document: str
    epoch: int
    last: int


@dataclass(frozen=True, slots=True)
class RemoteState:
    """One client's presence on the node that sent it, stamped there."""

    client: int
    clock: int
    subject: str
    state: str | None
    """JSON; None when the client has gone."""


@dataclass(frozen=True, slots=True)
class States:
    """What changed in the presence of the clients connected to the sending node."""

    document: str
    states: tuple[RemoteState, ...]


@dataclass(frozen=True, slots=True)
class PresenceQuery:
    """Asks the other nodes who is on the document there."""

    document: str


@dataclass(frozen=True, slots=True)
class Heads:
    """A node's heartbeat: it lives, and these documents, which it wrote to lately, have grown up to here."""

    heads: Mapping[str, tuple[int, int]]
    """Document -> epoch and last sequence."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The node stops: its people are gone from it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The records have changed what somebody may do: look now."""

    number: int
    """Of the change in the records' table."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What log-ins have spent of their REST budgets on the sending node since it last said so."""

    amounts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Attending:
    """Which spaces have teachers in them through the sending node; of others it says nothing."""

    spaces: Mapping[str, Sequence[str]]
    """Space -> the schools of those teachers; none: the last has gone."""


DocumentMessage = Committed | Hint | States | PresenceQuery
NodeMessage = Heads | Leaving | Changed | Spent | Attending
T = TypeVar("T")


def fitting(message: DocumentMessage | NodeMessage) -> DocumentMessage | NodeMessage:
    """What a bus sends for a message: a hint in place of updates that are too many bytes for it."""
    if isinstance(message, Committed) and sum(map(len, message.updates)) > MESSAGE_MAX:
        return Hint(message.document, message.epoch, message.last)
    return message


class Envelopes:
    """Packs and opens the envelopes of one node."""

    def __init__(self, node: str, key: bytes) -> None:
        """key: the installation's secret, at most 64 bytes."""
        self._node = node
        self._key = key
        self._mark: bytes = msgpack.packb(node, unicode_errors=_SURROGATES)

    def pack(self, message: DocumentMessage | NodeMessage) -> bytes:
        """Raises ValueError for a message that no receiver would take: one over ENVELOPE_MAX."""
        body: bytes = msgpack.packb([self._node, *_fields(message)], unicode_errors=_SURROGATES)
        if len(body) > ENVELOPE_MAX - _HEAD_BYTES:
            raise ValueError(
                f"a message of {len(body)} bytes: an envelope has at most {ENVELOPE_MAX}, say it in parts"
            )
        head = bytes([VERSION])
        return head + self._tag(head, body) + body

    def is_own(self, envelope: bytes) -> bool:
        """Whether it says that it is of this node. Not verified: it saves opening what is not listened to."""
        return envelope.startswith(self._mark, _HEAD_BYTES + 1)

    def open(self, envelope: bytes) -> tuple[str, DocumentMessage | NodeMessage]:
        """The node that sent and what it said. Raises BadEnvelope."""
        if len(envelope) > ENVELOPE_MAX:
            raise BadEnvelope(f"of {len(envelope)} bytes, where {ENVELOPE_MAX} are allowed")
        head, tag, body = envelope[:1], envelope[1:_HEAD_BYTES], envelope[_HEAD_BYTES:]
        if head != bytes([VERSION]):
            raise BadEnvelope(f"of version {head.hex() or 'none'}, where this program speaks {VERSION}")
        if not hmac.compare_digest(tag, self._tag(head, body)):
            raise BadEnvelope("not written by a node of this installation")
        try:
            node, kind, *fields = msgpack.unpackb(
                body, use_list=False, strict_map_key=False, unicode_errors=_SURROGATES
            )
            return node, _READ[kind](*fields)
        except (ValueError, TypeError, KeyError, msgpack.UnpackException) as error:
            raise BadEnvelope(f"unreadable: {error}") from error

    def _tag(self, head: bytes, body: bytes) -> bytes:
        digest = hashlib.blake2b(head, key=self._key, digest_size=_TAG_BYTES)
        digest.update(body)
        return digest.digest()


def _fields(message: DocumentMessage | NodeMessage) -> list[Any]:
    match message:
        case Committed():
            return ["update", message.document, message.epoch, message.first, message.updates, message.owners]
        case Hint():
            return ["hint", message.document, message.epoch, message.last]
        case States():
            states = [(each.client, each.clock, each.subject, each.state) for each in message.states]
            return ["awareness", message.document, states]
        case PresenceQuery():
            return ["awareness-query", message.document]
        case Heads():
            return ["heads", dict(message.heads)]
        case Leaving():
            return ["leaving"]
        case Changed():
            return ["changed", message.number]
        case Spent():
            return ["spent", dict(message.amounts)]
        case Attending():
            return ["attending", dict(message.spaces)]


def _read_states(document: str, states: tuple[tuple[int, int, str, str | None], ...]) -> States:
    return States(document, tuple(RemoteState(*each) for each in states))


_READ: Final[Mapping[str, Any]] = {
    "update": Committed,
    "hint": Hint,
    "awareness": _read_states,
    "awareness-query": PresenceQuery,
    "heads": Heads,
    "leaving": Leaving,
    "changed": Changed,
    "spent": Spent,
    "attending": Attending,
}
