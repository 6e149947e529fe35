"""Reports over real ports and sockets: who hears of one, and that the person concerned never does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from house import open_house
from visitors import Desk, Visitor, find, log_in

from rooms.demo.furnish import furnish
from server.config import Settings

AT_ONCE = 2.0
PEOPLE = {
    "admin": ("admin", 0, 0),
    "partner": ("teacher", 1, 0),
    "pupil": ("student", 0, 0),
    "pal": ("student", 1, 0),
}


@dataclass
class Place:
    """An admin of one school, the teacher of the other, and a pupil of each, with their sockets open."""

    visitors: dict[str, Visitor]
    members: dict[str, str]
    desks: dict[str, Desk]

    @property
    def space(self) -> str:
        return self.visitors["admin"].space

    async def report(self, by: str, about: str) -> dict[str, Any]:
        body = {
            "target": "person",
            "target_id": self.members[about],
            "reason": "unwelcome",
            "words": "canary-words",
        }
        made: dict[str, Any] = await self.visitors[by].call("POST", f"/spaces/{self.space}/reports", body)
        return made

    async def hears(self, who: str) -> None:
        desk = self.desks[who]
        seen = len(desk.said)
        await desk.until(
            lambda: any("reports" in said.get("changed", ()) for said in desk.said[seen:]), AT_ONCE
        )

    async def hears_nothing(self, who: str) -> None:
        with pytest.raises(TimeoutError):
            await self.desks[who].hear(0.5)


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    data = tmp_path / "data"
    demo = await furnish(Settings(data=data).records_file)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(data))
        visitors = {
            name: await stack.enter_async_context(log_in(house.url, find(demo, *which)))
            for name, which in PEOPLE.items()
        }
        listed = await visitors["admin"].call("GET", f"/spaces/{visitors['admin'].space}/members")
        ids = {member["person_id"]: member["id"] for member in listed}
        members = {name: ids[visitor.me["person"]["id"]] for name, visitor in visitors.items()}
        desks = {}
        for name, visitor in visitors.items():
            desk = desks[name] = await stack.enter_async_context(visitor.socket())
            assert await desk.open(f"space/{visitor.space}") in ("readonly", "read-write")
        for desk in desks.values():
            with pytest.raises(TimeoutError):
                while True:
                    await desk.hear(0.3)
        yield Place(visitors, members, desks)


@pytest.mark.parametrize(
    ("by", "concerned", "handler"), [("pal", "partner", "admin"), ("pal", "admin", "partner")]
)
async def test_the_person_concerned_hears_nothing_while_the_other_handles_it(
    place: Place, by: str, concerned: str, handler: str
) -> None:
    log, reports = f"/spaces/{place.space}/audit", f"/spaces/{place.space}/reports"
    before = {path: await place.visitors[concerned].call("GET", path) for path in (log, reports)}
    report = await place.report(by, concerned)
    await place.hears(handler)
    seen = {each["id"]: each for each in await place.visitors[handler].call("GET", reports)}
    assert seen[report["id"]]["words"] == "canary-words"
    await place.visitors[handler].call("PUT", f"/reports/{report['id']}/taken")
    await place.hears(by)
    await place.visitors[handler].call("PUT", f"/reports/{report['id']}/answer", {"answer": "Thank you."})
    await place.hears(by)
    for who in (concerned, "pupil"):
        await place.hears_nothing(who)
    visitor = place.visitors[concerned]
    for path, was in before.items():
        assert await visitor.call("GET", path) == was
    assert await visitor.call("GET", "/me/reports") == {"sent": [], "escalated": []}
    for step, body in (("taken", None), ("answer", {"answer": "It is nothing."})):
        real = await visitor.ask("PUT", f"/reports/{report['id']}/{step}", body)
        assert real == await visitor.ask("PUT", f"/reports/no-such-report/{step}", body)
        assert real[0] == 404
    mine = await place.visitors[by].call("GET", "/me/reports")
    assert [(each["state"], each["answer"]) for each in mine["sent"]] == [("answered", "Thank you.")]
    for desk in place.desks.values():
        assert b"canary" not in b"".join(frame.body for frame in desk.heard)


async def test_what_was_sent_badly_is_refused(place: Place) -> None:
    good = {"target": "person", "target_id": place.members["pal"], "reason": "unkind"}
    for bad in (
        {**good, "target": "space"},
        {**good, "reason": "grooming"},
        {**good, "target_id": "../x"},
        {**good, "target_id": ["x"]},
        {**good, "words": "x" * 2_001},
        {**good, "words": "x\x00"},
        {**good, "concerned": place.members["pupil"]},
        {"target": "person"},
    ):
        status, said = await place.visitors["pupil"].ask("POST", f"/spaces/{place.space}/reports", bad)
        assert (status, said["error"]["code"]) == (422, "invalid"), bad
    status, _ = await place.visitors["admin"].ask("GET", f"/spaces/{place.space}/audit?before=0")
    assert status == 422


async def test_the_audit_log_is_read_page_by_page(place: Place) -> None:
    admin = place.visitors["admin"]
    for number in range(30):
        mute = f"/memberships/{place.members['pupil']}/mute"
        await admin.call("PUT", mute, {"reason": f"Step {number}."})
        await admin.call("DELETE", mute)
    path = f"/spaces/{place.space}/audit"
    first = await admin.call("GET", path)
    second = await admin.call("GET", f"{path}?before={first[-1]['number']}")
    assert (len(first), first[0]["action"], first[0]["concerned"]) == (50, "unmuted", place.members["pupil"])
    numbers = [entry["number"] for entry in first + second]
    assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
    mine = await place.visitors["pupil"].call("GET", path)
    assert {entry["concerned"] for entry in mine} == {place.members["pupil"]}
    assert await place.visitors["pal"].call("GET", path) == []
    assert "Step 3." in json.dumps(second)
