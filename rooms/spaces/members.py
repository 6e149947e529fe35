"""Who belongs to a space, and as what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import RowMapping, Select, insert, select, update

from rooms.accounts.notifications import Notifications
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.policy import Action, Target, may_ask
from rooms.rights.standing import PREPARING, Standing, stand
from rooms.safety.audit import Audit
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import join_requests, memberships, people, room_members, schools, spaces
from rooms.values import (
    ADULT_ROLES,
    PUPIL_ROLES,
    STAFF,
    AgeBand,
    Clock,
    JoinRequestState,
    MembershipId,
    MembershipState,
    NewId,
    PersonId,
    PersonKind,
    PersonState,
    Role,
    SchoolId,
    SpaceId,
    SpaceKind,
)

__all__ = [
    "UNTIL_LIFTED",
    "MemberView",
    "Members",
    "MuteView",
    "admins_of",
    "founders_of",
    "founding_schools",
    "join",
    "pupil_target",
    "require_pupils_allowed",
]


UNTIL_LIFTED: Final = 253_402_300_799.0
"""Unix seconds at the end of the year 9999, for a mute that ends when somebody lifts it."""


@dataclass(frozen=True, slots=True)
class MuteView:
    reason: str
    until: float | None
    """Unix seconds; None until somebody lifts it."""


@dataclass(frozen=True, slots=True)
class MemberView:
    id: str
    person_id: str
    name: str
    kind: PersonKind
    role: Role
    founder: bool
    school_id: str | None
    mute: MuteView | None
    """Set while the member may read and not write; only for those who may mute the member."""
    can: dict[str, bool]


class Members:
    """The memberships of every space."""

    def __init__(
        self, records: Records, audit: Audit, notifications: Notifications, clock: Clock, new_id: NewId
    ) -> None:
        self._records = records
        self._audit = audit
        self._notifications = notifications
        self._clock = clock
        self._new_id = new_id

    async def of_space(self, actor: PersonId, space: SpaceId) -> list[MemberView]:
        """Everybody in the space. Raises NotFound or NotAllowed."""
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock(), by_case=True)
            standing.require(Action.SPACE_READ)
            if not standing.is_here:
                raise NotFound
            rows = await tx.all(
                _members().where(memberships.c.space_id == space).order_by(people.c.name, people.c.id)
            )
        await self._audit.note_reading(standing, f"space/{space}")
        return [_view(standing, row) for row in rows]

    async def place_pupil(self, actor: PersonId, space: SpaceId, person: PersonId) -> MemberView:
        """Puts a pupil into the space as a student. Only a teacher of the pupil's school who is in it can."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            pupil = await tx.first(
                select(people).where(people.c.id == person, people.c.kind == PersonKind.PUPIL)
            )
            # Of a pupil of another school nobody is told whether there is one.
            if pupil is None or not PersonState(pupil["state"]).may_log_in:
                standing.require(Action.PUPIL_MANAGE)
                raise NotFound
            standing.require(Action.PUPIL_MANAGE, pupil_target(pupil["school_id"]))
            await require_pupils_allowed(tx, space)
            member = await join(
                tx, space, person, Role.STUDENT, pupil["school_id"], self._new_id(), self._clock()
            )
            await self._note(tx, standing, "placed", member)
            return _view(standing, await self._row(tx, member))

    async def add_adult(
        self, space: SpaceId, person: PersonId, role: Role, *, founder: bool = False
    ) -> MembershipId:
        """Puts an adult into the space, for the operator. Raises Conflict for a pupil or a pupil's role."""
        async with self._records.writing() as tx:
            row = await tx.first(select(people).where(people.c.id == person))
            if row is None:
                raise NotFound
            if row["kind"] != PersonKind.ADULT or role not in ADULT_ROLES:
                raise Conflict("wrong-role", "Adults are guests, teachers or admins.")
            now = self._clock()
            return await join(tx, space, person, role, row["school_id"], self._new_id(), now, founder=founder)

    async def change_role(self, actor: PersonId, member: MembershipId, role: Role) -> MemberView:
        """Gives a member another role: pupils those of pupils, adults those of adults."""
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, member)
            standing.require(Action.MEMBER_ROLE, _target(standing, row))
            if role not in (PUPIL_ROLES if row["kind"] == PersonKind.PUPIL else ADULT_ROLES):
                raise Conflict(
                    "wrong-role",
                    "Pupils are students or student editors; adults are guests, teachers or admins.",
                )
            if row["role"] == Role.ADMIN and role is not Role.ADMIN:
                await _require_other_admin(tx, standing.space, member)
            await tx.do(update(memberships).where(memberships.c.id == member).values(role=role))
            self._changed(tx, "role", standing.space, row, {Role(row["role"]), role})
            await self._note(tx, standing, "role", member, {"from": row["role"], "to": role})
            return _view(standing, await self._row(tx, member))

    async def remove(self, actor: PersonId, member: MembershipId) -> None:
        """Takes a member out of the space. What they wrote stays."""
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, member)
            standing.require(Action.MEMBER_REMOVE, _target(standing, row))
            await self._take_out(tx, standing, row)

    async def leave(self, actor: PersonId, space: SpaceId) -> None:
        """An adult goes out of the space by themselves. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            if standing.actor.membership is None:
                raise NotFound
            if standing.is_pupil:
                raise NotAllowed("pupils-stay")
            if standing.founder:
                raise Conflict("founder", "You have founded this space. Hand it over to another admin first.")
            await self._take_out(tx, standing, await self._row(tx, standing.actor.membership))

    async def hand_over(self, actor: PersonId, space: SpaceId, member: MembershipId) -> None:
        """A founder makes another admin a founder in their place, and stays an admin.

        Raises NotFound, NotAllowed, or Conflict: in a project never less than the schools that founded it.
        """
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.SPACE_SETTINGS)
            if not standing.founder:
                raise NotAllowed("not-founder")
            admins = await admins_of(tx, space)
            heir = next((row for row in admins if row["id"] == member), None)
            if heir is None or heir["founder"]:
                raise Conflict("not-an-admin", "Choose another admin of the space, who is no founder yet.")
            founders = await founders_of(tx, space)
            rest = [row for row in founders if row["id"] != standing.actor.membership]
            kind = await tx.value(select(spaces.c.kind).where(spaces.c.id == space))
            needed = min(2, len(founding_schools(founders)))
            if kind == SpaceKind.PROJECT and len(founding_schools([*rest, heir])) < needed:
                raise Conflict(
                    "second-school",
                    "A project has founders of two schools. Choose an admin of your own school.",
                )
            for id, founder in ((standing.actor.membership, False), (member, True)):
                await tx.do(update(memberships).where(memberships.c.id == id).values(founder=founder))
            tx.publish(Change("founder", space=space, notice=("members", "space"), content=True))
            await self._note(tx, standing, "handed-over", member)

    async def _take_out(self, tx: Writing, standing: Standing, row: RowMapping) -> None:
        left = row["id"] == standing.actor.membership
        if row["role"] == Role.ADMIN:
            await _require_other_admin(tx, standing.space, row["id"])
        state = MembershipState.LEFT if left else MembershipState.REMOVED
        await tx.do(update(memberships).where(memberships.c.id == row["id"]).values(state=state))
        await tx.do(room_members.delete().where(room_members.c.membership_id == row["id"]))
        self._changed(tx, "removed", standing.space, row, {Role(row["role"])})
        await self._note(tx, standing, "left" if left else "removed", row["id"])

    async def mute(
        self, actor: PersonId, member: MembershipId, reason: str, until: float | None
    ) -> MemberView:
        """Takes a member's right to write in the space, not to read: until a time, or until it is lifted."""
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, member)
            standing.require(Action.MEMBER_MUTE, _target(standing, row))
            if until is not None and until <= standing.now:
                raise Conflict("mute-over", "The end of this is already past. Choose a later time.")
            by = standing.actor.membership
            await self.begin_mute(tx, row, by, reason, until, standing.office)
            return _view(standing, await self._row(tx, member))

    async def begin_mute(
        self,
        tx: Writing,
        row: RowMapping,
        by: MembershipId | None,
        reason: str,
        until: float | None,
        details: Mapping[str, Any],
    ) -> None:
        """Mutes whom `find_muted_by_two` has found, or who may be muted, in the transaction that decides it.

        ``details`` are what else the audit log tells of it.
        """
        space, member = SpaceId(row["space_id"]), MembershipId(row["id"])
        await self._set_mute(tx, member, until or UNTIL_LIFTED, reason)
        self._changed(tx, "muted", space, row, set())
        person = PersonId(row["person_id"])
        await self._notifications.tell(tx, [person], "muted", space, f"membership/{member}")
        details = {"because": reason, "until": until, **details}
        await self._audit.note(tx, space, by, "muted", f"member/{member}", concerned=member, details=details)

    async def find_muted_by_two(
        self, tx: Reading, actor: PersonId, member: MembershipId
    ) -> tuple[Standing, RowMapping]:
        """A member whose mute the actor may propose and somebody else confirm, and where the actor stands.

        Raises NotFound, NotAllowed, or Conflict where the actor may do it alone.
        """
        standing, row = await self._find(tx, actor, member)
        if member == standing.actor.membership:
            raise NotAllowed("concerned")
        decision = may_ask(Action.MEMBER_MUTE, standing.actor, _target(standing, row))
        if decision.reason == "needs-nobody":
            raise Conflict("needs-nobody", "You may do this yourself: nobody has to agree.")
        if not decision:
            raise NotAllowed(decision.reason)
        return standing, row

    async def unmute(self, actor: PersonId, member: MembershipId) -> None:
        """Gives a muted member the right to write back: who may mute, and for what takes two each of them."""
        async with self._records.writing() as tx:
            standing, row = await self._find(tx, actor, member)
            target = _target(standing, row)
            if not _may_lift(standing, target):
                standing.require(Action.MEMBER_MUTE, target)
                raise NotAllowed("concerned")
            await self._set_mute(tx, member, None, None)
            self._changed(tx, "unmuted", standing.space, row, set())
            await self._note(tx, standing, "unmuted", member)

    async def _set_mute(
        self, tx: Writing, member: MembershipId, until: float | None, reason: str | None
    ) -> None:
        mute = {"muted_until": until, "muted_because": reason}
        await tx.do(update(memberships).where(memberships.c.id == member).values(mute))

    def _changed(self, tx: Writing, kind: str, space: SpaceId, row: RowMapping, roles: set[Role]) -> None:
        # The last teacher of a school takes its pupils' right to write along, so all are asked anew.
        everybody = not STAFF.isdisjoint(roles)
        tx.publish(
            Change(kind, space=space, person=None if everybody else row["person_id"], notice=("members",))
        )

    async def _note(
        self,
        tx: Writing,
        standing: Standing,
        action: str,
        member: MembershipId,
        details: Mapping[str, Any] = {},
    ) -> None:
        await self._audit.note(
            tx,
            standing.space,
            standing.actor.membership,
            action,
            f"member/{member}",
            concerned=member,
            details={**details, **standing.office},
        )

    async def _find(self, tx: Reading, actor: PersonId, member: MembershipId) -> tuple[Standing, RowMapping]:
        row = await self._row(tx, member)
        standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock(), by_case=True)
        if not standing.is_here:
            raise NotFound
        return standing, row

    async def _row(self, tx: Reading, member: MembershipId) -> RowMapping:
        row = await tx.first(_members().where(memberships.c.id == member))
        if row is None:
            raise NotFound
        return row


