"""The workloads of the benchmark, by their numbers: what each stands for, and what is asked of whom."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from .opening import Paper
from .plan import Case, Column, Result, Runner, Stage, Workload

__all__ = ["WORKLOADS"]

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
# what automerge-paper comes to: 100,000 letters in 13,000 pieces
PAPER = Paper(paragraphs=220, pieces=60, letters=9)
SMALL = Paper(paragraphs=20, pieces=10, letters=8)


def _one(work: str) -> Runner:
    """One work of the generator's."""

    async def run(stage: Stage, options: Mapping[str, Any]) -> Result:
        return await stage.job(work, **options)

    return run


def _several(key: str, work: str, figure: str) -> Runner:
    """The same work for each of several values of an option; the last one's figures, and a curve of one."""

    async def run(stage: Stage, options: Mapping[str, Any]) -> Result:
        result = Result()
        for value in options[key]:
            done = await stage.job(work, **{**options, key: value})
            result.faults += [f"{key} {value}: {fault}" for fault in done.faults]
            result.notes += [f"{key} {value}: {note}" for note in done.notes]
            if figure in done.figures:
                result.curve.append((float(value), done.figures[figure]))
                result.figures |= {**done.figures, f"at_{value}": done.figures[figure]}
        costs = [cost for _, cost in result.curve]
        if costs:
            result.figures["growth"] = max(costs) / max(min(costs), 1e-9)
        return result

    return run


async def _class_opens(stage: Stage, options: Mapping[str, Any]) -> Result:
    return await stage.job("opening", document=f"doc/bench-{secrets.token_hex(8)}", **options)


async def _cold(stage: Stage, options: Mapping[str, Any]) -> Result:
    """Writes a document, ends the server, starts it again, and opens the document."""
    wanted = {"document": f"doc/bench-{secrets.token_hex(8)}", "paper": options["paper"]}
    written = await stage.job("opening", history=options["history"], **wanted)
    if written.faults:
        return written
    await stage.server.restart()
    return await stage.job("opening", write=False, clients=1, **wanted)


W1 = Workload(
    "W1",
    "Fan-out",
    "One writer, fifty readers of one document: what a server pays for each edit that reaches somebody. With "
    "64 edits in flight a server may take many at once and merge them; with one there is nothing to merge. "
    "An edit types one letter. It is in flight until its readers have it; it is counted at each reader, in "
    "whatever message it came. After issue 5, W1.",
    tuple(
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
)

W3 = Workload(
    "W3",
    "A quiet country",
    "People who each have one of many documents open and do nothing but be there: keep-alives are answered, "
    "presence is said again every 15 s. Connecting, authenticating and syncing is timed; memory is what the "
    "server's processes grow by. At last somebody writes in twenty of the documents. After issue 5, W3 "
    "(57,000 connections to 35,000 documents), in the same proportion and in a size that fits. "
    "A process may have 20,000 files open here.",
    (
        Case(
            "W3",
            "5,000 connections to 3,000 documents",
            _one("idle"),
            {"connections": 5_000, "documents": 3_000, "seconds": 5.0},
            {"connections": 60, "documents": 35, "seconds": 0.3},
            SERVERS,
            (
                Column("kilobytes", "kB a connection", 1, ratio=True),
                Column("opened", "opened/s", 0, ratio=True, more_is_better=True),
                Column("opening_us", "CPU per opening, us", 0),
                Column("first_ms", "first tenth, ms", 1),
                Column("last_ms", "last tenth, ms", 1),
                Column("server", "then idle, % of a core", 1),
            ),
            ("connections", "megabytes"),
            rounds=1,
        ),
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
)

W5 = Workload(
    "W5",
    "Cold open",
    "A document of 100,000 letters in 13,000 pieces, a tenth of them deleted again (what automerge-paper "
    "comes to), is opened by one client after the server was ended and started again. Then the same with "
    "10,000 edits behind it that have not been compacted (TwinSpace's own compaction is put off for it). "
    "Only servers that store documents. After issue 5, W5.",
    tuple(
        Case(
            key,
            title,
            _cold,
            {"paper": PAPER, "history": history},
            {"paper": SMALL, "history": min(history, 100)},
            sides,
            (
                Column("first_byte", "first byte, ms", 1, ratio=True),
                Column("whole", "all of it, ms", 1),
                Column("cpu_s", "server CPU, s", 2),
            ),
            serve=("--compaction-updates", "100000", "--compaction-bytes", "100000000"),
            rounds=3,
        )
        for key, title, history, sides in (
            ("W5-paper", "as it was written", 0, ("twinspace", "hocuspocus-sqlite")),
            ("W5-history", "after 10,000 more edits", 10_000, ("twinspace", "hocuspocus-sqlite")),
        )
    ),
)

STATES = (
    DELIVERIES,
    Column("came", "states on the wire/s", 0),
    COST,
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
)

W10 = Workload(
    "W10",
    "Growth",
    "What becomes of the cost of a delivery as rooms and readers grow: the last column is the dearest over "
    "the cheapest, 1.0 being flat. After issue 5, W10, in part: documents and histories are still to come.",
    (
        Case(
            "W10-rooms",
            "rooms of five, 1,000 edits a second in all",
            _several("rooms", "writing", "cpu_us"),
            {"rooms": (10, 100, 1_000), "readers": 4, "rate": 1_000.0, "seconds": 2.0, "warm_up": 0.5},
            {"rooms": (2, 4), "rate": 50.0, "seconds": 0.3, "warm_up": 0.1},
            ("twinspace",),
            (COST, P99, Column("growth", "growth", 2)),
            ("rooms", "CPU per delivery, us"),
            rounds=1,
        ),
        Case(
            "W10-readers",
            "readers of one room, one edit in flight",
            _several("readers", "writing", "cpu_us"),
            {"readers": (2, 20, 200, 1_000), "rooms": 1, "windows": (1,), "seconds": 1.5, "warm_up": 0.3},
            {"readers": (2, 4), "seconds": 0.3, "warm_up": 0.1},
            ("twinspace", "floor"),
            (COST, P99, Column("growth", "growth", 2)),
            ("readers", "CPU per delivery, us"),
            rounds=1,
        ),
    ),
)

WORKLOADS: dict[str, Workload] = {each.key: each for each in (W1, W2, W3, W4, W5, W6, W7, W10)}
