"""The generator's part where people type: rooms with writers and readers, paced or saturated."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from load.report import percentile

from .edits import Tally, Watching, Writing, texts_of
from .lines import Hub, Line
from .meters import Cost
from .plan import Bench, Result

__all__ = [
    "LATE",
    "OPEN_AT_ONCE",
    "PATIENCE",
    "Room",
    "Typist",
    "agree",
    "costs",
    "open_room",
    "times",
    "type_with",
    "work",
]

PATIENCE = 20.0
"""Seconds for what is under way to arrive once nobody types any more."""
BEARABLE = 0.1
"""Seconds within which 99 of 100 edits have to be there for a server to count as keeping up."""
LATE = 0.005
"""Seconds behind its own plan at which a generator is said to have been late."""
OPEN_AT_ONCE = 50
SHARES = (0.1, 1, 5, *range(10, 100, 10), 95, 98, 99, 99.5, 99.9, 100)


@dataclass(slots=True)
class Room:
    document: str
    writers: list[Writing]
    readers: list[Watching]


def work(
    at: Bench,
    *,
    rooms: int,
    readers: int,
    writers: int = 1,
    seconds: float,
    warm_up: float,
    rate: float | None = None,
    windows: Sequence[int] = (),
) -> Result:
    """One of two: `rate` edits a second over all rooms, or as many as go with so many `windows` in flight.

    An edit is in flight until its readers have it. Several windows are tried one after the other; the one
    with the most deliveries counts, of those in which 99 of 100 edits arrived within 100 ms.
    """
    result, tally = Result(), Tally()
    school = [open_room(at.hub, tally, readers, writers) for _ in range(rooms)]
    typist = Typist(at.hub, tally, school, readers)
    if rate is not None:
        _paced(at, typist, rate, seconds, warm_up, result)
    else:
        _saturated(at, typist, windows, seconds, warm_up, result)
    agree(at.hub, school, result.faults)
    return result


def open_room(hub: Hub, tally: Tally, readers: int, writers: int, document: str = "") -> Room:
    """A room with everybody in it; who makes the document, unless it is there, comes before the others."""
    document = document or f"doc/bench-{secrets.token_hex(8)}"
    room = Room(document, [], [])
    for number in range(writers):
        room.writers.append(Writing(hub, document, f"writer-{number}", tally, f"text-{number}"))
        if number == 0 or number % OPEN_AT_ONCE == 0:
            hub.ready(room.writers)
    for number in range(readers):
        room.readers.append(Watching(hub, document, f"reader-{number}", tally))
        if number % OPEN_AT_ONCE == OPEN_AT_ONCE - 1:
            hub.ready(room.readers[-OPEN_AT_ONCE:])
    hub.ready([*room.writers, *room.readers])
    return room


class Typist:
    """Types in all rooms in turn."""

    def __init__(self, hub: Hub, tally: Tally, school: Sequence[Room], readers: int) -> None:
        self.hub, self.tally, self.readers = hub, tally, readers
        self.writers = [line for room in school for line in room.writers]
        self.sent = 0
        self._turn = cycle(self.writers)

    @property
    def under_way(self) -> int:
        """Deliveries that are still to come."""
        return self.sent * self.readers - self.tally.delivered

    def type(self, at: float | None = None) -> None:
        next(self._turn).type(at=at)
        self.sent += 1

    def keep(self, window: int) -> None:
        """Types until so many edits are in flight."""
        free = window - -(-self.under_way // self.readers)
        if free <= 0:
            return
        if len(self.writers) == 1:
            self.writers[0].type(free)
            self.sent += free
            return
        for _ in range(free):
            self.type()

    def finish(self) -> None:
        """Waits for all that is under way."""
        self.hub.until(lambda: bool(self.hub.faults) or self.under_way <= 0, PATIENCE)
        self.hub.until(lambda: all(line.settled >= line.typing.count for line in self.writers), 0.5)


def _paced(at: Bench, typist: Typist, rate: float, seconds: float, warm_up: float, result: Result) -> None:
    began, made = time.perf_counter(), 0
    late: list[float] = []

    def type_for(until: float) -> None:
        nonlocal made
        while (now := time.perf_counter()) < until and not at.hub.faults:
            while (due := began + made / rate) <= now:
                late.append(now - due)
                typist.type(due)
                made += 1
            at.hub.turn(due - time.perf_counter())

    type_for(began + warm_up)
    tally = typist.tally
    before, first, settled = tally.delivered, len(tally.latencies), len(tally.acknowledged)
    late.clear()
    sent = typist.sent
    with at.meter as meter:
        type_for(time.perf_counter() + seconds)
        _something(at.hub, tally, before)
    delivered, typed = tally.delivered - before, typist.sent - sent
    typist.finish()
    latencies, acknowledged = tally.latencies[first:], tally.acknowledged[settled:]
    costs(result, meter.cost, delivered)
    times(result, latencies, acknowledged)
    result.figures["delivered_share"] = 100 * delivered / max(1, typed * typist.readers)
    if percentile(late, 0.99) > LATE:
        result.notes.append(f"the generator was late: p99 {1000 * percentile(late, 0.99):.0f} ms")


def _saturated(
    at: Bench, typist: Typist, windows: Sequence[int], seconds: float, warm_up: float, result: Result
) -> None:
    best, tally = -1.0, typist.tally
    for window in windows:
        type_with(at.hub, typist, window, warm_up)
        before, first, settled = tally.delivered, len(tally.latencies), len(tally.acknowledged)
        with at.meter as meter:
            type_with(at.hub, typist, window, seconds)
            _something(at.hub, tally, before)
        delivered = tally.delivered - before
        latencies, acknowledged = tally.latencies[first:], tally.acknowledged[settled:]
        typist.finish()
        if at.hub.faults:
            return
        reached = delivered / meter.cost.seconds
        result.curve.append((float(window), reached))
        bearable = bool(latencies) and percentile(latencies, 0.99) < BEARABLE
        if len(windows) > 1 and not bearable:
            break
        if reached > best:
            best = reached
            result.notes.clear()
            result.figures["window"] = float(window)
            costs(result, meter.cost, delivered)
            times(result, latencies, acknowledged)
    if best < 0:
        result.notes.append("no load at which 99 of 100 edits arrive within 100 ms")
        result.figures["deliveries"] = 0.0


def type_with(hub: Hub, typist: Typist, window: int, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and not hub.faults:
        typist.keep(window)
        hub.turn(0.02)


def _something(hub: Hub, tally: Tally, before: int) -> None:
    """A measured time lasts at least until something has arrived in it."""
    hub.until(lambda: tally.delivered > before or bool(hub.faults), PATIENCE)


def costs(result: Result, cost: Cost, delivered: int) -> None:
    if not delivered:
        result.faults.append("nothing arrived while it was measured")
        return
    result.figures |= {
        "deliveries": delivered / cost.seconds,
        "cpu_us": 1e6 * cost.server / delivered,
        "server": 100 * cost.share,
        "generator": 100 * cost.generator / cost.seconds,
    }
    if cost.limited:
        result.notes.append("the generator was the limit: the server could do more")


def times(result: Result, latencies: Sequence[float], acknowledged: Sequence[float]) -> None:
    for name, samples in (("", latencies), ("saved_", acknowledged)):
        if samples:
            ordered = sorted(samples)
            for share in (50, 95, 99):
                result.figures[f"{name}p{share}"] = 1000 * percentile(ordered, share / 100)
            if not name:
                result.spread = [(share, 1000 * percentile(ordered, share / 100)) for share in SHARES]


def agree(hub: Hub, school: Sequence[Room], faults: list[str]) -> None:
    """Whether every reader has every edit, and a fresh client gets what the writers have."""
    for room in school:
        made = {line.typing.client: line.typing.count for line in room.writers if line.typing.count}
        lacking = sum(line.have != made for line in room.readers)
        if lacking:
            faults.append(f"{lacking} of {len(room.readers)} readers lack edits")
    if hub.target.relay or faults:
        return
    for start in range(0, len(school), OPEN_AT_ONCE):
        rooms = school[start : start + OPEN_AT_ONCE]
        fresh = [Line(hub, room.document, "fresh") for room in rooms]
        hub.ready(fresh)
        for room, line in zip(rooms, fresh, strict=True):
            texts = {each.typing.root: each.typing.text for each in room.writers}
            if texts_of(line.state, texts) != texts:
                faults.append("a fresh client differs from the writer")
            line.close()
