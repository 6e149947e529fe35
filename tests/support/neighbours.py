"""Several nodes in one process: registries that share a log and a bus, as node processes do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from listeners import Listener

from crdt.log import Log
from rooms.bus.local import LocalBus, LocalHub
from rooms.bus.messages import DocumentMessage, NodeMessage
from rooms.documents.live import Shelf
from rooms.documents.nodes import Nodes
from rooms.documents.registry import Registry
from rooms.rights.access import Changes
from rooms.rights.supervision import Supervision

__all__ = ["LossyBus", "Neighbour", "neighbours"]


@dataclass
class LossyBus:
    """A bus that loses, doubles and delays what it is given, as its seed says."""

    bus: LocalBus
    rng: random.Random
    loss: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    sent: list[DocumentMessage | NodeMessage] = field(default_factory=list)

    def send(self, message: DocumentMessage | NodeMessage) -> None:
        self.sent.append(message)
        if self.rng.random() < self.loss:
            return
        for _ in range(2 if self.rng.random() < self.doubled else 1):
            if self.rng.random() < self.delayed:
                delay = self.rng.uniform(0.0, 0.05)
                asyncio.get_running_loop().call_later(delay, self.bus.send, message)
            else:
                self.bus.send(message)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bus, name)


@dataclass
class Neighbour:
    """One node of several."""

    bus: LossyBus
    registry: Registry
    nodes: Nodes
    rights_outdated: list[bool]
    """Not empty: it cannot read what has changed about rights."""
    supervision: Supervision
    told_of_changes: list[int | None] = field(default_factory=list)

    async def join(self, document: str, name: str, **options: Any) -> Listener:
        """Somebody opens a document on this node, and is in sync."""
        room = self.registry.acquire(document)
        await self.registry.current(room)
        listener = await Listener(room, name, **options).join()
        async with asyncio.timeout(5):
            while not listener.acknowledged:
                await asyncio.sleep(0.002)
        listener.acknowledged.clear()
        return listener


@asynccontextmanager
async def neighbours(
    log: Log,
    count: int = 2,
    *,
    seed: int = 1,
    log_for: Callable[[int], Log] | None = None,
    **faults: float,
) -> AsyncIterator[list[Neighbour]]:
    """Nodes that share ``log``, or have one each by ``log_for``; ``faults`` are fields of LossyBus."""
    hub = LocalHub()
    async with AsyncExitStack() as stack:
        made = []
        for number in range(count):
            bus = LossyBus(LocalBus(hub, f"node-{number}"), random.Random(f"{seed} {number}"), **faults)
            own = log_for(number) if log_for else log
            outdated: list[bool] = []
            shelf = Shelf(own, bus=bus, rights_outdated=lambda outdated=outdated: bool(outdated))  # type: ignore[arg-type, misc]
            registry = Registry(shelf, quiet=0.0)
            told: list[int | None] = []
            supervision = Supervision(Changes())
            nodes = Nodes(
                registry,
                bus,  # type: ignore[arg-type]
                own,
                records_changed=told.append,
                supervision=supervision,
            )
            await bus.open()
            stack.push_async_callback(bus.close)
            stack.push_async_callback(registry.drain)
            await stack.enter_async_context(nodes.running())
            made.append(Neighbour(bus, registry, nodes, outdated, supervision, told))
        yield made
