"""100,000 hostile updates: nothing accepted may crash the process, raise an untyped error, stall it, or be
unopenable by Yjs. TWINSPACE_SEED and TWINSPACE_MUTANTS replay and lengthen a run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from mutants import bases
from yjs_peer import YjsPeer, encode

SEED = int(os.environ.get("TWINSPACE_SEED", "20261123"))
COUNT = int(os.environ.get("TWINSPACE_MUTANTS", "100000"))
CHUNK = 5_000
STALL_MILLISECONDS = 50

Mutant = tuple[int, int, str, str]


def verdicts(first: int, count: int) -> Iterator[Mutant]:
    """(index, base, verdict, base64) of each mutant; one that ends its process is a FAULT like any other."""
    while count:
        process = subprocess.run(
            [sys.executable, Path(__file__).with_name("mutants.py"), str(SEED), str(first), str(count)],
            capture_output=True,
            text=True,
            timeout=600,
        )
        last = first - 1
        for line in process.stdout.splitlines():
            fields = line.split("\t")
            last = int(fields[0])
            if len(fields) == 4:
                yield last, int(fields[1]), fields[2], fields[3]
            else:
                yield last, int(fields[1]), f"FAULT: the process died: {process.returncode}", ""
        assert last >= first, process.stderr
        count -= last + 1 - first
        first = last + 1


def test_mutants_are_refused_or_harmless() -> None:
    print(f"seed {SEED}, {COUNT} mutants")
    faults: list[str] = []
    verdict_count: Counter[str] = Counter()
    accepted: dict[int, list[Mutant]] = defaultdict(list)
    for start in range(0, COUNT, CHUNK):
        for mutant in verdicts(start, min(CHUNK, COUNT - start)):
            index, base, verdict, update = mutant
            verdict_count[verdict.split(":")[0]] += 1
            if "FAULT" in verdict or "poisoned=True" in verdict:
                faults.append(f"mutant {index} on base {base}: {verdict}: {update}")
            elif verdict in ("applied", "pending"):
                accepted[base].append(mutant)
    assert not faults, f"seed {SEED}: {len(faults)} faults\n" + "\n".join(faults[:10])
    assert sum(verdict_count.values()) == COUNT
    assert verdict_count["applied"] > COUNT / 20, verdict_count
    assert verdict_count["pending"] > COUNT / 20, verdict_count

    with YjsPeer() as yjs:
        for number, mutants in accepted.items():
            answers = yjs(
                "judge", base=[encode(bases()[number].state)], batch=[update for *_, update in mutants]
            )
            for (index, base, verdict, update), answer in zip(mutants, answers, strict=True):
                if "error" in answer:
                    faults.append(f"mutant {index} on base {base}, {verdict}: {answer['error']}: {update}")
                elif verdict == "applied" and answer["pending"]:
                    faults.append(f"mutant {index} on base {base} waits in Yjs, but not here: {update}")
    assert not faults, f"seed {SEED}: {len(faults)} faults\n" + "\n".join(faults[:10])


def test_a_mutant_that_kills_its_process_is_seen() -> None:
    """The watchman is awake: an engine that overflows its stack really ends a process."""
    script = (
        "import pycrdt, sys; sys.setrecursionlimit(10**9); pycrdt.Doc().apply_update(sys.stdin.buffer.read())"
    )
    depth = 40_000
    update = b"\x01\x01\x01\x00\x08\x01\x01t\x01" + b"\x75\x01" * depth + b"\x7f\x00"
    process = subprocess.run([sys.executable, "-c", script], input=update, capture_output=True, timeout=60)
    assert process.returncode < 0
