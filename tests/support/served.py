"""The real server as a subprocess, as an operator starts it, and document tokens for it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from rooms.rights.access import Scope
from server.tokens import Tokens, read_secret

__all__ = ["Server"]

COMMAND = shlex.split(os.environ.get("TWINSPACE_COMMAND", str(Path(sys.executable).with_name("twinspace"))))
"""What starts the server under test; TWINSPACE_COMMAND tries the same promises on another build of it."""


class Server:
    """``with Server(folder) as server: ...``: serves on a free port until the block ends.

    ``options`` are those of ``twinspace serve`` (or the other ``verb``, such as ``demo``); ``command``
    replaces the program itself.
    """

    def __init__(
        self, data: Path, *options: str, command: list[str] | None = None, verb: str = "serve"
    ) -> None:
        self.data = data
        self.options = options
        self.command = command or COMMAND
        self.verb = verb
        self.output = data.with_name(data.name + ".output")
        self.http = ""
        """``http://127.0.0.1:PORT``"""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.running:
            self.stop()

    @property
    def ws(self) -> str:
        """``ws://127.0.0.1:PORT``"""
        return self.http.replace("http", "ws", 1)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, port: int = 0) -> None:
        """Starts the server and waits until it listens."""
        self.data.mkdir(parents=True, exist_ok=True)
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [*self.command, self.verb, "--port", str(port), "--data", str(self.data), *self.options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        deadline = time.monotonic() + 60
        while True:
            said = self.output.read_text(errors="replace")
            if found := re.search(r"listening on (http://\S+)", said):
                self.http = found[1].rstrip("/")
                return
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the server did not start:\n{said}")
            time.sleep(0.02)

    def restart(self) -> None:
        """Stops it properly and starts it again on the same port."""
        port = int(self.http.rpartition(":")[2])
        self.stop()
        self.start(port)

    def stop(self) -> None:
        """Asks it to end (SIGTERM), and insists that it does so within 30 s and without an error."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop:\n{self.said()[-3000:]}") from None
        assert code == 0, f"the server ended with {code}:\n{self.said()[-3000:]}"

    def start_and_stop(self) -> None:
        """Has it make what it keeps."""
        with self:
            pass

    def kill(self) -> None:
        """Ends it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def said(self) -> str:
        """All it has printed."""
        return self.output.read_text(errors="replace")

    def memory(self) -> int:
        """Resident bytes of the server process itself; its pool of workers comes and goes with compaction."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def token(
        self,
        document: str,
        scope: str = "read-write",
        *,
        subject: str | None = None,
        name: str | None = None,
        expires: int | None = None,
    ) -> str:
        """A document token under this server's secret, made here: a thousand cost nothing."""
        if os.environ.get("TWINSPACE_COMMAND"):
            return self.printed_token(document, scope, subject=subject, name=name, expires=expires)
        tokens = Tokens(read_secret(self.data, None))
        return tokens.mint(
            document,
            Scope(scope),
            subject=subject or "anonymous",
            name=name or "",
            expires=expires or 3600,
        )

    def printed_token(
        self,
        document: str,
        scope: str = "read-write",
        *,
        subject: str | None = None,
        name: str | None = None,
        expires: int | None = None,
    ) -> str:
        """What ``twinspace token`` prints for this server's --data."""
        options = ["--document", document, "--scope", scope, "--data", str(self.data)]
        for option, value in (("--subject", subject), ("--name", name), ("--expires", expires)):
            if value is not None:
                options += [option, str(value)]
        made = subprocess.run(
            [*self.command, "token", *options], capture_output=True, text=True, check=False, timeout=60
        )
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()
