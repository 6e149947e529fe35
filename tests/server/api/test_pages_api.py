"""Pages, rooms and spaces over REST: shapes, bounds and conflicts."""

from __future__ import annotations

import time
from typing import Any

import pytest
from village_site import Site


async def test_the_shape_of_a_page(site: Site) -> None:
    token = await site.log_in("founder")
    made = await site.call(
        "POST", f"/rooms/{site.facts.rooms['general']}/pages", {"title": "  Ríos  "}, token=token
    )
    assert made.status == 201
    page = made.body["id"]
    assert made.body == {
        "id": page,
        "kind": "page",
        "title": "Ríos",
        "parent_id": None,
        "order": 1,
        "room_id": site.facts.rooms["general"],
        "see_rule": "members",
        "edit_rule": "everyone",
        "lock": None,
        "document": f"page/{page}",
        "scope": "read-write",
        "reason": "",
        "mine": True,
        "can": {"lock": True, "rename": True, "settings": True, "delete": True},
        "block_owners": False,
    }
    assert (await site.call("GET", f"/pages/{page}", token=token)).body == made.body
    until = time.time() + 600
    locked = await site.call(
        "PUT", f"/pages/{page}/lock", {"reason": "We read.", "until": until}, token=token
    )
    lock = locked.body["lock"]
    assert (lock["by"], lock["reason"], lock["until"]) == ("Founder", "We read.", until)
    assert (locked.body["scope"], locked.body["reason"]) == ("readonly", "locked")
    assert (await site.call("DELETE", f"/pages/{page}/lock", token=token)).status == 204
    assert (await site.call("DELETE", f"/pages/{page}", token=token)).status == 204
    bin_ = await site.call("GET", f"/spaces/{site.facts.spaces['rivers']}/bin", token=token)
    assert [binned["id"] for binned in bin_.body] == [page]
    back = await site.call("POST", f"/pages/{page}/restore", token=token)
    assert back.body["id"] == page


async def test_where_blocks_have_owners_pupils_are_told_so(site: Site) -> None:
    founder, path = await site.log_in("founder"), f"/pages/{site.facts.pages['team']}"
    for wanted in (True, False):
        policy = {"policy": {"block_owners": wanted}}
        space = f"/spaces/{site.facts.spaces['rivers']}"
        assert (await site.call("PATCH", space, policy, token=founder)).status == 200
        rules = (await site.call("GET", f"{space}/policy", token=founder)).body
        assert (rules["chosen"]["block_owners"], rules["effective"]["block_owners"]) == (wanted, wanted)
        told = {
            who: (await site.call("GET", path, token=await site.log_in(who))).body["block_owners"]
            for who in ("student", "editor", "pal", "teacher", "founder")
        }
        assert told == {
            "student": wanted,
            "editor": wanted,
            "pal": wanted,
            "teacher": False,
            "founder": False,
        }


async def test_a_board_is_a_page_whose_cards_belong_to_their_makers(site: Site) -> None:
    founder = await site.log_in("founder")
    space, rooms = f"/spaces/{site.facts.spaces['rivers']}", f"/rooms/{site.facts.rooms['general']}/pages"
    policy = {"policy": {"block_owners": False, "guests_read": True}}
    assert (await site.call("PATCH", space, policy, token=founder)).status == 200
    page = (await site.call("POST", rooms, {"title": "Notes"}, token=founder)).body
    made = await site.call("POST", rooms, {"title": "Ideas", "kind": "board"}, token=founder)
    assert (made.status, made.body["kind"], made.body["block_owners"]) == (201, "board", False)
    assert made.body | {"kind": "page"} == page | {
        "id": made.body["id"],
        "title": "Ideas",
        "order": page["order"] + 1,
        "document": f"page/{made.body['id']}",
    }
    path = f"/pages/{made.body['id']}"
    told = {
        who: (await site.call("GET", path, token=await site.log_in(who))).body["block_owners"]
        for who in ("student", "editor", "pal", "guest", "teacher", "founder")
    }
    assert told == {who: who not in ("teacher", "founder") for who in told}
    listed = (await site.call("GET", f"{space}/pages", token=await site.log_in("student"))).body
    kinds = {each["title"]: each["kind"] for each in listed}
    assert (kinds["Notes"], kinds["Ideas"]) == ("page", "board")
    below = await site.call("POST", rooms, {"title": "More", "parent_id": made.body["id"]}, token=founder)
    assert (below.status, below.body["kind"]) == (201, "page")
    assert (await site.call("DELETE", path, token=founder)).status == 204
    back = await site.call("POST", f"{path}/restore", token=founder)
    assert (back.status, back.body["kind"]) == (200, "board")


