"""Presence apart from rooms: what is remembered of those who have left, and when something is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.awareness import AwarenessEntry, decode_awareness, encode_awareness
from crdt.codec import JsonValue, var_string
from rooms.bus.messages import RemoteState
from rooms.documents.presence import ECHO_SECONDS, MESSAGE_BYTES, MOST_GONE, PAUSE, RENEWED_WITHIN, Presence

STAMP = {"id": "p1", "name": "Ana"}


class Room:
    """A presence whose time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[tuple[float, list[AwarenessEntry], Hashable | None]] = []
        self.spread: list[RemoteState] = []
        self._waiting: list[tuple[float, Callable[[], None]]] = []
        self.presence = Presence(
            self._announce,
            lambda run: self._later(0.0, run),
            self._later,
            lambda: self.now,
            spread=self.spread.extend,
        )

    def _later(self, seconds: float, run: Callable[[], None]) -> None:
        self._waiting.append((self.now + seconds, run))

    def _announce(self, messages: list[bytes], speaker: Hashable | None) -> None:
        assert all(len(message) <= MESSAGE_BYTES for message in messages)
        self.said.append(
            (self.now, [entry for message in messages for entry in decode_awareness(message)], speaker)
        )

    def until(self, now: float) -> None:
        while self._waiting and min(self._waiting, key=lambda each: each[0])[0] <= now:
            due = min(self._waiting, key=lambda each: each[0])
            self._waiting.remove(due)
            self.now = max(self.now, due[0])
            due[1]()
        self.now = now

    def hear(
        self,
        owner: str,
        client: int,
        clock: int,
        state: dict[str, JsonValue] | None,
        stamp: Mapping[str, JsonValue] | None = STAMP,
    ) -> None:
        message = encode_awareness([AwarenessEntry(client, clock, state)])
        self.presence.update(owner, "ana", decode_awareness(message, known=self.presence.known), stamp)


@pytest.fixture
def room() -> Room:
    return Room()


def come_and_go(states: Presence, client: int) -> None:
    states.update("socket", "ana", [AwarenessEntry(client, 1, {})], None)
    states.update("socket", "ana", [AwarenessEntry(client, 2, None)], None)


def test_whoever_takes_on_and_drops_client_ids_fills_no_memory(room):
    for client in range(2 * MOST_GONE):
        come_and_go(room.presence, client)
    assert len(room.presence._gone) == MOST_GONE


def test_the_echo_of_somebody_who_left_does_not_count_until_every_client_has_forgotten(room):
    come_and_go(room.presence, 7)
    echo = [AwarenessEntry(7, 1, {})]
    assert room.presence.update("other", "rui", echo, None) == 1
    room.now = ECHO_SECONDS
    come_and_go(room.presence, 8)
    assert room.presence.update("other", "rui", echo, None) == 0


def test_the_first_change_is_said_at_once_and_what_follows_together_after_a_pause(room):
    room.hear("a", 1, 1, {"cursor": 1})
    room.until(0.001)
    for clock in range(2, 6):
        room.hear("a", 1, clock, {"cursor": clock})
        room.hear("b", 2, clock, {"cursor": clock})
    room.until(1.0)
    assert [(at, {each.client: each.clock for each in entries}) for at, entries, _ in room.said] == [
        (0.0, {1: 1}),
        (PAUSE, {1: 5, 2: 5}),
    ]


def test_who_alone_is_still_here_need_not_hear_of_it(room):
    room.hear("a", 1, 1, {})
    room.until(1.0)
    room.hear("a", 1, 2, {})
    room.until(5.0)
    room.hear("a", 1, 3, {})
    room.hear("b", 2, 1, {})
    room.until(9.0)
    assert [speaker for _, _, speaker in room.said] == [None, "a", None]


def test_that_somebody_is_still_here_is_said_in_time_for_every_client_and_only_once(room):
    room.hear("a", 1, 1, {"cursor": 1})
    room.hear("b", 2, 1, {})
    room.until(15.0)
    room.hear("a", 1, 2, {"cursor": 1})
    room.until(16.0)
    room.hear("b", 2, 2, {})
    room.until(30.0)
    assert [(at, [(each.client, each.clock) for each in entries]) for at, entries, _ in room.said] == [
        (0.0, [(1, 1), (2, 1)]),
        (15.0 + RENEWED_WITHIN, [(1, 2), (2, 2)]),
    ]
    assert room.said[-1][1][0].state == {"cursor": 1, "user": STAMP}
    assert [(each.client, each.clock) for each in room.spread] == [(1, 1), (2, 1), (1, 2), (2, 2)]


