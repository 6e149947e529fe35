"""Several nodes on one PostgreSQL: any of them may write any document, none waits for another."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator

import pytest
from cut_line import CutLine
from log_engines import PAGE, PostgresEngine, entry
from typists import Typist, soon, text_of

from crdt.errors import ClientTaken, LogUnavailable
from crdt.log import Head, LogSettings
from crdt.log.postgres import PostgresLog
from crdt.log.postgres.steps import STEPS

UNFOLDED = LogSettings(tail_updates=10**9, tail_bytes=2**60)


@pytest.fixture
async def nodes(database: str) -> AsyncIterator[list[PostgresLog]]:
    nodes = [PostgresLog(database, UNFOLDED) for _ in range(3)]
    await asyncio.gather(*(node.open() for node in nodes))
    yield nodes
    await asyncio.gather(*(node.close() for node in nodes))


async def histories(log: PostgresLog, names: list[str]) -> dict[str, list[bytes]]:
    found = {}
    for name in names:
        entries = [each async for each in log.history(name)]
        assert [each.seq for each in entries] == list(range(1, len(entries) + 1))
        found[name] = [each.update for each in entries]
    return found


async def test_sequences_are_contiguous_whoever_writes(nodes: list[PostgresLog], database: str) -> None:
    """Three nodes, 3,000 appends to 9 documents, new ones among them; each is where its writer was told."""
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    names = [f"page/{number}" for number in range(9)]
    told: dict[str, dict[int, bytes]] = {name: {} for name in names}

    async def write(number: int) -> None:
        node, name = nodes[number % 3], generator.choice(names)
        if number % 5 == 0:
            await asyncio.sleep(generator.random() / 10)
        body = b"%d " % number + bytes(generator.randrange(100))
        seq = await node.append(entry(name, body))
        assert seq not in told[name]
        told[name][seq] = body

    await asyncio.gather(*map(write, range(3000)))
    assert all(node.figures.failures == 0 for node in nodes)
    stored = await histories(nodes[0], names)
    assert stored == {name: [told[name][seq] for seq in sorted(told[name])] for name in names}
    assert sum(map(len, stored.values())) == 3000
    expected = {name: Head(1, len(bodies)) for name, bodies in stored.items()}
    assert await nodes[2].heads(names) == expected
    assert (await PostgresEngine(database).check()).documents == 9


async def test_the_order_of_sequences_is_the_order_of_commits(nodes: list[PostgresLog]) -> None:
    """Whoever sees an entry sees all before it: a reader never finds a gap that is filled later."""
    going = True

    async def write(node: PostgresLog) -> None:
        while going:
            await asyncio.gather(*(node.append(entry()) for _ in range(5)))

    writers = [asyncio.create_task(write(node)) for node in nodes]
    seen = 0
    for _ in range(100):
        head = (await nodes[0].heads([PAGE])).get(PAGE, Head(1, 0)).seq
        pulled = [each.seq async for each in nodes[1].history(PAGE, seen + 1)]
        assert pulled == list(range(seen + 1, seen + 1 + len(pulled)))
        seen += len(pulled)
        assert seen >= head
    going = False
    await asyncio.gather(*writers)
    assert seen > 100


async def test_groups_of_the_same_documents_in_any_order_never_block_one_another(
    nodes: list[PostgresLog],
) -> None:
    """Forty times every node creates and writes the same twenty documents and subjects at once."""
    for turn in range(40):
        names = [f"page/{turn}/{number}" for number in range(20)]
        orders = [random.sample(names, 20) for _ in nodes]
        await asyncio.gather(
            *(
                node.append(entry(name, subject=f"membership:{turn} {name}"))
                for node, order in zip(nodes, orders, strict=True)
                for name in order
            )
        )
        assert await nodes[0].heads(names) == dict.fromkeys(names, Head(1, 3))
    assert all(node.figures.failures == 0 for node in nodes)


async def test_of_two_nodes_that_claim_one_client_id_one_gets_it(nodes: list[PostgresLog]) -> None:
    for turn in range(50):
        name = f"page/{turn % 7}"
        outcomes = await asyncio.gather(
            *(
                node.append(entry(name, subject=f"membership:{number}", clients=(1000 + turn,)))
                for number, node in enumerate(nodes)
            ),
            return_exceptions=True,
        )
        winners = [number for number, each in enumerate(outcomes) if isinstance(each, int)]
        losers = [each for each in outcomes if isinstance(each, ClientTaken)]
        assert (len(winners), len(losers)) == (1, 2)
        assert all(each.client == 1000 + turn for each in losers)
        assert (await nodes[0].load(name)).owners[1000 + turn] == f"membership:{winners[0]}"


async def test_first_content_is_seeded_once_by_all_nodes_lesson_09(nodes: list[PostgresLog]) -> None:
    for turn in range(10):
        update = Typist(99).type("Welcome")
        seeds = (node.seed(f"page/{turn}", update, "template", "server:seed") for node in nodes * 5)
        assert sum(await asyncio.gather(*seeds)) == 1
        assert text_of(await nodes[turn % 3].load(f"page/{turn}")) == "Welcome"


async def test_a_document_deleted_under_another_node_begins_anew(
    nodes: list[PostgresLog], database: str
) -> None:
    await asyncio.gather(*(nodes[0].append(entry(clients=(5,))) for _ in range(10)))
    await nodes[1].delete(PAGE)
    assert await nodes[0].heads([PAGE]) == {}
    assert await nodes[0].append(entry(clients=(5,), subject="membership:rui")) == 1
    assert (await nodes[2].load(PAGE)).owners == {5: "membership:rui"}
    await asyncio.gather(*(node.prune() for node in nodes))
    assert (await PostgresEngine(database).execute("SELECT count(*) FROM updates")) == [(1,)]

    async def write() -> None:
        for _ in range(100):
            await nodes[0].append(entry())

    async def remove() -> None:
        for _ in range(30):
            await nodes[1].delete(PAGE)

    await asyncio.gather(write(), remove())
    await nodes[1].delete(PAGE)
    assert await nodes[2].append(entry()) == 1
    assert all(node.figures.failures == 0 for node in nodes)


@pytest.mark.parametrize("missing", [1, 5, 15, 300])
async def test_a_node_whose_last_bytes_never_arrive_blocks_nobody(
    nodes: list[PostgresLog], database: str, missing: int
) -> None:
    """The end of its call is on its way for ever: the protocol's Sync, a part of it, more."""
    async with CutLine(database) as line:
        partitioned = PostgresLog(line.url, UNFOLDED, patience=5.0)
        await partitioned.open()
        await partitioned.append(entry(update=bytes(600)))
        line.hold_end(missing)
        lost = partitioned.append(entry(update=bytes(600)))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        for number in range(20):
            await nodes[number % 2].append(entry(clients=(number,)))
        assert time.monotonic() - began < 2
        assert not lost.done()
        line.release()
        await lost
        await partitioned.close()
    assert (await nodes[0].load(PAGE)).head_seq == 22


