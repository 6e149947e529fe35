"""``/collab/<document>``: y-websocket's framing, one document a socket (protocols.md sections 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crdt.codec import Reader, var_string, var_uint
from crdt.errors import Malformed
from crdt.sync import SyncStep1, SyncStep2, SyncUpdate, encode_sync
from rooms.documents.attachment import Attachment
from rooms.rights.access import Access

from .connection import REFUSAL_DELAY
from .frames import binary_frame
from .session import CloseCode, Credentials, SocketSession, refusal

if TYPE_CHECKING:
    from .connection import Connection
    from .gateway import Gateway

__all__ = ["YWebsocketFraming", "YWebsocketSession"]

KEEP_ALIVE = binary_frame(b"\x01\x01\x00")
"""An awareness message about nobody."""


@dataclass(frozen=True, slots=True)
class YWebsocketFraming:
    """Messages without an address. All sockets of this protocol share every frame."""

    def step1(self, state_vector: bytes) -> bytes:
        return binary_frame(b"\x00" + encode_sync(SyncStep1(state_vector)))

    def step2(self, update: bytes) -> bytes:
        return binary_frame(b"\x00" + encode_sync(SyncStep2(update)))

    def update(self, update: bytes) -> bytes:
        return binary_frame(b"\x00" + encode_sync(SyncUpdate(update)))

    def awareness(self, payload: bytes) -> bytes:
        return binary_frame(b"\x01" + var_uint(len(payload)) + payload)


FRAMING = YWebsocketFraming()


class YWebsocketSession(SocketSession):
    """One socket on one document. It is its attachment's outlet."""

    framing = FRAMING

    def __init__(
        self, connection: Connection, gateway: Gateway, credentials: Credentials, document: str
    ) -> None:
        super().__init__(connection, gateway, credentials)
        self._attachment: Attachment | None = None
        self._told_readonly = False
        connection.allow(None)  # held until it is authenticated: nothing more is read
        connection.hold()
        self.start(self._open(document)).add_done_callback(lambda _: connection.release())

    async def _open(self, document: str) -> None:
        attachment = await self.enter(document, "", self, wants_echo=True)
        if attachment is None:
            self.gateway.observer.refused("permission-denied")
            self.connection.close_after(REFUSAL_DELAY, CloseCode.UNAUTHORIZED, "permission-denied")
            return
        if not self.connection.open:
            self.leave(attachment)
            return
        self._attachment = attachment
        self.attach(attachment)
        attachment.ask()

    def attachments(self) -> list[Attachment]:
        return [] if self._attachment is None else [self._attachment]

    def closed(self) -> None:
        super().closed()
        self.detach()

    def detach(self) -> None:
        """Leaves the document; the socket may stay a little longer."""
        if self._attachment is not None:
            self.leave(self._attachment)
            self._attachment = None

    def dispatch(self, data: bytes) -> None:
        attachment = self._attachment
        if attachment is None:
            return
        reader = Reader(data)
        kind = reader.var_uint()
        if not self.handle(attachment, kind, reader):
            raise Malformed("unknown-message", 0)

    def tell(self, message: Mapping[str, object]) -> None:
        """This protocol has no words for our own client."""

    def idle(self) -> None:
        self.connection.send(KEEP_ALIVE)

    # The attachment's outlet

    @property
    def full(self) -> bool:
        return self.connection.full

    def send(self, frame: bytes) -> None:
        self.connection.send(frame)

    def ask_token(self) -> None:
        """This protocol has no such question; an expired token closes the socket."""

    def acknowledge(self, count: int, *, applied: bool) -> None:
        """This protocol has no acknowledgement; the echo of an update says that it is durable."""

    def notify(self, message: Mapping[str, object]) -> None:
        if message["type"] == "refused" and not self._told_readonly:
            self._told_readonly = True
            self.send(binary_frame(b"\x02\x00" + var_string(str(message["message"]))))

    def refuse(self, error: Exception) -> None:
        code, sentence, close_code = refusal(error)
        self.gateway.observer.refused(code)
        self.detach()
        self.connection.close_after(REFUSAL_DELAY, close_code, sentence)

    def rights_changed(self, access: Access) -> None:
        self._told_readonly = False
        if not access.may_read:
            self.detach()
            self.connection.close(CloseCode.FORBIDDEN, access.reason or "permission-denied")
