"""Every socket command and every kind of live document for every kind of caller, against the same matrix.

The tables are written from the domain's matrix, not from rooms/rights/policy.py. A command without a row
fails.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import pytest
from test_permissions import CALLERS, TARGETS, World, in_one_loop, world
from wire import AUTH, Line, hocuspocus, string

from server.sockets.commands import COMMANDS

__all__ = ["world"]

# Y: done. N: refused, told that it is not theirs to do. X: as what is not there, or no way in at all.
TABLE: Final = """
                         GST STU STE TEA PAR ADM FND REM OUT STR
post         thr-open     X   Y   Y   Y   Y   Y   Y   X   X   X
post         thr-team     X   Y   Y   Y   Y   Y   Y   X   X   X
post         thr-other    X   X   X   Y   Y   Y   Y   X   X   X
post         thr-staff    X   X   X   Y   Y   Y   Y   X   X   X
post         thr-ask      X   Y   X   Y   X   Y   Y   X   X   X
post         thr-chat     X   N   N   Y   Y   Y   Y   X   X   X
post         thr-locked   X   N   N   N   N   N   N   X   X   X
edit         of-student   X   Y   N   N   N   N   N   X   X   X
edit         of-held      X   Y   X   N   X   N   N   X   X   X
react        of-student   X   Y   Y   Y   Y   Y   Y   X   X   X
react        of-held      X   X   X   X   X   X   X   X   X   X
react        of-hidden    X   X   X   X   X   X   X   X   X   X
unreact      of-student   X   Y   Y   Y   Y   Y   Y   X   X   X
vote         of-poll      X   Y   Y   Y   Y   Y   Y   X   X   X
close-poll   of-poll      X   N   N   Y   Y   Y   Y   X   X   X
close-poll   of-hidden    X   X   X   X   X   X   X   X   X   X
raise-hand   thr-open     X   Y   Y   Y   Y   Y   Y   X   X   X
lower-hand   thr-open     X   Y   Y   Y   Y   Y   Y   X   X   X
approve      of-held      X   N   X   Y   X   Y   Y   X   X   X
approve      of-pal       X   X   X   X   Y   N   N   X   X   X
reject       of-held      X   N   X   Y   X   Y   Y   X   X   X
hide         of-student   X   Y   N   Y   Y   Y   Y   X   X   X
hide         of-tea       X   N   N   N   N   Y   Y   X   X   X
hide         of-held      X   N   X   N   X   N   N   X   X   X
restore      of-hidden    X   N   N   Y   Y   Y   Y   X   X   X
pin          thr-open     X   N   N   Y   Y   Y   Y   X   X   X
unpin        thr-open     X   N   N   Y   Y   Y   Y   X   X   X
lock         thr-open     X   N   N   Y   N   Y   Y   X   X   X
lock         thr-stu      X   N   N   N   N   Y   Y   X   X   X
unlock       thr-locked   X   N   N   Y   N   Y   Y   X   X   X
"""
# W: reads and writes. R: reads only. X: denied.
DOCUMENTS: Final = """
                         GST STU STE TEA PAR ADM FND REM OUT STR
