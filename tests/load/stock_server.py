"""pycrdt-websocket as a process of its own: `python stock_server.py echo|no-echo|swallow` prints its port.

echo: as it is. no-echo: what a connection wrote is not sent back to it. swallow: edits are dropped.
"""

import asyncio
import sys

from pycrdt.websocket import WebsocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from crdt.sync import decode_sync
from crdt.update import read_update
from load.coverage import Coverage

UPDATE = b"\x00\x02"
"""How an edit begins in y-websocket's framing."""


class Channel:
    """A websockets connection as pycrdt-websocket wants it."""

    def __init__(self, socket: ServerConnection, mode: str) -> None:
        self._socket, self._mode = socket, mode
        self._own = Coverage()
        self.path = socket.request.path

    def __aiter__(self) -> "Channel":
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self.recv()
        except ConnectionClosed:
            raise StopAsyncIteration from None

    async def recv(self) -> bytes:
        while (message := await self._socket.recv()).startswith(UPDATE) and self._mode == "swallow":
            pass
        if message.startswith(UPDATE):
            self._own.add(read_update(decode_sync(message[1:]).update))
        return message

    async def send(self, message: bytes) -> None:
        update = decode_sync(message[1:]).update if message.startswith(UPDATE) else None
        if update is not None and self._mode == "no-echo" and self._own.covers(read_update(update)):
            return
        await self._socket.send(message)


async def main(mode: str) -> None:
    async with WebsocketServer() as rooms:

        async def handle(socket: ServerConnection) -> None:
            await rooms.serve(Channel(socket, mode))

        async with serve(handle, "127.0.0.1", 0) as server:
            print(server.sockets[0].getsockname()[1], flush=True)
            await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
