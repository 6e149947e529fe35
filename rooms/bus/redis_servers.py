"""Connections to the bus's servers, and who of them serves which channel now.

A `Layout` says which server every channel belongs to. For one server that never changes; Sentinels and
cluster nodes are asked, several at once, and of answers that differ the one with the highest configuration
epoch holds: a node that a partition has cut off goes on to believe in itself.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AuthenticationError, RedisError

from rooms.bus.redis_url import Kind, Place, Servers

__all__ = [
    "Layout",
    "Limits",
    "Lost",
    "Scout",
    "Told",
    "brief",
    "check_role",
    "connect",
    "ended",
    "hang_up",
    "packed",
    "read",
    "slot_of",
]

T = TypeVar("T")
ASKED_AT_ONCE: Final = 5
"""Nodes of a cluster whose view is asked for: enough to outvote one that is cut off."""
GRACE: Final = 0.25
"""Seconds that slower answers get once there is one."""


class Lost(Exception):
    """A server cannot be used, or not any more. The message is a sentence for an operator without its end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take (seconds), and how much may wait."""

    ping_every: float = 1.0
    answer_within: float = 3.0
    """Silence after which a connection is given up."""
    connect_within: float = 2.0
    join_within: float = 2.0
    """A subscription not confirmed by then means that the connection is of no use."""
    look_every: float = 5.0
    """Between looks at who serves what, where that can change."""
    retry_first: float = 0.1
    retry_most: float = 1.0
    close_within: float = 1.0
    queue_messages: int = 10_000
    """Messages that wait for one server; beyond that, the oldest are dropped."""
    queue_bytes: int = 4 * 1024 * 1024

    def pause(self, failures: int, dice: random.Random) -> float:
        """Seconds before the next try, after so many that failed in a row."""
        grown = self.retry_first * 2.0 ** min(failures, 16) * dice.uniform(1.0, 1.5)
        return min(grown, self.retry_most)


@dataclass(frozen=True, slots=True)
class Claim:
    """A server's claim to the slots from first to last."""

    epoch: int
    first: int
    last: int
    place: Place


@dataclass(frozen=True, slots=True)
class Layout:
    """Which server has which channels."""

    claims: tuple[Claim, ...]
    """Who says to have which slots; of two claims to one slot the later one holds."""
    table: Sequence[Place | None] = field(repr=False, compare=False)
    """By slot; outside a cluster there is one slot."""
    places: frozenset[Place] = field(compare=False)
    covered: bool = field(compare=False)
    """Whether every slot has a server."""

    @classmethod
    def made(cls, claims: Iterable[Claim], slots: int) -> Layout:
        ordered = tuple(sorted(set(claims), key=lambda claim: (claim.epoch, claim.first, str(claim.place))))
        table: list[Place | None] = [None] * slots
        for claim in ordered:
            table[claim.first : claim.last + 1] = [claim.place] * (claim.last + 1 - claim.first)
        holders = {id(place): place for place in table}.values()  # hashing 16,384 places would take long
        places = frozenset(place for place in holders if place is not None)
        return cls(ordered, tuple(table), places, covered=None not in holders)

    @classmethod
    def of_one(cls, place: Place) -> Layout:
        return cls.made([Claim(0, 0, 0, place)], slots=1)


@dataclass(frozen=True, slots=True)
class Told:
    """A server's answer to a question, and which server it was."""

    place: Place
    replies: Sequence[Any]


def slot_of(channel: bytes, kind: Kind) -> int:
    return key_slot(channel) if kind is Kind.CLUSTER else 0


def packed(*words: bytes) -> bytes:
    """A command as bytes."""
    command: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]
    return command


async def connect(
    servers: Servers, place: Place, within: float, *, anonymous: bool = False
) -> AbstractConnection:
    """A connection that speaks RESP3, so that what is pushed and what is answered cannot be mistaken for one
    another; logged in unless anonymous. Raises Lost."""
    options: dict[str, Any] = {"protocol": 3, "socket_timeout": None, "driver_info": None}
    if not anonymous:
        options |= {"username": servers.user, "password": servers.password}
    connection: AbstractConnection
    if place.path:
        connection = UnixDomainSocketConnection(path=place.path, **options)
    elif servers.tls is not None:
        connection = SSLConnection(host=place.host, port=place.port, **servers.tls, **options)
    else:
        connection = Connection(host=place.host, port=place.port, **options)
    try:
        async with asyncio.timeout(within):
            await connection.connect()  # type: ignore[no-untyped-call]
    except AuthenticationError as error:
        await hang_up(connection)
        raise Lost(f"{place} does not let this user in: {brief(error)}") from error
    except TimeoutError as error:
        await hang_up(connection)
        raise Lost(f"{place} did not answer within {within:g} s") from error
    except (OSError, RedisError) as error:
        await hang_up(connection)
        raise Lost(f"{place} cannot be reached: {brief(error)}") from error
    except BaseException:
        await hang_up(connection)
        raise
    return connection


def brief(error: Exception) -> str:
    """An error in a few words."""
    return str(error).rstrip(".") or type(error).__name__


