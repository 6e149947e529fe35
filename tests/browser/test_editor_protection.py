"""Protected blocks in the editor: a teacher and two pupils on one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn, Watch
from demo_server import Demo
from editor_page import (
    SCRIPT_OF_BLOCKS,
    blocks,
    durable,
    editor,
    expect_words,
    make_page,
    open_editor,
    pill,
    tool,
    write,
)
from playwright.sync_api import Page, expect

ORDER = f"(wanted) => JSON.stringify(({SCRIPT_OF_BLOCKS})().filter(Boolean)) === JSON.stringify(wanted)"
RULES = "Rules: be kind."
IDEAS = "Ideas of everybody."


def words(page: Page) -> list[str]:
    return [block for block in blocks(page) if block]


PUT_CARET = """([text, end]) => {
    const { view } = document.querySelector('ts-editor');
    const { state } = view;
    let at = -1;
    state.doc.descendants((node, pos) => {
        if (node.isTextblock && node.textContent === text) at = end ? pos + node.nodeSize - 1 : pos + 1;
    });
    if (at < 0) return false;
    view.focus();
    view.dispatch(state.tr.setSelection(state.selection.constructor.near(state.doc.resolve(at))));
    return true;
}"""


def put_caret(page: Page, text: str, *, end: bool = True) -> None:
    """At the end, or the beginning, of the block of these words; waits for it to be there."""
    page.wait_for_function(PUT_CARET, arg=[text, end])


def protect(page: Page, choice: str) -> None:
    tool(page, "Protect this block").click()
    dialog = page.get_by_role("dialog", name="Who may change this block?")
    dialog.get_by_role("radio", name=choice, exact=True).check()
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(pill(page)).to_have_text("Saved")


def prepared(teacher: LogsIn, demo: Demo) -> tuple[Page, str]:
    """A page with rules that are protected by the teacher, and ideas."""
    ana = teacher()
    path = make_page(ana, demo, "Our rules")
    open_editor(ana, path)
    write(ana, RULES)
    ana.keyboard.press("Enter")
    ana.keyboard.type(IDEAS)
    put_caret(ana, RULES)
    protect(ana, "Only teachers")
    expect(editor(ana).get_by_role("img", name="Protected by the teachers")).to_have_count(1)
    return ana, path


def test_pupils_cannot_change_what_a_teacher_protects_and_write_around_it(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, path = prepared(teacher, demo)
    pupil, other = student(0), student(1)
    for page in (pupil, other):
        open_editor(page, path)
        expect(editor(page).get_by_role("img", name="Protected by the teachers")).to_have_count(1)
    put_caret(pupil, RULES)
    pupil.keyboard.type("x")
    expect(pupil.locator(".ed-hint")).to_contain_text("This block is protected.")
    for key in ("Backspace", "Delete", "Control+b"):
        pupil.keyboard.press(key)
    expect(tool(pupil, "Protect this block")).to_have_attribute("aria-disabled", "true")
    assert words(pupil) == [RULES, IDEAS]
    # The caret moves, and what is protected can be selected and copied.
    put_caret(pupil, RULES, end=False)
    pupil.keyboard.press("Shift+End")
    # (Where another's caret stands, there are word joiners around a name that nobody can select.)
    assert pupil.evaluate("getSelection().toString()").replace("\u2060", "") == RULES
    pupil.keyboard.type("y")
    assert words(pupil) == [RULES, IDEAS]
    # The neighbour may be written, but not joined with it; Enter goes on below.
    put_caret(pupil, IDEAS, end=False)
    pupil.keyboard.press("Backspace")
    pupil.keyboard.type("New: ")
    put_caret(pupil, RULES)
    pupil.keyboard.press("Enter")
    pupil.keyboard.type("And patient.")
    expect(pill(pupil)).to_have_text("Saved")
    for page in (pupil, other):
        page.wait_for_function(ORDER, arg=[RULES, "And patient.", f"New: {IDEAS}"])
    # Everything selected: what is protected stays, and nothing else is lost by half.
    pupil.keyboard.press("Control+a")
    pupil.keyboard.press("Delete")
    assert words(pupil) == [RULES, "And patient.", f"New: {IDEAS}"]
    # A teacher makes it a heading, and it is as protected as before.
    put_caret(ana, RULES)
    ana.locator("[data-tool=style]").select_option("heading1")
    expect(editor(other).locator("h2.ed-guarded")).to_contain_text(RULES)
    put_caret(other, RULES)
    other.keyboard.type("z")
    expect(other.locator(".ed-hint")).to_be_visible()
    assert durable(ana, path).count(RULES) == 1
    # And takes the protection away again.
    put_caret(ana, RULES)
    protect(ana, "Everybody who may write on this page")
    expect(editor(other).locator(".ed-lock")).to_have_count(0)
    other.keyboard.type("!")
    expect_words(ana, f"{RULES}!")


def test_a_pupil_protects_their_own_words(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana = teacher()
    path = make_page(ana, demo, "My words")
    pupil, other = student(0), student(1)
    open_editor(pupil, path)
    write(pupil, "Mine alone.")
    protect(pupil, "Only I and the teachers")
    expect(editor(pupil).get_by_role("img", name="Protected by you")).to_have_count(1)
    open_editor(other, path)
    open_editor(ana, path)
    name = pupil.evaluate("document.querySelector('ts-editor').me.name")
    for page in (other, ana):
        expect(editor(page).get_by_role("img", name=f"Protected by {name}")).to_have_count(1)
    put_caret(other, "Mine alone.")
    other.keyboard.type("no")
    expect(other.locator(".ed-hint")).to_be_visible()
    other.keyboard.press("Enter")
    other.keyboard.type("Somebody else.")
    expect(pill(other)).to_have_text("Saved")
    put_caret(ana, "Mine alone.")
    ana.keyboard.type(" Well said.")
    expect_words(pupil, "Mine alone. Well said.")
    # Opened anew, under another client id, it is still theirs; and the words of others are not.
    open_editor(pupil, path)
    expect(editor(pupil).get_by_role("img", name="Protected by you")).to_have_count(1)
    put_caret(pupil, "Mine alone. Well said.")
    pupil.keyboard.type(" Thanks.")
    expect(pill(pupil)).to_have_text("Saved")
    put_caret(pupil, "Somebody else.")
    tool(pupil, "Protect this block").click()
    expect(pupil.get_by_role("dialog")).to_contain_text("You can protect only what you began yourself.")
    pupil.keyboard.press("Escape")
    put_caret(pupil, "Mine alone. Well said. Thanks.")
    protect(pupil, "Everybody who may write on this page")
    expect(editor(other).locator(".ed-lock")).to_have_count(0)


def test_words_written_while_a_block_was_being_protected_are_offered_as_a_copy(
    teacher: LogsIn, student: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("WebSocket connection")
    ana = teacher()
    path = make_page(ana, demo, "Protected while away")
    open_editor(ana, path)
    write(ana, RULES)
    pupil = student(0)
    open_editor(pupil, path)
    expect_words(pupil, RULES)
    pupil.evaluate("() => { document.querySelector('ts-editor').socket.disconnect(); }")
    expect(pill(pupil)).to_have_text("Offline")
    write(pupil, " Or not.")
    expect(pill(pupil)).to_have_text("Offline, kept on this device")
    protect(ana, "Only teachers")
    pupil.evaluate("() => { document.querySelector('ts-editor').socket.connect(); }")
    expect(pill(pupil)).to_have_text("Not saved")
    expect(pupil.locator(".ed-note")).to_contain_text("touches a protected block")
    assert words(pupil) == [f"{RULES} Or not."]
    pupil.get_by_role("button", name="Show the saved page").click()
    expect(pill(pupil)).to_have_text("Saved")
    assert words(pupil) == [RULES]
    put_caret(pupil, RULES)
    pupil.keyboard.type("x")
    expect(pupil.locator(".ed-hint")).to_be_visible()
    # A tap below it begins a block of its own.
    write(pupil, "Below.")
    expect(pill(pupil)).to_have_text("Saved")
    assert words(pupil) == [RULES, "Below."]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_how_it_looks(
    teacher: LogsIn,
    student: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    viewport: dict[str, int],
    scheme: str,
) -> None:
    ana, path = prepared(teacher, demo)
    put_caret(ana, IDEAS)
    ana.keyboard.press("Enter")
    ana.locator("[data-tool=bullet_list]").click()
    ana.keyboard.type("First")
    ana.keyboard.press("Enter")
    ana.keyboard.type("Second")
    protect(ana, "Only teachers")
    pupil = student(0, viewport=viewport, color_scheme=scheme)
    open_editor(pupil, path)
    put_caret(pupil, RULES)
    pupil.keyboard.type("x")
    expect(pupil.locator(".ed-hint")).to_be_visible()
    name = f"protected-{'phone' if viewport is PHONE else 'desktop'}-{scheme}"
    axe(pupil, name)
    pupil.screenshot(path=artifact(f"{name}.png"))
    put_caret(pupil, IDEAS)
    tool(pupil, "Protect this block").click()
    expect(pupil.get_by_role("dialog")).to_be_visible()
    axe(pupil, f"{name}-dialog")
    pupil.screenshot(path=artifact(f"{name}-dialog.png"))
