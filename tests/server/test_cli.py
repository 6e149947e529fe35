"""The command line and the process: a contract that scripts and operators rely on."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner
from house import open_house
from served import COMMAND, Server
from sqlalchemy import update
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from crdt.document import Document
from crdt.engine import XmlNode
from crdt.limits import STORED
from crdt.richtext import FRAGMENT, render
from rooms.demo.furnish import furnish
from rooms.services import Services
from rooms.storage.schema import audit
from rooms.values import AgeBand
from server.cli import main
from server.cluster import make_log
from server.config import Settings
from server.demo import write_pages
from server.tokens import Tokens, read_secret

UPDATE = b"\x01\x01\x01\x00\x04\x01\x01t\x05hello\x00"


def twinspace(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_a_process_that_the_program_spawns_loads_no_server() -> None:
    """multiprocessing has each import the module that the program was started from."""
    project = tomllib.loads(Path("pyproject.toml").read_text())
    module, _, function = project["project"]["scripts"]["twinspace"].partition(":")
    code = f"import sys; from {module} import {function}; print(*sorted(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60).split()
    assert module in loaded
    assert not {"server.cli", "crdt", "rooms", "click"} & set(loaded)


def write(server: Server, token: str, update: bytes = UPDATE) -> None:
    request = urllib.request.Request(
        f"{server.http}/api/documents/a",
        update,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"},
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def read(server: Server, token: str) -> bytes:
    request = urllib.request.Request(
        f"{server.http}/api/documents/a", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def test_token_prints_the_token_and_nothing_else(tmp_path: Path) -> None:
    made = twinspace(
        "token", "--document", "notes/ä", "--scope", "readonly", "--subject", "u1", "--name", "Ana",
        "--expires", "60", "--data", str(tmp_path),
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    token = made.stdout.removesuffix("\n")
    assert token.count(".") == 2
    assert not set(token) & set(" \n\r\t")
    principal = Tokens(read_secret(tmp_path, None)).verify(token, "notes/ä")
    assert (principal.subject, principal.name, principal.scope) == ("u1", "Ana", "readonly")
    assert principal.expires_at is not None
    assert 0 < principal.expires_at - time.time() <= 60


@pytest.mark.parametrize("document", ["page/p1", "space/s1", "", "a\nb"])
def test_no_token_is_made_for_a_page(tmp_path: Path, document: str) -> None:
    result = CliRunner().invoke(main, ["token", "--document", document, "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout == ""


def test_every_setting_is_an_option_of_serve_and_says_what_it_is() -> None:
    text = CliRunner().invoke(main, ["serve", "--help"], terminal_width=200).output
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')}" in text
        assert field.description


def test_unknown_settings_and_options_end_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("prot = 1\n")
    for arguments, says in (
        (["serve", "--prot", "1"], "No such option"),
        (["serve", "--config", str(tmp_path / "bad.toml")], "prot: there is no such setting"),
        (["serve", "--config", str(tmp_path / "none.toml")], "There is no configuration file"),
        (["serve", "--port", "many"], "port:"),
        (["serve", "--redis", "redis://x"], "--database postgresql://"),
        (["backup", str(tmp_path / "b")], ""),
    ):
        result = CliRunner().invoke(main, arguments, env={"TWINSPACE_DATA": str(tmp_path / "empty")})
        assert result.exit_code != 0
        assert says in result.output
        assert "Traceback" not in result.output


def test_the_first_line_on_standard_output_is_the_address(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--log-level", "error") as server:
        assert server.said() == f"listening on {server.http}\n"
        assert not server.http.endswith(":0")


def test_token_and_serve_agree_on_the_same_data_whoever_is_first(tmp_path: Path) -> None:
    early = (
        CliRunner()
        .invoke(main, ["token", "--document", "a", "--data", str(tmp_path / "data")])
        .stdout.strip()
    )
    with Server(tmp_path / "data") as server:
        write(server, early)
        assert read(server, server.token("a")) != b"\x00\x00"


def test_a_given_secret_file_is_the_secret(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    with Server(tmp_path / "data", "--secret-file", str(secret)) as server:
        write(server, Tokens(b"0123456789abcdef0123456789abcdef").mint("a", "read-write"))  # type: ignore[arg-type]
        assert not (tmp_path / "data" / "secret").exists()


def test_environment_and_file_reach_the_server(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('log_format = "json"\nhost = "192.0.2.1"\n')
    os.environ["TWINSPACE_HOST"] = "127.0.0.1"
    try:
        with Server(tmp_path / "data", "--config", str(file)) as server:
            urllib.request.urlopen(f"{server.http}/healthz", timeout=10).close()
        assert '"route": "/healthz"' in server.said()
    finally:
        del os.environ["TWINSPACE_HOST"]


def test_a_taken_port_or_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        made = twinspace("serve", "--port", str(taken.getsockname()[1]), "--data", str(tmp_path / "x"))
    assert made.returncode == 1
    assert "in use" in made.stderr
    assert "Traceback" not in made.stderr
    with Server(tmp_path / "data"):
        made = twinspace("serve", "--port", "0", "--data", str(tmp_path / "data"))
        assert made.returncode == 1
        assert "in use by another TwinSpace process" in made.stderr


async def until_closed(socket_: ClientConnection) -> None:
    while True:
        await socket_.recv()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_within_five_seconds_with_sockets_closed_1012_and_nothing_lost(
    tmp_path: Path, number: signal.Signals
) -> None:
    with Server(tmp_path / "data") as server:
        token = server.token("a")
        await asyncio.to_thread(write, server, token)
        idle = socket.create_connection(("127.0.0.1", int(server.http.rpartition(":")[2])))
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")  # one request, and half of another
        async with connect(f"{server.ws}/collab/a?token={token}") as socket_:
            await socket_.recv()
            started = time.monotonic()
            os.kill(server.pid, number)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(until_closed(socket_), 5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        await asyncio.to_thread(server.stop)  # insists on code 0
        assert time.monotonic() - started < 5
        idle.close()
        server.start()
        assert b"hello" in await asyncio.to_thread(read, server, token)


def test_check_backup_restore_work_beside_the_running_server(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        token = server.token("a")
        write(server, token)
        made = twinspace("backup", str(tmp_path / "b"), "--data", str(server.data))
        assert made.returncode == 0, made.stderr
        assert (tmp_path / "b").stat().st_mode & 0o077 == 0
        made = twinspace("check", "--data", str(server.data))
        assert (made.returncode, made.stdout.splitlines()[-1]) == (0, "Everything is in order.")
        assert "in use" in twinspace("compact", "--data", str(server.data)).stderr
    made = twinspace("compact", "--data", str(server.data))
    assert made.returncode == 0, made.stderr
    made = twinspace("restore", str(tmp_path / "b"), "--data", str(tmp_path / "again"))
    assert made.returncode == 0, made.stderr
    with Server(tmp_path / "again") as restored:
        assert b"hello" in read(restored, token)


def test_a_damaged_store_and_a_damaged_backup_end_with_one(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        write(server, server.token("a"))
    assert twinspace("backup", str(tmp_path / "b"), "--data", str(server.data)).returncode == 0
    damaged = bytearray((tmp_path / "b").read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    (tmp_path / "b").write_bytes(damaged)
    made = twinspace("restore", str(tmp_path / "b"), "--data", str(tmp_path / "again"))
    assert made.returncode == 1
    assert "Traceback" not in made.stderr
    assert not (tmp_path / "again").exists()
    log = server.data / "log.sqlite3"
    log.write_bytes(log.read_bytes()[:8192])
    made = twinspace("check", "--data", str(server.data))
    assert made.returncode == 1
    assert "Traceback" not in made.stderr


def demo(data: Path, home: Path) -> tuple[list[str], int]:
    """Starts the demo, ends it once it listens, and gives what it printed and how it ended."""
    process = subprocess.Popen(
        [*COMMAND, "demo", "--port", "0", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=home,
    )
    assert process.stdout is not None
    lines = []
    with process.stdout as output:
        for line in output:
            lines.append(line.rstrip("\n"))
            if line.startswith("listening on "):
                process.send_signal(signal.SIGINT)
    return lines, process.wait(10)


def test_the_demo_prints_how_to_get_in_and_has_the_same_log_ins_the_second_time(tmp_path: Path) -> None:
    first, code = demo(tmp_path / "demo", tmp_path)
    assert code == 0
    text = "\n".join(first)
    assert "http://localhost:" in text
    assert "Zaragoza" in text
    assert "Porto" in text
    codes = re.findall(r"\b[a-z]+(?:-[a-z]+){4}\b", text)
    assert len(codes) >= 4
    assert len(re.findall(r"\S+@\S+", text)) >= 2
    second, code = demo(tmp_path / "demo", tmp_path)
    assert code == 0
    assert [line for line in second if "localhost" not in line and "listening" not in line] == [
        line for line in first if "localhost" not in line and "listening" not in line
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "demo").iterdir())


async def test_the_demos_pages_are_written_once_and_its_people_get_in(tmp_path: Path) -> None:
    furnished = await furnish(tmp_path / "records.sqlite3")
    async with open_house(tmp_path) as house:
        assert await write_pages(house.node, furnished) > 0
        assert await write_pages(house.node, furnished) == 0
        student = next(login for login in furnished.logins if login.code)
        teacher = next(login for login in furnished.logins if login.email)
        for body in (
            {"method": "code", "code": student.code},
            {"method": "password", "email": teacher.email, "password": teacher.password},
        ):
            headers = {"Origin": house.url}
            async with house.http.post(f"{house.url}/api/session", json=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                cookie = answer.headers["Set-Cookie"].partition(";")[0]
        page = next(page for page in furnished.pages if page.blocks)
        url = f"{house.url}/api/pages/{page.document.removeprefix('page/')}/content"
        for form, kind in (("html", "text/html"), ("markdown", "text/markdown"), ("text", "text/plain")):
            async with house.http.get(f"{url}?format={form}", headers={"Cookie": cookie}) as answer:
                assert (answer.status, answer.content_type) == (200, kind)
                words = next(block.text for block in page.blocks if block.text)
                assert words in unescape(await answer.text())
        async with house.http.get(f"{url}?format=json", headers={"Cookie": cookie}) as answer:
            assert (await answer.json())["type"] == "doc"
        async with house.http.get(url) as answer:
            assert answer.status == 401


async def test_the_demos_boards_hold_cards_that_belong_to_who_is_said_to_have_made_them(
    tmp_path: Path,
) -> None:
    furnished = await furnish(tmp_path / "records.sqlite3")
    async with open_house(tmp_path) as house:
        await write_pages(house.node, furnished)
        for board in furnished.boards:
            async with house.node.registry.open(board.document) as room:
                state, owners = await room.read(), dict(room.owners)
            expected = []
            for number, title in enumerate(board.columns):
                expected += [title, *(card.text for card in board.cards if card.column == number)]
            assert render(state, "text") == "\n".join(expected)
            shown = Document(STORED)
            shown.load(state)
            subjects = {card.text: card.subject for card in board.cards}
            for node in shown.xml(FRAGMENT):
                assert isinstance(node, XmlNode)
                [words] = node.children
                if node.name == "column":
                    assert node.attributes["protected"] == "teachers"
                else:
                    assert owners[int(node.attributes["protected"])] == subjects[words.text]
        assert await write_pages(house.node, furnished) == 0


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_an_audit_log_that_was_tampered_with_ends_the_check_with_one(
    tmp_path: Path, database: str, engine: str
) -> None:
    there = {"database": database} if engine == "postgres" else {}
    settings = Settings(data=tmp_path, **there)
    place = ["--data", str(tmp_path), *(f"--{name}={value}" for name, value in there.items())]
    space = asyncio.run(moderated(settings))
    made = twinspace("check", *place)
    assert made.returncode == 0, made.stderr
    assert "1 audit logs." in made.stdout
    asyncio.run(tampered(settings, {"details": {"because": "Of something else."}}))
    made = twinspace("check", *place)
    assert made.returncode == 1
    assert f"space/{space}: audit: entry 2 of the audit log" in made.stderr
    assert "Everything is in order." not in made.stdout
    assert "Traceback" not in made.stderr


async def moderated(settings: Settings) -> str:
    """Makes an installation with one space, in whose log there are three entries."""
    log = make_log(settings)
    await log.open()
    await log.close()
    services = await Services.open(settings.database_url)
    space = await services.spaces.create(
        title="One", summary="", languages=["en"], age_band=AgeBand.FROM_16, founders=[]
    )
    async with services.records.writing() as tx:
        for number in range(3):
            await services.audit.note(tx, space, None, "hidden", "post/one", details={"number": number})
    await services.close()
    return space


async def tampered(settings: Settings, changed: dict[str, object]) -> None:
    services = await Services.open(settings.database_url)
    async with services.records.writing() as tx:
        await tx.do(update(audit).where(audit.c.number == 2).values(changed))
    await services.close()
