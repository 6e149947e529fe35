"""Messages between adults: who may write to whom, once, not too much, and what is left of it when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from village import NOON, Village, email_of, open_services

from rooms.faults import Conflict, NotAllowed, NotFound, RecordsError
from rooms.safety.retention import CHAT_LIFE
from rooms.services import Services
from rooms.storage.schema import contacts, direct_messages, metadata, people
from rooms.talk.direct_messages import MOST_AN_HOUR, MOST_NEW_A_DAY, MessageView
from rooms.values import ContactState, PersonId, PersonKind, PersonState, Role, new_id

Written = tuple[bool, str]
"""Whether it is mine, and its words."""


async def write(
    village: Village, who: str, whom: str, body: str = "Hello", key: str | None = None
) -> MessageView:
    service = village.services.direct_messages
    return await service.send(
        village.person(who), village.person(whom), key=key or f"key-{new_id()}", body=body
    )


async def read(village: Village, who: str, whom: str, **part: Any) -> list[Written]:
    service = village.services.direct_messages
    found = await service.read(village.person(who), village.person(whom), **part)
    return [(each.mine, each.body) for each in found.messages]


async def listed(village: Village, who: str) -> list[tuple[str, str, int]]:
    found = await village.services.direct_messages.of(village.person(who))
    assert found.unread == sum(each.unread for each in found.conversations)
    return [(each.partner.name, each.last.body, each.unread) for each in found.conversations]


async def told(village: Village, who: str) -> list[tuple[str, bool]]:
    found = await village.services.notifications.of(village.person(who))
    return [(each.ref, each.read) for each in found.notifications if each.kind == "message"]


async def be(village: Village, name: str, **values: object) -> None:
    async with village.services.records.writing() as tx:
        await tx.do(update(people).where(people.c.id == village.person(name)).values(values))


async def befriend(
    village: Village, one: str, other: str, state: ContactState = ContactState.ACCEPTED
) -> None:
    """As if they had agreed, whoever they are."""
    row = {
        "asker_id": village.person(one),
        "asked_id": village.person(other),
        "state": state,
        "answered_at": NOON,
        "created_at": NOON,
    }
    async with village.services.records.writing() as tx:
        await tx.put(contacts, [row])


async def forge(village: Village, who: str, whom: str, body: str) -> None:
    """A record of a message that the service would not have taken."""
    async with village.services.records.writing() as tx:
        await tx.do(
            insert(direct_messages).values(
                id=new_id(),
                sender_id=village.person(who),
                recipient_id=village.person(whom),
                key=new_id(),
                body=body,
                read_at=None,
                created_at=village.clock.now,
            )
        )


async def kept(village: Village) -> list[str]:
    async with village.services.records.reading() as tx:
        rows = await tx.all(select(direct_messages.c.body).order_by(direct_messages.c.created_at))
    return [row["body"] for row in rows]


async def newcomers(village: Village, count: int) -> list[str]:
    """Adults of the space."""
    names = [f"newcomer{number}" for number in range(count)]
    for name in names:
        village.facts.people[name] = await village.services.people.add_adult(
            name=name,
            email=email_of(name),
            password="estuary-lantern-42",
            school=village.facts.schools["far"],
        )
        await village.services.members.add_adult(village.space, village.person(name), Role.TEACHER)
    return names


async def test_two_adults_of_a_space_write_to_each_other(village: Village) -> None:
    assert await read(village, "teacher", "partner") == []
    await write(village, "teacher", "partner", "Shall we begin on Monday?")
    await write(village, "teacher", "partner", "Or on Tuesday?")
    assert await listed(village, "partner") == [("Teacher", "Or on Tuesday?", 2)]
    assert await listed(village, "teacher") == [("Partner", "Or on Tuesday?", 0)]
    assert await told(village, "partner") == [(f"person/{village.person('teacher')}", False)]
    assert await told(village, "teacher") == []
    village.clock.now += 60
    await village.services.direct_messages.seen(
        village.person("partner"), village.person("teacher"), village.clock.now
    )
    assert await listed(village, "partner") == [("Teacher", "Or on Tuesday?", 0)]
    assert await told(village, "partner") == [(f"person/{village.person('teacher')}", True)]
    await write(village, "partner", "teacher", "Monday.")
    assert await read(village, "teacher", "partner") == [
        (True, "Shall we begin on Monday?"),
        (True, "Or on Tuesday?"),
        (False, "Monday."),
    ]
    assert await listed(village, "admin") == []
    with pytest.raises(NotFound):
        await read(village, "outsider", "partner")


async def test_both_hear_of_a_message_wherever_they_are_and_no_rights_rest_on_it(village: Village) -> None:
    await write(village, "teacher", "partner")
    heard = village.heard("message")
    assert {change.person for change in heard} == {village.person("teacher"), village.person("partner")}
    for change in heard:
        assert (change.notice, change.told, change.content) == (("notifications",), "person", True)
        assert (change.space, change.document) == (None, None)


async def test_what_came_after_what_was_read_is_unread(village: Village) -> None:
    first = await write(village, "teacher", "partner", "One")
    second = await write(village, "teacher", "partner", "Two")
    assert second.at > first.at
    seen = village.services.direct_messages.seen
    await seen(village.person("partner"), village.person("teacher"), first.at)
    assert await listed(village, "partner") == [("Teacher", "Two", 1)]
    assert [read for _, read in await told(village, "partner")] == [False]
    await seen(village.person("partner"), village.person("teacher"), second.at)
    assert await listed(village, "partner") == [("Teacher", "Two", 0)]
    assert [read for _, read in await told(village, "partner")] == [True]
    for who, other in (("teacher", "partner"), ("admin", "teacher"), ("student", "teacher")):
        with pytest.raises(NotFound):
            await seen(village.person(who), village.person(other), second.at)


async def test_contacts_write_wherever_they_are_and_who_only_asked_does_not(village: Village) -> None:
    for state in (ContactState.ASKED, ContactState.REFUSED):
        await befriend(village, "teacher", "outsider", state)
        for who, whom in (("teacher", "outsider"), ("outsider", "teacher")):
            with pytest.raises(NotFound):
                await write(village, who, whom)
    await befriend(village, "teacher", "outsider")
    await write(village, "outsider", "teacher", "Do you remember me?")
    await write(village, "teacher", "outsider", "Of course.")
    await village.services.contacts.end(village.person("teacher"), village.person("outsider"))
    for who, whom in (("teacher", "outsider"), ("outsider", "teacher")):
        with pytest.raises(NotFound):
            await write(village, who, whom)
        assert len(await read(village, who, whom)) == 2
        found = await village.services.direct_messages.read(village.person(who), village.person(whom))
        assert (found.can_write, found.contact) == (False, False)


PUPILS = ("student", "editor", "mate", "pal")


@pytest.mark.parametrize("pupil", PUPILS)
async def test_no_pupil_writes_or_is_written_to_whatever_the_records_say(
    village: Village, pupil: str
) -> None:
    for adult in ("teacher", "partner"):
        for forged in (False, True):
            if forged:
                await befriend(village, adult, pupil)
                await befriend(village, pupil, adult)
                await forge(village, adult, pupil, "Forged to a pupil")
                await forge(village, pupil, adult, "Forged by a pupil")
            for who, whom in ((adult, pupil), (pupil, adult)):
                with pytest.raises(NotAllowed):
                    await write(village, who, whom)
                assert await listed(village, who) == []
                with pytest.raises(RecordsError):
                    await read(village, who, whom)
                assert await told(village, who) == []
    await befriend(village, pupil, "student" if pupil != "student" else "mate")
    with pytest.raises(NotAllowed):
        await write(village, pupil, "student" if pupil != "student" else "mate")


async def test_who_was_an_adult_and_is_a_pupil_now_has_no_messages(village: Village) -> None:
    await write(village, "teacher", "partner")
    await be(village, "partner", kind=PersonKind.PUPIL, state=PersonState.ACTIVE)
    assert await listed(village, "partner") == []
    assert await listed(village, "teacher") == []
    for who, whom in (("partner", "teacher"), ("teacher", "partner")):
        with pytest.raises(NotAllowed):
            await write(village, who, whom)
        with pytest.raises(NotAllowed):
            await read(village, who, whom)


async def test_who_is_not_confirmed_has_none(village: Village) -> None:
    for who, whom in (("guest", "teacher"), ("teacher", "guest")):
        with pytest.raises(NotAllowed):
            await write(village, who, whom)
    await write(village, "teacher", "partner")
    await be(village, "partner", state=PersonState.REGISTERED)
    assert await listed(village, "partner") == []
    for who, whom in (("partner", "teacher"), ("teacher", "partner")):
        with pytest.raises(NotAllowed):
            await write(village, who, whom)
    with pytest.raises(NotAllowed):
        await read(village, "partner", "teacher")


@pytest.mark.parametrize("state", [PersonState.SUSPENDED, PersonState.DISABLED])
async def test_who_is_suspended_is_not_written_to_but_what_they_wrote_stays(
    village: Village, state: PersonState
) -> None:
    await write(village, "partner", "teacher", "Until tomorrow")
    await be(village, "partner", state=state)
    with pytest.raises(NotFound):
        await write(village, "teacher", "partner")
    assert await read(village, "teacher", "partner") == [(False, "Until tomorrow")]
    found = await village.services.direct_messages.read(village.person("teacher"), village.person("partner"))
    assert not found.can_write
    with pytest.raises(NotAllowed):
        await write(village, "partner", "teacher")
    assert await listed(village, "partner") == []


async def test_of_who_is_erased_nothing_is_seen_and_soon_nothing_left(village: Village) -> None:
    await write(village, "partner", "teacher", "Mine")
    await write(village, "teacher", "partner", "Theirs")
    await write(village, "teacher", "admin", "Another’s")
    await be(village, "partner", state=PersonState.ERASED)
    assert await listed(village, "teacher") == [("Admin", "Another’s", 0)]
    for act in (read, write):
        with pytest.raises(NotFound):
            await act(village, "teacher", "partner")
    await village.services.retention.forget()
    assert await kept(village) == ["Another’s"]


async def test_messages_go_with_the_record_of_a_person(village: Village) -> None:
    [name] = await newcomers(village, 1)
    await write(village, name, "teacher", "Mine")
    await write(village, "teacher", name, "Theirs")
    await write(village, "teacher", "admin", "Another’s")
    async with village.services.records.writing() as tx:
        await tx.do(delete(people).where(people.c.id == village.person(name)))
    assert await kept(village) == ["Another’s"]


async def test_nobody_writes_to_themselves_or_to_nobody(village: Village) -> None:
    with pytest.raises(Conflict) as refused:
        await write(village, "teacher", "teacher")
    assert refused.value.code == "yourself"
    village.facts.people["nobody"] = PersonId("nobody")
    for act in (read, write):
        with pytest.raises(NotFound):
            await act(village, "teacher", "nobody")


# Blocks


async def test_who_is_blocked_notices_nothing_and_nothing_arrives_then_or_later(village: Village) -> None:
    await write(village, "teacher", "partner", "Before")
    blocking, partner, teacher = (
        village.services.blocking,
        village.person("partner"),
        village.person("teacher"),
    )
    await village.services.direct_messages.seen(partner, teacher, village.clock.now + 1)
    told_before = await told(village, "partner")
    village.changes.clear()
    await blocking.block(partner, teacher)
    made = await write(village, "teacher", "partner", "During", "key-of-during")
    assert await write(village, "teacher", "partner", "During", "key-of-during") == made
    assert await read(village, "teacher", "partner") == [(True, "Before"), (True, "During")]
    assert await listed(village, "teacher") == [("Partner", "During", 0)]
    found = await village.services.direct_messages.read(teacher, partner)
    assert (found.can_write, found.blocked) == (True, False)

    assert await listed(village, "partner") == []
    assert await read(village, "partner", "teacher") == [(False, "Before")]
    assert await told(village, "partner") == told_before
    assert {change.person for change in village.heard("message")} == {teacher}
    assert village.heard("notification") == []
    with pytest.raises(Conflict) as refused:
        await write(village, "partner", "teacher")
    assert refused.value.code == "blocked-by-you"
    found = await village.services.direct_messages.read(partner, teacher)
    assert (found.can_write, found.blocked, found.unread) == (False, True, 0)

    await blocking.unblock(partner, teacher)
    assert await read(village, "partner", "teacher") == [(False, "Before")]
    assert await listed(village, "partner") == [("Teacher", "Before", 0)]
    await write(village, "teacher", "partner", "After")
    assert await read(village, "partner", "teacher") == [(False, "Before"), (False, "After")]
    assert await listed(village, "partner") == [("Teacher", "After", 1)]


async def test_a_conversation_that_was_blocked_from_the_start_is_not_there(village: Village) -> None:
    await village.services.blocking.block(village.person("partner"), village.person("teacher"))
    await write(village, "teacher", "partner", "Hello?")
    await village.services.blocking.unblock(village.person("partner"), village.person("teacher"))
    assert await listed(village, "partner") == []
    assert await read(village, "partner", "teacher") == []
    with pytest.raises(NotFound):
        await village.services.direct_messages.seen(
            village.person("partner"), village.person("teacher"), village.clock.now
        )


async def test_who_writes_to_me_can_be_blocked_also_where_we_share_no_space(village: Village) -> None:
    blocking, teacher, outsider = (
        village.services.blocking,
        village.person("teacher"),
        village.person("outsider"),
    )
    with pytest.raises(NotFound):
        await blocking.block(teacher, outsider)
    await befriend(village, "teacher", "outsider")
    await write(village, "outsider", "teacher")
    await blocking.block(teacher, outsider)
    [line] = await blocking.of(teacher)
    assert (line.person_id, line.name) == (outsider, "Outsider")
    await blocking.unblock(teacher, outsider)
    await village.services.contacts.end(teacher, outsider)
    await blocking.block(teacher, outsider)
    async with village.services.records.writing() as tx:
        await tx.do(delete(direct_messages))
    assert [each.name for each in await blocking.of(teacher)] == [None]
    await blocking.unblock(teacher, outsider)
    with pytest.raises(NotFound):
        await blocking.block(teacher, outsider)


# Once, and not too much


async def test_the_same_key_writes_once(village: Village) -> None:
    made = await write(village, "teacher", "partner", "Once", "key-of-mine")
    village.clock.now += 5
    assert await write(village, "teacher", "partner", "Once", "key-of-mine") == made
    await write(village, "partner", "teacher", "Mine", "key-of-mine")
    assert await read(village, "partner", "teacher") == [(False, "Once"), (True, "Mine")]
    with pytest.raises(Conflict) as refused:
        await write(village, "teacher", "admin", "Once", "key-of-mine")
    assert refused.value.code == "key-used"
    found = await village.services.direct_messages.read(village.person("partner"), village.person("teacher"))
    assert [each.key for each in found.messages] == [None, "key-of-mine"]


@pytest.fixture
async def other_node(village: Village) -> AsyncIterator[Services]:
    services = await open_services(village.url, village.clock)
    yield services
    await services.close()


async def test_the_same_key_at_once_on_two_nodes_writes_once(village: Village, other_node: Services) -> None:
    person, other = village.person("teacher"), village.person("partner")
    made = await asyncio.gather(
        *(
            services.direct_messages.send(person, other, key="key-at-once", body="Once")
            for services in (village.services, other_node, village.services, other_node)
        )
    )
    assert len(set(made)) == 1
    assert await kept(village) == ["Once"]


async def test_many_an_hour_are_enough(village: Village) -> None:
    for number in range(MOST_AN_HOUR):
        village.clock.now += 1
        await write(village, "teacher", "partner" if number % 2 else "admin", key=f"key-number-{number}")
    for whom in ("partner", "admin", "founder"):
        with pytest.raises(Conflict) as refused:
            await write(village, "teacher", whom)
        assert refused.value.code == "too-many-messages"
    await write(village, "teacher", "partner", key="key-number-1")
    await write(village, "partner", "teacher")
    village.clock.now = NOON + 3_602
    await write(village, "teacher", "partner")


async def test_a_few_new_people_a_day_are_enough(village: Village) -> None:
    *names, one_more, who_writes_first = await newcomers(village, MOST_NEW_A_DAY + 2)
    await write(village, who_writes_first, "teacher")
    await write(village, "teacher", who_writes_first)
    for name in names:
        village.clock.now += 1
        await write(village, "teacher", name)
        await write(village, name, "teacher")
    with pytest.raises(Conflict) as refused:
        await write(village, "teacher", one_more)
    assert refused.value.code == "too-many-new"
    for name in (names[0], who_writes_first):
        await write(village, "teacher", name)
    await write(village, one_more, "teacher")
    await write(village, "teacher", one_more)
    with pytest.raises(Conflict):
        await write(village, "teacher", "founder")
    village.clock.now = NOON + 86_402
    await write(village, "teacher", "founder")


# Reading


async def test_a_long_conversation_is_read_in_parts(village: Village) -> None:
    made = []
    for number in range(7):
        village.clock.now += number % 2  # several at the same moment
        made.append(
            await write(
                village,
                ("teacher", "partner")[number % 3 > 0],
                ("partner", "teacher")[number % 3 > 0],
                str(number),
            )
        )
    assert [each.at for each in made] == sorted({each.at for each in made})
    read = village.services.direct_messages.read
    teacher, partner = village.person("teacher"), village.person("partner")

    async def part(**asked: Any) -> tuple[str, bool]:
        found = await read(teacher, partner, **asked)
        return "".join(each.body for each in found.messages), found.more

    assert await part() == ("0123456", False)
    assert await part(most=3) == ("456", True)
    assert await part(most=3, before=made[4].at) == ("123", True)
    assert await part(most=3, before=made[1].at) == ("0", False)
    assert await part(most=3, after=made[1].at) == ("234", True)
    assert await part(after=made[5].at) == ("6", False)
    assert await part(after=made[6].at) == ("", False)


async def test_conversations_are_listed_by_their_last_message_with_its_beginning(village: Village) -> None:
    for who, whom, body in (
        ("teacher", "partner", "a" * 4_000),
        ("admin", "teacher", "b"),
        ("founder", "teacher", "c"),
        ("partner", "teacher", "d" * 4_000),
    ):
        village.clock.now += 1
        await write(village, who, whom, body)
    assert await listed(village, "teacher") == [
        ("Partner", "d" * 200, 1),
        ("Founder", "c", 1),
        ("Admin", "b", 1),
    ]
    [line] = (await village.services.direct_messages.of(village.person("partner"))).conversations
    assert (line.partner.school, line.partner.town, line.partner.country) == (
        "School of Zaragoza",
        "Zaragoza",
        "ES",
    )
    assert line.last.mine


async def test_they_are_kept_for_90_days(village: Village) -> None:
    await write(village, "teacher", "partner", "Old")
    village.clock.now += 60
    await write(village, "partner", "teacher", "Young")
    village.clock.now = NOON + CHAT_LIFE
    await village.services.retention.forget()
    assert await kept(village) == ["Old", "Young"]
    village.clock.now += 1
    await village.services.retention.forget()
    assert await kept(village) == ["Young"]
    assert await read(village, "teacher", "partner") == [(False, "Young")]


async def test_the_words_are_in_no_other_record(village: Village) -> None:
    words = f"canary {new_id()}"
    await write(village, "teacher", "partner", words)
    await village.services.direct_messages.seen(
        village.person("partner"), village.person("teacher"), village.clock.now
    )
    await village.services.blocking.block(village.person("partner"), village.person("teacher"))
    await write(village, "teacher", "partner", words)
    assert words not in repr(village.changes)
    found = set()
    async with village.services.records.reading() as tx:
        for table in metadata.sorted_tables:
            rows = await tx.all(select(table))
            if words in repr([dict(row) for row in rows]):
                found.add(table.name)
    assert found == {"direct_messages"}
