"""An officer's way in Chromium: by a case, on a report or on a legal ground, to what is decided."""

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

from rooms.values import Office

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
    page: str


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
    page = visits.call(ana, "POST", f"/rooms/{room}/pages", {"title": "What otters eat"})["id"]
    return Reported(space, sent, words, report, pupil, page)


def card(page: Page, reported: Reported) -> Locator:
    return page.locator("li.case").filter(has=page.locator(f"#report-{reported.report}"))


def kinds(visits: Visits, who: Person) -> list[str]:
    found = visits.call(visits.of(who), "GET", "/me/notifications")
    return [each["kind"] for each in found["notifications"] if each["kind"].startswith(("case", "report"))]


def opened(visits: Visits) -> int:
    """Of how many opened cases Ana has heard."""
    return kinds(visits, visits.town.ana).count("case-opened")


def open_case(page: Page, mine: Locator, ground: str = "") -> None:
    mine.get_by_role("button", name="Open a case").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The admins of the space are told that you open a case.")
    if ground:
        dialog.get_by_label("Why do you look into it?").fill(ground)
    dialog.get_by_role("button", name="Open a case").click()
    expect(mine.get_by_role("heading", name="What it is about")).to_be_focused()


def mute(page: Page, where: Locator, reason: str) -> None:
    where.get_by_role("button", name="Mute").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why?").fill(reason)
    dialog.get_by_role("button", name="Mute").click()


def muted(visits: Visits, reported: Reported) -> dict[str, str]:
    """Why, by the name, as Ana reads it."""
    members = visits.call(visits.of(visits.town.ana), "GET", f"/spaces/{reported.space}/members")
    return {each["name"]: each["mute"]["reason"] for each in members if each["mute"]}


def open_on_ground(page: Page, space: str, ground: str) -> Locator:
    page.get_by_role("button", name="Open a case on a legal ground").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Which space?").fill(space)
    dialog.get_by_label("On which legal ground?").fill(ground)
    dialog.get_by_role("button", name="Open a case").click()
    return page.locator("li.case").filter(has_text=ground)


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

    # Rui has founded the space: nobody takes him out of it.
    expect(mine.get_by_role("button", name="Remove")).to_have_count(0)
    mute(olga, mine, "He frightens a pupil.")
    expect(mine.get_by_role("button", name="Let them write again")).to_be_focused()
    expect(mine).to_contain_text("Muted until")
    assert muted(visits, reported) == {town.rui.name: "He frightens a pupil."}
    mine.get_by_role("button", name="Let them write again").click()
    expect(mine.get_by_role("button", name="Mute")).to_be_focused()
    assert muted(visits, reported) == {}

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


