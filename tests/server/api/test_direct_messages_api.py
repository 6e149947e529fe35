"""Messages between adults over REST: what each side gets, hostile words, and that a block is not noticed."""

from __future__ import annotations

from typing import Any

import pytest
from village_site import Answer, Site

NOBODY: dict[str, Any] = {"unread": 0, "conversations": []}


def to(site: Site, name: str, query: str = "") -> str:
    return f"/me/messages/{site.facts.people[name]}{query}"


async def write(site: Site, token: str, name: str, body: str = "Hello", key: str = "key-00000001") -> Answer:
    return await site.call("POST", to(site, name), {"key": key, "body": body}, token=token)


async def test_one_writes_and_the_other_reads(site: Site) -> None:
    teacher, partner = await site.log_in("teacher"), await site.log_in("partner")
    empty = (await site.call("GET", to(site, "partner"), token=teacher)).body
    assert (empty["partner"]["name"], empty["partner"]["school"]) == ("Partner", "School of Porto")
    assert (empty["messages"], empty["can_write"], empty["contact"], empty["more"]) == (
        [],
        True,
        False,
        False,
    )
    body = "Olá <b>Rui</b>!\n\tSee you “on Monday” 🦦"
    sent = await write(site, teacher, "partner", f"  {body}\n\n")
    assert (sent.status, sent.body["body"], sent.body["mine"]) == (201, body, True)
    assert (await write(site, teacher, "partner", body)).body == sent.body

    mine = (await site.call("GET", "/me/messages", token=partner)).body
    [line] = mine["conversations"]
    assert (mine["unread"], line["unread"], line["last"]["body"]) == (1, 1, body)
    assert (line["last"]["mine"], line["last"]["key"]) == (False, None)
    told = (await site.call("GET", "/me/notifications", token=partner)).body
    [note] = told["notifications"]
    assert (note["kind"], note["ref"], note["details"], note["space_id"]) == (
        "message",
        f"person/{site.facts.people['teacher']}",
        {},
        None,
    )
    seen = await site.call("PUT", to(site, "teacher", "/read"), {"until": sent.body["at"]}, token=partner)
    assert seen.status == 204
    assert (await site.call("GET", "/me/messages", token=partner)).body["unread"] == 0
    assert (await site.call("GET", "/me/notifications", token=partner)).body["unread"] == 0
    # The times that are told are exact enough to ask with.
    at = sent.body["at"]
    for query, count in ((f"?after={at!r}", 0), (f"?before={at!r}", 0), (f"?after={at - 0.001!r}", 1)):
        part = await site.call("GET", to(site, "teacher", query), token=partner)
        assert len(part.body["messages"]) == count, query


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"body": "Hello"},
        {"key": "key-00000001"},
        {"key": "short", "body": "Hello"},
        {"key": "key 00000001", "body": "Hello"},
        {"key": "k" * 65, "body": "Hello"},
        {"key": "key-00000001", "body": ""},
        {"key": "key-00000001", "body": " \n "},
        {"key": "key-00000001", "body": "x" * 4_001},
        {"key": "key-00000001", "body": 1},
        {"key": "key-00000001", "body": ["Hello"]},
        {"key": "key-00000001", "body": "Hello", "recipient": "somebody"},
        {"key": "key-00000001", "body": "half \ud800 of a pair"},
        {"key": "key-00000001", "body": "\udc00"},
        {"key": "key-00000001", "body": "a \x00 nul"},
        {"key": "key-00000001", "body": "an \x1b[31m escape"},
        {"key": "key-00000001", "body": "a \x85 next line"},
        {"key": "key-00000001", "body": "a \u2028 separator"},
        [],
        "Hello",
    ],
)
async def test_what_is_no_message_is_not_taken(site: Site, sent: object) -> None:
    teacher = await site.log_in("teacher")
    answer = await site.call("POST", to(site, "partner"), sent, token=teacher)
    assert answer.status in (400, 422)
    assert (await site.call("GET", "/me/messages", token=teacher)).body == NOBODY


async def test_as_much_as_fits(site: Site) -> None:
    teacher = await site.log_in("teacher")
    assert (await write(site, teacher, "partner", "🦦" * 4_000)).status == 201
    [line] = (await site.call("GET", "/me/messages", token=teacher)).body["conversations"]
    assert line["last"]["body"] == "🦦" * 200


@pytest.mark.parametrize(
    "query", ["?most=0", "?most=101", "?most=x", "?before=1&after=1", "?before=nan", "?x=1"]
)
async def test_parts_that_are_none(site: Site, query: str) -> None:
    teacher = await site.log_in("teacher")
    assert (await site.call("GET", to(site, "partner", query), token=teacher)).status == 422


@pytest.mark.parametrize("who", ["student", "editor", "guest"])
async def test_pupils_and_guests_write_nothing_and_get_nothing(site: Site, who: str) -> None:
    token, teacher = await site.log_in(who), await site.log_in("teacher")
    for whom in ("teacher", "partner", "mate"):
        assert (await write(site, token, whom)).status == 403
        assert (await site.call("GET", to(site, whom), token=token)).status == 403
        seen = await site.call("PUT", to(site, whom, "/read"), {"until": 1.0}, token=token)
        assert seen.status == 404
    assert (await write(site, token, "outsider")).status == 404
    assert (await write(site, teacher, who)).status == 403
    for each in (token, teacher):
        assert (await site.call("GET", "/me/messages", token=each)).body == NOBODY


async def test_who_is_blocked_is_answered_as_if_nothing_had_happened(site: Site) -> None:
    teacher, partner = await site.log_in("teacher"), await site.log_in("partner")
    before = await write(site, teacher, "admin")
    blocked = f"/me/blocks/{site.facts.people['teacher']}"
    assert (await site.call("PUT", blocked, token=partner)).status == 204
    sent = await write(site, teacher, "partner", key="key-00000002")
    assert (sent.status, set(sent.body)) == (before.status, set(before.body))
    conversation = (await site.call("GET", to(site, "partner"), token=teacher)).body
    assert (conversation["can_write"], conversation["blocked"]) == (True, False)
    assert [each["body"] for each in conversation["messages"]] == ["Hello"]
    assert (await site.call("GET", "/me/messages", token=partner)).body == NOBODY
    assert (await site.call("GET", "/me/notifications", token=partner)).body["notifications"] == []
    theirs = (await site.call("GET", to(site, "teacher"), token=partner)).body
    assert (theirs["can_write"], theirs["blocked"], theirs["messages"]) == (False, True, [])
    refused = await write(site, partner, "teacher")
    assert (refused.status, refused.code) == (409, "blocked-by-you")
