"""A small furnished installation for tests of people, rights and pages: who is who, and where.

Two schools share a space; a third is elsewhere. It is furnished once by the real services and copied for each
test: as a file of SQLite, or as a database of PostgreSQL. Ids and cards are drawn from a fixed seed, and the
time stands still unless a test moves it.
"""

from __future__ import annotations

import asyncio
import pickle
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rooms.accounts.hashing import Hasher
from rooms.accounts.schools import Country
from rooms.rights.access import Change
from rooms.services import Services
from rooms.values import AgeBand, MembershipId, PageId, PersonId, Role, RoomId, RoomKind, SchoolId, SpaceId

__all__ = [
    "NOON",
    "PASSWORD",
    "Facts",
    "StillClock",
    "Village",
    "build",
    "copy",
    "email_of",
    "furnish",
    "open_services",
    "open_village",
]

NOON = 1_795_000_000.0
PASSWORD = "estuary-lantern-41"


class StillClock:
    """A clock that only tests move."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def quick_hasher() -> Hasher:
    """The real argon2id, with as little work as it allows."""
    return Hasher(passes=1, memory_kib=8)


def email_of(name: str) -> str:
    return f"{name}@school.example"


@dataclass
class Facts:
    """The ids of everything, by the names tests use."""

    people: dict[str, PersonId] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    """Code cards of the pupils."""
    schools: dict[str, SchoolId] = field(default_factory=dict)
    spaces: dict[str, SpaceId] = field(default_factory=dict)
    members: dict[str, MembershipId] = field(default_factory=dict)
    """Of the space "rivers"."""
    rooms: dict[str, RoomId] = field(default_factory=dict)
    pages: dict[str, PageId] = field(default_factory=dict)


@dataclass
class Village:
    url: str
    """Of the records."""
    services: Services
    clock: StillClock
    facts: Facts
    changes: list[Change] = field(default_factory=list)
    """Everything published since the test began."""

    def person(self, name: str) -> PersonId:
        return self.facts.people[name]

    def member(self, name: str) -> MembershipId:
        return self.facts.members[name]

    @property
    def space(self) -> SpaceId:
        return self.facts.spaces["rivers"]

    def heard(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]


def build(folder: Path) -> None:
    """Furnishes `folder` with records.sqlite3 and facts.pickle."""
    facts = asyncio.run(furnish(f"sqlite:///{folder / 'records.sqlite3'}"))
    (folder / "facts.pickle").write_bytes(pickle.dumps(facts))


@asynccontextmanager
async def open_village(url: str, facts: Facts, *, approval: bool = False) -> AsyncIterator[Village]:
    """The installation in these records, a copy of what `furnish` has made."""
    clock = StillClock()
    services = await open_services(url, clock, approval=approval)
    village = Village(url, services, clock, facts)
    unsubscribe = services.changes.subscribe(village.changes.append)
    try:
        yield village
    finally:
        unsubscribe()
        await services.close()


def copy(built: Path, folder: Path) -> Facts:
    """What `build` has made, copied into `folder`."""
    shutil.copy(built / "records.sqlite3", folder)
    facts = pickle.loads((built / "facts.pickle").read_bytes())
    assert isinstance(facts, Facts)
    return facts


async def open_services(url: str, clock: StillClock, seed: int = 2026, *, approval: bool = False) -> Services:
    chance = random.Random(seed)
    return await Services.open(
        url, clock=clock, choose=chance.choice, hasher=quick_hasher(), approval=approval
    )


async def furnish(url: str) -> Facts:
    """Furnishes empty records."""
    services = await open_services(url, StillClock(NOON - 86_400), seed=2025)
    try:
        facts = Facts()
        await _people(services, facts)
        await _places(services, facts)
        return facts
    finally:
        await services.close()


async def _people(services: Services, facts: Facts) -> None:
    for country in (Country("ES", "España", ["es"]), Country("PT", "Portugal", ["pt"])):
        await services.schools.add_country(country)
    for key, town, country_code, zone in (
        ("ebro", "Zaragoza", "ES", "Europe/Madrid"),
        ("douro", "Porto", "PT", "Europe/Lisbon"),
        ("far", "Faro", "PT", "Europe/Lisbon"),
    ):
        facts.schools[key] = await services.schools.add(
            name=f"School of {town}", town=town, country=country_code, time_zone=zone, languages=["es"]
        )
    for name, school in (
        ("founder", "ebro"),
        ("admin", "ebro"),
        ("teacher", "ebro"),
        ("partner", "douro"),
        ("guest", None),
        ("removed", "ebro"),
        ("outsider", "far"),
    ):
        facts.people[name] = await services.people.add_adult(
            name=name.capitalize(),
            email=email_of(name),
            password=PASSWORD,
            school=facts.schools[school] if school else None,
        )


async def _places(services: Services, facts: Facts) -> None:
    rivers = facts.spaces["rivers"] = await services.spaces.create(
        title="Two rivers",
        summary="",
        languages=["en"],
        age_band=AgeBand.FROM_16,
        founders=[facts.people["founder"]],
    )
    elsewhere = facts.spaces["elsewhere"] = await services.spaces.create(
        title="Elsewhere",
        summary="",
        languages=["en"],
        age_band=AgeBand.FROM_16,
        founders=[facts.people["outsider"]],
    )
    for name, role in (
        ("admin", Role.ADMIN),
        ("teacher", Role.TEACHER),
        ("partner", Role.TEACHER),
        ("guest", Role.GUEST),
        ("removed", Role.TEACHER),
    ):
        await services.members.add_adult(rivers, facts.people[name], role)
    for names, teacher, school, space in (
        (("student", "editor", "mate"), "founder", "ebro", rivers),
        (("pal",), "partner", "douro", rivers),
        (("stranger",), "outsider", "far", elsewhere),
    ):
        made = await services.people.make_pupils(
            facts.people[teacher], facts.schools[school], space, [name.capitalize() for name in names]
        )
        for name, card in zip(names, made, strict=True):
            facts.people[name] = PersonId(card.person_id)
            facts.codes[name] = card.card.code
    names_of = {person: name for name, person in facts.people.items()}
    founder = facts.people["founder"]
    for member in await services.members.of_space(founder, rivers):
        facts.members[names_of[PersonId(member.person_id)]] = MembershipId(member.id)
    await services.members.change_role(founder, facts.members["editor"], Role.STUDENT_EDITOR)
    await services.members.remove(founder, facts.members["removed"])
    team = await services.spaces.make_room(
        founder,
        rivers,
        title="Team",
        kind=RoomKind.TEAM,
        members=[facts.members["student"], facts.members["editor"], facts.members["pal"]],
    )
    facts.rooms["team"] = RoomId(team.id)
    for room in (await services.spaces.get(founder, rivers)).rooms:
        if room.kind is not RoomKind.TEAM:
            facts.rooms[room.kind.value] = RoomId(room.id)
    for room in (await services.spaces.get(facts.people["outsider"], elsewhere)).rooms:
        facts.rooms[f"elsewhere-{room.kind}"] = RoomId(room.id)
    for title, room, author in (
        ("open", "general", "founder"),
        ("team", "team", "student"),
        ("staff", "staff", "founder"),
    ):
        page = await services.pages.create(facts.people[author], facts.rooms[room], title=title.capitalize())
        facts.pages[title] = PageId(page.id)
    page = await services.pages.create(
        facts.people["outsider"], facts.rooms["elsewhere-general"], title="Elsewhere"
    )
    facts.pages["elsewhere"] = PageId(page.id)
