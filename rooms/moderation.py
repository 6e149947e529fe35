"""What teachers decide about posts: approve or reject what is held, hide what was seen, restore it.

A held post is for the teachers of the author's own school first; the admins of the space decide it too when
it has waited `OTHERS_AFTER`, or at once where no other teacher of that school is there to do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import RowMapping, select, update

from .access import Change
from .audit import Audit
from .discussions import Discussions, next_number, next_version, publish_post
from .faults import Conflict, NotAllowed
from .policy import Action
from .post_news import PostNews
from .records import Reading, Records
from .schema import memberships, people, posts, rooms, schools, threads
from .standing import stand
from .threads import PostView, ThreadStanding, author_row, document_of, may_see, post_view, thread_rows
from .values import (
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
            waits = (posts.c.state == PostState.HELD) | posts.c.waiting_body.is_not(None)
            rows = await tx.all(
                select(
                    posts,
                    threads.c.title.label("thread_title"),
                    rooms.c.title.label("room_title"),
                    people.c.name.label("author_name"),
                    people.c.school_id.label("author_school"),
                    schools.c.name.label("school_name"),
                )
                .join(threads, threads.c.id == posts.c.thread_id)
                .join(rooms, rooms.c.id == threads.c.room_id)
                .join(memberships, memberships.c.id == posts.c.author_id)
                .join(people, people.c.id == memberships.c.person_id)
                .outerjoin(schools, schools.c.id == people.c.school_id)
                .where(rooms.c.space_id == space, waits)
                .order_by(posts.c.created_at, posts.c.id)
                .limit(500)
            )
            seen: dict[str, ThreadStanding | None] = {}
            found = []
            for row in rows:
                thread = row["thread_id"]
                if thread not in seen:
                    of_thread = await tx.first(thread_rows().where(threads.c.id == thread))
                    visible = of_thread is not None and await may_see(tx, standing, of_thread)
                    seen[thread] = ThreadStanding(standing, of_thread) if of_thread and visible else None
                stands = seen[thread]
                if stands is not None and await self._decides(tx, stands, row):
                    found.append(
                        HeldPost(
                            post=post_view(row),
                            thread_title=row["thread_title"],
                            room_title=row["room_title"],
                            author_name=row["author_name"],
                            author_school=row["school_name"],
                            since=row["edited_at"] or row["created_at"],
                            own_school=row["author_school"] == standing.actor.school,
                        )
                    )
            return found

    async def decide(
        self, actor: PersonId, post: PostId, *, approve: bool, because: str | None = None
    ) -> PostView:
        """Shows what is held, or rejects it with words for its author.

        Deciding the same again changes nothing. Raises NotFound, NotAllowed, or Conflict for what does not
        wait.
        """
        async with self._records.writing() as tx:
            found, row = await self._discussions.find_post(tx, actor, post)
            if not await self._decides(tx, found, row):
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
            await self._tell(tx, found, row, "approved" if approve else "rejected", because)
            return post_view({**row, **values})

    async def hide(self, actor: PersonId, post: PostId, because: str | None = None) -> PostView:
        """Leaves a stub of what was seen. Authors may hide their own."""
        async with self._records.writing() as tx:
            found, row = await self._discussions.find_post(tx, actor, post)
            author = await author_row(tx, row["author_id"])
            self._require_hide(found, author)
            if row["state"] == PostState.HIDDEN:
                return self._of_hidden(found, row)
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
            await self._tell(tx, found, row, "hidden", because)
            return self._of_hidden(found, {**row, **values})

    async def restore(self, actor: PersonId, post: PostId) -> PostView:
        """Shows again what was hidden. Who hid their own post may restore it; teachers those of pupils."""
        async with self._records.writing() as tx:
            found, row = await self._discussions.find_post(tx, actor, post)
            await self._require_restore(tx, found, row)
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
            await self._tell(tx, found, row, "restored", None)
            return _as_seen({**row, **values})

    async def original(self, actor: PersonId, post: PostId) -> PostView:
        """The words of a hidden post, for who may restore it."""
        async with self._records.reading() as tx:
            found, row = await self._discussions.find_post(tx, actor, post)
            await self._require_restore(tx, found, row)
            return _as_seen(row)

    async def _require_restore(self, tx: Reading, found: ThreadStanding, row: RowMapping) -> None:
        self._require_hide(found, await author_row(tx, row["author_id"]))
        if row["state"] not in (PostState.HIDDEN, PostState.VISIBLE):
            raise Conflict("not-hidden", "This post is not hidden.")
        if not row["body"]:
            raise Conflict("words-forgotten", "The words of this post are not kept any more.")
        # What a teacher has hidden, its author cannot bring back.
        mine = row["decided_by"] == found.standing.actor.membership
        if row["state"] == PostState.HIDDEN and not found.standing.is_staff and not mine:
            raise NotAllowed("role")

    def _require_hide(self, found: ThreadStanding, author: RowMapping | None) -> None:
        decision = found.standing.decide(Action.POST_HIDE, found.post_target(author))
        if not decision:
            raise NotAllowed(decision.reason)

    def _of_hidden(self, found: ThreadStanding, row: Any) -> PostView:
        """Without its words: they are told only on demand, by `original`."""
        return post_view({**row, "body": "", "waiting_body": None, "options": None, "mentions": []})

    async def _decides(self, tx: Reading, found: ThreadStanding, row: RowMapping) -> bool:
        """Whether it is the person's turn to decide about a held post."""
        author = await author_row(tx, row["author_id"])
        if author is None or author["id"] == found.standing.actor.membership:
            return False
        if not found.moderates(Action.POST_APPROVE, author):
            return False
        own = author["school_id"] is not None and author["school_id"] == found.standing.actor.school
        live = found.row["room_state"] == RoomStatus.SUPERVISED and found.standing.teacher_present
        patience = LESSON_AFTER if live else OTHERS_AFTER
        if own or found.standing.now - row["created_at"] >= patience:
            return True
        return not await self._has_own_teacher(tx, found.standing.space, author["school_id"])

    async def _has_own_teacher(self, tx: Reading, space: SpaceId, school: str | None) -> bool:
        teachers = select(memberships.c.id).join(people, people.c.id == memberships.c.person_id)
        return (
            await tx.first(
                teachers.where(
                    memberships.c.space_id == space,
                    memberships.c.state == MembershipState.ACTIVE,
                    memberships.c.role.in_(STAFF),
                    people.c.state == PersonState.CONFIRMED,
                    people.c.school_id == school,
                ).limit(1)
            )
            is not None
        )

    async def _tell(
        self, tx: Any, found: ThreadStanding, row: RowMapping, action: str, because: str | None
    ) -> None:
        """Writes the decision down, and lets the teachers' lists and the author hear of it."""
        if action in ("approved", "rejected", "hidden"):
            await self._news.decided(tx, found, row, action)
        space = found.standing.space
        tx.publish(Change("held", space=space, notice=("held",), told="staff", content=True))
        author = await author_row(tx, row["author_id"])
        if author is not None:
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
            details={"because": because, "thread": document_of(found.row["id"])},
        )


def _as_seen(row: Any) -> PostView:
    """An edit that waits is for who approves it, and not for everybody who may hide."""
    return post_view({**row, "waiting_body": None})
