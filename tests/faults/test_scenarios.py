"""A scenario that finds nothing wrong proves nothing unless it finds whatever can be wrong."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from load.faults.faults import Cut, Fault, Line
from load.faults.scenario import Scenario, Setting, lasting, perform, typed
from load.faults.stage import Plan, Stage
from load.servers import Cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAN = Plan(5, cycles=1, nodes=2, documents=1, fault_seconds=1.0, patience=20.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster() -> AsyncIterator[Cluster]:
    async with Setting().cluster(PLAN) as opened:
        yield opened


class Harmless(Fault):
    """Claims that nothing can be committed while everything can."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "nothing")
        self.silences = self.everybody

    async def begin(self) -> None:
        pass

    async def end(self) -> None:
        pass


async def blame_nobody(stage: Stage) -> None:
    await lasting(stage, Harmless(stage))


async def cut_and_hide(stage: Stage) -> None:
    cut = Cut(stage, Line.POSTGRES, 0)
    cut.silences = frozenset()
    await lasting(stage, cut, seconds=3.0)


async def test_false_and_missing_acknowledgements_are_found_out(cluster: Cluster) -> None:
    false = await perform(Scenario("false", "", typed(blame_nobody)), PLAN, cluster)
    missing = await perform(Scenario("missing", "", typed(cut_and_hide)), PLAN, cluster)
    assert "edits were acknowledged that nobody can have committed" in false.wrong[0]
    assert "an acknowledgement has been missing for" in missing.wrong[0]
    assert "node 0 acknowledged nothing" in missing.wrong[1]


async def differ(stage: Stage) -> None:
    await stage.still(range(2))
    client = stage.typists[0].client
    client.go_offline()
    await client.disconnected()
    stage.typists[1].edit()
    await stage.settle(time.perf_counter(), "in the end")


async def test_replicas_that_stay_unequal_are_found_out(cluster: Cluster) -> None:
    outcome = await perform(Scenario("unequal", "", typed(differ)), replace(PLAN, patience=3.0), cluster)
    assert "in the end: not equal after 3 s: c0 is not synced with node" in outcome.wrong[0]


async def forget(stage: Stage) -> None:
    """The database goes back to what it was a while ago: it had not really written its commits."""
    cluster, clients = stage.cluster, [typist.client for typist in stage.typists]
    await stage.still(range(2))
    for client in clients:
        client.hold()
    for node in cluster.nodes:
        await node.stop()
    await cluster.postgres.create_database("early", template="twinspace")
    await asyncio.gather(*(node.start() for node in cluster.nodes))
    for client in clients:
        client.go_online()
    stage.resume()
    await stage.expect_resumption(time.perf_counter(), "the second start")
    await stage.still(range(2))
    for client in clients:
        client.hold()
    for node in cluster.nodes:
        await node.stop()
    await cluster.postgres.drop_database("twinspace")
    await cluster.postgres.create_database("twinspace", template="early")
    await asyncio.gather(*(node.start() for node in cluster.nodes))
    await stage.read_back("after the loss", range(2))


async def test_a_database_that_forgets_is_found_out(cluster: Cluster) -> None:
    outcome = await perform(Scenario("forgetful", "", typed(forget)), PLAN, cluster)
    assert not outcome.kept
    assert outcome.losses.acknowledged
    assert outcome.losses.shown
    assert "First loss after the loss, read from node" in outcome.wrong[0]
    assert "NOT KEPT:\n    First loss" in str(outcome)


async def test_a_node_that_does_not_start_is_what_is_wrong() -> None:
    broken = Setting(launchers={1: (sys.executable, "-c", "raise SystemExit('no')")})
    outcome = await perform(Scenario("broken", "", typed(blame_nobody), broken), PLAN)
    assert "load did not start. It said:\nno" in outcome.wrong[0]
