"""Presence apart from rooms: what is remembered of those who have left."""

from __future__ import annotations

from crdt.awareness import AwarenessEntry
from rooms.documents.presence import ECHO_SECONDS, MOST_GONE, Presence


def presence(now: list[float]) -> Presence:
    return Presence(lambda _: None, lambda _: None, lambda: now[0])


def come_and_go(states: Presence, client: int) -> None:
    states.update("socket", "ana", [AwarenessEntry(client, 1, {})], None)
    states.update("socket", "ana", [AwarenessEntry(client, 2, None)], None)


def test_whoever_takes_on_and_drops_client_ids_fills_no_memory():
    states = presence([0.0])
    for client in range(2 * MOST_GONE):
        come_and_go(states, client)
    assert len(states._gone) == MOST_GONE


def test_the_echo_of_somebody_who_left_does_not_count_until_every_client_has_forgotten():
    now = [0.0]
    states = presence(now)
    come_and_go(states, 7)
    echo = [AwarenessEntry(7, 1, {})]
    assert states.update("other", "rui", echo, None) == 1
    now[0] = ECHO_SECONDS
    come_and_go(states, 8)
    assert states.update("other", "rui", echo, None) == 0
