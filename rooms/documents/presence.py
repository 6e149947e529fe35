"""Who is on a document right now: awareness states, stamped by the server and never stored.

A client id's state belongs to whoever brought it: an attachment here, or another node, which speaks for its
own connections only. Entries for another's id are dropped in silence, since older stock clients repeat what
they have heard (provider changes, protocols.md).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

from crdt.awareness import AwarenessEntry, encode_awareness
from crdt.codec import JsonValue
from rooms.bus.messages import RemoteState

__all__ = ["Presence"]


ECHO_SECONDS = 30.0
"""How long clients may repeat the state of somebody who has left: y-protocols' own time-out."""
SILENT_SECONDS = 45.0
"""How long somebody on another node stays without a word: three renewals."""
MOST_GONE = 5_000
"""Client ids remembered as gone; whoever takes on and drops ids by the thousand is remembered no further."""


@dataclass(frozen=True, slots=True)
class _Node:
    """Another node, as an owner of states."""

    name: str


@dataclass(slots=True)
class _Held:
    owner: Hashable
    """The attachment that speaks for this client id, or the node whose attachment does."""
    subject: str
    clock: int
    state: Mapping[str, JsonValue]
    broken: bool = False
    """Its owner's line broke: whoever of the same subject comes back speaks for it."""
    heard_at: float = 0.0
    """When the node that holds it last spoke of it."""


