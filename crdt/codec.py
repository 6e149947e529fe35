"""lib0 integers, strings and values, sans-I/O and bounds-checked.

Format: lib0/encoding.js. A varUint holds 7 bits a byte, lowest group first, the highest bit says "more
follows"; a varInt's first byte is `more | sign | 6 bits`; a varString is a varUint count of *bytes* and
UTF-8; a varUint8Array is a varUint count and the bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Final

from crdt.errors import LimitExceeded, Malformed
from crdt.limits import DEFAULT, MAX_SAFE_INTEGER, Limits

__all__ = [
    "UNDEFINED",
    "AnyValue",
    "JsonValue",
    "Reader",
    "Undefined",
    "Writer",
    "parse_json",
    "var_bytes",
    "var_string",
    "var_uint",
]

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]


class Undefined:
    """JavaScript's `undefined`, which is not `null`."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()

AnyValue = None | bool | int | float | str | bytes | Undefined | list["AnyValue"] | dict[str, "AnyValue"]


def var_uint(value: int) -> bytes:
    """`value` as a varUint. Raises ValueError outside 0 ... 2^53-1."""
    if value < 128 and value >= 0:
        return bytes((value,))
    if not 0 <= value <= MAX_SAFE_INTEGER:
        raise ValueError(f"A varUint holds 0 ... 2^53-1, not {value}.")
    out = bytearray()
    while value > 127:
        out.append(128 | (value & 127))
        value >>= 7
    out.append(value)
    return bytes(out)


def var_bytes(data: bytes) -> bytes:
    """`data` as a varUint8Array."""
    return var_uint(len(data)) + data


