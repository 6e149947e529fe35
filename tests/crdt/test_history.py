"""Who wrote what, and undoing one person: real Yjs writers against a model that knows each character.

Every character and every element that the writers make is unlike all others, so that the model needs only
sets: who wrote it, who was the first in the log to delete it, and what it was in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.document import Document, Outcome
from crdt.history import characters, undo
from crdt.jobs import compact
from crdt.log import HistoryEntry
from crdt.preview import Fate, Preview, preview
from crdt.richtext import FRAGMENT
from crdt.update import read_update
from tests.support.yjs_peer import YjsPeer, decode, encode

ROOT = {"root": FRAGMENT, "kind": "xml"}
TEACHER = "membership:teacher"
names = count()


@pytest.fixture(scope="module")
def yjs() -> Iterator[YjsPeer]:
    with YjsPeer() as peer:
        yield peer


def subject_of(writer: int) -> str:
    return f"membership:{writer}"


def nodes(content: Any, inside: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every character and every element of what Yjs shows, with the elements around it, in order."""
    for child in content["list"]:
        if isinstance(child, str):
            yield from ((character, inside) for character in child)
        elif isinstance(child, dict) and "name" in child:
            key = child["entries"].get("k", "?")
            yield key, inside
            yield from nodes(child, (*inside, key))
        elif isinstance(child, dict) and "list" in child:
            yield from nodes(child, inside)


def seen(content: Any) -> dict[str, tuple[str, ...]]:
    found = list(nodes(content.get(FRAGMENT, {"list": []})))
    assert len(found) == len(dict(found)), "something is there twice"
    return dict(found)


@dataclass
class Event:
    """What one edit has done, and the updates that carry it."""

    writer: int
    updates: list[bytes]
    made: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


