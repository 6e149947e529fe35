"""`twinspace migrate`: a living installation from SQLite to PostgreSQL and back, as an operator does it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from served import COMMAND, Server

from load.client import Client
from rooms.demo.furnish import Demo, furnish
from server.config import Settings

NOTES = "notes"


def run(*words: str, ok: bool = True) -> str:
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is ok, said
    return said


def migrate(source: str, target: str, *, ok: bool = True) -> str:
    return run("migrate", "--from", source, "--to", target, ok=ok)


@pytest.fixture
def data(tmp_path: Path) -> tuple[Path, Demo]:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder, asyncio.run(furnish(Settings(data=folder).records_file))


async def log_in(server: Server, demo: Demo) -> list[str]:
    """The titles of the pages that a pupil with a printed card sees."""
    login = next(each for each in demo.logins if each.code)
    async with aiohttp.ClientSession(headers={"Origin": server.http}) as http:
        body = {"method": "code", "code": login.code}
        async with http.post(f"{server.http}/api/session", json=body) as answer:
            assert answer.status == 200, await answer.text()
            me = await answer.json()
            cookie = next(iter(answer.cookies.values()))
        headers = {"Cookie": f"{cookie.key}={cookie.value}"}
        space = me["spaces"][0]["id"]
        async with http.get(f"{server.http}/api/spaces/{space}/pages", headers=headers) as answer:
            return sorted(page["title"] for page in await answer.json())


@asynccontextmanager
async def client(server: Server, token: str) -> AsyncIterator[Client]:
    async with Client(f"{server.ws}/collab", NOTES, token=token) as opened:
        yield opened


async def read(server: Server, token: str) -> str:
    async with client(server, token) as reader:
        return str(reader.text("t"))


async def test_a_living_installation_moves_to_postgresql_and_back(
    data: tuple[Path, Demo], tmp_path: Path, database: str
) -> None:
    folder, demo = data
    embedded, back = f"sqlite:///{folder}", tmp_path / "back"
    with Server(folder, "--compaction-updates", "40") as server:
        token = server.token(NOTES)
        async with client(server, token) as writer:
            for number in range(100):
                writer.text("t").insert(0, f"{number} ")
            await writer.acknowledged()
            said = await asyncio.to_thread(migrate, embedded, database, ok=False)
            assert "stop it, and run the same command again" in said
            writer.text("t").insert(0, "written during the move ")
            await writer.acknowledged()
            words = str(writer.text("t"))
        titles = await log_in(server, demo)
    assert "Both sides are equal" in await asyncio.to_thread(migrate, embedded, database)
    assert "was moved to postgresql://" in run("serve", "--data", str(folder), "--port", "0", ok=False)

    with Server(tmp_path / "node", "--database", database) as server:
        assert await read(server, token) == words  # the token that the embedded server signed
        assert await log_in(server, demo) == titles
        said = await asyncio.to_thread(migrate, database, f"sqlite:///{back}", ok=False)
        assert "stop it" in said
        async with client(server, token) as writer:
            writer.text("t").insert(0, "written in PostgreSQL ")
            await writer.acknowledged()
    assert "Both sides are equal" in await asyncio.to_thread(migrate, database, f"sqlite:///{back}")
    assert "was moved to sqlite:///" in run(
        "serve", "--database", database, "--data", str(tmp_path / "x"), "--port", "0", ok=False
    )
    with Server(back) as server:
        assert await read(server, token) == "written in PostgreSQL " + words
        assert await log_in(server, demo) == titles
    assert "Everything is in order" in run("check", "--data", str(back))


def test_a_move_that_was_killed_goes_on(data: tuple[Path, Demo], database: str) -> None:
    folder, _ = data
    with Server(folder) as server:
        asyncio.run(_write_many(server))
    command = [*COMMAND, "migrate", "--from", f"sqlite:///{folder}", "--to", database]
    for seconds in (0.9, 1.2, 1.5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 20
    while True:  # until PostgreSQL has noticed that the killed one is gone
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode == 0:
            break
        assert "uses the target" in done.stderr or "Both sides" in done.stdout, done.stderr
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.2)
    assert "Both sides are equal" in done.stdout


async def _write_many(server: Server) -> None:
    for document in range(40):
        name = f"doc/{document}"
        async with Client(f"{server.ws}/collab", name, token=server.token(name)) as writer:
            for number in range(20):
                writer.text("t").insert(0, f"{number} ")
            await writer.acknowledged()


def test_a_target_that_is_somebody_elses_or_in_use_is_left_alone(
    data: tuple[Path, Demo], tmp_path: Path, database: str
) -> None:
    folder, _ = data
    source = f"sqlite:///{folder}"
    Server(folder).start_and_stop()
    with Server(tmp_path / "node", "--database", database):
        assert "uses the target already" in migrate(source, database, ok=False)
    run("add", "country", "ES", "España", "--language", "es", "--database", database)
    assert "holds another installation" in migrate(source, database, ok=False)
    with Server(folder) as server:
        assert server.running


def test_what_cannot_be_a_move_is_one_sentence(tmp_path: Path, database: str) -> None:
    for source, target, says in (
        (database, database, "One of --from and --to"),
        (f"sqlite:///{tmp_path}", "mysql://x", "One of --from and --to"),
        (f"sqlite:///{tmp_path / 'nothing'}", database, "There is no log.sqlite3"),
    ):
        said = migrate(source, target, ok=False)
        assert says in said
        assert "Traceback" not in said
