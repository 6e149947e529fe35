"""Replies and pushes reach their listener whole and in order, however the bytes come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import InvalidResponse, MovedError

from rooms.bus.redis_line import AT_ONCE, Line

REPLIES = st.one_of(st.integers(-9, 9), st.binary(max_size=80))


class Transport:
    """Notes what is asked of it."""

    def __init__(self, *, closing: bool = False) -> None:
        self.done: list[str] = []
        self.written = b""
        self.closing = closing

    def is_closing(self) -> bool:
        return self.closing

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        self.done.append("taken over")

    def write(self, data: bytes) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.done.append("paused")

    def resume_reading(self) -> None:
        self.done.append("resumed")

    def abort(self) -> None:
        self.done.append("aborted")


class Ear:
    """A line with what was heard over it."""

    def __init__(self, *, closing: bool = False, over: bool = False) -> None:
        self.transport = Transport(closing=closing)
        self.heard: list[Any] = []
        self.fault: Exception | None = None
        self.end: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        connection = SimpleNamespace(
            _writer=SimpleNamespace(transport=self.transport), _reader=SimpleNamespace(at_eof=lambda: over)
        )
        self.line = Line(cast(Any, connection), self._hear, self.end)

    def _hear(self, reply: Any) -> None:
        if self.fault is not None:
            raise self.fault
        self.heard.append(reply)


def said(replies: Sequence[int | bytes]) -> bytes:
    return b"".join(
        b":%d\r\n" % reply if isinstance(reply, int) else b"$%d\r\n%s\r\n" % (len(reply), reply)
        for reply in replies
    )


@given(st.lists(REPLIES, max_size=30), st.lists(st.integers(1, 40), max_size=20))
def test_however_the_bytes_are_cut_the_replies_are_the_same(
    replies: list[int | bytes], sizes: list[int]
) -> None:
    async def run() -> list[Any]:
        ear, data = Ear(), said(replies)
        for size in sizes:
            ear.line.data_received(data[:size])
            data = data[size:]
        ear.line.data_received(data)
        return ear.heard

    assert asyncio.run(run()) == replies


async def test_a_flood_leaves_turns_to_others() -> None:
    ear = Ear()
    ear.line.data_received(said(range(2 * AT_ONCE + 5)))
    assert len(ear.heard) == AT_ONCE
    assert ear.transport.done == ["taken over", "paused"]
    await asyncio.sleep(0)
    assert len(ear.heard) == 2 * AT_ONCE
    await asyncio.sleep(0)
    assert ear.heard == list(range(2 * AT_ONCE + 5))
    assert ear.transport.done == ["taken over", "paused", "resumed"]


async def test_an_error_of_the_server_is_heard_as_the_exception_that_it_is() -> None:
    ear = Ear()
    ear.line.data_received(b"-MOVED 7 127.0.0.1:7000\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n")
    assert isinstance(ear.heard[0], MovedError)
    assert ear.heard[0].slot_id == 7
    assert ear.heard[1] == [b"message", b"c", b"x"]


@pytest.mark.parametrize("flood", [1, AT_ONCE + 1])
async def test_nothing_is_heard_or_said_after_the_end(flood: int) -> None:
    ear = Ear()
    ear.line.data_received(said(range(flood)))
    count = len(ear.heard)
    ear.line.end(TimeoutError())
    ear.line.data_received(b":1\r\n")
    ear.line.write(b"PING")
    await asyncio.sleep(0)
    assert len(ear.heard) == count
    assert ear.transport.written == b""
    assert ear.transport.done.count("aborted") == 1
    assert "resumed" not in ear.transport.done
    assert isinstance(await ear.end, TimeoutError)


async def test_what_the_listener_raises_ends_the_line() -> None:
    ear = Ear()
    ear.fault = ValueError("not for me")
    ear.line.data_received(b":1\r\n:2\r\n")
    assert await ear.end is ear.fault
    assert ear.transport.done == ["taken over", "aborted"]


async def test_bytes_that_are_no_reply_end_the_line() -> None:
    ear = Ear()
    ear.line.data_received(b"HTTP/1.1 400\r\n")
    assert isinstance(await ear.end, InvalidResponse)


async def test_a_server_that_hangs_up_ends_the_line() -> None:
    ear = Ear()
    ear.line.connection_lost(None)
    assert "closed by server" in str(await ear.end)


@pytest.mark.parametrize("how", ["closing", "over"])
async def test_a_connection_that_was_lost_before_has_ended(how: str) -> None:
    ear = Ear(**{how: True})
    assert "closed by server" in str(await ear.end)
