"""Groups, and how teachers come into one: by invitation, by asking, or by themselves, as its join rule says.

Nobody is told who is in a group before they are in it themselves. Whoever an admin has taken out does not
come back by themselves: even where everybody may join, they ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import RowMapping, and_, func, insert, select, update

from rooms.accounts.blocking import blocked_by
from rooms.accounts.notifications import Notifications
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.policy import Action, Actor, Target, allowed
from rooms.rights.standing import person_actor, stand
from rooms.safety.audit import Audit
from rooms.spaces.members import admins_of, join
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import join_requests, memberships, people, schools, spaces
from rooms.values import (
    Clock,
    JoinRequestState,
    JoinRule,
    MembershipId,
    MembershipState,
    NewId,
    PersonId,
    PersonState,
    Role,
    SchoolId,
    SpaceId,
    SpaceKind,
    SpaceStatus,
)

__all__ = ["ASK_AGAIN", "MOST_WAITING", "GroupView", "JoinRequestView", "Joining", "Mine"]

DAY: Final = 86_400.0
ASK_AGAIN: Final = {JoinRequestState.REFUSED: 30 * DAY, JoinRequestState.WITHDRAWN: 600.0}
"""Seconds until somebody may ask the same group again: since the answer, or since they asked."""
MOST_WAITING: Final = 20
"""Requests of one person that nobody has answered."""
MOST_LISTED: Final = 500


class Mine(StrEnum):
    """What I am to a group."""

    NOTHING = ""
    MEMBER = "member"
    WAITING = "waiting"
    REFUSED = "refused"
    """For a while I cannot ask again."""


@dataclass(frozen=True, slots=True)
class GroupView:
    """What every teacher is told of a group."""

    id: str
    title: str
    summary: str
    languages: list[str]
    featured: bool
    join_rule: JoinRule
    members: int
    mine: Mine


@dataclass(frozen=True, slots=True)
class JoinRequestView:
    id: str
    name: str
    school: str | None
    town: str | None
    country: str | None
    words: str
    """Empty for an admin who has blocked the person."""
    at: float


class Joining:
    """The groups of an installation, and who wants to come in."""

    def __init__(
        self, records: Records, audit: Audit, notifications: Notifications, clock: Clock, new_id: NewId
    ) -> None:
        self._records = records
        self._audit = audit
        self._notifications = notifications
        self._clock = clock
        self._new_id = new_id

    # For every teacher

    async def groups(self, actor: PersonId) -> list[GroupView]:
        """The groups that are open, the featured ones first. Raises NotAllowed."""
        inside = and_(memberships.c.space_id == spaces.c.id, memberships.c.state == MembershipState.ACTIVE)
        members = select(func.count()).select_from(memberships).where(inside).scalar_subquery()
        mine = memberships.alias("mine")
        async with self._records.reading() as tx:
            await self._teacher(tx, actor)
            rows = await tx.all(
                select(
                    spaces,
                    members.label("members"),
                    mine.c.state.label("membership"),
                    join_requests.c.state.label("request"),
                    join_requests.c.decided_at.label("answered_at"),
                )
                .outerjoin(mine, and_(mine.c.space_id == spaces.c.id, mine.c.person_id == actor))
                .outerjoin(
                    join_requests,
                    and_(join_requests.c.space_id == spaces.c.id, join_requests.c.person_id == actor),
                )
                .where(spaces.c.kind == SpaceKind.GROUP, spaces.c.status == SpaceStatus.OPEN)
                .order_by(spaces.c.featured.desc(), spaces.c.title, spaces.c.id)
                .limit(MOST_LISTED)
            )
        return [
            GroupView(
                id=row["id"],
                title=row["title"],
                summary=row["summary"],
                languages=row["languages"],
                featured=row["featured"],
                join_rule=JoinRule(row["join_rule"]),
                members=row["members"],
                mine=self._mine(row),
            )
            for row in rows
        ]

    def _mine(self, row: RowMapping) -> Mine:
        if row["membership"] == MembershipState.ACTIVE:
            return Mine.MEMBER
        if row["request"] == JoinRequestState.WAITING:
            return Mine.WAITING
        refused = row["request"] == JoinRequestState.REFUSED
        again = (row["answered_at"] or 0.0) + ASK_AGAIN[JoinRequestState.REFUSED]
        return Mine.REFUSED if refused and again > self._clock() else Mine.NOTHING

    async def join(self, actor: PersonId, space: SpaceId, words: str = "") -> Mine:
        """Comes into a group, or asks to. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            teacher = await self._teacher(tx, actor)
            if teacher.school is None:
                raise NotAllowed("not-confirmed")
            row = await self._group(tx, space)
            known = await tx.first(
                select(memberships).where(memberships.c.space_id == space, memberships.c.person_id == actor)
            )
            state = known["state"] if known else None
            if state == MembershipState.ACTIVE:
                return Mine.MEMBER
            if row["join_rule"] == JoinRule.INVITATION:
                raise Conflict("by-invitation", "This group is by invitation only.")
            if row["join_rule"] == JoinRule.OPEN and state != MembershipState.REMOVED:
                if row["frozen"]:
                    raise Conflict("space-frozen", "The group is frozen for now. Please try again later.")
                await self._admit(tx, space, actor, teacher.school, by=None)
                return Mine.MEMBER
            await self._ask(tx, space, actor, words)
            return Mine.WAITING

    async def withdraw(self, actor: PersonId, space: SpaceId) -> None:
        """Takes a waiting request back. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            await self._teacher(tx, actor)
            await self._group(tx, space)
            known = await self._request_of(tx, space, actor)
            if known is None or known["state"] != JoinRequestState.WAITING:
                raise Conflict("no-request", "You have no request that waits here.")
            await tx.do(
                update(join_requests)
                .where(join_requests.c.id == known["id"])
                .values(state=JoinRequestState.WITHDRAWN, words="")
            )
            await self._note(tx, space, None, "join-withdrawn", known["id"])

    async def _ask(self, tx: Writing, space: SpaceId, actor: PersonId, words: str) -> None:
        known, now = await self._request_of(tx, space, actor), self._clock()
        if known is not None and known["state"] == JoinRequestState.WAITING:
            await tx.do(update(join_requests).where(join_requests.c.id == known["id"]).values(words=words))
            return
        if known is not None:
            since = known["decided_at"] if known["state"] == JoinRequestState.REFUSED else known["created_at"]
            if now < (since or 0.0) + ASK_AGAIN.get(JoinRequestState(known["state"]), 0.0):
                raise Conflict("asked-lately", "You have asked this group not long ago. Please wait a while.")
        waiting = await tx.value(
            select(func.count()).where(
                join_requests.c.person_id == actor, join_requests.c.state == JoinRequestState.WAITING
            )
        )
        if waiting >= MOST_WAITING:
            raise Conflict("too-many-requests", f"At most {MOST_WAITING} of your requests can wait at once.")
        values = {
            "words": words,
            "state": JoinRequestState.WAITING,
            "decided_by": None,
            "decided_because": None,
            "decided_at": None,
            "created_at": now,
        }
        request = known["id"] if known else self._new_id()
        if known is None:
            await tx.do(insert(join_requests).values(id=request, space_id=space, person_id=actor, **values))
        else:
            await tx.do(update(join_requests).where(join_requests.c.id == request).values(values))
        await self._note(tx, space, None, "join-asked", request)
        admins = [PersonId(row["person_id"]) for row in await admins_of(tx, space)]
        whom = [admin for admin in admins if not await tx.first(blocked_by(admin, [actor]))]
        await self._notifications.tell(tx, whom, "join-asked", space, f"space/{space}")

    # For the admins of a group

    async def requests(self, actor: PersonId, space: SpaceId) -> list[JoinRequestView]:
        """What waits for an answer, the longest first. Raises NotFound or NotAllowed."""
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.ADULT_INVITE)
            rows = await tx.all(
                select(
                    join_requests,
                    people.c.name,
                    schools.c.name.label("school"),
                    schools.c.town,
                    schools.c.country_code.label("country"),
                )
                .join(people, people.c.id == join_requests.c.person_id)
                .outerjoin(schools, schools.c.id == people.c.school_id)
                .where(
                    join_requests.c.space_id == space,
                    join_requests.c.state == JoinRequestState.WAITING,
                    people.c.state == PersonState.CONFIRMED,
                )
                .order_by(join_requests.c.created_at, join_requests.c.id)
                .limit(MOST_LISTED)
            )
            askers = [PersonId(row["person_id"]) for row in rows]
            blocked = {row["blocked_id"] for row in await tx.all(blocked_by(actor, askers))}
        return [
            JoinRequestView(
                id=row["id"],
                name=row["name"],
                school=row["school"],
                town=row["town"],
                country=row["country"],
                words="" if row["person_id"] in blocked else row["words"],
                at=row["created_at"],
            )
            for row in rows
        ]

    async def answer(self, actor: PersonId, request: str, *, accept: bool, because: str = "") -> None:
        """Lets somebody in who has asked, or not. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            row = await tx.first(select(join_requests).where(join_requests.c.id == request))
            if row is None:
                raise NotFound
            space, asker = SpaceId(row["space_id"]), PersonId(row["person_id"])
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.ADULT_INVITE)
            if row["state"] != JoinRequestState.WAITING:
                raise Conflict("answered", "This request waits no more.")
            if standing.status is not SpaceStatus.OPEN:
                raise Conflict("not-open", "The group is not open.")
            by = standing.actor.membership
            if accept:
                teacher = await person_actor(tx, asker, self._clock())
                if teacher.school is None:
                    raise Conflict("not-confirmed", "This person is no confirmed teacher any more.")
                await self._admit(tx, space, asker, teacher.school, by=by)
            state = JoinRequestState.ACCEPTED if accept else JoinRequestState.REFUSED
            values = {
                "state": state,
                "words": "",
                "decided_by": by,
                "decided_because": because,
                "decided_at": self._clock(),
            }
            await tx.do(update(join_requests).where(join_requests.c.id == request).values(values))
            await self._note(tx, space, by, f"join-{state}", request)
            await self._notifications.tell(tx, [asker], f"join-{state}", space, f"space/{space}")

    async def set_rule(self, actor: PersonId, space: SpaceId, rule: JoinRule) -> None:
        """Says how teachers come into a group. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.SPACE_SETTINGS)
            if await tx.value(select(spaces.c.kind).where(spaces.c.id == space)) != SpaceKind.GROUP:
                raise Conflict("not-a-group", "People come into a project by invitation.")
            await tx.do(update(spaces).where(spaces.c.id == space).values(join_rule=rule))
            tx.publish(Change("join-rule", space=space, notice=("space",), content=True))
            await self._audit.note(
                tx, space, standing.actor.membership, "join-rule", f"space/{space}", details={"to": rule}
            )

    # Parts

    async def _teacher(self, tx: Reading, person: PersonId) -> Actor:
        """Somebody who may know of groups. Raises NotAllowed: nobody else is told which there are."""
        actor = await person_actor(tx, person, self._clock())
        if not allowed(Action.GROUP_REQUEST, actor, Target()):
            raise NotAllowed("not-confirmed")
        return actor

    async def _group(self, tx: Reading, space: SpaceId) -> RowMapping:
        row = await tx.first(select(spaces).where(spaces.c.id == space))
        if row is None or row["kind"] != SpaceKind.GROUP or row["status"] != SpaceStatus.OPEN:
            raise NotFound
        return row

    async def _request_of(self, tx: Reading, space: SpaceId, person: PersonId) -> RowMapping | None:
        """The one request of a person in a group: who asks again asks with the same."""
        return await tx.first(
            select(join_requests).where(
                join_requests.c.space_id == space, join_requests.c.person_id == person
            )
        )

    async def _admit(
        self, tx: Writing, space: SpaceId, person: PersonId, school: SchoolId, *, by: MembershipId | None
    ) -> None:
        member = await join(tx, space, person, Role.TEACHER, school, self._new_id(), self._clock())
        await self._audit.note(tx, space, by or member, "joined", f"member/{member}", concerned=member)

    async def _note(
        self, tx: Writing, space: SpaceId, by: MembershipId | None, action: str, request: str
    ) -> None:
        await self._audit.note(tx, space, by, action, f"request/{request}")
        tx.publish(Change(action, space=space, notice=("members",), told="staff", content=True))
