"""Everybody ends with the same document, whatever they did, and whenever and how often they heard of it.

Peers: real Yjs documents, a pycrdt document, and between them our Document as the server holds it, with a log
that is compacted now and then. Hypothesis prints how to replay a failing example.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

import pycrdt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yjs_peer import YjsPeer, decode, encode

from crdt import jobs
from crdt.clocks import ClockSet
from crdt.document import Document, Outcome
from crdt.limits import STORED
from crdt.update import ClockRange, read_state_vector, read_update

TEXT = {"root": "text", "kind": "text"}
MAP = {"root": "map", "kind": "map"}
ARRAY = {"root": "array", "kind": "array"}
XML = {"root": "prosemirror", "kind": "xml"}

numbers = st.integers(0, 30)
words = st.sampled_from(["a", "bc", "\n", "longer text"])
astral = st.sampled_from(["😀", "x𝄞y", "👩‍👩‍👧", "é"])
values = st.sampled_from([1, "two", None, True, {"a": [1]}, {"new": "map"}, {"new": "text", "text": "t"}])
marks = st.sampled_from([{"strong": {}}, {"strong": None}, {"em": {}, "link": {"href": "/a"}}])
elements = st.sampled_from(
    [
        {"new": "element", "name": "paragraph"},
        {"new": "element", "name": "table"},
        {"new": "xmltext", "text": "run"},
    ]
)
paths = st.lists(numbers, min_size=0, max_size=3)


def edits(text: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    def on(place: dict[str, Any], edit: str, **options: Any) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({"place": st.just(place), "edit": st.just(edit), **options})

    in_xml = st.builds(lambda path: {**XML, "path": path}, paths)
    return st.one_of(
        on(TEXT, "insert", index=numbers, text=text),
        on(TEXT, "insert", index=numbers, text=text),
        on(TEXT, "remove", index=numbers, length=st.integers(1, 4)),
        on(TEXT, "format", index=numbers, length=st.integers(1, 8), attributes=marks),
        on(TEXT, "embed", index=numbers, value=st.sampled_from([{"image": "/a.png"}, {"new": "map"}])),
        on(MAP, "set", key=st.sampled_from("ab"), value=values),
        on(MAP, "unset", key=st.sampled_from("ab")),
        on(ARRAY, "put", index=numbers, value=values),
        on(ARRAY, "remove", index=numbers, length=st.integers(1, 3)),
        st.fixed_dictionaries({"place": in_xml, "edit": st.just("put"), "index": numbers, "value": elements}),
        on(XML, "remove", index=numbers, length=st.integers(1, 2)),
    )


def steps(text: st.SearchStrategy[str], writers: int) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    who = st.integers(0, writers - 1)
    return st.lists(
        st.one_of(
            st.tuples(st.just("edit"), who, edits(text)),
            st.tuples(st.just("edit"), who, edits(text)),
            st.tuples(st.just("edit"), who, edits(text)),
            st.tuples(st.just("undo"), who),
            st.tuples(st.just("redo"), who),
            st.tuples(st.just("hear"), who, numbers),
            st.tuples(st.just("serve"), numbers),
            st.tuples(st.just("compact")),
        ),
        min_size=4,
        max_size=24,
    )


@pytest.fixture(scope="module")
def yjs() -> Iterator[YjsPeer]:
    with YjsPeer() as peer:
        yield peer


def cut(content: Any) -> str:
    """Content with every pair cut: Yjs cuts one in its own copy even for marks that change nothing and that
    nobody hears of."""
    return re.sub("[\U00010000-\U0010ffff]", "\ufffd\ufffd", json.dumps(content, ensure_ascii=False))


class Class:
    """A school class at work: who wrote what, who has heard of it, and what the server keeps."""

    names = count()

    def __init__(self, yjs: YjsPeer, writers: int, pupil: bool) -> None:
        self.yjs = yjs
        self.writers = [next(self.names) for _ in range(writers)]
        for index, writer in enumerate(self.writers):
            yjs("create", id=writer, client=1000 + index, undo=[TEXT, MAP, ARRAY, XML])
        self.pupil = pycrdt.Doc(client_id=77) if pupil else None
        self.written: list[bytes] = []
        self.server = Document(STORED)
        self.log: list[bytes] = []
        self.served: set[int] = set()

    def do(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("edit", who, edit):
                self._wrote(self.yjs("edit", id=self.writers[who], **edit))
                if self.pupil is not None:
                    self._pupil_types(edit)
            case ("undo" | "redo" as command, who):
                self._wrote(self.yjs(command, id=self.writers[who]))
            case ("hear", who, number) if self.written:
                update = self.written[number % len(self.written)]
                self._wrote(self.yjs("apply", id=self.writers[who], updates=[encode(update)]))
            case ("serve", number) if self.written:
                self.serve(number % len(self.written))
            case ("compact",):
                self.restart(compacted=True)

    def _wrote(self, updates: list[str]) -> None:
        self.written.extend(decode(update) for update in updates)

    def _pupil_types(self, edit: dict[str, Any]) -> None:
        assert self.pupil is not None
        if edit["place"] is not TEXT or edit["edit"] not in ("insert", "remove"):
            return
        before = self.pupil.get_state()
        text = self.pupil.get("text", type=pycrdt.Text)
        index = edit["index"] % (len(text) + 1)
        if edit["edit"] == "insert":
            text.insert(index, edit["text"])
        else:
            del text[index : min(index + edit["length"], len(text))]
        update = self.pupil.get_update(before)
        if update != b"\x00\x00":
            self.written.append(update)

    def serve(self, index: int) -> None:
        update = self.written[index]
        outcome = self.server.apply(update, read_update(update), "pupil")
        if index in self.served:
            assert outcome is not Outcome.APPLIED, "the server has it already"
        self.served.add(index)
        if outcome is not Outcome.NOTHING_NEW:
            self.log.append(update)

    def restart(self, *, compacted: bool) -> None:
        """The server starts again from its log."""
        if compacted and self.log:
            self.log = [jobs.compact(self.log[0], self.log[1:])]
        self.server.close()
        self.server = Document(STORED)
        for update in self.log:
            self.server.load(update)

    def finish(self, random: Random) -> None:
        """Everything arrives in the end, in any order, some of it twice."""
        heard = 0
        while heard < len(self.written):
            heard = len(self.written)
            rest = [index for index in range(heard) if index not in self.served or random.random() < 0.3]
            random.shuffle(rest)
            for index in rest:
                self.serve(index)
            for writer in self.writers:
                everything = [encode(part) for part in self.server.diff(None)]
                self._wrote(self.yjs("apply", id=writer, updates=everything))

    def check(self) -> None:
        assert self.server.pending == 0
        [state] = self.server.diff(None)
        opened = self.yjs.open([state])
        assert not opened["pending"]
        vector = read_state_vector(self.server.state_vector())
        assert {int(client): clock for client, clock in opened["vector"].items()} == vector
        for writer in self.writers:
            shown = self.yjs("show", id=writer)
            assert cut(shown["content"]) == cut(opened["content"])
            assert shown["vector"] == opened["vector"]
            theirs = decode(self.yjs("state", id=writer))
            assert self.server.contains(theirs, read_update(theirs))
        compacted = jobs.compact(None, self.log)
        assert cut(self.yjs.open([compacted])["content"]) == cut(opened["content"])
        if self.pupil is not None:
            self.pupil.apply_update(state)
            assert self.yjs.open([self.pupil.get_update()])["content"] == opened["content"]

    def close(self) -> None:
        self.yjs("drop", ids=self.writers)
        self.server.close()


relaxed = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@relaxed
@given(program=steps(words, writers=2), seed=st.integers(0, 2**32))
def test_yjs_and_pycrdt_and_the_server_converge(yjs: YjsPeer, program: list[Any], seed: int) -> None:
    room = Class(yjs, writers=2, pupil=True)
    for step in program:
        room.do(step)
    room.finish(Random(seed))
    room.check()
    room.close()


@relaxed
@given(program=steps(words | astral, writers=3), seed=st.integers(0, 2**32))
def test_cut_surrogate_pairs_converge(yjs: YjsPeer, program: list[Any], seed: int) -> None:
    """Yjs may cut an emoji in two; the engine alone would then count wrong, the server must not."""
    room = Class(yjs, writers=3, pupil=False)
    for step in program:
        room.do(step)
    room.finish(Random(seed))
    room.check()
    room.close()


@relaxed
@given(program=steps(words, writers=2), seed=st.integers(0, 2**32))
def test_what_waits_for_a_predecessor_is_relayed_and_survives(
    yjs: YjsPeer, program: list[Any], seed: int
) -> None:
    """With some updates never delivered, a reader of the server still has all that the server ever took."""
    room = Class(yjs, writers=2, pupil=False)
    for step in program:
        room.do(step)
    random = Random(seed)
    for index in random.sample(range(len(room.written)), len(room.written) * 2 // 3):
        room.serve(index)
    for compacted in (False, True):
        room.restart(compacted=compacted)
        kept = ClockSet()
        for part in room.server.diff(None):
            for item in read_update(part, STORED).writes:
                kept.add(ClockRange(item.client, item.start, item.end))
        for index in room.served:
            assert all(item in kept for item in read_update(room.written[index]).writes)
    room.finish(random)
    room.check()
    room.close()
