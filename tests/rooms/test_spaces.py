"""Spaces, their rooms and their members."""

from __future__ import annotations

import pytest
from village import Village

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.hours import Hours
from rooms.values import (
    AgeBand,
    EditRule,
    MembershipId,
    PersonId,
    Posting,
    Role,
    RoomId,
    RoomKind,
    RoomStatus,
    SeeRule,
    SpaceId,
    SpaceKind,
    SpaceStatus,
)


async def role_of(village: Village, name: str) -> Role:
    members = await village.services.members.of_space(village.person("founder"), village.space)
    return next(member.role for member in members if member.id == village.member(name))


async def test_a_space_tells_its_members_who_is_in_it(village: Village) -> None:
    view = await village.services.spaces.get(village.person("student"), village.space)
    assert view.my_role is Role.STUDENT
    assert view.my_membership == village.member("student")
    assert [school.town for school in view.schools] == ["Zaragoza", "Porto"]
    assert {room.kind for room in view.rooms} == {RoomKind.GENERAL, RoomKind.TEAM}
    assert not any(view.can.values())
    teacher = await village.services.spaces.get(village.person("teacher"), village.space)
    assert RoomKind.STAFF in {room.kind for room in teacher.rooms}


async def test_to_others_the_space_does_not_exist(village: Village) -> None:
    spaces = village.services.spaces
    for who in ("removed", "outsider", "stranger"):
        for space in (village.space, SpaceId("no-such-space")):
            with pytest.raises(NotFound):
                await spaces.get(village.person(who), space)


async def test_my_spaces_are_those_i_am_in(village: Village) -> None:
    spaces = village.services.spaces
    assert [line.title for line in await spaces.of(village.person("student"))] == ["Two rivers"]
    assert await spaces.of(village.person("removed")) == []


async def test_a_pupil_is_never_visible_outside_a_shared_space(village: Village) -> None:
    """Invariant 1 of the domain: not in member lists, not by card, not by name, not by school."""
    services = village.services
    outsider, far = village.person("outsider"), village.facts.schools["far"]
    for school in ("ebro", "douro"):
        with pytest.raises(NotFound):
            await services.people.pupils(outsider, village.facts.schools[school])
    with pytest.raises(NotFound):
        await services.people.pupils(village.person("guest"), far)
    for pupil in ("student", "pal"):
        with pytest.raises(NotFound):
            await services.people.reset_code(outsider, village.person(pupil))
        with pytest.raises(NotFound):
            await services.people.change_pupil(outsider, village.person(pupil), name="New")
        with pytest.raises((NotFound, NotAllowed)):
            await services.members.place_pupil(
                outsider, village.facts.spaces["elsewhere"], village.person(pupil)
            )
    elsewhere = await services.members.of_space(outsider, village.facts.spaces["elsewhere"])
    assert {member.person_id for member in elsewhere} == {outsider, village.person("stranger")}


async def test_pupils_are_placed_only_by_a_teacher_of_their_own_school_who_is_in_the_space(
    village: Village,
) -> None:
    services, space = village.services, village.space
    made = await services.people.make_pupils(
        village.person("teacher"), village.facts.schools["ebro"], space, ["New"]
    )
    pupil = PersonId(made[0].person_id)
    members = await services.members.of_space(village.person("founder"), space)
    member = next(MembershipId(member.id) for member in members if member.person_id == pupil)
    await services.members.remove(village.person("founder"), member)
    for who in ("partner", "student", "editor", "guest"):
        with pytest.raises(NotAllowed):
            await services.members.place_pupil(village.person(who), space, pupil)
    for who in ("removed", "outsider"):
        with pytest.raises(NotFound):
            await services.members.place_pupil(village.person(who), space, pupil)
    placed = await services.members.place_pupil(village.person("teacher"), space, pupil)
    assert placed.role is Role.STUDENT
    with pytest.raises(Conflict) as refused:
        await services.members.place_pupil(village.person("teacher"), space, pupil)
    assert refused.value.code == "already-a-member"


