"""International teams over REST."""

from __future__ import annotations

from village_site import Site


async def test_a_preview_then_the_same_teams(site: Site) -> None:
    token = await site.log_in("teacher")
    path = f"/spaces/{site.facts.spaces['rivers']}/teams"
    before = (await site.call("GET", path, token=token)).body
    asked = {"count": 2, "names": ["Otters"]}
    preview = await site.call("POST", path, {**asked, "preview": True}, token=token)
    assert preview.status == 200
    assert [team["title"] for team in preview.body["teams"]] == ["Otters", "Team 2"]
    for name in ("room_id", "page_id", "board_id", "thread_id"):
        assert {team[name] for team in preview.body["teams"]} == {None}
    assert (await site.call("GET", path, token=token)).body == before
    made = await site.call("POST", path, {**asked, "seed": preview.body["seed"]}, token=token)
    assert made.status == 200
    for team, proposed in zip(made.body["teams"], preview.body["teams"], strict=True):
        assert team["schools"] == proposed["schools"]
        kinds = [
            (await site.call("GET", f"/pages/{team[name]}", token=token)).body["kind"]
            for name in ("page_id", "board_id")
        ]
        assert kinds == ["page", "board"]
        assert (await site.call("GET", f"/threads/{team['thread_id']}", token=token)).status == 200
    assert len((await site.call("GET", path, token=token)).body) == len(before) + 2


async def test_what_teams_cannot_be(site: Site) -> None:
    token = await site.log_in("teacher")
    path = f"/spaces/{site.facts.spaces['rivers']}/teams"
    for body in (
        {},
        {"count": 1, "size": 3},
        {"count": 0},
        {"count": 51},
        {"size": 0},
        {"count": 1, "seed": -1},
        {"count": 1, "names": ["two\nlines"]},
    ):
        assert (await site.call("POST", path, body, token=token)).status == 422, body
    refused = await site.call("POST", path, {"count": 50}, token=token)
    assert (refused.status, refused.code) == (409, "too-few-pupils")
