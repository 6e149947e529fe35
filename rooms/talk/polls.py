"""Polls: posts with options to choose from.

Who has voted for what is told only among adults, where there are counts (`Reactions`). With pupils it is told
to nobody, and each person knows their own vote. How many have chosen each option staff hear at once, by REST;
everybody else learns what the class has chosen when the poll is closed: the options in order, no numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from rooms.storage.records import Reading
from rooms.storage.schema import posts, votes
from rooms.values import MembershipId, PostState

__all__ = ["in_order", "votes_counted", "votes_of"]


def in_order(options: Sequence[str], chosen: Sequence[int]) -> list[int]:
    """The options of a poll, those chosen most often first; of as many, in the order they were asked in."""
    return sorted(range(len(options)), key=lambda option: -chosen.count(option))


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
    polls = {row["id"]: row["options"] for row in asked if row["options"] is not None}
    rows = await tx.all(
        select(votes.c.post_id, votes.c.option, func.count().label("count"))
        .join(posts, posts.c.id == votes.c.post_id)
        .where(*here)
        .group_by(votes.c.post_id, votes.c.option)
    )
    found = {post: [0] * len(options) for post, options in polls.items()}
    for row in rows:
        found[row["post_id"]][row["option"]] = row["count"]
    return found
