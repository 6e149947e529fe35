"""Two teachers write to each other: the words arrive, are kept where they cannot be sent, and are sent once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn, Opens, Watch
from demo_server import Demo
from playwright.sync_api import Locator, Page, Route, expect
from talk_page import call

SIZES = {"phone": PHONE, "desktop": DESKTOP}
SENDING = "**/api/me/messages/*"


@pytest.fixture
def two(teacher: LogsIn, logged_in: LogsIn, demo: Demo) -> Iterator[tuple[Page, Page]]:
    """The teacher and the partner, who share a space and have blocked nobody before or after."""
    ana, rui = teacher(), logged_in(demo.partner)
    yield ana, rui
    for page in (ana, rui):
        for each in call(page, demo, "GET", "/me/blocks"):
            call(page, demo, "DELETE", f"/me/blocks/{each['person_id']}")
        for each in call(page, demo, "GET", "/me/contacts")["contacts"]:
            call(page, demo, "DELETE", f"/me/contacts/{each['person_id']}")


def person(page: Page, demo: Demo) -> str:
    return str(call(page, demo, "GET", "/me")["person"]["id"])


def words(what: str = "Words") -> str:
    return f"{what} {uuid.uuid4().hex[:8]}"


def field(page: Page) -> Locator:
    return page.get_by_label(re.compile("^Your message to"))


def said(page: Page, text: str) -> Locator:
    return page.locator(".said li").filter(has_text=text)


def write(page: Page, text: str) -> None:
    field(page).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(said(page, text)).to_be_visible()
    expect(field(page)).to_have_value("")


def refuse(route: Route) -> None:
    if route.request.method == "POST":
        route.abort()
    else:
        route.continue_()


def befriend(ana: Page, rui: Page, demo: Demo) -> None:
    call(ana, demo, "PUT", f"/me/contacts/{person(rui, demo)}", {})
    call(rui, demo, "PUT", f"/me/contacts/{person(ana, demo)}", {})


def test_two_write_to_each_other_while_both_look(two: tuple[Page, Page], demo: Demo) -> None:
    ana, rui = two
    befriend(ana, rui, demo)
    ana.goto("/contacts")
    ana.get_by_role("link", name=re.compile(f"^Write ?: {demo.partner.name}")).click()
    expect(ana.get_by_role("heading", level=1, name=demo.partner.name)).to_be_visible()
    first, answer = words("Shall we begin?\nOn"), words("Yes, on")
    write(ana, first)

    rui.goto("/notifications")
    rui.get_by_role("link", name=re.compile("^Somebody has written to you")).first.click()
    expect(rui.get_by_role("heading", level=1, name=demo.teacher.name)).to_be_visible()
    expect(said(rui, first)).to_be_visible()
    expect(rui.get_by_role("link", name="What is new", exact=True)).to_be_visible()
    field(rui).fill(answer)
    field(rui).press("Control+Enter")
    expect(said(rui, answer)).to_have_class("mine")

    # It comes by itself to whoever has the conversation open, and is read there.
    expect(said(ana, answer)).to_be_visible()
    expect(said(ana, answer)).not_to_have_class("mine")
    expect(said(ana, first)).to_have_class("mine")
    ana.get_by_role("link", name="Messages").click()
    expect(ana.get_by_role("heading", level=1, name="Messages")).to_be_visible()
    line = ana.get_by_role("listitem").filter(has_text=demo.partner.name)
    expect(line).to_contain_text(answer)
    expect(line.get_by_text("new message")).to_have_count(0)


def test_what_cannot_be_sent_is_kept_and_arrives_once(
    two: tuple[Page, Page], demo: Demo, watch: Watch
) -> None:
    ana, rui = two
    watch.allow("ERR_FAILED|ERR_CONNECTION_RESET")
    to = f"/messages/{person(rui, demo)}"
    ana.goto(to)
    lost, cut = words("Never sent"), words("Answer lost")
    ana.route(SENDING, refuse)
    field(ana).fill(lost)
    ana.get_by_role("button", name="Send", exact=True).click()
    again = ana.get_by_role("button", name="Send again")
    expect(again).to_be_visible()
    expect(ana.get_by_role("alert").filter(has_text="Your words are kept.")).to_be_visible()
    ana.unroute(SENDING)
    ana.reload()
    expect(field(ana)).to_have_value(lost)
    ana.get_by_role("button", name=re.compile("^Send")).click()
    expect(said(ana, lost)).to_have_count(1)
    expect(field(ana)).to_have_value("")

    def deliver_without_an_answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.abort()
        else:
            route.continue_()

    ana.route(SENDING, deliver_without_an_answer)
    field(ana).fill(cut)
    ana.get_by_role("button", name="Send", exact=True).click()
    # It has arrived, though nobody said so: the words are no draft any more.
    expect(said(ana, cut)).to_have_count(1)
    expect(field(ana)).to_have_value("")
    ana.unroute(SENDING)
    rui.goto(f"/messages/{person(ana, demo)}")
    for each in (lost, cut):
        expect(said(rui, each)).to_have_count(1)


def test_who_is_blocked_goes_on_writing_and_nothing_arrives(two: tuple[Page, Page], demo: Demo) -> None:
    ana, rui = two
    befriend(ana, rui, demo)
    before, during, after = words("Before"), words("During"), words("After")
    ana.goto(f"/messages/{person(rui, demo)}")
    write(ana, before)
    rui.goto(f"/messages/{person(ana, demo)}")
    expect(said(rui, before)).to_be_visible()
    rui.get_by_role("button", name=f"More about {demo.teacher.name}").click()
    rui.get_by_role("dialog").get_by_role("button", name="Block this person").click()
    box = rui.get_by_role("dialog", name=f"Block {demo.teacher.name}?")
    box.get_by_role("button", name="Block").click()
    expect(rui.get_by_text(f"You have blocked {demo.teacher.name}.")).to_be_visible()
    expect(field(rui)).to_have_count(0)

    write(ana, during)
    rui.goto("/messages")
    expect(rui.get_by_role("heading", level=1, name="Messages")).to_be_visible()
    expect(rui.locator(".talks, main .empty")).to_be_visible()
    expect(rui.get_by_role("listitem").filter(has_text=demo.teacher.name)).to_have_count(0)
    rui.goto(f"/messages/{person(ana, demo)}")
    rui.get_by_role("button", name="Unblock").click()
    expect(field(rui)).to_be_focused()
    write(ana, after)
    expect(said(rui, after)).to_be_visible()
    expect(said(rui, during)).to_have_count(0)

    rui.get_by_role("button", name=f"More about {demo.teacher.name}").click()
    rui.get_by_role("dialog").get_by_role("button", name="Remove from my contacts").click()
    rui.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(rui.get_by_role("dialog")).to_have_count(0)
    # They still share a space.
    expect(field(rui)).to_be_visible()
    rui.get_by_role("button", name=f"More about {demo.teacher.name}").click()
    expect(rui.get_by_role("dialog").get_by_role("button", name="Block this person")).to_be_visible()
    expect(rui.get_by_role("dialog").get_by_role("button", name="Remove from my contacts")).to_have_count(0)


def test_older_messages_are_fetched_when_they_are_asked_for(two: tuple[Page, Page], demo: Demo) -> None:
    ana, rui = two
    first, last = words("The first of many"), words("The last of many")
    there, back = f"/messages/{person(rui, demo)}", f"/messages/{person(ana, demo)}"
    for number, text in enumerate((first, *(["And on"] * 49), last)):
        who, to = (rui, back) if number % 2 else (ana, there)
        call(who, demo, "POST", f"/me{to}", {"key": uuid.uuid4().hex, "body": text})
    rui.goto(back)
    expect(said(rui, last)).to_be_in_viewport()
    expect(said(rui, first)).to_have_count(0)
    rui.get_by_role("button", name="Show older ones").click()
    expect(said(rui, first)).to_have_count(1)
    expect(said(rui, last)).to_have_count(1)


def test_pupils_have_none_and_strangers_log_in_first(
    student: LogsIn, visitor: Opens, two: tuple[Page, Page], demo: Demo
) -> None:
    brave, ana = student(0), two[0]
    for at in ("/messages", f"/messages/{person(ana, demo)}"):
        brave.goto(at)
        expect(brave.get_by_text("Messages are for teachers.")).to_be_visible()
    stranger = visitor()
    stranger.goto(f"/messages/{person(ana, demo)}")
    expect(stranger.get_by_role("heading", level=1, name="Come in")).to_be_visible()


def test_a_conversation_that_is_not_there_says_so(two: tuple[Page, Page]) -> None:
    ana, _ = two
    ana.goto("/messages/nobody")
    expect(ana.get_by_role("alert").filter(has_text="It is not here any more.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_how_messages_look(
    two: tuple[Page, Page],
    logged_in: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    watch: Watch,
    size: str,
    scheme: str,
) -> None:
    ana, rui = two
    page = logged_in(demo.partner, viewport=SIZES[size], color_scheme=scheme)

    def look(what: str) -> None:
        page.screenshot(path=artifact(f"messages-{what}-{size}-{scheme}.png"))
        axe(page, f"{what}, {size}, {scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what} is too wide"

    there, back = f"/me/messages/{person(rui, demo)}", f"/me/messages/{person(ana, demo)}"

    def send(who: Page, to: str, body: str) -> None:
        call(who, demo, "POST", to, {"key": uuid.uuid4().hex, "body": body})

    send(
        ana,
        there,
        "Good morning! My class has finished the first page about the river.\nShall we look at it on Monday?",
    )
    send(rui, back, "Yes, gladly. At ten?")
    send(ana, there, "x" * 120)
    page.goto("/messages")
    expect(page.locator(".talks li").first).to_be_visible()
    look("list")
    page.goto(f"/messages/{person(ana, demo)}")
    expect(page.locator(".said li").first).to_be_attached()
    look("conversation")
    field(page).fill("A longer answer\nover several\nlines, before it is sent.")
    watch.allow("ERR_FAILED")
    page.route(SENDING, refuse)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("button", name="Send again")).to_be_visible()
    look("unsent")
    page.unroute(SENDING)
    page.get_by_role("button", name=f"More about {demo.teacher.name}").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look("menu")
    page.get_by_role("dialog").get_by_role("button", name="Block this person").click()
    expect(page.get_by_role("dialog", name="Block")).to_be_visible()
    look("block")
    page.get_by_role("dialog").get_by_role("button", name="Block").click()
    expect(page.get_by_text("You have blocked")).to_be_visible()
    look("blocked")
