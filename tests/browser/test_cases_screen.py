"""An officer's way in Chromium: from the report that has come to them, by a case, to the answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, Watch
from demo_server import Person
from playwright.sync_api import Browser, Locator, Page, expect
from test_shell_keyboard import tab_to
from town import Town, Visits, draft_project, running_town

TITLE = "Two rivers"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running_town(tmp_path_factory.mktemp("cases") / "data") as town:
        yield town


@pytest.fixture
def visits(browser: Browser, watch: Watch, town: Town) -> Iterator[Visits]:
    visits = Visits(browser, watch, town)
    yield visits
    visits.close()


@dataclass(frozen=True)
class Reported:
    space: str
    post: str
    words: str
    report: str
    pupil: Person


@pytest.fixture
def reported(visits: Visits) -> Reported:
    """Rui, who founds the space too, has written to a pupil of Ana's, who says so."""
    ana, rui = visits.of(visits.town.ana), visits.of(visits.town.rui)
    space, link = draft_project(visits, ana, TITLE)
    visits.call(rui, "POST", f"/invitations/{link.rpartition('/')[2]}/accept", {})
    pupils = f"/schools/{visits.town.ana.school}/pupils"
    [made] = visits.call(ana, "POST", pupils, {"space_id": space, "count": 1})["cards"]
    pupil = Person(name=made["name"], code=made["code"])
    room = visits.call(ana, "GET", f"/spaces/{space}")["rooms"][0]["id"]
    thread = visits.call(ana, "POST", f"/rooms/{room}/threads", {"title": "Otters", "key": uuid.uuid4().hex})[
        "id"
    ]

    def post(page: Page, words: str) -> str:
        body = {"key": uuid.uuid4().hex, "body": words, "language": "en"}
        return str(visits.call(page, "POST", f"/threads/{thread}/posts", body)["id"])

    post(ana, "Who has seen one?")
    words = f"Come alone, and tell nobody {uuid.uuid4().hex[:6]}."
    sent = post(rui, words)
    post(ana, "Let us count them on Friday.")
    says = {"target": "post", "target_id": sent, "reason": "unwelcome", "words": "He wrote this to me."}
    child = visits.of(pupil)
    report = visits.call(child, "POST", f"/spaces/{space}/reports", says)["id"]
    return Reported(space, sent, words, report, pupil)


def card(page: Page, reported: Reported) -> Locator:
    return page.locator("li.case").filter(has=page.locator(f"#report-{reported.report}"))


def kinds(visits: Visits, who: Person) -> list[str]:
    found = visits.call(visits.of(who), "GET", "/me/notifications")
    return [each["kind"] for each in found["notifications"] if each["kind"].startswith(("case", "report"))]


def open_case(page: Page, mine: Locator, ground: str = "") -> None:
    mine.get_by_role("button", name="Open a case").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The admins of the space are told that you open a case.")
    if ground:
        dialog.get_by_label("Why do you look into it?").fill(ground)
    dialog.get_by_role("button", name="Open a case").click()
    expect(mine.get_by_role("heading", name="What it is about")).to_be_focused()


def test_from_the_report_to_the_answer(visits: Visits, reported: Reported) -> None:
    town, olga = visits.town, visits.of(visits.town.olga)
    rui = visits.of(town.rui)
    rui.goto(f"/spaces/{reported.space}")
    olga.goto("/cases")
    mine = card(olga, reported)
    expect(mine.get_by_role("heading", name="Somebody wants what they do not want")).to_be_visible()
    expect(mine).to_contain_text("He wrote this to me.")
    expect(mine).to_contain_text("has just come")
    expect(olga.locator("body")).not_to_contain_text(reported.words)

    open_case(olga, mine, "His pupil has asked for help.")
    post = mine.locator("li.reported")
    expect(post).to_contain_text(reported.words)
    expect(post).to_contain_text("Rui Moreira")
    expect(mine.locator("ol li")).to_have_count(3)
    expect(mine).to_contain_text("Case open until")
    expect(mine).to_contain_text("His pupil has asked for help.")
    assert kinds(visits, town.ana).count("case-opened") >= 1
    assert kinds(visits, town.rui) == []

    post.get_by_role("button", name="Hide the post").click()
    dialog = olga.get_by_role("dialog")
    dialog.get_by_label("Why?").fill("Teachers do not write this.")
    dialog.get_by_role("button", name="Hide the post").click()
    expect(post.get_by_role("button", name="Show the post again")).to_be_focused()
    expect(post).to_contain_text(reported.words)
    post.get_by_role("button", name="Show the post again").click()
    expect(post.get_by_role("button", name="Hide the post")).to_be_focused()

    mine.get_by_role("button", name="Answer").click()
    dialog = olga.get_by_role("dialog")
    dialog.get_by_label("Your answer").fill("Thank you for telling us. He will not write to you again.")
    dialog.get_by_label("What have you done?").fill("Called the head of the school.")
    dialog.get_by_role("button", name="Answer").click()
    expect(mine).to_have_count(0)
    expect(olga.get_by_role("heading", level=1)).to_be_focused()
    expect(olga.locator("body")).not_to_contain_text(reported.words)
    assert visits.call(olga, "GET", "/me/cases")[0]["over"]
    [answered] = visits.call(visits.of(reported.pupil), "GET", "/me/reports")["sent"]
    assert answered["answer"] == "Thank you for telling us. He will not write to you again."
    assert {"case-opened", "case-closed"} <= set(kinds(visits, town.ana))
    assert kinds(visits, town.rui) == []


def test_a_case_is_opened_and_closed_with_the_keyboard_alone(visits: Visits, reported: Reported) -> None:
    olga = visits.of(visits.town.olga)
    olga.goto("/cases")
    mine = card(olga, reported)
    button = mine.get_by_role("button", name="Open a case")
    expect(button).to_be_visible()
    button.focus()
    olga.keyboard.press("Enter")
    tab_to(olga, "^Open a case$")
    olga.keyboard.press("Enter")
    expect(mine.get_by_role("heading", name="What it is about")).to_be_focused()
    tab_to(olga, r"^Close the case\s*:")
    olga.keyboard.press("Enter")
    tab_to(olga, "^Close the case$")
    olga.keyboard.press("Enter")
    expect(mine.get_by_role("heading", level=2)).to_be_focused()
    expect(mine.get_by_role("button", name="Open a case")).to_be_visible()
    expect(olga.locator("body")).not_to_contain_text(reported.words)


def test_teachers_find_nothing_here(visits: Visits, reported: Reported) -> None:
    ana = visits.of(visits.town.ana)
    ana.goto("/cases")
    expect(ana.get_by_text("This is for national officers and platform admins.")).to_be_visible()
    expect(ana.locator("li.case")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_look_of_cases(
    visits: Visits,
    reported: Reported,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: dict[str, int],
    scheme: str,
) -> None:
    olga = visits.of(visits.town.olga, viewport=size, color_scheme=scheme)
    olga.goto("/cases")
    mine = card(olga, reported)

    def look(name: str) -> None:
        olga.screenshot(
            path=artifact(f"cases-{name}-{size['width']}-{scheme}.png"), full_page=name != "dialog"
        )
        axe(olga, f"{name}, {size['width']}, {scheme}")
        assert olga.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"

    expect(mine).to_be_visible()
    look("list")
    mine.get_by_role("button", name="Open a case").click()
    expect(olga.get_by_role("dialog")).to_be_visible()
    look("dialog")
    olga.keyboard.press("Escape")
    open_case(olga, mine, "The school has asked us to look.")
    look("open")
