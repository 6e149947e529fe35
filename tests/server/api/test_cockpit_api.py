"""The teacher's cockpit over REST: what waits, who is silent, what is new since the last visit."""

from __future__ import annotations

import time
from typing import Any

import pycrdt
from sqlalchemy import update
from village_site import Site

from crdt.richtext import FRAGMENT
from rooms.storage import schema
from rooms.values import PageKind, ReportReason, ReportTarget, RoomId, ThreadId


async def write(site: Site, name: str, page: str) -> None:
    doc: pycrdt.Doc[pycrdt.XmlFragment] = pycrdt.Doc()
    doc.get(FRAGMENT, type=pycrdt.XmlFragment).children.append(
        pycrdt.XmlElement("paragraph", {}, [pycrdt.XmlText("Hello")])
    )
    async with site.house.node.registry.open(f"page/{page}") as room:
        await room.write(doc.get_update(), f"membership:{site.facts.members[name]}")
        await room.read()


async def joined_long_ago(site: Site) -> None:
    async with site.house.node.services.records.writing() as tx:
        await tx.do(update(schema.memberships).values(created_at=time.time() - 7_000))


async def look(site: Site, token: str) -> dict[str, Any]:
    answer = await site.call("GET", f"/spaces/{site.facts.spaces['rivers']}/cockpit", token=token)
    assert answer.status == 200
    return dict(answer.body)


async def test_what_is_new_since_the_last_visit(site: Site) -> None:
    facts, services = site.facts, site.house.node.services
    await joined_long_ago(site)
    teacher = await site.log_in("teacher")
    quiet = await look(site, teacher)
    assert (quiet["pages"], quiet["members"]) == ([], [])
    assert {facts.members["student"], facts.members["mate"], facts.members["pal"]} <= set(quiet["silent"])
    assert facts.members["founder"] not in quiet["silent"]

    await write(site, "student", facts.pages["open"])
    await write(site, "teacher", facts.pages["staff"])
    thread = await services.discussions.start(
        facts.people["teacher"], RoomId(facts.rooms["general"]), title="Otters", key="thread-0001"
    )
    for name in ("teacher", "mate"):
        await services.discussions.post(
            facts.people[name], ThreadId(thread.id), key=f"post-{name}-1", body="Hello"
        )
    seen = await look(site, teacher)
    assert [(page["id"], page["authors"]) for page in seen["pages"]] == [
        (facts.pages["open"], [facts.members["student"]])
    ]
    assert [(each["id"], each["new_posts"]) for each in seen["threads"]] == [(thread.id, 1)]
    silent = set(quiet["silent"]) - {facts.members["student"], facts.members["mate"]}
    assert set(seen["silent"]) == silent

    visit = await site.call("POST", f"/spaces/{facts.spaces['rivers']}/visit", token=teacher)
    assert visit.status == 204
    after = await look(site, teacher)
    assert after["since"] > seen["since"]
    assert (after["pages"], after["threads"]) == ([], [])
    assert set(after["silent"]) == silent
    await write(site, "pal", facts.pages["open"])
    again = await look(site, teacher)
    assert [page["authors"] for page in again["pages"]] == [[facts.members["pal"]]]


async def test_a_board_that_somebody_has_written_on_is_news_like_a_page(site: Site) -> None:
    facts, services = site.facts, site.house.node.services
    await joined_long_ago(site)
    board = await services.pages.create(
        facts.people["founder"], RoomId(facts.rooms["general"]), title="Ideas", kind=PageKind.BOARD
    )
    teacher = await site.log_in("teacher")
    assert (await look(site, teacher))["pages"] == []
    await write(site, "pal", board.id)
    seen = await look(site, teacher)
    assert [(page["title"], page["authors"]) for page in seen["pages"]] == [("Ideas", [facts.members["pal"]])]
    assert facts.members["pal"] not in seen["silent"]


async def test_the_counts_are_of_what_waits_for_the_one_who_asks(site: Site) -> None:
    facts, services = site.facts, site.house.node.services
    thread = await services.discussions.start(
        facts.people["teacher"], RoomId(facts.rooms["general"]), title="Otters", key="thread-0001"
    )
    await services.discussions.post(
        facts.people["student"], ThreadId(thread.id), key="post-held-1", body="otter@mail.example"
    )
    await services.members.mute(facts.people["teacher"], facts.members["mate"], "Let others speak.", None)
    await services.reports.send(
        facts.people["mate"],
        facts.spaces["rivers"],
        ReportTarget.PERSON,
        facts.members["student"],
        ReportReason.UNKIND,
    )
    counts = {name: (await look(site, await site.log_in(name)))["counts"] for name in ("teacher", "partner")}
    assert counts["teacher"] == {"held": 1, "reports": 1, "muted": 1}
    assert counts["partner"] == {"held": 0, "reports": 0, "muted": 0}
    held = await look(site, await site.log_in("teacher"))
    assert "otter@mail.example" not in str(held)
    assert facts.members["student"] not in held["silent"]
