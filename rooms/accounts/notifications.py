"""What has happened that somebody should know of: short lines in the app, of ids only.

Pupils hear of nothing at night or at the weekend: what happens then waits for the morning of the next school
day, by the clock of their own school. Adults hear of everything at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, not_, or_, select, update

from rooms.accounts.blocking import blocked_by
from rooms.rights.access import Change
from rooms.rights.hours import Hours
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import memberships, notifications, people, schools
from rooms.values import Clock, MembershipState, NewId, PersonId, PersonKind, SpaceId

__all__ = ["KINDS", "MOST_LISTED", "NotificationList", "NotificationView", "Notifications", "still_there"]

KINDS: Final = frozenset(
    {
        "held",
        "approved",
        "rejected",
        "hidden",
        "mention",
        "reply",
        "report",
        "report-answered",
        "muted",
        "invitation-accepted",
        "partner-accepted",
        "space-asked",
        "space-approved",
        "space-refused",
        "join-asked",
        "join-accepted",
        "join-refused",
        "contact-asked",
        "contact-accepted",
        "message",
        "case-opened",
        "case-closed",
        "floor-asked",
        "floor-granted",
        "floor-refused",
        "floor-taken-back",
        "mute-asked",
        "mute-confirmed",
        "mute-refused",
        "room-archived",
    }
)
BY_OTHERS: Final = frozenset({"mention", "reply", "message"})
"""Kinds by which one person turns to another: not to whom has blocked them."""
MOST_LISTED: Final = 100
DAY: Final = 24 * 3600.0
KEPT_READ: Final = 30 * DAY
KEPT: Final = 90 * DAY
PUPILS_HOURS: Final = Hours.of((1, 2, 3, 4, 5), "07:00", "19:00")
_IDS: Final = re.compile(r"[A-Za-z0-9_/-]{1,80}")


@dataclass(frozen=True, slots=True)
class NotificationView:
    id: str
    kind: str
    """One of `KINDS`."""
    space_id: str | None
    ref: str
    """What it is about, such as ``post/<id>``."""
    details: dict[str, Any]
    """Further ids, by name."""
    at: float
    """When it was delivered."""
    read: bool


@dataclass(frozen=True, slots=True)
class NotificationList:
    unread: int
    notifications: list[NotificationView]
    """The last ones, the newest first."""


class Notifications:
    """The notifications of everybody."""

    def __init__(self, records: Records, clock: Clock, new_id: NewId) -> None:
        self._records = records
        self._clock = clock
        self._new_id = new_id

    async def tell(
        self,
        tx: Writing,
        whom: Iterable[PersonId],
        kind: str,
        space: SpaceId | None,
        ref: str,
        details: Mapping[str, str] = {},
        *,
        by: PersonId | None = None,
    ) -> None:
        """Tells each of these people once, in the transaction in which it happens.

        Nothing is added to an unread notification of the same kind about the same thing. ``by`` is who
        turns to them. Raises ValueError where a detail is more than an id.
        """
        if kind not in KINDS or not all(_IDS.fullmatch(each) for each in (ref, *details.values())):
            raise ValueError("a notification has a known kind, and ids only")
        now = self._clock()
        told = {row["person_id"] for row in await tx.all(_unread(whom, kind, ref))}
        wanted = set(whom) - told
        rows = await tx.all(
            select(people.c.id, people.c.kind, schools.c.time_zone)
            .outerjoin(schools, schools.c.id == people.c.school_id)
            .where(people.c.id.in_(wanted))
        )
        for row in sorted(rows, key=lambda each: str(each["id"])):
            person = PersonId(row["id"])
            if by is not None and kind in BY_OTHERS and await _has_blocked(tx, person, by):
                continue
            deliver_at = now
            if row["kind"] == PersonKind.PUPIL:
                deliver_at = _for_pupils(now, row["time_zone"])
            await tx.do(
                insert(notifications).values(
                    id=self._new_id(),
                    person_id=person,
                    space_id=space,
                    kind=kind,
                    ref=ref,
                    details=dict(details),
                    deliver_at=deliver_at,
                    created_at=now,
                )
            )
            if deliver_at <= now:
                tx.publish(_news(person))

    async def of(self, person: PersonId, most: int = MOST_LISTED) -> NotificationList:
        """What is due for a person, but nothing of a space they are in no more; at most so many of them."""
        async with self._records.reading() as tx:
            due = and_(notifications.c.person_id == person, self._due(), still_there(person))
            unread = await tx.value(
                select(func.count()).select_from(notifications).where(due, notifications.c.read_at.is_(None))
            )
            rows = await tx.all(
                select(notifications)
                .where(due)
                .order_by(notifications.c.deliver_at.desc(), notifications.c.created_at.desc())
                .order_by(notifications.c.id)
                .limit(most)
            )
        return NotificationList(
            unread,
            [
                NotificationView(
                    id=row["id"],
                    kind=row["kind"],
                    space_id=row["space_id"],
                    ref=row["ref"],
                    details=row["details"],
                    at=row["deliver_at"],
                    read=row["read_at"] is not None,
                )
                for row in rows
            ],
        )

    async def read(self, person: PersonId, until: float, ids: Collection[str] | None = None) -> None:
        """The person has seen what was delivered up to ``until``: all of it, or only these."""
        seen = [
            notifications.c.person_id == person,
            notifications.c.read_at.is_(None),
            notifications.c.deliver_at <= until,
            self._due(),
        ]
        if ids is not None:
            seen.append(notifications.c.id.in_(ids))
        async with self._records.writing() as tx:
            marked = await tx.do(update(notifications).where(*seen).values(read_at=self._clock()))
            if marked.rowcount:
                tx.publish(_news(person))

    async def read_about(self, tx: Writing, person: PersonId, kind: str, ref: str) -> None:
        """The person has seen what these told of, in the transaction in which they did."""
        told = notifications.c.person_id == person, notifications.c.kind == kind, notifications.c.ref == ref
        unread = notifications.c.read_at.is_(None)
        await tx.do(update(notifications).where(*told, unread).values(read_at=self._clock()))

    async def forget_old(self) -> None:
        """Removes what was read a month ago, and what is older than three months."""
        now = self._clock()
        async with self._records.writing() as tx:
            await tx.do(
                delete(notifications).where(
                    or_(notifications.c.read_at < now - KEPT_READ, notifications.c.created_at < now - KEPT)
                )
            )

    def _due(self) -> ColumnElement[bool]:
        return notifications.c.deliver_at <= self._clock()


def _for_pupils(now: float, zone: str | None) -> float:
    """The first moment from now on at which a pupil may be told."""
    if PUPILS_HOURS.open_at(now, zone or "UTC"):
        return now
    opens = PUPILS_HOURS.next_turn(now, zone or "UTC")
    return now + DAY if opens is None else opens


def _news(person: PersonId) -> Change:
    """For all that the person has open, in whatever space."""
    return Change("notification", person=person, notice=("notifications",), told="person", content=True)


def _unread(whom: Iterable[PersonId], kind: str, ref: str) -> Any:
    return select(notifications.c.person_id).where(
        notifications.c.person_id.in_(set(whom)),
        notifications.c.kind == kind,
        notifications.c.ref == ref,
        notifications.c.read_at.is_(None),
    )


async def _has_blocked(tx: Reading, person: PersonId, other: PersonId) -> bool:
    return await tx.first(blocked_by(person, [other])) is not None


def still_there(person: PersonId) -> ColumnElement[bool]:
    """Not of a space that the person has left; who never was a member is told as an officer."""
    mine = and_(memberships.c.person_id == person, memberships.c.space_id == notifications.c.space_id)
    membership = select(memberships.c.id).where(mine).correlate(notifications)
    return or_(
        notifications.c.space_id.is_(None),
        exists(membership.where(memberships.c.state == MembershipState.ACTIVE)),
        not_(exists(membership)),
    )
