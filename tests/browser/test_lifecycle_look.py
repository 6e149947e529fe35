"""How the screens beside the spaces look: axe finds nothing; pictures are kept to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DESKTOP, PHONE, Watch
from playwright.sync_api import Browser, Page, expect
from town import Town, Visits, draft_project, running_town

SIZES = {"phone": PHONE, "desktop": DESKTOP}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running_town(tmp_path_factory.mktemp("town") / "data", "--approval", "officers") as town:
        yield town


@pytest.fixture
def visits(browser: Browser, watch: Watch, town: Town) -> Iterator[Visits]:
    visits = Visits(browser, watch, town)
    yield visits
    visits.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_screen(
    visits: Visits,
    axe: Callable[[Page, str], None],
    artifact: Callable[[str], Path],
    size: str,
    scheme: str,
) -> None:
    town, options = visits.town, {"viewport": SIZES[size], "color_scheme": scheme}
    at = f"{size}-{scheme}"

    def look(page: Page, name: str) -> None:
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        whole = page.get_by_role("dialog").count() == 0
        page.screenshot(path=artifact(f"life-{name}-{at}.png"), full_page=whole)
        axe(page, f"{name}, {at}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, textarea, summary")]
                .filter((each) => each.checkVisibility())
                .map((each) => [each.closest("label") ?? each, each])
                .filter(([box]) => box.getBoundingClientRect().height < 43.9)
                .map(([, each]) => each.outerHTML.slice(0, 120))"""
        )
        assert not small, f"{name}: too small to hit: {small}"

    ana, rui = visits.of(town.ana, **options), visits.of(town.rui)
    olga = visits.of(town.olga, **options)

    ana.goto("/new")
    expect(ana.get_by_role("heading", level=1, name="Something new")).to_be_visible()
    look(ana, "new")
    title = "What the rivers carry to the sea"
    ana.get_by_label("Title").fill(title)
    ana.get_by_label("What is it about?").fill("Two classes follow their rivers to the sea.")
    ana.get_by_role("button", name="Start the project").click()
    expect(ana.get_by_label("Link for your partner")).to_be_visible()
    look(ana, "made")
    link = ana.get_by_label("Link for your partner").input_value()
    token = link.rpartition("/")[2]
    ana.get_by_role("link", name=f"Go to “{title}”").click()
    expect(ana.get_by_role("region", name="This is a draft")).to_be_visible()
    look(ana, "draft")
    space = ana.url.rpartition("/")[2]

    nobody = visits.nobody(**options)
    nobody.goto(f"/invitations/{token}")
    expect(nobody.get_by_role("button", name="Log in")).to_be_visible()
    look(nobody, "invited-nobody")
    guest = visits.of(town.rui, **options)
    guest.goto(f"/invitations/{token}")
    expect(guest.get_by_role("button", name="Accept")).to_be_visible()
    look(guest, "invited")
    visits.call(rui, "POST", f"/invitations/{token}/accept")
    guest.reload()
    expect(guest.get_by_role("heading", level=1, name="This invitation is over")).to_be_visible()
    look(guest, "over")

    expect(ana.get_by_role("region", name="This waits")).to_be_visible()
    look(ana, "pending")
    olga.goto("/")
    expect(olga.get_by_role("link", name="To approve")).to_contain_text("for you")
    look(olga, "home-officer")
    olga.goto("/approvals")
    expect(olga.get_by_role("listitem", name=title).first).to_be_visible()
    look(olga, "approvals")
    olga.get_by_role("button", name="Not yet").first.click()
    look(olga, "refuse")
    olga.keyboard.press("Escape")
    because = "Please say how the classes will meet, and who takes care of the pictures."
    visits.call(olga, "PUT", f"/spaces/{space}/approval", {"approve": False, "because": because})
    expect(ana.get_by_role("region", name="The national office said: not yet")).to_be_visible()
    look(ana, "refused")
    visits.call(ana, "PUT", f"/spaces/{space}/asked")
    visits.call(olga, "PUT", f"/spaces/{space}/approval", {"approve": True, "because": ""})
    draft_project(visits, ana, "A draft that waits for its partner")
    ana.goto("/")
    expect(ana.get_by_role("link", name="A draft that waits").first).to_contain_text("Draft")
    look(ana, "home")

    group = {"summary": "For all who teach near water.", "languages": ["en", "fr"], "age_band": "adults"}
    groups = []
    for name in ("Rivers and lakes", "Old maps", "Choirs"):
        made = visits.call(ana, "POST", "/spaces", {"kind": "group", "title": name, **group})
        visits.call(olga, "PUT", f"/spaces/{made['id']}/approval", {"approve": True, "because": ""})
        groups.append(made["id"])
    for id, rule in zip(groups, ("request", "open", "invitation"), strict=True):
        visits.call(ana, "PUT", f"/spaces/{id}/join-rule", {"rule": rule})
    visits.call(olga, "PUT", f"/spaces/{groups[0]}/featured", {"featured": True})
    words = {"words": "I teach beside the Douro, and would like to compare notes."}
    visits.call(rui, "PUT", f"/groups/{groups[0]}/join", words)
    guest.goto("/groups")
    expect(guest.get_by_role("listitem", name="Rivers and lakes").first).to_be_visible()
    look(guest, "groups")
    guest.get_by_role("button", name="Take the request back").first.click()
    expect(guest.get_by_text("Your request waits")).to_have_count(0)
    visits.call(visits.of(town.eva), "PUT", f"/groups/{groups[0]}/join", words)

    for role in ("guest", "teacher"):
        visits.call(
            ana, "POST", f"/spaces/{groups[0]}/invitations", {"role": role, "email": f"{role}@a.example"}
        )
    made = visits.call(ana, "POST", f"/spaces/{groups[0]}/invitations", {"role": "admin"})
    visits.call(rui, "POST", f"/invitations/{made['token']}/accept")
    ana.goto(f"/spaces/{groups[0]}/members")
    expect(ana.get_by_role("region", name="Who asks to join").get_by_role("listitem")).to_be_visible()
    ana.get_by_text("One that is over").click()
    look(ana, "members")
    ana.get_by_role("button", name="Invite an adult").click()
    look(ana, "invite")
    ana.get_by_role("button", name="Make the link").click()
    expect(ana.get_by_role("heading", name="The link is ready")).to_be_visible()
    look(ana, "invite-link")
    ana.keyboard.press("Escape")
    ana.get_by_role("button", name="Hand over the founding").click()
    look(ana, "hand-over")
