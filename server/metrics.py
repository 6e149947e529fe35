"""What this node counts, in a Prometheus registry of its own, and the sampler of the event loop's lag.

No metric has a label that grows with use: no document, no person, no address. Workers of one port (see
server/workers.py) count into files that they share, and any of them tells what all have counted together.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from crdt.log import LogFigures
from rooms.bus import Figures

__all__ = ["CONTENT_TYPE", "SHARED_FOLDER", "LoopLag", "Metrics"]

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable from which prometheus_client learns, when it is imported, where workers share."""

Together = Literal["livesum", "livemin", "livemax"]
"""What the workers' gauges make together."""

_LATENCY: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_KNOWN_REASON_LENGTH: Final = 40
_MAX_REASONS: Final = 64


@dataclass
class Metrics:
    """Every metric of one node; it is the `rooms.documents.observer.Observer` of its live rooms."""

    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=True))
    sources: list[Callable[[], None]] = field(default_factory=list)
    """What takes over figures that are counted elsewhere; called now and then, and before they are told."""

    def __post_init__(self) -> None:
        ProcessCollector(registry=self.registry)
        self.connections = self._gauge("connections", "Open WebSocket connections")
        self.documents = self._gauge("documents_in_memory", "Documents in memory")
        self.edits = self._counter("edits", "Edits committed to the log")
        self.deliveries = self._counter("deliveries", "Edits and presence handed to readers")
        self.edit_to_durable = self._histogram(
            "edit_to_durable_seconds", "From the arrival of an edit to its durable commit"
        )
        self.edit_to_fan_out = self._histogram(
            "edit_to_fan_out_seconds", "From the arrival of an edit to its hand-over to all readers here"
        )
        self.document_load = self._histogram("document_load_seconds", "Loading of a document from the log")
        self.loop_lag = self._histogram("loop_lag_seconds", "How late the event loop ran a timer")
        self.loop_lag_now = self._gauge(
            "loop_lag_last_seconds", "The latest sample of the event loop's lag", "livemax"
        )
        self.readers_shed = self._counter("readers_shed", "Readers that fell behind and were skipped")
        self.refused_messages = Counter(
            "refused", "Messages refused", ["reason"], namespace="twinspace", registry=self.registry
        )
        self.log_healthy = self._gauge("log_healthy", "1 while the durable log can be written", "livemin")
        self.log_waiting_bytes = self._gauge("log_waiting_bytes", "Bytes that wait for their commit")
        self.log_commits = self._gauge("log_commits", "Group commits since the start")
        self.log_commit_seconds = self._gauge(
            "log_commit_seconds", "Seconds spent in group commits since the start"
        )
        self.log_failures = self._gauge("log_failures", "Group commits that failed since the start")
        self.log_compactions = self._gauge("log_compactions", "Documents folded into a snapshot")
        self.log_quarantined = self._gauge("log_quarantined", "Documents that cannot be compacted")
        self.bus_up = self._gauge("bus_up", "1 unless other nodes cannot be heard", "livemin")
        self.bus_published = self._gauge("bus_published", "Messages given to the bus since the start")
        self.bus_received = self._gauge("bus_received", "Messages heard on the bus since the start")
        self.bus_dropped = self._gauge("bus_dropped", "Messages the bus could not carry since the start")
        self.bus_unverified = self._gauge("bus_unverified", "Messages that no node of ours wrote")
        self.bus_reconnects = self._gauge("bus_reconnects", "Connections to the bus made anew")
        self.bus_away_seconds = self._gauge("bus_away_seconds", "Seconds without the bus since the start")
        self.other_nodes = self._gauge("other_nodes", "Other nodes that are heard", "livemax")
        self.pulled = self._counter("pulled", "Edits of other nodes read from the log, for the bus lost them")
        self._reasons: set[str] = set()

    def _gauge(self, name: str, text: str, together: Together = "livesum") -> Gauge:
        return Gauge(name, text, namespace="twinspace", registry=self.registry, multiprocess_mode=together)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, namespace="twinspace", registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, namespace="twinspace", registry=self.registry, buckets=_LATENCY)

    def read_log(self, *, healthy: bool, figures: LogFigures | None) -> None:
        """Takes over what the durable log counts itself."""
        self.log_healthy.set(healthy)
        if figures is not None:
            self.log_waiting_bytes.set(figures.waiting_bytes)
            self.log_commits.set(figures.commits)
            self.log_commit_seconds.set(figures.commit_seconds)
            self.log_failures.set(figures.failures)
            self.log_compactions.set(figures.compactions)
            self.log_quarantined.set(figures.quarantined)

    def read_bus(self, *, up: bool, others: int, figures: Figures) -> None:
        """Takes over what the bus between nodes counts itself."""
        self.bus_up.set(up)
        self.other_nodes.set(others)
        self.bus_published.set(figures.published)
        self.bus_received.set(figures.received)
        self.bus_dropped.set(figures.dropped_full + figures.dropped_away)
        self.bus_unverified.set(figures.unverified)
        self.bus_reconnects.set(figures.reconnects)
        self.bus_away_seconds.set(figures.away_seconds)

    def refresh(self) -> None:
        """Takes over what is counted elsewhere."""
        for source in self.sources:
            source()

    def exposition(self) -> bytes:
        """What is counted here, or by all workers of this port together, in Prometheus' text format."""
        self.refresh()
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    # rooms.documents.observer.Observer

    def connection_opened(self) -> None:
        self.connections.inc()

    def connection_closed(self) -> None:
        self.connections.dec()

    def document_loaded(self, seconds: float) -> None:
        self.documents.inc()
        self.document_load.observe(seconds)

    def document_unloaded(self) -> None:
        self.documents.dec()

    def edits_committed(self, count: int, seconds: float) -> None:
        self.edits.inc(count)
        self.edit_to_durable.observe(seconds)

    def fanned_out(self, seconds: float, deliveries: int) -> None:
        self.deliveries.inc(deliveries)
        self.edit_to_fan_out.observe(seconds)

    def reader_shed(self) -> None:
        self.readers_shed.inc()

    def caught_up(self, edits: int) -> None:
        self.pulled.inc(edits)

    def refused(self, reason: str) -> None:
        # A reason is one of our own words; should a stranger's ever get here, it must not grow the registry.
        if reason not in self._reasons:
            if len(self._reasons) >= _MAX_REASONS or len(reason) > _KNOWN_REASON_LENGTH:
                reason = "other"
            self._reasons.add(reason)
        self.refused_messages.labels(reason).inc()


class LoopLag:
    """Sleeps again and again, and records how late it woke; the proof that the loop runs."""

    def __init__(self, metrics: Metrics, interval: float = 0.5) -> None:
        self._metrics = metrics
        self._interval = interval

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Samples for the length of a block."""
        task = asyncio.create_task(self._sample(), name="loop lag")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _sample(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._interval
            await asyncio.sleep(self._interval)
            lag = max(0.0, loop.time() - due)
            self._metrics.loop_lag.observe(lag)
            self._metrics.loop_lag_now.set(lag)
            self._metrics.refresh()
