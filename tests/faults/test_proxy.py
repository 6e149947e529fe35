"""A line that is made bad does to bytes and messages what it is told, and nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

from load.backing import Valkey
from load.faults.proxy import FaultProxy
from load.faults.resp import RespError, RespSplitter

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PATIENCE = 5.0


@asynccontextmanager
async def serving(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]):
    """A server's port."""
    tasks: set[asyncio.Task] = set()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handle(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b"bye")
    await writer.drain()


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    async with serving(echo) as port, FaultProxy(port, seed=3) as proxy:
        yield proxy


@asynccontextmanager
async def line(proxy: FaultProxy) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def heard(reader: asyncio.StreamReader, data: bytes, seconds: float = PATIENCE) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await reader.readexactly(len(data)) == data
    except TimeoutError:
        return False


async def test_without_faults_everything_passes(proxy: FaultProxy) -> None:
    data = bytes(range(256)) * 20_000
    async with line(proxy) as (reader, writer):
        writer.write(data)
        assert await heard(reader, data)
        writer.write_eof()
        assert await reader.read() == b"bye"
    assert proxy.counts["connections"] == 1


async def test_latency_adds_to_both_ways_and_goes_again(proxy: FaultProxy) -> None:
    async with line(proxy) as (reader, writer):
        proxy.latency, proxy.jitter = 0.1, 0.02
        began = time.perf_counter()
        writer.write(b"x")
        assert await heard(reader, b"x")
        assert 0.2 <= time.perf_counter() - began < 0.5
        proxy.latency = 30.0
        writer.write(b"y")
        await asyncio.sleep(0.05)
        await proxy.heal()
        assert await heard(reader, b"y", 0.5)


async def test_bandwidth_is_limited(proxy: FaultProxy) -> None:
    async with line(proxy) as (reader, writer):
        proxy.up.bandwidth = 100_000.0
        assert proxy.bandwidth == 100_000.0
        data = b"x" * 30_000
        began = time.perf_counter()
        for start in range(0, len(data), 1_000):
            writer.write(data[start : start + 1_000])
            await writer.drain()
        assert await heard(reader, data)
        assert 0.25 <= time.perf_counter() - began < 0.8


@pytest.mark.parametrize("way", ["up", "down"])
async def test_one_way_may_be_dead_while_the_other_lives(way: str) -> None:
    got = bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            got.extend(data)
            writer.write(b"answer")

    async with serving(talk) as port, FaultProxy(port) as proxy, line(proxy) as (reader, writer):
        writer.write(b"a")
        assert await heard(reader, b"answer")
        getattr(proxy, way).blackhole = True
        assert not proxy.blackhole
        writer.write(b"b")
        assert not await heard(reader, b"answer", 0.2)
        assert got == (b"a" if way == "up" else b"ab")
        await proxy.heal()
        assert await heard(reader, b"answer")
        assert got == b"ab"


async def test_what_was_sent_into_a_cut_line_arrives_late_even_from_somebody_who_has_gone() -> None:
    got = bytearray()
    ended = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            got.extend(data)
        ended.set()

    async with serving(listen) as port, FaultProxy(port) as proxy:
        async with line(proxy) as (_, writer):
            writer.write(b"early ")
            async with asyncio.timeout(PATIENCE):
                while got != b"early ":
                    await asyncio.sleep(0.01)
            proxy.blackhole = True
            writer.write(b"late")
            await writer.drain()
        await asyncio.sleep(0.05)
        assert got == b"early "
        assert not ended.is_set()
        await proxy.heal()
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
        assert got == b"early late"


async def test_through_a_cut_line_connections_are_taken_and_lead_nowhere(proxy: FaultProxy) -> None:
    proxy.blackhole = True
    async with line(proxy) as (reader, writer):
        writer.write(b"x")
        assert not await heard(reader, b"x", 0.1)
        async with line(proxy):
            pass  # gives up before the line is healed: the target never hears of it
        await asyncio.sleep(0.05)
        await proxy.heal()
        assert await heard(reader, b"x")
    assert proxy.counts["connections"] == 2


async def test_a_reset_breaks_both_ends() -> None:
    broke = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except ConnectionResetError:
            broke.set()

    async with serving(listen) as port, FaultProxy(port) as proxy, line(proxy) as (reader, writer):
        writer.write(b"x")
        await asyncio.sleep(0.05)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        async with asyncio.timeout(PATIENCE):
            await broke.wait()
    assert proxy.counts["resets"] == 1
    assert proxy.connections == 0


async def test_half_a_connection_may_end(proxy: FaultProxy) -> None:
    async with line(proxy) as (reader, writer):
        writer.write(b"x")
        assert await heard(reader, b"x")
        proxy.half_close(proxy.up)
        assert await reader.read() == b"bye"


async def test_nobody_behind_it_is_a_broken_connection() -> None:
    async with FaultProxy(1) as proxy, line(proxy) as (reader, _):
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_it_may_refuse(proxy: FaultProxy) -> None:
    proxy.refusing = True
    async with line(proxy) as (reader, _):
        with pytest.raises(ConnectionResetError):
            await reader.read()
    await proxy.heal()
    async with line(proxy) as (reader, writer):
        writer.write(b"x")
        assert await heard(reader, b"x")


