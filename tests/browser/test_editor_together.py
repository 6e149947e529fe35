"""Several people on one page: they see each other, nothing is lost, and undo takes back one's own only."""

from __future__ import annotations

from conftest import LogsIn
from demo_server import Demo
from editor_page import blocks, editor, expect_blocks, expect_same, make_page, open_editor, pill, tool, write
from playwright.sync_api import expect


def test_two_people_type_at_once_and_see_each_other(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, rui = teacher(), student(1)
    path = make_page(ana, demo, "Together")
    open_editor(ana, path)
    open_editor(rui, path)
    write(ana, "The Ebro is long.")
    expect_blocks(rui, "The Ebro is long.")
    editor(ana).click()
    ana.keyboard.press("Control+Home")
    write(rui, " ")
    expect(pill(rui)).to_have_text("Saved")
    ana.keyboard.press("Control+Home")
    for left, right in zip("Together: ", "Long, too!", strict=True):
        ana.keyboard.type(left)
        rui.keyboard.type(right)
    for page in (ana, rui):
        expect(pill(page)).to_have_text("Saved")
    seen = " ".join(expect_same(ana, rui))
    assert seen.startswith("Together: ")
    assert "The Ebro is long." in seen
    assert "Long, too!" in seen
    assert demo.students[1].name in (ana.locator(".caret-name").text_content() or "")
    assert demo.teacher.name in (rui.locator(".caret-name").text_content() or "")


def test_carets_of_others_are_decoration(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, rui = teacher(), student(1)
    path = make_page(ana, demo, "Carets")
    open_editor(ana, path)
    open_editor(rui, path)
    write(rui, "Some words to select")
    rui.keyboard.press("Control+a")
    caret = ana.locator(".caret")
    expect(caret).to_have_count(1)
    assert caret.get_attribute("aria-hidden") == "true"
    expect(ana.locator(".theirs")).to_have_text("Some words to select")
    color = caret.evaluate("(each) => getComputedStyle(each).borderInlineStartColor")
    assert color != ana.locator("h1").first.evaluate("(each) => getComputedStyle(each).color")
    expect(ana.locator(".caret.named")).to_have_count(0)
    rui.close()
    expect(caret).to_have_count(0)


def test_the_list_of_people_is_there_on_demand(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, rui = teacher(), student(1)
    path = make_page(ana, demo, "People")
    open_editor(ana, path)
    open_editor(rui, path)
    here = ana.get_by_role("button", name="2 people here")
    expect(ana.locator("ts-editor [role=status]")).to_have_text(f"{demo.students[1].name} is here now.")
    here.click()
    dialog = ana.get_by_role("dialog", name="2 people on this page")
    expect(dialog.locator("li")).to_have_count(2)
    expect(dialog.locator("li").nth(0)).to_contain_text(f"{demo.teacher.name} (you)")
    expect(dialog.locator("li").nth(1)).to_contain_text(demo.students[1].name)
    expect(dialog.locator("li").nth(1)).to_contain_text(f"{demo.schools[1]} · Portugal · Student")
    dialog.get_by_label("Tell my screen reader").uncheck()
    ana.keyboard.press("Escape")
    rui.close()
    expect(ana.get_by_role("button", name="1 person here")).to_be_visible()
    ana.wait_for_timeout(3000)
    expect(ana.locator("ts-editor [role=status]")).to_have_text(f"{demo.students[1].name} is here now.")


def test_undo_takes_back_my_own_edits_only(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, rui = teacher(), student(1)
    path = make_page(ana, demo, "Undo")
    open_editor(ana, path)
    open_editor(rui, path)
    write(ana, "mine,")
    expect_blocks(rui, "mine,")
    write(rui, "yours")
    expect_blocks(ana, "mine,yours")
    ana.keyboard.press("Control+z")
    expect_blocks(rui, "yours")
    expect(tool(ana, "Undo my last change")).to_have_attribute("aria-disabled", "true")
    ana.keyboard.press("Control+z")
    ana.keyboard.press("Control+Shift+z")
    expect_blocks(rui, "mine,yours")
    tool(rui, "Undo my last change").click()
    expect_blocks(ana, "mine,")
    assert expect_same(ana, rui) == ["mine,"]


def test_a_paragraph_that_somebody_else_wrote_in_survives_my_undo(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, rui = teacher(), student(1)
    path = make_page(ana, demo, "Undo a paragraph")
    open_editor(ana, path)
    open_editor(rui, path)
    write(ana, "first")
    ana.wait_for_timeout(700)
    ana.keyboard.press("Enter")
    ana.wait_for_timeout(700)
    expect(rui.locator("ts-editor .ed-page p")).to_have_count(2)
    write(rui, "from Rui")
    expect_blocks(ana, "first", "from Rui")
    ana.keyboard.press("Control+z")
    ana.keyboard.press("Control+z")
    expect(pill(ana)).to_have_text("Saved")
    assert "from Rui" in " ".join(expect_same(ana, rui))


def test_late_comers_find_everything(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana = teacher()
    path = make_page(ana, demo, "Late")
    open_editor(ana, path)
    write(ana, "# Heading\n")
    ana.keyboard.type("- one\ntwo\n\n")
    ana.keyboard.type("the end")
    expect(pill(ana)).to_have_text("Saved")
    rui = student(1)
    open_editor(rui, path)
    assert blocks(rui) == blocks(ana) == ["Heading", "one two", "the end"]
    expect(rui.locator(".caret")).to_have_count(1)


def test_my_caret_stays_where_i_put_it_while_others_write(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, rui = teacher(), student(1)
    path = make_page(ana, demo, "Carets hold")
    open_editor(ana, path)
    open_editor(rui, path)
    write(ana, "middle")
    ana.keyboard.press("Enter")
    expect(rui.locator("ts-editor .ed-page p")).to_have_count(2)
    editor(ana).locator("p").nth(0).click()
    rui.evaluate(
        """() => {
            const {view} = document.querySelector('ts-editor');
            const type = () => view.dispatch(view.state.tr.insertText('r', view.state.doc.content.size - 1));
            window.typing = setInterval(type, 8);
        }"""
    )
    for _ in range(25):
        ana.keyboard.press("Home")
        ana.keyboard.type("x")
        ana.keyboard.press("End")
        ana.keyboard.type("y")
    rui.evaluate("clearInterval(window.typing)")
    expect(pill(ana)).to_have_text("Saved")
    first = expect_same(ana, rui)[0]
    assert first == "x" * 25 + "middle" + "y" * 25
