"""What is forgotten, and when: nothing of a child is kept for longer than it serves.

Notifications have their own clock (rooms/notifications.py).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import delete, func, null, select, update

from .access import Change
from .audit import Audit
from .discussions import next_version
from .records import Records, Writing
from .schema import posts, rooms, threads
from .threads import document_of
from .values import Clock, PostState, ThreadKind

__all__ = ["CHAT_LIFE", "HIDDEN_LIFE", "UNSEEN_LIFE", "Retention"]

DAY: Final = 86_400.0
UNSEEN_LIFE: Final = 30 * DAY
"""Seconds for which a post is kept that nobody has let through, or that was rejected."""
HIDDEN_LIFE: Final = 90 * DAY
"""Seconds for which the words of a hidden post are kept; its stub stays."""
CHAT_LIFE: Final = 90 * DAY
"""Seconds for which a post in a chat is kept."""


class Retention:
    """The clocks of an installation."""

    def __init__(self, records: Records, audit: Audit, clock: Clock) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock

    async def forget(self) -> None:
        """Forgets what has been kept long enough. Every node may do it as often as it likes."""
        async with self._records.writing() as tx:
            await self._unseen(tx)
            await self._words(tx)
            await self._chats(tx)
            await self._audit.prune(tx)

    async def _unseen(self, tx: Writing) -> None:
        old = self._clock() - UNSEEN_LIFE
        since = func.coalesce(posts.c.decided_at, posts.c.edited_at, posts.c.created_at)
        unseen = posts.c.state.in_((PostState.HELD, PostState.REJECTED))
        await tx.do(delete(posts).where(unseen, since < old))
        edits = posts.c.waiting_body.is_not(None), posts.c.created_at < old
        await tx.do(update(posts).where(*edits).values(waiting_body=None))

    async def _words(self, tx: Writing) -> None:
        """Of its document they are gone since the post was hidden."""
        hidden = posts.c.state == PostState.HIDDEN, posts.c.decided_at < self._clock() - HIDDEN_LIFE
        nothing: dict[str, Any] = {"body": "", "waiting_body": None, "mentions": [], "options": null()}
        await tx.do(update(posts).where(*hidden, posts.c.body != "").values(nothing))

    async def _chats(self, tx: Writing) -> None:
        """Whoever has the chat open sees them go."""
        old = (
            select(posts.c.id)
            .join(threads, threads.c.id == posts.c.thread_id)
            .where(threads.c.kind == ThreadKind.CHAT, posts.c.created_at < self._clock() - CHAT_LIFE)
        )
        chats = await tx.all(
            select(threads.c.id, rooms.c.space_id)
            .join(rooms, rooms.c.id == threads.c.room_id)
            .where(threads.c.id.in_(select(posts.c.thread_id).where(posts.c.id.in_(old))))
        )
        if not chats:
            return
        await tx.do(delete(posts).where(posts.c.id.in_(old)))
        for chat in chats:
            await next_version(tx, chat["id"])
            tx.publish(Change("purged", document_of(chat["id"]), chat["space_id"], content=True))
