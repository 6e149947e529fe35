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
from typing import Final

from crdt.awareness import GONE, AwarenessEntry, awareness_messages, encode_entry, encode_state
from crdt.codec import JsonValue, Reader, var_bytes
from rooms.bus.messages import RemoteState

__all__ = ["Presence"]


ECHO_SECONDS = 30.0
"""How long clients may repeat the state of somebody who has left: y-protocols' own time-out."""
SILENT_SECONDS = 45.0
"""How long somebody on another node stays without a word: three renewals."""
MOST_GONE = 5_000
"""Client ids remembered as gone; whoever takes on and drops ids by the thousand is remembered no further."""
PAUSE: Final = 0.033
"""Seconds between two announcements: what changes meanwhile, by however many people, is said at once."""
RENEWED_WITHIN: Final = 3.0
"""Seconds within which it is passed on that somebody is still here, as before. Clients say so every 15 to
18 s and take somebody for gone after 30 s (y-protocols)."""
MESSAGE_BYTES: Final = 32 * 1024
"""Of one message about many: half of what a client may send, since older ones repeat what they hear."""


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
    """As its client says it."""
    said: bytes
    """The same as it came, in JSON."""
    stamp: Mapping[str, JsonValue] | None = None
    shown: bytes = b""
    """What others see of it, encoded."""
    broken: bool = False
    """Its owner's line broke: whoever of the same subject comes back speaks for it."""
    heard_at: float = 0.0
    """When the node that holds it last spoke of it."""

    def __post_init__(self) -> None:
        self.show()

    def show(self) -> None:
        """What nothing is added to is shown as it came: whoever read it saw that any client can read it."""
        as_it_came = self.said and self.stamp is None
        self.shown = var_bytes(self.said) if as_it_came else encode_state(self.stamped)

    @property
    def stamped(self) -> Mapping[str, JsonValue]:
        return self.state if self.stamp is None else {**self.state, "user": self.stamp}


