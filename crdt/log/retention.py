"""Removing what may go: history past its time, and the rows of deleted documents.

In small steps, in turn with the appends, so that nobody waits for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from crdt.errors import LogError
from crdt.log.store import Store

__all__ = ["Retention", "sweep"]

_logger = logging.getLogger(__name__)
_PERIOD_SECONDS = 3600.0
_TAKEN_SECONDS = 60.0
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
            pause = _PERIOD_SECONDS
            try:
                if not await sweep(self._store, self._clock()):
                    pause = _TAKEN_SECONDS
            except LogError as error:
                _logger.warning("History is not pruned now: %s", error)
            except Exception:
                _logger.exception("Pruning history met an error of its own.")
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(pause):
                    await self._woken.wait()


async def sweep(store: Store, now: float) -> bool:
    """One pass over the store; False when another node is at it. Raises LogUnavailable."""
    async with store.lease("sweep") as lease:
        if lease is None:
            return False
        while await store.remove_deleted(_ROWS_A_STEP):
            pass
        before = now - store.settings.history_days * _DAY_SECONDS
        after: int | None = 0
        while after is not None:
            documents, after = await store.with_old_history(after, before, _DOCUMENTS_A_STEP)
            for document in documents:
                while await store.prune_history(document, before, _ROWS_A_STEP) == _ROWS_A_STEP:
                    pass
        await store.tidy()
    return True
