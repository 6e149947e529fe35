"""Every tool works with a thumb on a phone and with a keyboard, and has a name."""

from __future__ import annotations

import re
from collections.abc import Callable

from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo
from editor_page import blocks, editor, expect_blocks, make_page, move, open_editor, pill, tool, write
from playwright.sync_api import Page, expect


def html(page: Page) -> str:
    """The page as HTML, without what the editor itself adds."""
    return page.evaluate(
        """() => {
            const copy = document.querySelector('.ed-page').cloneNode(true);
            const own = '.caret, .ProseMirror-separator, .ProseMirror-trailingBreak';
            for (const each of copy.querySelectorAll(own)) each.remove();
            const names = ['contenteditable', 'draggable', 'style', 'rel', 'target'];
            for (const each of copy.querySelectorAll('*'))
                for (const name of names) each.removeAttribute(name);
            return copy.innerHTML;
        }"""
    )


def style(page: Page, name: str) -> None:
    page.get_by_label("Style of the text").select_option(label=name)


def test_every_tool_at_phone_width(teacher: LogsIn, demo: Demo) -> None:
    page = teacher(viewport=PHONE, has_touch=True)
    open_editor(page, make_page(page, demo, "Tools on a phone"))
    editor(page).tap()
    for name, tag in (("Heading", "h2"), ("Subheading", "h3"), ("Small heading", "h4"), ("Code", "pre")):
        style(page, name)
        page.keyboard.type(name)
        expect(editor(page).locator(tag)).to_have_text(name)
        style(page, "Text")
        page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    for name, tag in (
        ("Bold", "strong"),
        ("Italic", "em"),
        ("Underlined", "u"),
        ("Crossed out", "s"),
        ("Code in the line", "code"),
    ):
        tool(page, name).tap()
        page.keyboard.type(tag)
        expect(editor(page).locator(tag)).to_have_text(tag)
        expect(tool(page, name)).to_have_attribute("aria-pressed", "true")
        tool(page, name).tap()
        expect(tool(page, name)).to_have_attribute("aria-pressed", "false")
        page.keyboard.type(" ")
    page.keyboard.press("Enter")
    for name, found in (
        ("List with dots", "ul:not([data-tasks]) > li"),
        ("List with numbers", "ol > li"),
        ("List of tasks", "ul[data-tasks] > li"),
    ):
        tool(page, name).tap()
        page.keyboard.type(name)
        expect(editor(page).locator(found)).to_have_text(name)
        page.keyboard.press("Enter")
        page.keyboard.type("inner")
        tool(page, "Move to the right").tap()
        expect(editor(page).locator(f"{found} li")).to_have_text("inner")
        tool(page, "Move to the left").tap()
        expect(editor(page).locator(found)).to_have_count(2)
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
    tool(page, "Quote").tap()
    page.keyboard.type("quoted")
    expect(editor(page).locator("blockquote")).to_have_text("quoted")
    tool(page, "Quote").tap()
    expect(editor(page).locator("blockquote")).to_have_count(0)
    tool(page, "Dividing line").tap()
    expect(editor(page).locator("hr")).to_have_count(1)
    expect(pill(page)).to_have_text("Saved")
    for name, left in (("Undo my last change", 0), ("Do it again", 1)):
        while tool(page, name).get_attribute("aria-disabled") is None:
            tool(page, name).tap()
            page.wait_for_timeout(150)  # The tools follow after a moment.
        expect(editor(page).locator("hr")).to_have_count(left)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_lists_change_into_one_another(teacher: LogsIn, demo: Demo) -> None:
    page = teacher(viewport=PHONE)
    open_editor(page, make_page(page, demo, "Lists"))
    write(page, "- one\ntwo")
    tool(page, "List of tasks").click()
    expect(editor(page).locator("ul[data-tasks] > li")).to_have_text(["one", "two"])
    editor(page).get_by_role("checkbox", name="Done: one").check()
    expect(editor(page).locator("li").first).to_have_attribute("data-checked", "true")
    tool(page, "List with numbers").click()
    expect(editor(page).locator("ol > li")).to_have_text(["one", "two"])
    tool(page, "List with numbers").click()
    expect(editor(page).locator("ol > li")).to_have_text(["one"])
    expect_blocks(page, "one", "two")


