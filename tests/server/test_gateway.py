"""Rights of open sockets when things cross, and that closed sockets leave nothing behind. Real port."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from house import House, open_house
from wire import AUTH, SYNC, Line, Writer, hocuspocus, plain, string, update

from rooms.documents.attachment import Attachment
from rooms.rights.access import Access, Change, Principal, Scope
from server.sockets.session import SocketSession

WRITE = Access(Scope.READ_WRITE, subject="membership:ana")
READ = Access(Scope.READONLY, subject="membership:ana", reason="locked")


class Rights:
    """An authority that answers when the test says so, each question as of when it was asked."""

    def __init__(self) -> None:
        self.now = WRITE
        self.asked: list[asyncio.Event] = []
        self.slow = False

    async def access(self, principal: Principal, document: str) -> Access:
        answer = self.now
        if self.slow:
            self.asked.append(asyncio.Event())
            await self.asked[-1].wait()
        return answer


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
def rights(house: House) -> Rights:
    """Everybody who sends a cookie is Ana."""
    gateway = house.node.gateway
    rights = Rights()

    async def resolve(_: str) -> Principal:
        return Principal("member", "person:ana", "Ana", "session-1", expires_at=time.time() + 3600)

    gateway._authority = rights
    gateway._resolve = resolve
    gateway._cookie = lambda _: "cookie"
    return rights


def ws(house: House) -> str:
    return house.url.replace("http", "ws", 1)


async def until(true, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def news(line: Line) -> list[str]:
    """What has changed in the space, when the server says so next."""
    while True:
        said = json.loads((await line.hear_until("type 5"))[-1].text)
        if said["type"] == "space":
            return said["changed"]


async def test_an_older_answer_about_rights_never_overtakes_a_newer_one(house, rights):
    gateway = house.node.gateway
    async with hocuspocus(ws(house)) as line:
        assert await line.log_in("page/1", "session") == "read-write"
        await line.sync("page/1")
        rights.slow = True
        gateway._changed(Change("role", document="page/1"))
        await until(lambda: len(rights.asked) == 1)
        rights.now = READ
        gateway._changed(Change("lock", document="page/1"))
        await until(lambda: len(rights.asked) == 2)
        rights.asked[1].set()
        await asyncio.sleep(0.05)
        rights.slow = False
        rights.asked[0].set()
        await line.say(SYNC, update(Writer().insert("x")), "page/1")
        assert (await line.hear_until("status", key="page/1"))[-1].word == "status 0"


async def test_a_teacher_who_comes_while_rights_are_asked_for_is_told_of_to_whoever_may_be_supervised_now(
    house, rights
):
    gateway = house.node.gateway

    def teacher_comes(word: str) -> None:
        gateway._changed(Change("supervision", space="1", notice=(word,), supervised=True))

    async with hocuspocus(ws(house)) as line:
        assert await line.log_in("space/1", "session") == "read-write"
        teacher_comes("before")
        rights.slow, rights.now = True, replace(WRITE, supervised=True)
        gateway._changed(Change("room-state", document="space/1"))
        await until(lambda: rights.asked)
        teacher_comes("meanwhile")
        assert await news(line) == ["meanwhile"]
        rights.slow = False
        rights.asked[0].set()
        await until(
            lambda: all(each.access.supervised for each in gateway.registry.get("space/1").attachments)
        )
        teacher_comes("after")
        assert await news(line) == ["after"]


async def test_closed_sockets_are_not_kept_until_their_log_in_would_have_ended(house, rights):
    for _ in range(5):
        async with hocuspocus(ws(house)) as line:
            await line.log_in("page/1", "session")
            house.node.gateway._changed(Change("role", document="page/1"))
            await line.sync("page/1")
    await until(lambda: not house.node.gateway.sessions)
    gc.collect()
    assert [thing for thing in gc.get_objects() if isinstance(thing, Attachment)] == []


async def test_rights_that_end_by_time_are_asked_for_again_once_each_time(house, rights):
    asked = []
    access = rights.access

    async def counted(principal, document):
        asked.append(document)
        return await access(principal, document)

    rights.access = counted
    async with hocuspocus(ws(house)) as line:
        rights.now = Access(Scope.READONLY, "membership:ana", "locked", until=time.time() + 0.2)
        assert await line.log_in("page/1", "session") == "readonly"
        rights.now = WRITE
        assert (await line.hear_until("authenticated"))[-1].word == "authenticated read-write"
    assert len(asked) == 2


async def test_each_right_is_asked_for_again_when_it_ends_and_no_other(house, monkeypatch):
    """Whoever comes later may have a right that ends earlier."""
    gateway = house.node.gateway
    now, asked = [time.time()], []
    monkeypatch.setattr(gateway, "_clock", lambda: now[0])
    monkeypatch.setattr(SocketSession, "recheck", lambda _, attachments: asked.extend(attachments))
    ends = {"doc/a": 300, "doc/b": 100, "doc/c": 200}
    async with hocuspocus(ws(house)) as line:
        for name, seconds in ends.items():
            await line.log_in(name, house.token(name, expires=seconds))
        for seconds in (90, 102, 150, 202, 250, 302):
            now[0] = time.time() + seconds
            asked.clear()
            gateway._expire()
            heard = [each.room.name for each in asked]
            assert heard == [name for name, end in ends.items() if end == seconds - 2], seconds


async def test_whoever_may_not_open_a_document_does_not_have_it_loaded(house):
    token = house.token("doc/a")
    async with hocuspocus(ws(house)) as line:
        for number in range(20):
            key = f"doc/not-yours-{number}"
            await line.say(AUTH, b"\x00" + string(token) + string("4.8.0"), key)
            await line.hear_until("denied", key=key)
        assert len(house.node.registry) == 0


async def test_a_document_that_loads_slowly_does_not_run_into_the_deadline_of_strangers(house, monkeypatch):
    gateway = house.node.gateway
    log, gate = gateway.registry.shelf.log, asyncio.Event()
    load = log.load

    async def late(document: str):
        await gate.wait()
        return await load(document)

    monkeypatch.setattr(log, "load", late)
    async with hocuspocus(ws(house)) as line, plain(ws(house), "doc/a", house.token("doc/a")) as other:
        await line.say(AUTH, b"\x00" + string(house.token("doc/a")) + string("4.8.0"), "doc/a")
        await until(lambda: len(gateway.registry) == 1 and all(s._authenticated for s in gateway.sessions))
        assert gateway._board._deadlines == {}
        gate.set()
        await line.hear_until("authenticated")
        await other.hear_until("step1")
