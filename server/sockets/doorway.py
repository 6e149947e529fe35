"""The first bytes of a connection: a WebSocket is opened at once, everything else is for aiohttp.

A request costs aiohttp two tasks, a router and several middlewares, which a socket needs none of. What the
gateway would refuse, and whatever is not plainly a socket's request in one piece, aiohttp gets as it came, so
that there is one place that answers it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import access_logger
from aiohttp.web_protocol import RequestHandler

from server.logs import AccessLog
from server.names import name_in_path

from .gateway import PREFIX, Gateway

__all__ = ["Doorway"]

SOCKETS: Final = b"GET /collab"
READ_AT_ONCE: Final = 2**16


class Doorway:
    """Makes the protocol of each new connection (the factory of `loop.create_server`)."""

    def __init__(
        self, server: web.Server, gateway: Gateway, *, head_seconds: float, header_bytes: int
    ) -> None:
        """head_seconds: a connection that has not sent its first request's head by then is dropped."""
        self.server = server
        self.gateway = gateway
        self.head_seconds = head_seconds
        self.log = AccessLog(access_logger, "")
        self.loop = asyncio.get_running_loop()
        self.waiting: set[_Doorman] = set()
        """Connections that have said nothing yet."""
        self._header_bytes = header_bytes
        self._nobody = BaseProtocol(self.loop)

    def __call__(self) -> asyncio.Protocol:
        return _Doorman(self)

    def close(self) -> None:
        """Drops whoever has said nothing yet."""
        for doorman in self.waiting:
            doorman.transport.abort()

    def read(self, data: bytes) -> tuple[Any, bytes] | None:
        """The head of a request for an upgrade and the bytes behind it; None for anything else."""
        parser = HttpRequestParser(
            self._nobody,
            self.loop,
            READ_AT_ONCE,
            max_line_size=self._header_bytes,
            max_field_size=self._header_bytes,
            auto_decompress=False,
        )
        try:
            messages, upgraded, tail = parser.feed_data(data)
        except HttpProcessingError:
            return None
        return (messages[0], tail) if upgraded and len(messages) == 1 else None


class _Doorman(asyncio.Protocol):
    """A connection until its first bytes have come. To a request it is what aiohttp's protocol would be."""

    __slots__ = ("_doorway", "_handler", "_timer", "transport")

    ssl_context = None

    def __init__(self, doorway: Doorway) -> None:
        self.transport: asyncio.Transport
        self._doorway = doorway
        self._handler: RequestHandler | None = None
        self._timer = doorway.loop.call_later(doorway.head_seconds, self._drop_if_silent)

    @property
    def peername(self) -> Any:
        return self.transport.get_extra_info("peername")

    @property
    def sockname(self) -> Any:
        return self.transport.get_extra_info("sockname")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._doorway.waiting.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._doorway.waiting.discard(self)
        self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._doorway.waiting.discard(self)
        if data.startswith(SOCKETS) and self._opens(data):
            self._timer.cancel()
            return
        self._handler = self._doorway.server()
        self.transport.set_protocol(self._handler)
        self._handler.connection_made(self.transport)
        self._handler.data_received(data)

    def _opens(self, data: bytes) -> bool:
        """Whether this was a request for a socket, which is open now."""
        doorway = self._doorway
        began = doorway.loop.time()
        read = doorway.read(data)
        if read is None:
            return False
        (message, payload), tail = read
        path = message.path.partition("?")[0]
        document, route = None, "/collab"
        if path not in ("/collab", PREFIX):
            document, route = name_in_path(message.path, PREFIX), PREFIX + "{document}"
            if document is None or "/." in path:
                return False
        request = web.BaseRequest(
            message, payload, cast(Any, self), cast(Any, None), cast(Any, None), doorway.loop
        )
        if doorway.gateway.open(request, document, lambda _: (self.transport, tail)) is not None:
            return False
        if doorway.log.enabled:
            doorway.log.note("GET", route, 101, 0, doorway.loop.time() - began)
        return True

    def _drop_if_silent(self) -> None:
        """aiohttp itself would wait for a request's head for ever."""
        if self._handler is None or self._handler._request_count == 0:
            self.transport.abort()
