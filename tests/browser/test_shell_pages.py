"""The TwinSpace and its pages: who is here, the tree, rules, locks, the bin."""

from __future__ import annotations

import re
import uuid

from conftest import PHONE, LogsIn
from demo_server import Demo
from playwright.sync_api import Locator, Page, expect


def tree(page: Page) -> Locator:
    return page.get_by_role("navigation", name="This TwinSpace")


def make_page(page: Page, title: str | None = None) -> str:
    """Makes a page in the first room through the screen, and is left on it."""
    title = title or f"Page {uuid.uuid4().hex[:6]}"
    tree(page).get_by_role("button", name="New page").first.click()
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Make the page").click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    return title


def manage(page: Page, title: str, action: str) -> None:
    tree(page).get_by_role("button", name=f"What to do with “{title}”").click()
    page.get_by_role("dialog").get_by_role("button", name=action, exact=True).click()


def titles(page: Page) -> list[str]:
    return tree(page).locator(".leaf-title").all_inner_texts()


def test_everybody_here_is_shown_live_by_school(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    here = teacher()
    here.goto(f"/spaces/{demo.space}")
    mine = here.locator(".school", has_text=demo.schools[0])
    theirs = here.locator(".school", has_text=demo.schools[1])
    expect(mine.get_by_text(demo.teacher.name)).to_be_visible()
    expect(theirs.get_by_text("Nobody is here right now.")).to_be_visible()
    guest = student(1)
    guest.goto(demo.page_path)
    person = theirs.locator("li", has_text=demo.students[1].name)
    expect(person).to_be_visible()
    expect(person.get_by_role("link", name=demo.page_title)).to_be_visible()
    guest.close()
    expect(theirs.get_by_text("Nobody is here right now.")).to_be_visible()


def test_a_new_page_appears_for_everybody_at_once(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    reader = student()
    reader.goto(f"/spaces/{demo.space}")
    expect(reader.get_by_role("heading", level=1, name=demo.space_title)).to_be_visible()
    expect(reader.locator(".present li").first).to_be_visible()
    writer = teacher()
    writer.goto(f"/spaces/{demo.space}")
    title = make_page(writer)
    expect(tree(reader).get_by_role("link", name=title)).to_be_visible()
    manage(writer, title, "Rename")
    writer.get_by_label("Title").fill(f"{title} two")
    writer.get_by_role("button", name="Save").click()
    expect(writer.get_by_role("heading", level=1, name=f"{title} two")).to_be_visible()
    expect(tree(reader).get_by_role("link", name=f"{title} two")).to_be_visible()


def test_a_page_made_before_the_reader_listens_is_shown(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    """What changes between the first fetch and the socket's opening is not told: it has to be fetched."""
    reader, held = student(), []
    reader.add_init_script("delete Navigator.prototype.serviceWorker")  # its requests cannot be held
    reader.route(re.compile(r"/collab-[^/]*\.js"), lambda route: held.append(route))
    reader.goto(f"/spaces/{demo.space}")
    expect(reader.get_by_role("heading", level=1, name=demo.space_title)).to_be_visible()
    writer = teacher()
    writer.goto(f"/spaces/{demo.space}")
    title = make_page(writer)
    assert held
    expect(tree(reader).get_by_role("link", name=title)).to_have_count(0)
    for route in held:
        route.continue_()
    expect(tree(reader).get_by_role("link", name=title)).to_be_visible()


def test_pages_move_up_down_and_under_another(teacher: LogsIn, demo: Demo) -> None:
    page = teacher()
    page.goto(f"/spaces/{demo.space}")
    first, second = make_page(page), make_page(page)
    order = [title for title in titles(page) if title in (first, second)]
    assert order == [first, second]
    tree(page).get_by_role("button", name=f"What to do with “{second}”").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Move up").click()
    expect(dialog.locator(".announcer:not(.heard)")).to_have_text(re.compile("Now number"))
    page.keyboard.press("Escape")
    page.wait_for_function(
        """([a, b]) => {
            const all = [...document.querySelectorAll(".side .leaf-title")].map((each) => each.innerText);
            return all.indexOf(b) < all.indexOf(a);
        }""",
        arg=[first, second],
    )
    manage(page, second, "Move to another place")
    page.get_by_label("Put it under").select_option(label=first)
    page.get_by_role("button", name="Save").click()
    nested = tree(page).locator("li", has_text=first).locator("ul").get_by_role("link", name=second)
    expect(nested).to_be_visible()
    expect(
        page.get_by_role("navigation", name="You are here").get_by_role("link", name=first)
    ).to_be_visible()


def test_who_sees_a_page_is_chosen_in_words(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    page, reader = teacher(), student()
    page.goto(f"/spaces/{demo.space}")
    reader.goto(f"/spaces/{demo.space}")
    title = make_page(page)
    link = tree(reader).get_by_role("link", name=title)
    expect(link).to_be_visible()
    manage(page, title, "Who sees it, who writes")
    page.get_by_role("group", name="Who sees this page?").get_by_label("Only teachers").check()
    page.get_by_role("button", name="Save").click()
    expect(link).to_have_count(0)
    expect(tree(page).get_by_role("link", name=re.compile(f"{title}.*Only teachers"))).to_be_visible()


def test_a_lock_shows_its_reason_and_its_end(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    page, reader = teacher(), student(viewport=PHONE)
    page.goto(f"/spaces/{demo.space}")
    make_page(page)
    reader.goto(page.url)
    expect(reader.locator("ts-editor")).to_be_visible()
    page.get_by_role("button", name="Lock", exact=True).click()
    page.get_by_label("Why?").fill("We present it tomorrow")
    page.get_by_label("Until when?").select_option(label="For 45 minutes")
    page.get_by_role("dialog").get_by_role("button", name="Lock", exact=True).click()
    notice = reader.locator(".page > .note")
    expect(notice).to_contain_text(f"{demo.teacher.name} has locked this page until")
    expect(notice).to_contain_text("We present it tomorrow")
    page.get_by_role("button", name="Unlock").click()
    page.get_by_role("dialog").get_by_role("button", name="Unlock").click()
    expect(notice).to_have_count(0)


def test_the_bin_asks_first_and_everybody_is_led_away(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    page, reader = teacher(), student()
    page.goto(f"/spaces/{demo.space}")
    title = make_page(page)
    reader.goto(page.url)
    expect(reader.get_by_role("heading", level=1, name=title)).to_be_visible()
    manage(page, title, "Put in the bin")
    page.get_by_role("button", name="Cancel").click()
    expect(tree(page).get_by_role("link", name=title)).to_be_visible()
    manage(page, title, "Put in the bin")
    page.get_by_role("button", name="Put in the bin").click()
    expect(page).to_have_url(re.compile(f"/spaces/{demo.space}$"))
    expect(tree(page).get_by_role("link", name=title)).to_have_count(0)
    expect(reader.get_by_role("heading", name="This page is not here")).to_be_visible()


def test_a_student_is_offered_nothing_that_would_be_refused(student: LogsIn, demo: Demo) -> None:
    page = student()
    page.goto(demo.page_path)
    expect(page.locator("ts-editor")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Lock|What to do with"))).to_have_count(0)
    page.goto(f"/spaces/{demo.space}/members")
    expect(page.locator(".member-list li").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("What to do with"))).to_have_count(0)


def test_on_a_phone_the_pages_lie_under_the_thumb(student: LogsIn, demo: Demo) -> None:
    page = student(viewport=PHONE)
    page.goto(f"/spaces/{demo.space}")
    bar = page.get_by_role("navigation", name="Main menu")
    bar.get_by_role("button", name="Pages").click()
    page.get_by_role("dialog").get_by_role("link", name=demo.page_title).click()
    expect(page.get_by_role("heading", level=1, name=demo.page_title)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    box = bar.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == PHONE["height"]
