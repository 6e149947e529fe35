"""A served town of two schools with their teachers, a pupil and an officer; nobody has a space yet."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import DESKTOP, WAIT_MS, Watch
from demo_server import PASSWORD, PATIENT, Person
from playwright.sync_api import Browser, BrowserContext, Page, expect
from served import Server

from rooms.accounts.schools import Country
from rooms.services import Services
from rooms.values import Office

__all__ = ["Town", "Visits", "accept", "draft_project", "log_in", "running_town"]


@dataclass(frozen=True)
class Town:
    url: str
    ana: Person
    """Of the first school, as Eva is."""
    eva: Person
    rui: Person
    """Of the second school."""
    olga: Person
    """National officer of the first school's country."""
    pia: Person
    """Platform admin."""
    schools: tuple[str, str]


@contextmanager
def running_town(data: Path, *options: str) -> Iterator[Town]:
    data.mkdir(parents=True)
    # A thread of its own: Playwright keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        people = thread.submit(asyncio.run, _furnish(f"sqlite:///{data / 'records.sqlite3'}")).result()
    with Server(data, *PATIENT, *options) as server:
        names = ("Colegio Río Ebro", "Escola da Ribeira")
        yield Town(url=server.http.replace("127.0.0.1", "localhost"), schools=names, **people)


async def _furnish(records: str) -> dict[str, Person]:
    services = await Services.open(records)
    try:
        for country in (Country("ES", "España", ["es"]), Country("PT", "Portugal", ["pt"])):
            await services.schools.add_country(country)
        zaragoza = await services.schools.add(
            name="Colegio Río Ebro",
            town="Zaragoza",
            country="ES",
            time_zone="Europe/Madrid",
            languages=["es"],
        )
        porto = await services.schools.add(
            name="Escola da Ribeira", town="Porto", country="PT", time_zone="Europe/Lisbon", languages=["pt"]
        )
        found = {}
        for key, name, school in (
            ("ana", "Ana Serrano", zaragoza),
            ("eva", "Eva Lanuza", zaragoza),
            ("rui", "Rui Moreira", porto),
            ("olga", "Olga Prat", None),
            ("pia", "Pia Falk", None),
        ):
            email = f"{key}@town.example"
            id = await services.people.add_adult(name=name, email=email, password=PASSWORD, school=school)
            if key == "olga":
                await services.offices.appoint(id, Office.OFFICER, "ES")
            if key == "pia":
                await services.offices.appoint(id, Office.PLATFORM, None)
            found[key] = Person(name=name, email=email, password=PASSWORD, school=school or "")
        return found
    finally:
        await services.close()


class Visits:
    """Browser profiles of people of a town."""

    def __init__(self, browser: Browser, watch: Watch, town: Town) -> None:
        self.town = town
        self._browser = browser
        self._watch = watch
        self._contexts: list[BrowserContext] = []

    def nobody(self, *, viewport: dict[str, int] = DESKTOP, **options: Any) -> Page:
        options = {"locale": "en-GB", "reduced_motion": "reduce", **options}
        context = self._browser.new_context(base_url=self.town.url, viewport=viewport, **options)  # type: ignore[arg-type]
        context.set_default_timeout(WAIT_MS)
        context.on("page", self._watch.on)
        self._contexts.append(context)
        return context.new_page()

    def of(self, person: Person, **options: Any) -> Page:
        page = self.nobody(**options)
        self.call(page, "POST", "/session", person.credentials)
        return page

    def call(self, page: Page, method: str, path: str, data: Any = None) -> Any:
        """A request of whoever is logged in on this page."""
        answer = page.request.fetch(
            f"{self.town.url}/api{path}",
            method=method,
            data=data,
            headers={"Origin": self.town.url, "Sec-Fetch-Site": "same-origin"},
        )
        assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
        return answer.json() if answer.text() else None

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def log_in(page: Page, person: Person) -> None:
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Come in").click()


def draft_project(visits: Visits, page: Page, title: str) -> tuple[str, str]:
    """A draft and the link for its partner, by whoever is logged in on this page: its id and the path."""
    made = visits.call(
        page,
        "POST",
        "/spaces",
        {
            "kind": "project",
            "title": title,
            "summary": "Two classes count birds and write to each other about them.",
            "languages": ["en", "es", "pt"],
            "age_band": "12-15",
        },
    )
    link = visits.call(page, "POST", f"/spaces/{made['id']}/partner", {"days": 3})
    return made["id"], f"/invitations/{link['token']}"


def accept(page: Page, path: str, title: str) -> None:
    """Whoever is logged in on this page accepts what the link is about."""
    page.goto(path)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(page).to_have_url(re.compile("/spaces/"))
