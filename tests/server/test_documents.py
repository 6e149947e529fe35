"""The documents API: a token opens one document, what was answered is durable, a refusal changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from house import House, open_house
from pycrdt import Doc, Text, XmlElement, XmlFragment, XmlText

from rooms.rights.access import Scope

OCTETS = {"Content-Type": "application/octet-stream"}
PARTNER = "https://partner.example"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "data", allowed_origin=[PARTNER]) as opened:
        yield opened


def update_of(text: str, client: int = 1) -> bytes:
    document: Doc[Any] = Doc(client_id=client)
    document.get("text", type=Text).insert(0, text)
    return document.get_update()


def text_in(state: bytes) -> str:
    document: Doc[Any] = Doc()
    document.apply_update(state)
    return str(document.get("text", type=Text))


async def read(house: House, path: str, headers: dict[str, str]) -> bytes:
    async with house.http.get(f"{house.url}/api/documents/{path}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "application/octet-stream"
        return await answer.read()


async def write(house: House, path: str, update: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    async with house.http.patch(
        f"{house.url}/api/documents/{path}", data=update, headers=OCTETS | headers
    ) as answer:
        body = await answer.json()
        return answer.status, body.get("error", body)


async def test_a_document_nobody_has_written_is_empty(house: House) -> None:
    assert await read(house, "new", house.bearer("new")) == b"\x00\x00"


async def test_what_was_answered_is_read_back_also_after_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        status, body = await write(house, "a", update_of("hello"), house.bearer("a"))
        assert (status, body) == (200, {"durable": True})
        assert text_in(await read(house, "a", house.bearer("a", Scope.READONLY))) == "hello"
    async with open_house(tmp_path) as house:
        assert text_in(await read(house, "a", house.bearer("a"))) == "hello"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("team/notes/1", "team/notes/1"),
        ("team%2Fnotes", "team/notes"),
        ("%61", "a"),
        ("%2561", "%61"),  # decoded exactly once
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("Cig%C3%BCe%C3%B1a%F0%9F%90%A6", "Cigüeña🐦"),
        ("a//b/", "a//b/"),
        ("a;b=c", "a;b=c"),
        ("what%3F%23", "what?#"),
    ],
)
async def test_a_name_in_the_path_is_decoded_exactly_once(house: House, path: str, name: str) -> None:
    from yarl import URL

    token = house.bearer(name)
    url = URL(f"{house.url}/api/documents/{path}", encoded=True)
    async with house.http.patch(url, data=update_of(name), headers=OCTETS | token) as answer:
        assert answer.status == 200, await answer.text()
    assert text_in(await read(house, quote(name, safe=""), token)) == name


@pytest.mark.parametrize("path", ["a%00b", "a%0Ab", "%FF", "x" * 513, "%C3"])
async def test_an_impossible_name_is_not_found(house: House, path: str) -> None:
    from yarl import URL

    url = URL(f"{house.url}/api/documents/{path}", encoded=True)
    async with house.http.get(url, headers=house.bearer("a")) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not-found"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "bad-token"),
        ("Bearer", "bad-token"),
        ("Bearer nonsense", "bad-token"),
        ("Basic dXNlcjpwYXNz", "bad-token"),
    ],
)
async def test_without_a_token_nothing_is_said_of_the_document(
    house: House, header: str | None, code: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    for name in ("a", "never-written"):
        async with house.http.get(f"{house.url}/api/documents/{name}", headers=headers) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert (await answer.json())["error"]["code"] == code


async def test_a_token_for_one_document_opens_no_other(house: House) -> None:
    status, error = await write(house, "b", update_of("x"), house.bearer("a"))
    assert (status, error["code"]) == (401, "wrong-document")
    for name in ("page/p1", "space/s1"):
        status, error = await write(house, name, update_of("x"), house.bearer("a"))
        assert status == 401


async def test_a_readonly_token_reads_and_does_not_write(house: House) -> None:
    status, error = await write(house, "a", update_of("x"), house.bearer("a", Scope.READONLY))
    assert (status, error["code"]) == (403, "token-readonly")
    assert await read(house, "a", house.bearer("a")) == b"\x00\x00"


async def test_malformed_bytes_are_refused_with_what_and_where(house: House) -> None:
    for update in (b"", b"\xff", b"\x00", update_of("x") + b"\x00", b"\x01\x01"):
        status, error = await write(house, "a", update, house.bearer("a"))
        assert (status, error["code"]) == (400, "malformed"), update
        assert isinstance(error["details"]["where"], int)
        assert error["details"]["what"]
    assert await read(house, "a", house.bearer("a")) == b"\x00\x00"


async def test_an_update_in_anothers_name_is_refused(house: House) -> None:
    first, other = house.bearer("a", subject="u1"), house.bearer("a", subject="u2")
    assert (await write(house, "a", update_of("mine", client=7), first))[0] == 200
    document: Doc[Any] = Doc(client_id=7)
    document.apply_update(update_of("mine", client=7))
    before = document.get_state()
    document.get("text", type=Text).insert(0, "not ")
    status, error = await write(house, "a", document.get_update(before), other)
    assert (status, error["code"]) == (403, "forged-author")
    assert text_in(await read(house, "a", first)) == "mine"


async def test_too_big_is_told_with_the_limit_whether_announced_or_streamed(tmp_path: Path) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 1000

    async with open_house(tmp_path, update_bytes=20_000) as house:
        status, error = await write(house, "a", update_of("x" * 30_000), house.bearer("a"))
        assert (status, error["code"]) == (413, "too-big")
        assert error["details"]["limit"] == 20_000
        async with house.http.patch(
            f"{house.url}/api/documents/a", data=stream(), headers=OCTETS | house.bearer("a")
        ) as answer:
            assert answer.status == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"},
    ],
)
async def test_another_content_type_is_refused(house: House, headers: dict[str, str]) -> None:
    url = f"{house.url}/api/documents/a"
    async with house.http.patch(url, data=b"\x00\x00", headers=house.bearer("a") | headers) as answer:
        assert answer.status == 415


async def test_while_the_log_is_gone_nothing_is_called_durable(house: House) -> None:
    assert await read(house, "a", house.bearer("a")) == b"\x00\x00"
    await house.node.log.close()
    status, error = await write(house, "a", update_of("x"), house.bearer("a"))
    assert status == 503
    assert error["code"] in ("log-failing", "unavailable")
    assert error["details"]["retry_after"] >= 1


async def test_many_writers_at_once_all_arrive(house: House) -> None:
    answers = await asyncio.gather(
        *(
            write(house, "a", update_of(f"<{n}>", client=n), house.bearer("a", subject=f"u{n}"))
            for n in range(1, 40)
        )
    )
    assert {status for status, _ in answers} == {200}
    text = text_in(await read(house, "a", house.bearer("a")))
    assert all(f"<{n}>" in text for n in range(1, 40))


async def test_listed_origins_may_read_answers_and_no_others(house: House) -> None:
    async def preflight(origin: str) -> aiohttp.ClientResponse:
        headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
        async with house.http.options(f"{house.url}/api/documents/a/b", headers=headers) as answer:
            return answer

    allowed = await preflight(PARTNER)
    assert allowed.status == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == PARTNER
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    refused = await preflight("https://evil.example")
    assert refused.status == 403
    assert "Access-Control-Allow-Origin" not in refused.headers
    for origin, sent in ((PARTNER, PARTNER), ("https://evil.example", None), ("null", None)):
        async with house.http.get(
            f"{house.url}/api/documents/a", headers=house.bearer("a") | {"Origin": origin}
        ) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == sent
            assert answer.headers["Vary"] == "Origin"
    async with house.http.get(f"{house.url}/api/openapi.json", headers={"Origin": PARTNER}) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


def page_of(text: str) -> bytes:
    document: Doc[Any] = Doc(client_id=1)
    paragraph = document.get("prosemirror", type=XmlFragment).children.append(XmlElement("paragraph"))
    paragraph.children.append(XmlText(text))
    return document.get_update()


@pytest.mark.parametrize("words", ["<script>alert(1)</script> & more", "much " * 20_000])
async def test_rich_text_is_rendered_escaped_here_or_in_another_process(house: House, words: str) -> None:
    assert (await write(house, "a", page_of(words), house.bearer("a")))[0] == 200
    url, headers = f"{house.url}/api/documents/a", house.bearer("a", Scope.READONLY)
    async with house.http.get(f"{url}?format=html", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        html = await answer.text()
        assert "<script" not in html
        assert words.strip() in unescape(html)
    async with house.http.get(f"{url}?format=text", headers=headers) as answer:
        assert (await answer.text()).strip() == words.strip()
    async with house.http.get(f"{url}?format=json&fragment=other", headers=headers) as answer:
        assert (await answer.json())["type"] == "doc"
    async with house.http.get(f"{url}?format=xml", headers=headers) as answer:
        assert answer.status == 422
