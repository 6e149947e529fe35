"""One client's document, its edits and what became of them. Sans-I/O: frames in, frames out.

An edit is *acknowledged*

- on Hocuspocus' framing by its SyncStatus: the n-th status settles the n-th thing sent;
- on y-websocket's framing by its echo: when everything it writes and deletes has come back from the server.

After each connect both sides say what they have. Edits made before the server has said so travel in the
answer to it (SyncStep2), so that nothing is ever sent ahead of its predecessor.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pycrdt import Doc, Text, TransactionEvent

from crdt.awareness import AwarenessEntry, decode_awareness, encode_awareness
from crdt.codec import JsonValue, Writer
from crdt.sync import SyncStep1, SyncStep2, SyncUpdate
from crdt.update import UpdateSummary, read_state_vector, read_update

from .coverage import Coverage
from .wire import (
    Authenticated,
    AwarenessUpdate,
    Denied,
    Detached,
    Notice,
    QueryAwareness,
    SyncStatus,
    Wire,
)

__all__ = ["Edit", "Replica"]


@dataclass(slots=True, eq=False)
class Edit:
    """One local change of the document."""

    number: int
    """1 for the client's first edit."""
    update: bytes
    summary: UpdateSummary
    made: float
    """When, on the replica's clock, in seconds."""
    acknowledged: float | None = None
    """When the server said that it has it."""
    refused: bool = False


@dataclass(slots=True)
class _Owed:
    """So many statuses settle these edits."""

    statuses: int
    edits: list[Edit]


@dataclass(slots=True)
class _Connection:
    """What lasts no longer than one connection."""

    asked: int = 0
    """Our SyncStep1s to which the server has not yet said its own."""
    live: bool = False
    """The server has said what it has, so edits may follow as they come."""
    owed: deque[_Owed] = field(default_factory=deque)


