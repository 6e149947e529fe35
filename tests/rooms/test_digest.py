"""Who is to be mailed to, when, and of what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from village import Village

from rooms.accounts.digest import TURN_SECONDS, DigestMail, Digests, MailSettings, TurnLost
from rooms.faults import NotAllowed
from rooms.storage.schema import notifications, people
from rooms.values import Digest, PersonState

MINUTE = 60.0
DAILY = MailSettings(Digest.DAILY, 7, None)
WEEKLY = MailSettings(Digest.WEEKLY, 7, None)


def at(when: str, zone: str = "Europe/Madrid") -> float:
    return datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone)).timestamp()


async def tell(village: Village, *names: str, kind: str = "held", ref: str = "post/p1") -> None:
    async with village.services.records.writing() as tx:
        whom = [village.person(name) for name in names]
        await village.services.notifications.tell(tx, whom, kind, village.space, ref)


async def due(village: Village) -> list[str]:
    names = {person: name for name, person in village.facts.people.items()}
    return sorted(names[person] for person in await village.services.digests.due())


async def choose(village: Village, when: str, chosen: MailSettings, *names: str) -> None:
    village.clock.now = at(when)
    for name in names or ("teacher",):
        await village.services.digests.choose(village.person(name), chosen)


async def prepare(village: Village, name: str = "teacher", node: str = "one") -> DigestMail:
    made = await village.services.digests.prepare(node, village.person(name))
    assert made is not None
    return made


async def test_off_until_somebody_asks_and_never_for_pupils(village: Village) -> None:
    digests: Digests = village.services.digests
    teacher, student = village.person("teacher"), village.person("student")
    assert await digests.of(teacher) == MailSettings(Digest.OFF, 7, None)
    assert await digests.of(student) is None
    with pytest.raises(NotAllowed):
        await digests.choose(student, DAILY)
    chosen = MailSettings(Digest.WEEKLY, 16, ("20:00", "06:30"))
    await digests.choose(teacher, chosen)
    assert await digests.of(teacher) == chosen
    await digests.choose(teacher, DAILY)
    assert await digests.of(teacher) == DAILY


@pytest.mark.parametrize(
    "wrong",
    [
        MailSettings(Digest.DAILY, 24, None),
        MailSettings(Digest.DAILY, -1, None),
        MailSettings(Digest.DAILY, 7, ("25:00", "06:00")),
        MailSettings(Digest.DAILY, 7, ("20:00", "6:00")),
        MailSettings(Digest.DAILY, 7, ("20:00", "20:00")),
    ],
)
async def test_times_that_are_none_are_not_taken(village: Village, wrong: MailSettings) -> None:
    with pytest.raises(ValueError, match="hours"):
        await village.services.digests.choose(village.person("teacher"), wrong)


# 2026-11-16 is a Monday; the teacher's school is in Madrid, the partner's in Porto, an hour behind.
@pytest.mark.parametrize(
    ("chosen", "since", "moments"),
    [
        (
            DAILY,
            "2026-11-17 12:00",
            {
                "2026-11-17 23:59": False,
                "2026-11-18 06:59": False,
                "2026-11-18 07:00": True,
                "2026-11-18 21:00": True,
                "2026-11-20 03:00": True,
                "2026-11-21 07:00": False,
                "2026-11-22 12:00": False,
                "2026-11-23 00:00": True,
            },
        ),
        (
            DAILY,
            "2026-11-20 08:00",
            {
                "2026-11-21 07:00": False,
                "2026-11-22 07:00": False,
                "2026-11-23 06:59": False,
                "2026-11-23 07:00": True,
            },
        ),
        (
            WEEKLY,
            "2026-11-16 08:00",
            {
                "2026-11-17 07:00": False,
                "2026-11-20 23:00": False,
                "2026-11-22 07:00": False,
                "2026-11-23 06:59": False,
                "2026-11-23 07:00": True,
                "2026-11-25 15:00": True,
                "2026-11-28 15:00": False,
            },
        ),
        (
            MailSettings(Digest.DAILY, 7, ("20:00", "08:30")),
            "2026-11-17 12:00",
            {
                "2026-11-18 07:00": False,
                "2026-11-18 08:29": False,
                "2026-11-18 08:30": True,
                "2026-11-18 19:59": True,
                "2026-11-18 20:00": False,
                "2026-11-19 00:00": False,
            },
        ),
        (
            MailSettings(Digest.DAILY, 12, ("12:00", "14:00")),
            "2026-11-17 15:00",
            {"2026-11-18 12:00": False, "2026-11-18 13:59": False, "2026-11-18 14:00": True},
        ),
        # The clocks go forward on 2027-03-28 and back on 2026-10-25, both Sundays.
        (DAILY, "2027-03-26 08:00", {"2027-03-29 06:59": False, "2027-03-29 07:00": True}),
        (DAILY, "2026-10-23 08:00", {"2026-10-26 06:59": False, "2026-10-26 07:00": True}),
    ],
)
async def test_when_a_mail_is_due(
    village: Village, chosen: MailSettings, since: str, moments: dict[str, bool]
) -> None:
    await choose(village, since, chosen)
    for moment, expected in moments.items():
        village.clock.now = at(moment)
        assert await due(village) == (["teacher"] if expected else []), moment


async def test_each_by_the_clock_of_their_own_school(village: Village) -> None:
    await choose(village, "2026-11-17 12:00", DAILY, "teacher", "partner", "guest")
    for moment, expected in (
        ("2026-11-18 06:59", []),
        ("2026-11-18 07:00", ["teacher"]),
        ("2026-11-18 08:00", ["guest", "partner", "teacher"]),  # Lisbon and UTC agree in winter
    ):
        village.clock.now = at(moment)
        assert await due(village) == expected


async def test_what_a_mail_tells_and_that_it_tells_it_once(village: Village) -> None:
    await choose(village, "2026-11-17 12:00", DAILY)
    village.clock.now = at("2026-11-17 13:00")
    await tell(village, "teacher", "admin", ref="post/p1")
    await tell(village, "teacher", ref="post/p2")
    await tell(village, "teacher", kind="mention", ref="post/p2")
    await tell(village, "teacher", kind="reply", ref="post/p3")
    teacher = village.person("teacher")
    listed = (await village.services.notifications.of(teacher)).notifications
    seen = [each.id for each in listed if each.kind == "reply"]
    await village.services.notifications.read(teacher, village.clock.now, seen)
    for kind, space, ref in (
        ("space-asked", village.facts.spaces["elsewhere"], "space/s1"),
        ("contact-asked", None, "person/x"),
    ):
        village.clock.now += MINUTE
        async with village.services.records.writing() as tx:
            await village.services.notifications.tell(tx, [teacher], kind, space, ref)
    village.clock.now = at("2026-11-18 07:00")
    mail = await prepare(village)
    assert mail.address == "teacher@school.example"
    assert mail.languages == ("es",)
    assert [(news.title, news.space, news.counts) for news in mail.news] == [
        ("Two rivers", village.space, {"held": 2, "mention": 1}),
        (None, village.facts.spaces["elsewhere"], {"space-asked": 1}),
        (None, None, {"contact-asked": 1}),
    ]
    await village.services.digests.sent(mail.person, mail.told)
    assert await due(village) == []
    village.clock.now = at("2026-11-19 07:00")
    assert await due(village) == ["teacher"]
    assert await village.services.digests.prepare("one", village.person("teacher")) is None
    assert await due(village) == []
    await tell(village, "teacher", ref="post/p9")
    village.clock.now = at("2026-11-20 07:00")
    assert (await prepare(village)).told != mail.told


async def test_what_was_prepared_and_not_sent_is_prepared_again(village: Village) -> None:
    await choose(village, "2026-11-17 12:00", DAILY)
    await tell(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    assert (await prepare(village)).told == (await prepare(village)).told


async def test_who_is_asked_anew_right_before_it_is_sent(village: Village) -> None:
    await choose(village, "2026-11-17 12:00", DAILY)
    await tell(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    assert await due(village) == ["teacher"]
    for changed in (MailSettings(Digest.OFF, 7, None), MailSettings(Digest.DAILY, 7, ("06:00", "08:00"))):
        await village.services.digests.choose(village.person("teacher"), changed)
        assert await village.services.digests.prepare("one", village.person("teacher")) is None


@pytest.mark.parametrize("state", [PersonState.SUSPENDED, PersonState.ERASED])
async def test_nobody_who_may_not_log_in(village: Village, state: PersonState) -> None:
    await choose(village, "2026-11-17 12:00", DAILY)
    async with village.services.records.writing() as tx:
        await tx.do(update(people).where(people.c.id == village.person("teacher")).values(state=state))
    village.clock.now = at("2026-11-18 07:00")
    assert await due(village) == []


async def test_nothing_of_a_space_that_somebody_has_left(village: Village) -> None:
    await choose(village, "2026-11-17 12:00", DAILY, "partner")
    await tell(village, "partner")
    await village.services.members.remove(village.person("founder"), village.member("partner"))
    village.clock.now = at("2026-11-18 08:00")
    assert await village.services.digests.prepare("one", village.person("partner")) is None


async def test_one_node_sends_and_another_when_it_is_gone(village: Village) -> None:
    digests: Digests = village.services.digests
    await choose(village, "2026-11-17 12:00", DAILY)
    await tell(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    assert await digests.take_turn("one")
    assert not await digests.take_turn("two")
    with pytest.raises(TurnLost):
        await digests.prepare("two", village.person("teacher"))
    await digests.end_turn("two")
    assert not await digests.take_turn("two")
    village.clock.now += TURN_SECONDS - 1
    assert await digests.take_turn("one")
    village.clock.now += TURN_SECONDS - 1
    assert not await digests.take_turn("two")
    village.clock.now += 1
    assert await digests.take_turn("two")
    with pytest.raises(TurnLost):
        await digests.prepare("one", village.person("teacher"))
    await digests.end_turn("two")
    assert await digests.take_turn("one")


async def test_whoever_has_a_mail_ends_the_mails_and_nothing_else(village: Village) -> None:
    digests: Digests = village.services.digests
    await choose(village, "2026-11-17 12:00", DAILY, "teacher", "partner")
    await tell(village, "teacher")
    village.clock.now = at("2026-11-18 07:00")
    mail = await prepare(village)
    for wrong in ("", "made-up", mail.leave[:-1], digests.leave_token(village.person("founder"))):
        assert not await digests.leave(wrong)
    for _ in range(2):
        assert await digests.leave(mail.leave)
        assert await digests.of(village.person("teacher")) == MailSettings(Digest.OFF, 7, None)
    assert await digests.of(village.person("partner")) == DAILY
    await digests.choose(village.person("teacher"), DAILY)
    assert await digests.leave(mail.leave)
    async with village.services.records.reading() as tx:
        rows = await tx.all(select(notifications.c.mailed_at))
    assert _times(row["mailed_at"] for row in rows) == []


def _times(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
