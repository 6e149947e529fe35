"""A disk that is full, fails, hangs or is not ours.

No acknowledgement, the truth on health, and the log goes on by itself afterwards with nothing half done.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from test_log_crash import histories, start
from typists import soon

from crdt.errors import LogUnavailable
from crdt.log import Entry, LogHealth, LogSettings
from crdt.log.sqlite import SqliteLog
from crdt.log.sqlite.schema import connect

PAGE = "page/river"


class Faults:
    """Opens real connections whose statements fail, or hang, where a test says."""

    def __init__(self) -> None:
        self.where: tuple[str, ...] = ()
        self.code = sqlite3.SQLITE_IOERR_FSYNC
        self.after = False
        """Fail after the statement has done its work."""
        self.hang = threading.Event()
        self.hang.set()
        self.opened = 0

    def connect(self, path: Path) -> sqlite3.Connection:
        self.opened += 1
        return _Connection(connect(path), self)  # type: ignore[return-value]

    def strike(self, statement: str) -> None:
        if any(where in statement for where in self.where):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self.code
            raise error


class _Connection:
    def __init__(self, real: sqlite3.Connection, faults: Faults) -> None:
        self._real = real
        self._faults = faults

    def execute(self, statement: str, *arguments: object) -> sqlite3.Cursor:
        if not threading.current_thread().name.endswith("writer"):
            return self._real.execute(statement, *arguments)
        if statement == "COMMIT":
            self._faults.hang.wait(30)
        if not self._faults.after:
            self._faults.strike(statement)
        cursor = self._real.execute(statement, *arguments)
        if self._faults.after:
            self._faults.strike(statement)
        return cursor

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def log(tmp_path: Path, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteLog]:
    monkeypatch.setattr("crdt.log.sqlite.writer.PROBE_SECONDS", 0.1)
    log = SqliteLog(tmp_path, LogSettings(stalled_seconds=0.5), connect=faults.connect)
    await log.open()
    yield log
    faults.where = ()
    faults.hang.set()
    await log.close()


def entry(words: str) -> Entry:
    return Entry(PAGE, 1, words.encode(), "membership:ana", (), time.time())


async def words(log: SqliteLog) -> list[str]:
    return [update.decode() for update in (await log.load(PAGE)).tail]


async def refused(log: SqliteLog, text: str) -> str:
    with pytest.raises(LogUnavailable) as error:
        await log.append(entry(text))
    assert error.value.reason
    return error.value.code


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "INSERT INTO updates", "UPDATE store", "COMMIT"])
async def test_an_error_anywhere_in_a_commit_refuses_all_that_is_queued_and_heals(
    log: SqliteLog, faults: Faults, statement: str
) -> None:
    heard: list[LogHealth] = []
    log.on_health(heard.append)
    assert await log.append(entry("before")) == 1
    opened = faults.opened
    faults.where = (statement,)
    outcomes = await asyncio.gather(
        *(log.append(entry(f"lost {i}")) for i in range(50)), return_exceptions=True
    )
    assert {type(each) for each in outcomes} == {LogUnavailable}
    assert (log.health.ok, log.health.code) == (False, "io-error")
    assert log.health.reason.endswith(".")
    assert await refused(log, "lost too") == "io-error"
    assert await words(log) == ["before"], "reading goes on"
    if statement != "INSERT INTO updates":  # the probe has no entry to insert
        await asyncio.sleep(0.3)
        assert not log.health.ok, "a probe that fails heals nothing"
    faults.where = ()
    await soon(lambda: log.health.ok)
    assert faults.opened > opened, "the connection that failed is not used again"
    assert await log.append(entry("after")) == 2, "and no sequence is missing"
    assert await words(log) == ["before", "after"]
    assert [health.code for health in heard] == ["io-error", "ok"]


async def test_a_commit_that_happened_although_it_failed_is_found_out(log: SqliteLog, faults: Faults) -> None:
    """COMMIT reports an error after all is written: nobody is told anything until the disk has answered."""
    faults.where, faults.after = ("COMMIT", "wal_checkpoint"), True
    appended = log.append(entry("kept"))
    await soon(lambda: not log.health.ok)
    await asyncio.sleep(0.1)
    with pytest.raises(LogUnavailable):
        await log.load(PAGE)
    assert not appended.done()
    faults.where = ()
    assert await appended == 1
    await soon(lambda: log.health.ok)
    assert await log.append(entry("after")) == 2
    assert await words(log) == ["kept", "after"]


async def test_a_failed_checkpoint_is_a_failure(log: SqliteLog, faults: Faults) -> None:
    """SQLite itself would pass over it in silence, and a later fsync would prove nothing."""
    faults.where = ("wal_checkpoint",)
    with pytest.raises(LogUnavailable):
        for number in range(200):
            await log.append(entry(str(number) + "x" * 200_000))
    await soon(lambda: log.health.code == "io-error")
    faults.where = ()
    await soon(lambda: log.health.ok)
    assert await log.append(entry("after")) == len(await words(log))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (sqlite3.SQLITE_FULL, "disk-full"),
        (sqlite3.SQLITE_IOERR_WRITE, "io-error"),
        (sqlite3.SQLITE_READONLY, "read-only"),
        (sqlite3.SQLITE_BUSY, "busy"),
        (sqlite3.SQLITE_CORRUPT, "corrupt"),
        (sqlite3.SQLITE_MISUSE, "internal"),
    ],
)
async def test_each_failure_has_its_name(log: SqliteLog, faults: Faults, code: int, told: str) -> None:
    faults.where, faults.code = ("INSERT INTO updates",), code
    assert await refused(log, "lost") == told
    assert log.health.code == told
    faults.where = ()
    if told == "corrupt":
        await asyncio.sleep(0.3)
        assert not log.health.ok, "a damaged file is not written to until somebody has looked at it"
    else:
        await soon(lambda: log.health.ok)
        assert await log.append(entry("after")) == 1


async def test_nothing_is_told_while_a_commit_hangs_and_all_of_it_flows_afterwards(
    log: SqliteLog, faults: Faults
) -> None:
    await log.append(entry("before"))
    faults.hang.clear()
    waiting = [log.append(entry(f"w{i}")) for i in range(100)]
    await soon(lambda: log.health.code == "stalled")
    waiting.append(log.append(entry("late")))
    assert not any(each.done() for each in waiting)
    assert await words(log) == ["before"]
    faults.hang.set()
    assert await asyncio.gather(*waiting) == list(range(2, 103))
    await soon(lambda: log.health.ok)


async def test_health_listeners_that_left_or_fail_hurt_nobody(log: SqliteLog, faults: Faults) -> None:
    heard: list[str] = []
    leave = log.on_health(lambda health: heard.append("left"))
    log.on_health(lambda health: 1 / 0)
    log.on_health(lambda health: heard.append(health.code))
    leave()
    faults.where = ("BEGIN IMMEDIATE",)
    await refused(log, "lost")
    faults.where = ()
    await soon(lambda: log.health.ok)
    assert heard == ["io-error", "ok"]


async def test_another_program_that_locks_the_file_is_waited_out(log: SqliteLog, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "log.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await refused(log, "lost") == "busy"
    other.execute("ROLLBACK")
    other.close()
    await soon(lambda: log.health.ok)
    assert await log.append(entry("after")) == 1


async def test_a_log_file_moved_away_takes_no_more_writes(log: SqliteLog, tmp_path: Path) -> None:
    await log.append(entry("before"))
    (tmp_path / "log.sqlite3").rename(tmp_path / "elsewhere")
    hidden = log.append(entry("hidden"))
    await soon(lambda: log.health.code == "moved")
    await asyncio.sleep(0.3)
    assert not hidden.done()
    assert not (tmp_path / "log.sqlite3").exists(), "no new, empty log takes its place"
    (tmp_path / "elsewhere").rename(tmp_path / "log.sqlite3")
    assert await hidden == 2
    await soon(lambda: log.health.ok)
    assert await words(log) == ["before", "hidden"]


async def test_a_deleted_log_file_acknowledges_nothing(log: SqliteLog, tmp_path: Path) -> None:
    await log.append(entry("before"))
    (tmp_path / "log.sqlite3").unlink()
    lost = log.append(entry("lost"))
    await soon(lambda: log.health.code == "moved")
    await log.close()
    with pytest.raises(LogUnavailable):
        await lost


class Child:
    """A writing child process and what it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[list[str]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.decode().split())

    def said(self, *words: str) -> int:
        return sum(line[: len(words)] == list(words) for line in list(self.lines))

    def wait_for(self, *words: str, more_than: int = 0, seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while self.said(*words) <= more_than:
            assert time.monotonic() < deadline, (words, self.lines[-10:])
            assert self.process.poll() is None, self.lines[-10:]
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self._reader.join()
        with self.process:  # closes its pipes
            pass

    def check(self, folder: Path) -> None:
        """Every acknowledged number is stored where it was said to be, every refused one is not."""
        stored = asyncio.run(histories(folder))
        everywhere = {int(each.update[:10]) for entries in stored.values() for each in entries}
        for word, *rest in self.lines:
            if word == "ack":
                document, seq, number = rest
                assert stored[document][int(seq) - 1].update[:10] == b"%010d" % int(number)
            elif word == "refused":
                assert int(rest[1]) not in everywhere
        for entries in stored.values():
            assert [each.seq for each in entries] == list(range(1, len(entries) + 1))


def loudly(capsys: pytest.CaptureFixture[str], what: str) -> None:
    with capsys.disabled():
        print(f"\n*** NOT TESTED HERE: {what}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 4 MB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, check=False
    )
    yield folder if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_refuses_and_goes_on_when_there_is_space_again(
    small_disk: Path | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if small_disk is None:
        loudly(
            capsys, "a full file system (needs the right to mount a tmpfs); a file size limit stood in for it"
        )
        return
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_500_000))
    data = small_disk / "data"
    data.mkdir()
    child = Child(start(data, "--size", 3000, "--pause", 0.002))
    try:
        child.wait_for("refused", "disk-full", more_than=10)
        assert child.said("health", "disk-full") == 1
        acknowledged = child.said("ack")
        assert acknowledged > 10
        ballast.unlink()
        child.wait_for("health", "ok")
        child.wait_for("ack", more_than=acknowledged + 20)
        assert child.said("open") == 1, "without a restart"
    finally:
        child.kill()
    child.check(data)


