"""Who wrote what on a page, and taking back what one member did; from the log, which alone knows."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import RowMapping, select

from crdt.errors import CrdtError, Overtaken
from crdt.history import characters, undo
from crdt.jobs import bounded
from crdt.log import FIRST_EPOCH, HistoryEntry
from crdt.log.compaction import worker_pool
from crdt.preview import Preview, preview
from rooms.documents.errors import RoomError, Unavailable
from rooms.documents.live import LiveRoom
from rooms.documents.registry import Registry
from rooms.faults import Conflict, NotFound
from rooms.rights.policy import Action
from rooms.rights.standing import Standing, page_row, stand
from rooms.safety.audit import Audit
from rooms.spaces.pages import document_of
from rooms.storage.records import Reading, Records
from rooms.storage.schema import memberships, people, schools
from rooms.values import STAFF, Clock, MembershipId, PageId, PersonId, PersonState, Role, SpaceId

__all__ = ["LONGEST_AGO", "AuthorView", "PageHistory", "PreviewView"]

logger = logging.getLogger(__name__)

LONGEST_AGO: Final = 30 * 86_400.0
"""How many seconds an undo may reach back: as long as the log keeps who wrote what."""

INLINE_BYTES: Final = 8 * 1024
"""A history up to this size is looked through within a few milliseconds."""
ENTRY_BYTES: Final = 64
"""What looking at one entry costs, beside its size."""
JOB_SECONDS: Final = 60
ROUNDS: Final = 3
"""How often an undo looks again for what was written while it was made ..."""
LATER_SECONDS: Final = 3.0
"""... and when for the last time: by then what people were typing has arrived."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class AuthorView:
    """Somebody who has written on a page. Of those who were erased there is one, without id and name."""

    membership_id: str | None
    name: str | None
    school: str | None
    role: Role | None
    characters: int
    """How many of the characters that are on the page now."""
    last_at: float | None
    """Their last edit, in Unix seconds; None when it is longer ago than the log remembers."""


@dataclass(frozen=True, slots=True)
class PreviewView:
    preview: Preview
    until: float
    """What the member did after this stays (Unix seconds)."""


