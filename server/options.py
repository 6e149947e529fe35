"""The settings of server/config.py as flags of a command: declared once there, made into options here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from server.config import Settings, load

__all__ = ["settings_options"]

F = TypeVar("F", bound=Callable[..., Any])


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
