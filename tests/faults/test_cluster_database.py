"""PostgreSQL restarts and falls silent, lines are cut: nothing is acknowledged wrongly, nothing is lost.

The long form: python -m load faults.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from stages import keeps, open_cluster

from load.servers import Cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster() -> AsyncIterator[Cluster]:
    async with open_cluster() as opened:
        yield opened


async def test_postgresql_restarts_in_the_midst_of_commits(record_property, cluster: Cluster) -> None:
    outcome = await keeps(record_property, "postgres-restart", cluster, cycles=2)
    assert len(outcome.resumed) == 2


async def test_postgresql_stands_still(record_property, cluster: Cluster) -> None:
    await keeps(record_property, "postgres-freeze", cluster, fault_seconds=5.0)


async def test_postgresql_is_out_of_reach(record_property, cluster: Cluster) -> None:
    outcome = await keeps(record_property, "postgres-blackhole", cluster, fault_seconds=6.0)
    assert outcome.told


async def test_a_node_loses_one_of_its_lines_both_ways_or_one(record_property, cluster: Cluster) -> None:
    outcome = await keeps(record_property, "partition", cluster, cycles=6)
    assert sum(name.startswith("cuts") for name in outcome.events) == 6


async def test_two_faults_at_once(record_property, cluster: Cluster) -> None:
    await keeps(record_property, "two-faults", cluster, cycles=2)
