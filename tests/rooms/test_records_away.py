"""A PostgreSQL that is away, silent, or lost in a commit: a clear error in time, and never a guess."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from backing import finished

from load.backing import PostgreSQL
from load.faults.proxy import Direction, FaultProxy
from rooms.documents.errors import Unavailable
from rooms.faults import RecordsUnavailable, RecordsUnusable
from rooms.rights.access import Change, Changes
from rooms.storage.databases import Transaction
from rooms.storage.databases import postgres as engine
from rooms.storage.following import ChangeFollower
from rooms.storage.records import Records
from rooms.storage.schema import settings
from server.api.errors import to_api_error


@pytest.fixture
async def line(postgres: PostgreSQL, database: str) -> AsyncIterator[FaultProxy]:
    """Between a node and the database."""
    finished(made(database))
    async with FaultProxy(postgres.port, seed=1) as proxy:
        yield proxy


async def made(url: str) -> None:
    await (await Records.open(url, Changes())).close()


@pytest.fixture
async def records(line: FaultProxy, database: str) -> AsyncIterator[Records]:
    """A node behind the line."""
    opened = await Records.open(line.through(database), Changes())
    yield opened
    await line.heal()
    await opened.close()


async def write(records: Records, key: str = "key", patience: float | None = None) -> None:
    async with records.writing(patience) as tx:
        await tx.put(settings, [{"key": key, "value": "written"}])
        tx.publish(Change(key))


async def keys(records: Records) -> set[str]:
    async with records.reading() as tx:
        return {row["key"] for row in await tx.all(settings.select())} - {"pepper", "token-secret"}


async def is_written(url: str, key: str) -> bool:
    """As a third party sees it."""
    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("SELECT count(*) FROM settings WHERE key = $1", key))
    finally:
        await connection.close()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await true():
            await asyncio.sleep(0.02)


# Away


async def test_a_database_that_is_started_anew_or_killed_is_survived() -> None:
    async with PostgreSQL() as server:
        records = await Records.open(await server.create_database(), Changes())
        await asyncio.gather(*(keys(records) for _ in range(5)))  # the pool is full of old connections
        await server.restart()
        await write(records, "one")
        await asyncio.gather(*(keys(records) for _ in range(5)))
        await server.kill()
        for _ in range(2):
            with pytest.raises(RecordsUnavailable, match="cannot be reached"):
                await keys(records)
            with pytest.raises(RecordsUnavailable):
                await write(records, "two")
            assert records.trouble
        await server.start()
        await write(records, "three")
        assert await keys(records) == {"one", "three"}
        assert records.trouble == ""
        await records.close()


async def test_the_api_says_try_later_and_sockets_too() -> None:
    error = RecordsUnavailable("the database cannot be reached")
    answer = to_api_error(error)
    assert answer is not None
    assert (answer.status, answer.code) == (503, "unavailable")
    assert "Retry-After" in answer.headers
    assert isinstance(error, Unavailable), "a socket is closed with 1013 for it"


async def test_a_silent_database_is_an_error_for_everybody_within_ten_seconds(
    line: FaultProxy, records: Records
) -> None:
    await asyncio.gather(*(keys(records) for _ in range(5)))
    line.blackhole = True
    began = time.monotonic()
    got = await asyncio.gather(
        *(keys(records) for _ in range(20)), *(write(records) for _ in range(20)), return_exceptions=True
    )
    assert {type(each) for each in got} == {RecordsUnavailable}
    assert time.monotonic() - began < 10
    began = time.monotonic()
    with pytest.raises(RecordsUnavailable, match="does not answer"):
        await keys(records)
    assert time.monotonic() - began < 8, "a new connection is given up sooner"
    await line.heal()
    assert await keys(records) == set()
    await write(records)


async def test_a_reader_in_the_middle_of_its_transaction_learns_it_too(
    line: FaultProxy, records: Records
) -> None:
    with pytest.raises(RecordsUnavailable, match="cannot be reached"):
        async with records.reading() as tx:
            await tx.all(settings.select())
            line.reset()
            await asyncio.sleep(0.05)
            await tx.all(settings.select())
    assert await keys(records) == set()


async def test_a_frozen_node_holds_the_others_up_for_five_seconds_at_most(
    line: FaultProxy, records: Records, database: str
) -> None:
    other = await Records.open(database, Changes())
    held, woken = asyncio.Event(), asyncio.Event()

    async def freeze() -> None:
        async with records.writing() as tx:
            await tx.put(settings, [{"key": "frozen", "value": "written"}])
            line.blackhole = True
            held.set()
            await woken.wait()

    frozen = asyncio.create_task(freeze())
    await held.wait()
    began = time.monotonic()
    await write(other, "other")
    assert engine.IDLE_SECONDS - 1 < time.monotonic() - began < engine.LOCK_SECONDS
    woken.set()
    await line.heal()
    with pytest.raises(RecordsUnavailable):
        await frozen
    assert await keys(other) == {"other"}
    await other.close()


async def test_who_has_no_patience_is_not_kept_by_a_writer_elsewhere(records: Records, database: str) -> None:
    other = await Records.open(database, Changes())
    async with other.writing():
        began = time.monotonic()
        with pytest.raises(RecordsUnavailable):
            await write(records, patience=0.2)
        assert time.monotonic() - began < engine.IDLE_SECONDS
        assert records.trouble == "", "that is no trouble"
        assert await keys(records) == set(), "readers read on"
    await other.close()
    await write(records, patience=0.2)


async def test_a_node_that_runs_on_while_another_upgrades_the_tables_goes_on(
    records: Records, postgres: PostgreSQL, database: str
) -> None:
    await asyncio.gather(*(keys(records) for _ in range(3)))
    longer = 'ALTER TABLE settings ALTER COLUMN key TYPE varchar(80) COLLATE "C", ADD COLUMN newer integer'
    await postgres.execute(longer, database.rpartition("/")[2])
    with pytest.raises(RecordsUnavailable, match="has just been upgraded"):
        await keys(records)
    for _ in range(5):
        assert await keys(records) == set()
    await write(records)


# Commits whose answer is lost


async def test_a_commit_that_happened_without_an_answer_is_found_out_and_told(
    line: FaultProxy, records: Records, database: str
) -> None:
    heard: list[str] = []
    records.changes.subscribe(lambda change: heard.append(change.kind))

    async def happens() -> None:
        async with records.writing() as tx:
            await tx.put(settings, [{"key": "key", "value": "written"}])
            tx.publish(Change("key"))
            cut_at_commit(records, line.down)

    commit = asyncio.create_task(happens())
    await until(lambda: is_written(database, "key"))
    line.reset()
    await line.heal()
    await commit
    assert heard == ["key"]


async def test_a_commit_that_never_arrived_is_an_error_and_changes_nothing(
    line: FaultProxy, records: Records, database: str
) -> None:
    heard: list[str] = []
    records.changes.subscribe(lambda change: heard.append(change.kind))

    async def is_lost() -> None:
        async with records.writing() as tx:
            await tx.put(settings, [{"key": "key", "value": "written"}])
            tx.publish(Change("key"))
            cut_at_commit(records, line.up)

    commit = asyncio.create_task(is_lost())
    async with asyncio.timeout(10):
        while not line.up.blackhole:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    line.reset()
    await line.heal()
    with pytest.raises(RecordsUnavailable):
        await commit
    assert not await is_written(database, "key")
    assert heard == []
    await write(records)


async def test_what_cannot_be_found_out_is_told_when_it_is_read(
    line: FaultProxy, records: Records, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost and the database stays silent: no guess, but the change reaches this node too."""
    for name in ("COMMIT_SECONDS", "SETTLE_SECONDS", "CONNECT_SECONDS"):
        monkeypatch.setattr(engine, name, 0.3)
    heard: list[str] = []
    records.changes.subscribe(lambda change: heard.append(change.kind))
    follower = ChangeFollower(records, every=0.02)
    async with follower.running():
        with pytest.raises(RecordsUnavailable, match="not known"):
            async with records.writing() as tx:
                await tx.put(settings, [{"key": "key", "value": "written"}])
                tx.publish(Change("key"))
                cut_at_commit(records, line.down)
        await line.heal()
        await until(lambda: is_written(database, "key"))
        async with asyncio.timeout(5):
            while heard != ["key"]:
                await asyncio.sleep(0.02)
        await write(records, "next")
        await asyncio.sleep(0.2)
    assert heard == ["key", "next"]


