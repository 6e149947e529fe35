"""Turns: so many at a time, first come first served, and an end to waiting when it has become useless."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

__all__ = ["Turns"]


class Turns:
    """At most ``places`` hold a turn at once."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()
        """Empty while a place is free."""

    async def take(self, patience: float | None = None) -> None:
        """Waits for a turn; `give` it back.

        Raises TimeoutError after ``patience`` seconds, or what `fail` says to those who wait.
        """
        async with asyncio.timeout(patience):
            await self._take()

    def give(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def fail(self, error: Callable[[], Exception]) -> None:
        """Sends everybody away who waits now."""
        waiting, self._waiting = self._waiting, deque()
        for turn in waiting:
            if not turn.done():
                turn.set_exception(error())

    async def _take(self) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.give()  # it had come in the same moment
            raise
