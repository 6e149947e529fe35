"""Several nodes on one log: every reader has everything, whatever the bus loses, doubles or reorders."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from gated_log import GatedLog
from listeners import Listener
from neighbours import Neighbour, neighbours

from crdt.log import LogSettings
from crdt.log.sqlite import SqliteLog
from rooms.bus.local import LocalBus
from rooms.bus.messages import Committed, Heads, Hint, Leaving
from rooms.documents import nodes as nodes_module
from rooms.documents.live import Shelf
from rooms.documents.nodes import Nodes
from rooms.documents.registry import Registry

PAGE = "page/1"


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(tmp_path)
    await log.open()
    yield log
    await log.close()


async def until(true, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def head(node: Neighbour) -> int:
    room = node.registry.get(PAGE)
    assert room is not None
    return room.replication.head


class TestTwoNodes:
    async def test_an_edit_reaches_the_readers_of_the_other_node_after_its_commit(self, log):
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            ana.say("Hola")
            await until(lambda: rui.text == "Hola" and ana.acknowledged)
            assert head(one) == head(two) == 1

    async def test_nothing_reaches_the_other_node_before_it_is_durable(self, tmp_path):
        gated = GatedLog(tmp_path)
        await gated.open()
        async with neighbours(gated) as (one, two):  # type: ignore[arg-type]
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            gated.hold()
            ana.say("secret until durable")
            await asyncio.sleep(0.05)
            assert rui.text == ""
            assert not any(isinstance(each, Committed) for each in one.bus.sent)
            gated.release()
            await until(lambda: rui.text == "secret until durable")
        await gated.close()

    async def test_a_batch_is_one_message(self, tmp_path):
        class Grouped(GatedLog):
            """Its commits are told of together, as those of one group are."""

            def append(self, entry):
                done = asyncio.get_running_loop().create_future()
                self.group.append((self.real.append(entry), done))
                return done

            async def tell(self):
                for sequence, done in [(await commit, done) for commit, done in self.group]:
                    done.set_result(sequence)

        grouped = Grouped(tmp_path)
        grouped.group = []
        await grouped.open()
        async with neighbours(grouped) as (one, two):  # type: ignore[arg-type]
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            for word in ("one ", "two ", "three"):
                ana.say(word)
                await asyncio.sleep(0)  # what is said in one turn is one entry
            await grouped.tell()
            await until(lambda: rui.text == "one two three")
            said = [each for each in one.bus.sent if isinstance(each, Committed)]
            assert [len(each.updates) for each in said] == [3]
        await grouped.close()

    async def test_a_client_id_that_was_first_used_elsewhere_belongs_to_its_writer_here_too(self, log):
        async with neighbours(log) as (one, two):
            ana, eva = await one.join(PAGE, "ana"), await two.join(PAGE, "eva")
            ana.say("mine")
            await until(lambda: eva.text == "mine")
            forger = await two.join(PAGE, "forger", client_id=ana.doc.client_id)
            forger.answers_step1 = False
            forger.say(" forged")
            await until(lambda: forger.errors)
            assert forger.errors[0].code == "forged-author"
            assert (await log.load(PAGE)).head_seq == 1

    async def test_two_nodes_that_both_believe_a_client_id_free_do_not_both_get_it(self, log):
        """The log decides; the loser's document is loaded anew, and its readers miss nothing."""
        async with neighbours(log, loss=1.0) as (one, two):
            ana = await one.join(PAGE, "ana", client_id=7)
            eva = await two.join(PAGE, "eva")
            forger = await two.join(PAGE, "forger", client_id=7)
            ana.say("first")
            await until(lambda: ana.acknowledged == [True])
            eva.say("honest ")
            forger.say("forged")
            await until(lambda: forger.errors)
            await until(lambda: eva.text in ("firsthonest ", "honest first"))
            assert True in eva.acknowledged
            subjects = [entry.subject async for entry in log.history(PAGE)]
            assert sorted(subjects) == ["membership:ana", "membership:eva"]

    async def test_a_large_update_is_pulled_from_the_log(self, log):
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            room = two.registry.get(PAGE)
            assert room is not None
            text = "x" * 100_000
            one.bus.loss = 1.0
            ana.say(text)
            await until(lambda: ana.acknowledged)
            room._hear_node("node-0", Hint(PAGE, 1, 1))
            await until(lambda: rui.text == text)


