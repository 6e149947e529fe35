"""Reading and trying the rules of a space over REST: shapes, bounds, and that a trial tells the truth."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from village_site import Answer, Site

NUMBERS = itertools.count()


async def attempt(site: Site, body: Any, who: str = "admin") -> Answer:
    path = f"/spaces/{site.facts.spaces['rivers']}/policy/try"
    return await site.call("POST", path, body, token=await site.log_in(who))


async def change(site: Site, policy: dict[str, Any]) -> None:
    path = f"/spaces/{site.facts.spaces['rivers']}"
    answer = await site.call("PATCH", path, {"policy": policy}, token=await site.log_in("admin"))
    assert answer.status == 200, answer.body


async def test_the_shape(site: Site) -> None:
    words = [{"text": "caca*", "action": "block", "language": "es"}]
    await change(site, {"posting": "hold", "filters": {"phone": "block", "words": words}})
    path = f"/spaces/{site.facts.spaces['rivers']}/policy"
    answer = await site.call("GET", path, token=await site.log_in("teacher"))
    assert answer.status == 200
    held = {"email": "hold", "handle": "hold", "link": "hold", "address": "hold"}
    filters = {"phone": "block", **held, "domains": [], "words": words}
    body = answer.body
    assert body["chosen"] == {
        "guests_read": False,
        "guests_edit": False,
        "guests_post": False,
        "students_create": True,
        "block_owners": False,
        "page_editing": None,
        "posting": "hold",
        "chat": None,
        "supervision": "one",
        "filters": filters,
    }
    assert body["effective"]["posting"] == "hold"
    assert body["effective"]["filters"] == filters
    assert body["allowed"]["contacts"] == ["hold", "block"]
    assert body["effective"]["page_editing"] == body["allowed"]["page_editing"][-1]


async def test_a_trial_says_where_something_is(site: Site) -> None:
    text = "🦦🦦 Write to otter@mail.example"
    answer = await attempt(site, {"text": text})
    assert answer.status == 200
    [found] = answer.body["findings"]
    assert (found["kind"], text[found["start"] : found["end"]]) == ("email", "otter@mail.example")
    assert text not in answer.raw.decode()


@pytest.mark.parametrize("posting", ["off", "hold", None])
@pytest.mark.parametrize(
    "text", ["The river is long.", "Call 612 345 678", "See https://chat.example", "You otter", "You beaver"]
)
async def test_a_pupils_post_fares_as_the_trial_said(site: Site, posting: str | None, text: str) -> None:
    words = [{"text": "otter", "action": "block"}, {"text": "beaver", "action": "flag"}]
    await change(site, {"posting": posting, "filters": {"words": words}})
    said = (await attempt(site, {"text": text})).body["outcome"]
    thread = {"title": "Rivers", "kind": "thread", "key": f"thread-{next(NUMBERS):08}"}
    general = f"/rooms/{site.facts.rooms['team']}/threads"
    talk = await site.call("POST", general, thread, token=await site.log_in("teacher"))
    path, body = f"/threads/{talk.body['id']}/posts", {"key": f"post-{next(NUMBERS):08}", "body": text}
    posted = await site.call("POST", path, body, token=await site.log_in("student"))
    states = {"shown": "visible", "flagged": "visible", "held": "held", "first-held": "held"}
    became = posted.body["state"] if posted.status == 201 else posted.code
    assert became == states.get(said) or (said, became) in {("blocked", "blocked"), ("off", "not-allowed")}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": None},
        {"text": 7},
        {"text": ["a"]},
        {"text": "x" * 4_001},
        {"text": "Hello", "unknown": 1},
        {"text": "Hello", "filters": {"unknown": "hold"}},
        {"text": "Hello", "filters": {"phone": "no"}},
        {"text": "Hello", "filters": {"words": [{"text": "***"}]}},
        {"text": "Hello", "filters": {"words": [{"text": "word"}] * 1_001}},
        {"text": "Hello", "filters": []},
        [],
        "Hello",
    ],
)
async def test_what_makes_no_sense_is_refused(site: Site, body: Any) -> None:
    assert (await attempt(site, body)).status == 422


@pytest.mark.parametrize(
    "text", ["\x00", "\u202e\u2066", "a\u0300" * 2_000, "@" * 4_000, "o.t." * 1_000, "﷽" * 4_000, "\ud7ff"]
)
async def test_whatever_the_text_it_is_answered(site: Site, text: str) -> None:
    words = [{"text": word, "action": "block"} for word in ("o" * 40, "otter*", "a" * 40)]
    assert (await attempt(site, {"text": text, "filters": {"words": words}})).status == 200


async def test_a_long_list_fits(site: Site) -> None:
    words = [
        {"text": f"insult number {n:04} in a long list", "action": "hold", "language": "es"}
        for n in range(1_000)
    ]
    domains = [f"school-number-{n:03}.example" for n in range(200)]
    await change(site, {"filters": {"words": words, "domains": domains}})
    path = f"/spaces/{site.facts.spaces['rivers']}/policy"
    answer = await site.call("GET", path, token=await site.log_in("admin"))
    assert answer.body["chosen"]["filters"]["words"] == words
    assert answer.body["chosen"]["filters"]["domains"] == domains
