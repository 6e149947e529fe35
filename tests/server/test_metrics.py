"""Metrics stay few, whatever a stranger sends, and two nodes in one process keep their own."""

from __future__ import annotations

import asyncio
import time

from crdt.log import LogFigures
from rooms.bus import Figures
from rooms.documents.observer import Observer
from server.metrics import LoopLag, Metrics


def test_metrics_are_the_observer_of_live_rooms() -> None:
    metrics = Metrics()
    observer: Observer = metrics
    observer.connection_opened()
    observer.connection_opened()
    observer.connection_closed()
    observer.document_loaded(0.2)
    observer.document_unloaded()
    observer.edits_committed(1, 0.003)
    observer.fanned_out(0.004, 49)
    observer.reader_shed()
    observer.caught_up(7)
    observer.refused("forged-author")
    value = metrics.registry.get_sample_value
    assert value("twinspace_connections") == 1
    assert value("twinspace_documents_in_memory") == 0
    assert value("twinspace_edits_total") == 1
    assert value("twinspace_deliveries_total") == 49
    assert value("twinspace_edit_to_durable_seconds_sum") == 0.003
    assert value("twinspace_edit_to_fan_out_seconds_bucket", {"le": "0.005"}) == 1
    assert value("twinspace_readers_shed_total") == 1
    assert value("twinspace_pulled_total") == 7
    assert value("twinspace_refused_total", {"reason": "forged-author"}) == 1


def test_what_the_bus_and_the_log_count_is_taken_over_when_it_is_told() -> None:
    metrics = Metrics()
    figures = Figures(published=5, dropped_full=1, dropped_away=2)
    metrics.sources.append(lambda: metrics.read_bus(up=False, others=1, figures=figures))
    told = metrics.exposition().decode()
    for line in ("bus_up 0.0", "bus_published 5.0", "bus_dropped 3.0", "other_nodes 1.0"):
        assert f"\ntwinspace_{line}\n" in told


def test_reasons_from_outside_cannot_grow_the_registry() -> None:
    metrics = Metrics()
    for number in range(10_000):
        metrics.refused(f"reason-{number}")
    metrics.refused("x" * 5_000)
    assert metrics.exposition().count(b"twinspace_refused_total{") < 100
    assert metrics.registry.get_sample_value("twinspace_refused_total", {"reason": "other"}) is not None


def test_each_node_counts_for_itself() -> None:
    one, other = Metrics(), Metrics()
    one.connection_opened()
    assert other.registry.get_sample_value("twinspace_connections") == 0


async def test_a_loop_that_stood_still_shows_as_lag() -> None:
    metrics = Metrics()
    async with LoopLag(metrics, interval=0.01).running():
        await asyncio.sleep(0.03)
        time.sleep(0.2)
        await asyncio.sleep(0.05)
    value = metrics.registry.get_sample_value
    count, under = (
        value("twinspace_loop_lag_seconds_count"),
        value("twinspace_loop_lag_seconds_bucket", {"le": "0.1"}),
    )
    assert count is not None
    assert under is not None
    assert count > under


def test_the_logs_own_figures_are_shown() -> None:
    metrics = Metrics()
    figures = LogFigures(commits=7, commit_seconds=0.5, failures=2, waiting_bytes=30, quarantined=1)
    metrics.read_log(healthy=False, figures=figures)
    text = metrics.exposition().decode()
    assert "twinspace_log_healthy 0.0" in text
    assert "twinspace_log_commits 7.0" in text
    assert "twinspace_log_commit_seconds 0.5" in text
    assert "twinspace_log_failures 2.0" in text
    assert "twinspace_log_waiting_bytes 30.0" in text
    assert "twinspace_log_quarantined 1.0" in text
