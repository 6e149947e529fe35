"""Changes reach every process on the records: once, in the order of their commits, or as "ask anew"."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text, update
from village import Village

from rooms.faults import RecordsUnavailable
from rooms.rights.access import Change, Changes
from rooms.storage import outbox
from rooms.storage.databases import Transaction
from rooms.storage.following import ChangeFollower
from rooms.storage.outbox import KEPT_SECONDS
from rooms.storage.records import Records
from rooms.storage.schema import changes
from server.cli import main


@asynccontextmanager
async def another(url: str) -> AsyncIterator[tuple[Records, list[Change]]]:
    """Another process on the same records, and what it hears."""
    told = Changes()
    heard: list[Change] = []
    told.subscribe(heard.append)
    records = await Records.open(url, told)
    try:
        yield records, heard
    finally:
        await records.close()


async def tell(records: Records, *told: Change) -> None:
    async with records.writing() as tx:
        for change in told:
            tx.publish(change)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


LOCK = Change("lock", document="page/x", space="s", notice=("pages",))
LOG_OUT = Change("logged-out", person="p", session="x")


async def test_a_change_reaches_the_other_process_and_is_not_heard_twice_at_home(village: Village) -> None:
    home = village.services.records
    async with another(village.url) as (away, heard):
        here, there = ChangeFollower(home, every=0.02), ChangeFollower(away, every=0.02)
        async with here.running(), there.running():
            await tell(home, LOCK, LOG_OUT)
            assert village.changes == [LOCK, LOG_OUT], "at once"
            await until(lambda: heard == [LOCK, LOG_OUT])
            await tell(away, LOCK)
            await until(lambda: village.changes == [LOCK, LOG_OUT, LOCK])
            await asyncio.sleep(0.1)
    assert heard == [LOCK, LOG_OUT, LOCK]
    assert village.changes == [LOCK, LOG_OUT, LOCK]


async def test_what_the_services_publish_is_what_others_hear(village: Village) -> None:
    async with another(village.url) as (away, heard), ChangeFollower(away, every=0.02).running():
        services, founder = village.services, village.person("founder")
        await services.pages.lock(founder, village.facts.pages["open"], "Wait.", None)
        await services.members.remove(founder, village.member("pal"))
        await services.people.reset_code(village.person("teacher"), village.person("student"))
        await services.spaces.freeze(founder, village.space, frozen=True)
        await until(lambda: len(heard) == len(village.changes))
    assert heard == village.changes
    assert {change.kind for change in heard} == {"lock", "removed", "frozen"}


async def test_a_look_in_the_middle_of_an_own_commit_neither_doubles_nor_loses_it(village: Village) -> None:
    records, go = village.services.records, asyncio.Event()
    start, database, commit = await records.last_change(), records._database, records._database.commit

    async def slow(transaction: Transaction) -> None:
        await commit(transaction)
        await go.wait()

    database.commit = slow
    telling = asyncio.create_task(tell(records, LOCK))
    async with another(village.url) as (away, _):
        async with asyncio.timeout(5):
            while await away.last_change() == start:
                await asyncio.sleep(0.01)
        look = await records.changes_since(start)
        assert (look.changes, look.last) == ([], start), "not read on before it is known who tells of it"
        assert (await away.changes_since(start)).changes == [LOCK]
    go.set()
    await telling
    assert village.changes == [LOCK]
    look = await records.changes_since(start)
    assert (look.changes, look.last) == ([], await records.last_change())


async def test_who_is_woken_looks_at_once(village: Village) -> None:
    async with another(village.url) as (away, heard):
        follower = ChangeFollower(away, every=3600)
        numbers: list[int] = []
        forget = village.services.records.on_commit(numbers.append)
        async with follower.running():
            await tell(village.services.records, LOCK)
            await asyncio.sleep(0.1)
            assert heard == []
            follower.wake(numbers[-1])
            await until(lambda: heard == [LOCK])
            follower.wake(numbers[-1])
            assert not follower._woken.is_set(), "it has been seen"
            assert follower.age < 5
        forget()
        await tell(village.services.records, LOCK)
        assert len(numbers) == 1


async def test_a_failing_listener_holds_nobody_up(village: Village) -> None:
    records, numbers = village.services.records, []

    def fail(_: int) -> None:
        raise ZeroDivisionError

    for listener in (fail, numbers.append):
        records.on_commit(listener)
    await tell(records, LOCK)
    assert numbers == [await records.last_change()]


async def test_nothing_is_told_of_what_was_rolled_back(village: Village) -> None:
    records = village.services.records
    start = await records.last_change()
    with pytest.raises(ZeroDivisionError):
        async with records.writing() as tx:
            tx.publish(LOCK)
            raise ZeroDivisionError
    assert await records.last_change() == start


async def test_numbers_are_in_the_order_of_commits(village: Village) -> None:
    """A reader that has seen a number never meets a smaller one later, however many nodes write."""
    chance = random.Random(7)
    async with another(village.url) as (one, _), another(village.url) as (two, _):
        writers = [village.services.records, one, two]
        start = await writers[0].last_change()
        done = asyncio.Event()
        seen: list[int] = []

        async def read() -> None:
            async with another(village.url) as (reader, _):
                last = False
                while not last:
                    last = done.is_set()
                    async with reader.reading() as tx:
                        rows = await tx.all(
                            select(changes.c.seq).where(changes.c.seq > max(seen, default=start))
                        )
                    seen.extend(sorted(row["seq"] for row in rows))

        async def write(records: Records) -> None:
            for _ in range(25):
                with suppress(ZeroDivisionError):
                    async with records.writing() as tx:
                        await outbox.put(tx, "elsewhere", [LOCK], records._database.now)
                        await asyncio.sleep(chance.choice((0.0, 0.0, 0.002)))
                        if chance.random() < 0.2:
                            raise ZeroDivisionError  # on PostgreSQL its number is used up

        reading = asyncio.create_task(read())
        await asyncio.gather(*(write(records) for records in writers))
        done.set()
        await reading
        async with one.reading() as tx:
            rows = await tx.all(select(changes.c.seq).where(changes.c.seq > start).order_by(changes.c.seq))
    assert seen == [row["seq"] for row in rows]
    assert 40 < len(seen) < 75


# Missed


async def test_who_was_away_for_too_long_asks_for_everything_anew(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PRUNE_EVERY", 1)
    records = village.services.records
    async with another(village.url) as (away, heard):
        follower = ChangeFollower(away, every=0.02)
        async with follower.running():
            position = follower._seen
            await prune(records)
            await until(lambda: heard == [Change.everything()])
            heard.clear()
            await tell(records, LOG_OUT)
            await until(lambda: heard == [LOG_OUT])
        look = await away.changes_since(position)
        assert (look.gap, look.changes) == (True, [])
        assert not (await away.changes_since(look.last)).gap
    async with records.reading() as tx:
        assert await tx.value(select(func.count()).select_from(changes)) == 2, "one old, one new"


async def prune(records: Records) -> None:
    """A transaction that leaves the last of the old changes, and nothing else."""
    async with records.writing() as tx:
        for _ in range(3):
            await outbox.put(tx, "elsewhere", [LOCK], records._database.now)
        await tx.do(update(changes).values(at=changes.c.at - KEPT_SECONDS - 1))
        number = await outbox.put(tx, "elsewhere", [LOCK], records._database.now)
        await tx.do(changes.delete().where(changes.c.seq == number))


async def test_young_changes_are_kept_whatever_the_clock_of_a_node_says(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Age is counted by the database's clock."""
    monkeypatch.setattr(outbox, "PRUNE_EVERY", 1)
    records = village.services.records
    start = await records.last_change()
    village.clock.now += 10 * KEPT_SECONDS
    for _ in range(3):
        await tell(records, LOCK)
    async with another(village.url) as (away, _):
        assert (await away.changes_since(start)).changes == [LOCK] * 3


