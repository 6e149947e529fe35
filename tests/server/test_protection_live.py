"""Protected blocks over real sockets: both protocols, two nodes, a restart, and undoing a pupil."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from backing import finished
from pycrdt import Doc, XmlElement, XmlFragment
from visitors import Visitor, find, log_in
from websockets.asyncio.client import connect
from wire import SYNC, Line, step1, step2, update

from crdt.log.check import no_progress
from load.backing import PostgreSQL
from rooms.demo.furnish import Demo, furnish
from rooms.rights.access import Changes
from rooms.storage.records import Records
from rooms.storage.transfer import copy_records
from server.app import Node, open_node
from server.config import Settings
from server.serving import listening

PATIENCE = 60


@dataclass
class House:
    nodes: list[Node]
    addresses: list[str]
    demo: Demo

    def visitor(self, role: str, school: int = 0, number: int = 0, node: int = 0):
        return log_in(self.addresses[node], find(self.demo, role, school, number))


@asynccontextmanager
async def opened(every: list[Settings], demo: Demo) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(open_node(settings)) for settings in every]
        addresses = [await stack.enter_async_context(listening(node)) for node in nodes]
        yield House(nodes, addresses, demo)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    settings = Settings(data=tmp_path / "data", port=0)
    settings.data.mkdir()
    demo = await furnish(settings.records_file)
    async with opened([settings], demo) as house:
        yield house


class Hand:
    """Somebody's document, and the socket it goes through."""

    def __init__(self, line: Line, document: str) -> None:
        self.line = line
        self.document = document
        self.doc: Doc[Any] = Doc()
        self.page = self.doc.get("prosemirror", type=XmlFragment)

    @property
    def client(self) -> str:
        return str(self.doc.client_id)

    async def open(self) -> None:
        for frame in await self.line.sync(self.document):
            if frame.word in ("step2", "update"):
                self.doc.apply_update(frame.content)

    async def send(self, do) -> str:
        """What the server says of an edit: "status 1" or "status 0"."""
        before = self.doc.get_state()
        with self.doc.transaction():
            do(self.page)
        await self.line.say(SYNC, update(self.doc.get_update(before)), self.document)
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.line.hear(PATIENCE)
                if frame.word in ("step2", "update"):
                    self.doc.apply_update(frame.content)
                elif frame.word == "step1":
                    lacking = self.doc.get_update(frame.content)
                    await self.line.say(SYNC, step2(lacking), self.document)
                elif frame.word.startswith("status"):
                    return frame.word


def add(words: str, at: int | None = None, **attributes: str):
    def do(page: XmlFragment) -> None:
        block = XmlElement("paragraph", attributes, [words])
        page.children.insert(len(page.children) if at is None else at, block)

    return do


def block(page: XmlFragment, words: str) -> XmlElement:
    return next(each for each in page.children if words in str(each.children[0]))


def type_into(words: str, more: str):
    return lambda page: block(page, words).children[0].insert(0, more)


def remove(words: str):
    def do(page: XmlFragment) -> None:
        index = next(index for index, each in enumerate(page.children) if words in str(each.children[0]))
        del page.children[index]

    return do


def protect(words: str, value: str):
    def do(page: XmlFragment) -> None:
        block(page, words).attributes["protected"] = value

    return do


def free(words: str):
    def do(page: XmlFragment) -> None:
        del block(page, words).attributes["protected"]

    return do


async def new_page(teacher: Visitor) -> dict[str, Any]:
    """A page that everybody may edit."""
    space = await teacher.call("GET", f"/spaces/{teacher.space}")
    page = await teacher.call("POST", f"/rooms/{space['rooms'][0]['id']}/pages", {"title": "Rules"})
    return dict(await teacher.call("PATCH", f"/pages/{page['id']}", {"edit_rule": "everyone"}) or page)


@asynccontextmanager
async def hand(visitor: Visitor, document: str) -> AsyncIterator[Hand]:
    async with visitor.line() as line:
        assert await line.log_in(document, "session") == "read-write"
        found = Hand(line, document)
        await found.open()
        yield found


async def text_of(visitor: Visitor, page: str) -> str:
    headers = {"Cookie": visitor.cookie}
    url = f"{visitor.address}/api/pages/{page}/content?format=text"
    async with visitor.http.get(url, headers=headers) as answer:
        assert answer.status == 200
        return await answer.text()


async def told(line: Line) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            frame = await line.hear(PATIENCE)
            if frame.type == 5 and (said := json.loads(frame.text))["type"] == "refused":
                return dict(said)