class PageHistory:
    """The past of every page. Close it when done."""

    def __init__(
        self,
        records: Records,
        registry: Registry,
        audit: Audit,
        clock: Clock,
        pool: Callable[[], Executor] = worker_pool,
    ) -> None:
        self._records = records
        self._registry = registry
        self._audit = audit
        self._clock = clock
        self._make_pool = pool
        self._pool: Executor | None = None
        self._one_at_a_time = asyncio.Lock()
        self._later: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Ends what is still to be looked at again, and the process."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await self._drop_pool()

    # Who wrote what

    async def authors(self, actor: PersonId, page: PageId) -> list[AuthorView]:
        """Who has written on the page, most characters first. Raises NotFound."""
        space, _ = await self._standing(actor, page)
        document = document_of(page)
        async with self._registry.open(document) as room:
            state = await room.read()
            owners = room.owners
        counts: dict[str, int] = {}
        for client, count in (await self._work(len(state), characters, [state])).items():
            subject = owners.get(client, "")
            counts[subject] = counts.get(subject, 0) + count
        last: dict[str, float] = {}
        async for entry in self._registry.shelf.log.history(document):
            last[entry.subject] = max(entry.at, last.get(entry.subject, 0.0))
        members = {id: subject for subject in counts.keys() | last.keys() if (id := _membership(subject))}
        rows = await self._members(space, members)
        authors: dict[str | None, AuthorView] = {}
        for id, subject in members.items():
            author = _author(rows.get(id), counts.get(subject, 0), last.get(subject))
            earlier = authors.get(author.membership_id)
            authors[author.membership_id] = author if earlier is None else _together(earlier, author)
        return sorted(authors.values(), key=lambda author: (-author.characters, author.name or ""))

    async def authorship(self, actor: PersonId, page: PageId) -> dict[str, str | None]:
        """Client id -> membership id for everything that members have written on the page; None for those who
        were erased. Raises NotFound."""
        space, _ = await self._standing(actor, page)
        async with self._registry.open(document_of(page)) as room:
            found = {client: id for client, subject in room.owners.items() if (id := _membership(subject))}
        rows = await self._members(space, set(found.values()))
        return {str(client): id if id in rows else None for client, id in found.items()}

    async def _members(self, space: SpaceId, ids: Collection[str]) -> dict[str, RowMapping]:
        """Those of the memberships whose people have not been erased, also of those who have left."""
        async with self._records.reading() as tx:
            rows = await tx.all(
                select(
                    memberships.c.id, memberships.c.role, people.c.name, schools.c.name.label("school_name")
                )
                .join(people, people.c.id == memberships.c.person_id)
                .outerjoin(schools, schools.c.id == people.c.school_id)
                .where(memberships.c.space_id == space, people.c.state != PersonState.ERASED)
            )
        return {row["id"]: row for row in rows if row["id"] in ids}

    # Undoing

    async def preview(
        self, actor: PersonId, page: PageId, membership: MembershipId, since: float
    ) -> PreviewView:
        """What `undo` would take away and bring back now. Raises what that raises."""
        undoing = await self._undoing(actor, page, membership, since)
        async with self._one_at_a_time, self._registry.open(document_of(page)) as room:
            size, arguments, options = await self._past_of(undoing, room)
            found = await self._work(size, preview, *arguments, **options)
        return PreviewView(found, undoing.until)

    async def undo(
        self,
        actor: PersonId,
        page: PageId,
        membership: MembershipId,
        since: float,
        *,
        until: float = math.inf,
        seen: str | None = None,
    ) -> bool:
        """Takes back what one member did on the page since then (Unix seconds). False when that is nothing.

        What others wrote stays. With ``until`` and ``seen``, the fingerprint, of a preview just that is done.
        Raises NotFound, NotAllowed, Conflict, Unavailable and what writing raises.
        """
        undoing = await self._undoing(actor, page, membership, since, until)
        undone = False
        for _ in range(ROUNDS):
            try:
                if not await self._take_back(undoing, seen):
                    break
            except Overtaken:
                raise Conflict("changed-meanwhile", "The page has changed meanwhile. Look again.") from None
            seen = None
            if not undone:
                undone = True
                await self._note(undoing)
        if undone:
            task = asyncio.create_task(self._look_again(undoing))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        return undone

    async def _undoing(
        self, actor: PersonId, page: PageId, membership: MembershipId, since: float, until: float = math.inf
    ) -> _Undoing:
        space, by = await self._may_undo(actor, page)
        now = self._clock()
        if since < now - LONGEST_AGO:
            raise Conflict("too-long-ago", "Only the last 30 days can be taken back. Choose a later time.")
        if membership not in await self._members(space, {membership}):
            raise NotFound
        return _Undoing(space, page, by, membership, since, min(until, now))

    async def _take_back(self, undoing: _Undoing, seen: str | None = None) -> bool:
        """One round; whether there was anything to do. Raises Overtaken."""
        async with self._one_at_a_time, self._registry.open(document_of(undoing.page)) as room:
            size, arguments, options = await self._past_of(undoing, room)
            client = _unused(room.owners)
            update = await self._work(size, undo, *arguments, client=client, seen=seen, **options)
            if update is None:
                return False
            await room.write(update, f"membership:{undoing.by}")
        return True

    async def _past_of(
        self, undoing: _Undoing, room: LiveRoom
    ) -> tuple[int, tuple[Any, ...], dict[str, Any]]:
        """What an undo and its preview look through: its size, and their arguments."""
        snapshot, entries = await self._past(room)
        undoers = {f"membership:{undoing.by}"} | await self._staff(undoing.page)
        size = sum(len(entry.update) + ENTRY_BYTES for entry in entries) + len(snapshot or b"")
        whose = f"membership:{undoing.membership}", undoing.since
        return size, (snapshot, entries, *whose), {"undoers": undoers, "until": undoing.until}

    async def _past(self, room: LiveRoom) -> tuple[bytes | None, Sequence[HistoryEntry]]:
        """The entries that are kept of the document as it is now, and what stands for those that are not."""
        await room.read()  # what has been taken in is in the log then
        log = self._registry.shelf.log
        entries = [entry async for entry in log.history(room.name)]
        if entries and entries[0].seq == 1 and entries[-1].epoch == FIRST_EPOCH:
            return None, entries
        stored = await log.load(room.name)
        return stored.snapshot, [entry for entry in entries if entry.epoch == stored.epoch]

    async def _look_again(self, undoing: _Undoing) -> None:
        """Brings back what others were still writing into what an undo has deleted."""
        await asyncio.sleep(LATER_SECONDS)
        try:
            await self._take_back(undoing)
        except (CrdtError, RoomError) as error:
            logger.warning("an undo was not looked at again: %s", error)

    async def _note(self, undoing: _Undoing) -> None:
        async with self._records.writing() as tx:
            await self._audit.note(
                tx,
                undoing.space,
                undoing.by,
                "revert",
                document_of(undoing.page),
                concerned=undoing.membership,
                details={"since": undoing.since},
            )

    async def _staff(self, page: PageId) -> set[str]:
        """Who may have undone something on the page before."""
        async with self._records.reading() as tx:
            row = await page_row(tx, page)
            rows = await tx.all(
                select(memberships.c.id).where(
                    memberships.c.space_id == row["space_id"], memberships.c.role.in_(STAFF)
                )
            )
        return {f"membership:{row['id']}" for row in rows}

    # Rights

    async def _standing(self, actor: PersonId, page: PageId) -> tuple[SpaceId, Standing]:
        """Where somebody stands who may see the page. Raises NotFound."""
        async with self._records.reading() as tx:
            standing, _ = await self._find(tx, actor, page)
        await self._audit.note_reading(standing, document_of(page))
        return standing.space, standing

    async def _may_undo(self, actor: PersonId, page: PageId) -> tuple[SpaceId, MembershipId]:
        """The space and the actor's membership. A lock is no hindrance. Raises NotFound and NotAllowed."""
        async with self._records.reading() as tx:
            standing, row = await self._find(tx, actor, page)
            standing.require(Action.PAGE_RESTORE, standing.page_target(row, locked=False))
        assert standing.actor.membership is not None
        return standing.space, standing.actor.membership

    async def _find(self, tx: Reading, actor: PersonId, page: PageId) -> tuple[Standing, RowMapping]:
        row = await page_row(tx, page)
        standing = await stand(tx, actor, SpaceId(row["space_id"]), self._clock(), by_case=True)
        if not standing.is_here or not standing.may_see_page(row):
            raise NotFound
        return standing, row

    # Work that grows with the document

    async def _work(self, size: int, work: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        """Does it here when it is little, else in another process. Raises Unavailable."""
        if size <= INLINE_BYTES:
            return work(*arguments, **options)
        if self._pool is None:
            self._pool = self._make_pool()
        pool = self._pool
        try:
            # Submitting may start a process, which takes too long for the loop.
            job = await asyncio.to_thread(pool.submit, bounded, JOB_SECONDS, work, *arguments, **options)
            return await asyncio.wrap_future(job)
        except BrokenExecutor:
            if self._pool is pool:
                await self._drop_pool()
            raise Unavailable("its past takes too long to look through") from None

    async def _drop_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Undoing:
    space: SpaceId
    page: PageId
    by: MembershipId
    membership: MembershipId
    since: float
    until: float


def _membership(subject: str) -> str | None:
    kind, _, id = subject.partition(":")
    return id if kind == "membership" else None


def _author(row: RowMapping | None, count: int, last: float | None) -> AuthorView:
    if row is None:
        return AuthorView(None, None, None, None, count, last)
    return AuthorView(row["id"], row["name"], row["school_name"], Role(row["role"]), count, last)


def _together(one: AuthorView, other: AuthorView) -> AuthorView:
    times = [at for at in (one.last_at, other.last_at) if at is not None]
    count = one.characters + other.characters
    return AuthorView(None, None, None, None, count, max(times, default=None))


def _unused(owners: Collection[int]) -> int:
    while (client := secrets.randbits(32)) in owners:
        pass
    return client
