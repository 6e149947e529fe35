"""A real SQLite log with a gate in front of its appends, to make it slow, failing or hanging at will."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from crdt.errors import LogUnavailable
from crdt.log import Entry, Head, LogHealth, Stored
from crdt.log.sqlite import SqliteLog

__all__ = ["GatedLog"]


class GatedLog:
    """Everything goes to the real log; appends wait while ``hold`` is on and fail while ``fail`` is."""

    def __init__(self, data: Path) -> None:
        self.real = SqliteLog(data)
        self.appended: list[Entry] = []
        self._gate = asyncio.Event()
        self._gate.set()
        self._failing = False
        self._waiting: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[LogHealth], None]] = []
        self._health = LogHealth(True, "ok", "", 0.0)

    async def open(self) -> None:
        await self.real.open()

    async def close(self) -> None:
        self._gate.set()
        if self._waiting:
            await asyncio.wait(self._waiting)
        await self.real.close()

    def hold(self) -> None:
        """Appends hang from now on."""
        self._gate.clear()

    def release(self) -> None:
        """The appends that hang go to the disk, in order."""
        self._gate.set()

    def fail(self) -> None:
        """Appends fail from now on, those that hang included, as on a full disk."""
        self._failing = True
        self._gate.set()
        self._set_health(LogHealth(False, "disk-full", "The disk is full.", 1.0))

    def heal(self) -> None:
        self._failing = False
        self._set_health(LogHealth(True, "ok", "", 2.0))

    def _set_health(self, health: LogHealth) -> None:
        self._health = health
        for listener in tuple(self._listeners):
            listener(health)

    @property
    def health(self) -> LogHealth:
        return self._health

    def on_health(self, callback: Callable[[LogHealth], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def append(self, entry: Entry) -> asyncio.Future[int]:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.appended.append(entry)
        task = asyncio.ensure_future(self._append(entry, done))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return done

    async def _append(self, entry: Entry, done: asyncio.Future[int]) -> None:
        await self._gate.wait()
        if self._failing:
            done.set_exception(LogUnavailable("The disk is full.", "disk-full"))
            return
        try:
            done.set_result(await self.real.append(entry))
        except Exception as error:
            done.set_exception(error)

    async def load(self, document: str) -> Stored:
        return await self.real.load(document)

    async def heads(self, documents: Collection[str]) -> Mapping[str, Head]:
        return await self.real.heads(documents)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)
