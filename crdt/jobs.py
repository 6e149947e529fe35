"""Work that grows with a document, as functions for a pool of processes: the engine never releases the GIL.

Arguments and results are bytes and plain values, so that they cross the process border.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from typing import TypeVar

from crdt.clocks import ClockSet
from crdt.document import Document, merge
from crdt.errors import LogCorrupt
from crdt.limits import STORED
from crdt.update import UpdateSummary, read_update

__all__ = ["bounded", "compact", "diff", "merge_updates", "summarize"]

Result = TypeVar("Result")


def summarize(update: bytes) -> UpdateSummary:
    """`crdt.update.read_update` with the default limits, for updates so large that reading them takes time.

    Raises Malformed and LimitExceeded.
    """
    return read_update(update)


def merge_updates(updates: Sequence[bytes]) -> bytes:
    """`crdt.document.merge`: one update with everything that `updates` hold. Raises EngineRefused."""
    return merge(updates)


def diff(updates: Sequence[bytes], state_vector: bytes | None) -> list[bytes]:
    """What the document made of `updates` has and `state_vector` lacks, as `Document.diff` answers.

    Raises EngineRefused, Malformed and LimitExceeded.
    """
    document = _document_of(updates)
    try:
        return document.diff(state_vector)
    finally:
        document.close()


def compact(snapshot: bytes | None, tail: Sequence[bytes]) -> bytes:
    """One update that stands for `snapshot` and `tail`: squashed, collected, waiting updates included.

    Raises LogCorrupt when the result would not cover every struct and deletion of what it replaces (but for
    what waited and can never be applied), and EngineRefused, Malformed or LimitExceeded when that is
    unreadable.
    """
    updates = [*([] if snapshot is None else [snapshot]), *tail]
    document = _document_of(updates)
    try:
        state = merge(document.diff(None))
        _check_coverage([state, *document.given_up], updates)
    finally:
        document.close()
    return state


def _document_of(updates: Sequence[bytes]) -> Document:
    document = Document(STORED)
    for update in updates:
        document.load(update)
    return document


def _check_coverage(kept: Sequence[bytes], replaced: Sequence[bytes]) -> None:
    written, deleted = ClockSet(), ClockSet()
    for update in kept:
        summary = read_update(update, STORED)
        for item in summary.writes:
            written.add(item)
        for item in summary.deletes:
            deleted.add(item)
    for update in replaced:
        lost = read_update(update, STORED)
        for item in lost.writes:
            if item not in written:
                raise LogCorrupt(f"The compacted state lacks the structs {item}.")
        for item in lost.deletes:
            if item not in deleted:
                raise LogCorrupt(f"The compacted state lacks the deletions {item}.")


def bounded(seconds: int, work: Callable[..., Result], *arguments: object, **options: object) -> Result:
    """Does the work in a process of a pool, and ends that process, which the pool reports, when it takes
    longer than so many seconds."""
    if multiprocessing.parent_process() is None:
        return work(*arguments, **options)
    signal.alarm(seconds)
    try:
        return work(*arguments, **options)
    finally:
        signal.alarm(0)
