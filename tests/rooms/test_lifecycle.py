"""How spaces come to be: drafts, partners, the national office, founders, and on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from sqlalchemy import select, update
from village import PASSWORD, Facts, Village, open_services, open_village

from rooms.accounts.schools import Country
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.spaces.invitations import NewInvitation
from rooms.spaces.lifecycle import MOST_GROUPS, MOST_PREPARED
from rooms.storage.schema import audit, memberships, people, spaces
from rooms.values import (
    AgeBand,
    Office,
    PersonId,
    PersonState,
    Role,
    SpaceId,
    SpaceKind,
    SpaceStatus,
)

ADDRESS = "192.0.2.7"


@pytest.fixture
async def village(village_records: tuple[str, Facts]) -> AsyncIterator[Village]:
    """One where the national office approves."""
    async with open_village(*village_records, approval=True) as opened:
        yield opened


async def officer(village: Village, country: str | None, name: str = "Olga") -> PersonId:
    """A national officer, or without a country a platform admin."""
    person = await village.services.people.add_adult(
        name=name, email=f"{name}-{country}@office.example".lower(), password=PASSWORD, school=None
    )
    office = Office.OFFICER if country else Office.PLATFORM
    await village.services.offices.appoint(person, office, country)
    return person


async def draft(village: Village, who: str = "founder", kind: SpaceKind = SpaceKind.PROJECT) -> SpaceId:
    made = await village.services.lifecycle.make(
        village.person(who),
        kind=kind,
        title="Lighthouses",
        summary="A secret light.",
        languages=["en"],
        age_band=AgeBand.FROM_12,
    )
    return made.id


async def link(village: Village, space: SpaceId, who: str = "founder") -> NewInvitation:
    return await village.services.invitations.invite_partner(village.person(who), space)


async def accept(village: Village, made: NewInvitation, who: str) -> None:
    await village.services.invitations.accept(village.person(who), made.token, address=ADDRESS)


async def handed_in(village: Village) -> SpaceId:
    """A project of the founder and the partner that waits for the office."""
    space = await draft(village)
    await accept(village, await link(village, space), "partner")
    return space


async def status(village: Village, space: SpaceId) -> SpaceStatus:
    async with village.services.records.reading() as tx:
        return SpaceStatus(await tx.value(select(spaces.c.status).where(spaces.c.id == space)))


async def founders(village: Village, space: SpaceId) -> set[str]:
    async with village.services.records.reading() as tx:
        rows = await tx.all(
            select(people.c.name)
            .join(memberships, memberships.c.person_id == people.c.id)
            .where(memberships.c.space_id == space, memberships.c.founder, memberships.c.state == "active")
        )
    return {row["name"] for row in rows}


async def notes(village: Village, space: SpaceId) -> list[str]:
    async with village.services.records.reading() as tx:
        rows = await tx.all(select(audit.c.action).where(audit.c.space_id == space).order_by(audit.c.number))
        assert await village.services.audit.verify(tx, space) is None
    return [row["action"] for row in rows]


async def told(village: Village, person: PersonId) -> list[str]:
    return [each.kind for each in (await village.services.notifications.of(person)).notifications]


async def refused(work: Awaitable[object]) -> str:
    with pytest.raises(Conflict) as conflict:
        await work
    return conflict.value.code


async def test_a_project_waits_for_its_partner_and_then_for_the_office(village: Village) -> None:
    lifecycle, founder = village.services.lifecycle, village.person("founder")
    spain, portugal = await officer(village, "ES"), await officer(village, "PT")
    space = await draft(village)
    view = await village.services.spaces.get(founder, space)
    assert (view.status, view.my_role, view.founders) == (SpaceStatus.DRAFT, Role.ADMIN, [view.my_membership])
    assert view.can["partner"]
    assert not view.can["ask_again"]
    assert not view.can["leave"]
    assert await lifecycle.waiting(spain) == []
    made = await link(village, space)
    invited = await village.services.invitations.read(made.token, address=ADDRESS)
    assert (invited.founder, invited.space_kind, invited.space_title) == (True, "project", "Lighthouses")
    village.clock.now += 60
    await accept(village, made, "partner")
    assert await status(village, space) is SpaceStatus.PENDING
    assert await founders(village, space) == {"Founder", "Partner"}
    assert "partner-accepted" in await told(village, founder)
    [waiting] = await lifecycle.waiting(spain)
    assert (waiting.id, waiting.title, waiting.asked_at) == (space, "Lighthouses", village.clock.now)
    assert [(each.name, each.country) for each in waiting.founders] == [("Founder", "ES"), ("Partner", "PT")]
    assert [each.id for each in await lifecycle.waiting(portugal)] == [space]
    assert await told(village, spain) == await told(village, portugal) == ["space-asked"]
    await lifecycle.decide(portugal, space, approve=True)
    assert await status(village, space) is SpaceStatus.OPEN
    view = await village.services.spaces.get(founder, space)
    assert view.decision is not None
    assert view.decision.approved
    for who in ("founder", "partner"):
        assert "space-approved" in await told(village, village.person(who))
    assert await notes(village, space) == [
        "made", "partner-invited", "invitation-accepted", "handed-in", "approved",
    ]  # fmt: skip
    assert village.heard("status")


async def test_where_nobody_approves_it_opens_with_its_partner_and_a_group_at_once(
    village: Village,
) -> None:
    services = await open_services(village.url, village.clock)
    free = Village(village.url, services, village.clock, village.facts)
    try:
        assert await status(free, await handed_in(free)) is SpaceStatus.OPEN
        group = await draft(free, kind=SpaceKind.GROUP)
        view = await services.spaces.get(free.person("founder"), group)
        assert (view.status, view.age_band, view.kind) == ("open", "adults", "group")
    finally:
        await services.close()


async def test_who_may_found(village: Village) -> None:
    for who in ("student", "guest", "stranger"):
        for kind in (SpaceKind.PROJECT, SpaceKind.GROUP):
            with pytest.raises(NotAllowed):
                await draft(village, who, kind)
        can = await village.services.lifecycle.can(village.person(who))
        assert can == {"create_space": False, "approve": False, "cases": False, "legal_cases": False}
    async with village.services.records.writing() as tx:
        teacher = people.c.id == village.person("teacher")
        await tx.do(update(people).where(teacher).values(state=PersonState.REGISTERED))
    with pytest.raises(NotAllowed):
        await draft(village, "teacher")
    spain = await officer(village, "ES")
    assert await village.services.lifecycle.can(spain) == {
        "create_space": False, "approve": True, "cases": True, "legal_cases": False,
    }  # fmt: skip
    platform = await officer(village, None)
    assert (await village.services.lifecycle.can(platform))["legal_cases"]
    assert (await village.services.lifecycle.can(village.person("founder")))["create_space"]


async def test_nobody_prepares_too_many_spaces(village: Village) -> None:
    for _ in range(MOST_PREPARED):
        await draft(village, "outsider")
    assert await refused(draft(village, "outsider")) == "too-many-drafts"
    for _ in range(MOST_GROUPS):
        await draft(village, "partner", SpaceKind.GROUP)
        async with village.services.records.writing() as tx:
            await tx.do(update(spaces).values(status=SpaceStatus.OPEN))
    assert await refused(draft(village, "partner", SpaceKind.GROUP)) == "too-many-groups"
    assert await draft(village, "partner")


async def test_the_partner_is_an_adult_of_another_school(village: Village) -> None:
    space = await draft(village)
    made = await link(village, space)
    assert await refused(accept(village, made, "teacher")) == "same-school"
    assert await refused(accept(village, made, "guest")) == "not-confirmed"
    assert await refused(accept(village, made, "stranger")) == "adults-only"
    assert await refused(accept(village, made, "founder")) == "same-school"
    assert await status(village, space) is SpaceStatus.DRAFT
    await accept(village, made, "outsider")
    assert await refused(accept(village, made, "partner")) == "invitation-over"


async def test_a_teacher_who_is_there_already_becomes_the_partner(village: Village) -> None:
    space = await draft(village)
    await village.services.members.add_adult(space, village.person("partner"), Role.TEACHER)
    await accept(village, await link(village, space), "partner")
    view = await village.services.spaces.get(village.person("partner"), space)
    assert (view.my_role, len(view.founders), view.status) == (Role.ADMIN, 2, SpaceStatus.PENDING)


async def test_one_partner_link_works_at_a_time_and_only_for_a_draft(village: Village) -> None:
    space = await draft(village)
    first, second = await link(village, space), await link(village, space)
    assert await refused(accept(village, first, "partner")) == "invitation-over"
    village.clock.now += 1
    await village.services.members.add_adult(space, village.person("admin"), Role.ADMIN)
    with pytest.raises(NotAllowed) as not_founder:
        await link(village, space, "admin")
    assert not_founder.value.reason == "not-founder"
    with pytest.raises(NotFound):
        await link(village, space, "outsider")
    await accept(village, second, "partner")
    assert await refused(link(village, space)) == "wrong-step"
    group = await draft(village, kind=SpaceKind.GROUP)
    assert await refused(link(village, group)) == "wrong-step"
    assert await refused(link(village, village.space)) == "wrong-step"


async def test_a_link_of_somebody_who_is_no_founder_any_more_is_over(village: Village) -> None:
    space = await draft(village)
    made = await link(village, space)
    heir = await village.services.members.add_adult(space, village.person("admin"), Role.ADMIN)
    await village.services.members.hand_over(village.person("founder"), space, heir)
    assert await refused(accept(village, made, "partner")) == "invitation-over"


@pytest.mark.parametrize("together", ["draft", "pending"])
async def test_until_it_is_open_teachers_prepare_and_nobody_else_is_there(
    village: Village, together: str
) -> None:
    space = await draft(village) if together == "draft" else await handed_in(village)
    services, founder = village.services, village.person("founder")
    room = next(room for room in (await services.spaces.get(founder, space)).rooms if room.kind == "general")
    assert room.reason == ""
    assert room.can["create_pages"]
    page = await services.pages.create(founder, room.id, title="Plan")  # type: ignore[arg-type]
    assert page.scope == "read-write"
    await services.members.add_adult(space, village.person("guest"), Role.GUEST)
    await services.spaces.change(founder, space, policy={"guests_read": True, "guests_edit": True})
    for seen in (await services.spaces.get(village.person("guest"), space)).rooms:
        assert seen.reason == "space-preparing"
    with pytest.raises(Conflict) as early:
        await services.members.place_pupil(founder, space, village.person("student"))
    assert early.value.code == "not-open-yet"
    ebro = village.facts.schools["ebro"]
    assert await refused(services.people.make_pupils(founder, ebro, space, [None])) == "not-open-yet"
    spain, platform = await officer(village, "ES"), await officer(village, None)
    for who in (spain, platform, village.person("outsider"), village.person("student")):
        with pytest.raises(NotFound):
            await services.spaces.get(who, space)
        with pytest.raises(NotFound):
            await services.members.of_space(who, space)
        with pytest.raises(NotFound):
            await services.audit.of_space(who, space)
        with pytest.raises(NotFound):
            await services.spaces.freeze(who, space, frozen=True)
    assert await refused(services.spaces.set_status(founder, space, SpaceStatus.OPEN)) == "wrong-step"


async def test_only_an_officer_of_a_founders_country_decides(village: Village) -> None:
    await village.services.schools.add_country(Country("EL", "Ελλάδα", ["el"]))
    lifecycle = village.services.lifecycle
    spain, greece, platform = (
        await officer(village, "ES"),
        await officer(village, "EL"),
        await officer(village, None),
    )
    space = await handed_in(village)
    assert await lifecycle.waiting(greece) == []
    assert [each.id for each in await lifecycle.waiting(platform)] == [space]
    with pytest.raises(NotFound):
        await lifecycle.decide(greece, space, approve=True)
    for who in ("founder", "partner"):
        with pytest.raises(NotAllowed) as denied:
            await lifecycle.decide(village.person(who), space, approve=True)
        assert denied.value.reason == "role"
        with pytest.raises(NotAllowed):
            await lifecycle.waiting(village.person(who))
    with pytest.raises(NotFound):
        await lifecycle.decide(village.person("outsider"), space, approve=True)
    with pytest.raises(NotFound):
        await lifecycle.decide(spain, await draft(village), approve=True)
    await lifecycle.decide(spain, space, approve=True)
    assert await refused(lifecycle.decide(platform, space, approve=False, because="No.")) == "decided"
    assert await told(village, platform) == []


async def test_an_appointment_that_ended_or_of_somebody_suspended_counts_for_nothing(
    village: Village,
) -> None:
    lifecycle = village.services.lifecycle
    ended, suspended = await officer(village, "ES", "Ended"), await officer(village, "ES", "Suspended")
    village.clock.now += 60
    assert await village.services.offices.end(ended, Office.OFFICER, "ES")
    async with village.services.records.writing() as tx:
        await tx.do(update(people).where(people.c.id == suspended).values(state=PersonState.SUSPENDED))
    platform = await officer(village, None)
    space = await handed_in(village)
    for who in (ended, suspended):
        assert await told(village, who) == []
        with pytest.raises(NotAllowed):
            await lifecycle.waiting(who)
        with pytest.raises(NotFound):
            await lifecycle.decide(who, space, approve=True)
        assert await lifecycle.can(who) == {
            "create_space": False,
            "approve": False,
            "cases": False,
            "legal_cases": False,
        }
    assert await told(village, platform) == ["space-asked"]


async def test_an_officer_who_is_in_it_does_not_decide(village: Village) -> None:
    await village.services.offices.appoint(village.person("founder"), Office.OFFICER, "ES")
    other = await officer(village, "ES")
    space = await handed_in(village)
    lifecycle, founder = village.services.lifecycle, village.person("founder")
    assert "space-asked" not in await told(village, founder)
    assert await lifecycle.waiting(founder) == []
    with pytest.raises(NotAllowed) as concerned:
        await lifecycle.decide(founder, space, approve=True)
    assert concerned.value.reason == "concerned"
    await lifecycle.decide(other, space, approve=True)


async def test_what_is_refused_is_a_draft_and_handed_in_again(village: Village) -> None:
    lifecycle, founder = village.services.lifecycle, village.person("founder")
    spain = await officer(village, "ES")
    space = await handed_in(village)
    await lifecycle.decide(spain, space, approve=False, because="Say what you will do.")
    view = await village.services.spaces.get(founder, space)
    assert view.status is SpaceStatus.DRAFT
    assert view.decision is not None
    assert (view.decision.approved, view.decision.because) == (False, "Say what you will do.")
    assert view.can["ask_again"]
    assert not view.can["partner"]
    assert await lifecycle.waiting(spain) == []
    assert "space-refused" in await told(village, village.person("partner"))
    await lifecycle.ask_again(founder, space)
    view = await village.services.spaces.get(founder, space)
    assert (view.status, view.decision, view.can["take_back"]) == (SpaceStatus.PENDING, None, True)
    assert await refused(lifecycle.ask_again(founder, space)) == "wrong-step"
    await lifecycle.take_back(village.person("partner"), space)
    assert await status(village, space) is SpaceStatus.DRAFT
    assert await refused(lifecycle.take_back(founder, space)) == "not-pending"
    with pytest.raises(NotFound):
        await lifecycle.decide(spain, space, approve=True)
    alone = await draft(village)
    assert await refused(lifecycle.ask_again(founder, alone)) == "no-partner"
    assert (await notes(village, space))[-2:] == ["handed-in", "taken-back"]


async def test_a_group_waits_for_the_office_and_is_featured_by_it(village: Village) -> None:
    lifecycle = village.services.lifecycle
    spain, portugal = await officer(village, "ES"), await officer(village, "PT")
    group = await draft(village, kind=SpaceKind.GROUP)
    assert await status(village, group) is SpaceStatus.PENDING
    assert await lifecycle.waiting(portugal) == []
    with pytest.raises(NotFound):
        await lifecycle.feature(spain, group, True)
    await lifecycle.decide(spain, group, approve=True)
    await lifecycle.feature(spain, group, True)
    assert (await village.services.spaces.get(village.person("founder"), group)).featured
    for who in (portugal, village.person("outsider")):
        with pytest.raises(NotFound):
            await lifecycle.feature(who, group, False)
    with pytest.raises(NotAllowed):
        await lifecycle.feature(village.person("founder"), group, False)
    assert await refused(lifecycle.feature(spain, village.space, True)) == "not-a-group"


# Founders, and who goes


async def test_a_founder_is_neither_removed_demoted_nor_muted(village: Village) -> None:
    members, founder = village.services.members, village.member("founder")
    for who in ("admin", "founder"):
        for work in (
            members.remove(village.person(who), founder),
            members.change_role(village.person(who), founder, Role.TEACHER),
            members.mute(village.person(who), founder, "Quiet.", None),
        ):
            with pytest.raises(NotAllowed) as denied:
                await work
            assert denied.value.reason == "founder"
    async with village.services.records.writing() as tx:
        await tx.do(update(memberships).where(memberships.c.id == founder).values(muted_until=2e9))
    await members.unmute(village.person("admin"), founder)


async def test_adults_leave_but_no_founder_and_no_pupil(village: Village) -> None:
    members = village.services.members
    for who in ("guest", "teacher", "admin"):
        view = None
        if who != "guest":
            view = await village.services.spaces.get(village.person(who), village.space)
        assert view is None or view.can["leave"]
        await members.leave(village.person(who), village.space)
        with pytest.raises(NotFound):
            await members.leave(village.person(who), village.space)
    assert await refused(members.leave(village.person("founder"), village.space)) == "founder"
    for who in ("student", "editor"):
        with pytest.raises(NotAllowed):
            await members.leave(village.person(who), village.space)
    with pytest.raises(NotFound):
        await members.leave(village.person("outsider"), village.space)
    assert (await notes(village, village.space))[-3:] == ["left"] * 3


async def test_the_last_admin_stays(village: Village) -> None:
    members = village.services.members
    async with village.services.records.writing() as tx:
        founder = memberships.c.id == village.member("founder")
        await tx.do(update(memberships).where(founder).values(founder=False, role=Role.TEACHER))
    admin, person = village.member("admin"), village.person("admin")
    assert await refused(members.leave(person, village.space)) == "last-admin"
    assert await refused(members.remove(person, admin)) == "last-admin"
    assert await refused(members.change_role(person, admin, Role.TEACHER)) == "last-admin"
    assert not (await village.services.spaces.get(person, village.space)).can["leave"]
    await members.change_role(person, village.member("founder"), Role.ADMIN)
    await members.leave(person, village.space)


async def test_a_founder_hands_over_to_another_admin_and_may_leave_then(village: Village) -> None:
    members, founder = village.services.members, village.person("founder")
    view = await village.services.spaces.get(founder, village.space)
    assert view.can["hand_over"]
    for who in ("teacher", "student", "founder"):
        work = members.hand_over(founder, village.space, village.member(who))
        assert await refused(work) == "not-an-admin"
    with pytest.raises(NotAllowed):
        await members.hand_over(village.person("admin"), village.space, village.member("admin"))
    await members.hand_over(founder, village.space, village.member("admin"))
    view = await village.services.spaces.get(founder, village.space)
    assert (view.my_role, view.founders) == (Role.ADMIN, [village.member("admin")])
    await members.leave(founder, village.space)
    assert (await notes(village, village.space))[-2:] == ["handed-over", "left"]


async def test_a_project_keeps_founders_of_two_schools(village: Village) -> None:
    members, founder, partner = village.services.members, village.person("founder"), village.person("partner")
    space = await handed_in(village)
    teacher = await members.add_adult(space, village.person("teacher"), Role.ADMIN)
    far = await members.add_adult(space, village.person("outsider"), Role.ADMIN)
    assert await refused(members.hand_over(partner, space, teacher)) == "second-school"
    await members.hand_over(founder, space, teacher)
    await members.hand_over(partner, space, far)
    assert await founders(village, space) == {"Teacher", "Outsider"}


# At once, on two nodes


@pytest.fixture
async def second(village: Village) -> AsyncIterator[Village]:
    """Another node on the same records."""
    services = await open_services(village.url, village.clock, seed=7, approval=True)
    yield Village(village.url, services, village.clock, village.facts)
    await services.close()


async def test_of_two_partners_at_once_one_comes_in(village: Village, second: Village) -> None:
    space = await draft(village)
    old, new = await link(village, space), await link(village, space)
    results = await asyncio.gather(
        accept(village, new, "partner"),
        accept(second, new, "outsider"),
        accept(village, old, "outsider"),
        return_exceptions=True,
    )
    assert [type(result) for result in results if result] == [Conflict, Conflict]
    assert len(await founders(village, space)) == 2
    assert await status(village, space) is SpaceStatus.PENDING
    assert (await notes(village, space)).count("handed-in") == 1


async def test_of_a_decision_and_a_taking_back_at_once_one_counts(village: Village, second: Village) -> None:
    spain = await officer(village, "ES")
    for first in (True, False):
        space = await handed_in(village)
        works = [
            village.services.lifecycle.decide(spain, space, approve=True),
            second.services.lifecycle.take_back(village.person("founder"), space),
        ]
        results = await asyncio.gather(*(works if first else works[::-1]), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results if result) in (["Conflict"], ["NotFound"])
        approved = (results[0] if first else results[1]) is None
        assert await status(village, space) is (SpaceStatus.OPEN if approved else SpaceStatus.DRAFT)
        view = await village.services.spaces.get(village.person("founder"), space)
        assert (view.decision is not None) is approved
        assert (await notes(village, space))[-1] == ("approved" if approved else "taken-back")


async def test_of_two_officers_at_once_one_decides(village: Village, second: Village) -> None:
    spain, portugal = await officer(village, "ES"), await officer(village, "PT")
    space = await handed_in(village)
    results = await asyncio.gather(
        village.services.lifecycle.decide(spain, space, approve=True),
        second.services.lifecycle.decide(portugal, space, approve=False, because="No."),
        return_exceptions=True,
    )
    assert [type(result) for result in results if result] == [Conflict]
    approved = results[0] is None
    assert await status(village, space) is (SpaceStatus.OPEN if approved else SpaceStatus.DRAFT)
    decisions = {"space-approved", "space-refused"} & set(await told(village, village.person("founder")))
    assert decisions == {"space-approved" if approved else "space-refused"}


async def test_two_founders_who_hand_over_at_once_leave_two(village: Village, second: Village) -> None:
    space = await handed_in(village)
    heir = await village.services.members.add_adult(space, village.person("outsider"), Role.ADMIN)
    results = await asyncio.gather(
        village.services.members.hand_over(village.person("founder"), space, heir),
        second.services.members.hand_over(village.person("partner"), space, heir),
        return_exceptions=True,
    )
    assert [type(result) for result in results if result] == [Conflict]
    assert len(await founders(village, space)) == 2
