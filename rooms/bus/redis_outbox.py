"""What waits to be published through one server: bounded, and joined so that a batch is one envelope."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rooms.bus.messages import (
    MESSAGE_MAX,
    Committed,
    DocumentMessage,
    Hint,
    NodeMessage,
    PresenceQuery,
    RemoteState,
    States,
)

__all__ = ["Outbox", "joined", "sized"]

Message = DocumentMessage | NodeMessage
_OF_DOCUMENTS = (Committed, Hint, PresenceQuery, States)
PIPELINE_BYTES = 256 * 1024
"""What one turn sends at most: less than a slow network carries before its answer counts as missing."""
TURN_MESSAGES = 2_000
"""What one turn joins at most."""
OVERHEAD = 64
"""Bytes that a message costs beyond its payload, roughly."""


@dataclass(slots=True)
class Outbox:
    """Messages in the order they were said; when full, the oldest make room."""

    most_messages: int
    most_bytes: int
    _waiting: deque[tuple[Message, int]] = field(default_factory=deque)
    _bytes: int = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message) -> int:
        """How many messages were dropped for it."""
        dropped = 0
        size = sized(message)
        self._waiting.append((message, size))
        self._bytes += size
        while len(self._waiting) > self.most_messages or self._bytes > self.most_bytes:
            self._bytes -= self._waiting.popleft()[1]
            dropped += 1
        return dropped

    def take(self) -> list[Message]:
        """What is sent next, joined; empty when nothing waits."""
        taken: list[tuple[Message, int]] = []
        size = 0
        while self._waiting and size < PIPELINE_BYTES and len(taken) < TURN_MESSAGES:
            waiting = self._waiting.popleft()
            taken.append(waiting)
            size += waiting[1]
        self._bytes -= size
        return joined(taken)

    def clear(self) -> int:
        """Drops everything; how many messages that were."""
        lost = len(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        return lost


def sized(message: Message) -> int:
    """About as many bytes as its envelope has."""
    if isinstance(message, Committed):
        updates = message.updates
        return OVERHEAD + sum(map(len, updates)) + 5 * len(updates) + OVERHEAD * len(message.owners)
    if isinstance(message, States):
        return OVERHEAD + sum(map(_state_size, message.states))
    told = getattr(message, "heads", None) or getattr(message, "amounts", None) or ()
    return OVERHEAD * (1 + len(told))


def _state_size(state: RemoteState) -> int:
    return OVERHEAD + len(state.state or "")


@dataclass(slots=True)
class _Said:
    """What is said of one document in one turn."""

    entries: list[list[Committed] | Hint] = field(default_factory=list)
    room: int = 0
    """Bytes the last run of entries may still grow by."""
    query: PresenceQuery | None = None
    states: dict[int, RemoteState] = field(default_factory=dict)

    def take(self, message: DocumentMessage, size: int) -> None:
        last = self.entries[-1] if self.entries else None
        match message:
            case Committed():
                if isinstance(last, list) and size <= self.room and _follows(last[-1], message):
                    last.append(message)
                    self.room -= size
                else:
                    self.entries.append([message])
                    self.room = MESSAGE_MAX - size
            case Hint():
                if isinstance(last, Hint) and last.epoch == message.epoch:
                    self.entries.pop()
                    message = max(last, message, key=lambda hint: hint.last)
                self.entries.append(message)
            case PresenceQuery():
                self.query = message
            case States():
                for state in message.states:
                    self.states.pop(state.client, None)
                    self.states[state.client] = state

    def told(self, document: str) -> Iterator[DocumentMessage]:
        for entry in self.entries:
            yield entry if isinstance(entry, Hint) else _one(entry)
        if self.query is not None:
            yield self.query
        yield from _parcels(document, self.states.values())


def joined(messages: Iterable[tuple[Message, int]]) -> list[Message]:
    """What messages, given with their sizes, say in as few envelopes as possible. Of each document what was
    committed, in its order, then the presence that may refer to it, each client's latest only; at the end
    what is said to all nodes."""
    documents: dict[str, _Said] = {}
    to_all: list[Message] = []
    for message, size in messages:
        if isinstance(message, _OF_DOCUMENTS):
            said = documents.get(message.document)
            if said is None:
                said = documents[message.document] = _Said()
            said.take(message, size)
        else:
            to_all.append(message)
    told = [message for document, said in documents.items() for message in said.told(document)]
    return told + to_all


def _follows(one: Committed, other: Committed) -> bool:
    return other.epoch == one.epoch and other.first == one.last + 1


def _one(run: list[Committed]) -> Committed:
    first = run[0]
    if len(run) == 1:
        return first
    return Committed(
        first.document,
        first.epoch,
        first.first,
        tuple(update for each in run for update in each.updates),
        tuple(owner for each in run for owner in each.owners),
    )


def _parcels(document: str, states: Iterable[RemoteState]) -> Iterator[States]:
    """Many people's presence in envelopes of a bounded size."""
    parcel: list[RemoteState] = []
    size = 0
    for state in states:
        if parcel and size + _state_size(state) > MESSAGE_MAX:
            yield States(document, tuple(parcel))
            parcel, size = [], 0
        parcel.append(state)
        size += _state_size(state)
    if parcel:
        yield States(document, tuple(parcel))
