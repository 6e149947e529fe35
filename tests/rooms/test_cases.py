"""Cases of officers: what one opens and what not, who hears of it and who never does, and that it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import insert, select, update
from test_reports import a_post, appoint, officer, send
from village import NOON, PASSWORD, Village, email_of

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Scope
from rooms.rights.case_rights import CASE_LIFE
from rooms.safety.cases import AROUND, CaseView
from rooms.storage.schema import appointments, cases, notifications
from rooms.values import (
    Office,
    PageId,
    PersonId,
    PostId,
    PostState,
    ReportId,
    ReportReason,
    ReportTarget,
    SeeRule,
    SpaceStatus,
    ThreadId,
    ThreadKind,
)

DAY = 86_400.0


async def offices(village: Village) -> None:
    await officer(village, "spain", "ES")
    await officer(village, "madrid", "ES")
    await officer(village, "portugal", "PT")
    await officer(village, "platform", None, Office.PLATFORM)


async def report_of_post(village: Village, by: str = "mate", author: str = "student") -> tuple[str, PostId]:
    """An escalated report of a post, both of the Spanish school."""
    post = await a_post(village, author)
    sent = await village.services.reports.send(
        village.person(by), village.space, ReportTarget.POST, post, ReportReason.VIOLENCE, "Look at this."
    )
    return sent.id, PostId(post)


async def a_case(village: Village, report: str, who: str = "spain", ground: str = "") -> CaseView:
    return await village.services.cases.open(village.person(who), ReportId(report), ground)


async def entries(village: Village, who: str) -> list[tuple[str, str]]:
    """What somebody reads of the audit log, newest first."""
    found = await village.services.audit.of_space(village.person(who), village.space)
    return [(entry.action, entry.object) for entry in found]


async def told(village: Village, kind: str) -> set[str]:
    names = {person: name for name, person in village.facts.people.items()}
    async with village.services.records.reading() as tx:
        rows = await tx.all(select(notifications).where(notifications.c.kind == kind))
    assert all(row["space_id"] == village.space and not row["details"] for row in rows)
    return {names[PersonId(row["person_id"])] for row in rows}


async def ways_in(village: Village, who: str, post: PostId) -> dict[str, bool]:
    """Which doors into the space are open to somebody."""
    services, person, space = village.services, village.person(who), village.space
    doors: dict[str, Callable[[], Awaitable[object]]] = {
        "space": lambda: services.spaces.get(person, space),
        "members": lambda: services.members.of_space(person, space),
        "pages": lambda: services.pages.of_space(person, space),
        "page": lambda: services.pages.get(person, village.facts.pages["staff"]),
        "content": lambda: services.cases.read_page(person, village.facts.pages["staff"]),
        "threads": lambda: services.discussions.of_space(person, space),
        "original": lambda: services.moderation.original(person, post),
        "audit": lambda: services.audit.of_space(person, space),
    }
    found = {}
    for name, door in doors.items():
        try:
            await door()
            found[name] = True
        except NotFound:
            found[name] = False
    return found


# Opening


async def test_an_officer_opens_a_case_on_a_report_that_has_come_to_their_country(village: Village) -> None:
    await offices(village)
    report, post = await report_of_post(village)
    assert not any((await ways_in(village, "spain", post)).values())
    case = await a_case(village, report, ground="The school has asked us to look.")
    assert (case.space_id, case.report_id, case.over) == (village.space, report, "")
    assert case.ends_at == case.at + CASE_LIFE == NOON + CASE_LIFE
    assert all((await ways_in(village, "spain", post)).values())
    assert [each.id for each in await village.services.cases.of(village.person("spain"))] == [case.id]
    for other in ("madrid", "portugal"):
        assert not any((await ways_in(village, other, post)).values())
        assert await village.services.cases.of(village.person(other)) == []
        with pytest.raises(NotFound):
            await village.services.cases.get(village.person(other), case.id)


async def test_nobody_opens_a_case_on_what_has_not_come_to_their_office(village: Village) -> None:
    await offices(village)
    usual = await send(village, "mate", "student")
    grave = await send(village, "mate", "editor", ReportReason.SELF_HARM)
    for who, report in (
        ("spain", usual.id),
        ("platform", usual.id),
        ("portugal", grave.id),
        ("founder", grave.id),
        ("teacher", grave.id),
        ("mate", grave.id),
        ("spain", "no-such-report"),
    ):
        with pytest.raises(NotFound):
            await a_case(village, report, who)
    await a_case(village, grave.id, "platform")


async def test_there_is_one_open_case_for_an_officer_and_a_report(village: Village) -> None:
    await offices(village)
    report, _ = await report_of_post(village)
    first = await a_case(village, report)
    with pytest.raises(Conflict):
        await a_case(village, report)
    await a_case(village, report, "madrid")
    await village.services.cases.close(village.person("spain"), first.id)
    again = await a_case(village, report)
    listed = await village.services.cases.of(village.person("spain"))
    assert [(each.id, each.over) for each in listed] == [(again.id, ""), (first.id, "closed")]


async def test_a_platform_admin_opens_a_case_on_a_legal_ground(village: Village) -> None:
    await offices(village)
    cases_, person = village.services.cases, village.person("platform")
    for who in ("spain", "founder", "outsider"):
        with pytest.raises(NotFound):
            await cases_.open_on_ground(village.person(who), village.space, "An order of a court.")
    case = await cases_.open_on_ground(person, village.space, "An order of a court.")
    file = await cases_.get(person, case.id)
    assert (file.report, file.thread, file.page, file.person) == (None, None, None, None)
    assert len(await village.services.members.of_space(person, village.space)) > 3
    with pytest.raises(Conflict):
        await cases_.open_on_ground(person, village.space, "Another.")
    with pytest.raises(NotFound):
        await village.services.spaces.get(person, village.facts.spaces["elsewhere"])


# Who hears of it


async def test_admins_and_founders_are_told_that_a_case_is_opened_and_when_it_is_over(
    village: Village,
) -> None:
    await offices(village)
    report, _ = await report_of_post(village)
    case = await a_case(village, report, ground="The school has asked us to look.")
    assert await told(village, "case-opened") == {"founder", "admin"}
    [entry] = [
        entry
        for entry in await village.services.audit.of_space(village.person("admin"), village.space)
        if entry.action == "case.opened"
    ]
    assert (entry.actor, entry.object, entry.concerned) == (
        None,
        f"case/{case.id}",
        village.member("student"),
    )
    assert entry.details == {
        "by": "nso-officer",
        "because": "The school has asked us to look.",
        "report": report,
    }
    assert await told(village, "case-closed") == set()
    await village.services.cases.close(village.person("spain"), case.id)
    assert await told(village, "case-closed") == {"founder", "admin"}
    assert (await entries(village, "admin"))[0] == ("case.closed", f"case/{case.id}")


@pytest.mark.parametrize("concerned", ["founder", "admin"])
async def test_whom_the_report_concerns_learns_nothing_of_the_case(village: Village, concerned: str) -> None:
    await offices(village)
    services, spain = village.services, village.person("spain")
    other = {"founder": "admin", "admin": "founder"}[concerned]
    report = await send(village, "mate", concerned, ReportReason.UNWELCOME)
    before = await entries(village, concerned)
    case = await a_case(village, report.id, ground=f"{concerned} is said to write to pupils.")
    file = await services.cases.get(spain, case.id)
    assert file.person is not None
    assert (file.person.name, file.person.founder) == (concerned.capitalize(), concerned == "founder")
    await services.pages.get(spain, village.facts.pages["staff"])
    await services.discussions.of_space(spain, village.space)
    await services.reports.answer(spain, ReportId(report.id), "We have talked to the school.")
    assert await entries(village, concerned) == before
    assert len(await entries(village, other)) > len(before)
    assert await told(village, "case-opened") == await told(village, "case-closed") == {other}
    mine = await services.notifications.of(village.person(concerned))
    assert all(not each.kind.startswith(("case", "report")) for each in mine.notifications)
    for change in village.changes:
        if change.person == village.person(concerned):
            assert not change.kind.startswith(("case", "report"))


# What it opens


async def test_the_reported_words_are_read_also_when_hidden_and_those_around_as_they_are_seen(
    village: Village,
) -> None:
    await offices(village)
    services, founder = village.services, village.person("founder")
    report, post = await report_of_post(village)
    thread = (await services.reports.escalated(village.person("spain")))[0].thread_id
    assert thread is not None
    told_later = []
    for number in range(AROUND + 3):
        made = await services.discussions.post(
            founder, ThreadId(thread), key=f"after-{number:04}", body=f"After {number}"
        )
        told_later.append(made.id)
    await services.moderation.hide(founder, post)
    await services.moderation.hide(founder, PostId(told_later[0]))
    case = await a_case(village, report)
    file = await services.cases.get(village.person("spain"), case.id)
    assert file.thread is not None
    assert file.report is not None
    assert file.person is not None
    assert (file.report.words, file.person.name, file.thread.title) == ("Look at this.", "Student", "Otters")
    [reported] = [each for each in file.thread.posts if each.reported]
    assert (reported.id, reported.state, reported.body) == (post, PostState.HIDDEN, "You are all fools.")
    after = file.thread.posts[file.thread.posts.index(reported) + 1 :]
    assert [each.body for each in after] == ["", *(f"After {number}" for number in range(1, AROUND))]
    assert (await services.moderation.original(village.person("spain"), post)).body == "You are all fools."
    with pytest.raises(NotAllowed):
        await services.moderation.original(village.person("spain"), PostId(told_later[0]))
    whole = await services.cases.thread(village.person("spain"), case.id, ThreadId(thread))
    assert [each.number for each in whole.posts] == list(range(1, AROUND + 5))
    early = await services.cases.thread(village.person("spain"), case.id, ThreadId(thread), before=3)
    assert [each.number for each in early.posts] == [1, 2]


async def test_held_posts_of_others_and_questions_to_a_teacher_stay_closed(village: Village) -> None:
    await offices(village)
    services, spain = village.services, village.person("spain")
    report, _ = await report_of_post(village)
    case = await a_case(village, report)
    view = (await services.reports.escalated(spain))[0]
    held = await services.discussions.post(
        village.person("pal"), ThreadId(view.thread_id or ""), key="held-0001", body="otter@mail.example"
    )
    assert held.state is PostState.HELD
    asked = await services.discussions.start(
        village.person("student"),
        village.facts.rooms["general"],
        title="Help",
        kind=ThreadKind.ASK,
        key="ask-00001",
        body="Can you help me?",
    )
    assert asked.id not in {each.id for each in await services.discussions.of_space(spain, village.space)}
    file = await services.cases.get(spain, case.id)
    assert file.thread is not None
    assert held.id not in {each.id for each in file.thread.posts}
    for closed in (
        lambda: services.discussions.get(spain, ThreadId(asked.id)),
        lambda: services.cases.thread(spain, case.id, ThreadId(asked.id)),
        lambda: services.moderation.hide(spain, PostId(held.id)),
        lambda: services.moderation.original(spain, PostId(held.id)),
    ):
        with pytest.raises(NotFound):
            await closed()


async def test_a_reported_page_is_read_also_as_a_draft_and_in_the_bin(village: Village) -> None:
    await offices(village)
    services, spain, founder = village.services, village.person("spain"), village.person("founder")
    for title in ("Reported", "Other"):
        page = await services.pages.create(founder, village.facts.rooms["general"], title=title)
        village.facts.pages[title] = PageId(page.id)
    reported, other = village.facts.pages["Reported"], village.facts.pages["Other"]
    sent = await services.reports.send(
        village.person("mate"), village.space, ReportTarget.PAGE, reported, ReportReason.VIOLENCE
    )
    case = await a_case(village, sent.id)
    for page in (reported, other):
        await services.pages.change(founder, page, {"see_rule": SeeRule.DRAFT})
    await services.cases.read_page(spain, reported)
    with pytest.raises(NotFound):
        await services.cases.read_page(spain, other)
    for page in (reported, other):
        await services.pages.bin(founder, page)
    await services.cases.read_page(spain, reported)
    with pytest.raises(NotFound):
        await services.cases.read_page(spain, other)
    file = await services.cases.get(spain, case.id)
    assert file.page is not None
    assert (file.page.title, file.page.binned) == ("Reported", True)


async def test_an_officer_acts_by_a_case_and_the_log_says_which_office(village: Village) -> None:
    await offices(village)
    services, spain = village.services, village.person("spain")
    report, post = await report_of_post(village)
    await a_case(village, report)
    await services.moderation.hide(spain, post, "This is not kind.")
    with pytest.raises(NotAllowed):
        await services.moderation.restore(village.person("student"), post)
    assert (await services.moderation.restore(spain, post)).body == "You are all fools."
    await services.members.mute(spain, village.member("student"), "Until we have talked.", None)
    await services.members.unmute(spain, village.member("student"))
    await services.spaces.freeze(spain, village.space, frozen=True)
    await services.spaces.freeze(spain, village.space, frozen=False)
    await services.spaces.set_status(spain, village.space, SpaceStatus.CLOSED)
    await services.spaces.set_status(spain, village.space, SpaceStatus.OPEN)
    await services.members.remove(spain, village.member("partner"))
    with pytest.raises(NotAllowed):
        await services.members.remove(spain, village.member("founder"))
    found = await services.audit.of_space(village.person("admin"), village.space)
    acts = [entry for entry in found if not entry.action.startswith(("case", "report"))][:9]
    assert [entry.action for entry in reversed(acts)] == [
        *("hidden", "restored", "muted", "unmuted", "frozen", "unfrozen", "status", "status", "removed")
    ]
    assert all(entry.actor is None and entry.details["by"] == "nso-officer" for entry in acts)


async def test_what_a_case_does_not_open(village: Village) -> None:
    await offices(village)
    services, spain = village.services, village.person("spain")
    report, post = await report_of_post(village)
    await a_case(village, report)
    view = (await services.reports.escalated(spain))[0]
    thread, page = ThreadId(view.thread_id or ""), village.facts.pages["open"]
    denied: list[Callable[[], Awaitable[object]]] = [
        lambda: services.discussions.post(spain, thread, key="not-mine-1", body="Hello"),
        lambda: services.discussions.edit(spain, post, "Kinder words"),
        lambda: services.discussions.react(spain, post, "heart", on=True),
        lambda: services.discussions.raise_hand(spain, thread, up=False),
        lambda: services.discussions.change(spain, thread, pinned=True),
        lambda: services.discussions.lock(spain, thread, "Enough"),
        lambda: services.moderation.decide(spain, post, approve=False),
        lambda: services.moderation.held(spain, village.space),
        lambda: services.pages.change(spain, page, {"title": "Ours"}),
        lambda: services.pages.bin(spain, page),
        lambda: services.pages.create(spain, village.facts.rooms["general"], title="Ours"),
        lambda: services.spaces.change(spain, village.space, title="Ours"),
        lambda: services.members.change_role(spain, village.member("teacher"), "admin"),  # type: ignore[arg-type]
        lambda: services.reports.of_space(spain, village.space),
        lambda: services.spaces.get(spain, village.facts.spaces["elsewhere"]),
    ]
    for attempt in denied:
        with pytest.raises((NotAllowed, NotFound)):
            await attempt()
    for name in ("student", "founder"):
        [seen] = [
            member
            for member in await services.members.of_space(spain, village.space)
            if member.id == village.member(name)
        ]
        assert seen.can["reset_code"] is seen.can["role"] is False
    with pytest.raises(NotFound):
        await services.reports.answer(village.person("portugal"), ReportId(report), "No.")


async def test_no_document_opens_to_a_socket_by_a_case(village: Village) -> None:
    await offices(village)
    services, spain = village.services, village.person("spain")
    report, post = await report_of_post(village)
    await a_case(village, report)
    made = await services.sessions.log_in_with_password(email_of("spain"), PASSWORD, address="")
    view = (await services.reports.escalated(spain))[0]
    for document in (
        f"thread/{view.thread_id}",
        f"page/{village.facts.pages['open']}",
        f"space/{village.space}",
    ):
        assert (await services.authority.access(made.principal, document)).scope is Scope.NONE
    assert (await services.moderation.original(spain, post)).body


async def test_what_is_read_is_noted_once_a_day_for_each_case(village: Village) -> None:
    await offices(village)
    services, spain = village.services, village.person("spain")
    report, _ = await report_of_post(village)
    second = await send(village, "mate", "editor", ReportReason.SELF_HARM)
    case, other = await a_case(village, report), await a_case(village, second.id)
    page = f"page/{village.facts.pages['open']}"

    async def notes() -> list[str]:
        found = await services.audit.of_space(village.person("admin"), village.space)
        read = [entry for entry in found if (entry.action, entry.object) == ("case.read", page)]
        assert all(entry.details["by"] == "nso-officer" for entry in read)
        return sorted(entry.details["case"] for entry in read)

    for _ in range(3):
        await services.pages.get(spain, village.facts.pages["open"])
    assert await notes() == sorted([case.id, other.id])
    village.clock.now += DAY
    await services.pages.get(spain, village.facts.pages["open"])
    assert await notes() == sorted(2 * [case.id, other.id])
    await services.cases.get(spain, other.id)
    assert ("case.read", f"report/{second.id}") in await entries(village, "admin")
    async with services.records.reading() as tx:
        assert await services.audit.verify(tx, village.space) is None


# How it ends


@pytest.mark.parametrize("how", ["closed", "answered", "expired", "appointment", "country"])
async def test_a_case_ends_and_its_rights_with_it(village: Village, how: str) -> None:
    await offices(village)
    services, spain = village.services, village.person("spain")
    report, post = await report_of_post(village)
    case = await a_case(village, report)
    assert all((await ways_in(village, "spain", post)).values())
    if how == "closed":
        await services.cases.close(spain, case.id)
    elif how == "answered":
        await services.reports.answer(village.person("admin"), ReportId(report), "We talked.")
    elif how == "expired":
        village.clock.now += CASE_LIFE
    else:
        async with services.records.writing() as tx:
            ended = update(appointments).where(appointments.c.person_id == spain)
            await tx.do(ended.values(ends_at=NOON))
            if how == "country":
                later = {"id": "appointment-later", "person_id": spain, "office": Office.OFFICER}
                await tx.do(
                    insert(appointments).values(**later, country_code="PT", starts_at=village.clock.now)
                )
    over = "appointment" if how == "country" else how
    assert not any((await ways_in(village, "spain", post)).values())
    for attempt in (services.cases.get, services.cases.close):
        with pytest.raises(NotFound):
            await attempt(spain, case.id)
    if how != "appointment":
        assert [each.over for each in await services.cases.of(spain)] == [
            "closed" if how == "answered" else over
        ]
    await services.cases.close_due()
    assert await services.cases.close_due() == 0
    async with services.records.reading() as tx:
        row = await tx.first(select(cases))
    assert row is not None
    assert row["closed_at"] == village.clock.now
    assert await told(village, "case-closed") == {"founder", "admin"}
    [closed] = [
        entry
        for entry in await services.audit.of_space(village.person("admin"), village.space)
        if entry.action == "case.closed"
    ]
    assert closed.details == {"how": over}


async def test_a_member_who_is_an_officer_gains_by_a_case_and_not_by_the_office(village: Village) -> None:
    await appoint(village, "guest", "ES")
    services, guest = village.services, village.person("guest")
    report, post = await report_of_post(village)
    with pytest.raises(NotAllowed):
        await services.pages.of_space(guest, village.space)
    case = await a_case(village, report, "guest")
    assert await services.pages.of_space(guest, village.space)
    with pytest.raises(NotFound):
        await services.discussions.post(
            guest,
            ThreadId((await services.reports.escalated(guest))[0].thread_id or ""),
            key="guest-0001",
            body="Hello",
        )
    await services.cases.close(guest, case.id)
    with pytest.raises(NotAllowed):
        await services.pages.of_space(guest, village.space)
    with pytest.raises(NotFound):
        await services.moderation.original(guest, post)


async def test_an_officer_whom_the_report_concerns_opens_no_case(village: Village) -> None:
    await appoint(village, "teacher", "ES")
    report = await send(village, "mate", "teacher", ReportReason.UNWELCOME)
    with pytest.raises(NotFound):
        await a_case(village, report.id, "teacher")
    await officer(village, "spain", "ES")
    await a_case(village, report.id)
    assert await told(village, "case-opened") == {"founder", "admin"}
