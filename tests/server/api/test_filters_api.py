"""The filters of a space over REST: who sets them, within which bounds, and what they do to a post."""

from __future__ import annotations

from typing import Any

import pytest
from village_site import Answer, Site


async def change(site: Site, who: str, filters: Any) -> Answer:
    path = f"/spaces/{site.facts.spaces['rivers']}"
    return await site.call("PATCH", path, {"policy": {"filters": filters}}, token=await site.log_in(who))


async def post(site: Site, key: str, body: str) -> Answer:
    thread = {"title": "Rivers", "kind": "thread", "key": f"{key}-key", "body": body}
    path = f"/rooms/{site.facts.rooms['team']}/threads"
    return await site.call("POST", path, thread, token=await site.log_in("student"))


async def test_admins_add_words_and_domains(site: Site) -> None:
    rules = {
        "phone": "block",
        "domains": ["School.Example"],
        "words": [{"text": "caca*", "action": "block", "language": "es"}],
    }
    assert (await change(site, "admin", rules)).status == 200
    for key, body in (("words", "¡C4C4!"), ("phones", "Call 612 345 678")):
        refused = await post(site, key, body)
        assert (refused.status, refused.code) == (422, "blocked"), refused.body
    assert (await post(site, "link", "See https://www.school.example/rivers")).status == 201


async def test_nobody_else_changes_them(site: Site) -> None:
    for who in ("teacher", "editor", "student"):
        assert (await change(site, who, {"phone": "block"})).status == 403
    assert (await change(site, "outsider", {"phone": "block"})).status == 404


@pytest.mark.parametrize("filters", [{"phone": "off"}, {"link": "flag"}, {"words": [], "address": "off"}])
async def test_where_pupils_are_they_are_not_turned_off(site: Site, filters: dict[str, Any]) -> None:
    refused = await change(site, "admin", filters)
    assert (refused.status, refused.code) == (409, "below-floor")


@pytest.mark.parametrize(
    "filters",
    [
        {"phone": "no"},
        {"unknown": "hold"},
        {"domains": ["com"]},
        {"domains": ["github.io"]},
        {"domains": ["not a domain"]},
        {"domains": ["a.example"] * 201},
        {"words": [{"text": "***"}]},
        {"words": [{"text": ""}]},
        {"words": [{"text": "x" * 61}]},
        {"words": [{"text": "word", "language": "x" * 40}]},
        {"words": [{"text": "word", "action": "shout"}]},
        {"words": [{"text": "word"}] * 1001},
        None,
        "hold",
    ],
)
async def test_what_makes_no_sense_is_refused(site: Site, filters: Any) -> None:
    assert (await change(site, "admin", filters)).status == 422
