"""Spaces of young pupils: few reactions or none, and never numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo, Person, running_demo
from playwright.sync_api import Page, expect
from sqlalchemy import select
from talk_page import call, make_post, make_thread, open_thread, post

from rooms.services import Services
from rooms.storage.schema import people
from rooms.values import AgeBand, PersonId, Role, SchoolId, SpaceKind


@pytest.fixture(scope="module")
def spaces() -> dict[AgeBand, str]:
    """Filled with the server: a space for each of these ages, led by the demo's teacher."""
    return {}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, spaces: dict[AgeBand, str]) -> Iterator[Demo]:
    """The demo's people, whose space is one for pupils of 7 to 11."""

    async def prepare(services: Services, filled: dict) -> None:
        async with services.records.reading() as tx:
            ids = {row["name"]: row["id"] for row in await tx.all(select(people.c.id, people.c.name))}
        ana, rui = (PersonId(ids[filled[who].name]) for who in ("teacher", "partner"))
        for band in (AgeBand.UP_TO_6, AgeBand.FROM_7, AgeBand.ADULTS):
            space = await services.spaces.create(
                kind=SpaceKind.GROUP if band is AgeBand.ADULTS else SpaceKind.PROJECT,
                title=f"Small rivers, {band.value}",
                summary="",
                languages=["en"],
                age_band=band,
                founders=[ana],
            )
            await services.members.add_adult(space, rui, Role.TEACHER)
            spaces[band] = space
            if band is AgeBand.FROM_7:
                school = SchoolId(filled["teacher"].school)
                made = await services.people.make_pupils(ana, school, space, ["Brave Otter", "Quick Heron"])
                filled["space"] = space
                filled["students"] = tuple(Person(name=each.name, code=each.card.code) for each in made)

    with running_demo(tmp_path_factory.mktemp("young") / "data", prepare=prepare) as demo:
        yield demo


def marks(page: Page, words: str) -> list[str]:
    return [str(each.get_attribute("aria-label")) for each in post(page, words).locator(".mark-button").all()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_pupils_have_a_few_marks_and_see_no_numbers(
    teacher: LogsIn,
    student: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    viewport: dict[str, int],
    scheme: str,
) -> None:
    ana, brave, quick = teacher(), student(0, viewport=viewport, color_scheme=scheme), student(1)
    talk = make_thread(ana, demo)
    made = make_post(ana, demo, talk, "Today we saw an otter.")
    for page in (brave, quick):
        open_thread(page, talk)
    post(brave, "an otter").get_by_role("button", name="React").click()
    expect(post(brave, "an otter").locator(".mark-button")).to_have_count(3)
    name = f"young-marks-{'phone' if viewport is PHONE else 'desktop'}-{scheme}"
    axe(brave, name)
    brave.screenshot(path=artifact(f"{name}.png"))
    heart = marks(brave, "an otter")[0]
    for page in (brave, quick):
        if page is quick:
            expect(post(quick, "an otter").get_by_role("button", name=heart)).to_have_attribute(
                "aria-pressed", "false"
            )
        post(page, "an otter").get_by_role("button", name=heart, exact=True).click()
        mine = post(page, "an otter").get_by_role("button", name=heart, exact=True)
        expect(mine).to_have_attribute("aria-pressed", "true")
        expect(mine).to_have_text("")
    brave.reload()
    mine = post(brave, "an otter").get_by_role("button", name=heart, exact=True)
    expect(mine).to_have_attribute("aria-pressed", "true")
    brave.screenshot(path=artifact(f"{name}-set.png"))
    # Taken back, it is still there: somebody else has set it, too.
    mine.click()
    expect(mine).to_have_attribute("aria-pressed", "false")
    post(quick, "an otter").get_by_role("button", name=heart, exact=True).click()
    for page in (brave, quick):
        expect(post(page, "an otter").locator(".mark-button")).to_have_count(0)
    call(ana, demo, "PUT", f"/posts/{made['id']}/hidden", {})


def test_the_youngest_have_no_reactions_and_adults_count_theirs(
    teacher: LogsIn, logged_in: LogsIn, demo: Demo, spaces: dict[AgeBand, str]
) -> None:
    ana, rui = teacher(), logged_in(demo.partner)
    small = replace(demo, space=spaces[AgeBand.UP_TO_6])
    talk = make_thread(ana, small)
    make_post(ana, small, talk, "The children drew a heron.")
    open_thread(rui, talk)
    expect(post(rui, "a heron").get_by_role("button", name="Answer")).to_be_visible()
    expect(post(rui, "a heron").get_by_role("button", name="React")).to_have_count(0)
    grown = replace(demo, space=spaces[AgeBand.ADULTS])
    talk = make_thread(ana, grown)
    made = make_post(ana, grown, talk, "When do we meet?")
    call(ana, grown, "PUT", f"/posts/{made['id']}/reactions/thumb")
    open_thread(rui, talk)
    given = post(rui, "When do we meet").locator(".mark-button")
    expect(given).to_have_text("1")
    given.click()
    expect(given).to_have_text("2")
    expect(given).to_have_attribute("aria-pressed", "true")
