"""How deep types lie inside one another, learnt from the updates that write them.

The engine walks nested types by recursion and has no limit of its own, so a chain of small updates, each
nesting one level deeper, could overflow the stack of the process. An item says where it hangs by its parent
or its neighbours; all that is typed in one place lies equally deep, so a run of clocks costs one entry.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final

from crdt.errors import LimitExceeded, Malformed
from crdt.limits import DEFAULT, MAX_SAFE_INTEGER, Limits

__all__ = ["NOWHERE", "Link", "Nesting"]

NOWHERE: Final = -1
"""Stands in place of a client id: the item hangs in a root type, is collected, or has no neighbour there."""

Link = tuple[int, int, int, int, int, int, int]
"""(client, clock, of client, of clock, step, right client, right clock): the item at `clock` lies `step`
levels below the other one (0: beside it, 1: inside it), and beside its right neighbour: the deeper of both.
An item without a link lies where the one before it lies."""

_NOTHING_KNOWN: Final[Mapping[int, int]] = {}


class Nesting:
    """Depth of each item's place: 0 directly in a root type, 1 in a type in a root type, and so on."""

    __slots__ = ("_limit", "_runs")

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limit = limits.nesting
        self._runs: dict[int, tuple[list[int], list[int]]] = {}

    def depth_of(self, client: int, clock: int) -> int:
        """Depth of the place of one item; 0 for one never heard of."""
        run = self._runs.get(client)
        index = bisect_right(run[0], clock) if run is not None else 0
        return run[1][index - 1] if run is not None and index else 0

    def add(self, links: Sequence[Link], known: Mapping[int, int] = _NOTHING_KNOWN) -> int:
        """Learns the links of one update; `known` says which clocks of each client came earlier.

        Returns the deepest place. Raises, having learnt nothing, LimitExceeded("nesting") past the limit and
        Malformed("cycle") when items wait for each other.
        """
        if not links:
            return 0
        try:
            if links[0][0] == links[-1][0]:  # all of one client: they come client after client
                return max([self._learn(link, known) for link in links])
            return self._add_in_order(links, known)
        except (LimitExceeded, Malformed):
            self.forget(links, known)
            raise

    def _add_in_order(self, links: Sequence[Link], known: Mapping[int, int]) -> int:
        """Learns an item only after those it refers to, whatever the order of clients in the update."""
        queues: dict[int, list[Link]] = {}
        for link in reversed(links):
            queues.setdefault(link[0], []).append(link)
        deepest = 0
        for first in queues:
            stack = [(first, MAX_SAFE_INTEGER)]  # each is learnt only as far as the one below waits
            on_stack = {first}
            while stack:
                client, last = stack[-1]
                queue = queues[client]
                while queue and queue[-1][1] <= last:
                    link = queue[-1]
                    for of_client, of_clock in ((link[2], link[3]), (link[5], link[6])):
                        waits_for = queues.get(of_client)
                        if waits_for and waits_for[-1][1] <= of_clock and of_client != client:
                            break
                    else:
                        deepest = max(deepest, self._learn(link, known))
                        queue.pop()
                        continue
                    if of_client in on_stack:
                        raise Malformed("cycle", 0)
                    stack.append((of_client, of_clock))
                    on_stack.add(of_client)
                    break
                else:
                    stack.pop()
                    on_stack.discard(client)
        return deepest

    def _learn(self, link: Link, known: Mapping[int, int]) -> int:
        client, clock, of_client, of_clock, step, right_client, right_clock = link
        depth = 0 if of_client == NOWHERE else self.depth_of(of_client, of_clock) + step
        if right_client != NOWHERE:
            depth = max(depth, self.depth_of(right_client, right_clock))
        if depth > self._limit:
            raise LimitExceeded("nesting", self._limit, depth)
        from_clock = known.get(client, 0)
        if clock < from_clock:
            # An item that reaches past what is known goes on there, perhaps (forged) in another place.
            if depth <= self.depth_of(client, from_clock):
                return depth
            clock = from_clock
        run = self._runs.get(client)
        if run is None:
            run = self._runs[client] = ([], [])
        starts, depths = run
        if starts and starts[-1] == clock:
            depths[-1] = depth if clock > from_clock else max(depths[-1], depth)
        elif not depths or depths[-1] != depth:
            starts.append(clock)
            depths.append(depth)
        return depth

    def forget(self, links: Sequence[Link], known: Mapping[int, int]) -> None:
        """Unlearns links that were just added, with the same `known`."""
        for client in {link[0] for link in links}:
            if (run := self._runs.get(client)) is not None:
                keep = bisect_right(run[0], known.get(client, 0) - 1)
                del run[0][keep:], run[1][keep:]
                if not keep:
                    del self._runs[client]
