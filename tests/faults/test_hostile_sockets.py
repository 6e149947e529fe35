"""Clients that hurt by how they use their socket: silent, endless, deaf, too fast, or odd.

Two honest people type on meanwhile and never notice; the server's memory stays bounded (lessons 4, 16, 17).
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from honest import HonestPair, honest_pair
from served import Server
from websockets.exceptions import ConnectionClosed
from wire import (
    AUTH,
    AWARENESS,
    QUERY_AWARENESS,
    SLOWED,
    SYNC,
    Line,
    Writer,
    awareness,
    hocuspocus,
    plain,
    presences,
    step1,
    string,
    uint,
    update,
)

from rooms.documents.budget import Rates

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("hostile") / "data") as server:
        yield server


_numbers = itertools.count(1)


@pytest.fixture
async def honest(server: Server) -> AsyncIterator[HonestPair]:
    async with honest_pair(server, f"doc/honest-{next(_numbers)}") as pair:
        yield pair


class Raw:
    """A TCP connection to the server's port, without any WebSocket library to keep it decent."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host = host
        self.reader = reader
        self.writer = writer

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def upgrade(self, path: str, *headers: str) -> str:
        """The handshake; returns the status line."""
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {self.host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            *headers,
        ]
        await self.write("\r\n".join([*lines, "", ""]).encode())
        answer = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        return answer.split(b"\r\n", 1)[0].decode()

    async def gone(self, seconds: float) -> float:
        """Insists that the server ends the connection within so many seconds; returns how long it took."""
        start = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(seconds):
                with suppress(ConnectionError):
                    while await self.reader.read(65536):
                        pass
        except TimeoutError:
            raise AssertionError(f"the server kept the connection for {seconds} s") from None
        return asyncio.get_running_loop().time() - start


def masked(payload: bytes, opcode: int = 2, *, final: bool = True, claimed: int | None = None) -> bytes:
    """A client's frame; ``claimed`` is the length it announces, if that is another than it has."""
    length = len(payload) if claimed is None else claimed
    head = bytes([opcode | (0x80 if final else 0)])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65536:
        head += bytes([0x80 | 126]) + struct.pack("!H", length)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", length)
    return head + b"\0\0\0\0" + payload  # a mask of zeros leaves the payload as it is


@asynccontextmanager
async def raw(server: Server, receive_buffer: int | None = None) -> AsyncIterator[Raw]:
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    address = urlsplit(server.http)
    await asyncio.get_running_loop().sock_connect(sock, (address.hostname, address.port))
    # A stream reads ahead by two limits, then leaves the socket alone.
    reader, writer = await asyncio.open_connection(sock=sock, limit=receive_buffer or 65536)
    try:
        yield Raw(address.netloc, reader, writer)
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


# Before anybody has said who they are


async def test_a_silent_socket_is_gone_after_five_seconds_lesson_17(honest: HonestPair) -> None:
    async with raw(honest.server) as silent:
        assert "101" in await silent.upgrade("/collab")
        assert await silent.gone(10) > 3


async def test_a_request_that_never_ends_is_cut_off_lesson_17(honest: HonestPair) -> None:
    async def trickle(connection: Raw, start: bytes) -> float:
        await connection.write(start)

        async def drip() -> None:
            with suppress(ConnectionError):
                while True:
                    await asyncio.sleep(0.5)
                    await connection.write(b"X-Slow: loris\r\n")

        dripping = asyncio.create_task(drip())
        try:
            return await connection.gone(20)
        finally:
            dripping.cancel()

    async with raw(honest.server) as nothing, raw(honest.server) as half, raw(honest.server) as headers:
        await asyncio.gather(
            nothing.gone(20),
            trickle(half, b"GET /coll"),
            trickle(headers, b"GET /collab HTTP/1.1\r\nHost: x\r\n"),
        )


async def test_more_than_64_kb_before_authentication_end_it_lesson_17(honest: HonestPair) -> None:
    async with hocuspocus(honest.server.ws) as line:
        for _ in range(70):
            await line.say(SYNC, step1(), "k" * 1000)
        code, reason = await line.closed()
        assert (code, bool(reason)) == (4401, True)


