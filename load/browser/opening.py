"""From a navigation to the first key that is taken, on a slow processor with warm caches."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from playwright.async_api import Page

from .chromium import SPIN, Phone, Tab
from .demo import Lesson, written

__all__ = ["Openings", "open_again_and_again", "warm_up"]

WARM = 3
"""The engine keeps what it has compiled from the third time on."""
WAIT_MS = 30_000
EDITOR = "ts-editor .ed-page"
MARKS = {
    "page": "first byte of the page",
    "parsed": "the frame's code has run",
    "painted": "first contentful paint",
    "me": "who I am: answered",
    "space": "the space and its pages: answered",
    "editor": "the editor's code is here",
    "socket_asked": "socket asked for",
    "socket_open": "socket open",
    "editable": "a key is taken",
    "synced": "in step with the server",
}
"""What is noted, in ms since the navigation."""
BUSY = {
    "TaskDuration": "processor time of the page's thread, in all",
    "ScriptDuration": "of it what scripts were called for",
    "LayoutDuration": "of it layout",
    "RecalcStyleDuration": "of it styles",
}
"""Until a key is taken, in ms; slowing down counts."""
READ = """() => {
    const [navigation] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const here = (pattern) => {
        const first = {};
        for (const { name, responseEnd } of performance.getEntriesByType("resource"))
            if (pattern.test(name)) first[name] ??= responseEnd;
        return Math.max(...Object.values(first));
    };
    const seen = globalThis.watched;
    return {
        ...seen,
        page: navigation.responseStart,
        parsed: navigation.domInteractive,
        painted: paint?.startTime,
        me: here(/\\/api\\/me$/),
        space: here(/\\/api\\/spaces\\/[^/]+(\\/pages)?$/),
        editor: here(/\\/assets\\/editor-/),
    };
}"""


@dataclass(slots=True)
class Openings:
    marks: list[Mapping[str, float]] = field(default_factory=list)
    """Of each navigation, in ms: see MARKS."""
    busy: list[Mapping[str, float]] = field(default_factory=list)
    """Of each: see BUSY."""
    slower: float = 1.0
    """How much longer a fixed piece of work took than on the processor as it is."""

    def values(self, what: str) -> list[float]:
        each = self.marks if what in MARKS else self.busy
        return [values[what] for values in each if values.get(what) is not None]

    @property
    def editable(self) -> float:
        return statistics.median(self.values("editable"))


async def warm_up(phone: Phone, lesson: Lesson) -> float:
    """Logs the pupil in and opens the page often enough; gives how long SPIN takes."""
    answer = await phone.context.request.post(
        "/api/session",
        data={"method": "code", "code": lesson.code},
        headers={"Origin": lesson.server.http, "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.ok, await answer.text()
    spins = []
    for number in range(WARM):
        async with phone.tab() as tab:
            page = tab.page
            await page.goto(lesson.path)
            await page.wait_for_selector(".ed-pill[data-state=saved]", timeout=WAIT_MS)
            if number == 0:
                await page.evaluate("async () => { await navigator.serviceWorker.ready; }")
            else:
                await page.wait_for_function("() => navigator.serviceWorker.controller !== null")
            await page.wait_for_load_state("networkidle")
            spins.append(await page.evaluate(SPIN))
    return float(min(spins))


async def open_again_and_again(
    phone: Phone, lesson: Lesson, times: int, slower: float, spin: float
) -> Openings:
    openings, slow = Openings(), list[float]()
    for number in range(times):
        letter = "abcdefghijklmnopqrstuvwxyz"[number % 26]
        async with phone.tab(slower) as tab:
            await _open(tab, lesson, openings)
            await _type(tab.page, lesson, letter)
            slow.append(await tab.page.evaluate(SPIN) / spin)
    openings.slower = statistics.median(slow)
    return openings


async def _open(tab: Tab, lesson: Lesson, openings: Openings) -> None:
    page = tab.page
    await tab.meter()
    async with _says(page, "synced"):
        async with _says(page, "editable"):
            await page.goto(lesson.path, wait_until="commit", timeout=WAIT_MS)
        spent = await tab.spent()
    openings.busy.append({what: spent[what] for what in BUSY})
    openings.marks.append(await page.evaluate(READ))


def _says(page: Page, what: str) -> AbstractAsyncContextManager[object]:
    """Waits until watch.js has seen it."""
    return page.expect_console_message(lambda said: said.text == f"watched: {what}", timeout=WAIT_MS)


async def _type(page: Page, lesson: Lesson, letter: str) -> None:
    """A letter at the beginning of the page, which another pupil has to see."""
    other = lesson.pupils[0]
    before = written(other)[0]
    await page.locator(EDITOR).focus()
    await page.keyboard.press(letter)
    await other.until(lambda: written(other)[0] == letter + before, "a letter typed in the browser")
