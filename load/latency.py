"""From an edit on one node to the clients of the same and of another node, side by side with a peer.

One writer types on node A; readers watch on A and on B. The rounds of all servers take turns, so that what
the machine does meanwhile is the same for all, and one client drives them all: Hocuspocus' framing, without
compression, in this process. What it costs this process to take in what all readers receive is part of every
figure: compare the figures of one run with each other.

A round counts only if every reader received every edit and fresh clients of both nodes end with the
writer's text.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import click

from crdt.update import UpdateSummary

from .backing import Valkey
from .bench.meters import Cost, Meter
from .client import Client, GaveUp
from .command import run
from .peers import Hocuspocus
from .replica import Edit
from .report import Machine, percentile, progress
from .servers import Cluster
from .wire import Framing

__all__ = ["Plan", "Round", "Side", "hocuspocus", "measure", "ours"]

ROOT = "text"
WARM_UP = 1.0
"""Seconds of typing at the start of a round that are not counted."""
LETTERS = "twinspace "
NOTHING = Cost(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """readers: on each node. rates: edits per second, a measurement each. seconds: of typing that counts.

    patience: seconds for whatever is under way to arrive after the last edit.
    """

    readers: int = 10
    rates: tuple[float, ...] = (10.0, 100.0)
    rounds: int = 3
    seconds: float = 10.0
    patience: float = 10.0


@dataclass(frozen=True, slots=True)
class Side:
    """Two nodes of one server. `token(document, subject)`; `promise`: what holds once an edit is seen.

    folders: where the nodes work; beside: where what they share works, Valkey and PostgreSQL.
    """

    name: str
    nodes: tuple[str, str]
    token: Callable[[str, str], str | None]
    promise: str
    folders: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()


@dataclass(slots=True)
class Round:
    """What one round gave: seconds from typing an edit to each other client having it, and to its status."""

    same_node: list[float] = field(default_factory=list)
    other_node: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)
    edits: int = 0
    """All edits, those of the warm-up included."""
    deliveries: int = 0
    """Those edits at all readers."""
    published: int = 0
    """Messages published on Valkey meanwhile."""
    nodes: Cost = NOTHING
    """What the nodes cost from the first edit until everybody had all of them."""
    beside: Cost = NOTHING
    """And what they share."""
    faults: list[str] = field(default_factory=list)
    """Why the round does not count; empty when it does."""


class _Reader:
    """Notes when a client has received each of the writer's edits."""

    def __init__(self, name: str, client: Client, made: list[Edit], took: dict[int, list[float]]) -> None:
        self.name, self.client = name, client
        self._made, self._took = made, took
        self._count = 0
        client.replica.on_received = self._received

    @property
    def missing(self) -> int:
        return len(self._made) - self._count

    async def complete(self) -> None:
        """Waits until nothing is missing. Raises GaveUp."""
        await self.client.until(lambda: not self.missing, "all edits")

    def _received(self, _: UpdateSummary) -> None:
        now, known = time.perf_counter(), self.client.replica.known
        while self._count < len(self._made) and known.covers(self._made[self._count].summary):
            edit = self._made[self._count]
            self._took.setdefault(edit.number, []).append(now - edit.made)
            self._count += 1