def test_a_file_that_cannot_grow_refuses_and_goes_on(tmp_path: Path) -> None:
    """The same with a file size limit, which needs no rights: the log cannot tell it from a failing disk."""
    child = Child(
        start(tmp_path, "--size", 3000, "--pause", 0.002, "--file-size", 1_500_000, stdin=subprocess.PIPE)
    )
    try:
        child.wait_for("refused", "io-error", more_than=10)
        acknowledged = child.said("ack")
        assert acknowledged > 10
        assert child.process.stdin is not None
        child.process.stdin.write(b"\n")
        child.process.stdin.close()
        child.wait_for("health", "ok")
        child.wait_for("ack", more_than=acknowledged + 20)
    finally:
        child.kill()
    child.check(tmp_path)


def strace_works() -> bool:
    strace = shutil.which("strace")
    if strace is None:
        return False
    tried = subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.parametrize(("first", "count"), [(30, 1), (41, 2), (60, 3)])
def test_a_failed_fsync_is_never_an_acknowledgement(
    tmp_path: Path, first: int, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kernel answers EIO to some fsyncs in the middle, wherever they fall: commit, settling or probe."""
    if not strace_works():
        loudly(capsys, "fsync failing in the kernel (needs strace); an injected COMMIT error stood in for it")
        return
    inject = f"fsync,fdatasync:error=EIO:when={first}..{first + count - 1}"
    wrapper = (
        "strace",
        "-f",
        "-o",
        str(tmp_path / "trace"),
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        f"inject={inject}",
    )
    data = tmp_path / "data"
    data.mkdir()
    child = Child(start(data, "--pause", 0.005, wrapper=wrapper))
    try:
        child.wait_for("health", "io-error")
        child.wait_for("health", "ok")
        child.wait_for("ack", more_than=child.said("ack") + 20)
        assert child.said("refused", "io-error")
    finally:
        traced = [int(pid) for pid in _children(child.process.pid)]
        for pid in traced:
            os.kill(pid, 9)
        child.kill()
    assert (tmp_path / "trace").read_text().count("EIO") == count
    child.check(data)


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
