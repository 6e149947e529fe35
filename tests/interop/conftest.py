from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from served import Server
from stock import CLIENTS, Agent


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("served") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def agents() -> Iterator[Callable[[str], Agent]]:
    """One Node process for each client version; tests share it, each with its own documents."""
    started: dict[str, Agent] = {}

    def get(client: str) -> Agent:
        if client not in started:
            started[client] = Agent(client)
        return started[client]

    yield get
    for agent in started.values():
        agent.kill()


@pytest.fixture(params=CLIENTS)
def agent(request: pytest.FixtureRequest, agents: Callable[[str], Agent]) -> Agent:
    return agents(request.param)


_numbers = itertools.count(1)


@pytest.fixture
def document(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A document name of this test's own."""
    return f"doc/{request.node.originalname}-{next(_numbers)}"
