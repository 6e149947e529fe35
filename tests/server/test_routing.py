"""The framework under the REST resources, driven with routes of its own."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from rooms.rights.access import Principal
from rooms.rights.policy import Action
from server.api.dispatch import Budgets, Door, add_routes, errors_middleware
from server.api.routing import BEARER, LOGGED_IN, PUBLIC, ApiError, Call, Input, Output, Query, Routes
from server.config import Settings
from server.security import Security

ANA = Principal("member", "person:ana", session_id="s1")
COOKIE = {"Cookie": "__Host-twinspace=good"}
routes = Routes(tag="toys")


class Toy(Input):
    name: str
    size: int = 1


class Box(Output):
    name: str
    owner: str


class Filter(Query):
    limit: int = 10


@routes.get("/boxes/{box_id}", access=LOGGED_IN, returns=Box, query=Filter, summary="Read")
async def read_box(call: Call) -> Box:
    return Box(name=f"{call.params['box_id']}:{call.query.limit}", owner=call.member.subject)


@routes.post("/boxes", action=Action.PAGE_CREATE, body=Toy, returns=Box, status=201, summary="Make")
async def make_box(call: Call, toy: Toy) -> dict[str, str]:
    return {"name": toy.name * toy.size, "owner": "nobody"}


@routes.delete("/boxes/{box_id}", action=Action.PAGE_BIN, summary="Bin")
async def bin_box(call: Call) -> None:
    raise ApiError(409, "locked", "The box is locked.", {"by": "teacher"})


@routes.get("/boxes", access=PUBLIC, returns=list[Box], summary="All")
async def all_boxes(call: Call) -> list[Box]:
    return []


@routes.post("/enter", access=PUBLIC, body=Toy, summary="Log in")
async def enter(call: Call, toy: Toy) -> None:
    call.set_session("new-secret")


@routes.post("/leave", access=PUBLIC, summary="Log out")
async def leave(call: Call) -> None:
    call.clear_session()


@routes.get("/broken", access=PUBLIC, summary="Breaks")
async def broken(call: Call) -> None:
    raise RuntimeError("the pupil Ana wrote canary")


@routes.get("/wrong", access=PUBLIC, returns=Box, summary="Answers what it did not declare")
async def wrong(call: Call) -> Any:
    return {"name": "x", "owner": "y", "password_hash": "canary"}


@routes.post("/bytes", access=BEARER, body=bytes, max_body=10, summary="Octets")
async def take(call: Call, data: bytes) -> None:
    assert call.principal is None


async def authenticate(secret: str) -> Principal | None:
    return ANA if secret == "good" else None


class Api:
    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http

    async def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        own: bool = True,
        raw: bytes | None = None,
        **headers: str,
    ) -> tuple[int, Any, aiohttp.ClientResponse]:
        """Sends a request as our own page does (`own`), with JSON or raw bytes."""
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if own:
            sent["Origin"] = self.url
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        async with self.http.request(method, f"{self.url}/api{path}", data=data, headers=sent) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None, answer


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    door = Door(services=None, security=Security(Settings()), authenticate=authenticate)  # type: ignore[arg-type]
    app = web.Application(middlewares=[errors_middleware])
    add_routes(app, routes, door)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield Api(f"http://127.0.0.1:{runner.addresses[0][1]}", http)
    await runner.cleanup()


def test_a_route_has_to_say_who_may_call_it() -> None:
    with pytest.raises(TypeError, match="must declare"):
        routes.get("/x", summary="x")
    with pytest.raises(TypeError, match="not both"):
        routes.get("/x", summary="x", access=PUBLIC, action=Action.PAGE_BIN)
    with pytest.raises(TypeError, match="body"):
        routes.get("/x", summary="x", access=PUBLIC, body=Toy)


async def test_a_route_declared_twice_does_not_start() -> None:
    twice = Routes(tag="x")
    for _ in range(2):
        twice.get("/x", access=PUBLIC, summary="x")(all_boxes)
    door = Door(services=None, security=Security(Settings()), authenticate=authenticate)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="twice"):
        add_routes(web.Application(), twice, door)


async def test_a_declared_route_reads_checks_and_answers(api: Api) -> None:
    status, body, answer = await api("GET", "/boxes/b1?limit=3", **COOKIE)
    assert (status, body) == (200, {"name": "b1:3", "owner": "person:ana"})
    assert answer.headers["Cache-Control"] == "no-store"
    status, body, _ = await api("POST", "/boxes", {"name": "ab", "size": 2}, **COOKIE)
    assert (status, body["name"]) == (201, "abab")


async def test_without_a_log_in_a_route_is_closed(api: Api) -> None:
    for method, path in (("GET", "/boxes/b1"), ("POST", "/boxes"), ("DELETE", "/boxes/b1")):
        for cookies in (
            {},
            {"Cookie": "__Host-twinspace=bad"},
            {"Cookie": "twinspace=good"},
            {"Cookie": "=;;="},
        ):
            status, body, _ = await api(method, path, **cookies)
            assert (status, body["error"]["code"]) == (401, "not-logged-in")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
    ],
)
async def test_another_sites_page_changes_nothing_with_our_cookie(api: Api, headers: dict[str, str]) -> None:
    status, body, _ = await api("POST", "/boxes", {"name": "x"}, own=False, **COOKIE, **headers)
    assert (status, body["error"]["code"]) == (403, "foreign-origin")
    status, _, answer = await api("POST", "/enter", {"name": "x"}, own=False, **headers)
    assert status == 403
    assert "Set-Cookie" not in answer.headers


async def test_our_page_is_known_by_fetch_metadata_too(api: Api) -> None:
    status, _, _ = await api(
        "POST", "/boxes", {"name": "x"}, own=False, **COOKIE, Sec_Fetch_Site="same-origin"
    )
    assert status == 201


async def test_a_bearer_route_has_no_cookies_and_needs_no_origin(api: Api) -> None:
    octets = {"Content_Type": "application/octet-stream"}
    status, _, _ = await api("POST", "/bytes", raw=b"abc", own=False, **octets, **COOKIE)
    assert status == 204


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "bad-json"),
        (b"", "application/json", 400, "bad-json"),
        (b"\xff\xfe", "application/json", 400, "bad-json"),
        (b"[" * 50_000, "application/json", 400, "bad-json"),
        (b"[]", "application/json", 422, "invalid"),
        (b"null", "application/json", 422, "invalid"),
        (b'{"name": 5}', "application/json", 422, "invalid"),
        (b'{"name": "x", "size": "1"}', "application/json", 422, "invalid"),
        (b'{"name": "x", "size": true}', "application/json", 422, "invalid"),
        (b'{"name": "x", "extra": 1}', "application/json", 422, "invalid"),
        (b'{"name": "x"}', "text/plain", 415, "wrong-content-type"),
        (b'{"name": "x"}', "application/json; charset=utf-16", 415, "wrong-content-type"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "wrong-content-type"),
        (b'{"name": "' + b"x" * 70_000 + b'"}', "application/json", 413, "too-big"),
    ],
)
async def test_a_bad_body_is_refused_in_the_one_form(
    api: Api, raw: bytes, content_type: str, status: int, code: str
) -> None:
    got, body, _ = await api("POST", "/boxes", raw=raw, Content_Type=content_type, **COOKIE)
    assert (got, body["error"]["code"]) == (status, code)
    assert set(body["error"]) <= {"code", "message", "details"}
    assert body["error"]["message"].endswith(".")


async def test_wrong_values_are_named_but_not_repeated(api: Api) -> None:
    _, body, _ = await api("POST", "/boxes", {"name": "x", "size": "canary"}, **COOKIE)
    assert body["error"]["details"]["fields"][0]["field"] == "body.size"
    assert "canary" not in json.dumps(body)
    for query in ("limit=many", "unknown=1", "limit=1&limit=2"):
        status, body, _ = await api("GET", f"/boxes/b1?{query}", **COOKIE)
        assert (status, body["error"]["code"]) == (422, "invalid"), query


@pytest.mark.parametrize(
    "path", ["/nothing", "/boxes/a/b", "/boxes/%00", "/boxes/a b", "/boxes/ü", "/boxes/" + "x" * 65]
)
async def test_an_unknown_path_or_impossible_id_is_not_found(api: Api, path: str) -> None:
    status, body, _ = await api("GET", path, **COOKIE)
    assert (status, body["error"]["code"]) == (404, "not-found")


async def test_a_wrong_method_says_which_are_right(api: Api) -> None:
    status, body, answer = await api("PUT", "/boxes/b1", {}, **COOKIE)
    assert (status, body["error"]["code"]) == (405, "method-not-allowed")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "DELETE"}


async def test_errors_of_handlers_have_the_same_form(api: Api) -> None:
    status, body, _ = await api("DELETE", "/boxes/b1", **COOKIE)
    assert status == 409
    assert body == {
        "error": {"code": "locked", "message": "The box is locked.", "details": {"by": "teacher"}}
    }


@pytest.mark.parametrize("path", ["/broken", "/wrong"])
async def test_what_nobody_expected_shows_a_number_and_nothing_of_the_inside(
    api: Api, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        status, body, _ = await api("GET", path)
    assert (status, body["error"]["code"]) == (500, "internal")
    assert "canary" not in json.dumps(body)
    assert body["error"]["details"]["id"] in caplog.records[0].getMessage()


async def test_the_session_cookie_is_set_and_removed_by_the_call(api: Api) -> None:
    _, _, answer = await api("POST", "/enter", {"name": "x"})
    assert answer.headers["Set-Cookie"].startswith("__Host-twinspace=new-secret;")
    _, _, answer = await api("POST", "/leave")
    assert 'twinspace="";' in answer.headers["Set-Cookie"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


async def test_head_is_get_without_a_body(api: Api) -> None:
    status, body, answer = await api("HEAD", "/boxes")
    assert (status, body, answer.headers["Content-Length"]) == (200, None, "2")


def test_budgets_refill_and_each_has_its_own() -> None:
    now = 0.0
    budgets = Budgets(rate=2, burst=3, kept=10, clock=lambda: now)
    for _ in range(3):
        budgets.spend("a")
    with pytest.raises(ApiError) as caught:
        budgets.spend("a")
    assert caught.value.status == 429
    assert caught.value.headers["Retry-After"] == "1"
    budgets.spend("b")
    now = 0.5
    budgets.spend("a")
    with pytest.raises(ApiError):
        budgets.spend("a")
    now = 1_000.0
    for _ in range(3):
        budgets.spend("a")
    with pytest.raises(ApiError):
        budgets.spend("a")
    for _ in range(30):
        budgets.spend("school", factor=10)
    with pytest.raises(ApiError):
        budgets.spend("school", factor=10)


def test_what_is_spent_on_one_node_is_gone_on_the_others() -> None:
    one, two = [Budgets(rate=1, burst=10, clock=lambda: 0.0, key=b"k") for _ in range(2)]
    for _ in range(6):
        one.spend("a")
    for _ in range(40):
        one.spend("school", factor=10)
    told = one.told()
    assert one.told() == {}
    assert "a" not in told
    for who, amount in told.items():
        two.charge(who, amount)
    for _ in range(4):
        two.spend("a")
    with pytest.raises(ApiError):
        two.spend("a")
    for _ in range(60):
        two.spend("school", factor=10)
    with pytest.raises(ApiError):
        two.spend("school", factor=10)


def test_budgets_forget_the_least_recent() -> None:
    budgets = Budgets(rate=1, burst=1, kept=100, clock=lambda: 0.0)
    for number in range(1_000):
        budgets.spend(f"address:{number}")
    assert len(budgets._used) == 100


async def test_a_body_that_never_arrives_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.api.dispatch.BODY_SECONDS", 0.05)
    host, _, port = api.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /api/boxes HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {api.url}\r\n"
        "Cookie: __Host-twinspace=good\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    writer.write(head.encode())
    assert b"408" in await reader.readline()
    writer.close()
    await writer.wait_closed()
