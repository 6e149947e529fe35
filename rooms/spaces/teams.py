"""International teams: a space's pupils dealt into rooms, so that each team has as many schools as can be."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import func, select

from rooms.faults import Conflict
from rooms.rights.policy import Action
from rooms.rights.standing import stand
from rooms.spaces.members import Members, MemberView
from rooms.spaces.pages import MOST_PAGES, Pages
from rooms.spaces.spaces import MOST_ROOMS, Spaces
from rooms.storage.records import Records
from rooms.storage.schema import pages, rooms
from rooms.talk.discussions import Discussions
from rooms.values import (
    Clock,
    MembershipId,
    PageKind,
    PersonId,
    PersonKind,
    RoomId,
    RoomKind,
    SpaceId,
)

__all__ = ["MOST_TEAMS", "Proposal", "SchoolPart", "TeamView", "Teams", "mix"]

MOST_TEAMS: Final = 50
"""Made at once."""
PAGES_OF_TEAM: Final = 2
"""A page and a board."""

T = TypeVar("T")


def mix(pupils_by_school: Mapping[str, Sequence[T]], count: int, seed: int = 0) -> list[list[T]]:
    """Deals pupils into ``count`` teams, the same ones whenever pupils and seed are the same.

    Between two teams, sizes differ by at most one, so do the pupils of any one school, and so do the numbers
    of schools. A school with at least ``count`` pupils is in every team; no two of a smaller one meet.
    """
    chance = random.Random(seed)  # noqa: S311  no secret
    schools = sorted(pupils_by_school)
    chance.shuffle(schools)
    # Small schools first: dealt one after another, each pupil of theirs brings a team one more school.
    schools.sort(key=lambda school: len(pupils_by_school[school]) >= count)
    teams: list[list[T]] = [[] for _ in range(count)]
    dealt = 0
    for school in schools:
        pupils = list(pupils_by_school[school])
        chance.shuffle(pupils)
        for pupil in pupils:
            teams[dealt % count].append(pupil)
            dealt += 1
    return teams


@dataclass(frozen=True, slots=True)
class SchoolPart:
    """A team's members of one school."""

    school_id: str | None
    members: list[str]


@dataclass(frozen=True, slots=True)
class TeamView:
    title: str
    schools: list[SchoolPart]
    room_id: str | None = None
    """None while it is only proposed, like the next three."""
    page_id: str | None = None
    board_id: str | None = None
    thread_id: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    seed: int
    """Gives the same teams again while the members are the same."""
    teams: list[TeamView]


class Teams:
    """The teams of every space."""

    def __init__(
        self,
        records: Records,
        spaces: Spaces,
        members: Members,
        pages: Pages,
        discussions: Discussions,
        clock: Clock,
    ) -> None:
        self._records = records
        self._spaces = spaces
        self._members = members
        self._pages = pages
        self._discussions = discussions
        self._clock = clock

    async def of_space(self, actor: PersonId, space: SpaceId) -> list[TeamView]:
        """The team rooms that the actor sees, and who of which school is in them."""
        view = await self._spaces.get(actor, space)
        known = {member.id: member for member in await self._members.of_space(actor, space)}
        return [
            TeamView(room.title, _by_school(known[id] for id in room.members if id in known), room.id)
            for room in view.rooms
            if room.kind is RoomKind.TEAM
        ]

    async def propose(
        self,
        actor: PersonId,
        space: SpaceId,
        *,
        count: int | None = None,
        size: int | None = None,
        names: Sequence[str] = (),
        seed: int | None = None,
    ) -> Proposal:
        """Teams of all pupils of the space: so many, or as few as make none bigger than ``size``.

        Nothing is made. Raises NotFound, NotAllowed or Conflict.
        """
        await self._require_place(actor, space, 0)
        members = await self._members.of_space(actor, space)
        pupils = sorted(
            (member for member in members if member.kind is PersonKind.PUPIL), key=lambda member: member.id
        )
        if count is None:
            count = -(-len(pupils) // (size or len(pupils) or 1))
        if not pupils or count > len(pupils):
            raise Conflict("too-few-pupils", "There are not enough pupils in the space for these teams.")
        if count > MOST_TEAMS:
            raise Conflict("too-many-teams", f"At most {MOST_TEAMS} teams are made at once.")
        if seed is None:
            seed = random.SystemRandom().getrandbits(31)
        by_school: dict[str, list[MemberView]] = {}
        for pupil in pupils:
            by_school.setdefault(pupil.school_id or "", []).append(pupil)
        titles = [*names[:count], *(f"Team {number}" for number in range(len(names) + 1, count + 1))]
        mixed = mix(by_school, count, seed)
        return Proposal(
            seed, [TeamView(title, _by_school(team)) for title, team in zip(titles, mixed, strict=True)]
        )

    async def make(self, actor: PersonId, space: SpaceId, proposal: Proposal) -> list[TeamView]:
        """Gives each team a room with a page, a board and a discussion in it. Older rooms stay."""
        await self._require_place(actor, space, len(proposal.teams))
        return [await self._make(actor, space, team) for team in proposal.teams]

    async def _make(self, actor: PersonId, space: SpaceId, team: TeamView) -> TeamView:
        listed = [MembershipId(id) for part in team.schools for id in part.members]
        made = await self._spaces.make_room(actor, space, title=team.title, members=listed)
        room = RoomId(made.id)
        page = await self._pages.create(actor, room, title=team.title)
        board = await self._pages.create(actor, room, title=team.title, kind=PageKind.BOARD)
        thread = await self._discussions.start(actor, room, title=team.title, key=f"team-{room}")
        return TeamView(team.title, team.schools, room, page.id, board.id, thread.id)

    async def _require_place(self, actor: PersonId, space: SpaceId, count: int) -> None:
        """Raises Conflict unless so many more rooms and pages may be made: no team is left half made."""
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.ROOM_MAKE)
            here = select(func.count()).select_from(rooms).where(rooms.c.space_id == space)
            if await tx.value(here) + count > MOST_ROOMS:
                raise Conflict("too-many-rooms", f"A space has at most {MOST_ROOMS} rooms.")
            there = (
                select(func.count())
                .select_from(pages.join(rooms, rooms.c.id == pages.c.room_id))
                .where(rooms.c.space_id == space, pages.c.binned_at.is_(None))
            )
            if await tx.value(there) + PAGES_OF_TEAM * count > MOST_PAGES:
                raise Conflict("too-many-pages", f"A space has at most {MOST_PAGES} pages. Bin some first.")


def _by_school(members: Iterable[MemberView]) -> list[SchoolPart]:
    parts: dict[str, SchoolPart] = {}
    for member in members:
        parts.setdefault(member.school_id or "", SchoolPart(member.school_id, [])).members.append(member.id)
    return [parts[school] for school in sorted(parts)]
