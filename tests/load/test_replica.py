"""What a client believes of its edits, frame by frame and without a socket."""

from pycrdt import Doc

from crdt.awareness import AwarenessEntry, encode_awareness
from crdt.codec import var_string
from crdt.sync import SyncStep1, SyncStep2, SyncUpdate
from crdt.update import EMPTY_UPDATE, read_state_vector
from load.replica import Replica
from load.wire import Framing, wire

NOTHING = b"\x00"
"""The state vector of an empty document."""
APPLIED, NOT_APPLIED = (var_string("d") + bytes((8, status)) for status in (1, 0))


def replica(framing: Framing) -> Replica:
    return Replica(wire(framing, "d", None, None), client_id=7, clock=lambda: 0.0)


def sent(who: Replica) -> list[object]:
    """What the replica says, and has said with that."""
    frames, who.outbox = who.outbox, []
    return [who.wire.decode(frame) for frame in frames]


def connect(who: Replica, server_has: bytes = NOTHING) -> list[object]:
    """The handshake up to the answer to the server's question; returns all that the client said."""
    who.connected()
    said = sent(who)
    who.receive(who.wire.sync(SyncStep1(server_has)))
    who.receive(who.wire.sync(SyncStep2(EMPTY_UPDATE)))
    return said + sent(who)


def write(who: Replica, text: str) -> None:
    who.text("t").insert(0, text)


class TestHocuspocus:
    def test_a_status_settles_the_oldest_edit(self) -> None:
        client = replica(Framing.HOCUSPOCUS)
        connect(client)
        client.receive(APPLIED)  # for the answer to the server's question
        write(client, "a")
        write(client, "b")
        assert list(client.unacknowledged) == [1, 2]
        client.receive(APPLIED)
        assert list(client.unacknowledged) == [2]
        client.receive(APPLIED)
        assert not client.unacknowledged

    def test_the_status_of_the_answer_does_not_settle_an_edit_made_after_it(self) -> None:
        client = replica(Framing.HOCUSPOCUS)
        connect(client)
        write(client, "a")
        client.receive(APPLIED)
        assert list(client.unacknowledged) == [1]

    def test_edits_made_offline_travel_in_the_answer_and_are_settled_by_its_status(self) -> None:
        client = replica(Framing.HOCUSPOCUS)
        write(client, "offline")
        said = connect(client)
        answer = next(message for message in said if isinstance(message, SyncStep2))
        doc: Doc = Doc()
        doc.apply_update(answer.update)
        assert read_state_vector(doc.get_state()) == {7: 7}
        assert not any(isinstance(message, SyncUpdate) for message in said)
        write(client, "later")
        client.receive(APPLIED)
        assert list(client.unacknowledged) == [2]

    def test_edits_the_server_asks_for_again_are_settled_together(self) -> None:
        """It could not take them: what it acknowledges meanwhile says nothing of a single one."""
        client = replica(Framing.HOCUSPOCUS)
        connect(client)
        client.receive(APPLIED)
        write(client, "a")
        write(client, "b")
        client.receive(client.wire.sync(SyncStep1(NOTHING)))
        client.receive(APPLIED)
        assert list(client.unacknowledged) == [1, 2]
        client.receive(APPLIED)
        assert not client.unacknowledged

    def test_after_a_refusal_nothing_open_counts_as_acknowledged(self) -> None:
        client = replica(Framing.HOCUSPOCUS)
        connect(client)
        client.receive(APPLIED)
        write(client, "a")
        write(client, "b")
        client.receive(NOT_APPLIED)
        client.receive(APPLIED)
        assert client.refused == 2
        assert not client.unacknowledged

    def test_what_a_lost_connection_had_not_settled_is_sent_again(self) -> None:
        client = replica(Framing.HOCUSPOCUS)
        connect(client)
        client.receive(APPLIED)
        write(client, "a")
        client.disconnected()
        assert list(client.unacknowledged) == [1]
        connect(client)
        client.receive(APPLIED)
        assert not client.unacknowledged


class TestYWebsocket:
    def test_the_echo_settles_an_edit(self) -> None:
        client = replica(Framing.Y_WEBSOCKET)
        connect(client)
        write(client, "a")
        (update,) = sent(client)
        assert isinstance(update, SyncUpdate)
        assert list(client.unacknowledged) == [1]
        client.receive(client.wire.sync(update))
        assert not client.unacknowledged

    def test_a_deletion_is_settled_by_its_own_echo_only(self) -> None:
        client = replica(Framing.Y_WEBSOCKET)
        connect(client)
        write(client, "a")
        (written,) = sent(client)
        del client.text("t")[0:1]
        (deleted,) = sent(client)
        client.receive(client.wire.sync(written))  # type: ignore[arg-type]
        assert list(client.unacknowledged) == [2]
        client.receive(client.wire.sync(deleted))  # type: ignore[arg-type]
        assert not client.unacknowledged

    def test_after_a_reconnect_it_asks_for_its_own_edits_that_have_not_come_back(self) -> None:
        """The server may have them although the echo was lost."""
        client = replica(Framing.Y_WEBSOCKET)
        connect(client)
        write(client, "ab")
        (first,) = sent(client)
        client.receive(client.wire.sync(first))  # type: ignore[arg-type]
        write(client, "cd")
        (second,) = sent(client)
        client.disconnected()
        client.connected()
        (question,) = sent(client)
        assert isinstance(question, SyncStep1)
        assert read_state_vector(question.state_vector) == {7: 2}
        client.receive(client.wire.sync(SyncStep2(second.update)))  # type: ignore[attr-defined]
        assert not client.unacknowledged
        assert str(client.text("t")) == "cdab"


def test_presence_follows_y_protocols_rules() -> None:
    client = replica(Framing.Y_WEBSOCKET)
    connect(client)

    def hear(other: int, clock: int, state: dict[str, object] | None) -> None:
        payload = encode_awareness([AwarenessEntry(other, clock, state)])  # type: ignore[arg-type]
        client.receive(client.wire.awareness(payload))

    hear(1, 0, {"name": "unknown at clock 0"})
    assert client.others == {}
    hear(1, 1, {"name": "Ana"})
    hear(1, 1, {"name": "same clock"})
    hear(7, 9, {"name": "myself"})
    assert client.others == {1: {"name": "Ana"}}
    hear(1, 1, None)
    assert client.others == {}


def test_own_presence_is_said_again_after_a_reconnect_and_taken_back() -> None:
    client = replica(Framing.Y_WEBSOCKET)
    client.presence = {"name": "Rui"}
    client.connected()
    client.disconnected()
    client.connected()
    frames = [client.wire.decode(frame) for frame in client.outbox]
    assert len(frames) == 2
    client.outbox.clear()
    client.presence = None
    assert len(client.outbox) == 1
