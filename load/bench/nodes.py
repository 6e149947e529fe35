"""Two nodes behind one Valkey: how they are started, and the generator's part, which is load.latency's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from load.backing import Valkey
from load.latency import Plan, Side, hocuspocus, measure, ours
from load.peers import Hocuspocus
from load.report import percentile
from load.servers import Cluster

from .meters import cores, counted, pin
from .plan import Bench, Result

__all__ = ["Nodes", "two_of_hocuspocus", "two_of_ours", "work"]

QUIET = 2.0
"""Seconds for which the nodes are heard when nobody types: what they publish then is no edit's."""


@dataclass(slots=True)
class Nodes:
    """Two nodes that run; what is said of one server is said of the first."""

    side: Side
    valkey: Valkey
    port: int
    secret: str | None = None
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.side.folders[0]
        server, _ = cores()
        for folder in (*self.side.folders, *self.side.beside):
            pin(folder, server)


@asynccontextmanager
async def two_of_ours(options: Sequence[str]) -> AsyncIterator[Nodes]:
    async with Cluster(2, *options) as cluster:
        first = cluster.nodes[0]
        yield Nodes(ours(cluster), cluster.valkey, first.port, first.secret)


@asynccontextmanager
async def two_of_hocuspocus(_: Sequence[str]) -> AsyncIterator[Nodes]:
    async with AsyncExitStack() as stack:
        valkey = await stack.enter_async_context(Valkey())
        first, second = [await stack.enter_async_context(Hocuspocus(valkey)) for _ in "AB"]
        yield Nodes(hocuspocus(first, second, valkey), valkey, first.port)


def work(
    at: Bench,
    *,
    nodes: tuple[str, str],
    folders: tuple[Path, ...],
    beside: tuple[Path, ...],
    valkey: int,
    ours: bool,
    readers: int,
    rate: float,
    seconds: float,
) -> Result:
    """One writer on the first node, and so many readers on each; `valkey`: the port of what they share."""
    side = Side("nodes", nodes, at.hub.token, "", folders, beside)
    asked = Valkey()
    asked.port = valkey  # it runs already: it is only asked what was published
    port = at.hub.target.port if ours else None
    plan = Plan(readers, seconds=seconds)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(side, plan, rate, asked, port))


async def _measure(side: Side, plan: Plan, rate: float, valkey: Valkey, port: int | None) -> Result:
    quiet = await _published(valkey, port)
    await asyncio.sleep(QUIET)
    before, began = await _published(valkey, port), time.perf_counter()
    commits = await _commits(port)
    done = await measure(side, plan, rate, valkey)
    beats = (before - quiet) / QUIET * (time.perf_counter() - began)
    result = Result(faults=done.faults)
    for name, samples in (("", done.other_node), ("same_", done.same_node), ("saved_", done.acknowledged)):
        for share in (50, 99) if samples else ():
            result.figures[f"{name}p{share}"] = 1000 * percentile(samples, share / 100)
    result.figures |= {
        "cpu_us": 1e6 * done.nodes.server / done.deliveries,
        "all_us": 1e6 * (done.nodes.server + done.beside.server) / done.deliveries,
        "published": done.published / done.edits,
        "server": 100 * done.nodes.share,
        "generator": 100 * done.nodes.generator / done.nodes.seconds,
    }
    if port:
        published = await _published(valkey, port) - before - beats
        result.figures["batch"] = max(0.0, published) / max(1.0, await _commits(port) - commits)
    if done.nodes.limited:
        result.notes.append("the generator was the limit: the server could do more")
    return result


async def _published(valkey: Valkey, port: int | None) -> float:
    """What the first node has published, or, where that cannot be asked, all of them."""
    if port is None:
        return await valkey.published()
    return (await asyncio.to_thread(counted, port))["bus_published"]


async def _commits(port: int | None) -> float:
    return (await asyncio.to_thread(counted, port))["log_commits"] if port else 0.0
