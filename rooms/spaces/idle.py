"""Rooms that nobody uses any more: those of groups, and the free ones of adults, are archived in the end.

That somebody writes does not touch the record of a room: every edit would cost another write. A room is asked
about instead, now and then: its discussions know when something was posted last, and the log knows it of its
pages, for days after the edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Final

from sqlalchemy import Select, exists, func, or_, select, update

from crdt.log import Head, Log
from rooms.accounts.notifications import Notifications
from rooms.rights.access import Change
from rooms.safety.audit import Audit
from rooms.spaces.members import admins_of
from rooms.spaces.pages import document_of
from rooms.spaces.spaces import WRITING
from rooms.storage.records import Records, Writing
from rooms.storage.schema import pages, rooms, spaces, threads
from rooms.values import Clock, PersonId, RoomKind, RoomStatus, SpaceId, SpaceKind, SpaceStatus

__all__ = ["IDLE_LIFE", "IdleRooms"]

DAY: Final = 86_400.0
IDLE_LIFE: Final = 180 * DAY
"""Seconds after which a room is archived in which nobody has written."""
DOCUMENTS_AT_ONCE: Final = 1_000


class IdleRooms:
    """Whether rooms are used. Of each page it asks the log again only when there is something new in it."""

    def __init__(
        self, records: Records, audit: Audit, notifications: Notifications, clock: Clock, log: Log
    ) -> None:
        self._records = records
        self._audit = audit
        self._notifications = notifications
        self._clock = clock
        self._log = log
        self._written: dict[str, tuple[Head, float]] = {}
        """How far a document was, and when that was written; 0 when the log does not know any more."""

    async def archive(self) -> int:
        """Writes down when rooms were last used, and archives those that are idle; returns how many.

        Every node may do it as often as it likes. Raises RecordsUnavailable and LogUnavailable.
        """
        now = self._clock()
        async with self._records.reading() as tx:
            resting = _resting(now - DAY)
            noted = {row["id"]: row["used_at"] for row in await tx.all(resting)}
            among = resting.with_only_columns(rooms.c.id)
            here = await tx.all(
                select(pages.c.id, pages.c.room_id, pages.c.created_at).where(pages.c.room_id.in_(among))
            )
            last = func.max(threads.c.last_at).label("at")
            posted = await tx.all(
                select(threads.c.room_id, last)
                .where(threads.c.room_id.in_(among))
                .group_by(threads.c.room_id)
            )
        used = noted | {row["room_id"]: max(noted[row["room_id"]], row["at"]) for row in posted}
        written = await self._last_edits(document_of(page["id"]) for page in here)
        for page in here:
            edited = written.get(document_of(page["id"]), page["created_at"])
            used[page["room_id"]] = max(used[page["room_id"]], page["created_at"], edited)
        since = now - IDLE_LIFE
        idle = {room for room, at in used.items() if at <= since}
        newer = {room: at for room, at in used.items() if at > noted[room]}
        if not idle and not newer:
            return 0
        async with self._records.writing() as tx:
            for room, at in newer.items():
                unseen = rooms.c.id == room, rooms.c.used_at < at
                await tx.do(update(rooms).where(*unseen).values(used_at=at))
            meanwhile = threads.c.room_id == rooms.c.id, threads.c.last_at > since
            unposted = ~exists(select(threads.c.id).where(*meanwhile))
            still = await tx.all(_resting(since).where(unposted).order_by(rooms.c.id))
            due = [row for row in still if row["id"] in idle]
            for row in due:
                await self._archive(tx, SpaceId(row["space_id"]), row["id"])
        return len(due)

    async def _archive(self, tx: Writing, space: SpaceId, room: str) -> None:
        await tx.do(update(rooms).where(rooms.c.id == room).values(state=RoomStatus.ARCHIVED))
        tx.publish(Change("room-state", space=space, notice=WRITING))
        details = {"to": RoomStatus.ARCHIVED, "idle": True}
        await self._audit.note(tx, space, None, "room-state", f"room/{room}", details=details)
        whom = [PersonId(admin["person_id"]) for admin in await admins_of(tx, space)]
        await self._notifications.tell(tx, whom, "room-archived", space, f"room/{room}")

    async def _last_edits(self, documents: Iterable[str]) -> Mapping[str, float]:
        """When each of them was written last, of those where it is known."""
        asked = list(documents)
        heads: dict[str, Head] = {}
        for start in range(0, len(asked), DOCUMENTS_AT_ONCE):
            heads |= await self._log.heads(asked[start : start + DOCUMENTS_AT_ONCE])
        known, self._written = self._written, {}
        for document, head in heads.items():
            before = known.get(document)
            if before is None or before[0] != head:
                before = head, await self._last_at(document, head)
            self._written[document] = before
        return {document: at for document, (_, at) in self._written.items()}

    async def _last_at(self, document: str, head: Head) -> float:
        async with aclosing(self._log.history(document, head.seq)) as entries:
            return max([entry.at async for entry in entries], default=0.0)


def _resting(since: float) -> Select[tuple[object, ...]]:
    """Rooms that may be archived, and that nobody is known to have used since; add a ``where``."""
    return (
        select(rooms.c.id, rooms.c.space_id, rooms.c.used_at)
        .join(spaces, spaces.c.id == rooms.c.space_id)
        .where(
            or_(rooms.c.kind == RoomKind.FREE, spaces.c.kind == SpaceKind.GROUP),
            rooms.c.state != RoomStatus.ARCHIVED,
            spaces.c.status == SpaceStatus.OPEN,
            func.coalesce(spaces.c.decided_at, 0.0) <= since,
            rooms.c.used_at <= since,
        )
    )
