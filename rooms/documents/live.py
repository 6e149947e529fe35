"""A live room: one document in memory, its readers and writers, and the gate in front of them.

States: LOADING -> ACTIVE -> DRAINING -> CLOSED. A failed commit goes back to LOADING, since the
document in memory then holds what the log does not. At most one task loads a room at a time.

What other nodes commit comes in through `rooms.documents.replication`; what is committed here is told to
them once it is durable (`rooms.documents.gate`).
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from crdt.awareness import decode_awareness
from crdt.codec import JsonValue
from crdt.document import Document, Outcome, merge
from crdt.errors import CrdtError, EngineRefused
from crdt.limits import DEFAULT, Limits
from crdt.log import Entry, Log
from crdt.protection import Verdict
from crdt.restoring import study, together
from crdt.update import UpdateSummary, read_state_vector, read_update
from rooms.bus import Bus, BusState
from rooms.bus.local import LocalBus
from rooms.bus.messages import Committed, DocumentMessage, Hint, PresenceQuery, RemoteState, States
from rooms.documents.attachment import Attachment
from rooms.documents.errors import Early, Forged, Protected, Unavailable
from rooms.documents.fanout import Framing, Shared, broadcast
from rooms.documents.gate import Edit, Gate, Origin, Then, Waiter
from rooms.documents.observer import Observer, SilentObserver
from rooms.documents.presence import Presence
from rooms.documents.quarantine import Quarantine
from rooms.documents.replication import Owners, Replication
from rooms.rights.access import in_a_space, in_logs

__all__ = ["LiveRoom", "RoomState", "Shelf"]

logger = logging.getLogger(__name__)

EMPTY_STATE_VECTOR = b"\x00"

READ_AT_ONCE_BYTES = 16 * 1024
"""A larger document is shown as soon as the engine has it, and read after that."""
READ_AFTER_SECONDS = 0.05
"""Until then those who waited for it are answered."""
WORK_SLICE = 0.005
"""Seconds of loading done before the loop gets a turn."""
ANSWER_KEPT_BYTES = 64 * 1024
ANSWER_KEPT_SECONDS = 10.0
"""How long a larger answer is kept for others who ask the same."""


class RoomState(Enum):
    LOADING = "loading"
    ACTIVE = "active"
    DRAINING = "draining"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What every room of a node shares."""

    log: Log
    bus: Bus = field(default_factory=LocalBus)
    limits: Limits = DEFAULT
    observer: Observer = field(default_factory=SilentObserver)
    quarantine: Quarantine = field(default_factory=Quarantine)
    inflight_bytes: int = 4 * 1024 * 1024
    """Bytes of one document that may wait for the log; what comes on top is asked for again later."""
    reload_pauses: tuple[float, ...] = (0.05, 0.2, 0.5, 1.0)
    """Seconds between tries to load a document; the last repeats."""
    wall_clock: Callable[[], float] = time.time
    """Unix seconds, for the log's entries."""
    rights_outdated: Callable[[], bool] = lambda: False
    """Whether changes of rights cannot be heard of now: then what other nodes do in spaces is not shown."""
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Of large documents: one at a time, since more threads would only take turns from the loop."""
    grown: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Documents written here lately, with their epoch and last sequence, for this node's heartbeat."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a state vector lacked at a version of the document."""

    version: int
    state_vector: bytes
    updates: list[bytes]
    """All that is in the document, then what waits."""
    step2: Shared
    """The first of the updates, in its frames."""


