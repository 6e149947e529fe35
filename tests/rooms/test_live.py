"""A live room: the gate, authorship, presence, loading and letting go."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from gated_log import GatedLog
from handmade import item, update
from listeners import Listener
from pycrdt import Doc, Map, Text

from crdt import restoring
from crdt.codec import var_string
from crdt.document import Document
from crdt.errors import EngineRefused, LogUnavailable, Malformed
from crdt.log import FIRST_EPOCH, Entry
from rooms.documents.errors import Forged, Unavailable
from rooms.documents.live import Shelf
from rooms.documents.registry import Registry
from rooms.rights.access import Scope


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[GatedLog]:
    log = GatedLog(tmp_path)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def registry(log: GatedLog) -> AsyncIterator[Registry]:
    registry = Registry(Shelf(log), quiet=0.0)  # type: ignore[arg-type]
    yield registry
    log.release()
    await registry.drain()


async def until(true, seconds: float = 5.0) -> None:
    """Waits for what has to become true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def a_moment() -> None:
    """Long enough for anything that is going to leak to have leaked."""
    await asyncio.sleep(0.05)


async def pair(registry: Registry, name: str = "page/1") -> tuple[Listener, Listener]:
    room = registry.acquire(name)
    ana = await Listener(room, "ana").join()
    rui = await Listener(registry.acquire(name), "rui").join()
    await until(lambda: ana.acknowledged and rui.acknowledged)
    ana.acknowledged.clear()
    rui.acknowledged.clear()
    return ana, rui


