"""The rules a compatible server must keep (protocols.md), frame by frame."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, suppress

import pytest
from served import Server
from websockets.exceptions import ConnectionClosed
from wire import (
    AUTH,
    AWARENESS,
    BROADCAST_STATELESS,
    CLOSE,
    EMPTY_UPDATE,
    QUERY_AWARENESS,
    STATELESS,
    SYNC,
    SYNC_REPLY,
    SYNC_STATUS,
    Writer,
    awareness,
    hocuspocus,
    parse,
    plain,
    presences,
    step1,
    step2,
    string,
    update,
)

from crdt.limits import DEFAULT

# Hocuspocus


async def test_the_recorded_exchange(server: Server, document: str) -> None:
    async with hocuspocus(server.ws) as line:
        # All three at once, before any answer, as the provider does.
        await line.say(AUTH, b"\x00" + string(server.token(document)) + string("4.8.0"), document)
        await line.say(SYNC, step1(), document)
        await line.say(AWARENESS, awareness({7: (1, {"word": "hi"})}), document)
        words = [(await line.hear()).word for _ in range(3)]
        assert words == ["authenticated read-write", "step1", "step2"]
        await line.say(SYNC, step2(EMPTY_UPDATE), document)
        heard = await line.hear_until("status 1")
        assert [each.word for each in heard if each.word != "awareness"] == ["status 1"]


async def test_every_step1_gets_a_step1_back_and_a_step2_behind_it(server: Server, document: str) -> None:
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document))
        for _ in range(5):
            await line.say(SYNC, step1(), document)
            assert [(await line.hear()).word, (await line.hear()).word] == ["step1", "step2"]


async def test_exactly_one_status_for_each_update_and_step2(server: Server, document: str) -> None:
    writer = Writer()
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document))
        await line.sync(document)
        for number in range(20):
            await line.say(SYNC, update(writer.insert(str(number))), document)
        await line.say(SYNC, step2(writer.doc.get_update()), document)  # nothing new, still answered
        await line.say(SYNC, update(EMPTY_UPDATE), document)
        heard = await line.hear_until("status 1", count=22)
        await line.say(SYNC, step1(), document)
        heard += await line.hear_until("step2")
        statuses = [each.word for each in heard if each.type == SYNC_STATUS]
        assert statuses == ["status 1"] * 22


async def test_replies_carry_the_identical_routing_key(server: Server, document: str) -> None:
    keys = [document, f"{document}\0left", f"{document}\0right", f"{document}\0", f"{document}\0a\0b"]
    async with hocuspocus(server.ws) as line:
        for number, key in enumerate(keys):
            await line.log_in(document, server.token(document), key=key)
            for each in await line.sync(key):
                assert each.key == key
            await line.say(SYNC, update(Writer().insert(str(number))), key)
            heard = await line.hear_until("status 1", key=key)
            # The edit reaches the sessions that are open so far, each under its own key.
            assert {each.key for each in heard} <= set(keys[: number + 1])


async def test_an_unknown_session_key_is_never_the_plain_documents_lesson_06(
    server: Server, document: str
) -> None:
    writer = Writer()
    async with hocuspocus(server.ws) as line, hocuspocus(server.ws) as other:
        await line.log_in(document, server.token(document))
        await line.sync(document)
        await other.log_in(document, server.token(document, subject="other"))
        await other.sync(document)
        for key in (f"{document}\0never", f"{document}\0", f"{document}/", document[:-1], document.upper()):
            await line.say(SYNC, step1(), key)
            await line.say(SYNC, update(writer.insert("stolen")), key)
            await line.say(AWARENESS, awareness({7: (1, {"word": "stolen"})}), key)
            await line.say(QUERY_AWARENESS, b"", key)
        await line.say(SYNC, step1(), document)  # whatever was said before has been answered by now
        heard = await line.hear_until("step2", key=document)
        assert {each.key for each in heard} == {document}
        assert heard[-1].content == EMPTY_UPDATE
        await other.nothing()


async def test_rights_belong_to_one_key_lesson_06(server: Server, document: str) -> None:
    reading, writing = f"{document}\0reader", f"{document}\0writer"
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document, "readonly"), key=reading)
        await line.log_in(document, server.token(document), key=writing)
        await line.say(SYNC, update(Writer().insert("no")), reading)
        assert (await line.hear_until("status", key=reading))[-1].word == "status 0"
        await line.say(SYNC, update(Writer().insert("yes")), writing)
        heard = await line.hear_until("status", key=writing)
        assert heard[-1].word == "status 1"
        await line.say(SYNC, step1(), writing)
        reader = Writer()
        reader.apply(await line.hear_until("step2", key=writing))
        assert reader.text == "yes"


async def test_a_readers_step2_is_fine_while_it_brings_nothing_new(server: Server, document: str) -> None:
    writer = Writer()
    async with hocuspocus(server.ws) as line, hocuspocus(server.ws) as reader:
        await line.log_in(document, server.token(document))
        await line.sync(document, have=writer.insert("known"))
        assert await reader.log_in(document, server.token(document, "readonly")) == "readonly"
        await reader.say(SYNC, step1(), document)
        await reader.hear_until("step2")
        await reader.say(SYNC, step2(writer.doc.get_update()), document)
        assert (await reader.hear()).word == "status 1"
        await reader.say(SYNC, step2(EMPTY_UPDATE), document)
        assert (await reader.hear()).word == "status 1"
        await reader.say(SYNC, step2(writer.insert(" and new")), document)
        assert (await reader.hear()).word == "status 0"
        await reader.say(SYNC, update(Writer().insert("mine")), document)
        assert (await reader.hear()).word == "status 0"
        await line.say(SYNC, step1(), document)
        check = Writer()
        check.apply(await line.hear_until("step2"))
        assert check.text == "known"


async def test_the_token_that_the_command_line_prints_opens_its_document(
    server: Server, document: str
) -> None:
    async with hocuspocus(server.ws) as line:
        for scope in ("readonly", "read-write"):
            printed = server.printed_token(document, scope, subject="p1", name="Ana", expires=60)
            assert await line.log_in(document, printed, key=f"{document}\0{scope}") == scope


async def test_a_token_that_opens_nothing_is_denied_and_the_socket_stays(
    server: Server, document: str
) -> None:
    good = server.token(document)
    head, claims, signature = good.split(".")
    wrong = [
        server.token(f"{document}-other"),
        f"{head}.{claims}.{signature[::-1]}",
        f"{head}.{claims}.",
        "..",
        "",
        "session",
        "x" * 5000,
        "\0",
    ]
    async with hocuspocus(server.ws) as line:
        for token in wrong:
            await line.say(AUTH, b"\x00" + string(token), document)
            await line.say(SYNC, step1(), document)
            frame = await line.hear()
            assert (frame.word, frame.key) == ("denied permission-denied", document)
        assert await line.log_in(document, good) == "read-write"
        await line.sync(document)


async def test_close_detaches_one_document_and_the_others_stay(server: Server, document: str) -> None:
    there, gone = f"{document}/stays", f"{document}/goes"
    async with hocuspocus(server.ws) as line, hocuspocus(server.ws) as other:
        for name in (there, gone):
            await line.log_in(name, server.token(name, subject="ana"))
            await line.sync(name)
        await line.say(AWARENESS, awareness({7: (1, {"word": "ana"})}), gone)
        await other.log_in(gone, server.token(gone, subject="rui"))
        await other.sync(gone)
        await line.say(CLOSE, b"", gone)
        closed = (await line.hear_until("close"))[-1]
        assert (closed.key, closed.text) == (gone, "provider_initiated")
        frame = (await other.hear_until("awareness"))[-1]
        assert presences(frame.body)[7][1] is None
        # What is said to it now reaches nothing, until it logs in again.
        await line.say(SYNC, update(Writer().insert("ghost")), gone)
        await line.say(SYNC, update(Writer().insert("alive")), there)
        assert (await line.hear_until("status 1"))[-1].key == there
        assert await line.log_in(gone, server.token(gone, subject="ana")) == "read-write"
        heard = await line.sync(gone)
        assert [each.content for each in heard if each.word == "step2"] == [EMPTY_UPDATE]


async def test_leaving_and_coming_back_in_one_breath_ends_inside(server: Server, document: str) -> None:
    """What a React effect does that runs twice: open, close, open, before any answer came."""
    token = server.token(document)
    async with hocuspocus(server.ws) as line:
        for _ in range(2):
            await line.say(AUTH, b"\x00" + string(token) + string("4.8.0"), document)
            await line.say(SYNC, step1(), document)
            await line.say(CLOSE, b"", document)
        await line.say(AUTH, b"\x00" + string(token) + string("4.8.0"), document)
        await line.say(SYNC, update(Writer().insert("here")), document)
        await line.hear_until("status 1", key=document)
        await line.say(SYNC, step1(), document)
        await line.hear_until("step2", key=document)


async def test_a_token_sent_again_counts_and_is_not_answered(server: Server, document: str) -> None:
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document))
        await line.sync(document)
        await line.say(AUTH, b"\x00" + string(server.token(document)) + string("4.8.0"), document)
        await line.say(SYNC, step1(), document)
        assert (await line.hear()).word == "step1"
        assert (await line.hear()).word == "step2"


async def test_a_token_sent_again_with_less_right_is_a_downgrade_in_place_lesson_18(
    server: Server, document: str
) -> None:
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document))
        await line.sync(document)
        await line.say(AUTH, b"\x00" + string(server.token(document, "readonly")), document)
        assert (await line.hear()).word == "authenticated readonly"
        await line.say(SYNC, update(Writer().insert("no")), document)
        assert (await line.hear()).word == "status 0"


async def test_an_expired_token_ends_its_document_only_lesson_18(server: Server, document: str) -> None:
    long = f"{document}/long"
    async with hocuspocus(server.ws) as line:
        await line.log_in(long, server.token(long))
        await line.log_in(document, server.token(document, expires=2))
        await line.sync(document)
        heard = await line.hear_until("denied", key=document)
        assert heard[-1].word == "denied expired"
        await line.say(SYNC, step1(), long)
        await line.hear_until("step2", key=long)
        assert await line.log_in(document, server.token(document)) == "read-write"


async def test_ping_is_answered_and_comes_only_to_those_who_know_it(server: Server, document: str) -> None:
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document), version=None)
        await line.raw(b"\x09")
        assert (await line.hear()).type == 10
        await line.raw(b"\x0a")
        await line.say(SYNC, step1(), document)
        assert (await line.hear()).word == "step1"


async def test_whoever_asks_for_presence_is_told(server: Server, document: str) -> None:
    async with hocuspocus(server.ws) as ana, hocuspocus(server.ws) as rui:
        await ana.log_in(document, server.token(document, subject="ana"))
        await ana.say(AWARENESS, awareness({7: (3, {"word": "ana"})}), document)
        await ana.hear_until("awareness")
        await rui.log_in(document, server.token(document, subject="rui"))
        assert presences((await rui.hear_until("awareness"))[-1].body) == {7: (3, {"word": "ana"})}
        await rui.say(QUERY_AWARENESS, b"", document)
        assert presences((await rui.hear()).body) == {7: (3, {"word": "ana"})}


@pytest.mark.parametrize("kind", [SYNC_REPLY, BROADCAST_STATELESS, SYNC_STATUS, 11, 127, 2**31])
async def test_types_that_no_client_may_send_are_refused_lesson_17(
    server: Server, document: str, kind: int
) -> None:
    async with hocuspocus(server.ws) as other, hocuspocus(server.ws) as line:
        await other.log_in(document, server.token(document, subject="other"))
        await other.sync(document)
        await line.log_in(document, server.token(document))
        await line.say(kind, string("to everybody"), document)
        code, reason = await line.closed()
        assert code == 4400
        assert reason
        await other.nothing()


async def test_stateless_words_go_no_further(server: Server, document: str) -> None:
    async with hocuspocus(server.ws) as other, hocuspocus(server.ws) as line:
        await other.log_in(document, server.token(document, subject="other"))
        await other.sync(document)
        await line.log_in(document, server.token(document))
        await line.say(STATELESS, string(json.dumps({"type": "access", "scope": "read-write"})), document)
        await line.sync(document)
        await other.nothing()


# y-websocket


async def test_the_server_asks_first_and_answers_in_y_websockets_framing(
    server: Server, document: str
) -> None:
    writer = Writer()
    async with plain(server.ws, document, server.token(document)) as line:
        assert (await line.hear()).word == "step1"
        await line.say(SYNC, step1())
        assert [each.word for each in await line.hear_until("step2")][-1] == "step2"
        content = writer.insert("hello")
        await line.say(SYNC, update(content))
        echoed = (await line.hear_until("update"))[-1]
        assert echoed.content == content  # y-websocket 4 learns from the echo that it is durable


async def test_a_y_websocket_reader_is_told_once_that_it_cannot_write(server: Server, document: str) -> None:
    writer = Writer()
    async with plain(server.ws, document, server.token(document, "readonly")) as line:
        await line.sync()
        for _ in range(3):
            await line.say(SYNC, update(writer.insert("no")))
        await line.say(SYNC, step1())
        heard = await line.hear_until("step2", count=1)
        told = [each.word for each in heard if each.type == AUTH]
        assert len(told) == 1
        assert told[0].startswith("denied ")
        assert told[0].endswith(".")
        assert heard[-1].content == EMPTY_UPDATE


async def test_a_query_for_presence_may_have_a_payload(server: Server, document: str) -> None:
    async with plain(server.ws, document, server.token(document)) as line:
        await line.say(AWARENESS, awareness({7: (1, {"word": "me"})}))
        await line.hear_until("awareness")  # relayed to its own sender too: its liveness rests on that
        await line.say(QUERY_AWARENESS, b"\x01\x02\x03")
        assert presences((await line.hear()).body) == {7: (1, {"word": "me"})}


async def test_one_message_per_frame_lesson_27(server: Server, document: str) -> None:
    """y-websocket reads one message of a frame and drops the rest, however much is sent at once."""
    async with plain(server.ws, document, server.token(document, subject="reader")) as reader:
        await reader.sync()
        async with plain(server.ws, document, server.token(document)) as line:
            writer = Writer()
            for number in range(200):
                await line.say(SYNC, update(writer.insert(f"{number} ")))
                await line.say(AWARENESS, awareness({7: (number + 1, {"n": number})}))
            mirror = Writer()
            while mirror.text != writer.text:
                data = await asyncio.wait_for(reader.ws.recv(), 10)
                assert isinstance(data, bytes)
                frame = parse(data, keyed=False)
                if frame.type == SYNC:
                    assert frame.body == frame.body[:1] + string(frame.content), "bytes behind the message"
                    mirror.apply([frame])
                else:
                    assert frame.type == AWARENESS
                    presences(frame.body)


async def test_a_denied_socket_closes_for_good_and_says_nothing_lesson_27(
    server: Server, document: str
) -> None:
    async with plain(server.ws, document, server.token(f"{document}-other")) as line:
        with suppress(ConnectionClosed):
            await line.say(SYNC, step1())
        code, reason = await line.closed()
        assert code in (4401, 4403)
        assert reason == "permission-denied"


# Either


@pytest.mark.parametrize("framing", ["hocuspocus", "plain"])
async def test_a_ghost_does_not_rise_from_an_echo_lesson_19(
    server: Server, document: str, framing: str
) -> None:
    """Most stock clients repeat the presence they hear, also of somebody who has just left."""

    async def enter(stack: AsyncExitStack, subject: str):
        token = server.token(document, subject=subject)
        if framing == "plain":
            line = await stack.enter_async_context(plain(server.ws, document, token))
        else:
            line = await stack.enter_async_context(hocuspocus(server.ws))
            await line.log_in(document, token)
        return line

    async with AsyncExitStack() as stack:
        rui = await enter(stack, "rui")
        async with AsyncExitStack() as visit:
            ana = await enter(visit, "ana")
            await ana.say(AWARENESS, awareness({7: (5, {"word": "ana"})}), document)
            await rui.hear_until("awareness")
        heard = await rui.hear_until("awareness")
        assert presences(heard[-1].body)[7][1] is None
        await rui.say(AWARENESS, awareness({7: (5, {"word": "ana"}), 8: (1, {"word": "rui"})}), document)
        await rui.hear_until("awareness")
        eva = await enter(stack, "eva")
        assert presences((await eva.hear_until("awareness"))[-1].body) == {8: (1, {"word": "rui"})}


@pytest.mark.parametrize("framing", ["hocuspocus", "plain"])
async def test_a_hundred_first_openers_all_get_in_lesson_28(
    server: Server, document: str, framing: str
) -> None:
    text = "written by the first "

    async def first_opener(number: int) -> str:
        writer = Writer()
        token = server.token(document, subject=f"pupil-{number}")
        if framing == "plain":
            async with plain(server.ws, document, token) as line:
                writer.apply(await line.sync(have=writer.insert(text) if number == 0 else EMPTY_UPDATE))
                while writer.text != text:
                    writer.apply([await line.hear()])
                return writer.text
        async with hocuspocus(server.ws) as line:
            await line.log_in(document, token)
            have = writer.insert(text) if number == 0 else EMPTY_UPDATE
            writer.apply(await line.sync(document, have=have))
            while writer.text != text:
                writer.apply([await line.hear()])
            return writer.text

    async with asyncio.timeout(30):
        texts = await asyncio.gather(*(first_opener(number) for number in range(100)))
    assert texts == [text] * 100


async def test_a_hundred_documents_on_one_socket_and_one_more_is_told(server: Server, document: str) -> None:
    async with hocuspocus(server.ws) as line:
        for number in range(100):
            name = f"{document}/{number}"
            await line.say(AUTH, b"\x00" + string(server.token(name)), name)
        await line.hear_until("authenticated", count=100)
        await line.say(AUTH, b"\x00" + string(server.token(document)), document)
        assert (await line.hear()).word == "denied too-many-documents"
        await line.sync(f"{document}/99")


async def test_an_update_over_the_limit_ends_that_document_and_not_the_socket_lesson_21(
    server: Server, document: str
) -> None:
    other = f"{document}/other"
    big = Writer().insert("x" * (DEFAULT.update_bytes + 1))
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document))
        await line.log_in(other, server.token(other))
        await line.say(SYNC, update(big), document)
        heard = await line.hear_until("close", key=document)
        assert [each.word for each in heard] == ["status 0", "close"]
        assert str(DEFAULT.update_bytes) in heard[-1].text  # what the limit is
        await line.sync(other)


async def test_a_message_over_the_limit_gets_a_permanent_code_with_the_limit_lesson_21(
    server: Server, document: str
) -> None:
    async with plain(server.ws, document, server.token(document)) as line:
        await line.hear_until("step1")
        with suppress(ConnectionClosed):
            await line.say(SYNC, update(b"\x00" * (40 * 1024 * 1024)))
        code, reason = await line.closed()
        assert code == 4413
        assert any(character.isdigit() for character in reason), "the reason does not say the limit"
