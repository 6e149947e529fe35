"""What compaction and retention ask of an engine, in words that every engine understands.

    lease -> foldable -> (merge elsewhere) -> swap, which the lease's fence and the expected snapshot guard

Several nodes may share a store, so each piece of background work is done under a lease. A lease that ran out
while its holder was frozen is worth nothing: the engine compares its fence in the transaction that writes.
"""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from crdt.log import LogFigures, LogSettings, Stored

__all__ = ["Foldable", "Lease", "Store", "Tail"]


@dataclass(frozen=True, slots=True)
class Tail:
    """How much of a document waits for compaction."""

    document: str
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Foldable:
    """What a compaction starts from."""

    id: int
    """The key of the document's rows; the name may pass to another document meanwhile."""
    stored: Stored


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do one piece of background work, for a while."""

    work: str
    fence: int
    """Greater than that of every lease on the same work before."""


class Store(Protocol):
    """Every method raises LogUnavailable; those that read documents raise LogCorrupt too."""

    @property
    def settings(self) -> LogSettings: ...

    @property
    def figures(self) -> LogFigures: ...

    def lease(self, work: str) -> AbstractAsyncContextManager[Lease | None]:
        """The lease on `work` for the length of a block; None while another node holds it."""
        ...

    async def quarantined(self) -> Collection[str]:
        """The documents that background compaction leaves alone."""
        ...

    async def long_tails(self, updates: int, size: int) -> Collection[str]:
        """The documents, without those in quarantine, whose tail has more than so many updates or bytes."""
        ...

    async def foldable(self, document: str) -> Foldable | None:
        """The document as it is; None when there is none."""
        ...

    async def swap(self, found: Foldable, snapshot: bytes, lease: Lease) -> bool:
        """Put a snapshot in the place of the entries that were found, which stay as history, and end a
        quarantine. False, and nothing is changed, when the document was deleted, rebuilt or compacted since
        it was found, or the lease is no longer held."""
        ...

    async def quarantine(self, document: str, reason: str) -> None:
        """Mark the document as one that background compaction leaves alone."""
        ...

    async def remove_deleted(self, limit: int) -> bool:
        """Remove up to `limit` rows of a deleted document. False when nothing is left to remove."""
        ...

    async def with_old_history(
        self, after: int, before: float, limit: int
    ) -> tuple[Collection[int], int | None]:
        """Of the next `limit` documents with a key above `after`, those with history older than `before`
        (Unix seconds); and the last key looked at, None at the end."""
        ...

    async def prune_history(self, document: int, before: float, limit: int) -> int:
        """Remove up to `limit` of the document's oldest entries that a snapshot replaced and that are older
        than `before`. What is kept stays contiguous. Returns how many went."""
        ...

    async def tidy(self) -> None:
        """Remove what the engine itself no longer needs."""
        ...
