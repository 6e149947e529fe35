"""The settings of a space: what its admins choose holds for pupils at once, and a sentence can be tried."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import DESKTOP, PHONE, LogsIn, Watch
from demo_server import Demo
from playwright.sync_api import Locator, Page, expect
from talk_page import call, composer, make_room, make_thread, open_thread, post, write


@pytest.fixture
def ana(teacher: LogsIn, demo: Demo) -> Iterator[Page]:
    """The teacher who leads; what she has set is put back afterwards."""
    page = teacher()
    space = f"/spaces/{demo.space}"
    first = call(page, demo, "GET", space)
    yield page
    now = call(page, demo, "GET", space)["status"]
    if now != "open":
        call(page, demo, "PUT", f"{space}/status", {"status": "open"})
    policy: dict[str, Any] = {"page_editing": None, "posting": None, "chat": None, "filters": {}}
    policy |= {"guests_read": False, "supervision": "one", "students_create": True, "block_owners": False}
    words = {key: first[key] for key in ("title", "summary", "languages")}
    call(page, demo, "PATCH", space, {**words, "policy": policy})


def open_settings(page: Page, demo: Demo) -> None:
    page.goto(f"/spaces/{demo.space}/cockpit")
    page.get_by_role("main").get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()
    expect(part(page, "What posts are checked for")).to_be_visible()


def part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def save(where: Locator) -> None:
    where.get_by_role("button", name="Save").click()
    expect(where.get_by_text("Not saved yet")).to_have_count(0)
    expect(where.locator(".error").first).to_have_text("")


def test_a_word_holds_a_pupils_next_post(ana: Page, student: LogsIn, demo: Demo) -> None:
    brave = student(0)
    talk = make_thread(ana, demo, make_room(ana, demo))
    word = f"Zorp{uuid.uuid4().hex[:6]}"
    open_thread(brave, talk)
    write(brave, f"A {word} before")
    expect(post(brave, f"A {word} before")).to_be_visible()
    open_settings(ana, demo)
    filters = part(ana, "What posts are checked for")
    filters.get_by_label("Add words, one on each line").fill(
        f"{word.lower()}\n\nsecond word*\n{word.lower()}"
    )
    filters.get_by_role("button", name="Add").click()
    expect(filters.get_by_text("Not saved yet")).to_be_visible()
    expect(filters.get_by_role("list", name="English").get_by_role("listitem")).to_have_count(2)
    filters.get_by_label("Try a sentence").fill(f"What a {word}!")
    filters.get_by_role("button", name="Try it").click()
    expect(filters.get_by_text("A teacher reads it first.", exact=True).last).to_be_visible()
    expect(filters.locator("mark")).to_have_text(word)
    save(filters)
    write(brave, f"A {word} after")
    expect(post(brave, f"A {word} after").get_by_text("Waiting for your teacher")).to_be_visible()
    expect(post(brave, f"A {word} before")).to_be_visible()

    filters.get_by_role("button", name=f"Remove {word.lower()}").press("Enter")
    expect(filters.get_by_role("button", name="Remove second word*")).to_be_focused()
    filters.get_by_role("button", name="Remove second word*").press("Enter")
    expect(filters.get_by_label("Add words")).to_be_focused()
    save(filters)
    ana.reload()
    expect(filters.get_by_text("You have added none here yet.")).to_be_visible()


def test_a_site_is_fine_and_phone_numbers_are_not_taken(
    ana: Page, student: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow(r"status of 422 .*/api/")
    brave = student(0)
    talk = make_thread(ana, demo, make_room(ana, demo))
    open_settings(ana, demo)
    filters = part(ana, "What posts are checked for")
    offered = filters.get_by_label("Phone numbers").locator("option").all_inner_texts()
    assert offered == ["A teacher reads it first", "Do not take it"]
    filters.get_by_label("Phone numbers").select_option("Do not take it")
    filters.get_by_label("Links to these sites are fine").fill("com")
    filters.get_by_role("button", name="Save").click()
    expect(filters.get_by_role("alert")).to_contain_text("One of the sites is no address")
    filters.get_by_label("Links to these sites are fine").fill("https://Museum.example/rivers")
    save(filters)
    open_thread(brave, talk)
    write(brave, "See https://museum.example/otters")
    shown = post(brave, "museum.example/otters")
    expect(shown).to_be_visible()
    expect(shown.get_by_text("Waiting for your teacher")).to_have_count(0)
    composer(brave).fill("Call me: 612 345 678")
    brave.get_by_role("button", name="Send").click()
    expect(brave.get_by_text("phone number").first).to_be_visible()
    expect(post(ana, "612 345 678")).to_have_count(0)


def test_what_pupils_may_do_holds_at_once(ana: Page, student: LogsIn, demo: Demo) -> None:
    brave = student(0)
    talk = make_thread(ana, demo, make_room(ana, demo))
    open_thread(brave, talk)
    expect(composer(brave)).to_be_visible()
    open_settings(ana, demo)
    rules = part(ana, "What students may do")
    expect(rules.get_by_text("16 to 19 years old")).to_be_visible()
    expect(rules.get_by_role("radio", name="At any time")).to_have_count(0)
    rules.get_by_role("radio", name="Students do not post").check()
    save(rules)
    expect(composer(brave)).to_have_count(0)
    rules.get_by_role("radio", name="Posts are seen at once").check()
    save(rules)
    expect(composer(brave)).to_be_visible()


def test_admins_give_blocks_owners_in_a_space_of_older_pupils(ana: Page, student: LogsIn, demo: Demo) -> None:
    open_settings(ana, demo)
    rules = part(ana, "What students may do")
    owners = rules.get_by_role("checkbox", name="What a student writes on a page is theirs")
    expect(owners).not_to_be_checked()
    brave = student(0)
    page = f"/pages/{demo.page}"
    for wanted in (True, False):
        owners.set_checked(wanted)
        save(rules)
        assert call(brave, demo, "GET", page)["block_owners"] is wanted
        assert call(ana, demo, "GET", page)["block_owners"] is False


def test_the_name_and_the_languages(ana: Page, student: LogsIn, demo: Demo) -> None:
    brave = student(0)
    brave.goto(f"/spaces/{demo.space}")
    open_settings(ana, demo)
    about = part(ana, "Name and languages")
    title = f"Rivers {uuid.uuid4().hex[:6]}"
    about.get_by_label("Name of the TwinSpace").fill(title)
    about.get_by_label("Add a language").select_option("Finnish")
    about.get_by_role("button", name="Remove Spanish").click()
    save(about)
    expect(brave.get_by_text(title).first).to_be_visible()
    ana.reload()
    expect(about.get_by_role("listitem")).to_have_text(["English", "Portuguese", "Finnish"])


def test_closing_and_opening_again(ana: Page, student: LogsIn, demo: Demo) -> None:
    brave = student(0)
    talk = make_thread(ana, demo, make_room(ana, demo))
    open_thread(brave, talk)
    expect(composer(brave)).to_be_visible()
    open_settings(ana, demo)
    life = part(ana, "Close the TwinSpace")
    for action, state in (
        ("Close it", "is closed: everyone reads"),
        ("Put it in the archive", "is in the archive: everyone reads"),
    ):
        life.get_by_role("button", name=action).click()
        ana.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        life.get_by_role("button", name=action).click()
        ana.get_by_role("dialog").get_by_role("button", name=action).click()
        expect(life.get_by_text(state)).to_be_visible()
    expect(composer(brave)).to_have_count(0)
    life.get_by_role("button", name="Open it again").click()
    ana.get_by_role("dialog").get_by_role("button", name="Open it again").click()
    expect(life.get_by_text("The TwinSpace is open.")).to_be_visible()
    expect(composer(brave)).to_be_visible()


def test_only_who_leads_has_settings(logged_in: LogsIn, demo: Demo) -> None:
    rui = logged_in(demo.partner)
    rui.goto(f"/spaces/{demo.space}/cockpit")
    expect(rui.get_by_role("heading", level=1, name="Teacher’s desk")).to_be_visible()
    expect(rui.get_by_role("main").get_by_role("link", name="Settings")).to_have_count(0)
    rui.goto(f"/spaces/{demo.space}/settings")
    expect(rui.get_by_role("heading", level=1, name=demo.space_title)).to_be_visible()
    expect(rui.locator("ts-settings")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_look_of_the_settings(
    teacher: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: dict[str, int],
    scheme: str,
) -> None:
    page = teacher(viewport=size, color_scheme=scheme)
    open_settings(page, demo)
    filters = part(page, "What posts are checked for")
    filters.get_by_label("Add words").fill("caca\nel tonto del pueblo\n" + "x" * 60)
    filters.get_by_role("button", name="Add").click()
    filters.get_by_label("Try a sentence").fill("Write to otter@mail.example, caca")
    filters.get_by_role("button", name="Try it").click()
    expect(filters.locator("mark")).to_have_count(2)
    at = f"{size['width']}-{scheme}"
    page.screenshot(path=artifact(f"settings-{at}.png"), full_page=True)
    axe(page, f"settings {at}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the settings are too wide"
    small = page.evaluate(
        """() => [...document.querySelectorAll("main :is(button, select, textarea, input)")]
            .filter((each) => each.checkVisibility())
            .map((each) => [each.closest("label") ?? each, each])
            .filter(([box]) => box.getBoundingClientRect().height < 43.9)
            .map(([, each]) => each.outerHTML.slice(0, 120))"""
    )
    assert not small
    filters.get_by_role("button", name="Remove caca").focus()
    page.get_by_role("button", name="Close it").click()
    page.screenshot(path=artifact(f"settings-close-{at}.png"))
    axe(page, f"closing {at}")
