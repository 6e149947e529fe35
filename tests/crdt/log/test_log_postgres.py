"""What only the log on PostgreSQL promises: what it makes of its database's troubles."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator

import asyncpg
import pytest
from log_engines import PAGE, PostgresEngine, entry
from typists import Typist, soon

from crdt.errors import LogUnavailable
from crdt.log import LogHealth, LogSettings
from crdt.log.postgres import PostgresLog, schema
from load.backing import PostgreSQL

Other = asyncpg.Connection


@pytest.fixture
async def log(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostgresLog]:
    monkeypatch.setattr("crdt.log.postgres.writer.PROBE_SECONDS", 0.1)
    log = PostgresLog(database, LogSettings(stalled_seconds=0.5), patience=3.0)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def other(database: str) -> AsyncIterator[Other]:
    """Somebody else in the same database."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def test_a_database_that_becomes_a_standby_takes_no_edits_and_says_so(
    log: PostgresLog, other: Other, database: str
) -> None:
    name = database.rpartition("/")[2]
    await other.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    )
    await soon(lambda: log.health.code == "read-only")
    with pytest.raises(LogUnavailable):
        await log.append(entry())
    await other.execute("SET default_transaction_read_only = off")
    await other.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await soon(lambda: log.health.ok)
    assert await log.append(entry()) == 1


async def test_nothing_is_acknowledged_that_is_not_on_the_standby_it_waits_for() -> None:
    """Commits wait for a synchronous standby that is not there. Cancelled by hand, PostgreSQL calls them a
    success, with a warning; we do not."""
    async with PostgreSQL() as postgres:
        url = await postgres.create_database()
        log = PostgresLog(url, patience=2.0)
        await log.open()
        await log.append(entry(update=b"1"))
        await postgres.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        await postgres.execute("SELECT pg_reload_conf()")
        await asyncio.sleep(0.3)
        appended = log.append(entry(update=b"2"))
        connection = await asyncpg.connect(url)
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%append%'"
        async with asyncio.timeout(10):
            while (pid := await connection.fetchval(waiting)) is None:
                await asyncio.sleep(0.02)
        await connection.fetchval("SELECT pg_cancel_backend($1)", pid)
        await soon(lambda: not log.health.ok)
        assert await connection.fetchval("SELECT head_seq FROM log.documents") == 2, "it is to be seen"
        await asyncio.sleep(3)
        assert not appended.done(), "but its author is told nothing"
        with pytest.raises(LogUnavailable):
            await log.load(PAGE)
        await postgres.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await connection.fetchval("SELECT pg_reload_conf()")
        assert await asyncio.wait_for(appended, 20) == 2
        await soon(lambda: log.health.ok)
        assert await log.append(entry(update=b"3")) == 3
        await connection.close()
        await log.close()


async def test_the_longest_names_are_stored_and_found(log: PostgresLog, database: str) -> None:
    """Longer than what PostgreSQL can index."""
    names = ["\N{WOMAN}" * 1024, "\N{WOMAN}" * 1023 + "\N{MAN}", "x" * 1024]
    subject = "token:" + "\N{MAN}" * 5000
    for name in names:
        assert await log.append(entry(name, subject=subject)) == 1
    assert [(await log.load(name)).head_seq for name in names] == [1, 1, 1]
    assert set(await log.heads(names)) == set(names)
    assert [each.subject async for each in log.history(names[0])] == [subject]
    for name in ("", "a\0b", "\ud800", "x" * 1025):
        assert not await log.exists(name)
        assert (await log.load(name)).head_seq == 0
        assert [each async for each in log.history(name)] == []


@pytest.mark.parametrize(
    "bad",
    [entry(subject="a\0b"), entry(subject="\ud800"), entry(epoch=2**31), entry(at=float("nan"))],
)
async def test_what_the_database_would_refuse_meets_no_others(log: PostgresLog, bad) -> None:
    with pytest.raises(ValueError, match=r".+"):
        log.append(bad)
    with pytest.raises(ValueError, match="at most 200"):
        await log.seed(PAGE, Typist(1).type("x"), "m" * 201, "server:seed")
    assert await log.append(entry()) == 1
    assert log.figures.failures == 0


async def test_a_document_that_somebody_locks_stalls_the_log_and_then_all_of_it_flows(
    log: PostgresLog, other: Other
) -> None:
    heard: list[str] = []
    log.on_health(lambda health: heard.append(health.code))
    await log.append(entry(update=b"before"))
    async with other.transaction():
        await other.fetch("SELECT FROM log.documents FOR UPDATE")
        waiting = [log.append(entry(update=b"%d" % number)) for number in range(50)]
        await soon(lambda: log.health.code == "stalled")
        assert (await log.load(PAGE)).tail == (b"before",)
        assert not any(each.done() for each in waiting)
    assert await asyncio.gather(*waiting) == list(range(2, 52))
    await soon(lambda: log.health.ok)
    assert heard == ["stalled", "ok"]


async def test_a_lock_that_is_held_too_long_is_a_failure_that_heals(log: PostgresLog, other: Other) -> None:
    await log.append(entry(update=b"before"))
    async with other.transaction():
        await other.fetch("SELECT FROM log.documents FOR UPDATE")
        with pytest.raises(LogUnavailable) as refused:
            await log.append(entry(update=b"lost"))
        assert refused.value.code == "busy"
        await soon(lambda: log.health.ok)
        assert await log.append(entry("page/other")) == 1
    assert await log.append(entry(update=b"after")) == 2
    assert (await log.load(PAGE)).tail == (b"before", b"after")


