"""``/collab``: Hocuspocus v4 framing, many documents on one socket (protocols.md section 3)."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crdt.codec import Reader, var_string, var_uint
from crdt.errors import Malformed
from crdt.sync import SyncStep1, SyncStep2, SyncUpdate, encode_sync
from rooms.documents.attachment import Attachment
from rooms.rights.access import Access, Scope

from .frames import binary_frame
from .session import (
    AUTH,
    AWARENESS,
    QUERY_AWARENESS,
    SYNC,
    CloseCode,
    Credentials,
    SocketSession,
    access_notice,
    refusal,
)

if TYPE_CHECKING:
    from .commands import Commands
    from .connection import Connection
    from .gateway import Gateway

__all__ = ["HocuspocusFraming", "HocuspocusSession"]

SYNC_REPLY, STATELESS, BROADCAST, CLOSE, SYNC_STATUS = range(4, 9)
PING, PONG = b"\x09", b"\x0a"
TOKEN, PERMISSION_DENIED, AUTHENTICATED = range(3)

MOST_COMMANDS = 50
"""Of one socket, sent and not yet answered."""

FROM_CLIENTS = frozenset({SYNC, AWARENESS, AUTH, QUERY_AWARENESS, STATELESS, CLOSE})
"""The message types a client may send; the others are between servers or from the server only."""


@dataclass(frozen=True, slots=True)
class HocuspocusFraming:
    """Messages addressed to one routing key: everybody with the same key shares the frames."""

    address: bytes
    """The routing key as a varString."""

    def step1(self, state_vector: bytes) -> bytes:
        return self.frame(SYNC, encode_sync(SyncStep1(state_vector)))

    def step2(self, update: bytes) -> bytes:
        return self.frame(SYNC, encode_sync(SyncStep2(update)))

    def update(self, update: bytes) -> bytes:
        return self.frame(SYNC, encode_sync(SyncUpdate(update)))

    def awareness(self, payload: bytes) -> bytes:
        return self.frame(AWARENESS, var_uint(len(payload)) + payload)

    def frame(self, kind: int, body: bytes) -> bytes:
        return binary_frame(self.address + bytes((kind,)) + body)


@functools.lru_cache(maxsize=4096)
def _framing(key: str) -> HocuspocusFraming:
    """The same one for everybody with the same key, so that they are known to share without a comparison."""
    return HocuspocusFraming(var_string(key))


class _Line:
    """One routing key of a socket: the outlet of its attachment."""

    def __init__(self, session: HocuspocusSession, key: str) -> None:
        self.session = session
        self.key = key
        self.document = key.split("\0", 1)[0]
        self.framing = _framing(key)
        self.attachment: Attachment | None = None
        self.waiting: list[tuple[int, Reader]] = []
        """Messages that came before the document was ready."""
        self.waiting_bytes = 0
        self.opening: asyncio.Task[None] | None = None
        self.newer_token: str | None = None
        """A token that came while the first one was being looked at."""

    # The attachment's outlet

    @property
    def full(self) -> bool:
        return self.session.connection.full

    def send(self, frame: bytes) -> None:
        self.session.connection.send(frame)

    def say(self, kind: int, body: bytes) -> None:
        self.send(self.framing.frame(kind, body))

    def acknowledge(self, count: int, *, applied: bool) -> None:
        self.send(self.framing.frame(SYNC_STATUS, b"\x01" if applied else b"\x00") * count)

    def notify(self, message: Mapping[str, object]) -> None:
        if self.attachment is not None and self.attachment.principal.kind == "member":
            self.say(STATELESS, var_string(json.dumps(message, ensure_ascii=False)))

    def spend(self, structs: int) -> None:
        self.session.spend(structs)

    def ask_token(self) -> None:
        if self.session.provider_major >= 4:  # older ones know no such question
            self.say(AUTH, bytes((TOKEN,)))

    def recheck(self, attachment: Attachment) -> None:
        self.session.recheck([attachment])

    def refuse(self, error: Exception) -> None:
        code, sentence, _ = refusal(error)
        if self.session.refused(code):
            return
        self.notify({"type": "refused", "what": code, "message": sentence, "retry_after": None})
        if self.session.provider_major >= 4:
            self.say(CLOSE, var_string(sentence))
        else:  # version 2 throws on a CLOSE it did not ask for; versions 2 and 3 do not say which they are
            self.denied(sentence)
        self.session.drop(self)

    def rights_changed(self, access: Access) -> None:
        self.notify(access_notice(access))
        if access.may_read:
            self.authenticated(access)
        else:
            self.denied(access.reason)
            self.session.drop(self)

    # Words of the protocol

    def authenticated(self, access: Access) -> None:
        scope = Scope.READ_WRITE if access.may_write else Scope.READONLY
        self.say(AUTH, bytes((AUTHENTICATED,)) + var_string(scope.value))

    def denied(self, reason: str = "") -> None:
        self.say(AUTH, bytes((PERMISSION_DENIED,)) + var_string(reason or "permission-denied"))


class HocuspocusSession(SocketSession):
    """One socket with a line for each routing key its client has authenticated for.

    Keys match exactly: what is addressed to a key that never authenticated reaches nothing.
    """

    def __init__(self, connection: Connection, gateway: Gateway, credentials: Credentials) -> None:
        super().__init__(connection, gateway, credentials)
        self._lines: dict[str, _Line] = {}
        self._one_command = asyncio.Lock()
        self._commands_waiting = 0
        self.provider_major = 0
        """The client's major version, as it says itself from version 4 on."""

    def attachments(self) -> list[Attachment]:
        return [line.attachment for line in self._lines.values() if line.attachment is not None]

    def closed(self) -> None:
        super().closed()
        for attachment in self.attachments():
            self.leave(attachment)
        self._lines.clear()

    def tell(self, message: Mapping[str, object]) -> None:
        for line in self._lines.values():
            if line.attachment is not None:
                line.notify(message)
                return

    def idle(self) -> None:
        if self.provider_major >= 4:  # older ones throw on a ping
            self.connection.send(binary_frame(PING))
            return
        for line in self._lines.values():
            self.connection.send(line.framing.awareness(b"\x00"))
            return

    def dispatch(self, data: bytes) -> None:
        if data == PING:
            self.connection.send(binary_frame(PONG))
            return
        if data == PONG:
            return
        reader = Reader(data)
        key = reader.var_string()
        kind = reader.var_uint()
        if kind not in FROM_CLIENTS:
            raise Malformed("message-type", reader.position)
        line = self._lines.get(key)
        if kind == AUTH:
            self._authenticate(line, key, reader)
        elif line is None:
            return
        elif kind == CLOSE:
            line.say(CLOSE, var_string("provider_initiated"))
            self.drop(line)
        elif line.attachment is not None:
            self._handle(line, line.attachment, kind, reader)
        else:
            line.waiting_bytes += len(data)
            if sum(other.waiting_bytes for other in self._lines.values()) > self.limits.waiting_bytes:
                self.connection.close(CloseCode.TRY_LATER, "Too much was sent before the document was ready.")
                return
            line.waiting.append((kind, reader))

    def _authenticate(self, line: _Line | None, key: str, reader: Reader) -> None:
        if reader.var_uint() != TOKEN:
            raise Malformed("auth-message", reader.position)
        token = reader.var_string()
        version = reader.var_string() if reader.remaining else ""
        reader.finish()
        major = version.split(".", 1)[0]
        if major.isdecimal():
            self.provider_major = int(major)
        if line is None:
            if len(self._lines) >= self.limits.documents:
                self._deny(_Line(self, key), "too-many-documents")
                return
            line = self._lines[key] = _Line(self, key)
            line.opening = self.start(self._open(line, token))
        elif line.attachment is None:
            line.newer_token = token
        else:
            self._take_token(line, line.attachment, token)

    def _take_token(self, line: _Line, attachment: Attachment, token: str) -> None:
        self.connection.hold()
        self.start(self._renew_token(line, attachment, token)).add_done_callback(
            lambda _: self.connection.release()
        )

    async def _open(self, line: _Line, token: str) -> None:
        attachment = await self.enter(line.document, token, line, wants_echo=False)
        if attachment is None:
            if self._lines.get(line.key) is line:
                del self._lines[line.key]
            self._deny(line, "")
            return
        if self._lines.get(line.key) is not line or not self.connection.open:
            self.leave(attachment)
            return
        line.opening = None
        waiting, line.waiting, line.waiting_bytes = line.waiting, [], 0
        line.attachment = attachment
        line.authenticated(attachment.access)
        line.notify(access_notice(attachment.access))
        if not self.gateway.registry.shelf.log.health.ok:
            line.notify(self.gateway.registry.log_notice())
        self.attach(attachment)
        for kind, reader in waiting:
            if line.attachment is not None:
                self._handle(line, line.attachment, kind, reader)
        if line.attachment is not None and line.newer_token is not None:
            self._take_token(line, line.attachment, line.newer_token)

    def _deny(self, line: _Line, reason: str) -> None:
        """Says no; the socket stays for a while, so that the client can come with a better token."""
        self.gateway.observer.refused("permission-denied")
        line.denied(reason)
        if not self._authenticated:
            self.connection.set_deadline(self.limits.retry_seconds)

    async def _renew_token(self, line: _Line, attachment: Attachment, token: str) -> None:
        """A token sent again after authentication: the newer one counts, if it is the same subject's."""
        principal = await self.gateway.identify(self.credentials, token)
        if principal is None or principal.subject != attachment.principal.subject:
            line.denied()
            self.drop(line)
            return
        attachment.principal = principal
        attachment.take_access(await self.gateway.access(principal, line.document))
        self.gateway.watch(attachment)

    def drop(self, line: _Line) -> None:
        """Ends one line, open or opening; the socket and its other documents go on."""
        if line.opening is not None:
            line.opening.cancel()
        if self._lines.get(line.key) is line:
            del self._lines[line.key]
        attachment, line.attachment = line.attachment, None
        if attachment is not None:
            self.leave(attachment)

    def _handle(self, line: _Line, attachment: Attachment, kind: int, reader: Reader) -> None:
        if self.handle(attachment, kind, reader):
            return
        if kind == STATELESS:
            payload = reader.var_string()
            reader.finish()
            self._command(line, attachment, payload)

    def _command(self, line: _Line, attachment: Attachment, payload: str) -> None:
        """Runs what a member sends, one after the other, and answers; everything else is for nobody here."""
        commands = self.gateway.commands
        if commands is None or attachment.principal.kind != "member":
            return
        sent = commands.read(payload)
        if sent is None:
            return
        if self._commands_waiting >= MOST_COMMANDS:
            line.notify(commands.too_many(sent))
            return
        self._commands_waiting += 1
        self.start(self._run(line, attachment, commands, sent))

    async def _run(
        self, line: _Line, attachment: Attachment, commands: Commands, sent: Mapping[str, object]
    ) -> None:
        try:
            async with self._one_command:
                principal = await self.renew(attachment.principal)
                if principal is None:
                    self.bye("session-expired")
                    return
                line.notify(await commands.run(principal, sent))
        finally:
            self._commands_waiting -= 1
