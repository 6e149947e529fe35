"""A changed right acts on open sockets at once: lock, removal, log-out, new card. Real ports and records.

Each promise is kept on one node, and on two, where teachers come in through the one and pupils through the
other; also while there is no Redis between them.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backing import finished
from sqlalchemy import update as update_rows
from visitors import Visitor, find, log_in
from websockets.asyncio.client import connect
from wire import AUTH, AWARENESS, SYNC, Frame, Line, Writer, awareness, presences, string, update

from crdt.log.check import no_progress
from load.backing import PostgreSQL, free_port
from rooms.demo.furnish import Demo, Login, furnish
from rooms.rights.access import Changes
from rooms.rights.space_policy import Lowered, PageEditing
from rooms.spaces.lifecycle import Lifecycle
from rooms.storage.records import Look, Records
from rooms.storage.schema import spaces
from rooms.storage.transfer import copy_records
from rooms.values import AgeBand, Office, PersonId, Role, SchoolId, SpaceId, SpaceKind
from server.app import Node, open_node
from server.config import Settings
from server.serving import listening

AT_ONCE = {"one node": 2.0, "two nodes": 5.0, "two nodes without Redis": 5.0}
"""Seconds: design promise 5."""


@dataclass
class House:
    """A running node, or two, with the demo's people."""

    nodes: list[Node]
    addresses: list[str]
    demo: Demo
    at_once: float
    """Seconds in which a change has to act."""

    def find(self, role: str, school: int = 0) -> Login:
        return find(self.demo, role, school)

    def visitor(self, login: Login) -> AbstractAsyncContextManager[Visitor]:
        return log_in(self.addresses[0 if login.role == "admin" else -1], login)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    asyncio.run(furnish(Settings(data=folder).records_file))
    return folder


@pytest.fixture(scope="module")
def furnished_database(postgres: PostgreSQL, furnished: Path) -> str:
    """The demo in PostgreSQL, to be copied for each test."""
    url = finished(postgres.create_database())
    finished(_copy(furnished, url))
    return url


async def _copy(folder: Path, url: str) -> None:
    source = await Records.open(Settings(data=folder).database_url, Changes())
    target = await Records.open(url, Changes())
    await copy_records(source, target, no_progress)
    await source.close()
    await target.close()


@pytest.fixture(params=list(AT_ONCE))
async def house(request: pytest.FixtureRequest, furnished: Path, tmp_path: Path) -> AsyncIterator[House]:
    how: str = request.param
    demo = await furnish(Settings(data=furnished).records_file)
    async with AsyncExitStack() as stack:
        if how == "one node":
            data = tmp_path / "data"
            shutil.copytree(furnished, data)
            every = [Settings(data=data, port=0)]
        else:
            server: PostgreSQL = request.getfixturevalue("postgres")
            template: str = request.getfixturevalue("furnished_database")
            url = finished(server.create_database(template=template.rpartition("/")[2]))
            stack.callback(lambda: finished(server.drop_database(url.rpartition("/")[2])))
            away = how == "two nodes without Redis"
            redis = f"redis://127.0.0.1:{free_port()}" if away else request.getfixturevalue("valkey").url
            every = [
                Settings(data=tmp_path / name, port=0, database=url, redis=redis) for name in ("one", "two")
            ]
        nodes = [await stack.enter_async_context(open_node(settings)) for settings in every]
        addresses = [await stack.enter_async_context(listening(node)) for node in nodes]
        yield House(nodes, addresses, demo, AT_ONCE[how])


async def notice(line: Line, kind: str, within: float) -> dict:
    """The next stateless message of this type, within the promised time."""
    async with asyncio.timeout(within):
        while True:
            frame = await line.hear()
            if frame.type == 5 and (said := json.loads(frame.text))["type"] == kind:
                return said


async def open_page(line: Line, document: str) -> None:
    assert await line.log_in(document, "session") == "read-write"
    await line.sync(document)


async def status_of(line: Line, writer: Writer, document: str) -> str:
    await line.say(SYNC, update(writer.insert("x")), document)
    return (await line.hear_until("status", key=document))[-1].word


async def editable_page(visitor: Visitor) -> tuple[str, dict]:
    space = visitor.me["spaces"][0]["id"]
    pages = await visitor.call("GET", f"/spaces/{space}/pages")
    page = next(each for each in pages if each["scope"] == "read-write")
    return space, page


