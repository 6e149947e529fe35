"""Where somebody stands in a space: the facts that the policy asks for.

Everything here is looked up anew for every question. Rights are never kept from one request to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import RowMapping, Select, and_, exists, select

from rooms.faults import NotAllowed, NotFound
from rooms.rights.access import Scope
from rooms.rights.case_rights import OpenCase, open_cases
from rooms.rights.hours import Hours
from rooms.rights.policy import Action, Actor, Decision, Target, allowed
from rooms.rights.space_policy import Chat, SpacePolicy, Supervising
from rooms.storage.records import Reading
from rooms.storage.schema import (
    appointments,
    memberships,
    pages,
    people,
    room_members,
    rooms,
    schools,
    spaces,
)
from rooms.values import (
    STAFF,
    STAFF_ROOMS,
    Audience,
    EditRule,
    MembershipId,
    MembershipState,
    Office,
    PersonId,
    PersonKind,
    PersonState,
    Posting,
    Role,
    RoomKind,
    RoomStatus,
    SchoolId,
    SeeRule,
    SpaceId,
    SpaceStatus,
)

__all__ = ["PREPARING", "Standing", "page_row", "page_rows", "person_actor", "stand"]

PREPARING: Final = frozenset({SpaceStatus.DRAFT, SpaceStatus.PENDING})
"""While a space is not open yet: its teachers make it ready, and nobody outside of it sees anything."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One person in one space. Without a membership only appointments give rights."""

    actor: Actor
    space: SpaceId
    policy: SpacePolicy
    status: SpaceStatus
    frozen: bool
    name: str
    is_pupil: bool
    school_name: str | None
    country: str | None
    muted_until: float | None
    has_teacher: bool
    """An active teacher of the person's school is in the space."""
    listed: frozenset[str]
    """The rooms whose listed member the person is."""
    now: float
    zone: str | None = None
    """The time zone of the person's school."""
    teacher_present: bool = False
    """A teacher who counts for this person is in the space now, or was a minute ago."""
    founder: bool = False
    cases: tuple[OpenCase, ...] = ()
    """The open cases of an officer, where the caller of `stand` has asked for them."""

    @property
    def is_member(self) -> bool:
        return self.actor.membership is not None

    @property
    def is_here(self) -> bool:
        """A member, or somebody who looks in by a case."""
        return self.is_member or bool(self.cases)

    def is_about(self, id: str) -> bool:
        """Whether a report with an open case is about this post, its thread, this page or this member."""
        return any(id in case.about for case in self.cases)

    @property
    def office(self) -> dict[str, str]:
        """For the audit log, who acts, where it is no member: ``by`` an office."""
        offices = self.actor.offices & {Office.OFFICER, Office.PLATFORM}
        return {} if self.is_member or not offices else {"by": min(offices)}

    @property
    def is_staff(self) -> bool:
        return self.actor.role in STAFF

    @property
    def teacher_of(self) -> SchoolId | None:
        """The school that has confirmed this teacher."""
        return self.actor.school if self.is_staff else None

    def decide(self, action: Action, target: Target | None = None) -> Decision:
        target = target or self.target()
        if self.cases:
            target = replace(target, case=True)
        if self.status in PREPARING and not self.is_member and not target.case:
            return Decision(False, "role")
        return allowed(action, self.actor, target)

    def require(self, action: Action, target: Target | None = None) -> None:
        """Raises NotAllowed; to somebody who is not in the space it does not even exist: NotFound."""
        decision = self.decide(action, target)
        if not decision:
            raise NotAllowed(decision.reason) if self.is_here else NotFound()

    def target(self, room: RowMapping | None = None) -> Target:
        """The space itself, or a room of it."""
        if room is None:
            return Target(policy=self.policy, standstill=self.standstill())
        return Target(
            policy=self.policy,
            owner=room["author_id"],
            room=RoomKind(room["kind"]),
            team=room["id"] in self.listed,
            standstill=self.standstill(RoomStatus(room["state"]), hours=room["hours"]),
            supervised=self.chat_open(room),
            posting=self.posting(room),
        )

    def posting(self, room: RowMapping) -> Posting:
        """How the person's posts in a room come before the others' eyes; ``room`` has ``posting``."""
        return Posting.FREE if self.is_staff else self.posting_of_pupils(room)

    def posting_of_pupils(self, room: RowMapping) -> Posting:
        tightened = room["posting"]
        return self.policy.posts_open.tighter(Posting(tightened)) if tightened else self.policy.posts_open

    def chat_open(self, room: RowMapping) -> bool:
        """Whether pupils may chat in a room now, within its `standstill`; ``room`` has ``hours``."""
        match self.policy.chat:
            case Chat.OFF:
                return False
            case Chat.SUPERVISED:
                return self.teacher_present
            case Chat.HOURS:
                return self.teacher_present or room["hours"] is not None
        return True

    def standstill(
        self, room: RoomStatus = RoomStatus.OPEN, *, hours: Mapping[str, object] | None = None
    ) -> str:
        """Why this person may write nothing there now; empty when nothing is in the way."""
        if self.status in (SpaceStatus.CLOSED, SpaceStatus.ARCHIVED):
            return "space-closed"
        if self.status in PREPARING and not self.is_staff:
            return "space-preparing"
        if self.frozen:
            return "space-frozen"
        if room is RoomStatus.FROZEN:
            return "room-frozen"
        if room is RoomStatus.ARCHIVED:
            return "room-archived"
        if room is RoomStatus.READ_ONLY and not self.is_staff:
            return "room-read-only"
        if not self.open_now(hours):
            return "outside-hours"
        if room is RoomStatus.SUPERVISED and self.is_pupil and not self.teacher_present:
            return "supervised"
        if self.muted_until is not None and self.muted_until > self.now:
            return "muted"
        if self.is_pupil and not self.has_teacher:
            return "no-teacher"
        return ""

    # Rooms and pages

    def open_now(self, hours: Mapping[str, object] | None) -> bool:
        """Whether it is within a room's ``hours``, for this person: adults come and go as they like."""
        if hours is None or not self.is_pupil:
            return True
        return Hours.stored(hours).open_at(self.now, self.zone)

    def next_turn(self, hours: Mapping[str, object] | None) -> float | None:
        """When a room's ``hours`` begin or end for this person, in unix seconds."""
        if hours is None or not self.is_pupil:
            return None
        return Hours.stored(hours).next_turn(self.now, self.zone)

    def rests_on_teachers(self, room: RoomStatus, *, chat: bool = False) -> bool:
        """Whether a teacher who comes or goes changes what this person may write there, or chat."""
        watched = chat and not self.is_staff and self.policy.chat in (Chat.SUPERVISED, Chat.HOURS)
        return watched or (self.is_pupil and room is RoomStatus.SUPERVISED)

    def may_see_room(self, kind: RoomKind, audience: Audience, room: str) -> bool:
        if kind in STAFF_ROOMS or audience is Audience.STAFF:
            return bool(self.decide(Action.STAFF_READ))
        if not self.decide(Action.SPACE_READ):
            return False
        return audience is Audience.ALL or self.is_staff or bool(self.cases) or room in self.listed

    def page_target(self, page: RowMapping, *, locked: bool = True) -> Target:
        """A row of `page_rows`; with ``locked=False`` as if it had no lock."""
        standstill = self.standstill(RoomStatus(page["room_state"]), hours=page["hours"])
        if not standstill and locked and self.lock_holds(page):
            standstill = "locked"
        return Target(
            owner=page["author_id"],
            draft=page["see_rule"] == SeeRule.DRAFT,
            policy=self.policy,
            room=RoomKind(page["room_kind"]),
            team=page["room_id"] in self.listed,
            edit_rule=EditRule(page["edit_rule"]),
            standstill=standstill,
        )

    def lock_holds(self, page: RowMapping) -> bool:
        if page["locked_at"] is None:
            return False
        return page["locked_until"] is None or bool(page["locked_until"] > self.now)

    def may_see_page(self, page: RowMapping) -> bool:
        if page["binned_at"] is not None:
            return False
        if self.is_about(page["id"]):
            return True
        if not self.may_see_room(RoomKind(page["room_kind"]), Audience(page["audience"]), page["room_id"]):
            return False
        rule, target = SeeRule(page["see_rule"]), self.page_target(page)
        if rule is SeeRule.STAFF:
            return bool(self.decide(Action.STAFF_READ, target))
        return rule is SeeRule.MEMBERS or bool(self.decide(Action.DRAFT_READ, target))

    def page_scope(self, page: RowMapping) -> tuple[Scope, str]:
        """What the person may do with a page, and the reason key when that is not everything."""
        if not self.may_see_page(page):
            return Scope.NONE, "binned" if page["binned_at"] is not None else "see-rule"
        decision = self.decide(Action.PAGE_EDIT, self.page_target(page))
        return (Scope.READ_WRITE, "") if decision else (Scope.READONLY, decision.reason)


