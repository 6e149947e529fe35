"""The log on PostgreSQL: one writing session of group commits, a few for everything else, for any number of
nodes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, TypeVar

from crdt.errors import LogError, LogUnavailable, StaleEpoch
from crdt.log import (
    FIRST_EPOCH,
    Entry,
    Head,
    HistoryEntry,
    LogFigures,
    LogHealth,
    LogSettings,
    Stored,
)
from crdt.log.answers import Answers
from crdt.log.compaction import Compactor, worker_pool
from crdt.log.entries import check_entry, check_name
from crdt.log.postgres import reader
from crdt.log.postgres.calls import Append, Delete, Item, Result
from crdt.log.postgres.connections import Connection, Connections, Sessions
from crdt.log.postgres.faults import REASONS, as_log_error, unavailable
from crdt.log.postgres.schema import migrate
from crdt.log.postgres.store import PostgresStore
from crdt.log.postgres.writer import Writer
from crdt.log.retention import Retention, sweep
from crdt.update import read_update

__all__ = ["PostgresLog"]

T = TypeVar("T")

_HISTORY_PAGE = 500
_MARKER_MAX = 200
_SESSIONS = 4
_PATIENCE_SECONDS = 10.0
_LONGER_PATIENCE = 6.0
"""How many times as long a load or a swap may take as a group of entries."""


class PostgresLog:
    """Implements `crdt.log.Log` in the schema `log` of a PostgreSQL database. See `Log` for the promises.

    Of each open log there are up to five sessions. They have state (prepared statements, settings), so a
    pooler between must hand out whole sessions: transaction pooling is not supported.
    """

    def __init__(
        self,
        url: str,
        settings: LogSettings | None = None,
        *,
        executor: Callable[[], Executor] = worker_pool,
        clock: Callable[[], float] = time.time,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        """url: `postgresql://user:password@host/database`, with what asyncpg takes behind it: `?sslmode=`,
        `?host=/folder/of/the/socket`, several hosts and `?target_session_attrs=primary`.
        executor: makes the pool that merges, once the first merge is due. clock: for tests.
        patience: seconds until a commit that is not answered counts as lost."""
        self.settings = settings or LogSettings()
        self._clock = clock
        self._connections = Connections(url, patience)
        self._answers = Answers(self.settings, REASONS, clock)
        self._sessions = Sessions(self._connections, _SESSIONS, patience * _LONGER_PATIENCE)
        self._writer = Writer(self._connections, self)
        self._store = PostgresStore(self._sessions, self.settings, self.figures, self._writer.id, clock)
        self._compactor = Compactor(self._store, executor)
        self._retention = Retention(self._store, clock)
        self._is_open = False

    async def open(self) -> None:
        """See `Log.open`; any number of nodes may. Makes or upgrades the schema. A log opens once."""
        self._loop = asyncio.get_running_loop()
        try:
            connection = await self._connections.open()
            try:
                await migrate(connection)
            finally:
                connection.terminate()
            await self._writer.open()
        except LogError:
            raise
        except Exception as error:
            told = as_log_error(error)
            if isinstance(told, LogUnavailable):
                told = LogUnavailable(f"{told.reason} ({error or type(error).__name__})", told.code)
            raise told from error
        self._is_open = True
        self._writer.start()
        self._answers.open()
        self._compactor.start()
        self._retention.start()

    async def close(self) -> None:
        """See `Log.close`. Closing twice does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        self._answers.stop_watching()
        await self._retention.close()
        await self._compactor.close()
        await self._sessions.close()
        await self._writer.stop()
        self._answers.close()

    @property
    def name(self) -> str:
        return str(self._writer.id)

    @property
    def health(self) -> LogHealth:
        return self._answers.health

    @property
    def figures(self) -> LogFigures:
        return self._answers.figures

    def on_health(self, callback: Callable[[LogHealth], None]) -> Callable[[], None]:
        return self._answers.on_health(callback)

    def append(self, entry: Entry) -> asyncio.Future[int]:
        """See `Log.append`. Raises ValueError for an entry that could never be stored."""
        check_entry(entry)
        future: asyncio.Future[int] = self._loop.create_future()
        if not self._answers.has_room_for(len(entry.update)):
            future.set_exception(unavailable("overloaded"))
            return future
        return self._put(Append(entry, future))

    async def load(self, document: str) -> Stored:
        return await self._read(partial(reader.read_document, name=document))

    async def exists(self, document: str) -> bool:
        return await self._read(partial(reader.document_exists, name=document))

    async def heads(self, documents: Collection[str]) -> Mapping[str, Head]:
        return await self._read(partial(reader.read_heads, names=documents))

    async def turns(self) -> Mapping[str, int]:
        return await self._read(reader.read_turns)

    async def seed(self, document: str, update: bytes, marker: str, subject: str) -> bool:
        """See `Log.seed`. Raises ValueError for a marker of more than 200 characters."""
        if len(marker) > _MARKER_MAX:
            raise ValueError(f"A marker has at most {_MARKER_MAX} characters: {marker!r}.")
        clients = tuple(sorted({span.client for span in read_update(update).writes}))
        epoch = FIRST_EPOCH
        while True:
            entry = Entry(document, epoch, update, subject, clients, self._clock())
            check_entry(entry)
            seeded: asyncio.Future[bool] = self._loop.create_future()
            try:
                self._put(Append(entry, seeded, marker))
                return await seeded
            except StaleEpoch as stale:
                epoch = stale.current

    async def delete(self, document: str) -> None:
        check_name(document)
        deleted: asyncio.Future[bool] = self._loop.create_future()
        if await self._put(Delete(document, deleted)):
            self._retention.wake()

    async def compact(self, document: str) -> bool:
        return await self._compactor.compact(document)

    async def history(self, document: str, from_seq: int = 1) -> AsyncGenerator[HistoryEntry, None]:
        while True:
            page = await self._read(
                partial(reader.read_history, name=document, from_seq=from_seq, limit=_HISTORY_PAGE)
            )
            for entry in page:
                yield entry
            if len(page) < _HISTORY_PAGE:
                return
            from_seq = page[-1].seq + 1

    async def prune(self) -> None:
        """Remove history past its time and what is left of deleted documents, as every hour."""
        await sweep(self._store, self._clock())

    async def long_tails(self) -> Collection[str]:
        """Every document with something to fold, those in quarantine too."""
        return await self._sessions.run(partial(reader.over_threshold, updates=0, size=0, quarantined=True))

    async def _read(self, function: Callable[[Connection], Awaitable[T]]) -> T:
        """What a function of `reader` finds, never from the midst of a doubt: a call that may have happened,
        or may yet, has not been told to its writers."""
        while self._is_open and not self._writer.in_doubt:
            doubts = self._writer.doubts
            found = await self._sessions.run(function)
            if self._writer.doubts == doubts:
                return found
        raise unavailable(self._answers.failure or "closed")

    def _put(self, item: Item) -> asyncio.Future[Any]:
        refusal = self._writer.put(item) if self._is_open else "closed"
        if refusal is not None:
            item.future.set_exception(unavailable(refusal))
        else:
            self._answers.waits(item)
        return item.future

    # What the writer tells

    def committed(self, items: Sequence[Item], result: Result, seconds: float) -> None:
        outcomes, tails = result
        self._answers.committed(items, outcomes, seconds)
        for tail in tails:
            self._compactor.consider(tail)

    def failed(self, items: Sequence[Item], code: str) -> None:
        self._answers.failed(items, code)
        if code == "unreachable":
            self._sessions.hang_up()

    def recovered(self) -> None:
        self._answers.recovered()
        self._compactor.start()
