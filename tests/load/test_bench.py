"""The benchmark measures real servers: tiny rounds of every workload, whose figures are nobody's business."""

from __future__ import annotations

import json
import math
import socket
import xml.etree.ElementTree as ElementTree
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from pycrdt import merge_updates

from crdt.update import read_update
from load.__main__ import main
from load.bench.command import bench
from load.bench.edits import Joining, Tally, Typing, texts_of
from load.bench.goals import judged
from load.bench.lines import Hub, Target
from load.bench.opening import Paper, Recording, content
from load.bench.order import order, power
from load.bench.plan import Case, Column, Goal
from load.bench.plots import plot
from load.bench.report import Report
from load.bench.sides import SIDES
from load.bench.workloads import SMALL, WORKLOADS
from load.trace import TraceError
from load.wire import Framing

OWN = {"batch"}
"""Figures that nobody but TwinSpace tells of itself."""
QUIET = {"W5": ["twinspace"]}
"""The peer of W5 stores documents by a part in C++ that would have to be compiled first."""


CASES = [
    "W1-1", "W2-paced", "W2-full", "W3", "W4", "W5-history", "W6-100", "W7-1000", "W8", "W9-100", "W10-rooms",
    "W10-history",
]  # fmt: skip
"""The others differ in their numbers only."""


@pytest.mark.parametrize("chosen", CASES)
async def test_a_tiny_round_counts_on_ours_and_on_a_peer(chosen: str, tmp_path: Path) -> None:
    key = chosen.partition("-")[0]
    cases = tuple(case for case in WORKLOADS[key].cases if case.key == chosen)
    goals = tuple(goal for goal in WORKLOADS[key].goals if goal.case == chosen)
    workload = replace(WORKLOADS[key], cases=cases, goals=goals)
    assert cases
    asked = QUIET.get(key, ["twinspace", "hocuspocus", "twinspace-nodes", "hocuspocus-nodes"])
    report = await bench([workload], rounds=1, quick=True, sides=asked)
    assert not report.absent
    for case in workload.cases:
        for side in set(asked) & set(case.sides):
            (result,) = report.results[case.key, side]
            assert not result.faults, (case.key, side)
            lacking = {column.key for column in case.columns} - result.figures.keys()
            assert not lacking - (set() if SIDES[side].ours else OWN), (case.key, side)
    report.write(tmp_path)
    assert_well_formed(report, tmp_path)


def assert_well_formed(report: Report, folder: Path) -> None:
    table = (folder / "report.md").read_text()
    said = json.loads((folder / "report.json").read_text())
    assert said["quick"]
    assert said["facts"]["processor"]
    assert len(said["results"]) == len(report.results)
    for workload in report.workloads:
        assert f"## {workload.key}: {workload.title}" in table
        for case in workload.cases:
            head = table.partition(f"**{case.key}: {case.title}**")[2].lstrip().splitlines()
            rows = [line for line in head[: head.index("")] if line.startswith("|")]
            assert len({line.count("|") for line in rows}) == 1
            assert rows[2].startswith("| TwinSpace")
            assert "does not count" not in "".join(rows)
    goals = (folder / "table.md").read_text()
    assert len(said["goals"]) == sum(len(workload.goals) for workload in report.workloads)
    assert {goal["word"] for goal in said["goals"]} <= {"met", "not met", "not measured", ""}
    for goal in said["goals"]:
        assert f"| {goal['words']} |" in goals
    for drawn in folder.glob("*.svg"):
        ElementTree.parse(drawn)


@pytest.mark.parametrize("side", ["y-websocket", "twinspace-y", "floor"])
def test_the_command_measures_y_websockets_framing_too(side: str, tmp_path: Path) -> None:
    options = ["--workload", "W1", "--side", side, "--rounds", "1", "--quick"]
    done = CliRunner().invoke(main, ["bench", *options, "--output", str(tmp_path / "made")])
    assert done.exit_code == 0, done.output
    said = json.loads((tmp_path / "made" / "report.json").read_text())
    if side in said["absent"]:
        assert side == "floor"
        assert "no C compiler" in said["absent"][side]
        return
    assert {result["server"] for result in said["results"]} == {side}
    assert len(said["results"]) >= 2
    for result in said["results"]:
        assert result["rounds"][0]["faults"] == []
        assert result["medians"]["deliveries"] > 0


