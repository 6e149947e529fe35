"""What two adults write to each other is told to nobody else: on no route or socket, in no log or record."""

from __future__ import annotations

import asyncio
import json
import pickle
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest_asyncio
from served import Server
from village import PASSWORD, Facts, build, email_of
from visitors import Visitor, key, log_in

PEOPLE = ("teacher", "partner", "founder", "admin", "student", "guest", "outsider")


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[tuple[Server, Facts, dict[str, Visitor]]]:
    data = tmp_path / "data"
    data.mkdir()
    await asyncio.to_thread(build, data)
    facts: Facts = pickle.loads((data / "facts.pickle").read_bytes())
    (data / "facts.pickle").unlink()
    async with AsyncExitStack() as stack:
        server = stack.enter_context(Server(data, "--log-level", "debug"))
        people = {}
        for name in PEOPLE:
            login = SimpleNamespace(code=facts.codes.get(name), email=email_of(name), password=PASSWORD)
            people[name] = await stack.enter_async_context(log_in(server.http, login))  # type: ignore[arg-type]
        yield server, facts, people


async def test_nobody_else_is_told_the_words(place: tuple[Server, Facts, dict[str, Visitor]]) -> None:
    server, facts, people = place
    sent, withheld, refused = (f"canary{what}{uuid.uuid4().hex}" for what in ("sent", "withheld", "refused"))
    teacher, partner = people["teacher"], people["partner"]
    to_partner = f"/me/messages/{facts.people['partner']}"

    def told(desk: Any) -> list[dict[str, Any]]:
        return [each for each in desk.said if "notifications" in json.dumps(each)]

    async with partner.socket() as desk, people["founder"].socket() as elsewhere:
        for each in (desk, elsewhere):
            await each.open(f"space/{facts.spaces['rivers']}")
        made = await teacher.call("POST", to_partner, {"key": key(), "body": sent})
        assert made["body"] == sent
        await desk.until(lambda: told(desk), 10.0)
        # Whatever else would have come to the founder has come before the next answer.
        await elsewhere.open(f"page/{facts.pages['open']}")
        assert told(elsewhere) == []
        for each in (desk, elsewhere):
            assert b"canary" not in b"".join(frame.body for frame in each.heard)
    await partner.call("PUT", f"/me/blocks/{facts.people['teacher']}")
    await teacher.call("POST", to_partner, {"key": key(), "body": withheld})
    for whom, body in (
        ("partner", {"key": key(), "body": refused + "\0"}),
        ("partner", {"key": key(), "body": refused + "x" * 4_000}),
        ("partner", {"key": refused, "body": refused, "more": 1}),
        ("student", {"key": key(), "body": refused}),
        ("guest", {"key": key(), "body": refused}),
        ("outsider", {"key": key(), "body": refused}),
    ):
        status, said = await teacher.ask("POST", f"/me/messages/{facts.people[whom]}", body)
        assert 400 <= status < 500
        assert refused not in json.dumps(said)

    async def seen_by(name: str) -> set[str]:
        paths = ["/me/messages", "/me/notifications", "/me/contacts", "/me/reports", "/me"]
        paths += [f"/me/messages/{each}" for each in facts.people.values()]
        answers = [json.dumps((await people[name].ask("GET", path))[1]) for path in paths]
        paths = [f"/spaces/{facts.spaces['rivers']}/{each}" for each in ("audit", "members")]
        answers += [json.dumps((await people[name].ask("GET", path))[1]) for path in paths]
        return {each for each in (sent, withheld, refused) if each in "".join(answers)}

    assert await seen_by("teacher") == {sent, withheld}
    assert await seen_by("partner") == {sent}
    for name in PEOPLE[2:]:
        assert await seen_by(name) == set(), name

    server.stop()
    said = server.said()
    assert "POST /api/me/messages/{person_id} 201" in said
    assert "canary" not in said
    with sqlite3.connect(server.data / "records.sqlite3") as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {table: repr(database.execute(f'SELECT * FROM "{table}"').fetchall()) for table in tables}
    database.close()
    assert {"changes", "notifications", "audit"} <= set(tables)
    assert {table for table, text in rows.items() if "canary" in text} == {"direct_messages"}
    assert refused not in rows["direct_messages"]
    for path in server.data.rglob("*"):
        if path.is_file() and not path.name.startswith("records.sqlite3"):
            assert b"canary" not in path.read_bytes(), path.name
