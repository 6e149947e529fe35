"""The documents of threads say what the records say, and never what may not be seen."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from gated_log import GatedLog
from sqlalchemy import update
from village import Village, open_services

from crdt.scribe import Scribe
from rooms.documents.live import Shelf
from rooms.documents.registry import Registry
from rooms.rights.access import Change
from rooms.storage.schema import spaces
from rooms.talk.projection import Projection
from rooms.values import AgeBand, PostId, ThreadId

keys = (f"key-{number:08}" for number in itertools.count())


@asynccontextmanager
async def standing_by(
    village: Village, folder: Path, log: GatedLog | None = None
) -> AsyncIterator[tuple[Registry, Projection]]:
    log = log or GatedLog(folder)
    await log.open()
    registry = Registry(Shelf(log))
    projection = Projection(village.services.records, registry, village.services.changes)
    try:
        yield registry, projection
    finally:
        await projection.close()
        await registry.drain()
        await log.close()


async def read(registry: Registry, thread: str) -> dict[str, dict[str, Any]]:
    """The maps of a thread's document as a fresh client gets them."""
    async with registry.open(f"thread/{thread}") as room:
        state = await room.read()
    scribe = Scribe()
    scribe.learn(state)
    return {root: scribe.entries(root) for root in ("thread", "posts", "hands")}


async def start(village: Village) -> ThreadId:
    made = await village.services.discussions.start(
        village.person("teacher"), village.facts.rooms["general"], title="Otters", key=next(keys)
    )
    return ThreadId(made.id)


async def age(village: Village, band: AgeBand) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(update(spaces).where(spaces.c.id == village.space).values(age_band=band))


async def post(village: Village, who: str, thread: ThreadId, body: str) -> PostId:
    made = await village.services.discussions.post(village.person(who), thread, key=next(keys), body=body)
    return PostId(made.id)


async def test_everything_that_may_be_seen_is_in_the_document(village: Village, tmp_path: Path) -> None:
    services = village.services
    async with standing_by(village, tmp_path) as (registry, projection):
        thread = await start(village)
        first, second = (
            await post(village, "student", thread, "One"),
            await post(village, "pal", thread, "Two"),
        )
        await services.discussions.react(village.person("pal"), first, "heart", on=True)
        await services.discussions.raise_hand(village.person("mate"), thread, up=True)
        await services.discussions.change(village.person("teacher"), thread, pinned=True)
        await projection.settled()
        seen = await read(registry, thread)
        assert seen["thread"]["title"] == "Otters"
        assert seen["thread"]["pinned"] is True
        assert {id: (post["number"], post["body"]) for id, post in seen["posts"].items()} == {
            first: (1, "One"),
            second: (2, "Two"),
        }
        assert seen["posts"][first]["author"] == village.member("student")
        assert seen["posts"][first]["marks"] == ["heart"]
        assert seen["hands"] == {village.member("mate"): village.clock.now}
        await services.discussions.raise_hand(village.person("mate"), thread, up=False)
        await services.discussions.react(village.person("pal"), first, "heart", on=False)
        await projection.settled()
        seen = await read(registry, thread)
        assert (seen["hands"], seen["posts"][first]["marks"]) == ({}, [])


