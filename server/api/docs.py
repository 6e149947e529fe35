"""/api/docs: the OpenAPI description as one readable page, made on the server, without any script."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

__all__ = ["STYLE", "page"]

_METHODS: Final = ("get", "post", "put", "patch", "delete")


def page(description: Mapping[str, Any]) -> str:
    """The whole page for an OpenAPI 3.1 description as `server.api.openapi.describe` makes it."""
    info = description["info"]
    by_tag: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for path, methods in description["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                by_tag.setdefault(operation["tags"][0], []).append((method, path, operation))
    contents = "".join(f'<li><a href="#{_id(tag)}">{escape(tag)}</a></li>' for tag in by_tag)
    sections = "".join(
        f'<section id="{_id(tag)}"><h2>{escape(tag)}</h2>'
        f"{''.join(_operation(*each) for each in operations)}</section>"
        for tag, operations in by_tag.items()
    )
    schemas = "".join(
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"{_schema(schema)}</details>"
        for name, schema in description["components"]["schemas"].items()
    )
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in info["description"].split("\n\n"))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title>
<link rel="stylesheet" href="/api/docs.css">
</head>
<body>
<header><h1>{escape(info["title"])} API <small>{escape(info["version"])}</small></h1>
{paragraphs}
<p>For programs: <a href="/api/openapi.json">openapi.json</a> (OpenAPI {escape(description["openapi"])}).</p>
</header>
<nav aria-label="Contents"><ul>{contents}<li><a href="#schemas">schemas</a></li></ul></nav>
<main>{sections}<section id="schemas"><h2>schemas</h2>{schemas}</section></main>
</body>
</html>
"""


def _id(tag: str) -> str:
    return "tag-" + escape(tag.replace(" ", "-"))


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"<p>{escape(text)}</p>" for text in operation.get("description", "").split("\n\n") if text]
    parts.append(f"<p>{escape(_who(operation))}</p>")
    if operation["parameters"]:
        parts.append(
            _table(("Parameter", "In", "Type"), (_parameter(each) for each in operation["parameters"]))
        )
    if "requestBody" in operation:
        parts.append(f"<h4>Body</h4>{_content(operation['requestBody']['content'])}")
    parts.append("<h4>Answers</h4><ul>")
    for status, response in operation["responses"].items():
        shown = _content(response.get("content", {})) if status < "400" else ""
        parts.append(f"<li><code>{escape(status)}</code> {escape(response['description'])} {shown}</li>")
    parts.append("</ul>")
    return (
        f'<details><summary><span class="method {method}">{method.upper()}</span> '
        f"<code>{escape(path)}</code> <span>{escape(operation['summary'])}</span></summary>"
        f"{''.join(parts)}</details>"
    )


def _who(operation: Mapping[str, Any]) -> str:
    if "x-action" in operation:
        return f"For members whom the permission matrix allows the action {operation['x-action']}."
    kinds = [kind for each in operation["security"] for kind in each]
    if "documentToken" in kinds:
        return "For whoever has a document token (Authorization: Bearer ...)."
    return "For everybody who is logged in." if kinds else "For everybody."


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str]:
    name = f"<code>{escape(parameter['name'])}</code>{'' if parameter['required'] else ' (optional)'}"
    return name, escape(parameter["in"]), _type(parameter["schema"])


def _content(content: Mapping[str, Any]) -> str:
    return " or ".join(
        f"{_type(each['schema'])} as <code>{escape(kind)}</code>" for kind, each in content.items()
    )


def _schema(schema: Mapping[str, Any]) -> str:
    text = f"<p>{escape(schema['description'])}</p>" if "description" in schema else ""
    if "properties" not in schema:
        return text + f"<p>{_type(schema)}</p>"
    required = schema.get("required", [])
    rows = (
        (
            f"<code>{escape(name)}</code>{'' if name in required else ' (optional)'}",
            _type(each),
            escape(each.get("description", "")),
        )
        for name, each in schema["properties"].items()
    )
    return text + _table(("Field", "Type", "Meaning"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON schema in a few words of HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}"><code>{name}</code></a>'
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(_type(each) for each in schema[choice])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    return escape(" or ".join(kinds) if isinstance(kinds := schema.get("type", "anything"), list) else kinds)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


STYLE: Final = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h2 { margin-top: 2.5rem; }
h4 { margin: 1rem 0 .25rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
details { border-top: 1px solid color-mix(in srgb, currentcolor 20%, transparent); padding: .6rem 0; }
summary { cursor: pointer; }
summary code { font-weight: 600; overflow-wrap: anywhere; }
.method { display: inline-block; min-width: 4.5rem; font: 600 .8rem/1.6 ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: start; vertical-align: top; padding: .3rem .75rem .3rem 0; }
th { font-weight: 600; font-size: .875rem; }
small { font-weight: 400; opacity: .75; }
:target > h2, details:target > summary { text-decoration: underline; }
"""