class TestALossyBus:
    async def test_a_lost_message_is_noticed_by_the_next_one(self, log):
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            one.bus.loss = 1.0
            ana.say("lost ")
            await until(lambda: ana.acknowledged == [True])
            one.bus.loss = 0.0
            ana.say("found")
            await until(lambda: rui.text == "lost found", 0.8)

    async def test_the_last_message_lost_is_noticed_by_a_heartbeat(self, log):
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            one.bus.loss = 1.0
            ana.say("lost")
            await until(lambda: ana.acknowledged == [True])
            one.bus.loss = 0.0
            await until(lambda: rui.text == "lost", 2.5)

    async def test_whoever_joins_has_what_was_acknowledged_on_another_node_though_nobody_said_so(self, log):
        async with neighbours(log) as (one, two):
            ana, _ = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            one.bus.loss = 1.0
            ana.say("acknowledged")
            await until(lambda: ana.acknowledged == [True])
            eva = await two.join(PAGE, "eva")
            await until(lambda: eva.text == "acknowledged", 0.5)
            async with two.registry.open(PAGE) as room:
                assert b"acknowledged" in await room.read()

    async def test_what_was_pruned_is_loaded_anew(self, tmp_path):
        now = [1_000_000.0]
        log = SqliteLog(tmp_path, LogSettings(history_days=1), clock=lambda: now[0])
        await log.open()
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            one.bus.loss = 1.0
            for room in (one.registry.get(PAGE), two.registry.get(PAGE)):
                assert room is not None
                room._shelf = replace(room._shelf, wall_clock=lambda: now[0])
            ana.say("long ")
            ana.say("ago ")
            await until(lambda: ana.acknowledged == [True, True])
            assert await log.compact(PAGE)
            now[0] += 3 * 86_400
            await log.prune()
            one.bus.loss = 0.0
            ana.say("now")
            await until(lambda: rui.text == "long ago now")
            rui.say("!")
            await until(lambda: ana.text == "long ago now!")
        await log.close()

    @pytest.mark.parametrize("seed", range(8))
    async def test_all_readers_are_equal_at_the_end(self, log, seed):
        """Three nodes, two writers each, a bus that loses, doubles and delays a third of what it is given."""
        rng = random.Random(seed)
        async with neighbours(log, 3, seed=seed, loss=0.3, doubled=0.3, delayed=0.3) as three:
            people = [await node.join(PAGE, f"{n}-{i}") for n, node in enumerate(three) for i in range(2)]
            said = 0
            for _ in range(60):
                rng.choice(people).say(f"{said} ")
                said += 1
                await asyncio.sleep(rng.choice((0.0, 0.0, 0.002, 0.01)))
            for node in three:
                node.bus.loss = node.bus.doubled = node.bus.delayed = 0.0
            await until(lambda: sum(len(person.acknowledged) for person in people) >= said)
            await until(lambda: len({person.text for person in people}) == 1, 3.0)
            assert sorted(people[0].text.split(), key=int) == [str(number) for number in range(said)]
            assert {head(node) for node in three} == {said}
            stored = await log.load(PAGE)
            assert stored.head_seq == said


