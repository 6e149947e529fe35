"""Projection: what may be seen of a discussion, written into its document ``thread/<id>``.

The records are the truth (rooms/talk/discussions.py), and the document follows them: after a change made
here, when a room opens here, and a moment after a change made by another node, in case that node died in
between. Only visible posts and stubs of hidden ones are ever written. The form:

* map ``thread``: ``kind``, ``title``, ``pinned``, ``locked`` (none, or ``by``, ``reason``, ``until``) and
  ``version``;
* map ``posts``: post id -> ``number``, ``author``, ``body``, ``language``, ``reply_to``, ``mentions``,
  ``options``, of a poll ``closed`` and ``votes`` or ``chosen``, ``marks`` or ``reactions``, ``state``,
  ``hidden_by``, ``at``, ``edited_at``, ``version``; no names, only membership ids;
* map ``hands``: membership id -> unix seconds.

``reactions`` (mark -> membership ids) and ``votes`` (membership ids for each option) are written where the
space has counts, as those of adults do. With pupils it is ``marks``, those that anybody has set on the post,
and once a poll is closed ``chosen``, its options in order: neither who nor how many is anywhere in the
document, whoever reads it. What is one's own each person is told by REST (``my_marks``, ``my_votes``), and
staff how many have voted for what (``votes``).

Nodes may write at the same time. Each writes whatever it finds older than the records, and looks again after
its commit, when it has all that was committed before: so the last one leaves what the records say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import RowMapping, select

from crdt.errors import CrdtError
from crdt.scribe import Scribe
from rooms.documents.errors import RoomError, Unavailable
from rooms.documents.live import LiveRoom
from rooms.documents.registry import Registry
from rooms.faults import NotFound
from rooms.rights.access import Change, Changes
from rooms.rights.space_policy import Reactions, SpacePolicy
from rooms.storage.records import Reading, Records
from rooms.storage.schema import hands, posts, reactions, rooms, spaces, threads, votes
from rooms.talk.polls import in_order
from rooms.values import PostState

__all__ = ["SUBJECT", "Projection"]

SUBJECT: Final = "server:discussions"
PREFIX: Final = "thread/"
AT_ONCE: Final = 100
"""Posts written in one update."""
LEFT_TO_OTHERS: Final = 2.0
"""Seconds until a node looks whether another one has written what it changed."""
PAUSES: Final = (0.05, 0.2, 0.5, 1.0)
"""Seconds between tries while log or records are of no use; the last repeats."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Writer:
    """What this node knows of one thread's document."""

    room: LiveRoom
    scribe: Scribe = field(default_factory=Scribe)
    verified: int = 0
    """Up to this version of the thread the document has been seen to say what the records say."""


