"""@y/websocket-server 0.1.5 in Node.js, as published: `npx y-websocket-server`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from load.backing.process import Process

from . import packages

__all__ = ["YWebsocketServer"]

FOLDER = Path(__file__).resolve().parent / "ywebsocket"
PROGRAM = FOLDER / "node_modules" / "@y" / "websocket-server" / "src" / "server.js"


class YWebsocketServer(Process):
    """It keeps documents in memory, stores nothing and lets everybody write."""

    name = "y-websocket-server"

    @property
    def url(self) -> str:
        """Where y-websocket's framing is served."""
        return f"ws://127.0.0.1:{self.port}"

    async def _prepare(self) -> None:
        self._node = await asyncio.to_thread(packages.node, FOLDER)

    def _command(self) -> list[str]:
        return [self._node, str(PROGRAM)]

    def _environment(self) -> Mapping[str, str]:
        return {"PATH": os.defpath, "HOST": "127.0.0.1", "PORT": str(self.port)}

    async def _is_ready(self) -> bool:
        return "running at" in self.said()
