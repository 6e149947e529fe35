"""Invitations of adults into a space, by a link that works once.

The link's secret is 256 random bits; the records keep its SHA-256. What a teacher asks for, an admin has to
confirm. An invitation holds only as long as the admin who stands for it is an admin there: nobody who was
taken out of a space comes back by a link they made before.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, func, insert, select, update

from rooms.accounts.notifications import Notifications
from rooms.accounts.throttle import Throttle
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.policy import Action
from rooms.rights.standing import Standing, stand
from rooms.safety.audit import Audit
from rooms.spaces.lifecycle import Lifecycle, founder_standing
from rooms.spaces.members import founders_of, founding_schools, join
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import invitations, memberships, people, schools, spaces
from rooms.values import (
    ADULT_ROLES,
    Clock,
    InvitationState,
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
    SpaceStatus,
)

__all__ = ["LONGEST", "MOST_WAITING", "USUAL", "InvitationView", "Invitations", "Invited", "NewInvitation"]

DAY: Final = 86_400.0
USUAL: Final = 14 * DAY
LONGEST: Final = 60 * DAY
"""Seconds that an invitation may hold."""
MOST_WAITING: Final = 100
"""Invitations of one space that nobody has answered."""
WAITING: Final = (InvitationState.PROPOSED, InvitationState.OPEN)


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation as somebody of the space sees it."""

    id: str
    role: Role
    state: InvitationState
    email: str | None
    """For whom it is, in the maker's words; only for the maker."""
    maker: str | None
    """Membership id."""
    mine: bool
    expires_at: float
    created_at: float
    can: dict[str, bool]
    """confirm, withdraw."""


@dataclass(frozen=True, slots=True)
class NewInvitation:
    invitation: InvitationView
    token: str
    """For the link; kept nowhere else."""


@dataclass(frozen=True, slots=True)
class Invited:
    """What the holder of a link is told."""

    space_title: str
    space_kind: SpaceKind
    founder: bool
    """Who accepts founds the project, too."""
    role: Role
    inviter: str
    school: str | None
    """The inviter's."""
    expires_at: float


