"""How a space comes to be: made, with its partner, handed in to the national office, open.

A project is a draft until a second founder, of another school, has come. Where the installation has spaces
approved, projects and groups then wait for a national officer of a founder's country or a platform admin;
what these refuse is a draft again, and may be handed in once more. Until it is open, a space's teachers make
it ready, no pupil is in it, and nobody outside of it sees anything but what the office is told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, delete, func, select, update

from rooms.accounts.notifications import Notifications
from rooms.accounts.offices import countries_of_officer, who_decides
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.policy import Action, Actor, Target, allowed
from rooms.rights.standing import PREPARING, Standing, person_actor, stand
from rooms.safety.audit import Audit
from rooms.spaces.members import founders_of, founding_schools
from rooms.spaces.spaces import WRITING, Spaces
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import audit, memberships, spaces
from rooms.values import (
    AgeBand,
    Clock,
    MembershipId,
    MembershipState,
    Office,
    PersonId,
    SpaceId,
    SpaceKind,
    SpaceStatus,
)

__all__ = [
    "MOST_GROUPS",
    "MOST_PREPARED",
    "FounderView",
    "Lifecycle",
    "MadeSpace",
    "WaitingSpace",
    "is_in",
    "may_decide",
    "over_space",
]

MOST_PREPARED: Final = 20
"""Spaces that one person has founded and that are not open yet."""
MOST_GROUPS: Final = 20
"""Groups that one person has founded and that are open: all teachers see them in one list."""
DECIDING: Final = (Office.OFFICER, Office.PLATFORM)


@dataclass(frozen=True, slots=True)
class MadeSpace:
    id: SpaceId
    status: SpaceStatus


@dataclass(frozen=True, slots=True)
class FounderView:
    name: str
    school: str | None
    town: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class WaitingSpace:
    """All that the national office is told of a space that waits for it."""

    id: str
    kind: SpaceKind
    title: str
    summary: str
    languages: list[str]
    age_band: AgeBand
    founders: list[FounderView]
    asked_at: float


class Lifecycle:
    """The beginnings of every space. ``approval``: each waits for the national office before it opens."""

    def __init__(
        self,
        records: Records,
        spaces: Spaces,
        audit: Audit,
        notifications: Notifications,
        clock: Clock,
        *,
        approval: bool = False,
    ) -> None:
        self._records = records
        self._spaces = spaces
        self._audit = audit
        self._notifications = notifications
        self._clock = clock
        self._approval = approval

    async def can(self, person: PersonId) -> dict[str, bool]:
        """What somebody may do outside any space: create_space, approve, cases, legal_cases."""
        async with self._records.reading() as tx:
            actor = await person_actor(tx, person, self._clock())
        decides = bool(allowed(Action.SPACE_APPROVE, actor, Target()))
        return {
            "create_space": _may_found(actor),
            "approve": decides,
            "cases": decides,
            "legal_cases": bool(allowed(Action.CASE_OPEN, actor, Target())),
        }

    # For who founds a space

    async def make(
        self,
        actor: PersonId,
        *,
        kind: SpaceKind,
        title: str,
        summary: str,
        languages: Sequence[str],
        age_band: AgeBand,
    ) -> MadeSpace:
        """Makes a draft of a project, or a group. The actor, a confirmed teacher, is its founder.

        Raises NotAllowed or Conflict.
        """
        group = kind is SpaceKind.GROUP
        async with self._records.writing() as tx:
            if not _may_found(await person_actor(tx, actor, self._clock())):
                raise NotAllowed("not-confirmed")
            if await tx.value(_founded_by(actor, spaces.c.status.in_(PREPARING))) >= MOST_PREPARED:
                raise Conflict(
                    "too-many-drafts",
                    f"You have {MOST_PREPARED} spaces that are not open yet. Finish one of them first.",
                )
            groups = spaces.c.kind == SpaceKind.GROUP, spaces.c.status == SpaceStatus.OPEN
            if group and await tx.value(_founded_by(actor, *groups)) >= MOST_GROUPS:
                raise Conflict("too-many-groups", f"You have {MOST_GROUPS} groups. Close one of them first.")
            space = await self._spaces.begin(
                tx,
                kind=kind,
                title=title,
                summary=summary,
                languages=languages,
                age_band=AgeBand.ADULTS if group else age_band,
                founders=[actor],
                status=SpaceStatus.DRAFT,
            )
            standing = await stand(tx, actor, space, self._clock())
            member = standing.actor.membership
            await self._audit.note(tx, space, member, "made", f"space/{space}", details={"kind": kind})
            status = await self.hand_in(tx, space, member) if group else SpaceStatus.DRAFT
        return MadeSpace(space, status)

    async def ask_again(self, actor: PersonId, space: SpaceId) -> None:
        """Hands a draft in once more. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            standing = await founder_standing(tx, actor, space, self._clock())
            if standing.status is not SpaceStatus.DRAFT:
                raise Conflict("wrong-step", "This space has been handed in already.")
            kind = await tx.value(select(spaces.c.kind).where(spaces.c.id == space))
            if kind == SpaceKind.PROJECT and len(founding_schools(await founders_of(tx, space))) < 2:
                raise Conflict("no-partner", "A project needs a founder of another school. Invite one first.")
            await self.hand_in(tx, space, standing.actor.membership)

    async def take_back(self, actor: PersonId, space: SpaceId) -> None:
        """Makes what waits for the national office a draft again. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            standing = await founder_standing(tx, actor, space, self._clock())
            if standing.status is not SpaceStatus.PENDING:
                raise Conflict("not-pending", "This space does not wait for anybody.")
            await self._set(tx, space, SpaceStatus.DRAFT)
            await self._note(tx, space, standing.actor.membership, "taken-back")

    async def throw_away(self, actor: PersonId, space: SpaceId) -> None:
        """Removes a draft, which was never open, with all that was made ready in it, for everybody.

        Raises NotFound, NotAllowed or Conflict.
        """
        async with self._records.writing() as tx:
            standing = await founder_standing(tx, actor, space, self._clock())
            if standing.status is not SpaceStatus.DRAFT:
                raise Conflict("not-a-draft", "Only a draft can be thrown away. Take it back or close it.")
            await self._audit.forget(tx, space)
            await tx.do(delete(spaces).where(spaces.c.id == space))
            tx.publish(Change("thrown-away", space=space, notice=WRITING))

    async def hand_in(self, tx: Writing, space: SpaceId, by: MembershipId | None) -> SpaceStatus:
        """A draft that is complete opens, or waits for the national office; in somebody's transaction."""
        if not self._approval:
            await self._set(tx, space, SpaceStatus.OPEN)
            await self._note(tx, space, by, "opened")
            return SpaceStatus.OPEN
        await self._set(tx, space, SpaceStatus.PENDING)
        await self._note(tx, space, by, "handed-in")
        here = await _members(tx, space)
        deciding = await who_decides(tx, countries_of(await founders_of(tx, space)), self._clock())
        whom = [person for person in deciding if person not in here]
        await self._notifications.tell(tx, whom, "space-asked", space, f"space/{space}")
        return SpaceStatus.PENDING

    # For the national office

    async def waiting(self, actor: PersonId) -> list[WaitingSpace]:
        """What waits for the actor's word, the longest first. Raises NotAllowed."""
        asked_at = (
            select(func.max(audit.c.at))
            .where(audit.c.space_id == spaces.c.id, audit.c.action == "handed-in")
            .scalar_subquery()
        )
        async with self._records.reading() as tx:
            officer = await person_actor(tx, actor, self._clock())
            decision = allowed(Action.SPACE_APPROVE, officer, Target())
            if not decision:
                raise NotAllowed(decision.reason)
            rows = await tx.all(
                select(spaces, func.coalesce(asked_at, spaces.c.created_at).label("asked_at"))
                .where(spaces.c.status == SpaceStatus.PENDING)
                .order_by("asked_at", spaces.c.id)
            )
            found = []
            for row in rows:
                space = SpaceId(row["id"])
                founders = await founders_of(tx, space)
                mine = await is_in(tx, actor, space)
                if not mine and await may_decide(tx, officer, founders, self._clock()):
                    found.append(_waiting(row, founders))
        return found

    async def decide(self, actor: PersonId, space: SpaceId, *, approve: bool, because: str = "") -> None:
        """Opens a space that waits, or makes it a draft again. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            row, founders, office = await over_space(tx, actor, space, self._clock())
            if row["status"] == SpaceStatus.DRAFT and row["decided_at"] is None:
                raise NotFound  # it does not wait, and nobody of the office has seen it
            if row["status"] != SpaceStatus.PENDING:
                raise Conflict("decided", "Somebody has decided this already.")
            await self._set(
                tx,
                space,
                SpaceStatus.OPEN if approve else SpaceStatus.DRAFT,
                decided_by=actor,
                decided_because=because,
                decided_at=self._clock(),
            )
            done = "approved" if approve else "refused"
            details = {"by": office, "because": because} if because else {"by": office}
            await self._note(tx, space, None, done, details)
            whom = [PersonId(founder["person_id"]) for founder in founders]
            await self._notifications.tell(tx, whom, f"space-{done}", space, f"space/{space}")

    async def feature(self, actor: PersonId, space: SpaceId, featured: bool) -> None:
        """Shows a group before the others, or no more. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            row, _, office = await over_space(tx, actor, space, self._clock())
            if row["status"] in PREPARING:
                raise NotFound
            if row["kind"] != SpaceKind.GROUP or row["status"] != SpaceStatus.OPEN:
                raise Conflict("not-a-group", "Only groups that are open can be featured.")
            await tx.do(update(spaces).where(spaces.c.id == space).values(featured=featured))
            tx.publish(Change("featured", space=space, notice=("space",), content=True))
            await self._note(
                tx, space, None, "featured" if featured else "featured-no-more", {"by": office}, told=False
            )

    # Parts

    async def _set(self, tx: Writing, space: SpaceId, status: SpaceStatus, **decided: Any) -> None:
        values = {"decided_by": None, "decided_because": None, "decided_at": None, **decided}
        await tx.do(update(spaces).where(spaces.c.id == space).values(status=status, **values))

    async def _note(
        self,
        tx: Writing,
        space: SpaceId,
        by: MembershipId | None,
        action: str,
        details: dict[str, Any] | None = None,
        *,
        told: bool = True,
    ) -> None:
        await self._audit.note(tx, space, by, action, f"space/{space}", details=details or {})
        if told:
            tx.publish(Change("status", space=space, notice=WRITING))


