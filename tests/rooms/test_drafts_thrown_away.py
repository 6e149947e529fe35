"""A founder throws a draft away: nothing of it is left, and nothing that was ever open goes like this."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select
from village import Facts, Village, open_village

from rooms.faults import Conflict, NotAllowed, NotFound, RecordsError
from rooms.safety.audit import broken_chains
from rooms.storage.schema import metadata
from rooms.values import (
    AgeBand,
    Office,
    PageId,
    PersonId,
    Role,
    RoomId,
    SpaceId,
    SpaceKind,
    SpaceStatus,
    ThreadKind,
    new_id,
)

ADDRESS = "192.0.2.7"


@pytest.fixture
async def village(village_records: tuple[str, Facts]) -> AsyncIterator[Village]:
    """One where the national office approves."""
    async with open_village(*village_records, approval=True) as opened:
        yield opened


async def draft(village: Village, kind: SpaceKind = SpaceKind.PROJECT) -> SpaceId:
    made = await village.services.lifecycle.make(
        village.person("founder"),
        kind=kind,
        title="Lighthouses",
        summary="",
        languages=["en"],
        age_band=AgeBand.FROM_12,
    )
    return made.id


async def with_partner(village: Village) -> SpaceId:
    """A project that waits for the office."""
    space = await draft(village)
    made = await village.services.invitations.invite_partner(village.person("founder"), space)
    await village.services.invitations.accept(village.person("partner"), made.token, address=ADDRESS)
    return space


async def throw_away(village: Village, who: str, space: SpaceId) -> None:
    await village.services.lifecycle.throw_away(village.person(who), space)


async def records(village: Village) -> dict[str, int]:
    """How much there is of everything; what was changed is remembered apart."""
    async with village.services.records.reading() as tx:
        return {
            table.name: len(await tx.all(select(table)))
            for table in metadata.sorted_tables
            if table.name != "changes"
        }


async def test_nothing_is_left_of_it(village: Village) -> None:
    services, founder = village.services, village.person("founder")
    before = await records(village)
    space = await draft(village)
    [room, *_] = (await services.spaces.get(founder, space)).rooms
    page = await services.pages.create(founder, RoomId(room.id), title="Plans")
    await services.pages.create(founder, RoomId(room.id), title="More", parent=PageId(page.id))
    await services.members.add_adult(space, village.person("teacher"), Role.TEACHER)
    await services.discussions.start(
        founder, RoomId(room.id), title="Ideas", kind=ThreadKind.THREAD, key=new_id(), body="First"
    )
    made = await services.invitations.invite_partner(founder, space)
    assert await records(village) != before
    village.changes.clear()
    await throw_away(village, "founder", space)
    assert await records(village) == before
    assert (await broken_chains(services.records))[1] == []
    assert [change.space for change in village.heard("thrown-away")] == [space]
    for who in ("founder", "teacher", "outsider"):
        with pytest.raises(NotFound):
            await services.spaces.get(village.person(who), space)
        with pytest.raises(NotFound):
            await throw_away(village, who, space)
    with pytest.raises(RecordsError):
        await services.invitations.accept(village.person("partner"), made.token, address=ADDRESS)
    assert await services.lifecycle.waiting(await platform_admin(village)) == []


async def platform_admin(village: Village) -> PersonId:
    services = village.services
    person = await services.people.add_adult(
        name="Olga", email="olga@office.example", password="estuary-lantern-43", school=None
    )
    await services.offices.appoint(person, Office.PLATFORM, None)
    return person


async def test_only_a_founder_does_it(village: Village) -> None:
    space = await draft(village)
    await village.services.members.add_adult(space, village.person("admin"), Role.ADMIN)
    await village.services.members.add_adult(space, village.person("teacher"), Role.TEACHER)
    for who in ("admin", "teacher"):
        with pytest.raises(NotAllowed):
            await throw_away(village, who, space)
    for who in ("partner", "outsider", "student", "guest"):
        with pytest.raises(NotFound):
            await throw_away(village, who, space)
    admin = await platform_admin(village)
    with pytest.raises(NotFound):
        await village.services.lifecycle.throw_away(admin, space)


async def test_what_waits_or_is_open_is_not_thrown_away_and_what_was_refused_is(village: Village) -> None:
    space, group = await with_partner(village), await draft(village, SpaceKind.GROUP)
    for waiting in (space, group, village.space):
        with pytest.raises(Conflict) as refused:
            await throw_away(village, "founder", waiting)
        assert refused.value.code == "not-a-draft"
    office = await platform_admin(village)
    await village.services.lifecycle.decide(office, space, approve=False, because="Not yet.")
    await throw_away(village, "partner", space)
    await village.services.lifecycle.take_back(village.person("founder"), group)
    await throw_away(village, "founder", group)
    mine = await village.services.spaces.of(village.person("founder"))
    assert [each.title for each in mine] == ["Two rivers"]


async def test_a_space_that_was_open_stays_however_it_ended(village: Village) -> None:
    space = await with_partner(village)
    await village.services.lifecycle.decide(await platform_admin(village), space, approve=True)
    with pytest.raises(Conflict):
        await throw_away(village, "founder", space)
    await village.services.spaces.set_status(village.person("founder"), space, SpaceStatus.CLOSED)
    with pytest.raises(Conflict):
        await throw_away(village, "founder", space)
