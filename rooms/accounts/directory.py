"""All schools, adults and spaces of an installation, for the operator: nobody's rights are asked here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from rooms.storage.records import Records
from rooms.storage.schema import credentials, memberships, people, schools, spaces
from rooms.values import (
    AgeBand,
    CredentialKind,
    PersonId,
    PersonKind,
    PersonState,
    SchoolId,
    SpaceId,
    SpaceStatus,
)

__all__ = ["AdultEntry", "SchoolEntry", "SpaceEntry", "adults_of", "schools_of", "spaces_of"]


@dataclass(frozen=True, slots=True)
class SchoolEntry:
    id: SchoolId
    name: str
    town: str
    country: str
    time_zone: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdultEntry:
    id: PersonId
    email: str
    """As it is compared: in small letters."""
    name: str
    state: PersonState
    school: SchoolId | None


@dataclass(frozen=True, slots=True)
class SpaceEntry:
    id: SpaceId
    title: str
    status: SpaceStatus
    age_band: AgeBand
    founders: tuple[str, ...]
    """Their names."""


async def schools_of(records: Records) -> list[SchoolEntry]:
    """By country, town and name."""
    order = schools.c.country_code, schools.c.town, schools.c.name, schools.c.id
    async with records.reading() as tx:
        rows = await tx.all(select(schools).order_by(*order))
    return [
        SchoolEntry(
            SchoolId(row["id"]),
            row["name"],
            row["town"],
            row["country_code"],
            row["time_zone"],
            tuple(row["languages"]),
        )
        for row in rows
    ]


async def adults_of(records: Records) -> list[AdultEntry]:
    """By e-mail address."""
    async with records.reading() as tx:
        rows = await tx.all(
            select(people, credentials.c.selector)
            .join(credentials, credentials.c.person_id == people.c.id)
            .where(people.c.kind == PersonKind.ADULT, credentials.c.kind == CredentialKind.PASSWORD)
            .order_by(credentials.c.selector)
        )
    return [
        AdultEntry(
            PersonId(row["id"]), row["selector"], row["name"], PersonState(row["state"]), row["school_id"]
        )
        for row in rows
    ]


async def spaces_of(records: Records) -> list[SpaceEntry]:
    """Oldest first."""
    async with records.reading() as tx:
        rows = await tx.all(select(spaces).order_by(spaces.c.created_at, spaces.c.id))
        founders = await tx.all(
            select(memberships.c.space_id, people.c.name)
            .join(people, people.c.id == memberships.c.person_id)
            .where(memberships.c.founder)
            .order_by(people.c.name, people.c.id)
        )
    return [
        SpaceEntry(
            SpaceId(row["id"]),
            row["title"],
            SpaceStatus(row["status"]),
            AgeBand(row["age_band"]),
            tuple(each["name"] for each in founders if each["space_id"] == row["id"]),
        )
        for row in rows
    ]
