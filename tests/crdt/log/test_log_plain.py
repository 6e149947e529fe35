"""Groups in which nothing can be refused have a shorter call: it stores what the whole one would."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_engines import PAGE, PostgresEngine, entry

from crdt.errors import StaleEpoch
from crdt.log import Entry, HistoryEntry, LogSettings
from crdt.log.postgres import PostgresLog
from crdt.log.postgres.calls import Append, PlainCall, is_plain

UNFOLDED = LogSettings(tail_updates=10**9, tail_bytes=2**60)
PEOPLE = ("user:ana", "user:bo", "user:čiara")


@pytest.fixture
async def log(database: str) -> AsyncIterator[PostgresLog]:
    log = PostgresLog(database, UNFOLDED)
    await log.open()
    yield log
    await log.close()


async def history(log: PostgresLog, document: str) -> list[HistoryEntry]:
    return [each async for each in log.history(document)]


def calls(log: PostgresLog) -> list[str]:
    """The calls that the log's session has made so far."""
    return [
        "plain" if "append_to" in each else "whole" for each in log._writer._statements if "append" in each
    ]


async def add(log: PostgresLog, entries: Sequence[Entry]) -> list[int]:
    return await asyncio.gather(*(log.append(each) for each in entries))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(PEOPLE), st.binary(min_size=1, max_size=60)), min_size=1, max_size=9
        ),
        min_size=1,
        max_size=4,
    )
)
async def test_both_calls_store_the_same(database: str, groups: list[list[tuple[str, bytes]]]) -> None:
    """The same groups through a log that knows the document, and through one that always calls for all."""
    engine = PostgresEngine(database)
    if await engine.execute("SELECT to_regclass('log.documents')") != [(None,)]:
        await engine.execute("TRUNCATE documents, updates, clients, subjects RESTART IDENTITY")
    stored = []
    for name in ("page/a", "page/b"):
        log = PostgresLog(database, UNFOLDED)
        await log.open()
        assert await log.append(entry(name, b"first", clients=(7,))) == 1
        told = []
        for group in groups:
            if name == "page/b":
                log._writer._known.clear()
            entries = [entry(name, update, subject=who) for who, update in group]
            told.append(await add(log, entries))
        assert ("plain" in calls(log)) is (name == "page/a")
        row = await engine.execute(
            f"SELECT head_seq, tail_count, tail_bytes, epoch FROM documents WHERE name = '{name}'"
        )
        found = [(each.seq, each.epoch, each.subject, each.update) for each in await history(log, name)]
        loaded = await log.load(name)
        stored.append((told, row, found, loaded.tail, loaded.head_seq))
        await log.close()
    assert stored[0] == stored[1]


async def test_a_group_of_strangers_is_stored_by_the_whole_call(log: PostgresLog) -> None:
    await log.append(entry(subject="user:ana"))
    assert await add(log, [entry(subject="user:ana"), entry(subject="user:new")]) == [2, 3]
    assert set(calls(log)) == {"plain", "whole"}, "the plain one was tried, and did nothing"
    assert [each.subject for each in await history(log, PAGE)] == ["user:ana", "user:ana", "user:new"]
    stored = await log.load(PAGE)
    assert len(stored.tail) == 3


async def test_a_document_that_another_node_has_deleted_begins_anew(log: PostgresLog, database: str) -> None:
    other = PostgresLog(database, UNFOLDED)
    await other.open()
    await add(log, [entry(), entry()])
    await other.delete(PAGE)
    assert await log.append(entry(update=b"after")) == 1
    assert (await log.load(PAGE)).tail == (b"after",)
    await other.close()


async def test_an_entry_of_a_past_epoch_is_refused(log: PostgresLog, database: str) -> None:
    await log.append(entry())
    await PostgresEngine(database).execute("UPDATE documents SET epoch = 2")
    with pytest.raises(StaleEpoch) as refused:
        await log.append(entry())
    assert refused.value.current == 2
    assert (await log.load(PAGE)).head_seq == 1


def _appends(*entries: Entry, marker: str | None = None) -> list[Append]:
    loop = asyncio.get_running_loop()
    return [Append(each, loop.create_future(), marker) for each in entries]


@pytest.mark.parametrize(
    ("entries", "plain"),
    [
        ([entry(), entry(subject="user:bo")], True),
        ([entry(clients=(7,))], False),
        ([entry(), entry("page/other")], False),
        ([entry(), entry(epoch=2)], False),
        ([entry("page/unknown")], False),
    ],
)
async def test_a_plain_group_is_of_one_known_document_without_claims(
    entries: list[Entry], plain: bool
) -> None:
    assert is_plain(_appends(*entries), {PAGE, "page/other"}) is plain
    assert not is_plain(_appends(*entries, marker="seed"), {PAGE, "page/other"})


async def test_an_answer_that_was_lost_is_read_from_the_writers_row() -> None:
    """It keeps heads and refusals, and no tails."""
    call = PlainCall(_appends(entry(), entry()), {PAGE})
    call.arguments()
    assert call.result([41], []) == ([42, 43], [])
