"""What teachers decide about posts: approve or reject what is held, hide what was seen, restore it.

A held post is for the teachers of the author's own school first; the admins of the space decide it too when
it has waited `OTHERS_AFTER`, or at once where no other teacher of that school is there to do it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, select, update

from rooms.faults import Conflict, NotAllowed
from rooms.rights.access import Change
from rooms.rights.policy import Action, allowed
from rooms.rights.standing import stand
from rooms.safety.audit import Audit
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import memberships, people, posts, rooms, threads
from rooms.talk.discussions import Discussions, next_number, next_version, publish_post
from rooms.talk.post_news import PostNews
from rooms.talk.threads import (
    PostView,
    ThreadStanding,
    author_row,
    author_rows,
    document_of,
    may_see,
    post_view,
    thread_rows,
    waits,
)
from rooms.values import (
    STAFF,
    Clock,
    MembershipState,
    PersonId,
    PersonState,
    PostId,
    PostState,
    RoomStatus,
    SpaceId,
)

__all__ = ["OTHERS_AFTER", "HeldPost", "Moderation"]

OTHERS_AFTER: Final = 24 * 3600.0
"""Seconds a held post is left to the teachers of the author's own school."""
LESSON_AFTER: Final = 10 * 60.0
"""The same while a lesson is live: in a supervised room with a teacher there."""


MOST_LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post that waits for the one who asks."""

    post: PostView
    thread_title: str
    room_title: str
    author_name: str
    author_school: str | None
    since: float
    own_school: bool
    """It is of a pupil of the asker's own school."""


class Moderation:
    """Decisions about the posts of every thread."""

    def __init__(
        self, records: Records, discussions: Discussions, audit: Audit, news: PostNews, clock: Clock
    ) -> None:
        self._records = records
        self._discussions = discussions
        self._audit = audit
        self._news = news
        self._clock = clock

    async def held(self, actor: PersonId, space: SpaceId) -> list[HeldPost]:
        """What waits for the actor's decision, oldest first. Raises NotFound or NotAllowed."""
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock())
            standing.require(Action.SPACE_READ)
            if not standing.is_staff:
                raise NotAllowed("role")
            rows = await tx.all(
                select(posts)
                .join(threads, threads.c.id == posts.c.thread_id)
                .join(rooms, rooms.c.id == threads.c.room_id)
                .where(rooms.c.space_id == space, waits())
                .order_by(posts.c.created_at, posts.c.id)
                .limit(MOST_LISTED)
            )
            if not rows:
                return []
            of_threads = threads.c.id.in_({row["thread_id"] for row in rows})
            authors = memberships.c.id.in_({row["author_id"] for row in rows})
            places = {
                row["id"]: ThreadStanding(standing, row)
                for row in await tx.all(thread_rows().where(of_threads))
                if may_see(standing, row)
            }
            writers = {row["id"]: row for row in await tx.all(author_rows().where(authors))}
            staffed = await _staffed(tx, space)
        return [
            HeldPost(
                post=post_view(row),
                thread_title=found.row["title"],
                room_title=found.row["room_title"],
                author_name=author["name"],
                author_school=author["school_name"],
                since=row["edited_at"] or row["created_at"],
                own_school=author["school_id"] == standing.actor.school,
            )
            for row in rows
            for found, author in [(places.get(row["thread_id"]), writers.get(row["author_id"]))]
            if found and author and _decides(found, row, author, staffed)
        ]

    async def decide(
        self, actor: PersonId, post: PostId, *, approve: bool, because: str | None = None
    ) -> PostView:
        """Shows what is held, or rejects it with words for its author.

        Deciding the same again changes nothing. Raises NotFound, NotAllowed, or Conflict for what does not
        wait.
        """
        async with self._records.writing() as tx:
            found, row = await self._discussions.find_post(tx, actor, post)
            author = await author_row(tx, row["author_id"])
            if author is None or not _decides(found, row, author, await _staffed(tx, found.standing.space)):
                raise NotAllowed("not-own-school" if found.standing.is_staff else "role")
            waits_with_edit = row["waiting_body"] is not None and row["state"] == PostState.VISIBLE
            if row["state"] != PostState.HELD and not waits_with_edit:
                if row["decided_at"] is not None and (row["state"] == PostState.VISIBLE) is approve:
                    return post_view(row)
                raise Conflict("not-held", "This post does not wait for anybody.")
            now = self._clock()
            values: dict[str, Any] = {
                "decided_by": found.standing.actor.membership,
                "decided_because": because,
                "decided_at": now,
                "waiting_body": None,
            }
            if waits_with_edit:
                if approve:
                    version = await next_version(tx, found.row["id"])
                    values |= {"body": row["waiting_body"], "edited_at": now, "version": version}
            elif approve:
                values |= {"state": PostState.VISIBLE, **await next_number(tx, found.row["id"], now)}
            else:
                values["state"] = PostState.REJECTED
            await tx.do(update(posts).where(posts.c.id == post).values(values))
            if approve:
                publish_post(tx, found, held=False)
            if approve and not waits_with_edit:
                await self._news.seen(tx, found, row)
            await self._tell(tx, found, row, author, "approved" if approve else "rejected", because)
            return post_view({**row, **values})

    async def hide(self, actor: PersonId, post: PostId, because: str | None = None) -> PostView:
        """Leaves a stub of what was seen. Authors may hide their own."""
        async with self._records.writing() as tx:
            found, row = await self._discussions.find_post(tx, actor, post, by_case=True)
            author = await author_row(tx, row["author_id"])
            _require_hide(found, author)
            if row["state"] == PostState.HIDDEN:
                return _of_hidden(row)
            if row["state"] != PostState.VISIBLE:
                raise Conflict("not-seen", "This post was never shown.")
            values = {
                "state": PostState.HIDDEN,
                "decided_by": found.standing.actor.membership,
                "decided_because": because,
                "decided_at": self._clock(),
                "version": await next_version(tx, found.row["id"]),
            }
            await tx.do(update(posts).where(posts.c.id == post).values(values))
            publish_post(tx, found, held=False)
            await self._tell(tx, found, row, author, "hidden", because)
            return _of_hidden({**row, **values})

    async def restore(self, actor: PersonId, post: PostId) -> PostView:
        """Shows again what was hidden. Who hid their own post may restore it; teachers those of pupils."""
        async with self._records.writing() as tx:
            found, row = await self._discussions.find_post(tx, actor, post, by_case=True)
            author = await author_row(tx, row["author_id"])
            _require_restore(found, row, author)
            if row["state"] == PostState.VISIBLE:
                return _as_seen(row)
            values = {
                "state": PostState.VISIBLE,
                "decided_by": found.standing.actor.membership,
                "decided_because": None,
                "decided_at": self._clock(),
                "version": await next_version(tx, found.row["id"]),
            }
            await tx.do(update(posts).where(posts.c.id == post).values(values))
            publish_post(tx, found, held=False)
            await self._tell(tx, found, row, author, "restored", None)
            return _as_seen({**row, **values})

    async def original(self, actor: PersonId, post: PostId) -> PostView:
        """The words of a hidden post, for who may restore it; by a case those that its report is about."""
        async with self._records.reading() as tx:
            found, row = await self._discussions.find_post(tx, actor, post, by_case=True)
            author = await author_row(tx, row["author_id"])
            _require_restore(found, row, author)
            target = found.post_target(author)
            if not found.standing.is_about(post) and not allowed(
                Action.POST_HIDE, found.standing.actor, target
            ):
                raise NotAllowed("no-case")
        await self._audit.note_reading(found.standing, f"post/{post}")
        return _as_seen(row)

    async def _tell(
        self,
        tx: Writing,
        found: ThreadStanding,
        row: RowMapping,
        author: RowMapping | None,
        action: str,
        because: str | None,
    ) -> None:
        """Writes the decision down, and lets the teachers' lists and the author hear of it."""
        space = found.standing.space
        tx.publish(Change("held", space=space, notice=("held",), told="staff", content=True))
        if author is not None:
            if action != "restored":
                await self._news.decided(tx, found, row["id"], author, action)
            tx.publish(
                Change(
                    action,
                    space=space,
                    person=author["person_id"],
                    notice=("mine",),
                    told="person",
                    content=True,
                )
            )
        await self._audit.note(
            tx,
            space,
            found.standing.actor.membership,
            action,
            f"post/{row['id']}",
            concerned=row["author_id"],
            details={"because": because, "thread": document_of(found.row["id"]), **found.standing.office},
        )


