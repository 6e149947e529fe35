"""The one task of a node that writes: group commit, and what happens when a call fails.

    writing --error--> failed --(at once, then every second: reconnect, settle, probe)--> writing

* Whatever is queued when a call returns goes into the next one; nobody waits for company.
* After an error everything queued fails at once and new items are refused until a probe was written. So
  nothing is stored behind a gap that its writer was not told about.
* After an error the call itself is in doubt, unless the error can only have come before the commit. Each
  call has a number, and the node's row in `log.writers` says which was the last to take effect. Settling
  reads that row on a new connection and puts up a fence in it: a call that did not happen cannot happen any
  more, however long its bytes lie in a dead connection. Until then its futures wait. Nobody guesses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from crdt.log.postgres.calls import (
    Append,
    Call,
    Delete,
    DeleteCall,
    GroupCall,
    Item,
    PlainCall,
    Result,
    is_plain,
)
from crdt.log.postgres.connections import Connection, Connections, hurry, verify
from crdt.log.postgres.faults import Deaf, classify, is_undone, may_be_tried_again, unavailable
from crdt.log.postgres.schema import MOVING

__all__ = ["Listener", "Writer"]

GROUP_BYTES = 256 * 1024
GROUP_ENTRIES = 1024
PROBE_SECONDS = 1.0
IDLE_SECONDS = 5.0
"""How often an idle writer looks whether the database is still there."""

_PROBE_ROWS = GROUP_BYTES // 1900
_TOUCH_SECONDS = 3600.0
_TRIES = 5
_PAUSE_SECONDS = 0.02
"""Before the second try; each later one waits twice as long."""
_KNOWN_MAX = 100_000
_SETTLE = "CALL log.settle($1, $2, NULL, NULL, NULL)"

_logger = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told, in the order things happened."""

    def committed(self, items: Sequence[Item], result: Result, seconds: float) -> None: ...
    def failed(self, items: Sequence[Item], code: str) -> None: ...
    def recovered(self) -> None: ...


@dataclass(slots=True)
class _Doubt:
    call: Call
    number: int


