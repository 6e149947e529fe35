"""Which clocks of which client ids have been seen, written and deleted, as joined intervals.

A server may merge updates, split them or send them twice; what a receiver has seen is the union of
what every update it got writes and deletes. An edit has arrived when all of its clocks are in there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from crdt.update import ClockRange, UpdateSummary

__all__ = ["Coverage"]


class _Intervals:
    """Disjoint, ascending, never touching intervals of one client id; ends are exclusive."""

    __slots__ = ("ends", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        starts, ends = self.starts, self.ends
        if starts and start == ends[-1]:  # typing on: by far the most frequent
            ends[-1] = end
            return
        first = bisect_right(starts, start)
        if first and ends[first - 1] >= start:
            first -= 1
            start = starts[first]
        last = bisect_right(starts, end)
        if last > first:
            end = max(end, ends[last - 1])
        starts[first:last] = [start]
        ends[first:last] = [end]

    def covers(self, start: int, end: int) -> bool:
        index = bisect_right(self.starts, start) - 1
        return index >= 0 and end <= self.ends[index]


class Coverage:
    """The union of the updates that were added."""

    def __init__(self) -> None:
        self._writes: dict[int, _Intervals] = {}
        self._deletes: dict[int, _Intervals] = {}

    def add(self, summary: UpdateSummary) -> None:
        _add(self._writes, summary.writes)
        _add(self._deletes, summary.deletes)

    def covers(self, summary: UpdateSummary) -> bool:
        """Whether everything this update writes and deletes has been seen."""
        return _covers(self._writes, summary.writes) and _covers(self._deletes, summary.deletes)

    def written(self, client: int) -> int:
        """The first clock of `client` that has not been seen written."""
        intervals = self._writes.get(client)
        return intervals.ends[0] if intervals is not None and intervals.starts[0] == 0 else 0


def _add(intervals: dict[int, _Intervals], ranges: Iterable[ClockRange]) -> None:
    for each in ranges:
        if each.end > each.start:
            intervals.setdefault(each.client, _Intervals()).add(each.start, each.end)


def _covers(intervals: dict[int, _Intervals], ranges: Iterable[ClockRange]) -> bool:
    return all(
        each.start >= each.end
        or ((known := intervals.get(each.client)) is not None and known.covers(each.start, each.end))
        for each in ranges
    )
