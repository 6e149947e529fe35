"""The WebSocket handshake, and taking the socket over from aiohttp."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from websockets.datastructures import Headers
from websockets.frames import CloseCode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.utils import accept_key

from .connection import Connection
from .switchboard import Switchboard

__all__ = ["HandedOver", "LetGo", "release", "take_over"]

LetGo = Callable[[web.BaseRequest], tuple[asyncio.Transport, bytes] | None]
"""Gives up the socket a request came on, and the bytes that came behind its head; None if it is gone."""

_KEY: Final = re.compile(r"[A-Za-z0-9+/]{21}[AQgw]==")
"""16 bytes in base64."""
_USUAL_CONNECTION: Final = frozenset({"upgrade", "keep-alive, upgrade"})
_ONCE: Final = ("Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


class HandedOver(web.StreamResponse):
    """What the aiohttp handler returns when the socket is no longer aiohttp's: nothing is written."""

    def __init__(self) -> None:
        super().__init__(status=101)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        pass


def _handshake(request: web.BaseRequest) -> bytes | web.Response:
    """The answer to a WebSocket handshake (RFC 6455 section 4), or the response that says what is wrong."""
    return _plain(request) or _careful(request)


def _plain(request: web.BaseRequest) -> bytes | None:
    """The answer to a handshake as browsers and libraries write it; None for what needs a closer look."""
    headers = request.headers
    key = headers.get("Sec-WebSocket-Key", "")
    if (
        "Sec-WebSocket-Protocol" in headers
        or headers.get("Connection", "").lower() not in _USUAL_CONNECTION
        or headers.get("Upgrade", "").lower() != "websocket"
        or headers.get("Sec-WebSocket-Version") != "13"
        or _KEY.fullmatch(key) is None
        or any(len(headers.getall(name)) != 1 for name in _ONCE)
    ):
        return None
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
    ).encode()


def _careful(request: web.BaseRequest) -> bytes | web.Response:
    protocol = ServerProtocol(subprotocols=None, select_subprotocol=_echo_first)
    headers = Headers()
    for name, value in request.headers.items():
        headers[name] = value
    response = protocol.accept(Request(request.raw_path, headers))
    protocol.send_response(response)
    if protocol.state is not State.OPEN:
        body = bytes(response.body).decode() if response.body else ""
        return web.Response(
            status=response.status_code, text=body, headers=dict(response.headers.raw_items())
        )
    return b"".join(protocol.data_to_send())


def release(request: web.BaseRequest) -> tuple[asyncio.Transport, bytes] | None:
    """Takes a socket from aiohttp: its transport and the bytes that came behind the handshake.

    None if it is gone. Relies on what tests/server/test_takeover.py checks of aiohttp: its connection forgets
    the transport without closing it.
    """
    transport, protocol = request.transport, request.protocol
    if transport is None or transport.is_closing():
        return None
    tail, protocol._message_tail = protocol._message_tail, b""
    protocol.transport = None
    protocol.connection_lost(None)
    return transport, tail


def take_over(
    request: web.BaseRequest,
    board: Switchboard,
    *,
    max_message: int,
    too_big_code: int = CloseCode.MESSAGE_TOO_BIG,
    let_go: LetGo = release,
) -> tuple[Connection, bytes] | web.Response:
    """Answers a WebSocket handshake and takes the socket over.

    Returns the connection, to be started with the bytes that came behind the handshake; or the HTTP
    response that says what is wrong with the request, which then goes on where it is.
    """
    answer = _handshake(request)
    if isinstance(answer, web.Response):
        return answer
    taken = let_go(request)
    if taken is None:
        return web.Response(status=400)
    transport, tail = taken
    transport.write(answer)
    return Connection(transport, board, max_message=max_message, too_big_code=too_big_code), tail


def _echo_first(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """A browser that offers subprotocols gives up unless one comes back; a token may be among them."""
    return offered[0] if offered else None
