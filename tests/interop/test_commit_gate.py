"""Saved is true: no stock client is told or shown anything before it is in the durable log (lesson 1)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from served import Server
from stock import HOCUSPOCUS, Agent, Peer, until

GATED_SERVER = Path(__file__).parents[1] / "support" / "gated_server.py"


class Gate:
    """The log's gate in the server under test."""

    def __init__(self, data: Path) -> None:
        self._wish, self._is = data / "gate", data / "gate.is"

    def set(self, state: str) -> None:
        part = self._wish.with_suffix(".part")
        part.write_text(state)
        part.rename(self._wish)
        until(lambda: self._is.exists() and self._is.read_text() == state, what=lambda: f"not {state}")


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Gate]]:
    data = tmp_path_factory.mktemp("gated") / "data"
    with Server(data, command=[sys.executable, str(GATED_SERVER)]) as server:
        gate = Gate(data)
        yield server, gate
        gate.set("open")


@pytest.fixture
def pair(gated: tuple[Server, Gate], agent: Agent, document: str) -> Iterator[tuple[Peer, Peer]]:
    """A writer and a reader that are settled, and an open gate."""
    server, gate = gated
    gate.set("open")
    writer = agent.open(server, document, presence={"word": "writer"}).until_synced()
    reader = agent.open(server, document, presence={"word": "reader"}).until_synced()
    writer.insert("before ")
    reader.until_text("before ")
    if agent.speaks_hocuspocus:
        writer.until_saved()
    yield writer, reader
    gate.set("open")
    writer.destroy()
    reader.destroy()


def arrived(writer: Peer, reader: Peer) -> None:
    """The server has taken in all that the writer sent so far: presence is not gated and keeps its place."""
    writer.presence({"word": "sent"})
    reader.until_others({writer.client_id: "sent"})


def test_nobody_sees_an_edit_and_its_writer_is_not_saved_before_the_commit_lesson_01(
    gated: tuple[Server, Gate], pair: tuple[Peer, Peer], document: str
) -> None:
    server, gate = gated
    writer, reader = pair
    gate.set("hold")
    writer.insert("the edit")
    arrived(writer, reader)
    late = reader.agent.open(server, document)
    for _ in range(10):
        assert reader.text == "before "
        assert late.text in ("", "before ")
        if writer.agent.speaks_hocuspocus:
            assert writer.look()["unsynced"] is True
        time.sleep(0.05)
    gate.set("open")
    reader.until_text("before the edit")
    late.until_text("before the edit")
    if writer.agent.speaks_hocuspocus:
        writer.until_saved()
    late.destroy()


def test_after_a_failed_commit_the_writers_edit_still_arrives_once_lesson_12(
    gated: tuple[Server, Gate], pair: tuple[Peer, Peer], document: str
) -> None:
    server, gate = gated
    writer, reader = pair
    gate.set("hold")
    writer.insert("one ")
    arrived(writer, reader)
    gate.set("fail")  # what hangs fails, and all that follows
    writer.insert("two ")
    for _ in range(10):
        assert reader.text == "before "
        if writer.agent.speaks_hocuspocus:
            assert writer.look()["unsynced"] is True
        time.sleep(0.05)
    gate.set("open")
    reader.until_text("before one two ")
    if writer.agent.speaks_hocuspocus:
        writer.until_saved()
    reader.insert("three")
    writer.until_text("before one two three")
    assert writer.look()["connections"] == 1
    late = writer.agent.open(server, document)
    late.until_text("before one two three")
    late.destroy()


@pytest.mark.parametrize("client", HOCUSPOCUS)
def test_killed_before_the_commit_nothing_was_promised_and_nothing_is_lost_lesson_01(
    tmp_path: Path, agents: Callable[[str], Agent], client: str, document: str
) -> None:
    data = tmp_path / "data"
    with Server(data, command=[sys.executable, str(GATED_SERVER)]) as server:
        writer = agents(client).open(server, document, presence={"word": "writer"})
        reader = agents(client).open(server, document, presence={"word": "reader"})
        writer.until_saved()
        reader.until_synced()
        gate = Gate(data)
        gate.set("hold")
        writer.insert("only the writer holds this")
        arrived(writer, reader)
        assert writer.look()["unsynced"] is True
        port = int(server.http.rpartition(":")[2])
        server.kill()
        (data / "gate").unlink()
        server.start(port)
        reader.until_text("only the writer holds this")
        writer.until_saved()
        writer.destroy()
        reader.destroy()
