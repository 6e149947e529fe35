"""Remote control of stock clients: each Agent is one Node process around one unmodified client package."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from served import Server

HERE = Path(__file__).parent

Y_WEBSOCKET = ("y-websocket-2", "y-websocket-3")
HOCUSPOCUS = ("hocuspocus-provider-2", "hocuspocus-provider-3", "hocuspocus-provider-4")
CLIENTS = (*Y_WEBSOCKET, *HOCUSPOCUS)


def node() -> str:
    """The Node.js that tools/with-node chooses: the machine's own, else the one inside .venv."""
    bundled = HERE.parents[1] / ".venv" / "node-bin" / "node"
    found = str(bundled) if bundled.exists() else shutil.which("node")
    assert found, "The interop tests need Node.js: run them through `make test`."
    return found


def until(condition: Callable[[], bool], *, what: Callable[[], object], timeout: float = 40.0) -> None:
    """Waits for something that has to become true. The timeout only bounds a failure."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"after {timeout} s still: {what()}"
        time.sleep(0.02)


class Agent:
    """``with Agent("y-websocket-3") as agent: peer = agent.open(...)``."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.speaks_hocuspocus = client in HOCUSPOCUS
        self._process = subprocess.Popen(
            [node(), "agent.mjs", client],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "TWINSPACE_LOUD" not in os.environ else None,
        )
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """Ends the process at once, as a crashing browser would; its sockets die with it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()

    def call(self, op: str, **arguments: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"op": op, **arguments}).encode() + b"\n")
        self._process.stdin.flush()
        readable, _, _ = select.select([self._process.stdout], [], [], 60)
        assert readable, f"{self.client} does not answer"
        line = self._process.stdout.readline()
        assert line, f"the process of {self.client} has died"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def open(self, server: Server, document: str, token: str | None = None, **options: object) -> Peer:
        """A client on one document, by default with a token of its own.

        Options as in agent.mjs: presence, draft, via, socket, sessionAwareness, ...
        """
        self._count += 1
        name = f"peer-{self._count}"
        made = self.call(
            "open",
            peer=name,
            url=server.ws,
            document=document,
            token=server.token(document, subject=f"{self.client}-{name}") if token is None else token,
            **({} if self.speaks_hocuspocus or "via" in options else {"via": "query"}),
            **options,
        )
        return Peer(self, name, made["clientID"])


@dataclass(eq=False)
class Peer:
    agent: Agent
    name: str
    client_id: int
    seen: dict[str, Any] = field(default_factory=dict)

    def _do(self, op: str, **arguments: object) -> None:
        self.agent.call(op, peer=self.name, **arguments)

    def look(self) -> dict[str, Any]:
        """What the client holds and has been told: text, synced, unsynced, others, events, closes, ..."""
        self.seen = self.agent.call("look", peer=self.name)
        assert self.seen["uncaught"] == [], "the client threw"
        return self.seen

    def until(self, condition: Callable[[dict[str, Any]], bool], timeout: float = 40.0) -> dict[str, Any]:
        until(lambda: condition(self.look()), what=lambda: self.seen, timeout=timeout)
        return self.seen

    # what it does
    def insert(self, text: str, at: int | None = None) -> None:
        self._do("insert", text=text, at=at)

    def delete(self, at: int, length: int) -> None:
        self._do("delete", at=at, length=length)

    def presence(self, state: dict[str, object] | None) -> None:
        self._do("presence", state=state)

    def cut(self) -> None:
        self._do("cut")

    def disconnect(self) -> None:
        self._do("disconnect")

    def connect(self) -> None:
        self._do("connect")

    def log_in(self, token: str) -> None:
        """Hocuspocus only: another token on the same socket, as each version's documentation does it."""
        self._do("logIn", token=token)

    def reattach(self, token: str) -> None:
        """Hocuspocus 3 and 4: leaves the document and comes back with another token, on the same socket."""
        self._do("reattach", token=token)

    def force_sync(self) -> None:
        self._do("forceSync")

    def stateless(self, payload: str) -> None:
        self._do("stateless", payload=payload)

    def destroy(self) -> None:
        self._do("destroy")

    # what it sees
    @property
    def text(self) -> str:
        return str(self.look()["text"])

    def until_text(self, text: str) -> None:
        self.until(lambda seen: seen["text"] == text)

    def until_synced(self) -> Self:
        self.until(lambda seen: bool(seen["synced"]))
        return self

    def until_saved(self) -> None:
        """Hocuspocus only: the provider says that nothing of it is unsynced."""
        self.until(lambda seen: seen["synced"] and seen["unsynced"] is False)

    def until_others(self, expected: dict[int, str]) -> None:
        """The presence of exactly these others: client id -> the word they show."""
        wanted = {str(client): word for client, word in expected.items()}
        # Sooner than the renewal that every client sends by itself after 15 s, which would hide a fault.
        self.until(lambda seen: words(seen["others"]) == wanted, timeout=8)

    def events(self, name: str) -> list[Any]:
        return [each["event"] for each in self.look()["events"] if each["name"] == name]


def words(states: dict[str, dict[str, Any]]) -> dict[str, object]:
    """Client id -> the ``word`` field of its presence, which the server leaves to the client."""
    return {client: state.get("word") for client, state in states.items()}
