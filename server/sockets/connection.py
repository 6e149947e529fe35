"""One WebSocket connection: a small asyncio protocol around websockets' Sans-I/O state machine.

After the handshake aiohttp hands its socket over to a :class:`Connection`, which costs a tenth of
aiohttp's own WebSocket in memory and has a synchronous write path (docs/adr/0002-one-port.md). It
owes the rest of RFC 6455 itself: reassembly and UTF-8 (here), pings and deadlines (the Switchboard's
ticks), the close handshake and its time-out (both).
"""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from typing import Protocol

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol as FrameProtocol
from websockets.protocol import Side, State

from .switchboard import Switchboard

try:
    from websockets.speedups import apply_mask
except ImportError:  # where it was installed without a compiler
    from websockets.utils import apply_mask

__all__ = ["Connection", "Handler"]

WRITE_HIGH = 256 * 1024
"""Bytes waiting in a socket above which its reader counts as behind."""
WRITE_LOW = 64 * 1024
CLOSE_TIMEOUT = 5.0
"""Seconds the peer has to answer a close frame."""
REFUSAL_DELAY = 2.0
"""Seconds before a refusal that stands is told, see :meth:`Connection.close_after`."""
STALLED_TIMEOUT = 30.0
"""Seconds a peer may leave its socket unread before it is dropped."""
JOIN_BELOW = 64 * 1024
"""Frames of a turn are copied into one write below this size, and handed over one by one above it."""
PART = 128 * 1024
"""Of what is larger, so much goes out in one turn: a class that opens a large page together would else keep
everybody waiting while the kernel copies all of it for each."""


class Handler(Protocol):
    """What a wire protocol does with a connection's events. All are called on the loop, none may block."""

    def received(self, size: int, frames: int) -> None:
        """So many bytes and frames have come, whole messages or not: what the sender pays for."""
        ...

    def message(self, data: bytes, *, text: bool) -> None:
        """One whole message. Called only while the connection is not held."""
        ...

    def closed(self) -> None:
        """The connection is gone, however that came about. Called once."""
        ...

    def congested(self) -> None:
        """The peer does not read: more than WRITE_HIGH bytes wait for it."""
        ...

    def drained(self) -> None:
        """The peer reads again."""
        ...

    def idle(self) -> None:
        """Nothing was sent for a while: send something that keeps a stock client content."""
        ...


class _Frames(FrameProtocol):
    """websockets' state machine, with a close code of our choice for a message over the limit."""

    too_big: tuple[int, str]

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        if code == CloseCode.MESSAGE_TOO_BIG:
            code, reason = self.too_big
        super().fail(code, reason)


