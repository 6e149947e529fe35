"""Contacts between adults over REST: what each side is told, and that pupils have none."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from village import NOON
from village_site import Site

from rooms.storage.schema import appointments
from rooms.values import Office, new_id

NOBODY: dict[str, list[object]] = {"contacts": [], "asked_me": [], "i_asked": []}


def other(site: Site, name: str) -> str:
    return f"/me/contacts/{site.facts.people[name]}"


async def test_asked_and_accepted(site: Site) -> None:
    teacher, partner = await site.log_in("teacher"), await site.log_in("partner")
    assert (await site.call("PUT", other(site, "partner"), token=teacher)).status == 204
    [line] = (await site.call("GET", "/me/contacts", token=partner)).body["asked_me"]
    assert set(line) == {"person_id", "name", "school", "town", "country", "since"}
    assert (line["name"], line["school"], line["town"], line["country"]) == (
        "Teacher",
        "School of Zaragoza",
        "Zaragoza",
        "ES",
    )
    [told] = (await site.call("GET", "/me/notifications", token=partner)).body["notifications"]
    assert (told["kind"], told["ref"], told["details"]) == (
        "contact-asked",
        f"person/{site.facts.people['teacher']}",
        {},
    )
    yes = await site.call("PUT", f"{other(site, 'teacher')}/answer", {"accept": True}, token=partner)
    assert yes.status == 204
    for token, name in ((teacher, "Partner"), (partner, "Teacher")):
        mine = (await site.call("GET", "/me/contacts", token=token)).body
        assert [each["name"] for each in mine["contacts"]] == [name]
        assert (mine["asked_me"], mine["i_asked"]) == ([], [])
    assert (await site.call("DELETE", other(site, "teacher"), token=partner)).status == 204
    assert (await site.call("GET", "/me/contacts", token=teacher)).body == NOBODY


async def test_an_asker_cannot_tell_a_refusal_from_silence(site: Site) -> None:
    teacher, partner = await site.log_in("teacher"), await site.log_in("partner")
    assert (await site.call("PUT", other(site, "partner"), token=teacher)).status == 204
    silence = await site.call("GET", "/me/contacts", token=teacher)
    no = await site.call("PUT", f"{other(site, 'teacher')}/answer", {"accept": False}, token=partner)
    assert no.status == 204
    assert (await site.call("GET", "/me/contacts", token=teacher)).raw == silence.raw
    again = await site.call("PUT", other(site, "partner"), token=teacher)
    assert (again.status, again.raw) == (204, b"")
    assert (await site.call("GET", "/me/contacts", token=teacher)).raw == silence.raw
    assert (await site.call("GET", "/me/notifications", token=teacher)).body["notifications"] == []
    assert (await site.call("GET", "/me/contacts", token=partner)).body == NOBODY


async def test_who_is_blocked_is_answered_as_if_nothing_had_happened(site: Site) -> None:
    teacher, partner = await site.log_in("teacher"), await site.log_in("partner")
    blocked = f"/me/blocks/{site.facts.people['teacher']}"
    assert (await site.call("PUT", blocked, token=partner)).status == 204
    asked = await site.call("PUT", other(site, "partner"), token=teacher)
    assert (asked.status, asked.raw) == (204, b"")
    assert len((await site.call("GET", "/me/contacts", token=teacher)).body["i_asked"]) == 1
    assert (await site.call("GET", "/me/contacts", token=partner)).body == NOBODY
    assert (await site.call("GET", "/me/notifications", token=partner)).body["notifications"] == []
    answer = await site.call("PUT", other(site, "teacher"), token=partner)
    assert (answer.status, answer.code) == (409, "blocked-by-you")


@pytest.mark.parametrize("who", ["student", "editor", "guest"])
async def test_pupils_and_guests_have_no_contacts(site: Site, who: str) -> None:
    token = await site.log_in(who)
    assert (await site.call("GET", "/me/contacts", token=token)).body == NOBODY
    for whom in ("teacher", "partner", "mate"):
        assert (await site.call("PUT", other(site, whom), token=token)).status == 403
    assert (await site.call("PUT", other(site, "outsider"), token=token)).status == 404
    teacher = await site.log_in("teacher")
    assert (await site.call("PUT", other(site, who), token=teacher)).status == 403
    assert (await site.call("GET", "/me/contacts", token=token)).body == NOBODY


async def test_an_officer_meets_nobody_by_the_office(site: Site) -> None:
    async with site.house.node.services.records.writing() as tx:
        for office in (Office.OFFICER, Office.PLATFORM):
            await tx.do(
                insert(appointments).values(
                    id=new_id(),
                    person_id=site.facts.people["outsider"],
                    office=office,
                    country_code="ES",
                    starts_at=NOON - 400 * 86_400,
                )
            )
    teacher, officer = await site.log_in("teacher"), await site.log_in("outsider")
    assert (await site.call("PUT", other(site, "partner"), token=teacher)).status == 204
    assert (await site.call("GET", "/me/contacts", token=officer)).body == NOBODY
    for name in ("teacher", "partner"):
        assert (await site.call("PUT", other(site, name), token=officer)).status == 404
        assert (await site.call("DELETE", other(site, name), token=officer)).status == 404
        answer = f"{other(site, name)}/answer"
        assert (await site.call("PUT", answer, {"accept": True}, token=officer)).status == 404


@pytest.mark.parametrize("sent", [{}, {"accept": "yes"}, {"accept": 1}, {"accept": True, "words": "hi"}, []])
async def test_answers_that_are_none(site: Site, sent: object) -> None:
    token = await site.log_in("teacher")
    answer = await site.call("PUT", f"{other(site, 'partner')}/answer", sent, token=token)
    assert answer.status == 422
