"""Threads: who sees them, who may post, and how they look to one person.

A thread belongs to a room and is seen by whoever sees the room. A question to my teacher (``ask``) is seen
by its author and the teachers of the author's school only; where that is just one, by the admins of the space
too, so that no pupil is ever alone with one adult.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, ScalarSelect, Select, and_, func, or_, select

from rooms.faults import NotFound
from rooms.rights.policy import Action, Decision, Target
from rooms.rights.standing import Standing, stand
from rooms.storage.records import Reading
from rooms.storage.schema import memberships, people, posts, rooms, schools, threads
from rooms.values import (
    STAFF,
    Audience,
    MembershipState,
    PersonId,
    PersonKind,
    PersonState,
    Posting,
    PostState,
    Role,
    RoomKind,
    RoomStatus,
    SpaceId,
    ThreadKind,
)

__all__ = [
    "FIRST_HELD",
    "PostView",
    "ThreadStanding",
    "ThreadView",
    "author_row",
    "author_rows",
    "document_of",
    "find_thread",
    "may_see",
    "post_view",
    "thread_rows",
    "thread_view",
    "waits",
]

FIRST_HELD: Final = 3
"""With `Posting.HOLD_FIRST`, so many posts of a pupil are held before the others are not."""


def document_of(thread: str) -> str:
    return f"thread/{thread}"


@dataclass(frozen=True, slots=True)
class PostView:
    """A post as its author or a moderator sees it; what everybody sees is in the thread's document."""

    id: str
    thread_id: str
    author: str | None
    """Membership id; None when the membership was erased."""
    state: PostState
    number: int | None
    """Its place in the thread; None while it was never seen."""
    body: str
    waiting_body: str | None
    """An edit that waits for a teacher, while the old words are still shown."""
    language: str | None
    reply_to: str | None
    mentions: list[str]
    options: list[str] | None
    reasons: list[str]
    """Why it is or was held: ``policy``, ``first``, or kinds of findings."""
    decided_because: str | None
    at: float
    edited_at: float | None


@dataclass(frozen=True, slots=True)
class ThreadLock:
    by: str | None
    reason: str
    until: float | None


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A thread as one person sees it."""

    id: str
    room_id: str
    kind: ThreadKind
    title: str
    author: str | None
    pinned: bool
    lock: ThreadLock | None
    document: str
    posts_count: int
    last_at: float
    policy: Posting
    """How the person's own posts come before the others' eyes."""
    reason: str
    """Why the person may not post now; empty when they may."""
    can: dict[str, bool]
    marks: tuple[str, ...] = ()
    """The reactions that are used here; empty: none."""
    counts: bool = False
    """The document tells who has set a mark, and who has voted for what; else only which marks are on a post
    (`Reactions`), and of a poll what was chosen once it is closed."""
    mine_waiting: list[PostView] = field(default_factory=list)
    my_marks: dict[str, list[str]] = field(default_factory=dict)
    """The person's own marks, by post."""
    my_votes: dict[str, int] = field(default_factory=dict)
    """What the person has chosen in polls, by post."""
    votes: dict[str, list[int]] = field(default_factory=dict)
    """For staff, where the document does not tell: how many have chosen each option of the polls, by post."""


