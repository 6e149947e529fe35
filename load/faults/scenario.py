"""What a scenario is, and how one is performed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from load.backing import BackingError, Valkey, ValkeyCluster, ValkeySentinel
from load.client import ClientError
from load.servers import Cluster

from .faults import Fault
from .stage import Outcome, Plan, Stage

__all__ = ["Act", "Scenario", "Setting", "lasting", "nothing", "perform", "typed"]

COMPACTION = ("--compaction-updates", "50")
"""The log is folded often, so that faults meet it."""

OnCycle = Callable[[], None]
Act = Callable[[Cluster, Plan, Outcome, OnCycle], Awaitable[None]]


@dataclass(frozen=True)
class Setting:
    """What a scenario needs to stand on; those with equal settings may share a cluster."""

    redis: Callable[[], Valkey | ValkeyCluster | ValkeySentinel] = Valkey
    proxied: bool = True
    launchers: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def cluster(self, plan: Plan) -> Cluster:
        return Cluster(
            plan.nodes,
            *COMPACTION,
            redis=self.redis,
            proxied=self.proxied,
            seed=plan.seed,
            launchers=self.launchers,
        )


@dataclass(frozen=True)
class Scenario:
    name: str
    promise: str
    """One line: what happens, and what has to hold."""
    act: Act
    setting: Setting = Setting()


def nothing() -> None:
    pass


def typed(cycle: Callable[[Stage], Awaitable[None]]) -> Act:
    """A scenario in which people type: so many cycles, or until a promise is broken."""

    async def act(cluster: Cluster, plan: Plan, outcome: Outcome, on_cycle: OnCycle) -> None:
        async with Stage(cluster, plan, outcome) as stage:
            for _ in range(plan.cycles):
                await stage.a_while()
                await cycle(stage)
                outcome.cycles += 1
                on_cycle()
                if outcome.wrong:
                    break

    return act


async def lasting(
    stage: Stage,
    *faults: Fault,
    seconds: float | None = None,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """The faults at once for a while; then all has to become equal.

    meanwhile: done while they are in force, towards their end.

    Meanwhile the nodes that they do not silence acknowledge as ever, and nothing is acknowledged by a node
    that cannot have committed it.
    """
    silent: frozenset[int] = frozenset().union(*(fault.silences for fault in faults))
    heard = faults[0].everybody - silent
    what = " and ".join(fault.name for fault in faults)
    async with AsyncExitStack() as stack:
        for fault in faults:
            await stack.enter_async_context(fault)
        began = time.perf_counter()
        await asyncio.sleep(stage.plan.fault_seconds if seconds is None else seconds)
        if meanwhile is not None:
            await meanwhile()
        stage.expect_acknowledgements(began, heard, what)
        false = [each for each in stage.given(began) if each.node in silent and each.made > began]
        if false:
            stage.outcome.blame(
                f"{what}: {len(false)} edits were acknowledged that nobody can have committed"
            )
    healed = time.perf_counter()
    if silent:
        await stage.expect_resumption(healed, what)
        healed = time.perf_counter()
    await stage.settle(healed, f"after {what}")


async def perform(
    scenario: Scenario, plan: Plan, cluster: Cluster | None = None, on_cycle: OnCycle = nothing
) -> Outcome:
    """Performs a scenario on a cluster of its own, or on one that was started with its setting and plan.

    What breaks it off is among what is wrong. The store of a cluster of its own is checked at the end.
    """
    outcome = Outcome(scenario.name, plan.seed)
    is_shared = cluster is not None
    began = time.perf_counter()
    async with AsyncExitStack() as stack:
        try:
            if cluster is None:
                cluster = await stack.enter_async_context(scenario.setting.cluster(plan))
            began = time.perf_counter()
            await scenario.act(cluster, plan, outcome, on_cycle)
            if not is_shared and (found := await cluster.check()):
                outcome.blame(f"store check: {found}")
        except* (ClientError, BackingError) as errors:
            outcome.blame("; ".join(map(str, _leaves(errors))))
        outcome.seconds = time.perf_counter() - began
    return outcome


def _leaves(errors: BaseExceptionGroup[Any]) -> list[BaseException]:
    found: list[BaseException] = []
    for each in errors.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
