"""A PostgreSQL that is killed, cut off or silent in the middle of commits.

A future that resolved is in the log, one that failed is not, now or ever; and the log goes on by itself.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from cut_line import CutLine
from log_engines import PAGE, entry
from typists import soon

from crdt.errors import LogUnavailable
from crdt.log import LogHealth, LogSettings
from crdt.log.postgres import PostgresLog
from load.backing import PostgreSQL

CYCLES = int(os.environ.get("TWINSPACE_CRASH_CYCLES", "20"))
NO_FOLDING = LogSettings(tail_updates=10**9, tail_bytes=2**60)


class Ledger:
    """What was appended and what was answered; every body is a number."""

    def __init__(self) -> None:
        self.appended = 0
        self.acknowledged: dict[tuple[str, int], int] = {}
        self.refused: dict[int, str] = {}

    async def append(self, log: PostgresLog, document: str = PAGE, size: int = 0) -> None:
        self.appended += 1
        number = self.appended
        try:
            seq = await log.append(entry(document, b"%010d" % number + bytes(size)))
        except LogUnavailable as error:
            self.refused[number] = error.code
        else:
            assert (document, seq) not in self.acknowledged
            self.acknowledged[document, seq] = number

    async def check(self, url: str) -> None:
        """Against a fresh log on the database itself."""
        log = PostgresLog(url, NO_FOLDING)
        await log.open()
        stored: set[int] = set()
        for document in {document for document, _ in self.acknowledged} | {PAGE}:
            history = [each async for each in log.history(document)]
            assert [each.seq for each in history] == list(range(1, len(history) + 1))
            numbers = [int(each.update[:10]) for each in history]
            for (name, seq), number in self.acknowledged.items():
                if name == document:
                    assert numbers[seq - 1] == number, (document, seq)
            stored.update(numbers)
            assert len(numbers) == len(set(numbers))
        assert not stored & self.refused.keys(), "what was refused is stored"
        assert len(stored) == len(self.acknowledged), "something is stored that nobody was told of"
        await log.close()


@pytest.fixture
def generator() -> random.Random:
    seed = int(os.environ.get("TWINSPACE_SEED", random.randrange(2**32)))
    print("TWINSPACE_SEED", seed)
    return random.Random(seed)


@pytest.fixture
async def line(database: str) -> AsyncIterator[CutLine]:
    async with CutLine(database) as line:
        yield line


@pytest.fixture
async def log(line: CutLine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostgresLog]:
    monkeypatch.setattr("crdt.log.postgres.writer.PROBE_SECONDS", 0.1)
    log = PostgresLog(line.url, NO_FOLDING, patience=2.0)
    await log.open()
    await log.append(entry(update=b"%010d" % 0))
    yield log
    line.release()
    await log.close()


async def measure(log: PostgresLog, line: CutLine, ledger: Ledger) -> dict[str, int]:
    """How many bytes one group of three takes each way, once the statement is known to the server."""
    await asyncio.gather(*(ledger.append(log, size=200) for _ in range(3)))
    line.count()
    await asyncio.gather(*(ledger.append(log, size=200) for _ in range(3)))
    return {"up": line.passed("up"), "down": line.passed("down")}


async def test_a_call_cut_anywhere_is_settled_truthfully(
    log: PostgresLog, line: CutLine, database: str, generator: random.Random
) -> None:
    """Cut after each kind of byte count from either side, the very ends included."""
    ledger = Ledger()
    ledger.acknowledged[PAGE, 1] = 0
    sizes = await measure(log, line, ledger)
    happened = 0
    cuts: list[tuple[str, int]] = []
    for way, size in sizes.items():
        places = {0, 1, 4, 5, 6, size - 6, size - 5, size - 4, size - 1, size}
        places |= {generator.randrange(size) for _ in range(CYCLES)}
        cuts += [(way, place) for place in sorted(places)]
    generator.shuffle(cuts)
    for way, place in cuts:
        await soon(lambda: log.health.ok)
        for _ in range(2):  # the new connection learns both statements
            await ledger.append(log)
        known = len(ledger.acknowledged)
        line.cut(way, place)
        await asyncio.wait_for(asyncio.gather(*(ledger.append(log, size=200) for _ in range(3))), 20)
        assert len(ledger.acknowledged) - known in (0, 3), "a group happens as a whole"
        happened += way == "down" and len(ledger.acknowledged) > known
    assert ledger.refused
    assert happened > CYCLES // 2, "an answer lost on its way was read later"
    await soon(lambda: log.health.ok)
    await ledger.append(log)
    await ledger.check(database)


@pytest.mark.parametrize("missing", [10_000, 400, 15, 6, 5, 1])
async def test_a_call_that_comes_after_it_was_given_up_never_happens(
    log: PostgresLog, line: CutLine, database: str, missing: int
) -> None:
    """Its bytes lie in a dead connection, and arrive when its writers have long been told."""
    ledger = Ledger()
    ledger.acknowledged[PAGE, 1] = 0
    await measure(log, line, ledger)
    known = len(ledger.acknowledged)
    line.hold_end(missing)
    began = time.monotonic()
    await asyncio.gather(*(ledger.append(log, size=200) for _ in range(3)))
    assert 1.5 < time.monotonic() - began < 10
    happened = missing <= 5  # only the protocol's Sync: the procedure has committed
    assert len(ledger.acknowledged) - known == (3 if happened else 0)
    assert len(ledger.refused) == (0 if happened else 3)
    await soon(lambda: log.health.ok)
    await ledger.append(log)
    assert line.holding, "for the server, the dead connection is still there"
    line.release()
    await soon(lambda: line.holding == 0)
    await asyncio.sleep(0.2)
    await ledger.append(log)
    await ledger.check(database)


async def test_the_bytes_of_a_late_call_do_arrive(log: PostgresLog, line: CutLine, database: str) -> None:
    """The proof that the test above tests something: without the fence the same bytes are stored."""
    ledger = Ledger()
    await measure(log, line, ledger)
    line.hold("up", 0)
    late = log.append(entry(update=b"%010d" % 99))
    await asyncio.sleep(0.2)
    connection = await asyncpg.connect(database)
    try:
        fence = "SELECT fence FROM log.writers"
        raised = await connection.fetchval(fence)
        line.release()
        assert await late == 8
        assert await connection.fetchval(fence) == raised + 1
    finally:
        await connection.close()


async def test_a_silent_database_is_noticed_and_nothing_is_guessed_meanwhile(
    log: PostgresLog, line: CutLine, database: str
) -> None:
    """The answer is held: the edits are in the database, which nobody knows. No connection gets through."""
    ledger = Ledger()
    ledger.acknowledged[PAGE, 1] = 0
    heard: list[LogHealth] = []
    log.on_health(heard.append)
    await ledger.append(log)  # the connection learns the statement
    line.hold("down", 0)
    appended = asyncio.gather(*(ledger.append(log) for _ in range(5)))
    line._server.close()
    await soon(lambda: log.health.code == "unreachable")
    await asyncio.sleep(0.5)
    assert not appended.done(), "in doubt"
    await ledger.append(log)
    assert list(ledger.refused.values()) == ["unreachable"]
    with pytest.raises(LogUnavailable):
        await log.load(PAGE)
    with pytest.raises(LogUnavailable):
        await log.heads([PAGE])
    port = int(line.url.rpartition(":")[2].partition("/")[0])
    again = await asyncio.start_server(line._accept, "127.0.0.1", port)
    try:
        await appended
        assert len(ledger.acknowledged) == 7
        await soon(lambda: log.health.ok)
        await ledger.append(log)
        assert [health.code for health in heard] == ["unreachable", "ok"]
        await ledger.check(database)
    finally:
        again.close()


async def test_a_load_does_not_outlast_the_discovery_that_the_database_is_silent(
    log: PostgresLog, line: CutLine
) -> None:
    """A load may take a minute; but not once the writer knows that nobody is there."""
    await log.load(PAGE)
    line.hold("down", 0)
    line._server.close()
    began = time.monotonic()
    loading = asyncio.create_task(log.load(PAGE))
    in_doubt = log.append(entry())
    with pytest.raises(LogUnavailable) as refused:
        await loading
    assert refused.value.code == "unreachable"
    assert time.monotonic() - began < 8
    assert not in_doubt.done()
    line.release()
    await log.close()
    with pytest.raises(LogUnavailable):
        await in_doubt


async def test_what_runs_when_the_log_is_closed_is_told_so(log: PostgresLog, line: CutLine) -> None:
    await log.load(PAGE)
    line.hold("down", 0)
    loading = asyncio.create_task(log.load(PAGE))
    await asyncio.sleep(0.1)
    await log.close()
    with pytest.raises(LogUnavailable):
        await loading


async def test_an_idle_log_notices_a_silent_database(line: CutLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crdt.log.postgres.writer.IDLE_SECONDS", 0.1)
    log = PostgresLog(line.url, patience=1.0)
    await log.open()
    heard: list[str] = []
    log.on_health(lambda health: heard.append(health.code))
    await asyncio.sleep(0.3)
    assert heard == []
    line.hold("down", 0)
    await soon(lambda: heard == ["unreachable", "ok"])
    line.release()
    await log.close()


async def test_an_idle_log_notices_at_once_that_its_connection_was_ended(
    log: PostgresLog, database: str
) -> None:
    heard: list[str] = []
    log.on_health(lambda health: heard.append(health.code))
    connection = await asyncpg.connect(database)
    query = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'twinspace-log' AND datname = current_database()"""
    await connection.execute(query)
    await connection.close()
    await soon(lambda: heard == ["unreachable", "ok"], 4.0)
    assert await log.append(entry()) == 2
    assert (await log.load(PAGE)).head_seq == 2, "a reading session that died is replaced"


