"""A founder throws a draft away on its own screen."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, Watch
from playwright.sync_api import Browser, expect
from town import Town, Visits, draft_project, running_town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running_town(tmp_path_factory.mktemp("drafts") / "data") as town:
        yield town


@pytest.fixture
def visits(browser: Browser, watch: Watch, town: Town) -> Iterator[Visits]:
    visits = Visits(browser, watch, town)
    yield visits
    visits.close()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_draft_goes_when_its_founder_says_so_twice(
    visits: Visits,
    axe: Callable[[object, str], None],
    artifact: Callable[[str], Path],
    size: dict[str, int],
) -> None:
    ana, title = visits.of(visits.town.ana, viewport=size), f"Birds {uuid.uuid4().hex[:5]}"
    space, link = draft_project(visits, ana, title)
    ana.goto(f"/spaces/{space}")
    expect(ana.get_by_role("region", name="This is a draft")).to_be_visible()
    ana.screenshot(path=artifact(f"draft-{size['width']}.png"))
    ana.get_by_role("button", name="Throw away").click()
    box = ana.get_by_role("dialog", name=f"Throw “{title}” away?")
    expect(box).to_be_visible()
    ana.screenshot(path=artifact(f"draft-throw-{size['width']}.png"))
    axe(ana, "throwing a draft away")
    box.get_by_role("button", name="Cancel").click()
    expect(box).to_have_count(0)
    ana.get_by_role("button", name="Throw away").click()
    ana.get_by_role("dialog").get_by_role("button", name="Throw away").click()
    expect(ana.get_by_text(f"“{title}” is thrown away.").first).to_be_visible()
    expect(ana).to_have_url(f"{visits.town.url}/")
    expect(ana.get_by_role("heading", level=1)).to_be_visible()
    expect(ana.get_by_role("link", name=title)).to_have_count(0)
    ana.goto(f"/spaces/{space}")
    expect(ana.get_by_text("it does not exist")).to_be_visible()
    rui = visits.of(visits.town.rui)
    rui.goto(link)
    expect(rui.get_by_role("button", name="Accept")).to_have_count(0)
