"""The command line: `twinspace demo | serve | token | check | compact | backup | restore`.

Every command takes the settings that concern it as flags, made from the declarations in server/config.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import click
import uvloop
from pydantic.fields import FieldInfo

from crdt.errors import CrdtError
from rooms.access import Scope
from server import logs
from server.config import ConfigError, Settings, load
from server.tokens import SecretError, TokenError, Tokens, read_secret

__all__ = ["main"]

F = TypeVar("F", bound=Callable[..., Any])

DEMO_DATA: Final = Path("data/demo")
STORE: Final = ("data",)


class _Group(click.Group):
    """Says known errors in one line, without a stack."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ConfigError, SecretError, TokenError, CrdtError, OSError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="twinspace")
def main() -> None:
    """TwinSpace: joint school projects on live pages.

    Every option can also be set as TWINSPACE_<OPTION> in the environment, or in a TOML file: twinspace.toml,
    or the one named by --config or TWINSPACE_CONFIG. Flags beat the environment, the environment the file.
    """


def settings_options(*names: str) -> Callable[[F], F]:
    """Gives a command the flags of these settings, or of all; it receives the loaded `Settings`."""

    def decorate(command: F) -> F:
        def run(config: Path | None, **values: Any) -> Any:
            flags = {
                name: values.pop(name)
                for name in list(values)
                if name in Settings.model_fields and values[name] not in (None, ())
            }
            values = {name: value for name, value in values.items() if name not in Settings.model_fields}
            return command(load(flags, config), **values)

        wrapped: Any = run
        for name, field in reversed(Settings.model_fields.items()):
            if not names or name in names:
                wrapped = _option(name, field)(wrapped)
        wrapped = click.option("--config", type=click.Path(path_type=Path), help="TOML file with settings.")(
            wrapped
        )
        wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
        return wrapped  # type: ignore[no-any-return]

    return decorate


def _option(name: str, field: FieldInfo) -> Callable[[F], F]:
    """A click option for one setting. Values stay text: the settings check them, wherever they come from."""
    kind = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    flag = "--" + name.replace("_", "-")
    default = field.get_default()
    text = field.description or ""
    if default not in (None, (), True, False):
        text += f" [default: {default}]"
    if kind is bool:
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=text)
    several = get_origin(kind) is tuple
    choices = get_args(kind) if get_origin(kind) is Literal else None
    return click.option(
        flag,
        name,
        multiple=several,
        default=() if several else None,
        metavar=name.rpartition("_")[2].upper() if choices is None else None,
        type=click.Choice(choices) if choices else str,
        help=text + (" Repeatable." if several else ""),
    )


@main.command()
@settings_options()
def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    from server.serving import run

    logs.set_up(settings.log_format, settings.log_level)
    uvloop.run(run(settings))


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
@settings_options("data", "secret_file")
def token(settings: Settings, document: str, scope: str, subject: str, name: str, expires: int) -> None:
    """Print a document token, and nothing else."""
    tokens = Tokens(read_secret(settings.data, settings.secret_file))
    click.echo(tokens.mint(document, Scope(scope), subject=subject, name=name, expires=expires))
