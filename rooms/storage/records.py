"""The records: transactions on their database, and what they tell of rights that have changed.

Reads run beside each other; writes one after the other, each in one transaction that is durable when it has
committed (rooms/storage/databases/). What a transaction changes about rights is published after its commit,
never before, and written down in the same commit for the other processes that share the records
(rooms/storage/outbox.py).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import CursorResult, Executable, RowMapping, Table, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite

from rooms.faults import RecordsUnavailable
from rooms.rights.access import Change, Changes
from rooms.storage import migrations, outbox, schema
from rooms.storage.clock import SharedClock
from rooms.storage.databases import Database, Transaction, database_at
from rooms.storage.outbox import Look
from rooms.storage.turns import Turns
from rooms.values import Clock

__all__ = ["Look", "Reading", "Records", "Teachers", "Writing"]

QUIET: Final = 10.0
"""Seconds between two log lines about a database that is of no use."""

Teachers = Callable[[str], frozenset[str]]
"""The schools whose teachers are in a space now: see `rooms.rights.supervision`."""

logger = logging.getLogger(__name__)


class Reading:
    """A transaction that sees one consistent state of the records.

    Every method raises RecordsUnavailable when the database is of no use now.
    """

    def __init__(self, database: Database, transaction: Transaction, teachers: Teachers) -> None:
        self._database = database
        self._connection = transaction.connection
        self.teachers = teachers
        """Who is there is no record, but asked together with them."""

    async def all(self, query: Executable) -> Sequence[RowMapping]:
        return (await self._run(query)).mappings().all()

    async def first(self, query: Executable) -> RowMapping | None:
        return (await self._run(query)).mappings().first()

    async def value(self, query: Executable) -> Any:
        """The first column of the first row, or None."""
        return (await self._run(query)).scalar()

    async def has(self, table: Table) -> bool:
        """Whether there is such a table: only records that were opened are sure to have all."""
        with self._database.telling():
            return await self._connection.run_sync(lambda sync: inspect(sync).has_table(table.name))

    async def _run(
        self, statement: Executable, values: Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        with self._database.telling():
            return await self._connection.execute(statement, values)


class Writing(Reading):
    """A transaction that changes records. It commits when its block ends without an error."""

    def __init__(self, database: Database, transaction: Transaction, teachers: Teachers) -> None:
        super().__init__(database, transaction, teachers)
        self.changes: list[Change] = []

    async def do(
        self, statement: Executable, values: Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Executes an insert, update or delete; with a list of values, once for each."""
        return await self._run(statement, values)

    async def put(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Inserts whole rows, in place of those that have the same primary key."""
        insert_into = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        statement = insert_into(table)
        rest = {column.name: column for column in statement.excluded if not column.primary_key}
        keys = list(table.primary_key)
        await self.do(statement.on_conflict_do_update(index_elements=keys, set_=rest), rows)

    def publish(self, change: Change) -> None:
        """Tells the live rooms of a change, here and on every other node, once it is committed."""
        self.changes.append(change)


class Records:
    """The records of one installation. Open them with `Records.open`, and close them."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._readers = Turns(database.readers)
        self._writer = Turns(1)
        self._own = outbox.Own(secrets.token_urlsafe(12))
        self._listeners: list[Callable[[int], None]] = []
        self._shared_clock = SharedClock()
        self._quiet_until = float("-inf")
        self.changes = changes
        self.clock: Clock = self._shared_clock if database.shared else time.time
        """Unix seconds that every process on these records agrees on."""
        self.pepper = b""
        """A secret of this installation, for keyed hashes that no other copy of the software can compute."""
        self.secret = b""
        """Signs document tokens where all nodes have to agree on one secret: 64 hexadecimal digits."""
        self.teachers: Teachers = lambda space: frozenset()
        """Set by a node that serves sockets; elsewhere no teacher is ever in a space."""
        self.trouble = ""
        """Why the database was of no use when it was last asked; empty when it was."""

    @classmethod
    async def open(cls, url: str, changes: Changes) -> Records:
        """Opens and upgrades the database at ``sqlite:///FILE`` or ``postgresql://...``, making its tables.

        The latter is read as libpq reads it, with ``?sslmode=``, ``?host=`` and the like. Processes that open
        the same database at the same moment wait for each other.

        Raises ValueError for another kind of URL, RecordsUnusable for a database of a newer version or one
        that cannot hold the records, RecordsUnavailable, and SQLAlchemy's errors for a file that cannot be
        used.
        """
        records = cls(database_at(url), changes)
        try:
            await records._upgrade()
            async with records.writing() as tx:
                records.pepper = bytes.fromhex(await _made_once(tx, "pepper"))
                records.secret = (await _made_once(tx, "token-secret")).encode()
            await records.last_change()
        except BaseException:
            await records.close()
            raise
        return records

    async def _upgrade(self) -> None:
        try:
            with self._database.telling():
                async with self._database.upgrading() as connection:
                    await connection.run_sync(migrations.upgrade)
        except RecordsUnavailable as error:  # whoever starts the server may know all of it
            cause = getattr(error.__cause__, "orig", error.__cause__)
            raise RecordsUnavailable(f"{error.reason} ({cause})") from error

    async def close(self) -> None:
        await self._database.close()

    # Transactions

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        async with self._transaction(self._readers, writes=False) as transaction:
            yield Reading(self._database, transaction, self.teachers)

    @asynccontextmanager
    async def writing(self, patience: float | None = None) -> AsyncIterator[Writing]:
        """Waits ``patience`` seconds for its turn among all writers, or as long as the database lets it.

        Raises RecordsUnavailable.
        """
        async with self._transaction(self._writer, writes=True, patience=patience) as transaction:
            tx = Writing(self._database, transaction, self.teachers)
            yield tx
            # Once begun, commit and announcement are one step that no cancelled request can part.
            finish = asyncio.ensure_future(self._finish(transaction, tx))
            try:
                await asyncio.shield(finish)
            except asyncio.CancelledError:
                await finish
                raise

    async def _finish(self, transaction: Transaction, tx: Writing) -> None:
        if not tx.changes:
            await self._database.commit(transaction)
            return
        own, number = self._own, await outbox.put(tx, self._own.origin, tx.changes, self._database.now)
        own.committing = number
        try:
            await self._database.commit(transaction)
        except BaseException:
            own.doubtful.add(number)
            raise
        finally:
            own.committing = None
        for change in tx.changes:
            self.changes.publish(change)
        for listener in tuple(self._listeners):
            try:
                listener(number)
            except Exception:
                logger.exception("a listener failed on a commit")

    @asynccontextmanager
    async def _transaction(
        self, turns: Turns, *, writes: bool, patience: float | None = None
    ) -> AsyncIterator[Transaction]:
        try:
            await turns.take(patience)
        except TimeoutError:
            raise RecordsUnavailable("others are changing something") from None
        broken = False
        try:
            transaction = await self._database.begin(writes=writes, patience=patience)
            try:
                yield transaction
            except RecordsUnavailable:
                broken = True
                raise
            finally:
                release = asyncio.ensure_future(self._database.release(transaction, broken=broken))
                await asyncio.shield(release)
            self.trouble = ""
        except RecordsUnavailable as error:
            if patience is None:
                self._note(turns, error.reason)
            raise
        finally:
            turns.give()

    def _note(self, turns: Turns, reason: str) -> None:
        """The database was of no use: those who wait for it need not find that out one by one."""
        self.trouble = reason
        turns.fail(lambda: RecordsUnavailable(reason))
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + QUIET
            logger.warning("the records are of no use now: %s", reason)

    # Changes, also those of other processes

    async def changes_since(self, number: int) -> Look:
        """What other processes have changed after this number. See `rooms.storage.following`."""
        async with self.reading() as tx:
            await self._ask_time(tx)
            return await outbox.look(tx, number, self._own)

    async def last_change(self) -> int:
        """The number of the newest change; 0 when there never was one."""
        async with self.reading() as tx:
            await self._ask_time(tx)
            return await outbox.last_number(tx)

    def on_commit(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Calls ``listener`` with the number of each change that this process has committed and published.

        Returns the function that stops it. Other processes find the change under that number.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _ask_time(self, tx: Reading) -> None:
        if self._database.shared:
            asked = self._shared_clock.steady()
            now = await tx.value(select(self._database.now))
            self._shared_clock.told(now, asked, self._shared_clock.steady())


async def _made_once(tx: Writing, key: str) -> str:
    """A random secret of the installation: 64 hexadecimal digits."""
    settings = schema.settings
    stored: str | None = await tx.value(select(settings.c.value).where(settings.c.key == key))
    if stored is None:
        stored = secrets.token_hex(32)
        await tx.do(insert(settings).values(key=key, value=stored))
    return stored
