from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import CrdtError, Malformed
from crdt.sync import SyncStep1, SyncStep2, SyncUpdate, decode_sync, encode_sync


@given(st.sampled_from([SyncStep1, SyncStep2, SyncUpdate]), st.binary(max_size=300))
def test_messages_round_trip(kind: type, payload: bytes) -> None:
    message = kind(payload)
    assert decode_sync(encode_sync(message)) == message


def test_the_bytes_are_those_of_y_protocols() -> None:
    assert encode_sync(SyncStep1(b"\x00")) == b"\x00\x01\x00"
    assert encode_sync(SyncStep2(b"\x00\x00")) == b"\x01\x02\x00\x00"
    assert encode_sync(SyncUpdate(b"\x00\x00")) == b"\x02\x02\x00\x00"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "unexpected-end"),
        (b"\x03\x00", "unknown-sync-message"),
        (b"\x02\x05\x00", "count-above-bytes"),
        (b"\x02\xff\xff\xff\xff\x0f", "count-above-bytes"),
        (b"\x00\x01\x00\x00", "trailing-bytes"),
    ],
)
def test_anything_else_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(Malformed) as refusal:
        decode_sync(data)
    assert refusal.value.what == what


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_untyped(data: bytes) -> None:
    with suppress(CrdtError):
        decode_sync(data)
