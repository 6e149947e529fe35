"""The real server, with a log that waits or fails as the file DATA/gate says: ``hold``, ``fail`` or ``open``.

    python gated_server.py serve --port 0 --data DATA

Everything but the moment of an append is the product's own.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from gated_log import GatedLog

import server.cluster
from server.cli import main


class GateByFile(GatedLog):
    def __init__(self, data: Path, *_: Any) -> None:
        super().__init__(data)
        self._file = data / "gate"
        self._watcher: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await super().open()
        self._watcher = asyncio.create_task(self._watch())

    async def close(self) -> None:
        assert self._watcher is not None
        self._watcher.cancel()
        await super().close()

    async def _watch(self) -> None:
        before = ""
        while True:
            wish = self._file.read_text() if self._file.exists() else "open"
            if wish != before:
                if wish == "hold":
                    self.hold()
                elif wish == "fail":
                    self.fail()
                else:
                    self.heal()
                    self.release()
                self._file.with_name("gate.is").write_text(wish)
                before = wish
            await asyncio.sleep(0.01)


if __name__ == "__main__":
    server.cluster.SqliteLog = GateByFile  # type: ignore[misc, assignment]
    main()
