"""A server process on a temporary folder and a port of its own: started, killed, frozen, gone without trace.

Every process works inside its folder, and so do the children it starts. That is how they are found when all
of them are to be killed or frozen, and how the keeper finds them: a shell that waits until this process is
gone, however it went, ends what is left in the folder and removes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

__all__ = ["BackingError", "Folder", "Process", "as_account", "free_port", "processes_in", "signal_all"]

LOOK_SECONDS = 0.01
TAKEN = "address already in use"

KEEPER = r"""
trap '' HUP INT TERM
cat > /dev/null
in_it() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/cwd" 2> /dev/null) in
            "$0" | "$0 (deleted)" | "$0"/*) echo "${process#/proc/}" ;;
        esac
    done
}
[ -d "$0" ] || exit 0
for signal in CONT INT; do kill -$signal $(in_it) 2> /dev/null; done
for try in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(in_it)" ] || break
    sleep 0.2
done
for try in $(seq 400); do
    kill -KILL $(in_it) 2> /dev/null
    [ -n "$(in_it)" ] || rm -rf "$0"
    # Once more, if one was just being started while it looked.
    [ -e "$0" ] || [ -n "$(in_it)" ] || break
    sleep 0.05
done
"""


class BackingError(Exception):
    """A server is not there, did not start, or did not do as told. The message has what it printed last."""


def as_account(account: str | None) -> dict[str, Any]:
    """Arguments of subprocess: run as this system user and in its group only; None: as whom we are."""
    if account is None:
        return {}
    return {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port nobody uses now, below those outgoing connections get: it has to stay free over restarts."""
    while True:
        port = secrets.choice(range(15_000, 32_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def processes_in(folder: Path) -> Iterator[int]:
    """The processes that work in a folder or below it; not those that have ended and wait to be reaped."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(folder):
                    yield int(entry.name)


def signal_all(folder: Path, which: signal.Signals) -> None:
    """Sends a signal to every process in a folder, also to those that are being started meanwhile."""
    told: set[int] = set()
    while new := set(processes_in(folder)) - told:
        for process in sorted(new):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, which)
        told |= new


class Folder:
    """A temporary folder that goes with this process, even with kill -9, and with it whatever runs in it."""

    def __init__(self, prefix: str, parent: Path | None = None) -> None:
        name = f"{prefix}{secrets.token_hex(4)}"
        self.path = (parent or Path(tempfile.gettempdir())).resolve() / name
        # The keeper first: were this process killed in between, nobody would remove the folder.
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        self.path.mkdir(mode=0o700)

    def remove(self) -> None:
        """Kills what runs in it, and removes it."""
        signal_all(self.path, signal.SIGKILL)
        shutil.rmtree(self.path, ignore_errors=True)
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait()


class Process:
    """`async with Process() as server: ...`. It keeps port and folder from start to start.

    It belongs to no event loop: start it in one and stop it in another as you like.
    """

    name: ClassVar[str]
    """For its folder and for messages."""
    error: ClassVar[type[BackingError]] = BackingError
    start_seconds: ClassVar[float] = 30.0
    stop_seconds: ClassVar[float] = 15.0
    polite: ClassVar[signal.Signals] = signal.SIGTERM
    """What asks it to end."""
    at_once: ClassVar[signal.Signals] = signal.SIGTERM
    """What asks it to end without caring for its clients."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._has_started = False

    async def __aenter__(self) -> Self:
        self._folder = Folder(f"twinspace-{self.name}-", self._parent())
        self.folder = self._folder.path
        try:
            await self._prepare()
            await self.start()
        except BaseException:
            await self._clear()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._clear()

    async def _clear(self) -> None:
        with contextlib.suppress(BackingError):
            if self.running:
                self.thaw()
                await self.stop(self.at_once)
        await self.kill()
        self._folder.remove()

    # What each server has of its own

    def _parent(self) -> Path | None:
        """Where its folder has to lie; None: anywhere."""
        return None

    async def _prepare(self) -> None:
        """Whatever comes once, before the first start."""

    def _command(self) -> list[str]:
        raise NotImplementedError

    async def _is_ready(self) -> bool:
        raise NotImplementedError

    def _account(self) -> str | None:
        """The system user that it runs as; None: the one we are."""
        return None

    def _environment(self) -> Mapping[str, str]:
        return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}

    def _before(self) -> None:
        """Done in the new process before it becomes the server."""

    # Life

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def said(self) -> str:
        """What it has printed since its last start."""
        return (self.folder / "output").read_text(errors="replace")

    async def spawn(self) -> None:
        """Starts the process and waits for nothing."""
        self._process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        account = self._account()
        with (self.folder / "output").open("wb") as output:
            return subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._environment(),
                start_new_session=True,
                **as_account(account),
                preexec_fn=None if type(self)._before is Process._before else self._before,
            )

    async def start(self) -> None:
        """Starts it and waits until it answers. Raises its `error` if it does not in time."""
        if self.running:
            raise self.error(f"{self.name} runs already.")
        await self.spawn()
        deadline = time.monotonic() + self.start_seconds
        while not await self._is_ready():
            if self.running and time.monotonic() < deadline:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            await self.kill()
            if self._has_started or TAKEN not in self.said().lower():
                raise self.error(f"{self.name} did not start. It said:\n{self.said()[-2000:]}")
            self.port = free_port()  # somebody was faster
            await self.spawn()
        self._has_started = True

    async def ended(self) -> None:
        """Waits until it has ended by itself."""
        while True:
            if not self.running:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def stop(self, how: signal.Signals | None = None) -> None:
        """Asks it to end and waits for it. Raises its `error` if it does not in time."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how or self.polite)
        try:
            async with asyncio.timeout(self.stop_seconds):
                await self.ended()
        except TimeoutError:
            raise self.error(f"{self.name} did not stop. It said:\n{self.said()[-2000:]}") from None

    async def kill(self) -> None:
        """kill -9 of it and of all its children, also while it is frozen."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        signal_all(self.folder, signal.SIGKILL)
        while True:
            if not self.running and not any(processes_in(self.folder)):
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def restart(self) -> None:
        """Ends it properly and starts it again on the same port."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """SIGSTOP to it and all its children: its port still takes connections, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        signal_all(self.folder, signal.SIGSTOP)

    def thaw(self) -> None:
        signal_all(self.folder, signal.SIGCONT)