async def join(
    tx: Writing,
    space: SpaceId,
    person: PersonId,
    role: Role,
    school: SchoolId | None,
    new_id: str,
    now: float,
    *,
    founder: bool = False,
) -> MembershipId:
    """Makes a person a member, or takes one back who left. Raises Conflict for a member."""
    known = await tx.first(
        select(memberships).where(memberships.c.space_id == space, memberships.c.person_id == person)
    )
    values = {"role": role, "school_id": school, "state": MembershipState.ACTIVE, "founder": founder}
    if known is None:
        await tx.do(
            insert(memberships).values(id=new_id, space_id=space, person_id=person, created_at=now, **values)
        )
    elif known["state"] == MembershipState.ACTIVE:
        raise Conflict("already-a-member", "This person is a member of the space already.")
    else:
        await tx.do(update(memberships).where(memberships.c.id == known["id"]).values(values))
    await tx.do(
        update(join_requests)
        .where(
            join_requests.c.space_id == space,
            join_requests.c.person_id == person,
            join_requests.c.state == JoinRequestState.WAITING,
        )
        .values(state=JoinRequestState.ACCEPTED, words="", decided_at=now)
    )
    everybody = role in STAFF
    tx.publish(
        Change("joined", space=space, person=None if everybody else person, notice=("members", "space"))
    )
    return MembershipId(known["id"] if known else new_id)


