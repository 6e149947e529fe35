"""Between nodes: what one node has committed, shown or changed reaches the others as a fast hint.

The log and the records are the truth (design promise 2); the bus may lose, double or reorder whatever it
carries. A sender therefore never waits for it and never learns whether anybody heard, and whoever listens
notices a gap by sequence numbers and asks the truth.

* `rooms.bus.local.LocalBus`: nodes of one process; with a single node it does nothing.
* `rooms.bus.redis.RedisBus`: nodes that share a Redis or Valkey server, Sentinel or cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from rooms.bus.messages import DocumentMessage, NodeMessage

__all__ = ["Bus", "BusState", "DocumentListener", "Figures", "NodeListener"]

DocumentListener = Callable[[str, DocumentMessage], None]
"""Called on the loop's thread with the node that sent and what it said; must not raise."""
NodeListener = Callable[[str, NodeMessage], None]


class BusState(Enum):
    ALONE = "alone"
    """No other node can hear: nothing needs to be said."""
    UP = "up"
    """What is sent is delivered, as far as anybody can tell."""
    AWAY = "away"
    """Nothing is delivered now: listeners have to ask the log and the records instead."""


@dataclass(slots=True)
class Figures:
    """What a bus has done since it was made."""

    published: int = 0
    """Envelopes that a server has taken."""
    published_bytes: int = 0
    received: int = 0
    """Envelopes of others, and this node's own that came back."""
    received_bytes: int = 0
    dropped_full: int = 0
    """Messages that waited when too many did."""
    dropped_away: int = 0
    """Messages said while their server was away."""
    unverified: int = 0
    """Envelopes that no node of this installation wrote, or not for that channel."""
    reconnects: int = 0
    away_seconds: float = 0.0


class Bus(Protocol):
    """All methods belong to the loop's thread; none of them blocks it."""

    @property
    def node(self) -> str:
        """This node's name on the bus: drawn anew at each start."""
        ...

    @property
    def state(self) -> BusState: ...

    @property
    def reason(self) -> str:
        """Why the bus is away, as a sentence for an operator; empty else."""
        ...

    @property
    def figures(self) -> Figures: ...

    def on_state(self, callback: Callable[[BusState], None]) -> Callable[[], None]:
        """Calls back at each change of state, once every subscription stands when it is up again; returns the
        function that unsubscribes."""
        ...

    def on_node_message(self, listener: NodeListener) -> Callable[[], None]:
        """Hears what is said to all nodes, this node's own messages included (so that a node can tell whether
        the bus delivers); returns the function that unsubscribes."""
        ...

    async def open(self) -> None:
        """Connects, or begins to try. A bus that cannot be reached is away, which is no error."""
        ...

    async def close(self) -> None:
        """Sends what is queued if that is possible soon, and lets go."""
        ...

    async def join(self, document: str, listener: DocumentListener) -> None:
        """Hears what other nodes say of a document, from the moment this returns until `leave`.

        Returns when the subscription is confirmed, or at once while the bus is away (it then subscribes when
        it is back). One listener a document and node.
        """
        ...

    def leave(self, document: str) -> None:
        """Hears no more of the document. Leaving what was never joined does nothing."""
        ...

    def send(self, message: DocumentMessage | NodeMessage) -> None:
        """Says something to all nodes that have the document open, or to all nodes. Never waits, never fails;
        while the bus is away it is lost. Messages of one loop turn may travel together."""
        ...
