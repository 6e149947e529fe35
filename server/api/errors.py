"""The one shape of every error: {"error": {"code", "message", "details"?}}.

Handlers raise `ApiError`. Packages below never import it: they raise their own errors, and the table at the
end of this file says once which status and code such an error has on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, Field, JsonValue, ValidationError

from crdt.errors import (
    ClientTaken,
    EngineRefused,
    LimitExceeded,
    LogError,
    LogUnavailable,
    Malformed,
    StaleEpoch,
)
from rooms.documents.errors import Refused, Unavailable
from rooms.faults import Blocked, Conflict, NotAllowed, NotFound, TooManyTries, WrongCredentials
from server.tokens import TokenError

__all__ = ["ApiError", "ErrorBody", "ErrorResponse", "error_response", "invalid", "to_api_error"]

MAX_FIELDS = 20
"""Fields named in one validation error; the rest are counted."""


class ErrorBody(BaseModel):
    code: str = Field(description="Machine-readable, kebab-case.", examples=["not-found"])
    message: str = Field(description="A full sentence for people.")
    details: dict[str, JsonValue] | None = None


class ErrorResponse(BaseModel):
    """Every error of every route."""

    error: ErrorBody


class ApiError(Exception):
    """An answer other than success.

    `status` is the HTTP status, `code` kebab-case, `message` a full sentence for people; `details` is sent as
    it is. `retry_after` (seconds) becomes the Retry-After header and details.retry_after.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details) if details else None
        self.headers = dict(headers or {})
        if retry_after is not None:
            seconds = max(1, round(retry_after + 0.5))
            self.headers["Retry-After"] = str(seconds)
            self.details = {**(self.details or {}), "retry_after": seconds}


def to_api_error(error: Exception) -> ApiError | None:
    """The answer for a known error; None for one nobody expected."""
    if isinstance(error, ApiError):
        return error
    for kind in type(error).__mro__:
        if kind in _ANSWERS:
            return _ANSWERS[kind](error)
    return None


def invalid(error: ValidationError, where: str) -> ApiError:
    """422 naming each wrong field; never echoes the value that was sent."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [
        {"field": ".".join(str(part) for part in (where, *item["loc"])), "problem": item["msg"]}
        for item in found[:MAX_FIELDS]
    ]
    details: dict[str, Any] = {"fields": fields}
    if len(found) > MAX_FIELDS:
        details["more"] = len(found) - MAX_FIELDS
    return ApiError(
        422, "invalid", "Some values are not valid. See details.fields, correct them and try again.", details
    )


def error_response(error: ApiError) -> web.Response:
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details is not None:
        body["details"] = error.details
    return web.Response(
        body=json.dumps({"error": body}, ensure_ascii=False).encode(),
        status=error.status,
        headers={**error.headers, "Cache-Control": "no-store"},
        content_type="application/json",
        charset="utf-8",
    )


RETRY_SECONDS: Final = 5
"""When to try again what a full disk or a restart refused."""

_BEARER: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


def _log_unavailable(error: LogUnavailable) -> ApiError:
    message = f"Nothing can be saved right now: {error.reason}"
    return ApiError(503, "log-failing", message, {"reason": error.code}, RETRY_SECONDS)


def _log_broken(_: LogError) -> ApiError:
    # What exactly is wrong is for the operator, and in the log.
    message = "This document cannot be read from the store. Its operator can find out why: twinspace check."
    return ApiError(503, "log-failing", message, {"reason": "corrupt"})


# The most specific class of an error counts.
_ANSWERS: Final[Mapping[type[Exception], Callable[[Any], ApiError]]] = {
    NotFound: lambda error: ApiError(404, "not-found", str(error)),
    NotAllowed: lambda error: ApiError(403, "not-allowed", str(error), {"reason": error.reason}),
    Blocked: lambda error: ApiError(422, "blocked", str(error), {"kinds": error.kinds}),
    Conflict: lambda error: ApiError(409, error.code, str(error)),
    WrongCredentials: lambda error: ApiError(401, "wrong-credentials", str(error)),
    TooManyTries: lambda error: ApiError(429, "too-many-tries", str(error), retry_after=error.retry_after),
    TokenError: lambda error: ApiError(401, error.code, str(error), headers=_BEARER),
    Refused: lambda error: ApiError(403, error.code, str(error)),
    Unavailable: lambda error: ApiError(
        503, "unavailable", str(error), {"reason": error.reason}, RETRY_SECONDS
    ),
    Malformed: lambda error: ApiError(
        400, "malformed", str(error), {"what": error.what, "where": error.where}
    ),
    LimitExceeded: lambda error: ApiError(
        413, "over-limit", str(error), {"what": error.what, "limit": error.limit, "value": error.value}
    ),
    EngineRefused: lambda _: ApiError(400, "refused", "The update cannot be applied to this document."),
    ClientTaken: lambda error: ApiError(403, "forged-author", "The client id belongs to another writer."),
    StaleEpoch: lambda error: ApiError(
        409, "stale-epoch", "The document was rebuilt. Load it again.", {"current": error.current}
    ),
    LogUnavailable: _log_unavailable,
    LogError: _log_broken,
}
