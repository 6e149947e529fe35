"""Following the changes that other processes make to the records: other nodes, or `twinspace add`.

The table of changes is read every second, and at once when somebody says that there is something new (the bus
does). So a lost message delays a revocation by a second at most, and a database that is away by no more than
its absence.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from rooms.faults import RecordsUnavailable
from rooms.rights.access import Change
from rooms.storage.records import Records

__all__ = ["ChangeFollower"]

END_SECONDS: Final = 1.0

logger = logging.getLogger(__name__)


class ChangeFollower:
    """Publishes foreign changes into ``records.changes`` as if they had been made here.

    What this process changes itself is published by its own commit, and not again. When changes were missed
    (rows are kept for an hour), `Change.everything` is published in their place.
    """

    def __init__(self, records: Records, *, every: float = 1.0) -> None:
        self._records = records
        self._every = every
        self._woken = asyncio.Event()
        self._ending = False
        self._seen = 0
        self._looked_at = float("-inf")

    @property
    def age(self) -> float:
        """Seconds for which nothing was heard of others' changes; more than a few: rights may be outdated."""
        return time.monotonic() - self._looked_at

    def wake(self, number: int | None = None) -> None:
        """Looks now, unless the change of this number has been seen. For the bus: see Records.on_commit."""
        if number is None or number > self._seen:
            self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows for the length of a block: every change committed from now on is published in it.

        Raises RecordsUnavailable when it cannot begin.
        """
        self._seen = await self._records.last_change()
        self._looked_at = time.monotonic()
        self._ending = False
        task = asyncio.create_task(self._follow(), name="changes of other nodes")
        try:
            yield
        finally:
            self._ending = True
            self._woken.set()
            await asyncio.wait((task,), timeout=END_SECONDS)  # a look that is cut off costs its connection
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._woken.wait()
            self._woken.clear()
            if self._ending:
                return
            try:
                await self.look()
            except Exception as error:
                if not isinstance(error, RecordsUnavailable):
                    logger.exception("changes of other nodes could not be read")
                await asyncio.sleep(self._every)  # being woken again and again must not make it busy

    async def look(self) -> None:
        """Publishes what is new. Raises RecordsUnavailable."""
        more = True
        while more:
            started = time.monotonic()
            seen = await self._records.changes_since(self._seen)
            self._seen, more = seen.last, seen.more
            self._looked_at = started
            if seen.gap:
                logger.warning("changes of other nodes were missed: all rights are asked for anew")
                self._records.changes.publish(Change.everything(), foreign=True)
            for change in seen.changes:
                self._records.changes.publish(change, foreign=True)
