"""Cases over REST and sockets: who reads the reported words, who never does; no socket opens by a case."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import pytest_asyncio
from village import PASSWORD, email_of
from village_site import Site
from visitors import Desk, Visitor, log_in

from rooms.values import Office, PostId
from server.app import all_routes

CANARY = "canary7d1f0c9b"
GROUND = "The school has asked us to look."
OFFICERS = {"spain": "ES", "madrid": "ES", "portugal": "PT", "platform": None}
DOCUMENTS = ("thread/{thread}", "page/{page}", "page/{staff}", "space/{space}")


@dataclass
class Place:
    """The founder's own post is reported by a pupil, escalated, and hidden since."""

    site: Site
    visitors: dict[str, Visitor]
    thread: str
    post: str
    report: str
    desks: dict[str, Desk] = field(default_factory=dict)

    @property
    def space(self) -> str:
        return self.site.facts.spaces["rivers"]

    @property
    def documents(self) -> list[str]:
        pages = self.site.facts.pages
        ids = {"thread": self.thread, "page": pages["open"], "staff": pages["staff"], "space": self.space}
        return [document.format(**ids) for document in DOCUMENTS]

    def paths(self, case: str) -> Iterator[str]:
        """Every GET route with every id of the place."""
        facts = self.site.facts
        ids = {
            "space_id": [self.space],
            "room_id": [*facts.rooms.values()],
            "thread_id": [self.thread],
            "post_id": [self.post],
            "page_id": [facts.pages["open"]],
            "report_id": [self.report],
            "case_id": [case],
            "name": [f"thread/{self.thread}"],
        }
        for route in all_routes():
            if route.method == "GET":
                chosen = itertools.product(*(ids.get(each, [self.post]) for each in route.parameters))
                for values in (dict(zip(route.parameters, each, strict=True)) for each in chosen):
                    yield re.sub(r"{(\w+)[^}]*}", lambda found, of=values: quote(of[found[1]]), route.path)

    async def gives_away(self, who: str, case: str, what: str) -> set[str]:
        """The paths that tell somebody this."""
        found = set()
        for path in self.paths(case):
            answer = await self.site.call("GET", path, token=self.visitors[who].cookie.partition("=")[2])
            assert answer.status < 500, (path, answer.status)
            if what.encode() in answer.raw:
                found.add(path)
        return found


@pytest_asyncio.fixture
async def place(site: Site) -> AsyncIterator[Place]:
    services, facts = site.house.node.services, site.facts
    for name, country in OFFICERS.items():
        facts.people[name] = await services.people.add_adult(
            name=name.capitalize(), email=email_of(name), password=PASSWORD, school=None
        )
        office = Office.OFFICER if country else Office.PLATFORM
        await services.offices.appoint(facts.people[name], office, country)
    async with AsyncExitStack() as stack:
        visitors = {}
        for name in ("founder", "admin", "teacher", "mate", "outsider", *OFFICERS):
            login = SimpleNamespace(code=facts.codes.get(name), email=email_of(name), password=PASSWORD)
            visitors[name] = await stack.enter_async_context(log_in(site.house.url, login))  # type: ignore[arg-type]
        founder, mate = visitors["founder"], visitors["mate"]
        new = {"title": "Otters", "key": "thread-0001"}
        thread = (await founder.call("POST", f"/rooms/{facts.rooms['general']}/threads", new))["id"]
        words = {"body": f"Come alone. {CANARY}", "key": "post-00001"}
        post = (await founder.call("POST", f"/threads/{thread}/posts", words))["id"]
        says = {"target": "post", "target_id": post, "reason": "unwelcome"}
        report = (await mate.call("POST", f"/spaces/{facts.spaces['rivers']}/reports", says))["id"]
        await services.moderation.hide(facts.people["founder"], PostId(post))
        yield Place(site, visitors, thread, post, report)


async def test_the_words_of_a_hidden_post_reach_only_the_officer_with_the_case(place: Place) -> None:
    spain = place.visitors["spain"]
    for who in OFFICERS:
        assert await place.gives_away(who, "no-such-case", CANARY) == set(), who
    case = (await spain.call("POST", f"/reports/{place.report}/case", {"ground": GROUND}))["id"]
    told = {f"/cases/{case}", f"/cases/{case}/threads/{place.thread}", f"/posts/{place.post}/original"}
    assert await place.gives_away("spain", case, CANARY) == told
    for who in ("madrid", "portugal", "platform", "outsider", "mate"):
        assert await place.gives_away(who, case, CANARY) == set(), who
    await spain.call("DELETE", f"/cases/{case}")
    assert await place.gives_away("spain", case, CANARY) == set()


