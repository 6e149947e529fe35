"""Nodes die, stand still and are restarted under people's hands. The long form: python -m load faults."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from stages import keeps, open_cluster

from load.servers import Cluster
from load.wire import Framing

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster() -> AsyncIterator[Cluster]:
    async with open_cluster() as opened:
        yield opened


async def test_a_node_that_is_killed_takes_nothing_along(record_property, cluster: Cluster) -> None:
    outcome = await keeps(record_property, "node-kill", cluster, cycles=2)
    assert outcome.events["kills of nodes"] == 2
    assert outcome.shown > 20


async def test_a_node_that_stood_still_catches_up(record_property, cluster: Cluster) -> None:
    outcome = await keeps(record_property, "node-freeze", cluster, frozen_seconds=5.0)
    assert outcome.during > 10
    assert outcome.events["leases that ran out meanwhile"] == 1


async def test_a_rolling_restart_keeps_nobody_away(record_property, cluster: Cluster) -> None:
    outcome = await keeps(record_property, "rolling", cluster)
    assert len(outcome.away) >= len(Framing) * 2  # half of the clients at least, each time


async def test_publishes_are_few_and_no_acknowledgement_waits_for_redis(
    record_property, cluster: Cluster
) -> None:
    await keeps(record_property, "publishes", cluster)


async def test_how_long_an_edit_takes_to_another_node(record_property, cluster: Cluster) -> None:
    await keeps(record_property, "latency", cluster)


async def test_rights_reach_the_sockets_of_another_node(record_property, cluster: Cluster) -> None:
    await keeps(record_property, "revoke", cluster)


@pytest.mark.parametrize("name", ["clock", "clock-behind"])
async def test_a_clock_that_is_an_hour_off_changes_nothing(record_property, name: str) -> None:
    await keeps(record_property, name)
