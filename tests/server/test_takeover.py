"""aiohttp hands its socket over to our Connection: what we rely on in aiohttp's internals, per release."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import psutil
import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from server.sockets.connection import PART, Connection
from server.sockets.frames import binary_frame
from server.sockets.switchboard import Switchboard
from server.sockets.upgrade import HandedOver, take_over


class Echo:
    """Sends back what it gets."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.gone = asyncio.Event()

    def received(self, size: int, frames: int) -> None: ...

    def message(self, data: bytes, *, text: bool) -> None:
        frame = bytearray(binary_frame(data))
        frame[0] = 0x81 if text else 0x82
        self.connection.send(bytes(frame))

    def closed(self) -> None:
        self.gone.set()

    def congested(self) -> None: ...
    def drained(self) -> None: ...
    def idle(self) -> None: ...


@asynccontextmanager
async def echo_server(max_message: int = 1 << 20) -> AsyncIterator[tuple[str, list[Echo], Switchboard]]:
    board = Switchboard()
    handlers: list[Echo] = []

    async def endpoint(request: web.Request) -> web.StreamResponse:
        taken = take_over(request, board, max_message=max_message, too_big_code=4413)
        if isinstance(taken, web.Response):
            return taken
        connection, tail = taken
        handlers.append(Echo(connection))
        connection.start(handlers[-1], tail)
        return HandedOver()

    app = web.Application()
    app.router.add_get("/echo", endpoint)
    app.router.add_get("/plain", _plain)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    try:
        yield f"127.0.0.1:{port}", handlers, board
    finally:
        await runner.cleanup()
        for connection in board.connections():
            connection.abort()
        await asyncio.sleep(0)


async def _plain(_: web.Request) -> web.Response:
    return web.Response(text="still http")


async def test_messages_go_both_ways_whole_and_in_order():
    async with echo_server() as (host, _, _board), connect(f"ws://{host}/echo", compression=None) as ws:
        for message in ("text ß", b"bytes", b"", b"x" * 70_000):
            await ws.send(message)
            assert await ws.recv() == message
        await ws.send([b"in ", b"three ", b"parts"])
        assert await ws.recv() == b"in three parts"


async def test_large_messages_leave_in_parts_whole_in_order_and_with_pongs_between_them():
    sizes = [3, PART - 4, PART + 1, 900_000, 1, 2 * PART, 300_000, 0, 17]
    messages = [bytes([number]) * size for number, size in enumerate(sizes)]
    async with echo_server() as (host, handlers, _board), connect(f"ws://{host}/echo") as ws:
        await ws.send("here")
        await ws.recv()
        connection = handlers[0].connection
        for message in messages:
            connection.send(binary_frame(message))
        assert connection.full
        pongs = []
        for message in messages:
            pongs.append(await ws.ping())
            assert await ws.recv() == message
        await asyncio.gather(*pongs)
        connection.send(binary_frame(b"x" * 900_000))
        await asyncio.sleep(0)
        connection.close(1000, "enough")
        assert await ws.recv() == b"x" * 900_000
        with pytest.raises(ConnectionClosed, match="enough"):
            await ws.recv()


async def test_who_does_not_read_a_large_message_holds_it_and_no_copy_of_it():
    frame = binary_frame(b"x" * 20_000_000)
    async with echo_server() as (host, handlers, _board), AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(connect(f"ws://{host}/echo")) for _ in range(10)]
        for ws in readers:
            ws.transport.pause_reading()
        while len(handlers) < len(readers):
            await asyncio.sleep(0.01)
        before = psutil.Process().memory_full_info().uss
        for handler in handlers:
            handler.connection.send(frame)
        for _ in range(200):  # turns of the loop in which all that can leave has left
            await asyncio.sleep(0.001)
        assert all(handler.connection.full for handler in handlers)
        assert psutil.Process().memory_full_info().uss - before < len(frame)
        for ws in readers:
            ws.transport.abort()


async def test_bytes_that_came_with_the_handshake_are_not_lost():
    async with echo_server() as (host, _, _board):
        name, port = host.split(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        handshake = (
            b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        masked_hi = bytes([0x82, 0x82, 0, 0, 0, 0]) + b"hi"
        writer.write(handshake + masked_hi)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in answer
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
        assert await reader.readexactly(4) == b"\x82\x02hi"
        writer.close()


async def test_aiohttp_forgets_the_connection_without_closing_it():
    async with echo_server() as (host, handlers, board), connect(f"ws://{host}/echo") as ws:
        await ws.send(b"1")
        await ws.recv()
        await asyncio.sleep(0.05)
        gc.collect()
        living = [thing for thing in gc.get_objects() if isinstance(thing, RequestHandler)]
        assert living == []
        assert len(board) == 1
        await ws.close()
        await asyncio.wait_for(handlers[0].gone.wait(), 2)
        assert len(board) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 426),
        ({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}, 400),
        (
            {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "8",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            },
            400,
        ),
    ],
)
async def test_what_is_no_handshake_gets_an_http_answer_and_the_connection_goes_on(headers, status):
    import aiohttp

    async with echo_server() as (host, _, board), aiohttp.ClientSession() as session:
        async with session.get(f"http://{host}/echo", headers=headers) as response:
            assert response.status == status
        async with session.get(f"http://{host}/plain") as response:
            assert await response.text() == "still http"
        assert len(board) == 0


