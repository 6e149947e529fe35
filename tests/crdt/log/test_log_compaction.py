"""Compaction and retention: the tail stays short, nothing that was acknowledged is lost by it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from typing import Any

import pytest
from log_engines import PAGE, Bench, Engine, SqliteEngine
from typists import Typist, soon, text_of

from crdt import jobs
from crdt.errors import CompactionFailed, LogCorrupt, LogUnavailable
from crdt.log import Log, LogSettings
from crdt.log.compaction import worker_pool

DAY = 86400.0


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def log(engine: Engine, bench: Bench) -> AsyncIterator[Log]:
    log = engine.log(executor=lambda: bench)
    await log.open()
    yield log
    await log.close()


async def write(log: Log, typist: Typist, words: Sequence[str], document: str = PAGE) -> None:
    await asyncio.gather(*map(log.append, typist.entries(document, words)))


async def reopened(log: Log, engine: Engine, **more: Any) -> Log:
    await log.close()
    log = engine.log(**more)
    await log.open()
    return log


async def test_a_tail_of_more_than_500_updates_is_folded_by_itself_lesson_20(log: Log, bench: Bench) -> None:
    ana = Typist(7)
    await write(log, ana, ["a"] * 500)
    await asyncio.sleep(0.05)
    assert (await log.load(PAGE)).snapshot is None
    await log.append(ana.entry(PAGE, ana.type("b")))
    await soon(lambda: log.figures.compactions == 1)
    stored = await log.load(PAGE)
    assert (stored.snapshot_seq, stored.head_seq, stored.tail) == (501, 501, ())
    assert text_of(stored) == "a" * 500 + "b"
    assert len(bench.jobs) == 1


async def test_a_tail_of_more_than_a_megabyte_is_folded_by_itself(log: Log) -> None:
    await write(log, Typist(7), ["x" * 300_000] * 4)
    await soon(lambda: log.figures.compactions == 1)
    assert (await log.load(PAGE)).tail == ()


async def test_a_document_rests_after_it_was_folded_unless_it_is_asked_for(
    engine: Engine, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crdt.log.compaction._RESTS", 1e9)
    log = engine.log(LogSettings(tail_updates=5), executor=lambda: bench)
    await log.open()
    ana, rui = Typist(7), Typist(8)
    await write(log, ana, ["a"] * 6)
    await soon(lambda: log.figures.compactions == 1)
    await write(log, ana, ["b"] * 20)
    await write(log, rui, ["c"] * 6, "page/other")
    await soon(lambda: log.figures.compactions == 2)
    assert len((await log.load(PAGE)).tail) == 20, "another one was folded meanwhile, this one was not"
    assert await log.compact(PAGE)
    assert text_of(await log.load(PAGE)) == "a" * 6 + "b" * 20
    await log.close()


async def test_a_long_tail_found_at_the_start_is_folded(log: Log, engine: Engine) -> None:
    await write(log, Typist(7), ["a"] * 20)
    log = await reopened(log, engine, settings=LogSettings(tail_updates=10))
    await soon(lambda: log.figures.compactions == 1)
    await log.close()


async def test_what_arrives_during_a_compaction_stays_in_the_tail(log: Log, bench: Bench) -> None:
    ana, rui = Typist(7), Typist(8)
    await write(log, ana, list("Douro "))
    bench.go.clear()
    folding = asyncio.create_task(log.compact(PAGE))
    await soon(lambda: bool(bench.jobs))
    await write(log, rui, list("Ebro"))
    bench.go.set()
    assert await folding
    stored = await log.load(PAGE)
    assert (stored.snapshot_seq, stored.head_seq, len(stored.tail)) == (6, 10, 4)
    assert sorted(text_of(stored)) == sorted("Douro Ebro")
    assert await log.compact(PAGE)
    assert (await log.load(PAGE)).tail == ()
    assert not await log.compact(PAGE), "nothing is left to fold"
    assert not await log.compact("page/unknown")


async def test_compaction_runs_while_many_append(engine: Engine) -> None:
    """The real process pool, tails of 40, four documents written all the while: every letter is there."""
    log = engine.log(LogSettings(tail_updates=40))
    await log.open()
    typists = [Typist(i + 1) for i in range(8)]

    async def work(typist: Typist) -> None:
        for number in range(150):
            await log.append(typist.entry(f"page/{typist.client % 4}", typist.type("x"), first=number == 0))
            await asyncio.sleep(0)

    await asyncio.gather(*map(work, typists))
    await soon(lambda: log.figures.compactions >= 4)
    for number in range(4):
        stored = await log.load(f"page/{number}")
        assert stored.head_seq == 300
        assert text_of(stored) == "x" * 300
    await log.close()
    assert (await engine.check()).findings == []


async def test_two_compactions_at_once_fold_once(log: Log) -> None:
    await write(log, Typist(7), list("abc"))
    assert sorted(await asyncio.gather(*(log.compact(PAGE) for _ in range(5)))) == [False] * 4 + [True]


async def test_the_swap_is_fenced_against_deletion(log: Log, bench: Bench) -> None:
    await write(log, Typist(7), list("old"))
    bench.go.clear()
    folding = asyncio.create_task(log.compact(PAGE))
    await soon(lambda: bool(bench.jobs))
    await log.delete(PAGE)
    await write(log, Typist(8), list("new"))
    bench.go.set()
    assert not await folding
    stored = await log.load(PAGE)
    assert (stored.snapshot, text_of(stored)) == (None, "new")


async def test_updates_that_wait_for_a_predecessor_survive_compaction_and_restart(
    log: Log, engine: Engine
) -> None:
    """Lesson: the engine keeps them out of its state, so a server that stores the state loses them."""
    ana = Typist(7)
    first, second, third = ana.entries(PAGE, ["one ", "two ", "three"])
    await log.append(second)
    await log.append(third)
    assert await log.compact(PAGE)
    log = await reopened(log, engine)
    stored = await log.load(PAGE)
    assert stored.tail == ()
    assert text_of(stored) == ""
    await log.append(first)
    assert text_of(await log.load(PAGE)) == "one two three"
    assert await log.compact(PAGE)
    assert text_of(await log.load(PAGE)) == "one two three"
    await log.close()


async def test_deletions_and_owners_survive_compaction(log: Log) -> None:
    ana = Typist(7)
    await write(log, ana, ["keep", "drop"])
    await log.append(ana.entry(PAGE, ana.erase(4, 8)))
    await log.seed(PAGE, Typist(9).type("!"), "template", "server:seed")
    await log.compact(PAGE)
    stored = await log.load(PAGE)
    assert sorted(text_of(stored)) == sorted("keep!")
    assert stored.owners == {7: "membership:7", 9: "server:seed"}
    assert stored.markers == {"template"}


@pytest.fixture
def broken_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(snapshot: bytes | None, tail: Sequence[bytes]) -> bytes:
        raise LogCorrupt("The compacted state lacks the structs 1.")

    monkeypatch.setattr(jobs, "compact", fail)


async def test_a_document_that_cannot_be_compacted_is_left_alone_and_works(
    engine: Engine, bench: Bench, broken_job: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = engine.log(LogSettings(tail_updates=5), executor=lambda: bench)
    await log.open()
    ana = Typist(7)
    await write(log, ana, ["a"] * 6)
    await soon(lambda: log.figures.quarantined == 1)
    for _ in range(10):
        await log.append(ana.entry(PAGE, ana.type("b")))
    assert len(bench.jobs) == 1, "it is not tried again and again"
    stored = await log.load(PAGE)
    assert (stored.snapshot, len(stored.tail)) == (None, 16)

    second = Bench()
    log = await reopened(log, engine, settings=LogSettings(tail_updates=5), executor=lambda: second)
    await log.append(ana.entry(PAGE, ana.type("c")))
    await asyncio.sleep(0.1)
    assert second.jobs == [], "nor after a restart"
    with pytest.raises(CompactionFailed, match="lacks the structs"):
        await log.compact(PAGE)
    monkeypatch.undo()
    assert await log.compact(PAGE), "an operator may try again"
    await write(log, Typist(8), ["d"] * 6)
    await soon(lambda: log.figures.compactions == 2)
    assert text_of(await log.load(PAGE)).count("d") == 6
    await log.close()


async def test_a_merge_that_kills_its_process_costs_only_its_document(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real process dies; the next document gets a new one."""
    log = engine.log(LogSettings(tail_updates=5))
    monkeypatch.setattr("crdt.log.compaction._merge_in_pool", _die)
    await log.open()
    await write(log, Typist(7), ["a"] * 6)
    await soon(lambda: log.figures.quarantined == 1)
    monkeypatch.undo()
    await write(log, Typist(8), ["a"] * 6, "page/other")
    await soon(lambda: log.figures.compactions == 1)
    assert log.figures.quarantined == 1
    assert text_of(await log.load(PAGE)) == "a" * 6
    await log.close()


