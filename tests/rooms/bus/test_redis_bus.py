"""The bus on one healthy server: how little it asks of it, and what it lets in."""

import asyncio
import gc
import logging
import random
import re
import time

import pytest
from bustools import KEY, PREFIX, QUICK, Ear, away, entry, opened, passes, until, up
from redis.asyncio.connection import _AsyncHiredisParser

from load.backing import Valkey
from rooms.bus import BusState
from rooms.bus.messages import Changed, Committed, Envelopes, Heads, Leaving, RemoteState, States
from rooms.bus.redis import Limits, RedisBus
from rooms.bus.redis_servers import connect
from rooms.bus.redis_url import Servers

Pair = tuple[RedisBus, RedisBus]


async def test_hiredis_reads_what_comes(valkey: Valkey) -> None:
    servers = Servers.parse(valkey.url)
    connection = await connect(servers, servers.places[0], within=5)
    assert isinstance(connection._parser, _AsyncHiredisParser)
    assert connection.protocol == 3
    await connection.disconnect()


async def test_a_batch_is_one_publish(valkey: Valkey, pair: Pair) -> None:
    one, other = pair
    ear = Ear()
    await other.join("page", ear)
    await valkey.reset()
    for sequence in range(1, 501):
        one.send(entry("page", sequence))
    await until(lambda: len(ear.sequences) == 500)
    assert ear.sequences == list(range(1, 501))
    assert await valkey.published() == 1
    assert one.figures.published == 1


async def test_a_turn_is_one_publish_for_each_document_and_message_to_all(valkey: Valkey, pair: Pair) -> None:
    one, other = pair
    ears = [Ear() for _ in range(10)]
    for number, ear in enumerate(ears):
        await other.join(f"page-{number}", ear)
    await valkey.reset()
    for sequence in range(1, 21):
        for number in range(10):
            one.send(entry(f"page-{number}", sequence))
    one.send(States("page-0", (RemoteState(1, 1, "p", "{}"),)))
    one.send(States("page-0", (RemoteState(1, 2, "p", "{}"),)))
    one.send(Changed(1))
    await until(lambda: all(len(ear.sequences) == 20 for ear in ears))
    await until(lambda: len(ears[0].heard) == 2)
    assert ears[0].messages[1] == States("page-0", (RemoteState(1, 2, "p", "{}"),))
    assert await valkey.published() == 12


async def test_what_is_said_while_the_server_answers_travels_together(valkey: Valkey, pair: Pair) -> None:
    one, other = pair
    ear = Ear()
    await other.join("page", ear)
    await valkey.reset()
    await valkey.client_pause(0.2)
    for sequence in range(1, 101):
        one.send(entry("page", sequence))
        await asyncio.sleep(0)
    await until(lambda: len(ear.sequences) == 100)
    assert ear.sequences == list(range(1, 101))
    assert await valkey.published() <= 3


async def test_joins_of_one_turn_are_one_command(valkey: Valkey, pair: Pair) -> None:
    one, _ = pair
    await valkey.reset()
    documents = [f"page-{number}" for number in range(400)]
    await asyncio.gather(*(one.join(document, Ear()) for document in documents))
    for document in documents:
        one.leave(document)
    await until(lambda: not one._everybody.shard._subscriptions.pending)
    await asyncio.sleep(0.05)
    commands = await valkey.commands()
    assert (commands["subscribe"], commands["unsubscribe"]) == (1, 1)


async def test_joining_and_leaving_in_one_turn_tells_the_server_nothing(valkey: Valkey, pair: Pair) -> None:
    one, other = pair
    await valkey.reset()
    joining = asyncio.ensure_future(one.join("page", Ear()))
    await asyncio.sleep(0)
    one.leave("page")
    await joining
    assert "subscribe" not in await valkey.commands()
    ear = Ear()
    await one.join("page", ear)
    one.leave("page")
    await one.join("page", ear)
    await passes(other, one, "page", ear)
    assert (await valkey.commands())["subscribe"] == 1


