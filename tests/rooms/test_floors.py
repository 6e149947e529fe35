"""What the national office takes back of what it has granted a space; on both databases."""

from __future__ import annotations

import asyncio

from sqlalchemy import select, update
from test_proposals import (
    ask_floor,
    decide,
    listed,
    notes,
    officer,
    refused,
    rules,
    set_space,
    told,
    young,
)
from village import Village

from rooms.faults import Conflict
from rooms.rights.space_policy import Chat, Lowered, PageEditing
from rooms.safety.floors import GrantedFloor
from rooms.storage.schema import rooms
from rooms.values import AgeBand, Office, PersonId, Posting, ProposalState, RoomId, SpaceStatus

WIDE = Lowered(page_editing=PageEditing.OPEN, posting=Posting.FREE, chat=Chat.FREE)
CHOSEN = {"page_editing": PageEditing.OPEN, "posting": Posting.FREE, "chat": Chat.FREE}
WHY = "There were complaints."


async def wide(village: Village) -> PersonId:
    """The youngest class is 12; an officer of Spain lets the space be all open, and the founder has it so."""
    await young(village)
    spain = await officer(village, "ES")
    await decide(village, spain, (await ask_floor(village, WIDE)).id)
    await village.services.spaces.change(village.person("founder"), village.space, policy=CHOSEN)
    return spain


async def take_back(village: Village, who: str | PersonId) -> None:
    person = village.facts.people.get(who, PersonId(who))
    await village.services.floors.take_back(person, village.space, WHY)


async def room_posting(village: Village, room: str) -> str | None:
    async with village.services.records.reading() as tx:
        found: str | None = await tx.value(
            select(rooms.c.posting).where(rooms.c.id == village.facts.rooms[room])
        )
        return found


async def test_all_that_is_wider_goes_back_at_once_and_the_admins_hear_why(village: Village) -> None:
    spain = await wide(village)
    policy = await rules(village)
    assert (policy.pages_open, policy.posts_open, policy.chat) == (PageEditing.OPEN, Posting.FREE, Chat.FREE)
    assert await village.services.floors.granted(spain) == [
        GrantedFloor(village.space, "Two rivers", AgeBand.FROM_12, WIDE)
    ]
    before = len(village.heard("space"))
    await take_back(village, spain)
    policy = await rules(village)
    assert policy.lowered == Lowered()
    assert (policy.page_editing, policy.posting, policy.chatting) == (
        PageEditing.TEAMS, Posting.HOLD_FIRST, Chat.SUPERVISED,
    )  # fmt: skip
    assert await village.services.floors.granted(spain) == []
    [change] = village.heard("space")[before:]
    assert (change.space, set(change.notice)) == (village.space, {"space", "pages", "threads"})
    assert sorted(await told(village, "founder")) == sorted(await told(village, "admin"))
    assert "floor-taken-back" in await told(village, "founder")
    assert "floor-taken-back" not in await told(village, "teacher")
    assert (await notes(village))[-1] == (
        "floor-taken-back",
        None,
        {
            "page_editing": "open",
            "posting": "free",
            "chat": "free",
            "age_band": "12-15",
            "because": WHY,
            "by": Office.OFFICER,
        },
    )
    [over] = await listed(village)
    assert over.state is ProposalState.WITHDRAWN
    assert over.answer is not None
    assert (over.answer.by, over.answer.because) == (None, WHY)
    assert over.can == {"decide": False, "withdraw": False}
    wished = village.services.spaces.change(village.person("founder"), village.space, policy=CHOSEN)
    assert await refused(wished) == "below-floor"


async def test_what_was_wider_does_not_come_back_by_a_later_grant(village: Village) -> None:
    spain = await wide(village)
    await take_back(village, spain)
    await decide(village, spain, (await ask_floor(village, WIDE)).id)
    policy = await rules(village)
    assert policy.lowered == WIDE
    assert (policy.pages_open, policy.posts_open, policy.chat) == (
        PageEditing.TEAMS, Posting.HOLD_FIRST, Chat.SUPERVISED,
    )  # fmt: skip


