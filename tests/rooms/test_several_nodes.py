"""Two nodes on the same records: rights, log-ins and the limits of guessing are those of one installation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest
from village import PASSWORD, Village, email_of, open_services

from rooms.accounts.sessions import HALF_DAY, NewSession
from rooms.accounts.throttle import LONGEST_PAUSE, SCHOOL
from rooms.faults import RecordsUnavailable, TooManyTries, WrongCredentials
from rooms.services import Services
from rooms.storage.records import Records
from rooms.storage.schema import login_limits
from rooms.values import EditRule, Role

HERE = "198.51.100.7"
WRONG = "mango-mango-mango"


@pytest.fixture
async def other(village: Village) -> AsyncIterator[Services]:
    """A second node; ``village.services`` is the first."""
    services = await open_services(village.url, village.clock)
    yield services
    await services.close()


def wrong(code: str) -> str:
    return "-".join([*code.split("-")[:-3], WRONG])


async def outcome(attempt: Awaitable[NewSession]) -> str:
    try:
        await attempt
    except (WrongCredentials, TooManyTries) as error:
        return type(error).__name__
    return "in"


async def pause(attempt: Awaitable[NewSession]) -> float:
    with pytest.raises(TooManyTries) as held:
        await attempt
    return held.value.retry_after


# Guessing


async def test_a_guesser_gets_no_more_tries_on_two_nodes_than_on_one(
    village: Village, other: Services
) -> None:
    code, nodes = village.facts.codes["student"], (village.services, other)

    def guess(number: int) -> Awaitable[NewSession]:
        return nodes[number % 2].sessions.log_in_with_code(wrong(code), address=f"192.0.2.{number}")

    got = [await outcome(guess(number)) for number in range(12)]
    assert got == ["WrongCredentials"] * 5 + ["TooManyTries"] * 7
    pauses = []
    for number in range(7):
        held = [await pause(node.sessions.log_in_with_code(code, address=HERE)) for node in nodes]
        assert len(set(held)) == 1, "even the right card waits, on both for as long"
        pauses.append(held[0])
        village.clock.now += held[0]
        assert await outcome(guess(number)) == "WrongCredentials"
    assert pauses == [30, 60, 120, 240, 480, LONGEST_PAUSE, LONGEST_PAUSE]


async def test_guesses_at_the_same_moment_on_both_are_counted_one_by_one(
    village: Village, other: Services
) -> None:
    code, nodes = village.facts.codes["student"], (village.services, other)
    got = await asyncio.gather(
        *(
            outcome(nodes[number % 2].sessions.log_in_with_code(wrong(code), address=HERE))
            for number in range(40)
        )
    )
    assert sorted(got) == ["TooManyTries"] * 35 + ["WrongCredentials"] * 5


async def test_the_limits_of_school_address_and_everybody_hold_on_both_and_over_a_restart(
    village: Village, other: Services
) -> None:
    school, nodes = village.facts.schools["ebro"], (village.services, other)
    await nodes[0].throttle.begin("name", school, "192.0.2.1")
    await fill(village, "school", SCHOOL.room - 10)
    for number in range(10):
        await nodes[number % 2].throttle.begin(f"name {number}", school, f"192.0.2.{number}")
    again = await open_services(village.url, village.clock)
    for node in (village.services, other, again):
        for code, answer in (("student", "TooManyTries"), ("pal", "in")):
            attempt = node.sessions.log_in_with_code(village.facts.codes[code], address="203.0.113.9")
            assert await outcome(attempt) == answer
    await again.close()


async def fill(village: Village, kind: str, level: float) -> None:
    """As if so many had tried."""
    async with village.services.records.writing() as tx:
        await tx.do(login_limits.update().where(login_limits.c.kind == kind).values(level=level))


async def test_a_right_try_on_one_node_forgets_the_wrong_ones_of_the_other(
    village: Village, other: Services
) -> None:
    code = village.facts.codes["student"]
    for _ in range(4):
        for _ in range(4):
            await outcome(other.sessions.log_in_with_code(wrong(code), address=HERE))
        assert await outcome(village.services.sessions.log_in_with_code(code, address=HERE)) == "in"


async def test_a_school_that_logged_in_at_one_node_is_familiar_to_the_other(
    village: Village, other: Services
) -> None:
    code = village.facts.codes["student"]
    assert await outcome(village.services.sessions.log_in_with_code(code, address=HERE)) == "in"
    this = await other.throttle.begin("anybody", None, HERE)
    assert {bucket.kind for bucket in this.counted.values()} == {"school", "address"}
    this = await other.throttle.begin("anybody", None, "203.0.113.9")
    assert {bucket.kind for bucket in this.counted.values()} == {"school", "address", "everybody"}


async def test_thirty_pupils_log_in_at_the_same_moment_on_two_nodes(
    village: Village, other: Services
) -> None:
    made = await village.services.people.make_pupils(
        village.person("teacher"), village.facts.schools["ebro"], village.space, [None] * 30
    )
    nodes = (village.services, other)
    got = await asyncio.gather(
        *(
            outcome(nodes[number % 2].sessions.log_in_with_code(card.card.code, address=HERE))
            for number, card in enumerate(made)
        )
    )
    assert got == ["in"] * 30


# Log-ins


async def test_a_log_in_of_one_node_counts_on_the_other_until_it_ends_anywhere(
    village: Village, other: Services
) -> None:
    made = await village.services.sessions.log_in_with_code(village.facts.codes["student"], address=HERE)
    assert await other.sessions.resolve(made.token) == made.principal
    document = f"page/{village.facts.pages['open']}"
    assert (await other.authority.access(made.principal, document)).may_write
    assert made.principal.session_id is not None
    await other.sessions.log_out(made.principal.session_id)
    assert await village.services.sessions.resolve(made.token) is None
    access = await village.services.authority.access(made.principal, document)
    assert (access.may_read, access.reason) == (False, "logged-out")


async def test_a_new_password_or_card_and_a_disabled_pupil_end_log_ins_everywhere(
    village: Village, other: Services
) -> None:
    here, there = village.services.sessions, other.sessions
    code = village.facts.codes["student"]
    teacher = village.person("teacher")
    kept = await here.log_in_with_password(email_of("teacher"), PASSWORD, address=HERE)
    lost = await there.log_in_with_password(email_of("teacher"), PASSWORD, address=HERE)
    assert kept.principal.session_id is not None
    keep = kept.principal.session_id
    await here.change_password(teacher, PASSWORD, "a-new-password", keep=keep, address=HERE)
    assert [await there.resolve(each.token) for each in (kept, lost)] == [kept.principal, None]
    pupil = await there.log_in_with_code(code, address=HERE)
    await village.services.people.reset_code(teacher, village.person("student"))
    assert await there.resolve(pupil.token) is None
    mate = await there.log_in_with_code(village.facts.codes["mate"], address=HERE)
    await village.services.people.change_pupil(teacher, village.person("mate"), disabled=True)
    assert await there.resolve(mate.token) is None


async def test_a_log_in_used_on_either_node_is_prolonged_on_both(village: Village, other: Services) -> None:
    made = await village.services.sessions.log_in_with_code(village.facts.codes["student"], address=HERE)
    for node in (other, village.services, other):
        village.clock.now += HALF_DAY * 0.9
        found = await node.sessions.resolve(made.token)
        assert found is not None
        assert found.expires_at == village.clock.now + HALF_DAY


async def test_who_only_reads_is_answered_while_nothing_can_be_written(
    village: Village, other: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is not prolonged, and for a while nobody waits for that again."""
    sessions, records = village.services.sessions, village.services.records
    made = await sessions.log_in_with_code(village.facts.codes["student"], address=HERE)
    until, half = made.principal.expires_at, HALF_DAY / 2
    village.clock.now += half
    async with other.records.writing():  # somebody writes, and takes long
        found = await sessions.resolve(made.token)
        assert found is not None
        assert found.expires_at == until
        with monkeypatch.context() as reading:
            reading.delattr(Records, "writing")
            assert await sessions.resolve(made.token) == found
    assert records.trouble == ""
    village.clock.now += 5
    found = await sessions.resolve(made.token)
    assert found is not None
    assert found.expires_at == village.clock.now + HALF_DAY


