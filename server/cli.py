"""The command line: `twinspace demo | serve | add | dismiss | list | token | check | compact | backup |
restore | migrate`.

Every command takes the settings that concern it as flags, see server/options.py. `add`, `dismiss` and `list`
are in server/operator.py, what looks after stored data in server/upkeep.py.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, Final

import click
import uvloop
from rich.console import Console

from rooms.rights.access import Scope
from server import logs, operator, upkeep
from server.config import ConfigError, Settings
from server.explained import EXPLAINED
from server.options import settings_options
from server.tokens import Tokens, read_secret

__all__ = ["main"]

DEMO_DATA: Final = Path("data/demo")


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


for each in (operator.add, operator.dismiss, operator.list_, *upkeep.COMMANDS):
    main.add_command(each)


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
    """Run a furnished demo: two schools in two countries, one TwinSpace, one group, a national officer.

    Everything is kept in data/demo unless --data says otherwise; a second start has the same log-ins.
    """
    from rooms.demo.furnish import OFFICER, furnish
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

        # A demo of an earlier version has nobody who approves.
        officers = any(login.role == OFFICER for login in furnished.logins)
        chosen = settings.model_copy(update={"approval": "officers" if officers else "none"})
        await run(chosen, prepare=lambda node: write_pages(node, furnished), announce=announce)

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
    from rooms.rights.access import Changes
    from rooms.storage.records import Records

    records = await Records.open(settings.database_url, Changes())
    try:
        return records.secret
    finally:
        await records.close()
