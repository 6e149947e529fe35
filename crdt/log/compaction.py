"""Folding a document's tail into a snapshot, in the background and in another process.

    lease  ->  read snapshot + tail  ->  crdt.jobs.compact, which checks coverage  ->  swap, fenced

Appends go on meanwhile; what they add stays in the tail. A document whose job fails is put in quarantine: it
keeps working with a long tail, and only an explicit `compact` tries again.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor

from crdt import jobs
from crdt.errors import CompactionFailed, LogCorrupt, LogError
from crdt.log.store import Store, Tail

__all__ = ["Compactor", "worker_pool"]

_logger = logging.getLogger(__name__)
_JOB_SECONDS = 60
_ELSEWHERE_SECONDS = 1.0
_NICE = 10
"""Merging gives way to the server, which may have to share its core with it."""
_RESTS = 10
"""A document rests so many times as long as folding it took: a large one that many write in would else be
folded all the time."""


class _NoPool(Exception):
    """No process can be started for merging."""


class Compactor:
    """Compacts one document at a time. All methods are for the loop's thread."""

    def __init__(self, store: Store, pool: Callable[[], Executor]) -> None:
        self._store = store
        self._make_pool = pool
        self._pool: Executor | None = None
        self._one_at_a_time = asyncio.Lock()
        self._due: dict[str, None] = {}
        self._quarantined: set[str] = set()
        self._resting: dict[str, float] = {}
        """Documents that were folded just now, or are by another node, and until when we leave them alone."""
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Look through the store for tails that are too long: after opening, and after a failure."""
        self._wake(look_around=True)

    def consider(self, tail: Tail) -> None:
        """Note that a tail grew."""
        settings = self._store.settings
        if (tail.count > settings.tail_updates or tail.bytes > settings.tail_bytes) and (
            tail.document not in self._quarantined
            and tail.document not in self._due
            and self._resting.get(tail.document, 0.0) < time.monotonic()
        ):
            self._due[tail.document] = None
            self._wake(look_around=False)

    async def compact(self, document: str) -> bool:
        """See `crdt.log.Log.compact`. Success ends a quarantine."""
        async with self._one_at_a_time:
            try:
                folded = await self._fold(document)
            except _NoPool as error:
                raise CompactionFailed("No process can be started for merging.") from error
        self._quarantined.discard(document)
        return folded

    async def close(self) -> None:
        """Stop between two steps; nothing is left half done."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._drop_pool()

    async def _drop_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    def _wake(self, *, look_around: bool) -> None:
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(look_around=look_around))

    async def _run(self, *, look_around: bool) -> None:
        settings = self._store.settings
        try:
            if look_around:
                self._quarantined.update(await self._store.quarantined())
                long = await self._store.long_tails(settings.tail_updates, settings.tail_bytes)
                self._due.update(dict.fromkeys(long))
            while self._due:
                document = next(iter(self._due))
                try:
                    if document not in self._quarantined:
                        async with self._one_at_a_time:
                            began = time.monotonic()
                            if await self._fold(document):
                                self._rest(document, _RESTS * (time.monotonic() - began))
                except (CompactionFailed, LogCorrupt) as error:
                    await self._quarantine(document, error)
                finally:
                    self._due.pop(document, None)
        except (LogError, _NoPool) as error:
            # Nothing can be compacted now. We start again when the log has recovered or a long tail grows.
            self._due.clear()
            _logger.warning("Compaction waits: %s", error)
        except Exception:
            self._due.clear()
            _logger.exception("Compaction stopped by an error of its own.")

    async def _fold(self, document: str) -> bool:
        async with self._store.lease(f"compact {document}") as lease:
            if lease is None:
                self._rest(document, _ELSEWHERE_SECONDS)
                return False
            found = await self._store.foldable(document)
            if found is None or not found.stored.tail:
                return False
            snapshot = await self._merge(document, found.stored.snapshot, found.stored.tail)
            swapped = await self._store.swap(found, snapshot, lease)
        self._store.figures.compactions += swapped
        return swapped

    def _rest(self, document: str, seconds: float) -> None:
        now = time.monotonic()
        self._resting = {name: until for name, until in self._resting.items() if until > now}
        self._resting[document] = now + seconds

    async def _merge(self, document: str, snapshot: bytes | None, tail: Sequence[bytes]) -> bytes:
        if self._pool is None:
            self._pool = self._make_pool()
        try:
            # Submitting may start a process, which takes too long for the loop.
            job = await asyncio.to_thread(self._pool.submit, _merge_in_pool, snapshot, tail)
            return await asyncio.wrap_future(job)
        except BrokenExecutor as error:
            await self._drop_pool()
            if not await self._pool_works():
                raise _NoPool from error
            raise CompactionFailed(f"The process that merged {document!r} died.") from error
        except Exception as error:
            raise CompactionFailed(f"{document!r} cannot be merged: {error}") from error

    async def _pool_works(self) -> bool:
        """Whether the document is to blame for a pool that broke, or the machine."""
        self._pool = self._make_pool()
        try:
            await asyncio.wrap_future(await asyncio.to_thread(self._pool.submit, os.getpid))
        except BrokenExecutor:
            await self._drop_pool()
            return False
        return True

    async def _quarantine(self, document: str, error: LogError) -> None:
        _logger.error("A document is compacted no more; `twinspace check` names it: %s", error)
        self._quarantined.add(document)
        self._store.figures.quarantined += 1
        await self._store.quarantine(document, str(error))


def worker_pool() -> Executor:
    """A pool of one process of low priority, started when the first job comes.

    Spawned, not forked: a forked child would hold the data folder's lock after the server died.
    """
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_begin_worker)


def _begin_worker() -> None:
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends this process
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _merge_in_pool(snapshot: bytes | None, tail: Sequence[bytes]) -> bytes:
    alone = multiprocessing.parent_process() is not None
    if alone:
        signal.alarm(_JOB_SECONDS)  # a merge that hangs kills its process, which the pool reports
    try:
        return jobs.compact(snapshot, tail)
    finally:
        if alone:
            signal.alarm(0)