async def test_a_lock_turns_open_pages_read_only_and_back(house):
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        _, page = await editable_page(pupil)
        document, writer = page["document"], Writer()
        async with pupil.line() as line:
            await open_page(line, document)
            assert await status_of(line, writer, document) == "status 1"
            await teacher.call("PUT", f"/pages/{page['id']}/lock", {"reason": "We compare first."})
            said = await notice(line, "access", house.at_once)
            assert (said["scope"], said["reason"], said["note"]) == (
                "readonly",
                "locked",
                "We compare first.",
            )
            assert (await line.hear_until("authenticated"))[-1].word == "authenticated readonly"
            assert await status_of(line, writer, document) == "status 0"
            await teacher.call("DELETE", f"/pages/{page['id']}/lock")
            assert (await notice(line, "access", house.at_once))["scope"] == "read-write"
            assert await status_of(line, Writer(), document) == "status 1"


async def test_a_lock_that_ends_by_itself_ends_on_open_pages_too(house):
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        _, page = await editable_page(pupil)
        async with pupil.line() as line:
            await open_page(line, page["document"])
            until = (
                house.nodes[0].services.clock() + house.at_once
            )  # longer than a node may take to hear of it
            await teacher.call("PUT", f"/pages/{page['id']}/lock", {"reason": "A minute.", "until": until})
            assert (await notice(line, "access", house.at_once))["scope"] == "readonly"
            async with asyncio.timeout(2 * house.at_once):
                while (await line.hear()).word != "authenticated read-write":
                    pass


async def test_a_removed_member_loses_every_document_and_the_others_see_the_list_change(house):
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        space, page = await editable_page(pupil)
        members = await teacher.call("GET", f"/spaces/{space}/members")
        membership = next(each["id"] for each in members if each["person_id"] == pupil.me["person"]["id"])
        async with pupil.line() as line, teacher.line() as desk:
            await open_page(line, page["document"])
            assert await line.log_in(f"space/{space}", "session") == "readonly"
            assert await desk.log_in(f"space/{space}", "session") == "readonly"
            await teacher.call("DELETE", f"/memberships/{membership}")
            denied: set[str | None] = set()
            async with asyncio.timeout(house.at_once):
                while len(denied) < 2:
                    frame = await line.hear()
                    if frame.word == "denied removed":
                        denied.add(frame.key)
            assert denied == {page["document"], f"space/{space}"}
            assert "members" in (await notice(desk, "space", house.at_once))["changed"]
            await line.say(SYNC, update(Writer().insert("I am still here")), page["document"])
            await line.say(AUTH, b"\x00" + string("session") + string("4.8.0"), page["document"])
            assert (await line.hear_until("denied", key=page["document"]))[-1]


async def test_somebody_who_leaves_loses_every_document_at_once(house):
    async with house.visitor(house.find("teacher", 1)) as rui:
        space, page = await editable_page(rui)
        async with rui.line() as line:
            await open_page(line, page["document"])
            assert await line.log_in(f"space/{space}", "session") == "readonly"
            await rui.call("DELETE", f"/spaces/{space}/me")
            denied: set[str | None] = set()
            async with asyncio.timeout(house.at_once):
                while len(denied) < 2:
                    frame = await line.hear()
                    if frame.word == "denied removed":
                        denied.add(frame.key)
            assert denied == {page["document"], f"space/{space}"}
            await line.say(AUTH, b"\x00" + string("session") + string("4.8.0"), page["document"])
            assert (await line.hear_until("denied", key=page["document"]))[-1]


async def test_what_the_national_office_approves_opens_on_open_sockets(house):
    near = house.nodes[0].services
    async with (
        house.visitor(house.find("admin")) as ana,
        house.visitor(house.find("teacher", 1)) as rui,
    ):
        founder, guest = PersonId(ana.me["person"]["id"]), PersonId(rui.me["person"]["id"])
        lifecycle = Lifecycle(
            near.records, near.spaces, near.audit, near.notifications, near.clock, approval=True
        )
        made = await lifecycle.make(
            founder,
            kind=SpaceKind.GROUP,
            title="Bridges",
            summary="",
            languages=["en"],
            age_band=AgeBand.ADULTS,
        )
        olga = await near.people.add_adult(
            name="Olga", email="olga@office.example", password="estuary-lantern-41", school=None
        )
        await near.offices.appoint(olga, Office.OFFICER, ana.me["person"]["school"]["country"])
        await near.members.add_adult(made.id, guest, Role.GUEST)
        await near.spaces.change(founder, made.id, policy={"guests_read": True, "guests_edit": True})
        room = (await near.spaces.get(founder, made.id)).rooms[0]
        page = await ana.call("POST", f"/rooms/{room.id}/pages", {"title": "Bridges"})
        await ana.call("PATCH", f"/pages/{page['id']}", {"edit_rule": "everyone"})
        async with rui.line() as line:
            assert await line.log_in(page["document"], "session") == "readonly"
            await line.sync(page["document"])
            assert await status_of(line, Writer(), page["document"]) == "status 0"
            await near.lifecycle.decide(olga, made.id, approve=True)
            assert await access_told(line, house.at_once) == ("read-write", "")
            assert await status_of(line, Writer(), page["document"]) == "status 1"


