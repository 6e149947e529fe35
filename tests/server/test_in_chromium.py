"""What a real browser makes of our cookies and of our content security policy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from browsers import program
from house import open_house
from playwright.async_api import Browser, ConsoleMessage, async_playwright

from server.security import Cookie


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = program()
    assert path is not None, "There is no Chromium here: run tools/programs."
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        await opened.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Sets the cookie of either kind, shows what came back, removes it."""
    cookies = {"secure": Cookie(True), "plain": Cookie(False)}

    async def handle(request: web.Request) -> web.Response:
        cookie = cookies[request.match_info["kind"]]
        response = web.Response(text=cookie.read(request) or "none")
        match request.match_info["what"]:
            case "set":
                cookie.set(response, "s3cret")
            case "clear":
                cookie.clear(response)
        return response

    app = web.Application()
    app.router.add_get("/{kind}/{what}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize("kind", ["secure", "plain"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_log_in_cookie_works_on_this_machine_without_https(
    browser: Browser, port: int, host: str, kind: str
) -> None:
    page = await browser.new_page()
    try:
        for path, seen in (("set", "none"), ("show", "s3cret"), ("clear", "s3cret"), ("show", "none")):
            await page.goto(f"http://{host}:{port}/{kind}/{path}")
            assert await page.inner_text("body") == seen, path
            if path == "set":
                assert "s3cret" not in await page.evaluate("document.cookie")
                (cookie,) = await page.context.cookies()
                assert cookie["httpOnly"]
                assert cookie["secure"] is (kind == "secure")
                assert cookie["sameSite"] == "Lax"
    finally:
        await page.close()


def note(message: ConsoleMessage, complaints: list[str]) -> None:
    """Keeps an error, but for being told by the API that nobody is logged in."""
    if message.type == "error" and not ("401" in message.text and "/api/" in message.location["url"]):
        complaints.append(f"{message.text} {message.location['url']}")


async def test_our_pages_run_under_their_policy_and_break_none_of_it(
    browser: Browser, tmp_path: Path
) -> None:
    async with open_house(tmp_path) as house:
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: note(message, complaints))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            for path, shows in (("/", "main, [role=main], h1, body > *"), ("/api/docs", "h1")):
                await page.goto(house.url + path)
                await page.wait_for_selector(shows)
                await page.wait_for_timeout(300)
            assert complaints == []
        finally:
            await page.close()


async def test_an_inline_script_in_our_page_does_not_run(browser: Browser, tmp_path: Path) -> None:
    client = tmp_path / "client"
    client.mkdir()
    (client / "index.html").write_text(
        "<!doctype html><title>x</title><script>document.title = 'ran'</script>"
        "<p id=p style='color: rgb(1, 2, 3)' onclick=\"document.title = 'ran'\">p</p>"
        "<img src=x onerror=\"document.title = 'ran'\">"
    )
    async with open_house(tmp_path / "data", client) as house:
        page = await browser.new_page()
        try:
            await page.goto(house.url)
            await page.click("#p")
            await page.evaluate(
                "try { document.body.innerHTML = '<p>y</p>' } catch (e) { window.refused = e.name }"
            )
            assert await page.evaluate("[document.title, window.refused]") == ["x", "TypeError"]
            assert (
                await page.evaluate("getComputedStyle(document.querySelector('#p')).color") != "rgb(1, 2, 3)"
            )
        finally:
            await page.close()