async def test_a_pupil_is_told_kindly_and_goes_on_beside_it(house: House) -> None:
    async with house.visitor("admin") as teacher, house.visitor("student") as pupil:
        page = await new_page(teacher)
        async with hand(teacher, page["document"]) as hers:
            assert await hers.send(add("The rules.", protected="teachers")) == "status 1"
            assert await hers.send(add("Your ideas.")) == "status 1"
        for edit in (
            type_into("rules", "No "),
            remove("rules"),
            free("rules"),
            protect("rules", "1"),
            protect("ideas", "teachers"),
            add("Mine.", protected="teachers"),
        ):
            async with hand(pupil, page["document"]) as theirs:
                assert await theirs.send(edit) == "status 0"
                said = await told(theirs.line)
                assert (said["what"], said["retry_after"]) == ("protected", None)
                assert said["message"].endswith(".")
                # The line goes on: what rests on the refused words is asked for, and refused like them.
                assert await theirs.send(add("More")) == "status 0"
                assert (await told(theirs.line))["what"] == "protected"
        async with hand(pupil, page["document"]) as theirs:
            assert await theirs.send(type_into("ideas", "All ")) == "status 1"
            assert await theirs.send(add("Before.", 0)) == "status 1"
            assert await theirs.send(add("After.")) == "status 1"
            assert await theirs.send(remove("ideas")) == "status 1"
        words = (await text_of(teacher, page["id"])).split("\n")
        assert [each for each in words if each] == ["Before.", "The rules.", "After."]


async def test_a_pupil_protects_their_own_words_from_other_pupils(house: House) -> None:
    async with (
        house.visitor("admin") as teacher,
        house.visitor("student") as ana,
        house.visitor("student", 1) as rui,
    ):
        page = await new_page(teacher)
        async with hand(ana, page["document"]) as hers:
            assert await hers.send(add("My paragraph.")) == "status 1"
            assert await hers.send(protect("paragraph", hers.client)) == "status 1"
        async with hand(rui, page["document"]) as his:
            assert await his.send(type_into("paragraph", "Not ")) == "status 0"
        async with hand(ana, page["document"]) as hers:  # by another client id
            assert await hers.send(type_into("paragraph", "Still ")) == "status 1"
        async with hand(teacher, page["document"]) as theirs:
            assert await theirs.send(type_into("paragraph", "Good: ")) == "status 1"
        async with hand(ana, page["document"]) as hers:
            assert await hers.send(free("paragraph")) == "status 1"
        async with hand(rui, page["document"]) as his:
            assert await his.send(type_into("paragraph", "Rui: ")) == "status 1"
        assert (await text_of(rui, page["id"])).strip() == "Rui: Good: Still My paragraph."


async def test_a_block_is_made_and_protected_in_one_edit_and_without_it_is_open(house: House) -> None:
    """As the editor does where blocks have owners; a stock client protects nothing, and may."""
    async with (
        house.visitor("admin") as teacher,
        house.visitor("student") as ana,
        house.visitor("student", 1) as rui,
    ):
        await teacher.call("PATCH", f"/spaces/{teacher.space}", {"policy": {"block_owners": True}})
        page = await new_page(teacher)
        for who, told in ((ana, True), (rui, True), (teacher, False)):
            assert (await who.call("GET", f"/pages/{page['id']}"))["block_owners"] is told
        async with hand(ana, page["document"]) as hers:
            assert await hers.send(add("My first.", protected=hers.client)) == "status 1"
            assert await hers.send(add("My second.", protected=hers.client)) == "status 1"
            assert await hers.send(add("Of all.")) == "status 1"
            owner = hers.client
        async with hand(rui, page["document"]) as his:
            assert await his.send(type_into("first", "Not ")) == "status 0"
        async with hand(rui, page["document"]) as his:  # not in her name either
            assert await his.send(add("By Ana, says Rui.", protected=owner)) == "status 0"
        async with hand(rui, page["document"]) as his:
            assert await his.send(type_into("all", "Ours: ")) == "status 1"
            assert await his.send(protect("all", his.client)) == "status 0"
        async with hand(rui, page["document"]) as his:
            assert await his.send(add("Between.", 1, protected=his.client)) == "status 1"
        async with hand(ana, page["document"]) as hers:
            assert await hers.send(type_into("Between", "Not ")) == "status 0"
        words = (await text_of(teacher, page["id"])).split("\n")
        assert [each for each in words if each] == ["My first.", "Between.", "My second.", "Ours: Of all."]


async def test_a_teacher_undoes_a_pupil_through_their_protection(house: House) -> None:
    async with house.visitor("admin") as teacher, house.visitor("student") as pupil:
        page = await new_page(teacher)
        since = house.nodes[0].services.clock() - 5
        async with hand(teacher, page["document"]) as hers:
            assert await hers.send(add("The rules.", protected="teachers")) == "status 1"
        async with hand(pupil, page["document"]) as theirs:
            assert await theirs.send(add("Silly.")) == "status 1"
            assert await theirs.send(protect("Silly", theirs.client)) == "status 1"
        membership = pupil.me["spaces"][0].get("membership") or next(
            each["id"]
            for each in await teacher.call("GET", f"/spaces/{teacher.space}/members")
            if each["person_id"] == pupil.me["person"]["id"]
        )
        body = {"membership_id": membership, "since": since}
        assert (await teacher.call("POST", f"/pages/{page['id']}/undo", body))["undone"]
        assert (await text_of(teacher, page["id"])).strip() == "The rules."