def test_merging_gives_way_to_the_server() -> None:
    with worker_pool() as pool:
        assert pool.submit(os.nice, 0).result() > os.nice(0)


def _die(snapshot: bytes | None, tail: Sequence[bytes]) -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


async def test_no_document_is_blamed_when_no_process_can_be_started(engine: Engine) -> None:
    def pool() -> Executor:
        from concurrent.futures import ProcessPoolExecutor

        return ProcessPoolExecutor(1, initializer=_refuse_to_start)

    log = engine.log(LogSettings(tail_updates=5), executor=pool)
    await log.open()
    await write(log, Typist(7), ["a"] * 6)
    with pytest.raises(CompactionFailed, match="No process can be started"):
        await log.compact(PAGE)
    assert log.figures.quarantined == 0
    log = await reopened(log, engine, settings=LogSettings(tail_updates=5))
    await soon(lambda: log.figures.compactions == 1)
    await log.close()


def _refuse_to_start() -> None:
    os._exit(1)


async def test_a_damaged_document_is_not_compacted_away(log: Log, engine: Engine, bench: Bench) -> None:
    ana = Typist(7)
    await write(log, ana, list("abc"))
    await engine.execute(f"UPDATE updates SET body = {engine.blob(bytes(1))} WHERE seq = 2")
    with pytest.raises(LogCorrupt, match="entry 2"):
        await log.compact(PAGE)
    with pytest.raises(LogCorrupt, match="entry 2"):
        await log.load(PAGE)
    assert bench.jobs == []
    assert log.health.ok, "one damaged document does not stop the others"
    await write(log, ana, ["d"], "page/other")