async def test_a_page_has_one_of_two_kinds_for_ever(site: Site) -> None:
    token, room = await site.log_in("founder"), site.facts.rooms["general"]
    for kind in ("thread", "Board", "", None, 1, ["board"]):
        body = {"title": "Ideas", "kind": kind}
        assert (await site.call("POST", f"/rooms/{room}/pages", body, token=token)).status == 422
    page = site.facts.pages["open"]
    assert (await site.call("PATCH", f"/pages/{page}", {"kind": "board"}, token=token)).status == 422


async def test_a_page_moves_to_the_top_with_null_and_stays_with_nothing(site: Site) -> None:
    token, room = await site.log_in("founder"), site.facts.rooms["general"]
    top = site.facts.pages["open"]
    below = await site.call("POST", f"/rooms/{room}/pages", {"title": "B", "parent_id": top}, token=token)
    path = f"/pages/{below.body['id']}"
    assert (await site.call("PATCH", path, {"title": "C"}, token=token)).body["parent_id"] == top
    assert (await site.call("PATCH", path, {"parent_id": None}, token=token)).body["parent_id"] is None
    cycle = await site.call("PATCH", path, {"parent_id": below.body["id"]}, token=token)
    assert (cycle.status, cycle.code) == (409, "cycle")


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": "   "},
        {"title": "x" * 201},
        {"title": "two\nlines"},
        {"title": "nul\x00"},
        {"see_rule": "public"},
        {"edit_rule": "nobody"},
        {"order": -1},
        {"order": 1.5},
        {"parent_id": "../.."},
        {"lock": None},
        {"author_id": "me"},
        {"title": None, "x": 1},
    ],
)
async def test_a_page_takes_no_other_values(site: Site, body: dict[str, Any]) -> None:
    token, page = await site.log_in("founder"), site.facts.pages["open"]
    assert (await site.call("PATCH", f"/pages/{page}", body, token=token)).status == 422


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": ""}, {"reason": "x" * 201}, {"reason": "x", "until": -1}, {"reason": "x", "until": 1e300},
     {"reason": "x", "until": "tomorrow"}],
)  # fmt: skip
async def test_a_lock_needs_a_reason_and_a_time_that_is_one(site: Site, body: dict[str, Any]) -> None:
    token, page = await site.log_in("founder"), site.facts.pages["open"]
    assert (await site.call("PUT", f"/pages/{page}/lock", body, token=token)).status == 422


async def test_the_shape_of_a_space_and_its_members(site: Site) -> None:
    token, space = await site.log_in("student"), site.facts.spaces["rivers"]
    got = (await site.call("GET", f"/spaces/{space}", token=token)).body
    assert {key: got[key] for key in ("title", "status", "age_band", "my_role", "languages")} == {
        "title": "Two rivers",
        "status": "open",
        "age_band": "16-19",
        "my_role": "student",
        "languages": ["en"],
    }
    assert [room["kind"] for room in got["rooms"]] == ["general", "team"]
    assert got["rooms"][1]["can"] == {
        "create_pages": True,
        "settings": False,
        "state": False,
        "supervise": False,
    }
    assert not any(got["can"].values())
    members = (await site.call("GET", f"/spaces/{space}/members", token=token)).body
    founder = next(member for member in members if member["founder"])
    assert founder == {
        "id": site.facts.members["founder"],
        "person_id": site.facts.people["founder"],
        "name": "Founder",
        "kind": "adult",
        "role": "admin",
        "founder": True,
        "school_id": site.facts.schools["ebro"],
        "mute": None,
        "can": dict.fromkeys(("role", "remove", "mute", "ask_mute", "unmute", "reset_code"), False),
    }


