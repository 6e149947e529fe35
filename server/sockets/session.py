"""What both wire protocols share on one socket: who is there, what it may cost, how rights change."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crdt.codec import Reader
from crdt.errors import CrdtError, LimitExceeded, Malformed
from crdt.sync import SyncStep1, SyncStep2, SyncUpdate, read_sync
from rooms.documents.attachment import Attachment, Outlet
from rooms.documents.budget import Budget, Rates
from rooms.documents.errors import Refused, Unavailable
from rooms.rights.access import Access, Principal
from server.names import is_document_name

if TYPE_CHECKING:
    from .connection import Connection
    from .gateway import Gateway

__all__ = ["CloseCode", "Credentials", "SocketLimits", "SocketSession", "access_notice", "refusal"]

logger = logging.getLogger(__name__)


SYNC, AWARENESS, AUTH, QUERY_AWARENESS = range(4)
"""The message types of y-protocols, which both framings share."""
TOLD_SECONDS = 5.0
"""A sender that stays over its budget is told so at most this often."""


class CloseCode:
    """Application close codes. 44xx: trying again changes nothing, the client has to act first."""

    PROTOCOL_ERROR = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    TOO_BIG = 4413
    UNSUPPORTED_DATA = 1003
    RESTART = 1012
    TRY_LATER = 1013


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may cost."""

    message_bytes: int = 16 * 1024 * 1024
    """One WebSocket message. Above an update's own limit, so that its sender gets a reasoned answer."""
    unauthenticated_bytes: int = 64 * 1024
    unauthenticated_seconds: float = 5.0
    retry_seconds: float = 30.0
    """How long a socket may stay after a refused token, to come with a better one."""
    documents: int = 100
    """Documents open on one socket."""
    waiting_bytes: int = 16 * 1024 * 1024
    """Messages of one socket that wait while its documents are being loaded."""
    presence_grace: float = 2.0
    """Seconds for which somebody whose line broke still seems to be here."""
    refusals: int = 20
    """Refused messages before the socket is closed for good."""
    rates: Rates = field(default_factory=Rates)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with the upgrade request."""

    cookie: str | None
    """The session cookie's value; a secret, never logged."""
    token: str | None
    """A document token from the address or the subprotocol; a secret, never logged."""


def refusal(error: Exception) -> tuple[str, str, int]:
    """An error as (code for programs, sentence for people, permanent close code)."""
    match error:
        case LimitExceeded():
            return f"limit-{error.what}", str(error), CloseCode.TOO_BIG
        case Malformed():
            return error.what, str(error), CloseCode.PROTOCOL_ERROR
        case Refused():
            return error.code, str(error), CloseCode.FORBIDDEN
        case CrdtError():
            return "engine-refused", "The document cannot take this update.", CloseCode.PROTOCOL_ERROR
    return "internal", "The server could not handle this message.", CloseCode.PROTOCOL_ERROR


