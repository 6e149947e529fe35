"""The commands that look after what is stored: check, compact, backup, restore, migrate."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from crdt.log import LogSettings
from rooms.rights.access import Changes
from rooms.safety.audit import Broken, broken_chains
from rooms.storage.databases import database_at
from rooms.storage.records import Records
from server.config import Settings
from server.options import settings_options
from server.tokens import SECRET_FILE

__all__ = ["COMMANDS"]


@click.command()
@settings_options("data", "database")
def check(settings: Settings) -> None:
    """Verify every document and audit log, in --data or in PostgreSQL, changing nothing.

    Works beside running servers. Ends with 1 when something is wrong.
    """
    from crdt.log.postgres.check import check_postgres
    from crdt.log.sqlite.check import check as check_sqlite

    with progress() as tell:
        if settings.in_postgres:
            report = check_postgres(settings.database_url, tell)
        else:
            report = check_sqlite(settings.data, tell)
    click.echo(
        f"{report.documents} documents, {report.entries} updates, {report.snapshots} snapshots, "
        f"{report.waiting} updates that wait for another."
    )
    logs, broken = 0, list[Broken]()
    readable = settings.in_postgres or Path(settings.database_url.removeprefix("sqlite:///")).exists()
    if readable and report.ok:
        logs, broken = asyncio.run(_audit_logs(settings))
    click.echo(f"{logs} audit logs.")
    for name in report.quarantined:
        click.echo(f"Not folded any more, but whole: {name}. Try: twinspace compact")
    for finding in report.findings:
        click.echo(f"{finding.document or 'store'}: {finding.code}: {finding.message}", err=True)
    for chain in broken:
        click.echo(
            f"space/{chain.space}: audit: entry {chain.number} of the audit log is not as it was written.",
            err=True,
        )
    wrong = len(report.findings) + len(broken)
    if wrong:
        raise click.ClickException(f"{wrong} things are wrong. Restore a backup, or ask for help.")
    click.echo("Everything is in order.")


async def _audit_logs(settings: Settings) -> tuple[int, list[Broken]]:
    records = Records(database_at(settings.database_url), Changes())
    try:
        return await broken_chains(records)
    finally:
        await records.close()


@click.command()
@settings_options("data", "database", "history_days")
def compact(settings: Settings) -> None:
    """Fold every document's log and free space. With SQLite, stop the server first."""
    from crdt.log.postgres.compact_all import compact_postgres
    from crdt.log.sqlite.compact_all import compact_all

    limits = LogSettings(history_days=settings.history_days)
    with progress() as tell:
        if settings.in_postgres:
            report = compact_postgres(settings.database_url, tell, limits)
        else:
            report = compact_all(settings.data, tell, limits)
    click.echo(
        f"{report.compacted} documents folded; they took {report.bytes_before:,} bytes "
        f"and take {report.bytes_after:,}."
    )
    for name, why in report.failed:
        click.echo(f"{name}: {why}", err=True)
    if report.failed:
        raise click.ClickException(
            f"{len(report.failed)} documents could not be folded. They are as they were."
        )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@settings_options("data", "database", "secret_file")
def backup(settings: Settings, file: Path) -> None:
    """Write records, documents and the secret to the new file FILE, while the server may be writing.

    FILE holds personal data and the secret: keep it as safe as the server itself.
    """
    from crdt.log.sqlite.backup import backup as write

    if settings.in_postgres:
        raise click.ClickException(
            "What is in PostgreSQL is backed up with PostgreSQL's own tools: pg_dump, or a base backup and "
            "its WAL. docs/deploy.md has the commands, and the drill for the way back."
        )
    if settings.database is not None:
        raise click.ClickException(
            "The records are not inside --data, so this backup would be half of one. "
            f"Copy {settings.database} with SQLite's own tools, or leave --database out."
        )
    with progress() as tell:
        archived = write(settings.data, file, tell, also=() if settings.secret_file else (SECRET_FILE,))
    click.echo(
        f"{file}: {', '.join(each.name for each in archived)}, {sum(each.size for each in archived):,} bytes."
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@settings_options("data")
def restore(settings: Settings, file: Path) -> None:
    """Unpack the backup FILE into --data, which must be empty, after verifying all of it."""
    from crdt.log.sqlite.backup import restore as unpack

    with progress() as tell:
        report = unpack(file, settings.data, tell)
    click.echo(f"{report.documents} documents restored into {settings.data}. Start the server on it.")


@click.command()
@click.option(
    "--from", "source", required=True, metavar="URL", help="sqlite:///DATA-FOLDER or postgresql://..."
)
@click.option("--to", "target", required=True, metavar="URL", help="The other of the two.")
def migrate(source: str, target: str) -> None:
    """Move a whole installation from SQLite to PostgreSQL, or back.

    Run it beside the running server first: it copies nearly everything. Then stop the server and run the
    same again: it copies the rest, compares both sides to the last byte, and only then is it done. It can be
    stopped and run again at any time.
    """
    from server.migrate import migrate as move

    with progress() as tell:
        outcome = asyncio.run(move(source, target, tell))
    moved = outcome.moved
    click.echo(
        f"{moved.documents} documents looked at, {moved.changed} copied with {moved.entries} updates, "
        f"{moved.removed} removed that are gone."
    )
    if not outcome.finished:
        raise click.ClickException(
            "The server still runs, so this is not the end: stop it, and run the same command again."
        )
    click.echo(f"{outcome.people} people. Both sides are equal. The old one is not served any more.")


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error for long work; nothing where that is no terminal."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell


COMMANDS: Final = (check, compact, backup, restore, migrate)
