"""Hocuspocus 4.7 in Node.js, exactly as the lock files pin it: alone, with Redis, or with SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path

from load.backing.process import Process
from load.backing.valkey import Valkey

from . import packages

__all__ = ["Hocuspocus", "StoredHocuspocus"]

FOLDER = Path(__file__).resolve().parent


class Hocuspocus(Process):
    """`async with Hocuspocus(valkey) as node: ...`: a node beside the others on the same Valkey, or alone.

    It keeps documents in memory and stores nothing: no extension for storage is given to it.
    """

    name = "hocuspocus"

    def __init__(self, valkey: Valkey | None = None) -> None:
        super().__init__()
        self._valkey = valkey

    @property
    def url(self) -> str:
        """Where Hocuspocus' framing is served."""
        return f"ws://127.0.0.1:{self.port}"

    async def _prepare(self) -> None:
        self._node = await asyncio.to_thread(packages.node, FOLDER)

    def _command(self) -> list[str]:
        redis = (
            [] if self._valkey is None
            else ["--redis-host", "127.0.0.1", "--redis-port", str(self._valkey.port)]
        )  # fmt: skip
        return [self._node, str(FOLDER / "hocuspocus.mjs"), "--port", str(self.port), *redis]

    async def _is_ready(self) -> bool:
        return "listening on" in self.said()


class StoredHocuspocus(Hocuspocus):
    """It stores documents with its SQLite extension, at the times that are its defaults.

    Its packages have a part in C++ that npm compiles where it finds no ready one: that takes minutes, and
    needs a compiler.
    """

    name = "hocuspocus-sqlite"

    async def _prepare(self) -> None:
        self._node = await asyncio.to_thread(packages.node, FOLDER / "stored")

    def _command(self) -> list[str]:
        program, database = FOLDER / "stored" / "hocuspocus.mjs", self.folder / "documents.sqlite3"
        return [self._node, str(program), "--port", str(self.port), "--database", str(database)]
