"""Polls: where there are pupils nobody learns who has voted for what, and only staff how many."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from test_discussions import age, post, reason, start
from test_projection import read, standing_by
from village import Village

from rooms.faults import Conflict, NotFound
from rooms.storage.schema import audit, memberships, votes
from rooms.talk.polls import in_order
from rooms.talk.threads import ThreadView
from rooms.values import AgeBand, PostId, RoomStatus, ThreadId

OPTIONS = ["Ebro", "Douro", "Tejo"]
PUPILS = ("student", "editor", "mate", "pal")


async def ask(village: Village, thread: ThreadId, who: str = "teacher") -> PostId:
    return PostId((await post(village, who, thread, "Which river?", options=OPTIONS)).id)


async def vote(village: Village, poll: PostId, **chosen: int) -> None:
    for who, option in chosen.items():
        await village.services.discussions.vote(village.person(who), poll, option)


async def close(village: Village, who: str, poll: PostId) -> None:
    await village.services.discussions.close_poll(village.person(who), poll)


async def view(village: Village, who: str, thread: ThreadId) -> ThreadView:
    return await village.services.discussions.get(village.person(who), thread)


async def noted(village: Village) -> list[tuple[str | None, str]]:
    async with village.services.records.reading() as tx:
        rows = await tx.all(select(audit).where(audit.c.action == "poll-closed"))
    return [(row["actor_id"], row["object"]) for row in rows]


def test_what_as_many_have_chosen_stays_in_the_order_it_was_asked_in() -> None:
    assert in_order(OPTIONS, []) == [0, 1, 2]
    assert in_order(OPTIONS, [2, 1]) == [1, 2, 0]
    assert in_order(OPTIONS, [2, 1, 2, 0]) == [2, 0, 1]


async def test_each_knows_their_own_vote_and_staff_how_many(village: Village) -> None:
    thread = await start(village)
    poll = await ask(village, thread)
    await vote(village, poll, student=1, pal=1, mate=0, partner=2)
    await vote(village, poll, mate=1)
    mine = {who: (await view(village, who, thread)).my_votes for who in (*PUPILS, "teacher", "partner")}
    assert mine == {
        "student": {poll: 1}, "pal": {poll: 1}, "mate": {poll: 1}, "editor": {}, "teacher": {},
        "partner": {poll: 2},
    }  # fmt: skip
    for who in ("teacher", "partner", "admin", "founder"):
        assert (await view(village, who, thread)).votes == {poll: [0, 3, 1]}
    for who in PUPILS:
        assert (await view(village, who, thread)).votes == {}
    for who in ("teacher", "student"):
        listed = await village.services.discussions.of_space(village.person(who), village.space)
        assert [(each.my_votes, each.votes) for each in listed] == [({}, {})]


async def test_a_vote_changes_nothing_that_others_see_and_only_staff_are_told(village: Village) -> None:
    thread = await start(village)
    poll = await ask(village, thread)
    village.changes.clear()
    await vote(village, poll, student=1)
    [change] = village.changes
    assert (change.kind, change.document, change.told, change.person) == ("vote", None, "staff", None)
    assert change.content
    village.changes.clear()
    await age(village, AgeBand.ADULTS)
    await vote(village, poll, partner=1)
    assert [each.kind for each in village.changes] == ["post"]


@pytest.mark.parametrize("band", [AgeBand.FROM_7, AgeBand.FROM_12, AgeBand.FROM_16])
async def test_the_document_has_no_voter_and_no_number_and_once_closed_the_order(
    village: Village, tmp_path: Path, band: AgeBand
) -> None:
    thread = await start(village)
    poll = await ask(village, thread)
    await vote(village, poll, student=1, editor=1, mate=2, partner=2, founder=2)
    await age(village, band)
    async with standing_by(village, tmp_path) as (registry, projection):
        async with registry.open(f"thread/{thread}") as room:
            await projection.settled()
            before = await room.read()
            await vote(village, poll, editor=2)
            await projection.settled()
            assert await room.read() == before
            seen = (await read(registry, thread))["posts"][poll]
            assert (seen["options"], seen["closed"], seen["chosen"]) == (OPTIONS, False, None)
            assert "votes" not in seen
            await close(village, "teacher", poll)
            await projection.settled()
            state = await room.read()
            for part in (before, state, *room.since(b"\0")):
                for who in ("student", "editor", "mate", "partner", "founder"):
                    assert village.member(who).encode() not in part
        seen = (await read(registry, thread))["posts"][poll]
        assert (seen["options"], seen["closed"], seen["chosen"]) == (OPTIONS, True, [2, 1, 0])
        assert "votes" not in seen


async def test_among_adults_everybody_sees_who_has_voted(village: Village, tmp_path: Path) -> None:
    await age(village, AgeBand.ADULTS)
    async with standing_by(village, tmp_path) as (registry, projection):
        thread = await start(village)
        poll = await ask(village, thread)
        await vote(village, poll, partner=1, founder=1, teacher=0)
        await close(village, "teacher", poll)
        await projection.settled()
        seen = (await read(registry, thread))["posts"][poll]
        both = sorted([village.member("partner"), village.member("founder")])
        assert [sorted(each) for each in seen["votes"]] == [[village.member("teacher")], both, []]
        assert seen["closed"] is True
        assert "chosen" not in seen
    assert (await view(village, "teacher", thread)).votes == {}
    assert (await view(village, "partner", thread)).my_votes == {poll: 1}


async def test_what_an_older_server_told_of_votes_is_taken_out(village: Village, tmp_path: Path) -> None:
    await age(village, AgeBand.ADULTS)
    async with standing_by(village, tmp_path) as (registry, projection):
        thread = await start(village)
        poll = await ask(village, thread)
        await vote(village, poll, pal=1)
        await projection.settled()
        assert (await read(registry, thread))["posts"][poll]["votes"][1] == [village.member("pal")]
    await age(village, AgeBand.FROM_12)
    async with standing_by(village, tmp_path) as (registry, projection):
        async with registry.open(f"thread/{thread}") as room:
            await projection.settled()
            for part in (await room.read(), *room.since(b"\0")):
                assert village.member("pal").encode() not in part
        assert (await read(registry, thread))["posts"][poll]["chosen"] is None


async def test_a_closed_poll_takes_no_votes_and_is_closed_once(village: Village) -> None:
    thread = await start(village)
    poll = await ask(village, thread)
    await vote(village, poll, student=1)
    await close(village, "teacher", poll)
    with pytest.raises(Conflict) as caught:
        await vote(village, poll, pal=0)
    assert caught.value.code == "poll-closed"
    assert (await view(village, "teacher", thread)).votes == {poll: [0, 1, 0]}
    village.changes.clear()
    await close(village, "admin", poll)
    assert not village.changes
    assert await noted(village) == [(village.member("teacher"), f"post/{poll}")]
    edited = await village.services.discussions.edit(village.person("teacher"), poll, "Which one?")
    assert edited.options == OPTIONS
    with pytest.raises(Conflict) as caught:
        await vote(village, poll, pal=0)
    assert caught.value.code == "poll-closed"


async def test_staff_close_it_and_who_has_made_it_and_nobody_else(village: Village) -> None:
    thread = await start(village)
    for who in ("teacher", "partner", "admin", "founder"):
        await close(village, who, await ask(village, thread))
    poll = await ask(village, thread)
    for who in PUPILS:
        assert await reason(close(village, who, poll)) == "not-own"
    with pytest.raises(NotFound):
        await close(village, "outsider", poll)
    mine = PostId((await post(village, "student", thread)).id)
    with pytest.raises(Conflict) as caught:
        await close(village, "student", mine)
    assert caught.value.code == "not-a-poll"
    # Who has made it may close it also when they are no teacher any more.
    async with village.services.records.writing() as tx:
        here = memberships.c.id == village.member("student")
        made_by = update(memberships).where(here).values(role="teacher")
        await tx.do(made_by)
    theirs = await ask(village, thread, "student")
    async with village.services.records.writing() as tx:
        await tx.do(update(memberships).where(here).values(role="student"))
    assert await reason(close(village, "mate", theirs)) == "not-own"
    await close(village, "student", theirs)


async def test_a_locked_thread_is_no_hindrance_but_a_standstill_is(village: Village) -> None:
    thread = await start(village)
    poll, other = await ask(village, thread), await ask(village, thread)
    await village.services.discussions.lock(village.person("teacher"), thread, "Enough.")
    await close(village, "teacher", poll)
    founder, room = village.person("founder"), village.facts.rooms["general"]
    await village.services.spaces.set_room_state(founder, room, RoomStatus.FROZEN)
    assert await reason(close(village, "teacher", other)) == "room-frozen"
    await village.services.spaces.set_room_state(founder, room, RoomStatus.OPEN)
    await village.services.moderation.hide(village.person("admin"), other)
    with pytest.raises(NotFound):
        await close(village, "teacher", other)


async def test_a_hidden_poll_tells_nothing_and_an_erased_voter_is_not_counted(village: Village) -> None:
    thread = await start(village)
    poll = await ask(village, thread)
    await vote(village, poll, student=1, pal=1)
    async with village.services.records.writing() as tx:
        await tx.do(delete(votes).where(votes.c.membership_id == village.member("pal")))
    assert (await view(village, "teacher", thread)).votes == {poll: [0, 1, 0]}
    await village.services.moderation.hide(village.person("admin"), poll)
    assert (await view(village, "teacher", thread)).votes == {}
    assert (await view(village, "student", thread)).my_votes == {}
