"""Boards over real sockets, both protocols: whose card is whose, and when nothing gets in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment
from visitors import Visitor, find, log_in
from websockets.asyncio.client import connect
from wire import SYNC, Line, step2, update

from crdt.update import read_update
from rooms.demo.furnish import Demo, furnish
from server.app import Node, open_node
from server.config import Settings
from server.serving import listening

PATIENCE = 60
IDEAS, DONE = "ideas000", "done0000"

Edit = Callable[[XmlFragment], object]


@dataclass
class House:
    node: Node
    address: str
    demo: Demo

    def visitor(self, role: str, school: int = 0, number: int = 0):
        return log_in(self.address, find(self.demo, role, school, number))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    settings = Settings(data=tmp_path / "data", port=0)
    settings.data.mkdir()
    demo = await furnish(settings.records_file)
    async with open_node(settings) as node, listening(node) as address:
        yield House(node, address, demo)


@pytest.fixture(params=["hocuspocus", "y-websocket"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Seat:
    """Somebody at a board, over one of the protocols."""

    def __init__(self, line: Line, document: str) -> None:
        self.line = line
        self.key = document if line.keyed else ""
        self.doc: Doc[Any] = Doc()
        self.board = self.doc.get("prosemirror", type=XmlFragment)

    @property
    def client(self) -> str:
        return str(self.doc.client_id)

    async def open(self) -> None:
        for frame in await self.line.sync(self.key):
            if frame.word in ("step2", "update"):
                self.doc.apply_update(frame.content)

    async def send(self, edit: Edit) -> bool:
        """Whether the server takes an edit in: it says so, or sends it back."""
        before = self.doc.get_state()
        with self.doc.transaction():
            edit(self.board)
        edited = self.doc.get_update(before)
        sent = read_update(edited)
        await self.line.say(SYNC, update(edited), self.key)
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.line.hear(PATIENCE)
                if frame.word == "step1":
                    await self.line.say(SYNC, step2(self.doc.get_update(frame.content)), self.key)
                elif frame.word.startswith(("status", "denied")):
                    return frame.word == "status 1"
                elif frame.word == "update" and not self.line.keyed:
                    echo = read_update(frame.content)
                    if not sent.writes or self.doc.client_id in {each.client for each in echo.writes}:
                        return True


@asynccontextmanager
async def seat(visitor: Visitor, document: str, protocol: str) -> AsyncIterator[Seat]:
    if protocol == "hocuspocus":
        async with visitor.line() as line:
            await line.log_in(document, "session")
            found = Seat(line, document)
            await found.open()
            yield found
        return
    url = f"{visitor.address.replace('http', 'ws')}/collab/{document}"
    headers = {"Cookie": visitor.cookie, "Origin": visitor.address}
    async with connect(url, additional_headers=headers, compression=None) as ws:
        found = Seat(Line(ws, keyed=False), document)
        await found.open()
        yield found


async def new_board(teacher: Visitor) -> dict[str, Any]:
    space = await teacher.call("GET", f"/spaces/{teacher.space}")
    room = next(each for each in space["rooms"] if each["kind"] == "general")
    board = {"title": "What we know", "kind": "board"}
    return dict(await teacher.call("POST", f"/rooms/{room['id']}/pages", board))


async def shown(visitor: Visitor, board: dict[str, Any]) -> list[str]:
    """The words of the board, in their order."""
    url = f"{visitor.address}/api/pages/{board['id']}/content?format=json"
    async with visitor.http.get(url, headers={"Cookie": visitor.cookie}) as answer:
        assert answer.status == 200
        nodes = json.loads(await answer.text()).get("content", [])
    return ["".join(text["text"] for text in node.get("content", [])) for node in nodes]


def column(title: str, **attributes: str) -> Edit:
    return lambda board: board.children.append(XmlElement("column", attributes, [title]))


def card(text: str, **attributes: str) -> Edit:
    return lambda board: board.children.append(XmlElement("card", attributes, [text]))


def of(board: XmlFragment, words: str) -> XmlElement:
    return next(each for each in board.children if words in str(each.children[0]))


def put(words: str, **attributes: str) -> Edit:
    """Sets attributes of a card or column: a move, another colour."""

    def edit(board: XmlFragment) -> None:
        for name, value in attributes.items():
            of(board, words).attributes[name] = value

    return edit


def unset(words: str, name: str) -> Edit:
    def edit(board: XmlFragment) -> None:
        del of(board, words).attributes[name]

    return edit


def say(words: str, more: str) -> Edit:
    return lambda board: of(board, words).children[0].insert(0, more)


def remove(words: str) -> Edit:
    def edit(board: XmlFragment) -> None:
        found = [words in str(each.children[0]) for each in board.children]
        del board.children[found.index(True)]

    return edit


async def furnished(house: House, teacher: Visitor, protocol: str) -> dict[str, Any]:
    """A board of the teacher's with two columns and a card."""
    board = await new_board(teacher)
    async with seat(teacher, board["document"], protocol) as hers:
        assert await hers.send(column("Ideas", id=IDEAS, place="b", protected="teachers"))
        assert await hers.send(column("Done", id=DONE, place="n", protected="teachers"))
        assert await hers.send(card("Of Ana", column=IDEAS, place="b", protected=hers.client))
    return board


