"""Teachers make rooms and mix teams at their desk, and pupils find them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo
from playwright.sync_api import Page, expect


def open_rooms(page: Page, demo: Demo) -> None:
    page.goto(f"/spaces/{demo.space}/cockpit")
    expect(page.get_by_role("region", name="Rooms and teams")).to_be_visible()


def test_pupils_are_mixed_into_teams(
    teacher: LogsIn,
    student: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
) -> None:
    ana, brave = teacher(), student(0)
    brave.goto(f"/spaces/{demo.space}")
    first, second = (f"Team {uuid.uuid4().hex[:6]}" for _ in range(2))
    open_rooms(ana, demo)
    ana.get_by_role("button", name="Mix teams").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("How many teams?").fill("2")
    dialog.get_by_role("button", name="Show me").click()
    dialog.get_by_label("Name of team 1", exact=True).fill(first)
    dialog.get_by_label("Name of team 2").fill(second)
    dialog.get_by_role("button", name="Mix again").click()
    expect(dialog.get_by_role("button", name="Mix again")).to_be_visible()
    expect(dialog.get_by_label("Name of team 1", exact=True)).to_have_value(first)
    axe(ana, "mix teams")
    ana.screenshot(path=artifact("mix-teams.png"))
    shown = [each.inner_text() for each in dialog.locator(".team-list p").all()]
    dialog.get_by_role("button", name="Make these teams").click()
    expect(dialog).to_have_count(0)
    rooms = ana.get_by_role("region", name="Rooms and teams").get_by_role("listitem")
    for name, team in zip((first, second), shown, strict=True):
        line = rooms.filter(has_text=name)
        expect(line).to_contain_text(team.split(":")[0].strip())
        expect(line).to_contain_text("Zaragoza")
        expect(line).to_contain_text("Porto")
    mine = next(
        name for name, team in zip((first, second), shown, strict=True) if demo.students[0].name in team
    )
    other = second if mine == first else first
    expect(brave.get_by_role("link", name=mine).first).to_be_visible()
    expect(brave.get_by_text(other)).to_have_count(0)

    rooms.filter(has_text=other).get_by_role("button", name="Members").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label(demo.students[0].name).check()
    dialog.get_by_role("button", name="Save").click()
    expect(brave.get_by_role("link", name=other).first).to_be_visible()


def test_a_room_for_teachers_is_not_for_pupils(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, brave = teacher(), student(0)
    name = f"Thermometers {uuid.uuid4().hex[:6]}"
    open_rooms(ana, demo)
    ana.get_by_role("button", name="New room").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("What is it called?").fill(name)
    dialog.get_by_label("Teachers only").check()
    dialog.get_by_role("button", name="Make the room").click()
    line = ana.get_by_role("region", name="Rooms and teams").get_by_role("listitem").filter(has_text=name)
    expect(line).to_contain_text("For teachers")
    brave.goto(f"/spaces/{demo.space}")
    expect(brave.get_by_text(demo.page_title).first).to_be_visible()
    expect(brave.get_by_text(name)).to_have_count(0)
    brave.goto(f"/spaces/{demo.space}/cockpit")
    expect(brave.locator("ts-desk-rooms")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_look_of_mixing(
    teacher: LogsIn, demo: Demo, artifact: Callable[[str], Path], size: dict[str, int]
) -> None:
    ana = teacher(viewport=size)
    open_rooms(ana, demo)
    ana.get_by_role("region", name="Rooms and teams").scroll_into_view_if_needed()
    ana.screenshot(path=artifact(f"rooms-{size['width']}.png"), full_page=True)
    ana.get_by_role("button", name="Mix teams").click()
    ana.get_by_role("button", name="Show me").click()
    expect(ana.get_by_label("Name of team 1", exact=True)).to_be_visible()
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ana.screenshot(path=artifact(f"mix-{size['width']}.png"))