async def test_another_school_cannot_tell_its_pupils_from_people_who_are_not_there(village: Village) -> None:
    place = village.services.members.place_pupil
    for person in (village.person("stranger"), PersonId("nobody")):
        with pytest.raises((NotAllowed, NotFound)) as refused:
            await place(village.person("teacher"), village.space, person)
        assert refused.value.args == NotAllowed("not-own-school").args


async def test_pupils_have_no_place_in_groups_and_spaces_of_adults(village: Village) -> None:
    for kind, band in ((SpaceKind.GROUP, AgeBand.FROM_16), (SpaceKind.PROJECT, AgeBand.ADULTS)):
        space = await village.services.spaces.create(
            title="Adults",
            summary="",
            languages=["en"],
            age_band=band,
            founders=[village.person("teacher")],
            kind=kind,
        )
        with pytest.raises(Conflict) as refused:
            await village.services.people.make_pupils(
                village.person("teacher"), village.facts.schools["ebro"], space, ["New"]
            )
        assert refused.value.code == "no-pupils-here"


async def test_roles_change_only_among_those_of_pupils_or_of_adults(village: Village) -> None:
    change = village.services.members.change_role
    founder = village.person("founder")
    for name, role in (("student", Role.TEACHER), ("student", Role.GUEST), ("teacher", Role.STUDENT_EDITOR)):
        with pytest.raises(Conflict) as refused:
            await change(founder, village.member(name), role)
        assert refused.value.code == "wrong-role"
    await change(founder, village.member("pal"), Role.STUDENT_EDITOR)
    await change(founder, village.member("teacher"), Role.ADMIN)
    assert await role_of(village, "pal") is Role.STUDENT_EDITOR
    assert await role_of(village, "teacher") is Role.ADMIN


async def test_a_founder_stays(village: Village) -> None:
    members, admin, founder = village.services.members, village.person("admin"), village.member("founder")
    for attempt in (members.change_role(admin, founder, Role.TEACHER), members.remove(admin, founder)):
        with pytest.raises(NotAllowed) as refused:
            await attempt
        assert refused.value.reason == "founder"
    with pytest.raises(NotAllowed):
        await members.remove(village.person("founder"), founder)


async def test_a_guest_may_leave_and_a_student_may_not(village: Village) -> None:
    members = village.services.members
    await members.remove(village.person("guest"), village.member("guest"))
    with pytest.raises(NotFound):
        await village.services.spaces.get(village.person("guest"), village.space)
    with pytest.raises(NotAllowed):
        await members.remove(village.person("student"), village.member("student"))


async def test_who_is_removed_leaves_the_teams_and_may_be_taken_back(village: Village) -> None:
    services, founder = village.services, village.person("founder")
    await services.members.remove(founder, village.member("student"))
    team = next(
        room
        for room in (await services.spaces.get(founder, village.space)).rooms
        if room.kind is RoomKind.TEAM
    )
    assert village.member("student") not in team.members
    back = await services.members.place_pupil(founder, village.space, village.person("student"))
    assert back.id == village.member("student"), "the same membership, so what they wrote is theirs again"


async def test_changes_name_whom_they_concern(village: Village) -> None:
    members, founder = village.services.members, village.person("founder")
    await members.change_role(founder, village.member("student"), Role.STUDENT_EDITOR)
    await members.change_role(founder, village.member("teacher"), Role.GUEST)
    await members.remove(founder, village.member("pal"))
    await members.remove(founder, village.member("partner"))
    told = [(change.kind, change.space, change.person, change.notice) for change in village.changes]
    assert told == [
        ("role", village.space, village.person("student"), ("members",)),
        ("role", village.space, None, ("members",)),  # a teacher fewer may concern a school's pupils
        ("removed", village.space, village.person("pal"), ("members",)),
        ("removed", village.space, None, ("members",)),
    ]


