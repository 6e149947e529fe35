"""Frames and strokes while somebody writes and a class moves its carets."""

from __future__ import annotations

import asyncio
import random
import statistics
import string
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from load.report import percentile

from .chromium import Phone, Tab
from .demo import Lesson, written
from .opening import EDITOR, WAIT_MS

__all__ = ["Frames", "animate", "write"]

COUNT = Path(__file__).with_name("frames.js").read_text()
SECOND = 1000.0
STEP = 100.0
"""A window of a second begins every so many ms."""
SHORTEST = 16.0
"""Of strokes that are painted sooner, the browser does not tell."""
BETWEEN = 1
"""Seconds between slowing down and counting."""
SETTLE = 0.3
"""Seconds after which the last stroke is painted and counted, too."""
MOVING = """<!doctype html><body><script>
    const box = document.body.appendChild(document.createElement("div"));
    box.style.cssText = "width: 40px; height: 40px; background: #2a6f97";
    let at = 0;
    const step = () => {
        box.style.transform = `translateX(${at++ % 300}px)`;
        requestAnimationFrame(step);
    };
    step();
</script>"""


@dataclass(frozen=True, slots=True)
class Frames:
    at: list[float]
    """When each began, in ms."""
    tasks: list[float]
    """How long tasks took that took more than 50 ms."""
    strokes: list[float]
    """From a key to what it changed on the screen, in ms; the browser counts in steps of 8."""
    typed: int = 0
    seconds: float = 0.0
    """That the typing took."""
    busy: float = 0.0
    """Processor time of the page's thread, in ms a second."""

    @property
    def rates(self) -> list[int]:
        """Frames in each whole second, a window beginning every 100 ms."""
        at, rates = self.at, list[int]()
        begin = at[0]
        while begin + SECOND <= at[-1]:
            rates.append(bisect_left(at, begin + SECOND) - bisect_left(at, begin))
            begin += STEP
        return rates or [len(at)]

    @property
    def worst(self) -> int:
        return min(self.rates)

    def as_json(self) -> Mapping[str, object]:
        longest = max(after - before for before, after in zip(self.at, self.at[1:], strict=False))
        said: dict[str, object] = {
            "frames_in_the_worst_second": self.worst,
            "frames_in_a_second_median": statistics.median(self.rates),
            "longest_frame_ms": round(longest, 1),
            "long_tasks": len(self.tasks),
            "longest_task_ms": max(self.tasks, default=0.0),
        }
        if self.typed:
            said |= {
                "keys": self.typed,
                "keys_a_second": round(self.typed / self.seconds, 2),
                "thread_ms_a_second": round(self.busy),
                "key_to_paint_p50_ms": percentile(self.strokes, 0.5),
                "key_to_paint_p95_ms": percentile(self.strokes, 0.95),
            }
        return said


async def _counted(tab: Tab, typed: int, seconds: float) -> Frames:
    said = await tab.page.evaluate("() => globalThis.counted()")
    quick = [SHORTEST] * (typed - len(said["strokes"]))
    return Frames(said["frames"], said["tasks"], [*said["strokes"], *quick], typed, seconds)


async def animate(phone: Phone, slower: float, seconds: float) -> Frames:
    """What the machine reaches on a page where one box moves."""
    async with phone.tab(slower) as tab:
        await tab.page.set_content(MOVING)
        await asyncio.sleep(BETWEEN)
        await tab.page.evaluate(COUNT)
        await asyncio.sleep(seconds)
        return await _counted(tab, 0, seconds)


async def write(
    phone: Phone, lesson: Lesson, slower: float, seconds: float, rate: float, rng: random.Random
) -> Frames:
    """Types at the end of a paragraph; waits until another pupil has every letter."""
    count = round(seconds * rate)
    words = "".join(rng.choice(f"{string.ascii_lowercase}    ") for _ in range(count - 1)) + "."
    other, loop = lesson.pupils[0], asyncio.get_running_loop()
    async with phone.tab() as tab:
        page = tab.page
        await page.goto(lesson.path)
        await page.wait_for_selector(".ed-pill[data-state=saved]", timeout=WAIT_MS)
        await page.wait_for_function(
            f"() => document.querySelectorAll('{EDITOR} .caret').length === {len(lesson.pupils)}",
            timeout=WAIT_MS,
        )
        await page.locator(f"{EDITOR} > p").nth(2).click()
        await page.keyboard.press("End")
        await tab.slow_down(slower)
        await asyncio.sleep(BETWEEN)
        await tab.meter()
        await page.evaluate(COUNT)
        before, began = await tab.spent(), loop.time()
        for number, letter in enumerate(words):
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            await page.keyboard.press("Space" if letter == " " else letter)
        took, after = loop.time() - began, await tab.spent()
        await asyncio.sleep(SETTLE)
        busy = (after["TaskDuration"] - before["TaskDuration"]) / took
        frames = replace(await _counted(tab, len(words), took), busy=busy)
        await tab.slow_down(1)
        await other.until(
            lambda: any(words in block for block in written(other)), "what was typed in the browser"
        )
    return frames
