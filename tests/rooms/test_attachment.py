"""One socket's hold on a live room when things cross: rights, failures and answers that are under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from gated_log import GatedLog
from listeners import Listener

from crdt.document import Document
from crdt.errors import EngineRefused
from rooms.documents.attachment import MOST_OWED, UNANSWERED
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
    registry = Registry(Shelf(log))  # type: ignore[arg-type]
    yield registry
    log.release()
    await registry.drain()


async def until(true, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def a_moment() -> None:
    await asyncio.sleep(0.05)


async def join(registry: Registry, name: str, scope: Scope = Scope.READ_WRITE) -> Listener:
    listener = await Listener(registry.acquire("page/1"), name, scope).join()
    await until(lambda: listener.acknowledged)
    listener.acknowledged.clear()
    return listener


def hold_loads(log: GatedLog) -> asyncio.Event:
    """Loads hang until the event is set."""
    gate, load = asyncio.Event(), log.load

    async def late(document: str):
        await gate.wait()
        return await load(document)

    log.load = late  # type: ignore[method-assign]
    return gate


def give(listener: Listener, scope: Scope) -> None:
    listener.attachment.take_access(replace(listener.attachment.access, scope=scope))


class TestRights:
    async def test_a_writer_whose_right_comes_back_is_asked_for_what_was_refused_meanwhile(self, registry):
        ana, rui = await join(registry, "ana"), await join(registry, "rui")
        give(ana, Scope.READONLY)
        ana.say("sent as the lock fell, ")
        assert ana.acknowledged == [False]
        give(ana, Scope.READ_WRITE)
        ana.say("and after it")
        await until(lambda: rui.text == "sent as the lock fell, and after it")
        await until(lambda: ana.acknowledged == [False, True, True])

    async def test_a_right_that_comes_back_while_the_log_fails_asks_once_the_log_is_back(self, registry, log):
        ana, rui = await join(registry, "ana"), await join(registry, "rui")
        give(ana, Scope.READONLY)
        ana.say("kept")
        log.fail()
        give(ana, Scope.READ_WRITE)
        log.heal()
        await until(lambda: rui.text == "kept")

    async def test_a_reader_is_not_told_that_something_is_saved_before_it_is(self, registry, log):
        ana, eva = await join(registry, "ana"), await join(registry, "eva", Scope.READONLY)
        log.hold()
        update = ana.say("x")
        eva.attachment.receive_step2(update)
        await a_moment()
        assert eva.acknowledged == []
        log.release()
        await until(lambda: eva.acknowledged == [True])

    async def test_a_reader_is_not_told_that_something_is_saved_when_it_was_lost(self, registry, log):
        ana, eva = await join(registry, "ana"), await join(registry, "eva", Scope.READONLY)
        loads = hold_loads(log)
        log.hold()
        update = ana.say("x")
        log.fail()
        await until(lambda: not ana.room.active)
        eva.attachment.receive_step2(update)
        await a_moment()
        assert eva.acknowledged == []
        loads.set()
        await until(lambda: ana.room.active)

    async def test_what_is_owed_to_somebody_who_writes_on_without_the_right_is_bounded(self, registry):
        eva = await join(registry, "eva", Scope.READONLY)
        update = eva.type("x")
        for _ in range(MOST_OWED + 10):
            eva.attachment.receive_update(update)
        eva.acknowledged.clear()
        give(eva, Scope.READ_WRITE)
        await until(lambda: eva.acknowledged)
        assert len(eva.acknowledged) == MOST_OWED


class TestLeaving:
    async def test_an_answer_under_way_does_not_reach_whoever_has_lost_the_document(self, registry, log):
        ana, eva = await join(registry, "ana"), await join(registry, "eva", Scope.READONLY)
        log.hold()
        ana.say("not for eva any more")
        eva.attachment.receive_step1(b"\x00")
        await a_moment()
        eva.room.detach(eva.attachment)
        before = len(eva.frames)
        log.release()
        await until(lambda: ana.acknowledged == [True])
        await a_moment()
        assert len(eva.frames) == before

    async def test_whoever_caught_up_and_left_gets_nothing_any_more(self, registry, log):
        ana, eva = await join(registry, "ana"), await join(registry, "eva", Scope.READONLY)
        eva.attachment.fall_behind()
        log.hold()
        ana.say("not for eva any more")
        eva.attachment.catch_up()
        eva.room.detach(eva.attachment)
        before = len(eva.frames)
        log.release()
        await until(lambda: ana.acknowledged == [True])
        assert len(eva.frames) == before

    async def test_a_line_that_closed_hears_no_status_so_that_a_new_one_counts_its_own(self, registry, log):
        ana = await join(registry, "ana")
        log.hold()
        ana.say("x")
        ana.room.detach(ana.attachment)
        log.release()
        await until(lambda: not ana.room.busy)
        assert ana.acknowledged == []

    async def test_who_asked_who_is_here_and_left_is_not_told(self, registry):
        ana, eva = await join(registry, "ana"), await join(registry, "eva")
        ana.presence(1, {})
        await until(lambda: eva.heard)
        eva.attachment.receive_query()
        eva.room.detach(eva.attachment)
        before = len(eva.frames)
        await a_moment()
        assert [frame for frame in eva.frames[before:] if frame[0] == "awareness"] == []


class TestFailures:
    async def test_a_reader_that_falls_behind_during_a_reload_misses_nothing(self, registry, log):
        ana, rui = await join(registry, "ana"), await join(registry, "rui")
        loads = hold_loads(log)
        log.hold()
        ana.say("said again after the failure")
        log.fail()
        await until(lambda: not ana.room.active)
        rui.attachment.fall_behind()
        loads.set()
        log.heal()
        await until(lambda: ana.acknowledged == [True])
        rui.attachment.catch_up()
        await until(lambda: rui.text == "said again after the failure")

    async def test_a_document_the_engine_spoiled_comes_back_with_the_edits_in_flight(
        self, registry, log, monkeypatch
    ):
        ana, rui = await join(registry, "ana"), await join(registry, "rui")
        log.hold()
        ana.say("in flight")

        def spoil(*_, **__):
            raise EngineRefused("it takes too long.", poisoned=True)

        with monkeypatch.context() as patched:
            patched.setattr(Document, "apply", spoil)
            rui.say("bad")
        await a_moment()
        log.release()
        await until(lambda: ana.acknowledged == [True])
        eva = await Listener(registry.acquire("page/1"), "eva").join()
        await until(lambda: eva.text == "in flight")

    async def test_a_client_that_never_answers_is_not_asked_for_ever(self, registry):
        ana = await join(registry, "ana")
        ana.answers_step1 = False
        before = len(ana.frames)
        for _ in range(3 * UNANSWERED):
            ana.attachment.receive_step1(b"\x00")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        asked = [frame for frame in ana.frames[before:] if frame[0] == "step1"]
        answers = [frame for frame in ana.frames[before:] if frame[0] == "step2"]
        assert len(asked) == UNANSWERED < len(answers)


async def test_answers_do_not_pile_up_in_a_full_socket(registry, log):
    ana = await join(registry, "ana")
    ana.say("a whole page")
    await until(lambda: ana.acknowledged == [True])
    eva = Listener(registry.acquire("page/1"), "eva")
    eva.full = True
    await eva.join()
    await a_moment()
    await a_moment()
    assert eva.shown() == []
    eva.full = False
    await until(lambda: eva.text == "a whole page")


async def test_catching_up_waits_for_room_in_the_socket_and_misses_nothing(registry, log):
    ana, eva = await join(registry, "ana"), await join(registry, "eva")
    eva.attachment.fall_behind()
    ana.say("missed ")
    await until(lambda: ana.acknowledged == [True])
    eva.full = True
    eva.attachment.catch_up()
    await a_moment()
    ana.say("too")
    await until(lambda: ana.acknowledged == [True, True])
    assert eva.text == ""
    eva.full = False
    await until(lambda: eva.text == "missed too")
