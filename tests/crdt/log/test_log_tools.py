"""check, compact, backup, restore: what an operator does with a data folder."""

import asyncio
import hashlib
import io
import json
import random
import sqlite3
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typists import Typist, text_of

from crdt.errors import ArchiveError, LogUnavailable
from crdt.log import LogSettings
from crdt.log.sqlite import SqliteLog
from crdt.log.sqlite.backup import backup, restore
from crdt.log.sqlite.check import check
from crdt.log.sqlite.compact_all import compact_all

PAGES = ("page/douro", "page/ebro", "doc/minho")


async def fill(folder: Path) -> dict[str, str]:
    """Three documents: snapshots, tails, seeds, an update that waits, several writers. Returns the texts."""
    log = SqliteLog(folder, executor=lambda: ThreadPoolExecutor(1))
    await log.open()
    for number, page in enumerate(PAGES):
        await log.seed(page, Typist(900 + number).type("Title. "), "template", "server:seed")
        for client in (10, 20):
            entries = Typist(client + number).entries(page, [f"{client}-{i} " for i in range(30)])
            await asyncio.gather(*map(log.append, entries))
            if number != 2:
                await log.compact(page)
    waiting = Typist(77).entries(PAGES[0], ["never seen ", "waits"])[1]
    await log.append(waiting.__class__(PAGES[0], 1, waiting.update, waiting.subject, (77,), waiting.at))
    texts = {page: text_of(await log.load(page)) for page in PAGES}
    await log.close()
    return texts


async def texts_in(folder: Path) -> dict[str, str]:
    log = SqliteLog(folder)
    await log.open()
    texts = {page: text_of(await log.load(page)) for page in PAGES}
    await log.close()
    return texts


def change(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "log.sqlite3")
    for statement in statements:
        assert connection.execute(statement).rowcount != 0, statement
    connection.commit()
    connection.close()


def codes(folder: Path) -> set[str]:
    return {finding.code for finding in check(folder).findings}


async def test_a_sound_store_has_no_findings(tmp_path: Path) -> None:
    await fill(tmp_path)
    seen: list[tuple[str, int, int]] = []
    report = check(tmp_path, lambda *progress: seen.append(progress))
    assert report.findings == []
    assert report.ok
    assert (report.documents, report.snapshots, report.entries, report.waiting) == (3, 2, 184, 1)
    assert seen[-1] == ("documents", 3, 3)


async def test_a_store_is_checked_beside_a_running_server(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, LogSettings(tail_updates=20))
    await log.open()
    going = True

    async def write(client: int) -> None:
        typist = Typist(client)
        first = True
        while going:
            await log.append(typist.entry(f"page/{client % 3}", typist.type("x"), first=first))
            first = False
            await asyncio.sleep(0.001)

    writers = [asyncio.create_task(write(client)) for client in range(1, 7)]
    await asyncio.sleep(0.2)
    for _ in range(3):
        report = await asyncio.to_thread(check, tmp_path)
        assert report.findings == []
        assert report.entries > 0
    going = False
    await asyncio.gather(*writers)
    await log.close()


async def test_a_sound_store_is_not_changed_by_a_check(tmp_path: Path) -> None:
    await fill(tmp_path)
    before = (tmp_path / "log.sqlite3").read_bytes()
    check(tmp_path)
    assert (tmp_path / "log.sqlite3").read_bytes() == before


