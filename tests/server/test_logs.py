"""Logs: what they say, and what never gets into them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import Server
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server import logs

CONTENT = "Ana wrote canary"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlY2FuYXJ5"


@pytest.mark.parametrize(
    "line",
    [
        f"GET /collab/doc?token={JWT} failed",
        "GET /x?a=b&token=canary&c=d",
        "Authorization: Bearer canary",
        "headers {'authorization': 'Bearer canary'}",
        "Sec-WebSocket-Protocol: canary",
        f"Sec-WebSocket-Protocol: yauth-{JWT}",
        "protocols yauth-canary",
        "Cookie: __Host-twinspace=canary",
        "cookie twinspace=canary; other",
        '{"method":"password","email":"x","password":"canary"}',
        "password=canary",
        f"token {JWT}",
        "code canary-otter-lemon-train-cloud",
    ],
)
def test_what_looks_like_a_secret_is_redacted(line: str) -> None:
    redacted = logs.redact(line)
    assert "canary" not in redacted
    assert "[redacted]" in redacted


@pytest.mark.parametrize(
    "line",
    [
        "listening on http://127.0.0.1:80",
        "GET /api/pages/{page_id} 200 12 bytes 1.0 ms",
        "log failing: disk-full",
    ],
)
def test_ordinary_lines_are_left_alone(line: str) -> None:
    assert logs.redact(line) == line


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    made = logging.Logger("test")
    yield made
    made.handlers.clear()


def written(logger: logging.Logger, formatter: logging.Formatter) -> io.StringIO:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    return stream


def test_json_lines_are_json_whatever_they_hold(logger: logging.Logger) -> None:
    stream = written(logger, logs.JsonFormatter())
    try:
        raise ValueError(CONTENT)
    except ValueError:
        logger.exception('quote " and\nnewline', extra={"data": {"ms": 1.5}})
    line = json.loads(stream.getvalue())
    assert line["message"] == 'quote " and\nnewline'
    assert (line["level"], line["ms"]) == ("error", 1.5)
    assert "test_logs.py" in line["error"]
    assert "ValueError" in line["error"]
    assert "canary" not in stream.getvalue()


def test_a_message_cannot_forge_a_second_line(logger: logging.Logger) -> None:
    stream = written(logger, logs.TextFormatter())
    logger.warning("one\n2026-01-01T00:00:00Z INFO forged")
    assert stream.getvalue().count("\n") == 1


def test_errors_of_our_own_and_of_the_system_keep_their_words(logger: logging.Logger) -> None:
    stream = written(logger, logs.TextFormatter())
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError as cause:
            raise KeyError(CONTENT) from cause
    except KeyError:
        logger.exception("failed")
    assert "No space left on device" in stream.getvalue()
    assert "builtins.KeyError" in stream.getvalue()
    assert "canary" not in stream.getvalue()


async def until_closed(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_real_run_logs_no_token_no_name_no_content(tmp_path: Path, form: str) -> None:
    with Server(tmp_path / "data", "--log-format", form, "--log-level", "debug") as server:
        token = server.token("notes/canary-name", name="canary-person", subject="canary-subject")

        def call(path: str, headers: dict[str, str], data: bytes | None = None, method: str = "GET") -> int:
            request = urllib.request.Request(server.http + path, data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        def calls() -> None:
            bearer = {"Authorization": f"Bearer {token}"}
            octets = {"Content-Type": "application/octet-stream"}
            update = b"\x01\x01\x01\x00\x04\x01\x01t\x0ecanary-content\x00"
            assert call("/api/documents/notes/canary-name", bearer | octets, update, "PATCH") == 200
            assert call("/api/documents/notes/canary-name", bearer) == 200
            assert (
                call("/api/documents/notes/canary-name", bearer | octets, b"canary-garbage", "PATCH") == 400
            )
            assert call("/api/documents/notes/canary-name?token=canary-query", {}) == 422
            assert call("/canary-path?canary=1", {"Cookie": "__Host-twinspace=canary-cookie"}) in (404, 503)
            assert call("/api/canary-path", {"Referer": "http://canary-referer"}) == 404
            assert call("/api/session", {"Content-Type": "application/json"}, b'{"canary": 1}', "POST") in (
                403,
                404,
            )

        await asyncio.to_thread(calls)
        address = f"{server.ws}/collab/notes/canary-name"
        async with connect(f"{address}?token={token}") as socket:
            await socket.send(b"\x00\x00\x01\x00")
            await socket.recv()
            await socket.send("canary-text")
            with pytest.raises(ConnectionClosed):
                await until_closed(socket)
        async with connect(address, subprotocols=[token]) as socket:  # type: ignore[list-item]
            await socket.send(b'\x01\x0d\x01\x07\x00\x09{"canary"')
        with pytest.raises(InvalidStatus):
            await connect(f"{address}?token=canary-bad", origin="https://canary.example")  # type: ignore[arg-type]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.http.rpartition(":")[2]))
        writer.write(b"canary not http at all\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
    said = server.said()
    assert "/api/documents/{name}" in said
    assert "canary" not in said
    assert token not in said
    assert token.split(".")[1] not in said
    assert "127.0.0.1" not in said.replace(server.http, "")
    if form == "json":
        lines = [line for line in said.splitlines() if not line.startswith("listening on")]
        assert all(isinstance(json.loads(line), dict) for line in lines)
