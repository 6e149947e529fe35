"""Logging in and out over REST, and what each answer gives away."""

from __future__ import annotations

import pytest
from village import PASSWORD, email_of
from village_site import Site


async def test_logging_in_answers_who_i_am_and_sets_the_cookie(site: Site) -> None:
    answer = await site.call("POST", "/session", site.log_in_body("student"))
    assert answer.status == 200
    assert answer.body == {
        "person": {
            "id": site.facts.people["student"],
            "name": "Student",
            "kind": "pupil",
            "school": {
                "id": site.facts.schools["ebro"],
                "name": "School of Zaragoza",
                "town": "Zaragoza",
                "country": "ES",
                "time_zone": "Europe/Madrid",
            },
            "language": None,
        },
        "spaces": [
            {
                "id": site.facts.spaces["rivers"],
                "title": "Two rivers",
                "role": "student",
                "status": "open",
            }
        ],
        "can": {"create_space": False, "approve": False, "cases": False, "legal_cases": False},
    }
    assert answer.cookie is not None
    name, *attributes = answer.cookie.split("; ")
    assert name.startswith("__Host-twinspace=")
    assert len(name.partition("=")[2]) == 43, "256 bits"
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert not any(attribute.startswith("Domain") for attribute in attributes)


async def test_the_cookie_is_me_until_i_log_out(site: Site) -> None:
    token = await site.log_in("teacher")
    me = await site.call("GET", "/me", token=token)
    assert me.body["person"]["kind"] == "adult"
    out = await site.call("DELETE", "/session", token=token)
    assert (out.status, out.raw) == (204, b"")
    assert out.cookie is not None
    assert "Max-Age=0" in out.cookie or "1970" in out.cookie
    assert (await site.call("GET", "/me", token=token)).code == "not-logged-in"
    assert (await site.call("DELETE", "/session", token=token)).status == 204


async def test_logging_in_again_gives_a_new_token_and_ends_the_old(site: Site) -> None:
    first = await site.log_in("student")
    answer = await site.call("POST", "/session", site.log_in_body("student"), token=first)
    assert answer.cookie is not None
    assert first not in answer.cookie
    assert (await site.call("GET", "/me", token=first)).status == 401


async def test_a_guest_without_a_school_has_none(site: Site) -> None:
    me = await site.call("GET", "/me", token=await site.log_in("guest"))
    assert me.body["person"]["school"] is None


WRONG_SECRETS = {
    "known code": lambda site: {"method": "code", "code": "-".join(site.facts.codes["student"].split("-")[:2])
                                + "-mango-mango-mango"},
    "unknown code": lambda site: {"method": "code", "code": "brave-otter-mango-mango-mango"},
    "no code": lambda site: {"method": "code", "code": "x"},
    "known email": lambda site: {"method": "password", "email": email_of("teacher"), "password": "wrong"},
    "unknown email": lambda site: {"method": "password", "email": "nobody@x.example", "password": "wrong"},
    "no email": lambda site: {"method": "password", "email": "nobody", "password": "wrong"},
}  # fmt: skip


async def test_wrong_log_ins_are_answered_byte_for_byte_alike_whoever_they_name(site: Site) -> None:
    answers = {}
    for name, body in WRONG_SECRETS.items():
        before = site.house.node.services.hasher.checks
        got = await site.call("POST", "/session", body(site))
        work = site.house.node.services.hasher.checks - before
        headers = {key: value for key, value in got.headers.items() if key not in ("Date",)}
        answers[name] = (got.status, got.raw, tuple(sorted(headers.items())), work)
    assert len(set(answers.values())) == 1, answers
    status, raw, _, work = answers["known code"]
    assert (status, work) == (401, 1)
    assert b"wrong-credentials" in raw


async def test_too_many_wrong_tries_are_told_how_long_to_wait(site: Site) -> None:
    for name in ("known code", "unknown code"):
        body = WRONG_SECRETS[name](site)
        for _ in range(5):
            assert (await site.call("POST", "/session", body)).code == "wrong-credentials"
        held = await site.call("POST", "/session", body)
        assert (held.status, held.code) == (429, "too-many-tries")
        assert 25 <= held.body["error"]["details"]["retry_after"] <= 31
        assert int(held.headers["Retry-After"]) == held.body["error"]["details"]["retry_after"]
        assert held.cookie is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"method": "code"},
        {"method": "magic", "code": "x"},
        {"method": "code", "code": ""},
        {"method": "code", "code": "x" * 201},
        {"method": "code", "code": "x", "email": "y"},
        {"method": "code", "code": 5},
        {"method": "password", "email": "a@b", "password": ""},
        {"method": "password", "email": "a@b", "password": "x" * 201},
        {"method": "password", "email": "a" * 321, "password": "x"},
        [],
        "code",
        None,
    ],
)
async def test_what_is_no_log_in_is_refused_without_any_work(site: Site, body: object) -> None:
    got = await site.call("POST", "/session", body)
    assert got.status in (400, 415, 422)
    assert site.house.node.services.hasher.checks == 0


async def test_a_password_is_changed_with_the_old_one_only(site: Site) -> None:
    here, there = await site.log_in("teacher"), await site.log_in("teacher")
    wrong = await site.call("PUT", "/me/password", {"old": "wrong", "new": "a-better-password"}, token=here)
    assert wrong.code == "wrong-credentials"
    short = await site.call("PUT", "/me/password", {"old": PASSWORD, "new": "short"}, token=here)
    assert short.status == 422
    done = await site.call("PUT", "/me/password", {"old": PASSWORD, "new": "a-better-password"}, token=here)
    assert done.status == 204
    assert (await site.call("GET", "/me", token=here)).status == 200
    assert (await site.call("GET", "/me", token=there)).status == 401
    pupil = await site.log_in("student")
    none = await site.call("PUT", "/me/password", {"old": "x", "new": "a-better-password"}, token=pupil)
    assert none.code == "wrong-credentials"


async def test_a_language_is_a_language(site: Site) -> None:
    token = await site.log_in("student")
    for language in ("es", "pt-BR", None):
        answer = await site.call("PATCH", "/me", {"language": language}, token=token)
        assert answer.body["person"]["language"] == language
    for language in ("", "Spanish", "../x", 7, "es\n"):
        assert (await site.call("PATCH", "/me", {"language": language}, token=token)).status == 422
    assert (await site.call("PATCH", "/me", {"kind": "adult"}, token=token)).status == 422
