"""`python -m load faults`: every scenario, on nodes, a PostgreSQL and a Redis of its own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import click

from load.command import run
from load.report import Machine, progress

from . import database_faults, figures, nodes, partitions, redis_faults, rights
from .scenario import Scenario, perform
from .stage import Plan

__all__ = ["SCENARIOS", "command"]

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        *nodes.SCENARIOS,
        *redis_faults.SCENARIOS,
        *database_faults.SCENARIOS,
        *partitions.SCENARIOS,
        *rights.SCENARIOS,
        *figures.SCENARIOS,
    )
}
ALL = "all"


# fmt: off
@click.command("faults")
@click.option("--scenario", "names", type=click.Choice([*SCENARIOS, ALL]), multiple=True, default=(ALL,),
              help="Repeatable. [default: all]", metavar="NAME")
@click.option("--list", "wants_list", is_flag=True, help="Say what there is, and what each promises.")
@click.option("--cycles", type=click.IntRange(1), default=Plan(0).cycles, show_default=True,
              help="How often each fault comes.")
@click.option("--seed", type=int, help="Repeats a run's plan: who types what, which fault when. "
              "[default: drawn]")
@click.option("--nodes", "count", type=click.IntRange(2, 5), default=Plan(0).nodes, show_default=True,
              help="Nodes of TwinSpace.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=Plan(0).rate, show_default=True,
              help="Edits per second and client.")
@click.option("--fault-seconds", type=click.FloatRange(0.1), default=Plan(0).fault_seconds,
              show_default=True, help="How long a fault lasts that lasts.")
@click.option("--frozen-seconds", type=click.FloatRange(0.1), default=Plan(0).frozen_seconds,
              show_default=True, help="How long a node stands still.")
def command(
    names: tuple[str, ...],
    wants_list: bool,
    cycles: int,
    seed: int | None,
    count: int,
    rate: float,
    fault_seconds: float,
    frozen_seconds: float,
) -> None:
    """Break what several nodes stand on, while clients type, and look for what was lost.

    Each scenario prints one line. The exit status is 0 only if every promise was kept.
    """
    if wants_list:
        for scenario in SCENARIOS.values():
            click.echo(f"{scenario.name:<20}{scenario.promise}")
        return
    seed = secrets.randbits(32) if seed is None else seed
    plan = Plan(seed, cycles, count, rate=rate, fault_seconds=fault_seconds, frozen_seconds=frozen_seconds)
    chosen = SCENARIOS.values() if ALL in names else [SCENARIOS[name] for name in dict.fromkeys(names)]
    run(_command(list(chosen), plan))
# fmt: on


async def _command(scenarios: Sequence[Scenario], plan: Plan) -> None:
    click.echo(f"seed {plan.seed}", err=True)
    kept = True
    with Machine() as machine, progress() as display:
        for scenario in scenarios:
            task = display.add_task(scenario.name, total=plan.cycles)
            outcome = await perform(scenario, plan, on_cycle=lambda: display.advance(task))  # noqa: B023
            display.remove_task(task)
            click.echo(str(outcome))
            kept = kept and outcome.kept
    click.echo(f"machine: {machine}")
    if not kept:
        raise SystemExit(1)
