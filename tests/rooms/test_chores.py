"""Work that comes round again: done again and again, also after it failed."""

from __future__ import annotations

import asyncio

import pytest

from rooms.chores import Chore, chores
from rooms.faults import RecordsUnavailable


async def test_a_chore_is_done_again_also_after_it_failed(caplog: pytest.LogCaptureFixture) -> None:
    done, enough = 0, asyncio.Event()

    async def work() -> None:
        nonlocal done
        done += 1
        if done == 1:
            raise RecordsUnavailable("the disk is full")
        if done == 2:
            raise ValueError("a fault")
        if done == 4:
            enough.set()

    async with chores(Chore("a chore", 0.001, work)), asyncio.timeout(10):
        await enough.wait()
    assert [record.getMessage() for record in caplog.records] == ["a chore failed"]
    seen = done
    await asyncio.sleep(0.01)
    assert done == seen, "it ends with its block"
