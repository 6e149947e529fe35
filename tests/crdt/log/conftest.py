from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crdt.log.sqlite import SqliteLog


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(tmp_path)
    await log.open()
    yield log
    await log.close()