space/       space        X   R   R   R   R   R   R   X   X   X
space/       elsewhere    X   X   X   X   X   X   X   X   R   R
page/        by-founder   X   W   W   W   W   W   W   X   X   X
page/        by-student   X   W   W   W   W   W   W   X   X   X
page/        for-staff    X   X   X   W   W   W   W   X   X   X
page/        a-draft      X   X   W   W   W   W   W   X   X   X
page/        binned-fnd   X   X   X   X   X   X   X   X   X   X
thread/      thr-open     X   R   R   R   R   R   R   X   X   X
thread/      thr-team     X   R   R   R   R   R   R   X   X   X
thread/      thr-other    X   X   X   R   R   R   R   X   X   X
thread/      thr-staff    X   X   X   R   R   R   R   X   X   X
thread/      thr-ask      X   R   X   R   X   R   R   X   X   X
thread/      nowhere      X   X   X   X   X   X   X   X   X   X
"""
FIELDS: Final[dict[str, dict[str, Any]]] = {
    "post": {"body": "Hello"},
    "edit": {"body": "Hello again"},
    "react": {"mark": "heart"},
    "unreact": {"mark": "heart"},
    "vote": {"option": 0},
    "lock": {"reason": "Enough."},
}


def rows(table: str) -> list[tuple[str, str, dict[str, str]]]:
    head, *lines = [line.split() for line in table.strip().splitlines()]
    return [(what, target, dict(zip(head, cells, strict=True))) for what, target, *cells in lines]


def socket_of(world: World, name: str) -> Any:
    headers = {"Cookie": f"__Host-twinspace={world.tokens[name]}", "Origin": world.house.url}
    return hocuspocus(world.house.url.replace("http", "ws"), additional_headers=headers)


async def scope_of(line: Line, document: str) -> str:
    await line.say(AUTH, b"\x00" + string("session") + string("4.8.0"), document)
    while True:
        frame = await line.hear()
        if frame.type == 2 and frame.key == document:
            return frame.word


def test_every_command_stands_in_the_table() -> None:
    assert set(COMMANDS) == {command for command, _, _ in rows(TABLE)}


@pytest.mark.parametrize(("command", "target", "cells"), rows(TABLE), ids=str)
@in_one_loop
async def test_command(world: World, command: str, target: str, cells: dict[str, str]) -> None:
    got: dict[str, str] = {}
    await world.put_back()
    world.services.supervision.grace = 0.0  # the teachers of the rows before have gone
    for role, name in CALLERS.items():
        ids = await TARGETS[target](world, "SOCKET")
        mine = "elsewhere" if role in ("OUT", "STR") else "rivers"
        document = f"space/{world.facts.spaces[mine]}"
        async with socket_of(world, name) as line:
            if not (await scope_of(line, document)).startswith("authenticated"):
                got[role] = "X"
                continue
            sent = {
                "type": "command",
                "key": f"command-{next(world.numbers):08}",
                "do": command,
                **{key: ids[key] for key in ("thread_id", "post_id") if key in ids},
                **FIELDS.get(command, {}),
            }
            answer = await answer_to(line, document, sent)
        if answer["ok"]:
            got[role] = "Y"
        else:
            got[role] = {"not-allowed": "N", "not-found": "X", "not-seen": "N"}.get(
                answer["code"], answer["code"]
            )
    assert got == cells


async def answer_to(line: Line, document: str, sent: dict[str, Any]) -> dict[str, Any]:
    await line.say(5, string(json.dumps(sent)), document)
    while True:
        frame = await line.hear()
        if frame.type == 5 and (said := json.loads(frame.text))["type"] == "answer":
            return dict(said)


@in_one_loop
async def test_pupils_chat_while_a_teacher_is_there_whatever_page_that_teacher_has_open(world: World) -> None:
    await world.put_back()
    world.services.supervision.grace = 0.0
    ids = await TARGETS["thr-chat"](world, "SOCKET")
    space, page = f"space/{world.facts.spaces['rivers']}", f"page/{world.facts.pages['team']}"

    async def chats(line: Line) -> str:
        sent = {"type": "command", "key": f"command-{next(world.numbers):08}", "do": "post", "body": "Hello"}
        answer = await answer_to(line, space, {**sent, "thread_id": ids["thread_id"]})
        return "" if answer["ok"] else str(answer["code"])

    async with socket_of(world, "student") as line:
        assert await scope_of(line, space) == "authenticated readonly"
        assert await chats(line) == "not-allowed"
        async with socket_of(world, "outsider") as other:
            assert (
                await scope_of(other, f"space/{world.facts.spaces['elsewhere']}") == "authenticated readonly"
            )
            assert await chats(line) == "not-allowed"
        async with socket_of(world, "partner") as desk:
            assert await scope_of(desk, page) == "authenticated read-write"
            assert await chats(line) == ""
        while world.services.supervision.teachers(world.facts.spaces["rivers"]):
            await asyncio.sleep(0.02)
        assert await chats(line) == "not-allowed"


@pytest.mark.parametrize(("kind", "target", "cells"), rows(DOCUMENTS), ids=str)
@in_one_loop
async def test_document(world: World, kind: str, target: str, cells: dict[str, str]) -> None:
    got: dict[str, str] = {}
    await world.put_back()
    ids = await TARGETS[target](world, "SOCKET")
    document = kind + ids.get(f"{kind.removesuffix('/')}_id", "no-such-thing")
    for role, name in CALLERS.items():
        async with socket_of(world, name) as line:
            word = await scope_of(line, document)
        got[role] = {"authenticated read-write": "W", "authenticated readonly": "R"}.get(word, "X")
    assert got == cells


@in_one_loop
async def test_an_expired_log_in_opens_no_document_and_runs_no_command(world: World) -> None:
    await world.put_back()
    for kind, target, _ in rows(DOCUMENTS):
        ids = await TARGETS[target](world, "SOCKET")
        async with socket_of(world, "expired") as line:
            document = kind + ids.get(f"{kind.removesuffix('/')}_id", "no-such-thing")
            assert (await scope_of(line, document)).startswith("denied")
