"""Where sockets come in: the upgrade, who is asking, and changed rights reaching open sockets."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from aiohttp import web
from websockets.frames import CloseCode as FrameCloseCode

from rooms.documents.attachment import Attachment
from rooms.documents.observer import Observer
from rooms.documents.registry import Registry
from rooms.rights.access import Access, Authority, Change, Changes, Principal, Scope, token_access
from rooms.rights.supervision import Supervision
from server.names import name_in_path

from .commands import Commands
from .hocuspocus import HocuspocusSession
from .session import CloseCode, Credentials, SocketLimits, SocketSession
from .switchboard import Switchboard
from .upgrade import HandedOver, LetGo, release, take_over
from .ywebsocket import YWebsocketSession

__all__ = ["Gateway"]

logger = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between looks at deadlines, quiet connections and quiet rooms."""
PREFIX = "/collab/"
RENEW_BEFORE = 30.0
"""Seconds before a document token expires at which its client is asked for a newer one."""


class Gateway:
    """Both socket endpoints of one node."""

    def __init__(
        self,
        registry: Registry,
        authority: Authority,
        changes: Changes,
        *,
        resolve: Callable[[str], Awaitable[Principal | None]],
        verify: Callable[[str], Principal | None],
        cookie: Callable[[web.BaseRequest], str | None],
        origin_allowed: Callable[[web.BaseRequest], bool],
        observer: Observer,
        supervision: Supervision,
        limits: SocketLimits | None = None,
        max_connections: int = 20_000,
        commands: Commands | None = None,
    ) -> None:
        """``resolve`` turns a session cookie's value into a principal, ``verify`` a document token;
        both give ``None`` for what opens nothing. ``cookie`` reads the cookie of a request whose origin
        entitles it to one."""
        self.registry = registry
        self.limits = limits or SocketLimits()
        self.observer = observer
        self._supervision = supervision
        self.commands = commands
        self.sessions: set[SocketSession] = set()
        self.changes_seen = 0
        """Grows with every change of rights, so that an authentication under way notices one."""
        self._authority = authority
        self._resolve = resolve
        self._verify = verify
        self._cookie = cookie
        self._origin_allowed = origin_allowed
        self._max_connections = max_connections
        self._board = Switchboard()
        self._empty = asyncio.Event()
        self._ticker: asyncio.Task[None] | None = None
        self._unsubscribe = changes.subscribe(self._changed)
        self._due: dict[Attachment, float] = {}
        """When rights have to be asked for anew, in Unix seconds."""
        self._to_renew: dict[Attachment, float] = {}
        """When a client is asked for a newer token, in Unix seconds."""
        self._nothing_until = math.inf
        """Before this, in Unix seconds, neither of the two has anything to do."""
        self._asking: set[Attachment] = set()
        """Whose rights are being asked for anew."""
        self._clock = registry.shelf.wall_clock

    def add_to(self, app: web.Application) -> None:
        """Adds the routes."""
        app.router.add_get("/collab", self.hocuspocus)
        app.router.add_get("/collab/", self.hocuspocus)
        app.router.add_get(PREFIX + "{document:.+}", self.ywebsocket)

    # Coming in

    async def hocuspocus(self, request: web.Request) -> web.StreamResponse:
        """``GET /collab``: Hocuspocus framing."""
        return self._answer(request, None)

    async def ywebsocket(self, request: web.Request) -> web.StreamResponse:
        """``GET /collab/<document>``: y-websocket framing; its clients give up only at 44xx codes."""
        document = name_in_path(request.raw_path, PREFIX)
        if document is None:
            return web.Response(status=400, text="This is no name of a document.\n")
        return self._answer(request, document)

    def _answer(self, request: web.Request, document: str | None) -> web.StreamResponse:
        refused = self.open(request, document, release)
        if refused is not None and refused.status == 403:
            self.observer.refused("origin")
        return refused or HandedOver()

    def open(self, request: web.BaseRequest, document: str | None, let_go: LetGo) -> web.Response | None:
        """Opens a socket for a request, on one document or (Hocuspocus) on none yet.

        Otherwise gives the response that says why not: then nothing has been done.
        """
        if not self._origin_allowed(request):
            return web.Response(status=403, text="Pages of other sites may not open this connection.\n")
        if self.registry.draining:
            return web.Response(status=503, text="The server is restarting; try again.\n")
        if len(self._board) >= self._max_connections:
            return web.Response(status=503, text="Too many connections; try again later.\n")
        taken = take_over(
            request,
            self._board,
            max_message=self.limits.message_bytes,
            too_big_code=FrameCloseCode.MESSAGE_TOO_BIG if document is None else CloseCode.TOO_BIG,
            let_go=let_go,
        )
        if isinstance(taken, web.Response):
            return taken
        connection, tail = taken
        credentials = self._credentials(request)
        if document is None:
            connection.start(HocuspocusSession(connection, self, credentials), tail)
        else:
            connection.start(YWebsocketSession(connection, self, credentials, document), tail)
        return None

    def _credentials(self, request: web.BaseRequest) -> Credentials:
        token = request.query.get("token")
        if token is None:
            offered = request.headers.get("Sec-WebSocket-Protocol", "")
            token = next((part.strip() for part in offered.split(",") if part.count(".") == 2), None)
        return Credentials(self._cookie(request), token)

    def forget(self, session: SocketSession) -> None:
        """The session's connection is gone."""
        self.sessions.discard(session)
        if not self.sessions:
            self._empty.set()
        self.observer.connection_closed()

    # Who is asking

    async def identify(self, credentials: Credentials, token: str) -> Principal | None:
        """The principal of a token sent in a message, else of one sent with the upgrade, else of the cookie.

        What does not look like a document token (three parts with dots) means "use my log-in".
        """
        if token.count(".") == 2:
            return self._verify(token)
        if credentials.token is not None:
            return self._verify(credentials.token.removeprefix("yauth-"))
        if credentials.cookie is not None:
            return await self._resolve(credentials.cookie)
        return None

    async def access(self, principal: Principal, document: str) -> Access:
        """What the principal may do with the document now: no change has come since it was asked."""
        if principal.kind == "token":
            if principal.expires_at is not None and principal.expires_at <= self._clock():
                return Access(Scope.NONE, reason="expired")
            return token_access(principal, document)
        while True:
            seen = self.changes_seen
            access = await self._authority.access(principal, document)
            if seen == self.changes_seen:
                return access

    # Rights that change

    def ask_anew(self, attachments: Iterable[Attachment]) -> None:
        """Until `watch` or `leave` nobody knows what their rights rest on: it may be anything."""
        self._asking.update(attachments)

    def watch(self, attachment: Attachment) -> None:
        """Has the rights asked for anew when the first of what they rest on ends."""
        self._asking.discard(attachment)
        self._supervision.watch(attachment)
        ends = [
            when for when in (attachment.access.until, attachment.principal.expires_at) if when is not None
        ]
        if ends and attachment.attached:
            self._due[attachment] = min(ends)
            self._nothing_until = min(self._nothing_until, *ends)
        else:
            self._unwatch(attachment)
        expires = attachment.principal.expires_at
        if attachment.principal.kind == "token" and expires is not None and attachment.attached:
            ask_at = expires - RENEW_BEFORE
            if ask_at > self._clock():
                self._to_renew[attachment] = ask_at
                self._nothing_until = min(self._nothing_until, ask_at)

    def leave(self, attachment: Attachment) -> None:
        """The attachment ends."""
        self._asking.discard(attachment)
        self._supervision.leave(attachment)
        self._unwatch(attachment)

    def _unwatch(self, attachment: Attachment) -> None:
        self._due.pop(attachment, None)
        self._to_renew.pop(attachment, None)

    def _changed(self, change: Change) -> None:
        if not change.content:
            self.changes_seen += 1
            for session in tuple(self.sessions):
                if change.session is not None and session.session_id == change.session:
                    session.bye(change.kind)
                    continue
                concerned = [each for each in session.attachments() if each.concerned(change)]
                if concerned:
                    session.recheck(concerned)
        if change.notice:
            for attachment in self._listening(change):
                attachment.outlet.notify({"type": "space", "changed": list(change.notice)})

    def _listening(self, change: Change) -> list[Attachment]:
        """Whoever has a space open that the notice is for."""
        if change.everybody or (change.told == "person" and change.space is None):
            rooms = [room for room in self.registry if room.name.startswith("space/")]
        else:
            room = self.registry.get(f"space/{change.space}")
            rooms = [] if room is None else [room]
        attachments = [attachment for room in rooms for attachment in room.attachments]
        if change.supervised:
            return [each for each in attachments if each.access.supervised or each in self._asking]
        match change.told:
            case "staff":
                return [each for each in attachments if each.access.staff]
            case "person":
                return [each for each in attachments if each.principal.person == change.person]
        return attachments

    def _expire(self) -> None:
        now = self._clock()
        if now < self._nothing_until:
            return
        for attachment in [attachment for attachment, when in self._to_renew.items() if when <= now]:
            del self._to_renew[attachment]
            attachment.outlet.ask_token()
        for attachment in [attachment for attachment, when in self._due.items() if when <= now]:
            self._unwatch(attachment)
            attachment.outlet.recheck(attachment)
        self._nothing_until = min((*self._due.values(), *self._to_renew.values()), default=math.inf)

    # Life

    def start(self) -> None:
        """Begins the node's one ticker."""
        self._ticker = asyncio.get_running_loop().create_task(self._tick(), name="socket ticker")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                self._board.tick()
                self._expire()
                self._supervision.tick()
                self.registry.sweep()
            except Exception:
                logger.exception("the socket ticker failed")

    async def drain(self, seconds: float = 3.0) -> None:
        """Takes no more edits, waits for the commits in flight, closes every socket with 1012."""
        self._unsubscribe()
        for session in self.sessions:
            session.connection.hold()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.registry.drain()
        for session in tuple(self.sessions):
            session.connection.close(CloseCode.RESTART, "The server is restarting.")
        if not self.sessions:
            self._empty.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._empty.wait()
        for session in tuple(self.sessions):
            session.connection.abort()
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
