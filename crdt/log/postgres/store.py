"""The log on PostgreSQL as compaction and retention see it: several nodes, a lease on each piece of work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from crdt.errors import LogError
from crdt.log import LogFigures, LogSettings
from crdt.log.postgres import reader
from crdt.log.postgres.connections import Connection, Sessions
from crdt.log.postgres.schema import key_of, snapshot_checksum
from crdt.log.store import Foldable, Lease

__all__ = ["LEASE_SECONDS", "PostgresStore"]

LEASE_SECONDS = 180.0
"""Longer than a merge may take. Of the database's clock: those of the nodes may be an hour off."""

_GIVE_BACK_SECONDS = 2.0
_UNSEEN_DAYS = 30.0
"""After so long without a sign of life a node's row is removed, and with it what became of its last call."""


class PostgresStore:
    """Implements `crdt.log.store.Store`. Every method may be done twice: after a lost answer it is."""

    def __init__(
        self,
        sessions: Sessions,
        settings: LogSettings,
        figures: LogFigures,
        holder: int,
        clock: Callable[[], float],
    ) -> None:
        """holder: the id of this node's writer, for whoever looks at the leases."""
        self.settings = settings
        self.figures = figures
        self._sessions = sessions
        self._holder = holder
        self._clock = clock

    @asynccontextmanager
    async def lease(self, work: str) -> AsyncIterator[Lease | None]:
        key = key_of(work)
        statement = "CALL log.take_lease($1, $2, $3, NULL)"
        fence = await self._call(statement, key, self._holder, LEASE_SECONDS)
        if fence is None:
            yield None
            return
        try:
            yield Lease(work, fence)
        finally:
            with contextlib.suppress(LogError, TimeoutError):  # it runs out by itself
                async with asyncio.timeout(_GIVE_BACK_SECONDS):
                    await self._call("CALL log.give_lease_back($1, $2)", key, fence)

    async def quarantined(self) -> Collection[str]:
        return await self._sessions.run(reader.quarantined)

    async def long_tails(self, updates: int, size: int) -> Collection[str]:
        return await self._sessions.run(partial(reader.over_threshold, updates=updates, size=size))

    async def foldable(self, document: str) -> Foldable | None:
        return await self._sessions.run(partial(reader.read_foldable, name=document))

    async def swap(self, found: Foldable, snapshot: bytes, lease: Lease) -> bool:
        stored = found.stored
        at = round(self._clock() * 1000)
        done = await self._call(
            "CALL log.swap($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)",
            key_of(lease.work),
            lease.fence,
            found.id,
            stored.snapshot_seq,
            stored.epoch,
            stored.head_seq,
            at,
            snapshot_checksum(stored.document, stored.head_seq, stored.epoch, at, snapshot),
            snapshot,
        )
        return bool(done)

    async def quarantine(self, document: str, reason: str) -> None:
        await self._call("CALL log.quarantine($1, $2)", key_of(document), reason.replace("\0", ""))

    async def remove_deleted(self, limit: int) -> bool:
        return bool(await self._call("CALL log.remove_deleted($1, NULL)", limit))

    async def with_old_history(
        self, after: int, before: float, limit: int
    ) -> tuple[Collection[int], int | None]:
        look = partial(reader.documents_with_old_history, after=after, before=before, limit=limit)
        return await self._sessions.run(look)

    async def prune_history(self, document: int, before: float, limit: int) -> int:
        statement = "CALL log.prune_history($1, $2, $3, NULL)"
        return int(await self._call(statement, document, round(before * 1000), limit))

    async def tidy(self) -> None:
        await self._call("CALL log.tidy($1)", _UNSEEN_DAYS)

    async def _call(self, statement: str, *arguments: Any) -> Any:
        """The one value that a procedure answers."""
        call: Callable[[Connection], Awaitable[Any]] = partial(_fetch, statement, arguments)
        return await self._sessions.run(call)


async def _fetch(statement: str, arguments: tuple[Any, ...], connection: Connection) -> Any:
    rows = await connection.fetch(statement, *arguments)
    return rows[0][0] if rows else None
