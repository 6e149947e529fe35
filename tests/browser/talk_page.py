"""What the tests of discussions share: rooms and threads made over REST, and the parts of a thread's screen."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from demo_server import Demo
from playwright.sync_api import Locator, Page, expect


@dataclass(frozen=True)
class Talk:
    """A thread and where it is."""

    id: str
    room: str
    title: str
    path: str


def call(page: Page, demo: Demo, method: str, path: str, data: Any = None) -> Any:
    """A request of whoever is logged in on this page."""
    answer = page.request.fetch(
        f"{demo.url}/api{path}",
        method=method,
        data=data,
        headers={"Origin": demo.url, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.ok, f"{method} {path}: {answer.status} {answer.text()}"
    return answer.json() if answer.text() else None


def make_room(teacher: Page, demo: Demo, *, posting: str | None = None) -> str:
    """A room that all members are listed in, by a teacher who leads the space."""
    members = [each["id"] for each in call(teacher, demo, "GET", f"/spaces/{demo.space}/members")]
    title = f"Room {uuid.uuid4().hex[:4]}"
    made = call(teacher, demo, "POST", f"/spaces/{demo.space}/rooms", {"title": title, "members": members})
    if posting:
        call(teacher, demo, "PATCH", f"/rooms/{made['id']}", {"posting": posting})
    return str(made["id"])


def make_thread(
    page: Page, demo: Demo, room: str | None = None, *, kind: str = "thread", title: str | None = None
) -> Talk:
    """A thread in that room, or in the first one of the space."""
    if room is None:
        room = str(call(page, demo, "GET", f"/spaces/{demo.space}")["rooms"][0]["id"])
    title = title or f"Thread {uuid.uuid4().hex[:6]}"
    made = call(
        page, demo, "POST", f"/rooms/{room}/threads", {"title": title, "kind": kind, "key": uuid.uuid4().hex}
    )
    return Talk(made["id"], room, title, f"/spaces/{demo.space}/threads/{made['id']}")


def make_post(page: Page, demo: Demo, talk: Talk, body: str, **more: Any) -> dict[str, Any]:
    data = {"key": uuid.uuid4().hex, "body": body, "language": "en", **more}
    return dict(call(page, demo, "POST", f"/threads/{talk.id}/posts", data))


def open_thread(page: Page, talk: Talk) -> None:
    page.goto(talk.path)
    expect(page.get_by_role("heading", level=1, name=talk.title)).to_be_visible()
    expect(page.locator(".compose-place")).to_be_visible()


def composer(page: Page) -> Locator:
    return page.get_by_label("Your post")


def write(page: Page, words: str) -> None:
    composer(page).fill(words)
    page.get_by_role("button", name="Send").click()


def post(page: Page, words: str) -> Locator:
    """The article with these words."""
    return page.get_by_role("article").filter(has_text=words)


def bodies(page: Page) -> list[str]:
    return page.locator(".posts .post-body").all_inner_texts()


def scrubbed(page: Page, words: str) -> bool:
    """Whether the words are nowhere on this device: not in IndexedDB, in no cache, in no storage."""
    found = page.evaluate(
        """async (words) => {
            const found = [];
            for (const {name} of await indexedDB.databases()) {
                const db = await new Promise((resolve, reject) => {
                    const request = indexedDB.open(name);
                    request.onsuccess = () => resolve(request.result);
                    request.onerror = () => reject(request.error);
                });
                for (const store of db.objectStoreNames) {
                    const rows = await new Promise((resolve, reject) => {
                        const request = db.transaction(store).objectStore(store).getAll();
                        request.onsuccess = () => resolve(request.result);
                        request.onerror = () => reject(request.error);
                    });
                    for (const row of rows) {
                        const text = row instanceof Uint8Array ? new TextDecoder().decode(row) : JSON.stringify(row);
                        if (text?.includes(words)) found.push(`${name}/${store}`);
                    }
                }
                db.close();
            }
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const request of await cache.keys()) {
                    const text = await (await cache.match(request)).text();
                    if (text.includes(words)) found.push(`${name}: ${request.url}`);
                }
            }
            for (const storage of [localStorage, sessionStorage])
                if (JSON.stringify(storage).includes(words)) found.push("storage");
            return found;
        }""",
        words,
    )
    return not found
