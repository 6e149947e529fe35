"""What a teacher sees at one glance: what waits, who is silent, and what is new since their last visit."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select, update

from crdt.log import Head, Log
from rooms.faults import NotFound
from rooms.rights.policy import Action
from rooms.rights.standing import Standing, stand
from rooms.safety.moderation import Moderation
from rooms.safety.reports import Reports
from rooms.services import Services
from rooms.spaces.members import Members
from rooms.spaces.pages import Pages
from rooms.storage.records import Reading, Records
from rooms.storage.schema import memberships, posts, rooms, threads
from rooms.talk.discussions import Discussions
from rooms.values import (
    Clock,
    MembershipState,
    PersonId,
    PersonKind,
    PostState,
    ReportState,
    SpaceId,
)

__all__ = ["SILENT_SECONDS", "ChangedPage", "Cockpit", "CockpitView", "FreshThread", "NewMember"]

SILENT_SECONDS: Final = 30 * 60.0
"""Who has written nothing for so long is silent."""
ENTRIES: Final = 500
"""How many of the last edits of a page are looked at: what is older is not news."""
MOST_KNOWN: Final = 4_000
"""Pages whose last edits are remembered."""
MOST_LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class ChangedPage:
    id: str
    title: str
    last_at: float
    authors: list[str]
    """Membership ids, last first; of members only."""


@dataclass(frozen=True, slots=True)
class FreshThread:
    id: str
    title: str
    last_at: float
    new_posts: int
    """At least one, of others."""


@dataclass(frozen=True, slots=True)
class NewMember:
    id: str
    name: str
    at: float


@dataclass(frozen=True, slots=True)
class CockpitView:
    """Titles and names only: what was written stays where it is."""

    since: float
    """The teacher's last visit; before the first one, when they joined."""
    pages: list[ChangedPage]
    threads: list[FreshThread]
    members: list[NewMember]
    silent: list[str]
    """Membership ids of the pupils who have neither edited a page nor posted for `SILENT_SECONDS`."""
    counts: dict[str, int]
    """held, reports, muted: what waits for the teacher."""


@dataclass(slots=True)
class _Edits:
    """Who edited a page last when, as far as the log was read."""

    head: Head
    last: dict[str, float] = field(default_factory=dict)


