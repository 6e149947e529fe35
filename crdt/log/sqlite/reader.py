"""The read path: a thread and a connection of its own, so that loads do not wait for commits."""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from crdt.errors import LogCorrupt
from crdt.log import FIRST_EPOCH, Head, HistoryEntry, Stored
from crdt.log.entries import verified
from crdt.log.sqlite.faults import as_log_error, unavailable
from crdt.log.sqlite.schema import Connect, checksum
from crdt.log.store import Foldable

__all__ = [
    "Loader",
    "Reader",
    "document_exists",
    "documents_with_old_history",
    "has_deleted",
    "in_one_view",
    "over_threshold",
    "quarantined",
    "read_document",
    "read_documents",
    "read_foldable",
    "read_heads",
    "read_history",
]

T = TypeVar("T")

MOST_TOGETHER = 64
"""Documents that are loaded together at most."""
TOGETHER_SECONDS = 0.005
"""When loading documents together has taken so long, those that are there need not wait for the others."""


class Reader:
    """Runs functions of a read-only connection on the reading thread."""

    def __init__(self, path: Path, connect: Connect) -> None:
        self._path = path
        self._connect = connect
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="twinspace-log-reader")
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Blocks; raises sqlite3.Error."""
        self._connection = self._fresh()

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """The function's result from one consistent view of the store. Raises LogUnavailable, LogCorrupt."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._read, function)
        except RuntimeError as error:  # the executor has been shut down
            raise unavailable("closed") from error

    async def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown()

    def _read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            raise unavailable("closed")
        try:
            return in_one_view(self._connection, function)
        except sqlite3.Error as error:
            self._reopen()
            raise as_log_error(error, self._path.parent) from error
        except (ValueError, TypeError) as error:  # text, JSON or NULL that SQLite holds and nobody wrote
            raise LogCorrupt(f"The log file is damaged: {error}.") from error

    def _reopen(self) -> None:
        # The old one is closed last: the writer counts on a connection that is always open.
        with contextlib.suppress(sqlite3.Error):
            fresh = self._fresh()
            old, self._connection = self._connection, fresh
            if old is not None:
                old.close()

    def _fresh(self) -> sqlite3.Connection:
        connection = self._connect(self._path)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Loader:
    """Loads documents: those that are asked for in one turn of the loop, or while it is at work, together.

    What one of them costs is mostly its way to the reading thread and back, and the turns of the GIL there.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._asked: list[tuple[str, asyncio.Future[Stored]]] = []
        self._work: asyncio.Task[None] | None = None

    async def load(self, name: str) -> Stored:
        """See `read_document`. Raises LogUnavailable, LogCorrupt."""
        loop = asyncio.get_running_loop()
        asker: asyncio.Future[Stored] = loop.create_future()
        self._asked.append((name, asker))
        if self._work is None:
            self._work = loop.create_task(self._answer_all(), name="load documents")
        return await asker

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked[:MOST_TOGETHER], self._asked[MOST_TOGETHER:]
                await self._answer([(name, asker) for name, asker in asked if not asker.done()])
        finally:
            self._work = None

    async def _answer(self, asked: Sequence[tuple[str, asyncio.Future[Stored]]]) -> None:
        names = list(dict.fromkeys(name for name, _ in asked))
        try:
            found = await self._reader.read(partial(read_documents, names=names)) if names else {}
        except Exception as error:
            if len(names) > 1 and isinstance(error, LogCorrupt):
                for one in asked:  # by itself, so that one that is damaged is no matter of the others'
                    await self._answer([one])
                return
            for _, asker in asked:
                if not asker.done():
                    asker.set_exception(error)
            return
        for name, asker in asked:
            if name in found and not asker.done():
                asker.set_result(found[name])
        self._asked[:0] = [(name, asker) for name, asker in asked if name not in found]


def in_one_view(connection: sqlite3.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    """Run several reads against one state of the store."""
    connection.execute("BEGIN")
    try:
        return function(connection)
    finally:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("COMMIT")


def read_document(connection: sqlite3.Connection, name: str) -> Stored:
    """Snapshot and tail of a document; an unknown one is empty.

    Raises LogCorrupt when a sequence is missing, a checksum is wrong or a blob is of an unknown format.
    """
    foldable = read_foldable(connection, name)
    return foldable.stored if foldable else Stored(name, FIRST_EPOCH, None, 0, (), 0, {}, frozenset())


def read_documents(connection: sqlite3.Connection, names: Collection[str]) -> dict[str, Stored]:
    """As `read_document`, of several in this order: of the first few only, at least one, if it takes long.

    Raises LogCorrupt if any is damaged.
    """
    until = time.monotonic() + TOGETHER_SECONDS
    found = {}
    for name in names:
        found[name] = read_document(connection, name)
        if time.monotonic() > until:
            break
    return found


def read_foldable(connection: sqlite3.Connection, name: str) -> Foldable | None:
    """As `read_document`, with the key of the document's rows; None for an unknown document."""
    row = _read_row(connection, name)
    return Foldable(row.id, _read_stored(connection, row)) if row else None


class _Row(NamedTuple):
    """What is known of a document beside its blobs."""

    name: str
    id: int
    epoch: int
    head_seq: int
    snapshot_seq: int
    owners: list[tuple[int, str]]
    markers: list[str]


def _read_row(connection: sqlite3.Connection, name: str) -> _Row | None:
    """Of a document that exists; all of it as one value, see `_read_entries`."""
    query = """
        SELECT json_array(name, id, epoch, head_seq, snapshot_seq,
            json((SELECT json_group_array(json_array(client, s.subject))
                FROM clients JOIN subjects s ON s.id = clients.subject WHERE document = documents.id)),
            json((SELECT json_group_array(marker) FROM markers WHERE document = documents.id)))
        FROM documents WHERE name = ?"""
    row = connection.execute(query, (name,)).fetchone()
    return _Row(*json.loads(row[0])) if row else None


