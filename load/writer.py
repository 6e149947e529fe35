"""A replayed writer's side: the page it types into, and how its edits leave."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from pycrdt import Doc, Text, TransactionEvent, merge_updates

from crdt.update import EMPTY_UPDATE, UpdateSummary, read_update

from .client import Client
from .replica import Edit
from .trace import Patch

__all__ = ["ROOT", "Made", "Outlet", "Pace", "Page"]

ROOT = "text"
"""The document's root type that holds the text."""


@dataclass(frozen=True, slots=True)
class Made:
    """A transaction that has been typed."""

    update: bytes
    summary: UpdateSummary
    at: float
    """When, in seconds of time.perf_counter."""


class Page:
    """The document as its writer sees it while typing.

    It holds what the recording says that the writer knew, and not yet what the client has received besides.
    """

    def __init__(self, client_id: int, *, is_ascii: bool) -> None:
        self._doc: Doc[Text] = Doc(client_id=client_id)
        self._text = self._doc.get(ROOT, type=Text)
        self._is_ascii = is_ascii
        self._update = EMPTY_UPDATE
        self._subscription = self._doc.observe(self._changed)

    def close(self) -> None:
        self._doc.unobserve(self._subscription)

    def __str__(self) -> str:
        return str(self._text)

    def _changed(self, event: TransactionEvent) -> None:
        self._update = event.update

    def take(self, made: Made) -> None:
        """Another writer's transaction becomes known."""
        self._doc.apply_update(made.update)

    def type(self, patches: tuple[Patch, ...]) -> Made:
        """Makes the patches in one transaction."""
        self._update = EMPTY_UPDATE
        with self._doc.transaction():
            for patch in patches:
                start = self._offset(patch.position)
                if patch.deleted:
                    del self._text[start : self._offset(patch.position + patch.deleted)]
                if patch.inserted:
                    self._text.insert(start, patch.inserted)
        return Made(self._update, read_update(self._update), time.perf_counter())

    def _offset(self, position: int) -> int:
        """The engine counts bytes of UTF-8, the recording code points."""
        return position if self._is_ascii else len(str(self._text)[:position].encode())


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one client sends.

    What it types meanwhile goes out merged into one message, as stock clients do that send at intervals; each
    edit is acknowledged and measured by itself.
    """

    interval: float = 0.005
    """Seconds between two messages, at least. Ours takes 500 messages a second from one sender for long."""
    window: int = 16
    """Messages ahead of the acknowledgement of the first of them."""
    batch: int = 50
    """Edits in one message; beyond, typing waits."""


class Outlet:
    """Sends one writer's edits through its client.

    on_settled: hears of edits and when they were acknowledged; None: they were refused.
    """

    def __init__(
        self, client: Client, pace: Pace, on_settled: Callable[[list[Made], float | None], None]
    ) -> None:
        self.messages = 0
        """Messages sent so far."""
        self._client, self._pace, self._on_settled = client, pace, on_settled
        self._held: list[Made] = []
        self._in_flight: dict[int, list[Made]] = {}
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None
        client.replica.on_settled = self._settled

    @property
    def full(self) -> bool:
        return len(self._held) >= self._pace.batch

    @property
    def empty(self) -> bool:
        return not self._held and not self._in_flight

    async def send(self, made: Made) -> None:
        """Takes an edit; returns when the next may be typed."""
        self._held.append(made)
        self._send()
        if self.full:
            await self._client.until(lambda: not self.full)

    async def settled(self) -> None:
        """Waits until every edit is acknowledged or refused."""
        await self._client.until(lambda: self.empty)

    def _send(self) -> None:
        if not self._held or self._timer is not None or len(self._in_flight) >= self._pace.window:
            return
        now = time.perf_counter()
        if now < self._next:
            self._timer = asyncio.get_running_loop().call_later(self._next - now, self._time_has_come)
            return
        self._next = now + self._pace.interval
        made, self._held = self._held, []
        update = made[0].update if len(made) == 1 else merge_updates(*(each.update for each in made))
        edit = self._client.replica.apply(update)
        assert edit is not None
        self._in_flight[edit.number] = made
        self.messages += 1
        self._client.flush()

    def _time_has_come(self) -> None:
        self._timer = None
        self._send()
        self._client.wake()

    def _settled(self, edit: Edit) -> None:
        self._on_settled(self._in_flight.pop(edit.number), edit.acknowledged)
        self._send()
        self._client.wake()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
