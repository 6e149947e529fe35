"""A long lesson outlives its token: the client is asked for a newer one in time (lesson 18)."""

from __future__ import annotations

from served import Server
from wire import AUTH, SYNC, Writer, hocuspocus, string, update


async def test_a_client_is_asked_for_a_newer_token_before_its_own_expires_lesson_18(
    server: Server, document: str
) -> None:
    async with hocuspocus(server.ws) as line:
        await line.log_in(document, server.token(document, expires=32))
        await line.sync(document)
        while True:
            frame = await line.hear(10)
            if (frame.type, frame.body) == (AUTH, b"\x00"):
                break
        newer = server.token(document, expires=3600)
        await line.say(AUTH, b"\x00" + string(newer) + string("4.8.0"), document)
        await line.say(SYNC, update(Writer().insert("the lesson goes on")), document)
        await line.hear_until("status 1", key=document)


async def test_the_same_token_sent_again_is_not_asked_for_again(server: Server, document: str) -> None:
    async with hocuspocus(server.ws) as line:
        token = server.token(document, expires=32)
        await line.log_in(document, token)
        await line.sync(document)
        while (frame := await line.hear(10)).type != AUTH or frame.body != b"\x00":
            pass
        await line.say(AUTH, b"\x00" + string(token) + string("4.8.0"), document)
        await line.nothing(2.5)
