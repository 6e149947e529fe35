"""How discussions look, light and dark, on a phone and on a desk: axe finds nothing; pictures are kept to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo
from playwright.sync_api import Page, expect
from talk_page import call, composer, make_post, make_room, make_thread, open_thread, post, write

SIZES = {"phone": PHONE, "desktop": DESKTOP}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["phone", "desktop"])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def look(
    axe: Callable[[Page, str], None], artifact: Callable[[str], Path], size: str, scheme: str
) -> Callable[[Page, str], None]:
    """Takes the picture, lets axe judge; nothing sticks out sideways or is too small to hit."""

    def at(page: Page, name: str) -> None:
        page.screenshot(path=artifact(f"talk-{name}-{size}-{scheme}.png"))
        axe(page, f"{name}, {size}, {scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, textarea, [role=option]")]
                .filter((each) => each.checkVisibility())
                .map((each) => [each.closest("label") ?? each, each])
                .filter(([box]) => box.getBoundingClientRect().height < 43.9)
                .map(([, each]) => each.outerHTML.slice(0, 120))"""
        )
        assert not small, f"{name}: too small to hit: {small}"

    return at


def test_a_talk_that_has_everything(
    teacher: LogsIn,
    student: LogsIn,
    demo: Demo,
    look: Callable[[Page, str], None],
    size: str,
    scheme: str,
) -> None:
    ana = teacher(viewport=SIZES[size], color_scheme=scheme)
    brave, quick = student(0, viewport=SIZES[size], color_scheme=scheme), student(1)
    room = make_room(ana, demo)
    talk = make_thread(ana, demo, room, title="What lives in our two rivers?")
    first = make_post(
        ana,
        demo,
        talk,
        "Welcome! Tell each other **what you saw** last week:\n\n- animals\n- plants\n- something *odd*\n\nHow to count birds: https://example.org/count-birds",
    )
    fish = make_post(quick, demo, talk, "We saw a heron and an old boot. It was this morning, in the fog.")
    make_post(brave, demo, talk, "> an old boot\nSame here! Was it a left one?", reply_to=fish["id"])
    poll = make_post(ana, demo, talk, "Where do we meet first?", options=["At the Ebro", "At the Douro"])
    call(brave, demo, "PUT", f"/posts/{poll['id']}/vote", {"option": 1})
    over = make_post(ana, demo, talk, "And when?", options=["In spring", "In autumn"])
    call(brave, demo, "PUT", f"/posts/{over['id']}/vote", {"option": 1})
    call(ana, demo, "PUT", f"/posts/{over['id']}/closed")
    call(brave, demo, "PUT", f"/posts/{first['id']}/reactions/idea")
    call(ana, demo, "PUT", f"/posts/{fish['id']}/reactions/heart")
    hidden = make_post(quick, demo, talk, "Something that was not kind")
    call(ana, demo, "PUT", f"/posts/{hidden['id']}/hidden", {"because": "Be kind"})
    call(quick, demo, "PUT", f"/threads/{talk.id}/hand")
    call(ana, demo, "PATCH", f"/threads/{talk.id}", {"pinned": True})
    call(ana, demo, "PATCH", f"/rooms/{room}", {"posting": "hold"})
    turned_down = make_post(brave, demo, talk, "You all write too slowly")
    call(
        ana,
        demo,
        "PUT",
        f"/posts/{turned_down['id']}/decision",
        {"approve": False, "because": "Some need more time"},
    )

    open_thread(brave, talk)
    write(brave, "The left one is ours, then.")
    expect(post(brave, "The left one").get_by_text("Waiting for your teacher")).to_be_visible()
    expect(brave.locator(".announcer.toast")).to_have_text("", timeout=20_000)
    look(brave, "student")
    post(brave, "Where do we meet").evaluate("post => post.scrollIntoView()")
    look(brave, "student-polls")
    brave.evaluate("scrollTo(0, 0)")
    look(brave, "student-top")
    brave.get_by_role("button", name="Mention somebody").click()
    expect(brave.get_by_role("listbox")).to_be_visible()
    look(brave, "mention")
    composer(brave).fill("")
    post(brave, "a heron and").first.get_by_role("button", name="React").click()
    post(brave, "a heron and").first.get_by_role("button", name="Answer").click()
    look(brave, "answer")
    post(brave, "a heron and").first.get_by_role("button", name="Report").click()
    expect(brave.get_by_role("dialog")).to_be_visible()
    look(brave, "report")
    brave.keyboard.press("Escape")

    open_thread(ana, talk)
    expect(ana.get_by_role("region", name="One post waits for you")).to_be_visible()
    expect(post(ana, "a heron and").first).to_be_visible()
    ana.evaluate("scrollTo(0, 0)")
    look(ana, "teacher")
    post(ana, "Where do we meet").get_by_role("button", name="Show the answers").click()
    post(ana, "Where do we meet").evaluate("post => post.scrollIntoView()")
    look(ana, "teacher-polls")
    post(ana, "Where do we meet").get_by_role("button", name="Close the poll").click()
    look(ana, "close-poll")
    ana.keyboard.press("Escape")
    ana.evaluate("scrollTo(0, 0)")
    ana.get_by_role("button", name="More about this discussion").click()
    look(ana, "teacher-menu")
    ana.keyboard.press("Escape")
    ana.get_by_role("button", name="Not this time").click()
    look(ana, "reject")
    ana.keyboard.press("Escape")
    ana.get_by_role("button", name="Make a poll").click()
    look(ana, "poll")
    call(ana, demo, "PUT", f"/threads/{talk.id}/lock", {"reason": "Time for the break"})
    expect(brave.get_by_text("A teacher has locked this.")).to_be_visible()
    brave.evaluate("scrollTo(0, 0)")
    look(brave, "locked")

    brave.goto(f"/spaces/{demo.space}")
    expect(brave.locator(".talk-home .card").first).to_be_visible()
    brave.locator(".talk-home").scroll_into_view_if_needed()
    look(brave, "home")
    if size == "phone":
        brave.get_by_role("navigation", name="Main menu").get_by_role("button", name="Talk").click()
        expect(brave.get_by_role("dialog").get_by_role("link", name=talk.title).first).to_be_visible()
        look(brave, "sheet")
        brave.keyboard.press("Escape")
    brave.get_by_role("button", name="New discussion").last.click()
    expect(brave.get_by_label("What is it about?")).to_be_visible()
    look(brave, "start")