async def test_bytes_that_are_dropped_break_the_line_and_the_seed_says_when() -> None:
    async def survived(seed: int) -> int:
        async with serving(echo) as port, FaultProxy(port, seed=seed) as proxy:
            proxy.up.drop = 0.2
            async with line(proxy) as (reader, writer):
                for count in range(100):
                    writer.write(b"x")
                    try:
                        await reader.readexactly(1)
                    except (ConnectionResetError, asyncio.IncompleteReadError):
                        return count
        return 100

    first = await survived(1)
    assert first < 100
    assert await survived(1) == first
    assert len({await survived(seed) for seed in range(2, 6)}) > 1


async def test_bytes_are_neither_doubled_nor_reordered(proxy: FaultProxy) -> None:
    with pytest.raises(ValueError, match="TCP"):
        proxy.down.duplicate = 0.1
    with pytest.raises(ValueError, match="TCP"):
        proxy.down.reorder = 0.1


async def test_a_url_leads_through_it(proxy: FaultProxy) -> None:
    assert proxy.through("postgresql://me@127.0.0.1:5432/db") == f"postgresql://me@127.0.0.1:{proxy.port}/db"
    assert proxy.through("redis://localhost:1") == f"redis://127.0.0.1:{proxy.port}"


# Messages of Redis


async def received(
    valkey: Valkey, seed: int, protocol: int, messages: int = 200, **shares: float
) -> tuple[list[int], FaultProxy]:
    """What a subscriber behind a bad line hears of so many messages, and of one more after healing."""
    async with (
        FaultProxy(valkey.port, seed=seed, resp=True) as proxy,
        redis.asyncio.Redis.from_url(f"redis://127.0.0.1:{proxy.port}", protocol=protocol) as client,
        redis.asyncio.Redis.from_url(valkey.url) as publisher,
        client.pubsub(ignore_subscribe_messages=True) as listener,
    ):
        await listener.subscribe("channel")
        assert await listener.get_message(timeout=PATIENCE) is None
        for name, share in shares.items():
            setattr(proxy.down, name, share)
        for number in range(messages):
            await publisher.publish("channel", number)
        await asyncio.sleep(0.3)
        await proxy.heal()
        await publisher.publish("channel", messages)
        found: list[int] = []
        while messages not in found:
            message = await listener.get_message(timeout=PATIENCE)
            assert message is not None
            found.append(int(message["data"]))
        await listener.ping()
    return found, proxy


@pytest.mark.parametrize("protocol", [2, 3])
async def test_whole_messages_are_dropped_and_the_stream_goes_on(valkey: Valkey, protocol: int) -> None:
    found, proxy = await received(valkey, 5, protocol, drop=0.1)
    assert found == sorted(set(found))
    assert 201 - len(found) == proxy.counts["dropped"] > 5
    assert (await received(valkey, 5, protocol, drop=0.1))[0] == found
    assert (await received(valkey, 6, protocol, drop=0.1))[0] != found


async def test_whole_messages_are_doubled(valkey: Valkey) -> None:
    found, proxy = await received(valkey, 5, 3, duplicate=0.1)
    assert sorted(set(found)) == list(range(201))
    assert len(found) - 201 == proxy.counts["duplicated"] > 5


async def test_whole_messages_are_overtaken_and_none_is_lost(valkey: Valkey) -> None:
    found, proxy = await received(valkey, 5, 2, reorder=0.1)
    assert sorted(found) == list(range(201))
    assert found != sorted(found)
    assert proxy.counts["reordered"] > 5


async def test_who_sends_no_resp_is_reset_and_told_of() -> None:
    async with serving(echo) as port, FaultProxy(port, resp=True) as proxy, line(proxy) as (reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert isinstance(proxy.failure, RespError)


VALUES = [
    (b"+OK\r\n", False),
    (b"$-1\r\n", False),
    (b"$5\r\na\r\nbc\r\n", False),
    (b"*-1\r\n", False),
    (b"*0\r\n", False),
    (b"%1\r\n+a\r\n:1\r\n", False),
    (b"|1\r\n+ttl\r\n:5\r\n*2\r\n$1\r\na\r\n#t\r\n", False),
    (b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", False),
    (b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$3\r\n\r\n\x00\r\n", True),
    (b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n\r\n", True),
    (b">3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$1\r\nx\r\n", True),
    (b">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$1\r\nx\r\n", True),
    (b"=7\r\ntxt:abc\r\n", False),
    (b",1.5\r\n", False),
    (b"_\r\n", False),
]


@given(st.lists(st.sampled_from(VALUES), max_size=8), st.integers(1, 7))
def test_values_are_cut_wherever_the_packets_are(values: list[tuple[bytes, bool]], size: int) -> None:
    stream = b"".join(data for data, _ in values)
    splitter = RespSplitter()
    found = [
        (value.data, value.is_message)
        for start in range(0, len(stream), size)
        for value in splitter.feed(stream[start : start + size])
    ]
    assert found == values


@pytest.mark.parametrize("stream", [b"HTTP", b"$x\r\n", b"*2\r\n+a\r\nx\r\n"])
def test_what_is_no_resp_is_an_error(stream: bytes) -> None:
    with pytest.raises(RespError):
        RespSplitter().feed(stream)
