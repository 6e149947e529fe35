"""The one thread that writes: group commit, and what happens when a commit fails.

    writing --error--> failed --(every second: reopen, settle, checkpoint, durable probe)--> writing
                         `--corrupt--> failed until restart

* Whatever is queued when the thread comes round goes into one transaction. While several write at once that
  is every few milliseconds; who writes alone waits for nobody.
* After an error every queued item fails at once and new ones are refused, until the loop has heard of both
  the failure and the recovery. So nothing is stored behind a gap that its writer was not told about.
* A failed COMMIT is in doubt until a fresh connection has read the store's turn counter. If it did not happen
  its appends fail; if it did, they resolve once a full checkpoint has made it durable. Nobody guesses.
* After a failed fsync the kernel may call unwritten pages clean, so a later fsync proves nothing about them.
  The connection is dropped and the write-ahead log is checkpointed anew, page by page, before success counts.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

from crdt.errors import LogError
from crdt.log import Entry
from crdt.log.sqlite.faults import classify, unavailable
from crdt.log.sqlite.schema import Connect, migrate
from crdt.log.sqlite.transactions import append_group
from crdt.log.store import Tail

__all__ = ["Append", "Listener", "Result", "Work", "Writer"]

GROUP_BYTES = 256 * 1024
GROUP_ENTRIES = 1024
GROUP_SECONDS = 0.0035
"""Between the beginnings of two groups while several write at once: a transaction costs about the same
whatever is in it, and so does sending a reader what came of it."""
PROBE_SECONDS = 1.0
_CHECKPOINT_PAGES = 1000
_CHECKPOINT_PAGES_BUSY = 4000
_PAGE_BYTES = 4096

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Append:
    """One entry waiting for its commit."""

    entry: Entry
    future: asyncio.Future[int]
    is_entry: ClassVar = True

    @property
    def size(self) -> int:
        return len(self.entry.update)


@dataclass(slots=True)
class Work:
    """Anything else that has to be written, in a transaction of its own."""

    run: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    size: int = 0
    """About how many bytes it writes."""
    is_entry: ClassVar = False


_Item = Append | Work
Result = tuple[list[Any], list[Tail]]
"""The outcome of each item (a LogError is a refusal of that item alone), and the tails that grew."""


class Listener(Protocol):
    """Who is told; every method is called on the loop's thread, in the order things happened."""

    def committed(self, items: Sequence[_Item], result: Result, seconds: float) -> None: ...
    def failed(self, items: Sequence[_Item], code: str) -> None: ...
    def recovered(self) -> None: ...


@dataclass(slots=True)
class _Doubt:
    items: Sequence[_Item]
    result: Result
    turn: int
    """What the store's turn is if the commit happened."""


