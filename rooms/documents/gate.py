"""The gate (design promise 1): what leaves a room waits here, in order, behind the commits it rests on.

An edit waits for its own commit. An answer to a joiner, or a status for an update that was known already,
rests on every edit taken in before it. So all of them stand in one queue of *flights*, and whatever is at its
front and durable leaves as one batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from crdt.errors import CrdtError
from crdt.log import Entry
from crdt.update import UpdateSummary

__all__ = ["Edit", "Gate", "Origin", "Then", "Waiter"]

EDIT_UPDATES = 200
"""Updates in one edit: merging them is quadratic in their number."""
EDIT_BYTES = 64 * 1024
"""Their bytes: larger ones gain nothing by company."""


class Origin(Protocol):
    """Whoever sent an update and wants to hear what became of it."""

    def committed(self, count: int = 1) -> None:
        """So many updates are durable."""
        ...

    def lost(self, error: Exception, count: int = 1) -> None:
        """So many updates did not become durable and are not in the document."""
        ...


@dataclass(slots=True)
class Edit:
    """Updates of one origin that came in one turn of the loop, on their way into the log as one entry."""

    origin: Origin
    subject: str
    arrived: float
    """When the bytes of the first came, in the loop's seconds."""
    updates: list[bytes] = field(default_factory=list)
    summaries: list[UpdateSummary] = field(default_factory=list)
    clients: tuple[int, ...] = ()
    """Client ids the subject writes under for the first time."""
    size: int = 0
    """Bytes of the updates."""
    entry: Entry | None = None
    """What was handed to the log; ``None`` before that."""
    commit: asyncio.Future[int] | None = None
    """The log's promise of a sequence number; ``None`` before that."""

    def add(self, update: bytes, summary: UpdateSummary, clients: tuple[int, ...]) -> None:
        self.updates.append(update)
        self.summaries.append(summary)
        self.clients += clients
        self.size += len(update)

    @property
    def sequence(self) -> int:
        """Its place in the log, once it is committed."""
        assert self.commit is not None
        return self.commit.result()


class Gate:
    """The flights of one room. All methods belong to the loop's thread."""

    def __init__(
        self,
        log: Callable[[Edit], asyncio.Future[int]],
        opened: Callable[[list[Edit]], None],
        failed: Callable[[BaseException], None],
        emptied: Callable[[], None],
    ) -> None:
        """log: hands an edit to the log; what it raises is why the commit did not happen. opened: hears of
        edits that are durable, in order. failed: hears why a commit did not happen; the flights are still
        here. emptied: nothing waits any more."""
        self.waiting_bytes = 0
        """Bytes of the edits that wait for their commit."""
        self._loop = asyncio.get_running_loop()
        self._log = log
        self._opened = opened
        self._failed = failed
        self._emptied = emptied
        self._flights: deque[Edit | Origin] = deque()
        self._growing: Edit | None = None
        """The last edit, while more of its origin may join it."""

    def __bool__(self) -> bool:
        return bool(self._flights)

    @property
    def edits(self) -> list[Edit]:
        """What waits for its commit."""
        return [flight for flight in self._flights if isinstance(flight, Edit)]

    def take(
        self,
        origin: Origin,
        subject: str,
        update: bytes,
        summary: UpdateSummary,
        clients: tuple[int, ...],
        *,
        arrived: float,
        joins: bool,
    ) -> None:
        """Queues an applied update for the log, together with others of its origin if it comes in one turn
        with them and ``joins``: an entry costs the same whatever is in it."""
        edit = self._growing
        if not (
            joins
            and edit is not None
            and edit.origin is origin
            and edit.subject == subject
            and len(edit.updates) < EDIT_UPDATES
            and edit.size + len(update) <= EDIT_BYTES
        ):
            self.hand_over()
            edit = self._growing = Edit(origin, subject, arrived)
            self._flights.append(edit)
            self._loop.call_soon(self.hand_over)
        edit.add(update, summary, clients)
        self.waiting_bytes += len(update)
        if not joins:
            self.hand_over()

    def hand_over(self) -> None:
        """Hands what was taken in this turn to the log."""
        edit, self._growing = self._growing, None
        if edit is not None:
            try:
                edit.commit = self._log(edit)
            except CrdtError as error:
                edit.commit = self._loop.create_future()
                edit.commit.set_exception(error)
            edit.commit.add_done_callback(self.settle)

    def after_commits(self, origin: Origin) -> None:
        """Tells ``origin`` when every edit taken in so far is durable, or that one of them was lost."""
        if self._flights:
            self._flights.append(origin)
        else:
            origin.committed()

    def abandon(self, error: Exception) -> None:
        """Gives up everything that waits, and tells whoever sent it."""
        lost, self._flights = self._flights, deque()
        self.waiting_bytes = 0
        for flight in lost:
            if isinstance(flight, Edit):
                flight.origin.lost(error, len(flight.updates))
            else:
                flight.lost(error)

    def settle(self, done: asyncio.Future[int] | None = None) -> None:
        """Lets go, in order, of everything whose commits are done, as one batch."""
        if done is not None and not done.cancelled():
            done.exception()  # looked at here, since a flight may have been given up before
        batch: list[Edit] = []
        failure: BaseException | None = None
        while self._flights:
            flight = self._flights[0]
            if not isinstance(flight, Edit):
                self._flights.popleft()
                flight.committed()
                continue
            if flight.commit is None or not flight.commit.done():
                break
            failure = asyncio.CancelledError() if flight.commit.cancelled() else flight.commit.exception()
            if failure is not None:
                break
            self._flights.popleft()
            self.waiting_bytes -= flight.size
            batch.append(flight)
        if batch:
            self._opened(batch)
        if failure is not None:
            self._failed(failure)
        elif not self._flights:
            self._emptied()


@dataclass(slots=True)
class Waiter:
    """An origin that waits in a coroutine."""

    done: asyncio.Future[None]

    def committed(self, count: int = 1) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def lost(self, error: Exception, count: int = 1) -> None:
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(slots=True)
class Then:
    """An origin that does something once the commits are done, or something else when they failed."""

    depart: Callable[[], None]
    drop: Callable[[], None]

    def committed(self, count: int = 1) -> None:
        self.depart()

    def lost(self, error: Exception, count: int = 1) -> None:
        self.drop()
