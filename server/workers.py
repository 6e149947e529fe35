"""Several processes of one machine on one port, each a node of its own, looked after by the one that started
them.

The kernel shares out new connections among the processes that listen on the port (SO_REUSEPORT). This process
only holds the port, says when all are ready, passes on the signal to stop, and starts anew whoever dies. When
it dies itself, however that happens, its workers stop.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from prometheus_client.multiprocess import mark_process_dead

from server import logs
from server.config import Settings
from server.metrics import SHARED_FOLDER

__all__ = ["run_workers"]

READY_SECONDS: Final = 60.0
"""How long the workers may take to listen."""
STOP_SECONDS: Final = 10.0
"""How long they may take to end in order; each gives up by itself after five."""
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 15.0
"""Seconds before a worker that died is started again; doubled each time, until one has lived for a minute."""
PROVEN_SECONDS: Final = 60.0

logger = logging.getLogger(__name__)
_context = multiprocessing.get_context("spawn")


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    says: Connection
    """Brings the address once it listens, and ends with the process."""
    started: float


class _Supervisor:
    def __init__(self, settings: Settings, port: int) -> None:
        self._values = {**dict(settings), "port": port}
        self._count = settings.workers
        self._workers: list[_Worker] = []
        self._due: list[float] = []
        """When workers that died are to be started again."""
        self._pause = FIRST_PAUSE
        self._stopping = False

    def stop(self, *_: object) -> None:
        """Begins the end; for signal handlers."""
        self._stopping = True

    def run(self) -> int:
        """Returns the exit status."""
        for _ in range(self._count):
            self._start()
        try:
            address = self._wait_until_ready()
            if address is None:
                return 0 if self._stopping else 1
            sys.stdout.write(f"listening on {address}\n")
            sys.stdout.flush()
            while not self._stopping:
                self._look_after()
            return 0
        finally:
            self._end()

    def _start(self) -> None:
        ours, theirs = _context.Pipe(duplex=False)
        process = _context.Process(target=_work, args=(self._values, theirs), name="twinspace-worker")
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours, time.monotonic()))

    def _wait_until_ready(self) -> str | None:
        """The address, once every worker listens on it; None when one of them could not."""
        address = None
        deadline = time.monotonic() + READY_SECONDS
        waiting = {worker.says for worker in self._workers}
        while waiting and not self._stopping:
            if time.monotonic() > deadline:
                logger.error("the workers did not listen within %.0f s", READY_SECONDS)
                return None
            for connection in wait(list(waiting), 0.2):
                assert isinstance(connection, Connection)
                try:
                    address = connection.recv()
                except EOFError:
                    return None  # it has said why it ended
                waiting.discard(connection)
        return None if self._stopping else address

    def _look_after(self) -> None:
        wait([worker.process.sentinel for worker in self._workers], 0.2)
        now = time.monotonic()
        for worker in [worker for worker in self._workers if not worker.process.is_alive()]:
            self._workers.remove(worker)
            worker.says.close()
            mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call]
            if now - worker.started > PROVEN_SECONDS:
                self._pause = FIRST_PAUSE
            logger.error(
                "worker %s ended with %s; another starts in %.1f s",
                worker.process.pid,
                worker.process.exitcode,
                self._pause,
            )
            self._due.append(now + self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        for due in [due for due in self._due if due <= now]:
            self._due.remove(due)
            self._start()

    def _end(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.says.close()


def run_workers(settings: Settings) -> int:
    """Runs `settings.workers` processes until SIGTERM or Ctrl-C; returns the exit status.

    Raises OSError when the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as alone, socket.socket(family) as held:
        # The first finds out whether somebody else listens there, with whom we would share unknowingly.
        # The second, bound and never listening, keeps the port among ours, and gets no connection.
        for each in (alone, held):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        alone.bind((settings.host, settings.port))
        alone.close()
        held.bind((settings.host, settings.port))
        supervisor = _Supervisor(settings, held.getsockname()[1])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, supervisor.stop)
        with tempfile.TemporaryDirectory(prefix="twinspace-metrics-") as folder:
            os.environ[SHARED_FOLDER] = folder
            return supervisor.run()


def _work(values: Mapping[str, Any], says: Connection) -> None:
    import uvloop

    from server.explained import EXPLAINED
    from server.serving import run

    os.umask(0o077)
    settings = Settings(**values)
    logs.set_up(settings.log_format, settings.log_level)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        uvloop.run(run(settings, announce=says.send))
    except EXPLAINED as error:
        sys.exit(f"Error: {error}")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
