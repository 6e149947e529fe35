"""Two honest people on one document who must never notice what somebody else tries there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from served import Server
from websockets.exceptions import ConnectionClosed
from wire import AWARENESS, SYNC, Line, Writer, awareness, hocuspocus, plain, presences, step2, update

__all__ = ["HonestPair", "honest_pair"]

PAUSE = 0.02
"""Seconds between keystrokes."""


class HonestPair:
    """Ana types without a pause (Hocuspocus framing), Rui reads (y-websocket framing)."""

    def __init__(self, server: Server, document: str, ana: Line, rui: Line) -> None:
        self.server = server
        self.document = document
        self.writer = Writer()
        self.reader = Writer()
        self.typed = 0
        self.acknowledged = 0
        self.trouble: list[str] = []
        self._ana = ana
        self._rui = rui

    @property
    def ana_id(self) -> int:
        """The client id that a forger would like to write under."""
        return self.writer.doc.client_id

    async def type_on(self) -> None:
        while True:
            await self._ana.say(SYNC, update(self.writer.insert(f"{self.typed} ")), self.document)
            self.typed += 1
            if self.typed % 10 == 0:
                state = {"word": "ana", "at": self.typed}
                await self._ana.say(AWARENESS, awareness({self.ana_id: (self.typed, state)}), self.document)
            await asyncio.sleep(PAUSE)

    async def listen(self, line: Line, name: str) -> None:
        while True:
            frame = await line.hear(60)
            word = frame.word
            if word == "status 1":
                self.acknowledged += 1
            elif word == "awareness":
                for client, (_, state) in presences(frame.body).items():
                    if client == self.ana_id and (state or {}).get("word") != "ana":
                        self.trouble.append(f"{name} saw ana as {state}")
            elif word == "update" and name == "rui":
                self.reader.apply([frame])
            elif word == "step1" and name == "rui":
                await line.say(SYNC, step2())
            elif word not in ("step1", "step2", "update", "type 9"):
                self.trouble.append(f"{name} heard {word!r}")

    async def fine(self, more: int = 10) -> None:
        """Insists that so many further edits are acknowledged and read, and that nothing odd was heard."""
        goal = self.typed + more
        try:
            async with asyncio.timeout(20):
                while not (self.acknowledged > goal and f" {goal} " in self.reader.text) and not self.trouble:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            self.trouble.append(f"typed {self.typed}, acknowledged {self.acknowledged}, wanted {goal}")
        assert self.trouble == []
        assert self.server.running, self.server.said()


@asynccontextmanager
async def honest_pair(server: Server, document: str) -> AsyncIterator[HonestPair]:
    """Ana and Rui at work. In the end all that was typed is there, once, in order, for a newcomer too."""
    async with (
        hocuspocus(server.ws) as ana,
        plain(server.ws, document, server.token(document, subject="rui")) as rui,
    ):
        await ana.log_in(document, server.token(document, subject="ana"))
        await ana.sync(document)
        await rui.sync()
        pair = HonestPair(server, document, ana, rui)
        typing = asyncio.create_task(pair.type_on())
        listening = [
            asyncio.create_task(pair.listen(ana, "ana")),
            asyncio.create_task(pair.listen(rui, "rui")),
        ]
        try:
            await pair.fine()
            yield pair
            await pair.fine()
        finally:
            typing.cancel()
            done = await asyncio.gather(typing, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError), f"ana could not type on: {done[0]!r}"
        try:
            async with asyncio.timeout(20):
                while pair.reader.text != pair.writer.text:
                    await asyncio.sleep(0.01)
        finally:
            for task in listening:
                task.cancel()
            ended = await asyncio.gather(*listening, return_exceptions=True)
        for outcome in ended:
            assert not isinstance(outcome, ConnectionClosed), f"an honest socket was closed: {outcome!r}"
        whole = "".join(f"{number} " for number in range(pair.typed))
        assert pair.writer.text == whole
        async with plain(server.ws, document, server.token(document, subject="eva")) as eva:
            newcomer = Writer()
            newcomer.apply(await eva.sync())
            assert newcomer.text == whole
        assert pair.trouble == []
