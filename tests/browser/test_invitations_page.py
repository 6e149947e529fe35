"""Invitations of adults in Chromium: made, confirmed, withdrawn, read, accepted, declined."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from conftest import Watch
from playwright.sync_api import Browser, Locator, Page, expect
from town import Town, Visits, accept, draft_project, running_town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running_town(tmp_path_factory.mktemp("town") / "data") as town:
        yield town


@pytest.fixture
def visits(browser: Browser, watch: Watch, town: Town) -> Iterator[Visits]:
    visits = Visits(browser, watch, town)
    yield visits
    visits.close()


@pytest.fixture
def project(visits: Visits) -> tuple[str, str]:
    """Of Ana and Rui, open: its id and title."""
    title = f"Lighthouses {uuid.uuid4().hex[:5]}"
    space, link = draft_project(visits, visits.of(visits.town.ana), title)
    visits.call(visits.of(visits.town.rui), "POST", f"{link}/accept")
    return space, title


def invitations(page: Page) -> Locator:
    return page.get_by_role("region", name="Invitations")


def make_link(page: Page, role: str, *, email: str = "") -> str:
    """Through the members' screen that is open on this page."""
    invitations(page).get_by_role("button", name="Invite an adult").click()
    page.get_by_role("radio", name=re.compile(f"^{role}")).check()
    page.get_by_label("For whom?").fill(email)
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("heading", name="The link is ready")).to_be_visible()
    link = page.get_by_label("Link of the invitation").input_value()
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    return link


def test_a_guest_is_invited_accepts_and_is_listed(visits: Visits, project: tuple[str, str]) -> None:
    space, title = project
    ana, olga = visits.of(visits.town.ana), visits.of(visits.town.olga)
    ana.goto(f"/spaces/{space}/members")
    link = make_link(ana, "Guest", email="olga@town.example")
    line = invitations(ana).get_by_role("listitem").filter(has_text="olga@town.example")
    expect(line).to_contain_text("Waits for an answer")
    olga.goto(link)
    expect(olga.get_by_text("Sees only what teachers open to guests.")).to_be_visible()
    expect(olga.get_by_text("You answer as Olga Prat.")).to_be_visible()
    visits.call(ana, "PATCH", f"/spaces/{space}", {"policy": {"guests_read": True}})
    accept(olga, link, title)
    expect(ana.locator(".member-list li", has_text="Olga Prat")).to_contain_text("Guest")
    invitations(ana).locator("summary").click()
    over = invitations(ana).get_by_role("listitem").filter(has_text="Guest")
    expect(over).to_contain_text("Accepted")
    expect(over.get_by_role("button")).to_have_count(0)
    olga.goto("/")
    expect(olga.get_by_role("link", name=title)).to_contain_text("Guest")


def test_what_a_teacher_asks_for_works_once_a_leader_confirms_it(
    visits: Visits, project: tuple[str, str]
) -> None:
    space, title = project
    town = visits.town
    ana, eva, olga = visits.of(town.ana), visits.of(town.eva), visits.of(town.olga)
    made = visits.call(ana, "POST", f"/spaces/{space}/invitations", {"role": "teacher"})
    accept(eva, f"/invitations/{made['token']}", title)
    eva.get_by_role("link", name="People").first.click()
    expect(invitations(eva)).to_contain_text("A lead teacher confirms the ones you make.")
    link = make_link(eva, "Guest")
    mine = invitations(eva).get_by_role("listitem").filter(has_text="by you")
    expect(mine).to_contain_text("To be confirmed")
    olga.goto(link)
    expect(olga.get_by_role("heading", level=1, name="Not quite yet")).to_be_visible()
    ana.goto(f"/spaces/{space}/members")
    invitations(ana).get_by_role("button", name="Confirm").click()
    expect(mine).to_contain_text("Waits for an answer")
    olga.reload()
    expect(olga.get_by_role("button", name="Accept")).to_be_visible()


def test_who_says_no_thanks_ends_the_link(visits: Visits, project: tuple[str, str]) -> None:
    space, _ = project
    ana, eva = visits.of(visits.town.ana), visits.of(visits.town.eva)
    made = visits.call(ana, "POST", f"/spaces/{space}/invitations", {"role": "teacher"})
    eva.goto(f"/invitations/{made['token']}")
    eva.get_by_role("button", name="No, thanks").click()
    expect(eva.get_by_role("heading", level=1, name="That is fine")).to_be_focused()
    eva.reload()
    expect(eva.get_by_role("heading", level=1, name="This invitation is over")).to_be_visible()
    eva.get_by_role("link", name="My TwinSpaces").click()
    expect(eva.get_by_role("heading", level=1, name="Hello, Eva Lanuza")).to_be_visible()


def test_a_link_that_is_withdrawn_while_it_is_read_is_told_kindly(
    visits: Visits, project: tuple[str, str]
) -> None:
    space, _ = project
    ana, eva = visits.of(visits.town.ana), visits.of(visits.town.eva)
    ana.goto(f"/spaces/{space}/members")
    link = make_link(ana, "Teacher")
    eva.goto(link)
    expect(eva.get_by_role("button", name="Accept")).to_be_visible()
    waiting = invitations(ana).get_by_role("listitem").filter(has_text="Waits for an answer")
    waiting.get_by_role("button", name="Withdraw").click()
    expect(waiting).to_have_count(0)
    eva.get_by_role("button", name="Accept").click()
    expect(eva.get_by_role("heading", level=1, name="This invitation is over")).to_be_focused()
    expect(eva.get_by_text("Ask the person who sent it for a new link.")).to_be_visible()


def test_a_broken_link_and_nobody_logged_in(visits: Visits) -> None:
    page = visits.nobody()
    page.goto("/invitations/there-is-no-such-token")
    expect(page.get_by_role("heading", level=1, name="We do not know this invitation")).to_be_visible()
    page.get_by_role("link", name="Log in").click()
    expect(page.get_by_role("heading", level=1, name="Come in")).to_be_visible()


def test_a_pupil_cannot_answer_one(visits: Visits, project: tuple[str, str]) -> None:
    space, _ = project
    ana = visits.of(visits.town.ana)
    cards = visits.call(
        ana,
        "POST",
        f"/schools/{visits.town.ana.school}/pupils",
        {"space_id": space, "pupils": [{"name": f"Brave {uuid.uuid4().hex[:4]}"}], "language": "en"},
    )["cards"]
    made = visits.call(ana, "POST", f"/spaces/{space}/invitations", {"role": "guest"})
    pupil = visits.nobody()
    visits.call(pupil, "POST", "/session", {"method": "code", "code": cards[0]["code"]})
    pupil.goto(f"/invitations/{made['token']}")
    expect(pupil.get_by_text("This is for adults.")).to_be_visible()
    expect(pupil.get_by_role("button", name="Accept")).to_have_count(0)
    pupil.goto(f"/spaces/{space}/members")
    expect(pupil.locator(".member-list li").first).to_be_visible()
    expect(invitations(pupil)).to_have_count(0)
    pupil.goto("/")
    expect(pupil.get_by_role("link", name="Lighthouses")).to_be_visible()
    expect(pupil.get_by_role("link", name="Groups")).to_have_count(0)
