"""Pupils who read along: each moves the caret all the time, and some select a few words."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

from load.client import Client

from .demo import Notes

__all__ = ["Crowd"]

SELECTED = 12
"""Characters that every fourth pupil has selected."""


class Crowd:
    def __init__(self, pupils: Sequence[Client], notes: Notes, rng: random.Random) -> None:
        self._pupils, self._notes = pupils, notes
        self._at = [rng.randrange(1, 60) for _ in pupils]

    async def move(self, rate: float) -> None:
        """Everybody moves so many times a second, in turn, for ever."""
        began, turn = time.perf_counter(), 0
        while True:
            due = began + turn / (rate * len(self._pupils))
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self._step(turn % len(self._pupils))
            turn += 1

    def _step(self, number: int) -> None:
        notes = self._notes
        paragraph = number % len(notes.texts)
        length = notes.texts[paragraph][1]
        at = self._at[number] = self._at[number] % length + 1
        anchor = max(0, at - SELECTED) if number % 4 == 0 else at
        cursor = {"anchor": notes.place(paragraph, anchor), "head": notes.place(paragraph, at)}
        self._pupils[number].show({"cursor": cursor})
