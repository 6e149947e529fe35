"""The workloads of the benchmark, by their numbers: what each stands for, and what is asked of whom."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from load.backing.process import Process

from .nodes import Nodes
from .opening import Paper, Recording
from .order import order
from .plan import Case, Column, Goal, Result, Runner, Stage, Workload

__all__ = ["RECORDING", "WORKLOADS"]

EVERYBODY = ("twinspace", "hocuspocus", "y-websocket", "pycrdt-websocket", "floor")
BOTH_FRAMINGS = ("twinspace", "twinspace-y", *EVERYBODY[1:])
SERVERS = EVERYBODY[:-1]
IN_NODE = ("twinspace", "hocuspocus", "y-websocket")

DELIVERIES = Column("deliveries", "deliveries/s", 0, more_is_better=True)
COST = Column("cpu_us", "CPU per delivery, us", 1, ratio=True)
SERVER = Column("server", "server, % of a core", 0)
SHARE = Column("delivered_share", "delivered, %", 0, more_is_better=True)
P50, P95, P99 = (Column(f"p{share}", f"p{share}, ms", 1) for share in (50, 95, 99))
SAVED50, SAVED99 = (Column(f"saved_p{share}", f"acknowledged p{share}, ms", 1) for share in (50, 99))

# 4 MB: 3,000 paragraphs of 960 letters, each in 12 pieces
BOOK = Paper(paragraphs=3_000, pieces=12, letters=80)
# 5 MB
BIG = Paper(paragraphs=3_700, pieces=12, letters=80)
# what automerge-paper comes to: 100,000 letters in 13,000 pieces
PAPER = Paper(paragraphs=220, pieces=60, letters=9)
SHARED = Path(__file__).resolve().parents[3] / "shared"
RECORDING = Recording(SHARED / "traces" / "automerge-paper.json.gz", PAPER)
SMALL = Paper(paragraphs=20, pieces=10, letters=8)


def _one(work: str) -> Runner:
    """One work of the generator's."""

    async def run(stage: Stage, options: Mapping[str, Any]) -> Result:
        return await stage.job(work, **options)

    return run


MINUTES = 600.0
"""Of patience with what grows."""
WORDS = {
    "cpu_us": "the cost of a delivery",
    "commit_us": "the cost of a commit",
    "open_us": "the cost of an opening",
}
FLAT = 1.3
"""A figure whose largest is at most so many times its smallest does not grow."""


def _several(key: str, work: str, *figures: str) -> Runner:
    """The same work for each of several values of an option: the last one's figures, a curve of the first.

    What is not flat is named with its order of growth.
    """

    async def run(stage: Stage, options: Mapping[str, Any]) -> Result:
        result = Result()
        curves: dict[str, list[tuple[float, float]]] = {figure: [] for figure in figures}
        for value in options[key]:
            done = await stage.job(work, patience=MINUTES, **{**options, key: value})
            result.faults += [f"{key} {value}: {fault}" for fault in done.faults]
            result.notes += [f"{key} {value}: {note}" for note in done.notes]
            result.figures |= done.figures
            for figure in figures:
                if figure in done.figures:
                    curves[figure].append((float(value), done.figures[figure]))
        result.curve = curves[figures[0]]
        for figure, points in curves.items():
            costs = [cost for _, cost in points]
            if costs:
                growth = max(cost / max(min(costs[: number + 1]), 1e-9) for number, cost in enumerate(costs))
                result.figures[f"growth_{figure}"] = growth
                if growth > FLAT and figure in WORDS:
                    result.notes.append(f"{WORDS[figure]} is not flat: {order(key, points)}")
        return result

    return run


async def _class_opens(stage: Stage, options: Mapping[str, Any]) -> Result:
    return await stage.job("opening", document=f"doc/bench-{secrets.token_hex(8)}", **options)


async def _cold(stage: Stage, options: Mapping[str, Any]) -> Result:
    """Writes a document, ends the server, starts it again, and opens the document."""
    paper = await asyncio.to_thread(options["paper"].written)
    wanted = {"document": f"doc/bench-{secrets.token_hex(8)}", "paper": paper}
    written = await stage.job("opening", history=options["history"], **wanted)
    if written.faults:
        return written
    assert isinstance(stage.server, Process)
    await stage.server.restart()
    return await stage.job("opening", write=False, clients=1, **wanted)


