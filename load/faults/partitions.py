"""A node loses its line to Redis or to PostgreSQL, both ways or one; two faults come at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from load.servers import Cluster

from .faults import Crash, Cut, Fault, Frozen, Gone, Line, Lossy, Slow, Stopped, Way
from .scenario import OnCycle, Scenario, lasting, typed
from .stage import Outcome, Plan, Stage

__all__ = ["SCENARIOS"]

CUTS = tuple(product(Line, Way))


async def _partition(cluster: Cluster, plan: Plan, outcome: Outcome, on_cycle: OnCycle) -> None:
    """Every pair and way once before any of them comes again."""
    left: list[tuple[Line, Way]] = []

    async def cycle(stage: Stage) -> None:
        if not left:
            left.extend(stage.rng.sample(CUTS, len(CUTS)))
        line, way = left.pop()
        await lasting(stage, Cut(stage, line, stage.some_node(), way))

    await typed(cycle)(cluster, plan, outcome, on_cycle)


def _of_redis(stage: Stage) -> Fault:
    kinds: tuple[Callable[[], Fault], ...] = (
        lambda: Gone(stage, Line.REDIS),
        lambda: Frozen(stage, Line.REDIS),
        lambda: Lossy(stage, stage.rng.choice(("drop", "duplicate", "reorder"))),
        lambda: Cut(stage, Line.REDIS, stage.some_node(), stage.rng.choice(tuple(Way))),
        lambda: Slow(stage),
    )
    return stage.rng.choice(kinds)()


def _of_a_node(stage: Stage) -> Fault:
    kinds: tuple[Callable[[], Fault], ...] = (
        lambda: Crash(stage, stage.some_node()),
        lambda: Stopped(stage, stage.some_node()),
        lambda: Cut(stage, Line.POSTGRES, stage.some_node(), stage.rng.choice(tuple(Way))),
        lambda: Gone(stage, Line.POSTGRES),
    )
    return stage.rng.choice(kinds)()


async def _two(stage: Stage) -> None:
    await lasting(stage, _of_redis(stage), _of_a_node(stage))


SCENARIOS = (
    Scenario(
        "partition",
        "a node loses its line to Redis or PostgreSQL, both ways or one: nothing is lost, the others go on",
        _partition,
    ),
    Scenario(
        "two-faults",
        "a fault of Redis together with one of a node or of PostgreSQL: nothing is lost",
        typed(_two),
    ),
)
