"""What a run gave: a table in Markdown, everything in JSON, plots in SVG."""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from load.peers import packages
from load.report import Machine

from .goals import Verdict, judged, ours_of, times_better
from .plan import Case, Column, Result, Workload
from .plots import Point, plot
from .sides import FLOOR, SIDES, Side

__all__ = ["Report"]

PEERS = Path(packages.__file__).parent
ROOT = PEERS.parents[1]
PREAMBLE = """\
Medians over rounds [smallest to largest]. The rounds of all servers take turns; the server has one core, the
generator the others. The machines such runs are made on are noisy: compare within one run, and call less
than half as much again no difference."""


class Report:
    """Fills while a run goes on: `add` a round, then `write`."""

    def __init__(
        self, workloads: list[Workload], rounds: int, *, quick: bool = False, long: bool = False
    ) -> None:
        self.workloads, self.rounds, self.quick, self.long = workloads, rounds, quick, long
        self.machine = Machine()
        self.absent: dict[str, str] = {}
        """Servers that could not be started, and why."""
        self.instead: list[str] = []
        """What was not there, and what was taken instead."""
        self.results: dict[tuple[str, str], list[Result]] = {}
        """By case and server."""
        self._cases = {case.key: case for workload in workloads for case in workload.cases}
        self._began = time.monotonic()

    def add(self, case: Case, side: Side, result: Result) -> None:
        self.results.setdefault((case.key, side.key), []).append(result)

    @property
    def broken(self) -> bool:
        """Whether something of TwinSpace does not count, or it was not there."""
        return any(SIDES[side].ours for side in self.absent) or any(
            result.faults
            for (_, side), results in self.results.items()
            for result in results
            if SIDES[side].ours
        )

    # The goals

    def value(self, case: str, side: str, figure: str) -> float:
        """The median of the rounds that count; nan if there is none."""
        counted = [result for result in self.results.get((case, side), []) if not result.faults]
        values = [result.figures[figure] for result in counted if figure in result.figures]
        return statistics.median(values) if values else math.nan

    def verdicts(self) -> list[tuple[Workload, Verdict]]:
        """Of every goal, also of those that nothing was measured for."""
        return [
            (workload, judged(goal, self._cases[goal.case], self.value))
            for workload in self.workloads
            for goal in workload.goals
        ]

    def table(self) -> str:
        """The goals, the machine and the versions: one page."""
        return "\n".join([*self.goals(), PREAMBLE, "", *self._facts()]) + "\n"

    def goals(self) -> list[str]:
        """What was asked for and what came of it."""
        verdicts = self.verdicts()
        met = sum(verdict.word == "met" for _, verdict in verdicts)
        families = list(dict.fromkeys(side.family for side in SIDES.values() if side.family))
        titles = ["", "asked for", *families, "how far", "met?"]
        lines = ["# The goals", "", *self._warning(), f"{met} of {len(verdicts)} goals are met.", ""]
        lines += ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
        for workload, verdict in verdicts:
            cells = [verdict.shown.get(family, "") for family in families]
            row = [workload.key, verdict.words, *cells, verdict.far, verdict.word]
            lines.append("| " + " | ".join(row) + " |")
        return [*lines, ""]

    def _warning(self) -> list[str]:
        said = []
        if self.quick:
            said += ["**A quick run: it shows that everything works. Its figures mean nothing.**", ""]
        for what in self.instead:
            said += [f"**{what}**", ""]
        return said

    def _facts(self) -> list[str]:
        lines = ["## The machine and the versions", ""]
        lines += [f"- {name}: {value}" for name, value in self.facts.items()]
        return lines + [
            f"- not in this run: {SIDES[key].title}: {_line(why)}" for key, why in self.absent.items()
        ]

    # The figures

    def markdown(self) -> str:
        lines = ["# Benchmark", "", *self._warning(), PREAMBLE, ""]
        for workload in self.workloads:
            lines += [f"## {workload.key}: {workload.title}", "", workload.about, ""]
            for case in workload.cases:
                lines += self._case(case)
        lines += ["## What holds of an edit that is seen", ""]
        lines += [f"- {SIDES[key].title}: {SIDES[key].promise}." for key in self._sides()]
        return "\n".join([*lines, "", *self._facts()]) + "\n"

    def _sides(self) -> list[str]:
        measured = {side for _, side in self.results}
        return [key for key in SIDES if key in measured]

    def _case(self, case: Case) -> Iterator[str]:
        sides = [key for key in SIDES if (case.key, key) in self.results]
        if not sides:
            return
        ratios = [column for column in case.columns if column.ratio]
        titles = [column.title for column in case.columns] + [f"TwinSpace's {each.title}" for each in ratios]
        yield f"**{case.key}: {case.title}**"
        yield ""
        yield "| " + " | ".join(["", *titles]) + " |"
        yield "|---" * (1 + len(titles)) + "|"
        for key in sides:
            counted = [result for result in self.results[case.key, key] if not result.faults]
            if counted:
                cells = [_spread(column, counted) for column in case.columns]
                cells += [self._ratio(case, column, key) for column in ratios]
            else:
                cells = ["does not count", *[""] * (len(titles) - 1)]
            yield "| " + " | ".join([SIDES[key].title, *cells]) + " |"
        yield ""
        said = [
            f"- {SIDES[key].title}, round {number}: {word}."
            for key in sides
            for number, result in enumerate(self.results[case.key, key], 1)
            for word in [*(f"does not count: {_line(fault)}" for fault in result.faults), *result.notes]
        ]
        if said:
            yield from [*said, ""]

    def ratio(self, case: Case, column: Column, side: str) -> float:
        """How many times better TwinSpace is than this server, by the medians; nan if that cannot be said."""
        ours, theirs = (self.value(case.key, key, column.key) for key in (ours_of(case), side))
        return times_better(ours, theirs, column)

    def _ratio(self, case: Case, column: Column, side: str) -> str:
        if side == ours_of(case):
            return ""
        ratio = self.ratio(case, column, side)
        if math.isnan(ratio):
            return "-"
        return f"{ratio:.2f} of the floor" if side == FLOOR.key else f"{ratio:.2f} x better"

    # Facts

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """Of the machine and of what was measured, as they are when they are first asked for."""
        facts = {
            "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "TwinSpace": _said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
            "rounds": f"{self.rounds}{', long' if self.long else ''}",
            "took": f"{(time.monotonic() - self._began) / 60:.1f} minutes",
            "processor": _processor(),
            "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB",
            "meanwhile": str(self.machine),
            "one fsync of 4 kB, median": f"{1000 * _fsync():.2f} ms",
            "kernel": platform.release(),
            "Python": platform.python_version(),
        }
        for name in ("aiohttp", "pycrdt", "uvloop", "websockets"):
            facts[name] = version(name)
        facts["Node.js"] = _said(str(packages.WITH_NODE), "node", "--version")
        for lock in sorted(PEERS.glob("**/package-lock.json")):
            if "node_modules" not in lock.parts:
                facts |= _locked(lock)
        requirements = (PEERS / "pycrdt" / "requirements.txt").read_text().splitlines()
        pinned = dict(line.split(" ")[0].split("==") for line in requirements if "==" in line)
        for name in ("pycrdt-websocket", "hypercorn"):
            facts[name] = pinned[name]
        compiler = shutil.which("cc")
        facts["compiler"] = _said(compiler, "--version").partition("\n")[0] if compiler else "none"
        return facts

    # Files

    def write(self, folder: Path) -> None:
        """Writes table.md, report.md, report.json and the plots into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.svg"):
            old.unlink()
        (folder / "table.md").write_text(self.table())
        (folder / "report.md").write_text(self.markdown())
        (folder / "report.json").write_text(json.dumps(self.as_json(), indent=1, allow_nan=False) + "\n")
        for name, text in self.plots().items():
            (folder / f"{name}.svg").write_text(text)

    def as_json(self) -> Mapping[str, object]:
        cases = self._cases
        return {
            "facts": dict(self.facts),
            "quick": self.quick,
            "long": self.long,
            "instead": self.instead,
            "goals": [
                {"workload": workload.key, "case": verdict.case, **verdict.as_json()}
                for workload, verdict in self.verdicts()
            ],
            "absent": self.absent,
            "results": [
                {
                    "case": case,
                    "server": side,
                    "rounds": [asdict(result) for result in results],
                    "medians": {
                        column.key: value
                        for column in cases[case].columns
                        if not math.isnan(value := self.value(case, side, column.key))
                    },
                    "better": {
                        column.key: ratio
                        for column in cases[case].columns
                        if column.ratio and not math.isnan(ratio := self.ratio(cases[case], column, side))
                    },
                }
                for (case, side), results in self.results.items()
            ],
        }

    def plots(self) -> Mapping[str, str]:
        """By the name of the file: a curve of each case that has one, and how its latencies spread."""
        made = {}
        for workload in self.workloads:
            for case in workload.cases:
                if not case.curve[0]:
                    continue
                spread = case.curve[1] == "milliseconds"
                series = {
                    SIDES[key].title: points
                    for key in SIDES
                    if len(points := self._points(case, key, spread=spread)) > 1
                }
                if series:
                    made[case.key] = plot(
                        f"{workload.title}: {case.title}", *case.curve, series, percent=spread
                    )
        return made

    def _points(self, case: Case, side: str, *, spread: bool) -> list[Point]:
        """The medians over rounds, where all of them got."""
        at: dict[float, list[float]] = {}
        for result in self.results.get((case.key, side), []):
            if not result.faults:
                for x, y in result.spread if spread else result.curve:
                    at.setdefault(x, []).append(y)
        return [(x, statistics.median(values)) for x, values in sorted(at.items())]


def _line(words: str) -> str:
    """The last line, which is where a program says what was wrong."""
    return words.strip().rpartition("\n")[2].rstrip(".")


def _values(column: Column, results: Sequence[Result]) -> list[float]:
    return [result.figures[column.key] for result in results if column.key in result.figures]


def _spread(column: Column, results: Sequence[Result]) -> str:
    values = _values(column, results)
    if not values:
        return "-"
    shown = [f"{value:,.{column.digits}f}" for value in (statistics.median(values), min(values), max(values))]
    return shown[0] if len(values) == 1 else f"{shown[0]} [{shown[1]}-{shown[2]}]"


def _processor() -> str:
    cores = f"{os.cpu_count()} cores"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.partition(': ')[2]}, {cores}"
    return f"{platform.machine()}, {cores}"


def _fsync() -> float:
    """Seconds, where the servers' folders are."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(20):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took)


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"


def _locked(lock: Path) -> Mapping[str, str]:
    """The versions of what a lock file's own package.json asks for."""
    locked = json.loads(lock.read_text())["packages"]
    return {name: locked[f"node_modules/{name}"]["version"] for name in locked[""]["dependencies"]}
