"""A document: what is known of it, what waits, and the engine that holds it.

The engine gets nothing but updates that the structural reader accepted and that fit what is here already.
What refers to structs not here yet waits outside, as raw bytes: the engine would keep it too, but hide it
from its state, its answers and its events, in time that grows with the square.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from crdt.clocks import ClockSet
from crdt.codec import Writer
from crdt.engine import Engine, XmlNode, XmlRun, check_decodable, merge
from crdt.errors import CrdtError, EngineRefused, LimitExceeded
from crdt.ledger import Ledger, is_ready
from crdt.limits import DEFAULT, STORED, Limits
from crdt.protection import Mine, Protection, Verdict
from crdt.restoring import Lesson, may_hold_pairs, study
from crdt.surgery import pieces, replace_pairs, split
from crdt.update import ClockRange, UpdateSummary, read_state_vector, read_update

__all__ = ["Document", "Outcome", "merge"]

_logger = logging.getLogger(__name__)

_EMPTY_VECTOR = b"\x00"
_QUICKLY_READ = 4096
"""Bytes of an update that are read sooner than the engine has said what it knows of all clients."""


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

    def __init__(
        self, limits: Limits = DEFAULT, processor_clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._limits = limits
        self._known = Ledger(limits)
        self._known.engine = Engine()
        self._protection = Protection()
        self._structs = 0
        self._processor_clock = processor_clock
        self._waiting: list[_Waiting] = []
        self._unread: list[bytes] = []
        self._restored: dict[int, int] = {}
        """How many clocks of each client id are in what is unread."""
        self.given_up: list[bytes] = []
        """What had waited and turned out to be impossible to apply."""

    def close(self) -> None:
        """Frees the engine's memory."""
        self._known.engine = Engine()
        self._waiting.clear()
        self._unread = []

    @property
    def pending(self) -> int:
        """Updates that wait for a predecessor."""
        return len(self._waiting)

    # Writing

    def apply(
        self, update: bytes, summary: UpdateSummary, sender: str = "", *, later: bool = False
    ) -> Outcome:
        """Applies an update that `read_update` summed up; part of it, or all, may have to wait.

        With `later` the engine may get letters only when it is asked for something, or by :meth:`settle`.

        Raises LimitExceeded (nesting, pending of the document or of `sender`), Malformed ("parent": an item
        inside of what cannot hold items) and EngineRefused.
        """
        return self._take_in(update, summary, sender, self._limits, later)

    def settle(self) -> None:
        """Gives the engine what it has not been given yet.

        Raises EngineRefused, `poisoned`, if it could not apply all that :meth:`apply` has let through.
        """
        self._known.engine.settle()

    def load(self, update: bytes) -> Outcome:
        """Applies an update of our own log, accepted once already: sizes and budgets do not count again.

        Raises Malformed, LimitExceeded or EngineRefused when the log holds what it never can have held.
        """
        return self._take_in(update, read_update(update, STORED), "", STORED)

    # Loading a whole document

    def restore(self, update: bytes) -> None:
        """Applies an update of our own log to a document that nobody has seen yet; it is read later.

        What has to know what it says reads it then, at one go, or raises EngineRefused (poisoned); `learn`
        comes before that. Raises as `load` does.
        """
        if self._known.clocks or self._waiting or may_hold_pairs(update):
            self.load(update)
        elif self._restore(update):
            self._unread.append(update)
        else:
            self._known.engine = engine = Engine()
            for earlier in self._unread:
                engine.apply(earlier)
            self.load(update)

    def _restore(self, update: bytes) -> bool:
        """Whether all of an update could be integrated; if not, the engine may hold a part of it."""
        engine = self._known.engine
        if len(update) < _QUICKLY_READ:
            summary = read_update(update, STORED)
            if len(summary.writes) <= 1:
                ready = is_ready(summary, self._restored)
                if ready:
                    engine.apply(update)
                    for client, _, end in summary.writes:
                        self._restored[client] = max(end, self._restored.get(client, 0))
                return ready
        try:
            engine.apply(update)
            if engine.waits(update):
                return False
        except EngineRefused:
            return False
        self._restored = read_state_vector(engine.state_vector(), STORED)
        return True

    @property
    def unread(self) -> Sequence[bytes]:
        """What was restored and not read yet, for `crdt.restoring.study`."""
        return self._unread

    def learn(self, lesson: Lesson) -> None:
        """Takes in what `study` found in `unread`, if that is not known by now."""
        if self._unread:
            lesson.known.engine = self._known.engine
            self._known, self._protection, self._structs = lesson
            self._unread, self._restored = [], {}

    @property
    def _clocks(self) -> Mapping[int, int]:
        return self._restored if self._unread else self._known.clocks

    def _engine_holds(self, summary: UpdateSummary) -> bool:
        known = Ledger(self._limits)
        known.engine = self._known.engine
        known.clocks = self._restored
        known.learn_deletions()
        return known.adds_nothing(summary)

    def _read(self) -> None:
        if not self._unread:
            return
        try:
            self.learn(study(self._unread, self._limits))
        except CrdtError as error:
            raise EngineRefused(f"what was stored cannot be read: {error}", poisoned=True) from error

    def _take_in(
        self, update: bytes, summary: UpdateSummary, sender: str, limits: Limits, later: bool = False
    ) -> Outcome:
        self._read()
        if self._known.adds_nothing(summary):
            return Outcome.NOTHING_NEW
        if self._known.is_ready(summary):
            self._integrate(update, summary, limits, later)
            outcome = Outcome.APPLIED
        else:
            outcome = self._take_in_partly(update, summary, sender, limits)
        if self._waiting:
            self._integrate_waiting(summary)
        return outcome

    def _take_in_partly(self, update: bytes, summary: UpdateSummary, sender: str, limits: Limits) -> Outcome:
        if self._adds_nothing_to_waiting(summary):
            return Outcome.NOTHING_NEW
        parts = split(update, summary, self._known.clocks)
        if parts.rest is None:
            self._integrate(update, summary, limits)
            return Outcome.APPLIED
        check_decodable(parts.rest)  # so that what waits can be merged and served
        waiting = _Waiting(parts.rest, read_update(parts.rest, STORED), sender, parts.waits_for)
        self._check_budget(waiting, limits)
        if parts.ready is not None:
            ready = read_update(parts.ready, STORED)
            if not self._known.adds_nothing(ready):
                self._integrate(parts.ready, ready, limits)
        self._waiting.append(waiting)
        return Outcome.PENDING

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
                if self._known.adds_nothing(waiting.summary):
                    continue
                parts = split(waiting.update, waiting.summary, self._known.clocks)
                if parts.ready is not None:
                    new |= self._integrate_late(parts.ready)
                if parts.rest is not None:
                    rest = read_update(parts.rest, STORED)
                    self._waiting.append(_Waiting(parts.rest, rest, waiting.sender, parts.waits_for))

    def _integrate_late(self, update: bytes) -> set[int]:
        """Integrates what had waited; gives it up if it cannot be. Returns the client ids it has written."""
        checkpoint = self._known.engine.update_since(_EMPTY_VECTOR)
        try:
            summary = read_update(update, STORED)
            self._integrate(update, summary, self._limits)
        except CrdtError as error:
            _logger.warning("an update that had waited can never be applied: %s", error)
            if isinstance(error, EngineRefused) and error.poisoned:
                self._known.engine.restart(checkpoint)
            self.given_up.append(update)
            return set()
        return {written.client for written in summary.writes}

    def _integrate(self, update: bytes, summary: UpdateSummary, limits: Limits, later: bool = False) -> None:
        known = self._known
        known.check(update, summary)
        try:
            self._run(self._keep_pairs_whole(update, summary), summary, limits, later)
            if len(summary.writes) > 1:
                self._check_vector(summary)
        except CrdtError:
            known.forget(summary)
            raise
        self._protection.note(update, summary, known)
        known.note(summary)

    def _run(self, update: bytes, summary: UpdateSummary, limits: Limits, later: bool) -> None:
        """Gives the engine an update; one that may cost more than linear time in pieces, under a clock.

        An insert compares itself with its neighbours up to where it belongs, and a cut moves the structs
        after it: a small update to a large document can take seconds. Raises EngineRefused.
        """
        self._structs += summary.structs
        work = len(summary.links) + len(summary.deletes)
        if work * self._structs <= limits.scan_steps:
            if later and summary.letters:
                self._known.engine.apply_later(update)
            else:
                self._known.engine.apply(update)
            return
        allowed = limits.engine_seconds + limits.engine_seconds_per_struct * (
            summary.structs + len(summary.deletes)
        )
        started = self._processor_clock()
        for piece in pieces(update, summary, self._known.clocks, max(1, limits.scan_steps // self._structs)):
            self._known.engine.apply(piece)
            if self._processor_clock() - started > allowed:
                raise EngineRefused("it takes longer than its size allows.", poisoned=True)

    def _check_vector(self, summary: UpdateSummary) -> None:
        vector = read_state_vector(self._known.engine.state_vector(), STORED)
        for written in summary.writes:
            if vector.get(written.client, 0) < written.end:
                raise EngineRefused("not all of it could be integrated.", poisoned=True)

    def judge(self, update: bytes, summary: UpdateSummary, mine: Mine) -> Verdict:
        """Whether the update leaves alone what is protected from others than those whose client ids are
        `mine`. What would have to wait, nobody can judge.

        Raises Malformed ("cycle") and EngineRefused.
        """
        self._read()
        if self._known.adds_nothing(summary):
            return Verdict.FREE
        if not self._known.is_ready(summary):
            parts = split(update, summary, self._known.clocks)
            if parts.rest is not None:
                rest = read_update(parts.rest, STORED)
                if not self._known.adds_nothing(rest) and not self._adds_nothing_to_waiting(rest):
                    return Verdict.EARLY
            if parts.ready is None:
                return Verdict.FREE
            update, summary = parts.ready, read_update(parts.ready, STORED)
        return self._protection.judge(update, summary, self._known, mine)

    # Reading

    def state_vector(self) -> bytes:
        """How many clocks of each client id are here."""
        return self._known.engine.state_vector()

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
            vector = self._known.vector_between_pairs(state_vector)
        return [self._known.engine.update_since(vector), *(waiting.update for waiting in self._waiting)]

    def xml(self, root: str) -> list[XmlNode | XmlRun]:
        """What stands in the root fragment of this name, read at one go. Raises EngineRefused."""
        return self._known.engine.xml(root)

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
        if self._unread:
            return summary.is_empty or self._engine_holds(summary)
        if self._known.adds_nothing(summary):
            return True
        self._known.learn_deletions()
        return self._known.adds_nothing(summary) or self._adds_nothing_to_waiting(summary)

    def _adds_nothing_to_waiting(self, summary: UpdateSummary) -> bool:
        if not self._waiting:
            return False
        written = ClockSet(ClockRange(client, 0, clock) for client, clock in self._known.clocks.items())
        deleted = ClockSet(self._known.deleted)
        for waiting in self._waiting:
            for item in waiting.summary.writes:
                written.add(item)
            for item in waiting.summary.deletes:
                deleted.add(item)
        return all(item in written for item in summary.writes) and all(
            item in deleted for item in summary.deletes
        )

    # Surrogate pairs

    def _keep_pairs_whole(self, update: bytes, summary: UpdateSummary) -> bytes:
        """Where an update cuts a surrogate pair, does what Yjs does itself: both halves become U+FFFD.

        The engine cuts beside the pair instead, and the lengths in its state are wrong from then on. Returns
        the update for the engine.
        """
        here, own = self._known.cut_pairs(summary)
        if here:
            state = self._known.engine.update_since(_EMPTY_VECTOR)
            self._known.engine.restart(replace_pairs(state, here))
            self._known.forget_pairs(here)
        return replace_pairs(update, own) if own else update


def _bytes_of(waiting: Iterable[_Waiting]) -> int:
    return sum(len(item.update) for item in waiting)
