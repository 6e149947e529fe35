"""What all connections of a node share: one write a turn each, one tick a second for all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Switchboard"]


class Switchboard:
    """What all connections of a node share: one write a turn each, one tick a second for all.

    Every connection is looked at each ``len(buckets)`` seconds, so that a tick's work is a fraction
    of the connections; those with a deadline are looked at every second.
    """

    BUCKETS = 8
    IDLE_AFTER = 2
    """Looks in a row (of BUCKETS seconds) with nothing sent before something is: 16 to 24 seconds, where
    stock clients give up after 30."""
    DEAD_AFTER = 4
    """Looks in a row without a byte from the peer, pings unanswered, before it is given up."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._dirty: list[Connection] = []
        self._buckets: list[set[Connection]] = [set() for _ in range(self.BUCKETS)]
        self._deadlines: dict[Connection, float] = {}
        self._turn = 0
        self._next_bucket = 0

    def __len__(self) -> int:
        return sum(len(bucket) for bucket in self._buckets)

    def connections(self) -> list[Connection]:
        return [connection for bucket in self._buckets for connection in bucket]

    def add(self, connection: Connection) -> int:
        self._next_bucket = (self._next_bucket + 1) % self.BUCKETS
        self._buckets[self._next_bucket].add(connection)
        return self._next_bucket

    def remove(self, connection: Connection, bucket: int) -> None:
        self._buckets[bucket].discard(connection)
        self._deadlines.pop(connection, None)

    def set_deadline(self, connection: Connection, seconds: float | None) -> None:
        """Aborts the connection after so many seconds unless called again; ``None`` lifts it."""
        if seconds is None:
            self._deadlines.pop(connection, None)
        else:
            self._deadlines[connection] = self._loop.time() + seconds

    def mark(self, connection: Connection) -> None:
        """Has the connection written to at the end of this turn."""
        if not self._dirty:
            self._loop.call_soon(self._flush)
        self._dirty.append(connection)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.flush()

    def tick(self) -> None:
        """Called once a second."""
        now = self._loop.time()
        for connection, deadline in tuple(self._deadlines.items()):
            if deadline <= now:
                connection.deadline_passed()
        self._turn = (self._turn + 1) % self.BUCKETS
        for connection in tuple(self._buckets[self._turn]):
            connection.look()
