"""Up from every version that ever landed, on both engines: nothing is lost, and the result is one schema."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, String, inspect, text
from village import PASSWORD, StillClock, open_services

from rooms.faults import RecordsUnusable
from rooms.rights.access import Changes
from rooms.storage import migrations, schema
from rooms.storage.databases import database_at
from rooms.storage.migrations import VERSION_TABLE
from rooms.storage.records import Records
from rooms.values import PersonId, SpaceId

LANDED = Path(__file__).parent / "landed"
REVISIONS = sorted(file.stem for file in LANDED.glob("*.sql"))
NOW = 1_790_000_300.0

Rows = dict[str, list[Mapping[str, Any]]]


async def fill(url: str, revision: str) -> Rows:
    """Records of that revision with its rows in them; what they hold."""
    rows: Rows = {}

    def make(connection: Connection) -> None:
        migrations.upgrade(connection, revision)
        for statement in (LANDED / f"{revision}.sql").read_text().split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        for table in set(inspect(connection).get_table_names()) - {VERSION_TABLE}:
            rows[table] = list(connection.execute(text(f"SELECT * FROM {table}")).mappings())

    database = database_at(url)
    async with database.upgrading() as connection:
        await connection.run_sync(make)
    await database.close()
    return rows


def test_every_landed_version_is_tried() -> None:
    """A new revision brings the rows it leaves with it, for those who upgrade from it one day."""
    known = ScriptDirectory.from_config(migrations.config()).walk_revisions()
    assert sorted(script.revision for script in known) == REVISIONS


@pytest.mark.parametrize("revision", REVISIONS)
async def test_rows_survive_the_way_up(empty: str, revision: str) -> None:
    before = await fill(empty, revision)
    assert before.keys() <= schema.metadata.tables.keys()
    assert all(before.values()), "each table has a row"
    records = await Records.open(empty, Changes())
    async with records.reading() as tx:
        for table, rows in before.items():
            found = [dict(row) for row in await tx.all(text(f"SELECT * FROM {table}"))]
            for row in rows:
                assert dict(row) in [{name: each[name] for name in row} for each in found], table
    assert records.pepper.hex() == next(r["value"] for r in before["settings"] if r["key"] == "pepper")
    await records.close()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_people_go_on_where_they_were(empty: str, revision: str) -> None:
    await fill(empty, revision)
    services = await open_services(empty, StillClock(NOW))
    pupil = await services.sessions.log_in_with_code("brave otter lemon train cloud", address="")
    ana = await services.sessions.log_in_with_password("ana@school.example", PASSWORD, address="")
    assert (pupil.principal.person, ana.principal.person) == ("otter", "ana")
    space = await services.spaces.get(PersonId("otter"), SpaceId("rivers"))
    assert {room.title: room.members for room in space.rooms} == {"General": [], "Team": ["member-otter"]}
    assert (space.frozen, space.languages) == (False, ["es", "pt"])
    access = await services.authority.access(ana.principal, "page/top")
    assert (access.reason, access.note, access.until) == ("locked", "Read it.", 1_890_000_000.5)
    assert [page.title for page in await services.pages.bin_of(PersonId("ana"), SpaceId("rivers"))] == [
        "Sources"
    ]
    pages = await services.pages.of_space(PersonId("otter"), SpaceId("rivers"))
    boards = {"Our ideas": "board"} if revision >= "0007" else {}
    assert {page.title: page.kind for page in pages} == {"Our promise": "page", **boards}
    await services.people.set_language(PersonId("otter"), "cnr-Latn-ME")
    await services.close()


async def test_changes_are_numbered_on_after_an_upgrade(empty: str) -> None:
    await fill(empty, "0002")
    if empty.startswith("postgresql"):  # rows with numbers of their own do not advance its sequence
        records = await Records.open(empty, Changes())
        async with records.writing() as tx:
            await tx.value(text("SELECT setval('changes_seq_seq', 5)"))
        await records.close()
    records = await Records.open(empty, Changes())
    look = await records.changes_since(4)
    assert [change.document for change in look.changes] == ["page/top"]
    assert (await records.changes_since(3)).gap, "what came before 5 is not there any more"
    async with records.writing() as tx:
        tx.publish(look.changes[0])
    assert await records.last_change() == 6
    await records.close()


@pytest.mark.parametrize("revision", REVISIONS)
async def test_every_way_up_ends_in_the_one_schema(empty: str, revision: str) -> None:
    await fill(empty, revision)

    def compare(connection: Connection) -> None:
        migrations.upgrade(connection)
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, schema.metadata) == []
        found = inspect(connection)
        for table in schema.metadata.sorted_tables:
            wanted = {str(each.name) for each in table.constraints if isinstance(each, CheckConstraint)}
            assert {each["name"] for each in found.get_check_constraints(table.name)} == wanted
            if connection.dialect.name == "postgresql":
                texts = [c["type"] for c in found.get_columns(table.name) if isinstance(c["type"], String)]
                assert all(kind.collation == "C" for kind in texts), table.name

    database = database_at(empty)
    async with database.upgrading() as connection:
        await connection.run_sync(compare)
    await database.close()


async def test_records_of_a_newer_version_are_refused_and_left_alone(empty: str) -> None:
    await fill(empty, REVISIONS[-1])
    database = database_at(empty)
    async with database.upgrading() as connection:
        await connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(RecordsUnusable, match="a newer version of TwinSpace: they are at revision 9999"):
        await Records.open(empty, Changes())
    async with database.upgrading() as connection:
        found = await connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}")
        assert found.scalar() == "9999"
    await database.close()
