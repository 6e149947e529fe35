from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.awareness import (
    AwarenessEntry,
    awareness_messages,
    decode_awareness,
    encode_awareness,
    encode_entry,
    encode_state,
)
from crdt.codec import Writer
from crdt.errors import CrdtError, LimitExceeded, Malformed
from crdt.limits import MAX_SAFE_INTEGER

clients = st.integers(0, MAX_SAFE_INTEGER)
states = st.none() | st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8), max_size=4)


def message(*entries: tuple[int, int, str]) -> bytes:
    writer = Writer().var_uint(len(entries))
    for client, clock, text in entries:
        writer.var_uint(client).var_uint(clock).var_string(text)
    return bytes(writer)


@given(st.lists(st.builds(AwarenessEntry, clients, clients, states), unique_by=lambda entry: entry.client))
def test_entries_round_trip(entries: list[AwarenessEntry]) -> None:
    assert decode_awareness(encode_awareness(entries)) == entries


def test_the_keep_alive_says_nothing() -> None:
    assert encode_awareness([]) == b"\x00"
    assert decode_awareness(b"\x00") == []


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "unexpected-end"),
        (b"\xff\xff\xff\xff\x0f", "count-above-bytes"),
        (message((1, 1, "{}")) + b"\x00", "trailing-bytes"),
        (message((1, 1, "{}"), (1, 2, "null")), "client-twice"),
        (message((1, 1, "[]")), "awareness-state"),
        (message((1, 1, '"x"')), "awareness-state"),
        (message((1, 1, "NaN")), "json"),
        (message((1, 1, '{"a":1')), "json"),
        (b"\x01\x01\x01\x03\xed\xa0\xbd", "invalid-utf-8"),
    ],
)
def test_anything_else_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(Malformed) as refusal:
        decode_awareness(data)
    assert refusal.value.what == what


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (message((1, 1, '{"a":' + "[" * 64 + "]" * 64 + "}")), "nesting"),
        (message((1, 1, '{"a":"' + "x" * 20_000 + '"}')), "awareness_state_bytes"),
        (message(*((n, 1, '{"a":"' + "x" * 9_000 + '"}') for n in range(9))), "awareness_bytes"),
    ],
)
def test_size_and_nesting_are_bounded(data: bytes, what: str) -> None:
    with pytest.raises(LimitExceeded) as refusal:
        decode_awareness(data)
    assert refusal.value.what == what


def test_half_a_character_in_a_state_does_no_harm() -> None:
    [entry] = decode_awareness(message((1, 1, '{"name":"\\ud83d"}')))
    assert decode_awareness(encode_awareness([entry]))[0].state == {"name": "\ufffd"}


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_untyped(data: bytes) -> None:
    with suppress(CrdtError):
        decode_awareness(data)


def test_what_is_known_is_not_read_again_and_everything_else_is():
    asked = []

    def known(client: int, said: bytes) -> dict[str, int] | None:
        asked.append((client, said))
        return {"known": 1} if client == 1 else None

    entries = decode_awareness(message((1, 1, '{"a":1}'), (2, 1, '{"b":2}'), (3, 1, "null")), known=known)
    assert [entry.state for entry in entries] == [{"known": 1}, {"b": 2}, None]
    assert [entry.said for entry in entries] == [b'{"a":1}', b'{"b":2}', b"null"]
    assert asked == [(1, b'{"a":1}'), (2, b'{"b":2}'), (3, b"null")]
    with pytest.raises(Malformed):
        decode_awareness(message((1, 1, "{}"), (2, 1, "{")), known=known)


def test_entries_are_put_into_as_many_messages_as_they_need():
    entries = [encode_entry(client, 1, encode_state({"x": "y" * 90})) for client in range(10)]
    messages = awareness_messages(entries, 300)
    assert [len(decode_awareness(each)) for each in messages] == [2, 2, 2, 2, 2]
    assert max(map(len, messages)) <= 300
    assert awareness_messages(entries[:1], 10) == [b"\x01" + entries[0]]
    assert awareness_messages([], 300) == []