DAMAGE: dict[str, tuple[str, tuple[str, ...]]] = {
    "a flipped byte in an update": (
        "entries",
        ("UPDATE updates SET body = CAST(x'00' || substr(body, 2) AS BLOB) WHERE document = 3 AND seq = 5",),
    ),
    "another author": ("entries", ("UPDATE updates SET subject = 1 WHERE document = 3 AND seq = 5",)),
    "another time": ("entries", ("UPDATE updates SET at = at + 1 WHERE document = 3 AND seq = 5",)),
    "a missing entry in the tail": ("entries", ("DELETE FROM updates WHERE document = 3 AND seq = 5",)),
    "a missing entry in the history": ("entries", ("DELETE FROM updates WHERE document = 1 AND seq = 5",)),
    "a missing entry at the end": ("entries", ("DELETE FROM updates WHERE document = 3 AND seq = 61",)),
    "a missing first entry": ("entries", ("DELETE FROM updates WHERE document = 1 AND seq = 1",)),
    "a flipped byte in a snapshot": (
        "snapshot",
        ("UPDATE snapshots SET body = zeroblob(9) WHERE document = 1",),
    ),
    "a missing snapshot": ("snapshot", ("DELETE FROM snapshots WHERE document = 1",)),
    "an unknown format": ("entries", ("UPDATE updates SET format = 7 WHERE document = 3 AND seq = 5",)),
    "a client id without an owner": ("owners", ("DELETE FROM clients WHERE document = 3 AND client = 12",)),
    "an author without a name": ("entries", ("DELETE FROM subjects WHERE subject = 'membership:12'",)),
    "heads that cannot be": ("rows", ("UPDATE documents SET snapshot_seq = 99999 WHERE id = 1",)),
    "rows without a document": ("orphans", ("DELETE FROM documents WHERE id = 2",)),
    "an epoch that its entries are not of": ("rows", ("UPDATE documents SET epoch = 2 WHERE id = 3",)),
    "a version we do not know": ("version", ("PRAGMA user_version = 99",)),
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_planted_damage_is_found(tmp_path: Path, what: str) -> None:
    await fill(tmp_path)
    code, statements = DAMAGE[what]
    change(tmp_path, *statements)
    assert codes(tmp_path) == {code}


async def test_a_snapshot_that_lost_something_is_found(tmp_path: Path) -> None:
    """It is readable and its checksum is right, but it does not hold what it replaced."""
    from crdt.log.sqlite.schema import checksum

    await fill(tmp_path)
    poor = Typist(10).type("10-0 ")
    connection = sqlite3.connect(tmp_path / "log.sqlite3")
    seq, epoch, at = connection.execute("SELECT seq, epoch, at FROM snapshots WHERE document = 1").fetchone()
    crc = checksum(1, seq, epoch, at, 0, poor)
    connection.execute("UPDATE snapshots SET body = ?, crc = ? WHERE document = 1", (poor, crc))
    connection.commit()
    connection.close()
    assert codes(tmp_path) == {"coverage"}


async def test_an_unreadable_update_with_a_right_checksum_is_found(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    await log.open()
    entry = Typist(1).entry(PAGES[0], b"\x01\xff\xff not an update")
    await log.append(entry)
    await log.close()
    assert codes(tmp_path) == {"update"}


async def test_flipped_bytes_anywhere_in_the_file_are_found(tmp_path: Path) -> None:
    """40 times one bit is changed. Each time the check says so, or no text has changed."""
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    texts = await fill(tmp_path)
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
            assert await texts_in(tmp_path) == texts, place
        else:
            found += 1
        for side in ("-wal", "-shm"):
            Path(f"{path}{side}").unlink(missing_ok=True)
    assert found > 20


async def test_a_truncated_file_is_found(tmp_path: Path) -> None:
    await fill(tmp_path)
    path = tmp_path / "log.sqlite3"
    size = path.stat().st_size
    for keep in (size - 4096, size // 2, 4096, 1000, 0):
        content = path.read_bytes()[:keep]
        path.write_bytes(content)
        assert not check(tmp_path).ok, keep
    path.unlink()
    assert codes(tmp_path) == {"missing"}


async def test_damaged_records_are_found(tmp_path: Path) -> None:
    await fill(tmp_path)
    (tmp_path / "records.sqlite3").write_bytes(b"SQLite format 3\0" + bytes(5000))
    assert codes(tmp_path) == {"structure"}


async def test_compact_folds_everything_and_shrinks_the_file(tmp_path: Path) -> None:
    texts = await fill(tmp_path)
    log = SqliteLog(tmp_path, LogSettings(tail_updates=10**9, tail_bytes=2**60))
    await log.open()
    await asyncio.gather(*map(log.append, Typist(5).entries("page/gone", ["x" * 200_000] * 10)))
    await log.delete("page/gone")
    await log.close()
    seen: list[tuple[str, int, int]] = []
    report = await asyncio.to_thread(compact_all, tmp_path, lambda *progress: seen.append(progress))
    assert (report.compacted, report.failed) == (2, [])
    assert report.bytes_after < report.bytes_before - 1_000_000
    assert ("documents", 2, 2) in seen
    assert await texts_in(tmp_path) == texts
    assert check(tmp_path).findings == []
    again = await asyncio.to_thread(compact_all, tmp_path)
    assert again.compacted == 0


async def test_compact_names_the_documents_that_it_could_not_fold(tmp_path: Path) -> None:
    texts = await fill(tmp_path)
    change(tmp_path, "UPDATE updates SET body = x'00' WHERE document = 3 AND seq = 5")
    report = await asyncio.to_thread(compact_all, tmp_path)
    assert [name for name, _ in report.failed] == [PAGES[2]]
    assert report.compacted == 1
    log = SqliteLog(tmp_path)
    await log.open()
    assert text_of(await log.load(PAGES[0])) == texts[PAGES[0]]
    await log.close()


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
    texts = await fill(data)
    make_records(data)
    seen: list[str] = []
    backup(data, tmp_path / "b.tar", lambda what, done, total: seen.append(what))
    assert {"copying log.sqlite3", "copying records.sqlite3", "writing the archive"} <= set(seen)
    report = restore(tmp_path / "b.tar", empty)
    assert (report.documents, report.entries) == (3, 184)
    assert await texts_in(empty) == texts == await texts_in(data)


async def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    await fill(data)
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
    await fill(data)
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
    await fill(data)
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