async def test_what_the_national_office_takes_back_is_closed_on_open_sockets_at_once(house):
    near = house.nodes[0].services
    async with (
        house.visitor(house.find("admin")) as ana,
        house.visitor(house.find("student", 1)) as pupil,
    ):
        founder, space = PersonId(ana.me["person"]["id"]), SpaceId(pupil.space)
        olga = await near.people.add_adult(
            name="Olga", email="olga@office.example", password="estuary-lantern-41", school=None
        )
        await near.offices.appoint(olga, Office.OFFICER, ana.me["person"]["school"]["country"])
        async with near.records.writing() as tx:
            young = update_rows(spaces).where(spaces.c.id == space).values(age_band=AgeBand.FROM_12)
            await tx.do(young)
        wide = Lowered(page_editing=PageEditing.OPEN)
        asked = await near.proposals.ask_floor(founder, space, wide, "They are careful.")
        await near.proposals.decide(olga, asked.id, accept=True)
        await ana.call("PATCH", f"/spaces/{space}", {"policy": {"page_editing": "open"}})
        rooms = (await ana.call("GET", f"/spaces/{space}"))["rooms"]
        room = next(each["id"] for each in rooms if each["kind"] == "general")
        page = await ana.call("POST", f"/rooms/{room}/pages", {"title": "Bridges"})
        await ana.call("PATCH", f"/pages/{page['id']}", {"edit_rule": "everyone"})
        async with pupil.line() as line:
            await open_page(line, page["document"])
            assert await status_of(line, Writer(), page["document"]) == "status 1"
            await near.floors.take_back(olga, space, "There were complaints.")
            assert await access_told(line, house.at_once) == ("readonly", "policy")
            assert await status_of(line, Writer(), page["document"]) == "status 0"


async def test_a_muted_member_reads_and_does_not_write_until_it_is_lifted(house):
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        space, page = await editable_page(pupil)
        document, writer = page["document"], Writer()
        members = await teacher.call("GET", f"/spaces/{space}/members")
        member = next(each for each in members if each["person_id"] == pupil.me["person"]["id"])
        assert (member["can"]["mute"], member["mute"]) == (True, None)
        async with pupil.line() as line:
            await open_page(line, document)
            assert await status_of(line, writer, document) == "status 1"
            path = f"/memberships/{member['id']}/mute"
            muted = await teacher.call("PUT", path, {"reason": "Let others speak."})
            assert muted["mute"] == {"reason": "Let others speak.", "until": None}
            said = await notice(line, "access", house.at_once)
            assert (said["scope"], said["reason"], said["until"]) == ("readonly", "muted", None)
            assert await status_of(line, writer, document) == "status 0"
            await teacher.call("DELETE", path)
            assert (await notice(line, "access", house.at_once))["scope"] == "read-write"
            soon = house.nodes[0].services.clock() + house.at_once
            await teacher.call("PUT", path, {"reason": "A breath.", "until": soon})
            assert (await notice(line, "access", house.at_once))["scope"] == "readonly"
            said = await notice(line, "access", 2 * house.at_once)
            assert said["scope"] == "read-write"
        seen = await pupil.call("GET", f"/spaces/{space}/members")
        assert not any(each["mute"] or each["can"]["mute"] for each in seen)


