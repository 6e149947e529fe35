"""What a student sees on several nodes is what is seen on one, except that a dead node is a blink."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from backing import finished
from conftest import LogsIn, Watch
from demo_server import Demo, running_nodes
from editor_page import editor, expect_blocks, make_page, move, open_editor, pill, write
from playwright.sync_api import Page, expect
from served import Server

from load.backing import PostgreSQL, Valkey

LOST = r"(WebSocket connection to|ERR_CONNECTION|ERR_EMPTY_RESPONSE|status of 50[23])"
"""What a browser itself logs of a line that broke."""


@pytest.fixture(scope="module")
def two_nodes(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgreSQL, shared_valkey: Valkey
) -> Iterator[tuple[Demo, list[Server]]]:
    url = finished(postgres.create_database())
    with running_nodes(tmp_path_factory.mktemp("nodes"), url, shared_valkey.url) as running:
        yield running


@pytest.fixture(scope="module")
def demo(two_nodes: tuple[Demo, list[Server]]) -> Demo:
    return two_nodes[0]


@pytest.fixture(scope="module")
def nodes(two_nodes: tuple[Demo, list[Server]]) -> list[Server]:
    return two_nodes[1]


def sockets(node: Server) -> int:
    """How many sockets are open on a node."""
    return node.said().count("GET /collab 101")


@pytest.fixture
def pair(teacher: LogsIn, student: LogsIn, demo: Demo, nodes: list[Server]) -> tuple[Page, Page]:
    """A teacher and a student on one page, each through another node."""
    ana, rui = teacher(), student(1)
    path = make_page(ana, demo, "On two nodes")
    open_editor(ana, path)
    before = [sockets(node) for node in nodes]
    open_editor(rui, path)
    rounds = 0
    while [sockets(node) for node in nodes] == before or 0 in [sockets(node) for node in nodes]:
        assert (rounds := rounds + 1) < 20, "the student's socket never came to the other node"
        rui.reload()
        open_editor(rui, path)
    return ana, rui


def test_they_see_each_other_type_and_their_presence(pair: tuple[Page, Page], demo: Demo) -> None:
    ana, rui = pair
    write(ana, "The Ebro is long.")
    expect_blocks(rui, "The Ebro is long.")
    expect(pill(ana)).to_have_text("Saved")
    expect(ana.get_by_role("button", name="2 people here")).to_be_visible()
    expect(rui.get_by_role("button", name="2 people here")).to_be_visible()


def test_a_node_that_dies_is_a_blink(
    pair: tuple[Page, Page], nodes: list[Server], watch: Watch, demo: Demo
) -> None:
    watch.allow(LOST)
    ana, rui = pair
    write(ana, "Saved before. ")
    expect(pill(ana)).to_have_text("Saved")
    expect_blocks(rui, "Saved before.")
    editor(rui).click()
    move(rui, "Control+Home")  # not among the words that Ana types meanwhile
    nodes[0].kill()
    write(ana, "Typed meanwhile. ")
    rui.keyboard.type("Here too. ")
    for page in (ana, rui):
        expect(pill(page)).to_have_text("Saved")
    for words in ("Saved before.", "Typed meanwhile.", "Here too."):
        for page in (ana, rui):
            expect(page.locator("ts-editor .ProseMirror")).to_contain_text(words)
    expect(ana.get_by_role("button", name="2 people here")).to_be_visible()
    nodes[0].start(int(nodes[0].http.rpartition(":")[2]))
    fresh = ana.context.new_page()
    open_editor(fresh, ana.url)
    expect(fresh.locator("ts-editor .ProseMirror")).to_contain_text("Here too.")
