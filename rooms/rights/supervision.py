"""Supervised rooms: which spaces have a teacher in them now, on whatever node.

A teacher (or admin) is in a space while a socket of theirs is open on any document of it. Each node says of
its own every second, and at once when that changes; its word counts for a while, so that a node that dies
takes its teachers with it. When the last teacher of a school is gone, a minute of grace begins: a broken line
or a node that restarts goes unnoticed. Rights rest on `Supervision.teachers`, which holds to the moment; when
its answer has changed, those whose rights rest on it are asked for anew.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from rooms.documents.attachment import Attachment
from rooms.rights.access import Change, Changes

__all__ = ["GRACE", "Supervision"]

GRACE: Final = 60.0
"""Seconds for which a teacher who has gone still counts."""
HEARD_FOR: Final = 15.0
"""Seconds for which a node's word counts; it repeats it every second."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Said:
    schools: frozenset[str]
    until: float


class Supervision:
    """The teachers of one node's sockets, and those that other nodes tell of. All in the loop's thread."""

    def __init__(self, changes: Changes, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.grace = GRACE
        self.spread: Callable[[Mapping[str, Sequence[str]]], None] = lambda spaces: None
        """Tells the other nodes what has changed here: space -> schools."""
        self._changes = changes
        self._clock = clock
        self._here: dict[Attachment, tuple[str, str]] = {}
        """A teacher's socket on a document -> space and school."""
        self._counted: dict[str, Counter[str]] = {}
        """Space -> school -> how many of those."""
        self._there: dict[str, dict[str, _Said]] = {}
        """Space -> node -> what it said."""
        self._ends: dict[str, dict[str, float]] = {}
        """Space -> school -> until when its teacher is there if nothing more is heard."""
        self._known: dict[str, frozenset[str]] = {}
        """What was published last."""

    def teachers(self, space: str) -> frozenset[str]:
        """The schools whose teacher is in the space, or was a minute ago."""
        ends = self._ends.get(space)
        if ends is None:
            return frozenset()
        now = self._clock()
        return frozenset(school for school, end in ends.items() if end > now)

    # This node

    def watch(self, attachment: Attachment) -> None:
        """An attachment is new, or its rights were asked for anew."""
        access = attachment.access
        place = None
        if attachment.attached and access.space is not None and access.teacher_of is not None:
            place = (access.space, access.teacher_of)
        if place == self._here.get(attachment):
            return
        self.leave(attachment)
        if place is not None:
            self._here[attachment] = place
            self._count(*place, 1)

    def leave(self, attachment: Attachment) -> None:
        """An attachment ends."""
        place = self._here.pop(attachment, None)
        if place is not None:
            self._count(*place, -1)

    def _count(self, space: str, school: str, more: int) -> None:
        counted = self._counted.setdefault(space, Counter())
        before = school in counted
        counted[school] += more
        if not counted[school]:
            del counted[school]
        if (school in counted) is not before:
            self.spread({space: tuple(counted)})
            self._look(space)
        if not counted:
            del self._counted[space]

    def here(self) -> Mapping[str, Sequence[str]]:
        """What this node has to say to the others: space -> schools of the teachers on it."""
        return {space: tuple(counted) for space, counted in self._counted.items()}

    # Other nodes

    def heard(self, node: str, spaces: Mapping[str, Sequence[str]]) -> None:
        """Another node says whose teachers are in these spaces through it."""
        until = self._clock() + HEARD_FOR
        for space, schools in spaces.items():
            nodes = self._there.setdefault(space, {})
            nodes.pop(node, None)
            if schools:
                nodes[node] = _Said(frozenset(schools), until)
            self._look(space)

    def node_gone(self, node: str) -> None:
        for space, nodes in tuple(self._there.items()):
            if nodes.pop(node, None) is not None:
                self._look(space)

    # Time

    def tick(self) -> None:
        """Once a second: takes notice of what has ended."""
        for space in tuple(self._ends):
            self._look(space)

    def _look(self, space: str) -> None:
        now = self._clock()
        ends = dict.fromkeys(self._counted.get(space, ()), math.inf)
        nodes = {node: said for node, said in self._there.get(space, {}).items() if said.until > now}
        for said in nodes.values():
            for school in said.schools:
                ends[school] = max(ends.get(school, 0.0), said.until + self.grace)
        for school, end in self._ends.get(space, {}).items():
            gone_at = min(end, now + self.grace)
            if school not in ends and gone_at > now:
                ends[school] = gone_at
        _keep(self._there, space, nodes)
        _keep(self._ends, space, ends)
        known = frozenset(ends)
        if known != self._known.get(space, frozenset()):
            _keep(self._known, space, known)
            notice = ("space", "pages", "threads")
            self._changes.publish(Change("supervision", space=space, notice=notice, supervised=True))


def _keep(kept: dict[str, T], space: str, what: T) -> None:
    if what:
        kept[space] = what
    else:
        kept.pop(space, None)