async def test_a_frozen_node_blocks_nobody_and_catches_up(nodes: list[PostgresLog], database: str) -> None:
    """A real process, stopped by SIGSTOP in the midst of its appends, again and again."""
    script = f"""
import asyncio, time
from crdt.log import Entry, LogSettings
from crdt.log.postgres import PostgresLog

async def main():
    log = PostgresLog({database!r}, LogSettings(tail_updates=10**9, tail_bytes=2**60), patience=3.0)
    await log.open()
    async def write(number):
        while True:
            await log.append(Entry({PAGE!r}, 1, bytes(20_000), "m:frozen", (), time.time()))
            print("ack", flush=True)
    await asyncio.gather(*map(write, range(20)))
asyncio.run(main())
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    acknowledged = 0

    def read() -> None:
        nonlocal acknowledged
        assert child.stdout is not None
        for _ in child.stdout:
            acknowledged += 1

    reader = threading.Thread(target=read)
    reader.start()
    own = 0
    try:
        await soon(lambda: acknowledged > 20)
        for _ in range(8):
            await asyncio.sleep(random.uniform(0.02, 0.1))
            child.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.05)
            began = time.monotonic()
            for _ in range(5):
                await nodes[0].append(entry())
                own += 1
            assert time.monotonic() - began < 1.5
            child.send_signal(signal.SIGCONT)
        known = acknowledged
        await soon(lambda: acknowledged > known + 20)
    finally:
        child.kill()
        reader.join()
        with child:
            pass
    await asyncio.sleep(0.2)
    sizes = [len(each.update) async for each in nodes[0].history(PAGE)]
    assert sizes.count(20_000) >= acknowledged
    assert len(sizes) - sizes.count(20_000) == own


async def test_rows_of_nodes_that_are_gone_are_swept(nodes: list[PostgresLog], database: str) -> None:
    engine = PostgresEngine(database)
    old = "clock_timestamp() - interval '31 days'"
    await engine.execute(
        f"INSERT INTO leases (key, holder, fence, until) VALUES ('\\x00', 1, 1, {old})",
        f"INSERT INTO writers (id, turn, fence, seen) VALUES (1, 5, 5, {old})",
    )
    await nodes[0].append(entry())
    async with asyncio.timeout(10):
        while await engine.execute("SELECT count(*) FROM writers WHERE id = 1") != [(0,)]:
            await nodes[0].prune()
    assert await engine.execute("SELECT count(*) FROM leases WHERE holder = 1") == [(0,)]
    assert await engine.execute("SELECT count(*) FROM writers") == [(3,)]
    await nodes[0].close()
    assert await engine.execute("SELECT count(*) FROM writers") == [(2,)], "who leaves takes its row along"
    with pytest.raises(LogUnavailable):
        await nodes[0].append(entry())


def test_every_procedure_commits_by_itself() -> None:
    """So that no lock waits for a client's next packet."""
    bodies = [body for step in STEPS for text in step for body in text.split("$$")[1::2]]
    assert len(bodies) >= 11
    for body in bodies:
        assert body.split()[-2:] == ["COMMIT;", "END"], body