class TestTheGate:
    async def test_nothing_leaves_while_the_log_hangs_and_all_of_it_afterwards(self, registry, log):
        ana, rui = await pair(registry)
        log.hold()
        before = len(rui.frames), len(ana.frames)
        ana.say("Hola ")
        ana.say("Porto")
        await a_moment()
        assert ana.acknowledged == []
        assert (len(rui.frames), len(ana.frames)) == before
        log.release()
        await until(lambda: rui.text == "Hola Porto")
        assert ana.acknowledged == [True, True]

    async def test_a_joiner_waits_for_the_commits_in_flight(self, registry, log):
        ana, _ = await pair(registry)
        log.hold()
        ana.say("secret until durable")
        eva = await Listener(registry.acquire("page/1"), "eva").join()
        await a_moment()
        assert eva.shown() == []
        log.release()
        await until(lambda: eva.text == "secret until durable")

    async def test_reading_over_rest_waits_too(self, registry, log):
        ana, _ = await pair(registry)
        log.hold()
        ana.say("x")
        reading = asyncio.ensure_future(ana.room.read())
        await a_moment()
        assert not reading.done()
        log.release()
        doc = Doc()
        doc.apply_update(await reading)
        assert str(doc.get("t", type=Text)) == "x"

    async def test_an_update_sent_twice_is_acknowledged_only_once_the_first_is_durable(self, registry, log):
        ana, _ = await pair(registry)
        log.hold()
        update = ana.say("x")
        ana.attachment.receive_update(update)
        await a_moment()
        assert ana.acknowledged == []
        log.release()
        await until(lambda: ana.acknowledged == [True, True])
        assert len(log.appended) == 1

    async def test_a_failed_commit_shows_nobody_anything_and_the_edit_returns_by_itself(self, registry, log):
        ana, rui = await pair(registry)
        ana.say("kept. ")
        await until(lambda: rui.text == "kept. ")
        ana.acknowledged.clear()
        log.hold()
        ana.say("one ")
        ana.say("two")
        log.fail()
        await until(lambda: ana.notices)
        await a_moment()
        assert ana.acknowledged == []
        assert rui.text == "kept. "
        assert ana.notices[-1] == {"type": "log", "state": "failing", "reason": "disk-full"}
        log.heal()
        await until(lambda: rui.text == "kept. one two")
        await until(lambda: ana.acknowledged == [True, True])
        assert ana.notices[-1]["state"] == "ok"

    async def test_edits_made_while_the_log_fails_are_taken_in_when_it_is_back(self, registry, log):
        ana, rui = await pair(registry)
        log.fail()
        ana.say("later")
        rui.say("too ")
        await a_moment()
        assert (ana.acknowledged, rui.acknowledged, log.appended) == ([], [], [])
        log.heal()
        await until(lambda: sorted([ana.text, rui.text]) in (["latertoo "] * 2, ["too later"] * 2))
        await until(lambda: ana.acknowledged == [True] and rui.acknowledged == [True])

    async def test_a_joiner_while_the_log_fails_reads_what_is_durable(self, registry, log):
        ana, _ = await pair(registry)
        ana.say("durable")
        await until(lambda: ana.acknowledged == [True])
        log.hold()
        ana.say(" not")
        log.fail()
        eva = await Listener(registry.acquire("page/1"), "eva").join()
        await until(lambda: eva.text == "durable")
        await a_moment()
        assert eva.text == "durable"

    async def test_rest_writing_says_unavailable_while_the_log_fails(self, registry, log):
        doc = Doc()
        doc["t"] = Text("x")
        async with registry.open("d") as room:
            log.hold()
            writing = asyncio.ensure_future(room.write(doc.get_update(), "token:a"))
            await a_moment()
            assert not writing.done()
            log.fail()
            with pytest.raises(LogUnavailable):
                await writing
            await room.ready()
            with pytest.raises(Unavailable):
                await room.write(doc.get_update(), "token:a")
            log.heal()
            await room.write(doc.get_update(), "token:a")

    async def test_a_log_that_hangs_for_long_does_not_fill_the_memory(self, registry, log):
        ana, rui = await pair(registry)
        limit = registry.shelf.inflight_bytes
        log.hold()
        for _ in range(3 * limit // 1_000_000):
            ana.say("x" * 1_000_000)
        assert sum(len(entry.update) for entry in log.appended) < limit + 1_100_000
        log.release()
        await until(lambda: rui.text == ana.text, 20)
        await until(lambda: len(ana.acknowledged) == 3 * limit // 1_000_000)


class TestAuthorship:
    async def test_new_structs_under_anothers_client_id_are_refused(self, registry):
        ana, rui = await pair(registry)
        ana.say("mine")
        await until(lambda: rui.text == "mine")
        forger = Doc(client_id=ana.doc.client_id)
        forger.apply_update(rui.doc.get_update())
        state = forger.get_state()
        forged = forger.get("t", type=Text)
        forged += " says Ana"
        rui.attachment.receive_update(forger.get_update(state))
        assert isinstance(rui.errors[0], Forged)
        assert rui.acknowledged == [False]
        await a_moment()
        assert ana.text == "mine"

    async def test_a_client_id_keeps_its_owner_over_a_restart_of_the_room(self, registry):
        ana, rui = await pair(registry)
        ana.say("mine")
        await until(lambda: rui.text == "mine")
        for listener in (ana, rui):
            listener.room.detach(listener.attachment)
            registry.release(listener.room)
        assert registry.sweep() == 1
        eva = await Listener(registry.acquire("page/1"), "eva", client_id=ana.doc.client_id).join()
        await until(lambda: eva.text == "mine")
        eva.say(" too")
        assert isinstance(eva.errors[0], Forged)

    async def test_repeating_what_others_wrote_is_no_forgery(self, registry):
        ana, rui = await pair(registry)
        ana.say("shared")
        await until(lambda: rui.text == "shared")
        rui.attachment.receive_step2(rui.doc.get_update())
        assert rui.errors == []
        assert rui.acknowledged == [True]

    async def test_repeating_what_waits_for_a_predecessor_is_no_forgery(self, registry):
        ana, rui = await pair(registry)
        ana.type("lost on the way ")
        ana.say("waits")
        await until(lambda: ana.acknowledged == [True])
        waiting = [payload for kind, payload in rui.frames if kind == "update"]
        rui.attachment.receive_update(waiting[-1])
        assert rui.errors == []


class TestReaders:
    async def test_updates_before_their_predecessor_are_relayed_and_survive_a_restart(self, registry):
        ana, rui = await pair(registry)
        first = ana.type("first ")
        ana.say("second")
        await until(lambda: ana.acknowledged == [True])
        assert rui.text == ""
        for listener in (ana, rui):
            listener.room.detach(listener.attachment)
            registry.release(listener.room)
        registry.sweep()
        eva = await Listener(registry.acquire("page/1"), "eva").join()
        ana2 = await Listener(registry.acquire("page/1"), "ana").join()
        ana2.attachment.receive_update(first)
        await until(lambda: eva.text == "first second")

    async def test_a_reconnect_that_brings_nothing_new_does_not_grow_the_log_lesson_24(self, registry, log):
        ana, rui = await pair(registry)
        with ana.doc.transaction():
            ana.doc.get("m", type=Map)["k"] = Map({"inner": Text("gone with its map")})
        del ana.doc.get("m", type=Map)["k"]
        ana.attachment.receive_update(ana.doc.get_update())
        await until(lambda: ana.acknowledged == [True])
        rui.attachment.receive_step1(rui.doc.get_state())
        ana.attachment.receive_step1(ana.doc.get_state())
        await until(lambda: len(ana.acknowledged) == 2 and rui.acknowledged == [True])
        assert len(log.appended) == 1

    async def test_malformed_bytes_are_refused_and_the_others_never_notice(self, registry):
        ana, rui = await pair(registry)
        ana.attachment.receive_update(b"\x01\xff\xff\xff\xff\x0f")
        assert isinstance(ana.errors[0], Malformed)
        assert ana.acknowledged == [False]
        rui.say("fine")
        await until(lambda: rui.acknowledged == [True])

    async def test_a_reader_without_the_right_to_write_changes_nothing_and_is_told(self, registry):
        ana, _ = await pair(registry)
        eva = await Listener(registry.acquire("page/1"), "eva", Scope.READONLY).join()
        await until(lambda: eva.acknowledged == [True])
        eva.say("graffiti")
        assert eva.acknowledged == [True, False]
        assert eva.notices[-1]["what"] == "locked"
        await a_moment()
        assert ana.text == ""

    async def test_a_reader_that_fell_behind_is_skipped_and_brought_up_to_date(self, registry, log):
        ana, rui = await pair(registry)
        log.hold()
        ana.say("in flight ")
        rui.attachment.fall_behind()
        log.release()
        ana.say("missed")
        await until(lambda: ana.acknowledged == [True, True])
        assert rui.text == ""
        rui.attachment.catch_up()
        await until(lambda: rui.text == "in flight missed")

    async def test_edits_of_one_turn_reach_a_reader_as_one_message(self, registry, log):
        ana, rui = await pair(registry)
        log.hold()
        for word in ("a", "b", "c"):
            ana.say(word)
        before = len(rui.shown())
        log.release()
        await until(lambda: rui.text == "abc")
        assert len(rui.shown()) - before < 3

    async def test_what_one_says_in_one_turn_is_one_entry_with_an_answer_for_each(self, registry, log):
        ana, rui = await pair(registry)
        for word in ("a", "b", "c"):
            ana.say(word)
        await until(lambda: rui.text == "abc" and ana.acknowledged == [True] * 3)
        assert len(log.appended) == 1
        ana.say("d")
        await until(lambda: rui.text == "abcd")
        assert len(log.appended) == 2

    async def test_an_update_that_is_refused_takes_none_of_its_turn_with_it(self, registry, log):
        ana, rui = await pair(registry)
        ana.say("a")
        ana.attachment.receive_update(b"\x01\x01\xff")
        await until(lambda: rui.text == "a" and True in ana.acknowledged)
        assert sorted(ana.acknowledged) == [False, True]

    async def test_who_asks_within_a_turn_is_told_of_all_that_was_taken_in(self, registry):
        ana, rui = await pair(registry)
        ana.say("a")
        ana.say("b")
        eva = await Listener(registry.acquire("page/1"), "eva").join()
        rui.doc.apply_update(ana.doc.get_update())
        rui.say("c")
        await until(lambda: ana.text == rui.text == eva.text == "abc")

    async def test_what_the_engine_cannot_decode_harms_its_sender_alone(self, registry, log):
        ana, rui = await pair(registry)
        ana.say("a")
        rui.attachment.receive_update(update((5, 0, [item(6, var_string("b") + b"\x05nulls")])))
        assert ana.room.active
        assert rui.acknowledged == [False]
        assert len(rui.errors) == 1
        await until(lambda: ana.acknowledged == [True])

    async def test_what_the_engine_refuses_at_the_end_of_a_turn_is_asked_for_again(
        self, registry, log, monkeypatch, caplog
    ):
        ana, rui = await pair(registry)

        def refuse(_: object) -> None:
            raise EngineRefused("a fault of the engine", poisoned=True)

        with monkeypatch.context() as patched:
            patched.setattr(Document, "settle", refuse)
            ana.say("a")
            ana.say("b")
            await asyncio.sleep(0)
        assert rui.text == ""
        await until(lambda: rui.text == "ab" and ana.acknowledged == [True, True])
        assert len(log.appended) == 1
        assert "a fault of the engine" in caplog.text

    async def test_people_who_write_in_one_turn_each_have_their_own_entry(self, registry, log):
        ana, rui = await pair(registry)
        ana.say("a")
        rui.say("b")
        ana.say("c")
        await until(lambda: len(ana.acknowledged) == 2 and rui.acknowledged == [True])
        assert [entry.subject for entry in log.appended] == [
            f"membership:{name}" for name in ("ana", "rui", "ana")
        ]
        await until(lambda: ana.text == rui.text and sorted(ana.text) == ["a", "b", "c"])


class TestPresence:
    async def test_it_is_stamped_by_the_server_and_shown_to_late_joiners(self, registry):
        ana, rui = await pair(registry)
        ana.presence(1, {"cursor": 4, "user": {"name": "The Head Teacher", "role": "admin"}})
        await until(lambda: rui.heard)
        assert rui.heard == {ana.doc.client_id: {"cursor": 4, "user": {"name": "ana"}}}
        eva = await Listener(registry.acquire("page/1"), "eva").join()
        assert eva.heard == rui.heard

    async def test_nobody_speaks_for_another(self, registry):
        ana, rui = await pair(registry)
        ana.presence(1, {"cursor": 1})
        await until(lambda: rui.heard)
        liar = Listener(ana.room, "liar", client_id=ana.doc.client_id)
        await liar.join()
        liar.presence(9, {"cursor": 99})
        liar.presence(10, None)
        await a_moment()
        assert rui.heard[ana.doc.client_id] == {"cursor": 1, "user": {"name": "ana"}}

    async def test_it_goes_with_its_owner_and_is_never_stored(self, registry, log):
        ana, rui = await pair(registry)
        ana.presence(1, {"cursor": 1})
        await until(lambda: rui.heard)
        ana.room.detach(ana.attachment)
        await until(lambda: rui.heard[ana.doc.client_id] is None)
        assert log.appended == []

    async def test_a_broken_line_that_is_back_in_time_never_seemed_to_be_gone(self, registry):
        ana, rui = await pair(registry)
        ana.presence(1, {"cursor": 1})
        await until(lambda: rui.heard)
        ana.room.detach(ana.attachment, grace=0.05)
        again = await Listener(registry.acquire("page/1"), "ana", client_id=ana.doc.client_id).join()
        again.presence(1, {"cursor": 1})
        await asyncio.sleep(0.1)
        assert rui.heard[ana.doc.client_id] is not None


class TestLife:
    async def test_a_hundred_first_openers_load_once_and_all_get_in_lesson_08(self, registry, log):
        loads = []
        load = log.load

        async def counted(document):
            loads.append(document)
            return await load(document)

        log.load = counted
        doc = Doc()
        doc["t"] = Text("first")
        await log.real.seed("page/1", doc.get_update(), "kit", "server:seed")
        everybody = await asyncio.gather(
            *(Listener(registry.acquire("page/1"), f"p{number}").join() for number in range(100))
        )
        await until(lambda: all(listener.text == "first" for listener in everybody))
        assert loads == ["page/1"]

    async def test_a_failed_load_never_gives_an_empty_document_lesson_10(self, registry, log):
        doc = Doc()
        doc["t"] = Text("there")
        await log.real.seed("page/1", doc.get_update(), "kit", "server:seed")
        load, failures = log.load, [LogUnavailable("broken", "io-error")] * 3

        async def flaky(document):
            if failures:
                raise failures.pop()
            return await load(document)

        log.load = flaky
        ana = await Listener(registry.acquire("page/1"), "ana").join()
        await until(lambda: ana.text == "there")
        assert failures == []

    async def test_a_log_that_holds_nonsense_is_tried_again_and_nobody_writes_meanwhile_lesson_10(
        self, registry, log
    ):
        doc = Doc()
        doc["t"] = Text("there")
        await log.real.seed("page/1", doc.get_update(), "kit", "server:seed")
        load, broken = log.load, [True]

        async def damaged(document):
            stored = await load(document)
            return replace(stored, tail=(b"\x07nonsense",)) if broken else stored

        log.load = damaged
        room = registry.acquire("page/1")
        joining = asyncio.ensure_future(Listener(room, "ana").join())
        await a_moment()
        assert not joining.done()
        assert not room.writable
        broken.clear()
        ana = await asyncio.wait_for(joining, 5)
        await until(lambda: ana.text == "there")

    async def test_a_class_that_opens_a_page_together_shares_one_answer_lesson_24(
        self, registry, log, monkeypatch
    ):
        answers = []
        diff = Document.diff

        def counted(document, state_vector):
            answers.append(state_vector)
            return diff(document, state_vector)

        monkeypatch.setattr(Document, "diff", counted)
        doc = Doc()
        doc["t"] = Text("first")
        await log.real.seed("page/1", doc.get_update(), "kit", "server:seed")
        everybody = await asyncio.gather(
            *(Listener(registry.acquire("page/1"), f"p{number}").join() for number in range(30))
        )
        await until(lambda: all(listener.text == "first" for listener in everybody))
        assert len(answers) == 1

    async def test_a_room_stays_until_everything_is_committed_lesson_11(self, registry, log):
        ana, rui = await pair(registry)
        log.hold()
        ana.say("last words")
        for listener in (ana, rui):
            listener.room.detach(listener.attachment)
            registry.release(listener.room)
        assert registry.sweep() == 0
        log.release()
        await until(lambda: registry.sweep() == 1)
        eva = await Listener(registry.acquire("page/1"), "eva").join()
        await until(lambda: eva.text == "last words")

    async def test_draining_commits_what_is_in_flight_and_takes_nothing_new_lesson_11(self, registry, log):
        ana, _ = await pair(registry)
        log.hold()
        ana.say("last words")
        draining = asyncio.ensure_future(registry.drain())
        await a_moment()
        assert not draining.done()
        log.release()
        await draining
        with pytest.raises(Unavailable):
            registry.acquire("page/1")
        stored = await log.load("page/1")
        assert stored.head_seq == 1

    async def test_ten_thousand_cycles_leave_nothing_behind_lesson_14(self, registry):
        loop = asyncio.get_running_loop()

        async def cycle(number: int) -> None:
            room = registry.acquire(f"page/{number % 50}")
            listener = Listener(room, "ana")
            await listener.join()
            listener.presence(1, {"cursor": number})
            room.detach(listener.attachment)
            registry.release(room)

        async def census() -> tuple[int, int, int, int, int]:
            registry.sweep()
            await a_moment()
            gc.collect()
            documents = sum(isinstance(thing, Document) for thing in gc.get_objects())
            timers = len([timer for timer in getattr(loop, "_scheduled", ()) if not timer.cancelled()])
            files = psutil.Process().num_fds()
            return len(registry), len(asyncio.all_tasks()), documents, timers, files

        await cycle(0)
        before = await census()
        for start in range(0, 10_000, 50):
            await asyncio.gather(*(cycle(start + number) for number in range(50)))
            registry.sweep()
        assert await census() == before
        assert before[0] == 0


class TestALargeDocument:
    """It is shown as soon as the engine has it, and read after that."""

    @pytest.fixture
    async def stored(self, log: GatedLog) -> str:
        doc: Doc[Text] = Doc(client_id=5)
        words = doc.get("t", type=Text)
        for number in range(3000):
            words.insert(number * 7 % (number + 1), "word ")
        await log.append(Entry("page/1", FIRST_EPOCH, doc.get_update(), "membership:old", (5,), 0.0))
        return str(words)

    @pytest.fixture
    def read_never(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rooms.documents.live.READ_AFTER_SECONDS", 1000.0)

    @pytest.fixture
    def read_soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rooms.documents.live.READ_AFTER_SECONDS", 0.3)

    async def test_readers_have_it_before_it_is_read(self, registry, stored, read_never):
        ana, rui = await pair(registry)
        assert ana.text == rui.text == stored
        assert ana.room._document.unread
        assert ana.room.active

    async def test_it_is_read_when_they_have_it(self, registry, stored):
        ana, _ = await pair(registry)
        await until(lambda: not ana.room._document.unread)
        assert not ana.room.busy

    async def test_an_edit_that_comes_before_is_asked_for_when_it_is_read(self, registry, stored, read_soon):
        ana, rui = await pair(registry)
        ana.say("Hola ")
        ana.say("Porto ")
        assert ana.room._document.unread
        assert ana.acknowledged == []
        await until(lambda: rui.text == ana.text and "Hola Porto " in rui.text)
        assert ana.acknowledged == [True, True]

    async def test_who_has_nothing_new_is_answered_at_once(self, registry, stored, read_never):
        """`pair` waits for the answers to what both said when they came."""
        ana, rui = await pair(registry)
        assert ana.room._document.unread
        assert not ana.attachment.stale
        assert not rui.attachment.stale

    async def test_what_other_nodes_commit_is_shown_when_it_is_read(self, registry, stored, read_soon):
        ana, rui = await pair(registry)
        edit = Doc(client_id=9)
        edit.get("t", type=Text).insert(0, "from elsewhere ")
        ana.room._take_remote([edit.get_update()], [(9, "membership:eva")])
        assert ana.room._document.unread
        await until(lambda: "from elsewhere " in rui.text)
        assert not ana.room._document.unread
        assert ana.room.owners[9] == "membership:eva"

    async def test_a_reading_that_breaks_is_no_end_of_writing(self, registry, stored, monkeypatch):
        tries = []

        def study(*arguments):
            tries.append(arguments)
            if len(tries) < 3:
                raise MemoryError
            return restoring.study(*arguments)

        monkeypatch.setattr("rooms.documents.live.study", study)
        ana, _ = await pair(registry)
        ana.say("Hola ")
        await until(lambda: ana.acknowledged == [True])

    async def test_who_writes_over_rest_waits_for_it(self, registry, stored, read_soon):
        ana, rui = await pair(registry)
        await ana.room.write(ana.type("Hola "), "membership:ana")
        assert not ana.room._document.unread
        await until(lambda: rui.text == ana.text)

    async def test_what_cannot_be_read_is_loaded_again(self, registry, stored, monkeypatch):
        tries = []

        def study(*arguments):
            tries.append(arguments)
            if len(tries) == 1:
                raise Malformed("parent", 0)
            return restoring.study(*arguments)

        monkeypatch.setattr("rooms.documents.live.study", study)
        ana, _ = await pair(registry)
        await until(lambda: len(tries) == 2 and ana.room.active)
        assert not ana.room._document.unread
        ana.say("Hola ")
        await until(lambda: ana.acknowledged == [True])
