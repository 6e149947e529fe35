"""Appending, loading, owners, seeds: what every reader and writer of the log relies on."""

import asyncio
import random
import sqlite3
import sys
import time
from pathlib import Path

import pytest
from typists import Typist, soon, text_of

from crdt.errors import ClientTaken, LogCorrupt, LogUnavailable, Malformed, StaleEpoch
from crdt.log import FIRST_EPOCH, Entry, Head, LogSettings
from crdt.log.sqlite import SqliteLog, schema
from crdt.log.sqlite.schema import connect

PAGE = "page/river"


def entry(document: str = PAGE, update: bytes = b"\0\0", subject: str = "membership:ana", **more) -> Entry:
    values = {"epoch": FIRST_EPOCH, "clients": (), "at": time.time()} | more
    return Entry(document, values["epoch"], update, subject, values["clients"], values["at"])


async def test_an_unknown_document_loads_as_an_empty_one(log: SqliteLog) -> None:
    stored = await log.load(PAGE)
    assert (stored.snapshot, stored.tail, stored.head_seq, stored.epoch) == (None, (), 0, FIRST_EPOCH)
    assert not await log.exists(PAGE)


async def test_what_was_appended_is_loaded_as_it_was_received(log: SqliteLog) -> None:
    ana = Typist(7)
    entries = ana.entries(PAGE, ["O", "l", "á", " 👩‍🎓"])
    assert await asyncio.gather(*map(log.append, entries)) == [1, 2, 3, 4]
    stored = await log.load(PAGE)
    assert stored.tail == tuple(each.update for each in entries)
    assert text_of(stored) == "Olá 👩‍🎓"
    assert stored.owners == {7: "membership:7"}
    assert await log.exists(PAGE)


async def test_any_bytes_survive(log: SqliteLog) -> None:
    """Bodies travel through SQLite as one blob: NUL, invalid UTF-8 and emptiness come through."""
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    bodies = [b"", b"\0", b"\0\0\xff\xfe", bytes(range(256)), b"", b"\xed\xa0\x80", b"'\";\n", b"\xf0\x9f"]
    bodies += [generator.randbytes(generator.choice([1, 60, 1001, 5000, 70_000])) for _ in range(40)]
    await asyncio.gather(*(log.append(entry(update=body)) for body in bodies))
    assert (await log.load(PAGE)).tail == tuple(bodies)


async def test_the_log_survives_a_restart(tmp_path: Path) -> None:
    for turn in range(3):
        log = SqliteLog(tmp_path)
        await log.open()
        assert await log.append(entry(update=b"%d" % turn, clients=(turn,))) == turn + 1
        await log.close()
    log = SqliteLog(tmp_path)
    await log.open()
    stored = await log.load(PAGE)
    assert stored.tail == (b"0", b"1", b"2")
    assert stored.owners == dict.fromkeys(range(3), "membership:ana")
    await log.close()


async def test_sequences_are_contiguous_and_in_the_order_of_appends(log: SqliteLog) -> None:
    """3,000 appends to 7 documents from many tasks, and each document's log is what its writers were told."""
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    told: dict[str, list[tuple[int, bytes]]] = {}
    submitted: dict[str, list[bytes]] = {}

    async def write(number: int) -> None:
        document = f"page/{generator.randrange(7)}"
        if number % 3 == 0:
            await asyncio.sleep(generator.random() / 50)
        body = b"%d " % number + bytes(generator.randrange(100))
        submitted.setdefault(document, []).append(body)
        told.setdefault(document, []).append((await log.append(entry(document, body)), body))

    await asyncio.gather(*map(write, range(3000)))
    assert log.figures.commits < 1500, "appends that wait together share a commit"
    for document, pairs in told.items():
        assert [seq for seq, _ in pairs] == list(range(1, len(pairs) + 1))
        stored = await log.load(document)
        after = [body for seq, body in pairs if seq > stored.snapshot_seq]
        assert stored.tail == tuple(after)
        assert [body for _, body in pairs] == submitted[document]
    assert sum(map(len, told.values())) == 3000


