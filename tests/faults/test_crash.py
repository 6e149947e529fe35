"""kill -9 of the real server while people type. The long form: python -m load crash."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from load.command import WorkloadError
from load.crash import COMPACTION, Kill, Outcome, Plan, crash
from load.servers import TwinSpace

SEED = int(os.environ.get("TWINSPACE_SEED", "7"))
"""TWINSPACE_SEED=N tries another plan; a failing one is printed with the failure."""


async def killed(plan: Plan) -> Outcome:
    print("seed", plan.seed)
    async with TwinSpace("--compaction-updates", COMPACTION) as server:
        return await crash(plan, server)


async def test_nothing_acknowledged_or_shown_is_lost() -> None:
    outcome = await killed(Plan(SEED, cycles=6, clients=8, documents=2))
    assert outcome.kept, outcome
    assert outcome.kills >= 7
    assert outcome.acknowledged > 100
    assert outcome.shown > 100


async def test_nothing_is_lost_when_it_dies_inside_a_commit() -> None:
    plan = Plan(SEED, cycles=3, clients=4, documents=1, kill=Kill.FSYNC)
    if shutil.which("strace") is None:
        with pytest.raises(WorkloadError, match="There is no strace here"):
            await killed(plan)
        return
    outcome = await killed(plan)
    assert outcome.kept, outcome
    assert outcome.kills_at_a_call >= 2


def test_without_strace_the_command_says_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "load", "crash", "--kill", "fsync"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PATH": ""},
    )
    assert done.returncode == 1
    assert "Error: There is no strace here, which --kill fsync needs. Install it" in done.stderr


class Forgetful(TwinSpace):
    """A server that had not really written what it acknowledged: it starts anew from its first end."""

    async def spawn(self) -> None:
        log, early = self.data / "log.sqlite3", self.folder / "early"
        if early.exists():
            shutil.copy(early, log)
            for leftover in self.data.glob("log.sqlite3-*"):
                leftover.unlink()
        elif log.exists():
            shutil.copy(log, early)
        await super().spawn()


async def test_a_server_that_forgets_is_found_out() -> None:
    async with Forgetful() as server:
        await server.stop()
        await server.start()
        outcome = await crash(Plan(SEED, cycles=20, clients=4, documents=1), server)
    assert not outcome.kept
    assert outcome.losses.acknowledged
    assert "First loss in cycle" in outcome.first_loss


async def test_a_server_that_does_not_come_back_is_reported() -> None:
    class Broken(TwinSpace):
        async def spawn(self) -> None:
            for file in self.data.glob("log.sqlite3*"):
                file.write_bytes(b"no database" * 1000)
            await super().spawn()

    async with Broken() as server:
        outcome = await crash(Plan(SEED, cycles=1, clients=2, documents=1), server)
    assert not outcome.kept
    assert "did not start" in outcome.broken


def test_the_command_prints_its_seed_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-m",
            "load",
            "crash",
            "--cycles",
            "1",
            "--clients",
            "2",
            "--seed",
            "5",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "seed 5\n"
    assert "acknowledged edits lost  0 of" in done.stdout
    assert list(tmp_path.iterdir()) == []


async def test_an_interrupted_run_ends_its_server(tmp_path: Path) -> None:
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "load", "crash", "--clients", "2",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    while not list(tmp_path.glob("*/data/log.sqlite3")):
        await asyncio.sleep(0.05)
    run.terminate()
    assert await run.wait() == 1
    assert list(tmp_path.iterdir()) == []
