"""A ledger that finds nothing wrong proves nothing unless it finds each thing that can be wrong."""

from collections import Counter

from pycrdt import Array, Doc, Map, Text

from load.ledger import ARRAY, MAP, TEXT, Act, Ledger, tags_in


def test_it_reads_tags_from_every_root() -> None:
    doc: Doc = Doc()
    doc.get(TEXT, type=Text).insert(0, "[text.a.1][text.a.2]")
    doc.get(ARRAY, type=Array).append("array.a.3")
    doc.get(MAP, type=Map)["map.a.4"] = True
    assert tags_in(doc) == {"text.a.1": 1, "text.a.2": 1, "array.a.3": 1, "map.a.4": 1}


def test_a_damaged_tag_is_seen() -> None:
    doc: Doc = Doc()
    doc.get(TEXT, type=Text).insert(0, "[text.a.1][text.")
    assert "damaged:[text." in tags_in(doc)


def test_an_acknowledged_write_that_is_missing_is_lost() -> None:
    ledger = Ledger()
    ledger.tried(Act.WRITE, "a")
    assert not ledger.losses(Counter())
    ledger.acknowledge(Act.WRITE, "a")
    assert ledger.losses(Counter()).acknowledged == {(Act.WRITE, "a")}
    assert not ledger.losses(Counter(["a"]))


def test_an_erasure_that_was_tried_may_or_may_not_have_happened_until_it_is_acknowledged() -> None:
    ledger = Ledger()
    ledger.tried(Act.WRITE, "a")
    ledger.acknowledge(Act.WRITE, "a")
    ledger.tried(Act.ERASE, "a")
    assert not ledger.losses(Counter())
    assert not ledger.losses(Counter(["a"]))
    ledger.acknowledge(Act.ERASE, "a")
    assert ledger.losses(Counter(["a"])).acknowledged == {(Act.ERASE, "a")}
    assert not ledger.losses(Counter())


def test_what_a_reader_was_shown_may_not_vanish() -> None:
    ledger = Ledger()
    ledger.tried(Act.WRITE, "a")
    ledger.show(Act.WRITE, ["a"])
    assert ledger.losses(Counter()).shown == {(Act.WRITE, "a")}
    ledger.tried(Act.ERASE, "a")
    ledger.show(Act.ERASE, ["a"])
    assert ledger.losses(Counter(["a"])).shown == {(Act.ERASE, "a")}
    assert ledger.shown == 2


def test_what_is_there_twice_or_from_nowhere_is_strange() -> None:
    ledger = Ledger()
    ledger.tried(Act.WRITE, "a")
    assert ledger.losses(Counter(["a", "a"])).strange == {"a"}
    assert ledger.losses(Counter(["b"])).strange == {"b"}
