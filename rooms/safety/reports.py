"""Reports by one tap: who hears of them, and that each is answered.

A report goes to the teachers of the school of the pupil who sent it or whom it concerns, and to the admins of
the space; never to the person concerned, who learns nothing of it from any list, notice or log. When nobody
answers in time, when it is too grave to wait, or when there is nobody else to ask, it goes to the national
officers too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import RowMapping, Select, and_, func, insert, select, update

from rooms.accounts.notifications import Notifications
from rooms.accounts.offices import countries_of_officer
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.case_rights import case_rows, countries_of_report, end_case
from rooms.rights.policy import Action, Actor, Target, allowed
from rooms.rights.standing import Standing, page_row, person_actor, stand
from rooms.safety.audit import Audit
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import cases, memberships, people, posts, reports, schools, spaces, threads
from rooms.talk.threads import may_see, thread_rows
from rooms.values import (
    STAFF,
    Clock,
    MembershipId,
    MembershipState,
    NewId,
    Office,
    PersonId,
    PersonKind,
    PersonState,
    PostState,
    ReportId,
    ReportReason,
    ReportState,
    ReportTarget,
    Role,
    SchoolId,
    SpaceId,
)

__all__ = ["ANSWER_SECONDS", "GRAVE", "MOST_OPEN", "MyReport", "ReportView", "Reports"]

ANSWER_SECONDS: Final = 48 * 3600.0
"""After so long without an answer a report goes to the national office."""
GRAVE: Final = frozenset({ReportReason.UNWELCOME, ReportReason.SELF_HARM, ReportReason.VIOLENCE})
"""Reasons that go there at once."""
MOST_OPEN: Final = 20
"""Reports of one person in one space that wait for an answer."""
MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report as somebody sees it who may handle it."""

    id: str
    space_id: str
    space_title: str
    target: ReportTarget
    target_id: str
    thread_id: str | None
    """Where a reported post is."""
    reporter: str | None
    """Membership id, as in the next ones."""
    reporter_name: str | None
    concerned: str | None
    concerned_name: str | None
    reason: ReportReason
    words: str
    state: ReportState
    escalated: bool
    """The national office sees it too."""
    handler: str | None
    answer: str | None
    at: float
    due_at: float
    answered_at: float | None


@dataclass(frozen=True, slots=True)
class MyReport:
    """A report as the person sees it who sent it."""

    id: str
    space_id: str
    target: ReportTarget
    target_id: str
    reason: ReportReason
    words: str
    state: ReportState
    answer: str | None
    at: float
    answered_at: float | None


