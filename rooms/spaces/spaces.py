"""TwinSpaces and their rooms."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, delete, func, insert, null, select, update

from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.hours import Hours
from rooms.rights.policy import Action
from rooms.rights.space_policy import Chat, PageEditing, SpacePolicy
from rooms.rights.standing import PREPARING, Standing, stand
from rooms.safety.audit import Audit
from rooms.safety.filters import FilterRules
from rooms.spaces.members import admins_of, founders_of, founding_schools
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import memberships, people, room_members, rooms, schools, spaces
from rooms.values import (
    AgeBand,
    Audience,
    Clock,
    JoinRule,
    MembershipId,
    MembershipState,
    NewId,
    PersonId,
    PersonState,
    Posting,
    Role,
    RoomId,
    RoomKind,
    RoomStatus,
    SpaceId,
    SpaceKind,
    SpaceStatus,
)

__all__ = [
    "MOST_ROOMS",
    "WRITING",
    "DecisionView",
    "RoomView",
    "SchoolView",
    "SpaceLine",
    "SpaceView",
    "Spaces",
]

MOST_ROOMS: Final = 200
"""In one space."""

WRITING: Final = ("space", "pages", "threads")
"""The notice of what changes where people may write."""

SPACE_ACTIONS: Final = {
    "settings": Action.SPACE_SETTINGS,
    "close": Action.SPACE_STATUS,
    "freeze": Action.SPACE_FREEZE,
    "unfreeze": Action.SPACE_UNFREEZE,
    "make_rooms": Action.ROOM_MAKE,
    "invite": Action.ADULT_INVITE,
}
"""What a space's ``can`` tells of."""


@dataclass(frozen=True, slots=True)
class SchoolView:
    id: str
    name: str
    town: str
    country: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class RoomView:
    id: str
    title: str
    kind: RoomKind
    state: RoomStatus
    audience: Audience
    posting: Posting
    """How posts of pupils there come before the others' eyes."""
    hours: dict[str, Any] | None
    """When pupils may write there, as `Hours.record`; None: always."""
    open_now: bool
    """It is within the hours, for me."""
    reason: str
    """Why I may write nothing there now; empty when nothing is in the way."""
    members: list[str]
    """Membership ids of the listed members."""
    can: dict[str, bool]


