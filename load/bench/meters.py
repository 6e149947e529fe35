"""What a server costs: processor time and memory of all its processes, as the kernel counts them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import urlopen

from load.backing.process import processes_in

__all__ = ["Cost", "Meter", "cores", "counted", "memory", "pin"]

TICK = 1 / os.sysconf("SC_CLK_TCK")
BUSY = 0.85
"""Above this share of its core the generator may have been what was measured."""


def cores() -> tuple[set[int], set[int]]:
    """The core for the server, and those for the generator; both the same where there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return {mine[-1]}, set(mine[:-1]) or {mine[-1]}


def _processor(processes: Iterable[int]) -> float:
    """Seconds of processor time of processes, and of children of theirs that have ended."""
    ticks = 0
    for process in processes:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks * TICK


def memory(folder: Path) -> int:
    """Bytes of memory that all processes of a server hold, what they share counted once."""
    total = 0
    for process in processes_in(folder):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def pin(folder: Path, to: set[int]) -> None:
    """Keeps what works in a folder, all its threads and whatever it starts, on these cores."""
    for process in processes_in(folder):
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{process}/task").iterdir():
                os.sched_setaffinity(int(thread.name), to)


def counted(port: int) -> Mapping[str, float]:
    """What TwinSpace on a port counts of itself, by name."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {
        name.removeprefix("twinspace_"): float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if line.startswith("twinspace_"))
    }


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float
    server: float
    """Seconds of processor time of the server."""
    generator: float
    """And of this process: it and the server each have a core."""

    @property
    def share(self) -> float:
        """Of a core, that the server used."""
        return self.server / self.seconds

    @property
    def limited(self) -> bool:
        """Whether the generator was so busy that the figure may be its own, and the server not saturated."""
        return self.generator > BUSY * self.seconds and self.server < BUSY * self.seconds


class Meter:
    """`with Meter(folder) as meter: ...`; then `meter.cost`: of what works in these folders."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders

    def __enter__(self) -> Self:
        self._server, self._own = self._used(), time.process_time()
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._began
        own = time.process_time() - self._own
        self.cost = Cost(seconds, self._used() - self._server, own)

    def _used(self) -> float:
        """Of all that works there now: what has begun meanwhile counts from its beginning."""
        return _processor(process for folder in self._folders for process in processes_in(folder))
