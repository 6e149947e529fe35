"""Writes a rich text tree as HTML, Markdown and plain text.

HTML is escaped here and built of nothing but the table's nodes; nh3 cleans it again, as belt and braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

import nh3

from crdt.nodes import Mark, Node, is_inline

__all__ = ["to_html", "to_markdown", "to_text"]

_TAGS: Final = {
    "paragraph": "p",
    "bullet_list": "ul",
    "list_item": "li",
    "blockquote": "blockquote",
    "table_row": "tr",
    "strong": "strong",
    "em": "em",
    "underline": "u",
    "strike": "s",
    "code": "code",
}

_CLEANER: Final = nh3.Cleaner(
    tags={
        *("p", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br", "img", "a"),
        *("table", "tbody", "tr", "td", "th", "strong", "em", "u", "s"),
    },
    attributes={
        "a": {"href", "title"},
        "p": {"data-color"},
        "img": {"src", "alt", "title", "loading", "referrerpolicy"},
        "ol": {"start"},
        "ul": {"data-tasks"},
        "li": {"data-checked"},
        "code": {"data-language"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan"},
    },
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
)


# HTML


def to_html(root: Node) -> str:
    """HTML for the inside of a page: the largest heading is h2, for h1 is the page's title."""
    return _CLEANER.clean("".join(_html(root.content)))


def _html(content: Sequence[Node]) -> Iterator[str]:
    for node in content:
        match node.type:
            case "text":
                yield _marked(escape(node.text), node.marks)
            case "hard_break":
                yield "<br>"
            case "horizontal_rule":
                yield "<hr>"
            case "image":
                yield f"<img{_shown(node, 'src', 'alt', 'title')} loading=lazy referrerpolicy=no-referrer>"
            case "heading":
                level = int(str(node.attrs["level"])) + 1
                yield from _element(f"h{level}", "", node)
            case "column":
                yield from _element("h2", "", node)
            case "card":
                yield f'<p data-color="{node.attrs["color"]}">'
                yield from _html(_lines(node))
                yield "</p>"
            case "ordered_list":
                yield from _element("ol", f' start="{node.attrs["order"]}"', node)
            case "task_list":
                yield from _element("ul", " data-tasks", node)
            case "task_item":
                yield from _element("li", f' data-checked="{str(node.attrs["checked"]).lower()}"', node)
            case "code_block":
                language = node.attrs.get("language")
                shown = f' data-language="{escape(str(language))}"' if language else ""
                yield f"<pre><code{shown}>"
                yield from _html(node.content)
                yield "</code></pre>"
            case "table":
                yield "<table>"
                yield from _element("tbody", "", node)
                yield "</table>"
            case "table_cell" | "table_header":
                spans = [name for name in ("colspan", "rowspan") if node.attrs[name] != 1]
                yield from _element("td" if node.type == "table_cell" else "th", _shown(node, *spans), node)
            case _:
                yield from _element(_TAGS[node.type], "", node)


def _element(tag: str, attributes: str, node: Node) -> Iterator[str]:
    yield f"<{tag}{attributes}>"
    yield from _html(node.content)
    yield f"</{tag}>"


def _lines(card: Node) -> list[Node]:
    """A card's words, with breaks between its lines."""
    nodes: list[Node] = []
    for line in "".join(_words(card.content)).strip().split("\n"):
        nodes += [Node("hard_break"), Node("text", text=line)]
    return nodes[1:]


def _shown(node: Node | Mark, *names: str) -> str:
    return "".join(f' {name}="{escape(str(node.attrs[name]))}"' for name in names if name in node.attrs)


def _marked(html: str, marks: Sequence[Mark]) -> str:
    for mark in reversed(marks):
        tag = "a" if mark.type == "link" else _TAGS[mark.type]
        html = f"<{tag}{_shown(mark, 'href', 'title')}>{html}</{tag}>"
    return html


# Plain text


def to_text(root: Node) -> str:
    """The words alone: a line for each block, cells of a row between tabs."""
    return "\n".join(_text_lines(root.content))


_OF_LINES: Final = frozenset({"paragraph", "heading", "code_block", "column", "card"})


def _text_lines(content: Sequence[Node]) -> Iterator[str]:
    for node in content:
        if node.type == "table_row":
            yield "\t".join(" ".join(_text_lines(cell.content)) for cell in node.content)
        elif node.type in _OF_LINES or is_inline(node):
            yield "".join(_words([node]))
        elif node.content:
            yield from _text_lines(node.content)


def _words(content: Sequence[Node]) -> Iterator[str]:
    for node in content:
        match node.type:
            case "hard_break":
                yield "\n"
            case "image":
                yield str(node.attrs.get("alt", ""))
            case "text":
                yield node.text
            case _:
                yield from _words(node.content)


# Markdown

