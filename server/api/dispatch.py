"""From a request to a handler and back: every check a route's declaration implies, in one order for all.

path and method -> budget -> whose page (CSRF) -> log-in -> ids -> query -> type, size and values of the body
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from re import fullmatch
from typing import TYPE_CHECKING, Final

from aiohttp import web

from rooms.rights.access import Principal
from server.api.errors import ApiError, error_response, to_api_error
from server.api.routing import JSON, OCTETS, REST_OF_PATH, ROUTE, Call, Route
from server.security import Security

if TYPE_CHECKING:
    from rooms.services import Services

__all__ = ["PREFIX", "SAFE", "Budgets", "Door", "RequestHandler", "add_routes", "errors_middleware"]

PREFIX: Final = "/api"
BODY_SECONDS: Final = 30.0
"""A body that takes longer to arrive is given up."""
SAFE: Final = ("GET", "HEAD")
ROUNDING: Final = 1e-9

RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]

logger = logging.getLogger(__name__)


class Budgets:
    """A token bucket for each log-in, or for each address without one; the least recent are forgotten."""

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        kept: int = 20_000,
        clock: Callable[[], float] = time.monotonic,
        key: bytes = b"",
    ) -> None:
        """key: for keyed hashes of who, which is all that is kept and told to other nodes."""
        self._rate = rate
        self._burst = burst
        self._kept = kept
        self._clock = clock
        self._key = key
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Who -> what of the ordinary budget is used up (requests), and when that was so (seconds)."""
        self._untold: dict[str, float] = {}
        """Who -> what was used here since `told` was called."""

    def spend(self, who: str, factor: float = 1.0) -> None:
        """Takes one request from a budget `factor` times the ordinary one. Raises ApiError 429 if spent."""
        who = hashlib.blake2b(who.encode(), key=self._key, digest_size=12).hexdigest()
        cost = 1 / factor
        over = self._level(who) + cost - self._burst
        if over > ROUNDING:
            raise ApiError(
                429,
                "too-many-requests",
                "That was too much at once. Please wait a moment and try again.",
                retry_after=over / self._rate,
            )
        self.charge(who, cost)
        if len(self._untold) < self._kept:
            self._untold[who] = self._untold.get(who, 0.0) + cost

    def told(self) -> dict[str, float]:
        """What was spent here since the last call, for the other nodes to charge too."""
        told, self._untold = self._untold, {}
        return told

    def charge(self, who: str, amount: float) -> None:
        """Uses up a part of the budget behind a keyed hash, down to an empty one."""
        level = min(float(self._burst), self._level(who) + amount)
        self._used[who] = (level, self._clock())
        self._used.move_to_end(who)
        if len(self._used) > self._kept:
            self._used.popitem(last=False)

    def _level(self, who: str) -> float:
        now = self._clock()
        used, since = self._used.get(who, (0.0, now))
        return max(0.0, used - (now - since) * self._rate)


@dataclass
class Door:
    """What the REST routes of one server rest on."""

    services: Services
    security: Security
    authenticate: Callable[[str], Awaitable[Principal | None]]
    """The principal of a session secret; None when it is unknown or over."""
    budgets: Budgets = field(default_factory=lambda: Budgets(20, 200))
    address_factor: float = 20.0
    """Before log-in a whole school may stand behind one address."""


def add_routes(app: web.Application, routes: Iterable[Route], door: Door) -> None:
    """Adds routes below /api. Raises ValueError for two declarations of the same."""
    resources: dict[str, web.Resource] = {}
    seen: set[tuple[str, str]] = set()
    for route in routes:
        if (route.method, route.path) in seen:
            raise ValueError(f"{route.method} {route.path} is declared twice")
        seen.add((route.method, route.path))
        template = route.path
        for name, pattern in route.patterns.items():
            # Whether it is a possible id is checked after the log-in.
            taken = ".+" if pattern == REST_OF_PATH else "[^/]+"
            template = template.replace(f"{{{name}}}", f"{{{name}:{taken}}}")
        resource = resources.get(template)
        if resource is None:
            resource = resources[template] = app.router.add_resource(PREFIX + template)
        handler = _handler(route, door)
        resource.add_route(route.method, handler)
        if route.method == "GET":
            resource.add_route("HEAD", handler)


