"""The records: upgrades, and transactions that tell of changes only when they are durable."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from backing import finished
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError
from village import Village, open_services

from rooms.faults import RecordsUnavailable
from rooms.rights.access import Change, Changes
from rooms.services import Services
from rooms.storage import schema
from rooms.storage.clock import SharedClock
from rooms.storage.records import Reading, Records, Writing


async def test_opening_twice_upgrades_once_and_keeps_the_secrets(empty: str) -> None:
    first = await Records.open(empty, Changes())
    await first.close()
    second = await Records.open(empty, Changes())
    await second.close()
    assert (first.pepper, first.secret) == (second.pepper, second.secret)
    assert (len(first.pepper), len(first.secret)) == (32, 64)


async def test_three_nodes_that_start_at_the_same_moment_make_one_installation(empty: str) -> None:
    nodes = await asyncio.gather(*(Records.open(empty, Changes()) for _ in range(3)))
    assert len({(node.pepper, node.secret) for node in nodes}) == 1
    for node in nodes:
        await node.close()


async def test_commits_are_durable_and_foreign_keys_hold(village: Village) -> None:
    records = village.services.records
    async with records.reading() as tx:
        if village.url.startswith("sqlite"):
            assert await tx.value(text("PRAGMA journal_mode")) == "wal"
            assert await tx.value(text("PRAGMA synchronous")) == 2
        else:
            assert await tx.value(text("SHOW synchronous_commit")) == "on"
            assert await tx.value(text("SHOW fsync")) == "on"
    with pytest.raises(IntegrityError) as refused:
        async with records.writing() as tx:
            await tx.do(insert(schema.schools).values(**a_school(country="XX")))
    assert "Somewhere" not in str(refused.value), "what is in a row does not get into logs"


def a_school(country: str) -> dict[str, object]:
    text = dict.fromkeys(("id", "name", "town", "time_zone"), "Somewhere")
    return {**text, "country_code": country, "languages": [], "state": "confirmed", "created_at": 0.0}


async def test_a_commit_is_durable_whatever_the_database_is_set_to(database: str) -> None:
    """`synchronous_commit = off` would lose what was told to be saved."""
    name = database.rpartition("/")[2]
    records = await Records.open(database, Changes())
    async with records.writing() as tx:
        await tx.do(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    await records.close()
    again = await Records.open(database, Changes())
    async with again.reading() as tx:
        assert await tx.value(text("SHOW synchronous_commit")) == "on"
    await again.close()


@pytest.mark.parametrize("url", ["mysql://me:secret@host/db", "sqlite://", "sqlite:///", "records.sqlite3"])
async def test_another_kind_of_database_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///FILE or postgresql://USER@HOST/DATABASE") as refused:
        await Records.open(url, Changes())
    assert "secret" not in str(refused.value)


async def test_a_broken_file_fails_the_start_and_leaves_nothing_open(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite3"
    file.write_bytes(b"this is no database" * 1000)
    with pytest.raises(Exception, match="not a database"):
        await Records.open(f"sqlite:///{file}", Changes())


async def test_changes_are_published_after_the_commit(village: Village) -> None:
    records, seen = village.services.records, []

    def listener(change: Change) -> None:
        seen.append((change.kind, finished(countries_seen_by_others(village))))

    unsubscribe = village.services.changes.subscribe(listener)
    async with records.writing() as tx:
        await add_country(tx, "FR")
        tx.publish(Change("country"))
        assert seen == []
    unsubscribe()
    assert seen == [("country", 3)]


async def countries_seen_by_others(village: Village) -> int:
    others = await open_services(village.url, village.clock)
    try:
        async with others.records.reading() as tx:
            return int(await tx.value(select(func.count()).select_from(schema.countries)))
    finally:
        await others.close()


async def test_what_fails_half_way_changes_and_tells_nothing(village: Village) -> None:
    async def fail() -> None:
        async with village.services.records.writing() as tx:
            await add_country(tx, "FR")
            tx.publish(Change("country"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert village.changes == []
    async with village.services.records.reading() as tx:
        assert await tx.value(select(func.count()).select_from(schema.countries)) == 2


async def test_a_change_is_told_even_when_its_request_is_cancelled_in_the_commit(village: Village) -> None:
    records = village.services.records
    for pause in range(12):
        code = f"{pause:02}"

        async def write(code: str = code) -> None:
            async with records.writing() as tx:
                await add_country(tx, code)
                tx.publish(Change(code))

        task = asyncio.create_task(write())
        for _ in range(pause):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with records.reading() as tx:
        stored = {row["code"] for row in await tx.all(select(schema.countries.c.code))} - {"ES", "PT"}
    assert {change.kind for change in village.changes} == stored


async def test_writers_take_turns(village: Village) -> None:
    async def one(code: str) -> None:
        async with village.services.records.writing() as tx:
            await add_country(tx, code)

    await asyncio.gather(*(one(f"{number:02}") for number in range(50)))
    async with village.services.records.reading() as tx:
        assert await tx.value(select(func.count()).select_from(schema.countries)) == 52


async def add_country(tx: Writing, code: str) -> None:
    await tx.do(insert(schema.countries).values(code=code, name=code, languages=[], consent_age=16))


async def test_a_reader_sees_one_state_and_a_writer_what_was_written_before_it(village: Village) -> None:
    records = village.services.records
    async with records.reading() as tx:
        assert await countries(tx) == 2
        async with records.writing() as writing:
            await add_country(writing, "FR")
        assert await countries(tx) == 2
    async with records.writing() as tx:
        assert await countries(tx) == 3


async def countries(tx: Reading) -> int:
    return int(await tx.value(select(func.count()).select_from(schema.countries)))


async def test_a_reader_cannot_write(village: Village) -> None:
    if village.url.startswith("postgresql"):
        with pytest.raises(RecordsUnavailable, match="takes no changes"):
            async with village.services.records.reading() as tx:
                await tx.value(
                    insert(schema.settings).values(key="k", value="v").returning(schema.settings.c.key)
                )
    async with village.services.records.reading() as tx:
        assert await countries(tx) == 2


async def test_writers_of_several_nodes_take_turns(village: Village) -> None:
    """Each reads and then writes: with two at once some would write what others had written already."""
    nodes = [village.services, *[await open_services(village.url, village.clock) for _ in range(2)]]

    async def add_one(services: Services) -> None:
        async with services.records.writing() as tx:
            counted = int(
                await tx.value(select(schema.settings.c.value).where(schema.settings.c.key == "n")) or 0
            )
            await asyncio.sleep(0)
            await tx.put(schema.settings, [{"key": "n", "value": str(counted + 1)}])

    await asyncio.gather(*(add_one(node) for node in nodes for _ in range(20)))
    async with village.services.records.reading() as tx:
        assert await tx.value(select(schema.settings.c.value).where(schema.settings.c.key == "n")) == "60"
    for node in nodes[1:]:
        await node.close()


async def test_names_are_in_the_order_of_code_points(village: Village) -> None:
    """On both engines, whatever the locale of a PostgreSQL database."""
    names = ["Zebra", "apple", "Äpfel", "zebra", "Apple", "-dash", "_line", "éclair", "東京", "a b", "ab"]
    people, school = village.services.people, village.facts.schools["ebro"]
    await people.make_pupils(village.person("teacher"), school, village.space, names)
    listed = [pupil.name for pupil in await people.pupils(village.person("teacher"), school)]
    assert listed == sorted(listed)
    assert set(names) < set(listed)


async def test_nodes_on_postgresql_agree_on_its_time(database: str) -> None:
    """A node whose clock is an hour off would end locks an hour early."""
    records = await Records.open(database, Changes())
    assert isinstance(records.clock, SharedClock)
    async with records.reading() as tx:
        now = await tx.value(text("SELECT extract(epoch FROM clock_timestamp())::float"))
    assert records.clock() == pytest.approx(now, abs=1.0)
    records.clock._ahead += 3600
    await records.changes_since(0)
    assert records.clock() == pytest.approx(now, abs=2.0)
    await records.close()


def test_a_shared_clock_believes_no_slow_answer() -> None:
    steady = 100.0
    clock = SharedClock(lambda: steady)
    clock.told(1_000_000.0, asked=99.8, answered=100.0)
    assert clock() == pytest.approx(1_000_000.1)
    clock.told(5_000_000.0, asked=90.0, answered=100.0)
    steady = 160.0
    assert clock() == pytest.approx(1_000_060.1)
