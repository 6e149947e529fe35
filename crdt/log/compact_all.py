"""Folding every document of a store, whatever the engine."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from crdt.errors import CompactionFailed, LogCorrupt
from crdt.log.check import Progress

__all__ = ["CompactReport", "fold_all"]


@dataclass(slots=True)
class CompactReport:
    """What became smaller."""

    compacted: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(document, why). These are as they were."""
    bytes_before: int = 0
    bytes_after: int = 0


class _Log(Protocol):
    async def compact(self, document: str) -> bool: ...
    async def prune(self) -> None: ...


async def fold_all(log: _Log, names: Collection[str], progress: Progress, report: CompactReport) -> None:
    """Compact the documents, then remove what may go. Raises LogUnavailable."""
    for done, name in enumerate(names):
        progress("documents", done, len(names))
        try:
            report.compacted += await log.compact(name)
        except (CompactionFailed, LogCorrupt) as error:
            report.failed.append((name, str(error)))
    progress("documents", len(names), len(names))
    await log.prune()
