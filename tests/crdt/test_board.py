"""Boards: however many people move, add and delete at once, all see the same, and nothing is lost."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Doc, XmlElement, XmlFragment

from crdt.board import arranged
from crdt.engine import XmlNode, XmlRun
from crdt.nodes import tree
from crdt.rendering import to_html, to_markdown, to_text
from crdt.richtext import FRAGMENT, render

IDS = ("ideas000", "doing000", "done0000")


def column(title: str, **attributes: Any) -> XmlNode:
    return XmlNode("column", attributes, [XmlRun(title, {})])


def card(text: str, **attributes: Any) -> XmlNode:
    return XmlNode("card", attributes, [XmlRun(text, {})])


def order(*children: XmlNode | XmlRun) -> list[str]:
    """The first lines of all that stands on a board, as it is shown."""
    return to_text(arranged(tree(children))).split("\n")


# The arrangement


def test_columns_stand_by_their_places_and_below_each_its_cards_by_theirs() -> None:
    assert order(
        card("c", column=IDS[1], place="b"),
        card("d", column=IDS[0], place="n"),
        column("Doing", id=IDS[1], place="n"),
        card("b", column=IDS[1], place="Zz"),
        column("Ideas", id=IDS[0], place="b"),
        card("a", column=IDS[1], place="09"),
    ) == ["Ideas", "d", "Doing", "a", "b", "c"]


def test_places_are_compared_as_ascii_and_equal_ones_stand_as_in_the_document() -> None:
    board = [column("Ideas", id=IDS[0], place="a")]
    board += [card(text, column=IDS[0], place=text) for text in ("b", "a", "aa", "Z", "a0", "9", "0", "z")]
    assert order(*board)[1:] == ["0", "9", "Z", "a", "a0", "aa", "b", "z"]
    equal = [card(text, column=IDS[0], place="a") for text in "cab"]
    assert order(board[0], *equal)[1:] == ["c", "a", "b"]


def test_cards_of_no_known_column_stand_before_all_columns() -> None:
    assert order(
        column("Ideas", id=IDS[0], place="a"),
        card("homeless", place="b"),
        card("of a column that is gone", column=IDS[2], place="a"),
        card("in it", column=IDS[0], place="a"),
    ) == ["of a column that is gone", "homeless", "Ideas", "in it"]


def test_of_two_columns_with_one_id_the_first_has_the_cards() -> None:
    assert order(
        column("Second", id=IDS[0], place="b"),
        column("First", id=IDS[0], place="a"),
        card("card", column=IDS[0], place="a"),
    ) == ["First", "card", "Second"]


def test_a_place_that_is_none_is_before_all_others() -> None:
    hostile: list[Any] = [
        None,
        "",
        5,
        1.5,
        float("nan"),
        True,
        ["a"],
        {"a": 1},
        "é",
        "a b",
        "a\n",
        "x" * 1001,
    ]
    cards = [card(f"{number}", column=IDS[0], place=value) for number, value in enumerate(hostile)]
    assert order(card("last", column=IDS[0], place="0"), column("Ideas", id=IDS[0]), *cards) == [
        "Ideas",
        *(f"{number}" for number in range(len(hostile))),
        "last",
    ]


def test_what_is_neither_column_nor_card_comes_first_and_a_page_without_them_stays_as_it_is() -> None:
    stray = XmlNode("paragraph", {}, [XmlRun("stray", {})])
    loose = card("loose", place="a")
    assert order(column("Ideas", id=IDS[0]), loose, XmlRun("bare", {}), stray) == [
        "bare",
        "stray",
        "loose",
        "Ideas",
    ]
    page = tree([stray, XmlNode("heading", {"level": 2}, [XmlRun("below", {})]), stray])
    assert arranged(page) == page


@pytest.mark.parametrize("color", ["yellow", "green", "blue", "pink", "orange", "white"])
def test_a_card_keeps_its_color(color: str) -> None:
    assert to_html(tree([card("x", color=color)])) == f'<p data-color="{color}">x</p>'


@pytest.mark.parametrize("color", ["red", "", "Yellow", '"><script>', "x" * 100_000, 7, None, ["blue"]])
def test_any_other_color_is_yellow(color: Any) -> None:
    assert to_html(tree([card("x", color=color)])) == '<p data-color="yellow">x</p>'


# How it reads


BOARD = [
    card("Olá <Porto>\n*and* Zaragoza\n", column=IDS[0], place="a", color="pink", protected="17"),
    column("Ideas\n& plans", id=IDS[0], place="a", protected="teachers"),
    card("loose\n\n# 1. this", place="a"),
    column("", id=IDS[1], place="b"),
    card("", column=IDS[1], place="a"),
]


def test_html() -> None:
    assert to_html(arranged(tree(BOARD))) == (
        '<p data-color="yellow">loose<br><br># 1. this</p>'
        '<h2>Ideas\n&amp; plans</h2><p data-color="pink">Olá &lt;Porto&gt;<br>*and* Zaragoza</p>'
        '<h2></h2><p data-color="yellow"></p>'
    )


def test_markdown() -> None:
    assert to_markdown(arranged(tree(BOARD))) == (
        "loose\\\n\\\n\\# 1. this\n\n# Ideas \\& plans\n\nOlá \\<Porto\\>\\\n\\*and\\* Zaragoza\n\n# \n"
    )


def test_plain_text() -> None:
    assert to_text(arranged(tree(BOARD))) == (
        "loose\n\n# 1. this\nIdeas\n& plans\nOlá <Porto>\n*and* Zaragoza\n\n\n"
    )


def test_json() -> None:
    words = {"type": "text", "text": "Olá <Porto>\n*and* Zaragoza\n"}
    attrs = {"column": IDS[0], "place": "a", "color": "pink"}
    assert arranged(tree(BOARD)).to_json()["content"][1:3] == [  # type: ignore[index]
        {
            "type": "column",
            "attrs": {"id": IDS[0], "place": "a"},
            "content": [{"type": "text", "text": "Ideas\n& plans"}],
        },
        {"type": "card", "attrs": attrs, "content": [words]},
    ]


def test_a_card_holds_words_alone_whatever_stands_in_it() -> None:
    inside = [
        XmlRun("plain ", {"strong": {}}),
        XmlRun("link", {"link": {"href": "https://example.eu"}}),
        XmlNode("hard_break", {}, []),
        XmlNode("image", {"src": "https://example.eu/a.png", "alt": "a map"}, []),
        XmlNode("paragraph", {}, [XmlRun("below", {})]),
        XmlNode("script", {}, [XmlRun("alert(1)", {})]),
        XmlNode("card", {"color": "blue"}, [XmlRun("a card in a card", {})]),
        XmlNode("table", {}, [XmlNode("table_row", {}, [XmlNode("table_cell", {}, [XmlRun("cell", {})])])]),
    ]
    assert to_html(tree([XmlNode("card", {}, inside)])) == (
        '<p data-color="yellow">plain link<br>a map<br>belowalert(1)<br>a card in a card<br>cell</p>'
    )


# Many at once


HOSTILE = st.one_of(
    st.sampled_from(["", "ideas000", "nowhere0", "a", "z" * 5_000, "é", "<b>", "teachers", "1", "\x00"]),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=True),
    st.booleans(),
    st.none(),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), max_size=2),
)
PLACES = st.text("0AZaz", min_size=1, max_size=3)
NUMBERS = st.integers(0, 11)
STEPS = st.one_of(
    st.tuples(st.just("add"), NUMBERS, PLACES),
    st.tuples(st.just("move"), NUMBERS, NUMBERS, PLACES),
    st.tuples(st.just("move"), NUMBERS, NUMBERS, PLACES),
    st.tuples(st.just("type"), NUMBERS),
    st.tuples(st.just("delete"), NUMBERS),
    st.tuples(st.just("column"), NUMBERS, PLACES),
    st.tuples(st.just("set"), NUMBERS, st.sampled_from(["id", "column", "place", "color"]), HOSTILE),
    st.tuples(st.just("hear"), NUMBERS),
)


class Class:
    """People with a board each, who hear of one another now and then."""

    def __init__(self, people: int) -> None:
        self.docs = [Doc[Any](client_id=100 + number) for number in range(people)]
        self.boards = [doc.get(FRAGMENT, type=XmlFragment) for doc in self.docs]
        self.added: set[str] = set()
        self.deleted: set[str] = set()
        for number, id in enumerate(IDS):
            self._put(0, XmlElement("column", {"id": id, "place": "AZa"[number]}, [self._name("column")]))
        for number in range(4):
            self._add(0, IDS[number % 3], "a")
        for number in range(1, people):
            self._hear(number, 0)

    def do(self, who: int, step: tuple[Any, ...]) -> None:
        board = self.boards[who]
        match step:
            case ("add", column, place):
                self._add(who, [*IDS, "gone0000"][column % 4], place)
            case ("column", column, place):
                id = [*IDS, "newcolum"][column % 4]
                self._put(who, XmlElement("column", {"id": id, "place": place}, [self._name("column")]))
            case ("move", number, column, place):
                if found := self._pick(board, number, "card"):
                    with self.docs[who].transaction():
                        found.attributes["column"] = [*IDS, "gone0000"][column % 4]
                        found.attributes["place"] = place
            case ("type", number):
                if found := self._pick(board, number, "card"):
                    found.children[0].insert(0, "more ")
            case ("set", number, key, value):
                if found := self._pick(board, number, ""):
                    found.attributes[key] = value
            case ("delete", number):
                if len(board.children):
                    index = number % len(board.children)
                    self.deleted |= set(re.findall(r"\[\w+\]", str(board.children[index].children[0])))
                    del board.children[index]
            case ("hear", other):
                self._hear(who, other % len(self.docs))

    def meet(self) -> None:
        """Everybody hears of everything."""
        for one in range(len(self.docs)):
            for other in range(len(self.docs)):
                self._hear(one, other)

    def shown(self, form: str) -> list[str]:
        return [render(doc.get_update(), form) for doc in self.docs]

    def _name(self, kind: str) -> str:
        name = f"[{kind}{len(self.added)}]"
        self.added.add(name)
        return name

    def _add(self, who: int, column: str, place: str) -> None:
        attributes = {"column": column, "place": place, "protected": str(100 + who)}
        self._put(who, XmlElement("card", attributes, [self._name("card")]))

    def _put(self, who: int, element: XmlElement) -> None:
        self.boards[who].children.append(element)

    def _pick(self, board: XmlFragment, number: int, tag: str) -> XmlElement | None:
        found = [child for child in board.children if tag in ("", child.tag)]
        return found[number % len(found)] if found else None

    def _hear(self, who: int, other: int) -> None:
        if who != other:
            self.docs[who].apply_update(self.docs[other].get_update(self.docs[who].get_state()))


@settings(max_examples=120, deadline=None)
@given(st.integers(2, 4), st.lists(st.tuples(NUMBERS, STEPS), min_size=1, max_size=40))
def test_all_see_the_same_and_no_card_is_lost_or_shown_twice(
    people: int, steps: list[tuple[int, tuple[Any, ...]]]
) -> None:
    together = Class(people)
    for who, step in steps:
        together.do(who % people, step)
    together.meet()
    for form in ("json", "html", "markdown", "text"):
        assert len(set(together.shown(form))) == 1
    text = together.shown("text")[0]
    named = Counter(name for name in re.findall(r"\[\w+\]", text) if name in together.added)
    assert named == Counter(together.added - together.deleted)
    nodes = json.loads(together.shown("json")[0]).get("content", [])
    assert Counter(node["type"] for node in nodes) == Counter(
        child.tag for child in together.boards[0].children
    )