async def _day(stage: Stage, options: Mapping[str, Any]) -> Result:
    return await stage.job("day", patience=options["seconds"] + options["warm_up"], **options)


async def _nodes(stage: Stage, options: Mapping[str, Any]) -> Result:
    nodes = stage.server
    assert isinstance(nodes, Nodes)
    return await stage.job(
        "nodes",
        nodes=nodes.side.nodes,
        folders=nodes.side.folders,
        beside=nodes.side.beside,
        valkey=nodes.valkey.port,
        ours=nodes.secret is not None,
        **options,
    )


W1 = Workload(
    "W1",
    "Fan-out",
    "One writer, fifty readers of one document: what a server pays for each edit that reaches somebody. With "
    "64 edits in flight a server may take many at once and merge them; with one there is nothing to merge. "
    "An edit types one letter. It is in flight until its readers have it; it is counted at each reader, in "
    "whatever message it came. After issue 5, W1.",
    (
        *(
            Case(
                key,
                title,
                _one("writing"),
                {"rooms": 1, "readers": 50, "windows": (window,), "seconds": 2.0, "warm_up": 0.5},
                {"readers": 5, "seconds": 0.3, "warm_up": 0.1},
                BOTH_FRAMINGS,
                (DELIVERIES, COST, SERVER, P50, P99),
            )
            for key, title, window in (
                ("W1-64", "64 edits in flight", 64),
                ("W1-1", "one edit in flight", 1),
            )
        ),
        Case(
            "W1-readers",
            "10 to 500 readers, 16 edits in flight (the figures are those of 500)",
            _several("readers", "writing", "deliveries"),
            {"readers": (10, 100, 500), "rooms": 1, "windows": (16,), "seconds": 0.6, "warm_up": 0.2},
            {"readers": (2, 4), "seconds": 0.3, "warm_up": 0.1},
            EVERYBODY,
            (DELIVERIES, COST, P99),
            ("readers", "deliveries a second"),
            rounds=1,
        ),
    ),
    (
        Goal(
            "W1-64",
            "cpu_us",
            "CPU per delivery, 64 edits in flight, us: 1/3 of Hocuspocus'",
            times=3,
            than=("hocuspocus",),
        ),
        Goal(
            "W1-64",
            "cpu_us",
            "the same: 1/10 of every other peer's",
            times=10,
            than=("y-websocket", "pycrdt-websocket"),
        ),
        Goal(
            "W1-1",
            "cpu_us",
            "CPU per delivery, one edit in flight, us: 3/4 of the floor",
            times=0.75,
            than=("floor",),
        ),
    ),
)

W2 = Workload(
    "W2",
    "Classrooms",
    "200 rooms of five: one writes, four read. Paced: 2,000 edits a second in all, timed from when each was "
    "due. At saturation: 10 to 3,200 edits in flight, one load after the other; the most deliveries a second "
    "at which 99 of 100 edits arrive within 100 ms. *Acknowledged* is what the server says of an edit to its "
    "writer (its status, or its echo); only TwinSpace's means that it is on the disk. After issue 5, W2.",
    (
        Case(
            "W2-paced",
            "2,000 edits a second",
            _one("writing"),
            {"rooms": 200, "readers": 4, "rate": 2000.0, "seconds": 4.0, "warm_up": 1.0},
            {"rooms": 5, "rate": 50.0, "seconds": 0.3, "warm_up": 0.1},
            SERVERS,
            (P50, P99, SAVED50, SAVED99, SHARE, SERVER, COST),
            ("edits that have arrived, %", "milliseconds"),
        ),
        Case(
            "W2-full",
            "saturation, p99 < 100 ms",
            _one("writing"),
            {
                "rooms": 200,
                "readers": 4,
                "windows": (10, 50, 200, 800, 3200),
                "seconds": 1.0,
                "warm_up": 0.3,
            },
            {"rooms": 5, "windows": (5,), "seconds": 0.3, "warm_up": 0.1},
            EVERYBODY,
            (
                Column("deliveries", "deliveries/s", 0, ratio=True, more_is_better=True),
                Column("window", "edits in flight", 0),
                P50,
                P99,
                SERVER,
                COST,
            ),
            ("edits in flight", "deliveries a second"),
        ),
    ),
    (
        Goal(
            "W2-full",
            "deliveries",
            "deliveries/s, p99 < 100 ms: 3 x @y/websocket-server's",
            times=3,
            than=("y-websocket",),
        ),
        Goal("W2-full", "deliveries", "the same: 7 x Hocuspocus'", times=7, than=("hocuspocus",)),
        Goal("W2-paced", "p50", "edit to reader at 2,000 edits/s, p50, ms", at_most=5),
        Goal("W2-paced", "p99", "the same, p99, ms", at_most=50),
        Goal("W2-paced", "saved_p99", "edit to disk at 2,000 edits/s, p99, ms", at_most=50),
    ),
)

