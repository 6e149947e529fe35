"""Members and code cards."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path

from conftest import LogsIn, Opens
from demo_server import Demo, new_pupils
from playwright.sync_api import expect


def test_a_class_gets_its_cards_printed_eight_to_a_sheet(
    teacher: LogsIn, visitor: Opens, demo: Demo, artifact: Callable[[str], Path]
) -> None:
    page = teacher()
    page.goto("/")
    page.get_by_role("link", name="Cards for my class").click()
    page.get_by_label("How many cards?").fill("9")
    page.get_by_role("button", name="Make the cards").click()
    cards = page.locator(".code-card")
    expect(cards).to_have_count(9)
    expect(page.get_by_role("heading", name="9 new cards")).to_be_visible()
    page.wait_for_function("[...document.querySelectorAll('.qr')].every((each) => each.naturalWidth > 0)")
    printed = page.pdf(prefer_css_page_size=True)
    artifact("cards.pdf").write_bytes(printed)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
    name = cards.first.locator(".pseudonym").inner_text()
    words = cards.first.locator(".words li").all_inner_texts()

    pupil = visitor()
    pupil.goto("/login")
    pupil.get_by_label("The words on your card").fill(" ".join(words))
    pupil.keyboard.press("Enter")
    expect(pupil.get_by_role("heading", name=f"Hello, {name}")).to_be_visible()


def test_cards_are_not_lost_by_a_slip(teacher: LogsIn, demo: Demo) -> None:
    page = teacher()
    page.goto(f"/schools/{demo.teacher.school}/pupils")
    page.get_by_label("How many cards?").fill("1")
    page.get_by_role("button", name="Make the cards").click()
    expect(page.locator(".code-card")).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Close without printing?").get_by_role("button", name="Cancel").click()
    expect(page.locator(".code-card")).to_have_count(1)
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    page.get_by_role("dialog", name="Close without printing?").get_by_role(
        "button", name="Close"
    ).last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_names_of_ones_own_and_impossible_numbers(teacher: LogsIn, demo: Demo) -> None:
    page = teacher()
    page.goto(f"/schools/{demo.teacher.school}/pupils")
    page.get_by_label("How many cards?").fill("500")
    page.get_by_role("button", name="Make the cards").click()
    expect(page.get_by_role("alert")).to_contain_text("1 to 60")
    page.get_by_label("My own list").check()
    name = f"Tern {uuid.uuid4().hex[:5]}"
    page.get_by_label("Names, one on each line").fill(f"\n{name}\n\n")
    page.get_by_role("button", name="Make the cards").click()
    expect(page.locator(".pseudonym")).to_have_text(name)


def test_a_new_card_ends_the_old_one_and_its_log_in(teacher: LogsIn, logged_in: LogsIn, demo: Demo) -> None:
    page = teacher()
    [pupil] = new_pupils(page, demo)
    open_page = logged_in(pupil)
    open_page.goto(demo.page_path)
    expect(open_page.locator("ts-editor")).to_be_visible()
    expect(open_page.locator(".pill.wait")).to_have_count(0)
    page.goto(f"/spaces/{demo.space}/members")
    page.get_by_role("button", name=f"What to do with {pupil.name}").click()
    page.get_by_role("dialog").get_by_role("button", name="New card").click()
    page.get_by_role("dialog").get_by_role("button", name="New card").click()
    expect(page.locator(".code-card")).to_have_count(1)
    expect(open_page.get_by_role("heading", name="Come in")).to_be_visible()
    open_page.get_by_label("The words on your card").fill(pupil.code)
    open_page.keyboard.press("Enter")
    expect(open_page.get_by_role("alert")).to_contain_text("Look at your card again")


def test_a_removed_student_is_led_out_of_the_open_page(
    teacher: LogsIn, logged_in: LogsIn, demo: Demo
) -> None:
    page = teacher()
    [pupil] = new_pupils(page, demo)
    open_page = logged_in(pupil)
    open_page.goto(demo.page_path)
    expect(open_page.locator("ts-editor")).to_be_visible()
    page.goto(f"/spaces/{demo.space}/members")
    page.get_by_role("button", name=f"What to do with {pupil.name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove from this TwinSpace").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove from this TwinSpace").click()
    expect(page.locator(".member-list li", has_text=pupil.name)).to_have_count(0)
    expect(open_page.get_by_text("You are no longer a member of this TwinSpace.").first).to_be_visible()
    expect(open_page.locator("ts-editor")).to_have_count(0)
    open_page.get_by_role("main").get_by_role("link", name="My TwinSpaces").click()
    expect(open_page.get_by_text("You are in no TwinSpace yet.")).to_be_visible()


def test_a_role_is_changed_and_shown_to_the_person(teacher: LogsIn, logged_in: LogsIn, demo: Demo) -> None:
    page = teacher()
    [pupil] = new_pupils(page, demo)
    theirs = logged_in(pupil)
    theirs.goto(f"/spaces/{demo.space}/members")
    expect(theirs.locator(".member-list li", has_text=pupil.name)).to_contain_text("Student")
    page.goto(f"/spaces/{demo.space}/members")
    page.get_by_role("button", name=f"What to do with {pupil.name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Change the role").click()
    page.get_by_label("Student editor").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".member-list li", has_text=pupil.name)).to_contain_text("Student editor")
    expect(theirs.locator(".member-list li", has_text=pupil.name)).to_contain_text("Student editor")
    expect(theirs.get_by_role("button", name="New page").first).to_be_visible()
