"""The records in PostgreSQL 13 or newer, shared by the nodes of an installation.

Readers see one snapshot (REPEATABLE READ). Writers hold one advisory lock from their first statement to the
end of their commit: one writer at a time in the whole installation, as with SQLite. No node can hold it for
long: PostgreSQL ends a transaction that does nothing for five seconds, such as that of a frozen node.

Every wait has an end here and in PostgreSQL, so that a database that says nothing is an error, not a hang.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from sqlalchemy import Double, cast, event, extract, func, select, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from rooms.faults import RecordsUnavailable, RecordsUnusable
from rooms.storage.databases import Database, Transaction

__all__ = ["WRITERS", "PostgresDatabase"]

WRITERS: Final = 0x7477_696E_7265_636F
"""The key of the advisory lock that every writer of the records holds."""
CONNECT_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 5.0
"""A transaction that does nothing for so long is ended, and lets the next writer in."""
LOCK_SECONDS: Final = 7.0
"""More than IDLE_SECONDS: who waits behind a frozen node gets its turn."""
STATEMENT_SECONDS: Final = 7.5
COMMIT_SECONDS: Final = 5.0
"""After that a commit's connection counts as lost."""
SETTLE_SECONDS: Final = 5.0
"""How long the outcome of such a commit is asked for."""
UPGRADE_SECONDS: Final = 600.0