async def founder_standing(tx: Reading, actor: PersonId, space: SpaceId, now: float) -> Standing:
    """Where a founder stands. Raises NotFound, or NotAllowed to other members."""
    standing = await stand(tx, actor, space, now)
    standing.require(Action.SPACE_SETTINGS)
    if not standing.founder:
        raise NotAllowed("not-founder")
    return standing


async def over_space(
    tx: Reading, actor: PersonId, space: SpaceId, now: float
) -> tuple[RowMapping, Sequence[RowMapping], Office]:
    """A space that the actor may decide about as an officer, its founders, and the actor's office.

    Raises NotAllowed to a member, NotFound to everybody else.
    """
    row = await tx.first(select(spaces).where(spaces.c.id == space))
    if row is None or row["status"] == SpaceStatus.ERASED:
        raise NotFound
    officer, founders = await person_actor(tx, actor, now), await founders_of(tx, space)
    mine = await is_in(tx, actor, space)
    if not await may_decide(tx, officer, founders, now):
        raise NotAllowed("role") if mine else NotFound()
    if mine:
        raise NotAllowed("concerned")
    return row, founders, max(officer.offices & set(DECIDING), key=DECIDING.index)


async def may_decide(tx: Reading, officer: Actor, founders: Sequence[RowMapping], now: float) -> bool:
    """Whether somebody's office is one over a space of these founders: theirs, or everybody's."""
    if officer.person is None or not allowed(Action.SPACE_APPROVE, officer, Target()):
        return False
    if Office.PLATFORM in officer.offices:
        return True
    return not countries_of(founders).isdisjoint(await countries_of_officer(tx, officer.person, now))


