"""What nodes do to each other's people: they die, stand still, are restarted, and know the time wrongly."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import asyncpg

from load.client import Client
from load.report import percentile
from load.servers import Cluster

from . import clock
from .faults import Crash, Stopped
from .scenario import OnCycle, Scenario, Setting, lasting, typed
from .stage import Outcome, Plan, Stage

__all__ = ["SCENARIOS"]

AWAY_MOST = 2.0
"""Seconds that a restart may keep a client away, p95."""
HOUR = 3600.0
SILENT_SECONDS = 17.0
"""After so long without a word of a node its people are shown nowhere: 15 s, and a little to notice."""
PRESENT_WITHIN = 5.0
"""Seconds until everybody is shown again."""
CATCHES = 20
CATCH_SECONDS = 1.0
"""How often, and for how long each time, a node is tried to be caught while it folds a log."""
FOLDED_BY_NOW = 0.3
"""Seconds after which a lease is only held by somebody who stands still."""


async def _kill(stage: Stage) -> None:
    """Before any writer of the dead node may come back and bring what is missing, the others are read."""
    dead = stage.some_node()
    others = [node for node in range(len(stage.cluster.nodes)) if node != dead]
    clients = stage.clients_of(dead)
    for client in clients:
        client.hold()
    async with Crash(stage, dead) as crash:
        for client in clients:
            await client.disconnected()
        stage.expect_acknowledgements(crash.began, (), crash.name)
        await stage.still(others)
        await stage.read_back(f"after the kill of node {dead}", others)
        for client in clients:
            client.go_online()
        stage.resume()
        await stage.expect_resumption(time.perf_counter(), crash.name)
    await stage.settle(time.perf_counter(), f"after the kill and start of node {dead}")


async def _freeze(stage: Stage) -> None:
    """Best in the midst of folding a log, and for longer than its lease lasts."""
    cluster = stage.cluster
    connection = await asyncpg.connect(cluster.database, timeout=10)
    try:
        node, fence = await _caught_in_a_fold(stage, connection)
        if fence is not None:  # a minute is a minute
            await connection.execute(
                "UPDATE log.leases SET until = clock_timestamp() WHERE fence = $1", fence
            )
            stage.outcome.events["leases that ran out meanwhile"] += 1
    finally:
        await connection.close()
    seconds = stage.plan.frozen_seconds
    await lasting(
        stage,
        Stopped(stage, node),
        seconds=seconds,
        meanwhile=partial(_are_not_seen, stage, node) if seconds > SILENT_SECONDS else None,
    )
    await _sees_all_others(stage)


async def _caught_in_a_fold(
    stage: Stage, connection: asyncpg.Connection[asyncpg.Record]
) -> tuple[int, int | None]:
    """A node that stands still now, and the fence of the lease that it holds, if it could be caught at it."""
    for _ in range(CATCHES):
        fence = await _next_lease(connection)
        node = stage.some_node()
        stage.cluster.nodes[node].freeze()
        await asyncio.sleep(FOLDED_BY_NOW)
        if await connection.fetchval("SELECT count(*) FROM log.leases WHERE fence = $1", fence):
            return node, fence
        stage.cluster.nodes[node].thaw()
    return stage.some_node(), None


async def _next_lease(connection: asyncpg.Connection[asyncpg.Record]) -> int | None:
    deadline = time.perf_counter() + CATCH_SECONDS
    while time.perf_counter() < deadline:
        fence: int | None = await connection.fetchval("SELECT max(fence) FROM log.leases")
        if fence is not None:
            return fence
        await asyncio.sleep(0.002)
    return None


async def _are_not_seen(stage: Stage, silent: int) -> None:
    """Nobody shows the people of a node that has been silent for long."""
    absent = {client.client_id for client in stage.clients_of(silent)}
    for client in (typist.client for typist in stage.typists):
        if client.client_id not in absent and (ghosts := absent & client.others.keys()):
            stage.outcome.blame(f"{len(ghosts)} people of a silent node are still shown elsewhere")


async def _restart_all(stage: Stage) -> None:
    for node in stage.cluster.nodes:
        await node.stop()
        await node.start()
        stage.outcome.events["restarts of nodes"] += 1
        await stage.a_while()
    await stage.settle(time.perf_counter(), "after restarting every node")


async def _rolling(cluster: Cluster, plan: Plan, outcome: Outcome, on_cycle: OnCycle) -> None:
    await typed(_restart_all)(cluster, plan, outcome, on_cycle)
    away = percentile(outcome.away, 0.95)
    if not away < AWAY_MOST:
        outcome.blame(f"5 % of the clients were away for {away:.1f} s or longer")


async def _wrong_clock(stage: Stage) -> None:
    began = time.perf_counter()
    await asyncio.sleep(min(3.0, stage.plan.fault_seconds))
    stage.expect_acknowledgements(began, range(len(stage.cluster.nodes)), "with a wrong clock")
    await _sees_all_others(stage)
    await stage.settle(time.perf_counter(), "with a wrong clock")


async def _sees_all_others(stage: Stage) -> None:
    """Everybody is shown to everybody else, soon."""
    clients = [typist.client for typist in stage.typists]
    for client in clients:
        wanted = {each.client_id for each in clients if each.document == client.document}
        try:
            async with asyncio.timeout(PRESENT_WITHIN):
                await client.until(partial(_sees, client, wanted), "the others' presence")
        except TimeoutError:
            missing = wanted - client.others.keys() - {client.client_id}
            stage.outcome.blame(
                f"a client of node {stage.node_of(client)} does not see {len(missing)} others"
            )


def _sees(client: Client, wanted: set[int]) -> bool:
    return wanted <= {client.client_id, *client.others}


SCENARIOS = (
    Scenario(
        "node-kill",
        "kill -9 of a node that takes edits: nothing acknowledged or shown anywhere is lost",
        typed(_kill),
    ),
    Scenario(
        "node-freeze",
        "a node stands still and wakes: the others go on, its stale leases are refused, it catches up",
        typed(_freeze),
    ),
    Scenario(
        "rolling",
        f"every node restarted in turn under load: nothing lost, clients away < {AWAY_MOST:.0f} s (p95)",
        _rolling,
    ),
    Scenario(
        "clock",
        "one node's clock is an hour ahead: all goes on as ever",
        typed(_wrong_clock),
        Setting(launchers={0: tuple(clock.launcher(HOUR))}),
    ),
    Scenario(
        "clock-behind",
        "one node's clock is an hour behind: all goes on as ever",
        typed(_wrong_clock),
        Setting(launchers={0: tuple(clock.launcher(-HOUR))}),
    ),
)
