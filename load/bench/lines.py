"""The generator's sockets: many lines on one epoll, frames read and written by hand, nothing decoded twice.

Every reader of a document is sent the same bytes. So what a chunk says is worked out for the first reader who
gets it and looked up for the others: that is what lets one core of Python keep up with a server in C.
"""

from __future__ import annotations

import base64
import os
import resource
import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from crdt.codec import Reader, var_bytes, var_string
from crdt.update import EMPTY_UPDATE, read_update
from load.wire import Framing

__all__ = ["Hub", "Line", "LineError", "Span", "Target", "frame"]

RECEIVE = 1 << 18
MOST_REMEMBERED, MOST_BYTES = 8192, 1 << 24
OPEN_SECONDS = 30.0
OTHER_FILES = 200
"""Files of a process that are not lines."""
FROM_ONE_ADDRESS = 20_000
"""Lines from one address of this machine: it has some 28,000 ports for them."""
TOKEN, DENIED = 0, 1
SYNC, AWARENESS, AUTH, STATUS = b"\x00", b"\x01", b"\x02", b"\x08"

Span = tuple[int, int, int]
"""(client id, first clock, clock after the last) of edits that came in one piece."""


class LineError(Exception):
    """A line was lost, refused, or did not become ready in time."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a server is and what it speaks; `relay`: it passes messages on and answers none."""

    port: int
    path: str
    framing: Framing
    relay: bool = False


def frame(payload: bytes) -> bytes:
    """One binary frame from a client. The mask is zero, which is as good as any where nobody listens in."""
    size = len(payload)
    if size < 126:
        return bytes((0x82, 0x80 | size, 0, 0, 0, 0)) + payload
    if size < 65536:
        return b"\x82\xfe" + size.to_bytes(2, "big") + b"\0\0\0\0" + payload
    return b"\x82\xff" + size.to_bytes(8, "big") + b"\0\0\0\0" + payload


