"""Background work on a PostgreSQL that several nodes share: one does it, and no stale lease is honoured."""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from log_engines import PAGE, Bench, PostgresEngine, entry
from typists import Typist, soon, text_of

from crdt.log import LogSettings
from crdt.log.postgres import PostgresLog

UNFOLDED = LogSettings(tail_updates=10**9, tail_bytes=2**60)


@pytest.fixture
def benches() -> list[Bench]:
    return [Bench(), Bench(), Bench()]


@pytest.fixture
async def nodes(database: str, benches: list[Bench]) -> AsyncIterator[list[PostgresLog]]:
    nodes = [PostgresLog(database, UNFOLDED, executor=lambda bench=bench: bench) for bench in benches]
    await asyncio.gather(*(node.open() for node in nodes))
    yield nodes
    await asyncio.gather(*(node.close() for node in nodes))


async def fold_in_the_background(node: PostgresLog, bench: Bench) -> asyncio.Task[bool]:
    """Begins to compact the page and stops in the merge."""
    bench.go.clear()
    asked = len(bench.jobs)
    folding = asyncio.create_task(node.compact(PAGE))
    await soon(lambda: len(bench.jobs) > asked)
    return folding


async def test_of_two_nodes_that_compact_one_document_one_does_it(
    nodes: list[PostgresLog], benches: list[Bench]
) -> None:
    await asyncio.gather(*map(nodes[0].append, Typist(7).entries(PAGE, list("Douro"))))
    folding = await fold_in_the_background(nodes[0], benches[0])
    assert not await nodes[1].compact(PAGE), "another is at it"
    assert benches[1].jobs == []
    benches[0].go.set()
    assert await folding
    assert not await nodes[1].compact(PAGE), "nothing is left"
    assert text_of(await nodes[2].load(PAGE)) == "Douro"


@pytest.mark.parametrize("finished", [True, False])
async def test_a_stale_lease_is_refused(
    nodes: list[PostgresLog], benches: list[Bench], database: str, finished: bool
) -> None:
    """A compactor is frozen in its merge until its lease has run out and another has taken it; that one has
    swapped already, or has not."""
    engine = PostgresEngine(database)
    await asyncio.gather(*map(nodes[0].append, Typist(7).entries(PAGE, list("Douro"))))
    stale = await fold_in_the_background(nodes[0], benches[0])
    await engine.execute("UPDATE leases SET until = clock_timestamp() - interval '1 second'")
    fresh = await fold_in_the_background(nodes[1], benches[1])
    if finished:
        benches[1].go.set()
        assert await fresh
    before = await engine.execute("SELECT xmin, * FROM snapshots")
    benches[0].go.set()
    assert not await stale
    assert await engine.execute("SELECT xmin, * FROM snapshots") == before, "nothing was written"
    benches[1].go.set()
    assert await fresh
    stored = await nodes[2].load(PAGE)
    assert (stored.snapshot_seq, text_of(stored)) == (5, "Douro")
    assert await engine.execute("SELECT * FROM leases") == []
    assert [node.figures.compactions for node in nodes] == [0, 1, 0]


async def test_a_lease_that_ran_out_is_worth_nothing_even_if_nobody_took_it(
    nodes: list[PostgresLog], benches: list[Bench], database: str
) -> None:
    await asyncio.gather(*map(nodes[0].append, Typist(7).entries(PAGE, list("Douro"))))
    stale = await fold_in_the_background(nodes[0], benches[0])
    await PostgresEngine(database).execute("UPDATE leases SET until = clock_timestamp()")
    benches[0].go.set()
    assert not await stale
    assert (await nodes[1].load(PAGE)).snapshot is None
    assert await nodes[1].compact(PAGE)


async def test_the_swap_is_fenced_against_deletion_by_another_node(
    nodes: list[PostgresLog], benches: list[Bench]
) -> None:
    await asyncio.gather(*map(nodes[0].append, Typist(7).entries(PAGE, list("old"))))
    folding = await fold_in_the_background(nodes[0], benches[0])
    await nodes[1].delete(PAGE)
    await asyncio.gather(*map(nodes[1].append, Typist(8).entries(PAGE, list("new"))))
    benches[0].go.set()
    assert not await folding
    assert text_of(await nodes[2].load(PAGE)) == "new"