async def test_the_admin_concerned_reads_of_the_case_nowhere(place: Place) -> None:
    spain = place.visitors["spain"]
    space = f"space/{place.space}"
    async with AsyncExitStack() as stack:
        for who in ("founder", "admin"):
            place.desks[who] = await stack.enter_async_context(place.visitors[who].socket())
            assert await place.desks[who].open(space) == "readonly"
        seen = len(place.desks["admin"].said)
        case = (await spain.call("POST", f"/reports/{place.report}/case", {"ground": GROUND}))["id"]
        await place.desks["admin"].until(
            lambda: {"type": "space", "changed": ["notifications"]} in place.desks["admin"].said[seen:], 10.0
        )
        await spain.call("GET", f"/cases/{case}")
        await spain.call("GET", f"/pages/{place.site.facts.pages['staff']}")
        for what in (case, place.report, GROUND):
            assert await place.gives_away("founder", case, what) == set(), what
        assert await place.gives_away("admin", case, GROUND) == {f"/spaces/{place.space}/audit"}
        await spain.call("PUT", f"/reports/{place.report}/answer", {"answer": "We have talked to them."})
        for what in (case, place.report, GROUND):
            assert await place.gives_away("founder", case, what) == set(), what
        with pytest.raises(TimeoutError):
            await place.desks["founder"].hear(0.5)
    listed = await place.visitors["admin"].call("GET", "/me/notifications")
    assert {"case-opened", "case-closed"} <= {each["kind"] for each in listed["notifications"]}


async def test_no_socket_opens_by_a_case_and_what_was_open_by_rest_is_closed_with_it(place: Place) -> None:
    spain = place.visitors["spain"]

    async def opened() -> list[str]:
        found = []
        for document in place.documents:
            async with spain.socket() as desk:
                if await desk.open(document) in ("readonly", "read-write"):
                    found.append(document)
        return found

    assert await opened() == []
    case = (await spain.call("POST", f"/reports/{place.report}/case", {}))["id"]
    assert await opened() == []
    staff = place.site.facts.pages["staff"]
    for path in (f"/spaces/{place.space}", f"/pages/{staff}", f"/pages/{staff}/content?format=json"):
        assert (await spain.ask("GET", path))[0] == 200, path
    await spain.call("DELETE", f"/cases/{case}")
    assert await opened() == []
    for path in (f"/spaces/{place.space}", f"/pages/{staff}", f"/pages/{staff}/content?format=json"):
        assert (await spain.ask("GET", path))[0] == 404, path


async def test_a_case_of_an_officer_is_theirs_alone(place: Place) -> None:
    spain = place.visitors["spain"]
    case = await spain.call("POST", f"/reports/{place.report}/case", {"ground": GROUND})
    assert (case["report_id"], case["ground"], case["over"]) == (place.report, GROUND, "")
    again, said = await spain.ask("POST", f"/reports/{place.report}/case", {})
    assert (again, said["error"]["code"]) == (409, "case-open")
    file = await spain.call("GET", f"/cases/{case['id']}")
    assert (file["case"]["id"], file["person"]["name"]) == (case["id"], "Founder")
    [reported] = [post for post in file["thread"]["posts"] if post["reported"]]
    assert (reported["id"], reported["state"]) == (place.post, "hidden")
    for who in ("madrid", "portugal", "platform", "admin", "founder", "mate"):
        assert await place.visitors[who].call("GET", "/me/cases") == []
        for method in ("GET", "DELETE"):
            assert (await place.visitors[who].ask(method, f"/cases/{case['id']}"))[0] == 404
    assert (await place.visitors["portugal"].ask("POST", f"/reports/{place.report}/case", {}))[0] == 404
    madrid = await place.visitors["madrid"].call("POST", f"/reports/{place.report}/case", {})
    assert madrid["id"] != case["id"]


@pytest.mark.parametrize("ground", ["", " ", "x" * 501, None, 5])
async def test_a_legal_ground_is_written_down(place: Place, ground: object) -> None:
    platform, path = place.visitors["platform"], f"/spaces/{place.space}/cases"
    assert (await platform.ask("POST", path, {"ground": ground}))[0] == 422
    assert await platform.call("GET", "/me/cases") == []
