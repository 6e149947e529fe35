"""Raw frames of both socket protocols, written apart from the server's own codec (protocols.md).

A :class:`Line` is one WebSocket without any client logic behind it: tests say exactly which bytes go
out and in which order the answers came.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pycrdt import Doc, Text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

__all__ = [
    "AUTH",
    "AWARENESS",
    "BROADCAST_STATELESS",
    "CLOSE",
    "EMPTY_UPDATE",
    "EMPTY_VECTOR",
    "QUERY_AWARENESS",
    "SLOWED",
    "STATELESS",
    "SYNC",
    "SYNC_REPLY",
    "SYNC_STATUS",
    "Frame",
    "Line",
    "Writer",
    "awareness",
    "hocuspocus",
    "plain",
    "presences",
    "step1",
    "step2",
    "string",
    "uint",
    "update",
]

SYNC, AWARENESS, AUTH, QUERY_AWARENESS, SYNC_REPLY, STATELESS, BROADCAST_STATELESS, CLOSE, SYNC_STATUS = (
    range(9)
)
EMPTY_UPDATE = b"\x00\x00"
EMPTY_VECTOR = b"\x00"
TIMEOUT = 10.0
"""Seconds to wait for an answer: only a failing test ever waits that long."""
SLOWED = 90.0
"""Seconds a send may take: a server that slows a sender down stops reading for a while."""


def uint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def string(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return uint(len(raw)) + raw


def read_uint(data: bytes, at: int = 0) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def read_bytes(data: bytes, at: int = 0) -> tuple[bytes, int]:
    length, at = read_uint(data, at)
    return data[at : at + length], at + length


def step1(state_vector: bytes = EMPTY_VECTOR) -> bytes:
    """The body of a Sync message: what I have."""
    return b"\x00" + string(state_vector)


def step2(content: bytes = EMPTY_UPDATE) -> bytes:
    return b"\x01" + string(content)


def update(content: bytes) -> bytes:
    return b"\x02" + string(content)


def awareness(states: Mapping[int, tuple[int, object]]) -> bytes:
    """The body of an Awareness message: client id -> (clock, state)."""
    body = uint(len(states))
    for client, (clock, state) in states.items():
        body += uint(client) + uint(clock) + string(json.dumps(state))
    return string(body)


def presences(body: bytes) -> dict[int, tuple[int, Any]]:
    """Reads an Awareness message's body: client id -> (clock, state)."""
    data, _ = read_bytes(body)
    count, at = read_uint(data)
    found = {}
    for _ in range(count):
        client, at = read_uint(data, at)
        clock, at = read_uint(data, at)
        state, at = read_bytes(data, at)
        found[client] = (clock, json.loads(state))
    return found


@dataclass(frozen=True)
class Frame:
    """One message: its routing key (None in y-websocket's framing), its type and the bytes behind that."""

    key: str | None
    type: int
    body: bytes

    @property
    def word(self) -> str:
        """What it is, in a word: ``step1``, ``update``, ``status 1``, ``authenticated readonly``, ..."""
        match self.type:
            case 0:
                return ("step1", "step2", "update")[self.body[0]]
            case 1:
                return "awareness"
            case 2:
                meanings = ("denied",) if self.key is None else ("token", "denied", "authenticated")
                return f"{meanings[self.body[0]]} {read_bytes(self.body, 1)[0].decode()}"
            case 7:
                return "close"
            case 8:
                return f"status {self.body[0]}"
        return f"type {self.type}"

    @property
    def content(self) -> bytes:
        """The update or state vector of a Sync message."""
        return read_bytes(self.body, 1)[0]

    @property
    def text(self) -> str:
        return read_bytes(self.body)[0].decode()


class Writer:
    """A document to write with: each edit gives the bytes of its own update."""

    def __init__(self, client_id: int | None = None) -> None:
        self.doc: Doc[Any] = Doc() if client_id is None else Doc(client_id=client_id)
        self._text = self.doc.get("text", type=Text)

    def insert(self, text: str, at: int | None = None) -> bytes:
        before = self.doc.get_state()
        self._text.insert(len(self.text.encode()) if at is None else at, text)
        return self.doc.get_update(before)

    def apply(self, frames: list[Frame]) -> None:
        for frame in frames:
            if frame.word in ("step2", "update"):
                self.doc.apply_update(frame.content)

    @property
    def text(self) -> str:
        return str(self._text)


