"""pycrdt-websocket's documented server: `python serve.py PORT`."""

import asyncio
import sys

from hypercorn import Config
from hypercorn.asyncio import serve
from pycrdt.websocket import ASGIServer, WebsocketServer


async def main(port: str) -> None:
    websocket_server = WebsocketServer()
    app = ASGIServer(websocket_server)
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    async with websocket_server:
        await serve(app, config, mode="asgi")


asyncio.run(main(sys.argv[1]))
