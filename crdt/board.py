"""How a board reads: its columns by their places, and below each of them its cards by theirs.

A board is a page of which the direct children are columns and cards (ADR 15). A column is known by its `id`,
which its cards name as their `column`. Where two have one id, the first has the cards. A card of no known
column stands before all columns, and before that whatever else there is. A missing place is before all
others; what has the same place stands as it does in the document. Nothing is left out or shown twice.
"""

from __future__ import annotations

from itertools import chain

from crdt.nodes import Node

__all__ = ["arranged"]


def arranged(root: Node) -> Node:
    """A document with its columns and cards in order; one that has none stays as it is."""
    columns = sorted((node for node in root.content if node.type == "column"), key=_place)
    cards = sorted((node for node in root.content if node.type == "card"), key=_place)
    others = [node for node in root.content if node.type not in ("column", "card")]
    parts = [[column] for column in columns]
    known = {part[0].attrs["id"]: part for part in reversed(parts) if "id" in part[0].attrs}
    for card in cards:
        known.get(card.attrs.get("column"), others).append(card)
    return Node(root.type, content=[*others, *chain.from_iterable(parts)])


def _place(node: Node) -> str:
    return str(node.attrs.get("place", ""))
