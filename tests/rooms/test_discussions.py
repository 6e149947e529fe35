"""Threads and posts: who may start, post, edit and react; what is held, and who decides about it."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable
from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from village import Village

from rooms.faults import Blocked, Conflict, NotAllowed, NotFound
from rooms.safety.moderation import OTHERS_AFTER
from rooms.storage.schema import spaces
from rooms.talk.discussions import EDIT_SECONDS, MOST_WAITING
from rooms.talk.threads import PostView
from rooms.values import (
    AgeBand,
    MembershipId,
    PostId,
    Posting,
    PostState,
    RoomStatus,
    ThreadId,
    ThreadKind,
)

SCHOOL_DAY = datetime(2026, 11, 25, 10, tzinfo=UTC).timestamp()
"""A Wednesday morning, so that pupils are told at once."""

keys = (f"key-{number:08}" for number in itertools.count())


async def start(
    village: Village, who: str = "teacher", room: str = "general", kind: ThreadKind = ThreadKind.THREAD
) -> ThreadId:
    made = await village.services.discussions.start(
        village.person(who), village.facts.rooms[room], title="Otters", kind=kind, key=next(keys)
    )
    return ThreadId(made.id)


async def post(
    village: Village, who: str, thread: ThreadId, body: str = "Hello", **parts: object
) -> PostView:
    key = parts.pop("key", None) or next(keys)
    return await village.services.discussions.post(village.person(who), thread, key=key, body=body, **parts)


async def hold(village: Village, posting: Posting = Posting.HOLD) -> None:
    await village.services.spaces.change(
        village.person("founder"), village.space, policy={"posting": posting.value}
    )


async def age(village: Village, band: AgeBand) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(update(spaces).where(spaces.c.id == village.space).values(age_band=band))


async def reason(attempt: Awaitable[object]) -> str:
    with pytest.raises(NotAllowed) as caught:
        await attempt
    return caught.value.reason


# Threads


async def test_a_thread_is_there_for_those_who_see_its_room(village: Village) -> None:
    services = village.services
    open_to_all, of_staff = await start(village), await start(village, room="staff")
    of_team = await start(village, "student", "team")
    seen = {
        who: {thread.id for thread in await services.discussions.of_space(village.person(who), village.space)}
        for who in ("student", "mate", "partner", "founder")
    }
    assert seen == {
        "student": {open_to_all, of_team},
        "mate": {open_to_all},
        "partner": {open_to_all, of_staff, of_team},
        "founder": {open_to_all, of_staff, of_team},
    }
    for who in ("stranger", "outsider", "removed"):
        with pytest.raises(NotFound):
            await services.discussions.get(village.person(who), open_to_all)
    with pytest.raises(NotFound):
        await services.discussions.get(village.person("mate"), of_team)


async def test_the_same_key_opens_a_thread_once(village: Village) -> None:
    discussions, room = village.services.discussions, village.facts.rooms["general"]
    made = [
        await discussions.start(
            village.person("teacher"), room, title="Otters", key="the-same-key", body="Who saw one?"
        )
        for _ in range(2)
    ]
    assert made[0].id == made[1].id
    assert made[1].posts_count == 1
    assert len(await discussions.of_space(village.person("teacher"), village.space)) == 1


async def test_chats_are_opened_by_teachers_and_questions_by_pupils(village: Village) -> None:
    assert await reason(start(village, "student", kind=ThreadKind.CHAT)) == "role"
    assert await reason(start(village, "teacher", kind=ThreadKind.ASK)) == "ask-my-teacher"
    await start(village, "teacher", kind=ThreadKind.CHAT)
    await start(village, "student", kind=ThreadKind.ASK)


async def test_a_question_is_seen_by_the_own_teachers_only(village: Village) -> None:
    asked = await start(village, "student", kind=ThreadKind.ASK)
    discussions = village.services.discussions
    await post(village, "student", asked, "I am sad, my number is +34 612 345 678")
    for who in ("student", "teacher", "founder", "admin"):
        assert (await discussions.get(village.person(who), asked)).posts_count == 1
    for who in ("mate", "pal", "partner", "guest"):
        with pytest.raises(NotFound):
            await discussions.get(village.person(who), asked)


async def test_where_a_school_has_one_teacher_the_admins_see_the_question_too(village: Village) -> None:
    """Never is a pupil alone with one adult."""
    asked = await start(village, "pal", kind=ThreadKind.ASK)
    discussions = village.services.discussions
    for who in ("partner", "founder", "admin"):
        assert (await discussions.get(village.person(who), asked)).can["post"]
    with pytest.raises(NotFound):
        await discussions.get(village.person("teacher"), asked)


async def test_no_pupil_writes_where_there_are_not_two_adults(village: Village) -> None:
    thread, asked = await start(village), await start(village, "student", kind=ThreadKind.ASK)
    members = village.services.members
    for who in ("admin", "teacher"):
        await members.remove(village.person("founder"), village.member(who))
    await post(village, "student", thread)
    await members.remove(village.person("founder"), village.member("partner"))
    assert await reason(post(village, "student", thread)) == "two-adults"
    assert await reason(post(village, "student", asked)) == "two-adults"
    assert (await village.services.discussions.get(village.person("student"), thread)).reason == "two-adults"


async def test_a_locked_thread_takes_no_posts_until_it_opens(village: Village) -> None:
    thread = await start(village)
    discussions = village.services.discussions
    assert await reason(discussions.lock(village.person("student"), thread, "No")) == "role"
    assert await reason(discussions.lock(village.person("partner"), thread, "No")) == "not-own"
    locked = await discussions.lock(village.person("teacher"), thread, "Enough", village.clock.now + 60)
    assert locked.lock is not None
    assert (locked.lock.by, locked.lock.reason) == (village.member("teacher"), "Enough")
    assert await reason(post(village, "student", thread)) == "locked"
    village.clock.now += 60
    await post(village, "student", thread)
    await discussions.lock(village.person("admin"), thread, "Enough")
    await discussions.unlock(village.person("admin"), thread)
    await post(village, "student", thread)


@pytest.mark.parametrize(
    ("state", "why"), [(RoomStatus.READ_ONLY, "room-read-only"), (RoomStatus.FROZEN, "room-frozen")]
)
async def test_a_rooms_state_holds_for_posts(village: Village, state: RoomStatus, why: str) -> None:
    thread = await start(village)
    await village.services.spaces.set_room_state(
        village.person("founder"), village.facts.rooms["general"], state
    )
    assert await reason(post(village, "student", thread)) == why


async def test_frozen_muted_and_without_a_teacher_nobody_posts(village: Village) -> None:
    thread, services = await start(village), village.services
    await services.members.mute(village.person("teacher"), village.member("student"), "Loud", None)
    assert await reason(post(village, "student", thread)) == "muted"
    await services.members.remove(village.person("founder"), village.member("partner"))
    assert await reason(post(village, "pal", thread)) == "no-teacher"
    await services.spaces.freeze(village.person("teacher"), village.space, frozen=True)
    for who in ("mate", "teacher", "founder"):
        assert await reason(post(village, who, thread)) == "space-frozen"


# Posts


async def test_a_post_is_made_once_and_has_its_place(village: Village) -> None:
    thread = await start(village)
    first = await post(village, "student", thread, "One", key="the-same-key")
    again = await post(village, "student", thread, "Two", key="the-same-key")
    assert again == first
    assert first.number == 1
    assert (await post(village, "pal", thread, key="the-same-key")).number == 2, "a key is its author's"
    with pytest.raises(Conflict, match="another post"):
        await post(village, "student", await start(village), key="the-same-key")


async def test_answers_and_mentions_are_of_the_same_thread(village: Village) -> None:
    thread, team = await start(village), await start(village, "student", "team")
    first = await post(village, "student", thread)
    answer = await post(
        village, "pal", thread, reply_to=PostId(first.id), mentions=[village.member("student")]
    )
    assert (answer.reply_to, answer.mentions) == (first.id, [village.member("student")])
    with pytest.raises(Conflict, match="not here"):
        await post(village, "student", team, reply_to=PostId(first.id))
    with pytest.raises(Conflict, match="mentioned"):
        await post(village, "student", team, mentions=[village.member("mate")])
    for nobody in ("nobody", village.member("removed")):
        with pytest.raises(Conflict, match="mentioned"):
            await post(village, "student", thread, mentions=[MembershipId(nobody)])


async def test_authors_change_their_posts_for_a_quarter_of_an_hour(village: Village) -> None:
    discussions, thread = village.services.discussions, await start(village)
    made = PostId((await post(village, "student", thread)).id)
    changed = await discussions.edit(village.person("student"), made, "Hello again")
    assert (changed.body, changed.edited_at) == ("Hello again", village.clock.now)
    for who in ("mate", "teacher", "founder"):
        assert await reason(discussions.edit(village.person(who), made, "Bad words")) == "not-own"
    village.clock.now += EDIT_SECONDS + 1
    with pytest.raises(Conflict, match="15 minutes"):
        await discussions.edit(village.person("student"), made, "Too late")


async def test_reactions_and_votes_count_each_person_once(village: Village) -> None:
    discussions, thread = village.services.discussions, await start(village)
    assert await reason(post(village, "student", thread, options=["Yes", "No"])) == "role"
    poll = PostId((await post(village, "teacher", thread, "Otters?", options=["Yes", "No"])).id)
    for who, option in (("student", 0), ("student", 1), ("pal", 0)):
        await discussions.vote(village.person(who), poll, option)
    with pytest.raises(Conflict):
        await discussions.vote(village.person("student"), poll, 2)
    for _ in range(2):
        await discussions.react(village.person("student"), poll, "heart", on=True)
    with pytest.raises(NotFound):
        await discussions.react(village.person("student"), poll, "skull", on=True)
    hidden = PostId((await post(village, "student", thread)).id)
    await village.services.moderation.hide(village.person("teacher"), hidden)
    with pytest.raises(NotFound):
        await discussions.react(village.person("student"), hidden, "heart", on=True)


async def test_each_person_is_told_their_own_marks_and_nobody_elses(village: Village) -> None:
    discussions, thread = village.services.discussions, await start(village)
    made = PostId((await post(village, "teacher", thread)).id)
    for who, mark in (("student", "heart"), ("student", "idea"), ("pal", "heart")):
        await discussions.react(village.person(who), made, mark, on=True)
    await discussions.react(village.person("student"), made, "idea", on=False)
    told = {
        who: (await discussions.get(village.person(who), thread)).my_marks
        for who in ("student", "pal", "mate", "teacher")
    }
    assert told == {"student": {made: ["heart"]}, "pal": {made: ["heart"]}, "mate": {}, "teacher": {}}
    assert [each.my_marks for each in await discussions.of_space(village.person("pal"), village.space)] == [
        {}
    ]
    await village.services.moderation.hide(village.person("admin"), made)
    assert (await discussions.get(village.person("pal"), thread)).my_marks == {}


async def test_without_counts_no_version_tells_how_many_have_set_a_mark(village: Village) -> None:
    discussions, thread = village.services.discussions, await start(village)
    made = PostId((await post(village, "teacher", thread)).id)
    village.changes.clear()

    async def told(who: str, *, on: bool) -> bool:
        await discussions.react(village.person(who), made, "heart", on=on)
        heard = [change.kind for change in village.changes]
        village.changes.clear()
        return heard == ["post"]

    pupils = [await told("student", on=True), await told("pal", on=True), await told("student", on=False)]
    assert pupils == [True, False, False]
    assert await told("pal", on=False)
    await age(village, AgeBand.ADULTS)
    adults = [await told("teacher", on=True), await told("partner", on=True), await told("teacher", on=False)]
    assert adults == [True, True, True]


async def test_the_youngest_have_few_reactions_or_none(village: Village) -> None:
    discussions, thread = village.services.discussions, await start(village)
    made = PostId((await post(village, "teacher", thread)).id)
    for mark in ("heart", "idea"):
        await discussions.react(village.person("teacher"), made, mark, on=True)
    await age(village, AgeBand.FROM_7)
    view = await discussions.get(village.person("teacher"), thread)
    assert (view.marks, view.counts, view.my_marks) == (("heart", "thumb", "smile"), False, {made: ["heart"]})
    await discussions.react(village.person("student"), made, "smile", on=True)
    assert await reason(discussions.react(village.person("student"), made, "idea", on=True)) == "mark-off"
    await age(village, AgeBand.UP_TO_6)
    for who in ("teacher", "founder"):
        assert await reason(discussions.react(village.person(who), made, "heart", on=True)) == "reactions-off"
    await discussions.react(village.person("teacher"), made, "heart", on=False)
    view = await discussions.get(village.person("teacher"), thread)
    assert (view.marks, view.my_marks) == ((), {})


# Holding and deciding


async def test_with_hold_a_post_waits_for_the_own_teacher(village: Village) -> None:
    await hold(village)
    thread, moderation = await start(village), village.services.moderation
    waiting = await post(village, "pal", thread, "Canary")
    assert (waiting.state, waiting.number, waiting.reasons) == (PostState.HELD, None, ["policy"])
    held = {
        who: [each.post.id for each in await moderation.held(village.person(who), village.space)]
        for who in ("partner", "teacher", "founder")
    }
    assert held == {"partner": [waiting.id], "teacher": [], "founder": []}
    assert await reason(moderation.held(village.person("student"), village.space)) == "role"
    for who in ("student", "mate", "guest", "teacher"):
        with pytest.raises(NotFound):
            await moderation.decide(village.person(who), PostId(waiting.id), approve=True)
    assert await reason(moderation.decide(village.person("founder"), PostId(waiting.id), approve=True))
    shown = await moderation.decide(village.person("partner"), PostId(waiting.id), approve=True)
    assert (shown.state, shown.number) == (PostState.VISIBLE, 1)
    assert await moderation.held(village.person("partner"), village.space) == []


async def test_what_waits_long_or_has_no_own_teacher_is_for_the_admins(village: Village) -> None:
    await hold(village)
    thread, moderation = await start(village), village.services.moderation
    waiting = PostId((await post(village, "pal", thread)).id)
    village.clock.now += OTHERS_AFTER
    assert len(await moderation.held(village.person("admin"), village.space)) == 1
    assert await moderation.held(village.person("teacher"), village.space) == []
    await moderation.decide(village.person("admin"), waiting, approve=False, because="Say it kindly")
    mine = (await village.services.discussions.get(village.person("pal"), thread)).mine_waiting
    assert [(each.state, each.decided_because) for each in mine] == [(PostState.REJECTED, "Say it kindly")]
    again = PostId((await post(village, "pal", thread)).id)
    assert await moderation.held(village.person("admin"), village.space) == []
    await village.services.members.remove(village.person("founder"), village.member("partner"))
    await moderation.decide(village.person("admin"), again, approve=True)


async def test_deciding_twice_is_once_and_otherwise_a_conflict(village: Village) -> None:
    await hold(village)
    thread, moderation = await start(village), village.services.moderation
    waiting = PostId((await post(village, "student", thread)).id)
    for _ in range(2):
        await moderation.decide(village.person("teacher"), waiting, approve=True)
    with pytest.raises(Conflict):
        await moderation.decide(village.person("teacher"), waiting, approve=False)
    assert (await village.services.discussions.get(village.person("student"), thread)).posts_count == 1


async def test_the_first_three_are_held_then_none(village: Village) -> None:
    await hold(village, Posting.HOLD_FIRST)
    thread, moderation = await start(village), village.services.moderation
    for _ in range(3):
        waiting = await post(village, "student", thread)
        assert waiting.reasons == ["first"]
        await moderation.decide(village.person("teacher"), PostId(waiting.id), approve=True)
    assert (await post(village, "student", thread)).state is PostState.VISIBLE
    assert (await post(village, "mate", thread)).state is PostState.HELD, "each pupil's own first three"


async def test_contact_data_is_held_and_teachers_are_not(village: Village) -> None:
    thread = await start(village)
    held = await post(village, "student", thread, "Write me: otter@mail.example")
    assert (held.state, held.reasons) == (PostState.HELD, ["email"])
    assert (await post(village, "teacher", thread, "otter@mail.example")).state is PostState.VISIBLE
    with pytest.raises(Blocked):
        await village.services.discussions.start(
            village.person("editor"), village.facts.rooms["general"], title="+34 612 345 678", key=next(keys)
        )


async def test_listed_words_are_flagged_held_or_blocked(village: Village) -> None:
    words = [
        {"text": word, "action": action}
        for word, action in (("mushroom", "flag"), ("cabbage", "hold"), ("turnip", "block"))
    ]
    await village.services.spaces.change(
        village.person("founder"), village.space, policy={"filters": {"words": words}}
    )
    thread = await start(village)
    flagged = await post(village, "student", thread, "You mushroom")
    assert (flagged.state, flagged.reasons) == (PostState.VISIBLE, [])
    entries = await village.services.audit.of_space(village.person("founder"), village.space)
    assert (entries[0].action, entries[0].object) == ("flagged", f"post/{flagged.id}")
    assert (await post(village, "student", thread, "You cabbage")).reasons == ["word"]
    with pytest.raises(Blocked) as caught:
        await post(village, "student", thread, "You t u r n i p")
    assert caught.value.kinds == ["word"]
    assert (await post(village, "teacher", thread, "You turnip")).state is PostState.VISIBLE


async def test_an_edit_that_has_to_wait_leaves_the_old_words(village: Village) -> None:
    thread, services = await start(village), village.services
    made = PostId((await post(village, "student", thread, "Hello")).id)
    waiting = await services.discussions.edit(village.person("student"), made, "Call +34 612 345 678")
    assert (waiting.body, waiting.waiting_body) == ("Hello", "Call +34 612 345 678")
    assert len(await services.moderation.held(village.person("teacher"), village.space)) == 1
    assert (await services.moderation.decide(village.person("teacher"), made, approve=False)).body == "Hello"
    await services.discussions.edit(village.person("student"), made, "Mail otter@mail.example")
    shown = await services.moderation.decide(village.person("teacher"), made, approve=True)
    assert (shown.body, shown.waiting_body) == ("Mail otter@mail.example", None)


async def test_an_edit_of_what_was_hidden_waits_for_nobody_until_it_is_shown_again(village: Village) -> None:
    thread, services = await start(village), village.services
    made = PostId((await post(village, "student", thread, "Hello")).id)
    await services.discussions.edit(village.person("student"), made, "Mail otter@mail.example")
    await services.moderation.hide(village.person("teacher"), made)
    assert await services.moderation.held(village.person("teacher"), village.space) == []
    await services.moderation.restore(village.person("teacher"), made)
    [waiting] = await services.moderation.held(village.person("teacher"), village.space)
    assert (waiting.post.id, waiting.author_name, waiting.room_title) == (made, "Student", "General")


async def test_nobody_floods_the_teachers(village: Village) -> None:
    await hold(village)
    thread = await start(village)
    for _ in range(MOST_WAITING):
        await post(village, "student", thread)
    with pytest.raises(Conflict, match="wait"):
        await post(village, "student", thread)
    await post(village, "mate", thread)


async def test_what_a_teacher_hides_its_author_cannot_bring_back(village: Village) -> None:
    thread, moderation = await start(village), village.services.moderation
    made = PostId((await post(village, "student", thread, "Canary")).id)
    assert await reason(moderation.hide(village.person("mate"), made)) == "not-own"
    hidden = await moderation.hide(village.person("partner"), made, "Not kind")
    assert (hidden.state, hidden.body) == (PostState.HIDDEN, "")
    assert await reason(moderation.restore(village.person("student"), made)) == "role"
    assert await reason(moderation.original(village.person("student"), made)) == "role"
    assert (await moderation.original(village.person("teacher"), made)).body == "Canary"
    assert (await moderation.restore(village.person("teacher"), made)).body == "Canary"
    await moderation.hide(village.person("student"), made)
    await moderation.restore(village.person("student"), made)


async def test_teachers_do_not_hide_each_other(village: Village) -> None:
    thread, moderation = await start(village), village.services.moderation
    made = PostId((await post(village, "partner", thread)).id)
    assert await reason(moderation.hide(village.person("teacher"), made)) == "role"
    await moderation.hide(village.person("admin"), made)


async def test_decisions_are_in_the_audit_log_without_the_words(village: Village) -> None:
    thread, moderation = await start(village), village.services.moderation
    made = await post(village, "student", thread, "Canary text")
    await moderation.hide(village.person("teacher"), PostId(made.id), "Not kind")
    async with village.services.records.reading() as tx:
        assert await village.services.audit.verify(tx, village.space) is None
    told = repr([change for change in village.changes if change.content])
    assert "Canary" not in told


async def test_authors_mentioned_and_teachers_are_notified_when_it_is_seen(village: Village) -> None:
    async def news(who: str) -> list[tuple[str, str]]:
        found = (await village.services.notifications.of(village.person(who))).notifications
        return sorted((each.kind, each.ref) for each in found)

    village.clock.now = SCHOOL_DAY
    thread = await start(village)
    first = await post(village, "mate", thread)
    await hold(village)
    answer = await post(
        village, "student", thread, reply_to=PostId(first.id), mentions=[village.member("pal")]
    )
    held = ("held", f"post/{answer.id}")
    assert held in await news("teacher")
    assert held in await news("founder")
    assert await news("partner") == await news("pal") == await news("mate") == []
    await village.services.moderation.decide(village.person("teacher"), PostId(answer.id), approve=True)
    assert await news("pal") == [("mention", f"post/{answer.id}")]
    assert await news("mate") == [("reply", f"post/{answer.id}")]
    assert await news("student") == [("approved", f"post/{answer.id}")]
    await village.services.moderation.hide(village.person("admin"), PostId(answer.id))
    assert ("hidden", f"post/{answer.id}") in await news("student")


async def test_held_posts_are_told_to_staff_and_seen_ones_to_the_document(village: Village) -> None:
    thread = await start(village)
    village.changes.clear()
    await post(village, "student", thread)
    [seen] = [change for change in village.changes if change.kind == "post"]
    assert (seen.kind, seen.document, seen.notice, seen.content) == ("post", f"thread/{thread}", (), True)
    village.changes.clear()
    await hold(village)
    village.changes.clear()
    await post(village, "student", thread)
    [held] = [change for change in village.changes if change.kind == "held"]
    assert (held.kind, held.document, held.notice, held.told) == ("held", None, ("held",), "staff")
