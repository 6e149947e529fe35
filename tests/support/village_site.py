"""The village behind a real port, asked over REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house import House, open_house
from village import PASSWORD, Facts, copy, email_of

__all__ = ["Answer", "Site", "open_site"]


@dataclass
class Answer:
    status: int
    body: Any
    raw: bytes
    cookie: str | None
    """The Set-Cookie header."""
    headers: dict[str, str]

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


@dataclass
class Site:
    """The village behind a real port."""

    house: House
    facts: Facts

    async def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Answer:
        headers = {"Origin": self.house.url}
        if token is not None:
            headers["Cookie"] = f"__Host-twinspace={token}"
        url = f"{self.house.url}/api{path}"
        async with self.house.http.request(method, url, json=body, headers=headers) as answer:
            raw = await answer.read()
            json = answer.content_type == "application/json" and raw
            return Answer(
                answer.status,
                await answer.json() if json else None,
                raw,
                answer.headers.get("Set-Cookie"),
                dict(answer.headers),
            )

    def log_in_body(self, name: str) -> dict[str, str]:
        if name in self.facts.codes:
            return {"method": "code", "code": self.facts.codes[name]}
        return {"method": "password", "email": email_of(name), "password": PASSWORD}

    async def log_in(self, name: str) -> str:
        """The token in the cookie."""
        answer = await self.call("POST", "/session", self.log_in_body(name))
        assert answer.status == 200, answer.body
        assert answer.cookie is not None
        return answer.cookie.split(";")[0].partition("=")[2]


@asynccontextmanager
async def open_site(built: Path, data: Path, **settings: Any) -> AsyncIterator[Site]:
    data.mkdir(exist_ok=True)
    facts = copy(built, data)
    async with open_house(data, **settings) as house:
        yield Site(house, facts)
