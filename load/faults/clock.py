"""Runs a program whose clock is wrong: `python clock.py SECONDS PROGRAM [ARGUMENT...]`.

time.time and time.time_ns of that process are so many seconds ahead (or behind, below 0). The monotonic clock
is as it is, as after an administrator's mistake.
"""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["launcher", "main"]


def launcher(seconds: float) -> list[str]:
    """What to put before a command line."""
    return [sys.executable, "-P", str(Path(__file__).resolve()), str(seconds)]


def main(arguments: Sequence[str]) -> None:
    ahead, true_time, true_time_ns = float(arguments[0]), time.time, time.time_ns
    time.time = lambda: true_time() + ahead
    time.time_ns = lambda: true_time_ns() + round(ahead * 1e9)
    sys.argv = list(arguments[1:])
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
