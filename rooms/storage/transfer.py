"""Moving the records from one database to another, of whatever engine: a copy, and the proof of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, RowMapping, Table, delete, insert, select, tuple_, update

from rooms.faults import RecordsUnusable
from rooms.storage.records import Reading, Records
from rooms.storage.schema import changes, metadata, settings

__all__ = [
    "MOVED",
    "MOVING_FROM",
    "Counted",
    "copy_records",
    "count_records",
    "note",
    "noted",
    "refuse_if_moved",
]

ROWS_AT_ONCE: Final = 1_000
MOVED: Final = "moved"
"""The setting by which records say that they live elsewhere now, and where."""
MOVING_FROM: Final = "moving-from"
"""The setting by which records say of which installation they are becoming a copy."""
OWN: Final = frozenset({MOVED, MOVING_FROM})
"""Settings that are a database's own."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What one table holds: how many rows, and the sum of their hashes, whatever order they come in."""

    rows: int
    digest: str


async def copy_records(source: Records, target: Records, progress: Progress) -> dict[str, Counted]:
    """Puts what ``source`` holds in the place of what ``target`` holds, in one transaction.

    But for the outbox of changes: no node that would read it is there yet.

    Returns what was read, by table. ``target`` has to be opened anew before it is used for anything else.
    """
    tables = [table for table in metadata.sorted_tables if table is not changes]
    counted: dict[str, Counted] = {}
    async with source.reading() as old, target.writing() as new:
        for table in reversed(metadata.sorted_tables):
            await new.do(delete(table))
        for number, table in enumerate(tables):
            progress("records", number, len(tables))
            count = _Count()
            within = _within(table)
            async for rows in _pages(old, table):
                for row in rows:
                    count.add(row)
                await new.do(insert(table), [{**row, **dict.fromkeys(within)} for row in rows])
            for column in within:
                # Only when all rows are there may one refer to another.
                async for rows in _pages(old, table):
                    for row in rows:
                        if row[column] is not None:
                            await new.do(_same(table, row).values({column: row[column]}))
            counted[table.name] = count.result()
    progress("records", len(tables), len(tables))
    return counted


async def count_records(records: Records) -> dict[str, Counted]:
    """What a database holds, by table: what `copy_records` returned, if nothing was lost or changed."""
    found: dict[str, Counted] = {}
    async with records.reading() as tx:
        for table in metadata.sorted_tables:
            if table is not changes:
                count = _Count()
                async for rows in _pages(tx, table):
                    for row in rows:
                        count.add(row)
                found[table.name] = count.result()
    return found


async def noted(records: Records, key: str) -> str | None:
    """What these records say of being moved: MOVED or MOVING_FROM."""
    async with records.reading() as tx:
        found: str | None = await tx.value(select(settings.c.value).where(settings.c.key == key))
        return found


async def note(records: Records, key: str, value: str | None) -> None:
    """Puts down, or takes away, what these records say."""
    async with records.writing() as tx:
        if value is None:
            await tx.do(delete(settings).where(settings.c.key == key))
        else:
            await tx.put(settings, [{"key": key, "value": value}])


async def refuse_if_moved(records: Records) -> None:
    """Raises RecordsUnusable when these records live elsewhere now, or are on their way here."""
    target = await noted(records, MOVED)
    if target is not None:
        raise RecordsUnusable(
            f"This installation was moved to {target}. Serve that one: this copy is not written to any more."
        )
    if await noted(records, MOVING_FROM) is not None:
        raise RecordsUnusable("This installation is not complete: finish `twinspace migrate` first.")


class _Count:
    def __init__(self) -> None:
        self._rows = 0
        self._sum = 0

    def add(self, row: RowMapping) -> None:
        text = json.dumps(dict(row), sort_keys=True, separators=(",", ":"))
        self._rows += 1
        self._sum += int.from_bytes(hashlib.sha256(text.encode()).digest())

    def result(self) -> Counted:
        return Counted(self._rows, f"{self._sum % 2**256:064x}")


def _within(table: Table) -> list[str]:
    """Columns that refer to other rows of the same table."""
    return [
        column.name
        for column in table.columns
        if any(key.column.table is table for key in column.foreign_keys)
    ]


def _same(table: Table, row: RowMapping) -> Any:
    statement = update(table)
    for column in table.primary_key:
        statement = statement.where(column == row[column.name])
    return statement


async def _pages(tx: Reading, table: Table) -> AsyncIterator[list[RowMapping]]:
    """All rows of a table, a page at a time, in the order of its primary key."""
    key: list[Column[Any]] = list(table.primary_key)
    after: tuple[Any, ...] | None = None
    while True:
        query = select(table).order_by(*key).limit(ROWS_AT_ONCE)
        if table is settings:
            query = query.where(settings.c.key.not_in(OWN))
        if after is not None:
            query = query.where(tuple_(*key) > after)
        rows = list(await tx.all(query))
        if rows:
            yield rows
        if len(rows) < ROWS_AT_ONCE:
            return
        after = tuple(rows[-1][column.name] for column in key)