async def test_the_futures_of_one_commit_resolve_in_order_in_one_turn(log: SqliteLog) -> None:
    resolved: list[tuple[int, int]] = []
    turn = 0

    def count() -> None:
        nonlocal turn
        turn += 1
        handle[0] = loop.call_soon(count)

    loop = asyncio.get_running_loop()
    handle = [loop.call_soon(count)]
    futures = [log.append(entry()) for _ in range(400)]
    for future in futures:
        future.add_done_callback(lambda done: resolved.append((done.result(), turn)))
    before = log.figures.commits
    await asyncio.gather(*futures)
    handle[0].cancel()
    assert [seq for seq, _ in resolved] == list(range(1, 401))
    assert len({turn for _, turn in resolved}) <= log.figures.commits - before


async def test_an_idle_log_commits_at_once(log: SqliteLog) -> None:
    """No company is waited for: one append after another makes one commit each."""
    before = log.figures.commits
    for _ in range(20):
        await log.append(entry())
    assert log.figures.commits - before == 20


async def test_one_group_holds_at_most_256_kilobytes(log: SqliteLog) -> None:
    before = log.figures.commits
    await asyncio.gather(*(log.append(entry(update=bytes(100_000))) for _ in range(10)))
    assert log.figures.commits - before >= 5


async def test_cancelled_appends_are_stored_and_hurt_nobody(log: SqliteLog) -> None:
    given_up, kept = log.append(entry(update=b"a")), log.append(entry(update=b"b"))
    given_up.cancel()
    assert await kept == 2
    assert (await log.load(PAGE)).tail == (b"a", b"b")


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


async def test_a_client_id_belongs_to_whoever_wrote_under_it_first(log: SqliteLog) -> None:
    """The refused entry leaves no trace, and those beside it in the same commit are stored."""
    outcomes = await asyncio.gather(
        log.append(entry(update=b"1", subject="membership:ana", clients=(5, 6))),
        log.append(entry(update=b"2", subject="membership:rui", clients=(9, 6))),
        log.append(entry(update=b"3", subject="membership:rui", clients=(9,))),
        log.append(entry("page/other", b"4", subject="membership:rui", clients=(6,))),
        log.append(entry(update=b"5", subject="membership:ana", clients=(5,))),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], ClientTaken)
    assert outcomes[1].client == 6
    assert [outcomes[i] for i in (0, 2, 3, 4)] == [1, 2, 1, 3]
    stored = await log.load(PAGE)
    assert stored.tail == (b"1", b"3", b"5")
    assert stored.owners == {5: "membership:ana", 6: "membership:ana", 9: "membership:rui"}
    assert log.health.ok


async def test_an_entry_of_another_epoch_is_refused(log: SqliteLog) -> None:
    good, late, early = await asyncio.gather(
        log.append(entry()),
        log.append(entry(epoch=2)),
        log.append(entry("page/new", epoch=0)),
        return_exceptions=True,
    )
    assert good == 1
    assert isinstance(late, StaleEpoch)
    assert isinstance(early, StaleEpoch)
    assert late.current == early.current == FIRST_EPOCH
    assert not await log.exists("page/new")


