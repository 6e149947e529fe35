"""Verifying a stored log from end to end, without changing it. Works beside a running server."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from crdt.clocks import ClockSet
from crdt.document import Document, Outcome
from crdt.errors import CrdtError, LogCorrupt
from crdt.limits import STORED
from crdt.log import HistoryEntry
from crdt.log.sqlite.reader import in_one_view, read_foldable, read_history
from crdt.log.sqlite.schema import APPLICATION_ID, FILE_NAME, SCHEMA_VERSION, open_for_reading, verify_schema
from crdt.log.store import Foldable
from crdt.update import UpdateSummary, read_update

__all__ = ["Finding", "Progress", "Report", "check", "no_progress"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many units are done, and how many there are."""

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that cannot be right."""

    document: str | None
    """None: the store as a whole."""
    code: str
    """`missing`, `unreadable`, `structure`, `version`, `rows`, `entries`, `update`, `snapshot`, `coverage`,
    `owners`, `engine`, `orphans`."""
    message: str


@dataclass(slots=True)
class Report:
    """What a check saw."""

    documents: int = 0
    entries: int = 0
    snapshots: int = 0
    waiting: int = 0
    """Updates that wait for a predecessor. Not a fault."""
    quarantined: list[str] = field(default_factory=list)
    """Documents that background compaction leaves alone. They work; `twinspace compact` tries again."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings


def no_progress(_what: str, _done: int, _total: int) -> None:
    """For callers that do not watch."""


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
    row = connection.execute(
        "SELECT head_seq, snapshot_seq, pruned_seq, tail_count, quarantine FROM documents WHERE name = ?",
        (name,),
    ).fetchone()
    if row is None:  # deleted while we were reading
        return []
    head, snapshot, pruned, tail_count, quarantine = row
    report.documents += 1
    report.snapshots += snapshot > 0
    if quarantine is not None:
        report.quarantined.append(name)
    if not 0 <= pruned <= snapshot <= head or tail_count != head - snapshot:
        message = f"Its row cannot be: head {head}, snapshot {snapshot}, pruned {pruned}, tail {tail_count}."
        return [Finding(name, "rows", message)]
    try:
        found = read_foldable(connection, name)
    except LogCorrupt as error:
        return [Finding(name, "snapshot" if "snapshot" in str(error) else "entries", str(error))]
    assert found is not None
    return _check_content(connection, found, pruned, report)


def _check_content(
    connection: sqlite3.Connection, found: Foldable, pruned: int, report: Report
) -> list[Finding]:
    stored = found.stored
    name = stored.document
    document = Document(STORED)
    try:
        covered = _Covered(stored.snapshot)
        if stored.snapshot is not None:
            document.load(stored.snapshot)
        uncovered: list[HistoryEntry] = []
        entries = 0
        for entry in _entries(connection, name):
            entries += 1
            summary = _read(entry)
            if isinstance(summary, Finding):
                return [Finding(name, summary.code, summary.message)]
            unowned = [span.client for span in summary.writes if span.client not in stored.owners]
            if unowned:
                message = f"Entry {entry.seq} writes as client {unowned[0]}, which belongs to nobody."
                return [Finding(name, "owners", message)]
            if entry.epoch != stored.epoch:
                message = f"Entry {entry.seq} is of epoch {entry.epoch}, its document of {stored.epoch}."
                return [Finding(name, "rows", message)]
            if entry.seq > stored.snapshot_seq:
                document.load(entry.update)
            elif not covered.holds(summary):
                uncovered.append(entry)
        report.entries += entries
        if entries != stored.head_seq - pruned:
            message = f"It has {entries} entries where {stored.head_seq - pruned} should be."
            return [Finding(name, "entries", message)]
        report.waiting += document.pending
        lost = _lost(stored.snapshot, uncovered)
        if lost is not None:
            message = f"The snapshot of entry {stored.snapshot_seq} lacks what entry {lost} wrote."
            return [Finding(name, "coverage", message)]
    except LogCorrupt as error:
        return [Finding(name, "entries", str(error))]
    except CrdtError as error:
        return [Finding(name, "engine", f"Its state cannot be loaded: {error}")]
    finally:
        document.close()
    return []


def _entries(connection: sqlite3.Connection, name: str) -> Iterator[HistoryEntry]:
    seq = 1
    while page := read_history(connection, name, seq, _PAGE):
        yield from page
        seq = page[-1].seq + 1


def _read(entry: HistoryEntry) -> UpdateSummary | Finding:
    try:
        return read_update(entry.update, STORED)
    except CrdtError as error:
        return Finding(None, "update", f"Entry {entry.seq} is not a readable update: {error}")


class _Covered:
    """The structs and deletions that a snapshot holds."""

    def __init__(self, snapshot: bytes | None) -> None:
        summary = None if snapshot is None else read_update(snapshot, STORED)
        self._written = ClockSet(summary.writes if summary else ())
        self._deleted = ClockSet(summary.deletes if summary else ())

    def holds(self, summary: UpdateSummary) -> bool:
        return all(span in self._written for span in summary.writes) and all(
            span in self._deleted for span in summary.deletes
        )


def _lost(snapshot: bytes | None, uncovered: list[HistoryEntry]) -> int | None:
    """The first entry whose content should be in the snapshot and is not.

    Compaction leaves out what had waited and can never be applied, so that is not lost.
    """
    for entry in uncovered:
        assert snapshot is not None
        document = Document(STORED)
        try:
            document.load(snapshot)
            try:
                outcome = document.load(entry.update)
            except CrdtError:
                continue
            if outcome is not Outcome.NOTHING_NEW and not document.given_up:
                return entry.seq
        finally:
            document.close()
    return None
