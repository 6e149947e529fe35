"""One real server for the tests of a module, and tokens for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from served import Server

from rooms.rights.access import Scope
from server.tokens import Tokens, read_secret

MakeToken = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("load") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> MakeToken:
    tokens = Tokens(read_secret(server.data, None))

    def make(document: str, subject: str = "somebody", scope: str = "read-write") -> str:
        return tokens.mint(document, Scope(scope), subject=subject)

    return make


@pytest.fixture
def url(server: Server) -> str:
    return f"{server.ws}/collab"


@pytest.fixture
def document(request: pytest.FixtureRequest) -> str:
    """A document of the test's own."""
    return f"doc/{Path(request.node.nodeid).name}"
