"""The generator's part of everything where documents are opened: by one, or by a class at once."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from pycrdt import Array, Doc, Text, TransactionEvent

from load.report import percentile

from .edits import Tally, Writing
from .lines import Hub, Line, LineError, Span
from .meters import memory
from .plan import Bench, Result
from .pulse import Pulse
from .writing import PATIENCE

__all__ = ["Paper", "work"]

PARAGRAPHS = "paragraphs"
OPENING_SECONDS = 120.0
AT_ONCE = 40
"""Edits in flight while a document is written."""
LETTERS = "abcdefghijklmnopqrstuvwxyz     "


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that has been worked on: paragraphs, each written in so many pieces at random places.

    A tenth of the pieces is deleted again. The same numbers give the same document.
    """

    paragraphs: int
    pieces: int
    letters: int

    def updates(self) -> tuple[int, list[bytes]]:
        """The client id that wrote it, and its edits, a few paragraphs each."""
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
        return doc.client_id, made


def _keep(made: list[bytes], event: TransactionEvent) -> None:
    made.append(event.update)


def content(updates: list[bytes]) -> list[str]:
    """The paragraphs of the document that these updates are."""
    doc: Doc[Array[Text]] = Doc()
    for update in updates:
        doc.apply_update(update)
    return [str(text) for text in doc.get(PARAGRAPHS, type=Array)]


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
    paper: Paper,
    write: bool = True,
    history: int = 0,
    clients: int = 0,
) -> Result:
    """Writes the document, or opens it with so many clients at once, or both.

    history: single edits that are made after it.
    """
    result, (client, updates) = Result(), paper.updates()
    stays: list[Line] = []
    if write:
        stays.append(_write(at.hub, document, client, updates))
        if history:
            _type(at.hub, document, history)
    if clients:
        _open(at, document, clients, content(updates), result)
    return result


def _write(hub: Hub, document: str, client: int, updates: list[bytes]) -> Line:
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
        raise LineError(f"the document of client {client} was not taken")
    reader.close()
    return author


def _type(hub: Hub, document: str, count: int) -> None:
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
