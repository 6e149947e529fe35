"""Passwords and card secrets: argon2id off the loop, a few at a time.

Parameters: 19 MiB, 2 passes, 1 lane (OWASP's first choice for interactive log-ins; about 25 ms). Every
check costs one hash, also for an account that does not exist, so that the work gives nothing away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from rooms.faults import TooManyTries

__all__ = ["Hasher"]

T = TypeVar("T")


class Hasher:
    """Hashes in ``threads`` threads; when ``waiting`` calls wait already, a further one is refused.

    Close it when done.
    """

    def __init__(
        self, *, threads: int = 2, waiting: int = 400, passes: int = 2, memory_kib: int = 19_456
    ) -> None:
        self._argon = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._limit = waiting
        self._waiting = 0
        self._nobody: str | None = None
        self.checks = 0
        """Secrets checked so far, known accounts or not."""

    async def hash(self, secret: str) -> str:
        return await self._run(lambda: self._argon.hash(secret))

    async def check(self, stored: str | None, secret: str) -> bool:
        """Whether the secret is the stored one. ``None`` (no such account) costs the same and is never right.

        Raises TooManyTries when too many log-ins wait for their turn.
        """
        if self._nobody is None:
            self._nobody = await self.hash("nobody's secret")
        against = self._nobody if stored is None else stored
        self.checks += 1
        right = await self._run(lambda: self._verify(against, secret))
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon.check_needs_rehash(stored)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _verify(self, stored: str, secret: str) -> bool:
        try:
            return self._argon.verify(stored, secret)
        except (Argon2Error, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._limit:
            raise TooManyTries(retry_after=5.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
