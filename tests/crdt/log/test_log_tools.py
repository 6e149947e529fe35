"""check and compact: what an operator does with a store of either engine."""

import asyncio

import pytest
from log_engines import PAGES, Engine, SqliteEngine, fill, texts_in
from typists import Typist, text_of

from crdt.log import LogSettings


async def codes(engine: Engine) -> set[str]:
    return {finding.code for finding in (await engine.check()).findings}


async def test_a_sound_store_has_no_findings(engine: Engine) -> None:
    await fill(engine)
    seen: list[tuple[str, int, int]] = []
    report = await engine.check(lambda *progress: seen.append(progress))
    assert report.findings == []
    assert report.ok
    assert (report.documents, report.snapshots, report.entries, report.waiting) == (3, 2, 184, 1)
    assert seen[-1] == ("documents", 3, 3)


async def test_a_store_is_checked_beside_a_running_server(engine: Engine) -> None:
    log = engine.log(LogSettings(tail_updates=20))
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
        report = await engine.check()
        assert report.findings == []
        assert report.entries > 0
    going = False
    await asyncio.gather(*writers)
    await log.close()


DAMAGE: dict[str, tuple[str, str]] = {
    "a flipped byte in an update": (
        "entries",
        "UPDATE updates SET body = {zero} WHERE document = 3 AND seq = 5",
    ),
    "another author": ("entries", "UPDATE updates SET subject = 1 WHERE document = 3 AND seq = 5"),
    "another time": ("entries", "UPDATE updates SET at = at + 1 WHERE document = 3 AND seq = 5"),
    "a missing entry in the tail": ("entries", "DELETE FROM updates WHERE document = 3 AND seq = 5"),
    "a missing entry in the history": ("entries", "DELETE FROM updates WHERE document = 1 AND seq = 5"),
    "a missing entry at the end": ("entries", "DELETE FROM updates WHERE document = 3 AND seq = 61"),
    "a missing first entry": ("entries", "DELETE FROM updates WHERE document = 1 AND seq = 1"),
    "a flipped byte in a snapshot": ("snapshot", "UPDATE snapshots SET body = {zero} WHERE document = 1"),
    "a missing snapshot": ("snapshot", "DELETE FROM snapshots WHERE document = 1"),
    "an unknown format": ("entries", "UPDATE updates SET format = 7 WHERE document = 3 AND seq = 5"),
    "a client id without an owner": ("owners", "DELETE FROM clients WHERE document = 3 AND client = 12"),
    "an author without a name": ("entries", "DELETE FROM subjects WHERE subject = 'membership:12'"),
    "heads that cannot be": ("rows", "UPDATE documents SET snapshot_seq = 99999 WHERE id = 1"),
    "rows without a document": ("orphans", "DELETE FROM documents WHERE id = 2"),
    "an epoch that its entries are not of": ("rows", "UPDATE documents SET epoch = 2 WHERE id = 3"),
    "a version we do not know": ("version", "{newer}"),
}


@pytest.mark.parametrize("what", DAMAGE)
async def test_planted_damage_is_found(engine: Engine, what: str) -> None:
    await fill(engine)
    code, statement = DAMAGE[what]
    await engine.execute(statement.format(zero=engine.blob(bytes(9)), newer=engine.newer))
    assert await codes(engine) == {code}


async def test_a_snapshot_that_lost_something_is_found(engine: Engine) -> None:
    """It is readable and its checksum is right, but it does not hold what it replaced."""
    await fill(engine)
    await engine.spoil_snapshot(1, Typist(10).type("10-0 "))
    assert await codes(engine) == {"coverage"}


async def test_an_unreadable_update_with_a_right_checksum_is_found(engine: Engine) -> None:
    log = engine.log()
    await log.open()
    entry = Typist(1).entry(PAGES[0], b"\x01\xff\xff not an update")
    await log.append(entry)
    await log.close()
    assert await codes(engine) == {"update"}


async def test_compact_folds_everything_and_makes_room(engine: Engine) -> None:
    texts = await fill(engine)
    log = engine.log(LogSettings(tail_updates=10**9, tail_bytes=2**60))
    await log.open()
    await asyncio.gather(*map(log.append, Typist(5).entries("page/gone", ["x" * 200_000] * 10)))
    await log.delete("page/gone")
    await log.close()
    seen: list[tuple[str, int, int]] = []
    report = await engine.compact(lambda *progress: seen.append(progress))
    assert (report.compacted, report.failed) == (2, [])
    if isinstance(engine, SqliteEngine):
        assert report.bytes_after < report.bytes_before - 1_000_000
    assert ("documents", 2, 2) in seen
    assert await texts_in(engine) == texts
    assert (await engine.check()).findings == []
    again = await engine.compact()
    assert again.compacted == 0


async def test_compact_names_the_documents_that_it_could_not_fold(engine: Engine) -> None:
    texts = await fill(engine)
    await engine.execute(f"UPDATE updates SET body = {engine.blob(bytes(1))} WHERE document = 3 AND seq = 5")
    report = await engine.compact()
    assert [name for name, _ in report.failed] == [PAGES[2]]
    assert report.compacted == 1
    log = engine.log()
    await log.open()
    assert text_of(await log.load(PAGES[0])) == texts[PAGES[0]]
    await log.close()