def var_string(text: str) -> bytes:
    """`text` as a varString; a lone surrogate becomes U+FFFD, as TextEncoder does."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    return var_uint(len(data)) + data


class Reader:
    """Reads lib0 values from the front of `data`.

    Every method raises Malformed, with the offset, when the bytes end too early or break the format.
    """

    __slots__ = ("_data", "_end", "position")

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = bytes(data)
        self._end = len(self._data)
        self.position = 0
        """Offset of the next byte."""

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return self._end - self.position

    def rest(self) -> bytes:
        """All that is left."""
        data = self._data[self.position :]
        self.position = self._end
        return data

    def finish(self) -> None:
        """Raises Malformed("trailing-bytes") when something is left."""
        if self.position != self._end:
            raise Malformed("trailing-bytes", self.position)

    def uint8(self) -> int:
        position = self.position
        if position >= self._end:
            raise Malformed("unexpected-end", position)
        self.position = position + 1
        return self._data[position]

    def var_uint(self) -> int:
        data, position = self._data, self.position
        value = shift = 0
        try:
            while True:
                byte = data[position]
                position += 1
                value |= (byte & 127) << shift
                if byte < 128:
                    break
                shift += 7
                if shift > 49:
                    raise Malformed("integer-too-large", self.position)
        except IndexError:
            raise Malformed("unexpected-end", position) from None
        if value > MAX_SAFE_INTEGER:
            raise Malformed("integer-too-large", self.position)
        self.position = position
        return value

    def var_int(self) -> int:
        start = self.position
        first = self.uint8()
        value = first & 63
        if first & 128:
            shift = 6
            while True:
                byte = self.uint8()
                value |= (byte & 127) << shift
                if byte < 128:
                    break
                shift += 7
                if shift > 55:
                    raise Malformed("integer-too-large", start)
            if value > MAX_SAFE_INTEGER:
                raise Malformed("integer-too-large", start)
        return -value if first & 64 else value

    def count(self, each: int = 1) -> int:
        """A varUint that counts things of at least `each` bytes: never more than the bytes left can hold."""
        start = self.position
        value = self.var_uint()
        if value * each > self._end - self.position:
            raise Malformed("count-above-bytes", start)
        return value

    def var_bytes(self) -> bytes:
        size = self.count()
        position = self.position
        self.position = position + size
        return self._data[position : position + size]

    def var_string(self) -> str:
        start = self.position
        try:
            return self.var_bytes().decode()
        except UnicodeDecodeError:
            raise Malformed("invalid-utf-8", start) from None

    def raw(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        position = self.position
        if size > self._end - position:
            raise Malformed("unexpected-end", position)
        self.position = position + size
        return self._data[position : position + size]

    def any(self, limits: Limits = DEFAULT, depth: int = 0) -> AnyValue:
        """One `any` value (lib0 writeAny). Arrays and objects nest at most `limits.nesting` levels."""
        start = self.position
        tag = self.uint8()
        match tag:
            case 127:
                return UNDEFINED
            case 126:
                return None
            case 125:
                return self.var_int()
            case 124:
                return float(struct.unpack(">f", self.raw(4))[0])
            case 123:
                return float(struct.unpack(">d", self.raw(8))[0])
            case 122:
                return int.from_bytes(self.raw(8), "big", signed=True)
            case 121:
                return False
            case 120:
                return True
            case 119:
                return self.var_string()
            case 118 | 117 if depth >= limits.nesting:
                raise LimitExceeded("nesting", limits.nesting, depth + 1)
            case 118:
                entries = self.count(2)
                return {self.var_string(): self.any(limits, depth + 1) for _ in range(entries)}
            case 117:
                return [self.any(limits, depth + 1) for _ in range(self.count())]
            case 116:
                return self.var_bytes()
        raise Malformed("unknown-value", start)


class Writer:
    """Collects lib0 values; `bytes(writer)` is the message."""

    __slots__ = ("_out",)

    def __init__(self) -> None:
        self._out = bytearray()

    def __bytes__(self) -> bytes:
        return bytes(self._out)

    def uint8(self, value: int) -> Writer:
        self._out.append(value)
        return self

    def var_uint(self, value: int) -> Writer:
        self._out += var_uint(value)
        return self

    def var_int(self, value: int) -> Writer:
        magnitude = abs(value)
        if magnitude > MAX_SAFE_INTEGER:
            raise ValueError(f"A varInt holds -(2^53-1) ... 2^53-1, not {value}.")
        self._out.append((128 if magnitude > 63 else 0) | (64 if value < 0 else 0) | (magnitude & 63))
        magnitude >>= 6
        while magnitude:
            self._out.append((128 if magnitude > 127 else 0) | (magnitude & 127))
            magnitude >>= 7
        return self

    def var_bytes(self, data: bytes) -> Writer:
        self._out += var_uint(len(data))
        self._out += data
        return self

    def var_string(self, text: str) -> Writer:
        self._out += var_string(text)
        return self

    def raw(self, data: bytes) -> Writer:
        self._out += data
        return self

    def any(self, value: AnyValue) -> Writer:
        """`value` as lib0 writeAny would write the same JavaScript value."""
        out = self._out
        if isinstance(value, Undefined):
            out.append(127)
        elif value is None:
            out.append(126)
        elif value is True or value is False:
            out.append(120 if value else 121)
        elif isinstance(value, str):
            out.append(119)
            self.var_string(value)
        elif isinstance(value, int):
            if abs(value) < 2**31:
                out.append(125)
                self.var_int(value)
            elif abs(value) <= MAX_SAFE_INTEGER:
                self.any(float(value))
            else:
                out.append(122)
                out += value.to_bytes(8, "big", signed=True)
        elif isinstance(value, float):
            short = _as_float32(value)
            out.append(123 if short is None else 124)
            out += struct.pack(">d", value) if short is None else short
        elif isinstance(value, bytes):
            out.append(116)
            self.var_bytes(value)
        elif isinstance(value, dict):
            out.append(118)
            self.var_uint(len(value))
            for key, item in value.items():
                self.var_string(key)
                self.any(item)
        else:
            out.append(117)
            self.var_uint(len(value))
            for item in value:
                self.any(item)
        return self


def _as_float32(value: float) -> bytes | None:
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return None
    return short if struct.unpack(">f", short)[0] == value else None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON.")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("The number is too large.")
    return value


def json_depth(text: str) -> int:
    """Levels of arrays and objects inside one another in JSON text; for other text any number.

    One pass, no recursion: it guards the parser that does recurse.
    """
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > deepest:
                deepest = depth
        elif character in "]}":
            depth -= 1
    return deepest


def _whole(text: str) -> int:
    if len(text) > 300:
        _finite(text)
    return int(text)


_decoder = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)


def parse_json(text: str, limits: Limits = DEFAULT, where: int = 0) -> JsonValue:
    """The value of JSON `text` as JavaScript's JSON.parse would read it.

    Raises Malformed("json") (also for what only Python would accept: NaN, Infinity; and for numbers beyond a
    double) and LimitExceeded("nesting").
    """
    if text.count("[") + text.count("{") > limits.nesting:
        depth = json_depth(text)
        if depth > limits.nesting:
            raise LimitExceeded("nesting", limits.nesting, depth)
    try:
        value: JsonValue = _decoder.decode(text)
    except (ValueError, RecursionError):
        raise Malformed("json", where) from None
    return value
