"""Every screen, light and dark, on a phone and on a desk: axe finds nothing; a picture is kept to look at."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn, Opens, Watch
from demo_server import Demo
from playwright.sync_api import Page, expect

Axe = Callable[[Page, str], None]
Artifact = Callable[[str], Path]

SIZES = {"phone": PHONE, "desktop": DESKTOP}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["phone", "desktop"])
def size(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def look(axe: Axe, artifact: Artifact, size: str, scheme: str) -> Callable[[Page, str], None]:
    """Takes the picture, lets axe judge; nothing sticks out sideways or is too small to hit."""

    def at(page: Page, name: str) -> None:
        page.screenshot(path=artifact(f"shell-{name}-{size}-{scheme}.png"))
        axe(page, f"{name}, {size}, {scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, textarea, [role=tab]")]
                .filter((each) => each.checkVisibility() && !each.closest("ts-editor"))
                .map((each) => [each.closest("label") ?? each, each])
                .filter(([box]) => box.getBoundingClientRect().height < 43.9)
                .map(([, each]) => each.outerHTML.slice(0, 120))"""
        )
        assert not small, f"{name}: too small to hit: {small}"

    return at


def test_before_log_in(
    visitor: Opens, demo: Demo, look: Callable[[Page, str], None], size: str, scheme: str
) -> None:
    page = visitor(viewport=SIZES[size], color_scheme=scheme)
    page.goto("/login")
    expect(page.get_by_role("heading", name="Come in")).to_be_visible()
    look(page, "login")
    page.get_by_label("The words on your card").fill("Brave Otter, lemon")
    page.get_by_role("button", name="Come in").click()
    look(page, "login-short")
    page.get_by_role("tab", name="I am a teacher").click()
    look(page, "login-teacher")
    page.get_by_role("button", name=re.compile("English")).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look(page, "language")
    page.goto(f"/card#{demo.students[0].code}")
    expect(page.get_by_role("heading", name="Is this your card?")).to_be_visible()
    look(page, "card")


def test_a_student_looks_around(
    student: LogsIn,
    teacher: LogsIn,
    demo: Demo,
    look: Callable[[Page, str], None],
    size: str,
    scheme: str,
    watch: Watch,
) -> None:
    watch.allow("status of 404 .*/nowhere")
    somebody = teacher()
    somebody.goto(demo.page_path)
    page = student(1, viewport=SIZES[size], color_scheme=scheme)
    page.goto("/")
    expect(page.get_by_role("heading", name=re.compile("Hello"))).to_be_visible()
    look(page, "home-student")
    page.goto(f"/spaces/{demo.space}")
    expect(page.locator(".present li")).to_have_count(2)
    look(page, "space")
    page.goto(demo.page_path)
    expect(page.locator("ts-editor")).to_be_visible()
    expect(page.locator("ts-editor [contenteditable]")).to_be_visible()
    look(page, "page")
    page.goto("/nowhere")
    expect(page.get_by_role("heading", name="There is no such page here")).to_be_visible()
    look(page, "lost")


def test_a_teacher_manages(
    teacher: LogsIn, demo: Demo, look: Callable[[Page, str], None], size: str, scheme: str
) -> None:
    page = teacher(viewport=SIZES[size], color_scheme=scheme)
    page.goto("/")
    expect(page.get_by_role("heading", name=re.compile("Hello"))).to_be_visible()
    look(page, "home-teacher")
    page.goto(demo.page_path)
    expect(page.locator("ts-editor")).to_be_visible()
    main = page.get_by_role("main")
    main.get_by_role("button", name=re.compile("What to do with")).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look(page, "page-menu")
    page.get_by_role("dialog").get_by_role("button", name="Who sees it, who writes").click()
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    look(page, "page-rules")
    page.keyboard.press("Escape")
    main.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_label("Why?")).to_be_visible()
    look(page, "page-lock")
    page.keyboard.press("Escape")
    if size == "phone":
        page.get_by_role("navigation", name="Main menu").get_by_role("button", name="Pages").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look(page, "tree")
        page.keyboard.press("Escape")
    page.goto(f"/spaces/{demo.space}/members")
    expect(page.locator(".member-list li").first).to_be_visible()
    look(page, "members")
    page.goto(f"/schools/{demo.teacher.school}/pupils")
    expect(page.locator(".member-list li").first).to_be_visible()
    look(page, "pupils")
    page.get_by_label("How many cards?").fill("3")
    page.get_by_role("button", name="Make the cards").click()
    expect(page.locator(".code-card")).to_have_count(3)
    look(page, "cards")