class Replica:
    """A document as one client holds it.

    `outbox` fills with frames to send. Two hooks may be set: `on_received` hears of each update from the
    server once it is applied, `on_settled` of each edit that is acknowledged or refused.
    """

    def __init__(self, wire: Wire, client_id: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self.wire = wire
        self.client_id = client_id
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.outbox: list[bytes] = []
        self.edits = 0
        """Edits made so far."""
        self.last_edit: Edit | None = None
        self.unacknowledged: dict[int, Edit] = {}
        """By number, oldest first. Kept while offline; sent again after each connect."""
        self.refused = 0
        self.received = Coverage()
        """All that the server has sent, the echo of our own edits included."""
        self.known = Coverage()
        """That and our own edits. What two clients delete at once, a server need not tell either of them."""
        self.synced = False
        """The server has said, on this connection, all that we lacked."""
        self.scope: str | None = None
        """What Hocuspocus' Auth answer allows: "read-write" or "readonly"."""
        self.ended: str | None = None
        """Why the server denied or ended this document, if it did."""
        self.notices: list[str] = []
        """Stateless messages, as they came."""
        self.others: dict[int, Mapping[str, JsonValue]] = {}
        """The presence of everybody else."""
        self.on_received: Callable[[UpdateSummary], None] | None = None
        self.on_settled: Callable[[Edit], None] | None = None
        self._clock = clock
        self._connection: _Connection | None = None
        self._remote = False
        self._presence: Mapping[str, JsonValue] | None = None
        self._presence_clock = 0
        self._clocks: dict[int, int] = {}
        self._subscription = self.doc.observe(self._changed)

    def close(self) -> None:
        self.doc.unobserve(self._subscription)

    # Editing

    def text(self, name: str) -> Text:
        text: Text = self.doc.get(name, type=Text)
        return text

    def _changed(self, event: TransactionEvent) -> None:
        if not self._remote:
            self._made(event.update)

    def apply(self, update: bytes) -> Edit | None:
        """Takes an edit that was made elsewhere under our client id as our own; None if it does nothing."""
        with self._quietly():
            self.doc.apply_update(update)
        return self._made(update)

    def _made(self, update: bytes) -> Edit | None:
        summary = read_update(update)
        if summary.is_empty:
            return None
        self.edits += 1
        self.known.add(summary)
        edit = Edit(self.edits, update, summary, self._clock())
        self.last_edit = self.unacknowledged[edit.number] = edit
        connection = self._connection
        if connection is not None and connection.live:
            if self.wire.acknowledges:
                connection.owed.append(_Owed(1, [edit]))
            self.outbox.append(self.wire.sync(SyncUpdate(update)))
        return edit

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        self._remote = True
        try:
            yield
        finally:
            self._remote = False

    # The connection

    def connected(self) -> None:
        """A new connection is open: says who we are, what we have, and that we are here."""
        self._connection = _Connection()
        self.synced = False
        self.scope = self.ended = None
        self.outbox = self.wire.opening()
        self.ask()
        self.announce()

    def disconnected(self) -> None:
        self._connection = None
        self.synced = False
        self.outbox = []
        self.others.clear()
        self._clocks.clear()

    def ask(self) -> None:
        """Asks for what we lack, and for our own edits that are not acknowledged."""
        if self._connection is not None:
            self._connection.asked += 1
            self.outbox.append(self.wire.sync(SyncStep1(self._state_vector())))

    def _state_vector(self) -> bytes:
        vector = read_state_vector(self.doc.get_state())
        if not self.wire.acknowledges and self.unacknowledged and self.client_id in vector:
            vector[self.client_id] = min(vector[self.client_id], self.received.written(self.client_id))
        writer = Writer().var_uint(len(vector))
        for client, clock in vector.items():
            writer.var_uint(client).var_uint(clock)
        return bytes(writer)

    def receive(self, frame: bytes) -> None:
        """Takes one frame in. Raises CrdtError if the server sent what nobody can read."""
        match self.wire.decode(frame):
            case SyncStep1(state_vector):
                self._answer(state_vector)
            case SyncStep2(update):
                self._receive_update(update)
                self.synced = True
            case SyncUpdate(update):
                self._receive_update(update)
            case SyncStatus(applied):
                self._settle(applied=applied)
            case AwarenessUpdate(payload):
                self._receive_presence(payload)
            case QueryAwareness():
                self.announce()
            case Authenticated(scope):
                self.scope = scope
            case Denied(reason) | Detached(reason):
                self.ended = reason or "no reason given"
            case Notice(payload):
                self.notices.append(payload)
            case None:
                pass

    def _answer(self, state_vector: bytes) -> None:
        connection = self._connection
        assert connection is not None
        self.outbox.append(self.wire.sync(SyncStep2(self.doc.get_update(state_vector))))
        connection.live = True
        if not self.wire.acknowledges:
            return
        # The answer to our own question earns a status. A question in between (the server could not take some
        # of our edits) does not: its answer settles what was owed already. Both stand for all that is open.
        statuses = sum(owed.statuses for owed in connection.owed)
        if connection.asked:
            connection.asked -= 1
            statuses += 1
        connection.owed.clear()
        if statuses:
            connection.owed.append(_Owed(statuses, list(self.unacknowledged.values())))

    def _receive_update(self, update: bytes) -> None:
        summary = read_update(update)
        if summary.is_empty:
            return
        with self._quietly():
            self.doc.apply_update(update)
        self.received.add(summary)
        self.known.add(summary)
        if not self.wire.acknowledges:
            self.acknowledge_seen(self.received)
        if self.on_received is not None:
            self.on_received(summary)

    def acknowledge_seen(self, seen: Coverage) -> None:
        """Calls the oldest edits acknowledged as far as they are in `seen`, which came from the server."""
        now = self._clock()
        while self.unacknowledged:
            oldest = next(iter(self.unacknowledged.values()))
            if not seen.covers(oldest.summary):
                break
            self._acknowledge(oldest, now)

    def _settle(self, *, applied: bool) -> None:
        connection = self._connection
        assert connection is not None
        if not applied:
            # Which of them it was cannot be told: none may be called acknowledged.
            for edit in tuple(self.unacknowledged.values()):
                self._refuse(edit)
            connection.owed = deque(_Owed(owed.statuses, []) for owed in connection.owed)
        if not connection.owed:
            return
        owed = connection.owed[0]
        owed.statuses -= 1
        if owed.statuses == 0:
            connection.owed.popleft()
            now = self._clock()
            for edit in owed.edits:
                self._acknowledge(edit, now)

    def _acknowledge(self, edit: Edit, now: float) -> None:
        if self.unacknowledged.pop(edit.number, None) is not None:
            edit.acknowledged = now
            if self.on_settled is not None:
                self.on_settled(edit)

    def _refuse(self, edit: Edit) -> None:
        del self.unacknowledged[edit.number]
        edit.refused = True
        self.refused += 1
        if self.on_settled is not None:
            self.on_settled(edit)

    # Presence

    @property
    def presence(self) -> Mapping[str, JsonValue] | None:
        """Our own presence; None shows nobody. Set it to say so."""
        return self._presence

    @presence.setter
    def presence(self, state: Mapping[str, JsonValue] | None) -> None:
        shown = self._presence is not None
        self._presence = state
        if shown or state is not None:
            self.announce(leaving=state is None)

    def announce(self, *, leaving: bool = False) -> None:
        """Says our presence (again)."""
        if self._connection is None or (self._presence is None and not leaving):
            return
        self._presence_clock += 1
        entry = AwarenessEntry(self.client_id, self._presence_clock, self._presence)
        self.outbox.append(self.wire.awareness(encode_awareness([entry])))

    def _receive_presence(self, payload: bytes) -> None:
        for entry in decode_awareness(payload):
            known = self._clocks.get(entry.client, 0)
            gone = entry.state is None and entry.client in self.others
            if entry.client == self.client_id or not (entry.clock > known or (entry.clock == known and gone)):
                continue
            self._clocks[entry.client] = entry.clock
            if entry.state is None:
                self.others.pop(entry.client, None)
            else:
                self.others[entry.client] = entry.state
