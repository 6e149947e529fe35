"""The benchmark measures real servers: tiny rounds of every workload, whose figures are nobody's business."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from pycrdt import merge_updates

from crdt.update import read_update
from load.__main__ import main
from load.bench.command import bench
from load.bench.edits import Typing, texts_of
from load.bench.lines import Hub, Target
from load.bench.opening import Paper, content
from load.bench.plots import plot
from load.bench.report import Report
from load.bench.workloads import WORKLOADS
from load.wire import Framing

QUIET = {"W5": ["twinspace"]}
"""The peer of W5 stores documents by a part in C++ that would have to be compiled first."""


CASES = ["W1-1", "W2-paced", "W2-full", "W3", "W4", "W5-history", "W6-100", "W7-1000", "W10-rooms"]
"""The others differ in their numbers only."""


@pytest.mark.parametrize("chosen", CASES)
async def test_a_tiny_round_counts_on_ours_and_on_a_peer(chosen: str, tmp_path: Path) -> None:
    key = chosen.partition("-")[0]
    workload = replace(
        WORKLOADS[key], cases=tuple(case for case in WORKLOADS[key].cases if case.key == chosen)
    )
    assert workload.cases
    asked = QUIET.get(key, ["twinspace", "hocuspocus"])
    report = await bench([workload], rounds=1, quick=True, sides=asked)
    assert not report.absent
    for case in workload.cases:
        for side in set(asked) & set(case.sides):
            (result,) = report.results[case.key, side]
            assert not result.faults, (case.key, side)
            assert {column.key for column in case.columns} <= result.figures.keys()
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
            assert "| TwinSpace |" in rows[2]
            assert "does not count" not in "".join(rows)
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
    assert [result["server"] for result in said["results"]] == [side, side]
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
    first, again = paper.updates(), paper.updates()
    assert first == again
    paragraphs = content(first[1])
    assert len(paragraphs) == 30
    assert {len(paragraph) for paragraph in paragraphs} == {11 * 5}


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
