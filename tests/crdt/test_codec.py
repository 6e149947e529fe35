from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.codec import UNDEFINED, Reader, Writer, json_depth, parse_json, var_bytes, var_string, var_uint
from crdt.errors import LimitExceeded, Malformed
from crdt.limits import DEFAULT, MAX_SAFE_INTEGER

integers = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
values = st.recursive(
    st.none()
    | st.booleans()
    | integers
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.just(UNDEFINED),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.integers(0, MAX_SAFE_INTEGER))
def test_var_uint_round_trip(value: int) -> None:
    reader = Reader(var_uint(value))
    assert reader.var_uint() == value
    reader.finish()


@given(integers)
def test_var_int_round_trip(value: int) -> None:
    reader = Reader(bytes(Writer().var_int(value)))
    assert reader.var_int() == value
    reader.finish()


@given(values)
def test_any_round_trip(value: object) -> None:
    reader = Reader(bytes(Writer().any(value)))  # type: ignore[arg-type]
    assert reader.any() == value
    reader.finish()


@given(st.binary())
def test_any_bytes_are_read_or_refused_with_a_place(data: bytes) -> None:
    for read in (Reader.var_uint, Reader.var_int, Reader.var_string, Reader.var_bytes, Reader.any):
        reader = Reader(data)
        where = 0
        try:
            read(reader)
        except Malformed as refusal:
            where = refusal.where
        assert 0 <= where <= len(data)
        assert 0 <= reader.position <= len(data)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "unexpected-end"),
        (b"\x80", "unexpected-end"),
        (b"\xff" * 8 + b"\x01", "integer-too-large"),
        (b"\xff" * 7 + b"\x10", "integer-too-large"),  # 2^53
        (b"\x80" * 8 + b"\x00", "integer-too-large"),  # nine bytes for nothing
    ],
)
def test_integers_beyond_2_to_the_53_or_8_bytes_are_refused(data: bytes, what: str) -> None:
    with pytest.raises(Malformed) as refusal:
        Reader(data).var_uint()
    assert refusal.value.what == what


def test_the_largest_integer_is_read() -> None:
    assert Reader(b"\xff" * 7 + b"\x0f").var_uint() == MAX_SAFE_INTEGER
    for value in (-1, MAX_SAFE_INTEGER + 1):
        with pytest.raises(ValueError, match="varUint"):
            var_uint(value)
    with pytest.raises(ValueError, match="varInt"):
        Writer().var_int(MAX_SAFE_INTEGER + 1)


def test_strings_are_counted_in_bytes_lesson_26() -> None:
    assert var_string("é😀") == b"\x06\xc3\xa9\xf0\x9f\x98\x80"
    assert Reader(var_string("é😀")).var_string() == "é😀"


def test_a_lone_surrogate_is_written_as_yjs_writes_it_and_never_read() -> None:
    assert var_string("a\ud83db") == var_string("a\ufffdb")
    assert var_string("\ud83d\ude00") == var_string("😀")
    with pytest.raises(Malformed, match="invalid-utf-8"):
        Reader(b"\x03\xed\xa0\xbd").var_string()


@pytest.mark.parametrize("data", [b"\x05abc", b"\xff\xff\xff\xff\x0f"])
def test_a_count_above_the_bytes_left_is_refused_before_anything_is_allocated(data: bytes) -> None:
    for read in (Reader.var_bytes, Reader.var_string, Reader.count):
        with pytest.raises(Malformed, match="count-above-bytes"):
            read(Reader(data))


@pytest.mark.parametrize("tag", [b"\x75\x01", b"\x76\x01\x01k"])
def test_values_nest_64_levels_and_no_more(tag: bytes) -> None:
    assert Reader(tag * DEFAULT.nesting + b"\x7e").any() is not None
    with pytest.raises(LimitExceeded) as refusal:
        Reader(tag * 100_000 + b"\x7e").any()
    assert refusal.value.what == "nesting"


def test_numbers_are_written_as_lib0_writes_them() -> None:
    assert bytes(Writer().any(1)) == b"\x7d\x01"
    assert bytes(Writer().any(-1)) == b"\x7d\x41"
    assert bytes(Writer().any(0.5)) == b"\x7c\x3f\x00\x00\x00"
    assert bytes(Writer().any(0.1))[:1] == b"\x7b"
    assert bytes(Writer().any(2**31))[:1] == b"\x7c"
    assert bytes(Writer().any(2**60)) == b"\x7a\x10" + bytes(7)
    assert math.isnan(Reader(bytes(Writer().any(float("nan")))).any())  # type: ignore[arg-type]


def test_trailing_bytes_are_seen() -> None:
    reader = Reader(var_bytes(b"x") + b"y")
    assert reader.var_bytes() == b"x"
    with pytest.raises(Malformed, match="trailing-bytes"):
        reader.finish()
    assert reader.rest() == b"y"
    reader.finish()
    with pytest.raises(Malformed, match="unexpected-end"):
        reader.raw(1)


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "01",
        "{'a':1}",
        "",
        "[1,]",
        "9" * 5000,
        "9" * 400,
        "-" + "9" * 309,
    ],
)
def test_json_that_javascript_would_not_parse_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="json"):
        parse_json(text)


def test_integers_may_be_as_large_as_a_double() -> None:
    assert parse_json("1" + "0" * 308) == 10**308
    assert parse_json("-" + "9" * 308) == -(10**308) + 1


def test_json_nests_64_levels_and_no_more() -> None:
    assert parse_json("[" * 64 + "]" * 64) is not None
    assert parse_json('"' + "[" * 1000 + '"') == "[" * 1000
    assert parse_json("[" + "[]," * 500 + "[]]") is not None
    with pytest.raises(LimitExceeded):
        parse_json('{"a":' * 65 + "1" + "}" * 65)
    with pytest.raises(LimitExceeded):
        parse_json("[" * 1_000_000)
    assert json_depth(r'["\"[[", {"]]": [1]}]') == 3
