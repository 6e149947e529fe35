"""Who is notified of a post: its author of decisions, whom it answers or mentions once it is seen, and the
teachers of the author's school while it waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, select

from rooms.accounts.notifications import Notifications
from rooms.storage.records import Reading, Writing
from rooms.storage.schema import memberships, people, posts
from rooms.talk.threads import ThreadStanding, author_row
from rooms.values import STAFF, MembershipState, PersonId

__all__ = ["PostNews"]


class PostNews:
    """Notifications about posts, in the transaction in which they change."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    async def seen(self, tx: Writing, found: ThreadStanding, post: Mapping[str, Any] | RowMapping) -> None:
        """It is there for everybody who sees the thread: now, and not while it waited."""
        author = await author_row(tx, post["author_id"])
        by = PersonId(author["person_id"]) if author else None
        answered = await tx.value(select(posts.c.author_id).where(posts.c.id == post["reply_to"]))
        for kind, members in (("mention", post["mentions"]), ("reply", [answered] if answered else [])):
            whom = set(await _people(tx, members)) - {by}
            await self._tell(tx, whom, kind, found, post["id"], by)

    async def held(self, tx: Writing, found: ThreadStanding, post: str) -> None:
        """It waits for the teachers of the author's own school."""
        teachers = await tx.all(
            select(people.c.id)
            .join(memberships, memberships.c.person_id == people.c.id)
            .where(
                memberships.c.space_id == found.standing.space,
                memberships.c.state == MembershipState.ACTIVE,
                memberships.c.role.in_(STAFF),
                people.c.school_id == found.standing.actor.school,
            )
        )
        await self._tell(tx, {PersonId(row["id"]) for row in teachers}, "held", found, post)

    async def decided(
        self, tx: Writing, found: ThreadStanding, post: str, author: RowMapping, kind: str
    ) -> None:
        """Somebody else has approved, rejected or hidden it."""
        if author["person_id"] != found.standing.actor.person:
            await self._tell(tx, {PersonId(author["person_id"])}, kind, found, post)

    async def _tell(
        self,
        tx: Writing,
        whom: set[PersonId],
        kind: str,
        found: ThreadStanding,
        post: str,
        by: PersonId | None = None,
    ) -> None:
        if whom:
            details = {"thread": found.row["id"]}
            await self._notifications.tell(
                tx, whom, kind, found.standing.space, f"post/{post}", details, by=by
            )


async def _people(tx: Reading, members: list[str]) -> list[PersonId]:
    if not members:
        return []
    rows = await tx.all(
        select(memberships.c.person_id).where(
            memberships.c.id.in_(members), memberships.c.state == MembershipState.ACTIVE
        )
    )
    return [PersonId(row["person_id"]) for row in rows]
