"""What an admin proposes over REST: the answers that the client is built on."""

from __future__ import annotations

from typing import Any

import pytest
from village import PASSWORD, email_of
from village_site import Site

from rooms.values import Office


async def officer(site: Site, country: str = "ES") -> str:
    services = site.house.node.services
    person = await services.people.add_adult(
        name="Olga", email=email_of("olga"), password=PASSWORD, school=None
    )
    await services.offices.appoint(person, Office.OFFICER, country)
    return await site.log_in("olga")


def floor(**wish: str) -> dict[str, Any]:
    return {"floor": wish, "because": "They are careful."}


async def test_a_wider_floor_from_the_wish_to_the_choice(site: Site) -> None:
    space = f"/spaces/{site.facts.spaces['rivers']}"
    founder, admin, olga = await site.log_in("founder"), await site.log_in("admin"), await officer(site)
    wide = {"policy": {"chat": "free"}}
    below = await site.call("PATCH", space, wide, token=founder)
    assert (below.status, below.code) == (409, "below-floor")
    asked = await site.call("POST", f"{space}/proposals", floor(chat="free"), token=founder)
    assert asked.status == 201
    made = asked.body
    assert {key: made[key] for key in ("kind", "state", "floor", "mute", "because", "answer", "can")} == {
        "kind": "floor",
        "state": "waiting",
        "floor": {"page_editing": None, "posting": None, "chat": "free"},
        "mute": None,
        "because": "They are careful.",
        "answer": None,
        "can": {"decide": False, "withdraw": True},
    }
    assert made["asked_by"]["name"] == "Founder"
    assert made["ends_at"] - made["asked_at"] == 7 * 86_400
    again = await site.call("POST", f"{space}/proposals", floor(chat="free"), token=admin)
    assert (again.status, again.code) == (409, "asked-already")
    [waits] = (await site.call("GET", "/proposals", token=olga)).body
    assert (waits["id"], waits["space_title"], waits["age_band"]) == (made["id"], "Two rivers", "16-19")
    decision = f"/proposals/{made['id']}/decision"
    unsaid = await site.call("PUT", decision, {"accept": False}, token=olga)
    assert (unsaid.status, unsaid.code) == (422, "invalid")
    yes = await site.call("PUT", decision, {"accept": True, "because": "Well explained."}, token=olga)
    assert yes.status == 204
    assert (await site.call("PUT", decision, {"accept": True}, token=olga)).code == "decided"
    assert (await site.call("GET", "/proposals", token=olga)).body == []
    rules = (await site.call("GET", f"{space}/policy", token=founder)).body
    assert rules["allowed"]["chat"] == ["off", "supervised", "hours", "free"]
    assert rules["effective"]["chat"] == "supervised"
    assert (await site.call("PATCH", space, wide, token=founder)).status == 200
    assert (await site.call("GET", f"{space}/policy", token=founder)).body["effective"]["chat"] == "free"
    [over] = (await site.call("GET", f"{space}/proposals", token=admin)).body
    assert (over["state"], over["answer"]["by"], over["answer"]["because"]) == (
        "accepted", None, "Well explained.",
    )  # fmt: skip
    news = (await site.call("GET", "/me/notifications", token=admin)).body["notifications"]
    assert [(each["kind"], each["ref"]) for each in news] == [("floor-granted", f"proposal/{made['id']}")]
    assert "careful" not in str(news)


async def test_what_is_granted_is_taken_back(site: Site) -> None:
    space = f"/spaces/{site.facts.spaces['rivers']}"
    founder, olga = await site.log_in("founder"), await officer(site)
    path, why = f"{space}/floor/taken-back", {"because": "There were complaints."}
    early = await site.call("PUT", path, why, token=olga)
    assert (early.status, early.code) == (409, "nothing-granted")
    made = (await site.call("POST", f"{space}/proposals", floor(chat="free"), token=founder)).body
    await site.call("PUT", f"/proposals/{made['id']}/decision", {"accept": True}, token=olga)
    await site.call("PATCH", space, {"policy": {"chat": "free"}}, token=founder)
    assert (await site.call("GET", "/floors", token=olga)).body == [
        {
            "space_id": site.facts.spaces["rivers"],
            "space_title": "Two rivers",
            "age_band": "16-19",
            "floor": {"page_editing": None, "posting": None, "chat": "free"},
        }
    ]
    assert (await site.call("PUT", path, why, token=founder)).status == 403
    for unsaid in ({}, {"because": " "}, {"because": "x" * 501}):
        answer = await site.call("PUT", path, unsaid, token=olga)
        assert (answer.status, answer.code) == (422, "invalid")
    assert (await site.call("PUT", path, why, token=olga)).status == 204
    assert (await site.call("GET", "/floors", token=olga)).body == []
    rules = (await site.call("GET", f"{space}/policy", token=founder)).body
    assert (rules["chosen"]["chat"], rules["effective"]["chat"]) == ("hours", "hours")
    assert rules["allowed"]["chat"] == ["off", "supervised", "hours"]
    [over] = (await site.call("GET", f"{space}/proposals", token=founder)).body
    assert (over["state"], over["answer"]["because"]) == ("withdrawn", "There were complaints.")
    news = (await site.call("GET", "/me/notifications", token=founder)).body["notifications"]
    assert (news[0]["kind"], news[0]["ref"]) == ("floor-taken-back", f"space/{site.facts.spaces['rivers']}")
    assert "complaints" not in str(news)


