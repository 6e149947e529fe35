"""Rooms in which nobody writes are archived after 180 days, and an admin opens one again."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from log_engines import entry
from sqlalchemy import select
from typists import Typist
from village import NOON, Village

from crdt.errors import LogUnavailable
from crdt.log import Log
from crdt.log.postgres import PostgresLog
from crdt.log.sqlite import SqliteLog
from rooms.services import Services
from rooms.spaces.idle import IDLE_LIFE, IdleRooms
from rooms.storage.schema import rooms
from rooms.values import (
    AgeBand,
    PageId,
    RoomId,
    RoomKind,
    RoomStatus,
    SpaceId,
    SpaceKind,
    SpaceStatus,
    ThreadId,
)

DAY = 86_400.0
keys = (f"idle-{number:08}" for number in itertools.count())


def idle_rooms(services: Services, log: Log) -> IdleRooms:
    return IdleRooms(services.records, services.audit, services.notifications, services.clock, log)


class Place:
    """A group of Partner's with its two rooms, and a free room in the project of the village."""

    def __init__(self, village: Village, log: Log) -> None:
        self.village = village
        self.services = village.services
        self.log = log
        self.idle = idle_rooms(village.services, log)
        self.group = SpaceId("")
        self.rooms: dict[str, RoomId] = {}

    async def furnish(self) -> None:
        partner = self.village.person("partner")
        self.group = await self.services.spaces.create(
            title="Birds",
            summary="",
            languages=["en"],
            age_band=AgeBand.ADULTS,
            founders=[partner],
            kind=SpaceKind.GROUP,
        )
        for room in (await self.services.spaces.get(partner, self.group)).rooms:
            self.rooms[room.kind] = RoomId(room.id)
        free = await self.services.spaces.make_room(
            self.village.person("founder"), self.village.space, title="Coffee", kind=RoomKind.FREE
        )
        self.rooms["free"] = RoomId(free.id)

    def later(self, days: float) -> None:
        self.village.clock.now += days * DAY

    async def page(self, room: str) -> PageId:
        return PageId(
            (await self.services.pages.create(self.writer(room), self.rooms[room], title="Owls")).id
        )

    async def edit(self, page: PageId, words: str = "I saw one.") -> None:
        at = self.village.clock()
        await self.log.append(entry(f"page/{page}", Typist(next(clients)).type(words), at=at))

    async def thread(self, room: str) -> ThreadId:
        made = await self.services.discussions.start(
            self.writer(room), self.rooms[room], title="Owls", key=next(keys)
        )
        return ThreadId(made.id)

    def writer(self, room: str) -> Any:
        return self.village.person("founder" if room == "free" else "partner")

    async def archived(self) -> set[str]:
        """Of every room there is, those that are archived."""
        names = {room: name for name, room in self.rooms.items()}
        async with self.services.records.reading() as tx:
            rows = await tx.all(select(rooms.c.id).where(rooms.c.state == RoomStatus.ARCHIVED))
        return {names[row["id"]] for row in rows}

    async def used_at(self, room: str) -> float:
        async with self.services.records.reading() as tx:
            return float(await tx.value(select(rooms.c.used_at).where(rooms.c.id == self.rooms[room])))


clients = itertools.count(7_000)


@pytest.fixture
async def log(request: pytest.FixtureRequest, village: Village, tmp_path: Path) -> AsyncIterator[Log]:
    """Of the same engine as the records, with the village's clock."""
    if village.url.startswith("sqlite"):
        folder = tmp_path / "log"
        folder.mkdir()
        log: Log = SqliteLog(folder, clock=village.clock)
    else:
        log = PostgresLog(request.getfixturevalue("database"), clock=village.clock)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def place(village: Village, log: Log) -> Place:
    place = Place(village, log)
    await place.furnish()
    village.changes.clear()
    return place


async def test_what_nobody_uses_is_archived_after_180_days_and_nothing_else(place: Place) -> None:
    place.later(180 - 1 / DAY)
    assert await place.idle.archive() == 0
    assert await place.archived() == set()
    place.later(1 / DAY)
    assert await place.idle.archive() == 3
    assert await place.archived() == {"general", "staff", "free"}
    assert await place.idle.archive() == 0


async def test_every_node_may_do_it(place: Place) -> None:
    place.later(181)
    other = idle_rooms(place.services, place.log)
    assert (await place.idle.archive(), await other.archive()) == (3, 0)


