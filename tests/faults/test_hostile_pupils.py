"""Somebody with a log-in, a student of the demo, who tries what the client would never send."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from served import Server
from websockets.exceptions import InvalidStatus
from wire import (
    AWARENESS,
    SLOWED,
    STATELESS,
    SYNC,
    Line,
    Writer,
    awareness,
    hocuspocus,
    plain,
    presences,
    string,
    update,
)

COOKIE = "__Host-twinspace"


@dataclass(frozen=True)
class Pupil:
    """A student who is logged in."""

    name: str
    role: str
    cookie: str
    """The session cookie as the browser sends it back."""
    space: str
    page: dict[str, Any]
    """A page that all of the TwinSpace may edit."""

    @property
    def document(self) -> str:
        return str(self.page["document"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("pupils") / "data", verb="demo") as server:
        yield server


async def log_in(server: Server, code: str, origin: str) -> Pupil:
    """By the code on the card, as the log-in page does it."""
    async with aiohttp.ClientSession(server.http, cookie_jar=aiohttp.DummyCookieJar()) as http:
        async with http.post(
            "/api/session", json={"method": "code", "code": code}, headers={"Origin": origin}
        ) as answer:
            me = await answer.json()
            assert answer.status == 200, me
            cookie = f"{COOKIE}={answer.cookies[COOKIE].value}"
        (space,) = me["spaces"]
        async with http.get(f"/api/spaces/{space['id']}/pages", headers={"Cookie": cookie}) as answer:
            pages = await answer.json()
    page = next(page for page in pages if page["scope"] == "read-write")
    return Pupil(me["person"]["name"], space["role"], cookie, space["id"], page)


@pytest.fixture
async def pupils(server: Server) -> tuple[Pupil, Pupil]:
    """Two students, of two schools."""
    codes = re.findall(r"student\s+([a-z]+-[a-z]+-[a-z]+-[a-z]+-[a-z]+)", server.said())
    first, last = await asyncio.gather(*(log_in(server, code, server.http) for code in (codes[0], codes[-1])))
    return first, last


@asynccontextmanager
async def at_page(server: Server, pupil: Pupil, document: str | None = None) -> AsyncIterator[Line]:
    headers = {"Cookie": pupil.cookie, "Origin": server.http}
    async with hocuspocus(server.ws, additional_headers=headers) as line:
        await line.log_in(document or pupil.document, "session")
        yield line


async def told(line: Line, kind: str) -> dict[str, Any]:
    """The next message of this kind that the server says to our own client."""
    async with asyncio.timeout(20):
        while True:
            frame = await line.hear(20)
            if frame.type == STATELESS and (message := json.loads(frame.text))["type"] == kind:
                return dict(message)


async def test_a_spent_budget_is_told_with_the_time_it_takes(
    server: Server, pupils: tuple[Pupil, Pupil]
) -> None:
    pupil = pupils[0]
    async with at_page(server, pupil) as line:

        async def shout() -> None:
            for clock in itertools.count(1):
                state = {"word": "x" * 15_000}
                await line.say(AWARENESS, awareness({600: (clock, state)}), pupil.document)

        shouting = asyncio.create_task(shout())
        message = await told(line, "refused")
        shouting.cancel()
        assert message["what"] == "budget"
        assert message["message"].endswith(".")
        assert 0 < message["retry_after"] <= 60
        await line.say(SYNC, update(Writer().insert("and on")), pupil.document)
        await line.hear_until("status 1", timeout=SLOWED)


async def test_a_refused_update_is_told_with_its_reason(server: Server, pupils: tuple[Pupil, Pupil]) -> None:
    pupil = pupils[0]
    async with at_page(server, pupil) as line:
        await line.say(SYNC, update(b"\xff" * 30), pupil.document)
        message = await told(line, "refused")
        assert message["what"]
        assert message["message"].endswith(".")


async def test_nobody_appears_as_somebody_else_lesson_19(server: Server, pupils: tuple[Pupil, Pupil]) -> None:
    pupil, other = pupils
    forged = {"user": {"name": "The Head Teacher", "role": "admin", "school": "Everywhere", "id": "1"}}
    async with at_page(server, other) as watcher, at_page(server, pupil) as line:
        await line.say(AWARENESS, awareness({7: (1, {**forged, "cursor": None})}), pupil.document)
        while True:
            states = presences((await watcher.hear_until("awareness"))[-1].body)
            if 7 in states:
                break
        user = states[7][1]["user"]
        assert user["name"] == pupil.name
        assert user["role"] == pupil.role
        assert user["school"] != "Everywhere"
        assert user["id"] != "1"


async def test_a_cookie_opens_nothing_for_a_page_of_another_site(
    server: Server, pupils: tuple[Pupil, Pupil]
) -> None:
    pupil = pupils[0]
    host = urlsplit(server.http).netloc
    for origin in ("https://evil.example", "null", f"http://{host}.evil.example", f"https://{host}"):
        headers = {"Cookie": pupil.cookie, "Origin": origin}
        with pytest.raises(InvalidStatus) as caught:
            async with hocuspocus(server.ws, additional_headers=headers):
                pass
        assert caught.value.response.status_code == 403, origin


async def test_a_cookie_opens_only_what_its_owner_may_see(
    server: Server, pupils: tuple[Pupil, Pupil]
) -> None:
    pupil = pupils[0]
    headers = {"Cookie": pupil.cookie, "Origin": server.http}
    names = ["page/nowhere", "page/", "space/nowhere", "doc/anything", f"{pupil.document}/", "PAGE/1", "page"]
    async with hocuspocus(server.ws, additional_headers=headers) as line:
        for name in names:
            await line.say(2, b"\x00" + string("session"), name)
            assert (await line.hear_until("denied", key=name))[-1].word.startswith("denied ")


async def test_the_spaces_own_document_is_the_servers_to_write(
    server: Server, pupils: tuple[Pupil, Pupil]
) -> None:
    pupil = pupils[0]
    document = f"space/{pupil.space}"
    headers = {"Cookie": pupil.cookie, "Origin": server.http}
    async with hocuspocus(server.ws, additional_headers=headers) as line:
        assert await line.log_in(document, "session") == "readonly"
        await line.say(SYNC, update(Writer().insert("graffiti")), document)
        assert (await line.hear_until("status"))[-1].word == "status 0"


async def test_a_token_never_opens_a_page(server: Server, pupils: tuple[Pupil, Pupil]) -> None:
    document = pupils[0].document
    token = server.token("doc/a", subject="application")
    async with hocuspocus(server.ws) as line:
        await line.say(2, b"\x00" + string(token), document)
        assert (await line.hear()).word == "denied permission-denied"
    async with plain(server.ws, document, token) as line:
        code, _ = await line.closed()
        assert code in (4401, 4403)


async def test_nobody_writes_in_another_pupils_name(server: Server, pupils: tuple[Pupil, Pupil]) -> None:
    pupil, victim = pupils
    mine = Writer()
    async with at_page(server, victim) as line:
        await line.say(SYNC, update(mine.insert("I wrote this.")), victim.document)
        await line.hear_until("status 1")
    async with at_page(server, pupil) as line:
        await line.say(SYNC, update(mine.insert(" And this, did I?")), pupil.document)
        assert (await line.hear_until("status"))[-1].word == "status 0"
        message = await told(line, "refused")
        assert message["what"] == "forged-author"


async def test_whoever_logs_out_is_gone_from_every_socket_at_once(
    server: Server, pupils: tuple[Pupil, Pupil]
) -> None:
    pupil = pupils[0]
    async with at_page(server, pupil) as line, at_page(server, pupil) as other:
        async with aiohttp.ClientSession(server.http) as http:
            headers = {"Cookie": pupil.cookie, "Origin": server.http}
            async with http.delete("/api/session", headers=headers) as answer:
                assert answer.status == 204
        assert (await told(line, "bye"))["reason"]
        for each in (line, other):
            code, _ = await each.closed()
            assert code == 4401
    headers = {"Cookie": pupil.cookie, "Origin": server.http}
    async with hocuspocus(server.ws, additional_headers=headers) as line:
        await line.say(2, b"\x00" + string("session"), pupil.document)
        assert (await line.hear()).word == "denied permission-denied"
