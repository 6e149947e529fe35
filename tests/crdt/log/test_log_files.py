"""The files of the embedded log: damage in them, shrinking, backup and restore."""

import asyncio
import hashlib
import io
import json
import random
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from log_engines import SqliteEngine, fill, texts_in
from typists import Typist

from crdt.errors import ArchiveError, LogUnavailable
from crdt.log import LogSettings
from crdt.log.sqlite import SqliteLog
from crdt.log.sqlite.backup import backup, restore
from crdt.log.sqlite.check import check
from crdt.log.sqlite.compact_all import compact_all


def codes(folder: Path) -> set[str]:
    return {finding.code for finding in check(folder).findings}


async def test_a_sound_store_is_not_changed_by_a_check(tmp_path: Path) -> None:
    await fill(SqliteEngine(tmp_path))
    before = (tmp_path / "log.sqlite3").read_bytes()
    check(tmp_path)
    assert (tmp_path / "log.sqlite3").read_bytes() == before


async def test_flipped_bytes_anywhere_in_the_file_are_found(tmp_path: Path) -> None:
    """40 times one bit is changed. Each time the check says so, or no text has changed."""
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    texts = await fill(SqliteEngine(tmp_path))
    path = tmp_path / "log.sqlite3"
    sound = path.read_bytes()
    used = [place for place in range(100, len(sound)) if sound[place]]
    found = 0
    for _ in range(40):
        damaged = bytearray(sound)
        place = generator.choice(used)
        damaged[place] ^= 1 << generator.randrange(8)
        path.write_bytes(damaged)
        if check(tmp_path).ok:
            assert await texts_in(SqliteEngine(tmp_path)) == texts, place
        else:
            found += 1
        for side in ("-wal", "-shm"):
            Path(f"{path}{side}").unlink(missing_ok=True)
    assert found > 20


