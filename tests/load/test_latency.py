"""Two real nodes, and the peer beside them."""

import re
from collections.abc import AsyncIterator

import pytest
from click.testing import CliRunner

from load.__main__ import main
from load.backing import Valkey
from load.latency import Plan, Side, measure
from load.peers import Hocuspocus

TINY = Plan(readers=2, rates=(20.0,), rounds=1, seconds=0.5, patience=2.0)


@pytest.fixture
async def valkey() -> AsyncIterator[Valkey]:
    async with Valkey() as valkey:
        yield valkey


def side(first: Hocuspocus, second: Hocuspocus) -> Side:
    return Side("Hocuspocus", (first.url, second.url), lambda document, subject: None, "in memory")


def test_ours_and_the_peer_are_measured_in_one_run() -> None:
    options = ["--readers", "2", "--rate", "20", "--rounds", "1", "--seconds", "0.5"]
    done = CliRunner().invoke(main, ["latency", "--peer", "hocuspocus", *options])
    assert done.exit_code == 0, done.output
    for server in ("TwinSpace", "Hocuspocus"):
        figures = re.search(rf"^20 +{server} +(.*) yes$", done.output, re.MULTILINE)
        assert figures, done.output
        assert len(re.findall(r"[\d.]+ \[[\d.]+-[\d.]+\]", figures[1])) == 5
    assert "TwinSpace: an edit that is seen is committed to PostgreSQL" in done.output
    assert "stored nowhere" in done.output
    assert "cores" in done.output


async def test_every_edit_is_timed_at_every_reader(valkey: Valkey) -> None:
    async with Hocuspocus(valkey) as first, Hocuspocus(valkey) as second:
        done = await measure(side(first, second), TINY, 20.0, valkey)
    assert not done.faults
    assert done.edits == 30
    assert len(done.same_node) == len(done.other_node) == 2 * 10
    assert len(done.acknowledged) == 10
    assert min(done.same_node + done.other_node) > 0
    assert done.published >= 30


async def test_a_round_whose_nodes_do_not_agree_does_not_count(valkey: Valkey) -> None:
    async with Valkey() as another, Hocuspocus(valkey) as first, Hocuspocus(another) as second:
        done = await measure(side(first, second), TINY, 20.0)
    assert "reader 0 on the other node lacks 30 edits" in done.faults
    assert "a fresh client of node B differs from the writer" in done.faults
    assert not any("same node" in fault for fault in done.faults)
