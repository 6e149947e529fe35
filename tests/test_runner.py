"""What runs the tests (tools/tests): few failures are tried once more, and said; the rest end the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).resolve().parents[1] / "tools" / "tests"
STEADY = "def test_steady(): pass\n"
UNSTEADY = """
def test_unsteady_{0}():
    import pathlib
    seen = pathlib.Path("seen-{0}")
    if not seen.exists():
        seen.touch()
        assert False, "at first"
"""
BROKEN = "def test_broken_{0}(): assert False, 'always'\n"


def run(folder: Path, *tests: str) -> tuple[int, str]:
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "test_here.py").write_text("".join(tests))
    (folder / "test_elsewhere.py").write_text("raise RuntimeError('nobody asked for this file')\n")
    done = subprocess.run(
        ["sh", str(RUNNER), "-n", "2", "--dist", "loadfile", "test_here.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def test_what_passes_is_run_once(tmp_path: Path) -> None:
    status, said = run(tmp_path, STEADY)
    assert status == 0
    assert "once more" not in said


@pytest.mark.parametrize("failures", [1, 3])
def test_what_passes_alone_is_named_and_does_not_end_the_run(tmp_path: Path, failures: int) -> None:
    status, said = run(tmp_path, STEADY, *(UNSTEADY.format(number) for number in range(failures)))
    assert status == 0
    unsteady = said.split("UNSTEADY")[1]
    assert [f"test_unsteady_{number}" in unsteady for number in range(4)] == [
        number < failures for number in range(4)
    ]
    assert f"{failures} passed" in said


def test_what_fails_twice_ends_the_run(tmp_path: Path) -> None:
    status, said = run(tmp_path, STEADY, UNSTEADY.format(0), BROKEN.format(0))
    assert status == 1
    assert "once more" in said
    assert "UNSTEADY" not in said


def test_many_failures_end_the_run_at_once(tmp_path: Path) -> None:
    status, said = run(tmp_path, *(UNSTEADY.format(number) for number in range(4)))
    assert status == 1
    assert "once more" not in said


def test_what_cannot_even_be_collected_ends_the_run(tmp_path: Path) -> None:
    status, _ = run(tmp_path, "raise RuntimeError\n")
    assert status != 0
