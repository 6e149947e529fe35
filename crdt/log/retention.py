"""Removing what may go: history past its time, and the rows of deleted documents.

In small steps, in turn with the appends, so that nobody waits for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial

from crdt.errors import LogError
from crdt.log.compaction import Store
from crdt.log.reader import documents_with_old_history, has_deleted
from crdt.log.transactions import prune_history, remove_deleted

__all__ = ["Retention", "sweep"]

_logger = logging.getLogger(__name__)
_PERIOD_SECONDS = 3600.0
_ROWS_A_STEP = 500
_DOCUMENTS_A_STEP = 1000
_DAY_SECONDS = 86400


class Retention:
    """Sweeps the store every hour, and when woken. All methods are for the loop's thread."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Sweep now."""
        self._woken.set()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await sweep(self._store, self._clock())
            except LogError as error:
                _logger.warning("History is not pruned now: %s", error)
            except Exception:
                _logger.exception("Pruning history met an error of its own.")
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(_PERIOD_SECONDS):
                    await self._woken.wait()


async def sweep(store: Store, now: float) -> None:
    """One pass over the store. Raises LogUnavailable."""
    while await store.read(has_deleted):
        await store.write(partial(remove_deleted, limit=_ROWS_A_STEP))
    before = now - store.settings.history_days * _DAY_SECONDS
    after: int | None = 0
    while after is not None:
        look = partial(documents_with_old_history, after=after, before=before, limit=_DOCUMENTS_A_STEP)
        documents, after = await store.read(look)
        for document in documents:
            prune = partial(prune_history, document=document, before=before, limit=_ROWS_A_STEP)
            while await store.write(prune) == _ROWS_A_STEP:
                pass
