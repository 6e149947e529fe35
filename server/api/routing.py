"""The small framework under the REST resources: a route says everything about itself in its decorator.

    routes = Routes(tag="pages")

    @routes.patch(
        "/pages/{page_id}", action=Action.PAGE_SETTINGS, body=PagePatch, returns=Page, summary="..."
    )
    async def change_page(call: Call, body: PagePatch) -> Page: ...

From that one declaration come the check of the log-in, the origin, the content type, the size and the
values, the answer, and its description in OpenAPI. A route that says neither which action of the policy it
is, nor that it is PUBLIC, LOGGED_IN or BEARER, does not import. Paths are relative to /api.

Handlers are called with the `Call`, then the body if the route declares one; a declared query is
`call.query`. What they return is validated against `returns`; None with no `returns` is 204.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from rooms.rights.access import Principal
from server.api.errors import ApiError, invalid

if TYPE_CHECKING:
    from rooms.services import Services

__all__ = [
    "BEARER",
    "LOGGED_IN",
    "PUBLIC",
    "REST_OF_PATH",
    "ApiError",
    "Call",
    "Input",
    "Marker",
    "Output",
    "Query",
    "Route",
    "Routes",
    "SessionCookie",
]

BODY_BYTES: Final = 64 * 1024
"""A JSON body may be this big unless its route says otherwise."""

OCTETS: Final = "application/octet-stream"
JSON: Final = "application/json"


class Marker(Enum):
    """Who may call a route that is no action of the permission matrix."""

    PUBLIC = "public"
    """Anybody, logged in or not."""
    LOGGED_IN = "logged-in"
    """Every log-in; the handler gives away nothing but what is the caller's own."""
    BEARER = "bearer"
    """The handler checks a bearer token itself. Cookies are not read, so there is no CSRF to check."""


PUBLIC: Final = Marker.PUBLIC
LOGGED_IN: Final = Marker.LOGGED_IN
BEARER: Final = Marker.BEARER


class Input(BaseModel):
    """Base of request bodies: a key nobody knows is an error, and so is a wrong type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """Base of queries: a key nobody knows is an error; values are read from text."""

    model_config = ConfigDict(extra="forbid")


class Output(BaseModel):
    """Base of answers: made from keyword arguments, or by `model_validate` from an object with attributes."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class SessionCookie(Protocol):
    """How the log-in travels in a cookie (server/security.py)."""

    def set(self, response: web.StreamResponse, token: str) -> None: ...
    def clear(self, response: web.StreamResponse) -> None: ...


@dataclass(slots=True)
class Call:
    """One request on its way through a handler."""

    request: web.Request
    services: Services
    params: Mapping[str, str]
    """Path parameters, decoded once, each a valid id (see `Route.patterns`)."""
    address: str
    """The client's IP address, as far as trusted proxies vouch for it: for limits, never for logs."""
    principal: Principal | None = None
    query: Any = None
    """The validated query, an instance of the route's query model."""
    _session: str | None = field(default=None, repr=False)
    _session_changed: bool = False

    @property
    def member(self) -> Principal:
        """Who is logged in; routes that need a log-in always have one."""
        if self.principal is None:
            raise ApiError(401, "not-logged-in", "Please log in first.")
        return self.principal

    @property
    def route(self) -> Route:
        return self.request[ROUTE]

    def set_session(self, token: str) -> None:
        """The answer sets the session cookie to this secret."""
        self._session, self._session_changed = token, True

    def clear_session(self) -> None:
        """The answer removes the session cookie."""
        self._session, self._session_changed = None, True

    def finish(self, response: web.StreamResponse, cookie: SessionCookie) -> None:
        """Puts the cookie, if it changed, on the answer."""
        if not self._session_changed:
            return
        if self._session is None:
            cookie.clear(response)
        else:
            cookie.set(response, self._session)


ROUTE: Final = web.RequestKey["Route"]("route")

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)