class Class:
    """Writers, each with a Yjs of their own, and the log of what the server has taken in from them."""

    def __init__(self, yjs: YjsPeer, writers: int) -> None:
        self.yjs = yjs
        self.peers = [next(names) for _ in range(writers)]
        for index, peer in enumerate(self.peers):
            yjs("create", id=peer, client=100 + index)
        self.outboxes: list[list[Event]] = [[] for _ in range(writers)]
        self.heard = [0] * writers
        self.log: list[tuple[Event, float]] = []
        self.letters = map(chr, count(0x4E00))
        self.keys = map(str, count())
        self.orders: list[list[str]] = []
        self.now = 0.0

    def close(self) -> None:
        self.yjs("drop", ids=self.peers)

    def seen_by(self, writer: int) -> dict[str, tuple[str, ...]]:
        return seen(self.yjs("show", id=self.peers[writer])["content"])

    def edit(self, writer: int, *edits: dict[str, Any]) -> None:
        before = self.seen_by(writer)
        updates = []
        for edit in edits:
            updates += self.yjs("edit", id=self.peers[writer], **edit)
        after = self.seen_by(writer)
        made = {name: inside for name, inside in after.items() if name not in before}
        event = Event(writer, [decode(update) for update in updates], made, before.keys() - after.keys())
        self.outboxes[writer].append(event)
        self.orders.append(list(after))

    def block(self, writer: int, index: int, letters: int, quoted: bool) -> None:
        """A paragraph with text, perhaps in a quote of its own."""
        text = "".join(next(self.letters) for _ in range(letters))
        name = "blockquote" if quoted else "paragraph"
        root = len(self.yjs("show", id=self.peers[writer])["content"].get(FRAGMENT, {"list": []})["list"])
        at = index % (root + 1)
        place = {**ROOT, "path": [at]}
        edits = [put(ROOT, at, name), set_key(place, next(self.keys))]
        if quoted:
            place = {**ROOT, "path": [at, 0]}
            edits += [put({**ROOT, "path": [at]}, 0, "paragraph"), set_key(place, next(self.keys))]
        edits.append({"place": place, "edit": "put", "index": 0, "value": {"new": "xmltext", "text": text}})
        self.edit(writer, *edits)

    def text_place(self, writer: int, index: int) -> dict[str, Any] | None:
        """One of the texts that a writer sees."""
        content = self.yjs("show", id=self.peers[writer])["content"].get(FRAGMENT, {"list": []})
        paths = list(texts(content))
        return {**ROOT, "path": paths[index % len(paths)]} if paths else None

    def do(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("block", writer, index, letters, quoted):
                self.block(writer, index, letters, quoted)
            case ("type", writer, where, index, letters, attributes):
                place = self.text_place(writer, where)
                if place is not None:
                    text = "".join(next(self.letters) for _ in range(letters))
                    self.edit(
                        writer,
                        {"place": place, "edit": "insert", "index": index, "text": text, **attributes},
                    )
            case ("erase", writer, where, index, length):
                place = self.text_place(writer, where)
                if place is not None:
                    self.edit(writer, {"place": place, "edit": "remove", "index": index, "length": length})
            case ("format", writer, where, index, length, attributes):
                place = self.text_place(writer, where)
                if place is not None:
                    edit = {"place": place, "edit": "format", "index": index, "length": length}
                    self.edit(writer, {**edit, "attributes": attributes})
            case ("remove", writer, index, length):
                self.edit(writer, {"place": ROOT, "edit": "remove", "index": index, "length": length})
            case ("look", writer, index, value):
                place = {**ROOT, "path": [index]}
                self.edit(writer, {"place": place, "edit": "set", "key": "look", "value": value})
            case ("send", writer):
                self.send(writer)
            case ("hear", writer):
                self.hear(writer)

    def send(self, writer: int) -> None:
        for event in self.outboxes[writer]:
            self.now += 1
            self.log.append((event, self.now))
        self.outboxes[writer] = []

    def hear(self, writer: int) -> None:
        new = [update for event, _ in self.log[self.heard[writer] :] for update in event.updates]
        self.heard[writer] = len(self.log)
        tidied = self.yjs("apply", id=self.peers[writer], updates=[encode(update) for update in new])
        if tidied:
            self.outboxes[writer].append(Event(writer, [decode(update) for update in tidied]))

    def everybody_knows(self) -> None:
        for writer in range(len(self.peers)):
            self.send(writer)
        for _ in range(3):  # hearing may tidy formats
            for writer in range(len(self.peers)):
                self.hear(writer)
                self.send(writer)

    def entries(self) -> list[HistoryEntry]:
        found = [(update, subject_of(event.writer), at) for event, at in self.log for update in event.updates]
        return [HistoryEntry(seq, 1, *each) for seq, each in enumerate(found, 1)]

    def expected(self, writer: int, since: float, until: float = math.inf) -> tuple[set[str], set[str]]:
        """What is there when all is undone that the writer did in that time: all of others' content; and the
        elements that may be left of theirs."""
        maker: dict[str, bool] = {}
        inside: dict[str, tuple[str, ...]] = {}
        remover: dict[str, bool] = {}
        for event, at in self.log:
            theirs = event.writer == writer and since <= at <= until
            for name, around in event.made.items():
                maker.setdefault(name, theirs)
                inside.setdefault(name, around)
            for name in event.gone:
                remover.setdefault(name, theirs)
        gone = {name for name, theirs in remover.items() if not theirs}
        there = {
            name
            for name, theirs in maker.items()
            if not theirs and name not in gone and not gone.intersection(inside[name])
        }
        around = {name for each in there for name in inside[each]}
        return there | around, {name for name, theirs in maker.items() if theirs and name.isdigit()}


def texts(content: Any, path: tuple[int, ...] = ()) -> Iterator[list[int]]:
    for index, child in enumerate(child for child in content["list"] if isinstance(child, dict)):
        if "list" in child and "name" in child:
            yield from texts(child, (*path, index))
        elif "list" in child:
            yield [*path, index]


def put(place: dict[str, Any], index: int, name: str) -> dict[str, Any]:
    return {"place": place, "edit": "put", "index": index, "value": {"new": "element", "name": name}}


def set_key(place: dict[str, Any], key: str) -> dict[str, Any]:
    return {"place": place, "edit": "set", "key": "k", "value": key}


def shown(yjs: YjsPeer, updates: Iterable[bytes]) -> Any:
    return yjs.open(updates)["content"]


def served(updates: Iterable[bytes], update: bytes | None) -> list[bytes]:
    """What the server keeps once it has taken in an undoing, with nothing left waiting."""
    document = Document()
    for each in updates:
        document.load(each)
    if update is not None:
        assert document.apply(update, read_update(update)) is Outcome.APPLIED
    assert not document.pending
    state = document.diff(None)
    document.close()
    return state


def words(content: Any) -> str:
    """All the text that Yjs shows."""
    return "".join(name for name in seen(content) if name >= "\u4e00")


def letters(told: Preview, *fates: Fate) -> str:
    found = "".join(p.text for block in told.blocks for p in block.pieces if p.fate in fates)
    return found.replace("\n", "")


def check(people: Class, found: dict[str, tuple[str, ...]], expected: set[str], maybe: set[str]) -> None:
    """What is there is what has to be, in the order in which anybody has seen it."""
    assert expected <= found.keys() <= expected | maybe
    places = {name: place for place, name in enumerate(found)}
    for order in people.orders:
        for one, other in pairwise(name for name in order if name in found):
            if found[one] == found[other]:
                assert places[one] < places[other]


number = st.integers(0, 30)
marks = st.sampled_from([{"strong": {}}, {"em": {}}, {"strong": None}, {"link": {"href": "/a"}}])


def steps(writers: int) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    who = st.integers(0, writers - 1)
    attributes = st.one_of(st.just({}), st.fixed_dictionaries({"attributes": marks}))
    typing = st.tuples(st.just("type"), who, number, number, st.integers(1, 4), attributes)
    erasing = st.tuples(st.just("erase"), who, number, number, st.integers(1, 6))
    return st.lists(
        st.one_of(
            typing,
            typing,
            erasing,
            erasing,
            st.tuples(st.just("format"), who, number, number, st.integers(1, 6), marks),
            st.tuples(st.just("block"), who, number, st.integers(1, 5), st.booleans()),
            st.tuples(st.just("remove"), who, number, st.integers(1, 2)),
            st.tuples(st.just("look"), who, number, st.integers(1, 3)),
            st.tuples(st.just("send"), who),
            st.tuples(st.just("hear"), who),
        ),
        min_size=4,
        max_size=40,
    )


@settings(deadline=None, max_examples=60)
@given(before=steps(3), after=steps(3), later=steps(3), writer=st.integers(0, 2), folded=st.booleans())
def test_text_by_others_survives_and_theirs_is_gone(
    yjs: YjsPeer,
    before: list[tuple[Any, ...]],
    after: list[tuple[Any, ...]],
    later: list[tuple[Any, ...]],
    writer: int,
    folded: bool,
) -> None:
    people = Class(yjs, 3)
    for index in range(3):
        people.block(index, index, 4, quoted=index == 1)
    people.everybody_knows()
    for step in before:
        people.do(step)
    since = people.now + 0.5
    for step in after:
        people.do(step)
    for index in range(3):
        people.send(index)
    entries = people.entries()
    updates = [entry.update for entry in entries]

    snapshot = None
    if folded:  # what came before is only there as a snapshot
        snapshot = compact(None, [entry.update for entry in entries if entry.at < since])
        entries = [entry for entry in entries if entry.at > since]
    told = preview(snapshot, entries, subject_of(writer), since, undoers=[TEACHER], everything=True)
    update = undo(
        snapshot,
        entries,
        subject_of(writer),
        since,
        client=7,
        undoers=[TEACHER],
        seen=told.fingerprint or None,
    )
    now = shown(yjs, served(updates, update))
    found = seen(now)
    if update is None:
        assert not told.fingerprint
    else:
        assert letters(told, Fate.STAYS, Fate.GOES) == words(shown(yjs, served(updates, None)))
        assert letters(told, Fate.STAYS, Fate.BACK) == words(now)
    expected, maybe = people.expected(writer, since)
    check(people, found, expected, maybe)
    for name in found.keys() - expected:
        # Their empty paragraph, where nothing else is in a quote of others.
        assert len(found[name]) == 1
        assert [around for around in found.values() if around[:1] == found[name]] == [found[name]]
    if update is not None:
        until = people.now
        undone = HistoryEntry(len(updates) + 1, 1, update, TEACHER, until)
        again = undo(snapshot, [*entries, undone], subject_of(writer), since, client=8, undoers=[TEACHER])
        assert again is None
        orders, seq = len(people.orders), len(people.log)
        for step in later:  # by people who have not heard of it yet
            people.do(step)
        for peer in people.peers:
            yjs("apply", id=peer, updates=[encode(update)])
        people.everybody_knows()
        late = people.entries()[len(updates) :]
        updates += [update, *(entry.update for entry in late)]
        together = seen(shown(yjs, served(updates, None)))
        for index in range(3):
            assert together == people.seen_by(index)
        mended = undo(
            snapshot,
            [*entries, undone, *late],
            subject_of(writer),
            since,
            client=8,
            undoers=[TEACHER],
            until=until,
        )
        # What was put back is a copy: it is not gone when people then delete what they still see of the
        # original, and what they type beside that may end up on either side of it.
        del people.orders[orders:]
        expected, maybe = people.expected(writer, since, until)
        gone = {name for event, _ in people.log[seq:] for name in event.gone}
        for event, _ in people.log:
            maybe |= {name for name, inside in event.made.items() if gone.intersection((name, *inside))}
        check(people, seen(shown(yjs, served(updates, mended))), expected, maybe)
    people.close()


@settings(deadline=None, max_examples=40)
@given(steps=st.lists(steps(2), min_size=3, max_size=3))
def test_to_undo_in_two_goes_is_to_undo_at_once(yjs: YjsPeer, steps: list[list[tuple[Any, ...]]]) -> None:
    people = Class(yjs, 2)
    people.block(1, 0, 6, quoted=False)
    people.everybody_knows()
    times = []
    for part in steps:
        for step in part:
            people.do(step)
        people.everybody_knows()
        times.append(people.now + 0.5)
    entries = people.entries()
    updates = [entry.update for entry in entries]
    for client, since in ((7, times[1]), (8, times[0])):
        update = undo(None, entries, subject_of(0), since, client=client, undoers=[TEACHER])
        if update is not None:
            entries.append(HistoryEntry(len(entries) + 1, 1, update, TEACHER, people.now + 1))
    at_once = undo(None, people.entries(), subject_of(0), times[0], client=7)
    one = seen(shown(yjs, served(updates, at_once)))
    two = seen(shown(yjs, served([entry.update for entry in entries], None)))
    assert two == one
    check(people, two, set(one), set())
    people.close()


@settings(deadline=None, max_examples=40)
@given(before=steps(2), after=steps(1))
def test_when_nobody_else_wrote_all_is_as_it_was(
    yjs: YjsPeer, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> None:
    people = Class(yjs, 2)
    people.block(1, 0, 6, quoted=False)
    people.everybody_knows()
    for step in before:
        people.do(step)
    people.everybody_knows()
    since = people.now + 0.5
    was = shown(yjs, [entry.update for entry in people.entries()])
    for step in after:
        people.do(step)
    people.send(0)
    entries = people.entries()
    update = undo(None, entries, subject_of(0), since, client=7)
    assert shown(yjs, served([entry.update for entry in entries], update)) == was
    people.close()


def entry(seq: int, update: bytes, subject: str, at: float) -> HistoryEntry:
    return HistoryEntry(seq, 1, update, subject, at)


def written(yjs: YjsPeer, peer: int, **edit: Any) -> bytes:
    [update] = yjs("edit", id=peer, **edit)
    return decode(update)


def test_nothing_to_take_back_is_no_update(yjs: YjsPeer) -> None:
    assert undo(None, [], "ana", 0, client=7) is None
    peer = next(names)
    yjs("create", id=peer, client=1)
    entries = [entry(1, written(yjs, peer, **put(ROOT, 0, "paragraph")), "ana", 10)]
    assert undo(None, entries, "rui", 0, client=7) is None
    assert undo(None, entries, "ana", 11, client=7) is None
    assert undo(None, entries, "ana", 0, client=7, until=9) is None
    assert undo(None, entries, "ana", 10, client=7) is not None
    yjs("drop", ids=[peer])


def test_an_element_of_theirs_stays_where_others_would_lose_what_is_around_it(yjs: YjsPeer) -> None:
    """Editors remove a list item without a block: the item is of somebody else."""
    ana, rui = next(names), next(names)
    yjs("create", id=ana, client=1)
    yjs("create", id=rui, client=2)
    entries = []
    item, text = {**ROOT, "path": [0, 0]}, {"new": "xmltext", "text": "nonsense"}
    for peer, who, edit in (
        (ana, "ana", put(ROOT, 0, "bullet_list")),
        (ana, "ana", put({**ROOT, "path": [0]}, 0, "list_item")),
        (rui, "rui", put(item, 0, "paragraph")),
        (rui, "rui", {"place": {**ROOT, "path": [0, 0, 0]}, "edit": "put", "index": 0, "value": text}),
    ):
        entries.append(entry(len(entries) + 1, written(yjs, peer, **edit), who, 1))
        yjs("apply", id=rui, updates=[encode(entries[-1].update)])
    updates = [each.update for each in entries]
    [lists] = shown(yjs, served(updates, undo(None, entries, "rui", 0, client=7)))[FRAGMENT]["list"]
    assert lists["list"] == [
        {"name": "list_item", "list": [{"name": "paragraph", "list": [], "entries": {}}], "entries": {}}
    ]
    yjs("drop", ids=[ana, rui])


def test_only_the_undoing_of_trusted_people_counts_as_done(yjs: YjsPeer) -> None:
    ana, rui = next(names), next(names)
    yjs("create", id=ana, client=1)
    yjs("create", id=rui, client=2)
    text = {"new": "xmltext", "text": "🌊 rivers"}
    entries = [entry(1, written(yjs, ana, place=ROOT, edit="put", index=0, value=text), "ana", 1)]
    yjs("apply", id=rui, updates=[encode(entries[0].update)])
    erased = written(yjs, rui, place={**ROOT, "path": [0]}, edit="remove", index=0, length=5)
    entries.append(entry(2, erased, "rui", 2))
    update = undo(None, entries, "rui", 2, client=7, undoers=["teacher"])
    assert update is not None
    for who, again in (("teacher", False), ("eva", True)):
        done = [*entries, entry(3, update, who, 3)]
        assert (undo(None, done, "rui", 2, client=8, undoers=["teacher"]) is not None) is again
    state = served([each.update for each in entries], update)
    assert shown(yjs, state)[FRAGMENT]["list"] == [{"list": ["🌊 rivers"], "entries": {}}]
    assert characters(state) == {1: 4, 7: 4}
    yjs("drop", ids=[ana, rui])


def test_of_what_is_nowhere_any_more_nothing_comes_back_and_all_else_does(yjs: YjsPeer) -> None:
    """The text is older than the log remembers, and was collected in a snapshot after it was deleted."""
    ana = next(names)
    yjs("create", id=ana, client=1)
    text = {**ROOT, "path": [0]}
    old = written(yjs, ana, place=ROOT, edit="put", index=0, value={"new": "xmltext", "text": "old "})
    new = written(yjs, ana, place=text, edit="insert", index=4, text="new")
    gone = written(yjs, ana, place=text, edit="remove", index=0, length=7)
    snapshot = compact(None, [old, new, gone])
    entries = [entry(2, new, "ana", 2), entry(3, gone, "rui", 3)]
    update = undo(snapshot, entries, "rui", 3, client=7)
    assert shown(yjs, served([snapshot], update))[FRAGMENT]["list"] == [{"list": ["new"], "entries": {}}]
    yjs("drop", ids=[ana])
