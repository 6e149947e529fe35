"""People of a running demo: logged in over REST, with sockets, commands, and everything they ever heard."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from wire import AUTH, SYNC, Frame, Line, hocuspocus, step1, step2, string

from crdt.scribe import Scribe
from rooms.demo.furnish import Demo, Login

__all__ = ["Visitor", "find", "key", "log_in"]

STATELESS = 5
_numbers = itertools.count(1)


def key() -> str:
    """A key for a command or a post that nobody has used."""
    return f"key-{next(_numbers):012}"


def find(demo: Demo, role: str, school: int = 0, number: int = 0) -> Login:
    towns = list(dict.fromkeys(login.town for login in demo.logins))
    return [each for each in demo.logins if each.role == role and each.town == towns[school]][number]


class Visitor:
    """Somebody logged in, with REST and sockets."""

    def __init__(self, address: str, http: aiohttp.ClientSession) -> None:
        self.address = address
        self.http = http
        self.me: dict[str, Any] = {}
        self.cookie = ""

    @property
    def space(self) -> str:
        return str(self.me["spaces"][0]["id"])

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        async with self.http.request(
            method, f"{self.address}/api{path}", json=body, headers={"Cookie": self.cookie}
        ) as response:
            return response.status, await response.json() if response.status != 204 else None

    async def call(self, method: str, path: str, body: object = None) -> Any:
        status, said = await self.ask(method, path, body)
        assert status < 300, f"{method} {path}: {status} {said}"
        return said

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A bare socket."""
        headers = {"Cookie": self.cookie, "Origin": self.address}
        async with hocuspocus(self.address.replace("http", "ws"), additional_headers=headers) as line:
            yield line

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Desk]:
        async with self.line() as line:
            yield Desk(line)


class Desk:
    """One socket, what came over it, and the documents it follows."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.heard: list[Frame] = []
        self.said: list[dict[str, Any]] = []
        """Stateless messages that came."""
        self._documents: dict[str, Scribe] = {}

    async def open(self, document: str, within: float = 10.0) -> str:
        """Opens a document and follows it; the scope it is opened with, or why not."""
        self._documents[document] = Scribe()
        await self.line.say(AUTH, b"\x00" + string("session") + string("4.8.0"), document)
        answer = await self._next(document, "authenticated", "denied", within=within)
        if answer.word.startswith("authenticated"):
            await self.line.say(SYNC, step1(), document)
            await self._next(document, "step2", within=within)
            await self.line.say(SYNC, step2(), document)
            await self._next(document, "status", within=within)
        return answer.word.removeprefix("authenticated ")

    async def _next(self, document: str, *words: str, within: float) -> Frame:
        """The next frame of a document that begins with one of these words."""
        async with asyncio.timeout(within):
            while True:
                frame = await self.hear(within)
                if frame.key == document and frame.word.startswith(words):
                    return frame

    def posts(self, thread: str) -> dict[str, Any]:
        return self._documents[f"thread/{thread}"].entries("posts")

    async def hear(self, within: float) -> Frame:
        """Takes in one frame."""
        frame = await self.line.hear(within)
        self.heard.append(frame)
        scribe = self._documents.get(frame.key or "")
        if frame.type == STATELESS:
            self.said.append(json.loads(frame.text))
        if scribe is not None and frame.word in ("step2", "update"):
            scribe.learn(frame.content)
        return frame

    async def until(self, what: Any, within: float) -> None:
        """Hears until `what()` is true."""
        async with asyncio.timeout(within):
            while not what():
                await self.hear(within)

    async def command(self, document: str, do: str, within: float = 5.0, **fields: Any) -> dict[str, Any]:
        """Sends a command and returns its answer."""
        sent = {"type": "command", "key": fields.pop("key", None) or key(), "do": do, **fields}
        await self.line.say(STATELESS, string(json.dumps(sent)), document)

        def answer() -> dict[str, Any] | None:
            return next(
                (each for each in self.said if each["type"] == "answer" and each["key"] == sent["key"]), None
            )

        await self.until(answer, within)
        found = answer()
        assert found is not None
        return found


@asynccontextmanager
async def log_in(address: str, login: Login) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession(headers={"Origin": address}) as http:
        visitor = Visitor(address, http)
        body = (
            {"method": "code", "code": login.code}
            if login.code
            else {"method": "password", "email": login.email, "password": login.password}
        )
        async with http.post(f"{address}/api/session", json=body) as response:
            assert response.status == 200, await response.text()
            visitor.me = await response.json()
            cookie = next(iter(response.cookies.values()))
            visitor.cookie = f"{cookie.key}={cookie.value}"
        yield visitor
