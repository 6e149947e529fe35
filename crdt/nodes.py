"""One table of nodes and marks, and the tree it lets through of what stands in an XmlFragment.

y-prosemirror 1.3 stores a ProseMirror document as an XmlFragment: an XmlElement for each node, named after
its type, its attributes as they are; runs of text as XmlText, with a format for each mark, whose value is the
mark's attributes. A mark that may overlap with its like has `--` and eight characters of hash after its name.

What the table does not know is dropped and its text kept: whatever stands in the shared document, only these
nodes and marks, with attributes of these kinds, come out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crdt.codec import JsonValue
from crdt.engine import XmlNode, XmlRun
from crdt.errors import LimitExceeded
from crdt.limits import DEFAULT

__all__ = ["FRAGMENT", "MARKS", "NODES", "Mark", "Node", "is_inline", "tree"]

FRAGMENT: Final = "prosemirror"
"""The name of the fragment that holds a page."""

Clean = Callable[[Any], JsonValue]
"""Makes an attribute's value of whatever the document holds; None stands for "not given"."""


def _whole(least: int, most: int, default: int) -> Clean:
    def clean(value: Any) -> JsonValue:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return default
        return int(value) if least <= value <= most else default

    return clean


def _text(longest: int) -> Clean:
    return lambda value: value[:longest] if isinstance(value, str) and value else None


def _flag(value: Any) -> JsonValue:
    return value is True or value == "true"


def _one_of(first: str, *others: str) -> Clean:
    """Anything else is the first."""
    return lambda value: value if isinstance(value, str) and value in others else first


def _matching(pattern: str) -> Clean:
    expression = re.compile(pattern, re.ASCII)
    return lambda value: value if isinstance(value, str) and expression.fullmatch(value) else None


def _language(value: Any) -> JsonValue:
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_+#.-]{1,32}", value) else None


def _widths(value: Any) -> JsonValue:
    if not isinstance(value, list) or not 0 < len(value) <= _LARGEST_SPAN:
        return None
    widths = [_whole(0, 2000, -1)(width) for width in value]
    return None if -1 in widths else widths


_LARGEST_SPAN: Final = 20
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2066-\u2069\ufeff]")


def _url(*schemes: str) -> Clean:
    """An absolute URL of one of the schemes, or one inside this site; browsers ignore control characters in a
    scheme, and read a backslash as a slash."""

    def clean(value: Any) -> JsonValue:
        if not isinstance(value, str):
            return None
        url = value.strip()
        if not url or len(url) > 2048 or _UNSEEN.search(url) or "\\" in url:
            return None
        scheme = _SCHEME.match(url)
        if scheme is not None:
            return url if scheme[1].lower() in schemes else None
        return None if url.startswith("//") or ":" in re.split(r"[/?#]", url, maxsplit=1)[0] else url

    return clean


@dataclass(frozen=True, slots=True)
class Spec:
    """One kind of node or mark."""

    attrs: Mapping[str, Clean] = field(default_factory=dict)
    required: str | None = None
    """The attribute without which it means nothing, and is dropped."""
    inline: bool = False
    leaf: bool = False
    """Whether it has no content of its own."""


_CELL: Final = {
    "colspan": _whole(1, _LARGEST_SPAN, 1),
    "rowspan": _whole(1, 500, 1),
    "colwidth": _widths,
}
_LINK: Final = {"href": _url("http", "https", "mailto"), "title": _text(300)}
_COLUMN_ID: Final = _matching("[a-z0-9]{8}")
_PLACE: Final = _matching("[0-9A-Za-z]{1,1000}")
_COLOR: Final = _one_of("yellow", "green", "blue", "pink", "orange", "white")
_IMAGE: Final = {"src": _url("http", "https"), "alt": _text(1000), "title": _text(300)}

NODES: Final[Mapping[str, Spec]] = {
    "paragraph": Spec(),
    "heading": Spec({"level": _whole(1, 3, 1)}),
    "bullet_list": Spec(),
    "ordered_list": Spec({"order": _whole(1, 99_999, 1)}),
    "list_item": Spec(),
    "task_list": Spec(),
    "task_item": Spec({"checked": _flag}),
    "blockquote": Spec(),
    "code_block": Spec({"language": _language}),
    "horizontal_rule": Spec(leaf=True),
    "table": Spec(),
    "table_row": Spec(),
    "table_cell": Spec(_CELL),
    "table_header": Spec(_CELL),
    "column": Spec({"id": _COLUMN_ID, "place": _PLACE}),
    "card": Spec({"column": _COLUMN_ID, "place": _PLACE, "color": _COLOR}),
    "image": Spec(_IMAGE, required="src", inline=True, leaf=True),
    "hard_break": Spec(inline=True, leaf=True),
}

