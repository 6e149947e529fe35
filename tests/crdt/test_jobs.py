"""Compaction keeps everything, and says so before anything is deleted."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from handmade import element, item, text, update

from crdt import jobs
from crdt.document import Document
from crdt.errors import LimitExceeded, LogCorrupt, Malformed
from crdt.limits import STORED
from crdt.update import ClockRange, read_update

TYPED = [update((7, n, [text("x", origin=(7, n - 1)) if n else text("x")])) for n in range(600)]
WAITING = update((9, 3, [text("later", origin=(9, 2))]), deleted={9: [(1, 1)]})


def test_many_keystrokes_become_one_short_state() -> None:
    state = jobs.compact(None, TYPED)
    assert read_update(state).writes == (ClockRange(7, 0, 600),)
    assert len(state) < 650
    assert jobs.compact(state, TYPED) == state


def test_what_waits_survives_any_number_of_compactions() -> None:
    state = jobs.compact(None, [WAITING, *TYPED])
    state = jobs.compact(state, TYPED[:1])
    document = Document()
    document.load(state)
    assert document.pending == 1
    document.load(update((9, 0, [text("abc", parent="other")])))
    assert document.pending == 0
    document.close()


def test_what_can_never_be_applied_does_not_stop_compaction() -> None:
    impossible = update((8, 0, [text("x", parent=(7, 1))]))
    state = jobs.compact(None, [impossible, *TYPED])
    assert read_update(state).writes == (ClockRange(7, 0, 600),)


def test_a_state_that_lacks_something_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "merge", lambda updates: TYPED[0])
    with pytest.raises(LogCorrupt, match="lacks the structs"):
        jobs.compact(None, TYPED)
    monkeypatch.setattr(jobs, "merge", lambda updates: update((7, 0, [text("x" * 600)])))
    with pytest.raises(LogCorrupt, match="lacks the deletions"):
        jobs.compact(None, [*TYPED, update(deleted={7: [(0, 1)]})])


def test_unreadable_updates_are_typed_errors() -> None:
    with pytest.raises(Malformed):
        jobs.compact(b"\x01", [])
    deep = update((7, 0, [item(8, b"\x01" + b"\x75\x01" * 65 + b"\x7e")]))
    with pytest.raises(LimitExceeded):
        jobs.compact(None, [deep])


def test_jobs_run_in_another_process() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        state = pool.submit(jobs.compact, None, TYPED).result()
        assert pool.submit(jobs.summarize, state).result() == read_update(state)
        assert pool.submit(jobs.merge_updates, TYPED[:2]).result() == jobs.merge_updates(TYPED[:2])
        [answer] = pool.submit(jobs.diff, [state], b"\x01\x07\x0a").result()
        assert read_update(answer, STORED).writes == (ClockRange(7, 10, 600),)
        error = pool.submit(jobs.summarize, update((7, 0, [element(parent=(7, 0))]))).exception()
        assert isinstance(error, Malformed)
        assert error.what == "refers-ahead"
