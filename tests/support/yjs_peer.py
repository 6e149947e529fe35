"""Real Yjs in a Node process, commanded line by line. The commands are those of tests/crdt/yjs/peer.mjs."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["YjsError", "YjsPeer", "decode", "encode"]

ROOT = Path(__file__).resolve().parents[2]


def encode(update: bytes) -> str:
    return base64.b64encode(update).decode()


def decode(text: str) -> bytes:
    return base64.b64decode(text)


class YjsError(Exception):
    """What Yjs threw."""


class YjsPeer:
    """One Node process; use it as a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [ROOT / "tools" / "with-node", "node", ROOT / "tests" / "crdt" / "yjs" / "peer.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def __call__(self, command: str, **options: Any) -> Any:
        """Sends one command, returns its result. Raises YjsError with what it threw."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **options}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise YjsError(f"The Yjs process ended with {self._process.wait(10)} during {command!r}.")
        answer = json.loads(line)
        if "error" in answer:
            raise YjsError(answer["error"])
        return answer["result"]

    def open(self, updates: Iterable[bytes]) -> Any:
        """Content, state, state vector and pending of a new document made of `updates`."""
        return self("open", updates=[encode(update) for update in updates])