async def test_a_teacher_of_another_school_is_muted_at_once_by_two_and_by_one_alone_not_at_all(house):
    admin, services = house.find("admin"), house.nodes[0].services
    eva = replace(admin, name="Eva Lanuza", email="eva@puentedepiedra.example")
    partner = next(each for each in house.demo.logins if each.role == "teacher")
    async with house.visitor(admin) as ana, house.visitor(partner) as rui:
        space, page = await editable_page(rui)
        person = await services.people.add_adult(
            name=eva.name,
            email=eva.email,
            password=eva.password,
            school=SchoolId(ana.me["person"]["school"]["id"]),
        )
        await services.members.add_adult(SpaceId(space), person, Role.ADMIN)
        document, writer = page["document"], Writer()
        members = {each["person_id"]: each for each in await ana.call("GET", f"/spaces/{space}/members")}
        concerned = members[rui.me["person"]["id"]]
        assert not concerned["founder"]
        assert (concerned["can"]["mute"], concerned["can"]["ask_mute"]) == (False, True)
        async with rui.line() as line, house.visitor(eva) as second:
            await open_page(line, document)
            alone = await ana.ask("PUT", f"/memberships/{concerned['id']}/mute", {"reason": "Loud."})
            assert alone[0] == 403
            wish = {"mute": {"member": concerned["id"]}, "because": "Loud."}
            asked = await ana.call("POST", f"/spaces/{space}/proposals", wish)
            decision = f"/proposals/{asked['id']}/decision"
            assert (await ana.ask("PUT", decision, {"accept": True}))[0] == 403
            assert await status_of(line, writer, document) == "status 1"
            await second.call("PUT", decision, {"accept": True})
            said = await notice(line, "access", house.at_once)
            assert (said["scope"], said["reason"], said["until"]) == ("readonly", "muted", None)
            assert await status_of(line, writer, document) == "status 0"
            await ana.call("DELETE", f"/memberships/{concerned['id']}/mute")
            assert (await notice(line, "access", house.at_once))["scope"] == "read-write"
            assert await status_of(line, writer, document) == "status 1"


async def test_a_log_out_closes_every_socket_of_that_log_in_for_good(house):
    async with house.visitor(house.find("student")) as pupil:
        _, page = await editable_page(pupil)
        async with pupil.line() as first, pupil.line() as second:
            await open_page(first, page["document"])
            await open_page(second, page["document"])
            await pupil.call("DELETE", "/session")
            for line in (first, second):
                assert (await notice(line, "bye", house.at_once))["reason"] == "logged-out"
                code, _ = await line.closed(house.at_once)
                assert code == 4401


async def test_a_new_card_ends_the_log_ins_of_the_old_one(house):
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        _, page = await editable_page(pupil)
        async with pupil.line() as line:
            await open_page(line, page["document"])
            await teacher.call("POST", f"/people/{pupil.me['person']['id']}/code")
            code, _ = await line.closed(house.at_once)
            assert code == 4401


async def test_y_websocket_clients_with_a_cookie_are_closed_when_removed(house):
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        space, page = await editable_page(pupil)
        members = await teacher.call("GET", f"/spaces/{space}/members")
        membership = next(each["id"] for each in members if each["person_id"] == pupil.me["person"]["id"])
        url = f"{pupil.address.replace('http', 'ws')}/collab/{page['document']}"
        headers = {"Cookie": pupil.cookie, "Origin": pupil.address}
        async with connect(url, additional_headers=headers, compression=None) as ws:
            line = Line(ws, keyed=False)
            await line.sync()
            await teacher.call("DELETE", f"/memberships/{membership}")
            code, reason = await line.closed(house.at_once)
            assert (code, reason) == (4403, "removed")


# Supervised rooms


async def set_state(house: House, teacher: Visitor, page: dict, state: str) -> None:
    """Gives the page's room a state; where no teacher is, writing there ends after a second."""
    for node in house.nodes:
        node.services.supervision.grace = 1.0
    await teacher.call("PUT", f"/rooms/{page['room_id']}/state", {"state": state})


async def access_told(line: Line, within: float) -> tuple[str, str]:
    said = await notice(line, "access", within)
    return said["scope"], said["reason"]


