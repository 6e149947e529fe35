"""Which channels one connection has to hear, which of them it does, and what to tell the server next.

No I/O: commands come out, what the server pushed goes in. A channel is wanted or not (the last word wins),
told or not (the last command about it was a subscription), and awaited as long as a command is unconfirmed.
It stands when it is wanted and told and nothing is awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from rooms.bus.redis_servers import packed, slot_of
from rooms.bus.redis_url import Kind

if TYPE_CHECKING:
    from rooms.bus import DocumentListener
    from rooms.bus.redis_shard import Shard

__all__ = ["Subscription", "Subscriptions"]

CHUNK: Final = 500
"""Channels in one command outside a cluster, where each slot needs its own."""
TURN: Final = 2_000
"""Channels told in one go, before the loop gets a turn."""


@dataclass(slots=True, eq=False)
class Subscription:
    """A channel somebody wants to hear."""

    channel: bytes
    slot: int
    document: str | None = None
    """None for what is said to all nodes."""
    listener: DocumentListener | None = None
    shard: Shard | None = None
    """The server that has the channel, as far as is known."""
    standing: bool = False
    waiter: asyncio.Future[None] | None = None
    """Whoever waits until it stands, or until that is out of reach."""

    def settle(self, *, standing: bool) -> None:
        self.standing = standing
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)
        self.waiter = None


class Subscriptions:
    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        sharded = kind is Kind.CLUSTER
        self._subscribe = b"SSUBSCRIBE" if sharded else b"SUBSCRIBE"
        self._unsubscribe = b"SUNSUBSCRIBE" if sharded else b"UNSUBSCRIBE"
        self._chunk = 1 if sharded else CHUNK
        self._wanted: dict[bytes, Subscription] = {}
        self._told: dict[int, dict[bytes, bool]] = {}
        """Slot -> channel -> whether the server took it, as far as is known: what it refuses are slots."""
        self._awaited: dict[int, dict[bytes, int]] = {}
        """Slot -> channel -> how many subscribing commands are unconfirmed."""
        self._untold: dict[bytes, int] = {}
        """Channels about which the server may have to be told something -> their slots."""
        self.restoring: set[bytes] = set()
        """Wanted channels that somebody believes to hear, and that do not stand."""
        self.astray: set[bytes] = set()
        """Wanted channels that the server has given up or refused: it seems to have lost their slot."""

    def __len__(self) -> int:
        return len(self._wanted)

    def get(self, channel: bytes) -> Subscription | None:
        return self._wanted.get(channel)

    def add(self, subscription: Subscription, *, believed: bool) -> None:
        """believed: whoever wants it goes on as if it stood, so that the bus is not up without it."""
        channel = subscription.channel
        self._wanted[channel] = subscription
        subscription.standing = False
        if not self._is_taken(channel, subscription.slot):
            self._untold[channel] = subscription.slot
        elif not self._is_awaited(channel, subscription.slot):
            subscription.settle(standing=True)
        if believed and not subscription.standing:
            self.restoring.add(channel)

    def remove(self, subscription: Subscription) -> None:
        channel = subscription.channel
        del self._wanted[channel]
        self.restoring.discard(channel)
        self.astray.discard(channel)
        if self._is_told(channel, subscription.slot):
            self._untold[channel] = subscription.slot
        subscription.settle(standing=False)

    def again(self, channel: bytes) -> None:
        """Has an astray channel subscribed once more."""
        self.astray.discard(channel)
        self._untold[channel] = self._wanted[channel].slot

    def begin(self) -> None:
        """There is a new connection, which hears nothing yet."""
        self._untold = {channel: each.slot for channel, each in self._wanted.items()}
        self.restoring = set(self._wanted)

    def end(self) -> None:
        """The connection is gone, and everything with it."""
        for state in (self._told, self._awaited, self._untold, self.restoring, self.astray):
            state.clear()
        for subscription in self._wanted.values():
            subscription.settle(standing=False)

    @property
    def pending(self) -> bool:
        """Whether there are commands to send."""
        return bool(self._untold)

    def commands(self) -> list[bytes]:
        """What the server has to be told now, packed; of about 2,000 channels at most."""
        joins: list[bytes] = []
        leaves: list[bytes] = []
        for channel in list(islice(self._untold, TURN)):
            slot = self._untold.pop(channel)
            if channel not in self._wanted:
                if self._is_told(channel, slot):
                    self._forget(channel, slot)
                    leaves.append(channel)
            elif not self._is_taken(channel, slot):
                self._told.setdefault(slot, {})[channel] = True
                awaited = self._awaited.setdefault(slot, {})
                awaited[channel] = awaited.get(channel, 0) + 1
                joins.append(channel)
        return [*self._packed(self._unsubscribe, leaves), *self._packed(self._subscribe, joins)]

    def confirmed(self, channel: bytes) -> None:
        """The server confirms a subscription."""
        slot = slot_of(channel, self._kind)
        awaited = self._awaited.get(slot, {})
        left = awaited.pop(channel, 0) - 1
        if left > 0:
            awaited[channel] = left
            return
        if not awaited:
            self._awaited.pop(slot, None)
        subscription = self._wanted.get(channel)
        if subscription is not None and self._is_taken(channel, slot):
            subscription.settle(standing=True)
            self.restoring.discard(channel)

    def withdrawn(self, channel: bytes) -> None:
        """The server says that a channel is subscribed no more: as told, or because its slot has gone."""
        slot = slot_of(channel, self._kind)
        if not self._is_taken(channel, slot) or self._is_awaited(channel, slot):
            return
        self._forget(channel, slot)
        subscription = self._wanted.get(channel)
        if subscription is not None:
            self._stray(subscription)

    def refused(self, slot: int) -> None:
        """The server does not have this slot, or not any more. It says so once for each command, and may have
        taken some: what is not wanted any more has to be unsubscribed all the same."""
        self._awaited.pop(slot, None)
        told = self._told.get(slot, {})
        for channel in told:
            told[channel] = False
            subscription = self._wanted.get(channel)
            if subscription is not None:
                self._stray(subscription)

    def _stray(self, subscription: Subscription) -> None:
        self.astray.add(subscription.channel)
        self.restoring.add(subscription.channel)
        subscription.settle(standing=False)

    def _is_told(self, channel: bytes, slot: int) -> bool:
        return channel in self._told.get(slot, ())

    def _is_taken(self, channel: bytes, slot: int) -> bool:
        return self._told.get(slot, {}).get(channel, False)

    def _is_awaited(self, channel: bytes, slot: int) -> bool:
        return channel in self._awaited.get(slot, ())

    def _forget(self, channel: bytes, slot: int) -> None:
        channels = self._told.get(slot, {})
        channels.pop(channel, None)
        if not channels:
            self._told.pop(slot, None)

    def _packed(self, command: bytes, channels: list[bytes]) -> Iterator[bytes]:
        for start in range(0, len(channels), self._chunk):
            yield packed(command, *channels[start : start + self._chunk])
