"""The structural reader: what it sees, and what it refuses, with what and where."""

from __future__ import annotations

import random

import pytest
from handmade import element, gc, item, skip, text, update
from hypothesis import given
from hypothesis import strategies as st

from crdt.codec import Writer, var_bytes, var_string, var_uint
from crdt.errors import CrdtError, LimitExceeded, Malformed
from crdt.limits import Limits
from crdt.update import EMPTY_UPDATE, ClockRange, _read, _read_letters, read_state_vector, read_update


def test_a_keystroke_is_summed_up() -> None:
    data = update((7, 3, [text("é😀", origin=(9, 4), right=(7, 1))]), deleted={8: [(0, 2), (5, 1)]})
    summary = read_update(data)
    assert summary.writes == (ClockRange(7, 3, 6),)
    assert summary.deletes == (ClockRange(8, 0, 2), ClockRange(8, 5, 6))
    assert summary.needs == ((9, 5),)
    assert summary.pairs == ((7, 5),)
    assert (summary.structs, summary.depth, summary.size) == (1, 0, len(data))
    assert not summary.is_empty


def test_gaps_are_no_writes() -> None:
    summary = read_update(update((7, 2, [gc(3), skip(4), text("ab", origin=(7, 8)), gc(1)])))
    assert summary.writes == (ClockRange(7, 2, 5), ClockRange(7, 9, 12))
    assert summary.structs == 4


def test_the_empty_update_is_empty() -> None:
    summary = read_update(EMPTY_UPDATE)
    assert summary.is_empty
    assert summary.size == 2


def test_types_and_values_have_depth() -> None:
    assert read_update(update((1, 0, [item(8, b"\x01\x75\x01\x76\x01\x01k\x75\x00")]))).depth == 3
    assert read_update(update((1, 0, [item(5, var_string('{"a":[[1]]}'))]))).depth == 3
    assert read_update(update((1, 0, [element(), element(parent=(1, 0))]))).types == ((1, 0), (1, 1))


ROOT = b"\x01\x04text"
ITEM = b"\x01\x01\x05\x00"  # one client, one struct, client 5, clock 0

