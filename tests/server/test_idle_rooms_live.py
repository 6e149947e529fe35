"""A room that nobody uses is archived, and its pages are read-only at once. Real sockets, each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from house import House, open_house
from sqlalchemy import update as change
from visitors import Desk, Visitor, find, key, log_in
from wire import SYNC, Writer, update

from crdt.log.check import no_progress
from rooms.demo.furnish import furnish
from rooms.rights.access import Changes
from rooms.spaces.idle import IDLE_LIFE, IdleRooms
from rooms.storage.records import Records
from rooms.storage.schema import pages, rooms, threads
from rooms.storage.transfer import copy_records
from server.config import Settings

AT_ONCE = 5.0


@dataclass
class Group:
    """A group with two rooms, a page in each, and the sockets of its moderator."""

    house: House
    moderator: Visitor
    desk: Desk
    space: str
    rooms: dict[str, str]
    pages: dict[str, str]

    async def pass_days(self, days: float) -> None:
        """As if nobody had done anything here for so long until now."""
        then = self.house.node.services.clock() - days * 86_400
        here = list(self.rooms.values())
        async with self.house.node.services.records.writing() as tx:
            await tx.do(change(rooms).where(rooms.c.id.in_(here)).values(used_at=then))
            await tx.do(change(pages).where(pages.c.room_id.in_(here)).values(created_at=then))
            await tx.do(change(threads).where(threads.c.room_id.in_(here)).values(last_at=then))

    async def archive(self) -> int:
        services, log = self.house.node.services, self.house.node.log
        idle = IdleRooms(services.records, services.audit, services.notifications, services.clock, log)
        return await idle.archive()

    async def write(self, room: str, writer: Writer) -> str:
        document = self.pages[room]
        await self.desk.line.say(SYNC, update(writer.insert("x")), document)
        heard = len(self.desk.heard)

        def status() -> str:
            found = (each.word for each in self.desk.heard[heard:] if each.key == document)
            return next((word for word in found if word.startswith("status")), "")

        await self.desk.until(status, AT_ONCE)
        return status()

    async def told(self, scope: str, reason: str) -> None:
        await self.desk.until(
            lambda: any(
                (each["type"], each.get("scope"), each.get("reason")) == ("access", scope, reason)
                for each in self.desk.said
            ),
            AT_ONCE,
        )

    async def state(self, room: str) -> str:
        seen = await self.moderator.call("GET", f"/spaces/{self.space}")
        return next(each["state"] for each in seen["rooms"] if each["id"] == self.rooms[room])


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def group(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Group]:
    data = tmp_path / "data"
    demo = await furnish(Settings(data=data).records_file)
    settings: dict[str, Any] = {}
    if request.param == "postgres":
        settings["database"] = request.getfixturevalue("database")
        source = await Records.open(Settings(data=data).database_url, Changes())
        target = await Records.open(settings["database"], Changes())
        await copy_records(source, target, no_progress)
        await source.close()
        await target.close()
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(data, **settings))
        moderator = await stack.enter_async_context(log_in(house.url, find(demo, "admin")))
        made = await moderator.call(
            "POST",
            "/spaces",
            {"kind": "group", "title": "Owls", "summary": "", "languages": ["en"], "age_band": "adults"},
        )
        seen = await moderator.call("GET", f"/spaces/{made['id']}")
        desk = await stack.enter_async_context(moderator.socket())
        group = Group(house, moderator, desk, made["id"], {}, {})
        for room in seen["rooms"]:
            page = await moderator.call("POST", f"/rooms/{room['id']}/pages", {"title": "Owls"})
            group.rooms[room["kind"]], group.pages[room["kind"]] = room["id"], page["document"]
            assert await desk.open(page["document"]) == "read-write"
        yield group


async def test_the_page_of_an_idle_room_is_read_only_at_once_and_one_that_is_edited_stays_open(
    group: Group,
) -> None:
    used, idle = Writer(), Writer()
    await group.pass_days(181)
    assert await group.write("general", used) == "status 1"
    assert await group.archive() == 1
    await group.told("readonly", "room-archived")
    assert await group.state("staff") == "archived"
    assert await group.write("staff", idle) == "status 0"
    assert await group.state("general") == "open"
    assert await group.write("general", used) == "status 1"

    news = await group.moderator.call("GET", "/me/notifications")
    assert [each["ref"] for each in news["notifications"] if each["kind"] == "room-archived"] == [
        f"room/{group.rooms['staff']}"
    ]
    [noted] = [
        each
        for each in await group.moderator.call("GET", f"/spaces/{group.space}/audit")
        if each["action"] == "room-state"
    ]
    assert (noted["actor"], noted["object"]) == (None, f"room/{group.rooms['staff']}")

    group.desk.said.clear()
    await group.moderator.call("PUT", f"/rooms/{group.rooms['staff']}/state", {"state": "open"})
    await group.told("read-write", "")
    assert await group.write("staff", idle) == "status 1"
    assert await group.archive() == 0


async def test_a_post_keeps_its_room_open(group: Group) -> None:
    thread = await group.moderator.call(
        "POST", f"/rooms/{group.rooms['staff']}/threads", {"title": "Owls", "key": key()}
    )
    await group.pass_days(IDLE_LIFE / 86_400 + 1)
    said = {"key": key(), "body": "I saw one.", "language": "en"}
    await group.moderator.call("POST", f"/threads/{thread['id']}/posts", said)
    assert await group.archive() == 1
    assert (await group.state("staff"), await group.state("general")) == ("open", "archived")
    await group.told("readonly", "room-archived")
    assert await group.write("general", Writer()) == "status 0"
