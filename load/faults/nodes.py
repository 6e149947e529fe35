"""What nodes do to each other's people: they die, stand still, are restarted, and know the time wrongly."""

from __future__ import annotations

import asyncio
import time

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
    await lasting(stage, Stopped(stage, stage.some_node()), seconds=stage.plan.frozen_seconds)


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
    for typist in stage.typists:
        await _sees_all_others(stage, typist.client.document)
    await stage.settle(time.perf_counter(), "with a wrong clock")


async def _sees_all_others(stage: Stage, document: str) -> None:
    clients = [typist.client for typist in stage.typists if typist.client.document == document]
    everybody = {client.client_id for client in clients}
    for client in clients:
        wanted = everybody - {client.client_id}
        try:
            async with asyncio.timeout(stage.plan.equal_within):
                await client.until(lambda: wanted <= client.others.keys(), "the others' presence")  # noqa: B023
        except TimeoutError:
            missing = len(wanted - client.others.keys())
            stage.outcome.blame(f"a client of node {stage.node_of(client)} does not see {missing} others")


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