async def measure(side: Side, plan: Plan, rate: float, valkey: Valkey | None = None) -> Round:
    """One round at so many edits a second, on a new document.

    Raises what `load.client` raises; whatever did not arrive, or differs, is among the faults of the round.
    """
    document = f"doc/latency-{secrets.token_hex(6)}"
    result = Round()
    made: list[Edit] = []
    took: tuple[dict[int, list[float]], ...] = ({}, {})

    def client(node: int, name: str) -> Client:
        return Client(
            side.nodes[node],
            document,
            token=side.token(document, name),
            framing=Framing.HOCUSPOCUS,
            patience=plan.patience,
        )

    async with AsyncExitStack() as clients:
        writer = await clients.enter_async_context(client(0, "writer"))
        readers = []
        for number in range(plan.readers):
            for node, name in enumerate(("same node", "other node")):
                name = f"reader {number} on the {name}"
                reader = await clients.enter_async_context(client(node, name))
                readers.append(_Reader(name, reader, made, took[node]))
        before = await valkey.published() if valkey else 0
        with Meter(*side.folders) as nodes, Meter(*side.beside) as beside:
            warm = await _type(writer, made, rate, plan.seconds)
            try:
                await writer.acknowledged()
            except GaveUp:
                result.faults.append(f"{len(writer.replica.unacknowledged)} edits were not acknowledged")
            if writer.replica.refused:
                result.faults.append(f"{writer.replica.refused} edits were refused")
            for each in readers:
                try:
                    await each.complete()
                except GaveUp:
                    result.faults.append(f"{each.name} lacks {each.missing} edits")
        result.nodes, result.beside = nodes.cost, beside.cost
        result.published = await valkey.published() - before if valkey else 0
        text = str(writer.text(ROOT))
        differing = [each.name for each in readers if str(each.client.text(ROOT)) != text]
        for node, name in enumerate("AB"):
            async with client(node, "fresh") as fresh:
                if str(fresh.text(ROOT)) != text:
                    differing.append(f"a fresh client of node {name}")
        result.faults += [f"{name} differs from the writer" for name in differing]
        result.edits = len(made)
        result.deliveries = len(made) * len(readers)
        counted = made[warm:]
        result.acknowledged = [edit.acknowledged - edit.made for edit in counted if edit.acknowledged]
        for into, samples in zip((result.same_node, result.other_node), took, strict=True):
            into += [seconds for edit in counted for seconds in samples.get(edit.number, ())]
    return result


async def _type(writer: Client, made: list[Edit], rate: float, seconds: float) -> int:
    """Types at a steady pace; returns how many of the edits were the warm-up."""
    text = writer.text(ROOT)
    warm = max(1, round(WARM_UP * rate))
    began = time.perf_counter()
    for number in range(warm + max(1, round(seconds * rate))):
        wait = began + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        text.insert(number, LETTERS[number % len(LETTERS)])
        assert writer.replica.last_edit is not None
        made.append(writer.replica.last_edit)
    return warm


# The command

PEERS = ("hocuspocus",)


# fmt: off
@click.command("latency")
@click.option("--peer", "peers", type=click.Choice(PEERS), multiple=True,
              help="A server to measure in turn with ours: two nodes of it on the same Valkey.")
@click.option("--readers", type=click.IntRange(1, 100), default=Plan().readers, show_default=True,
              help="Clients that only watch, on each node.")
@click.option("--rate", "rates", type=click.FloatRange(1, 400), multiple=True, default=Plan().rates,
              show_default=True, help="Edits a second. Repeatable.")
@click.option("--rounds", type=click.IntRange(1, 20), default=Plan().rounds, show_default=True,
              help="Measurements of each server at each rate.")
@click.option("--seconds", type=click.FloatRange(0.1, 120), default=Plan().seconds, show_default=True,
              help="How long each of them lasts, after a second of warm-up.")
def command(
    peers: tuple[str, ...], readers: int, rates: tuple[float, ...], rounds: int, seconds: float
) -> None:
    """Measure an edit's way to the clients of its own and of another node.

    Starts two nodes of this project's server on a PostgreSQL and a Valkey of their own, and the peers beside
    them. The exit status is 0 only if in every round every client ended with the writer's text.
    """
    run(_command(Plan(readers, rates, rounds, seconds), tuple(dict.fromkeys(peers))))
# fmt: on


async def _command(plan: Plan, peers: Sequence[str]) -> None:
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(Cluster(2))
        sides = [ours(cluster)]
        if "hocuspocus" in peers:
            first, second = [await stack.enter_async_context(Hocuspocus(cluster.valkey)) for _ in "AB"]
            sides.append(hocuspocus(first, second, cluster.valkey))
        with Machine() as machine:
            results = await _rounds(plan, sides, cluster.valkey)
    click.echo(_table(plan, sides, results, machine))
    if any(each.faults for rounds in results.values() for each in rounds):
        raise SystemExit(1)


