"""A line to PostgreSQL that is cut, or stops, after a chosen number of bytes."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

__all__ = ["CutLine"]

Way = Literal["up", "down"]
SYNC = b"S\0\0\0\4"
"""The last message of a request. Before it comes Execute, of 10 bytes."""


class CutLine:
    """A TCP proxy. What is told to it concerns the connections that are open at that moment, each of which
    counts from then on; new ones run freely."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._parts = parts
        self._target = parts.port
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = urlunsplit(self._parts._replace(netloc=f"{self._parts.username}@127.0.0.1:{port}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self, way: Way, after: int) -> None:
        """Reset both ends once so many bytes have passed one way."""
        for connection in self._connections:
            connection.limits[way] = after
            connection.held.clear()

    def hold(self, way: Way, after: int) -> None:
        """Let nothing more pass one way once so many bytes have, until `release`; not even the end."""
        for connection in self._connections:
            connection.limits[way] = after
            connection.held.add(way)
            connection.released.clear()

    def hold_end(self, last: int) -> None:
        """The last bytes of the next request, which ends with the protocol's Sync, wait for `release`."""
        for connection in self._connections:
            connection.kept_back = last
            connection.held.add("up")
            connection.released.clear()

    def release(self) -> None:
        """What was held passes."""
        for connection in self._connections:
            connection.limits.clear()
            connection.kept_back = 0
            connection.released.set()

    def count(self) -> None:
        """Begin to count anew."""
        for connection in self._connections:
            connection.passed = {"up": 0, "down": 0}

    def passed(self, way: Way) -> int:
        """How many bytes at most passed one way on one connection."""
        return max(connection.passed[way] for connection in self._connections)

    @property
    def holding(self) -> int:
        """How many connections have something to pass on when they may."""
        return sum(connection.is_holding for connection in self._connections)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = _Connection(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            connection.far = far_writer
            self._connections.add(connection)
            async with asyncio.TaskGroup() as both:
                both.create_task(connection.pump("up", reader, far_writer))
                both.create_task(connection.pump("down", far_reader, writer))
        except* OSError:
            pass
        finally:
            self._connections.discard(connection)
            self._tasks.discard(task)
            connection.end()


class _Connection:
    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.limits: dict[Way, int] = {}
        self.kept_back = 0
        self.is_holding = False
        self.held: set[Way] = set()
        self.released = asyncio.Event()
        self.passed: dict[Way, int] = {"up": 0, "down": 0}

    async def pump(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            with contextlib.suppress(ConnectionError):
                data = await reader.read(65536)
                if way == "up" and self.kept_back and data.endswith(SYNC):
                    self.limits[way] = max(0, len(data) - self.kept_back)
                    self.kept_back = 0
                if way in self.limits and len(data) >= self.limits[way]:
                    first, data = data[: self.limits[way]], data[self.limits[way] :]
                    await self._pass(way, writer, first)
                    if way not in self.held:
                        self.end()
                        return
                    self.is_holding = True
                    await self.released.wait()
                    self.is_holding = False
                elif way in self.limits:
                    self.limits[way] -= len(data)
                if data:
                    await self._pass(way, writer, data)
                    continue
            break
        writer.close()

    async def _pass(self, way: Way, writer: asyncio.StreamWriter, data: bytes) -> None:
        self.passed[way] += len(data)
        writer.write(data)
        await writer.drain()

    def end(self) -> None:
        for each in (self.near, self.far):
            if each is not None:
                each.transport.abort()
