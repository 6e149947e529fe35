"""Logs without secrets, content or names: text for people, or JSON lines for machines.

What is logged of a request is the route it matched, not the path: a document's name may be a person's. No
query string, no address, no header. As a second net every line passes `redact`, which knows how secrets look.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import IO, Any, Final, Literal

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

__all__ = ["AccessLog", "JsonFormatter", "TextFormatter", "note_route", "redact", "set_up"]

_SECRETS: Final = re.compile(
    r"""
    \b (?=[a-z]) (?:                                                   # only where a word begins
      (?P<jwt> eyJ[\w-]{4,}\.[\w-]*\.[\w-]* )                           # a JSON Web Token
    | (?P<scheme> (?:bearer|basic)\s+ ) [^\s'",;]+                      # Authorization
    | (?P<key> (?:token|password|secret|authorization|cookie|sec-websocket-protocol)['"]?\s*[=:]\s*['"]?
        | twinspace= | yauth- ) (?:(?:bearer|basic)\s+)? [^\s'"&,;}]+     # token=..., "password": "..."
    | [a-z]{3,}(?:-[a-z]{3,}){4}\b                                      # the words of a code card
    )""",
    re.VERBOSE | re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text with everything that looks like a secret replaced by [redacted]."""
    return _SECRETS.sub(lambda found: (found["scheme"] or found["key"] or "") + "[redacted]", text)


def _describe(error: BaseException) -> str:
    """The stack and the kinds of the errors. Their messages may quote what a user sent, so only our own
    packages' errors and the operating system's keep theirs."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        kind = type(current)
        ours = kind.__module__.partition(".")[0] in ("crdt", "rooms", "server") or isinstance(
            current, OSError
        )
        message = f": {current}" if ours else ""
        stack = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{stack}{kind.__module__}.{kind.__qualname__}{message}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\ncaused by:\n".join(parts)


class TextFormatter(logging.Formatter):
    """`2026-11-23T19:26:48Z info server.app: message`, and errors with their stack."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._second = (0, "")
        """The last second that was asked for, and how it reads."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = record.message.replace("\n", "\\n")  # nobody forges a line
        return super().formatMessage(record)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        second, text = self._second
        if second != int(record.created):
            second = int(record.created)
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = (second, text)
        return f"{text}.{record.msecs:03.0f}Z"

    def formatException(self, ei: Any) -> str:
        error: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] = ei
        return _describe(error[1]) if error[1] is not None else ""


class JsonFormatter(TextFormatter):
    """One JSON object a line: time, level, logger, message, what `extra={"data": {...}}` adds, and error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        data = getattr(record, "data", None)
        if isinstance(data, dict):
            line.update(data)
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class AccessLog(AbstractAccessLogger):
    """One line a request: method, route, status, bytes, milliseconds."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        method = request.method if request.method in _METHODS else "-"
        self.note(method, request.get(MATCHED, "-"), response.status, response.body_length, time)

    def note(self, method: str, route: str, status: int, size: int, seconds: float) -> None:
        """The line of one request."""
        ms = round(seconds * 1000, 1)
        data = {"method": method, "route": route, "status": status, "bytes": size, "ms": ms}
        self.logger.info("%s %s %d %d bytes %.1f ms", method, route, status, size, ms, extra={"data": data})

    @property
    def enabled(self) -> bool:
        return self.logger.isEnabledFor(logging.INFO)


_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


MATCHED: Final = web.RequestKey[str]("matched")
"""The template of the route a request matched. A request that is no HTTP has none."""


@web.middleware
async def note_route(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Remembers for the access log which route a request matched."""
    resource = request.match_info.route.resource
    if resource is not None:
        request[MATCHED] = resource.canonical
    return await handler(request)


class _NotHttp(logging.Filter):
    """Bytes that are no HTTP are answered with 400. They are no fault of ours, and anybody can send them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def set_up(form: Literal["text", "json"], level: str, stream: IO[str] | None = None) -> None:
    """Sends all logging of this process, from `level` on, to standard error in one form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    chosen = logging.getLevelName(level.upper())
    # Other libraries' debug lines hold frames and statements, that is content: only ours may go below info.
    root.setLevel(max(chosen, logging.INFO))
    for ours in ("crdt", "rooms", "server"):
        logging.getLogger(ours).setLevel(chosen)
    for chatty in ("alembic", "websockets"):  # a line for each migration, and for each socket
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    # Nothing here says where in the code a line was written, or by which thread: so nobody finds that out.
    logging._srcfile = None  # see the logging HOWTO, "Optimization"
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.getLogger("aiohttp.server").addFilter(_NotHttp())