def _decides(found: ThreadStanding, row: RowMapping, author: RowMapping, staffed: Collection[str]) -> bool:
    """Whether it is the person's turn to decide about what waits; ``staffed``: see `_staffed`."""
    standing = found.standing
    if author["id"] == standing.actor.membership or not found.moderates(Action.POST_APPROVE, author):
        return False
    own = author["school_id"] is not None and author["school_id"] == standing.actor.school
    live = found.row["room_state"] == RoomStatus.SUPERVISED and standing.teacher_present
    patience = LESSON_AFTER if live else OTHERS_AFTER
    return own or standing.now - row["created_at"] >= patience or author["school_id"] not in staffed


async def _staffed(tx: Reading, space: SpaceId) -> set[str]:
    """The schools that have a teacher in the space."""
    rows = await tx.all(
        select(people.c.school_id)
        .distinct()
        .join(memberships, memberships.c.person_id == people.c.id)
        .where(
            memberships.c.space_id == space,
            memberships.c.state == MembershipState.ACTIVE,
            memberships.c.role.in_(STAFF),
            people.c.state == PersonState.CONFIRMED,
            people.c.school_id.is_not(None),
        )
    )
    return {row["school_id"] for row in rows}


def _require_restore(found: ThreadStanding, row: RowMapping, author: RowMapping | None) -> None:
    _require_hide(found, author)
    if row["state"] not in (PostState.HIDDEN, PostState.VISIBLE):
        raise Conflict("not-hidden", "This post is not hidden.")
    if not row["body"]:
        raise Conflict("words-forgotten", "The words of this post are not kept any more.")
    # What a teacher has hidden, its author cannot bring back.
    standing = found.standing
    mine = standing.is_member and row["decided_by"] == standing.actor.membership
    if row["state"] == PostState.HIDDEN and not (standing.is_staff or standing.cases or mine):
        raise NotAllowed("role")


def _require_hide(found: ThreadStanding, author: RowMapping | None) -> None:
    decision = found.standing.decide(Action.POST_HIDE, found.post_target(author))
    if not decision:
        raise NotAllowed(decision.reason)


def _of_hidden(row: Any) -> PostView:
    """Without its words: they are told only on demand, by `Moderation.original`."""
    return post_view({**row, "body": "", "waiting_body": None, "options": None, "mentions": []})


def _as_seen(row: Any) -> PostView:
    """An edit that waits is for who approves it, and not for everybody who may hide."""
    return post_view({**row, "waiting_body": None})
