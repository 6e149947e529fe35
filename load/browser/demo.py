"""The real server with its demo, and in it a page that a class is at work on."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
from pycrdt import XmlElement, XmlFragment, XmlText

from crdt.codec import JsonValue
from crdt.compose import compose
from crdt.update import read_update
from load.client import Client
from load.command import WorkloadError
from load.faults.school import Visitor, log_in
from load.servers import TwinSpace
from load.wire import Framing

__all__ = ["Demo", "Lesson", "Notes", "begin", "written"]

PATIENCE = 30.0
PARAGRAPHS = 30
WORDS = (
    "otter",
    "heron",
    "river",
    "bank",
    "stone",
    "water",
    "early",
    "quiet",
    "we",
    "saw",
    "the",
    "and",
    "of",
)


class Demo(TwinSpace):
    """`twinspace demo` on a temporary folder and a free port."""

    def _command(self) -> list[str]:
        return ["demo" if part == "serve" else part for part in super()._command()]

    def logins(self) -> Any:
        """Who there is, and the space they are in."""
        return json.loads((self.data / "demo-logins.json").read_text())


@dataclass(frozen=True, slots=True)
class Notes:
    """The first words of a page: a heading and paragraphs, and under which ids they are in the document."""

    update: bytes
    client: int
    texts: Sequence[tuple[int, int]]
    """Of each paragraph: the clock of its text, and how many characters follow it."""

    @classmethod
    def write(cls, rng: random.Random) -> Notes:
        """Raises WorkloadError if the ids are not what they are taken for."""
        bodies = [" ".join(rng.choices(WORDS, k=rng.randrange(20, 45))) for _ in range(PARAGRAPHS)]
        heading = "Otters of two rivers"
        update = compose([
            {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": heading}]},
            *({"type": "paragraph", "content": [{"type": "text", "text": body}]} for body in bodies),
        ])  # fmt: skip
        (wrote,) = read_update(update).writes
        # The element, its attribute, the text in it, its characters; paragraphs have no attribute.
        clock, texts = 3 + len(heading), []
        for body in bodies:
            texts.append((clock + 1, len(body)))
            clock += 2 + len(body)
        if (wrote.start, wrote.end) != (0, clock):
            raise WorkloadError("The page's ids are not as they were worked out.")
        return cls(update, wrote.client, texts)

    def place(self, paragraph: int, offset: int) -> Mapping[str, JsonValue]:
        """Behind so many characters of a paragraph, as the client's editor says it."""
        clock, length = self.texts[paragraph]
        before = clock + min(offset, length)
        return {
            "type": {"client": self.client, "clock": clock},
            "tname": None,
            "item": {"client": self.client, "clock": before} if offset else None,
            "assoc": -1,
        }


@dataclass(slots=True)
class Lesson:
    server: Demo
    path: str
    """Of the page, in the browser."""
    notes: Notes
    code: str
    """The card of the pupil whose browser is looked at."""
    pupils: Sequence[Client]
    """The others, on the page with clients of their own."""


async def begin(server: Demo, stack: AsyncExitStack, pupils: int, rng: random.Random) -> Lesson:
    """Makes the page and so many pupils, who open it. Raises WorkloadError."""
    logins = server.logins()
    timeout, jar = aiohttp.ClientTimeout(total=PATIENCE), aiohttp.DummyCookieJar()
    http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout, cookie_jar=jar))
    admin = next(each for each in logins["logins"] if each["role"] == "admin")
    by_password = {"method": "password", "email": admin["email"], "password": admin["password"]}
    teacher = await log_in(http, server, by_password)
    school = (await teacher.call(server, "GET", "/me"))["person"]["school"]["id"]
    space = logins["space"]
    body = {"space_id": space, "count": pupils + 1}
    made = await teacher.call(server, "POST", f"/schools/{school}/pupils", body)
    first, *others = [card["code"] for card in made["cards"]]
    rooms = (await teacher.call(server, "GET", f"/spaces/{space}"))["rooms"]
    room = next(room["id"] for room in rooms if room["kind"] == "general")
    page = await teacher.call(server, "POST", f"/rooms/{room}/pages", {"title": "What we saw"})
    notes = Notes.write(rng)
    async with _client(teacher, server, page["document"]) as writer:
        writer.doc.apply_update(notes.update)
        await writer.acknowledged()
    visitors = [await log_in(http, server, {"method": "code", "code": code}) for code in others]
    clients = [
        await stack.enter_async_context(_client(visitor, server, page["document"])) for visitor in visitors
    ]
    return Lesson(server, f"/spaces/{space}/pages/{page['id']}", notes, first, clients)


def _client(visitor: Visitor, server: Demo, document: str) -> Client:
    return visitor.client(server, document, Framing.HOCUSPOCUS, PATIENCE)


def written(client: Client) -> list[str]:
    """The blocks of the page as this client has them."""
    blocks = client.doc.get("prosemirror", type=XmlFragment).children
    return [
        "".join(str(text) for text in block.children if isinstance(text, XmlText))
        for block in blocks
        if isinstance(block, XmlElement)
    ]
