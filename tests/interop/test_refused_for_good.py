"""What stock clients do when trying again changes nothing: they are told, and do not hammer the server.

y-websocket 3 obeys 44xx codes, Hocuspocus 2 obeys 1009; the others come back whatever they are told,
so that the server has to make their return harmless. All clients are watched at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from served import Server
from stock import CLIENTS, HOCUSPOCUS, Y_WEBSOCKET, Agent, Peer

from crdt.limits import DEFAULT
from server.sockets.session import SocketLimits

Agents = Callable[[str], Agent]

WATCH = 5.0
"""Seconds for which a client is watched after it was told."""
GIVE_UP = ("y-websocket-3", "hocuspocus-provider-2")


@pytest.mark.parametrize("client", HOCUSPOCUS)
def test_an_update_over_the_limit_is_refused_and_the_socket_stays_lesson_21(
    tmp_path: Path, agents: Agents, client: str, document: str
) -> None:
    limit = 100_000
    with Server(tmp_path / "data", "--update-bytes", str(limit)) as server:
        agent = agents(client)
        other = agent.open(server, f"{document}/other", socket=document).until_synced()
        peer = agent.open(server, document, socket=document).until_synced()
        peer.insert("x" * limit)
        other.insert("the other document goes on")
        other.until_saved()
        assert peer.look()["unsynced"] is True, "it believes that it is saved"
        assert peer.look()["connections"] == 1
        newcomer = agent.open(server, document).until_synced()
        assert newcomer.text == ""
        agent.call("destroySocket", socket=document)
        newcomer.destroy()


@pytest.fixture(scope="module")
def told(server: Server, agents: Agents) -> Iterator[dict[str, Peer]]:
    """Clients that were refused, for a message over the limit or for a wrong token, WATCH seconds later."""
    too_big = {client: agents(client).open(server, f"doc/too-big-{client}") for client in CLIENTS}
    denied = {
        f"{client} denied": agents(client).open(server, "doc/denied", server.token("doc/other"))
        for client in Y_WEBSOCKET
    }
    for peer in too_big.values():
        peer.until_synced()
        peer.insert("x" * (SocketLimits().message_bytes + 1000))
    peers = {**too_big, **denied}
    for peer in peers.values():
        peer.until(lambda seen: bool(seen["closes"]), timeout=30)
    time.sleep(WATCH)
    yield peers
    for peer in peers.values():
        peer.destroy()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_message_over_the_limit_ends_in_a_permanent_code_lesson_21(
    server: Server, agents: Agents, told: dict[str, Peer], client: str
) -> None:
    close = told[client].look()["closes"][0]
    assert close["code"] == (1009 if client in HOCUSPOCUS else 4413)
    assert str(SocketLimits().message_bytes) in close["reason"]
    newcomer = agents(client).open(server, f"doc/too-big-{client}").until_synced()
    assert newcomer.text == ""


@pytest.mark.parametrize("client", [*CLIENTS, *(f"{client} denied" for client in Y_WEBSOCKET)])
def test_a_client_refused_for_good_gives_up_or_comes_back_calmly(told: dict[str, Peer], client: str) -> None:
    seen = told[client].look()
    since = seen["closes"][0]["at"]
    again = [at for at in seen["openedAt"] if since < at <= since + WATCH * 1000]
    if client.split()[0] in GIVE_UP:
        assert again == []
        assert seen["wants"] is False
    else:
        assert len(again) <= WATCH, f"it came {len(again)} times within {WATCH} s"


def test_the_limits_leave_room_between_a_reasoned_answer_and_a_closed_socket() -> None:
    assert SocketLimits().message_bytes > DEFAULT.update_bytes + 1024