class Presence:
    """The awareness states of one document.

    ``announce`` is called with awareness messages for all that is to be said now and, if that is only that
    somebody is still here, with the owner of it, who need not hear it; ``spread`` with what attachments of
    this node said. ``soon`` schedules a function for the end of this turn (``loop.call_soon``), ``later``
    after so many seconds (``loop.call_later``); ``clock`` is monotonic seconds.
    """

    __slots__ = (
        "_announce",
        "_clock",
        "_dirty",
        "_gone",
        "_held",
        "_later",
        "_limit",
        "_renewed",
        "_renewing",
        "_scheduled",
        "_silent_until",
        "_soon",
        "_spread",
        "_to_spread",
    )

    def __init__(
        self,
        announce: Callable[[list[bytes], Hashable | None], None],
        soon: Callable[[Callable[[], None]], object],
        later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
        *,
        spread: Callable[[list[RemoteState]], None] | None = None,
        states_per_owner: int = 4,
    ) -> None:
        self._held: dict[int, _Held] = {}
        self._dirty: dict[int, bytes] = {}
        """Client id -> the encoded entry that is to be announced."""
        self._renewed: set[int] = set()
        """Client ids that are to be announced as they were, under a newer clock."""
        self._spread = spread
        self._to_spread: dict[int, RemoteState] = {}
        self._gone: OrderedDict[int, tuple[int, float]] = OrderedDict()
        """Clock and time at which a client id's state was taken away, oldest first."""
        self._scheduled = self._renewing = False
        self._silent_until = 0.0
        self._announce = announce
        self._clock = clock
        self._soon = soon
        self._later = later
        self._limit = states_per_owner

    def __len__(self) -> int:
        return len(self._held)

    def states(self) -> dict[int, Mapping[str, JsonValue]]:
        """Client id -> state, of everybody here."""
        return {client: held.stamped for client, held in self._held.items()}

    def known(self, client: int, said: bytes) -> Mapping[str, JsonValue] | None:
        """The state of a client that is said to say what it said before, or what was shown of it."""
        held = self._held.get(client)
        if held is None:
            return None
        if said == held.said:
            return held.state
        return held.stamped if var_bytes(said) == held.shown else None

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
            elif held is not None and _is_renewal(held, owner, entry, stamp):
                held.clock = entry.clock
                self._renew(entry.client, held)
            else:
                self._hold(entry.client, _Held(owner, subject, entry.clock, entry.state, entry.said, stamp))
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
                new = _Held(there, said.subject, said.clock, state, said.state.encode())
                new.heard_at = self._clock()
                if held is None or held.stamped != state:
                    self._hold(said.client, new)
                else:  # nothing new to show: it is still there, or has only come here from elsewhere
                    self._held[said.client] = new
                    if held.clock != new.clock:
                        self._renewed.add(said.client)
                        self._schedule()

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
                held.stamp, held.said = stamp, b""  # so that what it says next is shown at once
                held.show()

    def leave(self, owner: Hashable) -> None:
        """Takes away every state of an attachment that is gone, under the clock it had."""
        for client in [client for client, held in self._held.items() if held.owner == owner]:
            self._remove(client, self._held[client].clock)

    def everybody(self) -> list[bytes]:
        """All states as awareness messages, for a late joiner; none when nobody is here."""
        entries = [encode_entry(client, held.clock, held.shown) for client, held in self._held.items()]
        return awareness_messages(entries, MESSAGE_BYTES)

    def _hold(self, client: int, held: _Held) -> None:
        self._held[client] = held
        self._mark(client, encode_entry(client, held.clock, held.shown))
        self._will_spread(client, held)

    def _remove(self, client: int, clock: int) -> None:
        held = self._held.pop(client)
        now = self._clock()
        self._gone[client] = (clock, now)
        self._gone.move_to_end(client)
        while now - next(iter(self._gone.values()))[1] >= ECHO_SECONDS or len(self._gone) > MOST_GONE:
            self._gone.popitem(last=False)
        self._mark(client, encode_entry(client, clock, GONE))
        self._will_spread(client, held, RemoteState(client, clock, held.subject, None))

    def _renew(self, client: int, held: _Held) -> None:
        """Somebody is still here as before: that others hear in a while, together with their like."""
        if client in self._dirty:
            self._dirty[client] = encode_entry(client, held.clock, held.shown)
            self._will_spread(client, held)
            return
        self._renewed.add(client)
        if not self._renewing:
            self._renewing = True
            self._later(RENEWED_WITHIN, self._flush_renewed)

    def _mark(self, client: int, entry: bytes) -> None:
        self._dirty[client] = entry
        self._renewed.discard(client)
        self._schedule()

    def _schedule(self) -> None:
        """At once after a pause, else when that pause is over."""
        if self._scheduled:
            return
        self._scheduled = True
        pause = self._silent_until - self._clock()
        if pause > 0:
            self._later(pause, self._flush)
        else:
            self._soon(self._flush)

    def _will_spread(self, client: int, held: _Held, said: RemoteState | None = None) -> None:
        if self._spread is None or isinstance(held.owner, _Node):
            self._to_spread.pop(client, None)
        else:
            self._to_spread[client] = said or _spoken(client, held)

    def _flush_renewed(self) -> None:
        self._renewing = False
        if self._renewed:
            self._schedule()

    def _flush(self) -> None:
        self._scheduled = False
        self._silent_until = self._clock() + PAUSE
        owners = {self._held[client].owner for client in self._renewed}
        speaker = owners.pop() if len(owners) == 1 and not self._dirty else None
        for client in self._renewed:
            held = self._held[client]
            self._dirty[client] = encode_entry(client, held.clock, held.shown)
            self._will_spread(client, held)
        self._renewed.clear()
        messages = awareness_messages(self._dirty.values(), MESSAGE_BYTES)
        self._dirty.clear()
        self._announce(messages, speaker)
        if self._to_spread and self._spread is not None:
            states = list(self._to_spread.values())
            self._to_spread.clear()
            self._spread(states)


def _is_renewal(
    held: _Held, owner: Hashable, entry: AwarenessEntry, stamp: Mapping[str, JsonValue] | None
) -> bool:
    """Whether an attachment says again what is held of it."""
    return (
        held.owner == owner
        and not held.broken
        and bool(entry.said)
        and entry.said == held.said
        and held.stamp == stamp
    )


def _takes_over(clock: int, held: _Held) -> bool:
    """Whether somebody else of the same subject may speak for a client id that is held.

    Who comes here from another node repeats the clock it had there, and that node need not have noticed yet.
    """
    if isinstance(held.owner, _Node):
        return clock >= held.clock
    return held.broken or clock > held.clock


def _spoken(client: int, held: _Held) -> RemoteState:
    return RemoteState(client, held.clock, held.subject, Reader(held.shown).var_string())