@pytest.mark.parametrize("house", ["one node", "two nodes"], indirect=True)
async def test_in_a_supervised_room_pupils_write_while_a_teacher_is_there(house):
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        space, page = await editable_page(pupil)
        document, writer = page["document"], Writer()
        async with pupil.line() as line, pupil.line() as home:
            assert await home.log_in(f"space/{space}", "session") == "readonly"
            await open_page(line, document)
            assert await status_of(line, writer, document) == "status 1"
            await set_state(house, teacher, page, "supervised")
            assert await access_told(line, house.at_once) == ("readonly", "supervised")
            assert await status_of(line, writer, document) == "status 0"
            assert "pages" in (await notice(home, "space", house.at_once))["changed"]
            async with teacher.line() as desk:
                assert await desk.log_in(f"space/{space}", "session") == "readonly"
                assert await access_told(line, house.at_once) == ("read-write", "")
                assert "pages" in (await notice(home, "space", house.at_once))["changed"]
                assert await status_of(line, Writer(), document) == "status 1"
            async with teacher.line() as desk:  # back before anybody takes notice
                assert await desk.log_in(document, "session") == "read-write"
                await asyncio.sleep(2.0)
                assert await status_of(line, Writer(), document) == "status 1"
            assert await access_told(line, 1.0 + house.at_once) == ("readonly", "supervised")
            assert await status_of(line, Writer(), document) == "status 0"
            rooms = (await pupil.call("GET", f"/spaces/{space}"))["rooms"]
            assert next(each["reason"] for each in rooms if each["id"] == page["room_id"]) == "supervised"
            await set_state(house, teacher, page, "open")
            assert await access_told(line, house.at_once) == ("read-write", "")


@pytest.mark.parametrize("house", ["one node", "two nodes"], indirect=True)
async def test_a_teacher_whose_line_breaks_for_a_moment_stops_nobody(house):
    async with (
        house.visitor(house.find("admin")) as teacher,
        house.visitor(house.find("student")) as pupil,
        pupil.line() as line,
    ):
        space, page = await editable_page(pupil)
        await set_state(house, teacher, page, "supervised")
        assert await line.log_in(page["document"], "session") == "readonly"
        for _ in range(3):
            async with teacher.line() as desk:
                assert await desk.log_in(f"space/{space}", "session") == "readonly"
                async with asyncio.timeout(house.at_once):
                    while (await pupil.call("GET", f"/pages/{page['id']}"))["scope"] != "read-write":
                        await asyncio.sleep(0.02)
                desk.ws.transport.abort()
        told = [await access_told(line, house.at_once) for _ in range(2)]
        assert told == [("readonly", "supervised"), ("read-write", "")]
        with pytest.raises(TimeoutError):
            await notice(line, "access", 0.5)


@pytest.mark.parametrize("house", ["two nodes without Redis"], indirect=True)
async def test_a_node_that_hears_of_no_other_counts_its_own_teachers_only(house):
    async with (
        house.visitor(house.find("admin")) as elsewhere,
        house.visitor(house.find("teacher", 1)) as teacher,
        house.visitor(house.find("student")) as pupil,
        elsewhere.line() as far,
        pupil.line() as line,
    ):
        space, page = await editable_page(pupil)
        assert await far.log_in(f"space/{space}", "session") == "readonly"
        await open_page(line, page["document"])
        await set_state(house, elsewhere, page, "supervised")
        assert await access_told(line, house.at_once) == ("readonly", "supervised")
        async with teacher.line() as desk:
            assert await desk.log_in(f"space/{space}", "session") == "readonly"
            assert await access_told(line, house.at_once) == ("read-write", "")


async def test_outside_a_rooms_opening_hours_pupils_read_only(house):
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        _, page = await editable_page(pupil)
        document, path = page["document"], f"/rooms/{page['room_id']}/hours"
        async with pupil.line() as line:
            await open_page(line, document)
            other_days = [day for day in range(1, 8) if day not in around_today()]
            room = await teacher.call("PUT", path, {"days": other_days, "from": "08:00", "to": "16:00"})
            assert (room["hours"]["from"], room["open_now"], room["reason"]) == ("08:00", True, "")
            said = await notice(line, "access", house.at_once)
            assert (said["scope"], said["reason"]) == ("readonly", "outside-hours")
            assert said["until"] > house.nodes[0].services.clock()
            assert await status_of(line, Writer(), document) == "status 0"
            await teacher.call("DELETE", path)
            assert await access_told(line, house.at_once) == ("read-write", "")


def around_today() -> set[int]:
    """Yesterday, today and tomorrow, wherever that is."""
    today = datetime.now(UTC).isoweekday()
    return {(today + offset - 1) % 7 + 1 for offset in (-1, 0, 1)}


