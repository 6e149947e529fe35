"""The cases of national officers and platform admins: opened in the open, read, and closed again.

What a case opens is in rooms/rights/case_rights.py. Every admin of the space hears that one is opened and
when it is over, and what is read by it stands in the audit log; only whom its report concerns learns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import RowMapping, Select, insert, select

from rooms.accounts.notifications import Notifications
from rooms.faults import Conflict, NotFound
from rooms.rights.case_rights import (
    CASE_LIFE,
    case_rows,
    end_case,
    note_case,
    open_case,
    tell_admins,
    why_over,
)
from rooms.rights.policy import Action, Actor, Target, allowed
from rooms.rights.standing import Standing, page_row, person_actor, stand
from rooms.safety.audit import Audit
from rooms.safety.reports import Reports, ReportView
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import cases, memberships, pages, people, posts, rooms, schools, threads
from rooms.talk.threads import document_of, may_see, thread_rows
from rooms.values import (
    Clock,
    MembershipState,
    NewId,
    Office,
    PersonId,
    PersonKind,
    PostState,
    ReportId,
    ReportState,
    ReportTarget,
    Role,
    SpaceId,
    ThreadId,
)

__all__ = ["AROUND", "CaseFile", "CasePage", "CasePerson", "CasePost", "CaseThread", "CaseView", "Cases"]

AROUND: Final = 10
"""So many posts are shown before and after the reported one."""
AT_ONCE: Final = 100
"""Posts of a thread that are read at once."""
MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class CaseView:
    id: str
    space_id: str
    space_title: str
    report_id: str | None
    ground: str
    at: float
    ends_at: float
    """When it is over by itself."""
    over: str
    """``closed``, ``answered``, ``expired`` or ``appointment``; empty while it is open."""


@dataclass(frozen=True, slots=True)
class CasePost:
    """A post as it is seen; of what is hidden only the reported one has its words."""

    id: str
    number: int | None
    state: PostState
    author: str | None
    """Membership id."""
    author_name: str | None
    author_role: Role | None
    school: str | None
    country: str | None
    body: str
    options: list[str] | None
    language: str | None
    at: float
    edited_at: float | None
    reported: bool


@dataclass(frozen=True, slots=True)
class CaseThread:
    id: str
    title: str
    room_title: str
    posts: list[CasePost]
    """In their order."""


@dataclass(frozen=True, slots=True)
class CasePage:
    id: str
    title: str
    room_title: str
    binned: bool


@dataclass(frozen=True, slots=True)
class CasePerson:
    """Whom the report is about. A pupil's name is a pseudonym."""

    id: str
    name: str
    role: Role
    kind: PersonKind
    founder: bool
    active: bool
    """Still a member."""
    school: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """An open case, and what it is about."""

    case: CaseView
    report: ReportView | None
    thread: CaseThread | None
    """The reported post in its surroundings."""
    page: CasePage | None
    person: CasePerson | None


