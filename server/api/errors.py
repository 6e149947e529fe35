"""The one shape of every error: {"error": {"code", "message", "details"?}}.

Handlers raise `ApiError`. Packages below never import it: they raise their own errors, and `translate` says
once which status and code such an error has on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field, JsonValue, ValidationError

__all__ = ["ApiError", "ErrorBody", "ErrorResponse", "error_response", "invalid", "to_api_error", "translate"]

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


E = TypeVar("E", bound=Exception)

_translations: dict[type[Exception], Callable[[Any], ApiError]] = {}


def translate(kind: type[E], to: Callable[[E], ApiError]) -> None:
    """From now on `kind` (and its subclasses) raised by a handler is answered as `to(error)`."""
    _translations[kind] = to


def to_api_error(error: Exception) -> ApiError | None:
    """The answer for a known error; None for one nobody expected."""
    if isinstance(error, ApiError):
        return error
    for kind in type(error).__mro__:
        if kind in _translations:
            return _translations[kind](error)
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