class _CommitFailed(Exception):
    """COMMIT raised: whether the transaction happened is to be found out."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


class Writer:
    """Owns the writing connection. `put` and `stop` are for the loop's thread."""

    def __init__(
        self, path: Path, connect: Connect, loop: asyncio.AbstractEventLoop, listener: Listener
    ) -> None:
        self._path = path
        self._connect = connect
        self._loop = loop
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="twinspace-log-writer", daemon=True)
        self._condition = threading.Condition()
        self._queue: deque[_Item] = deque()
        self._stopping = False
        self._code: str | None = None
        """Why appends are refused now. Set with the queue's lock by the thread, cleared on the loop."""
        self._doubt: _Doubt | None = None
        self._turn = 0
        self._files: tuple[object, ...] = ()
        self._dirty_pages = 0
        self._began = 0.0
        """When the last group was taken."""
        self._several = False
        """Whether it held more than one."""
        self._stopped = loop.create_future()

    # The loop's side

    def open(self) -> None:
        """Open, upgrade and probe the file. Blocks; raises sqlite3.Error or LogError."""
        self._connection = self._connect(self._path)
        try:
            migrate(self._connection)
            self._turn = self._read_turn()
            self._transact(partial(_fill, size=0))
            self._files = self._identities()
        except BaseException:
            self._connection.close()
            raise

    def discard(self) -> None:
        """Close what was opened, without having started."""
        self._connection.close()

    def start(self) -> None:
        self._thread.start()

    def put(self, item: _Item) -> str | None:
        """Queue the item. Returns the code of the reason when it is refused."""
        with self._condition:
            if self._stopping:
                return "closed"
            if self._code is not None:
                return self._code
            self._queue.append(item)
            self._condition.notify()
        return None

    @property
    def in_doubt(self) -> bool:
        """Whether the store may show a commit that is not known to be durable."""
        return self._doubt is not None

    async def stop(self) -> None:
        """Commit what is queued, then end the thread."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        await self._stopped
        self._thread.join()

    # The thread's side

    def _run(self) -> None:
        try:
            while True:
                if self._code is None:
                    items = self._take()
                    if not items:
                        break
                    self._write(items)
                elif self._wait_for_stop(PROBE_SECONDS):
                    break
                else:
                    self._recover()
        finally:
            self._end()

    def _take(self) -> list[_Item]:
        """The next group: appends that were queued together, or one piece of work. Empty: stop."""
        with self._condition:
            while not self._queue:
                if self._stopping:
                    return []
                self._condition.wait()
            several = not self._stopping and (self._several or len(self._queue) > 1)
        pause = self._began + GROUP_SECONDS - time.perf_counter()
        if several and pause > 0:
            time.sleep(pause)
        with self._condition:
            queue = self._queue
            items = [queue.popleft()]
            if isinstance(items[0], Append):
                size = items[0].size
                while queue and len(items) < GROUP_ENTRIES:
                    item = queue[0]
                    if not isinstance(item, Append):
                        break
                    size += item.size
                    if size > GROUP_BYTES:
                        break
                    items.append(queue.popleft())
        self._began = time.perf_counter()
        self._several = len(items) > 1
        return items

    def _wait_for_stop(self, seconds: float) -> bool:
        with self._condition:
            return self._condition.wait_for(lambda: self._stopping, seconds)

    def _write(self, items: Sequence[_Item]) -> None:
        began = time.perf_counter()
        try:
            result = self._transact(partial(_apply, items=items))
        except LogError as refusal:
            self._tell(self._listener.committed, items, ([refusal], []), time.perf_counter() - began)
        except _CommitFailed as error:
            self._fail(error.__cause__ or error, [], _Doubt(items, error.result, self._turn + 1))
        except Exception as error:
            self._fail(error, items, None)
        else:
            self._tell(self._listener.committed, items, result, time.perf_counter() - began)
            self._checkpoint_when_due(items, result)

    def _transact(self, run: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = run(connection)
            connection.execute("UPDATE store SET turn = turn + 1")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        try:
            connection.execute("COMMIT")
            if self._files and self._identities() != self._files:
                raise unavailable("moved")
        except (sqlite3.Error, OSError, LogError) as error:
            raise _CommitFailed(result) from error
        self._turn += 1
        return result

    def _probe(self) -> None:
        """Write as much as a full group takes, durably, and take it back."""
        self._transact(partial(_fill, size=GROUP_BYTES))
        self._transact(partial(_fill, size=0))

    def _checkpoint_when_due(self, items: Sequence[_Item], result: Result) -> None:
        size = sum(item.size for item in items)
        self._dirty_pages += 2 + len(result[1]) + size // _PAGE_BYTES
        if self._dirty_pages < (_CHECKPOINT_PAGES_BUSY if self._queue else _CHECKPOINT_PAGES):
            return
        self._dirty_pages = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except Exception as error:
            self._fail(error, [], None)

    def _fail(self, error: BaseException, items: Sequence[_Item], doubt: _Doubt | None) -> None:
        code = classify(error, self._path.parent)
        _logger.error("The log cannot be written (%s): %s", code, error, exc_info=error)
        with self._condition:
            self._code = code
            self._doubt = doubt
            items = [*items, *self._queue]
            self._queue.clear()
        self._tell(self._listener.failed, items, code)
        with contextlib.suppress(Exception):  # the probe will meet it again, and tell
            self._settle()

    def _recover(self) -> None:
        """Try to write durably again; stay failed if that does not work."""
        assert self._code is not None
        if self._code == "corrupt":
            return
        try:
            self._settle()
            checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
            _, frames, copied = self._connection.execute(checkpoint).fetchone()
            doubt, self._doubt = self._doubt, None
            if doubt is not None:
                if frames != copied:
                    self._doubt = doubt
                    return
                self._tell(self._listener.committed, doubt.items, doubt.result, 0.0)
            self._probe()
        except Exception as error:
            cause = error.__cause__ if isinstance(error, _CommitFailed) else error
            code = classify(cause or error, self._path.parent)
            if code != self._code:
                self._code = code
                self._tell(self._listener.failed, [], code)
            return
        self._dirty_pages = 0
        _logger.warning("The log can be written again.")
        self._tell(self._reopen_for_business)
        with self._condition:
            # The queue opens on the loop, after everybody there has heard of the failure.
            self._condition.wait_for(lambda: self._code is None or self._stopping)

    def _reopen_for_business(self) -> None:
        with self._condition:
            self._code = None
            self._condition.notify()
        self._listener.recovered()

    def _settle(self) -> None:
        """Drop the connection that failed, and ask a fresh one whether the commit in doubt happened.

        The reader's connection stays open meanwhile: while one is, SQLite never replays the write-ahead log,
        where the frames of a failed commit may still lie until the next commit overwrites them.
        """
        if self._identities() != self._files:
            raise unavailable("moved")
        old = self._connection
        with contextlib.suppress(sqlite3.Error):
            old.execute("ROLLBACK")
        self._connection = self._connect(self._path)
        with contextlib.suppress(sqlite3.Error):
            old.close()
        turn = self._read_turn()
        if self._doubt is not None and turn < self._doubt.turn:
            doubt, self._doubt = self._doubt, None
            assert self._code is not None
            self._tell(self._listener.failed, doubt.items, self._code)
        self._turn = turn

    def _end(self) -> None:
        with self._condition:
            self._stopping = True
            items = [*(self._doubt.items if self._doubt else ()), *self._queue]
            self._queue.clear()
        if items:
            self._tell(self._listener.failed, items, self._code or "internal")
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._tell(self._stopped.set_result, None)

    def _read_turn(self) -> int:
        return int(self._connection.execute("SELECT turn FROM store").fetchone()[0])

    def _identities(self) -> tuple[object, ...]:
        """Which files are at our paths. One that was moved away must not take writes nobody will find."""
        found: list[object] = []
        for path in (self._path, f"{self._path}-wal"):
            try:
                status = os.stat(path)
                found.append((status.st_dev, status.st_ino))
            except FileNotFoundError:
                found.append(None)
        return tuple(found)

    def _tell(self, method: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(method, *arguments)


def _fill(connection: sqlite3.Connection, size: int) -> Result:
    connection.execute("UPDATE store SET room = zeroblob(?)", (size,))
    return [], []


def _apply(connection: sqlite3.Connection, items: Sequence[_Item]) -> Result:
    if len(items) == 1 and isinstance(items[0], Work):
        return [items[0].run(connection)], []
    return append_group(connection, [item.entry for item in items if isinstance(item, Append)])
