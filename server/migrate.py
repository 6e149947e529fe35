"""`twinspace migrate`: a whole installation from SQLite to PostgreSQL, or back.

It may run beside the server that is to be moved, and be stopped and run again: each run copies what is
missing. The last run, when the server is stopped, is short. It takes the records along, reads both sides to
the last byte, and has the old side say that it lives elsewhere, so that nobody serves it by mistake.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import update

from crdt.errors import LogUnavailable
from crdt.log.check import Progress
from crdt.log.postgres.transfer import PostgresShelf
from crdt.log.sqlite.folder import FolderLock
from crdt.log.sqlite.schema import FILE_NAME
from crdt.log.sqlite.transfer import SqliteShelf
from crdt.log.transfer import Moved, move_documents, verify_documents
from rooms.faults import RecordsUnusable
from rooms.rights.access import Changes
from rooms.storage.records import Records
from rooms.storage.schema import settings as settings_table
from rooms.storage.transfer import MOVED, MOVING_FROM, copy_records, count_records, note, noted
from server.config import ConfigError
from server.tokens import SECRET_FILE, read_secret

__all__ = ["Outcome", "migrate"]

SQLITE: Final = "sqlite:///"
POSTGRES: Final = "postgresql://"


@dataclass(frozen=True, slots=True)
class Outcome:
    moved: Moved
    people: int
    """In the records; 0 before the last run."""
    finished: bool
    """False: a server still serves the source. Stop it and run the same once more."""


@dataclass(slots=True)
class _Side:
    """One of the two databases."""

    shelf: SqliteShelf | PostgresShelf
    records_url: str
    alone: bool
    """Whether no server uses it."""
    folder: Path | None = None
    """Where SQLite's files are."""


async def migrate(source: str, target: str, progress: Progress) -> Outcome:
    """Moves what is at one URL to the other: `sqlite:///DATA-FOLDER` and `postgresql://...`, either way.

    Raises ConfigError for URLs that cannot be, LogError and RecordsError when one side cannot be used or the
    copy is not equal; then the source is as it was, and the target is not served.
    """
    if {_engine(source), _engine(target)} != {SQLITE, POSTGRES}:
        raise ConfigError("One of --from and --to is sqlite:///DATA-FOLDER, the other postgresql://...")
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(_open(source, writes=False))
        new = await stack.enter_async_context(_open(target, writes=True))
        if not new.alone:
            raise LogUnavailable("A server uses the target already: stop it first.", "in-use")
        there = await Records.open(new.records_url, Changes())
        stack.push_async_callback(there.close)
        await _claim(old, new, there)
        moved = await move_documents(old.shelf, new.shelf, progress)
        if not old.alone:
            return Outcome(moved, 0, finished=False)
        here = await Records.open(old.records_url, Changes())
        stack.push_async_callback(here.close)
        people = await _finish(old, new, here, there, progress)
        await note(there, MOVING_FROM, None)
        await note(here, MOVED, _without_password(target))
        return Outcome(moved, people, finished=True)


async def _finish(old: _Side, new: _Side, here: Records, there: Records, progress: Progress) -> int:
    copied = await copy_records(here, there, progress)
    await verify_documents(old.shelf, new.shelf, progress)
    if copied != await count_records(there):
        raise RecordsUnusable("The records in the target are not equal to those in the source.")
    await _move_secret(old, new, here, there)
    return copied["people"].rows


async def _move_secret(old: _Side, new: _Side, here: Records, there: Records) -> None:
    """Document tokens stay good: beside SQLite their secret is a file, in PostgreSQL a row."""
    if old.folder is not None:
        if (old.folder / SECRET_FILE).exists():
            secret = read_secret(old.folder, None).decode()
            async with there.writing() as tx:
                row = settings_table.c.key == "token-secret"
                await tx.do(update(settings_table).where(row).values(value=secret))
    elif new.folder is not None:
        file = new.folder / SECRET_FILE
        file.touch(0o600)
        file.write_bytes(here.secret + b"\n")


async def _claim(old: _Side, new: _Side, there: Records) -> None:
    """The target is empty, or holds what an earlier run has brought from the same source."""
    name = await _installation(old)
    began = await noted(there, MOVING_FROM)
    if began == name:
        return
    counted = await count_records(there)
    used = any(counted[table].rows for table in ("people", "countries", "spaces"))
    if began is not None or used or await new.shelf.names():
        raise RecordsUnusable(
            "The target holds another installation. Name an empty database or a new folder."
        )
    await note(there, MOVING_FROM, name)


async def _installation(side: _Side) -> str:
    """Where a move comes from, as its target remembers it."""
    return hashlib.sha256(str(side.folder or side.records_url).encode()).hexdigest()


@asynccontextmanager
async def _open(url: str, *, writes: bool) -> AsyncIterator[_Side]:
    if _engine(url) == POSTGRES:
        async with PostgresShelf.open(url) as shelf:
            yield _Side(shelf, url, shelf.alone)
        return
    folder = _folder(url, make=writes)
    lock = FolderLock(folder)
    try:
        lock.acquire()
        alone = True
    except LogUnavailable as error:
        if error.code != "in-use":
            raise
        alone = False
    try:
        sqlite = SqliteShelf.writing(folder) if writes and alone else SqliteShelf.reading(folder)
        try:
            yield _Side(sqlite, f"{SQLITE}{folder / 'records.sqlite3'}", alone, folder)
        finally:
            sqlite.close()
    finally:
        lock.release()


def _folder(url: str, *, make: bool) -> Path:
    folder = Path(url.removeprefix(SQLITE)).absolute()
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    elif not (folder / FILE_NAME).exists():
        raise ConfigError(f"There is no {FILE_NAME} in {folder}: name the data folder of the server.")
    return folder


def _engine(url: str) -> str:
    return next((engine for engine in (SQLITE, POSTGRES) if url.startswith(engine)), "")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@", 1)).geturl()
