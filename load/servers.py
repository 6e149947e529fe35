"""This project's server as processes on temporary folders: one, or nodes on one PostgreSQL and one Valkey."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from joserfc import jwt
from joserfc.jwk import OctKey

from .backing import BackingError, PostgreSQL, Valkey, ValkeyCluster, ValkeySentinel
from .backing.process import Process, processes_in, signal_all
from .faults.proxy import FaultProxy

__all__ = ["Cluster", "ServerError", "TwinSpace", "twinspace_command"]

PR_SET_PTRACER = 0x59616D61
_LIBC = ctypes.CDLL(None)


class ServerError(BackingError):
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


class TwinSpace(Process):
    """`async with TwinSpace() as server: ...`: this project's server on a temporary folder and a free port.

    options: more options of `twinspace serve`.
    launcher: what runs the command line instead of the system, such as a program that sets its clock.
    secret: what signs document tokens; one of its own unless given.
    """

    name = "load"
    error = ServerError
    start_seconds = 60.0
    stop_seconds = 10.0

    def __init__(self, *options: str, launcher: Sequence[str] = (), secret: str | None = None) -> None:
        super().__init__()
        self.options = options
        self.launcher = launcher
        self.secret = secret or secrets.token_hex(32)

    async def _prepare(self) -> None:
        self._program = twinspace_command()
        (self.folder / "secret").write_text(self.secret)

    async def _clear(self) -> None:
        await self.kill()
        self._folder.remove()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        """Where both framings are served."""
        return f"ws://127.0.0.1:{self.port}/collab"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, document: str, subject: str, scope: str = "read-write") -> str:
        """A document token, as any application that shares the server's secret would issue it."""
        now = int(time.time())
        claims = {"aud": "twinspace", "document": document, "scope": scope, "sub": subject}
        key = OctKey.import_key(self.secret)
        return jwt.encode({"alg": "HS256"}, {**claims, "iat": now, "exp": now + 7 * 86400}, key)

    def _command(self) -> list[str]:
        return [
            *self.launcher, *self._program, "serve", "--port", str(self.port), "--data", str(self.data),
            "--secret-file", str(self.folder / "secret"), *self.options,
        ]  # fmt: skip

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "PYTHONUNBUFFERED": "1"}

    def _before(self) -> None:
        """Lets strace follow this process where Yama would let only a parent; elsewhere it does nothing."""
        _LIBC.prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)

    async def _is_ready(self) -> bool:
        return "listening on http://" in self.said()

    async def kill(self) -> None:
        """kill -9 to the server's main process alone, as the kernel does when memory runs out."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self.ended()

    async def stop(self, how: signal.Signals | None = None) -> None:
        """SIGTERM. Raises ServerError unless it ends within 10 s and with exit status 0."""
        await super().stop(how)
        if self._process is not None and self._process.returncode:
            raise ServerError(
                f"The server ended with {self._process.returncode}. It said:\n{self.said()[-2000:]}"
            )

    async def check(self) -> str:
        """What `twinspace check` finds wrong with the stopped server's store; "" if nothing."""
        status, said = await self.run("check", "--data", str(self.data))
        return said or "failed" if status else ""

    async def run(self, *arguments: str, entered: str = "") -> tuple[int, str]:
        """Exit status and output of another command of `twinspace`; `entered` is its standard input."""
        process = await asyncio.create_subprocess_exec(
            *self._program,
            *arguments,
            cwd=self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await process.communicate(entered.encode())
        except BaseException:
            process.kill()
            await process.wait()
            raise
        return process.returncode or 0, said.decode(errors="replace").strip()

    async def add(self, *arguments: str, database: str = "", entered: str = "") -> str:
        """What `twinspace add` prints at last, such as an id; into `database` unless it is the embedded one.

        Raises ServerError if it does not agree.
        """
        where = ("--data", str(self.data), *(("--database", database) if database else ()))
        status, said = await self.run("add", *arguments, *where, entered=entered)
        if status:
            raise ServerError(f"twinspace add {arguments[0]}: {said}")
        return said.rpartition("\n")[2]

    async def survivors(self, seconds: float = 30.0) -> bool:
        """Whether processes that the server started outlive it by so many seconds."""
        deadline = time.monotonic() + seconds
        while any(processes_in(self.folder)):
            if time.monotonic() > deadline:
                return True
            await asyncio.sleep(0.02)
        return False

    def end_survivors(self) -> None:
        """Kills whatever the server has started and left."""
        signal_all(self.folder, signal.SIGKILL)


class Cluster:
    """`async with Cluster(nodes=2) as cluster: ...`: nodes that share a database, a Redis and a secret.

    options: more options of `twinspace serve`, for every node.
    redis: makes the Redis; a single Valkey unless given.
    proxied: each node reaches PostgreSQL and a single Valkey through fault proxies of its own, whose faults
        are drawn from `seed`.
    launchers: by the node's number.
    """

    def __init__(
        self,
        nodes: int = 2,
        *options: str,
        redis: Callable[[], Valkey | ValkeyCluster | ValkeySentinel] = Valkey,
        proxied: bool = False,
        seed: int = 0,
        launchers: Mapping[int, Sequence[str]] | None = None,
    ) -> None:
        self.options = options
        self.postgres = PostgreSQL()
        self.redis = redis()
        self.nodes: list[TwinSpace] = []
        self.to_postgres: list[FaultProxy] = []
        """By node, if proxied."""
        self.to_redis: list[FaultProxy] = []
        self._count, self._proxied, self._seed = nodes, proxied, seed
        self._launchers = launchers or {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        await self._stack.enter_async_context(self.postgres)
        await self._stack.enter_async_context(self.redis)
        self.database = await self.postgres.create_database("twinspace")
        secret = secrets.token_hex(32)
        for number in range(self._count):
            database, redis = self.database, self.redis.url
            if self._proxied:
                database = (await self._proxy(self.to_postgres, self.postgres.port, number)).through(database)
                if isinstance(self.redis, Valkey):
                    proxy = await self._proxy(self.to_redis, self.redis.port, number, resp=True)
                    redis = proxy.through(redis)
            node = TwinSpace(
                "--database", database, "--redis", redis, *self.options,
                launcher=self._launchers.get(number, ()), secret=secret,
            )  # fmt: skip
            self.nodes.append(node)
        await asyncio.gather(*map(self._stack.enter_async_context, self.nodes))

    async def _proxy(
        self, proxies: list[FaultProxy], target: int, number: int, *, resp: bool = False
    ) -> FaultProxy:
        proxy = FaultProxy(target, seed=self._seed + number, resp=resp)
        proxies.append(await self._stack.enter_async_context(proxy))
        return proxy

    @property
    def valkey(self) -> Valkey:
        """The one Valkey."""
        assert isinstance(self.redis, Valkey)
        return self.redis

    def token(self, document: str, subject: str, scope: str = "read-write") -> str:
        """A document token that every node takes."""
        return self.nodes[0].token(document, subject, scope)

    def urls(self, first: int = 0) -> list[str]:
        """Where both framings are served, by the node `first` and then by the others in turn."""
        return [self.nodes[(first + more) % self._count].url for more in range(self._count)]

    async def check(self) -> str:
        """What `twinspace check` finds wrong with the database; "" if nothing. It works beside the nodes."""
        status, said = await self.nodes[0].run(
            "check", "--data", str(self.nodes[0].data), "--database", self.database
        )
        return said or "failed" if status else ""
