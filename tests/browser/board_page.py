"""What the tests of boards do to a board: make it, open it, write and move cards, read it."""

from __future__ import annotations

import json

from demo_server import Demo
from editor_page import ask
from playwright.sync_api import Locator, Page, expect

Board = dict[str, list[str]]

SCRIPT_OF_BOARD = """() => [...document.querySelectorAll('ts-board .bd-column')].map((column) => [
    column.querySelector('h2').textContent.trim(),
    [...column.querySelectorAll('.bd-card:not(.bd-ghost)')].map(
        (card) => (card.querySelector('.bd-field')?.value ?? card.querySelector('.bd-words').textContent).trim()),
])"""


def make_board(page: Page, demo: Demo, title: str) -> str:
    """Makes a board in the first room that pupils see, as the teacher of `page`; gives its path."""
    page.goto(demo.page_path)
    pages = ask(page, "GET", f"/api/spaces/{demo.space}/pages")
    room = next(each["room_id"] for each in pages if each["id"] == demo.page)
    made = ask(page, "POST", f"/api/rooms/{room}/pages", {"title": title, "kind": "board"})
    assert made["kind"] == "board"
    return f"/spaces/{demo.space}/pages/{made['id']}"


def pill(page: Page) -> Locator:
    return page.locator("ts-board .ed-pill")


def open_board(page: Page, path: str) -> None:
    page.goto(path)
    expect(pill(page)).to_have_text("Saved")
    expect(page.locator("ts-board .bd-tools")).to_be_visible()


def column(page: Page, title: str) -> Locator:
    return page.locator(".bd-column").filter(has=page.get_by_role("heading", name=title, exact=True))


def card(page: Page, words: str) -> Locator:
    return page.locator("ts-board .bd-card:not(.bd-ghost)").filter(has_text=words)


def add_column(page: Page, title: str) -> None:
    page.get_by_role("button", name="New column").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title of the column").fill(title)
    dialog.get_by_role("button", name="Add the column").click()
    expect(column(page, title)).to_be_visible()


def add_card(page: Page, title: str, words: str) -> None:
    page.get_by_role("button", name=f"Add a card: {title}", exact=True).click()
    field = page.get_by_role("textbox", name="Words of the card")
    expect(field).to_be_focused()
    page.keyboard.type(words)
    page.keyboard.press("Escape")
    expect(card(page, words)).to_be_focused()


def read(page: Page) -> Board:
    return dict(page.evaluate(SCRIPT_OF_BOARD))


def expect_board(wanted: Board, *pages: Page) -> None:
    """Waits until everybody sees these columns with these cards, in this order."""
    for page in pages:
        page.wait_for_function(
            f"(wanted) => JSON.stringify(({SCRIPT_OF_BOARD})()) === wanted",
            arg=json.dumps(
                [list(each) for each in wanted.items()], separators=(",", ":"), ensure_ascii=False
            ),
        )


def drag(page: Page, words: str, title: str, index: int) -> None:
    """Drags a card by the mouse, to be number `index` (from 0) in a column; lets go of it there."""
    hold(page, words, title, index)
    page.mouse.up()


def hold(page: Page, words: str, title: str, index: int) -> None:
    grip = card(page, words).locator(".bd-words").bounding_box()
    goal = column(page, title).locator("ul").bounding_box()
    others = column(page, title).locator(".bd-card:not(.bd-ghost)").filter(has_not_text=words)
    assert grip
    assert goal
    x, y = goal["x"] + goal["width"] / 2, goal["y"] + 2
    if index:
        box = others.nth(index - 1).bounding_box()
        assert box
        y = box["y"] + box["height"] - 2
    page.mouse.move(grip["x"] + 20, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(grip["x"] + 30, grip["y"] + 15, steps=3)
    expect(page.locator(".bd-ghost")).to_be_visible()
    page.mouse.move(x, y, steps=5)
