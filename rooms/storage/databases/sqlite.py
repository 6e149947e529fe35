"""The records in one SQLite file: WAL, ``synchronous=FULL``, one writer by SQLite's own lock."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import Connection, Double, event, func, type_coerce
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from rooms.faults import RecordsUnusable
from rooms.storage.databases import Database, Transaction

__all__ = ["SqliteDatabase"]

BUSY_SECONDS: Final = 10.0
"""How long a write waits for another process, such as a backup or a command."""

_WAIT: Final = "twinspace_wait"
"""Execution option: for how many seconds a transaction waits for its right to write. Unset: it reads."""

_WHY: Final = {
    sqlite3.SQLITE_BUSY: "somebody else is changing it",
    sqlite3.SQLITE_LOCKED: "somebody else is changing it",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk fails",
}


class SqliteDatabase(Database):
    """One file on this machine."""

    readers = 8
    shared = False
    now = type_coerce((func.julianday("now") - 2_440_587.5) * 86_400.0, Double)

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = _engine(url, foreign_keys=True)

    async def begin(self, *, writes: bool, patience: float | None) -> Transaction:
        with self.telling():
            connection = await self._engine.connect()
            try:
                # A write takes the lock at once: a read that turns into a write could only fail half-way.
                wait = BUSY_SECONDS if patience is None else patience
                await (await connection.execution_options(**{_WAIT: wait if writes else None})).begin()
            except BaseException:
                await connection.close()
                raise
            return Transaction(connection, None)

    async def commit(self, transaction: Transaction) -> None:
        with self.telling():
            await transaction.connection.commit()

    async def _drop(self, transaction: Transaction) -> None:
        await transaction.connection.rollback()

    @asynccontextmanager
    async def upgrading(self) -> AsyncIterator[AsyncConnection]:
        # SQLite changes a table by making it anew; with foreign keys on, that would delete what refers to it.
        engine = _engine(self._url, foreign_keys=False)
        try:
            await self._begin_a_log(engine)
            async with engine.connect() as plain:
                connection = await plain.execution_options(**{_WAIT: BUSY_SECONDS})
                async with connection.begin():
                    yield connection
                    broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
                    if broken:
                        raise RecordsUnusable(
                            f"{self._url} refers to {len(broken)} rows that are missing. Restore a backup."
                        )
        finally:
            await engine.dispose()

    async def _begin_a_log(self, engine: AsyncEngine) -> None:
        """Makes the file one with a write-ahead log. Unlike any later step, SQLite does not wait for that."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                async with engine.connect():
                    return
            except DBAPIError as error:
                if self.why(error) is None or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        await self._engine.dispose()

    def why(self, error: Exception) -> str | None:
        if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
            return _WHY.get(error.orig.sqlite_errorcode & 0xFF)
        return None


def _engine(url: str, *, foreign_keys: bool) -> AsyncEngine:
    engine = create_async_engine(
        url.replace("sqlite://", "sqlite+aiosqlite://", 1),
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=SqliteDatabase.readers + 1,
        max_overflow=0,
        hide_parameters=True,
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
    wait = connection.get_execution_options().get(_WAIT)
    if wait is None:
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(wait * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
