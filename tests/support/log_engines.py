"""The engines of the log, so that a test of what every log promises runs on each of them."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from typists import Typist, text_of

from crdt.log import FIRST_EPOCH, Entry, Log, LogSettings
from crdt.log.check import Report
from crdt.log.compact_all import CompactReport
from crdt.log.postgres import PostgresLog, schema
from crdt.log.postgres.check import check_postgres
from crdt.log.postgres.compact_all import compact_postgres
from crdt.log.sqlite import SqliteLog
from crdt.log.sqlite.check import check
from crdt.log.sqlite.compact_all import compact_all
from crdt.log.sqlite.schema import checksum

__all__ = ["PAGE", "PAGES", "Bench", "Engine", "PostgresEngine", "SqliteEngine", "entry", "fill", "texts_in"]

PAGE = "page/river"
PAGES = ("page/douro", "page/ebro", "doc/minho")


def entry(
    document: str = PAGE,
    update: bytes = b"\0\0",
    subject: str = "membership:ana",
    *,
    epoch: int = FIRST_EPOCH,
    clients: tuple[int, ...] = (),
    at: float | None = None,
) -> Entry:
    """Something to append."""
    return Entry(document, epoch, update, subject, clients, time.time() if at is None else at)


class Bench(Executor):
    """Runs each job in a thread, when it is told to; keeps what the jobs got."""

    def __init__(self, change: Callable[[bytes], bytes] = bytes) -> None:
        self._threads = ThreadPoolExecutor(1)
        self._change = change
        self.jobs: list[tuple[bytes | None, Sequence[bytes]]] = []
        self.go = threading.Event()
        self.go.set()

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **more: Any) -> Future[Any]:
        def run() -> Any:
            self.go.wait(20)
            return self._change(function(*arguments, **more))

        if len(arguments) == 2:
            self.jobs.append(arguments)
        return self._threads.submit(run)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.go.set()
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


class Engine(Protocol):
    """One store, and how to get at it from behind."""

    newer: str
    """What makes the store one of a newer program."""

    def log(self, settings: LogSettings | None = None, **more: Any) -> Log:
        """A log on the store, to be opened."""
        ...

    async def execute(self, *statements: str) -> list[Sequence[Any]]:
        """What somebody else does to the tables; the rows of the last statement."""
        ...

    async def check(self, *progress: Any) -> Report: ...

    async def compact(self, *progress: Any) -> CompactReport: ...

    async def spoil_snapshot(self, document: int, body: bytes) -> None:
        """Another snapshot, with a right checksum."""
        ...

    def blob(self, content: bytes) -> str:
        """The content as the engine's SQL has it."""
        ...


class SqliteEngine:
    newer = "PRAGMA user_version = 99"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def log(self, settings: LogSettings | None = None, **more: Any) -> Log:
        return SqliteLog(self.folder, settings, **more)

    async def execute(self, *statements: str) -> list[Sequence[Any]]:
        connection = sqlite3.connect(self.folder / "log.sqlite3")
        try:
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            connection.commit()
        finally:
            connection.close()
        return rows

    async def check(self, *progress: Any) -> Report:
        return await asyncio.to_thread(check, self.folder, *progress)

    async def compact(self, *progress: Any) -> CompactReport:
        return await asyncio.to_thread(compact_all, self.folder, *progress)

    async def spoil_snapshot(self, document: int, body: bytes) -> None:
        query = f"SELECT seq, epoch, at FROM snapshots WHERE document = {document}"
        ((seq, epoch, at),) = await self.execute(query)
        crc = checksum(document, seq, epoch, at, 0, body)
        await self.execute(
            f"UPDATE snapshots SET body = {self.blob(body)}, crc = {crc} WHERE document = {document}"
        )

    def blob(self, content: bytes) -> str:
        return f"x'{content.hex()}'"


class PostgresEngine:
    newer = "UPDATE store SET version = 99"

    def __init__(self, url: str) -> None:
        self.url = url

    def log(self, settings: LogSettings | None = None, **more: Any) -> Log:
        return PostgresLog(self.url, settings, **more)

    async def execute(self, *statements: str) -> list[Sequence[Any]]:
        connection = await asyncpg.connect(self.url, server_settings={"search_path": "log"})
        try:
            for statement in statements:
                rows = await connection.fetch(statement)
        finally:
            await connection.close()
        return [tuple(row) for row in rows]

    async def check(self, *progress: Any) -> Report:
        return await asyncio.to_thread(check_postgres, self.url, *progress)

    async def compact(self, *progress: Any) -> CompactReport:
        return await asyncio.to_thread(compact_postgres, self.url, *progress)

    async def spoil_snapshot(self, document: int, body: bytes) -> None:
        query = f"""
            SELECT s.seq, s.epoch, s.at, d.name FROM snapshots s JOIN documents d ON d.id = s.document
            WHERE s.document = {document}"""
        ((seq, epoch, at, name),) = await self.execute(query)
        crc = schema.snapshot_checksum(name, seq, epoch, at, body)
        await self.execute(
            f"UPDATE snapshots SET body = {self.blob(body)}, crc = {crc} WHERE document = {document}"
        )

    def blob(self, content: bytes) -> str:
        return f"'\\x{content.hex()}'::bytea"


async def fill(engine: Engine) -> dict[str, str]:
    """Three documents: snapshots, tails, seeds, an update that waits, several writers. Returns the texts."""
    log = engine.log(executor=lambda: ThreadPoolExecutor(1))
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


async def texts_in(engine: Engine) -> dict[str, str]:
    log = engine.log()
    await log.open()
    texts = {page: text_of(await log.load(page)) for page in PAGES}
    await log.close()
    return texts
