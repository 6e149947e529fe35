"""What a log-in may do with the documents of a space, from one moment to the next."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from village import NOON, PASSWORD, Village, email_of

from rooms.rights.access import DENIED, Access, Principal, Scope
from rooms.rights.authority import PALETTE
from rooms.rights.hours import Hours
from rooms.storage.schema import people, schools
from rooms.values import EditRule, PersonState, Role, RoomStatus, SeeRule

HERE = "198.51.100.7"


async def log_in(village: Village, name: str) -> Principal:
    sessions = village.services.sessions
    if name in village.facts.codes:
        return (await sessions.log_in_with_code(village.facts.codes[name], address=HERE)).principal
    return (await sessions.log_in_with_password(email_of(name), PASSWORD, address=HERE)).principal


async def access(village: Village, who: str, document: str) -> Access:
    return await village.services.authority.access(await log_in(village, who), document)


def page(village: Village, name: str) -> str:
    return f"page/{village.facts.pages[name]}"


WHO = ("founder", "admin", "teacher", "partner", "editor", "student", "mate", "pal")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("open", dict.fromkeys(WHO, "read-write")),
        ("team", dict.fromkeys(WHO, "read-write") | {"mate": "none"}),
        ("staff", dict.fromkeys(WHO, "none") | dict.fromkeys(WHO[:4], "read-write")),
        ("elsewhere", dict.fromkeys(WHO, "none")),
    ],
)
async def test_members_write_the_pages_of_their_rooms(
    village: Village, name: str, expected: dict[str, str]
) -> None:
    got = {who: (await access(village, who, page(village, name))).scope.value for who in WHO}
    assert got == expected


async def test_to_others_a_page_is_like_one_that_does_not_exist(village: Village) -> None:
    for who in ("outsider", "stranger"):
        for document in (page(village, "open"), f"space/{village.space}", "page/nowhere", "space/nowhere"):
            assert await access(village, who, document) == DENIED


@pytest.mark.parametrize(
    "document", ["", "page", "page/", "space/", "doc/x", "page/../x", "page/\x00", "x" * 500]
)
async def test_any_other_name_is_denied(village: Village, document: str) -> None:
    assert await access(village, "founder", document) == DENIED


async def test_tokens_open_nothing_here(village: Village) -> None:
    token = Principal("token", f"person:{village.person('founder')}", scope=Scope.READ_WRITE)
    assert await village.services.authority.access(token, page(village, "open")) == DENIED


async def test_the_space_document_is_read_only_for_all_members(village: Village) -> None:
    for who in ("founder", "student"):
        got = await access(village, who, f"space/{village.space}")
        assert (got.scope, got.reason, got.space) == (Scope.READONLY, "server-written", village.space)
    assert (await access(village, "guest", f"space/{village.space}")).scope is Scope.NONE


async def test_presence_and_authorship_are_the_records_own(village: Village) -> None:
    got = await access(village, "student", page(village, "open"))
    assert got.subject == f"membership:{village.member('student')}"
    assert got.presence is not None
    assert got.presence["color"] in PALETTE
    assert {key: got.presence[key] for key in ("id", "name", "role", "school", "country")} == {
        "id": village.person("student"),
        "name": "Student",
        "role": "student",
        "school": "School of Zaragoza",
        "country": "ES",
    }


async def test_a_lock_is_read_only_with_its_words_and_its_end(village: Village) -> None:
    await village.services.pages.lock(
        village.person("founder"), village.facts.pages["open"], "We read it together.", NOON + 60
    )
    principal = await log_in(village, "student")
    got = await village.services.authority.access(principal, page(village, "open"))
    assert (got.scope, got.reason, got.note) == (Scope.READONLY, "locked", "We read it together.")
    assert got.until == NOON + 60
    village.clock.now += 60
    got = await village.services.authority.access(principal, page(village, "open"))
    assert (got.scope, got.reason, got.note, got.until) == (Scope.READ_WRITE, "", "", None)


async def test_rules_act_on_the_next_question(village: Village) -> None:
    pages, founder, open_page = village.services.pages, village.person("founder"), village.facts.pages["open"]
    student, editor = await log_in(village, "student"), await log_in(village, "editor")
    authority = village.services.authority

    async def both() -> tuple[str, str]:
        document = page(village, "open")
        return (
            (await authority.access(student, document)).scope.value,
            (await authority.access(editor, document)).scope.value,
        )

    assert await both() == ("read-write", "read-write")
    await pages.change(founder, open_page, {"edit_rule": EditRule.EDITORS})
    assert await both() == ("readonly", "read-write")
    await pages.change(founder, open_page, {"edit_rule": EditRule.TEACHERS})
    assert await both() == ("readonly", "readonly")
    await pages.change(founder, open_page, {"see_rule": SeeRule.DRAFT})
    assert await both() == ("none", "readonly")
    await pages.change(founder, open_page, {"see_rule": SeeRule.STAFF})
    assert await both() == ("none", "none")
    await pages.bin(founder, open_page)
    assert await authority.access(student, page(village, "open")) == DENIED


async def test_a_role_acts_on_the_next_question(village: Village) -> None:
    services, founder = village.services, village.person("founder")
    await services.pages.change(founder, village.facts.pages["open"], {"edit_rule": EditRule.EDITORS})
    student = await log_in(village, "student")
    assert (await services.authority.access(student, page(village, "open"))).reason == "policy"
    await services.members.change_role(founder, village.member("student"), Role.STUDENT_EDITOR)
    assert (await services.authority.access(student, page(village, "open"))).may_write


async def test_who_was_removed_is_told_so_and_sees_nothing(village: Village) -> None:
    student = await log_in(village, "student")
    await village.services.members.remove(village.person("founder"), village.member("student"))
    for document in (page(village, "open"), f"space/{village.space}"):
        got = await village.services.authority.access(student, document)
        assert (got.scope, got.reason, got.presence) == (Scope.NONE, "removed", None)


async def test_a_log_in_that_is_over_opens_nothing(village: Village) -> None:
    sessions, authority, document = (
        village.services.sessions,
        village.services.authority,
        page(village, "open"),
    )
    here, there = await log_in(village, "student"), await log_in(village, "student")
    assert here.session_id is not None
    await sessions.log_out(here.session_id)
    assert (await authority.access(here, document)).reason == "logged-out"
    assert (await authority.access(there, document)).may_write
    village.clock.now += 12 * 3600
    assert (await authority.access(there, document)).reason == "session-expired"
    forged = Principal("member", f"person:{village.person('founder')}", session_id=there.session_id)
    assert not (await authority.access(forged, document)).may_read


async def test_a_disabled_pupil_opens_nothing(village: Village) -> None:
    student = await log_in(village, "student")
    await village.services.people.change_pupil(
        village.person("teacher"), village.person("student"), disabled=True
    )
    assert not (await village.services.authority.access(student, page(village, "open"))).may_read


async def test_pupils_whose_school_has_no_teacher_left_become_read_only(village: Village) -> None:
    """Invariant 3 of the domain."""
    services, founder = village.services, village.person("founder")
    pal, student = await log_in(village, "pal"), await log_in(village, "student")
    assert (await services.authority.access(pal, page(village, "open"))).may_write
    await services.members.change_role(founder, village.member("partner"), Role.GUEST)
    got = await services.authority.access(pal, page(village, "open"))
    assert (got.scope, got.reason) == (Scope.READONLY, "no-teacher")
    assert (await services.authority.access(student, page(village, "open"))).may_write
    await services.members.change_role(founder, village.member("partner"), Role.TEACHER)
    assert (await services.authority.access(pal, page(village, "open"))).may_write
    await services.members.remove(founder, village.member("partner"))
    assert (await services.authority.access(pal, page(village, "open"))).reason == "no-teacher"


async def test_room_states_act_on_pages(village: Village) -> None:
    spaces, authority = village.services.spaces, village.services.authority
    student, teacher = await log_in(village, "student"), await log_in(village, "teacher")
    got = {}
    for state in RoomStatus:
        await spaces.set_room_state(village.person("admin"), village.facts.rooms["general"], state)
        document = page(village, "open")
        got[state.value] = (
            (await authority.access(student, document)).reason,
            (await authority.access(teacher, document)).reason,
        )
    assert got == {
        "open": ("", ""),
        "supervised": ("supervised", ""),
        "read-only": ("room-read-only", ""),
        "frozen": ("room-frozen", "room-frozen"),
        "archived": ("room-archived", "room-archived"),
    }


async def test_guests_read_only_where_the_space_lets_them(village: Village) -> None:
    guest = await log_in(village, "guest")
    authority, spaces, admin = village.services.authority, village.services.spaces, village.person("admin")
    got = await authority.access(guest, page(village, "open"))
    assert (got.scope, got.reason) == (Scope.NONE, "see-rule")
    await spaces.change(admin, village.space, policy={"guests_read": True})
    assert (await authority.access(guest, page(village, "open"))).scope is Scope.READONLY
    assert (await authority.access(guest, page(village, "team"))).scope is Scope.NONE
    await spaces.change(admin, village.space, policy={"guests_edit": True})
    assert (await authority.access(guest, page(village, "open"))).may_write


# Supervised rooms and opening hours


async def test_who_supervises_and_whose_rights_rest_on_it(village: Village) -> None:
    spaces, admin, general = village.services.spaces, village.person("admin"), village.facts.rooms["general"]
    ebro, douro = village.facts.schools["ebro"], village.facts.schools["douro"]
    await spaces.set_room_state(admin, general, RoomStatus.SUPERVISED)
    for document in (page(village, "open"), f"space/{village.space}"):
        got = {who: (await access(village, who, document)).teacher_of for who in WHO}
        assert got == dict.fromkeys(WHO) | dict.fromkeys(WHO[:3], ebro) | {"partner": douro}
    rests = {who for who in WHO if (await access(village, who, page(village, "open"))).supervised}
    assert rests == {"editor", "student", "mate", "pal"}
    assert not (await access(village, "student", page(village, "team"))).supervised
    whole = {who for who in WHO if (await access(village, who, f"space/{village.space}")).supervised}
    assert whole == rests
    await spaces.set_room_state(admin, general, RoomStatus.OPEN)
    assert not (await access(village, "student", f"space/{village.space}")).supervised


async def test_a_teacher_nobody_has_confirmed_supervises_nobody(village: Village) -> None:
    async with village.services.records.writing() as tx:
        mine = people.c.id == village.person("teacher")
        await tx.do(update(people).where(mine).values(state=PersonState.REGISTERED))
    got = await access(village, "teacher", page(village, "open"))
    assert (got.staff, got.teacher_of) == (True, None)


async def test_a_supervised_room_takes_pupils_edits_while_a_teacher_is_there(village: Village) -> None:
    spaces, supervision = village.services.spaces, village.services.supervision
    supervision.grace = 0.0
    await spaces.set_room_state(
        village.person("admin"), village.facts.rooms["general"], RoomStatus.SUPERVISED
    )
    got = await access(village, "student", page(village, "open"))
    assert (got.scope, got.reason) == (Scope.READONLY, "supervised")
    supervision.heard("node", {village.space: [village.facts.schools["douro"]]})
    assert (await access(village, "student", page(village, "open"))).may_write
    supervision.heard("node", {village.space: []})
    assert not (await access(village, "student", page(village, "open"))).may_write
    assert (await access(village, "teacher", page(village, "open"))).may_write


async def test_rights_end_and_come_back_with_the_opening_hours(village: Village) -> None:
    spaces, admin, general = village.services.spaces, village.person("admin"), village.facts.rooms["general"]
    open_page = page(village, "open")
    await spaces.set_hours(admin, general, Hours.of([3], "12:00", "16:00"))  # it is 12:06:40 in Zaragoza
    ends, begins = NOON - 400.0 + 4 * 3600.0, NOON - 400.0 + 7 * 86_400.0
    got = await access(village, "student", open_page)
    assert (got.scope, got.until) == (Scope.READ_WRITE, ends)
    pal = await access(village, "pal", open_page)  # 11:06:40 in Porto
    assert (pal.scope, pal.reason, pal.until) == (Scope.READONLY, "outside-hours", NOON - 400.0 + 3600.0)
    village.clock.now = ends
    got = await access(village, "student", open_page)
    assert (got.scope, got.reason, got.until) == (Scope.READONLY, "outside-hours", begins)
    teacher = await access(village, "teacher", open_page)
    assert (teacher.scope, teacher.until) == (Scope.READ_WRITE, None)


async def test_a_school_whose_time_zone_nobody_knows_is_never_open(village: Village) -> None:
    hours = Hours.of(range(1, 8), "00:00", "00:00")
    await village.services.spaces.set_hours(village.person("admin"), village.facts.rooms["general"], hours)
    assert (await access(village, "student", page(village, "open"))).may_write
    async with village.services.records.writing() as tx:
        await tx.do(update(schools).values(time_zone="Europe/Atlantis"))
    got = await access(village, "student", page(village, "open"))
    assert (got.scope, got.reason, got.until) == (Scope.READONLY, "outside-hours", None)
