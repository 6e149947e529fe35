"""Invitations of adults: who makes them, what the link opens, and that it works once."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, update
from village import Village

from rooms.faults import Conflict, NotAllowed, NotFound, TooManyTries
from rooms.spaces.invitations import DAY, NewInvitation
from rooms.storage.schema import audit, invitations, people
from rooms.values import InvitationState, PersonState, Role

ADDRESS = "192.0.2.7"


async def invite(village: Village, who: str = "founder", role: Role = Role.TEACHER) -> NewInvitation:
    return await village.services.invitations.invite(
        village.person(who), village.space, role, email="bea@school.example"
    )


async def accept(village: Village, made: NewInvitation, who: str = "outsider") -> None:
    await village.services.invitations.accept(village.person(who), made.token, address=ADDRESS)


async def refused(village: Village, made: NewInvitation, who: str = "outsider") -> str:
    with pytest.raises(Conflict) as conflict:
        await accept(village, made, who)
    return conflict.value.code


async def test_an_adult_comes_in_by_the_link_once(village: Village) -> None:
    made = await invite(village)
    told = await village.services.invitations.read(made.token, address=ADDRESS)
    assert (told.space_title, told.role, told.inviter) == ("Two rivers", Role.TEACHER, "Founder")
    assert told.school == "School of Zaragoza"
    await accept(village, made)
    members = await village.services.members.of_space(village.person("outsider"), village.space)
    [joined] = [member for member in members if member.person_id == village.person("outsider")]
    assert (joined.role, joined.school_id) == (Role.TEACHER, village.facts.schools["far"])
    assert village.heard("joined")
    assert await refused(village, made, "removed") == "invitation-over"
    with pytest.raises(Conflict):
        await village.services.invitations.read(made.token, address=ADDRESS)


async def test_of_two_who_accept_at_once_one_comes_in(village: Village) -> None:
    made = await invite(village)
    results = await asyncio.gather(
        accept(village, made), accept(village, made, "removed"), return_exceptions=True
    )
    assert sorted(type(result) for result in results if result) == [Conflict]


async def test_records_keep_no_token_and_only_the_maker_reads_for_whom_it_is(village: Village) -> None:
    made = await invite(village)
    async with village.services.records.reading() as tx:
        [row] = await tx.all(select(invitations))
        notes = await tx.all(select(audit).where(audit.c.space_id == village.space))
    assert made.token not in str(dict(row))
    assert "invited" in [note["action"] for note in notes]
    assert "bea@" not in str([dict(note) for note in notes])
    service = village.services.invitations
    for who, email in (("founder", "bea@school.example"), ("admin", None)):
        [seen] = await service.of_space(village.person(who), village.space)
        assert seen.email == email
    assert await service.of_space(village.person("teacher"), village.space) == []


async def test_what_a_teacher_asks_for_works_once_an_admin_confirms_it(village: Village) -> None:
    service = village.services.invitations
    made = await invite(village, "teacher", Role.ADMIN)
    assert made.invitation.state is InvitationState.PROPOSED
    assert await refused(village, made) == "not-yet-confirmed"
    with pytest.raises(NotAllowed):
        await service.confirm(village.person("teacher"), village.space, made.invitation.id)
    confirmed = await service.confirm(village.person("admin"), village.space, made.invitation.id)
    assert confirmed.state is InvitationState.OPEN
    with pytest.raises(Conflict):
        await service.confirm(village.person("admin"), village.space, made.invitation.id)
    await accept(village, made)


async def test_a_link_holds_only_while_the_admin_who_stands_for_it_is_one(village: Village) -> None:
    members, founder = village.services.members, village.person("founder")
    demoted, taken_out = await invite(village, "admin"), await invite(village, "admin", Role.ADMIN)
    await members.change_role(founder, village.member("admin"), Role.TEACHER)
    assert await refused(village, demoted) == "invitation-over"
    await members.remove(founder, village.member("admin"))
    assert await refused(village, taken_out, "admin") == "invitation-over"


async def test_withdrawn_declined_and_expired_links_work_no_more(village: Village) -> None:
    service = village.services.invitations
    withdrawn, declined = await invite(village), await invite(village)
    expired = await service.invite(village.person("founder"), village.space, Role.GUEST, lasts=DAY)
    await service.withdraw(village.person("admin"), village.space, withdrawn.invitation.id)
    await service.decline(village.person("outsider"), declined.token, address=ADDRESS)
    village.clock.now += DAY
    for made in (withdrawn, declined, expired):
        assert await refused(village, made) == "invitation-over"
    seen = await service.of_space(village.person("founder"), village.space)
    states = {each.id: each.state for each in seen}
    assert [states[made.invitation.id] for made in (withdrawn, declined, expired)] == [
        InvitationState.WITHDRAWN,
        InvitationState.DECLINED,
        InvitationState.EXPIRED,
    ]
    for made in (withdrawn, declined, expired):
        with pytest.raises(Conflict):
            await service.withdraw(village.person("founder"), village.space, made.invitation.id)


async def test_only_confirmed_adults_who_are_not_in_it_come_in(village: Village) -> None:
    made = await invite(village)
    assert await refused(village, made, "stranger") == "adults-only"
    assert await refused(village, made, "partner") == "already-a-member"
    async with village.services.records.writing() as tx:
        outsider = people.c.id == village.person("outsider")
        await tx.do(update(people).where(outsider).values(state=PersonState.REGISTERED))
    assert await refused(village, made) == "not-confirmed"
    async with village.services.records.writing() as tx:
        await tx.do(update(people).where(outsider).values(state=PersonState.CONFIRMED))
    await accept(village, made)


async def test_who_cannot_invite(village: Village) -> None:
    for who in ("student", "editor", "guest"):
        with pytest.raises(NotAllowed):
            await invite(village, who)
    for who in ("outsider", "stranger", "removed"):
        with pytest.raises(NotFound):
            await invite(village, who)
    for role in (Role.STUDENT, Role.STUDENT_EDITOR):
        with pytest.raises(Conflict):
            await invite(village, "founder", role)


async def test_guesses_are_held_back_like_log_ins(village: Village) -> None:
    service = village.services.invitations
    for _ in range(5):
        with pytest.raises(NotFound):
            await service.read("made-up", address=ADDRESS)
    with pytest.raises(TooManyTries):
        await service.read("made-up", address=ADDRESS)
    made = await invite(village)
    for _ in range(8):
        await service.read(made.token, address=ADDRESS)
