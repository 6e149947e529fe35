"""Choosing to be mailed, over REST, and ending it from a mail without a log-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from village_site import Site, open_site

from server.digest import LEAVE
from server.origins import Origin

MAIL: dict[str, Any] = {
    "smtp": "smtp://127.0.0.1:1",
    "mail_from": "TwinSpace <noreply@twinspace.example>",
    "public_url": Origin("https", "twinspace.example", 443),
}
CHOICE = {"digest": "weekly", "hour": 16, "quiet": {"from": "20:00", "until": "06:30"}}
SERVER = {"Origin": "https://twinspace.example"}


@pytest.fixture
async def mailing(built_site: Path, tmp_path: Path) -> Any:
    async with open_site(built_site, tmp_path / "data", **MAIL) as site:
        yield site


async def ask(site: Site, method: str, name: str, body: object = None) -> tuple[int, Any]:
    made = await _log_in(site, name)
    async with site.house.http.request(
        method, f"{site.house.url}/api/me/mail", json=body, headers={**SERVER, "Cookie": made}
    ) as answer:
        return answer.status, await answer.json()


async def _log_in(site: Site, name: str) -> str:
    async with site.house.http.post(
        f"{site.house.url}/api/session", json=site.log_in_body(name), headers=SERVER
    ) as answer:
        assert answer.status == 200
        return str(answer.headers["Set-Cookie"].split(";")[0])


async def test_a_teacher_chooses(mailing: Site) -> None:
    off = {"available": True, "digest": "off", "hour": 7, "quiet": None}
    assert await ask(mailing, "GET", "teacher") == (200, off)
    assert await ask(mailing, "PUT", "teacher", CHOICE) == (200, {"available": True, **CHOICE})
    assert await ask(mailing, "GET", "teacher") == (200, {"available": True, **CHOICE})
    assert await ask(mailing, "GET", "partner") == (200, off)
    status, said = await ask(mailing, "PUT", "teacher", {"digest": "daily", "hour": 0})
    assert (status, said["quiet"]) == (200, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"digest": "hourly", "hour": 7},
        {"digest": "daily", "hour": 24},
        {"digest": "daily", "hour": 7, "quiet": {"from": "20:00", "until": "20:00"}},
        {"digest": "daily", "hour": 7, "quiet": {"from": "20:00"}},
        {"digest": "daily", "hour": 7, "quiet": {"from": "24:00", "until": "07:00"}},
        {"digest": "daily", "hour": 7, "address": "somebody@else.example"},
    ],
)
async def test_what_is_no_choice(mailing: Site, wrong: dict[str, Any]) -> None:
    status, said = await ask(mailing, "PUT", "teacher", wrong)
    assert (status, said["error"]["code"]) == (422, "invalid")


async def test_pupils_are_never_mailed_to(mailing: Site) -> None:
    status, said = await ask(mailing, "GET", "student")
    assert (status, said["available"], said["digest"]) == (200, False, "off")
    status, said = await ask(mailing, "PUT", "student", CHOICE)
    assert (status, said["error"]["code"]) == (403, "not-allowed")


async def test_a_server_without_mail_says_so(site: Site) -> None:
    token = await site.log_in("teacher")
    assert (await site.call("GET", "/me/mail", token=token)).body["available"] is False
    answer = await site.call("PUT", "/me/mail", CHOICE, token=token)
    assert (answer.status, answer.code) == (409, "no-mail")


async def digest(site: Site) -> str:
    found = await site.house.node.services.digests.of(site.facts.people["teacher"])
    assert found is not None
    return str(found.digest)


async def test_one_click_in_a_mail_ends_it_without_a_log_in(mailing: Site) -> None:
    http, digests = mailing.house.http, mailing.house.node.services.digests
    await ask(mailing, "PUT", "teacher", CHOICE)
    token = digests.leave_token(mailing.facts.people["teacher"])
    url = f"{mailing.house.url}{LEAVE}"
    async with http.get(url + token, headers={"Accept-Language": "fr;q=0.9, pt-PT;q=0.8, en"}) as answer:
        page = await answer.text()
        assert answer.status == 200
        assert 'lang="pt"' in page
        assert '<form method="post">' in page
        assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert await digest(mailing) == "weekly"
    for wrong in ("made-up", "x" * 43, token[:-1], f"{token}x"):
        async with http.post(url + wrong) as answer:
            assert answer.status == 404
    assert await digest(mailing) == "weekly"
    for _ in range(2):
        # As RFC 8058 has it: no cookie, no Origin, a body that says what it is for.
        async with http.post(url + token, data={"List-Unsubscribe": "One-Click"}) as answer:
            assert answer.status == 200
            assert "Set-Cookie" not in answer.headers
            assert mailing.facts.people["teacher"] not in await answer.text()
        assert await digest(mailing) == "off"


async def test_old_mails_can_be_left_when_the_server_has_no_mail_any_more(site: Site) -> None:
    token = site.house.node.services.digests.leave_token(site.facts.people["teacher"])
    async with site.house.http.post(f"{site.house.url}{LEAVE}{token}") as answer:
        assert answer.status == 404
    async with site.house.http.get(f"{site.house.url}{LEAVE}look.css") as answer:
        assert (answer.status, answer.content_type) == (200, "text/css")