def cut_at_commit(records: Records, way: Direction) -> None:
    """Nothing passes that way from the moment when COMMIT is sent; everything before it did."""
    database, commit = records._database, records._database.commit

    async def cut(transaction: Transaction) -> None:
        way.blackhole = True
        del database.commit
        await commit(transaction)

    database.commit = cut


# What cannot hold the records at all


async def test_a_database_without_room_for_every_name_is_refused(postgres: PostgreSQL) -> None:
    await postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(RecordsUnusable, match="keeps text as LATIN1"):
        await Records.open(postgres.url_of("latin"), Changes())
    await postgres.drop_database("latin")


async def test_why_it_cannot_be_opened_is_said_in_full(postgres: PostgreSQL, database: str) -> None:
    for url, says in (
        (postgres.url_of("nowhere"), 'database "nowhere" does not exist'),
        (f"postgresql://me:secret@127.0.0.1:{postgres.port}/postgres", 'role "me" does not exist'),
        (database + "?sslmode=require", "rejected SSL"),
    ):
        with pytest.raises(RecordsUnavailable, match=says) as refused:
            await Records.open(url, Changes())
        assert "secret" not in str(refused.value)


async def test_urls_are_read_as_libpq_reads_them(postgres: PostgreSQL, database: str) -> None:
    name = database.rpartition("/")[2]
    url = f"postgresql:///{name}?host=127.0.0.1&port={postgres.port}&user=twinspace&sslmode=disable"
    await (await Records.open(url, Changes())).close()
