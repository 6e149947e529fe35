"""What an edit costs on Redis, that no acknowledgement waits for it, and how soon another node shows it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import redis.asyncio

from load import latency
from load.backing import Valkey
from load.client import Client
from load.report import percentile
from load.servers import Cluster
from load.wire import Framing

from .scenario import OnCycle, Scenario
from .stage import Outcome, Plan

__all__ = ["SCENARIOS"]

PACES = (2.0, 20.0, 100.0)
"""Edits a second of one writer."""
WRITERS = 8
"""At saturation: each writes as fast as it can."""
FEW = 0.5
"""Publishes for each edit at saturation, at most."""
QUIET_SECONDS = 1.5
"""Longer than from one heartbeat to the next."""
SLOWER = 0.05
"""Seconds that an acknowledgement may take longer while Redis stands still: noise, no waiting."""


class _Ear:
    """Hears everything that is published on a Valkey."""

    def __init__(self, valkey: Valkey) -> None:
        self._client: Any = redis.asyncio.Redis.from_url(valkey.url)
        self._counts: Counter[bytes] = Counter()
        self._ignored: set[bytes] = set()

    @property
    def heard(self) -> int:
        """Messages on channels that are not ignored."""
        return sum(count for channel, count in self._counts.items() if channel not in self._ignored)

    async def ignore_what_is_said_without_edits(self) -> None:
        """Heartbeats have a channel of their own."""
        await asyncio.sleep(QUIET_SECONDS)
        self._counts.clear()
        await asyncio.sleep(QUIET_SECONDS)
        self._ignored = set(self._counts)

    async def __aenter__(self) -> Self:
        self._pubsub = self._client.pubsub(ignore_subscribe_messages=True)
        await self._pubsub.psubscribe("*")
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._pubsub.aclose()
        await self._client.aclose()

    async def _listen(self) -> None:
        async for message in self._pubsub.listen():
            self._counts[message["channel"]] += 1


class _Publishes:
    def __init__(self, cluster: Cluster, plan: Plan, outcome: Outcome) -> None:
        self.cluster, self.plan, self.outcome = cluster, plan, outcome
        self._seconds = max(2.0, plan.fault_seconds / 2)
        self._shares: dict[str, list[float]] = {}
        """Publishes for each edit, by pace."""
        self._usual: list[float] = []
        self._frozen: list[float] = []
        """Seconds that acknowledgements took, with Redis as usual and frozen."""

    def tell(self) -> None:
        """Enters the figures of all cycles in the outcome."""
        for pace, shares in self._shares.items():
            self.outcome.figures.append(f"{percentile(shares, 1.0):.2f} publishes/edit {pace}")
        medians, tails = (
            [1000 * percentile(each, share) for each in (self._usual, self._frozen)] for share in (0.5, 0.95)
        )
        self.outcome.figures.append(
            f"acknowledged in {medians[0]:.1f} ms, with Redis frozen in {medians[1]:.1f} ms "
            f"(p95 {tails[0]:.1f} and {tails[1]:.1f})"
        )

    async def run(self, number: int) -> None:
        document = f"doc/publishes-{self.plan.seed}-{number}"
        async with AsyncExitStack() as stack:
            self._ear = await stack.enter_async_context(_Ear(self.cluster.valkey))
            writers = [await self._client(stack, document, n) for n in range(WRITERS)]
            await self._ear.ignore_what_is_said_without_edits()
            for pace in PACES:
                edits, published = await self._measure(writers[:1], pace)
                self._shares.setdefault(f"at {pace:g}/s", []).append(published / edits)
                if published > edits:
                    self.outcome.blame(f"{published} publishes for {edits} edits at {pace:g} a second")
            edits, published = await self._measure(writers, None)
            self._shares.setdefault("at saturation", []).append(published / edits)
            if published > FEW * edits:
                self.outcome.blame(f"{published} publishes for {edits} edits at saturation")
            await self._without_redis(writers)

    async def _client(self, stack: AsyncExitStack, document: str, number: int) -> Client:
        """A writer; they are on the nodes in turn."""
        return await stack.enter_async_context(
            Client(
                self.cluster.nodes[number % len(self.cluster.nodes)].url,
                document,
                token=self.cluster.token(document, f"writer {number}"),
                framing=Framing.HOCUSPOCUS,
                patience=self.plan.patience,
            )
        )

    async def _measure(self, writers: list[Client], pace: float | None) -> tuple[int, int]:
        """Edits acknowledged, and publishes because of them."""
        before = self._ear.heard
        took = await self._write(writers, pace)
        await asyncio.sleep(0.2)
        return len(took), self._ear.heard - before

    async def _write(self, writers: list[Client], pace: float | None) -> list[float]:
        """Seconds that each edit's acknowledgement took."""
        took: list[float] = []
        for writer in writers:
            writer.replica.on_settled = lambda edit: took.append((edit.acknowledged or 0.0) - edit.made)
        await asyncio.gather(*(self._writes(writer, pace) for writer in writers))
        return took

    async def _writes(self, writer: Client, pace: float | None) -> None:
        until = time.perf_counter() + self._seconds
        while time.perf_counter() < until:
            writer.text("text").insert(0, "x")
            if pace is None:
                await writer.until(lambda: len(writer.replica.unacknowledged) < 4)
            else:
                await asyncio.sleep(1 / pace)
        await writer.acknowledged()

    async def _without_redis(self, writers: list[Client]) -> None:
        """Acknowledgements take as long while Redis stands still."""
        usual = await self._write(writers[:1], 20.0)
        self.cluster.valkey.freeze()
        try:
            frozen = await self._write(writers[:1], 20.0)
        finally:
            self.cluster.valkey.thaw()
        if percentile(frozen, 0.5) > percentile(usual, 0.5) + SLOWER:
            self.outcome.blame("acknowledgements take longer while Redis stands still")
        self._usual += usual
        self._frozen += frozen


async def _publishes(cluster: Cluster, plan: Plan, outcome: Outcome, on_cycle: OnCycle) -> None:
    publishes = _Publishes(cluster, plan, outcome)
    for number in range(plan.cycles):
        await publishes.run(number)
        outcome.cycles += 1
        on_cycle()
    publishes.tell()


async def _latency(cluster: Cluster, plan: Plan, outcome: Outcome, on_cycle: OnCycle) -> None:
    side = latency.Side("TwinSpace", (cluster.nodes[0].url, cluster.nodes[1].url), cluster.token, "")
    settings = latency.Plan(readers=2, seconds=plan.fault_seconds)
    same: list[float] = []
    other: list[float] = []
    for _ in range(plan.cycles):
        done = await latency.measure(side, settings, 20.0)
        same += done.same_node
        other += done.other_node
        for fault in done.faults:
            outcome.blame(fault)
        outcome.cycles += 1
        on_cycle()
    for name, seconds in (("the same node", same), ("another node", other)):
        p50, p99 = (1000 * percentile(seconds, share) for share in (0.5, 0.99))
        outcome.figures.append(f"to {name} p50 {p50:.1f} ms, p99 {p99:.1f} ms")


SCENARIOS = (
    Scenario(
        "publishes",
        "one publish for each batch of edits at most, and no acknowledgement waits for Redis",
        _publishes,
    ),
    Scenario("latency", "how long an edit takes to clients of the same and of another node", _latency),
)
