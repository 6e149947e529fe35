"""PostgreSQL and Valkey for tests: real ones, one of each for a whole run of tests in one process.

postgres   the PostgreSQL that all tests of this process share: leave it running
database   the URL of a fresh database of the test's own
valkey     the Valkey that all tests of this process share, emptied for the test: leave it running
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from load.backing import PostgreSQL, Valkey
from load.backing.process import Process

__all__ = ["database", "finished", "postgres", "shared_valkey", "valkey"]

T = TypeVar("T")
Server = TypeVar("Server", bound=Process)


def finished(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, run in a thread of its own: it meets no loop of the tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    finished(server.__aenter__())
    try:
        yield server
    finally:
        finished(server.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    with _running(PostgreSQL()) as server:
        yield server


@pytest.fixture
def database(postgres: PostgreSQL) -> Iterator[str]:
    url = finished(postgres.create_database())
    yield url
    finished(postgres.drop_database(url.rpartition("/")[2]))


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    with _running(Valkey()) as server:
        yield server


@pytest.fixture
def valkey(shared_valkey: Valkey) -> Valkey:
    finished(shared_valkey.flushall())
    return shared_valkey