async def test_a_writer_that_waits_too_long_is_told(village: Village, other: Services) -> None:
    async with other.records.writing():
        with pytest.raises(RecordsUnavailable):
            async with village.services.records.writing(0.1):
                pass
    async with village.services.records.writing(0.1):
        pass


# Rights


async def test_rights_given_on_one_node_act_on_the_next_question_to_the_other(
    village: Village, other: Services
) -> None:
    founder, page = village.person("founder"), village.facts.pages["open"]
    made = await other.sessions.log_in_with_code(village.facts.codes["student"], address=HERE)

    async def may_write() -> bool:
        return (await other.authority.access(made.principal, f"page/{page}")).may_write

    services = village.services
    assert await may_write()
    await services.pages.lock(founder, page, "Wait.", None)
    assert not await may_write()
    await services.pages.unlock(founder, page)
    assert await may_write()
    await services.pages.change(founder, page, {"edit_rule": EditRule.EDITORS})
    assert not await may_write()
    await services.members.change_role(founder, village.member("student"), Role.STUDENT_EDITOR)
    assert await may_write()
    await services.members.remove(founder, village.member("student"))
    assert not await may_write()


async def test_what_two_nodes_make_at_the_same_moment_does_not_collide(
    village: Village, other: Services
) -> None:
    """Card names, places in a tree, addresses: each is read first and written then."""
    school, teacher = village.facts.schools["ebro"], village.person("teacher")
    nodes = (village.services, other)
    for node in nodes:
        node.people._choose = lambda words: words[0]
    batches = await asyncio.gather(
        *(node.people.make_pupils(teacher, school, village.space, [None] * 5) for node in nodes)
    )
    cards = sorted(card.card.selector for batch in batches for card in batch)
    assert cards == sorted(["able-albatross", *(f"able-albatross-{number}" for number in range(2, 11))])
    general = village.facts.rooms["general"]
    await asyncio.gather(
        *(nodes[number % 2].pages.create(teacher, general, title=f"{number}") for number in range(10))
    )
    listed = await other.pages.of_space(teacher, village.space)
    assert sorted(page.order for page in listed if page.room_id == general) == list(range(11))