# Rooms


async def test_a_team_room_is_seen_by_its_members_and_all_teachers(village: Village) -> None:
    spaces = village.services.spaces
    seen = {
        who: RoomKind.TEAM
        in {room.kind for room in (await spaces.get(village.person(who), village.space)).rooms}
        for who in ("student", "pal", "mate", "partner", "editor")
    }
    assert seen == {"student": True, "pal": True, "mate": False, "partner": True, "editor": True}
    team = village.facts.rooms["team"]
    await spaces.change_room(village.person("teacher"), team, members=[village.member("mate")], title="New")
    rooms = (await spaces.get(village.person("mate"), village.space)).rooms
    assert "New" in {room.title for room in rooms}
    with pytest.raises(NotFound):
        await spaces.change_room(village.person("student"), team, title="Mine")


async def test_any_teacher_opens_a_room_for_the_teachers_and_leads_it(village: Village) -> None:
    services, teacher = village.services, village.person("teacher")
    made = await services.spaces.make_room(
        teacher, village.space, title="Who lends a thermometer?", kind=RoomKind.FREE
    )
    seen = {
        who
        for who in ("teacher", "partner", "admin", "founder", "student", "editor", "pal")
        if made.id
        in {room.id for room in (await services.spaces.get(village.person(who), village.space)).rooms}
    }
    assert seen == {"teacher", "partner", "admin", "founder"}
    room = RoomId(made.id)
    page = await services.pages.create(teacher, room, title="Lent")
    assert (page.see_rule, page.edit_rule) == (SeeRule.STAFF, EditRule.TEACHERS)
    assert page.id not in {
        each.id for each in await services.pages.of_space(village.person("student"), village.space)
    }
    with pytest.raises(NotFound):
        await services.discussions.start(village.person("editor"), room, title="Psst", key="k")
    await services.spaces.set_room_state(teacher, room, RoomStatus.ARCHIVED)
    for who in ("student", "guest"):
        with pytest.raises((NotAllowed, NotFound)):
            await services.spaces.make_room(
                village.person(who), village.space, title="Ours", kind=RoomKind.FREE
            )


async def test_only_members_of_the_space_are_listed_and_only_in_teams(village: Village) -> None:
    spaces, founder = village.services.spaces, village.person("founder")
    with pytest.raises(Conflict) as refused:
        await spaces.make_room(founder, village.space, title="X", members=[village.member("removed")])
    assert refused.value.code == "not-a-member"
    with pytest.raises(Conflict) as refused:
        await spaces.change_room(founder, village.facts.rooms["general"], members=[village.member("student")])
    assert refused.value.code == "not-a-team"


async def test_the_state_of_a_room_says_who_makes_pages_in_it(village: Village) -> None:
    spaces, pages, team = village.services.spaces, village.services.pages, village.facts.rooms["team"]

    async def makes(who: str) -> str:
        try:
            await pages.create(village.person(who), team, title="Page")
        except NotAllowed as refused:
            return refused.reason
        return "yes"

    got = {}
    for state in (RoomStatus.OPEN, RoomStatus.READ_ONLY, RoomStatus.FROZEN, RoomStatus.ARCHIVED):
        await spaces.set_room_state(village.person("admin"), team, state)
        got[state.value] = (await makes("student"), await makes("teacher"))
    assert got == {
        "open": ("yes", "yes"),
        "read-only": ("room-read-only", "yes"),
        "frozen": ("room-frozen", "room-frozen"),
        "archived": ("room-archived", "room-archived"),
    }


