"""`python -m load bench`: every workload against every server in turn, and a report of it."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from load.backing import BackingError
from load.backing.process import Folder
from load.command import run
from load.report import Machine, progress

from .lines import Target
from .meters import cores
from .opening import Recording
from .plan import Case, Job, Result, Server, Workload
from .report import Report
from .sides import SIDES, Side
from .workloads import RECORDING, WORKLOADS

__all__ = ["bench", "command"]

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "load" / "report"
JOB_SECONDS = 240


@dataclass(slots=True)
class _Stage:
    """A running server, and the generator beside it."""

    side: Side
    server: Server
    folder: Path
    """Where the generator works."""

    async def job(self, work: str, *, patience: float = 0.0, **options: Any) -> Result:
        side, server = self.side, self.server
        path = "/collab" if side.ours else ""
        job = Job(
            work,
            options,
            Target(server.port, path, side.framing, side.relay),
            server.folder,
            getattr(server, "secret", None),
        )
        _, mine = cores()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "load.bench.generator",
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, mine),
        )
        try:
            async with asyncio.timeout(JOB_SECONDS + patience):
                said, wrong = await process.communicate(pickle.dumps(job))
        except TimeoutError:
            return Result(faults=[f"it was not done within {JOB_SECONDS + patience:g} s"])
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            said_last = wrong.decode(errors="replace").strip()
            click.echo(said_last, err=True)
            return Result(faults=[f"the generator failed: {said_last}"])
        result: Result = pickle.loads(said)  # noqa: S301  from the process we started
        return result


async def _measure(case: Case, side: Side, options: dict[str, Any]) -> Result:
    """One round. Raises BackingError if the server cannot even be started."""
    async with AsyncExitStack() as stack:
        folder = Folder("twinspace-generator-")
        stack.callback(folder.remove)
        server = await stack.enter_async_context(side.make(case.serve))
        try:
            return await case.run(_Stage(side, server, folder.path), options)
        except BackingError as error:
            return Result(faults=[str(error)])


async def bench(
    workloads: Sequence[Workload],
    *,
    rounds: int,
    quick: bool = False,
    long: bool = False,
    sides: Sequence[str] | None = None,
    trace: Path = RECORDING.path,
) -> Report:
    """Measures, round by round, every case on every server that is there; `sides`: those only.

    trace: the session that is recorded in a file, for the documents that are to be one.
    """
    workloads = [_with(workload, trace) for workload in workloads]
    turns = [
        (number, workload, case)
        for number in range(rounds)
        for workload in workloads
        for case in workload.cases
        if number < case.rounds
    ]
    report = Report(list(workloads), rounds, quick=quick, long=long)
    if not quick:
        report.instead += _missing(workloads)
    for what in report.instead:
        click.echo(f"{what} Name it with --trace FILE.", err=True)
    with progress() as display, Machine() as report.machine:
        task = display.add_task("rounds", total=sum(len(case.sides) for _, _, case in turns))
        for number, _, case in turns:
            chosen = [SIDES[key] for key in case.sides if sides is None or key in sides]
            for side in chosen if number % 2 == 0 else reversed(chosen):
                display.update(task, description=f"{case.key}, {side.title}")
                if side.key not in report.absent:
                    options = {**case.options, **(case.quick if quick else case.long if long else {})}
                    try:
                        report.add(case, side, await _measure(case, side, options))
                    except BackingError as error:
                        report.absent[side.key] = str(error).strip()
                        click.echo(f"{side.title} IS NOT IN THIS RUN: {error}", err=True)
                display.advance(task)
    return report


def _missing(workloads: Sequence[Workload]) -> list[str]:
    """What is said of each recording that is not here."""
    values = [value for each in workloads for case in each.cases for value in case.options.values()]
    missing = {value.path.name: None for value in values if isinstance(value, Recording) and not value.here}
    return [f"{name} IS NOT HERE: a made-up document of about its size took its place." for name in missing]


def _with(workload: Workload, trace: Path) -> Workload:
    """The workload with this file for what is recorded."""
    cases = []
    for case in workload.cases:
        options = {
            key: replace(value, path=trace) if isinstance(value, Recording) else value
            for key, value in case.options.items()
        }
        cases.append(replace(case, options=options))
    return replace(workload, cases=tuple(cases))


# fmt: off
@click.command("bench")
@click.option("--workload", "chosen", multiple=True, type=click.Choice(list(WORKLOADS)),
              help="One of them; repeatable. All unless given.")
@click.option("--side", "sides", multiple=True, type=click.Choice(list(SIDES)),
              help="A server to measure; repeatable. All unless given.")
@click.option("--rounds", type=click.IntRange(1, 10), default=3, show_default=True,
              help="Of everything, in turn; what takes long has fewer.")
@click.option("--quick", is_flag=True, help="Tiny and short: whether it works, not how fast it is.")
@click.option("--long", is_flag=True,
              help="W8 for the whole ten minutes, W10 up to the sizes of the issue; some 40 minutes in all.")
@click.option("--trace", type=click.Path(dir_okay=False, path_type=Path), default=RECORDING.path,
              show_default="../shared/traces/automerge-paper.json.gz", help="The recorded session of W5.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=REPORT,
              show_default="load/report", help="Folder for the report.")
def command(
    chosen: tuple[str, ...],
    sides: tuple[str, ...],
    rounds: int,
    quick: bool,
    long: bool,
    trace: Path,
    output: Path,
) -> None:
    """Measure TwinSpace side by side with its peers and with the floor, and write a report.

    The server has one core and the generator the others. TwinSpace runs as in production: SQLite with
    synchronous=FULL, validation and rights on. A figure counts only if every reader has every edit and a
    fresh client ends with the writer's text. The exit status is 0 only if every figure of TwinSpace counts.
    """
    if quick and long:
        raise click.UsageError("A run is either quick or long.")
    workloads = [WORKLOADS[key] for key in chosen or WORKLOADS]
    run(_command(
        bench(workloads, rounds=rounds, quick=quick, long=long, sides=sides or None, trace=trace), output
    ))
# fmt: on


async def _command(measured: Coroutine[Any, Any, Report], output: Path) -> None:
    report = await measured
    await asyncio.to_thread(report.write, output)
    click.echo(report.markdown())
    click.echo("\n".join(report.goals()))
    click.echo(f"The report is in {output}.")
    if report.broken:
        raise SystemExit(1)
