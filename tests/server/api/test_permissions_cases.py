"""Every route for national officers and platform admins: without a case, with one here or elsewhere, after.

What a case opens is written here a second time, from the domain's matrix: exactly the cells that say *case*.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from test_permissions import (
    STATUS,
    TARGETS,
    World,
    body_of,
    escalated,
    in_one_loop,
    officer_of,
    rows,
    world,
)
from village import PASSWORD, email_of

from rooms.values import Office, ReportId, ReportReason, ReportTarget
from server.app import all_routes

__all__ = ["world"]

# What is open with a case on the space and closed without. Targets of another space: with a case on that one.
BY_CASE = """
GET    /spaces/{space_id}                    space elsewhere
GET    /spaces/{space_id}/members            space
GET    /spaces/{space_id}/pages              space elsewhere
GET    /spaces/{space_id}/bin                space
GET    /spaces/{space_id}/teams              space
GET    /spaces/{space_id}/threads            space elsewhere
GET    /pages/{page_id}                      by-founder for-staff
GET    /pages/{page_id}/content              by-founder for-staff
GET    /pages/{page_id}/authors              by-founder for-staff
GET    /pages/{page_id}/authorship           by-founder for-staff
GET    /threads/{thread_id}                  thr-open thr-team thr-other thr-staff
GET    /spaces/{space_id}/audit              space elsewhere
PUT    /posts/{post_id}/hidden               of-student of-tea
DELETE /posts/{post_id}/hidden               of-hidden
PUT    /memberships/{membership_id}/mute     mate pal guest partner founder
DELETE /memberships/{membership_id}/mute     mate pal partner
DELETE /memberships/{membership_id}          mate pal guest
PUT    /spaces/{space_id}/status             space
PUT    /spaces/{space_id}/freeze             space
DELETE /spaces/{space_id}/freeze             space
"""
ONLY_PLATFORM = """
DELETE /pages/{page_id}                      by-founder by-teacher by-editor by-student
POST   /pages/{page_id}/restore              binned-fnd binned-ste
"""
# What the matrix gives an office without a case, of the routes that touch a space.
ALWAYS = {
    Office.OFFICER: {
        ("PUT", "/spaces/{space_id}/approval"),
        ("PUT", "/spaces/{space_id}/featured"),
        ("GET", "/approvals"),
        ("GET", "/proposals"),
        ("PUT", "/proposals/{proposal_id}/decision"),
        ("GET", "/floors"),
        ("PUT", "/spaces/{space_id}/floor/taken-back"),
        ("GET", "/groups"),
    },
    Office.PLATFORM: {
        ("PUT", "/spaces/{space_id}/approval"),
        ("PUT", "/spaces/{space_id}/featured"),
        ("GET", "/approvals"),
        ("GET", "/proposals"),
        ("PUT", "/proposals/{proposal_id}/decision"),
        ("GET", "/floors"),
        ("PUT", "/spaces/{space_id}/floor/taken-back"),
        ("GET", "/groups"),
        ("PUT", "/spaces/{space_id}/freeze"),
        ("DELETE", "/spaces/{space_id}/freeze"),
        ("GET", "/spaces/{space_id}/audit"),
        ("PUT", "/reports/{report_id}/taken"),
        ("PUT", "/reports/{report_id}/answer"),
    },
}
ABOUT_CASES = {"/reports/{report_id}/case", "/spaces/{space_id}/cases"}
"""And what is below /cases: these are tested by themselves."""


def opened(table: str) -> set[tuple[str, str, str]]:
    lines = [line.split() for line in table.splitlines() if line]
    return {(method, path, target) for method, path, *targets in lines for target in targets}


def cells() -> list[tuple[str, str, str]]:
    return [
        (method, path, target)
        for method, path, target, _ in rows()
        if path not in ABOUT_CASES and not path.startswith("/cases/")
    ]


def test_what_a_case_opens_names_routes_there_are() -> None:
    assert opened(BY_CASE) | opened(ONLY_PLATFORM) <= set(cells())
    routes = {(route.method, route.path) for route in all_routes()}
    assert ALWAYS[Office.OFFICER] | ALWAYS[Office.PLATFORM] <= routes


@asynccontextmanager
async def case(world: World, office: Office, space: str) -> AsyncIterator[None]:
    """As long as it is open."""
    officer, cases = await officer_of(world, office), world.services.cases
    if space == "rivers":
        report = (await escalated(world, ""))["report_id"]
    else:
        outsider = [
            member.id
            for member in await world.services.members.of_space(
                world.facts.people["outsider"], world.facts.spaces["elsewhere"]
            )
            if member.name == "Outsider"
        ]
        sent = await world.services.reports.send(
            world.facts.people["stranger"],
            world.facts.spaces["elsewhere"],
            ReportTarget.PERSON,
            outsider[0],
            ReportReason.VIOLENCE,
        )
        report = sent.id
    mine = await cases.open(officer, ReportId(report), "The school has asked.")
    try:
        yield
    finally:
        await cases.close(officer, mine.id)


async def asked(world: World, office: Office, method: str, path: str, target: str) -> str:
    """Y, or N or X as in the table."""
    ids = await TARGETS[target](world, method)
    body = body_of(method, path, target, ids, world)
    status, _ = await world.call(method, path.format(**ids), body, world.tokens[office])
    await world.put_back()
    if 200 <= status < 300:
        return "Y"
    return next((cell for cell, code in STATUS.items() if code == status), str(status))


@pytest.mark.parametrize("office", [Office.OFFICER, Office.PLATFORM])
@pytest.mark.parametrize(("method", "path", "target"), cells())
@in_one_loop
async def test_a_case_opens_exactly_what_the_matrix_says(
    world: World, office: Office, method: str, path: str, target: str
) -> None:
    await world.put_back()
    officer = await officer_of(world, office)
    if office not in world.tokens:
        made = await world.services.sessions.log_in_with_password(email_of(office), PASSWORD, address="")
        world.tokens[office] = made.token
    assert officer == world.facts.people[office]
    without = await asked(world, office, method, path, target)
    got = {"without": without}
    for space in ("elsewhere", "rivers"):
        async with case(world, office, space):
            got[space] = await asked(world, office, method, path, target)
    got["after"] = await asked(world, office, method, path, target)
    assert (without == "Y") <= ((method, path) in ALWAYS[office]), got
    assert got["after"] == without
    gained = {space for space in ("rivers", "elsewhere") if (got[space] == "Y") != (without == "Y")}
    tables = BY_CASE + (ONLY_PLATFORM if office is Office.PLATFORM else "")
    opens = (method, path, target) in opened(tables) and without != "Y"
    where = "elsewhere" if target == "elsewhere" else "rivers"
    assert gained == ({where} if opens else set()), got
