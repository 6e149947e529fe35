"""What only the embedded log promises: its file, its folder, its threads."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from log_engines import PAGE, entry
from typists import Typist, soon

from crdt.errors import LogCorrupt, LogUnavailable
from crdt.log.sqlite import SqliteLog, reader, schema
from crdt.log.sqlite.schema import connect
from crdt.log.sqlite.writer import GROUP_SECONDS


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(tmp_path)
    await log.open()
    yield log
    await log.close()


async def test_loads_do_not_wait_for_commits(log: SqliteLog) -> None:
    """While the writing thread hangs in a transaction, loads answer with what is committed."""
    await log.append(entry(update=b"kept"))
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(_connection) -> None:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    hanging = asyncio.create_task(log.write(hang))
    await asyncio.sleep(0)
    waiting = log.append(entry(update=b"behind"))
    try:
        await asyncio.sleep(0.05)
        assert (await log.load(PAGE)).tail == (b"kept",)
        assert not waiting.done()
    finally:
        release.set()
    await hanging
    assert await waiting == 2


async def test_documents_loaded_together_are_as_each_by_itself(log: SqliteLog) -> None:
    """With owners, markers, snapshots and tails; unknown ones, and one asked for twice."""
    names = ['doc/á b\u2028"', "doc/b'", "doc/c", "doc/seeded"]
    for number, name in enumerate(names[:3]):
        for _ in range(number + 1):
            await log.append(entry(name, subject=f"membership:{number}", clients=(number, 10 + number)))
    await log.compact(names[1])
    await log.append(entry(names[1], update=b"\x00\x00"))
    await log.seed(names[3], b"\x00\x00", "a marker", "server")
    alone = [await log.load(name) for name in [*names, "doc/unknown"]]
    together = await asyncio.gather(*(log.load(name) for name in [*names, "doc/unknown", names[0]]))
    assert together == [*alone, alone[0]]
    assert alone[2].owners == {2: "membership:2", 12: "membership:2"}
    assert alone[3].markers == {"a marker"}


async def test_a_damaged_document_is_no_matter_of_those_loaded_with_it(log: SqliteLog) -> None:
    for number in range(6):
        await log.append(entry(f"doc/{number}", update=bytes((65 + number,))))
    await log.write(lambda connection: connection.execute("UPDATE updates SET crc = 1 WHERE document = 2"))
    await log.write(lambda connection: connection.execute("UPDATE documents SET head_seq = 9 WHERE id = 4"))
    loads = [asyncio.create_task(log.load(f"doc/{number}")) for number in range(7)]
    await asyncio.sleep(0)
    loads[2].cancel()
    found = await asyncio.gather(*loads, return_exceptions=True)
    assert [type(found[number]) for number in (1, 3)] == 2 * [LogCorrupt]
    assert isinstance(found[2], asyncio.CancelledError)
    assert [found[number].tail for number in (0, 4, 5, 6)] == [(b"A",), (b"E",), (b"F",), ()]


@pytest.mark.parametrize("seconds", [-1.0, 600.0])
async def test_what_was_asked_for_together_comes_in_parts_or_at_once(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """All of it comes, in as many turns of the reading thread as it takes."""
    monkeypatch.setattr("crdt.log.sqlite.reader.TOGETHER_SECONDS", seconds)
    names = [f"doc/{number}" for number in range(5)]
    for name in names:
        await log.append(entry(name, update=name.encode()))
    turns: list[int] = []
    read = reader.read_documents

    def counted(connection, names):
        found = read(connection, names)
        turns.append(len(found))
        return found

    monkeypatch.setattr("crdt.log.sqlite.reader.read_documents", counted)
    stored = await asyncio.gather(*(log.load(name) for name in names))
    assert [each.tail for each in stored] == [(name.encode(),) for name in names]
    assert turns == ([1] * 5 if seconds < 0 else [5])


async def test_who_loads_while_the_log_closes_is_told(log: SqliteLog) -> None:
    closing = asyncio.create_task(log.close())
    loads = []
    while not closing.done():
        loads.append(asyncio.create_task(log.load(PAGE)))
        await asyncio.sleep(0)
    loads.append(asyncio.create_task(log.load(PAGE)))
    for found in await asyncio.gather(*loads, return_exceptions=True):
        assert isinstance(found, LogUnavailable)
        assert found.code == "closed"


async def test_while_several_write_commits_keep_a_distance(log: SqliteLog) -> None:
    """A group that was begun alone may be followed at once by one with the others."""
    before, began = log.figures.commits, time.perf_counter()
    waiting = []
    for _ in range(200):
        waiting += [log.append(entry()), log.append(entry())]
        await asyncio.sleep(0.0005)
    await asyncio.gather(*waiting)
    rounds = (time.perf_counter() - began) / GROUP_SECONDS
    assert log.figures.commits - before <= 2 * rounds + 5


async def test_who_writes_alone_waits_for_nobody(log: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crdt.log.sqlite.writer.GROUP_SECONDS", 600.0)
    async with asyncio.timeout(60):
        for _ in range(10):
            await log.append(entry())


async def test_one_process_holds_a_data_folder(log: SqliteLog, tmp_path: Path) -> None:
    second = SqliteLog(tmp_path)
    with pytest.raises(
        LogUnavailable, match=r"in use by another TwinSpace process \(process id \d+\)"
    ) as refused:
        await second.open()
    assert refused.value.code == "in-use"
    assert await log.append(entry()) == 1
    await log.close()
    await second.open()
    assert (await second.load(PAGE)).head_seq == 1
    await second.close()


async def test_a_busy_loop_does_not_keep_the_log_from_the_processor(tmp_path: Path) -> None:
    """Turns shorter than the interpreter's switch interval starve every other thread: 3 s were measured."""
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        log = SqliteLog(tmp_path)
        await log.open()
        assert sys.getswitchinterval() < 0.0001
        await log.close()
    finally:
        sys.setswitchinterval(before)


