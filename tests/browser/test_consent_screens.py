"""Consent of families: noted for several at once, withdrawn for one, and how that looks."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo
from playwright.sync_api import Locator, Page, expect
from talk_page import call

SIZES = {"phone": PHONE, "desktop": DESKTOP}


def new_pupils(page: Page, demo: Demo, count: int) -> list[tuple[str, str]]:
    """Ids and names of new pupils of the teacher's school."""
    names = [f"Otter {uuid.uuid4().hex[:6]}" for _ in range(count)]
    made = call(
        page,
        demo,
        "POST",
        f"/schools/{demo.teacher.school}/pupils",
        {"space_id": demo.space, "pupils": [{"name": name} for name in names]},
    )
    return [(card["person_id"], card["name"]) for card in made["cards"]]


def note(page: Page, demo: Demo, pupils: list[str], purpose: str, given: str, until: str | None) -> None:
    what = {"pupils": pupils, "purpose": purpose, "given_on": given, "valid_until": until}
    call(page, demo, "PUT", f"/schools/{demo.teacher.school}/consents", what)


def open_consents(page: Page, demo: Demo) -> None:
    page.goto(f"/schools/{demo.teacher.school}/pupils")
    page.get_by_role("link", name="Consent of families").click()
    expect(page.get_by_role("heading", level=1, name="Consent of families")).to_be_focused()


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def now(page: Page, name: str) -> Locator:
    """What stands there for the purpose that is looked at."""
    return row(page, name).locator("td.now")


def withdraw(box: Locator, purpose: str) -> Locator:
    return box.get_by_role("listitem").filter(has_text=purpose).get_by_role("button", name="Withdraw")


def test_three_families_have_signed_and_one_takes_it_back(teacher: LogsIn, demo: Demo) -> None:
    page = teacher(viewport=PHONE)
    pupils = new_pupils(page, demo, 3)
    names = [name for _, name in pupils]
    open_consents(page, demo)
    page.get_by_role("radio", name="Publishing").check()
    expect(page.get_by_text("may be published on the web")).to_be_visible()
    record = page.get_by_role("button", name="Given on paper …")
    record.click(force=True)
    expect(page.get_by_text("Choose some students first.").first).to_be_visible()
    for name in names:
        page.get_by_label(f"Choose {name}").check()
    expect(page.get_by_text("3 students are chosen.")).to_be_visible()
    record.click()
    box = page.get_by_role("dialog", name="Publishing: consent given on paper")
    for name in names:
        expect(box).to_contain_text(name)
    until = box.get_by_label("Holds until").input_value()
    assert until.endswith("-08-31")
    assert until > box.get_by_label("Signed on").input_value()
    box.get_by_label("Signed on").fill("2026-09-01")
    box.get_by_label("Holds until").fill("2026-09-01")
    box.get_by_role("button", name="Note it").click()
    expect(box.get_by_role("alert")).to_contain_text("has to be after")
    box.get_by_label("Holds until").fill("2099-08-31")
    box.get_by_role("button", name="Note it").click()
    for name in names:
        expect(now(page, name)).to_contain_text("Given")
        expect(now(page, name)).to_contain_text("until Aug 31, 2099")
    page.get_by_role("radio", name="Pictures").check()
    expect(now(page, names[0])).to_have_text("Not given")

    page.get_by_role("button", name=f"Consent for {names[1]}").click()
    box = page.get_by_role("dialog", name=names[1])
    expect(box).to_contain_text(f"noted by {demo.teacher.name}")
    withdraw(box, "Publishing").click()
    sure = page.get_by_role("dialog", name=f"Publishing: withdraw the consent for {names[1]}?")
    sure.get_by_role("button", name="Withdraw").click()
    page.get_by_role("radio", name="Publishing").check()
    expect(now(page, names[1])).to_have_text("Withdrawn")
    expect(now(page, names[0])).to_contain_text("Given")

    page.get_by_role("button", name=f"Consent for {names[1]}").click()
    page.get_by_role("button", name="All that was noted").click()
    box = page.get_by_role("dialog", name=names[1])
    expect(box).to_contain_text("Publishing: given on Sep 1, 2026, until Aug 31, 2099")
    expect(box).to_contain_text(f"withdrawn: {demo.teacher.name}")
    page.keyboard.press("Escape")
    [entry] = call(page, demo, "GET", f"/people/{pupils[1][0]}/consents")
    assert entry["state"] == "withdrawn"
    page.get_by_role("link", name="Cards for my class").click()
    expect(page.get_by_role("heading", level=1, name="Cards for my class")).to_be_focused()


def test_with_the_keyboard_alone(teacher: LogsIn, demo: Demo) -> None:
    page = teacher()
    [(_, name)] = new_pupils(page, demo, 1)
    open_consents(page, demo)
    page.get_by_role("radio", name="Account").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", level=2, name="Pictures")).to_be_visible()
    page.get_by_label(f"Choose {name}").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Given on paper …").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Holds until").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(now(page, name)).to_contain_text("Given")


def test_the_partner_sees_only_pupils_of_their_own_school(
    teacher: LogsIn, logged_in: LogsIn, demo: Demo
) -> None:
    [(_, name)] = new_pupils(teacher(), demo, 1)
    page = logged_in(demo.partner)
    open_consents_of = f"/schools/{demo.partner.school}/pupils#consent"
    page.goto(open_consents_of)
    expect(page.get_by_role("rowheader").first).to_be_visible()
    expect(page.get_by_role("rowheader", name=name)).to_have_count(0)
    page.goto("/")
    page.goto(f"/schools/{demo.teacher.school}/pupils#consent")
    expect(page.get_by_role("alert")).to_contain_text("not here any more")
    expect(page.get_by_role("table")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_how_it_looks(
    teacher: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: str,
    scheme: str,
) -> None:
    page = teacher(viewport=SIZES[size], color_scheme=scheme)
    pupils = new_pupils(page, demo, 6)
    ids = [person for person, _ in pupils]
    note(page, demo, ids, "account", "2026-09-01", "2099-08-31")
    note(page, demo, ids[:4], "image", "2026-09-01", None)
    note(page, demo, ids[:1], "publication", "2025-09-01", "2026-08-31")
    note(page, demo, ids[1:4], "publication", "2026-09-01", "2099-08-31")
    call(page, demo, "PUT", f"/people/{ids[1]}/consents/publication/withdrawn", {})

    def look(what: str) -> None:
        page.screenshot(path=artifact(f"consent-{what}-{size}-{scheme}.png"))
        axe(page, f"{what}, {size}, {scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{what} is too wide"

    open_consents(page, demo)
    expect(row(page, pupils[0][1])).to_be_visible()
    look("top")
    page.get_by_role("radio", name="Publishing").check()
    for _, name in pupils[3:5]:
        page.get_by_label(f"Choose {name}").check()
    row(page, pupils[2][1]).scroll_into_view_if_needed()
    look("chosen")
    page.get_by_role("button", name="Given on paper …").click()
    look("record")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Consent for {pupils[1][1]}").click()
    page.get_by_role("button", name="All that was noted").click()
    expect(page.get_by_role("dialog")).to_contain_text("withdrawn:")
    look("pupil")
    withdraw(page.get_by_role("dialog"), "Account").click()
    look("withdraw")
