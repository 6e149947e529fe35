"""The app opens without a network, and tells the truth about it."""

from __future__ import annotations

from conftest import LogsIn, Watch
from demo_server import Demo
from playwright.sync_api import Page, expect


def kept(page: Page) -> None:
    """Waits until the service worker has the app and serves this page."""
    page.wait_for_function("() => navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function(
        """async () => {
            const names = (await caches.keys()).filter((name) => name.startsWith("twinspace-app-"));
            const cache = names.length ? await caches.open(names[0]) : undefined;
            const words = (await cache?.keys())?.some(({url}) => /assets\\/en-/.test(url));
            return words && navigator.serviceWorker.controller !== null;
        }"""
    )


def test_the_space_and_an_open_page_open_again_without_a_network(
    student: LogsIn, demo: Demo, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED|WebSocket connection")
    page = student()
    page.goto(demo.page_path)
    text = page.locator("ts-editor [contenteditable]")
    text.click()
    page.keyboard.type("Written before the network went.")
    expect(page.locator("ts-editor").get_by_text("Saved", exact=True)).to_be_visible()
    kept(page)
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", level=1, name=demo.page_title)).to_be_visible()
    expect(text).to_contain_text("Written before the network went.")
    expect(page.locator(".top").get_by_text("No connection")).to_be_visible()
    page.get_by_role("link", name="People").first.click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    page.get_by_role("link", name=demo.page_title).first.click()
    expect(page.locator(".top").get_by_text("No connection")).to_have_count(0)


def test_the_service_worker_keeps_nothing_of_the_api(student: LogsIn, demo: Demo) -> None:
    page = student()
    page.goto(f"/spaces/{demo.space}")
    kept(page)
    urls = page.evaluate(
        """async () => {
            const found = [];
            for (const name of await caches.keys()) {
                if (name === "twinspace-known") continue;
                found.push(...(await (await caches.open(name)).keys()).map(({url}) => new URL(url).pathname));
            }
            return found;
        }"""
    )
    assert urls
    assert all(url == "/" or url.startswith("/assets/") for url in urls), urls