async def test_a_log_that_cannot_be_opened_gives_everything_back(tmp_path: Path) -> None:
    opened: list[sqlite3.Connection] = []

    def second_fails(path: Path) -> sqlite3.Connection:
        if opened:
            raise sqlite3.OperationalError("too many open files")
        opened.append(connect(path))
        return opened[0]

    with pytest.raises(LogUnavailable):
        await SqliteLog(tmp_path, connect=second_fails).open()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
    log = SqliteLog(tmp_path)
    await log.open()
    await log.close()
    with pytest.raises(LogUnavailable, match="cannot be used"):
        await SqliteLog(tmp_path / "nowhere").open()


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 100, None])
async def test_a_file_that_is_not_our_log_is_not_touched(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "log.sqlite3"
    if content is None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE somebody_elses (x)")
        other.commit()
        other.close()
        content = path.read_bytes()
    else:
        path.write_bytes(content)
    with pytest.raises(LogCorrupt):
        await SqliteLog(tmp_path).open()
    assert path.read_bytes()[100:] == content[100:]


async def test_a_log_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    await log.open()
    await log.close()
    other = sqlite3.connect(tmp_path / "log.sqlite3")
    other.execute("PRAGMA user_version = 999")
    other.close()
    with pytest.raises(LogCorrupt, match="start the newer program"):
        await SqliteLog(tmp_path).open()


async def test_a_log_of_an_older_version_is_upgraded_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SqliteLog(tmp_path)
    await log.open()
    await log.append(entry(update=b"old"))
    await log.close()
    later = ("ALTER TABLE store ADD COLUMN colour TEXT;", "UPDATE store SET colour = 'blue';")
    monkeypatch.setattr(schema, "_STEPS", (*schema._STEPS, *later))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 3)
    log = SqliteLog(tmp_path)
    await log.open()
    colour = await log.read(lambda connection: connection.execute("SELECT colour FROM store").fetchone())
    assert colour == ("blue",)
    assert (await log.load(PAGE)).tail == (b"old",)
    await log.close()


async def test_the_log_file_is_for_its_owner_only(log: SqliteLog, tmp_path: Path) -> None:
    await log.append(entry())
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("log.sqlite3*")}
    assert len(modes) == 3
    assert set(modes.values()) == {0}


async def test_a_killed_server_leaves_no_merging_process(tmp_path: Path) -> None:
    """The child compacts, so its pool runs; then it is killed -9: the lock is free, the worker gone."""
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from crdt.log.sqlite import SqliteLog\n"
        "async def main():\n"
        "    log = SqliteLog(Path(sys.argv[1]))\n"
        "    await log.open()\n"
        f"    await log.seed({PAGE!r}, bytes.fromhex({Typist(7).type('hi').hex()!r}), 'm', 's')\n"
        f"    print(await log.compact({PAGE!r}), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    path = tmp_path / "server.py"
    path.write_text(script)
    data = tmp_path / "data"
    data.mkdir()
    child = subprocess.Popen(
        [sys.executable, path, data],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        family = psutil.Process(child.pid).children(recursive=True)
        assert family
        child.kill()
    log = SqliteLog(data)
    await log.open()
    assert (await log.load(PAGE)).snapshot is not None
    await log.close()
    await soon(
        lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in family)
    )
