"""A stored document comes back the same whether it is read first or shown first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import pycrdt
import pytest
from handmade import ANY, element, item, text, update
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.clocks import ClockSet
from crdt.document import Document, Outcome, merge
from crdt.errors import CrdtError, EngineRefused, LimitExceeded
from crdt.limits import DEFAULT, STORED
from crdt.restoring import study, together
from crdt.update import EMPTY_UPDATE, read_state_vector, read_update

WRITERS = (100, 200, 300)
MALLORY = 666

HOSTILE = [
    update((MALLORY, 0, [text("seven letters")])),
    update((MALLORY, 13, [text("inside a text", parent=(MALLORY, 3))])),
    update((MALLORY, 13, [element(parent="prosemirror")])),
    *(update((MALLORY, clock, [element(parent=(MALLORY, clock - 1))])) for clock in range(14, 81, 13)),
    update((MALLORY, 14, [element(parent=(MALLORY, 13 + depth)) for depth in range(40)])),
    update((MALLORY, 54, [element(parent=(MALLORY, 53 + depth)) for depth in range(40)])),
    update((MALLORY, 14, [item(ANY, b"\x01\x7e", parent=(MALLORY, 13), key="k")])),
    update((MALLORY, 14, [item(ANY, b"\x03\x7e\x7e\x7e", parent=(MALLORY, 13), key="k")])),
    update((MALLORY, 15, [text("a", origin=(MALLORY, 14))])),
    update((MALLORY, 15, [text("b", origin=(100, 0))])),
    update((MALLORY, 16, [text("c", origin=(MALLORY, 15))])),
    update((MALLORY, 16, [text("d", origin=(200, 0), right=(200, 1))])),
    update((MALLORY, 12, [text("overlaps", origin=(MALLORY, 11))])),
    update((MALLORY, 13, [text("😀x", origin=(MALLORY, 12))])),
    update((MALLORY, 16, [text("cut", origin=(MALLORY, 13), right=(MALLORY, 14))])),
    update((MALLORY, 30, [text("far ahead", origin=(MALLORY, 29))])),
    update(deleted={MALLORY: [(2, 3)]}),
    update(deleted={MALLORY: [(13, 2)], 100: [(1, 1)]}),
    update(deleted={300: [(0, 40)]}),
]

numbers = st.integers(0, 40)
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("type"), st.sampled_from((0, 1, 2)), numbers, st.sampled_from(("x", "y", "words", "😀"))
        ),
        st.tuples(st.just("letters"), st.sampled_from((0, 1, 2)), numbers, st.integers(1, 12)),
        st.tuples(st.just("erase"), st.sampled_from((0, 1, 2)), numbers, st.integers(1, 4)),
        st.tuples(st.just("set"), st.sampled_from((0, 1, 2)), numbers, st.none()),
        st.tuples(st.just("protect"), st.sampled_from((0, 1, 2)), numbers, st.none()),
        st.tuples(st.just("put"), st.sampled_from((0, 1, 2)), numbers, st.none()),
        st.tuples(st.just("hear"), st.sampled_from((0, 1, 2)), numbers, st.none()),
        st.tuples(st.just("attack"), st.integers(0, len(HOSTILE) - 1), numbers, st.none()),
        st.tuples(st.just("fold"), st.just(0), numbers, st.none()),
    ),
    max_size=40,
)


class Server:
    """Takes in what it may, and logs that."""

    def __init__(self) -> None:
        self.document = Document()
        self.log: list[bytes] = []
        self.held_back: list[bytes] = []
        self.seen: list[bytes] = []
        self.written: list[bytes] = []

    def hear(self, data: bytes) -> None:
        self.seen.append(data)
        try:
            outcome = self.document.apply(data, read_update(data))
        except EngineRefused as error:
            if error.poisoned:
                self.document = loaded(self.log)
            return
        except CrdtError:
            return
        if outcome is not Outcome.NOTHING_NEW:
            self.log.append(data)

    def fold(self) -> None:
        log = [merge(self.document.diff(None))]
        try:
            self.document = loaded(log)
        except LimitExceeded:  # what waits nests too deep together: it is not folded
            return
        self.log = log


def loaded(log: Sequence[bytes]) -> Document:
    document = Document()
    for data in log:
        document.load(data)
    return document


def restored(log: Sequence[bytes]) -> Document:
    document = Document()
    for data in together(log):
        document.restore(data)
    return document


def perform(script: Sequence[tuple[str, int, int, Any]]) -> Server:
    server = Server()
    docs: list[pycrdt.Doc[Any]] = [pycrdt.Doc(client_id=client) for client in WRITERS]
    for verb, who, number, detail in script:
        if verb == "attack":
            server.hear(HOSTILE[who])
        elif verb == "fold":
            server.fold()
        elif verb == "hear":
            for written in server.written[: number + 1]:
                docs[who].apply_update(written)
            while server.held_back and number % 2:
                server.hear(server.held_back.pop(number % len(server.held_back)))
        else:
            for made in edit(docs[who], verb, number, detail):
                server.written.append(made)
                if number % 7 == 3:
                    server.held_back.append(made)
                else:
                    server.hear(made)
    return server


def edit(doc: pycrdt.Doc[Any], verb: str, number: int, detail: Any) -> list[bytes]:
    made: list[bytes] = []
    subscription = doc.observe(lambda event: made.append(event.update))
    words = doc.get("text", type=pycrdt.Text)
    length = len(str(words).encode())
    at = min(number, length) if str(words).isascii() else length
    if verb == "type":
        words.insert(at, detail)
    elif verb == "letters":
        for index in range(detail):
            words.insert(at + index, "abc"[index % 3])
        if number % 3 == 0 and made:
            made = [merge(made)]
    elif verb == "erase" and str(words).isascii() and at < length:
        del words[at : min(length, at + detail)]
    elif verb == "set":
        doc.get("map", type=pycrdt.Map)[f"k{number % 3}"] = number
    elif verb == "protect":
        block = pycrdt.XmlElement("p")
        doc.get("prosemirror", type=pycrdt.XmlFragment).children.append(block)
        block.attributes["protected"] = "teachers" if number % 2 else "100"
    elif verb == "put":
        array = doc.get("array", type=pycrdt.Array)
        array.append(pycrdt.Array([number]) if number % 2 else pycrdt.Map({"a": number}))
    doc.unobserve(subscription)
    return made


def says(document: Document) -> tuple[Any, ...]:
    """What a document answers, so that two can be compared."""
    parts = document.diff(None)
    copy: pycrdt.Doc[Any] = pycrdt.Doc()
    for part in parts:
        copy.apply_update(part)
    whole = read_update(parts[0], STORED)
    waiting = [read_update(part, STORED) for part in parts[1:]]
    return (
        read_state_vector(document.state_vector(), STORED),
        read_state_vector(document.vector_without([]), STORED),
        set(whole.writes),
        set(whole.deletes),
        set(ClockSet(item for summary in waiting for item in summary.writes)),
        set(ClockSet(item for summary in waiting for item in summary.deletes)),
        bool(document.pending),
        bool(document.given_up),
        str(copy.get("text", type=pycrdt.Text)),
        copy.get("map", type=pycrdt.Map).to_py(),
        copy.get("array", type=pycrdt.Array).to_py(),
    )


def knows(document: Document) -> tuple[Any, ...]:
    known = document._known
    return (
        known.clocks,
        set(known.deleted),
        {client: sorted(clocks) for client, clocks in known._types.items()},
        {client: sorted(clocks) for client, clocks in known._pairs.items() if clocks},
        {
            (client, clock): known._places.place_of(client, clock)
            for client, end in known.clocks.items()
            for clock in range(end)
        },
        document._protection._possible,
    )


def attempt(document: Document, data: bytes) -> object:
    try:
        return document.apply(data, read_update(data))
    except CrdtError as error:
        return type(error), getattr(error, "what", "")


def compare(log: Sequence[bytes], probes: Sequence[bytes], *, quickly_read: int, studied: bool) -> None:
    with patch("crdt.document._QUICKLY_READ", quickly_read):
        read, shown = loaded(log), restored(log)
    assert says(shown) == says(read)
    for data in probes:
        summary = read_update(data)
        assert shown.contains(data, summary) == read.contains(data, summary)
        assert [shown.holds(item) for item in summary.writes] == [read.holds(item) for item in summary.writes]
    if studied:
        shown.learn(study(shown.unread, DEFAULT))
    for data in probes:
        assert attempt(shown, data) == attempt(read, data)
    shown.load(EMPTY_UPDATE)
    assert not shown.unread
    assert says(shown) == says(read)
    assert knows(shown) == knows(read)
    read.close()
    shown.close()


@settings(max_examples=200, deadline=None)
@given(script=steps, quickly_read=st.sampled_from((0, 40, 4096)), studied=st.booleans())
def test_shown_first_is_the_same_as_read_first(
    script: list[tuple[str, int, int, Any]], quickly_read: int, studied: bool
) -> None:
    server = perform(script)
    probes = [*server.held_back, *server.seen[::3], *HOSTILE]
    compare(server.log, probes, quickly_read=quickly_read, studied=studied)
    server.document.close()


HELLO = update((7, 0, [text("Hello")]))
EMOJI = update((7, 0, [text("a😀b")]))
ENTRY = update((7, 0, [item(ANY, b"\x01\x7e", parent="map", key="k")]))


@pytest.mark.parametrize("quickly_read", [0, 4096])
@pytest.mark.parametrize(
    "log",
    [
        pytest.param([HELLO, update(deleted={7: [(3, 10)]})], id="a deletion waits"),
        pytest.param([HELLO, update((7, 6, [text("x", origin=(7, 5))]))], id="a letter waits"),
        pytest.param(
            [update((9, 0, [text("x", origin=(7, 4))])), HELLO, update((7, 5, [text("y", origin=(7, 4))]))],
            id="a letter waited",
        ),
        pytest.param(
            [
                HELLO,
                update((9, 0, [text("a", origin=(7, 4))])),
                update((10, 0, [text("b", origin=(7, 4))])),
                *(update((8, clock, [text("x", origin=(7, 0))])) for clock in range(48)),
                update((9, 0, [text("c", origin=(7, 2))])),
                update((10, 0, [text("d", origin=(7, 4))])),
            ],
            id="letters with the same ids",
        ),
        pytest.param(
            [
                HELLO,
                update((9, 0, [text("a", origin=(7, 0)), text("b", origin=(9, 0))])),
                update((9, 1, [text("c", origin=(7, 2)), text("d", origin=(9, 1))])),
                update((9, 3, [text("e", origin=(9, 1)), text("f", origin=(9, 3))])),
            ],
            id="letters that overlap",
        ),
        pytest.param([EMOJI, update(deleted={7: [(1, 1)]})], id="a pair is cut by a deletion"),
        pytest.param(
            [EMOJI, update((9, 0, [text("X", origin=(7, 1), right=(7, 2))]))], id="a pair is cut by a letter"
        ),
        pytest.param(
            [update((9, 0, [text("x", parent=(7, 2))])), HELLO, update((7, 5, [text("y", origin=(7, 4))]))],
            id="what waited was inside of a text",
        ),
        pytest.param(
            [
                *(update((7, clock, [element(parent=(7, clock - 1))])) for clock in range(90, 0, -1)),
                update((7, 0, [element(parent="prosemirror")])),
            ],
            id="what waited was too deep",
        ),
        pytest.param(
            [
                ENTRY,
                update((9, 0, [text("ab", origin=(8, 0))])),
                update((8, 0, [text("c", origin=(7, 0))])),
                update((8, 1, [text("d", origin=(8, 0))])),
            ],
            id="what waited was a long map entry",
        ),
    ],
)
def test_what_waited_is_as_it_was(log: list[bytes], quickly_read: int) -> None:
    compare(log, log, quickly_read=quickly_read, studied=False)


@pytest.mark.parametrize(
    "kept",
    [
        update((7, 5, [text("xy", origin=(7, 4))])),
        update((7, 5, [text("x", origin=(7, 4)), element(parent=(7, 0))])),
        update((7, 5, [text("x", parent="text")])),
        update((7, 5, [text("é", origin=(7, 4))])),
        update((7, 5, [text("x", origin=(7, 4))]), (8, 0, [text("x", origin=(7, 4))])),
        update((7, 5, [text("x", origin=(7, 4))]), deleted={7: [(1, 1)]}),
    ],
)
def test_anything_else_stays_by_itself(kept: bytes) -> None:
    letters = [update((9, clock, [text("x", origin=(7, 0))])) for clock in range(2)]
    assert list(together([letters[0], kept, letters[1]])) == [letters[0], kept, letters[1]]


def test_letters_and_deletions_go_together() -> None:
    letters = [update((7, clock, [text("x", origin=(7, clock - 1))])) for clock in range(5, 2505)]
    log = [HELLO, *letters, update(deleted={7: [(3, 4)]}), update((7, 2505, [text("more", origin=(7, 9))]))]
    merged = list(together(log))
    assert len(merged) < 8
    assert merged[0] == HELLO
    assert merged[-1] == log[-1]
    compare(log, letters[::100], quickly_read=4096, studied=True)


def test_what_the_log_never_can_have_held_poisons_the_document() -> None:
    document = Document()
    chain = [element(parent="prosemirror"), *(element(parent=(7, clock)) for clock in range(70))]
    for clock, nested in enumerate(chain):
        document.restore(update((7, clock, [nested])))
    with pytest.raises(EngineRefused) as refusal:
        document.apply(HELLO, read_update(HELLO))
    assert refusal.value.poisoned
    with pytest.raises(LimitExceeded):
        study(document.unread, DEFAULT)
    document.close()
