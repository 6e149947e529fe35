"""How every workload's command runs: on uvloop, with its failures as one line each."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine

import click
import uvloop

from .client import ClientError
from .servers import ServerError
from .target import TargetError
from .trace import TraceError

__all__ = ["WorkloadError", "run"]


class WorkloadError(Exception):
    """A workload cannot go on. The message says why."""


def run(workload: Coroutine[None, None, None]) -> None:
    """Runs a workload to its end; Ctrl-C and SIGTERM end it too, and what it started with it."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_told(workload))
    except (ClientError, ServerError, TargetError, TraceError, WorkloadError) as error:
        raise click.ClickException(str(error)) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.Abort from None


async def _until_told(workload: Coroutine[None, None, None]) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await workload
