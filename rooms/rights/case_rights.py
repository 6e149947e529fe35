"""Open cases: what lets a national officer or a platform admin look into a space, and for how long.

A case is about a report that has come to the office, or stands on a legal ground. It is over when it is
closed, when its report is answered, when the appointment it rests on ends, and at latest after 30 days.
Nobody has to notice that for the rights to be gone: they are asked for anew each time.

Whoever reads by a case reads over REST only and holds no document open: so nobody is ever in a room unseen,
nobody's presence is shown, and there is no line whose rights could outlive the case.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import RowMapping, Select, and_, or_, select, update

from rooms.accounts.offices import countries_of_officer
from rooms.storage.schema import cases, memberships, people, posts, reports, schools, spaces
from rooms.values import (
    MembershipId,
    MembershipState,
    Office,
    PersonId,
    PersonState,
    ReportState,
    ReportTarget,
    Role,
    SpaceId,
)

if TYPE_CHECKING:
    from rooms.accounts.notifications import Notifications
    from rooms.safety.audit import Audit
    from rooms.storage.records import Reading, Writing

__all__ = [
    "CASE_LIFE",
    "OpenCase",
    "case_rows",
    "countries_of_report",
    "end_case",
    "note_case",
    "open_case",
    "open_cases",
    "tell_admins",
    "why_over",
]

CASE_LIFE: Final = 30 * 86_400.0
"""Seconds after which a case is over by itself."""


@dataclass(frozen=True, slots=True)
class OpenCase:
    """What a case opens: the space, and of what is hidden there only what its report is about."""

    id: str
    concerned: MembershipId | None
    """Whom the report is about: they learn nothing of it."""
    about: frozenset[str]
    """Ids of the reported post and its thread, of the page, or of the member."""


_reporter, _concerned = memberships.alias("reporter"), memberships.alias("concerned")
_reporting, _person = people.alias("reporting"), people.alias("concerned_person")
_from, _of = schools.alias("reporter_school"), schools.alias("concerned_school")


def case_rows() -> Select[tuple[object, ...]]:
    """Cases with what is needed of their spaces and reports; add a ``where``."""
    return (
        select(
            cases,
            spaces.c.title.label("space_title"),
            reports.c.state.label("report_state"),
            reports.c.target,
            reports.c.target_id,
            reports.c.concerned_id,
            posts.c.thread_id,
            _from.c.country_code.label("reporter_country"),
            _of.c.country_code.label("concerned_country"),
        )
        .join(spaces, spaces.c.id == cases.c.space_id)
        .outerjoin(reports, reports.c.id == cases.c.report_id)
        .outerjoin(posts, and_(reports.c.target == ReportTarget.POST, posts.c.id == reports.c.target_id))
        .outerjoin(_reporter, _reporter.c.id == reports.c.reporter_id)
        .outerjoin(_reporting, _reporting.c.id == _reporter.c.person_id)
        .outerjoin(_from, _from.c.id == _reporting.c.school_id)
        .outerjoin(_concerned, _concerned.c.id == reports.c.concerned_id)
        .outerjoin(_person, _person.c.id == _concerned.c.person_id)
        .outerjoin(_of, _of.c.id == _person.c.school_id)
    )


async def why_over(tx: Reading, row: RowMapping, offices: Collection[Office], now: float) -> str:
    """Why a row of `case_rows` is over for somebody with these offices; empty while it is open."""
    if row["closed_at"] is not None:
        return "closed"
    if row["created_at"] + CASE_LIFE <= now:
        return "expired"
    if row["report_state"] == ReportState.ANSWERED:
        return "answered"
    if Office.PLATFORM in offices:
        return ""
    if row["report_id"] is not None and Office.OFFICER in offices:
        mine = await countries_of_officer(tx, PersonId(row["person_id"]), now)
        if mine & await countries_of_report(tx, row):
            return ""
    return "appointment"


async def open_cases(
    tx: Reading, person: PersonId, space: SpaceId, offices: Collection[Office], now: float
) -> tuple[OpenCase, ...]:
    """The cases by which somebody with these offices may look into a space now, oldest first."""
    rows = await tx.all(
        case_rows()
        .where(cases.c.person_id == person, cases.c.space_id == space, cases.c.closed_at.is_(None))
        .order_by(cases.c.created_at, cases.c.id)
    )
    return tuple([open_case(row) for row in rows if not await why_over(tx, row, offices, now)])


def open_case(row: RowMapping) -> OpenCase:
    """What a row of `case_rows` opens while it is open."""
    return OpenCase(
        row["id"],
        MembershipId(row["concerned_id"]) if row["concerned_id"] else None,
        frozenset(id for id in (row["target_id"], row["thread_id"]) if id),
    )


async def countries_of_report(tx: Reading, row: RowMapping) -> set[str]:
    """Whose national office a report goes to: of both people's schools, else of every school in the space."""
    known = {row["reporter_country"], row["concerned_country"]} - {None}
    if known:
        return known
    here = await tx.all(
        select(schools.c.country_code)
        .distinct()
        .join(memberships, memberships.c.school_id == schools.c.id)
        .where(memberships.c.space_id == row["space_id"], memberships.c.state == MembershipState.ACTIVE)
    )
    return {each["country_code"] for each in here}


async def end_case(
    tx: Writing, audit: Audit, notifications: Notifications, row: RowMapping, how: str, now: float
) -> None:
    """Closes a row of `case_rows`, writes down how it came to its end, and tells the admins."""
    await tx.do(update(cases).where(cases.c.id == row["id"]).values(closed_at=now))
    await note_case(tx, audit, row, "case.closed", {"how": how})
    await tell_admins(tx, notifications, row, "case-closed")


async def note_case(
    tx: Writing, audit: Audit, row: RowMapping, action: str, details: Mapping[str, Any]
) -> None:
    """Under the person concerned, so that they do not read it."""
    concerned = MembershipId(row["concerned_id"]) if row["concerned_id"] else None
    await audit.note(
        tx,
        SpaceId(row["space_id"]),
        None,
        action,
        f"case/{row['id']}",
        concerned=concerned,
        details=details,
    )


async def tell_admins(tx: Writing, notifications: Notifications, row: RowMapping, kind: str) -> None:
    """Every admin and founder of the space, but whom the report concerns and whose case it is."""
    admins = await tx.all(
        select(memberships.c.id, people.c.id.label("person"), people.c.state)
        .join(people, people.c.id == memberships.c.person_id)
        .where(
            memberships.c.space_id == row["space_id"],
            memberships.c.state == MembershipState.ACTIVE,
            or_(memberships.c.role == Role.ADMIN, memberships.c.founder),
        )
    )
    whom = [
        PersonId(each["person"])
        for each in admins
        if PersonState(each["state"]).may_log_in
        and each["id"] != row["concerned_id"]
        and each["person"] != row["person_id"]
    ]
    await notifications.tell(tx, whom, kind, SpaceId(row["space_id"]), f"case/{row['id']}")
