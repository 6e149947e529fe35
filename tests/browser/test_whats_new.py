"""What is new, day by day, the bell, and being mailed: on a phone and on a desk, light and dark, for axe too."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, LogsIn
from demo_server import Demo, running_demo
from playwright.sync_api import Page, expect
from sqlalchemy import select
from talk_page import call, make_post, make_room, make_thread

from rooms.accounts.notifications import KINDS, Notifications
from rooms.services import Services
from rooms.storage.schema import people
from rooms.values import PersonId, new_id

SIZES = {"phone": PHONE, "desktop": DESKTOP}
OF_PUPILS = ("approved", "rejected", "hidden", "mention", "reply", "report-answered", "muted")


def _school_noons() -> list[float]:
    """The last three noons at which pupils may be told, the oldest first."""
    day, found = datetime.now(UTC).replace(hour=12, minute=0, second=0) - timedelta(days=1), []
    while len(found) < 3:
        if day.weekday() < 5:
            found.append(day.timestamp())
        day -= timedelta(days=1)
    return found[::-1]


async def _prepare(services: Services, filled: dict) -> None:
    """The partner has heard of everything there is, the first student of what pupils hear of."""
    async with services.records.reading() as tx:
        ids = {row["name"]: PersonId(row["id"]) for row in await tx.all(select(people))}
    noons = _school_noons()
    for name, kinds in (("Rui Moreira", sorted(KINDS)), (filled["students"][0].name, OF_PUPILS)):
        for number, kind in enumerate(kinds):
            moment = noons[number * len(noons) // len(kinds)] + number
            then = Notifications(services.records, lambda moment=moment: moment, new_id)
            async with services.records.writing() as tx:
                details = {"thread": "t1"} if kind in ("held", "mention", "reply") else {}
                await then.tell(tx, [ids[name]], kind, filled["space"], f"post/p{number}", details)


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A server that sends mail, to a mail server that is away."""
    port = _free_port()
    options = ("--smtp", "smtp://127.0.0.1:9", "--mail-from", "TwinSpace <noreply@twinspace.example>")
    data = tmp_path_factory.mktemp("news") / "data"
    url = f"http://localhost:{port}"
    with running_demo(data, *options, "--public-url", url, port=port, prepare=_prepare) as demo:
        yield demo


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["phone", "desktop"])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def look(page: Page, name: str, axe: Callable[[Page, str], None], artifact: Callable[[str], Path]) -> None:
    page.screenshot(path=artifact(f"news-{name}.png"), full_page=True)
    axe(page, name)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, main li a, .bell")]
            .filter((each) => each.checkVisibility())
            .map((each) => each.closest("label") ?? each)
            .filter((box) => box.getBoundingClientRect().height < 43.9)
            .map((box) => box.outerHTML.slice(0, 120))"""
    )
    assert not small, f"{name}: too small to hit: {small}"


def bell(page: Page) -> object:
    return page.get_by_role("banner").locator("a.bell")


def test_how_it_looks(
    logged_in: LogsIn,
    demo: Demo,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: str,
    scheme: str,
) -> None:
    for person, who in ((demo.partner, "teacher"), (demo.students[0], "pupil")):
        page = logged_in(person, viewport=SIZES[size], color_scheme=scheme)
        page.goto("/")
        bell(page).wait_for()
        look(page, f"home-{who}-{size}-{scheme}", axe, artifact)
        bell(page).click()
        expect(page.get_by_role("heading", name="What is new", level=1)).to_be_visible()
        expect(page.locator(".news-list li").first).to_be_visible()
        words = page.locator(".news-list .grow > span:first-child").all_text_contents()
        assert len(words) == (len(KINDS) if who == "teacher" else len(OF_PUPILS))
        assert not [each for each in words if "news." in each or each == "Something is new"]
        if who == "teacher":
            expect(page.get_by_role("heading", name="Mail me what is new")).to_be_visible()
            page.get_by_label("On school days").check()
            expect(page.get_by_label("When?")).to_be_visible()
        else:
            expect(page.get_by_role("heading", name="Mail me what is new")).to_have_count(0)
        look(page, f"list-{who}-{size}-{scheme}", axe, artifact)


def test_what_waits_rings_while_a_space_is_open_and_is_read_when_it_is_seen(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    room = make_room(ana, demo)
    talk = make_thread(ana, demo, room, title="Held or not")
    call(ana, demo, "PATCH", f"/rooms/{room}", {"posting": "hold"})
    ana.goto(f"/spaces/{demo.space}")
    expect(bell(ana)).to_have_accessible_name("What is new")
    expect(ana.get_by_role("listitem").first).to_be_visible()
    heard = ana.evaluate_handle(
        """() => {
            const heard = [];
            const region = document.querySelector(".announcer.heard");
            new MutationObserver(() => region.textContent && heard.push(region.textContent))
                .observe(region, { childList: true, characterData: true, subtree: true });
            return heard;
        }"""
    )
    make_post(brave, demo, talk, "May I say this?")
    expect(bell(ana)).to_have_accessible_name("What is new: 1 thing")
    expect(bell(ana).locator(".waits")).to_have_text("1")
    ana.wait_for_function("(heard) => heard.length > 0", arg=heard)
    said = heard.json_value()
    assert [each for each in said if "new for you" in each] == ["Something is new for you."]
    bell(ana).focus()
    ana.keyboard.press("Enter")
    line = ana.get_by_role("link", name="A pupil’s post waits for you")
    expect(line).to_be_visible()
    expect(line.get_by_text("New", exact=True)).to_be_visible()
    expect(bell(ana)).to_have_attribute("aria-current", "page")
    # It was on the screen, so the number goes; that it was new stays to be seen until one leaves.
    expect(bell(ana)).to_have_accessible_name("What is new")
    expect(line.get_by_text("New", exact=True)).to_be_visible()
    line.click()
    expect(ana).to_have_url(f"{demo.url}/spaces/{demo.space}/cockpit")
    ana.goto("/notifications")
    expect(line).to_be_visible()
    expect(line.get_by_text("New", exact=True)).to_have_count(0)


def test_an_answer_leads_to_its_post(teacher: LogsIn, logged_in: LogsIn, demo: Demo) -> None:
    ana, rui = teacher(), logged_in(demo.partner, viewport=PHONE)
    talk = make_thread(ana, demo, make_room(ana, demo), title="A long talk")
    first = make_post(ana, demo, talk, "Who has seen an otter?")
    answer = make_post(rui, demo, talk, "I have, on Monday.", reply_to=first["id"])
    for number in range(30):
        make_post(rui, demo, talk, f"And more of it, number {number}.\n\nIt goes on.")
    ana.goto("/notifications")
    ana.get_by_role("link", name="Somebody answers your post").first.click()
    expect(ana.locator(f"#post-{answer['id']}")).to_be_in_viewport()
    expect(ana.locator(f"#post-{answer['id']}")).to_be_focused()


def test_a_teacher_asks_for_mail_with_the_keyboard_and_ends_it(teacher: LogsIn, demo: Demo) -> None:
    ana = teacher(viewport=PHONE)
    ana.goto("/notifications")
    off = ana.get_by_label("Never")
    expect(off).to_be_checked()
    off.focus()
    ana.keyboard.press("ArrowDown")
    expect(ana.get_by_label("On school days")).to_be_checked()
    ana.get_by_label("When?").select_option("16")
    ana.get_by_label("From").fill("20:00")
    save = ana.get_by_role("button", name="Save")
    save.press("Enter")
    expect(ana.get_by_role("alert").filter(has_text="both times")).to_be_visible()
    ana.get_by_label("Until").fill("06:30")
    save.press("Enter")
    expect(ana.get_by_text("You can change it at any time.")).to_be_visible()
    ana.reload()
    expect(ana.get_by_label("On school days")).to_be_checked()
    expect(ana.get_by_label("When?")).to_have_value("16")
    expect(ana.get_by_label("From")).to_have_value("20:00")
    ana.get_by_label("Never").check()
    save.press("Enter")
    expect(ana.get_by_text("You can change it at any time.")).to_be_visible()
    assert ana.request.get("/api/me/mail").json()["digest"] == "off"
