"""How one document keeps up with what other nodes commit to it.

Every entry of the log has a contiguous sequence number in its document. `head` is the sequence up to which
everything is in memory; whatever lies above it is either known to be missing or has come early:

    own commits ----+
    the bus --------+--> contiguous? --> taken in, shown to readers, head moves
    the log <-------- gap: pulled after a short while, since what is missing is usually under way

The bus may lose, double and reorder: nothing here trusts it for more than bytes that are in the log already.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing

from crdt.errors import CrdtError, LogUnavailable
from crdt.limits import STORED
from crdt.log import HistoryEntry, Log
from crdt.update import read_update
from rooms.bus.messages import Committed
from rooms.rights.access import in_logs

__all__ = ["Replication", "Take"]

logger = logging.getLogger(__name__)

PATIENCE = 0.02
"""Seconds for which a gap may fill by itself: two nodes' messages about their commits cross."""
MOST_EARLY = 256
"""Messages kept that came before their turn; what is beyond is pulled."""
PULLED_AT_ONCE = 100
"""Entries taken in before the loop gets a turn."""

Owners = Iterable[tuple[int, str]]
Take = Callable[[Sequence[bytes], Owners], None]
"""Puts committed updates of other nodes into the document and shows them. Raises CrdtError if it cannot."""