class Projection:
    """Keeps the documents of threads in line with the records. One per node."""

    def __init__(self, records: Records, registry: Registry, changes: Changes) -> None:
        self._records = records
        self._registry = registry
        self._changes = changes
        self._due: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._writers: dict[str, _Writer] = {}
        self._unsubscribe = changes.subscribe(self._changed)
        registry.on_open.append(self._opened)

    def _changed(self, change: Change) -> None:
        if change.everybody:
            for room in self._registry:
                self._opened(room.name)
        document = change.document
        if not change.content or document is None or not document.startswith(PREFIX):
            return
        if change.kind == "purged":
            self._writers.pop(document, None)
        if not self._changes.foreign:
            self._project_soon(document)
        elif self._registry.get(document) is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(LEFT_TO_OTHERS, self._project_soon, document)

    def _opened(self, document: str) -> None:
        if document.startswith(PREFIX) and document not in self._tasks:
            self._project_soon(document)

    def _project_soon(self, document: str) -> None:
        self._due.add(document)
        if document not in self._tasks and not self._registry.draining:
            self._tasks[document] = asyncio.create_task(self._keep(document), name=f"project {document}")

    async def settled(self) -> None:
        """Waits until everything that was due is written."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks.values()))

    async def close(self) -> None:
        """Ends what is under way. What was not written is found when the thread is opened again."""
        self._unsubscribe()
        self._registry.on_open.remove(self._opened)
        for task in tuple(self._tasks.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _keep(self, document: str) -> None:
        pauses = iter(PAUSES)
        pause = 0.0
        try:
            while document in self._due:
                self._due.discard(document)
                try:
                    await self._project(document)
                    pauses = iter(PAUSES)
                except NotFound:
                    continue  # a name that never was a thread, or a thread that was purged
                except (CrdtError, RoomError) as error:
                    self._writers.pop(document, None)
                    if self._registry.draining:
                        return
                    logger.warning("%s is not written for now: %s", document, error)
                    self._due.add(document)
                    pause = next(pauses, pause)
                    await asyncio.sleep(pause)
        except Exception:
            self._writers.pop(document, None)
            logger.exception("%s could not be written", document)
        finally:
            del self._tasks[document]

    async def _project(self, document: str) -> None:
        async with self._registry.open(document) as room:
            writer = self._writers.get(document)
            if writer is None or writer.room is not room:
                self._forget_closed()
                writer = self._writers[document] = _Writer(room)
            while True:
                for update in room.since(writer.scribe.vector()):
                    writer.scribe.learn(update)
                truth = await self._read(document.removeprefix(PREFIX), writer.verified)
                changes = _differences(writer.scribe, truth)
                if not changes:
                    writer.verified = truth.version
                    return
                for part in changes:
                    await room.write(writer.scribe.write(part), SUBJECT)
                await self._registry.current(room)
                if not room.active:
                    raise Unavailable("the document is being closed")

    def _forget_closed(self) -> None:
        for document, writer in tuple(self._writers.items()):
            if self._registry.get(document) is not writer.room:
                del self._writers[document]

    async def _read(self, thread: str, above: int) -> _Truth:
        """What the records say of a thread; of its posts, those that changed above a version."""
        async with self._records.reading() as tx:
            row = await tx.first(
                select(threads, spaces.c.age_band, spaces.c.policy)
                .join(rooms, rooms.c.id == threads.c.room_id)
                .join(spaces, spaces.c.id == rooms.c.space_id)
                .where(threads.c.id == thread)
            )
            if row is None:
                raise NotFound
            seen = await tx.all(
                select(posts).where(
                    posts.c.thread_id == thread,
                    posts.c.version > above,
                    posts.c.state.in_((PostState.VISIBLE, PostState.HIDDEN)),
                )
            )
            raised = await tx.all(select(hands).where(hands.c.thread_id == thread))
            return _Truth(
                version=row["version"],
                whole=above == 0,
                thread=_thread_value(row),
                posts=await _post_values(tx, seen, SpacePolicy.of(row["age_band"], row["policy"]).reactions),
                hands={item["membership_id"]: item["at"] for item in raised},
            )


@dataclass(frozen=True, slots=True)
class _Truth:
    version: int
    whole: bool
    """All posts are here, not only those that changed."""
    thread: dict[str, Any]
    posts: dict[str, dict[str, Any]]
    hands: dict[str, float]


def _thread_value(row: RowMapping) -> dict[str, Any]:
    locked = {"by": row["locked_by"], "reason": row["locked_because"], "until": row["locked_until"]}
    return {
        "kind": row["kind"],
        "title": row["title"],
        "pinned": row["pinned"],
        "locked": None if row["locked_at"] is None else locked,
        "version": row["version"],
    }


async def _post_values(tx: Reading, rows: Sequence[RowMapping], here: Reactions) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for start in range(0, len(rows), 500):
        part = rows[start : start + 500]
        ids = [row["id"] for row in part if row["state"] == PostState.VISIBLE]
        marked = await tx.all(
            select(reactions)
            .where(reactions.c.post_id.in_(ids), reactions.c.mark.in_(here.marks))
            .order_by(reactions.c.mark, reactions.c.membership_id)
        )
        chosen = await tx.all(select(votes).where(votes.c.post_id.in_(ids)).order_by(votes.c.membership_id))
        made |= {row["id"]: _post_value(row, marked, chosen, here) for row in part}
    return made


def _post_value(
    row: RowMapping, marked: Sequence[RowMapping], chosen: Sequence[RowMapping], here: Reactions
) -> dict[str, Any]:
    value: dict[str, Any] = {
        "number": row["number"],
        "author": row["author_id"],
        "at": row["created_at"],
        "state": row["state"],
        "version": row["version"],
    }
    if row["state"] == PostState.HIDDEN:
        return value | {"body": "", "hidden_by": row["decided_by"]}
    by_mark: dict[str, list[str]] = {}
    for item in marked:
        if item["post_id"] == row["id"]:
            by_mark.setdefault(item["mark"], []).append(item["membership_id"])
    return value | {
        "body": row["body"],
        "language": row["language"],
        "reply_to": row["reply_to"],
        "mentions": row["mentions"],
        "edited_at": row["edited_at"],
        **_poll_value(row, [item for item in chosen if item["post_id"] == row["id"]], counts=here.counts),
        **({"reactions": by_mark} if here.counts else {"marks": list(by_mark)}),
    }


def _poll_value(row: RowMapping, chosen: Sequence[RowMapping], *, counts: bool) -> dict[str, Any]:
    options, closed = row["options"], row["closed_at"] is not None
    if options is None:
        return {"options": None, "votes": None}
    value = {"options": options, "closed": closed}
    if counts:
        return value | {
            "votes": [
                [item["membership_id"] for item in chosen if item["option"] == option]
                for option in range(len(options))
            ]
        }
    order = in_order(options, [item["option"] for item in chosen])
    return value | {"chosen": order if closed else None}


def _differences(scribe: Scribe, truth: _Truth) -> list[dict[str, Mapping[str, Any]]]:
    """What has to be written, in parts of a bounded size; None takes a key away."""
    there = scribe.entries("posts")
    wrong: dict[str, Any] = {
        post: value
        for post, value in truth.posts.items()
        if post not in there
        or there[post].get("version") != value["version"]
        or there[post].keys() != value.keys()  # of an older server, which told who had reacted and voted
    }
    if truth.whole:
        wrong |= {post: None for post in there if post not in truth.posts}
    standing = {**scribe.entries("thread")}
    rest: dict[str, Mapping[str, Any]] = {}
    about = {key: value for key, value in truth.thread.items() if standing.get(key) != value}
    if about:
        rest["thread"] = about
    raised = scribe.entries("hands")
    changed = {member: at for member, at in truth.hands.items() if raised.get(member) != at}
    changed_hands: dict[str, Any] = changed | {member: None for member in raised if member not in truth.hands}
    if changed_hands:
        rest["hands"] = changed_hands
    names = list(wrong)
    parts: list[dict[str, Mapping[str, Any]]] = [
        {"posts": {name: wrong[name] for name in names[start : start + AT_ONCE]}}
        for start in range(0, len(names), AT_ONCE)
    ]
    if rest:
        parts = [*parts[:-1], {**(parts[-1] if parts else {}), **rest}]
    return parts