async def test_everybody_adds_and_moves_cards_of_their_own(house: House, protocol: str) -> None:
    async with (
        house.visitor("admin") as teacher,
        house.visitor("student") as ana,
        house.visitor("student", 1) as rui,
    ):
        board = await furnished(house, teacher, protocol)
        document = board["document"]
        for who in (ana, rui):
            assert (await who.call("GET", f"/pages/{board['id']}"))["block_owners"] is True
        for number, who in enumerate((ana, rui)):
            async with seat(who, document, protocol) as theirs:
                mine = card(f"Card {number}", column=IDEAS, place="n", color="blue", protected=theirs.client)
                assert await theirs.send(mine)
                assert await theirs.send(put(f"Card {number}", column=DONE, place="bn"[number]))
                assert await theirs.send(say(f"Card {number}", "My "))
                assert await theirs.send(column(f"Of pupil {number}", id=f"pupil00{number}", place="z"))
            async with seat(who, document, protocol) as theirs:  # another day, by another client id
                assert await theirs.send(say(f"Card {number}", "> "))
                assert await theirs.send(put(f"Card {number}", color="pink", place="nb"[number]))
        assert await shown(rui, board) == [
            "Ideas",
            "Of Ana",
            "Done",
            "> My Card 1",
            "> My Card 0",
            "Of pupil 0",
            "Of pupil 1",
        ]
        async with seat(ana, document, protocol) as theirs:
            assert await theirs.send(remove("Card 0"))
        async with seat(teacher, document, protocol) as hers:
            assert await hers.send(put("Card 1", column=IDEAS, place="a", color="green"))
            assert await hers.send(say("Card 1", "Look: "))
        assert (await shown(rui, board))[:3] == ["Ideas", "Look: > My Card 1", "Of Ana"]


async def test_a_pupil_moves_changes_and_deletes_nothing_of_others(house: House, protocol: str) -> None:
    async with (
        house.visitor("admin") as teacher,
        house.visitor("student") as ana,
        house.visitor("student", 1) as rui,
    ):
        board = await furnished(house, teacher, protocol)
        document = board["document"]
        async with seat(ana, document, protocol) as hers:
            assert await hers.send(card("Hers", column=IDEAS, place="n", protected=hers.client))
            owner = hers.client
        before = await shown(rui, board)
        for edit in (
            *(
                edit
                for words in ("Hers", "Of Ana")
                for edit in (
                    put(words, place="z"),
                    put(words, column=DONE, place="b"),
                    put(words, color="orange"),
                    unset(words, "column"),
                    say(words, "Not "),
                    remove(words),
                    unset(words, "protected"),
                    put(words, protected="1"),
                )
            ),
            put("Ideas", place="z"),
            put("Ideas", id="other000"),
            unset("Done", "id"),
            say("Done", "Not "),
            remove("Done"),
            unset("Done", "protected"),
            card("As if it were hers", column=IDEAS, place="z", protected=owner),
            card("As if it were a teacher's", column=IDEAS, place="z", protected="teachers"),
        ):
            async with seat(rui, document, protocol) as his:
                assert not await his.send(edit)
            assert await shown(rui, board) == before
        async with seat(rui, document, protocol) as his:
            assert await his.send(card("His", column=DONE, place="n", protected=his.client))
        assert await shown(ana, board) == [*before, "His"]


