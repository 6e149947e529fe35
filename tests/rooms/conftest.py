from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from backing import finished
from village import Facts, Village, build, copy, furnish, open_village

from load.backing import PostgreSQL
from rooms.storage.schema import metadata


@pytest.fixture(scope="session")
def built_village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("village")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def built_database(postgres: PostgreSQL) -> tuple[str, Facts]:
    """The village in a database, and beside its tables, in the schema "first", what was in them."""
    url = finished(postgres.create_database("village"))
    facts = finished(furnish(url))
    copies = "".join(f"CREATE TABLE first.{table} AS TABLE {table};" for table in metadata.tables)
    finished(postgres.execute(f"CREATE SCHEMA first; {copies}", "village"))
    return url, facts


@pytest.fixture
def sqlite_records(built_village: Path, tmp_path: Path) -> tuple[str, Facts]:
    facts = copy(built_village, tmp_path)
    return f"sqlite:///{tmp_path / 'records.sqlite3'}", facts


@pytest.fixture
def postgres_records(postgres: PostgreSQL, built_database: tuple[str, Facts]) -> tuple[str, Facts]:
    """One database, put back to how it was: to copy one takes ten times as long."""
    rows = "".join(
        f"DELETE FROM {table}; INSERT INTO {table} TABLE first.{table};" for table in metadata.tables
    )
    finished(postgres.execute(f"SET session_replication_role = replica; {rows}", "village"))
    return built_database


@pytest.fixture(params=["sqlite", "postgres"])
def village_records(request: pytest.FixtureRequest) -> tuple[str, Facts]:
    """The same on both engines: no test may see a difference."""
    found: tuple[str, Facts] = request.getfixturevalue(f"{request.param}_records")
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where records can be made, on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.sqlite3'}"
    return str(request.getfixturevalue("database"))


@pytest.fixture
async def village(village_records: tuple[str, Facts]) -> AsyncIterator[Village]:
    async with open_village(*village_records) as opened:
        yield opened
