"""Work that comes round again, such as sending on what nobody has answered.

Every node does all of it, whenever it likes: a chore that somebody else has done leaves nothing to do.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from rooms.faults import RecordsUnavailable

__all__ = ["Chore", "chores"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    name: str
    every: float
    """Seconds, more or less: nodes that started together do not stay together."""
    work: Callable[[], Awaitable[object]]


@asynccontextmanager
async def chores(*listed: Chore) -> AsyncIterator[None]:
    """Does them for the length of a block. What fails is tried again the next time round."""
    tasks = [asyncio.create_task(_do(chore), name=chore.name) for chore in listed]
    try:
        yield
    finally:
        await _end(tasks)


async def _do(chore: Chore) -> None:
    while True:
        await asyncio.sleep(chore.every * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)
        try:
            await chore.work()
        except RecordsUnavailable:
            pass  # they say so themselves
        except Exception:
            logger.exception("%s failed", chore.name)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
