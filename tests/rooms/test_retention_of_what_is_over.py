"""Invitations, requests, reports, cases, contacts and consents are forgotten once they are over."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from village import NOON, Village

from rooms.accounts.adult_contacts import REFUSED_FOR
from rooms.safety.audit import ENTRY_LIFE
from rooms.safety.retention import DAY, INVITATION_LIFE, PROOF_LIFE, REQUEST_LIFE
from rooms.storage.schema import cases, consents, contacts, invitations, join_requests, reports
from rooms.values import (
    ConsentPurpose,
    ContactState,
    InvitationState,
    JoinRequestState,
    ReportReason,
    ReportState,
    ReportTarget,
    Role,
)

ADDRESS = "198.51.100.7"
EMAIL = "bea@school.example"


async def kept(village: Village, column: Any) -> set[Any]:
    async with village.services.records.reading() as tx:
        return {row[column.name] for row in await tx.all(select(column))}


async def forget_at(village: Village, moment: float) -> None:
    village.clock.now = moment
    await village.services.retention.forget()


def test_nothing_that_proves_something_outlives_the_log_that_tells_of_it() -> None:
    assert PROOF_LIFE == ENTRY_LIFE == 730 * DAY


async def test_an_invitation_keeps_no_address_once_it_is_decided_and_goes_after_30_days(
    village: Village,
) -> None:
    service, founder = village.services.invitations, village.person("founder")
    made = {
        name: await service.invite(founder, village.space, Role.GUEST, email=EMAIL, lasts=60 * DAY)
        for name in ("accepted", "declined", "withdrawn", "unanswered")
    }
    village.clock.now += DAY
    outsider = village.person("outsider")
    await service.accept(outsider, made["accepted"].token, address=ADDRESS)
    await service.decline(outsider, made["declined"].token, address=ADDRESS)
    await service.withdraw(founder, village.space, made["withdrawn"].invitation.id)
    seen = {each.id: each for each in await service.of_space(founder, village.space)}
    for name, invitation in made.items():
        view = seen[invitation.invitation.id]
        assert view.email == (EMAIL if name == "unanswered" else None)
        assert (view.state is InvitationState.OPEN) == (name == "unanswered")
    decided = village.clock.now
    ids = {name: each.invitation.id for name, each in made.items()}
    await forget_at(village, decided + INVITATION_LIFE)
    assert await kept(village, invitations.c.id) == set(ids.values())
    await forget_at(village, decided + INVITATION_LIFE + 1)
    assert await kept(village, invitations.c.id) == {ids["unanswered"]}
    await forget_at(village, NOON + 60 * DAY + INVITATION_LIFE)
    assert await kept(village, invitations.c.id) == {ids["unanswered"]}
    await forget_at(village, NOON + 60 * DAY + INVITATION_LIFE + 1)
    assert await kept(village, invitations.c.id) == set()


async def test_addresses_of_invitations_that_an_older_version_decided_go_too(village: Village) -> None:
    made = await village.services.invitations.invite(
        village.person("founder"), village.space, Role.GUEST, email=EMAIL
    )
    async with village.services.records.writing() as tx:
        await tx.do(invitations.update().values(state=InvitationState.DECLINED))
    await village.services.retention.forget()
    assert await kept(village, invitations.c.id) == {made.invitation.id}
    assert await kept(village, invitations.c.email) == {None}


async def test_requests_to_join_go_12_months_after_they_are_decided(village: Village) -> None:
    common = {"space_id": village.space, "words": "Please", "created_at": NOON}
    async with village.services.records.writing() as tx:
        for name, state, decided_at in (
            ("teacher", JoinRequestState.ACCEPTED, NOON + DAY),
            ("admin", JoinRequestState.REFUSED, NOON + DAY),
            ("partner", JoinRequestState.WITHDRAWN, None),
            ("founder", JoinRequestState.WAITING, None),
        ):
            row = {"id": name, "person_id": village.person(name), "state": state, "decided_at": decided_at}
            await tx.do(insert(join_requests).values(**common, **row))
    await forget_at(village, NOON + REQUEST_LIFE)
    assert await kept(village, join_requests.c.id) == {"teacher", "admin", "partner", "founder"}
    await forget_at(village, NOON + REQUEST_LIFE + 1)
    assert await kept(village, join_requests.c.id) == {"teacher", "admin", "founder"}
    await forget_at(village, NOON + DAY + REQUEST_LIFE + 1)
    assert await kept(village, join_requests.c.id) == {"founder"}


async def test_refused_contacts_go_after_90_days_and_the_others_stay(village: Village) -> None:
    service, teacher = village.services.contacts, village.person("teacher")
    for name, accept in (("partner", False), ("admin", True), ("founder", None)):
        await service.ask(teacher, village.person(name))
        if accept is not None:
            await service.answer(village.person(name), teacher, accept=accept)
    assert len(await kept(village, contacts.c.asked_id)) == 3
    await forget_at(village, NOON + REFUSED_FOR)
    assert len(await kept(village, contacts.c.asked_id)) == 3
    await forget_at(village, NOON + REFUSED_FOR + 1)
    assert await kept(village, contacts.c.asked_id) == {village.person("admin"), village.person("founder")}
    assert await kept(village, contacts.c.state) == {ContactState.ACCEPTED, ContactState.ASKED}


async def test_answered_reports_and_closed_cases_go_after_24_months(village: Village) -> None:
    service, teacher = village.services.reports, village.person("teacher")
    made = {
        name: await service.send(
            village.person(name),
            village.space,
            ReportTarget.PERSON,
            village.member("mate"),
            ReportReason.OTHER,
        )
        for name in ("student", "editor")
    }
    village.clock.now += DAY
    await service.answer(teacher, made["student"].id, "We talked.")
    answered = village.clock.now
    async with village.services.records.writing() as tx:
        for name, report, closed_at in (
            ("closed", made["student"].id, answered + DAY),
            ("open", made["editor"].id, None),
        ):
            await tx.do(
                insert(cases).values(
                    id=name,
                    space_id=village.space,
                    person_id=village.person("outsider"),
                    report_id=report,
                    ground="",
                    closed_at=closed_at,
                    created_at=answered,
                )
            )
    both = {each.id for each in made.values()}
    await forget_at(village, answered + PROOF_LIFE)
    assert (await kept(village, reports.c.id), await kept(village, cases.c.id)) == (both, {"closed", "open"})
    await forget_at(village, answered + PROOF_LIFE + 1)
    assert await kept(village, reports.c.id) == {made["editor"].id}
    assert await kept(village, reports.c.state) != {ReportState.ANSWERED}
    assert await kept(village, cases.c.id) == {"closed", "open"}
    await forget_at(village, answered + DAY + PROOF_LIFE + 1)
    assert (await kept(village, reports.c.id), await kept(village, cases.c.id)) == (
        {made["editor"].id},
        {"open"},
    )


GIVEN = date(2026, 9, 1)
"""Before NOON, which is 2026-11-18."""


async def give(village: Village, purpose: ConsentPurpose, valid_until: date | None = None) -> None:
    await village.services.consents.record(
        village.person("teacher"),
        village.facts.schools["ebro"],
        [village.person("student")],
        purpose,
        GIVEN,
        valid_until,
    )


async def withdraw(village: Village, purpose: ConsentPurpose) -> None:
    await village.services.consents.withdraw(village.person("teacher"), village.person("student"), purpose)


async def test_a_consent_goes_24_months_after_it_has_ended(village: Village) -> None:
    purposes = ConsentPurpose
    await give(village, purposes.IMAGE)
    await give(village, purposes.ACCOUNT, date(2026, 12, 31))
    await give(village, purposes.PUBLICATION)
    village.clock.now += DAY
    await withdraw(village, purposes.IMAGE)
    withdrawn = village.clock.now
    await forget_at(village, withdrawn + PROOF_LIFE)
    assert await kept(village, consents.c.purpose) == {"image", "account", "publication"}
    await forget_at(village, withdrawn + PROOF_LIFE + 1)
    assert await kept(village, consents.c.purpose) == {"account", "publication"}
    await forget_at(village, NOON + (date(2026, 12, 31) - date(2026, 11, 18)).days * DAY + PROOF_LIFE)
    assert await kept(village, consents.c.purpose) == {"account", "publication"}
    village.clock.now += DAY
    await village.services.retention.forget()
    assert await kept(village, consents.c.purpose) == {"publication"}
    await forget_at(village, NOON + 10 * PROOF_LIFE)
    assert await kept(village, consents.c.purpose) == {"publication"}


@pytest.mark.parametrize("ended", ["withdrawn", "ran out"])
async def test_what_was_replaced_never_counts_again(village: Village, ended: str) -> None:
    """The newest entry says no. When it goes, the older ones, which say yes, are gone before it."""
    image, student = ConsentPurpose.IMAGE, village.person("student")
    for valid_until in (date(2040, 1, 1), None):
        await give(village, image, valid_until)
        village.clock.now += DAY
    await give(village, image, date(2026, 12, 31) if ended == "ran out" else date(2041, 1, 1))
    village.clock.now += DAY
    if ended == "withdrawn":
        await withdraw(village, image)
    began = village.clock.now
    for days in (0, 60, *range(724, 734), *range(770, 780)):
        await forget_at(village, began + days * DAY)
        on = date(2027, 1, 1) + timedelta(days=days)
        async with village.services.records.reading() as tx:
            assert not await village.services.consents.holds(tx, student, image, on)
    assert await kept(village, consents.c.id) == set()


async def test_an_entry_that_another_took_the_place_of_goes_24_months_after_that(village: Village) -> None:
    image = ConsentPurpose.IMAGE
    await give(village, image, date(2040, 1, 1))
    [old] = await kept(village, consents.c.id)
    village.clock.now += 100 * DAY
    await give(village, image)
    replaced = village.clock.now
    await forget_at(village, replaced + PROOF_LIFE)
    assert old in await kept(village, consents.c.id)
    await forget_at(village, replaced + PROOF_LIFE + 1)
    left = await kept(village, consents.c.id)
    assert len(left) == 1
    assert old not in left


async def test_what_was_noted_late_is_not_gone_at_once(village: Village) -> None:
    """A paper of years ago, found and noted today, stays as long as any other."""
    village.clock.now += 3 * PROOF_LIFE
    await give(village, ConsentPurpose.ACCOUNT, GIVEN + timedelta(days=30))
    await village.services.retention.forget()
    assert len(await kept(village, consents.c.id)) == 1
    await forget_at(village, village.clock.now + PROOF_LIFE + 1)
    assert await kept(village, consents.c.id) == set()