async def lock(house: House, teacher: Visitor, pupil: Visitor, board: dict[str, Any]) -> tuple[str, str]:
    await teacher.call("PUT", f"/pages/{board['id']}/lock", {"reason": "We look at it together."})
    return "DELETE", f"/pages/{board['id']}/lock"


async def mute(house: House, teacher: Visitor, pupil: Visitor, board: dict[str, Any]) -> tuple[str, str]:
    members = await teacher.call("GET", f"/spaces/{teacher.space}/members")
    member = next(each["id"] for each in members if each["person_id"] == pupil.me["person"]["id"])
    await teacher.call("PUT", f"/memberships/{member}/mute", {"reason": "Let others speak."})
    return "DELETE", f"/memberships/{member}/mute"


async def supervise(house: House, teacher: Visitor, pupil: Visitor, board: dict[str, Any]) -> tuple[str, str]:
    house.node.services.supervision.grace = 0.5
    await teacher.call("PUT", f"/rooms/{board['room_id']}/state", {"state": "supervised"})
    async with asyncio.timeout(PATIENCE):
        while (await pupil.call("GET", f"/pages/{board['id']}"))["scope"] == "read-write":
            await asyncio.sleep(0.05)
    return "PUT", f"/rooms/{board['room_id']}/state"


async def for_teachers(
    house: House, teacher: Visitor, pupil: Visitor, board: dict[str, Any]
) -> tuple[str, str]:
    await teacher.call("PATCH", f"/pages/{board['id']}", {"edit_rule": "teachers"})
    return "PATCH", f"/pages/{board['id']}"


@pytest.mark.parametrize(
    ("close", "reason", "opened"),
    [
        (lock, "locked", None),
        (mute, "muted", None),
        (supervise, "supervised", {"state": "open"}),
        (for_teachers, "policy", {"edit_rule": "everyone"}),
    ],
)
async def test_where_pages_take_nothing_in_boards_do_not(
    house: House, protocol: str, close: Callable[..., Any], reason: str, opened: dict[str, Any] | None
) -> None:
    async with house.visitor("admin") as teacher, house.visitor("student") as pupil:
        board = await furnished(house, teacher, protocol)
        document = board["document"]
        async with seat(pupil, document, protocol) as theirs:
            assert await theirs.send(card("Mine", column=IDEAS, place="n", protected=theirs.client))
        before = await shown(pupil, board)
        method, path = await close(house, teacher, pupil, board)
        told = await pupil.call("GET", f"/pages/{board['id']}")
        assert (told["scope"], told["reason"]) == ("readonly", reason)
        for edit in (
            card("New", column=IDEAS, place="z"),
            column("New", id="new00000", place="z"),
            put("Mine", column=DONE, place="b"),
            say("Mine", "Still "),
            remove("Mine"),
        ):
            async with seat(pupil, document, protocol) as theirs:
                assert not await theirs.send(edit)
        assert await shown(pupil, board) == before
        await teacher.call(method, path, opened)
        async with seat(pupil, document, protocol) as theirs:
            assert await theirs.send(put("Mine", column=DONE, place="b"))
        assert await shown(pupil, board) == ["Ideas", "Of Ana", "Done", "Mine"]


async def test_two_who_move_their_cards_at_once_agree(house: House, protocol: str) -> None:
    async with (
        house.visitor("admin") as teacher,
        house.visitor("student") as ana,
        house.visitor("student", 1) as rui,
    ):
        board = await furnished(house, teacher, protocol)
        document = board["document"]
        async with seat(ana, document, protocol) as hers:
            assert await hers.send(card("Hers", column=IDEAS, place="n", protected=hers.client))
        async with (
            seat(ana, document, protocol) as hers,
            seat(rui, document, protocol) as his,
            seat(teacher, document, protocol) as theirs,
        ):
            # None of them has heard of the others when they write.
            sent = await asyncio.gather(
                hers.send(put("Hers", column=DONE, place="b")),
                his.send(card("His", column=DONE, place="b", protected=his.client)),
                theirs.send(put("Hers", column=IDEAS, place="a")),
            )
            assert sent == [True, True, True]
        for who in (teacher, ana, rui):
            words = await shown(who, board)
            assert sorted(words) == sorted(["Ideas", "Of Ana", "Done", "Hers", "His"])
            assert words == await shown(teacher, board)
        async with seat(rui, document, protocol) as again:
            assert len(again.board.children) == 5
