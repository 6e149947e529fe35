"""Joins and leaves in any order, against a server that answers late and in order, and loses slots at will."""

from collections import deque
from collections.abc import Iterator

import hiredis
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rooms.bus.redis_servers import slot_of
from rooms.bus.redis_subscriptions import CHUNK, TURN, Subscription, Subscriptions
from rooms.bus.redis_url import Kind

CHANNELS = [b"{a}1", b"{a}2", b"b", b"c"]
SLOTS = {channel: slot_of(channel, Kind.CLUSTER) for channel in CHANNELS}
ALL_SLOTS = sorted(set(SLOTS.values()))


def spoken(commands: list[bytes]) -> Iterator[tuple[bytes, list[bytes]]]:
    reader = hiredis.Reader()
    for command in commands:
        reader.feed(command)
    while command := reader.gets():
        yield command[0], command[1:]


class LateServer(RuleBasedStateMachine):
    """A server that has some slots, reads commands some time after they were sent, and is heard later."""

    def __init__(self) -> None:
        super().__init__()
        self.subject = Subscriptions(Kind.CLUSTER)
        self.subject.begin()
        self.wanted: dict[bytes, Subscription] = {}
        self.commands: deque[tuple[bytes, bytes]] = deque()
        self.pushes: deque[tuple[str, bytes | int]] = deque()
        self.subscribed: set[bytes] = set()
        self.slots = set(ALL_SLOTS)

    @rule(channel=st.sampled_from(CHANNELS), believed=st.booleans())
    def join(self, channel: bytes, believed: bool) -> None:
        if channel not in self.wanted:
            self.wanted[channel] = Subscription(channel, SLOTS[channel])
            self.subject.add(self.wanted[channel], believed=believed)

    @rule(channel=st.sampled_from(CHANNELS))
    def leave(self, channel: bytes) -> None:
        if channel in self.wanted:
            self.subject.remove(self.wanted.pop(channel))

    @rule()
    def send(self) -> None:
        for command, channels in spoken(self.subject.commands()):
            assert len(channels) == 1  # a cluster takes channels of one slot only
            self.commands.append((command, channels[0]))

    @rule()
    def serve(self) -> None:
        if not self.commands:
            return
        command, channel = self.commands.popleft()
        if SLOTS[channel] not in self.slots:
            self.pushes.append(("moved", SLOTS[channel]))
        elif command == b"SSUBSCRIBE":
            self.subscribed.add(channel)
            self.pushes.append(("subscribed", channel))
        else:
            self.subscribed.discard(channel)
            self.pushes.append(("unsubscribed", channel))

    @rule()
    def hear(self) -> None:
        if not self.pushes:
            return
        kind, what = self.pushes.popleft()
        {
            "moved": self.subject.refused,
            "subscribed": self.subject.confirmed,
            "unsubscribed": self.subject.withdrawn,
        }[kind](what)

    @rule(slot=st.sampled_from(ALL_SLOTS))
    def lose_slot(self, slot: int) -> None:
        self.slots.discard(slot)
        for channel in sorted(self.subscribed):
            if SLOTS[channel] == slot:
                self.subscribed.discard(channel)
                self.pushes.append(("unsubscribed", channel))

    @rule(slot=st.sampled_from(ALL_SLOTS))
    def gain_slot(self, slot: int) -> None:
        self.slots.add(slot)

    @rule()
    def look_again(self) -> None:
        for channel in tuple(self.subject.astray):
            self.subject.again(channel)

    @rule()
    def connect_anew(self) -> None:
        self.commands.clear()
        self.pushes.clear()
        self.subscribed.clear()
        self.subject.end()
        self.subject.begin()

    @invariant()
    def nothing_astray_is_unwanted(self) -> None:
        assert self.subject.astray <= self.wanted.keys()
        assert self.subject.restoring <= self.wanted.keys()

    @invariant()
    def what_stands_is_subscribed_or_its_loss_is_on_the_way(self) -> None:
        lost = {what for kind, what in self.pushes if kind == "unsubscribed"}
        for channel, subscription in self.wanted.items():
            if subscription.standing:
                assert channel in self.subscribed or channel in lost

    def teardown(self) -> None:
        """Left alone with a server that has all slots, it comes to rest with just what is wanted."""
        self.slots = set(ALL_SLOTS)
        for _ in range(20):
            self.send()
            while self.commands:
                self.serve()
            while self.pushes:
                self.hear()
            self.look_again()
        assert self.subscribed == self.wanted.keys()
        assert all(subscription.standing for subscription in self.wanted.values())
        assert not self.subject.restoring
        assert not self.subject.pending
        assert self.subject._told.keys() == {SLOTS[channel] for channel in self.wanted}
        assert not self.subject._awaited


def test_a_refusal_that_comes_after_a_leave_leaves_nothing_behind() -> None:
    """Else the next join would wait for a confirmation that has been refused."""
    subject = Subscriptions(Kind.CLUSTER)
    slot = slot_of(b"b", Kind.CLUSTER)
    for _ in range(2):
        subscription = Subscription(b"b", slot)
        subject.add(subscription, believed=False)
        subject.commands()
        subject.remove(subscription)
        subject.commands()
        subject.refused(slot)
        subject.refused(slot)
    subject.add(subscription, believed=False)
    subject.commands()
    subject.confirmed(b"b")
    assert subscription.standing


def test_a_channel_whose_slot_went_while_nobody_wanted_it_does_not_stand_when_it_is_wanted_again() -> None:
    subject = Subscriptions(Kind.CLUSTER)
    subscription = Subscription(b"b", slot_of(b"b", Kind.CLUSTER))
    subject.add(subscription, believed=False)
    subject.commands()
    subject.confirmed(b"b")
    subject.remove(subscription)
    subject.withdrawn(b"b")
    subject.add(subscription, believed=False)
    assert not subscription.standing
    assert list(spoken(subject.commands())) == [(b"SSUBSCRIBE", [b"b"])]


def test_what_was_refused_and_is_left_then_is_unsubscribed_as_the_server_may_have_taken_it_since() -> None:
    subject = Subscriptions(Kind.CLUSTER)
    subscription = Subscription(b"b", slot_of(b"b", Kind.CLUSTER))
    subject.add(subscription, believed=False)
    subject.commands()
    subject.refused(subscription.slot)
    subject.again(b"b")
    subject.remove(subscription)
    assert list(spoken(subject.commands())) == [(b"SUNSUBSCRIBE", [b"b"])]


TestJoinsAndLeavesInAnyOrder = LateServer.TestCase
TestJoinsAndLeavesInAnyOrder.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("kind", [Kind.SINGLE, Kind.CLUSTER])
def test_thousands_are_subscribed_in_chunks(kind: Kind) -> None:
    subject = Subscriptions(kind)
    names = [b"channel-%d" % number for number in range(TURN + 50)]
    for name in names:
        subject.add(Subscription(name, slot_of(name, kind)), believed=False)
    first = list(spoken(subject.commands()))
    assert subject.pending
    rest = list(spoken(subject.commands()))
    assert not subject.pending
    asked = [name for _, channels in first + rest for name in channels]
    assert sorted(asked) == sorted(names)
    most = CHUNK if kind is Kind.SINGLE else 1
    assert max(len(channels) for _, channels in first + rest) == most
    assert sum(len(channels) for _, channels in first) == TURN