ID_PATTERN: Final = r"[A-Za-z0-9_-]{1,64}"
REST_OF_PATH: Final = r"(?s:.+)"
"""Pattern of a parameter that takes the whole rest of the path, slashes included."""
_PARAMETER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Route:
    """One method of one path, as declared."""

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    action: Enum | None
    access: Marker | None
    body: Any
    """Type of the JSON body, `bytes` for application/octet-stream, None for no body."""
    query: type[BaseModel] | None
    returns: Any
    status: int
    errors: tuple[int, ...]
    max_body: int | None
    """In bytes; None for what the whole application takes (client_max_size)."""
    patterns: Mapping[str, str]
    """Regular expression of each path parameter; what does not match is 404."""
    content: Mapping[str, Any] | None
    """OpenAPI content map of an answer that is not JSON."""

    @property
    def parameters(self) -> list[str]:
        return _PARAMETER.findall(self.path)

    @property
    def description(self) -> str:
        return (self.handler.__doc__ or "").strip()

    @property
    def needs_log_in(self) -> bool:
        return self.access not in (PUBLIC, BEARER)

    @property
    def reads_cookies(self) -> bool:
        return self.access is not BEARER

    @cached_property
    def reader(self) -> TypeAdapter[Any] | None:
        return None if self.body in (None, bytes) else TypeAdapter(self.body)

    @cached_property
    def writer(self) -> TypeAdapter[Any] | None:
        return None if self.returns in (None, bytes) else TypeAdapter(self.returns)

    def read_body(self, data: bytes) -> Any:
        """The validated body; raises ApiError 400 for what is not JSON, 422 for wrong values."""
        if self.reader is None:
            return data
        try:
            return self.reader.validate_json(data)
        except ValidationError as error:
            if any(item["type"] == "json_invalid" for item in error.errors(include_input=False)):
                raise ApiError(400, "bad-json", "The body is not valid JSON.") from None
            raise invalid(error, "body") from None

    def read_query(self, query: MultiMapping[str]) -> BaseModel | None:
        """The validated query; a key given twice is refused, because readers differ on which one counts."""
        if self.query is None:
            return None
        sent = [name for name, _ in query.items()]
        if len(sent) != len(set(sent)):
            raise ApiError(422, "invalid", "A query parameter is given twice. Give each at most once.")
        try:
            return self.query.model_validate(dict(query))
        except ValidationError as error:
            raise invalid(error, "query") from None

    def write(self, value: Any) -> web.StreamResponse:
        """The answer for what the handler returned. Another type than declared is our fault: TypeError."""
        if isinstance(value, web.StreamResponse):
            return value
        if self.writer is None:
            if value is not None:
                raise TypeError(
                    f"{self.method} {self.path} declares no answer but returned {type(value).__name__}"
                )
            return web.Response(status=self.status, headers={"Cache-Control": "no-store"})
        return web.Response(
            body=self.writer.dump_json(self.writer.validate_python(value)),
            status=self.status,
            headers={"Cache-Control": "no-store"},
            content_type=JSON,
            charset="utf-8",
        )


class Routes:
    """The routes of one resource, in the order they were declared."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def get(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("DELETE", path, **options)

    def route(
        self,
        method: str,
        path: str,
        *,
        summary: str,
        action: Enum | None = None,
        access: Marker | None = None,
        body: Any = None,
        query: type[BaseModel] | None = None,
        returns: Any = None,
        status: int | None = None,
        errors: tuple[int, ...] = (),
        max_body: int | None = BODY_BYTES,
        patterns: Mapping[str, str] | None = None,
        content: Mapping[str, Any] | None = None,
    ) -> Callable[[H], H]:
        """Declares a route.

        Give either `action` (of rooms.rights.policy) or `access` (PUBLIC, LOGGED_IN, BEARER). `errors` are
        further statuses this route may answer with, such as 409; those of the framework are known. `status`
        is 200, or 204 where nothing is returned. `patterns` are regular expressions of parameters that are no
        ids.
        """
        if (action is None) == (access is None):
            raise TypeError(
                f"{method} {path} must declare either an action of the policy or an access marker, not both"
            )
        if access is not None and not isinstance(access, Marker):
            raise TypeError(f"{method} {path}: access must be PUBLIC, LOGGED_IN or BEARER")
        if body is not None and method in ("GET", "DELETE"):
            raise TypeError(f"{method} {path} cannot take a body")
        names = _PARAMETER.findall(path)
        if status is None:
            status = 204 if returns is None and content is None else 200

        def declare(handler: H) -> H:
            self._routes.append(
                Route(
                    method=method,
                    path=path,
                    handler=handler,
                    tag=self.tag,
                    summary=summary,
                    action=action,
                    access=access,
                    body=body,
                    query=query,
                    returns=returns,
                    status=status,
                    errors=errors,
                    max_body=max_body,
                    patterns={name: (patterns or {}).get(name, ID_PATTERN) for name in names},
                    content=content,
                )
            )
            return handler

        return declare
