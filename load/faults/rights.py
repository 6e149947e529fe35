"""A right that is taken away on one node ends on the sockets of another, with Redis and without."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from load.client import Client, Ended
from load.report import percentile
from load.servers import Cluster, TwinSpace
from load.wire import Framing

from .scenario import OnCycle, Scenario
from .school import School, Visitor, furnish
from .stage import Outcome, Plan

__all__ = ["SCENARIOS"]

REACHES_WITHIN = 5.0
"""Seconds; design promise 5."""


class _Rights:
    """One cycle: a teacher on one node, pupils on another."""

    def __init__(self, school: School, outcome: Outcome, here: TwinSpace, there: TwinSpace) -> None:
        self.school, self.outcome, self.here, self.there = school, outcome, here, there
        self.took: list[float] = []

    async def take(self) -> None:
        async with AsyncExitStack() as stack:
            teacher = await stack.enter_async_context(self.school.visitor(self.here))
            page = await self.school.page(teacher, self.here)
            codes = await self.school.pupils(teacher, self.here, 2)
            first, second = [
                await stack.enter_async_context(self.school.visitor(self.there, code)) for code in codes
            ]
            sockets = {
                (visitor.person, framing): await stack.enter_async_context(
                    visitor.client(self.there, page["document"], framing)
                )
                for visitor in (first, second)
                for framing in Framing
            }
            mine = [sockets[first.person, framing] for framing in Framing]
            theirs = [sockets[second.person, framing] for framing in Framing]
            await self._lock(teacher, page["id"], mine + theirs)
            await self._remove(teacher, first, mine)
            await second.call(self.here, "DELETE", "/session")
            await self._until(lambda: all(map(_has_ended, theirs)), "a log-out")

    async def _lock(self, teacher: Visitor, page: str, clients: list[Client]) -> None:
        talking = [client for client in clients if client.replica.wire.acknowledges]
        path = f"/pages/{page}/lock"
        await teacher.call(self.here, "PUT", path, {"reason": "We compare first."})
        await self._until(lambda: all(each.replica.scope == "readonly" for each in talking), "a lock")
        talking[0].text("text").insert(0, "not any more")
        await talking[0].acknowledged()
        if not talking[0].replica.refused:
            self.outcome.blame("an edit was taken on a locked page")
        await teacher.call(self.here, "DELETE", path)
        await self._until(
            lambda: all(each.replica.scope == "read-write" for each in talking), "the end of a lock"
        )

    async def _remove(self, teacher: Visitor, pupil: Visitor, clients: list[Client]) -> None:
        members = await teacher.call(self.here, "GET", f"/spaces/{self.school.space}/members")
        membership = next(each["id"] for each in members if each["person_id"] == pupil.person)
        await teacher.call(self.here, "DELETE", f"/memberships/{membership}")
        await self._until(lambda: all(map(_has_ended, clients)), "a removal")

    async def _until(self, happened: Callable[[], bool], what: str) -> None:
        began = time.perf_counter()
        while not happened():
            if time.perf_counter() - began > REACHES_WITHIN:
                self.outcome.blame(f"{what} did not reach the sockets of the other node in 5 s")
                return
            await asyncio.sleep(0.01)
        self.took.append(time.perf_counter() - began)


def _has_ended(client: Client) -> bool:
    return isinstance(client.failure, Ended)


async def _revoke(cluster: Cluster, plan: Plan, outcome: Outcome, on_cycle: OnCycle) -> None:
    school = await furnish(cluster)
    rng = random.Random(f"{plan.seed} {outcome.scenario}")
    took: dict[str, list[float]] = {"with Redis": [], "without": []}
    for _ in range(plan.cycles):
        for way, seconds in took.items():
            rights = _Rights(school, outcome, *rng.sample(cluster.nodes, 2))
            if way == "without":
                await cluster.valkey.kill()
            try:
                await rights.take()
            finally:
                if not cluster.valkey.running:
                    await cluster.valkey.start()
            seconds += rights.took
        outcome.cycles += 1
        on_cycle()
    for way, seconds in took.items():
        median, most = percentile(seconds, 0.5), percentile(seconds, 1.0)
        outcome.figures.append(f"rights changed {way} after {median:.2f} s (most {most:.2f})")


SCENARIOS = (
    Scenario(
        "revoke",
        "a lock, a removal and a log-out reach the sockets of another node in 5 s, with and without Redis",
        _revoke,
    ),
)
