"""Moving a log between engines: whatever it holds, however often the move is stopped, while it is written."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from pycrdt import Doc, Text

from crdt.errors import LogCorrupt
from crdt.log import Entry, LogSettings
from crdt.log.check import no_progress
from crdt.log.postgres import PostgresLog
from crdt.log.postgres.transfer import PostgresShelf
from crdt.log.sqlite import SqliteLog
from crdt.log.sqlite.transfer import SqliteShelf
from crdt.log.transfer import Shelf, move_documents, verify_documents

DAY = 86_400.0
START = 1_795_000_000.0


class Scribe:
    """Writes documents into a log, one character an entry, and knows what they say."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.docs: dict[str, Doc] = {}
        self.now = START

    async def write(self, log: SqliteLog | PostgresLog, name: str, count: int) -> None:
        fresh = name not in self.docs
        doc = self.docs.setdefault(name, Doc(client_id=self.rng.randrange(1, 2**32)))
        text = doc.get("t", type=Text)
        for number in range(count):
            before = doc.get_state()
            text.insert(self.rng.randint(0, len(str(text))), self.rng.choice("abcde "))
            self.now += 1
            clients = (doc.client_id,) if fresh and number == 0 else ()
            entry = Entry(name, 1, doc.get_update(before), f"membership:{name}", clients, self.now)
            await log.append(entry)


@asynccontextmanager
async def opened(log: SqliteLog | PostgresLog) -> AsyncIterator[SqliteLog | PostgresLog]:
    await log.open()
    try:
        yield log
    finally:
        await log.close()


async def fill(log: SqliteLog | PostgresLog, scribe: Scribe) -> None:
    """Documents of every kind: only entries, a snapshot with history, pruned, seeded, deleted, odd names."""
    await scribe.write(log, "page/plain", 30)
    await scribe.write(log, "page/folded", 40)
    await log.compact("page/folded")
    await scribe.write(log, "page/folded", 5)
    await scribe.write(log, "page/pruned", 40)
    await log.compact("page/pruned")
    scribe.now += 40 * DAY
    await log.prune()
    await scribe.write(log, "page/pruned", 3)
    await scribe.write(log, "ñandú/😀 x", 2)
    await log.seed("page/seeded", Doc({"t": Text("once")}).get_update(), "kit", "server:kit")
    await scribe.write(log, "page/deleted", 2)
    await log.delete("page/deleted")
    await log.prune()


async def contents(log: SqliteLog | PostgresLog, names: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in names:
        found[name] = (await log.load(name), [entry async for entry in log.history(name)])
    return found


def sqlite(folder: Path, scribe: Scribe | None = None) -> SqliteLog:
    return SqliteLog(folder, LogSettings(history_days=30), clock=lambda: scribe.now if scribe else START)


async def test_there_and_back_every_byte_is_the_same(tmp_path: Path, database: str) -> None:
    scribe = Scribe(1)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    async with opened(sqlite(first, scribe)) as log:
        await fill(log, scribe)
        names = [*scribe.docs, "page/seeded"]
        before = await contents(log, names)
    source = SqliteShelf.reading(first)
    async with PostgresShelf.open(database) as target:
        assert target.alone
        moved = await move_documents(source, target, no_progress)
        assert moved.documents == moved.changed == 5
        await verify_documents(source, target, no_progress)
        again = await move_documents(source, target, no_progress)
        assert (again.changed, again.entries) == (0, 0)
    async with opened(PostgresLog(database, clock=lambda: scribe.now)) as log:
        assert await contents(log, names) == before
        await scribe.write(log, "page/folded", 3)
        await log.compact("page/plain")
        before = await contents(log, names)
    back = SqliteShelf.writing(second)
    async with PostgresShelf.open(database) as there:
        await move_documents(there, back, no_progress)
        await verify_documents(there, back, no_progress)
    back.close()
    source.close()
    async with opened(sqlite(second)) as log:
        assert await contents(log, names) == before
        assert not await log.seed("page/seeded", Doc({"t": Text("twice")}).get_update(), "kit", "server:kit")


class Interrupted(Exception):
    pass


class Unreliable:
    """A target that dies at its n-th step."""

    def __init__(self, shelf: Shelf, steps: int) -> None:
        self.shelf = shelf
        self.left = steps

    def __getattr__(self, name: str) -> object:
        if name in ("put", "finish", "remove"):
            self.left -= 1
            if self.left < 0:
                raise Interrupted
        return getattr(self.shelf, name)


@pytest.mark.parametrize("seed", range(4))
async def test_a_move_that_is_stopped_goes_on_while_the_source_is_written(
    tmp_path: Path, database: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs end at random steps; between them the source grows, folds, prunes and gets documents anew."""
    monkeypatch.setattr("crdt.log.transfer.ENTRIES_AT_ONCE", 7)
    rng = random.Random(seed)
    scribe = Scribe(seed)
    async with opened(sqlite(tmp_path, scribe)) as log, PostgresShelf.open(database) as target:
        await fill(log, scribe)
        source = SqliteShelf.reading(tmp_path)
        for _ in range(12):
            shelf: Shelf = Unreliable(target, rng.randrange(12))  # type: ignore[assignment]
            with suppress(Interrupted):
                await move_documents(source, shelf, no_progress)
            name = rng.choice(["page/plain", "page/folded", "page/pruned", "page/new"])
            match rng.randrange(4):
                case 0:
                    await log.compact(name)
                case 1:
                    await log.delete(name)
                    scribe.docs.pop(name, None)
                    await scribe.write(log, name, rng.randint(1, 30))
                case 2:
                    scribe.now += 31 * DAY
                    await log.prune()
                case 3:
                    await scribe.write(log, name, rng.randint(1, 30))
        await move_documents(source, target, no_progress)
        await verify_documents(source, target, no_progress)
        source.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log.updates SET at = at + 1 WHERE seq = 3",
        "UPDATE log.updates SET body = body || '\\x00' WHERE seq = 2",
        "DELETE FROM log.updates WHERE seq = 2",
        "UPDATE log.clients SET client = client + 1",
        "DELETE FROM log.markers",
        "DELETE FROM log.snapshots",
        "UPDATE log.documents SET name = name || 'x'",
    ],
)
async def test_a_copy_that_is_not_equal_is_noticed(tmp_path: Path, database: str, damage: str) -> None:
    scribe = Scribe(3)
    async with opened(sqlite(tmp_path, scribe)) as log:
        await fill(log, scribe)
    source = SqliteShelf.reading(tmp_path)
    async with PostgresShelf.open(database) as target:
        await move_documents(source, target, no_progress)
        await target._connection.execute(damage)
        with pytest.raises(LogCorrupt):
            await verify_documents(source, target, no_progress)
    source.close()


async def test_a_node_and_a_move_never_have_one_database_together(database: str) -> None:
    async with opened(PostgresLog(database)), PostgresShelf.open(database) as shelf:
        assert not shelf.alone
    async with PostgresShelf.open(database) as shelf:
        assert shelf.alone
        with pytest.raises(Exception, match="being moved"):
            await PostgresLog(database).open()
