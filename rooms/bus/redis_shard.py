"""One server of the bus: a connection that publishes and one that hears. They live and die together.

Two connections, because an answer to PUBLISH then always is the answer to the oldest one: the refusal of a
subscription in between could not be told from it. Each is asked for a sign of life every second with HELLO,
whose answer says whether the server still is a primary. HELLO needs no permission, and works where PING does
not: when a snapshot has failed, Redis refuses PING.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import MovedError, RedisError

from rooms.bus import Figures
from rooms.bus.redis_line import AT_ONCE, Line
from rooms.bus.redis_outbox import Message, Outbox
from rooms.bus.redis_servers import Limits, Lost, brief, check_role, connect, ended, hang_up, packed, read
from rooms.bus.redis_subscriptions import Subscription, Subscriptions
from rooms.bus.redis_url import Kind, Place, Servers

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

__all__ = ["Parcel", "Post", "Shard"]

logger = logging.getLogger(__name__)

HELLO: Final[bytes] = packed(b"HELLO")
UNNAMEABLE: Final = re.compile(r"[^!-~]")
"""What may not stand in the name of a connection."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """An envelope and where it goes."""

    channel: bytes
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """What a shard needs of the bus it is part of."""

    pack: Callable[[Message], Parcel | None]
    deliver: Callable[[Subscription, bytes], None]
    changed: Callable[[Shard], None]
    """The shard has come, gone, or stands."""
    misrouted: Callable[[Sequence[Parcel]], None]
    """The server does not have the slot of these (any more), or of subscriptions that are astray."""


class Shard:
    """Reaches one server for as long as its task runs, again and again."""

    def __init__(
        self, place: Place, servers: Servers, name: str, post: Post, limits: Limits, dice: random.Random
    ) -> None:
        """name: what the server's CLIENT LIST calls the connections."""
        self.place = place
        self.figures = Figures()
        self._subscriptions = Subscriptions(servers.kind)
        self.connected = False
        self._was_connected = False
        self._servers = servers
        self._greeting = packed(b"HELLO", b"3", b"SETNAME", UNNAMEABLE.sub("-", name).encode())
        self._post = post
        self._limits = limits
        self._dice = dice
        self._outbox = Outbox(limits.queue_messages, limits.queue_bytes)
        self._again: list[Parcel] = []
        """What another server had no place for."""
        self._joined: deque[Message] = deque()
        """What was taken from the outbox and is to be sent in the next rounds."""
        self._asked: deque[Parcel | None] = deque()
        """What was sent in this round and is not answered yet; None is a greeting."""
        self._misrouted: list[Parcel] = []
        """Those of the round that the server has no place for."""
        self._speaking: Line | None = None
        self._next_round: asyncio.Handle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._publish_word = b"SPUBLISH" if servers.kind is Kind.CLUSTER else b"PUBLISH"
        self._fault = f"{place} is not reached yet"
        self._doom = ""
        self._silent_pings = 0
        self._stirred = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task = asyncio.get_running_loop().create_task(self._live())

    @property
    def fault(self) -> str:
        """Why not everything goes through this server; empty if it does."""
        if not self.connected:
            return self._fault
        if self._subscriptions.restoring:
            return f"{self.place} has still to confirm {len(self._subscriptions.restoring)} subscriptions"
        return ""

    def send(self, message: Message) -> None:
        if self.connected:
            self._idle.clear()
            self.figures.dropped_full += self._outbox.put(message)
            self._publish_soon()
        else:
            self.figures.dropped_away += 1

    def forward(self, parcel: Parcel) -> None:
        """Sends what another server had no place for."""
        if self.connected:
            self._idle.clear()
            self._again.append(parcel)
            self._publish_soon()
        else:
            self.figures.dropped_away += 1

    async def flushed(self) -> None:
        """Returns when the server has taken everything, or is away."""
        await self._idle.wait()

    def subscribe(self, subscription: Subscription, *, believed: bool) -> None:
        """believed: whoever wants it goes on as if it stood."""
        self._subscriptions.add(subscription, believed=believed)
        self._stirred.set()

    def unsubscribe(self, subscription: Subscription) -> None:
        with self._noticing():
            self._subscriptions.remove(subscription)
        self._stirred.set()

    def retry_astray(self) -> None:
        """Tries once more what the server refused."""
        for channel in tuple(self._subscriptions.astray):
            self._subscriptions.again(channel)
        self._stirred.set()

    def give_up(self, reason: str) -> None:
        """Ends the connections, and makes new ones."""
        self._doom = reason
        self._stirred.set()

    async def stop(self) -> None:
        await ended(self._task)

    # The task

    async def _live(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        try:
            while True:
                begun = loop.time()
                try:
                    await self._serve()
                except Lost as lost:
                    self._down(str(lost))
                except Exception as error:
                    logger.exception("the bus met an error of its own")
                    self._down(f"{self.place}: {brief(error)}")
                failures = 0 if loop.time() - begun > self._limits.retry_most else failures + 1
                await asyncio.sleep(self._limits.pause(failures, self._dice))
        finally:
            self._down(f"{self.place} is not used any more")

    async def _serve(self) -> None:
        """Until a connection fails: Lost."""
        async with self._greeted() as speaking, self._greeted() as hearing:
            end: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
            self._speaking = Line(speaking, self._answered, end)
            line = Line(hearing, self._heard, end)
            self._up()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._until_lost(end))
                    group.create_task(self._keep_alive())
                    group.create_task(self._tell(line))
            except ExceptionGroup as several:
                raise several.exceptions[0] from None
            finally:
                end.cancel()  # nothing is heard of these lines any more

    def _up(self) -> None:
        self.connected = True
        if self._was_connected:
            self.figures.reconnects += 1
        self._was_connected = True
        self._doom = ""
        self._silent_pings = 0
        self._subscriptions.begin()
        self._stirred.set()
        self._post.changed(self)

    def _down(self, reason: str) -> None:
        self.connected = False
        self._idle.set()
        self._fault = reason
        unsaid = self._outbox.clear() + len(self._joined) + len(self._again)
        self.figures.dropped_away += unsaid + len(self._asked) - self._asked.count(None)
        for waiting in (self._joined, self._again, self._asked, self._misrouted):
            waiting.clear()
        for handle in (self._next_round, self._deadline):
            if handle is not None:
                handle.cancel()
        self._speaking = self._next_round = self._deadline = None
        self._subscriptions.end()
        self._post.changed(self)

    @asynccontextmanager
    async def _greeted(self) -> AsyncIterator[AbstractConnection]:
        connection = await connect(self._servers, self.place, self._limits.connect_within)
        try:
            await self._greet(connection, self._greeting)
            yield connection
        finally:
            await hang_up(connection)

    @contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise Lost(f"{self.place} did not answer within {self._limits.answer_within:g} s") from None
        except (OSError, RedisError) as error:
            raise Lost(f"{self.place} has gone: {brief(error)}") from error

    # Publishing

    def _publish_soon(self) -> None:
        """Begins a round, in which what is said until then goes together, once the last is answered."""
        if self._next_round is None and not self._asked:
            self._next_round = asyncio.get_running_loop().call_soon(self._publish)

    def _publish(self) -> None:
        self._next_round = None
        if self._asked:  # a greeting came between
            return
        parcels, self._again = self._again, []
        if not parcels:
            if not self._joined:
                self._joined.extend(self._outbox.take())
            messages = [self._joined.popleft() for _ in range(min(AT_ONCE, len(self._joined)))]
            parcels = [parcel for parcel in map(self._post.pack, messages) if parcel is not None]
        if parcels:
            self._ask(
                parcels, b"".join(packed(self._publish_word, each.channel, each.envelope) for each in parcels)
            )
        else:
            self._round_over()

    def _ask(self, asked: Sequence[Parcel | None], commands: bytes) -> None:
        assert self._speaking is not None
        self._asked.extend(asked)
        within = self._limits.answer_within
        self._deadline = asyncio.get_running_loop().call_later(within, self._speaking.end, TimeoutError())
        self._speaking.write(commands)

    def _answered(self, reply: Any) -> None:
        if isinstance(reply, RedisError) and not isinstance(reply, MovedError):
            raise reply
        parcel = self._asked.popleft()
        if parcel is None:
            check_role(self.place, reply, self._servers.kind)
        elif isinstance(reply, MovedError):
            self._misrouted.append(parcel)
        else:
            self.figures.published += 1
            self.figures.published_bytes += len(parcel.envelope)
        if not self._asked:
            assert self._deadline is not None
            self._deadline.cancel()
            self._round_over()

    def _round_over(self) -> None:
        misrouted, self._misrouted = self._misrouted, []
        if misrouted:
            self._post.misrouted(misrouted)
        if self._again or self._joined or len(self._outbox):
            self._publish_soon()
        else:
            self._idle.set()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._limits.ping_every)
            if not self._asked:
                self._ask([None], HELLO)

    async def _until_lost(self, end: asyncio.Future[Exception]) -> None:
        with self._losing():
            raise await end

    async def _greet(self, connection: AbstractConnection, greeting: bytes) -> None:
        with self._losing():
            async with asyncio.timeout(self._limits.answer_within):
                await connection.send_packed_command(greeting, check_health=False)
                check_role(self.place, await read(connection), self._servers.kind)

    # Hearing

    def _heard(self, reply: Any) -> None:
        if isinstance(reply, MovedError):
            self._refused(reply.slot_id)
            return
        if isinstance(reply, RedisError):
            raise reply
        self._silent_pings = 0
        if isinstance(reply, dict):
            check_role(self.place, reply, self._servers.kind)
        elif len(reply) == 3:
            self._take(*reply)

    def _take(self, kind: bytes, channel: bytes, payload: Any) -> None:
        subscriptions = self._subscriptions
        match kind:
            case b"message" | b"smessage":
                self.figures.received += 1
                self.figures.received_bytes += len(payload)
                subscription = subscriptions.get(channel)
                if subscription is not None:
                    self._post.deliver(subscription, payload)
            case b"subscribe" | b"ssubscribe":
                with self._noticing():
                    subscriptions.confirmed(channel)
            case b"unsubscribe" | b"sunsubscribe":
                subscriptions.withdrawn(channel)
                if subscriptions.astray:
                    self._post.misrouted([])

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """Tells the bus when the last subscription that was missing stands, or is not wanted any more."""
        was_restoring = bool(self._subscriptions.restoring)
        yield
        if was_restoring and not self._subscriptions.restoring:
            self._post.changed(self)

    def _refused(self, slot: int) -> None:
        self._subscriptions.refused(slot)
        self._post.misrouted([])

    async def _tell(self, line: Line) -> None:
        """Subscribes and unsubscribes, and asks for a sign of life."""
        loop = asyncio.get_running_loop()
        limits = self._limits
        next_ping = loop.time() + limits.ping_every
        while True:
            try:
                async with asyncio.timeout_at(next_ping):
                    await self._stirred.wait()
            except TimeoutError:
                pass
            if self._doom:
                raise Lost(self._doom)
            commands = self._subscriptions.commands()
            if not self._subscriptions.pending:
                self._stirred.clear()
            with self._losing():
                if loop.time() >= next_ping:
                    next_ping = loop.time() + limits.ping_every
                    if self._silent_pings * limits.ping_every >= limits.answer_within:
                        raise TimeoutError
                    self._silent_pings += 1
                    commands.append(HELLO)
                if commands:
                    line.write(b"".join(commands))
            if self._subscriptions.pending:
                await asyncio.sleep(0)