class LiveRoom:
    """One document, live. All methods belong to the event loop's thread."""

    def __init__(self, name: str, shelf: Shelf) -> None:
        self.name = name
        self.state = RoomState.LOADING
        self.attachments: set[Attachment] = set()
        self._shelf = shelf
        self._loop = asyncio.get_running_loop()
        self._document = Document(shelf.limits)
        self._owners: dict[int, str] = {}
        self._gate = Gate(self._log, self._publish, self._fail, self.resume)
        self._replication = Replication(
            name, shelf.log, self._take_remote, self._start_over, shelf.observer.caught_up
        )
        self._version = 0
        self._loaded = False
        self._unheard: list[tuple[Sequence[bytes], Owners]] = []
        """What other nodes have committed while the document is not read yet."""
        self._answer: _Answer | None = None
        self._changed = asyncio.Event()
        alone = shelf.bus.state is BusState.ALONE
        self._presence = Presence(
            self._announce,
            self._loop.call_soon,
            self._loop.call_later,
            self._loop.time,
            spread=None if alone else self._spread_presence,
        )
        self._leaving: dict[Attachment, asyncio.TimerHandle] = {}
        self._loading = self._loop.create_task(self._load(), name=f"load {name}")

    # Life

    async def ready(self) -> None:
        """Waits until the document can be used.

        Raises:
            Unavailable: the room closed before that.
        """
        while self.state is not RoomState.ACTIVE:
            if self.state in (RoomState.DRAINING, RoomState.CLOSED):
                raise Unavailable("the document is being closed")
            await self._changed.wait()

    @property
    def active(self) -> bool:
        return self.state is RoomState.ACTIVE

    @property
    def busy(self) -> bool:
        """Whether something waits for a commit or a load, so that the room must stay."""
        return bool(self._gate) or not self._loading.done()

    def attach(self, attachment: Attachment) -> None:
        """Adds a reader. Call it when :meth:`ready` has returned, in the same turn."""
        self.attachments.add(attachment)
        attachment.tell_of(self._presence.everybody())

    def detach(self, attachment: Attachment, *, grace: float = 0.0) -> None:
        """Takes a reader away, and its presence with it: after ``grace`` seconds, for a line that broke.

        Whoever is back by then under the same client id never seemed to be gone.
        """
        self.attachments.discard(attachment)
        if grace:
            self._presence.line_broke(attachment)
            self._leaving[attachment] = self._loop.call_later(grace, self._leave, attachment)
        else:
            self._leave(attachment)

    def _leave(self, attachment: Attachment) -> None:
        self._leaving.pop(attachment, None)
        self._presence.leave(attachment)

    async def drain(self) -> None:
        """Takes nothing new, waits for the commits in flight and closes."""
        if self.state is RoomState.CLOSED:
            return
        self._enter(RoomState.DRAINING)
        self._loading.cancel()
        await asyncio.gather(self._loading, return_exceptions=True)
        self._gate.hand_over()
        waiting = _commits(self._gate.edits)
        if waiting:
            await asyncio.wait(waiting)
        self._gate.settle()
        self.close()

    def close(self) -> None:
        """Lets the document go. Nothing may wait for a commit any more (see :attr:`busy`)."""
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()
        self._shelf.bus.leave(self.name)
        self._replication.close()
        self._document.close()
        self._answer = None
        self._enter(RoomState.CLOSED)
        if self._loaded:
            self._shelf.observer.document_unloaded()

    def _enter(self, state: RoomState) -> None:
        self.state = state
        self._changed.set()
        if state is RoomState.LOADING:
            self._changed = asyncio.Event()

    async def _load(
        self, unsettled: Collection[asyncio.Future[int]] = (), shown: bytes | None = None
    ) -> None:
        """Reads the document from the log until it works, then serves whoever waited.

        ``unsettled`` are edits the log may yet commit: a document read before that would lack them.
        ``shown`` is, after a failure, the state vector of what readers have been shown.
        """
        if unsettled:
            await asyncio.wait(unsettled)
        started = self._loop.time()
        if not self._loaded:
            await self._shelf.bus.join(self.name, self._hear_node)
        pauses = iter(self._shelf.reload_pauses)
        pause = 0.0
        document = Document(self._shelf.limits) if self._loaded else self._document
        while True:
            try:
                self._unheard.clear()
                stored = await self._shelf.log.load(self.name)
                await self._replay(document, stored.snapshot, stored.tail)
                if self._loaded:  # it may be why the one before was thrown away
                    await self._learn(document)
                break
            except Exception as error:
                document.close()
                document = Document(self._shelf.limits)
                logger.error("cannot load %s: %s", in_logs(self.name), error)
                pause = next(pauses, pause)
                await asyncio.sleep(pause)
            except BaseException:
                document.close()
                raise
        if document is not self._document:
            self._document.close()
            self._document = document
        self._owners = dict(stored.owners)
        self._version += 1
        self._enter(RoomState.ACTIVE)
        if not self._loaded:
            self._loaded = True
            self._shelf.observer.document_loaded(self._loop.time() - started)
            self.ask_for_presence()
        if shown is not None:
            self._show_missed(shown, stored.epoch, stored.head_seq)
        self._replication.loaded(stored.epoch, stored.head_seq)
        for attachment in tuple(self.attachments):
            attachment.room_is_active()
        self.resume()
        if document.unread:
            await asyncio.sleep(READ_AFTER_SECONDS)
            try:
                await self._learn(document)
                if document is self._document:
                    unheard, self._unheard = self._unheard, []
                    for updates, owners in unheard:
                        self._take_remote(updates, owners)
            except Exception as error:
                if self.active and document is self._document:
                    self._fail(error)
            self.resume()

    def _show_missed(self, shown: bytes, epoch: int, head: int) -> None:
        """Shows what the log holds beyond what readers have: other nodes' edits, and some thought lost."""
        alone = self._shelf.bus.state is BusState.ALONE
        if alone and head == self._replication.head:
            return
        update = self._merged(self._document.diff(shown))
        broadcast(self._keeping_up(), lambda framing: framing.update(update))
        if not alone:
            self._shelf.grown[self.name] = (epoch, head)

    async def _replay(self, document: Document, snapshot: bytes | None, tail: Iterable[bytes]) -> None:
        stored = [*([] if snapshot is None else [snapshot]), *tail]
        large = sum(map(len, stored)) > READ_AT_ONCE_BYTES
        deadline = self._loop.time() + WORK_SLICE
        for update in together(stored) if large else stored:
            if large:
                document.restore(update)
            else:
                document.load(update)
            if self._loop.time() > deadline:
                await asyncio.sleep(0)
                deadline = self._loop.time() + WORK_SLICE

    async def _learn(self, document: Document) -> None:
        """Reads what was restored, in a thread; edits are asked for again after that."""
        if document.unread:
            async with self._shelf.reading:
                document.learn(await asyncio.to_thread(study, document.unread, self._shelf.limits))

    def _reload(self, unsettled: Iterable[Edit], shown: bytes) -> None:
        """Throws away a document that holds what the log does not, and loads it again."""
        self._enter(RoomState.LOADING)
        self._answer = None
        self._replication.suspend()
        commits = _commits(unsettled)
        self._loading = self._loop.create_task(self._load(commits, shown), name=f"reload {self.name}")

    def _start_over(self, why: str) -> None:
        """What is in memory cannot be brought up to the log: it is loaded again."""
        if self.state is RoomState.ACTIVE:
            self._fail(Unavailable(why))

    # Writing

    @property
    def writable(self) -> bool:
        """Whether an update sent now would be taken up at once."""
        return (
            self.state is RoomState.ACTIVE
            and not self._document.unread
            and self._shelf.log.health.ok
            and self._gate.waiting_bytes < self._shelf.inflight_bytes
        )

    def submit(
        self,
        update: bytes,
        subject: str,
        origin: Origin,
        *,
        whole_state: bool = False,
        minds_protection: bool = False,
    ) -> UpdateSummary:
        """Takes an update in: reads it, checks whose it is, applies it, hands it to the log.

        The sender hears of the commit through ``origin``; nobody else hears anything before that.
        The caller has checked the right to write and that the room is :attr:`writable`.
        ``whole_state`` says that the update is an answer to step 1, which repeats every deletion its
        sender knows: it is looked at more closely, so that a reconnect does not grow the log.
        ``minds_protection`` says that protected blocks of others are closed to the sender.

        Raises:
            Malformed, LimitExceeded: the bytes are refused; nothing has changed.
            Forged: new structs under a client id that belongs to another subject.
            Protected, Early: a protected block would change, or might; nothing has changed.
            EngineRefused: the engine could not apply it; nothing was logged.
        """
        arrived = self._loop.time()
        summary = read_update(update, self._shelf.limits)
        if whole_state and self._document.contains(update, summary):
            self._gate.after_commits(origin)
            return summary
        claimed = self._claim(summary, subject)
        try:
            if minds_protection:
                self._respect_protection(update, summary, subject, claimed)
            outcome = self._document.apply(update, summary, subject, later=not whole_state)
        except EngineRefused as error:
            self._keep_refused([update], error)
            if error.poisoned:
                self._gate.hand_over()
                self._reload(self._gate.edits, self.durable_vector())
            raise
        if outcome is Outcome.NOTHING_NEW:
            self._gate.after_commits(origin)
            return summary
        for client in claimed:
            self._owners[client] = subject
        self._version += 1
        joins = outcome is Outcome.APPLIED
        self._gate.take(origin, subject, update, summary, claimed, arrived=arrived, joins=joins)
        return summary

    def _log(self, edit: Edit) -> asyncio.Future[int]:
        try:
            self._document.settle()
        except EngineRefused as error:
            self._keep_refused(edit.updates, error)
            raise
        at = self._shelf.wall_clock()
        update = self._merged(edit.updates)
        edit.entry = Entry(self.name, self._replication.epoch, update, edit.subject, edit.clients, at)
        return self._shelf.log.append(edit.entry)

    def _keep_refused(self, updates: Iterable[bytes], error: EngineRefused) -> None:
        logger.error("the engine refused an update of %s: %s", in_logs(self.name), error)
        for update in updates:
            self._shelf.quarantine.keep(update)

    def _claim(self, summary: UpdateSummary, subject: str) -> tuple[int, ...]:
        """The client ids this update writes under for the first time; refuses another's."""
        claimed: dict[int, None] = {}
        for written in summary.writes:
            owner = self._owners.get(written.client)
            if owner is None:
                claimed[written.client] = None
            elif owner != subject and not self._document.holds(written):
                raise Forged(written.client)
        return tuple(claimed)

    def _respect_protection(
        self, update: bytes, summary: UpdateSummary, subject: str, claimed: Collection[int]
    ) -> None:
        new = frozenset(claimed)

        def mine(client: int) -> bool:
            return self._owners.get(client) == subject or client in new

        match self._document.judge(update, summary, mine):
            case Verdict.PROTECTED:
                raise Protected
            case Verdict.EARLY:
                raise Early

    def _publish(self, batch: list[Edit]) -> None:
        """The gate opens: acknowledge to the writers, show to the readers, tell the other nodes."""
        observer = self._shelf.observer
        now = self._loop.time()
        for edit in batch:
            observer.edits_committed(len(edit.updates), now - edit.arrived)
        update = self._merged([_entry(edit).update for edit in batch])
        writer = batch[0].origin
        alone = all(edit.origin is writer for edit in batch)
        receivers = [
            attachment
            for attachment in self._keeping_up()
            if not (alone and attachment is writer and not attachment.wants_echo)
        ]
        deliveries = broadcast(receivers, lambda framing: framing.update(update))
        for edit in batch:
            edit.origin.committed(len(edit.updates))
        edits = sum(len(edit.updates) for edit in batch)
        observer.fanned_out(self._loop.time() - batch[0].arrived, deliveries * edits)
        if self._shelf.bus.state is not BusState.ALONE:
            self._tell_nodes(batch)
        self._replication.committed([edit.sequence for edit in batch])

    def _tell_nodes(self, batch: Sequence[Edit]) -> None:
        """One message for each run of sequences: another node may have committed in between."""
        run: list[Edit] = []
        for edit in batch:
            if run and edit.sequence != run[-1].sequence + 1:
                self._shelf.bus.send(_told(run))
                run = []
            run.append(edit)
        self._shelf.bus.send(_told(run))
        self._shelf.grown[self.name] = (_entry(run[-1]).epoch, run[-1].sequence)

    def _fail(self, cause: BaseException) -> None:
        """Memory holds what the log does not, or the other way round: tell the writers, load it again."""
        error = cause if isinstance(cause, CrdtError) else Unavailable(str(cause) or type(cause).__name__)
        logger.error("%s starts again from the log: %s", in_logs(self.name), error)
        self._gate.hand_over()
        edits, shown = self._gate.edits, self.durable_vector()
        self._gate.abandon(error)
        for attachment in self.attachments:
            attachment.stale = True
        if self.state is RoomState.ACTIVE:
            self._reload(edits, shown)

    def resume(self) -> None:
        """Asks every writer whose edits were not taken in to send what is missing."""
        if not self.writable:
            return
        for attachment in tuple(self.attachments):
            if attachment.stale:
                attachment.ask_again()

    async def write(self, update: bytes, subject: str) -> None:
        """Takes one update in and returns when it is durable: the REST way of writing.

        Raises what :meth:`submit` raises, and :class:`Unavailable` or :class:`~crdt.errors.LogError` when the
        log cannot take it.
        """
        await self.ready()
        while self._document.unread:
            await asyncio.wait([self._loading])
            await self.ready()
        if not self.writable:
            raise Unavailable(self._shelf.log.health.reason or "too many edits wait for the disk")
        done: asyncio.Future[None] = self._loop.create_future()
        self.submit(update, subject, Waiter(done))
        await done

    # Reading

    @property
    def owners(self) -> Mapping[int, str]:
        """Client id -> the subject it belongs to."""
        return self._owners

    def state_vector(self) -> bytes:
        return self._document.state_vector()

    def send_step1(self, attachment: Attachment) -> None:
        """Asks a client for what this document lacks."""
        attachment.outlet.send(attachment.outlet.framing.step1(self._document.state_vector()))

    def answer(self, attachment: Attachment, state_vector: bytes) -> None:
        """Sends a client what it lacks, as soon as all of that is durable.

        Raises:
            Malformed, LimitExceeded: the state vector is refused.
        """
        read_state_vector(state_vector, self._shelf.limits)
        answer = self._diff(state_vector)

        def depart() -> None:
            outlet = attachment.outlet
            if attachment.attached and outlet.full:
                attachment.postpone_answer()
                return
            attachment.answered(state_vector)
            if not attachment.attached:
                return
            outlet.send(answer.step2.framed(outlet.framing))
            for waiting in answer.updates[1:]:
                outlet.send(outlet.framing.update(waiting))

        self._gate.after_commits(Then(depart, attachment.unanswered))

    def catch_up(self, attachment: Attachment, state_vector: bytes) -> None:
        """Sends a reader that had fallen behind what it missed since ``state_vector``.

        What a failed commit takes away again it need not be sent.
        """
        updates = self._diff(state_vector).updates
        everybody = self._presence.everybody()

        def depart() -> None:
            outlet = attachment.outlet
            if not attachment.attached:
                return
            if outlet.full:
                attachment.postpone_catch_up(state_vector)
                return
            for update in updates:
                outlet.send(outlet.framing.update(update))
            attachment.tell_of(everybody)

        self._gate.after_commits(Then(depart, lambda: attachment.missed(state_vector)))

    def durable_vector(self) -> bytes:
        """A state vector that promises no more than what readers have been shown."""
        if not self.active:  # memory may hold what the log has refused
            return EMPTY_STATE_VECTOR
        return self._document.vector_without(
            [summary for edit in self._gate.edits for summary in edit.summaries]
        )

    def confirm(self, update: bytes, origin: Origin) -> bool:
        """Whether the document holds all of the update; ``origin`` hears when that is durable.

        Raises:
            Malformed, LimitExceeded: the bytes are refused.
        """
        known = self.active and self._document.contains(update, read_update(update, self._shelf.limits))
        if known:
            self._gate.after_commits(origin)
        return known

    async def read(self) -> bytes:
        """The whole committed state as one update, waiting updates included."""
        while True:
            await self.ready()
            updates = self._diff(EMPTY_STATE_VECTOR).updates
            released: asyncio.Future[None] = self._loop.create_future()
            self._gate.after_commits(Waiter(released))
            try:
                await released
            except CrdtError:
                continue
            return self._merged(updates)

    def since(self, state_vector: bytes) -> list[bytes]:
        """What a state vector lacks, durable or about to be: for the server, to write on top of it."""
        return self._document.diff(state_vector)

    def _diff(self, state_vector: bytes) -> _Answer:
        """What a state vector lacks. A class that opens a page together shares one answer."""
        answer = self._answer
        if answer is None or answer.version != self._version or answer.state_vector != state_vector:
            updates = self._document.diff(state_vector)
            shared = Shared(lambda framing: framing.step2(updates[0]))
            answer = self._answer = _Answer(self._version, state_vector, updates, shared)
            if len(updates[0]) > ANSWER_KEPT_BYTES:
                self._loop.call_later(ANSWER_KEPT_SECONDS, self._forget, answer)
        return answer

    def _forget(self, answer: _Answer) -> None:
        if self._answer is answer:
            self._answer = None

    # Presence

    def hear(self, attachment: Attachment, payload: bytes) -> int:
        """Takes a client's awareness update; returns how many entries were not its own to send.

        Raises:
            Malformed, LimitExceeded: the payload is refused.
        """
        entries = decode_awareness(payload, self._shelf.limits, self._presence.known)
        return self._presence.update(
            attachment, attachment.access.subject, entries, attachment.access.presence
        )

    def everybody(self) -> list[bytes]:
        """All presence states as awareness messages; none when nobody is here."""
        return self._presence.everybody()

    def people(self) -> list[Mapping[str, JsonValue]]:
        """The presence states of everybody here, as stamped."""
        return list(self._presence.states().values())

    def restamp(self, attachment: Attachment) -> None:
        self._presence.restamp(attachment, attachment.access.presence)

    def _announce(self, messages: list[bytes], speaker: Hashable | None) -> None:
        receivers = [attachment for attachment in self._keeping_up() if attachment is not speaker]
        for message in messages:
            broadcast(receivers, functools.partial(_awareness, message))

    def _keeping_up(self) -> list[Attachment]:
        """The readers that are sent what happens as it happens."""
        return [attachment for attachment in self.attachments if attachment.behind is None]

    @staticmethod
    def _merged(updates: Sequence[bytes]) -> bytes:
        return updates[0] if len(updates) == 1 else merge(updates)

    # Other nodes

    @property
    def replication(self) -> Replication:
        """How far the document in memory is, compared with the log."""
        return self._replication

    def _hear_node(self, node: str, message: DocumentMessage) -> None:
        if in_a_space(self.name) and self._shelf.rights_outdated():
            return  # somebody here may have been removed meanwhile; the log has it all when rights are known
        match message:
            case Committed():
                self._replication.heard(message)
            case Hint():
                self._replication.behind(message.epoch, message.last)
            case States():
                self._presence.update_from(node, message.states)
            case PresenceQuery():
                self.speak_of_presence()

    def _take_remote(self, updates: Sequence[bytes], owners: Owners) -> None:
        """Puts what another node has committed into the document and shows it, once the document is read."""
        if self._document.unread:
            self._unheard.append((updates, owners))
            return
        new = [update for update in updates if self._document.load(update) is not Outcome.NOTHING_NEW]
        for client, subject in owners:
            self._owners.setdefault(client, subject)
        if new:
            self._version += 1
            update = self._merged(new)
            broadcast(self._keeping_up(), lambda framing: framing.update(update))

    def _spread_presence(self, states: Sequence[RemoteState]) -> None:
        # Whoever a node that stops sends away is about to come back through another.
        if self.state not in (RoomState.DRAINING, RoomState.CLOSED):
            self._shelf.bus.send(States(self.name, tuple(states)))

    def ask_for_presence(self) -> None:
        """Asks the other nodes who is on the document there."""
        self._shelf.bus.send(PresenceQuery(self.name))

    def speak_of_presence(self) -> None:
        """Tells the other nodes who is here."""
        states = self._presence.here()
        if states:
            self._spread_presence(states)

    def node_gone(self, node: str) -> None:
        """Another node is gone, and whoever was here through it."""
        self._presence.node_gone(node)

    def expire_presence(self) -> None:
        """Lets go of people on other nodes that nobody has spoken of for long."""
        self._presence.expire()


def _awareness(message: bytes, framing: Framing) -> bytes:
    return framing.awareness(message)


def _commits(edits: Iterable[Edit]) -> set[asyncio.Future[int]]:
    return {edit.commit for edit in edits if edit.commit is not None}


def _entry(edit: Edit) -> Entry:
    assert edit.entry is not None
    return edit.entry


def _told(run: Sequence[Edit]) -> Committed:
    entries = [_entry(edit) for edit in run]
    first = entries[0]
    owners = tuple((client, entry.subject) for entry in entries for client in entry.clients)
    updates = tuple(entry.update for entry in entries)
    return Committed(first.document, first.epoch, run[0].sequence, updates, owners)
