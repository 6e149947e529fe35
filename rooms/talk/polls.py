"""Polls: posts with options to choose from.

Who has voted for what is told only among adults, where there are counts (`Reactions`). With pupils it is told
to nobody, and each person knows their own vote. How many have chosen each option staff hear at once, by REST;
everybody else learns what the class has chosen when the poll is closed: the options in order, no numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from rooms.storage.records import Reading
from rooms.storage.schema import posts, votes
from rooms.values import MembershipId, PostState

__all__ = ["Poll", "options_of", "poll_of", "votes_counted", "votes_of"]


@dataclass(frozen=True, slots=True)
class Poll:
    options: list[str]
    closed_at: float | None = None

    def record(self) -> list[str] | dict[str, Any]:
        """As it is stored with the post: while it is open just the options."""
        if self.closed_at is None:
            return self.options
        return {"options": self.options, "closed_at": self.closed_at}

    def in_order(self, chosen: Sequence[int]) -> list[int]:
        """The options, those chosen most often first; what as many have chosen stays as it was asked."""
        return sorted(range(len(self.options)), key=lambda option: -chosen.count(option))


def poll_of(stored: list[str] | Mapping[str, Any] | None) -> Poll | None:
    """From `Poll.record`; None: the post is no poll."""
    if stored is None:
        return None
    if isinstance(stored, Mapping):
        return Poll(stored["options"], stored["closed_at"])
    return Poll(stored)


def options_of(stored: list[str] | Mapping[str, Any] | None) -> list[str] | None:
    poll = poll_of(stored)
    return None if poll is None else poll.options


async def votes_of(tx: Reading, thread: str, member: MembershipId | None) -> dict[str, int]:
    """What somebody has chosen in the polls of a thread, by post."""
    rows = await tx.all(
        select(votes.c.post_id, votes.c.option)
        .join(posts, posts.c.id == votes.c.post_id)
        .where(posts.c.thread_id == thread, posts.c.state == PostState.VISIBLE)
        .where(votes.c.membership_id == member)
    )
    return {row["post_id"]: row["option"] for row in rows}


async def votes_counted(tx: Reading, thread: str) -> dict[str, list[int]]:
    """How many have chosen each option of the polls of a thread, by post."""
    here = posts.c.thread_id == thread, posts.c.state == PostState.VISIBLE
    asked = await tx.all(select(posts.c.id, posts.c.options).where(*here, posts.c.options.is_not(None)))
    polls = {row["id"]: poll for row in asked if (poll := poll_of(row["options"])) is not None}
    rows = await tx.all(
        select(votes.c.post_id, votes.c.option, func.count().label("count"))
        .join(posts, posts.c.id == votes.c.post_id)
        .where(*here)
        .group_by(votes.c.post_id, votes.c.option)
    )
    found = {post: [0] * len(poll.options) for post, poll in polls.items()}
    for row in rows:
        found[row["post_id"]][row["option"]] = row["count"]
    return found
