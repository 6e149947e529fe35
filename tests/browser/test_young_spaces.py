"""Spaces of young pupils: few reactions or none and never numbers, and blocks of pages that have owners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo, Person, running_demo
from editor_page import blocks, durable, editor, open_editor, pill, tool, write
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from talk_page import call, make_post, make_thread, open_thread, post

from rooms.services import Services
from rooms.storage.schema import people
from rooms.values import AgeBand, PersonId, Role, SchoolId, SpaceKind


@pytest.fixture(scope="module")
def spaces() -> dict[AgeBand, str]:
    """Filled with the server: a space for each of these ages, led by the demo's teacher."""
    return {}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, spaces: dict[AgeBand, str]) -> Iterator[Demo]:
    """The demo's people, whose space is one for pupils of 7 to 11."""

    async def prepare(services: Services, filled: dict) -> None:
        async with services.records.reading() as tx:
            ids = {row["name"]: row["id"] for row in await tx.all(select(people.c.id, people.c.name))}
        ana, rui = (PersonId(ids[filled[who].name]) for who in ("teacher", "partner"))
        for band in (AgeBand.UP_TO_6, AgeBand.FROM_7, AgeBand.ADULTS):
            space = await services.spaces.create(
                kind=SpaceKind.GROUP if band is AgeBand.ADULTS else SpaceKind.PROJECT,
                title=f"Small rivers, {band.value}",
                summary="",
                languages=["en"],
                age_band=band,
                founders=[ana],
            )
            await services.members.add_adult(space, rui, Role.TEACHER)
            spaces[band] = space
            if band is AgeBand.FROM_7:
                school = SchoolId(filled["teacher"].school)
                made = await services.people.make_pupils(ana, school, space, ["Brave Otter", "Quick Heron"])
                filled["space"] = space
                filled["students"] = tuple(Person(name=each.name, code=each.card.code) for each in made)

    with running_demo(tmp_path_factory.mktemp("young") / "data", prepare=prepare) as demo:
        yield demo


