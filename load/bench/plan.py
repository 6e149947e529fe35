"""What is measured: workloads, their cases, and what comes out of one round."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .lines import Hub, Target
from .meters import Meter

__all__ = ["Bench", "Case", "Column", "Goal", "Job", "Result", "Runner", "Server", "Stage", "Workload"]


@dataclass(slots=True)
class Result:
    """Of one round of one case on one server."""

    figures: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    """Why it does not count; empty when it does."""
    notes: list[str] = field(default_factory=list)
    """What has to be said beside it."""
    curve: list[tuple[float, float]] = field(default_factory=list)
    """For a plot: of this case, what its `curve` says."""
    spread: list[tuple[float, float]] = field(default_factory=list)
    """(percent, milliseconds): so many percent arrived within so long."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the generator is asked to do: a work of this package on a running server."""

    work: str
    """The module whose function `work` does it."""
    options: Mapping[str, Any]
    target: Target
    folder: Path
    """Where the server's processes work."""
    secret: str | None
    """What signs its document tokens, if it asks for any."""


@dataclass(slots=True)
class Bench:
    """What a work has to do with, in the generator's process."""

    hub: Hub
    folder: Path

    @property
    def meter(self) -> Meter:
        return Meter(self.folder)


class Server(Protocol):
    """What runs on the server's core: a Process, or two Nodes."""

    port: int
    folder: Path


class Stage(Protocol):
    """A running server and the generator beside it, in the process that measures."""

    server: Server

    async def job(self, work: str, *, patience: float = 0.0, **options: Any) -> Result:
        """Has the generator do a work; `patience`: seconds that it may take beyond what is usual."""
        ...


Runner = Callable[[Stage, Mapping[str, Any]], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: str
    digits: int = 1
    ratio: bool = False
    """Compared with the others: how many times ours is better than each."""
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table for each server.

    run: what happens on the running server, given the options. quick, long: other options of a quick and of a
    long run. serve: options of `twinspace serve` that it needs.
    """

    key: str
    title: str
    run: Runner
    options: Mapping[str, Any]
    quick: Mapping[str, Any]
    sides: tuple[str, ...]
    columns: tuple[Column, ...]
    curve: tuple[str, str] = ("", "")
    """What the axes of its plot are, if it has one."""
    long: Mapping[str, Any] = field(default_factory=dict)
    serve: tuple[str, ...] = ()
    rounds: int = 10
    """At most so many, however many are asked for: for what takes long and varies little."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What issue 5 asks of TwinSpace in a case: a bound, or to be so many times better than others.

    figure: the key of one of the case's columns. words: what is measured, and in what. than, times: it is to
    be so many times better than each of these servers. over: the bound is for the ratio of the figure
    to that of this other case. Neither bound nor `than`: the goal names no number; people have to judge.
    """

    case: str
    figure: str
    words: str
    at_most: float | None = None
    at_least: float | None = None
    times: float = 1.0
    than: tuple[str, ...] = ()
    over: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    key: str
    title: str
    about: str
    """What it stands for, how it is measured, and where it comes from."""
    cases: tuple[Case, ...]
    goals: tuple[Goal, ...] = ()
