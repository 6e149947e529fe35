"""Turns: never more than there are places, in the order of asking, and nobody is forgotten."""

from __future__ import annotations

import asyncio
import random

import pytest

from rooms.storage.turns import Turns


async def test_no_more_than_the_places_and_first_come_first_served() -> None:
    turns, inside, most, order = Turns(3), 0, 0, []

    async def one(number: int) -> None:
        nonlocal inside, most
        await turns.take()
        order.append(number)
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        turns.give()

    await asyncio.gather(*(one(number) for number in range(20)))
    assert (most, order) == (3, list(range(20)))


async def test_impatience_and_failure_end_the_wait_and_leave_the_place() -> None:
    turns = Turns(1)
    await turns.take()
    with pytest.raises(TimeoutError):
        await turns.take(0.01)
    waiting = [asyncio.create_task(turns.take()) for _ in range(3)]
    await asyncio.sleep(0)
    turns.fail(ZeroDivisionError)
    got = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in got] == [ZeroDivisionError] * 3
    assert len({id(error) for error in got}) == 3, "one exception each"
    turns.give()
    await turns.take(0.01)


@pytest.mark.parametrize("seed", range(20))
async def test_a_cancelled_wait_takes_no_turn_away(seed: int) -> None:
    chance, turns = random.Random(seed), Turns(2)

    async def one() -> None:
        await turns.take()
        try:
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
        finally:
            turns.give()

    tasks = [asyncio.create_task(one()) for _ in range(30)]
    for _ in range(15):
        await asyncio.sleep(0)
        chance.choice(tasks).cancel()
        if chance.random() < 0.1:
            turns.fail(ZeroDivisionError)
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1):
        await turns.take()
        await turns.take()
