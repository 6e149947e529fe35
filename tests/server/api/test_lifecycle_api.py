"""Projects, groups and approvals over REST: the answers that the client is built on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from village import PASSWORD, email_of
from village_site import Site, open_site

from rooms.values import Office


@pytest.fixture
async def site(built_site: Path, tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(
        built_site, tmp_path / "data", approval="officers", api_rate=1_000.0, api_burst=10_000
    ) as opened:
        yield opened


async def officer(site: Site, country: str = "ES") -> str:
    services = site.house.node.services
    person = await services.people.add_adult(
        name="Olga", email=email_of("olga"), password=PASSWORD, school=None
    )
    await services.offices.appoint(person, Office.OFFICER, country)
    return await site.log_in("olga")


PROJECT = {"kind": "project", "title": "Lighthouses", "languages": ["en", "pt"], "age_band": "12-15"}
GROUP = {"kind": "group", "title": "By the sea", "languages": ["en"], "age_band": "adults"}


async def test_a_project_from_its_first_word_to_its_opening(site: Site) -> None:
    founder, partner, olga = await site.log_in("founder"), await site.log_in("partner"), await officer(site)
    made = await site.call("POST", "/spaces", PROJECT, token=founder)
    assert (made.status, set(made.body), made.body["status"]) == (201, {"id", "status"}, "draft")
    space = f"/spaces/{made.body['id']}"
    me = await site.call("GET", "/me", token=founder)
    assert me.body["can"] == {"create_space": True, "approve": False, "cases": False, "legal_cases": False}
    assert [(each["title"], each["status"]) for each in me.body["spaces"]] == [
        ("Two rivers", "open"), ("Lighthouses", "draft"),
    ]  # fmt: skip
    seen = await site.call("GET", space, token=founder)
    assert (seen.body["join_rule"], seen.body["featured"], seen.body["decision"]) == (
        "invitation", False, None,
    )  # fmt: skip
    assert seen.body["founders"] == [seen.body["my_membership"]]
    steps = ("partner", "ask_again", "take_back", "join_rule", "requests", "leave", "hand_over")
    assert [seen.body["can"][step] for step in steps] == [True, *[False] * 6]
    link = await site.call("POST", f"{space}/partner", {"days": 7}, token=founder)
    assert (link.status, link.body["invitation"]["role"]) == (201, "admin")
    told = await site.call("GET", f"/invitations/{link.body['token']}")
    assert (told.body["founder"], told.body["space_kind"]) == (True, "project")
    accept = f"/invitations/{link.body['token']}/accept"
    same = await site.call("POST", accept, token=await site.log_in("teacher"))
    assert (same.status, same.code) == (409, "same-school")
    assert (await site.call("POST", accept, token=partner)).body == {"space_id": made.body["id"]}
    [waiting] = (await site.call("GET", "/approvals", token=olga)).body
    assert waiting["founders"] == [
        {"name": "Founder", "school": "School of Zaragoza", "town": "Zaragoza", "country": "ES"},
        {"name": "Partner", "school": "School of Porto", "town": "Porto", "country": "PT"},
    ]
    assert {key: waiting[key] for key in ("title", "kind", "languages", "age_band", "summary")} == {
        **PROJECT, "summary": "",
    }  # fmt: skip
    assert (await site.call("GET", space, token=olga)).status == 404
    assert (await site.call("GET", "/me", token=olga)).body["can"]["approve"] is True
    unsaid = await site.call("PUT", f"{space}/approval", {"approve": False}, token=olga)
    assert (unsaid.status, unsaid.code) == (422, "invalid")
    because = {"approve": False, "because": "Tell us of the pupils."}
    assert (await site.call("PUT", f"{space}/approval", because, token=olga)).status == 204
    seen = await site.call("GET", space, token=partner)
    assert seen.body["status"] == "draft"
    assert (seen.body["decision"]["approved"], seen.body["decision"]["because"]) == (
        False, "Tell us of the pupils.",
    )  # fmt: skip
    assert (await site.call("PUT", f"{space}/asked", token=partner)).status == 204
    assert (await site.call("DELETE", f"{space}/asked", token=founder)).status == 204
    assert (await site.call("PUT", f"{space}/asked", token=founder)).status == 204
    assert (await site.call("PUT", f"{space}/approval", {"approve": True}, token=olga)).status == 204
    again = await site.call("PUT", f"{space}/approval", {"approve": True}, token=olga)
    assert (again.status, again.code) == (409, "decided")
    assert (await site.call("GET", space, token=founder)).body["status"] == "open"
    news = await site.call("GET", "/me/notifications", token=founder)
    kinds = {each["kind"]: each["ref"] for each in news.body["notifications"]}
    assert kinds["space-approved"] == kinds["space-refused"] == f"space/{made.body['id']}"
    assert (await site.call("DELETE", f"{space}/me", token=founder)).code == "founder"


async def test_a_group_from_asking_for_it_to_its_members(site: Site) -> None:
    founder, outsider, olga = await site.log_in("founder"), await site.log_in("outsider"), await officer(site)
    made = await site.call("POST", "/spaces", GROUP, token=founder)
    assert made.body["status"] == "pending"
    id = made.body["id"]
    assert (await site.call("GET", "/groups", token=outsider)).body == []
    assert (await site.call("PUT", f"/groups/{id}/join", {}, token=outsider)).status == 404
    assert (await site.call("PUT", f"/spaces/{id}/approval", {"approve": True}, token=olga)).status == 204
    assert (await site.call("PUT", f"/spaces/{id}/featured", {"featured": True}, token=olga)).status == 204
    rule = {"rule": "request"}
    assert (await site.call("PUT", f"/spaces/{id}/join-rule", rule, token=founder)).status == 204
    assert (await site.call("GET", "/groups", token=outsider)).body == [
        {
            "id": id,
            "title": "By the sea",
            "summary": "",
            "languages": ["en"],
            "featured": True,
            "join_rule": "request",
            "members": 1,
            "mine": "",
        }
    ]
    wish = {"words": "<b>I</b> teach by the sea."}
    asked = await site.call("PUT", f"/groups/{id}/join", wish, token=outsider)
    assert (asked.status, asked.body) == (200, {"mine": "waiting"})
    [request] = (await site.call("GET", f"/spaces/{id}/requests", token=founder)).body
    assert set(request) == {"id", "name", "school", "town", "country", "words", "at"}
    assert (request["name"], request["words"]) == ("Outsider", wish["words"])
    answer = f"/requests/{request['id']}/answer"
    assert (await site.call("PUT", answer, {"accept": True}, token=outsider)).status == 404
    assert (await site.call("PUT", answer, {"accept": True}, token=founder)).status == 204
    assert (await site.call("PUT", answer, {"accept": False}, token=founder)).code == "answered"
    [group] = (await site.call("GET", "/groups", token=outsider)).body
    assert (group["mine"], group["members"]) == ("member", 2)
    assert (await site.call("DELETE", f"/spaces/{id}/me", token=outsider)).status == 204
    assert (await site.call("GET", f"/spaces/{id}", token=outsider)).status == 404
    assert (await site.call("PUT", f"/groups/{id}/join", {}, token=outsider)).body == {"mine": "waiting"}
    assert (await site.call("DELETE", f"/groups/{id}/join", token=outsider)).status == 204


async def test_what_nobody_can_send(site: Site) -> None:
    founder = await site.log_in("founder")
    rivers = f"/spaces/{site.facts.spaces['rivers']}"
    for method, path, body in (
        ("POST", "/spaces", {**PROJECT, "kind": "course"}),
        ("POST", "/spaces", {**PROJECT, "title": " "}),
        ("POST", "/spaces", {**PROJECT, "title": "a\u202eb"}),
        ("POST", "/spaces", {**PROJECT, "languages": []}),
        ("POST", "/spaces", {**PROJECT, "age_band": "30"}),
        ("POST", "/spaces", {**PROJECT, "status": "open"}),
        ("POST", "/spaces", {**PROJECT, "summary": "x" * 2_001}),
        ("POST", f"{rivers}/partner", {"days": 61}),
        ("PUT", f"{rivers}/approval", {"approve": "yes"}),
        ("PUT", f"{rivers}/approval", {"approve": True, "because": "x" * 501}),
        ("PUT", f"{rivers}/founder", {"member": "a/b"}),
        ("PUT", f"{rivers}/join-rule", {"rule": "everybody"}),
        ("PUT", "/groups/some/join", {"words": "x" * 1_001}),
        ("PUT", "/groups/some/join", {"words": "a\x00b"}),
        ("PUT", "/requests/some/answer", {"accept": 1}),
    ):
        sent = await site.call(method, path, body, token=founder)
        assert (sent.status, sent.code) == (422, "invalid"), (path, body)