async def require_pupils_allowed(tx: Reading, space: SpaceId) -> None:
    """Raises Conflict for a group or a space of adults, and while a space is not open yet."""
    row = await tx.first(
        select(spaces.c.kind, spaces.c.age_band, spaces.c.status).where(spaces.c.id == space)
    )
    if row is None:
        raise NotFound
    if row["kind"] == SpaceKind.GROUP or row["age_band"] == AgeBand.ADULTS:
        raise Conflict("no-pupils-here", "This space is for adults only. Put pupils into a project.")
    if row["status"] in PREPARING:
        raise Conflict(
            "not-open-yet",
            "Pupils can come once the project is open. Until then you can get it ready for them.",
        )


async def founders_of(tx: Reading, space: SpaceId) -> Sequence[RowMapping]:
    """The founders with their names, schools, towns and countries, the first one first."""
    return await tx.all(
        _adults(space).where(memberships.c.founder).order_by(memberships.c.created_at, memberships.c.id)
    )


async def admins_of(tx: Reading, space: SpaceId) -> Sequence[RowMapping]:
    """The admins of a space who may log in as such."""
    return await tx.all(
        _adults(space)
        .where(memberships.c.role == Role.ADMIN, people.c.state == PersonState.CONFIRMED)
        .order_by(memberships.c.created_at, memberships.c.id)
    )


