"""What the national office has granted a space beyond its age band, and takes back.

An officer of a founder's country, or a platform admin, who is not in the space does so, as they grant it
(rooms/safety/proposals.py). At once nothing in the space is wider than its age band allows any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, select, update

from rooms.accounts.notifications import Notifications
from rooms.faults import Conflict, NotAllowed
from rooms.rights.access import Change
from rooms.rights.policy import Action, Target, allowed
from rooms.rights.space_policy import Lowered, SpacePolicy
from rooms.rights.standing import person_actor
from rooms.safety.audit import Audit
from rooms.spaces.lifecycle import is_in, may_decide, over_space
from rooms.spaces.members import admins_of, founders_of
from rooms.spaces.spaces import WRITING
from rooms.storage.records import Records, Writing
from rooms.storage.schema import proposals, rooms, spaces
from rooms.values import AgeBand, Clock, PersonId, Posting, ProposalKind, ProposalState, SpaceId, SpaceStatus

__all__ = ["Floors", "GrantedFloor"]

MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class GrantedFloor:
    """A space that may be opened wider than its age band."""

    space_id: str
    space_title: str
    age_band: AgeBand
    floor: Lowered
    """What is granted."""


class Floors:
    """What is granted to every space."""

    def __init__(self, records: Records, audit: Audit, notifications: Notifications, clock: Clock) -> None:
        self._records = records
        self._audit = audit
        self._notifications = notifications
        self._clock = clock

    async def granted(self, actor: PersonId) -> list[GrantedFloor]:
        """What the actor may take back as an officer, by title. Raises NotAllowed."""
        stands = spaces.c.policy[("lowered", "age_band")].as_string() == spaces.c.age_band
        async with self._records.reading() as tx:
            officer = await person_actor(tx, actor, self._clock())
            decision = allowed(Action.FLOOR_LOWER, officer, Target())
            if not decision:
                raise NotAllowed(decision.reason)
            rows = await tx.all(
                select(spaces.c.id, spaces.c.title, spaces.c.age_band, spaces.c.policy)
                .where(stands, spaces.c.status != SpaceStatus.ERASED)
                .order_by(spaces.c.title, spaces.c.id)
            )
            found: list[GrantedFloor] = []
            for row in rows:
                space = SpaceId(row["id"])
                founders = await founders_of(tx, space)
                mine = await is_in(tx, actor, space)
                if not mine and await may_decide(tx, officer, founders, self._clock()):
                    floor = SpacePolicy.of(row["age_band"], row["policy"]).lowered
                    found.append(GrantedFloor(space, row["title"], AgeBand(row["age_band"]), floor))
                if len(found) == MOST_LISTED:
                    break
        return found

    async def take_back(self, actor: PersonId, space: SpaceId, because: str) -> None:
        """Nothing is granted any more, and what is chosen wider than the age band is as wide as that.

        Raises NotFound, NotAllowed or Conflict.
        """
        async with self._records.writing() as tx:
            row, _, office = await over_space(tx, actor, space, self._clock())
            policy = SpacePolicy.of(row["age_band"], row["policy"])
            if policy.lowered == Lowered():
                raise Conflict("nothing-granted", "This space is no wider than its age band allows.")
            kept = {key: each for key, each in row["policy"].items() if key != "lowered"}
            changed = {**kept, **policy.beyond_band}
            await tx.do(update(spaces).where(spaces.c.id == space).values(policy=changed))
            await self._tighten_rooms(tx, space, policy.band_alone.posting_floor)
            await self._answer(tx, actor, row, because)
            tx.publish(Change("space", space=space, notice=WRITING))
            tx.publish(Change("proposal", space=space, notice=("members",), told="staff", content=True))
            details = {
                **policy.lowered.record(),
                "age_band": row["age_band"],
                "because": because,
                "by": office,
            }
            await self._audit.note(tx, space, None, "floor-taken-back", f"space/{space}", details=details)
            admins = [PersonId(admin["person_id"]) for admin in await admins_of(tx, space)]
            await self._notifications.tell(tx, admins, "floor-taken-back", space, f"space/{space}")

    async def _tighten_rooms(self, tx: Writing, space: SpaceId, floor: Posting) -> None:
        wider = [each for each in Posting if floor.tighter(each) is not each]
        await tx.do(
            update(rooms).where(rooms.c.space_id == space, rooms.c.posting.in_(wider)).values(posting=floor)
        )

    async def _answer(self, tx: Writing, actor: PersonId, space: RowMapping, because: str) -> None:
        """The proposals that were granted say so to the admins."""
        granted = (
            proposals.c.space_id == space["id"],
            proposals.c.kind == ProposalKind.FLOOR,
            proposals.c.state == ProposalState.ACCEPTED,
            proposals.c.wish["age_band"].as_string() == space["age_band"],
        )
        await tx.do(
            update(proposals)
            .where(*granted)
            .values(
                state=ProposalState.WITHDRAWN,
                decided_by=actor,
                decided_because=because,
                decided_at=self._clock(),
            )
        )
