"""A connection's frames: whatever way they come in pieces, the same messages come out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sockets.connection import Connection
from server.sockets.switchboard import Switchboard

MOST = 70_000
MASK = b"\x11\x00\xfe\x7a"

BINARY, TEXT, PING = 2, 1, 9


class Heard:
    """A handler that keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bool]] = []
        self.bytes = self.frames = 0

    def received(self, size: int, frames: int) -> None:
        self.bytes += size
        self.frames += frames

    def message(self, data: bytes, *, text: bool) -> None:
        self.messages.append((data, text))

    def closed(self) -> None: ...
    def congested(self) -> None: ...
    def drained(self) -> None: ...
    def idle(self) -> None: ...


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Connection, Heard]]:
    ours, theirs = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, ours)
    heard = Heard()
    connection = Connection(transport, Switchboard(), max_message=MOST)
    connection.start(heard, b"")
    try:
        yield connection, heard
    finally:
        transport.abort()
        theirs.close()
        await asyncio.sleep(0)


def frame(opcode: int, payload: bytes, *, fin: bool = True, wordy: bool = False) -> bytes:
    """A client's frame; a wordy one says its length in more bytes than it needs."""
    size = len(payload)
    if size < 126 and not wordy:
        head = bytes((128 | size,))
    elif size < 65536 and not (wordy and size >= 126):
        head = b"\xfe" + size.to_bytes(2, "big")
    else:
        head = b"\xff" + size.to_bytes(8, "big")
    masked = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return bytes((fin << 7 | opcode,)) + head + MASK + masked


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    before = 0
    for place in sorted({place % len(data) for place in places} - {0}):
        yield data[before:place]
        before = place
    yield data[before:]


sizes = st.sampled_from((0, 1, 5, 125, 126, 300))
sent = st.tuples(
    st.sampled_from((BINARY, BINARY, BINARY, TEXT, PING)), sizes, st.integers(0, 2), st.booleans()
)


@given(st.lists(sent, min_size=1, max_size=8), st.lists(st.integers(0, 4000), max_size=10))
def test_the_same_messages_come_out_however_they_were_cut(
    frames: list[tuple[int, int, int, bool]], places: list[int]
) -> None:
    data, expected = b"", list[tuple[bytes, bool]]()
    for number, (opcode, size, parts, wordy) in enumerate(frames):
        payload = bytes((97 + number,)) * (min(size, 125) if opcode == PING else size)
        if opcode == PING:
            data += frame(PING, payload)
            continue
        expected.append((payload, opcode == TEXT))
        if not parts:
            data += frame(opcode, payload, wordy=wordy)
            continue
        data += frame(opcode, payload[:3], fin=False) + frame(PING, b"between")
        data += frame(0, payload[3:], wordy=wordy)

    async def run() -> None:
        async with connected() as (connection, heard):
            for piece in cut(data, places):
                connection.data_received(piece)
            assert heard.messages == expected
            assert heard.bytes == len(data)
            assert connection.open

    asyncio.run(run())


@pytest.mark.parametrize("before", [b"", frame(BINARY, b"small"), frame(PING, b"")])
async def test_a_message_over_the_limit_is_not_taken_wherever_it_comes(before: bytes) -> None:
    async with connected() as (connection, heard):
        connection.data_received(before + frame(BINARY, b"x" * (MOST + 1)) + frame(BINARY, b"behind"))
        assert heard.messages == ([(b"small", False)] if b"\x82" in before[:1] else [])


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(b"\x82\x05hello", id="not masked"),
        pytest.param(
            frame(BINARY, b"x")[:1].replace(b"\x82", b"\xc2") + frame(BINARY, b"x")[1:], id="reserved"
        ),
        pytest.param(frame(0, b"x"), id="continues nothing"),
        pytest.param(frame(BINARY, b"a", fin=False) + frame(BINARY, b"b"), id="begins inside of another"),
    ],
)
async def test_what_breaks_the_protocol_ends_the_connection_behind_what_was_right(wrong: bytes) -> None:
    async with connected() as (connection, heard):
        connection.data_received(frame(BINARY, b"right") + wrong + frame(BINARY, b"behind"))
        assert heard.messages == [(b"right", False)]
        assert not connection.open


async def test_a_held_connection_takes_its_messages_in_order_when_it_is_released() -> None:
    async with connected() as (connection, heard):
        connection.hold()
        connection.data_received(frame(BINARY, b"one") + frame(TEXT, b"two"))
        connection.data_received(frame(BINARY, b"three"))
        assert heard.messages == []
        assert heard.frames == 3
        connection.release()
        assert heard.messages == [(b"one", False), (b"two", True), (b"three", False)]
