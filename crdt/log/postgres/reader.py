"""What is read, each from one consistent view of the store."""

from collections.abc import Collection

from crdt.errors import LogCorrupt
from crdt.log import FIRST_EPOCH, Head, HistoryEntry, Stored
from crdt.log.entries import is_name, verified
from crdt.log.postgres.connections import Connection
from crdt.log.postgres.schema import key_of, snapshot_checksum, update_checksum
from crdt.log.store import Foldable

__all__ = [
    "document_exists",
    "documents_with_old_history",
    "over_threshold",
    "quarantined",
    "read_document",
    "read_foldable",
    "read_heads",
    "read_history",
    "read_turns",
]

_DOCUMENT = """
    SELECT d.id, d.epoch, d.head_seq, d.snapshot_seq,
        s.seq, s.epoch AS of_epoch, s.at, s.format, s.crc, s.body
    FROM log.documents d LEFT JOIN log.snapshots s ON s.document = d.id AND s.seq = d.snapshot_seq
    WHERE d.key = $1"""
_ENTRIES = """
    SELECT u.seq, u.epoch, u.at, s.subject, u.format, u.crc, u.body
    FROM log.updates u LEFT JOIN log.subjects s ON s.id = u.subject
    WHERE u.document = $1 AND u.seq > $2 ORDER BY u.seq LIMIT $3"""
_OWNERS = """
    SELECT c.client, s.subject FROM log.clients c JOIN log.subjects s ON s.id = c.subject
    WHERE c.document = $1"""
_MARKERS = "SELECT m.marker FROM log.markers m WHERE m.document = $1"
_HEADS = """
    SELECT d.key, d.epoch, d.head_seq FROM log.documents d
    WHERE d.key = ANY ($1::bytea[]) AND d.head_seq > 0"""
_HISTORY = """
    SELECT d.id, d.pruned_seq, u.seq, u.epoch, u.at, s.subject, u.format, u.crc, u.body
    FROM log.documents d
    LEFT JOIN log.updates u ON u.document = d.id AND u.seq > greatest($2::bigint - 1, d.pruned_seq)
    LEFT JOIN log.subjects s ON s.id = u.subject
    WHERE d.key = $1 ORDER BY u.seq LIMIT $3"""
_OLD = """
    SELECT d.id, d.snapshot_seq > d.pruned_seq AND
        (SELECT u.at < $1 FROM log.updates u WHERE u.document = d.id AND u.seq = d.pruned_seq + 1) AS old
    FROM log.documents d WHERE d.id > $2 ORDER BY d.id LIMIT $3"""


async def read_document(connection: Connection, name: str) -> Stored:
    """Snapshot and tail of a document; an unknown one is empty.

    Raises LogCorrupt when a sequence is missing, a checksum is wrong or a blob is of an unknown format.
    """
    foldable = await read_foldable(connection, name)
    return foldable.stored if foldable else Stored(name, FIRST_EPOCH, None, 0, (), 0, {}, frozenset())


async def read_foldable(connection: Connection, name: str) -> Foldable | None:
    """As `read_document`, with the key of the document's rows; None for an unknown document."""
    if not is_name(name):
        return None
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(_DOCUMENT, key_of(name))
        if row is None:
            return None
        id, epoch, head_seq, snapshot_seq, *blob = row
        snapshot = _snapshot(name, snapshot_seq, *blob) if snapshot_seq else None
        entries = await _read_entries(connection, name, id, snapshot_seq)
        if len(entries) != head_seq - snapshot_seq:
            raise LogCorrupt(f"{name!r} lacks entries between {snapshot_seq + 1} and {head_seq}.")
        owners = {client: subject for client, subject in await connection.fetch(_OWNERS, id)}  # noqa: C416
        markers = frozenset(marker for (marker,) in await connection.fetch(_MARKERS, id))
    tail = tuple(entry.update for entry in entries)
    return Foldable(id, Stored(name, epoch, snapshot, snapshot_seq, tail, head_seq, owners, markers))


async def read_history(connection: Connection, name: str, from_seq: int, limit: int) -> list[HistoryEntry]:
    """Up to `limit` entries still kept, from `from_seq` on. Raises LogCorrupt."""
    if not is_name(name):
        return []
    rows = await connection.fetch(_HISTORY, key_of(name), from_seq, limit)
    if not rows or rows[0]["seq"] is None:
        return []
    before = max(from_seq - 1, rows[0]["pruned_seq"])
    return [_entry(name, expected, *row[2:]) for expected, row in enumerate(rows, before + 1)]


async def document_exists(connection: Connection, name: str) -> bool:
    return bool(await read_heads(connection, [name]))


async def read_heads(connection: Connection, names: Collection[str]) -> dict[str, Head]:
    """The heads of those of the documents that exist."""
    by_key = {key_of(name): name for name in names if is_name(name)}
    rows = await connection.fetch(_HEADS, list(by_key))
    return {by_key[key]: Head(epoch, seq) for key, epoch, seq in rows}


async def read_turns(connection: Connection) -> dict[str, int]:
    """How many calls of each writer took effect."""
    return {str(id): turn for id, turn in await connection.fetch("SELECT id, turn FROM log.writers")}


async def over_threshold(
    connection: Connection, updates: int, size: int, *, quarantined: bool = False
) -> list[str]:
    """The documents whose tail calls for compaction, without or with those in quarantine."""
    query = """
        SELECT d.name FROM log.documents d
        WHERE (d.tail_count > $1 OR d.tail_bytes > $2) AND d.key IS NOT NULL
            AND (d.quarantine IS NULL OR $3)"""
    return [name for (name,) in await connection.fetch(query, updates, size, quarantined)]


async def quarantined(connection: Connection) -> list[str]:
    """The documents that background compaction leaves alone."""
    query = "SELECT d.name FROM log.documents d WHERE d.quarantine IS NOT NULL AND d.key IS NOT NULL"
    return [name for (name,) in await connection.fetch(query)]


async def documents_with_old_history(
    connection: Connection, after: int, before: float, limit: int
) -> tuple[list[int], int | None]:
    """See `crdt.log.store.Store.with_old_history`."""
    rows = await connection.fetch(_OLD, round(before * 1000), after, limit)
    return [id for id, old in rows if old], rows[-1]["id"] if rows else None


def _snapshot(
    name: str,
    expected: int,
    seq: int | None,
    epoch: int,
    at: int,
    format: int,
    crc: int,
    body: bytes,
) -> bytes:
    if seq is None:
        raise LogCorrupt(f"{name!r} lacks its snapshot of entry {expected}.")
    computed = snapshot_checksum(name, seq, epoch, at, body)
    return verified(f"the snapshot of {name!r}", format, crc, computed, body)


async def _read_entries(connection: Connection, name: str, id: int, after: int) -> list[HistoryEntry]:
    rows = await connection.fetch(_ENTRIES, id, after, None)
    return [_entry(name, expected, *row) for expected, row in enumerate(rows, after + 1)]


def _entry(
    name: str,
    expected: int,
    seq: int,
    epoch: int,
    at: int,
    subject: str | None,
    format: int,
    crc: int,
    body: bytes,
) -> HistoryEntry:
    if seq != expected or subject is None:
        raise LogCorrupt(f"{name!r} lacks entry {expected}, or its author.")
    computed = update_checksum(name, epoch, at, subject, body)
    return HistoryEntry(
        seq, epoch, verified(f"entry {seq} of {name!r}", format, crc, computed, body), subject, at / 1000
    )
