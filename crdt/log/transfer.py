"""Moving a log from one engine to another: every entry with its number, its author and its time.

A move may be stopped at any moment and begun again, and may begin while the source is being written: each
run copies what the target lacks. Only a last run, on a source that nobody writes to, can be verified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from crdt.errors import LogCorrupt
from crdt.log import HistoryEntry
from crdt.log.check import Progress

__all__ = ["Mark", "Moved", "Shelf", "Snapshot", "Whole", "move_documents", "verify_documents"]

ENTRIES_AT_ONCE = 500
BYTES_AT_ONCE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Snapshot:
    seq: int
    epoch: int
    at: int
    """Unix milliseconds."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """A seeding that happened."""

    at: int
    """Unix milliseconds."""
    subject: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All that a store holds of a document but its entries."""

    name: str
    epoch: int
    head: int
    pruned: int
    """Entries up to this one are gone; the snapshot covers them."""
    snapshot: Snapshot | None
    quarantine: str | None
    owners: Mapping[int, str]
    markers: Mapping[str, Mark]


class Shelf(Protocol):
    """A store, as a move sees it."""

    async def names(self) -> list[str]:
        """Of every document, in one order."""
        ...

    async def whole(self, name: str) -> Whole | None: ...

    async def entries(self, name: str, after: int, limit: int) -> list[HistoryEntry]:
        """Entries still kept with numbers above `after`, in order. Raises LogCorrupt."""
        ...

    async def put(self, name: str, epoch: int, pruned: int, entries: Sequence[HistoryEntry]) -> None:
        """Make the document if need be, with its entries up to `pruned` gone, and add entries behind the last
        that is there. One transaction."""
        ...

    async def finish(self, whole: Whole) -> None:
        """Set everything but the entries, which are all there; remove entries that are pruned meanwhile. One
        transaction."""
        ...

    async def remove(self, name: str) -> None:
        """Remove the document with all its rows."""
        ...


@dataclass(slots=True)
class Moved:
    """What a run has done."""

    documents: int = 0
    """Looked at."""
    changed: int = 0
    """Copied, in whole or in part."""
    entries: int = 0
    removed: int = 0
    """In the target, and not in the source any more."""


async def move_documents(source: Shelf, target: Shelf, progress: Progress) -> Moved:
    """Bring the target to what the source holds. Raises LogCorrupt, and what the stores raise."""
    moved = Moved()
    names = await source.names()
    for number, name in enumerate(names):
        progress("documents", number, len(names))
        await _move(source, target, name, moved)
    for name in set(await target.names()).difference(names):
        await target.remove(name)
        moved.removed += 1
    progress("documents", len(names), len(names))
    return moved


async def _move(source: Shelf, target: Shelf, name: str, moved: Moved) -> None:
    wanted = await source.whole(name)
    if wanted is None:  # deleted a moment ago
        return
    moved.documents += 1
    there = await target.whole(name)
    if there == wanted and await _continues(source, target, there, wanted):
        return
    if there is not None and not await _continues(source, target, there, wanted):
        await target.remove(name)
        there = None
    after = wanted.pruned if there is None else max(there.head, wanted.pruned)
    if there is None:
        await target.put(name, wanted.epoch, wanted.pruned, [])
    while after < wanted.head:
        page = _fitting(await source.entries(name, after, min(ENTRIES_AT_ONCE, wanted.head - after)))
        if not page or page[0].seq != after + 1:
            return  # pruned or compacted a moment ago: the next run finds it as it is then
        await target.put(name, wanted.epoch, wanted.pruned, page)
        after = page[-1].seq
        moved.entries += len(page)
    await target.finish(wanted)
    moved.changed += 1


async def _continues(source: Shelf, target: Shelf, there: Whole, wanted: Whole) -> bool:
    """Whether what the target has is a beginning of what the source has, and not of another document that
    had the name before."""
    if there.epoch != wanted.epoch or not there.pruned <= wanted.pruned <= there.head <= wanted.head:
        return False
    if there.head == wanted.pruned:
        return there.head == 0 or there.snapshot == wanted.snapshot
    ours = await target.entries(there.name, there.head - 1, 1)
    theirs = await source.entries(there.name, there.head - 1, 1)
    return ours == theirs


def _fitting(page: Sequence[HistoryEntry]) -> Sequence[HistoryEntry]:
    size = 0
    for count, entry in enumerate(page):
        size += len(entry.update)
        if size > BYTES_AT_ONCE and count:
            return page[:count]
    return page


async def verify_documents(source: Shelf, target: Shelf, progress: Progress) -> None:
    """Read both to the last byte. Raises LogCorrupt, which names the first document that differs."""
    names = await source.names()
    if sorted(names) != sorted(await target.names()):
        raise LogCorrupt("The target does not hold the same documents as the source.")
    for number, name in enumerate(names):
        progress("verifying", number, len(names))
        if await _digest(source, name) != await _digest(target, name):
            raise LogCorrupt(f"{name!r} is not in the target as it is in the source.")
    progress("verifying", len(names), len(names))


async def _digest(shelf: Shelf, name: str) -> bytes:
    whole = await shelf.whole(name)
    if whole is None:
        raise LogCorrupt(f"{name!r} has gone while it was being verified.")
    digest = hashlib.sha256()

    def add(*values: object) -> None:
        for value in values:
            said = value if isinstance(value, bytes) else repr(value).encode()
            digest.update(b"%d " % len(said))
            digest.update(said)

    add(whole.epoch, whole.head, whole.pruned, whole.quarantine)
    if whole.snapshot is not None:
        add(whole.snapshot.seq, whole.snapshot.epoch, whole.snapshot.at, whole.snapshot.body)
    for client, subject in sorted(whole.owners.items()):
        add(client, subject)
    for marker, mark in sorted(whole.markers.items()):
        add(marker, mark.at, mark.subject)
    after = whole.pruned
    while page := _fitting(await shelf.entries(name, after, ENTRIES_AT_ONCE)):
        for entry in page:
            add(entry.seq, entry.epoch, round(entry.at * 1000), entry.subject, entry.update)
        after = page[-1].seq
    if after != whole.head:
        raise LogCorrupt(f"{name!r} lacks entries after {after}.")
    return digest.digest()
