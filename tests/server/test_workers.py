"""`twinspace serve --workers N`: one port, N processes, each a node; real PostgreSQL, real Valkey."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import psutil
import pytest
from served import Server

from load.backing import Valkey
from load.client import Client
from server.tokens import read_secret

WORKERS = 3


@pytest.fixture
def server(tmp_path: Path, database: str, valkey: Valkey) -> Iterator[Server]:
    data = tmp_path / "data"
    read_secret(data, None)
    options = ("--database", database, "--redis", valkey.url, "--secret-file", str(data / "secret"))
    with Server(data, *options, "--workers", str(WORKERS)) as started:
        yield started


def workers(server: Server) -> list[psutil.Process]:
    """The processes that listen on the server's port."""
    port = int(server.http.rpartition(":")[2])
    found = []
    for child in psutil.Process(server.pid).children():
        with suppress(psutil.Error):  # it may end while we look
            listening = [each for each in child.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
            if any(each.laddr.port == port for each in listening):
                found.append(child)
    return found


@asynccontextmanager
async def clients(server: Server, count: int, document: str = "notes") -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                Client(f"{server.ws}/collab", document, token=server.token(document, subject=f"c{number}"))
            )
            for number in range(count)
        ]


def served_by(server: Server) -> set[int]:
    """Process ids of the workers that have a socket open."""
    port = int(server.http.rpartition(":")[2])
    return {
        worker.pid
        for worker in workers(server)
        for each in worker.net_connections("tcp")
        if each.status == psutil.CONN_ESTABLISHED and each.laddr.port == port
    }


async def until(true, seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def test_clients_of_all_workers_write_one_document(server: Server) -> None:
    async with clients(server, 12) as writers:
        assert len(served_by(server)) > 1
        for number, writer in enumerate(writers):
            writer.text("t").insert(0, f"{number} ")
        for writer in writers:
            await writer.acknowledged()
        words = {str(number) for number in range(len(writers))}
        await until(lambda: all(set(str(each.text("t")).split()) == words for each in writers))
        assert len({str(each.text("t")) for each in writers}) == 1
        async with aiohttp.ClientSession() as http, http.get(f"{server.http}/metrics") as answer:
            told = await answer.text()
    found = re.search(r"^twinspace_connections(?:\{\})? (\S+)$", told, re.MULTILINE)
    assert found, told
    assert float(found[1]) == 12


async def test_a_worker_that_is_killed_loses_nothing_and_another_takes_its_place(server: Server) -> None:
    async with clients(server, 8) as writers:
        before = {worker.pid for worker in workers(server)}
        assert len(before) == WORKERS
        for writer in writers:
            writer.text("t").insert(0, "x")
        for writer in writers:
            await writer.acknowledged()
        victim = next(iter(served_by(server)))
        os.kill(victim, signal.SIGKILL)
        await until(lambda: len({worker.pid for worker in workers(server)} - {victim}) == WORKERS)
        for writer in writers:
            writer.text("t").insert(0, "y")
        for writer in writers:
            await writer.acknowledged()
        await until(lambda: {str(each.text("t")) for each in writers} == {"y" * 8 + "x" * 8})
        assert "another starts" in server.said()


def test_all_of_them_end_with_the_one_that_started_them(server: Server) -> None:
    family = psutil.Process(server.pid).children(recursive=True)
    assert len(workers(server)) == WORKERS
    server.stop()
    assert all_gone(family, 1.0)


def test_none_of_them_outlives_it_when_it_is_killed(server: Server) -> None:
    family = psutil.Process(server.pid).children(recursive=True)
    server.kill()
    assert all_gone(family, 10.0)


def all_gone(family: list[psutil.Process], seconds: float) -> bool:
    """Whether all have ended by then; the first process of a container may never reap orphans."""
    deadline = time.monotonic() + seconds
    while any(runs(each) for each in family):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_port_that_is_taken_is_one_sentence(server: Server, tmp_path: Path) -> None:
    port = server.http.rpartition(":")[2]
    again = Server(tmp_path / "again", *server.options)
    with pytest.raises(AssertionError, match="in use"):
        again.start(int(port))
