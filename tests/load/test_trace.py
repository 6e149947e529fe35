import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_sessions import make_session

from load.trace import Patch, Trace, TraceError, load_trace, parse_trace
from load.writer import Page


def replayed(trace: Trace) -> str:
    """The text when every writer knows, at each transaction, what the trace says; without a network."""
    pages = [Page(number + 1, is_ascii=trace.ascii) for number in range(trace.writers)]
    made: list[list[Any]] = [[] for _ in pages]
    taken = [[0] * trace.writers for _ in pages]
    for transaction in trace.transactions:
        writer = transaction.writer
        for other, count in enumerate(transaction.knows):
            if other != writer:
                for each in made[other][taken[writer][other] : count]:
                    pages[writer].take(each)
                taken[writer][other] = count
        made[writer].append(pages[writer].type(transaction.patches))
    text = str(pages[trace.transactions[-1].writer])
    for page in pages:
        page.close()
    return text


@settings(deadline=None)
@given(st.integers(), st.integers(1, 4), st.integers(2, 40))
def test_a_transaction_knows_what_its_parents_stand_for(seed: int, writers: int, transactions: int) -> None:
    document = make_session(random.Random(seed), writers, transactions)
    trace = parse_trace(document, "made")
    ancestors: list[set[int]] = []
    for transaction, recorded in zip(trace.transactions, document["txns"], strict=True):
        before = set(recorded["parents"]).union(*(ancestors[parent] for parent in recorded["parents"]))
        ancestors.append(before)
        of_each = [
            sum(document["txns"][each]["agent"] == writer for each in before) for writer in range(writers)
        ]
        assert list(transaction.knows) == of_each
    assert sum(trace.counts) == transactions


@settings(deadline=None)
@given(st.integers(), st.integers(1, 4), st.integers(2, 40))
def test_typing_with_that_knowledge_gives_the_recorded_end(
    seed: int, writers: int, transactions: int
) -> None:
    document = make_session(random.Random(seed), writers, transactions)
    assert replayed(parse_trace(document, "made")) == document["endContent"]


def test_a_sequential_trace_has_one_writer_who_knows_all() -> None:
    trace = parse_trace(
        {
            "startContent": "x",
            "endContent": "xab",
            "txns": [
                {"time": "2021-04-19T06:06:58.000Z", "patches": [[1, 0, "a"]]},
                {"time": "2021-04-19T06:06:59.500Z", "patches": [[2, 0, "b"]]},
            ],
        },
        "sequential",
    )
    assert [each.knows for each in trace.transactions] == [(0,), (1,), (2,)]
    assert trace.transactions[0].patches == (Patch(0, 0, "x"),)
    assert trace.transactions[2].at == 1.5
    assert trace.timed
    assert replayed(trace) == "xab"


def test_a_file_may_be_gzipped_or_not(tmp_path: Path) -> None:
    document = {"endContent": "a", "txns": [{"patches": [[0, 0, "a"]]}]}
    plain, packed = tmp_path / "plain.json", tmp_path / "packed.json.gz"
    plain.write_text(json.dumps(document))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert load_trace(plain).transactions == load_trace(packed).transactions


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "not a trace"),
        ({"txns": [], "endContent": ""}, "not a trace"),
        ({"txns": [{}], "endContent": ""}, "Transaction 0"),
        ({"txns": [{"patches": [[-1, 0, "a"]]}], "endContent": ""}, "Transaction 0"),
        (
            {"kind": "concurrent", "numAgents": 1, "endContent": "", "txns": [{"agent": 1, "parents": []}]},
            "writer 1 of 1",
        ),
        (
            {
                "kind": "concurrent",
                "numAgents": 1,
                "endContent": "",
                "txns": [{"agent": 0, "parents": [], "patches": []}] * 2,
            },
            "one writer cannot type at two places",
        ),
        (
            {
                "kind": "concurrent",
                "numAgents": 1,
                "endContent": "",
                "txns": [{"agent": 0, "parents": [5], "patches": []}],
            },
            "Transaction 0",
        ),
    ],
)
def test_what_is_no_trace_is_said_in_one_line(document: Any, message: str) -> None:
    with pytest.raises(TraceError, match=message) as raised:
        parse_trace(document, "it")
    assert "\n" not in str(raised.value)


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read"):
        load_trace(tmp_path / "missing.json.gz")
    broken = tmp_path / "broken.json.gz"
    for content in (b"\x1f\x8b broken", b"no json", gzip.compress(b"[")[:-4]):
        broken.write_bytes(content)
        with pytest.raises(TraceError, match="is it a trace"):
            load_trace(broken)