async def test_a_deadlock_is_tried_again(log: PostgresLog, other: Other) -> None:
    """The log waits for the second of two documents while its own first one is waited for."""
    first, second = sorted(("page/a", "page/b"), key=schema.key_of)
    await asyncio.gather(log.append(entry(first)), log.append(entry(second)))
    await other.execute("SET deadlock_timeout = '10s'")  # so that the log is the one to give way
    lock = "SELECT FROM log.documents WHERE name = $1 FOR UPDATE"
    transaction = other.transaction()
    await transaction.start()
    await other.fetch(lock, second)
    both = asyncio.gather(log.append(entry(first)), log.append(entry(second)))
    await asyncio.sleep(0.3)
    await other.fetch(lock, first)
    await transaction.commit()
    assert await both == [2, 2]
    assert log.figures.failures == 0


async def test_tables_that_are_gone_are_named_and_found_again(log: PostgresLog, other: Other) -> None:
    await other.execute("ALTER SCHEMA log RENAME TO elsewhere")
    with pytest.raises(LogUnavailable):
        await log.append(entry())
    assert log.health.code == "moved"
    with pytest.raises(LogUnavailable) as refused:
        await log.exists(PAGE)
    assert refused.value.code == "moved"
    await other.execute("ALTER SCHEMA elsewhere RENAME TO log")
    await soon(lambda: log.health.ok)
    assert await log.append(entry()) == 1


async def test_a_writer_that_was_forgotten_registers_again(log: PostgresLog, other: Other) -> None:
    await log.append(entry(update=b"before"))
    await other.execute("DELETE FROM log.writers")
    with pytest.raises(LogUnavailable):
        await log.append(entry(update=b"lost"))
    await soon(lambda: log.health.ok)
    assert await log.append(entry(update=b"after")) == 2
    assert (await log.load(PAGE)).tail == (b"before", b"after")


async def test_who_stops_waiting_for_a_load_takes_no_session_with_him(log: PostgresLog) -> None:
    await log.append(entry())
    for _ in range(20):
        given_up = asyncio.create_task(log.load(PAGE))
        await asyncio.sleep(0)
        given_up.cancel()
    assert (await log.load(PAGE)).head_seq == 1
    await soon(lambda: not log._sessions._running)
    assert 1 <= len(log._sessions._idle) <= 4


async def test_more_loads_at_once_than_there_are_sessions(log: PostgresLog) -> None:
    await asyncio.gather(*(log.append(entry(f"page/{number}")) for number in range(50)))
    stored = await asyncio.gather(*(log.load(f"page/{number}") for number in range(50)))
    assert [each.head_seq for each in stored] == [1] * 50
    assert len(log._sessions._idle) <= 4


async def test_health_tells_of_a_database_that_went_and_came() -> None:
    async with PostgreSQL() as postgres:
        log = PostgresLog(await postgres.create_database())
        await log.open()
        heard: list[LogHealth] = []
        log.on_health(heard.append)
        await log.append(entry())
        await log.load(PAGE)
        await postgres.stop()
        await soon(lambda: not log.health.ok)
        for reading in (log.load(PAGE), log.exists(PAGE), log.heads([PAGE]), log.compact(PAGE)):
            with pytest.raises(LogUnavailable) as refused:
                await reading
            assert refused.value.code == "unreachable"
        with pytest.raises(LogUnavailable):
            await log.append(entry())
        await postgres.start()
        await soon(lambda: log.health.ok)
        assert await log.append(entry()) == 2
        assert (await log.load(PAGE)).head_seq == 2
        assert [health.code for health in heard] == ["unreachable", "ok"]
        assert heard[0].reason.endswith(".")
        await log.close()


async def test_a_full_disk_refuses_and_goes_on_when_there_is_space_again(
    database: str, capsys: pytest.CaptureFixture[str], postgres: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of the updates lies on a file system of 4 MB, where this user may mount one."""
    monkeypatch.setattr("crdt.log.postgres.writer.PROBE_SECONDS", 0.1)
    folder = postgres.folder / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        with capsys.disabled():
            print("\n*** NOT TESTED HERE: a full disk under PostgreSQL (needs the right to mount a tmpfs)")
        return
    try:
        shutil.chown(folder, postgres.data.owner())
        log = PostgresLog(database, LogSettings(tail_updates=10**9, tail_bytes=2**60))
        await log.open()
        await postgres.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        engine = PostgresEngine(database)
        await engine.execute("ALTER TABLE updates SET TABLESPACE small")
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(2_000_000))
        stored: list[bytes] = []
        with pytest.raises(LogUnavailable) as refused:
            for number in range(3000):
                body = b"%010d" % number + bytes(1500)
                assert await log.append(entry(update=body)) == len(stored) + 1
                stored.append(body)
        assert refused.value.code == "disk-full"
        assert log.health.code == "disk-full"
        await asyncio.sleep(0.5)
        assert not log.health.ok, "a probe that fails heals nothing"
        ballast.unlink()
        await soon(lambda: log.health.ok)
        assert await log.append(entry(update=b"after")) == len(stored) + 1
        assert (await log.load(PAGE)).tail == (*stored, b"after")
        await log.close()
        await engine.execute("ALTER TABLE updates SET TABLESPACE pg_default")
        await postgres.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", str(folder)], check=True)
