from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from village import Village, build, open_village


@pytest.fixture(scope="session")
def built_village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("village")
    build(folder)
    return folder


@pytest.fixture
async def village(built_village: Path, tmp_path: Path) -> AsyncIterator[Village]:
    async with open_village(built_village, tmp_path) as opened:
        yield opened
