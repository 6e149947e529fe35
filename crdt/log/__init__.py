"""The durable log: every update of every document, committed before anybody hears of it.

The log is the truth (design.md 3 and 5). A backend implements `Log`; `crdt.log.sqlite.SqliteLog` is the
embedded one. What every backend keeps:

* An append resolves only after its bytes are durable. One that failed is not in the log.
* Sequence numbers are contiguous per document, from 1, in the order of commit.
* Updates are stored raw, as they were received, with who wrote them and when.
* A client id belongs to the subject that wrote under it first.
* A load gives the whole committed state or an error, never a part.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "FIRST_EPOCH",
    "Entry",
    "Head",
    "HistoryEntry",
    "Log",
    "LogFigures",
    "LogHealth",
    "LogSettings",
    "Stored",
]

FIRST_EPOCH = 1
"""The epoch of a document that was never rebuilt."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One update on its way into the log."""

    document: str
    epoch: int
    """The epoch its writer knows; an entry of another epoch than the document's is refused."""
    update: bytes
    """The raw V1 update as received; the caller has passed it through `crdt.update.read_update`."""
    subject: str
    """Who wrote it: `membership:<id>`, `token:<sub>`, `server:<what>`."""
    clients: tuple[int, ...]
    """Client ids the subject writes under for the first time with this entry."""
    at: float
    """When, in Unix seconds; stored to the millisecond."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The committed state of one document: `snapshot`, then `tail` in order."""

    document: str
    epoch: int
    snapshot: bytes | None
    snapshot_seq: int
    """The snapshot covers the entries 1 to snapshot_seq; 0 when there is none."""
    tail: tuple[bytes, ...]
    """The raw updates snapshot_seq + 1 to head_seq."""
    head_seq: int
    """0 for a document nobody has written yet."""
    owners: Mapping[int, str]
    """Client id -> the subject it belongs to."""
    markers: frozenset[str]
    """What has been seeded."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far a document is."""

    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Who wrote what, and when. Kept for `history_days` after a snapshot replaced it."""

    seq: int
    epoch: int
    update: bytes
    subject: str
    at: float


@dataclass(frozen=True, slots=True)
class LogHealth:
    """Whether the log can be written now."""

    ok: bool
    code: str
    """`ok`, or `disk-full`, `io-error`, `read-only`, `busy`, `corrupt`, `moved`, `stalled`, `overloaded`,
    `in-use`, `unreachable`, `denied`, `unsafe`, `moving`, `closed`, `internal`: the codes of
    LogUnavailable."""
    reason: str
    """A sentence for people; empty while ok."""
    since: float
    """Unix seconds of the last change."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What an operator may change."""

    history_days: float = 30
    """How long entries are kept after a snapshot replaced them: they say who wrote what."""
    tail_updates: int = 500
    tail_bytes: int = 1024 * 1024
    """A longer tail than either is folded into a snapshot in the background."""
    waiting_bytes: int = 64 * 1024 * 1024
    """What may wait for its commit before appends are refused as `overloaded`."""
    stalled_seconds: float = 10
    """How long a commit may take before the log calls itself `stalled`."""


@dataclass(slots=True)
class LogFigures:
    """Counters and gauges for the metrics, read on the loop's thread."""

    commits: int = 0
    entries: int = 0
    bytes: int = 0
    commit_seconds: float = 0.0
    """Time spent in commits, in total."""
    failures: int = 0
    waiting: int = 0
    """Entries queued and not yet answered."""
    waiting_bytes: int = 0
    compactions: int = 0
    quarantined: int = 0
    """Documents whose compaction failed since the start."""


class Log(Protocol):
    """A durable update log. All methods are called on the event loop's thread; none of them blocks it."""

    @property
    def name(self) -> str:
        """This node's name among those that share the log: drawn anew each time."""
        ...

    @property
    def health(self) -> LogHealth: ...

    @property
    def figures(self) -> LogFigures: ...

    def on_health(self, callback: Callable[[LogHealth], None]) -> Callable[[], None]:
        """Call back on the loop at each change of health; returns the function that unsubscribes."""
        ...

    async def open(self) -> None:
        """Take the store. Raises LogUnavailable when it is held by another process or cannot be written,
        LogCorrupt when it is not a store of ours."""
        ...

    async def close(self) -> None:
        """Commit what is queued and give the store back."""
        ...

    def append(self, entry: Entry) -> asyncio.Future[int]:
        """Queue one entry. The order of calls is the order of sequence numbers within a document.

        The future resolves to the entry's sequence once it is durable; the futures of one commit resolve in
        order in one turn of the loop. It fails with LogUnavailable (nothing was stored, and nothing queued
        behind it either), StaleEpoch or ClientTaken (this one entry was refused).
        """
        ...

    async def load(self, document: str) -> Stored:
        """The committed state; an unknown document is an empty one.
        Raises LogUnavailable or LogCorrupt, never returns a part."""
        ...

    async def exists(self, document: str) -> bool:
        """Whether anything was ever committed for the document. Raises LogUnavailable."""
        ...

    async def heads(self, documents: Collection[str]) -> Mapping[str, Head]:
        """The committed heads of those of the documents that exist. Raises LogUnavailable."""
        ...

    async def turns(self) -> Mapping[str, int]:
        """How often each node that shares the log has written to it lately, by the node's name; empty for a
        log that only this process writes. Raises LogUnavailable."""
        ...

    async def seed(self, document: str, update: bytes, marker: str, subject: str) -> bool:
        """Write first content once: the marker and the update in one commit. False when the marker is there
        already. Raises Malformed for a bad update, else as append."""
        ...

    async def delete(self, document: str) -> None:
        """Remove the document with its history, at once for every reader. Whoever calls this has closed the
        document's live room: a later append would begin a new document. Raises LogUnavailable."""
        ...

    async def compact(self, document: str) -> bool:
        """Fold the tail into a new snapshot now. False when there was nothing to fold. Entries that arrive
        meanwhile stay in the tail. Raises LogUnavailable, LogCorrupt, CompactionFailed."""
        ...

    def history(self, document: str, from_seq: int = 1) -> AsyncGenerator[HistoryEntry, None]:
        """The entries still kept, in order of sequence, read in small steps."""
        ...
