"""A lesson: thirty pupils of three schools and their teachers discuss in one supervised room.

Everybody has the discussion open and posts in turn, over REST with a key of their own for each post; lines
break at random and come back, posts are sent twice, and the server is killed and started again in the middle.
Then teachers hide posts, and one freezes the space.

Kept promises: every post that was answered is there exactly once, in the same place for everybody; nothing
hidden is left on a screen; nothing is taken after a freeze. The figures are seconds from the request to
the last of all screens, while nothing was killed.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import click
from pycrdt import Map

from .client import Client
from .command import WorkloadError, run
from .faults.school import Visitor, log_in
from .report import Machine, milliseconds
from .servers import TwinSpace
from .wire import Framing

__all__ = ["Figures", "Plan", "lesson"]

SCHOOLS = (
    ("ES", "España", "es", "Zaragoza", "Europe/Madrid"),
    ("PT", "Portugal", "pt", "Porto", "Europe/Lisbon"),
    ("FI", "Suomi", "fi", "Oulu", "Europe/Helsinki"),
)
ANIMALS = ("otters", "herons", "trouts", "gulls", "frogs", "beetles", "storks", "eels", "newts", "ducks")
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """posts: before the kill and again around it. rate: posts a second of the whole class."""

    pupils: int = 30
    posts: int = 200
    rate: float = 10.0
    hides: int = 10
    seed: int = 0


@dataclass(slots=True)
class Figures:
    answered: int = 0
    shown: list[float] = field(default_factory=list)
    """Seconds from a post's request to the last screen."""
    hidden: list[float] = field(default_factory=list)
    frozen: float = 0.0
    """Seconds from the freeze's request to its effect on everybody."""
    broken: list[str] = field(default_factory=list)
    """Promises that were not kept."""


@dataclass(frozen=True, slots=True)
class _School:
    space: str
    room: str
    teachers: list[_Screen]
    pupils: list[_Screen]


async def _furnish(server: TwinSpace, stack: AsyncExitStack, pupils: int) -> _School:
    """Three schools with a teacher each who have founded a space together, and their pupils in it."""
    schools, teachers = [], []
    for code, country, language, town, zone in SCHOOLS:
        await server.add("country", code, country, "--language", language)
        place = ["--country", code, "--town", town, "--time-zone", zone, "--language", language]
        schools.append(await server.add("school", f"School of {town}", *place))
        email, password = f"teacher@{town.lower()}.example", secrets.token_hex(8)
        given = ["--school", schools[-1], "--email", email, "--password-stdin"]
        await server.add("teacher", f"Teacher of {town}", *given, entered=f"{password}\n")
        teachers.append((email, password))
    founders = [part for email, _ in teachers for part in ("--founder", email)]
    space = await server.add("space", "Three rivers", *founders, "--age-band", "16-19")
    timeout, jar = aiohttp.ClientTimeout(total=PATIENCE), aiohttp.DummyCookieJar()
    http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout, cookie_jar=jar))
    logins = [{"method": "password", "email": email, "password": password} for email, password in teachers]
    screens = [_Screen(server, await log_in(http, server, login)) for login in logins]
    codes = []
    for number, (school, screen) in enumerate(zip(schools, screens, strict=True)):
        count = pupils // 3 + (number < pupils % 3)
        made = await screen.call("POST", f"/schools/{school}/pupils", {"space_id": space, "count": count})
        codes += [card["code"] for card in made["cards"]]
    room = (await screens[0].call("GET", f"/spaces/{space}"))["rooms"][0]["id"]
    await screens[0].call("PUT", f"/rooms/{room}/state", {"state": "supervised"})
    return _School(
        space,
        room,
        screens,
        [_Screen(server, await log_in(http, server, {"method": "code", "code": code})) for code in codes],
    )


