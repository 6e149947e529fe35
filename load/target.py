"""Load goes to this machine and nowhere else."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

__all__ = ["TargetError", "checked"]


class TargetError(ValueError):
    """The address may not, or cannot, be a target. The message says why and what to do."""


def checked(url: str) -> str:
    """`url` without a trailing slash if it is a ws:// or wss:// address of this machine.

    Raises TargetError. A name counts only if it is `localhost` and everything it resolves to is loopback.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise TargetError(f"{url!r} is not an address. Write ws://127.0.0.1:PORT/PATH.") from None
    if parts.scheme not in ("ws", "wss") or not host:
        raise TargetError(f"{url!r} is not a WebSocket address. Write ws://127.0.0.1:PORT/PATH.")
    if parts.query or parts.fragment:
        raise TargetError(f"{url!r} has a query or a fragment. Give the token with --token.")
    if not _is_loopback(host):
        raise TargetError(
            f"{host} is not this machine. Load may only go to 127.0.0.1, ::1 or localhost: "
            "run this command where the server runs."
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        try:
            found = {info[4][0] for info in socket.getaddrinfo(host, None)}
        except OSError:
            return False
        return bool(found) and all(ipaddress.ip_address(address).is_loopback for address in found)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