async def test_without_a_compiler_the_floor_is_loudly_absent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    report = await bench([WORKLOADS["W1"]], rounds=1, quick=True, sides=["floor"])
    assert not report.results
    assert not report.broken
    assert "no C compiler" in report.absent["floor"]
    assert "floor (C, epoll) IS NOT IN THIS RUN" in capsys.readouterr().err
    assert "not in this run: floor (C, epoll): no C compiler" in report.markdown()


async def test_a_run_without_twinspace_is_not_a_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINSPACE_COMMAND", "/bin/false")
    report = await bench([WORKLOADS["W1"]], rounds=1, quick=True, sides=["twinspace"])
    assert report.broken
    assert "not in this run: TwinSpace" in report.markdown()


def test_edits_made_beforehand_are_what_a_client_would_send() -> None:
    hub = Hub(Target(1, "", Framing.Y_WEBSOCKET), lambda document, subject: None)
    typing, updates = Typing("words"), []
    for clock in range(300):
        updates.append(typing.next(hub, 0.0))
        (write,) = read_update(updates[-1]).writes
        assert (write.client, write.start, write.end) == (typing.client, clock, clock + 1)
    assert typing.text == ("twinspace " * 30)
    whole = updates[0]
    for update in updates[1:]:
        whole = merge_updates(whole, update)
    assert texts_of(whole, ["words"]) == {"words": typing.text}
    hub.close()


def test_a_paper_is_the_same_each_time() -> None:
    paper = Paper(paragraphs=30, pieces=12, letters=5)
    first, again = paper.written(), paper.written()
    assert first == again
    assert first.pages == content(first.updates)
    assert len(first.pages) == 30
    assert {len(page) for page in first.pages} == {11 * 5}


def test_a_recording_is_replayed_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "typed.json"
    patches = [[0, 0, "w"], [1, 0, "orld"], [0, 0, "Hello, "], [7, 1, "W"], [12, 0, "!"]] * 50
    text = ""
    for position, deleted, inserted in patches:
        text = text[:position] + inserted + text[position + deleted :]
    recorded = {"startContent": "", "endContent": text, "txns": [{"patches": [each]} for each in patches]}
    file.write_text(json.dumps(recorded))
    written = Recording(file, SMALL).written()
    assert len(written.updates) == 1
    assert written.pages == content(written.updates) == [text]
    file = tmp_path / "other.json"
    file.write_text(json.dumps({**recorded, "endContent": "something else"}))
    with pytest.raises(TraceError, match="endContent"):
        Recording(file, SMALL).written()