async def test_the_other_protocol_and_whoever_never_sends_what_is_missing(house: House) -> None:
    async with house.visitor("admin") as teacher, house.visitor("student") as pupil:
        page = await new_page(teacher)
        async with hand(teacher, page["document"]) as hers:
            assert await hers.send(add("The rules.", protected="teachers")) == "status 1"
            url = f"{house.addresses[0].replace('http', 'ws')}/collab/{page['document']}"
            headers = {"Cookie": pupil.cookie, "Origin": pupil.address}
            async with connect(url, additional_headers=headers, compression=None) as ws:
                line = Line(ws, keyed=False)
                theirs = Hand(line, "")
                await theirs.open()
                before = theirs.doc.get_state()
                type_into("rules", "No ")(theirs.page)
                await line.say(SYNC, update(theirs.doc.get_update(before)))
                said = (await line.hear_until("denied", timeout=PATIENCE))[-1]
                assert "protected" in said.word
                # What rests on something that is not here is asked for, and not taken without it.
                before = theirs.doc.get_state()
                add("Words")(theirs.page)
                await line.say(SYNC, update(theirs.doc.get_update(before)))
                await line.hear_until("step1", timeout=PATIENCE)
                await line.say(SYNC, step2(theirs.doc.get_update(before)))
                # The line still serves.
                await line.say(SYNC, step1())
                shown = Doc()
                shown.apply_update((await line.hear_until("step2", timeout=PATIENCE))[-1].content)
                assert "Words" not in str(shown.get("prosemirror", type=XmlFragment))
            assert await hers.send(add("The end.")) == "status 1"
        assert "No" not in await text_of(teacher, page["id"])


async def test_it_holds_after_a_restart(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", port=0)
    settings.data.mkdir()
    demo = await furnish(settings.records_file)
    async with opened([settings], demo) as house, house.visitor("admin") as teacher:
        page = await new_page(teacher)
        async with house.visitor("student") as pupil, hand(pupil, page["document"]) as theirs:
            assert await theirs.send(add("Mine.", protected=theirs.client)) == "status 1"
        async with hand(teacher, page["document"]) as hers:
            assert await hers.send(add("The rules.", protected="teachers")) == "status 1"
    async with (
        opened([settings], demo) as house,
        house.visitor("student", 1) as rui,
        house.visitor("student") as ana,
    ):
        for words in ("rules", "Mine"):
            async with hand(rui, page["document"]) as his:
                assert await his.send(type_into(words, "x")) == "status 0"
        async with hand(ana, page["document"]) as hers:
            assert await hers.send(type_into("Mine", "x")) == "status 1"


async def test_it_holds_on_another_node(tmp_path: Path, postgres: PostgreSQL, valkey) -> None:
    url = finished(postgres.create_database())
    try:
        every = [
            Settings(data=tmp_path / name, port=0, database=url, redis=valkey.url) for name in ("one", "two")
        ]
        local = tmp_path / "demo"
        local.mkdir()
        demo = await furnish(Settings(data=local).records_file)
        source = await Records.open(Settings(data=local).database_url, Changes())
        target = await Records.open(url, Changes())
        await copy_records(source, target, no_progress)
        await source.close()
        await target.close()
        async with (
            opened(every, demo) as house,
            house.visitor("admin") as teacher,
            house.visitor("student", node=1) as pupil,
        ):
            page = await new_page(teacher)
            async with hand(teacher, page["document"]) as hers, hand(pupil, page["document"]) as theirs:
                assert await hers.send(add("The rules.")) == "status 1"
                assert await hers.send(add("Ideas.")) == "status 1"
                assert await hers.send(protect("rules", "teachers")) == "status 1"

                def heard() -> bool:
                    found = [each for each in theirs.page.children if "rules" in str(each.children[0])]
                    return bool(found) and found[0].attributes.get("protected") == "teachers"

                async with asyncio.timeout(PATIENCE):
                    while not heard():
                        frame = await theirs.line.hear(PATIENCE)
                        if frame.word in ("step2", "update"):
                            theirs.doc.apply_update(frame.content)
                assert await theirs.send(type_into("Ideas", "Our ")) == "status 1"
                assert await theirs.send(type_into("rules", "No ")) == "status 0"
            assert "No " not in await text_of(teacher, page["id"])
    finally:
        finished(postgres.drop_database(url.rpartition("/")[2]))
