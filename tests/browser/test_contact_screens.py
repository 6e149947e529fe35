"""Contacts between adults: asked among the people of a space, answered under Contacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo
from playwright.sync_api import Locator, Page, expect
from talk_page import call

SIZES = {"phone": PHONE, "desktop": DESKTOP}


@pytest.fixture
def two(teacher: LogsIn, logged_in: LogsIn, demo: Demo) -> Iterator[tuple[Page, Page]]:
    """The teacher and the partner, who do not know each other before or after."""
    ana, rui = teacher(), logged_in(demo.partner)
    yield ana, rui
    for page in (ana, rui):
        mine = call(page, demo, "GET", "/me/contacts")
        for each in mine["contacts"] + mine["i_asked"]:
            call(page, demo, "DELETE", f"/me/contacts/{each['person_id']}")


def person(page: Page, demo: Demo) -> str:
    return str(call(page, demo, "GET", "/me")["person"]["id"])


def ask(page: Page, demo: Demo, name: str) -> None:
    page.goto(f"/spaces/{demo.space}/members")
    page.get_by_role("button", name=f"What to do with {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Ask as a contact").click()


def section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def test_one_asks_and_the_other_says_yes(two: tuple[Page, Page], demo: Demo) -> None:
    ana, rui = two
    ask(ana, demo, demo.partner.name)
    box = ana.get_by_role("dialog", name=f"Ask {demo.partner.name} as a contact")
    box.get_by_role("button", name="Ask").click()
    expect(box).to_have_count(0)
    ana.goto("/contacts")
    expect(section(ana, "You have asked")).to_contain_text(demo.partner.name)

    rui.goto("/contacts")
    waiting = section(rui, "They would like to be your contact")
    expect(waiting.get_by_role("listitem")).to_contain_text(f"{demo.schools[0]}, Zaragoza, Spain")
    waiting.get_by_role("button", name="Yes").click()
    expect(section(rui, "My contacts")).to_contain_text(demo.teacher.name)
    expect(waiting).to_have_count(0)
    ana.reload()
    expect(section(ana, "My contacts")).to_contain_text(demo.partner.name)
    expect(section(ana, "You have asked")).to_have_count(0)

    ask(ana, demo, demo.partner.name)
    expect(ana.get_by_text(f"{demo.partner.name} is a contact of yours already.").first).to_be_visible()
    ana.goto("/contacts")
    section(ana, "My contacts").get_by_role("button", name="Remove").click()
    ana.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(ana.get_by_text("No contacts yet.")).to_be_visible()
    rui.reload()
    expect(rui.get_by_text("No contacts yet.")).to_be_visible()


def test_a_no_is_not_announced_and_a_request_is_taken_back(two: tuple[Page, Page], demo: Demo) -> None:
    ana, rui = two
    call(ana, demo, "PUT", f"/me/contacts/{person(rui, demo)}", {})
    rui.goto("/contacts")
    rui.get_by_role("button", name=re.compile("^No")).click()
    expect(section(rui, "They would like to be your contact")).to_have_count(0)
    expect(rui.get_by_role("heading", level=1, name="Contacts")).to_be_focused()
    ana.goto("/contacts")
    mine = section(ana, "You have asked")
    expect(mine).to_contain_text(demo.partner.name)
    ask(ana, demo, demo.partner.name)
    expect(ana.get_by_text(f"You have asked {demo.partner.name} already.").first).to_be_visible()
    ana.goto("/contacts")
    mine.get_by_role("button", name="Take back").click()
    expect(mine).to_have_count(0)

    call(rui, demo, "PUT", f"/me/contacts/{person(ana, demo)}", {})
    ask(ana, demo, demo.partner.name)
    box = ana.get_by_role("dialog", name=f"{demo.partner.name} has asked you")
    box.get_by_role("button", name="Yes").click()
    expect(box).to_have_count(0)
    ana.goto("/contacts")
    expect(section(ana, "My contacts")).to_contain_text(demo.partner.name)


def test_students_have_none_and_are_not_asked(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, brave = teacher(), student(0)
    brave.goto("/contacts")
    expect(brave.get_by_text("Contacts are for teachers.")).to_be_visible()
    ana.goto(f"/spaces/{demo.space}/members")
    ana.get_by_role("button", name=f"What to do with {demo.students[0].name}").click()
    expect(ana.get_by_role("dialog").get_by_role("button", name="Undo what they did")).to_be_visible()
    expect(ana.get_by_role("dialog").get_by_role("button", name="Ask as a contact")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_how_they_look(
    two: tuple[Page, Page],
    logged_in: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: str,
    scheme: str,
) -> None:
    ana, rui = two
    page = logged_in(demo.partner, viewport=SIZES[size], color_scheme=scheme)

    def look(what: str) -> None:
        page.screenshot(path=artifact(f"contacts-{what}-{size}-{scheme}.png"))
        axe(page, f"{what}, {size}, {scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what} is too wide"

    page.goto("/contacts")
    expect(page.get_by_text("No contacts yet.")).to_be_visible()
    look("none")
    ask(page, demo, demo.teacher.name)
    expect(page.get_by_role("dialog", name=f"Ask {demo.teacher.name} as a contact")).to_be_visible()
    look("ask")
    page.get_by_role("dialog").get_by_role("button", name="Ask").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/contacts")
    expect(section(page, "You have asked")).to_be_visible()
    look("asked")
    call(rui, demo, "DELETE", f"/me/contacts/{person(ana, demo)}")
    call(ana, demo, "PUT", f"/me/contacts/{person(rui, demo)}", {})
    page.reload()
    expect(section(page, "They would like to be your contact")).to_be_visible()
    look("asks")
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    look("known")
