"""Whose page made a request, which address it came from, and what a browser is told."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from server.config import Settings
from server.origins import Origin, parse_host, parse_origin
from server.security import Caller, Cookie, Security


def request(
    headers: dict[str, str] | list[tuple[str, str]], *, remote: str = "203.0.113.9", method: str = "POST"
) -> web.Request:
    """A request as aiohttp hands it over; Host is twinspace.test unless it is given."""
    pairs = CIMultiDict(headers)
    if "Host" not in pairs:
        pairs.add("Host", "twinspace.test")
    return make_mocked_request(method, "/api/x", headers=pairs).clone(remote=remote)


def security(**settings: Any) -> Security:
    return Security(Settings(**settings))


@pytest.mark.parametrize(
    ("origin", "caller"),
    [
        ("http://twinspace.test", Caller.OWN),
        ("http://TwinSpace.TEST", Caller.OWN),
        ("http://twinspace.test:80", Caller.OWN),
        ("https://partner.example", Caller.ALLOWED),
        ("https://partner.example:443", Caller.ALLOWED),
        # foreign, null, scheme, port
        ("https://evil.example", Caller.FOREIGN),
        ("null", Caller.FOREIGN),
        ("", Caller.FOREIGN),
        ("https://twinspace.test", Caller.FOREIGN),
        ("http://twinspace.test:8080", Caller.FOREIGN),
        ("http://partner.example", Caller.FOREIGN),
        ("ws://twinspace.test", Caller.FOREIGN),
        ("file://", Caller.FOREIGN),
        ("file:///twinspace.test", Caller.FOREIGN),
        ("chrome-extension://abcdef", Caller.FOREIGN),
        # suffix, prefix, subdomain
        ("http://twinspace.test.evil.example", Caller.FOREIGN),
        ("http://eviltwinspace.test", Caller.FOREIGN),
        ("http://evil.twinspace.test", Caller.FOREIGN),
        ("http://twinspace.test.", Caller.FOREIGN),
        ("https://partner.example.evil.example", Caller.FOREIGN),
        # userinfo, path, query, fragment, several, white space, other spellings
        ("http://twinspace.test@evil.example", Caller.FOREIGN),
        ("http://evil.example@twinspace.test", Caller.FOREIGN),
        ("http://evil.example#twinspace.test", Caller.FOREIGN),
        ("http://evil.example/http://twinspace.test", Caller.FOREIGN),
        ("http://twinspace.test/", Caller.FOREIGN),
        ("http://twinspace.test?x", Caller.FOREIGN),
        ("http://twinspace.test, http://evil.example", Caller.FOREIGN),
        ("http://twinspace.test http://evil.example", Caller.FOREIGN),
        ("http://twinspace.test:080", Caller.OWN),
        ("http://twinspace.test:0", Caller.FOREIGN),
        ("http://twinspace.test:99999", Caller.FOREIGN),
        ("http:/twinspace.test", Caller.FOREIGN),
        ("//twinspace.test", Caller.FOREIGN),
        ("twinspace.test", Caller.FOREIGN),
        ("http://tw\u0131nspace.test", Caller.FOREIGN),
        ("http://twinspace%2etest", Caller.FOREIGN),
        ("*", Caller.FOREIGN),
    ],
)
def test_the_origin_header_is_compared_whole(origin: str, caller: Caller) -> None:
    rules = security(allowed_origin=["https://partner.example"])
    got = request({"Origin": origin})
    assert rules.caller(got) is caller
    assert rules.origin_allowed(got) is (caller is not Caller.FOREIGN)
    assert rules.is_own_page(got) is (caller is Caller.OWN)


def test_two_origin_headers_are_foreign() -> None:
    got = request([("Origin", "http://twinspace.test"), ("Origin", "http://twinspace.test")])
    assert security().caller(got) is Caller.FOREIGN


@pytest.mark.parametrize(
    ("site", "caller"),
    [
        (None, Caller.ABSENT),
        ("none", Caller.ABSENT),
        ("same-origin", Caller.OWN),
        ("same-site", Caller.FOREIGN),
        ("cross-site", Caller.FOREIGN),
        ("anything", Caller.FOREIGN),
    ],
)
def test_without_origin_the_browser_says_from_which_site(site: str | None, caller: Caller) -> None:
    assert security().caller(request({} if site is None else {"Sec-Fetch-Site": site})) is caller


def test_a_log_in_cookie_counts_for_our_pages_and_for_programs_only() -> None:
    rules = security(allowed_origin=["https://partner.example"])
    assert rules.cookie_counts(request({"Origin": "http://twinspace.test"}))
    assert rules.cookie_counts(request({}))
    assert not rules.cookie_counts(request({"Origin": "https://partner.example"}))
    assert not rules.cookie_counts(request({"Origin": "https://evil.example"}))
    assert not rules.cookie_counts(request({"Sec-Fetch-Site": "cross-site"}, method="GET"))


@pytest.mark.parametrize(
    "host", ["", "a b", "evil.example/twinspace.test", "u@twinspace.test", "a:b", "[::1", "a,b"]
)
def test_a_host_that_makes_no_sense_is_nobodys_origin(host: str) -> None:
    rules = security()
    got = request({"Host": host, "Origin": f"http://{host}"})
    assert rules.origin(got) is None
    assert rules.caller(got) is Caller.FOREIGN
    assert "None" not in rules.headers(got, page=True)["Content-Security-Policy"]


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "school.example", "Host": "10.0.0.5:8080"}


def test_forwarded_headers_count_behind_a_trusted_proxy_only() -> None:
    rules = security(trusted_proxy=["10.0.0.0/8"])
    from_proxy = request(FORWARDED | {"Origin": "https://school.example"}, remote="10.1.2.3")
    assert rules.origin(from_proxy) == Origin("https", "school.example", 443)
    assert rules.caller(from_proxy) is Caller.OWN
    mapped = request(FORWARDED | {"Origin": "https://school.example"}, remote="::ffff:10.1.2.3")
    assert rules.caller(mapped) is Caller.OWN
    stranger = request(FORWARDED | {"Origin": "https://school.example"}, remote="203.0.113.9")
    assert rules.caller(stranger) is Caller.FOREIGN


def test_what_a_client_wrote_before_the_proxy_does_not_count() -> None:
    rules = security(trusted_proxy=["10.0.0.1"])
    got = request(
        {
            "X-Forwarded-Host": "evil.example, school.example",
            "X-Forwarded-Proto": "http, https",
            "Origin": "https://evil.example",
        },
        remote="10.0.0.1",
    )
    assert rules.origin(got) == Origin("https", "school.example", 443)
    assert rules.caller(got) is Caller.FOREIGN


def test_a_public_url_is_the_one_own_origin() -> None:
    rules = security(public_url="https://twin.example")
    assert rules.caller(request({"Origin": "https://twin.example", "Host": "10.0.0.5"})) is Caller.OWN
    assert (
        rules.caller(request({"Origin": "http://rebound.example", "Host": "rebound.example"}))
        is Caller.FOREIGN
    )


@pytest.mark.parametrize(
    ("forwarded", "remote", "address"),
    [
        ([], "203.0.113.9", "203.0.113.9"),
        (["198.51.100.1"], "203.0.113.9", "203.0.113.9"),  # not from a proxy of ours
        (["198.51.100.1"], "10.0.0.1", "198.51.100.1"),
        (
            ["192.0.2.66, 198.51.100.1"],
            "10.0.0.1",
            "198.51.100.1",
        ),  # the first was the client's own invention
        (["192.0.2.66", "198.51.100.1, 10.0.0.2"], "10.0.0.1", "198.51.100.1"),
        (["nonsense"], "10.0.0.1", "10.0.0.1"),
        (["2001:db8::7"], "10.0.0.1", "2001:db8::7"),
    ],
)
def test_a_client_cannot_choose_its_address(forwarded: list[str], remote: str, address: str) -> None:
    got = request([("X-Forwarded-For", value) for value in forwarded], remote=remote)
    assert security(trusted_proxy=["10.0.0.0/24"]).client_address(got) == address


def test_local_means_this_machine_and_no_proxy_on_it() -> None:
    rules = security()
    assert rules.is_local(request({}, remote="127.0.0.1"))
    assert rules.is_local(request({}, remote="::1"))
    assert not rules.is_local(request({}, remote="192.168.1.2"))
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert not rules.is_local(request({header: "127.0.0.1"}, remote="127.0.0.1"))


@given(st.text(max_size=60))
def test_parsing_never_raises_and_an_origin_survives_being_written(text: str) -> None:
    origin = parse_origin(text)
    assert origin is None or parse_origin(str(origin)) == origin
    host = parse_host(text, "https")
    assert host is None or parse_origin(f"https://{host.netloc}") == host


def test_the_page_policy_lets_no_inline_script_or_style_run() -> None:
    policy = security().headers(request({"Host": "h.test:81"}), page=True)["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' ws://h.test:81"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["object-src"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy
    assert "*" not in policy


def test_https_is_remembered_and_plain_http_promises_nothing() -> None:
    rules = security(trusted_proxy=["10.0.0.1"])
    behind_tls = rules.headers(request({"X-Forwarded-Proto": "https"}, remote="10.0.0.1"), page=True)
    assert behind_tls["Strict-Transport-Security"].startswith("max-age=")
    assert "wss://twinspace.test" in behind_tls["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in rules.headers(request({}), page=True)


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_host_bound_and_out_of_reach_of_scripts(secure: bool) -> None:
    cookie, response = Cookie(secure), web.Response()
    cookie.set(response, "s3cret")
    morsel = SimpleCookie(response.cookies.output(header=""))[cookie.name]
    assert cookie.name == ("__Host-twinspace" if secure else "twinspace")
    assert (morsel.value, morsel["path"], morsel["domain"]) == ("s3cret", "/", "")
    assert (bool(morsel["secure"]), morsel["httponly"], morsel["samesite"]) == (secure, True, "Lax")
    cookie.clear(response)
    morsel = SimpleCookie(response.cookies.output(header=""))[cookie.name]
    assert (morsel.value, morsel["max-age"], bool(morsel["secure"])) == ("", "0", secure)
