"""Contacts between adults: asked for, answered, refused without a word, hidden from who is blocked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, insert, select, update
from village import NOON, Village, open_services

from rooms.accounts.adult_contacts import REFUSED_FOR, ContactView
from rooms.faults import Conflict, NotAllowed, NotFound
from rooms.services import Services
from rooms.storage.schema import contacts, people
from rooms.values import PersonId, PersonKind, PersonState, Role


async def ask(village: Village, who: str, whom: str) -> None:
    await village.services.contacts.ask(village.person(who), village.person(whom))


async def answer(village: Village, who: str, whom: str, accept: bool = True) -> None:
    await village.services.contacts.answer(village.person(who), village.person(whom), accept=accept)


async def end(village: Village, who: str, whom: str) -> None:
    await village.services.contacts.end(village.person(who), village.person(whom))


async def block(village: Village, who: str, whom: str) -> None:
    await village.services.blocking.block(village.person(who), village.person(whom))


async def lists(village: Village, name: str) -> tuple[list[str], list[str], list[str]]:
    """The names of contacts, of who asked, and of who was asked."""
    found = await village.services.contacts.of(village.person(name))
    return (
        [each.name for each in found.contacts],
        [each.name for each in found.asked_me],
        [each.name for each in found.i_asked],
    )


async def told(village: Village, name: str) -> list[tuple[str, str]]:
    found = await village.services.notifications.of(village.person(name))
    return [(each.kind, each.ref) for each in found.notifications if each.kind.startswith("contact")]


async def change(village: Village, name: str, **values: object) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(update(people).where(people.c.id == village.person(name)).values(values))


async def count(village: Village) -> int:
    async with village.services.records.reading() as tx:
        return int(await tx.value(select(func.count()).select_from(contacts)))


NOTHING: tuple[list[str], list[str], list[str]] = ([], [], [])


async def test_one_asks_and_the_other_says_yes(village: Village) -> None:
    await ask(village, "teacher", "partner")
    await ask(village, "teacher", "partner")
    assert await lists(village, "teacher") == ([], [], ["Partner"])
    assert await lists(village, "partner") == ([], ["Teacher"], [])
    assert await told(village, "partner") == [("contact-asked", f"person/{village.person('teacher')}")]
    village.clock.now = NOON + 60
    await answer(village, "partner", "teacher")
    await answer(village, "partner", "teacher")
    assert await told(village, "teacher") == [("contact-accepted", f"person/{village.person('partner')}")]
    found = await village.services.contacts.of(village.person("teacher"))
    assert found.contacts == [
        ContactView(village.person("partner"), "Partner", "School of Porto", "Porto", "PT", NOON + 60)
    ]
    assert (found.asked_me, found.i_asked) == ([], [])
    assert await lists(village, "partner") == (["Teacher"], [], [])
    for who, whom in (("teacher", "partner"), ("partner", "teacher")):
        await ask(village, who, whom)
    assert await count(village) == 1


async def test_who_asks_back_says_yes(village: Village) -> None:
    await ask(village, "teacher", "partner")
    await ask(village, "partner", "teacher")
    assert await lists(village, "teacher") == (["Partner"], [], [])
    assert await lists(village, "partner") == (["Teacher"], [], [])


@pytest.fixture
async def other_node(village: Village) -> AsyncIterator[Services]:
    services = await open_services(village.url, village.clock)
    yield services
    await services.close()


async def test_two_who_ask_each_other_at_once_are_contacts(village: Village, other_node: Services) -> None:
    one, two = village.person("teacher"), village.person("partner")
    await asyncio.gather(
        village.services.contacts.ask(one, two),
        other_node.contacts.ask(two, one),
        village.services.contacts.ask(one, two),
        other_node.contacts.ask(one, two),
    )
    assert await lists(village, "teacher") == (["Partner"], [], [])
    assert await lists(village, "partner") == (["Teacher"], [], [])
    assert await count(village) == 1


async def test_who_says_yes_while_the_request_is_taken_back_leaves_one_or_none(
    village: Village, other_node: Services
) -> None:
    await ask(village, "teacher", "partner")
    await asyncio.gather(
        end(village, "teacher", "partner"),
        other_node.contacts.answer(village.person("partner"), village.person("teacher"), accept=True),
        return_exceptions=True,
    )
    assert await lists(village, "teacher") == NOTHING
    assert await lists(village, "partner") == NOTHING


async def test_a_refusal_is_not_announced_and_holds(village: Village) -> None:
    await ask(village, "teacher", "partner")
    before = await village.services.contacts.of(village.person("teacher"))
    village.clock.now = NOON + 60
    await answer(village, "partner", "teacher", accept=False)
    assert await lists(village, "partner") == NOTHING
    for later in (120, REFUSED_FOR):
        village.clock.now = NOON + later
        await ask(village, "teacher", "partner")
        assert await village.services.contacts.of(village.person("teacher")) == before
    assert await told(village, "teacher") == []
    assert len(await told(village, "partner")) == 1
    for accept in (True, False):
        with pytest.raises(NotFound):
            await answer(village, "partner", "teacher", accept)
    await village.services.notifications.read(village.person("partner"), village.clock.now)
    village.clock.now = NOON + 60 + REFUSED_FOR
    await ask(village, "teacher", "partner")
    assert await village.services.contacts.of(village.person("teacher")) == before
    assert await lists(village, "partner") == ([], ["Teacher"], [])
    assert len(await told(village, "partner")) == 2


async def test_taking_back_looks_the_same_whether_it_was_refused_or_not(village: Village) -> None:
    """And the refusal still holds: to take back and to ask again is no way round it."""
    for refused in (False, True):
        await ask(village, "teacher", "partner")
        if refused:
            await answer(village, "partner", "teacher", accept=False)
        village.clock.now += 60
        await end(village, "teacher", "partner")
        assert await lists(village, "teacher") == NOTHING
        with pytest.raises(NotFound):
            await end(village, "teacher", "partner")
        await ask(village, "teacher", "partner")
        found = await village.services.contacts.of(village.person("teacher"))
        assert [each.since for each in found.i_asked] == [village.clock.now]
        assert await lists(village, "partner") == (NOTHING if refused else ([], ["Teacher"], []))
        await end(village, "teacher", "partner")


async def test_who_has_refused_may_change_their_mind(village: Village) -> None:
    await ask(village, "teacher", "partner")
    await answer(village, "partner", "teacher", accept=False)
    await ask(village, "partner", "teacher")
    assert await lists(village, "partner") == (["Teacher"], [], [])
    await end(village, "partner", "teacher")
    await ask(village, "teacher", "partner")
    await answer(village, "partner", "teacher", accept=False)
    await end(village, "teacher", "partner")
    await ask(village, "partner", "teacher")
    assert await lists(village, "teacher") == ([], ["Partner"], [])
    await answer(village, "teacher", "partner")
    assert await lists(village, "partner") == (["Teacher"], [], [])
    assert await count(village) == 1


async def test_either_ends_a_contact_for_both(village: Village) -> None:
    for who, whom in (("teacher", "partner"), ("partner", "teacher")):
        await ask(village, "teacher", "partner")
        await answer(village, "partner", "teacher")
        await end(village, who, whom)
        assert await lists(village, "teacher") == NOTHING
        assert await lists(village, "partner") == NOTHING
        with pytest.raises(NotFound):
            await end(village, whom, who)


async def test_only_who_was_asked_answers_and_only_who_asked_takes_back(village: Village) -> None:
    await ask(village, "teacher", "partner")
    for who, whom in (("teacher", "partner"), ("admin", "teacher"), ("student", "teacher")):
        with pytest.raises(NotFound):
            await answer(village, who, whom)
    for who, whom in (("partner", "teacher"), ("admin", "teacher"), ("student", "partner")):
        with pytest.raises(NotFound):
            await end(village, who, whom)
    assert await lists(village, "partner") == ([], ["Teacher"], [])


@pytest.mark.parametrize("other", ["outsider", "stranger", "removed", "nobody"])
async def test_who_is_in_no_space_with_me_does_not_exist(village: Village, other: str) -> None:
    person = village.facts.people.get(other, PersonId("nobody"))
    contacts = village.services.contacts
    for attempt in (
        contacts.ask(village.person("teacher"), person),
        contacts.answer(village.person("teacher"), person, accept=True),
        contacts.end(village.person("teacher"), person),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_pupils_and_guests_neither_ask_nor_are_asked(village: Village) -> None:
    for who, whom, reason in (
        ("student", "teacher", "role"),
        ("student", "mate", "role"),
        ("guest", "teacher", "role"),
        ("teacher", "student", "adults-only"),
        ("teacher", "guest", "adults-only"),
    ):
        with pytest.raises(NotAllowed) as refused:
            await ask(village, who, whom)
        assert refused.value.reason == reason
    with pytest.raises(Conflict) as conflict:
        await ask(village, "teacher", "teacher")
    assert conflict.value.code == "yourself"
    assert await count(village) == 0


async def test_who_is_not_confirmed_neither_asks_nor_is_asked(village: Village) -> None:
    await change(village, "teacher", state=PersonState.REGISTERED)
    for who, whom in (("teacher", "partner"), ("partner", "teacher")):
        with pytest.raises(NotAllowed):
            await ask(village, who, whom)
    await change(village, "teacher", state=PersonState.SUSPENDED)
    with pytest.raises(NotFound):
        await ask(village, "partner", "teacher")
    assert await count(village) == 0


@pytest.mark.parametrize("state", [PersonState.SUSPENDED, PersonState.ERASED])
async def test_who_is_gone_vanishes_from_every_list(village: Village, state: PersonState) -> None:
    await ask(village, "teacher", "partner")
    await ask(village, "founder", "teacher")
    await ask(village, "admin", "teacher")
    await answer(village, "teacher", "admin")
    await change(village, "teacher", state=state)
    for name in ("partner", "founder", "admin"):
        assert await lists(village, name) == NOTHING
    with pytest.raises(NotFound):
        await answer(village, "partner", "teacher")


async def test_a_contact_outlives_the_space_they_met_in(village: Village) -> None:
    await ask(village, "teacher", "partner")
    await answer(village, "partner", "teacher")
    await village.services.members.remove(village.person("founder"), village.member("partner"))
    assert await lists(village, "teacher") == (["Partner"], [], [])
    await end(village, "teacher", "partner")
    with pytest.raises(NotFound):
        await ask(village, "teacher", "partner")


async def test_who_was_asked_before_somebody_left_can_still_answer(village: Village) -> None:
    await ask(village, "teacher", "partner")
    await village.services.members.remove(village.person("founder"), village.member("partner"))
    await ask(village, "partner", "teacher")
    assert await lists(village, "teacher") == (["Partner"], [], [])


async def test_who_is_blocked_notices_nothing_and_the_blocker_hears_nothing(village: Village) -> None:
    await block(village, "partner", "teacher")
    await ask(village, "teacher", "partner")
    assert await lists(village, "teacher") == ([], [], ["Partner"])
    assert await lists(village, "partner") == NOTHING
    assert await told(village, "partner") == []
    with pytest.raises(NotFound):
        await answer(village, "partner", "teacher")
    with pytest.raises(Conflict) as refused:
        await ask(village, "partner", "teacher")
    assert refused.value.code == "blocked-by-you"
    await village.services.blocking.unblock(village.person("partner"), village.person("teacher"))
    assert await lists(village, "partner") == ([], ["Teacher"], [])


async def test_a_contact_or_a_request_of_somebody_i_block_is_hidden_from_me_alone(village: Village) -> None:
    await ask(village, "teacher", "partner")
    await answer(village, "partner", "teacher")
    await ask(village, "teacher", "founder")
    for whom in ("partner", "founder"):
        await block(village, "teacher", whom)
    assert await lists(village, "teacher") == NOTHING
    assert await lists(village, "partner") == (["Teacher"], [], [])
    await answer(village, "founder", "teacher")
    assert await lists(village, "founder") == (["Teacher"], [], [])
    assert [kind for kind, ref in await told(village, "teacher") if village.person("founder") in ref] == []
    await end(village, "teacher", "partner")
    assert await lists(village, "partner") == NOTHING


async def test_there_is_a_most_of_open_requests_and_a_refusal_frees_none(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or who asks could count who has refused."""
    monkeypatch.setattr("rooms.accounts.adult_contacts.MOST_OPEN", 2)
    await ask(village, "teacher", "partner")
    await ask(village, "teacher", "founder")
    await answer(village, "partner", "teacher", accept=False)
    await ask(village, "teacher", "founder")
    await ask(village, "teacher", "partner")
    with pytest.raises(Conflict) as refused:
        await ask(village, "teacher", "admin")
    assert refused.value.code == "too-many-unanswered"
    await end(village, "teacher", "partner")
    await ask(village, "teacher", "admin")
    with pytest.raises(Conflict):
        await ask(village, "teacher", "partner")
    await answer(village, "admin", "teacher")
    await ask(village, "teacher", "partner")
    known, _, waiting = await lists(village, "teacher")
    assert (known, sorted(waiting)) == (["Admin"], ["Founder", "Partner"])


async def test_fifty_open_requests_are_fine_and_one_more_is_not(village: Village) -> None:
    school = village.facts.schools["douro"]
    async with village.services.records.writing() as tx:
        crowd = [PersonId(f"crowd-{number}") for number in range(51)]
        person = {
            "kind": PersonKind.ADULT,
            "school_id": school,
            "state": PersonState.CONFIRMED,
            "created_at": NOON,
        }
        await tx.do(insert(people), [{"id": each, "name": each, **person} for each in crowd])
    for each in crowd:
        await village.services.members.add_adult(village.space, each, Role.TEACHER)
    for each in crowd[:50]:
        await village.services.contacts.ask(village.person("teacher"), each)
    with pytest.raises(Conflict):
        await village.services.contacts.ask(village.person("teacher"), crowd[50])
    assert len((await village.services.contacts.of(village.person("teacher"))).i_asked) == 50