async def test_any_teacher_makes_an_open_room_a_supervised_one_and_opens_no_closed_one(
    village: Village,
) -> None:
    spaces, general = village.services.spaces, village.facts.rooms["general"]
    teacher, supervised = village.person("teacher"), RoomStatus.SUPERVISED
    view = await spaces.set_room_state(teacher, general, supervised)
    assert (view.state, view.can["supervise"], view.can["state"]) == (supervised, True, False)
    with pytest.raises(NotAllowed):
        await spaces.set_room_state(teacher, general, RoomStatus.OPEN)
    with pytest.raises(NotAllowed):
        await spaces.set_room_state(village.person("editor"), general, supervised)
    for state in (RoomStatus.READ_ONLY, RoomStatus.FROZEN, RoomStatus.ARCHIVED):
        view = await spaces.set_room_state(village.person("admin"), general, state)
        assert view.can["supervise"]
        with pytest.raises(NotAllowed):
            await spaces.set_room_state(teacher, general, supervised)


async def reason(village: Village, who: str, room: str = "general") -> str:
    view = await village.services.spaces.get(village.person(who), village.space)
    return next(each.reason for each in view.rooms if each.id == village.facts.rooms[room])


async def test_pupils_write_in_a_supervised_room_while_a_teacher_is_in_the_space(village: Village) -> None:
    spaces, supervision = village.services.spaces, village.services.supervision
    supervision.grace = 0.0
    ebro, douro = village.facts.schools["ebro"], village.facts.schools["douro"]
    await spaces.set_room_state(
        village.person("admin"), village.facts.rooms["general"], RoomStatus.SUPERVISED
    )

    async def reasons() -> list[str]:
        return [await reason(village, who) for who in ("student", "pal", "teacher")]

    assert await reasons() == ["supervised", "supervised", ""]
    assert await reason(village, "student", "team") == ""
    supervision.heard("node", {village.facts.spaces["elsewhere"]: [ebro]})
    assert await reasons() == ["supervised", "supervised", ""]
    supervision.heard("node", {village.space: [ebro]})
    assert await reasons() == ["", "", ""]
    await spaces.change(village.person("admin"), village.space, policy={"supervision": "each-school"})
    assert await reasons() == ["", "supervised", ""]
    supervision.heard("node", {village.space: [ebro, douro]})
    assert await reasons() == ["", "", ""]
    supervision.heard("node", {village.space: []})
    assert await reasons() == ["supervised", "supervised", ""]


async def test_opening_hours_are_those_of_each_pupils_school(village: Village) -> None:
    spaces, admin, general = village.services.spaces, village.person("admin"), village.facts.rooms["general"]
    # It is Wednesday: 12:06 in Zaragoza, 11:06 in Porto.
    view = await spaces.set_hours(admin, general, Hours.of([3], "12:00", "16:00"))
    assert (view.hours, view.open_now, view.reason) == (
        {"days": [3], "from": "12:00", "to": "16:00"},
        True,
        "",
    )
    assert village.heard("room-hours")[-1].notice == ("space", "pages", "threads")

    async def reasons() -> list[str]:
        return [await reason(village, who) for who in ("student", "pal", "partner")]

    assert await reasons() == ["", "outside-hours", ""]
    village.clock.now += 3600.0
    assert await reasons() == ["", "", ""]
    village.clock.now += 3 * 3600.0
    assert await reasons() == ["outside-hours", "", ""]
    with pytest.raises(NotAllowed) as refused:
        await village.services.pages.create(village.person("editor"), general, title="At night")
    assert refused.value.reason == "outside-hours"
    with pytest.raises(NotAllowed):
        await spaces.set_hours(village.person("teacher"), general, None)
    assert (await spaces.set_hours(admin, general, None)).hours is None
    assert await reasons() == ["", "", ""]


# The space's own settings