class Presence:
    """The awareness states of one document.

    ``announce`` is called with one encoded awareness payload for all changes of a loop turn, and
    ``spread`` with those of them that attachments of this node made; ``soon`` schedules a function once
    for the end of this turn (``loop.call_soon``); ``clock`` is monotonic seconds.
    """

    __slots__ = (
        "_announce",
        "_clock",
        "_dirty",
        "_gone",
        "_held",
        "_limit",
        "_soon",
        "_spread",
        "_to_spread",
    )

    def __init__(
        self,
        announce: Callable[[bytes], None],
        soon: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
        *,
        spread: Callable[[list[RemoteState]], None] | None = None,
        states_per_owner: int = 4,
    ) -> None:
        self._held: dict[int, _Held] = {}
        self._dirty: dict[int, AwarenessEntry] = {}
        self._spread = spread
        self._to_spread: dict[int, RemoteState] = {}
        self._gone: OrderedDict[int, tuple[int, float]] = OrderedDict()
        """Clock and time at which a client id's state was taken away, oldest first."""
        self._announce = announce
        self._clock = clock
        self._soon = soon
        self._limit = states_per_owner

    def __len__(self) -> int:
        return len(self._held)

    def states(self) -> dict[int, Mapping[str, JsonValue]]:
        """Client id -> state, of everybody here."""
        return {client: held.state for client, held in self._held.items()}

    def update(
        self,
        owner: Hashable,
        subject: str,
        entries: Iterable[AwarenessEntry],
        stamp: Mapping[str, JsonValue] | None,
    ) -> int:
        """Takes what one attachment says of itself; returns how many entries were not its own to say.

        Follows y-protocols' rule: an entry counts if its clock is newer, or is the same and takes a
        held state away. Older stock clients repeat every state they hear: an entry for a client id
        that another attachment holds, or that has just left under this clock, is such an echo. Only
        the same subject takes a client id over, by a newer clock or when the old line broke.
        """
        foreign = 0
        for entry in entries:
            held = self._held.get(entry.client)
            if held is None:
                if entry.state is None or self._is_echo(entry) or self._is_full(owner):
                    foreign += 1
                    continue
            elif held.owner != owner:
                if held.subject != subject or not _takes_over(entry.clock, held):
                    foreign += 1
                    continue
            elif entry.clock < held.clock or (entry.clock == held.clock and entry.state is not None):
                continue
            if entry.state is None:
                self._remove(entry.client, entry.clock)
                continue
            state = entry.state if stamp is None else {**entry.state, "user": stamp}
            self._hold(entry.client, _Held(owner, subject, entry.clock, state))
        return foreign

    def update_from(self, node: str, states: Iterable[RemoteState]) -> None:
        """Takes what another node says of the clients connected to it.

        It has checked and stamped them. A client that was here and has come to that node under the same
        subject is there now; a node takes away only what it holds.
        """
        there = _Node(node)
        for said in states:
            held = self._held.get(said.client)
            if said.state is None:
                if held is not None and held.owner == there:
                    self._remove(said.client, max(said.clock, held.clock))
            elif held is None or (held.subject == said.subject and _takes_over(said.clock, held)):
                state = json.loads(said.state)
                new = _Held(there, said.subject, said.clock, state, heard_at=self._clock())
                if held is None or (held.clock, held.state) != (new.clock, new.state):
                    self._hold(said.client, new)
                else:
                    self._held[said.client] = new  # nothing to show: it only came here from elsewhere

    def node_gone(self, node: str) -> None:
        """Takes away everybody who was here through another node."""
        self.leave(_Node(node))

    def expire(self) -> None:
        """Takes away whom another node has not spoken of for so long that its word of their going was lost.

        Clients say their state anew every 15 s (y-protocols).
        """
        before = self._clock() - SILENT_SECONDS
        silent = [
            client
            for client, held in self._held.items()
            if isinstance(held.owner, _Node) and held.heard_at < before
        ]
        for client in silent:
            self._remove(client, self._held[client].clock)

    def here(self) -> list[RemoteState]:
        """What this node has to say to another: the states of its own attachments."""
        return [
            _spoken(client, held) for client, held in self._held.items() if not isinstance(held.owner, _Node)
        ]

    def _is_echo(self, entry: AwarenessEntry) -> bool:
        gone = self._gone.get(entry.client)
        return gone is not None and entry.clock <= gone[0]

    def _is_full(self, owner: Hashable) -> bool:
        return sum(1 for held in self._held.values() if held.owner == owner) >= self._limit

    def line_broke(self, owner: Hashable) -> None:
        """The attachment is gone without a word; its states stay until :meth:`leave`."""
        for held in self._held.values():
            if held.owner == owner:
                held.broken = True

    def restamp(self, owner: Hashable, stamp: Mapping[str, JsonValue] | None) -> None:
        """Renews the stamped fields after a right or a name changed; the clocks stay the client's."""
        if stamp is None:
            return
        for held in self._held.values():
            if held.owner == owner:
                held.state = {**held.state, "user": stamp}

    def leave(self, owner: Hashable) -> None:
        """Takes away every state of an attachment that is gone, under the clock it had."""
        for client in [client for client, held in self._held.items() if held.owner == owner]:
            self._remove(client, self._held[client].clock)

    def everybody(self) -> bytes | None:
        """All states as one awareness payload for a late joiner; ``None`` when nobody is here."""
        if not self._held:
            return None
        return encode_awareness(
            [AwarenessEntry(client, held.clock, held.state) for client, held in self._held.items()]
        )

    def _hold(self, client: int, held: _Held) -> None:
        self._held[client] = held
        self._mark(AwarenessEntry(client, held.clock, held.state), held)

    def _remove(self, client: int, clock: int) -> None:
        held = self._held.pop(client)
        now = self._clock()
        self._gone[client] = (clock, now)
        self._gone.move_to_end(client)
        while now - next(iter(self._gone.values()))[1] >= ECHO_SECONDS or len(self._gone) > MOST_GONE:
            self._gone.popitem(last=False)
        self._mark(AwarenessEntry(client, clock, None), held)

    def _mark(self, entry: AwarenessEntry, held: _Held) -> None:
        if not self._dirty:
            self._soon(self._flush)
        self._dirty[entry.client] = entry
        if self._spread is None or isinstance(held.owner, _Node):
            self._to_spread.pop(entry.client, None)
        elif entry.state is None:
            self._to_spread[entry.client] = RemoteState(entry.client, entry.clock, held.subject, None)
        else:
            self._to_spread[entry.client] = _spoken(entry.client, held)

    def _flush(self) -> None:
        entries = list(self._dirty.values())
        self._dirty.clear()
        self._announce(encode_awareness(entries))
        if self._to_spread and self._spread is not None:
            states = list(self._to_spread.values())
            self._to_spread.clear()
            self._spread(states)


def _takes_over(clock: int, held: _Held) -> bool:
    """Whether somebody else of the same subject may speak for a client id that is held.

    Who comes here from another node repeats the clock it had there, and that node need not have noticed yet.
    """
    if isinstance(held.owner, _Node):
        return clock >= held.clock
    return held.broken or clock > held.clock


def _spoken(client: int, held: _Held) -> RemoteState:
    state = json.dumps(held.state, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return RemoteState(client, held.clock, held.subject, state)
