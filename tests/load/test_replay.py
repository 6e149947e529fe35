"""Recorded sessions through real clients: this server, a stock server, and one that does not echo."""

import asyncio
import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from conftest import MakeToken
from made_sessions import make_session

from load.replay import Plan, Stalled, replay
from load.trace import Trace, parse_trace
from load.wire import Framing
from load.writer import Pace


@pytest.fixture(scope="module")
def trace() -> Trace:
    return parse_trace(make_session(random.Random(3), writers=3, transactions=300), "made")


@pytest.mark.parametrize("framings", [(Framing.Y_WEBSOCKET,), (Framing.HOCUSPOCUS,), tuple(Framing)], ids=str)
async def test_a_concurrent_session_ends_as_recorded(
    url: str, document: str, token: MakeToken, trace: Trace, framings: tuple[Framing, ...]
) -> None:
    outcome = await replay(trace, Plan(url, document, partial(token, document), framings))
    assert outcome.complete
    assert len(outcome.equal) == 5  # three writers, a reader and a fresh client
    assert outcome.acknowledged == outcome.edits == len(outcome.to_acknowledged)
    assert outcome.messages < outcome.edits  # what is typed between two messages travels in one
    assert len(outcome.to_other) == 3 * outcome.edits


async def test_every_edit_may_travel_alone(url: str, document: str, token: MakeToken, trace: Trace) -> None:
    plan = Plan(url, document, partial(token, document), pace=Pace(interval=0, window=4, batch=1))
    outcome = await replay(trace, plan)
    assert outcome.complete
    assert outcome.messages == outcome.edits


async def test_a_recording_that_ends_otherwise_is_noticed(
    url: str, document: str, token: MakeToken, trace: Trace
) -> None:
    wrong = replace(trace, end_content=trace.end_content + "?")
    outcome = await replay(wrong, Plan(url, document, partial(token, document)))
    assert not outcome.complete
    assert not any(outcome.equal.values())


async def test_the_recorded_times_are_kept(url: str, document: str, token: MakeToken) -> None:
    txns = [
        {"time": f"2026-01-01T00:00:{second:02}Z", "patches": [[0, 0, "a"]]} for second in (0, 10, 20, 30)
    ]
    trace = parse_trace({"endContent": "aaaa", "txns": txns}, "slow")
    outcome = await replay(trace, Plan(url, document, partial(token, document), speed=100))
    assert outcome.complete
    assert outcome.seconds >= 0.3


async def test_a_document_with_content_is_left_alone(
    url: str, document: str, token: MakeToken, trace: Trace
) -> None:
    plan = Plan(url, document, partial(token, document))
    assert (await replay(trace, plan)).complete
    with pytest.raises(Stalled, match="not empty"):
        await replay(trace, plan)


@contextmanager
def stock_server(mode: str) -> Iterator[str]:
    """A stock y-websocket server, or one that behaves worse: see stock_server.py."""
    script = Path(__file__).with_name("stock_server.py")
    process = subprocess.Popen([sys.executable, str(script), mode], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"ws://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


async def test_it_works_on_a_stock_y_websocket_server(trace: Trace) -> None:
    with stock_server("echo") as url:
        outcome = await replay(trace, Plan(url, "stock"))
    assert outcome.complete
    assert outcome.echoes


async def test_where_nothing_is_echoed_a_second_client_is_the_witness(trace: Trace) -> None:
    with stock_server("no-echo") as url:
        outcome = await replay(trace, Plan(url, "silent"))
    assert outcome.complete
    assert not outcome.echoes


async def test_a_server_that_swallows_edits_is_not_waited_for_for_ever(trace: Trace) -> None:
    swallowed = pytest.raises(Stalled, match=r"writer 0 .* has 1 messages that are not acknowledged")
    with stock_server("swallow") as url, swallowed:
        await replay(trace, Plan(url, "swallowed", patience=1))


class TestCommand:
    """`python -m load replay`, as people run it."""

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "load", "replay", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
        )

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "made.json.gz"
        session = make_session(random.Random(4), writers=2, transactions=60)
        path.write_bytes(gzip.compress(json.dumps(session).encode()))
        return path

    def test_it_starts_a_server_and_leaves_nothing_behind(self, path: Path) -> None:
        temporary = path.parent / "tmp"
        temporary.mkdir()
        os.environ["TMPDIR"] = str(temporary)
        try:
            done = self.run("--trace", str(path))
        finally:
            del os.environ["TMPDIR"]
        assert done.returncode == 0, done.stderr
        assert "equal to endContent   yes" in done.stdout
        assert "p95" in done.stdout
        assert done.stderr == ""
        assert list(temporary.iterdir()) == []

    def test_it_fails_when_the_end_is_another(self, path: Path, url: str, token: MakeToken) -> None:
        session = json.loads(gzip.decompress(path.read_bytes()))
        session["endContent"] += "?"
        path.write_bytes(gzip.compress(json.dumps(session).encode()))
        done = self.run(
            "--trace",
            str(path),
            "--url",
            url,
            "--document",
            "doc/otherwise",
            "--token",
            token("doc/otherwise"),
        )
        assert done.returncode == 1
        assert "NO: writer 0" in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--trace", "missing.json.gz"], "The trace missing.json.gz cannot be read"),
            (["--url", "ws://192.0.2.1/collab"], "192.0.2.1 is not this machine"),
            (["--url", "ws://127.0.0.1:1/collab"], "Nothing listens on ws://127.0.0.1:1/collab"),
        ],
    )
    def test_what_cannot_be_is_said_in_one_line(self, path: Path, arguments: list[str], message: str) -> None:
        done = self.run("--trace", str(path), *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith(f"Error: {message}")
        assert done.stderr.count("\n") == 1


async def test_an_interrupted_replay_leaves_no_task(
    url: str, document: str, token: MakeToken, trace: Trace
) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await replay(trace, Plan(url, document, partial(token, document), speed=0.1))
    assert asyncio.all_tasks() == before
