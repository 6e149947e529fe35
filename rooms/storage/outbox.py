"""Changes as rows, so that every process that shares the records hears of them.

A transaction writes what it changes about rights into the table ``changes``, in the same commit. Writers come
one after the other, so numbers are in the order of commits: who has read up to a number has missed nothing
before it. Rows are kept for an hour, and the newest of those that are older stays: whoever asks for what came
before the oldest row is told of the gap.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, delete, func, insert, select

from rooms.rights.access import Change
from rooms.storage.schema import changes

if TYPE_CHECKING:
    from rooms.storage.records import Reading, Writing

__all__ = ["KEPT_SECONDS", "Look", "Own", "last_number", "look", "put"]

KEPT_SECONDS: Final = 3600.0
PRUNE_EVERY: Final = 500
"""Rows between two prunings."""
MOST_AT_ONCE: Final = 1_000
"""Rows read at once."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Look:
    """What was read from the table, and how far."""

    changes: list[Change]
    """In the order of their commits, without those that this process has published itself."""
    last: int
    """The number to look on from."""
    gap: bool = False
    """Some changes after the number asked for may be gone, or never were: ask for all rights anew."""
    more: bool = False
    """There was too much to read at once."""


@dataclass(slots=True)
class Own:
    """Which rows this process has written, and which of them it has not published."""

    origin: str
    committing: int | None = None
    """The number of the commit that is under way."""
    doubtful: set[int] = field(default_factory=set)
    """Numbers of commits that failed, but may have happened."""


async def put(tx: Writing, origin: str, told: Sequence[Change], now: ColumnElement[float]) -> int:
    """Writes the changes of a transaction that is about to commit, and returns their number."""
    row = insert(changes).values(at=now, origin=origin, body=[_as_json(change) for change in told])
    number: int = await tx.value(row.returning(changes.c.seq))
    if number % PRUNE_EVERY == 0:
        await _prune(tx, now)
    return number


async def look(tx: Reading, after: int, own: Own) -> Look:
    """The changes after a number."""
    oldest, newest = await _ends(tx)
    if after < oldest - 1 or after > newest:  # the latter after a backup was restored
        return Look([], newest, gap=True)
    rows = await tx.all(
        select(changes).where(changes.c.seq > after).order_by(changes.c.seq).limit(MOST_AT_ONCE)
    )
    seen = Look([], after, more=len(rows) == MOST_AT_ONCE)
    for row in rows:
        mine = row["origin"] == own.origin
        if mine and row["seq"] == own.committing:
            break  # whether its commit publishes it will be known at the next look
        if not mine or row["seq"] in own.doubtful:
            seen.changes.extend(map(_from_json, row["body"]))
        seen.last = row["seq"]
    own.doubtful = {number for number in own.doubtful if number > seen.last}
    return seen


async def last_number(tx: Reading) -> int:
    """Of the newest change there has been; 0 when there never was one."""
    return (await _ends(tx))[1]


async def _ends(tx: Reading) -> tuple[int, int]:
    oldest, newest = (select(end(changes.c.seq)).scalar_subquery() for end in (func.min, func.max))
    row = await tx.first(select(oldest.label("oldest"), newest.label("newest")))
    return (row["oldest"] or 0, row["newest"] or 0) if row else (0, 0)


async def _prune(tx: Writing, now: ColumnElement[float]) -> None:
    old = select(func.max(changes.c.seq)).where(changes.c.at < now - KEPT_SECONDS)
    await tx.do(delete(changes).where(changes.c.seq < old.scalar_subquery()))


_FIELDS: Final = {each.name for each in fields(Change)}


def _as_json(change: Change) -> dict[str, Any]:
    values = {name: getattr(change, name) for name in _FIELDS}
    return {name: value for name, value in values.items() if value}


def _from_json(body: Mapping[str, Any]) -> Change:
    """What a node of another version wrote may say more than we know; then everybody is concerned."""
    if not body.keys() <= _FIELDS:
        logger.info("a newer node tells of a change of an unknown form: all rights are asked for anew")
        return Change.everything()
    return Change(**{**body, "notice": tuple(body.get("notice", ()))})
