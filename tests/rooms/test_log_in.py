"""Logging in: a class gets in, a guesser does not, and no answer tells who exists."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from village import PASSWORD, Village, email_of, open_services

from rooms.accounts.sessions import HALF_DAY, TWO_WEEKS, NewSession
from rooms.accounts.throttle import ADDRESS, CLEAN_EVERY, EVERYBODY, LONGEST_PAUSE, SCHOOL, Bucket, Throttle
from rooms.faults import TooManyTries, WrongCredentials
from rooms.rights.access import Principal
from rooms.storage import schema
from rooms.storage.records import Reading
from rooms.values import CredentialKind

HERE = "198.51.100.7"
WRONG = "mango-mango-mango"


def wrong(code: str) -> str:
    """The same account with another secret."""
    return "-".join([*code.split("-")[:-3], WRONG])


async def by_code(village: Village, code: str, address: str = HERE) -> NewSession:
    return await village.services.sessions.log_in_with_code(code, address=address)


async def outcome(attempt: Awaitable[NewSession]) -> str:
    try:
        await attempt
    except (WrongCredentials, TooManyTries) as error:
        retry = f" {error.retry_after:.3f}" if isinstance(error, TooManyTries) else ""
        return f"{type(error).__name__}: {error}{retry}"
    return "in"


# Who gets in


async def test_a_pupil_gets_in_with_the_card_and_an_adult_with_the_password(village: Village) -> None:
    sessions, facts = village.services.sessions, village.facts
    pupil = await by_code(village, facts.codes["student"].upper().replace("-", "  "))
    assert pupil.principal.person == village.person("student")
    adult = await sessions.log_in_with_password(f" {email_of('teacher').upper()} ", PASSWORD, address=HERE)
    assert adult.principal.person == village.person("teacher")
    assert await sessions.resolve(pupil.token) == pupil.principal
    assert await sessions.resolve(adult.token) == adult.principal


async def test_thirty_pupils_behind_one_address_get_in_within_a_minute_in_spite_of_slips(
    village: Village,
) -> None:
    facts, services = village.facts, village.services
    made = await services.people.make_pupils(
        village.person("teacher"), facts.schools["ebro"], village.space, [None] * 30
    )

    async def one(number: int, code: str) -> str:
        for _ in range(4 if number % 2 else 0):
            assert (await outcome(by_code(village, wrong(code)))).startswith("WrongCredentials")
        return await outcome(by_code(village, code))

    got = await asyncio.gather(*(one(number, card.card.code) for number, card in enumerate(made)))
    assert got == ["in"] * 30


async def test_the_loop_goes_on_while_secrets_are_hashed(village: Village) -> None:
    turns = 0

    async def spin() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    spinner = asyncio.create_task(spin())
    await by_code(village, village.facts.codes["student"])
    spinner.cancel()
    assert turns > 3


# Who does not


async def test_after_five_wrong_tries_the_account_pauses_longer_each_time(village: Village) -> None:
    code = village.facts.codes["student"]
    for _ in range(5):
        assert (await outcome(by_code(village, wrong(code)))).startswith("WrongCredentials")
    pauses = []
    for _ in range(8):
        held = await outcome(by_code(village, code))
        assert held.startswith("TooManyTries"), "even the right card waits"
        pauses.append(float(held.rpartition(" ")[2]))
        village.clock.now += pauses[-1]
        assert (await outcome(by_code(village, wrong(code)))).startswith("WrongCredentials")
    assert pauses == [30, 60, 120, 240, 480, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


async def test_a_refused_try_neither_counts_nor_prolongs_the_pause(village: Village) -> None:
    code = village.facts.codes["student"]
    for _ in range(5):
        await outcome(by_code(village, wrong(code)))
    for _ in range(100):
        assert (await outcome(by_code(village, wrong(code)))).startswith("TooManyTries")
    village.clock.now += 30
    assert await outcome(by_code(village, code)) == "in"


async def test_a_right_try_forgets_the_wrong_ones(village: Village) -> None:
    code = village.facts.codes["student"]
    for _ in range(10):
        for _ in range(4):
            await outcome(by_code(village, wrong(code)))
        assert await outcome(by_code(village, code)) == "in"


async def test_a_hundred_guesses_at_the_same_moment_are_a_hundred_guesses(village: Village) -> None:
    code = village.facts.codes["student"]
    got = await asyncio.gather(*(outcome(by_code(village, wrong(code))) for _ in range(100)))
    assert sum(answer.startswith("WrongCredentials") for answer in got) == 5


async def test_pauses_of_accounts_survive_a_restart(village: Village) -> None:
    code = village.facts.codes["student"]
    for _ in range(5):
        await outcome(by_code(village, wrong(code)))
    again = await open_services(village.url, village.clock)
    try:
        held = await outcome(again.sessions.log_in_with_code(code, address=HERE))
    finally:
        await again.close()
    assert held.startswith("TooManyTries")


async def test_a_new_card_ends_the_pause(village: Village) -> None:
    for _ in range(6):
        await outcome(by_code(village, wrong(village.facts.codes["student"])))
    made = await village.services.people.reset_code(village.person("teacher"), village.person("student"))
    assert await outcome(by_code(village, made.card.code)) == "in"


async def test_guesses_spread_over_a_school_are_held_by_the_school_from_every_address(
    village: Village,
) -> None:
    throttle, school = village.services.throttle, village.facts.schools["ebro"]
    await throttle.begin("name", school, "192.0.2.1")
    await fill(village, SCHOOL, but=30)
    for number in range(30):
        await throttle.begin(f"name {number}", school, f"192.0.2.{number}")
    held = await outcome(by_code(village, village.facts.codes["student"], "203.0.113.9"))
    assert held.startswith("TooManyTries")
    assert await outcome(by_code(village, village.facts.codes["pal"], "203.0.113.9")) == "in"
    village.clock.now += 10
    assert await outcome(by_code(village, village.facts.codes["student"], "203.0.113.9")) == "in"


async def test_guesses_from_one_address_are_held_whatever_they_name(village: Village) -> None:
    throttle, schools = village.services.throttle, list(village.facts.schools.values())
    await throttle.begin("name", None, "2001:db8::1")
    await fill(village, ADDRESS, but=30)
    for number in range(30):
        await throttle.begin(f"name {number}", schools[number % 3], f"2001:db8::{number}")
    # IPv6: the whole /64 is one household.
    held = await outcome(by_code(village, village.facts.codes["student"], "2001:db8::ffff"))
    assert held.startswith("TooManyTries")
    assert await outcome(by_code(village, village.facts.codes["student"], "2001:db8:0:1::1")) == "in"


async def test_a_flood_from_everywhere_does_not_lock_out_a_school_that_was_here_this_week(
    village: Village,
) -> None:
    assert await outcome(by_code(village, village.facts.codes["student"])) == "in"
    for number in range(10):
        await village.services.throttle.begin(f"name {number}", None, f"192.0.2.{number}")
    await fill(village, EVERYBODY)
    held = await outcome(by_code(village, village.facts.codes["student"], "203.0.113.9"))
    assert held.startswith("TooManyTries")
    assert await outcome(by_code(village, village.facts.codes["student"])) == "in"


async def fill(village: Village, bucket: Bucket, *, but: int = 0) -> None:
    """As if all that fits had been tried but so many, wherever somebody has tried."""
    limits = schema.login_limits
    async with village.services.records.writing() as tx:
        await tx.do(limits.update().where(limits.c.kind == bucket.kind).values(level=bucket.room - but))


def test_a_bucket_drains_and_no_clock_that_is_ahead_fills_it() -> None:
    bucket = Bucket("school", room=2, drain=0.5)
    full = {"level": 2.0, "at": 100.0}
    assert bucket.wait(bucket.level(full, 100.0)) == 2.0
    assert bucket.wait(bucket.level(full, 101.0)) == 1.0
    assert bucket.wait(bucket.level(full, 40.0)) == 2.0
    assert bucket.level(full, 1_000.0) == 0.0
    assert bucket.wait(bucket.level(None, 100.0)) == 0.0


async def test_what_has_drained_is_forgotten(village: Village) -> None:
    throttle = village.services.throttle
    for number in range(20):
        await throttle.begin(f"name {number}", None, f"192.0.2.{number}")
    village.clock.now += SCHOOL.room / SCHOOL.drain + 1
    throttle._tries = CLEAN_EVERY - 1
    await throttle.begin("name", village.facts.schools["ebro"], "203.0.113.9")
    assert await count(village, "school") == 1
    assert await count(village, "address") == 1
    assert await count(village, "everybody") == 1, "it drains longer"
    assert ADDRESS.room / ADDRESS.drain < EVERYBODY.room / EVERYBODY.drain


async def count(village: Village, kind: str) -> int:
    limits = schema.login_limits
    async with village.services.records.reading() as tx:
        return int(await tx.value(select(func.count()).where(limits.c.kind == kind)))


# What answers tell


@pytest.mark.parametrize("tries", [1, 5, 6, 7])
async def test_unknown_accounts_get_the_answers_and_the_work_of_known_ones(
    village: Village, tries: int
) -> None:
    sessions, hasher = village.services.sessions, village.services.hasher
    real = village.facts.codes["student"]
    taken = {code.rsplit("-", 3)[0] for code in village.facts.codes.values()}
    assert "brave-otter" not in taken
    attempts = {
        "known code": lambda: sessions.log_in_with_code(wrong(real), address=HERE),
        "unknown code": lambda: sessions.log_in_with_code(f"brave-otter-{WRONG}", address=HERE),
        "no code at all": lambda: sessions.log_in_with_code("let me in", address=HERE),
        "known email": lambda: sessions.log_in_with_password(email_of("teacher"), "wrong", address=HERE),
        "unknown email": lambda: sessions.log_in_with_password(email_of("nobody"), "wrong", address=HERE),
    }
    seen = {}
    for name, attempt in attempts.items():
        before = hasher.checks
        answers = [await outcome(attempt()) for _ in range(tries)]
        seen[name] = (answers, hasher.checks - before)
    assert len({(tuple(answers), work) for answers, work in seen.values()}) == 1, seen


async def test_a_held_school_does_not_tell_its_accounts_from_unknown_ones(village: Village) -> None:
    """Unknown accounts belong to schools, too: holding one school holds a part of the unknown."""
    services, ebro = village.services, village.facts.schools["ebro"]
    async with services.records.reading() as tx:
        of_ebro = await unknown_account(services.throttle, tx, lambda school: school == ebro)
        of_others = await unknown_account(services.throttle, tx, lambda school: school != ebro)
    await services.throttle.begin("name", ebro, "192.0.2.1")
    await fill(village, SCHOOL)
    assert (await outcome(by_code(village, f"{of_ebro}-{WRONG}", "203.0.113.1"))).startswith("TooManyTries")
    other = await outcome(by_code(village, f"{of_others}-{WRONG}", "203.0.113.2"))
    assert other.startswith("WrongCredentials")


async def unknown_account(throttle: Throttle, tx: Reading, fits: Callable[[str], bool]) -> str:
    """A name that nobody has and that belongs to such a school."""
    for number in range(2, 100_000):
        name = f"brave-otter-{number}"
        if fits(await throttle._some_school(tx, throttle._keyed(f"{CredentialKind.CODE_CARD}:{name}"))):
            return name
    raise AssertionError


async def test_a_disabled_pupil_is_answered_like_a_wrong_card(village: Village) -> None:
    await village.services.people.change_pupil(
        village.person("teacher"), village.person("student"), disabled=True
    )
    disabled = await outcome(by_code(village, village.facts.codes["student"]))
    assert disabled == await outcome(by_code(village, wrong(village.facts.codes["mate"])))


# Sessions


@pytest.mark.parametrize(("who", "life"), [("student", HALF_DAY), ("teacher", TWO_WEEKS)])
async def test_a_session_slides_while_it_is_used_and_ends_when_it_is_not(
    village: Village, who: str, life: float
) -> None:
    sessions, clock = village.services.sessions, village.clock
    if who == "student":
        made = await by_code(village, village.facts.codes["student"])
    else:
        made = await sessions.log_in_with_password(email_of(who), PASSWORD, address=HERE)
    for _ in range(3):
        clock.now += life * 0.9
        found = await sessions.resolve(made.token)
        assert found is not None
        assert found.expires_at == clock.now + life
    clock.now += life
    assert await sessions.resolve(made.token) is None


async def test_logging_in_again_ends_the_session_the_browser_had(village: Village) -> None:
    sessions, code = village.services.sessions, village.facts.codes["student"]
    first = await by_code(village, code)
    second = await sessions.log_in_with_code(code, address=HERE, replaces=first.principal.session_id)
    assert first.token != second.token
    assert await sessions.resolve(first.token) is None
    assert await sessions.resolve(second.token) is not None
    assert [change.session for change in village.heard("logged-out")] == [first.principal.session_id]


async def test_log_out_ends_that_session_only_and_tells_its_sockets(village: Village) -> None:
    sessions, code = village.services.sessions, village.facts.codes["student"]
    here, there = await by_code(village, code), await by_code(village, code)
    await sessions.log_out(session_id(here.principal))
    assert await sessions.resolve(here.token) is None
    assert await sessions.resolve(there.token) is not None
    assert [change.session for change in village.heard("logged-out")] == [here.principal.session_id]


async def test_a_new_card_kills_the_old_one_and_all_its_sessions(village: Village) -> None:
    sessions, code = village.services.sessions, village.facts.codes["student"]
    open_ones = [await by_code(village, code) for _ in range(2)]
    made = await village.services.people.reset_code(village.person("teacher"), village.person("student"))
    assert made.card.code != code
    assert made.card.selector == code.rsplit("-", 3)[0]
    assert [await sessions.resolve(one.token) for one in open_ones] == [None, None]
    assert {change.session for change in village.heard("code-reset")} == {
        one.principal.session_id for one in open_ones
    }
    assert (await outcome(by_code(village, code))).startswith("WrongCredentials")
    assert await outcome(by_code(village, made.card.code)) == "in"


async def test_a_new_password_keeps_this_session_and_ends_the_others(village: Village) -> None:
    sessions, email = village.services.sessions, email_of("teacher")
    here = await sessions.log_in_with_password(email, PASSWORD, address=HERE)
    there = await sessions.log_in_with_password(email, PASSWORD, address=HERE)
    keep = session_id(here.principal)
    with pytest.raises(WrongCredentials):
        await sessions.change_password(
            village.person("teacher"), "wrong", "a-new-password", keep=keep, address=HERE
        )
    await sessions.change_password(
        village.person("teacher"), PASSWORD, "a-new-password", keep=keep, address=HERE
    )
    assert await sessions.resolve(here.token) is not None
    assert await sessions.resolve(there.token) is None
    with pytest.raises(WrongCredentials):
        await sessions.log_in_with_password(email, PASSWORD, address=HERE)
    await sessions.log_in_with_password(email, "a-new-password", address=HERE)


async def test_disabling_a_pupil_ends_their_sessions(village: Village) -> None:
    made = await by_code(village, village.facts.codes["student"])
    people, teacher = village.services.people, village.person("teacher")
    await people.change_pupil(teacher, village.person("student"), disabled=True)
    assert await village.services.sessions.resolve(made.token) is None
    assert [change.session for change in village.heard("disabled")] == [made.principal.session_id]
    await people.change_pupil(teacher, village.person("student"), disabled=False)
    assert await outcome(by_code(village, village.facts.codes["student"])) == "in"


async def test_the_records_keep_neither_tokens_nor_secrets_nor_names_of_tries(
    village: Village, tmp_path: Path
) -> None:
    made = await by_code(village, village.facts.codes["student"])
    await outcome(village.services.sessions.log_in_with_password("who@where.example", "x", address=HERE))
    async with village.services.records.reading() as tx:
        tables = [await tx.all(table.select()) for table in schema.metadata.sorted_tables]
    await village.services.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("records.sqlite3*")) + repr(tables).encode()
    for secret in (
        made.token,
        village.facts.codes["student"].split("-", 2)[2],
        PASSWORD,
        "who@where.example",
        HERE,
    ):
        assert secret.encode() not in stored


async def test_a_token_nobody_was_given_opens_nothing(village: Village) -> None:
    for token in ("", "x" * 43, "\x00", "é" * 1000):
        assert await village.services.sessions.resolve(token) is None


async def test_an_address_or_code_of_any_characters_is_only_wrong(village: Village) -> None:
    sessions = village.services.sessions
    for text in ("\x00", "a\x00@b.example", "ﷺ" * 100, "'; --", "%", "💧" * 300):
        for attempt in (
            sessions.log_in_with_password(text, text, address=HERE),
            sessions.log_in_with_code(text, address=HERE),
        ):
            assert (await outcome(attempt)).startswith("WrongCredentials")


def session_id(principal: Principal) -> str:
    assert principal.session_id is not None
    return principal.session_id