async def test_the_log_the_sockets_and_the_moderators_hear_of_it(place: Place) -> None:
    village, services = place.village, place.services
    place.later(181)
    await place.idle.archive()
    founder, partner = village.person("founder"), village.person("partner")
    spaces = [change.space for change in village.heard("room-state")]
    assert sorted(spaces, key=str) == sorted([village.space, place.group, place.group], key=str)
    assert all(set(change.notice) == {"space", "pages", "threads"} for change in village.heard("room-state"))
    noted = (await services.audit.of_space(founder, village.space))[0]
    assert (noted.actor, noted.action, noted.object) == (None, "room-state", f"room/{place.rooms['free']}")
    assert noted.details == {"to": "archived", "idle": True}
    for person, refs in (
        (partner, {f"room/{place.rooms['general']}", f"room/{place.rooms['staff']}"}),
        (founder, {f"room/{place.rooms['free']}"}),
        (village.person("admin"), {f"room/{place.rooms['free']}"}),
        (village.person("teacher"), set()),
    ):
        told = (await services.notifications.of(person)).notifications
        assert {each.ref for each in told if each.kind == "room-archived"} == refs


async def test_an_edit_of_a_page_is_a_sign_of_life_also_once_it_is_folded_away(place: Place) -> None:
    page, _ = await place.page("general"), await place.page("staff")
    place.later(100)
    await place.edit(page)
    await place.log.compact(f"page/{page}")
    place.later(1)
    for _ in range(2):  # as every hour; the second time the log is not asked for more than how far it is
        assert await place.idle.archive() == 0
        assert await place.used_at("general") == NOON + 100 * DAY
    place.later(80)
    assert await place.idle.archive() == 2
    assert await place.archived() == {"staff", "free"}
    place.later(99 - 1 / DAY)
    assert await place.idle.archive() == 0
    place.later(1 / DAY)
    assert await place.idle.archive() == 1


async def test_each_new_edit_counts(place: Place) -> None:
    page = await place.page("free")
    for _ in range(3):
        place.later(150)
        await place.edit(page)
        place.later(2)
        await place.idle.archive()
        assert await place.used_at("free") == place.village.clock() - 2 * DAY
    assert await place.archived() == {"general", "staff"}


async def test_an_edit_that_the_log_has_forgotten_was_long_ago(place: Place) -> None:
    page = await place.page("free")
    await place.edit(page)
    await place.log.compact(f"page/{page}")
    place.later(181)
    await place.log.prune()  # type: ignore[attr-defined]  # both engines have it
    assert await place.idle.archive() == 3


async def test_a_post_is_a_sign_of_life(place: Place) -> None:
    thread = await place.thread("general")
    place.later(100)
    await place.services.discussions.post(place.writer("general"), thread, key=next(keys), body="I saw one.")
    place.later(81)
    assert await place.idle.archive() == 2
    assert await place.archived() == {"staff", "free"}
    assert await place.used_at("general") == NOON + 100 * DAY
    place.later(100)
    assert await place.idle.archive() == 1


async def test_a_new_page_is_a_sign_of_life(place: Place) -> None:
    place.later(100)
    await place.page("staff")
    place.later(81)
    await place.idle.archive()
    assert await place.archived() == {"general", "free"}


async def test_an_admin_opens_it_again_for_as_long(place: Place) -> None:
    place.later(181)
    await place.idle.archive()
    await place.services.spaces.set_room_state(
        place.writer("general"), place.rooms["general"], RoomStatus.OPEN
    )
    assert await place.used_at("general") == place.village.clock()
    assert await place.idle.archive() == 0
    place.later(179)
    assert await place.idle.archive() == 0
    place.later(1)
    assert await place.idle.archive() == 1
    assert await place.archived() == {"general", "staff", "free"}


async def test_what_rests_with_its_space_is_left_alone_and_begins_anew_with_it(place: Place) -> None:
    partner = place.writer("general")
    await place.services.spaces.set_status(partner, place.group, SpaceStatus.CLOSED)
    place.later(181)
    assert await place.idle.archive() == 1
    assert await place.archived() == {"free"}
    await place.services.spaces.set_status(partner, place.group, SpaceStatus.OPEN)
    place.later(179)
    assert await place.idle.archive() == 0
    place.later(1)
    assert await place.idle.archive() == 2


async def test_while_the_log_does_not_answer_nothing_is_archived(place: Place) -> None:
    await place.page("general")
    place.later(181)
    await place.log.close()
    with pytest.raises(LogUnavailable):
        await place.idle.archive()
    assert await place.archived() == set()


class Between:
    """A log during whose answer something happens."""

    def __init__(self, log: Log, happens: Callable[[], Awaitable[object]]) -> None:
        self.history = log.history
        self._log = log
        self._happens = happens

    async def heads(self, documents: Collection[str]) -> Any:
        await self._happens()
        return await self._log.heads(documents)


async def test_a_post_at_the_last_moment_keeps_the_room(place: Place) -> None:
    thread = await place.thread("general")
    await place.page("general")

    async def post() -> None:
        key = next(keys)
        await place.services.discussions.post(place.writer("general"), thread, key=key, body="Just in time.")

    place.later(181)
    assert await idle_rooms(place.services, Between(place.log, post)).archive() == 2  # type: ignore[arg-type]
    assert await place.archived() == {"staff", "free"}


def test_the_domain_says_180_days() -> None:
    assert IDLE_LIFE == 180 * DAY
