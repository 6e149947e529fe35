from hypothesis import given
from hypothesis import strategies as st

from crdt.update import EMPTY_UPDATE, ClockRange, UpdateSummary, read_update
from load.coverage import Coverage

NOTHING = read_update(EMPTY_UPDATE)

ranges = st.builds(
    lambda client, start, size: ClockRange(client, start, start + size),
    st.integers(0, 2),
    st.integers(0, 30),
    st.integers(0, 6),
)
summaries = st.builds(
    lambda writes, deletes: NOTHING._replace(writes=tuple(writes), deletes=tuple(deletes)),
    st.lists(ranges, max_size=3),
    st.lists(ranges, max_size=3),
)


def clocks(of: tuple[ClockRange, ...]) -> set[tuple[int, int]]:
    return {(each.client, clock) for each in of for clock in range(each.start, each.end)}


@given(st.lists(summaries), summaries)
def test_it_covers_exactly_what_was_added(added: list[UpdateSummary], asked: UpdateSummary) -> None:
    coverage = Coverage()
    writes: set[tuple[int, int]] = set()
    deletes: set[tuple[int, int]] = set()
    for summary in added:
        coverage.add(summary)
        writes |= clocks(summary.writes)
        deletes |= clocks(summary.deletes)
        assert coverage.covers(summary)
    expected = clocks(asked.writes) <= writes and clocks(asked.deletes) <= deletes
    assert coverage.covers(asked) == expected
    for client in range(3):
        written = coverage.written(client)
        assert all((client, clock) in writes for clock in range(written))
        assert (client, written) not in writes
