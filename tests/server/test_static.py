"""The client's files: what is served, how it is packed and cached, and that nothing else of the disk is."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from server.static import Client

SCRIPT = b"export const x = 1;\n" * 50


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A small build, and a file beside it that nobody may read."""
    (tmp_path / "secret.txt").write_text("canary")
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>client</title>")
    (folder / "assets" / "app-AAAA.js").write_bytes(SCRIPT)
    (folder / "assets" / "app-AAAA.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / "assets" / "app-AAAA.js.br").write_bytes(b"pretend brotli")
    (folder / "assets" / "plain-BBBB.css").write_text("p { color: red }")
    (folder / "sw.js").write_text("// worker")
    (folder / ".hidden").write_text("canary")
    (folder / "assets" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
async def url(build: Path) -> AsyncIterator[str]:
    client = Client(build)

    async def respond(request: web.Request) -> web.StreamResponse:
        return client.respond(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", respond)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session


async def test_every_route_of_the_client_gets_the_page_asked_for_anew_each_time(
    url: str, http: aiohttp.ClientSession
) -> None:
    for path in (
        "/",
        "/login",
        "/card",
        "/spaces/s1",
        "/spaces/s1/pages/p1",
        "/spaces/s1/members",
        "/schools/x/pupils",
    ):
        async with http.get(url + path) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html"), path
            assert answer.headers["Cache-Control"] == "no-cache"
    async with http.get(url + "/no/such/route") as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip;q=1.0", "gzip"),
        ("br;q=0.000, gzip;q=0", None),
        ("identity", None),
        ("brotli", None),
        ("*", None),
        ("", None),
    ],
)
async def test_assets_come_packed_as_the_browser_can_read_them_and_stay_for_ever(
    url: str, http: aiohttp.ClientSession, accept: str, coding: str | None
) -> None:
    async with http.get(url + "/assets/app-AAAA.js", headers={"Accept-Encoding": accept}) as answer:
        assert answer.status == 200
        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["Cache-Control"]
        expected = {None: SCRIPT, "gzip": gzip.compress(SCRIPT), "br": b"pretend brotli"}[coding]
        body = await answer.read()
        assert (gzip.decompress(body) if coding == "gzip" else body) == (
            SCRIPT if coding == "gzip" else expected
        )


async def test_entity_tags_differ_by_packing_and_save_the_second_transfer(
    url: str, http: aiohttp.ClientSession
) -> None:
    tags = set()
    for accept in ("br", "gzip", "identity"):
        async with http.get(url + "/assets/app-AAAA.js", headers={"Accept-Encoding": accept}) as answer:
            tag = answer.headers["ETag"]
            tags.add(tag)
        again = {"Accept-Encoding": accept, "If-None-Match": f'"other", {tag}'}
        async with http.get(url + "/assets/app-AAAA.js", headers=again) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers["Vary"] == "Accept-Encoding"
    assert len(tags) == 3


async def test_head_says_the_same_without_a_body(url: str, http: aiohttp.ClientSession) -> None:
    async with http.head(url + "/assets/plain-BBBB.css") as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "16")
        assert await answer.read() == b""


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..%5c..%5csecret.txt",
        "/assets/%252e%252e%252fsecret.txt",
        "/assets/....//....//secret.txt",
        "//etc/passwd",
        "/etc/passwd",
        "/.hidden",
        "/%2ehidden",
        "/assets/link.txt",
        "/assets/app-AAAA.js%00.txt",
        "/assets/",
        "/assets",
        "/assets/app-AAAA.js.gz",
        "/assets/app-AAAA.js/",
        "/ASSETS/app-AAAA.js",
        "/assets/missing-CCCC.js",
    ],
)
async def test_no_path_leads_out_of_the_build_or_to_what_is_not_for_the_browser(url: str, path: str) -> None:
    # Raw, because clients tidy such paths before they send them.
    port = URL(url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer
    assert b"canary" not in answer
    assert b"root:" not in answer


async def test_a_new_build_is_seen_without_a_restart(
    url: str, http: aiohttp.ClientSession, build: Path
) -> None:
    async with http.get(url + "/") as answer:
        assert "client" in await answer.text()
    (build / "assets" / "new-DDDD.js").write_text("export {}")
    (build / "index.html").write_text("<!doctype html><title>newer</title>")
    os.utime(build / "index.html", ns=(1, 2_000_000_000_000_000_000))
    async with http.get(url + "/") as answer:
        assert "newer" in await answer.text()
    async with http.get(url + "/assets/new-DDDD.js") as answer:
        assert answer.status == 200


async def test_without_a_build_the_page_says_what_to_do(
    url: str, http: aiohttp.ClientSession, build: Path
) -> None:
    (build / "index.html").unlink()
    async with http.get(url + "/") as answer:
        assert answer.status == 503
        assert "make setup" in await answer.text()
