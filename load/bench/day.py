"""The generator's part of a mixed day: classes type, and whatever else happens in schools happens."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import mean

from load.report import percentile

from .edits import Joining, Tally
from .lines import Hub, Line
from .meters import counted, memory
from .opening import Paper, content, write_document
from .plan import Bench, Result
from .pulse import Pulse
from .writing import LATE, PATIENCE, Room, agree, costs, open_room, times

__all__ = ["work"]

COMING = 0.2
"""Seconds between one who leaves a room with another who comes, and the next."""
CLASS, CLASS_SIZE = 10.0, 5
"""Seconds between small classes that open the big document and leave it."""
SAMPLES = 20
"""Of the server's memory while it is measured."""
TRACKED = ("log_compactions", "readers_shed_total", "loop_lag_seconds_count")
LATE_TIMER = 'loop_lag_seconds_bucket{le="0.025"}'
GOODBYE = b"\x88\x80\0\0\0\0"


class Sleeper(Joining):
    """A reader who knocks and then reads nothing for a while: the server may send it away."""

    __slots__ = ("asleep",)

    def __init__(self, hub: Hub, document: str, subject: str, tally: Tally) -> None:
        self.asleep = False
        super().__init__(hub, document, subject, tally)

    def _opened(self, now: float) -> None:
        super()._opened(now)
        self.asleep = True
        self.hub.remove(self)

    def wake(self) -> None:
        self.asleep = False
        self.hub.add(self)

    def _lose(self, why: str) -> None:
        if not self.lost:
            self.lost = why
            self.close()