AT_LEAST_ON: Final = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')
"""

AWAY: Final = "the database cannot be reached"
SILENT: Final = "the database does not answer"
_BUSY: Final = "somebody else is changing it"
_WHY: Final = {
    "08": AWAY,
    "25P03": "the database waited too long for this server",
    "25006": "the database takes no changes",
    "28": "the database does not let this server in",
    "3D000": "the database does not let this server in",
    "40001": _BUSY,
    "40P01": _BUSY,
    "53": "the database is short of memory, disk or connections",
    "53100": "the database's disk is full",
    "53300": "the database has too many connections",
    "55P03": _BUSY,
    "57014": SILENT,
    "57P": "the database is being stopped or started",
    "58030": "the database's disk fails",
}
"""SQLSTATEs, or how they begin; the longest that fits counts."""


if TYPE_CHECKING:
    _Driver = asyncpg.Connection[asyncpg.Record]
else:
    _Driver = asyncpg.Connection  # generic in its stubs alone


class _Connection(_Driver):
    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 (the driver's own)
        """SQLAlchemy grants a connection that it gives up time to end well: a silent one would use it up."""
        if timeout is None:
            await super().close()
        else:
            self.terminate()


class PostgresDatabase(Database):
    """A PostgreSQL database on its own default schema."""

    readers = 5
    shared = True
    now = cast(extract("epoch", func.clock_timestamp()), Double)

    def __init__(self, url: str) -> None:
        self._url = url
        self._suspect = float("-inf")
        """Connections made before this (monotonic) time may be dead without knowing it."""
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            isolation_level="READ COMMITTED",  # a writer has to see what those before it in the queue wrote
            pool_size=self.readers + 1,
            max_overflow=0,
            pool_use_lifo=True,
            hide_parameters=True,
        )
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        event.listen(self._engine.sync_engine, "connect", _note_birth)
        event.listen(self._engine.sync_engine, "checkout", self._look_over)

    async def begin(self, *, writes: bool, patience: float | None) -> Transaction:
        with self.telling():
            connection = await (self._engine if writes else self._reading).connect()
        transaction = Transaction(connection, None)
        try:
            with self.telling():
                transaction.driver = (await connection.get_raw_connection()).driver_connection
                await connection.begin()
                if writes:
                    transaction.number = await self._queue_up(connection, patience)
        except BaseException:
            await self.release(transaction, broken=True)
            raise
        return transaction

    async def _queue_up(self, connection: AsyncConnection, patience: float | None) -> str:
        wait = LOCK_SECONDS if patience is None else min(patience, LOCK_SECONDS)
        row = await connection.execute(
            text(
                "SELECT set_config('lock_timeout', :wait, true), pg_advisory_xact_lock(:key),"
                " CAST(pg_current_xact_id() AS text) AS number"
            ),
            {"wait": f"{int(wait * 1000)}ms", "key": WRITERS},
        )
        return str(row.one().number)

    async def commit(self, transaction: Transaction) -> None:
        """Returns when the transaction is durable.

        When the connection is lost on the way, PostgreSQL is asked over another one what has become of it.
        """
        driver = transaction.driver
        late = asyncio.get_running_loop().call_later(COMMIT_SECONDS, driver.terminate)
        try:
            with self.telling():
                await transaction.connection.commit()
        except RecordsUnavailable:
            driver.terminate()
            if not await self._happened(transaction):
                raise
        finally:
            late.cancel()

    async def _happened(self, transaction: Transaction) -> bool:
        """Whether the transaction was committed. Raises RecordsUnavailable when that cannot be found out."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while True:
                    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                        outcome = await self._outcome(transaction)
                        if outcome in ("committed", "aborted"):
                            return outcome == "committed"
                    await asyncio.sleep(0.1)
        raise RecordsUnavailable(f"{AWAY}, so it is not known whether this change was made")

    async def _outcome(self, transaction: Transaction) -> str | None:
        connection = await self._connect()
        try:
            found: str | None = await connection.fetchval(
                "SELECT pg_xact_status($1::text::xid8)", transaction.number
            )
            return found
        finally:
            connection.terminate()

    async def _drop(self, transaction: Transaction) -> None:
        if transaction.driver is not None:
            transaction.driver.terminate()  # or its rollback would wait for an answer first
        await transaction.connection.invalidate()

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=self._connect_to_upgrade, poolclass=NullPool
        )
        try:
            async with engine.begin() as connection:
                await _require_usable(connection)
                await connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
                yield connection
        finally:
            await engine.dispose()

    async def close(self) -> None:
        await self._engine.dispose()

    def why(self, error: Exception) -> str | None:
        reason = _why(error)
        if reason in (AWAY, SILENT):
            self._suspect = time.monotonic()
        return reason

    # Connections

    async def _connect(self) -> _Connection:
        return await self._open(STATEMENT_SECONDS, LOCK_SECONDS, IDLE_SECONDS)

    async def _connect_to_upgrade(self) -> _Connection:
        return await self._open(UPGRADE_SECONDS, UPGRADE_SECONDS, 10 * IDLE_SECONDS)

    async def _open(self, statement: float, lock: float, idle: float) -> _Connection:
        """A connection as libpq would make it from the same URL and environment."""
        connection = await asyncpg.connect(
            self._url,
            connection_class=_Connection,
            timeout=CONNECT_SECONDS,
            command_timeout=statement + 0.5,
            server_settings={
                "application_name": "twinspace records",
                "statement_timeout": f"{int(statement * 1000)}ms",
                "lock_timeout": f"{int(lock * 1000)}ms",
                "idle_in_transaction_session_timeout": f"{int(idle * 1000)}ms",
                "tcp_keepalives_idle": "30",
                "tcp_keepalives_interval": "5",
                "tcp_keepalives_count": "3",
            },
        )
        try:
            await connection.execute(AT_LEAST_ON)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _look_over(self, connection: Any, record: Any, _proxy: object) -> None:
        """Replaces a connection of the pool that was lost meanwhile."""
        driver = connection.driver_connection
        if driver.is_closed() or record.info["since"] < self._suspect:
            driver.terminate()
            raise DisconnectionError


def _note_birth(_connection: object, record: Any) -> None:
    record.info["since"] = time.monotonic()


async def _require_usable(connection: AsyncConnection) -> None:
    row = (
        await connection.execute(
            text("SELECT current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby")
        )
    ).one()
    if row.encoding != "UTF8":
        raise RecordsUnusable(
            f"This database keeps text as {row.encoding}, which has no room for every name. "
            "Make one with: createdb --encoding=UTF8 --template=template0"
        )
    if row.standby:
        raise RecordsUnusable(
            "This PostgreSQL is a standby, which takes no changes. Name the primary as --database."
        )


def _why(error: Exception) -> str | None:
    if isinstance(error, TimeoutError):
        return SILENT
    if isinstance(error, OSError):
        return AWAY
    if not isinstance(error, SQLAlchemyError):
        return None
    cause = getattr(error, "orig", None)
    if isinstance(cause, AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError):
        return "the database has just been upgraded"
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        for length in (5, 3, 2):
            if state[:length] in _WHY:
                return _WHY[state[:length]]
        return None
    return AWAY if isinstance(error, DBAPIError) and error.connection_invalidated else None
