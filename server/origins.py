"""Web origins as values (RFC 6454): what browsers send in Origin, what a scheme and a Host header make."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Origin", "parse_host", "parse_origin"]

_PORTS = {"http": 80, "https": 443}
# A reg-name or IPv4 address of letters, digits, dots, hyphens and underscores, or an IPv6 address in
# brackets: nothing in it can be mistaken for userinfo, a path or another header.
_HOST = re.compile(
    r"(?P<host>[a-z0-9](?:[a-z0-9._-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class Origin:
    scheme: str
    host: str
    """Lower case; IPv6 in brackets."""
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"


def parse_host(value: str, scheme: str) -> Origin | None:
    """The origin of `HOST[:PORT]` under a scheme; None if it is not exactly that."""
    found = _HOST.fullmatch(value.lower())
    if scheme not in _PORTS or found is None:
        return None
    port = int(found["port"]) if found["port"] else _PORTS[scheme]
    return Origin(scheme, found["host"], port) if 0 < port < 65536 else None


def parse_origin(value: str) -> Origin | None:
    """The value of an Origin header; None for `null` and all that is not exactly scheme://host[:port]."""
    scheme, separator, host = value.partition("://")
    return parse_host(host, scheme.lower()) if separator else None
