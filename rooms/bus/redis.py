"""The bus over Redis or Valkey: a single server, Sentinels or a cluster.

Every document has a channel, named by a keyed hash of its name, and all nodes share one more. In a cluster
they are sharded channels, so each server has a part of the documents. A server that fails takes its part away
and nothing else: the bus then is AWAY, which asks everybody to look into the log, while what can be heard and
said through the others still is.

Nothing is stored in Redis and nothing there is relied on. See docs/adr/0011-the-bus.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import re
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import Final, ParamSpec, TypeVar

from rooms.bus import BusState, DocumentListener, Figures, NodeListener
from rooms.bus.messages import (
    Attending,
    BadEnvelope,
    Changed,
    DocumentMessage,
    Envelopes,
    Heads,
    Leaving,
    NodeMessage,
    Spent,
    fitting,
)
from rooms.bus.redis_outbox import Message
from rooms.bus.redis_servers import Layout, Limits, Lost, Scout, ended, slot_of
from rooms.bus.redis_shard import Parcel, Post, Shard
from rooms.bus.redis_subscriptions import Subscription
from rooms.bus.redis_url import Kind, Place, Servers

__all__ = ["Limits", "RedisBus"]

logger = logging.getLogger(__name__)

CHANNEL_BYTES: Final = 16
PREFIX: Final = re.compile(r"[A-Za-z0-9:._-]{1,100}")
STRAYS: Final = 256
"""Envelopes kept for the time in which a slot's new server is looked for."""
COMPLAIN_EVERY: Final = 60.0
"""Seconds between log lines about envelopes that are not ours."""
_TO_ALL: Final = (Heads, Leaving, Changed, Spent, Attending)


