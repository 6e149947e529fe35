"""All live rooms of this node: opened once each, kept while somebody is there, let go when quiet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from crdt.log import LogHealth

from .attachment import Attachment
from .errors import Unavailable
from .live import LiveRoom, Shelf

__all__ = ["Registry"]


class Registry:
    """Document name -> live room.

    A room stays while it is held: by an attachment, or by a request inside :meth:`open`. After
    ``quiet`` seconds without a holder, and with nothing waiting for a commit, it is let go.
    """

    def __init__(self, shelf: Shelf, *, quiet: float = 30.0) -> None:
        self.shelf = shelf
        self._quiet = quiet
        self._rooms: dict[str, LiveRoom] = {}
        self._holders: dict[str, int] = {}
        self._quiet_since: dict[str, float] = {}
        """Rooms that nobody holds, and since when (monotonic seconds), oldest first."""
        self._draining = False
        self._unsubscribe = shelf.log.on_health(self._health_changed)

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[LiveRoom]:
        return iter(tuple(self._rooms.values()))

    def attachments(self) -> Iterator[Attachment]:
        for room in self:
            yield from tuple(room.attachments)

    @property
    def draining(self) -> bool:
        return self._draining

    def acquire(self, name: str) -> LiveRoom:
        """Gets or starts the one live room of a document; pair it with :meth:`release`.

        Raises:
            Unavailable: the node is shutting down.
        """
        if self._draining:
            raise Unavailable("the server is restarting")
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = LiveRoom(name, self.shelf)
        self._holders[name] = self._holders.get(name, 0) + 1
        self._quiet_since.pop(name, None)
        return room

    def release(self, room: LiveRoom) -> None:
        """Gives back one :meth:`acquire`."""
        if self._draining:
            return
        left = self._holders[room.name] - 1
        if left:
            self._holders[room.name] = left
            return
        del self._holders[room.name]
        self._quiet_since[room.name] = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[LiveRoom]:
        """Holds a ready room for the length of a block.

        Raises:
            Unavailable: the node is shutting down.
        """
        room = self.acquire(name)
        try:
            await room.ready()
            yield room
        finally:
            self.release(room)

    def sweep(self) -> int:
        """Lets quiet rooms go and returns how many; called once a second by the node's ticker."""
        now = asyncio.get_running_loop().time()
        closed = 0
        for name, since in tuple(self._quiet_since.items()):
            if now - since < self._quiet:
                break
            room = self._rooms[name]
            if room.busy:
                continue
            del self._quiet_since[name]
            del self._rooms[name]
            room.close()
            closed += 1
        return closed

    async def drain(self) -> None:
        """Takes in nothing new, waits for every commit in flight and closes all rooms. Twice is fine."""
        if not self._draining:
            self._draining = True
            self._unsubscribe()
        await asyncio.gather(*(room.drain() for room in self))
        self._rooms.clear()
        self._holders.clear()
        self._quiet_since.clear()

    def _health_changed(self, _health: LogHealth) -> None:
        """The log failed or came back: say so, and ask writers for what was not taken in."""
        for room in self:
            for attachment in tuple(room.attachments):
                attachment.outlet.notify(self.log_notice())
            room.resume()

    def log_notice(self) -> dict[str, object]:
        """What our own client is told of the log: the truth behind Saved and Not saved."""
        health = self.shelf.log.health
        return {
            "type": "log",
            "state": "ok" if health.ok else "failing",
            "reason": "" if health.ok else health.code,
        }