W3 = Workload(
    "W3",
    "A quiet country",
    "People who each have one of many documents open and do nothing but be there: keep-alives are answered, "
    "presence is said again every 15 s. Connecting, authenticating and syncing is timed; memory is what the "
    "server's processes grow by. At last somebody writes in twenty of the documents. After issue 5, W3 "
    "(57,000 connections to 35,000 documents), in the same proportion and in a size that takes seconds; with "
    "--long in that size, or as far as a process may have files open.",
    (
        Case(
            "W3",
            "5,000 connections to 3,000 documents",
            _one("idle"),
            {"connections": 5_000, "documents": 3_000, "seconds": 5.0},
            {"connections": 60, "documents": 35, "seconds": 0.3},
            SERVERS,
            (
                Column("connections", "connections", 0),
                Column("kilobytes", "kB a connection", 1, ratio=True),
                Column("opened", "opened/s", 0, ratio=True, more_is_better=True),
                Column("opening_us", "CPU per opening, us", 0),
                Column("first_ms", "first tenth, ms", 1),
                Column("last_ms", "last tenth, ms", 1),
                Column("slower", "last / first", 2),
                Column("server", "then idle, % of a core", 1),
            ),
            ("connections", "megabytes"),
            {"connections": 57_000, "documents": 35_000, "seconds": 30.0},
            rounds=1,
        ),
    ),
    (
        Goal("W3", "kilobytes", "kB a connection, document included", at_most=16),
        Goal("W3", "server", "alive and quiet: % of a core", at_most=10),
        Goal("W3", "opened", "connect, authenticate, sync: per second", at_least=2000),
        Goal("W3", "slower", "the last as fast as the first: their times, over each other", at_most=FLAT),
    ),
)

W4 = Workload(
    "W4",
    "The whole class at nine o'clock",
    "150 clients open one document of 4 MB at the same moment, which the server has in memory. Times run "
    "from the moment the first knocks, until a client has all of it; *stall* is how long a ping of another "
    "client waits meanwhile, at worst. After issue 5, W4; the mark to beat there is yhub's 28.7 s of server "
    "CPU.",
    (
        Case(
            "W4",
            "150 clients, 4 MB",
            _class_opens,
            {"paper": BOOK, "clients": 150},
            {"paper": SMALL, "clients": 5},
            IN_NODE,
            (
                Column("cpu_s", "server CPU, s", 2, ratio=True),
                P50,
                P95,
                Column("stall", "stall, ms", 0),
                Column("memory", "server's memory then, MB", 0),
                Column("megabytes", "the document, MB", 1),
            ),
            rounds=1,
        ),
    ),
    (
        Goal("W4", "cpu_s", "server CPU for all 150, s", at_most=2),
        Goal("W4", "p95", "p95, ms: bounded by the bytes"),
        Goal("W4", "stall", "the loop's longest stall, ms", at_most=50),
    ),
)