async def test_history_is_kept_30_days_and_pruned_in_steps(engine: Engine, bench: Bench) -> None:
    now = time.time()
    settings = LogSettings(tail_updates=10_000)
    log = engine.log(settings, executor=lambda: bench, clock=lambda: now)
    await log.open()
    ana = Typist(7)
    updates = [ana.type("x") for _ in range(1300)]
    ages = [40 if i < 1200 else 10 for i in range(1300)]
    await asyncio.gather(
        *(
            log.append(ana.entry(PAGE, update, first=i == 0, at=now - ages[i] * DAY))
            for i, update in enumerate(updates)
        )
    )
    await log.prune()
    assert len([each async for each in log.history(PAGE)]) == 1300, "what no snapshot replaced is kept"
    await log.compact(PAGE)
    before = log.figures.commits
    await log.prune()
    if isinstance(engine, SqliteEngine):
        assert log.figures.commits - before >= 3, "appends get their turn between the steps"
    assert [each.seq async for each in log.history(PAGE)] == list(range(1201, 1301))
    assert text_of(await log.load(PAGE)) == "x" * 1300
    assert await log.append(ana.entry(PAGE, ana.type("y"))) == 1301
    now += 25 * DAY
    await log.prune()
    assert [each.seq async for each in log.history(PAGE)] == [1301]
    await log.close()
    assert (await engine.check()).findings == []


async def test_no_compaction_while_the_log_is_closed(log: Log) -> None:
    await write(log, Typist(7), list("abc"))
    await log.close()
    with pytest.raises(LogUnavailable):
        await log.compact(PAGE)
