"""pycrdt-websocket 0.16 on Hypercorn, as its documentation sets it up, in a Python of its own."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from load.backing.process import Process

from . import packages

__all__ = ["PycrdtWebsocket"]

FOLDER = Path(__file__).resolve().parent / "pycrdt"


class PycrdtWebsocket(Process):
    """It keeps documents in memory, stores nothing and lets everybody write."""

    name = "pycrdt-websocket"

    @property
    def url(self) -> str:
        """Where y-websocket's framing is served."""
        return f"ws://127.0.0.1:{self.port}"

    async def _prepare(self) -> None:
        self._python = await asyncio.to_thread(packages.python, FOLDER)

    def _command(self) -> list[str]:
        return [self._python, str(FOLDER / "serve.py"), str(self.port)]

    async def _is_ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