class Invitations:
    """The invitations of every space."""

    def __init__(
        self,
        records: Records,
        audit: Audit,
        lifecycle: Lifecycle,
        notifications: Notifications,
        throttle: Throttle,
        clock: Clock,
        new_id: NewId,
        *,
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._records = records
        self._audit = audit
        self._lifecycle = lifecycle
        self._notifications = notifications
        self._throttle = throttle
        self._clock = clock
        self._new_id = new_id
        self._new_token = new_token

    # For those in the space

    async def invite(
        self,
        actor: PersonId,
        space: SpaceId,
        role: Role,
        *,
        email: str | None = None,
        lasts: float = USUAL,
    ) -> NewInvitation:
        """Makes a link for one adult; from somebody who may only ask, it works once an admin confirms it.

        ``lasts`` is in seconds, at most `LONGEST`. Raises NotFound, NotAllowed or Conflict.
        """
        if role not in ADULT_ROLES:
            raise Conflict("wrong-role", "Adults are guests, teachers or admins.")
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            asks = _require_invite(standing)
            made = await self._insert(tx, standing, role, asks=asks, email=email, lasts=lasts)
            details = {"role": role, "state": made.invitation.state}
            await self._note(tx, standing, "invited", made.invitation.id, details)
            return made

    async def invite_partner(self, actor: PersonId, space: SpaceId, *, lasts: float = USUAL) -> NewInvitation:
        """Makes the link for the second founder of a draft project; an older one works no more.

        Raises NotFound, NotAllowed or Conflict.
        """
        async with self._records.writing() as tx:
            standing = await founder_standing(tx, actor, space, self._clock())
            kind = await tx.value(select(spaces.c.kind).where(spaces.c.id == space))
            complete = len(founding_schools(await founders_of(tx, space))) > 1
            if kind != SpaceKind.PROJECT or standing.status is not SpaceStatus.DRAFT or complete:
                raise Conflict("wrong-step", "Only a project that has no partner yet can invite one.")
            await tx.do(
                update(invitations)
                .where(
                    invitations.c.space_id == space,
                    invitations.c.founder,
                    invitations.c.state.in_(WAITING),
                )
                .values(state=InvitationState.WITHDRAWN, **_end(self._clock()))
            )
            made = await self._insert(tx, standing, Role.ADMIN, founder=True, lasts=lasts)
            await self._note(tx, standing, "partner-invited", made.invitation.id)
            return made

    async def of_space(self, actor: PersonId, space: SpaceId) -> list[InvitationView]:
        """The newest first: all of them for an admin, else those that the actor has made."""
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock())
            asks = _require_invite(standing)
            query = select(invitations).where(invitations.c.space_id == space)
            if asks:
                query = query.where(invitations.c.maker_id == standing.actor.membership)
            order = invitations.c.created_at.desc(), invitations.c.id
            rows = await tx.all(query.order_by(*order).limit(500))
        return [_view(standing, row) for row in rows]

    async def confirm(self, actor: PersonId, space: SpaceId, invitation: str) -> InvitationView:
        """An admin stands for what was asked for: its link works now."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.ADULT_INVITE)
            row = await self._find(tx, standing, invitation)
            values = {"state": InvitationState.OPEN, "voucher_id": standing.actor.membership}
            await self._step(tx, row, (InvitationState.PROPOSED,), values)
            await self._note(tx, standing, "invitation-confirmed", invitation, {"role": row["role"]})
            return _view(standing, {**row, **values})

    async def withdraw(self, actor: PersonId, space: SpaceId, invitation: str) -> None:
        """The link works no more. For admins, and for who made it."""
        async with self._records.writing() as tx:
            standing = await stand(tx, actor, space, self._clock())
            _require_invite(standing)
            row = await self._find(tx, standing, invitation)
            await self._step(tx, row, WAITING, {"state": InvitationState.WITHDRAWN})
            await self._note(tx, standing, "invitation-withdrawn", invitation)

    # For whoever has the link

    async def read(self, token: str, *, address: str) -> Invited:
        """What the link is about. Raises NotFound, TooManyTries, or Conflict for one that works no more."""
        this = await self._throttle.begin(f"invitation:{_digest(token)}", None, address)
        async with self._records.writing() as tx:
            row = await self._of_token(tx, token)
            await self._throttle.right(tx, this)
            inviter = await tx.first(
                select(people.c.name, schools.c.name.label("school"))
                .join(memberships, memberships.c.person_id == people.c.id)
                .outerjoin(schools, schools.c.id == memberships.c.school_id)
                .where(memberships.c.id == row["maker_id"])
            )
            if inviter is None:
                raise NotFound
        return Invited(
            row["title"],
            SpaceKind(row["kind"]),
            row["founder"],
            Role(row["role"]),
            inviter["name"],
            inviter["school"],
            row["expires_at"],
        )

    async def accept(self, actor: PersonId, token: str, *, address: str) -> SpaceId:
        """Makes the actor, a confirmed adult, a member; the link works for nobody after that.

        Raises NotFound, TooManyTries or Conflict.
        """
        this = await self._throttle.begin(f"invitation:{_digest(token)}", None, address)
        async with self._records.writing() as tx:
            row = await self._of_token(tx, token)
            person = await self._adult(tx, actor)
            await self._throttle.right(tx, this)
            space, now = SpaceId(row["space_id"]), self._clock()
            if row["founder"]:
                member = await self._found(tx, space, actor, person["school_id"])
            else:
                member = await join(
                    tx, space, actor, Role(row["role"]), person["school_id"], self._new_id(), now
                )
            values = {"state": InvitationState.ACCEPTED, "accepted_id": member}
            await self._step(tx, row, (InvitationState.OPEN,), values)
            await self._audit.note(
                tx,
                space,
                member,
                "invitation-accepted",
                f"invitation/{row['id']}",
                concerned=member,
                details={"role": row["role"], **({"founder": True} if row["founder"] else {})},
            )
            tx.publish(Change("invitation", space=space, notice=("members",), told="staff", content=True))
            kind = "partner-accepted" if row["founder"] else "invitation-accepted"
            whom = [row["maker_person"]] if row["maker_state"] == MembershipState.ACTIVE else []
            await self._notifications.tell(tx, whom, kind, space, f"invitation/{row['id']}")
            if row["founder"]:
                await self._lifecycle.hand_in(tx, space, member)
        return space

    async def _found(self, tx: Writing, space: SpaceId, actor: PersonId, school: str | None) -> MembershipId:
        """Makes the actor a founder of a draft: of another school than the first."""
        if school is None:
            raise Conflict("not-confirmed", "A school has to confirm you before you can found a project.")
        if school in founding_schools(await founders_of(tx, space)):
            raise Conflict("same-school", "A project has founders of two schools, and this is yours already.")
        known = await tx.first(
            select(memberships).where(
                memberships.c.space_id == space,
                memberships.c.person_id == actor,
                memberships.c.state == MembershipState.ACTIVE,
            )
        )
        if known is None:
            new = self._new_id(), self._clock()
            return await join(tx, space, actor, Role.ADMIN, SchoolId(school), *new, founder=True)
        values = {"role": Role.ADMIN, "founder": True, "school_id": school}
        await tx.do(update(memberships).where(memberships.c.id == known["id"]).values(values))
        tx.publish(Change("role", space=space, notice=("members",)))
        return MembershipId(known["id"])

    async def decline(self, actor: PersonId, token: str, *, address: str) -> None:
        """The link works no more. Raises NotFound, TooManyTries or Conflict."""
        this = await self._throttle.begin(f"invitation:{_digest(token)}", None, address)
        async with self._records.writing() as tx:
            row = await self._of_token(tx, token)
            await self._adult(tx, actor)
            await self._throttle.right(tx, this)
            await self._step(tx, row, (InvitationState.OPEN,), {"state": InvitationState.DECLINED})
            await self._audit.note(
                tx, SpaceId(row["space_id"]), None, "invitation-declined", f"invitation/{row['id']}"
            )

    # Parts

    async def _insert(
        self,
        tx: Writing,
        standing: Standing,
        role: Role,
        *,
        lasts: float,
        asks: bool = False,
        email: str | None = None,
        founder: bool = False,
    ) -> NewInvitation:
        count = await tx.value(
            select(func.count()).where(
                invitations.c.space_id == standing.space,
                invitations.c.state.in_(WAITING),
                invitations.c.expires_at > standing.now,
            )
        )
        if count >= MOST_WAITING:
            raise Conflict("too-many-invitations", "Many invitations wait for an answer. Withdraw some.")
        token, me = self._new_token(), standing.actor.membership
        row = {
            "id": self._new_id(),
            "space_id": standing.space,
            "role": role,
            "token_hash": _digest(token),
            "email": email,
            "founder": founder,
            "maker_id": me,
            "voucher_id": None if asks else me,
            "state": InvitationState.PROPOSED if asks else InvitationState.OPEN,
            "expires_at": standing.now + min(lasts, LONGEST),
            "created_at": standing.now,
        }
        await tx.do(insert(invitations).values(row))
        return NewInvitation(_view(standing, row), token)

    async def _find(self, tx: Reading, standing: Standing, invitation: str) -> RowMapping:
        row = await tx.first(
            select(invitations).where(
                invitations.c.id == invitation, invitations.c.space_id == standing.space
            )
        )
        mine = row is not None and row["maker_id"] == standing.actor.membership
        if row is None or not (mine or standing.decide(Action.ADULT_INVITE)):
            raise NotFound
        return row

    async def _of_token(self, tx: Reading, token: str) -> RowMapping:
        """An open invitation with its space's title. Raises NotFound, or Conflict once it works no more."""
        maker = memberships.alias("maker")
        row = await tx.first(
            select(
                invitations,
                spaces.c.title,
                spaces.c.kind,
                spaces.c.status,
                memberships.c.role.label("voucher_role"),
                memberships.c.state.label("voucher_state"),
                memberships.c.founder.label("voucher_founder"),
                maker.c.person_id.label("maker_person"),
                maker.c.state.label("maker_state"),
            )
            .join(spaces, spaces.c.id == invitations.c.space_id)
            .outerjoin(memberships, memberships.c.id == invitations.c.voucher_id)
            .outerjoin(maker, maker.c.id == invitations.c.maker_id)
            .where(invitations.c.token_hash == _digest(token), spaces.c.status != SpaceStatus.ERASED)
        )
        if row is None:
            raise NotFound
        if row["state"] == InvitationState.PROPOSED:
            raise Conflict("not-yet-confirmed", "An admin of the space has to confirm this invitation first.")
        stands = row["voucher_role"] == Role.ADMIN and row["voucher_state"] == MembershipState.ACTIVE
        if row["founder"]:
            stands = stands and row["voucher_founder"] and row["status"] == SpaceStatus.DRAFT
        if _state(row, self._clock()) is not InvitationState.OPEN or not stands:
            raise _over()
        return row

    async def _adult(self, tx: Reading, actor: PersonId) -> RowMapping:
        person = await tx.first(select(people).where(people.c.id == actor))
        if person is None or person["kind"] != PersonKind.ADULT:
            raise Conflict("adults-only", "Invitations are for adults. Your teacher can put you in a space.")
        if person["state"] != PersonState.CONFIRMED:
            raise Conflict(
                "not-confirmed",
                "Your account is not confirmed yet. Once your school or national office has done that, "
                "open this invitation again.",
            )
        return person

    async def _step(
        self, tx: Writing, row: RowMapping, states: tuple[InvitationState, ...], values: dict[str, Any]
    ) -> None:
        """Changes an invitation that is in one of these states. Raises Conflict for any other."""
        if values["state"] not in WAITING:
            values = {**values, **_end(self._clock())}
        done = await tx.do(
            update(invitations)
            .where(
                invitations.c.id == row["id"],
                invitations.c.state.in_(states),
                invitations.c.expires_at > self._clock(),
            )
            .values(values)
        )
        if not done.rowcount:
            raise _over()

    async def _note(
        self,
        tx: Writing,
        standing: Standing,
        action: str,
        invitation: str,
        details: dict[str, Any] | None = None,
    ) -> None:
        author: MembershipId | None = standing.actor.membership
        await self._audit.note(
            tx, standing.space, author, action, f"invitation/{invitation}", details=details or {}
        )
        tx.publish(Change(action, space=standing.space, notice=("members",), told="staff", content=True))


