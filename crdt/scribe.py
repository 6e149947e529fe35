"""The server as a writer: JSON values in the root maps of a document, under a client id of its own.

What is overwritten is gone from the document, and from whatever is sent of it later; the durable log keeps
the raw updates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crdt.engine import Engine

__all__ = ["Scribe"]


class Scribe:
    """A copy of one document that writes. What it has written counts once its update is in the document;
    a scribe whose update was lost is of no use any more: make another, which has another client id."""

    def __init__(self) -> None:
        self._engine = Engine()

    def learn(self, update: bytes) -> None:
        """Takes in what the document has. Raises EngineRefused."""
        self._engine.apply(update)

    def vector(self) -> bytes:
        """The state vector of what was learnt and written."""
        return self._engine.state_vector()

    def entries(self, root: str) -> dict[str, Any]:
        """The values of a root map, by key. Numbers come back as floats."""
        return self._engine.entries(root)

    def write(self, changes: Mapping[str, Mapping[str, Any]]) -> bytes:
        """Sets values by root and key (None takes one away), and returns the update to hand in."""
        return self._engine.put(changes)