async def test_a_room_has_a_state_opening_hours_and_a_tighter_way_of_posting(site: Site) -> None:
    token, room = await site.log_in("admin"), f"/rooms/{site.facts.rooms['general']}"
    hours = {"days": [1, 2, 5], "from": "08:00", "to": "16:30"}
    answer = await site.call("PUT", f"{room}/hours", {**hours, "days": [5, 2, 1, 1]}, token=token)
    assert (answer.status, answer.body["hours"]) == (200, hours)
    for wrong in (
        {"days": [], "from": "08:00", "to": "16:00"},
        {"days": [8], "from": "08:00", "to": "16:00"},
        {"days": [True], "from": "08:00", "to": "16:00"},
        {"days": [1], "from": "8:00", "to": "16:00"},
        {"days": [1], "from": "08:00", "to": "24:00"},
        {"days": [1], "from": "08:00\n", "to": "16:00"},
        {"days": [1], "opens": "08:00", "closes": "16:00"},
        {"days": [1], "from": "08:00"},
    ):
        assert (await site.call("PUT", f"{room}/hours", wrong, token=token)).status == 422
    assert (await site.call("DELETE", f"{room}/hours", token=token)).status == 204
    answer = await site.call("PUT", f"{room}/state", {"state": "supervised"}, token=token)
    assert (answer.body["state"], answer.body["hours"], answer.body["reason"]) == ("supervised", None, "")
    assert (await site.call("PUT", f"{room}/state", {"state": "ajar"}, token=token)).status == 422
    answer = await site.call("PATCH", room, {"posting": "hold"}, token=token)
    assert answer.body["posting"] == "hold"
    space = f"/spaces/{site.facts.spaces['rivers']}"
    for policy, status in (
        ({"posting": "hold-first", "chat": "hours", "supervision": "each-school", "guests_post": True}, 200),
        ({"posting": None, "chat": None}, 200),
        ({"chat": "free"}, 409),
        ({"posting": "loose"}, 422),
        ({"supervision": "nobody"}, 422),
        ({"supervision": None}, 422),
    ):
        assert (await site.call("PATCH", space, {"policy": policy}, token=token)).status == status
    student = await site.log_in("student")
    rooms = (await site.call("GET", space, token=student)).body["rooms"]
    seen = next(each for each in rooms if each["id"] == site.facts.rooms["general"])
    assert (seen["reason"], seen["open_now"], seen["can"]["supervise"]) == ("supervised", True, False)


async def test_an_admin_changes_the_space_step_by_step(site: Site) -> None:
    token, path = await site.log_in("admin"), f"/spaces/{site.facts.spaces['rivers']}"
    changed = await site.call(
        "PATCH", path, {"summary": "Two\nlines", "policy": {"page_editing": "teams"}}, token=token
    )
    assert changed.body["summary"] == "Two\nlines"
    assert (await site.call("PATCH", path, {"policy": {"anything": 1}}, token=token)).status == 422
    assert (
        await site.call("PUT", f"{path}/status", {"status": "archived"}, token=token)
    ).code == "wrong-step"
    assert (await site.call("PUT", f"{path}/status", {"status": "erased"}, token=token)).status == 422
    assert (await site.call("PUT", f"{path}/freeze", token=token)).status == 204
    assert (await site.call("GET", path, token=token)).body["frozen"] is True
    student = await site.log_in("student")
    refused = await site.call(
        "POST", f"/rooms/{site.facts.rooms['team']}/pages", {"title": "X"}, token=student
    )
    assert (refused.status, refused.body["error"]["details"]) == (403, {"reason": "space-frozen"})
