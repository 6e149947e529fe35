"""Which Chromium is driven, and as what kind of machine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import BrowserContext, CDPSession, Page, async_playwright

from load.backing.process import Folder
from load.command import WorkloadError

__all__ = ["SPIN", "Phone", "Tab", "phone", "program"]

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same engine without windows around it."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTH, HEIGHT = 360, 740
SPIN = """() => {
    const rounds = [0, 0, 0].map(() => {
        const began = performance.now();
        for (let at = 0, sum = 0; at < 1e7; at++) sum = (sum * 31 + at) | 0;
        return performance.now() - began;
    });
    return Math.min(...rounds);
}"""
"""How long a fixed piece of work takes in the page, in ms."""


def program() -> str:
    """Path of the one to take. Raises WorkloadError where there is none."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise WorkloadError(
            "NO BROWSER: there is no Chromium here, so nothing is measured. Run tools/programs."
        )
    return found


class Tab:
    """A page whose processor can be slowed down."""

    def __init__(self, page: Page, cdp: CDPSession) -> None:
        self.page, self.cdp = page, cdp

    async def slow_down(self, times: float) -> None:
        await self.cdp.send("Emulation.setCPUThrottlingRate", {"rate": times})

    async def meter(self) -> None:
        """Begins to count the thread's own time: on a busy machine it is the steadier figure."""
        await self.cdp.send("Performance.enable", {"timeDomain": "threadTicks"})

    async def spent(self) -> Mapping[str, float]:
        """Processor time of the page's thread since `meter`, in ms, by what it went to."""
        said = await self.cdp.send("Performance.getMetrics")
        return {each["name"]: 1000 * each["value"] for each in said["metrics"]}


class Phone:
    """A browser with a profile that lasts, as the one of a pupil who comes back: its caches are warm."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context

    async def version(self) -> str:
        async with self.tab() as tab:
            return str((await tab.cdp.send("Browser.getVersion"))["product"])

    @asynccontextmanager
    async def tab(self, slower: float = 1.0) -> AsyncIterator[Tab]:
        page = await self.context.new_page()
        try:
            tab = Tab(page, await self.context.new_cdp_session(page))
            await tab.slow_down(slower)
            yield tab
        finally:
            await page.close()


@asynccontextmanager
async def phone(url: str) -> AsyncIterator[Phone]:
    path, watch = program(), Path(__file__).with_name("watch.js")
    folder = await asyncio.to_thread(Folder, "twinspace-browser-")
    try:
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                folder.path,
                executable_path=path,
                args=FLAGS,
                base_url=url,
                viewport={"width": WIDTH, "height": HEIGHT},
                is_mobile=True,
                has_touch=True,
                locale="en-GB",
            )
            try:
                await context.add_init_script(path=watch)
                yield Phone(context)
            finally:
                await context.close()
    finally:
        await asyncio.to_thread(folder.remove)
