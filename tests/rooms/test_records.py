"""The records: upgrades, and transactions that tell of changes only when they are durable."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, func, insert, select
from village import Village

from rooms import migrations, schema
from rooms.access import Change, Changes
from rooms.records import Records, Writing


def test_upgrading_from_nothing_gives_exactly_the_schema(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'records.sqlite3'}")
    with engine.begin() as connection:
        migrations.upgrade(connection)
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": "records_version"}
        )
        assert compare_metadata(context, schema.metadata) == []
        assert checks_of(connection) == checks_of_schema()
    engine.dispose()


def checks_of(connection: Connection) -> set[str]:
    rows = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'table'").scalars()
    text = " ".join(rows)
    return {name for name in checks_of_schema() if f"CONSTRAINT {name} CHECK" in text}


def checks_of_schema() -> set[str]:
    from sqlalchemy import CheckConstraint

    return {
        str(constraint.name)
        for table in schema.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }


async def test_opening_twice_upgrades_once_and_keeps_the_pepper(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'records.sqlite3'}"
    first = await Records.open(url, Changes())
    await first.close()
    second = await Records.open(url, Changes())
    await second.close()
    assert first.pepper == second.pepper
    assert len(first.pepper) == 32


async def test_commits_are_durable_and_foreign_keys_hold(village: Village) -> None:
    from sqlalchemy import text

    async with village.services.records.reading() as tx:
        assert await tx.value(text("PRAGMA journal_mode")) == "wal"
        assert await tx.value(text("PRAGMA synchronous")) == 2
        assert await tx.value(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize("url", ["postgresql://host/db", "sqlite://", "sqlite:///", "records.sqlite3"])
async def test_another_kind_of_database_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///FILE"):
        await Records.open(url, Changes())


async def test_a_broken_file_fails_the_start_and_leaves_nothing_open(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite3"
    file.write_bytes(b"this is no database" * 1000)
    with pytest.raises(Exception, match="not a database"):
        await Records.open(f"sqlite:///{file}", Changes())


async def test_changes_are_published_after_the_commit(village: Village) -> None:
    records, seen = village.services.records, []

    def listener(change: Change) -> None:
        with sqlite3.connect(records_file(records)) as outside:
            seen.append((change.kind, outside.execute("SELECT count(*) FROM countries").fetchone()[0]))
        outside.close()

    unsubscribe = village.services.changes.subscribe(listener)
    async with records.writing() as tx:
        await add_country(tx, "FR")
        tx.publish(Change("country"))
        assert seen == []
    unsubscribe()
    assert seen == [("country", 3)]


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


def records_file(records: Records) -> str:
    return str(records._engine.url.database)