class TestANodeThatIsNotHeard:
    async def test_what_it_wrote_is_looked_up_in_the_log(self, tmp_path, monkeypatch):
        """It cannot reach the bus, or has died between a commit and the message about it."""
        monkeypatch.setattr(nodes_module, "DEAF_AFTER", 0.3)
        monkeypatch.setattr(nodes_module, "BEAT", 0.1)
        turns: dict[str, int] = {}

        class Telling(GatedLog):
            async def turns(self):
                return dict(turns)

        log = Telling(tmp_path)
        await log.open()
        async with neighbours(log) as (one, two):  # type: ignore[arg-type]
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            await asyncio.sleep(0.2)
            one.bus.loss = 1.0
            ana.say("unheard")
            await until(lambda: ana.acknowledged == [True])
            turns["node-0"] = 1
            await until(lambda: rui.text == "unheard", 2.0)
        await log.close()

    async def test_its_people_go_after_a_while(self, log, monkeypatch):
        monkeypatch.setattr(nodes_module, "GONE_AFTER", 0.4)
        monkeypatch.setattr(nodes_module, "BEAT", 0.1)
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            ana.presence(1, {"cursor": 1})
            await until(lambda: rui.heard.get(ana.doc.client_id) is not None)
            await until(lambda: two.nodes.others == {"node-0"})
            one.bus.loss = 1.0
            await until(lambda: rui.heard.get(ana.doc.client_id) is None, 2.0)
            assert two.nodes.others == set()

    async def test_one_that_leaves_takes_its_people_along_soon(self, log, monkeypatch):
        monkeypatch.setattr(nodes_module, "LEAVING_GRACE", 0.2)
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            ana.presence(1, {"cursor": 1})
            await until(lambda: rui.heard.get(ana.doc.client_id) is not None)
            await until(lambda: two.nodes.others == {"node-0"})
            one.bus.send(Leaving())
            await until(lambda: rui.heard.get(ana.doc.client_id) is None, 0.5)


class TestANodeThatCannotReadRights:
    async def test_shows_nothing_of_other_nodes_until_it_can(self, log):
        """Somebody who reads there may have been removed meanwhile."""
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            eva = await two.join("notes", "eva")
            two.rights_outdated.append(True)
            ana.say("secret")
            ana.presence(1, {"cursor": 1})
            tom = await one.join("notes", "tom")
            tom.say("no page of a space")
            await until(lambda: ana.acknowledged and eva.text == "no page of a space")
            await asyncio.sleep(1.2)
            assert (rui.text, rui.heard) == ("", {})
            two.rights_outdated.clear()
            await until(lambda: rui.text == "secret", 2.5)


class TestPresenceAcrossNodes:
    async def test_who_joins_sees_people_on_other_nodes_stamped(self, log):
        async with neighbours(log) as (one, two):
            ana = await one.join(PAGE, "ana")
            ana.presence(1, {"cursor": 1, "user": {"name": "somebody else"}})
            await asyncio.sleep(0.01)
            rui = await two.join(PAGE, "rui")
            await until(lambda: ana.doc.client_id in rui.heard)
            assert rui.heard[ana.doc.client_id] == {"cursor": 1, "user": {"name": "ana"}}

    async def test_who_leaves_is_gone_everywhere(self, log):
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            ana.presence(1, {"cursor": 1})
            await until(lambda: rui.heard.get(ana.doc.client_id) is not None)
            ana.room.detach(ana.attachment)
            await until(lambda: rui.heard[ana.doc.client_id] is None)

    async def test_nobody_speaks_for_a_person_on_another_node(self, log):
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            ana.presence(1, {"cursor": 1})
            await until(lambda: rui.heard.get(ana.doc.client_id) is not None)
            forger = await two.join(PAGE, "forger", client_id=ana.doc.client_id)
            forger.presence(5, {"cursor": 666})
            await asyncio.sleep(0.05)
            assert rui.heard[ana.doc.client_id]["cursor"] == 1
            assert ana.heard[ana.doc.client_id]["cursor"] == 1

    async def test_who_comes_back_through_another_node_never_seemed_to_be_gone(self, log):
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            ana.presence(3, {"cursor": 1})
            await until(lambda: rui.heard.get(ana.doc.client_id) is not None)
            ana.room.detach(ana.attachment, grace=0.1)
            back = await two.join(PAGE, "ana", client_id=ana.doc.client_id)
            back.presence(3, {"cursor": 1})
            rui.frames.clear()
            await asyncio.sleep(0.3)
            assert rui.heard[ana.doc.client_id] is not None
            back.presence(4, {"cursor": 2})
            await until(lambda: rui.heard[ana.doc.client_id]["cursor"] == 2)
            assert one.registry.get(PAGE).people()[0]["cursor"] == 2

    async def test_who_comes_back_when_a_node_stops_never_seemed_to_be_gone(self, log, monkeypatch):
        monkeypatch.setattr(nodes_module, "LEAVING_GRACE", 0.4)
        async with neighbours(log) as (one, two):
            ana, rui = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            ana.presence(3, {"cursor": 1})
            await until(lambda: rui.heard.get(ana.doc.client_id) is not None)
            await until(lambda: two.nodes.others == {"node-0"})
            seen: list[object] = []
            monkeypatch.setattr(rui, "heard", Recorded(rui.heard, seen))
            await one.registry.drain()
            ana.room.detach(ana.attachment)
            one.bus.send(Leaving())
            back = await two.join(PAGE, "ana", client_id=ana.doc.client_id)
            back.presence(3, {"cursor": 1})
            await asyncio.sleep(0.6)
            assert two.nodes.others == set()
            assert (ana.doc.client_id, None) not in seen
            assert rui.heard[ana.doc.client_id] is not None