def test_a_change_takes_along_who_is_still_here_and_a_renewal_waits_for_nothing_older(room):
    room.hear("a", 1, 1, {"cursor": 1})
    room.until(15.0)
    room.hear("a", 1, 2, {"cursor": 1})
    room.hear("a", 1, 3, {"cursor": 9})
    room.until(30.0)
    assert [(at, [(each.clock, each.state) for each in entries]) for at, entries, _ in room.said][1:] == [
        (15.0, [(3, {"cursor": 9, "user": STAMP})])
    ]
    room.hear("a", 1, 4, {"cursor": 9})
    room.hear("a", 1, 5, None)
    room.until(60.0)
    assert [entries[0].state for _, entries, _ in room.said][2:] == [None]


def test_a_renewal_under_another_stamp_is_a_change(room):
    room.hear("a", 1, 1, {"cursor": 1})
    room.until(15.0)
    room.presence.restamp("a", {"id": "p1", "name": "Ana Maria"})
    room.hear("a", 1, 2, {"cursor": 1}, {"id": "p1", "name": "Ana Maria"})
    room.until(16.0)
    room.hear("a", 1, 3, {"cursor": 1}, None)
    room.until(30.0)
    shown = {entry.clock: entry.state for _, entries, _ in room.said for entry in entries}
    assert shown == {
        1: {"cursor": 1, "user": STAMP},
        2: {"cursor": 1, "user": {"id": "p1", "name": "Ana Maria"}},
        3: {"cursor": 1},
    }


def test_who_is_still_here_on_another_node_is_said_without_another_delay(room):
    state = '{"cursor":1}'
    room.presence.update_from("other", [RemoteState(1, 1, "ana", state)])
    room.until(18.0)
    room.presence.update_from("other", [RemoteState(1, 2, "ana", state)])
    room.until(18.5)
    assert [(at, [each.clock for each in entries]) for at, entries, _ in room.said] == [
        (0.0, [1]),
        (18.0, [2]),
    ]
    assert room.spread == []


def test_the_same_words_from_somebody_else_take_nothing_over(room):
    room.hear("a", 1, 1, {"cursor": 1})
    said = encode_awareness([AwarenessEntry(1, 9, {"cursor": 1})])
    entries = decode_awareness(said, known=room.presence.known)
    assert room.presence.update("b", "rui", entries, {"name": "Rui"}) == 1
    assert room.presence.states() == {1: {"cursor": 1, "user": STAMP}}


def test_a_joiner_is_told_of_a_crowd_in_messages_a_client_could_send(room):
    for client in range(300):
        room.hear(f"socket-{client}", client, 1, {"cursor": "x" * 200})
    messages = room.presence.everybody()
    assert len(messages) > 1
    assert max(map(len, messages)) <= MESSAGE_BYTES
    assert [entry.client for message in messages for entry in decode_awareness(message)] == list(range(300))
    room.until(1.0)
    assert len(room.said[0][1]) == 300


def test_nobody_is_no_message(room):
    assert room.presence.everybody() == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    state=st.dictionaries(st.sampled_from(["user", "cursor", "é"]), JSON),
    stamp=st.sampled_from([None, STAMP]),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_what_is_shown_of_a_state_is_the_state_with_its_stamp(state, stamp, ascii_only, indent):
    """However its client wrote it; and who wrote it may not say it is somebody else."""
    said = json.dumps(state, ensure_ascii=ascii_only, indent=indent)
    room = Room()
    room.presence.update("ana", "ana", decode_awareness(b"\x01\x07\x01" + var_string(said)), stamp)
    room.until(1.0)
    expected = state if stamp is None else {**state, "user": stamp}
    (_, (heard,), _) = room.said[0]
    (late,) = decode_awareness(room.presence.everybody()[0])
    (spread,) = room.spread
    assert heard.state == late.state == json.loads(spread.state) == room.presence.states()[7] == expected
    assert spread.state.count('"user"') <= json.dumps(expected).count('"user"')
    room.presence.restamp("ana", {"id": "p1", "name": "Ana Maria"})
    (late,) = decode_awareness(room.presence.everybody()[0])
    assert late.state == {**state, "user": {"id": "p1", "name": "Ana Maria"}}
