"""The tables of `log.sqlite3`, how they are upgraded, and how a connection to them is made.

One writer connection, one reader connection and the tools share this file's `connect`. The durability promise
rests on three of its pragmas: journal_mode=WAL, synchronous=FULL (fsync on every commit), and
wal_autocheckpoint=0, because SQLite ignores a failed automatic checkpoint: we checkpoint ourselves and look.
"""

import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path

from crdt.errors import LogCorrupt, LogUnavailable

__all__ = [
    "APPLICATION_ID",
    "FILE_NAME",
    "SCHEMA_VERSION",
    "Connect",
    "checksum",
    "connect",
    "migrate",
    "open_for_reading",
    "verify_schema",
]

FILE_NAME = "log.sqlite3"
APPLICATION_ID = 0x5457494E  # "TWIN"
Connect = Callable[[Path], sqlite3.Connection]
"""How the writer and the reader open the file; tests inject faults here."""

_BUSY_SECONDS = 2.0
_SQLITE_NEEDED = (3, 38)

_VERSION_1 = """
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    turn INTEGER NOT NULL,                -- counts the commits: tells whether a commit in doubt happened
    room BLOB                             -- filled and emptied to find out whether writing works again
) STRICT;
INSERT INTO store VALUES (1, 0, NULL);

CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    name TEXT UNIQUE,                     -- NULL: deleted, its rows are being removed
    epoch INTEGER NOT NULL,
    head_seq INTEGER NOT NULL DEFAULT 0,
    snapshot_seq INTEGER NOT NULL DEFAULT 0,
    pruned_seq INTEGER NOT NULL DEFAULT 0,    -- history up to here is gone
    tail_count INTEGER NOT NULL DEFAULT 0,
    tail_bytes INTEGER NOT NULL DEFAULT 0,
    quarantine TEXT                       -- why compaction left this document alone
) STRICT;

CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE updates (
    document INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL,                  -- Unix milliseconds
    subject INTEGER NOT NULL,
    format INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (document, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    document INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL,
    format INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE clients (
    document INTEGER NOT NULL,
    client INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    PRIMARY KEY (document, client)
) STRICT, WITHOUT ROWID;

CREATE TABLE markers (
    document INTEGER NOT NULL,
    marker TEXT NOT NULL,
    at INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    PRIMARY KEY (document, marker)
) STRICT, WITHOUT ROWID;
"""

_STEPS: tuple[str, ...] = (_VERSION_1,)
"""Step n brings a file from user_version n to n + 1. Steps are only ever added."""

SCHEMA_VERSION = len(_STEPS)
_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"


def connect(path: Path) -> sqlite3.Connection:
    """Open (and create) the log file for durable writing. Raises sqlite3.Error, OSError, LogUnavailable."""
    if sqlite3.sqlite_version_info < _SQLITE_NEEDED:
        raise LogUnavailable(
            f"This Python's SQLite is {sqlite3.sqlite_version}, the log needs 3.38 or newer: "
            "use a newer Python."
        )
    if not path.exists():
        path.touch(0o600)  # it holds personal data; SQLite gives its side files the same mode
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _harden(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute("PRAGMA secure_delete = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open an existing log file without the right to change it. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    try:
        _harden(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _harden(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to SCHEMA_VERSION, one transaction a step.

    Raises LogCorrupt when the file is not a TwinSpace log, or one of a newer version.
    """
    version = _one(connection, "PRAGMA user_version")
    application = _one(connection, "PRAGMA application_id")
    fresh = version == 0 and application == 0 and _one(connection, "SELECT count(*) FROM sqlite_schema") == 0
    if not fresh and application != APPLICATION_ID:
        raise LogCorrupt("The log file is not one of TwinSpace's: check the data folder.")
    if version > SCHEMA_VERSION:
        raise LogCorrupt(
            f"The log file is of version {version}, but this program knows only up to {SCHEMA_VERSION}: "
            "start the newer program that wrote it."
        )
    for step in range(version, SCHEMA_VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE; {_STEPS[step]}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {step + 1}; COMMIT;"
        )
    verify_schema(connection)


def verify_schema(connection: sqlite3.Connection) -> None:
    """Raises LogCorrupt when the tables of a file of SCHEMA_VERSION are not those that it should have."""
    fresh = sqlite3.connect(":memory:")
    try:
        for step in _STEPS:
            fresh.executescript(step)
        expected = fresh.execute(_SCHEMA).fetchall()
    finally:
        fresh.close()
    if connection.execute(_SCHEMA).fetchall() != expected:
        raise LogCorrupt("The tables of the log file are not as this program made them: the file is damaged.")


def _one(connection: sqlite3.Connection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0])


def checksum(document: int, seq: int, epoch: int, at: int, subject: int, body: bytes) -> int:
    """CRC-32 of a stored row, so that a flipped bit anywhere in it is found. A snapshot's subject is 0."""
    return zlib.crc32(body, zlib.crc32(b"%d %d %d %d %d" % (document, seq, epoch, at, subject)))
