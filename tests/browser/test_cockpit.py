"""The teacher's desk: what waits is decided there, and everything can be paused."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo
from editor_page import editor, expect_words, make_page, open_editor, write
from playwright.sync_api import Page, expect
from talk_page import call, make_post, make_room, make_thread, open_thread, post


@pytest.fixture
def ana(teacher: LogsIn, demo: Demo) -> Iterator[Page]:
    """The teacher who leads; what she has paused runs again afterwards."""
    page = teacher()
    yield page
    call(page, demo, "DELETE", f"/spaces/{demo.space}/freeze")


def open_desk(page: Page, demo: Demo) -> None:
    page.goto(f"/spaces/{demo.space}")
    page.get_by_role("link", name="Desk").first.click()
    expect(page.get_by_role("heading", level=1, name="Teacher’s desk")).to_be_visible()
    expect(page.get_by_role("region", name="Posts that wait for you")).to_be_visible()


def test_a_held_post_is_approved_at_the_desk(ana: Page, student: LogsIn, demo: Demo) -> None:
    brave, quick = student(0), student(1)
    talk = make_thread(ana, demo, make_room(ana, demo, posting="hold"))
    words = f"May I say {uuid.uuid4().hex[:6]}?"
    open_desk(ana, demo)
    open_thread(quick, talk)
    make_post(brave, demo, talk, words)
    waits = ana.get_by_role("region", name="Posts that wait for you").get_by_role("listitem")
    mine = waits.filter(has_text=words)
    expect(mine).to_be_visible()
    expect(ana.get_by_role("link", name="wait").first).to_be_visible()
    mine.get_by_role("button", name="Put it up").click()
    expect(mine).to_have_count(0)
    expect(post(quick, words)).to_be_visible()


def test_pausing_everything_stops_a_pupil_who_is_typing(ana: Page, student: LogsIn, demo: Demo) -> None:
    brave = student(0)
    path = make_page(ana, demo, f"Page {uuid.uuid4().hex[:6]}")
    open_editor(brave, path)
    write(brave, "Before.")
    open_desk(ana, demo)
    ana.get_by_role("button", name="Pause everything").click()
    ana.get_by_role("dialog").get_by_role("button", name="Pause everything").click()
    expect(editor(brave)).to_have_attribute("contenteditable", "false")
    notice = brave.locator(".note").get_by_text("Your teachers have paused this TwinSpace.")
    expect(notice).to_have_count(1)
    brave.keyboard.type(" After.")
    ana.get_by_role("button", name="Let everyone write again").click()
    expect(editor(brave)).to_have_attribute("contenteditable", "true")
    expect(notice).to_have_count(0)
    write(brave, " Again.")
    expect_words(brave, "Before. Again.")
    expect(ana.get_by_role("button", name="Pause everything")).to_be_visible()


def test_pupils_have_no_desk(student: LogsIn, demo: Demo) -> None:
    brave = student(0)
    brave.goto(f"/spaces/{demo.space}/cockpit")
    expect(brave.get_by_role("heading", level=1)).to_be_visible()
    expect(brave.get_by_role("link", name="Desk")).to_have_count(0)
    expect(brave.locator("ts-desk")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_look_of_the_desk(
    teacher: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: dict[str, int],
    scheme: str,
) -> None:
    page = teacher(viewport=size, color_scheme=scheme)
    open_desk(page, demo)
    at = f"{size['width']}-{scheme}"
    page.screenshot(path=artifact(f"desk-{at}.png"), full_page=True)
    axe(page, f"desk {at}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the desk is too wide"
    small = page.evaluate(
        """() => [...document.querySelectorAll("main button")]
            .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 43.9)
            .map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert not small