@pytest.mark.parametrize(
    "bad",
    [
        entry(""),
        entry("a\0b"),
        entry("x" * 1025),
        entry("\ud800"),
        entry(clients=(-1,)),
        entry(clients=(2**63,)),
    ],
)
async def test_what_could_never_be_stored_is_refused_before_it_meets_others(
    log: SqliteLog, bad: Entry
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        log.append(bad)
    assert await log.append(entry()) == 1


async def test_first_content_is_seeded_exactly_once_lesson_09(log: SqliteLog) -> None:
    """100 first openers, one seed; also after a restart of the caller and beside normal appends."""
    update = Typist(99).type("Welcome")
    seeds = [log.seed(PAGE, update, "template", "server:seed") for _ in range(100)]
    assert sorted(await asyncio.gather(*seeds)) == [False] * 99 + [True]
    stored = await log.load(PAGE)
    assert stored.tail == (update,)
    assert stored.owners == {99: "server:seed"}
    assert stored.markers == {"template"}
    assert text_of(stored) == "Welcome"


async def test_a_seed_that_cannot_be_read_leaves_nothing(log: SqliteLog) -> None:
    with pytest.raises(Malformed):
        await log.seed(PAGE, b"\x01\xff", "template", "server:seed")
    assert not await log.exists(PAGE)
    assert (await log.load(PAGE)).markers == set()


async def test_a_seed_under_a_foreign_client_id_leaves_no_marker(log: SqliteLog) -> None:
    rui = Typist(99)
    await log.append(rui.entry(PAGE, rui.type("mine"), first=True))
    with pytest.raises(ClientTaken):
        await log.seed(PAGE, Typist(99).type("Welcome"), "template", "server:seed")
    assert (await log.load(PAGE)).markers == set()
    assert await log.seed(PAGE, Typist(98).type("Welcome"), "template", "server:seed")


async def test_a_deleted_document_is_gone_at_once_and_its_rows_soon(log: SqliteLog) -> None:
    await asyncio.gather(*(log.append(entry(update=bytes(50), clients=(1,))) for _ in range(1200)))
    await log.append(entry("page/other", b"stays"))
    await log.delete(PAGE)
    assert not await log.exists(PAGE)
    assert (await log.load(PAGE)).head_seq == 0
    assert [each async for each in log.history(PAGE)] == []

    def rows(connection) -> int:
        tables = ("updates", "clients", "documents", "snapshots")
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)

    async with asyncio.timeout(10):
        while await log.read(rows) != 2:
            await asyncio.sleep(0.01)
    assert (await log.load("page/other")).tail == (b"stays",)
    assert await log.append(entry()) == 1, "the name begins a new document"
    await log.delete("page/never-there")


async def test_heads_tell_how_far_the_documents_are(log: SqliteLog) -> None:
    """Those that exist, whatever else is asked for; a deleted one does not exist."""
    await asyncio.gather(*(log.append(entry(f"page/{i}")) for i in range(300) for _ in range(i % 3 + 1)))
    await log.delete("page/7")
    asked = [f"page/{i}" for i in range(400)] + ["página/não há", ""]
    heads = await log.heads(asked)
    assert heads == {f"page/{i}": Head(FIRST_EPOCH, i % 3 + 1) for i in range(300) if i != 7}
    assert await log.heads([]) == {}
    assert await log.heads({"page/1"}) == {"page/1": Head(FIRST_EPOCH, 2)}


async def test_history_says_who_and_when(log: SqliteLog) -> None:
    people = ["membership:ana", "membership:rui", "token:bot"]
    futures = [
        log.append(entry(update=b"%d" % i, subject=people[i % 3], at=1_700_000_000.123 + i))
        for i in range(1100)
    ]
    await asyncio.gather(*futures)
    history = [each async for each in log.history(PAGE)]
    assert [each.seq for each in history] == list(range(1, 1101))
    assert [each.update for each in history] == [b"%d" % i for i in range(1100)]
    assert [each.subject for each in history[:4]] == [*people, people[0]]
    assert history[7].at == pytest.approx(1_700_000_007.123, abs=0.001)
    assert [each.seq async for each in log.history(PAGE, 1099)] == [1099, 1100]
    assert [each async for each in log.history(PAGE, 2000)] == []


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


async def test_a_closed_log_says_so(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    await log.open()
    queued = [log.append(entry()) for _ in range(100)]
    await log.close()
    assert [await each for each in queued] == list(range(1, 101)), "closing commits what is queued"
    assert (log.health.ok, log.health.code) == (False, "closed")
    with pytest.raises(LogUnavailable) as refused:
        await log.append(entry())
    assert refused.value.code == "closed"
    with pytest.raises(LogUnavailable):
        await log.load(PAGE)
    await log.close()


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


async def test_too_much_waiting_is_refused_instead_of_filling_the_memory(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, LogSettings(waiting_bytes=10_000))
    await log.open()
    outcomes = await asyncio.gather(
        *(log.append(entry(update=bytes(1000))) for _ in range(50)), return_exceptions=True
    )
    refused = [each for each in outcomes if isinstance(each, LogUnavailable)]
    assert refused
    assert {each.code for each in refused} == {"overloaded"}
    stored = [each for each in outcomes if isinstance(each, int)]
    assert stored == list(range(1, len(stored) + 1))
    assert len(stored) == 10
    await soon(lambda: log.figures.waiting == 0)
    assert await log.append(entry(update=bytes(50_000))) == 11, "alone, a large one is taken"
    await log.close()
