"""A line that can be made bad: a TCP proxy on this machine with faults that are switched while it runs.

    async with FaultProxy(postgres.port, seed=7) as proxy:
        url = proxy.through(postgres.url)
        proxy.latency = 0.2
        proxy.down.blackhole = True
        await proxy.heal()

`up` is the way from the client to the target, `down` the way back. A blackholed way behaves as TCP does in a
network that is cut: connections are not told, what was sent waits (the sender's buffers fill), and all of it
arrives, in order, once the cut is healed; also the end of a connection that was closed meanwhile.

What happens to the n-th message of the m-th connection in one direction depends on the seed alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import select
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

from .lane import Direction, Lane
from .resp import RespError

__all__ = ["Direction", "FaultProxy"]


class FaultProxy:
    """Listens on a free port of 127.0.0.1 (`port`) and forwards to the port `target` of this machine.

    seed: drawn and kept in `seed` unless given.
    resp: the target is a Redis, so that `drop`, `duplicate` and `reorder` meet whole messages of its channels
        and leave the rest of the stream alone. Else `drop` is a line that goes dead and breaks, and the other
        two cannot be.
    """

    def __init__(self, target: int, *, seed: int | None = None, resp: bool = False) -> None:
        self.target = target
        self.seed = secrets.randbits(32) if seed is None else seed
        self.resp = resp
        self.up, self.down = Direction("up", messages=False), Direction("down", messages=resp)
        self.refusing = False
        """Ends each new connection at once."""
        self.counts: Counter[str] = Counter()
        """What has happened so far: connections, dropped, duplicated, reordered, resets."""
        self.failure: RespError | None = None
        """What the target sent that is no RESP, if it ever did; that connection was reset."""
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()

    def through(self, url: str) -> str:
        """The target's URL with this proxy in between."""
        parts = urlsplit(url)
        account = f"{parts.username}@" if parts.username else ""
        return urlunsplit(parts._replace(netloc=f"{account}127.0.0.1:{self.port}"))

    # Faults of both ways at once

    @property
    def latency(self) -> float:
        """Seconds added to each way."""
        return max(self.up.latency, self.down.latency)

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.up.latency = self.down.latency = seconds

    @property
    def jitter(self) -> float:
        return max(self.up.jitter, self.down.jitter)

    @jitter.setter
    def jitter(self, seconds: float) -> None:
        self.up.jitter = self.down.jitter = seconds

    @property
    def bandwidth(self) -> float | None:
        """Bytes a second of each way; None: no limit."""
        return self.up.bandwidth

    @bandwidth.setter
    def bandwidth(self, rate: float | None) -> None:
        self.up.bandwidth = self.down.bandwidth = rate

    @property
    def blackhole(self) -> bool:
        """Nothing passes, either way."""
        return self.up.blackhole and self.down.blackhole

    @blackhole.setter
    def blackhole(self, on: bool) -> None:
        self.up.blackhole = self.down.blackhole = on

    def reset(self) -> None:
        """Breaks every connection (RST to both ends)."""
        for connection in list(self._connections.values()):
            connection.reset()

    def half_close(self, direction: Direction) -> None:
        """Ends one way of every connection (FIN); the other way goes on."""
        for connection in list(self._connections.values()):
            connection.half_close(direction)

    async def heal(self) -> None:
        """Ends all faults; what was held back is on its way when this returns."""
        self.refusing = False
        for direction in (self.up, self.down):
            direction.heal()
        for connection in self._connections.values():
            connection.flush()
        await asyncio.sleep(0)

    @property
    def connections(self) -> int:
        """Connections that stand."""
        return len(self._connections)

    # Connections

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.counts["connections"] += 1
        connection = _Connection(self, self.counts["connections"], reader, writer)
        self._connections[task] = connection
        try:
            await connection.serve()
        except asyncio.CancelledError:
            pass  # the streams' own callback would report it
        finally:
            del self._connections[task]


class _Connection:
    def __init__(
        self,
        proxy: FaultProxy,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._proxy, self._number = proxy, number
        self._client = reader, writer
        self._writers = [writer]
        self._lanes: list[Lane] = []
        self._ended = asyncio.Event()

    async def serve(self) -> None:
        proxy = self._proxy
        try:
            if proxy.refusing:
                self.reset()
                return
            for direction in (proxy.up, proxy.down, proxy.up):
                await direction.passable()
            if _has_gone(self._client[1]):
                return  # through a cut line it would never have come to be
            try:
                target = await asyncio.open_connection("127.0.0.1", proxy.target)
            except OSError:
                self.reset()
                return
            self._writers.append(target[1])
            self._lanes = [
                Lane(proxy.up, self._random(proxy.up), self._client[0], target[1], proxy.counts),
                Lane(proxy.down, self._random(proxy.down), target[0], self._client[1], proxy.counts),
            ]
            await self._relay()
        finally:
            for writer in self._writers:
                writer.close()
            for writer in self._writers:
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    def _random(self, direction: Direction) -> random.Random:
        return random.Random(f"{self._proxy.seed} {self._number} {direction.name}")

    async def _relay(self) -> None:
        """Until both ways have ended, one of them broke, or it was reset."""
        ended: asyncio.Task[Any] = asyncio.create_task(self._ended.wait())
        lanes = [asyncio.create_task(lane.run()) for lane in self._lanes]
        try:
            pending: set[asyncio.Task[Any]] = {*lanes}
            while pending:
                done, _ = await asyncio.wait({*pending, ended}, return_when=asyncio.FIRST_COMPLETED)
                if ended in done:
                    return
                pending -= done
                for task in done:
                    task.result()
        except OSError:
            self.reset()
        except RespError as error:
            self._proxy.failure = error
            self.reset()
        finally:
            for task in (ended, *lanes):
                task.cancel()
            await asyncio.gather(ended, *lanes, return_exceptions=True)

    def reset(self) -> None:
        self._proxy.counts["resets"] += 1
        for writer in self._writers:
            with contextlib.suppress(OSError), _socket(writer) as line:  # it may be closed already
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._ended.set()

    def flush(self) -> None:
        for lane in self._lanes:
            lane.flush()

    def half_close(self, direction: Direction) -> None:
        for lane in self._lanes:
            if lane.direction is direction:
                lane.end()


@contextlib.contextmanager
def _socket(writer: asyncio.StreamWriter) -> Iterator[socket.socket]:
    """A second handle on the socket of a stream, of whichever event loop. Raises OSError for a closed one."""
    known = writer.get_extra_info("socket")
    if known is None:
        raise OSError("The socket is closed.")
    line = socket.socket(fileno=socket.dup(known.fileno()))
    try:
        yield line
    finally:
        line.close()


def _has_gone(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end has closed, even if what it sent before has not been read."""
    poll = select.poll()
    poll.register(writer.get_extra_info("socket").fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))
