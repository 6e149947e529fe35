"""Python clients that nobody here wrote: pycrdt's provider, and y-py as a legacy peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import y_py
from pycrdt import Channel, Doc, Provider, Text
from served import Server
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from wire import EMPTY_UPDATE, SYNC, Line, plain, step2, update


class WebSocketChannel(Channel):
    """What pycrdt's documentation shows: the provider's way to a WebSocket."""

    def __init__(self, ws: ClientConnection, path: str) -> None:
        self._ws = ws
        self._path = path

    @property
    def path(self) -> str:
        return self._path

    async def __anext__(self) -> bytes:
        try:
            return await self.recv()
        except ConnectionClosed:
            raise StopAsyncIteration from None

    async def send(self, message: bytes) -> None:
        await self._ws.send(message)

    async def recv(self) -> bytes:
        message = await self._ws.recv()
        assert isinstance(message, bytes)
        return message


@asynccontextmanager
async def provided(server: Server, document: str, subject: str) -> AsyncIterator[tuple[Doc[Any], Text]]:
    """A pycrdt document that the stock provider keeps in sync."""
    doc: Doc[Any] = Doc()
    text = doc.get("text", type=Text)
    token = server.token(document, subject=subject)
    async with (
        plain(server.ws, document, token) as line,
        Provider(doc, WebSocketChannel(line.ws, document)) as provider,
    ):
        await asyncio.wait_for(provider.synced.wait(), 10)
        yield doc, text
        await line.ws.close()


async def until_text(text: Text, expected: str) -> None:
    async with asyncio.timeout(10):
        while str(text) != expected:
            await asyncio.sleep(0.01)


async def test_pycrdts_provider_writes_and_reads(server: Server, document: str) -> None:
    async with provided(server, document, "ana") as (_, ana), provided(server, document, "rui") as (_, rui):
        ana += "Zaragoza"
        await until_text(rui, "Zaragoza")
        rui += " and Porto 🌍"
        await until_text(ana, "Zaragoza and Porto 🌍")
    async with provided(server, document, "eva") as (_, eva):
        await until_text(eva, "Zaragoza and Porto 🌍")


async def test_pycrdts_provider_brings_offline_edits(server: Server, document: str) -> None:
    async with provided(server, document, "ana") as (_, ana):
        doc: Doc[Any] = Doc()
        doc["text"] = Text("written offline")
        token = server.token(document, subject="rui")
        async with (
            plain(server.ws, document, token) as line,
            Provider(doc, WebSocketChannel(line.ws, document)),
        ):
            await until_text(ana, "written offline")
            await line.ws.close()


class LegacyPeer:
    """A y-py document on a socket. It reads only this server's bytes: a stranger's kill y-py."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.doc = y_py.YDoc()
        self.text = self.doc.get_text("text")

    async def insert(self, at: int, text: str) -> None:
        before = y_py.encode_state_vector(self.doc)
        with self.doc.begin_transaction() as transaction:
            self.text.insert(transaction, at, text)
        await self.line.say(SYNC, update(y_py.encode_state_as_update(self.doc, before)))

    async def until_text(self, expected: str) -> None:
        while str(self.text) != expected:
            frame = await self.line.hear()
            if frame.word in ("step2", "update"):
                y_py.apply_update(self.doc, frame.content)


@pytest.mark.parametrize("words", ["plain words", "ñ, кот, 教室 and 🌍"])
async def test_y_py_is_a_peer(server: Server, document: str, words: str) -> None:
    async with plain(server.ws, document, server.token(document, subject="legacy")) as line:
        legacy = LegacyPeer(line)
        for frame in await line.sync(have=EMPTY_UPDATE):
            if frame.word == "step2":
                y_py.apply_update(legacy.doc, frame.content)
        async with provided(server, document, "ana") as (_, ana):
            await legacy.insert(0, words)
            await until_text(ana, words)
            ana += " / by pycrdt"
            await legacy.until_text(f"{words} / by pycrdt")
            first = words.partition(" ")[0]
            del ana[0 : len(first.encode())]
            await legacy.until_text(f"{words} / by pycrdt".removeprefix(first))


async def test_y_pys_whole_document_arrives_as_step2(server: Server, document: str) -> None:
    token = server.token(document, subject="legacy")
    async with provided(server, document, "ana") as (_, ana), plain(server.ws, document, token) as line:
        legacy = LegacyPeer(line)
        with legacy.doc.begin_transaction() as transaction:
            legacy.text.insert(transaction, 0, "before it came")
            legacy.doc.get_map("facts").set(transaction, "answer", 42)
            legacy.doc.get_array("list").insert_range(transaction, 0, [1, "two", {"three": 3.5}, None, True])
        await line.hear_until("step1")
        await line.say(SYNC, step2(y_py.encode_state_as_update(legacy.doc)))
        await until_text(ana, "before it came")
