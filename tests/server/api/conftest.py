from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from village import build
from village_site import Site, open_site


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


@pytest.fixture
async def site(built_site: Path, tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(built_site, tmp_path / "data", api_rate=1_000.0, api_burst=10_000) as opened:
        yield opened
