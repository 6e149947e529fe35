"""Faults that begin and end: each is a context manager that says whose acknowledgements it may stop.

async with Cut(stage, Line.POSTGRES, node=1) as fault: ...   # nothing passes
                                                             # healed
"""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from types import TracebackType
from typing import Self

from load.backing import PostgreSQL, Valkey

from .proxy import FaultProxy
from .stage import Stage

__all__ = ["Crash", "Cut", "Fault", "Frozen", "Gone", "Line", "Lossy", "Paused", "Slow", "Stopped", "Way"]


class Line(StrEnum):
    REDIS = "redis"
    POSTGRES = "postgres"


class Way(StrEnum):
    BOTH = "both ways"
    UP = "towards it"
    DOWN = "back from it"


class Fault:
    """silences: the nodes that can acknowledge nothing meanwhile, because they do not reach the database or
    are not there at all."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name
        self.silences: frozenset[int] = frozenset()
        self.began = 0.0
        """When it was in force, on time.perf_counter."""

    async def __aenter__(self) -> Self:
        await self.begin()
        self.began = time.perf_counter()
        self.stage.outcome.events[self.name] += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    async def begin(self) -> None:
        raise NotImplementedError

    async def end(self) -> None:
        raise NotImplementedError

    @property
    def everybody(self) -> frozenset[int]:
        return frozenset(range(len(self.stage.cluster.nodes)))

    def proxies(self, line: Line) -> list[FaultProxy]:
        cluster = self.stage.cluster
        return cluster.to_redis if line is Line.REDIS else cluster.to_postgres

    def server(self, line: Line) -> Valkey | PostgreSQL:
        cluster = self.stage.cluster
        return cluster.valkey if line is Line.REDIS else cluster.postgres

    def _silenced_by(self, line: Line) -> frozenset[int]:
        return self.everybody if line is Line.POSTGRES else frozenset()


class Gone(Fault):
    """kill -9 of a server, and its start at the end."""

    def __init__(self, stage: Stage, line: Line) -> None:
        super().__init__(stage, f"kills of {line}")
        self.line = line
        self.silences = self._silenced_by(line)

    async def begin(self) -> None:
        await self.server(self.line).kill()

    async def end(self) -> None:
        await self.server(self.line).start()


class Frozen(Fault):
    """A server stands still: it takes connections and answers nobody."""

    def __init__(self, stage: Stage, line: Line) -> None:
        super().__init__(stage, f"freezes of {line}")
        self.line = line
        self.silences = self._silenced_by(line)

    async def begin(self) -> None:
        self.server(self.line).freeze()

    async def end(self) -> None:
        self.server(self.line).thaw()


class Paused(Fault):
    """CLIENT PAUSE for as long as faults last; it ends by itself."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "pauses of redis")

    async def begin(self) -> None:
        await self.stage.cluster.valkey.client_pause(self.stage.plan.fault_seconds)

    async def end(self) -> None:
        await asyncio.sleep(self.began + self.stage.plan.fault_seconds - time.perf_counter())


class Cut(Fault):
    """The line of one node is cut, or of all."""

    def __init__(self, stage: Stage, line: Line, node: int | None, way: Way = Way.BOTH) -> None:
        super().__init__(stage, f"cuts {line} {way}")
        self.line, self.node, self.way = line, node, way
        if line is Line.POSTGRES:
            self.silences = self.everybody if node is None else frozenset({node})

    @property
    def _cut(self) -> list[FaultProxy]:
        proxies = self.proxies(self.line)
        return proxies if self.node is None else [proxies[self.node]]

    async def begin(self) -> None:
        for proxy in self._cut:
            proxy.up.blackhole = self.way is not Way.DOWN
            proxy.down.blackhole = self.way is not Way.UP

    async def end(self) -> None:
        for proxy in self._cut:
            await proxy.heal()


class Lossy(Fault):
    """A share of the messages of all channels is dropped, doubled or overtaken on each node's line."""

    def __init__(self, stage: Stage, what: str, share: float = 0.1) -> None:
        super().__init__(stage, f"lines that {what}")
        self.what, self.share = what, share
        self.met = 0
        """Messages that it did it to."""

    async def begin(self) -> None:
        self._before = self._count()
        for proxy in self.proxies(Line.REDIS):
            setattr(proxy.down, self.what, self.share)

    async def end(self) -> None:
        for proxy in self.proxies(Line.REDIS):
            await proxy.heal()
        self.met = self._count() - self._before
        self.stage.outcome.events[f"times that they {self.what}"] += self.met

    def _count(self) -> int:
        return sum(
            proxy.counts[kind]
            for proxy in self.proxies(Line.REDIS)
            for kind in ("dropped", "duplicated", "reordered")
        )


class Slow(Fault):
    """Each way of every line takes longer."""

    def __init__(self, stage: Stage, latency: float = 0.05, jitter: float = 0.05) -> None:
        super().__init__(stage, "slow lines")
        self.latency, self.jitter = latency, jitter

    async def begin(self) -> None:
        for proxy in [*self.proxies(Line.REDIS), *self.proxies(Line.POSTGRES)]:
            proxy.latency, proxy.jitter = self.latency, self.jitter

    async def end(self) -> None:
        for proxy in [*self.proxies(Line.REDIS), *self.proxies(Line.POSTGRES)]:
            await proxy.heal()


class Crash(Fault):
    """kill -9 of a node, and its start at the end."""

    def __init__(self, stage: Stage, node: int) -> None:
        super().__init__(stage, "kills of nodes")
        self.node = node
        self.silences = frozenset({node})

    async def begin(self) -> None:
        node = self.stage.cluster.nodes[self.node]
        await node.kill()
        if await node.survivors():
            self.stage.outcome.blame("a killed node left processes behind")
            node.end_survivors()

    async def end(self) -> None:
        await self.stage.cluster.nodes[self.node].start()


class Stopped(Fault):
    """A node stands still, with all its connections open."""

    def __init__(self, stage: Stage, node: int) -> None:
        super().__init__(stage, "freezes of nodes")
        self.node = node
        self.silences = frozenset({node})

    async def begin(self) -> None:
        self.stage.cluster.nodes[self.node].freeze()

    async def end(self) -> None:
        self.stage.cluster.nodes[self.node].thaw()
