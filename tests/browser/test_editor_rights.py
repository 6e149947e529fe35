"""Rights are live: a lock, a rule, a removal act while somebody types, say why, and lose nothing saved."""

from __future__ import annotations

import re

from conftest import LogsIn, Watch
from demo_server import Demo, new_pupils
from editor_page import (
    ask,
    blocks,
    editor,
    expect_blocks,
    make_page,
    open_editor,
    page_id,
    pill,
    write,
)
from playwright.sync_api import Page, expect


def lock(page: Page, path: str, reason: str) -> None:
    ask(page, "PUT", f"/api/pages/{page_id(path)}/lock", {"reason": reason})


def unlock(page: Page, path: str) -> None:
    ask(page, "DELETE", f"/api/pages/{page_id(path)}/lock")


def text(page: Page, path: str) -> str:
    content = page.request.get(f"/api/pages/{page_id(path)}/content?format=text")
    assert content.ok
    return content.text()


def test_a_lock_while_typing_makes_the_page_read_only_and_says_why(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana, pupil = teacher(), student(0)
    path = make_page(ana, demo, "To be locked")
    open_editor(pupil, path)
    write(pupil, "These words were saved. ")
    expect(pill(pupil)).to_have_text("Saved")
    lock(ana, path, "We vote on the title now")
    for _ in range(30):
        pupil.keyboard.type("x")
        if editor(pupil).get_attribute("contenteditable") == "false":
            break
    expect(editor(pupil)).to_have_attribute("contenteditable", "false")
    expect(pupil.get_by_role("toolbar")).to_have_count(0)
    expect(pupil.locator("main")).to_contain_text("We vote on the title now")
    expect(pill(pupil)).to_have_text(re.compile("Locked|Not saved"))
    acknowledged = text(ana, path)
    assert acknowledged.startswith("These words were saved. ")
    assert blocks(pupil)[0].startswith(acknowledged.strip())
    pupil.keyboard.type("no more")
    assert "no more" not in " ".join(blocks(pupil))
    expect(pupil.locator("ts-editor [role=status]")).to_contain_text("We vote on the title now")
    unlock(ana, path)
    expect(editor(pupil)).to_have_attribute("contenteditable", "true")
    expect(pill(pupil)).to_have_text("Saved")
    write(pupil, " Free again.")
    expect(pill(pupil)).to_have_text("Saved")
    assert text(ana, path).strip().endswith("Free again.")


def test_words_on_their_way_when_the_lock_falls_are_kept_and_offered_as_a_copy(
    teacher: LogsIn, student: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("WebSocket connection")
    ana, pupil = teacher(), student(0)
    path = make_page(ana, demo, "Locked while away")
    open_editor(pupil, path)
    write(pupil, "Saved before.")
    expect(pill(pupil)).to_have_text("Saved")
    # The line is gone: what follows stays on the device, and the page is locked meanwhile.
    pupil.evaluate("() => { document.querySelector('ts-editor').socket.disconnect(); }")
    expect(pill(pupil)).to_have_text("Offline")
    write(pupil, " Written without a line.")
    expect(pill(pupil)).to_have_text("Offline, kept on this device")
    lock(ana, path, "Too late")
    pupil.evaluate("() => { document.querySelector('ts-editor').socket.connect(); }")
    expect(pill(pupil)).to_have_text("Not saved")
    expect(pupil.locator(".ed-note")).to_contain_text("locked before your last words reached the server")
    expect(editor(pupil)).to_have_attribute("contenteditable", "false")
    expect_blocks(pupil, "Saved before. Written without a line.")
    assert text(ana, path).strip() == "Saved before."
    with pupil.expect_download() as download:
        pupil.get_by_role("button", name="Save as a file").click()
    assert download.value.suggested_filename == "Locked while away.txt"
    assert "Written without a line." in download.value.path().read_text()
    # Still there after a reload, and sent as soon as the page is free again.
    pupil.reload()
    expect(pill(pupil)).to_have_text("Not saved")
    expect_blocks(pupil, "Saved before. Written without a line.")
    unlock(ana, path)
    expect(pill(pupil)).to_have_text("Saved")
    assert text(ana, path).strip() == "Saved before. Written without a line."


def test_what_could_not_be_saved_can_be_given_up(
    teacher: LogsIn, student: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("WebSocket connection")
    ana, pupil = teacher(), student(0)
    path = make_page(ana, demo, "Given up")
    open_editor(pupil, path)
    write(pupil, "Stays.")
    expect(pill(pupil)).to_have_text("Saved")
    pupil.evaluate("() => { document.querySelector('ts-editor').socket.disconnect(); }")
    write(pupil, " Goes.")
    expect(pill(pupil)).to_have_text("Offline, kept on this device")
    lock(ana, path, "Later")
    pupil.evaluate("() => { document.querySelector('ts-editor').socket.connect(); }")
    pupil.get_by_role("button", name="Show the saved page").click()
    expect(pill(pupil)).to_have_text("Locked")
    expect_blocks(pupil, "Stays.")
    pupil.reload()
    expect(pill(pupil)).to_have_text("Locked")
    expect_blocks(pupil, "Stays.")


def test_a_reader_reads_sees_others_write_and_writes_nothing(
    teacher: LogsIn, student: LogsIn, demo: Demo
) -> None:
    ana = teacher()
    path = make_page(ana, demo, "For teachers")
    ask(ana, "PATCH", f"/api/pages/{page_id(path)}", {"edit_rule": "teachers"})
    open_editor(ana, path)
    write(ana, "Read this")
    pupil = student(0)
    pupil.goto(path)
    expect_blocks(pupil, "Read this")
    expect(pill(pupil)).to_have_text("Read only")
    expect(editor(pupil)).to_have_attribute("contenteditable", "false")
    expect(pupil.get_by_role("toolbar")).to_have_count(0)
    expect(pupil.get_by_role("article", name="Text of the page “For teachers”")).to_be_visible()
    write(ana, " and this")
    expect_blocks(pupil, "Read this and this")
    expect(pupil.locator(".caret")).to_have_count(1)
    expect(pill(pupil)).to_have_text("Read only")


def test_a_removed_member_is_told_and_loses_no_words(teacher: LogsIn, logged_in: LogsIn, demo: Demo) -> None:
    ana = teacher()
    [gone] = new_pupils(ana, demo)
    pupil = logged_in(gone)
    path = make_page(ana, demo, "Goodbye")
    open_editor(pupil, path)
    write(pupil, "My last words here.")
    expect(pill(pupil)).to_have_text("Saved")
    members = ask(ana, "GET", f"/api/spaces/{demo.space}/members")
    mine = next(each for each in members if each["name"] == gone.name)
    ask(ana, "DELETE", f"/api/memberships/{mine['id']}")
    expect(pupil.locator("ts-editor [contenteditable=true]")).to_have_count(0)
    expect(pupil.locator("main")).not_to_contain_text("Saved")
    assert text(ana, path).strip() == "My last words here."
