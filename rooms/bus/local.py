"""The bus within one process: nothing for a single node, plain calls between several."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from rooms.bus import BusState, DocumentListener, Figures, NodeListener
from rooms.bus.messages import (
    Attending,
    Changed,
    DocumentMessage,
    Heads,
    Leaving,
    NodeMessage,
    Spent,
    fitting,
)

__all__ = ["LocalBus", "LocalHub"]

_TO_ALL = (Heads, Leaving, Changed, Spent, Attending)


@dataclass
class LocalHub:
    """What the nodes of one process share."""

    buses: list[LocalBus] = field(default_factory=list)


class LocalBus:
    """Implements `rooms.bus.Bus` between the nodes that are given one hub; alone without one."""

    def __init__(self, hub: LocalHub | None = None, node: str | None = None) -> None:
        self.node = node or secrets.token_hex(8)
        self.reason = ""
        self.figures = Figures()
        self._hub = hub
        self._documents: dict[str, DocumentListener] = {}
        self._listeners: dict[object, NodeListener] = {}

    @property
    def state(self) -> BusState:
        return BusState.ALONE if self._hub is None else BusState.UP

    def on_state(self, callback: Callable[[BusState], None]) -> Callable[[], None]:
        return lambda: None

    def on_node_message(self, listener: NodeListener) -> Callable[[], None]:
        key = object()
        self._listeners[key] = listener

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    async def open(self) -> None:
        if self._hub is not None:
            self._hub.buses.append(self)

    async def close(self) -> None:
        if self._hub is not None and self in self._hub.buses:
            self._hub.buses.remove(self)

    async def join(self, document: str, listener: DocumentListener) -> None:
        self._documents[document] = listener

    def leave(self, document: str) -> None:
        self._documents.pop(document, None)

    def send(self, message: DocumentMessage | NodeMessage) -> None:
        if self._hub is None:
            return
        message = fitting(message)
        loop = asyncio.get_running_loop()
        for bus in self._hub.buses:
            if isinstance(message, _TO_ALL) or bus is not self:
                loop.call_soon(bus.deliver, self.node, message)

    def deliver(self, node: str, message: DocumentMessage | NodeMessage) -> None:
        """Hands a message to whoever listens for it here."""
        if isinstance(message, _TO_ALL):
            for listen in tuple(self._listeners.values()):
                listen(node, message)
        elif listener := self._documents.get(message.document):
            listener(node, message)