def marks(page: Page, words: str) -> list[str]:
    return [str(each.get_attribute("aria-label")) for each in post(page, words).locator(".mark-button").all()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_pupils_have_a_few_marks_and_see_no_numbers(
    teacher: LogsIn,
    student: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    viewport: dict[str, int],
    scheme: str,
) -> None:
    ana, brave, quick = teacher(), student(0, viewport=viewport, color_scheme=scheme), student(1)
    talk = make_thread(ana, demo)
    made = make_post(ana, demo, talk, "Today we saw an otter.")
    for page in (brave, quick):
        open_thread(page, talk)
    post(brave, "an otter").get_by_role("button", name="React").click()
    expect(post(brave, "an otter").locator(".mark-button")).to_have_count(3)
    name = f"young-marks-{'phone' if viewport is PHONE else 'desktop'}-{scheme}"
    axe(brave, name)
    brave.screenshot(path=artifact(f"{name}.png"))
    heart = marks(brave, "an otter")[0]
    for page in (brave, quick):
        if page is quick:
            expect(post(quick, "an otter").get_by_role("button", name=heart)).to_have_attribute(
                "aria-pressed", "false"
            )
        post(page, "an otter").get_by_role("button", name=heart, exact=True).click()
        mine = post(page, "an otter").get_by_role("button", name=heart, exact=True)
        expect(mine).to_have_attribute("aria-pressed", "true")
        expect(mine).to_have_text("")
    brave.reload()
    mine = post(brave, "an otter").get_by_role("button", name=heart, exact=True)
    expect(mine).to_have_attribute("aria-pressed", "true")
    brave.screenshot(path=artifact(f"{name}-set.png"))
    # Taken back, it is still there: somebody else has set it, too.
    mine.click()
    expect(mine).to_have_attribute("aria-pressed", "false")
    post(quick, "an otter").get_by_role("button", name=heart, exact=True).click()
    for page in (brave, quick):
        expect(post(page, "an otter").locator(".mark-button")).to_have_count(0)
    call(ana, demo, "PUT", f"/posts/{made['id']}/hidden", {})


def test_the_youngest_have_no_reactions_and_adults_count_theirs(
    teacher: LogsIn, logged_in: LogsIn, demo: Demo, spaces: dict[AgeBand, str]
) -> None:
    ana, rui = teacher(), logged_in(demo.partner)
    small = replace(demo, space=spaces[AgeBand.UP_TO_6])
    talk = make_thread(ana, small)
    make_post(ana, small, talk, "The children drew a heron.")
    open_thread(rui, talk)
    expect(post(rui, "a heron").get_by_role("button", name="Answer")).to_be_visible()
    expect(post(rui, "a heron").get_by_role("button", name="React")).to_have_count(0)
    grown = replace(demo, space=spaces[AgeBand.ADULTS])
    talk = make_thread(ana, grown)
    made = make_post(ana, grown, talk, "When do we meet?")
    call(ana, grown, "PUT", f"/posts/{made['id']}/reactions/thumb")
    open_thread(rui, talk)
    given = post(rui, "When do we meet").locator(".mark-button")
    expect(given).to_have_text("1")
    given.click()
    expect(given).to_have_text("2")
    expect(given).to_have_attribute("aria-pressed", "true")


PUT_CARET = """([text, at]) => {
    const { view } = document.querySelector('ts-editor');
    const { state } = view;
    let found = -1;
    state.doc.descendants((node, pos) => {
        if (node.isTextblock && node.textContent === text) found = pos + 1 + (at < 0 ? text.length : at);
    });
    if (found < 0) return false;
    view.focus();
    view.dispatch(state.tr.setSelection(state.selection.constructor.near(state.doc.resolve(found))));
    return true;
}"""


def put_caret(page: Page, text: str, at: int = -1) -> None:
    """Into the block of these words, at its end if nothing is said; waits for it to be there."""
    page.wait_for_function(PUT_CARET, arg=[text, at])


def words(page: Page) -> list[str]:
    return [block for block in blocks(page) if block]


def guarded(page: Page, words: str) -> Locator:
    return editor(page).locator(".ed-guarded", has_text=words)


def saved(page: Page) -> None:
    expect(pill(page)).to_have_text("Saved")


def refused(page: Page, words: str) -> None:
    """Typing into this block says that it is protected."""
    expect(page.locator(".ed-hint")).to_have_count(0)
    put_caret(page, words)
    page.keyboard.type("x")
    expect(page.locator(".ed-hint")).to_contain_text("This block is protected.")


def team_page(page: Page, demo: Demo, title: str) -> str:
    """A page that both pupils may write on."""
    members = [each["id"] for each in call(page, demo, "GET", f"/spaces/{demo.space}/members")]
    room = call(page, demo, "POST", f"/spaces/{demo.space}/rooms", {"title": title, "members": members})
    made = call(page, demo, "POST", f"/rooms/{room['id']}/pages", {"title": title})
    return f"/spaces/{demo.space}/pages/{made['id']}"


def test_a_block_that_a_pupil_makes_is_theirs(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    path = team_page(ana, demo, "Our otters")
    open_editor(ana, path)
    write(ana, "Everybody writes here.")
    saved(ana)
    expect(editor(ana).locator(".ed-lock")).to_have_count(0)
    for page in (brave, quick):
        open_editor(page, path)
    # Enter below a block of the teacher, and typing there.
    put_caret(brave, "Everybody writes here.")
    brave.keyboard.press("Enter")
    brave.keyboard.type("Otters swim at night.")
    saved(brave)
    expect(guarded(brave, "Otters swim").get_by_role("img", name="Protected by you")).to_have_count(0)
    expect(editor(brave).get_by_role("img", name="Protected by you")).to_have_count(1)
    expect(editor(quick).get_by_role("img", name="Protected by Brave Otter")).to_have_count(1)
    refused(quick, "Otters swim at night.")
    quick.keyboard.press("Enter")
    quick.keyboard.type("Herons sleep.")
    saved(quick)
    expect(guarded(quick, "Herons sleep.")).to_have_count(1)
    refused(brave, "Herons sleep.")
    # Split and joined again, it is as much theirs.
    put_caret(brave, "Otters swim at night.", 12)
    brave.keyboard.press("Enter")
    saved(brave)
    expect(editor(brave).get_by_role("img", name="Protected by you")).to_have_count(2)
    refused(quick, "at night.")
    put_caret(brave, "at night.", 0)
    brave.keyboard.press("Backspace")
    saved(brave)
    assert words(brave) == ["Everybody writes here.", "Otters swim at night.", "Herons sleep."]
    # What is open stays open when it is split or made a heading, whoever does it.
    put_caret(quick, "Everybody writes here.", 10)
    quick.keyboard.press("Enter")
    quick.locator("[data-tool=style]").select_option("heading2")
    saved(quick)
    put_caret(brave, "writes here.")
    brave.keyboard.type(" Me, too.")
    saved(brave)
    put_caret(quick, "writes here. Me, too.", 0)
    quick.keyboard.press("Backspace")
    saved(quick)
    # Their own block they may open, and keep writing in it.
    put_caret(brave, "Otters swim at night.")
    tool(brave, "Protect this block").click()
    dialog = brave.get_by_role("dialog", name="Who may change this block?")
    dialog.get_by_role("radio", name="Everybody who may write on this page").check()
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(editor(quick).locator(".ed-lock")).to_have_count(1)
    put_caret(quick, "Otters swim at night.")
    quick.keyboard.type(" And by day.")
    saved(quick)
    put_caret(brave, "Otters swim at night. And by day.")
    brave.keyboard.type(" Yes.")
    saved(brave)
    assert "Otters swim at night. And by day. Yes." in durable(ana, path)
    # A teacher changes all, and it stays theirs; and so it is when they come again.
    put_caret(ana, "Herons sleep.")
    ana.keyboard.type(" Standing up.")
    ana.locator("[data-tool=style]").select_option("heading1")
    saved(ana)
    open_editor(quick, path)
    expect(editor(quick).get_by_role("img", name="Protected by you")).to_have_count(1)
    put_caret(quick, "Herons sleep. Standing up.")
    quick.keyboard.type(" Really.")
    saved(quick)
    refused(brave, "Herons sleep. Standing up. Really.")


def test_lists_tables_and_what_is_pasted_are_theirs_and_undone_by_them(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    path = team_page(ana, demo, "Our lists")
    for page in (brave, quick):
        ana.goto(demo.page_path)
        open_editor(page, path)
    write(brave, "- One")
    brave.keyboard.press("Enter")
    brave.keyboard.type("Two")
    brave.keyboard.press("Enter")
    brave.keyboard.press("Enter")
    brave.keyboard.type("After the list.")
    saved(brave)
    expect(editor(brave).locator("ul.ed-guarded")).to_have_count(1)
    expect(editor(brave).get_by_role("img", name="Protected by you")).to_have_count(2)
    refused(quick, "Two")
    refused(quick, "After the list.")
    # In the middle of their own list a line is taken out of it.
    put_caret(brave, "One")
    brave.keyboard.press("Enter")
    brave.keyboard.press("Enter")
    brave.keyboard.type("Between.")
    saved(brave)
    expect(editor(brave).locator("ul.ed-guarded")).to_have_count(2)
    expect(editor(brave).get_by_role("img", name="Protected by you")).to_have_count(4)
    put_caret(brave, "After the list.")
    brave.evaluate("() => { document.querySelector('ts-editor').view.pasteText('First.\\n\\nSecond.') }")
    saved(brave)
    refused(quick, "Second.")
    put_caret(brave, "Second.")
    brave.keyboard.press("Enter")
    brave.locator("[data-tool=table]").click()
    brave.keyboard.type("Cell")
    saved(brave)
    refused(quick, "Cell")
    expect(editor(quick).locator("table.ed-guarded, .ed-guarded table")).to_have_count(1)
    # Undone and done again, it is theirs.
    write(quick, "")
    quick.keyboard.press("Enter")
    quick.keyboard.type("Mine.")
    saved(quick)
    expect(editor(quick).get_by_role("img", name="Protected by you")).to_have_count(1)
    for _ in range(3):
        quick.keyboard.press("Control+z")
    expect(editor(quick).get_by_role("img", name="Protected by you")).to_have_count(0)
    for _ in range(3):
        quick.keyboard.press("Control+Shift+z")
    expect(guarded(quick, "Mine.")).to_have_count(1)
    saved(quick)
    refused(brave, "Mine.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_how_owned_blocks_look(
    teacher: LogsIn,
    student: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    viewport: dict[str, int],
    scheme: str,
) -> None:
    ana, quick = teacher(), student(1)
    brave = student(0, viewport=viewport, color_scheme=scheme)
    path = team_page(ana, demo, "Our river")
    open_editor(ana, path)
    write(ana, "What did you see? Write below.")
    open_editor(quick, path)
    put_caret(quick, "What did you see? Write below.")
    quick.keyboard.press("Enter")
    quick.keyboard.type("I saw a heron. It stood on one leg and did not move for ten minutes.")
    open_editor(brave, path)
    put_caret(brave, "What did you see? Write below.")
    brave.keyboard.press("Enter")
    brave.keyboard.type("I saw an otter in the water.")
    brave.keyboard.press("Enter")
    brave.keyboard.type("- It was brown")
    brave.keyboard.press("Enter")
    brave.keyboard.type("and quick")
    saved(brave)
    expect(editor(brave).get_by_role("img", name="Protected by Quick Heron")).to_have_count(1)
    name = f"young-blocks-{'phone' if viewport is PHONE else 'desktop'}-{scheme}"
    axe(brave, name)
    brave.screenshot(path=artifact(f"{name}.png"))


def test_with_the_youngest_owners_of_blocks_are_no_choice(
    teacher: LogsIn, demo: Demo, artifact: Callable[[str], Path]
) -> None:
    ana = teacher(viewport=PHONE)
    ana.goto(f"/spaces/{demo.space}/cockpit")
    ana.get_by_role("main").get_by_role("link", name="Settings").click()
    check = ana.get_by_role("checkbox", name="What a student writes on a page is theirs")
    expect(check).to_be_checked()
    expect(check).to_be_disabled()
    check.scroll_into_view_if_needed()
    ana.screenshot(path=artifact("young-settings.png"))
