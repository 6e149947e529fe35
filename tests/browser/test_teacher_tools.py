"""What teachers do on pages: stop somebody from writing, see who wrote what, take it back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo
from editor_page import ask, blocks, editor, expect_words, make_page, move, open_editor, write
from playwright.sync_api import Page, expect


def fresh_page(teacher: Page, demo: Demo) -> str:
    return make_page(teacher, demo, f"Page {uuid.uuid4().hex[:6]}")


def manage(teacher: Page, demo: Demo, name: str, action: str) -> None:
    teacher.goto(f"/spaces/{demo.space}/members")
    teacher.get_by_role("button", name=f"What to do with {name}").click()
    teacher.get_by_role("dialog").get_by_role("button", name=action).click()


def test_a_pupil_is_muted_for_five_minutes_and_writes_again(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    name = demo.students[0].name
    path = fresh_page(ana, demo)
    open_editor(brave, path)
    manage(ana, demo, name, "Stop from writing")
    dialog = ana.get_by_role("dialog")
    dialog.get_by_role("radio", name="5 minutes", exact=True).check()
    dialog.get_by_label("Why?").fill("Let the others speak")
    dialog.get_by_role("button", name="Stop from writing").click()
    expect(editor(brave)).to_have_attribute("contenteditable", "false")
    expect(
        brave.get_by_text(re.compile(r"You can read, but not write until \d.*\. Ask your teacher\."))
    ).to_be_visible()
    assert "Let the others speak" not in brave.content()
    row = ana.get_by_role("listitem").filter(has_text=name)
    expect(row.get_by_text("may not write until")).to_be_visible()
    manage(ana, demo, name, "Let write again")
    expect(editor(brave)).to_have_attribute("contenteditable", "true")
    expect(brave.get_by_text("You can read, but not write")).to_have_count(0)
    expect(row.get_by_text("may not write until")).to_have_count(0)


def test_who_wrote_a_sentence_is_told_with_mouse_and_keyboard(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    path = fresh_page(ana, demo)
    open_editor(brave, path)
    write(brave, "The Ebro is long. ")
    open_editor(quick, path)
    expect_words(quick, "The Ebro is long.")
    write(quick, "The Douro is wide.")
    open_editor(ana, path)
    expect_words(ana, "The Douro is wide.")
    editor(ana).click()
    ana.keyboard.press("Control+Home")
    ana.locator(".page-tools").get_by_role("button", name="Who wrote this?").click()
    panel = ana.get_by_role("region", name="Who wrote what")
    said = panel.get_by_role("status")
    expect(said).to_have_text(f"{demo.students[0].name} wrote: “The Ebro is long.”")
    for person, school in zip(demo.students[:2], demo.schools[:2], strict=True):
        expect(panel.get_by_text(person.name, exact=True)).to_be_visible()
        expect(panel.get_by_role("heading", name=school)).to_be_visible()
    editor(ana).focus()
    ana.keyboard.press("Control+End")
    expect(said).to_have_text(f"{demo.students[1].name} wrote: “The Douro is wide.”")
    words = editor(ana).get_by_text("The Ebro is long").bounding_box()
    assert words
    ana.mouse.move(words["x"] + 20, words["y"] + 12)
    expect(said).to_have_text(f"{demo.students[0].name} wrote: “The Ebro is long.”")


def test_a_pupils_last_ten_minutes_are_undone_while_three_write(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick, third = teacher(), student(0), student(1), student(2)
    path = fresh_page(ana, demo)
    for page, words in (
        (quick, "Rivers of Spain. "),
        (brave, "NONSENSE everywhere. "),
        (third, "The Duero."),
    ):
        open_editor(page, path)
        write(page, words)
        expect_words(ana if page is ana else page, words.strip())
        page.wait_for_timeout(500)
    open_editor(ana, path)
    expect_words(ana, "NONSENSE everywhere.")
    ana.get_by_role("button", name="Who wrote this?").first.click()
    ana.get_by_role("button", name=f"Undo what {demo.students[0].name} did here").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("The last 10 minutes").check()
    dialog.get_by_role("button", name="Show what will go").click()
    expect(dialog.locator("del")).to_have_text("Goes: NONSENSE everywhere.")
    expect(dialog.get_by_text("Rivers of Spain.")).to_be_visible()
    write(quick, " Mine")
    expect(editor(third)).to_contain_text("Mine")
    dialog.get_by_role("button", name="Undo", exact=True).click()
    write(third, " and mine")
    expect(ana.get_by_text(f"What {demo.students[0].name} did here is undone.")).to_be_visible()
    expect(editor(quick)).to_contain_text("and mine")
    write(quick, " stay.")
    for page in (ana, brave, quick, third):
        expect(editor(page)).not_to_contain_text("NONSENSE")
        for words in ("Rivers of Spain.", "The Duero.", "Mine", "and mine", "stay."):
            expect(editor(page)).to_contain_text(words)
    assert blocks(ana) == blocks(third)


def test_an_undo_that_is_no_longer_what_was_seen_is_shown_anew(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    path = fresh_page(ana, demo)
    open_editor(brave, path)
    write(brave, "NONSENSE")
    expect_words(brave, "NONSENSE")
    open_editor(quick, path)
    expect_words(quick, "NONSENSE")
    manage(ana, demo, demo.students[0].name, "Undo what they did")
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("On which page?").select_option(path.rpartition("/")[2])
    dialog.get_by_role("button", name="Show what will go").click()
    expect(dialog.locator("del")).to_have_text("Goes: NONSENSE")
    write(quick, " is not so")
    move(quick, "Home")
    for _ in "NON":
        quick.keyboard.press("Delete")
    expect(editor(brave)).not_to_contain_text("NSENSE")  # which has the words, too
    expect_words(brave, "SENSE is not so")  # what others see is in the log
    dialog.get_by_role("button", name="Undo", exact=True).click()
    expect(dialog.get_by_text("It has changed meanwhile")).to_be_visible()
    expect(dialog.locator("del")).to_have_text("Goes: SENSE")
    expect(dialog.get_by_text("Others have written 10 characters in it since then.")).to_be_visible()
    expect(dialog.get_by_text("Others have already deleted 3 characters")).to_be_visible()
    expect_words(quick, "SENSE is not so")
    dialog.get_by_role("button", name="Undo", exact=True).click()
    expect(editor(quick)).not_to_contain_text("SENSE")
    expect(editor(quick)).to_contain_text("is not so")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_look_of_the_tools(
    teacher: LogsIn,
    student: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: dict[str, int],
    scheme: str,
) -> None:
    ana = teacher(viewport=size, color_scheme=scheme)
    at = f"{size['width']}-{scheme}"

    def look(name: str) -> None:
        ana.screenshot(path=artifact(f"teach-{name}-{at}.png"))
        axe(ana, f"{name} {at}")
        assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"

    ana.goto(demo.page_path)
    ana.get_by_role("button", name="Who wrote this?").first.click()
    expect(ana.get_by_role("region", name="Who wrote what")).to_be_visible()
    look("authors")
    manage(ana, demo, demo.students[0].name, "Stop from writing")
    look("mute")
    ana.keyboard.press("Escape")
    manage(ana, demo, demo.students[0].name, "Undo what they did")
    look("undo")
    ana.keyboard.press("Escape")
    talkative = student(2)
    path = fresh_page(ana, demo)
    open_editor(ana, path)
    write(ana, "The Ebro is 930 km long. It begins in the mountains of Cantabria and it flows to the sea.")
    open_editor(talkative, path)
    expect_words(talkative, "to the sea.")
    editor(talkative).press("Control+Home")
    for _ in "The Ebro":
        talkative.keyboard.press("Delete")
    talkative.keyboard.type("MY DOG")
    write(talkative, " Or not.")
    expect(talkative.locator("ts-editor .ed-pill")).to_have_text("Saved")
    manage(ana, demo, demo.students[2].name, "Undo what they did")
    ana.get_by_label("On which page?").select_option(path.rpartition("/")[2])
    ana.get_by_role("button", name="Show what will go").click()
    expect(ana.locator("dialog ins")).to_be_visible()
    look("undo-preview")
    ana.keyboard.press("Escape")
    room = ask(ana, "GET", f"/api/spaces/{demo.space}")["rooms"][0]["title"]
    ana.goto(f"/spaces/{demo.space}")
    ana.get_by_role("button", name=f"Rules of the room {room}").click()
    look("room")
