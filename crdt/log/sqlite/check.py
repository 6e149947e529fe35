"""Verifying a stored log from end to end, without changing it. Works beside a running server."""

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from crdt.errors import LogCorrupt
from crdt.log import HistoryEntry
from crdt.log.check import Content, Finding, Progress, Report, Row, no_progress, unloadable
from crdt.log.sqlite.reader import in_one_view, read_foldable, read_history
from crdt.log.sqlite.schema import APPLICATION_ID, FILE_NAME, SCHEMA_VERSION, open_for_reading, verify_schema

__all__ = ["check"]

_PAGE = 500


def check(folder: Path, progress: Progress = no_progress) -> Report:
    """Verify `log.sqlite3` in a data folder, and the structure of `records.sqlite3` if it is there.

    Never raises for what it finds: it reports it.
    """
    report = Report()
    records = folder / "records.sqlite3"
    if records.exists():
        _check_structure(records, report, progress)
    path = folder / FILE_NAME
    if not path.exists():
        report.findings.append(Finding(None, "missing", f"There is no {FILE_NAME} in {folder}."))
        return report
    if not _check_structure(path, report, progress):
        return report
    try:
        connection = open_for_reading(path)
    except (sqlite3.Error, ValueError) as error:
        report.findings.append(Finding(None, "unreadable", f"{path} cannot be opened: {error}."))
        return report
    try:
        _check_store(connection, report, progress)
    except (sqlite3.Error, ValueError, TypeError, LogCorrupt) as error:
        report.findings.append(Finding(None, "unreadable", f"{path} cannot be read on: {error}"))
    finally:
        connection.close()
    return report


def _check_structure(path: Path, report: Report, progress: Progress) -> bool:
    progress(f"structure of {path.name}", 0, 1)
    try:
        connection = open_for_reading(path)
        try:
            connection.text_factory = partial(str, encoding="utf-8", errors="replace")
            found = [line for (line,) in connection.execute("PRAGMA integrity_check(20)").fetchall()]
        finally:
            connection.close()
    except (sqlite3.Error, ValueError) as error:  # SQLite's own words may quote damaged text
        found = [str(error)]
    progress(f"structure of {path.name}", 1, 1)
    if found == ["ok"]:
        return True
    for line in found:
        report.findings.append(Finding(None, "structure", f"{path.name}: {line}"))
    return False


def _check_store(connection: sqlite3.Connection, report: Report, progress: Progress) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID or version != SCHEMA_VERSION:
        message = f"The log file is of version {version}, this program reads {SCHEMA_VERSION}."
        report.findings.append(Finding(None, "version", message))
        return
    verify_schema(connection)
    query = "SELECT name FROM documents WHERE name IS NOT NULL ORDER BY id"
    names = [name for (name,) in connection.execute(query).fetchall()]
    for done, name in enumerate(names):
        progress("documents", done, len(names))
        report.findings += in_one_view(connection, partial(_check_document, name=name, report=report))
    progress("documents", len(names), len(names))
    for table in ("updates", "snapshots", "clients", "markers"):
        orphans = f"SELECT count(*) FROM {table} WHERE document NOT IN (SELECT id FROM documents)"  # noqa: S608
        (count,) = connection.execute(orphans).fetchone()
        if count:
            message = f"{count} rows of {table} belong to no document."
            report.findings.append(Finding(None, "orphans", message))


def _check_document(connection: sqlite3.Connection, name: str, report: Report) -> list[Finding]:
    columns = connection.execute(
        "SELECT head_seq, snapshot_seq, pruned_seq, tail_count, quarantine FROM documents WHERE name = ?",
        (name,),
    ).fetchone()
    if columns is None:  # deleted while we were reading
        return []
    row = Row(name, *columns)
    impossible = row.count_in(report)
    if impossible is not None:
        return [impossible]
    try:
        found = read_foldable(connection, name)
    except LogCorrupt as error:
        return [unloadable(name, error)]
    assert found is not None
    content = Content(found.stored, row.pruned_seq, report)
    try:
        for entry in _entries(connection, name):
            if not content.take(entry):
                break
        return content.findings()
    except LogCorrupt as error:
        return [Finding(name, "entries", str(error))]
    finally:
        content.close()


def _entries(connection: sqlite3.Connection, name: str) -> Iterator[HistoryEntry]:
    seq = 1
    while page := read_history(connection, name, seq, _PAGE):
        yield from page
        seq = page[-1].seq + 1