async def test_pupils_whose_school_has_no_teacher_left_are_read_only(house):
    services = house.nodes[0].services
    school = await services.schools.add(
        name="Third School", town="Faro", country="PT", time_zone="Europe/Lisbon", languages=["pt"]
    )
    only = await services.people.add_adult(
        name="Inês Third", email="ines@third.example", password="estuary-lantern-41", school=school
    )
    async with house.visitor(house.find("admin")) as admin:
        space = SpaceId(admin.me["spaces"][0]["id"])
        member = await services.members.add_adult(space, only, Role.TEACHER)
        made = await services.people.make_pupils(only, school, space, ["Rui Third"])
        login = replace(house.find("student"), town="Faro", name="Rui Third", code=made[0].card.code)
        async with house.visitor(login) as pupil, pupil.line() as line:
            members = await admin.call("GET", f"/spaces/{space}/members")
            mine = next(each["id"] for each in members if each["person_id"] == pupil.me["person"]["id"])
            team = await admin.call(
                "POST", f"/spaces/{space}/rooms", {"title": "Third team", "kind": "team", "members": [mine]}
            )
            page = await pupil.call("POST", f"/rooms/{team['id']}/pages", {"title": "Ours"})
            await open_page(line, page["document"])
            await admin.call("PATCH", f"/memberships/{member}", {"role": "guest"})
            assert await access_told(line, house.at_once) == ("readonly", "no-teacher")
            assert await status_of(line, Writer(), page["document"]) == "status 0"
            await admin.call("PATCH", f"/memberships/{member}", {"role": "teacher"})
            assert await access_told(line, house.at_once) == ("read-write", "")
            await admin.call("DELETE", f"/memberships/{member}")
            assert await access_told(line, house.at_once) == ("readonly", "no-teacher")


@pytest.mark.parametrize("house", ["two nodes", "two nodes without Redis"], indirect=True)
async def test_whoever_missed_changes_asks_for_all_rights_anew(house):
    """A node that was away for longer than changes are kept."""
    async with house.visitor(house.find("admin")) as teacher, house.visitor(house.find("student")) as pupil:
        space, page = await editable_page(pupil)
        async with pupil.line() as line:
            await open_page(line, page["document"])
            assert await line.log_in(f"space/{space}", "session") == "readonly"
            records = house.nodes[-1].services.records
            look = records.changes_since

            async def pruned(number: int) -> Look:
                seen = await look(number)
                return Look([], seen.last, gap=True) if seen.changes else seen

            records.changes_since = pruned
            await teacher.call("PUT", f"/pages/{page['id']}/lock", {"reason": "We compare first."})
            heard: list[dict] = []
            async with asyncio.timeout(house.at_once):
                while not (
                    any(said["type"] == "space" and "pages" in said["changed"] for said in heard)
                    and any(said["type"] == "access" and said["reason"] == "locked" for said in heard)
                ):
                    frame = await line.hear()
                    if frame.type == 5:
                        heard.append(json.loads(frame.text))


@pytest.mark.parametrize("house", ["one node", "two nodes"], indirect=True)
async def test_presence_says_who_the_server_knows_not_who_the_client_claims_to_be(house):
    async with (
        house.visitor(house.find("admin")) as teacher,
        house.visitor(house.find("student", 1)) as pupil,
    ):
        _, page = await editable_page(pupil)
        document = page["document"]
        async with teacher.line() as desk, pupil.line() as line:
            await open_page(desk, document)
            await open_page(line, document)
            lie = {"user": {"name": "The head teacher", "role": "admin"}, "cursor": None}
            await line.say(AWARENESS, awareness({7: (1, lie)}), document)
            heard: Frame = (await desk.hear_until("awareness", key=document))[-1]
            user = presences(heard.body)[7][1]["user"]
            assert user["name"] == pupil.me["person"]["name"]
            assert (user["role"], user["country"]) == ("student", "PT")
            assert user["school"] == pupil.me["person"]["school"]["name"]


async def test_the_space_document_takes_no_edits_from_anybody(house):
    async with house.visitor(house.find("admin")) as teacher:
        space = teacher.me["spaces"][0]["id"]
        async with teacher.line() as desk:
            assert await desk.log_in(f"space/{space}", "session") == "readonly"
            assert await status_of(desk, Writer(), f"space/{space}") == "status 0"


async def test_a_cookie_does_not_count_on_a_socket_another_sites_page_opened(house):
    async with house.visitor(house.find("student")) as pupil:
        for origin in ("https://evil.example", "null", pupil.address + ".evil.example"):
            with pytest.raises(Exception, match="403"):
                async with connect(
                    pupil.address.replace("http", "ws") + "/collab",
                    additional_headers={"Cookie": pupil.cookie, "Origin": origin},
                ):
                    pass