class _Screen:
    """Somebody in the lesson: logged in, with the discussion open, noting when what came."""

    def __init__(self, server: TwinSpace, visitor: Visitor) -> None:
        self._server, self._visitor = server, visitor
        self.seen: dict[str, float] = {}
        """When a post, by its id, was first on this screen."""
        self.gone: dict[str, float] = {}
        """When it was hidden there."""
        self.clients: list[Client] = []

    async def open(self, stack: AsyncExitStack, space: str, thread: str) -> None:
        for document in (f"space/{space}", f"thread/{thread}"):
            client = self._visitor.client(self._server, document, Framing.HOCUSPOCUS, PATIENCE)
            self.clients.append(await stack.enter_async_context(client))
        self.clients[0].show({"page": None})
        self._posts: Map[Any] = self.clients[1].doc.get("posts", type=Map)
        self._subscription = self._posts.observe(self._note)

    def close(self) -> None:
        self._posts.unobserve(self._subscription)

    def _note(self, event: Any) -> None:
        now = time.perf_counter()
        for key in list(event.keys):
            self.seen.setdefault(key, now)
            if self._posts[key]["state"] == "hidden":
                self.gone.setdefault(key, now)

    @property
    def posts(self) -> dict[str, Any]:
        return {key: self._posts[key] for key in list(self._posts.keys())}

    async def until_shown(self, posts: Collection[str]) -> None:
        """Raises GaveUp."""
        await self.clients[1].until(lambda: self.seen.keys() >= set(posts), "posts")

    async def until_gone(self, post: str) -> None:
        """Raises GaveUp."""
        await self.clients[1].until(lambda: post in self.gone, "a post to be hidden")

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Raises WorkloadError if the server does not agree."""
        return await self._visitor.call(self._server, method, path, body)

    async def post(self, thread: str, body: str, key: str) -> tuple[int, Any]:
        """Sends until there is an answer, as the outbox of a browser does."""
        while True:
            with suppress(aiohttp.ClientError, OSError):
                path, sent = f"/threads/{thread}/posts", {"key": key, "body": body}
                status, said = await self._visitor.ask(self._server, "POST", path, sent)
                if status != 503:
                    return status, said
            await asyncio.sleep(0.1)


async def lesson(plan: Plan) -> Figures:
    """Holds the lesson. Raises WorkloadError when it cannot even begin."""
    figures, rng = Figures(), random.Random(plan.seed)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TwinSpace())
        school = await _furnish(server, stack, plan.pupils)
        teachers, pupils = school.teachers, school.pupils
        body = {"title": "What did you see?", "key": secrets.token_hex(8)}
        made = await teachers[0].call("POST", f"/rooms/{school.room}/threads", body)
        thread, everybody = str(made["id"]), [*teachers, *pupils]
        for screen in everybody:
            await screen.open(stack, school.space, thread)
            stack.callback(screen.close)
        lines = _Lines(rng, pupils)
        answered = await _discuss(plan, rng, thread, pupils, figures, everybody)
        answered |= await _discuss_through_a_kill(plan, rng, thread, pupils, server, lines)
        lines.mend()
        figures.answered = len(answered)
        await _compare(answered, everybody, figures)
        await _hide(plan, rng, list(answered), teachers, everybody, figures)
        await _freeze(rng, thread, school.space, teachers[0], pupils, figures)
    return figures


def _words(rng: random.Random, number: int) -> str:
    """Words that no other post has and no filter minds."""
    return f"I saw {number} {' '.join(rng.choices(ANIMALS, k=6))}."


class _Lines:
    """Breaks the lines of some pupils and mends them."""

    def __init__(self, rng: random.Random, screens: Sequence[_Screen]) -> None:
        self._rng, self._screens = rng, screens
        self._away: list[_Screen] = []

    def shake(self) -> None:
        if self._away and self._rng.random() < 0.7:
            self._back(self._away.pop(0))
        else:
            screen = self._rng.choice(self._screens)
            if screen not in self._away:
                self._away.append(screen)
                for client in screen.clients:
                    client.go_offline(abruptly=True)

    def mend(self) -> None:
        while self._away:
            self._back(self._away.pop())

    @staticmethod
    def _back(screen: _Screen) -> None:
        for client in screen.clients:
            client.go_online()


async def _discuss(
    plan: Plan,
    rng: random.Random,
    thread: str,
    pupils: Sequence[_Screen],
    figures: Figures,
    everybody: Sequence[_Screen],
) -> dict[str, str]:
    """Posts while nothing fails; the bodies that were answered, by the post's id."""
    answered: dict[str, str] = {}
    waiting: list[asyncio.Task[None]] = []

    async def one(number: int, screen: _Screen) -> None:
        body, sent = _words(rng, number), time.perf_counter()
        status, said = await screen.post(thread, body, f"first-{number:08}")
        if status != 201:
            raise WorkloadError(f"A pupil may not post: {status} {said}")
        answered[said["id"]] = body
        for other in everybody:
            await other.until_shown([said["id"]])
        figures.shown.append(max(other.seen[said["id"]] for other in everybody) - sent)

    for number in range(plan.posts):
        waiting.append(asyncio.create_task(one(number, rng.choice(pupils))))
        await asyncio.sleep(1 / plan.rate)
    await asyncio.gather(*waiting)
    return answered


