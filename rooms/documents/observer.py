"""What a live room tells about its work, without knowing who counts it."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Observer", "SilentObserver"]


class Observer(Protocol):
    """The front door turns these calls into metrics. All are cheap and never raise."""

    def connection_opened(self) -> None: ...
    def connection_closed(self) -> None: ...
    def document_loaded(self, seconds: float) -> None: ...
    def document_unloaded(self) -> None: ...
    def edits_committed(self, count: int, seconds: float) -> None:
        """Edits that came together are durable, this long after the bytes of the first arrived."""
        ...

    def fanned_out(self, seconds: float, deliveries: int) -> None:
        """One batch was handed to ``deliveries`` readers, this long after its first edit arrived."""
        ...

    def reader_shed(self) -> None: ...
    def caught_up(self, edits: int) -> None:
        """So many edits of other nodes were read from the log, because the bus did not bring them."""
        ...

    def refused(self, reason: str) -> None: ...


class SilentObserver:
    """Counts nothing."""

    def connection_opened(self) -> None:
        pass

    def connection_closed(self) -> None:
        pass

    def document_loaded(self, seconds: float) -> None:
        pass

    def document_unloaded(self) -> None:
        pass

    def edits_committed(self, count: int, seconds: float) -> None:
        pass

    def fanned_out(self, seconds: float, deliveries: int) -> None:
        pass

    def reader_shed(self) -> None:
        pass

    def caught_up(self, edits: int) -> None:
        pass

    def refused(self, reason: str) -> None:
        pass
