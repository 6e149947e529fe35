"""How every workload's command runs: on uvloop, with its failures as one line each."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine

import click
import uvloop

from .backing import BackingError
from .client import ClientError
from .target import TargetError
from .trace import TraceError

__all__ = ["Speed", "WorkloadError", "run"]


class WorkloadError(Exception):
    """A workload cannot go on. The message says why."""


class Speed(click.ParamType[float | None]):
    """A positive number, or `max`: None."""

    name = "N|max"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        if value is None or value == "max":
            return None
        try:
            speed = float(str(value))
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            self.fail(f"{value} is neither a positive number nor max.", param, ctx)
        return speed


def run(workload: Coroutine[None, None, None]) -> None:
    """Runs a workload to its end; Ctrl-C and SIGTERM end it too, and what it started with it."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_told(workload))
    except (BackingError, ClientError, TargetError, TraceError, WorkloadError) as error:
        raise click.ClickException(str(error)) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.Abort from None


async def _until_told(workload: Coroutine[None, None, None]) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await workload