def work(
    at: Bench,
    *,
    rooms: int,
    readers: int,
    rate: float,
    paper: Paper,
    naps: Sequence[float],
    seconds: float,
    warm_up: float,
) -> Result:
    """So many edits a second over all rooms and the big document; naps: how long each sleeper sleeps."""
    result, tally, hub = Result(), Tally(), at.hub
    written = paper.written()
    school = [open_room(hub, tally, readers, 1) for _ in range(rooms)]
    book = f"{school[0].document}-book"
    write_document(hub, book, written).close()
    big = open_room(hub, tally, 0, 1, book)
    big.readers += [Joining(hub, book, f"reader-{number}", tally) for number in range(readers)]
    hub.ready(big.readers)
    day = _Day(at, tally, school, big, rate)
    day.live(warm_up)
    before, first, settled = tally.delivered, len(tally.latencies), len(tally.acknowledged)
    day.late.clear()
    counts = _counts(at)
    with Pulse(hub) as pulse, at.meter as meter:
        day.live(seconds, naps=naps, into=result.curve)
    delivered = tally.delivered - before
    day.finish()
    costs(result, meter.cost, delivered)
    times(result, tally.latencies[first:], tally.acknowledged[settled:])
    sizes = [size for _, size in result.curve]
    part = max(1, len(sizes) // 4)
    result.figures |= {
        "stall_p50": 1000 * pulse.usual,
        "stall_p999": 1000 * pulse.rare,
        "stall": 1000 * pulse.worst,
        "memory_first": mean(sizes[:part]),
        "memory": mean(sizes[-part:]),
        "memory_growth": mean(sizes[-part:]) / mean(sizes[:part]),
        "came": float(day.came),
        "sent_away": float(day.sent_away),
        "lost": float(day.lost),
    }
    _own_counts(counts, _counts(at), result)
    if percentile(day.late, 0.99) > LATE:
        result.notes.append(f"the generator was late: p99 {1000 * percentile(day.late, 0.99):.0f} ms")
    fresh = Line(hub, book, "fresh")
    hub.ready([fresh])
    if content([fresh.state]) != written.pages:
        result.faults.append("the big document is not what was written")
    agree(hub, [*school, big], result.faults)
    return result


def _counts(at: Bench) -> Mapping[str, float]:
    """What the server counts itself, if it is ours."""
    return counted(at.hub.target.port) if at.hub.target.path else {}


def _own_counts(before: Mapping[str, float], after: Mapping[str, float], result: Result) -> None:
    if not after:
        return
    made = {name: after[name] - before[name] for name in (*TRACKED, LATE_TIMER)}
    samples = max(1.0, made["loop_lag_seconds_count"])
    result.figures |= {
        "compactions": made["log_compactions"],
        "shed": made["readers_shed_total"],
        "late_timers": 100 * (1 - made[LATE_TIMER] / samples),
    }


class _Day:
    """Who is where, and what comes next."""

    def __init__(self, at: Bench, tally: Tally, school: Sequence[Room], big: Room, rate: float) -> None:
        self.hub, self.tally, self.school, self.big = at.hub, tally, school, big
        self.late: list[float] = []
        self.came = self.sent_away = 0
        self._at, self._rate = at, rate
        self._rng = random.Random(8)
        self._writers = [line for room in (*school, big) for line in room.writers]
        self._made = 0
        self._began = time.perf_counter()
        self._dreams = Tally()  # what sleepers get late is nobody's latency
        self._dreams.writers = tally.writers
        self._class: list[Line] = []
        self._sleepers: list[tuple[float, Sleeper]] = []
        """With when each wakes."""

    def live(
        self, seconds: float, naps: Sequence[float] = (), into: list[tuple[float, float]] | None = None
    ) -> None:
        """So many seconds of the day; `into`: where the server's memory is noted, by the second."""
        began = time.perf_counter()
        self._began, self._made = began, 0
        for nap in naps:
            sleeper = Sleeper(self.hub, self.big.document, "sleeper", self._dreams)
            self._sleepers.append((began + nap, sleeper))
        plans: list[_Plan] = [_Plan(COMING, self._come_and_go), _Plan(min(CLASS, seconds / 3), self._open)]
        if into is not None:
            memory_of_it = into
            plans.append(
                _Plan(
                    seconds / SAMPLES,
                    lambda: memory_of_it.append((time.perf_counter() - began, memory(self._at.folder) / 1e6)),
                )
            )
        while (now := time.perf_counter()) < began + seconds and not self.hub.faults:
            self._type(now)
            for plan in plans:
                plan.look(now)
            self._wake(now)
            self.hub.turn(self._began + self._made / self._rate - time.perf_counter())

    def finish(self) -> None:
        """Wakes who sleeps, and waits for everybody to have everything."""
        self.hub.until(lambda: bool(self.hub.faults) or self._all_there(), PATIENCE)
        self.lost = sum(
            max(0, count - line.have.get(client, 0))
            for room in (*self.school, self.big)
            for client, count in _typed(room).items()
            for line in room.readers
        )
        for line in self._class:
            line.close()

    def _all_there(self) -> bool:
        now = time.perf_counter()
        self._wake(float("inf"))
        if self._sleepers:
            return False
        for room in (*self.school, self.big):
            typed = _typed(room)
            for line in room.readers:
                if isinstance(line, Joining):
                    line.catch_up(now)
                if line.have != typed:
                    return False
        return True

    def _type(self, now: float) -> None:
        while (due := self._began + self._made / self._rate) <= now:
            self.late.append(now - due)
            self._rng.choice(self._writers).type(at=due)
            self._made += 1

    def _come_and_go(self) -> None:
        room = self._rng.choice(self.school)
        number = self._rng.randrange(len(room.readers))
        line = room.readers[number]
        if line.ready:
            line.write(GOODBYE)
            line.close()
            self.came += 1
            room.readers[number] = Joining(self.hub, room.document, f"late-{self.came}", self.tally)

    def _open(self) -> None:
        for line in self._class:
            line.close()
        self._class = [Line(self.hub, self.big.document, f"pupil-{number}") for number in range(CLASS_SIZE)]
        self.came += CLASS_SIZE

    def _wake(self, now: float) -> None:
        """Who has slept long enough reads again, or comes again if it was sent away meanwhile."""
        for each in [each for each in self._sleepers if each[0] <= now and each[1].asleep]:
            self._sleepers.remove(each)
            each[1].wake()
            self.big.readers.append(each[1])
        for sleeper in [line for line in self.big.readers if isinstance(line, Sleeper) and line.lost]:
            self.sent_away += 1
            self.big.readers.remove(sleeper)
            self.big.readers.append(Joining(self.hub, self.big.document, "woken", self.tally))


class _Plan:
    """Something that is done again and again."""

    def __init__(self, every: float, do: Callable[[], None]) -> None:
        self._every, self._do = every, do
        self._next = time.perf_counter() + every

    def look(self, now: float) -> None:
        if now >= self._next:
            self._next += self._every
            self._do()


def _typed(room: Room) -> dict[int, int]:
    return {line.typing.client: line.typing.count for line in room.writers if line.typing.count}