async def stand(
    tx: Reading, person: PersonId, space: SpaceId, now: float, *, by_case: bool = False
) -> Standing:
    """Where the person stands in the space. Raises NotFound for a space that they may not know of.

    An officer's open cases count only with ``by_case``: for what a case opens, and nowhere else.
    """
    colleague, colleague_in = people.alias("colleague"), memberships.alias("colleague_in")
    has_teacher = exists(
        select(colleague.c.id)
        .join(colleague_in, colleague_in.c.person_id == colleague.c.id)
        .where(
            colleague_in.c.space_id == space,
            colleague_in.c.state == MembershipState.ACTIVE,
            colleague_in.c.role.in_(STAFF),
            colleague.c.state == PersonState.CONFIRMED,
            colleague.c.school_id == people.c.school_id,
        )
    )
    in_space = and_(
        memberships.c.person_id == people.c.id,
        memberships.c.space_id == spaces.c.id,
        memberships.c.state == MembershipState.ACTIVE,
    )
    row = await tx.first(
        select(
            people.c.name,
            people.c.kind,
            people.c.state,
            people.c.school_id,
            schools.c.name.label("school_name"),
            schools.c.country_code,
            schools.c.time_zone,
            memberships.c.id.label("membership"),
            memberships.c.role,
            memberships.c.muted_until,
            memberships.c.founder,
            spaces.c.age_band,
            spaces.c.policy,
            spaces.c.status,
            spaces.c.frozen,
            has_teacher.label("has_teacher"),
        )
        .select_from(people)
        .join(spaces, spaces.c.id == space)
        .outerjoin(schools, schools.c.id == people.c.school_id)
        .outerjoin(memberships, in_space)
        .where(people.c.id == person)
    )
    if row is None or row["status"] == SpaceStatus.ERASED or not PersonState(row["state"]).may_log_in:
        raise NotFound
    offices = await _offices(tx, person, now) if row["kind"] == PersonKind.ADULT else frozenset[Office]()
    if row["membership"] is None and not offices:
        raise NotFound
    listed = await tx.all(
        select(room_members.c.room_id).where(room_members.c.membership_id == row["membership"])
    )
    cases = await open_cases(tx, person, space, offices, now) if by_case and offices else ()
    policy, present = SpacePolicy.of(row["age_band"], row["policy"]), tx.teachers(space)
    is_pupil = row["kind"] == PersonKind.PUPIL
    by_school = is_pupil and policy.supervision is Supervising.EACH_SCHOOL
    return Standing(
        actor=Actor(
            person=person,
            role=Role(row["role"]) if row["role"] else None,
            membership=MembershipId(row["membership"]) if row["membership"] else None,
            school=_vouched_school(row),
            offices=offices,
        ),
        space=space,
        policy=policy,
        status=SpaceStatus(row["status"]),
        frozen=row["frozen"],
        name=row["name"],
        is_pupil=is_pupil,
        school_name=row["school_name"],
        country=row["country_code"],
        muted_until=row["muted_until"],
        has_teacher=row["has_teacher"],
        listed=frozenset(item["room_id"] for item in listed),
        now=now,
        zone=row["time_zone"],
        teacher_present=row["school_id"] in present if by_school else bool(present),
        founder=bool(row["founder"]),
        cases=cases,
    )


