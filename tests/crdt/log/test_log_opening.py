"""Opening a log on PostgreSQL: which databases are taken, which are refused, and how each is upgraded."""

import asyncio
import contextlib
from pathlib import Path

import asyncpg
import pytest
from log_engines import PAGE, PostgresEngine, entry

from crdt.errors import LogCorrupt, LogUnavailable
from crdt.log.postgres import PostgresLog, schema
from load.backing import PostgreSQL

Other = asyncpg.Connection


class Tuned(PostgreSQL):
    """A PostgreSQL with settings of its own."""

    def __init__(self, **settings: str) -> None:
        super().__init__()
        self.settings = settings

    def _command(self) -> list[str]:
        given = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        return [*super()._command(), *given]

    async def _is_ready(self) -> bool:
        with contextlib.suppress(OSError, IndexError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return lines[0] == str(self.pid) and lines[7].strip() in ("ready", "standby")
        return False


async def refusal(url: str) -> LogUnavailable:
    with pytest.raises(LogUnavailable) as refused:
        await PostgresLog(url, patience=3.0).open()
    return refused.value


async def test_nodes_that_start_at_once_make_the_schema_once(database: str) -> None:
    logs = [PostgresLog(database) for _ in range(6)]
    await asyncio.gather(*(log.open() for log in logs))
    sequences = await asyncio.gather(*(log.append(entry()) for log in logs))
    assert sorted(sequences) == list(range(1, 7))
    await asyncio.gather(*(log.close() for log in logs))
    log = PostgresLog(database)
    await log.open()
    assert (await log.load(PAGE)).head_seq == 6
    await log.close()


async def test_a_log_of_an_older_version_is_upgraded_once_by_nodes_that_start_at_once(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = PostgresLog(database)
    await log.open()
    await log.append(entry(update=b"old"))
    later = (
        ("ALTER TABLE log.documents ADD COLUMN colour text",),
        ("UPDATE log.documents SET colour = coalesce(colour, '') || 'blue'",),
    )
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, *later))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 2)
    nodes = [PostgresLog(database) for _ in range(4)]
    await asyncio.gather(*(node.open() for node in nodes))
    assert await log.append(entry(update=b"by a node of the old version")) == 2
    assert (await nodes[0].load(PAGE)).tail == (b"old", b"by a node of the old version")
    assert await PostgresEngine(database).execute("SELECT colour FROM documents") == [("blue",)]
    await asyncio.gather(*(node.close() for node in (log, *nodes)))


async def test_a_log_of_a_newer_version_is_refused(database: str) -> None:
    log = PostgresLog(database)
    await log.open()
    await log.close()
    await PostgresEngine(database).execute("UPDATE store SET version = 99")
    with pytest.raises(LogCorrupt, match="start the newer program"):
        await PostgresLog(database).open()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE log.somebody_elses (x integer)",
        "CREATE TABLE log.store (id integer)",
        "CREATE TABLE log.store AS SELECT 1 AS id, 'another program' AS application, 1 AS version",
    ],
)
async def test_a_schema_that_is_not_ours_is_not_touched(database: str, statement: str) -> None:
    engine = PostgresEngine(database)
    await engine.execute("CREATE SCHEMA log", statement)
    query = "SELECT count(*) FROM pg_class WHERE relnamespace = 'log'::regnamespace"
    before = await engine.execute(query)
    with pytest.raises(LogCorrupt, match="use a database of its own"):
        await PostgresLog(database).open()
    assert await engine.execute(query) == before
    assert (await engine.check()).findings[0].code == "version"


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
async def test_a_database_that_may_forget_is_refused(name: str) -> None:
    async with Tuned(**{name: "off"}) as postgres:
        refused = await refusal(postgres.url)
        assert refused.code == "unsafe"
        assert f"Set {name} = on and restart PostgreSQL." in refused.reason


async def test_a_standby_is_refused_until_it_is_promoted() -> None:
    async with Tuned() as postgres:
        url = await postgres.create_database()
        log = PostgresLog(url)
        await log.open()
        await log.append(entry())
        await log.close()
        await postgres.stop()
        (postgres.data / "standby.signal").touch()
        await postgres.start()
        refused = await refusal(url)
        assert refused.code == "read-only"
        assert "standby" in refused.reason
        await postgres.execute("SELECT pg_promote(true, 30)")
        log = PostgresLog(url)
        await log.open()
        assert await log.append(entry()) == 2
        await log.close()


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("postgresql://twinspace@127.0.0.1:{port}/no_such_database", "denied", "does not exist"),
        ("postgresql://nobody_here@127.0.0.1:{port}/postgres", "denied", "does not exist"),
        ("postgresql://twinspace@127.0.0.1:1/postgres", "unreachable", "does not answer"),
        ("postgresql://twinspace@127.0.0.1:{port}/postgres?sslmode=sometimes", "denied", "URL"),
        ("postgresql://twinspace@127.0.0.1:{port}/postgres?sslmode=require", "unreachable", "SSL"),
    ],
)
async def test_a_database_that_cannot_be_used_is_named(
    postgres: PostgreSQL, url: str, code: str, words: str
) -> None:
    refused = await refusal(url.format(port=postgres.port))
    assert refused.code == code
    assert words in refused.reason


async def test_a_user_without_rights_is_told_so(postgres: PostgreSQL, database: str) -> None:
    name = database.rpartition("/")[2]
    await postgres.execute(f'CREATE ROLE "guest_{name}" LOGIN')
    try:
        refused = await refusal(database.replace("twinspace@", f"guest_{name}@"))
        assert refused.code == "denied"
        assert "permission denied" in refused.reason
    finally:
        await postgres.execute(f'DROP ROLE "guest_{name}"')


async def test_a_database_of_another_encoding_is_refused(postgres: PostgreSQL) -> None:
    await postgres.execute(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    try:
        assert "UTF8" in (await refusal(postgres.url_of("latin"))).reason
    finally:
        await postgres.drop_database("latin")


async def test_a_unix_socket_and_a_password_in_the_url(tmp_path: Path) -> None:
    class OnSocket(Tuned):
        async def _prepare(self) -> None:
            await super()._prepare()
            self.settings["unix_socket_directories"] = str(self.data)

    async with OnSocket() as postgres:
        url = f"postgresql:///postgres?host={postgres.data}&port={postgres.port}&user=twinspace&password=x"
        log = PostgresLog(url)
        await log.open()
        assert await log.append(entry()) == 1
        await log.close()


@pytest.mark.parametrize(("theirs", "ours"), [("off", "on"), ("local", "on"), ("remote_apply",) * 2])
async def test_no_session_commits_more_weakly_than_on(
    postgres: PostgreSQL, database: str, theirs: str, ours: str
) -> None:
    """Whatever the role or the database says, and whatever a later reload says."""
    name = database.rpartition("/")[2]
    for setting in (
        f"synchronous_commit = '{theirs}'",
        "default_transaction_isolation = 'serializable'",
        "statement_timeout = '1ms'",
        "idle_session_timeout = '1ms'",
    ):
        await postgres.execute(f'ALTER DATABASE "{name}" SET {setting}')
    log = PostgresLog(database)
    await log.open()
    await asyncio.gather(*(log.append(entry(update=bytes(1000))) for _ in range(300)))
    session = await log._connections.open()  # as all of its own
    assert await session.fetchval("SHOW synchronous_commit") == ours
    assert await session.fetchval("SHOW transaction_isolation") == "read committed"
    await session.close()
    await asyncio.sleep(0.1)
    assert await log.append(entry()) == 301
    await log.close()
