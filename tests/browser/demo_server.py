"""The real server on a TwinSpace of two schools, furnished through the same services that the demo uses."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from balancer import Balancer
from playwright.sync_api import Page
from served import Server

from rooms.accounts.schools import Country
from rooms.services import Services
from rooms.values import AgeBand, PageId, PersonId, Role, RoomKind

__all__ = ["Demo", "Person", "new_pupils", "running_demo", "running_nodes"]

Prepare = Callable[[Services, dict], Awaitable[None]]

PASSWORD = "estuary-lantern-41"
PATIENT = ("--api-rate", "1000", "--api-burst", "10000")


@dataclass(frozen=True)
class Person:
    """Somebody who can log in: a student with a code, or a teacher with an e-mail address and a password."""

    name: str
    code: str = ""
    email: str = ""
    password: str = ""
    school: str = ""
    """Id of a teacher's school."""

    @property
    def credentials(self) -> dict[str, str]:
        if self.code:
            return {"method": "code", "code": self.code}
        return {"method": "password", "email": self.email, "password": self.password}


@dataclass(frozen=True)
class Demo:
    url: str
    """``http://localhost:PORT``: a name that browsers treat as they treat https."""
    server: Server
    space: str
    space_title: str
    page: str
    page_title: str
    schools: tuple[str, str]
    teacher: Person
    """Leads the space; of the first school."""
    partner: Person
    """Teacher of the second school."""
    students: tuple[Person, ...]
    """Of the two schools in turn."""

    @property
    def page_path(self) -> str:
        return f"/spaces/{self.space}/pages/{self.page}"


def new_pupils(page: Page, demo: Demo, count: int = 1) -> list[Person]:
    """Pupils of the teacher's school, made over REST, who are members of the demo's TwinSpace."""
    names = [f"Pupil {uuid.uuid4().hex[:6]}" for _ in range(count)]
    answer = page.request.post(
        f"/api/schools/{demo.teacher.school}/pupils",
        data={"space_id": demo.space, "pupils": [{"name": name} for name in names], "language": "en"},
        headers={"Origin": demo.url, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.ok, answer.text()
    return [Person(name=card["name"], code=card["code"]) for card in answer.json()["cards"]]


@contextmanager
def running_demo(data: Path, *options: str, port: int = 0, prepare: Prepare | None = None) -> Iterator[Demo]:
    """With further options of ``twinspace serve``; ``prepare`` may add to what is there."""
    data.mkdir(parents=True)
    furnished = _furnished(f"sqlite:///{data / 'records.sqlite3'}", prepare)
    server = Server(data, *PATIENT, *options)
    server.start(port)
    try:
        yield Demo(url=server.http.replace("127.0.0.1", "localhost"), server=server, **furnished)
    finally:
        if server.running:
            server.stop()


@contextmanager
def running_nodes(folder: Path, database: str, redis: str) -> Iterator[tuple[Demo, list[Server]]]:
    """The same on two nodes behind a load balancer, which is where the demo's URL leads."""
    furnished = _furnished(database)
    options = (*PATIENT, "--database", database, "--redis", redis)
    with ExitStack() as stack:
        nodes = [stack.enter_context(Server(folder / name, *options)) for name in ("one", "two")]
        balancer = stack.enter_context(Balancer([int(node.http.rpartition(":")[2]) for node in nodes]))
        yield Demo(url=f"http://localhost:{balancer.port}", server=nodes[0], **furnished), nodes


def _furnished(records: str, prepare: Prepare | None = None) -> dict:
    # A thread of its own: Playwright keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _furnish(records, prepare)).result()


async def _furnish(records: str, prepare: Prepare | None) -> dict:
    services = await Services.open(records)
    try:
        filled = await _fill(services)
        if prepare is not None:
            await prepare(services, filled)
        return filled
    finally:
        await services.close()


async def _fill(services: Services) -> dict:
    for country in (Country("ES", "España", ["es"]), Country("PT", "Portugal", ["pt"])):
        await services.schools.add_country(country)
    names = ("Colegio Río Ebro", "Escola da Ribeira")
    zaragoza = await services.schools.add(
        name=names[0], town="Zaragoza", country="ES", time_zone="Europe/Madrid", languages=["es"]
    )
    porto = await services.schools.add(
        name=names[1], town="Porto", country="PT", time_zone="Europe/Lisbon", languages=["pt"]
    )
    teachers, ids = [], []
    for name, email, school in (
        ("Ana Serrano", "ana@rioebro.example", zaragoza),
        ("Rui Moreira", "rui@ribeira.example", porto),
    ):
        ids.append(await services.people.add_adult(name=name, email=email, password=PASSWORD, school=school))
        teachers.append(Person(name=name, email=email, password=PASSWORD, school=school))
    title = "Two rivers, one notebook"
    space = await services.spaces.create(
        title=title,
        summary="The Ebro and the Douro, measured, drawn and told by two classes.",
        languages=["en", "es", "pt"],
        age_band=AgeBand.FROM_16,
        founders=[ids[0]],
    )
    await services.members.add_adult(space, ids[1], Role.TEACHER)
    cards = [
        await services.people.make_pupils(teacher, school, space, [None] * 2)
        for teacher, school in zip(ids, (zaragoza, porto), strict=True)
    ]
    view = await services.spaces.get(ids[0], space)
    room = next(room.id for room in view.rooms if room.kind is not RoomKind.STAFF)
    pages: dict[str, PageId] = {}
    for name, parent in (
        ("Our rivers", None),
        ("What lives in the Ebro", "Our rivers"),
        ("What lives in the Douro", "Our rivers"),
        ("Words we learned", None),
    ):
        page = await services.pages.create(
            PersonId(ids[0]), room, title=name, parent=pages[parent] if parent else None
        )
        pages[name] = PageId(page.id)
    return {
        "space": space,
        "space_title": title,
        "page": pages["Our rivers"],
        "page_title": "Our rivers",
        "schools": names,
        "teacher": teachers[0],
        "partner": teachers[1],
        "students": tuple(
            Person(name=made.name, code=made.card.code)
            for made in itertools.chain.from_iterable(zip(*cards, strict=True))
        ),
    }
