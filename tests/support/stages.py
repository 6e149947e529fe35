"""The short forms of `python -m load faults`: the same scenarios, once, on real nodes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from load.faults.command import SCENARIOS
from load.faults.scenario import perform
from load.faults.stage import Outcome, Plan
from load.servers import Cluster

__all__ = ["keeps", "open_cluster"]

SEED = int(os.environ.get("TWINSPACE_SEED", "7"))
"""TWINSPACE_SEED=N tries another plan; the seed stands in every line of figures."""
NODES = 2


def plan(**options: Any) -> Plan:
    return Plan(SEED, **{"cycles": 1, "nodes": NODES, "fault_seconds": 2.5, "patience": 40.0, **options})


@asynccontextmanager
async def open_cluster() -> AsyncIterator[Cluster]:
    """Two nodes as most scenarios want them, for several scenarios one after the other.

    `twinspace check` has to find their store in order at the end.
    """
    async with SCENARIOS["node-kill"].setting.cluster(plan()) as cluster:
        yield cluster
        assert await cluster.check() == ""


async def keeps(
    record: Callable[[str, object], None], name: str, cluster: Cluster | None = None, **options: Any
) -> Outcome:
    """Performs a scenario; every promise has to be kept. Its line of figures ends up in the run's summary."""
    outcome = await perform(SCENARIOS[name], plan(**options), cluster)
    record("figures", str(outcome))
    assert outcome.kept, str(outcome)
    return outcome