class Cases:
    """The cases of every officer."""

    def __init__(
        self,
        records: Records,
        reports: Reports,
        audit: Audit,
        notifications: Notifications,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._records = records
        self._reports = reports
        self._audit = audit
        self._notifications = notifications
        self._clock = clock
        self._new_id = new_id

    # Opening and closing

    async def open(self, actor: PersonId, report: ReportId, ground: str = "") -> CaseView:
        """Opens a case on a report that has come to the actor's office. Raises NotFound or Conflict."""
        async with self._records.writing() as tx:
            found = await self._reports.of_office(tx, actor, report)
            officer = await self._officer(tx, actor, Target(extra=frozenset({"escalated"})))
            if found.state is ReportState.ANSWERED:
                raise Conflict("answered", "This report has been answered already.")
            return await self._open(tx, officer, SpaceId(found.space_id), report, ground)

    async def open_on_ground(self, actor: PersonId, space: SpaceId, ground: str) -> CaseView:
        """Opens a case without a report, on a legal ground: for platform admins. Raises as `open`."""
        async with self._records.writing() as tx:
            officer = await self._officer(tx, actor, Target())
            await stand(tx, actor, space, self._clock())
            return await self._open(tx, officer, space, None, ground)

    async def close(self, actor: PersonId, case: str) -> None:
        """Ends the actor's own open case. Raises NotFound."""
        async with self._records.writing() as tx:
            row, _ = await self._find(tx, actor, case)
            await end_case(tx, self._audit, self._notifications, row, "closed", self._clock())

    async def close_due(self) -> int:
        """Writes down which cases are over by now; returns how many.

        Every node may call it as often as it likes.
        """
        async with self._records.reading() as tx:
            if not await self._due(tx):
                return 0
        async with self._records.writing() as tx:
            due = await self._due(tx)
            for row, how in due:
                await end_case(tx, self._audit, self._notifications, row, how, self._clock())
        return len(due)

    async def _due(self, tx: Reading) -> list[tuple[RowMapping, str]]:
        rows = await tx.all(case_rows().where(cases.c.closed_at.is_(None)).order_by(cases.c.id))
        return [(row, how) for row in rows if (how := await self._why_over(tx, row))]

    async def _why_over(self, tx: Reading, row: RowMapping) -> str:
        now = self._clock()
        officer = await person_actor(tx, PersonId(row["person_id"]), now)
        return await why_over(tx, row, officer.offices, now)

    async def _officer(self, tx: Reading, actor: PersonId, target: Target) -> Actor:
        """Raises NotFound for whoever may not open a case about this."""
        officer = replace(await person_actor(tx, actor, self._clock()), role=None)
        if not allowed(Action.CASE_OPEN, officer, target):
            raise NotFound
        return officer

    async def _open(
        self, tx: Writing, officer: Actor, space: SpaceId, report: ReportId | None, ground: str
    ) -> CaseView:
        same = (
            cases.c.person_id == officer.person,
            cases.c.space_id == space,
            cases.c.report_id.is_(None) if report is None else cases.c.report_id == report,
            cases.c.closed_at.is_(None),
        )
        for row in await tx.all(case_rows().where(*same)):
            how = await self._why_over(tx, row)
            if not how:
                raise Conflict("case-open", "You have an open case about this already.")
            await end_case(tx, self._audit, self._notifications, row, how, self._clock())
        case = self._new_id()
        await tx.do(
            insert(cases).values(
                id=case,
                space_id=space,
                person_id=officer.person,
                report_id=report,
                ground=ground,
                created_at=self._clock(),
            )
        )
        row = await _row(tx, case)
        details = {
            "by": min(officer.offices & {Office.OFFICER, Office.PLATFORM}),
            **({"because": ground} if ground else {}),
            **({"report": report} if report else {}),
        }
        await note_case(tx, self._audit, row, "case.opened", details)
        await tell_admins(tx, self._notifications, row, "case-opened")
        return _view(row, "")

    # Reading

    async def of(self, actor: PersonId) -> list[CaseView]:
        """The cases of an officer, open ones first, then the newest; nobody else has any."""
        async with self._records.reading() as tx:
            officer = await person_actor(tx, actor, self._clock())
            if officer.offices.isdisjoint({Office.OFFICER, Office.PLATFORM}):
                return []
            rows = await tx.all(
                case_rows()
                .where(cases.c.person_id == actor)
                .order_by(cases.c.closed_at.is_not(None), cases.c.created_at.desc(), cases.c.id)
                .limit(MOST_LISTED)
            )
            return [_view(row, await why_over(tx, row, officer.offices, self._clock())) for row in rows]

    async def get(self, actor: PersonId, case: str) -> CaseFile:
        """An open case of the actor's own, and what it is about. Raises NotFound."""
        async with self._records.reading() as tx:
            row, standing = await self._find(tx, actor, case)
            report = thread = page = person = None
            seen = f"space/{standing.space}"
            if row["report_id"] is not None:
                report = await self._reports.of_office(tx, actor, ReportId(row["report_id"]))
                seen = f"report/{report.id}"
                if row["thread_id"] is not None:
                    thread = await _around(tx, row["thread_id"], report.target_id)
                    seen = document_of(row["thread_id"])
                if report.target is ReportTarget.PAGE:
                    page = await _page(tx, report.target_id)
                if report.concerned is not None:
                    person = await _person(tx, report.concerned)
        await self._audit.note_reading(standing, seen)
        return CaseFile(_view(row, ""), report, thread, page, person)

    async def thread(
        self, actor: PersonId, case: str, thread: ThreadId, before: int | None = None
    ) -> CaseThread:
        """The last posts of a thread of the space, or those before a number. Raises NotFound."""
        async with self._records.reading() as tx:
            row, standing = await self._find(tx, actor, case)
            found = await tx.first(thread_rows().where(threads.c.id == thread))
            here = found is not None and found["space_id"] == standing.space
            if found is None or not here or not may_see(standing, found):
                raise NotFound
            earlier = _seen(thread) if before is None else _seen(thread).where(posts.c.number < before)
            last = await tx.all(earlier.order_by(posts.c.number.desc()).limit(AT_ONCE))
            view = _thread(found, reversed(last), row["target_id"])
        await self._audit.note_reading(standing, document_of(thread))
        return view

    async def read_page(self, actor: PersonId, page: str) -> None:
        """Says that the actor reads a page by a case; a reported one also when it is in the bin.

        Raises NotFound where no case lets them.
        """
        async with self._records.reading() as tx:
            binned = await tx.value(select(pages.c.binned_at).where(pages.c.id == page)) is not None
            row = await page_row(tx, page, binned=binned)
            standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock(), by_case=True)
            if not standing.cases or not (standing.is_about(page) or standing.may_see_page(row)):
                raise NotFound
        await self._audit.note_reading(standing, f"page/{page}")

    async def _find(self, tx: Reading, actor: PersonId, case: str) -> tuple[RowMapping, Standing]:
        """An open case of the actor's own, and where it alone lets them stand. Raises NotFound."""
        row = await _row(tx, case)
        if row["person_id"] != actor:
            raise NotFound
        standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock(), by_case=True)
        if case not in {each.id for each in standing.cases}:
            raise NotFound
        return row, replace(standing, cases=(open_case(row),))


