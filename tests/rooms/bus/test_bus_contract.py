"""What every bus promises, within one process as over Redis."""

import asyncio

from bustools import Ear, entry, until

from rooms.bus import Bus, BusState
from rooms.bus.messages import (
    MESSAGE_MAX,
    Attending,
    Changed,
    Committed,
    Heads,
    Hint,
    PresenceQuery,
    RemoteState,
    Spent,
    States,
)


async def test_whoever_has_joined_hears_what_others_say_and_not_what_it_says_itself(nodes: list[Bus]) -> None:
    ears = [Ear() for _ in nodes]
    for bus, ear in zip(nodes, ears, strict=True):
        await bus.join("page", ear)
    nodes[0].send(entry("page", 1))
    nodes[1].send(PresenceQuery("page"))
    await until(lambda: len(ears[2].heard) == 2)
    assert set(ears[2].heard) == {(nodes[0].node, entry("page", 1)), (nodes[1].node, PresenceQuery("page"))}
    await until(lambda: ears[0].heard == [(nodes[1].node, PresenceQuery("page"))])
    await until(lambda: ears[1].heard == [(nodes[0].node, entry("page", 1))])


async def test_a_join_that_has_returned_misses_nothing(nodes: list[Bus]) -> None:
    for number in range(40):
        ear = Ear()
        document = f"page-{number}"
        await nodes[1].join(document, ear)
        nodes[0].send(entry(document, 1))
        await until(lambda ear=ear: ear.sequences == [1])


async def test_only_the_documents_joined_are_heard(nodes: list[Bus]) -> None:
    ear, other = Ear(), Ear()
    await nodes[1].join("page", ear)
    await nodes[1].join("other", other)
    nodes[0].send(entry("elsewhere", 1))
    nodes[0].send(entry("page", 1))
    nodes[0].send(entry("other", 9))
    await until(lambda: ear.heard and other.heard)
    assert (ear.sequences, other.sequences) == ([1], [9])


async def test_whoever_has_left_hears_nothing_until_it_comes_back(nodes: list[Bus]) -> None:
    ear, witness = Ear(), Ear()
    await nodes[1].join("page", ear)
    await nodes[2].join("page", witness)
    nodes[1].leave("page")
    nodes[1].leave("page")
    nodes[1].leave("never joined")
    nodes[0].send(entry("page", 1))
    await until(lambda: witness.sequences == [1])
    await nodes[1].join("page", ear)
    nodes[0].send(entry("page", 2))
    await until(lambda: ear.heard)
    assert ear.sequences == [2]


async def test_the_latest_listener_hears(nodes: list[Bus]) -> None:
    first, second = Ear(), Ear()
    await nodes[1].join("page", first)
    await nodes[1].join("page", second)
    nodes[0].send(entry("page", 1))
    await until(lambda: second.heard)
    assert not first.heard


async def test_what_is_said_to_all_nodes_comes_to_all_of_them_the_sender_too(nodes: list[Bus]) -> None:
    ears = [Ear() for _ in nodes]
    stop = [bus.on_node_message(ear) for bus, ear in zip(nodes, ears, strict=True)]
    said = [Heads({"page": (0, 7)}), Changed(3), Spent({"log-in": 0.5}), Attending({"s": ("a",)})]
    for message in said:
        nodes[0].send(message)
    for ear in ears:
        await until(lambda ear=ear: len(ear.heard) == len(said))
        assert ear.heard == [(nodes[0].node, message) for message in said]
    stop[1]()
    nodes[2].send(Changed(4))
    await until(lambda: len(ears[0].heard) == len(ears[2].heard) == len(said) + 1)
    assert len(ears[1].heard) == len(said)


async def test_each_document_is_told_in_its_order(nodes: list[Bus]) -> None:
    documents = [f"page-{number}" for number in range(20)]
    ears = {document: Ear() for document in documents}
    await asyncio.gather(*(nodes[1].join(document, ear) for document, ear in ears.items()))
    for sequence in range(1, 51):
        for document in documents:
            nodes[0].send(entry(document, sequence))
        if sequence % 10 == 0:
            await asyncio.sleep(0.001)
    for ear in ears.values():
        await until(lambda ear=ear: len(ear.sequences) == 50)
        assert ear.sequences == list(range(1, 51))


async def test_every_kind_of_message_of_a_document_arrives_as_it_was_said(nodes: list[Bus]) -> None:
    ear = Ear()
    await nodes[1].join("page", ear)
    said = [
        Committed("page", 2, 5, (b"one", b"two"), ((7, "person:1"),)),
        Hint("page", 2, 9),
        PresenceQuery("page"),
        States("page", (RemoteState(7, 1, "person:1", '{"user":{}}'), RemoteState(8, 4, "person:2", None))),
    ]
    for message in said:
        nodes[0].send(message)
    await until(lambda: len(ear.heard) == 4)
    assert ear.messages == said


async def test_more_than_the_bus_carries_comes_as_a_hint(nodes: list[Bus]) -> None:
    ear = Ear()
    await nodes[1].join("page", ear)
    nodes[0].send(Committed("page", 0, 4, (bytes(MESSAGE_MAX), b"x"), ()))
    await until(lambda: ear.heard)
    assert ear.messages == [Hint("page", 0, 5)]


async def test_the_bus_is_up(nodes: list[Bus]) -> None:
    assert {bus.state for bus in nodes} == {BusState.UP}
    assert {bus.reason for bus in nodes} == {""}
    assert len({bus.node for bus in nodes}) == 3