class Reports:
    """The reports of every space."""

    def __init__(
        self, records: Records, audit: Audit, notifications: Notifications, clock: Clock, new_id: NewId
    ) -> None:
        self._records = records
        self._audit = audit
        self._notifications = notifications
        self._clock = clock
        self._new_id = new_id

    # Sending

    async def send(
        self,
        actor: PersonId,
        space: SpaceId,
        target: ReportTarget,
        target_id: str,
        reason: ReportReason,
        words: str = "",
    ) -> MyReport:
        """Reports something the actor sees. As long as nobody has answered, the same again is one report.

        Raises NotFound, NotAllowed, or Conflict.
        """
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.REPORT)
            me = standing.actor.membership
            if me is None:
                raise NotFound
            concerned = await self._concerned(tx, standing, target, target_id)
            mine = reports.c.reporter_id == me, reports.c.space_id == space, _open()
            same = reports.c.target == target, reports.c.target_id == target_id
            known = await tx.first(select(reports).where(*mine, *same))
            if known is not None:
                return await self._again(tx, known, reason, words)
            if (await tx.value(select(func.count()).select_from(reports).where(*mine))) >= MOST_OPEN:
                raise Conflict(
                    "too-many-reports",
                    "We have many reports from you and read them all. Please wait a little.",
                )
            report, now = ReportId(self._new_id()), self._clock()
            await tx.do(
                insert(reports).values(
                    id=report,
                    space_id=space,
                    reporter_id=me,
                    target=target,
                    target_id=target_id,
                    concerned_id=None if concerned == me else concerned,
                    reason=reason,
                    words=words,
                    state=ReportState.NEW,
                    due_at=now + ANSWER_SECONDS,
                    created_at=now,
                )
            )
            row = await _row(tx, report)
            handlers = await _handlers(tx, row)
            if reason in GRAVE or not handlers:
                await self._escalate(tx, row)
            await self._tell(tx, row, handlers)
            await self._notify(tx, row, handlers, "report")
            return _mine(await _row(tx, report))

    async def _again(self, tx: Writing, known: RowMapping, reason: ReportReason, words: str) -> MyReport:
        """A graver reason counts; what was said first stays."""
        if reason in GRAVE and known["escalated_at"] is None:
            said = "\n".join(part for part in (known["words"], words) if part)
            this = reports.c.id == known["id"]
            await tx.do(update(reports).where(this).values(reason=reason, words=said))
            row = await _row(tx, known["id"])
            await self._escalate(tx, row)
            await self._tell(tx, row, await _handlers(tx, row))
        return _mine(await _row(tx, known["id"]))

    async def _concerned(
        self, tx: Reading, standing: Standing, target: ReportTarget, target_id: str
    ) -> MembershipId | None:
        """Whom a report of this is about. Raises NotFound for what the reporter does not see."""
        if target is ReportTarget.PAGE:
            page = await page_row(tx, target_id)
            if page["space_id"] != standing.space or not standing.may_see_page(page):
                raise NotFound
            return MembershipId(page["author_id"]) if page["author_id"] else None
        if target is ReportTarget.PERSON:
            there = memberships.c.id == target_id, memberships.c.space_id == standing.space
            active = memberships.c.state == MembershipState.ACTIVE
            member = await tx.first(select(memberships.c.id).where(*there, active))
            itself = target_id == standing.actor.membership
            if member is None or itself or not standing.decide(Action.SPACE_READ):
                raise NotFound
            return MembershipId(target_id)
        post = await tx.first(select(posts).where(posts.c.id == target_id))
        if post is None or post["state"] != PostState.VISIBLE:
            raise NotFound
        thread = await tx.first(thread_rows().where(threads.c.id == post["thread_id"]))
        if thread is None or thread["space_id"] != standing.space:
            raise NotFound
        if not may_see(standing, thread):
            raise NotFound
        return MembershipId(post["author_id"]) if post["author_id"] else None

    # Reading

    async def mine(self, actor: PersonId) -> list[MyReport]:
        """What the person has reported, newest first."""
        async with self._records.reading() as tx:
            query = _rows().where(_reporter.c.person_id == actor)
            rows = await tx.all(query.order_by(reports.c.created_at.desc()).limit(MOST_LISTED))
        return [_mine(row) for row in rows]

    async def of_space(self, actor: PersonId, space: SpaceId) -> list[ReportView]:
        """What the actor may handle in a space: open ones first, the newest first. For its staff."""
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock())
            if not standing.is_member:
                raise NotFound
            if not standing.is_staff:
                raise NotAllowed("role")
            rows = await tx.all(_newest(_rows().where(reports.c.space_id == space)))
            return [_view(row) for row in rows if _may_handle(standing.actor, row)][:MOST_LISTED]

    async def escalated(self, actor: PersonId) -> list[ReportView]:
        """What has come to the office of the actor: a national officer's country, a platform admin's all."""
        async with self._records.reading() as tx:
            officer = await person_actor(tx, actor, self._clock())
            if officer.offices.isdisjoint({Office.OFFICER, Office.PLATFORM}):
                return []
            officer = replace(officer, role=None)
            countries = await countries_of_officer(tx, actor, self._clock())
            rows = await tx.all(_newest(_rows().where(reports.c.escalated_at.is_not(None))))
            found = []
            for row in rows:
                if _may_handle(officer, row, countries & await countries_of_report(tx, row)):
                    found.append(_view(row))
            return found[:MOST_LISTED]

    async def of_office(self, tx: Reading, actor: PersonId, report: ReportId) -> ReportView:
        """A report that has come to the actor's office. Raises NotFound."""
        row = await _row(tx, report)
        officer = replace(await person_actor(tx, actor, self._clock()), role=None)
        handles = _may_handle(officer, row, await self._here(tx, actor, row))
        if row["escalated_at"] is None or not handles:
            raise NotFound
        return _view(row)

    # Handling

    async def take(self, actor: PersonId, report: ReportId) -> ReportView:
        """Says that somebody looks after it. Raises NotFound for whoever may not know of the report."""
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, report)
            if row["state"] == ReportState.ANSWERED:
                raise Conflict("answered", "This report has been answered already.")
            if row["state"] != ReportState.TAKEN or row["handler_id"] != standing.actor.membership:
                values = {"state": ReportState.TAKEN, "handler_id": standing.actor.membership}
                await tx.do(update(reports).where(reports.c.id == report).values(values))
                await self._note(tx, standing, row, "report.taken")
                await self._tell(tx, row, await _handlers(tx, row), reporter=True)
            return _view(await _row(tx, report))

    async def answer(
        self, actor: PersonId, report: ReportId, answer: str, action_taken: str | None = None
    ) -> ReportView:
        """Answers the person who reported; ``action_taken`` is for the audit log only."""
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, report)
            if row["state"] == ReportState.ANSWERED:
                raise Conflict("answered", "This report has been answered already.")
            values = {
                "state": ReportState.ANSWERED,
                "handler_id": standing.actor.membership,
                "answer": answer,
                "answered_at": self._clock(),
            }
            await tx.do(update(reports).where(reports.c.id == report).values(values))
            details = {"action_taken": action_taken} if action_taken else {}
            await self._note(tx, standing, row, "report.answered", details)
            if row["reporter_person"]:
                await self._notify(tx, row, [row["reporter_person"]], "report-answered")
            about = cases.c.report_id == report, cases.c.closed_at.is_(None)
            for case in await tx.all(case_rows().where(*about)):
                await end_case(tx, self._audit, self._notifications, case, "answered", self._clock())
            await self._tell(tx, row, await _handlers(tx, row), reporter=True)
            return _view(await _row(tx, report))

    async def escalate_due(self) -> int:
        """Sends what nobody has answered in time to the national office; returns how many there were.

        Every node may call it as often as it likes.
        """
        due = _open(), reports.c.escalated_at.is_(None), reports.c.due_at <= self._clock()
        query = select(reports.c.id).where(*due)
        async with self._records.reading() as tx:
            if await tx.first(query.limit(1)) is None:
                return 0
        async with self._records.writing() as tx:
            found = await tx.all(query)
            for each in found:
                row = await _row(tx, each["id"])
                await self._escalate(tx, row)
                await self._tell(tx, row, await _handlers(tx, row))
        return len(found)

    async def _tell(
        self, tx: Writing, row: RowMapping, handlers: Iterable[str], *, reporter: bool = False
    ) -> None:
        """Only those who may handle it hear that there is something new, and perhaps who sent it."""
        told = {*handlers, *([row["reporter_person"]] if reporter and row["reporter_person"] else [])}
        for person in sorted(told):
            tx.publish(
                Change(
                    "report",
                    space=row["space_id"],
                    person=person,
                    notice=("reports",),
                    told="person",
                    content=True,
                )
            )

    async def _notify(self, tx: Writing, row: RowMapping, whom: Iterable[str], kind: str) -> None:
        people = [PersonId(each) for each in whom]
        await self._notifications.tell(tx, people, kind, SpaceId(row["space_id"]), f"report/{row['id']}")

    async def _escalate(self, tx: Writing, row: RowMapping) -> None:
        values: dict[str, Any] = {"escalated_at": self._clock()}
        if row["state"] == ReportState.NEW:
            values["state"] = ReportState.ESCALATED
        await tx.do(update(reports).where(reports.c.id == row["id"]).values(values))
        await self._note(tx, None, row, "report.escalated")

    async def _find(self, tx: Reading, actor: PersonId, report: ReportId) -> tuple[Standing, RowMapping]:
        """A report the actor may handle. Raises NotFound."""
        row = await _row(tx, report)
        standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock())
        if not _may_handle(standing.actor, row, await self._here(tx, actor, row)):
            raise NotFound
        return standing, row

    async def _here(self, tx: Reading, person: PersonId, row: RowMapping) -> frozenset[str]:
        """The countries a report goes to whose national officer the person is."""
        mine = await countries_of_officer(tx, person, self._clock())
        return mine & await countries_of_report(tx, row)

    async def _note(
        self,
        tx: Writing,
        standing: Standing | None,
        row: RowMapping,
        action: str,
        details: Mapping[str, Any] = {},
    ) -> None:
        by = None if standing is None else standing.actor.membership
        details = {**details, **(standing.office if standing else {})}
        await self._audit.note(
            tx,
            SpaceId(row["space_id"]),
            by,
            action,
            f"report/{row['id']}",
            concerned=row["concerned_id"],
            details=details,
        )


