"""Recorded editing sessions, in the format of github.com/josephg/editing-traces.

A transaction holds the patches one writer made at one moment to the document made of exactly its parents (and
all before them). A sequential trace has one writer, and each transaction follows the one before it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["Patch", "Trace", "TraceError", "Transaction", "load_trace", "parse_trace"]


class TraceError(Exception):
    """The trace cannot be replayed. The message says what is wrong with it, and where."""


@dataclass(frozen=True, slots=True)
class Patch:
    position: int
    """In code points of the text as the patches before this one have left it."""
    deleted: int
    inserted: str


@dataclass(frozen=True, slots=True)
class Transaction:
    writer: int
    """0 ... writers - 1"""
    knows: tuple[int, ...]
    """For each writer, how many of that writer's transactions this one comes after. With whole histories
    this says the same as the recorded parents, and needs no walk through the graph."""
    patches: tuple[Patch, ...]
    at: float | None
    """Seconds since the first transaction, if recorded."""


@dataclass(frozen=True, slots=True)
class Trace:
    name: str
    transactions: tuple[Transaction, ...]
    end_content: str
    writers: int

    @property
    def ascii(self) -> bool:
        """Whether every code point typed is one byte long."""
        return all(patch.inserted.isascii() for item in self.transactions for patch in item.patches)

    @property
    def timed(self) -> bool:
        """Whether the recording says when things were typed."""
        return bool(self.transactions) and bool(self.transactions[-1].at)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many transactions each writer makes."""
        counts = Counter(transaction.writer for transaction in self.transactions)
        return tuple(counts[writer] for writer in range(self.writers))


def load_trace(path: Path) -> Trace:
    """The trace in a JSON file, gzipped or not. Raises TraceError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TraceError(f"The trace {path} cannot be read: {error.strerror}.") from None
    try:
        text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        document = json.loads(text)
    except (OSError, EOFError, zlib.error, ValueError):
        raise TraceError(f"{path} is neither JSON nor gzipped JSON: is it a trace?") from None
    return parse_trace(document, path.name.split(".")[0])


def parse_trace(document: Any, name: str) -> Trace:
    """The trace in a JSON document. Raises TraceError."""
    try:
        recorded = document["txns"]
        end_content = document["endContent"]
        start_content = document.get("startContent") or ""
        concurrent = document.get("kind") == "concurrent"
        writers = document["numAgents"] if concurrent else 1
        if not (isinstance(end_content, str) and isinstance(start_content, str) and recorded):
            raise TypeError
        if start_content and not concurrent:  # typed first, like everything else
            recorded = [{"patches": [[0, 0, start_content]]}, *recorded]
    except (TypeError, KeyError, AttributeError, IndexError):
        raise TraceError(f"{name} is not a trace: it needs txns and endContent.") from None

    transactions: list[Transaction] = []
    made = [0] * writers
    histories: list[tuple[int, ...]] = []
    first: float | None = None
    for index, item in enumerate(recorded):
        try:
            writer = item["agent"] if concurrent else 0
            if not 0 <= writer < writers:
                raise TraceError(f"Transaction {index} of {name} is by writer {writer} of {writers}.")
            parents = item["parents"] if concurrent else [index - 1] if index else []
            knows = _history(parents, histories, writers)
            if knows[writer] != made[writer]:
                raise TraceError(
                    f"Transaction {index} of {name} does not come after all that its writer made before: "
                    "one writer cannot type at two places at once."
                )
            patches = tuple(Patch(*patch[:3]) for patch in item["patches"])
            if any(patch.position < 0 or patch.deleted < 0 for patch in patches):
                raise TypeError
            moment = datetime.fromisoformat(item["time"]).timestamp() if item.get("time") else None
        except (TypeError, KeyError, IndexError, ValueError):
            raise TraceError(f"Transaction {index} of {name} has not the form of one.") from None
        if first is None:
            first = moment
        at = None if moment is None or first is None else max(0.0, moment - first)
        transactions.append(Transaction(writer, knows, patches, at))
        made[writer] += 1
        histories.append((*knows[:writer], made[writer], *knows[writer + 1 :]))
    return Trace(name, tuple(transactions), end_content, writers)


def _history(parents: Sequence[int], histories: Sequence[tuple[int, ...]], writers: int) -> tuple[int, ...]:
    """How much of each writer is known after the parents, all of which come earlier in the recording."""
    if len(parents) == 1 and parents[0] >= 0:
        return histories[parents[0]]
    known = (0,) * writers
    for parent in parents:
        if parent < 0:
            raise IndexError
        known = tuple(map(max, known, histories[parent]))
    return known