W5 = Workload(
    "W5",
    "Cold open",
    "automerge-paper, a recorded session of 260,000 edits by one writer (20,000 to an update), is opened by "
    "one client after the server was ended and started again. Then the same with 10,000 edits behind it that "
    "have not been compacted (TwinSpace's own compaction is put off for it). Where the recording is not at "
    "hand, a made-up document of 100,000 letters in 13,000 pieces takes its place, and the report says so. "
    "Only servers that store documents. After issue 5, W5.",
    tuple(
        Case(
            key,
            title,
            _cold,
            {"paper": RECORDING, "history": history},
            {"paper": SMALL, "history": min(history, 100)},
            sides,
            (
                Column("first_byte", "first byte, ms", 1, ratio=True),
                Column("whole", "all of it, ms", 1),
                Column("cpu_s", "server CPU, s", 2),
            ),
            serve=("--compaction-updates", "100000", "--compaction-bytes", "100000000"),
            rounds=2,
        )
        for key, title, history, sides in (
            ("W5-paper", "as it was written", 0, ("twinspace", "hocuspocus-sqlite")),
            ("W5-history", "after 10,000 more edits", 10_000, ("twinspace", "hocuspocus-sqlite")),
        )
    ),
    (
        Goal("W5-paper", "first_byte", "first byte of the full state, ms", at_most=50),
        Goal(
            "W5-history",
            "first_byte",
            "the same after 10,000 more edits, ms, over that",
            at_most=2,
            over="W5-paper",
        ),
    ),
)

STATES = (
    DELIVERIES,
    Column("came", "states on the wire/s", 0),
    COST,
    Column("person_us", "CPU per person and second, us", 0),
    P50,
    P99,
    SHARE,
    SERVER,
)

W6 = Workload(
    "W6",
    "Presence storm",
    "Everybody in one room moves the cursor five times a second. A state counts at each person who knows of "
    "it, or of a newer one that has taken its place: a server may leave out what nobody would have seen. At "
    "the end everybody, and somebody who comes later, has to know where everybody is. After issue 5, W6.",
    tuple(
        Case(
            f"W6-{people}",
            f"{people} people",
            _one("presence"),
            {"people": people, "rate": 5.0, "seconds": 3.0, "warm_up": 1.0},
            {"people": 6, "seconds": 0.4, "warm_up": 0.2},
            sides,
            STATES,
            rounds=rounds,
        )
        for people, sides, rounds in (
            (100, EVERYBODY, 10),
            (10, ("twinspace",), 1),
            (300, ("twinspace",), 1),
        )
    ),
    (
        Goal(
            "W6-100",
            "cpu_us",
            "CPU per delivered state, us: 1/4 of the best peer's",
            times=4,
            than=SERVERS[1:],
        ),
        Goal("W6-100", "p99", "100 people, p99, ms", at_most=100),
        Goal(
            "W6-300",
            "person_us",
            "CPU per person and second, us: 300 people over 10",
            at_most=FLAT,
            over="W6-10",
        ),
    ),
)

W7 = Workload(
    "W7",
    "One event room",
    "Twenty people write in one document, two letters a second each, and a thousand read; then five "
    "thousand. After issue 5, W7.",
    tuple(
        Case(
            f"W7-{readers}",
            f"{readers:,} readers, 20 writers",
            _one("writing"),
            {
                "rooms": 1,
                "readers": readers,
                "writers": 20,
                "rate": 40.0,
                "seconds": 4.0,
                "warm_up": 1.0,
            },
            {"readers": 8, "writers": 2, "seconds": 0.4, "warm_up": 0.1},
            sides,
            (P50, P95, P99, DELIVERIES, COST, SHARE, SERVER),
            rounds=1,
        )
        for readers, sides in (
            (1_000, ("twinspace", "hocuspocus", "y-websocket", "floor")),
            (5_000, ("twinspace", "floor")),
        )
    ),
    (
        Goal("W7-1000", "p95", "1,000 readers, p95, ms", at_most=200),
        Goal("W7-5000", "p95", "5,000 readers, p95, ms", at_most=500),
    ),
)

