"""A whole node in the test's own process and loop, behind a real port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from rooms.rights.access import Scope
from server.app import Node, open_node
from server.config import Settings
from server.serving import listening
from server.tokens import Tokens, read_secret

__all__ = ["House", "open_house"]


@dataclass
class House:
    node: Node
    url: str
    http: aiohttp.ClientSession
    """Keeps no cookies: a test says what it sends."""

    def token(self, document: str, scope: Scope = Scope.READ_WRITE, **claims: Any) -> str:
        settings = self.node.settings
        return Tokens(read_secret(settings.data, settings.secret_file)).mint(document, scope, **claims)

    def bearer(self, document: str, scope: Scope = Scope.READ_WRITE, **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(document, scope, **claims)}"}


@asynccontextmanager
async def open_house(data: Path, client: Path | None = None, **settings: Any) -> AsyncIterator[House]:
    """Opens a node on a data folder with these settings."""
    chosen = Settings(data=data, port=0, **settings)
    async with (
        open_node(chosen, client) as node,
        listening(node) as url,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        yield House(node, url, http)
