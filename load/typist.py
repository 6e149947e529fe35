"""Somebody who types: writes tags into a document, and erases some of their own."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable

from pycrdt import Array, Map, Text

from .client import Client
from .ledger import ARRAY, MAP, TEXT, Act, Ledger, tags_in
from .replica import Edit

__all__ = ["Typist"]

LIVE_TAGS = 25
"""Tags a typist keeps in its document before it begins to erase rather than write."""
UNSENT_EDITS = 300
"""Edits a typist makes without the server before it waits for it."""


class Typist:
    """Enters in the ledger what it tries, what the server acknowledges, and what it is shown of others.

    rate: edits per second.
    """

    def __init__(self, name: str, client: Client, ledger: Ledger, rng: random.Random, rate: float) -> None:
        self.name, self.client, self.ledger = name, client, ledger
        self.refused = 0
        self.on_acknowledged: Callable[[Edit], None] = lambda _: None
        """Hears of each edit that the server says it has."""
        self._rng, self._rate = rng, rate
        self._made = 0
        self._live: list[str] = []
        self._acts: dict[int, tuple[Act, str]] = {}
        self._seen: set[str] = set()
        client.replica.on_settled = self._settled

    async def type(self) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(self._rate))
            if len(self.client.replica.unacknowledged) < UNSENT_EDITS:
                self.edit()

    def edit(self) -> None:
        rng = self._rng
        if self._live and (len(self._live) >= LIVE_TAGS or rng.random() < 0.25):
            tag = self._live.pop(rng.randrange(len(self._live)))
            act, change = Act.ERASE, self._erase
        else:
            self._made += 1
            tag = f"{rng.choice((TEXT, ARRAY, MAP))}.{self.name}.{self._made}"
            self._live.append(tag)
            act, change = Act.WRITE, self._write
        self.ledger.tried(act, tag)
        before = self.client.replica.edits
        change(tag.partition(".")[0], tag)
        if self.client.replica.edits == before:
            return  # nothing to erase: the read-back will say that it was lost
        edit = self.client.replica.last_edit
        assert edit is not None
        self._acts[edit.number] = act, tag

    def _write(self, root: str, tag: str) -> None:
        doc, rng = self.client.doc, self._rng
        if root == TEXT:
            text = doc.get(TEXT, type=Text)
            gaps = [0, *(match.end() for match in re.finditer(r"\]", str(text)))]
            text.insert(rng.choice(gaps), f"[{tag}]")
        elif root == ARRAY:
            array = doc.get(ARRAY, type=Array)
            array.insert(rng.randint(0, len(array)), tag)
        else:
            doc.get(MAP, type=Map)[tag] = True

    def _erase(self, root: str, tag: str) -> None:
        doc = self.client.doc
        if root == TEXT:
            text = doc.get(TEXT, type=Text)
            start = str(text).find(f"[{tag}]")
            if start >= 0:
                del text[start : start + len(tag) + 2]
        elif root == ARRAY:
            array = doc.get(ARRAY, type=Array)
            items = list(array)
            if tag in items:
                del array[items.index(tag)]
        else:
            entries = doc.get(MAP, type=Map)
            if tag in entries:
                del entries[tag]

    def _settled(self, edit: Edit) -> None:
        act, tag = self._acts.pop(edit.number)
        if edit.acknowledged is None:
            self.refused += 1
        else:
            self.ledger.acknowledge(act, tag)
            self.on_acknowledged(edit)

    def look(self) -> None:
        """Enters in the ledger what this client has been shown of the others' doing."""
        others = {tag for tag in tags_in(self.client.doc) if f".{self.name}." not in tag}
        self.ledger.show(Act.WRITE, others)
        self.ledger.show(Act.ERASE, self._seen - others)
        self._seen |= others
