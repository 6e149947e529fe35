import pytest

from crdt.codec import var_string
from crdt.sync import SyncStep1, SyncStep2, SyncUpdate
from load.wire import (
    Authenticated,
    AwarenessUpdate,
    Denied,
    Detached,
    Framing,
    Notice,
    QueryAwareness,
    SyncStatus,
    TokenPlace,
    wire,
)

KEY = var_string("doc/é")


@pytest.mark.parametrize("framing", Framing)
def test_what_is_said_is_what_is_heard(framing: Framing) -> None:
    spoken = wire(framing, "doc/é", None, None)
    for message in (SyncStep1(b"\x00"), SyncStep2(b"\x00\x00"), SyncUpdate(b"abc")):
        assert spoken.decode(spoken.sync(message)) == message
    assert spoken.decode(spoken.awareness(b"\x00")) == AwarenessUpdate(b"\x00")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b"\x02\x02" + var_string("readonly"), Authenticated("readonly")),
        (b"\x02\x01" + var_string("no"), Denied("no")),
        (b"\x02", None),
        (b"\x03", QueryAwareness()),
        (b"\x05" + var_string("{}"), Notice("{}")),
        (b"\x07" + var_string("gone"), Detached("gone")),
        (b"\x07", Detached("")),
        (b"\x08\x01", SyncStatus(True)),
        (b"\x08\x00", SyncStatus(False)),
    ],
)
def test_hocuspocus_frames_as_the_protocol_has_them(frame: bytes, message: object) -> None:
    spoken = wire(Framing.HOCUSPOCUS, "doc/é", None, None)
    assert spoken.decode(KEY + frame) == message
    assert spoken.decode(var_string("another") + frame) is None


def test_pings_ask_for_nothing() -> None:
    assert wire(Framing.HOCUSPOCUS, "d", None, None).decode(b"\x09") is None


def test_the_token_goes_where_it_is_wanted() -> None:
    query = wire(Framing.Y_WEBSOCKET, "doc/é", "a.b", None)
    assert query.address("ws://h") == "ws://h/doc/%C3%A9?token=a.b"
    assert query.opening() == []
    offered = wire(Framing.Y_WEBSOCKET, "d", "a.b", TokenPlace.SUBPROTOCOL)
    assert offered.subprotocols() == ["yauth-a.b"]
    assert "a.b" not in offered.address("ws://h")
    message = wire(Framing.HOCUSPOCUS, "doc/é", "a.b", None)
    assert message.address("ws://h/collab") == "ws://h/collab"
    assert message.opening() == [KEY + b"\x02\x00" + var_string("a.b")]
    with pytest.raises(ValueError, match="no message for a token"):
        wire(Framing.Y_WEBSOCKET, "d", "a.b", TokenPlace.MESSAGE)
