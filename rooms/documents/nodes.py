"""The other nodes: which of them live, and whether this one has missed anything they did.

The bus is a hint. What it lost is found in three ways: each node's heartbeat names the documents it wrote to
lately, with their heads; the log says which node has written; and while the bus is away, or silent about a
node that writes, the heads of the documents open here are read from the log every second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from crdt.errors import LogError
from crdt.log import Head, Log
from rooms.bus import Bus, BusState
from rooms.bus.messages import Attending, Changed, Heads, Leaving, NodeMessage, Spent
from rooms.documents.live import LiveRoom
from rooms.documents.registry import Registry
from rooms.rights.access import Changes, in_a_space
from rooms.rights.supervision import Supervision

__all__ = ["Nodes"]

logger = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between heartbeats, and between looks at the log while the bus is away."""
REPEATED = 10
"""Heartbeats that name a document after it was written to, so that a lost one does no harm."""
DEAF_AFTER = 2.0
"""Seconds after a node wrote to the log within which its heartbeat has to come; else the log is asked."""
GONE_AFTER = 15.0
"""Seconds without a heartbeat after which the people of a node are gone."""
LEAVING_GRACE = 2.0
"""Seconds for which the people of a node that stops still seem to be here: they come back through another."""
STRANGE_FOR = 60.0
"""Seconds for which a node is remembered that writes to the log and cannot be heard for want of a bus."""
EXPIRE = 15.0
"""Seconds between looks for people on other nodes that nobody speaks of any more."""
AT_ONCE = 500
"""Documents in one message, in one question to the log, or handled before the loop gets a turn."""


