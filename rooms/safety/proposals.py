"""What an admin of a space may only propose, and somebody else agrees to.

A national officer of a founder's country, or a platform admin, lets a space be opened wider than its age
band does. To mute a teacher of another school takes a second admin of the space, or such an officer: of a
founder's country or of the teacher's. The teacher hears nothing of it before that.

A proposal waits for a week at most. It is over before when what it asks for could be asked no more: its admin
is none any longer, the space is closed, the teacher has left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, insert, select, update

from rooms.accounts.notifications import Notifications
from rooms.accounts.offices import who_decides
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.policy import Action, Actor, Target, allowed, may_ask
from rooms.rights.space_policy import Lowered, SpacePolicy
from rooms.rights.standing import Standing, person_actor, stand
from rooms.safety.audit import Audit
from rooms.spaces.lifecycle import countries_of, may_decide
from rooms.spaces.members import Members, admins_of, founders_of
from rooms.spaces.spaces import WRITING
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import memberships, people, proposals, schools, spaces
from rooms.values import (
    AgeBand,
    Clock,
    MembershipId,
    MembershipState,
    NewId,
    Office,
    PersonId,
    ProposalKind,
    ProposalState,
    SpaceId,
    SpaceStatus,
)

__all__ = ["MOST_WAITING", "WAITING_LIFE", "Answer", "MuteWish", "ProposalView", "Proposals", "Somebody"]

WAITING_LIFE: Final = 7 * 86_400.0
"""Seconds after which nobody agrees any more."""
MOST_WAITING: Final = 20
"""Proposals that wait in one space."""
MOST_LISTED: Final = 50
TOLD_FOR: Final = 30 * 86_400.0
"""Seconds for which the admins of a space see one that is over."""


@dataclass(frozen=True, slots=True)
class MuteWish:
    """How long a mute is to be. With neither it ends when it is lifted."""

    minutes: int | None = None
    """From when it is confirmed."""
    until: float | None = None

    def ends(self, now: float) -> float | None:
        return self.until if self.minutes is None else now + 60.0 * self.minutes


@dataclass(frozen=True, slots=True)
class Somebody:
    member: str
    """Membership id."""
    name: str
    school: str | None
    town: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    by: str | None
    """The name of the admin who has agreed or not; None: the national office, also when it takes back what
    it has granted (rooms/safety/floors.py)."""
    because: str
    at: float


@dataclass(frozen=True, slots=True)
class ProposalView:
    id: str
    kind: ProposalKind
    state: ProposalState
    space_id: str
    space_title: str
    age_band: AgeBand
    floor: Lowered | None
    mute: MuteWish | None
    because: str
    asked_by: Somebody | None
    concerned: Somebody | None
    """Who is to be muted."""
    asked_at: float
    ends_at: float
    """When it is over if nobody decides."""
    answer: Answer | None
    can: dict[str, bool]
    """decide, withdraw"""


@dataclass(frozen=True, slots=True)
class _Decider:
    """Whose word counts: that of an admin of the space, or of an office."""

    member: MembershipId | None = None
    office: Office | None = None

    @property
    def details(self) -> dict[str, str]:
        return {} if self.office is None else {"by": self.office}


class Proposals:
    """The proposals of every space."""

    def __init__(
        self,
        records: Records,
        members: Members,
        audit: Audit,
        notifications: Notifications,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._records = records
        self._members = members
        self._audit = audit
        self._notifications = notifications
        self._clock = clock
        self._new_id = new_id

    # For the admins of a space

    async def ask_floor(self, actor: PersonId, space: SpaceId, wish: Lowered, because: str) -> ProposalView:
        """Proposes that the space may be opened wider than its age band allows.

        Raises NotFound, NotAllowed or Conflict.
        """
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            _require_floor(standing, wish)
            wished = {**wish.record(), "age_band": standing.policy.age_band.value}
            row = await self._add(tx, standing, ProposalKind.FLOOR, None, wished, because)
            await self._tell(tx, row, "floor-asked", await self._office_of(tx, row))
            return await self._view(tx, row, actor)

    async def ask_mute(
        self, actor: PersonId, space: SpaceId, member: MembershipId, wish: MuteWish, because: str
    ) -> ProposalView:
        """Proposes to mute a teacher of another school. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            standing, _ = await self._find_muted(tx, actor, space, member, wish)
            wished = {"minutes": wish.minutes, "until": wish.until}
            row = await self._add(tx, standing, ProposalKind.MUTE, member, wished, because)
            others = [
                PersonId(admin["person_id"])
                for admin in await admins_of(tx, space)
                if admin["id"] not in (row["asked_by"], member)
            ]
            await self._tell(tx, row, "mute-asked", others or await self._office_of(tx, row))
            return await self._view(tx, row, actor)

    async def of_space(self, actor: PersonId, space: SpaceId) -> list[ProposalView]:
        """What waits in a space, and what was decided lately: for its admins, but nothing that concerns them.

        Raises NotFound or NotAllowed.
        """
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock())
            decision = may_ask(Action.FLOOR_LOWER, standing.actor, standing.target())
            if not decision:
                raise NotAllowed(decision.reason) if standing.is_member else NotFound()
            lately = func.coalesce(proposals.c.decided_at, proposals.c.created_at)
            concerned = func.coalesce(proposals.c.concerned_id, "")
            rows = await tx.all(
                _rows()
                .where(
                    proposals.c.space_id == space,
                    concerned != standing.actor.membership,
                    lately >= self._clock() - TOLD_FOR,
                )
                .order_by(proposals.c.state != ProposalState.WAITING, proposals.c.created_at.desc())
                .order_by(proposals.c.id)
                .limit(MOST_LISTED)
            )
            return [await self._view(tx, row, actor) for row in rows]

    async def withdraw(self, actor: PersonId, proposal: str) -> None:
        """Takes back what the actor has proposed. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            row = await self._row(tx, proposal)
            who = await _who(tx, row)
            standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock())
            if not standing.is_member or standing.actor.membership == row["concerned_id"]:
                raise NotFound
            if standing.actor.membership != row["asked_by"]:
                raise NotAllowed("not-own")
            await self._require_waiting(tx, row, who)
            await self._close(tx, row, ProposalState.WITHDRAWN)
            await self._note(tx, row, _Decider(standing.actor.membership), "proposal.withdrawn")

    # For who agrees or not

    async def waiting(self, actor: PersonId) -> list[ProposalView]:
        """What waits for the actor's word as an officer, the longest first. Raises NotAllowed."""
        async with self._records.reading() as tx:
            officer = await person_actor(tx, actor, self._clock())
            decision = allowed(Action.FLOOR_LOWER, officer, Target())
            if not decision:
                raise NotAllowed(decision.reason)
            rows = await tx.all(
                _rows()
                .where(proposals.c.state == ProposalState.WAITING, self._fresh())
                .order_by(proposals.c.created_at, proposals.c.id)
            )
            views = []
            for row in rows:
                who = await _who(tx, row)
                decider = await self._may_decide(tx, actor, row, who)
                if decider is not None and decider.office and await self._stands(tx, row, who):
                    views.append(await self._view(tx, row, actor))
            return views

    async def decide(self, actor: PersonId, proposal: str, *, accept: bool, because: str = "") -> None:
        """Agrees, so that it is done, or not. Raises NotFound, NotAllowed or Conflict."""
        async with self._records.writing() as tx:
            row = await self._row(tx, proposal)
            who = await _who(tx, row)
            decider = await self._decider(tx, actor, row, who)
            await self._require_waiting(tx, row, who)
            state = ProposalState.ACCEPTED if accept else ProposalState.REFUSED
            await self._close(tx, row, state, decided_by=actor, decided_because=because)
            if not accept:
                await self._note(tx, row, decider, "proposal.refused", {"because": because})
            elif row["kind"] == ProposalKind.FLOOR:
                await self._lower(tx, row, decider, because)
            else:
                await self._mute(tx, row, decider)
            if row["kind"] == ProposalKind.FLOOR:
                admins = await admins_of(tx, SpaceId(row["space_id"]))
                told = [PersonId(admin["person_id"]) for admin in admins]
                await self._tell(tx, row, "floor-granted" if accept else "floor-refused", told)
            else:
                told = [PersonId(who[row["asked_by"]]["person_id"])]
                await self._tell(tx, row, "mute-confirmed" if accept else "mute-refused", told)

    async def _lower(self, tx: Writing, row: RowMapping, decider: _Decider, because: str) -> None:
        space = SpaceId(row["space_id"])
        stored: Mapping[str, Any] = await tx.value(select(spaces.c.policy).where(spaces.c.id == space))
        before = SpacePolicy.of(row["age_band"], stored).lowered.record()
        policy = {**stored, "lowered": {**before, **row["wish"]}}
        await tx.do(update(spaces).where(spaces.c.id == space).values(policy=policy))
        tx.publish(Change("space", space=space, notice=WRITING))
        details = {**row["wish"], "asked_by": row["asked_by"]}
        await self._note(tx, row, decider, "floor-lowered", {**details, "because": because})

    async def _mute(self, tx: Writing, row: RowMapping, decider: _Decider) -> None:
        asker, concerned = PersonId(row["asker"]), MembershipId(row["concerned_id"])
        _, member = await self._members.find_muted_by_two(tx, asker, concerned)
        await self._members.begin_mute(
            tx,
            member,
            decider.member,
            row["because"],
            MuteWish(**row["wish"]).ends(self._clock()),
            {"asked_by": row["asked_by"], **decider.details},
        )

    # Who may

    async def _decider(
        self, tx: Reading, actor: PersonId, row: RowMapping, who: Mapping[str, RowMapping]
    ) -> _Decider:
        """Raises NotAllowed to members whose word does not count, NotFound to everybody else."""
        space = SpaceId(row["space_id"])
        member = (await _members_of(tx, space)).get(actor)
        if member is not None and member == row["concerned_id"]:
            raise NotFound
        if row["kind"] == ProposalKind.MUTE:
            admins = {admin["id"] for admin in await admins_of(tx, space)}
            if member in admins and member == row["asked_by"]:
                raise NotAllowed("concerned")
            if member in admins:
                return _Decider(member=member)
        officer = await person_actor(tx, actor, self._clock())
        over = await self._over(tx, row, who)
        if not await may_decide(tx, officer, over, self._clock()):
            raise NotAllowed("role") if member is not None else NotFound()
        if member is not None:
            raise NotAllowed("concerned")
        return _Decider(office=_office(officer))

    async def _may_decide(
        self, tx: Reading, actor: PersonId, row: RowMapping, who: Mapping[str, RowMapping]
    ) -> _Decider | None:
        try:
            return await self._decider(tx, actor, row, who)
        except (NotFound, NotAllowed):
            return None

    async def _over(
        self, tx: Reading, row: RowMapping, who: Mapping[str, RowMapping]
    ) -> Sequence[RowMapping]:
        """Whose countries' officers have a word: the founders, and who is to be muted."""
        founders = await founders_of(tx, SpaceId(row["space_id"]))
        return [*founders, *(each for id, each in who.items() if id == row["concerned_id"])]

    async def _office_of(self, tx: Reading, row: RowMapping) -> list[PersonId]:
        """The officers who have a word, and are not in the space."""
        over = await self._over(tx, row, await _who(tx, row))
        here = await _members_of(tx, SpaceId(row["space_id"]))
        found = await who_decides(tx, countries_of(over), self._clock())
        return [person for person in found if person not in here]

    async def _find_muted(
        self, tx: Reading, actor: PersonId, space: SpaceId, member: MembershipId, wish: MuteWish
    ) -> tuple[Standing, RowMapping]:
        standing, row = await self._members.find_muted_by_two(tx, actor, member)
        if standing.space != space:
            raise NotFound
        _require_open(standing)
        ends = wish.ends(standing.now)
        if ends is not None and ends <= standing.now:
            raise Conflict("mute-over", "The end of this is already past. Choose a later time.")
        return standing, row

    def _fresh(self) -> ColumnElement[bool]:
        return proposals.c.created_at > self._clock() - WAITING_LIFE

    async def _stands(self, tx: Reading, row: RowMapping, who: Mapping[str, RowMapping]) -> bool:
        """Whether it waits: by its state and age, and by whether the same could be asked now."""
        space, asker = SpaceId(row["space_id"]), who.get(row["asked_by"])
        if row["state"] != ProposalState.WAITING or self._clock() >= row["created_at"] + WAITING_LIFE:
            return False
        if asker is None or all(admin["id"] != asker["id"] for admin in await admins_of(tx, space)):
            return False
        person = PersonId(asker["person_id"])
        try:
            if row["kind"] == ProposalKind.FLOOR:
                _require_floor(await stand(tx, person, space, self._clock()), Lowered.of(row["wish"]))
                return bool(row["wish"]["age_band"] == row["age_band"])
            member = MembershipId(row["concerned_id"])
            await self._find_muted(tx, person, space, member, MuteWish(**row["wish"]))
        except (NotFound, NotAllowed, Conflict):
            return False
        return True

    async def _require_waiting(self, tx: Reading, row: RowMapping, who: Mapping[str, RowMapping]) -> None:
        if row["state"] in (ProposalState.ACCEPTED, ProposalState.REFUSED):
            raise Conflict("decided", "Somebody has decided this already.")
        if not await self._stands(tx, row, who):
            raise Conflict("proposal-over", "This was taken back, or it has waited for too long.")

    # Parts

    async def _add(
        self,
        tx: Writing,
        standing: Standing,
        kind: ProposalKind,
        concerned: MembershipId | None,
        wish: Mapping[str, Any],
        because: str,
    ) -> RowMapping:
        here = proposals.c.space_id == standing.space, proposals.c.state == ProposalState.WAITING
        waiting = await tx.all(_rows().where(*here, self._fresh()))
        if len(waiting) >= MOST_WAITING:
            raise Conflict("too-many-proposals", "Many proposals wait for an answer. Take one back first.")
        for row in waiting:
            same = row["kind"] == kind and row["concerned_id"] == concerned
            if same and await self._stands(tx, row, await _who(tx, row)):
                raise Conflict("asked-already", "This is proposed already, and waits for an answer.")
        id = self._new_id()
        await tx.do(
            insert(proposals).values(
                id=id,
                space_id=standing.space,
                kind=kind,
                concerned_id=concerned,
                wish=dict(wish),
                because=because,
                state=ProposalState.WAITING,
                asked_by=standing.actor.membership,
                created_at=self._clock(),
            )
        )
        row = await self._row(tx, id)
        wished = {key: value for key, value in wish.items() if value is not None}
        details = {"kind": kind, "because": because, **wished}
        await self._note(tx, row, _Decider(standing.actor.membership), "proposal.asked", details)
        _changed(tx, row)
        return row

    async def _close(self, tx: Writing, row: RowMapping, state: ProposalState, **decided: Any) -> None:
        values = {"state": state, "decided_at": self._clock(), **decided}
        await tx.do(update(proposals).where(proposals.c.id == row["id"]).values(values))
        _changed(tx, row)

    async def _tell(self, tx: Writing, row: RowMapping, kind: str, whom: Iterable[PersonId]) -> None:
        await self._notifications.tell(tx, whom, kind, SpaceId(row["space_id"]), f"proposal/{row['id']}")

    async def _note(
        self,
        tx: Writing,
        row: RowMapping,
        by: _Decider,
        action: str,
        details: Mapping[str, Any] = {},
    ) -> None:
        await self._audit.note(
            tx,
            SpaceId(row["space_id"]),
            by.member,
            action,
            f"proposal/{row['id']}",
            concerned=row["concerned_id"],
            details={**details, **by.details},
        )

    async def _row(self, tx: Reading, proposal: str) -> RowMapping:
        row = await tx.first(_rows().where(proposals.c.id == proposal))
        if row is None:
            raise NotFound
        return row

    async def _view(self, tx: Reading, row: RowMapping, actor: PersonId) -> ProposalView:
        who, state = await _who(tx, row), ProposalState(row["state"])
        stands = await self._stands(tx, row, who)
        if state is ProposalState.WAITING and not stands:
            state = ProposalState.WITHDRAWN
        decided = state in (ProposalState.ACCEPTED, ProposalState.REFUSED)
        taken_back = state is ProposalState.WITHDRAWN and row["decided_because"] is not None
        floor = row["kind"] == ProposalKind.FLOOR
        return ProposalView(
            id=row["id"],
            kind=ProposalKind(row["kind"]),
            state=state,
            space_id=row["space_id"],
            space_title=row["space_title"],
            age_band=AgeBand(row["age_band"]),
            floor=Lowered.of(row["wish"]) if floor else None,
            mute=None if floor else MuteWish(**row["wish"]),
            because=row["because"],
            asked_by=_somebody(who.get(row["asked_by"])),
            concerned=_somebody(who.get(row["concerned_id"])),
            asked_at=row["created_at"],
            ends_at=row["created_at"] + WAITING_LIFE,
            answer=Answer(row["decider"], row["decided_because"] or "", row["decided_at"])
            if decided or taken_back
            else None,
            can={
                "decide": stands and await self._may_decide(tx, actor, row, who) is not None,
                "withdraw": stands and row["asker"] == actor,
            },
        )


