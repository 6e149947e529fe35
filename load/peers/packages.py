"""The peers' packages, installed on first use exactly as their lock files pin them, into ignored folders."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from load.backing.process import BackingError

__all__ = ["node", "python"]

WITH_NODE = Path(__file__).resolve().parents[2] / "tools" / "with-node"
INSTALL_SECONDS = 600


def node(folder: Path) -> str:
    """Node's program, once the packages of a folder are there as its package-lock.json pins them.

    Raises BackingError, with what npm said, if they cannot be installed.
    """
    if not WITH_NODE.exists():
        raise BackingError(f"There is no {WITH_NODE.name} here: peers run from a clone of the repository.")

    def install() -> None:
        _run(folder, str(WITH_NODE), "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")

    _once(folder / "package-lock.json", folder / "node_modules" / ".installed", install)
    return _run(folder, str(WITH_NODE), "node", "--print", "process.execPath")


def python(folder: Path) -> str:
    """The Python of a folder's own .venv, once it holds what its requirements.txt pins.

    Raises BackingError, with what pip said, if that cannot be installed.
    """
    lock, program = folder / "requirements.txt", folder / ".venv" / "bin" / "python"

    def install() -> None:
        _run(folder, sys.executable, "-m", "venv", "--clear", ".venv")
        _run(
            folder, str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--require-hashes", "--requirement", str(lock),
        )  # fmt: skip

    _once(lock, folder / ".venv" / ".installed", install)
    return str(program)


def _once(lock: Path, stamp: Path, install: Callable[[], None]) -> None:
    with lock.open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # two at a time would remove each other's files
        if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
            install()
            stamp.touch()


def _run(folder: Path, *command: str) -> str:
    shown = " ".join(Path(word).name for word in command[:3])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise BackingError(f"{shown} took more than {INSTALL_SECONDS} s.") from None
    if done.returncode:
        raise BackingError(f"{shown} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout.strip()
