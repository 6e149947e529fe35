"""Rich text of a document, for reading: HTML, Markdown, plain text, JSON.

`crdt.nodes` holds the table of nodes and marks, `crdt.rendering` writes what it lets through.
"""

from __future__ import annotations

import json

from crdt.board import arranged
from crdt.document import Document
from crdt.limits import STORED
from crdt.nodes import FRAGMENT, Node, tree
from crdt.rendering import to_html, to_markdown, to_text

__all__ = ["FRAGMENT", "read", "render"]

"""The root that the editor writes."""


def render(state: bytes, form: str = "html", fragment: str = FRAGMENT) -> str:
    """The rich text of a document, given as one update: `form` is "html", "markdown", "text" or "json".

    Raises Malformed, LimitExceeded and EngineRefused for a state that cannot be read, ValueError for a `form`
    that does not exist.
    """
    root = read(state, fragment)
    match form:
        case "html":
            return to_html(root)
        case "markdown":
            return to_markdown(root)
        case "text":
            return to_text(root)
        case "json":
            return json.dumps(root.to_json(), ensure_ascii=False, allow_nan=False)
    raise ValueError(f"There is no form {form!r}: use html, markdown, text or json.")


def read(state: bytes, fragment: str = FRAGMENT) -> Node:
    """The tree of a document that is given as one update, boards in order. Raises as `render` does."""
    document = Document(STORED)
    try:
        document.load(state)
        return arranged(tree(document.xml(fragment)))
    finally:
        document.close()