_SIGNS: Final = {"strong": "**", "em": "*", "strike": "~~"}
_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>~|&]")
_LINE_START: Final = re.compile(r"^(\s*\d{1,9}(?=[.)](?:\s|$))|\s*(?=[#+=-]))", re.MULTILINE)


def to_markdown(root: Node) -> str:
    """CommonMark with GitHub's tables, task lists and strike-through; underline stays HTML."""
    return "\n\n".join(_markdown_blocks(root.content)) + "\n"


def _markdown_blocks(content: Sequence[Node]) -> Iterator[str]:
    for inline, group in groupby(content, is_inline):
        if inline:
            yield _markdown_line(list(group))
        else:
            for node in group:
                if block := _markdown_block(node):
                    yield block


def _markdown_block(node: Node) -> str:
    match node.type:
        case "heading":
            return "#" * int(str(node.attrs["level"])) + " " + _markdown_line(node.content).replace("\n", " ")
        case "column":
            return "# " + _markdown_line(node.content).replace("\n", " ")
        case "card":
            return _markdown_line(_lines(node))
        case "horizontal_rule":
            return "---"
        case "code_block":
            code = "".join(_words(node.content))
            fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code)), 3)
            return f"{fence}{node.attrs.get('language', '')}\n{code}\n{fence}"
        case "blockquote":
            return _prefixed("> ", "> ", node)
        case "bullet_list" | "task_list" | "ordered_list":
            return "\n".join(_markdown_items(node))
        case "table":
            return _markdown_table(node)
        case "paragraph":
            return _markdown_line(node.content)
    return "\n\n".join(_markdown_blocks(node.content))  # an item or a cell without its list or table


def _markdown_items(node: Node) -> Iterator[str]:
    number = int(str(node.attrs.get("order", 1)))
    for item in node.content:
        if node.type == "ordered_list":
            bullet = f"{number}. "
            number += 1
        elif item.type == "task_item":
            bullet = "- [x] " if item.attrs["checked"] else "- [ ] "
        else:
            bullet = "- "
        yield _prefixed(bullet, " " * (len(bullet) if node.type == "ordered_list" else 2), item)


def _prefixed(first: str, others: str, node: Node) -> str:
    body = "\n\n".join(_markdown_blocks([node] if is_inline(node) else node.content))
    lines = body.split("\n")
    rest = [others + line if line or others.strip() else "" for line in lines[1:]]
    return "\n".join(line.rstrip() for line in [first + lines[0], *rest])


def _markdown_table(node: Node) -> str:
    rows = [[_markdown_cell(cell) for cell in row.content] for row in node.content]
    if not any(rows):
        return ""
    width = max(len(row) for row in rows)
    padded = [row + [""] * (width - len(row)) for row in rows]
    padded.insert(1, ["---"] * width)
    return "\n".join("| " + " | ".join(row) + " |" for row in padded)


def _markdown_cell(cell: Node) -> str:
    lines = " ".join(_markdown_blocks([cell] if is_inline(cell) else cell.content))
    return re.sub(r"\\?\n+", "<br>", lines)


def _markdown_line(content: Sequence[Node]) -> str:
    return _LINE_START.sub(r"\1\\", "".join(_markdown_inline(content)).strip())


def _markdown_inline(content: Sequence[Node]) -> Iterator[str]:
    for node in content:
        match node.type:
            case "hard_break":
                yield "\\\n"
            case "image":
                alt = _escaped(str(node.attrs.get("alt", "")))
                yield f"![{alt}]({_target(str(node.attrs['src']), node.attrs.get('title'))})"
            case "text":
                yield _markdown_text(node)
            case _:
                yield from _markdown_inline(node.content)


def _markdown_text(node: Node) -> str:
    kinds = {mark.type for mark in node.marks}
    body = node.text.strip()
    if not body:
        return node.text
    before, after = node.text.split(body, 1) if body in node.text else ("", "")
    if "code" in kinds:
        fence = "`" * max(1, *(len(run) + 1 for run in re.findall("`+", body)), 1)
        pad = " " if "`" in (body[0], body[-1]) else ""
        out = f"{fence}{pad}{body}{pad}{fence}"
    else:
        out = _escaped(body)
    for mark in reversed(node.marks):
        if mark.type == "underline":
            out = f"<u>{out}</u>"
        elif mark.type == "link":
            out = f"[{out}]({_target(str(mark.attrs['href']), mark.attrs.get('title'))})"
        elif mark.type in _SIGNS:
            out = _SIGNS[mark.type] + out + _SIGNS[mark.type]
    return before + out + after


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _target(url: str, title: object) -> str:
    safe = url.replace("<", "%3C").replace(">", "%3E")
    return f'<{safe}> "{_escaped(str(title)).replace(chr(34), chr(92) + chr(34))}"' if title else f"<{safe}>"
