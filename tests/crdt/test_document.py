"""The document: what is applied, what waits, what is refused, and what it never lets the engine see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pycrdt
import pytest
from handmade import ANY, element, gc, item, skip, text, update
from hypothesis import given
from hypothesis import strategies as st
from yjs_peer import YjsPeer

from crdt.codec import var_string, var_uint
from crdt.document import Document, Outcome, merge
from crdt.engine import Engine
from crdt.errors import CrdtError, EngineRefused, LimitExceeded, Malformed
from crdt.limits import STORED, Limits
from crdt.update import ClockRange, read_state_vector, read_update


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    yield document
    document.close()


@pytest.fixture(scope="module")
def yjs() -> Iterator[YjsPeer]:
    with YjsPeer() as peer:
        yield peer


def apply(document: Document, data: bytes, sender: str = "") -> Outcome:
    return document.apply(data, read_update(data), sender)


def contains(document: Document, data: bytes) -> bool:
    return document.contains(data, read_update(data))


HELLO = update((7, 0, [text("Hello")]))
WORLD = update((7, 5, [text(" world", origin=(7, 4))]))
AGAIN = update((7, 11, [text("!", origin=(7, 10))]))


def test_an_update_is_applied_once(document: Document) -> None:
    assert apply(document, HELLO) is Outcome.APPLIED
    assert apply(document, HELLO) is Outcome.NOTHING_NEW
    assert apply(document, update()) is Outcome.NOTHING_NEW
    assert apply(document, update(deleted={7: [(0, 2)]})) is Outcome.APPLIED
    assert apply(document, update(deleted={7: [(1, 1)]})) is Outcome.NOTHING_NEW
    assert read_state_vector(document.state_vector()) == {7: 5}


def test_a_gap_is_waited_for_and_nothing_is_hidden(document: Document) -> None:
    apply(document, HELLO)
    assert apply(document, AGAIN) is Outcome.PENDING
    assert apply(document, AGAIN) is Outcome.NOTHING_NEW
    assert document.pending == 1
    assert contains(document, AGAIN)
    assert document.diff(None)[1:] == [AGAIN]
    assert document.diff(document.state_vector())[1:] == [AGAIN]
    assert apply(document, WORLD) is Outcome.APPLIED
    assert document.pending == 0
    assert read_state_vector(document.state_vector()) == {7: 12}
    assert len(document.diff(None)) == 1


def test_the_engine_alone_would_hide_what_waits() -> None:
    """Why updates wait outside: should this fail after an upgrade of the engine, simplify crdt.document."""
    engine = Engine()
    engine.apply(HELLO)
    engine.apply(AGAIN)
    assert read_state_vector(engine.state_vector()) == {7: 5}
    assert read_update(engine.update_since(b"\x00")).writes == (ClockRange(7, 0, 5),)


def test_deletions_wait_for_what_they_delete(document: Document) -> None:
    deletion = update(deleted={7: [(3, 4)]})
    assert apply(document, deletion) is Outcome.PENDING
    assert apply(document, HELLO) is Outcome.APPLIED
    assert document.pending == 1
    assert read_update(document.diff(None)[1]).deletes == (ClockRange(7, 5, 7),)
    assert apply(document, WORLD) is Outcome.APPLIED
    assert document.pending == 0
    assert read_update(document.diff(None)[0]).deletes == (ClockRange(7, 3, 7),)


def test_the_complete_part_of_an_update_does_not_wait_with_the_rest(document: Document) -> None:
    state = merge([HELLO, AGAIN, update((9, 0, [text("x", parent="other")]))])
    assert apply(document, state) is Outcome.PENDING
    assert read_state_vector(document.state_vector()) == {7: 5, 9: 1}
    assert [read_update(part).writes for part in document.diff(None)[1:]] == [(ClockRange(7, 11, 12),)]


def test_a_neighbour_by_another_hand_is_waited_for(document: Document) -> None:
    assert apply(document, update((9, 0, [text("x", origin=(7, 4))]))) is Outcome.PENDING
    assert apply(document, update((9, 1, [text("y", origin=(9, 0))]))) is Outcome.PENDING
    assert apply(document, HELLO) is Outcome.APPLIED
    assert document.pending == 0


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(pending_updates=3), "pending_updates"),
        (Limits(pending_updates_per_sender=3), "pending_updates_per_sender"),
        (Limits(pending_bytes=30), "pending_bytes"),
        (Limits(pending_bytes_per_sender=30), "pending_bytes_per_sender"),
    ],
)
def test_what_waits_is_bounded(limits: Limits, what: str) -> None:
    document = Document(limits)
    *three, fourth = (update((7, 2 * n, [text("x", origin=(7, 2 * n - 1))])) for n in range(1, 5))
    assert {len(waiting) for waiting in three} == {10}
    for waiting in three:
        apply(document, waiting, "somebody")
    with pytest.raises(LimitExceeded) as refusal:
        apply(document, fourth, "somebody")
    assert refusal.value.what == what
    assert document.pending == 3
    if "sender" in what:
        assert apply(document, update((8, 5, [gc(1)])), "another") is Outcome.PENDING
    document.load(update((9, 5, [gc(1)])))  # the log's own are never too many
    document.close()


def test_an_update_refused_for_its_waiting_part_leaves_nothing_behind() -> None:
    document = Document(Limits(pending_updates=0))
    with pytest.raises(LimitExceeded):
        apply(document, merge([HELLO, AGAIN]))
    assert document.state_vector() == b"\x00"
    document.close()


def test_contains_knows_what_no_update_has_said(document: Document) -> None:
    """An overwritten entry is deleted by the engine, and named as deleted by every peer."""
    apply(document, update((7, 0, [item(ANY, b"\x01\x7d\x01", parent="map", key="k")])))
    apply(document, update((7, 1, [item(ANY, b"\x01\x7d\x02", origin=(7, 0), key="k")])))
    assert contains(document, update(deleted={7: [(0, 1)]}))
    assert not contains(document, update(deleted={7: [(1, 1)]}))
    assert not contains(document, AGAIN)
    assert contains(document, update())


def test_vectors_and_holdings(document: Document) -> None:
    apply(document, HELLO)
    apply(document, WORLD)
    assert document.holds(ClockRange(7, 5, 11))
    assert not document.holds(ClockRange(7, 5, 12))
    assert read_state_vector(document.vector_without([read_update(WORLD)])) == {7: 5}
    assert document.vector_without([read_update(HELLO)]) == b"\x00"
    with pytest.raises(Malformed):
        document.diff(b"\x09")
    assert read_update(document.diff(b"\x01\x07\x05")[0]).writes == (ClockRange(7, 5, 11),)


# What the engine must never see


def test_a_chain_of_small_updates_cannot_nest_too_deep(document: Document) -> None:
    apply(document, update((7, 0, [element(parent="prosemirror")])))
    for clock in range(1, 65):
        apply(document, update((7, clock, [element(parent=(7, clock - 1))])))
    before = document.diff(None)
    for nested in (
        update((7, 65, [element(parent=(7, 64))])),
        update((9, 0, [element(parent=(7, 64))])),
        update((7, 65, [element(origin=(7, 64)), element(parent=(7, 65)), element(parent=(7, 66))])),
        update((9, 0, [element(parent=(8, 0))]), (8, 0, [element(right=(7, 64))])),
    ):
        with pytest.raises(LimitExceeded) as refusal:
            apply(document, nested)
        assert refusal.value.what == "nesting"
    assert document.diff(None) == before
    assert apply(document, update((7, 65, [text("leaf", origin=(7, 64))]))) is Outcome.APPLIED


def test_a_deep_chain_does_not_hide_behind_what_waits(document: Document) -> None:
    for clock in range(90, 0, -1):
        apply(document, update((7, clock, [element(parent=(7, clock - 1))])))
    assert document.pending == 90
    apply(document, update((7, 0, [element(parent="prosemirror")])))
    assert read_state_vector(document.state_vector()) == {7: 65}
    assert document.given_up


@pytest.mark.parametrize(
    "hostile",
    [
        update((9, 0, [text("x", parent=(7, 0))])),  # inside a piece of text
        update((7, 5, [text("x", parent=(7, 1))])),
        update((7, 3, [text("1234567", parent=(7, 0))])),  # goes on where it did not begin
    ],
)
def test_an_item_inside_what_is_no_type_is_refused_before_the_engine_sees_it(
    document: Document, hostile: bytes
) -> None:
    apply(document, HELLO)
    with pytest.raises(Malformed, match="parent"):
        apply(document, hostile)
    assert apply(document, WORLD) is Outcome.APPLIED


def test_an_item_inside_what_was_deleted_is_no_mistake(document: Document) -> None:
    apply(document, update((7, 0, [element(parent="prosemirror"), text("in it", parent=(7, 0))])))
    apply(document, update(deleted={7: [(0, 6)]}))
    assert apply(document, update((9, 0, [text("late", parent=(7, 0))]))) is Outcome.APPLIED
    again = Document()
    again.load(document.diff(None)[0])
    assert apply(again, update((10, 0, [text("later", parent=(7, 0))]))) is Outcome.APPLIED
    again.close()


def test_a_long_map_entry_that_would_break_every_browser_is_refused(document: Document, yjs: YjsPeer) -> None:
    apply(document, update((7, 0, [item(7, b"\x01", parent="root")])))
    poison = update((9, 0, [item(ANY, b"\x03\x7e\x7e\x7e", parent=(7, 0), key="k")]))
    with pytest.raises(Malformed, match="map-entry"):
        apply(document, poison)
    cut = update((9, 3, [item(ANY, b"\x01\x7e", origin=(9, 0), key="k")]), deleted={7: [(0, 1)]})
    with pytest.raises(Exception, match="Unexpected case"):
        yjs.open([*document.diff(None), poison, cut])


# Surrogate pairs

EMOJI = update((7, 0, [text("a😀b😀c")]))


@pytest.mark.parametrize(
    "cut",
    [
        update(deleted={7: [(2, 1)]}),
        update(deleted={7: [(1, 1), (5, 1)]}),
        update((9, 0, [text("X", origin=(7, 1), right=(7, 2))])),
        update((9, 0, [text("X", right=(7, 5))])),
        update((9, 0, [text("p😀q", parent="other"), text("X", origin=(9, 1), right=(9, 2))])),
    ],
)
def test_an_edit_may_cut_a_pair_and_all_stay_in_step(document: Document, yjs: YjsPeer, cut: bytes) -> None:
    apply(document, EMOJI)
    assert apply(document, cut) is Outcome.APPLIED
    [state] = document.diff(None)
    served, raw = yjs.open([state]), yjs.open([EMOJI, cut])
    assert served["content"] == raw["content"]
    assert served["vector"] == raw["vector"]
    again = Document()
    again.load(state)
    assert again.state_vector() == document.state_vector()
    again.close()


def test_the_engine_alone_would_lose_count() -> None:
    """Why pairs are replaced first: should this fail after an upgrade of the engine, remove the repair."""
    engine = Engine()
    engine.apply(EMOJI)
    engine.apply(update(deleted={7: [(1, 1)]}))
    written = read_update(engine.update_since(b"\x00")).writes
    assert written != (ClockRange(7, 0, 7),)


def test_a_reader_that_knows_half_a_pair_gets_all_of_it(document: Document) -> None:
    apply(document, EMOJI)
    assert read_update(document.diff(b"\x01\x07\x02")[0]).writes == (ClockRange(7, 1, 7),)


# Time, panics, memory


def test_an_update_that_takes_more_than_linear_time_is_stopped() -> None:
    ticks = count()
    document = Document(Limits(scan_steps=100), processor_clock=lambda: next(ticks) / 10)
    many = update((7, 0, [text("a"), *(text("b", origin=(7, 0)) for _ in range(99))]))
    document.load(many)
    costly = update((9, 0, [text("c", origin=(7, 0)) for _ in range(50)]))
    with pytest.raises(EngineRefused) as refusal:
        apply(document, costly)
    assert refusal.value.poisoned
    document.close()


def test_an_update_in_pieces_is_the_same_update() -> None:
    whole, pieces = Document(), Document(Limits(scan_steps=1), processor_clock=lambda: 0.0)
    source = pycrdt.Doc(client_id=5)
    words = source.get("text", type=pycrdt.Text)
    for number in range(200):
        words.insert(number * 7 % (len(words) + 1), "abc")
        if number % 3 == 0:
            del words[number % len(words) : number % len(words) + 1]
    other = update((9, 0, [text("x", origin=(5, 3)), text("y", right=(9, 0))]), deleted={5: [(7, 2)]})
    for data in (merge([source.get_update(), other]), update((9, 2, [text("z", origin=(9, 0))]))):
        assert apply(whole, data) is apply(pieces, data) is Outcome.APPLIED
    assert read_state_vector(whole.state_vector()) == read_state_vector(pieces.state_vector())
    texts = []
    for document in (whole, pieces):
        copy = pycrdt.Doc()
        copy.apply_update(document.diff(None)[0])
        texts.append(str(copy.get("text", type=pycrdt.Text)))
        document.close()
    assert texts[0] == texts[1]


def test_whatever_the_engine_throws_is_typed_and_an_interrupt_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """As pyo3 raises it; its own class cannot be imported."""

    for thrown, expected, poisoned in [
        (PanicException("index out of bounds"), EngineRefused, True),
        (RuntimeError("Cannot apply update"), EngineRefused, True),
        (ValueError("Cannot decode update"), EngineRefused, False),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
        (asyncio.CancelledError(), asyncio.CancelledError, None),
    ]:

        def throw(*_: object, error: BaseException = thrown) -> None:
            raise error

        document = Document()
        monkeypatch.setattr(pycrdt.Doc, "apply_update", throw)
        with pytest.raises(expected) as refusal:
            apply(document, HELLO)
        monkeypatch.undo()
        assert getattr(refusal.value, "poisoned", None) is poisoned
        document.close()


def test_an_update_that_cannot_be_decoded_has_changed_nothing(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("Cannot decode update")

    monkeypatch.setattr(pycrdt.Doc, "apply_update", refuse)
    with pytest.raises(EngineRefused):
        apply(document, update((7, 0, [element(parent="p"), element(parent=(7, 0))])))
    monkeypatch.undo()
    assert apply(document, HELLO) is Outcome.APPLIED


def test_what_can_never_be_applied_is_given_up_and_the_rest_goes_on(document: Document) -> None:
    assert apply(document, update((9, 0, [text("x", parent=(7, 2))]))) is Outcome.PENDING
    assert apply(document, update((8, 0, [text("y", origin=(7, 4))]))) is Outcome.PENDING
    assert apply(document, HELLO) is Outcome.APPLIED
    assert document.pending == 0
    assert len(document.given_up) == 1
    assert read_state_vector(document.state_vector()) == {7: 5, 8: 1}


def test_merge_takes_any_number_in_a_tree() -> None:
    updates = [HELLO, *(update((7, 5 + n, [text("x", origin=(7, 4 + n))])) for n in range(1_000))]
    summary = read_update(merge(updates, Limits(merge=7)), STORED)
    assert summary.writes == (ClockRange(7, 0, 1_005),)
    assert merge([]) == b"\x00\x00"
    assert merge([HELLO]) == HELLO
    with pytest.raises(EngineRefused):
        merge([HELLO, b"\x09"])


def test_gaps_survive_merging() -> None:
    merged = read_update(merge([AGAIN, HELLO]))
    assert merged.writes == (ClockRange(7, 0, 5), ClockRange(7, 11, 12))
    document = Document()
    assert apply(document, update((7, 0, [gc(2), skip(3), gc(1)]))) is Outcome.PENDING
    assert read_state_vector(document.state_vector()) == {7: 2}
    document.close()


def test_every_error_crosses_the_border_of_a_process() -> None:
    import pickle

    for error in (Malformed("json", 7), LimitExceeded("nesting", 64, 65), EngineRefused("x", poisoned=True)):
        copy = pickle.loads(pickle.dumps(error))
        assert isinstance(copy, CrdtError)
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_client_id_of_53_bits_is_one_like_any_other(document: Document) -> None:
    data = update((2**53 - 1, 0, [text("x")]))
    assert apply(document, data) is Outcome.APPLIED
    assert document.state_vector() == b"\x01" + var_uint(2**53 - 1) + b"\x01"


def typed_by_two(steps: list[tuple[int, int, str]]) -> list[bytes]:
    """The updates of two people who see each other's letters at once: at some place, some letters, or with
    none one letter fewer."""
    updates: list[bytes] = []
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    text = doc.get("text", type=pycrdt.Text)
    doc.observe(lambda event: updates.append(event.update))
    other: pycrdt.Doc[Any] = pycrdt.Doc()
    other_text = other.get("text", type=pycrdt.Text)
    for who, at, letters in steps:
        mine = (text, other_text)[who]
        place = at % (len(mine) + 1)
        before = len(updates)
        with (doc, other)[who].transaction():
            if letters:
                mine.insert(place, letters)
            elif place < len(mine):
                del mine[place]
        if who:
            doc.apply_update(other.get_update(doc.get_state()))
        for new in updates[before:]:
            other.apply_update(new)
    return updates


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40), st.sampled_from(["a", "b", "", "cd"]))),
    st.sets(st.integers(0, 40)),
)
def test_a_document_whose_engine_comes_later_is_the_same(
    steps: list[tuple[int, int, str]], asked: set[int]
) -> None:
    at_once, later = Document(), Document()
    for index, data in enumerate(typed_by_two(steps)):
        summary = read_update(data)
        assert later.apply(data, summary, later=True) is at_once.apply(data, summary)
        if index in asked:
            assert read_state_vector(later.state_vector()) == read_state_vector(at_once.state_vector())
    later.settle()
    texts = []
    for document in (at_once, later):
        copy: pycrdt.Doc[Any] = pycrdt.Doc()
        copy.apply_update(document.diff(None)[0])
        texts.append(str(copy.get("text", type=pycrdt.Text)))
        document.close()
    assert texts[0] == texts[1]


def test_what_the_engine_refuses_later_is_said_when_it_is_settled_and_from_then_on(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("Cannot apply update")

    apply(document, HELLO)
    monkeypatch.setattr(pycrdt.Doc, "apply_update", refuse)
    for at_once in (update((8, 0, [element()])), update((8, 0, [item(6, var_string("b") + b"\x041234")]))):
        with pytest.raises(EngineRefused):  # what has something to decode does not come later
            document.apply(at_once, read_update(at_once), later=True)
    assert document.apply(WORLD, read_update(WORLD), later=True) is Outcome.APPLIED
    assert read_state_vector(document.state_vector()) == {7: 5}
    monkeypatch.undo()
    assert apply(document, AGAIN) is Outcome.APPLIED
    for _ in range(2):
        with pytest.raises(EngineRefused) as refusal:
            document.settle()
        assert refusal.value.poisoned
