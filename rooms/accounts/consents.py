"""What families have agreed to on paper, as their school notes it: a ledger by pupil and purpose.

Nothing is taken out of it, and of an entry nothing changes but that it can be withdrawn. The newest entry of
a purpose is the one that counts. Only teachers of the pupil's own school read it or write in it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import RowMapping, and_, insert, select, update

from rooms.faults import Conflict, NotFound
from rooms.rights.policy import Action, allowed
from rooms.rights.standing import person_actor
from rooms.spaces.members import pupil_target
from rooms.storage.records import Reading, Records, Writing
from rooms.storage.schema import consents, people, schools
from rooms.values import Clock, ConsentPurpose, NewId, PersonId, PersonKind, PersonState, SchoolId

__all__ = [
    "MOST_AT_ONCE",
    "ConsentEntry",
    "ConsentState",
    "ConsentView",
    "Consents",
    "PupilConsents",
    "SchoolConsents",
]

MOST_AT_ONCE: Final = 200
"""Pupils of one entry."""
HERE: Final = (PersonState.CREATED, PersonState.ACTIVE)


class ConsentState(StrEnum):
    NONE = "none"
    GIVEN = "given"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    """A later entry counts; only in a pupil's history."""


@dataclass(frozen=True, slots=True)
class ConsentView:
    """How it stands with one purpose."""

    purpose: ConsentPurpose
    state: ConsentState
    given_on: date | None = None
    valid_until: date | None = None
    """Its last day; None: until it is withdrawn."""
    recorded_by: str | None = None
    """A teacher's name."""


@dataclass(frozen=True, slots=True)
class PupilConsents:
    person_id: str
    name: str
    consents: list[ConsentView]
    """One for each purpose."""


