"""The gate (design promise 1): what leaves a room waits here, in order, behind the commits it rests on.

An edit waits for its own commit. An answer to a joiner, or a status for an update that was known already,
rests on every edit taken in before it. So all of them stand in one queue of *flights*, and whatever is at its
front and durable leaves as one batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from crdt.log import Entry
from crdt.update import UpdateSummary

__all__ = ["Edit", "Gate", "Origin", "Then", "Waiter"]


class Origin(Protocol):
    """Whoever sent an update and wants to hear what became of it."""

    def committed(self) -> None:
        """The update is durable."""
        ...

    def lost(self, error: Exception) -> None:
        """The update did not become durable and is not in the document."""
        ...


@dataclass(slots=True)
class Edit:
    """An edit on its way into the log."""

    origin: Origin
    commit: asyncio.Future[int]
    """The log's promise of a sequence number."""
    entry: Entry
    summary: UpdateSummary
    arrived: float
    """When its bytes came, in the loop's seconds."""

    @property
    def sequence(self) -> int:
        """Its place in the log, once it is committed."""
        return self.commit.result()


class Gate:
    """The flights of one room. All methods belong to the loop's thread."""

    def __init__(
        self,
        opened: Callable[[list[Edit]], None],
        failed: Callable[[BaseException], None],
        emptied: Callable[[], None],
    ) -> None:
        """opened: hears of edits that are durable, in order. failed: hears why a commit did not happen; the
        flights are still here. emptied: nothing waits any more."""
        self.waiting_bytes = 0
        """Bytes of the edits that wait for their commit."""
        self._opened = opened
        self._failed = failed
        self._emptied = emptied
        self._flights: deque[Edit | Origin] = deque()

    def __bool__(self) -> bool:
        return bool(self._flights)

    @property
    def edits(self) -> list[Edit]:
        """What waits for its commit."""
        return [flight for flight in self._flights if isinstance(flight, Edit)]

    def take(self, edit: Edit) -> None:
        """Queues an edit that was handed to the log."""
        self._flights.append(edit)
        self.waiting_bytes += len(edit.entry.update)
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
            origin = flight.origin if isinstance(flight, Edit) else flight
            origin.lost(error)

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
            if not flight.commit.done():
                break
            failure = asyncio.CancelledError() if flight.commit.cancelled() else flight.commit.exception()
            if failure is not None:
                break
            self._flights.popleft()
            self.waiting_bytes -= len(flight.entry.update)
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

    def committed(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def lost(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(slots=True)
class Then:
    """An origin that does something once the commits are done, or something else when they failed."""

    depart: Callable[[], None]
    drop: Callable[[], None]

    def committed(self) -> None:
        self.depart()

    def lost(self, error: Exception) -> None:
        self.drop()
