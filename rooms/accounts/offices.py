"""Appointments outside any space: who decides for a country, and who for the whole installation."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, insert, or_, select, update

from rooms.faults import Conflict, NotFound
from rooms.rights.access import Change
from rooms.storage.records import Reading, Records
from rooms.storage.schema import appointments, countries, people
from rooms.values import Clock, NewId, Office, PersonId, PersonKind, PersonState

__all__ = ["Offices", "countries_of_officer", "who_decides"]


class Offices:
    """The appointments of everybody, for the operator."""

    def __init__(self, records: Records, clock: Clock, new_id: NewId) -> None:
        self._records = records
        self._clock = clock
        self._new_id = new_id

    async def require_country(self, country: str | None) -> None:
        """Raises Conflict for one that nobody has added."""
        async with self._records.reading() as tx:
            await _require_country(tx, country)

    async def appoint(self, person: PersonId, office: Office, country: str | None = None) -> None:
        """Appoints a confirmed adult from now on; who holds the office already, holds it.

        A national officer is one of a country. Raises NotFound or Conflict.
        """
        async with self._records.writing() as tx:
            row = await tx.first(select(people).where(people.c.id == person))
            if row is None:
                raise NotFound
            if row["kind"] != PersonKind.ADULT or row["state"] != PersonState.CONFIRMED:
                raise Conflict("not-confirmed", "Only confirmed adults are appointed.")
            if (office is Office.OFFICER) != (country is not None):
                raise Conflict("wrong-country", "A national officer is one of a country, nobody else is.")
            await _require_country(tx, country)
            now = self._clock()
            if not await tx.first(select(appointments).where(_held(person, office, country, now))):
                await tx.do(
                    insert(appointments).values(
                        id=self._new_id(),
                        person_id=person,
                        office=office,
                        country_code=country,
                        starts_at=now,
                    )
                )
                tx.publish(Change("appointed", person=person))

    async def end(self, person: PersonId, office: Office, country: str | None = None) -> bool:
        """Ends an appointment now; whether there was one."""
        async with self._records.writing() as tx:
            now = self._clock()
            done = await tx.do(
                update(appointments).where(_held(person, office, country, now)).values(ends_at=now)
            )
            tx.publish(Change("appointed", person=person))
            return done.rowcount > 0


async def _require_country(tx: Reading, country: str | None) -> None:
    if country is not None and not await tx.first(select(countries).where(countries.c.code == country)):
        raise Conflict("no-such-country", f"There is no country {country!r} yet. Add it first.")


async def countries_of_officer(tx: Reading, person: PersonId, now: float) -> frozenset[str]:
    """Whose national officer the person is."""
    rows = await tx.all(
        select(appointments.c.country_code).where(
            appointments.c.person_id == person, appointments.c.office == Office.OFFICER, _runs(now)
        )
    )
    return frozenset(row["country_code"] for row in rows if row["country_code"])


async def who_decides(tx: Reading, of: Collection[str], now: float) -> list[PersonId]:
    """The national officers of these countries; where they have none, the platform admins."""
    found = await tx.all(
        _holders(now).where(
            appointments.c.office == Office.OFFICER, appointments.c.country_code.in_(sorted(of))
        )
    ) or await tx.all(_holders(now).where(appointments.c.office == Office.PLATFORM))
    return [PersonId(row["person_id"]) for row in found]


def _holders(now: float) -> Select[tuple[str]]:
    return (
        select(appointments.c.person_id)
        .join(people, people.c.id == appointments.c.person_id)
        .where(people.c.kind == PersonKind.ADULT, people.c.state == PersonState.CONFIRMED, _runs(now))
        .distinct()
    )


def _runs(now: float) -> ColumnElement[bool]:
    ends = appointments.c.ends_at
    return (appointments.c.starts_at <= now) & or_(ends.is_(None), ends > now)


def _held(person: PersonId, office: Office, country: str | None, now: float) -> ColumnElement[bool]:
    return (
        (appointments.c.person_id == person)
        & (appointments.c.office == office)
        & (appointments.c.country_code == country)
        & _runs(now)
    )