async def test_many_changes_are_read_in_pieces(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_AT_ONCE", 3)
    async with another(village.url) as (away, heard):
        follower = ChangeFollower(away, every=0.02)
        async with follower.running():
            for number in range(10):
                await tell(village.services.records, Change(str(number)))
            await until(lambda: [change.kind for change in heard] == [str(number) for number in range(10)])


async def test_a_backup_that_was_restored_is_noticed(village: Village) -> None:
    records = village.services.records
    look = await records.changes_since(await records.last_change() + 1_000)
    assert look.gap
    assert look.last == await records.last_change()


async def test_what_a_newer_node_tells_in_other_words_concerns_everybody(village: Village) -> None:
    async with another(village.url) as (away, heard), ChangeFollower(away, every=0.02).running():
        body = [{"kind": "lock", "document": "page/x", "only_for": "pupils"}]
        async with village.services.records.writing() as tx:
            await tx.do(changes.insert().values(at=0.0, origin="newer", body=body))
        await until(lambda: heard == [Change.everything()])


async def test_a_database_that_is_away_is_survived(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    async with another(village.url) as (away, heard):
        follower = ChangeFollower(away, every=0.02)
        async with follower.running():
            for count, error in enumerate((RecordsUnavailable("it is away"), ZeroDivisionError()), 1):
                with monkeypatch.context() as failing:
                    failing.setattr(away, "changes_since", fails(error))
                    await asyncio.sleep(0.1)
                    age = follower.age
                    await tell(village.services.records, LOCK)
                    await asyncio.sleep(0.1)
                    assert follower.age > age, "so that others can see that it hears nothing"
                    assert len(heard) == count - 1
                await until(lambda count=count: len(heard) == count)


def fails(error: Exception) -> Callable[[int], object]:
    async def fail(_: int) -> object:
        raise error

    return fail


# Beside a running server on one SQLite file


async def test_what_a_command_does_beside_a_server_is_heard_there(
    sqlite_records: tuple[str, object], tmp_path: Path
) -> None:
    url, _ = sqlite_records
    async with (
        another(url) as (server, heard),
        ChangeFollower(server, every=0.02).running(),
        another(url) as (command, _),
    ):
        await tell(command, LOG_OUT)
        await until(lambda: heard == [LOG_OUT])
        result = await asyncio.to_thread(
            CliRunner().invoke, main, ["list", "spaces", "--data", str(tmp_path)]
        )
        assert "Two rivers" in result.stdout


async def test_numbers_do_not_come_again_on_sqlite(
    sqlite_records: tuple[str, object], tmp_path: Path
) -> None:
    url, _ = sqlite_records
    async with another(url) as (records, _):
        await tell(records, LOCK)
        last = await records.last_change()
        with sqlite3.connect(tmp_path / "records.sqlite3") as outside:
            outside.execute("DELETE FROM changes")
        outside.close()
        await tell(records, LOCK)
        assert await records.last_change() == last + 1


async def test_a_look_costs_a_large_table_nothing(database: str) -> None:
    """Every node looks every second."""
    async with another(database) as (records, _):
        async with records.writing() as tx:
            await tx.do(
                text(
                    "INSERT INTO changes (at, origin, body)"
                    " SELECT 0, 'elsewhere', '[]' FROM generate_series(1, 50000)"
                )
            )
            await tx.do(text("ANALYZE changes"))
        async with records.reading() as tx:
            plan = await tx.all(text("EXPLAIN SELECT max(seq) FROM changes"))
            later = await tx.all(text("EXPLAIN SELECT * FROM changes WHERE seq > 49990 ORDER BY seq"))
        assert all("pk_changes" in " ".join(row["QUERY PLAN"] for row in rows) for rows in (plan, later))
