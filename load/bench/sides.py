"""The servers that are measured, each on the one core that is theirs, and the floor beside them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from load.backing.process import BackingError, Process
from load.peers import Hocuspocus, PycrdtWebsocket, StoredHocuspocus, YWebsocketServer
from load.servers import TwinSpace
from load.wire import Framing

from .meters import cores
from .nodes import two_of_hocuspocus, two_of_ours
from .plan import Server

__all__ = ["FLOOR", "OURS", "SIDES", "Floor", "Side"]

SOURCE = Path(__file__).with_name("floor.c")
OPEN_TO_LOAD = (
    "--sender-messages", "1000000000", "--sender-bytes", "1e12", "--sender-structs", "1000000000",
    "--max-connections", "100000",
)  # fmt: skip
"""What one sender may do is raised, since one writer here stands for hundreds. It is counted all the same."""


class Floor(Process):
    """A relay in C that keeps nothing and checks nothing (floor.c), compiled when it is started.

    Raises BackingError where no compiler is.
    """

    name = "floor"

    async def _prepare(self) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise BackingError("no C compiler here (cc, gcc, clang): the floor cannot be built")
        self._program = self.folder / "floor"
        done = await asyncio.to_thread(
            subprocess.run,
            [compiler, "-O2", "-o", str(self._program), str(SOURCE)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BackingError(f"{compiler} could not build the floor:\n{done.stderr[-2000:]}")

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def _command(self) -> list[str]:
        return [str(self._program), str(self.port)]

    async def _is_ready(self) -> bool:
        return "listening on" in self.said()


@dataclass(frozen=True, slots=True)
class Side:
    """One server as it is measured. `make(options)`: options of `twinspace serve`, which others ignore."""

    key: str
    title: str
    framing: Framing
    make: Callable[[Sequence[str]], AbstractAsyncContextManager[Server]]
    promise: str
    """What holds of an edit once somebody sees it."""
    family: str
    """Whose column of the goals' table its figures stand in."""
    relay: bool = False
    ours: bool = False


def _pinned(kind: type[Process], *arguments: Any) -> Process:
    """A server of this kind that runs on the server's core, whoever starts it."""
    server, _ = cores()

    class Pinned(kind):  # type: ignore[misc,valid-type]
        def _before(self) -> None:
            super()._before()
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, server)

    made = Pinned(*arguments)
    assert isinstance(made, Process)
    return made


OURS = Side(
    "twinspace",
    "TwinSpace",
    Framing.HOCUSPOCUS,
    lambda options: _pinned(TwinSpace, *OPEN_TO_LOAD, *options),
    "checked, attributed, and on the disk (SQLite, synchronous=FULL)",
    "TwinSpace",
    ours=True,
)
FLOOR = Side(
    "floor",
    "floor (C, epoll)",
    Framing.Y_WEBSOCKET,
    lambda options: _pinned(Floor),
    "passed on; nothing is read or kept",
    "floor",
    relay=True,
)
IN_MEMORY = "in the server's memory"

SIDES: dict[str, Side] = {
    side.key: side
    for side in (
        OURS,
        Side(
            "twinspace-y",
            "TwinSpace, y-websocket's framing",
            Framing.Y_WEBSOCKET,
            OURS.make,
            OURS.promise,
            "",
            ours=True,
        ),
        Side(
            "hocuspocus",
            "Hocuspocus 4.7",
            Framing.HOCUSPOCUS,
            lambda options: _pinned(Hocuspocus),
            IN_MEMORY,
            "Hocuspocus",
        ),
        Side(
            "hocuspocus-sqlite",
            "Hocuspocus 4.7, SQLite",
            Framing.HOCUSPOCUS,
            lambda options: _pinned(StoredHocuspocus),
            f"{IN_MEMORY}; its SQLite extension stores the document 2 to 10 s later",
            "Hocuspocus",
        ),
        Side(
            "y-websocket",
            "@y/websocket-server 0.1.5",
            Framing.Y_WEBSOCKET,
            lambda options: _pinned(YWebsocketServer),
            IN_MEMORY,
            "@y/websocket-server",
        ),
        Side(
            "pycrdt-websocket",
            "pycrdt-websocket 0.16",
            Framing.Y_WEBSOCKET,
            lambda options: _pinned(PycrdtWebsocket),
            IN_MEMORY,
            "pycrdt-websocket",
        ),
        Side(
            "twinspace-nodes",
            "TwinSpace, two nodes",
            Framing.HOCUSPOCUS,
            two_of_ours,
            "checked, attributed, and on the disk (PostgreSQL, fsync)",
            "TwinSpace",
            ours=True,
        ),
        Side(
            "hocuspocus-nodes",
            "Hocuspocus 4.7, two nodes",
            Framing.HOCUSPOCUS,
            two_of_hocuspocus,
            "in the memory of its nodes; no extension that stores is given to them",
            "Hocuspocus",
        ),
        FLOOR,
    )
}
