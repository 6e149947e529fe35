"""The bus in a cluster: every shard has a part of the documents, and takes no other along when it goes."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from bustools import PREFIX, QUICK, Ear, all_pass, away, entry, opened, passes, until, up

from load.backing import Valkey, ValkeyCluster
from rooms.bus import BusState
from rooms.bus.messages import Changed
from rooms.bus.redis import Limits, RedisBus
from rooms.bus.redis_servers import Claim, Layout, Told, cluster_layout
from rooms.bus.redis_url import Place

DOCUMENTS = [f"page-{number}" for number in range(40)]


@dataclass
class Stage:
    cluster: ValkeyCluster
    one: RedisBus
    other: RedisBus
    ears: dict[str, Ear]

    async def is_whole(self) -> None:
        everybody = Ear()
        stop = self.one.on_node_message(everybody)
        await all_pass(self.other, self.one, self.ears)
        self.other.send(Changed(7))
        await until(lambda: everybody.heard)
        stop()

    async def comes_back(self) -> None:
        await up(self.one, self.other, within=20)
        await self.is_whole()

    def owner_port(self, document: str) -> int:
        shard = self.one._documents[document].shard
        assert shard is not None
        return shard.place.port

    async def owner(self, document: str) -> Valkey:
        return await self.cluster.primary_of(self.one._channel(document).decode())


@asynccontextmanager
async def staged(cluster: ValkeyCluster, url: str, others_limits: Limits = QUICK) -> AsyncIterator[Stage]:
    async with opened(url, limits=QUICK) as one, opened(url, limits=others_limits) as other:
        await up(one, other)
        ears = {document: Ear() for document in DOCUMENTS}
        await asyncio.gather(*(one.join(document, ear) for document, ear in ears.items()))
        stage = Stage(cluster, one, other, ears)
        await stage.is_whole()
        yield stage


@pytest.fixture
async def stage(cluster: ValkeyCluster, cluster_url: str) -> AsyncIterator[Stage]:
    async with staged(cluster, cluster_url) as stage:
        yield stage


async def identity(node: Valkey) -> str:
    told = await node.ask("CLUSTER", "MYID")
    return told.decode() if isinstance(told, bytes) else told


async def move_slot(slot: int, source: Valkey, target: Valkey) -> None:
    """As valkey-cli --cluster reshard does."""
    await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", await identity(source))
    await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", await identity(target))
    for node in (target, source):
        await node.ask("CLUSTER", "SETSLOT", slot, "NODE", await identity(target))


async def other_primary(stage: Stage, source: Valkey) -> Valkey:
    owners = [await stage.owner(document) for document in DOCUMENTS]
    return next(node for node in owners if node is not source)


async def test_documents_are_spread_over_all_shards_by_sharded_channels(stage: Stage) -> None:
    owners = {document: await stage.owner(document) for document in DOCUMENTS}
    assert len({node.port for node in owners.values()}) == 3
    for node in stage.cluster.nodes:
        await node.reset()
    for document in DOCUMENTS:
        stage.other.send(entry(document, 1))
        stage.other.send(entry(document, 2))
    await until(lambda: all(ear.sequences[-2:] == [1, 2] for ear in stage.ears.values()))
    for node in stage.cluster.nodes:
        commands = await node.commands()
        assert commands.get("spublish", 0) == sum(owner is node for owner in owners.values())
        assert "publish" not in commands
        assert await node.ask("PUBSUB", "CHANNELS") == []
    assert len([task for task in asyncio.all_tasks() if "Shard." in repr(task)]) == 2 * 3 * 4


async def test_a_killed_shards_documents_come_back_and_the_others_never_go(stage: Stage) -> None:
    victim = await stage.owner("page-0")
    spared = [document for document in DOCUMENTS if await stage.owner(document) is not victim]
    assert 0 < len(spared) < len(DOCUMENTS)
    await victim.kill()
    await away(stage.one, stage.other)
    assert str(victim.port) in stage.one.reason
    await all_pass(stage.other, stage.one, {document: stage.ears[document] for document in spared})
    assert stage.one.state is BusState.AWAY
    await stage.comes_back()
    assert stage.owner_port("page-0") != victim.port
    await victim.start()
    await stage.cluster.healthy()
    await stage.comes_back()


async def test_a_frozen_shards_documents_come_back_and_do_not_return_to_it(stage: Stage) -> None:
    victim = await stage.owner("page-0")
    victim.freeze()
    await away(stage.one, stage.other)
    await stage.comes_back()
    victim.thaw()
    await stage.cluster.healthy()
    assert (await victim.info("replication"))["role"] == "slave"
    await stage.comes_back()
    assert stage.owner_port("page-0") != victim.port


async def test_a_primary_that_steps_down_is_left(stage: Stage) -> None:
    """Its connections stand and it goes on to answer; only it is a replica now."""
    victim = await stage.owner("page-0")
    followed = [(await node.info("replication")).get("master_port") for node in stage.cluster.nodes]
    successor = stage.cluster.nodes[followed.index(victim.port)]
    while (await successor.info("replication"))["role"] != "master":
        await successor.ask("CLUSTER", "FAILOVER")  # refused so soon after another election
        await asyncio.sleep(0.5)
    await until(lambda: stage.owner_port("page-0") == successor.port)
    await stage.comes_back()
    await stage.cluster.healthy()


async def test_a_slot_that_moves_takes_its_documents_along(stage: Stage) -> None:
    source = await stage.owner("page-0")
    target = await other_primary(stage, source)
    slot = stage.one._documents["page-0"].slot
    states: list[BusState] = []
    stage.one.on_state(states.append)
    await move_slot(slot, source, target)
    await until(lambda: stage.owner_port("page-0") == target.port)
    await stage.comes_back()
    assert states == [BusState.AWAY, BusState.UP]
    assert stage.one.figures.reconnects == 0


async def test_many_slots_that_move_one_by_one_take_their_documents_along(stage: Stage) -> None:
    dice = random.Random(5)
    nodes = list({node.port: node for node in [await stage.owner(each) for each in DOCUMENTS]}.values())
    for document in DOCUMENTS[:6]:
        source = await stage.owner(document)
        target = dice.choice([node for node in nodes if node is not source])
        await move_slot(stage.one._documents[document].slot, source, target)
    await asyncio.sleep(0.1)
    await stage.comes_back()
    for document in DOCUMENTS:
        owner = await stage.owner(document)
        await until(lambda document=document, owner=owner: stage.owner_port(document) == owner.port)
    await stage.is_whole()


async def test_what_a_sender_that_knows_nothing_yet_says_to_the_wrong_shard_arrives(
    cluster: ValkeyCluster, cluster_url: str
) -> None:
    """The sender has nothing to hear in that slot: only the refusal tells it of the move."""
    async with staged(cluster, cluster_url, replace(QUICK, look_every=60.0)) as stage:
        source = await stage.owner("page-1")
        target = await other_primary(stage, source)
        await move_slot(stage.one._documents["page-1"].slot, source, target)
        await until(lambda: stage.owner_port("page-1") == target.port)
        await up(stage.one)
        assert stage.other._shard_of(stage.other._channel("page-1")).place.port == source.port
        stage.other.send(entry("page-1", 1))
        await until(lambda: 1 in stage.ears["page-1"].sequences)
        assert stage.other._shard_of(stage.other._channel("page-1")).place.port == target.port
        assert stage.other.figures.dropped_away == 0
        await stage.comes_back()


async def test_joins_and_leaves_while_slots_move_end_as_the_last_call_says(stage: Stage) -> None:
    dice = random.Random(3)
    nodes = list({node.port: node for node in [await stage.owner(each) for each in DOCUMENTS]}.values())
    late: dict[str, Ear] = {}
    for turn in range(150):
        document = f"late-{dice.randrange(15)}"
        if dice.random() < 0.6:
            late[document] = Ear()
            await stage.one.join(document, late[document])
        else:
            stage.one.leave(document)
            late.pop(document, None)
        if turn % 25 == 0 and late:
            moved = dice.choice(sorted(late))
            source = await stage.owner(moved)
            target = dice.choice([node for node in nodes if node is not source])
            await move_slot(stage.one._documents[moved].slot, source, target)
    await asyncio.sleep(0.1)
    await stage.comes_back()
    await all_pass(stage.other, stage.one, late)


async def test_a_node_without_cluster_says_what_to_write(valkey: Valkey) -> None:
    async with opened(f"redis+cluster://127.0.0.1:{valkey.port}") as one:
        assert one.state is BusState.AWAY
        assert "cluster support disabled" in one.reason


async def test_a_cluster_that_is_not_there_says_so() -> None:
    async with opened("redis+cluster://127.0.0.1:1,127.0.0.1:2") as one:
        assert one.state is BusState.AWAY
        assert "127.0.0.1:1 cannot be reached" in one.reason
        assert "127.0.0.1:2 cannot be reached" in one.reason


async def test_a_single_url_works_on_a_cluster_too_as_plain_channels_reach_all_of_it(
    cluster: ValkeyCluster,
) -> None:
    async with opened(cluster.nodes[0].url) as one, opened(cluster.nodes[1].url) as other:
        ear = Ear()
        await one.join("page", ear)
        await passes(other, one, "page", ear)


def view(place: Place, *claims: tuple[int, int, int, str, int]) -> Told:
    """What a node says: first and last slot, epoch, identity and port of each primary it knows."""
    ranges = [[first, last, [b"10.0.0.1", port, name.encode(), []]] for first, last, _, name, port in claims]
    nodes = b"\n".join(
        b"%s 10.0.0.1:%d@1%d master - 0 0 %d connected" % (name.encode(), port, port, epoch)
        for _, _, epoch, name, port in claims
    )
    return Told(place, [ranges, nodes])


def test_a_primary_that_a_partition_has_cut_off_is_not_believed() -> None:
    cut_off = view(Place("a", 1), (0, 8191, 1, "old", 1), (8192, 16383, 2, "b", 2))
    others = view(Place("b", 2), (0, 8191, 3, "new", 3), (8192, 16383, 2, "b", 2))
    for told in ([cut_off, others], [others, cut_off]):
        layout = cluster_layout(told)
        assert layout.table[0] == Place("10.0.0.1", 3)
        assert layout.table[16383] == Place("10.0.0.1", 2)
        assert layout.places == {Place("10.0.0.1", 3), Place("10.0.0.1", 2)}
        assert layout.covered


def test_slots_that_nobody_has_are_noticed() -> None:
    layout = cluster_layout([view(Place("a", 1), (0, 100, 1, "a", 1))])
    assert not layout.covered
    assert layout.table[101] is None


def test_a_node_that_does_not_know_its_own_name_is_where_it_was_asked() -> None:
    for unknown in (None, b"", b"?"):
        told = Told(
            Place("cache", 1), [[[0, 16383, [unknown, 7, b"a", []]]], b"a :7@17 myself,master - 0 0 1 c"]
        )
        assert cluster_layout([told]).places == {Place("cache", 7)}


def test_layouts_that_say_the_same_are_equal() -> None:
    claims = [Claim(1, 0, 5, Place("a", 1)), Claim(2, 3, 9, Place("b", 1))]
    assert Layout.made(claims, 10) == Layout.made([*reversed(claims), claims[0]], 10)
    assert Layout.made(claims, 10) != Layout.made(claims[:1], 10)


async def test_a_user_with_few_rights_is_enough(cluster: ValkeyCluster, cluster_url: str) -> None:
    for node in cluster.nodes:
        await node.ask(
            "ACL", "SETUSER", "bus", "on", ">secret", "resetchannels", f"&{PREFIX}:*", "-@all", "+spublish",
            "+ssubscribe", "+sunsubscribe", "+cluster|slots", "+cluster|nodes",
        )  # fmt: skip
    async with staged(cluster, cluster_url.replace("://", "://bus:secret@")) as stage:
        stage.one.leave("page-0")
        await stage.one.join("page-0", stage.ears["page-0"])
        await stage.is_whole()
