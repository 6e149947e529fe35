"""A short run of the browser's workload, in a real Chromium: it measures what it says and ends by itself."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from load.browser import chromium
from load.browser.command import Plan, browser
from load.browser.opening import BUSY, MARKS
from load.browser.writing import Frames
from load.command import WorkloadError


async def test_a_phone_opens_a_page_and_writes_among_carets(tmp_path: Path) -> None:
    assert any(map(shutil.which, chromium.PROGRAMS)), "There is no Chromium here: run tools/programs."
    report = await browser(Plan(navigations=2, cursors=5, seconds=2.0, slower=2.0))
    openings = report.openings
    for what in MARKS | BUSY:
        values = openings.values(what)
        assert len(values) == 2, what
        assert all(math.isfinite(value) and value > 0 for value in values), what
    for marks in openings.marks:
        assert marks["page"] < min(marks["me"], marks["space"], marks["editor"])
        assert max(marks["me"], marks["space"], marks["editor"]) < marks["opened"] <= marks["editable"]
        assert marks["socket_asked"] < marks["socket_open"] < marks["synced"]
    assert openings.slower > 0
    assert [each.slower for each in report.written] == [1.0, 2.0]
    for each in report.written:
        assert each.typed.typed == 16
        assert len(each.typed.strokes) == 16
        assert each.typed.busy > 0
        assert len(each.typed.at) > 10
        assert len(each.alone.at) > 10
    report.write(tmp_path)
    table = (tmp_path / "browser.md").read_text()
    said = json.loads((tmp_path / "browser.json").read_text())
    assert len(said["goals"]) == 3
    for goal in said["goals"]:
        assert f"| {goal['asked']} | {goal['measured']} |" in table


async def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkloadError, match="NO BROWSER"):
        await browser(Plan())


def test_the_worst_second_is_found_wherever_it_lies() -> None:
    smooth = [20.0 * number for number in range(200)]
    assert Frames(smooth, [], []).worst == 50
    stalled = [at for at in smooth if not 1510 < at < 1700]
    assert Frames(stalled, [], []).worst == 41
    assert Frames(stalled, [], []).as_json()["longest_frame_ms"] == 200.0
