"""The audit log: what is noted, who reads what of it, and that no change of it goes unseen."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select, text, update
from village import Village

from rooms.faults import NotFound
from rooms.safety.audit import ENTRIES_AT_ONCE, ENTRY_LIFE, AuditEntry, broken_chains
from rooms.storage.schema import audit, memberships, settings
from rooms.values import (
    EditRule,
    MembershipState,
    PersonId,
    Role,
    RoomStatus,
    SpaceId,
    SpaceStatus,
)


async def note(village: Village, by: str, action: str, *, concerned: str | None = None) -> None:
    async with village.services.records.writing() as tx:
        await village.services.audit.note(
            tx,
            village.space,
            village.member(by),
            action,
            "post/one",
            concerned=None if concerned is None else village.member(concerned),
            details={"because": "Not kind.", "until": 12.5},
        )


async def read(village: Village, who: str, before: int | None = None) -> list[AuditEntry]:
    return await village.services.audit.of_space(village.person(who), village.space, before)


async def begin(village: Village) -> int:
    """Forgets how the village was furnished: what is in the log now was not asked for by a test."""
    async with village.services.records.reading() as tx:
        here = select(func.count()).where(audit.c.space_id == village.space)
        return int(await tx.value(here) or 0)


async def broken(village: Village) -> int | None:
    async with village.services.records.reading() as tx:
        return await village.services.audit.verify(tx, village.space)


async def test_each_moderating_step_is_noted_with_who_did_it_and_to_whom(village: Village) -> None:
    services, admin = village.services, village.person("admin")
    mate, room, page = village.member("mate"), village.facts.rooms["team"], village.facts.pages["team"]
    had = await begin(village)
    await services.spaces.freeze(admin, village.space, frozen=True)
    await services.spaces.freeze(admin, village.space, frozen=False)
    await services.spaces.set_status(admin, village.space, SpaceStatus.CLOSED)
    await services.spaces.set_status(admin, village.space, SpaceStatus.OPEN)
    await services.spaces.change(admin, village.space, policy={"guests_read": True})
    await services.spaces.set_room_state(admin, room, RoomStatus.READ_ONLY)
    await services.members.mute(admin, mate, "Be kind.", None)
    await services.members.unmute(admin, mate)
    await services.members.change_role(admin, mate, Role.STUDENT_EDITOR)
    await services.members.remove(admin, mate)
    await services.members.place_pupil(admin, village.space, village.person("mate"))
    await services.pages.lock(admin, page, "It is finished.", None)
    await services.pages.unlock(admin, page)
    await services.pages.change(admin, page, {"edit_rule": EditRule.TEACHERS, "title": "New words"})
    await services.pages.bin(admin, page)
    await services.pages.restore(admin, page)
    entries = (await read(village, "admin"))[::-1][had:]
    assert [(entry.action, entry.object) for entry in entries] == [
        ("frozen", f"space/{village.space}"),
        ("unfrozen", f"space/{village.space}"),
        ("status", f"space/{village.space}"),
        ("status", f"space/{village.space}"),
        ("policy", f"space/{village.space}"),
        ("room-state", f"room/{room}"),
        ("muted", f"member/{mate}"),
        ("unmuted", f"member/{mate}"),
        ("role", f"member/{mate}"),
        ("removed", f"member/{mate}"),
        ("placed", f"member/{mate}"),
        ("lock", f"page/{page}"),
        ("unlock", f"page/{page}"),
        ("rules", f"page/{page}"),
        ("binned", f"page/{page}"),
        ("restored", f"page/{page}"),
    ]
    by_action = {entry.action: entry for entry in entries}
    assert {entry.actor for entry in entries} == {village.member("admin")}
    assert by_action["muted"].concerned == mate
    assert by_action["muted"].details == {"because": "Be kind.", "until": None}
    assert by_action["lock"].concerned == village.member("student")
    assert by_action["role"].details == {"from": "student", "to": "student-editor"}
    assert by_action["rules"].details == {"edit_rule": "teachers"}
    assert await broken(village) is None


async def test_what_is_not_done_is_not_noted(village: Village) -> None:
    had = await begin(village)
    with pytest.raises(ValueError, match="in the middle"):
        async with village.services.records.writing() as tx:
            await village.services.audit.note(tx, village.space, None, "hidden", "post/one")
            raise ValueError("in the middle")
    assert await begin(village) == had
    assert await broken(village) is None


async def test_an_admin_reads_all_and_others_what_they_made_or_what_concerns_them(village: Village) -> None:
    steps = [
        ("admin", "one", "mate"),
        ("teacher", "two", "guest"),
        ("partner", "three", "pal"),
        ("founder", "four", "teacher"),
        ("admin", "five", None),
    ]
    present = ("admin", "founder", "teacher", "partner", "mate", "student", "guest")
    had = {who: len(await read(village, who)) for who in present}
    for by, action, concerned in steps:
        await note(village, by, action, concerned=concerned)

    async def seen(who: str) -> list[str]:
        entries = await read(village, who)
        return [entry.action for entry in entries[: len(entries) - had[who]]][::-1]

    assert await seen("admin") == await seen("founder") == ["one", "two", "three", "four", "five"]
    assert await seen("teacher") == ["one", "two", "four"]
    assert await seen("partner") == ["three"]
    assert await seen("mate") == ["one"]
    assert await seen("student") == []
    assert await seen("guest") == ["two"]
    for who in ("removed", "outsider", "stranger"):
        for space in (village.space, SpaceId("no-such-space")):
            with pytest.raises(NotFound):
                await village.services.audit.of_space(village.person(who), space)


async def test_what_is_noted_on_a_report_stays_from_the_person_concerned(village: Village) -> None:
    """Not even a gap in the numbers tells of it."""
    await note(village, "founder", "hidden", concerned="mate")
    await note(village, "founder", "report.taken", concerned="admin")
    await note(village, "founder", "restored", concerned="mate")
    mine, all_of_it = await read(village, "admin"), await read(village, "founder")
    assert [entry.action for entry in mine[:2]] == ["restored", "hidden"]
    assert [entry.action for entry in all_of_it[:3]] == ["restored", "report.taken", "hidden"]
    assert [entry.number for entry in mine] == list(range(len(mine), 0, -1))
    assert len(mine) == len(all_of_it) - 1


async def test_long_logs_are_read_page_by_page(village: Village) -> None:
    for number in range(ENTRIES_AT_ONCE + 20):
        await note(village, "admin", f"step-{number}")
    first = await read(village, "admin")
    second = await read(village, "admin", before=first[-1].number)
    assert len(first) == ENTRIES_AT_ONCE
    assert [entry.action for entry in first[::-1]] == [f"step-{number}" for number in range(20, 70)]
    assert [entry.action for entry in second[:20][::-1]] == [f"step-{number}" for number in range(20)]
    assert await read(village, "admin", before=1) == []


async def test_names_are_told_also_of_those_who_left(village: Village) -> None:
    await note(village, "partner", "muted", concerned="pal")
    async with village.services.records.writing() as tx:
        gone = memberships.c.id == village.member("pal")
        await tx.do(update(memberships).where(gone).values(state=MembershipState.LEFT))
    entry = (await read(village, "admin"))[0]
    assert (entry.actor_name, entry.concerned_name) == ("Partner", "Pal")


@pytest.mark.parametrize(
    "changed",
    [
        {"at": 5.0},
        {"actor_id": "somebody-else"},
        {"action": "restored"},
        {"object": "post/two"},
        {"concerned_id": None},
        {"details": {"because": "Because."}},
        {"previous": "0" * 64},
        {"hash": "0" * 64},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_a_changed_entry_is_found(village: Village, changed: dict[str, object]) -> None:
    had = await begin(village)
    for _ in range(3):
        await note(village, "admin", "hidden", concerned="mate")
    assert await broken(village) is None
    await tamper(village, had + 2, changed)
    assert await broken(village) == had + 2


async def tamper(village: Village, number: int, changed: dict[str, object]) -> None:
    async with village.services.records.writing() as tx:
        row = (audit.c.space_id == village.space) & (audit.c.number == number)
        await tx.do(update(audit).where(row).values(changed))


async def take_out(village: Village, *numbers: int) -> None:
    async with village.services.records.writing() as tx:
        rows = (audit.c.space_id == village.space) & audit.c.number.in_(numbers)
        await tx.do(delete(audit).where(rows))


async def test_details_that_nobody_can_read_are_found(village: Village) -> None:
    had = await begin(village)
    for _ in range(3):
        await note(village, "admin", "hidden")
    if "sqlite" in village.url:
        async with village.services.records.writing() as tx:
            await tx.do(text(f"UPDATE audit SET details = 'no' WHERE number = {had + 2}"))
        assert await broken(village) == had + 2


async def test_an_entry_that_was_taken_out_is_found(village: Village) -> None:
    had = await begin(village)
    for _ in range(3):
        await note(village, "admin", "hidden")
    await take_out(village, had + 2)
    assert await broken(village) == had + 2


async def test_a_tail_or_a_beginning_that_was_cut_off_is_found(village: Village) -> None:
    had = await begin(village)
    for _ in range(3):
        await note(village, "admin", "hidden")
    await take_out(village, had + 2, had + 3)
    assert await broken(village) == had + 2
    await note(village, "admin", "restored")
    assert await broken(village) == had + 2, "going on does not hide it"
    await take_out(village, 1)
    assert await broken(village) == 1


async def test_a_log_that_was_emptied_is_found(village: Village) -> None:
    await note(village, "admin", "hidden")
    await take_out(village, *range(1, await begin(village) + 1))
    assert await broken(village) == 1
    spaces, found = await broken_chains(village.services.records)
    assert spaces >= 1
    assert [(each.space, each.number) for each in found] == [(village.space, 1)]


async def test_entries_behind_the_end_that_is_kept_are_found(village: Village) -> None:
    had = await begin(village)
    await note(village, "admin", "hidden")
    async with village.services.records.writing() as tx:
        await tx.do(delete(settings).where(settings.c.key == f"audit/{village.space}"))
    assert await broken(village) == 1
    await note(village, "admin", "restored")
    assert await begin(village) == had + 2, "moderation goes on"


async def test_what_is_older_than_24_months_is_forgotten_and_the_rest_can_be_verified(
    village: Village,
) -> None:
    had = await begin(village)
    for _ in range(3):
        await note(village, "admin", "old")
    village.clock.now += ENTRY_LIFE - 60
    for _ in range(2):
        await note(village, "admin", "new")
    village.clock.now += 120
    async with village.services.records.writing() as tx:
        assert await village.services.audit.prune(tx) == had + 3
    async with village.services.records.writing() as tx:
        assert await village.services.audit.prune(tx) == 0
    assert [entry.action for entry in await read(village, "admin")] == ["new", "new"]
    assert await broken(village) is None
    village.clock.now += ENTRY_LIFE
    async with village.services.records.writing() as tx:
        assert await village.services.audit.prune(tx) == 2
    assert await broken(village) is None
    await note(village, "admin", "after")
    assert await broken(village) is None
    await tamper(village, had + 6, {"action": "never"})
    assert await broken(village) == had + 6


async def test_a_person_without_rights_here_is_told_nothing(village: Village) -> None:
    with pytest.raises(NotFound):
        await village.services.audit.of_space(PersonId("nobody"), village.space)