async def test_no_patch_of_the_settings_lowers_the_floor(site: Site) -> None:
    space, founder = f"/spaces/{site.facts.spaces['rivers']}", await site.log_in("founder")
    for policy in (
        {"lowered": {"age_band": "16-19", "chat": "free"}},
        {"lowered": {"age_band": "16-19", "chat": "free"}, "chat": "free"},
        {"lowered": None},
    ):
        answer = await site.call("PATCH", space, {"policy": policy}, token=founder)
        assert (answer.status, answer.code) == (422, "invalid")
    rules = (await site.call("GET", f"{space}/policy", token=founder)).body
    assert rules["allowed"]["chat"] == ["off", "supervised", "hours"]


async def test_a_mute_that_two_agree_on_and_one_lifts(site: Site) -> None:
    space, partner = f"/spaces/{site.facts.spaces['rivers']}", site.facts.members["partner"]
    founder, admin = await site.log_in("founder"), await site.log_in("admin")
    wish = {"mute": {"member": partner, "minutes": 45}, "because": "He shouts."}
    made = (await site.call("POST", f"{space}/proposals", wish, token=admin)).body
    assert (made["kind"], made["mute"], made["concerned"]["member"], made["concerned"]["school"]) == (
        "mute", {"minutes": 45, "until": None}, partner, "School of Porto",
    )  # fmt: skip
    decision = f"/proposals/{made['id']}/decision"
    assert (await site.call("PUT", decision, {"accept": True}, token=admin)).status == 403
    assert (await site.call("GET", f"{space}/proposals", token=await site.log_in("partner"))).status == 403
    [seen] = (await site.call("GET", f"{space}/proposals", token=founder)).body
    assert seen["can"] == {"decide": True, "withdraw": False}
    assert (await site.call("PUT", decision, {"accept": True}, token=founder)).status == 204
    members = (await site.call("GET", f"{space}/members", token=admin)).body
    [member] = [each for each in members if each["id"] == partner]
    assert member["mute"]["reason"] == "He shouts."
    assert (member["can"]["mute"], member["can"]["ask_mute"], member["can"]["unmute"]) == (False, True, True)
    [entry] = [
        each
        for each in (await site.call("GET", f"{space}/audit", token=admin)).body
        if each["action"] == "muted"
    ]
    assert (entry["actor_name"], entry["asked_by_name"], entry["concerned_name"]) == (
        "Founder", "Admin", "Partner",
    )  # fmt: skip
    lift = f"/memberships/{partner}/mute"
    assert (await site.call("DELETE", lift, token=admin)).status == 204
    taken = (await site.call("POST", f"{space}/proposals", wish, token=admin)).body
    assert (await site.call("DELETE", f"/proposals/{taken['id']}", token=admin)).status == 204
    late = await site.call("PUT", f"/proposals/{taken['id']}/decision", {"accept": True}, token=founder)
    assert (late.status, late.code) == (409, "proposal-over")


@pytest.mark.parametrize(
    "body",
    [
        {"because": "Why not."},
        {"floor": {"chat": "free"}},
        {"floor": {"chat": "free"}, "because": "  "},
        {"floor": {"chat": "free"}, "because": "x" * 501},
        {"floor": {"chat": "always"}, "because": "Why not."},
        {"floor": {"lowered": "free"}, "because": "Why not."},
        {"floor": {"chat": "free"}, "mute": {"member": "m1"}, "because": "Why not."},
        {"mute": {"member": "m1", "minutes": 0}, "because": "Why not."},
        {"mute": {"member": "m1", "minutes": 5, "until": 4e9}, "because": "Why not."},
        {"mute": {"member": "../m1"}, "because": "Why not."},
        {"mute": {}, "because": "Why not."},
    ],
)
async def test_what_is_no_proposal_is_refused(site: Site, body: dict[str, Any]) -> None:
    space, founder = f"/spaces/{site.facts.spaces['rivers']}", await site.log_in("founder")
    answer = await site.call("POST", f"{space}/proposals", body, token=founder)
    assert (answer.status, answer.code) == (422, "invalid")