@pytest.mark.parametrize(
    "message",
    ["one frame that says 15 MiB", "one message in fragments", "fragments of nothing"],
)
async def test_no_unfinished_message_fills_memory_before_authentication_lesson_17(
    honest: HonestPair, message: str
) -> None:
    """40 strangers push 8 MiB each, and never come to the end of their first message."""
    before = honest.server.memory()

    async def push(connection: Raw) -> None:
        await connection.upgrade("/collab")
        if message == "one frame that says 15 MiB":
            await connection.write(masked(b"", claimed=15 * MIB))
            pieces = [b"\0" * MIB] * 8
        elif message == "one message in fragments":
            pieces = [masked(b"x" * 65_000, 0 if n else 2, final=False) for n in range(8 * MIB // 65_000)]
        else:
            pieces = [masked(b"", 2, final=False)] + [masked(b"", 0, final=False) * 100_000] * 14
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(15):
                for piece in pieces:
                    await connection.write(piece)
        await connection.gone(12)

    async with AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(raw(honest.server)) for _ in range(40)]
        pushing = asyncio.gather(*(push(stranger) for stranger in strangers))
        peak = before
        while not pushing.done():
            peak = max(peak, honest.server.memory())
            await asyncio.sleep(0.05)
        await pushing
    # 40 x 64 kB is 2.5 MiB; 40 x 8 MiB would be 320.
    assert peak - before < 60 * MIB, f"{(peak - before) / MIB:.0f} MiB"


async def test_a_thousand_strangers_cost_little_and_are_gone_soon_lesson_17(honest: HonestPair) -> None:
    before = honest.server.memory()
    async with AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(raw(honest.server)) for _ in range(1000)]
        await asyncio.gather(*(stranger.upgrade("/collab") for stranger in strangers))
        for stranger in strangers:
            # as much as they may, none of it a token
            await stranger.write(masked(string("doc/none") + uint(SYNC) + step1()) * 20)
        await honest.fine()
        during = honest.server.memory()
        await asyncio.gather(*(stranger.gone(15) for stranger in strangers))
    assert during - before < 80 * MIB, f"{(during - before) / MIB:.0f} MiB"


async def test_wrong_tokens_get_nobody_anywhere_lesson_17(honest: HonestPair) -> None:
    """A socket may try again for a while, but neither for ever nor for nothing."""
    async with hocuspocus(honest.server.ws) as line:
        with suppress(ConnectionClosed):
            for number in range(3_000):
                await line.say(AUTH, b"\x00" + string(f"a.b.{number}"), f"{honest.document}")
        code, _ = await line.closed(timeout=40)
        assert 4400 <= code < 4500 or code == 1006


# Those who do not read


async def stalled_reader(stack: AsyncExitStack, honest: HonestPair, number: int) -> Raw:
    """A reader of the honest pair's document that asks for it and never reads a byte of the answer."""
    token = honest.server.token(honest.document, subject=f"stalled-{number}")
    connection = await stack.enter_async_context(raw(honest.server, receive_buffer=4096))
    await connection.upgrade(f"/collab/{quote(honest.document)}?token={token}")
    await connection.write(masked(uint(SYNC) + step1()))
    return connection


