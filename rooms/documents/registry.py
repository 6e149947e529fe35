"""All live rooms of this node: opened once each, kept while somebody is there, let go when quiet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress

from crdt.errors import LogError
from crdt.log import Head, Log, LogHealth
from rooms.bus import BusState
from rooms.documents.attachment import Attachment
from rooms.documents.errors import Unavailable
from rooms.documents.live import LiveRoom, Shelf

__all__ = ["Registry"]


CURRENT_SECONDS = 2.0
"""How long an opener waits for the log to say whether another node has written more."""


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
        self._heads = _Heads(shelf.log)
        self.on_open: list[Callable[[str], None]] = []
        """Called with the name of a document whose live room is being opened here."""
        self._draining = False
        self._unsubscribe = shelf.log.on_health(self._health_changed)

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[LiveRoom]:
        return iter(tuple(self._rooms.values()))

    def attachments(self) -> Iterator[Attachment]:
        for room in self:
            yield from tuple(room.attachments)

    def get(self, name: str) -> LiveRoom | None:
        """The live room of a document, if there is one."""
        return self._rooms.get(name)

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
            for listener in self.on_open:
                listener(name)
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
            await self.current(room)
            yield room
        finally:
            self.release(room)

    async def current(self, room: LiveRoom) -> None:
        """Waits until a room can be used, and holds what any node had committed when this was called.

        While the log cannot be asked, it holds what this node knows.

        Raises:
            Unavailable: the room closed before that.
        """
        fresh = not room.active  # then it is about to be read from the log
        await room.ready()
        if fresh or self.shelf.bus.state is BusState.ALONE:
            return
        with suppress(LogError, TimeoutError):
            async with asyncio.timeout(CURRENT_SECONDS):
                head = await self._heads.ask(room.name)
                if head is not None:
                    await room.replication.reach(head.epoch, head.seq)
        await room.ready()

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


class _Heads:
    """Asks the log for heads, once for all who ask while the last question is under way."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._names: set[str] = set()
        self._next: asyncio.Task[Mapping[str, Head]] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, document: str) -> Head | None:
        """The document's head, read after this was called. Raises LogUnavailable."""
        self._names.add(document)
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        return (await asyncio.shield(self._next)).get(document)

    async def _read(self) -> Mapping[str, Head]:
        async with self._one_at_a_time:
            self._next = None
            names, self._names = self._names, set()
            return await self._log.heads(names)
