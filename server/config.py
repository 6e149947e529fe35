"""Every setting of the server, declared once: as a flag, as TWINSPACE_<NAME> and as a key of the TOML file.

Flags beat the environment, the environment beats the file, the file beats the defaults written here. A key in
the file that nobody knows is an error, because a misspelt limit that is silently ignored protects nobody.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rooms.bus.redis_url import Servers
from server.mail import MailServer, parse_sender
from server.origins import Origin, parse_origin

__all__ = ["CONFIG_VARIABLE", "DEFAULT_FILE", "ConfigError", "Network", "Settings", "load"]

CONFIG_VARIABLE = "TWINSPACE_CONFIG"
DEFAULT_FILE = Path("twinspace.toml")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConfigError(Exception):
    """The settings cannot be used. The message says which one, why, and where it may come from."""


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _origin(value: object) -> object:
    if not isinstance(value, str):
        return value
    origin = parse_origin(value)
    if origin is None:
        raise ValueError("an origin is written https://HOST or https://HOST:PORT, without a path")
    return origin


Several = NoDecode, BeforeValidator(_split)
"""Lists are separated by commas in the environment; flags are repeated; TOML has arrays."""


class Settings(BaseSettings):
    """The settings of one server process. Immutable once loaded."""

    model_config = SettingsConfigDict(env_prefix="TWINSPACE_", extra="forbid", frozen=True)

    # where it listens and who may come
    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all IPv4 addresses.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    public_url: Annotated[Origin, BeforeValidator(_origin)] | None = Field(
        None, description="How the outside reaches this server, such as https://twinspace.school.eu."
    )
    allowed_origin: Annotated[tuple[Annotated[Origin, BeforeValidator(_origin)], ...], *Several] = Field(
        (), description="Another web origin whose pages may open documents with a document token."
    )
    trusted_proxy: Annotated[tuple[Network, ...], *Several] = Field(
        (), description="Address or network of a reverse proxy whose X-Forwarded-* headers count."
    )
    cookie_secure: bool = Field(
        True,
        description="Session cookies for https and localhost only. Off: plain http in a closed network.",
    )

    # what it keeps
    data: Path = Field(Path("data"), description="Folder of everything this server keeps.")
    database: str | None = Field(
        None,
        repr=False,
        description="postgresql://USER:PASSWORD@HOST/NAME keeps everything in PostgreSQL; sqlite:///FILE "
        "moves only the records. Default: SQLite files inside --data.",
    )
    redis: str | None = Field(
        None,
        repr=False,
        description="Redis or Valkey between several nodes on one PostgreSQL: redis://HOST, "
        "redis+sentinel://HOST,HOST/SERVICE or redis+cluster://HOST,HOST.",
    )
    workers: int = Field(
        1, ge=1, le=256, description="Processes on this port, each a node; more than one need --redis."
    )
    secret_file: Path | None = Field(
        None,
        description="File with the secret that signs document tokens. Default: made inside --data, or in "
        "PostgreSQL.",
    )
    history_days: int = Field(
        30, ge=1, le=3650, description="For how many days single edits and their writers are kept."
    )
    compaction_updates: int = Field(
        500, ge=10, le=100_000, description="Fold a document's log after so many updates."
    )
    compaction_bytes: int = Field(
        1_000_000, ge=10_000, le=1_000_000_000, description="Fold a document's log after so many bytes."
    )
    approval: Literal["none", "officers"] = Field(
        "none", description="Who approves a new project or group before it opens."
    )

    # limits
    update_bytes: int = Field(
        8 * 1024 * 1024,
        ge=1024,
        le=64 * 1024 * 1024,
        description="Biggest update of a document taken at once, in bytes.",
    )
    update_structs: int = Field(
        60_000,
        ge=100,
        le=1_000_000,
        description="Structs and deletions in one update: taking it in costs about 6 us each.",
    )
    sender_messages: float = Field(
        500.0, gt=0, description="Messages a second one socket may send over time; above it has to wait."
    )
    sender_bytes: float = Field(
        512 * 1024.0, gt=0, description="Bytes a second one socket may send over time; above it has to wait."
    )
    sender_structs: float = Field(
        10_000.0, gt=0, description="Structs a second one socket may write over time; above it has to wait."
    )
    max_connections: int = Field(
        20_000, ge=1, le=1_000_000, description="Open sockets at most; more are asked to try later."
    )
    unload_after: float = Field(
        30.0, ge=0, le=86_400, description="Seconds a document nobody has open stays in memory."
    )
    api_rate: float = Field(20.0, gt=0, description="REST requests a second one log-in may make over time.")
    api_burst: int = Field(200, ge=1, description="REST requests one log-in may make at once.")

    # mail
    mail_from: str | None = Field(
        None, description="Sender of mails, such as TwinSpace <noreply@twinspace.school.eu>."
    )
    smtp: str | None = Field(
        None,
        repr=False,
        description="Mail server for digests, which teachers turn on themselves: smtp://USER:PASSWORD@HOST "
        "(with STARTTLS) or smtps://. Needs --mail-from and --public-url. Default: no mail.",
    )

    # what it tells
    log_format: Literal["text", "json"] = Field("text", description="Log lines for people or for machines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least important line to log."
    )
    metrics_token: str | None = Field(
        None,
        min_length=16,
        repr=False,
        description="Bearer token that opens /metrics to others than this machine itself.",
    )

    @field_validator("database")
    @classmethod
    def _engine(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("write postgresql://USER:PASSWORD@HOST/NAME or sqlite:///FILE, or leave it out")
        return value

    @field_validator("redis")
    @classmethod
    def _bus(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            Servers.parse(value)
            if not _in_postgres(info.data.get("database")):
                raise ValueError("nodes share a PostgreSQL: give --database postgresql://... too")
        return value

    @field_validator("workers")
    @classmethod
    def _several(cls, value: int, info: ValidationInfo) -> int:
        if value > 1 and info.data.get("redis") is None:
            raise ValueError(
                "several processes are several nodes: give --database postgresql://... and "
                "--redis redis://... too (SQLite belongs to one process)"
            )
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None:
            parse_sender(value)
        return value

    @field_validator("smtp")
    @classmethod
    def _mail(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            MailServer.parse(value)
            if not info.data.get("mail_from") or not info.data.get("public_url"):
                raise ValueError("mails need a sender and links: give --mail-from and --public-url too")
        return value

    @field_validator("public_url")
    @classmethod
    def _web(cls, value: Origin | None) -> Origin | None:
        if value is not None and value.scheme not in ("http", "https"):
            raise ValueError("a public URL begins with http:// or https://")
        return value

    @property
    def records_file(self) -> Path:
        """Where people, spaces and pages are kept, unless `database` says otherwise."""
        return self.data / "records.sqlite3"

    @property
    def in_postgres(self) -> bool:
        """Whether records and documents live in PostgreSQL, so that other nodes may share them."""
        return _in_postgres(self.database)

    @property
    def database_url(self) -> str:
        """Where the records are."""
        return self.database or f"sqlite:///{self.records_file}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def _in_postgres(database: str | None) -> bool:
    return database is not None and database.startswith("postgresql://")


def load(flags: Mapping[str, Any] | None = None, config: Path | None = None) -> Settings:
    """The settings from flags, environment and file.

    `flags` are only those given. `config` is the file asked for; else $TWINSPACE_CONFIG; else twinspace.toml
    if it is there. Raises ConfigError.
    """
    file = _find_file(config)

    class Loaded(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        return Loaded(**(flags or {}))
    except ValidationError as error:
        raise ConfigError(_explain(error, file)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.") from None


def _find_file(config: Path | None) -> Path | None:
    asked = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    if asked is None:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    if not asked.is_file():
        raise ConfigError(f"There is no configuration file {asked}.")
    return asked


def _explain(error: ValidationError, file: Path | None) -> str:
    lines = []
    for item in error.errors(include_url=False):
        name = str(item["loc"][0]) if item["loc"] else "settings"
        if item["type"] == "extra_forbidden":
            lines.append(f"{name}: there is no such setting (in {file}).")
        else:
            problem = item["msg"].removeprefix("Value error, ")
            lines.append(
                f"{name}: {problem} (from --{name.replace('_', '-')}, TWINSPACE_{name.upper()} or the file)."
            )
    return "\n".join(lines)