async def _discuss_through_a_kill(
    plan: Plan,
    rng: random.Random,
    thread: str,
    pupils: Sequence[_Screen],
    server: TwinSpace,
    lines: _Lines,
) -> dict[str, str]:
    """Posts while lines break and the server dies; every post is sent until it is answered, some twice."""
    answered: dict[str, str] = {}

    async def one(number: int, screen: _Screen) -> None:
        body, key = _words(rng, number + plan.posts), f"late-{number:09}"
        sendings = [screen.post(thread, body, key) for _ in range(1 + (number % 5 == 0))]
        for status, said in await asyncio.gather(*sendings):
            if status == 201:
                answered[said["id"]] = body
            elif status != 403:  # no teacher is back yet, after the restart
                raise WorkloadError(f"A pupil may not post: {status} {said}")

    waiting = []
    for number in range(plan.posts):
        waiting.append(asyncio.create_task(one(number, rng.choice(pupils))))
        if number % 7 == 0:
            lines.shake()
        if number == plan.posts // 2:
            await server.kill()
            await server.start()
        await asyncio.sleep(1 / plan.rate)
    await asyncio.gather(*waiting)
    return answered


async def _compare(answered: dict[str, str], everybody: Sequence[_Screen], figures: Figures) -> None:
    """Once everybody has everything: each answered post once, and one order for all."""
    for screen in everybody:
        await screen.until_shown(answered)
    first = everybody[0].posts
    for screen in everybody[1:]:
        if screen.posts != first:
            figures.broken.append("not all screens show the same")
    bodies = [post["body"] for post in first.values()]
    if len(bodies) != len(set(bodies)):
        figures.broken.append("a post is there twice")
    numbers = sorted(post["number"] for post in first.values())
    if numbers != list(range(1, len(numbers) + 1)):
        figures.broken.append("two posts have one place, or a place is empty")
    if any(first[post]["body"] != body for post, body in answered.items()):
        figures.broken.append("a post says something else than was sent")


async def _hide(
    plan: Plan,
    rng: random.Random,
    posts: Sequence[str],
    teachers: Sequence[_Screen],
    everybody: Sequence[_Screen],
    figures: Figures,
) -> None:
    for post in rng.sample(posts, min(plan.hides, len(posts))):
        started = time.perf_counter()
        await rng.choice(teachers).call("PUT", f"/posts/{post}/hidden", {"because": "Practice"})
        for screen in everybody:
            await screen.until_gone(post)
        figures.hidden.append(max(screen.gone[post] for screen in everybody) - started)
        if any(screen.posts[post]["body"] for screen in everybody):
            figures.broken.append("the words of a hidden post are still there")


async def _freeze(
    rng: random.Random, thread: str, space: str, teacher: _Screen, pupils: Sequence[_Screen], figures: Figures
) -> None:
    """While everybody posts once a second, a teacher freezes the space."""
    last_taken, going = 0.0, True

    async def write(screen: _Screen, number: int) -> None:
        nonlocal last_taken
        count = 0
        while going:
            count += 1
            key = f"freeze-{number:03}-{count:05}"
            status, _ = await screen.post(thread, _words(rng, count), key)
            if status == 201:
                last_taken = max(last_taken, time.perf_counter())
            await asyncio.sleep(0.5 + rng.random())

    writers = [asyncio.create_task(write(screen, number)) for number, screen in enumerate(pupils)]
    await asyncio.sleep(2.0)
    asked = time.perf_counter()
    await teacher.call("PUT", f"/spaces/{space}/freeze")
    answered = time.perf_counter()
    await asyncio.sleep(2.5)
    going = False
    await asyncio.gather(*writers)
    figures.frozen = max(last_taken, answered) - asked
    if last_taken > answered + 1.0:
        figures.broken.append("a post was taken a second after the freeze")


def told(figures: Figures, seed: int) -> str:
    verdict = "; ".join(sorted(set(figures.broken))) or "every promise kept"
    return (
        f"lesson (seed {seed}): {figures.answered} posts answered; {verdict}\n"
        f"  post to all screens  {milliseconds(figures.shown)}\n"
        f"  hidden on all        {milliseconds(figures.hidden)}\n"
        f"  frozen for all       {1000 * figures.frozen:,.0f} ms"
    )


@click.command(name="lesson")
@click.option("--pupils", default=30, show_default=True, type=click.IntRange(3, 120))
@click.option("--posts", default=200, show_default=True, type=click.IntRange(5, 2_000))
@click.option("--rate", default=10.0, show_default=True, type=click.FloatRange(0.5, 100))
@click.option("--seed", default=None, type=int, help="Drawn unless given; printed.")
def command(pupils: int, posts: int, rate: float, seed: int | None) -> None:
    """A class discusses in one supervised room, through broken lines and a killed server."""
    chosen = secrets.randbelow(1_000_000) if seed is None else seed

    async def hold() -> None:
        with Machine() as machine:
            figures = await lesson(Plan(pupils, posts, rate, seed=chosen))
        click.echo(told(figures, chosen))
        click.echo(f"  {machine}")
        if figures.broken:
            raise WorkloadError("a promise was not kept")

    run(hold())