class RedisBus:
    """Implements `rooms.bus.Bus`."""

    def __init__(
        self,
        url: str,
        *,
        key: bytes,
        prefix: str,
        node: str | None = None,
        limits: Limits | None = None,
        dice: random.Random | None = None,
    ) -> None:
        """url: see `rooms.bus.redis_url`. key: the installation's secret, 16 to 64 bytes. prefix: begins the
        name of every channel, and differs between installations that share a server: 1 to 100 characters of
        A-Z a-z 0-9 : . _ and -. dice: jitters retries. Raises ValueError."""
        if not PREFIX.fullmatch(prefix):
            raise ValueError(
                f"{prefix!r} cannot begin the names of channels: give 1 to 100 of A-Z a-z 0-9 : . _ and -"
            )
        if not 16 <= len(key) <= 64:
            raise ValueError(f"The bus's key has {len(key)} bytes: give 16 to 64.")
        self.node = node or secrets.token_hex(8)
        self.state = BusState.AWAY
        self.reason = "the bus is not open yet"
        self._servers = Servers.parse(url)
        self._key = key
        self._prefix = prefix.encode()
        self._envelopes = Envelopes(self.node, key)
        self._limits = limits or Limits()
        self._dice = dice or random.Random()  # noqa: S311  only jitters
        self._scout = Scout(self._servers, self._limits, self._dice)
        self._post = Post(self._pack, self._deliver, self._changed, self._misrouted)
        self._everybody = self._subscription(self._prefix + b":nodes")
        self._documents: dict[str, Subscription] = {}
        self._layout: Layout | None = None
        self._shards: dict[Place, Shard] = {}
        self._strays: deque[Parcel] = deque(maxlen=STRAYS)
        self._on_state: dict[object, Callable[[BusState], None]] = {}
        self._on_node_message: dict[object, NodeListener] = {}
        self._look_every = None if self._servers.kind is Kind.SINGLE else self._limits.look_every
        self._look_again = asyncio.Event()
        self._rearranging = False
        """Whether a subscription may just be between two servers."""
        self._excuse = "the bus is not open yet"
        """Why nobody knows who serves."""
        self._tried = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._past = Figures()
        """Of servers that are not used any more, and of what concerns none."""
        self._away_since: float | None = None
        self._complained = float("-inf")

    @property
    def figures(self) -> Figures:
        """A copy of the figures as they are now."""
        total = replace(self._past)
        for shard in self._shards.values():
            _add(total, shard.figures)
        if self._away_since is not None:
            total.away_seconds += asyncio.get_running_loop().time() - self._away_since
        return total

    def on_state(self, callback: Callable[[BusState], None]) -> Callable[[], None]:
        return _register(self._on_state, callback)

    def on_node_message(self, listener: NodeListener) -> Callable[[], None]:
        return _register(self._on_node_message, listener)

    async def open(self) -> None:
        """Connects, and waits for the outcome of the first try. A bus that cannot be reached is away."""
        self._away_since = asyncio.get_running_loop().time()
        self._watching = asyncio.create_task(self._watch())
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.connect_within):
                await self._tried.wait()

    async def close(self) -> None:
        """Sends what is queued if that works within a second, and lets go. A closed bus is away for good."""
        if self._watching is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.close_within):
                for shard in self._shards.values():
                    await shard.flushed()
        await ended(self._watching)
        self._watching = None
        self._on_state.clear()
        self._layout, self._excuse = None, "the bus is closed"
        self._judge()
        for place in tuple(self._shards):
            self._retire(place)
        await asyncio.gather(*self._retiring)
        self._note_away_time()

    async def join(self, document: str, listener: DocumentListener) -> None:
        subscription = self._documents.get(document)
        if subscription is None:
            subscription = self._subscription(self._channel(document), document)
            self._documents[document] = subscription
            self._place(subscription, believed=False)
        subscription.listener = listener
        shard = subscription.shard
        if subscription.standing or shard is None or not shard.connected:
            return
        if subscription.waiter is None:
            subscription.waiter = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([subscription.waiter], timeout=self._limits.join_within)
        if not done:
            shard.give_up(
                f"{shard.place} did not confirm a subscription within {self._limits.join_within:g} s"
            )

    def leave(self, document: str) -> None:
        subscription = self._documents.pop(document, None)
        if subscription is not None and subscription.shard is not None:
            subscription.shard.unsubscribe(subscription)

    def send(self, message: DocumentMessage | NodeMessage) -> None:
        shard = self._shard_of(self._address(message))
        if shard is None:
            self._past.dropped_away += 1
        else:
            shard.send(fitting(message))

    # Channels

    def _channel(self, document: str) -> bytes:
        """Keyed: who watches the server cannot try out names, some of which are people's."""
        name = document.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(name, key=self._key, digest_size=CHANNEL_BYTES, person=b"channel")
        return b"%s:d:%s" % (self._prefix, digest.hexdigest().encode())

    def _address(self, message: Message) -> bytes:
        """The channel that a message goes to."""
        if isinstance(message, _TO_ALL):
            return self._everybody.channel
        subscription = self._documents.get(message.document)
        return self._channel(message.document) if subscription is None else subscription.channel

    def _subscription(self, channel: bytes, document: str | None = None) -> Subscription:
        return Subscription(channel, slot_of(channel, self._servers.kind), document)

    def _shard_of(self, channel: bytes) -> Shard | None:
        if self._layout is None:
            return None
        place = self._layout.table[slot_of(channel, self._servers.kind)]
        return None if place is None else self._shards.get(place)

    def _place(self, subscription: Subscription, *, believed: bool) -> None:
        """Puts a subscription where its channel is served now."""
        shard = self._shard_of(subscription.channel)
        if shard is not subscription.shard:
            if subscription.shard is not None:
                subscription.shard.unsubscribe(subscription)
            subscription.shard = shard
            if shard is not None:
                shard.subscribe(subscription, believed=believed)

    # Servers

    async def _watch(self) -> None:
        """Finds out who serves what: at first, when something seems to have changed, and now and then."""
        failures = 0
        while True:
            self._look_again.clear()
            try:
                self._adopt(await self._scout.look(self._shards))
                failures = 0
            except Lost as lost:
                failures += 1
                if self._layout is None:
                    self._excuse = str(lost)
                    self._tried.set()
            except Exception:
                failures += 1
                logger.exception("looking for the bus's servers met an error of its own")
            self._judge()
            await asyncio.sleep(self._limits.pause(failures, self._dice))
            if not failures or self.state is BusState.UP:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._look_every):
                        await self._look_again.wait()

    def _adopt(self, layout: Layout) -> None:
        news = layout != self._layout
        self._layout = layout
        self._rearranging = True
        if news:
            for place in layout.places - self._shards.keys():
                self._shards[place] = Shard(
                    place, self._servers, f"twinspace-{self.node}", self._post, self._limits, self._dice
                )
            for subscription in (self._everybody, *self._documents.values()):
                self._place(subscription, believed=True)
            for place in self._shards.keys() - layout.places:
                self._retire(place)
        for shard in self._shards.values():
            shard.retry_astray()
        self._rearranging = False
        strays, self._strays = self._strays, deque(maxlen=STRAYS)
        for parcel in strays:
            target = self._shard_of(parcel.channel)
            if target is not None:
                target.forward(parcel)

    def _retire(self, place: Place) -> None:
        """Lets go of a server."""
        shard = self._shards.pop(place)

        async def stop() -> None:
            await shard.stop()
            _add(self._past, shard.figures)

        stopping = asyncio.create_task(stop())
        self._retiring.add(stopping)
        stopping.add_done_callback(self._retiring.discard)

    def _changed(self, shard: Shard) -> None:
        if not shard.connected:
            self._look_again.set()
            self._tried.set()
        self._judge()

    def _misrouted(self, parcels: Sequence[Parcel]) -> None:
        self._past.dropped_away += max(0, len(self._strays) + len(parcels) - STRAYS)
        self._strays.extend(parcels)
        self._look_again.set()
        self._judge()

    def _judge(self) -> None:
        """Compares how things are with what was last said of them."""
        if self._rearranging:
            return
        self.reason = self._complaint()
        state = BusState.AWAY if self.reason else BusState.UP
        if state is self.state:
            return
        self.state = state
        if state is BusState.AWAY:
            self._away_since = asyncio.get_running_loop().time()
            if self._watching is not None:
                logger.warning("the bus is away: %s", self.reason)
        else:
            logger.info("the bus is up after %.1f s", self._note_away_time())
            self._tried.set()
        for callback in tuple(self._on_state.values()):
            _guarded(callback, state)

    def _note_away_time(self) -> float:
        """Ends a time in which the bus was away, and returns its seconds."""
        if self._away_since is None:
            return 0.0
        seconds = asyncio.get_running_loop().time() - self._away_since
        self._past.away_seconds += seconds
        self._away_since = None
        return seconds

    def _complaint(self) -> str:
        if self._layout is None:
            return self._excuse
        if not self._layout.covered:
            return "no server of the cluster has some of its slots"
        return next((shard.fault for shard in self._shards.values() if shard.fault), "")

    # Messages

    def _pack(self, message: Message) -> Parcel | None:
        try:
            return Parcel(self._address(message), self._envelopes.pack(message))
        except Exception:
            logger.exception("a message could not be put into an envelope")
            return None

    def _deliver(self, subscription: Subscription, envelope: bytes) -> None:
        document = subscription.document
        if document is not None and self._envelopes.is_own(envelope):
            return
        try:
            node, message = self._envelopes.open(envelope)
        except BadEnvelope as error:
            self._distrust(str(error))
            return
        if isinstance(message, _TO_ALL):
            if document is None:
                for listener in tuple(self._on_node_message.values()):
                    _guarded(listener, node, message)
                return
        elif message.document == document:
            if subscription.listener is not None:
                _guarded(subscription.listener, node, message)
            return
        self._distrust("on a channel it is not for")

    def _distrust(self, why: str) -> None:
        self._past.unverified += 1
        now = asyncio.get_running_loop().time()
        if now - self._complained >= COMPLAIN_EVERY:
            self._complained = now
            logger.warning(
                "an envelope on the bus was dropped: %s (%d so far). Do all nodes have the same records, and "
                "does another installation use the prefix %s?",
                why,
                self._past.unverified,
                self._prefix.decode(),
            )


P = ParamSpec("P")
C = TypeVar("C")


def _guarded(listener: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    try:
        listener(*args, **kwargs)
    except Exception:
        logger.exception("who listens to the bus met an error of its own")


def _register(listeners: dict[object, C], listener: C) -> Callable[[], None]:
    key = object()
    listeners[key] = listener

    def unsubscribe() -> None:
        listeners.pop(key, None)

    return unsubscribe


def _add(total: Figures, more: Figures) -> None:
    for each in fields(Figures):
        setattr(total, each.name, getattr(total, each.name) + getattr(more, each.name))