class Hub:
    """One epoll and what its lines have in common."""

    def __init__(self, target: Target, token: Callable[[str, str], str | None]) -> None:
        self.target = target
        self.token = token
        self.lines: dict[int, Line] = {}
        self.faults: list[str] = []
        self.spans: dict[bytes, tuple[Span, ...]] = {}
        """What updates and whole chunks of updates say, of those seen lately."""
        self.most = _most_files() - OTHER_FILES
        """How many lines may be open here, and in a server on this machine: each is a file."""
        self._remembered = 0
        self._poll = select.epoll()

    def add(self, line: Line) -> None:
        self.lines[line.number] = line
        self._poll.register(line.number, select.EPOLLIN)

    def wait_to_write(self, line: Line, *, waiting: bool) -> None:
        self._poll.modify(line.number, select.EPOLLIN | (select.EPOLLOUT if waiting else 0))

    def remove(self, line: Line) -> None:
        if self.lines.pop(line.number, None) is not None:
            self._poll.unregister(line.number)

    def turn(self, seconds: float) -> None:
        """Handles what is there, or waits for it for so long at most."""
        lines = self.lines
        if 0 < seconds < 0.01:  # epoll counts in milliseconds, select does not
            select.select([self._poll], [], [], seconds)
            seconds = 0.0
        for number, events in self._poll.poll(max(0.0, seconds), 1024):
            line = lines.get(number)
            if line is None:
                continue
            if events & select.EPOLLOUT:
                line.writable()
            if events & ~select.EPOLLOUT:
                line.readable(time.perf_counter())

    def until(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Turns until it has happened; False if it has not in time."""
        deadline = time.perf_counter() + seconds
        while not happened():
            left = deadline - time.perf_counter()
            if left <= 0:
                return False
            self.turn(min(left, 0.05))
        return True

    def ready(self, lines: Iterable[Line], seconds: float = OPEN_SECONDS) -> None:
        """Waits until all of them are ready. Raises LineError."""
        waiting = list(lines)
        if not self.until(lambda: all(line.ready or line.lost for line in waiting), seconds):
            late = sum(not line.ready for line in waiting)
            raise LineError(f"{late} of {len(waiting)} clients were not let in within {seconds:g} s")
        for line in waiting:
            if line.lost:
                raise LineError(f"a client was sent away: {line.lost}")

    def spans_of(self, update: bytes) -> tuple[Span, ...]:
        spans = self.spans.get(update)
        if spans is None:
            summary = read_update(update)
            spans = tuple((each.client, each.start, each.end) for each in summary.writes)
            self.remember(update, spans)
        return spans

    def remember(self, data: bytes, spans: tuple[Span, ...]) -> None:
        self._remembered += len(data)
        if len(self.spans) >= MOST_REMEMBERED or self._remembered > MOST_BYTES:
            self.spans.clear()
            self._remembered = len(data)
        self.spans[data] = spans

    def disown(self) -> None:
        """In a process that was forked: lets go of the lines, which stay as they are for the other."""
        for line in self.lines.values():
            line.disown()
        self.lines.clear()

    def close(self) -> None:
        for line in list(self.lines.values()):
            line.close()


def _most_files() -> int:
    """How many files this process may have open: the system's limit, which is taken."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Line:
    """One client's socket on one document, from the handshake on. What it hears it says to its hooks."""

    __slots__ = (
        "_answered",
        "_head",
        "_out",
        "_parts",
        "_parts_size",
        "_rest",
        "_socket",
        "asked_at",
        "began_at",
        "document",
        "first_byte_at",
        "hub",
        "lost",
        "number",
        "open",
        "owed",
        "pong_at",
        "prefix",
        "ready_at",
        "state",
        "synced",
        "synced_at",
        "update_head",
    )

    def __init__(self, hub: Hub, document: str, subject: str) -> None:
        self.hub, self.document = hub, document
        self.lost = ""
        """Why the line is gone."""
        self.open = self.synced = False
        self.owed = 0
        """Statuses that answers to the server's own questions have yet to earn."""
        self.state = b""
        """The server's answer to the first question: the document as an update."""
        self.asked_at = self.first_byte_at = self.synced_at = self.ready_at = self.pong_at = 0.0
        hocuspocus = hub.target.framing is Framing.HOCUSPOCUS
        self.prefix = var_string(document) if hocuspocus else b""
        self.update_head = self.prefix + b"\x00\x02"
        self._answered = False
        self._head = b""
        self._rest = b""
        self._parts: list[bytes] = []
        self._parts_size = 0
        self._out = bytearray()
        self.began_at = time.perf_counter()
        address = f"127.0.0.{1 + len(hub.lines) // FROM_ONE_ADDRESS}"
        self._socket = socket.create_connection(
            ("127.0.0.1", hub.target.port),
            timeout=OPEN_SECONDS,
            source_address=None if address == "127.0.0.1" else (address, 0),
        )
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self.number = self._socket.fileno()
        hub.add(self)
        self._upgrade(subject)

    # Hooks

    def heard(self, spans: tuple[Span, ...], now: float) -> None:
        """Edits have come."""

    def saw(self, payload: bytes, now: float) -> None:
        """An awareness message has come."""

    def status(self, now: float) -> None:
        """Hocuspocus' framing: an edit was taken."""

    # Opening

    @property
    def ready(self) -> bool:
        return self.ready_at > 0

    def _upgrade(self, subject: str) -> None:
        target = self.hub.target
        token = self.hub.token(self.document, subject)
        path = target.path
        if target.framing is Framing.Y_WEBSOCKET:
            path += f"/{quote(self.document)}" + (f"?token={quote(token)}" if token else "")
        self._write(
            f"GET {path or '/'} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode()
        )
        if target.framing is Framing.HOCUSPOCUS:
            self._head = self.prefix + AUTH + bytes((TOKEN,)) + var_string(token or "")

    def _opened(self, now: float) -> None:
        self.open = True
        if self.hub.target.relay:
            self.ready_at = now
            return
        first, self._head = self._head, b""
        question = frame(self.prefix + SYNC + b"\x00" + var_bytes(b"\x00"))
        self.asked_at = now
        self._write((frame(first) if first else b"") + question)

    def _settle(self, now: float) -> None:
        if not self.ready_at and self.synced and not self.owed:
            if self.hub.target.framing is Framing.HOCUSPOCUS and not self._answered:
                return
            self.ready_at = now

    # Writing

    def send_update(self, update: bytes) -> bytes:
        """The frame of an edit."""
        return frame(self.update_head + var_bytes(update))

    def send_awareness(self, payload: bytes) -> bytes:
        """The frame of an awareness message."""
        return frame(self.prefix + AWARENESS + var_bytes(payload))

    def write(self, frames: bytes) -> None:
        if not self.lost:
            self._write(frames)

    def ping(self) -> None:
        self.pong_at = 0.0
        self.write(b"\x89\x80\0\0\0\0")

    def _write(self, data: bytes) -> None:
        if not self._out:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._lose(str(error))
                return
            if sent == len(data):
                return
            data = data[sent:]
            self.hub.wait_to_write(self, waiting=True)
        self._out += data

    def writable(self) -> None:
        try:
            sent = self._socket.send(self._out)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(str(error))
            return
        del self._out[:sent]
        if not self._out:
            self.hub.wait_to_write(self, waiting=False)

    # Reading

    def readable(self, now: float) -> None:
        try:
            data = self._socket.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(str(error))
            return
        if not data:
            self._lose("the server closed the connection")
            return
        if not self._rest and not self._parts_size:
            spans = self.hub.spans.get(data)
            if spans is not None:
                self.heard(spans, now)
                return
        self._take(data, now)

    def _take(self, data: bytes, now: float) -> None:
        if self._parts_size:  # the middle of a long frame
            self._parts.append(data)
            self._parts_size -= len(data)
            if self._parts_size > 0:
                return
            data = b"".join(self._parts)
            self._parts, self._parts_size = [], 0
        elif self._rest:
            data = self._rest + data
        self._rest = b""
        if not self.open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            if b" 101 " not in head[:20]:
                self._lose(head.split(b"\r\n", 1)[0].decode(errors="replace"))
                return
            self._opened(now)
        self._frames(data, now)

    def _frames(self, data: bytes, now: float) -> None:
        position, end = 0, len(data)
        whole = True
        only_updates: list[Span] | None = []
        while end - position >= 2:
            first, size = data[position], data[position + 1]
            start = position + 2
            if size == 126:
                start += 2
                size = int.from_bytes(data[position + 2 : start], "big")
            elif size == 127:
                start += 8
                size = int.from_bytes(data[position + 2 : start], "big")
            stop = start + size
            if start > end or stop > end:
                if start <= end and size > RECEIVE:
                    self._parts, self._parts_size = [data[position:]], stop - end
                    if not self.first_byte_at:
                        self.first_byte_at = now
                    position, whole = end, False
                break
            position = stop
            if first == 0x82 and data.startswith(self.update_head, start):
                spans = self.hub.spans_of(self._update_in(data, start, stop))
                if only_updates is not None:
                    _join(only_updates, spans)
                else:
                    self.heard(spans, now)
                continue
            if only_updates:
                self.heard(tuple(only_updates), now)
            only_updates = None
            self._control(first, data[start:stop], now)
            if self.lost:
                return
        if position < end:
            self._rest = data[position:]
        if only_updates:
            spans = tuple(only_updates)
            if whole and position == end:
                self.hub.remember(data, spans)
            self.heard(spans, now)

    def _update_in(self, data: bytes, start: int, stop: int) -> bytes:
        start += len(self.update_head)
        while data[start] > 127:
            start += 1
        return data[start + 1 : stop]

    def _control(self, first: int, payload: bytes, now: float) -> None:
        if first == 0x82:
            self._message(payload, now)
        elif first == 0x89:
            self.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        elif first == 0x8A:
            self.pong_at = now
        elif first == 0x88:
            code = int.from_bytes(payload[:2], "big")
            self._lose(f"closed with {code} {payload[2:].decode(errors='replace')}".strip())
        else:
            self._lose(f"a frame that begins with {first:#x}")

    def _message(self, payload: bytes, now: float) -> None:
        if not payload.startswith(self.prefix) or payload in (b"\x09", b"\x0a"):
            return
        at = len(self.prefix)
        kind = payload[at : at + 1]
        if kind == AWARENESS:
            self.saw(payload[at + 1 :], now)
        elif kind == STATUS and self.prefix:
            if payload[at + 1] != 1:
                self.hub.faults.append("an edit was refused")
            if self.owed:
                self.owed -= 1
                self._settle(now)
            else:
                self.status(now)
        elif kind == SYNC and not self.hub.target.relay:
            self._sync(payload, at + 1, now)
        elif kind == AUTH and self.prefix and payload[at + 1] == DENIED:
            self._lose("denied")

    def _sync(self, payload: bytes, at: int, now: float) -> None:
        if payload[at] == 0:
            self._answered = True
            if self.prefix:
                self.owed += 1
            self._write(frame(self.prefix + SYNC + b"\x01" + var_bytes(EMPTY_UPDATE)))
        elif payload[at] == 1:
            reader = Reader(payload[at + 1 :])
            if not self.synced:
                self.state = reader.var_bytes()
                self.first_byte_at = self.first_byte_at or now
                self.synced, self.synced_at = True, time.perf_counter()
            self._settle(now)

    # The end

    def disown(self) -> None:
        self._socket.close()

    def _lose(self, why: str) -> None:
        if not self.lost:
            self.lost = why
            self.hub.faults.append(f"a client's line was lost: {why}")
            self.close()

    def close(self) -> None:
        self.lost = self.lost or "closed"
        self.hub.remove(self)
        self._socket.close()


def _join(into: list[Span], spans: tuple[Span, ...]) -> None:
    for client, start, end in spans:
        if into and into[-1][0] == client and into[-1][2] == start:
            into[-1] = (client, into[-1][1], end)
        else:
            into.append((client, start, end))
