"""WebSocket frames as the server sends them: final, unmasked, uncompressed (RFC 6455 section 5.2)."""

from __future__ import annotations

__all__ = ["binary_frame"]


def binary_frame(payload: bytes) -> bytes:
    """One complete binary frame, ready to be shared by every socket that gets it."""
    length = len(payload)
    if length < 126:
        return bytes((0x82, length)) + payload
    if length < 65536:
        return b"\x82\x7e" + length.to_bytes(2, "big") + payload
    return b"\x82\x7f" + length.to_bytes(8, "big") + payload
