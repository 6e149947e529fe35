import pytest

from load.client import Client
from load.target import TargetError, checked


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.1:8080/collab",
        "ws://127.9.9.9:1",
        "ws://[::1]:8080",
        "wss://localhost/x",
    ],
)
def test_this_machine_is_a_target(url: str) -> None:
    assert checked(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "ws://192.0.2.1:80",
        "ws://0.0.0.0:80",
        "ws://example.org/collab",
        "ws://localhost.example.org/collab",
        "ws://127.0.0.1.example.org",
        "ws://127.0.0.1@192.0.2.1/",
        "ws://[2001:db8::1]:80",
        "http://127.0.0.1:80",
        "ws://127.0.0.1:99999",
        "ws://127.0.0.1/collab?token=x",
        "ws:///collab",
        "",
    ],
)
def test_nothing_else_is(url: str) -> None:
    with pytest.raises(TargetError):
        checked(url)


async def test_no_client_is_made_for_another_machine() -> None:
    with pytest.raises(TargetError, match="not this machine"):
        Client("ws://192.0.2.1/collab", "doc")
