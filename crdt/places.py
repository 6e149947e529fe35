"""Where items lie, learnt from the updates that write them: how deep, and in a list or under a key.

The engine walks nested types by recursion and has no limit of its own, so a chain of small updates, each
nesting one level deeper, could overflow the stack of the process. And a living map entry longer than one,
which no honest client writes, makes Yjs throw for ever once it is cut in two and its map deleted.

An item says where it hangs by its parent or its neighbours; all that is typed in one place lies in the same
place, so a run of clocks costs one entry.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from crdt.errors import LimitExceeded, Malformed
from crdt.limits import DEFAULT, Limits

__all__ = ["NOWHERE", "Link", "Places", "in_order"]

NOWHERE: Final = -1
"""Stands in place of a client id: the item hangs in a root type, is collected or missing, or has no neighbour
there."""


class Link(NamedTuple):
    """How an item says where it hangs. One without a link hangs where the one before it hangs."""

    client: int
    clock: int
    of_client: int
    of_clock: int
    step: int
    """0: beside the item `of_client`, `of_clock`; 1: inside it."""
    right_client: int
    right_clock: int
    """Its neighbour on the right."""
    keyed: bool
    """Whether it says itself that it is a map entry; its neighbours may know better."""
    long: int
    """Its length, where it has several elements with content; else 0."""


def in_order(links: Sequence[Link]) -> Iterator[Link]:
    """The links of one update, each after those it refers to, whatever the order of clients.

    Raises Malformed("cycle"), after all others, when items wait for each other.
    """
    queues: dict[int, list[Link]] = {}
    for link in reversed(links):
        queues.setdefault(link.client, []).append(link)
    work = list(queues)
    blocked: dict[int, list[int]] = {}
    while work:
        client = work.pop()
        queue = queues[client]
        before = len(queue)
        while queue:
            missing = _missing(queue[-1], queues)
            if missing != NOWHERE:
                blocked.setdefault(missing, []).append(client)
                break
            yield queue.pop()
        if len(queue) < before:
            work.extend(blocked.pop(client, ()))
    if any(queues.values()):
        raise Malformed("cycle", 0)


def _missing(link: Link, queues: Mapping[int, list[Link]]) -> int:
    """The other client id of which an item that `link` refers to is still to come, or NOWHERE."""
    for client, clock in ((link.of_client, link.of_clock), (link.right_client, link.right_clock)):
        queue = queues.get(client)
        if queue and queue[-1].clock <= clock and client != link.client:
            return client
    return NOWHERE


_NOTHING_KNOWN: Final[Mapping[int, int]] = {}


class Places:
    """The place of each item: 2 x depth + (1 under a key).

    Depth 0 is directly in a root type, 1 in a type in a root type, and so on.
    """

    __slots__ = ("_limit", "_runs")

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limit = limits.nesting
        self._runs: dict[int, tuple[list[int], list[int]]] = {}

    def add(self, links: Sequence[Link], known: Mapping[int, int] = _NOTHING_KNOWN) -> tuple[int, list[Link]]:
        """Learns the links of one update; `known` says which clocks of each client came earlier.

        Returns the deepest depth, and the map entries that are long. Raises, having learnt nothing,
        LimitExceeded("nesting") past the limit, and Malformed("cycle") when items wait for each other.
        """
        entries: list[Link] = []
        if not links:
            return 0, entries
        try:
            if links[0].client == links[-1].client:  # all of one client: they come client after client
                return max([self._learn(link, known, entries) for link in links]) >> 1, entries
            return self._add_in_order(links, known, entries) >> 1, entries
        except (LimitExceeded, Malformed):
            self.forget(links, known)
            raise

    def forget(self, links: Sequence[Link], known: Mapping[int, int]) -> None:
        """Unlearns links that were just added, with the same `known`."""
        for client in {link.client for link in links}:
            if (run := self._runs.get(client)) is not None:
                keep = bisect_right(run[0], known.get(client, 0) - 1)
                del run[0][keep:], run[1][keep:]
                if not keep:
                    del self._runs[client]

    def _add_in_order(self, links: Sequence[Link], known: Mapping[int, int], entries: list[Link]) -> int:
        """Learns an item only after those it refers to, whatever the order of clients in the update."""
        return max([self._learn(link, known, entries) for link in in_order(links)], default=0)

    def place_of(self, client: int, clock: int) -> int:
        """The place of one item; 0 for one never heard of."""
        run = self._runs.get(client)
        index = bisect_right(run[0], clock) if run is not None else 0
        return run[1][index - 1] if run is not None and index else 0

    def _learn(self, link: Link, known: Mapping[int, int], entries: list[Link]) -> int:
        client, clock = link.client, link.clock
        place = self.place_by(link)
        if place >> 1 > self._limit:
            raise LimitExceeded("nesting", self._limit, place >> 1)
        if link.long and place & 1:
            entries.append(link)
        if clock < known.get(client, 0):
            return place
        run = self._runs.get(client)
        if run is None:
            run = self._runs[client] = ([], [])
        starts, places = run
        if not places or places[-1] != place:
            starts.append(clock)
            places.append(place)
        return place

    def place_by(self, link: Link) -> int:
        """The place that `link` leads to."""
        _, _, of_client, of_clock, step, right_client, right_clock, keyed, _ = link
        place = 0
        if of_client != NOWHERE:
            place = self.place_of(of_client, of_clock)
            if step:
                place = (place >> 1) + 1 << 1
        if right_client != NOWHERE:
            right = self.place_of(right_client, right_clock)
            place = max(place, right) | (place | right) & 1
        return place | 1 if keyed else place
