"""The generator's part where one document is big or old: what edits, deliveries and openings cost."""

from __future__ import annotations

import secrets
import time

from load.report import percentile

from .edits import Joining, Tally
from .lines import Hub, Line
from .opening import Paper, type_history, write_document
from .plan import Bench, Result
from .writing import PATIENCE, Room, Typist, agree, costs, open_room, times, type_with

__all__ = ["work"]

PIECES, LETTERS = 12, 80
"""Of a paragraph, 1.35 kB as it is stored."""
CALM_SECONDS, LOOK, QUIET = 10.0, 0.3, 0.1
"""How long the server may take to use less than a tenth of its core, and how often that is looked at."""
LEAST_OPENINGS, MOST_OPENINGS = 3, 100


def work(at: Bench, *, paragraphs: int, history: int, readers: int, seconds: float, warm_up: float) -> Result:
    """A document of so many paragraphs, and after them so many single edits.

    For `seconds` each: somebody writes alone, with readers, and clients open it one after the other.
    """
    result, hub, tally = Result(), at.hub, Tally()
    document = f"doc/bench-{secrets.token_hex(8)}"
    author = write_document(hub, document, Paper(paragraphs, PIECES, LETTERS).written())
    if history:
        type_history(hub, document, history)
    room = open_room(hub, tally, 0, 1, document)
    author.close()
    _calm(at)
    _commits(at, room, seconds, result)
    room.readers += [Joining(hub, document, f"reader-{number}", tally) for number in range(readers)]
    hub.ready(room.readers)
    _deliveries(at, Typist(hub, tally, [room], readers), seconds, warm_up, result)
    _openings(at, document, seconds, result)
    for reader in room.readers:
        assert isinstance(reader, Joining)
        reader.catch_up(time.perf_counter())
    agree(hub, [room], result.faults)
    return result


def _calm(at: Bench) -> None:
    """Lets the server do what is left to do of the writing, such as compaction; not for ever."""
    deadline = time.perf_counter() + CALM_SECONDS
    while time.perf_counter() < deadline:
        with at.meter as meter:
            at.hub.until(lambda: False, LOOK)
        if meter.cost.share < QUIET:
            return


def _commits(at: Bench, room: Room, seconds: float, result: Result) -> None:
    (writer,) = room.writers
    tally = writer.tally

    def settled() -> bool:
        return writer.settled >= writer.typing.count

    with at.meter as meter:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and not at.hub.faults:
            writer.type()
            if not at.hub.until(settled, PATIENCE):
                at.hub.faults.append("an edit was not acknowledged")
    result.figures["commit_us"] = 1e6 * meter.cost.server / writer.typing.count
    times(result, [], tally.acknowledged)


def _deliveries(at: Bench, typist: Typist, seconds: float, warm_up: float, result: Result) -> None:
    tally = typist.tally
    type_with(at.hub, typist, 1, warm_up)
    before = tally.delivered
    with at.meter as meter:
        type_with(at.hub, typist, 1, seconds)
        at.hub.until(lambda: tally.delivered > before or bool(at.hub.faults), PATIENCE)
    delivered = tally.delivered - before
    typist.finish()
    costs(result, meter.cost, delivered)


def _openings(at: Bench, document: str, seconds: float, result: Result) -> None:
    took: list[float] = []
    size = 0
    with at.meter as meter:
        end = time.perf_counter() + seconds
        while len(took) < LEAST_OPENINGS or (time.perf_counter() < end and len(took) < MOST_OPENINGS):
            size, seconds_taken = _open(at.hub, document)
            took.append(seconds_taken)
    result.figures |= {
        "open_us": 1e6 * meter.cost.server / len(took),
        "open_ms": 1000 * percentile(took, 0.5),
        "kilobytes": size / 1e3,
    }


def _open(hub: Hub, document: str) -> tuple[int, float]:
    """The document's size and the seconds until a client has it."""
    line = Line(hub, document, "pupil")
    hub.ready([line])
    took = line.synced_at - line.began_at
    line.close()
    return len(line.state), took