class Connection(asyncio.Protocol):
    """A WebSocket that is open. Frames go out in order, at most one write per loop turn."""

    __slots__ = (
        "__weakref__",
        "_allowance",
        "_board",
        "_bucket",
        "_closing",
        "_congested",
        "_decoder",
        "_delayed",
        "_frames",
        "_heard",
        "_holds",
        "_lost",
        "_max_message",
        "_out",
        "_out_bytes",
        "_owed",
        "_parts",
        "_parts_text",
        "_processing",
        "_quiet_looks",
        "_reading",
        "_sent",
        "_silent_looks",
        "_transport",
        "_ws",
        "handler",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        board: Switchboard,
        *,
        max_message: int,
        too_big_code: int = CloseCode.MESSAGE_TOO_BIG,
    ) -> None:
        self.handler: Handler
        """Set by :meth:`start`; until then the transport is still aiohttp's."""
        self._transport = transport
        self._board = board
        self._ws = _Frames(Side.SERVER, state=State.OPEN, max_size=max_message)
        self._ws.too_big = (too_big_code, f"A message may have at most {max_message} bytes.")
        self._frames: deque[Frame | bytes] = deque()
        """What has come and was not handled yet: a whole binary message, or any other frame."""
        self._max_message = max_message
        self._owed = 0
        """Bytes the state machine was given and has made no frame of yet: at 0 it is between two frames."""
        self._parts: list[bytes] = []
        self._parts_text = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._out: list[bytes | memoryview] = []
        self._out_bytes = 0
        self._holds = 0
        self._processing = False
        self._reading = True
        self._congested = False
        self._heard = True
        self._sent = True
        self._silent_looks = 0
        self._quiet_looks = 0
        self._closing = False
        """A close frame has been written: nothing may follow it."""
        self._lost = False
        self._delayed = False
        """A message over the limit is being answered, late (see :meth:`close_after`)."""
        self._allowance: int | None = None
        """Bytes the peer may still send before it has authenticated; ``None`` once it has."""
        transport.set_write_buffer_limits(high=WRITE_HIGH, low=WRITE_LOW)
        self._bucket = board.add(self)

    def start(self, handler: Handler, tail: bytes) -> None:
        """Begins: from now on this protocol owns the transport; ``tail`` came with the handshake."""
        self.handler = handler
        self._transport.set_protocol(self)
        self._reading = self._transport.is_reading()
        self._update_reading()
        if tail:
            self.data_received(tail)

    @property
    def open(self) -> bool:
        """Whether frames can still be sent."""
        return not self._closing and not self._lost

    @property
    def broken(self) -> bool:
        """Whether the connection was lost without a close frame from either side."""
        return self._lost and self._ws.close_rcvd is None and self._ws.close_sent is None

    @property
    def full(self) -> bool:
        """Whether more than WRITE_HIGH bytes wait to be sent."""
        return self._out_bytes + self._transport.get_write_buffer_size() > WRITE_HIGH

    # Sending

    def send(self, frame: bytes) -> None:
        """Queues complete frames; all of a loop turn leave in one write."""
        if not self._out:
            self._board.mark(self)
        self._out.append(frame)
        self._out_bytes += len(frame)

    def flush(self) -> None:
        """Writes what is queued, or the next part of it."""
        if not self._out or self._congested:
            return
        if self._out_bytes <= PART or not self.open:
            self._write_out()
            return
        part = self._cut()
        self._sent = True
        self._transport.writelines(part)
        if not self._congested:
            self._board.mark(self)

    def _write_out(self) -> None:
        """Hands all that is queued to the transport."""
        out, total = self._out, self._out_bytes
        if not out:
            return
        self._out, self._out_bytes = [], 0
        if not self.open:
            return
        self._sent = True
        if len(out) == 1:
            self._transport.write(out[0])
        elif total < JOIN_BELOW:
            self._transport.write(b"".join(out))
        else:
            self._transport.writelines(out)

    def _cut(self) -> list[bytes | memoryview]:
        """Takes PART bytes, or a little less, from the front of the queue."""
        count = room = 0
        for frame in self._out:
            if room + len(frame) > PART:
                break
            room += len(frame)
            count += 1
        part, self._out = self._out[:count], self._out[count:]
        if not part:
            first = memoryview(self._out[0])
            part, self._out[0], room = [first[:PART]], first[PART:], PART
        self._out_bytes -= room
        return part

    def close(self, code: int, reason: str = "") -> None:
        """Sends what is queued, then a close frame with the reason cut to 123 bytes."""
        self._frames.clear()
        if self.open and self._ws.state is State.OPEN:
            self._ws.send_close(code, reason.encode()[:123].decode(errors="ignore"))
            self._write_control()
            self._update_reading()

    def close_after(self, seconds: float, code: int, reason: str) -> None:
        """Takes nothing more from now on, and closes after so many seconds.

        For refusals that stand: some stock clients come back at once whatever the code says, with the
        same message, and would do so many times a second.
        """
        self.hold()
        asyncio.get_running_loop().call_later(seconds, self.close, code, reason)

    def abort(self) -> None:
        """Drops the connection without a word."""
        self._transport.abort()

    def set_deadline(self, seconds: float | None) -> None:
        """Drops the connection after so many seconds; ``None`` lifts that. A closing one has its own."""
        if self.open:
            self._board.set_deadline(self, seconds)

    # Receiving

    def allow(self, size: int | None) -> None:
        """Takes at most so many bytes from now on, then closes with 4401; ``None`` lifts that."""
        self._allowance = size

    def hold(self) -> None:
        """Takes no more messages until :meth:`release`; may be nested. The peer feels it as back-pressure."""
        self._holds += 1
        self._update_reading()

    def release(self) -> None:
        self._holds -= 1
        if not self._holds:
            self._process()
            self._update_reading()

    def hold_for(self, seconds: float) -> None:
        """Holds for a while."""
        self.hold()
        asyncio.get_running_loop().call_later(seconds, self.release)

    def _update_reading(self) -> None:
        wanted = self._closing or not (self._holds or self._congested)
        if wanted == self._reading or self._lost or not hasattr(self, "handler"):
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self._allowance is not None:
            self._allowance -= len(data)
            if self._allowance < 0:
                self.close(4401, "Too much was sent before authentication.")
                return
        position, count = self._take_messages(data)
        size = len(data)
        if position == size:
            self.handler.received(size, count)
            self._process()
            return
        self._ws.receive_data(data[position:])
        frames = [frame for frame in self._ws.events_received() if isinstance(frame, Frame)]
        self._owed += size - position - sum(_wire_size(frame) for frame in frames)
        self.handler.received(size, count + len(frames))
        if not self._closing:
            self._frames.extend(frames)
        if self._ws.state is State.OPEN:
            self._write_control()  # pongs go first; a close goes behind the answers to what came with it
        self._process()
        self._write_control()

    def _take_messages(self, data: bytes) -> tuple[int, int]:
        """Takes whole binary messages in one frame each, which is nearly all that comes, off the front.

        Returns (where the rest begins, how many they were). Whatever is not as usual is left to the state
        machine, and so is all that comes before it is between two frames again.
        """
        position = count = 0
        ws = self._ws
        if self._owed or self._closing or ws.state is not State.OPEN or ws.current_size is not None:
            return position, count
        size = len(data)
        while size - position > 6 and data[position] == 0x82:
            length = data[position + 1] - 128
            start = position + 6
            if length == 126:
                length = data[position + 2] << 8 | data[position + 3]
                start += 2
            elif not 0 <= length < 126:
                break
            end = start + length
            if end > size or length > self._max_message:
                break
            self._frames.append(apply_mask(data[start:end], data[start - 4 : start]))
            position = end
            count += 1
        return position, count

    def eof_received(self) -> bool:
        self._ws.receive_eof()
        self._write_control()
        return False

    def _process(self) -> None:
        """Handles the frames that have come, one message at a time, until held or done.

        Messages that came in one piece with the peer's close frame are still taken.
        """
        if self._processing:
            return
        self._processing = True
        try:
            while self._frames and not self._holds and not self._lost:
                frame = self._frames.popleft()
                if isinstance(frame, Frame):
                    self._frame(frame)
                else:
                    self.handler.message(frame, text=False)
        finally:
            self._processing = False

    def _frame(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.BINARY and frame.fin:
            self.handler.message(bytes(frame.data), text=False)
            return
        if opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if opcode is Opcode.CONT and not frame.data and not frame.fin:
            return
        if opcode is not Opcode.CONT:
            self._parts_text = opcode is Opcode.TEXT
            self._decoder = codecs.getincrementaldecoder("utf-8")() if self._parts_text else None
        if self._decoder is not None:
            try:
                self._decoder.decode(bytes(frame.data), final=frame.fin)
            except UnicodeDecodeError:
                self._parts.clear()
                self.close(CloseCode.INVALID_DATA, "Text has to be UTF-8.")
                return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self.handler.message(message, text=self._parts_text)

    def _write_control(self) -> None:
        """Writes what the state machine says by itself: pongs, pings, close frames.

        After a failure the socket is only half closed, since a peer that is still sending would
        meet a reset and never read the close code; its own close or the deadline ends it.
        """
        data = self._ws.data_to_send()
        if not data:
            return
        if isinstance(self._ws.parser_exc, PayloadTooBig) and not self._delayed:
            self._delayed = True
            self.hold()
            asyncio.get_running_loop().call_later(REFUSAL_DELAY, self._write_refusal, data)
            return
        self._write_chunks(data)

    def _write_refusal(self, data: list[bytes]) -> None:
        if not self._lost:
            self._write_chunks(data)
            self._update_reading()

    def _write_chunks(self, data: list[bytes]) -> None:
        self._write_out()
        for chunk in data:
            if chunk:
                self._transport.write(chunk)
        if self._ws.state is State.OPEN:
            return
        self._closing = True
        self._out.clear()
        self._board.set_deadline(self, CLOSE_TIMEOUT)
        if self._ws.close_rcvd is not None:
            self._transport.close()
        elif not data[-1] and self._transport.can_write_eof():
            self._transport.write_eof()

    # The transport's events

    def pause_writing(self) -> None:
        self._congested = True
        self._update_reading()
        if self._allowance is None:  # before authentication, a shorter deadline runs
            self.set_deadline(STALLED_TIMEOUT)
        self.handler.congested()

    def resume_writing(self) -> None:
        self._congested = False
        if self._out:
            self._board.mark(self)
        if self._allowance is None:
            self.set_deadline(None)
        self._update_reading()
        self.handler.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._frames.clear()
        self._out.clear()
        self._board.remove(self, self._bucket)
        self.handler.closed()

    # The switchboard's ticks

    def deadline_passed(self) -> None:
        self._transport.abort()

    def look(self) -> None:
        """Keeps a quiet connection alive and gives up a dead one; called every BUCKETS seconds."""
        if not self.open or self._congested:
            return
        if self._heard or not self._reading:
            self._silent_looks = 0
        else:
            self._silent_looks += 1
            if self._silent_looks >= Switchboard.DEAD_AFTER:
                self._transport.abort()
                return
            if self._ws.state is State.OPEN:
                self._ws.send_ping(b"")
                self._write_control()
        if self._sent:
            self._quiet_looks = 0
        else:
            self._quiet_looks += 1
            if self._quiet_looks == Switchboard.IDLE_AFTER:
                self._quiet_looks = 0
                self.handler.idle()
        self._heard = False
        self._sent = False


def _wire_size(frame: Frame) -> int:
    """The least bytes a frame from a client can have come in; more if it says its length at length."""
    size = len(frame.data)
    return size + (6 if size < 126 else 8 if size < 65536 else 14)
