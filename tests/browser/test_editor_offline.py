"""No network, no server, no disk: the editor says what is true, and nothing that was written is lost."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from conftest import LogsIn, Watch
from demo_server import Demo, running_demo
from editor_page import (
    GATED,
    blocks,
    editor,
    expect_blocks,
    expect_same,
    make_page,
    open_editor,
    opened,
    page_id,
    pill,
    write,
)
from playwright.sync_api import Browser, Page, expect
from test_shell_offline import kept


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that may be killed, and whose log holds or fails as DATA/gate says."""
    with running_demo(tmp_path_factory.mktemp("gated") / "data") as demo:
        demo.server.stop()
        demo.server.command = [sys.executable, str(GATED)]
        demo.server.start(port(demo))
        yield demo


def port(demo: Demo) -> int:
    return int(demo.url.rpartition(":")[2])


def gate(demo: Demo, wish: str) -> None:
    demo.server.data.joinpath("gate").write_text(wish)


def saved_text(page: Page, path: str) -> str:
    content = page.request.get(f"/api/pages/{page_id(path)}/content?format=text")
    assert content.ok
    return content.text().strip()


def test_an_edit_is_saved_only_when_the_log_has_it(own: Demo, browser: Browser, watch: Watch) -> None:
    with (
        opened(browser, own, watch, own.teacher) as ana,
        opened(browser, own, watch, own.students[1]) as rui,
    ):
        path = make_page(ana, own, "Held")
        open_editor(ana, path)
        open_editor(rui, path)
        gate(own, "hold")
        try:
            write(ana, "held back")
            expect(pill(ana)).to_have_text("Saving …")
            ana.wait_for_timeout(4500)
            expect(pill(ana)).to_have_text("Saving …")
            assert blocks(rui) == [""]
        finally:
            gate(own, "open")
        expect(pill(ana)).to_have_text("Saved")
        expect_blocks(rui, "held back")


def test_a_failing_log_says_not_saved_because_and_goes_on_by_itself(
    own: Demo, browser: Browser, watch: Watch
) -> None:
    with (
        opened(browser, own, watch, own.teacher) as ana,
        opened(browser, own, watch, own.students[1]) as rui,
    ):
        path = make_page(ana, own, "Failing")
        open_editor(ana, path)
        open_editor(rui, path)
        gate(own, "fail")
        try:
            write(ana, "kept here")
            expect(pill(ana)).to_have_text("Not saved")
            expect(ana.locator(".ed-note")).to_contain_text("Not saved, because the server’s disk is full.")
            ana.keyboard.type(" for a while")
            expect(pill(ana)).to_have_text("Not saved")
            assert blocks(rui) == [""]
        finally:
            gate(own, "open")
        expect(pill(ana)).to_have_text("Saved", timeout=30_000)
        expect(ana.locator(".ed-note")).to_have_count(0)
        expect_blocks(rui, "kept here for a while")
        assert saved_text(ana, path) == "kept here for a while"


def test_two_people_without_a_server_merge_when_it_is_back(own: Demo, browser: Browser, watch: Watch) -> None:
    watch.allow("WebSocket connection|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
    with (
        opened(browser, own, watch, own.teacher) as ana,
        opened(browser, own, watch, own.students[1]) as rui,
    ):
        path = make_page(ana, own, "Merged")
        open_editor(ana, path)
        open_editor(rui, path)
        write(ana, "Together.")
        expect_blocks(rui, "Together.")
        expect(pill(ana)).to_have_text("Saved")
        own.server.kill()
        try:
            for page, words in ((ana, " Ana alone."), (rui, " Rui alone.")):
                expect(pill(page)).to_have_text("Offline")
                write(page, words)
                expect(pill(page)).to_have_text("Offline, kept on this device")
                expect(editor(page)).to_have_attribute("contenteditable", "true")
        finally:
            own.server.start(port(own))
        for page in (ana, rui):
            expect(pill(page)).to_have_text("Saved", timeout=30_000)
        seen = " ".join(expect_same(ana, rui))
        for words in ("Together.", "Ana alone.", "Rui alone."):
            assert words in seen
        assert all(words in saved_text(ana, path) for words in ("Ana alone.", "Rui alone."))


def test_what_the_device_kept_survives_the_tab_and_a_killed_server_lesson_23(
    own: Demo, browser: Browser, watch: Watch
) -> None:
    watch.allow("WebSocket connection|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
    with (
        opened(browser, own, watch, own.students[0]) as pupil,
        opened(browser, own, watch, own.teacher) as ana,
    ):
        path = make_page(ana, own, "Left behind")
        open_editor(pupil, path)
        write(pupil, "Saved.")
        expect(pill(pupil)).to_have_text("Saved")
        own.server.kill()
        try:
            expect(pill(pupil)).to_have_text("Offline")
            write(pupil, " Only here.")
            expect(pill(pupil)).to_have_text("Offline, kept on this device")
            # No warning holds the tab: the words are on the device.
            pupil.close(run_before_unload=True)
        finally:
            own.server.start(port(own))
        again = pupil.context.new_page()
        again.goto(path)
        expect_blocks(again, "Saved. Only here.")
        expect(pill(again)).to_have_text("Saved", timeout=30_000)
        assert saved_text(ana, path) == "Saved. Only here."


def test_leaving_warns_only_of_words_that_are_nowhere_else(own: Demo, browser: Browser, watch: Watch) -> None:
    with (
        opened(browser, own, watch, own.students[0]) as pupil,
        opened(browser, own, watch, own.teacher) as ana,
    ):
        path = make_page(ana, own, "Leaving")
        # A device that keeps nothing, as in some private windows.
        pupil.add_init_script("indexedDB.open = () => { throw new Error('no storage'); };")
        open_editor(pupil, path)
        write(pupil, "warned")
        expect(pill(pupil)).to_have_text("Saved")
        asked: list[str] = []
        pupil.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        gate(own, "hold")
        try:
            write(pupil, " of losing this")
            expect(pill(pupil)).to_have_text("Saving …")
            pupil.reload()
            assert asked == ["beforeunload"]
        finally:
            gate(own, "open")
        expect(pill(pupil)).to_have_text("Saved", timeout=30_000)
        pupil.reload()
        assert asked == ["beforeunload"]


def test_without_a_network_a_page_is_written_on_and_sent_on_return(
    teacher: LogsIn, student: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|WebSocket connection")
    ana, pupil = teacher(), student(0)
    path = make_page(ana, demo, "On the bus")
    open_editor(ana, path)
    open_editor(pupil, path)
    write(pupil, "At school.")
    expect(pill(pupil)).to_have_text("Saved")
    kept(pupil)
    pupil.context.set_offline(True)
    pupil.reload()
    expect_blocks(pupil, "At school.")
    expect(pill(pupil)).to_have_text("Offline")
    write(pupil, " On the bus.")
    expect(pill(pupil)).to_have_text("Offline, kept on this device")
    pupil.reload()
    expect_blocks(pupil, "At school. On the bus.")
    pupil.context.set_offline(False)
    expect(pill(pupil)).to_have_text("Saved", timeout=30_000)
    expect_blocks(ana, "At school. On the bus.")
