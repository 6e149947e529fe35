"""Health, readiness and metrics of a real node."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from house import House, open_house

TOKEN = "a-metrics-token-of-enough-length"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "data") as opened:
        yield opened


async def test_a_new_node_is_alive_and_ready(house: House) -> None:
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        async with house.http.get(house.url + path) as answer:
            assert answer.status == 200
            assert (await answer.json())["status"] == status
            assert answer.headers["Cache-Control"] == "no-store"


async def test_a_draining_node_says_so_and_wants_no_more_work(house: House) -> None:
    house.node.health.draining = True
    async with house.http.get(house.url + "/readyz") as answer:
        assert answer.status == 503
        assert "draining" in (await answer.json())["reasons"]
    async with house.http.get(house.url + "/healthz") as answer:
        assert answer.status == 200


async def test_a_closed_log_is_a_reason_not_to_be_ready(house: House) -> None:
    await house.node.log.close()
    async with house.http.get(house.url + "/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["reasons"]["log"].startswith("closed: ")


async def test_another_check_can_be_added(house: House) -> None:
    house.node.health.add("bus", lambda: "Redis is gone.")
    async with house.http.get(house.url + "/readyz") as answer:
        assert (await answer.json())["reasons"] == {"bus": "Redis is gone."}


async def test_metrics_count_what_happened(house: House) -> None:
    name = "notes/metrics"
    update = bytes.fromhex("010100000401017402686900")
    async with house.http.patch(
        f"{house.url}/api/documents/{name}",
        data=update,
        headers=house.bearer(name) | {"Content-Type": "application/octet-stream"},
    ) as answer:
        assert answer.status == 200, await answer.text()
    async with house.http.get(house.url + "/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    values = dict(re.findall(r"^(twinspace_\w+) ([0-9.e+-]+)$", text, re.MULTILINE))
    assert float(values["twinspace_edits_total"]) == 1
    assert float(values["twinspace_documents_in_memory"]) == 1
    assert float(values["twinspace_connections"]) == 0
    assert float(values["twinspace_edit_to_durable_seconds_count"]) == 1
    assert float(values["twinspace_edit_to_fan_out_seconds_count"]) == 1
    assert float(values["twinspace_log_healthy"]) == 1
    assert "twinspace_loop_lag_seconds_bucket" in text
    assert "twinspace_readers_shed_total" in values
    assert name not in text


async def test_metrics_are_for_this_machine_only_and_not_for_what_a_proxy_brings(house: House) -> None:
    async with house.http.get(house.url + "/metrics", headers={"X-Forwarded-For": "127.0.0.1"}) as answer:
        assert answer.status == 403
        assert (await answer.json())["error"]["code"] == "forbidden"


async def test_with_a_token_set_nothing_else_opens_the_metrics(tmp_path: Path) -> None:
    async with open_house(tmp_path / "data", metrics_token=TOKEN) as house:
        for header, status in (
            (None, 403),
            ("Bearer wrong", 403),
            (f"Basic {TOKEN}", 403),
            ("Bearer ", 403),
            (f"Bearer {TOKEN}", 200),
        ):
            headers = {} if header is None else {"Authorization": header}
            async with house.http.get(house.url + "/metrics", headers=headers) as answer:
                assert answer.status == status, header
