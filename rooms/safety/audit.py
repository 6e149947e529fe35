"""Who moderated what: a log for each space that only grows, each entry chained to the one before by its hash.

An entry holds ids, states and the moderator's own reason, never what somebody has written. Ids are those of
memberships, so that the log stays true when a person's name is erased.

The last number and hash of a chain are also kept beside it, in the settings, so that a tail that was cut off
is missed. Who rewrites both unseen can only be found out with a copy from before: the hashes are no
signatures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, or_, select

from rooms.faults import NotFound
from rooms.rights.policy import Action
from rooms.rights.standing import Standing, stand
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import audit, memberships, people, settings
from rooms.values import Clock, MembershipId, PersonId, PersonKind, SpaceId

__all__ = ["ENTRIES_AT_ONCE", "ENTRY_LIFE", "Audit", "AuditEntry", "Broken", "broken_chains"]

ENTRIES_AT_ONCE: Final = 50
ENTRY_LIFE: Final = 730 * 86_400.0
"""Seconds until an entry is forgotten: 24 months."""
VERIFIED_AT_ONCE: Final = 1_000
UNTOLD: Final = ("report.", "case.", "proposal.")
"""How actions begin that the person concerned never learns of."""
READ_BY_CASE: Final = "case.read"
DAY: Final = 86_400.0
HEAD: Final = "audit/"
"""How the settings that hold a chain's end begin; the rest is the space's id."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    number: int
    """Its place among the entries that the reader may see, from 1: it tells of no others."""
    at: float
    actor: str | None
    """Membership id; None: the server itself."""
    actor_name: str | None
    action: str
    object: str
    """Such as ``post/<id>``."""
    concerned: str | None
    concerned_name: str | None
    details: dict[str, Any]
    asked_by_name: str | None = None
    """Who had proposed it, where that took two: ``asked_by`` of the details."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A chain that is not as it was written."""

    space: str
    number: int
    """Of the first entry that is changed, missing or not from here."""


@dataclass(frozen=True, slots=True)
class _Head:
    """Where a chain ends, and how many entries at its beginning were forgotten by right."""

    number: int = 0
    hash: str = ""
    pruned: int = 0