# Who handles what

_reporter, _concerned = memberships.alias("reporter"), memberships.alias("concerned")
_reporting, _person = people.alias("reporting"), people.alias("concerned_person")
_from, _of = schools.alias("reporter_school"), schools.alias("concerned_school")


def _may_handle(actor: Actor, row: RowMapping, countries: Iterable[str] = ()) -> bool:
    """Whether somebody may know of a report and answer it: never who sent it or whom it concerns.

    ``countries`` are those of the report whose national officer the actor is.
    """
    if actor.person in (row["reporter_person"], row["concerned_person"]):
        return False
    extra = frozenset({"escalated"} if row["escalated_at"] is not None and set(countries) else ())
    return any(
        allowed(
            Action.REPORT_HANDLE,
            actor,
            Target(school=row[f"{who}_school"], is_pupil=row[f"{who}_kind"] == PersonKind.PUPIL, extra=extra),
        )
        for who in ("reporter", "concerned")
    )


async def _handlers(tx: Reading, row: RowMapping) -> list[str]:
    """The people in the space who may handle the report."""
    staff = await tx.all(
        select(
            memberships.c.id,
            memberships.c.role,
            people.c.id.label("person"),
            people.c.school_id,
            people.c.state,
        )
        .join(people, people.c.id == memberships.c.person_id)
        .where(
            memberships.c.space_id == row["space_id"],
            memberships.c.state == MembershipState.ACTIVE,
            memberships.c.role.in_(STAFF),
        )
    )
    return [
        each["person"]
        for each in staff
        if PersonState(each["state"]).may_log_in
        and _may_handle(
            Actor(
                person=PersonId(each["person"]),
                role=Role(each["role"]),
                membership=MembershipId(each["id"]),
                school=SchoolId(each["school_id"]) if each["state"] == PersonState.CONFIRMED else None,
            ),
            row,
        )
    ]