async def test_a_message_over_the_limit_ends_in_the_permanent_code_the_sender_can_read():
    async with echo_server(max_message=1000) as (host, _, _board), connect(f"ws://{host}/echo") as ws:
        with pytest.raises(ConnectionClosed) as caught:
            await ws.send(b"x" * 3_000_000)
            await ws.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4413
        assert "1000" in caught.value.rcvd.reason


async def test_a_held_connection_feels_back_pressure_and_loses_nothing():
    async with echo_server() as (host, handlers, _board), connect(f"ws://{host}/echo") as ws:
        await ws.send(b"first")
        await ws.recv()
        handlers[0].connection.hold()
        for number in range(5):
            await ws.send(str(number).encode())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ws.recv(), 0.1)
        handlers[0].connection.release()
        assert [await ws.recv() for _ in range(5)] == [b"0", b"1", b"2", b"3", b"4"]


async def test_messages_that_came_together_with_the_close_are_still_taken():
    async with echo_server() as (host, handlers, _board):
        ws = await connect(f"ws://{host}/echo")
        taken = []
        await ws.send(b"x")
        await ws.recv()
        handlers[0].message = lambda data, text: taken.append(data)  # type: ignore[method-assign]
        raw: socket.socket = ws.transport.get_extra_info("socket")
        assert raw
        await ws.send(b"last words")
        await ws.close()
        await asyncio.wait_for(handlers[0].gone.wait(), 2)
        assert taken == [b"last words"]


async def test_a_silent_peer_is_pinged_and_a_dead_one_given_up():
    async with echo_server() as (host, handlers, board):
        ws = await connect(f"ws://{host}/echo")
        for _ in range(10 * Switchboard.BUCKETS):
            board.tick()
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        for _ in range(3):
            for _ in range(Switchboard.BUCKETS):
                board.tick()
            await asyncio.sleep(0.05)
        assert not handlers[0].gone.is_set(), "a peer that answers pings stays"
        ws.transport.pause_reading()
        for _ in range(Switchboard.BUCKETS * (Switchboard.DEAD_AFTER + 1)):
            board.tick()
        await asyncio.wait_for(handlers[0].gone.wait(), 2)
        ws.transport.resume_reading()
        await ws.wait_closed()


RAW_HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MASKED_HI = bytes([0x82, 0x82, 0, 0, 0, 0]) + b"hi"


async def test_nothing_is_taken_from_a_peer_that_does_not_answer_our_close():
    async with echo_server() as (host, handlers, _board):
        name, port = host.split(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        writer.write(RAW_HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        taken = []
        handlers[0].message = lambda data, text: taken.append(data)  # type: ignore[method-assign]
        handlers[0].connection.close(4401, "logged-out")
        await reader.readexactly(2 + 2 + len("logged-out"))
        writer.write(MASKED_HI)
        await writer.drain()
        await asyncio.sleep(0.1)
        assert taken == []
        writer.close()


async def test_a_peer_that_does_not_answer_our_close_is_dropped_whatever_else_goes_on(monkeypatch):
    monkeypatch.setattr("server.sockets.connection.CLOSE_TIMEOUT", 0.05)
    async with echo_server() as (host, handlers, board):
        name, port = host.split(":")
        reader, writer = await asyncio.open_connection(name, int(port))
        writer.write(RAW_HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        connection = handlers[0].connection
        connection.close(4400, "no")
        connection.set_deadline(None)  # as when a document that was being opened is ready
        connection.resume_writing()
        await asyncio.sleep(0.1)
        board.tick()
        await asyncio.wait_for(handlers[0].gone.wait(), 2)
        writer.close()


async def test_a_slow_reader_does_not_lift_the_deadline_of_strangers():
    async with echo_server() as (host, handlers, board), connect(f"ws://{host}/echo"):
        connection = handlers[0].connection
        connection.allow(1000)
        connection.set_deadline(0.05)
        connection.pause_writing()
        connection.resume_writing()
        await asyncio.sleep(0.1)
        board.tick()
        await asyncio.wait_for(handlers[0].gone.wait(), 2)
