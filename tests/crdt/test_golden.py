"""Updates that real Yjs wrote. tests/crdt/yjs/golden.mjs makes them; the fixture is committed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from yjs_peer import YjsPeer, decode

from crdt import jobs
from crdt.document import Document, merge
from crdt.errors import CrdtError
from crdt.update import ClockRange, read_sections, read_state_vector, read_update

GOLDEN = json.loads((Path(__file__).parent / "golden" / "yjs-13.6.json").read_text())

each_case = pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])


@pytest.fixture(scope="module")
def yjs() -> Iterator[YjsPeer]:
    with YjsPeer() as peer:
        yield peer


def canonical(update: bytes) -> tuple[bytes, list[ClockRange]]:
    """The bytes of the structs, and the deletions, whose clients the format allows in any order."""
    sections = read_sections(update)
    structs = update[: sections[-1].offsets[-1]] if sections else b""
    return structs, sorted(read_update(update).deletes, key=lambda item: (item.client, item.start))


def document_of(updates: list[bytes]) -> Document:
    document = Document()
    for update in updates:
        document.apply(update, read_update(update))
    return document


@each_case
def test_the_reader_accepts_every_update_and_sees_every_clock(case: dict[str, Any]) -> None:
    state = decode(case["state"])
    known: dict[int, int] = {}
    for update in [*map(decode, case["updates"]), state]:
        summary = read_update(update)
        assert summary.size == len(update)
        for written in summary.writes:
            known[written.client] = max(known.get(written.client, 0), written.end)
    assert known == read_state_vector(decode(case["vector"]))


@each_case
def test_the_engine_makes_the_same_document_of_them(case: dict[str, Any], yjs: YjsPeer) -> None:
    updates = [decode(update) for update in case["updates"]]
    document = document_of(updates)
    [state] = document.diff(None)
    assert read_state_vector(document.state_vector()) == read_state_vector(decode(case["vector"]))
    if case["exact"]:
        assert canonical(state) == canonical(decode(case["state"]))
    opened = yjs.open([state])
    assert opened["content"] == case["content"]
    assert not opened["pending"]


@each_case
@pytest.mark.parametrize("order", ["backwards", "twice"])
def test_order_and_repetition_do_not_matter(case: dict[str, Any], order: str, yjs: YjsPeer) -> None:
    updates = [decode(update) for update in case["updates"]]
    document = document_of(updates[::-1] if order == "backwards" else updates * 2)
    assert document.pending == 0
    assert yjs.open(document.diff(None))["content"] == case["content"]


@each_case
def test_merging_and_compaction_keep_everything(case: dict[str, Any], yjs: YjsPeer) -> None:
    updates = [decode(update) for update in case["updates"]]
    assert yjs.open([merge(updates)])["content"] == case["content"]
    half = len(updates) // 2
    snapshot = jobs.compact(None, updates[half:])  # mostly what waits for the other half
    assert yjs.open([jobs.compact(snapshot, updates[:half])])["content"] == case["content"]


@pytest.mark.parametrize("case", GOLDEN["refused"], ids=lambda case: case["name"])
def test_what_the_engine_or_a_browser_could_not_bear_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(CrdtError) as refusal:
        read_update(decode(case["update"]))
    assert getattr(refusal.value, "what", None) == case["what"]