# Rows and views


def _open() -> Any:
    return reports.c.state != ReportState.ANSWERED


def _newest(query: Select[Any]) -> Select[Any]:
    return query.order_by(
        reports.c.state == ReportState.ANSWERED, reports.c.created_at.desc(), reports.c.id
    ).limit(5 * MOST_LISTED)


def _rows() -> Select[Any]:
    """Reports with what is needed to know of the people in them; add a ``where``."""
    return (
        select(
            reports,
            spaces.c.title.label("space_title"),
            posts.c.thread_id,
            _reporter.c.person_id.label("reporter_person"),
            _reporting.c.name.label("reporter_name"),
            _reporting.c.kind.label("reporter_kind"),
            _reporting.c.school_id.label("reporter_school"),
            _from.c.country_code.label("reporter_country"),
            _concerned.c.person_id.label("concerned_person"),
            _person.c.name.label("concerned_name"),
            _person.c.kind.label("concerned_kind"),
            _person.c.school_id.label("concerned_school"),
            _of.c.country_code.label("concerned_country"),
        )
        .join(spaces, spaces.c.id == reports.c.space_id)
        .outerjoin(posts, and_(reports.c.target == ReportTarget.POST, posts.c.id == reports.c.target_id))
        .outerjoin(_reporter, _reporter.c.id == reports.c.reporter_id)
        .outerjoin(_reporting, _reporting.c.id == _reporter.c.person_id)
        .outerjoin(_from, _from.c.id == _reporting.c.school_id)
        .outerjoin(_concerned, _concerned.c.id == reports.c.concerned_id)
        .outerjoin(_person, _person.c.id == _concerned.c.person_id)
        .outerjoin(_of, _of.c.id == _person.c.school_id)
    )


async def _row(tx: Reading, report: str) -> RowMapping:
    row = await tx.first(_rows().where(reports.c.id == report))
    if row is None:
        raise NotFound
    return row


def _view(row: RowMapping) -> ReportView:
    return ReportView(
        id=row["id"],
        space_id=row["space_id"],
        space_title=row["space_title"],
        target=ReportTarget(row["target"]),
        target_id=row["target_id"],
        thread_id=row["thread_id"],
        reporter=row["reporter_id"],
        reporter_name=row["reporter_name"],
        concerned=row["concerned_id"],
        concerned_name=row["concerned_name"],
        reason=ReportReason(row["reason"]),
        words=row["words"],
        state=ReportState(row["state"]),
        escalated=row["escalated_at"] is not None,
        handler=row["handler_id"],
        answer=row["answer"],
        at=row["created_at"],
        due_at=row["due_at"],
        answered_at=row["answered_at"],
    )


def _mine(row: RowMapping) -> MyReport:
    return MyReport(
        id=row["id"],
        space_id=row["space_id"],
        target=ReportTarget(row["target"]),
        target_id=row["target_id"],
        reason=ReportReason(row["reason"]),
        words=row["words"],
        state=ReportState(row["state"]),
        answer=row["answer"],
        at=row["created_at"],
        answered_at=row["answered_at"],
    )