def countries_of(founders: Sequence[RowMapping]) -> set[str]:
    return {row["country"] for row in founders if row["country"]}


def _may_found(actor: Actor) -> bool:
    """Whether somebody may ask for a space: a draft is the asking, the partner or the office answers."""
    decision = allowed(Action.PROJECT_CREATE, replace(actor, offices=frozenset()), Target())
    return actor.school is not None and decision.reason == "needs-approval"


def _founded_by(person: PersonId, *which: ColumnElement[bool]) -> Select[int]:
    return (
        select(func.count())
        .select_from(spaces.join(memberships, memberships.c.space_id == spaces.c.id))
        .where(
            memberships.c.person_id == person,
            memberships.c.state == MembershipState.ACTIVE,
            memberships.c.founder,
            *which,
        )
    )


async def _members(tx: Reading, space: SpaceId) -> Collection[str]:
    rows = await tx.all(
        select(memberships.c.person_id).where(
            memberships.c.space_id == space, memberships.c.state == MembershipState.ACTIVE
        )
    )
    return {row["person_id"] for row in rows}


async def is_in(tx: Reading, person: PersonId, space: SpaceId) -> bool:
    query = select(memberships.c.id).where(
        memberships.c.space_id == space,
        memberships.c.person_id == person,
        memberships.c.state == MembershipState.ACTIVE,
    )
    return await tx.first(query) is not None


def _waiting(row: RowMapping, founders: Sequence[RowMapping]) -> WaitingSpace:
    return WaitingSpace(
        id=row["id"],
        kind=SpaceKind(row["kind"]),
        title=row["title"],
        summary=row["summary"],
        languages=row["languages"],
        age_band=AgeBand(row["age_band"]),
        founders=[
            FounderView(each["name"], each["school"], each["town"], each["country"]) for each in founders
        ],
        asked_at=row["asked_at"],
    )