@pytest.mark.parametrize("seed", range(3))
async def test_a_storm_of_joins_and_leaves_ends_as_the_last_call_says(valkey: Valkey, seed: int) -> None:
    dice = random.Random(seed)
    async with opened(valkey.url) as one, opened(valkey.url) as other:
        ears: dict[str, Ear] = {}
        joined: set[str] = set()
        joining: list[asyncio.Future[None]] = []
        for _ in range(1_500):
            document = f"page-{dice.randrange(40)}"
            if dice.random() < 0.55:
                ears[document] = Ear()
                joining.append(asyncio.ensure_future(one.join(document, ears[document])))
                await asyncio.sleep(0)
                joined.add(document)
            else:
                one.leave(document)
                joined.discard(document)
            if dice.random() < 0.1:
                await asyncio.sleep(dice.choice([0, 0.0005]))
            if dice.random() < 0.002:
                await valkey.drop_clients()
        await asyncio.gather(*joining)
        await up(one, other)
        for ear in ears.values():
            ear.heard.clear()
        await other.join("page-0", Ear())  # so that one's own channels do not decide
        for number in range(40):
            other.send(entry(f"page-{number}", 7))
        await until(lambda: all(ears[document].sequences == [7] for document in joined))
        silent = ears.keys() - joined
        assert not any(ears[document].heard for document in silent)
        clients = await valkey.ask("CLIENT", "LIST", "TYPE", "pubsub")
        assert f"sub={len(joined) + 1} " in next(line for line in _lines(clients) if one.node in line)


def _lines(clients: object) -> list[str]:
    if isinstance(clients, list):
        return [" ".join(f"{name}={value}" for name, value in each.items()) + " " for each in clients]
    return (clients.decode() if isinstance(clients, bytes) else str(clients)).splitlines()


async def test_names_of_documents_do_not_travel_in_the_clear_as_channels(valkey: Valkey, pair: Pair) -> None:
    one, _ = pair
    await one.join("space/anna", Ear())
    channels = [name.decode() for name in await valkey.ask("PUBSUB", "CHANNELS", f"{PREFIX}*")]
    assert f"{PREFIX}:nodes" in channels
    assert len(channels) == 2
    assert not any("anna" in name for name in channels)
    async with opened(valkey.url, key=bytes(32)) as stranger:
        await stranger.join("space/anna", Ear())
        assert len(await valkey.ask("PUBSUB", "CHANNELS", f"{PREFIX}*")) == 3


async def test_installations_do_not_hear_each_other(valkey: Valkey, pair: Pair) -> None:
    one, _ = pair
    ear = Ear()
    one.on_node_message(ear)
    async with opened(valkey.url, prefix="twinspace:elsewhere") as stranger:
        stranger.send(Changed(1))
        await asyncio.sleep(0.05)
    one.send(Changed(2))
    await until(lambda: ear.heard)
    assert ear.messages == [Changed(2)]
    assert one.figures.unverified == 0