async def test_what_was_acknowledged_survives_kill_9_of_the_database(generator: random.Random) -> None:
    """Killed at random moments under 32 writers, and started again; the log goes on by itself."""
    ledger = Ledger()
    cycles = max(CYCLES // 4, 4)
    async with PostgreSQL() as postgres:
        url = await postgres.create_database()
        log = PostgresLog(url, NO_FOLDING)
        await log.open()
        going = True

        async def write(number: int) -> None:
            while going:
                await ledger.append(log, f"page/{number % 4}", size=generator.randrange(400))
                if not log.health.ok:
                    await asyncio.sleep(0.05)

        writers = [asyncio.create_task(write(number)) for number in range(32)]
        for _ in range(cycles):
            known = len(ledger.acknowledged)
            await soon(lambda known=known: len(ledger.acknowledged) > known + 100)  # type: ignore[misc]
            await asyncio.sleep(generator.uniform(0, 0.2))
            await postgres.kill()
            await soon(lambda: not log.health.ok)
            await postgres.start()
            await soon(lambda: log.health.ok)
        going = False
        await asyncio.gather(*writers)
        await log.close()
        await ledger.check(url)
    assert ledger.refused
    print(f"{len(ledger.acknowledged)} acknowledged, none lost; {len(ledger.refused)} refused, none stored")


async def test_a_restart_of_the_database_in_the_middle_of_commits(generator: random.Random) -> None:
    """Fast and immediate; and the log is closed while the database is away."""
    ledger = Ledger()
    async with PostgreSQL() as postgres:
        url = await postgres.create_database()
        log = PostgresLog(url, NO_FOLDING, patience=2.0)
        await log.open()
        going = True

        async def write() -> None:
            while going:
                await ledger.append(log)
                if not log.health.ok:
                    await asyncio.sleep(0.05)

        writers = [asyncio.create_task(write()) for _ in range(8)]
        for how in (postgres.polite, postgres.at_once, postgres.polite):
            known = len(ledger.acknowledged)
            await soon(lambda known=known: len(ledger.acknowledged) > known + 50)  # type: ignore[misc]
            await postgres.stop(how)
            await asyncio.sleep(generator.uniform(0, 0.5))
            await postgres.start()
            await soon(lambda: log.health.ok)
        going = False
        await asyncio.gather(*writers)
        await postgres.stop()
        await soon(lambda: not log.health.ok)
        async with asyncio.timeout(15):
            await log.close()
        await postgres.start()
        await ledger.check(url)
