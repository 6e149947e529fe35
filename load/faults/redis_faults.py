"""Redis dies, forgets, pauses, loses, doubles and reorders: it is a hint, and nobody's work depends on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp

from load.backing import Valkey, ValkeyCluster, ValkeySentinel

from .faults import Frozen, Gone, Line, Lossy, Paused
from .scenario import Scenario, Setting, lasting, typed
from .stage import Stage

__all__ = ["SCENARIOS"]

SAID_WITHIN = 5.0
"""Seconds until /readyz says how it is."""


async def _kill(stage: Stage) -> None:
    await lasting(stage, Gone(stage, Line.REDIS), meanwhile=partial(_says, stage, "degraded"))
    await _says(stage, "ready")


async def _says(stage: Stage, status: str) -> None:
    """/readyz of every node tells its operator whether Redis is missed; load balancers still send it work."""
    timeout = aiohttp.ClientTimeout(total=SAID_WITHIN)
    deadline = time.perf_counter() + SAID_WITHIN
    async with aiohttp.ClientSession(timeout=timeout) as http:
        for number, node in enumerate(stage.cluster.nodes):
            while True:
                async with http.get(f"{node.http}/readyz") as answer:
                    told = await answer.json()
                if answer.status == 200 and told["status"] == status:
                    break
                if time.perf_counter() > deadline:
                    stage.outcome.blame(f"/readyz of node {number} says {answer.status} {told}")
                    break
                await asyncio.sleep(0.05)


async def _freeze(stage: Stage) -> None:
    await lasting(stage, Frozen(stage, Line.REDIS))


async def _pause(stage: Stage) -> None:
    await lasting(stage, Paused(stage))


async def _lossy(what: str, stage: Stage) -> None:
    fault = Lossy(stage, what)
    await lasting(stage, fault)
    if not fault.met:
        stage.outcome.blame(f"{fault.name}: they met no message, so nothing was tried")


async def _at_once(stage: Stage, name: str, happens: Callable[[], Awaitable[None]]) -> None:
    """Something that is over as soon as it has happened."""
    began = time.perf_counter()
    await happens()
    healed = time.perf_counter()
    stage.outcome.events[name] += 1
    await stage.a_while()
    stage.expect_acknowledgements(began, range(len(stage.cluster.nodes)), name)
    await stage.settle(healed if stage.rng.random() < 0.5 else time.perf_counter(), f"after {name}")


async def _flush(stage: Stage) -> None:
    await _at_once(stage, "flushes of redis", stage.cluster.valkey.flushall)


async def _restart(stage: Stage) -> None:
    await _at_once(stage, "restarts of redis", stage.cluster.valkey.restart)


async def _fail_over(stage: Stage) -> None:
    """A primary dies; its replica takes over, and everybody finds it."""
    redis = stage.cluster.redis
    assert isinstance(redis, (ValkeyCluster, ValkeySentinel))
    published = await _sharded(redis)
    await stage.a_while()
    if isinstance(redis, ValkeyCluster) and await _sharded(redis) == published:
        stage.outcome.blame("nothing was published on sharded channels")
    began = time.perf_counter()
    if isinstance(redis, ValkeyCluster):
        victim: Valkey = await redis.primary_of(f"channel {stage.rng.random()}")
    else:
        victim = await redis.current()
    await victim.kill()
    stage.outcome.events["kills of a primary"] += 1
    await redis.healthy()
    await victim.start()
    await redis.healthy()
    stage.expect_acknowledgements(began, range(len(stage.cluster.nodes)), "the death of a primary")
    await stage.settle(time.perf_counter(), "after the death of a primary")


async def _sharded(redis: ValkeyCluster | ValkeySentinel) -> int:
    commands = [await node.commands() for node in redis.nodes if node.running]
    return sum(each.get("spublish", 0) for each in commands)


SCENARIOS = (
    Scenario(
        "redis-kill", "Redis dies and comes back: acknowledgements go on, all become equal", typed(_kill)
    ),
    Scenario("redis-freeze", "Redis stands still: acknowledgements go on, all become equal", typed(_freeze)),
    Scenario("redis-pause", "CLIENT PAUSE: acknowledgements go on, all become equal", typed(_pause)),
    Scenario("redis-flushall", "FLUSHALL hurts nothing", typed(_flush)),
    Scenario(
        "redis-restart", "Redis is restarted: acknowledgements go on, all become equal", typed(_restart)
    ),
    *(
        Scenario(
            f"redis-{what}",
            f"a tenth of the messages is {done}: all become equal",
            typed(partial(_lossy, what)),
        )
        for what, done in (("drop", "lost"), ("duplicate", "doubled"), ("reorder", "overtaken"))
    ),
    Scenario(
        "cluster",
        "Redis is a cluster of three and a primary dies: sharded channels deliver, nothing is lost",
        typed(_fail_over),
        Setting(redis=partial(ValkeyCluster, 3, 1), proxied=False),
    ),
    Scenario(
        "sentinel",
        "Sentinels put a replica in the place of a dead primary: everybody finds it, nothing is lost",
        typed(_fail_over),
        Setting(redis=ValkeySentinel, proxied=False),
    ),
)
