"""A Yjs client in Python: a replica on a socket that connects, goes offline, comes back and resyncs.

    async with Client("ws://127.0.0.1:8080/collab", "doc/poem", token=token) as client:
        client.text("verse").insert(0, "Roses")
        await client.acknowledged()

It speaks both framings, keeps its client id and its document over reconnects, and knows of every edit
whether the server has acknowledged it (see `load.replica`).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from pycrdt import Doc, Text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from crdt.codec import JsonValue
from crdt.errors import CrdtError

from .replica import Replica
from .target import checked
from .wire import Framing, TokenPlace, wire

__all__ = ["Client", "ClientError", "Ended", "GaveUp", "Unreachable"]

PRESENCE_RENEWAL = 15.0
"""Seconds after which y-protocols' presence has to be said again; it is forgotten after 30."""


class ClientError(Exception):
    """What ends a client's work.

    ClientError
    ├── Unreachable   no connection could be made
    ├── Ended         the server has said no for good: a 44xx close, a denied token, a refused document
    └── GaveUp        something awaited did not happen in time
    """


class Unreachable(ClientError):
    pass


class Ended(ClientError):
    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(f"The server ended this client's work ({code or 'no close code'}): {reason}")
        self.code = code
        self.reason = reason


class GaveUp(ClientError, TimeoutError):
    pass