async def test_admins_change_words_and_policy_but_not_below_the_floor(village: Village) -> None:
    spaces, admin = village.services.spaces, village.person("admin")
    view = await spaces.change(admin, village.space, title="Two seas", policy={"guests_read": True})
    assert view.title == "Two seas"
    assert (await spaces.get(village.person("guest"), village.space)).my_role is Role.GUEST
    await spaces.change(admin, village.space, policy={"page_editing": "teachers"})
    assert (await spaces.get(village.person("guest"), village.space)).my_role is Role.GUEST
    young = await spaces.create(
        title="Young", summary="", languages=["en"], age_band=AgeBand.FROM_7, founders=[admin]
    )
    for wider in ({"page_editing": "open"}, {"posting": "hold-first"}, {"chat": "hours"}):
        with pytest.raises(Conflict) as refused:
            await spaces.change(admin, young, policy=wider)
        assert refused.value.code == "below-floor"
    await spaces.change(admin, young, policy={"posting": "off", "chat": "off"})
    await spaces.change(admin, young, policy={"posting": None, "chat": None})
    with pytest.raises(NotAllowed):
        await spaces.change(village.person("teacher"), village.space, title="Mine")


async def test_a_room_tightens_how_posts_come_to_be_seen_and_never_loosens_it(village: Village) -> None:
    spaces, admin, team = village.services.spaces, village.person("admin"), village.facts.rooms["team"]
    assert (await spaces.change_room(admin, team, title="The team")).posting is Posting.FREE
    assert (await spaces.change_room(admin, team, posting=Posting.HOLD)).posting is Posting.HOLD
    await spaces.change(admin, village.space, policy={"posting": "off"})
    async with village.services.records.reading() as tx:
        standings = {who: await spaces.find_room(tx, village.person(who), team) for who in ("pal", "admin")}
    assert {who: found.posting(row) for who, (found, row) in standings.items()} == {
        "pal": Posting.OFF,
        "admin": Posting.FREE,
    }
    young = await spaces.create(
        title="Young", summary="", languages=["en"], age_band=AgeBand.FROM_7, founders=[admin]
    )
    general = RoomId((await spaces.get(admin, young)).rooms[0].id)
    with pytest.raises(Conflict) as refused:
        await spaces.change_room(admin, general, posting=Posting.FREE)
    assert refused.value.code == "below-floor"


async def test_any_teacher_freezes_a_space_and_an_admin_lets_it_go_on(village: Village) -> None:
    spaces, pages = village.services.spaces, village.services.pages
    await spaces.freeze(village.person("partner"), village.space, frozen=True)
    for who in ("student", "teacher", "founder"):
        view = await pages.get(village.person(who), village.facts.pages["open"])
        assert (view.scope, view.reason) == ("readonly", "space-frozen")
    with pytest.raises(NotAllowed):
        await spaces.freeze(village.person("partner"), village.space, frozen=False)
    await spaces.freeze(village.person("admin"), village.space, frozen=False)
    assert (await pages.get(village.person("student"), village.facts.pages["open"])).scope == "read-write"


async def test_a_space_closes_is_archived_and_opens_again_step_by_step(village: Village) -> None:
    spaces, admin = village.services.spaces, village.person("admin")
    with pytest.raises(Conflict):
        await spaces.set_status(admin, village.space, SpaceStatus.ARCHIVED)
    for status in (SpaceStatus.CLOSED, SpaceStatus.ARCHIVED):
        await spaces.set_status(admin, village.space, status)
        view = await village.services.pages.get(village.person("student"), village.facts.pages["open"])
        assert (view.scope, view.reason) == ("readonly", "space-closed")
    await spaces.set_status(admin, village.space, SpaceStatus.OPEN)
    with pytest.raises(Conflict):
        await spaces.set_status(admin, village.space, SpaceStatus.ERASED)


async def test_only_confirmed_adults_found_a_space(village: Village) -> None:
    for founder in (village.person("student"), PersonId("nobody")):
        with pytest.raises(Conflict):
            await village.services.spaces.create(
                title="X", summary="", languages=["en"], age_band=AgeBand.FROM_16, founders=[founder]
            )


async def test_a_room_of_another_space_is_not_found(village: Village) -> None:
    for room in (village.facts.rooms["elsewhere-general"], RoomId("nowhere")):
        with pytest.raises(NotFound):
            await village.services.spaces.change_room(village.person("founder"), room, title="X")