def _handler(route: Route, door: Door) -> RequestHandler:
    async def handle(request: web.Request) -> web.StreamResponse:
        request[ROUTE] = route
        call = await _admit(route, door, request)
        if route.body is None:
            result = await route.handler(call)
        else:
            result = await route.handler(call, await _body(route, request))
        response = route.write(result)
        call.finish(response, door.security.cookie)
        return response

    return handle


async def _admit(route: Route, door: Door, request: web.Request) -> Call:
    """Everything that is checked before the body is read."""
    security = door.security
    address = security.client_address(request)
    principal = None
    if route.reads_cookies and security.cookie_counts(request):
        secret = security.cookie.read(request)
        if secret is not None:
            principal = await door.authenticate(secret)
    if principal is not None:
        door.budgets.spend(f"session:{principal.session_id}")
    else:
        door.budgets.spend(f"address:{address}", door.address_factor)
    if route.reads_cookies and request.method not in SAFE and not security.is_own_page(request):
        raise ApiError(
            403,
            "foreign-origin",
            "Changes are taken from this server's own pages only. Programs send its address as Origin.",
        )
    if route.needs_log_in and principal is None:
        raise ApiError(401, "not-logged-in", "Please log in first.")
    for name, pattern in route.patterns.items():
        if fullmatch(pattern, request.match_info[name]) is None:
            raise not_found()
    return Call(
        request=request,
        services=door.services,
        params=dict(request.match_info),
        address=address,
        principal=principal,
        query=route.read_query(request.query),
    )


async def _body(route: Route, request: web.Request) -> object:
    wanted = OCTETS if route.body is bytes else JSON
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ApiError(415, "wrong-content-type", "Send the body without Content-Encoding.")
    if request.content_type != wanted or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise ApiError(415, "wrong-content-type", f"Send the body as {wanted}.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            data = await _read(request, route.max_body or request.client_max_size)
    except TimeoutError:
        raise ApiError(408, "too-slow", "The body took too long to arrive. Please try again.") from None
    return route.read_body(data)


async def _read(request: web.Request, limit: int) -> bytes:
    too_big = ApiError(
        413, "too-big", f"The body is too big: at most {limit} bytes are taken here.", {"limit": limit}
    )
    if (request.content_length or 0) > limit:
        raise too_big
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > limit:
            raise too_big
    return bytes(data)


def not_found() -> ApiError:
    return ApiError(404, "not-found", "There is nothing here, or it is not open to you.")


@web.middleware
async def errors_middleware(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """Every error of every path in the one shape; what nobody expected is logged with an id, and is 500."""
    try:
        return await handler(request)
    except web.HTTPMethodNotAllowed as error:
        known = ApiError(
            405,
            "method-not-allowed",
            "This address does not take that method. See the Allow header.",
            headers={"Allow": error.headers["Allow"]},
        )
    except web.HTTPNotFound:
        known = not_found()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        known = ApiError(error.status, "http-error", f"The request cannot be answered: {error.reason}.")
    except (ConnectionResetError, asyncio.CancelledError):
        raise
    except Exception as error:
        known = to_api_error(error) or _unexpected(error)
    return error_response(known)


def _unexpected(error: Exception) -> ApiError:
    number = secrets.token_hex(6)
    logger.error("unexpected error %s", number, exc_info=error, extra={"data": {"id": number}})
    return ApiError(
        500,
        "internal",
        f"Something went wrong on our side. If it happens again, tell your administrator: {number}.",
        {"id": number},
    )
