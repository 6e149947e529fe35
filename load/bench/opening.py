"""The generator's part of everything where documents are opened: by one, or by a class at once."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pycrdt import Array, Doc, Text, TransactionEvent

from load.report import percentile
from load.trace import TraceError, load_trace

from .edits import Tally, Writing
from .lines import Hub, Line, LineError, Span
from .meters import memory
from .plan import Bench, Result
from .pulse import Pulse
from .writing import PATIENCE

__all__ = ["Paper", "Recording", "Written", "type_history", "work", "write_document"]

PARAGRAPHS, RECORDED = "paragraphs", "recorded"
TOGETHER = 20_000
"""Transactions of a recording in one update."""
OPENING_SECONDS = 120.0
AT_ONCE = 40
"""Edits in flight while a document is written."""
LETTERS = "abcdefghijklmnopqrstuvwxyz     "


@dataclass(frozen=True, slots=True)
class Written:
    """A document: who wrote it, its edits, and what it says in the end."""

    client: int
    updates: list[bytes]
    pages: list[str]

    def written(self) -> Written:
        return self


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that has been worked on: paragraphs, each written in so many pieces at random places.

    A tenth of the pieces is deleted again. The same numbers give the same document.
    """

    paragraphs: int
    pieces: int
    letters: int

    def written(self) -> Written:
        """A few paragraphs an edit."""
        rng, made = random.Random(7), list[bytes]()
        doc: Doc[Array[Text]] = Doc(client_id=rng.getrandbits(31))
        subscription = doc.observe(lambda event: _keep(made, event))
        all_of_it = doc.get(PARAGRAPHS, type=Array)
        for first in range(0, self.paragraphs, 20):
            with doc.transaction():
                for _ in range(first, min(self.paragraphs, first + 20)):
                    text = Text()
                    all_of_it.append(text)
                    size = 0
                    for number in range(self.pieces):
                        piece = "".join(rng.choices(LETTERS, k=self.letters))
                        text.insert(rng.randint(0, size), piece)
                        size += self.letters
                        if number % 10 == 9:
                            at = rng.randint(0, size - self.letters)
                            del text[at : at + self.letters]
                            size -= self.letters
        doc.unobserve(subscription)
        return Written(doc.client_id, made, content(made))


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded session (load.trace), or, where its file is not, something made up of about its size."""

    path: Path
    otherwise: Paper

    @property
    def here(self) -> bool:
        return self.path.is_file()

    def written(self) -> Written:
        """Some 20,000 of its transactions an edit. Raises TraceError."""
        return _recorded(self.path) if self.here else self.otherwise.written()


@cache
def _recorded(path: Path) -> Written:
    trace, made = load_trace(path), list[bytes]()
    if trace.writers != 1 or not trace.ascii:
        raise TraceError(f"{path} is not the session of one writer in ASCII.")
    doc: Doc[Text] = Doc(client_id=random.Random(7).getrandbits(31))
    text = doc.get(RECORDED, type=Text)
    for first in range(0, len(trace.transactions), TOGETHER):
        state = doc.get_state()
        for start in range(first, min(first + TOGETHER, len(trace.transactions)), 100):
            with doc.transaction():
                for transaction in trace.transactions[start : start + 100]:
                    for patch in transaction.patches:
                        if patch.deleted:
                            del text[patch.position : patch.position + patch.deleted]
                        if patch.inserted:
                            text.insert(patch.position, patch.inserted)
        made.append(doc.get_update(state))
    pages = content(made)
    if pages != [trace.end_content]:
        raise TraceError(f"{path} does not end with its own endContent.")
    return Written(doc.client_id, made, pages)


def _keep(made: list[bytes], event: TransactionEvent) -> None:
    made.append(event.update)


def content(updates: list[bytes]) -> list[str]:
    """The paragraphs of the document that these updates are, and what was recorded in it."""
    doc: Doc[Any] = Doc()
    for update in updates:
        doc.apply_update(update)
    recorded = str(doc.get(RECORDED, type=Text))
    return [*map(str, doc.get(PARAGRAPHS, type=Array)), *([recorded] if recorded else [])]


class _Author(Line):
    """Sends a document and hears that it was taken, by statuses or by the echo."""

    __slots__ = ("clock", "statuses")

    def __init__(self, hub: Hub, document: str) -> None:
        self.statuses = self.clock = 0
        super().__init__(hub, document, "author")

    def status(self, now: float) -> None:
        self.statuses += 1

    def heard(self, spans: tuple[Span, ...], now: float) -> None:
        self.clock = max([self.clock, *(end for _, _, end in spans)])


def work(
    at: Bench,
    *,
    document: str,
    paper: Paper | Written,
    write: bool = True,
    history: int = 0,
    clients: int = 0,
) -> Result:
    """Writes the document, or opens it with so many clients at once, or both.

    history: single edits that are made after it.
    """
    result, written = Result(), paper.written()
    stays: list[Line] = []
    if write:
        stays.append(write_document(at.hub, document, written))
        if history:
            type_history(at.hub, document, history)
    if clients:
        _open(at, document, clients, written.pages, result)
    return result


def write_document(hub: Hub, document: str, written: Written) -> Line:
    """Has the document written, and gives its author's line."""
    updates = written.updates
    author = _Author(hub, document)
    reader = _Author(hub, document)
    hub.ready([author, reader])
    end = 0
    for number, update in enumerate(updates, 1):
        author.write(author.send_update(update))
        end = max([end, *(last for _, _, last in hub.spans_of(update))])
        if author.prefix and number % AT_ONCE == 0:
            hub.until(lambda number=number: author.statuses > number - AT_ONCE, PATIENCE)  # type: ignore[misc]
    taken = hub.until(
        lambda: reader.clock >= end and (not author.prefix or author.statuses == len(updates)),
        OPENING_SECONDS,
    )
    if not taken:
        raise LineError(f"the document of client {written.client} was not taken")
    reader.close()
    return author


