"""Serving a node on its one port, from the first connection to the last commit.

On SIGTERM or Ctrl-C: stop accepting, take no more edits, commit what is in flight, close sockets with 1012,
end. A second signal does not hurry it: it is over within five seconds as it is.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web

from server.app import Node, open_node
from server.config import Settings
from server.logs import AccessLog
from server.sockets.doorway import Doorway

__all__ = ["listening", "run", "say_listening"]

BACKLOG: Final = 1024
REQUEST_SECONDS: Final = 1.0
"""How long requests under way may still take when the server stops."""
HEAD_SECONDS: Final = 10.0
"""A new connection that has not sent its first request's head by then is dropped."""
STOP_SECONDS: Final = 4.7
"""A disk that hangs cannot hold the process longer. What is not committed then, nobody was told is saved."""
HEADER_BYTES: Final = 16 * 1024
COLLECT_AFTER: Final = (20_000, 10, 10)
"""New objects, and collections of the younger ones, between two collections of each generation."""
SWITCH_SECONDS: Final = 20e-6
"""After which a thread that computes, such as one that reads a large document, gives the loop its turn."""
FILES: Final = 1 << 20
"""Open files wanted at most."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def listening(node: Node) -> AsyncIterator[str]:
    """Accepts connections for the length of a block; gives the address, such as http://127.0.0.1:8080."""
    runner = web.AppRunner(
        node.app,
        access_log_class=AccessLog,
        auto_decompress=False,
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
        keepalive_timeout=75,
        shutdown_timeout=REQUEST_SECONDS,
    )
    await runner.setup()
    try:
        loop = asyncio.get_running_loop()
        assert runner.server is not None
        doorway = Doorway(runner.server, node.gateway, head_seconds=HEAD_SECONDS, header_bytes=HEADER_BYTES)
        settings = node.settings
        server = await loop.create_server(
            doorway, settings.host, settings.port, backlog=BACKLOG, reuse_port=settings.workers > 1 or None
        )
        host, port = server.sockets[0].getsockname()[:2]
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
        finally:
            node.health.draining = True
            server.close()
            doorway.close()
    finally:
        await runner.cleanup()


def say_listening(address: str) -> None:
    """The line that scripts wait for."""
    sys.stdout.write(f"listening on {address}\n")
    sys.stdout.flush()


async def run(
    settings: Settings,
    prepare: Callable[[Node], Awaitable[object]] | None = None,
    announce: Callable[[str], None] = say_listening,
) -> None:
    """Serves until a signal comes. `prepare` runs before anybody can connect, `announce` once it listens."""
    _allow_many_files()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_node(settings) as node:
        if prepare is not None:
            await prepare(node)
        async with listening(node) as address:
            _collect_rarely()
            sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
            announce(address)
            if not settings.cookie_secure:
                logger.warning("session cookies travel over plain http: use this in a closed network only")
            await stop.wait()
            logger.info("stopping")
            deadline = threading.Timer(STOP_SECONDS, _give_up)
            deadline.daemon = True
            deadline.start()


def _collect_rarely() -> None:
    """Garbage in circles is rare here. What the start has made is never looked at again, and the rest after a
    few hundred edits instead of after a few: that took a tenth of the processor's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _allow_many_files() -> None:
    """Raises this process's limit of open files to what it may have: each socket is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(most, FILES)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _give_up() -> None:
    logger.error("the server could not end in order within %s seconds: ended anyway", STOP_SECONDS)
    logging.shutdown()
    os._exit(1)