def _read_stored(connection: sqlite3.Connection, row: _Row) -> Stored:
    name, after = row.name, row.snapshot_seq
    snapshot = _read_snapshot(connection, name, row.id, after) if after else None
    entries = _read_entries(connection, name, row.id, after, -1)
    if len(entries) != row.head_seq - after:
        raise LogCorrupt(f"{name!r} lacks entries between {after + 1} and {row.head_seq}.")
    return Stored(
        document=name,
        epoch=row.epoch,
        snapshot=snapshot,
        snapshot_seq=after,
        tail=tuple(entry.update for entry in entries),
        head_seq=row.head_seq,
        owners=dict(row.owners),
        markers=frozenset(row.markers),
    )


def read_history(connection: sqlite3.Connection, name: str, from_seq: int, limit: int) -> list[HistoryEntry]:
    """Up to `limit` entries still kept, from `from_seq` on. Raises LogCorrupt."""
    row = connection.execute("SELECT id, pruned_seq FROM documents WHERE name = ?", (name,)).fetchone()
    if row is None:
        return []
    return _read_entries(connection, name, row[0], max(from_seq - 1, row[1]), limit)


def document_exists(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT 1 FROM documents WHERE name = ? AND head_seq > 0"
    return connection.execute(query, (name,)).fetchone() is not None


def read_heads(connection: sqlite3.Connection, names: Collection[str]) -> dict[str, Head]:
    """The heads of those of the documents that exist."""
    query = """
        SELECT json_group_array(json_array(name, epoch, head_seq)) FROM documents
        WHERE name IN (SELECT value FROM json_each(?)) AND head_seq > 0"""
    (rows,) = connection.execute(query, (json.dumps(list(names)),)).fetchone()
    return {name: Head(epoch, seq) for name, epoch, seq in json.loads(rows)}


def over_threshold(
    connection: sqlite3.Connection, updates: int, size: int, *, quarantined: bool = False
) -> list[str]:
    """The documents whose tail calls for compaction, without or with those in quarantine."""
    query = """
        SELECT name FROM documents
        WHERE (tail_count > ? OR tail_bytes > ?) AND name IS NOT NULL AND (quarantine IS NULL OR ?)"""
    return [name for (name,) in connection.execute(query, (updates, size, quarantined)).fetchall()]


def quarantined(connection: sqlite3.Connection) -> list[str]:
    """The documents that background compaction leaves alone."""
    query = "SELECT name FROM documents WHERE quarantine IS NOT NULL AND name IS NOT NULL"
    return [name for (name,) in connection.execute(query).fetchall()]


def has_deleted(connection: sqlite3.Connection) -> bool:
    """Whether rows of deleted documents wait for their removal."""
    return connection.execute("SELECT 1 FROM documents WHERE name IS NULL LIMIT 1").fetchone() is not None


def documents_with_old_history(
    connection: sqlite3.Connection, after: int, before: float, limit: int
) -> tuple[list[int], int | None]:
    """Of the next `limit` documents with a key above `after`, those with history older than `before` (Unix
    seconds); and the last key looked at, None at the end."""
    query = """
        SELECT id, snapshot_seq > pruned_seq AND
            (SELECT at < ?1 FROM updates WHERE document = id AND seq = pruned_seq + 1)
        FROM documents WHERE id > ?2 ORDER BY id LIMIT ?3"""
    rows = connection.execute(query, (before * 1000, after, limit)).fetchall()
    return [id for id, old in rows if old], rows[-1][0] if rows else None


def _read_snapshot(connection: sqlite3.Connection, name: str, id: int, seq: int) -> bytes:
    query = "SELECT epoch, at, format, crc, body FROM snapshots WHERE document = ? AND seq = ?"
    row = connection.execute(query, (id, seq)).fetchone()
    if row is None:
        raise LogCorrupt(f"{name!r} lacks its snapshot of entry {seq}.")
    epoch, at, format, crc, body = row
    return verified(f"the snapshot of {name!r}", format, crc, checksum(id, seq, epoch, at, 0, body), body)


def _read_entries(
    connection: sqlite3.Connection, name: str, id: int, after: int, limit: int
) -> list[HistoryEntry]:
    # One row for all of them, because each row costs a turn of the GIL (see transactions.py). To concatenate
    # blobs SQLite casts them to text and we cast back: no byte changes, and the checksums would tell.
    query = """
        SELECT json_group_array(json_array(seq, epoch, at, subject, who, format, crc, length(body))),
            CAST(group_concat(body, '') AS BLOB)
        FROM (
            SELECT seq, epoch, at, updates.subject, s.subject AS who, format, crc, body
            FROM updates LEFT JOIN subjects s ON s.id = updates.subject
            WHERE document = ? AND seq > ? ORDER BY seq LIMIT ?)"""
    rows, bodies = connection.execute(query, (id, after, limit)).fetchone()
    entries = []
    start = 0
    for expected, row in enumerate(json.loads(rows), after + 1):
        seq, epoch, at, subject, who, format, crc, size = row
        if seq != expected or who is None:
            raise LogCorrupt(f"{name!r} lacks entry {expected}, or its author.")
        body = bodies[start : start + size]
        start += size
        computed = checksum(id, seq, epoch, at, subject, body)
        update = verified(f"entry {seq} of {name!r}", format, crc, computed, body)
        entries.append(HistoryEntry(seq, epoch, update, who, at / 1000))
    return entries
