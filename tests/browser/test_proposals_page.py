"""What two have to agree on, in Chromium: a space opened wider, a teacher of another school muted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DESKTOP, PHONE, Watch
from playwright.sync_api import Browser, Locator, Page, expect
from town import Town, Visits, draft_project, running_town

SIZES = {"phone": PHONE, "desktop": DESKTOP}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running_town(tmp_path_factory.mktemp("town") / "data") as town:
        yield town


@pytest.fixture
def visits(browser: Browser, watch: Watch, town: Town) -> Iterator[Visits]:
    visits = Visits(browser, watch, town)
    yield visits
    visits.close()


class Project:
    """Rui and Ana, of two schools, have founded it; Eva is a teacher of Ana's school."""

    def __init__(self, visits: Visits, title: str, **options: Any) -> None:
        town = visits.town
        self.visits, self.title = visits, title
        self.ana, self.eva = visits.of(town.ana, **options), visits.of(town.eva, **options)
        self.rui, self.olga = visits.of(town.rui, **options), visits.of(town.olga, **options)
        self.space, path = draft_project(visits, self.rui, title)
        visits.call(self.ana, "POST", f"/invitations/{path.rpartition('/')[2]}/accept")
        made = visits.call(self.ana, "POST", f"/spaces/{self.space}/invitations", {"role": "teacher"})
        visits.call(self.eva, "POST", f"/invitations/{made['token']}/accept")

    def open(self, page: Page, where: str) -> None:
        page.goto(f"/spaces/{self.space}/{where}")

    def ask_mute(self) -> None:
        """As Rui does on the screen, for 45 minutes."""
        name = self.visits.town.eva.name
        self.open(self.rui, "members")
        self.rui.get_by_role("button", name=f"What to do with {name}").click()
        self.rui.get_by_role("button", name="Ask to stop from writing").click()
        self.rui.get_by_role("radio", name="This lesson").check()
        self.rui.get_by_label("Why?").fill("She answers for the pupils.")

    def eva_may_write(self) -> bool:
        room = self.visits.call(self.eva, "GET", f"/spaces/{self.space}")["rooms"][0]
        return bool(room["reason"] == "")


def said(page: Page) -> Locator:
    return page.locator(".announcer.toast")


def test_the_office_allows_more_and_an_admin_chooses_it(visits: Visits) -> None:
    project = Project(visits, "Rivers of two towns")
    ana, olga = project.ana, project.olga
    project.open(ana, "settings")
    part = ana.get_by_role("region", name="More than is usual at this age")
    part.get_by_role("button", name="Ask the national office").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("Why is this good").fill("They know each other well.")
    dialog.get_by_role("button", name="Ask the national office").click()
    expect(dialog.get_by_role("alert")).to_have_text("Choose something that is not open yet.")
    dialog.get_by_label("Posts").select_option("Posts are seen at once")
    dialog.get_by_role("button", name="Ask the national office").click()
    expect(part.get_by_text("This waits for the national office")).to_be_visible()
    expect(part.get_by_role("button", name="Ask the national office")).to_have_count(0)
    rules = ana.get_by_role("region", name="What students may do")
    expect(rules.get_by_role("radio", name="Posts are seen at once")).to_have_count(0)

    olga.goto("/notifications")
    olga.get_by_role("link", name=re.compile("would like more than is usual")).first.click()
    card = olga.get_by_role("listitem", name=project.title).first
    expect(card).to_contain_text("They know each other well.")
    expect(card).to_contain_text("12 to 15 years")
    expect(card).to_contain_text("Posts are seen at once")
    card.get_by_role("button", name="Allow it").click()
    expect(said(olga)).to_have_text(f"“{project.title}” may open wider now.")
    expect(olga.get_by_text("Nothing waits for you.")).to_be_visible()

    expect(part.get_by_text("The national office allows this")).to_be_visible()
    choice = rules.get_by_role("radio", name="Posts are seen at once")
    expect(choice).not_to_be_checked()
    choice.check()
    rules.get_by_role("button", name="Save").click()
    expect(said(ana)).to_have_text("Saved.")
    now = visits.call(ana, "GET", f"/spaces/{project.space}/policy")["effective"]
    assert now["posting"] == "free"


