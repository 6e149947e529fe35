"""Settings: one declaration, three places to set it, in a fixed order."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path

import pytest
import yaml

from server.config import CONFIG_VARIABLE, ConfigError, Settings, load
from server.mail import MailServer
from server.origins import Origin


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine's environment nor a twinspace.toml of the checkout gets in."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TWINSPACE_{name.upper()}", raising=False)
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)


def test_defaults_serve_this_machine_only_with_secure_cookies() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.data) == ("127.0.0.1", 8080, Path("data"))
    assert settings.cookie_secure
    assert settings.trusted_proxy == ()
    assert settings.allowed_origin == ()


def test_flags_beat_environment_beats_file_beats_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twinspace.toml").write_text('port = 1\nhost = "192.0.2.1"\nhistory_days = 7\n')
    monkeypatch.setenv("TWINSPACE_PORT", "2")
    monkeypatch.setenv("TWINSPACE_HOST", "192.0.2.2")
    settings = load({"port": "3"})
    assert (settings.port, settings.host, settings.history_days) == (3, "192.0.2.2", 7)
    assert settings.compaction_updates == 500


def test_the_file_is_the_one_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, port in (("twinspace.toml", 1), ("a.toml", 2), ("b.toml", 3)):
        (tmp_path / name).write_text(f"port = {port}\n")
    assert load().port == 1
    monkeypatch.setenv(CONFIG_VARIABLE, "a.toml")
    assert load().port == 2
    assert load(config=tmp_path / "b.toml").port == 3


def test_a_misspelt_key_in_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "twinspace.toml").write_text("compaction_update = 5\n")
    with pytest.raises(ConfigError, match="compaction_update: there is no such setting"):
        load()


@pytest.mark.parametrize("text", ["port = ", "port = 1\nport = 2", "\xff\xfe"])
def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "twinspace.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"twinspace\.toml"):
        load()


def test_a_missing_file_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration file"):
        load(config=tmp_path / "nothing.toml")


def test_lists_come_from_commas_in_the_environment_and_arrays_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINSPACE_TRUSTED_PROXY", "10.0.0.0/8, 2001:db8::1")
    (tmp_path / "twinspace.toml").write_text(
        'allowed_origin = ["https://a.example", "https://B.example:444"]\n'
    )
    settings = load()
    assert settings.trusted_proxy == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::1"))
    assert settings.allowed_origin == (Origin("https", "a.example", 443), Origin("https", "b.example", 444))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("port", "tcp://10.0.0.7:80", "port"),
        ("port", "70000", "65535"),
        ("allowed_origin", ["https://a.example/path"], "without a path"),
        ("allowed_origin", ["*"], "without a path"),
        ("public_url", "https://user@a.example", "without a path"),
        ("trusted_proxy", ["everybody"], "trusted_proxy"),
        ("log_format", "xml", "text"),
        ("history_days", "0", "history_days"),
        ("metrics_token", "short", "16"),
        ("database", "mysql://db", "postgresql://"),
        ("redis", "redis://cache", "--database postgresql://"),
        ("workers", "4", "--redis"),
        ("smtp", "smtp://mail.example", "--mail-from"),
        ("smtp", "https://mail.example", "smtp://USER:PASSWORD@HOST"),
        ("smtp", "smtp://mail.example:hunter2", "smtp://USER:PASSWORD@HOST"),
        ("smtp", "smtp://only-a-user@mail.example", "smtp://USER:PASSWORD@HOST"),
        ("mail_from", "nobody", "TwinSpace <noreply@school.eu>"),
        ("mail_from", "A <a@b.example>\nBcc: c@d.example", "TwinSpace <noreply@school.eu>"),
    ],
)
def test_a_value_that_cannot_be_names_its_setting_and_where_it_may_come_from(
    name: str, value: object, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load({name: value})
    message = str(caught.value)
    assert says in message
    assert f"--{name.replace('_', '-')}" in message
    assert f"TWINSPACE_{name.upper()}" in message


def test_several_nodes_need_a_database_and_a_bus_they_share() -> None:
    shared = {"database": "postgresql://db/twinspace", "redis": "redis://cache", "workers": "4"}
    settings = load(shared)
    assert (settings.in_postgres, settings.workers) == (True, 4)
    assert not load({"database": "sqlite:///records"}).in_postgres
    with pytest.raises(ConfigError, match="does not begin with a scheme"):
        load({**shared, "redis": "cache:6379"})


def test_passwords_in_urls_do_not_appear_when_settings_are_printed() -> None:
    settings = load({"database": "postgresql://u:hunter2@db/x", "redis": "redis://:hunter2@cache"})
    assert "hunter2" not in repr(settings)


def test_mail_needs_a_sender_and_links_and_its_password_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load().smtp is None
    monkeypatch.setenv("TWINSPACE_SMTP", "smtp://user:hunter2@mail.example:2525")
    with pytest.raises(ConfigError, match="--mail-from and --public-url"):
        load({"mail_from": "noreply@school.example"})
    settings = load({"mail_from": "noreply@school.example", "public_url": "https://school.example"})
    assert "hunter2" not in repr(settings)
    server = MailServer.parse(settings.smtp or "")
    assert (server.host, server.port, server.user, server.password) == (
        "mail.example",
        2525,
        "user",
        "hunter2",
    )
    assert "hunter2" not in repr(server)
    for wrong in (
        "http://u:hunter2@mail.example",
        "smtp://u:hunter2@mail.example:x",
        "smtp://u:hunter2@[::1",
    ):
        with pytest.raises(ConfigError) as caught:
            load({"smtp": wrong})
        assert "hunter2" not in str(caught.value)


def test_secrets_do_not_appear_when_settings_are_printed() -> None:
    assert "0123456789abcdef" not in repr(load({"metrics_token": "0123456789abcdef"}))


def test_what_the_container_and_compose_files_set_are_settings() -> None:
    root = Path(__file__).parents[2]
    names = {name.upper() for name in Settings.model_fields}
    for file in ("Dockerfile", "compose.yaml"):
        used = set(re.findall(r"\bTWINSPACE_([A-Z_]+)\b", (root / file).read_text()))
        assert used
        assert used <= names, file


def test_the_compose_file_locks_the_container_down() -> None:
    compose = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())
    service = compose["services"]["twinspace"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert [mount.partition(":")[0] for mount in service["volumes"]] == list(compose["volumes"])


def test_the_image_is_pinned_unprivileged_and_started_without_a_shell() -> None:
    lines = (Path(__file__).parents[2] / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    bases = [line.partition("=")[2] for line in lines if line.startswith("ARG ")]
    assert all(re.search(r":\d+\.\d+\.\d+-", base) for base in bases)
    commands = [line for line in lines if line.startswith(("RUN", "CMD", "ENTRYPOINT"))]
    assert commands
    assert all(json.loads(line.split(" ", 1)[1]) for line in commands)
    user = max(index for index, line in enumerate(lines) if line.startswith("USER "))
    assert lines[user] != "USER root"
    assert user < next(index for index, line in enumerate(lines) if line.startswith("ENTRYPOINT"))
    check = next(line for line in lines if "HEALTHCHECK" in line)
    code = json.loads(check.partition(" CMD ")[2])
    assert code[0] == "python"
    compile(code[2], "healthcheck", "exec")