def test_a_table_is_made_and_changed(teacher: LogsIn, demo: Demo) -> None:
    page = teacher(viewport=PHONE)
    open_editor(page, make_page(page, demo, "Tables"))
    write(page, "above\n")
    tool(page, "Table").click()
    rows, heads = editor(page).locator("tr"), editor(page).locator("th")
    expect(rows).to_have_count(3)
    expect(heads).to_have_count(3)
    for words in ("River", "Place", "Otters", "Ebro", "Zaragoza", "3"):
        page.keyboard.type(words)
        page.keyboard.press("Tab")
    expect(editor(page).locator("td")).to_have_text(["Ebro", "Zaragoza", "3", "", "", ""])
    expect(tool(page, "Table")).to_have_attribute("aria-disabled", "true")
    for name, count in (
        ("New row above", 4),
        ("New row below", 5),
        ("Delete the row", 4),
    ):
        tool(page, name).click()
        expect(rows).to_have_count(count)
    tool(page, "New column before").click()
    expect(heads).to_have_count(4)
    tool(page, "New column after").click()
    expect(heads).to_have_count(5)
    tool(page, "Delete the column").click()
    expect(heads).to_have_count(4)
    tool(page, "First row is a heading").click()
    expect(heads).to_have_count(0)
    tool(page, "Delete the table").click()
    expect(editor(page).locator("table")).to_have_count(0)
    expect(pill(page)).to_have_text("Saved")
    assert blocks(page)[0] == "above"


def test_a_tap_below_the_last_block_goes_on_writing(teacher: LogsIn, demo: Demo) -> None:
    page = teacher(viewport=PHONE, has_touch=True)
    open_editor(page, make_page(page, demo, "Below"))
    editor(page).click()
    style(page, "Code")
    page.keyboard.type("let x = 1")
    box = editor(page).bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 40, box["y"] + 200)
    page.keyboard.type("and on")
    expect_blocks(page, "let x = 1", "and on")


