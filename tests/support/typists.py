"""Writers for log tests: real engine documents that hand out one raw update per edit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from pycrdt import Doc, Text

from crdt.document import Document
from crdt.log import Entry, Stored

__all__ = ["Typist", "soon", "text_of"]


class Typist:
    """Types into the text `t` under a client id of its own; each call returns the raw update."""

    def __init__(self, client: int) -> None:
        self.client = client
        self._doc: Doc = Doc(client_id=client)
        self._text = self._doc.get("t", type=Text)
        self._made: list[bytes] = []
        self._subscription = self._doc.observe(lambda event: self._made.append(event.update))

    def type(self, words: str) -> bytes:
        self._text += words
        return self._made.pop()

    def erase(self, start: int, end: int) -> bytes:
        del self._text[start:end]
        return self._made.pop()

    @property
    def text(self) -> str:
        return str(self._text)

    def entry(self, document: str, update: bytes, *, first: bool = False, at: float | None = None) -> Entry:
        clients = (self.client,) if first else ()
        subject = f"membership:{self.client}"
        return Entry(document, 1, update, subject, clients, time.time() if at is None else at)

    def entries(self, document: str, words: Iterable[str]) -> list[Entry]:
        return [self.entry(document, self.type(word), first=not i) for i, word in enumerate(words)]


def text_of(stored: Stored) -> str:
    """What a reader sees of a stored document."""
    document = Document()
    for update in (*([stored.snapshot] if stored.snapshot else []), *stored.tail):
        document.load(update)
    reader: Doc = Doc()
    for update in document.diff(None)[:1]:
        reader.apply_update(update)
    document.close()
    return str(reader.get("t", type=Text))


async def soon(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits until something becomes true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
