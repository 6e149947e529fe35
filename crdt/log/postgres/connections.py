"""Sessions with PostgreSQL that keep the promises, and of which none waits for ever.

* `synchronous_commit` is at least `on`, whatever the server or the role says; a server with `fsync` or
  `full_page_writes` off, and a standby, is refused. Looked at in every session, so after a fail-over too.
* No `statement_timeout`: it could end the wait for a synchronous standby, after which PostgreSQL calls the
  commit a success. We are the ones who hang up (`hurry`), which changes nothing for the call on its way.
* Never asyncpg's own time-outs and cancellations, which ask the server to cancel: the same again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias, TypeVar

import asyncpg

from crdt.errors import LogUnavailable
from crdt.log.postgres.faults import as_log_error, classify, unavailable

__all__ = ["Connection", "Connections", "Sessions", "hurry", "verify"]

Connection: TypeAlias = "asyncpg.Connection[Any]"
T = TypeVar("T")

_CLOSE_SECONDS = 1.0
_POSTGRES_NEEDED = 140000
_SETTINGS = {
    "application_name": "twinspace-log",
    "search_path": "pg_catalog",
    "default_transaction_isolation": "read committed",
    "client_min_messages": "warning",
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    "jit": "off",
    # The statements are few and known: each looks rows up by key, whatever statistics say of a young table.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # The server notices a machine that is gone.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_VERIFY = """
    SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'),
        pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
        current_setting('fsync')::boolean, current_setting('full_page_writes')::boolean,
        set_config('synchronous_commit',
            CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END,
            false)"""


@contextlib.contextmanager
def hurry(connection: Connection, seconds: float) -> Iterator[None]:
    """Hang up when what is asked of the connection in the block takes longer; it then raises what asyncpg
    raises for a lost connection."""
    timer = asyncio.get_running_loop().call_later(seconds, connection.terminate)
    try:
        yield
    finally:
        timer.cancel()


async def verify(connection: Connection) -> None:
    """Raises LogUnavailable when what this server commits may be lost, or it cannot commit."""
    ((version, encoding, is_read_only, fsync, full_page_writes, _),) = await connection.fetch(_VERIFY)
    if version < _POSTGRES_NEEDED:
        raise LogUnavailable(
            f"This PostgreSQL is of version {version // 10000}, the log needs 14 or newer: use a newer one.",
            "denied",
        )
    if encoding != "UTF8":
        raise LogUnavailable(
            f"The database's encoding is {encoding}, the log needs UTF8: make another database.", "denied"
        )
    if is_read_only:
        raise LogUnavailable(
            "The database takes no writes: it is a standby, or was made read-only. Name the primary.",
            "read-only",
        )
    for name, is_on in (("fsync", fsync), ("full_page_writes", full_page_writes)):
        if not is_on:
            raise LogUnavailable(
                f"The database runs with {name} = off, so it may lose what it has confirmed. "
                f"Set {name} = on and restart PostgreSQL.",
                "unsafe",
            )


class Connections:
    """Opens sessions with one database."""

    def __init__(self, url: str, patience: float) -> None:
        """patience: seconds until a call that is not answered counts as lost."""
        self.patience = patience
        self._url = url
        milliseconds = {
            "lock_timeout": patience / 2,
            "idle_in_transaction_session_timeout": patience,
        }
        self._settings = _SETTINGS | {
            name: str(max(1, round(seconds * 1000))) for name, seconds in milliseconds.items()
        }

    async def open(self) -> Connection:
        """A verified session. Raises LogUnavailable, asyncpg's errors, OSError."""
        try:
            async with asyncio.timeout(self.patience):
                connection = await asyncpg.connect(
                    self._url, timeout=self.patience, server_settings=self._settings, statement_cache_size=50
                )
        except ValueError as error:  # asyncpg.ClientConfigurationError is one
            raise LogUnavailable(f"The database's URL cannot be used: {error}.", "denied") from error
        try:
            with hurry(connection, self.patience):
                await verify(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection


class Sessions:
    """A few sessions for everything but appends. What was begun on one is finished, whoever stops waiting."""

    def __init__(self, connections: Connections, limit: int, patience: float) -> None:
        """limit: how many at once. patience: seconds until a piece of work counts as lost."""
        self._connections = connections
        self._room = asyncio.Semaphore(limit)
        self._patience = patience
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """The result of the work. Work that met a dead connection is done again on a new one, once.

        Raises LogUnavailable, LogCorrupt.
        """
        if self._closed:
            raise unavailable("closed")
        task = asyncio.ensure_future(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._finished)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            waiting = asyncio.current_task()
            if task.cancelled() and waiting is not None and not waiting.cancelling():
                raise unavailable("closed") from None  # it is the work that was cancelled, by `close`
            raise

    def hang_up(self) -> None:
        """The database has been found silent: nobody is to wait any longer for what was asked of it."""
        self._drop_idle()
        for connection in list(self._busy):
            connection.terminate()

    async def close(self) -> None:
        """Let what is running end, for a moment."""
        self._closed = True
        if self._running:
            await asyncio.wait(self._running, timeout=_CLOSE_SECONDS)
        for connection in list(self._busy):
            connection.terminate()
        if self._running:
            await asyncio.wait(self._running, timeout=_CLOSE_SECONDS)
        for task in self._running:  # these are connecting
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        for connection in self._idle:
            with contextlib.suppress(Exception), hurry(connection, _CLOSE_SECONDS):
                await connection.close()
        self._idle.clear()

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it may be gone

    async def _run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._room:
            try:
                connection = self._kept() or await self._connections.open()
                began = time.monotonic()
                try:
                    return await self._work_on(connection, work)
                except Exception as error:
                    was_slow = time.monotonic() - began > self._patience / 2
                    if self._closed or was_slow or classify(error) != "unreachable":
                        raise
                    self._drop_idle()
                return await self._work_on(await self._connections.open(), work)
            except Exception as error:
                raise as_log_error(error) from error

    def _kept(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _work_on(self, connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        self._busy.add(connection)
        try:
            with hurry(connection, self._patience):
                result = await work(connection)
        except BaseException:
            connection.terminate()
            raise
        finally:
            self._busy.discard(connection)
        self._idle.append(connection)
        return result

    def _drop_idle(self) -> None:
        for connection in self._idle:
            connection.terminate()
        self._idle.clear()