async def test_without_the_recording_a_run_says_loudly_what_it_took(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    recording = Recording(tmp_path / "automerge-paper.json.gz", SMALL)
    assert recording.written() == SMALL.written()
    case = replace(WORKLOADS["W5"].cases[0], options={"paper": recording, "history": 0})
    workload = replace(WORKLOADS["W5"], cases=(case,), goals=WORKLOADS["W5"].goals[:1])
    report = await bench([workload], rounds=1, sides=["twinspace"], trace=recording.path)
    assert not report.broken
    assert "automerge-paper.json.gz IS NOT HERE" in capsys.readouterr().err
    for said in (report.table(), report.markdown()):
        assert "automerge-paper.json.gz IS NOT HERE" in said


LESS = Column("cost", "cost", 1)
MORE = Column("speed", "speed", 0, more_is_better=True)
CASE = Case("X", "x", None, {}, {}, ("twinspace", "hocuspocus", "floor"), (LESS, MORE))  # type: ignore[arg-type]
BASE = replace(CASE, key="B")


@pytest.mark.parametrize(
    ("goal", "far", "word"),
    [
        (Goal("X", "cost", "w", at_most=4), "4.0, at most 4", "met"),
        (Goal("X", "cost", "w", at_most=3.9), "4.0, at most 3.9", "not met"),
        (Goal("X", "speed", "w", at_least=1001), "1,000, at least 1,001", "not met"),
        (Goal("X", "cost", "w", times=3, than=("hocuspocus",)), "3.00 x, asked 3 x", "met"),
        (Goal("X", "cost", "w", times=3, than=("hocuspocus", "floor")), "0.25 x, asked 3 x", "not met"),
        (Goal("X", "speed", "w", times=2, than=("hocuspocus",)), "2.00 x, asked 2 x", "met"),
        (Goal("X", "speed", "w", times=2, than=("floor",)), "", "not measured"),
        (
            Goal("X", "speed", "w", times=2, than=("hocuspocus", "floor")),
            "2.00 x, asked 2 x, 1 without a figure",
            "met",
        ),
        (Goal("X", "cost", "w", at_most=2, over="B"), "2.00, at most 2", "met"),
        (Goal("X", "cost", "w", at_most=2, over="nothing"), "", "not measured"),
        (Goal("X", "cost", "w"), "4.0", ""),
    ],
)
def test_goals_are_judged_by_what_was_measured(goal: Goal, far: str, word: str) -> None:
    measured = {
        ("X", "twinspace", "cost"): 4.0,
        ("X", "hocuspocus", "cost"): 12.0,
        ("X", "floor", "cost"): 1.0,
        ("B", "twinspace", "cost"): 2.0,
        ("X", "twinspace", "speed"): 1000.0,
        ("X", "hocuspocus", "speed"): 500.0,
    }
    verdict = judged(goal, CASE, lambda case, side, figure: measured.get((case, side, figure), math.nan))
    assert (verdict.far, verdict.word) == (far, word)
    if goal.figure == "cost":
        assert verdict.shown == {"TwinSpace": "4.0", "Hocuspocus": "12.0", "floor": "1.0"}


def test_every_goal_asks_for_a_figure_that_is_there() -> None:
    for workload in WORKLOADS.values():
        cases = {case.key: case for case in workload.cases}
        assert workload.goals
        for goal in workload.goals:
            assert goal.figure in {column.key for column in cases[goal.case].columns}, goal
            assert {*goal.than} <= {*cases[goal.case].sides}
            assert not goal.over or goal.over in cases


@pytest.mark.parametrize(
    ("points", "wanted"),
    [
        ([(1.0, 3.0), (10.0, 3.0), (100.0, 3.0)], 0.0),
        ([(1.0, 2.0), (10.0, 20.0), (100.0, 200.0)], 1.0),
        ([(0.0, 1.0), (10.0, 100.0)], 2.0),
        ([(5.0, 1.0)], 0.0),
    ],
)
def test_the_order_of_growth_is_the_power_that_comes_closest(
    points: list[tuple[float, float]], wanted: float
) -> None:
    assert power(points) == pytest.approx(wanted)
    assert order("rooms", points).startswith(f"about rooms^{wanted:.2f} (")


def test_who_joins_late_has_what_was_written_and_misses_no_edit() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        closing(
            Hub(Target(listening.getsockname()[1], "", Framing.Y_WEBSOCKET), lambda document, subject: None)
        ) as hub,
    ):
        tally, typing = Tally(), Typing("words")
        tally.writers[typing.client] = typing
        updates = [typing.next(hub, 0.0) for _ in range(5)]
        reader = Joining(hub, "doc/late", "late", tally)
        reader.heard(((typing.client, 2, 4), (typing.client + 1, 7, 9)), 1.0)
        assert not reader.have
        reader.state, reader.synced = updates[0], True
        for update in updates[1:3]:
            reader.state = merge_updates(reader.state, update)
        reader.catch_up(1.0)
        assert reader.have == {typing.client: 4}
        assert tally.delivered == 1
        reader.heard(((typing.client, 4, 5),), 2.0)
        assert reader.have == {typing.client: 5}
        assert not hub.faults
        typing.next(hub, 0.0)
        reader.heard(((typing.client, 6, 7),), 3.0)
        assert hub.faults == ["edits 5 to 6 did not come in order"]


@pytest.mark.parametrize(
    "points",
    [[(1.0, 0.0)], [(1.0, 5.0), (10_000.0, 2e6)], [(0.0, 0.2), (3.0, 0.21)], [(10.0, 10.0), (20.0, 20.0)]],
)
def test_a_plot_shows_all_points_inside_its_frame(points: list[tuple[float, float]]) -> None:
    drawn = ElementTree.fromstring(plot("<title>", "x & y", "y", {"one": points, "two": points}))
    circles = [each for each in drawn.iter() if each.tag.endswith("circle")]
    assert len(circles) == 2 * len(points)
    for circle in circles:
        assert 80 <= float(circle.get("cx", "nan")) <= 700
        assert 50 <= float(circle.get("cy", "nan")) <= 380
