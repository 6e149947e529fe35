"""Servers as processes on temporary folders: started, killed, started again, and gone without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import secrets
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from joserfc import jwt
from joserfc.jwk import OctKey

__all__ = ["ServerError", "TwinSpace", "twinspace_command"]

START_SECONDS = 60.0
STOP_SECONDS = 10.0
PR_SET_PTRACER = 0x59616D61


class ServerError(Exception):
    """A server did not start, or did not end as it should. The message has what it printed last."""


def twinspace_command() -> list[str]:
    """What runs this project's command line: $TWINSPACE_COMMAND, else `twinspace` beside this Python.

    Raises ServerError if it is not there.
    """
    if os.environ.get("TWINSPACE_COMMAND"):
        return shlex.split(os.environ["TWINSPACE_COMMAND"])
    program = Path(sys.executable).with_name("twinspace")
    if not program.exists():
        raise ServerError(
            "There is no twinspace beside this Python. Run `make setup`, then .venv/bin/python."
        )
    return [str(program)]


def _may_be_traced() -> None:
    """Lets strace follow this process where Yama would let only a parent; elsewhere it does nothing."""
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)


def _free_port() -> int:
    """A port nobody uses now, below those outgoing connections get: it has to stay free over restarts."""
    while True:
        port = secrets.choice(range(15_000, 32_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class TwinSpace:
    """`async with TwinSpace() as server: ...`: this project's server on a temporary folder and a free port.

    options: more options of `twinspace serve`.
    It keeps port and data from start to start, so that clients find what they left.
    """

    def __init__(self, *options: str) -> None:
        self.options = options
        self.port = _free_port()
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._command = twinspace_command()
        self.folder = Path(tempfile.mkdtemp(prefix="twinspace-load-"))
        self._secret = secrets.token_hex(32)
        self._secret_file = self.folder / "secret"
        self._secret_file.write_text(self._secret)
        try:
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
        await self.kill()
        self.end_survivors()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        """Where both framings are served."""
        return f"ws://127.0.0.1:{self.port}/collab"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def said(self) -> str:
        """What the server has printed since its last start."""
        return (self.folder / "output").read_text(errors="replace")

    def token(self, document: str, subject: str, scope: str = "read-write") -> str:
        """A document token, as any application that shares the server's secret would issue it."""
        now = int(time.time())
        claims = {"aud": "twinspace", "document": document, "scope": scope, "sub": subject}
        key = OctKey.import_key(self._secret)
        return jwt.encode({"alg": "HS256"}, {**claims, "iat": now, "exp": now + 7 * 86400}, key)

    async def start(self) -> None:
        """Starts the server and waits until it listens. Raises ServerError if it does not within a minute."""
        await self.spawn()
        deadline = time.monotonic() + START_SECONDS
        while "listening on http://" not in self.said():
            if not self.running or time.monotonic() > deadline:
                await self.kill()
                raise ServerError(f"The server did not start. It said:\n{self.said()[-2000:]}")
            await asyncio.sleep(0.02)

    async def spawn(self) -> None:
        """Starts the server's process and waits for nothing."""
        command = [*self._command, "serve", "--port", str(self.port), "--data", str(self.data)]
        command += ["--secret-file", str(self._secret_file), *self.options]
        with (self.folder / "output").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
                preexec_fn=_may_be_traced,
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def ended(self) -> None:
        """Waits until the server has ended by itself."""
        if self._process is not None:
            await self._process.wait()

    async def kill(self) -> None:
        """kill -9 to the server's main process alone, as the kernel does when memory runs out."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM. Raises ServerError unless it ends within 10 s and with exit status 0."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                status = await self._process.wait()
        except TimeoutError:
            raise ServerError(f"The server did not stop. It said:\n{self.said()[-2000:]}") from None
        if status:
            raise ServerError(f"The server ended with {status}. It said:\n{self.said()[-2000:]}")

    async def check(self) -> str:
        """What `twinspace check` finds wrong with the stopped server's store; "" if nothing."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            "check",
            "--data",
            str(self.data),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        return said.decode(errors="replace").strip() or "failed" if process.returncode else ""

    async def survivors(self, seconds: float = 5.0) -> bool:
        """Whether processes that the server started outlive it by so many seconds."""
        deadline = time.monotonic() + seconds
        while self._group_lives():
            if time.monotonic() > deadline:
                return True
            await asyncio.sleep(0.02)
        return False

    def _group_lives(self) -> bool:
        if self._process is None:
            return False
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def end_survivors(self) -> None:
        """Kills what is left of the server's process group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