@dataclass(frozen=True, slots=True)
class ThreadStanding:
    """Where one person stands in one thread."""

    standing: Standing
    row: RowMapping
    """A row of `thread_rows`."""

    @property
    def kind(self) -> ThreadKind:
        return ThreadKind(self.row["kind"])

    @property
    def action(self) -> Action:
        """What writing a post is here."""
        if self.kind is ThreadKind.CHAT:
            return Action.CHAT
        return Action.MESSAGE if self.kind is ThreadKind.ASK and self.standing.is_pupil else Action.POST_REPLY

    @property
    def posting(self) -> Posting:
        return Posting.FREE if self.kind is ThreadKind.ASK else self.standing.posting(self.row)

    def target(self, *, locked: bool = True) -> Target:
        standing = self.standing
        standstill = standing.standstill(RoomStatus(self.row["room_state"]), hours=self.row["hours"])
        if not standstill and locked and self.lock_holds:
            standstill = "locked"
        return Target(
            owner=self.row["author_id"],
            policy=standing.policy,
            room=RoomKind(self.row["room_kind"]),
            team=self.row["room_id"] in standing.listed,
            standstill=standstill,
            supervised=standing.chat_open(self.row),
            posting=self.posting,
            extra=frozenset({"to-my-teacher"}) if self.kind is ThreadKind.ASK else frozenset(),
        )

    @property
    def _two_adults(self) -> bool:
        """No pupil is ever in a channel with fewer than two adults."""
        return bool(self.row["adults_asked" if self.kind is ThreadKind.ASK else "adults"] >= 2)

    @property
    def lock_holds(self) -> bool:
        if self.row["locked_at"] is None:
            return False
        return self.row["locked_until"] is None or bool(self.row["locked_until"] > self.standing.now)

    def decide_post(self) -> Decision:
        """Whether the person may post here now."""
        target = self.target()
        if self.action is Action.MESSAGE and target.standstill:
            return Decision(False, target.standstill)  # asking is no write of the matrix, but is one here
        decision = self.standing.decide(self.action, target)
        if decision and self.standing.is_pupil and not self._two_adults:
            return Decision(False, "two-adults")
        if decision and self.posting is Posting.OFF:
            return Decision(False, "posting-off")
        return decision

    def moderates(self, action: Action, author: RowMapping | None) -> bool:
        """Whether the person may do this with a post of this author (a row of `author_rows`)."""
        return bool(self.standing.decide(action, self.post_target(author)))

    def post_target(self, author: RowMapping | None) -> Target:
        target = self.target(locked=False)
        if author is None:
            return target
        return replace(
            target,
            owner=author["id"],
            member=author["id"],
            role=Role(author["role"]),
            school=author["school_id"],
            is_pupil=author["kind"] == PersonKind.PUPIL,
        )

    @property
    def can(self) -> dict[str, bool]:
        locking = self.standing.decide(Action.ROOM_STATE, self.target())
        return {
            "post": bool(self.decide_post()),
            "lock": bool(locking),
            "pin": self.standing.is_staff and not self.target(locked=False).standstill,
            "rename": bool(locking),
            "approve": self.standing.is_staff,
            "hide": self.standing.is_staff or bool(self.standing.cases),
        }


def waits() -> ColumnElement[bool]:
    """Of posts: this one, or an edit of it, waits for a teacher."""
    edited = and_(posts.c.state == PostState.VISIBLE, posts.c.waiting_body.is_not(None))
    return or_(posts.c.state == PostState.HELD, edited)


_adult_in, _adult = memberships.alias("adult_in"), people.alias("adult")


def thread_rows() -> Select[tuple[object, ...]]:
    """Threads with what is needed of their rooms, authors and locks; add a ``where``."""
    author_in, author = memberships.alias("author_in"), people.alias("author")
    own = _adult.c.school_id == author.c.school_id
    count = (
        select(func.count())
        .where(posts.c.thread_id == threads.c.id, posts.c.state == PostState.VISIBLE)
        .scalar_subquery()
    )
    return (
        select(
            threads,
            rooms.c.space_id,
            rooms.c.title.label("room_title"),
            rooms.c.kind.label("room_kind"),
            rooms.c.audience,
            rooms.c.state.label("room_state"),
            rooms.c.hours,
            rooms.c.posting,
            author.c.school_id.label("author_school"),
            count.label("posts_count"),
            _adults().label("adults"),
            _adults(own).label("own_teachers"),
            _adults(own, _adult_in.c.role == Role.ADMIN).label("adults_asked"),
        )
        .join(rooms, rooms.c.id == threads.c.room_id)
        .outerjoin(author_in, author_in.c.id == threads.c.author_id)
        .outerjoin(author, author.c.id == author_in.c.person_id)
    )