class Line:
    """One WebSocket, message by message."""

    def __init__(self, ws: ClientConnection, *, keyed: bool) -> None:
        self.ws = ws
        self.keyed = keyed

    async def raw(self, data: bytes | str) -> None:
        async with asyncio.timeout(SLOWED):
            await self.ws.send(data)

    async def say(self, type: int, body: bytes = b"", key: str = "") -> None:
        await self.raw((string(key) if self.keyed else b"") + uint(type) + body)

    async def hear(self, timeout: float = TIMEOUT) -> Frame:
        data = await asyncio.wait_for(self.ws.recv(), timeout)
        assert isinstance(data, bytes), f"the server sent text: {data!r}"
        return parse(data, keyed=self.keyed)

    async def hear_until(
        self, word: str, *, key: str | None = None, count: int = 1, timeout: float = TIMEOUT
    ) -> list[Frame]:
        """All frames up to and with the ``count``-th that is ``word`` (and has this routing key)."""
        heard: list[Frame] = []
        try:
            async with asyncio.timeout(timeout):
                while count:
                    frame = await self.hear(timeout)
                    heard.append(frame)
                    if frame.word.startswith(word) and (key is None or frame.key == key):
                        count -= 1
        except TimeoutError:
            words = [each.word for each in heard]
            raise AssertionError(f"waited for {word!r}, heard {words[:20]} ... {words[-20:]}") from None
        return heard

    async def nothing(self, seconds: float = 0.3) -> None:
        """Insists that nothing comes for a while."""
        try:
            frame = await self.hear(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"the server said {frame}")

    async def closed(self, timeout: float = TIMEOUT) -> tuple[int, str]:
        """Waits for the server to close; gives its code and reason."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    await self.ws.recv()
        except ConnectionClosed as error:
            received = error.rcvd
            return (received.code, received.reason) if received is not None else (1006, "")
        except TimeoutError:
            raise AssertionError(f"the server did not close within {timeout} s") from None

    # Hocuspocus, as its provider does it

    async def log_in(
        self, document: str, token: str, *, version: str | None = "4.8.0", key: str | None = None
    ) -> str:
        """Sends the token and insists on being let in; returns the granted scope."""
        key = document if key is None else key
        await self.say(AUTH, b"\x00" + string(token) + (string(version) if version else b""), key)
        heard = await self.hear_until("authenticated", key=key)
        return heard[-1].word.removeprefix("authenticated ")

    async def sync(
        self, key: str = "", vector: bytes = EMPTY_VECTOR, have: bytes = EMPTY_UPDATE
    ) -> list[Frame]:
        """A whole opening exchange; returns what was heard, up to the server's step 2."""
        await self.say(SYNC, step1(vector), key)
        heard = await self.hear_until("step2", key=key if self.keyed else None)
        await self.say(SYNC, step2(have), key)
        if self.keyed:
            heard += await self.hear_until("status", key=key)
        return heard


def parse(data: bytes, *, keyed: bool) -> Frame:
    if not keyed:
        kind, at = read_uint(data)
        return Frame(None, kind, data[at:])
    if data in (b"\x09", b"\x0a"):
        return Frame(None, data[0], b"")
    key, at = read_bytes(data)
    kind, at = read_uint(data, at)
    return Frame(key.decode(), kind, data[at:])


@asynccontextmanager
async def _line(url: str, keyed: bool, **options: Any) -> AsyncIterator[Line]:
    ws = await connect(url, compression=None, max_size=None, close_timeout=1, ping_interval=None, **options)
    try:
        yield Line(ws, keyed=keyed)
    finally:
        # A connection that was lost in the middle of a write makes close() stumble over its own transport.
        with suppress(AttributeError):
            await ws.close()


@asynccontextmanager
async def hocuspocus(ws_url: str, query: str = "", **options: Any) -> AsyncIterator[Line]:
    """A socket on ``/collab``."""
    async with _line(f"{ws_url}/collab{query}", True, **options) as line:
        yield line


@asynccontextmanager
async def plain(ws_url: str, document: str, token: str, **options: Any) -> AsyncIterator[Line]:
    """A socket on ``/collab/<document>``, in y-websocket's framing."""
    async with _line(f"{ws_url}/collab/{quote(document)}?token={token}", False, **options) as line:
        yield line
