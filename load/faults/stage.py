"""People who type on several nodes while faults come and go, and the account of their edits."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from load.client import Client, GaveUp
from load.ledger import Ledger, Losses, content, described, tags_in
from load.replica import Edit
from load.report import percentile
from load.servers import Cluster
from load.typist import Typist
from load.wire import Framing

__all__ = ["Outcome", "Plan", "Stage"]

LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    cycles: int = 10
    nodes: int = 3
    documents: int = 2
    """On every node, each of them has one client of each framing that types."""
    rate: float = 5.0
    """Edits per second and client."""
    fault_seconds: float = 10.0
    """How long a fault lasts that lasts."""
    frozen_seconds: float = 30.0
    """How long a node stands still."""
    patience: float = 60.0
    """Seconds for any single thing to happen."""
    equal_within: float = 3.0
    """Seconds from the end of a fault to all replicas being equal."""
    lag_most: float = 2.0
    """Seconds that an acknowledgement may take while a fault lasts that does not concern it."""


@dataclass(slots=True)
class Outcome:
    scenario: str
    seed: int
    cycles: int = 0
    acknowledged: int = 0
    shown: int = 0
    refused: int = 0
    during: int = 0
    """Acknowledgements while faults lasted."""
    losses: Losses = field(default_factory=Losses)
    equal: list[float] = field(default_factory=list)
    """Seconds from the end of each fault to all replicas being equal."""
    away: list[float] = field(default_factory=list)
    """Seconds from losing a connection to being synced again, of each client and time."""
    told: list[float] = field(default_factory=list)
    """Seconds until every node said that it cannot write."""
    resumed: list[float] = field(default_factory=list)
    """Seconds from the end of a fault to everybody having something new acknowledged."""
    events: Counter[str] = field(default_factory=Counter)
    """What happened how often, such as kills and messages dropped."""
    figures: list[str] = field(default_factory=list)
    """Whatever else the scenario measured."""
    wrong: list[str] = field(default_factory=list)
    """Promises that were not kept, the first of each kind."""
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not self.wrong

    def blame(self, what: str) -> None:
        if len(self.wrong) < 20:
            self.wrong.append(what)

    def __str__(self) -> str:
        parts = [f"{self.scenario}: seed {self.seed}, {self.cycles} cycles, {self.seconds:.0f} s"]
        if self.acknowledged:
            parts.append(
                f"lost {len(self.losses.acknowledged)} of {self.acknowledged:,} acknowledged and "
                f"{len(self.losses.shown)} of {self.shown:,} shown"
            )
        if self.during:
            parts.append(f"{self.during:,} acknowledged during faults")
        for name, seconds in (("told", self.told), ("writing", self.resumed), ("equal", self.equal)):
            if seconds:
                parts.append(f"{name} after {percentile(seconds, 0.5):.2f} s (most {max(seconds):.2f})")
        if self.away:
            parts.append(f"away {percentile(self.away, 0.5):.2f} s (p95 {percentile(self.away, 0.95):.2f})")
        parts += self.figures
        parts += [f"{count:,} {what}" for what, count in sorted(self.events.items())]
        parts.append("kept" if self.kept else "NOT KEPT:")
        return "\n    ".join([", ".join(parts), *self.wrong])


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    typist: str
    made: float
    at: float
    node: int
    """Which gave it."""


class Stage:
    """`async with Stage(cluster, plan, outcome) as stage: ...`: clients of all nodes that type until it ends.

    All that is left to chance is drawn from `rng`.
    """

    def __init__(self, cluster: Cluster, plan: Plan, outcome: Outcome) -> None:
        self.cluster, self.plan, self.outcome = cluster, plan, outcome
        self.rng = random.Random(f"{plan.seed} {outcome.scenario}")
        self.typists: list[Typist] = []
        self._nodes = range(len(cluster.nodes))
        self._names = [f"doc/{outcome.scenario}-{plan.seed}-{number}" for number in range(plan.documents)]
        self._ledgers = {name: Ledger() for name in self._names}
        self._given: list[Acknowledgement] = []
        self._typing: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for number in range(len(self._nodes) * len(self._names) * len(Framing)):
            self.typists.append(self._typist(number))
        try:
            await asyncio.gather(*(self._stack.enter_async_context(typist.client) for typist in self.typists))
        except BaseException:
            await self._stack.aclose()
            raise
        self.resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.pause()
        finally:
            await self._stack.aclose()
            outcome = self.outcome
            outcome.acknowledged += sum(ledger.acknowledged for ledger in self._ledgers.values())
            outcome.shown += sum(ledger.shown for ledger in self._ledgers.values())
            outcome.refused += sum(typist.refused for typist in self.typists)
            outcome.away += [seconds for typist in self.typists for seconds in typist.client.away]
            if outcome.refused:
                outcome.blame(f"{outcome.refused} edits were refused")

    def _typist(self, number: int) -> Typist:
        node, rest = number % len(self._nodes), number // len(self._nodes)
        document, name = self._names[rest % len(self._names)], f"c{number}"
        rng = random.Random(f"{self.plan.seed} {self.outcome.scenario} {name}")
        client = Client(
            self.cluster.urls(node),
            document,
            token=self.cluster.token(document, name),
            framing=tuple(Framing)[rest // len(self._names)],
            patience=self.plan.patience,
            rng=rng,
        )
        client.show({"name": name})
        typist = Typist(name, client, self._ledgers[document], rng, self.plan.rate)
        typist.on_acknowledged = lambda edit: self._acknowledged(typist, edit)
        return typist

    # Typing

    def resume(self) -> None:
        """Everybody types."""
        self._typing = [asyncio.create_task(typist.type()) for typist in self.typists]

    async def pause(self) -> None:
        """Nobody types."""
        typing, self._typing = self._typing, []
        for task in typing:
            task.cancel()
        for result in await asyncio.gather(*typing, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def a_while(self) -> None:
        """Until a moment that nobody chose."""
        await asyncio.sleep(self.rng.uniform(0.3, 1.5))

    def some_node(self) -> int:
        return self.rng.choice(self._nodes)

    def node_of(self, client: Client) -> int:
        """Where a client is connected to, or tries to be next."""
        return self.cluster.urls().index(client.url)

    def clients_of(self, node: int) -> list[Client]:
        """Those connected to it."""
        clients = [typist.client for typist in self.typists if typist.client.connected]
        return [client for client in clients if self.node_of(client) == node]

    # Acknowledgements

    def _acknowledged(self, typist: Typist, edit: Edit) -> None:
        assert edit.acknowledged is not None
        node = self.node_of(typist.client)
        self._given.append(Acknowledgement(typist.name, edit.made, edit.acknowledged, node))

    def given(self, since: float, node: int | None = None) -> list[Acknowledgement]:
        """Acknowledgements since a moment, by one node or any."""
        return [each for each in self._given if each.at >= since and node in (None, each.node)]

    def lag(self, nodes: Iterable[int] | None = None) -> float:
        """How old the oldest edit is that waits for its acknowledgement by one of these nodes, in seconds."""
        made = [
            next(iter(typist.client.replica.unacknowledged.values())).made
            for typist in self.typists
            if typist.client.replica.unacknowledged
            and (nodes is None or self.node_of(typist.client) in nodes)
        ]
        return time.perf_counter() - min(made) if made else 0.0

    def expect_acknowledgements(self, since: float, nodes: Collection[int], what: str) -> None:
        """Blames the product if these nodes' acknowledgements have not gone on."""
        self.outcome.during += len(self.given(since))
        if (lag := self.lag(nodes)) > self.plan.lag_most:
            self.outcome.blame(f"{what}: an acknowledgement has been missing for {lag:.1f} s")
        for node in nodes:
            if self.clients_of(node) and not self.given(since, node):
                self.outcome.blame(f"{what}: node {node} acknowledged nothing")

    async def expect_resumption(self, since: float, what: str) -> None:
        """Waits until each client has an edit acknowledged that it made after a moment."""
        deadline = time.perf_counter() + self.plan.patience
        while waiting := {typist.name for typist in self.typists} - self._heard(since):
            if time.perf_counter() > deadline:
                names = ", ".join(sorted(waiting))
                self.outcome.blame(f"{what}: {names} cannot write for {self.plan.patience:.0f} s")
                break
            await asyncio.sleep(LOOK_SECONDS)
        self.outcome.resumed.append(time.perf_counter() - since)

    def _heard(self, since: float) -> set[str]:
        """Who has an edit acknowledged that was made after a moment."""
        return {each.typist for each in self._given if each.made > since}

    # Reading back

    async def settle(self, since: float, when: str) -> None:
        """Lets everything arrive; all clients, and a fresh one of each node, have to end with the same.

        since: when the fault ended.
        """
        await self.pause()
        await self._become_equal(since, when)
        await self.read_back(when, self._nodes, equal=True)
        self.resume()

    async def _become_equal(self, since: float, when: str) -> None:
        clients = [typist.client for typist in self.typists]
        deadline = time.perf_counter() + self.plan.patience
        while unequal := self._unequal(clients):
            if time.perf_counter() > deadline:
                self.outcome.blame(f"{when}: not equal after {self.plan.patience:.0f} s: {unequal}")
                return
            for client in clients:
                await client.until(lambda: True)  # raises what ended it
            await asyncio.sleep(LOOK_SECONDS)
        took = time.perf_counter() - since
        self.outcome.equal.append(took)
        if took > self.plan.equal_within:
            self.outcome.blame(f"{when}: equal only after {took:.1f} s")

    def _unequal(self, clients: list[Client]) -> str:
        """Who is not as the first client of its document, or has not heard all; "" if nobody."""
        first: dict[str, Client] = {}
        for typist, client in zip(self.typists, clients, strict=True):
            if not client.replica.synced:
                return f"{typist.name} is not synced with node {self.node_of(client)}"
            if client.replica.unacknowledged:
                return f"{typist.name} has edits that node {self.node_of(client)} does not acknowledge"
            other = first.setdefault(client.document, client)
            if other is not client and content(other.doc) != content(client.doc):
                return f"{typist.name} differs on node {self.node_of(client)}"
        return ""

    def look(self) -> None:
        """Enters in the ledgers what each client has been shown."""
        for typist in self.typists:
            typist.look()

    async def still(self, nodes: Collection[int]) -> None:
        """Stops the typing and waits until these nodes have acknowledged all that they were sent."""
        await self.pause()
        for node in nodes:
            for client in self.clients_of(node):
                try:
                    await client.acknowledged()
                except GaveUp as error:
                    self.outcome.blame(str(error))

    async def read_back(self, when: str, nodes: Collection[int], *, equal: bool = False) -> None:
        """Holds what a fresh client of each node reads to the ledgers; nobody may be typing.

        equal: also to what the clients have.
        """
        self.look()
        await asyncio.gather(
            *(self._read(name, node, when, equal=equal) for name in self._names for node in nodes)
        )

    async def _read(self, name: str, node: int, when: str, *, equal: bool) -> None:
        outcome = self.outcome
        token = self.cluster.token(name, "reader", "readonly")
        url = self.cluster.nodes[node].url
        async with Client(url, name, token=token, patience=self.plan.patience) as reader:
            losses = self._ledgers[name].losses(tags_in(reader.doc))
            if losses and not outcome.losses:
                outcome.blame(described(losses, name, f"{when}, read from node {node}"))
            outcome.losses.update(losses)
            if equal and not outcome.losses:
                other = next(each.client for each in self.typists if each.client.document == name)
                if content(reader.doc) != content(other.doc):
                    outcome.blame(f"{when}: a fresh client of node {node} reads something else of {name}")
