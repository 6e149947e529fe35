"""The command line: `twinspace demo | serve | add | list | token | check | compact | backup | restore |
migrate`.

Every command takes the settings that concern it as flags, see server/options.py; `add` and `list` are in
server/operator.py.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import uvloop
from rich.console import Console
from rich.progress import Progress, TaskID
from sqlalchemy.exc import SQLAlchemyError

from crdt.errors import CrdtError
from crdt.log import LogSettings
from rooms.access import Scope
from rooms.faults import RecordsError
from server import logs, operator
from server.config import ConfigError, Settings
from server.options import settings_options
from server.tokens import SECRET_FILE, SecretError, TokenError, Tokens, read_secret

__all__ = ["EXPLAINED", "main"]

DEMO_DATA: Final = Path("data/demo")
EXPLAINED: Final = (
    ConfigError,
    SecretError,
    TokenError,
    CrdtError,
    RecordsError,
    OSError,
    SQLAlchemyError,
)
"""Errors whose message tells an operator what is wrong; a stack would only hide it."""


class _Group(click.Group):
    """Says known errors in one line, without a stack."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EXPLAINED as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="twinspace")
def main() -> None:
    """TwinSpace: joint school projects on live pages.

    Every option can also be set as TWINSPACE_<OPTION> in the environment, or in a TOML file: twinspace.toml,
    or the one named by --config or TWINSPACE_CONFIG. Flags beat the environment, the environment the file.
    """
    os.umask(0o077)  # whatever is written holds personal data: for this user only


main.add_command(operator.add)
main.add_command(operator.list_)


@main.command()
@settings_options()
def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    from server.serving import run
    from server.workers import run_workers

    logs.set_up(settings.log_format, settings.log_level)
    if settings.workers > 1:
        sys.exit(run_workers(settings))
    uvloop.run(run(settings))


@main.command()
@settings_options("host", "port", "data", "secret_file", "log_format", "log_level")
def demo(settings: Settings) -> None:
    """Run a furnished demo: two schools in two countries, one TwinSpace, one group.

    Everything is kept in data/demo unless --data says otherwise; a second start has the same log-ins.
    """
    from rooms.demo import furnish
    from server.demo import show, write_pages
    from server.serving import run, say_listening

    if settings.database is not None:
        raise ConfigError("The demo keeps its own records: leave --database (TWINSPACE_DATABASE) out.")
    if "data" not in settings.model_fields_set:
        settings = settings.model_copy(update={"data": DEMO_DATA})
    if "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "warning"})
    logs.set_up(settings.log_format, settings.log_level)
    settings.data.mkdir(parents=True, exist_ok=True)

    async def start() -> None:
        with Console(stderr=True).status("Furnishing the demo: people, cards, pages ..."):
            furnished = await furnish(settings.records_file)

        def announce(address: str) -> None:
            show(furnished, int(address.rpartition(":")[2]))
            say_listening(address)

        await run(settings, prepare=lambda node: write_pages(node, furnished), announce=announce)

    uvloop.run(start())


@main.command()
@click.option("--document", required=True, metavar="NAME", help="The one document the token opens.")
@click.option(
    "--scope",
    type=click.Choice([Scope.READ_WRITE.value, Scope.READONLY.value]),
    default=Scope.READ_WRITE.value,
)
@click.option("--subject", metavar="ID", default="anonymous", help="Who writes, in your application's words.")
@click.option("--name", metavar="TEXT", default="", help="Name shown to others; else the client says it.")
@click.option("--expires", metavar="SECONDS", type=click.IntRange(1), default=43_200, show_default=True)
@settings_options("data", "database", "secret_file")
def token(settings: Settings, document: str, scope: str, subject: str, name: str, expires: int) -> None:
    """Print a document token, and nothing else."""
    tokens = Tokens(asyncio.run(_token_secret(settings)))
    click.echo(tokens.mint(document, Scope(scope), subject=subject, name=name, expires=expires))


async def _token_secret(settings: Settings) -> bytes:
    if not settings.in_postgres or settings.secret_file is not None:
        return read_secret(settings.data, settings.secret_file)
    from rooms.access import Changes
    from rooms.records import Records

    records = await Records.open(settings.database_url, Changes())
    try:
        return records.secret
    finally:
        await records.close()


@main.command()
@settings_options("data")
def check(settings: Settings) -> None:
    """Verify everything in --data without changing it. Works beside a running server.

    Ends with 1 when something is wrong.
    """
    from crdt.log.sqlite.check import check as verify

    with progress() as tell:
        report = verify(settings.data, tell)
    click.echo(
        f"{report.documents} documents, {report.entries} updates, {report.snapshots} snapshots, "
        f"{report.waiting} updates that wait for another."
    )
    for name in report.quarantined:
        click.echo(f"Not folded any more, but whole: {name}. Try: twinspace compact")
    for finding in report.findings:
        click.echo(f"{finding.document or 'store'}: {finding.code}: {finding.message}", err=True)
    if not report.ok:
        raise click.ClickException(
            f"{len(report.findings)} things are wrong. Restore a backup, or ask for help."
        )
    click.echo("Everything is in order.")


@main.command()
@settings_options("data", "history_days")
def compact(settings: Settings) -> None:
    """Fold every document's log and shrink the file. Stop the server first."""
    from crdt.log.sqlite.compact_all import compact_all

    with progress() as tell:
        report = compact_all(settings.data, tell, LogSettings(history_days=settings.history_days))
    click.echo(
        f"{report.compacted} documents folded; the file had {report.bytes_before:,} bytes "
        f"and has {report.bytes_after:,}."
    )
    for name, why in report.failed:
        click.echo(f"{name}: {why}", err=True)
    if report.failed:
        raise click.ClickException(
            f"{len(report.failed)} documents could not be folded. They are as they were."
        )


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@settings_options("data", "database", "secret_file")
def backup(settings: Settings, file: Path) -> None:
    """Write records, documents and the secret to the new file FILE, while the server may be writing.

    FILE holds personal data and the secret: keep it as safe as the server itself.
    """
    from crdt.log.sqlite.backup import backup as write

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


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@settings_options("data")
def restore(settings: Settings, file: Path) -> None:
    """Unpack the backup FILE into --data, which must be empty, after verifying all of it."""
    from crdt.log.sqlite.backup import restore as unpack

    with progress() as tell:
        report = unpack(file, settings.data, tell)
    click.echo(f"{report.documents} documents restored into {settings.data}. Start the server on it.")


@main.command()
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
