"""Verifying what a log holds, whatever the engine: rows that agree, readable updates, snapshots that cover.

content = Content(found, row, report)     what the store says of one document
content.take(entry) for each entry kept   in order of sequence
content.findings()
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from crdt.clocks import ClockSet
from crdt.document import Document, Outcome
from crdt.errors import CrdtError, LogCorrupt
from crdt.limits import STORED
from crdt.log import HistoryEntry, Stored
from crdt.update import UpdateSummary, read_update

__all__ = ["Content", "Finding", "Progress", "Report", "Row", "no_progress", "unloadable"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many units are done, and how many there are."""


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


@dataclass(frozen=True, slots=True)
class Row:
    """What the store's row of a document claims."""

    name: str
    head_seq: int
    snapshot_seq: int
    pruned_seq: int
    tail_count: int
    quarantine: str | None

    def count_in(self, report: Report) -> Finding | None:
        """Add the document to the report; what cannot be in its row."""
        report.documents += 1
        report.snapshots += self.snapshot_seq > 0
        if self.quarantine is not None:
            report.quarantined.append(self.name)
        if 0 <= self.pruned_seq <= self.snapshot_seq <= self.head_seq and (
            self.tail_count == self.head_seq - self.snapshot_seq
        ):
            return None
        message = (
            f"Its row cannot be: head {self.head_seq}, snapshot {self.snapshot_seq}, "
            f"pruned {self.pruned_seq}, tail {self.tail_count}."
        )
        return Finding(self.name, "rows", message)


def unloadable(name: str, error: LogCorrupt) -> Finding:
    """What a document is that the log itself would not load."""
    return Finding(name, "snapshot" if "snapshot" in str(error) else "entries", str(error))


class Content:
    """One document: its snapshot and every entry still kept. Close it."""

    def __init__(self, stored: Stored, pruned_seq: int, report: Report) -> None:
        self._stored = stored
        self._pruned = pruned_seq
        self._report = report
        self._document = Document(STORED)
        self._entries = 0
        self._uncovered: list[HistoryEntry] = []
        self._finding: Finding | None = None
        try:
            self._covered = _Covered(stored.snapshot)
            if stored.snapshot is not None:
                self._document.load(stored.snapshot)
        except CrdtError as error:
            self._find("engine", f"Its state cannot be loaded: {error}")

    def take(self, entry: HistoryEntry) -> bool:
        """The next entry. False when enough is known of the document."""
        if self._finding is None:
            self._entries += 1
            try:
                self._look_at(entry)
            except CrdtError as error:
                self._find("engine", f"Its state cannot be loaded: {error}")
        return self._finding is None

    def findings(self) -> list[Finding]:
        """After the last entry."""
        if self._finding is None:
            self._look_at_the_whole()
        return [] if self._finding is None else [self._finding]

    def close(self) -> None:
        self._document.close()

    def _find(self, code: str, message: str) -> None:
        self._finding = Finding(self._stored.document, code, message)

    def _look_at(self, entry: HistoryEntry) -> None:
        stored = self._stored
        try:
            summary = read_update(entry.update, STORED)
        except CrdtError as error:
            return self._find("update", f"Entry {entry.seq} is not a readable update: {error}")
        unowned = [span.client for span in summary.writes if span.client not in stored.owners]
        if unowned:
            message = f"Entry {entry.seq} writes as client {unowned[0]}, which belongs to nobody."
            return self._find("owners", message)
        if entry.epoch != stored.epoch:
            message = f"Entry {entry.seq} is of epoch {entry.epoch}, its document of {stored.epoch}."
            return self._find("rows", message)
        if entry.seq > stored.snapshot_seq:
            self._document.load(entry.update)
        elif not self._covered.holds(summary):
            self._uncovered.append(entry)
        return None

    def _look_at_the_whole(self) -> None:
        stored = self._stored
        self._report.entries += self._entries
        if self._entries != stored.head_seq - self._pruned:
            message = f"It has {self._entries} entries where {stored.head_seq - self._pruned} should be."
            return self._find("entries", message)
        self._report.waiting += self._document.pending
        lost = _lost(stored.snapshot, self._uncovered)
        if lost is not None:
            message = f"The snapshot of entry {stored.snapshot_seq} lacks what entry {lost} wrote."
            self._find("coverage", message)
        return None


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
