"""Cuts what Redis sends into whole values, to find the messages of its channels. Sans-I/O.

RESP2 and RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec/), without streamed aggregates,
which no server sends.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RespError", "RespSplitter", "Value"]

LINES = b"+-:_#,("
BLOBS = b"$!="
AGGREGATES = {ord("*"): 1, ord("~"): 1, ord(">"): 1, ord("%"): 2, ord("|"): 2}
"""How many values follow for each that is counted. After an attribute (|) comes the value it belongs to."""
DELIVERIES = (b"message", b"smessage", b"pmessage")


class RespError(ValueError):
    """What came is not RESP."""


@dataclass(frozen=True, slots=True)
class Value:
    data: bytes
    is_message: bool
    """Whether it is what somebody published to a channel."""


class RespSplitter:
    """Takes bytes as they come; gives whole values, byte for byte as they were."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Value]:
        """Raises RespError."""
        self._buffer += data
        values: list[Value] = []
        start = 0
        while start < len(self._buffer) and (end := self._end_of_value(start)) is not None:
            values.append(Value(bytes(self._buffer[start:end]), self._is_message(start)))
            start = end
        del self._buffer[:start]
        return values

    def _line(self, start: int) -> int | None:
        """Where the line that begins here ends, its CR LF included."""
        found = self._buffer.find(b"\r\n", start)
        return None if found < 0 else found + 2

    def _count(self, start: int, end: int) -> int:
        try:
            return int(self._buffer[start + 1 : end - 2])
        except ValueError:
            raise RespError(f"There is no length in {bytes(self._buffer[start:end])!r}.") from None

    def _end_of_value(self, start: int) -> int | None:
        wanted, position = 1, start
        while wanted:
            if position >= len(self._buffer):
                return None
            kind, end = self._buffer[position], self._line(position)
            if end is None:
                if kind not in LINES and kind not in BLOBS and kind not in AGGREGATES:
                    raise RespError(f"No value of RESP begins with byte {kind}.")
                return None
            wanted -= 1
            if kind in BLOBS:
                length = self._count(position, end)
                end += length + 2 if length >= 0 else 0
                if end > len(self._buffer):
                    return None
            elif kind in AGGREGATES:
                wanted += max(0, self._count(position, end)) * AGGREGATES[kind] + (kind == ord("|"))
            elif kind not in LINES:
                raise RespError(f"No value of RESP begins with byte {kind}.")
            position = end
        return position

    def _is_message(self, start: int) -> bool:
        if self._buffer[start] not in b">*":
            return False
        first = self._line(start)
        assert first is not None
        return any(
            self._buffer.startswith(b"$%d\r\n%b\r\n" % (len(name), name), first) for name in DELIVERIES
        )
