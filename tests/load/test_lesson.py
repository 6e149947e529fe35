"""A short lesson in real processes: nothing is lost, doubled or out of order; hidden and frozen mean it."""

from __future__ import annotations

from load.lesson import Plan, lesson


async def test_a_class_discusses_through_broken_lines_and_a_killed_server() -> None:
    figures = await lesson(Plan(pupils=30, posts=60, rate=10.0, hides=3, seed=2026))
    assert figures.broken == []
    assert figures.answered >= 60
    assert len(figures.shown) == 60
    assert len(figures.hidden) == 3
