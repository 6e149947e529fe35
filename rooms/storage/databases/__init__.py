"""Where the records can live: one SQLite file, or a PostgreSQL database that several nodes share.

Both keep one promise: readers see one consistent state each, and writers come one after the other, in the
whole installation. So code that reads and then writes is right, whichever it runs on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import ColumnElement
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from rooms.faults import RecordsUnavailable

__all__ = ["Database", "Transaction", "database_at"]


@dataclass(slots=True)
class Transaction:
    """A transaction that has begun. `Database.release` ends it, whatever became of it."""

    connection: AsyncConnection
    driver: Any
    """The driver's own connection."""
    number: str | None = None
    """What PostgreSQL knows a writer by, so that its outcome can be asked for over another connection."""


class Database(ABC):
    """One kind of database."""

    readers: ClassVar[int]
    """Transactions that read at the same moment, at most."""
    shared: ClassVar[bool]
    """Whether other machines work on it: they agree on its time, not on their own."""
    now: ClassVar[ColumnElement[float]]
    """The database's own time, in Unix seconds."""

    @abstractmethod
    async def begin(self, *, writes: bool, patience: float | None) -> Transaction:
        """Begins a transaction; a writer waits up to ``patience`` seconds for the writers before it.

        Raises RecordsUnavailable.
        """

    @abstractmethod
    async def commit(self, transaction: Transaction) -> None:
        """Returns when the transaction is durable. After any error it may have happened nonetheless."""

    async def release(self, transaction: Transaction, *, broken: bool) -> None:
        """Rolls back what was not committed, and gives the connection back, or drops it. Never raises."""
        with suppress(SQLAlchemyError, OSError):  # a transaction whose connection is gone is over
            if broken:
                await self._drop(transaction)
            elif transaction.connection.in_transaction():
                await transaction.connection.rollback()
        with suppress(SQLAlchemyError, OSError):
            await transaction.connection.close()

    @abstractmethod
    async def _drop(self, transaction: Transaction) -> None:
        """Ends a transaction whose connection may not answer any more."""

    @abstractmethod
    def upgrading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that may change tables, alone in the whole installation; it commits at the end."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    def why(self, error: Exception) -> str | None:
        """The end of a sentence on why the database is of no use now; None for any other error."""

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Turns the errors of a database that is of no use now into RecordsUnavailable."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            reason = self.why(error)
            if reason is None:
                raise
            raise RecordsUnavailable(reason) from error


def database_at(url: str) -> Database:
    """The database at ``sqlite:///FILE`` or ``postgresql://...``. Raises ValueError for another URL."""
    from rooms.storage.databases.postgres import PostgresDatabase
    from rooms.storage.databases.sqlite import SqliteDatabase

    if url.startswith("sqlite:///") and url != "sqlite:///":
        return SqliteDatabase(url)
    if url.startswith("postgresql://"):
        return PostgresDatabase(url)
    raise ValueError("The records live at sqlite:///FILE or postgresql://USER@HOST/DATABASE, nowhere else.")