def test_the_office_takes_back_what_it_has_allowed(visits: Visits) -> None:
    project = Project(visits, "Springs of two towns")
    ana, olga, space = project.ana, project.olga, project.space
    wish = {"floor": {"chat": "free"}, "because": "They like to talk."}
    asked = visits.call(ana, "POST", f"/spaces/{space}/proposals", wish)
    visits.call(olga, "PUT", f"/proposals/{asked['id']}/decision", {"accept": True})
    visits.call(ana, "PATCH", f"/spaces/{space}", {"policy": {"chat": "free"}})
    project.open(ana, "settings")
    part = ana.get_by_role("region", name="More than is usual at this age")
    expect(part).to_contain_text("The national office allows this")
    chat = ana.get_by_role("radio", name="At any time")
    expect(chat).to_be_checked()

    olga.goto("/approvals")
    card = olga.get_by_role("list", name="What you allow").get_by_role("listitem", name=project.title)
    expect(card).to_contain_text("12 to 15 years")
    expect(card).to_contain_text("At any time")
    card.get_by_role("button", name="Allow it no longer").click()
    dialog = olga.get_by_role("dialog")
    expect(dialog).to_contain_text("What is open wider closes at once")
    dialog.get_by_label("What do you want to tell them?").fill("There were complaints.")
    dialog.get_by_role("button", name="Allow it no longer").click()
    expect(said(olga)).to_have_text(f"“{project.title}” is as is usual again.")
    expect(card).to_have_count(0)

    expect(part).to_contain_text("The national office does not allow more any longer")
    expect(part).to_contain_text("There were complaints.")
    expect(chat).to_have_count(0)
    now = visits.call(ana, "GET", f"/spaces/{space}/policy")
    assert (now["chosen"]["chat"], now["effective"]["chat"]) == ("supervised", "supervised")
    ana.goto("/notifications")
    news = ana.get_by_role("link", name=re.compile("allows only what is usual at this age again"))
    expect(news.first).to_have_attribute("href", f"/spaces/{space}/settings")


def test_the_office_says_no_and_an_admin_takes_a_wish_back(visits: Visits) -> None:
    project = Project(visits, "Bridges of two towns")
    ana, olga, space = project.ana, project.olga, project.space
    wish = {"floor": {"chat": "free"}, "because": "They like to talk."}
    visits.call(ana, "POST", f"/spaces/{space}/proposals", wish)
    olga.goto("/approvals")
    card = olga.get_by_role("listitem", name=project.title).first
    card.get_by_role("button", name="Not this time").click()
    olga.get_by_label("What do you want to tell them?").fill("Chat with a teacher first.")
    olga.get_by_role("dialog").get_by_role("button", name="Not this time").click()
    expect(card).to_have_count(0)
    project.open(ana, "settings")
    part = ana.get_by_role("region", name="More than is usual at this age")
    expect(part).to_contain_text("The national office said no")
    expect(part).to_contain_text("Chat with a teacher first.")
    visits.call(ana, "POST", f"/spaces/{space}/proposals", wish)
    part.get_by_role("button", name="Take it back").click()
    expect(part.get_by_role("button", name="Ask the national office")).to_be_visible()


