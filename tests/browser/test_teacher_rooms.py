"""What teachers rule in a room and decide at the desk, as a pupil with the page open sees it, at once."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from conftest import LogsIn
from demo_server import Demo
from editor_page import editor, open_editor
from playwright.sync_api import Locator, Page, expect
from talk_page import (
    call,
    composer,
    make_post,
    make_room,
    make_thread,
    open_thread,
    post,
    write,
)

LESSON = ZoneInfo("Europe/Madrid")
"""The clock of the first school."""


def rules(teacher: Page, demo: Demo, room: str) -> Locator:
    """The dialog with the rules of a room, opened from the home of the space."""
    rooms = call(teacher, demo, "GET", f"/spaces/{demo.space}")["rooms"]
    title = next(each["title"] for each in rooms if each["id"] == room)
    teacher.goto(f"/spaces/{demo.space}")
    teacher.get_by_role("button", name=f"Rules of the room {title}").click()
    dialog = teacher.get_by_role("dialog", name=f"Rules of the room {title}")
    expect(dialog).to_be_visible()
    return dialog


def save(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)


def state(teacher: Page, demo: Demo, room: str, name: str) -> None:
    dialog = rules(teacher, demo, room)
    dialog.get_by_role("radio", name=name).check()
    save(dialog)


def test_the_state_of_a_room_holds_at_once_in_discussions_and_on_pages(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(2)
    ana.goto(f"/spaces/{demo.space}")
    room = make_room(ana, demo)
    talk = make_thread(ana, demo, room)
    page = call(ana, demo, "POST", f"/rooms/{room}/pages", {"title": f"Page {uuid.uuid4().hex[:6]}"})
    open_thread(brave, talk)
    open_editor(quick, f"/spaces/{demo.space}/pages/{page['id']}")
    for name, in_talk, on_page in (
        ("Only teachers", "This room is only to read for now.", "This room is only to read for now."),
        ("Nobody: paused", "A teacher has paused this room for a moment.", "This room is paused."),
    ):
        expect(composer(brave)).to_be_visible()
        expect(editor(quick)).to_have_attribute("contenteditable", "true")
        state(ana, demo, room, name)
        expect(brave.get_by_text(in_talk).first).to_be_visible()
        expect(composer(brave)).to_have_count(0)
        expect(editor(quick)).to_have_attribute("contenteditable", "false")
        expect(quick.get_by_text(on_page).first).to_be_visible()
        state(ana, demo, room, "Everyone, as the rules say")
    expect(composer(brave)).to_be_visible()
    expect(editor(quick)).to_have_attribute("contenteditable", "true")
    write(brave, "Open again")
    expect(post(brave, "Open again")).to_be_visible()


def test_in_a_supervised_room_pupils_write_while_a_teacher_is_here(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave = teacher(), student(0)
    room = make_room(ana, demo)
    talk = make_thread(ana, demo, room)
    open_thread(brave, talk)
    state(ana, demo, room, "Students only while a teacher is here")
    write(brave, "A teacher is here")
    expect(post(brave, "A teacher is here")).to_be_visible()
    ana.goto("about:blank")
    # A teacher whose line breaks is waited for, a minute long.
    expect(brave.get_by_text("You can write as soon as a teacher is here.")).to_be_visible(timeout=120_000)
    expect(composer(brave)).to_have_count(0)
    ana.goto(f"/spaces/{demo.space}")
    expect(composer(brave)).to_be_visible()
    write(brave, "She is back")
    expect(post(brave, "She is back")).to_be_visible()


def test_opening_hours_close_a_room_and_open_it_again(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, brave = teacher(), student(0)
    room = make_room(ana, demo)
    talk = make_thread(ana, demo, room)
    open_thread(brave, talk)
    expect(composer(brave)).to_be_visible()
    now = datetime.fromtimestamp(time.time(), LESSON)
    dialog = rules(ana, demo, room)
    dialog.get_by_label("Open on these days").check()
    for day in dialog.get_by_role("group", name="Opening hours").locator("[name=day]").all():
        day.check()
    dialog.get_by_label("From").fill(f"{now + timedelta(hours=2):%H:%M}")
    dialog.get_by_label("To", exact=True).fill(f"{now + timedelta(hours=4):%H:%M}")
    save(dialog)
    expect(brave.get_by_text("It is outside your school hours.").first).to_be_visible()
    expect(composer(brave)).to_have_count(0)
    dialog = rules(ana, demo, room)
    dialog.get_by_label("From").fill(f"{now - timedelta(hours=2):%H:%M}")
    save(dialog)
    expect(composer(brave)).to_be_visible()
    dialog = rules(ana, demo, room)
    dialog.get_by_label("Open on these days").uncheck()
    save(dialog)
    assert call(ana, demo, "GET", f"/spaces/{demo.space}")["rooms"][-1]["hours"] is None


def test_the_posting_rule_of_a_room_holds_for_the_next_post(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    room = make_room(ana, demo)
    talk = make_thread(ana, demo, room)
    open_thread(brave, talk)
    open_thread(quick, talk)
    write(brave, "Seen at once")
    expect(post(quick, "Seen at once")).to_be_visible()
    dialog = rules(ana, demo, room)
    dialog.get_by_label("Posts of students").select_option("A teacher reads them first")
    save(dialog)
    expect(brave.get_by_text("Your teacher reads it first. Then everyone sees it.")).to_be_visible()
    write(brave, "Read first")
    expect(post(brave, "Read first").get_by_text("Waiting for your teacher")).to_be_visible()
    dialog = rules(ana, demo, room)
    dialog.get_by_label("Posts of students").select_option("Students do not post")
    save(dialog)
    expect(brave.get_by_text("Teachers write here. You can read.")).to_be_visible()
    expect(composer(brave)).to_have_count(0)
    expect(post(quick, "Read first")).to_have_count(0)


def report(page: Page, about: str, words: str) -> None:
    post(page, about).get_by_role("button", name="Report").click()
    page.get_by_label("It is unkind to somebody").check()
    page.get_by_label("Do you want to say more?").fill(words)
    page.get_by_role("button", name="Send the report").click()
    expect(page.locator(".announcer.toast")).to_contain_text("A teacher will look at it")


def answer(where: Locator, words: str) -> None:
    where.get_by_role("button", name="Answer").click()
    dialog = where.page.get_by_role("dialog")
    dialog.get_by_label("Your answer").fill(words)
    dialog.get_by_role("button", name="Answer").click()
    expect(where).to_have_count(0)


def test_a_report_is_taken_answered_and_its_answer_read(
    teacher: LogsIn, student: LogsIn, logged_in: LogsIn, demo: Demo
) -> None:
    ana, brave, rui = teacher(), student(0), logged_in(demo.partner)
    talk = make_thread(ana, demo, make_room(ana, demo))
    make_post(student(1), demo, talk, "This is about you")
    open_thread(brave, talk)
    open_thread(rui, talk)
    ana.goto(f"/spaces/{demo.space}/cockpit")
    reports = ana.get_by_role("region", name="Reports")
    expect(reports).to_be_visible()
    words, said = (
        f"It is about me {uuid.uuid4().hex[:6]}",
        f"Thank you. We talk to them {uuid.uuid4().hex[:6]}.",
    )
    report(brave, "This is about you", words)
    mine = reports.get_by_role("listitem").filter(has_text=words)
    expect(mine.get_by_text("Somebody is unkind")).to_be_visible()
    expect(mine.get_by_text(demo.students[1].name)).to_be_visible()
    expect(mine.get_by_role("link", name="Go to the discussion")).to_have_attribute("href", talk.path)
    mine.get_by_role("button", name="I look after it").click()
    expect(mine.get_by_text("A teacher looks after it.")).to_be_visible()
    expect(mine.get_by_role("button", name="I look after it")).to_have_count(0)
    answer(mine, said)
    sent = call(brave, demo, "GET", "/me/reports")["sent"]
    assert said in [each["answer"] for each in sent]
    # Pupils hear of nothing at night or at the weekend; adults do.
    words, said = f"Please look {uuid.uuid4().hex[:6]}", f"It is done {uuid.uuid4().hex[:6]}."
    report(rui, "This is about you", words)
    answer(reports.get_by_role("listitem").filter(has_text=words), said)
    rui.goto("/notifications")
    expect(rui.get_by_text("What you reported has an answer").first).to_be_visible()
    expect(rui.get_by_text(said)).to_be_visible()
    brave.goto("/notifications")
    expect(brave.get_by_role("heading", level=1)).to_be_visible()
    expect(brave.get_by_text(said)).to_have_count(0)


def test_a_held_post_is_turned_down_and_its_author_reads_why(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, brave, quick = teacher(), student(0), student(1)
    talk = make_thread(ana, demo, make_room(ana, demo, posting="hold"))
    open_thread(brave, talk)
    open_thread(quick, talk)
    words = f"You are all slow {uuid.uuid4().hex[:6]}"
    ana.goto(f"/spaces/{demo.space}/cockpit")
    expect(ana.get_by_role("region", name="Posts that wait for you")).to_be_visible()
    write(brave, words)
    waits = ana.get_by_role("region", name="Posts that wait for you").get_by_role("listitem")
    mine = waits.filter(has_text=words)
    mine.get_by_role("button", name="Not this time").click()
    dialog = ana.get_by_role("dialog")
    dialog.get_by_label("What do you want to tell the author?").fill("Some need more time. Say it kindly?")
    dialog.get_by_role("button", name="Not this time").click()
    expect(mine).to_have_count(0)
    told = post(brave, words)
    expect(told.get_by_text("Not put up")).to_be_visible()
    expect(told.get_by_text("Your teacher writes: “Some need more time. Say it kindly?”")).to_be_visible()
    expect(post(quick, words)).to_have_count(0)
    assert words not in quick.content()
