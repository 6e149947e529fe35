"""One frame for all readers: what is sent to many is framed once per framing and shared.

Where the cost of a delivery goes is measured in docs/performance.md; the rule that follows is: make
the bytes once, let every reader's socket hold the same object, write once per reader and loop turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

__all__ = ["Framing", "Shared", "broadcast"]


class Framing(Protocol):
    """How one wire protocol wraps a message for one routing key. Equal framings give equal bytes.

    Each method returns a complete WebSocket frame, ready for the transport.
    """

    def __hash__(self) -> int: ...
    def __eq__(self, other: object) -> bool: ...

    def step1(self, state_vector: bytes) -> bytes: ...
    def step2(self, update: bytes) -> bytes: ...
    def update(self, update: bytes) -> bytes: ...
    def awareness(self, payload: bytes) -> bytes: ...


class _Outlet(Protocol):
    @property
    def framing(self) -> Framing: ...
    def send(self, frame: bytes) -> None: ...


class _Receiver(Protocol):
    @property
    def outlet(self) -> _Outlet: ...


class Shared:
    """One message for many readers: framed when the first of a framing asks for it, once."""

    def __init__(self, make: Callable[[Framing], bytes]) -> None:
        self._make = make
        self._frames: dict[Framing, bytes] = {}

    def framed(self, framing: Framing) -> bytes:
        frame = self._frames.get(framing)
        if frame is None:
            frame = self._frames[framing] = self._make(framing)
        return frame


def broadcast(receivers: Iterable[_Receiver], make: Callable[[Framing], bytes]) -> int:
    """Sends one message to all receivers and returns how many there were."""
    shared = Shared(make)
    framing: Framing | None = None
    frame = b""
    count = 0
    for receiver in receivers:
        outlet = receiver.outlet
        if outlet.framing is not framing:
            framing = outlet.framing
            frame = shared.framed(framing)
        outlet.send(frame)
        count += 1
    return count
