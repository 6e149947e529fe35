"""A school with a teacher, pupils and pages on a running cluster: for whatever needs people who log in."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from load.client import Client
from load.command import WorkloadError
from load.servers import Cluster, TwinSpace
from load.wire import Framing

__all__ = ["School", "Visitor", "furnish", "log_in"]

REQUEST_SECONDS = 30.0
SESSION = "session"
"""Instead of a token: the cookie of the upgrade counts."""


@dataclass
class Visitor:
    """Somebody who is logged in; their cookie counts on every node."""

    person: str
    http: aiohttp.ClientSession
    cookie: str

    async def ask(self, node: TwinSpace, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status and the answer of a node's REST interface."""
        headers = {"Origin": node.http, "Cookie": self.cookie}
        async with self.http.request(method, f"{node.http}/api{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    async def call(self, node: TwinSpace, method: str, path: str, body: object = None) -> Any:
        """The answer of a node's REST interface. Raises WorkloadError if it does not agree."""
        status, said = await self.ask(node, method, path, body)
        if status >= 300:
            raise WorkloadError(f"{method} {path}: {status} {said}")
        return said

    def client(self, node: TwinSpace, document: str, framing: Framing, patience: float = 30.0) -> Client:
        """Their browser on a page."""
        headers = {"Origin": node.http, "Cookie": self.cookie}
        token = SESSION if framing is Framing.HOCUSPOCUS else None
        return Client(node.url, document, token=token, framing=framing, headers=headers, patience=patience)


async def log_in(http: aiohttp.ClientSession, node: TwinSpace, body: Mapping[str, str]) -> Visitor:
    """Logs somebody in with a password or a code card. Raises WorkloadError if the node does not agree."""
    async with http.post(f"{node.http}/api/session", json=body, headers={"Origin": node.http}) as answer:
        if answer.status != 200:
            raise WorkloadError(f"Nobody can log in: {answer.status} {await answer.text()}")
        me = await answer.json()
        cookie = next(iter(answer.cookies.values()))
    return Visitor(me["person"]["id"], http, f"{cookie.key}={cookie.value}")


@dataclass
class School:
    cluster: Cluster
    id: str
    email: str
    password: str
    space: str

    @asynccontextmanager
    async def visitor(self, node: TwinSpace, code: str | None = None) -> AsyncIterator[Visitor]:
        """The teacher, or the pupil with this code card, logged in on a node."""
        body = (
            {"method": "password", "email": self.email, "password": self.password}
            if code is None
            else {"method": "code", "code": code}
        )
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield await log_in(http, node, body)

    async def pupils(self, teacher: Visitor, node: TwinSpace, count: int) -> list[str]:
        """The code cards of so many new pupils in the space."""
        body = {"space_id": self.space, "count": count}
        made = await teacher.call(node, "POST", f"/schools/{self.id}/pupils", body)
        return [card["code"] for card in made["cards"]]

    async def page(self, teacher: Visitor, node: TwinSpace) -> dict[str, Any]:
        """A new page that everybody in the space may edit."""
        rooms = (await teacher.call(node, "GET", f"/spaces/{self.space}"))["rooms"]
        room = next(room["id"] for room in rooms if room["kind"] == "general")
        page: dict[str, Any] = await teacher.call(
            node, "POST", f"/rooms/{room}/pages", {"title": f"Page {secrets.token_hex(4)}"}
        )
        return page


_FURNISHED: dict[str, School] = {}
"""By database: furnishing takes a few seconds."""


async def furnish(cluster: Cluster) -> School:
    """Puts a school into the cluster's database, once."""
    school = _FURNISHED.get(cluster.database)
    if school is None:
        add = partial(cluster.nodes[0].add, database=cluster.database)
        email = "teacher@school.example"
        await add("country", "ES", "España", "--language", "es")
        identifier = await add(
            "school", "IES Ebro", "--country", "ES", "--town", "Zaragoza",
            "--time-zone", "Europe/Madrid", "--language", "es",
        )  # fmt: skip
        password = secrets.token_hex(12)
        await add(
            "teacher", "Ana", "--school", identifier, "--email", email, "--password-stdin",
            entered=f"{password}\n",
        )  # fmt: skip
        space = await add("space", "Rivers", "--founder", email, "--age-band", "16-19")
        school = _FURNISHED[cluster.database] = School(cluster, identifier, email, password, space)
    return school
