"""How long a server lets others wait while it is busy: pings of one socket, from a process of their own."""

from __future__ import annotations

import os
import signal
import struct
import time
from contextlib import closing
from types import TracebackType
from typing import Self

from load.report import percentile

from .lines import Hub, Line

__all__ = ["Pulse"]

BEAT = 0.002
SAID = "ddd"
SIZE = struct.calcsize(SAID)


class Pulse:
    """`with Pulse(hub) as pulse: ...`; then `pulse.worst` is the longest wait for a pong, in seconds, and
    `pulse.rare` the one that 1 in 1,000 exceeds.

    The process shares the generator's core, so a few milliseconds of it are the generator's.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.worst = self.rare = self.usual = 0.0

    def __enter__(self) -> Self:
        ready, self._told = os.pipe()
        self._says, says = os.pipe()
        self._child = os.fork()
        if not self._child:
            try:
                os.close(self._told)
                self._beat(ready, says)
            finally:
                os._exit(0)
        os.close(ready)
        os.close(says)
        os.read(self._says, 1)  # it is let in
        return self

    def _beat(self, ready: int, says: int) -> None:
        waits: list[float] = []
        self._hub.disown()
        with closing(Hub(self._hub.target, self._hub.token)) as hub:
            line = Line(hub, f"doc/pulse-{os.getpid()}", "pulse")
            hub.ready([line])
            os.write(says, b"!")
            os.set_blocking(ready, False)
            while True:
                began = time.perf_counter()
                line.ping()
                if not hub.until(lambda: line.pong_at > 0, 60.0):
                    waits.append(60.0)
                    break
                waits.append(time.perf_counter() - began)
                try:
                    if os.read(ready, 1) == b"":
                        break
                except BlockingIOError:
                    time.sleep(BEAT)
        shares = [percentile(waits, share) for share in (1, 0.999, 0.5)]
        os.write(says, struct.pack(SAID, *shares))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._told)
        if kind is not None:
            os.kill(self._child, signal.SIGKILL)
        said = os.read(self._says, SIZE)
        os.close(self._says)
        os.waitpid(self._child, 0)
        if len(said) == SIZE:
            self.worst, self.rare, self.usual = struct.unpack(SAID, said)