async def test_who_reacted_and_how_many_is_told_among_adults_only(village: Village, tmp_path: Path) -> None:
    services = village.services
    async with standing_by(village, tmp_path) as (registry, projection):
        thread = await start(village)
        first = await post(village, "teacher", thread, "One")
        for who, mark in (("pal", "heart"), ("mate", "heart"), ("mate", "idea")):
            await services.discussions.react(village.person(who), first, mark, on=True)
        await projection.settled()
        async with registry.open(f"thread/{thread}") as room:
            state = await room.read()
        assert not any(village.member(who).encode() in state for who in ("pal", "mate"))
        seen = (await read(registry, thread))["posts"][first]
        assert seen["marks"] == ["heart", "idea"]
        assert "reactions" not in seen
        await services.discussions.react(village.person("pal"), first, "heart", on=False)
        await projection.settled()
        assert (await read(registry, thread))["posts"][first] == seen
        await services.discussions.react(village.person("mate"), first, "heart", on=False)
        await projection.settled()
        assert (await read(registry, thread))["posts"][first]["marks"] == ["idea"]
        await age(village, AgeBand.ADULTS)
        await services.discussions.react(village.person("partner"), first, "idea", on=True)
        await projection.settled()
        seen = (await read(registry, thread))["posts"][first]
        assert seen["reactions"] == {"idea": sorted([village.member("mate"), village.member("partner")])}
        assert "marks" not in seen


async def test_what_an_older_server_told_of_reactions_is_taken_out(village: Village, tmp_path: Path) -> None:
    """The document says who has reacted, and no version has changed since."""
    await age(village, AgeBand.ADULTS)
    async with standing_by(village, tmp_path) as (registry, projection):
        thread = await start(village)
        first = await post(village, "teacher", thread, "One")
        await village.services.discussions.react(village.person("pal"), first, "heart", on=True)
        await projection.settled()
        assert (await read(registry, thread))["posts"][first]["reactions"]
    await age(village, AgeBand.FROM_7)
    async with standing_by(village, tmp_path) as (registry, projection):
        async with registry.open(f"thread/{thread}") as room:
            await projection.settled()
            state = await room.read()
            assert not any(village.member("pal").encode() in part for part in (state, *room.since(b"\0")))
        assert (await read(registry, thread))["posts"][first]["marks"] == ["heart"]


async def test_held_rejected_and_hidden_words_are_not_in_it(village: Village, tmp_path: Path) -> None:
    services = village.services
    async with standing_by(village, tmp_path) as (registry, projection):
        thread = await start(village)
        hidden = await post(village, "student", thread, "canary-hidden")
        await projection.settled()
        assert (await read(registry, thread))["posts"][hidden]["body"] == "canary-hidden"
        await services.moderation.hide(village.person("teacher"), hidden)
        rejected = await post(village, "student", thread, "canary-rejected otter@mail.example")
        await services.moderation.decide(village.person("teacher"), rejected, approve=False)
        await post(village, "student", thread, "canary-held otter@mail.example")
        edited = await post(village, "mate", thread, "Fine")
        await services.discussions.edit(village.person("mate"), edited, "canary-edit otter@mail.example")
        await projection.settled()
        async with registry.open(f"thread/{thread}") as room:
            state = await room.read()
            assert not any(b"canary" in part for part in room.since(b"\0"))
        assert b"canary" not in state
        posts = (await read(registry, thread))["posts"]
        assert set(posts) == {hidden, edited}
        assert posts[hidden]["state"] == "hidden"
        assert posts[hidden]["hidden_by"] == village.member("teacher")
        await services.moderation.restore(village.person("teacher"), hidden)
        await projection.settled()
        assert (await read(registry, thread))["posts"][hidden]["body"] == "canary-hidden"


async def test_what_was_not_written_is_found_when_the_thread_is_opened(
    village: Village, tmp_path: Path
) -> None:
    """The node died between the records' commit and the document's."""
    thread = await start(village)
    first = await post(village, "student", thread, "One")
    async with standing_by(village, tmp_path) as (registry, projection):
        assert (await read(registry, thread))["posts"].keys() <= {first}
        await projection.settled()
        assert (await read(registry, thread))["posts"].keys() == {first}
    await village.services.moderation.hide(village.person("teacher"), first)
    async with standing_by(village, tmp_path) as (registry, projection):
        async with registry.open(f"thread/{thread}"):
            await projection.settled()
        assert (await read(registry, thread))["posts"][first]["body"] == ""


