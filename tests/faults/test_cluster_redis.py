"""Redis is a hint: whatever becomes of it, everybody's edits are acknowledged and all become equal.

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


@pytest.mark.parametrize(
    "name",
    [
        "redis-kill",
        "redis-freeze",
        "redis-pause",
        "redis-flushall",
        "redis-restart",
        "redis-drop",
        "redis-duplicate",
        "redis-reorder",
    ],
)
async def test_one_server(record_property, cluster: Cluster, name: str) -> None:
    outcome = await keeps(record_property, name, cluster)
    assert outcome.during > 0
    assert outcome.equal


@pytest.mark.parametrize("name", ["cluster", "sentinel"])
async def test_a_primary_that_dies_is_replaced(record_property, name: str) -> None:
    await keeps(record_property, name)
