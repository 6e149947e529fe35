"""The records' database: engine, transactions, and the upgrade of older records on start.

Reads run beside each other; writes one after the other, each in one transaction that is durable when it
has committed (SQLite: WAL, ``synchronous=FULL``). What a transaction changes about rights is published
after its commit, never before.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, RowMapping, event, insert, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from . import migrations, schema
from .access import Change, Changes

__all__ = ["Reading", "Records", "Writing"]

BUSY_SECONDS = 10.0
"""How long a write waits for another process, such as a backup or a command."""

_IMMEDIATE = "twinspace_immediate"


class Reading:
    """A transaction that sees one consistent state of the records."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self, query: Executable) -> Sequence[RowMapping]:
        return (await self._connection.execute(query)).mappings().all()

    async def first(self, query: Executable) -> RowMapping | None:
        return (await self._connection.execute(query)).mappings().first()

    async def value(self, query: Executable) -> Any:
        """The first column of the first row, or None."""
        return (await self._connection.execute(query)).scalar()


class Writing(Reading):
    """A transaction that changes records. It commits when its block ends without an error."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.changes: list[Change] = []

    async def do(
        self, statement: Executable, values: Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Executes an insert, update or delete; with a list of values, once for each."""
        return await self._connection.execute(statement, values)

    def publish(self, change: Change) -> None:
        """Tells the live rooms of a change, once it is committed."""
        self.changes.append(change)


class Records:
    """The database of one server. Open it with `Records.open`, and close it."""

    def __init__(self, engine: AsyncEngine, changes: Changes) -> None:
        self._engine = engine
        self._one_writer = asyncio.Lock()
        self.changes = changes
        self.pepper = b""
        """A secret of this installation, for keyed hashes that no other copy of the software can compute."""

    @classmethod
    async def open(cls, url: str, changes: Changes) -> Records:
        """Opens and upgrades the database at ``sqlite:///FILE``, making it if need be.

        Raises ValueError for another kind of URL, and SQLAlchemy's errors for a file that cannot be used.
        """
        prefix = "sqlite:///"
        if not url.startswith(prefix) or url == prefix:
            raise ValueError(f"The records live in SQLite: write sqlite:///FILE, not {url!r}.")
        records = cls(_engine(url, foreign_keys=True), changes)
        try:
            await records._upgrade(url)
        except BaseException:
            await records.close()
            raise
        return records

    async def _upgrade(self, url: str) -> None:
        # SQLite changes a table by making it anew; with foreign keys on, that would delete what refers to it.
        engine = _engine(url, foreign_keys=False)
        try:
            async with _transaction(engine, immediate=True) as connection:
                await connection.run_sync(migrations.upgrade)
                broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
                if broken:
                    raise ValueError(
                        f"{url} refers to {len(broken)} rows that are missing. Restore a backup."
                    )
        finally:
            await engine.dispose()
        async with self.writing() as tx:
            settings = schema.settings
            stored = await tx.value(select(settings.c.value).where(settings.c.key == "pepper"))
            if stored is None:
                stored = secrets.token_hex(32)
                await tx.do(insert(settings).values(key="pepper", value=stored))
            self.pepper = bytes.fromhex(stored)

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        async with _transaction(self._engine, immediate=False) as connection:
            yield Reading(connection)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Writing]:
        async with self._one_writer, _transaction(self._engine, immediate=True) as connection:
            tx = Writing(connection)
            yield tx
            # Once begun, commit and announcement are one step that no cancelled request can part.
            finish = asyncio.ensure_future(self._finish(connection, tx))
            try:
                await asyncio.shield(finish)
            except asyncio.CancelledError:
                await finish
                raise

    async def _finish(self, connection: AsyncConnection, tx: Writing) -> None:
        await connection.commit()
        for change in tx.changes:
            self.changes.publish(change)


def _engine(url: str, *, foreign_keys: bool) -> AsyncEngine:
    engine = create_async_engine(
        url.replace("sqlite://", "sqlite+aiosqlite://", 1),
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=4,
        max_overflow=4,
    )

    def prepare(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # A write takes the lock at once: a read that turns into a write could only fail half-way.
    immediate = connection.get_execution_options().get(_IMMEDIATE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@asynccontextmanager
async def _transaction(engine: AsyncEngine, *, immediate: bool) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as plain:
        connection = await plain.execution_options(**{_IMMEDIATE: immediate})
        async with connection.begin() as transaction:
            yield connection
            if transaction.is_active:
                await transaction.commit()
