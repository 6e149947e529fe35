"""Notifications: who is told, when, and of what; and what is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from village import Village

from rooms.accounts.notifications import DAY, KEPT, KEPT_READ, MOST_LISTED, NotificationList, Notifications
from rooms.storage.schema import notifications


def at(when: str, zone: str = "Europe/Madrid") -> float:
    return datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone)).timestamp()


async def tell(
    village: Village,
    *names: str,
    kind: str = "mention",
    ref: str = "post/p1",
    details: Mapping[str, str] = {},
    by: str | None = None,
) -> None:
    async with village.services.records.writing() as tx:
        await village.services.notifications.tell(
            tx,
            [village.person(name) for name in names],
            kind,
            village.space,
            ref,
            details,
            by=village.person(by) if by else None,
        )


async def refs(village: Village, name: str) -> list[str]:
    return [
        each.ref for each in (await village.services.notifications.of(village.person(name))).notifications
    ]


def told(village: Village) -> list[str]:
    names = {person: name for name, person in village.facts.people.items()}
    return [names[change.person] for change in village.heard("notification") if change.person]  # type: ignore[index]


async def test_each_is_told_once_and_only_their_own(village: Village) -> None:
    village.clock.now = at("2026-11-18 10:00")
    await tell(village, "student", "teacher", "student", details={"thread": "t1"})
    for name in ("student", "teacher"):
        listed = await village.services.notifications.of(village.person(name))
        assert listed.unread == 1
        [only] = listed.notifications
        assert (only.kind, only.ref, only.details) == ("mention", "post/p1", {"thread": "t1"})
        assert (only.space_id, only.at, only.read) == (village.space, village.clock.now, False)
    assert await refs(village, "mate") == []
    assert sorted(told(village)) == ["student", "teacher"]
    for change in village.heard("notification"):
        assert (change.notice, change.told, change.content) == (("notifications",), "person", True)
        assert change.space is change.document is None


async def test_the_same_again_adds_nothing_while_it_is_unread(village: Village) -> None:
    await tell(village, "teacher")
    await tell(village, "teacher")
    await tell(village, "teacher", ref="post/p2")
    assert len(await refs(village, "teacher")) == 2
    await village.services.notifications.read(village.person("teacher"), village.clock.now)
    await tell(village, "teacher")
    assert len(await refs(village, "teacher")) == 3


@pytest.mark.parametrize(
    ("happened", "delivered"),
    [
        ("2026-11-18 07:00", "2026-11-18 07:00"),
        ("2026-11-18 18:59", "2026-11-18 18:59"),
        ("2026-11-18 19:00", "2026-11-19 07:00"),
        ("2026-11-18 23:30", "2026-11-19 07:00"),
        ("2026-11-19 03:00", "2026-11-19 07:00"),
        ("2026-11-20 20:00", "2026-11-23 07:00"),
        ("2026-11-21 12:00", "2026-11-23 07:00"),
        ("2027-03-26 20:00", "2027-03-29 07:00"),
        ("2026-10-23 20:00", "2026-10-26 07:00"),
    ],
)
async def test_pupils_hear_of_nothing_at_night_or_at_the_weekend(
    village: Village, happened: str, delivered: str
) -> None:
    """By the clock of their school, also over the nights when the clocks change."""
    village.clock.now = at(happened)
    await tell(village, "student", "teacher")
    assert await refs(village, "teacher") == ["post/p1"]
    due = at(delivered)
    if happened != delivered:
        assert told(village) == ["teacher"]
        for now in (village.clock.now, due - 1):
            village.clock.now = now
            listed = await village.services.notifications.of(village.person("student"))
            assert (listed.unread, listed.notifications) == (0, [])
    village.clock.now = due
    [only] = (await village.services.notifications.of(village.person("student"))).notifications
    assert only.at == due


async def test_each_pupil_by_the_clock_of_their_own_school(village: Village) -> None:
    village.clock.now = at("2026-11-18 07:30")
    await tell(village, "student", "pal")
    assert await refs(village, "student") == ["post/p1"]
    assert await refs(village, "pal") == []
    village.clock.now = at("2026-11-18 07:00", "Europe/Lisbon")
    assert await refs(village, "pal") == ["post/p1"]


async def test_what_is_not_due_is_not_read(village: Village) -> None:
    village.clock.now = at("2026-11-18 20:00")
    await tell(village, "student")
    await village.services.notifications.read(village.person("student"), village.clock.now + DAY)
    village.clock.now += DAY / 2
    assert (await village.services.notifications.of(village.person("student"))).unread == 1


async def test_reading_up_to_a_moment(village: Village) -> None:
    mine, teacher = village.services.notifications, village.person("teacher")
    first = village.clock.now
    await tell(village, "teacher", "admin", ref="post/p1")
    village.clock.now += 10
    await tell(village, "teacher", ref="post/p2")
    village.changes.clear()
    await mine.read(teacher, first)
    assert told(village) == ["teacher"]
    listed = await mine.of(teacher)
    assert listed.unread == 1
    assert [(each.ref, each.read) for each in listed.notifications] == [("post/p2", False), ("post/p1", True)]
    assert (await mine.of(village.person("admin"))).unread == 1
    village.changes.clear()
    await mine.read(teacher, first)
    assert told(village) == []


async def test_only_what_was_shown_is_read(village: Village) -> None:
    mine, teacher, now = village.services.notifications, village.person("teacher"), village.clock.now
    await tell(village, "teacher", "admin", ref="post/p1")
    await tell(village, "teacher", ref="post/p2")
    [newest] = (await mine.of(teacher, 1)).notifications
    listed = (await mine.of(teacher)).notifications
    others = [each.id for each in (await mine.of(village.person("admin"))).notifications]
    await mine.read(teacher, now, [newest.id, *others, "made-up"])
    assert [each.id for each in (await mine.of(teacher)).notifications if each.read] == [newest.id]
    assert (await mine.of(village.person("admin"))).unread == 1
    await mine.read(teacher, now, [])
    assert (await mine.of(teacher)).unread == 1
    await mine.read(teacher, now - 1, [each.id for each in listed])
    assert (await mine.of(teacher)).unread == 1
    assert await mine.of(teacher, 0) == NotificationList(1, [])


async def test_the_list_is_bounded_and_the_count_is_not(village: Village) -> None:
    for number in range(MOST_LISTED + 5):
        village.clock.now += 1
        await tell(village, "teacher", ref=f"post/{number}")
    listed = await village.services.notifications.of(village.person("teacher"))
    assert listed.unread == MOST_LISTED + 5
    assert len(listed.notifications) == MOST_LISTED
    assert listed.notifications[0].ref == f"post/{MOST_LISTED + 4}"


async def test_who_is_blocked_turns_to_nobody_but_is_moderated_all_the_same(village: Village) -> None:
    await village.services.blocking.block(village.person("teacher"), village.person("pal"))
    await tell(village, "teacher", "admin", by="pal")
    await tell(village, "teacher", kind="reply", by="pal")
    assert await refs(village, "teacher") == []
    assert await refs(village, "admin") == ["post/p1"]
    await tell(village, "teacher", kind="held", by="pal")
    assert await refs(village, "teacher") == ["post/p1"]


async def test_nothing_of_a_space_that_somebody_has_left(village: Village) -> None:
    await tell(village, "pal", "partner", "outsider")
    await village.services.members.remove(village.person("founder"), village.member("partner"))
    assert await refs(village, "partner") == []
    assert await refs(village, "outsider") == ["post/p1"]


@pytest.mark.parametrize(
    ("kind", "ref", "details"),
    [
        ("news", "post/p1", {}),
        ("mention", "Hello there", {}),
        ("mention", "post/p1", {"body": "the words of a post"}),
        ("mention", "post/p1", {"id": ""}),
        ("mention", "post/p1", {"id": "x" * 81}),
    ],
)
async def test_there_is_no_place_for_the_words_of_a_post(
    village: Village, kind: str, ref: str, details: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="ids only"):
        await tell(village, "teacher", kind=kind, ref=ref, details=details)
    assert await refs(village, "teacher") == []


async def test_it_is_told_in_the_transaction_that_causes_it(village: Village) -> None:
    with pytest.raises(RuntimeError):
        async with village.services.records.writing() as tx:
            await village.services.notifications.tell(
                tx, [village.person("teacher")], "held", village.space, "post/p1"
            )
            raise RuntimeError
    assert await refs(village, "teacher") == []
    assert told(village) == []


async def test_what_is_old_is_forgotten(village: Village) -> None:
    mine: Notifications = village.services.notifications
    began = village.clock.now
    await tell(village, "teacher", "admin")
    await mine.read(village.person("teacher"), began)
    for days, left in ((0.0, 2), (KEPT_READ, 2), (KEPT_READ + 1, 1), (KEPT, 1), (KEPT + 1, 0)):
        village.clock.now = began + days
        await mine.forget_old()
        async with village.services.records.reading() as tx:
            assert await tx.value(select(func.count()).select_from(notifications)) == left, days
