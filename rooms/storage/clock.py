"""The time that the nodes of an installation agree on: their database's, not their own.

A node whose clock is an hour off would end locks and log-ins an hour early, and forgive guessers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

__all__ = ["SharedClock"]

SLOW: Final = 1.0
"""Seconds; an answer that took longer says too little about what time it is."""


class SharedClock:
    """The database's time, carried on by this machine's steady clock between two answers.

    Unix seconds. Until the first answer it is this machine's own time.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._ahead = time.time() - steady()
        self._answered = False

    def __call__(self) -> float:
        return self._steady() + self._ahead

    def steady(self) -> float:
        """When a question is asked or answered, for `told`."""
        return self._steady()

    def told(self, now: float, asked: float, answered: float) -> None:
        """The database says that it is ``now``, between two moments of `steady`."""
        if answered - asked < SLOW or not self._answered:
            self._ahead = now - (asked + answered) / 2
            self._answered = True
