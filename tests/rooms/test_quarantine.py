"""Refused bytes are kept aside, within bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gated_log import GatedLog
from listeners import Listener

from crdt.errors import EngineRefused
from rooms.documents.live import Shelf
from rooms.documents.quarantine import Quarantine
from rooms.documents.registry import Registry


def kept(folder: Path) -> list[bytes]:
    return sorted(file.read_bytes() for file in folder.iterdir())


def test_the_same_bytes_are_kept_once_and_a_restart_knows_them(tmp_path):
    folder = tmp_path / "refused"
    Quarantine(folder).keep(b"a")
    again = Quarantine(folder)
    again.keep(b"a")
    again.keep(b"b")
    assert kept(folder) == [b"a", b"b"]


def test_it_is_bounded_in_number_and_size(tmp_path):
    quarantine = Quarantine(tmp_path, files=2, file_bytes=3)
    for update in (b"four", b"a", b"b", b"c"):
        quarantine.keep(update)
    assert kept(tmp_path) == [b"a", b"b"]


def test_a_folder_that_cannot_be_written_harms_nobody(tmp_path):
    (tmp_path / "file").touch()
    Quarantine(tmp_path / "file" / "below").keep(b"x")


@pytest.mark.parametrize("step", ["judge", "apply"])
async def test_what_the_engine_refuses_is_kept_and_the_room_goes_on(tmp_path, monkeypatch, step):
    log = GatedLog(tmp_path)
    await log.open()
    registry = Registry(Shelf(log, quarantine=Quarantine(tmp_path / "refused")))
    ana = await Listener(registry.acquire("page/1"), "ana").join()
    ana.attachment.access = replace(ana.attachment.access, space="rivers")
    assert ana.attachment.access.minds_protection

    def refuse(*_: object, **__: object) -> None:
        raise EngineRefused("a fault of the engine", poisoned=True)

    with monkeypatch.context() as patched:
        patched.setattr(ana.room._document, step, refuse)
        update = ana.say("x")
    assert kept(tmp_path / "refused") == [update]
    assert isinstance(ana.errors[0], EngineRefused)
    await ana.room.ready()
    ana.attachment.receive_update(update)
    await registry.drain()
    assert ana.acknowledged[-1] is True
    await log.close()
