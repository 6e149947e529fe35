"""Who wrote what, and taking it back, over REST: shapes, bounds and what a pupil's screen shows."""

from __future__ import annotations

import time

import pycrdt
import pytest
from village_site import Site

from crdt.richtext import FRAGMENT


async def write(site: Site, name: str, page: str, text: str) -> str:
    """A paragraph in the name of a member; the client id it is written under."""
    doc: pycrdt.Doc[pycrdt.XmlFragment] = pycrdt.Doc()
    fragment = doc.get(FRAGMENT, type=pycrdt.XmlFragment)
    fragment.children.append(pycrdt.XmlElement("paragraph", {}, [pycrdt.XmlText(text)]))
    async with site.house.node.registry.open(f"page/{page}") as room:
        await room.write(doc.get_update(), f"membership:{site.facts.members[name]}")
    return str(doc.client_id)


async def test_the_shapes(site: Site) -> None:
    page, members = site.facts.pages["open"], site.facts.members
    teacher, student = await site.log_in("teacher"), await site.log_in("student")
    began = time.time() - 1
    by_student = await write(site, "student", page, "Nonsense")
    by_pal = await write(site, "pal", page, "Douro")
    authors = await site.call("GET", f"/pages/{page}/authors", token=student)
    assert authors.status == 200
    times = [author.pop("last_at") for author in authors.body]
    assert all(began < at < time.time() + 1 for at in times)
    assert authors.body == [
        {
            "membership_id": members["student"],
            "name": "Student",
            "school": "School of Zaragoza",
            "role": "student",
            "characters": 8,
        },
        {
            "membership_id": members["pal"],
            "name": "Pal",
            "school": "School of Porto",
            "role": "student",
            "characters": 5,
        },
    ]
    whose = await site.call("GET", f"/pages/{page}/authorship", token=student)
    assert whose.body == {by_student: members["student"], by_pal: members["pal"]}

    undo = {"membership_id": members["student"], "since": began}
    refused = await site.call("POST", f"/pages/{page}/undo", undo, token=student)
    assert (refused.status, refused.code) == (403, "not-allowed")
    undone = await site.call("POST", f"/pages/{page}/undo", undo, token=teacher)
    assert (undone.status, undone.body) == (200, {"undone": True})
    again = await site.call("POST", f"/pages/{page}/undo", undo, token=teacher)
    assert again.body == {"undone": False}
    content = await site.call("GET", f"/pages/{page}/content?format=text", token=student)
    assert content.raw.decode().strip() == "Douro"


async def test_a_preview_and_just_that(site: Site) -> None:
    page, members = site.facts.pages["open"], site.facts.members
    teacher, student = await site.log_in("teacher"), await site.log_in("student")
    since = time.time() - 1
    await write(site, "student", page, "Nonsense <script>")
    what = {"membership_id": members["student"], "since": since}
    path = f"/pages/{page}/undo"
    refused = await site.call("POST", f"{path}/preview", what, token=student)
    assert (refused.status, refused.code) == (403, "not-allowed")
    view = await site.call("POST", f"{path}/preview", what, token=teacher)
    assert view.status == 200
    until, seen = view.body.pop("until"), view.body.pop("seen")
    assert view.body == {
        "blocks": [
            {
                "node": "paragraph",
                "pieces": [{"fate": "goes", "text": "Nonsense <script>", "node": ""}],
                "look": False,
                "by_others": 0,
            }
        ],
        "more": 0,
        "gone_already": 0,
    }
    other = await site.call("POST", path, {**what, "until": until, "seen": "0" * 32}, token=teacher)
    assert (other.status, other.code) == (409, "changed-meanwhile")
    done = await site.call("POST", path, {**what, "until": until, "seen": seen}, token=teacher)
    assert (done.status, done.body) == (200, {"undone": True})
    again = await site.call("POST", path, {**what, "until": until, "seen": seen}, token=teacher)
    assert (again.status, again.code) == (409, "changed-meanwhile")


@pytest.mark.parametrize("seen", ["", "x" * 32, "0" * 33, 7, ["0" * 32]])
async def test_a_fingerprint_that_is_none(site: Site, seen: object) -> None:
    body = {"membership_id": site.facts.members["student"], "since": time.time() - 60, "seen": seen}
    path = f"/pages/{site.facts.pages['open']}/undo"
    assert (await site.call("POST", path, body, token=await site.log_in("teacher"))).status == 422


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"since": 0}, 409, "too-long-ago"),
        ({"since": -1}, 422, "invalid"),
        ({"since": "yesterday"}, 422, "invalid"),
        ({"since": None}, 422, "invalid"),
        ({"membership_id": "no-such-member"}, 404, "not-found"),
        ({"membership_id": "'; --"}, 422, "invalid"),
        ({"whole": True}, 422, "invalid"),
    ],
)
async def test_what_cannot_be_undone(site: Site, changed: dict[str, object], status: int, code: str) -> None:
    token = await site.log_in("teacher")
    body = {"membership_id": site.facts.members["student"], "since": time.time() - 60, **changed}
    answer = await site.call("POST", f"/pages/{site.facts.pages['open']}/undo", body, token=token)
    assert (answer.status, answer.code) == (status, code)