def type_history(hub: Hub, document: str, count: int) -> None:
    """Makes so many single edits."""
    writer = Writing(hub, document, "typist", Tally())
    hub.ready([writer])
    while writer.typing.count < count and not hub.faults:
        writer.type(min(AT_ONCE, count - writer.typing.count))
        hub.until(lambda: writer.settled >= writer.typing.count, PATIENCE)
    if writer.settled < count:
        raise LineError("the history was not taken")
    writer.close()


def _open(at: Bench, document: str, clients: int, wanted: list[str], result: Result) -> None:
    hub = at.hub
    with Pulse(hub) as pulse, at.meter as meter:
        began = time.perf_counter()
        lines = [Line(hub, document, f"pupil-{number}") for number in range(clients)]
        done = hub.until(lambda: all(line.synced or line.lost for line in lines), OPENING_SECONDS)
    if not done or hub.faults:
        raise LineError(f"{sum(not line.synced for line in lines)} of {clients} clients did not get it")
    waits = sorted(line.synced_at - began for line in lines)
    result.figures |= {
        "cpu_s": meter.cost.server,
        "seconds": meter.cost.seconds,
        "p50": 1000 * percentile(waits, 0.5),
        "p95": 1000 * percentile(waits, 0.95),
        "first_byte": 1000 * min(line.first_byte_at - line.asked_at for line in lines),
        "whole": 1000 * min(line.synced_at - line.asked_at for line in lines),
        "stall": 1000 * pulse.worst,
        "generator": 100 * meter.cost.generator / meter.cost.seconds,
        "megabytes": len(lines[0].state) / 1e6,
        "memory": memory(at.folder) / 1e6,
    }
    if meter.cost.limited:
        result.notes.append("the generator was the limit: the server could do more")
    for state in {line.state for line in lines}:
        if content([state]) != wanted:
            result.faults.append("a client got another document than was written")
