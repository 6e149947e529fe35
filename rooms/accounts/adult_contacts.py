"""Contacts: adults who know each other beyond a space, because both said so. Pupils have none.

Who shares a space may ask; the other answers. A refusal is not announced: who asked goes on seeing that they
have asked, and asking again does nothing for a while. Nor is it told that somebody has blocked one: all looks
as it did, and who has blocked hears nothing. A contact shows a name and a school, and gives no other right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, delete, func, or_, select, update

from rooms.accounts.blocking import blocked_by
from rooms.accounts.notifications import Notifications
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.policy import Action, Target, require
from rooms.rights.standing import person_actor
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import contacts, memberships, people, schools, spaces
from rooms.values import (
    Clock,
    ContactState,
    MembershipState,
    PersonId,
    PersonKind,
    PersonState,
    SpaceStatus,
)

__all__ = [
    "MOST_OPEN",
    "REFUSED_FOR",
    "AdultContacts",
    "ContactList",
    "ContactView",
    "are_contacts",
    "have_met",
    "require_adults",
]

DAY: Final = 86_400.0
REFUSED_FOR: Final = 90 * DAY
"""Seconds for which asking again does nothing."""
MOST_OPEN: Final = 50
"""Requests of one person that nobody has answered."""
TAKEN_BACK: Final = 0.0
"""Stands for when a refused request was made once its asker has taken it back: the refusal outlives it."""


@dataclass(frozen=True, slots=True)
class ContactView:
    person_id: str
    name: str
    school: str
    town: str
    country: str
    since: float
    """When it was accepted; of a request, when it was made."""


@dataclass(frozen=True, slots=True)
class ContactList:
    contacts: list[ContactView]
    """By name."""
    asked_me: list[ContactView]
    """Who waits for my answer, the first first."""
    i_asked: list[ContactView]
    """The last first."""


class AdultContacts:
    """Who knows whom."""

    def __init__(self, records: Records, notifications: Notifications, clock: Clock) -> None:
        self._records = records
        self._notifications = notifications
        self._clock = clock

    async def of(self, person: PersonId) -> ContactList:
        async with self._records.reading() as tx:
            rows = await tx.all(_theirs(person))
        known: list[ContactView] = []
        asked_me: list[ContactView] = []
        i_asked: list[ContactView] = []
        for row in rows:
            if row["state"] == ContactState.ACCEPTED:
                known.append(_view(row, row["answered_at"]))
            elif row["asker_id"] == person:
                i_asked.append(_view(row, row["created_at"]))
            else:
                asked_me.append(_view(row, row["created_at"]))
        known.sort(key=lambda each: (each.name.casefold(), each.person_id))
        asked_me.sort(key=lambda each: (each.since, each.person_id))
        i_asked.sort(key=lambda each: (-each.since, each.person_id))
        return ContactList(known, asked_me, i_asked)

    async def ask(self, person: PersonId, other: PersonId) -> None:
        """Asks somebody whether they want to be a contact, or says yes to somebody who has asked.

        Raises NotFound for somebody who is in no space with the person, NotAllowed and Conflict.
        """
        async with self._records.writing() as tx:
            mine, theirs = await _request(tx, person, other), await _request(tx, other, person)
            asked_me = theirs is not None and _is_open(theirs)
            if not asked_me and not await have_met(tx, person, other):
                raise NotFound
            if person == other:
                raise Conflict("yourself", "You cannot ask yourself.")
            await require_adults(tx, person, other, self._clock())
            if await _has_blocked(tx, person, other):
                raise Conflict("blocked-by-you", "You have blocked this person. Unblock them first.")
            if asked_me:
                await self._accept(tx, other, person)
            elif not any(each and each["state"] == ContactState.ACCEPTED for each in (mine, theirs)):
                await self._open(tx, person, other, mine)

    async def answer(self, person: PersonId, asker: PersonId, *, accept: bool) -> None:
        """Raises NotFound where nobody has asked, or who has asked is gone or blocked."""
        async with self._records.writing() as tx:
            row = await tx.first(
                _theirs(person).where(contacts.c.asker_id == asker, contacts.c.asked_id == person)
            )
            if row is None:
                raise NotFound
            if row["state"] == ContactState.ACCEPTED and accept:
                return
            if row["state"] != ContactState.ASKED:
                raise NotFound
            await require_adults(tx, person, asker, self._clock())
            if accept:
                await self._accept(tx, asker, person)
            else:
                await tx.do(
                    update(contacts)
                    .where(_pair(asker, person))
                    .values(state=ContactState.REFUSED, answered_at=self._clock())
                )

    async def end(self, person: PersonId, other: PersonId) -> None:
        """Takes a request back, or ends a contact for both. Raises NotFound where there is neither."""
        async with self._records.writing() as tx:
            mine = await _request(tx, person, other)
            ended = await tx.do(
                delete(contacts).where(
                    or_(
                        and_(_pair(person, other), contacts.c.state != ContactState.REFUSED),
                        and_(_pair(other, person), contacts.c.state == ContactState.ACCEPTED),
                    )
                )
            )
            if mine is not None and mine["state"] == ContactState.REFUSED and _is_shown(mine):
                await tx.do(update(contacts).where(_pair(person, other)).values(created_at=TAKEN_BACK))
            elif not ended.rowcount:
                raise NotFound

    async def _open(self, tx: Writing, person: PersonId, other: PersonId, mine: RowMapping | None) -> None:
        now, asked_at = self._clock(), None
        if mine is not None and _is_shown(mine):
            if mine["state"] == ContactState.ASKED:
                return
            asked_at = mine["created_at"]
        else:
            await _require_room(tx, person)
        refused_at = mine["answered_at"] if mine is not None else None
        if refused_at is not None and refused_at + REFUSED_FOR <= now:
            refused_at = None
        row = {
            "asker_id": person,
            "asked_id": other,
            "state": ContactState.ASKED if refused_at is None else ContactState.REFUSED,
            "answered_at": refused_at,
            "created_at": now if asked_at is None else asked_at,
        }
        await tx.put(contacts, [row])
        if refused_at is None:
            await self._tell(tx, other, "contact-asked", person)

    async def _accept(self, tx: Writing, asker: PersonId, asked: PersonId) -> None:
        await tx.do(
            update(contacts)
            .where(_pair(asker, asked))
            .values(state=ContactState.ACCEPTED, answered_at=self._clock())
        )
        await tx.do(delete(contacts).where(_pair(asked, asker)))
        await self._tell(tx, asker, "contact-accepted", asked)

    async def _tell(self, tx: Writing, whom: PersonId, kind: str, about: PersonId) -> None:
        if not await _has_blocked(tx, whom, about):
            await self._notifications.tell(tx, [whom], kind, None, f"person/{about}")


def _confirmed() -> ColumnElement[bool]:
    return and_(
        people.c.kind == PersonKind.ADULT,
        people.c.state == PersonState.CONFIRMED,
        people.c.school_id.is_not(None),
    )


def _theirs(person: PersonId) -> Select[Any]:
    """What a person is shown of requests and contacts, with the other's name and school."""
    other = or_(
        and_(contacts.c.asker_id == person, people.c.id == contacts.c.asked_id),
        and_(contacts.c.asked_id == person, people.c.id == contacts.c.asker_id),
    )
    return (
        select(
            contacts,
            people.c.id.label("other"),
            people.c.name,
            schools.c.name.label("school"),
            schools.c.town,
            schools.c.country_code,
        )
        .select_from(contacts)
        .join(people, other)
        .join(schools, schools.c.id == people.c.school_id)
        .where(
            _confirmed(),
            contacts.c.created_at != TAKEN_BACK,
            or_(contacts.c.asker_id == person, contacts.c.state != ContactState.REFUSED),
            people.c.id.not_in(blocked_by(person)),
        )
    )


