"""Blocking somebody for oneself."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from village import Village

from rooms.faults import Conflict, NotFound
from rooms.storage.schema import people
from rooms.values import PersonId


async def blocked(village: Village, name: str) -> list[str | None]:
    return [each.name for each in await village.services.blocking.of(village.person(name))]


async def test_everybody_blocks_whom_they_share_a_space_with(village: Village) -> None:
    blocking = village.services.blocking
    for who, other in (("student", "mate"), ("student", "pal"), ("guest", "admin"), ("teacher", "student")):
        village.clock.now += 1
        await blocking.block(village.person(who), village.person(other))
    await blocking.block(village.person("student"), village.person("mate"))
    assert await blocked(village, "student") == ["Pal", "Mate"]
    assert await blocked(village, "mate") == []
    await blocking.unblock(village.person("student"), village.person("mate"))
    await blocking.unblock(village.person("student"), village.person("mate"))
    assert await blocked(village, "student") == ["Pal"]
    assert village.changes == []


@pytest.mark.parametrize("other", ["stranger", "outsider", "removed", "nobody"])
async def test_others_do_not_exist(village: Village, other: str) -> None:
    blocking, person = village.services.blocking, village.facts.people.get(other, PersonId("nobody"))
    for act in (blocking.block, blocking.unblock):
        with pytest.raises(NotFound):
            await act(village.person("student"), person)


async def test_whoever_has_left_blocks_nobody_there(village: Village) -> None:
    with pytest.raises(NotFound):
        await village.services.blocking.block(village.person("removed"), village.person("mate"))


async def test_teachers_of_a_pupils_own_school_stay_reachable(village: Village) -> None:
    blocking, student = village.services.blocking, village.person("student")
    for teacher in ("teacher", "admin", "founder"):
        with pytest.raises(Conflict) as refused:
            await blocking.block(student, village.person(teacher))
        assert refused.value.code == "own-teacher"
    await blocking.block(student, village.person("partner"))
    await blocking.block(village.person("teacher"), village.person("admin"))
    assert await blocked(village, "student") == ["Partner"]


async def test_who_becomes_a_pupils_teacher_is_not_blocked_any_more(village: Village) -> None:
    await village.services.blocking.block(village.person("student"), village.person("partner"))
    async with village.services.records.writing() as tx:
        moved = people.c.id == village.person("partner")
        await tx.do(update(people).where(moved).values(school_id=village.facts.schools["ebro"]))
    assert await blocked(village, "student") == []


async def test_nobody_blocks_themselves(village: Village) -> None:
    with pytest.raises(Conflict) as refused:
        await village.services.blocking.block(village.person("mate"), village.person("mate"))
    assert refused.value.code == "yourself"


async def test_who_is_gone_has_no_name_but_can_be_unblocked(village: Village) -> None:
    """A pupil is never visible outside a shared space."""
    blocking, mate = village.services.blocking, village.person("mate")
    await blocking.block(mate, village.person("pal"))
    await village.services.members.remove(village.person("founder"), village.member("pal"))
    [gone] = await blocking.of(mate)
    assert (gone.person_id, gone.name) == (village.person("pal"), None)
    await blocking.unblock(mate, village.person("pal"))
    assert await blocking.of(mate) == []


async def test_there_is_a_most(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rooms.accounts.blocking.MOST_BLOCKS", 1)
    await village.services.blocking.block(village.person("mate"), village.person("pal"))
    with pytest.raises(Conflict) as refused:
        await village.services.blocking.block(village.person("mate"), village.person("student"))
    assert refused.value.code == "too-many-blocks"
