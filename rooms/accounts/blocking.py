"""Whom somebody does not want to read: a setting of their own, of which nobody else is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, not_, or_, select

from rooms.faults import Conflict, NotFound
from rooms.rights.policy import Action, Target, allowed
from rooms.rights.standing import person_actor, stand
from rooms.storage.records import Reading, Records
from rooms.storage.schema import blocks, contacts, direct_messages, memberships, people, spaces
from rooms.values import (
    Clock,
    ContactState,
    MembershipState,
    PersonId,
    PersonKind,
    PersonState,
    SpaceId,
    SpaceStatus,
)

__all__ = ["MOST_BLOCKS", "BlockView", "Blocking", "blocked_by"]

MOST_BLOCKS: Final = 500
"""Of one person."""


@dataclass(frozen=True, slots=True)
class BlockView:
    person_id: str
    name: str | None
    """None for somebody who is in no space with me any more, is no contact, and has not written to me."""
    at: float


class Blocking:
    """Who has blocked whom."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def of(self, person: PersonId) -> list[BlockView]:
        """Whom the person has blocked, the last first."""
        async with self._records.reading() as tx:
            shared = exists(_shared(person).where(_OTHERS.c.person_id == blocks.c.blocked_id))
            met = or_(shared, _in_touch(person, blocks.c.blocked_id))
            rows = await tx.all(
                blocked_by(person)
                .add_columns(people.c.name, blocks.c.created_at, met.label("met"))
                .order_by(blocks.c.created_at.desc(), blocks.c.blocked_id)
            )
        return [
            BlockView(row["blocked_id"], row["name"] if row["met"] else None, row["created_at"])
            for row in rows
        ]

    async def block(self, person: PersonId, other: PersonId) -> None:
        """Raises NotFound for whom the person does not know, and Conflict.

        Who is in a space with them is known, a contact is, and who writes to them.
        """
        async with self._records.writing() as tx:
            await self._require_met(tx, person, other)
            if person == other:
                raise Conflict("yourself", "You cannot block yourself.")
            if await tx.first(select(people.c.id).where(people.c.id == other, _teaches(person))):
                raise Conflict(
                    "own-teacher",
                    "The teachers of your school are there to help you, so they stay reachable.",
                )
            mine = blocks.c.person_id == person
            if await tx.first(select(blocks).where(mine, blocks.c.blocked_id == other)):
                return
            if await tx.value(select(func.count()).select_from(blocks).where(mine)) >= MOST_BLOCKS:
                raise Conflict("too-many-blocks", f"You can block at most {MOST_BLOCKS} people.")
            await tx.do(insert(blocks).values(person_id=person, blocked_id=other, created_at=self._clock()))

    async def unblock(self, person: PersonId, other: PersonId) -> None:
        """Raises NotFound as `block` does, but not for somebody who is blocked."""
        async with self._records.writing() as tx:
            block = and_(blocks.c.person_id == person, blocks.c.blocked_id == other)
            if not await tx.first(select(blocks).where(block)):
                await self._require_met(tx, person, other)
            await tx.do(delete(blocks).where(block))

    async def _require_met(self, tx: Reading, person: PersonId, other: PersonId) -> None:
        shared = await tx.all(_shared(person).where(_OTHERS.c.person_id == other))
        for row in shared:
            standing = await stand(tx, person, SpaceId(row["space_id"]), self._clock())
            if standing.decide(Action.BLOCK_PERSON):
                return
        me = await person_actor(tx, person, self._clock())
        known = await tx.first(select(people.c.id).where(people.c.id == other, _in_touch(person, other)))
        if not known or not allowed(Action.BLOCK_PERSON, me, Target()):
            raise NotFound


_OTHERS: Final = memberships.alias("others")


def _shared(person: PersonId) -> Select[tuple[str]]:
    """The spaces the person is in, once for each member; add a ``where``."""
    return (
        select(_OTHERS.c.space_id)
        .join(memberships, memberships.c.space_id == _OTHERS.c.space_id)
        .join(spaces, spaces.c.id == _OTHERS.c.space_id)
        .where(
            memberships.c.person_id == person,
            memberships.c.state == MembershipState.ACTIVE,
            _OTHERS.c.state == MembershipState.ACTIVE,
            spaces.c.status != SpaceStatus.ERASED,
        )
    )


def _in_touch(person: PersonId, other: ColumnElement[str] | PersonId) -> ColumnElement[bool]:
    """Whether two are contacts, or the other has written to the person, and what they wrote is still kept."""
    me, them = contacts.c.asker_id, contacts.c.asked_id
    pair = or_(and_(me == person, them == other), and_(me == other, them == person))
    written = and_(direct_messages.c.sender_id == other, direct_messages.c.recipient_id == person)
    return or_(
        exists(select(contacts.c.state).where(pair, contacts.c.state == ContactState.ACCEPTED)),
        exists(select(direct_messages.c.id).where(written)),
    )


def _teaches(person: PersonId) -> ColumnElement[bool]:
    """Whether somebody of `people` is a teacher of the school whose pupil the person is."""
    pupil = people.alias("pupil")
    return and_(
        people.c.kind == PersonKind.ADULT,
        people.c.state == PersonState.CONFIRMED,
        exists(
            select(pupil.c.id).where(
                pupil.c.id == person,
                pupil.c.kind == PersonKind.PUPIL,
                pupil.c.school_id == people.c.school_id,
            )
        ),
    )


def blocked_by(person: PersonId, among: Sequence[PersonId] | None = None) -> Select[tuple[str]]:
    """The ids of those whom the person has blocked; who has become their teacher since is not one of them."""
    query = (
        select(blocks.c.blocked_id)
        .join(people, people.c.id == blocks.c.blocked_id)
        .where(blocks.c.person_id == person, not_(_teaches(person)))
    )
    return query if among is None else query.where(blocks.c.blocked_id.in_(among))