def _require_invite(standing: Standing) -> bool:
    """Whether the person may only ask for it. Raises NotAllowed or NotFound."""
    decision = standing.decide(Action.ADULT_INVITE)
    if decision or (standing.is_member and decision.reason == "needs-approval"):
        return not decision
    raise NotAllowed(decision.reason) if standing.is_member else NotFound()


def _end(now: float) -> dict[str, Any]:
    """Once it is decided nobody has to know for whom it was, and its time is over."""
    return {"email": None, "expires_at": now}


def _over() -> Conflict:
    return Conflict("invitation-over", "This invitation works no more. Ask for a new one.")


def _state(row: Any, now: float) -> InvitationState:
    state = InvitationState(row["state"])
    return InvitationState.EXPIRED if state in WAITING and row["expires_at"] <= now else state


def _view(standing: Standing, row: Any) -> InvitationView:
    mine = row["maker_id"] is not None and row["maker_id"] == standing.actor.membership
    state, admin = _state(row, standing.now), bool(standing.decide(Action.ADULT_INVITE))
    return InvitationView(
        id=row["id"],
        role=Role(row["role"]),
        state=state,
        email=row["email"] if mine else None,
        maker=row["maker_id"],
        mine=mine,
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        can={
            "confirm": admin and state is InvitationState.PROPOSED,
            "withdraw": (admin or mine) and state in WAITING,
        },
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
