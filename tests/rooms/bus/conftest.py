"""Real servers for the bus, and nodes on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from backing import finished, shared_valkey, valkey
from bustools import KEY, PREFIX, opened

from load.backing import Valkey, ValkeyCluster
from rooms.bus import Bus
from rooms.bus.local import LocalBus, LocalHub
from rooms.bus.redis import RedisBus

__all__ = ["shared_valkey", "valkey"]


@pytest.fixture
async def own_valkey() -> AsyncIterator[Valkey]:
    """A Valkey that the test may configure."""
    async with Valkey() as server:
        yield server


@pytest.fixture(scope="module")
def used_valkey() -> Iterator[Valkey]:
    server = Valkey()
    finished(server.__aenter__())
    try:
        yield server
    finally:
        finished(server.__aexit__(None, None, None))


@pytest.fixture
async def poor_valkey(used_valkey: Valkey) -> AsyncIterator[Valkey]:
    """A Valkey that the test may kill and freeze."""
    yield used_valkey
    used_valkey.thaw()
    if not used_valkey.running:
        await used_valkey.start()


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[ValkeyCluster]:
    """Three primaries with a replica each, for all tests of this process."""
    servers = ValkeyCluster(nodes=3, replicas=1)
    finished(servers.__aenter__())
    try:
        yield servers
    finally:
        finished(servers.__aexit__(None, None, None))


@pytest.fixture
def cluster(shared_cluster: ValkeyCluster) -> ValkeyCluster:
    """The cluster, whole."""
    for node in shared_cluster.nodes:
        if not node.running:
            finished(node.start())
    finished(shared_cluster.healthy())
    return shared_cluster


@pytest.fixture
def cluster_url(shared_cluster: ValkeyCluster) -> str:
    places = ",".join(f"127.0.0.1:{node.port}" for node in shared_cluster.nodes[:2])
    return f"redis+cluster://{places}"


@pytest.fixture
async def pair(valkey: Valkey) -> AsyncIterator[tuple[RedisBus, RedisBus]]:
    """Two nodes on one Valkey."""
    async with opened(valkey.url) as one, opened(valkey.url) as other:
        yield one, other


@pytest.fixture(params=["local", "redis", "unix", "cluster"])
async def nodes(request: pytest.FixtureRequest) -> AsyncIterator[list[Bus]]:
    """Three nodes, on each kind of bus in turn."""
    hub = LocalHub()
    buses: list[Bus] = []
    for number in range(3):
        match request.param:
            case "local":
                buses.append(LocalBus(hub, f"node-{number}"))
            case "redis":
                url = request.getfixturevalue("valkey").url
                buses.append(RedisBus(url, key=KEY, prefix=PREFIX, node=f"node-{number}"))
            case "unix":
                url = f"unix://{request.getfixturevalue('socket_valkey').folder}/socket"
                buses.append(RedisBus(url, key=KEY, prefix=PREFIX, node=f"node-{number}"))
            case "cluster":
                url = request.getfixturevalue("cluster_url")
                buses.append(RedisBus(url, key=KEY, prefix=PREFIX, node=f"node-{number}"))
    for bus in buses:
        await bus.open()
    yield buses
    for bus in buses:
        await bus.close()


@pytest.fixture(scope="session")
def socket_valkey() -> Iterator[Valkey]:
    server = Valkey("--unixsocket", "socket")
    finished(server.__aenter__())
    try:
        yield server
    finally:
        finished(server.__aexit__(None, None, None))
