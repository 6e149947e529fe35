"""What is written, inside a transaction that `crdt.log.sqlite.writer` has begun and will commit.

A function here never commits. It raises a LogError for a refusal; any other error undoes the transaction.

A group is read and written with few statements, whatever its size. Each step of a statement gives up the GIL,
which has to be waited for while the loop is busy: row by row, a group of 256 took seconds.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain

from crdt.errors import ClientTaken, LogError, StaleEpoch
from crdt.log import FIRST_EPOCH, Entry
from crdt.log.entries import FORMAT_V1
from crdt.log.sqlite.schema import checksum
from crdt.log.store import Foldable, Tail

__all__ = [
    "append_group",
    "delete_document",
    "prune_history",
    "quarantine",
    "remove_deleted",
    "replace_tail",
    "seed",
]

_INSERT = "INSERT INTO updates VALUES {rows}"
_ADVANCE = """
    UPDATE documents SET head_seq = column2, tail_count = column3, tail_bytes = column4
    FROM (VALUES {rows}) WHERE documents.id = column1"""
_ROWS = (256, 64, 16, 4, 1)
"""How many rows one statement writes: few different numbers, so that few statements are prepared."""


@dataclass(slots=True)
class _Head:
    id: int
    epoch: int
    seq: int
    tail_count: int
    tail_bytes: int


def append_group(
    connection: sqlite3.Connection, entries: Sequence[Entry]
) -> tuple[list[int | LogError], list[Tail]]:
    """Give every entry the next sequence of its document and store it.

    Returns for each entry its sequence, or why this one alone was refused; and the tails that grew.
    """
    names = {entry.document for entry in entries}
    heads = _heads(connection, names)
    subjects = _subject_ids(connection, {entry.subject for entry in entries})
    outcomes: list[int | LogError] = []
    rows: list[tuple[int | bytes, ...]] = []
    for entry in entries:
        document = entry.document
        head = heads.get(document)
        epoch = head.epoch if head else FIRST_EPOCH
        if entry.epoch != epoch:
            outcomes.append(StaleEpoch(document, entry.epoch, epoch))
            continue
        if head is None:
            head = heads[document] = _create(connection, document)
        subject = subjects[entry.subject]
        if entry.clients:
            taken = _claim(connection, head.id, entry.clients, subject)
            if taken is not None:
                outcomes.append(ClientTaken(document, taken))
                continue
        size = len(entry.update)
        head.seq += 1
        head.tail_count += 1
        head.tail_bytes += size
        at = round(entry.at * 1000)
        crc = checksum(head.id, head.seq, entry.epoch, at, subject, entry.update)
        rows.append((head.id, head.seq, entry.epoch, at, subject, FORMAT_V1, crc, entry.update))
        outcomes.append(head.seq)
    if rows:
        _write(connection, _INSERT, rows)
        _write(
            connection,
            _ADVANCE,
            [(head.id, head.seq, head.tail_count, head.tail_bytes) for head in heads.values()],
        )
    return outcomes, [Tail(name, head.tail_count, head.tail_bytes) for name, head in heads.items()]


def seed(connection: sqlite3.Connection, entry: Entry, marker: str) -> bool:
    """Append the entry and set the marker, unless the marker is there already.

    The entry's epoch is the document's, whatever it says. Raises ClientTaken.
    """
    head = _heads(connection, {entry.document}).get(entry.document)
    if head is not None:
        query = "SELECT 1 FROM markers WHERE document = ? AND marker = ?"
        if connection.execute(query, (head.id, marker)).fetchone():
            return False
        entry = replace(entry, epoch=head.epoch)
    outcomes, _ = append_group(connection, [entry])
    if isinstance(outcomes[0], LogError):
        raise outcomes[0]
    document = _heads(connection, {entry.document})[entry.document].id
    subject = _subject_ids(connection, {entry.subject})[entry.subject]
    at = round(entry.at * 1000)
    connection.execute("INSERT INTO markers VALUES (?, ?, ?, ?)", (document, marker, at, subject))
    return True


def replace_tail(
    connection: sqlite3.Connection,
    *,
    found: Foldable,
    snapshot: bytes,
    at: float,
) -> bool:
    """See `crdt.log.store.Store.swap`."""
    document, stored = found.id, found.stored
    epoch, through = stored.epoch, stored.head_seq
    fence = "SELECT 1 FROM documents WHERE id = ? AND name IS NOT NULL AND snapshot_seq = ? AND epoch = ?"
    if not connection.execute(fence, (document, stored.snapshot_seq, epoch)).fetchone():
        return False
    milliseconds = round(at * 1000)
    crc = checksum(document, through, epoch, milliseconds, 0, snapshot)
    connection.execute(
        "REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)",
        (document, through, epoch, milliseconds, FORMAT_V1, crc, snapshot),
    )
    left = "SELECT count(*), ifnull(sum(length(body)), 0) FROM updates WHERE document = ? AND seq > ?"
    count, size = connection.execute(left, (document, through)).fetchone()
    update = """
        UPDATE documents SET snapshot_seq = ?, tail_count = ?, tail_bytes = ?, quarantine = NULL
        WHERE id = ?"""
    connection.execute(update, (through, count, size, document))
    return True


def quarantine(connection: sqlite3.Connection, name: str, reason: str) -> None:
    """Mark the document as one that background compaction leaves alone."""
    connection.execute("UPDATE documents SET quarantine = ? WHERE name = ?", (reason, name))


def delete_document(connection: sqlite3.Connection, name: str) -> bool:
    """Take the document out of sight; `remove_deleted` removes its rows in small steps."""
    return connection.execute("UPDATE documents SET name = NULL WHERE name = ?", (name,)).rowcount > 0


def remove_deleted(connection: sqlite3.Connection, limit: int) -> None:
    """Remove up to `limit` updates of a deleted document, then whatever else there is of it."""
    row = connection.execute("SELECT id FROM documents WHERE name IS NULL LIMIT 1").fetchone()
    if row is None:
        return
    (document,) = row
    doomed = "SELECT seq FROM updates WHERE document = ? ORDER BY seq LIMIT 1 OFFSET ?"
    last = connection.execute(doomed, (document, limit - 1)).fetchone()
    if last is not None:
        connection.execute("DELETE FROM updates WHERE document = ? AND seq <= ?", (document, last[0]))
        return
    for table in ("updates", "snapshots", "clients", "markers"):
        connection.execute(f"DELETE FROM {table} WHERE document = ?", (document,))  # noqa: S608
    connection.execute("DELETE FROM documents WHERE id = ?", (document,))


def prune_history(connection: sqlite3.Connection, document: int, before: float, limit: int) -> int:
    """Remove up to `limit` of the document's oldest entries that a snapshot replaced and that are older than
    `before` (Unix seconds). What is kept stays contiguous. Returns how many went."""
    query = """
        SELECT seq, at FROM updates
        WHERE document = ?1 AND seq <= (SELECT snapshot_seq FROM documents WHERE id = ?1)
        ORDER BY seq LIMIT ?2"""
    last = 0
    for seq, at in connection.execute(query, (document, limit)).fetchall():
        if at >= before * 1000:
            break
        last = seq
    if not last:
        return 0
    connection.execute("UPDATE documents SET pruned_seq = ? WHERE id = ?", (last, document))
    delete = "DELETE FROM updates WHERE document = ? AND seq <= ?"
    return connection.execute(delete, (document, last)).rowcount


def _heads(connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, _Head]:
    query = """
        SELECT json_group_array(json_array(name, id, epoch, head_seq, tail_count, tail_bytes)) FROM documents
        WHERE name IN (SELECT value FROM json_each(?))"""
    (rows,) = connection.execute(query, (json.dumps(list(names)),)).fetchone()
    return {name: _Head(*rest) for name, *rest in json.loads(rows)}


def _write(connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[int | bytes, ...]]) -> None:
    """Runs a statement on all rows, many at a time."""
    start = 0
    for count in _ROWS:
        while len(rows) - start >= count:
            some = rows[start : start + count]
            connection.execute(_with_rows(statement, count, len(some[0])), [*chain.from_iterable(some)])
            start += count


@cache
def _with_rows(statement: str, rows: int, columns: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return statement.format(rows=", ".join([row] * rows))


def _create(connection: sqlite3.Connection, name: str) -> _Head:
    cursor = connection.execute("INSERT INTO documents (name, epoch) VALUES (?, ?)", (name, FIRST_EPOCH))
    assert cursor.lastrowid is not None
    return _Head(cursor.lastrowid, FIRST_EPOCH, 0, 0, 0)


def _subject_ids(connection: sqlite3.Connection, subjects: Iterable[str]) -> dict[str, int]:
    wanted = json.dumps(list(subjects))
    query = """
        SELECT json_group_object(subject, id) FROM subjects
        WHERE subject IN (SELECT value FROM json_each(?))"""
    found: dict[str, int] = json.loads(connection.execute(query, (wanted,)).fetchone()[0])
    for subject in subjects:
        if subject not in found:
            cursor = connection.execute("INSERT INTO subjects (subject) VALUES (?)", (subject,))
            assert cursor.lastrowid is not None
            found[subject] = cursor.lastrowid
    return found


def _claim(connection: sqlite3.Connection, document: int, clients: Sequence[int], subject: int) -> int | None:
    """Make the client ids the subject's. Returns the first that is somebody else's, with nothing claimed."""
    fresh = []
    for client in clients:
        query = "SELECT subject FROM clients WHERE document = ? AND client = ?"
        row = connection.execute(query, (document, client)).fetchone()
        if row is None:
            fresh.append((document, client, subject))
        elif row[0] != subject:
            return client
    connection.executemany("INSERT OR IGNORE INTO clients VALUES (?, ?, ?)", fresh)
    return None