MARKS: Final[Mapping[str, Spec]] = {  # in the order in which they enclose one another
    "link": Spec(_LINK, required="href"),
    "strong": Spec(),
    "em": Spec(),
    "underline": Spec(),
    "strike": Spec(),
    "code": Spec(),
}


@dataclass(frozen=True, slots=True)
class Mark:
    type: str
    attrs: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree, ProseMirror's way: "doc" at the top, "text" with text and marks at the bottom."""

    type: str
    attrs: Mapping[str, JsonValue] = field(default_factory=dict)
    content: Sequence[Node] = ()
    text: str = ""
    marks: tuple[Mark, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """ProseMirror's own JSON."""
        out: dict[str, JsonValue] = {"type": self.type}
        if self.attrs:
            out["attrs"] = dict(self.attrs)
        if self.content:
            out["content"] = [child.to_json() for child in self.content]
        if self.type == "text":
            out["text"] = self.text
        if self.marks:
            out["marks"] = [
                {"type": mark.type, **({"attrs": dict(mark.attrs)} if mark.attrs else {})}
                for mark in self.marks
            ]
        return out


def tree(children: Sequence[XmlNode | XmlRun]) -> Node:
    """What the table lets through of the children of a fragment. Raises LimitExceeded("nesting")."""
    return Node("doc", content=_blocks(list(_nodes(children, 0))))


def _nodes(children: Sequence[XmlNode | XmlRun], depth: int) -> Iterator[Node]:
    if depth > DEFAULT.nesting:
        raise LimitExceeded("nesting", DEFAULT.nesting, depth)
    for child in children:
        if isinstance(child, XmlRun):
            marks = _marks(child.formats)
            if child.text:
                yield Node("text", text=child.text, marks=marks)
            continue
        spec = NODES.get(child.name)
        attrs = {} if spec is None else _attributes(spec, child.attributes)
        if spec is None or (spec.required is not None and spec.required not in attrs):
            if isinstance(alt := child.attributes.get("alt"), str) and alt:
                yield Node("text", text=alt[:1000])
            yield from _nodes(child.children, depth + 1)
            continue
        content = [] if spec.leaf else list(_nodes(child.children, depth + 1))
        if child.name in _OF_WORDS:
            content = [Node("text", text=text)] if (text := "".join(_plain(content))) else []
        elif child.name in _OF_BLOCKS:
            content = _blocks(content)
        yield Node(child.name, attrs, content)


_OF_WORDS: Final = frozenset({"code_block", "column", "card"})
_OF_BLOCKS: Final = frozenset({"list_item", "task_item", "blockquote", "table_cell", "table_header"})


def _blocks(content: Sequence[Node]) -> list[Node]:
    """Text and other inline nodes where blocks belong get a paragraph around them."""
    blocks: list[Node] = []
    inline: list[Node] = []
    for node in content:
        if is_inline(node):
            inline.append(node)
            continue
        if inline:
            blocks.append(Node("paragraph", content=inline))
            inline = []
        blocks.append(node)
    if inline:
        blocks.append(Node("paragraph", content=inline))
    return blocks


def is_inline(node: Node) -> bool:
    return node.type == "text" or NODES[node.type].inline


def _plain(content: Sequence[Node]) -> Iterator[str]:
    """The words alone; blocks stand below what comes before them."""
    for index, node in enumerate(content):
        if node.type == "hard_break" or (index and not is_inline(node)):
            yield "\n"
        yield str(node.attrs.get("alt", "")) if node.type == "image" else node.text
        yield from _plain(node.content)


def _marks(formats: Mapping[str, Any]) -> tuple[Mark, ...]:
    found: dict[str, Mark] = {}
    for name, value in formats.items():
        kind = re.sub(r"--[a-zA-Z0-9+/=]{8}$", "", name)
        spec = MARKS.get(kind)
        if spec is None or value is None or value is False:
            continue
        attrs = _attributes(spec, value if isinstance(value, Mapping) else {})
        if spec.required is None or spec.required in attrs:
            found[kind] = Mark(kind, attrs)
    return tuple(found[kind] for kind in MARKS if kind in found)


def _attributes(spec: Spec, given: Mapping[str, Any]) -> dict[str, JsonValue]:
    attrs: dict[str, JsonValue] = {}
    for name, clean in spec.attrs.items():
        if (value := clean(given.get(name))) is not None:
            attrs[name] = value
    widths = attrs.get("colwidth")
    if isinstance(widths, list) and len(widths) != attrs["colspan"]:
        del attrs["colwidth"]
    return attrs
