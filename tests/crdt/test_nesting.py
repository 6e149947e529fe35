"""How deep types lie, learnt in the order in which items refer to one another."""

from __future__ import annotations

import random

import pycrdt
import pytest

from crdt.errors import Malformed
from crdt.nesting import NOWHERE, Nesting
from crdt.update import read_update


@pytest.mark.parametrize("seed", range(5))
def test_the_whole_state_of_a_lively_session_is_read(seed):
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


def test_items_that_wait_for_each_other_are_refused():
    waits_for_b = (1, 0, 2, 0, 1, NOWHERE, 0)
    waits_for_a = (2, 0, 1, 0, 1, NOWHERE, 0)
    with pytest.raises(Malformed, match="cycle"):
        Nesting().add([waits_for_b, waits_for_a])


def test_a_client_is_learnt_only_as_far_as_another_waits_for_it():
    a5 = (1, 5, 2, 3, 1, NOWHERE, 0)
    b3 = (2, 3, NOWHERE, 0, 0, NOWHERE, 0)
    b9 = (2, 9, 1, 7, 1, NOWHERE, 0)
    assert Nesting().add([a5, b3, b9]) == 2