class Replication:
    """The head of one live document. All methods belong to the loop's thread."""

    def __init__(
        self,
        name: str,
        log: Log,
        take: Take,
        start_over: Callable[[str], None],
        caught_up: Callable[[int], None] = lambda edits: None,
    ) -> None:
        """start_over: throws the document in memory away and loads it again; told why. caught_up: hears how
        many entries had to be read from the log."""
        self.head = 0
        self.epoch = 0
        self._name = name
        self._log = log
        self._take = take
        self._start_over = start_over
        self._caught_up = caught_up
        self._active = False
        self._closed = False
        self._known = 0
        """The last sequence that is known to exist."""
        self._own: set[int] = set()
        """Sequences above the head that this node committed, so that they are in memory."""
        self._early: dict[int, Committed] = {}
        """Messages by their first sequence that came before what they follow."""
        self._waiting: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._pull: asyncio.Task[None] | None = None

    # The document's life

    def loaded(self, epoch: int, head: int) -> None:
        """The document was loaded; what came meanwhile follows."""
        self._active = True
        self.epoch, self.head = epoch, head
        self._own.clear()
        self._known = max([head, *(each.last for each in self._early.values() if each.epoch == epoch)])
        self._advance()

    def suspend(self) -> None:
        """The document is being loaded: what comes has to wait."""
        self._active = False
        self._stop()

    def close(self) -> None:
        self.suspend()
        self._closed = True
        self._early.clear()
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for moved in waiting:
            if not moved.done():
                moved.set_result(None)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pull is not None:
            self._pull.cancel()
            self._pull = None

    # What is heard

    def committed(self, sequences: Iterable[int]) -> None:
        """These entries are our own: they are in memory already."""
        for sequence in sequences:
            if sequence == self.head + 1:
                self.head = sequence
            elif sequence > self.head:
                self._own.add(sequence)
        if self._own or self._early or self._waiting:
            self._known = max([self._known, *self._own])
            self._advance()
        self._known = max(self._known, self.head)

    def heard(self, message: Committed) -> None:
        """Another node has committed these entries."""
        if self._active and self._is_old(message.epoch, message.last):
            return
        known = self._early.get(message.first)
        if known is None or len(known.updates) < len(message.updates) or known.epoch < message.epoch:
            if len(self._early) >= MOST_EARLY:
                del self._early[max(self._early)]
            self._early[message.first] = message
        self._known = max(self._known, message.last)
        if self._active:
            self._advance()

    def behind(self, epoch: int, last: int) -> None:
        """The document's log is known to have grown up to here."""
        if not self._active or self._is_old(epoch, last):
            return
        self._known = max(self._known, last)
        self._await_gap()

    async def reach(self, epoch: int, last: int) -> None:
        """Returns when the document holds what is in the log up to here, or is closed."""
        self.behind(epoch, last)
        while not self._closed and (not self._active or (epoch == self.epoch and self.head < last)):
            moved = asyncio.get_running_loop().create_future()
            self._waiting.append(moved)
            await moved

    def _is_old(self, epoch: int, last: int) -> bool:
        """Whether there is nothing new in it. A newer epoch begins the document anew."""
        if epoch > self.epoch:
            self._start_over(f"epoch {epoch} has begun")
            return True
        return epoch < self.epoch or last <= self.head

    # What is taken in

    def _advance(self) -> None:
        """Takes in whatever follows the head without a gap."""
        if not self._active:
            return
        updates: list[bytes] = []
        owners: list[tuple[int, str]] = []
        while True:
            if self.head + 1 in self._own:
                self.head += 1
                self._own.discard(self.head)
                continue
            message = self._next_early()
            if message is None:
                break
            offset = self.head + 1 - message.first
            for sequence, update in enumerate(message.updates[offset:], self.head + 1):
                if sequence not in self._own:
                    updates.append(update)
            owners += message.owners
            self.head = message.last
            self._own = {sequence for sequence in self._own if sequence > self.head}
        self._take_in(updates, owners)
        self._await_gap()

    def _next_early(self) -> Committed | None:
        for first, message in tuple(self._early.items()):
            if message.last <= self.head or message.epoch != self.epoch:
                del self._early[first]
            elif first <= self.head + 1:
                return self._early.pop(first)
        return None

    def _take_in(self, updates: Sequence[bytes], owners: Owners) -> None:
        if not updates:
            return
        try:
            self._take(updates, owners)
        except CrdtError as error:
            logger.error("cannot take in what the log holds of %s: %s", in_logs(self._name), error)
            self._start_over("an entry of the log does not fit what is in memory")

    # Gaps

    def _await_gap(self) -> None:
        self._wake()
        if self._active and self._known > self.head and self._timer is None and self._pull is None:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._begin_pull)

    def _begin_pull(self) -> None:
        self._timer = None
        if self._active and self._known > self.head:
            task = asyncio.get_running_loop().create_task(self._pull_gap(), name=f"pull {self._name}")
            self._pull = task
            task.add_done_callback(self._pulled)

    def _pulled(self, task: asyncio.Task[None]) -> None:
        if self._pull is task:
            self._pull = None
        if not task.cancelled() and task.exception() is not None:
            logger.error("pulling %s failed", in_logs(self._name), exc_info=task.exception())

    async def _pull_gap(self) -> None:
        """Reads what is missing from the log. When the log cannot be read, the next hint tries again."""
        batch: list[HistoryEntry] = []
        expected = self.head + 1
        try:
            async with aclosing(self._log.history(self._name, expected)) as entries:
                async for entry in entries:
                    if entry.seq != expected or entry.epoch != self.epoch:
                        self._start_over("its history does not reach back to what is in memory")
                        return
                    expected += 1
                    batch.append(entry)
                    if len(batch) == PULLED_AT_ONCE:
                        self._take_in_pulled(batch)
                        batch = []
                        await asyncio.sleep(0)
        except LogUnavailable as error:
            logger.warning("cannot catch up on %s now: %s", in_logs(self._name), error)
            return
        except CrdtError as error:
            logger.error("cannot catch up on %s: %s", in_logs(self._name), error)
            self._start_over("its history cannot be read")
            return
        self._take_in_pulled(batch)
        if not self._active:
            return
        self._known = max([self.head, *self._own, *(each.last for each in self._early.values())])
        self._pull = None
        self._advance()

    def _take_in_pulled(self, batch: Sequence[HistoryEntry]) -> None:
        missing = [entry for entry in batch if entry.seq > self.head]  # some may have come over the bus
        if not missing:
            return
        fresh = [entry for entry in missing if entry.seq not in self._own]
        self.head = missing[-1].seq
        self._own = {sequence for sequence in self._own if sequence > self.head}
        self._caught_up(len(fresh))
        self._take_in([entry.update for entry in fresh], _owners_of(fresh))


def _owners_of(entries: Iterable[HistoryEntry]) -> Owners:
    """Whose the client ids are that these entries write under: the first to write owns."""
    for entry in entries:
        for written in read_update(entry.update, STORED).writes:
            yield written.client, entry.subject
