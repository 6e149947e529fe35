"""A connection to a server of the bus that has been greeted: what comes over it goes to one listener at once.

redis-py makes the connection. Its own way of reading takes a stream, a parser and four coroutines for each
reply, which together cost more than what a small message is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

import hiredis
from redis._parsers.base import BaseParser
from redis.exceptions import ConnectionError as ConnectionGone
from redis.exceptions import InvalidResponse

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

__all__ = ["AT_ONCE", "Line"]

AT_ONCE: Final = 100
"""Messages handled before the loop gets a turn."""
_NOTHING: Final = object()


class Line(asyncio.Protocol):
    """Reads and writes for a connection, on which no answer may be under way when it is taken over."""

    def __init__(
        self, connection: AbstractConnection, heard: Callable[[Any], None], end: asyncio.Future[Exception]
    ) -> None:
        """heard: gets each reply and push, errors of the server as exceptions; what it raises ends the
        line. end: gets why the line has ended; lines that share it live and die together."""
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse, replyError=BaseParser.parse_error, notEnoughData=_NOTHING
        )
        self._end = end
        assert connection._writer is not None
        assert connection._reader is not None
        self._transport = cast(asyncio.Transport, connection._writer.transport)
        self._transport.set_protocol(self)
        if self._transport.is_closing() or connection._reader.at_eof():  # who was told of that is replaced
            self.end(ConnectionGone("Connection closed by server"))

    def write(self, commands: bytes) -> None:
        """Does nothing once the line has ended."""
        if not self._end.done():
            self._transport.write(commands)

    def end(self, reason: Exception) -> None:
        """Hangs up."""
        if not self._end.done():
            self._end.set_result(reason)
        self._transport.abort()

    # What the transport calls

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        if not self._take():
            self._transport.pause_reading()
            self._loop.call_soon(self._go_on)

    def connection_lost(self, error: Exception | None) -> None:
        self.end(error or ConnectionGone("Connection closed by server"))

    def _go_on(self) -> None:
        if not self._take():
            self._loop.call_soon(self._go_on)
        elif not self._end.done():
            self._transport.resume_reading()

    def _take(self) -> bool:
        """Whether there is nothing left to take, or nobody for it."""
        try:
            for _ in range(AT_ONCE):
                reply = _NOTHING if self._end.done() else self._reader.gets()
                if reply is _NOTHING:
                    return True
                self._heard(reply)
        except Exception as error:
            self.end(error)
            return True
        return False
