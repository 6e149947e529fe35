"""Coming in: by card link, by typed words, by password; and going out again."""

from __future__ import annotations

import re

import pytest
from conftest import PHONE, LogsIn, Opens
from demo_server import Demo
from playwright.sync_api import Page, expect


def stored(page: Page) -> dict[str, list[str]]:
    """What the browser keeps of this origin, by kind."""
    return page.evaluate(
        """async () => ({
            databases: (await indexedDB.databases()).map(({name}) => name),
            caches: (await caches.keys()).filter((name) => name === "twinspace-known"),
            unsent: Object.keys(JSON.parse(localStorage.getItem("twinspace.unsent") ?? "{}")),
        })"""
    )


def log_out(page: Page) -> None:
    page.get_by_role("button", name=re.compile("log out")).click()
    page.get_by_role("dialog").get_by_role("button", name="Log out").click()


def test_a_card_link_is_one_tap(visitor: Opens, demo: Demo) -> None:
    page = visitor(viewport=PHONE)
    student = demo.students[0]
    page.goto(f"/card#{student.code}")
    expect(page.get_by_role("heading", name="Is this your card?")).to_be_visible()
    page.get_by_role("button", name="Yes, let me in").click()
    expect(page.get_by_role("heading", name=f"Hello, {student.name}")).to_be_visible()
    expect(page).to_have_url(f"{demo.url}/")


def test_the_code_of_a_card_link_leaves_the_address_and_the_history(visitor: Opens, demo: Demo) -> None:
    page = visitor()
    page.goto("/login")
    page.goto(f"/card#{demo.students[0].code}")
    expect(page.get_by_role("heading", name="Is this your card?")).to_be_visible()
    assert page.url == f"{demo.url}/card"
    secret = demo.students[0].code.split("-")[-1]
    assert secret not in page.locator("body").inner_text()
    page.go_back()
    expect(page.get_by_role("heading", name="Come in")).to_be_visible()
    page.go_forward()
    assert "#" not in page.url


def test_the_words_of_a_card_may_be_typed_carelessly(visitor: Opens, demo: Demo) -> None:
    page = visitor(viewport=PHONE)
    student = demo.students[1]
    page.goto("/")
    words = page.get_by_label("The words on your card")
    words.fill("  " + student.code.upper().replace("-", ", ") + " .")
    for word in student.code.split("-"):
        expect(page.locator(".chip", has_text=re.compile(f"^{word}$"))).to_be_visible()
    words.press("Enter")
    expect(page.get_by_role("heading", name=f"Hello, {student.name}")).to_be_visible()


def test_a_wrong_card_is_answered_kindly(visitor: Opens) -> None:
    page = visitor()
    page.goto("/login")
    words = page.get_by_label("The words on your card")
    words.fill("brave otter")
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("alert")).to_have_text("Your card has 5 words. There are 2 here.")
    words.fill("zany zebra lemon train cloud")
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("alert")).to_contain_text("Look at your card again, word by word.")
    expect(words).to_be_focused()


def test_a_teacher_comes_in_with_a_password(visitor: Opens, demo: Demo) -> None:
    page = visitor()
    page.goto("/login")
    page.get_by_role("tab", name="I am a teacher").click()
    page.get_by_label("E-mail address").fill(demo.teacher.email)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    page.get_by_label("Password", exact=True).fill(demo.teacher.password)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("heading", name=f"Hello, {demo.teacher.name}")).to_be_visible()


def test_log_in_leads_to_the_address_that_was_asked_for(visitor: Opens, demo: Demo) -> None:
    page = visitor()
    page.goto(f"/spaces/{demo.space}")
    page.get_by_label("The words on your card").fill(demo.students[0].code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=demo.space_title)).to_be_visible()


@pytest.mark.parametrize("path", ["/spaces/none", "/nowhere"])
def test_an_address_that_leads_nowhere_offers_a_way_out(
    teacher: LogsIn, demo: Demo, path: str, watch
) -> None:
    watch.allow("status of 404")
    page = teacher()
    page.goto(path)
    page.get_by_role("main").get_by_role("link", name="My TwinSpaces").click()
    expect(page.get_by_role("heading", name=f"Hello, {demo.teacher.name}")).to_be_visible()


def test_log_out_leaves_nothing_on_a_shared_computer(student: LogsIn, demo: Demo) -> None:
    page = student()
    page.goto(demo.page_path)
    expect(page.locator("ts-editor")).to_be_visible()
    page.wait_for_function("async () => (await indexedDB.databases()).length > 0")
    log_out(page)
    expect(page.get_by_role("heading", name="Come in")).to_be_visible()
    expect(page.get_by_text("Nothing of yours stays on this device.")).to_be_visible()
    page.wait_for_function("async () => (await indexedDB.databases()).length === 0")
    assert stored(page) == {"databases": [], "caches": [], "unsent": []}
    assert page.request.get("/api/me").status == 401


def test_log_out_closes_the_other_tabs_of_the_person(student: LogsIn, demo: Demo) -> None:
    page = student()
    page.goto(f"/spaces/{demo.space}")
    expect(page.locator(".present li").first).to_be_visible()
    other = page.context.new_page()
    other.goto(f"/spaces/{demo.space}")
    expect(other.locator(".present li").first).to_be_visible()
    log_out(page)
    expect(other.get_by_role("heading", name="Come in")).to_be_visible()


def test_the_language_changes_at_once_and_is_kept(visitor: Opens, student: LogsIn, demo: Demo) -> None:
    page = visitor(locale="pt-PT")
    page.goto("/login")
    expect(page.get_by_role("heading", name="Entra")).to_be_visible()
    page.get_by_role("button", name=re.compile("Português")).click()
    page.get_by_label("Español").check()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Las palabras de tu tarjeta")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "es"

    page = student(3)
    page.goto("/")
    page.get_by_role("button", name=re.compile("log out|cerrar|sair")).click()
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as told:
        page.get_by_label("Português").check()
    assert told.value.json()["person"]["language"] == "pt"
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name=f"Olá, {demo.students[3].name}")).to_be_visible()
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.get_by_role("heading", name=f"Olá, {demo.students[3].name}")).to_be_visible()
