"""`twinspace compact` on PostgreSQL: fold every tail, prune, free space. Beside running nodes too."""

import asyncio

from crdt.log import LogSettings
from crdt.log.check import Progress, no_progress
from crdt.log.compact_all import CompactReport, fold_all
from crdt.log.postgres.connections import Connections
from crdt.log.postgres.faults import as_log_error
from crdt.log.postgres.log import PostgresLog

__all__ = ["compact_postgres"]

_PATIENCE_SECONDS = 60.0
_SIZE = """
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
    WHERE c.relnamespace = 'log'::regnamespace AND c.relkind = 'r'"""
_TABLES = ("updates", "snapshots", "documents", "clients", "markers")


def compact_postgres(
    url: str, progress: Progress = no_progress, settings: LogSettings | None = None
) -> CompactReport:
    """Compact every document of a database, those in quarantine too, then let the tables use the space again.

    A document that a node is compacting is left to it. Blocks. Raises LogUnavailable, LogCorrupt.
    """
    report = CompactReport()
    asyncio.run(_compact(url, progress, settings, report))
    return report


async def _compact(url: str, progress: Progress, settings: LogSettings | None, report: CompactReport) -> None:
    log = PostgresLog(url, settings)
    await log.open()
    try:
        report.bytes_before = await _size(url)
        await fold_all(log, await log.long_tails(), progress, report)
    finally:
        await log.close()
    await _vacuum(url, progress)
    report.bytes_after = await _size(url)


async def _vacuum(url: str, progress: Progress) -> None:
    try:
        connection = await Connections(url, _PATIENCE_SECONDS).open()
        try:
            for done, table in enumerate(_TABLES):
                progress("tables", done, len(_TABLES))
                await connection.execute(f"VACUUM (ANALYZE) log.{table}")
        finally:
            connection.terminate()
    except Exception as error:
        raise as_log_error(error) from error
    progress("tables", len(_TABLES), len(_TABLES))


async def _size(url: str) -> int:
    try:
        connection = await Connections(url, _PATIENCE_SECONDS).open()
        try:
            return int(await connection.fetchval(_SIZE))
        finally:
            connection.terminate()
    except Exception as error:
        raise as_log_error(error) from error
