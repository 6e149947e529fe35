"""OpenAPI 3.1 from the declared routes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from server.api.docs import STYLE, page
from server.api.errors import ErrorResponse
from server.api.routing import JSON, OCTETS, PUBLIC, REST_OF_PATH, Marker, Route

__all__ = ["add_routes", "describe", "error_statuses"]

SCHEMAS: Final = "#/components/schemas/"
DESCRIPTION: Final = """\
People log in with POST /api/session and are known by a cookie; whatever changes something is taken from this
server's own pages only. Applications use document tokens (`twinspace token`) as bearer tokens. Every error
has the same shape: a code for programs and a sentence for people."""


def describe(routes: Iterable[Route], *, version: str, cookie: str) -> dict[str, Any]:
    """The OpenAPI 3.1 description of these routes."""
    listed = list(routes)
    schemas = _Schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        paths.setdefault("/api" + route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TwinSpace",
            "version": version,
            "summary": "Joint school projects on live pages.",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in listed)],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
                "documentToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


class _Schemas:
    """The JSON schemas of all models, made together so that no two of them claim one name."""

    def __init__(self, routes: list[Route]) -> None:
        inputs: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
            ("error", "serialization", TypeAdapter(ErrorResponse))
        ]
        for route in routes:
            if route.query is not None:
                inputs.append((f"query {_key(route)}", "validation", TypeAdapter(route.query)))
            if route.reader is not None:
                inputs.append((f"body {_key(route)}", "validation", route.reader))
            if route.writer is not None:
                inputs.append((f"answer {_key(route)}", "serialization", route.writer))
        found, defined = TypeAdapter.json_schemas(inputs, ref_template=SCHEMAS + "{model}")
        self._found = {name: schema for (name, _), schema in found.items()}
        self.definitions: dict[str, Any] = dict(sorted(defined.get("$defs", {}).items()))

    def __getitem__(self, key: str) -> dict[str, Any]:
        return self._found[key]

    def resolved(self, key: str) -> dict[str, Any]:
        """The same without a reference at its top."""
        schema = self._found[key]
        reference = schema.get("$ref")
        return self.definitions[reference.removeprefix(SCHEMAS)] if reference else schema


def _key(route: Route) -> str:
    return f"{route.method} {route.path}"


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "security": _SECURITY[route.access],
        "parameters": [_path_parameter(name, route.patterns[name]) for name in route.parameters],
        "responses": _responses(route, schemas),
    }
    if route.description:
        operation["description"] = route.description
    if route.action is not None:
        operation["x-action"] = route.action.value
    if route.query is not None:
        query = schemas.resolved(f"query {_key(route)}")
        required = query.get("required", [])
        operation["parameters"] += [
            {"name": name, "in": "query", "required": name in required, "schema": _present(schema)}
            for name, schema in query.get("properties", {}).items()
        ]
    if route.body is bytes:
        octets = {OCTETS: {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": octets}
    elif route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": schemas[f"body {_key(route)}"]}},
        }
    return operation


_SECURITY: Final[Mapping[Marker | None, list[dict[str, list[str]]]]] = {
    Marker.PUBLIC: [],
    Marker.BEARER: [{"documentToken": []}],
    Marker.LOGGED_IN: [{"session": []}],
    None: [{"session": []}],
}


def _path_parameter(name: str, pattern: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if pattern != REST_OF_PATH:
        schema["pattern"] = f"^{pattern}$"
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a query parameter when it is there: leaving it out is how a query says null."""
    given = {key: value for key, value in schema.items() if (key, value) != ("default", None)}
    choices = [each for each in given.pop("anyOf", []) if each.get("type") != "null"]
    if len(choices) == 1:
        given |= choices[0]
    elif choices:
        given["anyOf"] = choices
    return given


def error_statuses(route: Route) -> list[int]:
    """Every status other than success that this route may answer with."""
    statuses = {400, 429, 500, *route.errors}
    if route.access is not PUBLIC:
        statuses |= {401, 403}
    if route.method != "GET":
        statuses |= {403, 408} if route.reads_cookies else {408}
    if route.parameters:
        statuses.add(404)
    if route.body is not None:
        statuses |= {413, 415}
    if route.body not in (None, bytes) or route.query is not None:
        statuses.add(422)
    return sorted(statuses)


def _responses(route: Route, schemas: _Schemas) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.content is not None:
        success["content"] = route.content
    elif route.writer is not None:
        success["content"] = {JSON: {"schema": schemas[f"answer {_key(route)}"]}}
    responses: dict[str, Any] = {str(route.status): success}
    for status in error_statuses(route):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {JSON: {"schema": schemas["error"]}},
        }
    return responses


def add_routes(app: web.Application, description: Mapping[str, Any]) -> None:
    """Adds /api/openapi.json, and /api/docs with its style sheet."""
    spec = json.dumps(description, ensure_ascii=False).encode()
    html = page(description).encode()
    css = STYLE.encode()

    def serve(body: bytes, content_type: str) -> None:
        async def handle(_: web.Request) -> web.Response:
            return web.Response(
                body=body,
                content_type=content_type,
                charset="utf-8",
                headers={"Cache-Control": "no-cache"},
            )

        app.router.add_get(_PATHS[content_type], handle)

    serve(spec, JSON)
    serve(html, "text/html")
    serve(css, "text/css")


_PATHS: Final = {JSON: "/api/openapi.json", "text/html": "/api/docs", "text/css": "/api/docs.css"}
