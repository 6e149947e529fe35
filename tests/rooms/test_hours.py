"""Opening hours on wall clocks: nights, weeks, and the two days a year on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.rights.hours import Hours

MADRID, LISBON = "Europe/Madrid", "Europe/Lisbon"
SCHOOL = Hours.of([1, 2, 3, 4, 5], "08:00", "16:00")


def at(text: str, zone: str = MADRID) -> float:
    """Unix seconds of a wall clock, or of UTC where the text ends with Z."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()


@pytest.mark.parametrize(
    ("now", "expected", "turn"),
    [
        ("2026-11-18T07:59:59", False, "2026-11-18T08:00"),
        ("2026-11-18T08:00", True, "2026-11-18T16:00"),
        ("2026-11-18T15:59:59", True, "2026-11-18T16:00"),
        ("2026-11-18T16:00", False, "2026-11-19T08:00"),
        ("2026-11-20T17:00", False, "2026-11-23T08:00"),  # Friday to Monday
        ("2026-11-22T12:00", False, "2026-11-23T08:00"),
    ],
)
def test_school_days(now: str, expected: bool, turn: str) -> None:
    assert SCHOOL.open_at(at(now), MADRID) is expected
    assert SCHOOL.next_turn(at(now), MADRID) == at(turn)


def test_each_school_has_its_own_clock() -> None:
    now = at("2026-11-18T07:30Z")
    assert SCHOOL.open_at(now, MADRID)
    assert not SCHOOL.open_at(now, LISBON)
    assert SCHOOL.next_turn(now, LISBON) == at("2026-11-18T08:00Z")


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    friday = Hours.of([5], "22:00", "01:30")
    for now, expected in (
        ("2026-11-20T21:59", False),
        ("2026-11-20T22:00", True),
        ("2026-11-21T01:29", True),
        ("2026-11-21T01:30", False),
        ("2026-11-20T00:30", False),
    ):
        assert friday.open_at(at(now), MADRID) is expected
    assert friday.next_turn(at("2026-11-20T23:00"), MADRID) == at("2026-11-21T01:30")
    assert friday.next_turn(at("2026-11-21T02:00"), MADRID) == at("2026-11-27T22:00")


def test_the_same_time_twice_is_a_whole_day() -> None:
    monday = Hours.of([1], "00:00", "00:00")
    assert [monday.open_at(at(f"2026-11-{day}T12:00"), MADRID) for day in (22, 23, 24)] == [
        False,
        True,
        False,
    ]


def test_when_summer_time_begins_and_ends_schools_open_at_eight() -> None:
    week = Hours.of(range(1, 8), "08:00", "16:00")
    assert week.next_turn(at("2027-03-27T17:00"), MADRID) == at("2027-03-28T06:00Z")  # put forward that night
    assert week.next_turn(at("2027-03-26T17:00"), MADRID) == at("2027-03-27T07:00Z")
    assert week.next_turn(at("2026-10-24T17:00"), MADRID) == at("2026-10-25T07:00Z")
    assert week.next_turn(at("2026-10-23T17:00"), MADRID) == at("2026-10-24T06:00Z")


def test_hours_that_are_changed_themselves() -> None:
    night = Hours.of(range(1, 8), "01:00", "02:30")
    # Put back from 3 to 2: half past two comes at 00:30 and at 01:30 UTC; the first one closes.
    assert night.next_turn(at("2026-10-24T23:30Z"), MADRID) == at("2026-10-25T00:30Z")
    assert not night.open_at(at("2026-10-25T01:15Z"), MADRID)
    # Put forward from 2 to 3: half past two does not come; it is 90 minutes after one o'clock all the same.
    assert night.next_turn(at("2027-03-28T00:10Z"), MADRID) == at("2027-03-28T01:30Z")


def test_where_the_time_zone_is_not_known_it_never_opens() -> None:
    for zone in (None, "", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "a\x00b"):
        assert not SCHOOL.open_at(at("2026-11-18T12:00"), zone)
        assert SCHOOL.next_turn(at("2026-11-18T12:00"), zone) is None


@pytest.mark.parametrize(
    ("days", "opens", "closes"),
    [([], "08:00", "16:00"), ([0], "08:00", "16:00"), ([8], "08:00", "16:00"), ([1], "8:00", "16:00"),
     ([1], "08:00", "24:00"), ([1], "08:60", "16:00"), ([1], "08:00", "16:00:01"), ([1], "", "")],
)  # fmt: skip
def test_what_are_no_hours(days: list[int], opens: str, closes: str) -> None:
    with pytest.raises(ValueError, match=r"days|times"):
        Hours.of(days, opens, closes)


def test_what_is_stored_is_what_was_given() -> None:
    record = {"days": [1, 5], "from": "08:05", "to": "16:00"}
    assert Hours.stored(record).record() == record
    assert Hours.of([5, 1, 5], "08:05", "16:00").record() == record


clock = st.times().map(lambda moment: f"{moment:%H:%M}")


@given(
    st.sets(st.integers(1, 7), min_size=1),
    clock,
    clock,
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from([MADRID, LISBON, "Europe/Athens", "Atlantic/Azores", "Asia/Kathmandu", "UTC"]),
)
def test_nothing_turns_before_the_next_turn(
    days: set[int], opens: str, closes: str, moment: datetime, zone: str
) -> None:
    """A socket that asks again at the turn has missed none."""
    hours, now = Hours.of(days, opens, closes), moment.replace(tzinfo=UTC).timestamp()
    turn = hours.next_turn(now, zone)
    assert turn is not None
    assert now < turn <= now + 8.1 * 86_400
    steps = {now + (turn - now) * part / 16 for part in range(16)}
    assert len({hours.open_at(step, zone) for step in steps}) == 1
