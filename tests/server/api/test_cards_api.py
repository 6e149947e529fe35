"""Code cards over REST: made in a batch, printed once, reset with one click."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from village_site import Answer, Site


async def make(site: Site, token: str, **body: Any) -> Answer:
    path = f"/schools/{site.facts.schools['ebro']}/pupils"
    return await site.call("POST", path, {"space_id": site.facts.spaces["rivers"]} | body, token=token)


async def test_a_batch_of_cards_is_ready_to_print_and_logs_in(site: Site) -> None:
    token = await site.log_in("teacher")
    made = await make(site, token, pupils=[{"name": "Río"}, {}], language="es")
    assert made.status == 201
    cards = made.body["cards"]
    assert cards[0]["name"] == "Río"
    for card in cards:
        assert set(card) == {"person_id", "name", "code", "login_url", "qr_svg"}
        assert card["login_url"] == f"{site.house.url}/card#{card['code']}"
        assert ElementTree.fromstring(card["qr_svg"]).tag.endswith("svg")
        assert "script" not in card["qr_svg"]
        entered = await site.call("POST", "/session", {"method": "code", "code": card["code"]})
        assert entered.body["person"]["name"] == card["name"]
        assert entered.body["person"]["language"] == "es"


async def test_a_list_of_pupils_holds_no_secret(site: Site) -> None:
    token = await site.log_in("teacher")
    code = (await make(site, token, count=1)).body["cards"][0]["code"]
    answer = await site.call("GET", f"/schools/{site.facts.schools['ebro']}/pupils", token=token)
    secret = code.split("-", 2)[2]
    assert secret.encode() not in answer.raw
    [pupil] = [pupil for pupil in answer.body if code.startswith(pupil["selector"])]
    assert pupil["state"] == "created"
    assert pupil["spaces"] == [{"id": site.facts.spaces["rivers"], "title": "Two rivers"}]


async def test_a_new_card_ends_the_old_one_and_its_log_in(site: Site) -> None:
    teacher, pupil = await site.log_in("teacher"), await site.log_in("student")
    reset = await site.call("POST", f"/people/{site.facts.people['student']}/code", {}, token=teacher)
    assert reset.status == 200
    card = reset.body["card"]
    assert (await site.call("GET", "/me", token=pupil)).status == 401
    assert (await site.call("POST", "/session", site.log_in_body("student"))).code == "wrong-credentials"
    assert (await site.call("POST", "/session", {"method": "code", "code": card["code"]})).status == 200


async def test_a_pupil_is_disabled_and_let_in_again(site: Site) -> None:
    teacher, pupil = await site.log_in("teacher"), await site.log_in("student")
    path = f"/people/{site.facts.people['student']}"
    assert (await site.call("PATCH", path, {"disabled": True}, token=teacher)).status == 204
    assert (await site.call("GET", "/me", token=pupil)).status == 401
    assert (await site.call("POST", "/session", site.log_in_body("student"))).code == "wrong-credentials"
    assert (await site.call("PATCH", path, {"disabled": False}, token=teacher)).status == 204
    await site.log_in("student")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"count": 0},
        {"count": 61},
        {"count": 1, "pupils": [{}]},
        {"pupils": []},
        {"pupils": [{}] * 61},
        {"pupils": [{"name": ""}]},
        {"pupils": [{"name": "x" * 61}]},
        {"pupils": [{"name": "two\nlines"}]},
        {"pupils": [{"name": "anA \u202e"}]},
        {"pupils": [{"email": "a@b"}]},
        {"count": 1, "language": "x" * 99},
        {"count": "1; DROP TABLE people"},
    ],
)
async def test_what_is_no_batch_is_refused(site: Site, body: dict[str, Any]) -> None:
    assert (await make(site, await site.log_in("teacher"), **body)).status == 422
