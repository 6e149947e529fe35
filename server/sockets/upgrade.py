"""The WebSocket handshake, and taking the socket over from aiohttp."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from websockets.datastructures import Headers
from websockets.frames import CloseCode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from .connection import Connection
from .switchboard import Switchboard

__all__ = ["HandedOver", "take_over"]


class HandedOver(web.StreamResponse):
    """What the aiohttp handler returns when the socket is no longer aiohttp's: nothing is written."""

    def __init__(self) -> None:
        super().__init__(status=101)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        pass


def take_over(
    request: web.Request,
    board: Switchboard,
    *,
    max_message: int,
    too_big_code: int = CloseCode.MESSAGE_TOO_BIG,
    max_connections: int | None = None,
) -> tuple[Connection, bytes] | web.Response:
    """Answers a WebSocket handshake (RFC 6455 section 4) and takes the socket from aiohttp.

    Returns the connection, to be started with the bytes that came behind the handshake; or the HTTP
    response that says what is wrong with the request. Relies on what tests/server/test_takeover.py
    checks of aiohttp: its connection forgets the transport without closing it.
    """
    if max_connections is not None and len(board) >= max_connections:
        return web.Response(status=503, text="Too many connections; try again later.\n")
    handshake = ServerProtocol(subprotocols=None, select_subprotocol=_echo_first)
    headers = Headers()
    for name, value in request.headers.items():
        headers[name] = value
    response = handshake.accept(Request(request.raw_path, headers))
    handshake.send_response(response)
    if handshake.state is not State.OPEN:
        body = bytes(response.body).decode() if response.body else ""
        return web.Response(
            status=response.status_code, text=body, headers=dict(response.headers.raw_items())
        )
    transport = request.transport
    protocol = request.protocol
    if transport is None or transport.is_closing():
        return web.Response(status=400)
    tail, protocol._message_tail = protocol._message_tail, b""
    protocol.transport = None
    protocol.connection_lost(None)
    for chunk in handshake.data_to_send():
        transport.write(chunk)
    return Connection(transport, board, max_message=max_message, too_big_code=too_big_code), tail


def _echo_first(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """A browser that offers subprotocols gives up unless one comes back; a token may be among them."""
    return offered[0] if offered else None
