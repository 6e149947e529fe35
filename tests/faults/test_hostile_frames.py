"""A client that is let in and sends what no honest client makes: it is refused with a reason, alone.

While it does so two honest people go on typing in the same document (lessons 1, 5, 7, 16).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress

import pytest
from crafted import bad_awareness, bad_state_vectors, bad_updates, structs, text_item
from honest import HonestPair, honest_pair
from served import Server
from websockets.exceptions import ConnectionClosed
from wire import (
    AUTH,
    AWARENESS,
    SYNC,
    Frame,
    Line,
    Writer,
    awareness,
    hocuspocus,
    plain,
    presences,
    step1,
    step2,
    string,
    uint,
    update,
)

SEED = int(os.environ.get("TWINSPACE_SEED", "20261123"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("hostile") / "data") as server:
        yield server


_numbers = itertools.count(1)


@pytest.fixture
async def honest(server: Server) -> AsyncIterator[HonestPair]:
    async with honest_pair(server, f"doc/honest-{next(_numbers)}") as pair:
        yield pair


async def refused_in_hocuspocus(honest: HonestPair, kind: int, body: bytes) -> list[Frame]:
    """Sends one message with the right to write; gives what the sender heard until its document ended."""
    document = honest.document
    async with hocuspocus(honest.server.ws) as line:
        await line.log_in(document, honest.server.token(document, subject="mallory"))
        await line.say(kind, body, document)
        heard = await line.hear_until("close", key=document)
        assert heard[-1].text, "no reason was given"
        return heard


async def refused_in_y_websocket(honest: HonestPair, kind: int, body: bytes) -> None:
    """The same where a refusal ends the socket: the code is permanent and says why."""
    document = honest.document
    async with plain(honest.server.ws, document, honest.server.token(document, subject="mallory")) as line:
        await line.say(kind, body)
        code, reason = await line.closed()
        assert 4400 <= code < 4500, (code, reason)
        assert reason


async def all_refused(
    honest: HonestPair, bad: dict[str, bytes], attempt: Callable[[HonestPair, bytes], Awaitable[object]]
) -> None:
    """Sends every one of the bad things, each on a socket of its own, all at once."""
    outcomes = await asyncio.gather(*(attempt(honest, body) for body in bad.values()), return_exceptions=True)
    failed = {name: repr(outcome) for name, outcome in zip(bad, outcomes, strict=True) if outcome is not None}
    assert failed == {}
    await honest.fine()


async def test_bad_updates_are_refused_with_a_reason_and_not_acknowledged_lesson_16(
    honest: HonestPair,
) -> None:
    async def refused(honest: HonestPair, content: bytes) -> None:
        heard = await refused_in_hocuspocus(honest, SYNC, update(content))
        # Lesson 1: Hocuspocus acknowledges malformed updates.
        assert [each.word for each in heard if each.word.startswith("status")] == ["status 0"]

    await all_refused(honest, bad_updates(), refused)


async def test_bad_updates_close_a_y_websocket_for_good_lesson_16(honest: HonestPair) -> None:
    async def refused(honest: HonestPair, content: bytes) -> None:
        await refused_in_y_websocket(honest, SYNC, step2(content))

    await all_refused(honest, bad_updates(), refused)


async def test_bad_presence_is_refused_with_a_reason_lesson_16(honest: HonestPair) -> None:
    async def refused(honest: HonestPair, payload: bytes) -> None:
        await refused_in_hocuspocus(honest, AWARENESS, string(payload))
        await refused_in_y_websocket(honest, AWARENESS, string(payload))

    await all_refused(honest, bad_awareness(), refused)


async def test_bad_state_vectors_are_refused_with_a_reason_lesson_16(honest: HonestPair) -> None:
    async def refused(honest: HonestPair, vector: bytes) -> None:
        await refused_in_hocuspocus(honest, SYNC, step1(vector))
        await refused_in_y_websocket(honest, SYNC, step1(vector))

    await all_refused(honest, bad_state_vectors(), refused)


BROKEN_FRAMES: dict[str, Callable[[bytes], bytes]] = {
    # each takes the document's name as a routing key
    "empty": lambda key: b"",
    "a key longer than the frame": lambda key: uint(10_000) + b"doc",
    "a key without an end": lambda key: b"\xff" * 30,
    "a key that is no UTF-8": lambda key: string(b"\xff\xfe") + b"\x00",
    "a key and nothing else": lambda key: key,
    "a type without an end": lambda key: key + b"\xff" * 12,
    "a sync message of no kind": lambda key: key + uint(SYNC) + uint(3) + string(b""),
    "a sync message without content": lambda key: key + uint(SYNC) + uint(2),
    "bytes behind a sync message": lambda key: key + uint(SYNC) + step1() + b"\x00",
    "bytes behind presence": lambda key: key + uint(AWARENESS) + awareness({}) + b"\x00",
    "presence shorter than it says": lambda key: key + uint(AWARENESS) + uint(500) + b"\x00",
    "permission denied, said by a client": lambda key: key + uint(AUTH) + uint(1) + string("no"),
    "authenticated, said by a client": lambda key: key + uint(AUTH) + uint(2) + string("read-write"),
    "a token that is no UTF-8": lambda key: key + uint(AUTH) + uint(0) + string(b"\xff"),
    "a ping with a tail": lambda key: b"\x09\x09\x09",
}


async def test_a_broken_frame_closes_its_own_socket_only_lesson_05(honest: HonestPair) -> None:
    document = honest.document

    async def refused(honest: HonestPair, frame: bytes) -> None:
        async with hocuspocus(honest.server.ws) as line:
            await line.log_in(document, honest.server.token(document, subject="mallory"))
            await line.raw(frame)
            code, reason = await line.closed()
            assert code == 4400, (code, reason)
            assert reason

    frames = {name: make(string(document)) for name, make in BROKEN_FRAMES.items()}
    await all_refused(honest, frames, refused)


@pytest.mark.parametrize("framing", ["hocuspocus", "plain"])
async def test_text_frames_close_with_1003_lesson_16(honest: HonestPair, framing: str) -> None:
    document = honest.document
    token = honest.server.token(document, subject="mallory")
    opened = (
        hocuspocus(honest.server.ws) if framing == "hocuspocus" else plain(honest.server.ws, document, token)
    )
    async with opened as line:
        await line.raw("hello?")
        code, reason = await line.closed()
        assert (code, bool(reason)) == (1003, True)


async def garbage(line: Line, source: random.Random, key: bytes) -> None:
    """A burst of frames that are noise, or begin well."""
    for _ in range(50):
        noise = source.randbytes(source.choice((1, 3, 20, 300)))
        beginning = source.choice(
            (b"", key, key + uint(source.randrange(12)), key + b"\x00\x02", key + b"\x01")
        )
        await line.raw(beginning + noise)


@pytest.mark.parametrize("framing", ["hocuspocus", "plain"])
async def test_garbage_reaches_nobody_lesson_05(honest: HonestPair, framing: str) -> None:
    print(f"TWINSPACE_SEED={SEED}")
    document, server = honest.document, honest.server
    token = server.token(document, subject="mallory")

    async def throw(source: random.Random) -> None:
        opened = hocuspocus(server.ws) if framing == "hocuspocus" else plain(server.ws, document, token)
        async with opened as line:
            with suppress(ConnectionClosed):
                if framing == "hocuspocus":
                    await line.log_in(document, token)
                await garbage(line, source, string(document) if framing == "hocuspocus" else b"")
            await line.closed()

    await asyncio.gather(*(throw(random.Random(SEED + number)) for number in range(40)))
    await honest.fine()


async def test_nobody_writes_under_anothers_client_id(honest: HonestPair) -> None:
    document, server = honest.document, honest.server

    async def refused(honest: HonestPair, forged: bytes) -> None:
        heard = await refused_in_hocuspocus(honest, SYNC, update(forged))
        assert [each.word for each in heard if each.word.startswith("status")] == ["status 0"]
        assert "belongs" in heard[-1].text
        await refused_in_y_websocket(honest, SYNC, update(forged))

    forgeries = {
        "from her beginning to far beyond": structs(text_item("FORGED" * 2000), client=honest.ana_id),
        "far ahead, to wait for her": structs(text_item("FORGED"), client=honest.ana_id, clock=10**6),
    }
    await all_refused(honest, forgeries, refused)
    # Other words at clocks that ana has used: nothing new, and for nobody's eyes.
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document, subject="mallory"))
        await line.say(SYNC, update(structs(text_item("FORGED"), client=honest.ana_id)), document)
        await line.hear_until("status 1")
    async with plain(server.ws, document, server.token(document, subject="eva")) as eva:
        newcomer = Writer()
        newcomer.apply(await eva.sync())
        assert "FORGED" not in newcomer.text


async def test_presence_of_another_is_not_mallorys_to_say_lesson_19(honest: HonestPair) -> None:
    """The pair itself insists that nobody ever sees ana as somebody else, or gone."""
    document, server = honest.document, honest.server
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document, subject="mallory"))
        for clock in (0, 1, honest.typed, honest.typed + 1000, 2**40):
            for state in ({"word": "mallory"}, None):
                await line.say(AWARENESS, awareness({honest.ana_id: (clock, state)}), document)
        await line.sync(document)
        await honest.fine(more=30)


async def test_the_server_says_who_somebody_is_lesson_19(honest: HonestPair) -> None:
    document, server = honest.document, honest.server
    token = server.token(document, subject="p7", name="Rui Costa")
    async with hocuspocus(server.ws) as line, hocuspocus(server.ws) as other:
        await other.log_in(document, server.token(document, subject="eva"))
        await line.log_in(document, token)
        forged = {"user": {"name": "The Head Teacher", "role": "admin", "color": "#fff"}, "cursor": 3}
        await line.say(AWARENESS, awareness({7: (1, forged)}), document)
        while True:
            states = presences((await other.hear_until("awareness"))[-1].body)
            if 7 in states:
                break
        state = states[7][1]
        assert state["cursor"] == 3
        assert state["user"]["name"] == "Rui Costa"
        assert "role" not in state["user"]


async def test_one_socket_cannot_crowd_a_room_with_people_lesson_19(honest: HonestPair) -> None:
    document, server = honest.document, honest.server
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document, subject="mallory"))
        await line.say(
            AWARENESS, awareness({1000 + n: (1, {"word": "puppet"}) for n in range(500)}), document
        )
        await line.sync(document)
        async with hocuspocus(server.ws) as eva:
            await eva.log_in(document, server.token(document, subject="eva"))
            states = presences((await eva.hear_until("awareness"))[-1].body)
            assert sum(state["word"] == "puppet" for _, state in states.values()) <= 10


async def test_updates_that_wait_for_ever_are_bounded(honest: HonestPair) -> None:
    """Updates whose predecessor never comes are kept, up to a limit that is said."""
    document, server = honest.document, honest.server
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document, subject="mallory"))
        await line.sync(document)
        for number in range(2_000):
            # Not in ana's text: unlike yjs and this server, pycrdt as a reader shows what should wait.
            orphan = structs(text_item("x", "elsewhere"), client=500_000 + number, clock=5)
            await line.say(SYNC, update(orphan), document)
        heard = await line.hear_until("close", key=document)
        assert any(character.isdigit() for character in heard[-1].text), heard[-1].text


async def test_too_many_refused_messages_end_the_socket(honest: HonestPair) -> None:
    document, server = honest.document, honest.server
    async with hocuspocus(server.ws) as line:
        refused = 0
        with suppress(ConnectionClosed):
            while refused < 200:
                await line.log_in(document, server.token(document, subject="mallory"))
                await line.say(SYNC, update(b"\xff"), document)
                await line.hear_until("close", key=document)
                refused += 1
        assert 1 < refused < 200
        code, reason = await line.closed()
        assert 4400 <= code < 4500
        assert reason