def _adults(*which: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many teachers are in the room's space, or of them those that are one of these."""
    query = (
        select(func.count())
        .select_from(_adult_in.join(_adult, _adult.c.id == _adult_in.c.person_id))
        .where(
            _adult_in.c.space_id == rooms.c.space_id,
            _adult_in.c.state == MembershipState.ACTIVE,
            _adult_in.c.role.in_(STAFF),
            _adult.c.state == PersonState.CONFIRMED,
        )
    )
    if which:
        query = query.where(or_(*which))
    return query.correlate_except(_adult_in, _adult).scalar_subquery()


def may_see(standing: Standing, row: RowMapping) -> bool:
    """Whether the person sees this row of `thread_rows`."""
    if not standing.is_here:
        return False
    if row["kind"] != ThreadKind.ASK:
        return standing.may_see_room(RoomKind(row["room_kind"]), Audience(row["audience"]), row["room_id"])
    if standing.is_member and row["author_id"] == standing.actor.membership:
        return True
    if standing.is_about(row["id"]):
        return True
    if not standing.is_staff:
        return False
    if row["author_school"] is not None and row["author_school"] == standing.actor.school:
        return True
    return standing.actor.role is Role.ADMIN and bool(row["own_teachers"] < 2)


async def find_thread(
    tx: Reading, actor: PersonId, thread: str, now: float, *, by_case: bool = False
) -> ThreadStanding:
    """A thread the actor may see. Raises NotFound."""
    row = await tx.first(thread_rows().where(threads.c.id == thread))
    if row is None:
        raise NotFound
    standing = await stand(tx, actor, SpaceId(row["space_id"]), now, by_case=by_case)
    if not may_see(standing, row):
        raise NotFound
    return ThreadStanding(standing, row)


async def author_row(tx: Reading, membership: str | None) -> RowMapping | None:
    """One row of `author_rows`; None when the membership was erased."""
    return await tx.first(author_rows().where(memberships.c.id == membership)) if membership else None


def author_rows() -> Select[tuple[object, ...]]:
    """Facts about authors of posts, for the policy and for lists; add a ``where``."""
    return (
        select(
            memberships.c.id,
            memberships.c.role,
            memberships.c.person_id,
            people.c.kind,
            people.c.name,
            people.c.school_id,
            schools.c.name.label("school_name"),
        )
        .join(people, people.c.id == memberships.c.person_id)
        .outerjoin(schools, schools.c.id == people.c.school_id)
    )


def thread_view(
    found: ThreadStanding, waiting: Sequence[RowMapping] = (), marked: Sequence[RowMapping] = ()
) -> ThreadView:
    row, decision = found.row, found.decide_post()
    my_marks: dict[str, list[str]] = {}
    for each in marked:
        my_marks.setdefault(each["post_id"], []).append(each["mark"])
    lock = ThreadLock(row["locked_by"], row["locked_because"] or "", row["locked_until"])
    return ThreadView(
        id=row["id"],
        room_id=row["room_id"],
        kind=found.kind,
        title=row["title"],
        author=row["author_id"],
        pinned=row["pinned"],
        lock=lock if found.lock_holds else None,
        document=document_of(row["id"]),
        posts_count=row["posts_count"],
        last_at=row["last_at"],
        policy=found.posting,
        reason=decision.reason,
        can=found.can,
        marks=found.standing.policy.reactions.marks,
        counts=found.standing.policy.reactions.counts,
        mine_waiting=[post_view(each) for each in waiting],
        my_marks=my_marks,
    )


def post_view(row: Mapping[str, Any] | RowMapping) -> PostView:
    return PostView(
        id=row["id"],
        thread_id=row["thread_id"],
        author=row["author_id"],
        state=PostState(row["state"]),
        number=row["number"],
        body=row["body"],
        waiting_body=row["waiting_body"],
        language=row["language"],
        reply_to=row["reply_to"],
        mentions=row["mentions"],
        options=row["options"],
        reasons=row["reasons"],
        decided_because=row["decided_because"],
        at=row["created_at"],
        edited_at=row["edited_at"],
    )
