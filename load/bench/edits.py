"""Edits made beforehand: somebody types one letter after the other at the end of a text."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable

from pycrdt import Doc, Text, get_state

from crdt.codec import var_bytes, var_uint
from crdt.update import read_state_vector

from .lines import Hub, Line, Span

__all__ = ["ROOT", "Joining", "Tally", "Typing", "Watching", "Writing", "texts_of"]

ROOT = "text"
LETTERS = b"twinspace "


def texts_of(update: bytes, roots: Iterable[str]) -> dict[str, str]:
    """The texts of a document that is this update, by the names of their roots."""
    doc: Doc[Text] = Doc()
    doc.apply_update(update)
    return {root: str(doc.get(root, type=Text)) for root in roots}


class Typing:
    """The edits of one client id: clock n inserts letter n behind letter n-1.

    Each has a text of its own, so that what a document has to say in the end is known.
    """

    def __init__(self, root: str = ROOT) -> None:
        self.root = root
        self.client = secrets.randbits(31) | 1 << 28  # five bytes, as most are
        self._client = var_uint(self.client)
        self.sent: list[float] = []
        """When, by clock."""

    @property
    def count(self) -> int:
        return len(self.sent)

    @property
    def text(self) -> str:
        letters = LETTERS.decode()
        return (letters * (self.count // len(letters) + 1))[: self.count]

    def next(self, hub: Hub, at: float) -> bytes:
        """The next edit as an update, noted as sent at a time."""
        clock = len(self.sent)
        self.sent.append(at)
        if clock:
            place = b"\x84" + self._client + var_uint(clock - 1)
        else:
            place = b"\x04\x01" + var_bytes(self.root.encode())
        letter = LETTERS[clock % len(LETTERS)]
        update = b"\x01\x01" + self._client + var_uint(clock) + place + bytes((1, letter, 0))
        hub.remember(update, ((self.client, clock, clock + 1),))
        return update


class Tally:
    """What has arrived so far, and how long it took."""

    def __init__(self) -> None:
        self.writers: dict[int, Typing] = {}
        self.delivered = 0
        """Edits, each counted at each reader."""
        self.latencies: list[float] = []
        """Seconds, of the oldest edit in each piece that a reader got."""
        self.acknowledged: list[float] = []
        """Seconds until the server said of an edit that it has it."""


class Watching(Line):
    """A reader: has edits without a gap, from the first on."""

    __slots__ = ("have", "tally")

    def __init__(self, hub: Hub, document: str, subject: str, tally: Tally) -> None:
        self.have: dict[int, int] = {}
        self.tally = tally
        super().__init__(hub, document, subject)

    def heard(self, spans: tuple[Span, ...], now: float) -> None:
        tally, mine = self.tally, self.have
        for client, start, end in spans:
            have = mine.get(client, 0)
            if start > have:
                self.hub.faults.append(f"edits {have} to {start} did not come in order")
            if end > have:
                mine[client] = end
                tally.delivered += end - have
                tally.latencies.append(now - tally.writers[client].sent[have])


class Joining(Watching):
    """A reader who comes later: has what it is given, and from there on edits without a gap."""

    __slots__ = ("_caught_up", "_early")

    def __init__(self, hub: Hub, document: str, subject: str, tally: Tally) -> None:
        self._caught_up = False
        self._early: list[Span] = []
        super().__init__(hub, document, subject, tally)

    def heard(self, spans: tuple[Span, ...], now: float) -> None:
        self.catch_up(now)
        if self._caught_up:
            super().heard(self._known(spans), now)
        else:
            self._early += spans

    def catch_up(self, now: float) -> None:
        """Takes in what it was given, once that has come."""
        if self._caught_up or not self.synced:
            return
        self._caught_up = True
        given = read_state_vector(get_state(self.state))
        for client, _, end in self._known((client, 0, clock) for client, clock in given.items()):
            self.have[client] = end
        super().heard(self._known(self._early), now)

    def _known(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """Those of writers who are watched here."""
        return tuple(span for span in spans if span[0] in self.tally.writers)


class Writing(Line):
    """A writer: types, and hears that its edits were taken."""

    __slots__ = ("settled", "tally", "typing")

    def __init__(self, hub: Hub, document: str, subject: str, tally: Tally, root: str = ROOT) -> None:
        self.tally = tally
        self.typing = Typing(root)
        self.settled = 0
        """Edits that the server has acknowledged: by a status, or by its echo."""
        tally.writers[self.typing.client] = self.typing
        super().__init__(hub, document, subject)

    def type(self, count: int = 1, at: float | None = None) -> None:
        """Sends so many edits in one write; `at`: when they were due, if not now."""
        at = time.perf_counter() if at is None else at
        typing, hub = self.typing, self.hub
        self.write(b"".join([self.send_update(typing.next(hub, at)) for _ in range(count)]))

    def status(self, now: float) -> None:
        self._settled(self.settled + 1, now)

    def heard(self, spans: tuple[Span, ...], now: float) -> None:
        if not self.prefix:
            for client, _, end in spans:
                if client == self.typing.client:
                    self._settled(end, now)

    def _settled(self, through: int, now: float) -> None:
        sent, acknowledged = self.typing.sent, self.tally.acknowledged
        for clock in range(self.settled, min(through, len(sent))):
            acknowledged.append(now - sent[clock])
        self.settled = max(self.settled, through)
