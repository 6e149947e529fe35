"""What the tests of the editor do to a page of the demo: make it, open it, write, read, lock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import DESKTOP, WAIT_MS, Watch
from demo_server import Demo, Person
from playwright.sync_api import APIResponse, Browser, Locator, Page, expect

SCRIPT_OF_BLOCKS = """() => {
    const copy = document.querySelector('ts-editor .ed-page')?.cloneNode(true);
    if (!copy) return [];
    for (const each of copy.querySelectorAll('.caret, .ProseMirror-separator')) each.remove();
    return [...copy.children].map((block) => {
        const lines = [...block.querySelectorAll('p, h2, h3, h4')];
        return (lines.length ? lines : [block]).map((line) => line.textContent).join(' ');
    });
}"""


def ask(page: Page, method: str, path: str, data: object | None = None) -> Any:
    """A REST request as the person of `page`; gives the JSON of the answer."""
    origin = re.match(r"https?://[^/]+", page.url)
    assert origin, "open a page of the server first"
    answer: APIResponse = page.request.fetch(
        path,
        method=method,
        headers={"Origin": origin[0], "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"},
        data=data,
    )
    assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
    return answer.json() if answer.text() else None


def make_page(page: Page, demo: Demo, title: str) -> str:
    """Makes a page in the first room that pupils see, as the teacher of `page`; gives its path."""
    page.goto(demo.page_path)
    pages = ask(page, "GET", f"/api/spaces/{demo.space}/pages")
    room = next(each["room_id"] for each in pages if each["id"] == demo.page)
    made = ask(page, "POST", f"/api/rooms/{room}/pages", {"title": title})
    return f"/spaces/{demo.space}/pages/{made['id']}"


def page_id(path: str) -> str:
    return path.rpartition("/")[2]


def editor(page: Page) -> Locator:
    return page.locator("ts-editor .ed-page")


def pill(page: Page) -> Locator:
    return page.locator("ts-editor .ed-pill")


def tool(page: Page, name: str) -> Locator:
    return page.get_by_role("toolbar").get_by_role("button", name=name, exact=True)


def open_editor(page: Page, path: str) -> None:
    """Opens a page and waits until it can be written on and is in step with the server."""
    page.goto(path)
    expect(editor(page)).to_have_attribute("contenteditable", "true")
    expect(pill(page)).to_have_text("Saved")


def write(page: Page, text: str) -> None:
    """Types at the end of the page."""
    editor(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def blocks(page: Page) -> list[str]:
    """The words of each top block, without the carets of others."""
    return [" ".join(block.split()) for block in page.evaluate(SCRIPT_OF_BLOCKS)]


def expect_blocks(page: Page, *wanted: str) -> None:
    page.wait_for_function(
        f"(wanted) => JSON.stringify(({SCRIPT_OF_BLOCKS})()"
        ".map((each) => each.split(/\\s+/).filter(Boolean).join(' '))) === JSON.stringify(wanted)",
        arg=list(wanted),
    )


def move(page: Page, keys: str) -> None:
    """Moves the caret; the browser tells the editor of it only a moment after the key."""
    page.keyboard.press(keys)
    page.wait_for_function(
        """() => {
            const {view} = document.querySelector('ts-editor');
            const {focusNode, focusOffset} = document.getSelection();
            return view.state.selection.head === view.posAtDOM(focusNode, focusOffset);
        }"""
    )


def expect_words(page: Page, words: str) -> None:
    """Waits until these words stand together on the page."""
    page.wait_for_function(f"(words) => ({SCRIPT_OF_BLOCKS})().join(' ').includes(words)", arg=words)


def expect_same(first: Page, *others: Page) -> list[str]:
    """Waits until everybody sees what the first sees; gives it."""
    for other in others:
        for _ in range(100):
            if blocks(first) == blocks(other):
                break
            other.wait_for_timeout(100)
        assert blocks(first) == blocks(other)
    return blocks(first)


def durable(page: Page, path: str) -> str:
    """The text of a page as the server has it."""
    return str(
        page.request.get(f"/api/pages/{page_id(path)}/content?format=text").text(),
    )


@contextmanager
def opened(
    browser: Browser,
    demo: Demo,
    watch: Watch,
    person: Person,
    viewport: dict[str, int] = DESKTOP,
    **options: Any,
) -> Iterator[Page]:
    """A page of that person on a demo of the test's own."""
    context = browser.new_context(
        base_url=demo.url,
        viewport=viewport,  # type: ignore[arg-type]
        **{"locale": "en-GB", "reduced_motion": "reduce", **options},
    )
    context.set_default_timeout(WAIT_MS)
    context.on("page", watch.on)
    page = context.new_page()
    answer = page.request.post(
        "/api/session",
        data=person.credentials,
        headers={"Origin": demo.url, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.ok, answer.text()
    yield page
    context.close()


GATED = Path(__file__).resolve().parents[1] / "support" / "gated_server.py"
"""The server with a log that holds or fails on request (see there)."""
