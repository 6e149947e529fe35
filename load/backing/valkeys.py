"""Several Valkeys that belong together: a cluster, and a pair that sentinels watch over."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from redis.exceptions import RedisError

from .process import BackingError, free_port
from .valkey import Valkey

__all__ = ["ValkeyCluster", "ValkeySentinel"]

SLOTS = 16_384
NODE_TIMEOUT_MS = 1_000
"""Milliseconds without a word after which the others call a node dead."""
SETTLE_SECONDS = 30.0
QUORUM = 2


class _Group:
    """Valkeys that start and end together."""

    def __init__(self) -> None:
        self.nodes: list[Valkey] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        raise NotImplementedError

    async def _add(self, node: Valkey) -> Valkey:
        self.nodes.append(await self._stack.enter_async_context(node))
        return node


async def _until(happened: Callable[[], Coroutine[Any, Any, bool]], what: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        with contextlib.suppress(RedisError, OSError):
            if await happened():
                return
        if time.monotonic() > deadline:
            raise BackingError(f"{what} did not happen within {SETTLE_SECONDS:.0f} s.")
        await asyncio.sleep(0.05)


class ValkeyCluster(_Group):
    """`async with ValkeyCluster(nodes=3) as cluster: ...`; `nodes` lists the primaries, then the replicas.

    replicas: 0 or 1 for each primary. Without one, the slots of a dead node are served by nobody.
    """

    def __init__(self, nodes: int = 3, replicas: int = 0) -> None:
        super().__init__()
        self.primaries, self.replicas = nodes, replicas

    @property
    def url(self) -> str:
        """Of all nodes, as `twinspace serve --redis` takes it."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    async def _start(self) -> None:
        buses = []
        for _ in range(self.primaries * (1 + self.replicas)):
            buses.append(free_port())
            await self._add(
                Valkey(
                    "--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS),
                    "--cluster-port", str(buses[-1]), "--cluster-require-full-coverage", "no",
                    "--repl-diskless-sync-delay", "0",
                )
            )  # fmt: skip
        first = self.nodes[0]
        for node, bus in zip(self.nodes[1:], buses[1:], strict=True):
            await first.ask("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        for number in range(self.primaries):
            begin, end = (SLOTS * each // self.primaries for each in (number, number + 1))
            await self.nodes[number].ask("CLUSTER", "ADDSLOTSRANGE", begin, end - 1)
        await _until(self._all_met, "Meeting of the cluster's nodes")
        for number, replica in enumerate(self.nodes[self.primaries :]):
            identifier = _text(await self.nodes[number % self.primaries].ask("CLUSTER", "MYID"))
            await replica.ask("CLUSTER", "REPLICATE", identifier)
        await self.healthy()

    async def _all_met(self) -> bool:
        counts = [int((await _cluster_info(node))["cluster_known_nodes"]) for node in self.nodes]
        return all(count == len(self.nodes) for count in counts)

    async def healthy(self) -> None:
        """Waits until nodes that run serve every slot, and every replica that runs follows a primary."""

        async def is_healthy() -> bool:
            alive = [node for node in self.nodes if node.running]
            ports = {node.port for node in alive}
            for node in alive:
                told = await _cluster_info(node)
                if told["cluster_state"] != "ok" or told["cluster_slots_ok"] != str(SLOTS):
                    return False
                if not {entry[2][1] for entry in await node.ask("CLUSTER", "SLOTS")} <= ports:
                    return False
                if (await node.info("replication")).get("master_link_status", "up") != "up":
                    return False
            return True

        await _until(is_healthy, "The cluster's health")

    async def primary_of(self, channel: str) -> Valkey:
        """The node that serves a sharded channel now."""
        asked = next(node for node in self.nodes if node.running)
        slot = int(await asked.ask("CLUSTER", "KEYSLOT", channel))
        for begin, end, primary, *_ in await asked.ask("CLUSTER", "SLOTS"):
            if begin <= slot <= end:
                return next(node for node in self.nodes if node.port == primary[1])
        raise BackingError(f"Nobody serves slot {slot}.")

    async def published(self) -> int:
        """As `Valkey.published`, of all nodes that run."""
        return sum([await node.published() for node in self.nodes if node.running])


class ValkeySentinel(_Group):
    """One primary, one replica, and three sentinels that know them as `name`. `nodes` lists them so."""

    def __init__(self, name: str = "twinspace") -> None:
        super().__init__()
        self.name = name

    @property
    def primary(self) -> Valkey:
        """The first primary, whoever is it now."""
        return self.nodes[0]

    @property
    def sentinels(self) -> list[Valkey]:
        return self.nodes[2:]

    @property
    def url(self) -> str:
        """Of the sentinels, as `twinspace serve --redis` takes it."""
        return f"redis+sentinel://{','.join(f'127.0.0.1:{each.port}' for each in self.sentinels)}/{self.name}"

    async def _start(self) -> None:
        primary = await self._add(Valkey())
        await self._add(
            Valkey("--replicaof", "127.0.0.1", str(primary.port), "--repl-diskless-sync-delay", "0")
        )
        for _ in range(3):
            await self._add(_Sentinel(self.name, primary.port))
        await _until(self._all_know, "The sentinels' agreement")

    async def _all_know(self) -> bool:
        for sentinel in self.sentinels:
            told = _pairs(await sentinel.ask("SENTINEL", "MASTER", self.name))
            if told["num-slaves"] != "1" or told["num-other-sentinels"] != "2":
                return False
        link = (await self.nodes[1].info("replication")).get("master_link_status")
        return link == "up"

    async def current(self) -> Valkey:
        """The primary that the first running sentinel names."""
        sentinel = next(each for each in self.sentinels if each.running)
        _, port = await sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
        return next(node for node in self.nodes if node.port == int(port))

    async def healthy(self) -> None:
        """Waits until the sentinels agree on a primary that runs, and the other, if it runs, follows it."""

        async def is_healthy() -> bool:
            for sentinel in self.sentinels:
                told = _pairs(await sentinel.ask("SENTINEL", "MASTER", self.name))
                found = next(node for node in self.nodes if node.port == int(told["port"]))
                if told["flags"] != "master" or not found.running:
                    return False
                if (await found.info("replication"))["role"] != "master":
                    return False
            others = [node for node in self.nodes[:2] if node.running and node is not found]
            links = [(await node.info("replication")).get("master_link_status") for node in others]
            return all(link == "up" for link in links)

        await _until(is_healthy, "The sentinels' agreement on a primary")


class _Sentinel(Valkey):
    name = "sentinel"

    def __init__(self, watched: str, port: int) -> None:
        super().__init__()
        self._watched, self._primary = watched, port

    def _command(self) -> list[str]:
        file = self.folder / "sentinel.conf"
        if not file.exists():
            file.write_text(
                f"sentinel monitor {self._watched} 127.0.0.1 {self._primary} {QUORUM}\n"
                f"sentinel down-after-milliseconds {self._watched} {NODE_TIMEOUT_MS}\n"
                f"sentinel failover-timeout {self._watched} 5000\n"
            )
        command = super()._command()
        return [command[0], str(file), "--sentinel", *command[1:7]]


async def _cluster_info(node: Valkey) -> dict[str, str]:
    told = await node.ask("CLUSTER", "INFO")
    if isinstance(told, dict):
        return {str(name): str(value) for name, value in told.items()}
    return dict(line.split(":", 1) for line in _text(told).split("\r\n") if ":" in line)


def _text(told: str | bytes) -> str:
    return told.decode() if isinstance(told, bytes) else told


def _pairs(told: Any) -> dict[str, str]:
    if isinstance(told, dict):
        return {
            _text(name): str(_text(value) if isinstance(value, bytes) else value)
            for name, value in told.items()
        }
    words = [_text(word) for word in told]
    return dict(zip(words[::2], words[1::2], strict=True))
