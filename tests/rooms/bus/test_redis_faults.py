"""What happens to the bus when its one server, or the line to it, does something bad.

The same each time: the bus says that it is away, and why; nobody waits, nothing grows; and when it says that
it is up, everything that was joined is heard again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from bustools import QUICK, Ear, all_pass, away, entry, opened, passes, until, up

from load.backing import Valkey
from load.faults.proxy import FaultProxy
from rooms.bus import BusState
from rooms.bus.messages import Changed
from rooms.bus.redis import Limits, RedisBus

DOCUMENTS = [f"page-{number}" for number in range(20)]


@dataclass
class Stage:
    """A node whose line can be made bad, and one whose line is good, on one server."""

    server: Valkey
    line: FaultProxy
    node: RedisBus
    witness: RedisBus
    ears: dict[str, Ear]
    states: list[BusState]

    async def is_whole(self) -> None:
        """Everything joined is heard, at the first try, and what is said arrives."""
        ear, everybody = Ear(), Ear()
        self.node.on_node_message(everybody)
        await self.witness.join("page-0", ear)
        await all_pass(self.witness, self.node, {document: self.ears[document] for document in DOCUMENTS})
        await passes(self.node, self.witness, "page-0", ear)
        self.witness.send(Changed(7))
        await until(lambda: Changed(7) in everybody.messages)
        self.witness.leave("page-0")

    async def is_away_at_once(self) -> None:
        """Saying and joining cost nothing while the bus is away."""
        await away(self.node)
        dropped = self.node.figures.dropped_away
        begun = time.monotonic()
        for sequence in range(1_000):
            self.node.send(entry("page-0", sequence))
        await self.node.join("page-late", Ear())
        self.node.leave("page-late")
        assert time.monotonic() - begun < 0.3
        assert self.node.figures.dropped_away == dropped + 1_000
        assert self.node.reason


@asynccontextmanager
async def staged(server: Valkey, limits: Limits = QUICK) -> AsyncIterator[Stage]:
    async with FaultProxy(server.port, resp=True) as line:
        url = line.through(server.url)
        async with opened(url, limits=limits) as node, opened(server.url, limits=QUICK) as witness:
            ears = {document: Ear() for document in DOCUMENTS}
            states: list[BusState] = []
            node.on_state(states.append)
            await asyncio.gather(*(node.join(document, ear) for document, ear in ears.items()))
            stage = Stage(server, line, node, witness, ears, states)
            await stage.is_whole()
            yield stage


@pytest.fixture
async def stage(poor_valkey: Valkey) -> AsyncIterator[Stage]:
    async with staged(poor_valkey) as stage:
        yield stage


async def test_a_killed_server_comes_back(stage: Stage) -> None:
    await stage.server.kill()
    await stage.is_away_at_once()
    await asyncio.sleep(0.3)
    assert stage.states == [BusState.AWAY]
    await stage.server.start()
    await up(stage.node, stage.witness)
    assert stage.states == [BusState.AWAY, BusState.UP]
    await stage.is_whole()
    assert stage.node.figures.reconnects == 1
    assert stage.node.figures.away_seconds > 0.3
    assert stage.node.reason == ""


async def test_a_restarted_server_comes_back(stage: Stage) -> None:
    await stage.server.restart()
    await until(lambda: len(stage.states) == 2)
    await up(stage.node, stage.witness)
    await stage.is_whole()


async def test_a_frozen_server_is_noticed_and_comes_back(stage: Stage) -> None:
    stage.server.freeze()
    await away(stage.node, within=5)
    await stage.is_away_at_once()
    assert "did not answer within 0.7 s" in stage.node.reason
    stage.server.thaw()
    await up(stage.node, stage.witness)
    await stage.is_whole()


async def test_a_paused_server_is_noticed_and_comes_back(stage: Stage) -> None:
    await stage.server.client_pause(1.6)
    await stage.is_away_at_once()
    await up(stage.node, stage.witness)
    await stage.is_whole()


async def test_a_server_that_only_publishes_nothing_is_noticed(stage: Stage) -> None:
    """It goes on to answer HELLO."""
    await stage.server.ask("CLIENT", "PAUSE", 60_000, "WRITE")
    await asyncio.sleep(1)
    assert stage.states == []
    stage.node.send(Changed(1))
    await away(stage.node, within=5)
    await stage.server.ask("CLIENT", "UNPAUSE")
    await up(stage.node, stage.witness)
    await stage.is_whole()


async def test_a_pause_that_is_short_is_borne(poor_valkey: Valkey) -> None:
    async with staged(poor_valkey, replace(QUICK, answer_within=3.0, join_within=3.0)) as stage:
        await poor_valkey.client_pause(0.3)
        for sequence in range(1_000):
            stage.node.send(entry("page-0", 2 * sequence))
        await stage.is_whole()
        assert stage.states == []


@pytest.mark.parametrize("kind", ["pubsub", "normal"])
async def test_either_connection_that_is_ended_takes_the_other_with_it(stage: Stage, kind: str) -> None:
    await stage.server.ask("CLIENT", "KILL", "TYPE", kind)
    await until(lambda: len(stage.states) == 2)
    await up(stage.node, stage.witness)
    assert stage.states == [BusState.AWAY, BusState.UP]
    await stage.is_whole()

    async def connections() -> int:
        told = await stage.server.info("clients")
        return int(told["connected_clients"])

    assert await connections() == 5  # two of each node, and whoever asks


async def test_flushing_the_server_hurts_nothing(stage: Stage) -> None:
    await stage.server.flushall()
    await stage.server.ask("SCRIPT", "FLUSH")
    await stage.is_whole()
    assert stage.states == []
    assert await stage.server.ask("DBSIZE") == 0


def _to_the_server(stage: Stage) -> None:
    stage.line.up.blackhole = True


def _from_the_server(stage: Stage) -> None:
    stage.line.down.blackhole = True


def _both_ways(stage: Stage) -> None:
    stage.line.blackhole = True


@pytest.mark.parametrize(
    ("cut", "traffic"),
    [(_to_the_server, True), (_from_the_server, True), (_both_ways, True), (_both_ways, False)],
)
async def test_a_line_that_swallows_everything_is_noticed(
    stage: Stage, cut: Callable[[Stage], None], traffic: bool
) -> None:
    async def talk() -> None:
        sequence = 0
        while True:
            sequence += 2
            stage.node.send(entry("page-0", sequence, bytes(1000)))
            stage.witness.send(entry("page-1", sequence, bytes(1000)))
            await asyncio.sleep(0.002)

    talking = asyncio.create_task(talk()) if traffic else None
    cut(stage)
    await away(stage.node, within=5)
    assert "did not answer" in stage.node.reason
    assert stage.witness.state is BusState.UP
    if talking is not None:
        talking.cancel()
    await stage.line.heal()
    await up(stage.node)
    await stage.is_whole()


async def test_a_server_that_lets_nobody_in_is_tried_again_and_again_but_not_too_often(stage: Stage) -> None:
    stage.line.refusing = True
    before = stage.line.counts["connections"]
    stage.line.reset()
    await stage.is_away_at_once()
    await asyncio.sleep(1)
    tried = stage.line.counts["connections"] - before
    assert 5 <= tried <= 30
    await stage.line.heal()
    await up(stage.node)
    await stage.is_whole()


async def test_a_subscriber_that_is_too_slow_for_the_server_is_not_deaf_afterwards(
    own_valkey: Valkey,
) -> None:
    """Redis ends a subscriber whose buffer grows too far (lesson 22)."""
    await own_valkey.ask("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 512kb 1")
    async with staged(own_valkey, replace(QUICK, answer_within=5.0)) as stage:
        stage.line.down.bandwidth = 1_000_000
        for sequence in range(150):
            stage.witness.send(entry("page-0", 2 * sequence, bytes(60_000)))
            await asyncio.sleep(0.001)
        await until(lambda: BusState.AWAY in stage.states)
        told = await own_valkey.info("stats")
        assert told["client_output_buffer_limit_disconnections"] == 1
        await stage.line.heal()
        await up(stage.node)
        await stage.is_whole()


async def test_messages_lost_doubled_or_out_of_order_do_no_harm(stage: Stage) -> None:
    stage.line.down.drop = stage.line.down.duplicate = stage.line.down.reorder = 0.2
    for sequence in range(300):
        stage.witness.send(entry("page-0", 2 * sequence))
        await asyncio.sleep(0.0005)
    await stage.line.heal()
    await until(lambda: stage.ears["page-0"].sequences)
    await stage.is_whole()
    assert stage.states == []
    assert stage.line.failure is None


async def test_a_join_that_is_not_confirmed_says_that_the_bus_is_away(poor_valkey: Valkey) -> None:
    async with staged(poor_valkey, replace(QUICK, answer_within=30.0, ping_every=30.0)) as stage:
        stage.line.up.blackhole = True
        begun = time.monotonic()
        await stage.node.join("page-late", Ear())
        assert 0.6 < time.monotonic() - begun < 2
        await away(stage.node, within=0.5)
        assert "did not confirm a subscription within 0.7 s" in stage.node.reason
        await stage.line.heal()
        await up(stage.node)
        ear = Ear()
        await stage.node.join("page-late", ear)
        await passes(stage.witness, stage.node, "page-late", ear)


async def test_whoever_waits_for_a_join_is_let_go_when_the_bus_goes(poor_valkey: Valkey) -> None:
    async with staged(poor_valkey, replace(QUICK, join_within=30.0)) as stage:
        stage.server.freeze()
        begun = time.monotonic()
        await asyncio.gather(*(stage.node.join(f"late-{number}", Ear()) for number in range(50)))
        assert time.monotonic() - begun < 2
        assert stage.node.state is BusState.AWAY
        stage.server.thaw()


async def test_what_is_joined_and_left_while_the_bus_is_away_is_so_when_it_is_back(stage: Stage) -> None:
    await stage.server.kill()
    await away(stage.node)
    ear, left = Ear(), Ear()
    await stage.node.join("late", ear)
    await stage.node.join("left", left)
    stage.node.leave("left")
    stage.node.leave("page-1")
    await stage.server.start()
    await up(stage.node, stage.witness)
    await passes(stage.witness, stage.node, "late", ear)
    for gone in (left, stage.ears["page-1"]):
        gone.heard.clear()
    stage.witness.send(entry("left", 1))
    stage.witness.send(entry("page-1", 1))
    await passes(stage.witness, stage.node, "page-2", stage.ears["page-2"])
    assert not left.heard
    assert not stage.ears["page-1"].heard


async def test_a_backlog_is_bounded_while_the_server_hangs(poor_valkey: Valkey) -> None:
    limits = replace(QUICK, answer_within=30.0, queue_bytes=500_000)
    async with staged(poor_valkey, limits) as stage:
        poor_valkey.freeze()
        for sequence in range(3_000):
            stage.node.send(entry("page-0", 2 * sequence, bytes(5_000)))
            if sequence % 100 == 0:
                await asyncio.sleep(0.001)
        shard = stage.node._everybody.shard
        assert shard._outbox._bytes <= 500_000
        assert stage.node.figures.dropped_full > 2_000
        poor_valkey.thaw()
        await stage.is_whole()


async def test_faults_in_any_order_leave_a_bus_that_works(stage: Stage) -> None:
    server, line = stage.server, stage.line

    async def restart() -> None:
        await server.kill()
        await server.start()

    async def freeze() -> None:
        server.freeze()
        await asyncio.sleep(0.8)
        server.thaw()

    async def cut() -> None:
        line.up.blackhole = True
        await asyncio.sleep(0.8)
        await line.heal()

    async def reset() -> None:
        line.reset()

    faults: list[Callable[[], Awaitable[None]]] = [
        reset,
        cut,
        restart,
        reset,
        server.drop_clients,
        freeze,
        reset,
    ]
    for sequence, fault in enumerate(faults):
        await fault()
        stage.node.send(entry("page-0", 2 * sequence))
        await stage.node.join(f"late-{sequence}", Ear())
    await up(stage.node, stage.witness)
    await asyncio.sleep(0.9)  # whatever a late time-out would still do
    await up(stage.node, stage.witness)
    await stage.is_whole()


async def test_closing_at_whatever_moment_of_a_failure_ends(stage: Stage) -> None:
    """A cancellation that meets a failing task group is lost in Python 3.11."""
    for turns in range(40):
        async with opened(stage.line.through(stage.server.url), limits=QUICK) as bus:
            stage.line.reset()
            for _ in range(turns):
                await asyncio.sleep(0)
            await asyncio.wait_for(bus.close(), 3)
