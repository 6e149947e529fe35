"""Pictures of the editor as people see it, in tests/.artifacts, and what can be measured about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo
from editor_page import ask, editor, make_page, open_editor, page_id, pill, tool, write
from playwright.sync_api import Page, expect

SIZES = {"phone": PHONE, "desktop": DESKTOP}


def compose(page: Page) -> None:
    """A page as a class might write it."""
    write(page, "# Otters of the Ebro and the Douro\n")
    page.keyboard.type("We looked for otters on two rivers, on the same morning, and counted ")
    page.keyboard.press("Control+b")
    page.keyboard.type("seven")
    page.keyboard.press("Control+b")
    page.keyboard.type(". See https://example.org/map for where.\n")
    page.keyboard.type("## What to take along\n")
    page.keyboard.type("[] boots\ncamera\n\n")
    page.keyboard.type("> An otter is never in a hurry, except when it is.\n\n")
    page.keyboard.type("1. go early\nbe quiet\n\n")
    tool(page, "Table").click()
    for words in ("River", "Place", "Otters", "Ebro", "Zaragoza", "3", "Douro", "Porto", "4"):
        page.keyboard.type(words)
        page.keyboard.press("Tab")
    page.keyboard.press("Control+End")
    editor(page).get_by_role("checkbox", name="Done: boots").check()
    expect(pill(page)).to_have_text("Saved")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures(
    size: str,
    scheme: str,
    teacher: LogsIn,
    student: LogsIn,
    demo: Demo,
    artifact: Callable[[str], Path],
    axe: Callable[[Page, str], None],
) -> None:
    ana = teacher(viewport=SIZES[size], color_scheme=scheme)
    path = make_page(ana, demo, "Our otter diary")
    open_editor(ana, path)

    def picture(page: Page, name: str) -> None:
        page.screenshot(path=artifact(f"editor-{name}-{size}-{scheme}.png"))

    picture(ana, "empty")
    compose(ana)
    rui = student(1, viewport=SIZES[size], color_scheme=scheme)
    open_editor(rui, path)
    editor(rui).get_by_text("never in a hurry").click()
    rui.keyboard.press("End")
    expect(ana.locator(".caret.named")).to_have_count(1)
    ana.evaluate("scrollTo(0, 0)")
    ana.wait_for_timeout(300)
    picture(ana, "full")
    axe(ana, "a full page")
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    ask(ana, "PUT", f"/api/pages/{page_id(path)}/lock", {"reason": "We read it to each other on Friday"})
    expect(pill(rui)).to_have_text("Locked")
    rui.evaluate("scrollTo(0, 0)")
    rui.wait_for_timeout(300)
    picture(rui, "locked")
    axe(rui, "a locked page")
    if size == "desktop":
        rui.emulate_media(media="print")
        picture(rui, "print")
        rui.emulate_media(media="screen")
