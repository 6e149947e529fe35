"""The schema `log` of a PostgreSQL database as the source or the target of a move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from crdt.log import HistoryEntry
from crdt.log.entries import FORMAT_V1, verified
from crdt.log.postgres.connections import Connection, Connections, hurry
from crdt.log.postgres.reader import read_history
from crdt.log.postgres.schema import MOVING, key_of, migrate, snapshot_checksum, update_checksum
from crdt.log.transfer import Mark, Snapshot, Whole

__all__ = ["PostgresShelf"]

PATIENCE = 60.0

_PUT = """
    INSERT INTO log.documents (key, name, epoch, head_seq, snapshot_seq, pruned_seq)
    VALUES ($1, $2, $3, $4, $4, $4) ON CONFLICT (key) DO NOTHING"""
_ENTRIES = """
    INSERT INTO log.updates (document, seq, at, epoch, subject, crc, format, body)
    SELECT $1, e.seq, e.at, e.epoch, s.id, e.crc, $2, e.body
    FROM unnest($3::bigint[], $4::bigint[], $5::integer[], $6::bytea[], $7::integer[], $8::bytea[])
        e(seq, at, epoch, subject, crc, body)
    JOIN log.subjects s ON s.key = e.subject"""
_ROW = """
    UPDATE log.documents SET snapshot_seq = $2, pruned_seq = $3, quarantine = $4, (tail_count, tail_bytes) = (
        SELECT count(*), coalesce(sum(octet_length(u.body)), 0) FROM log.updates u
        WHERE u.document = $1 AND u.seq > $2)
    WHERE id = $1"""


class PostgresShelf:
    """Implements `crdt.log.transfer.Shelf` on one session."""

    def __init__(self, connection: Connection, *, alone: bool) -> None:
        self._connection = connection
        self.alone = alone
        """Whether no node serves the database, nor can before this is closed."""

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[PostgresShelf]:
        """The log of a database, for the length of a block. Raises LogUnavailable, LogCorrupt, asyncpg's
        errors."""
        connection = await Connections(url, PATIENCE).open()
        try:
            await migrate(connection)
            alone = await connection.fetchval("SELECT pg_try_advisory_lock($1)", MOVING)
            yield cls(connection, alone=alone)
        finally:
            with hurry(connection, 1.0):
                await connection.close()

    async def names(self) -> list[str]:
        rows = await self._connection.fetch(
            "SELECT name FROM log.documents WHERE key IS NOT NULL ORDER BY id"
        )
        return [row["name"] for row in rows]

    async def whole(self, name: str) -> Whole | None:
        connection = self._connection
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            row = await connection.fetchrow("SELECT * FROM log.documents WHERE key = $1", key_of(name))
            if row is None:
                return None
            id = row["id"]
            owners = await connection.fetch(
                """SELECT c.client, s.subject FROM log.clients c JOIN log.subjects s ON s.id = c.subject
                WHERE c.document = $1""",
                id,
            )
            markers = await connection.fetch(
                """SELECT m.marker, m.at, s.subject FROM log.markers m JOIN log.subjects s ON s.id = m.subject
                WHERE m.document = $1""",
                id,
            )
            stored = await connection.fetchrow("SELECT * FROM log.snapshots WHERE document = $1", id)
        snapshot = None
        if stored is not None:
            seq, epoch, at, body = stored["seq"], stored["epoch"], stored["at"], stored["body"]
            computed = snapshot_checksum(name, seq, epoch, at, body)
            what = f"the snapshot of {name!r}"
            snapshot = Snapshot(
                seq, epoch, at, verified(what, stored["format"], stored["crc"], computed, body)
            )
        return Whole(
            name,
            row["epoch"],
            row["head_seq"],
            row["pruned_seq"],
            snapshot,
            row["quarantine"],
            dict(owners),
            {marker: Mark(at, subject) for marker, at, subject in markers},
        )

    async def entries(self, name: str, after: int, limit: int) -> list[HistoryEntry]:
        return await read_history(self._connection, name, after + 1, limit)

    async def put(self, name: str, epoch: int, pruned: int, entries: Sequence[HistoryEntry]) -> None:
        connection = self._connection
        async with connection.transaction():
            await connection.execute(_PUT, key_of(name), name, epoch, pruned)
            if not entries:
                return
            id = await self._id(name)
            await self._know({entry.subject for entry in entries})
            ats = [round(entry.at * 1000) for entry in entries]
            crcs = [
                update_checksum(name, entry.epoch, at, entry.subject, entry.update)
                for entry, at in zip(entries, ats, strict=True)
            ]
            await connection.execute(
                _ENTRIES,
                id,
                FORMAT_V1,
                [entry.seq for entry in entries],
                ats,
                [entry.epoch for entry in entries],
                [key_of(entry.subject) for entry in entries],
                crcs,
                [entry.update for entry in entries],
            )
            await connection.execute(
                "UPDATE log.documents SET head_seq = $2 WHERE id = $1", id, entries[-1].seq
            )

    async def finish(self, whole: Whole) -> None:
        connection = self._connection
        async with connection.transaction():
            id = await self._id(whole.name)
            for table in ("clients", "markers", "snapshots"):
                await connection.execute(f"DELETE FROM log.{table} WHERE document = $1", id)  # noqa: S608
            await connection.execute(
                "DELETE FROM log.updates WHERE document = $1 AND seq <= $2", id, whole.pruned
            )
            await self._know({*whole.owners.values(), *(mark.subject for mark in whole.markers.values())})
            await connection.executemany(
                "INSERT INTO log.clients SELECT $1, $2, s.id FROM log.subjects s WHERE s.key = $3",
                [(id, client, key_of(subject)) for client, subject in whole.owners.items()],
            )
            await connection.executemany(
                "INSERT INTO log.markers SELECT $1, $2, $3, s.id FROM log.subjects s WHERE s.key = $4",
                [(id, marker, mark.at, key_of(mark.subject)) for marker, mark in whole.markers.items()],
            )
            snapshot = whole.snapshot
            if snapshot is not None:
                crc = snapshot_checksum(whole.name, snapshot.seq, snapshot.epoch, snapshot.at, snapshot.body)
                await connection.execute(
                    """INSERT INTO log.snapshots (document, seq, at, epoch, crc, format, body)
                    VALUES ($1, $2, $3, $4, $5, $6, $7)""",
                    id, snapshot.seq, snapshot.at, snapshot.epoch, crc, FORMAT_V1, snapshot.body,
                )  # fmt: skip
            covered = snapshot.seq if snapshot is not None else 0
            await connection.execute(_ROW, id, covered, whole.pruned, whole.quarantine)

    async def remove(self, name: str) -> None:
        connection = self._connection
        async with connection.transaction():
            id = await connection.fetchval("SELECT id FROM log.documents WHERE key = $1", key_of(name))
            if id is not None:
                for table in ("updates", "snapshots", "clients", "markers"):
                    await connection.execute(f"DELETE FROM log.{table} WHERE document = $1", id)  # noqa: S608
                await connection.execute("DELETE FROM log.documents WHERE id = $1", id)

    async def _id(self, name: str) -> int:
        id: int = await self._connection.fetchval("SELECT id FROM log.documents WHERE key = $1", key_of(name))
        return id

    async def _know(self, subjects: set[str]) -> None:
        await self._connection.executemany(
            "INSERT INTO log.subjects (key, subject) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
            [(key_of(subject), subject) for subject in subjects],
        )
