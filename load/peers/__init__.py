"""Servers that nobody here wrote, to be measured in the same run as ours. Each is installed on first use."""

from .hocuspocus import Hocuspocus, StoredHocuspocus
from .pycrdt_websocket import PycrdtWebsocket
from .ywebsocket import YWebsocketServer

__all__ = ["Hocuspocus", "PycrdtWebsocket", "StoredHocuspocus", "YWebsocketServer"]
