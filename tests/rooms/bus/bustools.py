"""For the tests of the bus: quick limits, an ear, messages to draw from, waiting with an end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from hypothesis import strategies as st

from rooms.bus import Bus, BusState
from rooms.bus.messages import (
    Attending,
    Changed,
    Committed,
    DocumentMessage,
    Heads,
    Hint,
    Leaving,
    NodeMessage,
    PresenceQuery,
    RemoteState,
    Spent,
    States,
)
from rooms.bus.redis import Limits, RedisBus

KEY = b"the installation's secret, a test's"
PREFIX = "twinspace:test"
PATIENT = Limits()
QUICK = Limits(
    ping_every=0.1,
    answer_within=0.7,
    connect_within=1.0,
    join_within=0.7,
    look_every=0.3,
    retry_first=0.02,
    retry_most=0.1,
)
"""For tests in which something fails; on a busy machine it sees failures where none are."""
PATIENCE = 10.0


async def until(happened: Callable[[], Any], what: str = "", within: float = PATIENCE) -> None:
    async def looked() -> None:
        while not happened():
            await asyncio.sleep(0.005)

    try:
        await asyncio.wait_for(looked(), within)
    except TimeoutError:
        raise AssertionError(f"not within {within:g} s: {what or happened}") from None


class Ear:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, DocumentMessage | NodeMessage]] = []

    def __call__(self, node: str, message: DocumentMessage | NodeMessage) -> None:
        self.heard.append((node, message))

    @property
    def messages(self) -> list[DocumentMessage | NodeMessage]:
        return [message for _, message in self.heard]

    @property
    def sequences(self) -> list[int]:
        """Of all updates heard, in order."""
        return [
            sequence
            for message in self.messages
            if isinstance(message, Committed)
            for sequence in range(message.first, message.last + 1)
        ]


def entry(document: str, sequence: int, update: bytes = b"update") -> Committed:
    return Committed(document, 0, sequence, (update,), ())


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[RedisBus]:
    """A bus for as long as the block lasts; afterwards nothing of it may be left."""
    options = {"key": KEY, "prefix": PREFIX, "limits": PATIENT, "dice": random.Random(7)} | options
    bus = RedisBus(url, **options)
    await bus.open()
    try:
        yield bus
    finally:
        await bus.close()


async def up(*buses: Bus, within: float = PATIENCE) -> None:
    await until(lambda: all(bus.state is BusState.UP for bus in buses), "the bus is up", within)


async def away(*buses: Bus, within: float = PATIENCE) -> None:
    await until(lambda: all(bus.state is BusState.AWAY for bus in buses), "the bus is away", within)


async def passes(source: Bus, target: Bus, document: str, ear: Ear) -> None:
    """What one says of a document, the other hears; at the first try."""
    await all_pass(source, target, {document: ear})


async def all_pass(source: Bus, target: Bus, ears: Mapping[str, Ear]) -> None:
    """As `passes`, of several documents at once."""
    mark = random.randrange(2**32)
    for document in ears:
        source.send(entry(document, mark))
    missing = set(ears)

    def all_heard() -> bool:
        missing.difference_update(
            [each for each in missing if (source.node, entry(each, mark)) in ears[each].heard]
        )
        return not missing

    await until(all_heard, f"what {source.node} said to {target.node} is heard")


names = st.text(st.characters(), max_size=40)
sequences = st.integers(0, 2**63)
updates = st.lists(st.binary(max_size=300), max_size=5).map(tuple)
remote_states = st.builds(
    RemoteState, st.integers(0, 2**53), st.integers(0, 2**53), names, st.none() | st.text(max_size=80)
)
document_messages = st.one_of(
    st.builds(
        Committed,
        names,
        sequences,
        sequences,
        updates,
        st.lists(st.tuples(st.integers(0, 2**53), names), max_size=3).map(tuple),
    ),
    st.builds(Hint, names, sequences, sequences),
    st.builds(States, names, st.lists(remote_states, max_size=4).map(tuple)),
    st.builds(PresenceQuery, names),
)
node_messages = st.one_of(
    st.builds(Heads, st.dictionaries(names, st.tuples(sequences, sequences), max_size=5)),
    st.just(Leaving()),
    st.builds(Changed, st.integers(0, 2**63)),
    st.builds(Spent, st.dictionaries(names, st.floats(0, 1e9), max_size=5)),
    st.builds(Attending, st.dictionaries(names, st.lists(names, max_size=3).map(tuple), max_size=5)),
)