async def metric(server: Server, name: str) -> float:
    """One figure of /metrics."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.http}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith(f"{name} ")))


async def flood_presence(honest: HonestPair, number: int, megabytes: int) -> None:
    """Big presence states, one after the other: traffic that nobody stores."""
    document = honest.document
    token = honest.server.token(document, subject=f"loud-{number}")
    async with hocuspocus(honest.server.ws) as line:
        await line.log_in(document, token)

        async def read() -> None:
            with suppress(ConnectionClosed):
                while True:
                    await line.ws.recv()

        reading = asyncio.create_task(read())
        for clock in range(1, megabytes * MIB // 15_000):
            state = {"word": "loud", "number": clock, "filling": "x" * 15_000}
            await line.say(AWARENESS, awareness({9_000 + number: (clock, state)}), document)
            await asyncio.sleep(0.02)  # what comes faster is not passed on, but only the last of it
        reading.cancel()


async def test_stalled_readers_cost_less_than_2_mb_each_and_slow_nobody_lesson_04(
    honest: HonestPair,
) -> None:
    readers = 20
    async with AsyncExitStack() as stack:
        for number in range(readers):
            await stalled_reader(stack, honest, number)
        await honest.fine()
        before = honest.server.memory()
        # 16 MiB pass through the room: unbounded buffers would hold 320.
        await asyncio.gather(*(flood_presence(honest, number, 4) for number in range(4)))
        await honest.fine()
        grown = honest.server.memory() - before
        assert await metric(honest.server, "twinspace_readers_shed_total") >= readers
    assert grown < readers * 2 * MIB + 30 * MIB, f"{grown / MIB:.0f} MiB"


async def test_a_stalled_reader_gets_everything_when_it_reads_again_lesson_04(server: Server) -> None:
    document = f"doc/stalled-{next(_numbers)}"
    writer = Writer()
    async with (
        plain(server.ws, document, server.token(document, subject="reader")) as reader,
        hocuspocus(server.ws) as line,
    ):
        await line.log_in(document, server.token(document, subject="writer"))
        await line.sync(document)
        await reader.sync()
        reader.ws.transport.pause_reading()
        for number in range(60):
            await line.say(SYNC, update(writer.insert(f"{number} " + "x" * 60_000)), document)
        await line.hear_until("status 1", count=60)
        await line.say(AWARENESS, awareness({7: (1, {"word": "still here"})}), document)
        await line.sync(document)
        reader.ws.transport.resume_reading()
        mirror = Writer()
        people: dict[int, object] = {}
        async with asyncio.timeout(20):
            while mirror.text != writer.text or 7 not in people:
                frame = await reader.hear()
                if frame.word == "awareness":
                    people |= presences(frame.body)
                mirror.apply([frame])
        # From here on it is a reader like any other.
        await line.say(SYNC, update(writer.insert("and on")), document)
        async with asyncio.timeout(10):
            while mirror.text != writer.text:
                mirror.apply([await reader.hear()])


QUESTIONS: dict[str, Callable[[str], bytes]] = {
    "what am I missing": lambda document: string(document) + uint(SYNC) + step1(),
    "who is here": lambda document: string(document) + uint(QUERY_AWARENESS),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_asking_a_thousand_times_without_listening_fills_no_memory_lesson_04(
    server: Server, question: str
) -> None:
    """1,900 questions of some 20 bytes each, sent at once, whose answers are 1 MiB and 0.5 MiB each."""
    document = f"doc/asked-{next(_numbers)}"
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(hocuspocus(server.ws))
        await line.log_in(document, server.token(document, subject="writer"))
        await line.sync(document, have=Writer().insert("x" * MIB))
        visitors = await stack.enter_async_context(hocuspocus(server.ws))
        for number in range(30):
            key = f"{document}\0{number}"
            await visitors.log_in(document, server.token(document, subject=f"visitor-{number}"), key=key)
            state = {"filling": "x" * 15_000}
            await visitors.say(AWARENESS, awareness({2_000 + number: (1, state)}), key)
            await visitors.hear_until("awareness", key=key)
        asker = await stack.enter_async_context(raw(server, receive_buffer=4096))
        await asker.upgrade("/collab")
        token = server.token(document, subject="asker")
        before = server.memory()
        await asker.write(masked(string(document) + uint(AUTH) + b"\x00" + string(token)))
        await asyncio.sleep(0.2)
        await asker.write(masked(QUESTIONS[question](document)) * 1_900)
        peak = before
        for _ in range(40):
            peak = max(peak, server.memory())
            await asyncio.sleep(0.05)
        assert peak - before < 60 * MIB, f"{(peak - before) / MIB:.0f} MiB"
        # The others go on.
        await line.say(SYNC, step1(), document)
        await line.hear_until("step2", key=document)


# Too much, too small, too odd


async def test_whoever_sends_too_fast_is_slowed_and_loses_nothing(honest: HonestPair) -> None:
    document = f"doc/fast-{next(_numbers)}"
    server, writer = honest.server, Writer()
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document, subject="fast"))
        await line.sync(document)
        many = int(Rates().bytes * Rates().burst / 100_000) + 5  # a second more than is free
        for _ in range(many):
            await line.say(SYNC, update(writer.insert("x" * 100_000)), document)
        await honest.fine()
        heard = await line.hear_until("status 1", count=many, timeout=SLOWED)
        assert all(each.word == "status 1" for each in heard if each.word.startswith("status"))
        await line.say(SYNC, step1(), document)
        mirror = Writer()
        mirror.apply(await line.hear_until("step2"))
        assert mirror.text == writer.text


async def test_floods_of_control_frames_and_small_fragments_are_survived_lesson_16(
    honest: HonestPair,
) -> None:
    async def flood(pieces: bytes, attempt: Callable[[Raw], Awaitable[None]] | None = None) -> None:
        token = honest.server.token(honest.document, subject="flooder")
        async with raw(honest.server) as connection:
            await connection.upgrade(f"/collab/{quote(honest.document)}?token={token}")
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(4):
                    while True:
                        await connection.write(pieces)

    before = honest.server.memory()
    attacks = asyncio.gather(
        flood(masked(b"p" * 125, 9) * 200),  # pings, whose pongs nobody reads
        flood(masked(b"p" * 125, 10) * 200),  # pongs nobody asked for
        flood(masked(b"x", 2, final=False) + masked(b"x", 0, final=False) * 2000),
        flood(masked(b"", 2, final=False) + masked(b"", 0, final=False) * 2000),
        flood(masked(b"\x03") * 500),
    )
    peak = before
    while not attacks.done():
        peak = max(peak, honest.server.memory())
        await asyncio.sleep(0.05)
    await attacks
    # Frames of a byte or two take a hundred times that while they are taken apart: 70 to 90 MiB on a fast
    # machine, 93 when it goes on for three times as long.
    assert peak - before < 128 * MIB, f"{(peak - before) / MIB:.0f} MiB"
    await honest.fine()


@pytest.mark.parametrize(
    ("name", "frame", "code"),
    [
        ("unmasked", b"\x82\x01x", 1002),
        ("a reserved bit", b"\xc2" + masked(b"x")[1:], 1002),
        ("an unknown opcode", masked(b"x", 3), 1002),
        ("an unknown control opcode", masked(b"x", 11), 1002),
        ("a continuation of nothing", masked(b"x", 0), 1002),
        ("a fragmented ping", masked(b"x", 9, final=False), 1002),
        ("a ping of 126 bytes", masked(b"x" * 126, 9), 1002),
        ("a close code that is none", masked(struct.pack("!H", 999), 8), 1002),
        ("a frame that says 2^62 bytes", masked(b"", claimed=2**62), 4413),
    ],
)
async def test_frames_that_break_rfc_6455_close_their_own_socket_only_lesson_16(
    honest: HonestPair, name: str, frame: bytes, code: int
) -> None:
    token = honest.server.token(honest.document, subject="mallory")
    async with raw(honest.server) as connection:
        await connection.upgrade(f"/collab/{quote(honest.document)}?token={token}")
        await asyncio.sleep(0.2)
        await connection.write(frame)
        received = b""
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                while piece := await connection.reader.read(65536):
                    received += piece
        assert struct.pack("!H", code) in received, received[-200:]


async def test_bytes_that_are_no_http_are_answered_or_cut_off_lesson_16(honest: HonestPair) -> None:
    for noise in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,  # somebody tries TLS
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /collab HTTP/1.1\r\nHost: a\r\nHost: b\r\nUpgrade: websocket\r\n\r\n",
        b"POST /collab HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\0" * 1000 + b"\r\n\r\n",
    ):
        async with raw(honest.server) as connection:
            with suppress(ConnectionError):
                await connection.write(noise)
                answer = await asyncio.wait_for(connection.reader.read(65536), 20)
                assert answer == b"" or answer.startswith(b"HTTP/1"), answer


async def test_odd_document_names_open_nothing(honest: HonestPair) -> None:
    paths = [
        "/collab/%00",
        "/collab/%ff%fe",
        "/collab/a%0d%0ab",
        "/collab/" + "x" * 600,
        "/collab/doc?token=" + "a." * 2000,
        "/collab/../../etc/passwd",
        "/collab/page/1",
        "/collab/space/1",
    ]

    async def nothing_behind(path: str) -> None:
        async with raw(honest.server) as connection:
            status = await connection.upgrade(path)
            if " 101 " not in status:
                assert status.split()[1][0] == "4", (path, status)
                return
            await connection.write(masked(uint(SYNC) + step1()))
            answer = await asyncio.wait_for(connection.reader.read(65536), 10)
            assert struct.pack("!H", 4401) in answer, (path, answer)

    await asyncio.gather(*(nothing_behind(path) for path in paths))


# Pages of other sites


async def test_pages_of_other_sites_may_not_open_a_socket(honest: HonestPair) -> None:
    host = urlsplit(honest.server.http).netloc
    port = host.rpartition(":")[2]
    foreign = [
        "http://evil.example",
        "null",
        f"http://{host}.evil.example",
        f"http://evil.example/{host}",
        f"http://{host}@evil.example",
        f"https://{host}",  # the same place by another scheme is another site
        f"http://127.0.0.1:{int(port) + 1}",
        "http://127.0.0.1",
        f"http://localhost:{port}.evil.example",
        f"ftp://{host}",
        f"http://{host}/path",
        "",
        "file://",
    ]
    for origin in foreign:
        for path in ("/collab", f"/collab/{honest.document}?token={honest.server.token(honest.document)}"):
            async with raw(honest.server) as connection:
                status = await connection.upgrade(
                    path, f"Origin: {origin}", "Cookie: __Host-twinspace=secret; twinspace=secret"
                )
                assert " 403 " in status, (origin, status)


async def test_its_own_pages_and_programs_may(honest: HonestPair) -> None:
    host = urlsplit(honest.server.http).netloc
    token = honest.server.token(honest.document, subject="own")
    for headers in ({"Origin": f"http://{host}"}, {}):
        async with hocuspocus(honest.server.ws, additional_headers=headers) as line:
            await line.log_in(honest.document, token)


async def sessions_come_and_go(line: Line, honest: HonestPair, rounds: int) -> None:
    for number in range(rounds):
        key = f"{honest.document}\0session-{number}"
        await line.log_in(honest.document, honest.server.token(honest.document, subject="mallory"), key=key)
        await line.say(7, b"", key)
        await line.hear_until("close", key=key)


async def test_opening_and_closing_without_end_leaves_nothing_behind(honest: HonestPair) -> None:
    async with hocuspocus(honest.server.ws) as line:
        await sessions_come_and_go(line, honest, 100)
        before = honest.server.memory()
        await sessions_come_and_go(line, honest, 300)
        assert honest.server.memory() - before < 20 * MIB
