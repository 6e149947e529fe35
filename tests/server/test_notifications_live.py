"""Notifications over real ports and sockets: what a person has open hears of them, and nobody else's does."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from house import open_house
from visitors import find, log_in

from rooms.demo.furnish import furnish
from rooms.values import PersonId, SpaceId
from server.config import Settings

AT_ONCE = 2.0


async def test_only_the_person_hears_of_it_in_whatever_space(tmp_path: Path) -> None:
    data = tmp_path / "data"
    demo = await furnish(Settings(data=data).records_file)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(data))
        who = {"admin": ("admin", 0, 0), "partner": ("teacher", 1, 0)}
        visitors = {
            name: await stack.enter_async_context(log_in(house.url, find(demo, *which)))
            for name, which in who.items()
        }
        desks = {}
        for name, visitor in visitors.items():
            desks[name] = await stack.enter_async_context(visitor.socket())
            assert await desks[name].open(f"space/{visitor.space}") in ("readonly", "read-write")
        admin, services = visitors["admin"], house.node.services
        already = {name: await visitor.call("GET", "/me/notifications") for name, visitor in visitors.items()}
        for space in (None, SpaceId(admin.space)):
            seen = len(desks["admin"].said)
            async with services.records.writing() as tx:
                await services.notifications.tell(
                    tx, [PersonId(admin.me["person"]["id"])], "report", space, f"report/in-{space}"
                )
            await desks["admin"].until(
                lambda seen=seen: (
                    {"type": "space", "changed": ["notifications"]} in desks["admin"].said[seen:]
                ),
                AT_ONCE,
            )
        listed = await admin.call("GET", "/me/notifications")
        assert [each["ref"][:10] for each in listed["notifications"][:2]] == ["report/in-", "report/in-"]
        assert listed["unread"] == already["admin"]["unread"] + 2
        await admin.call("POST", "/me/notifications/read", {"until": listed["notifications"][0]["at"]})
        assert (await admin.call("GET", "/me/notifications"))["unread"] == 0
        assert await visitors["partner"].call("GET", "/me/notifications") == already["partner"]
        with pytest.raises(TimeoutError):
            await desks["partner"].hear(0.5)
