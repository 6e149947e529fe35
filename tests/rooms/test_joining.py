"""Groups: who sees them, who comes in and how, who answers, and what nobody learns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from sqlalchemy import select, update
from village import PASSWORD, Village, email_of, open_services

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.spaces.joining import ASK_AGAIN, MOST_WAITING, Mine
from rooms.storage.schema import audit, join_requests, memberships, people, spaces
from rooms.values import (
    AgeBand,
    JoinRequestState,
    JoinRule,
    MembershipId,
    MembershipState,
    Office,
    PersonId,
    PersonState,
    Role,
    SpaceId,
    SpaceKind,
)


async def group(village: Village, rule: JoinRule = JoinRule.REQUEST, who: str = "founder") -> SpaceId:
    made = await village.services.lifecycle.make(
        village.person(who),
        kind=SpaceKind.GROUP,
        title="Teachers by the sea",
        summary="",
        languages=["en"],
        age_band=AgeBand.ADULTS,
    )
    await village.services.joining.set_rule(village.person(who), made.id, rule)
    return made.id


async def mine(village: Village, space: SpaceId, who: str) -> Mine:
    [found] = [
        each for each in await village.services.joining.groups(village.person(who)) if each.id == space
    ]
    return found.mine


async def join(village: Village, space: SpaceId, who: str = "outsider", words: str = "") -> Mine:
    return await village.services.joining.join(village.person(who), space, words)


async def only_request(village: Village, space: SpaceId) -> str:
    [request] = await village.services.joining.requests(village.person("founder"), space)
    return request.id


async def member_of(village: Village, space: SpaceId, who: str) -> MembershipId:
    async with village.services.records.reading() as tx:
        here = memberships.c.space_id == space, memberships.c.person_id == village.person(who)
        return MembershipId(await tx.value(select(memberships.c.id).where(*here)))


async def told(village: Village, who: str, space: SpaceId) -> list[str]:
    found = await village.services.notifications.of(village.person(who))
    return [each.kind for each in found.notifications if each.space_id == space]


async def notes(village: Village, space: SpaceId) -> list[tuple[str, bool]]:
    """What the log tells, and whether it says who."""
    async with village.services.records.reading() as tx:
        query = select(audit).where(audit.c.space_id == space).order_by(audit.c.number)
        return [(row["action"], row["actor_id"] is not None) for row in await tx.all(query)]


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises(Conflict) as conflict:
        await work
    return conflict.value.code


async def test_a_teacher_asks_and_an_admin_lets_them_in(village: Village) -> None:
    space = await group(village)
    assert await mine(village, space, "outsider") is Mine.NOTHING
    assert await join(village, space, words="I teach\nby the sea.") is Mine.WAITING
    assert await mine(village, space, "outsider") is Mine.WAITING
    assert await told(village, "founder", space) == ["join-asked"]
    [request] = await village.services.joining.requests(village.person("founder"), space)
    assert (request.name, request.school, request.town, request.country, request.words) == (
        "Outsider", "School of Faro", "Faro", "PT", "I teach\nby the sea.",
    )  # fmt: skip
    await village.services.joining.answer(village.person("founder"), request.id, accept=True)
    assert await mine(village, space, "outsider") is Mine.MEMBER
    view = await village.services.spaces.get(village.person("outsider"), space)
    assert (view.my_role, view.can["requests"], view.can["leave"]) == (Role.TEACHER, False, True)
    assert "join-accepted" in await told(village, "outsider", space)
    assert await village.services.joining.requests(village.person("founder"), space) == []
    assert (await notes(village, space))[-3:] == [
        ("join-asked", False), ("joined", True), ("join-accepted", True),
    ]  # fmt: skip
    assert village.heard("joined")
    assert await join(village, space) is Mine.MEMBER


async def test_a_refusal_is_told_and_holds_for_a_while(village: Village) -> None:
    space = await group(village)
    await join(village, space)
    await village.services.joining.answer(
        village.person("founder"), await only_request(village, space), accept=False, because="For coasts."
    )
    assert await mine(village, space, "outsider") is Mine.REFUSED
    assert await told(village, "outsider", space) == ["join-refused"]
    assert await refused(join(village, space)) == "asked-lately"
    village.clock.now += ASK_AGAIN[JoinRequestState.REFUSED]
    assert await mine(village, space, "outsider") is Mine.NOTHING
    assert await join(village, space) is Mine.WAITING


async def test_asking_twice_is_asking_once(village: Village) -> None:
    space = await group(village)
    for words in ("First", "Second"):
        await join(village, space, words=words)
    [request] = await village.services.joining.requests(village.person("founder"), space)
    assert request.words == "Second"
    assert await told(village, "founder", space) == ["join-asked"]
    assert [action for action, _ in await notes(village, space)].count("join-asked") == 1
    await village.services.joining.withdraw(village.person("outsider"), space)
    assert await mine(village, space, "outsider") is Mine.NOTHING
    assert await refused(village.services.joining.withdraw(village.person("outsider"), space)) == "no-request"
    assert await refused(join(village, space)) == "asked-lately"
    assert await refused(village.services.joining.answer(
        village.person("founder"), request.id, accept=True
    )) == "answered"  # fmt: skip
    village.clock.now += ASK_AGAIN[JoinRequestState.WITHDRAWN]
    assert await join(village, space) is Mine.WAITING
    async with village.services.records.reading() as tx:
        assert len(await tx.all(select(join_requests))) == 1


async def test_requests_of_one_person_are_limited(village: Village) -> None:
    asked = [await group(village, who="partner" if n else "founder") for n in range(MOST_WAITING + 1)]
    for space in asked[:-1]:
        await join(village, space)
    assert await refused(join(village, asked[-1])) == "too-many-requests"
    await village.services.joining.withdraw(village.person("outsider"), asked[0])
    assert await join(village, asked[-1]) is Mine.WAITING


async def test_an_open_group_takes_teachers_in_at_once_and_one_by_invitation_nobody(
    village: Village,
) -> None:
    space = await group(village, JoinRule.OPEN)
    assert await join(village, space) is Mine.MEMBER
    assert (await notes(village, space))[-1] == ("joined", True)
    closed = await group(village, JoinRule.INVITATION)
    assert await refused(join(village, closed)) == "by-invitation"
    assert await mine(village, closed, "outsider") is Mine.NOTHING
    await village.services.spaces.freeze(village.person("founder"), space, frozen=True)
    assert await refused(join(village, space, "partner")) == "space-frozen"


async def test_pupils_and_whom_nobody_has_confirmed_see_no_groups(village: Village) -> None:
    space = await group(village, JoinRule.OPEN)
    async with village.services.records.writing() as tx:
        teacher = people.c.id == village.person("teacher")
        await tx.do(update(people).where(teacher).values(state=PersonState.REGISTERED))
    joining = village.services.joining
    for who in ("student", "editor", "guest", "teacher"):
        for there in (space, SpaceId("no-such-group")):
            with pytest.raises(NotAllowed):
                await joining.join(village.person(who), there)
            with pytest.raises(NotAllowed):
                await joining.withdraw(village.person(who), there)
        with pytest.raises(NotAllowed):
            await joining.groups(village.person(who))
    async with village.services.records.reading() as tx:
        assert await tx.all(select(join_requests)) == []


async def test_what_is_no_open_group_is_not_there(village: Village) -> None:
    pending, closed = await group(village), await group(village)
    async with village.services.records.writing() as tx:
        for id, state in ((pending, "pending"), (closed, "closed")):
            await tx.do(update(spaces).where(spaces.c.id == id).values(status=state, join_rule="open"))
    for space in (pending, closed, village.space, SpaceId("no-such-group")):
        with pytest.raises(NotFound):
            await join(village, space)
        with pytest.raises(NotFound):
            await village.services.joining.withdraw(village.person("outsider"), space)
    assert await village.services.joining.groups(village.person("outsider")) == []


async def test_who_was_taken_out_asks_even_where_everybody_may_join(village: Village) -> None:
    space = await group(village, JoinRule.OPEN)
    await join(village, space)
    founder = village.person("founder")
    await village.services.members.remove(founder, await member_of(village, space, "outsider"))
    assert await join(village, space) is Mine.WAITING
    with pytest.raises(NotFound):
        await village.services.spaces.get(village.person("outsider"), space)
    await village.services.joining.answer(founder, await only_request(village, space), accept=True)
    assert await mine(village, space, "outsider") is Mine.MEMBER
    await village.services.members.leave(village.person("outsider"), space)
    assert await join(village, space) is Mine.MEMBER


async def test_only_admins_read_and_answer_requests(village: Village) -> None:
    space, joining = await group(village), village.services.joining
    await village.services.members.add_adult(space, village.person("teacher"), Role.TEACHER)
    await join(village, space)
    request = await only_request(village, space)
    for who, fault in (("teacher", NotAllowed), ("outsider", NotFound), ("partner", NotFound)):
        for work in (
            joining.requests(village.person(who), space),
            joining.answer(village.person(who), request, accept=True),
            joining.set_rule(village.person(who), space, JoinRule.OPEN),
        ):
            with pytest.raises(fault):
                await work
    with pytest.raises(NotFound):
        await joining.answer(village.person("founder"), "no-such-request", accept=True)
    assert await refused(
        joining.set_rule(village.person("founder"), village.space, JoinRule.OPEN)
    ) == "not-a-group"  # fmt: skip
    assert await joining.requests(village.person("founder"), village.space) == []


async def test_an_admin_who_has_blocked_somebody_is_not_turned_to(village: Village) -> None:
    space, members = await group(village), village.services.members
    await members.add_adult(space, village.person("admin"), Role.ADMIN)
    await village.services.blocking.block(village.person("founder"), village.person("partner"))
    assert await join(village, space, "partner", "You there!") is Mine.WAITING
    assert await told(village, "founder", space) == []
    assert await told(village, "admin", space) == ["join-asked"]
    for who, words in (("founder", ""), ("admin", "You there!")):
        [request] = await village.services.joining.requests(village.person(who), space)
        assert request.words == words


async def test_an_answer_to_somebody_who_is_confirmed_no_more(village: Village) -> None:
    space, founder = await group(village), village.person("founder")
    await join(village, space)
    request = await only_request(village, space)
    async with village.services.records.writing() as tx:
        outsider = people.c.id == village.person("outsider")
        await tx.do(update(people).where(outsider).values(state=PersonState.SUSPENDED))
    assert await village.services.joining.requests(founder, space) == []
    assert await refused(village.services.joining.answer(founder, request, accept=True)) == "not-confirmed"


async def test_who_comes_in_by_invitation_waits_no_more(village: Village) -> None:
    space, founder = await group(village), village.person("founder")
    await join(village, space)
    made = await village.services.invitations.invite(founder, space, Role.TEACHER)
    await village.services.invitations.accept(village.person("outsider"), made.token, address="192.0.2.7")
    assert await village.services.joining.requests(founder, space) == []
    assert await mine(village, space, "outsider") is Mine.MEMBER
    assert "invitation-accepted" in await told(village, "founder", space)


async def test_featured_groups_come_first_and_members_are_only_counted(village: Village) -> None:
    first = await group(village)
    featured = await group(village, JoinRule.OPEN)
    await join(village, featured, "partner")
    async with village.services.records.writing() as tx:
        await tx.do(update(spaces).where(spaces.c.id == featured).values(featured=True, title="Z"))
    found = await village.services.joining.groups(village.person("outsider"))
    assert [(each.id, each.members, each.featured) for each in found] == [
        (featured, 2, True), (first, 1, False),
    ]  # fmt: skip
    assert "Partner" not in str(found)
    assert "Founder" not in str(found)


async def test_no_pupil_comes_into_a_group(village: Village) -> None:
    space = await group(village)
    for who in ("student", "mate"):
        work = village.services.members.place_pupil(village.person("founder"), space, village.person(who))
        assert await refused(work) == "no-pupils-here"


# At once, on two nodes


async def test_of_two_admins_at_once_one_answers(village: Village) -> None:
    services = await open_services(village.url, village.clock, seed=7)
    try:
        space = await group(village)
        await village.services.members.add_adult(space, village.person("admin"), Role.ADMIN)
        await join(village, space)
        request = await only_request(village, space)
        results = await asyncio.gather(
            village.services.joining.answer(village.person("founder"), request, accept=True),
            services.joining.answer(village.person("admin"), request, accept=False, because="No."),
            return_exceptions=True,
        )
        assert [type(result) for result in results if result] == [Conflict]
        accepted = results[0] is None
        assert (await mine(village, space, "outsider")) is (Mine.MEMBER if accepted else Mine.REFUSED)
        assert await told(village, "outsider", space) == ["join-accepted" if accepted else "join-refused"]
        done = [action for action, _ in await notes(village, space)]
        assert ("join-accepted" in done, "join-refused" in done) == (accepted, not accepted)
    finally:
        await services.close()


async def test_one_person_who_asks_many_times_at_once_asks_once(village: Village) -> None:
    services = await open_services(village.url, village.clock, seed=7)
    try:
        space, open_group = await group(village), await group(village, JoinRule.OPEN)
        person = village.person("outsider")
        for there in (space, open_group):
            await asyncio.gather(
                *(each.joining.join(person, there) for each in (village.services, services) for _ in range(3))
            )
        async with village.services.records.reading() as tx:
            assert len(await tx.all(select(join_requests))) == 1
            here = memberships.c.space_id == open_group, memberships.c.state == MembershipState.ACTIVE
            assert len(await tx.all(select(memberships.c.id).where(*here))) == 2
    finally:
        await services.close()


async def test_a_person_without_a_school_reads_as_an_officer_and_does_not_join(village: Village) -> None:
    person: PersonId = await village.services.people.add_adult(
        name="Olga", email=email_of("olga"), password=PASSWORD, school=None
    )
    await village.services.offices.appoint(person, Office.PLATFORM)
    space = await group(village, JoinRule.OPEN)
    assert [each.id for each in await village.services.joining.groups(person)] == [space]
    with pytest.raises(NotAllowed):
        await village.services.joining.join(person, space)