class Cockpit:
    """The cockpits of every space. It reads each edit in the log at most once."""

    def __init__(self, services: Services, log: Log) -> None:
        self._records: Records = services.records
        self._pages: Pages = services.pages
        self._members: Members = services.members
        self._discussions: Discussions = services.discussions
        self._moderation: Moderation = services.moderation
        self._reports: Reports = services.reports
        self._clock: Clock = services.clock
        self._log = log
        self._known: OrderedDict[str, _Edits] = OrderedDict()

    async def of_space(self, actor: PersonId, space: SpaceId) -> CockpitView:
        """Raises NotFound, NotAllowed, and LogUnavailable."""
        now = self._clock()
        async with self._records.reading() as tx:
            standing = await self._stand(tx, actor, space)
            mine = await tx.first(select(memberships).where(memberships.c.id == standing.actor.membership))
            assert mine is not None
            since = float(mine["visited_at"] or mine["created_at"])
            joined = await tx.all(
                select(memberships.c.id, memberships.c.created_at).where(
                    memberships.c.space_id == space,
                    memberships.c.state == MembershipState.ACTIVE,
                    memberships.c.created_at > since,
                    memberships.c.id != mine["id"],
                )
            )
            posted = await _posted(tx, space, now - SILENT_SECONDS)
            fresh = await _fresh(tx, space, since, mine["id"])
        members = await self._members.of_space(actor, space)
        names = {member.id: member.name for member in members}
        edits = await self._edits(actor, space)
        changed = [
            ChangedPage(
                page,
                title,
                max(last.values()),
                [id for id in sorted(last, key=lambda each: -last[each]) if id in names and last[id] > since],
            )
            for page, (title, last) in edits.items()
            if any(at > since for id, at in last.items() if id != mine["id"])
        ]
        active = posted | {
            id for _, last in edits.values() for id, at in last.items() if at > now - SILENT_SECONDS
        }
        threads_seen = await self._discussions.of_space(actor, space)
        reports = await self._reports.of_space(actor, space)
        return CockpitView(
            since=since,
            pages=sorted(changed, key=lambda page: -page.last_at)[:MOST_LISTED],
            threads=sorted(
                (
                    FreshThread(thread.id, thread.title, thread.last_at, fresh[thread.id])
                    for thread in threads_seen
                    if thread.id in fresh
                ),
                key=lambda thread: -thread.last_at,
            )[:MOST_LISTED],
            members=[
                NewMember(row["id"], names[row["id"]], row["created_at"])
                for row in joined
                if row["id"] in names
            ][:MOST_LISTED],
            silent=[
                member.id for member in members if member.kind is PersonKind.PUPIL and member.id not in active
            ],
            counts={
                "held": len(await self._moderation.held(actor, space)),
                "reports": sum(report.state is not ReportState.ANSWERED for report in reports),
                "muted": sum(member.mute is not None for member in members),
            },
        )

    async def visit(self, actor: PersonId, space: SpaceId) -> None:
        """The teacher has seen what there is: from now on only what comes later is new."""
        async with self._records.writing() as tx:
            standing = await self._stand(tx, actor, space)
            mine = memberships.c.id == standing.actor.membership
            await tx.do(update(memberships).where(mine).values(visited_at=self._clock()))

    async def _stand(self, tx: Reading, actor: PersonId, space: SpaceId) -> Standing:
        standing = await stand(tx, actor, space, self._clock())
        standing.require(Action.STAFF_READ)
        if not standing.is_member:
            raise NotFound
        return standing

    async def _edits(self, actor: PersonId, space: SpaceId) -> dict[str, tuple[str, dict[str, float]]]:
        """Page -> its title, and membership -> last edit, for the pages that the actor sees."""
        pages = await self._pages.of_space(actor, space)
        heads = await self._log.heads([page.document for page in pages])
        found = {}
        for page in pages:
            head = heads.get(page.document)
            if head is not None and (last := await self._last(page.document, head)):
                found[page.id] = page.title, last
        return found

    async def _last(self, document: str, head: Head) -> dict[str, float]:
        known = self._known.pop(document, None)
        if known is None or known.head.seq > head.seq or known.head.epoch != head.epoch:
            known = _Edits(Head(head.epoch, 0))
        if known.head.seq < head.seq:
            first = max(known.head.seq, head.seq - ENTRIES) + 1
            last = dict(known.last)
            async for entry in self._log.history(document, first):
                kind, _, id = entry.subject.partition(":")
                if kind == "membership":
                    last[id] = max(entry.at, last.get(id, 0.0))
            known = _Edits(head, last)
        self._known[document] = known
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return known.last


async def _posted(tx: Reading, space: SpaceId, after: float) -> set[str]:
    """Who has posted since then, also what still waits."""
    rows = await tx.all(
        select(posts.c.author_id)
        .distinct()
        .join(threads, threads.c.id == posts.c.thread_id)
        .join(rooms, rooms.c.id == threads.c.room_id)
        .where(rooms.c.space_id == space, posts.c.created_at > after, posts.c.author_id.is_not(None))
    )
    return {row["author_id"] for row in rows}


async def _fresh(tx: Reading, space: SpaceId, after: float, mine: str) -> dict[str, int]:
    """Thread -> how many posts of others have come to be seen since then."""
    seen_at = func.coalesce(posts.c.decided_at, posts.c.created_at)
    rows = await tx.all(
        select(posts.c.thread_id, func.count().label("count"))
        .join(threads, threads.c.id == posts.c.thread_id)
        .join(rooms, rooms.c.id == threads.c.room_id)
        .where(
            rooms.c.space_id == space,
            posts.c.state == PostState.VISIBLE,
            seen_at > after,
            posts.c.author_id.is_distinct_from(mine),
        )
        .group_by(posts.c.thread_id)
    )
    return {row["thread_id"]: row["count"] for row in rows}
