"""Protected blocks: what passes never changes one, and what touches none passes.

The reference is slow and simple: the engine applies the update, and what is shown of the protected blocks
before and after is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pycrdt
import pytest
from handmade import ANY, element, gc, item, text, update
from hypothesis import given, settings
from hypothesis import strategies as st
from yjs_peer import YjsPeer

from crdt.codec import var_string
from crdt.document import Document, Outcome
from crdt.engine import Engine, XmlNode, XmlRun
from crdt.errors import CrdtError
from crdt.jobs import compact
from crdt.protection import Verdict
from crdt.richtext import FRAGMENT
from crdt.update import ClockRange, read_update

TEACHER, ANA, RUI = 1000, 2000, 3000
"""Client ids begin here."""


def mine(*clients: int):
    return lambda client: client in clients


def anas(client: int) -> bool:
    return ANA <= client < RUI


def judge(document: Document, data: bytes, whose=anas) -> Verdict:
    return document.judge(data, read_update(data), whose)


def put(document: Document, data: bytes) -> Outcome:
    return document.apply(data, read_update(data))


def value(word: object) -> bytes:
    if isinstance(word, str):
        return b"\x01\x77" + var_string(word)
    return b"\x01\x7d" + bytes([int(word)])  # type: ignore[call-overload]


def block(client: int, clock: int, words: str, protected: object = None, **place: Any) -> bytes:
    """A paragraph with a text: the element, its text, the characters, and the attribute."""
    place = place or {"parent": FRAGMENT}
    structs = [
        element("paragraph", **place),
        item(7, b"\x06", parent=(client, clock)),
        text(words, parent=(client, clock + 1)),
    ]
    if protected is not None:
        structs.append(item(ANY, value(protected), parent=(client, clock), key="protected"))
    return update((client, clock, structs))


@pytest.fixture
def document() -> Iterator[Document]:
    document = Document()
    yield document
    document.close()


@pytest.fixture
def protected(document: Document) -> Document:
    """Two blocks: "mine" by Ana, and "yours" by a teacher, protected."""
    put(document, block(ANA, 0, "mine"))
    put(document, block(TEACHER, 0, "yours", "teachers", origin=(ANA, 0)))
    return document


class TestWhatTouchesNothingPasses:
    def test_a_document_without_the_attribute_is_not_looked_at(self, document: Document) -> None:
        put(document, block(TEACHER, 0, "free"))
        assert judge(document, update(deleted={TEACHER: [(0, 6)]})) is Verdict.FREE
        assert judge(document, update((ANA, 0, [text("x", origin=(TEACHER, 2))]))) is Verdict.FREE

    def test_the_word_in_a_text_protects_nothing(self, document: Document) -> None:
        put(document, block(TEACHER, 0, "protected"))
        assert judge(document, update((ANA, 0, [text("protected", origin=(TEACHER, 2))]))) is Verdict.FREE
        assert judge(document, update(deleted={TEACHER: [(0, 11)]})) is Verdict.FREE

    def test_a_neighbour_may_be_written_and_deleted(self, protected: Document) -> None:
        assert judge(protected, update((RUI, 0, [text("x", origin=(ANA, 3))]))) is Verdict.FREE
        assert judge(protected, update(deleted={ANA: [(0, 6)]})) is Verdict.FREE

    def test_a_block_may_be_put_before_and_behind(self, protected: Document) -> None:
        before = block(ANA, 6, "new", origin=(ANA, 0), right=(TEACHER, 0))
        assert judge(protected, before) is Verdict.FREE
        assert judge(protected, block(ANA, 6, "new", origin=(TEACHER, 0))) is Verdict.FREE
        assert judge(protected, block(ANA, 6, "new", right=(ANA, 0))) is Verdict.FREE

    def test_what_is_deleted_already_may_be_named_again(self, protected: Document) -> None:
        put(protected, update(deleted={TEACHER: [(3, 2)]}))
        again = update((RUI, 0, [text("x", origin=(ANA, 3))]), deleted={TEACHER: [(3, 2)]})
        assert judge(protected, again) is Verdict.FREE

    def test_what_was_overwritten_may_be_named_again(self, protected: Document) -> None:
        clock = protected_end(protected, TEACHER)
        look = [item(ANY, value("1"), parent=(TEACHER, 0), key="look")]
        put(protected, update((TEACHER, clock, look)))
        put(protected, update((TEACHER, clock + 1, [item(ANY, value("2"), origin=(TEACHER, clock))])))
        assert judge(protected, update(deleted={TEACHER: [(clock, 1)]})) is Verdict.FREE
        assert judge(protected, update(deleted={TEACHER: [(clock, 2)]})) is Verdict.PROTECTED

    def test_a_block_whose_protection_was_taken_away_is_free(self, protected: Document) -> None:
        end = protected_end(protected, TEACHER)
        typed = update((ANA, 6, [text("x", origin=(TEACHER, 3))]))
        assert judge(protected, typed) is Verdict.PROTECTED
        put(protected, update(deleted={TEACHER: [(end - 1, 1)]}))
        assert judge(protected, typed) is Verdict.FREE

    def test_on_what_is_no_block_of_the_page_the_attribute_does_nothing(self, document: Document) -> None:
        put(document, block(TEACHER, 0, "list"))
        inner = [
            element("item", parent=(TEACHER, 0)),
            item(ANY, value("teachers"), parent=(TEACHER, 6), key="protected"),
            element("p", parent="elsewhere"),
            item(ANY, value("teachers"), parent=(TEACHER, 8), key="protected"),
            element("p", parent=FRAGMENT, key="entry"),
            item(ANY, value("teachers"), parent=(TEACHER, 10), key="protected"),
        ]
        put(document, update((TEACHER, 6, inner)))
        for clock in (0, 2, 6, 7, 8, 9, 10, 11):
            assert judge(document, update(deleted={TEACHER: [(clock, 1)]})) is Verdict.FREE
        nested = update((ANA, 0, [item(ANY, value("x"), parent=(TEACHER, 6), key="protected")]))
        assert judge(document, nested) is Verdict.FREE


def protected_end(document: Document, client: int) -> int:
    return document._known.clocks[client]


class TestWhatTouchesIsRefused:
    @pytest.mark.parametrize(
        "hostile",
        [
            update(deleted={TEACHER: [(0, 1)]}),
            update(deleted={TEACHER: [(0, 8)]}),
            update(deleted={TEACHER: [(1, 1)]}),
            update(deleted={TEACHER: [(6, 1)]}),
            update(deleted={TEACHER: [(7, 1)]}),
            update(deleted={ANA: [(0, 6)], TEACHER: [(4, 1)]}),
            update((ANA, 6, [text("x", origin=(TEACHER, 2))])),
            update((ANA, 6, [text("x", right=(TEACHER, 2))])),
            update((ANA, 6, [text("x", origin=(ANA, 2), right=(TEACHER, 2))])),
            update((ANA, 6, [text("x", origin=(TEACHER, 2), right=(ANA, 2))])),
            update((ANA, 6, [text("x", parent=(TEACHER, 1))])),
            update((ANA, 6, [element("p", parent=(TEACHER, 0))])),
            update((ANA, 6, [item(ANY, value("2000"), parent=(TEACHER, 0), key="protected")])),
            update((ANA, 6, [item(ANY, value("2000"), origin=(TEACHER, 7))])),
            update((ANA, 6, [item(ANY, value("2000"), right=(TEACHER, 7))])),
            update((ANA, 6, [item(1, b"\x01", origin=(TEACHER, 7))])),
            update((ANA, 6, [item(ANY, value("x"), parent=(TEACHER, 0), key="look")])),
            update((ANA, 6, [gc(3), text("x", origin=(TEACHER, 2))])),
            update((ANA, 6, [text("ok", origin=(ANA, 2)), text("x", origin=(TEACHER, 2))])),
        ],
    )
    @pytest.mark.parametrize("reloaded", [False, True])
    def test_of_the_teachers(self, protected: Document, hostile: bytes, reloaded: bool) -> None:
        assert judge(protected, hostile) is Verdict.PROTECTED
        if reloaded:
            again = Document()
            again.load(protected.diff(None)[0])
            assert judge(again, hostile) is Verdict.PROTECTED
            again.close()

    def test_a_refused_update_leaves_no_trace(self, protected: Document) -> None:
        for _ in range(3):
            assert judge(protected, block(ANA, 6, "x", "teachers")) is Verdict.PROTECTED
        fine = block(ANA, 6, "fine", origin=(ANA, 0))
        assert judge(protected, fine) is Verdict.FREE
        put(protected, fine)
        assert judge(protected, update((ANA, 12, [text("x", origin=(ANA, 8))]))) is Verdict.FREE

    def test_what_rests_on_something_missing_cannot_be_judged(self, document: Document) -> None:
        put(document, block(TEACHER, 0, "yours"))
        assert judge(document, update((ANA, 0, [text("x", origin=(TEACHER, 7))]))) is Verdict.EARLY
        assert judge(document, update(deleted={TEACHER: [(5, 100)]})) is Verdict.EARLY
        assert judge(document, update((ANA, 5, [text("x", origin=(TEACHER, 2))]))) is Verdict.EARLY

    def test_what_waits_already_is_no_news(self, protected: Document) -> None:
        waiting = update((TEACHER, 20, [text("later", origin=(TEACHER, 2))]))
        put(protected, waiting)
        assert judge(protected, waiting) is Verdict.FREE


class TestProtecting:
    def test_a_pupil_protects_what_they_wrote(self, document: Document) -> None:
        put(document, block(ANA, 0, "mine"))
        protect = update((ANA, 6, [item(ANY, value("2000"), parent=(ANA, 0), key="protected")]))
        assert judge(document, protect) is Verdict.FREE
        put(document, protect)
        typed = update((RUI, 0, [text("x", origin=(ANA, 3))]))
        assert judge(document, typed) is Verdict.FREE
        assert judge(document, typed, mine(RUI)) is Verdict.PROTECTED
        away = update(deleted={ANA: [(6, 1)]})
        assert judge(document, away, mine(RUI)) is Verdict.PROTECTED
        assert judge(document, away) is Verdict.FREE
        other = update((ANA, 7, [item(ANY, value("2001"), origin=(ANA, 6))]))
        assert judge(document, other) is Verdict.FREE

    @pytest.mark.parametrize("word", ["teachers", "3000", "02000", "", "2000 ", "²", 7, "9" * 30])
    def test_but_for_nobody_else(self, document: Document, word: object) -> None:
        put(document, block(ANA, 0, "mine"))
        protect = update((ANA, 6, [item(ANY, value(word), parent=(ANA, 0), key="protected")]))
        assert judge(document, protect) is Verdict.PROTECTED
        assert judge(document, block(ANA, 6, "mine too", word)) is Verdict.PROTECTED

    def test_nor_what_others_wrote(self, document: Document) -> None:
        put(document, block(RUI, 0, "yours"))
        protect = update((ANA, 0, [item(ANY, value("2000"), parent=(RUI, 0), key="protected")]))
        assert judge(document, protect) is Verdict.PROTECTED

    def test_the_value_that_counts_is_the_one_that_is_shown(self, document: Document) -> None:
        put(document, block(ANA, 0, "mine"))
        for client in (RUI, TEACHER):  # at the same time; the higher client id wins
            word = "teachers" if client == TEACHER else "3000"
            flag = item(ANY, value(word), parent=(ANA, 0), key="protected")
            put(document, update((client, 0, [flag])))
        (node,) = document.xml(FRAGMENT)
        assert isinstance(node, XmlNode)
        assert node.attributes["protected"] == "3000"
        typed = update((ANA, 6, [text("x", origin=(ANA, 3))]))
        assert judge(document, typed, mine(ANA, RUI)) is Verdict.FREE
        assert judge(document, typed, mine(ANA)) is Verdict.PROTECTED

    def test_an_element_made_anew_takes_its_protection_along(self, document: Document) -> None:
        put(document, block(ANA, 0, "mine", "2000"))
        structs = [
            element("heading", origin=(ANA, 0)),
            item(ANY, value("2000"), parent=(2001, 0), key="protected"),
        ]
        assert judge(document, update((2001, 0, structs), deleted={ANA: [(0, 7)]})) is Verdict.FREE


@pytest.fixture(scope="module")
def yjs() -> Iterator[YjsPeer]:
    with YjsPeer() as peer:
        yield peer


class TestFormats:
    """Yjs tidies up formats that say nothing new, in whosever text, and sends that."""

    def test_what_changes_the_look_is_refused_and_what_does_not_passes(self, protected: Document) -> None:
        strong = [
            item(6, var_string("strong") + var_string("{}"), right=(TEACHER, 2)),
            item(6, var_string("strong") + var_string("null"), origin=(TEACHER, 6)),
            item(6, var_string("strong") + var_string("null"), origin=(TEACHER, 9)),
        ]
        put(protected, update((TEACHER, 8, strong)))
        assert judge(protected, update(deleted={TEACHER: [(8, 1)]})) is Verdict.PROTECTED
        assert judge(protected, update(deleted={TEACHER: [(9, 2)]})) is Verdict.FREE  # at the end of the text
        assert judge(protected, update(deleted={TEACHER: [(10, 1)]})) is Verdict.FREE
        assert judge(protected, update(deleted={TEACHER: [(6, 1), (10, 1)]})) is Verdict.PROTECTED


# The reference


def foreign(state: bytes, whose) -> list[object]:
    """What the engine shows of the blocks that are protected from others than `whose`."""
    engine = Engine(state)
    found = []
    for node in engine.xml(FRAGMENT):
        word = node.attributes.get("protected") if isinstance(node, XmlNode) else None
        if word is not None and not (
            isinstance(word, str) and word.isdecimal() and str(int(word)) == word and whose(int(word))
        ):
            found.append(shown(node))
    return found


def shown(node: XmlNode | XmlRun) -> object:
    if isinstance(node, XmlRun):
        return [(character, dict(node.formats)) for character in node.text]
    children: list[object] = []
    for child in node.children:
        if isinstance(child, XmlNode):
            children.append(shown(child))
        else:
            children += shown(child)  # type: ignore[arg-type]
    return node.name, dict(node.attributes), children


class Person:
    """A writer with an engine of their own."""

    def __init__(self, first: int) -> None:
        self.next = first
        self.first = first
        self.updates: list[bytes] = []
        self.touched: set[str] = set()
        self.begin(b"\x00\x00")

    def begin(self, state: bytes) -> None:
        """Opens the page anew."""
        self.client = self.next
        self.next += 1
        self.doc = pycrdt.Doc(client_id=self.client)
        self.page = self.doc.get(FRAGMENT, type=pycrdt.XmlFragment)
        self.doc.apply_update(state)
        self.updates.clear()
        self.touched.clear()

    def mine(self, client: int) -> bool:
        return self.first <= client < self.first + 1000

    def do(self, step: tuple[Any, ...], names: Iterator[int]) -> None:
        before = self.doc.get_state()
        what, at, more = step
        children = self.page.children
        size = len(children)
        if what == "block":
            name = str(next(names))
            words = {"id": name, **({"protected": self.word(more)} if more > 4 else {})}
            children.insert(at % (size + 1), pycrdt.XmlElement("paragraph", words, ["words"]))
        elif not size:
            return
        else:
            index = at % size
            node = children[index]
            name = node.attributes["id"]
            self.touched.add(name)
            inside = node.children[0] if len(node.children) else None
            if what == "remove":
                del children[index]
            elif what == "protect":
                node.attributes["protected"] = self.word(more)
            elif what == "free":
                if "protected" in node.attributes:
                    del node.attributes["protected"]
            elif what == "look":
                node.attributes["look"] = str(more)
            elif what == "nest":
                node.children.append(pycrdt.XmlElement("list", {"protected": "teachers"}, ["inner"]))
            elif isinstance(inside, pycrdt.XmlText):
                length = sum(len(words) for words, _ in inside.diff())
                if what == "type":
                    inside.insert(more % (length + 1), "xy")
                elif what == "erase" and length:
                    start = more % length
                    del inside[start : min(start + 2, length)]
                elif what == "format" and length:
                    start = more % length
                    inside.format(start, min(start + 2, length), {"strong": {} if more % 2 else None})
        update = self.doc.get_update(before)
        if update != b"\x00\x00":
            self.updates.append(update)

    def word(self, more: int) -> str:
        return "teachers" if more % 3 == 0 else str(self.client) if more % 3 == 1 else str(ANA)


steps = st.tuples(
    st.sampled_from(
        [
            "block",
            "type",
            "type",
            "erase",
            "format",
            "remove",
            "protect",
            "free",
            "look",
            "nest",
            "send",
            "hear",
        ]
    ),
    st.integers(0, 7),
    st.integers(0, 9),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([TEACHER, ANA, RUI]), steps), min_size=5, max_size=40),
    st.integers(0, 5),
)
def test_whatever_pupils_send(script: list[tuple[int, tuple[Any, ...]]], reload_every: int) -> None:
    """What passes changes no protected block; what was done to other blocks only, passes."""
    people = {first: Person(first) for first in (TEACHER, ANA, RUI)}
    names = iter(range(1000, 10_000))
    document = Document()
    log: list[bytes] = []
    try:
        for number, (who, step) in enumerate(script):
            person = people[who]
            if step[0] == "hear":
                person.doc.apply_update(document.diff(None)[0])
                continue
            if step[0] != "send":
                person.do(step, names)
                continue
            sent = list(person.updates)
            person.updates.clear()
            data = person.doc.get_update(b"\x00") if step[2] % 2 else pycrdt.merge_updates(*sent, b"\x00\x00")
            summary = read_update(data)
            state = document.diff(None)[0]
            if who != TEACHER:
                verdict = document.judge(data, summary, person.mine)
                after = Engine(state)
                after.apply(data)
                same = foreign(state, person.mine) == foreign(after.update_since(b"\x00"), person.mine)
                guarded = {node[1]["id"] for node in foreign(state, person.mine)}  # type: ignore[index]
                if verdict is Verdict.FREE:
                    assert same
                    assert fair(state, after.update_since(b"\x00"), person)
                else:
                    assert verdict is Verdict.PROTECTED
                    fresh = not fair(state, after.update_since(b"\x00"), person)
                    assert not same or person.touched & guarded or fresh or steals(data, document, person)
                    person.begin(state)
                    continue
            if document.apply(data, summary) is not Outcome.NOTHING_NEW:
                log.append(data)
            if reload_every and number % reload_every == 0:
                document.close()
                document = Document()
                for entry in [compact(None, log)] if number % 2 and log else log:
                    document.load(entry)
    finally:
        document.close()


def fair(before: bytes, after: bytes, person: Person) -> bool:
    """Whether all that is newly protected is so for themselves."""
    old = {node.attributes["id"]: node.attributes.get("protected") for node in Engine(before).xml(FRAGMENT)}  # type: ignore[union-attr]
    for node in Engine(after).xml(FRAGMENT):
        assert isinstance(node, XmlNode)
        word = node.attributes.get("protected")
        changed = word != old.get(node.attributes["id"])
        if changed and word is not None and not person.mine(int(word) if word.isdecimal() else -1):
            return False
    return True


def steals(data: bytes, document: Document, person: Person) -> bool:
    """Whether the update sets the attribute at all: of what others wrote, or for others and hidden again."""
    return b"\x09protected" in data


# Updates by hand, with every reference anywhere

ids = st.tuples(st.sampled_from([TEACHER, ANA, RUI]), st.integers(0, 16))
contents = st.sampled_from(
    [
        (4, var_string("z")),
        (7, b"\x06"),
        (7, b"\x03" + var_string("p")),
        (ANY, value("2000")),
        (ANY, value("teachers")),
        (1, b"\x01"),
        (6, var_string("strong") + var_string("{}")),
    ]
)


def struct(content: tuple[int, bytes], origin: Any, right: Any, parent: Any, key: str | None) -> bytes:
    return item(*content, origin=origin, right=right, parent=parent, key=key)


structs = st.builds(
    struct,
    contents,
    st.none() | ids,
    st.none() | ids,
    st.just(FRAGMENT) | ids,
    st.sampled_from([None, None, "protected", "look"]),
)
deletions = st.dictionaries(
    st.sampled_from([TEACHER, ANA, RUI]), st.tuples(st.integers(0, 16), st.integers(1, 4)), max_size=2
)


@settings(max_examples=200, deadline=None)
@given(attack=st.lists(st.tuples(st.lists(structs, max_size=3), deletions), min_size=1, max_size=6))
def test_whatever_else_is_sent(
    yjs: YjsPeer, attack: list[tuple[list[bytes], dict[int, tuple[int, int]]]]
) -> None:
    document = Document()

    def seen() -> list[object]:
        """By Yjs, since the engine shows nothing behind a text that stands among blocks."""
        listed = yjs.open([document.diff(None)[0]])["content"][FRAGMENT]["list"]
        nodes = [node for node in listed if isinstance(node, dict) and "protected" in node.get("entries", {})]
        return [node for node in nodes if node["entries"]["protected"] != "2000"]

    try:
        put(document, block(ANA, 0, "mine", "2000"))
        put(document, block(TEACHER, 0, "yours", "teachers", origin=(ANA, 0)))
        put(document, block(RUI, 0, "theirs", origin=(TEACHER, 0)))
        put(document, update((TEACHER, 8, [text("!!", origin=(RUI, 3))]), deleted={TEACHER: [(3, 1)]}))
        before = seen()
        assert before
        for made, deleted in attack:
            sections = [(ANA, document._known.clocks[ANA], made)] if made else []
            data = update(*sections, deleted={client: [where] for client, where in deleted.items()})
            try:
                summary = read_update(data)
                if document.judge(data, summary, anas) is not Verdict.FREE:
                    continue
                document.apply(data, summary)
            except CrdtError as error:
                if getattr(error, "poisoned", False):
                    return
                continue
            assert seen() == before
            assert not document.pending
    finally:
        document.close()


def test_the_index_agrees_after_each_way_to_get_there(protected: Document) -> None:
    """Kept up update by update, or made of the whole state: the same."""
    assert (
        judge(protected, update(deleted={TEACHER: [(4, 1)]})) is Verdict.PROTECTED
    )  # the index is there now
    put(protected, block(TEACHER, 8, "more", "teachers", origin=(TEACHER, 0)))
    put(protected, update((TEACHER, 15, [text("x", origin=(TEACHER, 13))]), deleted={TEACHER: [(14, 1)]}))
    put(protected, update((RUI, 0, [text("y", origin=(ANA, 3))])))
    fresh = Document()
    fresh.load(protected.diff(None)[0])
    try:
        for client in (TEACHER, ANA, RUI):
            for clock in range(protected._known.clocks[client]):
                gone = update(deleted={client: [(clock, 1)]})
                assert judge(protected, gone) is judge(fresh, gone), ClockRange(client, clock, clock + 1)
    finally:
        fresh.close()
