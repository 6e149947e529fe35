"""Discussions over real sockets: commands and answers, what reaches whom, and what never does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from house import House, open_house
from visitors import Desk, Visitor, find, key, log_in
from wire import SYNC, string, update
from wire import Writer as PageWriter

from rooms.demo.furnish import Demo, furnish
from rooms.storage.schema import spaces
from rooms.values import AgeBand
from server.config import Settings

AT_ONCE = 2.0


@dataclass
class Class:
    """A teacher of each school and some pupils in one space, all logged in."""

    house: House
    demo: Demo
    teacher: Visitor
    partner: Visitor
    pupil: Visitor
    mate: Visitor
    pal: Visitor
    room: str
    stack: AsyncExitStack

    async def desk(self, visitor: Visitor, *documents: str) -> Desk:
        desk = await self.stack.enter_async_context(visitor.socket())
        for document in (f"space/{self.teacher.space}", *documents):
            assert await desk.open(document) in ("readonly", "read-write")
        return desk

    async def thread(self, **fields: Any) -> str:
        body = {"title": "Otters", "key": key(), **fields}
        return (await self.teacher.call("POST", f"/rooms/{self.room}/threads", body))["id"]

    async def hold(self) -> None:
        await self.teacher.call("PATCH", f"/spaces/{self.teacher.space}", {"policy": {"posting": "hold"}})


@pytest_asyncio.fixture
async def school(tmp_path: Path) -> AsyncIterator[Class]:
    data = tmp_path / "data"
    demo = await furnish(Settings(data=data).records_file)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(data))
        visitors = [
            await stack.enter_async_context(log_in(house.url, find(demo, role, place, number)))
            for role, place, number in (
                ("admin", 0, 0),
                ("teacher", 1, 0),
                ("student", 0, 0),
                ("student", 0, 1),
                ("student", 1, 0),
            )
        ]
        space = await visitors[0].call("GET", f"/spaces/{visitors[0].space}")
        room = next(each["id"] for each in space["rooms"] if each["kind"] == "general")
        yield Class(house, demo, *visitors, room, stack)


async def test_a_post_reaches_every_reader_and_its_author_has_an_answer(school: Class) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    pupil, pal = await school.desk(school.pupil, document), await school.desk(school.pal, document)
    answer = await pupil.command(document, "post", thread_id=thread, body="I saw one!")
    assert answer["ok"], answer
    made = answer["result"]
    assert (made["state"], made["number"]) == ("visible", 1)
    for desk in (pupil, pal):
        await desk.until(lambda desk=desk: made["id"] in desk.posts(thread), AT_ONCE)
        assert desk.posts(thread)[made["id"]]["body"] == "I saw one!"


async def test_pupils_see_which_reactions_there_are_and_never_whose_or_how_many(school: Class) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    pupil, pal = await school.desk(school.pupil, document), await school.desk(school.pal, document)
    watching = await school.desk(school.teacher, document)
    made = (await pupil.command(document, "post", thread_id=thread, body="I saw one!"))["result"]["id"]
    for desk in (pal, watching):
        assert (await desk.command(document, "react", post_id=made, mark="heart"))["ok"]
    for desk in (pupil, pal, watching):
        await desk.until(lambda desk=desk: desk.posts(thread).get(made, {}).get("marks"), AT_ONCE)
        assert desk.posts(thread)[made]["marks"] == ["heart"]
        assert "reactions" not in desk.posts(thread)[made]
    for who, mine in (
        (school.pal, {made: ["heart"]}),
        (school.teacher, {made: ["heart"]}),
        (school.pupil, {}),
    ):
        told = await who.call("GET", f"/threads/{thread}")
        assert (told["counts"], told["my_marks"]) == (False, mine)
    assert (await pal.command(document, "unreact", post_id=made, mark="heart"))["ok"]
    assert (await watching.command(document, "unreact", post_id=made, mark="heart"))["ok"]
    await pupil.until(lambda: not pupil.posts(thread)[made]["marks"], AT_ONCE)


async def test_nobody_sees_who_voted_staff_how_many_and_pupils_what_was_chosen_in_the_end(
    school: Class,
) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    pupil, pal = await school.desk(school.pupil, document), await school.desk(school.pal, document)
    watching = await school.desk(school.teacher, document)
    made = (
        await watching.command(
            document, "post", thread_id=thread, body="Which river?", options=["Ebro", "Douro"]
        )
    )["result"]["id"]
    for desk in (pupil, pal):
        await desk.until(lambda desk=desk: made in desk.posts(thread), AT_ONCE)

    def heard(desk: Desk) -> tuple[int, int]:
        """Updates of the document, and notices of the space."""
        updates = [frame for frame in desk.heard if frame.key == document and frame.word == "update"]
        return len(updates), len([said for said in desk.said if said["type"] == "space"])

    before = {desk: heard(desk) for desk in (pupil, pal, watching)}
    assert (await pupil.command(document, "vote", post_id=made, option=1))["ok"]
    await watching.until(lambda: heard(watching)[1] > before[watching][1], AT_ONCE)
    assert {"type": "space", "changed": ["mine"]} in watching.said
    assert (await pal.command(document, "vote", post_id=made, option=1))["ok"]
    await school.teacher.call("PUT", f"/posts/{made}/vote", {"option": 0})
    told = {who: await who.call("GET", f"/threads/{thread}") for who in (school.teacher, school.pal)}
    assert [(each["my_votes"], each["votes"]) for each in told.values()] == [
        ({made: 0}, {made: [1, 2]}),
        ({made: 1}, {}),
    ]
    # An answer to each comes after all that was sent to them before.
    for desk in (pupil, pal):
        refused = await desk.command(document, "close-poll", post_id=made)
        assert (refused["ok"], refused["code"]) == (False, "not-allowed")
        assert heard(desk) == before[desk]
    assert (await watching.command(document, "close-poll", post_id=made))["ok"]
    for desk in (pupil, pal, watching):
        await desk.until(lambda desk=desk: desk.posts(thread)[made]["closed"], AT_ONCE)
        assert desk.posts(thread)[made]["chosen"] == [1, 0]
        assert "votes" not in desk.posts(thread)[made]
    late = await pal.command(document, "vote", post_id=made, option=0)
    assert (late["ok"], late["code"]) == (False, "poll-closed")


async def test_where_reactions_are_off_a_react_is_refused_kindly(school: Class) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    made = (await school.teacher.call("POST", f"/threads/{thread}/posts", {"key": key(), "body": "Hello"}))[
        "id"
    ]
    space = school.teacher.space
    async with school.house.node.services.records.writing() as tx:
        await tx.do(spaces.update().where(spaces.c.id == space).values(age_band=AgeBand.UP_TO_6))
    desk = await school.desk(school.teacher, document)
    refused = await desk.command(document, "react", post_id=made, mark="heart")
    assert (refused["code"], refused["details"]) == ("not-allowed", {"reason": "reactions-off"})
    assert "kind word" in refused["message"]
    status, said = await school.teacher.ask("PUT", f"/posts/{made}/reactions/heart")
    assert (status, said["error"]["details"]) == (403, {"reason": "reactions-off"})


async def test_the_same_command_twice_posts_once(school: Class) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    desk, mine = await school.desk(school.pupil, document), key()
    answers = [
        await desk.command(document, "post", key=mine, thread_id=thread, body="Once") for _ in range(2)
    ]
    assert answers[0]["result"]["id"] == answers[1]["result"]["id"]
    assert (await school.pupil.call("GET", f"/threads/{thread}"))["posts_count"] == 1


async def test_nobody_writes_into_a_threads_document(school: Class) -> None:
    """Not even a teacher: what stands there the server has checked."""
    document = f"thread/{await school.thread()}"
    for who in (school.pupil, school.teacher):
        desk = await school.desk(who, document)
        await desk.line.say(SYNC, update(PageWriter().insert("forged")), document)
        assert (await desk.line.hear_until("status", key=document))[-1].word == "status 0"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"do": "post"}, "invalid"),
        ({"do": "post", "thread_id": "nothing", "body": "x"}, "not-found"),
        ({"do": "post", "thread_id": 7, "body": "x"}, "invalid"),
        ({"do": "post", "thread_id": "x", "body": "x", "number": 1}, "invalid"),
        ({"do": "erase-everything"}, "no-such-command"),
        ({"do": ["post"]}, "no-such-command"),
        ({"do": "approve", "post_id": "nothing"}, "not-found"),
        ({"do": "post", "thread_id": "x", "body": "x\x00"}, "invalid"),
        ({"key": "short", "do": "post"}, "invalid"),
        ({"key": None, "do": "post"}, "invalid"),
    ],
)
async def test_a_bad_command_gets_a_clear_answer(school: Class, sent: dict[str, Any], code: str) -> None:
    space = f"space/{school.pupil.space}"
    desk = await school.desk(school.pupil)
    sent = {"type": "command", "key": key(), **sent}
    await desk.line.say(5, string(json.dumps(sent)), space)
    await desk.until(lambda: any(said["type"] == "answer" for said in desk.said), AT_ONCE)
    answer = next(said for said in desk.said if said["type"] == "answer")
    assert (answer["ok"], answer["code"]) == (False, code)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        "[]",
        '"command"',
        "[" * 30_000,
        '{"type": "other"}',
        "null",
        r'{"type": "command", "key": "\ud800-no-text", "do": "post"}',
        '{"type": "command", "key": NaN}',
    ],
)
async def test_what_is_no_command_gets_no_answer_and_harms_nothing(school: Class, payload: str) -> None:
    desk = await school.desk(school.pupil)
    document = f"space/{school.pupil.space}"
    before = len(desk.heard)
    await desk.line.say(5, string(payload), document)
    thread = await school.thread()
    assert (await desk.command(document, "post", thread_id=thread, body="Still here"))["ok"]
    assert all(frame.type != 8 for frame in desk.heard[before:])


async def test_a_held_post_is_seen_by_nobody_until_it_is_approved(school: Class) -> None:
    """The canary is looked for in every frame of every socket that may not see it."""
    await school.hold()
    thread = await school.thread()
    document = f"thread/{thread}"
    desks = {
        name: await school.desk(visitor, document)
        for name, visitor in (
            ("pupil", school.pupil),
            ("mate", school.mate),
            ("pal", school.pal),
            ("partner", school.partner),
            ("teacher", school.teacher),
        )
    }
    answer = await desks["pupil"].command(document, "post", thread_id=thread, body="canary-one")
    made = answer["result"]
    assert (made["state"], made["reasons"]) == ("held", ["policy"])
    await desks["teacher"].until(
        lambda: any("held" in said.get("changed", ()) for said in desks["teacher"].said), AT_ONCE
    )
    held = await school.teacher.call("GET", f"/spaces/{school.teacher.space}/held")
    assert [each["post"]["body"] for each in held] == ["canary-one"]
    others = await school.partner.call("GET", f"/spaces/{school.partner.space}/held")
    assert thread not in [each["post"]["thread_id"] for each in others]
    for visitor in (school.mate, school.pal, school.partner):
        for path in (f"/threads/{thread}", f"/spaces/{visitor.space}/threads"):
            assert "canary" not in json.dumps(await visitor.call("GET", path))
        for do, more in (("react", {"mark": "heart"}), ("hide", {}), ("edit", {"body": "Mine now"})):
            refused = await desks["mate"].command(document, do, post_id=made["id"], **more)
            assert refused["code"] == "not-found"
    fresh = await school.desk(school.mate, document)
    assert made["id"] not in fresh.posts(thread)
    rejected = await desks["pupil"].command(document, "post", thread_id=thread, body="canary-two")
    await school.teacher.call("PUT", f"/posts/{rejected['result']['id']}/decision", {"approve": False})
    with pytest.raises(TimeoutError):
        await desks["mate"].hear(0.3)
    for name in ("mate", "pal", "partner"):
        while True:
            try:
                await desks[name].hear(0.1)
            except TimeoutError:
                break
        assert not [frame for frame in desks[name].heard if b"canary" in frame.body], name
        assert not any("held" in said.get("changed", ()) for said in desks["mate"].said)
    await school.teacher.call("PUT", f"/posts/{made['id']}/decision", {"approve": True})
    for desk in desks.values():
        await desk.until(lambda desk=desk: made["id"] in desk.posts(thread), AT_ONCE)
    assert not [frame for frame in desks["mate"].heard if b"canary-two" in frame.body]


async def test_a_hidden_post_leaves_every_screen_and_no_newcomer_gets_it(school: Class) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    pupil, mate = await school.desk(school.pupil, document), await school.desk(school.mate, document)
    made = (await pupil.command(document, "post", thread_id=thread, body="canary"))["result"]["id"]
    await mate.until(lambda: made in mate.posts(thread), AT_ONCE)
    teacher = await school.desk(school.teacher, document)
    assert (await teacher.command(document, "hide", post_id=made, because="Not kind"))["ok"]
    await mate.until(lambda: mate.posts(thread)[made]["state"] == "hidden", 1.0)
    fresh = await school.desk(school.pal, document)
    assert fresh.posts(thread)[made]["body"] == ""
    assert not [frame for frame in fresh.heard if b"canary" in frame.body]
    status, said = await school.mate.ask("GET", f"/posts/{made}/original")
    assert (status, said["error"]["code"]) == (403, "not-allowed")
    assert (await school.teacher.call("GET", f"/posts/{made}/original"))["body"] == "canary"
    await teacher.command(document, "restore", post_id=made)
    await fresh.until(lambda: fresh.posts(thread)[made]["body"] == "canary", 1.0)


async def test_freeze_stops_every_post_at_once(school: Class) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    desks = [await school.desk(each, document) for each in (school.pupil, school.pal, school.partner)]
    await school.teacher.call("PUT", f"/spaces/{school.teacher.space}/freeze")
    for desk in desks:
        answer = await desk.command(document, "post", thread_id=thread, body="Late")
        assert (answer["code"], answer["details"]) == ("not-allowed", {"reason": "space-frozen"})
        await desk.until(
            lambda desk=desk: any(
                said["type"] == "access" and said["reason"] == "space-frozen" for said in desk.said
            ),
            AT_ONCE,
        )


async def test_a_removed_pupil_posts_no_more(school: Class) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    desk = await school.desk(school.pupil, document)
    members = await school.teacher.call("GET", f"/spaces/{school.teacher.space}/members")
    member = next(each["id"] for each in members if each["person_id"] == school.pupil.me["person"]["id"])
    await school.teacher.call("DELETE", f"/memberships/{member}")
    await desk.until(
        lambda: (
            {frame.key for frame in desk.heard if frame.word == "denied removed"}
            == {document, f"space/{school.pupil.space}"}
        ),
        AT_ONCE,
    )
    await desk.line.say(
        5,
        string(json.dumps({"type": "command", "key": key(), "do": "post", "thread_id": thread, "body": "x"})),
        document,
    )
    with pytest.raises(TimeoutError):
        await desk.hear(0.5)
    assert (await school.pupil.ask("GET", f"/threads/{thread}"))[0] == 404


async def test_questions_reach_the_own_teachers_only(school: Class) -> None:
    """Ana is the only teacher of her school here; so the other admin sees it too, or it cannot be asked."""
    asking = {"title": "Somebody is unkind", "kind": "ask", "key": key(), "body": "canary"}
    status, said = await school.pupil.ask("POST", f"/rooms/{school.room}/threads", asking)
    assert (status, said["error"]["details"]["reason"]) == (403, "two-adults")
    members = await school.teacher.call("GET", f"/spaces/{school.teacher.space}/members")
    rui = next(each["id"] for each in members if each["person_id"] == school.partner.me["person"]["id"])
    await school.teacher.call("PATCH", f"/memberships/{rui}", {"role": "admin"})
    mate_listens, teacher_listens = await school.desk(school.mate), await school.desk(school.teacher)
    asked = await school.pupil.call("POST", f"/rooms/{school.room}/threads", asking)
    document = asked["document"]
    await teacher_listens.until(
        lambda: any("threads" in said.get("changed", ()) for said in teacher_listens.said), AT_ONCE
    )
    assert await teacher_listens.open(document) == "readonly"
    assert await (await school.desk(school.partner)).open(document) == "readonly"
    for visitor in (school.mate, school.pal):
        desk = await school.desk(visitor)
        assert (await desk.open(document)).startswith("denied")
        assert not [frame for frame in desk.heard if b"canary" in frame.body]
    with pytest.raises(TimeoutError):
        await mate_listens.hear(0.3)


async def test_posts_of_one_socket_keep_their_order(school: Class) -> None:
    thread = await school.thread()
    document = f"thread/{thread}"
    desk = await school.desk(school.pupil, document)
    keys = [key() for _ in range(20)]
    for number, each in enumerate(keys):
        sent = {"type": "command", "key": each, "do": "post", "thread_id": thread, "body": f"Post {number}"}
        await desk.line.say(5, string(json.dumps(sent)), document)
    await desk.until(lambda: sum(said["type"] == "answer" for said in desk.said) == 20, 20.0)
    await desk.until(lambda: len(desk.posts(thread)) == 20, AT_ONCE)
    ordered = sorted(desk.posts(thread).values(), key=lambda post: post["number"])
    assert [post["body"] for post in ordered] == [f"Post {number}" for number in range(20)]


async def test_too_many_commands_at_once_are_answered_and_the_socket_lives(school: Class) -> None:
    space = f"space/{school.pupil.space}"
    desk = await school.desk(school.pupil)
    for _ in range(80):
        sent = {"type": "command", "key": key(), "do": "lower-hand", "thread_id": "nothing"}
        await desk.line.say(5, string(json.dumps(sent)), space)
    await desk.until(lambda: sum(said["type"] == "answer" for said in desk.said) == 80, 20.0)
    assert {said["code"] for said in desk.said if said["type"] == "answer"} <= {
        "not-found",
        "too-many-requests",
    }
    await asyncio.sleep(0)
    assert (await desk.command(space, "lower-hand", thread_id="nothing", within=20.0))["code"] == "not-found"
