"""kill -9 in the middle of commits and compactions: what was acknowledged is there afterwards."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typists import text_of

from crdt.log import HistoryEntry, LogSettings
from crdt.log.sqlite import SqliteLog
from crdt.log.sqlite.check import check

CHILD = Path(__file__).with_name("log_child.py")
CYCLES = int(os.environ.get("TWINSPACE_CRASH_CYCLES", "20"))


def start(
    folder: Path, *options: object, wrapper: tuple[str, ...] = (), **more: object
) -> subprocess.Popen[bytes]:
    root = CHILD.parents[2]
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'tests' / 'support'}"}
    command = [*wrapper, sys.executable, str(CHILD), str(folder), *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, **more)  # type: ignore[call-overload]


def run_and_kill(folder: Path, after: float, *options: object) -> list[list[str]]:
    """Starts the child, kills it `after` seconds past its first words, returns all it said."""
    with start(folder, *options) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        assert first == b"open\n"
        time.sleep(after)
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read().decode()
    return [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]


async def histories(folder: Path) -> dict[str, list[HistoryEntry]]:
    log = SqliteLog(folder, LogSettings(tail_updates=10**9, tail_bytes=2**60))
    await log.open()
    try:
        return {f"page/{i}": [each async for each in log.history(f"page/{i}")] for i in range(4)}
    finally:
        await log.close()


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """20 times: killed at a random moment, opened again; each acknowledged entry is where it was told."""
    seed = int(os.environ.get("TWINSPACE_SEED", random.randrange(2**32)))
    print("TWINSPACE_SEED", seed)
    generator = random.Random(seed)
    acknowledged = 0
    known: dict[tuple[str, int], str] = {}
    for cycle in range(CYCLES):
        said = run_and_kill(tmp_path, generator.uniform(0.0, 0.15), "--writers", generator.choice([1, 8, 64]))
        for word, *rest in said:
            assert word == "ack", (cycle, word, rest)
            document, seq, number = rest
            known[document, int(seq)] = number
            acknowledged += 1
        stored = asyncio.run(histories(tmp_path))
        for (document, seq), number in known.items():
            entry = stored[document][seq - 1]
            assert (entry.seq, entry.update[:10]) == (seq, b"%010d" % int(number)), (cycle, document)
        for entries in stored.values():
            assert [each.seq for each in entries] == list(range(1, len(entries) + 1))
    assert acknowledged > CYCLES
    print(f"{acknowledged} acknowledged, none lost")


def test_kill_9_between_the_steps_of_compaction(tmp_path: Path) -> None:
    """Documents compacted all the time: each restart shows every acknowledged word, and a sound store."""
    seed = int(os.environ.get("TWINSPACE_SEED", random.randrange(2**32)))
    print("TWINSPACE_SEED", seed)
    generator = random.Random(seed)
    compactions = 0
    expected: dict[str, set[str]] = {f"page/{i}": set() for i in range(4)}
    for cycle in range(max(CYCLES // 3, 6)):
        said = run_and_kill(tmp_path, generator.uniform(0.5, 0.9), "--compact", "--pause", 0.003)
        for word, *rest in said:
            if word == "ack":
                expected[rest[0]].add(rest[2])
            compactions += word == "compacted"
        assert check(tmp_path).findings == [], cycle
        for document, text in asyncio.run(texts(tmp_path)).items():
            for number in expected[document]:
                assert f".{number}." in f".{text}" or f"{number}." in text, (cycle, document)
    assert compactions > 0
    assert any(expected.values())


async def texts(folder: Path) -> dict[str, str]:
    log = SqliteLog(folder)
    await log.open()
    try:
        return {f"page/{i}": text_of(await log.load(f"page/{i}")) for i in range(4)}
    finally:
        await log.close()


@pytest.mark.parametrize("step", ["merged", "swapping", "swapped"])
def test_a_crash_at_each_step_of_a_compaction_changes_nothing(tmp_path: Path, step: str) -> None:
    """The process ends itself at a chosen step, without any clean-up."""
    script = f"""
import asyncio, os, sys
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from typists import Typist
from crdt import jobs
from crdt.log.sqlite import SqliteLog, transactions

def die(*_): os._exit(9)
real_compact, real_swap = jobs.compact, transactions.replace_tail
def merged(*a): result = real_compact(*a); die()
def swapping(*a, **k): real_swap(*a, **k); die()

async def main():
    log = SqliteLog(Path(sys.argv[1]), executor=lambda: ThreadPoolExecutor(1))
    await log.open()
    ana = Typist(7)
    for entry in ana.entries("page/river", "Minho"):
        await log.append(entry)
    if {step!r} == "merged": jobs.compact = merged
    if {step!r} == "swapping": transactions.replace_tail = swapping
    await log.compact("page/river")
    die()
asyncio.run(main())
"""
    root = CHILD.parents[2]
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'tests' / 'support'}"}
    ended = subprocess.run([sys.executable, "-c", script, tmp_path], env=environment, timeout=60, check=False)
    assert ended.returncode == 9

    async def look() -> None:
        log = SqliteLog(tmp_path)
        await log.open()
        stored = await log.load("page/river")
        assert text_of(stored) == "Minho"
        assert (stored.snapshot is not None) == (step == "swapped")
        assert len(stored.tail) == (0 if step == "swapped" else 5)
        assert len([each async for each in log.history("page/river")]) == 5
        await log.compact("page/river")
        assert text_of(await log.load("page/river")) == "Minho"
        await log.close()

    asyncio.run(look())
    assert check(tmp_path).findings == []