def test_a_link_is_made_changed_and_removed(teacher: LogsIn, demo: Demo) -> None:
    page = teacher(viewport=PHONE)
    open_editor(page, make_page(page, demo, "Links"))
    write(page, "See ")
    tool(page, "Link").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Address").fill("javascript:alert(1)")
    dialog.get_by_role("button", name="Add the link").click()
    expect(dialog.get_by_role("alert")).to_contain_text("no address that a link can lead to")
    dialog.get_by_label("Address").fill("www.example.org/otter")
    dialog.get_by_label("Words to show").fill("our map")
    dialog.get_by_role("button", name="Add the link").click()
    link = editor(page).get_by_role("link", name="our map")
    expect(link).to_have_attribute("href", "https://www.example.org/otter")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    page.keyboard.press("ArrowLeft")
    expect(tool(page, "Link")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Control+k")
    dialog.get_by_label("Address").fill("ana@school.example")
    page.keyboard.press("Enter")
    expect(link).to_have_attribute("href", "mailto:ana@school.example")
    page.keyboard.press("Control+k")
    dialog.get_by_role("button", name="Remove the link").click()
    expect(link).to_have_count(0)
    expect_blocks(page, "See our map")


def test_an_image_asks_for_the_words_that_describe_it(teacher: LogsIn, demo: Demo) -> None:
    page = teacher(viewport=PHONE)
    page.route(
        "https://pictures.example/*", lambda route: route.fulfill(body=PIXEL, content_type="image/png")
    )
    open_editor(page, make_page(page, demo, "Images"))
    editor(page).click()
    tool(page, "Image").click()
    dialog = page.get_by_role("dialog", name="Add an image")
    dialog.get_by_label("Address of the image").fill("http://pictures.example/otter.png")
    dialog.get_by_label("What does the image show?").fill("An otter on a stone")
    dialog.get_by_role("button", name="Add the image").click()
    expect(dialog.get_by_role("alert")).to_contain_text("has to begin with https://")
    dialog.get_by_label("Address of the image").fill("https://pictures.example/otter.png")
    dialog.get_by_label("What does the image show?").fill("")
    dialog.get_by_role("button", name="Add the image").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Write what the image shows")
    dialog.get_by_label("What does the image show?").fill("An otter on a stone")
    dialog.get_by_role("button", name="Add the image").click()
    image = editor(page).get_by_role("img", name="An otter on a stone")
    expect(image).to_have_attribute("src", "https://pictures.example/otter.png")
    image.click()
    tool(page, "Image").click()
    change = page.get_by_role("dialog", name="Change the image")
    expect(change.get_by_label("What does the image show?")).to_have_value("An otter on a stone")
    change.get_by_label("What does the image show?").fill("An otter asleep")
    change.get_by_role("button", name="Save the image").click()
    expect(editor(page).get_by_role("img", name="An otter asleep")).to_have_count(1)
    expect(pill(page)).to_have_text("Saved")


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


def test_the_keyboard_goes_everywhere_and_is_never_caught(teacher: LogsIn, demo: Demo) -> None:
    page = teacher(viewport=DESKTOP)
    open_editor(page, make_page(page, demo, "Keys"))
    write(page, "word")
    focused = "document.activeElement.dataset.tool ?? document.activeElement.className"
    page.keyboard.press("Alt+F10")
    assert page.evaluate(focused) == "style"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "undo"
    page.keyboard.press("End")
    assert page.evaluate(focused) == "protect"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "style"
    assert page.locator(".ed-tools [tabindex='0']").count() == 1
    page.keyboard.press("Escape")
    assert "ed-page" in page.evaluate(focused)
    for keys, tag in (("b", "strong"), ("i", "em"), ("u", "u"), ("Shift+x", "s"), ("e", "code")):
        page.keyboard.press("Control+a")
        page.keyboard.press(f"Control+{keys}")
        expect(editor(page).locator(tag)).to_have_text("word")
    page.keyboard.press("Control+Alt+2")
    expect(editor(page).locator("h3")).to_have_text("word")
    page.keyboard.press("Control+Alt+0")
    page.keyboard.press("Control+Shift+8")
    expect(editor(page).locator("ul > li")).to_have_text("word")
    move(page, "End")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(editor(page).locator("ul ul")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    assert "ed-page" not in page.evaluate(focused)
    page.get_by_role("button", name="Writing with the keyboard").click()
    expect(page.get_by_role("dialog")).to_contain_text("Ctrl+Shift+Z")


def test_what_is_typed_at_the_start_of_a_line_makes_styles(teacher: LogsIn, demo: Demo) -> None:
    page = teacher()
    open_editor(page, make_page(page, demo, "Typed"))
    write(page, "# Title\n")
    page.keyboard.type("## Part\n")
    page.keyboard.type("3. three\nfour\n\n")
    page.keyboard.type("[] task\n\n")
    page.keyboard.type("> said\n\n")
    page.keyboard.type("---")
    page.keyboard.type("see https://example.org/a now")
    expect(pill(page)).to_have_text("Saved")
    assert html(page) == (
        '<h2 data-level="1">Title</h2><h3 data-level="2">Part</h3>'
        '<ol start="3"><li><p>three</p></li><li><p>four</p></li></ol>'
        '<ul data-tasks=""><li data-checked="false"><input type="checkbox" aria-label="Done: task">'
        "<div><p>task</p></div></li></ul>"
        "<blockquote><p>said</p></blockquote><hr>"
        '<p>see <a href="https://example.org/a">https://example.org/a</a> now</p>'
    )


def test_axe_finds_nothing(teacher: LogsIn, demo: Demo, axe: Callable[[Page, str], None]) -> None:
    page = teacher(viewport=PHONE)
    open_editor(page, make_page(page, demo, "Axe"))
    axe(page, "an empty page")
    write(page, "# Title\n")
    page.keyboard.type("[] a task\n\n> a quote\n\n")
    tool(page, "Table").click()
    for words in ("River", "Place", "Otters", "Ebro"):
        page.keyboard.type(words)
        page.keyboard.press("Tab")
    axe(page, "a full page")
    tool(page, "Image").click()
    axe(page, "the image dialog")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="1 person here").click()
    axe(page, "the people dialog")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Writing with the keyboard").click()
    axe(page, "the help")
