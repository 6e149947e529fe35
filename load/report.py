"""Figures for people: percentiles, how noisy the machine was, progress while it lasts."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["Machine", "milliseconds", "percentile", "progress"]


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` (0 ... 1) of all samples do not exceed; nan for none."""
    if not samples:
        return math.nan
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def milliseconds(seconds: Sequence[float]) -> str:
    """p50, p95 and p99 of samples in seconds, as text in milliseconds."""
    if not seconds:
        return "no samples"
    ordered = sorted(seconds)
    shares = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    return "  ".join(f"{name} {1000 * percentile(ordered, share):,.1f} ms" for name, share in shares)


class Machine:
    """How much of the processors went to what while the block ran; a figure without it says little.

    The hypervisor's share ("steal") is what no program here can do anything about.
    """

    def __enter__(self) -> Self:
        self._before = _processor_times()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._after = _processor_times()

    def __str__(self) -> str:
        cores = os.cpu_count() or 1
        total, idle, stolen = (
            after - before for before, after in zip(self._before, self._after, strict=True)
        )
        if total <= 0:
            return f"{cores} cores"
        return (
            f"{cores} cores, {100 * (total - idle) / total:.0f} % busy, {100 * stolen / total:.0f} % stolen"
        )


def _processor_times() -> tuple[int, int, int]:
    """(all, idle, stolen) in ticks since the start of the machine; zeros where the system does not say."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    except (OSError, ValueError):
        return 0, 0, 0
    return sum(fields[:8]), fields[3] + fields[4], fields[7]


def progress() -> Progress:
    """A progress display on standard error that leaves nothing behind; not there without a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not (console.is_terminal and sys.stderr.isatty()),
    )
