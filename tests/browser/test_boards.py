"""Boards: two pupils of two schools and a teacher put up, write and move cards at once; who may what."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from board_page import (
    add_card,
    add_column,
    card,
    column,
    drag,
    expect_board,
    hold,
    make_board,
    open_board,
    pill,
    read,
)
from conftest import DESKTOP, PHONE, LogsIn, Watch
from demo_server import Demo
from editor_page import ask, page_id
from playwright.sync_api import Page, expect
from pycrdt import XmlElement, XmlFragment, XmlText
from test_editor_hostile import MARKUP, RUN, attack, element, put


def furnished(teacher: LogsIn, student: LogsIn, demo: Demo, title: str) -> tuple[Page, Page, Page, str]:
    """A teacher and pupils of two schools on a board of two columns, with a card of each of them."""
    ana, eva, rui = teacher(), student(0), student(1)
    path = make_board(ana, demo, title)
    open_board(ana, path)
    add_column(ana, "Ideas")
    add_column(ana, "Done")
    add_card(ana, "Ideas", "Count otters")
    for page in (eva, rui):
        open_board(page, path)
    add_card(eva, "Ideas", "Draw a map")
    expect(card(rui, "Draw a map")).to_be_visible()
    add_card(rui, "Ideas", "Ask the fishers")
    expect_board({"Ideas": ["Count otters", "Draw a map", "Ask the fishers"], "Done": []}, ana, eva, rui)
    return ana, eva, rui, path


def test_the_dialog_for_a_new_page_offers_a_board(
    teacher: LogsIn, demo: Demo, artifact: Callable[[str], Path]
) -> None:
    ana = teacher()
    ana.goto(f"/spaces/{demo.space}")
    ana.get_by_role("button", name="New page").first.click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Plans of the class")
    dialog.get_by_text("Board: cards in columns").click()
    ana.screenshot(path=artifact("board-new.png"))
    dialog.get_by_role("button", name="Make the page").click()
    expect(ana.locator("ts-board")).to_contain_text("There is nothing on this board yet.")
    expect(pill(ana)).to_have_text("Saved")
    link = ana.get_by_role("navigation").get_by_role("link", name="Plans of the class")
    expect(link.first).to_contain_text("Board")
    # From a board to a page of text and back.
    ana.get_by_role("link", name=demo.page_title).first.click()
    expect(ana.locator("ts-editor .ed-page")).to_be_visible()
    link.first.click()
    expect(ana.locator("ts-board .bd-tools")).to_be_visible()


def test_three_people_write_and_move_at_once(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, eva, rui, path = furnished(teacher, student, demo, "Plans")
    drag(eva, "Draw a map", "Done", 0)
    expect(card(eva, "Draw a map")).to_be_focused()
    expect(eva.locator(".announcer.heard").first).to_have_text("Moved to Done, 1 of 1.")
    expect_board({"Ideas": ["Count otters", "Ask the fishers"], "Done": ["Draw a map"]}, ana, eva, rui)
    # By the keyboard.
    card(rui, "Ask the fishers").focus()
    rui.keyboard.press("Alt+ArrowUp")
    expect(rui.locator(".announcer.heard").first).to_have_text("Moved to Ideas, 1 of 2.")
    expect_board({"Ideas": ["Ask the fishers", "Count otters"], "Done": ["Draw a map"]}, ana, eva, rui)
    rui.keyboard.press("Alt+ArrowRight")
    expect_board({"Ideas": ["Count otters"], "Done": ["Ask the fishers", "Draw a map"]}, ana, eva, rui)
    expect(card(rui, "Ask the fishers")).to_be_focused()
    # By the menu; a teacher moves anybody's card.
    card(ana, "Draw a map").get_by_role("button", name="More: Draw a map").click()
    ana.get_by_role("button", name="Move to …").click()
    ana.get_by_label("Column", exact=True).select_option("Ideas")
    ana.get_by_label("Place", exact=True).select_option("1 of 2")
    ana.get_by_role("button", name="Move it").click()
    expect_board({"Ideas": ["Draw a map", "Count otters"], "Done": ["Ask the fishers"]}, ana, eva, rui)
    expect(card(ana, "Draw a map")).to_be_focused()
    # What Escape ends has moved nothing.
    hold(eva, "Draw a map", "Done", 1)
    eva.keyboard.press("Escape")
    expect(eva.locator(".bd-ghost")).to_have_count(0)
    eva.mouse.up()
    # The teacher writes in the card of a pupil who writes in it.
    card(eva, "Draw a map").locator(".bd-words").click()
    eva.keyboard.press("Home")
    eva.keyboard.type("Let us: ")
    name = eva.evaluate("document.querySelector('ts-board').me.name")
    expect(card(ana, "Draw a map")).to_contain_text(f"{name} is writing")
    card(ana, "Draw a map").locator(".bd-words").click()
    ana.keyboard.press("End")
    ana.keyboard.type(", all of us 🦦")
    eva.keyboard.type("first ")
    field = eva.get_by_role("textbox", name="Words of the card")
    expect(field).to_have_value("Let us: first Draw a map, all of us 🦦")
    assert field.evaluate("(field) => field.selectionStart") == len("Let us: first ")
    expect(ana.get_by_role("textbox", name="Words of the card")).to_have_value(
        "Let us: first Draw a map, all of us 🦦"
    )
    eva.keyboard.press("Escape")
    ana.keyboard.press("Escape")
    wanted = {
        "Ideas": ["Let us: first Draw a map, all of us 🦦", "Count otters"],
        "Done": ["Ask the fishers"],
    }
    expect_board(wanted, ana, eva, rui)
    # Undo takes back what I did, and not what others did meanwhile.
    card(eva, "Draw a map").focus()
    eva.keyboard.press("Alt+ArrowDown")
    expect_board({**wanted, "Ideas": wanted["Ideas"][::-1]}, ana, eva, rui)
    add_card(rui, "Done", "A film")
    wanted = {**wanted, "Done": ["Ask the fishers", "A film"]}
    expect(card(eva, "A film")).to_be_visible()
    eva.get_by_role("button", name="Undo my last change").click()
    expect_board(wanted, ana, eva, rui)
    eva.get_by_role("button", name="Do it again").click()
    expect_board({**wanted, "Ideas": wanted["Ideas"][::-1]}, ana, eva, rui)
    eva.keyboard.press("Control+z")
    expect_board(wanted, ana, eva, rui)
    expect(pill(eva)).to_have_text("Saved")
    # Opened anew the board is the same, and each card still its maker's.
    open_board(eva, path)
    expect_board(wanted, eva)
    expect(card(eva, "Draw a map").get_by_role("button", name="More:")).to_be_visible()
    text = ana.request.get(f"/api/pages/{page_id(path)}/content?format=text").text()
    assert text.index("Ideas") < text.index("Draw a map") < text.index("Count otters") < text.index("Done")


def test_a_card_belongs_to_who_made_it(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, eva, rui, _ = furnished(teacher, student, demo, "Whose is it")
    name = eva.evaluate("document.querySelector('ts-board').me.name")
    theirs = card(rui, "Draw a map")
    expect(theirs).to_have_attribute("aria-label", re.compile(f"^Card by {name}"))
    words = f"Only {name} and the teachers can change this card."
    expect(theirs.get_by_role("img", name=words)).to_be_visible()
    expect(theirs.get_by_role("button")).to_have_count(0)
    theirs.locator(".bd-words").click()
    expect(rui.locator(".bd-field")).to_have_count(0)
    theirs.focus()
    for key in ("Enter", "Delete", "Alt+ArrowRight", "Alt+ArrowUp"):
        rui.keyboard.press(key)
        expect(rui.locator(".announcer.heard").first).to_have_text(words)
    box = theirs.bounding_box()
    assert box
    rui.mouse.move(box["x"] + 20, box["y"] + 10)
    rui.mouse.down()
    rui.mouse.move(box["x"] + 400, box["y"] + 60, steps=4)
    expect(rui.locator(".bd-ghost")).to_have_count(0)
    rui.mouse.up()
    # A teacher's column is the teachers'.
    expect(rui.get_by_role("button", name="More about the column")).to_have_count(0)
    # Teachers remove anybody's card, and undo it.
    card(ana, "Draw a map").focus()
    ana.keyboard.press("Delete")
    expect_board({"Ideas": ["Count otters", "Ask the fishers"], "Done": []}, ana, eva, rui)
    ana.keyboard.press("Control+z")
    expect_board({"Ideas": ["Count otters", "Draw a map", "Ask the fishers"], "Done": []}, ana, eva, rui)
    expect(card(eva, "Draw a map").get_by_role("button", name="More:")).to_be_visible()
    # A column is removed, its cards stay.
    ana.get_by_role("button", name="More about the column “Ideas”").click()
    ana.get_by_role("button", name="Remove the column").click()
    ana.get_by_role("dialog").get_by_role("button", name="Remove the column").click()
    expect_board(
        {"Cards without a column": ["Count otters", "Draw a map", "Ask the fishers"], "Done": []},
        ana,
        eva,
        rui,
    )


def test_offline_the_board_goes_on_and_is_sent_once(
    teacher: LogsIn, student: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("WebSocket connection")
    ana, eva, rui, _ = furnished(teacher, student, demo, "Away for a while")
    eva.evaluate("() => { document.querySelector('ts-board').socket.disconnect(); }")
    expect(pill(eva)).to_have_text("Offline")
    add_card(eva, "Done", "Made on the bus")
    card(eva, "Draw a map").focus()
    eva.keyboard.press("Alt+ArrowRight")
    expect(pill(eva)).to_have_text("Offline, kept on this device")
    add_card(rui, "Done", "Made at school")
    eva.evaluate("() => { document.querySelector('ts-board').socket.connect(); }")
    expect(pill(eva)).to_have_text("Saved")
    ana.wait_for_function("() => document.querySelectorAll('.bd-card').length === 5")
    seen = read(ana)
    assert seen["Ideas"] == ["Count otters", "Ask the fishers"]
    assert sorted(seen["Done"]) == ["Draw a map", "Made at school", "Made on the bus"]
    expect_board(seen, ana, eva, rui)


def test_a_locked_board_can_be_read(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, eva, _, path = furnished(teacher, student, demo, "To be locked")
    hold(eva, "Draw a map", "Done", 0)
    ask(ana, "PUT", f"/api/pages/{page_id(path)}/lock", {"reason": "We vote now"})
    expect(pill(eva)).to_have_text("Locked")
    expect(eva.locator(".bd-ghost")).to_have_count(0)
    eva.mouse.up()
    expect(eva.locator("main")).to_contain_text("We vote now")
    expect(eva.get_by_role("button", name=re.compile("Add a card|New column|More:|Undo"))).to_have_count(0)
    card(eva, "Draw a map").focus()
    for key in ("Enter", "Delete", "Alt+ArrowRight"):
        eva.keyboard.press(key)
    expect_board({"Ideas": ["Count otters", "Draw a map", "Ask the fishers"], "Done": []}, ana, eva)
    ask(ana, "DELETE", f"/api/pages/{page_id(path)}/lock")
    expect(pill(eva)).to_have_text("Saved")
    add_card(eva, "Done", "And on we go")
    expect(card(ana, "And on we go")).to_be_visible()


def test_news_of_others_are_told(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, eva, rui, _ = furnished(teacher, student, demo, "News")
    told = eva.locator("ts-board p[role=status]")
    add_card(ana, "Done", "A festival")
    expect(told).to_contain_text(re.compile("new card"))
    card(rui, "Ask the fishers").focus()
    rui.keyboard.press("Alt+ArrowRight")
    expect(told).to_contain_text("A card has moved.")


def test_an_input_method_is_left_alone_while_others_write(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, eva, rui, _ = furnished(teacher, student, demo, "Composed")
    card(eva, "Draw a map").locator(".bd-words").click()
    field = eva.get_by_role("textbox", name="Words of the card")
    expect(field).to_be_focused()
    keyboard = eva.context.new_cdp_session(eva)
    keyboard.send("Input.imeSetComposition", {"text": "にほ", "selectionStart": 2, "selectionEnd": 2})
    expect(field).to_have_value("Draw a mapにほ")
    card(ana, "Draw a map").locator(".bd-words").click()
    ana.keyboard.press("Home")
    ana.keyboard.type("Yes: ")
    eva.wait_for_function(
        "() => document.querySelector('ts-board').session.shared.toString().includes('Yes: Draw')"
    )
    assert field.input_value() == "Draw a mapにほ"
    keyboard.send("Input.insertText", {"text": "日本"})
    expect(field).to_have_value("Yes: Draw a map日本")
    assert field.evaluate("(field) => field.selectionStart") == len("Yes: Draw a map日本")
    expect(ana.get_by_role("textbox", name="Words of the card")).to_have_value("Yes: Draw a map日本")
    ana.keyboard.press("Escape")
    eva.keyboard.press("Escape")
    expect_board(
        {"Ideas": ["Count otters", "Yes: Draw a map日本", "Ask the fishers"], "Done": []}, ana, eva, rui
    )


TOUCH = """([words, dx, dy]) => {
    const card = [...document.querySelectorAll('.bd-card')].find((each) => each.textContent.includes(words));
    const grip = card.querySelector('.bd-grip');
    const {left, top} = grip.getBoundingClientRect();
    const say = (type, target, x, y) => target.dispatchEvent(new PointerEvent(type, {
        pointerId: 7, pointerType: 'touch', isPrimary: true, bubbles: true, cancelable: true, clientX: x, clientY: y,
    }));
    say('pointerdown', grip, left + 20, top + 20);
    for (let step = 1; step <= 4; step++)
        say('pointermove', window, left + 20 + dx * step / 4, top + 20 + dy * step / 4);
    say('pointerup', window, left + 20 + dx, top + 20 + dy);
}"""


def test_a_finger_moves_a_card_by_its_handle(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, eva, rui, _ = furnished(teacher, student, demo, "By finger")
    assert eva.locator(".bd-grip").first.evaluate("(grip) => getComputedStyle(grip).touchAction") == "none"
    here, goal = card(eva, "Draw a map").bounding_box(), column(eva, "Done").bounding_box()
    assert here
    assert goal
    eva.evaluate(TOUCH, ["Draw a map", goal["x"] - here["x"], goal["y"] - here["y"]])
    expect_board({"Ideas": ["Count otters", "Ask the fishers"], "Done": ["Draw a map"]}, ana, eva, rui)


def test_an_empty_card_goes_again_and_the_look_is_remembered(teacher: LogsIn, demo: Demo) -> None:
    ana = teacher()
    path = make_board(ana, demo, "By itself")
    open_board(ana, path)
    add_column(ana, "Ideas")
    ana.get_by_role("button", name="Add a card: Ideas").click()
    expect(ana.locator(".bd-field")).to_be_focused()
    ana.keyboard.press("Escape")
    expect(ana.locator(".bd-card")).to_have_count(0)
    expect(ana.get_by_role("button", name="Add a card: Ideas")).to_be_focused()
    add_card(ana, "Ideas", "One\ntwo")
    card(ana, "One").get_by_role("button", name="More:").click()
    ana.get_by_role("button", name="Blue").click()
    expect(ana.locator(".bd-card.blue")).to_have_count(1)
    ana.get_by_role("button", name="One below the other").click()
    expect(ana.locator(".bd-columns.list")).to_be_visible()
    open_board(ana, path)
    expect(ana.locator(".bd-columns.list")).to_be_visible()
    expect(ana.locator(".bd-card.blue .bd-words")).to_have_text("One\ntwo", use_inner_text=True)


def test_who_wrote_a_card_and_undoing_a_person(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, eva, rui, _ = furnished(teacher, student, demo, "Who wrote what")
    name = eva.evaluate("document.querySelector('ts-board').me.name")
    ana.get_by_role("button", name="Who wrote this?").first.click()
    expect(ana.locator(".authors .member-list").first).to_be_visible()
    card(ana, "Draw a map").locator(".bd-words").hover()
    expect(ana.locator(".whose")).to_contain_text(f"{name} wrote: “Draw a map”")
    ana.get_by_role("button", name=f"Undo what {name} did here").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_role("button", name="Show what will go").click()
    expect(dialog).to_contain_text("Draw a map")
    dialog.get_by_role("button", name="Undo", exact=True).click()
    expect_board({"Ideas": ["Count otters", "Ask the fishers"], "Done": []}, ana, eva, rui)


def hostile(shared: XmlFragment) -> None:
    wild = {"onclick": RUN, "style": "position:fixed;inset:0", "class": "ed-note", "aria-label": MARKUP}
    nested = element("card", {"column": "aaaaaaaa", "place": "V", "color": MARKUP, **wild})
    for made in (
        element("column", {"id": "aaaaaaaa", "place": "V", **wild}, XmlText(f"First {MARKUP}")),
        element("column", {"id": "aaaaaaaa", "place": "W"}, XmlText("Twin")),
        element("column", {"id": f'x" onload="{RUN}', "place": MARKUP}, XmlText("Wild")),
        element("card", {"column": MARKUP, "place": "0"}, XmlText("Lost and found")),
        element("card", {"column": "aaaaaaaa", "place": 7}, XmlText(f"Words {MARKUP}")),
        element("card", {"column": "aaaaaaaa", "place": "V" * 5000}, XmlText("Far away")),
        nested,
        element("script", None, XmlText(RUN)),
        element("paragraph", None, XmlText("Not a card")),
    ):
        shared.children.append(made)
    nested.children.append(XmlElement("script", {}, [XmlText(f"deep {RUN}")]))


def test_nothing_hostile_runs_or_breaks_the_board(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, eva = teacher(), student(0)
    path = make_board(ana, demo, "Canary")
    open_board(ana, path)
    eva.goto(demo.page_path)
    attack(eva, path, put(hostile))
    expect(card(ana, "Lost and found")).to_be_visible()
    seen = read(ana)
    assert seen == {
        "Cards without a column": ["Lost and found"],
        "Wild": [],
        f"First {MARKUP}": [f"Words {MARKUP}", "Far away", f"deep {RUN}"],
        "Twin": [],
    }
    open_board(eva, path)
    add_card(eva, f"First {MARKUP}", f"Mine {MARKUP}")
    card(eva, "Mine").focus()
    eva.keyboard.press("Alt+ArrowUp")
    expect(pill(eva)).to_have_text("Saved")
    for page in (ana, eva):
        expect(card(page, "Mine")).to_be_visible()
        assert page.evaluate(
            "[window.executed, document.querySelectorAll('ts-board img, ts-board script').length]"
        ) == [None, 0]
    expect_board(read(eva), ana)


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
    ana, eva, rui, path = furnished(teacher, student, demo, "What we do in spring")
    add_column(ana, "Who does it?")
    for page, words, color in (
        (eva, "A walk along the river, with boots and a camera", "Green"),
        (rui, "Learn ten words of each other's language:\n- lontra\n- nutria", "Pink"),
        (ana, "The exhibition in June", "Orange"),
    ):
        add_card(page, "Done", words)
        card(page, words.split("\n")[0]).get_by_role("button", name="More:").click()
        page.get_by_role("button", name=color).click()
        expect(pill(page)).to_have_text("Saved")
    pupil = student(0, viewport=viewport, color_scheme=scheme)
    open_board(pupil, path)
    expect(card(pupil, "lontra")).to_be_visible()
    card(rui, "Ask the fishers").locator(".bd-words").click()
    expect(card(pupil, "Ask the fishers")).to_contain_text("is writing")
    name = f"board-{'phone' if viewport is PHONE else 'desktop'}-{scheme}"

    def look(what: str) -> None:
        axe(pupil, f"{name}-{what}")
        pupil.screenshot(path=artifact(f"{name}-{what}.png"))
        assert pupil.evaluate("document.documentElement.scrollWidth <= innerWidth"), "too wide"
        small = pupil.evaluate(
            """() => [...document.querySelectorAll("ts-board :is(button, textarea, .bd-grip)")]
                .filter((each) => each.checkVisibility() && !each.matches('.ed-here, .bd-field'))
                .filter((each) => {
                    const {width, height} = each.getBoundingClientRect();
                    return Math.min(width, height) < 43.9;
                })
                .map((each) => each.outerHTML.slice(0, 120))"""
        )
        assert not small, f"{what}: too small to hit: {small}"

    look("first")
    pupil.screenshot(path=artifact(f"{name}-whole.png"), full_page=True)
    for other in ("Columns side by side", "One below the other"):
        pupil.get_by_role("button", name=other).click()
        look(other.split()[-1])
    card(pupil, "A walk along").locator(".bd-words").click()
    expect(pupil.locator(".bd-field")).to_be_focused()
    look("writing")
    pupil.keyboard.press("Escape")
    card(pupil, "A walk along").get_by_role("button", name="More:").click()
    expect(pupil.get_by_role("dialog")).to_be_visible()
    look("menu")
    pupil.get_by_role("button", name="Move to …").click()
    expect(pupil.get_by_label("Place", exact=True)).to_be_visible()
    look("move")
    pupil.keyboard.press("Escape")
    if scheme == "light":
        pupil.emulate_media(media="print")
        pupil.screenshot(path=artifact(f"{name}-print.png"), full_page=True)
