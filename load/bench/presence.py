"""The generator's part of the presence storm: everybody in one room moves the cursor all the time."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace

from crdt.awareness import AwarenessEntry, decode_awareness, encode_awareness
from crdt.codec import JsonValue, Reader
from crdt.limits import DEFAULT
from load.report import percentile

from .lines import Hub, Line
from .plan import Bench, Result
from .writing import LATE, OPEN_AT_ONCE, PATIENCE, costs, times

__all__ = ["work"]

FRESH_SECONDS = 5.0
UNBOUNDED = replace(DEFAULT, awareness_bytes=1 << 30)
"""What a server may say of everybody at once is longer than what one person may say."""


class _Storm:
    """What everybody has said, and what has been heard of it."""

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.delivered = 0
        """States that a person knows of another: a newer one stands for those it replaces."""
        self.came = 0
        """States that came over the wire."""
        self.latencies: list[float] = []
        self._known: dict[bytes, tuple[tuple[int, int], ...]] = {}

    def read(self, payload: bytes) -> tuple[tuple[int, int], ...]:
        """(client id, clock) of an awareness message's entries."""
        entries = self._known.get(payload)
        if entries is None:
            if len(self._known) > 2_000:
                self._known.clear()
            read = decode_awareness(Reader(payload).var_bytes(), UNBOUNDED)
            entries = tuple((each.client, each.clock) for each in read if each.state is not None)
            self._known[payload] = entries
        return entries


class Person(Line):
    """Somebody in the room: says where the cursor is, and hears of the others'."""

    __slots__ = ("client", "have", "name", "sent", "storm")

    def __init__(self, hub: Hub, document: str, number: int, storm: _Storm) -> None:
        self.client = secrets.randbits(31) | 1 << 28
        self.name = f"Pupil {number}"
        self.sent: list[float] = []
        """When, by clock; the first is number 1."""
        self.have: dict[int, int] = {}
        self.storm = storm
        super().__init__(hub, document, f"pupil-{number}")

    def move(self, at: float) -> None:
        self.sent.append(at)
        clock = len(self.sent)
        place: JsonValue = {
            "type": None,
            "tname": "text",
            "item": {"client": self.client, "clock": clock},
            "assoc": 0,
        }
        state: dict[str, JsonValue] = {
            "user": {"name": self.name, "color": "#2a6f97"},
            "cursor": {"anchor": place, "head": place},
        }
        entry = AwarenessEntry(self.client, clock, state)
        self.write(self.send_awareness(encode_awareness([entry])))

    def saw(self, payload: bytes, now: float) -> None:
        storm, mine = self.storm, self.have
        for client, clock in storm.read(payload):
            if client == self.client:
                continue
            storm.came += 1
            have = mine.get(client, 0)
            if clock > have:
                mine[client] = clock
                storm.delivered += clock - have
                person = storm.people.get(client)
                if person is not None:
                    storm.latencies.append(now - person.sent[have])


def work(at: Bench, *, people: int, rate: float, seconds: float, warm_up: float) -> Result:
    """Each of so many people moves `rate` times a second."""
    result, storm, hub = Result(), _Storm(), at.hub
    document = f"doc/bench-{secrets.token_hex(8)}"
    crowd: list[Person] = []
    for number in range(people):
        crowd.append(Person(hub, document, number, storm))
        storm.people[crowd[-1].client] = crowd[-1]
        if number % OPEN_AT_ONCE == 0:
            hub.ready(crowd)
    hub.ready(crowd)
    for person in crowd:
        person.move(time.perf_counter())
    hub.until(lambda: all(len(person.have) == people - 1 for person in crowd), PATIENCE)

    began, made, late = time.perf_counter(), 0, list[float]()
    pace = rate * people

    def storm_for(until: float) -> None:
        nonlocal made
        while (now := time.perf_counter()) < until and not hub.faults:
            while (due := began + made / pace) <= now:
                late.append(now - due)
                crowd[made % people].move(due)
                made += 1
            hub.turn(due - time.perf_counter())

    storm_for(began + warm_up)
    before, came, first = storm.delivered, storm.came, len(storm.latencies)
    late.clear()
    sent = made
    with at.meter as meter:
        storm_for(time.perf_counter() + seconds)
        hub.until(lambda: storm.delivered > before or bool(hub.faults), PATIENCE)
    delivered = storm.delivered - before
    costs(result, meter.cost, delivered)
    result.figures["person_us"] = 1e6 * meter.cost.share / people
    result.figures["came"] = (storm.came - came) / meter.cost.seconds
    result.figures["delivered_share"] = 100 * delivered / max(1, (made - sent) * (people - 1))
    clocks = {person.client: len(person.sent) for person in crowd}
    hub.until(lambda: bool(hub.faults) or all(_knows(person, clocks) for person in crowd), PATIENCE)
    times(result, storm.latencies[first:], [])
    if percentile(late, 0.99) > LATE:
        result.notes.append(f"the generator was late: p99 {1000 * percentile(late, 0.99):.0f} ms")
    ignorant = sum(not _knows(person, clocks) for person in crowd)
    if ignorant:
        result.faults.append(f"{ignorant} of {people} people do not know where everybody is")
    if not hub.target.relay and not hub.faults:
        fresh = Person(hub, document, people, storm)
        if not hub.until(lambda: _knows(fresh, clocks), FRESH_SECONDS):
            seen = sum(client in fresh.have for client in clocks)
            result.notes.append(f"who comes later is told of {seen} of {people} people")
    return result


def _knows(person: Person, clocks: dict[int, int]) -> bool:
    return all(
        person.have.get(client, 0) == clock for client, clock in clocks.items() if client != person.client
    )
