"""One direction of one connection through a `FaultProxy`."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter, deque
from dataclasses import dataclass

from .resp import RespSplitter

__all__ = ["Direction", "Lane"]

CHUNK = 65_536
MOST_HELD = 1 << 20
"""Bytes in a lane above which it reads no more."""
OVERTAKEN_BY = 3
"""Later messages that pass one which is held back, at most."""
HELD_SECONDS = 0.2
"""How long a message is held back if no later one comes."""
DEAD_SECONDS = 0.5
"""How long a line that drops bytes is dead before it breaks, at most."""


class Direction:
    """The faults of one direction, for all connections; set them at any time.

    Shares are 0 to 1 and concern each message of its own: dropped, else doubled, else held back so that later
    ones overtake it.
    """

    def __init__(self, name: str, *, messages: bool) -> None:
        self.name = name
        self.messages = messages
        self.latency = 0.0
        """Seconds added."""
        self.jitter = 0.0
        """Seconds added besides, at most; the order stays."""
        self.bandwidth: float | None = None
        """Bytes a second."""
        self.drop = 0.0
        self._duplicate = 0.0
        self._reorder = 0.0
        self._open = asyncio.Event()
        self._open.set()

    @property
    def duplicate(self) -> float:
        return self._duplicate

    @duplicate.setter
    def duplicate(self, share: float) -> None:
        self._only_messages()
        self._duplicate = share

    @property
    def reorder(self) -> float:
        return self._reorder

    @reorder.setter
    def reorder(self, share: float) -> None:
        self._only_messages()
        self._reorder = share

    def _only_messages(self) -> None:
        if not self.messages:
            raise ValueError(
                f"TCP neither doubles nor reorders bytes; {self.name} carries no messages known here."
            )

    @property
    def blackhole(self) -> bool:
        return not self._open.is_set()

    @blackhole.setter
    def blackhole(self, on: bool) -> None:
        if on:
            self._open.clear()
        else:
            self._open.set()

    async def passable(self) -> None:
        """Waits until nothing is swallowed here."""
        await self._open.wait()

    def heal(self) -> None:
        self.latency = self.jitter = self.drop = self._duplicate = self._reorder = 0.0
        self.bandwidth = None
        self._open.set()


@dataclass(slots=True)
class _Held:
    data: bytes
    passes: int
    """Messages that are still to overtake it."""
    since: float


class Lane:
    """Carries bytes from a reader to a writer, as well or badly as its direction says.

    `run` returns at the end of the stream, and raises OSError when the line breaks, RespError when what comes
    is not what was promised.
    """

    def __init__(
        self,
        direction: Direction,
        rng: random.Random,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        counts: Counter[str],
    ) -> None:
        self.direction = direction
        self._rng, self._reader, self._writer, self._counts = rng, reader, writer, counts
        self._splitter = RespSplitter() if direction.messages else None
        self._queue: deque[tuple[float, bytes]] = deque()
        """What is under way, and when it arrives."""
        self._bytes = 0
        self._held: list[_Held] = []
        self._last_due = 0.0
        self._complete = False
        self._news = asyncio.Event()
        """For whoever writes."""
        self._room = asyncio.Event()
        """For whoever reads."""

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        try:
            await asyncio.gather(reading, writing)
        finally:
            for task in (reading, writing):
                task.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)

    def end(self) -> None:
        """Says that no more comes; what is under way still arrives."""
        self._complete = True
        self._news.set()

    def flush(self) -> None:
        """Lets everything that is under way arrive now."""
        self._queue = deque((0.0, data) for _, data in self._queue)
        self._last_due = 0.0
        self._release(everything=True)
        self._news.set()

    async def _read(self) -> None:
        while not self._complete:
            await self.direction.passable()
            if self._bytes > MOST_HELD:
                self._room.clear()
                await self._room.wait()
                continue
            data = await self._reader.read(CHUNK)
            if self._complete:
                return
            if not data:
                self.end()
            elif self._splitter is None:
                await self._take_bytes(data)
            else:
                for value in self._splitter.feed(data):
                    if value.is_message:
                        self._take_message(value.data)
                    else:
                        self._send(value.data)

    async def _take_bytes(self, data: bytes) -> None:
        if self.direction.drop and self._rng.random() < self.direction.drop:
            self._counts["dropped"] += 1
            await asyncio.sleep(self._rng.uniform(0.0, DEAD_SECONDS))
            raise ConnectionResetError
        self._send(data)

    def _take_message(self, data: bytes) -> None:
        direction = self.direction
        dropped, doubled, held = (self._rng.random() for _ in range(3))
        passes = self._rng.randint(1, OVERTAKEN_BY)
        if dropped < direction.drop:
            self._counts["dropped"] += 1
        elif doubled < direction.duplicate:
            self._counts["duplicated"] += 1
            self._send(data)
            self._send(data)
        elif held < direction.reorder:
            self._counts["reordered"] += 1
            self._held.append(_Held(data, passes, time.monotonic()))
            self._news.set()
            return
        else:
            self._send(data)
        for each in self._held:
            each.passes -= 1
        self._release()

    def _release(self, *, everything: bool = False) -> None:
        """Lets those go that have been overtaken or have waited long enough."""
        latest = time.monotonic() - HELD_SECONDS
        held, self._held = self._held, []
        for each in held:
            if everything or each.passes <= 0 or each.since <= latest:
                self._send(each.data)
            else:
                self._held.append(each)

    def _send(self, data: bytes) -> None:
        direction = self.direction
        due = max(time.monotonic(), self._last_due if direction.bandwidth else 0.0)
        if direction.latency or direction.jitter:
            due += direction.latency + self._rng.uniform(0.0, direction.jitter)
        if direction.bandwidth:
            due += len(data) / direction.bandwidth
        self._last_due = max(due, self._last_due)
        self._queue.append((self._last_due, data))
        self._bytes += len(data)
        self._news.set()

    async def _write(self) -> None:
        while self._queue or self._held or not self._complete:
            self._release(everything=self._complete)
            if not self._queue:
                await self._wait(HELD_SECONDS if self._held else None)
                continue
            due, data = self._queue[0]
            if (wait := due - time.monotonic()) > 0:
                await self._wait(wait)
                continue
            await self.direction.passable()
            self._queue.popleft()
            self._bytes -= len(data)
            self._room.set()
            if self._writer.is_closing():
                raise ConnectionResetError
            self._writer.write(data)
            await self._writer.drain()
        await self.direction.passable()
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write_eof()

    async def _wait(self, seconds: float | None) -> None:
        """Until there is something new, or so much time has passed."""
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
