"""Discussions: threads and posts, the source of truth of the documents ``thread/<id>``.

Whatever becomes visible here is written into the thread's document afterwards (rooms/talk/projection.py):
that is what `Change.content` with a document tells. Held and rejected posts never leave the records.

Each post that is seen has a number, its place in the thread. Each change of what is seen counts the thread's
``version`` up, and the post that changed carries it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import RowMapping, delete, func, insert, select, update

from rooms.faults import Blocked, Conflict, NotAllowed, NotFound
from rooms.rights.access import Change
from rooms.rights.policy import Action
from rooms.rights.space_policy import MARKS
from rooms.rights.standing import Standing, stand
from rooms.safety.audit import Audit
from rooms.safety.filters import FilterAction, Finding, examine, strictest
from rooms.spaces.spaces import Spaces
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import hands, memberships, posts, reactions, room_members, rooms, threads, votes
from rooms.talk.polls import votes_counted, votes_of
from rooms.talk.post_news import PostNews
from rooms.talk.threads import (
    FIRST_HELD,
    PostView,
    ThreadStanding,
    ThreadView,
    author_row,
    document_of,
    find_thread,
    may_see,
    post_view,
    thread_rows,
    thread_view,
)
from rooms.values import (
    STAFF,
    Audience,
    Clock,
    MembershipId,
    MembershipState,
    NewId,
    PersonId,
    PostId,
    Posting,
    PostState,
    RoomId,
    SpaceId,
    ThreadId,
    ThreadKind,
)

__all__ = ["MOST_POSTS", "MOST_THREADS", "Discussions"]

EDIT_SECONDS: Final = 15 * 60.0
"""How long authors may change their post."""
MOST_THREADS: Final = 500
"""In one room."""
MOST_POSTS: Final = 5_000
"""In one thread."""
MOST_WAITING: Final = 20
"""Held posts of one author in one thread: who sends more has to wait for a teacher."""


class Discussions:
    """Every thread of an installation."""

    def __init__(
        self, records: Records, spaces: Spaces, audit: Audit, news: PostNews, clock: Clock, new_id: NewId
    ) -> None:
        self._records = records
        self._spaces = spaces
        self._audit = audit
        self._news = news
        self._clock = clock
        self._new_id = new_id

    # Threads

    async def of_space(self, actor: PersonId, space: SpaceId) -> list[ThreadView]:
        """The threads the actor sees: pinned ones first, then the one written in last."""
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock(), by_case=True)
            standing.require(Action.SPACE_READ)
            order = threads.c.pinned.desc(), threads.c.last_at.desc(), threads.c.id
            rows = await tx.all(thread_rows().where(rooms.c.space_id == space).order_by(*order))
        await self._audit.note_reading(standing, f"space/{space}")
        return [thread_view(ThreadStanding(standing, row)) for row in rows if may_see(standing, row)]

    async def get(self, actor: PersonId, thread: ThreadId) -> ThreadView:
        """Raises NotFound also for a thread the actor may not see."""
        async with self._records.reading() as tx:
            found = await find_thread(tx, actor, thread, self._clock(), by_case=True)
            view = await self._view(tx, found)
        await self._audit.note_reading(found.standing, document_of(thread))
        return view

    async def start(
        self,
        actor: PersonId,
        room: RoomId,
        *,
        title: str,
        kind: ThreadKind = ThreadKind.THREAD,
        key: str,
        body: str | None = None,
        language: str | None = None,
    ) -> ThreadView:
        """Opens a thread, with a first post if there is a ``body``; the same key opens it once.

        A title is seen at once, so one that a filter would hold is refused. Raises NotFound, NotAllowed,
        Conflict or Blocked.
        """
        async with self._records.writing() as tx:
            standing, row = await self._spaces.find_room(tx, actor, room)
            self._require_start(standing, row, kind)
            author = standing.actor.membership
            assert author is not None
            thread = ThreadId(_derived(author, room, key))
            if await tx.first(select(threads.c.id).where(threads.c.id == thread)) is None:
                count = await tx.value(select(func.count()).where(threads.c.room_id == room))
                if count >= MOST_THREADS:
                    raise Conflict("too-many-threads", f"A room has at most {MOST_THREADS} discussions.")
                kinds = _kinds(self._findings(standing, [title]), FilterAction.HOLD, FilterAction.BLOCK)
                if kinds and kind is not ThreadKind.ASK:
                    raise Blocked(kinds)
                now = self._clock()
                await tx.do(
                    insert(threads).values(
                        id=thread,
                        room_id=room,
                        kind=kind,
                        title=title,
                        author_id=author,
                        pinned=False,
                        version=1,
                        last_number=0,
                        last_at=now,
                        created_at=now,
                    )
                )
                told = "staff" if kind is ThreadKind.ASK else ""
                tx.publish(
                    Change(
                        "thread",
                        document_of(thread),
                        standing.space,
                        notice=("threads",),
                        told=told,
                        content=True,
                    )
                )
            found = await find_thread(tx, actor, thread, self._clock())
            if body is not None:
                await self._post(tx, found, key=key, body=body, language=language)
            return await self._view(tx, await find_thread(tx, actor, thread, self._clock()))

    def _require_start(self, standing: Standing, room: RowMapping, kind: ThreadKind) -> None:
        target = standing.target(room)
        if kind is ThreadKind.ASK:
            if not standing.is_pupil or room["audience"] != Audience.ALL:
                raise NotAllowed("ask-my-teacher")
            if target.standstill:
                raise NotAllowed(target.standstill)
            standing.require(Action.MESSAGE, replace(target, extra=frozenset({"to-my-teacher"})))
        elif kind is ThreadKind.CHAT:
            standing.require(Action.MEETING_START, target)
            standing.require(Action.THREAD_START, target)
        else:
            standing.require(Action.THREAD_START, target)

    async def change(
        self, actor: PersonId, thread: ThreadId, *, title: str | None = None, pinned: bool | None = None
    ) -> ThreadView:
        """Renames or pins a thread."""
        async with self._records.writing() as tx:
            found = await find_thread(tx, actor, thread, self._clock())
            if title is not None:
                found.standing.require(Action.ROOM_STATE, found.target())
            if pinned is not None and not found.can["pin"]:
                raise NotAllowed("role")
            values = {"title": title, "pinned": pinned}
            given = {name: value for name, value in values.items() if value is not None}
            if given:
                await self._change_thread(tx, found, given)
            return await self._view(tx, await find_thread(tx, actor, thread, self._clock()))

    async def lock(
        self, actor: PersonId, thread: ThreadId, reason: str, until: float | None = None
    ) -> ThreadView:
        """Nobody posts in it until then, or until it is unlocked."""
        if until is not None and until <= self._clock():
            raise Conflict("lock-over", "The end of this is already past. Choose a later time.")
        return await self._set_lock(actor, thread, reason, until)

    async def unlock(self, actor: PersonId, thread: ThreadId) -> ThreadView:
        return await self._set_lock(actor, thread, None, None)

    async def _set_lock(
        self, actor: PersonId, thread: ThreadId, reason: str | None, until: float | None
    ) -> ThreadView:
        locks = reason is not None
        async with self._records.writing() as tx:
            found = await find_thread(tx, actor, thread, self._clock())
            found.standing.require(Action.ROOM_STATE, found.target(locked=False))
            now = self._clock()
            await self._change_thread(
                tx,
                found,
                {
                    "locked_by": found.standing.actor.membership if locks else None,
                    "locked_because": reason,
                    "locked_at": now if locks else None,
                    "locked_until": until,
                },
            )
            document = document_of(thread)
            tx.publish(Change("lock" if locks else "unlock", document, found.standing.space))
            await self._audit.note(
                tx,
                found.standing.space,
                found.standing.actor.membership,
                "lock" if locks else "unlock",
                document,
                details={"because": reason, "until": until} if locks else {},
            )
            return await self._view(tx, await find_thread(tx, actor, thread, self._clock()))

    async def raise_hand(self, actor: PersonId, thread: ThreadId, *, up: bool) -> None:
        """Shows that the person would like to say something, or does not any more."""
        async with self._records.writing() as tx:
            found = await find_thread(tx, actor, thread, self._clock())
            mine = hands.c.thread_id == thread, hands.c.membership_id == found.standing.actor.membership
            if up:
                _require(found.decide_post())
                if await tx.first(select(hands).where(*mine)):
                    return
                await tx.do(
                    insert(hands).values(
                        thread_id=thread, membership_id=found.standing.actor.membership, at=self._clock()
                    )
                )
            else:
                await tx.do(delete(hands).where(*mine))
            await self._change_thread(tx, found, {}, notice=())

    async def _change_thread(
        self,
        tx: Writing,
        found: ThreadStanding,
        values: Mapping[str, Any],
        notice: tuple[str, ...] = ("threads",),
    ) -> None:
        thread = found.row["id"]
        await tx.do(
            update(threads).where(threads.c.id == thread).values(version=threads.c.version + 1, **values)
        )
        tx.publish(Change("thread", document_of(thread), found.standing.space, notice=notice, content=True))

    # Posts

    async def post(
        self,
        actor: PersonId,
        thread: ThreadId,
        *,
        key: str,
        body: str,
        language: str | None = None,
        reply_to: PostId | None = None,
        mentions: Collection[MembershipId] = (),
        options: Sequence[str] | None = None,
    ) -> PostView:
        """Posts; the same key of the same author gives the same post, once.

        ``options`` make it a poll. Raises NotFound, NotAllowed, Conflict, or Blocked for what a filter stops.
        """
        async with self._records.writing() as tx:
            found = await find_thread(tx, actor, thread, self._clock())
            return await self._post(
                tx,
                found,
                key=key,
                body=body,
                language=language,
                reply_to=reply_to,
                mentions=mentions,
                options=options,
            )

    async def _post(
        self,
        tx: Writing,
        found: ThreadStanding,
        *,
        key: str,
        body: str,
        language: str | None = None,
        reply_to: PostId | None = None,
        mentions: Collection[MembershipId] = (),
        options: Sequence[str] | None = None,
    ) -> PostView:
        author, thread = found.standing.actor.membership, found.row["id"]
        known = await tx.first(select(posts).where(posts.c.author_id == author, posts.c.key == key))
        if known is not None:
            if known["thread_id"] != thread:
                raise Conflict("key-used", "This key belongs to another post. Use a new one.")
            return post_view(known)
        _require(found.decide_post())
        if options is not None and not found.standing.is_staff:
            raise NotAllowed("role")
        await self._check_parts(tx, found, reply_to, mentions)
        findings = self._findings(found.standing, [body, *(options or [])])
        reasons = await self._reasons(tx, found, findings)
        count = await tx.value(select(func.count()).where(posts.c.thread_id == thread))
        if count >= MOST_POSTS:
            raise Conflict("thread-full", "This discussion is full. Start a new one.")
        if reasons:
            waiting = await tx.value(
                select(func.count()).where(
                    posts.c.thread_id == thread, posts.c.author_id == author, posts.c.state == PostState.HELD
                )
            )
            if waiting >= MOST_WAITING:
                raise Conflict("many-waiting", "Many of your posts wait for your teacher. Please wait, too.")
        now = self._clock()
        values: dict[str, Any] = {
            "id": self._new_id(),
            "thread_id": thread,
            "author_id": author,
            "key": key,
            "number": None,
            "state": PostState.HELD,
            "body": body,
            "waiting_body": None,
            "language": language,
            "reply_to": reply_to,
            "mentions": sorted(set(mentions)),
            "options": list(options) if options else None,
            "reasons": reasons,
            "version": 0,
            "created_at": now,
            "edited_at": None,
            "decided_because": None,
        }
        if not reasons:
            values |= await next_number(tx, thread, now)
            values["state"] = PostState.VISIBLE
        await tx.do(insert(posts).values(values))
        publish_post(tx, found, held=bool(reasons))
        if reasons:
            await self._news.held(tx, found, values["id"])
        else:
            await self._news.seen(tx, found, values)
        await self._note_flags(tx, found, values["id"], findings)
        return post_view(values)

    async def edit(self, actor: PersonId, post: PostId, body: str) -> PostView:
        """Changes the author's own post within 15 minutes. What has to be held waits beside the old words."""
        async with self._records.writing() as tx:
            found, row = await self.find_post(tx, actor, post)
            target = replace(found.target(), owner=row["author_id"])
            found.standing.require(Action.POST_EDIT, target)
            _require(found.decide_post())
            if row["state"] not in (PostState.HELD, PostState.VISIBLE):
                raise Conflict("not-editable", "This post cannot be changed any more.")
            now = self._clock()
            if now - row["created_at"] > EDIT_SECONDS:
                raise Conflict("too-late", "A post can be changed for 15 minutes.")
            findings = self._findings(found.standing, [body, *(row["options"] or [])])
            reasons = await self._reasons(tx, found, findings)
            if row["state"] == PostState.HELD:
                values = {"body": body, "reasons": reasons or row["reasons"], "edited_at": now}
            elif reasons:
                values = {"waiting_body": body, "reasons": reasons}
            else:
                version = await next_version(tx, found.row["id"])
                values = {"body": body, "waiting_body": None, "edited_at": now, "version": version}
            await tx.do(update(posts).where(posts.c.id == post).values(values))
            publish_post(tx, found, held=bool(reasons) or row["state"] == PostState.HELD)
            if reasons:
                await self._news.held(tx, found, post)
            await self._note_flags(tx, found, post, findings)
            return post_view({**row, **values})

    async def react(self, actor: PersonId, post: PostId, mark: str, *, on: bool) -> None:
        """Sets or takes back one mark of the person on a post.

        Where marks are not counted, nothing of what is seen changes, and so no version, when it was on the
        post already or still is: from that, too, nobody could count. Raises NotFound, or NotAllowed for a
        mark that is not used in the space.
        """
        if mark not in MARKS:
            raise NotFound
        async with self._records.writing() as tx:
            found, row = await self.find_post(tx, actor, post)
            self._require_seen(found, row)
            here = found.standing.policy.reactions
            if on and mark not in here.marks:
                raise NotAllowed("mark-off" if here.marks else "reactions-off")
            member = found.standing.actor.membership
            marked = select(reactions.c.membership_id).where(
                reactions.c.post_id == post, reactions.c.mark == mark
            )
            known = {each["membership_id"] for each in await tx.all(marked)}
            if (member in known) is on:
                return
            if on:
                await tx.do(insert(reactions).values(post_id=post, membership_id=member, mark=mark))
            else:
                mine = reactions.c.membership_id == member
                await tx.do(
                    delete(reactions).where(reactions.c.post_id == post, reactions.c.mark == mark, mine)
                )
            if here.counts or not known - {member}:
                await self._touch(tx, found, post)

    async def vote(self, actor: PersonId, post: PostId, option: int) -> None:
        """Chooses an option of a poll (from 0); a second vote takes the place of the first.

        Where votes are not counted for everybody, nothing of what is seen changes: only staff are told.
        """
        async with self._records.writing() as tx:
            found, row = await self.find_post(tx, actor, post)
            self._require_seen(found, row)
            if not 0 <= option < len(row["options"] or ()):
                raise Conflict("no-such-option", "This poll has no such option.")
            if row["closed_at"] is not None:
                raise Conflict("poll-closed", "This poll is closed.")
            member = found.standing.actor.membership
            await tx.put(votes, [{"post_id": post, "membership_id": member, "option": option}])
            if found.standing.policy.reactions.counts:
                await self._touch(tx, found, post)
            else:
                voted = Change(
                    "vote", space=found.standing.space, notice=("mine",), told="staff", content=True
                )
                tx.publish(voted)

    async def close_poll(self, actor: PersonId, post: PostId) -> None:
        """Nobody votes any more, and everybody learns what was chosen. For staff, and whoever has asked."""
        async with self._records.writing() as tx:
            found, row = await self.find_post(tx, actor, post)
            if row["state"] != PostState.VISIBLE:
                raise NotFound
            standing = found.standing
            standing.require(Action.POLL_CLOSE, replace(found.target(locked=False), owner=row["author_id"]))
            if row["options"] is None:
                raise Conflict("not-a-poll", "This post is not a poll.")
            if row["closed_at"] is not None:
                return
            await tx.do(update(posts).where(posts.c.id == post).values(closed_at=self._clock()))
            await self._touch(tx, found, post)
            member = standing.actor.membership
            await self._audit.note(tx, standing.space, member, "poll-closed", f"post/{post}")

    def _require_seen(self, found: ThreadStanding, row: RowMapping) -> None:
        if row["state"] != PostState.VISIBLE:
            raise NotFound
        _require(found.decide_post())

    async def _touch(self, tx: Writing, found: ThreadStanding, post: str) -> None:
        version = await next_version(tx, found.row["id"])
        await tx.do(update(posts).where(posts.c.id == post).values(version=version))
        publish_post(tx, found, held=False)

    async def find_post(
        self, tx: Reading, actor: PersonId, post: PostId, *, by_case: bool = False
    ) -> tuple[ThreadStanding, RowMapping]:
        """A post of a thread the actor sees. Held and rejected ones exist only for their author, for who
        may approve them, and by a case about them. Raises NotFound."""
        row = await tx.first(select(posts).where(posts.c.id == post))
        if row is None:
            raise NotFound
        found = await find_thread(tx, actor, row["thread_id"], self._clock(), by_case=by_case)
        if row["state"] in (PostState.HELD, PostState.REJECTED):
            mine = row["author_id"] is not None and row["author_id"] == found.standing.actor.membership
            author = await author_row(tx, row["author_id"])
            about = found.standing.is_about(post)
            if not mine and not about and not found.moderates(Action.POST_APPROVE, author):
                raise NotFound
        return found, row

    async def _check_parts(
        self, tx: Reading, found: ThreadStanding, reply_to: PostId | None, mentions: Collection[MembershipId]
    ) -> None:
        if reply_to is not None:
            answered = await tx.first(
                select(posts.c.id).where(
                    posts.c.id == reply_to,
                    posts.c.thread_id == found.row["id"],
                    posts.c.state == PostState.VISIBLE,
                )
            )
            if answered is None:
                raise Conflict("no-such-post", "The post you answer is not here any more.")
        if mentions:
            known = select(memberships.c.id).where(
                memberships.c.space_id == found.standing.space,
                memberships.c.state == MembershipState.ACTIVE,
                memberships.c.id.in_(set(mentions)),
            )
            if found.row["audience"] == Audience.LISTED:
                listed = select(room_members.c.membership_id).where(
                    room_members.c.room_id == found.row["room_id"]
                )
                known = known.where(memberships.c.id.in_(listed) | memberships.c.role.in_(STAFF))
            if len(await tx.all(known)) != len(set(mentions)):
                raise Conflict("not-a-member", "Only members who see this discussion can be mentioned.")

    # Holding

    async def _reasons(self, tx: Reading, found: ThreadStanding, findings: Sequence[Finding]) -> list[str]:
        """Why a post with these findings has to wait for a teacher; empty: it need not. Raises Blocked."""
        if found.standing.is_staff or found.kind is ThreadKind.ASK:
            return []
        if strictest(findings) is FilterAction.BLOCK:
            raise Blocked(_kinds(findings, FilterAction.BLOCK))
        reasons = _kinds(findings, FilterAction.HOLD)
        if found.posting is Posting.HOLD:
            reasons.insert(0, "policy")
        elif found.posting is Posting.HOLD_FIRST and found.standing.is_pupil:
            seen = await tx.value(
                select(func.count())
                .select_from(posts)
                .join(threads, threads.c.id == posts.c.thread_id)
                .join(rooms, rooms.c.id == threads.c.room_id)
                .where(
                    rooms.c.space_id == found.standing.space,
                    posts.c.author_id == found.standing.actor.membership,
                    posts.c.state == PostState.VISIBLE,
                    threads.c.kind != ThreadKind.ASK,
                )
            )
            if seen < FIRST_HELD:
                reasons.insert(0, "first")
        return reasons

    def _findings(self, standing: Standing, texts: Sequence[str]) -> list[Finding]:
        """What the space's filters find; nobody looks through what teachers write."""
        if standing.is_staff:
            return []
        return [each for text in texts for each in examine(text, standing.policy.filters)]

    async def _note_flags(
        self, tx: Writing, found: ThreadStanding, post: str, findings: Sequence[Finding]
    ) -> None:
        """What is found and yet shown, teachers read of in the audit log."""
        flagged = _kinds(findings, FilterAction.FLAG)
        if flagged:
            author = found.standing.actor.membership
            details = {"kinds": flagged}
            await self._audit.note(
                tx, found.standing.space, None, "flagged", f"post/{post}", concerned=author, details=details
            )

    async def _view(self, tx: Reading, found: ThreadStanding) -> ThreadView:
        if not found.standing.is_member:
            return thread_view(found)
        waiting = await tx.all(
            select(posts)
            .where(
                posts.c.thread_id == found.row["id"],
                posts.c.author_id == found.standing.actor.membership,
                posts.c.state.in_((PostState.HELD, PostState.REJECTED)) | posts.c.waiting_body.is_not(None),
            )
            .order_by(posts.c.created_at, posts.c.id)
            .limit(100)
        )
        marked = await tx.all(
            select(reactions.c.post_id, reactions.c.mark)
            .join(posts, posts.c.id == reactions.c.post_id)
            .where(
                posts.c.thread_id == found.row["id"],
                posts.c.state == PostState.VISIBLE,
                reactions.c.membership_id == found.standing.actor.membership,
                reactions.c.mark.in_(found.standing.policy.reactions.marks),
            )
            .order_by(reactions.c.post_id, reactions.c.mark)
        )
        counts = found.standing.policy.reactions.counts
        return replace(
            thread_view(found, waiting, marked),
            my_votes=await votes_of(tx, found.row["id"], found.standing.actor.membership),
            votes=await votes_counted(tx, found.row["id"]) if found.standing.is_staff and not counts else {},
        )