W8 = Workload(
    "W8",
    "A mixed day",
    "W2's 200 rooms at 1,000 edits a second, in no order, and a document of 5 MB that is written in as well. "
    "Five times a second somebody leaves a room and somebody else comes; every ten seconds a class of five "
    "opens the big document; two of its readers knock and then read nothing, one for 12 s, one for 36 s, "
    "which the server does not wait for. Documents are compacted every 250 edits. *Stall* is what a ping of "
    "somebody else waits, about 300 a second; a few milliseconds of it are the generator's. Memory is that "
    "of the first and of the last quarter of the time after the warm-up. A minute and a half; with --long "
    "the whole ten. Exports are not among what happens: there are none yet. After issue 5, W8.",
    (
        Case(
            "W8",
            "a mixed day",
            _day,
            {
                "rooms": 200,
                "readers": 4,
                "rate": 1_000.0,
                "paper": BIG,
                "naps": (12.0, 36.0),
                "seconds": 75.0,
                "warm_up": 15.0,
            },
            {"rooms": 4, "rate": 40.0, "paper": SMALL, "naps": (0.3,), "seconds": 1.5, "warm_up": 0.3},
            ("twinspace",),
            (
                P50,
                P99,
                SAVED99,
                Column("stall_p50", "stall p50, ms", 1),
                Column("stall_p999", "p99.9, ms", 1),
                Column("stall", "longest, ms", 0),
                Column("late_timers", "own timers > 25 ms late, %", 2),
                Column("memory_first", "memory, MB", 0),
                Column("memory", "at the end, MB", 0),
                Column("memory_growth", "memory, end / start", 2),
                Column("came", "came and left", 0),
                Column("sent_away", "stalled and sent away", 0),
                Column("compactions", "compactions", 0),
                Column("lost", "edits lost", 0),
                SERVER,
            ),
            ("seconds", "megabytes"),
            {"naps": (15.0, 40.0, 120.0), "seconds": 540.0, "warm_up": 60.0},
            ("--compaction-updates", "250"),
            rounds=1,
        ),
    ),
    (
        Goal("W8", "stall_p999", "stalls of the loop, p99.9, ms", at_most=20),
        Goal("W8", "stall", "the longest, ms", at_most=100),
        Goal("W8", "memory_growth", "memory after the warm-up, end over start", at_most=1.1),
        Goal("W8", "lost", "edits lost", at_most=0),
    ),
)

W9 = Workload(
    "W9",
    "Two nodes",
    "Two nodes behind one Valkey, TwinSpace's with their log in PostgreSQL; one writer on the first, ten "
    "readers on each. Times are those to the readers of the other node. Nodes, Valkey and PostgreSQL share "
    "the server's core; the CPU is that of both nodes, and then with what they share. A batch is a commit of "
    "the log; what the nodes publish when nobody types is taken off. Clients are those of `python -m load "
    "latency`. After issue 5, W9.",
    tuple(
        Case(
            f"W9-{rate}",
            f"{rate} edits a second",
            _nodes,
            {"readers": 10, "rate": float(rate), "seconds": 6.0},
            {"readers": 2, "rate": 20.0, "seconds": 0.5},
            ("twinspace-nodes", "hocuspocus-nodes"),
            (
                Column("p50", "p50, ms", 1, ratio=True),
                Column("p99", "p99, ms", 1, ratio=True),
                Column("same_p50", "same node p50, ms", 1),
                SAVED50,
                SAVED99,
                COST,
                Column("all_us", "with Valkey and PostgreSQL, us", 1),
                Column("published", "publishes per edit", 2),
                Column("batch", "publishes per batch", 2),
                SERVER,
            ),
            rounds=2,
        )
        for rate in (10, 100)
    ),
    (
        *(
            Goal(
                f"W9-{rate}",
                figure,
                f"to the other node at {rate} edits/s, {figure}, ms: Hocuspocus'",
                times=1,
                than=("hocuspocus-nodes",),
            )
            for rate in (10, 100)
            for figure in ("p50", "p99")
        ),
        Goal(
            "W9-100",
            "cpu_us",
            "CPU per delivery at 100 edits/s, us: 1/4 of Hocuspocus'",
            times=4,
            than=("hocuspocus-nodes",),
        ),
        Goal("W9-100", "batch", "publishes per batch", at_most=1),
    ),
)

OF_A_DOCUMENT = (
    Column("kilobytes", "the document, kB", 0),
    COST,
    Column("commit_us", "CPU per commit, us", 1),
    Column("open_us", "CPU per opening, us", 0),
    Column("open_ms", "opening, ms", 1),
    Column("growth_cpu_us", "growth per delivery", 2),
    Column("growth_commit_us", "per commit", 2),
    Column("growth_open_us", "per opening", 2),
)

