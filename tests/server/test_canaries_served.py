"""Words that may not be seen are looked for everywhere a served process could say them.

One place has posts that wait, that were rejected, that a filter blocked, that were edited and wait again, and
that were hidden, each with a canary of its own; then everybody asks for everything.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import pickle
import re
import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest_asyncio
from served import Server
from village import PASSWORD, Facts, build, email_of
from visitors import Visitor, key, log_in

from server.app import all_routes

KINDS = ("held", "rejected", "blocked", "edit", "hidden", "option", "asked", "because", "invalid")
AS_AUTHOR = {"held", "rejected", "edit", "because"}
"""What the author of the posts is told of them; what was asked is in the document alone."""
PEOPLE = ("founder", "partner", "student", "mate", "pal", "guest", "removed", "outsider", "stranger")
MAY_NOT = ("mate", "pal", "guest", "removed", "outsider", "stranger")
FORMS = ("", "?format=json", "?format=html", "?format=text")


@dataclass
class Place:
    server: Server
    facts: Facts
    people: dict[str, Visitor]
    nobody: aiohttp.ClientSession
    ids: dict[str, list[str]] = field(default_factory=dict)
    """Ids of everything there is, by the name of the path parameter they stand for."""
    answered: int = 0

    def paths(self) -> Iterator[str]:
        """Every GET route with all the ids of the place; for parameters of other kinds, with any of them."""
        for route in all_routes():
            if route.method != "GET":
                continue
            anything = [id for ids in self.ids.values() for id in ids]
            for chosen in itertools.product(*(self.ids.get(each, anything) for each in route.parameters)):
                values = {name: quote(id) for name, id in zip(route.parameters, chosen, strict=True)}
                path = re.sub(r"{(\w+)[^}]*}", lambda found, of=values: of[found[1]], route.path)
                for form in FORMS if route.content else FORMS[:1]:
                    yield path + form

    async def seen_by(self, headers: dict[str, str]) -> dict[str, set[str]]:
        """The paths that gave each canary away."""
        found: dict[str, set[str]] = {}
        for path in self.paths():
            async with self.nobody.get(f"{self.server.http}/api{path}", headers=headers) as answer:
                said = await answer.read() + str(answer.headers).encode()
            assert answer.status < 500, (path, answer.status)
            self.answered += answer.status == 200
            for kind, canary in CANARIES.items():
                if canary.encode() in said:
                    found.setdefault(kind, set()).add(path)
        return found


CANARIES = {kind: f"canary{kind}{uuid.uuid4().hex}" for kind in KINDS}


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    data = tmp_path / "data"
    data.mkdir()
    furnished = await _furnished(data)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(
            Server(data, "--log-level", "debug", "--api-rate", "1000", "--api-burst", "10000")
        )
        people = {}
        for name in PEOPLE:
            login = SimpleNamespace(code=furnished.codes.get(name), email=email_of(name), password=PASSWORD)
            people[name] = await stack.enter_async_context(log_in(server.http, login))  # type: ignore[arg-type]
        nobody = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        place = Place(server, furnished, people, nobody)
        await _talk(place)
        yield place


async def _furnished(data: Path) -> Facts:
    await asyncio.to_thread(build, data)
    facts = pickle.loads((data / "facts.pickle").read_bytes())
    (data / "facts.pickle").unlink()
    return facts


async def _talk(place: Place) -> None:
    """Says it all, over REST and over the socket."""
    student, founder, facts = place.people["student"], place.people["founder"], place.facts
    space, room = facts.spaces["rivers"], facts.rooms["general"]
    for visitor in (founder, student):
        visitor.me["spaces"] = [{"id": space}]
    thread = (await founder.call("POST", f"/rooms/{room}/threads", {"title": "Otters", "key": key()}))["id"]
    document = f"thread/{thread}"

    async def post(kind: str, words: str = "", who: Visitor = student, **more: Any) -> str:
        body = {"key": key(), "body": f"{words} {CANARIES[kind]}", **more}
        return str((await who.call("POST", f"/threads/{thread}/posts", body))["id"])

    hidden = await post("hidden")
    poll = await post("option", who=founder, options=[CANARIES["option"], "Another"])
    edited = (await student.call("POST", f"/threads/{thread}/posts", {"key": key(), "body": "Plain"}))["id"]
    policy = {"posting": "hold", "filters": {"phone": "block"}}
    await founder.call("PATCH", f"/spaces/{space}", {"policy": policy})
    async with student.socket() as desk:
        await desk.open(document)
        said = await desk.command(document, "post", thread_id=thread, body=CANARIES["held"])
        held = said["result"]["id"]
        blocked = f"{CANARIES['blocked']} +34 612 345 678"
        assert not (await desk.command(document, "post", thread_id=thread, body=blocked))["ok"]
        wrong = await desk.command(document, "post", thread_id=thread, body=CANARIES["invalid"] + "\0")
        assert wrong["code"] == "invalid"
    status, _ = await student.ask("POST", f"/threads/{thread}/posts", {"key": key(), "body": blocked})
    assert 400 <= status < 500
    for body in (
        {"key": key(), "body": CANARIES["invalid"] + "\0"},
        {"key": CANARIES["invalid"], "body": "x", CANARIES["invalid"]: 1},
        CANARIES["invalid"],
    ):
        assert (await student.ask("POST", f"/threads/{thread}/posts", body))[0] in (400, 422)
    rejected = await post("rejected")
    assert (await student.call("PATCH", f"/posts/{edited}", {"body": CANARIES["edit"]}))["state"] == "visible"
    decision = {"approve": False, "because": CANARIES["because"]}
    await founder.call("PUT", f"/posts/{rejected}/decision", decision)
    for each in (hidden, poll):
        await founder.call("PUT", f"/posts/{each}/hidden", {"because": "Not for this room"})
    asking = {"title": "A question", "kind": "ask", "key": key(), "body": CANARIES["asked"]}
    asked = (await student.call("POST", f"/rooms/{room}/threads", asking))["id"]
    report = {"target": "page", "target_id": facts.pages["open"], "reason": "unkind", "words": "Look"}
    reported = (await student.call("POST", f"/spaces/{space}/reports", report))["id"]
    posts = [held, rejected, edited, hidden, poll]
    for name in ("mate", "pal", "guest", "stranger"):
        for method, path, sent in (
            ("PATCH", "", {"body": "Mine"}),
            ("PUT", "/decision", {"approve": True}),
            ("DELETE", "/hidden", None),
            ("PUT", "/reactions/heart", None),
        ):
            for each in posts:
                status, said = await place.people[name].ask(method, f"/posts/{each}{path}", sent)
                assert "canary" not in json.dumps(said), (name, method, path)
                assert status >= 400 or (path == "/reactions/heart" and each == edited), (name, path, said)
    partner = place.people["partner"]
    async with partner.socket() as desk:
        await desk.open(document)
        assert (await desk.command(document, "restore", post_id=edited))["ok"]
        assert CANARIES["edit"].encode() not in b"".join(frame.body for frame in desk.heard)
    assert CANARIES["edit"] not in json.dumps(await partner.call("DELETE", f"/posts/{edited}/hidden"))
    place.ids = {
        "space_id": [*facts.spaces.values()],
        "room_id": [*facts.rooms.values()],
        "thread_id": [thread, asked],
        "post_id": posts,
        "page_id": [*facts.pages.values()],
        "person_id": [*facts.people.values()],
        "membership_id": [*facts.members.values()],
        "school_id": [*facts.schools.values()],
        "report_id": [reported],
        "name": [document, f"thread/{asked}", f"space/{space}", f"page/{facts.pages['open']}"],
    }


async def test_no_route_no_log_no_figure_and_no_change_tells_what_may_not_be_seen(place: Place) -> None:
    for name in MAY_NOT:
        assert await place.seen_by({"Cookie": place.people[name].cookie}) == {}, name
    assert await place.seen_by({}) == {}
    assert place.answered > 50
    # What they are looked for in does hold them, for those who may see them.
    author = await place.seen_by({"Cookie": place.people["student"].cookie})
    assert set(author) == AS_AUTHOR
    partner = await place.seen_by({"Cookie": place.people["partner"].cookie})
    assert {kind for kind in partner if kind != "because"} <= {"hidden"}
    own = await place.seen_by({"Cookie": place.people["founder"].cookie})
    assert {"held", "edit", "hidden", "option"} <= set(own)
    assert not {"blocked", "invalid"} & set(own)
    for seen in (partner, own):
        for kind in {"hidden", "option"} & set(seen):
            assert all(path.endswith("/original") for path in seen[kind]), (kind, seen[kind])
    async with place.nobody.get(f"{place.server.http}/metrics") as answer:
        figures = await answer.text()
    assert "twinspace_" in figures
    place.server.stop()
    said = place.server.said()
    assert "POST /api/threads/{thread_id}/posts 201" in said
    records = place.server.data / "records.sqlite3"
    with sqlite3.connect(records) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: repr(database.execute(f'SELECT * FROM "{table}"').fetchall()) for table in tables}
    database.close()
    files = {
        path.name: path.read_bytes()
        for path in place.server.data.rglob("*")
        if path.is_file() and not path.name.startswith("records.sqlite3")
    }
    assert {"posts", "changes", "audit"} <= set(tables)
    for kind, canary in CANARIES.items():
        assert canary not in said, kind
        assert canary not in figures, kind
        holds = {table for table, text in rows.items() if canary in text}
        assert holds <= ({"posts", "audit"} if kind == "because" else {"posts"}), (kind, holds)
        if kind not in ("hidden", "option", "asked"):  # those were seen, and a log of edits holds them
            assert not [name for name, body in files.items() if canary.encode() in body], kind