async def test_a_truncated_file_is_found(tmp_path: Path) -> None:
    await fill(SqliteEngine(tmp_path))
    path = tmp_path / "log.sqlite3"
    size = path.stat().st_size
    for keep in (size - 4096, size // 2, 4096, 1000, 0):
        content = path.read_bytes()[:keep]
        path.write_bytes(content)
        assert not check(tmp_path).ok, keep
    path.unlink()
    assert codes(tmp_path) == {"missing"}


async def test_damaged_records_are_found(tmp_path: Path) -> None:
    await fill(SqliteEngine(tmp_path))
    (tmp_path / "records.sqlite3").write_bytes(b"SQLite format 3\0" + bytes(5000))
    assert codes(tmp_path) == {"structure"}


async def test_compact_leaves_a_running_server_alone(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    await log.open()
    with pytest.raises(LogUnavailable, match="in use"):
        await asyncio.to_thread(compact_all, tmp_path)
    await log.close()
    with pytest.raises(LogUnavailable, match="is this the data folder"):
        await asyncio.to_thread(compact_all, tmp_path / "nowhere")


def make_records(folder: Path) -> None:
    records = sqlite3.connect(folder / "records.sqlite3")
    records.execute("PRAGMA journal_mode = WAL")
    records.execute("CREATE TABLE pages (id TEXT)")
    records.execute("INSERT INTO pages VALUES ('douro')")
    records.commit()
    records.close()


async def test_a_backup_taken_while_a_server_writes_is_whole(tmp_path: Path) -> None:
    """Everything acknowledged before it began is in it; what is in it is a prefix of what was written; its
    records know no document that its log lacks."""
    data, target = tmp_path / "data", tmp_path / "backup.tar"
    data.mkdir()
    (data / "secret").write_bytes(b"s3cret")
    make_records(data)
    log = SqliteLog(data, LogSettings(tail_updates=100))
    await log.open()
    written: dict[str, list[bytes]] = {}
    going = True

    async def write(client: int) -> None:
        typist = Typist(client)
        records = sqlite3.connect(data / "records.sqlite3")
        page = f"page/{client}"
        first = True
        while going:
            update = typist.type(f"{client}.")
            written.setdefault(page, []).append(update)
            await log.append(typist.entry(page, update, first=first))
            if first:
                records.execute("INSERT INTO pages VALUES (?)", (str(client),))
                records.commit()
            first = False
        records.close()

    writers = [asyncio.create_task(write(client)) for client in range(1, 9)]
    await asyncio.sleep(0.3)
    acknowledged = {page: len(updates) - 1 for page, updates in written.items()}
    late = [asyncio.create_task(write(client)) for client in range(20, 30)]
    archived = await asyncio.to_thread(backup, data, target, also=("secret", "no-such-file"))
    going = False
    await asyncio.gather(*writers, *late)
    await log.close()
    assert [each.name for each in archived] == ["log.sqlite3", "records.sqlite3", "secret"]
    assert target.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    restored = tmp_path / "restored"
    report = restore(target, restored)
    assert report.ok
    assert sorted(path.name for path in restored.iterdir()) == ["log.sqlite3", "records.sqlite3", "secret"]
    assert (restored / "secret").read_bytes() == b"s3cret"
    log = SqliteLog(restored)
    await log.open()
    for page, updates in written.items():
        history = [each.update async for each in log.history(page)]
        assert history == updates[: len(history)]
        assert len(history) >= acknowledged.get(page, 0)
    records = sqlite3.connect(restored / "records.sqlite3")
    for (page,) in records.execute("SELECT id FROM pages WHERE id != 'douro'"):
        assert await log.exists(f"page/{page}")
    records.close()
    await log.close()


async def test_restore_gives_back_what_was_backed_up(tmp_path: Path) -> None:
    data, empty = tmp_path / "data", tmp_path / "empty"
    data.mkdir()
    empty.mkdir()
    texts = await fill(SqliteEngine(data))
    make_records(data)
    seen: list[str] = []
    backup(data, tmp_path / "b.tar", lambda what, done, total: seen.append(what))
    assert {"copying log.sqlite3", "copying records.sqlite3", "writing the archive"} <= set(seen)
    report = restore(tmp_path / "b.tar", empty)
    assert (report.documents, report.entries) == (3, 184)
    assert await texts_in(SqliteEngine(empty)) == texts == await texts_in(SqliteEngine(data))


async def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    await fill(SqliteEngine(data))
    target = tmp_path / "b.tar"
    target.write_bytes(b"precious")
    with pytest.raises(ArchiveError, match="exists already"):
        backup(data, target)
    assert target.read_bytes() == b"precious"
    target.unlink()
    backup(data, target)
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    with pytest.raises(ArchiveError, match="not empty"):
        restore(target, data)
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


async def test_a_backup_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="is this the data folder"):
        backup(tmp_path, tmp_path / "b.tar")
    data = tmp_path / "data"
    data.mkdir()
    (data / "log.sqlite3").write_bytes(b"broken" * 1000)
    with pytest.raises(ArchiveError, match="could not be written"):
        backup(data, tmp_path / "b.tar")
    with pytest.raises(ArchiveError, match="cannot be written"):
        backup(data, tmp_path / "no" / "such" / "b.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def repack(archive: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> None:
    with tarfile.open(archive) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    change(members)
    with tarfile.open(archive, "w") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def manifest_for(files: dict[str, bytes], version: int = 1) -> bytes:
    listed = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    return json.dumps({"twinspace_backup": version, "files": listed}).encode()


def flip(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    member, content = members[1]
    members[1] = (member, content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])


def escape(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    log = members[1][1]
    files = {"log.sqlite3": log, "../escaped": b"x"}
    members[0] = (members[0][0], manifest_for(files))
    members.insert(2, (tarfile.TarInfo("../escaped"), b"x"))


def link(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    member = members[1][0]
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    members[1] = (member, b"")


def add(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    members.append((tarfile.TarInfo("more"), b"x"))


def drop(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    del members[1]


def newer(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    members[0] = (members[0][0], manifest_for({"log.sqlite3": members[1][1]}, version=2))


def nonsense(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    members[0] = (members[0][0], b"[1, 2")


def headless(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    del members[0]


def lie(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    """A manifest that is right about a log that is not."""
    broken = members[1][1][:8192]
    members[1] = (members[1][0], broken)
    members[0] = (members[0][0], manifest_for({"log.sqlite3": broken}))


@pytest.mark.parametrize("tamper", [flip, escape, link, add, drop, newer, nonsense, headless, lie])
async def test_a_bad_archive_is_refused_and_nothing_is_restored(
    tmp_path: Path, tamper: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]
) -> None:
    data, archive, target = tmp_path / "data", tmp_path / "b.tar", tmp_path / "inner" / "target"
    data.mkdir()
    await fill(SqliteEngine(data))
    backup(data, archive)
    repack(archive, tamper)
    with pytest.raises(ArchiveError):
        restore(archive, target)
    assert not target.exists()
    assert not (tmp_path / "inner" / "escaped").exists()
    target.mkdir()
    with pytest.raises(ArchiveError):
        restore(archive, target)
    assert list(target.iterdir()) == []


async def test_a_cut_archive_and_no_archive_are_refused(tmp_path: Path) -> None:
    data, archive = tmp_path / "data", tmp_path / "b.tar"
    data.mkdir()
    await fill(SqliteEngine(data))
    backup(data, archive)
    whole = archive.read_bytes()
    for size in (0, 100, 600, len(whole) // 2):
        archive.write_bytes(whole[:size])
        with pytest.raises(ArchiveError):
            restore(archive, tmp_path / "target")
    archive.unlink()
    with pytest.raises(ArchiveError):
        restore(archive, tmp_path / "target")
    assert not (tmp_path / "target").exists()
