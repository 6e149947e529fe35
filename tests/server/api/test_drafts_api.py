"""A draft is thrown away over REST; what was handed in, or is open, is not."""

from __future__ import annotations

import pytest
from village_site import Site

PROJECT = {"kind": "project", "title": "Lighthouses", "languages": ["en"], "age_band": "12-15"}
GROUP = {"kind": "group", "title": "By the sea", "languages": ["en"], "age_band": "adults"}


async def made(site: Site, token: str, what: dict[str, object]) -> str:
    answer = await site.call("POST", "/spaces", what, token=token)
    assert answer.status == 201
    return f"/spaces/{answer.body['id']}"


async def titles(site: Site, token: str) -> list[str]:
    return [each["title"] for each in (await site.call("GET", "/me", token=token)).body["spaces"]]


async def test_a_draft_is_gone_with_its_link(site: Site) -> None:
    founder, partner = await site.log_in("founder"), await site.log_in("partner")
    space = await made(site, founder, PROJECT)
    link = (await site.call("POST", f"{space}/partner", {"days": 7}, token=founder)).body["token"]
    assert await titles(site, founder) == ["Two rivers", "Lighthouses"]
    assert (await site.call("DELETE", space, token=partner)).status == 404
    done = await site.call("DELETE", space, token=founder)
    assert (done.status, done.raw) == (204, b"")
    assert await titles(site, founder) == ["Two rivers"]
    for method, path in (("GET", space), ("DELETE", space), ("GET", f"{space}/members")):
        assert (await site.call(method, path, token=founder)).status == 404
    assert (await site.call("GET", f"/invitations/{link}")).status == 404
    assert (await site.call("POST", f"/invitations/{link}/accept", token=partner)).status == 404


@pytest.mark.parametrize("who", ["founder", "admin", "teacher", "student"])
async def test_what_is_open_is_not_thrown_away(site: Site, who: str) -> None:
    token = await site.log_in(who)
    rivers = f"/spaces/{site.facts.spaces['rivers']}"
    answer = await site.call("DELETE", rivers, token=token)
    assert answer.status == (409 if who == "founder" else 403)
    if who == "founder":
        assert answer.code == "not-a-draft"
        group = await made(site, token, GROUP)
        assert (await site.call("DELETE", group, token=token)).status == 409
    assert (await site.call("GET", rivers, token=token)).status == 200
