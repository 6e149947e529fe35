"""Documents over HTTP: their whole state, their text rendered, and updates written with a document token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from crdt.richtext import FRAGMENT
from rooms.documents.errors import ReadOnly
from rooms.documents.registry import Registry
from rooms.rights.access import Access, Principal, Scope
from rooms.rights.policy import Action
from server.api.errors import ApiError
from server.api.me import person_id
from server.api.rendering import Format, Renderer
from server.api.routing import BEARER, OCTETS, REST_OF_PATH, Call, Query, Routes
from server.names import name_in_path
from server.security import Caller, Security
from server.tokens import BadToken, Tokens

__all__ = ["DOCUMENTS", "PREFIX", "Documents", "add_preflight", "routes"]

PREFIX: Final = "/api/documents/"

routes = Routes(tag="documents")


@dataclass(frozen=True)
class Documents:
    """What these routes rest on."""

    registry: Registry
    access: Callable[[Principal, str], Awaitable[Access]]
    tokens: Tokens
    renderer: Renderer


DOCUMENTS: Final = web.AppKey("documents", Documents)

Fragment = Annotated[
    str, Field(min_length=1, max_length=200, description="Name of the XML fragment that holds the text.")
]


class DocumentQuery(Query):
    format: Format | None = Field(None, description="Left out: the whole state as a Yjs update (V1).")
    fragment: Fragment = FRAGMENT


class ContentQuery(Query):
    format: Format = Format.HTML


class _Right(StrEnum):
    READ = "read"
    WRITE = "write"


RENDERED: Final = {
    form.content_type: {"schema": {} if form is Format.JSON else {"type": "string"}} for form in Format
}


@routes.get(
    "/documents/{name}",
    access=BEARER,
    query=DocumentQuery,
    summary="Read a document",
    patterns={"name": REST_OF_PATH},
    content={OCTETS: {"schema": {"type": "string", "format": "binary"}}, **RENDERED},
    errors=(503,),
)
async def read_document(call: Call) -> web.Response:
    """The committed state. A document nobody has written yet is an empty one."""
    name, _ = await _authorize(call, _Right.READ)
    query: DocumentQuery = call.query
    return await _respond(call, name, query.format, query.fragment)


@routes.patch(
    "/documents/{name}",
    access=BEARER,
    body=bytes,
    max_body=None,
    summary="Write an update into a document",
    patterns={"name": REST_OF_PATH},
    content={"application/json": {"schema": {"type": "object"}}},
    errors=(409, 503),
)
async def write_document(call: Call, update: bytes) -> web.Response:
    """Takes one Yjs update (V1) and answers when it is durable. What is refused changes nothing."""
    name, access = await _authorize(call, _Right.WRITE)
    async with call.request.app[DOCUMENTS].registry.open(name) as room:
        await room.write(update, access.subject)
    return web.json_response({"durable": True}, headers=_headers())


@routes.get(
    "/pages/{page_id}/content",
    action=Action.SPACE_READ,
    query=ContentQuery,
    summary="Read a page's text",
    content=RENDERED,
    errors=(503,),
)
async def read_page_content(call: Call) -> web.Response:
    """The page as anybody who may see it sees it."""
    page = call.params["page_id"]
    name = f"page/{page}"
    access = await call.request.app[DOCUMENTS].access(call.member, name)
    if not access.may_read:
        await call.services.cases.read_page(person_id(call), page)
    query: ContentQuery = call.query
    return await _respond(call, name, query.format, FRAGMENT)


async def _authorize(call: Call, right: _Right) -> tuple[str, Access]:
    """The document named in the path and what the bearer of the token may do with it."""
    name = name_in_path(call.request.raw_path, PREFIX)
    if name is None:
        raise ApiError(404, "not-found", "No document can have this name.")
    documents = call.request.app[DOCUMENTS]
    scheme, _, token = call.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BadToken("Send a document token: Authorization: Bearer TOKEN.")
    access = await documents.access(documents.tokens.verify(token.strip(), name), name)
    if access.scope is Scope.NONE:
        raise ApiError(403, access.reason or "permission-denied", "This token does not open this document.")
    if right is _Right.WRITE and not access.may_write:
        raise ReadOnly(access.reason)
    return name, access


async def _respond(call: Call, name: str, form: Format | None, fragment: str) -> web.Response:
    documents = call.request.app[DOCUMENTS]
    async with documents.registry.open(name) as room:
        state = await room.read()
    if form is None:
        return web.Response(body=state, content_type=OCTETS, headers=_headers())
    body = await documents.renderer.render(state, form, fragment)
    return web.Response(
        body=body.encode(), content_type=form.content_type, charset="utf-8", headers=_headers()
    )


def _headers() -> dict[str, str]:
    return {"Cache-Control": "no-store"}


def add_preflight(app: web.Application, security: Security) -> None:
    """Lets pages of the listed origins, and of no other, ask whether they may use these routes (CORS)."""

    async def preflight(request: web.Request) -> web.Response:
        if security.caller(request) is not Caller.ALLOWED:
            raise ApiError(403, "foreign-origin", "Pages of this origin may not use documents here.")
        headers = {
            "Access-Control-Allow-Methods": "GET, PATCH",
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": "600",
        }
        return web.Response(status=204, headers=headers)

    app.router.add_options(PREFIX + "{name:.+}", preflight)
