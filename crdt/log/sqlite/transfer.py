"""`log.sqlite3` as the source or the target of a move."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crdt.log import HistoryEntry
from crdt.log.entries import FORMAT_V1, verified
from crdt.log.sqlite.reader import in_one_view, read_history
from crdt.log.sqlite.schema import FILE_NAME, checksum, connect, migrate, open_for_reading
from crdt.log.transfer import Mark, Snapshot, Whole

__all__ = ["SqliteShelf"]


class SqliteShelf:
    """Implements `crdt.log.transfer.Shelf`. Its methods block: a move does nothing else meanwhile."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def reading(cls, folder: Path) -> SqliteShelf:
        """A log as a source; a server may be writing it. Raises sqlite3.Error."""
        return cls(open_for_reading(folder / FILE_NAME))

    @classmethod
    def writing(cls, folder: Path) -> SqliteShelf:
        """A log as a target; the caller holds the folder. Raises sqlite3.Error, LogError."""
        connection = connect(folder / FILE_NAME)
        migrate(connection)
        return cls(connection)

    def close(self) -> None:
        self._connection.close()

    async def names(self) -> list[str]:
        rows = self._connection.execute("SELECT name FROM documents WHERE name IS NOT NULL ORDER BY id")
        return [name for (name,) in rows.fetchall()]

    async def whole(self, name: str) -> Whole | None:
        return in_one_view(self._connection, lambda connection: _whole(connection, name))

    async def entries(self, name: str, after: int, limit: int) -> list[HistoryEntry]:
        return in_one_view(
            self._connection, lambda connection: read_history(connection, name, after + 1, limit)
        )

    async def put(self, name: str, epoch: int, pruned: int, entries: Sequence[HistoryEntry]) -> None:
        with _transaction(self._connection) as connection:
            connection.execute(
                """INSERT INTO documents (name, epoch, head_seq, snapshot_seq, pruned_seq)
                VALUES (?1, ?2, ?3, ?3, ?3) ON CONFLICT (name) DO NOTHING""",
                (name, epoch, pruned),
            )
            (id,) = connection.execute("SELECT id FROM documents WHERE name = ?", (name,)).fetchone()
            for entry in entries:
                subject = _subject(connection, entry.subject)
                at = round(entry.at * 1000)
                crc = checksum(id, entry.seq, entry.epoch, at, subject, entry.update)
                connection.execute(
                    "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (id, entry.seq, entry.epoch, at, subject, FORMAT_V1, crc, entry.update),
                )
            if entries:
                connection.execute("UPDATE documents SET head_seq = ? WHERE id = ?", (entries[-1].seq, id))

    async def finish(self, whole: Whole) -> None:
        with _transaction(self._connection) as connection:
            (id,) = connection.execute("SELECT id FROM documents WHERE name = ?", (whole.name,)).fetchone()
            for table in ("clients", "markers", "snapshots"):
                connection.execute(f"DELETE FROM {table} WHERE document = ?", (id,))  # noqa: S608
            connection.execute("DELETE FROM updates WHERE document = ? AND seq <= ?", (id, whole.pruned))
            for client, subject in whole.owners.items():
                row = (id, client, _subject(connection, subject))
                connection.execute("INSERT INTO clients VALUES (?, ?, ?)", row)
            for marker, mark in whole.markers.items():
                seeded = (id, marker, mark.at, _subject(connection, mark.subject))
                connection.execute("INSERT INTO markers VALUES (?, ?, ?, ?)", seeded)
            snapshot = whole.snapshot
            if snapshot is not None:
                crc = checksum(id, snapshot.seq, snapshot.epoch, snapshot.at, 0, snapshot.body)
                connection.execute(
                    "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (id, snapshot.seq, snapshot.epoch, snapshot.at, FORMAT_V1, crc, snapshot.body),
                )
            covered = snapshot.seq if snapshot is not None else 0
            connection.execute(
                """UPDATE documents SET snapshot_seq = ?2, pruned_seq = ?3, quarantine = ?4,
                (tail_count, tail_bytes) = (
                    SELECT count(*), ifnull(sum(length(body)), 0) FROM updates
                    WHERE document = ?1 AND seq > ?2)
                WHERE id = ?1""",
                (id, covered, whole.pruned, whole.quarantine),
            )

    async def remove(self, name: str) -> None:
        with _transaction(self._connection) as connection:
            row = connection.execute("SELECT id FROM documents WHERE name = ?", (name,)).fetchone()
            if row is not None:
                for table in ("updates", "snapshots", "clients", "markers"):
                    connection.execute(f"DELETE FROM {table} WHERE document = ?", row)  # noqa: S608
                connection.execute("DELETE FROM documents WHERE id = ?", row)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _whole(connection: sqlite3.Connection, name: str) -> Whole | None:
    row = connection.execute(
        "SELECT id, epoch, head_seq, pruned_seq, quarantine FROM documents WHERE name = ?", (name,)
    ).fetchone()
    if row is None:
        return None
    id, epoch, head, pruned, quarantine = row
    clients = """
        SELECT client, s.subject FROM clients JOIN subjects s ON s.id = clients.subject WHERE document = ?"""
    markers = """
        SELECT marker, at, s.subject FROM markers JOIN subjects s ON s.id = markers.subject
        WHERE document = ?"""
    return Whole(
        name,
        epoch,
        head,
        pruned,
        _snapshot(connection, name, id),
        quarantine,
        dict(connection.execute(clients, (id,)).fetchall()),
        {marker: Mark(at, subject) for marker, at, subject in connection.execute(markers, (id,)).fetchall()},
    )


def _snapshot(connection: sqlite3.Connection, name: str, id: int) -> Snapshot | None:
    query = "SELECT seq, epoch, at, format, crc, body FROM snapshots WHERE document = ?"
    row = connection.execute(query, (id,)).fetchone()
    if row is None:
        return None
    seq, epoch, at, format, crc, body = row
    computed = checksum(id, seq, epoch, at, 0, body)
    return Snapshot(seq, epoch, at, verified(f"the snapshot of {name!r}", format, crc, computed, body))


def _subject(connection: sqlite3.Connection, subject: str) -> int:
    connection.execute("INSERT INTO subjects (subject) VALUES (?) ON CONFLICT DO NOTHING", (subject,))
    row = connection.execute("SELECT id FROM subjects WHERE subject = ?", (subject,)).fetchone()
    return int(row[0])
