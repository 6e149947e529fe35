"""Spaces from nothing in Chromium: made, with their partner, approved, joined, left."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from conftest import Watch
from playwright.sync_api import Browser, Locator, Page, expect
from test_shell_keyboard import focused, tab_to
from town import Town, Visits, accept, draft_project, log_in, running_town


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Where nobody has to approve anything."""
    with running_town(tmp_path_factory.mktemp("plain") / "data") as town:
        yield town


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Where national officers approve projects and groups."""
    with running_town(tmp_path_factory.mktemp("strict") / "data", "--approval", "officers") as town:
        yield town


@pytest.fixture
def visits(browser: Browser, watch: Watch, plain: Town) -> Iterator[Visits]:
    visits = Visits(browser, watch, plain)
    yield visits
    visits.close()


@pytest.fixture
def national(browser: Browser, watch: Watch, strict: Town) -> Iterator[Visits]:
    visits = Visits(browser, watch, strict)
    yield visits
    visits.close()


def titled(what: str) -> str:
    return f"{what} {uuid.uuid4().hex[:5]}"


def banner(page: Page, words: str) -> Locator:
    return page.get_by_role("region", name=words)


def fill_form(page: Page, title: str, *, kind: str = "A project") -> None:
    page.get_by_role("radio", name=re.compile(f"^{kind}")).check()
    page.get_by_label("Title").fill(title)
    page.get_by_label("What is it about?").fill("Two classes count the birds of their rivers.")


def test_two_teachers_make_a_project_from_nothing(visits: Visits) -> None:
    town, title = visits.town, titled("Birds")
    ana = visits.of(town.ana)
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ana.goto("/")
    ana.get_by_role("link", name="New project or group").click()
    fill_form(ana, title)
    ana.get_by_role("radio", name=re.compile("^16 to 19")).check()
    ana.get_by_role("button", name="Start the project").click()
    expect(ana.get_by_role("heading", level=1, name="Now your partner")).to_be_focused()
    link = ana.get_by_label("Link for your partner").input_value()
    ana.get_by_role("button", name="Copy the link").click()
    expect(ana.get_by_role("button", name="Copied")).to_be_visible()
    assert ana.evaluate("navigator.clipboard.readText()") == link

    ana.goto(f"/schools/{town.ana.school}/pupils")
    expect(ana.get_by_role("heading", name="Make new cards")).to_be_visible()
    expect(ana.locator("#space option", has_text=title)).to_have_count(0)
    ana.goto("/")
    card = ana.get_by_role("link", name=title)
    expect(card).to_contain_text("Draft")
    card.click()
    expect(banner(ana, "This is a draft")).to_contain_text("It needs a partner")

    rui = visits.nobody()
    rui.goto(link)
    expect(rui.get_by_role("heading", level=1, name=f"{town.ana.name} invites you")).to_be_visible()
    expect(rui.get_by_role("heading", name=title)).to_be_visible()
    expect(rui.get_by_text("You would be the partner")).to_be_visible()
    rui.get_by_role("button", name="Log in").click()
    expect(rui.get_by_role("heading", level=1, name="Come in")).to_be_focused()
    log_in(rui, town.rui)
    rui.get_by_role("button", name="Accept").click()
    expect(rui.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(rui.locator(".announcer.toast")).to_have_text("Welcome! You are a member now.")

    expect(banner(ana, "This is a draft")).to_have_count(0)
    expect(ana.get_by_role("heading", level=3, name=town.schools[1])).to_be_visible()
    ana.goto(f"/schools/{town.ana.school}/pupils")
    ana.get_by_label("For which TwinSpace?").select_option(title)
    ana.get_by_label("How many cards?").fill("1")
    ana.get_by_role("button", name="Make the cards").click()
    expect(ana.locator(".code-card")).to_have_count(1)


def test_a_teacher_of_the_same_school_cannot_be_the_partner(visits: Visits) -> None:
    town, title = visits.town, titled("Bridges")
    _, path = draft_project(visits, visits.of(town.ana), title)
    eva = visits.of(town.eva)
    eva.goto(path)
    eva.get_by_role("button", name="Accept").click()
    expect(eva.get_by_role("alert")).to_have_text("The partner has to be a teacher of another school.")
    expect(eva.get_by_role("button", name="Accept")).to_be_visible()


def test_a_new_link_for_the_partner_ends_the_old_one(visits: Visits) -> None:
    town, title = visits.town, titled("Wells")
    ana = visits.of(town.ana)
    space, old = draft_project(visits, ana, title)
    ana.goto(f"/spaces/{space}")
    banner(ana, "This is a draft").get_by_role("button", name="Make a link for my partner").click()
    new = ana.get_by_label("Link for your partner").input_value()
    expect(banner(ana, "This is a draft")).to_contain_text("Older links do not work any more.")
    rui = visits.of(town.rui)
    rui.goto(old)
    expect(rui.get_by_role("heading", level=1, name="This invitation is over")).to_be_visible()
    accept(rui, new, title)


def test_typed_words_survive_a_failure_and_a_reload_and_leave_at_log_out(
    visits: Visits, watch: Watch
) -> None:
    title = titled("Mills")
    watch.allow(r"ERR_FAILED .*/api/spaces")
    ana = visits.of(visits.town.ana)
    ana.goto("/new")
    fill_form(ana, title)
    ana.get_by_role("button", name="More languages").click()
    ana.get_by_role("checkbox", name="French").check()
    ana.context.route("**/api/spaces", lambda route: route.abort())
    ana.get_by_role("button", name="Start the project").click()
    expect(ana.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    ana.reload()
    expect(ana.get_by_label("Title")).to_have_value(title)
    expect(ana.get_by_label("What is it about?")).to_have_value(re.compile("^Two classes"))
    expect(ana.get_by_role("checkbox", name="French")).to_be_checked()
    assert title in ana.evaluate("JSON.stringify(sessionStorage)")
    ana.get_by_role("button", name=re.compile(visits.town.ana.name)).click()
    ana.get_by_role("button", name="Log out", exact=True).click()
    expect(ana.get_by_role("heading", name="Come in")).to_be_visible()
    assert title not in ana.evaluate("JSON.stringify(sessionStorage)")


def test_what_is_missing_is_said_where_it_is(visits: Visits) -> None:
    ana = visits.of(visits.town.ana)
    ana.goto("/new")
    ana.get_by_role("button", name="Start the project").click()
    expect(ana.get_by_role("alert")).to_have_text("Please give it a title.")
    expect(ana.get_by_label("Title")).to_be_focused()


def test_a_group_by_keyboard_alone(visits: Visits) -> None:
    title = titled("Talkers")
    eva = visits.of(visits.town.eva)
    eva.goto("/")
    expect(eva.get_by_role("link", name="New project or group")).to_be_visible()
    tab_to(eva, "^New project or group")
    eva.keyboard.press("Enter")
    expect(eva.get_by_role("heading", level=1, name="Something new")).to_be_focused()
    for _ in range(20):
        eva.keyboard.press("Tab")
        if eva.evaluate("document.activeElement.name") == "kind":
            break
    eva.keyboard.press("ArrowDown")
    expect(eva.get_by_role("radio", name=re.compile("^A group"))).to_be_checked()
    eva.keyboard.press("Tab")
    eva.keyboard.type(title)
    eva.keyboard.press("Tab")
    eva.keyboard.type("For those who like to talk.")
    tab_to(eva, "Start the group")
    eva.keyboard.press("Enter")
    expect(eva.get_by_role("heading", level=1, name="Your group is open")).to_be_focused()
    tab_to(eva, "^Go to")
    eva.keyboard.press("Enter")
    expect(eva.get_by_role("heading", level=1, name=title)).to_be_focused()
    assert focused(eva) == title


def test_an_officer_refuses_with_a_reason_and_approves_the_second_time(national: Visits) -> None:
    town, title, reason = national.town, titled("Storks"), "Please say how the classes will meet."
    ana, olga = national.of(town.ana), national.of(town.olga)
    space, link = draft_project(national, ana, title)
    ana.goto(f"/spaces/{space}")
    expect(banner(ana, "This is a draft")).to_be_visible()
    accept(national.of(town.rui), link, title)
    expect(banner(ana, "This waits for the national office")).to_be_visible()

    olga.goto("/")
    way = olga.get_by_role("link", name="To approve")
    expect(way).to_contain_text(re.compile("wait.? for you"))
    way.click()
    card = olga.get_by_role("listitem", name=title)
    expect(card).to_contain_text("12 to 15 years")
    expect(card).to_contain_text("English, Spanish, and Portuguese")
    expect(card).to_contain_text(re.compile(r"Rui Moreira\s*Escola da Ribeira, Porto, Portugal"))
    card.get_by_role("button", name="Not yet").click()
    olga.get_by_label("What do you want to tell them?").fill(reason)
    olga.get_by_role("dialog").get_by_role("button", name="Not yet").click()
    expect(card).to_have_count(0)

    refused = banner(ana, "The national office said: not yet")
    expect(refused).to_contain_text(reason)
    refused.get_by_role("button", name="Change title and words").click()
    ana.get_by_label("What is it about?").fill("They meet in spring, at the river.")
    ana.get_by_role("button", name="Save").click()
    expect(ana.get_by_text("They meet in spring, at the river.")).to_be_visible()
    refused.get_by_role("button", name="Hand in again").click()
    expect(banner(ana, "This waits for the national office")).to_be_visible()

    olga.reload()
    expect(card).to_contain_text("They meet in spring, at the river.")
    card.get_by_role("button", name="Approve").click()
    expect(card).to_have_count(0)
    expect(banner(ana, "This waits for the national office")).to_have_count(0)
    expect(ana.locator("ts-space-state section")).to_have_count(0)


def test_a_group_is_approved_asked_for_and_joined(national: Visits) -> None:
    town, title = national.town, titled("Rivers")
    ana, olga, rui = national.of(town.ana), national.of(town.olga), national.of(town.rui)
    ana.goto("/new")
    fill_form(ana, title, kind="A group")
    expect(ana.get_by_role("group", name="How old are the youngest pupils?")).to_have_count(0)
    ana.get_by_role("button", name="Start the group").click()
    expect(ana.get_by_role("heading", level=1, name="Your group waits")).to_be_visible()
    ana.get_by_role("link", name=f"Go to “{title}”").click()
    expect(banner(ana, "This waits for the national office")).to_be_visible()
    olga.goto("/approvals")
    olga.get_by_role("listitem", name=title).get_by_role("button", name="Approve").click()
    expect(banner(ana, "This waits for the national office")).to_have_count(0)

    ana.get_by_role("link", name="People").first.click()
    rule = ana.get_by_role("region", name="How do adults come in?")
    rule.get_by_role("radio", name="They ask, and you answer").check()
    expect(ana.locator(".announcer.toast")).to_have_text("From now on: They ask, and you answer.")

    rui.goto("/groups")
    mine = rui.get_by_role("listitem", name=title)
    mine.get_by_role("button", name="Ask to join").click()
    rui.get_by_label("Who are you, and why would you like to join?").fill("I count herons in Porto.")
    rui.get_by_role("dialog").get_by_role("button", name="Ask to join").click()
    expect(mine).to_contain_text("Your request waits")
    asks = ana.get_by_role("region", name="Who asks to join").get_by_role("listitem")
    expect(asks).to_contain_text("I count herons in Porto.")
    expect(asks).to_contain_text("Escola da Ribeira, Porto, Portugal")
    asks.get_by_role("button", name="Let in").click()
    expect(asks).to_have_count(0)
    expect(ana.locator(".member-list li", has_text=town.rui.name)).to_be_visible()
    rui.reload()
    mine.get_by_role("link", name="Open").click()
    expect(rui.get_by_role("heading", level=1, name=title)).to_be_visible()

    olga.goto("/groups")
    olga.get_by_role("listitem", name=title).get_by_role("button", name="Recommend").click()
    expect(olga.get_by_role("listitem", name=title)).to_contain_text("Recommended")


def test_a_request_is_taken_back_and_another_refused(visits: Visits) -> None:
    town, title = visits.town, titled("Bees")
    ana, eva, rui = visits.of(town.ana), visits.of(town.eva), visits.of(town.rui)
    made = visits.call(
        ana,
        "POST",
        "/spaces",
        {"kind": "group", "title": title, "summary": "Bees.", "languages": ["en"], "age_band": "adults"},
    )
    visits.call(ana, "PUT", f"/spaces/{made['id']}/join-rule", {"rule": "request"})
    ana.goto(f"/spaces/{made['id']}/members")
    asks = ana.get_by_role("region", name="Who asks to join").get_by_role("listitem")
    for page, words in ((rui, "May I?"), (eva, "Me too?")):
        page.goto("/groups")
        page.get_by_role("listitem", name=title).get_by_role("button", name="Ask to join").click()
        page.get_by_label("Who are you, and why would you like to join?").fill(words)
        page.get_by_role("dialog").get_by_role("button", name="Ask to join").click()
        expect(page.get_by_role("listitem", name=title)).to_contain_text("Your request waits")
    expect(asks).to_have_count(2)
    rui.get_by_role("listitem", name=title).get_by_role("button", name="Take the request back").click()
    expect(asks).to_have_count(1)
    asks.get_by_role("button", name="Not this time").click()
    ana.get_by_label("What do you want to tell them?").fill("We are many already.")
    ana.get_by_role("dialog").get_by_role("button", name="Not this time").click()
    expect(asks).to_have_count(0)
    eva.reload()
    refused = eva.get_by_role("listitem", name=title)
    expect(refused).to_contain_text("Not this time")
    expect(refused.get_by_role("button")).to_have_count(0)


def test_a_teacher_leaves_and_a_founder_hands_over_first(visits: Visits) -> None:
    town, title = visits.town, titled("Tides")
    ana, eva, rui = visits.of(town.ana), visits.of(town.eva), visits.of(town.rui)
    space, link = draft_project(visits, ana, title)
    accept(rui, link, title)
    asked = visits.call(ana, "POST", f"/spaces/{space}/invitations", {"role": "teacher"})
    accept(eva, f"/invitations/{asked['token']}", title)

    eva.get_by_role("link", name="People").first.click()
    eva.get_by_role("button", name="Leave").click()
    eva.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(eva.get_by_role("heading", level=1, name=f"Hello, {town.eva.name}")).to_be_visible()
    expect(eva.get_by_role("link", name=title)).to_have_count(0)

    ana.goto(f"/spaces/{space}/members")
    mine = ana.get_by_role("region", name="You here")
    expect(ana.locator(".member-list li", has_text=town.eva.name)).to_have_count(0)
    asked = visits.call(ana, "POST", f"/spaces/{space}/invitations", {"role": "admin"})
    accept(eva, f"/invitations/{asked['token']}", title)
    expect(mine).to_contain_text("To leave, hand the founding over first.")
    expect(mine.get_by_role("button", name="Leave")).to_have_count(0)
    mine.get_by_role("button", name="Hand over the founding").click()
    ana.get_by_role("radio", name=re.compile(town.eva.name)).check()
    ana.get_by_role("dialog").get_by_role("button", name="Hand over the founding").click()
    expect(ana.locator(".member-list li", has_text=town.eva.name)).to_contain_text("founder")
    mine.get_by_role("button", name="Leave").click()
    ana.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(ana.get_by_role("heading", level=1, name=f"Hello, {town.ana.name}")).to_be_visible()
    expect(ana.get_by_role("link", name=title)).to_have_count(0)