async def _row(tx: Reading, case: str) -> RowMapping:
    row = await tx.first(case_rows().where(cases.c.id == case))
    if row is None:
        raise NotFound
    return row


def _view(row: RowMapping, over: str) -> CaseView:
    return CaseView(
        id=row["id"],
        space_id=row["space_id"],
        space_title=row["space_title"],
        report_id=row["report_id"],
        ground=row["ground"],
        at=row["created_at"],
        ends_at=row["created_at"] + CASE_LIFE,
        over=over,
    )


# What a case is about


def _posts() -> Select[Any]:
    """Posts with what is told of their authors; add a ``where``."""
    return (
        select(
            posts,
            memberships.c.role,
            people.c.name,
            schools.c.name.label("school"),
            schools.c.country_code,
        )
        .outerjoin(memberships, memberships.c.id == posts.c.author_id)
        .outerjoin(people, people.c.id == memberships.c.person_id)
        .outerjoin(schools, schools.c.id == people.c.school_id)
    )


def _seen(thread: str) -> Select[Any]:
    """What stands in a thread for everybody, stubs too; add an order."""
    states = posts.c.state.in_((PostState.VISIBLE, PostState.HIDDEN))
    return _posts().where(posts.c.thread_id == thread, states, posts.c.number.is_not(None))


async def _around(tx: Reading, thread: str, post: str) -> CaseThread | None:
    """The reported post, in whatever state it is, between those that stand around it."""
    row = await tx.first(thread_rows().where(threads.c.id == thread))
    reported = await tx.first(_posts().where(posts.c.id == post))
    if row is None or reported is None:
        return None
    number = reported["number"]
    others = _seen(thread).where(posts.c.id != post)
    last = posts.c.number.desc()
    if number is None:  # it was never seen: what was written before it
        earlier = posts.c.created_at <= reported["created_at"]
        before, after = await tx.all(others.where(earlier).order_by(last).limit(AROUND)), []
    else:
        before = await tx.all(others.where(posts.c.number < number).order_by(last).limit(AROUND))
        later = others.where(posts.c.number > number).order_by(posts.c.number).limit(AROUND)
        after = list(await tx.all(later))
    return _thread(row, [*reversed(before), reported, *after], post)


def _thread(row: RowMapping, found: Iterable[RowMapping], reported: str | None) -> CaseThread:
    return CaseThread(row["id"], row["title"], row["room_title"], [_post(each, reported) for each in found])


def _post(row: RowMapping, reported: str | None) -> CasePost:
    told = row["state"] == PostState.VISIBLE or row["id"] == reported
    return CasePost(
        id=row["id"],
        number=row["number"],
        state=PostState(row["state"]),
        author=row["author_id"],
        author_name=row["name"],
        author_role=Role(row["role"]) if row["role"] else None,
        school=row["school"],
        country=row["country_code"],
        body=row["body"] if told else "",
        options=row["options"] if told else None,
        language=row["language"],
        at=row["created_at"],
        edited_at=row["edited_at"],
        reported=row["id"] == reported,
    )


async def _page(tx: Reading, page: str) -> CasePage | None:
    row = await tx.first(
        select(pages.c.id, pages.c.title, pages.c.binned_at, rooms.c.title.label("room_title"))
        .join(rooms, rooms.c.id == pages.c.room_id)
        .where(pages.c.id == page)
    )
    if row is None:
        return None
    return CasePage(row["id"], row["title"], row["room_title"], row["binned_at"] is not None)


async def _person(tx: Reading, member: str) -> CasePerson | None:
    row = await tx.first(
        select(
            memberships.c.id,
            memberships.c.role,
            memberships.c.founder,
            memberships.c.state,
            people.c.name,
            people.c.kind,
            schools.c.name.label("school"),
            schools.c.country_code,
        )
        .join(people, people.c.id == memberships.c.person_id)
        .outerjoin(schools, schools.c.id == people.c.school_id)
        .where(memberships.c.id == member)
    )
    if row is None:
        return None
    return CasePerson(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        kind=PersonKind(row["kind"]),
        founder=row["founder"],
        active=row["state"] == MembershipState.ACTIVE,
        school=row["school"],
        country=row["country_code"],
    )
