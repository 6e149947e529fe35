"""Where a connection's first bytes go: what opens a socket at once, and what aiohttp answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from house import House, open_house
from multidict import CIMultiDict, CIMultiDictProxy
from wire import hocuspocus, plain

from server.sockets.upgrade import _careful, _plain

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
USUAL = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def head(path: str = "/collab", **more: str) -> bytes:
    lines = [f"{name}: {value}" for name, value in {"Host": "x", **USUAL, **more}.items()]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


async def answer(house: House, *pieces: bytes) -> bytes:
    """The status line and headers that come back for these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(house.url.rpartition(":")[2]))
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.05)
    said = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    return said


@pytest.mark.parametrize(
    "headers",
    [
        USUAL,
        {**USUAL, "Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"},
        {**USUAL, "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"},
        {**USUAL, "Origin": "http://x", "Cookie": "a=b"},
    ],
)
def test_a_usual_handshake_is_answered_as_a_careful_look_would_answer_it(headers: dict[str, str]) -> None:
    request = make_mocked_request("GET", "/collab", headers)
    said, careful = _plain(request), _careful(request)
    assert isinstance(said, bytes)
    assert isinstance(careful, bytes)
    lines = [line for line in careful.split(b"\r\n") if not line.startswith(b"Date:")]
    assert said.split(b"\r\n") == lines


@pytest.mark.parametrize(
    "headers",
    [
        {},
        *({name: value for name, value in USUAL.items() if name != left_out} for left_out in USUAL),
        {**USUAL, "Upgrade": "h2c"},
        {**USUAL, "Upgrade": "websocket, h2c"},
        {**USUAL, "Connection": "close"},
        {**USUAL, "Connection": "close, TE"},
        {**USUAL, "Sec-WebSocket-Version": "8"},
        {**USUAL, "Sec-WebSocket-Version": "13, 8"},
        {**USUAL, "Sec-WebSocket-Key": KEY[:-4]},
        {**USUAL, "Sec-WebSocket-Key": "*" + KEY[1:]},
        {**USUAL, "Sec-WebSocket-Key": KEY + "\u00e9"},
        {**USUAL, "Sec-WebSocket-Protocol": "yauth-a.b.c"},
    ],
)
def test_any_other_is_looked_at_closely(headers: dict[str, str]) -> None:
    assert _plain(make_mocked_request("GET", "/collab", headers)) is None


@pytest.mark.parametrize("name", USUAL)
def test_a_header_that_comes_twice_is_looked_at_closely(name: str) -> None:
    twice = CIMultiDict(USUAL)
    twice.add(name, USUAL[name])
    assert _plain(make_mocked_request("GET", "/collab", CIMultiDictProxy(twice))) is None


async def test_a_socket_is_opened_without_aiohttp_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "aiohttp.access")
    async with open_house(tmp_path) as house:
        assert (await answer(house, head())).startswith(b"HTTP/1.1 101 ")
        ws = house.url.replace("http", "ws", 1)
        async with plain(ws, "doc/a", house.token("doc/a")) as line:
            await line.hear_until("step1")
    lines = [record.getMessage() for record in caplog.records if record.name == "aiohttp.access"]
    assert [line.rsplit(" ", 2)[0] for line in lines] == [
        "GET /collab 101 0 bytes",
        "GET /collab/{document} 101 0 bytes",
    ]


async def test_a_head_in_pieces_or_with_frames_behind_it_is_a_request_like_any(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        whole = head()
        assert b" 101 " in await answer(house, whole[:5], whole[5:60], whole[60:])
        assert b" 101 " in await answer(house, whole + bytes([0x89, 0x80, 0, 0, 0, 0]))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (head(Origin="https://elsewhere.example"), b" 403 "),
        (head(**{"Sec-WebSocket-Version": "8"}), b" 400 "),
        (head("/collab/%ff"), b" 400 "),
        (head("/collabor"), b" 404 "),
        (head("/collab", **{"X-Long": "x" * 20_000}), b" 400 "),
        (b"GET /collab HTTP/1.1\r\nHost: x\r\n\r\n", b" 426 "),
        (b"GET /collab HTTP/1.1\r\nno header\r\n\r\n", b" 400 "),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b" 200 "),
    ],
)
async def test_what_opens_no_socket_is_answered_in_http(tmp_path: Path, sent: bytes, status: bytes) -> None:
    async with open_house(tmp_path) as house:
        assert status in (await answer(house, sent)).partition(b"\r\n")[0]
        assert not house.node.gateway.sessions


async def test_a_foreign_page_is_counted_once(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await answer(house, head(Origin="https://elsewhere.example"))
        async with house.http.get(f"{house.url}/metrics") as said:
            assert 'twinspace_refused_total{reason="origin"} 1.0' in await said.text()


async def test_a_full_node_says_so_in_http_and_lets_in_again(tmp_path: Path) -> None:
    async with open_house(tmp_path, max_connections=1) as house:
        ws = house.url.replace("http", "ws", 1)
        async with hocuspocus(ws) as line:
            await line.log_in("doc/a", house.token("doc/a"))
            assert b" 503 " in await answer(house, head())
        while house.node.gateway.sessions:
            await asyncio.sleep(0.01)
        assert b" 101 " in await answer(house, head())


async def test_whoever_has_said_nothing_yet_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(house.url.rpartition(":")[2]))
        await asyncio.sleep(0.05)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