def _pair(asker: PersonId, asked: PersonId) -> ColumnElement[bool]:
    return and_(contacts.c.asker_id == asker, contacts.c.asked_id == asked)


def _view(row: RowMapping, since: float) -> ContactView:
    return ContactView(row["other"], row["name"], row["school"], row["town"], row["country_code"], since)


def _is_shown(row: RowMapping) -> bool:
    """To its asker."""
    return bool(row["created_at"] != TAKEN_BACK)


def _is_open(row: RowMapping) -> bool:
    """Its asker still waits: also where it was refused, which they do not know."""
    return row["state"] != ContactState.ACCEPTED and _is_shown(row)


async def _request(tx: Reading, asker: PersonId, asked: PersonId) -> RowMapping | None:
    return await tx.first(select(contacts).where(_pair(asker, asked)))


async def _has_blocked(tx: Reading, person: PersonId, other: PersonId) -> bool:
    return await tx.first(blocked_by(person, [other])) is not None


async def are_contacts(tx: Reading, person: PersonId, other: PersonId) -> bool:
    accepted = or_(_pair(person, other), _pair(other, person)), contacts.c.state == ContactState.ACCEPTED
    return await tx.first(select(contacts).where(*accepted)) is not None


async def have_met(tx: Reading, person: PersonId, other: PersonId) -> bool:
    """Whether both are in a space."""
    theirs = memberships.alias("theirs")
    shared = await tx.first(
        select(spaces.c.id)
        .join(memberships, memberships.c.space_id == spaces.c.id)
        .join(theirs, theirs.c.space_id == spaces.c.id)
        .where(
            memberships.c.person_id == person,
            memberships.c.state == MembershipState.ACTIVE,
            theirs.c.person_id == other,
            theirs.c.state == MembershipState.ACTIVE,
            spaces.c.status != SpaceStatus.ERASED,
        )
        .limit(1)
    )
    return shared is not None


async def require_adults(tx: Reading, person: PersonId, other: PersonId, now: float) -> None:
    """Raises NotAllowed unless both are adults whom their school has confirmed, NotFound for who is gone."""
    them = await tx.first(select(people).where(people.c.id == other))
    if them is None or not PersonState(them["state"]).may_log_in:
        raise NotFound
    adult = await tx.first(select(people.c.id).where(people.c.id == other, _confirmed()))
    me = await person_actor(tx, person, now)
    require(Action.MESSAGE, me, Target(extra=frozenset({"to-adult"} if adult else ())))
    if me.school is None:
        raise NotAllowed("role")


async def _require_room(tx: Reading, person: PersonId) -> None:
    waiting = await tx.value(
        select(func.count())
        .select_from(contacts)
        .where(
            contacts.c.asker_id == person,
            contacts.c.state != ContactState.ACCEPTED,
            contacts.c.created_at != TAKEN_BACK,
        )
    )
    if waiting >= MOST_OPEN:
        raise Conflict(
            "too-many-unanswered", f"{MOST_OPEN} people have not answered you yet. Wait, or take some back."
        )
