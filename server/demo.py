"""`twinspace demo`: the demo's first contents, written once, and the box that says how to get in."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from crdt.compose import compose
from rooms.demo.furnish import Demo, SeedBoard, SeedCard
from rooms.demo.pages import Block
from server.app import Node

__all__ = ["nodes", "show", "write_pages"]

MARKER: Final = "demo"
PLACES: Final = string.ascii_lowercase[1:]
"""Each after the one before, with room between them and before the first."""


async def write_pages(node: Node, demo: Demo) -> int:
    """Writes the first content of the demo's pages and boards, each once for ever; how many were new."""
    new = 0
    for page in demo.pages:
        if page.blocks:
            new += await node.log.seed(page.document, compose(nodes(page.blocks)), MARKER, page.subject)
    for board in demo.boards:
        new += await _write_board(node, board)
    return new


async def _write_board(node: Node, board: SeedBoard) -> bool:
    """Columns of the teachers, and everybody's cards under a client id of theirs, which owns them."""
    columns = [
        {
            "type": "column",
            "attrs": {"id": _column(number), "place": PLACES[number], "protected": "teachers"},
            "content": _text(title),
        }
        for number, title in enumerate(board.columns)
    ]
    new = await node.log.seed(board.document, compose(columns), MARKER, board.subject)
    for number, subject in enumerate(dict.fromkeys(card.subject for card in board.cards)):
        client = secrets.randbits(32)
        cards = [
            _card(card, PLACES[place], client)
            for place, card in enumerate(board.cards)
            if card.subject == subject
        ]
        new |= await node.log.seed(
            board.document, compose(cards, client=client), f"{MARKER}-{number}", subject
        )
    return new


def _card(card: SeedCard, place: str, client: int) -> dict[str, Any]:
    attrs = {"column": _column(card.column), "place": place, "color": card.color, "protected": str(client)}
    return {"type": "card", "attrs": attrs, "content": _text(card.text)}


def _column(number: int) -> str:
    return f"column{number:02}"


def nodes(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Plain blocks as the editor's nodes."""
    return [_node(block) for block in blocks]


def _node(block: Block) -> dict[str, Any]:
    match block.kind:
        case "heading":
            return {"type": "heading", "attrs": {"level": block.level}, "content": _text(block.text)}
        case "paragraph":
            return _paragraph(block.text)
        case "quote":
            return {"type": "blockquote", "content": [_paragraph(block.text)]}
        case "bullets":
            return {"type": "bullet_list", "content": [_item("list_item", item) for item in block.items]}
        case "numbers":
            items = [_item("list_item", item) for item in block.items]
            return {"type": "ordered_list", "attrs": {"order": 1}, "content": items}
        case "tasks":
            return {"type": "task_list", "content": [_task(item) for item in block.items]}
        case "table":
            return {
                "type": "table",
                "content": [_row(row, head=at == 0) for at, row in enumerate(block.rows)],
            }


def _text(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}] if text else []


def _paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": _text(text)}


def _item(kind: str, text: str, **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "attrs": attrs, "content": [_paragraph(text)]}


def _task(text: str) -> dict[str, Any]:
    return _item("task_item", text.removeprefix("[x] "), checked=text.startswith("[x] "))


def _row(cells: Iterable[str], *, head: bool) -> dict[str, Any]:
    kind = "table_header" if head else "table_cell"
    return {"type": "table_row", "content": [_item(kind, cell) for cell in cells]}


def show(demo: Demo, port: int, console: Console | None = None) -> None:
    """Prints where the demo is and how everybody in it logs in."""
    url = f"http://localhost:{port}"
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    school = ""
    for login in demo.logins:
        if login.school != school:
            school = login.school
            table.add_row("")
            table.add_row(f"[bold]{login.town}[/]", "", f"[dim]{school}[/]")
        secret = login.code or f"{login.email}  {login.password}"
        table.add_row(f"  {login.name}", login.role, f"[cyan]{secret}[/]")
    grid = Table.grid()
    grid.add_row(f"[bold]{demo.title}[/]")
    grid.add_row(
        f"Open [bold green]{url}[/] in two browsers (or one and a private window) and log in as two of them."
    )
    grid.add_row(table)
    (console or Console(width=max(100, Console().width))).print(
        Panel(grid, title="TwinSpace demo", subtitle="Ctrl-C ends it; nothing is lost", padding=(1, 2))
    )
