"""What is forgotten, and not before its time."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from sqlalchemy import select
from test_projection import read, standing_by
from village import Village

from rooms.faults import Conflict
from rooms.safety.audit import ENTRY_LIFE
from rooms.safety.retention import CHAT_LIFE, HIDDEN_LIFE, UNSEEN_LIFE
from rooms.storage.schema import posts
from rooms.values import PostId, ThreadId, ThreadKind

keys = (f"kept-{number:08}" for number in itertools.count())


async def start(village: Village, kind: ThreadKind = ThreadKind.THREAD) -> ThreadId:
    made = await village.services.discussions.start(
        village.person("teacher"), village.facts.rooms["general"], title="Otters", kind=kind, key=next(keys)
    )
    return ThreadId(made.id)


async def post(village: Village, thread: ThreadId, body: str, who: str = "teacher") -> PostId:
    made = await village.services.discussions.post(village.person(who), thread, key=next(keys), body=body)
    return PostId(made.id)


async def hold(village: Village) -> None:
    await village.services.spaces.change(village.person("founder"), village.space, policy={"posting": "hold"})


async def kept(village: Village) -> dict[str, str]:
    """The words of every post."""
    async with village.services.records.reading() as tx:
        return {row["id"]: row["body"] for row in await tx.all(select(posts))}


async def test_posts_that_nobody_saw_are_forgotten_after_30_days(village: Village) -> None:
    services, teacher = village.services, village.person("teacher")
    thread = await start(village)
    seen = await post(village, thread, "I saw one.")
    await hold(village)
    held = await post(village, thread, "Nobody decides.", "student")
    rejected = await post(village, thread, "Not nice.", "student")
    village.clock.now += 10 * 86_400
    await services.moderation.decide(teacher, rejected, approve=False, because="Be kind.")
    village.clock.now += UNSEEN_LIFE - 10 * 86_400
    await services.retention.forget()
    assert set(await kept(village)) == {seen, held, rejected}
    village.clock.now += 1
    await services.retention.forget()
    assert set(await kept(village)) == {seen, rejected}
    village.clock.now += 10 * 86_400
    await services.retention.forget()
    assert await kept(village) == {seen: "I saw one."}


async def test_an_edit_that_nobody_decided_about_is_forgotten_and_the_post_stays(village: Village) -> None:
    services = village.services
    thread = await start(village)
    mine = await post(village, thread, "As it was.", "student")
    await hold(village)
    made = await services.discussions.edit(village.person("student"), mine, "As it should be.")
    assert made.waiting_body == "As it should be."
    village.clock.now += UNSEEN_LIFE + 1
    await services.retention.forget()
    async with services.records.reading() as tx:
        row = await tx.first(select(posts).where(posts.c.id == mine))
    assert row is not None
    assert (row["body"], row["waiting_body"]) == ("As it was.", None)


async def test_the_words_of_a_hidden_post_are_forgotten_after_90_days(village: Village) -> None:
    services, teacher = village.services, village.person("teacher")
    thread = await start(village)
    hidden = await post(village, thread, "Fools.", "student")
    brought_back = await post(village, thread, "Friends.", "student")
    for each in (hidden, brought_back):
        await services.moderation.hide(teacher, each)
    village.clock.now += HIDDEN_LIFE
    await services.retention.forget()
    await services.moderation.restore(teacher, brought_back)
    village.clock.now += 1
    await services.retention.forget()
    assert await kept(village) == {hidden: "", brought_back: "Friends."}
    for step in (services.moderation.restore(teacher, hidden), services.moderation.original(teacher, hidden)):
        with pytest.raises(Conflict) as error:
            await step
        assert error.value.code == "words-forgotten"


async def test_what_was_said_in_a_chat_leaves_records_and_screens_after_90_days(
    village: Village, tmp_path: Path
) -> None:
    services = village.services
    chat, thread = await start(village, ThreadKind.CHAT), await start(village)
    async with standing_by(village, tmp_path) as (registry, projection):
        old, elsewhere = await post(village, chat, "Hello!"), await post(village, thread, "It stays.")
        village.clock.now += CHAT_LIFE
        fresh = await post(village, chat, "Still here?")
        await services.retention.forget()
        await projection.settled()
        assert set((await read(registry, chat))["posts"]) == {old, fresh}
        async with registry.open(f"thread/{chat}"):
            village.clock.now += 1
            await services.retention.forget()
            await projection.settled()
            assert set((await read(registry, chat))["posts"]) == {fresh}
        assert set((await read(registry, thread))["posts"]) == {elsewhere}
        village.changes.clear()
        await services.retention.forget()
        assert village.changes == []
    assert set(await kept(village)) == {fresh, elsewhere}


async def test_the_audit_log_is_forgotten_after_24_months(village: Village) -> None:
    services, founder = village.services, village.person("founder")
    await services.spaces.freeze(founder, village.space, frozen=True)
    village.clock.now += ENTRY_LIFE + 1
    await services.spaces.freeze(founder, village.space, frozen=False)
    await services.retention.forget()
    entries = await services.audit.of_space(founder, village.space)
    assert [entry.action for entry in entries] == ["unfrozen"]
    async with services.records.reading() as tx:
        assert await services.audit.verify(tx, village.space) is None
