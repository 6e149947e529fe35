"""The bus behind Sentinels: it follows the primary, wherever that goes."""

import asyncio
from collections.abc import Iterator

import pytest
import redis.asyncio
from backing import finished
from bustools import QUICK, Ear, away, opened, passes, until, up

from load.backing import ValkeySentinel
from rooms.bus import BusState
from rooms.bus.messages import Changed
from rooms.bus.redis import RedisBus


@pytest.fixture(scope="module")
def servers() -> Iterator[ValkeySentinel]:
    servers = ValkeySentinel()
    finished(servers.__aenter__())
    try:
        yield servers
    finally:
        finished(servers.__aexit__(None, None, None))


def addresses(servers: ValkeySentinel) -> str:
    return ",".join(f"127.0.0.1:{each.port}" for each in servers.sentinels)


def port(bus: RedisBus) -> int:
    (place,) = bus._shards
    return place.port


async def test_what_does_not_fit_is_said(servers: ValkeySentinel) -> None:
    async with opened(f"redis+sentinel://{addresses(servers)}/elsewhere") as one:
        assert one.state is BusState.AWAY
        assert "No such master with that name" in one.reason
    sentinel, replica = servers.sentinels[0], servers.nodes[1]
    async with opened(f"redis://127.0.0.1:{sentinel.port}") as one:
        await until(lambda: "is a Sentinel: write redis+sentinel://" in one.reason)
    async with opened(f"redis://127.0.0.1:{replica.port}") as one:
        await until(lambda: "is a replica, which reaches only its own subscribers" in one.reason)


async def test_sentinels_that_are_gone_do_not_matter_while_one_is_there(servers: ValkeySentinel) -> None:
    async with opened(f"redis+sentinel://127.0.0.1:1,{addresses(servers)}/{servers.name}") as one:
        await up(one)
        assert port(one) == servers.primary.port


async def test_sentinels_may_have_the_servers_password_or_none(servers: ValkeySentinel) -> None:
    for guarded in (servers.nodes[:1], servers.nodes):
        for each in guarded:
            await each.ask("ACL", "SETUSER", "default", "resetpass", ">Xq7Zsecret")
        async with opened(f"redis+sentinel://:Xq7Zsecret@{addresses(servers)}/{servers.name}") as one:
            await up(one)
        async with opened(f"redis+sentinel://:Xq7Zwrong@{addresses(servers)}/{servers.name}") as one:
            await until(lambda one=one: "does not let this user in" in one.reason)
            assert "Xq7Z" not in one.reason
        for each in guarded:
            async with _let_in(each.port, "Xq7Zsecret") as client:
                await client.execute_command("ACL", "SETUSER", "default", "nopass")


def _let_in(at: int, password: str) -> redis.asyncio.Redis:
    return redis.asyncio.Redis(port=at, password=password)


async def test_the_bus_follows_the_primary(servers: ValkeySentinel) -> None:
    url = f"redis+sentinel://{addresses(servers)}/{servers.name}"
    async with opened(url, limits=QUICK) as one, opened(url, limits=QUICK) as other:
        ear, nodes = Ear(), Ear()
        one.on_node_message(nodes)
        await up(one, other)
        await one.join("page", ear)
        await passes(other, one, "page", ear)

        old, new = servers.nodes[:2]
        await servers.sentinels[0].kill()  # two of three are enough, also to be asked
        await old.kill()
        await away(one, other)
        await up(one, other, within=20)
        assert port(one) == port(other) == new.port
        await passes(other, one, "page", ear)

        states: list[BusState] = []
        one.on_state(states.append)
        await old.start()  # for some seconds it takes itself for a primary
        assert (await old.info("replication"))["role"] == "master"
        await asyncio.sleep(1)
        assert states == []
        assert port(one) == new.port

        for sentinel in servers.sentinels:
            if sentinel.running:
                await sentinel.kill()
        await asyncio.sleep(0.5)  # nobody can be asked any more: what is known holds
        assert states == []
        other.send(Changed(1))
        await until(lambda: nodes.heard)

        await new.ask("REPLICAOF", "127.0.0.1", old.port)  # a primary no more, with all connections open
        await away(one, other)
        assert "is a replica" in one.reason
