"""`twinspace compact`: fold every tail, prune, give free space back. For a stopped server."""

import asyncio
import sqlite3
from functools import partial
from pathlib import Path

from crdt.errors import LogUnavailable
from crdt.log import LogSettings
from crdt.log.check import Progress, no_progress
from crdt.log.compact_all import CompactReport, fold_all
from crdt.log.sqlite.folder import FolderLock
from crdt.log.sqlite.log import SqliteLog
from crdt.log.sqlite.reader import over_threshold
from crdt.log.sqlite.schema import FILE_NAME, connect

__all__ = ["compact_all"]


def compact_all(
    folder: Path, progress: Progress = no_progress, settings: LogSettings | None = None
) -> CompactReport:
    """Compact every document of a data folder, those in quarantine too, then shrink the file.

    Raises LogUnavailable when a server uses the folder or there is no log in it, LogCorrupt.
    """
    path = folder / FILE_NAME
    if not path.exists():
        raise LogUnavailable(f"There is no {FILE_NAME} in {folder}: is this the data folder?", "io-error")
    report = CompactReport(bytes_before=path.stat().st_size)
    asyncio.run(_compact_documents(folder, progress, settings, report))
    progress("shrinking the file", 0, 1)
    _shrink(folder)
    progress("shrinking the file", 1, 1)
    report.bytes_after = path.stat().st_size
    return report


async def _compact_documents(
    folder: Path, progress: Progress, settings: LogSettings | None, report: CompactReport
) -> None:
    log = SqliteLog(folder, settings)
    await log.open()
    try:
        names = await log.read(partial(over_threshold, updates=0, size=0, quarantined=True))
        await fold_all(log, names, progress, report)
    finally:
        await log.close()


def _shrink(folder: Path) -> None:
    with FolderLock(folder):
        connection = connect(folder / FILE_NAME)
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise LogUnavailable(
                f"The documents are compacted, but the file could not be shrunk: {error}. "
                "Shrinking needs as much free space as the file takes.",
                "disk-full",
            ) from error
        finally:
            connection.close()