class Nodes:
    """What one node knows of the others. All methods belong to the loop's thread."""

    def __init__(
        self,
        registry: Registry,
        bus: Bus,
        log: Log,
        *,
        records_changed: Callable[[int | None], None],
        spent: Callable[[], Mapping[str, float]] = dict,
        charge: Callable[[str, float], None] = lambda who, amount: None,
        supervision: Supervision | None = None,
    ) -> None:
        """records_changed: another node says that rights have changed, by the change's number; None: some may
        have. spent: what log-ins spent here since it was last asked; charge: what they spent elsewhere.
        supervision: knows which teachers are here, and is told of those elsewhere."""
        self._registry = registry
        self._bus = bus
        self._log = log
        self._records_changed = records_changed
        self._spent = spent
        self._charge = charge
        self._supervision = supervision or Supervision(Changes())
        self._supervision.spread = self._say_attending
        self._heard: dict[str, float] = {}
        """Node -> when its last heartbeat came (the loop's seconds)."""
        self._named: dict[str, tuple[int, int, int]] = {}
        """Document -> its epoch and head, and how many heartbeats more will name it."""
        self._turns: Mapping[str, int] | None = None
        """How often each node has written to the log."""
        self._wrote: dict[str, float] = {}
        """Node -> when it was seen to have written, until its heartbeat tells where."""
        self._strange_at = float("-inf")
        """When another node was last seen to write that nobody can hear."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def others(self) -> set[str]:
        """The other nodes that live, as far as can be heard."""
        return set(self._heard)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens and beats for the length of a block, and says good-bye at its end."""
        unsubscribe = [self._bus.on_node_message(self._hear), self._bus.on_state(self._state_changed)]
        if self._bus.state is not BusState.ALONE:
            for work in (self._beat(), self._look(), self._expire()):
                self._begin(work)
        elif await self._log_is_shared():
            self._begin(self._look())
        try:
            yield
        finally:
            for each in unsubscribe:
                each()
            tasks = tuple(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._bus.send(Leaving())

    async def _log_is_shared(self) -> bool:
        try:
            return bool(await self._log.turns())
        except LogError:
            return True

    @property
    def strangers(self) -> str:
        """What is wrong when nodes share the log without a bus, as a sentence for an operator; empty else."""
        now = asyncio.get_running_loop().time()
        if self._bus.state is not BusState.ALONE or now - self._strange_at > STRANGE_FOR:
            return ""
        return "Another node writes to this database: give --redis to all of them, or edits take seconds."

    def say_changed(self, number: int) -> None:
        """Tells the other nodes that a change of rights is in the records, under this number."""
        self._bus.send(Changed(number))

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What is heard

    def _hear(self, node: str, message: NodeMessage) -> None:
        if node == self._bus.node:
            return
        match message:
            case Heads():
                self._heard[node] = asyncio.get_running_loop().time()
                for document, (epoch, last) in message.heads.items():
                    self._compare(document, epoch, last)
            case Leaving():
                self._begin(self._gone_soon(node))
            case Changed():
                self._records_changed(message.number)
            case Spent():
                for who, amount in message.amounts.items():
                    self._charge(who, amount)
            case Attending():
                self._supervision.heard(node, message.spaces)

    def _compare(self, document: str, epoch: int, last: int) -> None:
        room = self._registry.get(document)
        if room is not None and not (in_a_space(document) and self._registry.shelf.rights_outdated()):
            room.replication.behind(epoch, last)

    async def _gone_soon(self, node: str) -> None:
        await asyncio.sleep(LEAVING_GRACE)
        self._gone(node)

    def _gone(self, node: str) -> None:
        self._supervision.node_gone(node)
        if self._heard.pop(node, None) is not None:
            for room in self._registry:
                room.node_gone(node)

    def _state_changed(self, state: BusState) -> None:
        self._records_changed(None)
        if state is BusState.UP:
            self._begin(self._reunite())

    async def _reunite(self) -> None:
        """The bus is back: nobody knows what it lost."""
        with suppress(LogError):  # the heartbeats will tell
            await self._compare_all()
        async for room in self._each_room():
            room.ask_for_presence()
            room.speak_of_presence()

    async def _each_room(self) -> AsyncIterator[LiveRoom]:
        for count, room in enumerate(self._registry, 1):
            yield room
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)

    # What is said and asked every second

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._say_heads()
            self._say_attending(self._supervision.here())
            amounts = self._spent()
            if amounts:
                self._bus.send(Spent(amounts))
            for node in [node for node, at in self._heard.items() if loop.time() - at > GONE_AFTER]:
                logger.warning("node %s is silent: its people are gone", node)
                self._gone(node)
            await asyncio.sleep(BEAT)

    def _say_heads(self) -> None:
        grown = self._registry.shelf.grown
        for document, (epoch, last) in grown.items():
            self._named[document] = (epoch, last, REPEATED)
        grown.clear()
        names = list(self._named)
        for start in range(0, max(len(names), 1), AT_ONCE):
            said = {name: self._named[name][:2] for name in names[start : start + AT_ONCE]}
            self._bus.send(Heads(said))
        self._named = {
            name: (epoch, last, left - 1) for name, (epoch, last, left) in self._named.items() if left > 1
        }

    def _say_attending(self, spaces: Mapping[str, Sequence[str]]) -> None:
        names = list(spaces)
        for start in range(0, len(names), AT_ONCE):
            self._bus.send(Attending({name: spaces[name] for name in names[start : start + AT_ONCE]}))

    async def _look(self) -> None:
        outdated = False
        while True:
            try:
                outdated, was_outdated = self._registry.shelf.rights_outdated(), outdated
                missed = was_outdated and not outdated
                if await self._is_deaf() or missed or self._bus.state is BusState.AWAY:
                    await self._compare_all()
            except LogError as error:
                logger.debug("the log cannot be asked now: %s", error)
            except Exception:
                logger.exception("looking for what other nodes wrote met an error of its own")
            await asyncio.sleep(BEAT)

    async def _is_deaf(self) -> bool:
        """Whether a node has written of which nothing is heard: it cannot reach the bus, or we cannot."""
        turns = await self._log.turns()
        now = asyncio.get_running_loop().time()
        if self._turns is not None:
            for node, turn in turns.items():
                if turn != self._turns.get(node) and node != self._bus.node:
                    self._wrote.setdefault(node, now)
        self._turns = turns
        heard = [node for node, at in self._wrote.items() if self._heard.get(node, 0.0) > at]
        unheard = [node for node, at in self._wrote.items() if now - at > DEAF_AFTER]
        for node in {*heard, *unheard}:
            del self._wrote[node]
        deaf = bool(set(unheard).difference(heard))
        if deaf:
            self._strange_at = now
        return deaf

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE)
            async for room in self._each_room():
                room.expire_presence()

    async def _compare_all(self) -> None:
        """Reads the heads of all documents open here from the log."""
        names = [room.name for room in self._registry if room.active]
        for start in range(0, len(names), AT_ONCE):
            asked = names[start : start + AT_ONCE]
            self._compare_heads(asked, await self._log.heads(asked))

    def _compare_heads(self, asked: Iterable[str], heads: Mapping[str, Head]) -> None:
        for name in asked:
            head = heads.get(name)
            if head is not None:
                self._compare(name, head.epoch, head.seq)
