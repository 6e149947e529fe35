"""Words that were taken away, or were never for everybody, are nowhere in a pupil's browser."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from typing import Any

from conftest import LogsIn, Watch
from demo_server import Demo
from playwright.sync_api import Error, Page, Response, expect
from talk_page import call, make_post, make_room, make_thread, open_thread, post
from test_shell_offline import kept

EVERYTHING = """async () => {
    const found = {};
    const seen = new Set();
    const text = async (value, depth = 0) => {
        if (value instanceof Blob) return value.text();
        if (value instanceof ArrayBuffer) value = new Uint8Array(value);
        if (ArrayBuffer.isView(value)) {
            const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
            return new TextDecoder().decode(bytes) + new TextDecoder('utf-16').decode(bytes);
        }
        if (value === null || typeof value !== 'object') return String(value);
        if (depth > 50 || seen.has(value)) return '';
        seen.add(value);
        const parts = value instanceof Map || value instanceof Set ? [...value].flat() : Object.entries(value).flat();
        return (await Promise.all(parts.map((each) => text(each, depth + 1)))).join(' ');
    };
    const asked = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    for (const {name} of await indexedDB.databases()) {
        const db = await asked(indexedDB.open(name));
        for (const store of db.objectStoreNames) {
            const rows = db.transaction(store).objectStore(store);
            const [keys, values] = await Promise.all([asked(rows.getAllKeys()), asked(rows.getAll())]);
            found[`indexedDB ${name}/${store}`] = `${await text(keys)} ${await text(values)}`;
        }
        db.close();
    }
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys())
            found[`cache ${name} ${request.url}`] = await (await cache.match(request)).text();
    }
    for (const [name, storage] of Object.entries({localStorage, sessionStorage}))
        found[name] = JSON.stringify(Object.entries(storage));
    found.history = JSON.stringify(history.state);
    found.cookie = document.cookie;
    found.title = document.title;
    found.page = document.documentElement.outerHTML;
    found.fields = [...document.querySelectorAll('input, textarea')].map((each) => each.value).join(' ');
    return found;
}"""


def dump(page: Page) -> dict[str, str]:
    """All that the browser holds for this page and has kept on the device, by where it is."""
    return dict(page.evaluate(EVERYTHING))


def where(page: Page, words: str) -> list[str]:
    return sorted(place for place, text in dump(page).items() if words in text)


def expect_nowhere(page: Page, *canaries: str) -> None:
    """What is kept follows the screen within a moment, not in the same one."""
    for _ in range(50):
        left = {words: places for words in canaries if (places := where(page, words))}
        if not left:
            return
        page.wait_for_timeout(200)
    raise AssertionError(left)


def canary() -> str:
    return f"canary{uuid.uuid4().hex}"


def send(page: Page, demo: Demo, path: str, **data: Any) -> dict[str, Any]:
    return dict(call(page, demo, "POST", path, {"key": uuid.uuid4().hex, **data}))


def test_hidden_words_are_on_no_device_after_a_time_without_a_network(
    teacher: LogsIn, student: LogsIn, demo: Demo, watch: Watch
) -> None:
    """Hidden while the reader is away: gone when they come back, and with a new page."""
    watch.allow("ERR_INTERNET_DISCONNECTED|WebSocket connection")
    ana, brave, reader = teacher(), student(0), student(1)
    talk = make_thread(ana, demo)
    words, answer = canary(), canary()
    bad = make_post(brave, demo, talk, f"Look: {words}")
    make_post(ana, demo, talk, "An answer", reply_to=bad["id"])
    poll = make_post(ana, demo, talk, "Which?", options=[answer, "Another"])
    open_thread(reader, talk)
    for each in (words, answer):
        expect(reader.get_by_text(each).first).to_be_visible()
    kept(reader)
    reader.wait_for_timeout(500)
    assert [each for each in where(reader, words) if each.startswith("indexedDB")], "nothing is kept at all"
    reader.context.set_offline(True)
    reader.reload()
    expect(post(reader, words).first).to_be_visible()
    for each in (bad, poll):
        call(ana, demo, "PUT", f"/posts/{each['id']}/hidden", {"because": "Not for this room"})
    assert where(reader, words)
    reader.context.set_offline(False)
    expect(reader.locator(".hidden-post")).to_have_count(2, timeout=60_000)
    expect_nowhere(reader, words, answer)
    reader.context.set_offline(True)
    reader.reload()
    expect(reader.locator(".hidden-post")).to_have_count(2, timeout=40_000)
    expect_nowhere(reader, words, answer)
    reader.context.set_offline(False)
    reader.reload()
    expect(reader.locator(".hidden-post")).to_have_count(2)
    expect_nowhere(reader, words, answer)


def test_held_and_rejected_words_of_others_never_arrive(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    """Neither in the page, nor on the device, nor in any answer or frame on the way to it."""
    ana, brave, reader = teacher(), student(0), student(1)
    talk = make_thread(ana, demo, make_room(ana, demo, posting="hold"))
    arrived: list[bytes] = []

    def frame(payload: str | bytes) -> None:
        arrived.append(payload.encode() if isinstance(payload, str) else payload)

    reader.on("websocket", lambda socket: socket.on("framereceived", frame))
    answers: list[Response] = []
    reader.on("response", lambda answer: answers.append(answer))

    def take_answers() -> None:
        """Before the page is left: a browser forgets what it has answered to an earlier one."""
        for answer in answers:
            if "/api/" in answer.url and answer.status == 200:
                with suppress(Error):
                    arrived.append(answer.body())
        answers.clear()

    open_thread(reader, talk)
    kept(reader)
    held, rejected, why, edited, shown, asked = (canary() for _ in range(6))
    path = f"/threads/{talk.id}/posts"
    assert send(brave, demo, path, body=held)["state"] == "held"
    turned_down = send(brave, demo, path, body=rejected)["id"]
    call(ana, demo, "PUT", f"/posts/{turned_down}/decision", {"approve": False, "because": why})
    seen = send(brave, demo, path, body=shown)["id"]
    call(ana, demo, "PUT", f"/posts/{seen}/decision", {"approve": True})
    call(brave, demo, "PATCH", f"/posts/{seen}", {"body": edited})
    expect(post(reader, shown)).to_be_visible()
    secrets = (held, rejected, why, edited, asked)
    expect_nowhere(reader, *secrets)
    take_answers()
    reader.goto(f"/spaces/{demo.space}")
    expect(reader.get_by_role("heading", level=1)).to_be_visible()
    take_answers()
    open_thread(reader, talk)
    expect(post(reader, shown)).to_be_visible()
    expect_nowhere(reader, *secrets)
    take_answers()
    everything = b"".join(arrived)
    assert shown.encode() in everything
    assert [words for words in secrets if words.encode() in everything] == []
    # The author has them, and nobody who comes to this device afterwards.
    open_thread(brave, talk)
    expect(brave.get_by_text(held)).to_be_visible()
    log_out(brave)
    expect_nowhere(brave, *secrets, shown)


def log_out(page: Page) -> None:
    page.get_by_role("button", name="log out").click()
    page.get_by_role("dialog").get_by_role("button", name="Log out", exact=True).click()
    expect(page).to_have_url(re.compile("/login$"))


def test_after_log_out_nothing_of_any_thread_is_left(teacher: LogsIn, student: LogsIn, demo: Demo) -> None:
    ana, reader = teacher(), student(1)
    first, second = canary(), canary()
    talk, other = make_thread(ana, demo, title=first), make_thread(ana, demo)
    words, unread, draft = canary(), canary(), canary()
    make_post(ana, demo, talk, words)
    make_post(ana, demo, other, unread)
    for each in (talk, other):
        open_thread(reader, each)
    expect(post(reader, unread)).to_be_visible()
    kept(reader)
    reader.get_by_label("Your post").fill(draft)
    reader.wait_for_timeout(1_500)
    assert where(reader, draft)
    assert [each for each in where(reader, words) if each.startswith("indexedDB")]
    log_out(reader)
    expect_nowhere(reader, first, second, words, unread, draft, talk.id, other.id)
    reader.reload()
    expect(reader).to_have_url(re.compile("/login$"))
    expect_nowhere(reader, first, second, words, unread, draft, talk.id, other.id)