MALFORMED = {
    "nothing at all": (b"", "unexpected-end"),
    "only structs": (b"\x00", "unexpected-end"),
    "trailing bytes": (b"\x00\x00\x00", "trailing-bytes"),
    "an empty V2 update": (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "trailing-bytes"),
    "2^28 clients in 5 bytes": (b"\xff\xff\xff\x7f\x00", "count-above-bytes"),
    "2^35 structs": (b"\x01\xff\xff\xff\xff\x7f\x05\x00\x00\x01\x00", "count-above-bytes"),
    "2^28 deletions": (b"\x00\x01\x05\xff\xff\xff\x7f\x00\x01", "count-above-bytes"),
    "2^28 clients that delete": (b"\x00\xff\xff\xff\x7f\x00", "count-above-bytes"),
    "2^28 values": (ITEM + b"\x08" + ROOT + b"\xff\xff\xff\x7f\x7e\x00", "count-above-bytes"),
    "a client without structs": (b"\x01\x00\x05\x00\x00\x00\x00", "no-structs"),
    "a client twice": (update((5, 0, [gc(1)]), (5, 1, [gc(1)])), "client-twice"),
    "a client that deletes twice": (b"\x00\x02\x05\x01\x00\x01\x05\x01\x03\x01", "client-twice"),
    "deletions out of order": (update(deleted={5: [(4, 1), (0, 1)]}), "deletes-unsorted"),
    "deletions that overlap": (update(deleted={5: [(0, 3), (2, 1)]}), "deletes-unsorted"),
    "a deletion of nothing": (update(deleted={5: [(0, 0)]}), "length"),
    "a collected struct of no length": (update((5, 0, [gc(0)])), "length"),
    "a gap of no length": (update((5, 0, [skip(0), gc(1)])), "length"),
    "an empty text": (update((5, 0, [text("")])), "length"),
    "no values": (update((5, 0, [item(8, b"\x00\x00")])), "length"),
    "flags on a collected struct": (ITEM + b"\x80\x01\x00", "struct-flags"),
    "flags on a gap": (ITEM + b"\x8a\x01\x00", "struct-flags"),
    "a parent of a third kind": (ITEM + b"\x04\x02\x04text\x01a\x00", "parent-flag"),
    "JSON content, which the engine misreads": (update((5, 0, [item(2, b"\x01\x011")])), "unknown-content"),
    "content 11, the engine's own": (update((5, 0, [item(11, b"\x00\x00\x00")])), "unknown-content"),
    "content 31": (update((5, 0, [item(31, b"\x00\x00\x00")])), "unknown-content"),
    "a hook, whose name the engine loses": (update((5, 0, [item(7, b"\x05\x01h")])), "unknown-type"),
    "type 7, the engine's own": (update((5, 0, [item(7, b"\x07\x00")])), "unknown-type"),
    "a value of no kind": (update((5, 0, [item(8, b"\x01\x01")])), "unknown-value"),
    "a rounded bigint": (update((5, 0, [item(8, b"\x01" + bytes(Writer().any(2**60)))])), "bigint"),
    "text that is not UTF-8": (update((5, 0, [item(4, b"\x02\xc3\x28")])), "invalid-utf-8"),
    "half a surrogate pair": (update((5, 0, [item(4, b"\x03\xed\xa0\xbd")])), "invalid-utf-8"),
    "a name that is not UTF-8": (ITEM + b"\x04\x01\x01\xff\x01a\x00", "invalid-utf-8"),
    "an embed that is not UTF-8": (update((5, 0, [item(5, b"\x03\x22\xff\x22")])), "invalid-utf-8"),
    "an embed that is not JSON": (update((5, 0, [item(5, b"\x01{")])), "json"),
    "half a character in an embed": (update((5, 0, [item(5, var_string('"\\ud83d"'))])), "lone-surrogate"),
    "a format that is not JSON": (update((5, 0, [item(6, b"\x01b\x03NaN")])), "json"),
    "binary beyond the end": (update((5, 0, [item(3, b"\x09ab")])), "unexpected-end"),
    "text beyond the end": (update((5, 0, [item(4, b"\x09ab")])), "unexpected-end"),
    "an embed beyond the end": (update((5, 0, [item(5, b"\x09ab")])), "unexpected-end"),
    "a subdocument without options": (update((5, 0, [item(9, b"\x01g\x7e")])), "subdocument-options"),
    "a subdocument with a client id": (
        update((5, 0, [item(9, b"\x01g" + bytes(Writer().any({"clientID": 1})))])),
        "subdocument-options",
    ),
    "a client id beyond 2^53": (b"\x01\x01" + b"\xff" * 7 + b"\x10\x00\x00\x01\x00", "integer-too-large"),
    "a clock beyond the engine's": (update((5, 2**31 - 1, [gc(1)])), "clock"),
    "a length beyond the engine's": (update((5, 0, [gc(2**31)])), "length"),
    "a neighbour beyond the engine's": (update((5, 0, [text("a", origin=(6, 2**31))])), "clock"),
    "a deletion beyond the engine's": (update(deleted={5: [(2**31, 1)]}), "length"),
    "an item that is its own neighbour": (update((5, 3, [text("a", origin=(5, 3))])), "refers-ahead"),
    "a right neighbour still to come": (update((5, 3, [text("a", right=(5, 9))])), "refers-ahead"),
    "an item inside itself": (update((5, 3, [element(parent=(5, 3))])), "refers-ahead"),
    "items that wait for each other": (
        update((6, 0, [text("a", origin=(5, 0))]), (5, 0, [text("b", origin=(6, 0))])),
        "cycle",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_no_honest_client_writes_is_refused(name: str) -> None:
    data, what = MALFORMED[name]
    with pytest.raises(Malformed) as refusal:
        read_update(data)
    assert refusal.value.what == what
    assert 0 <= refusal.value.where <= len(data)


def chain(levels: int) -> bytes:
    return update((5, 0, [element(), *(element(parent=(5, clock)) for clock in range(levels - 1))]))


@pytest.mark.parametrize(
    "nested",
    [
        lambda levels: update((5, 0, [item(8, b"\x01" + b"\x75\x01" * levels + b"\x7e")])),
        lambda levels: update((5, 0, [item(8, b"\x01" + b"\x76\x01\x01k" * levels + b"\x7e")])),
        lambda levels: update((5, 0, [item(5, var_string("[" * levels + "]" * levels))])),
        lambda levels: update(
            (5, 0, [item(6, b"\x01b" + var_string('{"a":' * levels + "1" + "}" * levels))])
        ),
        lambda levels: chain(levels + 1),
    ],
    ids=["arrays", "maps", "embedded JSON", "formats", "types"],
)
def test_everything_nests_64_levels_and_no_more(nested) -> None:  # type: ignore[no-untyped-def]
    assert read_update(nested(64)).depth == 64
    for levels in (65, 26_000):
        with pytest.raises(LimitExceeded) as refusal:
            read_update(nested(levels))
        assert (refusal.value.what, refusal.value.limit) == ("nesting", 64)


def test_sizes_are_limited() -> None:
    small = Limits(update_bytes=60, structs=4, clients=2, name_bytes=8)
    for data, what in [
        (update((5, 0, [text("x" * 100)])), "update_bytes"),
        (update((5, 0, [gc(1)] * 5)), "structs"),
        (update((5, 0, [gc(1)] * 3), deleted={5: [(0, 1), (2, 1)]}), "structs"),
        (update(*((client, 0, [gc(1)]) for client in (9, 8, 7))), "clients"),
        (update(deleted={client: [(0, 1)] for client in (9, 8, 7)}), "clients"),
        (update((5, 0, [text("x", parent="a long name")])), "name_bytes"),
        (update((5, 0, [element("a long name")])), "name_bytes"),
    ]:
        with pytest.raises(LimitExceeded) as refusal:
            read_update(data, small)
        assert refusal.value.what == what


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_untyped(data: bytes) -> None:
    where = 0
    try:
        read_update(data)
    except Malformed as refusal:
        where = refusal.where
    except CrdtError:
        pass
    assert 0 <= where <= len(data)


def test_a_cut_off_update_is_refused_wherever_it_is_cut() -> None:
    whole = update(
        (9, 0, [element(), text("é😀", parent=(9, 0)), item(8, b"\x02\x7e\x77\x01a", origin=(9, 1))]),
        (5, 2, [item(3, var_bytes(b"abc"), right=(9, 0)), item(6, b"\x01b\x04true"), gc(300)]),
        deleted={9: [(0, 1)], 5: [(2, 1), (300, 2)]},
    )
    read_update(whole)
    for end in range(len(whole)):
        with pytest.raises(Malformed):
            read_update(whole[:end])


def test_state_vectors() -> None:
    assert read_state_vector(b"\x00") == {}
    assert read_state_vector(b"\x02\x05\x01" + var_uint(2**53 - 1) + b"\x09") == {5: 1, 2**53 - 1: 9}
    for data, what in [
        (b"", "unexpected-end"),
        (b"\xff\xff\xff\x7f", "count-above-bytes"),
        (b"\x01\x05\x01\x00", "trailing-bytes"),
        (b"\x02\x05\x01\x05\x02", "client-twice"),
        (b"\x01\x05" + var_uint(2**31), "clock"),
        (b"\x01" + b"\xff" * 7 + b"\x10\x00", "integer-too-large"),
    ]:
        with pytest.raises(Malformed) as refusal:
            read_state_vector(data)
        assert refusal.value.what == what
    dice = random.Random(1)
    many = b"".join(var_uint(dice.randrange(2**32)) + b"\x01" for _ in range(20_001))
    for limits, what in [(Limits(), "clients"), (Limits(state_vector_bytes=100), "state_vector_bytes")]:
        with pytest.raises(LimitExceeded) as excess:
            read_state_vector(var_uint(20_001) + many, limits)
        assert excess.value.what == what


small = st.integers(0, 300)


@given(
    client=small,
    clock=small,
    info=st.sampled_from((132, 196, 68, 4, 164, 129)),
    places=st.lists(small, max_size=5),
    letters=st.text("ab\u00e9\U0001f600", max_size=130).map(str.encode),
    behind=st.sampled_from((b"\x00", b"\x00\x00", b"", b"\x01\x05\x01\x02\x01")),
    cut=st.integers(0, 200),
)
def test_the_short_way_for_letters_says_what_the_long_one_does(
    client: int, clock: int, info: int, places: list[int], letters: bytes, behind: bytes, cut: int
) -> None:
    place = b"".join(map(var_uint, places))
    data = b"\x01\x01" + var_uint(client) + var_uint(clock) + bytes((info,)) + place + var_bytes(letters)
    for update_bytes in (data + behind, (data + behind)[:cut]):
        try:
            expected: object = _read(update_bytes, Limits())
        except (IndexError, CrdtError):
            with pytest.raises(CrdtError):
                read_update(update_bytes)
        else:
            found = read_update(update_bytes)
            assert found._replace(letters=False) == expected
            assert found.letters is (_read_letters(update_bytes, Limits()) is not None)