class Writer:
    """Owns the writing connection. All methods are for the loop's thread."""

    def __init__(self, connections: Connections, listener: Listener) -> None:
        self.id = secrets.randbelow(2**62) + 1
        """Of this writer's row. A new one each time, so that nobody takes over another's doubts."""
        self.doubts = 0
        """How many calls have been in doubt so far."""
        self._connections = connections
        self._listener = listener
        self._queue: deque[Item] = deque()
        self._wake = asyncio.Event()
        self._stopping = False
        self._must_look = False
        self._code: str | None = None
        """Why items are refused now."""
        self._doubt: _Doubt | None = None
        self._number = 0
        self._known: set[str] = set()
        self._connection: Connection | None = None
        self._statements: dict[str, Any] = {}
        self._warning: str | None = None
        self._touched = 0.0
        self._idle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and write a first row. Raises LogUnavailable, asyncpg's errors, OSError."""
        await self._settle()
        try:
            await self._probe()
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Hang up, without having started."""
        self._hang_up()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="log writer")

    def put(self, item: Item) -> str | None:
        """Queue the item. Returns the code of the reason when it is refused."""
        if self._stopping:
            return "closed"
        if self._code is not None:
            return self._code
        self._queue.append(item)
        self._wake.set()
        return None

    @property
    def in_doubt(self) -> bool:
        """Whether a call may have happened, or may yet, that its writers were not told of."""
        return self._doubt is not None

    async def stop(self) -> None:
        """Commit what is queued, then end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            self._look_later()
            while True:
                if self._code is not None:
                    if await self._stops_within(PROBE_SECONDS):
                        break
                    await self._recover()
                elif self._queue:
                    await self._write(self._take())
                elif self._stopping:
                    break
                elif self._must_look:
                    await self._look()
                else:
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            await self._end()

    def _take(self) -> Call:
        """The next group: appends that were queued together, or one deletion."""
        queue = self._queue
        first = queue.popleft()
        if isinstance(first, Delete):
            self._known.discard(first.document)
            return DeleteCall(first)
        group = [first]
        size = first.size
        while queue and len(group) < GROUP_ENTRIES:
            item = queue[0]
            size += item.size
            if not isinstance(item, Append) or size > GROUP_BYTES:
                break
            group.append(item)
            queue.popleft()
        return (
            PlainCall(group, self._known) if is_plain(group, self._known) else GroupCall(group, self._known)
        )

    async def _write(self, call: Call) -> None:
        began = time.perf_counter()
        self._number += 1
        # In doubt until answered, should this task be ended meanwhile.
        doubt = _Doubt(call, self._number)
        try:
            answer = await self._send(call)
            if isinstance(call, PlainCall) and answer["heads"] is None:
                call = doubt.call = call.whole()
                answer = await self._send(call)
            result = call.result(**answer)
        except asyncio.CancelledError:
            self._doubt = doubt
            raise
        except Exception as error:
            if is_undone(error):
                self._fail(error, None, call.items)
            else:
                self._fail(error, doubt)
            await self._recover()
            return
        self._remember(call)
        self._listener.committed(call.items, result, time.perf_counter() - began)

    async def _send(self, call: Call) -> dict[str, Any]:
        arguments = call.arguments()
        for tries in range(_TRIES):
            if tries:
                # Whoever waits for our locks has to be quicker than we are, or the two of us meet again.
                await asyncio.sleep(_PAUSE_SECONDS * 2 ** (tries - 1))
            try:
                row = await self._answer(call.statement, self.id, self._number, *arguments)
                return {name.removeprefix("_"): value for name, value in row.items()}
            except asyncpg.PostgresError as error:
                # The transaction is undone, and if it were not, the same number could not happen twice.
                if not may_be_tried_again(error) or tries == _TRIES - 1:
                    raise
        raise AssertionError("The last try returns or raises.")

    async def _answer(self, statement: str, *arguments: Any) -> Any:
        """The row that a procedure answers, if it can be relied on."""
        connection = self._connection
        if connection is None:
            raise Deaf("There is no connection.")
        self._warning = None
        with hurry(connection, self._connections.patience):
            prepared = self._statements.get(statement)
            if prepared is None:
                prepared = self._statements[statement] = await connection.prepare(statement)
            rows = await prepared.fetch(*arguments)
        if self._warning is not None:
            # Not least: that a commit is not on the standby that it had to wait for.
            raise Deaf(self._warning)
        return rows[0] if rows else None

    def _remember(self, call: Call) -> None:
        if len(self._known) > _KNOWN_MAX:
            self._known.clear()
        self._known.update(item.entry.document for item in call.items if isinstance(item, Append))

    def _fail(self, error: BaseException, doubt: _Doubt | None, items: Sequence[Item] = ()) -> None:
        code = classify(error)
        _logger.error("The log cannot be written (%s): %s", code, error, exc_info=error)
        self._code = code
        self._doubt = doubt
        self.doubts += doubt is not None
        self._hang_up()
        items = [*items, *self._queue]
        self._queue.clear()
        self._listener.failed(items, code)

    async def _recover(self) -> None:
        """Try to settle and to write again; stay failed if that does not work."""
        try:
            if self._connection is None or self._doubt is not None:
                await self._settle()
            await self._probe()
        except Exception as error:
            self._hang_up()
            code = classify(error)
            if code != self._code:
                _logger.error("The log still cannot be written (%s): %s", code, error)
                self._code = code
                self._listener.failed([], code)
            return
        _logger.warning("The log can be written again.")
        self._code = None
        self._listener.recovered()

    async def _settle(self) -> None:
        """Ask on a new connection whether the call in doubt happened, and that it does not happen later."""
        self._hang_up()
        connection = await self._connections.open()
        self._connection = connection
        self._must_look = False
        connection.add_termination_listener(self._lost)
        connection.add_log_listener(self._warned)
        try:
            (is_served,) = await self._answer("SELECT pg_try_advisory_lock_shared($1)", MOVING)
            if not is_served:
                raise unavailable("moving")
            turn, heads, refused = await self._answer(_SETTLE, self.id, self._number)
        except BaseException:
            self._hang_up()
            raise
        self._touched = time.monotonic()
        doubt = self._doubt
        if doubt is None:
            return
        result = doubt.call.result(heads, refused) if turn == doubt.number else None
        self._doubt = None
        if result is not None:
            self._listener.committed(doubt.call.items, result, 0.0)
        else:
            self._listener.failed(doubt.call.items, self._code or "closed")

    async def _probe(self) -> None:
        """Write as much as a full group takes, durably, and take it back."""
        await self._answer("CALL log.probe($1, $2)", self.id, _PROBE_ROWS)

    async def _look(self) -> None:
        """Whether an idle connection is one still."""
        self._must_look = False
        connection = self._connection
        assert connection is not None
        try:
            with hurry(connection, self._connections.patience):
                await verify(connection)
            if time.monotonic() - self._touched > _TOUCH_SECONDS:
                await self._answer(_SETTLE, self.id, 0)
                self._touched = time.monotonic()
        except Exception as error:
            self._fail(error, None)
            await self._recover()

    def _look_later(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._look_soon)

    def _look_soon(self) -> None:
        self._look_later()
        self._must_look = True
        self._wake.set()

    def _lost(self, connection: object) -> None:
        if connection is self._connection:
            self._must_look = True
            self._wake.set()

    def _warned(self, connection: object, message: object) -> None:
        if connection is self._connection:
            self._warning = str(message)

    async def _stops_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._stopping and (left := deadline - time.monotonic()) > 0:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._wake.wait()
        return self._stopping

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        self._statements = {}
        self._known.clear()
        if connection is not None:
            connection.terminate()

    async def _end(self) -> None:
        was_told, self._stopping = self._stopping, True
        if self._idle is not None:
            self._idle.cancel()
        try:
            if self._doubt is not None:
                with contextlib.suppress(Exception):
                    await self._settle()
            if self._connection is not None:
                with contextlib.suppress(Exception):
                    await self._answer("CALL log.leave($1)", self.id)
                    with hurry(self._connection, 1.0):
                        await self._connection.close()
        finally:
            self._hang_up()
            items = [*(self._doubt.call.items if self._doubt else ()), *self._queue]
            self._queue.clear()
            if items or not was_told:
                self._listener.failed(items, self._code or "internal")