def _require_open(standing: Standing) -> None:
    if standing.status is not SpaceStatus.OPEN:
        raise Conflict("not-open", "This space is not open now.")


def _require_floor(standing: Standing, wish: Lowered) -> None:
    """Raises NotFound, NotAllowed or Conflict where somebody may not propose it."""
    decision = may_ask(Action.FLOOR_LOWER, standing.actor, standing.target())
    if not decision:
        raise NotAllowed(decision.reason) if standing.is_member else NotFound()
    _require_open(standing)
    if not wish.beyond(standing.policy):
        raise Conflict("not-below-floor", "You may choose this already: nobody has to agree.")


def _changed(tx: Writing, row: RowMapping) -> None:
    tx.publish(Change("proposal", space=row["space_id"], notice=("members",), told="staff", content=True))


def _office(officer: Actor) -> Office:
    return Office.PLATFORM if Office.PLATFORM in officer.offices else Office.OFFICER


def _rows() -> Select[tuple[object, ...]]:
    """Proposals with what is needed of their space, who asked, and the member who decided."""
    asker, decided, decider = (
        memberships.alias("asker"),
        memberships.alias("decided"),
        people.alias("decider"),
    )
    here = and_(decided.c.space_id == proposals.c.space_id, decided.c.person_id == proposals.c.decided_by)
    return (
        select(
            proposals,
            spaces.c.title.label("space_title"),
            spaces.c.age_band,
            asker.c.person_id.label("asker"),
            decider.c.name.label("decider"),
        )
        .join(spaces, spaces.c.id == proposals.c.space_id)
        .outerjoin(asker, asker.c.id == proposals.c.asked_by)
        .outerjoin(decided, here)
        .outerjoin(decider, decider.c.id == decided.c.person_id)
    )


async def _who(tx: Reading, row: RowMapping) -> Mapping[str, RowMapping]:
    """Who has asked and whom it concerns, by membership id."""
    rows = await tx.all(
        select(
            memberships.c.id,
            memberships.c.person_id,
            people.c.name,
            schools.c.name.label("school"),
            schools.c.town,
            schools.c.country_code.label("country"),
        )
        .join(people, people.c.id == memberships.c.person_id)
        .outerjoin(schools, schools.c.id == people.c.school_id)
        .where(memberships.c.id.in_([row["asked_by"], row["concerned_id"]]))
    )
    return {each["id"]: each for each in rows}


def _somebody(row: RowMapping | None) -> Somebody | None:
    if row is None:
        return None
    return Somebody(row["id"], row["name"], row["school"], row["town"], row["country"])


async def _members_of(tx: Reading, space: SpaceId) -> Mapping[str, MembershipId]:
    """The memberships of everybody in a space, by person."""
    rows = await tx.all(
        select(memberships.c.id, memberships.c.person_id).where(
            memberships.c.space_id == space, memberships.c.state == MembershipState.ACTIVE
        )
    )
    return {row["person_id"]: MembershipId(row["id"]) for row in rows}
