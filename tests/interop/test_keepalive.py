"""Nobody speaks for longer than stock clients wait (30 s), and nobody is cut off (lesson 15).

All versions wait at the same time, so that the file takes as long as one of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from served import Server
from stock import CLIENTS, Agent, Peer

SILENCE = 36.0
"""Seconds: the clients' 30, and the 3 to 6 until they next look."""


@pytest.fixture(scope="module")
def idle(server: Server, agents: Callable[[str], Agent]) -> Iterator[tuple[dict[str, Peer], float]]:
    """One client of each version with nothing to say: no presence, no edits, alone on its document."""
    peers = {client: agents(client).open(server, f"doc/idle-{client}", presence=None) for client in CLIENTS}
    for peer in peers.values():
        peer.until_synced()
    yield peers, time.monotonic()
    for peer in peers.values():
        peer.destroy()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_silent_client_stays_connected_lesson_15(idle: tuple[dict[str, Peer], float], client: str) -> None:
    peers, since = idle
    time.sleep(max(0.0, since + SILENCE - time.monotonic()))
    seen = peers[client].look()
    assert seen["closes"] == []
    assert seen["connections"] == 1
    assert seen["synced"] is True