def test_a_case_on_a_legal_ground_is_opened_used_and_closed(visits: Visits, reported: Reported) -> None:
    town, pia = visits.town, visits.of(visits.town.pia)
    pupil, before = reported.pupil.name, opened(visits)
    pia.goto("/cases")
    ground = f"Order {uuid.uuid4().hex[:8]} of the court of Zaragoza."
    open_on_ground(pia, f"{town.url}/spaces/no-such-space", ground)
    dialog = pia.get_by_role("dialog")
    expect(dialog).to_contain_text("The admins of the space are told at once and can read your ground.")
    expect(dialog.get_by_role("alert")).to_have_text("There is no such space. Look at its address again.")
    assert opened(visits) == before
    pia.keyboard.press("Escape")
    mine = open_on_ground(pia, f"{town.url}/spaces/{reported.space}", ground)
    expect(mine.get_by_role("heading", name=f"In “{TITLE}”")).to_be_focused()
    assert opened(visits) == before + 1

    mine.get_by_text("3 members").click()
    member = mine.locator("[data-member]").filter(has_text=pupil)
    expect(member).to_contain_text("Pupil, Colegio Río Ebro (Spain)")
    mute(pia, member, "Until the police have called.")
    expect(member.get_by_role("button", name="Let them write again")).to_be_focused()
    assert muted(visits, reported) == {pupil: "Until the police have called."}
    member.get_by_role("button", name="Let them write again").click()
    expect(member.get_by_role("button", name="Mute")).to_be_focused()
    assert muted(visits, reported) == {}
    member.get_by_role("button", name="Remove").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(member).to_have_count(0)
    expect(mine.get_by_text("2 members")).to_be_visible()
    expect(mine.locator("h4")).to_be_focused()
    gone = visits.of(reported.pupil).request.get(f"{town.url}/api/spaces/{reported.space}")
    assert gone.status == 404

    mine.get_by_text("One discussion").click()
    mine.get_by_role("button", name="Read the discussion").click()
    posts = mine.get_by_role("list", name="Otters")
    expect(posts).to_be_focused()
    expect(posts.get_by_role("listitem")).to_have_count(3)
    post = posts.get_by_role("listitem").filter(has_text=reported.words)
    post.get_by_role("button", name="Hide the post").click()
    dialog.get_by_label("Why?").fill("A court has asked for it.")
    dialog.get_by_role("button", name="Hide the post").click()
    hidden = posts.locator(f'[data-post="{reported.post}"]')
    expect(hidden.get_by_role("button", name="Show the post again")).to_be_focused()
    expect(posts).not_to_contain_text(reported.words)
    hidden.get_by_role("button", name="Show the post again").click()
    expect(hidden).to_contain_text(reported.words)

    mine.get_by_text("2 rooms · one page").click()
    page = mine.get_by_role("listitem").filter(has_text="What otters eat").last
    page.get_by_role("button", name="Read the page").click()
    words = mine.get_by_role("region", name="What otters eat")
    expect(words).to_be_focused()
    expect(words).to_have_text("Nothing is written on it.")
    expect(mine.get_by_text("No pages here.")).to_be_visible()

    mine.get_by_role("button", name="Close the case").click()
    expect(dialog).to_contain_text("What it opened is closed at once.")
    dialog.get_by_role("button", name="Close the case").click()
    expect(mine).to_have_count(0)
    expect(pia.get_by_role("heading", name="Cases on a legal ground")).to_be_focused()
    expect(pia.locator("body")).not_to_contain_text(reported.words)
    assert pia.request.get(f"{town.url}/api/spaces/{reported.space}/members").status == 404
    log = visits.call(visits.of(town.ana), "GET", f"/spaces/{reported.space}/audit")
    mine_noted = [each for each in reversed(log) if each["details"].get("by") == Office.PLATFORM]
    assert f"page/{reported.page}" in [each["object"] for each in mine_noted if each["action"] == "case.read"]
    done = [each["action"] for each in mine_noted]
    assert [each for each in done if each != "case.read"] == [
        "case.opened", "muted", "unmuted", "removed", "hidden", "restored",
    ]  # fmt: skip


def test_a_national_officer_opens_a_case_on_a_report_only(visits: Visits, reported: Reported) -> None:
    olga = visits.of(visits.town.olga)
    olga.goto("/cases")
    expect(card(olga, reported)).to_be_visible()
    expect(olga.get_by_role("button", name="Open a case on a legal ground")).to_have_count(0)


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


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [(PHONE, "light", "en"), (PHONE, "dark", "es"), (DESKTOP, "light", "pt"), (DESKTOP, "dark", "en")],
    ids=["phone", "phone-dark-es", "desktop-pt", "desktop-dark"],
)
def test_the_look_of_a_case_on_a_legal_ground(
    visits: Visits,
    reported: Reported,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: dict[str, int],
    scheme: str,
    language: str,
) -> None:
    pia = visits.of(visits.town.pia, viewport=size, color_scheme=scheme, locale=language)
    ground = f"Order {uuid.uuid4().hex[:8]} of the court of Zaragoza."
    where = f"/spaces/{reported.space}/cases"
    case = visits.call(pia, "POST", where, {"ground": ground})
    pia.goto("/cases")

    def look(name: str) -> None:
        name = f"cases-legal-{name}-{size['width']}-{scheme}-{language}"
        pia.screenshot(path=artifact(f"{name}.png"), full_page="dialog" not in name)
        axe(pia, name)
        assert pia.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        assert not pia.get_by_text("cases.", exact=False).count(), f"{name} has a key in place of words"

    mine = pia.locator("li.case").filter(has_text=ground)
    pia.locator("#legal ~ .actions button").click()
    expect(pia.get_by_role("dialog")).to_be_visible()
    look("dialog")
    pia.keyboard.press("Escape")
    mine.locator("button.primary").click()
    expect(mine.locator("details")).to_have_count(3)
    for part in mine.locator("summary").all():
        part.click()
    mine.locator(".case-threads button").click()
    expect(mine.locator(".case-posts li")).to_have_count(3)
    mine.locator(".case-pages button").click()
    expect(mine.locator(".case-page")).to_be_visible()
    look("open")
    mine.locator(".case-members button[aria-haspopup]").first.click()
    expect(pia.get_by_role("dialog")).to_be_visible()
    look("dialog-mute")
    visits.call(pia, "DELETE", f"/cases/{case['id']}")
