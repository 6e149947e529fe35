"""Connections that ask for nothing, and a node that ends while somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop
from house import open_house

from server import serving


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_connection_without_a_request_is_dropped_and_a_slow_one_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., None]
) -> None:
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.3)
    run(silent_dripping_and_slow(tmp_path))


async def silent_dripping_and_slow(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        port = int(house.url.rpartition(":")[2])
        silent, slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        dripping = await asyncio.open_connection("127.0.0.1", port)
        dripping[1].write(b"GET /healthz HTTP/1.1\r\nHost:")
        slow[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" in await slow[0].readline()
        for reader in (silent[0], dripping[0]):
            with suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
        slow[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await slow[0].read()).count(b"HTTP/1.1 200") == 1
        for _, writer in (silent, slow, dripping):
            writer.close()


async def test_the_address_is_one_a_browser_can_open_also_for_ipv6(tmp_path: Path) -> None:
    async with open_house(tmp_path, host="::1") as house:
        assert house.url.startswith("http://[::1]:")
        async with house.http.get(f"{house.url}/healthz") as answer:
            assert answer.status == 200


async def test_a_request_that_waits_for_the_log_does_not_hold_up_the_end(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with open_house(tmp_path) as house:
        port = int(house.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "\r\n".join(f"{name}: {value}" for name, value in house.bearer("a").items())
        writer.write(
            f"PATCH /api/documents/a HTTP/1.1\r\nHost: x\r\n{head}\r\n"
            "Content-Type: application/octet-stream\r\nContent-Length: 99\r\n\r\nhalf a bo".encode()
        )
        await asyncio.sleep(0.1)
        started = loop.time()
    assert loop.time() - started < 4
    writer.close()
    del reader
