"""Without a mouse, and with a screen reader: order, focus, names, announcements."""

from __future__ import annotations

import re
import uuid

from conftest import LogsIn, Opens
from demo_server import Demo
from playwright.sync_api import Page, expect


def focused(page: Page) -> str:
    """The accessible words of what has the focus."""
    return page.evaluate(
        """() => {
            const at = document.activeElement;
            return (at.getAttribute("aria-label") ?? at.innerText ?? "").trim();
        }"""
    )


def tab_to(page: Page, words: str, most: int = 60) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if re.search(words, focused(page)):
            return
    raise AssertionError(f"Tab never came to “{words}”")


def test_log_in_and_a_new_page_by_keyboard_alone(visitor: Opens, demo: Demo) -> None:
    page = visitor()
    page.goto("/login")
    expect(page.get_by_role("heading", name="Come in")).to_be_visible()
    tab_to(page, "I have a card")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "I am a teacher"
    page.keyboard.press("Tab")
    page.keyboard.type(demo.teacher.email)
    page.keyboard.press("Tab")
    page.keyboard.type(demo.teacher.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("Hello"))).to_be_visible()
    tab_to(page, demo.space_title)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=demo.space_title)).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "New page")
    page.keyboard.press("Enter")
    title = f"Keys {uuid.uuid4().hex[:6]}"
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type(title)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=title)).to_be_focused()
    expect(page.locator(".announcer.toast")).to_have_text(f"The page “{title}” is ready.")


def test_the_skip_link_comes_first_and_leads_to_the_content(student: LogsIn, demo: Demo) -> None:
    page = student()
    page.goto(f"/spaces/{demo.space}")
    expect(page.get_by_role("heading", level=1, name=demo.space_title)).to_be_visible()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_each_screen_names_itself_and_takes_the_focus(student: LogsIn, demo: Demo) -> None:
    page = student()
    page.goto("/")
    expect(page).to_have_title(re.compile(f"^Hello, {demo.students[0].name} · TwinSpace$"))
    page.get_by_role("link", name=demo.space_title).click()
    expect(page.get_by_role("heading", level=1, name=demo.space_title)).to_be_focused()
    expect(page).to_have_title(f"{demo.space_title} · TwinSpace")
    page.get_by_role("navigation", name="This TwinSpace").get_by_role("link", name=demo.page_title).click()
    expect(page.get_by_role("heading", level=1, name=demo.page_title)).to_be_focused()
    expect(page).to_have_title(f"{demo.page_title} · TwinSpace")
    page.go_back()
    expect(page.get_by_role("heading", level=1, name=demo.space_title)).to_be_focused()


def test_a_dialog_keeps_the_focus_and_gives_it_back(teacher: LogsIn, demo: Demo) -> None:
    page = teacher()
    page.goto(demo.page_path)
    opener = page.get_by_role("main").get_by_role("button", name=re.compile("What to do with"))
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=demo.page_title)).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_dark_and_light_can_be_chosen_and_last(student: LogsIn) -> None:
    page = student(color_scheme="light")
    page.goto("/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    expect(page.get_by_role("heading", name=re.compile("Hello"))).to_be_visible()
    light = page.evaluate(ground)
    page.get_by_role("button", name=re.compile("log out")).click()
    page.get_by_label("Dark").check()
    page.wait_for_function(f"{ground} !== '{light}'")
    page.reload()
    expect(page.get_by_role("heading", name=re.compile("Hello"))).to_be_visible()
    page.wait_for_function(f"{ground} !== '{light}'")