async def test_what_is_tighter_than_the_age_band_stays_as_it_is_chosen(village: Village) -> None:
    spain = await wide(village)
    founder = village.person("founder")
    tight = {"page_editing": PageEditing.TEACHERS, "posting": Posting.HOLD, "chat": Chat.FREE}
    await village.services.spaces.change(founder, village.space, policy={**tight, "guests_read": True})
    await take_back(village, spain)
    policy = await rules(village)
    assert (policy.page_editing, policy.posting, policy.chatting) == (
        PageEditing.TEACHERS, Posting.HOLD, Chat.SUPERVISED,
    )  # fmt: skip
    assert policy.guests_read


async def test_rooms_that_were_opened_wider_go_back_too(village: Village) -> None:
    spain = await wide(village)
    change, founder = village.services.spaces.change_room, village.person("founder")
    for room, posting in (("general", Posting.FREE), ("team", Posting.HOLD)):
        await change(founder, RoomId(village.facts.rooms[room]), posting=posting)
    await take_back(village, spain)
    assert await room_posting(village, "general") == Posting.HOLD_FIRST
    assert await room_posting(village, "team") == Posting.HOLD


async def test_only_the_office_that_may_grant_takes_back_and_only_what_is_granted(village: Village) -> None:
    spain, portugal = await wide(village), await officer(village, "PT")
    platform = await officer(village, None, "Petra")
    for who, why in (
        ("founder", "role"), ("admin", "role"), ("teacher", "role"), ("student", "role"),
        ("outsider", "not-found"), (portugal, "not-found"),
    ):  # fmt: skip
        assert await refused(take_back(village, who)) == why
    assert await village.services.floors.granted(portugal) == []
    assert await refused(village.services.floors.granted(village.person("founder"))) == "role"
    assert (await rules(village)).lowered == WIDE
    assert len(await village.services.floors.granted(platform)) == 1
    await take_back(village, platform)
    assert await refused(take_back(village, spain)) == "nothing-granted"
    assert (await notes(village))[-1][2]["by"] == Office.PLATFORM


async def test_an_officer_who_is_in_the_space_does_not_take_it_back(village: Village) -> None:
    await wide(village)
    await village.services.offices.appoint(village.person("teacher"), Office.OFFICER, "ES")
    assert await village.services.floors.granted(village.person("teacher")) == []
    assert await refused(take_back(village, "teacher")) == "concerned"


async def test_what_ended_with_the_age_band_is_not_granted_any_more(village: Village) -> None:
    spain = await wide(village)
    await set_space(village, age_band=AgeBand.FROM_7)
    assert await village.services.floors.granted(spain) == []
    assert await refused(take_back(village, spain)) == "nothing-granted"


async def test_it_can_be_taken_back_when_the_proposal_is_long_forgotten(village: Village) -> None:
    spain = await wide(village)
    village.clock.now += 100 * 86_400
    await village.services.retention.forget()
    assert await listed(village) == []
    await set_space(village, status=SpaceStatus.CLOSED)
    await take_back(village, spain)
    assert (await rules(village)).posts_open is Posting.HOLD_FIRST


async def test_of_two_who_take_it_back_at_once_one_does(village: Village) -> None:
    spain, platform = await wide(village), await officer(village, None, "Petra")
    done = await asyncio.gather(
        take_back(village, spain), take_back(village, platform), return_exceptions=True
    )
    [late] = [each for each in done if each is not None]
    assert isinstance(late, Conflict)
    assert (await told(village, "admin")).count("floor-taken-back") == 1


async def test_a_room_setting_of_another_space_is_not_touched(village: Village) -> None:
    spain = await wide(village)
    elsewhere = rooms.c.space_id == village.facts.spaces["elsewhere"]
    async with village.services.records.writing() as tx:
        await tx.do(update(rooms).where(elsewhere).values(posting=Posting.FREE))
    await take_back(village, spain)
    async with village.services.records.reading() as tx:
        there = await tx.all(select(rooms.c.posting).where(elsewhere))
    assert {row["posting"] for row in there} == {Posting.FREE}