async def next_version(tx: Writing, thread: str) -> int:
    """Counts up what is seen of a thread."""
    counted = update(threads).where(threads.c.id == thread).values(version=threads.c.version + 1)
    version: int = await tx.value(counted.returning(threads.c.version))
    return version


async def next_number(tx: Writing, thread: str, now: float) -> dict[str, int]:
    """The place and version of a post that is about to be seen."""
    counted = (
        update(threads)
        .where(threads.c.id == thread)
        .values(version=threads.c.version + 1, last_number=threads.c.last_number + 1, last_at=now)
    )
    row = await tx.first(counted.returning(threads.c.version, threads.c.last_number))
    assert row is not None
    return {"version": row["version"], "number": row["last_number"]}


def publish_post(tx: Writing, found: ThreadStanding, *, held: bool) -> None:
    """Tells the thread's document, or the teachers that somebody waits for them."""
    if held:
        tx.publish(Change("held", space=found.standing.space, notice=("held",), told="staff", content=True))
    else:
        tx.publish(Change("post", document_of(found.row["id"]), found.standing.space, content=True))


def _kinds(findings: Sequence[Finding], *actions: FilterAction) -> list[str]:
    return sorted({each.kind for each in findings if each.action in actions})


def _require(decision: Any) -> None:
    if not decision:
        raise NotAllowed(decision.reason)


def _derived(author: str, room: str, key: str) -> str:
    digest = hashlib.sha256(f"{author}\0{room}\0{key}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:12]).decode()
