"""What waits for an answer of the log, what was answered, and the health that follows from it."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from crdt.errors import LogError
from crdt.log import LogFigures, LogHealth, LogSettings
from crdt.log.faults import unavailable

__all__ = ["Answers", "Waiting"]

_logger = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0


class Waiting(Protocol):
    """Something that has to be written."""

    @property
    def future(self) -> asyncio.Future[Any]: ...

    @property
    def size(self) -> int:
        """About how many bytes it writes."""
        ...

    @property
    def is_entry(self) -> bool: ...


class Answers:
    """Keeps the figures and the health of one log. All methods are for the loop's thread."""

    def __init__(self, settings: LogSettings, reasons: Mapping[str, str], clock: Callable[[], float]) -> None:
        """reasons: a sentence for each code that the engine may give."""
        self.figures = LogFigures()
        self.failure: str | None = "closed"
        """The code of what is wrong now."""
        self.health = LogHealth(False, "closed", reasons["closed"], clock())
        self._settings = settings
        self._reasons = reasons
        self._clock = clock
        self._callbacks: dict[object, Callable[[LogHealth], None]] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._heard_at = 0.0

    def open(self) -> None:
        """From now on all is well, until told otherwise."""
        self._loop = asyncio.get_running_loop()
        self._watch = self._loop.call_later(_LOOK_SECONDS, self._look_after)
        self._set_health(None)

    def stop_watching(self) -> None:
        """What still waits is answered soon, or never."""
        if self._watch is not None:
            self._watch.cancel()

    def close(self) -> None:
        self._set_health("closed")

    def on_health(self, callback: Callable[[LogHealth], None]) -> Callable[[], None]:
        """See `crdt.log.Log.on_health`."""
        key = object()
        self._callbacks[key] = callback
        return lambda: _void(self._callbacks.pop(key, None))

    def has_room_for(self, size: int) -> bool:
        """Whether so many bytes may wait too. Alone, anything may."""
        figures = self.figures
        return not figures.waiting or figures.waiting_bytes + size <= self._settings.waiting_bytes

    def waits(self, item: Waiting) -> None:
        """The item has been queued."""
        figures = self.figures
        if not figures.waiting:
            self._heard_at = self._loop.time()
        figures.waiting += 1
        figures.waiting_bytes += item.size

    def committed(self, items: Sequence[Waiting], outcomes: Sequence[Any], seconds: float) -> None:
        """One commit took the items; an outcome that is a LogError refuses its item alone."""
        figures = self.figures
        figures.commits += 1
        figures.commit_seconds += seconds
        self._answered(items)
        for item, outcome in zip(items, outcomes, strict=True):
            if item.future.done():
                continue
            if isinstance(outcome, LogError):
                item.future.set_exception(outcome)
            else:
                item.future.set_result(outcome)
            if item.is_entry:
                figures.entries += 1
                figures.bytes += item.size

    def failed(self, items: Sequence[Waiting], code: str) -> None:
        """Nothing of the items was stored, and nothing can be stored now."""
        self.figures.failures += 1
        self._set_health(code)
        self._answered(items)
        for item in items:
            if not item.future.done():
                item.future.set_exception(unavailable(code, self._reasons))

    def recovered(self) -> None:
        self._set_health(None)

    def _answered(self, items: Sequence[Waiting]) -> None:
        figures = self.figures
        figures.waiting -= len(items)
        figures.waiting_bytes -= sum(item.size for item in items)
        self._heard_at = self._loop.time()
        if self.failure == "stalled":
            self._set_health(None)

    def _look_after(self) -> None:
        self._watch = self._loop.call_later(_LOOK_SECONDS, self._look_after)
        quiet = self._loop.time() - self._heard_at
        if self.figures.waiting and quiet > self._settings.stalled_seconds and self.failure is None:
            self._set_health("stalled")

    def _set_health(self, code: str | None) -> None:
        if code == self.failure:
            return
        self.failure = code
        reason = "" if code is None else self._reasons[code]
        self.health = LogHealth(code is None, code or "ok", reason, self._clock())
        for callback in list(self._callbacks.values()):
            try:
                callback(self.health)
            except Exception:
                _logger.exception("A listener of the log's health failed.")


def _void(_: object) -> None:
    """Drop a value."""
