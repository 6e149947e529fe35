"""`python -m load faults`: what it prints, and that it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from load.backing.process import processes_in
from load.faults import clock
from load.faults.command import SCENARIOS
from load.faults.stage import Outcome


def test_a_launcher_sets_the_clock(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(
        "import sys, time\nif __name__ == '__main__': print(time.time(), time.time_ns(), sys.argv)"
    )
    said = subprocess.run(
        [*clock.launcher(-3600), program, "word"], capture_output=True, text=True, check=True, timeout=30
    ).stdout.split(maxsplit=2)
    assert abs(float(said[0]) + 3600 - time.time()) < 60
    assert abs(int(said[1]) / 1e9 + 3600 - time.time()) < 60
    assert said[2] == f"{[str(program), 'word']}\n"


def test_figures_fit_one_line() -> None:
    outcome = Outcome("name", 7, cycles=2, acknowledged=1234, shown=1000, during=9, equal=[0.5, 1.0])
    outcome.events["kills of nodes"] = 2
    assert str(outcome) == (
        "name: seed 7, 2 cycles, 0 s, lost 0 of 1,234 acknowledged and 0 of 1,000 shown, "
        "9 acknowledged during faults, equal after 0.50 s (most 1.00), 2 kills of nodes, kept"
    )


def load_faults(*options: str, **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "load", "faults", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more,
    )  # fmt: skip


def test_the_command_lists_what_there_is() -> None:
    said, _ = load_faults("--list").communicate(timeout=60)
    assert [line.split()[0] for line in said.splitlines()] == list(SCENARIOS)
    assert len(SCENARIOS) >= 20


def test_the_command_prints_its_seed_and_one_line(tmp_path: Path) -> None:
    process = load_faults(
        "--scenario", "redis-flushall", "--cycles", "1", "--nodes", "2", "--seed", "5",
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, said + errors
    assert errors == "seed 5\n"
    assert said.startswith("redis-flushall: seed 5, 1 cycles, ")
    assert said.splitlines()[0].endswith("kept")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_ended_run_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    process = load_faults("--scenario", "node-freeze", env={**os.environ, "TMPDIR": str(tmp_path)})
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("twinspace-load-*/output")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(how)
    process.communicate(timeout=60)
    assert process.returncode == (1 if how is signal.SIGTERM else -how)
    deadline = time.monotonic() + 60
    while left := [*processes_in(tmp_path), *tmp_path.rglob("*")]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