class Recorded(dict):
    """A mapping that notes what is set."""

    def __init__(self, values: dict, seen: list[object]) -> None:
        super().__init__(values)
        self.seen = seen

    def __setitem__(self, key: object, value: object) -> None:
        self.seen.append((key, value))
        super().__setitem__(key, value)


class TestNodesWithoutABus:
    async def test_they_find_each_others_edits_in_the_log_and_say_what_is_wrong(self, tmp_path, monkeypatch):
        monkeypatch.setattr(nodes_module, "DEAF_AFTER", 0.2)
        monkeypatch.setattr(nodes_module, "BEAT", 0.1)
        turns = {"a": 0, "b": 0}

        class Shared(GatedLog):
            async def turns(self):
                return dict(turns)

        log = Shared(tmp_path)
        await log.open()
        async with AsyncExitStack() as stack:
            registries = []
            for name in turns:
                bus = LocalBus(node=name)
                registry = Registry(Shelf(log, bus), quiet=0.0)  # type: ignore[arg-type]
                nodes = Nodes(registry, bus, log, records_changed=lambda _: None)  # type: ignore[arg-type]
                stack.push_async_callback(registry.drain)
                await stack.enter_async_context(nodes.running())
                registries.append((registry, nodes))
            (one, _), (two, watching) = registries
            ana = await Listener(one.acquire(PAGE), "ana").join()
            rui = await Listener(two.acquire(PAGE), "rui").join()
            await asyncio.sleep(0.2)
            assert watching.strangers == ""
            ana.say("Hola")
            turns["a"] += 1
            await until(lambda: rui.text == "Hola", 2.0)
            assert "--redis" in watching.strangers
        await log.close()


class TestWhatANodeSays:
    async def test_its_heartbeat_names_what_it_wrote_lately_and_no_more(self, log, monkeypatch):
        monkeypatch.setattr(nodes_module, "BEAT", 0.02)
        monkeypatch.setattr(nodes_module, "REPEATED", 3)
        async with neighbours(log) as (one, two):
            ana, _ = await one.join(PAGE, "ana"), await two.join(PAGE, "rui")
            ana.say("x")
            await until(lambda: len([each for each in one.bus.sent if isinstance(each, Heads)]) > 12)
            named = [dict(each.heads) for each in one.bus.sent if isinstance(each, Heads) and each.heads]
            assert named == [{PAGE: (1, 1)}] * 3

    async def test_a_change_of_rights_wakes_the_others_and_not_itself(self, log):
        async with neighbours(log) as (one, two):
            one.nodes.say_changed(17)
            await until(lambda: two.told_of_changes == [17])
            assert one.told_of_changes == []
