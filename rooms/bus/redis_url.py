"""Where the bus's servers are, read from one URL.

redis://[USER:PASSWORD@]HOST[:PORT][/0]                        one server; rediss:// for TLS
unix://[USER:PASSWORD@]/PATH                                   one server on this machine
redis+sentinel://[USER:PASSWORD@]HOST[:PORT],.../SERVICE[/0]   whichever server the Sentinels call primary
redis+cluster://[USER:PASSWORD@]HOST[:PORT],...                a cluster, entered through any of these nodes

rediss+sentinel:// and rediss+cluster:// use TLS. A TLS URL may end in ?ssl_ca_certs=FILE, ssl_certfile=FILE,
ssl_keyfile=FILE, ssl_cert_reqs=none|required, ssl_check_hostname=yes|no. A database number is allowed and
means nothing: channels belong to none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

__all__ = ["Kind", "Place", "Servers"]

REDIS_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
FORMS: Final = (
    "Write redis://HOST:PORT/0, rediss://HOST:PORT/0, unix:///PATH, "
    "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE or redis+cluster://HOST:PORT,HOST:PORT; "
    "a user goes in front of the hosts as USER:PASSWORD@, with special characters percent-encoded"
)
_TLS_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_CHOICES: Final[Mapping[str, Mapping[str, object]]] = {
    "ssl_cert_reqs": {"none": "none", "required": "required"},
    "ssl_check_hostname": {"yes": True, "no": False},
}


class Kind(Enum):
    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server listens: host and port, or the path of a socket."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        return self.path or (f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}")


@dataclass(frozen=True, slots=True)
class Servers:
    """What a URL says. Its repr holds no secret."""

    kind: Kind
    places: tuple[Place, ...]
    """The server, the Sentinels, or the nodes of the cluster to begin with."""
    service: str = ""
    """What the Sentinels call the server; empty without Sentinels."""
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: Mapping[str, Any] | None = None
    """Options of redis-py's SSLConnection; None without TLS."""

    @classmethod
    def parse(cls, url: str) -> Servers:
        """Raises ValueError with a sentence that says what to write, and nothing of what was written: a
        misplaced character may make a password of any part."""
        scheme, found, rest = url.partition("://")
        security, _, how = scheme.partition("+")
        if not found or scheme not in _SCHEMES:
            raise ValueError(f"The URL of the bus does not begin with a scheme known here. {FORMS}.")
        rest, _, query = rest.partition("?")
        if "#" in rest + query:
            raise ValueError(f"The URL of the bus has a # in it: write it as %23. {FORMS}.")
        tls = _options(query, security == "rediss")
        authority, slash, path = rest.partition("/")
        credentials, _, hosts = authority.rpartition("@")
        user, _, password = (unquote(part) for part in credentials.partition(":"))
        kind = Kind(how or "single")
        service = ""
        if scheme == "unix":
            if hosts or not path:
                raise ValueError(f"The URL of the bus names no socket. {FORMS}.")
            places: tuple[Place, ...] = (Place("", 0, slash + unquote(path)),)
        else:
            if kind is Kind.SENTINEL:
                service, _, path = path.partition("/")
                if not service:
                    raise ValueError(f"The URL of the bus names no service of the Sentinels. {FORMS}.")
            if path and not (path.isascii() and path.isdecimal()):
                raise ValueError(
                    f"The URL of the bus has something behind the hosts that is no database number. {FORMS}."
                )
            port = SENTINEL_PORT if kind is Kind.SENTINEL else REDIS_PORT
            places = tuple(_place(each, port) for each in hosts.split(","))
            if kind is Kind.SINGLE and len(places) > 1:
                raise ValueError(f"The URL of the bus names several hosts for one server. {FORMS}.")
        return cls(kind, places, unquote(service), user or None, password or None, tls)


_SCHEMES: Final = frozenset(
    {"unix", "redis", "rediss"}
    | {f"{security}+{kind}" for security in ("redis", "rediss") for kind in ("sentinel", "cluster")}
)


def _place(text: str, default_port: int) -> Place:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    host = unquote(host)
    if not host or any(character.isspace() or character in "[]@/:" for character in host.replace(":", "")):
        raise ValueError(f"The URL of the bus names no host where one should stand. {FORMS}.")
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536):
        raise ValueError(f"The URL of the bus has a port that is no number from 1 to 65535. {FORMS}.")
    return Place(host, int(port or default_port))


def _options(query: str, with_tls: bool) -> Mapping[str, object] | None:
    options: dict[str, object] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in _TLS_FILES and value:
            options[name] = value
        elif value in _CHOICES.get(name, {}):
            options[name] = _CHOICES[name][value]
        else:
            allowed = "=FILE, ".join(_TLS_FILES)
            raise ValueError(
                "The URL of the bus has an option behind the ? that is not known. Write "
                f"{allowed}=FILE, ssl_cert_reqs=none|required or ssl_check_hostname=yes|no."
            )
    if options and not with_tls:
        raise ValueError("The URL of the bus has options for TLS, but no TLS: write rediss:// for redis://.")
    return options if with_tls else None