async def test_opening_again_and_again_writes_nothing(village: Village, tmp_path: Path) -> None:
    thread = await start(village)
    for number in range(5):
        await post(village, "student", thread, f"Post {number}")
    async with standing_by(village, tmp_path) as (registry, projection):
        await read(registry, thread)
        await projection.settled()
        head = (await registry.shelf.log.heads([f"thread/{thread}"]))[f"thread/{thread}"]
    for _ in range(3):
        async with standing_by(village, tmp_path) as (registry, projection):
            await read(registry, thread)
            await projection.settled()
            assert (await registry.shelf.log.heads([f"thread/{thread}"]))[f"thread/{thread}"] == head


async def test_a_name_that_is_no_thread_is_left_alone(village: Village, tmp_path: Path) -> None:
    async with standing_by(village, tmp_path) as (registry, projection):
        assert (await read(registry, "nothing"))["posts"] == {}
        await projection.settled()
        assert await registry.shelf.log.heads(["thread/nothing"]) == {}


async def test_what_was_posted_while_the_log_failed_is_shown_when_it_is_back(
    village: Village, tmp_path: Path
) -> None:
    """The post is in the records, so its author has been told that it is safe."""
    log = GatedLog(tmp_path)
    async with standing_by(village, tmp_path, log) as (registry, projection):
        thread = await start(village)
        await projection.settled()
        log.fail()
        made = await post(village, "student", thread, "One")
        await asyncio.sleep(0.2)
        assert (await read(registry, thread))["posts"] == {}
        log.heal()
        await projection.settled()
        assert (await read(registry, thread))["posts"].keys() == {made}


@pytest.mark.parametrize("missed", [False, True])
async def test_what_another_node_did_not_live_to_write_is_written_by_who_has_it_open(
    village: Village, tmp_path: Path, missed: bool
) -> None:
    """Told of by the change itself, or by having missed changes."""
    other = await open_services(village.url, village.clock, seed=7)
    try:
        async with standing_by(village, tmp_path) as (registry, projection):
            thread = await start(village)
            await projection.settled()
            async with registry.open(f"thread/{thread}") as room:
                await projection.settled()
                made = await other.discussions.post(
                    village.person("student"), thread, key=next(keys), body="One"
                )
                change = (
                    Change.everything() if missed else Change("post", room.name, village.space, content=True)
                )
                village.services.changes.publish(change, foreign=True)
                async with asyncio.timeout(10):
                    while made.id not in (await read(registry, thread))["posts"]:
                        await asyncio.sleep(0.05)
    finally:
        await other.close()


async def test_many_posts_at_once_keep_their_order(village: Village, tmp_path: Path) -> None:
    async with standing_by(village, tmp_path) as (registry, projection):
        thread = await start(village)
        whos = ["student", "pal", "mate", "teacher"]
        await asyncio.gather(
            *(post(village, whos[number % 4], thread, f"Post {number}") for number in range(120))
        )
        await projection.settled()
        posts = (await read(registry, thread))["posts"]
        assert sorted(post["number"] for post in posts.values()) == list(range(1, 121))


@pytest.mark.parametrize("rounds", [20])
async def test_two_nodes_that_write_at_once_leave_what_the_records_say(
    village: Village, tmp_path: Path, rounds: int
) -> None:
    """Two projections on one log, each acting on every change: nothing hidden is left in sight."""
    async with standing_by(village, tmp_path) as (registry, projection):
        other = Projection(village.services.records, registry, village.services.changes)
        thread = await start(village)
        made = await post(village, "student", thread, "canary")
        for number in range(rounds):
            change = village.services.moderation.restore if number % 2 else village.services.moderation.hide
            await change(village.person("teacher"), made)
        await projection.settled()
        await other.settled()
        assert (await read(registry, thread))["posts"][made]["state"] == "visible"
        await village.services.moderation.hide(village.person("teacher"), made)
        await projection.settled()
        await other.settled()
        assert (await read(registry, thread))["posts"][made]["body"] == ""
        await other.close()
