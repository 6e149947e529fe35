"""Appending, loading, owners, seeds: what every reader and writer of the log relies on."""

import asyncio
import random

import pytest
from log_engines import PAGE, Engine, entry
from typists import Typist, soon, text_of

from crdt.errors import ClientTaken, LogUnavailable, Malformed, StaleEpoch
from crdt.log import FIRST_EPOCH, Entry, Head, Log, LogSettings


async def test_an_unknown_document_loads_as_an_empty_one(log: Log) -> None:
    stored = await log.load(PAGE)
    assert (stored.snapshot, stored.tail, stored.head_seq, stored.epoch) == (None, (), 0, FIRST_EPOCH)
    assert not await log.exists(PAGE)


async def test_what_was_appended_is_loaded_as_it_was_received(log: Log) -> None:
    ana = Typist(7)
    entries = ana.entries(PAGE, ["O", "l", "á", " 👩‍🎓"])
    assert await asyncio.gather(*map(log.append, entries)) == [1, 2, 3, 4]
    stored = await log.load(PAGE)
    assert stored.tail == tuple(each.update for each in entries)
    assert text_of(stored) == "Olá 👩‍🎓"
    assert stored.owners == {7: "membership:7"}
    assert await log.exists(PAGE)


async def test_any_bytes_survive(log: Log) -> None:
    """Bodies travel as one blob or as an array of them: NUL, invalid UTF-8 and emptiness come through."""
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    bodies = [b"", b"\0", b"\0\0\xff\xfe", bytes(range(256)), b"", b"\xed\xa0\x80", b"'\";\n", b"\xf0\x9f"]
    bodies += [generator.randbytes(generator.choice([1, 60, 1001, 5000, 70_000])) for _ in range(40)]
    await asyncio.gather(*(log.append(entry(update=body)) for body in bodies))
    assert (await log.load(PAGE)).tail == tuple(bodies)


async def test_the_log_survives_a_restart(engine: Engine) -> None:
    for turn in range(3):
        log = engine.log()
        await log.open()
        assert await log.append(entry(update=b"%d" % turn, clients=(turn,))) == turn + 1
        await log.close()
    log = engine.log()
    await log.open()
    stored = await log.load(PAGE)
    assert stored.tail == (b"0", b"1", b"2")
    assert stored.owners == dict.fromkeys(range(3), "membership:ana")
    await log.close()


async def test_sequences_are_contiguous_and_in_the_order_of_appends(log: Log) -> None:
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


async def test_the_futures_of_one_commit_resolve_in_order_in_one_turn(log: Log) -> None:
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


async def test_an_idle_log_commits_at_once(log: Log) -> None:
    """No company is waited for: one append after another makes one commit each."""
    before = log.figures.commits
    for _ in range(20):
        await log.append(entry())
    assert log.figures.commits - before == 20


async def test_one_group_holds_at_most_256_kilobytes(log: Log) -> None:
    before = log.figures.commits
    await asyncio.gather(*(log.append(entry(update=bytes(100_000))) for _ in range(10)))
    assert log.figures.commits - before >= 5


async def test_cancelled_appends_are_stored_and_hurt_nobody(log: Log) -> None:
    given_up, kept = log.append(entry(update=b"a")), log.append(entry(update=b"b"))
    given_up.cancel()
    assert await kept == 2
    assert (await log.load(PAGE)).tail == (b"a", b"b")


async def test_a_client_id_belongs_to_whoever_wrote_under_it_first(log: Log) -> None:
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


async def test_an_entry_of_another_epoch_is_refused(log: Log) -> None:
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
async def test_what_could_never_be_stored_is_refused_before_it_meets_others(log: Log, bad: Entry) -> None:
    with pytest.raises(ValueError, match=r".+"):
        log.append(bad)
    assert await log.append(entry()) == 1


async def test_first_content_is_seeded_exactly_once_lesson_09(log: Log) -> None:
    """100 first openers, one seed; also after a restart of the caller and beside normal appends."""
    update = Typist(99).type("Welcome")
    seeds = [log.seed(PAGE, update, "template", "server:seed") for _ in range(100)]
    assert sorted(await asyncio.gather(*seeds)) == [False] * 99 + [True]
    stored = await log.load(PAGE)
    assert stored.tail == (update,)
    assert stored.owners == {99: "server:seed"}
    assert stored.markers == {"template"}
    assert text_of(stored) == "Welcome"


async def test_a_seed_that_cannot_be_read_leaves_nothing(log: Log) -> None:
    with pytest.raises(Malformed):
        await log.seed(PAGE, b"\x01\xff", "template", "server:seed")
    assert not await log.exists(PAGE)
    assert (await log.load(PAGE)).markers == set()


async def test_a_seed_under_a_foreign_client_id_leaves_no_marker(log: Log) -> None:
    rui = Typist(99)
    await log.append(rui.entry(PAGE, rui.type("mine"), first=True))
    with pytest.raises(ClientTaken):
        await log.seed(PAGE, Typist(99).type("Welcome"), "template", "server:seed")
    assert (await log.load(PAGE)).markers == set()
    assert await log.seed(PAGE, Typist(98).type("Welcome"), "template", "server:seed")


async def test_a_deleted_document_is_gone_at_once_and_its_rows_soon(log: Log, engine: Engine) -> None:
    await asyncio.gather(*(log.append(entry(update=bytes(50), clients=(1,))) for _ in range(1200)))
    await log.append(entry("page/other", b"stays"))
    await log.delete(PAGE)
    assert not await log.exists(PAGE)
    assert (await log.load(PAGE)).head_seq == 0
    assert [each async for each in log.history(PAGE)] == []

    counts = [f"(SELECT count(*) FROM {table})" for table in ("updates", "clients", "documents", "snapshots")]
    async with asyncio.timeout(10):
        while await engine.execute(f"SELECT {' + '.join(counts)}") != [(2,)]:
            await asyncio.sleep(0.01)
    assert (await log.load("page/other")).tail == (b"stays",)
    assert await log.append(entry()) == 1, "the name begins a new document"
    await log.delete("page/never-there")


async def test_heads_tell_how_far_the_documents_are(log: Log) -> None:
    """Those that exist, whatever else is asked for; a deleted one does not exist."""
    await asyncio.gather(*(log.append(entry(f"page/{i}")) for i in range(300) for _ in range(i % 3 + 1)))
    await log.delete("page/7")
    asked = [f"page/{i}" for i in range(400)] + ["página/não há", ""]
    heads = await log.heads(asked)
    assert heads == {f"page/{i}": Head(FIRST_EPOCH, i % 3 + 1) for i in range(300) if i != 7}
    assert await log.heads([]) == {}
    assert await log.heads({"page/1"}) == {"page/1": Head(FIRST_EPOCH, 2)}


async def test_history_says_who_and_when(log: Log) -> None:
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


async def test_a_closed_log_says_so(engine: Engine) -> None:
    log = engine.log()
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


async def test_too_much_waiting_is_refused_instead_of_filling_the_memory(engine: Engine) -> None:
    log = engine.log(LogSettings(waiting_bytes=10_000))
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
