"""Verifying a log on PostgreSQL from end to end, without changing it. Works beside running nodes."""

import asyncio

import asyncpg

from crdt.errors import LogCorrupt
from crdt.log.check import Content, Finding, Progress, Report, Row, no_progress, unloadable
from crdt.log.postgres.connections import Connection, Connections
from crdt.log.postgres.faults import as_log_error
from crdt.log.postgres.reader import read_foldable, read_history
from crdt.log.postgres.schema import verify_version

__all__ = ["check_postgres"]

_PAGE = 500
_PATIENCE_SECONDS = 60.0
_ROW = """
    SELECT d.name, d.head_seq, d.snapshot_seq, d.pruned_seq, d.tail_count, d.quarantine
    FROM log.documents d WHERE d.id = $1 AND d.key IS NOT NULL"""


def check_postgres(url: str, progress: Progress = no_progress) -> Report:
    """Verify the log in a database, in read-only transactions of one document each.

    Blocks. Never raises for what it finds: it reports it.
    """
    report = Report()
    asyncio.run(_check(url, report, progress))
    return report


async def _check(url: str, report: Report, progress: Progress) -> None:
    try:
        connection = await Connections(url, _PATIENCE_SECONDS).open()
    except Exception as error:
        report.findings.append(Finding(None, "unreadable", f"{as_log_error(error)} ({error})"))
        return
    try:
        await _check_store(connection, report, progress)
    except LogCorrupt as error:
        report.findings.append(Finding(None, "version", str(error)))
    except (asyncpg.PostgresError, OSError, ValueError, TypeError) as error:
        report.findings.append(Finding(None, "unreadable", f"The database cannot be read on: {error}"))
    finally:
        connection.terminate()


async def _check_store(connection: Connection, report: Report, progress: Progress) -> None:
    await verify_version(connection)
    documents = await connection.fetch("SELECT id FROM log.documents WHERE key IS NOT NULL ORDER BY id")
    for done, (id,) in enumerate(documents):
        progress("documents", done, len(documents))
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            report.findings += await _check_document(connection, id, report)
    progress("documents", len(documents), len(documents))
    for table in ("updates", "snapshots", "clients", "markers"):
        query = f"SELECT count(*) FROM log.{table} t WHERE t.document NOT IN (SELECT id FROM log.documents)"  # noqa: S608
        count = await connection.fetchval(query)
        if count:
            message = f"{count} rows of {table} belong to no document."
            report.findings.append(Finding(None, "orphans", message))


async def _check_document(connection: Connection, id: int, report: Report) -> list[Finding]:
    columns = await connection.fetchrow(_ROW, id)
    if columns is None:  # deleted while we were reading
        return []
    row = Row(*columns)
    impossible = row.count_in(report)
    if impossible is not None:
        return [impossible]
    try:
        found = await read_foldable(connection, row.name)
    except LogCorrupt as error:
        return [unloadable(row.name, error)]
    if found is None or found.id != id:
        return [Finding(row.name, "rows", "It is not found by its name.")]
    content = Content(found.stored, row.pruned_seq, report)
    try:
        seq = 1
        while page := await read_history(connection, row.name, seq, _PAGE):
            if not all(map(content.take, page)):
                break
            seq = page[-1].seq + 1
        return content.findings()
    except LogCorrupt as error:
        return [Finding(row.name, "entries", str(error))]
    finally:
        content.close()
