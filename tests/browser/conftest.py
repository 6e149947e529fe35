"""Real Chromium against the real server with its demo. Whatever a page complains about fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from browsers import program
from demo_server import Demo, Person, running_demo
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CLIENT = Path(__file__).resolve().parents[2] / "static" / "client"
ARTIFACTS = Path(__file__).resolve().parents[1] / ".artifacts"

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
WAIT_MS = 30_000
"""The longest wait for anything on the screen: generous, since the machine may be busy."""
expect.set_options(timeout=WAIT_MS)

NOT_A_FAULT = [
    # Asking who is logged in when nobody is, or is no longer: the browser itself logs each 401.
    r"status of 401 .*/api/",
    # Too many tries, no right, not there: refusals that a test provokes and then looks for on the screen.
    r"status of 4(03|04|09|29) .*/api/",
]


@dataclass
class Watch:
    """Collects what the console says of errors, broken policies and uncaught exceptions."""

    problems: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=lambda: list(NOT_A_FAULT))

    def allow(self, pattern: str) -> None:
        """Expects complaints that match; for a test that provokes them."""
        self.allowed.append(pattern)

    def on(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error.stack or error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def check(self) -> None:
        left = [each for each in self.problems if not any(re.search(a, each) for a in self.allowed)]
        assert not left, "the page complained:\n" + "\n".join(left)


class Opens(Protocol):
    def __call__(self, *, viewport: dict[str, int] = ..., **options: Any) -> Page: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with its module: while Playwright runs, this thread can run no other event loop."""
    path = program()
    assert path is not None, "There is no Chromium here: run tools/programs."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The server with its demo, shared: a test that changes things makes its own pages and pupils."""
    assert (CLIENT / "dist" / "index.html").is_file(), "The client is not built: run `make setup`."
    with running_demo(tmp_path_factory.mktemp("browser") / "data") as demo:
        yield demo


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.check()


@pytest.fixture
def visitor(browser: Browser, demo: Demo, watch: Watch) -> Iterator[Opens]:
    """Opens a page of somebody who is not logged in, in a browser profile of their own."""
    contexts: list[BrowserContext] = []

    def open_page(*, viewport: dict[str, int] = DESKTOP, **options: Any) -> Page:
        options = {"locale": "en-GB", "reduced_motion": "reduce", **options}
        context = browser.new_context(base_url=demo.url, viewport=viewport, **options)  # type: ignore[arg-type]
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        context.on("page", watch.on)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


LogsIn = Callable[..., Page]


@pytest.fixture
def logged_in(visitor: Opens, demo: Demo) -> LogsIn:
    """``logged_in(person, **options)``: a page of that person, log-in done over REST."""

    def open_page(person: Person, **options: Any) -> Page:
        page = visitor(**options)
        answer = page.request.post(
            "/api/session",
            data=person.credentials,
            headers={"Origin": demo.url, "Sec-Fetch-Site": "same-origin"},
        )
        assert answer.ok, f"{person.name}: {answer.status} {answer.text()}"
        return page

    return open_page


@pytest.fixture
def teacher(logged_in: LogsIn, demo: Demo) -> LogsIn:
    """``teacher(**options)``: a page of the teacher who leads the demo's TwinSpace."""
    return lambda **options: logged_in(demo.teacher, **options)


@pytest.fixture
def student(logged_in: LogsIn, demo: Demo) -> LogsIn:
    """``student(number=0, **options)``: a page of one of the demo's students (of two schools in turn)."""
    return lambda number=0, **options: logged_in(demo.students[number], **options)


@pytest.fixture
def artifact(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Path of a picture or file to look at afterwards."""
    ARTIFACTS.mkdir(exist_ok=True)
    return lambda name: ARTIFACTS / name


@pytest.fixture(scope="session")
def _axe() -> str:
    return (CLIENT / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def axe(_axe: str) -> Callable[[Page, str], None]:
    """``axe(page, what)``: fails with all that axe-core has to say of the page as it is now."""

    def check(page: Page, what: str) -> None:
        page.evaluate(_axe)
        result = page.evaluate("async () => (await axe.run(document)).violations")
        found = [
            f"{each['id']} ({each['impact']}): {each['help']}\n    "
            + "\n    ".join(f"{node['target']} {node['html'][:160]}" for node in each["nodes"])
            for each in result
        ]
        assert not found, f"{what}:\n" + "\n".join(found)

    return check
