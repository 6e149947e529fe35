"""Changes as rows, so that every process that shares the records hears of them.

A transaction writes what it changes about rights into the table ``changes``, in the same commit. Writers come
one after the other, so numbers are in the order of commits: who has read up to a number has missed nothing
before it. Rows are kept for an hour; what was pruned is known by its number.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, delete, func, insert, select

from .access import Change
from .schema import changes, settings

if TYPE_CHECKING:
    from .records import Reading, Writing

__all__ = ["KEPT_SECONDS", "Look", "Own", "last_number", "look", "put"]

KEPT_SECONDS: Final = 3600.0
PRUNE_EVERY: Final = 500
"""Rows between two prunings."""
MOST_AT_ONCE: Final = 1_000
"""Rows read at once."""
PRUNED: Final = "changes-pruned"
"""The setting that holds the highest number that was ever pruned."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Look:
    """What was read from the table, and how far."""

    changes: list[Change]
    """In the order of their commits, without those that this process has published itself."""
    last: int
    """The number to look on from."""
    gap: bool = False
    """Some changes after the number asked for are not there any more, or never were: ask for all rights."""
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
    newest, pruned = await _newest(tx), await _pruned(tx)
    if after < pruned or after > max(newest, pruned):  # the latter after a backup was restored
        return Look([], max(newest, pruned), gap=True)
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
    return max(await _newest(tx), await _pruned(tx))


async def _newest(tx: Reading) -> int:
    return await tx.value(select(func.max(changes.c.seq))) or 0


async def _pruned(tx: Reading) -> int:
    return int(await tx.value(select(settings.c.value).where(settings.c.key == PRUNED)) or 0)


async def _prune(tx: Writing, now: ColumnElement[float]) -> None:
    old = changes.c.at < now - KEPT_SECONDS
    highest = await tx.value(select(func.max(changes.c.seq)).where(old))
    if highest is not None:
        await tx.do(delete(changes).where(changes.c.seq <= highest))
        await tx.put(settings, [{"key": PRUNED, "value": str(highest)}])


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