def founding_schools(founders: Iterable[RowMapping]) -> set[str]:
    return {row["school_id"] for row in founders if row["school_id"]}


def _adults(space: SpaceId) -> Select[tuple[object, ...]]:
    return (
        select(
            memberships.c.id,
            memberships.c.person_id,
            memberships.c.founder,
            memberships.c.school_id,
            people.c.name,
            schools.c.name.label("school"),
            schools.c.town,
            schools.c.country_code.label("country"),
        )
        .join(people, people.c.id == memberships.c.person_id)
        .outerjoin(schools, schools.c.id == memberships.c.school_id)
        .where(memberships.c.space_id == space, memberships.c.state == MembershipState.ACTIVE)
    )


async def _require_other_admin(tx: Reading, space: SpaceId, member: str) -> None:
    if all(row["id"] == member for row in await admins_of(tx, space)):
        raise Conflict("last-admin", "A space needs an admin. Make somebody else one first.")


def pupil_target(school: SchoolId | str | None) -> Target:
    """A pupil of that school."""
    return Target(is_pupil=True, school=SchoolId(school) if school else None)


def _members() -> Select[tuple[object, ...]]:
    return (
        select(
            memberships,
            people.c.name,
            people.c.kind,
            people.c.school_id.label("person_school"),
        )
        .join(people, people.c.id == memberships.c.person_id)
        .where(memberships.c.state == MembershipState.ACTIVE)
    )


def _target(standing: Standing, row: RowMapping) -> Target:
    return Target(
        member=row["id"],
        role=Role(row["role"]),
        school=row["person_school"],
        is_pupil=row["kind"] == PersonKind.PUPIL,
        founder=row["founder"],
        policy=standing.policy,
        standstill=standing.standstill(),
    )


def _may_lift(standing: Standing, target: Target) -> bool:
    if target.member == standing.actor.membership:
        return False
    target = replace(target, founder=False)
    alone = standing.decide(Action.MEMBER_MUTE, target)
    return bool(alone or may_ask(Action.MEMBER_MUTE, standing.actor, target))


def _view(standing: Standing, row: RowMapping) -> MemberView:
    target = _target(standing, row)
    may_mute, may_lift = bool(standing.decide(Action.MEMBER_MUTE, target)), _may_lift(standing, target)
    mine = target.member == standing.actor.membership
    until = row["muted_until"]
    muted = (may_mute or may_lift) and until is not None and until > standing.now
    return MemberView(
        id=row["id"],
        person_id=row["person_id"],
        name=row["name"],
        kind=PersonKind(row["kind"]),
        role=Role(row["role"]),
        founder=row["founder"],
        school_id=row["school_id"],
        mute=MuteView(row["muted_because"], None if until == UNTIL_LIFTED else until) if muted else None,
        can={
            "role": bool(standing.decide(Action.MEMBER_ROLE, target)),
            "remove": bool(standing.decide(Action.MEMBER_REMOVE, target)),
            "mute": may_mute,
            "ask_mute": not mine and bool(may_ask(Action.MEMBER_MUTE, standing.actor, target)),
            "unmute": may_lift,
            "reset_code": bool(standing.decide(Action.PUPIL_MANAGE, target)),
        },
    )