async def test_a_node_that_closes_or_dies_leaves_its_work_to_others(
    nodes: list[PostgresLog], benches: list[Bench], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.gather(*map(nodes[0].append, Typist(7).entries(PAGE, list("Douro"))))
    closing = await fold_in_the_background(nodes[0], benches[0])
    await nodes[0].close()
    closing.cancel()
    await asyncio.wait([closing])
    assert await PostgresEngine(database).execute("SELECT * FROM leases") == []

    monkeypatch.setattr("crdt.log.postgres.store.LEASE_SECONDS", 0.5)
    await asyncio.gather(*map(nodes[1].append, Typist(8).entries(PAGE, list("Ebro"))))
    dying = await fold_in_the_background(nodes[1], benches[1])
    began = time.monotonic()
    while not await nodes[2].compact(PAGE):
        await asyncio.sleep(0.05)
    assert 0.2 < time.monotonic() - began < 5
    benches[1].go.set()
    assert not await dying


async def test_the_clocks_of_nodes_do_not_matter_to_leases(database: str) -> None:
    """One node lives an hour ahead: it takes no lease early, and its own does not outlive others."""
    ahead = PostgresLog(database, UNFOLDED, clock=lambda: time.time() + 3600, executor=Bench)
    await ahead.open()
    bench = Bench()
    node = PostgresLog(database, UNFOLDED, executor=lambda: bench)
    await node.open()
    await asyncio.gather(*map(node.append, Typist(7).entries(PAGE, list("Douro"))))
    folding = await fold_in_the_background(node, bench)
    assert not await ahead.compact(PAGE)
    bench.go.set()
    assert await folding
    await asyncio.gather(*map(node.append, Typist(8).entries(PAGE, list("Ebro"))))
    assert await ahead.compact(PAGE)
    assert await node.append(entry(at=time.time() - 7200)) == 10
    await node.close()
    await ahead.close()


async def test_compactions_of_many_nodes_lose_nothing(database: str) -> None:
    """Three nodes write and fold the same four documents all the while."""
    nodes = [
        PostgresLog(database, LogSettings(tail_updates=30), executor=lambda: ThreadPoolExecutor(1))
        for _ in range(3)
    ]
    await asyncio.gather(*(node.open() for node in nodes))

    written = [0] * 4

    async def work(number: int) -> None:
        typist, node, page = Typist(number + 1), nodes[number % 3], number % 4
        while written[page] < 300 or sum(node.figures.compactions for node in nodes) < 8:
            first = not typist.text
            await node.append(typist.entry(f"page/{page}", typist.type("x"), first=first))
            written[page] += 1

    async with asyncio.timeout(60):
        await asyncio.gather(*map(work, range(12)))
    for number, count in enumerate(written):
        stored = await nodes[number % 3].load(f"page/{number}")
        assert (stored.head_seq, text_of(stored)) == (count, "x" * count)
    await asyncio.gather(*(node.close() for node in nodes))
    report = await PostgresEngine(database).check()
    assert report.findings == []
    assert report.quarantined == []


async def test_history_is_pruned_by_one_node_at_a_time_and_stays_contiguous(
    nodes: list[PostgresLog], database: str
) -> None:
    now = time.time()
    ana = Typist(7)
    entries = [ana.entry(PAGE, ana.type("x"), first=not i, at=now - 86400 * 40) for i in range(1200)]
    await asyncio.gather(*map(nodes[0].append, entries))
    assert await nodes[1].compact(PAGE)
    await nodes[1].append(ana.entry(PAGE, ana.type("y")))
    await asyncio.gather(*(node.prune() for node in nodes))
    await nodes[2].prune()
    assert [each.seq async for each in nodes[0].history(PAGE)] == [1201]
    assert (await PostgresEngine(database).check()).findings == []
