"""One node of Hocuspocus 4.7 with its Redis extension, in Node.js, exactly as package-lock.json pins it."""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
from pathlib import Path

from load.backing.process import BackingError, Process
from load.backing.valkey import Valkey

__all__ = ["Hocuspocus"]

FOLDER = Path(__file__).resolve().parent
WITH_NODE = FOLDER.parent.parent / "tools" / "with-node"
INSTALL_SECONDS = 300


class Hocuspocus(Process):
    """`async with Hocuspocus(valkey) as node: ...`: a node beside the others on the same Valkey.

    It keeps documents in memory and stores nothing: no extension for storage is given to it.
    """

    name = "hocuspocus"

    def __init__(self, valkey: Valkey) -> None:
        super().__init__()
        self._valkey = valkey

    @property
    def url(self) -> str:
        """Where Hocuspocus' framing is served."""
        return f"ws://127.0.0.1:{self.port}"

    async def _prepare(self) -> None:
        self._node = await asyncio.to_thread(_installed)

    def _command(self) -> list[str]:
        return [
            self._node, str(FOLDER / "hocuspocus.mjs"), "--port", str(self.port),
            "--redis-host", "127.0.0.1", "--redis-port", str(self._valkey.port),
        ]  # fmt: skip

    async def _is_ready(self) -> bool:
        return "listening on" in self.said()


def _installed() -> str:
    """Installs the packages if they are not there as the lock pins them; gives Node's program.

    Raises BackingError, with what npm said, if they cannot be installed.
    """
    if not WITH_NODE.exists():
        raise BackingError(f"There is no {WITH_NODE.name} here: peers run from a clone of the repository.")
    lock, modules = FOLDER / "package-lock.json", FOLDER / "node_modules"
    with lock.open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two at a time would remove each other's files
        stamp = modules / ".installed"
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            _with_node("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
            stamp.touch()
    return _with_node("node", "--print", "process.execPath")


def _with_node(*command: str) -> str:
    try:
        done = subprocess.run(
            [str(WITH_NODE), *command],
            cwd=FOLDER,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise BackingError(f"{command[0]} took more than {INSTALL_SECONDS} s.") from None
    if done.returncode:
        raise BackingError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
