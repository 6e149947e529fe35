"""What waits for a server: joined as far as it can be, and never more than it may be."""

from collections.abc import Iterable

from bustools import entry, names, node_messages, remote_states
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.bus.messages import (
    MESSAGE_MAX,
    Changed,
    Committed,
    Hint,
    Leaving,
    PresenceQuery,
    RemoteState,
    States,
)
from rooms.bus.redis_outbox import PIPELINE_BYTES, Outbox, sized
from rooms.bus.redis_outbox import joined as joined_of

A, B = "a", "b"


def joined(messages: Iterable) -> list:
    return joined_of([(message, sized(message)) for message in messages])


def state(client: int, clock: int, text: str | None = "{}") -> RemoteState:
    return RemoteState(client, clock, f"person:{client}", text)


def test_entries_that_follow_one_another_travel_together() -> None:
    one = Committed(A, 1, 5, (b"1", b"2"), ((7, "p"),))
    two = Committed(A, 1, 7, (b"3",), ((8, "q"),))
    assert joined([one, entry(B, 1), two]) == [
        Committed(A, 1, 5, (b"1", b"2", b"3"), ((7, "p"), (8, "q"))),
        entry(B, 1),
    ]


def test_entries_that_do_not_follow_one_another_travel_apart() -> None:
    gap = [entry(A, 1), entry(A, 3)]
    doubled = [entry(A, 1), entry(A, 1)]
    epochs = [Committed(A, 1, 1, (b"",), ()), Committed(A, 2, 2, (b"",), ())]
    hinted = [entry(A, 1), Hint(A, 0, 2), entry(A, 3)]
    for messages in (gap, doubled, epochs, hinted):
        assert joined(messages) == messages


def test_one_envelope_is_never_too_large() -> None:
    update = bytes(MESSAGE_MAX // 3)
    told = joined([entry(A, number, update) for number in range(1, 8)])
    assert [(message.first, len(message.updates)) for message in told] == [(1, 2), (3, 2), (5, 2), (7, 1)]


def test_of_hints_in_a_row_the_furthest_stays() -> None:
    assert joined([Hint(A, 1, 5), Hint(A, 1, 9), Hint(A, 1, 7)]) == [Hint(A, 1, 9)]
    assert joined([Hint(A, 1, 5), Hint(A, 2, 1)]) == [Hint(A, 1, 5), Hint(A, 2, 1)]


def test_of_each_client_the_latest_presence_stays_and_comes_after_what_it_refers_to() -> None:
    told = joined(
        [
            States(A, (state(1, 1), state(2, 1))),
            entry(A, 1),
            PresenceQuery(A),
            PresenceQuery(A),
            States(A, (state(1, 2, None),)),
            States(B, (state(1, 9),)),
        ]
    )
    assert told == [
        entry(A, 1),
        PresenceQuery(A),
        States(A, (state(2, 1), state(1, 2, None))),
        States(B, (state(1, 9),)),
    ]


def test_many_peoples_presence_travels_in_parcels() -> None:
    crowd = tuple(state(client, 1, "x" * 1000) for client in range(200))
    told = joined([States(A, crowd)])
    assert len(told) > 3
    assert tuple(each for message in told for each in message.states) == crowd
    assert all(sized(message) <= MESSAGE_MAX + 64 for message in told)


def test_what_is_said_to_all_nodes_comes_last_and_whole() -> None:
    assert joined([Leaving(), entry(A, 1), Changed(1), Changed(1)]) == [
        entry(A, 1), Leaving(), Changed(1), Changed(1),
    ]  # fmt: skip


class Long(bytes):
    """An update of which three fit into one envelope."""

    def __repr__(self) -> str:
        return f"Long({len(self)})"


few_names = st.sampled_from([A, B, "c"])
runs = st.builds(
    Committed,
    few_names,
    st.integers(0, 1),
    st.integers(1, 6),
    st.lists(st.binary(max_size=3) | st.just(Long(20_000)), min_size=1, max_size=3).map(tuple),
    st.lists(st.tuples(st.integers(0, 9), names), max_size=2).map(tuple),
)
said = st.lists(
    st.one_of(
        runs,
        st.builds(Hint, few_names, st.integers(0, 1), st.integers(1, 9)),
        st.builds(PresenceQuery, few_names),
        st.builds(States, few_names, st.lists(remote_states, max_size=3).map(tuple)),
        node_messages,
    ),
    max_size=30,
)


def updates_of(messages: Iterable, document: str) -> list:
    return [
        (message.epoch, message.first + number, update)
        for message in messages
        if isinstance(message, Committed) and message.document == document
        for number, update in enumerate(message.updates)
    ]


def owners_of(messages: Iterable, document: str) -> list:
    return [
        owner
        for message in messages
        if isinstance(message, Committed) and message.document == document
        for owner in message.owners
    ]


def presence_of(messages: Iterable, document: str) -> dict[int, RemoteState]:
    return {
        each.client: each
        for message in messages
        if isinstance(message, States) and message.document == document
        for each in message.states
    }


@settings(deadline=None)
@given(said)
def test_joining_loses_nothing_and_keeps_every_documents_order(messages: list) -> None:
    told = joined(messages)
    for document in (A, B, "c"):
        assert updates_of(told, document) == updates_of(messages, document)
        assert owners_of(told, document) == owners_of(messages, document)
        assert presence_of(told, document) == presence_of(messages, document)
        assert (PresenceQuery(document) in told) == (PresenceQuery(document) in messages)
        hints = {
            (each.epoch, each.last)
            for each in messages
            if isinstance(each, Hint) and each.document == document
        }
        assert hints >= {
            (each.epoch, each.last) for each in told if isinstance(each, Hint) and each.document == document
        }
    to_all = [each for each in messages if not hasattr(each, "document")]
    assert [each for each in told if not hasattr(each, "document")] == to_all
    assert len(told) <= len(messages)
    assert all(sum(map(len, each.updates)) <= MESSAGE_MAX for each in told if isinstance(each, Committed))


def test_when_full_the_oldest_make_room() -> None:
    few = Outbox(most_messages=3, most_bytes=10**9)
    assert sum(few.put(entry(str(number), 1)) for number in range(10)) == 7
    assert [message.document for message in few.take()] == ["7", "8", "9"]
    small = Outbox(most_messages=1000, most_bytes=10_000)
    dropped = sum(small.put(entry(str(number), 1, bytes(3_000))) for number in range(10))
    assert [message.document for message in small.take()] == ["7", "8", "9"]
    assert dropped == 7
    assert small.put(entry(A, 1, bytes(20_000))) == 1
    assert small.take() == []


def test_a_turn_sends_no_more_than_a_slow_line_carries() -> None:
    outbox = Outbox(most_messages=1000, most_bytes=10**9)
    for number in range(40):
        outbox.put(entry(str(number), 1, bytes(30_000)))
    turns = []
    while turn := outbox.take():
        turns.append(len(turn))
    assert sum(turns) == 40
    assert max(turns) * 30_000 < PIPELINE_BYTES + 2 * 30_000


def test_what_is_cleared_is_not_sent() -> None:
    outbox = Outbox(most_messages=10, most_bytes=1000)
    outbox.put(entry(A, 1))
    outbox.put(entry(A, 2))
    assert outbox.clear() == 2
    assert outbox.take() == []
