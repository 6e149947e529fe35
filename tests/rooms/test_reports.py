"""Reports: who hears of them and who never does, when they are escalated, and that they are answered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, update
from village import NOON, PASSWORD, Village, email_of

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.safety.reports import ANSWER_SECONDS, GRAVE, MOST_OPEN, MyReport
from rooms.storage.schema import appointments, memberships, posts, reports
from rooms.values import (
    MembershipState,
    Office,
    PersonId,
    PostState,
    ReportId,
    ReportReason,
    ReportState,
    ReportTarget,
    Role,
    SeeRule,
    SpaceId,
    ThreadId,
)

STAFF = ("founder", "admin", "teacher", "partner")


async def send(
    village: Village,
    by: str,
    about: str,
    reason: ReportReason = ReportReason.UNKIND,
    words: str = "",
) -> MyReport:
    """A report of a person."""
    return await village.services.reports.send(
        village.person(by), village.space, ReportTarget.PERSON, village.member(about), reason, words
    )


async def seen_by(village: Village, who: str) -> list[str]:
    reports = await village.services.reports.of_space(village.person(who), village.space)
    return [report.id for report in reports]


async def readers(village: Village, report: str) -> set[str]:
    return {who for who in STAFF if report in await seen_by(village, who)}


def told(village: Village) -> set[str]:
    """Who was told that there is something new."""
    names = {person: name for name, person in village.facts.people.items()}
    changes = village.heard("report")
    assert all(change.told == "person" and change.notice == ("reports",) for change in changes)
    return {names[PersonId(change.person or "")] for change in changes}


async def officer(village: Village, name: str, country: str | None, office: Office = Office.OFFICER) -> None:
    village.facts.people[name] = await village.services.people.add_adult(
        name=name.capitalize(), email=email_of(name), password=PASSWORD, school=None
    )
    await appoint(village, name, country, office)


async def appoint(village: Village, name: str, country: str | None, office: Office = Office.OFFICER) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(
            insert(appointments).values(
                id=f"appointment-{name}",
                person_id=village.person(name),
                office=office,
                country_code=country,
                starts_at=NOON - 1,
            )
        )


async def escalated_to(village: Village, who: str) -> list[str]:
    return [report.id for report in await village.services.reports.escalated(village.person(who))]


async def a_post(village: Village, by: str, room: str = "general") -> str:
    """A post that everybody in the room sees."""
    discussions, founder = village.services.discussions, village.person("founder")
    thread = await discussions.start(
        founder, village.facts.rooms[room], title="Otters", key=f"thread-{by}-{room}"
    )
    made = await discussions.post(
        village.person(by), ThreadId(thread.id), key=f"post-of-{by}-{room}", body="You are all fools."
    )
    async with village.services.records.writing() as tx:
        await tx.do(
            update(posts)
            .where(posts.c.id == made.id)
            .values(state=PostState.VISIBLE, number=made.number or 1)
        )
    return made.id


# Who hears of it


async def test_a_report_goes_to_teachers_of_both_pupils_schools_and_to_the_admins(village: Village) -> None:
    report = await send(village, "mate", "pal", words="He shouts.")
    assert await readers(village, report.id) == told(village) == {"founder", "admin", "teacher", "partner"}
    [view] = await village.services.reports.of_space(village.person("partner"), village.space)
    assert (view.reporter_name, view.concerned_name, view.words) == ("Mate", "Pal", "He shouts.")
    assert (view.state, view.escalated, view.due_at) == (ReportState.NEW, False, NOON + ANSWER_SECONDS)


async def test_a_teacher_of_neither_school_does_not_hear_of_it(village: Village) -> None:
    report = await send(village, "mate", "student")
    assert await readers(village, report.id) == told(village) == {"founder", "admin", "teacher"}
    other = await send(village, "teacher", "guest")
    assert await readers(village, other.id) == {"founder", "admin"}


@pytest.mark.parametrize(
    ("about", "handlers"),
    [
        ("teacher", {"founder", "admin"}),
        ("admin", {"founder", "teacher"}),
        ("founder", {"admin", "teacher"}),
        ("partner", {"founder", "admin", "teacher"}),
    ],
)
async def test_who_is_concerned_sees_nothing_of_it(village: Village, about: str, handlers: set[str]) -> None:
    """In no list, notice, audit entry or answer to what they try."""
    services, concerned = village.services, village.person(about)
    audit_before = len(await services.audit.of_space(concerned, village.space))
    report = await send(village, "mate", about, ReportReason.UNWELCOME)
    assert await readers(village, report.id) == told(village) == handlers
    for step in (
        services.reports.take(concerned, ReportId(report.id)),
        services.reports.answer(concerned, ReportId(report.id), "It is nothing."),
        services.reports.take(concerned, ReportId("no-such-report")),
    ):
        with pytest.raises(NotFound):
            await step
    await services.reports.take(village.person(min(handlers)), ReportId(report.id))
    await services.reports.answer(
        village.person(min(handlers)), ReportId(report.id), "We look after it.", "Talked to them."
    )
    assert about not in told(village)
    assert await seen_by(village, about) == []
    assert await escalated_to(village, about) == []
    assert await services.reports.mine(concerned) == []
    entries = await services.audit.of_space(concerned, village.space)
    assert len(entries) == audit_before
    assert [entry.number for entry in entries] == list(range(audit_before, 0, -1))
    noted = await services.audit.of_space(village.person(min(handlers & {"founder", "admin"})), village.space)
    assert [entry.action for entry in noted[:3]] == ["report.answered", "report.taken", "report.escalated"]
    assert noted[0].details == {"action_taken": "Talked to them."}


async def test_an_officer_who_is_concerned_sees_nothing_of_it(village: Village) -> None:
    await appoint(village, "partner", "PT")
    await appoint(village, "admin", None, Office.PLATFORM)
    await officer(village, "portugal", "PT")
    about_officer = await send(village, "pal", "partner", ReportReason.VIOLENCE)
    about_platform = await send(village, "pal", "admin", ReportReason.VIOLENCE)
    assert await escalated_to(village, "partner") == [about_platform.id]
    assert await escalated_to(village, "admin") == [about_officer.id]
    assert set(await escalated_to(village, "portugal")) == {about_officer.id, about_platform.id}
    with pytest.raises(NotFound):
        await village.services.reports.take(village.person("partner"), ReportId(about_officer.id))


async def test_nobody_handles_what_they_reported_themselves(village: Village) -> None:
    report = await send(village, "teacher", "mate")
    assert await readers(village, report.id) == told(village) == {"founder", "admin"}
    with pytest.raises(NotFound):
        await village.services.reports.answer(village.person("teacher"), ReportId(report.id), "Fine.")


async def test_pupils_guests_and_strangers_handle_nothing(village: Village) -> None:
    services = village.services
    report = await send(village, "mate", "pal")
    for who in ("student", "editor", "mate", "pal", "guest"):
        with pytest.raises(NotAllowed):
            await services.reports.of_space(village.person(who), village.space)
    for who in ("removed", "outsider", "stranger"):
        with pytest.raises(NotFound):
            await services.reports.of_space(village.person(who), village.space)
    for who in ("student", "mate", "pal", "guest", "removed", "outsider", "stranger"):
        with pytest.raises(NotFound):
            await services.reports.take(village.person(who), ReportId(report.id))


# What can be reported


async def test_whom_it_concerns_is_found_out_from_what_was_reported(village: Village) -> None:
    services, mate = village.services, village.person("mate")
    post = await a_post(village, "teacher")
    about_post = await services.reports.send(
        mate, village.space, ReportTarget.POST, post, ReportReason.UNKIND
    )
    assert await readers(village, about_post.id) == {"founder", "admin"}
    page = village.facts.pages["open"]
    about_page = await services.reports.send(mate, village.space, ReportTarget.PAGE, page, ReportReason.SCARY)
    assert await readers(village, about_page.id) == {"admin", "teacher"}
    [first, second] = await services.reports.of_space(village.person("admin"), village.space)
    assert {first.concerned, second.concerned} == {village.member("teacher"), village.member("founder")}
    assert {first.thread_id is None, second.thread_id is None} == {True, False}


async def test_what_others_did_to_my_own_page_concerns_nobody_yet(village: Village) -> None:
    report = await village.services.reports.send(
        village.person("student"),
        village.space,
        ReportTarget.PAGE,
        village.facts.pages["team"],
        ReportReason.UNKIND,
    )
    [view] = await village.services.reports.of_space(village.person("teacher"), village.space)
    assert (view.id, view.concerned) == (report.id, None)


async def test_only_what_the_reporter_sees_can_be_reported(village: Village) -> None:
    services, facts = village.services, village.facts
    hidden_page = await services.pages.create(
        village.person("founder"), facts.rooms["general"], title="Draft"
    )
    await services.pages.change(village.person("founder"), hidden_page.id, {"see_rule": SeeRule.DRAFT})  # type: ignore[arg-type]
    in_team = await a_post(village, "student", "team")
    held = await a_post(village, "pal")
    async with services.records.writing() as tx:
        await tx.do(update(posts).where(posts.c.id == held).values(state=PostState.HELD))
    unseen = [
        (ReportTarget.PAGE, facts.pages["staff"]),
        (ReportTarget.PAGE, hidden_page.id),
        (ReportTarget.PAGE, facts.pages["elsewhere"]),
        (ReportTarget.PAGE, "no-such-page"),
        (ReportTarget.POST, in_team),
        (ReportTarget.POST, held),
        (ReportTarget.POST, "no-such-post"),
        (ReportTarget.PERSON, village.member("removed")),
        (ReportTarget.PERSON, village.member("mate")),
        (ReportTarget.PERSON, village.person("pal")),
        (ReportTarget.PERSON, "nobody"),
    ]
    for target, target_id in unseen:
        with pytest.raises(NotFound):
            await services.reports.send(
                village.person("mate"), village.space, target, target_id, ReportReason.OTHER
            )
    for who in ("removed", "outsider", "stranger"):
        with pytest.raises(NotFound):
            await send(village, who, "mate")
    with pytest.raises(NotFound):
        await services.reports.send(
            village.person("mate"),
            SpaceId("no-such-space"),
            ReportTarget.PERSON,
            village.member("pal"),
            ReportReason.OTHER,
        )
    assert village.heard("report") == []


async def test_guests_report_only_what_they_may_see(village: Village) -> None:
    with pytest.raises(NotFound):
        await send(village, "guest", "mate")
    await village.services.spaces.change(village.person("admin"), village.space, policy={"guests_read": True})
    report = await send(village, "guest", "mate")
    assert await readers(village, report.id) == {"founder", "admin", "teacher"}


async def test_the_same_again_is_one_report_until_it_is_answered(village: Village) -> None:
    first = await send(village, "mate", "pal", words="He shouts.")
    again = await send(village, "mate", "pal", ReportReason.SCARY, "Again.")
    assert (again.id, again.reason, again.words) == (first.id, ReportReason.UNKIND, "He shouts.")
    assert (await send(village, "student", "pal")).id != first.id
    await village.services.reports.answer(village.person("teacher"), ReportId(first.id), "We talked to him.")
    assert (await send(village, "mate", "pal")).id != first.id


async def test_the_same_again_for_a_graver_reason_is_escalated(village: Village) -> None:
    first = await send(village, "mate", "pal", words="He shouts.")
    again = await send(village, "mate", "pal", ReportReason.VIOLENCE, "He hit me.")
    assert (again.id, again.reason, again.state) == (first.id, ReportReason.VIOLENCE, ReportState.ESCALATED)
    assert again.words == "He shouts.\nHe hit me."


async def test_one_person_has_at_most_twenty_open_reports_in_a_space(village: Village) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(
            insert(reports),
            [
                {
                    "id": f"report-{number}",
                    "space_id": village.space,
                    "reporter_id": village.member("mate"),
                    "target": ReportTarget.PAGE,
                    "target_id": f"page-{number}",
                    "reason": ReportReason.OTHER,
                    "words": "",
                    "state": ReportState.NEW,
                    "due_at": NOON + 10,
                    "created_at": NOON,
                }
                for number in range(MOST_OPEN)
            ],
        )
    with pytest.raises(Conflict) as error:
        await send(village, "mate", "pal")
    assert error.value.code == "too-many-reports"
    await send(village, "student", "pal")
    await village.services.reports.answer(village.person("admin"), ReportId("report-3"), "Thank you.")
    await send(village, "mate", "pal")


# Escalation


@pytest.mark.parametrize("reason", list(ReportReason))
async def test_grave_reasons_go_to_the_officers_of_both_countries_at_once(
    village: Village, reason: ReportReason
) -> None:
    await officer(village, "spain", "ES")
    await officer(village, "portugal", "PT")
    await officer(village, "platform", None, Office.PLATFORM)
    await officer(village, "ambassador", "ES", Office.AMBASSADOR)
    report = await send(village, "mate", "student", reason)
    grave = reason in GRAVE
    assert report.state is (ReportState.ESCALATED if grave else ReportState.NEW)
    assert await readers(village, report.id) == {"founder", "admin", "teacher"}
    for who, sees in (("spain", grave), ("portugal", False), ("platform", grave), ("ambassador", False)):
        assert await escalated_to(village, who) == ([report.id] if sees else [])
    with_pal = await send(village, "mate", "pal", reason)
    assert (with_pal.id in await escalated_to(village, "portugal")) is grave


async def test_nobody_but_the_concerned_to_ask_means_the_officers_at_once(village: Village) -> None:
    async with village.services.records.writing() as tx:
        others = [village.member(who) for who in ("admin", "teacher", "partner")]
        await tx.do(
            update(memberships).where(memberships.c.id.in_(others)).values(state=MembershipState.LEFT)
        )
    await officer(village, "spain", "ES")
    report = await send(village, "mate", "founder")
    assert report.state is ReportState.ESCALATED
    assert await escalated_to(village, "spain") == [report.id]
    assert told(village) == set()


async def test_what_nobody_answers_in_two_days_is_escalated_once(village: Village) -> None:
    services = village.services
    await officer(village, "spain", "ES")
    report = await send(village, "mate", "student")
    taken = await send(village, "editor", "student")
    answered = await send(village, "mate", "editor")
    teacher = village.person("teacher")
    await services.reports.take(teacher, ReportId(taken.id))
    await services.reports.answer(teacher, ReportId(answered.id), "We talked to them.")
    village.clock.now += ANSWER_SECONDS - 1
    assert await services.reports.escalate_due() == 0
    assert await escalated_to(village, "spain") == []
    village.clock.now += 1
    village.changes.clear()
    assert await services.reports.escalate_due() == 2
    assert await services.reports.escalate_due() == 0
    assert told(village) == {"founder", "admin", "teacher"}
    assert set(await escalated_to(village, "spain")) == {report.id, taken.id}
    states = {each.id: each.state for each in await services.reports.of_space(teacher, village.space)}
    assert states == {
        report.id: ReportState.ESCALATED,
        taken.id: ReportState.TAKEN,
        answered.id: ReportState.ANSWERED,
    }
    noted = await services.audit.of_space(village.person("admin"), village.space)
    assert [entry.actor for entry in noted if entry.action == "report.escalated"] == [None, None]


async def test_an_officer_answers_what_was_escalated_and_nothing_else(village: Village) -> None:
    services = village.services
    await officer(village, "spain", "ES")
    await officer(village, "portugal", "PT")
    usual = await send(village, "mate", "student")
    grave = await send(village, "mate", "editor", ReportReason.SELF_HARM)
    for who, report in (("spain", usual), ("portugal", grave)):
        with pytest.raises(NotFound):
            await services.reports.take(village.person(who), ReportId(report.id))
    with pytest.raises(NotFound):
        await services.reports.of_space(village.person("spain"), village.space)
    await services.reports.take(village.person("spain"), ReportId(grave.id))
    await services.reports.answer(village.person("spain"), ReportId(grave.id), "We called the school.")
    newest = (await services.audit.of_space(village.person("admin"), village.space))[0]
    assert (newest.action, newest.actor, newest.details) == ("report.answered", None, {"by": "nso-officer"})


async def test_an_appointment_that_is_over_opens_nothing(village: Village) -> None:
    await officer(village, "spain", "ES")
    report = await send(village, "mate", "student", ReportReason.SELF_HARM)
    async with village.services.records.writing() as tx:
        await tx.do(update(appointments).values(ends_at=NOON))
    assert await escalated_to(village, "spain") == []
    with pytest.raises(NotFound):
        await village.services.reports.take(village.person("spain"), ReportId(report.id))


# The answer


async def test_the_person_who_reported_reads_the_answer_and_nothing_else(village: Village) -> None:
    services, mate = village.services, village.person("mate")
    report = await send(village, "mate", "pal", words="He shouts.")
    await services.reports.take(village.person("teacher"), ReportId(report.id))
    assert [each.state for each in await services.reports.mine(mate)] == [ReportState.TAKEN]
    village.changes.clear()
    village.clock.now += 60
    await services.reports.answer(
        village.person("partner"), ReportId(report.id), "Thank you for telling us.", "Called his parents."
    )
    assert "mate" in told(village)
    assert "pal" not in told(village)
    [mine] = await services.reports.mine(mate)
    assert (mine.state, mine.answer, mine.answered_at) == (
        ReportState.ANSWERED,
        "Thank you for telling us.",
        NOON + 60,
    )
    assert await services.reports.mine(village.person("pal")) == []
    for step in (
        services.reports.answer(village.person("teacher"), ReportId(report.id), "No."),
        services.reports.take(village.person("teacher"), ReportId(report.id)),
    ):
        with pytest.raises(Conflict):
            await step


async def test_words_and_answers_are_nowhere_but_in_the_report(village: Village) -> None:
    report = await send(village, "mate", "pal", ReportReason.VIOLENCE, "canary-words")
    await village.services.reports.answer(village.person("teacher"), ReportId(report.id), "canary-answer")
    assert "canary" not in repr(village.changes)
    entries = await village.services.audit.of_space(village.person("founder"), village.space)
    assert "canary" not in repr(entries)


async def test_a_handler_who_is_no_teacher_any_more_sees_nothing(village: Village) -> None:
    report = await send(village, "mate", "student")
    await village.services.members.change_role(
        village.person("founder"), village.member("teacher"), Role.GUEST
    )
    with pytest.raises(NotAllowed):
        await seen_by(village, "teacher")
    with pytest.raises(NotFound):
        await village.services.reports.take(village.person("teacher"), ReportId(report.id))


async def test_a_report_outlives_the_membership_of_whom_it_is_about(village: Village) -> None:
    report = await send(village, "mate", "pal")
    await village.services.members.remove(village.person("founder"), village.member("pal"))
    assert report.id in await seen_by(village, "partner")
    async with village.services.records.reading() as tx:
        row = await tx.first(select(reports).where(reports.c.id == report.id))
    assert row is not None
    assert row["concerned_id"] == village.member("pal")


async def test_handlers_and_the_answered_are_notified_and_the_concerned_is_not(village: Village) -> None:
    """A teacher is concerned: the list of notifications tells them nothing either."""

    async def news(who: str) -> list[str]:
        return [
            each.kind for each in (await village.services.notifications.of(village.person(who))).notifications
        ]

    village.clock.now = datetime(2026, 11, 25, 10, tzinfo=UTC).timestamp()
    report = await send(village, "student", "teacher")
    assert await news("founder") == await news("admin") == ["report"]
    assert await news("teacher") == await news("mate") == []
    await village.services.reports.answer(
        village.person("founder"), ReportId(report.id), "Thank you. We talked."
    )
    assert await news("student") == ["report-answered"]
    assert await news("teacher") == []
    await village.services.members.mute(village.person("teacher"), village.member("mate"), "Loud", None)
    assert await news("mate") == ["muted"]
