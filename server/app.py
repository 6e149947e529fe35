"""Puts one node together: records, log, live rooms, sockets, REST, the client, the endpoints around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from aiohttp import web

from crdt.engine import Engine
from crdt.limits import DEFAULT
from crdt.log import Log
from rooms.bus import Bus, BusState
from rooms.chores import Chore, chores
from rooms.documents.budget import Rates
from rooms.documents.history import PageHistory
from rooms.documents.live import Shelf
from rooms.documents.nodes import Nodes
from rooms.documents.quarantine import Quarantine
from rooms.documents.registry import Registry
from rooms.rights.access import Changes, Principal
from rooms.services import Services
from rooms.spaces.cockpit import Cockpit
from rooms.spaces.idle import IdleRooms
from rooms.storage.following import ChangeFollower
from rooms.storage.transfer import refuse_if_moved
from rooms.talk.projection import Projection
from server import health, leaving
from server.api import (
    audit,
    blocking,
    cases,
    cockpit,
    consents,
    contacts,
    direct_messages,
    dispatch,
    documents,
    history,
    invitations,
    joining,
    lifecycle,
    mail,
    me,
    members,
    notifications,
    openapi,
    pages,
    people,
    proposals,
    reports,
    schools,
    session,
    space_rules,
    spaces,
    teams,
    threads,
)
from server.api.cockpit import COCKPIT
from server.api.documents import DOCUMENTS, Documents
from server.api.history import HISTORY
from server.api.mail import HAS_MAIL
from server.api.rendering import Renderer
from server.api.routing import Route
from server.cluster import make_bus, make_log, token_secret
from server.config import Settings
from server.digest import digest_post
from server.health import Health
from server.logs import note_route
from server.metrics import LoopLag, Metrics
from server.security import Security
from server.sockets.commands import Commands
from server.sockets.gateway import Gateway
from server.sockets.session import SocketLimits
from server.static import Client, default_folder
from server.tokens import TokenError, Tokens

__all__ = ["Node", "all_routes", "open_node"]

RIGHTS_SECONDS: Final = 4.0
"""How long a node goes on as ever that cannot read the changes of rights: design promise 5 allows 5 s."""
CHORE_SECONDS: Final = 60.0
"""How often a node looks for what is due."""
FORGET_SECONDS: Final = 3_600.0
"""How often a node removes what has been kept long enough."""
NOT_THE_CLIENTS: Final = ("/api", "/collab", "/healthz", "/readyz", "/metrics")
"""Paths below which the client has no pages: what is unknown there is an error in the API's form."""


@dataclass(frozen=True)
class Node:
    """One running node, ready to be served."""

    settings: Settings
    log: Log
    bus: Bus
    services: Services
    registry: Registry
    gateway: Gateway
    health: Health
    metrics: Metrics
    app: web.Application


def all_routes() -> list[Route]:
    """Every REST route there is."""
    resources = (
        session,
        me,
        spaces,
        space_rules,
        members,
        invitations,
        lifecycle,
        joining,
        proposals,
        teams,
        pages,
        history,
        threads,
        reports,
        cases,
        cockpit,
        audit,
        people,
        consents,
        contacts,
        direct_messages,
        blocking,
        notifications,
        mail,
        schools,
        documents,
    )
    return [route for resource in resources for route in resource.routes]