async def person_actor(tx: Reading, person: PersonId, now: float) -> Actor:
    """Who the person is outside any space. A confirmed adult of a school is a teacher of that school."""
    row = await tx.first(select(people).where(people.c.id == person))
    if row is None or not PersonState(row["state"]).may_log_in:
        return Actor()
    adult = row["kind"] == PersonKind.ADULT
    school = _vouched_school(row) if adult else None
    offices = await _offices(tx, person, now) if adult else frozenset[Office]()
    return Actor(person=person, role=Role.TEACHER if school else None, school=school, offices=offices)


def page_rows(*, binned: bool = False) -> Select[tuple[object, ...]]:
    """Pages with what is needed of their rooms and locks; add a ``where``."""
    locker_in, locker = memberships.alias("locker_in"), people.alias("locker")
    query = (
        select(
            pages,
            rooms.c.space_id,
            rooms.c.kind.label("room_kind"),
            rooms.c.audience,
            rooms.c.state.label("room_state"),
            rooms.c.hours,
            locker.c.name.label("locker"),
        )
        .join(rooms, rooms.c.id == pages.c.room_id)
        .outerjoin(locker_in, locker_in.c.id == pages.c.locked_by)
        .outerjoin(locker, locker.c.id == locker_in.c.person_id)
    )
    return query.where(pages.c.binned_at.is_not(None) if binned else pages.c.binned_at.is_(None))


async def page_row(tx: Reading, page: str, *, binned: bool = False) -> RowMapping:
    """One row of `page_rows`. Raises NotFound."""
    row = await tx.first(page_rows(binned=binned).where(pages.c.id == page))
    if row is None:
        raise NotFound
    return row


def _vouched_school(row: RowMapping) -> SchoolId | None:
    # An adult nobody has confirmed could claim any school.
    vouched = row["kind"] == PersonKind.PUPIL or row["state"] == PersonState.CONFIRMED
    return SchoolId(row["school_id"]) if vouched and row["school_id"] else None


async def _offices(tx: Reading, person: PersonId, now: float) -> frozenset[Office]:
    ends = appointments.c.ends_at
    found: Collection[RowMapping] = await tx.all(
        select(appointments.c.office).where(
            appointments.c.person_id == person,
            appointments.c.starts_at <= now,
            ends.is_(None) | (ends > now),
        )
    )
    return frozenset(Office(row["office"]) for row in found)