async def test_what_cannot_be_verified_is_dropped_counted_and_told_once(
    valkey: Valkey, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = pair
    ear, nodes = Ear(), Ear()
    one.on_node_message(nodes)
    await one.join("page", ear)
    await one.join("other", ear)
    ours = Envelopes("node-9", KEY)
    page, everybody = one._channel("page"), f"{PREFIX}:nodes"
    forged = [
        (page, b""),
        (page, b"garbage"),
        (page, bytes(100_000)),
        (page, Envelopes("node-9", bytes(32)).pack(entry("page", 1))),
        (page, ours.pack(entry("other", 1))),
        (page, ours.pack(Leaving())),
        (everybody, ours.pack(entry("page", 1))),
        (everybody, Envelopes("node-9", bytes(32)).pack(Leaving())),
    ]
    for channel, envelope in forged:
        await valkey.ask("PUBLISH", channel, envelope)
    await until(lambda: one.figures.unverified == len(forged))
    assert not ear.heard
    assert not nodes.heard
    assert [record.levelname for record in caplog.records if "was dropped" in record.message] == [
        "WARNING"
    ] * 2
    await passes(other, one, "page", ear)  # a node of its own: the pair has two, so two lines


async def test_an_error_of_a_listener_goes_no_further(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    one, other = pair
    ear, nodes = Ear(), Ear()

    def fails(*_: object) -> None:
        raise ZeroDivisionError("a listener's own")

    one.on_node_message(fails)
    one.on_node_message(nodes)
    one.on_state(fails)
    await one.join("bad", fails)
    await one.join("page", ear)
    other.send(entry("bad", 1))
    other.send(Changed(1))
    await passes(other, one, "page", ear)
    await until(lambda: nodes.messages == [Changed(1)])
    assert one.state is BusState.UP
    assert sum("met an error of its own" in record.message for record in caplog.records) == 2


async def test_a_message_that_cannot_be_packed_takes_nothing_with_it(pair: Pair) -> None:
    one, other = pair
    ear = Ear()
    await other.join("page", ear)
    one.send(Heads({"page": (0, 2**70)}))
    await passes(one, other, "page", ear)
    assert one.state is BusState.UP


async def test_a_name_that_is_no_proper_text_is_a_document_like_any_other(pair: Pair) -> None:
    one, other = pair
    ear = Ear()
    await other.join("half a pair \ud800", ear)
    await passes(one, other, "half a pair \ud800", ear)


async def test_the_figures_count_what_happened(pair: Pair) -> None:
    one, other = pair
    ear = Ear()
    await one.join("page", ear)
    await other.join("page", ear)
    await passes(one, other, "page", ear)
    await until(lambda: one.figures.received == other.figures.received == 1)
    assert (one.figures.published, other.figures.published) == (1, 0)
    size = len(Envelopes(one.node, KEY).pack(ear.messages[0]))
    assert one.figures.published_bytes == one.figures.received_bytes == size
    assert other.figures.received_bytes == size
    assert one.figures.dropped_away == one.figures.dropped_full == one.figures.reconnects == 0
    assert 0 < one.figures.away_seconds < 2


async def test_a_full_queue_drops_the_oldest(valkey: Valkey) -> None:
    few = Limits(queue_messages=10)
    async with opened(valkey.url, limits=few) as one, opened(valkey.url) as other:
        ear = Ear()
        await other.join("page", ear)
        for number in range(100):
            one.send(entry("page", number))
        await until(lambda: 99 in ear.sequences)
        assert ear.sequences == list(range(90, 100))
        assert one.figures.dropped_full == 90


async def test_closing_sends_what_is_queued_and_leaves_nothing(valkey: Valkey) -> None:
    async with opened(valkey.url) as other:
        ear, nodes = Ear(), Ear()
        other.on_node_message(nodes)
        await other.join("page", ear)
        before = asyncio.all_tasks()
        one = RedisBus(valkey.url, key=KEY, prefix=PREFIX, limits=QUICK)
        await one.open()
        for document in range(100):
            await one.join(f"page-{document}", Ear())
        assert len(asyncio.all_tasks() - before) < 8
        for sequence in range(1, 2001):
            one.send(Committed("page", 0, 2 * sequence, (bytes(1000),), ()))
        one.send(Leaving())
        await one.close()
        await until(lambda: nodes.messages == [Leaving()])
        assert len(ear.heard) == 2000
        assert asyncio.all_tasks() == before
        assert (one.state, one.reason) == (BusState.AWAY, "the bus is closed")
        one.send(entry("page", 1))
        assert one.figures.dropped_away == 1
        await one.join("page", ear)
        one.leave("page")
        await one.close()

        async def gone() -> bool:
            return one.node not in "".join(_lines(await valkey.ask("CLIENT", "LIST")))

        for _ in range(100):
            if await gone():
                break
            await asyncio.sleep(0.02)
        assert await gone()
        gc.collect()  # a connection that is not closed says so here


async def test_closing_waits_no_longer_than_a_second_for_a_server_that_hangs(own_valkey: Valkey) -> None:
    one = RedisBus(own_valkey.url, key=KEY, prefix=PREFIX)
    await one.open()
    own_valkey.freeze()
    one.send(entry("page", 1))
    await asyncio.wait_for(one.close(), 2)
    own_valkey.thaw()


async def test_a_bus_that_is_not_open_is_away_and_takes_everything_calmly() -> None:
    one = RedisBus("redis://127.0.0.1:1", key=KEY, prefix=PREFIX)
    one.send(entry("page", 1))
    await one.join("page", Ear())
    one.leave("page")
    assert one.state is BusState.AWAY
    assert one.figures.dropped_away == 1
    await one.close()


async def test_a_bus_without_a_server_opens_away_and_says_why() -> None:
    async with opened("redis://127.0.0.1:1") as one:
        assert one.state is BusState.AWAY
        assert one.reason.startswith("127.0.0.1:1 cannot be reached: ")
        await asyncio.wait_for(one.join("page", Ear()), 0.1)


async def test_a_user_with_few_rights_is_enough(own_valkey: Valkey) -> None:
    await own_valkey.ask(
        "ACL", "SETUSER", "bus", "on", ">pa:ss@wörd/", "resetchannels", f"&{PREFIX}:*",
        "-@all", "+publish", "+subscribe", "+unsubscribe",
    )  # fmt: skip
    await own_valkey.ask("ACL", "SETUSER", "default", "off")
    place = f"127.0.0.1:{own_valkey.port}"
    url = f"redis://bus:pa%3Ass%40w%C3%B6rd%2F@{place}"
    async with opened(url) as one, opened(url) as other:
        ear = Ear()
        assert one.state is BusState.UP
        await other.join("page", ear)
        await passes(one, other, "page", ear)


@pytest.mark.parametrize(
    ("credentials", "prefix", "why"),
    [
        ("bus:Xq7Zwrong@", PREFIX, "does not let this user in"),
        (":Xq7Zwrong@", PREFIX, "does not let this user in"),
        ("", PREFIX, "does not let this user in"),
        ("bus:Xq7Zsecret@", "elsewhere", "No permissions"),
    ],
)
async def test_who_may_not_stays_away_and_says_why_without_the_password(
    own_valkey: Valkey, credentials: str, prefix: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await own_valkey.ask(
        "ACL", "SETUSER", "bus", "on", ">Xq7Zsecret", "resetchannels", f"&{PREFIX}:*", "+@all"
    )
    await own_valkey.ask("ACL", "SETUSER", "default", ">Xq7Zsecret", "resetpass", ">Xq7Zother")
    url = f"redis://{credentials}127.0.0.1:{own_valkey.port}"
    async with opened(url, prefix=prefix) as one:
        await asyncio.sleep(0.1)
        await away(one)
        assert re.search(why, one.reason)
        assert "Xq7Z" not in one.reason + caplog.text + repr(one._servers)


async def test_2000_documents_are_joined_and_come_back_after_a_restart(own_valkey: Valkey) -> None:
    async with (
        opened(own_valkey.url, limits=Limits()) as one,
        opened(own_valkey.url, limits=Limits()) as other,
    ):
        ears = {f"page-{number}": Ear() for number in range(2_000)}
        await asyncio.gather(*(one.join(document, ear) for document, ear in ears.items()))
        for sequence in (1, 2):
            for document in ears:
                other.send(entry(document, sequence))
            await until(
                lambda sequence=sequence: all(ear.sequences[-1:] == [sequence] for ear in ears.values())
            )
            if sequence == 1:
                await own_valkey.kill()
                await away(one, other)
                await own_valkey.start()
                await up(one, other)
        assert (await own_valkey.commands())["subscribe"] == 6


def test_hearing_thousands_of_messages_does_not_keep_the_loop_from_others(valkey: Valkey) -> None:
    """In seconds of its thread, which other processes do not prolong; under uvloop, as in production."""
    import uvloop

    async def heard() -> float:
        async with opened(valkey.url, limits=Limits()) as one, opened(valkey.url, limits=Limits()) as other:
            ear = Ear()
            await one.join("page", ear)
            for sequence in range(4_000):
                other.send(entry("page", 2 * sequence))
            longest, last = 0.0, time.thread_time()
            while len(ear.heard) < 4_000:
                await asyncio.sleep(0)
                now = time.thread_time()
                longest, last = max(longest, now - last), now
            return longest

    assert min(uvloop.run(heard()) for _ in range(3)) < 0.03
