"""Where items lie, learnt in the order in which items refer to one another."""

from __future__ import annotations

import random

import pycrdt
import pytest

from crdt.errors import LimitExceeded, Malformed
from crdt.limits import Limits
from crdt.places import NOWHERE, Link, Places
from crdt.update import read_update


def link(
    at: tuple[int, int],
    *,
    of: tuple[int, int] = (NOWHERE, 0),
    step: int = 0,
    keyed: bool = False,
    long: int = 0,
) -> Link:
    return Link(*at, *of, step, NOWHERE, 0, keyed, long)


@pytest.mark.parametrize("seed", range(5))
def test_the_whole_state_of_a_lively_session_is_read(seed: int) -> None:
    """Each writer's later items refer to the other's earlier ones, back and forth."""
    dice = random.Random(seed)
    docs = [pycrdt.Doc(client_id=number) for number in (10, 20, 30)]
    for _ in range(120):
        doc = dice.choice(docs)
        text = doc.get("t", type=pycrdt.Text)
        text.insert(dice.randint(0, len(str(text))), dice.choice("abc"))
        other = dice.choice(docs)
        other.apply_update(doc.get_update(other.get_state()))
    for doc in docs:
        docs[0].apply_update(doc.get_update(docs[0].get_state()))
    summary = read_update(docs[0].get_update())
    assert sum(written.end - written.start for written in summary.writes) == 120


def test_items_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(Malformed, match="cycle"):
        Places().add([link((1, 0), of=(2, 0), step=1), link((2, 0), of=(1, 0), step=1)])


def test_a_client_is_learnt_only_as_far_as_another_waits_for_it() -> None:
    links = [link((1, 5), of=(2, 3), step=1), link((2, 3)), link((2, 9), of=(1, 7), step=1)]
    assert Places().add(links)[0] == 2


def test_a_chain_of_small_updates_is_stopped_at_the_limit() -> None:
    places = Places(Limits(nesting=5))
    places.add([link((1, 0))])
    for clock in range(1, 6):
        places.add([link((1, clock), of=(1, clock - 1), step=1)])
    with pytest.raises(LimitExceeded) as refusal:
        places.add([link((2, 0), of=(1, 5), step=1)])
    assert (refusal.value.what, refusal.value.limit, refusal.value.value) == ("nesting", 5, 6)


def test_a_refused_update_has_taught_nothing() -> None:
    places = Places(Limits(nesting=1))
    places.add([link((1, 0))])
    with pytest.raises(LimitExceeded):
        places.add([link((1, 1), of=(1, 0), step=1), link((1, 2), of=(1, 1), step=1)], {1: 1})
    assert places.place_of(1, 1) == 0
    places.add([link((1, 1))], {1: 1})


def test_a_neighbour_of_a_map_entry_is_one_too() -> None:
    places = Places()
    assert places.add([link((1, 0), keyed=True)]) == (0, [])
    _, entries = places.add([link((1, 1), of=(1, 0), long=3)])
    assert [entry.clock for entry in entries] == [1]
