"""The generator's part of a country that is there and quiet: thousands of open documents, kept alive."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from crdt.awareness import AwarenessEntry, encode_awareness
from load.report import percentile

from .edits import Tally, Watching, Writing
from .lines import Hub, Line, LineError
from .meters import memory
from .plan import Bench, Result
from .writing import PATIENCE, Room, agree

__all__ = ["work"]

RENEWAL = 15.0
"""Seconds after which y-protocols says its presence again."""
OPENING_AT_ONCE = 64
SAMPLES = 20
"""Documents in which somebody writes at last, to see that the quiet ones are alive."""


def work(at: Bench, *, connections: int, documents: int, seconds: float) -> Result:
    """So many people each open one of so many documents, and then do nothing but be there.

    Where a process may not have so many files open, it is as many as it may, and as many documents to one.
    """
    result, hub, tally = Result(), at.hub, Tally()
    if connections > hub.most:
        result.notes.append(f"{connections:,} connections are too many here: a process may have {hub.most:,}")
        connections, documents = hub.most, documents * hub.most // connections
    names = [f"doc/bench-{secrets.token_hex(8)}" for _ in range(documents)]
    hub.ready([Line(hub, f"doc/bench-{secrets.token_hex(8)}", "first")])
    before, lines = memory(at.folder), list[Line]()
    step = max(1, connections // 8)
    with at.meter as meter:
        for number in range(connections):
            if number % step == 0:
                result.curve.append((number, (memory(at.folder) - before) / 1e6))
            lines.append(_somebody(hub, names[number % documents], number, documents, tally))
            while sum(not line.ready for line in lines[-OPENING_AT_ONCE:]) >= OPENING_AT_ONCE // 2:
                hub.turn(0.05)
                if time.perf_counter() - lines[-1].began_at > PATIENCE or hub.faults:
                    raise LineError(f"client {number} was not let in")
        hub.ready(lines)
    waits = [1000 * (line.ready_at - line.began_at) for line in lines]
    tenth = max(1, connections // 10)
    result.figures |= {
        "connections": connections,
        "opened": connections / meter.cost.seconds,
        "opening_us": 1e6 * meter.cost.server / connections,
        "kilobytes": (memory(at.folder) - before) / connections / 1e3,
        "first_ms": percentile(waits[:tenth], 0.5),
        "last_ms": percentile(waits[-tenth:], 0.5),
        "generator": 100 * meter.cost.generator / meter.cost.seconds,
    }
    result.figures["slower"] = result.figures["last_ms"] / result.figures["first_ms"]
    if meter.cost.limited:
        result.notes.append("the generator was the limit: the server could do more")
    with at.meter as meter:
        _be_there(hub, lines, seconds)
    result.figures["server"] = 100 * meter.cost.share
    held = sum(not line.lost for line in lines)
    if held < connections:
        result.faults.append(f"{connections - held} of {connections} connections were lost")
        return result
    _wake(hub, lines, names, tally, result)
    return result


def _somebody(hub: Hub, document: str, number: int, documents: int, tally: Tally) -> Line:
    """Writers in the first documents, readers beside them, and everywhere else just somebody."""
    if number < SAMPLES:
        return Writing(hub, document, f"person-{number}", tally)
    if documents <= number < documents + SAMPLES:
        return Watching(hub, document, f"person-{number}", tally)
    return Line(hub, document, f"person-{number}")


def _be_there(hub: Hub, lines: list[Line], seconds: float) -> None:
    began, said = time.perf_counter(), 0
    clients = [secrets.randbits(31) | 1 << 28 for _ in lines]
    pace = len(lines) / RENEWAL
    while (passed := time.perf_counter() - began) < seconds and not hub.faults:
        while said <= passed * pace:
            number = said % len(lines)
            entry = AwarenessEntry(clients[number], 1 + said // len(lines), {"user": {"name": "Pupil"}})
            lines[number].write(lines[number].send_awareness(encode_awareness([entry])))
            said += 1
        hub.turn(0.005)


def _wake(hub: Hub, lines: list[Line], names: list[str], tally: Tally, result: Result) -> None:
    writers = [line for line in lines if isinstance(line, Writing)]
    readers = {line.document: line for line in lines if isinstance(line, Watching)}
    school = []
    for writer in writers:
        writer.type(3)
        reader = readers.get(writer.document)
        school.append(Room(writer.document, [writer], [reader] if reader else []))
    arrived: Callable[[], bool] = lambda: all(  # noqa: E731
        reader.have.get(room.writers[0].typing.client) == 3 for room in school for reader in room.readers
    )
    hub.until(arrived, PATIENCE)
    hub.until(lambda: all(writer.settled >= 3 for writer in writers), 1.0)
    agree(hub, school, result.faults)
