"""The page on which whoever has one of our mails ends them, without a log-in.

Mail programs do it with one POST (RFC 8058); people see a button first, so that no program that only follows
links in a mail ends anything.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Final

from aiohttp import web

from rooms.accounts.digest import Digests
from server.digest import LEAVE
from server.digest_words import Words, words_in

__all__ = ["add_routes"]

_TOKEN: Final = r"[A-Za-z0-9_-]{43}"  # noqa: S105 (how one looks)
LOOK: Final = f"{LEAVE}look.css"
_CSS: Final = """
:root { color-scheme: light dark; font: 1.0625rem/1.55 system-ui, sans-serif; }
main { max-width: 32rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; }
button { min-height: 44px; padding: .5rem 1.25rem; border: 0; border-radius: 12px; background: #14605c;
  color: #fff; font: inherit; font-weight: 600; cursor: pointer; }
button:focus-visible { outline: 3px solid #1a5fb4; outline-offset: 2px; }
"""
_LANGUAGE: Final = re.compile(r"\s*([A-Za-z]{2,3})\b[^,]*")


def add_routes(app: web.Application, digests: Digests, spend: Callable[[web.Request], None]) -> None:
    """``spend`` takes one request from the budget of whoever asks; raises ApiError."""

    async def ask(request: web.Request) -> web.Response:
        words = _words(request)
        button = f'<form method="post"><button>{html.escape(words.leave_do)}</button></form>'
        return _page(words, f"<p>{html.escape(words.leave_ask)}</p>{button}")

    async def leave(request: web.Request) -> web.Response:
        spend(request)
        if not await digests.leave(request.match_info["token"]):
            raise web.HTTPNotFound
        words = _words(request)
        return _page(words, f"<p>{html.escape(words.left)}</p>")

    async def look(request: web.Request) -> web.Response:
        return web.Response(text=_CSS, content_type="text/css")

    app.router.add_get(LOOK, look)
    resource = app.router.add_resource(f"{LEAVE}{{token:{_TOKEN}}}")
    resource.add_route("GET", ask)
    resource.add_route("POST", leave)


def _words(request: web.Request) -> Words:
    """In the browser's first language that there are words in."""
    return words_in(_LANGUAGE.findall(request.headers.get("Accept-Language", "")))


def _page(words: Words, body: str) -> web.Response:
    text = (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f'<link rel="stylesheet" href="{LOOK}">'
        f"<title>{html.escape(words.leave_title)} · TwinSpace</title></head>"
        f"<body><main><h1>{html.escape(words.leave_title)}</h1>{body}</main></body></html>\n"
    )
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})
