"""How the schema `log` is made and upgraded, and how what is stored in it proves itself."""

import hashlib
import zlib
from functools import lru_cache

import asyncpg

from crdt.errors import LogCorrupt
from crdt.log.postgres.connections import Connection, hurry
from crdt.log.postgres.steps import STEPS

__all__ = [
    "MOVING",
    "SCHEMA_VERSION",
    "key_of",
    "migrate",
    "snapshot_checksum",
    "update_checksum",
    "verify_version",
]

SCHEMA_VERSION = len(STEPS)

MOVING = 0x5457494E4D4F56  # "TWINMOV"
"""An advisory lock: each node that serves the log shares it, whoever moves the log has it alone."""

_APPLICATION = "twinspace log"
_ADVISORY_LOCK = 0x5457494E4C4F47  # "TWINLOG"
_MIGRATION_SECONDS = 300.0
_STORE = """
CREATE TABLE log.store (
    id integer PRIMARY KEY CHECK (id = 1),
    application text NOT NULL,
    version integer NOT NULL
);
"""


async def migrate(connection: Connection) -> None:
    """Bring the schema to SCHEMA_VERSION, one transaction a step; of several nodes one does it.

    Raises LogCorrupt when the schema is not TwinSpace's, or of a newer version; asyncpg's errors.
    """
    with hurry(connection, _MIGRATION_SECONDS):
        while (version := await _version(connection)) < SCHEMA_VERSION:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = {int(_MIGRATION_SECONDS * 1000)}")
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _ADVISORY_LOCK)
                if await _version(connection) == version:  # nobody was faster
                    await _take_step(connection, version)


async def verify_version(connection: Connection) -> None:
    """Raises LogCorrupt when there is no log of SCHEMA_VERSION in the database."""
    version = await _version(connection)
    if version != SCHEMA_VERSION:
        found = f"is of version {version}" if version else "is not there"
        raise LogCorrupt(f"The database's log {found}; this program reads version {SCHEMA_VERSION}.")


async def _take_step(connection: Connection, version: int) -> None:
    if version == 0:
        await connection.execute("CREATE SCHEMA IF NOT EXISTS log")
        await connection.execute(_STORE)
        await connection.execute("INSERT INTO log.store VALUES (1, $1, 0)", _APPLICATION)
    for statements in STEPS[version]:
        await connection.execute(statements)
    await connection.execute("UPDATE log.store SET version = $1", version + 1)


async def _version(connection: Connection) -> int:
    found = (
        "SELECT to_regclass('log.store') IS NOT NULL, EXISTS (SELECT FROM pg_tables WHERE schemaname = 'log')"
    )
    ((is_ours, is_used),) = await connection.fetch(found)
    if not is_ours:
        if is_used:
            raise LogCorrupt(
                "The database has a schema named log that is not TwinSpace's: use a database of its own."
            )
        return 0
    try:
        row = await connection.fetchrow("SELECT application, version FROM log.store")
    except asyncpg.UndefinedColumnError:
        row = None
    if row is None or row[0] != _APPLICATION:
        raise LogCorrupt("The database's schema log is not TwinSpace's: use a database of its own.")
    version = int(row[1])
    if version > SCHEMA_VERSION:
        raise LogCorrupt(
            f"The database's log is of version {version}, but this program knows only up to "
            f"{SCHEMA_VERSION}: start the newer program that wrote it."
        )
    return version


@lru_cache(65536)
def key_of(words: str) -> bytes:
    """By what a name, a subject or a lease is found: names may be longer than PostgreSQL can index."""
    return hashlib.sha256(words.encode()).digest()


def update_checksum(document: str, epoch: int, at: int, subject: str, body: bytes) -> int:
    """CRC-32 of a stored entry as PostgreSQL's integer, from before it has a sequence."""
    return _signed(zlib.crc32(body, zlib.crc32(f"{document}\0{epoch}\0{at}\0{subject}".encode())))


def snapshot_checksum(document: str, seq: int, epoch: int, at: int, body: bytes) -> int:
    return _signed(zlib.crc32(body, zlib.crc32(f"{document}\0{seq}\0{epoch}\0{at}".encode())))


def _signed(crc: int) -> int:
    return crc - (crc >> 31 << 32)