class SocketSession(ABC):
    """Base of the two protocols. It owns the connection, its tasks and its budget."""

    def __init__(self, connection: Connection, gateway: Gateway, credentials: Credentials) -> None:
        self.connection = connection
        self.gateway = gateway
        self.credentials = credentials
        self.limits = gateway.limits
        self.session_id: str | None = None
        """The log-in this socket has used, so that a log-out finds it."""
        self._loop = asyncio.get_running_loop()
        self._budget = Budget(self.limits.rates, self._loop.time())
        self._authenticated = False
        self._refusals = 0
        self._told_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        connection.set_deadline(self.limits.unauthenticated_seconds)
        connection.allow(self.limits.unauthenticated_bytes)
        gateway.sessions.add(self)
        gateway.observer.connection_opened()

    # The connection's events

    def received(self, size: int, frames: int) -> None:
        self._charge(self._budget.spend(self._loop.time(), size=size, messages=frames))

    def message(self, data: bytes, *, text: bool) -> None:
        if text:
            self.connection.close(CloseCode.UNSUPPORTED_DATA, "Messages have to be binary.")
            return
        try:
            self.dispatch(data)
        except Malformed as error:
            self.gateway.observer.refused(error.what)
            self.connection.close(CloseCode.PROTOCOL_ERROR, str(error))
        except Exception:
            logger.exception("a message could not be handled")
            self.gateway.observer.refused("internal")
            self.connection.close(1011, "The server could not handle this message.")

    @abstractmethod
    def dispatch(self, data: bytes) -> None:
        """Handles one binary message. Raises Malformed for what is no message of the protocol."""

    @staticmethod
    def handle(attachment: Attachment, kind: int, reader: Reader) -> bool:
        """Handles the messages of y-protocols, which both framings number alike; False for any other.

        Raises Malformed.
        """
        if kind == SYNC:
            message = read_sync(reader)
            reader.finish()
            match message:
                case SyncUpdate(update):
                    attachment.receive_update(update)
                case SyncStep1(state_vector):
                    attachment.receive_step1(state_vector)
                case SyncStep2(update):
                    attachment.receive_step2(update)
        elif kind == AWARENESS:
            payload = reader.var_bytes()
            reader.finish()
            attachment.receive_awareness(payload)
        elif kind == QUERY_AWARENESS:
            attachment.receive_query()
        else:
            return False
        return True

    def closed(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        self.gateway.forget(self)

    def congested(self) -> None:
        self.gateway.observer.reader_shed()
        for attachment in self.attachments():
            attachment.fall_behind()

    def drained(self) -> None:
        for attachment in self.attachments():
            attachment.catch_up()

    @abstractmethod
    def attachments(self) -> list[Attachment]:
        """Everything this socket holds open."""

    # Costs

    def spend(self, structs: int) -> None:
        self._charge(self._budget.spend(self._loop.time(), structs=structs))

    def _charge(self, wait: float) -> None:
        """Stops reading from a sender that is over its budget, and tells it."""
        if wait <= 0:
            return
        self.gateway.observer.refused("budget")
        self.connection.hold_for(min(wait, 60.0))
        now = self._loop.time()
        if now < self._told_until:
            return
        self._told_until = now + TOLD_SECONDS
        self.tell(
            {
                "type": "refused",
                "what": "budget",
                "message": "You are sending faster than this server takes in. It goes on in a moment.",
                "retry_after": max(0.1, round(wait, 1)),
            }
        )

    @abstractmethod
    def tell(self, message: Mapping[str, object]) -> None:
        """Says something to our own client, on whatever document is open; others hear nothing."""

    def refused(self, code: str) -> bool:
        """Counts a refused message; True when the socket has been closed for too many of them."""
        self.gateway.observer.refused(code)
        self._refusals += 1
        if self._refusals > self.limits.refusals:
            self.connection.close(CloseCode.PROTOCOL_ERROR, "Too many messages had to be refused.")
            return True
        return False

    # Who is there

    async def enter(
        self, document: str, token: str, outlet: Outlet, *, wants_echo: bool
    ) -> Attachment | None:
        """Authenticates for a document and waits until it is ready; ``None`` when it is denied.

        The caller says what it has to before it calls :meth:`attach`, in the same turn.

        Raises:
            Unavailable: the node is shutting down.
        """
        if not is_document_name(document):
            return None
        principal = await self.gateway.identify(self.credentials, token)
        if principal is None:
            return None
        access = await self.gateway.access(principal, document)
        if not access.may_read:
            return None
        room = self.gateway.registry.acquire(document)
        try:
            self.session_id = principal.session_id or self.session_id
            if not self._authenticated:
                self._authenticated = True
                self.connection.set_deadline(None)
                self.connection.allow(None)
            seen = self.gateway.changes_seen
            await self.gateway.registry.current(room)
            while seen != self.gateway.changes_seen:
                seen = self.gateway.changes_seen
                access = await self.gateway.access(principal, document)
                await room.ready()
        except BaseException:
            self.gateway.registry.release(room)
            raise
        if not access.may_read:
            self.gateway.registry.release(room)
            return None
        return Attachment(room, principal, access, outlet, wants_echo=wants_echo)

    def attach(self, attachment: Attachment) -> None:
        """From now on the document reaches the socket, and its rights are watched."""
        attachment.room.attach(attachment)
        self.gateway.watch(attachment)

    def leave(self, attachment: Attachment) -> None:
        """Detaches from the document and lets the room go if nobody else is there."""
        self.gateway.leave(attachment)
        grace = self.limits.presence_grace if self.connection.broken else 0.0
        attachment.room.detach(attachment, grace=grace)
        self.gateway.registry.release(attachment.room)

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Runs work that ends with the socket at the latest."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Unavailable):
            self.connection.close(CloseCode.TRY_LATER, str(error))
        elif error is not None:
            logger.error("a socket's task failed", exc_info=error)
            self.connection.close(1011, "The server could not handle this message.")

    # Rights

    def recheck(self, attachments: Attachment | list[Attachment]) -> None:
        """Asks anew what the attachments may do; until that is known, no message is taken."""
        self.connection.hold()
        concerned = attachments if isinstance(attachments, list) else [attachments]
        self.gateway.ask_anew(concerned)
        task = self.start(self._recheck(concerned))
        task.add_done_callback(lambda _: self.connection.release())

    async def _recheck(self, attachments: list[Attachment]) -> None:
        for attachment in attachments:
            principal = await self.renew(attachment.principal)
            if principal is None:
                self.bye("session-expired")
                return
            attachment.principal = principal
            access = await self.gateway.access(principal, attachment.room.name)
            attachment.take_access(access)
            self.gateway.watch(attachment)

    async def renew(self, principal: Principal) -> Principal | None:
        """The same principal as of now: a log-in may have ended or been prolonged."""
        if principal.kind == "token":
            return principal
        return await self.gateway.identify(self.credentials, "")

    def bye(self, reason: str) -> None:
        """Ends the socket for good because its log-in is over."""
        self.tell({"type": "bye", "reason": reason})
        self.connection.close(CloseCode.UNAUTHORIZED, reason)


def access_notice(access: Access) -> dict[str, object]:
    """What our own client is told of its rights."""
    return {
        "type": "access",
        "scope": access.scope.value,
        "reason": access.reason,
        "note": access.note,
        "until": access.until,
    }