@dataclass(frozen=True, slots=True)
class SpaceLine:
    id: str
    title: str
    role: Role
    status: SpaceStatus


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What the national office has said to a space that was handed in."""

    approved: bool
    because: str
    at: float


@dataclass(frozen=True, slots=True)
class SpaceView:
    id: str
    kind: SpaceKind
    title: str
    summary: str
    languages: list[str]
    age_band: AgeBand
    status: SpaceStatus
    frozen: bool
    my_role: Role | None
    """None, like the membership, for an officer who looks in by a case."""
    my_membership: str | None
    schools: list[SchoolView]
    rooms: list[RoomView]
    can: dict[str, bool]
    join_rule: JoinRule
    featured: bool
    founders: list[str]
    """Membership ids."""
    decision: DecisionView | None
    """For teachers only."""


class Spaces:
    """Every TwinSpace of an installation."""

    def __init__(self, records: Records, audit: Audit, clock: Clock, new_id: NewId) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._new_id = new_id

    async def create(
        self,
        *,
        title: str,
        summary: str,
        languages: Sequence[str],
        age_band: AgeBand,
        founders: Sequence[PersonId],
        kind: SpaceKind = SpaceKind.PROJECT,
        policy: Mapping[str, Any] | None = None,
    ) -> SpaceId:
        """Opens a space with a general and a staff room. For the operator.

        Raises Conflict when a founder is not a confirmed adult.
        """
        async with self._records.writing() as tx:
            return await self.begin(
                tx,
                title=title,
                summary=summary,
                languages=languages,
                age_band=age_band,
                founders=founders,
                kind=kind,
                policy=policy,
                status=SpaceStatus.OPEN,
            )

    async def begin(
        self,
        tx: Writing,
        *,
        title: str,
        summary: str,
        languages: Sequence[str],
        age_band: AgeBand,
        founders: Sequence[PersonId],
        kind: SpaceKind,
        status: SpaceStatus,
        policy: Mapping[str, Any] | None = None,
    ) -> SpaceId:
        """Makes a space with its first rooms. Raises Conflict when a founder is not a confirmed adult."""
        space, now = SpaceId(self._new_id()), self._clock()
        await tx.do(
            insert(spaces).values(
                id=space,
                kind=kind,
                title=title,
                summary=summary,
                languages=list(languages),
                age_band=age_band,
                status=status,
                frozen=False,
                policy=dict(policy or {}),
                join_rule=JoinRule.INVITATION,
                featured=False,
                created_at=now,
            )
        )
        for founder in founders:
            row = await tx.first(select(people).where(people.c.id == founder))
            if row is None or row["state"] != PersonState.CONFIRMED:
                raise Conflict("not-confirmed", "Only confirmed adults can found a space.")
            await tx.do(
                insert(memberships).values(
                    id=self._new_id(),
                    space_id=space,
                    person_id=founder,
                    role=Role.ADMIN,
                    founder=True,
                    school_id=row["school_id"],
                    state=MembershipState.ACTIVE,
                    created_at=now,
                )
            )
        await self._insert_room(tx, space, "General", RoomKind.GENERAL, 0, None)
        await self._insert_room(tx, space, "Teachers", RoomKind.STAFF, 1, None)
        return space

    async def of(self, person: PersonId) -> list[SpaceLine]:
        """The spaces the person is a member of, oldest first."""
        async with self._records.reading() as tx:
            rows = await tx.all(
                select(spaces.c.id, spaces.c.title, spaces.c.status, memberships.c.role)
                .join(memberships, memberships.c.space_id == spaces.c.id)
                .where(
                    memberships.c.person_id == person,
                    memberships.c.state == MembershipState.ACTIVE,
                    spaces.c.status != SpaceStatus.ERASED,
                )
                .order_by(spaces.c.created_at, spaces.c.id)
            )
        return [
            SpaceLine(row["id"], row["title"], Role(row["role"]), SpaceStatus(row["status"])) for row in rows
        ]

    async def get(self, actor: PersonId, space: SpaceId) -> SpaceView:
        """The space as the actor sees it. Raises NotFound or NotAllowed."""
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock(), by_case=True)
            view = await self._view(tx, standing)
        await self._audit.note_reading(standing, f"space/{space}")
        return view

    async def change(
        self,
        actor: PersonId,
        space: SpaceId,
        *,
        title: str | None = None,
        summary: str | None = None,
        languages: Sequence[str] | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> SpaceView:
        """Changes what is given; ``policy`` holds keys of `SpacePolicy`, never wider than the age band."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.SPACE_SETTINGS)
            values: dict[str, Any] = {}
            if title is not None:
                values["title"] = title
            if summary is not None:
                values["summary"] = summary
            if languages is not None:
                values["languages"] = list(languages)
            if policy:
                _refuse_below_floor(standing.policy, policy)
                stored = await tx.value(select(spaces.c.policy).where(spaces.c.id == space))
                values["policy"] = {**stored, **policy}
                await self._note(tx, standing, "policy", f"space/{space}", _noted(policy))
            if values:
                await tx.do(update(spaces).where(spaces.c.id == space).values(values))
                tx.publish(Change("space", space=space, notice=WRITING if policy else ("space",)))
            return await self._view(tx, await stand(tx, actor, space, self._clock()))

    async def freeze(self, actor: PersonId, space: SpaceId, *, frozen: bool) -> None:
        """Stops all writing in the space at once, or lets it go on."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock(), by_case=True)
            standing.require(Action.SPACE_FREEZE if frozen else Action.SPACE_UNFREEZE)
            await tx.do(update(spaces).where(spaces.c.id == space).values(frozen=frozen))
            tx.publish(Change("frozen" if frozen else "unfrozen", space=space, notice=WRITING))
            await self._note(tx, standing, "frozen" if frozen else "unfrozen", f"space/{space}")

    async def set_status(self, actor: PersonId, space: SpaceId, status: SpaceStatus) -> None:
        """Closes, archives or reopens the space. Raises Conflict for any other step."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock(), by_case=True)
            standing.require(Action.SPACE_STATUS)
            steps = {
                SpaceStatus.OPEN: {SpaceStatus.CLOSED},
                SpaceStatus.CLOSED: {SpaceStatus.OPEN, SpaceStatus.ARCHIVED},
                SpaceStatus.ARCHIVED: {SpaceStatus.OPEN},
            }
            if status not in steps.get(standing.status, set()):
                raise Conflict("wrong-step", f"A space that is {standing.status} cannot become {status}.")
            await tx.do(update(spaces).where(spaces.c.id == space).values(status=status))
            if status is SpaceStatus.OPEN:
                await tx.do(update(rooms).where(rooms.c.space_id == space).values(used_at=self._clock()))
            tx.publish(Change("status", space=space, notice=WRITING))
            await self._note(tx, standing, "status", f"space/{space}", {"to": status})

    async def _note(
        self, tx: Writing, standing: Standing, action: str, object: str, details: Mapping[str, Any] = {}
    ) -> None:
        details = {**details, **standing.office}
        await self._audit.note(tx, standing.space, standing.actor.membership, action, object, details=details)

    # Rooms

    async def make_room(
        self,
        actor: PersonId,
        space: SpaceId,
        *,
        title: str,
        kind: RoomKind = RoomKind.TEAM,
        members: Collection[MembershipId] = (),
    ) -> RoomView:
        """Makes a room; ``members`` are the listed members of a team room."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.ROOM_MAKE)
            last, count = (
                await tx.value(select(func.max(rooms.c.place)).where(rooms.c.space_id == space)),
                await tx.value(select(func.count()).where(rooms.c.space_id == space)),
            )
            if count >= MOST_ROOMS:
                raise Conflict("too-many-rooms", f"A space has at most {MOST_ROOMS} rooms.")
            author = standing.actor.membership
            room = await self._insert_room(tx, space, title, kind, (last or 0) + 1, author)
            await self._list_members(tx, space, room, kind, members)
            tx.publish(Change("rooms", space=space, notice=("space",)))
            return (await self._rooms(tx, await stand(tx, actor, space, self._clock()), room))[0]

    async def change_room(
        self,
        actor: PersonId,
        room: RoomId,
        *,
        title: str | None = None,
        members: Collection[MembershipId] | None = None,
        posting: Posting | None = None,
    ) -> RoomView:
        """Renames a room, lists other members, or tightens how posts of pupils come to be seen there."""
        async with self._records.writing() as tx:
            standing, row = await self.find_room(tx, actor, room)
            standing.require(Action.ROOM_MAKE, standing.target(row))
            if title is not None:
                await tx.do(update(rooms).where(rooms.c.id == room).values(title=title))
            if members is not None:
                await self._list_members(tx, standing.space, room, RoomKind(row["kind"]), members)
            if posting is not None:
                _refuse_below_floor(standing.policy, {"posting": posting})
                await tx.do(update(rooms).where(rooms.c.id == room).values(posting=posting))
            tx.publish(Change("rooms", space=standing.space, notice=WRITING))
            return (await self._rooms(tx, await stand(tx, actor, standing.space, self._clock()), room))[0]

    async def set_room_state(self, actor: PersonId, room: RoomId, state: RoomStatus) -> RoomView:
        """Opens, closes or archives a room for writing. Any teacher makes an open room a supervised one."""
        async with self._records.writing() as tx:
            standing, row = await self.find_room(tx, actor, room)
            if state is not RoomStatus.SUPERVISED or not _may_supervise(standing, row):
                standing.require(Action.ROOM_STATE, standing.target(row))
            await tx.do(update(rooms).where(rooms.c.id == room).values(state=state, used_at=self._clock()))
            tx.publish(Change("room-state", space=standing.space, notice=WRITING))
            await self._note(tx, standing, "room-state", f"room/{room}", {"to": state})
            return (await self._rooms(tx, standing, room))[0]

    async def set_hours(self, actor: PersonId, room: RoomId, hours: Hours | None) -> RoomView:
        """Gives a room opening hours for its pupils, or takes them away."""
        async with self._records.writing() as tx:
            standing, row = await self.find_room(tx, actor, room)
            standing.require(Action.ROOM_STATE, standing.target(row))
            stored = null() if hours is None else hours.record()
            await tx.do(update(rooms).where(rooms.c.id == room).values(hours=stored))
            tx.publish(Change("room-hours", space=standing.space, notice=WRITING))
            await self._note(tx, standing, "room-hours", f"room/{room}")
            return (await self._rooms(tx, standing, room))[0]

    async def find_room(self, tx: Reading, actor: PersonId, room: str) -> tuple[Standing, RowMapping]:
        """A room the actor may see, and where the actor stands. Raises NotFound."""
        row = await tx.first(select(rooms).where(rooms.c.id == room))
        if row is None:
            raise NotFound
        standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock())
        if not standing.may_see_room(RoomKind(row["kind"]), Audience(row["audience"]), room):
            raise NotFound
        return standing, row

    async def _insert_room(
        self, tx: Writing, space: SpaceId, title: str, kind: RoomKind, place: int, author: str | None
    ) -> RoomId:
        room = RoomId(self._new_id())
        audience = _AUDIENCES.get(kind, Audience.ALL)
        await tx.do(
            insert(rooms).values(
                id=room,
                space_id=space,
                title=title,
                kind=kind,
                audience=audience,
                state=RoomStatus.OPEN,
                place=place,
                author_id=author,
                used_at=(now := self._clock()),
                created_at=now,
            )
        )
        return room

    async def _list_members(
        self, tx: Writing, space: SpaceId, room: RoomId, kind: RoomKind, members: Collection[MembershipId]
    ) -> None:
        if members and kind is not RoomKind.TEAM:
            raise Conflict("not-a-team", "Only team rooms have listed members.")
        known = await tx.all(
            select(memberships.c.id).where(
                memberships.c.space_id == space,
                memberships.c.state == MembershipState.ACTIVE,
                memberships.c.id.in_(set(members)),
            )
        )
        if len(known) != len(set(members)):
            raise Conflict("not-a-member", "Only members of the space can be listed in a room.")
        await tx.do(delete(room_members).where(room_members.c.room_id == room))
        if known:
            await tx.do(
                insert(room_members), [{"room_id": room, "membership_id": row["id"]} for row in known]
            )

    # Views

    async def _view(self, tx: Reading, standing: Standing) -> SpaceView:
        standing.require(Action.SPACE_READ)
        if not standing.is_here:
            raise NotFound
        space = standing.space
        row = await tx.first(select(spaces).where(spaces.c.id == space))
        assert row is not None
        here = select(memberships.c.school_id).where(
            memberships.c.space_id == space, memberships.c.state == MembershipState.ACTIVE
        )
        order = schools.c.country_code, schools.c.name, schools.c.id
        twins = await tx.all(select(schools).where(schools.c.id.in_(here)).order_by(*order))
        founders, admins = await founders_of(tx, space), await admins_of(tx, space)
        return SpaceView(
            id=space,
            kind=SpaceKind(row["kind"]),
            title=row["title"],
            summary=row["summary"],
            languages=row["languages"],
            age_band=AgeBand(row["age_band"]),
            status=standing.status,
            frozen=standing.frozen,
            my_role=standing.actor.role,
            my_membership=standing.actor.membership,
            schools=[
                SchoolView(s["id"], s["name"], s["town"], s["country_code"], s["time_zone"]) for s in twins
            ],
            rooms=await self._rooms(tx, standing),
            can={
                **{name: bool(standing.decide(action)) for name, action in SPACE_ACTIONS.items()},
                **_steps(standing, row, founders, admins),
            },
            join_rule=JoinRule(row["join_rule"]),
            featured=row["featured"],
            founders=[founder["id"] for founder in founders],
            decision=_decision(row) if standing.is_staff else None,
        )

    async def _rooms(self, tx: Reading, standing: Standing, only: RoomId | None = None) -> list[RoomView]:
        query = select(rooms).where(rooms.c.space_id == standing.space).order_by(rooms.c.place, rooms.c.id)
        found = await tx.all(query if only is None else query.where(rooms.c.id == only))
        listed = await tx.all(
            select(room_members)
            .join(rooms, rooms.c.id == room_members.c.room_id)
            .join(memberships, memberships.c.id == room_members.c.membership_id)
            .where(rooms.c.space_id == standing.space, memberships.c.state == MembershipState.ACTIVE)
            .order_by(memberships.c.created_at, memberships.c.id)
        )
        return [
            RoomView(
                id=row["id"],
                title=row["title"],
                kind=RoomKind(row["kind"]),
                state=RoomStatus(row["state"]),
                audience=Audience(row["audience"]),
                posting=standing.posting_of_pupils(row),
                hours=row["hours"],
                open_now=standing.open_now(row["hours"]),
                reason=standing.target(row).standstill,
                members=[item["membership_id"] for item in listed if item["room_id"] == row["id"]],
                can={
                    "create_pages": bool(standing.decide(Action.PAGE_CREATE, standing.target(row))),
                    "settings": bool(standing.decide(Action.ROOM_MAKE, standing.target(row))),
                    "state": bool(standing.decide(Action.ROOM_STATE, standing.target(row))),
                    "supervise": _may_supervise(standing, row),
                },
            )
            for row in found
            if standing.may_see_room(RoomKind(row["kind"]), Audience(row["audience"]), row["id"])
        ]


def _steps(
    standing: Standing, row: RowMapping, founders: Sequence[RowMapping], admins: Sequence[RowMapping]
) -> dict[str, bool]:
    """What the person may do about the life of the space and about being in it."""
    project, draft = row["kind"] == SpaceKind.PROJECT, row["status"] == SpaceStatus.DRAFT
    complete = not project or len(founding_schools(founders)) > 1
    moderates = row["kind"] == SpaceKind.GROUP and bool(standing.decide(Action.SPACE_SETTINGS))
    others = [admin for admin in admins if admin["id"] != standing.actor.membership]
    stays = standing.is_pupil or standing.founder
    return {
        "partner": standing.founder and draft and not complete,
        "ask_again": standing.founder and draft and complete,
        "take_back": standing.founder and row["status"] == SpaceStatus.PENDING,
        "join_rule": moderates,
        "requests": moderates,
        "leave": not stays and (standing.actor.role is not Role.ADMIN or bool(others)),
        "hand_over": standing.founder and not all(admin["founder"] for admin in others),
    }


def _decision(row: RowMapping) -> DecisionView | None:
    if row["decided_at"] is None:
        return None
    return DecisionView(row["status"] not in PREPARING, row["decided_because"] or "", row["decided_at"])


_AUDIENCES: Final = {
    RoomKind.STAFF: Audience.STAFF,
    RoomKind.FREE: Audience.STAFF,
    RoomKind.TEAM: Audience.LISTED,
}


def _may_supervise(standing: Standing, row: RowMapping) -> bool:
    """Whether the person may make a room a supervised one: what others have closed, only by its state."""
    if standing.decide(Action.ROOM_STATE, standing.target(row)):
        return True
    opens = row["state"] in (RoomStatus.OPEN, RoomStatus.SUPERVISED)
    return opens and bool(standing.decide(Action.MEETING_START, standing.target(row)))


def _noted(policy: Mapping[str, Any]) -> dict[str, Any]:
    """What the log tells of a change of policy: of the lists only how long they are."""
    filters = policy.get("filters")
    if not isinstance(filters, Mapping):
        return dict(policy)
    brief = {key: len(value) if isinstance(value, list) else value for key, value in filters.items()}
    return {**policy, "filters": brief}


def _refuse_below_floor(policy: SpacePolicy, wished: Mapping[str, Any]) -> None:
    """Raises Conflict when something is wished wider than may be chosen; that itself is for `Proposals`."""
    if "lowered" in wished:
        raise NotAllowed("needs-approval")
    rules = FilterRules.of(wished.get("filters") or {})
    if policy.age_band is not AgeBand.ADULTS and rules != rules.with_pupils():
        raise Conflict("below-floor", "Where pupils write, contact data is held at least.")
    editing = PageEditing(wished.get("page_editing") or PageEditing.TEACHERS)
    posting = Posting(wished.get("posting") or Posting.OFF)
    chat = Chat(wished.get("chat") or Chat.OFF)
    for what, asked, given in (
        ("Pages", editing, editing.tighter(policy.floor)),
        ("Posts", posting, posting.tighter(policy.posting_floor)),
        ("Chats", chat, chat.tighter(policy.chat_floor)),
    ):
        if asked is not given:
            raise Conflict(
                "below-floor",
                f"{what} cannot be opened wider than the age band allows. Ask your national office.",
            )