class Client:
    """One client of one document.

    url: the server without the document: `ws://HOST/collab` for ours, whatever a stock y-websocket client
        would be given for others. Only this machine (raises TargetError). Of several, each connection that
        failed or was lost is followed by one to the next, as if a load balancer chose.
    client_id: the Yjs client id; 32 random bits unless given.
    token_place: where the token goes; where stock clients of the framing put it unless given.
    headers: of the upgrade besides, such as a log-in's cookie.
    backoff: seconds before the first and between the later tries to connect again; they vary by half.

    Methods that wait raise GaveUp after `patience` seconds (None: never), and Ended once the server has said
    no for good.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        document: str,
        *,
        token: str | None = None,
        framing: Framing = Framing.Y_WEBSOCKET,
        token_place: TokenPlace | None = None,
        client_id: int | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = 30.0,
        backoff: tuple[float, float] = (0.05, 1.0),
        rng: random.Random | None = None,
    ) -> None:
        self._urls = [checked(each) for each in ([url] if isinstance(url, str) else url)]
        self._chosen = 0
        self.document = document
        self.patience = patience
        self.replica = Replica(
            wire(framing, document, token, token_place),
            secrets.randbits(32) if client_id is None else client_id,
        )
        self.close_code: int | None = None
        """Of the last connection that ended."""
        self.close_reason = ""
        self.connections = 0
        """Connections made so far."""
        self.away: list[float] = []
        """Seconds from losing a connection to the server's first whole answer on another, each time."""
        self._lost: float | None = None
        self._headers = headers
        self._backoff = backoff
        self._rng = rng or random.Random()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._leaving = False
        self._changed = asyncio.Event()
        self._to_send = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._failure: ClientError | None = None
        self._task: asyncio.Task[None] | None = None
        self._subscription = self.doc.observe(lambda _: self._to_send.set())

    # Life

    async def __aenter__(self) -> Self:
        self.start()
        try:
            await self.until(lambda: self.replica.synced, "the server's first answer", first=True)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def start(self) -> None:
        """Begins to connect, and goes on until `close`. `async with` does it and waits for the first sync."""
        self._task = asyncio.create_task(self._run(), name=f"client {self.client_id}")
        self._task.add_done_callback(lambda _: self._changed.set())

    async def close(self) -> None:
        """Closes the connection, and the client for good. Edits not acknowledged are given up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            self.doc.unobserve(self._subscription)
            self.replica.close()

    @property
    def url(self) -> str:
        """Where it is connected to, or tries to be next."""
        return self._urls[self._chosen]

    # The document

    @property
    def client_id(self) -> int:
        return self.replica.client_id

    @property
    def doc(self) -> Doc[Any]:
        """Edit it as you like: each transaction is one edit."""
        return self.replica.doc

    def text(self, name: str) -> Text:
        return self.replica.text(name)

    # Waiting

    async def until(
        self, happened: Callable[[], bool], what: str = "what was awaited", *, first: bool = False
    ) -> None:
        """Waits until `happened()`, asked anew after everything that this client receives, sends or loses.

        Raises Ended, GaveUp; with `first` also Unreachable, when not even one connection could be made.
        """
        try:
            async with asyncio.timeout(self.patience):
                while not happened():
                    if isinstance(self._failure, Ended) or (first and self._failure is not None):
                        raise self._failure
                    if self._task is not None and self._task.done():
                        self._task.result()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise GaveUp(
                f"Client {self.client_id} waited {self.patience} s for {what} on {self.document}."
            ) from self._failure

    async def acknowledged(self) -> None:
        """Waits until every edit made so far is settled: acknowledged, or refused (see `replica.refused`)."""
        await self.until(lambda: not self.replica.unacknowledged, "its edits to be acknowledged")

    async def synced(self) -> None:
        """Waits until the server has said, on the current connection, all that this client lacked."""
        await self.until(lambda: self.replica.synced, "the server's answer")

    @property
    def connected(self) -> bool:
        return self._socket is not None

    @property
    def failure(self) -> ClientError | None:
        """Why there is no connection, or will be none any more (Ended)."""
        return self._failure

    # Presence

    def show(self, presence: Mapping[str, JsonValue] | None) -> None:
        """Shows this presence to the others, or none."""
        self.replica.presence = presence
        self._to_send.set()

    @property
    def others(self) -> Mapping[int, Mapping[str, JsonValue]]:
        """Everybody else's presence by client id."""
        return self.replica.others

    # The line

    def hold(self) -> None:
        """Makes no new connection until `go_online`; one that stands goes on."""
        self._wanted.clear()

    def go_offline(self, *, abruptly: bool = False) -> None:
        """Closes the connection, and holds. Abruptly: without a word, as a line that broke."""
        self.hold()
        self._leaving = True
        if self._socket is not None:
            if abruptly:
                self._socket.transport.abort()
            else:
                self._to_send.set()

    def go_online(self) -> None:
        """Connects again, now and whenever the connection is lost."""
        self._leaving = False
        self._wanted.set()

    async def disconnected(self) -> None:
        """Waits until the connection is gone and all that came over it has been taken in."""
        await self.until(lambda: self._socket is None, "the connection to end")

    def wake(self) -> None:
        """Lets everybody who waits in `until` ask again."""
        self._changed.set()

    def flush(self) -> None:
        """Sends what is in the replica's outbox. Edits of `doc` do this by themselves."""
        self._to_send.set()

    async def _run(self) -> None:
        pause = 0.0
        while True:
            await self._wanted.wait()
            try:
                await self._connection()
                pause = 0.0
            except (OSError, TimeoutError, InvalidHandshake, WebSocketException) as error:
                self._failure = _why_unreachable(self.url, error)
            except CrdtError as error:
                self._failure = Ended(f"it sent what nobody can read: {error}")
            self._chosen = (self._chosen + 1) % len(self._urls)
            self._changed.set()
            if isinstance(self._failure, Ended):
                return
            if self._wanted.is_set():
                pause = min(self._backoff[1], 2 * pause) if pause else self._backoff[0]
                await asyncio.sleep(pause * self._rng.uniform(0.5, 1.0))

    async def _connection(self) -> None:
        wire = self.replica.wire
        protocols = [Subprotocol(name) for name in wire.subprotocols()]
        async with connect(
            wire.address(self.url),
            subprotocols=protocols or None,
            compression=None,
            max_size=None,
            additional_headers=self._headers,
            proxy=None,
            open_timeout=10,
            close_timeout=5,
        ) as socket:
            self._socket = socket
            self._failure = None
            self.connections += 1
            self.replica.connected()
            self._changed.set()
            sender = asyncio.create_task(self._send(socket))
            try:
                await self._receive(socket)
            finally:
                self._socket = None
                self.replica.disconnected()
                if self._lost is None:
                    self._lost = time.perf_counter()
                sender.cancel()
                await asyncio.wait([sender])
        self.close_code, self.close_reason = socket.close_code, socket.close_reason or ""
        if self.close_code is not None and 4400 <= self.close_code < 4500:
            self._failure = Ended(self.close_reason or "no reason given", self.close_code)

    async def _receive(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            self._to_send.set()
            while True:
                frame = await socket.recv()
                if isinstance(frame, str):
                    self._failure = Ended("it sent a text frame, which neither framing has")
                    return
                self.replica.receive(frame)
                if self.replica.ended is not None:
                    self._failure = Ended(self.replica.ended)
                    return
                if self.replica.outbox:
                    self._to_send.set()
                if self._lost is not None and self.replica.synced:
                    self.away.append(time.perf_counter() - self._lost)
                    self._lost = None
                self._changed.set()

    async def _send(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            renewal = time.monotonic() + PRESENCE_RENEWAL
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(renewal - time.monotonic()):
                        await self._to_send.wait()
                if time.monotonic() >= renewal:
                    self.replica.announce()
                    renewal = time.monotonic() + PRESENCE_RENEWAL
                self._to_send.clear()
                frames, self.replica.outbox = self.replica.outbox, []
                for frame in frames:
                    await socket.send(frame)
                if self._leaving:
                    await socket.close()
                    return


def _why_unreachable(url: str, error: Exception) -> ClientError:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in (401, 403, 404):
            return Ended(f"it answered the upgrade with HTTP status {status}")
        return Unreachable(f"{url} answers with HTTP status {status} instead of a WebSocket.")
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"Nothing listens on {url}. Start a server there first.")
    return Unreachable(f"{url} cannot be reached: {error or type(error).__name__}.")
