"""Messages between two adults whom their schools have confirmed. Pupils write none and get none.

Contacts write to each other, and so does who shares a space. What somebody writes to a person who has blocked
them is taken like any other message, and never delivered: not while the block lasts, and not after it. Nobody
is told whether they were read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from rooms.accounts.adult_contacts import are_contacts, have_met, require_adults
from rooms.accounts.blocking import blocked_by
from rooms.accounts.notifications import Notifications
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.standing import person_actor
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import direct_messages, people, schools
from rooms.values import Clock, NewId, PersonId, PersonKind, PersonState

__all__ = [
    "MOST_AN_HOUR",
    "MOST_LISTED",
    "MOST_NEW_A_DAY",
    "MOST_READ",
    "Conversation",
    "ConversationLine",
    "ConversationList",
    "DirectMessages",
    "MessageView",
    "Partner",
]

HOUR: Final = 3_600.0
DAY: Final = 86_400.0
MOST_AN_HOUR: Final = 60
"""Messages of one person."""
MOST_NEW_A_DAY: Final = 10
"""People to whom one person writes first."""
MOST_LISTED: Final = 200
MOST_READ: Final = 100
"""Messages that are read at once."""
PREVIEW: Final = 200
WITHHELD: Final = 0.0
"""Stands for when a message was read that is never delivered, since its reader had blocked who wrote it."""


@dataclass(frozen=True, slots=True)
class MessageView:
    id: str
    mine: bool
    key: str | None
    """Of my own: the one it was sent with."""
    body: str
    at: float
    """No two of a conversation have the same."""


@dataclass(frozen=True, slots=True)
class Partner:
    """The other side of a conversation."""

    person_id: str
    name: str
    school: str | None
    town: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class ConversationLine:
    partner: Partner
    last: MessageView
    """With the beginning of its words."""
    unread: int


@dataclass(frozen=True, slots=True)
class ConversationList:
    unread: int
    """Messages, also of conversations that are not listed."""
    conversations: list[ConversationLine]
    """The one written in last first."""


@dataclass(frozen=True, slots=True)
class Conversation:
    partner: Partner
    can_write: bool
    contact: bool
    blocked: bool
    """By me: I cannot write to them until I unblock them."""
    unread: int
    messages: list[MessageView]
    """The first first."""
    more: bool
    """There are others on the side that was asked for: older ones, or newer ones."""


class DirectMessages:
    """What adults write to each other."""

    def __init__(self, records: Records, notifications: Notifications, clock: Clock, new_id: NewId) -> None:
        self._records = records
        self._notifications = notifications
        self._clock = clock
        self._new_id = new_id

    async def send(self, person: PersonId, other: PersonId, *, key: str, body: str) -> MessageView:
        """Writes to somebody; the same key of the same person gives the same message, once.

        Raises NotFound for who is neither a contact nor in a space with the person, NotAllowed and Conflict.
        """
        mine = direct_messages.c.sender_id == person
        async with self._records.writing() as tx:
            known = await tx.first(select(direct_messages).where(mine, direct_messages.c.key == key))
            if known is not None:
                if known["recipient_id"] != other:
                    raise Conflict("key-used", "This key belongs to another message. Use a new one.")
                return _view(known, person)
            await self._require(tx, person, other)
            if await _has_blocked(tx, person, other):
                raise Conflict("blocked-by-you", "You have blocked this person. Unblock them first.")
            now = self._clock()
            last = await tx.value(
                select(func.max(direct_messages.c.created_at)).where(_between(person, other))
            )
            await _require_pace(tx, person, now, new=last is None)
            withheld = await _has_blocked(tx, other, person)
            values: dict[str, Any] = {
                "id": self._new_id(),
                "sender_id": person,
                "recipient_id": other,
                "key": key,
                "body": body,
                "read_at": WITHHELD if withheld else None,
                "created_at": now if last is None or last < now else math.nextafter(last, math.inf),
            }
            await tx.do(insert(direct_messages).values(values))
            tx.publish(_news(person))
            if not withheld:
                tx.publish(_news(other))
                await self._notifications.tell(tx, [other], "message", None, f"person/{person}", by=person)
        return _view(values, person)

    async def of(self, person: PersonId) -> ConversationList:
        """The conversations of a person, without those with whom they have blocked."""
        sender, recipient = direct_messages.c.sender_id, direct_messages.c.recipient_id
        other = case((sender == person, recipient), else_=sender)
        unread = case((_unread_by(person), 1))
        async with self._records.reading() as tx:
            if not await self._is_confirmed(tx, person):
                return ConversationList(0, [])
            last = direct_messages.c.created_at.desc()
            ranked = (
                select(
                    direct_messages.c.id,
                    other.label("other"),
                    func.row_number().over(partition_by=other, order_by=last).label("place"),
                    func.count(unread).over(partition_by=other).label("unread"),
                )
                .where(_seen_by(person))
                .subquery()
            )
            rows = await tx.all(
                _partners()
                .add_columns(direct_messages, ranked.c.unread)
                .join(ranked, ranked.c.other == people.c.id)
                .join(direct_messages, direct_messages.c.id == ranked.c.id)
                .where(ranked.c.place == 1, people.c.id.not_in(blocked_by(person)))
                .order_by(last, direct_messages.c.id)
            )
        lines = [
            ConversationLine(_partner(row), _view(row, person, most=PREVIEW), row["unread"])
            for row in rows[:MOST_LISTED]
        ]
        return ConversationList(sum(row["unread"] for row in rows), lines)

    async def read(
        self,
        person: PersonId,
        other: PersonId,
        *,
        before: float | None = None,
        after: float | None = None,
        most: int = MOST_READ,
    ) -> Conversation:
        """The last messages, or the last before or the first after a time.

        Raises NotFound or NotAllowed where there are none, and none may be written.
        """
        at = direct_messages.c.created_at
        wanted = _between(person, other), _seen_by(person)
        async with self._records.reading() as tx:
            refused: NotFound | NotAllowed | Conflict | None = None
            try:
                await self._require(tx, person, other)
            except (NotFound, NotAllowed, Conflict) as error:
                refused = error
            them = await tx.first(_partners().where(people.c.id == other))
            any_there = await tx.first(select(direct_messages.c.id).where(*wanted).limit(1))
            readable = any_there is not None and await self._is_confirmed(tx, person)
            if them is None or (refused and not readable):
                raise refused or NotFound()
            query = select(direct_messages).where(*wanted).limit(most + 1)
            if after is not None:
                query = query.where(at > after).order_by(at)
            else:
                query = query.where(at < before if before is not None else at >= 0).order_by(at.desc())
            rows = list(await tx.all(query))
            blocked = await _has_blocked(tx, person, other)
            unread = select(func.count()).where(_unread_by(person), direct_messages.c.sender_id == other)
            return Conversation(
                partner=_partner(them),
                can_write=refused is None and not blocked,
                contact=await are_contacts(tx, person, other),
                blocked=blocked,
                unread=await tx.value(unread),
                messages=sorted((_view(row, person) for row in rows[:most]), key=lambda each: each.at),
                more=len(rows) > most,
            )

    async def seen(self, person: PersonId, other: PersonId, until: float) -> None:
        """The person has read what the other wrote up to then. Raises NotFound where they wrote nothing."""
        theirs = direct_messages.c.sender_id == other, direct_messages.c.recipient_id == person
        async with self._records.writing() as tx:
            if await tx.first(select(direct_messages.c.id).where(*theirs, _seen_by(person)).limit(1)) is None:
                raise NotFound
            marked = await tx.do(
                update(direct_messages)
                .where(*theirs, _unread_by(person), direct_messages.c.created_at <= until)
                .values(read_at=self._clock())
            )
            if (
                await tx.first(select(direct_messages.c.id).where(*theirs, _unread_by(person)).limit(1))
                is None
            ):
                await self._notifications.read_about(tx, person, "message", f"person/{other}")
            if marked.rowcount:
                tx.publish(_news(person))

    async def _require(self, tx: Reading, person: PersonId, other: PersonId) -> None:
        """Raises NotFound, NotAllowed or Conflict where one may not write to the other. Blocks aside."""
        if not (await are_contacts(tx, person, other) or await have_met(tx, person, other)):
            raise NotFound
        if person == other:
            raise Conflict("yourself", "You cannot write to yourself.")
        await require_adults(tx, person, other, self._clock())

    async def _is_confirmed(self, tx: Reading, person: PersonId) -> bool:
        actor = await person_actor(tx, person, self._clock())
        return actor.school is not None


def _between(person: PersonId, other: PersonId) -> ColumnElement[bool]:
    sender, recipient = direct_messages.c.sender_id, direct_messages.c.recipient_id
    return or_(
        and_(sender == person, recipient == other),
        and_(sender == other, recipient == person),
    )


def _seen_by(person: PersonId) -> ColumnElement[bool]:
    """What a person has written, and what was delivered to them."""
    return or_(
        direct_messages.c.sender_id == person,
        and_(direct_messages.c.recipient_id == person, direct_messages.c.read_at.is_distinct_from(WITHHELD)),
    )


def _unread_by(person: PersonId) -> ColumnElement[bool]:
    return and_(direct_messages.c.recipient_id == person, direct_messages.c.read_at.is_(None))


def _partners() -> Select[Any]:
    """The adults who are here, with their schools, also those who may not log in now; add a ``where``."""
    return (
        select(
            people.c.id.label("person_id"),
            people.c.name,
            schools.c.name.label("school"),
            schools.c.town,
            schools.c.country_code,
        )
        .select_from(people)
        .outerjoin(schools, schools.c.id == people.c.school_id)
        .where(people.c.kind == PersonKind.ADULT, people.c.state != PersonState.ERASED)
    )


def _partner(row: RowMapping) -> Partner:
    return Partner(row["person_id"], row["name"], row["school"], row["town"], row["country_code"])


def _view(row: RowMapping | dict[str, Any], person: PersonId, *, most: int | None = None) -> MessageView:
    mine = row["sender_id"] == person
    return MessageView(row["id"], mine, row["key"] if mine else None, row["body"][:most], row["created_at"])


def _news(person: PersonId) -> Change:
    """For all that the person has open, in whatever space."""
    return Change("message", person=person, notice=("notifications",), told="person", content=True)


async def _has_blocked(tx: Reading, person: PersonId, other: PersonId) -> bool:
    return await tx.first(blocked_by(person, [other])) is not None


async def _require_pace(tx: Writing, person: PersonId, now: float, *, new: bool) -> None:
    """Raises Conflict where a person has written too much, or to too many whom they did not know."""
    mine, at = direct_messages.c.sender_id == person, direct_messages.c.created_at
    if await tx.value(select(func.count()).where(mine, at > now - HOUR)) >= MOST_AN_HOUR:
        raise Conflict("too-many-messages", "You have written a lot. Wait a while, then send this.")
    if not new:
        return
    begun = (
        select(direct_messages.c.recipient_id.label("other"), func.min(at).label("at"))
        .where(mine)
        .group_by(direct_messages.c.recipient_id)
        .having(func.min(at) > now - DAY)
        .subquery()
    )
    theirs = direct_messages.alias("theirs")
    they_began = exists(
        select(theirs.c.id).where(
            theirs.c.sender_id == begun.c.other,
            theirs.c.recipient_id == person,
            theirs.c.created_at < begun.c.at,
        )
    )
    if await tx.value(select(func.count()).select_from(begun).where(~they_began)) >= MOST_NEW_A_DAY:
        raise Conflict(
            "too-many-new", "You have written to many new people today. Write to the next ones tomorrow."
        )
