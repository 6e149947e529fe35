"""The two WebSocket framings as values: y-websocket's, and Hocuspocus' (y-protocols 1.0, Hocuspocus v4).

Sans-I/O: a framing says where to connect, what to say first, and turns messages into frames and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import quote

from crdt.codec import Reader, Writer, var_bytes, var_string
from crdt.errors import Malformed
from crdt.sync import SyncMessage, encode_sync, read_sync

__all__ = [
    "Authenticated",
    "AwarenessUpdate",
    "Denied",
    "Detached",
    "Framing",
    "Hocuspocus",
    "Message",
    "Notice",
    "QueryAwareness",
    "SyncStatus",
    "TokenPlace",
    "Wire",
    "YWebsocket",
]


class Framing(StrEnum):
    Y_WEBSOCKET = "y-websocket"
    HOCUSPOCUS = "hocuspocus"


class TokenPlace(StrEnum):
    """Where a client puts its token."""

    QUERY = "query"
    """?token= in the address"""
    SUBPROTOCOL = "subprotocol"
    """Sec-WebSocket-Protocol: yauth-<token>"""
    MESSAGE = "message"
    """Hocuspocus' Auth message; y-websocket's framing has none."""


@dataclass(frozen=True, slots=True)
class AwarenessUpdate:
    payload: bytes


@dataclass(frozen=True, slots=True)
class QueryAwareness:
    pass


@dataclass(frozen=True, slots=True)
class Authenticated:
    scope: str


@dataclass(frozen=True, slots=True)
class Denied:
    reason: str


@dataclass(frozen=True, slots=True)
class SyncStatus:
    applied: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """Hocuspocus' stateless message."""

    payload: str


@dataclass(frozen=True, slots=True)
class Detached:
    """The server has ended this document on this socket."""

    reason: str


Message = (
    SyncMessage
    | AwarenessUpdate
    | QueryAwareness
    | Authenticated
    | Denied
    | SyncStatus
    | Notice
    | Detached
    | None
)
"""None: a frame that asks for nothing (a keep-alive, another document's)."""


class Wire(Protocol):
    """One framing, for one document."""

    acknowledges: bool
    """Whether the server says of each update that it was taken; else its echo has to do."""

    def address(self, url: str) -> str: ...

    def subprotocols(self) -> list[str]: ...

    def opening(self) -> list[bytes]:
        """The frames a client says before anything else."""
        ...

    def sync(self, message: SyncMessage) -> bytes: ...

    def awareness(self, payload: bytes) -> bytes: ...

    def decode(self, frame: bytes) -> Message:
        """Raises Malformed."""
        ...


SYNC, AWARENESS, AUTH, QUERY_AWARENESS, _, STATELESS, _, CLOSE, STATUS = range(9)
TOKEN, PERMISSION_DENIED, AUTHENTICATED = range(3)
PING, PONG = b"\x09", b"\x0a"


def _with_token(url: str, token: str | None, place: TokenPlace) -> str:
    return f"{url}?token={quote(token)}" if token and place is TokenPlace.QUERY else url


def _token_protocol(token: str | None, place: TokenPlace) -> list[str]:
    return [f"yauth-{token}"] if token and place is TokenPlace.SUBPROTOCOL else []


class YWebsocket:
    """One socket, one document; the document's name ends the address."""

    acknowledges = False

    def __init__(self, document: str, token: str | None, place: TokenPlace) -> None:
        if place is TokenPlace.MESSAGE:
            raise ValueError("y-websocket's framing has no message for a token: use QUERY or SUBPROTOCOL.")
        self._document, self._token, self._place = document, token, place

    def address(self, url: str) -> str:
        return _with_token(f"{url}/{quote(self._document)}", self._token, self._place)

    def subprotocols(self) -> list[str]:
        return _token_protocol(self._token, self._place)

    def opening(self) -> list[bytes]:
        return []

    def sync(self, message: SyncMessage) -> bytes:
        return b"\x00" + encode_sync(message)

    def awareness(self, payload: bytes) -> bytes:
        return b"\x01" + var_bytes(payload)

    def decode(self, frame: bytes) -> Message:
        reader = Reader(frame)
        match reader.var_uint():
            case 0:
                return read_sync(reader)
            case 1:
                return AwarenessUpdate(reader.var_bytes())
            case 2:
                reader.var_uint()
                return Denied(reader.var_string())
            case 3:
                return QueryAwareness()
        return None


class Hocuspocus:
    """One socket, many documents; the routing key begins every frame. This client opens one document."""

    acknowledges = True

    def __init__(self, document: str, token: str | None, place: TokenPlace) -> None:
        self._key = document
        self._prefix = var_string(document)
        self._token, self._place = token, place

    def address(self, url: str) -> str:
        return _with_token(url, self._token, self._place)

    def subprotocols(self) -> list[str]:
        return _token_protocol(self._token, self._place)

    def opening(self) -> list[bytes]:
        token = self._token if self._token and self._place is TokenPlace.MESSAGE else ""
        return [self._frame(AUTH, bytes(Writer().var_uint(TOKEN).var_string(token)))]

    def _frame(self, kind: int, body: bytes) -> bytes:
        return self._prefix + bytes((kind,)) + body

    def sync(self, message: SyncMessage) -> bytes:
        return self._frame(SYNC, encode_sync(message))

    def awareness(self, payload: bytes) -> bytes:
        return self._frame(AWARENESS, var_bytes(payload))

    def decode(self, frame: bytes) -> Message:
        if frame in (PING, PONG):
            return None
        reader = Reader(frame)
        if reader.var_string() != self._key:
            return None
        match reader.var_uint():
            case kind if kind == SYNC:
                return read_sync(reader)
            case kind if kind == AWARENESS:
                return AwarenessUpdate(reader.var_bytes())
            case kind if kind == QUERY_AWARENESS:
                return QueryAwareness()
            case kind if kind == AUTH:
                return self._auth(reader)
            case kind if kind == STATELESS:
                return Notice(reader.var_string())
            case kind if kind == CLOSE:
                return Detached(reader.var_string() if reader.remaining else "")
            case kind if kind == STATUS:
                return SyncStatus(reader.var_uint() == 1)
        return None

    def _auth(self, reader: Reader) -> Message:
        where = reader.position
        match reader.var_uint() if reader.remaining else TOKEN:
            case kind if kind == PERMISSION_DENIED:
                return Denied(reader.var_string())
            case kind if kind == AUTHENTICATED:
                return Authenticated(reader.var_string())
            case kind if kind == TOKEN:  # "send me your token": it went with the first frame
                return None
        raise Malformed("auth-message", where)


def wire(framing: Framing, document: str, token: str | None, place: TokenPlace | None) -> Wire:
    """The framing for a document. Without a place the token goes where stock clients put it.

    Raises ValueError if the framing has no such place.
    """
    if framing is Framing.HOCUSPOCUS:
        return Hocuspocus(document, token, place or TokenPlace.MESSAGE)
    return YWebsocket(document, token, place or TokenPlace.QUERY)
