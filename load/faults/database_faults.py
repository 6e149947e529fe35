"""PostgreSQL dies, restarts and cannot be reached: nothing is acknowledged that it has not committed."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import AsyncExitStack
from functools import partial

import aiohttp

from load.client import Client
from load.servers import Cluster, TwinSpace
from load.wire import Framing

from .faults import Cut, Frozen, Line
from .scenario import OnCycle, Scenario, lasting, typed
from .school import furnish
from .stage import Outcome, Plan, Stage

__all__ = ["SCENARIOS"]

TOLD_WITHIN = 6.0
"""Seconds after which a node has to say that it cannot write, and that it can again, at most."""
SAID_AT_LAST = 20.0
"""Seconds after which nobody waits for it any more."""


async def _restart(stage: Stage) -> None:
    """In order or by kill -9, in the middle of commits."""
    postgres = stage.cluster.postgres
    if stage.rng.random() < 0.5:
        await postgres.restart()
        stage.outcome.events["restarts of postgres"] += 1
    else:
        await postgres.kill()
        await postgres.start()
        stage.outcome.events["kills of postgres"] += 1
    await _write_again(stage, "after a restart of postgres")


async def _write_again(stage: Stage, when: str) -> None:
    await stage.expect_resumption(time.perf_counter(), when)
    await stage.settle(time.perf_counter(), when)


class _Watcher:
    """A member with a page open on a node, and what that node says of itself."""

    def __init__(self, node: TwinSpace, client: Client, http: aiohttp.ClientSession) -> None:
        self.node, self.client, self._http = node, client, http
        self._heard = 0

    def forget(self) -> None:
        """Only what comes from now on counts."""
        self._heard = len(self.client.replica.notices)

    def was_told(self, state: str) -> bool:
        """Whether the client was told this state of the log."""
        said = map(json.loads, self.client.replica.notices[self._heard :])
        return any(each["type"] == "log" and each["state"] == state for each in said)

    async def is_ready(self) -> bool:
        async with self._http.get(f"{self.node.http}/readyz") as answer:
            return answer.status == 200

    async def says(self, state: str) -> bool:
        """Whether client and load balancer have been told that the log is so."""
        return self.was_told(state) and await self.is_ready() is (state == "ok")


async def _unreachable(watchers: list[_Watcher], stage: Stage) -> None:
    """Whoever asks is told meanwhile that nothing is saved, and soon afterwards that all is well."""
    outcome, what = stage.outcome, "while postgres could not be reached"
    for watcher in watchers:
        watcher.forget()
    async with Cut(stage, Line.POSTGRES, None) as cut:
        outcome.told.append(await _until_all_say(watchers, "failing", cut.began, outcome))
        await asyncio.sleep(max(0.0, cut.began + stage.plan.fault_seconds - time.perf_counter()))
        if false := [each for each in stage.given(cut.began) if each.made > cut.began]:
            outcome.blame(f"{what}: {len(false)} edits were acknowledged that nobody can have committed")
    healed = time.perf_counter()
    await stage.expect_resumption(healed, what)
    await _until_all_say(watchers, "ok", healed, outcome)
    await stage.settle(time.perf_counter(), what)


async def _until_all_say(watchers: list[_Watcher], state: str, since: float, outcome: Outcome) -> float:
    """Seconds until every node says so. Blames the product if that takes too long."""
    while not all([await watcher.says(state) for watcher in watchers]):
        if time.perf_counter() - since > SAID_AT_LAST:
            silent = [
                f"client {'told' if watcher.was_told(state) else 'not told'}, "
                f"{'ready' if await watcher.is_ready() else 'not ready'}"
                for watcher in watchers
            ]
            outcome.blame(f"not all nodes say that the log is {state}: {'; '.join(silent)}")
            break
        await asyncio.sleep(0.05)
    else:
        if (took := time.perf_counter() - since) > TOLD_WITHIN:
            outcome.blame(f"all nodes say that the log is {state} only after {took:.1f} s")
    return time.perf_counter() - since


async def _blackhole(cluster: Cluster, plan: Plan, outcome: Outcome, on_cycle: OnCycle) -> None:
    school = await furnish(cluster)
    timeout = aiohttp.ClientTimeout(total=TOLD_WITHIN)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        teacher = await stack.enter_async_context(school.visitor(cluster.nodes[0]))
        page = await school.page(teacher, cluster.nodes[0])
        watchers = []
        for node in cluster.nodes:
            client = teacher.client(node, page["document"], Framing.HOCUSPOCUS, plan.patience)
            watchers.append(_Watcher(node, await stack.enter_async_context(client), http))
        await typed(partial(_unreachable, watchers))(cluster, plan, outcome, on_cycle)


async def _freeze(stage: Stage) -> None:
    await lasting(stage, Frozen(stage, Line.POSTGRES))


SCENARIOS = (
    Scenario(
        "postgres-restart",
        "PostgreSQL restarts or dies in the middle of commits: nothing is lost, writing resumes by itself",
        typed(_restart),
    ),
    Scenario(
        "postgres-freeze",
        "PostgreSQL stands still: nothing is acknowledged wrongly or lost, writing resumes by itself",
        typed(_freeze),
    ),
    Scenario(
        "postgres-blackhole",
        "no node reaches PostgreSQL: as before, and clients and /readyz say meanwhile that nothing is saved",
        _blackhole,
    ),
)
