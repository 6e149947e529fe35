"""The embedded log as compaction and retention see it."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol, TypeVar

from crdt.log import LogFigures, LogSettings
from crdt.log.sqlite import reader, transactions
from crdt.log.store import Foldable, Lease

__all__ = ["SqliteStore"]

T = TypeVar("T")


class _Log(Protocol):
    settings: LogSettings

    @property
    def figures(self) -> LogFigures: ...

    async def read(self, function: Callable[..., T]) -> T: ...

    async def write(self, function: Callable[..., T], size: int = 0) -> T: ...


class SqliteStore:
    """Implements `crdt.log.store.Store`. One process holds the folder, so every lease is granted."""

    def __init__(self, log: _Log, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock

    @property
    def settings(self) -> LogSettings:
        return self._log.settings

    @property
    def figures(self) -> LogFigures:
        return self._log.figures

    @asynccontextmanager
    async def lease(self, work: str) -> AsyncIterator[Lease | None]:
        yield Lease(work, 0)

    async def quarantined(self) -> Collection[str]:
        return await self._log.read(reader.quarantined)

    async def long_tails(self, updates: int, size: int) -> Collection[str]:
        return await self._log.read(partial(reader.over_threshold, updates=updates, size=size))

    async def foldable(self, document: str) -> Foldable | None:
        return await self._log.read(partial(reader.read_foldable, name=document))

    async def swap(self, found: Foldable, snapshot: bytes, lease: Lease) -> bool:
        replace = partial(transactions.replace_tail, found=found, snapshot=snapshot, at=self._clock())
        return await self._log.write(replace, len(snapshot))

    async def quarantine(self, document: str, reason: str) -> None:
        await self._log.write(partial(transactions.quarantine, name=document, reason=reason))

    async def remove_deleted(self, limit: int) -> bool:
        if not await self._log.read(reader.has_deleted):
            return False
        await self._log.write(partial(transactions.remove_deleted, limit=limit))
        return True

    async def with_old_history(
        self, after: int, before: float, limit: int
    ) -> tuple[Collection[int], int | None]:
        look = partial(reader.documents_with_old_history, after=after, before=before, limit=limit)
        return await self._log.read(look)

    async def prune_history(self, document: int, before: float, limit: int) -> int:
        prune = partial(transactions.prune_history, document=document, before=before, limit=limit)
        return await self._log.write(prune)

    async def tidy(self) -> None:
        """There is nothing."""