@dataclass(frozen=True, slots=True)
class SchoolConsents:
    today: date
    """At the school."""
    pupils: list[PupilConsents]


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One line of the ledger."""

    purpose: ConsentPurpose
    state: ConsentState
    given_on: date
    valid_until: date | None
    recorded_by: str | None
    recorded_at: float
    withdrawn_by: str | None
    withdrawn_at: float | None


class Consents:
    """The ledger."""

    def __init__(self, records: Records, clock: Clock, new_id: NewId) -> None:
        self._records = records
        self._clock = clock
        self._new_id = new_id

    @staticmethod
    async def holds(tx: Reading, person: PersonId, purpose: ConsentPurpose, on: date) -> bool:
        """Whether a pupil's consent holds on that day of their school. What was withdrawn holds on no day."""
        if await tx.first(_pupil(person)) is None:
            return False
        entry = (await _newest(tx, [person], purpose)).get(person)
        if entry is None or date.fromisoformat(entry["given_on"]) > on:
            return False
        return _state(entry, on) is ConsentState.GIVEN

    async def of_school(self, actor: PersonId, school: SchoolId) -> SchoolConsents:
        """The pupils who can log in, by name. Raises NotFound to all but teachers of the school."""
        recorder = people.alias("recorder")
        async with self._records.reading() as tx:
            today = await self._require_teacher_of(tx, actor, school)
            rows = await tx.all(
                select(people.c.id.label("pupil"), people.c.name, consents, recorder.c.name.label("recorder"))
                .outerjoin(consents, consents.c.person_id == people.c.id)
                .outerjoin(recorder, recorder.c.id == consents.c.recorded_by)
                .where(
                    people.c.school_id == school,
                    people.c.kind == PersonKind.PUPIL,
                    people.c.state.in_(HERE),
                )
                .order_by(people.c.name, people.c.id, consents.c.created_at)
            )
        names = {row["pupil"]: row["name"] for row in rows}
        newest = {(row["pupil"], row["purpose"]): row for row in rows}
        return SchoolConsents(
            today,
            [
                PupilConsents(
                    pupil,
                    name,
                    [_view(purpose, newest.get((pupil, purpose)), today) for purpose in ConsentPurpose],
                )
                for pupil, name in names.items()
            ],
        )

    async def of_pupil(self, actor: PersonId, person: PersonId) -> list[ConsentEntry]:
        """All that was ever noted about a pupil, the newest first. Raises NotFound."""
        recorder, withdrawer = people.alias("recorder"), people.alias("withdrawer")
        async with self._records.reading() as tx:
            today = await self._require_own_pupil(tx, actor, person)
            rows = await tx.all(
                select(consents, recorder.c.name.label("recorder"), withdrawer.c.name.label("withdrawer"))
                .outerjoin(recorder, recorder.c.id == consents.c.recorded_by)
                .outerjoin(withdrawer, withdrawer.c.id == consents.c.withdrawn_by)
                .where(consents.c.person_id == person)
                .order_by(consents.c.created_at.desc(), consents.c.id)
            )
        seen, entries = set[str](), []
        for row in rows:
            state = _state(row, today)
            if row["purpose"] in seen and state is not ConsentState.WITHDRAWN:
                state = ConsentState.REPLACED
            seen.add(row["purpose"])
            entries.append(
                ConsentEntry(
                    purpose=ConsentPurpose(row["purpose"]),
                    state=state,
                    given_on=date.fromisoformat(row["given_on"]),
                    valid_until=_day(row["valid_until"]),
                    recorded_by=row["recorder"],
                    recorded_at=row["created_at"],
                    withdrawn_by=row["withdrawer"],
                    withdrawn_at=row["withdrawn_at"],
                )
            )
        return entries

    async def record(
        self,
        actor: PersonId,
        school: SchoolId,
        pupils: Collection[PersonId],
        purpose: ConsentPurpose,
        given_on: date,
        valid_until: date | None = None,
    ) -> None:
        """Notes that these families have agreed, for all or for none.

        Raises NotFound for who is no pupil of the actor's school or cannot log in, and Conflict.
        """
        if valid_until is not None and valid_until <= given_on:
            raise Conflict("ends-too-early", "A consent ends after the day on which it was given.")
        wanted = sorted(set(pupils))
        if len(wanted) > MOST_AT_ONCE:
            raise Conflict("too-many-pupils", f"Choose at most {MOST_AT_ONCE} pupils at once.")
        async with self._records.writing() as tx:
            today = await self._require_teacher_of(tx, actor, school)
            if given_on > today:
                raise Conflict("not-yet-given", "Write the day on which it was given, not one to come.")
            known = await tx.all(
                select(people.c.id).where(
                    people.c.id.in_(wanted),
                    people.c.school_id == school,
                    people.c.kind == PersonKind.PUPIL,
                    people.c.state.in_(HERE),
                )
            )
            if len(known) < len(wanted):
                raise NotFound
            await self._enter(tx, actor, wanted, purpose, given_on, valid_until)

    async def _enter(
        self,
        tx: Writing,
        actor: PersonId,
        pupils: Sequence[PersonId],
        purpose: ConsentPurpose,
        given_on: date,
        valid_until: date | None,
    ) -> None:
        given = {
            "given_on": given_on.isoformat(),
            "valid_until": valid_until.isoformat() if valid_until else None,
        }
        newest, rows = await _newest(tx, pupils, purpose), []
        for pupil in pupils:
            last = newest.get(pupil)
            at = self._clock()
            if last is not None:
                if last["withdrawn_at"] is None and all(last[key] == given[key] for key in given):
                    continue
                at = max(at, math.nextafter(last["created_at"], math.inf))
            rows.append(
                {
                    "id": self._new_id(),
                    "person_id": pupil,
                    "purpose": purpose,
                    "recorded_by": actor,
                    "created_at": at,
                    **given,
                }
            )
        if rows:
            await tx.do(insert(consents), rows)

    async def withdraw(self, actor: PersonId, person: PersonId, purpose: ConsentPurpose) -> None:
        """From now on there is no consent. Raises NotFound, also where there never was one."""
        async with self._records.writing() as tx:
            await self._require_own_pupil(tx, actor, person)
            last = (await _newest(tx, [person], purpose)).get(person)
            if last is None:
                raise NotFound
            await tx.do(
                update(consents)
                .where(consents.c.id == last["id"], consents.c.withdrawn_at.is_(None))
                .values(withdrawn_at=self._clock(), withdrawn_by=actor)
            )

    async def _require_own_pupil(self, tx: Reading, actor: PersonId, person: PersonId) -> date:
        """What day it is at the pupil's school. Raises NotFound to all but its teachers."""
        pupil = await tx.first(_pupil(person))
        if pupil is None:
            raise NotFound
        return await self._require_teacher_of(tx, actor, SchoolId(pupil["school_id"]))

    async def _require_teacher_of(self, tx: Reading, actor: PersonId, school: SchoolId) -> date:
        """What day it is at the school. Raises NotFound to all but its teachers."""
        now = self._clock()
        me = await person_actor(tx, actor, now)
        if not allowed(Action.PUPIL_MANAGE, me, pupil_target(school)):
            raise NotFound
        zone = await tx.value(select(schools.c.time_zone).where(schools.c.id == school))
        return _date_at(now, zone)


def _pupil(person: PersonId) -> Any:
    return select(people.c.school_id).where(
        people.c.id == person, people.c.kind == PersonKind.PUPIL, people.c.state != PersonState.ERASED
    )


async def _newest(tx: Reading, pupils: Sequence[PersonId], purpose: ConsentPurpose) -> dict[str, RowMapping]:
    """The entry that counts, for each of them who has one."""
    rows = await tx.all(
        select(consents)
        .where(and_(consents.c.person_id.in_(pupils), consents.c.purpose == purpose))
        .order_by(consents.c.created_at)
    )
    return {row["person_id"]: row for row in rows}


def _state(entry: RowMapping, today: date) -> ConsentState:
    if entry["withdrawn_at"] is not None:
        return ConsentState.WITHDRAWN
    last = _day(entry["valid_until"])
    return ConsentState.EXPIRED if last is not None and last < today else ConsentState.GIVEN


def _view(purpose: ConsentPurpose, entry: RowMapping | None, today: date) -> ConsentView:
    if entry is None:
        return ConsentView(purpose, ConsentState.NONE)
    given_on, valid_until = date.fromisoformat(entry["given_on"]), _day(entry["valid_until"])
    return ConsentView(purpose, _state(entry, today), given_on, valid_until, entry["recorder"])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _date_at(now: float, zone: str) -> date:
    try:
        return datetime.fromtimestamp(now, ZoneInfo(zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return datetime.fromtimestamp(now, UTC).date()
