"""The consent ledger over REST: hostile bodies, and everybody whom it is not for."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select
from village import NOON
from village_site import Site

from rooms.storage.schema import appointments, consents
from rooms.values import Office, new_id

GIVEN = "2026-01-15"


def path(site: Site, school: str = "ebro") -> str:
    return f"/schools/{site.facts.schools[school]}/consents"


def body(site: Site, *names: str, **changes: object) -> dict[str, object]:
    pupils = [site.facts.people[name] for name in names or ("mate",)]
    return {"pupils": pupils, "purpose": "publication", "given_on": GIVEN} | changes


async def entries(site: Site) -> int:
    async with site.house.node.services.records.reading() as tx:
        return int(await tx.value(select(func.count()).select_from(consents)))


async def test_three_families_agree_and_one_takes_it_back(site: Site) -> None:
    token = await site.log_in("teacher")
    sent = body(site, "student", "mate", "editor", valid_until="2199-08-31")
    assert (await site.call("PUT", path(site), sent, token=token)).status == 204
    mate = site.facts.people["mate"]
    taken = f"/people/{mate}/consents/publication/withdrawn"
    assert (await site.call("PUT", taken, token=token)).status == 204
    listed = (await site.call("GET", path(site), token=await site.log_in("founder"))).body
    assert set(listed) == {"today", "pupils"}
    states = {
        pupil["name"]: {each["purpose"]: each["state"] for each in pupil["consents"]}
        for pupil in listed["pupils"]
    }
    assert {name: each["publication"] for name, each in states.items()} == {
        "Editor": "given",
        "Mate": "withdrawn",
        "Student": "given",
    }
    assert set(states["Mate"]) == {"account", "image", "voice-video", "public-name", "publication"}
    assert states["Mate"]["image"] == "none"
    [entry] = (await site.call("GET", f"/people/{mate}/consents", token=token)).body
    assert (entry["given_on"], entry["valid_until"]) == (GIVEN, "2199-08-31")
    assert (entry["recorded_by"], entry["withdrawn_by"], entry["state"]) == (
        "Teacher",
        "Teacher",
        "withdrawn",
    )
    assert await entries(site) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"pupils": []},
        {"pupils": ["x"] * 201},
        {"pupils": ["../people"]},
        {"pupils": "mate"},
        {"pupils": None},
        {"purpose": "everything"},
        {"purpose": ["image", "account"]},
        {"given_on": "yesterday"},
        {"given_on": "2026-02-30"},
        {"given_on": "0001-01-01"},
        {"given_on": "9999-12-31"},
        {"given_on": 1_700_000_000},
        {"given_on": "2026-01-15T00:00:00"},
        {"given_on": "2026-01-15'; DROP TABLE consents"},
        {"valid_until": "9999-12-31"},
        {"valid_until": ""},
        {"birthday": "2012-01-01"},
        {"given_by": "Maria's mother"},
    ],
)
async def test_what_cannot_be_noted(site: Site, changes: dict[str, object]) -> None:
    token = await site.log_in("teacher")
    answer = await site.call("PUT", path(site), body(site, **changes), token=token)
    assert answer.status == 422
    assert await entries(site) == 0


async def test_days_that_do_not_fit(site: Site) -> None:
    token = await site.log_in("teacher")
    for changes, code in (
        ({"given_on": "2199-01-01"}, "not-yet-given"),
        ({"valid_until": GIVEN}, "ends-too-early"),
        ({"valid_until": "2000-01-01"}, "ends-too-early"),
    ):
        answer = await site.call("PUT", path(site), body(site, **changes), token=token)
        assert (answer.status, answer.code) == (409, code)


async def test_two_hundred_ids_that_are_nobody_are_not_there(site: Site) -> None:
    token = await site.log_in("teacher")
    crowd = [f"nobody-{number}" for number in range(200)]
    assert (await site.call("PUT", path(site), body(site, pupils=crowd), token=token)).status == 404
    mate = site.facts.people["mate"]
    for purpose in ("everything", "image%00", "Image", "image|account", "image"):
        answer = await site.call("PUT", f"/people/{mate}/consents/{purpose}/withdrawn", token=token)
        assert answer.status == 404


@pytest.mark.parametrize("who", ["partner", "outsider", "officer", "guest", "student", "mate"])
async def test_other_schools_officers_and_pupils_get_nothing(site: Site, who: str) -> None:
    """The officer is a national one and a platform admin, and belongs to another school."""
    teacher = await site.log_in("teacher")
    assert (await site.call("PUT", path(site), body(site), token=teacher)).status == 204
    name = who
    if who == "officer":
        name = "outsider"
        async with site.house.node.services.records.writing() as tx:
            for office in (Office.OFFICER, Office.PLATFORM, Office.AMBASSADOR):
                await tx.do(
                    insert(appointments).values(
                        id=new_id(),
                        person_id=site.facts.people[name],
                        office=office,
                        country_code="ES",
                        starts_at=NOON - 400 * 86_400,
                    )
                )
    token = await site.log_in(name)
    mate = site.facts.people["mate"]
    nowhere = await site.call("GET", "/schools/none/consents", token=token)
    for method, where, sent in (
        ("GET", path(site), None),
        ("GET", f"/people/{mate}/consents", None),
        ("PUT", path(site), body(site, purpose="image")),
        ("PUT", f"/people/{mate}/consents/publication/withdrawn", None),
    ):
        answer = await site.call(method, where, sent, token=token)
        assert (answer.status, answer.body) == (404, nowhere.body)
    assert await entries(site) == 1
    assert (await site.call("GET", f"/people/{mate}/consents", token=teacher)).body[0]["state"] == "given"


async def test_teachers_see_the_pupils_of_their_own_school_only(site: Site) -> None:
    token = await site.log_in("partner")
    listed = (await site.call("GET", path(site, "douro"), token=token)).body
    assert [pupil["name"] for pupil in listed["pupils"]] == ["Pal"]
    mixed = body(site, "pal", "mate")
    assert (await site.call("PUT", path(site, "douro"), mixed, token=token)).status == 404
    assert await entries(site) == 0
