"""Envelopes carry every message unharmed, and nothing else gets in."""

import os
import struct

import pytest
from bustools import KEY, document_messages, node_messages
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.bus.messages import (
    ENVELOPE_MAX,
    MESSAGE_MAX,
    BadEnvelope,
    Committed,
    Envelopes,
    Hint,
    PresenceQuery,
    States,
    fitting,
)

OURS = Envelopes("node-1", KEY)
COMMITTED = Committed("space/page", 3, 17, (b"one", b"two"), ((7, "person:4"),))


@settings(deadline=None)
@given(document_messages | node_messages, st.text(max_size=40))
def test_every_message_comes_out_as_it_went_in(message, node) -> None:
    assert OURS.open(Envelopes(node, KEY).pack(message)) == (node, message)


def test_every_flipped_bit_is_refused() -> None:
    envelope = OURS.pack(COMMITTED)
    for bit in range(8 * len(envelope)):
        flipped = bytearray(envelope)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadEnvelope):
            OURS.open(bytes(flipped))


def test_every_truncated_or_lengthened_envelope_is_refused() -> None:
    envelope = OURS.pack(COMMITTED)
    for length in range(len(envelope)):
        with pytest.raises(BadEnvelope):
            OURS.open(envelope[:length])
    with pytest.raises(BadEnvelope):
        OURS.open(envelope + b"\0")


def test_another_installation_is_refused() -> None:
    with pytest.raises(BadEnvelope, match="not written by a node of this installation"):
        OURS.open(Envelopes("node-1", bytes(32)).pack(COMMITTED))


def test_another_version_is_refused_by_name() -> None:
    envelope = OURS.pack(COMMITTED)
    with pytest.raises(BadEnvelope, match="of version 02, where this program speaks 1"):
        OURS.open(b"\x02" + envelope[1:])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(BadEnvelope):
        OURS.open(garbage)


def test_huge_garbage_is_refused_without_a_look_at_it() -> None:
    with pytest.raises(BadEnvelope, match="bytes, where"):
        OURS.open(b"\x01" + os.urandom(ENVELOPE_MAX))


@settings(deadline=None)
@given(
    st.recursive(st.none() | st.integers(0, 9) | st.text(max_size=3), lambda each: st.lists(each, max_size=4))
)
def test_a_well_tagged_envelope_of_something_else_is_refused(content) -> None:
    """Of a newer program, say."""
    import msgpack

    body = msgpack.packb(content)
    head = b"\x01"
    with pytest.raises(BadEnvelope, match="unreadable"):
        OURS.open(head + OURS._tag(head, body) + body)


@settings(deadline=None)
@given(document_messages)
def test_its_own_envelopes_are_told_apart_unopened(message) -> None:
    assert OURS.is_own(OURS.pack(message))
    assert not Envelopes("node-2", KEY).is_own(OURS.pack(message))
    assert not Envelopes("node-11", KEY).is_own(OURS.pack(message))


def test_a_message_that_no_receiver_would_take_is_not_packed() -> None:
    with pytest.raises(ValueError, match="say it in parts"):
        OURS.pack(PresenceQuery("x" * ENVELOPE_MAX))


def test_updates_that_are_too_many_bytes_become_a_hint() -> None:
    half = bytes(MESSAGE_MAX // 2)
    fits = Committed("page", 2, 10, (half, half), ((1, "a"),))
    assert fitting(fits) is fits
    assert fitting(Committed("page", 2, 10, (half, half, b"x"), ())) == Hint("page", 2, 12)
    assert fitting(States("page", ())) == States("page", ())


def test_the_format_is_what_it_is_documented_to_be() -> None:
    envelope = OURS.pack(PresenceQuery("page"))
    assert struct.unpack("B16s", envelope[:17])[0] == 1
    assert envelope[17:] == b"\x93\xa6node-1\xafawareness-query\xa4page"
