"""A document: what is known of it, what waits, and the engine that holds it.

The engine gets nothing but updates that the structural reader accepted and that fit what is here already.
What refers to structs not here yet waits outside, as raw bytes: the engine would keep it too, but hide it
from its state, its answers and its events, in time that grows with the square.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from crdt.clocks import ClockSet
from crdt.codec import Writer
from crdt.engine import Engine, XmlNode, XmlRun, check_decodable, merge
from crdt.errors import CrdtError, EngineRefused, LimitExceeded, Malformed
from crdt.limits import DEFAULT, STORED, Limits
from crdt.places import NOWHERE, Link, Places
from crdt.surgery import collected, replace_pairs, split, straddling
from crdt.update import (
    ClockRange,
    UpdateSummary,
    read_sections,
    read_state_vector,
    read_update,
)

__all__ = ["Document", "Outcome", "merge"]

_logger = logging.getLogger(__name__)

_EMPTY_VECTOR = b"\x00"


class Outcome(Enum):
    """What applying an update has done."""

    APPLIED = "applied"
    PENDING = "pending"
    """All or a part of it waits for a predecessor: kept, and to be logged and relayed like any other."""
    NOTHING_NEW = "nothing new"


@dataclass(frozen=True, slots=True)
class _Waiting:
    update: bytes
    summary: UpdateSummary
    sender: str
    waits_for: frozenset[int]
    """Client ids of which structs are missing."""


class Document:
    """One shared document in memory.

    Bytes that cannot be applied change nothing, unless the error says `poisoned`: then the document must be
    thrown away and loaded again.
    """

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._engine = Engine()
        self._clocks: dict[int, int] = {}
        self._deleted = ClockSet()
        self._places = Places(limits)
        self._types: dict[int, list[int]] = {}
        self._pairs: dict[int, list[int]] = {}
        self._waiting: list[_Waiting] = []
        self.given_up: list[bytes] = []
        """What had waited and turned out to be impossible to apply."""

    def close(self) -> None:
        """Frees the engine's memory."""
        self._engine = Engine()
        self._waiting.clear()

    @property
    def pending(self) -> int:
        """Updates that wait for a predecessor."""
        return len(self._waiting)

    # Writing

    def apply(self, update: bytes, summary: UpdateSummary, sender: str = "") -> Outcome:
        """Applies an update that `read_update` summed up; part of it, or all, may have to wait.

        Raises LimitExceeded (nesting, pending of the document or of `sender`), Malformed ("parent": an item
        inside of what cannot hold items) and EngineRefused.
        """
        return self._take_in(update, summary, sender, self._limits)

    def load(self, update: bytes) -> Outcome:
        """Applies an update of our own log, accepted once already: sizes and budgets do not count again.

        Raises Malformed, LimitExceeded or EngineRefused when the log holds what it never can have held.
        """
        return self._take_in(update, read_update(update, STORED), "", STORED)

    def _take_in(self, update: bytes, summary: UpdateSummary, sender: str, limits: Limits) -> Outcome:
        if self._adds_nothing(summary):
            return Outcome.NOTHING_NEW
        if self._is_ready(summary):
            self._integrate(update, summary)
            outcome = Outcome.APPLIED
        else:
            outcome = self._take_in_partly(update, summary, sender, limits)
        if self._waiting:
            self._integrate_waiting(summary)
        return outcome

    def _take_in_partly(self, update: bytes, summary: UpdateSummary, sender: str, limits: Limits) -> Outcome:
        if self._adds_nothing_to_waiting(summary):
            return Outcome.NOTHING_NEW
        parts = split(update, summary, self._clocks)
        if parts.rest is None:
            raise Malformed("cycle", 0)
        check_decodable(parts.rest)  # so that what waits can be merged and served
        waiting = _Waiting(parts.rest, read_update(parts.rest, STORED), sender, parts.waits_for)
        self._check_budget(waiting, limits)
        if parts.ready is not None:
            ready = read_update(parts.ready, STORED)
            if not self._adds_nothing(ready):
                self._integrate(parts.ready, ready)
        self._waiting.append(waiting)
        return Outcome.PENDING

    def _adds_nothing(self, summary: UpdateSummary) -> bool:
        clocks = self._clocks
        for written in summary.writes:
            if clocks.get(written.client, 0) < written.end:
                return False
        return all(deleted in self._deleted for deleted in summary.deletes)

    def _is_ready(self, summary: UpdateSummary) -> bool:
        """Whether the engine could integrate the update to its last struct and deletion."""
        known = self._clocks
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

    def _check_budget(self, new: _Waiting, limits: Limits) -> None:
        own = [waiting for waiting in self._waiting if waiting.sender == new.sender]
        for what, limit, value in (
            ("pending_updates", limits.pending_updates, len(self._waiting) + 1),
            ("pending_updates_per_sender", limits.pending_updates_per_sender, len(own) + 1),
            ("pending_bytes", limits.pending_bytes, _bytes_of(self._waiting) + len(new.update)),
            ("pending_bytes_per_sender", limits.pending_bytes_per_sender, _bytes_of(own) + len(new.update)),
        ):
            if value > limit:
                raise LimitExceeded(what, limit, value)

    def _integrate_waiting(self, arrived: UpdateSummary) -> None:
        """Integrates what waited for structs that have just come, and whatever waited for that in turn."""
        new = {written.client for written in arrived.writes}
        while new:
            retry = [waiting for waiting in self._waiting if not new.isdisjoint(waiting.waits_for)]
            self._waiting = [waiting for waiting in self._waiting if new.isdisjoint(waiting.waits_for)]
            new = set()
            for waiting in retry:
                if self._adds_nothing(waiting.summary):
                    continue
                parts = split(waiting.update, waiting.summary, self._clocks)
                if parts.ready is not None:
                    new |= self._integrate_late(parts.ready)
                if parts.rest is not None:
                    rest = read_update(parts.rest, STORED)
                    self._waiting.append(_Waiting(parts.rest, rest, waiting.sender, parts.waits_for))

    def _integrate_late(self, update: bytes) -> set[int]:
        """Integrates what had waited; gives it up if it cannot be. Returns the client ids it has written."""
        checkpoint = self._engine.update_since(_EMPTY_VECTOR)
        try:
            summary = read_update(update, STORED)
            self._integrate(update, summary)
        except CrdtError as error:
            _logger.warning("an update that had waited can never be applied: %s", error)
            if isinstance(error, EngineRefused) and error.poisoned:
                self._engine = Engine(checkpoint)
            self.given_up.append(update)
            return set()
        return {written.client for written in summary.writes}

    def _integrate(self, update: bytes, summary: UpdateSummary) -> None:
        clocks = self._clocks
        for written in summary.writes:
            if written.start < clocks.get(written.client, 0) < written.end:
                self._check_continuations(update, summary)
                break
        self._check_parents(update, summary)
        _, entries = self._places.add(summary.links, clocks)
        try:
            if entries:
                self._check_entries(entries, summary)
            if self._pairs or summary.pairs:
                update = self._keep_pairs_whole(update, summary)
            self._engine.apply(update)
            if len(summary.writes) > 1:
                self._check_vector(summary)
        except CrdtError:
            self._places.forget(summary.links, clocks)
            raise
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
            self._deleted.add(deleted)

    def _check_vector(self, summary: UpdateSummary) -> None:
        vector = read_state_vector(self._engine.state_vector(), STORED)
        for written in summary.writes:
            if vector.get(written.client, 0) < written.end:
                raise EngineRefused("not all of it could be integrated.", poisoned=True)

    def _check_entries(self, entries: Sequence[Link], summary: UpdateSummary) -> None:
        """Refuses map entries longer than one that live: Yjs joins only deleted ones."""
        deletes = ClockSet(summary.deletes)
        for link in entries:
            item = ClockRange(link.client, link.clock, link.clock + link.long)
            if item not in deletes and not self._is_deleted(item):
                raise Malformed("map-entry", 0)

    def _check_continuations(self, update: bytes, summary: UpdateSummary) -> None:
        """Refuses an item that goes on elsewhere than its known beginning: Yjs or the engine would fail."""
        links = {(link.client, link.clock): link for link in summary.links}
        for item in straddling(update, self._clocks):
            client, clock = item.client, item.start
            before = Link(client, clock, client, clock - 1, 0, NOWHERE, 0, keyed=False, long=0)
            link = links.get((client, clock), before)
            last = self._clocks[client] - 1
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
            return self._is_deleted(ClockRange(link.of_client, link.of_clock, link.of_clock + 1))
        return any(
            client != NOWHERE and self._is_collected(client, clock)
            for client, clock in ((link.of_client, link.of_clock), (link.right_client, link.right_clock))
        )

    def _is_collected(self, client: int, clock: int) -> bool:
        vector = Writer().var_uint(len(self._clocks))
        for other, known in self._clocks.items():
            vector.var_uint(other).var_uint(clock if other == client else known)
        update = self._engine.update_since(bytes(vector))
        sections = read_sections(update, STORED)
        return bool(sections) and update[sections[0].offsets[0]] == 0

    def _check_parents(self, update: bytes, summary: UpdateSummary) -> None:
        """Refuses an item inside of what is no shared type, nor was one: the engine stops half-way at it."""
        links = summary.links
        hosts: ClockSet | None = None
        for index, (client, clock, of_client, of_clock, step, *_) in enumerate(links):
            if not step or self._is_known(client, clock, links[index + 1 : index + 2]):
                continue
            types = self._types.get(of_client)
            if types is not None:
                position = bisect_left(types, of_clock)
                if position < len(types) and types[position] == of_clock:
                    continue
            hosts = hosts or self._hosts_in(update, summary)
            parent = ClockRange(of_client, of_clock, of_clock + 1)
            if parent not in hosts and not self._is_deleted(parent):
                raise Malformed("parent", 0)

    def _hosts_in(self, update: bytes, summary: UpdateSummary) -> ClockSet:
        """What is new in an update and may hold items: types, and what comes collected or deleted already."""
        hosts = ClockSet(ClockRange(client, clock, clock + 1) for client, clock in summary.types)
        for item in collected(update):
            hosts.add(item)
        new = ClockSet()
        for item in hosts:
            known = self._clocks.get(item.client, 0)
            if known < item.end:
                new.add(ClockRange(item.client, max(item.start, known), item.end))
        return new

    def _is_known(self, client: int, clock: int, following: Sequence[Link]) -> bool:
        """Whether the item at `clock`, up to the one of the link that follows, is here already."""
        known = self._clocks.get(client, 0)
        return clock < known and any(link.client == client and link.clock <= known for link in following)

    # Reading

    def state_vector(self) -> bytes:
        """How many clocks of each client id are here."""
        return self._engine.state_vector()

    def vector_without(self, summaries: Iterable[UpdateSummary]) -> bytes:
        """The state vector as if these applied updates were not here."""
        clocks = dict(self._clocks)
        for summary in summaries:
            for written in summary.writes:
                clocks[written.client] = min(clocks.get(written.client, 0), written.start)
        known = {client: clock for client, clock in clocks.items() if clock > 0}
        writer = Writer().var_uint(len(known))
        for client, clock in known.items():
            writer.var_uint(client).var_uint(clock)
        return bytes(writer)

    def diff(self, state_vector: bytes | None) -> list[bytes]:
        """One update with all that `state_vector` lacks, then the raw updates that still wait.

        Raises Malformed or LimitExceeded for a bad state vector.
        """
        if state_vector is None or state_vector == _EMPTY_VECTOR:
            vector = _EMPTY_VECTOR
        else:
            vector = self._vector_between_pairs(state_vector)
        return [self._engine.update_since(vector), *(waiting.update for waiting in self._waiting)]

    def xml(self, root: str) -> list[XmlNode | XmlRun]:
        """What stands in the root fragment of this name, read at one go. Raises EngineRefused."""
        return self._engine.xml(root)

    def holds(self, written: ClockRange) -> bool:
        """Whether these structs are here already, integrated or waiting."""
        known = self._clocks.get(written.client, 0)
        return known >= written.end or any(
            item.client == written.client
            and item.start <= max(known, written.start)
            and item.end >= written.end
            for waiting in self._waiting
            for item in waiting.summary.writes
        )

    def contains(self, update: bytes, summary: UpdateSummary) -> bool:
        """Whether applying `update` would add neither a struct nor a deletion, nor wait for anything new."""
        if self._adds_nothing(summary):
            return True
        self._learn_deletions()
        return self._adds_nothing(summary) or self._adds_nothing_to_waiting(summary)

    def _adds_nothing_to_waiting(self, summary: UpdateSummary) -> bool:
        if not self._waiting:
            return False
        written = ClockSet(ClockRange(client, 0, clock) for client, clock in self._clocks.items())
        deleted = ClockSet(self._deleted)
        for waiting in self._waiting:
            for item in waiting.summary.writes:
                written.add(item)
            for item in waiting.summary.deletes:
                deleted.add(item)
        return all(item in written for item in summary.writes) and all(
            item in deleted for item in summary.deletes
        )

    def _is_deleted(self, item: ClockRange) -> bool:
        if item in self._deleted:
            return True
        self._learn_deletions()
        return item in self._deleted

    def _learn_deletions(self) -> None:
        """Asks the engine: overwritten map entries and children of deleted types go without a word."""
        deletions = self._engine.update_since(self._engine.state_vector())
        for deleted in read_update(deletions, STORED).deletes:
            self._deleted.add(deleted)

    # Surrogate pairs

    def _keep_pairs_whole(self, update: bytes, summary: UpdateSummary) -> bytes:
        """Where an update cuts a surrogate pair, does what Yjs does itself: both halves become U+FFFD.

        The engine cuts beside the pair instead, and the lengths in its state are wrong from then on. Returns
        the update for the engine.
        """
        new: dict[int, set[int]] = {}
        for client, clock in summary.pairs:
            if clock >= self._clocks.get(client, 0):
                new.setdefault(client, set()).add(clock)
        old_cuts: set[tuple[int, int]] = set()
        new_cuts: set[tuple[int, int]] = set()
        for client, clock in self._cuts(summary):
            pairs = self._pairs.get(client)
            if pairs is not None:
                index = bisect_left(pairs, clock)
                if index < len(pairs) and pairs[index] == clock:
                    old_cuts.add((client, clock))
            if clock in new.get(client, ()):
                new_cuts.add((client, clock))
        if old_cuts:
            self._engine = Engine(replace_pairs(self._engine.update_since(_EMPTY_VECTOR), old_cuts))
            for client, clock in old_cuts:
                self._pairs[client].remove(clock)
        return replace_pairs(update, new_cuts) if new_cuts else update

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
            yield written.client, self._clocks.get(written.client, 0)

    def _vector_between_pairs(self, state_vector: bytes) -> bytes:
        vector = read_state_vector(state_vector, self._limits)
        if not self._pairs:
            return state_vector
        writer = Writer().var_uint(len(vector))
        for client, clock in vector.items():
            writer.var_uint(client).var_uint(clock - 1 if clock in self._pairs.get(client, ()) else clock)
        return bytes(writer)


def _bytes_of(waiting: Iterable[_Waiting]) -> int:
    return sum(len(item.update) for item in waiting)
