"""/healthz, /readyz and /metrics: for load balancers, orchestrators and Prometheus."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from crdt.log import LogHealth
from server.api.errors import ApiError, error_response
from server.metrics import CONTENT_TYPE, Metrics
from server.security import Security

__all__ = ["Health", "add_routes"]

NO_STORE: Final = {"Cache-Control": "no-store"}


@dataclass
class Health:
    """What decides whether this node should be sent work."""

    log_health: Callable[[], LogHealth]
    draining: bool = False
    _checks: dict[str, Callable[[], str]] = field(default_factory=dict)
    _weaknesses: dict[str, Callable[[], str]] = field(default_factory=dict)

    def add(self, name: str, check: Callable[[], str]) -> None:
        """Another thing to be ready for: the check returns a reason against it, or an empty text."""
        self._checks[name] = check

    def add_weakness(self, name: str, check: Callable[[], str]) -> None:
        """Something the node goes on without, and an operator should know: the check returns a sentence that
        says what is wrong, or an empty text."""
        self._weaknesses[name] = check

    def weaknesses(self) -> dict[str, str]:
        """What the node does without now, by what."""
        return {name: reason for name, check in self._weaknesses.items() if (reason := check())}

    def reasons(self) -> dict[str, str]:
        """Why this node is not ready, by what; empty when it is."""
        found: dict[str, str] = {}
        log = self.log_health()
        if not log.ok:
            found["log"] = f"{log.code}: {log.reason}"
        if self.draining:
            found["draining"] = "The server is shutting down."
        found.update({name: reason for name, check in self._checks.items() if (reason := check())})
        return found


def add_routes(
    app: web.Application, health: Health, metrics: Metrics, security: Security, metrics_token: str | None
) -> None:
    """Adds the three endpoints.

    /metrics answers only to this machine itself, or to whoever has `metrics_token` when one is set: figures
    such as how many people write at night are nobody else's business.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"}, headers=NO_STORE)

    async def readyz(_: web.Request) -> web.Response:
        reasons, weaknesses = health.reasons(), health.weaknesses()
        status = "not-ready" if reasons else "degraded" if weaknesses else "ready"
        body = {"status": status, "reasons": reasons | weaknesses}
        return web.json_response(body, status=503 if reasons else 200, headers=NO_STORE)

    async def exposition(request: web.Request) -> web.Response:
        if metrics_token is None:
            allowed = security.is_local(request)
        else:
            sent = request.headers.get("Authorization", "")
            allowed = hmac.compare_digest(sent.encode(), f"Bearer {metrics_token}".encode())
        if not allowed:
            return error_response(
                ApiError(403, "forbidden", "Metrics are shown to this machine only, or with --metrics-token.")
            )
        return web.Response(body=metrics.exposition(), headers={**NO_STORE, "Content-Type": CONTENT_TYPE})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", exposition)
