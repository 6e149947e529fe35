from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from log_engines import Engine, PostgresEngine, SqliteEngine

from crdt.log import Log


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return SqliteEngine(tmp_path)
    return PostgresEngine(request.getfixturevalue("database"))


@pytest.fixture
async def log(engine: Engine) -> AsyncIterator[Log]:
    log = engine.log()
    await log.open()
    yield log
    await log.close()