W10 = Workload(
    "W10",
    "Growth",
    "What becomes of the cost of a delivery, a commit and an opening as rooms and readers, documents and "
    "histories grow. *Growth* is how many times dearer it is at some size than at a smaller one, 1.0 being "
    "flat or falling; what is more than 1.3 is named below the table with the power it grows with. The other "
    "figures are those of the largest. Documents are opened from memory, whole. Rooms end at "
    "1,000, with --long at 9,500 of two people. After issue 5, W10.",
    (
        Case(
            "W10-rooms",
            "rooms of five, 1,000 edits a second in all",
            _several("rooms", "writing", "cpu_us"),
            {"rooms": (10, 100, 1_000), "readers": 4, "rate": 1_000.0, "seconds": 2.0, "warm_up": 0.5},
            {"rooms": (2, 4), "rate": 50.0, "seconds": 0.3, "warm_up": 0.1},
            IN_NODE,
            (COST, P99, Column("growth_cpu_us", "growth", 2)),
            ("rooms", "CPU per delivery, us"),
            {"rooms": (10, 100, 1_000, 9_500), "readers": 1, "seconds": 5.0},
            rounds=1,
        ),
        Case(
            "W10-readers",
            "readers of one room, one edit in flight",
            _several("readers", "writing", "cpu_us"),
            {"readers": (2, 20, 200, 1_000), "rooms": 1, "windows": (1,), "seconds": 1.5, "warm_up": 0.3},
            {"readers": (2, 4), "seconds": 0.3, "warm_up": 0.1},
            ("twinspace", "floor"),
            (COST, P99, Column("growth_cpu_us", "growth", 2)),
            ("readers", "CPU per delivery, us"),
            rounds=1,
        ),
        Case(
            "W10-size",
            "a document of 1.4 kB to 5 MB, ten readers, one edit in flight",
            _several("paragraphs", "growth", "cpu_us", "commit_us", "open_us"),
            {
                "paragraphs": (1, 30, 300, 3_700),
                "history": 0,
                "readers": 10,
                "seconds": 1.5,
                "warm_up": 0.3,
            },
            {"paragraphs": (1, 10), "readers": 2, "seconds": 0.3, "warm_up": 0.1},
            ("twinspace",),
            OF_A_DOCUMENT,
            ("paragraphs of 1.35 kB", "CPU per delivery, us"),
            {"paragraphs": (1, 30, 300, 3_700, 15_000), "seconds": 4.0},
            rounds=1,
        ),
        Case(
            "W10-history",
            "0 to 50,000 single edits behind it, ten readers, one edit in flight",
            _several("history", "growth", "cpu_us", "commit_us", "open_us"),
            {
                "history": (0, 1_000, 10_000, 50_000),
                "paragraphs": 1,
                "readers": 10,
                "seconds": 1.5,
                "warm_up": 0.3,
            },
            {"history": (0, 100), "readers": 2, "seconds": 0.3, "warm_up": 0.1},
            ("twinspace",),
            OF_A_DOCUMENT,
            ("edits before", "CPU per delivery, us"),
            {"history": (0, 1_000, 10_000, 100_000, 1_000_000), "seconds": 4.0},
            rounds=1,
        ),
    ),
    (
        Goal("W10-rooms", "growth_cpu_us", "CPU per delivery, 10 to 1,000 rooms: growth", at_most=FLAT),
        Goal("W10-readers", "growth_cpu_us", "CPU per delivery, 2 to 1,000 readers: growth", at_most=FLAT),
        *(
            Goal(case, figure, f"CPU per {what}, {size}: growth", at_most=FLAT)
            for case, size in (("W10-size", "1.4 kB to 5 MB"), ("W10-history", "0 to 50,000 edits before"))
            for figure, what in (
                ("growth_cpu_us", "delivery"),
                ("growth_commit_us", "commit"),
                ("growth_open_us", "opening"),
            )
        ),
    ),
)

WORKLOADS: dict[str, Workload] = {each.key: each for each in (W1, W2, W3, W4, W5, W6, W7, W8, W9, W10)}
