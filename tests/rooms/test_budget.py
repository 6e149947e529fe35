"""What one sender may cost."""

from __future__ import annotations

import pytest

from rooms.documents.budget import Budget, Rates

RATES = Rates(bytes=1000, structs=100, messages=10, burst=5)


def test_a_quiet_sender_has_a_burst_saved_up():
    budget = Budget(RATES, now=0.0)
    assert budget.spend(0.0, size=5000, structs=500, messages=50) == 0.0


def test_a_debt_is_waited_for_at_the_sustained_rate():
    budget = Budget(RATES, now=0.0)
    assert budget.spend(0.0, size=7000) == pytest.approx(2.0)
    assert budget.spend(1.0) == pytest.approx(1.0)
    assert budget.spend(2.0) == 0.0


@pytest.mark.parametrize("cost", [{"size": 6000}, {"structs": 600}, {"messages": 60}])
def test_each_cost_counts_for_itself(cost):
    assert Budget(RATES, now=0.0).spend(0.0, **cost) == pytest.approx(1.0)


def test_what_is_saved_up_ends_at_the_burst():
    budget = Budget(RATES, now=0.0)
    budget.spend(1_000_000.0)
    assert budget.spend(1_000_000.0, messages=51) == pytest.approx(0.1)


def test_a_fast_typist_never_waits():
    budget = Budget(Rates(), now=0.0)
    waits = [budget.spend(tick / 15, size=60, structs=2, messages=2) for tick in range(15 * 600)]
    assert max(waits) == 0.0
