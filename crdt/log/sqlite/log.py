"""The embedded log: one SQLite file, one writing thread, one reading thread, compaction beside them."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TypeVar

from crdt.errors import LogError
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
from crdt.log.retention import Retention, sweep
from crdt.log.sqlite.faults import REASONS, as_log_error, unavailable
from crdt.log.sqlite.folder import FolderLock
from crdt.log.sqlite.reader import Loader, Reader, document_exists, read_heads, read_history
from crdt.log.sqlite.schema import FILE_NAME, Connect, connect
from crdt.log.sqlite.store import SqliteStore
from crdt.log.sqlite.transactions import delete_document, seed
from crdt.log.sqlite.writer import Append, Result, Work, Writer
from crdt.update import read_update

__all__ = ["SqliteLog"]

T = TypeVar("T")

_HISTORY_PAGE = 500
_SWITCH_SECONDS = 20e-6
"""A loop that is never idle, with turns shorter than the interpreter's switch interval, keeps the GIL from
the log's threads for seconds (measured: 3 s with the default of 5 ms, 30 ms with this)."""


class SqliteLog:
    """Implements `crdt.log.Log` on `log.sqlite3` in a data folder. See `Log` for the promises."""

    def __init__(
        self,
        folder: Path,
        settings: LogSettings | None = None,
        *,
        executor: Callable[[], Executor] = worker_pool,
        connect: Connect = connect,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """folder: exists. executor: makes the pool that merges, once the first merge is due.
        connect, clock: for tests."""
        self.settings = settings or LogSettings()
        self.name = secrets.token_hex(8)
        self._folder = folder
        self._path = folder / FILE_NAME
        self._connect = connect
        self._clock = clock
        self._lock = FolderLock(folder)
        self._reader = Reader(self._path, connect)
        self._loader = Loader(self._reader)
        self._store = SqliteStore(self, clock)
        self._compactor = Compactor(self._store, executor)
        self._retention = Retention(self._store, clock)
        self._answers = Answers(self.settings, REASONS, clock)
        self._writer: Writer | None = None

    async def open(self) -> None:
        """See `Log.open`. A log opens once."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_SECONDS))
        writer = Writer(self._path, self._connect, loop, self)
        await loop.run_in_executor(None, self._open, writer)
        self._writer = writer
        writer.start()
        self._answers.open()
        self._compactor.start()
        self._retention.start()

    def _open(self, writer: Writer) -> None:
        self._lock.acquire()
        try:
            writer.open()
            try:
                self._reader.open()
            except BaseException:
                writer.discard()
                raise
        except BaseException as error:
            self._lock.release()
            if isinstance(error, LogError) or not isinstance(error, Exception):
                raise
            raise as_log_error(error, self._folder) from error

    async def close(self) -> None:
        """See `Log.close`. Closing twice does nothing."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        self._answers.stop_watching()
        await self._retention.close()
        await self._compactor.close()
        await writer.stop()
        await self._reader.close()
        self._lock.release()
        self._answers.close()

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
        return self._settled(await self._loader.load(document))

    async def exists(self, document: str) -> bool:
        return await self.read(partial(document_exists, name=document))

    async def heads(self, documents: Collection[str]) -> Mapping[str, Head]:
        return await self._read_settled(partial(read_heads, names=documents))

    async def turns(self) -> Mapping[str, int]:
        return {}

    async def seed(self, document: str, update: bytes, marker: str, subject: str) -> bool:
        check_name(document)
        clients = tuple(sorted({span.client for span in read_update(update).writes}))
        entry = Entry(document, FIRST_EPOCH, update, subject, clients, self._clock())
        return await self.write(partial(seed, entry=entry, marker=marker))

    async def delete(self, document: str) -> None:
        if await self.write(partial(delete_document, name=document)):
            self._retention.wake()

    async def compact(self, document: str) -> bool:
        return await self._compactor.compact(document)

    async def history(self, document: str, from_seq: int = 1) -> AsyncGenerator[HistoryEntry, None]:
        while True:
            page = await self._read_settled(
                partial(read_history, name=document, from_seq=from_seq, limit=_HISTORY_PAGE)
            )
            for entry in page:
                yield entry
            if len(page) < _HISTORY_PAGE:
                return
            from_seq = page[-1].seq + 1

    async def prune(self) -> None:
        """Remove history past its time and what is left of deleted documents, as every hour."""
        await sweep(self._store, self._clock())

    async def read(self, function: Callable[..., T]) -> T:
        """Run a function of `reader` on the reading thread."""
        return await self._reader.read(function)

    async def _read_settled(self, function: Callable[..., T]) -> T:
        """As `read`, but never what is not known to be durable."""
        return self._settled(await self.read(function))

    def _settled(self, found: T) -> T:
        """What was read just now, if all of it is known to be durable."""
        if self._writer is None or self._writer.in_doubt:
            raise unavailable(self._answers.failure or "closed")
        return found

    async def write(self, function: Callable[..., T], size: int = 0) -> T:
        """Run a function of `transactions` in a transaction of its own, in turn with the appends.

        size: about how many bytes it writes, so that the file is checkpointed in time.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        return await self._put(Work(function, future, size))

    def _put(self, item: Append | Work) -> asyncio.Future[T]:
        future: asyncio.Future[T] = item.future  # type: ignore[assignment]
        refusal = self._writer.put(item) if self._writer else "closed"
        if refusal is not None:
            future.set_exception(unavailable(refusal))
            return future
        self._answers.waits(item)
        return future

    # What the writer tells, on the loop's thread

    def committed(self, items: Sequence[Append | Work], result: Result, seconds: float) -> None:
        outcomes, tails = result
        self._answers.committed(items, outcomes, seconds)
        for tail in tails:
            self._compactor.consider(tail)

    def failed(self, items: Sequence[Append | Work], code: str) -> None:
        self._answers.failed(items, code)

    def recovered(self) -> None:
        self._answers.recovered()
        self._compactor.start()