def ours(cluster: Cluster) -> Side:
    first, second = cluster.urls()
    return Side(
        "TwinSpace",
        (first, second),
        cluster.token,
        "committed to PostgreSQL (fsync) before anybody is shown it or told that it is saved",
        tuple(node.folder for node in cluster.nodes),
        (cluster.postgres.folder, cluster.valkey.folder),
    )


def hocuspocus(first: Hocuspocus, second: Hocuspocus, valkey: Valkey) -> Side:
    return Side(
        "Hocuspocus",
        (first.url, second.url),
        lambda document, subject: None,
        "in the memory of its nodes, and stored nowhere",
        (first.folder, second.folder),
        (valkey.folder,),
    )


async def _rounds(plan: Plan, sides: Sequence[Side], valkey: Valkey) -> dict[tuple[float, str], list[Round]]:
    results: dict[tuple[float, str], list[Round]] = {}
    with progress() as display:
        task = display.add_task("rounds", total=plan.rounds * len(plan.rates) * len(sides))
        for number in range(plan.rounds):
            for rate in plan.rates:
                for side in sides if number % 2 == 0 else reversed(sides):
                    display.update(task, description=f"{side.name}, {rate:g} edits/s")
                    done = await measure(side, plan, rate, valkey)
                    results.setdefault((rate, side.name), []).append(done)
                    display.advance(task)
    return results


def _table(
    plan: Plan, sides: Sequence[Side], results: dict[tuple[float, str], list[Round]], machine: Machine
) -> str:
    lines = [
        f"An edit's way, in ms: medians of {plan.rounds} rounds [range], {plan.seconds:g} s each, in turn; "
        f"one writer on A, {plan.readers} readers on A and {plan.readers} on B.",
        "",
        f"{'edits/s':<9}{'server':<12}{'to node A, p50':<20}{'p99':<20}{'to node B, p50':<20}{'p99':<20}"
        f"{'saved, p50':<20}{'publishes/edit':<16}{'CPU us/delivery':<17}equal",
    ]
    for rate in plan.rates:
        for side in sides:
            rounds = results[rate, side.name]
            ways = ([each.same_node for each in rounds], [each.other_node for each in rounds])
            cells = [_spread(way, share) for way in ways for share in (0.5, 0.99)]
            cells.append(_spread([each.acknowledged for each in rounds], 0.5))
            published = sum(each.published for each in rounds) / sum(each.edits for each in rounds)
            equal = "yes" if not any(each.faults for each in rounds) else "NO: does not count"
            row = "".join(f"{cell:<20}" for cell in cells)
            spent = 1e6 * sum(each.nodes.server for each in rounds)
            cost = spent / sum(each.deliveries for each in rounds)
            lines.append(f"{rate:<9g}{side.name:<12}{row}{published:<16.2f}{cost:<17.1f}{equal}")
    lines += ["", "Heartbeats of the nodes are among the publishes. The CPU is that of both nodes."]
    lines += [f"{side.name}: an edit that is seen is {side.promise}." for side in sides]
    lines += [
        f"{side} at {rate:g}/s, round {number}: {fault}."
        for (rate, side), rounds in results.items()
        for number, each in enumerate(rounds, 1)
        for fault in each.faults
    ]
    lines.append(f"machine: {machine}")
    return "\n".join(lines)


def _spread(rounds: Sequence[Sequence[float]], share: float) -> str:
    """The median over rounds of a percentile, and its range, in milliseconds."""
    values = [1000 * percentile(each, share) for each in rounds if each]
    if not values:
        return "-"
    return f"{statistics.median(values):.1f} [{min(values):.1f}-{max(values):.1f}]"
