"""What is known of a document: its clocks, deletions, shared types, places and surrogate pairs; and by that,
whether an update fits it. The engine is asked only for what no update says.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from crdt.clocks import ClockSet
from crdt.codec import Writer
from crdt.engine import Engine
from crdt.errors import Malformed
from crdt.limits import STORED, Limits
from crdt.places import NOWHERE, Link, Places
from crdt.surgery import collected, straddling
from crdt.update import ClockRange, UpdateSummary, read_sections, read_state_vector, read_update

__all__ = ["Ledger", "is_ready"]


class Ledger:
    """What every applied update has said, and the engine that holds it all."""

    engine: Engine
    """Given by whoever holds the document: the engine belongs to one thread, what updates say to none."""

    def __init__(self, limits: Limits) -> None:
        self.clocks: dict[int, int] = {}
        """How many clocks of each client id are here."""
        self.deleted = ClockSet()
        """What updates have deleted by name; `is_deleted` knows the rest."""
        self._limits = limits
        self._places = Places(limits)
        self._types: dict[int, list[int]] = {}
        self._pairs: dict[int, list[int]] = {}

    def adds_nothing(self, summary: UpdateSummary) -> bool:
        """Whether all of it is here, as far as updates have said."""
        clocks = self.clocks
        for written in summary.writes:
            if clocks.get(written.client, 0) < written.end:
                return False
        return not summary.deletes or all(deleted in self.deleted for deleted in summary.deletes)

    def is_ready(self, summary: UpdateSummary) -> bool:
        """Whether the engine could integrate the update to its last struct and deletion."""
        return is_ready(summary, self.clocks)

    def check(self, update: bytes, summary: UpdateSummary) -> None:
        """Learns where the items of a ready update lie. Raises, having learnt nothing, Malformed ("parent",
        "map-entry") and LimitExceeded ("nesting") for what the engine or a browser could not bear."""
        clocks = self.clocks
        for written in summary.writes:
            if written.start < clocks.get(written.client, 0) < written.end:
                self._check_continuations(update, summary)
                break
        self._check_parents(update, summary)
        _, entries = self._places.add(summary.links, clocks)
        if entries:
            try:
                self._check_entries(entries, summary)
            except Malformed:
                self.forget(summary)
                raise

    def learn(self, summary: UpdateSummary) -> None:
        """Takes in what the engine holds already, unchecked. Raises LimitExceeded and Malformed ("cycle")."""
        self._places.add(summary.links, self.clocks)
        self.note(summary)

    def forget(self, summary: UpdateSummary) -> None:
        """Unlearns what `check` has just learnt."""
        self._places.forget(summary.links, self.clocks)

    def note(self, summary: UpdateSummary) -> None:
        """The engine has integrated the update that was checked."""
        clocks = self.clocks
        for client, clock in summary.types:
            if clock >= clocks.get(client, 0):
                self._types.setdefault(client, []).append(clock)
        for client, clock in summary.pairs:
            if clock >= clocks.get(client, 0):
                self._pairs.setdefault(client, []).append(clock)
        for written in summary.writes:
            if clocks.get(written.client, 0) < written.end:
                clocks[written.client] = written.end
        for deleted in summary.deletes:
            self.deleted.add(deleted)

    def is_deleted(self, item: ClockRange) -> bool:
        """Whether all of it is deleted."""
        if item in self.deleted:
            return True
        self.learn_deletions()
        return item in self.deleted

    def learn_deletions(self) -> None:
        """Asks the engine: overwritten map entries and children of deleted types go without a word."""
        deletions = self.engine.update_since(self.engine.state_vector())
        for deleted in read_update(deletions, STORED).deletes:
            self.deleted.add(deleted)

    def _check_entries(self, entries: Sequence[Link], summary: UpdateSummary) -> None:
        """Refuses map entries longer than one that live: Yjs joins only deleted ones."""
        deletes = ClockSet(summary.deletes)
        for link in entries:
            item = ClockRange(link.client, link.clock, link.clock + link.long)
            if item not in deletes and not self.is_deleted(item):
                raise Malformed("map-entry", 0)

    def _check_continuations(self, update: bytes, summary: UpdateSummary) -> None:
        """Refuses an item that goes on elsewhere than its known beginning: Yjs or the engine would fail."""
        links = {(link.client, link.clock): link for link in summary.links}
        for item in straddling(update, self.clocks):
            client, clock = item.client, item.start
            before = Link(client, clock, client, clock - 1, 0, NOWHERE, 0, keyed=False, long=0)
            link = links.get((client, clock), before)
            last = self.clocks[client] - 1
            place = self._places.place_of(client, last)
            if link.long and place & 1:
                self._check_entries([link], summary)
            if self._is_collected(client, last):
                if not self._ends_collected(link):
                    raise Malformed("parent", 0)
            elif self._places.place_by(link) != place:
                raise Malformed("parent", 0)

    def _ends_collected(self, link: Link) -> bool:
        """Whether Yjs would collect an item, for want of a living place, as soon as it comes."""
        if link.step:
            return self.is_deleted(ClockRange(link.of_client, link.of_clock, link.of_clock + 1))
        return any(
            client != NOWHERE and self._is_collected(client, clock)
            for client, clock in ((link.of_client, link.of_clock), (link.right_client, link.right_clock))
        )

    def _is_collected(self, client: int, clock: int) -> bool:
        vector = Writer().var_uint(len(self.clocks))
        for other, known in self.clocks.items():
            vector.var_uint(other).var_uint(clock if other == client else known)
        update = self.engine.update_since(bytes(vector))
        sections = read_sections(update, STORED)
        return bool(sections) and update[sections[0].offsets[0]] == 0

    def _check_parents(self, update: bytes, summary: UpdateSummary) -> None:
        """Refuses an item inside of what is no shared type, nor was one: the engine stops half-way at it."""
        links = summary.links
        hosts: ClockSet | None = None
        for index, link in enumerate(links):
            if not link.step or self._is_known(link, links[index + 1 : index + 2]):
                continue
            of_client, of_clock = link.of_client, link.of_clock
            types = self._types.get(of_client)
            if types is not None:
                position = bisect_left(types, of_clock)
                if position < len(types) and types[position] == of_clock:
                    continue
            hosts = hosts or self._hosts_in(update, summary)
            parent = ClockRange(of_client, of_clock, of_clock + 1)
            if parent not in hosts and not self.is_deleted(parent):
                raise Malformed("parent", 0)

    def _hosts_in(self, update: bytes, summary: UpdateSummary) -> ClockSet:
        """What is new in an update and may hold items: types, and what comes collected or deleted already."""
        hosts = ClockSet(ClockRange(client, clock, clock + 1) for client, clock in summary.types)
        for item in collected(update):
            hosts.add(item)
        new = ClockSet()
        for item in hosts:
            known = self.clocks.get(item.client, 0)
            if known < item.end:
                new.add(ClockRange(item.client, max(item.start, known), item.end))
        return new

    def _is_known(self, link: Link, following: Sequence[Link]) -> bool:
        """Whether the item, up to the one of the link that follows, is here already."""
        known = self.clocks.get(link.client, 0)
        return link.clock < known and any(
            other.client == link.client and other.clock <= known for other in following
        )

    # Surrogate pairs

    def cut_pairs(self, summary: UpdateSummary) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
        """(client, clock) of the second halves of the pairs that an update cuts in two: of those that are
        here, and of its own."""
        if not self._pairs and not summary.pairs:
            return set(), set()
        own = {pair for pair in summary.pairs if pair[1] >= self.clocks.get(pair[0], 0)}
        here: set[tuple[int, int]] = set()
        new: set[tuple[int, int]] = set()
        for client, clock in self._cuts(summary):
            pairs = self._pairs.get(client, ())
            index = bisect_left(pairs, clock)
            if index < len(pairs) and pairs[index] == clock:
                here.add((client, clock))
            if (client, clock) in own:
                new.add((client, clock))
        return here, new

    def forget_pairs(self, pairs: set[tuple[int, int]]) -> None:
        """They are cut."""
        for client, clock in pairs:
            self._pairs[client].remove(clock)

    def _cuts(self, summary: UpdateSummary) -> Iterator[tuple[int, int]]:
        """Where the update cuts text apart: the clocks that become the first of a struct."""
        for _, _, of_client, of_clock, step, right_client, right_clock, *_ in summary.links:
            if of_client != NOWHERE and not step:
                yield of_client, of_clock + 1
            if right_client != NOWHERE:
                yield right_client, right_clock
        for deleted in summary.deletes:
            yield deleted.client, deleted.start
            yield deleted.client, deleted.end
        for written in summary.writes:
            yield written.client, self.clocks.get(written.client, 0)

    def vector_between_pairs(self, state_vector: bytes) -> bytes:
        """A state vector that cuts no pair. Raises Malformed and LimitExceeded for a bad one."""
        vector = read_state_vector(state_vector, self._limits)
        if not self._pairs:
            return state_vector
        writer = Writer().var_uint(len(vector))
        for client, clock in vector.items():
            writer.var_uint(client).var_uint(clock - 1 if clock in self._pairs.get(client, ()) else clock)
        return bytes(writer)


def is_ready(summary: UpdateSummary, known: Mapping[int, int]) -> bool:
    """Whether the engine, with these clocks of each client id, could integrate all of the update."""
    if len(summary.writes) == 1:
        written = summary.writes[0]
        client, end = written.client, written.end
        if known.get(client, 0) < written.start:
            return False
    elif summary.writes:
        client, end = -1, 0
        known = dict(known)
        for written in summary.writes:
            if known.get(written.client, 0) < written.start:
                return False
            known[written.client] = max(known.get(written.client, 0), written.end)
    else:
        client, end = -1, 0
    for of_client, clock in summary.needs:
        if known.get(of_client, 0) < clock:
            return False
    for deleted in summary.deletes:
        if known.get(deleted.client, 0) < deleted.end and (deleted.client != client or end < deleted.end):
            return False
    return True
