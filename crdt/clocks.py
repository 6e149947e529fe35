"""Sets of clocks: which structs are known, which are deleted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from crdt.update import ClockRange

__all__ = ["ClockSet"]


class ClockSet:
    """Clocks of many client ids, kept as sorted ranges that never touch."""

    __slots__ = ("_ranges",)

    def __init__(self, ranges: Iterable[ClockRange] = ()) -> None:
        self._ranges: dict[int, tuple[list[int], list[int]]] = {}
        for item in ranges:
            self.add(item)

    def __iter__(self) -> Iterator[ClockRange]:
        for client, (starts, ends) in self._ranges.items():
            for start, end in zip(starts, ends, strict=True):
                yield ClockRange(client, start, end)

    def __contains__(self, item: ClockRange) -> bool:
        """Whether every clock of `item` is in the set."""
        ranges = self._ranges.get(item.client)
        if ranges is None:
            return False
        index = bisect_right(ranges[0], item.start) - 1
        return index >= 0 and item.end <= ranges[1][index]

    def lacks(self, item: ClockRange) -> Iterator[ClockRange]:
        """The parts of `item` that are not in the set."""
        client, start, end = item.client, item.start, item.end
        starts, ends = self._ranges.get(client, ((), ()))
        for index in range(bisect_right(ends, start), len(starts)):
            if starts[index] >= end:
                break
            if start < starts[index]:
                yield ClockRange(client, start, starts[index])
            start = ends[index]
        if start < end:
            yield ClockRange(client, start, end)

    def add(self, item: ClockRange) -> None:
        ranges = self._ranges.get(item.client)
        if ranges is None:
            self._ranges[item.client] = ([item.start], [item.end])
            return
        starts, ends = ranges
        first = bisect_left(ends, item.start)  # the first range that touches or lies behind
        last = bisect_right(starts, item.end)  # behind the last one that touches
        if first == last:
            starts.insert(first, item.start)
            ends.insert(first, item.end)
        else:
            start, end = min(item.start, starts[first]), max(item.end, ends[last - 1])
            starts[first:last] = [start]
            ends[first:last] = [end]
