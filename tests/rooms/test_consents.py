"""The ledger of consent: noted by pupil and purpose, ended at once, never lost, only of one's own school."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update
from village import NOON, Village

from rooms.accounts.consents import ConsentState, ConsentView
from rooms.faults import Conflict, NotFound
from rooms.storage.schema import consents, people, schools
from rooms.values import ConsentPurpose, PersonId, PersonState, SchoolId

TODAY = date(2026, 11, 18)
"""At NOON, everywhere in Europe."""
GIVEN = date(2026, 9, 1)
ENDS = date(2027, 8, 31)
DAY = 86_400.0

IMAGE, NAME = ConsentPurpose.IMAGE, ConsentPurpose.PUBLIC_NAME


async def record(
    village: Village,
    *names: str,
    purpose: ConsentPurpose = IMAGE,
    given_on: date = GIVEN,
    valid_until: date | None = ENDS,
    by: str = "teacher",
) -> None:
    await village.services.consents.record(
        village.person(by),
        village.facts.schools["ebro"],
        [village.person(name) for name in names],
        purpose,
        given_on,
        valid_until,
    )


async def withdraw(village: Village, name: str, purpose: ConsentPurpose = IMAGE, by: str = "teacher") -> None:
    await village.services.consents.withdraw(village.person(by), village.person(name), purpose)


async def seen(village: Village, name: str, purpose: ConsentPurpose = IMAGE) -> ConsentView:
    found = await village.services.consents.of_school(village.person("admin"), village.facts.schools["ebro"])
    [pupil] = [each for each in found.pupils if each.person_id == village.person(name)]
    [view] = [each for each in pupil.consents if each.purpose is purpose]
    return view


async def holds(village: Village, name: str, purpose: ConsentPurpose = IMAGE, on: date = TODAY) -> bool:
    async with village.services.records.reading() as tx:
        return await village.services.consents.holds(tx, village.person(name), purpose, on)


async def entries(village: Village) -> int:
    async with village.services.records.reading() as tx:
        return int(await tx.value(select(func.count()).select_from(consents)))


async def test_at_first_nobody_has_agreed_to_anything(village: Village) -> None:
    found = await village.services.consents.of_school(
        village.person("teacher"), village.facts.schools["ebro"]
    )
    assert found.today == TODAY
    assert [pupil.name for pupil in found.pupils] == ["Editor", "Mate", "Student"]
    for pupil in found.pupils:
        assert [each.purpose for each in pupil.consents] == list(ConsentPurpose)
        assert {each.state for each in pupil.consents} == {ConsentState.NONE}
    assert not await holds(village, "student")


async def test_it_is_noted_for_several_at_once_and_for_one_purpose(village: Village) -> None:
    await record(village, "student", "mate", "student")
    assert await seen(village, "student") == ConsentView(IMAGE, ConsentState.GIVEN, GIVEN, ENDS, "Teacher")
    assert (await seen(village, "student", NAME)).state is ConsentState.NONE
    assert (await seen(village, "editor")).state is ConsentState.NONE
    assert await holds(village, "mate")
    assert not await holds(village, "mate", NAME)
    assert not await holds(village, "editor")
    assert await entries(village) == 2


async def test_it_holds_from_the_first_day_to_the_last(village: Village) -> None:
    await record(village, "mate")
    for on, expected in (
        (GIVEN - timedelta(1), False),
        (GIVEN, True),
        (ENDS, True),
        (ENDS + timedelta(1), False),
    ):
        assert await holds(village, "mate", on=on) is expected
    await record(village, "student", valid_until=None)
    assert await holds(village, "student", on=date(2199, 12, 31))


async def test_what_has_ended_is_marked_and_can_be_given_again(village: Village) -> None:
    await record(village, "mate", valid_until=TODAY)
    assert (await seen(village, "mate")).state is ConsentState.GIVEN
    village.clock.now = NOON + DAY
    assert (await seen(village, "mate")).state is ConsentState.EXPIRED
    await record(village, "mate", given_on=TODAY + timedelta(1), by="founder")
    assert await seen(village, "mate") == ConsentView(
        IMAGE, ConsentState.GIVEN, TODAY + timedelta(1), ENDS, "Founder"
    )
    history = await village.services.consents.of_pupil(village.person("teacher"), village.person("mate"))
    assert [each.state for each in history] == [ConsentState.GIVEN, ConsentState.REPLACED]


async def test_it_is_withdrawn_at_once_and_stays_in_the_ledger(village: Village) -> None:
    await record(village, "mate", "student")
    await withdraw(village, "mate", by="admin")
    assert not await holds(village, "mate")
    assert not await holds(village, "mate", on=GIVEN)
    assert await holds(village, "student")
    assert (await seen(village, "mate")).state is ConsentState.WITHDRAWN
    [entry] = await village.services.consents.of_pupil(village.person("teacher"), village.person("mate"))
    assert (entry.recorded_by, entry.withdrawn_by) == ("Teacher", "Admin")
    assert (entry.recorded_at, entry.withdrawn_at) == (NOON, NOON)
    await withdraw(village, "mate")
    [again] = await village.services.consents.of_pupil(village.person("teacher"), village.person("mate"))
    assert again == entry
    await record(village, "mate")
    assert await holds(village, "mate")
    history = await village.services.consents.of_pupil(village.person("teacher"), village.person("mate"))
    assert [each.state for each in history] == [ConsentState.GIVEN, ConsentState.WITHDRAWN]


async def test_the_newest_entry_counts_even_where_the_clock_stands_still(village: Village) -> None:
    """And what was withdrawn does not come back by an older entry."""
    for number in range(5):
        await record(village, "mate", given_on=GIVEN + timedelta(number))
    assert (await seen(village, "mate")).given_on == GIVEN + timedelta(4)
    await withdraw(village, "mate")
    assert not await holds(village, "mate")
    history = await village.services.consents.of_pupil(village.person("teacher"), village.person("mate"))
    assert [each.given_on for each in history] == [GIVEN + timedelta(number) for number in (4, 3, 2, 1, 0)]


async def test_the_same_again_is_no_new_entry(village: Village) -> None:
    await record(village, "mate")
    await record(village, "mate", "student", by="founder")
    assert await entries(village) == 2
    assert (await seen(village, "mate")).recorded_by == "Teacher"


async def test_two_teachers_at_once_leave_one_that_counts(village: Village) -> None:
    await asyncio.gather(
        *(record(village, "mate", "student", by=who) for who in ("teacher", "founder", "admin")),
        withdraw(village, "mate", by="founder"),
        return_exceptions=True,
    )
    assert await entries(village) in (2, 3)
    view = await seen(village, "mate")
    assert await holds(village, "mate") is (view.state is ConsentState.GIVEN)
    assert await holds(village, "student")


@pytest.mark.parametrize("who", ["partner", "guest", "outsider", "student", "mate"])
async def test_nobody_else_reads_or_writes_it(village: Village, who: str) -> None:
    await record(village, "mate")
    service, actor, mate = village.services.consents, village.person(who), village.person("mate")
    ebro = village.facts.schools["ebro"]
    for attempt in (
        service.of_school(actor, ebro),
        service.of_pupil(actor, mate),
        service.record(actor, ebro, [mate], NAME, GIVEN),
        service.withdraw(actor, mate, IMAGE),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await holds(village, "mate")
    assert await entries(village) == 1


@pytest.mark.parametrize("state", [PersonState.REGISTERED, PersonState.SUSPENDED])
async def test_a_teacher_whom_the_school_does_not_vouch_for_is_none(
    village: Village, state: PersonState
) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(update(people).where(people.c.id == village.person("teacher")).values(state=state))
    with pytest.raises(NotFound):
        await record(village, "mate")


async def test_one_foreign_pupil_spoils_the_whole_entry(village: Village) -> None:
    for other in ("pal", "stranger", "teacher"):
        with pytest.raises(NotFound):
            await record(village, "mate", other)
    service, teacher = village.services.consents, village.person("teacher")
    for school in (village.facts.schools["douro"], SchoolId("none")):
        with pytest.raises(NotFound):
            await service.record(teacher, school, [village.person("mate")], IMAGE, GIVEN)
    with pytest.raises(NotFound):
        await service.record(
            teacher, village.facts.schools["ebro"], [village.person("mate"), PersonId("x")], IMAGE, GIVEN
        )
    assert await entries(village) == 0


async def test_days_that_cannot_be(village: Village) -> None:
    with pytest.raises(Conflict) as refused:
        await record(village, "mate", given_on=TODAY + timedelta(1))
    assert refused.value.code == "not-yet-given"
    for ends in (GIVEN, GIVEN - timedelta(1)):
        with pytest.raises(Conflict) as refused:
            await record(village, "mate", valid_until=ends)
        assert refused.value.code == "ends-too-early"
    assert await entries(village) == 0


async def test_the_day_is_that_of_the_school(village: Village) -> None:
    """Shortly before midnight in Lisbon it is tomorrow in Zaragoza."""
    village.clock.now = 1_795_046_400.0 - 1_800
    assert (await _today(village, "partner", "douro")) == date(2026, 11, 18)
    assert (await _today(village, "teacher", "ebro")) == date(2026, 11, 19)
    await record(village, "mate", given_on=date(2026, 11, 19))
    with pytest.raises(Conflict):
        await village.services.consents.record(
            village.person("partner"),
            village.facts.schools["douro"],
            [village.person("pal")],
            IMAGE,
            date(2026, 11, 19),
        )
    async with village.services.records.writing() as tx:
        await tx.do(update(schools).values(time_zone="Nowhere/At all"))
    assert (await _today(village, "teacher", "ebro")) == date(2026, 11, 18)


async def _today(village: Village, who: str, school: str) -> date:
    found = await village.services.consents.of_school(village.person(who), village.facts.schools[school])
    return found.today


async def test_who_cannot_log_in_is_not_listed_but_what_was_given_can_be_withdrawn(village: Village) -> None:
    await record(village, "mate")
    await village.services.people.change_pupil(
        village.person("teacher"), village.person("mate"), disabled=True
    )
    found = await village.services.consents.of_school(
        village.person("teacher"), village.facts.schools["ebro"]
    )
    assert [pupil.name for pupil in found.pupils] == ["Editor", "Student"]
    with pytest.raises(NotFound):
        await record(village, "mate", "student")
    assert await holds(village, "mate")
    await withdraw(village, "mate")
    assert not await holds(village, "mate")
    with pytest.raises(NotFound):
        await withdraw(village, "student")


async def test_of_the_erased_nothing_holds(village: Village) -> None:
    await record(village, "mate")
    async with village.services.records.writing() as tx:
        gone = people.c.id == village.person("mate")
        await tx.do(update(people).where(gone).values(state=PersonState.ERASED))
    assert not await holds(village, "mate")
    with pytest.raises(NotFound):
        await village.services.consents.of_pupil(village.person("teacher"), village.person("mate"))
    with pytest.raises(NotFound):
        await withdraw(village, "mate")


async def test_only_so_many_at_once(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rooms.accounts.consents.MOST_AT_ONCE", 1)
    with pytest.raises(Conflict) as refused:
        await record(village, "mate", "student")
    assert refused.value.code == "too-many-pupils"
