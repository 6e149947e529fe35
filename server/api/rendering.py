"""Rich text of a document for reading: small documents at once, big ones in another process.

The engine never releases Python's lock, and rendering grows with the document: done here, a long page would
hold up everybody's typing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from enum import StrEnum
from typing import Final

from crdt.log.compaction import worker_pool
from crdt.richtext import render
from server.api.errors import ApiError

__all__ = ["Format", "Renderer"]

INLINE_BYTES: Final = 16 * 1024
"""A state up to this size renders within a few milliseconds."""
SECONDS: Final = 30.0


class Format(StrEnum):
    HTML = "html"
    JSON = "json"
    MARKDOWN = "markdown"
    TEXT = "text"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]


_CONTENT_TYPES: Final = {
    Format.HTML: "text/html",
    Format.JSON: "application/json",
    Format.MARKDOWN: "text/markdown",
    Format.TEXT: "text/plain",
}


class Renderer:
    """Renders states; owns a process that starts with the first big one."""

    def __init__(self, pool: Callable[[], Executor] = worker_pool) -> None:
        self._make_pool = pool
        self._pool: Executor | None = None

    async def render(self, state: bytes, form: Format, fragment: str) -> str:
        """The rich text under the name `fragment` in one format.

        Raises ApiError 503 when it takes too long, and the errors of crdt.richtext.
        """
        if len(state) <= INLINE_BYTES:
            return render(state, form, fragment)
        if self._pool is None:
            self._pool = self._make_pool()
        try:
            # Submitting may start a process, which takes too long for the loop.
            job = await asyncio.to_thread(self._pool.submit, render, state, form, fragment)
            async with asyncio.timeout(SECONDS):
                return await asyncio.wrap_future(job)
        except (BrokenExecutor, TimeoutError):
            await self.close()
            raise ApiError(503, "too-complex", "This document takes too long to render.") from None

    async def close(self) -> None:
        """Ends the process."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=False, cancel_futures=True)