class Audit:
    """The logs of every space."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def note(
        self,
        tx: Writing,
        space: SpaceId,
        actor: MembershipId | None,
        action: str,
        object: str,
        *,
        concerned: MembershipId | None = None,
        details: Mapping[str, Any] = {},
    ) -> None:
        """Adds an entry, in the transaction that does what it tells of."""
        head = await _head(tx, space)
        entry = {
            "space_id": space,
            "number": head.number + 1,
            "at": float(self._clock()),
            "actor_id": actor,
            "action": action,
            "object": object,
            "concerned_id": concerned,
            "details": json.loads(_canonical(dict(details))),
            "previous": head.hash,
        }
        entry["hash"] = _hash(entry)
        await tx.do(audit.insert().values(entry))
        await _keep(tx, space, _Head(head.number + 1, entry["hash"], head.pruned))

    async def note_reading(self, standing: Standing, object: str) -> None:
        """Adds that somebody has read this by their cases, once a day for each; nothing for anybody else.

        Call it outside of any transaction, before anything that was read is given away.
        """
        if not standing.cases:
            return
        now = self._clock()
        today = (
            audit.c.space_id == standing.space,
            audit.c.action == READ_BY_CASE,
            audit.c.object == object,
            audit.c.at >= now - now % DAY,
        )
        async with self._records.reading() as tx:
            noted = {row["details"].get("case") for row in await tx.all(select(audit).where(*today))}
        missing = [case for case in standing.cases if case.id not in noted]
        if not missing:
            return
        async with self._records.writing() as tx:
            for case in missing:
                await self.note(
                    tx,
                    standing.space,
                    None,
                    READ_BY_CASE,
                    object,
                    concerned=case.concerned,
                    details={"case": case.id, **standing.office},
                )

    async def of_space(self, actor: PersonId, space: SpaceId, before: int | None = None) -> list[AuditEntry]:
        """What the actor may read of a space's log, newest first: the entries with a number below ``before``.

        Raises NotFound for whoever may not know of the space.
        """
        async with self._records.reading() as tx:
            standing = await stand(tx, actor, space, self._clock(), by_case=True)
            whole = bool(standing.decide(Action.AUDIT_READ))
            if not whole and not standing.is_member:
                raise NotFound
            place = func.row_number().over(order_by=audit.c.number).label("place")
            mine = (
                select(audit, place).where(audit.c.space_id == space, _readable(standing, whole)).subquery()
            )
            query = select(mine).order_by(mine.c.place.desc()).limit(ENTRIES_AT_ONCE)
            rows = await tx.all(query if before is None else query.where(mine.c.place < before))
            names = await _names(tx, rows)
        await self.note_reading(standing, f"audit/{space}")
        return [
            AuditEntry(
                number=row["place"],
                at=row["at"],
                actor=row["actor_id"],
                actor_name=names.get(row["actor_id"]),
                action=row["action"],
                object=row["object"],
                concerned=row["concerned_id"],
                concerned_name=names.get(row["concerned_id"]),
                details=row["details"],
                asked_by_name=names.get(row["details"].get("asked_by")),
            )
            for row in rows
        ]

    async def verify(self, tx: Reading, space: SpaceId) -> int | None:
        """The number of the first entry that is not as it was written; None when the chain is whole."""
        head = await _kept(tx, space) or _Head()
        number, previous = head.pruned, "" if head.pruned == 0 else None
        limit = VERIFIED_AT_ONCE
        while True:
            later = audit.c.space_id == space, audit.c.number > number
            try:
                rows = await tx.all(select(audit).where(*later).order_by(audit.c.number).limit(limit))
            except ValueError:  # details that are no JSON any more
                if limit == 1:
                    return number + 1
                limit = 1
                continue
            for row in rows:
                number += 1
                follows = previous is None or row["previous"] == previous
                if row["number"] != number or not follows or row["hash"] != _hash(row):
                    return number
                previous = row["hash"]
            if len(rows) < limit:
                break
        early = await tx.value(
            select(func.min(audit.c.number)).where(audit.c.space_id == space, audit.c.number <= head.pruned)
        )
        if early is not None:
            return int(early)
        if number != head.number:
            return min(number, head.number) + 1
        return None if previous is None or previous == head.hash else number

    async def forget(self, tx: Writing, space: SpaceId) -> None:
        """The whole log of a space, before the space itself is removed."""
        await tx.do(delete(audit).where(audit.c.space_id == space))
        await tx.do(delete(settings).where(settings.c.key == HEAD + space))

    async def prune(self, tx: Writing) -> int:
        """Forgets the entries that are older than 24 months; returns how many.

        The rest can be verified as before: the first that is kept says what it followed.
        """
        old = self._clock() - ENTRY_LIFE
        newest = await tx.all(
            select(audit.c.space_id, func.max(audit.c.number).label("number"))
            .where(audit.c.at < old)
            .group_by(audit.c.space_id)
        )
        gone = 0
        for row in newest:
            head = await _head(tx, row["space_id"])
            done = await tx.do(
                delete(audit).where(audit.c.space_id == row["space_id"], audit.c.number <= row["number"])
            )
            gone += done.rowcount
            await _keep(tx, row["space_id"], _Head(head.number, head.hash, row["number"]))
        return gone


async def broken_chains(records: Records) -> tuple[int, list[Broken]]:
    """How many spaces have a log, and which logs are not as they were written.

    Changes nothing; also records of an older version, which have no logs yet, are in order.
    """
    checker = Audit(records, records.clock)
    async with records.reading() as tx:
        if not await tx.has(audit):
            return 0, []
        rows = await tx.all(select(audit.c.space_id).distinct())
        kept = await tx.all(select(settings.c.key).where(settings.c.key.startswith(HEAD, autoescape=True)))
        known = {row["space_id"] for row in rows} | {row["key"].removeprefix(HEAD) for row in kept}
        found = [(space, await checker.verify(tx, SpaceId(space))) for space in sorted(known)]
    return len(found), [Broken(space, number) for space, number in found if number is not None]


def _readable(standing: Standing, whole: bool) -> ColumnElement[bool]:
    """The entries that somebody may read: never one on a report or a proposal that concerns them."""
    me, school = standing.actor.membership, standing.actor.school
    mine = or_(audit.c.actor_id == me, audit.c.concerned_id == me)
    if whole:
        mine = audit.c.number > 0
    elif standing.is_staff and school is not None:
        pupils = (
            select(memberships.c.id)
            .join(people, people.c.id == memberships.c.person_id)
            .where(
                memberships.c.space_id == standing.space,
                people.c.kind == PersonKind.PUPIL,
                people.c.school_id == school,
            )
        )
        mine = or_(mine, audit.c.concerned_id.in_(pupils))
    about_me = func.coalesce(audit.c.concerned_id, "") == (me or "-")
    reported = or_(*(audit.c.action.startswith(each, autoescape=True) for each in UNTOLD))
    return and_(mine, ~and_(reported, about_me))


async def _names(tx: Reading, rows: Any) -> dict[str | None, str]:
    ids = {row[column] for row in rows for column in ("actor_id", "concerned_id")}
    ids = (ids | {row["details"].get("asked_by") for row in rows}) - {None}
    found = await tx.all(
        select(memberships.c.id, people.c.name)
        .join(people, people.c.id == memberships.c.person_id)
        .where(memberships.c.id.in_(ids))
    )
    return {row["id"]: row["name"] for row in found}


async def _kept(tx: Reading, space: str) -> _Head | None:
    """What the settings say of a chain's end."""
    stored = await tx.value(select(settings.c.value).where(settings.c.key == HEAD + space))
    try:
        return None if stored is None else _Head(**json.loads(stored))
    except (ValueError, TypeError):
        return None


async def _head(tx: Reading, space: str) -> _Head:
    """Where the next entry is put: behind the last one, also when the settings have lost it."""
    kept = await _kept(tx, space) or _Head()
    last = await tx.first(
        select(audit.c.number, audit.c.hash)
        .where(audit.c.space_id == space, audit.c.number > kept.number)
        .order_by(audit.c.number.desc())
        .limit(1)
    )
    return kept if last is None else _Head(last["number"], last["hash"], kept.pruned)


async def _keep(tx: Writing, space: str, head: _Head) -> None:
    await tx.put(settings, [{"key": HEAD + space, "value": _canonical(asdict(head))}])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _hash(entry: Mapping[str, Any] | RowMapping) -> str:
    names = (
        "previous", "space_id", "number", "at", "actor_id", "action", "object", "concerned_id", "details",
    )  # fmt: skip
    return hashlib.sha256(_canonical([entry[name] for name in names]).encode()).hexdigest()