@asynccontextmanager
async def open_node(settings: Settings, client: Path | None = None) -> AsyncIterator[Node]:
    """Opens what the settings name and builds the application around it; drains and closes it afterwards.

    `client` is the folder of the built client. Raises LogError, RecordsError, SecretError, OSError and
    SQLAlchemy's errors when the data cannot be used.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        changes = Changes()
        metrics = Metrics()
        log = make_log(settings)
        await log.open()
        stack.push_async_callback(log.close)
        services = await Services.open(
            settings.database_url, changes=changes, approval=settings.approval == "officers"
        )
        stack.push_async_callback(services.close)
        await refuse_if_moved(services.records)
        tokens = Tokens(token_secret(settings, services.records), services.clock)
        bus = make_bus(settings, services.records, log.name)
        await bus.open()
        stack.push_async_callback(bus.close)
        follower = ChangeFollower(services.records)
        shelf = Shelf(
            log,
            bus,
            limits=replace(DEFAULT, update_bytes=settings.update_bytes, structs=settings.update_structs),
            observer=metrics,
            quarantine=Quarantine(settings.data / "refused"),
            wall_clock=services.clock,
            rights_outdated=lambda: settings.in_postgres and follower.age > RIGHTS_SECONDS,
        )
        Engine()  # the first one has modules imported for a tenth of a second: now, not when somebody waits
        registry = Registry(shelf, quiet=settings.unload_after)
        security = Security(settings)
        budgets = dispatch.Budgets(settings.api_rate, settings.api_burst, key=services.records.pepper)
        door = dispatch.Door(
            services=services,
            security=security,
            authenticate=services.sessions.resolve,
            budgets=budgets,
        )
        gateway = Gateway(
            registry,
            services.authority,
            changes,
            resolve=services.sessions.resolve,
            verify=_verifier(tokens),
            cookie=lambda request: security.cookie.read(request) if security.cookie_counts(request) else None,
            origin_allowed=security.origin_allowed,
            observer=metrics,
            supervision=services.supervision,
            limits=_socket_limits(settings),
            max_connections=settings.max_connections,
            commands=Commands(services, lambda session: budgets.spend(f"session:{session}")),
        )
        projection = Projection(services.records, registry, changes)
        stack.push_async_callback(projection.close)
        renderer = Renderer()
        stack.push_async_callback(renderer.close)
        past = PageHistory(services.records, registry, services.audit, services.clock)
        stack.push_async_callback(past.close)
        nodes = Nodes(
            registry,
            bus,
            log,
            records_changed=follower.wake,
            spent=budgets.told,
            charge=budgets.charge,
            supervision=services.supervision,
        )
        services.records.on_commit(nodes.say_changed)
        metrics.sources.append(
            lambda: metrics.read_bus(
                up=bus.state is not BusState.AWAY, others=len(nodes.others), figures=bus.figures
            )
        )
        metrics.sources.append(lambda: metrics.read_log(healthy=log.health.ok, figures=log.figures))
        state = Health(lambda: log.health)
        state.add("records", lambda: services.records.trouble)
        state.add_weakness("bus", lambda: bus.reason if bus.state is BusState.AWAY else nodes.strangers)
        app = _application(security, Client(client or default_folder()), settings.update_bytes)
        app[DOCUMENTS] = Documents(registry, gateway.access, tokens, renderer)
        app[HISTORY] = past
        app[COCKPIT] = Cockpit(services, log)
        idle = IdleRooms(services.records, services.audit, services.notifications, services.clock, log)
        post = digest_post(settings, services)
        app[HAS_MAIL] = post is not None
        _add_api(app, door)
        leaving.add_routes(
            app,
            services.digests,
            lambda request: budgets.spend(f"address:{security.client_address(request)}", door.address_factor),
        )
        gateway.add_to(app)
        health.add_routes(app, state, metrics, security, settings.metrics_token)
        await stack.enter_async_context(LoopLag(metrics).running())
        await stack.enter_async_context(follower.running())
        await stack.enter_async_context(nodes.running())
        await stack.enter_async_context(
            chores(
                Chore("escalation of reports", CHORE_SECONDS, services.reports.escalate_due),
                Chore("cases that are over", CHORE_SECONDS, services.cases.close_due),
                Chore("forgetting old notifications", FORGET_SECONDS, services.notifications.forget_old),
                Chore("retention", FORGET_SECONDS, services.retention.forget),
                Chore("idle rooms", FORGET_SECONDS, idle.archive),
                *([Chore("mail", CHORE_SECONDS, post.send_due)] if post else []),
            )
        )
        gateway.start()
        try:
            yield Node(settings, log, bus, services, registry, gateway, state, metrics, app)
        finally:
            state.draining = True
            await gateway.drain()


def _socket_limits(settings: Settings) -> SocketLimits:
    # A message over an update's limit gets a reasoned answer; far above it, the frame itself is refused.
    return SocketLimits(
        message_bytes=2 * settings.update_bytes,
        rates=Rates(
            messages=settings.sender_messages,
            bytes=settings.sender_bytes,
            structs=settings.sender_structs,
        ),
    )


def _verifier(tokens: Tokens) -> Callable[[str], Principal | None]:
    def verify(token: str) -> Principal | None:
        try:
            return tokens.verify(token)
        except TokenError:
            return None

    return verify


def _application(security: Security, client: Client, max_body: int) -> web.Application:
    """The application with what holds for every answer: errors in one form, and the security headers."""

    @web.middleware
    async def pages(request: web.Request, handler: dispatch.RequestHandler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            if request.method not in dispatch.SAFE or _below(request.path, NOT_THE_CLIENTS):
                raise
            return client.respond(request)

    async def protect(request: web.Request, response: web.StreamResponse) -> None:
        # Scripts too: a service worker lives under the policy that its own script came with.
        page = response.content_type in ("text/html", "text/javascript") and not _below(
            request.path, ("/api",)
        )
        response.headers.update(security.headers(request, page=page))
        if request.path.startswith(documents.PREFIX):
            response.headers.update(security.cors_headers(request))

    app = web.Application(
        middlewares=[note_route, dispatch.errors_middleware, pages], client_max_size=max_body
    )
    app.on_response_prepare.append(protect)
    return app


def _below(path: str, prefixes: tuple[str, ...]) -> bool:
    return any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes)


def _add_api(app: web.Application, door: dispatch.Door) -> None:
    routes = all_routes()
    dispatch.add_routes(app, routes, door)
    documents.add_preflight(app, door.security)
    description = openapi.describe(routes, version=version("twinspace"), cookie=door.security.cookie.name)
    openapi.add_routes(app, description)
