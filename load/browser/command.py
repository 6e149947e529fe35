"""`python -m load browser`: how soon a page takes a key on a slow phone, and how smoothly it goes on."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from load.bench.command import REPORT
from load.command import WorkloadError, run
from load.report import Machine

if TYPE_CHECKING:
    from .report import Report

__all__ = ["Plan", "browser", "command"]

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "static" / "client" / "dist" / "index.html"
MOVES = 5.0
KEYS = 8.0
LONGEST = 300
"""Seconds after which it is given up, whatever happens."""


@dataclass(frozen=True, slots=True)
class Plan:
    """seconds: of typing, on each processor. slower: how many times."""

    navigations: int = 7
    cursors: int = 30
    seconds: float = 10.0
    slower: float = 6.0
    seed: int = 0


async def browser(plan: Plan) -> Report:
    """Measures. Raises WorkloadError when there is nothing to measure with, or when it takes far too long."""
    try:
        async with asyncio.timeout(LONGEST):
            return await _browser(plan)
    except TimeoutError:
        raise WorkloadError(f"It was not done within {LONGEST} s.") from None


async def _browser(plan: Plan) -> Report:
    from .chromium import phone, program
    from .crowd import Crowd
    from .demo import Demo, begin
    from .opening import open_again_and_again, warm_up
    from .report import Report, Written
    from .writing import animate, write

    program()
    if not CLIENT.is_file():
        raise WorkloadError("The client is not built: run `make setup`.")
    report, rng, began = Report(plan.cursors, plan.slower), random.Random(plan.seed), time.monotonic()
    with Machine() as machine:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(Demo())
            lesson = await begin(server, stack, plan.cursors, rng)
            chromium = await stack.enter_async_context(phone(server.http))
            spin = await warm_up(chromium, lesson)
            report.openings = await open_again_and_again(
                chromium, lesson, plan.navigations, plan.slower, spin
            )
            crowd = Crowd(lesson.pupils, lesson.notes, rng)
            moving = asyncio.create_task(crowd.move(MOVES))
            try:
                for slower in (1.0, plan.slower):
                    alone = await animate(chromium, slower, max(2.0, plan.seconds / 2))
                    typed = await write(chromium, lesson, slower, plan.seconds, KEYS, rng)
                    report.written.append(Written(slower, typed, alone))
            finally:
                moving.cancel()
                with suppress(asyncio.CancelledError):
                    await moving
            report.facts["browser"] = await chromium.version()
    report.facts["took"] = f"{time.monotonic() - began:.0f} s"
    report.facts["meanwhile"] = str(machine)
    return report


# fmt: off
@click.command(name="browser")
@click.option("--navigations", default=7, show_default=True, type=click.IntRange(1, 26))
@click.option("--cursors", default=30, show_default=True, type=click.IntRange(1, 100))
@click.option("--seconds", default=10.0, show_default=True, type=click.FloatRange(2, 60),
              help="Of typing, on each of two processors.")
@click.option("--slower", default=6.0, show_default=True, type=click.FloatRange(1, 20),
              help="How many times slower the slow processor is.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=REPORT,
              show_default="load/report", help="Folder for the report.")
def command(navigations: int, cursors: int, seconds: float, slower: float, output: Path) -> None:
    """A phone opens a page of the demo and writes among the moving carets of a class.

    The exit status is 0 if everything could be measured and nothing that was typed was lost.
    """

    async def measure() -> None:
        report = await browser(Plan(navigations, cursors, seconds, slower))
        await asyncio.to_thread(report.write, output)
        click.echo(report.markdown())
        click.echo(f"The report is in {output}.")

    run(measure())
# fmt: on
