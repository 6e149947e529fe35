"""First content for a page: rich text written once, by the server, as one update.

The reverse of `crdt.richtext`: ProseMirror's JSON becomes the shared types as y-prosemirror 1.3 writes
them, so that an editor finds nothing to repair. Seeding goes through `Log.seed`, with a marker: never twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

__all__ = ["compose"]

Node = Mapping[str, Any]
"""`{"type", "attrs"?, "content"?}`; a text node is `{"type", "text", "marks"?: [{"type", "attrs"?}]}`."""


def compose(nodes: Sequence[Node], root: str = "prosemirror", client: int | None = None) -> bytes:
    """One V1 update that writes `nodes` into the root fragment, under a client id of its own, or this one."""
    doc: Doc[XmlFragment] = Doc(client_id=client)
    fragment = doc.get(root, type=XmlFragment)
    with doc.transaction():
        _append(fragment, nodes)
    return doc.get_update()


def _append(parent: XmlFragment | XmlElement, nodes: Sequence[Node]) -> None:
    text: XmlText | None = None
    length = 0
    for node in nodes:
        if node["type"] == "text":
            if text is None:
                text, length = parent.children.append(XmlText()), 0
            marks = {mark["type"]: dict(mark.get("attrs", {})) for mark in node.get("marks", ())}
            text.insert(length, node["text"], marks)
            length += len(node["text"].encode())
            continue
        text = None
        element = parent.children.append(XmlElement(node["type"]))
        for name, value in node.get("attrs", {}).items():
            if value is not None:
                element.attributes[name] = value
        _append(element, node.get("content", ()))