async def hang_up(connection: AbstractConnection) -> None:
    """Lets go of a connection at once, whatever is still to be sent: closing it politely would wait for a
    peer that may be gone."""
    if connection._writer is not None:
        connection._writer.transport.abort()
    await connection.disconnect(nowait=True)


async def read(connection: AbstractConnection) -> Any:
    """The next reply or push, without a limit in time. Raises what the server answers as an error."""
    return await connection.read_response(timeout=math.inf, disconnect_on_error=False, push_request=True)


async def ended(task: asyncio.Task[None]) -> None:
    """Cancels a task until it has ended: once is not enough where the cancellation meets an error in a task
    group, which Python before 3.13 lets win."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)


def check_role(place: Place, greeting: Mapping[bytes, Any], kind: Kind) -> None:
    """Whether a server that answered HELLO is one to publish through. Raises Lost."""
    mode, role = greeting.get(b"mode"), greeting.get(b"role")
    if mode == b"sentinel":
        raise Lost(f"{place} is a Sentinel: write redis+sentinel://{place}/SERVICE")
    if kind is Kind.CLUSTER and mode != b"cluster":
        raise Lost(f"{place} is not part of a cluster: write redis:// for redis+cluster://")
    if role != b"master":
        raise Lost(f"{place} is a replica, which reaches only its own subscribers")


class Scout:
    """Finds out who serves what. Keeps no connection."""

    def __init__(self, servers: Servers, limits: Limits, dice: random.Random) -> None:
        self._servers = servers
        self._limits = limits
        self._dice = dice

    async def look(self, known: Iterable[Place]) -> Layout:
        """known: servers of the layout so far. Raises Lost when nobody knows."""
        match self._servers.kind:
            case Kind.SINGLE:
                return Layout.of_one(self._servers.places[0])
            case Kind.SENTINEL:
                told = await self._gather(self._servers.places, self._ask_sentinel)
                return Layout.of_one(self._primary(told))
            case Kind.CLUSTER:
                places = sorted({*self._servers.places, *known}, key=str)
                asked = self._dice.sample(places, min(ASKED_AT_ONCE, len(places)))
                return cluster_layout(await self._gather(asked, self._ask_node))

    async def _gather(self, places: Iterable[Place], ask: Callable[[Place], Awaitable[Told]]) -> list[Told]:
        pending = {asyncio.ensure_future(ask(place)) for place in places}
        told: list[Told] = []
        excuses: list[str] = []
        try:
            while pending:
                wait = GRACE if told else None
                done, pending = await asyncio.wait(pending, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
                for each in done:
                    try:
                        told.append(each.result())
                    except Lost as lost:
                        excuses.append(str(lost))
        finally:
            for each in pending:
                each.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        if not told:
            raise Lost("; ".join(sorted(excuses)))
        return told

    async def _ask(self, place: Place, *commands: Sequence[str], anonymous: bool = False) -> Told:
        limits = self._limits
        connection = await connect(self._servers, place, limits.connect_within, anonymous=anonymous)
        try:
            async with asyncio.timeout(limits.answer_within):
                replies = []
                for command in commands:
                    await connection.send_command(*command, check_health=False)
                    replies.append(await read(connection))
                return Told(place, replies)
        except TimeoutError as error:
            raise Lost(f"{place} did not answer within {limits.answer_within:g} s") from error
        except (OSError, RedisError) as error:
            raise Lost(f"{place} does not tell who serves: {brief(error)}") from error
        finally:
            await hang_up(connection)

    async def _ask_node(self, place: Place) -> Told:
        return await self._ask(place, ("CLUSTER", "SLOTS"), ("CLUSTER", "NODES"))

    async def _ask_sentinel(self, place: Place) -> Told:
        """Sentinels mostly have no password; the servers' own is tried if they have one."""
        command = ("SENTINEL", "MASTER", self._servers.service)
        try:
            return await self._ask(place, command, anonymous=True)
        except Lost as lost:
            if not (isinstance(lost.__cause__, AuthenticationError) and self._servers.password):
                raise
        return await self._ask(place, command)

    def _primary(self, told: Iterable[Told]) -> Place:
        def epoch(fields: Mapping[bytes, bytes]) -> int:
            return int(fields[b"config-epoch"])

        fields = max((_pairs(each.replies[0]) for each in told), key=epoch)
        return Place(fields[b"ip"].decode(), int(fields[b"port"]))


def _pairs(reply: Any) -> Mapping[bytes, bytes]:
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))


def cluster_layout(told: Iterable[Told]) -> Layout:
    """What several nodes of a cluster say (CLUSTER SLOTS, CLUSTER NODES), as one layout."""
    claims = []
    for each in told:
        ranges, nodes = each.replies
        epochs = {line.split(b" ")[0]: int(line.split(b" ")[6]) for line in nodes.splitlines()}
        for first, last, (host, port, identity, *_), *_ in ranges:
            # An empty host or ? means: as you reached the node that you ask.
            name = each.place.host if host in (None, b"", b"?") else host.decode()
            claims.append(Claim(epochs.get(identity, 0), first, last, Place(name, port)))
    return Layout.made(claims, REDIS_CLUSTER_HASH_SLOTS)