def test_a_second_admin_confirms_a_mute_and_one_lifts_it(visits: Visits) -> None:
    project, name = Project(visits, "Mills of two towns"), visits.town.eva.name
    rui, ana = project.rui, project.ana
    project.ask_mute()
    rui.get_by_role("dialog").get_by_role("button", name="Ask", exact=True).click()
    expect(said(rui)).to_have_text("You have asked. It begins once somebody confirms it.")
    assert project.eva_may_write()

    project.open(rui, "cockpit")
    waiting = rui.get_by_role("region", name="Mutes that wait")
    expect(waiting).to_contain_text("for 45 minutes")
    expect(waiting.get_by_role("button", name="Confirm")).to_have_count(0)
    project.open(project.eva, "cockpit")
    expect(project.eva.get_by_role("region", name="May not write now")).to_be_visible()
    expect(project.eva.get_by_role("region", name="Mutes that wait")).to_have_count(0)

    project.open(ana, "cockpit")
    waits = ana.get_by_role("region", name="Mutes that wait")
    expect(waits).to_contain_text("She answers for the pupils.")
    waits.get_by_role("button", name="Confirm").first.click()
    ana.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    expect(said(ana)).to_have_text(f"{name} may not write now.")
    expect(waits).to_have_count(0)
    expect(waiting).to_have_count(0)
    assert not project.eva_may_write()
    muted = rui.get_by_role("region", name="May not write now")
    muted.get_by_role("button", name=f"Let {name} write again").click()
    expect(muted.get_by_text("Everyone may write.")).to_be_visible()
    assert project.eva_may_write()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(
    visits: Visits,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: str,
    scheme: str,
) -> None:
    at = f"{size}-{scheme}"
    project = Project(visits, f"What the rivers carry, {at}", viewport=SIZES[size], color_scheme=scheme)
    ana, rui, olga = project.ana, project.rui, project.olga

    def look(page: Page, name: str) -> None:
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        whole = page.get_by_role("dialog").count() == 0
        page.screenshot(path=artifact(f"proposals-{name}-{at}.png"), full_page=whole)
        axe(page, f"{name}, {at}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"

    project.ask_mute()
    look(rui, "ask-mute")
    rui.get_by_role("dialog").get_by_role("button", name="Ask", exact=True).click()
    expect(said(rui)).to_contain_text("You have asked.")
    project.open(ana, "settings")
    part = ana.get_by_role("region", name="More than is usual at this age")
    part.get_by_role("button", name="Ask the national office").click()
    look(ana, "ask-floor")
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("Posts").select_option("Posts are seen at once")
    dialog.get_by_label("Chat").select_option("At any time")
    dialog.get_by_label("Why is this good").fill("They know each other well, and a teacher reads along.")
    dialog.get_by_role("button", name="Ask the national office").click()
    expect(part.get_by_text("This waits for the national office")).to_be_visible()
    look(ana, "floor-waits")
    project.open(rui, "cockpit")
    expect(rui.get_by_role("region", name="Mutes that wait")).to_be_visible()
    look(rui, "desk-mine")
    project.open(ana, "cockpit")
    expect(ana.get_by_role("region", name="Mutes that wait")).to_be_visible()
    look(ana, "desk")
    olga.goto("/approvals")
    expect(olga.get_by_role("heading", name="Questions of TwinSpaces")).to_be_visible()
    look(olga, "approvals")
    mine = olga.get_by_role("listitem", name=project.title)
    mine.get_by_role("button", name="Allow it").click()
    expect(said(olga)).to_contain_text("may open wider now")
    mine.get_by_role("button", name="Confirm").first.click()
    look(olga, "confirm")
    olga.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    expect(mine.get_by_text("Would like to")).to_have_count(0)
    look(olga, "granted")
    mine.get_by_role("button", name="Allow it no longer").click()
    look(olga, "take-back")
    olga.keyboard.press("Escape")
    project.open(ana, "settings")
    expect(part.get_by_text("The national office allows this")).to_be_visible()
    look(ana, "floor-granted")
    why = {"because": "There were complaints."}
    visits.call(olga, "PUT", f"/spaces/{project.space}/floor/taken-back", why)
    expect(part.get_by_text("does not allow more any longer")).to_be_visible()
    look(ana, "floor-taken-back")
    ana.goto("/notifications")
    expect(ana.get_by_text("The national office allows more").first).to_be_visible()
    look(ana, "news")
